// The calls to /api/v1 and what goes wrong with them.

import { lengthsOf } from './cuts.js';

const BASE = '/api/v1';
const TIMEOUT_MS = 15000;
const MANY_MS = 600000;     // each of many is looked up on its platform


export class ApiError extends Error {
    constructor(status, code, description, field = '') {
        super(description || code);
        this.status = status;       // 0: no answer at all
        this.code = code;
        this.field = field;         // of the body, when one is to blame
    }
}


async function call(path, options = {}, timeout = TIMEOUT_MS) {
    let response;
    let body = null;

    try {
        response = await fetch(BASE + path, {
            ...options,
            credentials: 'same-origin',
            signal: AbortSignal.timeout(timeout),
        });
    } catch {
        throw new ApiError(0, 'unreachable', '');
    }

    if (response.status === 204) {
        return null;
    }

    try {
        body = await response.json();
    } catch {
        // a proxy's or nginx's own page: the status says enough
    }

    if (!response.ok) {
        throw new ApiError(response.status, body?.error ?? 'http',
                           body?.description ?? '', body?.field ?? '');
    }

    if (body === null) {
        throw new ApiError(response.status, 'not_json', '');
    }

    return body;
}


export function live() {
    return call('/live?limit=500');
}


export function liveOf(streamer) {
    return call('/live/' + encodeURIComponent(streamer));
}


// How the server is; it says so also with status 503.  null where nginx.conf
// does not let it be asked.

export async function health() {
    try {
        const response = await fetch('/health', {
            credentials: 'same-origin',
            signal: AbortSignal.timeout(TIMEOUT_MS),
        });
        const body = await response.json();

        return body.disk ? body : null;
    } catch {
        return null;
    }
}


// a page of them: { words, after, limit, ... } as the API calls its parameters

export function recordings({ words, ...parameters } = {}) {
    return call('/recordings' + query({ q: words, ...parameters }));
}


// with its gaps, titles, viewers and cuts, without its files

export async function recording(id) {
    const path = '/recordings/' + encodeURIComponent(id);
    const all = await call(path + '?files=0');
    const { items: cuts } = all.cut ? await call(path + '/cuts')
                                    : { items: [] };

    return { ...all, cuts };
}


// the same without all those, which may be many: the one that began then

export async function recordingNow({ id, started_at: since }) {
    const until = new Date(Date.parse(since) + 1).toISOString();
    const { items } = await recordings({ since, until, limit: 500 });

    return items.find((item) => item.id === id) ?? recording(id);
}


export function changeRecording(id, fields) {
    return call('/recordings/' + encodeURIComponent(id),
                change('PATCH', fields));
}


export function deleteRecording(id) {
    return call('/recordings/' + encodeURIComponent(id),
                { method: 'DELETE' });
}


// Spans of a recording that are not shown; seconds are of the whole.

export function cut(id, begin, end) {
    return call('/recordings/' + encodeURIComponent(id) + '/cuts',
                change('POST', { begin, end }));
}


export function undoCut(id, cut) {
    return call('/recordings/' + encodeURIComponent(id) + '/cuts/'
                + encodeURIComponent(cut), { method: 'DELETE' });
}


export function clip(id, begin, end, title) {
    return call('/recordings/' + encodeURIComponent(id) + '/clips',
                change('POST', { begin, end, ...(title ? { title } : {}) }));
}


// files that are made of it

export function exports(id) {
    return call('/recordings/' + encodeURIComponent(id) + '/exports');
}


export function makeExport(id, span) {
    return call('/recordings/' + encodeURIComponent(id) + '/exports',
                change('POST', span));
}


export function retryJob(id) {
    return call('/jobs/' + encodeURIComponent(id) + '/retry',
                { method: 'POST' });
}


// cancels what is not over, else deletes it with its file

export function deleteJob(id) {
    return call('/jobs/' + encodeURIComponent(id), { method: 'DELETE' });
}


// how it goes on: an EventSource with events "job"

export function jobEvents(id) {
    return new EventSource(BASE + '/jobs/' + encodeURIComponent(id)
                           + '/events');
}


// how long its segments are, in microseconds, of the first size that there is

export async function segments(url) {
    const first = await playlist(url);
    const other = /^#EXT-X-STREAM-INF:.*\n(?:#.*\n|\s*\n)*([^#\s].*)/m
        .exec(first);

    return lengthsOf(other ? await playlist(
        new URL(other[1].trim(), new URL(url, location.href)).href) : first);
}


async function playlist(url) {
    let response;

    try {
        response = await fetch(url, {
            credentials: 'same-origin',
            signal: AbortSignal.timeout(TIMEOUT_MS),
        });
    } catch {
        throw new ApiError(0, 'unreachable', '');
    }

    if (!response.ok) {
        throw new ApiError(response.status, 'http', '');
    }

    return response.text();
}


// back from the trash; what is purged is deleted for good

export function restoreRecording(id) {
    return call('/recordings/' + encodeURIComponent(id) + '/restore',
                { method: 'POST' });
}


export function purgeRecording(id) {
    return call('/recordings/' + encodeURIComponent(id) + '?purge=1',
                { method: 'DELETE' });
}


// what the rules would delete: { recordings, bytes, items, ... }

export function retention(limit) {
    return call('/retention' + query({ limit }));
}


export function streamers({ words, ...parameters } = {}) {
    return call('/streamers' + query({ q: words, ...parameters }));
}


// For each, in the same order, { streamer } or an error with its words.

export function addStreamers(items) {
    return call('/streamers', change('POST', { items }), MANY_MS)
        .then((answer) => answer.items);
}


export function changeStreamer(id, fields) {
    return call('/streamers/' + encodeURIComponent(id),
                change('PATCH', fields));
}


export function removeStreamer(id) {
    return call('/streamers/' + encodeURIComponent(id),
                { method: 'DELETE' });
}


// Channels that are sent to us.

export function ownChannels() {
    return streamers({ platform: 'rtmp', limit: 500 });
}


export function addOwn(channel) {
    return call('/streamers', change('POST', { platform: 'rtmp', channel }));
}


// where to send to, and whether there is a key: { server, made_at, one_time }

export function key(id) {
    return call('/streamers/' + encodeURIComponent(id) + '/key');
}


// the same with the key itself, once

export function makeKey(id) {
    return call('/streamers/' + encodeURIComponent(id) + '/key',
                { method: 'POST' });
}


export function revokeKey(id) {
    return call('/streamers/' + encodeURIComponent(id) + '/key',
                { method: 'DELETE' });
}


function query(parameters) {
    const given = Object.entries(parameters).filter(
        ([, value]) => value !== null && value !== undefined && value !== '');

    return given.length ? '?' + new URLSearchParams(given) : '';
}


function change(method, body) {
    return {
        method,
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
    };
}
