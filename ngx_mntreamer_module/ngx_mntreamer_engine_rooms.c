
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The rooms of a worker, and what goes from one to another: they do not know
 * each other upwards, their callbacks meet here.
 */


#include "ngx_mntreamer_engine_internal.h"
#include "loop/ngx_mntreamer_spare.h"


#define NGX_MNTREAMER_SPARE_TELL_MS 60000


static void ngx_mntreamer_engine_catalog_follow(void *data);
static void ngx_mntreamer_engine_catalog_remove(void *data);
static void ngx_mntreamer_engine_catalog_job(void *data);
static ngx_int_t ngx_mntreamer_engine_library(ngx_mntreamer_engine_t *e);
static void ngx_mntreamer_engine_catalog_edit(void *data);
static ngx_int_t ngx_mntreamer_engine_catalog(ngx_mntreamer_engine_t *e);
static ngx_int_t ngx_mntreamer_engine_monitor(ngx_mntreamer_engine_t *e);
static ngx_int_t ngx_mntreamer_engine_thumbnails(ngx_mntreamer_engine_t *e);
static ngx_int_t ngx_mntreamer_engine_recorder(ngx_mntreamer_engine_t *e);
static ngx_int_t ngx_mntreamer_engine_follow(ngx_mntreamer_engine_t *e);
static void ngx_mntreamer_engine_wire(ngx_mntreamer_engine_t *e);


