
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
ms_since(clockid_t clock, const struct timespec *then)
{
    struct timespec  now;

    (void) clock_gettime(clock, &now);

    return (now.tv_sec - then->tv_sec) * 1000
           + (now.tv_nsec - then->tv_nsec) / 1000000;
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    int              rc;
    struct timespec  t;

    (void) clock_gettime(CLOCK_MONOTONIC, &t);

    rc = mnt_fuzz_one(in, len);

    if (ms_since(CLOCK_MONOTONIC, &t) <= SLOW_MS) {
        return rc;
    }

    /* others may have had the processor meanwhile: once more, its own time */

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);

    rc = mnt_fuzz_one(in, len);

    mnt_fuzz_hold(ms_since(CLOCK_THREAD_CPUTIME_ID, &t) <= SLOW_MS);

    return rc;
}
