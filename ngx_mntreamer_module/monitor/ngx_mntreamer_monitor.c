
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Who is due.  One timer per worker; each platform is claimed on its own,
 * never more than can be sent within the next second, so that what is most
 * urgent at that moment goes first.  Between claims the catalogue's word of the next due
 * time is slept for; a NOTIFY wakes earlier.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_monitor_internal.h"


#define NGX_MNTREAMER_MONITOR_IDLE_MS    5000 /* asked at least so often */
#define NGX_MNTREAMER_MONITOR_RETRY_MS   500
#define NGX_MNTREAMER_MONITOR_BATCH      2000
#define NGX_MNTREAMER_MONITOR_RESUME     64
#define NGX_MNTREAMER_MONITOR_ZONE_SIZE  (64 * 1024)


static ngx_int_t ngx_mntreamer_monitor_zone_init(ngx_shm_zone_t *zone,
    void *data);
static void ngx_mntreamer_monitor_tick(ngx_event_t *ev);
static void ngx_mntreamer_monitor_permit(ngx_event_t *ev);
static void ngx_mntreamer_monitor_run(ngx_mntreamer_monitor_t *mon);
static ngx_uint_t ngx_mntreamer_monitor_limit(ngx_mntreamer_monitor_t *mon,
    ngx_mntreamer_monitor_platform_t *p);
static void ngx_mntreamer_monitor_claim(ngx_mntreamer_monitor_t *mon,
    ngx_mntreamer_monitor_platform_t *p);
static void ngx_mntreamer_monitor_claimed(void *data, ngx_uint_t rc,
    ngx_mntreamer_claim_t *claims, ngx_uint_t n, int64_t next_ms);
static void ngx_mntreamer_monitor_resume(ngx_mntreamer_monitor_t *mon);
static void ngx_mntreamer_monitor_resumed(void *data, ngx_uint_t rc,
    ngx_mntreamer_claim_t *claims, ngx_uint_t n, int64_t next_ms);
static void ngx_mntreamer_monitor_arm(ngx_mntreamer_monitor_t *mon,
    ngx_msec_t ms);


ngx_shm_zone_t *
ngx_mntreamer_monitor_zone(ngx_conf_t *cf, void *tag)
{
    ngx_str_t        name = ngx_string("mntreamer_limiters");
    ngx_shm_zone_t  *zone;

    zone = ngx_shared_memory_add(cf, &name, NGX_MNTREAMER_MONITOR_ZONE_SIZE,
                                 tag);
    if (zone) {
        zone->init = ngx_mntreamer_monitor_zone_init;
    }

    return zone;
}


static ngx_int_t
ngx_mntreamer_monitor_zone_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data) {
        zone->data = data;
        return NGX_OK;
    }

    if (zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    zone->data = ngx_slab_calloc(shpool, NGX_MNTREAMER_MONITOR_PLATFORMS
                                         * sizeof(mnt_limiter_t));
    shpool->data = zone->data;

    return zone->data ? NGX_OK : NGX_ERROR;
}


ngx_mntreamer_monitor_t *
ngx_mntreamer_monitor_create(const ngx_mntreamer_monitor_conf_t *conf,
    const ngx_mntreamer_monitor_handlers_t *handlers,
    ngx_mntreamer_curl_t *curl, ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_metrics_t *metrics, ngx_log_t *log)
{
    ngx_uint_t                         i;
    mnt_limiter_t                     *limiters;
    ngx_mntreamer_monitor_t           *mon;
    ngx_mntreamer_platform_conf_t     *pcf;
    ngx_mntreamer_monitor_platform_t  *p;

    mon = ngx_calloc(sizeof(ngx_mntreamer_monitor_t), log);
    if (mon == NULL) {
        return NULL;
    }

    mon->conf = conf;
    mon->handlers = *handlers;
    mon->curl = curl;
    mon->cat = cat;
    mon->metrics = metrics;
    mon->shpool = (ngx_slab_pool_t *) conf->zone->shm.addr;
    mon->log = log;
    mon->dummy.fd = (ngx_socket_t) -1;

    ngx_queue_init(&mon->all);

    mon->tick.handler = ngx_mntreamer_monitor_tick;
    mon->tick.data = &mon->dummy;
    mon->tick.log = log;
    mon->tick.cancelable = 1;

    mon->permit.handler = ngx_mntreamer_monitor_permit;
    mon->permit.data = &mon->dummy;
    mon->permit.log = log;
    mon->permit.cancelable = 1;

    mon->dummy.data = mon;

    limiters = conf->zone->data;
    pcf = conf->platforms->elts;

    for (i = 0; i < conf->platforms->nelts
                && i < NGX_MNTREAMER_MONITOR_PLATFORMS; i++)
    {
        p = &mon->platforms[i];

        p->conf = &pcf[i];
        p->limiter = &limiters[i];
        p->monitor = mon;

        ngx_queue_init(&p->urgent);
        ngx_queue_init(&p->waiting);
    }

    mon->nplatforms = i;

    return mon;
}


