// One video element that plays a recording, also while it grows: from its
// beginning or at the live edge.  hls.js where it works, else the browser.

import { t } from './i18n.js';
import { setText } from './dom.js';

const RETRY_MS = 3000;
const EDGE_S = 6;       // so far behind the end of a growing playlist


export class Player {
    // closed() is called when somebody closes it

    constructor(section, closed) {
        const get = (id) => section.querySelector('#' + id);

        this.section = section;
        this.video = get('video');
        this.title = get('player-title');
        this.note = get('player-note');
        this.edge = get('player-live');
        this.closed = closed;
        this.recording = null;
        this.hls = null;
        this.timer = null;
        this.position = 0;          // to go on from when opened again
        this.mended = false;
        this.message = null;

        get('player-start').addEventListener('click', () => this.seek(0));
        this.edge.addEventListener('click', () => this.seek(this.end()));
        get('player-close').addEventListener('click', () => {
            this.stop();
            this.closed();
        });

        this.video.addEventListener('playing', () => this.say(null));
        this.video.addEventListener('error', () => {
            if (!this.hls && this.video.error && this.recording) {
                this.say('note_failed', this.video.error.message);
            }
        });
    }

    // at its live edge when that is wanted and there is one, else from the
    // beginning

    play(recording, edge = false) {
        const live = edge && recording.status === 'recording';

        if (this.recording?.id === recording.id) {
            this.update(recording);
            this.seek(live ? this.end() : 0);
            return;
        }

        this.stop();
        this.recording = recording;
        this.position = live ? -1 : 0;
        this.section.hidden = false;
        this.update(recording);
        this.open();
        this.section.scrollIntoView({ block: 'nearest' });
    }

    // newer facts of what is being played

    update(recording) {
        if (this.recording?.id !== recording.id) {
            return;
        }

        this.recording = recording;
        setText(this.title, (recording.channel_name || recording.channel_id)
                + ' · ' + (recording.title || t('untitled')));
        this.edge.hidden = recording.status !== 'recording';
        this.show();
    }

    stop() {
        clearTimeout(this.timer);
        this.hls?.destroy();
        this.hls = null;
        this.recording = null;
        this.position = 0;
        this.message = null;
        this.section.hidden = true;
        this.video.removeAttribute('src');
        this.video.load();
    }

    open() {
        const Hls = window.Hls;

        clearTimeout(this.timer);
        this.hls?.destroy();
        this.hls = null;

        if (Hls?.isSupported()) {
            this.openHls(Hls);

        } else if (this.video.canPlayType('application/vnd.apple.mpegurl')) {
            this.video.src = this.recording.url;
            this.start();

        } else {
            this.say('note_unsupported');
        }
    }

    openHls(Hls) {
        const hls = new Hls({
            startPosition: this.position,
            backBufferLength: 90,
        });

        this.hls = hls;
        hls.on(Hls.Events.MANIFEST_PARSED, () => this.start());
        hls.on(Hls.Events.ERROR, (event, error) => {
            if (hls === this.hls && error.fatal) {
                this.failed(Hls, error);
            }
        });
        hls.loadSource(this.recording.url);
        hls.attachMedia(this.video);
    }

    // a recording that has just begun has no playlist, or an empty one

    failed(Hls, error) {
        const growing = this.recording.status === 'recording';
        const status = error.response?.code ?? 0;

        if (error.type === Hls.ErrorTypes.MEDIA_ERROR && !this.mended) {
            this.mended = true;
            setTimeout(() => { this.mended = false; }, RETRY_MS);
            this.hls.recoverMediaError();
            return;
        }

        if (growing) {
            this.position = this.video.currentTime;
            this.say('note_waiting');
            this.timer = setTimeout(() => this.open(), RETRY_MS);

        } else if (status === 404 || status === 410) {
            this.say('note_gone');

        } else {
            this.say('note_failed', error.details
                     + (status ? ' (' + status + ')' : ''));
        }
    }

    start() {
        // without a click on this page browsers may want it muted

        this.video.play().catch((error) => {
            if (error.name === 'NotAllowedError') {
                this.video.muted = true;
                this.video.play().catch(() => {});
            }
        });
    }

    end() {
        const ranges = this.video.seekable;
        const end = ranges.length ? ranges.end(ranges.length - 1) : 0;

        return Math.max(0, this.hls?.liveSyncPosition ?? end - EDGE_S);
    }

    seek(seconds) {
        this.video.currentTime = seconds;
        this.start();
    }

    say(key, why = '') {
        this.message = key && { key, why };
        this.show();
    }

    show() {
        if (this.message) {
            setText(this.note, t(this.message.key, { why: this.message.why }));
        } else {
            setText(this.note, this.recording?.status === 'recording'
                    ? t('note_growing') : '');
        }
    }
}
