// <mnt-seek-bar>: where in a recording one is, what is loaded, and where
// something is missing and why.  A range input does the work: keys, fingers
// and screen readers know it; what is seen lies below it.

import { element, setText } from '../dom.js';
import * as format from '../format.js';
import { count, t } from '../i18n.js';

const NEAR_PX = 8;          // so near to a gap its reason is told
const MARKS = 400;          // more cannot be told apart


export class SeekBar extends HTMLElement {
    // seek(seconds) is wanted by somebody

    constructor(seek) {
        super();
        this.length = 0;
        this.gaps = [];
        this.span = null;
        this.dragged = false;
        this.range = element('input', { type: 'range', min: '0', max: '0',
                                        step: '1', value: '0',
                                        id: 'player-seek' });
        this.marks = element('span', { class: 'marks',
                                       'aria-hidden': 'true' });
        this.bubble = element('span', { class: 'bubble',
                                        'aria-hidden': 'true', hidden: '' });
        this.chosen = element('span', { class: 'chosen', hidden: '',
                                        'aria-hidden': 'true' });
        this.append(element('span', { class: 'track' }), this.marks,
                    this.chosen,
                    this.range, this.bubble);

        this.range.addEventListener('input', () => {
            this.dragged = true;
            this.paint(Number(this.range.value));
        });
        this.range.addEventListener('change', () => {
            this.dragged = false;
            seek(Number(this.range.value));
        });
        this.addEventListener('pointermove', (event) => this.point(event));
        this.addEventListener('pointerleave', () => {
            this.bubble.hidden = true;
        });
    }

    again() {
        this.range.setAttribute('aria-label', t('seek'));
        this.paint(Number(this.range.value));
    }

    update(time, length, loaded) {
        if (length !== this.length) {
            this.length = length;
            this.range.max = Math.max(1, length);
            this.place();
        }

        this.style.setProperty('--loaded', this.part(loaded));

        if (!this.dragged) {
            this.range.value = time;
            this.paint(time);
        }
    }

    // [{ at, lost, reason }]

    mark(gaps) {
        this.gaps = gaps;
        this.place();
    }

    // { from, to, reversed: it ends first }, or null

    select(span) {
        this.span = span;
        this.place();
    }

    part(seconds) {
        return this.length > 0
               ? Math.min(1, Math.max(0, seconds / this.length)) : 0;
    }

    paint(time) {
        const words = t('seek_at', {
            time: format.position(time), length: format.position(this.length),
        });

        this.style.setProperty('--played', this.part(time));

        // not with each frame: it would be read out

        if (this.words !== words) {
            this.words = words;
            this.range.setAttribute('aria-valuetext', words);
        }
    }

    // one mark for those that would lie upon each other

    place() {
        const { span } = this;

        this.chosen.hidden = !span || !this.length;

        if (span) {
            this.chosen.classList.toggle('reversed', span.reversed);
            this.chosen.style.setProperty('--from', this.part(
                Math.min(span.from, span.to)));
            this.chosen.style.setProperty('--to', this.part(
                Math.max(span.from, span.to)));
        }

        const places = new Set(this.gaps.map(
            (gap) => Math.round(this.part(gap.at) * MARKS) / MARKS));

        if (!this.length) {
            places.clear();
        }

        this.marks.replaceChildren(...[...places].map((part) => {
            const e = element('span', { class: 'gap' });

            e.style.setProperty('--at', part);
            return e;
        }));
    }

    point({ clientX }) {
        const { left, width } = this.getBoundingClientRect();
        const part = Math.min(1, Math.max(0, (clientX - left) / width));
        const at = part * this.length;
        const near = NEAR_PX / width * this.length;
        const gap = this.gaps.filter((one) => Math.abs(one.at - at) <= near)
            .sort((a, b) => Math.abs(a.at - at) - Math.abs(b.at - at))[0];

        this.bubble.hidden = !this.length;
        this.bubble.classList.toggle('warn', Boolean(gap));
        this.style.setProperty('--pointed', part);
        setText(this.bubble, gap ? wordsOf(gap) : format.position(at));
    }
}

customElements.define('mnt-seek-bar', SeekBar);


// what is missing, from when, and why

export function wordsOf({ at, lost, reason }) {
    return t('gap_words', {
        time: format.position(at), seconds: format.seconds(lost),
        why: t('gap_' + reason),
    });
}


// Each track tells its own gaps: what begins at the same time for the same
// reason is one for who watches.

export function together(list) {
    const gaps = [];

    for (const { at, lost, reason } of [...list].sort((a, b) => a.at - b.at)) {
        const last = gaps.findLast((gap) => gap.reason === reason);

        if (last && at - last.at < 1) {
            last.lost = Math.max(last.lost, lost);
        } else {
            gaps.push({ at, lost, reason });
        }
    }

    return gaps;
}


export function summary(gaps) {
    return count('gaps', gaps.length, {
        seconds: format.seconds(gaps.reduce((n, gap) => n + gap.lost, 0)),
    });
}
