
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_LIMITER_H_INCLUDED_
#define _MNT_LIMITER_H_INCLUDED_


#include <stdint.h>


/*
 * How many requests may be sent: never more than "rate" within any second, as
 * the other side counts.  Time is cut into slots; what was sent in the last
 * MNT_LIMITER_SLOTS of them is summed, a little more than a second because what
 * is sent evenly may arrive unevenly.  Plain data: it lives in shared memory,
 * guarded by its owner, and a half-written one only delays or hurries a little.
 */

#define MNT_LIMITER_SLOT_MS  10
#define MNT_LIMITER_SLOTS    106

typedef struct {
    int64_t     slot;                         /* of the newest count */
    int64_t     not_before_ms;                /* 429: nobody sends until then */
    int64_t     raised_ms;                    /* when the rate grew last */
    uint32_t    rate;                         /* now: halved by a 429 */
    uint32_t    sum;                          /* of the counts */
    uint32_t    counts[MNT_LIMITER_SLOTS];
} mnt_limiter_t;


/*
 * Takes a permit for now.  Returns 0 when it was given, else the milliseconds
 * after which to ask again.  "rate" is the configured one; time is monotonic
 * and may come from several processes.
 */
int64_t mnt_limiter_take(mnt_limiter_t *l, uint32_t rate, int64_t now_ms);

/* how many permits there are now */
uint32_t mnt_limiter_free(mnt_limiter_t *l, uint32_t rate, int64_t now_ms);

/* a 429: silence for "wait_ms", then half the rate, which grows again slowly */
void mnt_limiter_refused(mnt_limiter_t *l, uint32_t rate, int64_t wait_ms,
    int64_t now_ms);


#endif /* _MNT_LIMITER_H_INCLUDED_ */
