// The trash over a running system.  Guards that what was deleted is listed
// with its time and reason, brought back, deleted for good when somebody is
// sure, and that what the rules would delete is told (UI-08).

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { axeFile, openPage, startBrowser, startEditor,
         until } from './system.mjs';

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


test('deleted, brought back, and deleted for good', async (t) => {
    const page = await openPage(t, browser, system);
    const rows = page.locator('#trash li');
    const note = page.locator('#trash-note');
    const status = async (id) =>
        (await system.api('recordings/' + id)).status;

    await page.getByRole('link', { name: 'Trash' }).click();
    await page.locator('#trash-empty').waitFor();
    assert.equal(await page.title(), 'Trash · mntreamer');

    for (const id of [system.one, system.two]) {
        await system.api('recordings/' + id, 'DELETE');
    }

    await until('both are there', async () => await rows.count() === 2);
    assert.match(await rows.first().textContent(),
                 /Name, one.*deleted \d.*until /);

    await page.getByRole('button', { name: 'Bring back Name, one' }).click();
    await until('it is listed no more', async () => await rows.count() === 1);
    assert.equal(await note.textContent(), 'Brought back: Name, one');
    assert.equal(await status(system.one), 'recorded');

    // who is not sure deletes nothing

    const purge = page.getByRole('button',
                                 { name: 'Delete Name, two for good' });

    page.once('dialog', (dialog) => dialog.dismiss());
    await purge.click();
    assert.equal(await rows.count(), 1);

    // nor does who may not

    await page.route(/purge=1/, (route) => route.fulfill({
        status: 403, json: { status: 403, error: 'forbidden',
                             description: 'no' },
    }));
    page.once('dialog', (dialog) => dialog.accept());
    await purge.click();
    await until('it is said', async () =>
        /^Nothing was changed/.test(await note.textContent()));
    await page.unroute(/purge=1/);

    page.once('dialog', (dialog) => dialog.accept());
    await purge.click();
    await page.locator('#trash-empty').waitFor();
    assert.equal(await note.textContent(), 'Deleted for good: Name, two');
    assert.deepEqual(page.trouble, []);
});


test('what the rules would delete, in Korean, on a phone', async (t) => {
    const axe = await readFile(axeFile(), 'utf8');

    for (const colorScheme of ['light', 'dark']) {
        const page = await openPage(t, browser, system, {
            locale: 'ko-KR', viewport: { width: 360, height: 740 },
            colorScheme,
        });

        await page.route(/\/retention/, async (route) => {
            const url = new URL(route.request().url());

            url.searchParams.set('age', '60');
            await route.fulfill({ response: await route.fetch({
                url: url.href }) });
        });
        await page.evaluate(() => { location.hash = '#/trash'; });

        if (colorScheme === 'light') {
            await system.api('recordings/' + system.one, 'DELETE');
            await page.locator('#trash li').waitFor();
            await until('nothing is left for them', async () =>
                await page.locator('#next-sum').textContent()
                === '지금은 없습니다.');
            await system.api('recordings/' + system.one + '/restore', 'POST');
            await until('it is back', async () => (await system.api(
                'recordings/' + system.one)).status === 'recorded');
            await system.api('recordings/' + system.one, 'PATCH',
                             { protected: false });
            await system.api('recordings/' + system.one + '/clips', 'POST',
                             { begin: 0, end: 4, title: 'clip' });
            await page.reload();
        }

        await page.locator('#next li').first().waitFor();
        assert.match(await page.locator('#next li').first().textContent(),
                     /오래됨/);
        assert.match(await page.locator('#next-sum').textContent(),
                     /^녹화 \d개, /);
        await page.evaluate(axe);

        const { violations } = await page.evaluate(
            () => window.axe.run(document));

        assert.deepEqual(violations.filter(({ impact }) =>
            ['serious', 'critical'].includes(impact)).map((v) => v.id), []);
        assert.equal(await page.evaluate(
            () => document.documentElement.scrollWidth), 360);
        assert.deepEqual(page.trouble, []);
    }
});
