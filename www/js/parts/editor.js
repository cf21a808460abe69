// <mnt-editor>: what of a recording that is over is shown, by marks on the
// seek bar; a part of the watch page.  Marks are seconds of the whole, so that
// they stay where they are when something is cut or shown again.

import { lineOf, shownOf, spanOf, stepOf, wholeOf } from '../cuts.js';
import { button, element, setText, KeyedList } from '../dom.js';
import { explain } from '../errors.js';
import * as format from '../format.js';
import { t } from '../i18n.js';

const AROUND_S = 3;     // so much is shown before and behind a cut to come
const IN_S = 0.01;      // behind where a segment begins: its first picture


export class Editor extends HTMLElement {
    constructor({ player, api, changed }) {
        super();
        Object.assign(this, { player, api, changed });
        this.recording = null;
        this.line = [];
        this.known = '';            // what the line is of
        this.in = null;
        this.out = null;
        this.previewed = null;      // the span that is jumped over
        this.busy = false;
        this.noted = null;          // () => what came of it
        this.build();
        this.listen();
    }

    build() {
        this.buttons = {};

        const make = (name, kind = '') => {
            const e = button(kind || name);

            this.buttons[name] = e;
            return e;
        };
        const line = (...names) => element('div', { class: 'buttons' },
            ...names.map((name) => make(name, name === 'cut' ? 'primary cut'
                                              : name)));

        this.summary = element('summary');
        this.span = element('p', { class: 'span' });
        this.note = element('p', { class: 'note', role: 'status' });
        this.cutsTitle = element('h3');
        this.cuts = element('ul', { class: 'cuts' });
        this.details = element('details', {}, this.summary,
            element('div', { class: 'tools' },
                line('segment_back', 'frame_back', 'frame_ahead',
                     'segment_ahead'),
                line('mark_in', 'mark_out', 'mark_none'),
                this.span, line('preview', 'cut', 'confirm'),
                this.clip = this.buildClip(make), this.note, this.made,
                this.cutsTitle, this.cuts));
        this.append(this.details);

        this.list = new KeyedList(this.cuts, (cut) => cut.id,
            () => this.row(), (li, cut) => this.fill(li, cut));
    }

    // what is marked, as a recording of its own

    buildClip(make) {
        const submit = make('clip');

        submit.type = 'submit';
        this.title_ = element('input', { type: 'text', id: 'clip-title',
                                         maxlength: '100',
                                         autocomplete: 'off' });
        this.label = element('label', { class: 'hidden', for: 'clip-title' });
        this.made = element('a', { class: 'made', hidden: '' });

        return element('form', { class: 'add', novalidate: '' }, this.label,
                       this.title_, submit);
    }

    row() {
        const undo = button('undo');
        const li = element('li', {}, element('span'), undo);

        undo.addEventListener('click', () => this.undo(li.cut));
        return li;
    }

    fill(li, cut) {
        const words = this.words(cut.begin, cut.end);

        li.cut = cut;
        setText(li.firstChild, words);
        setText(li.lastChild, t('undo'));
        li.lastChild.setAttribute('aria-label', t('undo_of', { span: words }));
        li.lastChild.disabled = this.busy;
    }

    listen() {
        const { player } = this;
        const acts = {
            segment_back: () => this.step(-1),
            segment_ahead: () => this.step(1),
            frame_back: () => player.frame(-1),
            frame_ahead: () => player.frame(1),
            mark_in: () => this.mark('in'),
            mark_out: () => this.mark('out'),
            mark_none: () => this.clear(),
            preview: () => this.preview(),
            cut: () => this.cut(),
            confirm: () => this.confirm(),
        };
        const keys = {
            '[': 'segment_back', ']': 'segment_ahead', ',': 'frame_back',
            '.': 'frame_ahead', i: 'mark_in', o: 'mark_out', v: 'preview',
            x: 'cut',
        };

        for (const [name, act] of Object.entries(acts)) {
            this.buttons[name].addEventListener('click', act);
        }

        this.clip.addEventListener('submit', (event) => {
            event.preventDefault();
            this.makeClip();
        });
        player.bind({
            ...Object.fromEntries(Object.entries(keys).map(([key, name]) =>
                [key, () => this.key(acts[name])])),
            z: () => this.key(() => this.undo(this.newest())),
        });
        player.video.addEventListener('timeupdate', () => this.jump());
        player.video.addEventListener('pause', () => {
            this.previewed = null;
        });
    }

    key(act) {
        if (!this.hidden) {
            this.details.open = true;
            act();
        }
    }

    update(recording) {
        const { id, url, status, segments, cut, cuts = [] } = recording;
        const known = JSON.stringify([id, url, status, segments, cut, cuts]);

        if (this.recording?.id !== id) {
            this.in = this.out = this.previewed = this.noted = null;
            this.made.hidden = true;
            this.title_.value = '';
            this.line = [];
            this.known = '';
        }

        this.recording = recording;
        this.hidden = !url || !['recorded', 'done'].includes(status);

        if (!this.hidden && known !== this.known) {
            this.read(known);
        }

        this.again();
    }

    // What is shown changed: the same picture, where it is now.  A playlist
    // that cannot be read is asked for again with the next facts.

    async read(known) {
        const { recording, line } = this;

        this.known = known;

        try {
            const lengths = await this.api.segments(recording.url);

            if (this.known !== known) {
                return;
            }

            this.line = lineOf(lengths, recording.cuts ?? []);
        } catch (error) {
            if (this.known === known) {
                this.known = '';
                this.noted = () => explain(error);
                this.again();
            }

            return;
        }

        if (line.length && JSON.stringify(line) !== JSON.stringify(this.line))
        {
            this.previewed = null;
            this.player.reload(shownOf(this.line,
                                       wholeOf(line, this.player.time)));
        }

        this.again();
    }

