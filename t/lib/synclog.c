
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Preloaded into nginx by a test: notes in the file named by SYNCLOG what is
 * made durable, renamed and appended to, in order, one line each.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>


static void
note(const char *what, const char *name)
{
    int          fd, n;
    char         line[8300];
    const char  *file;

    file = getenv("SYNCLOG");

    if (file == NULL) {
        return;
    }

    n = snprintf(line, sizeof(line), "%s %s\n", what, name);
    fd = open(file, O_WRONLY|O_APPEND|O_CREAT|O_CLOEXEC, 0666);

    if (fd != -1) {
        (void) !write(fd, line, (size_t) n);
        close(fd);
    }
}


static int
name_of(int fd, char *name, size_t size)
{
    char     link[64];
    ssize_t  n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, name, size - 1);
    name[n > 0 ? n : 0] = '\0';

    return n > 0;
}


int
fsync(int fd)
{
    int   (*real)(int);
    char  name[4096];

    *(void **) &real = dlsym(RTLD_NEXT, "fsync");

    if (name_of(fd, name, sizeof(name))) {
        note("sync", name);
    }

    return real(fd);
}


int
fdatasync(int fd)
{
    int   (*real)(int);
    char  name[4096];

    *(void **) &real = dlsym(RTLD_NEXT, "fdatasync");

    if (name_of(fd, name, sizeof(name))) {
        note("sync", name);
    }

    return real(fd);
}


int
renameat2(int from_dir, const char *from, int to_dir, const char *to,
    unsigned flags)
{
    int   (*real)(int, const char *, int, const char *, unsigned);
    char  line[8192];

    *(void **) &real = dlsym(RTLD_NEXT, "renameat2");

    snprintf(line, sizeof(line), "%s %s", from, to);
    note("rename", line);

    return real(from_dir, from, to_dir, to, flags);
}


ssize_t
writev(int fd, const struct iovec *iov, int n)
{
    char      name[4096];
    ssize_t  (*real)(int, const struct iovec *, int);

    *(void **) &real = dlsym(RTLD_NEXT, "writev");

    if (name_of(fd, name, sizeof(name)) && strstr(name, ".m3u8")) {
        note("list", name);
    }

    return real(fd, iov, n);
}
