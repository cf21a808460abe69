// Lists that are read page by page (www/js/paged.js), without a browser.
// Guards that rows which come or go while pages are read again neither repeat
// nor hide others, that what is asked for is little, that a cut moves what
// comes behind it, and that both languages have the same words.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { shownAt } from '../../www/js/cuts.js';
import { Paged } from '../../www/js/paged.js';

let rows;
let asked;


// as the API: what is behind the last row of the page before

async function ask(after) {
    const from = after === null ? rows
                                : rows.filter((n) => n < Number(after));
    const items = from.slice(0, 10);

    asked.push(after);
    return { items, next: from.length > 10 ? String(items.at(-1)) : null };
}


async function read(paged) {
    asked = [];
    await paged.refresh();
    return [...new Set(paged.items)];
}


test('pages that grow, and rows that come and go', async () => {
    const paged = new Paged(ask);

    rows = Array.from({ length: 35 }, (_, i) => 100 - i);
    assert.deepEqual(await read(paged), rows.slice(0, 10));
    assert.ok(paged.more);

    for (const n of [20, 30, 35]) {
        paged.grow();
        assert.deepEqual(await read(paged), rows.slice(0, n));
    }

    assert.equal(paged.more, false);

    // nothing new: the first and one other

    for (let i = 0; i < 6; i++) {
        assert.deepEqual(await read(paged), rows);
        assert.equal(asked.length, 2);
    }

    // a new one moves all of them

    rows.unshift(101);
    assert.deepEqual(await read(paged), rows);

    // one that goes is seen in a round

    rows.splice(15, 1);

    for (let i = 0; i < 3; i++) {
        await read(paged);
    }

    assert.deepEqual(await read(paged), rows);
    rows.length = 5;
    assert.deepEqual(await read(paged), rows);
    assert.equal(paged.more, false);
});


test('other words while an answer is under way', async () => {
    const paged = new Paged(ask);

    rows = [3, 2, 1];
    asked = [];

    const late = paged.refresh();

    paged.reset();
    await late;
    assert.deepEqual(paged.items, []);
    rows = [9];
    assert.deepEqual(await read(paged), [9]);
});


test('what is cut moves what comes behind it', () => {
    const cuts = [{ begin: 40, end: 50 }, { begin: 10, end: 20 },
                  { begin: 15, end: 30 }, { begin: 16, end: 17 }];

    assert.deepEqual([0, 9, 10, 20, 29, 30, 35, 45, 50, 60].map(
        (at) => shownAt(cuts, at)), [0, 9, null, null, null, 10, 15, null, 20,
                                     30]);
    assert.equal(shownAt([], 7), 7);
});


test('both languages have the same words', async () => {
    const { default: en } = await import('../../www/js/words/en.js');
    const { default: ko } = await import('../../www/js/words/ko.js');
    const keys = (words) => Object.keys(words).filter(
        (key) => !key.endsWith('_one')).sort();
    const values = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

    assert.deepEqual(keys(ko), keys(en));

    for (const key of keys(en)) {
        assert.ok(values(ko[key]).every((v) => values(en[key]).includes(v)),
                  key);
        assert.ok(values(en[key]).every((v) => values(ko[key]).includes(v)),
                  key);
    }
});
