// The calls to /api/v1 and what goes wrong with them.

const BASE = '/api/v1';
const TIMEOUT_MS = 15000;


export class ApiError extends Error {
    constructor(status, code, description) {
        super(description || code);
        this.status = status;       // 0: no answer at all
        this.code = code;
    }
}


async function call(path, options = {}) {
    let response;
    let body = null;

    try {
        response = await fetch(BASE + path, {
            ...options,
            credentials: 'same-origin',
            signal: AbortSignal.timeout(TIMEOUT_MS),
        });
    } catch {
        throw new ApiError(0, 'unreachable', '');
    }

    try {
        body = await response.json();
    } catch {
        // a proxy's or nginx's own page: the status says enough
    }

    if (!response.ok) {
        throw new ApiError(response.status, body?.error ?? 'http',
                           body?.description ?? '');
    }

    if (body === null) {
        throw new ApiError(response.status, 'not_json', '');
    }

    return body;
}


export function live() {
    return call('/live?limit=500');
}


export function recordings(limit) {
    return call('/recordings?limit=' + limit);
}


export function recording(id) {
    return call('/recordings/' + encodeURIComponent(id));
}


export function addStreamer(platform, channel) {
    return call('/streamers', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ platform, channel }),
    });
}
