// The editor over a running system.  Guards that a span is marked, stepped,
// looked at, cut and shown again, by keys alone, too; that the picture stays
// where it is when what is shown changes; and that errors are said (UI-08).

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { axeFile, openPage, startBrowser, startEditor,
         until } from './system.mjs';

let system;
let browser;
let axe;


before(async () => {
    system = await startEditor();
    browser = await startBrowser();
    axe = await readFile(axeFile(), 'utf8');
}, { timeout: 120000 });

after(async () => {
    await browser?.close();

    if (system) {
        assert.equal(await system.stop(), 0, 'the log is clean');
    }
}, { timeout: 60000 });


function video(page, what, value) {
    return page.locator('#video').evaluate(what, value);
}


async function watch(t, id, options = {}) {
    const page = await openPage(t, browser, system, {
        hash: '#/recordings/' + id, ...options,
    });

    await until('it plays', () => video(page,
        (v) => v.readyState >= 2 && v.currentTime > 0.5 && v.duration > 11));
    await page.locator('#player-title').click();
    await page.keyboard.press('k');
    await until('it waits', () => video(page, (v) => v.paused));
    return page;
}


async function seek(page, seconds) {
    await video(page, (v, to) => { v.currentTime = to; }, seconds);
    await until('it is there', () => video(page,
        (v, to) => !v.seeking && Math.abs(v.currentTime - to) < 0.05,
        seconds));
}


const cutsOf = async (id) => (await system.api(
    'recordings/' + id + '/cuts')).items;
const note = (page) => page.locator('mnt-editor .note').textContent();
const span = (page) => page.locator('mnt-editor .span').textContent();
const time = (page) => video(page, (v) => v.currentTime);
const lasts = (page, seconds) => until('it lasts ' + seconds, () => video(page,
    (v, s) => Math.abs(v.duration - s) < 0.3, seconds));


test('mark, cut and undo, by keys alone', async (t) => {
    const id = system.one;
    const page = await watch(t, id);
    const chosen = page.locator('mnt-seek-bar .chosen');
    const press = (key) => page.keyboard.press(key);

    // a segment, a picture

    await seek(page, 4.5);
    await press(']');
    await until('the next segment', async () =>
        Math.abs(await time(page) - 6) < 0.05);
    await press('[');
    await until('the one before', async () =>
        Math.abs(await time(page) - 4) < 0.05);

    for (const [key, way] of [['.', 1], ['.', 1], [',', -1]]) {
        const before = await time(page);

        await press(key);
        await until('one picture', async () => {
            const moved = (await time(page) - before) * way;

            return moved > 0.02 && moved < 0.2;
        });
    }

    assert.ok(await video(page, (v) => v.paused));

    // the other way round first

    await seek(page, 8);
    await press('i');
    await seek(page, 5);
    await press('o');
    assert.ok(await chosen.isVisible());
    assert.match(await chosen.getAttribute('class'), /reversed/);
    assert.equal(await span(page),
                 'The end that is marked is before the beginning.');
    assert.ok(await page.locator('mnt-editor .cut').isDisabled());
    await press('x');
    assert.deepEqual(await cutsOf(id), []);

    const orange = await chosen.evaluate(
        (e) => getComputedStyle(e).backgroundColor);

    await seek(page, 4.5);
    await press('i');
    await seek(page, 7.5);
    await press('o');
    assert.doesNotMatch(await chosen.getAttribute('class'), /reversed/);
    assert.notEqual(await chosen.evaluate(
        (e) => getComputedStyle(e).backgroundColor), orange);
    assert.match(await span(page), /0:04 to 0:08, 4 sec$/);

    // cut behind it: the picture stays

    await seek(page, 13);
    await press('x');
    await until('it is said', async () =>
        await note(page) === 'Not shown any more: 0:04 to 0:08, 4 sec');
    await lasts(page, 20);
    await until('the same picture', async () =>
        Math.abs(await time(page) - 9) < 0.3);
    assert.ok(await video(page, (v) => v.paused), 'it waited, and waits');
    assert.equal(await chosen.isVisible(), false);
    assert.deepEqual((await cutsOf(id)).map((c) => [c.begin, c.end]),
                     [[4, 8]]);

    // what is behind it is meant by its time in the whole

    await seek(page, 6.5);
    await press('i');
    await press('o');
    await seek(page, 8);
    await press('o');
    assert.match(await span(page), /0:10 to 0:12, 2 sec$/);
    await seek(page, 12);
    await press('x');
    await lasts(page, 18);
    await until('the same picture', async () =>
        Math.abs(await time(page) - 10) < 0.3);
    assert.deepEqual((await cutsOf(id)).map((c) => [c.begin, c.end]),
                     [[4, 8], [10, 12]]);

    // undone: the newest first

    await press('z');
    await lasts(page, 20);
    await until('the same picture', async () =>
        Math.abs(await time(page) - 12) < 0.3);
    await until('it is said', async () =>
        await note(page) === 'Shown again: 0:10 to 0:12, 2 sec');
    await page.getByRole('button', { name: 'Undo: 0:04 to 0:08' }).click();
    await lasts(page, 24);
    assert.deepEqual(await cutsOf(id), []);
    assert.deepEqual(page.trouble, []);
});


