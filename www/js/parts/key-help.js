// <mnt-key-help>: the keys of the player, in a dialog that "?" opens.

import { button, element, setText } from '../dom.js';
import { t } from '../i18n.js';

const KEYS = [
    ['K', 'key_toggle'], ['J ←', 'key_back'], ['L →', 'key_ahead'],
    ['< >', 'key_speed'], ['M', 'key_mute'], ['F', 'key_full'],
    ['P', 'key_pip'], ['Home', 'key_first'], ['End', 'key_last'],
    [', .', 'key_frame'], ['[ ]', 'key_segment'], ['I O', 'key_marks'],
    ['V', 'key_preview'], ['X', 'key_cut'], ['Z', 'key_undo'],
    ['?', 'key_help'],
];


export class KeyHelp extends HTMLElement {
    constructor() {
        super();
        this.title_ = element('h2', { id: 'keys-title' });
        this.close = button('primary');
        this.what = KEYS.map(() => element('dd'));
        this.dialog = element('dialog',
            { 'aria-labelledby': 'keys-title', class: 'keys' },
            this.title_,
            element('dl', {}, ...KEYS.flatMap(([keys], i) => [
                element('dt', {}, ...keys.split(' ').map(
                    (key) => element('kbd', {}, key))),
                this.what[i]])),
            this.close);
        this.close.addEventListener('click', () => this.dialog.close());
        this.append(this.dialog);
    }

    again() {
        setText(this.title_, t('keys'));
        setText(this.close, t('close'));
        this.what.forEach((e, i) => setText(e, t(KEYS[i][1])));
    }

    open() {
        if (!this.dialog.open) {
            this.dialog.showModal();
        }
    }
}

customElements.define('mnt-key-help', KeyHelp);
