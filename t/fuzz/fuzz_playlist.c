
/*
 * Copyright (C) the mntreamer authors
 *
 * write(parse(x)) parses to the same; the planner keeps its promises whatever
 * two playlists follow each other; a choice is always one of the variants.
 */


#include "mnt_fuzz.h"

#include "base/mnt_str.h"
#include "hls/mnt_hls.h"


#define ARENA  (8 * 1024 * 1024)


static void
rewrite(mnt_arena_t *a, const mnt_hls_playlist_t *p)
{
    char                *buf;
    size_t               n;
    mnt_str_t            s;
    mnt_hls_rc_e         rc;
    mnt_hls_playlist_t   q;

    if (p->kind == MNT_HLS_MULTIVARIANT && p->nvariants == 0
        && p->nrenditions == 0)
    {
        return;
    }

    n = mnt_hls_write(p, NULL, 0);
    buf = malloc(n + 1);
    mnt_fuzz_hold(buf != NULL);
    mnt_fuzz_hold(mnt_hls_write(p, buf, n + 1) == n);

    s.data = buf;
    s.len = n;
    rc = mnt_hls_parse(a, s, &q);

    /* what was just within a limit may be beyond it when written in full */

    mnt_fuzz_hold(rc == MNT_HLS_OK || rc == MNT_HLS_LINE_TOO_LONG
                  || rc == MNT_HLS_TOO_LARGE || rc == MNT_HLS_NO_MEMORY);

    if (rc == MNT_HLS_OK) {
        mnt_fuzz_hold(mnt_hls_equal(p, &q));
    }

    mnt_fuzz_hold(mnt_hls_complete_prefix(s) <= n);
    free(buf);
}


static void
plan(mnt_hls_window_t *w, const mnt_hls_playlist_t *p)
{
    unsigned        i;
    mnt_hls_plan_t  plan;

    mnt_hls_window_plan(w, p, 1000, 2000, &plan);

    mnt_fuzz_hold(plan.next_ms >= 500 && plan.next_ms <= 60000);
    mnt_fuzz_hold(plan.count <= p->nsegments
                  && plan.first <= p->nsegments - plan.count);
    mnt_fuzz_hold(plan.lost_us >= 0);

    if (plan.news == MNT_HLS_NEWS || plan.news == MNT_HLS_RESET) {
        mnt_fuzz_hold(plan.count > 0);
        mnt_fuzz_hold(plan.first + plan.count == p->nsegments);
        mnt_fuzz_hold(w->next == p->segments[p->nsegments - 1].sequence + 1);

        /* what was just planned is no news */

        mnt_hls_window_plan(w, p, 3000, 4000, &plan);
        mnt_fuzz_hold(plan.count == 0);

    } else {
        mnt_fuzz_hold(plan.count == 0 && plan.lost_count == 0);
    }

    for (i = 0; i < p->nsegments; i++) {
        mnt_fuzz_hold(p->segments[i].duration_us >= 0
                      && p->segments[i].duration_us <= MNT_HLS_MAX_DURATION);
        mnt_fuzz_hold(p->segments[i].nkeys == 0
                      || p->segments[i].key != NULL);
    }
}


static void
choose(const mnt_hls_playlist_t *p)
{
    int       n;
    unsigned  i;

    static const char  *const wishes[] = {
        "best", "worst", "audio", "720p", "720p60"
    };

    for (i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        n = mnt_hls_choose(p, mnt_str_c(wishes[i]));
        mnt_fuzz_hold(p->nvariants ? (n >= 0 && (unsigned) n < p->nvariants)
                                   : n == -1);
    }
}


/* whatever the memory ends at, it ends with NO_MEMORY or as it would have */

static void
scarce(mnt_str_t text, mnt_hls_rc_e full)
{
    size_t              max;
    uint64_t            chance;
    mnt_arena_t         a;
    mnt_hls_rc_e        rc;
    mnt_hls_playlist_t  p;

    chance = mnt_str_hash(text);
    max = 4200 + chance % 16 * 4096;

    mnt_arena_init(&a, max);
    rc = mnt_hls_parse(&a, text, &p);
    mnt_fuzz_hold(rc == full || rc == MNT_HLS_NO_MEMORY);
    mnt_fuzz_hold(a.used <= max);
    mnt_arena_free(&a);

    mnt_arena_init(&a, chance % 4096);
    rc = mnt_hls_parse(&a, text, &p);
    mnt_fuzz_hold(rc == full || rc == MNT_HLS_NO_MEMORY);
    mnt_arena_free(&a);
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    size_t              i;
    mnt_str_t           parts[2];
    mnt_arena_t         a;
    mnt_hls_rc_e        rc;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    parts[0] = mnt_fuzz_str(in, len);
    parts[1] = parts[0];

    /* a second playlist in the same input is the next load */

    do {
        (void) mnt_fuzz_split(&parts[1]);
    } while (parts[1].len && !mnt_str_starts(parts[1], "#EXTM3U"));

    parts[0].len -= parts[1].len;

    mnt_hls_window_init(&w);

    for (i = 0; i < (parts[1].len ? 2 : 1); i++) {
        (void) mnt_hls_complete_prefix(parts[i]);
        mnt_arena_init(&a, ARENA);
        rc = mnt_hls_parse(&a, parts[i], &p);

        if (rc == MNT_HLS_OK) {
            rewrite(&a, &p);
            choose(&p);
            plan(&w, &p);

        } else {
            mnt_fuzz_hold(mnt_hls_strerror(rc) != NULL);
            mnt_fuzz_hold(p.nsegments == 0 && p.nvariants == 0);
        }

        mnt_fuzz_hold(a.used <= ARENA);
        mnt_arena_free(&a);

        scarce(parts[i], rc);
    }

    return 0;
}
