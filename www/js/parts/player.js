// <mnt-player>: a picture with its controls and keys.  What others may use of
// it: play(), update(), stop(), seek(), step(), frame(), reload(), mark(),
// select(), chosen(), bind(), time, length and the event "say", when there is something
// to be said (said()).

import { button, element, setLabel, setText } from '../dom.js';
import * as format from '../format.js';
import { draw, icon } from '../icons.js';
import { t } from '../i18n.js';
import { keepPosition, positionOf } from '../positions.js';
import { Stream } from '../stream.js';
import { KeyHelp } from './key-help.js';
import { SeekBar } from './seek-bar.js';

const END_S = 6;        // so near to its end it was seen
const KEEP_MS = 3000;   // between two notes of the position
const SKIP_S = 10;
const AT_EDGE_S = 4;    // so far behind the edge is at it
const IDLE_MS = 3000;   // then controls over a full screen go
const FRAME_S = 1 / 30; // unless it was seen how long a picture is shown

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];

const KEYS = {
    ' ': 'toggle', k: 'toggle', j: 'back', l: 'ahead', ArrowLeft: 'back',
    ArrowRight: 'ahead', '<': 'slower', '>': 'faster', m: 'mute', f: 'full',
    p: 'pip', '?': 'help', Home: 'first', End: 'last',
};


export class Player extends HTMLElement {
    constructor() {
        super();
        this.recording = null;
        this.kept = 0;              // when the position was noted
        this.bound = {};            // keys of others, and what they do
        this.picture_ = null;       // the time of the picture that is shown
        this.chosen_ = null;
        this.frame_ = 0;            // for how long one is
        this.video = element('video', { id: 'video', playsinline: '' });
        this.stream = new Stream(this.video);
        this.help = new KeyHelp();
        this.build();
        this.listen();
        this.again();
    }

    build() {
        this.bar = new SeekBar((seconds) => this.seek(seconds));
        this.toggle = button('toggle', icon('play'));
        this.first = button('first', icon('first'));
        this.back = button('back', icon('back'));
        this.ahead = button('ahead', icon('ahead'));
        this.mute = button('mute', icon('loud'));
        this.loud = element('input', { type: 'range', min: '0', max: '1',
                                       step: '0.05', class: 'loud' });
        this.clock = element('span', { class: 'clock' });
        this.edge = button('edge');
        this.speed = element('select', { id: 'player-speed' },
            ...SPEEDS.map((rate) => element('option', { value: String(rate) },
                                            rate + '×')));
        this.quality = element('select', { id: 'player-quality' });
        this.keys = button('help', icon('keys'));
        this.pip = button('pip', icon('pip'));
        this.full = button('full', icon('full'));
        this.unmute = button('unmute primary');
        this.big = button('big', icon('play'));

        this.edge.id = 'player-live';
        this.first.id = 'player-start';
        this.speed.value = '1';
        this.pip.hidden = !document.pictureInPictureEnabled;
        this.full.hidden = !document.fullscreenEnabled
                           && !this.video.webkitEnterFullscreen;

        this.append(
            element('div', { class: 'stage' }, this.video, this.big,
                    this.unmute),
            element('div', { class: 'controls', role: 'group' }, this.bar,
                element('div', { class: 'line' },
                    this.toggle, this.first, this.back, this.ahead,
                    this.mute, this.loud, this.clock,
                    element('span', { class: 'space' }),
                    this.edge, this.speed, this.quality, this.keys,
                    this.pip, this.full)),
            this.help);
    }

    listen() {
        const { video, stream } = this;
        const on = (e, events, act) => {
            for (const event of events.split(' ')) {
                e.addEventListener(event, act);
            }
        };
        const click = (e, act) => e.addEventListener('click', act);

        click(this.toggle, () => this.act('toggle'));
        click(this.big, () => this.act('toggle'));
        click(video, () => this.act('toggle'));
        click(this.first, () => this.act('first'));
        click(this.back, () => this.act('back'));
        click(this.ahead, () => this.act('ahead'));
        click(this.mute, () => this.act('mute'));
        click(this.edge, () => this.act('last'));
        click(this.keys, () => this.act('help'));
        click(this.pip, () => this.act('pip'));
        click(this.full, () => this.act('full'));
        click(this.unmute, () => { video.muted = false; });

        on(this.loud, 'input', () => {
            video.muted = false;
            video.volume = Number(this.loud.value);
        });
        on(this.speed, 'change', () => stream.pace(Number(this.speed.value)));
        on(this.quality, 'change', () => stream.choose(
            Number(this.quality.value)));

        on(video, 'timeupdate durationchange progress seeked', () =>
            this.tick());
        on(video, 'play pause ended playing volumechange', () => this.show());
        on(video, 'pause', () => this.keep());
        on(video, 'ended', () => {
            if (this.recording) {
                keepPosition(this.recording.id, 0);
            }
        });
        on(stream, 'levels', () => this.choices());
        on(stream, 'muted', () => { this.unmute.hidden = false; });
        on(stream, 'say', () => this.dispatchEvent(new Event('say')));
        on(this, 'pointermove pointerdown keydown', () => this.awake());

        this.look();
        this.onKey = (event) => this.key(event);
        this.onHide = () => this.keep();
    }

