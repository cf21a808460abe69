
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_backoff.h"

#include <string.h>


#define MNT_BACKOFF_MIN      100
#define MNT_BACKOFF_MAX      (7 * 24 * 3600 * (int64_t) 1000)
#define MNT_BACKOFF_TIMES    1000
#define MNT_BACKOFF_UNKNOWN  60000            /* of a ladder without steps */


typedef struct {
    const char  *name;
    int64_t      ms;
} mnt_backoff_unit_t;


static const char *mnt_backoff_time(mnt_str_t s, int64_t *ms);
static const mnt_backoff_unit_t *mnt_backoff_unit(mnt_str_t *s);


/* from the largest; "ms" stands before "m" because the first match counts */

static const mnt_backoff_unit_t  mnt_backoff_units[] = {
    { "d", 24 * 3600 * 1000 },
    { "h", 3600 * 1000 },
    { "ms", 1 },
    { "m", 60 * 1000 },
    { "s", 1000 },
    { NULL, 0 }
};


/* takes the unit in front of "s" away; NULL when there is none */

static const mnt_backoff_unit_t *
mnt_backoff_unit(mnt_str_t *s)
{
    const mnt_backoff_unit_t  *unit;

    for (unit = mnt_backoff_units; unit->name; unit++) {
        if (mnt_str_starts(*s, unit->name)) {
            s->data += strlen(unit->name);
            s->len -= strlen(unit->name);
            return unit;
        }
    }

    return NULL;
}


static const char *
mnt_backoff_time(mnt_str_t s, int64_t *ms)
{
    int64_t                    last;
    uint64_t                   n;
    mnt_str_t                  number;
    const mnt_backoff_unit_t  *unit;

    *ms = 0;
    last = INT64_MAX;

    if (s.len == 0) {
        return "is empty";
    }

    while (s.len) {
        number = s;
        number.len = 0;

        while (number.len < s.len && s.data[number.len] >= '0'
               && s.data[number.len] <= '9')
        {
            number.len++;
        }

        if (number.len == 0) {
            return "is not a time";
        }

        s.data += number.len;
        s.len -= number.len;

        if (s.len == 0) {
            return "has no unit";
        }

        unit = mnt_backoff_unit(&s);

        if (unit == NULL) {
            return "has an unknown unit";
        }

        if (unit->ms >= last) {
            return "has its units in the wrong order";
        }

        last = unit->ms;

        if (mnt_str_u64(number, &n) != 0
            || n > (uint64_t) (MNT_BACKOFF_MAX / unit->ms))
        {
            return "must be at most 7d";
        }

        *ms += (int64_t) n * unit->ms;
    }

    return NULL;
}


const char *
mnt_backoff_add(mnt_backoff_t *b, mnt_str_t step)
{
    int64_t      ms;
    uint64_t     times;
    mnt_str_t    time, count;
    const char  *star, *why;

    time = step;
    times = 1;

    star = step.len ? memchr(step.data, '*', step.len) : NULL;

    if (star) {
        time.len = (size_t) (star - step.data);
        count.data = star + 1;
        count.len = step.len - time.len - 1;

        if (mnt_str_u64(count, &times) != 0 || times < 1
            || times > MNT_BACKOFF_TIMES)
        {
            return "must be repeated 1 to 1000 times";
        }
    }

    why = mnt_backoff_time(time, &ms);

    if (why) {
        return why;
    }

    if (ms < MNT_BACKOFF_MIN) {
        return "must be at least 100ms";
    }

    if (ms > MNT_BACKOFF_MAX) {
        return "must be at most 7d";
    }

    if (b->n == MNT_BACKOFF_STEPS) {
        return "is one step more than the 32 allowed";
    }

    b->steps[b->n].wait_ms = ms;
    b->steps[b->n].times = (unsigned) times;
    b->n++;
    b->total += (unsigned) times;

    return NULL;
}


void
mnt_backoff_default(mnt_backoff_t *b)
{
    unsigned  i;

    static const mnt_str_t  steps[] = {
        mnt_str("1m*12"), mnt_str("3m*12"), mnt_str("10m*12"),
        mnt_str("15m*12"), mnt_str("30m*12"), mnt_str("40m*2"), mnt_str("50m")
    };

    memset(b, 0, sizeof(mnt_backoff_t));

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        (void) mnt_backoff_add(b, steps[i]);
    }
}


int64_t
mnt_backoff_next(const mnt_backoff_t *b, uint64_t misses, uint32_t rnd,
    unsigned spread_pct)
{
    int64_t   wait, spread;
    uint64_t  i;
    unsigned  step;

    wait = MNT_BACKOFF_UNKNOWN;

    if (b->total) {
        i = misses ? (misses - 1) % b->total : 0;

        for (step = 0; i >= b->steps[step].times; step++) {
            i -= b->steps[step].times;
        }

        wait = b->steps[step].wait_ms;
    }

    if (spread_pct > 100) {
        spread_pct = 100;
    }

    /* at most 7 d in ms times 2^32: 31 + 32 bits */

    spread = wait * spread_pct / 100;
    wait += (int64_t) (((uint64_t) spread * 2 * rnd) >> 32) - spread;

    return (wait > 0) ? wait : 1;
}


int64_t
mnt_backoff_retry(unsigned attempt, int64_t base_ms, int64_t cap_ms,
    uint32_t rnd)
{
    int64_t  top, room;

    if (base_ms < 1) {
        base_ms = 1;
    }

    if (cap_ms <= base_ms) {
        return base_ms < cap_ms ? base_ms : (cap_ms > 0 ? cap_ms : 1);
    }

    for (top = base_ms; attempt > 0 && top <= cap_ms / 2; attempt--) {
        top *= 2;
    }

    if (attempt > 0) {
        top = cap_ms;
    }

    room = top - base_ms + 1;

    return base_ms + (int64_t) ((uint64_t) rnd % (uint64_t) room);
}
