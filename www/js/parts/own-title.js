// What the broadcasts of an own channel are called: a form that keeps what
// somebody types while the list around it is brought up to date.

import * as api from '../api.js';
import { element, setText } from '../dom.js';
import { explain } from '../errors.js';
import { t } from '../i18n.js';

const FIELDS = [            // and the API's limits in bytes of UTF-8
    { name: 'title', most: 300, control: 'input' },
    { name: 'category', most: 100, control: 'input' },
    { name: 'description', most: 2000, control: 'textarea' },
];

let forms = 0;


// { element, update(item, name) }; changed() asks to load again

export function titleForm(changed) {
    const number = ++forms;
    const fields = FIELDS.map((field) => control(field, number));
    const button = element('button', { type: 'submit', class: 'primary' });
    const note = element('p', { class: 'note', role: 'status' });
    const summary = element('summary');
    const form = element('form', { class: 'fields', novalidate: '' },
        ...fields.flatMap((f) => [f.label, f.input, f.wrong]),
        element('div', { class: 'buttons' }, button), note);
    const details = element('details', {}, summary, form);
    let item = null;

    for (const f of fields) {
        f.input.addEventListener('input', () => {
            f.typed = true;
            complain(f, '');
            setText(note, '');
            measure(f);
        });
    }

    form.addEventListener('submit', async (event) => {
        event.preventDefault();

        const wrong = fields.find((f) => !measure(f));

        if (button.disabled || wrong) {
            wrong?.input.focus();
            return;
        }

        const wanted = Object.fromEntries(
            fields.map((f) => [f.name, f.input.value]));

        button.disabled = true;

        try {
            item = await api.changeStreamer(item.id, wanted);

            // what was typed meanwhile is not saved

            fields.forEach((f) => {
                f.typed = f.input.value !== wanted[f.name];
            });
            setText(note, t(item.is_streaming ? 'saved_live' : 'saved'));
            changed();

        } catch (error) {
            const f = fields.find((one) => one.name === error.field);

            if (f) {
                complain(f, t('bad_text', { most: f.most }));
                f.input.focus();
            } else {
                setText(note, explain(error));
            }

        } finally {
            button.disabled = false;
        }
    });

    return {
        element: details,

        update(now, name) {
            item = now;
            setText(summary, t('titles'));
            summary.setAttribute('aria-label', t('titles_of', { name }));
            setText(button, t('save'));

            for (const f of fields) {
                setText(f.label, t(f.name));

                // nothing changes below somebody's fingers

                if (!f.typed && f.input !== document.activeElement) {
                    const value = now[f.name] ?? '';

                    if (f.input.value !== value) {
                        f.input.value = value;
                    }
                }
            }
        },
    };
}


function control({ name, most, control: kind }, number) {
    const id = 'own-' + name + '-' + number;
    const input = element(kind, {
        id, name, dir: 'auto', autocomplete: 'off',
        'aria-describedby': id + '-wrong',
    });

    if (kind === 'textarea') {
        input.rows = 3;
    }

    return {
        name, most, input, typed: false,
        label: element('label', { for: id }),
        wrong: element('p', { id: id + '-wrong', class: 'wrong',
                              role: 'alert' }),
    };
}


function complain(f, words) {
    setText(f.wrong, words);
    f.input.toggleAttribute('aria-invalid', Boolean(words));

    if (words) {
        f.input.setAttribute('aria-invalid', 'true');
    }
}


// whether it is short enough; says so otherwise

function measure(f) {
    const n = new TextEncoder().encode(f.input.value).length;

    if (n > f.most) {
        complain(f, t('too_long', { n, most: f.most }));
    }

    return n <= f.most;
}
