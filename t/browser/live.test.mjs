// Watching an own broadcast on the page, in a real browser over a running
// system with nginx-rtmp, ffmpeg and renditions.  Guards that the player takes a
// smaller picture when its network is slow and goes on, that the page says
// within seconds that a broadcast is over, and that a streamer who comes back is
// seen without a reload (LIV-02, LIV-10, ING-08, U1).

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startBrowser, until } from './system.mjs';

let helper;
let system;
let browser;
const encoders = new Set();


before(async () => {
    helper = spawn('/usr/bin/perl',
                   [fileURLToPath(new URL('own-system.pl', import.meta.url)),
                    '144p'],
                   { stdio: ['pipe', 'pipe', 'inherit'] });

    for await (const line of createInterface({ input: helper.stdout })) {
        system = JSON.parse(line);
        break;
    }

    browser = await startBrowser();
}, { timeout: 120000 });

after(async () => {
    encoders.forEach((e) => e.kill('SIGKILL'));
    await browser?.close();
    helper.stdin.end();

    const code = await new Promise((done) => helper.on('exit', done));

    assert.equal(code, 0, 'the log is clean');
}, { timeout: 60000 });


async function api(path, method = 'GET', body = undefined) {
    const response = await fetch(new URL('api/v1/' + path, system.url), {
        method,
        headers: { 'Content-Type': 'application/json' },
        body: body && JSON.stringify(body),
    });

    return response.status === 204 ? null : response.json();
}


function encode(key) {
    const e = spawn('ffmpeg', ['-v', 'quiet', '-nostdin', '-re',
                               '-stream_loop', '-1', '-i', system.clip, '-c',
                               'copy', '-f', 'flv', system.rtmp + '/' + key]);

    encoders.add(e);
    e.on('exit', () => encoders.delete(e));
    return e;
}


async function onAir(channel) {
    const streamer = await api('streamers', 'POST',
                               { platform: 'rtmp', channel });
    const { key } = await api('streamers/' + streamer.id + '/key', 'POST');

    return { key, encoder: encode(key) };
}


// the page with the player at the live edge, and what the player asks for

async function watch(t, channel) {
    const context = await browser.newContext({ locale: 'en-US' });
    const page = await context.newPage();

    page.segments = [];
    page.on('request', (request) => {
        const found = /\/([^/]*)\d{6}\.ts$/.exec(request.url());

        if (found) {
            page.segments.push(found[1]);
        }
    });

    t.after(() => context.close());
    await page.goto(system.url);

    const card = page.locator('#live li[data-channel="' + channel + '"]');

    await card.locator('button').click({ timeout: 60000 });
    await until('it plays', () => playing(page), 40000);
    return page;
}


function time(page) {
    return page.evaluate(() => document.querySelector('video').currentTime);
}


async function playing(page) {
    const at = await time(page);

    await page.waitForTimeout(300);
    return at > 0 && await time(page) > at;
}


// on a busy machine the throttled player may never settle: asked for by name

test('a slow network gets smaller pictures', {
    timeout: 180000,
    skip: !process.env.MNT_NETWORK && 'runs with MNT_NETWORK=1',
}, async (t) => {
    await onAir('slow');

    const page = await watch(t, 'slow');
    const network = await page.context().newCDPSession(page);

    await until('the source is taken first or soon', () =>
        page.segments.includes(''), 40000);
    await network.send('Network.enable');
    await network.send('Network.emulateNetworkConditions', {
        offline: false, latency: 20, downloadThroughput: 14000,
        uploadThroughput: 14000,
    });

    page.segments.length = 0;
    await until('the small one is taken', () =>
        page.segments.includes('144p-'), 60000);

    const before = await time(page);

    await until('and it goes on', async () => await time(page) > before + 4,
                60000);
});


test('its end is told, its return seen', { timeout: 180000 }, async (t) => {
    const own = await onAir('studio');
    const page = await watch(t, 'studio');

    own.encoder.kill('SIGKILL');

    const ended = Date.now();

    await until('the page says that it is over', async () =>
        /is over/.test(await page.locator('#player-note').textContent()),
        20000);

    const told = Date.now() - ended;

    assert.ok(told < 9000, 'after ' + told + ' ms');

    // the same player, nobody touches it

    const before = await page.evaluate(
        () => document.querySelector('video').currentTime);

    encode(own.key);
    await until('it goes on without a touch', async () =>
        await time(page) > before + 3 && await playing(page), 60000);
    assert.match(await page.locator('#player-note').textContent(),
                 /Being recorded/);

    // who comes now sees what is sent now

    const late = await watch(t, 'studio');
    const back = await late.evaluate(async () => {
        const url = performance.getEntriesByType('resource')
            .map((entry) => entry.name).find((n) => /video\.m3u8$/.test(n))
            ?? performance.getEntriesByType('resource')
                .map((entry) => entry.name).find((n) => /144p\.m3u8$/.test(n));
        const text = await (await fetch(url)).text();
        let at = 0;
        let begins = 0;

        for (const line of text.split('\n')) {
            const found = /^#EXTINF:([\d.]+)/.exec(line);

            if (line === '#EXT-X-DISCONTINUITY') {
                begins = at;
            }

            at += found ? Number(found[1]) : 0;
        }

        return begins;
    });

    assert.ok(back > 0, 'there is a discontinuity');
    assert.ok(await time(late) >= back - 0.5, 'nothing of what was before it');
});
