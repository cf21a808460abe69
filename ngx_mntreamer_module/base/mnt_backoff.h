
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_BACKOFF_H_INCLUDED_
#define _MNT_BACKOFF_H_INCLUDED_


#include "mnt_str.h"


#define MNT_BACKOFF_STEPS  32


/* a ladder of pauses: steps[i].wait_ms is used steps[i].times times */

typedef struct {
    unsigned    n;
    unsigned    total;                        /* sum of times */
    struct {
        int64_t   wait_ms;
        unsigned  times;
    } steps[MNT_BACKOFF_STEPS];
} mnt_backoff_t;


/*
 * Adds one step written "1m*12", "40m*2", "100ms", "1h30m*3"; units d h m s ms
 * in this order, at least 100 ms, at most 7 d, at most 1000 times.  Returns
 * NULL or a short reason ("has no unit", "must be at least 100ms", ...).
 */
const char *mnt_backoff_add(mnt_backoff_t *b, mnt_str_t step);

/* 1m*12 3m*12 10m*12 15m*12 30m*12 40m*2 50m */
void mnt_backoff_default(mnt_backoff_t *b);

/*
 * The pause after the "misses"-th miss in a row (1 is the first).  After the
 * last step the ladder starts again.  "rnd" spreads it by up to +-"spread_pct"
 * per cent; 0 per cent leaves it exact.
 */
int64_t mnt_backoff_next(const mnt_backoff_t *b, uint64_t misses, uint32_t rnd,
    unsigned spread_pct);

/*
 * Full-jitter exponential pause for retries: random in [base, min(cap, base *
 * 2^attempt)].  attempt counts from 0.
 */
int64_t mnt_backoff_retry(unsigned attempt, int64_t base_ms, int64_t cap_ms,
    uint32_t rnd);


#endif /* _MNT_BACKOFF_H_INCLUDED_ */
