
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The engine of a worker: starts the rooms (_engine_rooms.c) and ends them.
 * Every worker has the rooms that answer requests; only the first "workers" of
 * them claim and record.
 *
 * state      entered by      waits for          deadline      then
 * IDLE       init_process    start timer        1 .. 50 ms    RUNNING
 * RUNNING    start timer     graceful exit      -             DRAINING
 * DRAINING   idle handler    recorder drained,  drain_ms      RELEASING
 *                            then followers
 * RELEASING  drained         leases given back  0.8 s         DONE
 * DONE       released, guard exit of process    -             -
 *
 * A guard ends both in drain_ms + 1 s, whatever they wait for.
 *
 * In DONE requests are still answered: a viewer may be in the middle of one.
 *
 * A start that fails (the storage is not writable) is tried again each 5 s.
 * While it is draining one timer that is not cancelable keeps the worker
 * alive; every other repeating timer of the module is cancelable.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_engine_internal.h"
#include "loop/ngx_mntreamer_spare.h"
#include "loop/ngx_mntreamer_watch.h"


#define NGX_MNTREAMER_START_MS      50        /* spread of the start */
#define NGX_MNTREAMER_RETRY_MS      5000
#define NGX_MNTREAMER_REPORT_MS     1000
#define NGX_MNTREAMER_STATSD_MS     10000
#define NGX_MNTREAMER_LEAVE_MS      1000      /* behind drain_ms, all of it */
#define NGX_MNTREAMER_RELEASE_MS    800

/* figures look for stalls more closely than an idle worker should wake up */

#if (NGX_MNTREAMER_INJECT)
#define NGX_MNTREAMER_BEAT_MS       10
#else
#define NGX_MNTREAMER_BEAT_MS       NGX_MNTREAMER_TICK_MS
#endif


static void ngx_mntreamer_engine_start(ngx_event_t *ev);
static void ngx_mntreamer_engine_beat(ngx_event_t *ev);
static void ngx_mntreamer_engine_next(ngx_mntreamer_engine_t *e);
static void ngx_mntreamer_engine_report(ngx_mntreamer_engine_t *e);
static void ngx_mntreamer_engine_orphan(ngx_mntreamer_engine_t *e);
static ngx_int_t ngx_mntreamer_engine_idle(ngx_mntreamer_engine_t *e);
static void ngx_mntreamer_engine_exiting(ngx_event_t *ev);
static void ngx_mntreamer_engine_drained(void *data);
static void ngx_mntreamer_engine_released(void *data, ngx_uint_t rc);
static void ngx_mntreamer_engine_guard(ngx_event_t *ev);
static void ngx_mntreamer_engine_close(ngx_mntreamer_engine_t *e);
static void ngx_mntreamer_engine_close_library(ngx_mntreamer_engine_t *e);


static ngx_mntreamer_engine_t  ngx_mntreamer_engine;


ngx_int_t
ngx_mntreamer_engine_init(ngx_cycle_t *cycle, ngx_mntreamer_conf_t *conf)
{
    ngx_mntreamer_engine_t    *e;
    ngx_http_mntreamer_env_t   env;

    e = &ngx_mntreamer_engine;

    ngx_memzero(e, sizeof(ngx_mntreamer_engine_t));
    ngx_memzero(&env, sizeof(ngx_http_mntreamer_env_t));

    e->state = NGX_MNTREAMER_ENGINE_IDLE;
    e->conf = conf;
    e->cycle = cycle;
    e->log = cycle->log;
    e->dummy.fd = (ngx_socket_t) -1;

    e->start.handler = ngx_mntreamer_engine_start;
    e->start.data = &e->dummy;
    e->start.log = e->log;
    e->start.cancelable = 1;

    e->beat.handler = ngx_mntreamer_engine_beat;
    e->beat.data = &e->dummy;
    e->beat.log = e->log;
    e->beat.cancelable = 1;

    e->guard.handler = ngx_mntreamer_engine_guard;
    e->guard.data = &e->dummy;
    e->guard.log = e->log;

    env.root = &conf->storage.root;
    env.viewers = conf->viewers;

    ngx_http_mntreamer_wire(&env);

    ngx_add_timer(&e->start, 1 + ngx_random() % NGX_MNTREAMER_START_MS);

    return NGX_OK;
}


void
ngx_mntreamer_engine_exit(ngx_cycle_t *cycle)
{
    ngx_mntreamer_engine_t  *e;

    e = &ngx_mntreamer_engine;

    if (e->state == NGX_MNTREAMER_ENGINE_NONE) {
        return;
    }

    ngx_mntreamer_engine_close(e);
}


