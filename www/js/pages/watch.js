// The watch page: a recording, over or in progress, and what there is to it.
//
// Below the player are parts.  A part is an element that is made with
// { player, api, changed } and has update(recording), with the newest facts,
// and again(), when the language changed.  To add one is to name it in PARTS.

import * as api from '../api.js';
import { element, setText } from '../dom.js';
import { explain } from '../errors.js';
import * as format from '../format.js';
import { count, t } from '../i18n.js';
import { Editor } from '../parts/editor.js';
import { ExportList } from '../parts/export-list.js';
import { GapList } from '../parts/gap-list.js';
import { Player } from '../parts/player.js';
import { RecordingActions } from '../parts/recording-actions.js';
import { TitleList } from '../parts/title-list.js';
import { Poll } from '../poll.js';
import { searchFor } from '../router.js';

const PARTS = [Editor, ExportList, GapList, TitleList];

const POLL_MS = 2000;
const POLL_OVER_MS = 15000;
const RETURN_MS = 600000;   // so long a publisher may come back


export class WatchPage {
    constructor(root, { report, entitle }) {
        this.get = (id) => root.querySelector('#' + id);
        this.report = report;
        this.entitle = entitle;
        this.wanted = null;
        this.recording = null;
        this.gone = null;           // () => what is said instead
        this.noted = '';            // what came of a change
        this.growing = 0;           // when it was last seen to grow
        this.poll = null;

        this.player = new Player();
        this.actions = new RecordingActions({
            change: (item, fields) => this.change(
                () => api.changeRecording(item.id, fields)),
            remove: (item) => this.change(
                () => api.deleteRecording(item.id)),
        });
        this.parts = PARTS.map((Part) => new Part({
            player: this.player, api, changed: () => this.load(true),
        }));
        this.close = element('a', { id: 'player-close', class: 'button',
                                    href: '#/' });

        this.get('player-place').replaceWith(this.player);
        this.get('player-actions').append(this.actions, this.close);
        this.get('player-panels').append(...this.parts);
        this.player.addEventListener('say', () => this.draw());
    }

    async show(wanted) {
        this.wanted = wanted;
        this.poll?.stop();

        try {
            const recording = await this.find(wanted);

            if (this.wanted !== wanted) {
                return;         // the address changed meanwhile
            }

            this.report(null);
            this.begin(recording, wanted.live);

        } catch (error) {
            if (this.wanted === wanted) {
                this.failed(error, wanted);
            }
        }
    }

    async find({ id, streamer }) {
        if (streamer) {
            const { recording_id: now } = await api.liveOf(streamer);

            if (!now) {
                throw new api.ApiError(404, 'not_recorded', '');
            }

            return api.recording(now);
        }

        if (!id) {
            throw new api.ApiError(404, 'recording_not_found', '');
        }

        return api.recording(id);
    }

    begin(recording, live) {
        if (recording.status === 'deleted') {
            this.say('deleted');
            return;
        }

        this.gone = null;
        this.noted = '';
        this.get('gone').hidden = true;
        this.get('player').hidden = false;
        this.player.play(recording, live);
        this.update(recording);
        this.start();
    }

    failed(error, wanted) {
        if (error.status === 404) {
            this.say(error.code);
            return;
        }

        // the server does not answer: again until it does

        this.report(error);
        this.retry = setTimeout(() => {
            if (this.wanted === wanted) {
                this.show(wanted);
            }
        }, POLL_MS * 2);
    }

    // there is nothing to be played, and why

    say(code) {
        this.gone = code;
        this.recording = null;
        this.player.stop();
        this.get('player').hidden = true;
        this.get('gone').hidden = false;
        this.draw();
    }

    start() {
        this.poll?.stop();
        this.poll = new Poll(() => this.load(), POLL_MS,
                             (error) => this.report(error));
        this.poll.later();
    }

    // newer facts; gaps and titles when there are others, or when told to

    async load(all = false) {
        const before = this.recording;
        let now = all ? await api.recording(before.id)
                      : await api.recordingNow(before);

        // what was asked for by somebody is newer than what was not

        if (all ? this.recording?.id !== before.id
                : this.recording !== before)
        {
            return;
        }

        if (now.gaps !== before.gaps || now.title !== before.title
            || now.category !== before.category || now.cut !== before.cut)
        {
            now = await api.recording(before.id);
        }

        if (now.status === 'deleted') {
            this.say('deleted');
            this.poll.stop();
            return;
        }

        this.player.update(now);
        this.update({ ...before, ...now });
    }

    update(recording) {
        this.recording = recording;

        if (recording.status === 'recording') {
            this.growing = Date.now();
        }

        if (this.poll) {
            this.poll.ms = Date.now() - this.growing < RETURN_MS
                           ? POLL_MS : POLL_OVER_MS;
        }

        this.draw();
    }

    again() {
        this.player.again();
        this.parts.forEach((part) => part.again());
        this.draw();
    }

    draw() {
        if (this.gone) {
            this.sayGone();
        }

        if (!this.recording) {
            return;
        }

        const { get, recording: r } = this;
        const growing = r.status === 'recording';
        const facts = [
            growing ? t('since', { time: format.time(r.started_at) })
                    : format.time(r.started_at),
            r.category, format.duration(r.duration), format.bytes(r.bytes),
            r.quality,
            r.watching ? count('watching', r.watching) : '',
            !growing && r.watching_peak
                ? count('watched_peak', r.watching_peak) : '',
        ];

        setText(get('player-title'), r.title || t('untitled'));
        setText(get('player-channel'), r.channel_name || r.channel_id);
        get('player-channel').href = searchFor(r.channel_name
                                               || r.channel_id);
        this.entitle((r.title || t('untitled')) + ' · '
                     + (r.channel_name || r.channel_id));
        get('player-facts').replaceChildren(...facts.filter(Boolean).map(
            (fact) => element('span', {}, fact)));
        setText(get('player-note'), this.player.said()
                || this.noted || (growing ? t('note_growing') : ''));
        setText(this.close, t('close'));
        this.actions.update(r);
        this.parts.forEach((part) => part.update(r));
    }

    sayGone() {
        const words = ['not_on_air', 'not_recorded', 'streamer_not_found',
                       'deleted'];
        const key = words.includes(this.gone) ? this.gone : 'unknown';

        setText(this.get('gone-title'), t('gone_' + key));
        setText(this.get('gone-why'), t('gone_' + key + '_why'));
        this.entitle(t('gone_' + key));
    }

    // a change that somebody wants, and what came of it

    async change(act) {
        try {
            await act();
            this.noted = '';
            await this.load(true);
        } catch (error) {
            this.noted = explain(error);
        }

        this.draw();
    }

    leave() {
        this.wanted = null;
        clearTimeout(this.retry);
        this.poll?.stop();
        this.player.stop();
    }
}
