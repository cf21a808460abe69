
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Preloaded into nginx by the figures: makes calls for files and memory fail,
 * end short, take long or lie.  What it does stands in a file that is named by
 * FAIL_CONTROL, mapped when the process begins (nginx clears its environment
 * afterwards) and shared by all that are forked from it, so that a test
 * switches it while they run.  t/lib/shim.py writes that file.
 *
 * A rule says which calls it means, of files below which path, from which
 * matching call on and for how many of them, and what becomes of these.  It
 * counts what it matched, so that a test that lets each call fail in turn
 * knows how many there are.
 *
 * Allocations are matched by who asks: a rule for MALLOC means those that the
 * module made, itself or through nginx, and those of libpq and jansson.  nginx
 * keeps its own, and so does libcurl: 7.88 divides by zero in
 * curl_multi_socket_action() after one of them failed.
 *
 * openat2() has no function in libc and is caught in syscall(); statx() and
 * the like are not caught.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>


#define FAIL_MAGIC   0x4c494146
#define FAIL_RULES   8
#define FAIL_TRACES  8192
#define FAIL_RANGES  16
#define FAIL_DEPTH   12                       /* frames looked at */

enum {
    FAIL_WRITE = 0,                           /* pwrite, writev, pwritev too */
    FAIL_READ,
    FAIL_FSYNC,                               /* fdatasync too */
    FAIL_RENAME,
    FAIL_OPEN,                                /* openat, openat2 too */
    FAIL_CREATE,                              /* of these, with O_CREAT */
    FAIL_MKDIR,
    FAIL_LINK,
    FAIL_UNLINK,
    FAIL_TRUNCATE,
    FAIL_MALLOC,                              /* calloc, realloc, ... too */
    FAIL_RESOLVE,                             /* getaddrinfo() */
    FAIL_CALLS
};

enum {
    FAIL_COUNT = 0,                           /* only counts */
    FAIL_ERROR,
    FAIL_SHORT,                               /* at most "limit" bytes */
    FAIL_DELAY,
    FAIL_LIE,                                 /* says it was done */
    FAIL_KILL                                 /* ends the process */
};

typedef struct {
    uint32_t  on;
    uint32_t  calls;                          /* 1 << FAIL_... */
    uint32_t  action;
    int32_t   error;
    uint64_t  from;                           /* of those that match, from 1 */
    uint64_t  count;                          /* 0: all behind */
    uint64_t  limit;                          /* 0: half */
    uint64_t  delay_ms;
    uint64_t  seen;
    uint64_t  hit;
    char      below[256];                     /* path; empty: any file */
} fail_rule_t;

typedef struct {
    uint32_t  pid;
    uint16_t  call;
    uint16_t  hit;                            /* by a rule, from 1 */
    char      name[120];                      /* the end of the path */
} fail_trace_t;

typedef struct {
    uint32_t      magic;
    uint32_t      tracing;
    int64_t       clock_us;                   /* added to the wall clock */
    uint64_t      traced;
    fail_rule_t   rules[FAIL_RULES];
    fail_trace_t  traces[FAIL_TRACES];
} fail_control_t;

enum {
    FAIL_MODULE = 0,
    FAIL_LIBRARY,                             /* asks malloc() by itself */
    FAIL_SPARED
};

typedef struct {
    uintptr_t  from;
    uintptr_t  to;
    int        kind;
} fail_range_t;


void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t alignment, size_t size);


