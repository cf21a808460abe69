// The system under test: the one MNT_URL names, or one started for the test
// and ended after it; and Chromium.

import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import path from 'node:path';

const run = promisify(execFile);
const top = fileURLToPath(new URL('../..', import.meta.url));
const entry = path.join(top, 'mntreamer');

// playwright-core is where "./mntreamer build" puts packages

const require = createRequire(
    path.join(process.env.MNT_NODE ?? path.join(top, 'build/npm'), 'x.js'));
const { chromium } = require('playwright-core');


async function freePort() {
    const server = createServer();

    await new Promise((done) => server.listen(0, '127.0.0.1', done));

    const { port } = server.address();

    await new Promise((done) => server.close(done));
    return port;
}


export async function startSystem() {
    if (process.env.MNT_URL) {
        return { url: process.env.MNT_URL, stop: async () => {} };
    }

    const dir = await mkdtemp(path.join(tmpdir(), 'mntreamer-page-'));
    const port = String(await freePort());

    const rtmp = String(await freePort());

    await run(entry, ['run', '--detach', '--dir', dir, '--http-port', port,
                      '--rtmp-port', rtmp]);

    return {
        url: 'http://127.0.0.1:' + port + '/',
        stop: async () => {
            await run(entry, ['stop', '--dir', dir]);
            await rm(dir, { recursive: true, force: true });
        },
    };
}


export function startBrowser() {
    return chromium.launch({
        executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
        args: [
            '--no-sandbox', '--disable-gpu', '--disable-quic',
            '--no-first-run', '--disable-background-networking',
            '--disable-component-update', '--disable-sync',
            '--autoplay-policy=no-user-gesture-required',
        ],
    });
}


// waits until what() is true, and gives it

export async function until(name, what, seconds = 30) {
    const end = Date.now() + seconds * 1000;
    let last;

    for (;;) {
        try {
            const value = await what();

            if (value) {
                return value;
            }
        } catch (error) {
            last = error;
        }

        if (Date.now() > end) {
            throw new Error('waited in vain: ' + name, { cause: last });
        }

        await new Promise((done) => setTimeout(done, 100));
    }
}


export function haveChromium() {
    return existsSync(process.env.CHROMIUM ?? '/usr/bin/chromium');
}
