
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Preloaded into nginx by a test: while the file named by NOEND is there, the
 * disk has no room for the end of a playlist.  While that of the same name and
 * ".fast" is there, the monotonic clock runs HURRY times as fast.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define HURRY  30


ssize_t
writev(int fd, const struct iovec *iov, int n)
{
    const char      *file;
    static ssize_t  (*next)(int, const struct iovec *, int);

    if (next == NULL) {
        *(void **) &next = dlsym(RTLD_NEXT, "writev");
    }

    if (n == 1 && iov->iov_len == sizeof("#EXT-X-ENDLIST\n") - 1
        && memcmp(iov->iov_base, "#EXT-X-ENDLIST\n", iov->iov_len) == 0)
    {
        file = getenv("NOEND");

        if (file && access(file, F_OK) == 0) {
            errno = ENOSPC;
            return -1;
        }
    }

    return next(fd, iov, n);
}


int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int          rc;
    char         name[1024];
    int64_t      ns;
    const char  *file;

    static int            (*next)(clockid_t, struct timespec *);
    static int64_t          last, ahead;
    static pthread_mutex_t  lock = PTHREAD_MUTEX_INITIALIZER;

    if (next == NULL) {
        *(void **) &next = dlsym(RTLD_NEXT, "clock_gettime");
    }

    rc = next(id, ts);
    file = getenv("NOEND");

    if (rc != 0 || file == NULL
        || (id != CLOCK_MONOTONIC && id != CLOCK_MONOTONIC_COARSE))
    {
        return rc;
    }

    (void) snprintf(name, sizeof(name), "%s.fast", file);

    (void) pthread_mutex_lock(&lock);

    ns = ts->tv_sec * 1000000000 + ts->tv_nsec;

    if (last && ns > last && access(name, F_OK) == 0) {
        ahead += (ns - last) * (HURRY - 1);
    }

    last = ns > last ? ns : last;
    ns += ahead;

    (void) pthread_mutex_unlock(&lock);

    ts->tv_sec = ns / 1000000000;
    ts->tv_nsec = ns % 1000000000;

    return rc;
}
