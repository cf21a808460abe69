
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_limiter.h"

#include <string.h>


#define MNT_LIMITER_RAISE_MS  1000            /* then a twentieth is added */
#define MNT_LIMITER_RAISE     20


/* forgets what is older than the window; sets the rate of this moment */

static void
mnt_limiter_move(mnt_limiter_t *l, uint32_t rate, int64_t now_ms)
{
    int64_t   slot, n;
    uint32_t  step;

    if (l->rate == 0 || l->rate > rate) {
        l->rate = rate;
    }

    if (l->rate < rate && now_ms - l->raised_ms >= MNT_LIMITER_RAISE_MS) {
        step = rate / MNT_LIMITER_RAISE + 1;
        l->rate = (rate - l->rate > step) ? l->rate + step : rate;
        l->raised_ms = now_ms;
    }

    slot = now_ms / MNT_LIMITER_SLOT_MS;
    n = slot - l->slot;

    if (n <= 0 && n > -MNT_LIMITER_SLOTS) {
        return;                               /* another process is ahead */
    }

    if (n >= MNT_LIMITER_SLOTS || n < 0) {
        memset(l->counts, 0, sizeof(l->counts));
        l->sum = 0;
        l->slot = slot;
        return;
    }

    while (l->slot < slot) {
        l->slot++;
        l->sum -= l->counts[l->slot % MNT_LIMITER_SLOTS];
        l->counts[l->slot % MNT_LIMITER_SLOTS] = 0;
    }
}


int64_t
mnt_limiter_take(mnt_limiter_t *l, uint32_t rate, int64_t now_ms)
{
    int64_t  i;

    mnt_limiter_move(l, rate, now_ms);

    if (l->not_before_ms > now_ms) {
        return l->not_before_ms - now_ms;
    }

    if (l->sum < l->rate) {
        l->sum++;
        l->counts[l->slot % MNT_LIMITER_SLOTS]++;
        return 0;
    }

    /* the oldest that was sent leaves the window next */

    for (i = 1; i < MNT_LIMITER_SLOTS; i++) {
        if (l->counts[(l->slot + i) % MNT_LIMITER_SLOTS]) {
            return i * MNT_LIMITER_SLOT_MS;
        }
    }

    return MNT_LIMITER_SLOTS * MNT_LIMITER_SLOT_MS;
}


uint32_t
mnt_limiter_free(mnt_limiter_t *l, uint32_t rate, int64_t now_ms)
{
    mnt_limiter_move(l, rate, now_ms);

    if (l->not_before_ms > now_ms || l->sum >= l->rate) {
        return 0;
    }

    return l->rate - l->sum;
}


void
mnt_limiter_refused(mnt_limiter_t *l, uint32_t rate, int64_t wait_ms,
    int64_t now_ms)
{
    mnt_limiter_move(l, rate, now_ms);

    if (l->not_before_ms < now_ms + wait_ms) {
        l->not_before_ms = now_ms + wait_ms;
    }

    /* several answers of the same moment halve it once */

    if (now_ms - l->raised_ms >= MNT_LIMITER_RAISE_MS || l->rate == rate) {
        l->rate = (l->rate > 1) ? l->rate / 2 : 1;
    }

    l->raised_ms = now_ms + wait_ms;
}