test('a preview jumps over what would be cut', async (t) => {
    const page = await watch(t, system.two);
    const go = page.locator('mnt-editor');

    await go.locator('summary').click();
    assert.ok(await go.locator('.preview').isDisabled());
    await seek(page, 4);
    await go.locator('.mark_in').click();
    await seek(page, 12);
    await go.locator('.mark_out').click();
    await go.locator('.preview').click();
    await video(page, (v) => {
        v.seen = [];
        v.addEventListener('timeupdate', () => v.seen.push(v.currentTime));
    });
    await until('it stops behind it', () => video(page,
        (v) => v.paused && v.currentTime > 14));

    const seen = await video(page, (v) => v.seen);

    assert.ok(seen.some((at) => at < 4), 'what is before it');
    assert.deepEqual(seen.filter((at) => at > 5 && at < 11.9), []);
    assert.deepEqual(await cutsOf(system.two), []);
});


test('a clip of what is marked, and the way to it', async (t) => {
    const page = await watch(t, system.two);
    const go = page.locator('mnt-editor');

    await go.locator('summary').click();
    assert.ok(await go.locator('.clip').isDisabled());
    await seek(page, 4.5);
    await page.locator('#player-title').click();
    await page.keyboard.press('i');
    await seek(page, 9);
    await page.keyboard.press('o');

    // what is typed there are no keys of the player

    await page.locator('#clip-title').fill('');
    await page.keyboard.type('xzi 밤');
    await page.keyboard.press('Enter');
    await until('it is said', async () =>
        await note(page) === 'The clip is made.');
    assert.deepEqual(await cutsOf(system.two), []);
    await go.getByRole('link', { name: 'Watch the clip' }).click();
    await until('it plays', () => video(page,
        (v) => v.currentTime > 0 && Math.abs(v.duration - 6) < 0.3));
    assert.equal(await page.locator('#player-title').textContent(), 'xzi 밤');

    const id = Number(/\d+$/.exec(page.url())[0]);

    assert.equal((await system.api('recordings/' + id)).clip_of, system.two);
    assert.equal(await go.locator('.made').isVisible(), false);
    assert.ok(await go.locator('.clip').isDisabled(), 'marks stay behind');
    assert.deepEqual(page.trouble, []);
});


test('all of it is refused, errors are said, in Korean', async (t) => {
    const page = await watch(t, system.two, { locale: 'ko-KR' });
    const go = page.locator('mnt-editor');

    await go.locator('summary').click();
    await seek(page, 0);
    await page.keyboard.press('i');
    await page.keyboard.press('x');
    assert.match(await note(page), /^남는 것이 없습니다/);

    await seek(page, 10);
    await page.keyboard.press('i');
    await page.route(/\/cuts$/, (route) => route.fulfill({
        status: 403, json: { status: 403, error: 'forbidden',
                             description: 'no' },
    }));
    await page.keyboard.press('x');
    await until('it is said', async () =>
        /^바뀐 것이 없습니다/.test(await note(page)));
    assert.ok(await go.locator('.cut').isEnabled(), 'and can be tried again');
    await page.unroute(/\/cuts$/);

    await go.locator('.confirm').click();
    await until('it is confirmed', async () => (await system.api(
        'recordings/' + system.two)).status === 'done');
    await until('and so it says', async () => await go.locator('.confirm')
        .getAttribute('aria-pressed') === 'true');
    await go.locator('.confirm').click();
    await until('it is not', async () => (await system.api(
        'recordings/' + system.two)).status === 'recorded');
    assert.deepEqual(page.trouble, []);
});


for (const colorScheme of ['light', 'dark']) {
    test('on a phone, ' + colorScheme, async (t) => {
        const page = await watch(t, system.two, {
            colorScheme, viewport: { width: 360, height: 740 },
        });

        await system.api('recordings/' + system.two + '/cuts', 'POST',
                         { begin: 2, end: 4 });
        await page.reload();
        await page.locator('mnt-editor summary').click();
        await page.locator('mnt-editor li').first().waitFor();
        await page.evaluate(axe);

        const { violations } = await page.evaluate(
            () => window.axe.run(document));

        assert.deepEqual(violations.filter(({ impact }) =>
            ['serious', 'critical'].includes(impact)).map((v) => v.id), []);
        assert.equal(await page.evaluate(
            () => document.documentElement.scrollWidth), 360);
        assert.deepEqual(page.trouble, []);
    });
}
