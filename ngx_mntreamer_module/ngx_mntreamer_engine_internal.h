
/*
 * Copyright (C) the mntreamer authors
 */


/* what the files of the engine share; nobody else includes it */


#ifndef _NGX_MNTREAMER_ENGINE_INTERNAL_H_INCLUDED_
#define _NGX_MNTREAMER_ENGINE_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer.h"
#include "events/ngx_mntreamer_follow.h"
#include "http/ngx_http_mntreamer.h"
#include "library/ngx_mntreamer_editor.h"
#include "library/ngx_mntreamer_job.h"
#include "library/ngx_mntreamer_retention.h"
#include "library/ngx_mntreamer_sacrifice.h"
#include "library/ngx_mntreamer_sweep.h"
#include "library/ngx_mntreamer_thumbnail.h"
#include "library/ngx_mntreamer_watching.h"


typedef enum {
    NGX_MNTREAMER_ENGINE_NONE = 0,
    NGX_MNTREAMER_ENGINE_IDLE,
    NGX_MNTREAMER_ENGINE_RUNNING,
    NGX_MNTREAMER_ENGINE_DRAINING,
    NGX_MNTREAMER_ENGINE_RELEASING,
    NGX_MNTREAMER_ENGINE_DONE
} ngx_mntreamer_engine_state_e;


typedef struct {
    ngx_mntreamer_engine_state_e   state;
    ngx_mntreamer_conf_t          *conf;      /* alias, cycle's pool */
    ngx_cycle_t                   *cycle;     /* alias */
    ngx_log_t                     *log;       /* alias */

    ngx_mntreamer_offload_t       *off;       /* owned, as all below */
    ngx_mntreamer_curl_t          *curl;
    ngx_mntreamer_storage_t       *storage;
    ngx_mntreamer_catalog_t       *catalog;
    ngx_mntreamer_monitor_t       *monitor;
    ngx_mntreamer_recorder_t      *recorder;
    ngx_mntreamer_retention_t     *retention;
    ngx_mntreamer_sacrifice_t     *sacrifice;
    ngx_mntreamer_editor_t        *editor;
    ngx_mntreamer_sweep_t         *sweep;
    ngx_mntreamer_watching_t      *watching;
    ngx_mntreamer_follow_t        *follow;
    ngx_mntreamer_thumbnails_t    *thumbnails;
    ngx_mntreamer_jobs_t          *jobs;

    ngx_connection_t              *idle;      /* told of the graceful exit */
    ngx_connection_t               dummy;     /* timers' data: debug logs read
                                                 an fd behind three pointers */
    ngx_event_t                    start;
    ngx_event_t                    beat;
    ngx_event_t                    guard;     /* deadline of the exit */

    ngx_msec_t                     beat_due;
    ngx_uint_t                     beats;
    ngx_uint_t                     by_rc[NGX_MNTREAMER_TRANSFER_MAX];

    ngx_msec_t                     told_ms;   /* that there is no spare */
} ngx_mntreamer_engine_t;


/* makes the rooms that are not there yet, so that it may be called again */
ngx_int_t ngx_mntreamer_engine_rooms(ngx_mntreamer_engine_t *e);

/* tells the rooms whether the database answers */
void ngx_mntreamer_engine_state(void *data, ngx_uint_t up);

/* whether this worker claims and records */
ngx_uint_t ngx_mntreamer_engine_claims(ngx_mntreamer_engine_t *e);


#endif /* _NGX_MNTREAMER_ENGINE_INTERNAL_H_INCLUDED_ */
