
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_HEALTH_MS     500
#define NGX_HTTP_MNTREAMER_HEALTH_YOUNG  300


static void ngx_http_mntreamer_health_done(void *data,
    const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_health_send(ngx_http_request_t *r,
    ngx_str_t *counts);
static const char *ngx_http_mntreamer_health_disk(
    const ngx_http_mntreamer_env_t *env, const ngx_mntreamer_space_t *space);


ngx_int_t
ngx_http_mntreamer_health_handler(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    ngx_http_mntreamer_ctx_t        *ctx;
    const ngx_http_mntreamer_env_t  *env;

    rc = ngx_http_mntreamer_only_get(r);
    if (rc != NGX_OK) {
        return rc;
    }

    ctx = ngx_http_mntreamer_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    env = ngx_http_mntreamer_env();

    if (env->catalog == NULL || !ngx_mntreamer_catalog_up(env->catalog)) {
        rc = ngx_http_mntreamer_wait(r, ngx_http_mntreamer_health_handler,
                                     NGX_HTTP_MNTREAMER_HEALTH_YOUNG);
        if (rc != NGX_DECLINED) {
            return rc;
        }

        return ngx_http_mntreamer_health_send(r, NULL);
    }

    ctx->ask = ngx_mntreamer_catalog_ask(env->catalog,
                                         NGX_MNTREAMER_ASK_HEALTH, NULL, 0,
                                         NGX_HTTP_MNTREAMER_HEALTH_MS,
                                         ngx_http_mntreamer_health_done, ctx);

    if (ctx->ask == NULL) {
        return ngx_http_mntreamer_health_send(r, NULL);
    }

    return ngx_http_mntreamer_hold(r, ctx);
}


static void
ngx_http_mntreamer_health_done(void *data,
    const ngx_mntreamer_result_t *result)
{
    ngx_http_mntreamer_ctx_t *ctx = data;

    ngx_str_t            counts;
    ngx_http_request_t  *r;

    r = ctx->request;
    ctx->ask = NULL;

    if (result->rc != NGX_MNTREAMER_PQ_OK || result->nrows == 0) {
        ngx_http_mntreamer_resume(r, ngx_http_mntreamer_health_send(r, NULL));
        return;
    }

    counts = ngx_mntreamer_rows_get(result->rows, 0, 0);

    ngx_http_mntreamer_resume(r, ngx_http_mntreamer_health_send(r, &counts));
}


/* what any worker of this machine found */

static const char *
ngx_http_mntreamer_health_disk(const ngx_http_mntreamer_env_t *env,
    const ngx_mntreamer_space_t *space)
{
    ngx_uint_t  state;

    if (space == NULL) {
        return "storage_error";
    }

    state = space->state;

    if (state == NGX_MNTREAMER_SPACE_OK && env->metrics) {

        if (ngx_mntreamer_metrics_get(env->metrics,
                                      NGX_MNTREAMER_M_STORAGE_ERROR, 0))
        {
            state = NGX_MNTREAMER_SPACE_ERROR;

        } else if (ngx_mntreamer_metrics_get(env->metrics,
                                             NGX_MNTREAMER_M_DISK_FULL, 0))
        {
            state = NGX_MNTREAMER_SPACE_FULL;
        }
    }

    switch (state) {

    case NGX_MNTREAMER_SPACE_FULL:
        return "disk_full";

    case NGX_MNTREAMER_SPACE_ERROR:
        return "storage_error";

    default:
        return "ok";
    }
}


/* without the database's counts, those of this machine are told */

static ngx_int_t
ngx_http_mntreamer_health_send(ngx_http_request_t *r, ngx_str_t *counts)
{
    json_t                          *json;
    int64_t                          recordings, workers;
    mnt_str_t                        text;
    ngx_str_t                        version;
    ngx_uint_t                       busy;
    const char                      *why, *disk;
    ngx_http_mntreamer_text_t        t;
    const ngx_mntreamer_space_t     *space;
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    /* it may have no time for this question, but answers others */

    busy = counts == NULL && env->catalog
           && ngx_mntreamer_catalog_heard(env->catalog);

    recordings = 0;
    workers = 0;

    if (counts) {
        text.data = (char *) counts->data;
        text.len = counts->len;

        json = mnt_json_load(text, NGX_HTTP_MNTREAMER_BODY_MAX, &why);
        recordings = mnt_json_i64(json, "recordings", 0);
        workers = mnt_json_i64(json, "workers", 0);
        json_decref(json);

    } else if (env->metrics) {
        recordings = ngx_mntreamer_metrics_get(env->metrics,
                                               NGX_MNTREAMER_M_RECORDING, 0);
        workers = ngx_mntreamer_metrics_get(env->metrics,
                                            NGX_MNTREAMER_M_WORKERS, 0);
    }

    space = env->storage ? ngx_mntreamer_storage_space(env->storage) : NULL;
    disk = ngx_http_mntreamer_health_disk(env, space);

    version.data = (u_char *) (env->version ? env->version : "");
    version.len = ngx_strlen(version.data);

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_text(&t, "{\"status\":");
    ngx_http_mntreamer_text(&t, counts && env->storage ? "\"ok\""
                                                       : "\"degraded\"");
    ngx_http_mntreamer_text(&t, ",\"version\":");
    ngx_http_mntreamer_text_string(&t, &version);
    ngx_http_mntreamer_text(&t, ",\"database\":");
    ngx_http_mntreamer_text(&t, counts ? "\"up\"" : busy ? "\"busy\""
                                                        : "\"down\"");
    ngx_http_mntreamer_text(&t, ",\"disk\":{\"free\":");

    if (space == NULL || space->free < 0) {
        ngx_http_mntreamer_text(&t, "null");

    } else {
        ngx_http_mntreamer_text_i64(&t, space->free);
    }

    ngx_http_mntreamer_text(&t, ",\"reserve\":");
    ngx_http_mntreamer_text_i64(&t, space ? space->reserve : 0);
    ngx_http_mntreamer_text(&t, ",\"state\":\"");
    ngx_http_mntreamer_text(&t, disk);
    ngx_http_mntreamer_text(&t, "\"},\"recordings\":");
    ngx_http_mntreamer_text_i64(&t, recordings);
    ngx_http_mntreamer_text(&t, ",\"workers\":");
    ngx_http_mntreamer_text_i64(&t, workers);
    ngx_http_mntreamer_text(&t, "}");

    return ngx_http_mntreamer_send_json(r, counts || busy ? NGX_HTTP_OK
                                          : NGX_HTTP_SERVICE_UNAVAILABLE, &t);
}
