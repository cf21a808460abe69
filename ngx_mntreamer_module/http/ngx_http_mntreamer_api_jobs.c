
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_SPAN_MAX  (400 * 24 * 3600)   /* s */


/* parameters of NGX_MNTREAMER_ASK_JOBS */

enum {
    NGX_HTTP_MNTREAMER_JOBS_STATE = 0,
    NGX_HTTP_MNTREAMER_JOBS_AFTER,
    NGX_HTTP_MNTREAMER_JOBS_LIMIT,
    NGX_HTTP_MNTREAMER_JOBS_N
};


static ngx_int_t ngx_http_mntreamer_export_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
static ngx_int_t ngx_http_mntreamer_export_seconds(ngx_http_request_t *r,
    json_t *json, const char *name, ngx_str_t *slot, int64_t *us,
    ngx_http_mntreamer_error_t *err);
static ngx_int_t ngx_http_mntreamer_export_asked(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_exports_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_jobs_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_job_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_job_deleted(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_job_retried(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);


static const char *const  ngx_http_mntreamer_export_fields[] = {
    "begin", "end", NULL
};

static const char *const  ngx_http_mntreamer_job_words[] = {
    "queued", "running", "done", "failed", "cancelled", NULL
};

static const ngx_http_mntreamer_param_t  ngx_http_mntreamer_jobs_args[] = {

    { "state", NGX_HTTP_MNTREAMER_JOBS_STATE, ngx_http_mntreamer_arg_word,
      ngx_http_mntreamer_job_words },

    { "after", NGX_HTTP_MNTREAMER_JOBS_AFTER, ngx_http_mntreamer_arg_id,
      NULL },

    { "limit", NGX_HTTP_MNTREAMER_JOBS_LIMIT, ngx_http_mntreamer_arg_limit,
      NULL },

    { NULL, 0, NULL, NULL }
};


/* what mntreamer_export() says instead of a job */

static const struct {
    const char  *word;
    ngx_uint_t   code;
    const char  *field;
    const char  *text;
} ngx_http_mntreamer_export_refusals[] = {
    { "missing", NGX_HTTP_MNTREAMER_E_RECORDING_NOT_FOUND, NULL, NULL },
    { "recording", NGX_HTTP_MNTREAMER_E_CONFLICT, NULL,
      "it is in progress" },
    { "empty", NGX_HTTP_MNTREAMER_E_CONFLICT, NULL, "nothing is stored" },
    { "behind", NGX_HTTP_MNTREAMER_E_BAD_FIELD, "begin",
      "is behind the end of the recording" },
    { "many", NGX_HTTP_MNTREAMER_E_CONFLICT, NULL,
      "it has 32 exports, delete one of them" },
    { NULL, 0, NULL, NULL }
};


ngx_int_t
ngx_http_mntreamer_export(ngx_http_request_t *r, ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_http_mntreamer_error_t  err;

    if (ngx_http_mntreamer_args(r, NULL, NULL, &err) != NGX_OK) {
        return ngx_http_mntreamer_fail(r, &err);
    }

    return ngx_http_mntreamer_body(r, ctx, NGX_HTTP_MNTREAMER_BODY_MAX,
                                   ngx_http_mntreamer_export_body);
}


static ngx_int_t
ngx_http_mntreamer_export_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    int64_t                     begin, end;
    ngx_str_t                   params[3];
    ngx_http_mntreamer_error_t  err;

    begin = 0;
    end = -1;

    ngx_memzero(params, sizeof(params));

    if (ngx_http_mntreamer_fields_known(ctx->json,
                                        ngx_http_mntreamer_export_fields,
                                        r->pool, &err)
        != NGX_OK
        || ngx_http_mntreamer_export_seconds(r, ctx->json, "begin", &params[1],
                                             &begin, &err)
           != NGX_OK
        || ngx_http_mntreamer_export_seconds(r, ctx->json, "end", &params[2],
                                             &end, &err)
           != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    if (end >= 0 && end <= begin) {
        ngx_http_mntreamer_error_set(&err, NGX_HTTP_MNTREAMER_E_BAD_FIELD,
                                     "end", "must be behind \"begin\"");
        return ngx_http_mntreamer_fail(r, &err);
    }

    if (params[1].data == NULL) {
        ngx_str_set(&params[1], "0");
    }

    if (ngx_http_mntreamer_number(r, ctx->id, &params[0]) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_EXPORT, params, 3,
                                  ngx_http_mntreamer_export_asked);
}


/* milliseconds are kept of it, so that what is shown is what was asked for */

static ngx_int_t
ngx_http_mntreamer_export_seconds(ngx_http_request_t *r, json_t *json,
    const char *name, ngx_str_t *slot, int64_t *us,
    ngx_http_mntreamer_error_t *err)
{
    double   s;
    json_t  *v;

    v = json_object_get(json, name);

    if (v == NULL || json_is_null(v)) {
        return NGX_OK;
    }

    s = json_is_number(v) ? json_number_value(v) : -1;

    if (!(s >= 0 && s <= NGX_HTTP_MNTREAMER_SPAN_MAX)) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD, name,
                                     "must be seconds into the recording");
        return NGX_DECLINED;
    }

    *us = (int64_t) (s * 1000 + 0.5) * 1000;

    if (ngx_http_mntreamer_number(r, *us, slot) != NGX_OK) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_INTERNAL, NULL,
                                     NULL);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_mntreamer_export_asked(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_str_t                   json, word;
    ngx_uint_t                  i;
    ngx_http_mntreamer_text_t   t;
    ngx_http_mntreamer_error_t  err;

    if (result->nrows == 0) {
        return ngx_http_mntreamer_fail_code(r,
                                            NGX_HTTP_MNTREAMER_E_INTERNAL);
    }

    json = ngx_mntreamer_rows_get(result->rows, 0, 0);
    word = ngx_mntreamer_rows_get(result->rows, 0, 1);

    for (i = 0; ngx_http_mntreamer_export_refusals[i].word; i++) {
        if (ngx_strncmp(word.data, ngx_http_mntreamer_export_refusals[i].word,
                        word.len)
            == 0)
        {
            ngx_http_mntreamer_error_set(&err,
                               ngx_http_mntreamer_export_refusals[i].code,
                               ngx_http_mntreamer_export_refusals[i].field,
                               ngx_http_mntreamer_export_refusals[i].text);
            return ngx_http_mntreamer_fail(r, &err);
        }
    }

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_text_json(&t, &json);

    return ngx_http_mntreamer_send_json(r, word.data[0] == 'n'
                                           ? NGX_HTTP_CREATED : NGX_HTTP_OK,
                                        &t);
}


