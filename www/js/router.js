// Addresses.  What is behind # names a page and what it shows:
//
//     #/                      front page           #/?q=words   searched
//     #/recordings/ID         a recording, from its beginning or where it was
//                             left; #/recordings/ID/live from where it is now
//     #/live/ID               what the streamer with this id has on the air
//     #/trash                 what was deleted and can be brought back
//     #/channels              for who runs it

const ROUTES = [
    [/^\/recordings\/(\d+)(\/live)?$/, 'watch',
     ([, id, live]) => ({ id, live: Boolean(live) })],
    [/^\/live\/(\d+)$/, 'watch', ([, streamer]) => ({ streamer, live: true })],
    [/^\/channels$/, 'channels', () => ({})],
    [/^\/trash$/, 'trash', () => ({})],
    [/^\/?$/, 'front', (found, query) => ({ words: query.get('q') ?? '' })],
];


// { page, ... }; what is no address is a recording that nobody knows

export function parse(hash) {
    const [path, query] = hash.replace(/^#/, '').split('?', 2);

    for (const [pattern, page, values] of ROUTES) {
        const found = pattern.exec(path);

        if (found) {
            return { page, ...values(found, new URLSearchParams(query)) };
        }
    }

    return { page: 'watch', id: null };
}


export function searchFor(words) {
    return words ? '#/?' + new URLSearchParams({ q: words }) : '#/';
}
