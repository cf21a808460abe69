
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_spare.h"


/* of a recording: directory, journal, playlist, parts and their transfers */

#define NGX_MNTREAMER_SPARE_DESCRIPTORS  6
#define NGX_MNTREAMER_SPARE_CONNECTIONS  3

#define NGX_MNTREAMER_SPARE_PLENTY       512   /* recordings */
#define NGX_MNTREAMER_SPARE_PLENTY_MS    10000


/*
 * One look at a time.  What is admitted while it is under way, and behind it,
 * is not in what it saw.
 */

typedef struct {
    ngx_uint_t  used;                         /* of the look under way */
    ngx_uint_t  opening;
    uint64_t    admitted;
    ngx_msec_t  since;

    ngx_int_t   room;                         /* of the last one */
    uint64_t    known;                        /* "admitted" at its begin */
    uint64_t    taken;                        /* ever */
    unsigned    looking:1;
    unsigned    looked:1;
} ngx_mntreamer_spare_t;


static ngx_uint_t ngx_mntreamer_spare_descriptors(void);
static void ngx_mntreamer_spare_count(void *data);
static void ngx_mntreamer_spare_counted(void *data);
static ngx_uint_t ngx_mntreamer_spare_for(ngx_uint_t most, ngx_uint_t used,
    ngx_uint_t each);


static ngx_mntreamer_spare_t  ngx_mntreamer_spare;


static ngx_uint_t
ngx_mntreamer_spare_descriptors(void)
{
    struct rlimit  limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1
        || limit.rlim_cur > NGX_MAX_INT32_VALUE)
    {
        return NGX_MAX_INT32_VALUE;
    }

    return (ngx_uint_t) limit.rlim_cur;
}


ngx_uint_t
ngx_mntreamer_spare_polls(void)
{
    ngx_uint_t  n;

    n = ngx_min(ngx_mntreamer_spare_descriptors(), ngx_cycle->connection_n);

    return ngx_max(n / 4, 1);
}


void
ngx_mntreamer_spare_look(ngx_mntreamer_offload_t *off, ngx_uint_t opening)
{
    ngx_mntreamer_spare_t  *sp;

    sp = &ngx_mntreamer_spare;

    if (sp->looking
        || (sp->looked && sp->room > NGX_MNTREAMER_SPARE_PLENTY
            && ngx_current_msec - sp->since < NGX_MNTREAMER_SPARE_PLENTY_MS))
    {
        return;
    }

    sp->opening = opening;
    sp->admitted = sp->taken;
    sp->since = ngx_current_msec;

    if (!sp->looked) {
        ngx_mntreamer_spare_count(sp);
        ngx_mntreamer_spare_counted(sp);
        return;
    }

    if (ngx_mntreamer_offload_post(off, ngx_mntreamer_spare_count,
                                   ngx_mntreamer_spare_counted, sp)
        == NGX_OK)
    {
        sp->looking = 1;
    }
}


static void
ngx_mntreamer_spare_count(void *data)
{
    ngx_mntreamer_spare_t *sp = data;

    DIR  *dir;

    sp->used = 0;
    dir = opendir("/proc/self/fd");

    if (dir == NULL) {
        sp->used = ngx_errno == NGX_EMFILE ? NGX_MAX_INT32_VALUE : 0;
        return;
    }

    while (readdir(dir)) {
        sp->used++;
    }

    (void) closedir(dir);
}


static void
ngx_mntreamer_spare_counted(void *data)
{
    ngx_mntreamer_spare_t *sp = data;

    ngx_uint_t  files, connections;

    files = ngx_mntreamer_spare_for(ngx_mntreamer_spare_descriptors(),
                                    sp->used,
                                    NGX_MNTREAMER_SPARE_DESCRIPTORS);
    connections = ngx_mntreamer_spare_for(ngx_cycle->connection_n,
                                          ngx_cycle->connection_n
                                          - ngx_cycle->free_connection_n,
                                          NGX_MNTREAMER_SPARE_CONNECTIONS);

    sp->room = (ngx_int_t) ngx_min(files, connections)
               - (ngx_int_t) sp->opening;
    sp->known = sp->admitted;
    sp->looking = 0;
    sp->looked = 1;
}


static ngx_uint_t
ngx_mntreamer_spare_for(ngx_uint_t most, ngx_uint_t used, ngx_uint_t each)
{
    most -= most / 4;

    return most > used ? (most - used) / each : 0;
}


ngx_int_t
ngx_mntreamer_spare_take(void)
{
    ngx_mntreamer_spare_t  *sp;

    sp = &ngx_mntreamer_spare;

    if (sp->room <= (ngx_int_t) (sp->taken - sp->known)) {
        return NGX_DECLINED;
    }

    sp->taken++;

    return NGX_OK;
}
