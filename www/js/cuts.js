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