static void
ngx_mntreamer_engine_start(ngx_event_t *ev)
{
    ngx_mntreamer_engine_t  *e;

    e = &ngx_mntreamer_engine;

    if (ngx_exiting || e->state != NGX_MNTREAMER_ENGINE_IDLE) {
        return;
    }

    if (ngx_mntreamer_engine_idle(e) != NGX_OK
        || ngx_mntreamer_engine_rooms(e) != NGX_OK)
    {
        ngx_add_timer(&e->start, NGX_MNTREAMER_RETRY_MS);
        return;
    }

    e->state = NGX_MNTREAMER_ENGINE_RUNNING;

    /* the database may have come up while another room could not be made */

    if (ngx_mntreamer_catalog_up(e->catalog)) {
        ngx_mntreamer_engine_state(e, 1);
    }

    ngx_mntreamer_engine_next(e);
}


static void
ngx_mntreamer_engine_beat(ngx_event_t *ev)
{
    ngx_msec_int_t           late;
    ngx_mntreamer_engine_t  *e;

    e = &ngx_mntreamer_engine;

    late = (ngx_msec_int_t) (ngx_current_msec - e->beat_due);

    ngx_mntreamer_metrics_observe(e->conf->metrics,
                                  NGX_MNTREAMER_M_LOOP_LATE_MS,
                                  late > 0 ? late : 0);

    e->beats++;

    if (e->beats % (NGX_MNTREAMER_REPORT_MS / NGX_MNTREAMER_BEAT_MS) == 0) {
        ngx_mntreamer_engine_report(e);
        ngx_mntreamer_engine_orphan(e);
    }

    if (e->beats % (NGX_MNTREAMER_STATSD_MS / NGX_MNTREAMER_BEAT_MS) == 0) {
        ngx_mntreamer_statsd_send(e->conf->metrics);
    }

    if (ngx_exiting) {
        return;
    }

    ngx_mntreamer_engine_next(e);
}


static void
ngx_mntreamer_engine_next(ngx_mntreamer_engine_t *e)
{
    ngx_msec_t  ms;

    ms = NGX_MNTREAMER_BEAT_MS - ngx_current_msec % NGX_MNTREAMER_BEAT_MS;

    e->beat_due = ngx_current_msec + ms;
    ngx_add_timer(&e->beat, ms);
}


static void
ngx_mntreamer_engine_report(ngx_mntreamer_engine_t *e)
{
    ngx_uint_t                           i;
    ngx_mntreamer_metrics_t             *m;
    const ngx_mntreamer_space_t         *sp;
    const ngx_mntreamer_curl_stat_t     *cs;
    const ngx_mntreamer_storage_stat_t  *ss;

    m = e->conf->metrics;

    cs = ngx_mntreamer_curl_stat(e->curl);

    ngx_mntreamer_metrics_set(m, NGX_MNTREAMER_M_TRANSFERS_RUNNING,
                              cs->running);

    for (i = 0; i < NGX_MNTREAMER_TRANSFER_MAX; i++) {
        ngx_mntreamer_metrics_add(m, NGX_MNTREAMER_M_TRANSFERS, i,
                                  cs->by_rc[i] - e->by_rc[i]);
        e->by_rc[i] = cs->by_rc[i];
    }

    ss = ngx_mntreamer_storage_stat(e->storage);

    ngx_mntreamer_metrics_set(m, NGX_MNTREAMER_M_COMMITS_PENDING, ss->commits);
    ngx_mntreamer_metrics_set(m, NGX_MNTREAMER_M_BUFFERED_BYTES, ss->buffered);

    if (e->recorder && !ngx_exiting) {
        ngx_mntreamer_spare_look(e->off,
                                 ngx_mntreamer_recorder_opening(e->recorder));
    }

    if (e->retention && !ngx_exiting) {
        ngx_mntreamer_retention_run(e->retention);
    }

    if (e->sacrifice && !ngx_exiting) {
        ngx_mntreamer_sacrifice_run(e->sacrifice);
    }

    if (e->editor && !ngx_exiting) {
        ngx_mntreamer_editor_run(e->editor);
    }

    if (e->sweep && !ngx_exiting) {
        ngx_mntreamer_sweep_run(e->sweep);
    }

    if (e->jobs && !ngx_exiting) {
        ngx_mntreamer_jobs_run(e->jobs);
    }

    if (!ngx_exiting) {
        ngx_mntreamer_watching_run(e->watching);
    }

    if (!ngx_exiting) {
        ngx_mntreamer_thumbnails_run(e->thumbnails);
    }

    sp = ngx_mntreamer_storage_space(e->storage);

    ngx_mntreamer_metrics_set(m, NGX_MNTREAMER_M_DISK_FREE, sp->free);
    ngx_mntreamer_metrics_set(m, NGX_MNTREAMER_M_DISK_RESERVE, sp->reserve);
    ngx_mntreamer_metrics_set(m, NGX_MNTREAMER_M_DISK_FULL,
                              sp->state == NGX_MNTREAMER_SPACE_FULL);
    ngx_mntreamer_metrics_set(m, NGX_MNTREAMER_M_STORAGE_ERROR,
                              sp->state == NGX_MNTREAMER_SPACE_ERROR);

    ngx_mntreamer_metrics_set(m, NGX_MNTREAMER_M_WORKERS, 1);
    ngx_mntreamer_metrics_set(m, NGX_MNTREAMER_M_RECORDING,
                              e->recorder
                              ? ngx_mntreamer_recorder_count(e->recorder) : 0);

    ngx_mntreamer_catalog_report(e->catalog);
}


