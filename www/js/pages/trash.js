// What was deleted and can be brought back, and what the rules of retention
// would delete next.

import * as api from '../api.js';
import { element, button, setText, KeyedList } from '../dom.js';
import { explain } from '../errors.js';
import * as format from '../format.js';
import { count, t } from '../i18n.js';
import { Paged } from '../paged.js';
import { callOf } from '../parts/recording-actions.js';
import { Poll } from '../poll.js';

const POLL_MS = 2000;
const RULES_MS = 30000;
const PAGE = 50;


export class TrashPage {
    constructor(root, { report, entitle }) {
        this.get = (id) => root.querySelector('#' + id);
        this.entitle = entitle;
        this.noted = null;
        this.rules = null;
        this.busy = false;

        this.trash = new KeyedList(this.get('trash'), (item) => item.id,
            () => this.row(), (li, item) => this.fill(li, item));
        this.next = new KeyedList(this.get('next'),
            ({ recording }) => recording.id,
            () => element('li', { class: 'item' },
                          element('a', { class: 'title', dir: 'auto' }),
                          element('p', { class: 'facts' })),
            (li, item) => this.fillNext(li, item));
        this.paged = new Paged((after) => api.recordings({
            status: 'trash', limit: PAGE, after,
        }));
        this.poll = new Poll(() => this.load(), POLL_MS, report);
        this.slow = new Poll(() => this.look(), RULES_MS, () => {});

        this.get('trash-more').addEventListener('click', () => {
            this.paged.grow();
            this.poll.now();
        });
    }

    row() {
        const li = element('li', { class: 'item' });

        li.name = element('h3', { class: 'title', dir: 'auto' });
        li.facts = element('p', { class: 'facts' });
        li.restore = button('restore');
        li.purge = button('purge');
        li.append(li.name, li.facts,
                  element('div', { class: 'buttons' }, li.restore, li.purge));

        li.restore.addEventListener('click', () => this.change(
            () => api.restoreRecording(li.item.id), 'trash_restored',
            li.item));
        li.purge.addEventListener('click', () => {
            const { item } = li;

            if (window.confirm(t('trash_purge_sure', { name: callOf(item) })))
            {
                this.change(() => api.purgeRecording(item.id),
                            'trash_purged', item);
            }
        });
        return li;
    }

    fill(li, item) {
        const { at, until, why, restoring } = item.deleted ?? {};
        const named = { name: callOf(item) };

        li.item = item;
        li.dataset.recording = item.id;
        setText(li.name, callOf(item));
        facts(li.facts, [
            format.time(item.started_at), format.duration(item.duration),
            format.bytes(item.bytes),
            t('trash_' + (why ?? 'api'), { time: format.time(at) }),
            restoring ? t('trash_restoring')
                : until ? t('trash_until', { time: format.time(until) }) : '',
        ]);
        setText(li.restore, t('restore'));
        li.restore.setAttribute('aria-label', t('restore_of', named));
        setText(li.purge, t('purge'));
        li.purge.setAttribute('aria-label', t('purge_of', named));
        li.restore.disabled = this.busy || Boolean(restoring);
        li.purge.disabled = this.busy;
    }

    fillNext(li, { why, recording }) {
        setText(li.firstChild, callOf(recording));
        li.firstChild.href = '#/recordings/' + recording.id;
        facts(li.lastChild, [
            format.time(recording.started_at),
            format.duration(recording.duration),
            format.bytes(recording.bytes), t('next_' + why),
        ]);
    }

    show() {
        this.entitle(t('trash_title'));
        this.poll.now();
        this.slow.now();
    }

    async load() {
        await this.paged.refresh();
        this.draw();
    }

    async look() {
        this.rules = await api.retention(PAGE);
        this.draw();
    }

    draw() {
        const { get, paged, rules } = this;

        setText(get('trash-note'), this.noted?.() ?? '');

        if (paged.pages.length) {
            this.trash.show(paged.items);
            get('trash-empty').hidden = paged.items.length > 0;
            setText(get('trash-empty'), t('trash_empty'));
            get('trash-more').hidden = !paged.more;
        }

        get('next-section').hidden = !rules;

        if (rules) {
            setText(get('next-sum'), rules.recordings
                ? count('next_sum', rules.recordings,
                        { size: format.bytes(rules.bytes) })
                : t('next_none'));
            this.next.show(rules.items);
        }
    }

    again() {
        this.entitle(t('trash_title'));
        this.draw();
    }

    async change(act, done, item) {
        if (this.busy) {
            return;
        }

        this.busy = true;
        this.draw();

        try {
            await act();
            this.noted = () => t(done, { name: callOf(item) });
        } catch (error) {
            this.noted = () => t('change_failed', { why: explain(error) });
        }

        this.busy = false;
        this.draw();
        this.poll.now();
    }

    leave() {
        this.poll.stop();
        this.slow.stop();
    }
}


function facts(list, words) {
    const shown = words.filter(Boolean);

    if (list.textContent !== shown.join('')) {
        list.replaceChildren(...shown.map(
            (fact) => element('span', {}, fact)));
    }
}
