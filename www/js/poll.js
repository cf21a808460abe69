// Asks again and again, one question at a time, while somebody looks at the
// page; at once when it is told that something changed.

const FAILED_MS = 6000;


export class Poll {
    // ask() does it and throws what went wrong; report() is told that, or null

    constructor(ask, ms, report) {
        this.ask = ask;
        this.ms = ms;
        this.report = report;
        this.timer = null;
        this.asking = false;
        this.stale = false;         // changed while an answer was under way
        this.stopped = false;
        this.seen = () => this.tick();
        document.addEventListener('visibilitychange', this.seen);
    }

    // for whoever has just asked

    later() {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.tick(), this.ms);
    }

    async now() {
        let failed = false;

        if (this.stopped || this.asking) {
            this.stale = true;
            return;
        }

        this.asking = true;
        this.stale = false;
        clearTimeout(this.timer);

        try {
            await this.ask();
            this.tell(null);
        } catch (error) {
            failed = true;
            this.tell(error);
        }

        this.asking = false;

        if (!this.stopped) {
            this.timer = setTimeout(() => this.tick(), this.stale ? 0
                : failed ? Math.max(this.ms, FAILED_MS) : this.ms);
        }
    }

    // a page nobody looks at asks nothing

    tick() {
        if (document.visibilityState === 'visible') {
            this.now();
        }
    }

    tell(error) {
        if (!this.stopped) {
            this.report(error);
        }
    }

    stop() {
        this.stopped = true;
        clearTimeout(this.timer);
        document.removeEventListener('visibilitychange', this.seen);
    }
}
