// Where each recording was left, kept by the browser: the newest hundred.

const KEY = 'mntreamer.positions';
const MOST = 100;
const LEAST_S = 5;      // so near to its beginning nothing is kept


function load() {
    try {
        const all = JSON.parse(localStorage.getItem(KEY));

        return Array.isArray(all) ? all.filter(Array.isArray) : [];
    } catch {
        return [];
    }
}


export function positionOf(id) {
    const found = load().find((entry) => entry[0] === id);

    return Number.isFinite(found?.[1]) ? found[1] : 0;
}


// 0 forgets it

export function keepPosition(id, seconds) {
    const all = load().filter((entry) => entry[0] !== id);

    if (seconds > LEAST_S) {
        all.unshift([id, Math.floor(seconds)]);
    }

    try {
        localStorage.setItem(KEY, JSON.stringify(all.slice(0, MOST)));
    } catch {
        // a browser that keeps nothing
    }
}
