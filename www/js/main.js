// Shows the page that the address names, and what all pages have: search,
// language, colours, and what is wrong.

import { ApiError } from './api.js';
import { explain } from './errors.js';
import { setText } from './dom.js';
import { parse, searchFor } from './router.js';
import * as i18n from './i18n.js';
import * as theme from './theme.js';

// each is fetched when it is first shown

const PAGES = {
    front: () => import('./pages/front.js').then((m) => m.FrontPage),
    watch: () => import('./pages/watch.js').then((m) => m.WatchPage),
    trash: () => import('./pages/trash.js').then((m) => m.TrashPage),
    channels: () => import('./pages/channels.js').then((m) => m.ChannelsPage),
};

const TYPING_MS = 250;

const get = (id) => document.getElementById(id);
const root = get('page');
const words = get('search-words');

let page = null;            // what is shown, and the name of its class
let name = '';
let trouble = null;
let typing = null;


function report(error) {
    trouble = error;
    get('trouble').hidden = !error;
    setText(get('trouble'), error ? explain(error) : '');
}


// what the page is called, beside our name

function entitle(title = '') {
    document.title = title ? title + ' · mntreamer' : 'mntreamer';
}


async function route() {
    const { hash } = location;
    const wanted = parse(hash);
    let Page;

    try {
        Page = await PAGES[wanted.page]();
    } catch {
        report(new ApiError(0, 'unreachable', ''));
    }

    if (!Page || location.hash !== hash) {
        return;                 // it changed while the page was fetched
    }

    if (wanted.page !== name) {
        page?.leave();
        name = wanted.page;
        root.replaceChildren(
            get('page-' + name).content.cloneNode(true));
        root.className = 'page ' + name;
        i18n.apply(root);
        report(null);
        entitle();
        window.scrollTo(0, 0);

        // who listens is told that it is another page

        if (page && words !== document.activeElement) {
            root.focus({ preventScroll: true });
        }

        page = new Page(root, { report, entitle });
    }

    for (const [id, of] of [['to-front', 'front'],
                            ['to-channels', 'channels']])
    {
        if (of === name) {
            get(id).setAttribute('aria-current', 'page');
        } else {
            get(id).removeAttribute('aria-current');
        }
    }

    if (words !== document.activeElement) {
        words.value = wanted.words ?? '';
    }

    page.show(wanted);
}


// while somebody types, the address of the front page goes with it

function search(done) {
    const hash = searchFor(words.value.trim());

    clearTimeout(typing);

    if (location.hash === hash || (!done && name !== 'front')) {
        return;
    }

    if (name === 'front') {
        history.replaceState(null, '', hash);
        route();
    } else {
        location.hash = hash;
    }
}


words.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(search, TYPING_MS);
});

get('search').addEventListener('submit', (event) => {
    event.preventDefault();
    search(true);
});

// the address behind # is ours

document.querySelector('.skip').addEventListener('click', (event) => {
    event.preventDefault();
    root.focus();
});

window.addEventListener('hashchange', route);
theme.start(get('theme'));

await i18n.start(get('language'), () => {
    page?.again();
    report(trouble);
});

route();
