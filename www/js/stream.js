// What a video element plays: a recording, also while it grows, from its
// beginning or at the live edge.  hls.js where it works, else the browser.
// Knows nothing of buttons: it tells "say" when there is something to be said,
// "levels" when there are other qualities, "muted" when it had to be.

import { loadHls } from './hls.js';

const RETRY_MS = 3000;
const EDGE_S = 6;       // so far behind the end of a growing playlist
const EDGE = 3;         // segments behind its end, or of an own broadcast,
const EDGE_OWN = 2.5;   // whose segments are listed when they end
const EDGE_LEAST_S = 1.5;
const LAST = 4;         // as long as these are


export class Stream extends EventTarget {
    constructor(video) {
        super();
        this.video = video;
        this.recording = null;
        this.hls = null;
        this.timer = null;
        this.position = 0;          // to go on from when opened again
        this.rate = 1;
        this.mended = false;
        this.over = null;           // what was known when its end was seen
        this.message = null;
        this.reloading = false;
        this.held = false;          // it waits, and does when loaded again

        video.addEventListener('playing', () => {
            if (this.message?.key !== 'note_over') {
                this.say(null);
            }
        });
        video.addEventListener('error', () => {
            if (!this.hls && video.error && this.recording) {
                this.say('note_failed', video.error.message);
            }
        });
    }

    // position is -1 at the live edge

    play(recording, position) {
        this.stop();
        this.recording = recording;
        this.position = position;
        this.open();
    }

    // newer facts of what is being played

    update(recording) {
        const grew = this.recording.status === 'recording';
        const grows = recording.status === 'recording';
        const begins = !this.recording.url && recording.url;

        this.recording = recording;

        if (grew && !grows) {
            this.say('note_over');

        } else if (!grew && grows) {
            this.say(null);
        }

        if (begins) {
            this.open();
        } else {
            this.resume(recording);
        }
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
        clearTimeout(this.timer);
        this.hls?.destroy();
        this.hls = null;
        this.recording = null;
        this.position = 0;
        this.over = null;
        this.message = null;
        this.reloading = false;
        this.held = false;
        this.video.removeAttribute('src');
        this.video.load();
    }

    // its playlist is another one: shown from there, waiting if it waited

    reload(position) {
        if (!this.reloading) {
            this.held = this.video.paused && !this.video.ended;
            this.reloading = true;
        }

        this.position = position;
        this.open();
    }

    async open() {
        const { recording, video } = this;

        clearTimeout(this.timer);
        this.hls?.destroy();
        this.hls = null;
        this.over = null;

        // it has just begun, or ended before there was anything

        if (!recording.url) {
            this.say(recording.status === 'recording' ? 'note_waiting'
                                                      : 'note_empty');
            return;
        }

        const Hls = await loadHls();

        if (this.recording?.id !== recording.id || this.hls) {
            return;             // meanwhile it was stopped, or opened again
        }

        if (Hls?.isSupported()) {
            this.openHls(Hls);

        } else if (video.canPlayType('application/vnd.apple.mpegurl')) {
            video.src = recording.url
                        + (this.position > 0 ? '#t=' + this.position : '');
            video.addEventListener('loadedmetadata', () => {
                if (this.position < 0) {
                    video.currentTime = this.end();
                }
            }, { once: true });
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
        const on = (event, act) => hls.on(Hls.Events[event], (name, data) => {
            if (hls === this.hls) {
                act(data);
            }
        });

        this.hls = hls;
        on('MANIFEST_PARSED', () => {
            this.start();
            this.tell('levels');
        });
        on('LEVEL_SWITCHED', () => this.tell('levels'));

        if (this.position < 0) {
            hls.once(Hls.Events.LEVEL_LOADED, (event, { details }) => {
                this.begin(hls, details);
            });
        }

        on('ERROR', (error) => {
            if (error.fatal) {
                this.failed(Hls, error);
            }
        });
        on('LEVEL_UPDATED', ({ details }) => this.updated(hls, details));
        hls.loadSource(this.recording.url);
        hls.attachMedia(this.video);
    }

    updated(hls, details) {
        const now = this.behind(Math.max(...details.fragments.slice(-LAST)
            .map((fragment) => fragment.duration)));

        // telling it forgets for how long it had to wait

        if (details.live && now !== hls.config.liveSyncDuration) {
            hls.targetLatency = now;
        }

        this.over = details.live ? null : this.over ?? { segments: null };
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
        this.pace(this.rate);
        this.reloading = false;

        if (this.held) {
            this.held = false;
            return;
        }

        // without a click on this page browsers may want it muted

        this.video.play().catch((error) => {
            if (error.name === 'NotAllowedError') {
                this.video.muted = true;
                this.tell('muted');
                this.video.play().catch(() => {});
            }
        });
    }

    // where the live edge is, or the end

    end() {
        const ranges = this.video.seekable;
        const end = ranges.length ? ranges.end(ranges.length - 1) : 0;

        return Math.max(0, this.hls?.liveSyncPosition ?? end - EDGE_S);
    }

    // all of it that can be played

    get length() {
        const { duration, seekable } = this.video;

        return Number.isFinite(duration) ? duration
               : seekable.length ? seekable.end(seekable.length - 1) : 0;
    }

    seek(seconds) {
        this.video.currentTime = seconds;
        this.start();
    }

    // a new source begins with the default rate

    pace(rate) {
        this.rate = rate;
        this.video.defaultPlaybackRate = rate;
        this.video.playbackRate = rate;
    }

    // pictures of other sizes: [{ level, height, rate }], the best first

    get levels() {
        return (this.hls?.levels ?? [])
            .map(({ height, bitrate }, level) => ({ level, height, bitrate }))
            .sort((a, b) => b.height - a.height || b.bitrate - a.bitrate);
    }

    // -1 chooses by itself

    choose(level) {
        if (this.hls) {
            this.hls.nextLevel = level;
        }
    }

    get shown() {
        return this.hls?.currentLevel ?? -1;
    }

    say(key, why = '') {
        this.message = key && { key, why };
        this.tell('say');
    }

    tell(what) {
        this.dispatchEvent(new Event(what));
    }
}
