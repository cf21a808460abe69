
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/random.h>

#include "../loop/ngx_mntreamer_inject.h"
#include "ngx_mntreamer_viewers.h"


struct ngx_mntreamer_viewers_s {
    mnt_viewers_t  *table;                    /* shared */
    ngx_shmtx_t    *mutex;                    /* alias, of the zone */
    ngx_uint_t      missed;                   /* by this process */
};


static ngx_int_t ngx_mntreamer_viewers_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static void ngx_mntreamer_viewers_address(
    const ngx_mntreamer_viewer_t *viewer, mnt_str_t *address, mnt_str_t *net);
static mnt_str_t ngx_mntreamer_viewers_who(ngx_mntreamer_viewers_t *vw,
    const ngx_mntreamer_viewer_t *viewer, mnt_viewer_t *who);
static void ngx_mntreamer_viewers_crowded(ngx_mntreamer_viewers_t *vw,
    mnt_viewers_e rc, ngx_log_t *log);
static int64_t ngx_mntreamer_viewers_clock(void);


ngx_mntreamer_viewers_t *
ngx_mntreamer_viewers_conf(ngx_conf_t *cf, void *tag)
{
    size_t                    size;
    ngx_str_t                 name;
    ngx_shm_zone_t           *shm_zone;
    ngx_mntreamer_viewers_t  *vw;

    vw = ngx_pcalloc(cf->pool, sizeof(ngx_mntreamer_viewers_t));
    if (vw == NULL) {
        return NULL;
    }

    ngx_str_set(&name, "mntreamer_viewers");

    /* the slab allocator keeps some pages of a zone for itself */
    size = ngx_align(sizeof(mnt_viewers_t), ngx_pagesize) + 16 * ngx_pagesize;

    shm_zone = ngx_shared_memory_add(cf, &name, size, tag);
    if (shm_zone == NULL) {
        return NULL;
    }

    shm_zone->init = ngx_mntreamer_viewers_init_zone;
    shm_zone->data = vw;

    return vw;
}


static ngx_int_t
ngx_mntreamer_viewers_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    uint64_t                  random[3];
    ngx_slab_pool_t          *shpool;
    ngx_mntreamer_viewers_t  *vw;

    vw = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    vw->mutex = &shpool->mutex;

    if (data || shm_zone->shm.exists) {
        vw->table = shpool->data;
        return NGX_OK;
    }

    if (getrandom(random, sizeof(random), 0) != (ssize_t) sizeof(random)) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, ngx_errno,
                      "getrandom() failed");
        return NGX_ERROR;
    }

    vw->table = ngx_slab_calloc(shpool, sizeof(mnt_viewers_t));
    if (vw->table == NULL) {
        return NGX_ERROR;
    }

    mnt_viewers_init(vw->table, random);
    ngx_explicit_memzero(random, sizeof(random));

    shpool->data = vw->table;

    return NGX_OK;
}


/* the loop's clock: it is monotonic, and the same for all processes */

static int64_t
ngx_mntreamer_viewers_clock(void)
{
    return (int64_t) ngx_current_msec;
}


/* who has an IPv6 address has the 64 bits behind its network, too */

static void
ngx_mntreamer_viewers_address(const ngx_mntreamer_viewer_t *viewer,
    mnt_str_t *address, mnt_str_t *net)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (viewer->sockaddr->sa_family) {

    case AF_INET:

        sin = (struct sockaddr_in *) viewer->sockaddr;

        address->data = (char *) &sin->sin_addr;
        address->len = sizeof(sin->sin_addr);
        *net = *address;

        return;

#if (NGX_HAVE_INET6)
    case AF_INET6:

        sin6 = (struct sockaddr_in6 *) viewer->sockaddr;

        address->data = (char *) sin6->sin6_addr.s6_addr;
        address->len = sizeof(sin6->sin6_addr.s6_addr);

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            address->data += 12;
            address->len = 4;
            *net = *address;
            return;
        }

        net->data = address->data;
        net->len = 8;

        return;
#endif

    default:

        address->data = (char *) viewer->addr_text.data;
        address->len = viewer->addr_text.len;
        *net = *address;
    }
}


ngx_int_t
ngx_mntreamer_viewers_asked(ngx_mntreamer_viewers_t *vw,
    const ngx_mntreamer_viewer_t *viewer, ngx_uint_t target_s, ngx_log_t *log)
{
    int64_t        now;
    mnt_str_t      directory;
    ngx_uint_t     limit;
    mnt_viewer_t   who;
    mnt_viewers_e  rc;

    directory = ngx_mntreamer_viewers_who(vw, viewer, &who);

    now = ngx_mntreamer_viewers_clock();
    limit = target_s ? ngx_min(viewer->limit, MNT_VIEWERS_MAX) : 0;

    ngx_shmtx_lock(vw->mutex);
    ngx_mntreamer_inject("viewers_locked");

    if (limit
        && !mnt_viewers_admits(vw->table, &who, (unsigned) limit, now))
    {
        ngx_shmtx_unlock(vw->mutex);
        return NGX_BUSY;
    }

    if (target_s) {
        rc = mnt_viewers_playlist(vw->table, &who, directory,
                                  (unsigned) target_s, now);

    } else {
        rc = mnt_viewers_segment(vw->table, &who, now);
    }

    ngx_mntreamer_inject("viewers_changed");
    ngx_shmtx_unlock(vw->mutex);

    if (rc == MNT_VIEWERS_CROWDED || rc == MNT_VIEWERS_FULL) {
        ngx_mntreamer_viewers_crowded(vw, rc, log);

        /* who cannot be counted cannot be one of so many */

        return limit ? NGX_BUSY : NGX_OK;
    }

    return NGX_OK;
}


