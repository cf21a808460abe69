
/*
 * Copyright (C) the mntreamer authors
 */


#include "ngx_mntreamer_inject.h"


#if (NGX_MNTREAMER_INJECT)

#define NGX_MNTREAMER_INJECT_SIZE  64


typedef struct {
    ngx_atomic_t  left;
    char          place[NGX_MNTREAMER_INJECT_SIZE - sizeof(ngx_atomic_t)];
} ngx_mntreamer_inject_t;


static ngx_mntreamer_inject_t *ngx_mntreamer_inject_map(void);


/* in any thread; mapped twice at worst */

static ngx_mntreamer_inject_t *
ngx_mntreamer_inject_map(void)
{
    void        *p;
    int          fd;
    const char  *path;

    static ngx_mntreamer_inject_t  none;
    static void                   *map;

    if (map) {
        return map;
    }

    path = getenv("MNT_INJECT_FILE");
    p = MAP_FAILED;

    if (path) {
        fd = open(path, O_RDWR|O_CLOEXEC);

        if (fd != -1) {
            p = mmap(NULL, sizeof(ngx_mntreamer_inject_t),
                     PROT_READ|PROT_WRITE, MAP_SHARED, fd, 0);
            (void) close(fd);
        }
    }

    map = (p == MAP_FAILED) ? &none : p;

    return map;
}


void
ngx_mntreamer_inject(const char *place)
{
    size_t                   n;
    const char              *env;
    ngx_atomic_uint_t        left;
    ngx_mntreamer_inject_t  *file;

    static ngx_atomic_t  passes;

    env = getenv("MNT_INJECT");
    n = ngx_strlen(place);

    if (env && ngx_strncmp(env, place, n) == 0 && env[n] == ':'
        && ngx_atomic_fetch_add(&passes, 1) + 1
           == (ngx_atomic_uint_t) atol(env + n + 1))
    {
        (void) kill(getpid(), SIGKILL);
    }

    file = ngx_mntreamer_inject_map();
    left = file->left;

    if (left == 0 || ngx_strncmp(file->place, place, n + 1) != 0) {
        return;
    }

    if (ngx_atomic_cmp_set(&file->left, left, left - 1) && left == 1) {
        (void) kill(getpid(), SIGKILL);
    }
}

#endif
