
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_HTTP_MNTREAMER_H_INCLUDED_
#define _NGX_HTTP_MNTREAMER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "../catalog/ngx_mntreamer_catalog.h"
#include "../loop/ngx_mntreamer_curl.h"
#include "../loop/ngx_mntreamer_offload.h"
#include "../metrics/ngx_mntreamer_metrics.h"
#include "../metrics/ngx_mntreamer_viewers.h"
#include "../monitor/ngx_mntreamer_monitor.h"
#include "../storage/ngx_mntreamer_storage.h"


/*
 * The locations: mntreamer_recordings, mntreamer_api, mntreamer_metrics and
 * mntreamer_health.  They answer 503 for what they need and do not have.
 */


typedef struct {
    ngx_mntreamer_catalog_t  *catalog;        /* alias, as all */
    ngx_mntreamer_storage_t  *storage;
    ngx_mntreamer_metrics_t  *metrics;
    ngx_mntreamer_viewers_t  *viewers;
    ngx_mntreamer_monitor_t  *monitor;
    ngx_mntreamer_offload_t  *offload;
    const ngx_mntreamer_curl_conf_t  *fetch;
    ngx_str_t                *root;           /* of the storage */
    const char               *version;        /* for /health, static */
    ngx_uint_t                enabled;
} ngx_http_mntreamer_env_t;


extern ngx_module_t  ngx_http_mntreamer_module;


/*
 * In a worker: what the handlers work with from now on; copied.  Before there
 * are rooms it is the root and the viewers only.  NULL when the rooms are
 * about to go away; requests under way are not answered any more.
 */
void ngx_http_mntreamer_wire(const ngx_http_mntreamer_env_t *env);

/* something became of jobs: who listens is told; or the worker exits, and
   nobody is told any more */
void ngx_http_mntreamer_events_wake(void);
void ngx_http_mntreamer_events_end(void);

/* after the configuration was read: 1 when it has one of our locations */
ngx_uint_t ngx_http_mntreamer_used(ngx_cycle_t *cycle);


#endif /* _NGX_HTTP_MNTREAMER_H_INCLUDED_ */
