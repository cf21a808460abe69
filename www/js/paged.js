// A list of the API that is read page by page.  The first page is asked for
// again and again, since what is new stands there; of the others one each
// time, and all of them when rows came: then each begins elsewhere.


export class Paged {
    // ask(after) gives { items, next }; after is null for the first page

    constructor(ask) {
        this.ask = ask;
        this.pages = [];
        this.turn = 0;              // the page that was asked for last
        this.wanted = 1;            // so many pages
    }

    // other words are looked for: nothing that is known is good

    reset() {
        this.pages = [];
        this.wanted = 1;
        this.turn = 0;
    }

    get items() {
        return this.pages.flatMap((page) => page.items);
    }

    get more() {
        return Boolean(this.pages.at(-1)?.next);
    }

    grow() {
        this.wanted = this.pages.length + 1;
    }

    async refresh() {
        const known = this.pages;
        const first = await this.ask(null);
        const fresh = [first];
        let all = known[0]?.next !== first.next;

        if (!all && known.length > 1) {
            this.turn = this.turn % (known.length - 1) + 1;
        }

        while (fresh.length < this.wanted && fresh.at(-1).next) {
            const n = fresh.length;
            const { next } = fresh.at(-1);

            all ||= known[n - 1]?.next !== next;
            fresh.push(!all && known[n] && n !== this.turn
                       ? known[n] : await this.ask(next));
        }

        // reset meanwhile: the next one is under way

        if (this.pages === known) {
            this.pages = fresh;
        }
    }
}
