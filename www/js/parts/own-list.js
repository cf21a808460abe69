// "Own channels": those that are sent to us by RTMP.  Of each whether it is on
// the air, what it is called, and what an encoder has to be told.

import * as api from '../api.js';
import { element, setText, KeyedList } from '../dom.js';
import { explain } from '../errors.js';
import * as format from '../format.js';
import { count, t } from '../i18n.js';
import { keyPanel } from './own-key.js';
import { titleForm } from './own-title.js';
import { nameOf } from './streamer-row.js';


export class OwnList {
    // changed() asks the caller to load again

    constructor(section, changed) {
        const get = (id) => section.querySelector('#' + id);

        this.empty = get('own-empty');
        this.note = get('own-note');
        this.changed = changed;
        this.list = new KeyedList(get('own-list'), (item) => item.id,
                                  () => this.row(), update);

        get('own-add').addEventListener('submit', (event) => {
            event.preventDefault();
            this.add(get('own-name'), event.target.querySelector('button'));
        });
    }

    show(items) {
        this.list.show(items);
        this.empty.hidden = items.length > 0;
    }

    async add(input, button) {
        const name = input.value.trim();

        if (!name || button.disabled) {
            setText(this.note, name ? '' : t('own_missing'));
            input.focus();
            return;
        }

        button.disabled = true;

        try {
            await api.addOwn(name);
            setText(this.note, t('own_added', { name }));
            input.value = '';
            this.changed();

        } catch (error) {
            setText(this.note, t('own_failed', {
                name,
                why: error.code === 'bad_channel' ? t('own_bad_name')
                                                  : explain(error),
            }));

        } finally {
            button.disabled = false;
        }
    }

    async remove(item) {
        const name = nameOf(item);
        const words = [t('own_remove_sure', { name })];

        if (item.is_streaming) {
            words.push(t('own_remove_live'));
        }

        if (item.source === 'config') {
            words.push(t('remove_config'));
        }

        if (!window.confirm(words.join('\n'))) {
            return;
        }

        try {
            await api.removeStreamer(item.id);
            setText(this.note, t('own_removed', { name }));
        } catch (error) {
            setText(this.note, explain(error));
        }

        this.changed();
    }

    row() {
        const e = element('li', { class: 'item' },
            element('div', { class: 'head' },
                element('h3', { dir: 'auto' }),
                element('span', { class: 'state' })),
            element('p', { class: 'title', dir: 'auto' }),
            element('p', { class: 'facts' },
                element('span', { class: 'category' }),
                element('span', { class: 'viewers' }),
                element('span', { class: 'since' }),
                element('span', { class: 'degraded' }),
                element('span', { class: 'recorded' })));

        e.titles = titleForm(this.changed);
        e.key = keyPanel();
        e.append(e.titles.element, e.key.element,
            element('div', { class: 'buttons' },
                element('button', { type: 'button', class: 'remove' })));

        e.querySelector('.remove').addEventListener('click',
            () => this.remove(e.item));

        return e;
    }
}


function update(e, item) {
    const name = nameOf(item);
    const badge = e.querySelector('.state');
    const live = item.live ?? {};
    const text = (selector, value) => {
        setText(e.querySelector(selector), value);
    };

    e.item = item;
    e.dataset.streamer = item.id;
    badge.classList.toggle('on-air', item.is_streaming);
    setText(badge, t(!item.is_streaming ? 'own_off_air'
                     : item.status === 'recording' ? 'state_recording'
                     : 'own_on_air'));

    text('h3', name);
    text('.title', item.title || t('untitled'));
    e.querySelector('.title').classList.toggle('muted', !item.title);
    text('.category', item.category || '');
    text('.viewers', Number.isInteger(live.viewers)
         ? count('viewers', live.viewers) : '');
    text('.since', live.started_at
         ? t('since', { time: format.time(live.started_at) }) : '');
    text('.degraded', live.degraded ? t('degraded') : '');
    text('.recorded', item.recorded ? count('recorded', item.recorded) : '');
    text('.remove', t('remove'));
    e.querySelector('.remove').setAttribute('aria-label',
                                            t('remove_of', { name }));

    e.titles.update(item, name);
    e.key.update(item, name);
}