ngx_int_t
ngx_http_mntreamer_exports(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    return ngx_http_mntreamer_ask_one(r, ctx, NGX_MNTREAMER_ASK_EXPORTS,
                                      ngx_http_mntreamer_exports_send);
}


/* so few that there are no further pages */

static ngx_int_t
ngx_http_mntreamer_exports_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_str_t                  json;
    ngx_http_mntreamer_text_t  t;

    if (result->nrows == 0) {
        return ngx_http_mntreamer_fail_code(r,
                                   NGX_HTTP_MNTREAMER_E_RECORDING_NOT_FOUND);
    }

    json = ngx_mntreamer_rows_get(result->rows, 0, 0);

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_text(&t, "{\"items\":");
    ngx_http_mntreamer_text_json(&t, &json);
    ngx_http_mntreamer_text(&t, ",\"next\":null}");

    return ngx_http_mntreamer_send_json(r, NGX_HTTP_OK, &t);
}


ngx_int_t
ngx_http_mntreamer_jobs(ngx_http_request_t *r, ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                   params[NGX_HTTP_MNTREAMER_JOBS_N];
    ngx_http_mntreamer_error_t  err;

    ngx_memzero(params, sizeof(params));

    if (ngx_http_mntreamer_args(r, ngx_http_mntreamer_jobs_args, params, &err)
        != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    ctx->limit = ngx_http_mntreamer_limit(r,
                                      &params[NGX_HTTP_MNTREAMER_JOBS_LIMIT]);
    if (ctx->limit == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_JOBS, params,
                                  NGX_HTTP_MNTREAMER_JOBS_N,
                                  ngx_http_mntreamer_jobs_send);
}


static ngx_int_t
ngx_http_mntreamer_jobs_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_str_t                  id;
    ngx_uint_t                 n;
    ngx_http_mntreamer_text_t  t;

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    n = ngx_min(result->nrows, ctx->limit);

    ngx_http_mntreamer_text_rows(&t, result, n);

    if (result->nrows > n && n) {
        id = ngx_mntreamer_rows_get(result->rows, n - 1, 1);
        ngx_http_mntreamer_text_string(&t, &id);

    } else {
        ngx_http_mntreamer_text(&t, "null");
    }

    ngx_http_mntreamer_text(&t, "}");

    return ngx_http_mntreamer_send_json(r, NGX_HTTP_OK, &t);
}


ngx_int_t
ngx_http_mntreamer_job(ngx_http_request_t *r, ngx_http_mntreamer_ctx_t *ctx)
{
    return ngx_http_mntreamer_ask_one(r, ctx, NGX_MNTREAMER_ASK_JOB,
                                      ngx_http_mntreamer_job_send);
}


static ngx_int_t
ngx_http_mntreamer_job_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    return ngx_http_mntreamer_send_row(r, result,
                                       NGX_HTTP_MNTREAMER_E_JOB_NOT_FOUND);
}


/* its files are taken away by the engine of its storage, soon */

ngx_int_t
ngx_http_mntreamer_job_delete(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    return ngx_http_mntreamer_ask_one(r, ctx, NGX_MNTREAMER_ASK_JOB_DELETE,
                                      ngx_http_mntreamer_job_deleted);
}


static ngx_int_t
ngx_http_mntreamer_job_deleted(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    if (result->nrows == 0) {
        return ngx_http_mntreamer_fail_code(r,
                                         NGX_HTTP_MNTREAMER_E_JOB_NOT_FOUND);
    }

    return ngx_http_mntreamer_send_nothing(r, ctx);
}


ngx_int_t
ngx_http_mntreamer_job_retry(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_int_t  rc;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_mntreamer_ask_one(r, ctx, NGX_MNTREAMER_ASK_JOB_RETRY,
                                      ngx_http_mntreamer_job_retried);
}


static ngx_int_t
ngx_http_mntreamer_job_retried(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_http_mntreamer_error_t  err;

    if (result->nrows && !ngx_mntreamer_rows_bool(result->rows, 0, 1)) {
        ngx_http_mntreamer_error_set(&err, NGX_HTTP_MNTREAMER_E_CONFLICT, NULL,
                                     "it has not failed, or is ending still");
        return ngx_http_mntreamer_fail(r, &err);
    }

    return ngx_http_mntreamer_job_send(r, ctx, result);
}
