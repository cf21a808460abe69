
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_PLATFORM_PROBE_H_INCLUDED_
#define _MNT_PLATFORM_PROBE_H_INCLUDED_


#include "mnt_platform.h"


/* what the platforms of this room share; nobody else includes it */


/* no facts, MALFORMED: an answer means nothing until it was understood */
void mnt_platform_probe_init(mnt_probe_t *probe);

/*
 * Says what an answer means; the reason is printf'd into the arena.  Without
 * memory the reason is "no memory", and the outcome stays.
 */
void mnt_platform_probe_set(mnt_arena_t *a, mnt_probe_t *probe,
    mnt_probe_outcome_e outcome, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * Reads what is the same for all of them: no answer, 401, 403, 429 with
 * Retry-After, 5xx, ...  Returns 1 for a status of 200, whose body decides;
 * else 0, and *probe is filled.  A platform may know better about some bodies.
 */
int mnt_platform_probe_http(mnt_arena_t *a,
    const mnt_platform_answer_t *answer, mnt_probe_t *probe);


/* a copy with A-Z as a-z */
mnt_str_t mnt_platform_lower(mnt_arena_t *a, mnt_str_t s);

/* everything but the unreserved characters of RFC 3986 2.3 as %XX */
mnt_str_t mnt_platform_escape(mnt_arena_t *a, mnt_str_t s);

/*
 * Hangul written as single letters (as file names of macOS have it) put
 * together to syllables, Unicode 3.12; the rest as it came.  "s" is UTF-8.
 */
mnt_str_t mnt_platform_hangul(mnt_arena_t *a, mnt_str_t s);


#endif /* _MNT_PLATFORM_PROBE_H_INCLUDED_ */
