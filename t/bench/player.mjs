// player.mjs URL RECORDING SECONDS: plays the live edge of a recording in the
// page and prints, for each picture that is looked at, when and the sixteen bars
// that are its number, as bench.py rtmp reads them.

import { startBrowser, until } from '../browser/system.mjs';

const [url, recording, seconds] = process.argv.slice(2);
const browser = await startBrowser();
const page = await browser.newPage();

await page.goto(url + '#/recordings/' + recording);

const video = page.locator('#video');

await until('it plays', () => video.evaluate((v) => v.currentTime > 0));
await page.locator('#player-live').click();
await until('its live edge plays', () => video.evaluate(
    (v) => v.readyState >= 3 && !v.seeking && !v.paused));

const seen = await video.evaluate((v, ms) => new Promise((done) => {
    const canvas = document.createElement('canvas');
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const out = [];
    const end = Date.now() + ms;

    canvas.width = 256;
    canvas.height = 144;

    const timer = setInterval(() => {
        const now = Date.now();

        context.drawImage(v, 0, 0, 256, 144);

        const { data } = context.getImageData(0, 16, 256, 1);
        const row = [now];

        for (let i = 0; i < 16; i++) {
            row.push(data[(i * 16 + 8) * 4]);
        }

        out.push(row);

        if (now > end) {
            clearInterval(timer);
            done(out);
        }
    }, 100);
}), Number(seconds) * 1000);

console.log(JSON.stringify(seen));
await browser.close();
