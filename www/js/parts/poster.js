// <mnt-poster>: the image of a broadcast, 16 by 9; without one the first
// letter of its channel on a colour that is always the same.

import { element, setText } from '../dom.js';

const FRESH_MS = 10000;     // an image in progress is replaced in place


function hueOf(text) {
    let n = 0;

    for (const c of text) {
        n = (n * 31 + c.codePointAt(0)) % 9973;
    }

    return n * 137 % 360;       // neighbours are far from each other
}


export class Poster extends HTMLElement {
    constructor() {
        super();
        this.url = null;
        this.letter = element('span', { class: 'letter',
                                        'aria-hidden': 'true' });
        this.image = element('img', { alt: '', decoding: 'async',
                                      hidden: '' });
        this.append(this.letter, this.image);
    }

    // url is null when there is no image

    update(name, key, url) {
        setText(this.letter, [...name.trim()][0]?.toUpperCase() ?? '');
        this.style.setProperty('--hue', hueOf(key));

        const fresh = url && url + '?at='
                      + Math.floor(Date.now() / FRESH_MS);

        if (fresh !== this.url) {
            this.url = fresh;
            this.load(fresh);
        }
    }

    // the one before stays until the new one is there

    async load(url) {
        const next = new Image();

        if (!url) {
            this.image.hidden = true;
            return;
        }

        try {
            next.src = url;
            await next.decode();
        } catch {
            next.src = '';
        }

        if (this.url === url) {
            this.image.hidden = !next.src;

            if (next.src) {
                this.image.src = url;
            }
        }
    }
}

customElements.define('mnt-poster', Poster);
