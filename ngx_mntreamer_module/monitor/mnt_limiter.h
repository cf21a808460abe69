
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_LIMITER_H_INCLUDED_
#define _MNT_LIMITER_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/*
 * How many requests a platform gets, counted by the millisecond over a little
 * more than a second.  A request counts from its permit until a window after
 * its answer: whenever in between the platform counts it, no second of its
 * clock holds more than "rate".
 *
 * It lives in shared memory under somebody else's lock, holds no pointers, and
 * stays usable wherever a process dies.  Times are milliseconds of one
 * monotonic clock of the machine.  Zeroes are a fresh one.
 */


#define MNT_LIMITER_WINDOW  1050


typedef struct {
    int64_t    at_ms;                         /* the ring is right so far */
    int64_t    not_before_ms;                 /* after a refusal */
    int64_t    cut_ms;                        /* when the rate was halved */
    int64_t    cut_rate;                      /* to so much, in thousandths */
    uint32_t   refusals;                      /* in a row */
    uint32_t   sum;                           /* of the ring */
    uint32_t   ring[MNT_LIMITER_WINDOW];
} mnt_limiter_t;


/* takes a permit and returns 0, or the pause until one may be free */
int64_t mnt_limiter_take(mnt_limiter_t *l, uint32_t rate, int64_t now_ms);

/* the same, but takes none */
int64_t mnt_limiter_wait(mnt_limiter_t *l, uint32_t rate, int64_t now_ms);

/* how many permits there are now */
uint32_t mnt_limiter_free(mnt_limiter_t *l, uint32_t rate, int64_t now_ms);

/* the answer to the request whose permit was taken at "sent_ms" is here */
void mnt_limiter_done(mnt_limiter_t *l, int64_t sent_ms, int64_t now_ms);

/* it was no refusal */
void mnt_limiter_accepted(mnt_limiter_t *l, int64_t sent_ms);

/*
 * It was one (429): nothing is sent for "retry_after_ms", or when that is not
 * given for 1 s that doubles up to 10 min; the rate is halved, once for all
 * that was under way, and comes back by a twentieth a second.  Returns the
 * pause.
 */
int64_t mnt_limiter_refused(mnt_limiter_t *l, uint32_t rate, int64_t sent_ms,
    int64_t now_ms, int64_t retry_after_ms);


#endif /* _MNT_LIMITER_H_INCLUDED_ */