ngx_int_t
ngx_mntreamer_engine_rooms(ngx_mntreamer_engine_t *e)
{
    ngx_mntreamer_metrics_start(e->conf->metrics, e->log);

    if (e->off == NULL) {
        e->off = ngx_mntreamer_offload_create(e->cycle);
    }

    if (e->curl == NULL) {
        e->curl = ngx_mntreamer_curl_create(&e->conf->curl, e->log);
    }

    if (e->off == NULL || e->curl == NULL) {
        return NGX_ERROR;
    }

    if (e->storage == NULL) {
        e->storage = ngx_mntreamer_storage_create(&e->conf->storage, e->off,
                                                  e->log);
    }

    if (e->storage == NULL
        || ngx_mntreamer_engine_catalog(e) != NGX_OK
        || ngx_mntreamer_engine_monitor(e) != NGX_OK
        || ngx_mntreamer_engine_thumbnails(e) != NGX_OK
        || ngx_mntreamer_engine_recorder(e) != NGX_OK
        || ngx_mntreamer_engine_follow(e) != NGX_OK
        || ngx_mntreamer_engine_library(e) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_mntreamer_spare_look(e->off, 0);
    ngx_mntreamer_engine_wire(e);

    return NGX_OK;
}


static ngx_int_t
ngx_mntreamer_engine_library(ngx_mntreamer_engine_t *e)
{
    if (e->watching == NULL) {
        e->watching = ngx_mntreamer_watching_create(e->conf->viewers,
                                                    e->catalog,
                                                    e->conf->metrics, e->log);
        if (e->watching == NULL) {
            return NGX_ERROR;
        }
    }

    /* one of the workers is enough */

    if (ngx_worker == 0 && e->sacrifice == NULL) {
        e->sacrifice = ngx_mntreamer_sacrifice_create(
                                          e->conf->delete_oldest
                                          ? e->conf->delete_age_s
                                          : NGX_MNTREAMER_SACRIFICE_NONE,
                                          e->storage, e->catalog, e->log);
        if (e->sacrifice == NULL) {
            return NGX_ERROR;
        }
    }

    if (ngx_worker == 0 && e->retention == NULL) {
        e->retention = ngx_mntreamer_retention_create(e->catalog, e->log);

        if (e->retention == NULL) {
            return NGX_ERROR;
        }
    }

    if (ngx_worker == 0 && e->editor == NULL) {
        e->editor = ngx_mntreamer_editor_create(e->storage, e->catalog,
                                                e->log);
        if (e->editor == NULL) {
            return NGX_ERROR;
        }
    }

    if (e->conf->storage.live.len && ngx_worker == 0 && e->sweep == NULL) {
        e->sweep = ngx_mntreamer_sweep_create(e->storage, e->catalog, e->log);

        if (e->sweep == NULL) {
            return NGX_ERROR;
        }
    }

    if (e->conf->jobs && ngx_worker == 0 && e->jobs == NULL) {
        e->jobs = ngx_mntreamer_jobs_create(e->conf->jobs, e->storage,
                                            e->catalog, e->conf->metrics,
                                            e->log);
        if (e->jobs == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_mntreamer_engine_state(void *data, ngx_uint_t up)
{
    ngx_mntreamer_engine_t *e = data;

    if (e->monitor && ngx_mntreamer_engine_claims(e)
        && e->state == NGX_MNTREAMER_ENGINE_RUNNING)
    {
        ngx_mntreamer_monitor_state(e->monitor, up);
    }

    if (e->follow) {
        ngx_mntreamer_follow_state(e->follow, up);
    }
}


static void
ngx_mntreamer_engine_catalog_due(void *data)
{
    ngx_mntreamer_engine_t *e = data;

    if (e->monitor && ngx_mntreamer_engine_claims(e)
        && e->state == NGX_MNTREAMER_ENGINE_RUNNING)
    {
        ngx_mntreamer_monitor_due(e->monitor);
    }

    /* leases that are free: what a worker that leaves did not tell */

    ngx_mntreamer_engine_catalog_follow(e);
    ngx_mntreamer_engine_catalog_job(e);
}


static void
ngx_mntreamer_engine_catalog_follow(void *data)
{
    ngx_mntreamer_engine_t *e = data;

    if (e->follow) {
        ngx_mntreamer_follow_due(e->follow);
    }
}


static void
ngx_mntreamer_engine_catalog_remove(void *data)
{
    ngx_mntreamer_engine_t *e = data;

    if (e->sacrifice && e->state == NGX_MNTREAMER_ENGINE_RUNNING) {
        ngx_mntreamer_sacrifice_wake(e->sacrifice);
    }
}


static void
ngx_mntreamer_engine_catalog_job(void *data)
{
    ngx_mntreamer_engine_t *e = data;

    if (e->state != NGX_MNTREAMER_ENGINE_RUNNING) {
        return;
    }

    if (e->jobs) {
        ngx_mntreamer_jobs_wake(e->jobs);
    }

    ngx_http_mntreamer_events_wake();
}


static void
ngx_mntreamer_engine_catalog_edit(void *data)
{
    ngx_mntreamer_engine_t *e = data;

    if (e->editor && e->state == NGX_MNTREAMER_ENGINE_RUNNING) {
        ngx_mntreamer_editor_wake(e->editor);
    }
}


static void
ngx_mntreamer_engine_catalog_stop(void *data, int64_t streamer_id)
{
    ngx_mntreamer_engine_t *e = data;

    if (e->recorder) {
        ngx_mntreamer_recorder_stop(e->recorder, streamer_id);
    }
}


static void
ngx_mntreamer_engine_catalog_lost(void *data, int64_t streamer_id)
{
    ngx_mntreamer_engine_t *e = data;

    if (e->recorder) {
        ngx_mntreamer_recorder_lost(e->recorder, streamer_id);
    }
}


static void
ngx_mntreamer_engine_catalog_news(void *data, int64_t streamer_id)
{
    ngx_mntreamer_engine_t *e = data;

    if (e->recorder) {
        ngx_mntreamer_recorder_news(e->recorder, streamer_id);
    }
}


static void
ngx_mntreamer_engine_catalog_claims(void *data, ngx_mntreamer_pq_array_t *ids,
    ngx_mntreamer_pq_array_t *epochs)
{
    ngx_mntreamer_engine_t *e = data;

    if (e->monitor) {
        ngx_mntreamer_monitor_claims(e->monitor, ids, epochs);
    }
}


static ngx_int_t
ngx_mntreamer_engine_catalog(ngx_mntreamer_engine_t *e)
{
    ngx_mntreamer_catalog_handlers_t  handlers;

    if (e->catalog) {
        return NGX_OK;
    }

    handlers.state = ngx_mntreamer_engine_state;
    handlers.due = ngx_mntreamer_engine_catalog_due;
    handlers.stop = ngx_mntreamer_engine_catalog_stop;
    handlers.lost = ngx_mntreamer_engine_catalog_lost;
    handlers.news = ngx_mntreamer_engine_catalog_news;
    handlers.follow = ngx_mntreamer_engine_catalog_follow;
    handlers.remove = ngx_mntreamer_engine_catalog_remove;
    handlers.job = ngx_mntreamer_engine_catalog_job;
    handlers.edit = ngx_mntreamer_engine_catalog_edit;
    handlers.claims = ngx_mntreamer_engine_catalog_claims;
    handlers.data = e;

    e->catalog = ngx_mntreamer_catalog_create(&e->conf->catalog, &handlers,
                                              e->conf->metrics, e->log);

    return e->catalog ? NGX_OK : NGX_ERROR;
}


/*
 * A new recording would make those fail that there are.  One that is taken
 * over is none.
 */

static ngx_uint_t
ngx_mntreamer_engine_crowded(ngx_mntreamer_engine_t *e)
{
    if (ngx_mntreamer_spare_take() == NGX_OK) {
        return 0;
    }

    if (e->told_ms == 0
        || ngx_current_msec - e->told_ms >= NGX_MNTREAMER_SPARE_TELL_MS)
    {
        e->told_ms = ngx_current_msec;

        ngx_log_error(NGX_LOG_ERR, e->log, 0,
                      "mntreamer: no room for another recording: "
                      "worker_rlimit_nofile or worker_connections is too "
                      "small");
    }

    return 1;
}


static ngx_int_t
ngx_mntreamer_engine_live(void *data, const ngx_mntreamer_claim_t *claim,
    const mnt_probe_t *probe)
{
    ngx_mntreamer_engine_t *e = data;

    if (e->recorder == NULL || e->state != NGX_MNTREAMER_ENGINE_RUNNING) {
        return NGX_DECLINED;
    }

    if (probe && ngx_mntreamer_engine_crowded(e)) {
        return NGX_BUSY;
    }

    return ngx_mntreamer_recorder_start(e->recorder, claim, probe);
}


/* what was taken over carries the streamer's own wish, which may be none */

static ngx_int_t
ngx_mntreamer_engine_resume(void *data, const ngx_mntreamer_claim_t *claim)
{
    ngx_mntreamer_engine_t *e = data;

    ngx_mntreamer_claim_t                 c;
    const ngx_mntreamer_platform_conf_t  *pcf;

    c = *claim;
    pcf = ngx_mntreamer_monitor_platform(e->monitor, c.platform);

    if (c.quality.len == 0 && pcf) {
        c.quality = pcf->quality;
    }

    return ngx_mntreamer_engine_live(data, &c, NULL);
}


static ngx_int_t
ngx_mntreamer_engine_monitor(ngx_mntreamer_engine_t *e)
{
    ngx_mntreamer_monitor_handlers_t  handlers;

    if (e->monitor) {
        return NGX_OK;
    }

    handlers.live = ngx_mntreamer_engine_live;
    handlers.resume = ngx_mntreamer_engine_resume;
    handlers.data = e;

    e->monitor = ngx_mntreamer_monitor_create(&e->conf->monitor, &handlers,
                                              e->curl, e->catalog,
                                              e->conf->metrics, e->log);

    return e->monitor ? NGX_OK : NGX_ERROR;
}


static void *
ngx_mntreamer_engine_probe(void *data, ngx_int_t platform,
    ngx_str_t *channel_id, ngx_uint_t detail,
    void (*done)(void *data, const mnt_probe_t *probe), void *done_data)
{
    ngx_mntreamer_engine_t *e = data;

    return ngx_mntreamer_monitor_probe(e->monitor, platform, channel_id,
                                       detail, done, done_data);
}


static void
ngx_mntreamer_engine_probe_cancel(void *data, void *probing)
{
    ngx_mntreamer_monitor_probe_cancel(probing);
}


static ngx_int_t
ngx_mntreamer_engine_platform(void *data, ngx_int_t platform,
    ngx_str_t *user_agent, ngx_str_t *media_proxy, ngx_str_t *api,
    ngx_str_t *cookies)
{
    ngx_mntreamer_engine_t *e = data;

    const ngx_mntreamer_platform_conf_t  *pcf;

    pcf = ngx_mntreamer_monitor_platform(e->monitor, platform);

    if (pcf == NULL) {
        return NGX_ERROR;
    }

    *user_agent = pcf->user_agent;
    *media_proxy = pcf->media_proxy;
    *api = pcf->api;
    *cookies = pcf->cookies;

    return NGX_OK;
}


static void
ngx_mntreamer_engine_listed(void *data, const ngx_mntreamer_listed_t *listed)
{
    ngx_mntreamer_engine_t *e = data;

    ngx_mntreamer_thumbnail_segment_t     segment;
    const ngx_mntreamer_platform_conf_t  *pcf;

    pcf = ngx_mntreamer_monitor_platform(e->monitor, listed->platform);

    if (pcf == NULL || pcf->thumbnail_ms == 0) {
        return;
    }

    segment.recording_id = listed->recording_id;
    segment.path = listed->path;
    segment.name = listed->name;
    segment.init = listed->init;
    segment.duration_us = listed->duration_us;
    segment.limit_ms = pcf->thumbnail_ms;
    segment.width = pcf->thumbnail_width;

    ngx_mntreamer_thumbnail_listed(e->thumbnails, &segment);
}


static void
ngx_mntreamer_engine_over(void *data, int64_t recording_id, ngx_uint_t ended)
{
    ngx_mntreamer_engine_t *e = data;

    ngx_mntreamer_thumbnail_over(e->thumbnails, recording_id, ended);
}


static ngx_int_t
ngx_mntreamer_engine_thumbnails(ngx_mntreamer_engine_t *e)
{
    if (e->thumbnails == NULL) {
        e->thumbnails = ngx_mntreamer_thumbnails_create(&e->conf->storage.root,
                                                        e->storage, e->catalog,
                                                        e->conf->metrics,
                                                        e->log);
    }

    return e->thumbnails ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_mntreamer_engine_recorder(ngx_mntreamer_engine_t *e)
{
    ngx_mntreamer_recorder_deps_t  deps;

    if (e->recorder) {
        return NGX_OK;
    }

    deps.probe = ngx_mntreamer_engine_probe;
    deps.probe_cancel = ngx_mntreamer_engine_probe_cancel;
    deps.platform = ngx_mntreamer_engine_platform;
    deps.listed = ngx_mntreamer_engine_listed;
    deps.over = ngx_mntreamer_engine_over;
    deps.data = e;

    e->recorder = ngx_mntreamer_recorder_create(&e->conf->recorder, &deps,
                                                e->curl, e->storage,
                                                e->catalog, e->conf->metrics,
                                                e->log);

    return e->recorder ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_mntreamer_engine_follow(ngx_mntreamer_engine_t *e)
{
    if (e->follow || e->conf->catalog.followers == NULL
        || !ngx_mntreamer_engine_claims(e))
    {
        return NGX_OK;
    }

    e->follow = ngx_mntreamer_follow_create(e->conf->catalog.followers,
                                            e->curl, e->catalog,
                                            e->conf->metrics, e->log);

    return e->follow ? NGX_OK : NGX_ERROR;
}


static void
ngx_mntreamer_engine_wire(ngx_mntreamer_engine_t *e)
{
    ngx_http_mntreamer_env_t  env;

    ngx_memzero(&env, sizeof(ngx_http_mntreamer_env_t));

    env.catalog = e->catalog;
    env.storage = e->storage;
    env.metrics = e->conf->metrics;
    env.viewers = e->conf->viewers;
    env.monitor = e->monitor;
    env.offload = e->off;
    env.fetch = &e->conf->curl;
    env.root = &e->conf->storage.root;
    env.version = NGX_MNTREAMER_VERSION;
    env.enabled = 1;

    ngx_http_mntreamer_wire(&env);
}


/* "workers" bounds how many engines claim; a number says nothing else */

ngx_uint_t
ngx_mntreamer_engine_claims(ngx_mntreamer_engine_t *e)
{
    return e->conf->workers == 0 || ngx_worker < e->conf->workers;
}
