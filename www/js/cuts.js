// What is cut of a recording is not shown: what comes behind it moves.


// Seconds of what is shown, of seconds of the whole; null for what is cut.
// Cuts may overlap.

export function shownAt(cuts, at) {
    let hidden = 0;
    let upto = 0;

    for (const { begin, end } of [...cuts].sort((a, b) => a.begin - b.begin)) {
        if (at < begin) {
            break;
        }

        if (at < end) {
            return null;
        }

        hidden += Math.max(0, end - Math.max(begin, upto));
        upto = Math.max(upto, end);
    }

    return at - hidden;
}


// What follows counts in microseconds, as the server does: only then segments
// begin where it thinks they do.

// how long the segments of a media playlist are

export function lengthsOf(playlist) {
    return [...playlist.matchAll(/^#EXTINF:([\d.]+)/gm)].map(
        ([, seconds]) => Math.round(Number(seconds) * 1e6));
}


const NEAR = 50000;         // what is so near is the same


// The segments that are shown, [{ shown, whole, length }]: where each begins
// in what is shown and in the whole.  A cut hides those that begin in it, and
// is taken to end where one does, as those of this page do; the server tells
// of them in milliseconds, so that what is behind one is a little early.

export function lineOf(lengths, cuts) {
    const spans = cuts.map(({ begin, end }) => [micro(begin), micro(end)])
        .sort((a, b) => a[0] - b[0]);
    let shown = 0;
    let whole = 0;
    let next = 0;

    return lengths.map((length) => {
        for (; next < spans.length && spans[next][0] - NEAR <= whole; next++)
        {
            whole = Math.max(whole, spans[next][1]);
        }

        const segment = { shown, whole, length };

        shown += length;
        whole += length;
        return segment;
    });
}


// seconds of the whole, of seconds of what is shown

export function wholeOf(line, seconds) {
    const at = Math.max(0, micro(seconds));
    const segment = line.findLast((one) => one.shown <= at);

    return segment ? (segment.whole + at - segment.shown) / 1e6 : 0;
}


// and back; of what is hidden it is where that would be

export function shownOf(line, seconds) {
    const at = micro(seconds);
    const segment = line.findLast((one) => one.whole <= at);

    return segment ? (segment.shown + Math.min(segment.length,
                                               at - segment.whole)) / 1e6 : 0;
}


// The whole segments in which a span of the whole lies, { begin, end, count,
// shown }: of the whole, how many are shown in it, and for how long.  Who
// stepped to where one begins is not meant to be a picture behind it.  null
// when nothing is.  Rounded down: early is right, the segment is the same.

export function spanOf(line, from, to) {
    const begin = from === null ? -Infinity : micro(from) + NEAR;
    const end = to === null ? Infinity : micro(to) - NEAR;
    const within = line.filter((one) => one.whole + one.length > begin
                                        && one.whole < end);

    if (!within.length || begin - NEAR >= end + NEAR) {
        return null;
    }

    const last = within.at(-1);

    return {
        begin: Math.floor(within[0].whole / 1000) / 1000,
        end: Math.floor((last.whole + last.length) / 1000) / 1000,
        count: within.length,
        shown: within.reduce((n, one) => n + one.length, 0) / 1e6,
    };
}


// where the segment begins that is so many behind the one that is shown

export function stepOf(line, seconds, steps) {
    const at = micro(seconds) + NEAR;
    const now = line.findLastIndex((one) => one.shown <= at);
    const inside = steps < 0 && at - line[now]?.shown > 10 * NEAR ? 1 : 0;
    const to = Math.min(line.length - 1, Math.max(0, now + steps + inside));

    return (line[to]?.shown ?? 0) / 1e6;
}


function micro(seconds) {
    return Math.round(seconds * 1e6);
}
