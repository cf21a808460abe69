
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


/* parameters of NGX_MNTREAMER_ASK_RECORDINGS */

enum {
    NGX_HTTP_MNTREAMER_RECORDINGS_STATUS = 0,
    NGX_HTTP_MNTREAMER_RECORDINGS_PLATFORM,
    NGX_HTTP_MNTREAMER_RECORDINGS_CHANNEL,
    NGX_HTTP_MNTREAMER_RECORDINGS_STREAMER,
    NGX_HTTP_MNTREAMER_RECORDINGS_SINCE,
    NGX_HTTP_MNTREAMER_RECORDINGS_UNTIL,
    NGX_HTTP_MNTREAMER_RECORDINGS_Q,
    NGX_HTTP_MNTREAMER_RECORDINGS_AFTER,      /* started_at, then the id */
    NGX_HTTP_MNTREAMER_RECORDINGS_AFTER_ID,
    NGX_HTTP_MNTREAMER_RECORDINGS_LIMIT,
    NGX_HTTP_MNTREAMER_RECORDINGS_N
};


static ngx_int_t ngx_http_mntreamer_recordings_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_recording_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_retention_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_live_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_live_one_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_recording_patch_body(
    ngx_http_request_t *r, ngx_http_mntreamer_ctx_t *ctx);
