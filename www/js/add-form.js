// "Watch another channel".

import * as api from './api.js';
import { setText } from './dom.js';
import { t } from './i18n.js';


export function startAddForm(form, note, added) {
    const platform = form.querySelector('#add-platform');
    const channel = form.querySelector('#add-channel');
    const button = form.querySelector('button');

    form.addEventListener('submit', async (event) => {
        const wanted = channel.value.trim();

        event.preventDefault();

        if (!wanted) {
            setText(note, t('add_missing'));
            channel.focus();
            return;
        }

        button.disabled = true;

        try {
            const streamer = await api.addStreamer(platform.value, wanted);

            setText(note, t('add_done', {
                name: streamer.nickname || streamer.channel_name
                      || streamer.channel_id,
            }));
            channel.value = '';
            added();

        } catch (error) {
            setText(note, t('add_failed', {
                why: error.message || error.status || t('trouble_unreachable'),
            }));

        } finally {
            button.disabled = false;
        }
    });
}
