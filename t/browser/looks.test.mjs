// What a person without a mouse, with other eyes or a slow line needs.  Guards
// that axe-core has no serious finding on any view in light and dark, that all
// scripts of the watch page together are small, that nothing moves for who
// wants no motion, and that colours are chosen and kept.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { axeFile, openPage, startBrowser, startLibrary,
         until } from './system.mjs';

const MOST = 250000;        // of all scripts, packed

let system;
let browser;
let axe;


before(async () => {
    system = await startLibrary();
    browser = await startBrowser();
    axe = await readFile(axeFile(), 'utf8');
    await fetch(new URL('api/v1/streamers', system.url), {
        method: 'POST', headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ platform: 'rtmp', channel: 'studio' }),
    });
}, { timeout: 120000 });

after(async () => {
    await browser?.close();

    if (system) {
        assert.equal(await system.stop(), 0, 'the log is clean');
    }
}, { timeout: 60000 });


// each view, and what brings it into its fullest state

const VIEWS = {
    front: ['#/', async (page) => {
        await page.locator('#recordings li').first().waitFor();
    }],
    nothing: ['#/?q=nobody', async (page) => {
        await page.locator('#recordings-empty').waitFor();
    }],
    watch: [null, async (page) => {
        await until('it plays', () => page.locator('#video').evaluate(
            (v) => v.currentTime > 0));
        await page.locator('mnt-gap-list summary').click();
        await page.locator('.gap-at').first().waitFor();
    }],
    keys: [null, async (page) => {
        await page.locator('mnt-player .help').click();
        await page.getByRole('dialog').waitFor();
    }],
    editor: [null, async (page) => {
        await page.locator('mnt-editor summary').click();
        await page.locator('mnt-export-list summary').click();
        await page.locator('mnt-editor .mark_in').waitFor();
        await page.locator('mnt-export-list .export_all').waitFor();
    }],
    trash: ['#/trash', async (page) => {
        await page.locator('#trash-empty').waitFor();
    }],
    gone: ['#/recordings/999999', async (page) => {
        await page.locator('#gone').waitFor();
    }],
    channels: ['#/channels', async (page) => {
        await page.locator('.tile').first().waitFor();
        await page.locator('#watched li').first().waitFor();

        for (const summary of await page.locator('#own summary').all()) {
            await summary.click();
        }

        await page.locator('#own .make').waitFor();
    }],
};


// on the air and in trouble, which this system has nobody for

async function busy(page) {
    const live = {
        streamer_id: 1, platform: 'rtmp', channel_id: 'one',
        channel_name: 'One', title: 'on the air', category: 'Talk',
        viewers: 1234, watching: 5, started_at: new Date().toISOString(),
        recording_id: system.played, degraded: true, thumbnail: null,
    };

    await page.route(/\/api\/v1\/live\?/, (route) => route.fulfill({
        json: { items: [live], next: null },
    }));
    await page.route(/\/api\/v1\/streamers\?/, async (route) => {
        const response = await route.fetch();
        const body = await response.json();

        body.items.forEach((item, i) => {
            if (item.platform !== 'rtmp') {
                item.monitored = i > 0;
                item.status = i === 1 ? 'recording' : 'idle';
                item.last_probe = { at: new Date().toISOString(),
                                    outcome: 'live-not-playable',
                                    reason: 'adult' };
            }
        });
        await route.fulfill({ response, json: body });
    });
    await page.route(/\/api\/v1\/recordings\?/, async (route) => {
        const response = await route.fetch();
        const body = await response.json();

        body.items.slice(0, 4).forEach((item, i) => Object.assign(item, {
            status: i ? 'recorded' : 'recording', watching: i ? null : 3,
            gaps: 2, lost: 4, protected: i === 2,
        }));
        await route.fulfill({ response, json: body });
    });
}


for (const colorScheme of ['light', 'dark']) {
    test('axe finds nothing serious, ' + colorScheme, async (t) => {
        for (const [name, [hash, fill]] of Object.entries(VIEWS)) {
            const page = await openPage(t, browser, system, {
                colorScheme, locale: name === 'gone' ? 'ko-KR' : 'en-US',
            });

            await busy(page);
            await page.evaluate((to) => { location.hash = to; },
                                hash ?? '#/recordings/' + system.played);
            await page.reload();
            await fill(page);
            await page.evaluate(axe);

            const { violations } = await page.evaluate(
                () => window.axe.run(document));
            const found = violations.map(({ id, impact, nodes }) =>
                name + ': ' + impact + ' ' + id + ' '
                + nodes.map((node) => node.html.slice(0, 200)
                            + ' ' + node.failureSummary).join('\n'));

            for (const words of found) {
                t.diagnostic(words);
            }

            assert.deepEqual(violations.filter(({ impact }) =>
                ['serious', 'critical'].includes(impact)).map((v) => v.id),
                             [], found.join('\n'));
            assert.deepEqual(page.trouble, []);
            await page.context().close();
        }
    });
}


test('all scripts of the watch page are small', async (t) => {
    const page = await openPage(t, browser, system, {
        hash: '#/recordings/' + system.played,
    });

    await until('it plays', () => page.locator('#video').evaluate(
        (v) => v.currentTime > 0));

    const urls = await page.evaluate(
        () => performance.getEntriesByType('resource').map((e) => e.name)
            .filter((url) => url.endsWith('.js')));
    const sizes = await Promise.all(urls.map(async (url) => gzipSync(
        new Uint8Array(await (await fetch(url)).arrayBuffer())).length));
    const all = sizes.reduce((a, b) => a + b, 0);

    t.diagnostic(sizes.length + ' scripts, ' + all + ' bytes packed');
    assert.ok(urls.some((url) => url.endsWith('/hls.min.js')));
    assert.ok(sizes.length > 10 && all < MOST, all + ' bytes');
});


test('the front page does without the player', async (t) => {
    const page = await openPage(t, browser, system);

    await page.locator('#recordings li').first().waitFor();
    assert.deepEqual(await page.evaluate(
        () => performance.getEntriesByType('resource').map((e) => e.name)
            .filter((name) => /hls\.min/.test(name))), []);
});


test('colours are the browser\'s, until they are chosen', async (t) => {
    const page = await openPage(t, browser, system, { colorScheme: 'dark' });
    const ground = () => page.evaluate(
        () => getComputedStyle(document.body).backgroundColor);
    const dark = await ground();

    await page.locator('#theme').selectOption('light');

    const light = await ground();

    assert.notEqual(light, dark);
    await page.reload();
    await until('it is kept', async () => await ground() === light);
    await page.locator('#theme').selectOption('auto');
    assert.equal(await ground(), dark);
    await page.emulateMedia({ colorScheme: 'light' });
    assert.equal(await ground(), light);
});


test('nothing moves for who wants no motion', async (t) => {
    const page = await openPage(t, browser, system, {
        reducedMotion: 'reduce',
    });

    await page.locator('#recordings li').first().waitFor();
    assert.deepEqual(await page.evaluate(
        () => [...document.querySelectorAll('*')].filter((e) => {
            const style = getComputedStyle(e);

            return style.transitionProperty !== 'none'
                   && parseFloat(style.transitionDuration) > 0;
        }).map((e) => e.outerHTML)), []);
});


test('the first key skips to the content', async (t) => {
    const page = await openPage(t, browser, system);

    await page.locator('#recordings li').first().waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(
        () => document.activeElement.textContent), 'Skip to the content');
    await page.keyboard.press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'page');
    assert.doesNotMatch(page.url(), /#page/);
});
