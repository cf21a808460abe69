
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The limiters are in a zone that old and new workers of a reload share.  Its
 * lock is that of the slab, which nginx's master opens when a worker dies
 * while it holds it; it is held for microseconds.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <time.h>

#include "ngx_mntreamer_monitor_internal.h"


#define NGX_MNTREAMER_LIMIT_ZONE  (64 * 4096)


static ngx_int_t ngx_mntreamer_limit_init(ngx_shm_zone_t *zone, void *data);
static ngx_shmtx_t *ngx_mntreamer_limit_mutex(ngx_mntreamer_lane_t *lane);


ngx_shm_zone_t *
ngx_mntreamer_monitor_zone(ngx_conf_t *cf, void *tag)
{
    ngx_str_t        name = ngx_string("mntreamer_monitor");
    ngx_shm_zone_t  *zone;

    zone = ngx_shared_memory_add(cf, &name, NGX_MNTREAMER_LIMIT_ZONE, tag);

    if (zone) {
        zone->init = ngx_mntreamer_limit_init;
    }

    return zone;
}


static ngx_int_t
ngx_mntreamer_limit_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t               *shpool;
    ngx_mntreamer_monitor_zone_t  *z;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data || zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    z = ngx_slab_calloc(shpool, sizeof(ngx_mntreamer_monitor_zone_t));

    if (z == NULL) {
        return NGX_ERROR;
    }

    shpool->data = z;
    zone->data = z;

    return NGX_OK;
}


/* a clock that all processes read alike, and not the cached one of the loop */

int64_t
ngx_mntreamer_monitor_clock(void)
{
    struct timespec  ts;

    if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1) {
        return (int64_t) ngx_current_msec;
    }

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static ngx_shmtx_t *
ngx_mntreamer_limit_mutex(ngx_mntreamer_lane_t *lane)
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) lane->mon->conf->zone->shm.addr;

    return &shpool->mutex;
}


int64_t
ngx_mntreamer_limit_take(ngx_mntreamer_lane_t *lane, int64_t *sent_ms)
{
    int64_t       wait;
    ngx_shmtx_t  *mutex;

    if (lane->limiter == NULL) {
        *sent_ms = ngx_mntreamer_monitor_clock();
        return 0;
    }

    mutex = ngx_mntreamer_limit_mutex(lane);

    ngx_shmtx_lock(mutex);
    ngx_mntreamer_inject("limit_locked");

    *sent_ms = ngx_mntreamer_monitor_clock();
    wait = mnt_limiter_take(lane->limiter, (uint32_t) lane->conf->rate,
                            *sent_ms);

    ngx_mntreamer_inject("limit_taken");
    ngx_shmtx_unlock(mutex);

    return wait;
}


int64_t
ngx_mntreamer_limit_wait(ngx_mntreamer_lane_t *lane)
{
    int64_t       wait;
    ngx_shmtx_t  *mutex;

    if (lane->limiter == NULL) {
        return 0;
    }

    mutex = ngx_mntreamer_limit_mutex(lane);

    ngx_shmtx_lock(mutex);

    wait = mnt_limiter_wait(lane->limiter, (uint32_t) lane->conf->rate,
                            ngx_mntreamer_monitor_clock());

    ngx_shmtx_unlock(mutex);

    return wait;
}


ngx_uint_t
ngx_mntreamer_limit_free(ngx_mntreamer_lane_t *lane)
{
    ngx_uint_t    n;
    ngx_shmtx_t  *mutex;

    if (lane->limiter == NULL) {
        return lane->conf->rate;
    }

    mutex = ngx_mntreamer_limit_mutex(lane);

    ngx_shmtx_lock(mutex);

    n = mnt_limiter_free(lane->limiter, (uint32_t) lane->conf->rate,
                         ngx_mntreamer_monitor_clock());

    ngx_shmtx_unlock(mutex);

    return n;
}


void
ngx_mntreamer_limit_done(ngx_mntreamer_lane_t *lane, int64_t sent_ms,
    ngx_uint_t accepted)
{
    ngx_shmtx_t  *mutex;

    if (lane->limiter == NULL) {
        return;
    }

    mutex = ngx_mntreamer_limit_mutex(lane);

    ngx_shmtx_lock(mutex);

    mnt_limiter_done(lane->limiter, sent_ms, ngx_mntreamer_monitor_clock());

    if (accepted) {
        mnt_limiter_accepted(lane->limiter, sent_ms);
    }

    ngx_shmtx_unlock(mutex);
}


int64_t
ngx_mntreamer_limit_refused(ngx_mntreamer_lane_t *lane, int64_t sent_ms,
    int64_t retry_after_ms)
{
    int64_t       pause;
    ngx_shmtx_t  *mutex;

    if (lane->limiter == NULL) {
        return ngx_max(retry_after_ms, 1000);
    }

    mutex = ngx_mntreamer_limit_mutex(lane);

    ngx_shmtx_lock(mutex);

    pause = mnt_limiter_refused(lane->limiter, (uint32_t) lane->conf->rate,
                                sent_ms, ngx_mntreamer_monitor_clock(),
                                retry_after_ms);

    ngx_shmtx_unlock(mutex);

    return pause;
}
