// <mnt-health>: whether all is well: disk, database, recordings and what is
// missing of them, and each platform by the answers it gave last.

import { element, setText, KeyedList } from '../dom.js';
import * as format from '../format.js';
import { count, t } from '../i18n.js';

const SURE = ['offline', 'live', 'live-not-playable', 'unknown-channel'];


export class Health extends HTMLElement {
    constructor() {
        super();
        this.facts = null;
        this.list = element('ul', { class: 'tiles' });
        this.append(this.list);
        this.tiles = new KeyedList(this.list, (tile) => tile.name, make, fill);
    }

    // { health, day, streamers }: the answer of /health or null, recordings of
    // the last day and watched streamers

    update(facts) {
        this.facts = facts;
        this.again();
    }

    again() {
        if (this.facts) {
            const { health, day, streamers } = this.facts;

            this.tiles.show([...server(health), gaps(day),
                             ...platforms(streamers)]);
        }
    }
}

customElements.define('mnt-health', Health);


// a tile: { name, title, value, about, tone }; tone is ok, warn or bad

function make() {
    return element('li', { class: 'tile' },
        element('h3'), element('p', { class: 'value' }),
        element('p', { class: 'muted' }));
}


function fill(li, { name, title, value, about, tone }) {
    const [h, v, a] = li.children;

    li.dataset.name = name;
    li.dataset.tone = tone;
    setText(h, title);
    setText(v, value);
    setText(a, about);
}


function server(health) {
    if (!health) {
        return [{ name: 'server', title: t('health_server'),
                  value: t('health_unknown'), about: t('health_unknown_why'),
                  tone: '' }];
    }

    const { disk, database, recordings, workers, version } = health;
    const full = disk.state !== 'ok';
    const room = disk.free === null ? t('health_unknown')
                                    : format.bytes(disk.free);

    return [
        { name: 'disk', title: t('health_disk'),
          value: full ? t('disk_' + disk.state) : t('disk_free', { room }),
          about: full ? t('disk_' + disk.state + '_why', { room })
                 : t('disk_reserve', { room: format.bytes(disk.reserve) }),
          tone: full ? 'bad' : disk.free !== null
                && disk.free < 2 * disk.reserve ? 'warn' : 'ok' },
        { name: 'database', title: t('health_database'),
          value: t('database_' + database),
          about: t('database_' + database + '_why'),
          tone: { up: 'ok', busy: 'warn', down: 'bad' }[database] },
        { name: 'recordings', title: t('health_recordings'),
          value: format.number(recordings),
          about: count('health_workers', workers, { version }), tone: 'ok' },
    ];
}


function gaps({ items, next }) {
    const with_ = items.filter((item) => item.gaps);
    const lost = with_.reduce((n, item) => n + item.lost, 0);
    const all = count('health_of', items.length) + (next ? '+' : '');

    return { name: 'gaps', title: t('health_gaps'),
             value: with_.length ? format.seconds(lost) : t('gaps_none'),
             about: with_.length
                    ? count('health_gaps_in', with_.length, { all }) : all,
             tone: with_.length ? 'warn' : 'ok' };
}


// one a platform that is asked: how many of its channels were told for sure

function platforms(streamers) {
    const by = Map.groupBy
        ? Map.groupBy(streamers, (s) => s.platform)
        : streamers.reduce((map, s) => map.set(
            s.platform, [...(map.get(s.platform) ?? []), s]), new Map());

    return [...by].filter(([platform]) => platform !== 'rtmp').map(
        ([platform, all]) => {
            const asked = all.filter((s) => s.monitored && s.last_probe);
            const sure = asked.filter(
                (s) => SURE.includes(s.last_probe.outcome));
            const last = asked.map((s) => s.last_probe.at).sort().at(-1);
            const wrong = asked.length - sure.length;

            return {
                name: 'platform-' + platform,
                title: t('platform_' + platform),
                value: !asked.length ? t('platform_unasked')
                       : wrong ? t('platform_wrong', { n: wrong,
                                                       all: asked.length })
                       : t('platform_ok'),
                about: last ? t('platform_last',
                                { time: format.clock(last) }) : '',
                tone: !wrong ? 'ok' : wrong === asked.length ? 'bad' : 'warn',
            };
        });
}
