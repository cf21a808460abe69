// The page in a real browser over a really running system.  Guards that a
// newcomer sees what is live, plays a recording from its first second while it
// grows, reads the page in Korean and in English, and that titles stay text.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage, startBrowser, startSystem, until } from './system.mjs';

let system;
let browser;


before(async () => {
    system = await startSystem();
    browser = await startBrowser();
}, { timeout: 240000 });

after(async () => {
    await browser?.close();
    await system?.stop();
});


// a page whose complaints and foreign requests fail the test

function open(t, options) {
    return openPage(t, browser, system, options);
}


function api(path) {
    return fetch(new URL('api/v1/' + path, system.url)).then((r) => r.json());
}


function growing() {
    return until('a recording has four segments', async () => {
        const { items } = await api('recordings');

        return items.find((r) => r.status === 'recording' && r.segments >= 4);
    }, 90);
}


test('the page lists what is live', async (t) => {
    const page = await open(t);
    const item = await until('something is live', async () =>
        (await api('live')).items[0], 60);
    const card = page.locator('#live li[data-channel="' + item.channel_id
                              + '"]');

    await card.waitFor();
    assert.equal(await card.locator('h3').textContent(), item.channel_name);
    assert.deepEqual(page.trouble, []);
});


test('a growing recording plays from its first second', async (t) => {
    const recording = await growing();
    const page = await open(t);
    const row = page.locator('#recordings li[data-recording="' + recording.id
                             + '"]');

    await row.locator('.play').click();

    const video = page.locator('#video');
    const start = await until('the video plays', () => video.evaluate(
        (v) => v.readyState >= 2 && v.currentTime > 0 && [v.currentTime]));

    assert.ok(start[0] < 5, 'began at ' + start[0]);

    const later = await until('its time goes on', async () => {
        const now = await video.evaluate((v) => v.currentTime);

        return now > start[0] + 1 && now;
    });

    assert.ok(later < start[0] + 20);
    assert.ok(await video.evaluate((v) => v.videoWidth) > 0);

    const first = await video.evaluate((v) => v.duration);

    await until('it grows while it plays', () => video.evaluate(
        (v, before) => v.duration > before, first));

    await page.locator('#player-live').click();
    await until('the live edge plays', () => video.evaluate(
        (v, before) => v.currentTime > before - 12
                       && v.duration - v.currentTime < 20, first));

    await page.locator('#player-close').click();
    await page.locator('#player').waitFor({ state: 'hidden' });
    assert.deepEqual(page.trouble, []);
});


test('what is live is played from where it is now', async (t) => {
    const recording = await until('one is half a minute long', async () =>
        (await api('recordings')).items.find(
            (r) => r.status === 'recording' && r.duration > 30), 90);
    const page = await open(t);

    await page.locator('#live li[data-channel="' + recording.channel_id + '"]')
        .getByRole('link').click();

    const video = page.locator('#video');
    const start = await until('it plays', () => video.evaluate(
        (v) => v.readyState >= 2 && v.currentTime > 0 && [v.currentTime]));

    assert.ok(start[0] > 15, 'began at ' + start[0]);
    assert.deepEqual(page.trouble, []);
});


test('the address names what is played', async (t) => {
    const recording = await growing();
    const page = await open(t, { hash: '#/recordings/' + recording.id });

    await page.locator('#player').waitFor();
    await until('the video plays', () => page.locator('#video').evaluate(
        (v) => v.currentTime > 0));
    assert.deepEqual(page.trouble, []);
});


test('a recording goes on where it was left', async (t) => {
    const recording = await until('one is half a minute long', async () =>
        (await api('recordings')).items.find((r) => r.duration > 30), 90);
    const page = await open(t, { hash: '#/recordings/' + recording.id });
    const video = page.locator('#video');
    const time = () => video.evaluate((v) => v.readyState >= 2
                                             && !v.seeking && v.currentTime);

    await until('it plays from its beginning', async () => {
        const now = await time();

        return now > 0 && now < 8;
    });
    await video.evaluate((v) => { v.currentTime = 17; });
    await until('somewhere else', async () => await time() >= 17);
    await video.evaluate((v) => v.pause());

    await page.reload();
    await until('and from there again', async () => {
        const now = await time();

        return now >= 16 && now < 30;
    });
    assert.deepEqual(page.trouble, []);
});


