// The watch page over a running system.  Guards that gaps are on the seek bar
// with their reason, that a quality can be chosen, that controls and keys do
// what they say, that sound begins off where the browser wants that, and that
// what is over, deleted or unknown is said plainly in two languages (UI-02).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage, startBrowser, startLibrary, until } from './system.mjs';

let system;
let browser;


before(async () => {
    system = await startLibrary();
    browser = await startBrowser();
}, { timeout: 120000 });

after(async () => {
    await browser?.close();

    if (system) {
        assert.equal(await system.stop(), 0, 'the log is clean');
    }
}, { timeout: 60000 });


// the recording that has files, playing

async function watch(t, options = {}) {
    const page = await openPage(t, browser, system, {
        hash: '#/recordings/' + system.played, locale: options.locale,
        viewport: options.viewport,
    });

    await until('it plays', () => video(page,
        (v) => v.readyState >= 2 && v.currentTime > 0 && v.duration > 19));
    return page;
}


function video(page, what, value) {
    return page.locator('#video').evaluate(what, value);
}


test('gaps are on the seek bar, with their reason', async (t) => {
    const page = await watch(t);
    const bar = page.locator('mnt-seek-bar');
    const marks = bar.locator('.gap');

    // two tracks that miss the same are one gap

    await until('two marks', async () => await marks.count() === 2);

    const { x, y, width, height } = await bar.boundingBox();
    const places = await Promise.all((await marks.all()).map(async (mark) => {
        const box = await mark.boundingBox();

        return (box.x + box.width / 2 - x) / width * 20;
    }));

    assert.ok(Math.abs(places[0] - 5) < 0.3, 'at ' + places[0]);
    assert.ok(Math.abs(places[1] - 15) < 0.3, 'at ' + places[1]);

    await page.mouse.move(x + width * 0.75, y + height / 2);
    assert.equal(await bar.locator('.bubble').textContent(),
                 '0:15: 9.5 sec missing. The recorder was restarted.');
    await page.mouse.move(x + width * 0.5, y + height / 2);
    assert.match(await bar.locator('.bubble').textContent(), /^0:(09|10)$/);

    // the same in words, by which one gets there

    const list = page.locator('mnt-gap-list');

    assert.equal(await list.locator('summary').textContent(),
                 '2 gaps, 13.5 sec lost');
    await list.locator('summary').click();
    assert.match(await list.locator('li').first().textContent(),
                 /^0:05: 4 sec missing.*network/);
    await list.locator('button').last().click();
    await until('a little before it', () => video(page,
        (v) => v.currentTime >= 12 && v.currentTime < 15));
    assert.deepEqual(page.trouble, []);
});


test('a gap is where it is shown, whatever is cut', async (t) => {
    const page = await watch(t);

    await page.route(/\/api\/v1\/recordings\/\d+/, async (route) => {
        if (/cuts$/.test(route.request().url())) {
            await route.fulfill({ json: {
                items: [{ begin: 0, end: 3 }, { begin: 2, end: 6 }],
                next: null,
            } });
            return;
        }

        const response = await route.fetch();

        await route.fulfill({ response, json: { ...await response.json(),
                                                cut: 6 } });
    });
    await page.reload();
    await until('one of them is left, and moved', async () =>
        /^0:09: 9.5 sec missing/.test(
            await page.locator('mnt-gap-list li').allTextContents()
                .then((all) => (all.length === 1 ? all[0] : ''))));
});


test('the seek bar by mouse and keys', async (t) => {
    const page = await watch(t);
    const bar = page.locator('#player-seek');
    const { x, y, width, height } = await bar.boundingBox();

    await page.mouse.click(x + width / 2, y + height / 2);
    await until('half of it', () => video(page,
        (v) => v.currentTime >= 9 && v.currentTime < 13));
    await page.keyboard.press('k');
    await until('it waits', () => video(page, (v) => v.paused));
    await page.keyboard.press('ArrowLeft');
    await until('ten seconds less', () => video(page,
        (v) => v.currentTime < 4));
    await page.keyboard.press('Home');
    await until('the beginning', () => video(page, (v) => v.currentTime < 2));
    await page.keyboard.press('k');
    await until('it waits again', () => video(page, (v) => v.paused));
    assert.match(await bar.getAttribute('aria-valuetext'), /^0:0\d of 0:20$/);
    assert.equal(await bar.getAttribute('aria-label'), 'Position');
});