#define fail_real(name)                                                       \
    static __typeof__(name)  *real;                                           \
    if (real == NULL) {                                                       \
        *(void **) &real = dlsym(RTLD_NEXT, #name);                           \
    }


static fail_control_t  *fail_control;
static fail_range_t     fail_ranges[FAIL_RANGES];
static int              fail_nranges;
static __thread int     fail_busy;


static int
fail_range(struct dl_phdr_info *info, size_t size, void *data)
{
    int          i, kind;
    const char  *name;

    (void) size;
    (void) data;

    name = strrchr(info->dlpi_name, '/');
    name = name ? name + 1 : info->dlpi_name;

    if (strncmp(name, "ngx_mntreamer", 13) == 0) {
        kind = FAIL_MODULE;

    } else if (strncmp(name, "libpq", 5) == 0
               || strncmp(name, "libjansson", 10) == 0)
    {
        kind = FAIL_LIBRARY;

    } else if (strncmp(name, "libcurl", 7) == 0) {
        kind = FAIL_SPARED;

    } else {
        return 0;
    }

    for (i = 0; i < info->dlpi_phnum && fail_nranges < FAIL_RANGES; i++) {
        if (info->dlpi_phdr[i].p_type == PT_LOAD
            && (info->dlpi_phdr[i].p_flags & PF_X))
        {
            fail_ranges[fail_nranges].from = info->dlpi_addr
                                             + info->dlpi_phdr[i].p_vaddr;
            fail_ranges[fail_nranges].to = fail_ranges[fail_nranges].from
                                           + info->dlpi_phdr[i].p_memsz;
            fail_ranges[fail_nranges].kind = kind;
            fail_nranges++;
        }
    }

    return 0;
}


__attribute__((constructor))
static void
fail_begin(void)
{
    int          fd;
    void        *p, *frames[2];
    const char  *name;

    name = getenv("FAIL_CONTROL");

    if (name == NULL) {
        return;
    }

    /* the first one allocates */
    (void) backtrace(frames, 2);

    fd = open(name, O_RDWR|O_CLOEXEC);

    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(fail_control_t), PROT_READ|PROT_WRITE, MAP_SHARED,
             fd, 0);
    close(fd);

    if (p != MAP_FAILED && ((fail_control_t *) p)->magic == FAIL_MAGIC) {
        (void) dl_iterate_phdr(fail_range, NULL);
        fail_control = p;
    }
}


/* the module is loaded late */

void *
dlopen(const char *name, int flags)
{
    void  *p;

    fail_real(dlopen)

    p = real(name, flags);

    if (fail_control) {
        fail_nranges = 0;
        (void) dl_iterate_phdr(fail_range, NULL);
    }

    return p;
}


static int __attribute__((noinline))
fail_ours(void)
{
    int     i, k, n, level;
    void   *frames[FAIL_DEPTH];

    n = backtrace(frames, FAIL_DEPTH);

    /* behind this function, fail_match(), fail_memory() and malloc() */

    for (level = 0, i = 4; i < n; i++, level++) {
        for (k = 0; k < fail_nranges; k++) {
            if ((uintptr_t) frames[i] < fail_ranges[k].from
                || (uintptr_t) frames[i] >= fail_ranges[k].to)
            {
                continue;
            }

            return fail_ranges[k].kind == FAIL_MODULE
                   || (fail_ranges[k].kind == FAIL_LIBRARY && level < 3);
        }
    }

    return 0;
}


static void
fail_trace(int call, const char *path, int hit)
{
    size_t         n;
    uint64_t       i;
    fail_trace_t  *t;

    if (!fail_control->tracing) {
        return;
    }

    i = __atomic_fetch_add(&fail_control->traced, 1, __ATOMIC_RELAXED);
    t = &fail_control->traces[i % FAIL_TRACES];

    n = strlen(path);

    if (n >= sizeof(t->name)) {
        path += n - sizeof(t->name) + 1;
        n = sizeof(t->name) - 1;
    }

    t->pid = (uint32_t) getpid();
    t->call = (uint16_t) call;
    t->hit = (uint16_t) hit;
    memcpy(t->name, path, n + 1);
}


/* the path of a descriptor and a name below it */

static const char *
fail_path(int fd, const char *name, char *buf, size_t size)
{
    char     link[64];
    ssize_t  n;

    if (name && name[0] == '/') {
        return name;
    }

    if (fd == AT_FDCWD) {
        n = getcwd(buf, size) ? (ssize_t) strlen(buf) : 0;

    } else {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = readlink(link, buf, size - 1);
    }

    buf[n > 0 ? n : 0] = '\0';

    if (name && n > 0) {
        snprintf(buf + n, size - n, "/%s", name);
    }

    return buf;
}


static int
fail_below(const fail_rule_t *r, const char *path)
{
    size_t  n;

    n = strnlen(r->below, sizeof(r->below));

    return path[0] == '/' && strncmp(path, r->below, n) == 0;
}


