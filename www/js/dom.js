// Elements are made and changed by text only: nothing that came from outside
// is ever read as HTML.


export function element(name, attributes = {}, ...children) {
    const e = document.createElement(name);

    for (const [key, value] of Object.entries(attributes)) {
        e.setAttribute(key, value);
    }

    e.append(...children);
    return e;
}


export function setText(e, text) {
    if (e.textContent !== text) {
        e.textContent = text;
    }
}


// what somebody hears, and sees on pointing at it

export function setLabel(e, text) {
    if (e.getAttribute('aria-label') !== text) {
        e.setAttribute('aria-label', text);
        e.title = text;
    }
}


export function button(kind, ...children) {
    return element('button', { type: 'button', class: kind }, ...children);
}


// Brings a list in line with the items.  An element stays while its key does,
// so that focus and selection survive.

export class KeyedList {
    constructor(list, key, create, update) {
        this.list = list;
        this.key = key;
        this.create = create;       // () => element
        this.update = update;       // (element, item)
        this.elements = new Map();
    }

    show(items) {
        const seen = new Set();
        let place = this.list.firstElementChild;

        for (const item of items) {
            const key = String(this.key(item));

            if (seen.has(key)) {
                continue;
            }

            seen.add(key);

            let e = this.elements.get(key);

            if (!e) {
                e = this.create();
                this.elements.set(key, e);
            }

            this.update(e, item);

            if (e === place) {
                place = place.nextElementSibling;
            } else {
                this.list.insertBefore(e, place);
            }
        }

        for (const [key, e] of this.elements) {
            if (!seen.has(key)) {
                e.remove();
                this.elements.delete(key);
            }
        }
    }
}
