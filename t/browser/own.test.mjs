// "Own channels" of the page, in a real browser over a running system with
// nginx-rtmp.  Guards that somebody who has never seen it gets on the air: adds
// a channel, makes a key that is shown once, copies what OBS wants, and calls
// the broadcast something, also while it is on the air; that titles stay text
// and that all of it can be done with a keyboard, in two languages.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { openPage, startBrowser, until } from './system.mjs';

const HOSTILE = '<img src=x onerror="document.title=\'owned\'">\u202ecba 🎉';

let helper;
let system;
let browser;
const encoders = [];


before(async () => {
    helper = spawn('/usr/bin/perl',
                   [fileURLToPath(new URL('own-system.pl', import.meta.url))],
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


function open(t, options = {}) {
    return openPage(t, browser, system, {
        permissions: ['clipboard-read', 'clipboard-write'],
        hash: '#/channels', ...options,
    });
}


async function api(path, method = 'GET', body = undefined) {
    const response = await fetch(new URL('api/v1/' + path, system.url), {
        method,
        headers: { 'Content-Type': 'application/json' },
        body: body && JSON.stringify(body),
    });

    return response.status === 204 ? null : response.json();
}


function add(channel, more = {}) {
    return api('streamers', 'POST', { platform: 'rtmp', channel, ...more });
}


function encode(key) {
    const e = spawn('ffmpeg', ['-v', 'quiet', '-nostdin', '-re',
                               '-stream_loop', '-1', '-i', system.clip, '-c',
                               'copy', '-f', 'flv', system.rtmp + '/' + key]);

    encoders.push(e);
    return e;
}


function rowOf(page, id) {
    return page.locator('#own-list li[data-streamer="' + id + '"]');
}


test('somebody gets on the air', async (t) => {
    const page = await open(t);
    const name = page.locator('#own-name');

    await page.locator('#own-empty').waitFor();
    await page.locator('#own-add button').click();
    assert.match(await page.locator('#own-note').textContent(), /Type a name/);

    await name.fill('not a name');
    await name.press('Enter');
    await until('a bad name is said', async () =>
        /letters of a to z/.test(await page.locator('#own-note').textContent()));
    assert.equal(await name.inputValue(), 'not a name');

    await name.fill('studio');
    await name.press('Enter');

    const row = page.locator('#own-list li', { hasText: 'studio' });

    await row.waitFor();
    assert.equal(await page.locator('#own-empty').isVisible(), false);
    assert.equal(await row.locator('.state').textContent(), 'Off the air');
    assert.equal(await row.locator('.title').textContent(), 'No title');
    assert.equal(await page.locator('#watched li').count(), 0,
                 'it is not asked of anybody');

    // the key, once

    const panel = row.locator('details', { hasText: 'Stream key' });

    await panel.locator('summary').click();
    await until('there is no key', async () =>
        await panel.locator('.about').textContent() === 'There is no key yet.');
    assert.equal(await panel.locator('code.server').textContent(),
                 'rtmp://127.0.0.1:1935/ingest');
    assert.equal(await panel.locator('.revoke').isVisible(), false);

    await panel.locator('.make').click();

    const secret = panel.locator('code.key');

    await secret.waitFor();

    const key = await secret.textContent();

    assert.match(key, /^[0-9a-f]{48}$/);
    assert.match(await panel.locator('.why').textContent(), /only once/);

    await panel.locator('.copy-key').click();
    await until('it says so', async () =>
        await panel.locator('.note').textContent() === 'Copied.');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()),
                 key);
    await panel.locator('.copy-server').click();
    await until('the server, too', async () =>
        await page.evaluate(() => navigator.clipboard.readText())
        === 'rtmp://127.0.0.1:1935/ingest');

    // the list is drawn again every three seconds

    await page.waitForResponse(/\/api\/v1\/streamers\?platform=rtmp/);
    await page.waitForResponse(/\/api\/v1\/live/);
    assert.equal(await secret.textContent(), key, 'it stays while it is open');

    // on the air

    const encoder = encode(key);

    await until('it is on the air', async () =>
        await row.locator('.state').textContent() === 'On the air');

    const front = await open(t, { hash: '#/' });
    const card = front.locator('#live li[data-channel="studio"]');

    await card.waitFor();
    assert.equal(await card.locator('h3').textContent(), 'studio');
    assert.match(await card.locator('.facts').textContent(),
                 /own channel.*since/);
    assert.equal(await card.locator('button, a[href]').count(), 0,
                 'nothing is recorded: nothing to play');

    // called something while it is

    const form = row.locator('details', { hasText: 'Title and category' });

    await form.locator('summary').click();
    await form.getByLabel('Title', { exact: true }).fill(HOSTILE);
    await form.getByLabel('Category', { exact: true }).fill('음악');
    await form.getByLabel('Description').fill('one\ntwo');
    await form.getByRole('button', { name: 'Save' }).click();
    await until('it is said', async () =>
        /viewers see it now/.test(await form.locator('.note').textContent()));
    await until('the card has it', async () =>
        await card.locator('.title').textContent() === HOSTILE
        && await card.locator('.category').textContent() === '음악');
    await until('the list, too', async () =>
        await row.locator('.title').textContent() === HOSTILE);
    assert.equal(await page.locator('main [src=x]').count()
                 + await front.locator('main [src=x]').count(), 0);
    assert.match(await page.title(), /^Channels · mntreamer$/);
    assert.equal(await front.title(), 'mntreamer');

    const { items: [on] } = await api('live');

    assert.equal(on.title, HOSTILE);
    assert.equal((await api('live/' + on.streamer_id)).description,
                 'one\ntwo');

    // the viewers that the database knows of

    const viewers = async (route) => {
        const response = await route.fetch();
        const body = await response.json();

        for (const item of body.items) {
            item.viewers = 1234;
            item.live = item.live && { ...item.live, viewers: 1234 };
        }

        await route.fulfill({ response, json: body });
    };
    const counted = /\/api\/v1\/(live|streamers)\?/;

    await Promise.all([page, front].map((p) => p.route(counted, viewers)));
    await until('viewers are shown', async () =>
        /1,234 viewers/.test(await card.locator('.viewers').textContent())
        && /1,234 viewers/.test(await row.locator('.viewers').textContent()));
    await Promise.all([page, front].map((p) => p.unroute(counted)));

    // closed and opened again: the key is gone

    await panel.locator('summary').click();
    await until('it is taken away', async () =>
        await panel.locator('code.key').textContent() === '');
    await panel.locator('summary').click();
    await until('it cannot be shown again', async () =>
        /cannot be shown again/.test(
            await panel.locator('.about').textContent()));
    assert.equal(await secret.isVisible(), false);
    assert.ok(!(await page.content()).includes(key), 'nor is it hidden');

    // revoked: asked first

    const asked = [];

    page.once('dialog', (dialog) => {
        asked.push(dialog.message());
        dialog.dismiss();
    });
    await panel.locator('.revoke').click();
    assert.match(asked[0], /Revoke the key of studio/);
    assert.ok((await api('streamers/' + on.streamer_id + '/key')).made_at);

    page.once('dialog', (dialog) => dialog.accept());
    await panel.locator('.revoke').click();
    await until('it is said', async () =>
        /good no more/.test(await panel.locator('.note').textContent()));
    assert.equal(await panel.locator('.revoke').isVisible(), false);
    await until('who is on the air is closed', async () =>
        await row.locator('.state').textContent() === 'Off the air');
    await card.waitFor({ state: 'detached' });
    encoder.kill('SIGKILL');
    assert.deepEqual([...page.trouble, ...front.trouble], []);
});


test('a key is renewed, and the other one is good no more', async (t) => {
    const { id } = await add('renewed');
    const { key: first } = await api('streamers/' + id + '/key', 'POST');
    const page = await open(t);
    const row = rowOf(page, id);
    const panel = row.locator('details', { hasText: 'Stream key' });
    const asked = [];

    await panel.locator('summary').click();
    await until('there is one', async () =>
        await panel.locator('.make').textContent() === 'New key');
    page.on('dialog', (dialog) => {
        asked.push(dialog.message());
        dialog.accept();
    });
    await panel.locator('.make').click();

    const secret = panel.locator('code.key');

    await secret.waitFor();
    assert.notEqual(await secret.textContent(), first);
    assert.match(asked[0], /The one before is good no more/);
    assert.match(await page.evaluate(
        () => document.activeElement.getAttribute('aria-label')), /Copy/);

    encode(first);
    await new Promise((done) => setTimeout(done, 2000));
    assert.equal((await api('streamers/' + id)).is_streaming, false);

    const encoder = encode(await secret.textContent());

    await until('the new one is good', async () =>
        (await api('streamers/' + id)).is_streaming);
    encoder.kill();
    assert.deepEqual(page.trouble, []);
});


test('what is typed stays, what is too long is said', async (t) => {
    const { id } = await add('typed', { title: 'before' });
    const page = await open(t);
    const row = rowOf(page, id);
    const form = row.locator('details', { hasText: 'Title and category' });
    const title = form.getByLabel('Title', { exact: true });

    await form.locator('summary').click();
    assert.equal(await title.inputValue(), 'before');
    await title.fill('half of');
    await form.getByLabel('Category', { exact: true }).focus();
    await api('streamers/' + id, 'PATCH', { category: 'by another' });
    await until('the list has it', async () =>
        await row.locator('.category').textContent() === 'by another');
    assert.equal(await title.inputValue(), 'half of');

    await title.fill('가'.repeat(101));

    const wrong = form.locator('#' + (await title.getAttribute('id'))
                               + '-wrong');

    assert.match(await wrong.textContent(), /303 of 300/);
    assert.equal(await title.getAttribute('aria-invalid'), 'true');
    await title.press('Enter');
    assert.equal((await api('streamers/' + id)).title, 'before');
    await title.fill('가'.repeat(100));
    assert.equal(await wrong.textContent(), '');
    await title.press('Enter');
    await until('it is saved', async () =>
        /^Saved/.test(await form.locator('.note').textContent()));
    assert.equal((await api('streamers/' + id)).title, '가'.repeat(100));

    // typed while it is being saved

    let answer;

    await page.route(/\/api\/v1\/streamers\/\d+$/, async (route) => {
        await new Promise((done) => { answer = done; });
        await route.continue();
    });
    await title.fill('sent');
    await title.press('Enter');
    await until('it is being saved', () => answer);
    await title.fill('typed');
    answer();
    await until('it is saved, too', async () =>
        (await api('streamers/' + id)).title === 'sent');
    await page.unroute(/\/api\/v1\/streamers\/\d+$/);
    await form.getByLabel('Category', { exact: true }).focus();
    await until('the list has it', async () =>
        await row.locator('.title').textContent() === 'sent');
    await page.waitForResponse(/platform=rtmp/);
    await page.waitForResponse(/platform=rtmp/);
    assert.equal(await title.inputValue(), 'typed');

    // what the server refuses stands at its field

    await title.fill('a\u0001b');
    await title.press('Enter');
    await until('it is said', async () =>
        /control characters/.test(await wrong.textContent()));

    await title.fill('');
    await title.press('Enter');
    await until('empty resets', async () =>
        (await api('streamers/' + id)).title === null);
    await until('and it is said', async () =>
        /next broadcast/.test(await form.locator('.note').textContent()));
    await until('the list has it', async () =>
        await row.locator('.title').textContent() === 'No title');
    assert.deepEqual(page.trouble, []);
});


test('it can be done with a keyboard', async (t) => {
    const { id } = await add('keys');
    const page = await open(t);
    const row = rowOf(page, id);
    const focused = () => page.evaluate(() => {
        const e = document.activeElement;

        return e.getAttribute('aria-label') ?? e.labels?.[0]?.textContent
               ?? e.textContent;
    });

    await row.waitFor();
    await row.locator('summary').first().focus();
    assert.equal(await focused(), 'Title and category of keys');
    await page.keyboard.press('Enter');

    for (const name of ['Title', 'Category', 'Description', 'Save']) {
        await page.keyboard.press('Tab');
        assert.equal(await focused(), name);
    }

    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Stream key and OBS for keys');
    await page.keyboard.press('Space');
    await row.locator('.make').waitFor();
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Copy the server');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Make a key');
    await page.keyboard.press('Enter');
    await until('the copy button has the focus', async () =>
        await focused() === 'Copy the stream key');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'New key');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Revoke');
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Remove keys');
    page.once('dialog', (dialog) => dialog.accept());
    await page.keyboard.press('Enter');
    await row.waitFor({ state: 'detached' });
    assert.match(await page.locator('#own-note').textContent(),
                 /keys was removed/);
    assert.deepEqual(page.trouble, []);
});


