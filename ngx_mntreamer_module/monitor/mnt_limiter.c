
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_limiter.h"

#include <string.h>


#define MNT_LIMITER_PAUSE      1000
#define MNT_LIMITER_PAUSE_MAX  (10 * 60 * 1000)
#define MNT_LIMITER_RECOVER    20             /* of the full rate, a second */


static void mnt_limiter_advance(mnt_limiter_t *l, int64_t now_ms);
static uint32_t mnt_limiter_rate(const mnt_limiter_t *l, uint32_t rate,
    int64_t now_ms);
static size_t mnt_limiter_slot(int64_t ms);


static size_t
mnt_limiter_slot(int64_t ms)
{
    return (size_t) (ms % MNT_LIMITER_WINDOW);
}


/* empties what has left the window; once in a round the sum is made anew */

static void
mnt_limiter_advance(mnt_limiter_t *l, int64_t now_ms)
{
    size_t   i, slot;
    int64_t  ms;

    if (now_ms == l->at_ms) {
        return;
    }

    if (now_ms < l->at_ms) {

        /* another process read its clock a little later; or all is garbage */

        if (l->at_ms - now_ms <= MNT_LIMITER_WINDOW) {
            return;
        }

        memset(l, 0, sizeof(mnt_limiter_t));
    }

    if (now_ms - l->at_ms >= MNT_LIMITER_WINDOW) {
        memset(l->ring, 0, sizeof(l->ring));
        l->sum = 0;
        l->at_ms = now_ms;
        return;
    }

    for (ms = l->at_ms + 1; ms <= now_ms; ms++) {
        slot = mnt_limiter_slot(ms);

        l->sum -= (l->ring[slot] < l->sum) ? l->ring[slot] : l->sum;
        l->ring[slot] = 0;

        if (slot == 0) {
            l->sum = 0;

            for (i = 0; i < MNT_LIMITER_WINDOW; i++) {
                l->sum += l->ring[i];
            }
        }
    }

    l->at_ms = now_ms;
}


static uint32_t
mnt_limiter_rate(const mnt_limiter_t *l, uint32_t rate, int64_t now_ms)
{
    int64_t  n, past;

    if (l->cut_ms == 0) {
        return rate;
    }

    past = l->cut_ms > l->not_before_ms ? l->cut_ms : l->not_before_ms;
    past = now_ms - past;

    if (past > 1000 * MNT_LIMITER_RECOVER) {
        return rate;
    }

    n = l->cut_rate + (past > 0 ? past * rate / MNT_LIMITER_RECOVER : 0);
    n /= 1000;

    if (n < 1) {
        n = 1;
    }

    return n < (int64_t) rate ? (uint32_t) n : rate;
}


int64_t
mnt_limiter_take(mnt_limiter_t *l, uint32_t rate, int64_t now_ms)
{
    int64_t  wait;

    wait = mnt_limiter_wait(l, rate, now_ms);

    if (wait == 0) {

        /* first what counts more: a process may die in between */

        l->sum++;
        l->ring[mnt_limiter_slot(l->at_ms)]++;
    }

    return wait;
}


int64_t
mnt_limiter_wait(mnt_limiter_t *l, uint32_t rate, int64_t now_ms)
{
    int64_t  ms;

    mnt_limiter_advance(l, now_ms);

    if (now_ms < l->not_before_ms) {
        return l->not_before_ms - now_ms;
    }

    if (l->sum < mnt_limiter_rate(l, rate, now_ms)) {
        return 0;
    }

    for (ms = l->at_ms - MNT_LIMITER_WINDOW + 1; ms < l->at_ms; ms++) {
        if (ms >= 0 && l->ring[mnt_limiter_slot(ms)]) {
            break;
        }
    }

    return ms + MNT_LIMITER_WINDOW - now_ms;
}


uint32_t
mnt_limiter_free(mnt_limiter_t *l, uint32_t rate, int64_t now_ms)
{
    mnt_limiter_advance(l, now_ms);

    if (now_ms < l->not_before_ms) {
        return 0;
    }

    rate = mnt_limiter_rate(l, rate, now_ms);

    return rate > l->sum ? rate - l->sum : 0;
}


/* moves it to now: it may have been counted just before its answer */

void
mnt_limiter_done(mnt_limiter_t *l, int64_t sent_ms, int64_t now_ms)
{
    uint32_t  *slot;

    mnt_limiter_advance(l, now_ms);

    l->sum++;
    l->ring[mnt_limiter_slot(l->at_ms)]++;

    if (sent_ms > l->at_ms - MNT_LIMITER_WINDOW && sent_ms <= l->at_ms) {
        slot = &l->ring[mnt_limiter_slot(sent_ms)];

        if (*slot) {
            (*slot)--;
            l->sum--;
        }
    }
}


void
mnt_limiter_accepted(mnt_limiter_t *l, int64_t sent_ms)
{
    if (sent_ms > l->cut_ms) {
        l->refusals = 0;
    }
}


int64_t
mnt_limiter_refused(mnt_limiter_t *l, uint32_t rate, int64_t sent_ms,
    int64_t now_ms, int64_t retry_after_ms)
{
    int64_t   pause;
    uint32_t  n;

    mnt_limiter_advance(l, now_ms);

    if (sent_ms >= l->cut_ms) {
        n = mnt_limiter_rate(l, rate, now_ms);

        l->cut_rate = (int64_t) n * 500;
        l->cut_ms = now_ms;

        if (l->refusals < 16) {
            l->refusals++;
        }
    }

    pause = retry_after_ms;

    if (pause <= 0) {
        n = l->refusals ? l->refusals - 1 : 0;
        pause = (int64_t) MNT_LIMITER_PAUSE << n;

        if (pause > MNT_LIMITER_PAUSE_MAX) {
            pause = MNT_LIMITER_PAUSE_MAX;
        }
    }

    if (l->not_before_ms < now_ms + pause) {
        l->not_before_ms = now_ms + pause;
    }

    return l->not_before_ms - now_ms;
}
