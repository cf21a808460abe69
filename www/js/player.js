// One video element that plays a recording, also while it grows: from its
// beginning or at the live edge.  hls.js where it works, else the browser.

import { t } from './i18n.js';
import { setText } from './dom.js';
import { keepPosition, positionOf } from './positions.js';

const RETRY_MS = 3000;
const EDGE_S = 6;       // so far behind the end of a growing playlist
const EDGE = 3;         // segments behind its end, or of an own broadcast,
const EDGE_OWN = 2.5;   // whose segments are listed when they end
const EDGE_LEAST_S = 1.5;
const LAST = 4;         // as long as these are
const KEEP_MS = 3000;   // between two notes of the position
const SKIP_S = 10;

const KEYS = {
    ' ': 'toggle', k: 'toggle', j: 'back', l: 'ahead', ArrowLeft: 'back',
    ArrowRight: 'ahead', '<': 'slower', '>': 'faster', m: 'mute', f: 'full',
    Home: 'first', End: 'last',
};


export class Player {
    // closed() is called when somebody closes it

    constructor(section, closed) {
        const get = (id) => section.querySelector('#' + id);

        this.section = section;
        this.video = get('video');
        this.title = get('player-title');
        this.note = get('player-note');
        this.edge = get('player-live');
        this.speed = get('player-speed');
        this.kept = 0;              // when the position was noted
        this.closed = closed;
        this.recording = null;
        this.hls = null;
        this.timer = null;
        this.position = 0;          // to go on from when opened again
        this.mended = false;
        this.over = null;           // what was known when its end was seen
        this.message = null;

        get('player-start').addEventListener('click', () => this.seek(0));
        this.edge.addEventListener('click', () => this.seek(this.end()));
        get('player-close').addEventListener('click', () => {
            this.stop();
            this.closed();
        });

        this.speed.addEventListener('change', () => this.pace());
        document.addEventListener('keydown', (event) => this.key(event));

        this.video.addEventListener('timeupdate', () => {
            if (Date.now() - this.kept > KEEP_MS) {
                this.keep();
            }
        });
        this.video.addEventListener('pause', () => this.keep());
        this.video.addEventListener('ended', () => {
            if (this.recording) {
                keepPosition(this.recording.id, 0);
            }
        });
        window.addEventListener('pagehide', () => this.keep());

        this.video.addEventListener('playing', () => {
            if (this.message?.key !== 'note_over') {
                this.say(null);
            }
        });
        this.video.addEventListener('error', () => {
            if (!this.hls && this.video.error && this.recording) {
                this.say('note_failed', this.video.error.message);
            }
        });
    }

    // at its live edge when that is wanted and there is one, else from where it
    // was left, or from the beginning

    play(recording, edge = false) {
        const live = edge && recording.status === 'recording';

        if (this.recording?.id === recording.id) {
            this.update(recording);
            this.seek(live ? this.end() : 0);
            return;
        }

        this.stop();
        this.recording = recording;
        this.position = live ? -1 : positionOf(recording.id);
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

        const grew = this.recording.status === 'recording';
        const grows = recording.status === 'recording';

        this.recording = recording;

        if (grew && !grows) {
            this.say('note_over');

        } else if (!grew && grows) {
            this.say(null);
        }

        setText(this.title, (recording.channel_name || recording.channel_id)
                + ' · ' + (recording.title || t('untitled')));
        this.edge.hidden = recording.status !== 'recording';
        this.resume(recording);
        this.show();
    }

    // its playlist had an end and goes on: its publisher came back

    resume({ status, segments }) {
        const { video, over } = this;

        if (!over) {
            return;
        }

        if (over.segments === null) {
            over.segments = segments;

        } else if (status === 'recording' && segments > over.segments
                   && (video.ended || !video.paused))
        {
            this.position = video.currentTime;
            this.open();
        }
    }