test('the quality is chosen, or chooses itself', async (t) => {
    const page = await watch(t);
    const quality = page.locator('#player-quality');
    const names = () => quality.locator('option').allTextContents();

    await until('there are two', async () =>
        /^Auto \(\d+p\),240p,120p$/.test((await names()).join()));
    await quality.selectOption({ label: '120p' });
    await video(page, (v) => { v.currentTime = 16; });
    await until('it is the smaller one', () => video(page,
        (v) => v.videoHeight === 120));
    await quality.selectOption({ label: '240p' });
    await video(page, (v) => { v.currentTime = 2; });
    await until('it is the larger one', () => video(page,
        (v) => v.videoHeight === 240));
    assert.equal(await quality.evaluate((e) => e.selectedOptions[0].text),
                 '240p');
    assert.deepEqual(page.trouble, []);
});


test('its buttons and its keys', async (t) => {
    const page = await watch(t);
    const player = page.locator('mnt-player');

    await player.locator('.toggle').click();
    await until('it waits', () => video(page, (v) => v.paused));
    assert.match(await player.locator('.toggle').getAttribute('aria-label'),
                 /^Play/);
    await player.locator('.big').click();
    await until('it goes on', () => video(page, (v) => !v.paused));

    await player.locator('.mute').click();
    assert.equal(await video(page, (v) => v.muted), true);
    await player.locator('.mute').click();
    assert.equal(await video(page, (v) => v.muted), false);
    await player.locator('.loud').fill('0.5');
    assert.equal(await video(page, (v) => v.volume), 0.5);

    // a broadcast that is over has no live edge

    assert.equal(await page.locator('#player-live').isVisible(), false);

    // which keys there are

    await page.locator('#player-title').click();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('m');
    assert.equal(await video(page, (v) => v.muted), false,
                 'what is pressed in a dialog is not meant for the player');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'hidden' });

    // picture in picture, where there is one

    if (await page.evaluate(() => document.pictureInPictureEnabled)) {
        await video(page, (v) => {
            v.requestPictureInPicture = async () => { v.asked = true; };
        });
        await player.locator('.pip').click();
        assert.equal(await video(page, (v) => v.asked), true);
    } else {
        assert.equal(await player.locator('.pip').isVisible(), false);
    }

    await player.locator('.full').click();
    await until('it has the whole screen', () => page.evaluate(
        () => document.fullscreenElement?.localName === 'mnt-player'));
    await page.keyboard.press('f');
    await until('and no more', () => page.evaluate(
        () => !document.fullscreenElement));

    // its end, and again

    await video(page, (v) => { v.currentTime = 19.5; });
    await until('it has ended', () => video(page, (v) => v.ended));
    await until('the button says so', async () => /^Play again/.test(
        await player.locator('.toggle').getAttribute('aria-label')));
    await player.locator('.toggle').click();
    await until('it begins again', () => video(page,
        (v) => !v.paused && v.currentTime < 10));
    assert.deepEqual(page.trouble, []);
});


// To ask a page anything counts as a touch in Chromium: here only a press does.

test('without a touch it begins without sound', async (t) => {
    const page = await openPage(t, browser, system);

    await page.addInitScript(() => {
        const { play } = HTMLMediaElement.prototype;
        let touched = false;

        addEventListener('pointerdown', () => { touched = true; }, true);

        HTMLMediaElement.prototype.play = function () {
            return this.muted || touched
                   ? play.call(this)
                   : Promise.reject(new DOMException('', 'NotAllowedError'));
        };
    });
    await page.evaluate((id) => { location.hash = '#/recordings/' + id; },
                        system.played);
    await page.reload();
    await until('it plays without sound', () => video(page,
        (v) => v.currentTime > 0 && !v.paused && v.muted));
    await page.locator('.unmute').click();
    assert.equal(await video(page, (v) => v.muted || v.paused), false);
    await page.locator('.unmute').waitFor({ state: 'hidden' });
});


