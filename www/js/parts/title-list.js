// <mnt-title-list>: what a broadcast was called, and since when; a part of the
// watch page.  One that was called the same all the time has none.

import { button, element, setText } from '../dom.js';
import * as format from '../format.js';
import { t } from '../i18n.js';


export class TitleList extends HTMLElement {
    constructor({ player }) {
        super();
        this.player = player;
        this.shown = '';
        this.summary = element('summary');
        this.list = element('ol');
        this.append(element('details', {}, this.summary, this.list));
    }

    again() {
        this.shown = '';
    }

    // titles are noticed at a time of day; what is missing came between

    update({ title_history: history = [], started_at: began, duration }) {
        const titles = history.map(({ at, title, category }) => ({
            at: Math.min(duration, Math.max(0, (Date.parse(at)
                                                - Date.parse(began)) / 1000)),
            words: [title || t('untitled'), category].filter(Boolean)
                .join(' · '),
        }));
        const shown = JSON.stringify(titles);

        this.hidden = titles.length < 2;
        setText(this.summary, t('titles_had'));

        if (shown === this.shown) {
            return;
        }

        this.shown = shown;
        this.list.replaceChildren(...titles.map(({ at, words }) => {
            const go = button('title-at',
                element('span', { class: 'when' }, format.position(at)),
                element('bdi', {}, words));

            go.addEventListener('click', () => this.player.seek(at));
            return element('li', {}, go);
        }));
    }
}

customElements.define('mnt-title-list', TitleList);