    step(n) {
        if (this.line.length) {
            this.player.step(stepOf(this.line, this.player.time, n) + IN_S);
        }
    }

    mark(which) {
        if (this.line.length) {
            this[which] = wholeOf(this.line, this.player.time);
            this.noted = null;
            this.again();
        }
    }

    clear() {
        this.in = null;
        this.out = null;
        this.again();
    }

    // the segments that are meant: { begin, end, count }, or null

    chosen() {
        return this.in === null && this.out === null ? null
               : spanOf(this.line, this.in, this.out);
    }

    get reversed() {
        return this.in !== null && this.out !== null && this.out <= this.in;
    }

    words(begin, end) {
        return t('span', { begin: format.position(begin),
                           end: format.position(end),
                           length: format.seconds(end - begin) });
    }

    // as it will be: up to the span, and from its end on

    preview() {
        const span = this.chosen();

        if (!span) {
            this.say(() => t('mark_first'));
            return;
        }

        const from = shownOf(this.line, span.begin);

        this.previewed = { from, to: from + span.shown };
        this.player.seek(Math.max(0, from - AROUND_S));
    }

    jump() {
        const { previewed: span, player } = this;

        if (!span) {
            return;
        }

        if (player.time >= span.from && player.time < span.to) {
            player.seek(Math.min(player.length, span.to));

        } else if (player.time > span.to + AROUND_S) {
            this.previewed = null;
            player.video.pause();
        }
    }

    cut() {
        const { recording: { id }, line } = this;
        const span = this.chosen();

        if (!span || span.count === line.length) {
            this.say(() => t(span ? 'cut_all' : this.reversed ? 'mark_wrong'
                                                           : 'mark_first'));
            return;
        }

        this.change(async () => {
            const { applied } = await this.api.cut(id, span.begin, span.end);

            this.in = null;
            this.out = null;
            return () => t(applied ? 'cut_done' : 'cut_later', {
                span: this.words(span.begin, span.end),
            });
        });
    }

    makeClip() {
        const { recording: { id }, title_: { value } } = this;
        const span = this.chosen();
        const title = value.trim();

        if (!span) {
            this.say(() => t(this.reversed ? 'mark_wrong' : 'mark_first'));
            return;
        }

        this.made.hidden = true;
        this.change(async () => {
            const clip = await this.api.clip(id, span.begin, span.end, title);

            this.made.href = '#/recordings/' + clip.id;
            this.made.hidden = false;
            this.title_.value = '';
            return () => t(clip.status ? 'clip_done' : 'clip_later');
        });
    }

    newest() {
        return (this.recording?.cuts ?? []).reduce(
            (one, cut) => (one && one.id > cut.id ? one : cut), null);
    }

    undo(cut) {
        if (!cut) {
            this.say(() => t('undo_none'));
            return;
        }

        this.change(async () => {
            await this.api.undoCut(this.recording.id, cut.id);
            return () => t('undo_done', {
                span: this.words(cut.begin, cut.end),
            });
        });
    }

    confirm() {
        const { id, status } = this.recording;
        const confirmed = status !== 'done';

        this.change(async () => {
            await this.api.changeRecording(id, { confirmed });
            return () => t(confirmed ? 'confirm_done' : 'confirm_undone');
        });
    }

    say(noted) {
        this.noted = noted;
        this.again();
    }

    // act() does it and gives what to say of it

    async change(act) {
        const { id } = this.recording;
        let noted;

        if (this.busy) {
            return;
        }

        this.busy = true;
        this.again();

        try {
            noted = await act();
            await this.changed();
        } catch (error) {
            noted = () => t('change_failed', { why: explain(error) });
        }

        this.busy = false;

        if (this.recording.id === id) {
            this.noted = noted;
        }

        this.again();
    }

    again() {
        const { busy, buttons, recording, reversed } = this;
        const span = this.chosen();

        if (!recording) {
            return;
        }

        for (const [name, e] of Object.entries(buttons)) {
            setText(e, t('edit_' + name));
        }

        buttons.confirm.setAttribute('aria-pressed',
                                     String(recording.status === 'done'));
        buttons.confirm.disabled = busy;
        buttons.cut.disabled = busy || !span;
        buttons.clip.disabled = busy || !span;
        buttons.preview.disabled = !span;
        buttons.mark_none.disabled = this.in === null && this.out === null;

        setText(this.summary, t('edit'));
        setText(this.span, reversed ? t('mark_wrong')
                : span ? t('span_chosen', {
                    span: this.words(span.begin, span.end) })
                : t('mark_first'));
        this.span.classList.toggle('reversed', reversed);
        setText(this.note, this.noted?.() ?? '');
        setText(this.made, t('clip_open'));
        setText(this.label, t('clip_title'));
        this.title_.placeholder = t('clip_title');
        setText(this.cutsTitle, t('cuts'));
        this.cutsTitle.hidden = !recording.cuts?.length;
        this.list.show(recording.cuts ?? []);
        this.select();
    }

    // as it was marked: what is meant is said beside it

    select() {
        const { line, player } = this;

        player.select(this.hidden || (this.in === null && this.out === null)
            ? null : {
                from: this.in === null ? 0 : shownOf(line, this.in),
                to: this.out === null ? player.length
                    : shownOf(line, this.out),
                reversed: this.reversed,
            }, this.hidden ? null : this.chosen());
    }
}

customElements.define('mnt-editor', Editor);