static int
fail_wanted(int call)
{
    int  i;

    if (fail_control == NULL || fail_busy) {
        return 0;
    }

    for (i = 0; i < FAIL_RULES; i++) {
        if (fail_control->rules[i].on
            && (fail_control->rules[i].calls & (1u << call)))
        {
            return 1;
        }
    }

    return 0;
}


/* the rule that hits this call, or NULL */

static fail_rule_t * __attribute__((noinline))
fail_match(int call, int fd, const char *name, int of_file)
{
    int           i, error, matched;
    char          buf[4096];
    uint64_t      n;
    const char   *path;
    fail_rule_t  *r, *hit;

    if (!fail_wanted(call)) {
        return NULL;
    }

    error = errno;
    matched = 0;
    hit = NULL;
    fail_busy = 1;

    path = of_file ? fail_path(fd, name, buf, sizeof(buf)) : "";

    if (call == FAIL_MALLOC && !fail_ours()) {
        goto done;
    }

    for (i = 0; i < FAIL_RULES; i++) {
        r = &fail_control->rules[i];

        if (!r->on || !(r->calls & (1u << call))
            || (of_file && !fail_below(r, path)))
        {
            continue;
        }

        matched = 1;
        n = __atomic_add_fetch(&r->seen, 1, __ATOMIC_SEQ_CST);

        if (hit == NULL && r->action != FAIL_COUNT && n >= r->from
            && (r->count == 0 || n - r->from < r->count))
        {
            hit = r;
            __atomic_add_fetch(&r->hit, 1, __ATOMIC_SEQ_CST);
        }
    }

    if (matched) {
        fail_trace(call, path, hit ? (int) (hit - fail_control->rules) + 1
                                   : 0);
    }

    if (hit && hit->action == FAIL_KILL) {
        kill(getpid(), SIGKILL);
    }

    if (hit && hit->action == FAIL_DELAY) {
        usleep((useconds_t) hit->delay_ms * 1000);
        hit = NULL;
    }

done:

    fail_busy = 0;
    errno = error;

    return hit;
}


static size_t
fail_limit(const fail_rule_t *r, size_t n)
{
    size_t  limit;

    limit = r->limit ? (size_t) r->limit : n / 2;
    limit = limit ? limit : 1;

    return limit < n ? limit : n;
}


/* -1 when it is to fail, otherwise how many bytes */

static ssize_t
fail_bytes(int call, int fd, size_t n)
{
    fail_rule_t  *r;

    r = fail_match(call, fd, NULL, 1);

    if (r == NULL || r->action == FAIL_LIE) {
        return (ssize_t) n;
    }

    if (r->action == FAIL_SHORT) {
        return (ssize_t) fail_limit(r, n);
    }

    errno = r->error;

    return -1;
}


/* 0: it is to be done; 1: it is said to be done; -1: it fails */

static int
fail_call(int call, int fd, const char *name)
{
    fail_rule_t  *r;

    r = fail_match(call, fd, name, 1);

    if (r == NULL || r->action == FAIL_SHORT) {
        return 0;
    }

    if (r->action == FAIL_LIE) {
        return 1;
    }

    errno = r->error;

    return -1;
}


ssize_t
write(int fd, const void *p, size_t n)
{
    ssize_t  m;

    fail_real(write)

    m = fail_bytes(FAIL_WRITE, fd, n);

    return m == -1 ? -1 : real(fd, p, (size_t) m);
}


ssize_t
pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    ssize_t  m;

    fail_real(pwrite64)

    m = fail_bytes(FAIL_WRITE, fd, n);

    return m == -1 ? -1 : real(fd, p, (size_t) m, at);
}


static size_t
fail_iov(const struct iovec *from, int n, struct iovec *to, size_t *bytes,
    size_t limit)
{
    int     i;
    size_t  k, len;

    *bytes = 0;

    for (k = 0, i = 0; i < n && k < IOV_MAX && *bytes < limit; i++) {
        len = from[i].iov_len;
        len = len < limit - *bytes ? len : limit - *bytes;

        if (to) {
            to[k] = from[i];
            to[k].iov_len = len;
        }

        k++;
        *bytes += len;
    }

    return k;
}