    stop() {
        this.keep();
        clearTimeout(this.timer);
        this.hls?.destroy();
        this.hls = null;
        this.recording = null;
        this.position = 0;
        this.over = null;
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
        this.over = null;

        if (Hls?.isSupported()) {
            this.openHls(Hls);

        } else if (this.video.canPlayType('application/vnd.apple.mpegurl')) {
            this.video.src = this.recording.url
                             + (this.position > 0 ? '#t=' + this.position : '');
            this.start();

        } else {
            this.say('note_unsupported');
        }
    }

    openHls(Hls) {
        const { segments, duration } = this.recording;
        const hls = new Hls({
            startPosition: this.position,
            backBufferLength: 90,
            liveSyncDuration: this.behind(segments ? duration / segments : 2),
        });

        this.hls = hls;
        hls.on(Hls.Events.MANIFEST_PARSED, () => this.start());

        if (this.position < 0) {
            hls.once(Hls.Events.LEVEL_LOADED, (event, { details }) => {
                this.begin(hls, details);
            });
        }

        hls.on(Hls.Events.ERROR, (event, error) => {
            if (hls === this.hls && error.fatal) {
                this.failed(Hls, error);
            }
        });
        hls.on(Hls.Events.LEVEL_UPDATED, (event, { details }) => {
            if (hls !== this.hls) {
                return;
            }

            const now = this.behind(Math.max(...details.fragments.slice(-LAST)
                .map((fragment) => fragment.duration)));

            // telling it forgets for how long it had to wait

            if (details.live && now !== hls.config.liveSyncDuration) {
                hls.targetLatency = now;
            }

            this.over = details.live ? null : this.over ?? { segments: null };
        });
        hls.loadSource(this.recording.url);
        hls.attachMedia(this.video);
    }

    // At the live edge of a broadcast that was interrupted a moment ago: what
    // is sent now comes first, not the end of what was sent before.

    begin(hls, details) {
        const last = details.fragments.at(-1);
        const first = details.fragments.find((f) => f.cc === last?.cc);

        if (first?.cc > 0 && details.live
            && first.start > details.edge - 3 * details.targetduration)
        {
            hls.startLoad(first.start);
        }
    }

    // The target duration says how long the longest segment ever was: one at
    // the beginning would keep all who watch the live edge behind it.

    behind(segment) {
        const n = this.recording.platform === 'rtmp' ? EDGE_OWN : EDGE;

        return Math.max(EDGE_LEAST_S, n * Math.round(segment * 2) / 2);
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
        this.pace();

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

    keep() {
        const { currentTime, duration, ended } = this.video;

        if (!this.recording || ended || !(currentTime > 0)) {
            return;
        }

        this.kept = Date.now();
        keepPosition(this.recording.id,
                     this.recording.status !== 'recording'
                     && duration - currentTime < EDGE_S ? 0 : currentTime);
    }

    // a new source begins with the default rate

    pace() {
        const rate = Number(this.speed.value);

        this.video.defaultPlaybackRate = rate;
        this.video.playbackRate = rate;
    }

    // by one of the choices

    change(step) {
        const n = this.speed.selectedIndex + step;

        if (n >= 0 && n < this.speed.options.length) {
            this.speed.selectedIndex = n;
            this.pace();
        }
    }

    key(event) {
        const video = this.video;
        const todo = KEYS[event.key];
        const actions = {
            toggle: () => (video.paused ? this.start() : video.pause()),
            back: () => this.seek(Math.max(0, video.currentTime - SKIP_S)),
            ahead: () => this.seek(Math.min(this.end(),
                                            video.currentTime + SKIP_S)),
            slower: () => this.change(-1),
            faster: () => this.change(1),
            mute: () => { video.muted = !video.muted; },
            full: () => (document.fullscreenElement
                         ? document.exitFullscreen()
                         : video.requestFullscreen().catch(() => {})),
            first: () => this.seek(0),
            last: () => this.seek(this.end()),
        };

        // what somebody types or chooses is not meant for the player

        if (!this.recording || !todo || event.ctrlKey || event.altKey
            || event.metaKey || event.target.closest('input, textarea, select')
            || (event.key === ' ' && event.target.closest('button, a')))
        {
            return;
        }

        event.preventDefault();
        actions[todo]();
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
