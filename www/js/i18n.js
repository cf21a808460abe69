// The page's words.  Elements name theirs in data-text, data-label (for who
// listens) or data-placeholder; everything else asks t().

import en from './words/en.js';
import ko from './words/ko.js';

const WORDS = { en, ko };
const STORED = 'mntreamer.language';

let current = 'en';


function stored() {
    try {
        return localStorage.getItem(STORED);
    } catch {
        return null;        // storage may be switched off
    }
}


function preferred() {
    for (const tag of [stored(), ...navigator.languages]) {
        const language = tag?.toLowerCase().split('-')[0];

        if (language in WORDS) {
            return language;
        }
    }

    return 'en';
}


export function language() {
    return current;
}


export function has(key) {
    return key in WORDS.en;
}


export function t(key, values = {}) {
    const words = WORDS[current][key] ?? WORDS.en[key] ?? key;

    return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}


// words that depend on a number, which is {n}

export function count(key, n, values = {}) {
    const one = n === 1 && key + '_one' in WORDS[current];

    return t(one ? key + '_one' : key, {
        n: new Intl.NumberFormat(current).format(n), ...values,
    });
}


// fills the words of static markup in

export function apply(root = document) {
    const each = (attribute, act) => {
        for (const e of root.querySelectorAll('[data-' + attribute + ']')) {
            act(e, t(e.dataset[attribute]));
        }
    };

    document.documentElement.lang = current;
    each('text', (e, words) => { e.textContent = words; });
    each('placeholder', (e, words) => { e.placeholder = words; });
    each('label', (e, words) => { e.setAttribute('aria-label', words); });
}


// changed() is called when somebody chose another language

export function start(select, changed) {
    current = preferred();
    select.value = current;
    apply();

    select.addEventListener('change', () => {
        current = select.value;

        try {
            localStorage.setItem(STORED, current);
        } catch {
            // then it is forgotten with the page
        }

        apply();
        changed();
    });
}
