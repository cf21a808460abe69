
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_MONITOR_INTERNAL_H_INCLUDED_
#define _NGX_MNTREAMER_MONITOR_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_monitor.h"
#include "mnt_limiter.h"


#define NGX_MNTREAMER_MONITOR_PLATFORMS  16


/* a platform as this worker sees it */

typedef struct {
    const ngx_mntreamer_platform_conf_t  *conf;     /* alias */
    mnt_limiter_t                        *limiter;  /* alias, shared memory */
    ngx_queue_t                           urgent;   /* waiting for a permit */
    ngx_queue_t                           waiting;
    ngx_uint_t                            nwaiting;
    ngx_msec_t                            due;      /* next claim; when "more"
                                                       is not set */
    ngx_uint_t                            more;     /* :1; some are due now */
    ngx_uint_t                            claiming; /* :1 */
    ngx_mntreamer_monitor_t              *monitor;  /* alias */
} ngx_mntreamer_monitor_platform_t;


struct ngx_mntreamer_monitor_s {
    const ngx_mntreamer_monitor_conf_t   *conf;     /* alias */
    ngx_mntreamer_monitor_handlers_t      handlers;
    ngx_mntreamer_curl_t                 *curl;     /* alias, as below */
    ngx_mntreamer_catalog_t              *cat;
    ngx_mntreamer_metrics_t              *metrics;
    ngx_slab_pool_t                      *shpool;
    ngx_log_t                            *log;

    ngx_mntreamer_monitor_platform_t      platforms[
                                              NGX_MNTREAMER_MONITOR_PLATFORMS];
    ngx_uint_t                            nplatforms;

    ngx_queue_t                           all;      /* probings, any state */
    ngx_uint_t                            running;  /* routine probes */
    ngx_uint_t                            up;       /* :1; claims are wanted */
    ngx_uint_t                            stopped;  /* :1; for good */
    ngx_uint_t                            resuming; /* :1; recordings */
    ngx_msec_t                            resume_at;

    ngx_event_t                           tick;     /* claims */
    ngx_event_t                           permit;   /* waiting probings */
    ngx_connection_t                      dummy;
};


/* ngx_mntreamer_monitor_probe.c */

/* starts a probe of the ladder */
ngx_int_t ngx_mntreamer_probing_claim(ngx_mntreamer_monitor_t *mon,
    ngx_mntreamer_monitor_platform_t *p, const ngx_mntreamer_claim_t *claim);

/* sends what has a permit; arms the permit timer for the rest */
void ngx_mntreamer_probing_send(ngx_mntreamer_monitor_t *mon);

void ngx_mntreamer_probing_destroy(ngx_mntreamer_probing_t *pr);

ngx_mntreamer_probing_t *ngx_mntreamer_probing_of(ngx_queue_t *q);


/* ngx_mntreamer_monitor_result.c */

/* what a probe of the ladder found: row, log, metrics, and the recorder */
void ngx_mntreamer_monitor_result(ngx_mntreamer_monitor_t *mon,
    ngx_mntreamer_monitor_platform_t *p, const ngx_mntreamer_claim_t *claim,
    const mnt_probe_t *probe);


/* ngx_mntreamer_monitor.c */

ngx_mntreamer_monitor_platform_t *ngx_mntreamer_monitor_find(
    ngx_mntreamer_monitor_t *mon, ngx_int_t platform_id);

/* a routine probe ended: there is room for another one */
void ngx_mntreamer_monitor_room(ngx_mntreamer_monitor_t *mon);


#endif /* _NGX_MNTREAMER_MONITOR_INTERNAL_H_INCLUDED_ */
