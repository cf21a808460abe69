// An own broadcast in the page: from its live edge and from its first second
// while it is on the air, across the place where its publisher came back, with
// another picture, and after its end.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';

import { startBrowser, until } from './system.mjs';

const top = fileURLToPath(new URL('../..', import.meta.url));

let server;
let lines;
let url;
let browser;


async function tell(what) {
    server.stdin.write(what + '\n');
    assert.equal((await lines.next()).value, 'done');
}


before(async () => {
    server = spawn('perl', ['t/browser/rtmp.pl'], {
        cwd: top,
        env: { ...process.env,
               MNT_NODE: process.env.MNT_NODE ?? top + 'build/npm' },
        stdio: ['pipe', 'pipe', 'inherit'],
    });
    lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
    url = (await lines.next()).value;
    browser = await startBrowser();
}, { timeout: 120000 });

after(async () => {
    await browser?.close();

    if (server) {
        const ended = new Promise((done) => server.on('exit', done));

        server.stdin.end();
        await ended;
    }
}, { timeout: 60000 });


async function recording() {
    const answer = await fetch(url + 'api/v1/recordings');
    const { items } = await answer.json();

    assert.ok(items.length <= 1, 'one recording');
    return items[0];
}


function state(page) {
    return page.locator('#video').evaluate((v) => ({
        time: v.currentTime, duration: v.duration, width: v.videoWidth,
        shown: v.getVideoPlaybackQuality().totalVideoFrames, ended: v.ended,
        plays: v.readyState >= 2 && !v.paused,
    }));
}


test('an own broadcast, its interruption and its end', async (t) => {
    const trouble = [];
    const open = async (hash = '') => {
        const page = await browser.newPage({ locale: 'en-US' });

        page.on('pageerror', (error) => trouble.push(String(error)));
        t.after(() => page.close());
        await page.goto(url + hash);
        return page;
    };

    await tell('publish small');

    const { id } = await until('it is recorded', async () => {
        const r = await recording();

        return r?.segments >= 5 && r;
    }, 40);

    // at the live edge, and from the first second

    const live = await open();

    await live.locator('#live li').getByRole('link').click();

    const first = await open('#/recordings/' + id);
    const at = await until('the live edge plays', async () => {
        const s = await state(live);

        return s.plays && s.shown > 0 && s.time > 1 && s;
    });

    assert.equal(at.width, 160);
    assert.ok(at.duration - at.time < 6, at.time + ' of ' + at.duration);

    const from = await until('the first second plays', async () => {
        const s = await state(first);

        return s.plays && s.shown > 0 && s;
    });

    assert.ok(from.time < 6 && from.width === 160, JSON.stringify(from));

    // its publisher is killed and comes back with another picture

    await tell('kill');
    await new Promise((done) => setTimeout(done, 1500));
    await tell('publish wide');

    for (const page of [live, first]) {
        await until('the new picture is shown', async () => {
            const s = await state(page);

            return s.width === 320 && s.plays;
        }, 60);

        const { time } = await state(page);

        await until('and plays on', async () =>
            (await state(page)).time > time + 2);
    }

    // its end

    await tell('stop');
    await until('it is over', async () =>
        (await recording()).status === 'recorded');
    await until('who watched it live comes to its end', async () =>
        (await state(live)).ended, 40);

    const again = await open('#/recordings/' + id);
    const whole = await until('afterwards it plays from its beginning',
                              async () => {
        const s = await state(again);

        return s.plays && s.shown > 0 && s;
    });

    assert.ok(whole.time < 6, 'at ' + whole.time);
    assert.equal(whole.width, 160);

    const { duration } = await recording();

    assert.ok(Math.abs(whole.duration - duration) < 1.5,
              whole.duration + ' of ' + duration);
    assert.deepEqual(trouble, []);
});
