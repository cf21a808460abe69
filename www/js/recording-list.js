// "Recordings": newest first, those in progress among them.

import { element, setText, KeyedList } from './dom.js';
import * as format from './format.js';
import { count, t } from './i18n.js';

const PAGE = 20;
const MOST = 500;       // the API's own limit of a page


export class RecordingList {
    // play(recording), change(recording, fields), remove(recording); more()
    // asks the caller to load again with this.limit

    constructor(list, empty, button, { play, change, remove, more }) {
        this.empty = empty;
        this.button = button;
        this.limit = PAGE;
        this.items = null;
        this.list = new KeyedList(list, (item) => item.id,
                                  () => row(play, change, remove), update);

        button.addEventListener('click', () => {
            this.limit = Math.min(this.limit + PAGE, MOST);
            more();
        });
    }

    show(items, next) {
        this.items = items.filter((item) => item.status !== 'deleted');
        this.list.show(this.items);
        this.empty.hidden = this.items.length > 0;
        this.button.hidden = !next || this.limit >= MOST;
        this.next = next;
    }

    again() {
        if (this.items) {
            this.show(this.items, this.next);
        }
    }
}


export function callOf(recording) {
    return (recording.channel_name || recording.channel_id) + ', '
        + (recording.title || t('untitled'));
}


function row(play, change, remove) {
    const e = element('li', { class: 'item' },
        element('div', { class: 'head' },
            element('h3'),
            element('span', { class: 'state' })),
        element('p', { class: 'title' }),
        element('p', { class: 'facts' },
            element('span', { class: 'time' }),
            element('span', { class: 'duration' }),
            element('span', { class: 'size' }),
            element('span', { class: 'gaps' })),
        element('div', { class: 'buttons' },
            element('button', { type: 'button', class: 'play' }),
            element('button', { type: 'button', class: 'keep' }),
            element('button', { type: 'button', class: 'remove' })));
    const on = (button, act) => {
        e.querySelector(button).addEventListener('click', () => act(e.item));
    };

    on('.play', play);
    on('.keep', (item) => change(item, { protected: !item.protected }));
    on('.remove', (item) => {
        if (window.confirm(t('delete_sure', { name: callOf(item) }))) {
            remove(item);
        }
    });

    return e;
}


function update(e, item) {
    const name = item.channel_name || item.channel_id;
    const title = item.title || t('untitled');
    const named = { name: callOf(item) };
    const state = e.querySelector('.state');
    const gaps = e.querySelector('.facts').lastElementChild;
    const text = (selector, value) => {
        setText(e.querySelector(selector), value);
    };

    e.item = item;
    e.dataset.recording = item.id;
    setText(state, t('state_' + item.status));
    state.classList.toggle('on-air', item.status === 'recording');
    text('h3', name);
    text('.title', title);
    text('.time', format.time(item.started_at));
    text('.duration', format.duration(item.duration));
    text('.size', format.bytes(item.bytes));

    setText(gaps, item.gaps
            ? count('gaps', item.gaps, { seconds: format.seconds(item.lost) })
            : t('gaps_none'));
    gaps.classList.toggle('gaps', item.gaps > 0);

    const button = (selector, key, label) => {
        const b = e.querySelector(selector);

        setText(b, t(key));
        b.setAttribute('aria-label', t(label, named));
        return b;
    };

    button('.play', 'play', 'play_label').disabled = !item.segments;

    const kept = item.protected ? 'kept' : 'keep';

    button('.keep', kept, kept + '_of')
        .setAttribute('aria-pressed', String(Boolean(item.protected)));

    // what is in progress has its streamer to be stopped by

    button('.remove', 'delete', 'delete_of').hidden =
        item.status === 'recording';
    e.querySelector('.remove').disabled = Boolean(item.protected);
}
