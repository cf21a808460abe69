// The stream key of an own channel and what OBS has to be told.  A key is in
// the answer that made it and in this panel until it is closed, nowhere else.

import * as api from '../api.js';
import { element, setText } from '../dom.js';
import { explain } from '../errors.js';
import * as format from '../format.js';
import { t } from '../i18n.js';


// { element, update(item, name) }

export function keyPanel() {
    const p = {
        item: null,
        name: '',
        state: null,            // what the API tells of the key
        key: null,              // while it is shown
        words: null,            // () => the note
        summary: element('summary'),
        steps: Array.from({ length: 5 }, () => element('li')),
        server: shown('server'),
        secret: shown('key'),
        about: element('p', { class: 'about' }),
        once: element('p', { class: 'why' }),
        make: element('button', { type: 'button', class: 'make primary' }),
        revoke: element('button', { type: 'button', class: 'revoke' }),
        note: element('p', { class: 'note', role: 'status' }),
    };
    const [open, server, key, frames, start] = p.steps;

    server.append(element('span', { class: 'what' }), p.server.element);
    key.append(element('span', { class: 'what' }), p.secret.element, p.once,
               p.about, element('div', { class: 'buttons' }, p.make,
                                p.revoke));

    const details = element('details', {}, p.summary,
        element('ol', { class: 'steps' }, open, server, key, frames, start),
        p.note);

    details.addEventListener('toggle', () => {
        p.key = null;
        p.words = null;

        if (details.open) {
            ask(p);
        } else {
            draw(p);
        }
    });

    p.make.addEventListener('click', () => make(p));
    p.revoke.addEventListener('click', () => revoke(p));

    for (const one of [p.server, p.secret]) {
        one.button.addEventListener('click', () => copy(one, p));
    }

    return {
        element: details,

        update(item, name) {
            p.item = item;
            p.name = name;
            draw(p);
        },
    };
}


// a text that is to be copied

function shown(kind) {
    const text = element('code', { class: kind, tabindex: '-1' });
    const button = element('button', { type: 'button',
                                       class: 'copy copy-' + kind });

    return { kind, text, button,
             element: element('span', { class: 'shown' }, text, button) };
}


async function ask(p) {
    try {
        p.state = await api.key(p.item.id);
    } catch (error) {
        p.words = () => explain(error);
    }

    draw(p);
}


async function make(p) {
    if (p.state?.made_at
        && !window.confirm(t('key_renew_sure', { name: p.name })))
    {
        return;
    }

    await during(p, async () => {
        p.key = (await api.makeKey(p.item.id)).key;
        p.words = null;
    });

    if (p.key) {
        p.secret.button.focus();
    }
}


async function revoke(p) {
    if (!window.confirm(t('key_revoke_sure', { name: p.name }))) {
        return;
    }

    await during(p, async () => {
        p.key = null;
        await api.revokeKey(p.item.id);
        p.words = () => t('key_revoked');
    });

    p.make.focus();
}


async function during(p, change) {
    p.make.disabled = true;
    p.revoke.disabled = true;

    try {
        await change();
        p.state = await api.key(p.item.id);
    } catch (error) {
        p.words = () => explain(error);
    }

    p.make.disabled = false;
    p.revoke.disabled = false;
    draw(p);
}


// without a secure context there is no clipboard: then it is marked

async function copy({ text }, p) {
    try {
        await navigator.clipboard.writeText(text.textContent);
        p.words = () => t('copied');
    } catch {
        window.getSelection().selectAllChildren(text);
        p.words = () => t('copy_failed');
    }

    draw(p);
}


function draw(p) {
    const [open, server, key, frames, start] = p.steps;
    const made = p.state?.made_at;

    setText(p.summary, t('sending'));
    p.summary.setAttribute('aria-label', t('sending_of', { name: p.name }));
    setText(open, t('guide_open'));
    setText(server.querySelector('.what'), t('guide_server'));
    setText(key.querySelector('.what'), t('guide_key'));
    setText(frames, t('guide_frames'));
    setText(start, t('guide_start'));

    setText(p.server.text, p.state?.server ?? '');
    p.server.element.hidden = !p.state;
    setText(p.secret.text, p.key ?? '');
    p.secret.element.hidden = !p.key;
    setText(p.once, p.key ? t('key_once') : '');
    setText(p.about, !p.state || p.key ? ''
            : !made ? t('key_none')
            : t('key_made', { time: format.time(made) })
              + (p.state.one_time ? ' ' + t('key_one_time') : ''));

    for (const { kind, button } of [p.server, p.secret]) {
        setText(button, t('copy'));
        button.setAttribute('aria-label', t('copy_' + kind));
    }

    setText(p.make, t(made ? 'key_renew' : 'key_make'));
    p.make.classList.toggle('primary', !made);
    setText(p.revoke, t('key_revoke'));
    p.make.hidden = !p.state;
    p.revoke.hidden = !made;
    setText(p.note, p.words ? p.words() : '');
}