test('what is not there is said plainly', async (t) => {
    const cases = [
        ['#/recordings/' + system.deleted, 'This recording was deleted',
         '삭제된 녹화입니다'],
        ['#/recordings/999999', 'There is no such recording',
         '그런 녹화가 없습니다'],
        ['#/no/such/page', 'There is no such recording',
         '그런 녹화가 없습니다'],
        ['#/live/' + system.streamer, 'Not on the air now',
         '지금은 방송 중이 아닙니다'],
        ['#/live/999999', 'There is no such channel', '그런 채널이 없습니다'],
    ];

    for (const [locale, n] of [['en-US', 1], ['ko-KR', 2]]) {
        for (const one of cases) {
            const page = await openPage(t, browser, system,
                                        { hash: one[0], locale });

            await until(one[n], async () =>
                await page.locator('#gone-title').textContent() === one[n]);
            assert.equal(await page.locator('#player').isVisible(), false);
            assert.equal(await page.title(), one[n] + ' · mntreamer');
            await page.locator('#gone a').click();
            await page.locator('#recordings li').first().waitFor();
            await page.context().close();
        }
    }
});


test('what has nothing is said, and what begins is played', async (t) => {
    const page = await openPage(t, browser, system, {
        hash: '#/recordings/' + system.empty,
    });
    const note = () => page.locator('#player-note').textContent();

    await until('it is said', async () =>
        await note() === 'Nothing of it was recorded.');

    // the same while it is on the air, until there is something

    let begun = false;

    await page.route(/\/api\/v1\/recordings\b/, async (route) => {
        const response = await route.fetch();
        const body = await response.json();

        for (const item of body.items ?? [body]) {
            if (item.id === system.empty) {
                item.status = 'recording';
                item.url = begun ? '/recordings/played/index.m3u8' : null;
            }
        }

        await route.fulfill({ response, json: body });
    });
    await page.reload();
    await until('it is waited for', async () => /^Waiting/.test(await note()));
    begun = true;
    await until('it plays', () => video(page, (v) => v.currentTime > 0));
    assert.doesNotMatch(await note(), /^Waiting/);
});


test('a server that does not answer, and then does', async (t) => {
    const page = await openPage(t, browser, system);

    await page.route(/\/api\/v1\/recordings\/\d/, (route) => route.fulfill({
        status: 503,
        json: { status: 503, error: 'database_unavailable', description: '' },
    }));
    await page.evaluate((id) => { location.hash = '#/recordings/' + id; },
                        system.played);
    await page.locator('#trouble').waitFor();
    assert.equal(await page.locator('#gone').isVisible(), false);
    await page.unroute(/\/api\/v1\/recordings\/\d/);
    await until('it plays', () => video(page, (v) => v.currentTime > 0));
    assert.equal(await page.locator('#trouble').isVisible(), false);
});


test('at the width of a phone all of it can be reached', async (t) => {
    const page = await watch(t, { locale: 'ko-KR',
                                  viewport: { width: 360, height: 740 } });

    assert.equal(await page.evaluate(
        () => document.documentElement.scrollWidth), 360);

    for (const control of await page.locator(
        'mnt-player button:visible, mnt-player select:visible').all())
    {
        const { x, width, height } = await control.boundingBox();
        const name = await control.getAttribute('aria-label');

        assert.ok(x >= 0 && x + width <= 360, name + ' at ' + x);
        assert.ok(width >= 24 && height >= 24, name + ' is too small');
    }

    assert.equal(await page.locator('mnt-gap-list summary').textContent(),
                 '빠진 곳 2군데, 13.5초');
});


// the last one: it takes the recording away

test('it is kept, and deleted while it is watched', async (t) => {
    const page = await watch(t);
    const keep = page.locator('.about .keep');
    const api = (method) => fetch(
        new URL('api/v1/recordings/' + system.played, system.url), { method });
    const now = async () => (await api('GET')).json();

    await keep.click();
    await until('it is kept', async () => (await now()).protected);
    await until('the page says so', async () =>
        await keep.getAttribute('aria-pressed') === 'true'
        && await page.locator('.about .remove').isDisabled());
    await keep.click();
    await until('it is not kept', async () => !(await now()).protected);

    page.once('dialog', (dialog) => dialog.accept());
    await page.locator('.about .remove:enabled').click();
    await until('it is said', async () =>
        await page.locator('#gone-title').textContent()
        === 'This recording was deleted');
    assert.equal((await now()).status, 'deleted');
    assert.deepEqual(page.trouble, []);
});