void
ngx_mntreamer_monitor_destroy(ngx_mntreamer_monitor_t *mon)
{
    while (!ngx_queue_empty(&mon->all)) {
        ngx_mntreamer_probing_destroy(
            ngx_mntreamer_probing_of(ngx_queue_head(&mon->all)));
    }

    if (mon->tick.timer_set) {
        ngx_del_timer(&mon->tick);
    }

    if (mon->permit.timer_set) {
        ngx_del_timer(&mon->permit);
    }

    ngx_free(mon);
}


void
ngx_mntreamer_monitor_state(ngx_mntreamer_monitor_t *mon, ngx_uint_t up)
{
    mon->up = up;

    if (up) {
        ngx_mntreamer_monitor_due(mon);
    }
}


void
ngx_mntreamer_monitor_due(ngx_mntreamer_monitor_t *mon)
{
    ngx_uint_t  i;

    if (!mon->up || mon->stopped) {
        return;
    }

    for (i = 0; i < mon->nplatforms; i++) {
        mon->platforms[i].more = 1;
    }

    mon->resume_at = ngx_current_msec;

    /* several notices of one moment are one claim */

    ngx_mntreamer_monitor_arm(mon, 1);
}


/* probes of the ladder end where they stand: their leases are given back */

void
ngx_mntreamer_monitor_stop(ngx_mntreamer_monitor_t *mon)
{
    mon->stopped = 1;

    if (mon->tick.timer_set) {
        ngx_del_timer(&mon->tick);
    }
}


ngx_mntreamer_monitor_platform_t *
ngx_mntreamer_monitor_find(ngx_mntreamer_monitor_t *mon, ngx_int_t platform_id)
{
    ngx_uint_t  i;

    for (i = 0; i < mon->nplatforms; i++) {
        if (mon->platforms[i].conf->platform->id == platform_id) {
            return &mon->platforms[i];
        }
    }

    return NULL;
}


const ngx_mntreamer_platform_conf_t *
ngx_mntreamer_monitor_platform(ngx_mntreamer_monitor_t *mon,
    ngx_int_t platform_id)
{
    ngx_mntreamer_monitor_platform_t  *p;

    p = ngx_mntreamer_monitor_find(mon, platform_id);

    return p ? p->conf : NULL;
}


static void
ngx_mntreamer_monitor_arm(ngx_mntreamer_monitor_t *mon, ngx_msec_t ms)
{
    if (mon->tick.timer_set) {
        ngx_del_timer(&mon->tick);
    }

    ngx_add_timer(&mon->tick, ms);
}


static void
ngx_mntreamer_monitor_tick(ngx_event_t *ev)
{
    ngx_connection_t *dummy = ev->data;

    ngx_mntreamer_monitor_run(dummy->data);
}


static void
ngx_mntreamer_monitor_permit(ngx_event_t *ev)
{
    ngx_connection_t *dummy = ev->data;

    ngx_mntreamer_probing_send(dummy->data);
}


void
ngx_mntreamer_monitor_room(ngx_mntreamer_monitor_t *mon)
{
    ngx_uint_t  i;

    if (!mon->up || mon->stopped) {
        return;
    }

    for (i = 0; i < mon->nplatforms; i++) {
        if (mon->platforms[i].more && !mon->platforms[i].claiming) {
            ngx_mntreamer_monitor_arm(mon, 1);
            return;
        }
    }
}


static void
ngx_mntreamer_monitor_run(ngx_mntreamer_monitor_t *mon)
{
    ngx_uint_t                         i;
    ngx_msec_int_t                     ms, left;
    ngx_mntreamer_monitor_platform_t  *p;

    if (!mon->up || mon->stopped) {
        return;
    }

    if ((ngx_msec_int_t) (ngx_current_msec - mon->resume_at) >= 0) {
        ngx_mntreamer_monitor_resume(mon);
    }

    ms = NGX_MNTREAMER_MONITOR_IDLE_MS;

    for (i = 0; i < mon->nplatforms; i++) {
        p = &mon->platforms[i];

        if (p->claiming) {
            continue;
        }

        left = p->more ? 0 : (ngx_msec_int_t) (p->due - ngx_current_msec);

        if (left <= 0) {
            ngx_mntreamer_monitor_claim(mon, p);
            left = p->claiming ? ms : NGX_MNTREAMER_MONITOR_RETRY_MS / 5;
        }

        ms = ngx_min(ms, left);
    }

    ngx_mntreamer_monitor_arm(mon, ngx_max(ms, 1));
}


/* what may be sent within the next second, and is not waiting already */

