// The operator's page: whether all is well, who is watched, own channels.

import * as api from '../api.js';
import { element, setText, KeyedList } from '../dom.js';
import { explain } from '../errors.js';
import { t } from '../i18n.js';
import { Paged } from '../paged.js';
import { startAddForm } from '../parts/add-form.js';
import { Health } from '../parts/health.js';
import { OwnList } from '../parts/own-list.js';
import { StreamerRow, nameOf } from '../parts/streamer-row.js';
import { Poll } from '../poll.js';

const POLL_MS = 2000;
const HEALTH_MS = 10000;
const DAY_MS = 86400000;
const PAGE = 50;
const MANY = 20;            // fewer need no search


export class ChannelsPage {
    constructor(root, { report, entitle }) {
        this.get = (id) => root.querySelector('#' + id);
        this.health = new Health();
        this.watching = new Map();
        this.get('health').append(this.health);
        this.entitle = entitle;
        this.poll = new Poll(() => this.load(), POLL_MS, report);
        this.slow = new Poll(() => this.look(), HEALTH_MS, () => {});

        this.watched = new KeyedList(this.get('watched'), (item) => item.id,
            () => element('li', {}, new StreamerRow({
                change: (item, fields) => this.change(
                    () => api.changeStreamer(item.id, fields), ''),
                remove: (item) => this.change(
                    () => api.removeStreamer(item.id),
                    t('watched_removed', { name: nameOf(item) })),
            })),
            (li, item) => {
                li.dataset.streamer = item.id;
                li.firstChild.update(item, this.watching.get(item.id));
            });

        this.paged = new Paged((after) => api.streamers({
            words: this.words, limit: PAGE, after,
        }));
        this.own = new OwnList(this.get('own'), () => this.poll.now());

        startAddForm(this.get('add'), this.get('add-note'),
                     () => this.poll.now());
        this.get('watched-more').addEventListener('click', () => {
            this.paged.grow();
            this.poll.now();
        });
        this.get('watched-find').addEventListener('input', () => {
            this.paged.reset();
            this.poll.now();
        });
    }

    get words() {
        return this.get('watched-find').value.trim();
    }

    show() {
        this.entitle(t('nav_channels'));
        this.poll.now();
        this.slow.now();
    }

    async load() {
        const [mine, onAir] = await Promise.all([
            api.ownChannels(), api.live(), this.paged.refresh(),
        ]);

        this.watching = new Map(onAir.items.map(
            (item) => [item.streamer_id, item.watching]));
        this.mine = mine.items;
        this.draw();
    }

    // what need not be known each second

    async look() {
        const since = new Date(Date.now() - DAY_MS).toISOString();
        const [health, day, streamers] = await Promise.all([
            api.health(), api.recordings({ since, limit: 500 }),
            api.streamers({ monitored: true, limit: 500 }),
        ]);

        this.health.update({ health, day, streamers: streamers.items });
    }

    draw() {
        const { get, paged, words } = this;

        if (!this.mine || !paged.pages.length) {
            return;
        }

        // what is sent to us is asked of nobody: it has a list of its own

        const items = paged.items.filter((item) => item.platform !== 'rtmp');

        this.watched.show(items);
        get('watched-more').hidden = !paged.more;
        get('watched-empty').hidden = items.length > 0 || paged.more;
        setText(get('watched-empty'),
                t(words ? 'watched_none' : 'watched_empty'));
        get('watched-find').parentElement.hidden =
            !paged.more && !words && items.length <= MANY;
        this.own.show(this.mine);
    }

    again() {
        this.entitle(t('nav_channels'));
        this.draw();
        this.health.again();
    }

    async change(act, done) {
        const note = this.get('add-note');

        try {
            await act();
            setText(note, done);
        } catch (error) {
            setText(note, explain(error));
        }

        this.poll.now();
    }

    leave() {
        this.poll.stop();
        this.slow.stop();
    }
}