ssize_t
writev(int fd, const struct iovec *iov, int n)
{
    size_t        bytes;
    ssize_t       m;
    struct iovec  some[IOV_MAX];

    fail_real(writev)

    if (!fail_wanted(FAIL_WRITE)) {
        return real(fd, iov, n);
    }

    (void) fail_iov(iov, n, NULL, &bytes, (size_t) SSIZE_MAX);

    m = fail_bytes(FAIL_WRITE, fd, bytes);

    if (m == -1) {
        return -1;
    }

    if ((size_t) m == bytes) {
        return real(fd, iov, n);
    }

    n = (int) fail_iov(iov, n, some, &bytes, (size_t) m);

    return real(fd, some, n);
}


ssize_t
pwritev64(int fd, const struct iovec *iov, int n, off64_t at)
{
    size_t        bytes;
    ssize_t       m;
    struct iovec  some[IOV_MAX];

    fail_real(pwritev64)

    (void) fail_iov(iov, n, NULL, &bytes, (size_t) SSIZE_MAX);

    m = fail_bytes(FAIL_WRITE, fd, bytes);

    if (m == -1) {
        return -1;
    }

    n = (int) fail_iov(iov, n, some, &bytes, (size_t) m);

    return real(fd, some, n, at);
}


ssize_t
read(int fd, void *p, size_t n)
{
    ssize_t  m;

    fail_real(read)

    m = fail_bytes(FAIL_READ, fd, n);

    return m == -1 ? -1 : real(fd, p, (size_t) m);
}


ssize_t
pread64(int fd, void *p, size_t n, off64_t at)
{
    ssize_t  m;

    fail_real(pread64)

    m = fail_bytes(FAIL_READ, fd, n);

    return m == -1 ? -1 : real(fd, p, (size_t) m, at);
}


int
fsync(int fd)
{
    int  rc;

    fail_real(fsync)

    rc = fail_call(FAIL_FSYNC, fd, NULL);

    return rc ? (rc > 0 ? 0 : -1) : real(fd);
}


int
fdatasync(int fd)
{
    int  rc;

    fail_real(fdatasync)

    rc = fail_call(FAIL_FSYNC, fd, NULL);

    return rc ? (rc > 0 ? 0 : -1) : real(fd);
}


int
renameat2(int from_dir, const char *from, int to_dir, const char *to,
    unsigned flags)
{
    int  rc;

    fail_real(renameat2)

    rc = fail_call(FAIL_RENAME, to_dir, to);

    return rc ? (rc > 0 ? 0 : -1) : real(from_dir, from, to_dir, to, flags);
}


int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    int  rc;

    fail_real(renameat)

    rc = fail_call(FAIL_RENAME, to_dir, to);

    return rc ? (rc > 0 ? 0 : -1) : real(from_dir, from, to_dir, to);
}


int
rename(const char *from, const char *to)
{
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}


int
openat64(int dir, const char *name, int flags, ...)
{
    int      rc;
    mode_t   mode;
    va_list  args;

    fail_real(openat64)

    va_start(args, flags);
    mode = (flags & (O_CREAT|O_TMPFILE)) ? va_arg(args, mode_t) : 0;
    va_end(args);

    rc = fail_call((flags & O_CREAT) ? FAIL_CREATE : FAIL_OPEN, dir, name);

    return rc < 0 ? -1 : real(dir, name, flags, mode);
}


int
openat(int dir, const char *name, int flags, ...)
{
    mode_t   mode;
    va_list  args;

    va_start(args, flags);
    mode = (flags & (O_CREAT|O_TMPFILE)) ? va_arg(args, mode_t) : 0;
    va_end(args);

    return openat64(dir, name, flags, mode);
}


int
open64(const char *name, int flags, ...)
{
    mode_t   mode;
    va_list  args;

    va_start(args, flags);
    mode = (flags & (O_CREAT|O_TMPFILE)) ? va_arg(args, mode_t) : 0;
    va_end(args);

    return openat64(AT_FDCWD, name, flags, mode);
}