test('speed and keys', async (t) => {
    const recording = await until('one is half a minute long', async () =>
        (await api('recordings')).items.find((r) => r.duration > 30), 90);
    const page = await open(t, { hash: '#/recordings/' + recording.id });
    const video = page.locator('#video');
    const rate = () => video.evaluate((v) => v.playbackRate);

    await until('it plays', () => video.evaluate((v) => v.currentTime > 0));
    assert.equal(await rate(), 1);

    await page.locator('#player-speed').selectOption('2');
    assert.equal(await rate(), 2);
    await page.locator('#player-speed').selectOption('0.5');
    assert.equal(await rate(), 0.5);
    await page.locator('#player-title').click();

    await page.keyboard.press('>');
    assert.equal(await rate(), 0.75);
    await page.keyboard.press('<');
    await page.keyboard.press('<');
    assert.equal(await rate(), 0.5);

    await page.keyboard.press('Space');
    assert.equal(await video.evaluate((v) => v.paused), true);
    await video.evaluate((v) => { v.currentTime = 3; });
    await page.keyboard.press('l');
    await until('ten seconds ahead', () => video.evaluate(
        (v) => v.currentTime >= 12.9 && v.currentTime < 16));
    await page.keyboard.press('k');
    await page.keyboard.press('ArrowLeft');
    await until('and back', () => video.evaluate((v) => v.currentTime < 8));

    await page.keyboard.press('m');
    const muted = await video.evaluate((v) => v.muted);

    await page.locator('#search-words').focus();
    await page.keyboard.type('mkl ');
    assert.equal(await page.locator('#search-words').inputValue(), 'mkl ');
    assert.equal(await video.evaluate((v) => v.muted), muted);
    assert.deepEqual(page.trouble, []);
});


test('the language follows the browser, and the switch is kept', async (t) => {
    const page = await open(t, { locale: 'ko-KR' });
    const title = page.locator('#recordings-title');

    await until('it is Korean', async () =>
        await title.textContent() === '녹화');
    assert.equal(await page.locator('html').getAttribute('lang'), 'ko');

    await page.locator('#language').selectOption('en');
    await until('it is English', async () =>
        await title.textContent() === 'Recordings');

    await page.reload();
    await until('it is still English', async () =>
        await title.textContent() === 'Recordings');
    assert.deepEqual(page.trouble, []);
});


test('a title is text, whatever it holds', async (t) => {
    const page = await open(t);
    const hostile = '<img src=x onerror="document.title=\'owned\'"><b>bold</b>';
    const change = (body) => {
        for (const item of body.items ?? [body]) {
            item.title = hostile;
            item.channel_name = hostile;
            item.page = 'javascript:alert(1)';
            item.status = item.last_probe ? 'idle' : item.status;
            item.last_probe = { outcome: 'error', reason: hostile };
        }

        return body;
    };

    await growing();
    await page.route(/\/api\/v1\/(live|recordings|streamers)\b/, async (route) => {
        const response = await route.fetch();

        await route.fulfill({ response, json: change(await response.json()) });
    });
    await page.reload();

    const inert = async (list, text) => {
        const shown = page.locator(list + ' ' + text).first();

        await shown.waitFor();
        assert.equal(await shown.textContent(), hostile);
        assert.equal(await page.locator(
            list + ' b, ' + list + ' [onerror], ' + list + ' [src=x]').count(),
                     0);
    };

    await inert('#live', '.title');
    await inert('#live', 'h3');
    await inert('#recordings', '.title');
    await page.locator('#to-channels').click();
    await inert('#watched', 'h3');
    assert.equal(await page.locator('#watched .why').first().textContent(),
                 'Reason: ' + hostile);
    assert.equal(await page.locator('#watched a[href]').count(), 0);

    await page.locator('#to-front').click();
    await page.locator('#recordings .play[href]').first().click();
    await inert('#player', 'h1');
    assert.equal(await page.title(),
                 hostile + ' · ' + hostile + ' · mntreamer');
    assert.deepEqual(page.trouble, []);
});


test('a channel is added by what somebody types', async (t) => {
    const page = await open(t, { hash: '#/channels' });
    const name = '손으로 추가';
    const id = 'd' + '5'.padStart(31, '0');

    await page.locator('#add-channel').fill('  ' + name + ' ');
    await page.locator('#add button').click();
    await until('it is said', async () =>
        await page.locator('#add-note').textContent()
        === 'Watching ' + name + '.');

    const { items } = await api('streamers?channel_id=' + id);

    assert.equal(items.length, 1);

    await page.locator('#add-channel').fill('https://example.invalid/');
    await page.locator('#add button').click();
    await until('a refusal is said', async () =>
        (await page.locator('#add-note').textContent()).includes('not added'));

    await fetch(new URL('api/v1/streamers/' + items[0].id, system.url),
                { method: 'DELETE',
                  headers: { 'Content-Type': 'application/json' } });
    assert.deepEqual(page.trouble, []);
});


