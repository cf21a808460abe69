// "Live now": one card a channel on the air.

import { element, setText, KeyedList } from './dom.js';
import * as format from './format.js';
import { count, t } from './i18n.js';


export class LiveList {
    // play(item) is called with a live item that is being recorded

    constructor(list, empty, play) {
        this.empty = empty;
        this.items = null;
        this.list = new KeyedList(list, (item) => item.streamer_id,
                                  () => card(play), update);
    }

    show(items) {
        this.items = items;
        this.list.show(items);
        this.empty.hidden = items.length > 0;
    }

    again() {
        if (this.items) {
            this.show(this.items);
        }
    }
}


function card(play) {
    const e = element('li', { class: 'item' },
        element('span', { class: 'state on-air' }),
        element('h3'),
        element('p', { class: 'title' }),
        element('p', { class: 'facts' },
            element('span', { class: 'own' }),
            element('span', { class: 'category' }),
            element('span', { class: 'viewers' }),
            element('span', { class: 'since' })),
        element('div', { class: 'buttons' },
            element('button', { type: 'button', class: 'primary' })));

    e.querySelector('button').addEventListener('click', () => play(e.item));
    return e;
}


function update(e, item) {
    const name = item.channel_name || item.channel_id;
    const button = e.querySelector('button');
    const text = (selector, value) => {
        setText(e.querySelector(selector), value);
    };

    e.item = item;
    e.dataset.channel = item.channel_id;
    text('.state', t(item.recording_id ? 'state_recording' : 'state_live'));
    text('h3', name);
    text('.title', item.title || t('untitled'));
    text('.own', item.platform === 'rtmp' ? t('own_mark') : '');
    text('.category', item.category || '');
    text('.viewers', item.viewers === null ? ''
         : count('viewers', item.viewers));
    text('.since', item.started_at
         ? t('since', { time: format.time(item.started_at) }) : '');

    setText(button, t('play'));
    button.setAttribute('aria-label', t('play_label', { name }));
    button.hidden = !item.recording_id;
    button.parentElement.hidden = button.hidden;
}
