// <mnt-recording-actions>: to keep a recording, and to delete it.

import { button, element, setLabel, setText } from '../dom.js';
import { icon } from '../icons.js';
import { t } from '../i18n.js';


export function callOf(recording) {
    return (recording.channel_name || recording.channel_id) + ', '
        + (recording.title || t('untitled'));
}


export class RecordingActions extends HTMLElement {
    // change(recording, fields) and remove(recording) are wanted by somebody

    constructor({ change, remove }) {
        super();
        this.words = element('span', { class: 'word' });
        this.keep = button('keep', icon('keep'), this.words);
        this.remove_ = button('remove', icon('remove'));
        this.append(this.keep, this.remove_);

        this.keep.addEventListener('click', () => change(
            this.item, { protected: !this.item.protected }));

        this.remove_.addEventListener('click', () => {
            if (window.confirm(t('delete_sure',
                                 { name: callOf(this.item) })))
            {
                remove(this.item);
            }
        });
    }

    update(item) {
        const named = { name: callOf(item) };
        const kept = Boolean(item.protected);

        this.item = item;
        setText(this.words, t(kept ? 'kept' : 'keep'));
        setLabel(this.keep, t(kept ? 'kept_of' : 'keep_of', named));
        this.keep.setAttribute('aria-pressed', String(kept));
        setLabel(this.remove_, t('delete_of', named));

        // what is in progress has its streamer to be stopped by

        this.remove_.hidden = item.status === 'recording';
        this.remove_.disabled = kept;
    }
}

customElements.define('mnt-recording-actions', RecordingActions);
