// The system under test: the one MNT_URL names, or one started for the test
// and ended after it, also one with nginx-rtmp; its API, encoders that send to
// it; and Chromium.

import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
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


// One that a program in Perl runs, which says in a line of JSON where it is and
// ends with its stdin.  exit() gives its exit code: 0 when the log is clean.

async function startHelper(script, options) {
    const helper = spawn('/usr/bin/perl',
                         [path.join(top, 't/browser', script), ...options],
                         { stdio: ['pipe', 'pipe', 'inherit'] });
    const exit = new Promise((done) => helper.on('exit', done));
    const lines = createInterface({ input: helper.stdout })[
        Symbol.asyncIterator]();
    const { value } = await lines.next();

    if (!value) {
        throw new Error(script + ': exit code ' + await exit);
    }

    return {
        ...JSON.parse(value),

        async tell(line) {
            helper.stdin.write(line + '\n');
            return (await lines.next()).value;
        },

        exit() {
            helper.stdin.end();
            return exit;
        },
    };
}


// one with 200 recordings, as library-system.pl says

export async function startLibrary() {
    const system = await startHelper('library-system.pl', []);

    return { ...system, stop: system.exit };
}


// one with recordings that can be cut, as editor-system.pl says

export async function startEditor() {
    const system = await startHelper('editor-system.pl', []);

    return { ...system, stop: system.exit,
             api: (...call) => callApi(system, ...call) };
}


async function callApi(system, name, method = 'GET', body = undefined) {
    const url = new URL('api/v1/' + name, system.url);
    const response = await fetch(url, {
        method,
        headers: { 'Content-Type': 'application/json' },
        body: body && JSON.stringify(body),
    });

    return response.status === 204 ? null : response.json();
}


// one with nginx-rtmp and nobody on the air, as own-system.pl says

export async function startOwnSystem(...options) {
    const system = await startHelper('own-system.pl', options);
    const encoders = new Set();

    return {
        ...system,

        api: (...call) => callApi(system, ...call),

        // sends the clip again and again, without encoding: until it is
        // killed, or for so many seconds

        encode(key, seconds = 0) {
            const length = seconds ? ['-t', String(seconds)] : [];
            const e = spawn('ffmpeg', ['-v', 'quiet', '-nostdin', '-re',
                                       '-stream_loop', '-1', '-i', system.clip,
                                       ...length, '-c', 'copy', '-f', 'flv',
                                       system.rtmp + '/' + key]);

            encoders.add(e);
            e.on('exit', () => encoders.delete(e));
            return e;
        },

        // gives the exit code: 0 when its log is clean

        async stop() {
            encoders.forEach((e) => e.kill('SIGKILL'));
            return system.exit();
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


// A page of a system.  What it complains of, and what it asks of others, is in
// page.trouble.  Options are the browser's, and hash.

export async function openPage(t, browser, system, options = {}) {
    const { hash = '', ...more } = options;
    const context = await browser.newContext({ locale: 'en-US', ...more });
    const page = await context.newPage();
    const own = new URL(system.url).origin;

    page.trouble = [];
    page.on('pageerror', (error) => page.trouble.push(String(error)));
    page.on('console', (message) => {
        if (/Content Security Policy/.test(message.text())) {
            page.trouble.push(message.text());
        }
    });
    page.on('request', (request) => {
        const { protocol, origin } = new URL(request.url());

        if (protocol.startsWith('http') && origin !== own) {
            page.trouble.push('foreign request: ' + request.url());
        }
    });

    t.after(() => context.close());
    await page.goto(system.url + hash);
    return page;
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


export function axeFile() {
    return require.resolve('axe-core/axe.min.js');
}


export function haveChromium() {
    return existsSync(process.env.CHROMIUM ?? '/usr/bin/chromium');
}
