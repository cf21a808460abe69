
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


/* parameters of NGX_MNTREAMER_ASK_STREAMERS */

enum {
    NGX_HTTP_MNTREAMER_STREAMERS_PLATFORM = 0,
    NGX_HTTP_MNTREAMER_STREAMERS_CHANNEL,
    NGX_HTTP_MNTREAMER_STREAMERS_STATUS,
    NGX_HTTP_MNTREAMER_STREAMERS_MONITORED,
    NGX_HTTP_MNTREAMER_STREAMERS_Q,
    NGX_HTTP_MNTREAMER_STREAMERS_AFTER,
    NGX_HTTP_MNTREAMER_STREAMERS_LIMIT,
    NGX_HTTP_MNTREAMER_STREAMERS_N
};

/* parameters of NGX_MNTREAMER_ASK_STREAMER_PATCH */

enum {
    NGX_HTTP_MNTREAMER_PATCH_ID = 0,
    NGX_HTTP_MNTREAMER_PATCH_MONITORED,
    NGX_HTTP_MNTREAMER_PATCH_PRIORITY,
    NGX_HTTP_MNTREAMER_PATCH_QUALITY,
    NGX_HTTP_MNTREAMER_PATCH_NICKNAME,
    NGX_HTTP_MNTREAMER_PATCH_TITLES,          /* three */
    NGX_HTTP_MNTREAMER_PATCH_RETENTION = NGX_HTTP_MNTREAMER_PATCH_TITLES
                                         + NGX_HTTP_MNTREAMER_TITLES,
    NGX_HTTP_MNTREAMER_PATCH_N
};


static ngx_int_t ngx_http_mntreamer_streamers_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_streamer_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_streamer_patch_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
static ngx_int_t ngx_http_mntreamer_streamer_patch_fields(
    ngx_http_request_t *r, json_t *json, ngx_str_t *params,
    ngx_http_mntreamer_error_t *err);