/*
 * Workers of a master that was killed go on for ever, and keep the sockets
 * that a new master wants to listen on.
 */

static void
ngx_mntreamer_engine_orphan(ngx_mntreamer_engine_t *e)
{
    if (ngx_process != NGX_PROCESS_WORKER || ngx_exiting || ngx_quit
        || getppid() == ngx_parent)
    {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, e->log, 0,
                  "mntreamer: the master process %P is gone, this worker "
                  "quits", ngx_parent);

    ngx_quit = 1;
}


/*
 * nginx calls the read handler of idle connections when a graceful exit begins
 * and tells modules in no other way; -1 would mean a free slot.
 */

static ngx_int_t
ngx_mntreamer_engine_idle(ngx_mntreamer_engine_t *e)
{
    ngx_connection_t  *c;

    if (e->idle) {
        return NGX_OK;
    }

    c = ngx_get_connection(0, e->log);

    if (c == NULL) {
        return NGX_ERROR;
    }

    c->fd = (ngx_socket_t) -2;
    c->idle = 1;
    c->data = e;
    c->log = e->log;
    c->read->handler = ngx_mntreamer_engine_exiting;
    c->write->handler = ngx_mntreamer_engine_exiting;
    c->read->log = e->log;
    c->write->log = e->log;

    e->idle = c;

    return NGX_OK;
}


static void
ngx_mntreamer_engine_exiting(ngx_event_t *ev)
{
    ngx_connection_t        *c;
    ngx_mntreamer_engine_t  *e;

    c = ev->data;
    e = c->data;

    if (e->state != NGX_MNTREAMER_ENGINE_RUNNING) {

        /* worker_shutdown_timeout: nginx calls it once more */

        if (e->state == NGX_MNTREAMER_ENGINE_DRAINING
            || e->state == NGX_MNTREAMER_ENGINE_RELEASING)
        {
            ngx_mntreamer_engine_guard(&e->guard);
        }

        return;
    }

    e->state = NGX_MNTREAMER_ENGINE_DRAINING;

    ngx_log_debug0(NGX_LOG_DEBUG_CORE, e->log, 0, "mntreamer: draining");

    ngx_add_timer(&e->guard, e->conf->drain_ms + NGX_MNTREAMER_LEAVE_MS);

    if (e->follow) {
        (void) ngx_mntreamer_follow_drain(e->follow, NULL, NULL);
    }

    ngx_http_mntreamer_events_end();

    if (e->jobs) {
        ngx_mntreamer_jobs_drain(e->jobs);
    }

    ngx_mntreamer_monitor_stop(e->monitor);
    ngx_mntreamer_recorder_drain(e->recorder, e->conf->drain_ms,
                                 ngx_mntreamer_engine_drained, e);
}


static void
ngx_mntreamer_engine_drained(void *data)
{
    ngx_mntreamer_engine_t *e = data;

    if (e->state != NGX_MNTREAMER_ENGINE_DRAINING) {
        return;
    }

    if (e->follow
        && ngx_mntreamer_follow_drain(e->follow, ngx_mntreamer_engine_drained,
                                      e)
           == NGX_AGAIN)
    {
        return;
    }

    e->state = NGX_MNTREAMER_ENGINE_RELEASING;

    if (ngx_mntreamer_catalog_release(e->catalog, NGX_MNTREAMER_RELEASE_MS,
                                      ngx_mntreamer_engine_released, e)
        != NGX_OK)
    {
        ngx_mntreamer_engine_released(e, NGX_MNTREAMER_PQ_AWAY);
    }
}


