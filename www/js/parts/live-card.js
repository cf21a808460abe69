// <mnt-live-card>: a channel on the air.

import { element, setText } from '../dom.js';
import * as format from '../format.js';
import { icon } from '../icons.js';
import { count, t } from '../i18n.js';
import { Poster } from './poster.js';


export class LiveCard extends HTMLElement {
    constructor() {
        super();
        this.poster = new Poster();
        this.badge = element('span', { class: 'state on-air' });
        this.link = element('a', { dir: 'auto' });
        this.viewers = element('span', { class: 'viewers' });
        this.parts = Object.fromEntries(
            ['own', 'category', 'since', 'unrecorded', 'degraded'].map(
                (name) => [name, element('span', { class: name })]));
        this.name = element('h3', { dir: 'auto' });

        const watched = element('p', { class: 'watched' }, icon('eye'),
                                this.viewers);

        this.watched = watched;
        this.append(
            element('div', { class: 'picture' }, this.poster, this.badge,
                    watched),
            element('div', { class: 'words' },
                this.name,
                element('p', { class: 'title' }, this.link),
                element('p', { class: 'facts' },
                        ...Object.values(this.parts))));
    }

    update(item) {
        const name = item.channel_name || item.channel_id;
        const { own, category, since, unrecorded, degraded } = this.parts;
        const title = item.title || t('untitled');

        this.poster.update(name, item.channel_id, item.thumbnail);
        setText(this.badge, t('state_live'));
        setText(this.name, name);
        setText(this.link, title);
        setText(this.viewers, viewersOf(item));
        this.watched.hidden = !viewersOf(item);

        setText(own, item.platform === 'rtmp' ? t('own_mark') : '');
        setText(category, item.category || '');
        setText(since, item.started_at
                ? t('since', { time: format.time(item.started_at) }) : '');
        setText(unrecorded, item.recording_id ? '' : t('unrecorded'));
        setText(degraded, item.degraded ? t('degraded') : '');

        // what nobody records has nothing to be played here

        if (item.recording_id) {
            this.link.href = '#/recordings/' + item.recording_id + '/live';
            this.link.setAttribute('aria-label',
                                   t('watch_label', { name, title }));
        } else {
            this.link.removeAttribute('href');
            this.link.removeAttribute('aria-label');
        }
    }
}

customElements.define('mnt-live-card', LiveCard);


// of the platform, and ours when these are others

function viewersOf({ viewers, watching, platform }) {
    const words = [];

    if (viewers !== null && viewers !== undefined) {
        words.push(count('viewers', viewers));
    }

    if (platform !== 'rtmp' && watching) {
        words.push(count('watching', watching));
    }

    return words.join(' · ');
}