static mnt_str_t
ngx_mntreamer_viewers_who(ngx_mntreamer_viewers_t *vw,
    const ngx_mntreamer_viewer_t *viewer, mnt_viewer_t *who)
{
    mnt_str_t  directory, address, net, agent;

    directory.data = (char *) viewer->directory.data;
    directory.len = viewer->directory.len;
    agent.data = (char *) viewer->user_agent.data;
    agent.len = viewer->user_agent.len;

    ngx_mntreamer_viewers_address(viewer, &address, &net);

    mnt_viewers_who(vw->table, directory, net, address, agent, who);

    return directory;
}


static void
ngx_mntreamer_viewers_crowded(ngx_mntreamer_viewers_t *vw, mnt_viewers_e rc,
    ngx_log_t *log)
{
    int  tell;

    vw->missed++;

    if (rc == MNT_VIEWERS_CROWDED) {
        return;
    }

    ngx_shmtx_lock(vw->mutex);

    tell = mnt_viewers_complain(vw->table, ngx_mntreamer_viewers_clock());

    ngx_shmtx_unlock(vw->mutex);

    if (tell) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "mntreamer: there are more viewers or recordings that "
                      "are watched than are counted, %ud viewers are",
                      ngx_mntreamer_viewers_now(vw));
    }
}


ngx_uint_t
ngx_mntreamer_viewers_any(ngx_mntreamer_viewers_t *vw)
{
    return mnt_viewers_used(vw->table);
}


ngx_uint_t
ngx_mntreamer_viewers_of(ngx_mntreamer_viewers_t *vw, ngx_str_t *directory)
{
    mnt_str_t   s;
    ngx_uint_t  n;

    s.data = (char *) directory->data;
    s.len = directory->len;

    ngx_shmtx_lock(vw->mutex);

    n = mnt_viewers_of(vw->table, s);

    ngx_shmtx_unlock(vw->mutex);

    return n;
}


ngx_uint_t
ngx_mntreamer_viewers_is(ngx_mntreamer_viewers_t *vw,
    const ngx_mntreamer_viewer_t *viewer)
{
    int           is;
    mnt_viewer_t  who;

    (void) ngx_mntreamer_viewers_who(vw, viewer, &who);

    ngx_shmtx_lock(vw->mutex);

    is = mnt_viewers_is(vw->table, &who, ngx_mntreamer_viewers_clock());

    ngx_shmtx_unlock(vw->mutex);

    return (ngx_uint_t) is;
}


ngx_uint_t
ngx_mntreamer_viewers_now(ngx_mntreamer_viewers_t *vw)
{
    return __atomic_load_n(&vw->table->viewers, __ATOMIC_RELAXED);
}


ngx_uint_t
ngx_mntreamer_viewers_missed(ngx_mntreamer_viewers_t *vw)
{
    return vw->missed;
}


int64_t
ngx_mntreamer_viewers_turn(ngx_mntreamer_viewers_t *vw, ngx_msec_t pause_ms)
{
    int64_t  turn;

    ngx_shmtx_lock(vw->mutex);

    turn = mnt_viewers_turn(vw->table, (unsigned) pause_ms,
                            ngx_mntreamer_viewers_clock())
           ? vw->table->turn : 0;

    ngx_mntreamer_inject("viewers_counted");
    ngx_shmtx_unlock(vw->mutex);

    return turn;
}


ngx_uint_t
ngx_mntreamer_viewers_due(ngx_mntreamer_viewers_t *vw, unsigned *cursor,
    mnt_viewers_report_t *report, ngx_str_t *directory)
{
    int  due;

    ngx_shmtx_lock(vw->mutex);

    due = mnt_viewers_due(vw->table, cursor, ngx_mntreamer_viewers_clock(),
                          report, (char *) directory->data,
                          &directory->len);

    ngx_shmtx_unlock(vw->mutex);

    return due;
}


void
ngx_mntreamer_viewers_told(ngx_mntreamer_viewers_t *vw,
    const mnt_viewers_report_t *report)
{
    ngx_shmtx_lock(vw->mutex);

    mnt_viewers_told(vw->table, report, ngx_mntreamer_viewers_clock());

    ngx_shmtx_unlock(vw->mutex);
}
