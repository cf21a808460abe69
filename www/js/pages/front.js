// The front page: what is live, what was recorded, and what is looked for.

import * as api from '../api.js';
import { element, setText, KeyedList } from '../dom.js';
import { explain } from '../errors.js';
import { t } from '../i18n.js';
import { Paged } from '../paged.js';
import { LiveCard } from '../parts/live-card.js';
import { callOf } from '../parts/recording-actions.js';
import { RecordingRow } from '../parts/recording-row.js';
import { Poll } from '../poll.js';

const POLL_MS = 2000;
const PAGE = 24;


export class FrontPage {
    constructor(root, { report, entitle }) {
        this.get = (id) => root.querySelector('#' + id);
        this.entitle = entitle;
        this.words = null;
        this.onAir = null;

        this.live = new KeyedList(this.get('live'),
            (item) => item.streamer_id,
            () => element('li', {}, new LiveCard()),
            (li, item) => {
                li.dataset.channel = item.channel_id;
                li.firstChild.update(item);
            });

        this.recordings = new KeyedList(this.get('recordings'),
            (item) => item.id,
            () => element('li', {}, new RecordingRow({
                change: (item, fields) => this.change(
                    () => api.changeRecording(item.id, fields), ''),
                remove: (item) => this.change(
                    () => api.deleteRecording(item.id),
                    t('recording_deleted', { name: callOf(item) })),
            })),
            (li, item) => {
                li.dataset.recording = item.id;
                li.firstChild.update(item);
            });

        this.paged = new Paged((after) => api.recordings({
            words: this.words, limit: PAGE, after,
        }));
        this.poll = new Poll(() => this.load(), POLL_MS, report);

        this.get('recordings-more').addEventListener('click', () => {
            this.paged.grow();
            this.poll.now();
        });
    }

    show({ words }) {
        if (words !== this.words) {
            this.words = words;
            this.paged.reset();
            this.entitle(words);
        }

        this.poll.now();
    }

    async load() {
        const [onAir] = await Promise.all([api.live(), this.paged.refresh()]);

        this.onAir = onAir.items;
        this.again();
    }

    // what is known, as it is to be shown now

    again() {
        const { words, paged, get } = this;

        setText(get('recordings-title'),
                words ? t('found_title', { words }) : t('recordings_title'));

        if (!this.onAir || !paged.pages.length) {
            return;
        }

        const live = this.onAir.filter((item) => hasWords(item, words));
        const recorded = paged.items.filter(
            (item) => item.status !== 'deleted');

        this.live.show(live);
        get('live-section').hidden = Boolean(words) && !live.length;
        get('live-empty').hidden = live.length > 0;
        setText(get('live-empty'), t('live_empty'));

        this.recordings.show(recorded);
        get('recordings-empty').hidden = recorded.length > 0;
        setText(get('recordings-empty'),
                words ? t('found_nothing', { words })
                      : t('recordings_empty'));
        get('recordings-more').hidden = !paged.more;
        this.mark();
    }

    // t/browser measures how long it took

    mark() {
        const name = 'recordings-shown';

        if (!performance.getEntriesByName(name).length) {
            performance.mark(name);
        }
    }

    // a change that somebody wants, and what came of it

    async change(act, done) {
        const note = this.get('recordings-note');

        try {
            await act();
            setText(note, done);
        } catch (error) {
            setText(note, explain(error));
        }

        this.poll.now();
    }

    leave() {
        this.poll.stop();
    }
}


// where the API looks for them in a recording

function hasWords(item, words) {
    return [item.title, item.channel_name, item.category, item.channel_id]
        .some((text) => text?.toLowerCase().includes(words.toLowerCase()));
}
