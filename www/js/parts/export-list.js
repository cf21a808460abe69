// <mnt-export-list>: files made of a recording that is over, to be downloaded:
// all of it, or what is marked in the editor.  A part of the watch page.

import { element, button, setText, KeyedList } from '../dom.js';
import { explain } from '../errors.js';
import * as format from '../format.js';
import { t } from '../i18n.js';

const OVER = ['done', 'failed', 'cancelled'];
const MOST = 2;             // listened to: browsers have six connections
const LATER_MS = 5000;      // a server that tells nothing is asked again


export class ExportList extends HTMLElement {
    constructor({ player, api }) {
        super();
        Object.assign(this, { player, api });
        this.recording = null;
        this.jobs = new Map();
        this.events = new Map();    // of jobs that are not over
        this.noted = null;
        this.busy = false;

        this.summary = element('summary');
        this.all = button('export_all');
        this.span = button('export_span');
        this.note = element('p', { class: 'note', role: 'status' });
        this.list = element('ul', { class: 'exports' });
        this.details = element('details', {}, this.summary,
            element('div', { class: 'tools' },
                element('div', { class: 'buttons' }, this.all, this.span),
                this.note, this.list));
        this.append(this.details);

        this.rows = new KeyedList(this.list, (job) => job.id,
            () => this.row(), (li, job) => this.fill(li, job));
        this.all.addEventListener('click', () => this.make({}));
        this.span.addEventListener('click', () => {
            const { begin, end } = this.player.chosen();

            this.make({ begin, end });
        });
        this.details.addEventListener('toggle', () => this.read());
        player.addEventListener('chosen', () => this.again());
    }

    disconnectedCallback() {
        this.forget();
    }

    forget() {
        this.events.forEach((events) => events.close());
        this.events.clear();
        this.jobs.clear();
        clearTimeout(this.timer);
    }

    row() {
        const li = element('li');
        const on = (kind, act) => {
            const e = button(kind);

            e.addEventListener('click', () => act(li.job));
            return e;
        };

        li.words = element('span', { class: 'job' });
        li.bar = element('progress', { max: '1' });
        li.download = element('a', { class: 'button' });
        li.stop = on('stop', (job) => this.change(
            () => this.api.deleteJob(job.id)));
        li.retry = on('retry', (job) => this.change(
            () => this.api.retryJob(job.id)));
        li.drop = on('drop', (job) => this.change(async () => {
            await this.api.deleteJob(job.id);
            this.drop(job.id);
        }));
        li.append(li.words, li.bar, li.download, li.stop, li.retry, li.drop);
        return li;
    }

    fill(li, job) {
        const over = OVER.includes(job.state);
        const whole = job.end === null && !job.begin;
        const what = whole ? t('export_whole') : t(
            job.end === null ? 'export_from' : 'export_of', {
                begin: format.position(job.begin),
                end: format.position(job.end ?? 0),
            });
        const named = (e, key) => {
            setText(e, t(key));
            e.setAttribute('aria-label', t(key) + ': ' + what);
        };

        li.job = job;
        li.dataset.state = job.state;
        setText(li.words, [what, this.stateOf(job)].join(' · '));
        li.bar.hidden = over;
        li.bar.setAttribute('aria-label', what);

        if (job.state === 'queued') {
            li.bar.removeAttribute('value');
        } else {
            li.bar.value = job.progress ?? 0;
        }

        named(li.download, 'export_download');
        named(li.stop, 'export_stop');
        named(li.retry, 'export_retry');
        named(li.drop, 'export_drop');
        li.download.hidden = !job.download;
        li.download.href = job.download ?? '';
        li.stop.hidden = over;
        li.retry.hidden = !['failed', 'cancelled'].includes(job.state);
        li.drop.hidden = !over;
        li.stop.disabled = li.retry.disabled = li.drop.disabled = this.busy;
    }

    stateOf(job) {
        const words = t('job_' + job.state, {
            part: format.number(Math.floor(100 * (job.progress ?? 0))),
        });

        if (job.state === 'done') {
            return [words, format.bytes(job.bytes),
                    format.duration(job.duration)].join(' · ');
        }

        return job.error && job.state !== 'cancelled'
               ? words + ' · ' + t('job_error', { why: job.error }) : words;
    }

    update(recording) {
        const { id, url, status } = recording;
        const other = this.recording?.id !== id;
        const over = url && ['recorded', 'done'].includes(status);
        const appeared = over && (other || this.hidden);

        if (other) {
            this.forget();
            this.noted = null;
        }

        this.recording = recording;
        this.hidden = !over;

        if (appeared) {
            this.read();
        }

        this.again();
    }

    // those that there are; only who looks at them is told how they go on

    async read() {
        const { recording } = this;

        if (!this.details.open || this.hidden) {
            this.forget();
            return;
        }

        try {
            const { items } = await this.api.exports(recording.id);

            if (this.recording.id === recording.id && this.details.open) {
                this.jobs = new Map(items.map((job) => [job.id, job]));
                items.forEach((job) => this.follow(job));
            }
        } catch (error) {
            this.noted = () => t('export_unread', { why: explain(error) });
        }

        this.again();
    }

    follow(job) {
        if (OVER.includes(job.state) || this.events.has(job.id)
            || this.events.size >= MOST || !this.isConnected)
        {
            return;
        }

        const events = this.api.jobEvents(job.id);

        this.events.set(job.id, events);
        events.addEventListener('job', ({ data }) => {
            const now = JSON.parse(data);

            if (this.events.get(job.id) !== events) {
                return;
            }

            this.jobs.set(now.id, now);

            this.again();

            // then others have gone on, too

            if (OVER.includes(now.state)) {
                this.leave(job.id);
                this.read();
            }
        });

        // refused, and not only interrupted

        events.addEventListener('error', () => {
            if (events.readyState === EventSource.CLOSED
                && this.events.get(job.id) === events)
            {
                this.leave(job.id);
                this.timer = setTimeout(() => this.read(), LATER_MS);
            }
        });
    }

    leave(id) {
        this.events.get(id)?.close();
        this.events.delete(id);
    }

    drop(id) {
        this.leave(id);
        this.jobs.delete(id);
    }

    make(span) {
        this.change(() => this.api.makeExport(this.recording.id, span));
    }

    async change(act) {
        const { id } = this.recording;

        if (this.busy) {
            return;
        }

        this.busy = true;
        this.noted = null;
        this.again();

        try {
            await act();
        } catch (error) {
            this.noted = () => t('change_failed', { why: explain(error) });
        }

        this.busy = false;

        if (this.recording.id === id) {
            await this.read();
        }
    }

    again() {
        setText(this.summary, t('exports'));
        setText(this.all, t('export_all'));
        setText(this.span, t('export_span'));
        this.all.disabled = this.busy;
        this.span.disabled = this.busy || !this.player.chosen();
        setText(this.note, this.noted?.() ?? '');
        this.rows.show([...this.jobs.values()]);
    }
}

customElements.define('mnt-export-list', ExportList);
