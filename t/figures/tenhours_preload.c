
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Preloaded into nginx: counts what is written to playlists and journals, and
 * how long a commit takes from its line in the journal to its entry in the
 * playlist, by the clock and in CPU time of its thread.  TENHOURS_FILE names
 * the file of the results, which is mapped: see struct.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/uio.h>


#define SAMPLES  65536


typedef struct {
    uint64_t  playlist;                       /* bytes */
    uint64_t  journal;
    uint64_t  n;                              /* samples */
    struct {
        uint32_t  wall_us;
        uint32_t  cpu_us;
    } sample[SAMPLES];
} results_t;


static results_t  *results;

static _Thread_local uint64_t  began_wall, began_cpu;


__attribute__((constructor))
static void
start(void)
{
    int          fd;
    void        *p;
    const char  *name;

    name = getenv("TENHOURS_FILE");
    fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;

    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(results_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
             0);
    close(fd);

    if (p != MAP_FAILED) {
        results = p;
    }
}


static uint64_t
microseconds(clockid_t clock)
{
    struct timespec  ts;

    clock_gettime(clock, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + (uint64_t) ts.tv_nsec / 1000;
}


static void
wrote(int fd, ssize_t n)
{
    char      link[32], path[4096], *name;
    ssize_t   len;
    uint64_t  i;

    if (results == NULL || n <= 0) {
        return;
    }

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

    len = readlink(link, path, sizeof(path) - 1);

    if (len <= 0) {
        return;
    }

    path[len] = '\0';
    name = strrchr(path, '/');

    if (name == NULL) {
        return;
    }

    if (strstr(name, ".journal")) {
        __atomic_fetch_add(&results->journal, (uint64_t) n, __ATOMIC_RELAXED);
        began_wall = microseconds(CLOCK_MONOTONIC);
        began_cpu = microseconds(CLOCK_THREAD_CPUTIME_ID);
        return;
    }

    if (strstr(name, ".m3u8") == NULL) {
        return;
    }

    __atomic_fetch_add(&results->playlist, (uint64_t) n, __ATOMIC_RELAXED);

    if (began_wall == 0) {
        return;
    }

    i = __atomic_fetch_add(&results->n, 1, __ATOMIC_RELAXED);

    if (i < SAMPLES) {
        results->sample[i].wall_us =
            (uint32_t) (microseconds(CLOCK_MONOTONIC) - began_wall);
        results->sample[i].cpu_us =
            (uint32_t) (microseconds(CLOCK_THREAD_CPUTIME_ID) - began_cpu);
    }

    began_wall = 0;
}


ssize_t
write(int fd, const void *buf, size_t size)
{
    ssize_t  n;

    static ssize_t (*next)(int fd, const void *buf, size_t size);

    if (next == NULL) {
        next = dlsym(RTLD_NEXT, "write");
    }

    n = next(fd, buf, size);
    wrote(fd, n);

    return n;
}


ssize_t
writev(int fd, const struct iovec *iov, int count)
{
    ssize_t  n;

    static ssize_t (*next)(int fd, const struct iovec *iov, int count);

    if (next == NULL) {
        next = dlsym(RTLD_NEXT, "writev");
    }

    n = next(fd, iov, count);
    wrote(fd, n);

    return n;
}


ssize_t
pwrite(int fd, const void *buf, size_t size, off_t at)
{
    ssize_t  n;

    static ssize_t (*next)(int fd, const void *buf, size_t size, off_t at);

    if (next == NULL) {
        next = dlsym(RTLD_NEXT, "pwrite");
    }

    n = next(fd, buf, size, at);
    wrote(fd, n);

    return n;
}


ssize_t
pwrite64(int fd, const void *buf, size_t size, off64_t at)
{
    return pwrite(fd, buf, size, at);
}
