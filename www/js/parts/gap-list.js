// <mnt-gap-list>: what is missing of a recording, in words.  A part of the
// watch page: see pages/watch.js for what a part is.

import { shownAt } from '../cuts.js';
import { button, element, setText } from '../dom.js';
import { t } from '../i18n.js';
import { summary, together, wordsOf } from './seek-bar.js';

const MOST = 200;           // of more nobody reads


export class GapList extends HTMLElement {
    constructor({ player }) {
        super();
        this.player = player;
        this.gaps = [];
        this.summary = element('summary');
        this.list = element('ol');
        this.append(element('details', {}, this.summary, this.list));
    }

    update(recording) {
        const { cuts = [], gap_list: list = [] } = recording;
        const gaps = together(list)
            .map((gap) => ({ ...gap, at: shownAt(cuts, gap.at) }))
            .filter((gap) => gap.at !== null);

        if (JSON.stringify(gaps) !== JSON.stringify(this.gaps)) {
            this.gaps = gaps;
            this.player.mark(gaps);
        }

        this.again();
    }

    again() {
        const gaps = this.gaps.slice(0, MOST);

        this.hidden = !gaps.length;
        setText(this.summary, summary(this.gaps));

        while (this.list.children.length > gaps.length) {
            this.list.lastChild.remove();
        }

        gaps.forEach((gap, i) => {
            let go = this.list.children[i]?.firstChild;

            if (!go) {
                go = button('gap-at');
                go.addEventListener('click', () => {
                    this.player.seek(Math.max(0, this.gaps[i].at - 3));
                });
                this.list.append(element('li', {}, go));
            }

            setText(go, wordsOf(gap));
        });
    }
}

customElements.define('mnt-gap-list', GapList);
