// The page's words.  Elements name theirs in data-text, data-label (for who
// listens) or data-placeholder; everything else asks t().

// each language is fetched when it is wanted

const LANGUAGES = {
    en: () => import('./words/en.js'),
    ko: () => import('./words/ko.js'),
};

const STORED = 'mntreamer.language';

let current = 'en';
let words = {};


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

        if (language in LANGUAGES) {
            return language;
        }
    }

    return 'en';
}


export function language() {
    return current;
}


export function has(key) {
    return key in words;
}


export function t(key, values = {}) {
    const text = words[key] ?? key;

    return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}


// words that depend on a number, which is {n}

export function count(key, n, values = {}) {
    const one = n === 1 && key + '_one' in words;

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
    each('text', (e, said) => { e.textContent = said; });
    each('placeholder', (e, said) => { e.placeholder = said; });
    each('label', (e, said) => { e.setAttribute('aria-label', said); });
}


async function speak(tag) {
    const { default: all } = await LANGUAGES[tag]();

    current = tag;
    words = all;
    apply();
}


// changed() is called when somebody chose another language

export async function start(select, changed) {
    select.addEventListener('change', async () => {
        const tag = select.value;

        try {
            localStorage.setItem(STORED, tag);
        } catch {
            // then it is forgotten with the page
        }

        await speak(tag);
        changed();
    });

    select.value = preferred();
    await speak(select.value);
}
