
/*
 * Copyright (C) the mntreamer authors
 *
 * Around each driver: no input may take more than 100 ms of the processor.
 */


#define _POSIX_C_SOURCE  200809L

#include "mnt_fuzz.h"

#include <time.h>

#undef LLVMFuzzerTestOneInput


#define SLOW_MS  100


int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);


static long
ms_between(const struct timespec *t, const struct timespec *u)
{
    return (u->tv_sec - t->tv_sec) * 1000
           + (u->tv_nsec - t->tv_nsec) / 1000000;
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    int                     rc;
    struct timespec         t;
    static struct timespec  last;

    rc = mnt_fuzz_one(in, len);

    /* since the end of the one before: the clock is read once for each */

    t = last;
    (void) clock_gettime(CLOCK_MONOTONIC, &last);

    if (ms_between(&t, &last) <= SLOW_MS) {
        return rc;
    }

    /* others may have had the processor meanwhile: once more, its own time */

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);

    rc = mnt_fuzz_one(in, len);

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &last);
    mnt_fuzz_hold(ms_between(&t, &last) <= SLOW_MS);

    (void) clock_gettime(CLOCK_MONOTONIC, &last);

    return rc;
}
