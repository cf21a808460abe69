
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_MONITOR_H_INCLUDED_
#define _NGX_MNTREAMER_MONITOR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "../base/mnt_backoff.h"
#include "../platform/mnt_platform.h"
#include "../loop/ngx_mntreamer_curl.h"
#include "../catalog/ngx_mntreamer_catalog.h"


/*
 * Who is due, probing, results.  The one place that asks platforms: also for
 * the recorder (renewed URLs, is it over) and for the API (lookups).  Every
 * request to an API takes a permit from the platform's limiter in shared
 * memory: all workers together never send more than "rate" in any second, and
 * a 429 stops all of them.
 */


typedef struct ngx_mntreamer_monitor_s  ngx_mntreamer_monitor_t;
typedef struct ngx_mntreamer_probing_s  ngx_mntreamer_probing_t;


/* one configured or known platform */

typedef struct {
    const mnt_platform_t  *platform;
    ngx_str_t              api;               /* without final slash */
    ngx_str_t              user_agent;
    ngx_str_t              cookies;           /* header value; never logged */
    ngx_str_t              quality;
    ngx_str_t              proxy;             /* for the API; empty: none */
    ngx_str_t              media_proxy;
    ngx_uint_t             rate;              /* requests a second */
    ngx_str_t              hls_path;          /* pushed: where its HLS lies */
    ngx_array_t           *renditions;        /* of unsigned: heights; NULL:
                                                 not told */
    ngx_array_t           *followers;         /* pushed: of follower_conf_t */
    ngx_msec_t             thumbnail_ms;      /* so old it may be; 0: none */
    ngx_uint_t             thumbnail_width;
} ngx_mntreamer_platform_conf_t;

typedef struct {
    ngx_array_t           *platforms;         /* of ..._platform_conf_t, by
                                                 mnt_platform_at() index */
    mnt_backoff_t          backoff;
    ngx_uint_t             spread_pct;        /* of the ladder's pauses */
    ngx_msec_t             refresh_ms;        /* facts while on air: 60 s */
    ngx_msec_t             lease_ms;
    ngx_msec_t             connect_ms;
    ngx_msec_t             total_ms;
    ngx_msec_t             stall_ms;
    ngx_uint_t             max_running;       /* probes under way here */
    ngx_shm_zone_t        *zone;              /* of the limiters */
} ngx_mntreamer_monitor_conf_t;

/* at configuration time: the limiters' zone */
ngx_shm_zone_t *ngx_mntreamer_monitor_zone(ngx_conf_t *cf, void *tag);


typedef struct {
    /*
     * A claimed streamer is live and playable.  The lease is held; the handler
     * starts a recording and returns NGX_OK, or declines and the lease goes
     * back; NGX_BUSY: there is no room for another one.
     */
    ngx_int_t  (*live)(void *data, const ngx_mntreamer_claim_t *claim,
                       const mnt_probe_t *probe);
    /* a recording in progress whose owner is gone was claimed (probe NULL) */
    ngx_int_t  (*resume)(void *data, const ngx_mntreamer_claim_t *claim);
    void       *data;                         /* alias */
} ngx_mntreamer_monitor_handlers_t;


ngx_mntreamer_monitor_t *ngx_mntreamer_monitor_create(
    const ngx_mntreamer_monitor_conf_t *conf,
    const ngx_mntreamer_monitor_handlers_t *handlers,
    ngx_mntreamer_curl_t *curl, ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_metrics_t *metrics, ngx_log_t *log);
void ngx_mntreamer_monitor_destroy(ngx_mntreamer_monitor_t *mon);

/* the catalogue is up or down; something is due; no more claims (shutdown) */
void ngx_mntreamer_monitor_state(ngx_mntreamer_monitor_t *mon, ngx_uint_t up);
void ngx_mntreamer_monitor_due(ngx_mntreamer_monitor_t *mon);
void ngx_mntreamer_monitor_stop(ngx_mntreamer_monitor_t *mon);
/* adds the streamers that are being asked about, and the epochs of that */
void ngx_mntreamer_monitor_claims(ngx_mntreamer_monitor_t *mon,
    ngx_mntreamer_pq_array_t *ids, ngx_mntreamer_pq_array_t *epochs);

const ngx_mntreamer_platform_conf_t *ngx_mntreamer_monitor_platform(
    ngx_mntreamer_monitor_t *mon, ngx_int_t platform_id);


/*
 * Asks a platform about one channel outside the ladder.  "detail" skips the
 * cheap first question.  done() exactly once, later; *probe lives in it only.
 * NULL: memory is gone.
 */
typedef void (*ngx_mntreamer_probed_pt)(void *data, const mnt_probe_t *probe);

ngx_mntreamer_probing_t *ngx_mntreamer_monitor_probe(
    ngx_mntreamer_monitor_t *mon, ngx_int_t platform_id, ngx_str_t *channel_id,
    ngx_uint_t detail, ngx_mntreamer_probed_pt done, void *data);
void ngx_mntreamer_monitor_probe_cancel(ngx_mntreamer_probing_t *p);

/*
 * For the API: finds what a user typed (id, URL, nickname) on a platform; the
 * channel is checked to exist.  outcome LIVE or OFFLINE: found.
 */
typedef void (*ngx_mntreamer_lookup_pt)(void *data, ngx_uint_t outcome,
    const mnt_channel_t *channel, ngx_str_t *reason);

ngx_mntreamer_probing_t *ngx_mntreamer_monitor_lookup(
    ngx_mntreamer_monitor_t *mon, ngx_int_t platform_id, ngx_str_t *typed,
    ngx_mntreamer_lookup_pt done, void *data);


#endif /* _NGX_MNTREAMER_MONITOR_H_INCLUDED_ */
