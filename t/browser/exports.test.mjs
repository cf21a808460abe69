// Files made of a recording, over a running system.  Guards that all of it or
// what is marked becomes one, that how far it is is told, that it is
// cancelled, tried again, downloaded and deleted (UI-08).

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage, startBrowser, startEditor, until } from './system.mjs';

let system;
let browser;


before(async () => {
    system = await startEditor();
    browser = await startBrowser();
}, { timeout: 120000 });

after(async () => {
    await browser?.close();

    if (system) {
        assert.equal(await system.stop(), 0, 'the log is clean');
    }
}, { timeout: 60000 });


async function watch(t, id, options = {}) {
    const page = await openPage(t, browser, system, {
        hash: '#/recordings/' + id, ...options,
    });

    await until('it plays', () => page.locator('#video').evaluate(
        (v) => v.currentTime > 0.5 && v.duration > 11));
    await page.locator('mnt-export-list summary').click();
    return page;
}


const jobsOf = async (id) => (await system.api(
    'recordings/' + id + '/exports')).items;


test('all of it, and what is marked, is made and downloaded', async (t) => {
    const page = await watch(t, system.one);
    const list = page.locator('mnt-export-list');
    const row = (n) => list.locator('li').nth(n);

    assert.ok(await list.locator('.export_span').isDisabled());
    await list.locator('.export_all').click();
    await row(0).locator('a').waitFor();
    assert.match(await row(0).locator('.job').textContent(),
                 /^All of it · ready · \d.* · 0:00:24$/);

    const [file] = await Promise.all([page.waitForEvent('download'),
                                      row(0).locator('a').click()]);

    assert.match(file.suggestedFilename(), /one.*\.mp4$/);

    // what is marked

    await page.locator('#player-title').click();
    await page.locator('#video').evaluate((v) => {
        v.pause();
        v.currentTime = 4.5;
    });
    await page.keyboard.press('i');
    await page.locator('#video').evaluate((v) => { v.currentTime = 9; });
    await page.keyboard.press('o');
    await list.locator('.export_span').click();
    await row(1).locator('a').waitFor();
    assert.match(await row(1).locator('.job').textContent(),
                 /^0:04 to 0:10 · ready · .* · 0:00:06$/);

    await list.getByRole('button', { name: 'Delete: 0:04 to 0:10' }).click();
    await until('one is left', async () => await list.locator('li').count()
                === 1);
    assert.equal((await jobsOf(system.one)).length, 1);
    assert.deepEqual(page.trouble, []);
});


// this one waits, as if its turn had not come

test('it is cancelled, fails, and is tried again', async (t) => {
    await system.tell("ALTER TABLE job ALTER run_at"
                      + " SET DEFAULT now() + interval '1 hour'");

    const page = await watch(t, system.two, { locale: 'ko-KR' });
    const list = page.locator('mnt-export-list');
    const row = list.locator('li');
    const state = (name) => until(name, async () =>
        await row.getAttribute('data-state') === name);

    await list.locator('.export_all').click();
    await state('queued');
    assert.ok(await row.locator('progress').isVisible());

    // how far it is comes by itself

    await system.tell("UPDATE job SET state = 'running', owner = 1,"
                      + " lease_until = now() + interval '1 hour',"
                      + " progress = 420 WHERE recording_id = "
                      + system.two);
    await until('so far', async () => /42 %/.test(
        await row.locator('.job').textContent()));
    await system.tell("UPDATE job SET state = 'queued', owner = NULL,"
                      + " lease_until = NULL WHERE recording_id = "
                      + system.two);
    await row.locator('.stop').click();
    await state('cancelled');
    assert.equal((await jobsOf(system.two))[0].state, 'cancelled');
    assert.match(await row.locator('.job').textContent(), /취소됨/);

    // another error is said

    await page.route(/\/retry$/, (route) => route.fulfill({
        status: 403, json: { status: 403, error: 'forbidden',
                             description: 'no' },
    }));
    await row.locator('.retry').click();
    await until('it is said', async () => /^바뀐 것이 없습니다/.test(
        await list.locator('.note').textContent()));
    await page.unroute(/\/retry$/);
    await row.locator('.retry').click();
    await row.locator('a').waitFor();
    assert.equal((await jobsOf(system.two))[0].state, 'done');
    assert.deepEqual(page.trouble, []);
});