test('many are added at once, and what was refused stays', async (t) => {
    const page = await open(t, { hash: '#/channels' });
    const channel = page.locator('#add-channel');
    const id = 'd' + '5'.padStart(31, '0');

    await channel.fill('chzzk.naver.com/live/' + id + '\n\n nobody here');
    await channel.press('Enter');
    await until('both are answered', async () =>
        /^Watching 손으로 추가\.\nnobody here was not added: .* no such/.test(
            await page.locator('#add-note').textContent()));
    assert.equal(await channel.inputValue(), 'nobody here');

    const row = page.locator('#watched li', { hasText: '손으로 추가' });

    page.on('dialog', (dialog) => dialog.accept());
    await row.locator('.remove').click();
    await row.waitFor({ state: 'detached' });
    assert.deepEqual((await api('streamers?channel_id=' + id)).items, []);
    assert.deepEqual(page.trouble, []);
});


test('a watched channel is paused and its quality chosen', async (t) => {
    const page = await open(t, { hash: '#/channels' });
    const id = 'd' + '4'.padStart(31, '0');
    const { items: [streamer] } = await api('streamers?channel_id=' + id);
    const row = page.locator('#watched li[data-streamer="' + streamer.id
                             + '"]');
    const now = () => api('streamers/' + streamer.id);
    const asked = [];

    await until('its state is shown', async () =>
        await row.locator('.state').textContent() === 'Off the air');
    await until('when it was and will be asked is shown', async () =>
        /checked .*next /.test(await row.locator('.facts').textContent()));

    await row.locator('select').selectOption('720p');
    await until('the quality is chosen', async () =>
        (await now()).quality === '720p');

    await row.locator('.pause').click();
    await until('it is shown as paused', async () =>
        await row.locator('.state').textContent() === 'Paused');
    assert.equal((await now()).monitored, false);

    // the question says that nginx.conf brings it back; no is no

    page.on('dialog', (dialog) => {
        asked.push(dialog.message());
        dialog.dismiss();
    });
    await row.locator('.remove').click();
    assert.match(asked[0], /nginx\.conf/);

    await row.locator('.pause').click();
    await until('it is watched again', async () => (await now()).monitored);
    await row.locator('select').selectOption('best');
    await until('the quality is back', async () =>
        (await now()).quality === 'best');
    assert.deepEqual(page.trouble, []);
});


test('why a channel is not recorded is said', async (t) => {
    const said = {
        en: {
            'live-not-playable adult': [/cannot be recorded/, /cookies/],
            'unknown-channel ': [/No such channel/, /^$/],
            'transient-error timeout': [/Could not be asked/, /in time/],
            'malformed content.liveId': [/not understood/, /content\.liveId/],
            'offline ': [/Off the air/, /^$/],
        },
        ko: {
            'live-not-playable adult': [/녹화할 수 없음/, /쿠키/],
            'offline ': [/방송 중 아님/, /^$/],
        },
    };

    for (const [locale, cases] of Object.entries(said)) {
        const page = await open(t, { locale, hash: '#/channels' });
        const keys = Object.keys(cases);

        await page.route(/\/api\/v1\/streamers\?/, async (route) => {
            const response = await route.fetch();
            const { items: [one] } = await response.json();

            await route.fulfill({ response, json: {
                next: null,
                items: keys.map((key, i) => ({
                    ...one, id: 1000 + i, status: 'idle', monitored: true,
                    last_probe: {
                        at: new Date().toISOString(),
                        outcome: key.split(' ')[0],
                        reason: key.split(' ')[1] || null,
                    },
                })),
            } });
        });
        await page.reload();

        for (const [i, key] of keys.entries()) {
            const row = page.locator('#watched li[data-streamer="'
                                     + (1000 + i) + '"]');

            await row.waitFor();
            assert.match(await row.locator('.state').textContent(),
                         cases[key][0]);
            assert.match(await row.locator('.why').textContent(),
                         cases[key][1]);
        }

        assert.deepEqual(page.trouble, []);
    }
});


