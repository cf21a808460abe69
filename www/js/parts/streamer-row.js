// <mnt-streamer-row>: a watched channel: its state, why it is not recorded
// when it is on the air, when it was asked about and will be again; and what
// can be changed of it.

import { button, element, setLabel, setText } from '../dom.js';
import * as format from '../format.js';
import { count, has, t } from '../i18n.js';
import { Poster } from './poster.js';

const QUALITIES = ['best', '1080p', '720p', '480p', '360p', 'worst', 'audio'];
const CALM = ['offline', 'live'];
const PRIORITY = 1000;      // the API's own limit, up and down


export function nameOf(streamer) {
    return streamer.nickname || streamer.channel_name || streamer.channel_id;
}


// the words for what is known, and how it is to be shown

export function stateOf(streamer) {
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


export class StreamerRow extends HTMLElement {
    // change(streamer, fields) and remove(streamer) are wanted by somebody

    constructor({ change, remove }) {
        super();
        this.poster = new Poster();
        this.link = element('a', { target: '_blank', dir: 'auto',
                                   rel: 'noopener noreferrer' });
        this.state = element('span', { class: 'state' });
        this.why = element('p', { class: 'why' });
        this.now = element('p', { class: 'title', dir: 'auto' });
        this.facts = Object.fromEntries(
            ['of', 'viewers', 'checked', 'next', 'last', 'recorded'].map(
                (name) => [name, element('span', { class: name })]));
        this.quality = element('select');
        this.priority = element('input', {
            type: 'number', step: '1', class: 'priority',
            min: String(-PRIORITY), max: String(PRIORITY),
        });
        this.priorityName = element('label', { class: 'field' });
        this.priorityWord = element('span');
        this.priorityName.append(this.priorityWord, this.priority);
        this.pause = button('pause');
        this.remove_ = button('remove');

        this.append(this.poster,
            element('div', { class: 'words' },
                element('div', { class: 'head' },
                    element('h3', {}, this.link), this.state),
                this.now, this.why,
                element('p', { class: 'facts' },
                        ...Object.values(this.facts))),
            element('div', { class: 'buttons' }, this.priorityName,
                    this.quality, this.pause, this.remove_));

        this.quality.addEventListener('change', () =>
            change(this.item, { quality: this.quality.value }));

        this.priority.addEventListener('change', () => {
            const { valid } = this.priority.validity;

            if (valid && this.priority.value !== '') {
                change(this.item, { priority: Number(this.priority.value) });
            } else {
                this.priority.value = this.item.priority;
            }
        });

        this.pause.addEventListener('click', () =>
            change(this.item, { monitored: !this.item.monitored }));

        this.remove_.addEventListener('click', () => {
            if (window.confirm(question(this.item))) {
                remove(this.item);
            }
        });
    }

    // watching: ours that watch what is recorded of it now

    update(item, watching = 0) {
        const name = nameOf(item);
        const state = stateOf(item);
        const live = item.live ?? {};
        const { of, viewers, checked, next, last, recorded } = this.facts;
        const recording = item.status === 'recording';

        this.item = item;
        this.poster.update(name, item.channel_id, null);
        setText(this.link, name);
        link(this.link, item.page);
        setText(this.state, t(state.key));
        this.state.classList.toggle('on-air', state.tone === 'on-air');
        this.state.classList.toggle('warn', state.tone === 'warn');
        setText(this.why, whyOf(state));
        this.why.hidden = !whyOf(state);
        setText(this.now, item.is_streaming
                ? [live.title || t('untitled'), live.category]
                    .filter(Boolean).join(' · ') : '');
        this.now.hidden = !item.is_streaming;

        setText(of, t('platform_' + item.platform));
        setText(viewers, [
            Number.isInteger(live.viewers)
                ? count('viewers', live.viewers) : '',
            watching ? count('watching', watching) : '',
        ].filter(Boolean).join(' · '));
        setText(checked, item.last_probe && !recording
             ? t('checked', { time: format.clock(item.last_probe.at) }) : '');
        setText(next, item.status === 'process' ? t('checking')
             : item.monitored && item.status === 'idle' && item.next_check_at
             ? t('check_next', { time: format.clock(item.next_check_at) })
             : '');
        setText(last, item.last_stream_at && !item.is_streaming
             ? t('last_live', { time: format.time(item.last_stream_at) })
             : '');
        setText(recorded, item.recorded ? count('recorded', item.recorded)
                                        : '');
        this.controls(item, name);
    }

    controls(item, name) {
        const pausing = item.monitored ? 'pause' : 'unpause';

        setText(this.pause, t(pausing));
        setLabel(this.pause, t(pausing + '_of', { name }));
        setText(this.remove_, t('remove'));
        setLabel(this.remove_, t('remove_of', { name }));
        setText(this.priorityWord, t('priority'));
        setLabel(this.priority, t('priority_of', { name }));

        if (this.priority !== document.activeElement) {
            this.priority.value = item.priority;
        }

        choices(this.quality, item.quality, name);
    }
}

customElements.define('mnt-streamer-row', StreamerRow);


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

    setLabel(select, t('quality_of', { name }));

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