int
open(const char *name, int flags, ...)
{
    mode_t   mode;
    va_list  args;

    va_start(args, flags);
    mode = (flags & (O_CREAT|O_TMPFILE)) ? va_arg(args, mode_t) : 0;
    va_end(args);

    return openat64(AT_FDCWD, name, flags, mode);
}


long
syscall(long number, ...)
{
    int      i;
    long     a[6];
    va_list  args;

    fail_real(syscall)

    va_start(args, number);

    for (i = 0; i < 6; i++) {
        a[i] = va_arg(args, long);
    }

    va_end(args);

    if (number == SYS_openat2
        && fail_call(FAIL_OPEN, (int) a[0], (const char *) a[1]) < 0)
    {
        return -1;
    }

    return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}


int
mkdirat(int dir, const char *name, mode_t mode)
{
    int  rc;

    fail_real(mkdirat)

    rc = fail_call(FAIL_MKDIR, dir, name);

    return rc < 0 ? -1 : real(dir, name, mode);
}


int
mkdir(const char *name, mode_t mode)
{
    return mkdirat(AT_FDCWD, name, mode);
}


int
linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    int  rc;

    fail_real(linkat)

    rc = fail_call(FAIL_LINK, to_dir, to);

    return rc < 0 ? -1 : real(from_dir, from, to_dir, to, flags);
}


int
link(const char *from, const char *to)
{
    return linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}


int
unlinkat(int dir, const char *name, int flags)
{
    int  rc;

    fail_real(unlinkat)

    rc = fail_call(FAIL_UNLINK, dir, name);

    return rc ? (rc > 0 ? 0 : -1) : real(dir, name, flags);
}


int
unlink(const char *name)
{
    return unlinkat(AT_FDCWD, name, 0);
}


int
ftruncate64(int fd, off64_t size)
{
    int  rc;

    fail_real(ftruncate64)

    rc = fail_call(FAIL_TRUNCATE, fd, NULL);

    return rc ? (rc > 0 ? 0 : -1) : real(fd, size);
}


/* 1 when there is to be no memory */

static int __attribute__((noinline))
fail_memory(void)
{
    fail_rule_t  *r;

    r = fail_match(FAIL_MALLOC, -1, NULL, 0);

    if (r == NULL || r->action != FAIL_ERROR) {
        return 0;
    }

    errno = ENOMEM;

    return 1;
}


void *
malloc(size_t size)
{
    return fail_memory() ? NULL : __libc_malloc(size);
}


void *
calloc(size_t n, size_t size)
{
    return fail_memory() ? NULL : __libc_calloc(n, size);
}


void *
realloc(void *p, size_t size)
{
    return fail_memory() ? NULL : __libc_realloc(p, size);
}


int
posix_memalign(void **p, size_t alignment, size_t size)
{
    if (fail_memory()) {
        return ENOMEM;
    }

    *p = __libc_memalign(alignment, size);

    return *p ? 0 : ENOMEM;
}


int
getaddrinfo(const char *host, const char *service,
    const struct addrinfo *hints, struct addrinfo **found)
{
    fail_rule_t  *r;

    fail_real(getaddrinfo)

    r = fail_match(FAIL_RESOLVE, -1, NULL, 0);

    if (r && r->action == FAIL_ERROR) {
        return r->error;
    }

    return real(host, service, hints, found);
}


int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int      rc;
    int64_t  us;

    fail_real(clock_gettime)

    rc = real(id, ts);

    if (rc == 0 && fail_control && id == CLOCK_REALTIME) {
        us = ts->tv_nsec / 1000 + fail_control->clock_us;
        ts->tv_sec += us / 1000000;
        us %= 1000000;

        if (us < 0) {
            us += 1000000;
            ts->tv_sec--;
        }

        ts->tv_nsec = us * 1000;
    }

    return rc;
}


int
gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
    struct timespec  ts;

    (void) zone;

    if (clock_gettime(CLOCK_REALTIME, &ts) != 0) {
        return -1;
    }

    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;

    return 0;
}


time_t
time(time_t *t)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    if (t) {
        *t = ts.tv_sec;
    }

    return ts.tv_sec;
}