test('who may not change something is told so', async (t) => {
    const page = await open(t, { hash: '#/channels' });

    await page.route(/\/api\/v1\/streamers(\/|$)/, (route) => route.fulfill({
        status: 403,
        json: { status: 403, error: 'forbidden', description: 'no' },
    }));
    await page.locator('#add-channel').fill('somebody');
    await page.locator('#add button').click();
    await until('it is said', async () =>
        /allowed to by nginx\.conf/.test(
            await page.locator('#add-note').textContent()));
    assert.equal(await page.locator('#add-channel').inputValue(), 'somebody');
    assert.equal(await page.locator('#trouble').isVisible(), false);
});


test('a server that does not answer is said plainly', async (t) => {
    const page = await open(t);

    await page.route(/\/api\/v1\//, (route) => route.fulfill({
        status: 503,
        json: { status: 503, error: 'database_away', description: 'away' },
    }));
    await until('trouble is shown', async () =>
        await page.locator('#trouble').isVisible(), 20);
    assert.match(await page.locator('#trouble').textContent(), /database/);

    await page.unroute(/\/api\/v1\//);
    await page.locator('#trouble').waitFor({ state: 'hidden' });
});


test('a recording is kept, and deleted with its files', async (t) => {
    const page = await open(t);
    const streamer = await until('one is recorded', async () =>
        (await api('streamers?status=recording&platform=chzzk')).items[0], 60);
    const watch = (monitored) => fetch(
        new URL('api/v1/streamers/' + streamer.id, system.url), {
            method: 'PATCH',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ monitored }),
        });

    await watch(false);
    t.after(() => watch(true));

    const recording = await until('one is over', async () =>
        (await api('recordings?status=recorded&streamer_id=' + streamer.id))
            .items[0], 60);
    const row = page.locator('#recordings li[data-recording="' + recording.id
                             + '"]');
    const now = () => api('recordings/' + recording.id);

    await row.locator('.remove:visible').waitFor();

    // what is kept has nothing to be deleted by

    await row.locator('.keep').click();
    await until('it is kept', async () => (await now()).protected);
    await until('the page says so', async () =>
        await row.locator('.keep').getAttribute('aria-pressed') === 'true'
        && await row.locator('.remove').isDisabled());
    await row.locator('.keep').click();
    await until('it is not kept', async () => !(await now()).protected);
    await until('it may be deleted', async () =>
        await row.locator('.remove').isEnabled());

    // who thinks better of it deletes nothing

    page.once('dialog', (dialog) => dialog.dismiss());
    await row.locator('.remove').click();
    assert.equal((await now()).status, 'recorded');

    page.once('dialog', (dialog) => dialog.accept());
    await row.locator('.remove').click();
    await row.waitFor({ state: 'detached' });
    assert.match(await page.locator('#recordings-note').textContent(),
                 /was deleted/);
    assert.equal((await now()).status, 'deleted');
    await until('its files are gone', async () =>
        (await fetch(new URL(recording.url, system.url))).status === 404);
    assert.deepEqual(page.trouble, []);
});


const VIEWS = {
    front: '#live h3, #recordings .play',
    watch: '#player-title:not(:empty)',
    channels: '#watched h3',
};

async function view(t, name, options = {}) {
    const { id } = await growing();
    const page = await open(t, {
        ...options,
        hash: { front: '#/', watch: '#/recordings/' + id,
                channels: '#/channels' }[name],
    });

    await page.locator(VIEWS[name]).first().waitFor();
    return page;
}


test('nothing is wider than a phone', async (t) => {
    for (const locale of ['ko-KR', 'en-US']) {
        for (const name of Object.keys(VIEWS)) {
            const page = await view(t, name, {
                locale, viewport: { width: 360, height: 740 },
            });

            assert.equal(await page.evaluate(
                () => document.documentElement.scrollWidth), 360, name);

            // and nothing is squeezed into a column of letters

            const widths = await page.locator('main .title:visible')
                .evaluateAll((all) => all.map(
                    (e) => e.getBoundingClientRect().width));

            assert.ok(widths.every((width) => width > 200), name + ': '
                      + widths.join());
        }
    }
});


test('every control has a name', async (t) => {
    for (const name of Object.keys(VIEWS)) {
        const page = await view(t, name);

        const nameless = await page.locator(
            'button:visible, input:visible, select:visible, a:visible')
            .evaluateAll((all) => all.filter((e) => !(
                e.getAttribute('aria-label') || e.textContent.trim()
                || [...(e.labels ?? [])].some((l) => l.textContent.trim())))
                .map((e) => e.outerHTML));

        assert.deepEqual(nameless, []);
    }
});
