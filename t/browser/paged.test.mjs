// Lists that are read page by page (www/js/paged.js), without a browser.
// Guards that rows which come or go while pages are read again neither repeat
// nor hide others, that what is asked for is little, that a cut moves what
// comes behind it, and that both languages have the same words.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lengthsOf, lineOf, shownAt, shownOf, spanOf, stepOf,
         wholeOf } from '../../www/js/cuts.js';
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


test('seconds of what is shown, and of the whole', () => {
    const lengths = lengthsOf('#EXTM3U\n#EXTINF:2.000001,\na\n#EXTINF:2,x\n'
                              + 'b\n#EXTINF:1.999999,\nc\n#EXTINF:3.5,\nd\n');

    assert.deepEqual(lengths, [2000001, 2000000, 1999999, 3500000]);

    // nothing is cut

    const all = lineOf(lengths, []);

    assert.equal(wholeOf(all, 5), 5);
    assert.equal(shownOf(all, 9), 9);
    assert.deepEqual(spanOf(all, 2.5, 4.5),
                     { begin: 2, end: 6, count: 2, shown: 3.999999 });
    assert.deepEqual(spanOf(all, 2.001, 4.002),
                     { begin: 2, end: 4, count: 1, shown: 2 },
                     'who stepped to a begin means no picture behind it');
    assert.deepEqual(spanOf(all, null, 1),
                     { begin: 0, end: 2, count: 1, shown: 2.000001 });
    assert.equal(spanOf(all, 5, null).end, 9.5);
    assert.equal(spanOf(all, 3, 3), null);
    assert.equal(spanOf(all, 5, 3), null);
    assert.equal(spanOf([], null, null), null);

    // its first second, and two that overlap

    const line = lineOf([2e6, 2e6, 2e6], [
        { begin: 6, end: 10 }, { begin: 0, end: 2 }, { begin: 8, end: 12 },
    ]);

    assert.deepEqual(line.map(({ whole }) => whole / 1e6), [2, 4, 12]);
    assert.deepEqual([0, 1, 3, 4, 5.5].map((at) => wholeOf(line, at)),
                     [2, 3, 5, 12, 13.5]);
    assert.deepEqual([0, 2, 5, 7, 11.9, 12, 13].map(
        (at) => shownOf(line, at)), [0, 0, 3, 4, 4, 4, 5]);

    for (const at of [0, 0.5, 2, 3.999, 4, 5.999]) {
        assert.equal(shownOf(line, wholeOf(line, at)), at);
    }

    assert.deepEqual(spanOf(line, 4.5, 13),
                     { begin: 4, end: 14, count: 2, shown: 4 },
                     'one over what is cut already');

    // The server tells of milliseconds, and hides what begins in a cut: of
    // segments of another length those that are meant, in any order.

    const odd = Array(400).fill(2000633);
    const cuts = [];

    for (let n = 0; n < 100; n++) {
        const hidden = odd.map((length, i) => cuts.some(
            ({ begin, end }) => i * length >= begin * 1e6
                                && i * length < end * 1e6));
        const left = hidden.map((is, i) => (is ? -1 : i)).filter(
            (i) => i >= 0);
        const now = lineOf(left.map((i) => odd[i]), cuts);
        const pick = n % 2 ? n : left.length - 2 * n - 1;
        const span = spanOf(now, wholeOf(now, now[pick].shown / 1e6 + 0.5),
                            wholeOf(now, now[pick].shown / 1e6 + 1.5));

        assert.equal(left.length, 400 - n);
        assert.equal(odd.filter((length, i) => i * length >= span.begin * 1e6
            && i * length < span.end * 1e6).length, 1);
        assert.equal(Math.ceil(span.begin * 1e6 / 2000633), left[pick]);
        cuts.push(span);
    }

    // steps: back goes to the begin of this one first

    assert.deepEqual([[0, 1], [1.9, 1], [5, 1], [3, -1], [2.1, -1], [0, -1]]
        .map(([at, n]) => stepOf(line, at, n)), [2, 2, 4, 2, 0, 0]);
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
