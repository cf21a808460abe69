// Wires the page: asks the API every few seconds and hands the answers to the
// lists and the player.  What is played is in the address: #/recordings/ID
// from its beginning, #/recordings/ID/live from where it is now.

import * as api from './api.js';
import { startAddForm } from './add-form.js';
import { explain } from './errors.js';
import { LiveList } from './live-list.js';
import { OwnList } from './own-list.js';
import { Player } from './player.js';
import { RecordingList, callOf } from './recording-list.js';
import { setText } from './dom.js';
import { WatchList, nameOf } from './watch-list.js';
import * as i18n from './i18n.js';

const POLL_MS = 2000;
const POLL_FAILED_MS = 6000;

const get = (id) => document.getElementById(id);

let timer = null;
let loading = false;
let stale = false;              // asked for while an answer was under way
let trouble = null;


const player = new Player(get('player'), () => { location.hash = ''; });

const live = new LiveList(get('live'), get('live-empty'),
                          (item) => go(item.recording_id + '/live'));

const recordings = new RecordingList(get('recordings'),
                                     get('recordings-empty'),
                                     get('recordings-more'), {
    play: (recording) => go(recording.id),
    change: (recording, fields) => ask(
        () => api.changeRecording(recording.id, fields), '',
        'recordings-note'),
    remove: (recording) => ask(
        () => api.deleteRecording(recording.id),
        i18n.t('recording_deleted', { name: callOf(recording) }),
        'recordings-note'),
    more: load,
});

const watched = new WatchList(get('channels'), {
    change: (streamer, fields) => ask(
        () => api.changeStreamer(streamer.id, fields), ''),
    remove: (streamer) => ask(
        () => api.removeStreamer(streamer.id),
        i18n.t('watched_removed', { name: nameOf(streamer) })),
    more: load,
});


const own = new OwnList(get('own'), load);


// a change that somebody wants, and what came of it

async function ask(change, done, where = 'add-note') {
    const note = get(where);

    try {
        await change();
        setText(note, done);
    } catch (error) {
        setText(note, explain(error));
    }

    load();
}


function go(id) {
    const hash = '#/recordings/' + id;

    if (location.hash === hash) {
        route();
    } else {
        location.hash = hash;
    }
}


async function route() {
    const hash = location.hash;
    const [, id, edge] = /^#\/recordings\/(\d+)(\/live)?$/.exec(hash) ?? [];

    if (!id) {
        player.stop();
        return;
    }

    const known = recordings.items?.find((item) => String(item.id) === id);

    try {
        const recording = known ?? await api.recording(id);

        // the address may have changed meanwhile
        if (location.hash === hash) {
            player.play(recording, Boolean(edge));
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
        setText(get('trouble'), explain(error));
    }
}


async function load() {
    if (loading) {
        stale = true;
        return;
    }

    loading = true;
    stale = false;
    clearTimeout(timer);

    try {
        const [onAir, recorded, streamers, mine] = await Promise.all([
            api.live(), api.recordings(recordings.limit),
            api.streamers(watched.limit, watched.part), api.ownChannels(),
        ]);

        live.show(onAir.items);
        recordings.show(recorded.items, recorded.next);
        watched.show(streamers.items, streamers.next);
        own.show(mine.items);
        recorded.items.forEach((item) => player.update(item));
        report(null);

    } catch (error) {
        report(error);
    }

    loading = false;
    timer = setTimeout(tick, stale ? 0 : trouble ? POLL_FAILED_MS : POLL_MS);
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
    watched.again();
    own.again();

    if (player.recording) {
        player.update(player.recording);
    }

    report(trouble);
});

startAddForm(get('add'), get('add-note'), load);

// the address is the player's

get('to-channels').addEventListener('click', (event) => {
    event.preventDefault();
    get('channels').scrollIntoView();
    get('add-channel').focus({ preventScroll: true });
});

window.addEventListener('hashchange', route);
document.addEventListener('visibilitychange', tick);

await load();
route();
