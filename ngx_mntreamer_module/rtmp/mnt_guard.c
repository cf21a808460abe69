
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_guard.h"


static uint64_t mnt_guard_who(const mnt_guard_t *g, mnt_str_t address);
static int mnt_guard_worth(const mnt_guard_entry_t *a,
    const mnt_guard_entry_t *b, int64_t now_ms);


static uint64_t
mnt_guard_who(const mnt_guard_t *g, mnt_str_t address)
{
    mnt_memo_digest_t  digest;

    mnt_memo_digest(&g->memo, address, &digest);

    return digest.half[0] ? digest.half[0] : 1;
}


int
mnt_guard_shut(const mnt_guard_t *g, mnt_str_t address, int64_t now_ms)
{
    uint64_t                  who;
    unsigned                  i;
    const mnt_guard_entry_t  *e;

    who = mnt_guard_who(g, address);
    e = g->sets[who % MNT_GUARD_SETS];

    for (i = 0; i < MNT_GUARD_WAYS; i++) {
        if (e[i].who == who) {
            return e[i].shut && e[i].until_ms > now_ms;
        }
    }

    return 0;
}


/* 1: "a" is kept rather than "b" */

static int
mnt_guard_worth(const mnt_guard_entry_t *a, const mnt_guard_entry_t *b,
    int64_t now_ms)
{
    int  now_a, now_b;

    now_a = a->who != 0 && a->until_ms > now_ms;
    now_b = b->who != 0 && b->until_ms > now_ms;

    if (now_a != now_b) {
        return now_a;
    }

    if (a->shut != b->shut) {
        return a->shut > b->shut;
    }

    return a->until_ms > b->until_ms;
}


int
mnt_guard_failed(mnt_guard_t *g, mnt_str_t address, uint32_t most,
    int64_t now_ms)
{
    uint64_t            who;
    unsigned            i;
    mnt_guard_entry_t  *set, *e;

    who = mnt_guard_who(g, address);
    set = g->sets[who % MNT_GUARD_SETS];
    e = &set[0];

    for (i = 0; i < MNT_GUARD_WAYS; i++) {

        if (set[i].who == who) {
            e = &set[i];
            break;
        }

        if (mnt_guard_worth(e, &set[i], now_ms)) {
            e = &set[i];
        }
    }

    if (e->who != who || e->until_ms <= now_ms) {
        e->who = who;
        e->until_ms = now_ms + MNT_GUARD_MS;
        e->failed = 0;
        e->shut = 0;
    }

    /* those that were asked about before it was shut out change nothing */

    if (e->shut || ++e->failed < most) {
        return 0;
    }

    e->shut = 1;
    e->until_ms = now_ms + MNT_GUARD_MS;

    return 1;
}