test('in Korean, at the width of a phone', async (t) => {
    const { id } = await add('phone', { title: '가'.repeat(100),
                                        category: 'W'.repeat(100) });
    await api('streamers/' + id + '/key', 'POST');
    const page = await open(t, { locale: 'ko-KR',
                                 viewport: { width: 360, height: 740 } });
    const row = rowOf(page, id);

    await row.waitFor();
    assert.equal(await page.locator('#own-title').textContent(), '내 채널');

    for (const summary of await row.locator('summary').all()) {
        await summary.click();
    }

    await until('the panel is filled', () =>
        row.locator('.revoke').isVisible());
    page.once('dialog', (dialog) => dialog.accept());
    await row.locator('.make').click();
    await row.locator('code.key').waitFor();

    const width = () => page.evaluate(
        () => document.documentElement.scrollWidth);

    assert.equal(await width(), 360);
    assert.ok(!/[A-Za-z]{4,}/.test((await row.locator('.steps').textContent())
        .replace(/rtmp:\S+|[0-9a-f]{48}|H\.264/g, '')), 'no English is left');

    for (const control of await page.locator(
        '#own button:visible, #own input:visible, #own textarea:visible').all())
    {
        const name = await control.evaluate((e) =>
            e.getAttribute('aria-label') || e.textContent.trim()
            || [...(e.labels ?? [])].map((l) => l.textContent.trim()).join());

        assert.ok(name, await control.evaluate((e) => e.outerHTML));
    }

    await page.locator('#language').selectOption('en');
    await until('it is English', async () =>
        await page.locator('#own-title').textContent() === 'Own channels'
        && await row.locator('.make').textContent() === 'New key');
    assert.equal(await width(), 360);
    assert.deepEqual(page.trouble, []);
});
