// The page for who runs it.  Guards that disk, database, platforms and what is
// missing are told as they are, that each channel says its state, and that its
// priority can be changed (UI-08 has what there is to recordings).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage, startBrowser, startLibrary, until } from './system.mjs';

const HEALTH = { status: 'ok', version: '9.9.9', database: 'up',
                 disk: { free: 5e10, reserve: 1e9, state: 'ok' },
                 recordings: 3, workers: 4 };

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


function open(t, options = {}) {
    return openPage(t, browser, system, { hash: '#/channels', ...options });
}


// what a tile says, and how

async function tile(page, name) {
    const e = page.locator('.tile[data-name="' + name + '"]');

    await e.waitFor();
    return [await e.getAttribute('data-tone'),
            await e.locator('.value').textContent(),
            await e.locator('.muted').textContent()];
}


test('all is well, by the server itself', async (t) => {
    const page = await open(t);
    const [tone, room, kept] = await tile(page, 'disk');

    assert.ok(tone === 'ok' || tone === 'warn');
    assert.match(room, /^[\d,.]+ [GT]B free$/);
    assert.match(kept, /kept free$/);
    assert.deepEqual(await tile(page, 'database'),
                     ['ok', 'Answers', 'all is kept']);
    assert.equal((await tile(page, 'recordings'))[1], '0');
    assert.deepEqual(page.trouble, []);
});


test('what is not well is told', async (t) => {
    const page = await open(t);
    const tell = async (health) => {
        await page.unroute('**/health');
        await page.route('**/health', (route) => (health
            ? route.fulfill({ status: health.database === 'down' ? 503 : 200,
                              json: health })
            : route.fulfill({ status: 403, body: 'no' })));
        await page.reload();
    };

    await tell({ ...HEALTH, database: 'busy', status: 'degraded',
                 disk: { ...HEALTH.disk, free: 1.5e9 } });
    assert.deepEqual((await tile(page, 'disk')).slice(0, 2),
                     ['warn', '1.5 GB free']);
    assert.deepEqual((await tile(page, 'database')).slice(0, 2),
                     ['warn', 'Slow']);
    assert.deepEqual(await tile(page, 'recordings'),
                     ['ok', '3', '4 workers, version 9.9.9']);

    await tell({ ...HEALTH, database: 'down', status: 'degraded',
                 disk: { free: 5e8, reserve: 1e9, state: 'disk_full' } });
    assert.deepEqual((await tile(page, 'disk')).slice(0, 2), ['bad', 'Full']);
    assert.deepEqual(await tile(page, 'database'),
                     ['bad', 'Away',
                      'Recordings go on and are entered later.']);

    await tell({ ...HEALTH, disk: { ...HEALTH.disk, free: null,
                                    state: 'storage_error' } });
    assert.deepEqual((await tile(page, 'disk')).slice(0, 2),
                     ['bad', 'Failing']);

    // where nginx.conf does not let it be asked

    await tell(null);
    assert.deepEqual((await tile(page, 'server')).slice(0, 2),
                     ['', 'Unknown']);
    assert.equal(await page.locator('#trouble').isVisible(), false);
});


test('platforms by their answers, and what is missing', async (t) => {
    const page = await open(t);
    const probed = (outcome) => ({
        platform: 'chzzk', monitored: true,
        last_probe: { at: '2026-01-02T03:04:05.000Z', outcome, reason: '' },
    });
    let outcomes = ['live', 'offline', 'live-not-playable'];

    await page.route(/streamers\?monitored=true/, (route) => route.fulfill({
        json: { items: outcomes.map(probed), next: null },
    }));
    await page.route(/recordings\?.*since=/, (route) => route.fulfill({
        json: { items: [{ gaps: 2, lost: 7 }, { gaps: 0, lost: 0 },
                        { gaps: 1, lost: 5.5 }], next: null },
    }));
    await page.reload();
    assert.deepEqual((await tile(page, 'platform-chzzk')).slice(0, 2),
                     ['ok', 'Answers']);
    assert.deepEqual(await tile(page, 'gaps'),
                     ['warn', '12.5 sec', 'in 2 of 3 recordings']);

    outcomes = ['live', 'transient-error', 'rate-limited'];
    await page.reload();
    assert.deepEqual((await tile(page, 'platform-chzzk')).slice(0, 2),
                     ['warn', '2 of 3 unclear']);

    outcomes = ['access-denied'];
    await page.reload();
    assert.deepEqual((await tile(page, 'platform-chzzk')).slice(0, 2),
                     ['bad', '1 of 1 unclear']);

    outcomes = [];
    await page.reload();
    await tile(page, 'gaps');
    assert.equal(await page.locator('[data-name^=platform]').count(), 0);
});


test('a channel has its priority, and what is on the air of it', async (t) => {
    const page = await open(t);
    const row = page.locator('#watched li[data-streamer="' + system.streamer
                             + '"]');
    const priority = row.locator('.priority');
    const now = async () => (await fetch(
        new URL('api/v1/streamers/' + system.streamer, system.url))).json();

    await row.waitFor();
    assert.equal(await row.locator('.state').textContent(), 'Paused');
    await priority.fill('7');
    await priority.press('Enter');
    await until('it is kept', async () => (await now()).priority === 7);
    assert.equal(await priority.inputValue(), '7');

    // what cannot be is taken back

    await priority.fill('5000');
    await priority.press('Enter');
    await until('it is as it was', async () =>
        await priority.inputValue() === '7');
    assert.equal((await now()).priority, 7);

    await page.route(/\/api\/v1\/(streamers|live)\?/, async (route) => {
        const response = await route.fetch();
        const body = await response.json();

        for (const item of body.items) {
            item.status = 'recording';
            item.is_streaming = true;
            item.live = { title: 'on the air', category: 'Talk', viewers: 12,
                          degraded: false };
        }

        if (/live/.test(route.request().url())) {
            body.items = [{ streamer_id: system.streamer, watching: 3 }];
        }

        await route.fulfill({ response, json: body });
    });
    await until('it is being recorded', async () =>
        await row.locator('.state').textContent() === 'Recording');
    assert.equal(await row.locator('.title').textContent(),
                 'on the air · Talk');
    await until('with its viewers, and ours', async () =>
        await row.locator('.viewers').textContent()
        === '12 viewers · 3 watch here');
    assert.deepEqual(page.trouble, []);
});


test('in Korean nothing of it is English', async (t) => {
    const page = await open(t, { locale: 'ko-KR' });

    await tile(page, 'disk');
    await page.locator('#watched li').first().waitFor();

    const words = await page.locator('main').innerText();

    assert.equal(words.replace(
        /Name \d|nginx\S*|docs\S*|Shift\+Enter|Chzzk|HLS|RTMP|OBS|ID|[GT]B/g,
        '').match(/[A-Za-z]{2,}/), null);
});
