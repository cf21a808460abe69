// Wires the page: asks the API every few seconds and hands the answers to the
// lists and the player.  What is played is in the address (#/recordings/ID).

import * as api from './api.js';
import { startAddForm } from './add-form.js';
import { LiveList } from './live-list.js';
import { Player } from './player.js';
import { RecordingList } from './recording-list.js';
import { setText } from './dom.js';
import * as i18n from './i18n.js';

const POLL_MS = 3000;
const POLL_FAILED_MS = 6000;

const get = (id) => document.getElementById(id);

let timer = null;
let loading = false;
let trouble = null;


const player = new Player(get('player'), () => { location.hash = ''; });

const live = new LiveList(get('live'), get('live-empty'),
                          (item) => go(item.recording_id));

const recordings = new RecordingList(get('recordings'),
                                     get('recordings-empty'),
                                     get('recordings-more'),
                                     (recording) => go(recording.id), load);


function go(id) {
    const hash = '#/recordings/' + id;

    if (location.hash === hash) {
        route();
    } else {
        location.hash = hash;
    }
}


async function route() {
    const id = /^#\/recordings\/(\d+)$/.exec(location.hash)?.[1];

    if (!id) {
        player.stop();
        return;
    }

    const known = recordings.items?.find((item) => String(item.id) === id);

    try {
        const recording = known ?? await api.recording(id);

        // the address may have changed meanwhile
        if (location.hash.endsWith('/' + id)) {
            player.play(recording);
        }

        report(null);

    } catch (error) {
        report(error);
    }
}


function report(error) {
    trouble = error;
    get('trouble').hidden = !error;

    if (error) {
        setText(get('trouble'), words(error));
    }
}


function words(error) {
    if (!(error instanceof api.ApiError)) {
        return String(error);
    }

    if (error.status === 0) {
        return i18n.t('trouble_unreachable');
    }

    if (error.status === 503) {
        return i18n.t('trouble_database');
    }

    return i18n.t('trouble_http', { status: error.status,
                                    why: error.message });
}


async function load() {
    if (loading) {
        return;
    }

    loading = true;
    clearTimeout(timer);

    try {
        const [onAir, recorded] = await Promise.all([
            api.live(), api.recordings(recordings.limit),
        ]);

        live.show(onAir.items);
        recordings.show(recorded.items, recorded.next);
        recorded.items.forEach((item) => player.update(item));
        report(null);

    } catch (error) {
        report(error);
    }

    loading = false;
    timer = setTimeout(tick, trouble ? POLL_FAILED_MS : POLL_MS);
}


// a page nobody looks at asks nothing

function tick() {
    if (document.visibilityState === 'visible') {
        load();
    }
}


i18n.start(get('language'), () => {
    live.again();
    recordings.again();

    if (player.recording) {
        player.update(player.recording);
    }

    report(trouble);
});

startAddForm(get('add'), get('add-note'), load);
window.addEventListener('hashchange', route);
document.addEventListener('visibilitychange', tick);

await load();
route();
