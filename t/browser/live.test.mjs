// Watching an own broadcast on the page, in a real browser over a running
// system with nginx-rtmp, ffmpeg and renditions.  Guards that the player takes
// a smaller picture when its network is slow, without a stall, and the source
// when it is fast again, that hls.js reloads by delta updates, that the page
// says within seconds that a broadcast is over, and that a streamer who comes
// back is seen without a reload (LIV-02, LIV-10, ING-08, U1).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startBrowser, startOwnSystem, until } from './system.mjs';

let system;
let browser;


before(async () => {
    system = await startOwnSystem('144p', '320x240', 'testsrc2');
    browser = await startBrowser();
}, { timeout: 120000 });

after(async () => {
    await browser?.close();

    if (system) {
        assert.equal(await system.stop(), 0, 'the log is clean');
    }
}, { timeout: 60000 });


// until it is killed, or for so many seconds

async function onAir(channel, seconds) {
    const streamer = await system.api('streamers', 'POST',
                                      { platform: 'rtmp', channel });
    const { key } = await system.api('streamers/' + streamer.id + '/key',
                                     'POST');

    return { key, encoder: system.encode(key, seconds) };
}


async function open(t, hash = '') {
    const context = await browser.newContext({ locale: 'en-US' });
    const page = await context.newPage();

    t.after(() => context.close());
    await page.goto(system.url + hash);
    return page;
}


// the page with the player at the live edge