static ngx_int_t ngx_http_mntreamer_streamer_patched(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_streamer_deleted(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);


static const char *const  ngx_http_mntreamer_streamer_words[] = {
    "idle", "process", "recording", NULL
};

static const char *const  ngx_http_mntreamer_bool_words[] = {
    "true", "false", NULL
};

static const char *const  ngx_http_mntreamer_patch_names[] = {
    "monitored", "priority", "quality", "nickname", "title", "description",
    "category", "retention", NULL
};


static const ngx_http_mntreamer_param_t  ngx_http_mntreamer_streamers_args[] =
{
    { "platform", NGX_HTTP_MNTREAMER_STREAMERS_PLATFORM,
      ngx_http_mntreamer_arg_platform, NULL },

    { "channel_id", NGX_HTTP_MNTREAMER_STREAMERS_CHANNEL,
      ngx_http_mntreamer_arg_text, NULL },

    { "status", NGX_HTTP_MNTREAMER_STREAMERS_STATUS,
      ngx_http_mntreamer_arg_word, ngx_http_mntreamer_streamer_words },

    { "monitored", NGX_HTTP_MNTREAMER_STREAMERS_MONITORED,
      ngx_http_mntreamer_arg_word, ngx_http_mntreamer_bool_words },

    { "q", NGX_HTTP_MNTREAMER_STREAMERS_Q, ngx_http_mntreamer_arg_text, NULL },

    { "after", NGX_HTTP_MNTREAMER_STREAMERS_AFTER, ngx_http_mntreamer_arg_id,
      NULL },

    { "limit", NGX_HTTP_MNTREAMER_STREAMERS_LIMIT,
      ngx_http_mntreamer_arg_limit, NULL },

    { NULL, 0, NULL, NULL }
};


ngx_int_t
ngx_http_mntreamer_streamers(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                   params[NGX_HTTP_MNTREAMER_STREAMERS_N];
    ngx_http_mntreamer_error_t  err;

    ngx_memzero(params, sizeof(params));

    if (ngx_http_mntreamer_args(r, ngx_http_mntreamer_streamers_args, params,
                                &err)
        != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    ctx->limit = ngx_http_mntreamer_limit(r,
                                &params[NGX_HTTP_MNTREAMER_STREAMERS_LIMIT]);
    if (ctx->limit == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_STREAMERS, params,
                                  NGX_HTTP_MNTREAMER_STREAMERS_N,
                                  ngx_http_mntreamer_streamers_send);
}


static ngx_int_t
ngx_http_mntreamer_streamers_send(ngx_http_request_t *r,
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
ngx_http_mntreamer_streamer(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    return ngx_http_mntreamer_ask_one(r, ctx, NGX_MNTREAMER_ASK_STREAMER,
                                      ngx_http_mntreamer_streamer_send);
}


static ngx_int_t
ngx_http_mntreamer_streamer_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    return ngx_http_mntreamer_send_row(r, result,
                                    NGX_HTTP_MNTREAMER_E_STREAMER_NOT_FOUND);
}


ngx_int_t
ngx_http_mntreamer_streamer_delete(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    return ngx_http_mntreamer_ask_one(r, ctx,
                                      NGX_MNTREAMER_ASK_STREAMER_DELETE,
                                      ngx_http_mntreamer_streamer_deleted);
}


static ngx_int_t
ngx_http_mntreamer_streamer_deleted(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    if (result->nrows == 0) {
        return ngx_http_mntreamer_fail_code(r,
                                    NGX_HTTP_MNTREAMER_E_STREAMER_NOT_FOUND);
    }

    return ngx_http_mntreamer_send_nothing(r, ctx);
}


ngx_int_t
ngx_http_mntreamer_streamer_patch(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_http_mntreamer_error_t  err;

    if (ngx_http_mntreamer_args(r, NULL, NULL, &err) != NGX_OK) {
        return ngx_http_mntreamer_fail(r, &err);
    }

    return ngx_http_mntreamer_body(r, ctx, NGX_HTTP_MNTREAMER_BODY_MAX,
                                   ngx_http_mntreamer_streamer_patch_body);
}


static ngx_int_t
ngx_http_mntreamer_streamer_patch_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                   params[NGX_HTTP_MNTREAMER_PATCH_N];
    ngx_http_mntreamer_error_t  err;

    ngx_memzero(params, sizeof(params));

    if (ngx_http_mntreamer_streamer_patch_fields(r, ctx->json, params, &err)
        != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    if (ngx_http_mntreamer_number(r, ctx->id,
                                  &params[NGX_HTTP_MNTREAMER_PATCH_ID])
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_STREAMER_PATCH,
                                  params, NGX_HTTP_MNTREAMER_PATCH_N,
                                  ngx_http_mntreamer_streamer_patched);
}


/* the parameters are gone, the body is not */

static ngx_int_t
ngx_http_mntreamer_streamer_patched(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_str_t                   slots[NGX_HTTP_MNTREAMER_TITLES];
    ngx_http_mntreamer_error_t  err;

    ngx_memzero(slots, sizeof(slots));

    if (result->nrows && ngx_mntreamer_rows_bool(result->rows, 0, 1)
        && ngx_http_mntreamer_field_titles(ctx->json, slots, &err) == NGX_OK
        && ngx_http_mntreamer_field_titles_foreign(slots, &err) != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    return ngx_http_mntreamer_streamer_send(r, ctx, result);
}


/* null takes quality and nickname back: an empty text for the catalogue */

static ngx_int_t
ngx_http_mntreamer_streamer_patch_fields(ngx_http_request_t *r, json_t *json,
    ngx_str_t *params, ngx_http_mntreamer_error_t *err)
{
    json_t     *v;
    ngx_str_t  *slot;

    if (json_object_size(json) == 0) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_MISSING_FIELD,
                                     NULL, "the body changes nothing");
        return NGX_DECLINED;
    }

    if (ngx_http_mntreamer_fields_known(json, ngx_http_mntreamer_patch_names,
                                        r->pool, err)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    v = json_object_get(json, "monitored");

    if (v) {
        if (!json_is_boolean(v)) {
            ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD,
                                         "monitored", "must be true or false");
            return NGX_DECLINED;
        }

        slot = &params[NGX_HTTP_MNTREAMER_PATCH_MONITORED];

        if (json_is_true(v)) {
            ngx_str_set(slot, "true");

        } else {
            ngx_str_set(slot, "false");
        }
    }

    if (json_is_null(json_object_get(json, "quality"))) {
        ngx_str_set(&params[NGX_HTTP_MNTREAMER_PATCH_QUALITY], "");
    }

    if (json_is_null(json_object_get(json, "nickname"))) {
        ngx_str_set(&params[NGX_HTTP_MNTREAMER_PATCH_NICKNAME], "");
    }

    if (ngx_http_mntreamer_field_priority(r, json,
                               &params[NGX_HTTP_MNTREAMER_PATCH_PRIORITY], err)
        != NGX_OK
        || ngx_http_mntreamer_field_quality(json, "quality",
                               &params[NGX_HTTP_MNTREAMER_PATCH_QUALITY], err)
           != NGX_OK
        || ngx_http_mntreamer_field_titles(json,
                               &params[NGX_HTTP_MNTREAMER_PATCH_TITLES], err)
           != NGX_OK
        || ngx_http_mntreamer_field_retention(r, json,
                               &params[NGX_HTTP_MNTREAMER_PATCH_RETENTION],
                               err)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return ngx_http_mntreamer_field_nickname(json, "nickname",
                               &params[NGX_HTTP_MNTREAMER_PATCH_NICKNAME],
                               err);
}
