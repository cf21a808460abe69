
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Preloaded into nginx by a test: while the file named by SLOWSYNC is there,
 * an export is not made durable.  Who waits for that says so by a file of the
 * same name and ".waits".  While there is one of that name and ".full", there
 * is no room left.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>


int
fsync(int fd)
{
    int          waits;
    char         link[64], name[4096];
    ssize_t      n;
    const char  *file;

    static int  (*next)(int);

    if (next == NULL) {
        *(void **) &next = dlsym(RTLD_NEXT, "fsync");
    }

    file = getenv("SLOWSYNC");

    (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, name, sizeof(name) - 1);
    name[n > 0 ? n : 0] = '\0';

    if (file && strstr(name, "/.export-")) {
        (void) snprintf(name, sizeof(name), "%s.waits", file);

        while (access(file, F_OK) == 0) {
            waits = open(name, O_WRONLY|O_CREAT|O_CLOEXEC, 0666);

            if (waits != -1) {
                (void) close(waits);
            }

            (void) usleep(50000);
        }
    }

    return next(fd);
}


int
fstatvfs64(int fd, struct statvfs64 *fs)
{
    int          rc;
    char         name[4096];
    const char  *file;

    static int  (*next)(int, struct statvfs64 *);

    if (next == NULL) {
        *(void **) &next = dlsym(RTLD_NEXT, "fstatvfs64");
    }

    rc = next(fd, fs);
    file = getenv("SLOWSYNC");

    if (rc == 0 && file) {
        (void) snprintf(name, sizeof(name), "%s.full", file);

        if (access(name, F_OK) == 0) {
            fs->f_bavail = 0;
        }
    }

    return rc;
}
