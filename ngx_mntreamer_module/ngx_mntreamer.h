
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_H_INCLUDED_
#define _NGX_MNTREAMER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "catalog/ngx_mntreamer_catalog.h"
#include "loop/ngx_mntreamer_curl.h"
#include "metrics/ngx_mntreamer_metrics.h"
#include "metrics/ngx_mntreamer_viewers.h"
#include "monitor/ngx_mntreamer_monitor.h"
#include "recorder/ngx_mntreamer_recorder.h"
#include "storage/ngx_mntreamer_storage.h"


#define NGX_MNTREAMER_VERSION   "0.1.0"


/* what the mntreamer {} block says; lives in the cycle's pool */

typedef struct {
    ngx_uint_t                      configured;   /* there was a block */
    ngx_uint_t                      workers;      /* with an engine; 0: all */
    ngx_msec_t                      drain_ms;
    ngx_str_t                       database;     /* of catalog.conninfo */
    ngx_uint_t                      poll_rate;    /* of those without one */
    ngx_uint_t                      delete_oldest;    /* unsigned :1 */
    time_t                          delete_age_s;
    ngx_uint_t                      jobs;         /* at once; 0: off */
    ngx_mntreamer_catalog_conf_t    catalog;
    ngx_mntreamer_storage_conf_t    storage;
    ngx_mntreamer_curl_conf_t       curl;
    ngx_mntreamer_monitor_conf_t    monitor;
    ngx_mntreamer_recorder_conf_t   recorder;
    ngx_mntreamer_metrics_t        *metrics;
    ngx_mntreamer_viewers_t        *viewers;
} ngx_mntreamer_conf_t;


extern ngx_module_t  ngx_mntreamer_module;
extern ngx_module_t  ngx_mntreamer_conf_module;


/* ngx_mntreamer_conf.c: the "mntreamer" directive and all within */

void *ngx_mntreamer_conf_create(ngx_cycle_t *cycle);
char *ngx_mntreamer_conf_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);


/* ngx_mntreamer_engine.c: the rooms of one worker and what connects them */

/* arms the start; nothing that can fail or block (STYLE S16) */
ngx_int_t ngx_mntreamer_engine_init(ngx_cycle_t *cycle,
    ngx_mntreamer_conf_t *conf);
void ngx_mntreamer_engine_exit(ngx_cycle_t *cycle);


#endif /* _NGX_MNTREAMER_H_INCLUDED_ */