    connectedCallback() {
        document.addEventListener('keydown', this.onKey);
        window.addEventListener('pagehide', this.onHide);
    }

    disconnectedCallback() {
        this.stop();
        document.removeEventListener('keydown', this.onKey);
        window.removeEventListener('pagehide', this.onHide);
    }

    // at its live edge when that is wanted and there is one, else from where
    // it was left, or from the beginning

    play(recording, edge = false) {
        const live = edge && recording.status === 'recording';

        if (this.recording?.id === recording.id) {
            this.update(recording);
            this.seek(live ? this.stream.end() : 0);
            return;
        }

        this.keep();
        this.recording = recording;
        this.unmute.hidden = true;
        this.frame_ = 0;
        this.picture_ = null;
        this.bar.mark([]);
        this.select(null);
        this.stream.play(recording, live ? -1 : positionOf(recording.id));
        this.announce(recording);
        this.show();
    }

    update(recording) {
        if (this.recording?.id === recording.id) {
            if (recording.title !== this.recording.title) {
                this.announce(recording);
            }

            this.recording = recording;
            this.stream.update(recording);
            this.show();
        }
    }

    // what a phone shows on its lock screen

    announce({ title, channel_name: artist, channel_id: id }) {
        if ('mediaSession' in navigator) {
            navigator.mediaSession.metadata = new MediaMetadata({
                title: title || t('untitled'), artist: artist || id,
            });
        }
    }

    stop() {
        this.keep();
        this.recording = null;
        this.stream.stop();
    }

    seek(seconds) {
        this.stream.seek(seconds);
    }

    // to a picture, to look at it

    step(seconds) {
        this.video.pause();
        this.video.currentTime = Math.min(this.length, Math.max(0, seconds));
    }

    // so many pictures ahead or back: to the middle of the time of that one

    frame(n) {
        const frame = this.frame_ || FRAME_S;
        const now = this.picture_ === null ? this.time
                    : this.picture_ + frame / 2;

        this.step(now + n * frame);
    }

    // Where pictures begin is told for each that is shown.  Some may be left
    // out: the least time between two counts.

    look() {
        this.video.requestVideoFrameCallback?.((now, { mediaTime }) => {
            const passed = mediaTime - this.picture_;

            if (this.picture_ !== null && passed > 1 / 250 && passed < 1) {
                this.frame_ = Math.min(this.frame_ || 1, passed);
            }

            this.picture_ = mediaTime;
            this.look();
        });
    }

    // what is shown is another text of the same recording

    reload(seconds) {
        this.picture_ = null;
        this.stream.reload(seconds);
    }

    // A span that somebody chose, { from, to, reversed }, or null; chosen()
    // gives what is meant by it in the whole, { begin, end }, and the event
    // "chosen" says that it is another.

    select(span, chosen = null) {
        const other = JSON.stringify(chosen) !== JSON.stringify(this.chosen_);

        this.chosen_ = chosen;
        this.bar.select(span);

        if (other) {
            this.dispatchEvent(new Event('chosen'));
        }
    }

    chosen() {
        return this.chosen_;
    }

    // keys of others: { key: () => ... }

    bind(keys) {
        Object.assign(this.bound, keys);
    }

    // what is missing: [{ at, lost, reason }]

    mark(gaps) {
        this.bar.mark(gaps);
    }

    get time() {
        return this.video.currentTime;
    }

    get length() {
        return this.stream.length;
    }

    said() {
        const { message } = this.stream;

        return message ? t(message.key, { why: message.why }) : '';
    }

    keep() {
        const { currentTime, duration, ended } = this.video;

        if (!this.recording || ended || !(currentTime > 0)) {
            return;
        }

        this.kept = Date.now();
        keepPosition(this.recording.id,
                     this.recording.status !== 'recording'
                     && duration - currentTime < END_S ? 0 : currentTime);
    }

    // what moves while it plays

    tick() {
        const { buffered, currentTime, paused } = this.video;
        let loaded = 0;

        for (let i = 0; i < buffered.length; i++) {
            if (buffered.start(i) <= currentTime + 0.5) {
                loaded = Math.max(loaded, buffered.end(i));
            }
        }

        this.bar.update(currentTime, this.length, loaded);
        setText(this.clock, format.position(currentTime) + ' / '
                + format.position(this.length));
        this.liveness();

        if (!paused && Date.now() - this.kept > KEEP_MS) {
            this.keep();
        }
    }

    // at the live edge, or how far behind it