static ngx_uint_t
ngx_mntreamer_monitor_limit(ngx_mntreamer_monitor_t *mon,
    ngx_mntreamer_monitor_platform_t *p)
{
    ngx_uint_t  n, room;

    ngx_shmtx_lock(&mon->shpool->mutex);
    n = mnt_limiter_free(p->limiter, p->conf->rate, ngx_current_msec);
    ngx_shmtx_unlock(&mon->shpool->mutex);

    n = (n > p->nwaiting) ? n - p->nwaiting : 0;

    /* twice what may run: the database works while we do */

    room = 2 * mon->conf->max_running;
    room = (room > mon->running) ? room - mon->running : 0;

    return ngx_min(ngx_min(n, room), NGX_MNTREAMER_MONITOR_BATCH);
}


static void
ngx_mntreamer_monitor_claim(ngx_mntreamer_monitor_t *mon,
    ngx_mntreamer_monitor_platform_t *p)
{
    ngx_uint_t  limit;
    ngx_msec_t  advance;

    limit = ngx_mntreamer_monitor_limit(mon, p);

    if (limit == 0
        || (limit < mon->conf->max_running / 4 && mon->running
            && limit < p->conf->rate))
    {
        p->more = 1;
        return;
    }

    /* who dies with a claim in the hand leaves it due again after that time */

    advance = ngx_max((ngx_msec_t) mnt_backoff_next(&mon->conf->backoff, 1, 0,
                                                    0),
                      2 * mon->conf->total_ms);

    p->more = 0;
    p->due = ngx_current_msec + NGX_MNTREAMER_MONITOR_IDLE_MS;

    if (ngx_mntreamer_catalog_claim(mon->cat, p->conf->platform->id, limit,
                                    advance, ngx_mntreamer_monitor_claimed, p)
        == NGX_OK)
    {
        p->claiming = 1;
        return;
    }

    p->due = ngx_current_msec + NGX_MNTREAMER_MONITOR_RETRY_MS;
}


static void
ngx_mntreamer_monitor_claimed(void *data, ngx_uint_t rc,
    ngx_mntreamer_claim_t *claims, ngx_uint_t n, int64_t next_ms)
{
    ngx_mntreamer_monitor_platform_t *p = data;

    ngx_uint_t                i;
    ngx_mntreamer_monitor_t  *mon;

    mon = p->monitor;
    p->claiming = 0;

    if (rc != NGX_MNTREAMER_PQ_OK) {
        p->due = ngx_current_msec + NGX_MNTREAMER_MONITOR_RETRY_MS;
        ngx_mntreamer_monitor_arm(mon, NGX_MNTREAMER_MONITOR_RETRY_MS);
        return;
    }

    if (next_ms < 0 || next_ms > NGX_MNTREAMER_MONITOR_IDLE_MS) {
        next_ms = NGX_MNTREAMER_MONITOR_IDLE_MS
                  + ngx_random() % (NGX_MNTREAMER_MONITOR_IDLE_MS / 5);
    }

    p->due = ngx_current_msec + (ngx_msec_t) next_ms;

    if (next_ms == 0) {
        p->more = 1;
    }

    if (mon->stopped) {
        return;                               /* released with all others */
    }

    for (i = 0; i < n; i++) {
        if (ngx_mntreamer_probing_claim(mon, p, &claims[i]) != NGX_OK) {
            break;                            /* no memory: leases expire */
        }
    }

    ngx_mntreamer_probing_send(mon);
    ngx_mntreamer_monitor_arm(mon, 1);
}


static void
ngx_mntreamer_monitor_resume(ngx_mntreamer_monitor_t *mon)
{
    if (mon->resuming) {
        return;
    }

    mon->resume_at = ngx_current_msec + NGX_MNTREAMER_MONITOR_IDLE_MS;

    if (ngx_mntreamer_catalog_claim_recordings(mon->cat,
                                               NGX_MNTREAMER_MONITOR_RESUME,
                                               ngx_mntreamer_monitor_resumed,
                                               mon)
        == NGX_OK)
    {
        mon->resuming = 1;
    }
}


static void
ngx_mntreamer_monitor_resumed(void *data, ngx_uint_t rc,
    ngx_mntreamer_claim_t *claims, ngx_uint_t n, int64_t next_ms)
{
    ngx_mntreamer_monitor_t *mon = data;

    ngx_uint_t  i;

    mon->resuming = 0;

    if (rc != NGX_MNTREAMER_PQ_OK || mon->stopped) {
        return;
    }

    for (i = 0; i < n; i++) {
        (void) mon->handlers.resume(mon->handlers.data, &claims[i]);
    }

    if (n == NGX_MNTREAMER_MONITOR_RESUME) {
        mon->resume_at = ngx_current_msec;
        ngx_mntreamer_monitor_arm(mon, 1);
    }
}
