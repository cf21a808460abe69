// "Watched channels": of each its state, why it is not recorded when it is on
// the air, when it was asked about and will be again; and what can be changed.

import { element, setText, KeyedList } from './dom.js';
import * as format from './format.js';
import { count, has, t } from './i18n.js';

const PAGE = 20;
const MOST = 500;       // the API's own limit of a page
const QUALITIES = ['best', '1080p', '720p', '480p', '360p', 'worst', 'audio'];
const CALM = ['offline', 'live'];


export class WatchList {
    // change(streamer, fields) and remove(streamer) are asked for by people;
    // more() asks the caller to load again with this.limit and this.part

    constructor(section, { change, remove, more }) {
        const get = (id) => section.querySelector('#' + id);

        this.empty = get('watched-empty');
        this.button = get('watched-more');
        this.find = get('watched-find');
        this.limit = PAGE;
        this.items = null;
        this.list = new KeyedList(get('watched'), (item) => item.id,
                                  () => row(change, remove), update);

        this.button.addEventListener('click', () => {
            this.limit = Math.min(this.limit + PAGE, MOST);
            more();
        });

        this.find.addEventListener('input', more);
    }

    get part() {
        return this.find.value.trim();
    }

    // what is sent to us is asked of nobody: it has a list of its own

    show(all, next) {
        const items = all.filter((item) => item.platform !== 'rtmp');

        this.items = items;
        this.next = next;
        this.list.show(items);
        this.button.hidden = !next || this.limit >= MOST;
        this.empty.hidden = items.length > 0;
        setText(this.empty, t(this.part ? 'watched_none' : 'watched_empty'));

        // a few channels need no search

        this.find.parentElement.hidden = !next && !this.part
                                         && items.length <= PAGE;
    }

    again() {
        if (this.items) {
            this.show(this.items, this.next);
        }
    }
}


export function nameOf(streamer) {
    return streamer.nickname || streamer.channel_name || streamer.channel_id;
}


// the words for what is known, and how it is to be shown

function stateOf(streamer) {
    const probe = streamer.last_probe;

    if (streamer.status === 'recording') {
        return { key: 'state_recording', tone: 'on-air' };
    }

    if (!streamer.monitored) {
        return { key: 'watch_paused', tone: '' };
    }

    if (!probe) {
        return { key: 'watch_new', tone: '' };
    }

    return {
        key: 'watch_' + probe.outcome,
        tone: CALM.includes(probe.outcome) ? '' : 'warn',
        why: probe.reason,
    };
}


function whyOf({ tone, why }) {
    if (has('why_' + why)) {
        return t('why_' + why);
    }

    return tone === 'warn' && why ? t('why_other', { why }) : '';
}


function row(change, remove) {
    const e = element('li', { class: 'item' },
        element('div', { class: 'head' },
            element('h3', {}, element('a', { target: '_blank',
                                             rel: 'noopener noreferrer' })),
            element('span', { class: 'state' })),
        element('p', { class: 'why' }),
        element('p', { class: 'facts' },
            element('span', { class: 'checked' }),
            element('span', { class: 'next' }),
            element('span', { class: 'recorded' })),
        element('div', { class: 'buttons' },
            element('select'),
            element('button', { type: 'button', class: 'pause' }),
            element('button', { type: 'button', class: 'remove' })));
    const select = e.querySelector('select');

    select.addEventListener('change', () =>
        change(e.item, { quality: select.value }));

    e.querySelector('.pause').addEventListener('click', () =>
        change(e.item, { monitored: !e.item.monitored }));

    e.querySelector('.remove').addEventListener('click', () => {
        if (window.confirm(question(e.item))) {
            remove(e.item);
        }
    });

    return e;
}


function question(streamer) {
    const words = [t('remove_sure', { name: nameOf(streamer) })];

    if (streamer.status === 'recording') {
        words.push(t('remove_ends'));
    }

    if (streamer.source === 'config') {
        words.push(t('remove_config'));
    }

    return words.join('\n');
}


function update(e, item) {
    const name = nameOf(item);
    const state = stateOf(item);
    const badge = e.querySelector('.state');
    const text = (selector, value) => {
        setText(e.querySelector(selector), value);
    };

    e.item = item;
    e.dataset.streamer = item.id;
    setText(badge, t(state.key));
    badge.classList.toggle('on-air', state.tone === 'on-air');
    badge.classList.toggle('warn', state.tone === 'warn');

    text('a', name);
    link(e.querySelector('a'), item.page);
    text('.why', whyOf(state));
    e.querySelector('.why').hidden = !whyOf(state);

    text('.checked', item.last_probe && item.status !== 'recording'
         ? t('checked', { time: format.clock(item.last_probe.at) }) : '');
    text('.next', item.monitored && item.status === 'idle'
         && item.next_check_at
         ? t('check_next', { time: format.clock(item.next_check_at) }) : '');
    text('.recorded', item.recorded ? count('recorded', item.recorded) : '');

    const pausing = item.monitored ? 'pause' : 'unpause';

    text('.pause', t(pausing));
    e.querySelector('.pause').setAttribute('aria-label',
                                           t(pausing + '_of', { name }));
    text('.remove', t('remove'));
    e.querySelector('.remove').setAttribute('aria-label',
                                            t('remove_of', { name }));
    choices(e.querySelector('select'), item.quality, name);
}


// where the channel is on its platform; a playlist's own address is no page

function link(a, page) {
    if (/^https?:\/\//.test(page ?? '')) {
        a.href = page;
    } else {
        a.removeAttribute('href');
    }
}


function choices(select, quality, name) {
    const wanted = QUALITIES.includes(quality) ? QUALITIES
                                               : [quality, ...QUALITIES];

    select.setAttribute('aria-label', t('quality_of', { name }));

    // an open list must not change below somebody's finger

    if (select === document.activeElement && select.options.length) {
        return;
    }

    if (select.options.length !== wanted.length) {
        select.replaceChildren(...wanted.map(
            (value) => element('option', { value })));
    }

    wanted.forEach((value, i) => {
        const option = select.options[i];
        const key = 'quality_' + value;

        option.value = value;
        setText(option, has(key) ? t(key) : value);
    });

    select.value = quality;
}
