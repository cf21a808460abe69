// <mnt-recording-row>: a recording, over or in progress.

import { element, setText } from '../dom.js';
import * as format from '../format.js';
import { icon } from '../icons.js';
import { count, t } from '../i18n.js';
import { Poster } from './poster.js';
import { RecordingActions } from './recording-actions.js';


export class RecordingRow extends HTMLElement {
    // act has change(recording, fields) and remove(recording)

    constructor(act) {
        super();
        this.poster = new Poster();
        this.actions = new RecordingActions(act);
        this.state = element('span', { class: 'state' });
        this.length = element('span', { class: 'duration' });
        this.link = element('a', { class: 'play', dir: 'auto' });
        this.name = element('h3', { dir: 'auto' });
        this.facts = Object.fromEntries(
            ['time', 'category', 'size', 'viewers'].map(
                (name) => [name, element('span', { class: name })]));
        this.gapWords = element('span');
        this.gaps = element('span', { class: 'gaps' }, icon('gap'),
                            this.gapWords);

        this.append(
            element('div', { class: 'picture' }, this.poster, this.state,
                    this.length),
            element('div', { class: 'words' },
                element('p', { class: 'title' }, this.link),
                this.name,
                element('p', { class: 'facts' },
                        ...Object.values(this.facts), this.gaps)),
            this.actions);
    }

    update(item) {
        const name = item.channel_name || item.channel_id;
        const title = item.title || t('untitled');
        const growing = item.status === 'recording';
        const { time, category, size, viewers } = this.facts;

        this.poster.update(name, item.channel_id, item.thumbnail);
        setText(this.state, growing ? t('state_recording') : '');
        this.state.classList.toggle('on-air', growing);
        setText(this.length, format.position(item.duration));
        setText(this.name, name);
        setText(this.link, title);
        setText(time, format.time(item.started_at));
        setText(category, item.category || '');
        setText(size, format.bytes(item.bytes));
        setText(viewers, item.watching ? count('watching', item.watching)
                                       : '');
        setText(this.gapWords, item.gaps
                ? count('gaps', item.gaps,
                        { seconds: format.seconds(item.lost) }) : '');
        this.gaps.hidden = !item.gaps;
        this.actions.update(item);

        if (item.segments) {
            this.link.href = '#/recordings/' + item.id;
            this.link.setAttribute('aria-label',
                                   t('play_label', { name, title }));
        } else {
            this.link.removeAttribute('href');
            this.link.removeAttribute('aria-label');
        }
    }
}

customElements.define('mnt-recording-row', RecordingRow);