/* requests may still be served: the rooms are closed at the exit */

static void
ngx_mntreamer_engine_released(void *data, ngx_uint_t rc)
{
    ngx_mntreamer_engine_t *e = data;

    if (e->state != NGX_MNTREAMER_ENGINE_RELEASING) {
        return;
    }

    if (rc != NGX_MNTREAMER_PQ_OK) {
        ngx_log_error(NGX_LOG_WARN, e->log, 0,
                      "mntreamer: leases were not given back at exit, "
                      "they will expire");
    }

    e->state = NGX_MNTREAMER_ENGINE_DONE;

    if (e->guard.timer_set) {
        ngx_del_timer(&e->guard);
    }
}


static void
ngx_mntreamer_engine_guard(ngx_event_t *ev)
{
    ngx_mntreamer_engine_t  *e;

    e = &ngx_mntreamer_engine;

    ngx_log_error(NGX_LOG_WARN, e->log, 0,
                  "mntreamer: graceful exit took too long, recordings "
                  "were dropped where they stood");

    e->state = NGX_MNTREAMER_ENGINE_DONE;

    if (e->guard.timer_set) {
        ngx_del_timer(&e->guard);
    }

    /* it is freed with the connection whose answers it may wait for */

    ngx_mntreamer_recorder_drop(e->recorder);
}


static void
ngx_mntreamer_engine_close(ngx_mntreamer_engine_t *e)
{
    e->state = NGX_MNTREAMER_ENGINE_NONE;

    ngx_http_mntreamer_wire(NULL);

    if (e->off) {
        ngx_mntreamer_offload_end(e->off);
    }

    if (e->recorder) {
        ngx_mntreamer_recorder_destroy(e->recorder);
    }

    if (e->monitor) {
        ngx_mntreamer_monitor_destroy(e->monitor);
    }

    ngx_mntreamer_engine_close_library(e);

    if (e->catalog) {
        ngx_mntreamer_catalog_destroy(e->catalog);
    }

    if (e->curl) {
        ngx_mntreamer_curl_destroy(e->curl);
    }

    /* after it no thread works for the storage any more */

    if (e->off) {
        ngx_mntreamer_offload_destroy(e->off);
    }

    if (e->storage) {
        ngx_mntreamer_storage_destroy(e->storage);
    }

    ngx_mntreamer_metrics_stop(e->conf->metrics);

    if (e->idle) {

        /* poll() has an array by descriptors, in which this one took 0 */

        e->idle->fd = 0;
        ngx_free_connection(e->idle);
        e->idle->fd = (ngx_socket_t) -1;
        e->idle = NULL;
    }

    if (e->start.timer_set) {
        ngx_del_timer(&e->start);
    }

    if (e->beat.timer_set) {
        ngx_del_timer(&e->beat);
    }

    if (e->guard.timer_set) {
        ngx_del_timer(&e->guard);
    }

    e->recorder = NULL;
    e->monitor = NULL;
    e->catalog = NULL;
    e->curl = NULL;
    e->off = NULL;
    e->storage = NULL;
}


static void
ngx_mntreamer_engine_close_library(ngx_mntreamer_engine_t *e)
{
    if (e->retention) {
        ngx_mntreamer_retention_destroy(e->retention);
        e->retention = NULL;
    }

    if (e->sacrifice) {
        ngx_mntreamer_sacrifice_destroy(e->sacrifice);
        e->sacrifice = NULL;
    }

    if (e->jobs) {
        ngx_mntreamer_jobs_destroy(e->jobs);
        e->jobs = NULL;
    }

    if (e->editor) {
        ngx_mntreamer_editor_destroy(e->editor);
        e->editor = NULL;
    }

    if (e->sweep) {
        ngx_mntreamer_sweep_destroy(e->sweep);
        e->sweep = NULL;
    }

    if (e->watching) {
        ngx_mntreamer_watching_destroy(e->watching);
        e->watching = NULL;
    }

    if (e->follow) {
        ngx_mntreamer_follow_destroy(e->follow);
        e->follow = NULL;
    }

    if (e->thumbnails) {
        ngx_mntreamer_thumbnails_destroy(e->thumbnails);
        e->thumbnails = NULL;
    }
}
