
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_METRICS_H_INCLUDED_
#define _NGX_MNTREAMER_METRICS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Numbers in shared memory: each worker adds to a slot of its own, a reader
 * sums all slots; what a dead worker counted is kept, its gauges are not.  The
 * zone is a cache: nothing depends on it.
 *
 * A metric is a line of ngx_mntreamer_metrics_table.c: name, help, type, label
 * and the closed list of its label values (indexed by "label").
 */

typedef enum {
    /* counters */
    NGX_MNTREAMER_M_PROBES = 0,               /* outcome: probe_outcome_e */
    NGX_MNTREAMER_M_WENT_LIVE,
    NGX_MNTREAMER_M_NO_ROOM,
    NGX_MNTREAMER_M_RECORDINGS_STARTED,
    NGX_MNTREAMER_M_RECORDINGS_RESUMED,
    NGX_MNTREAMER_M_RECORDINGS_FINISHED,
    NGX_MNTREAMER_M_SEGMENTS,
    NGX_MNTREAMER_M_BYTES,
    NGX_MNTREAMER_M_GAPS,                     /* cause (ngx_mntreamer_gap_e) */
    NGX_MNTREAMER_M_LOST_SEGMENTS,            /* cause */
    NGX_MNTREAMER_M_LOST_MS,                  /* cause */
    NGX_MNTREAMER_M_SEGMENT_RETRIES,
    NGX_MNTREAMER_M_PLAYLIST_LOADS,           /* result: news unchanged stale
                                                 reset failed */
    NGX_MNTREAMER_M_URL_RENEWALS,
    NGX_MNTREAMER_M_TRANSFERS,                /* rc (transfer_rc_e) */
    NGX_MNTREAMER_M_DB_STATEMENTS,
    NGX_MNTREAMER_M_DB_FAILED,
    NGX_MNTREAMER_M_DB_RECONNECTS,
    NGX_MNTREAMER_M_DB_BUSY_MS,
    NGX_MNTREAMER_M_LEASES_LOST,
    NGX_MNTREAMER_M_REQUESTS,                 /* location: recordings api
                                                 metrics health */
    NGX_MNTREAMER_M_HOOKS,                    /* result: done begun and why
                                                 one was refused */
    NGX_MNTREAMER_M_RENDITIONS,               /* result: made linked */
    NGX_MNTREAMER_M_VIEWERS_MISSED,
    NGX_MNTREAMER_M_FOLLOWERS,                /* result: told again degraded
                                                 closed lost */
    NGX_MNTREAMER_M_THUMBNAILS,               /* result: made failed */
    NGX_MNTREAMER_M_JOBS,                     /* result: done again failed
                                                 cancelled */
    /* gauges of a worker, summed */
    NGX_MNTREAMER_M_LIVE,
    NGX_MNTREAMER_M_RECORDING,
    NGX_MNTREAMER_M_TRANSFERS_RUNNING,
    NGX_MNTREAMER_M_COMMITS_PENDING,
    NGX_MNTREAMER_M_BUFFERED_BYTES,
    NGX_MNTREAMER_M_DB_UP,
    NGX_MNTREAMER_M_DB_QUEUED,
    NGX_MNTREAMER_M_PROBES_RUNNING,
    NGX_MNTREAMER_M_DISK_FREE,                /* maximum, not sum */
    NGX_MNTREAMER_M_DISK_RESERVE,             /* maximum */
    NGX_MNTREAMER_M_DISK_FULL,                /* workers that say so */
    NGX_MNTREAMER_M_STORAGE_ERROR,            /* workers that say so */
    NGX_MNTREAMER_M_WORKERS,                  /* each sets 1 */
    NGX_MNTREAMER_M_VIEWERS,                  /* maximum: all know the same */
    /* histograms, milliseconds */
    NGX_MNTREAMER_M_DETECTION_MS,             /* opened by the platform's word,
                                                 to noticed */
    NGX_MNTREAMER_M_PROBE_LATE_MS,            /* check_at to sent */
    NGX_MNTREAMER_M_COMMIT_MS,
    NGX_MNTREAMER_M_LOOP_LATE_MS,             /* of the heartbeat */
    NGX_MNTREAMER_M_MAX
} ngx_mntreamer_metric_e;

/* causes of a gap; also the text of media_gap.reason */

typedef enum {
    NGX_MNTREAMER_GAP_SOURCE = 0,             /* "source": EXT-X-GAP, skip */
    NGX_MNTREAMER_GAP_WINDOW,                 /* "window": left it unseen */
    NGX_MNTREAMER_GAP_NETWORK,                /* "network": fetch failed */
    NGX_MNTREAMER_GAP_CONTENT,                /* "content": not media */
    NGX_MNTREAMER_GAP_DISK,                   /* "disk" */
    NGX_MNTREAMER_GAP_KEY,                    /* "key": no key, bad padding */
    NGX_MNTREAMER_GAP_RESTART,                /* "restart": nobody recorded */
    NGX_MNTREAMER_GAP_RESET,                  /* "reset": new numbering */
    NGX_MNTREAMER_GAP_MAX
} ngx_mntreamer_gap_e;

const char *ngx_mntreamer_gap_name(ngx_uint_t cause);
/* the cause of that name; NGX_MNTREAMER_GAP_RESTART when there is none */
ngx_uint_t ngx_mntreamer_gap_cause(const char *name);


typedef struct ngx_mntreamer_metrics_s  ngx_mntreamer_metrics_t;


/* at configuration time; the zone is shared by old and new workers of a reload
   because name and tag stay; NULL: logged */
ngx_mntreamer_metrics_t *ngx_mntreamer_metrics_conf(ngx_conf_t *cf, void *tag);

/* in a worker: takes a slot; without one the numbers are dropped */
void ngx_mntreamer_metrics_start(ngx_mntreamer_metrics_t *m, ngx_log_t *log);
void ngx_mntreamer_metrics_stop(ngx_mntreamer_metrics_t *m);

/* "label" is 0 for a metric without labels; out of range is dropped */
void ngx_mntreamer_metrics_add(ngx_mntreamer_metrics_t *m, ngx_uint_t metric,
    ngx_uint_t label, int64_t n);
void ngx_mntreamer_metrics_set(ngx_mntreamer_metrics_t *m, ngx_uint_t metric,
    int64_t value);
void ngx_mntreamer_metrics_observe(ngx_mntreamer_metrics_t *m,
    ngx_uint_t metric, int64_t ms);

/* the sum over all workers: of a counter or gauge */
int64_t ngx_mntreamer_metrics_get(ngx_mntreamer_metrics_t *m,
    ngx_uint_t metric, ngx_uint_t label);

/* Prometheus text format 0.0.4; NULL when memory is gone */
ngx_chain_t *ngx_mntreamer_metrics_text(ngx_mntreamer_metrics_t *m,
    ngx_pool_t *pool);

/*
 * statsd over UDP: what this worker counted since the last call, as datagrams
 * of at most 1400 bytes; gauges by the sum, from the first slot only.  Never
 * blocks; what does not go out is dropped.  NGX_ERROR from _conf(): the text
 * is no address and port (host names are refused).
 */
ngx_int_t ngx_mntreamer_statsd_conf(ngx_mntreamer_metrics_t *m,
    ngx_pool_t *pool, ngx_str_t *address);
void ngx_mntreamer_statsd_send(ngx_mntreamer_metrics_t *m);


#endif /* _NGX_MNTREAMER_METRICS_H_INCLUDED_ */