static ngx_int_t ngx_http_mntreamer_recording_patched(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_recording_deleted(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_recording_restored(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_recording_refused(ngx_http_request_t *r,
    const char *why);


static const char *const  ngx_http_mntreamer_recording_fields[] = {
    "protected", "confirmed", NULL
};

static const char *const  ngx_http_mntreamer_recording_words[] = {
    "recording", "recorded", "done", "deleted", "trash", NULL
};

static const char *const  ngx_http_mntreamer_flag_words[] = {
    "0", "1", NULL
};


static const ngx_http_mntreamer_param_t
    ngx_http_mntreamer_recordings_args[] =
{
    { "status", NGX_HTTP_MNTREAMER_RECORDINGS_STATUS,
      ngx_http_mntreamer_arg_word, ngx_http_mntreamer_recording_words },

    { "platform", NGX_HTTP_MNTREAMER_RECORDINGS_PLATFORM,
      ngx_http_mntreamer_arg_platform, NULL },

    { "channel_id", NGX_HTTP_MNTREAMER_RECORDINGS_CHANNEL,
      ngx_http_mntreamer_arg_text, NULL },

    { "streamer_id", NGX_HTTP_MNTREAMER_RECORDINGS_STREAMER,
      ngx_http_mntreamer_arg_id, NULL },

    { "since", NGX_HTTP_MNTREAMER_RECORDINGS_SINCE,
      ngx_http_mntreamer_arg_date, NULL },

    { "until", NGX_HTTP_MNTREAMER_RECORDINGS_UNTIL,
      ngx_http_mntreamer_arg_date, NULL },

    { "q", NGX_HTTP_MNTREAMER_RECORDINGS_Q, ngx_http_mntreamer_arg_text,
      NULL },

    { "after", NGX_HTTP_MNTREAMER_RECORDINGS_AFTER,
      ngx_http_mntreamer_arg_cursor, NULL },

    { "limit", NGX_HTTP_MNTREAMER_RECORDINGS_LIMIT,
      ngx_http_mntreamer_arg_limit, NULL },

    { NULL, 0, NULL, NULL }
};

static const ngx_http_mntreamer_param_t  ngx_http_mntreamer_recording_args[] =
{
    { "files", 0, ngx_http_mntreamer_arg_word, ngx_http_mntreamer_flag_words },
    { NULL, 0, NULL, NULL }
};

/* parameters of NGX_MNTREAMER_ASK_RECORDING_DELETE, behind the id */

static const ngx_http_mntreamer_param_t  ngx_http_mntreamer_delete_args[] = {
    { "purge", 1, ngx_http_mntreamer_arg_word, ngx_http_mntreamer_flag_words },
    { NULL, 0, NULL, NULL }
};

static const ngx_http_mntreamer_param_t  ngx_http_mntreamer_live_args[] = {
    { "limit", 0, ngx_http_mntreamer_arg_limit, NULL },
    { NULL, 0, NULL, NULL }
};


/* parameters of NGX_MNTREAMER_ASK_RETENTION; the second is not for us */

enum {
    NGX_HTTP_MNTREAMER_RETENTION_LIMIT = 0,
    NGX_HTTP_MNTREAMER_RETENTION_AGE = 2,
    NGX_HTTP_MNTREAMER_RETENTION_SIZE,
    NGX_HTTP_MNTREAMER_RETENTION_COUNT,
    NGX_HTTP_MNTREAMER_RETENTION_N
};

static const int64_t  ngx_http_mntreamer_any = INT64_MAX;
static const int64_t  ngx_http_mntreamer_century = NGX_MNTREAMER_KEEP_AGE_MAX;

static const ngx_http_mntreamer_param_t  ngx_http_mntreamer_retention_args[] =
{
    { "age", NGX_HTTP_MNTREAMER_RETENTION_AGE, ngx_http_mntreamer_arg_number,
      &ngx_http_mntreamer_century },

    { "size", NGX_HTTP_MNTREAMER_RETENTION_SIZE, ngx_http_mntreamer_arg_number,
      &ngx_http_mntreamer_any },

    { "count", NGX_HTTP_MNTREAMER_RETENTION_COUNT,
      ngx_http_mntreamer_arg_number, &ngx_http_mntreamer_any },

    { "limit", NGX_HTTP_MNTREAMER_RETENTION_LIMIT,
      ngx_http_mntreamer_arg_limit, NULL },

    { NULL, 0, NULL, NULL }
};


ngx_int_t
ngx_http_mntreamer_recording_list(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                   params[NGX_HTTP_MNTREAMER_RECORDINGS_N];
    ngx_http_mntreamer_error_t  err;

    ngx_memzero(params, sizeof(params));

    if (ngx_http_mntreamer_args(r, ngx_http_mntreamer_recordings_args, params,
                                &err)
        != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    ctx->limit = ngx_http_mntreamer_limit(r,
                               &params[NGX_HTTP_MNTREAMER_RECORDINGS_LIMIT]);
    if (ctx->limit == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_RECORDINGS, params,
                                  NGX_HTTP_MNTREAMER_RECORDINGS_N,
                                  ngx_http_mntreamer_recordings_send);
}


static ngx_int_t
ngx_http_mntreamer_recordings_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_str_t                  started, id;
    ngx_uint_t                 n;
    ngx_http_mntreamer_text_t  t;

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    n = ngx_min(result->nrows, ctx->limit);

    ngx_http_mntreamer_text_rows(&t, result, n);

    if (result->nrows > n) {
        started = ngx_mntreamer_rows_get(result->rows, n - 1, 1);
        id = ngx_mntreamer_rows_get(result->rows, n - 1, 2);
        ngx_http_mntreamer_cursor(&t, &started, &id);

    } else {
        ngx_http_mntreamer_text(&t, "null");
    }

    ngx_http_mntreamer_text(&t, "}");

    return ngx_http_mntreamer_send_json(r, NGX_HTTP_OK, &t);
}


/* without "files" the limit is 0, which no list has */

ngx_int_t
ngx_http_mntreamer_recording(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                   id, files;
    ngx_http_mntreamer_error_t  err;

    ngx_str_null(&files);

    if (ngx_http_mntreamer_args(r, ngx_http_mntreamer_recording_args, &files,
                                &err)
        != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    ctx->limit = (files.len && files.data[0] == '0')
                 ? 0 : NGX_HTTP_MNTREAMER_FILES;

    if (ngx_http_mntreamer_number(r, ctx->id, &id) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_RECORDING, &id, 1,
                                  ngx_http_mntreamer_recording_send);
}


static ngx_int_t
ngx_http_mntreamer_recording_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_str_t  json, path;

    if (result->nrows == 0 || ctx->limit == 0) {
        return ngx_http_mntreamer_send_row(r, result,
                                   NGX_HTTP_MNTREAMER_E_RECORDING_NOT_FOUND);
    }

    json = ngx_mntreamer_rows_get(result->rows, 0, 0);
    path = ngx_mntreamer_rows_get(result->rows, 0, 1);

    return ngx_http_mntreamer_files(r, ctx, &json, &path);
}


ngx_int_t
ngx_http_mntreamer_live(ngx_http_request_t *r, ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                   limit;
    ngx_http_mntreamer_error_t  err;

    ngx_str_null(&limit);

    if (ngx_http_mntreamer_args(r, ngx_http_mntreamer_live_args, &limit, &err)
        != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    ctx->limit = ngx_http_mntreamer_limit(r, &limit);
    if (ctx->limit == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_LIVE, &limit, 1,
                                  ngx_http_mntreamer_live_send);
}


/* ordered by viewers, which change: there are no further pages */

static ngx_int_t
ngx_http_mntreamer_live_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_http_mntreamer_text_t  t;

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_text_rows(&t, result,
                                 ngx_min(result->nrows, ctx->limit));
    ngx_http_mntreamer_text(&t, "null}");

    return ngx_http_mntreamer_send_json(r, NGX_HTTP_OK, &t);
}


ngx_int_t
ngx_http_mntreamer_live_one(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    return ngx_http_mntreamer_ask_one(r, ctx, NGX_MNTREAMER_ASK_LIVE_ONE,
                                      ngx_http_mntreamer_live_one_send);
}


/* somebody who is not on the air is told apart from nobody */

static ngx_int_t
ngx_http_mntreamer_live_one_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    if (result->nrows && !ngx_mntreamer_rows_bool(result->rows, 0, 1)) {
        return ngx_http_mntreamer_fail_code(r,
                                            NGX_HTTP_MNTREAMER_E_NOT_ON_AIR);
    }

    return ngx_http_mntreamer_send_row(r, result,
                                    NGX_HTTP_MNTREAMER_E_STREAMER_NOT_FOUND);
}


ngx_int_t
ngx_http_mntreamer_recording_patch(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_http_mntreamer_error_t  err;

    if (ngx_http_mntreamer_args(r, NULL, NULL, &err) != NGX_OK) {
        return ngx_http_mntreamer_fail(r, &err);
    }

    return ngx_http_mntreamer_body(r, ctx, NGX_HTTP_MNTREAMER_BODY_MAX,
                                   ngx_http_mntreamer_recording_patch_body);
}


static ngx_int_t
ngx_http_mntreamer_recording_patch_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                   params[3];
    ngx_http_mntreamer_error_t  err;

    ngx_memzero(params, sizeof(params));

    if (ngx_http_mntreamer_fields_known(ctx->json,
                                        ngx_http_mntreamer_recording_fields,
                                        r->pool, &err)
        != NGX_OK
        || ngx_http_mntreamer_field_flag(ctx->json, "protected", &params[1],
                                         &err)
           != NGX_OK
        || ngx_http_mntreamer_field_flag(ctx->json, "confirmed", &params[2],
                                         &err)
           != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    if (params[1].data == NULL && params[2].data == NULL) {
        ngx_http_mntreamer_error_set(&err, NGX_HTTP_MNTREAMER_E_MISSING_FIELD,
                                     NULL, "the body changes nothing");
        return ngx_http_mntreamer_fail(r, &err);
    }

    if (ngx_http_mntreamer_number(r, ctx->id, &params[0]) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->limit = 0;

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_RECORDING_PATCH,
                                  params, 3,
                                  ngx_http_mntreamer_recording_patched);
}


static ngx_int_t
ngx_http_mntreamer_recording_patched(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    if (result->nrows && ngx_mntreamer_rows_bool(result->rows, 0, 2)) {
        return ngx_http_mntreamer_recording_refused(r, "it is in progress");
    }

    return ngx_http_mntreamer_recording_send(r, ctx, result);
}


/* its files are hidden or taken away by the engine of its storage, soon */

ngx_int_t
ngx_http_mntreamer_recording_delete(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                   params[3];
    ngx_http_mntreamer_error_t  err;

    ngx_memzero(params, sizeof(params));

    if (ngx_http_mntreamer_args(r, ngx_http_mntreamer_delete_args, params,
                                &err)
        != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    if (ngx_http_mntreamer_number(r, ctx->id, &params[0]) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_RECORDING_DELETE,
                                  params, 3,
                                  ngx_http_mntreamer_recording_deleted);
}


static ngx_int_t
ngx_http_mntreamer_recording_deleted(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_str_t  why;

    if (result->nrows == 0) {
        return ngx_http_mntreamer_fail_code(r,
                                   NGX_HTTP_MNTREAMER_E_RECORDING_NOT_FOUND);
    }

    why = ngx_mntreamer_rows_get(result->rows, 0, 1);

    if (why.len) {
        return ngx_http_mntreamer_recording_refused(r, why.data[0] == 'r'
                                                       ? "it is in progress"
                                                       : "it is protected");
    }

    return ngx_http_mntreamer_send_nothing(r, ctx);
}


ngx_int_t
ngx_http_mntreamer_recording_restore(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    return ngx_http_mntreamer_ask_one(r, ctx,
                                      NGX_MNTREAMER_ASK_RECORDING_RESTORE,
                                      ngx_http_mntreamer_recording_restored);
}


/* it is listed when its files are back */

static ngx_int_t
ngx_http_mntreamer_recording_restored(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    if (result->nrows == 0) {
        return ngx_http_mntreamer_fail_code(r,
                                   NGX_HTTP_MNTREAMER_E_RECORDING_NOT_FOUND);
    }

    if (ngx_mntreamer_rows_bool(result->rows, 0, 2)) {
        return ngx_http_mntreamer_recording_refused(r,
                                                "it is not in the trash");
    }

    return ngx_http_mntreamer_send_first(r, result,
                                     ngx_mntreamer_rows_bool(result->rows, 0,
                                                             3)
                                     ? NGX_HTTP_ACCEPTED : NGX_HTTP_OK);
}


/* what would go now, by the rules of this nginx, or by those that are given */

ngx_int_t
ngx_http_mntreamer_retention(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                  *limit;
    ngx_str_t                   params[NGX_HTTP_MNTREAMER_RETENTION_N];
    ngx_http_mntreamer_error_t  err;

    ngx_memzero(params, sizeof(params));

    if (ngx_http_mntreamer_args(r, ngx_http_mntreamer_retention_args, params,
                                &err)
        != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    limit = &params[NGX_HTTP_MNTREAMER_RETENTION_LIMIT];
    ctx->limit = ngx_http_mntreamer_limit(r, limit);

    if (ctx->limit == 0
        || ngx_http_mntreamer_number(r, ctx->limit, limit) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_RETENTION, params,
                                  NGX_HTTP_MNTREAMER_RETENTION_N,
                                  ngx_http_mntreamer_retention_send);
}


static ngx_int_t
ngx_http_mntreamer_retention_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    return ngx_http_mntreamer_send_row(r, result,
                                       NGX_HTTP_MNTREAMER_E_INTERNAL);
}


static ngx_int_t
ngx_http_mntreamer_recording_refused(ngx_http_request_t *r, const char *why)
{
    ngx_http_mntreamer_error_t  err;

    ngx_http_mntreamer_error_set(&err, NGX_HTTP_MNTREAMER_E_CONFLICT, NULL,
                                 why);

    return ngx_http_mntreamer_fail(r, &err);
}
