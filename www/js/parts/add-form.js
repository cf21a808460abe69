// "Watch": what somebody types or pastes, one channel a line.

import { addStreamers, ApiError } from '../api.js';
import { setText } from '../dom.js';
import { explain } from '../errors.js';
import { t } from '../i18n.js';

const MOST = 1000;          // the API's own limit
const MOST_LINES = 8;       // shown at once
const ADDRESS = /^https?:\/\//i;
const NO_SCHEME = /^[\w-]+(\.[\w-]+)+\/./;


export function startAddForm(form, note, added) {
    const platform = form.querySelector('select');
    const channels = form.querySelector('textarea');
    const button = form.querySelector('button');

    channels.addEventListener('input', () => fit(channels));

    channels.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            form.requestSubmit(button);
        }
    });

    form.addEventListener('submit', async (event) => {
        const wanted = lines(channels.value);

        event.preventDefault();

        if (button.disabled) {
            return;
        }

        if (!wanted.length) {
            setText(note, t('add_missing'));
            channels.focus();
            return;
        }

        button.disabled = true;
        setText(note, t('add_waiting'));

        try {
            const answers = await addStreamers(
                wanted.map((line) => item(platform.value, line)));
            const refused = wanted.filter((line, i) => !answers[i].streamer);

            setText(note, said(wanted, answers));
            channels.value = refused.join('\n');
            fit(channels);
            added();

        } catch (error) {
            setText(note, t('add_failed', {
                name: wanted.join(', '), why: explain(error),
            }));

        } finally {
            button.disabled = false;
        }
    });
}


function lines(text) {
    return text.split('\n').map((line) => line.trim()).filter(Boolean)
        .slice(0, MOST);
}


// an address says by itself which platform it is of, unless it is of none

function item(platform, line) {
    const channel = NO_SCHEME.test(line) ? 'https://' + line : line;

    return ADDRESS.test(channel) && platform !== 'hls'
        ? { channel } : { platform, channel };
}


function said(wanted, answers) {
    const names = [];
    const out = [];

    answers.forEach((answer, i) => {
        const s = answer.streamer;

        if (s) {
            names.push(s.nickname || s.channel_name || s.channel_id);
        } else {
            out.push(t('add_failed', {
                name: wanted[i],
                why: explain(new ApiError(answer.status, answer.error,
                                          answer.description)),
            }));
        }
    });

    if (names.length) {
        out.unshift(t('add_done', { name: names.join(', ') }));
    }

    return out.join('\n');
}


function fit(textarea) {
    const n = textarea.value.split('\n').length;

    textarea.rows = Math.min(n, MOST_LINES);
}