    liveness() {
        const live = this.recording?.status === 'recording';
        const behind = Math.max(0, this.stream.end()
                                   - this.video.currentTime);
        const at = behind < AT_EDGE_S;

        this.edge.hidden = !live;
        this.edge.setAttribute('aria-pressed', String(at));
        setText(this.edge, at ? t('live_edge')
                : '−' + format.position(behind));
        setLabel(this.edge, t(at ? 'live_edge_at' : 'live_edge_to'));
    }

    // what stands on buttons

    show() {
        const { ended, muted, paused, volume } = this.video;
        const state = ended ? 'again' : paused ? 'play' : 'pause';

        draw(this.toggle.firstChild, state);
        setLabel(this.toggle, t('control_' + state));
        draw(this.big.firstChild, ended ? 'again' : 'play');
        setLabel(this.big, t('control_' + state));
        this.big.hidden = !paused || !this.recording;
        draw(this.mute.firstChild, muted || !volume ? 'mute' : 'loud');
        setLabel(this.mute, t(muted ? 'control_unmute' : 'control_mute'));
        this.loud.value = String(muted ? 0 : volume);
        this.unmute.hidden ||= !muted;
        this.tick();
    }

    again() {
        const names = { first: 'from_start', back: 'key_back',
                        ahead: 'key_ahead', loud: 'volume', speed: 'speed',
                        quality: 'picture', keys: 'keys', pip: 'key_pip',
                        full: 'key_full' };

        for (const [name, key] of Object.entries(names)) {
            setLabel(this[name], t(key));
        }

        this.querySelector('.controls').setAttribute('aria-label',
                                                     t('controls'));
        setText(this.unmute, t('control_unmute'));
        this.bar.again();
        this.help.again();
        this.choices();
        this.show();
    }

    // the qualities, and which of them is shown when none was chosen

    choices() {
        const { levels, shown } = this.stream;
        const now = levels.find(({ level }) => level === shown);
        const size = ({ height, bitrate }) => height
              ? height + 'p' : Math.round(bitrate / 1000) + 'k';
        const words = [[-1, now ? t('auto_now', { size: size(now) })
                                : t('auto')],
                       ...levels.map((one) => [one.level, size(one)])];
        const chosen = this.quality.value || '-1';

        this.quality.hidden = levels.length < 2;

        if (this.quality.options.length !== words.length) {
            this.quality.replaceChildren(...words.map(
                () => element('option')));
        }

        words.forEach(([level, text], i) => {
            this.quality.options[i].value = String(level);
            setText(this.quality.options[i], text);
        });

        this.quality.value = words.some(([level]) => String(level) === chosen)
                             ? chosen : '-1';
    }

    // by one of the choices

    faster(step) {
        const n = this.speed.selectedIndex + step;

        if (n >= 0 && n < this.speed.options.length) {
            this.speed.selectedIndex = n;
            this.stream.pace(Number(this.speed.value));
        }
    }

    act(what) {
        const { stream, video } = this;
        const actions = {
            toggle: () => (video.paused ? stream.start() : video.pause()),
            back: () => this.seek(Math.max(0, video.currentTime - SKIP_S)),
            ahead: () => this.seek(Math.min(stream.end(),
                                            video.currentTime + SKIP_S)),
            slower: () => this.faster(-1),
            faster: () => this.faster(1),
            mute: () => { video.muted = !video.muted; },
            full: () => this.fullscreen(),
            pip: () => this.picture(),
            help: () => this.help.open(),
            first: () => this.seek(0),
            last: () => this.seek(stream.end()),
        };

        actions[what]();
    }

    key(event) {
        const todo = KEYS[event.key];
        const bound = this.bound[event.key];
        const { target } = event;
        const typed = target.closest('input, textarea, select, dialog');

        // what somebody types or chooses is not meant for the player

        if (!this.recording || !(todo || bound) || event.ctrlKey || event.altKey
            || event.metaKey || (typed && typed !== this.bar.range)
            || (event.key === ' ' && target.closest('button, a, summary')))
        {
            return;
        }

        event.preventDefault();

        if (todo) {
            this.act(todo);
        } else {
            bound();
        }
    }

    // with our controls; a phone that has none for elements has its own

    fullscreen() {
        if (document.fullscreenElement) {
            document.exitFullscreen();
        } else if (this.requestFullscreen) {
            this.requestFullscreen().catch(() => {});
        } else {
            this.video.webkitEnterFullscreen?.();
        }
    }

    picture() {
        if (document.pictureInPictureElement) {
            document.exitPictureInPicture();
        } else if (document.pictureInPictureEnabled) {
            this.video.requestPictureInPicture().catch(() => {});
        }
    }

    awake() {
        clearTimeout(this.sleeping);
        this.classList.remove('idle');
        this.sleeping = setTimeout(() => {
            this.classList.toggle('idle', !this.video.paused);
        }, IDLE_MS);
    }
}

customElements.define('mnt-player', Player);