async function watch(t, channel) {
    const page = await open(t);
    const card = page.locator('#live li[data-channel="' + channel + '"]');

    await card.getByRole('link').click({ timeout: 60000 });
    await until('it plays', () => playing(page), 40);
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


// BANDWIDTH of each media playlist and how many segments it has; null before
// all of them have their end

async function renditions(url) {
    const text = async (name) => {
        const response = await fetch(new URL(name, new URL(url, system.url)));

        return response.ok ? response.text() : '';
    };
    const found = {};

    for (const [, rate, name] of (await text('index.m3u8')).matchAll(
        /^#EXT-X-STREAM-INF:BANDWIDTH=(\d+).*\n(.+)/gm))
    {
        const media = await text(name);

        if (!/^#EXT-X-ENDLIST$/m.test(media)) {
            return null;
        }

        found[name] = { rate: Number(rate),
                        segments: media.match(/^#EXTINF/gm).length };
    }

    return found;
}


// what is shown, how many seconds are there beyond it, and how often there
// were none

function picture(page) {
    return page.evaluate(() => {
        const v = document.querySelector('video');
        const ahead = () => {
            const { buffered: b, currentTime: at } = v;
            const n = [...Array(b.length).keys()].find(
                (i) => b.start(i) <= at + 0.1 && b.end(i) > at);

            return n === undefined ? 0 : b.end(n) - at;
        };

        if (v.stalls === undefined) {
            v.stalls = 0;
            v.addEventListener('waiting', () => {
                v.stalls += ahead() < 0.2 ? 1 : 0;
            });
        }

        return { time: v.currentTime, height: v.videoHeight, ahead: ahead(),
                 stalls: v.stalls };
    });
}


// It plays what was recorded, so that no encoder takes part, over networks as
// fast as the bandwidths ask for: how fast the machine is does not matter.

test('a slow network gets smaller pictures', {
    timeout: 600000,
}, async (t) => {
    await onAir('slow', 60);

    const recording = await until('the broadcast was recorded', async () => {
        const { items } = await system.api('recordings');

        return items.find((r) => r.channel_id === 'slow'
                          && r.status === 'recorded' && r.segments > 50);
    }, 150);
    const { 'video.m3u8': source, '144p.m3u8': small } = await until(
        'it has its renditions', () => renditions(recording.url));
    const told = JSON.stringify({ source, small });

    assert.ok(source && small, 'both were recorded: ' + told);
    assert.equal(small.segments, source.segments, told);
    assert.ok(source.rate > small.rate * 1.6, told);

    // hls.js takes what needs at most 0.95 of what it measures: in the middle

    const slow = Math.sqrt(source.rate * small.rate) / 0.95;
    const page = await open(t);
    const network = await page.context().newCDPSession(page);
    const limit = (bits) => network.send('Network.emulateNetworkConditions', {
        offline: false, latency: 0, uploadThroughput: -1,
        downloadThroughput: bits < 0 ? bits : bits / 8,
    });
    const asked = [];

    page.on('request', (request) => {
        const found = /\/([^/]*)\d{6}\.ts$/.exec(request.url());

        if (found) {
            asked.push(found[1]);
        }
    });
    await network.send('Network.enable');
    await limit(3 * source.rate);
    await page.evaluate((id) => { location.hash = '#/recordings/' + id; },
                        recording.id);
    await until('hls.js plays it', () => page.evaluate(
        () => window.Hls?.isSupported()));

    const { stalls } = await until('the source is shown, and more is there',
                                   async () => {
        const p = await picture(page);

        return p.height === 240 && p.ahead > 6 && asked.at(-1) === '' && p;
    }, 60);

    await limit(slow);
    await until('the smaller one is taken', () => asked.at(-1) === '144p-', 60);

    const at = await until('and shown', async () => {
        const p = await picture(page);

        return p.height === 144 && p;
    }, 60);
    const end = await until('and it goes on', async () => {
        const p = await picture(page);

        return p.time > at.time + 2 && p;
    }, 60);

    assert.equal(end.height, 144);
    assert.equal(end.stalls, stalls, 'it never had to wait');

    await limit(-1);
    await until('the source is taken again', () => asked.at(-1) === '', 60);
});


test('its end is told, its return seen', { timeout: 180000 }, async (t) => {
    const own = await onAir('studio');
    const page = await watch(t, 'studio');
    const edge = page.locator('#player-live');
    const atEdge = async () => await edge.getAttribute('aria-pressed');

    // the button tells whether it is seen live, and goes there

    await until('it is seen live', async () => await atEdge() === 'true', 40);
    assert.equal(await edge.textContent(), 'Live');
    await until('there is something to be rewound', () => page.evaluate(
        () => document.querySelector('video').duration > 12), 40);
    await page.locator('#player-start').click();
    await until('how far behind it is', async () =>
        await atEdge() === 'false'
        && /^−0:\d\d$/.test(await edge.textContent()));
    await edge.click();
    await until('it is seen live again', async () =>
        await atEdge() === 'true', 40);

    // the address of the channel says the same, by whatever recording it is

    const { items: [{ streamer_id: streamer }] } = await system.api('live');
    const given = await open(t, '#/live/' + streamer);

    await until('it plays by that, too', () => playing(given), 40);
    await until('at its live edge', async () => await given.locator(
        '#player-live').getAttribute('aria-pressed') === 'true', 40);

    // meanwhile hls.js waits for what is new, and takes no more than that

    const reloads = [];

    page.on('response', async (response) => {
        if (/\.m3u8\?/.test(response.url())) {
            reloads.push({ url: response.url(), status: response.status(),
                           text: await response.text().catch(() => '') });
        }
    });
    await until('it reloads by deltas', () => reloads.some(
        ({ url, text }) => /_HLS_msn=\d+&_HLS_skip=YES/.test(url)
                           && /^#EXT-X-SKIP:/m.test(text)), 60);
    assert.deepEqual(reloads.filter(({ status }) => status !== 200), []);
    assert.ok(await playing(page), 'and plays on');

    own.encoder.kill('SIGKILL');

    const ended = Date.now();

    await until('the page says that it is over', async () =>
        /is over/.test(await page.locator('#player-note').textContent()), 20);

    const told = Date.now() - ended;

    assert.ok(told < 9000, 'after ' + told + ' ms');

    // the same player, nobody touches it

    const before = await page.evaluate(
        () => document.querySelector('video').currentTime);

    system.encode(own.key);
    await until('it goes on without a touch', async () =>
        await time(page) > before + 3 && await playing(page), 60);
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
