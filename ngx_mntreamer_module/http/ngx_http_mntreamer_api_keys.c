
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Stream keys and their one-time passwords: made here, shown in the answer
 * that made them and never again.  The database learns their hashes only;
 * whoever asks for the key later learns when it was made and where to send.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_KEY_BYTES       24
#define NGX_HTTP_MNTREAMER_PASSWORD_BYTES  16
#define NGX_HTTP_MNTREAMER_PASSWORD_S      600


static ngx_int_t ngx_http_mntreamer_secret_make(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, ngx_uint_t ask, size_t n);
static ngx_int_t ngx_http_mntreamer_secret_ask(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, ngx_uint_t ask,
    ngx_http_mntreamer_answer_pt answer);
static ngx_int_t ngx_http_mntreamer_key_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_key_made(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_password_made(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_secret_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const char *name,
    ngx_http_mntreamer_text_t *more);
static ngx_int_t ngx_http_mntreamer_secret_dropped(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_uint_t ngx_http_mntreamer_word_is(
    const ngx_mntreamer_result_t *result, const char *word);
static ngx_int_t ngx_http_mntreamer_secret_fail(ngx_http_request_t *r,
    const ngx_mntreamer_result_t *result);


ngx_int_t
ngx_http_mntreamer_key(ngx_http_request_t *r, ngx_http_mntreamer_ctx_t *ctx)
{
    return ngx_http_mntreamer_secret_ask(r, ctx, NGX_MNTREAMER_ASK_KEY,
                                         ngx_http_mntreamer_key_send);
}


ngx_int_t
ngx_http_mntreamer_key_make(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    return ngx_http_mntreamer_secret_make(r, ctx, NGX_MNTREAMER_ASK_KEY_MAKE,
                                          NGX_HTTP_MNTREAMER_KEY_BYTES);
}


ngx_int_t
ngx_http_mntreamer_key_revoke(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    return ngx_http_mntreamer_secret_ask(r, ctx, NGX_MNTREAMER_ASK_KEY_REVOKE,
                                         ngx_http_mntreamer_secret_dropped);
}


ngx_int_t
ngx_http_mntreamer_password_make(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    return ngx_http_mntreamer_secret_make(r, ctx,
                                          NGX_MNTREAMER_ASK_PASSWORD_MAKE,
                                          NGX_HTTP_MNTREAMER_PASSWORD_BYTES);
}


ngx_int_t
ngx_http_mntreamer_password_drop(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    return ngx_http_mntreamer_secret_ask(r, ctx,
                                         NGX_MNTREAMER_ASK_PASSWORD_DROP,
                                         ngx_http_mntreamer_secret_dropped);
}


static ngx_int_t
ngx_http_mntreamer_secret_make(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, ngx_uint_t ask, size_t n)
{
    ngx_int_t                   rc;
    ngx_str_t                   params[3], *secret;
    ngx_http_mntreamer_error_t  err;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_mntreamer_args(r, NULL, NULL, &err) != NGX_OK) {
        return ngx_http_mntreamer_fail(r, &err);
    }

    secret = ngx_palloc(r->pool, sizeof(ngx_str_t));

    if (secret == NULL
        || ngx_http_mntreamer_secret(r, n, secret) != NGX_OK
        || ngx_http_mntreamer_number(r, ctx->id, &params[0]) != NGX_OK
        || ngx_http_mntreamer_hash(r, secret->data, secret->len, &params[1])
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->data = secret;

    if (ask == NGX_MNTREAMER_ASK_KEY_MAKE) {
        return ngx_http_mntreamer_ask(r, ctx, ask, params, 2,
                                      ngx_http_mntreamer_key_made);
    }

    if (ngx_http_mntreamer_number(r, NGX_HTTP_MNTREAMER_PASSWORD_S * 1000,
                                  &params[2])
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, ask, params, 3,
                                  ngx_http_mntreamer_password_made);
}


static ngx_int_t
ngx_http_mntreamer_secret_ask(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, ngx_uint_t ask,
    ngx_http_mntreamer_answer_pt answer)
{
    ngx_str_t                   id;
    ngx_http_mntreamer_error_t  err;

    if (ngx_http_mntreamer_args(r, NULL, NULL, &err) != NGX_OK) {
        return ngx_http_mntreamer_fail(r, &err);
    }

    if (ngx_http_mntreamer_number(r, ctx->id, &id) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, ask, &id, 1, answer);
}


static ngx_int_t
ngx_http_mntreamer_key_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_str_t                  made, server;
    ngx_http_mntreamer_text_t  t;

    if (!ngx_http_mntreamer_word_is(result, "own")) {
        return ngx_http_mntreamer_secret_fail(r, result);
    }

    if (ngx_http_mntreamer_ingest(r, &server) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    made = ngx_mntreamer_rows_get(result->rows, 0, 1);

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_text(&t, "{\"streamer_id\":");
    ngx_http_mntreamer_text_i64(&t, ctx->id);
    ngx_http_mntreamer_text(&t, ",\"server\":");
    ngx_http_mntreamer_text_string(&t, &server);
    ngx_http_mntreamer_text(&t, ",\"made_at\":");

    if (made.len) {
        ngx_http_mntreamer_text_string(&t, &made);

    } else {
        ngx_http_mntreamer_text(&t, "null");
    }

    ngx_http_mntreamer_text(&t, ",\"one_time\":");
    ngx_http_mntreamer_text(&t, ngx_mntreamer_rows_bool(result->rows, 0, 2)
                                ? "true}" : "false}");

    return ngx_http_mntreamer_send_json(r, NGX_HTTP_OK, &t);
}


static ngx_int_t
ngx_http_mntreamer_key_made(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_str_t                  server;
    ngx_http_mntreamer_text_t  t;

    if (!ngx_http_mntreamer_word_is(result, "made")) {
        return ngx_http_mntreamer_secret_fail(r, result);
    }

    if (ngx_http_mntreamer_ingest(r, &server) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_text(&t, ",\"server\":");
    ngx_http_mntreamer_text_string(&t, &server);

    return ngx_http_mntreamer_secret_send(r, ctx, "key", &t);
}


static ngx_int_t
ngx_http_mntreamer_password_made(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_http_mntreamer_text_t  t;

    if (!ngx_http_mntreamer_word_is(result, "made")) {
        return ngx_http_mntreamer_secret_fail(r, result);
    }

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_text(&t, ",\"expires_in\":"
                            ngx_value(NGX_HTTP_MNTREAMER_PASSWORD_S));

    return ngx_http_mntreamer_secret_send(r, ctx, "password", &t);
}


static ngx_int_t
ngx_http_mntreamer_secret_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const char *name,
    ngx_http_mntreamer_text_t *more)
{
    ngx_http_mntreamer_text_t  t;

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_text(&t, "{\"streamer_id\":");
    ngx_http_mntreamer_text_i64(&t, ctx->id);
    ngx_http_mntreamer_text(&t, ",\"");
    ngx_http_mntreamer_text(&t, name);
    ngx_http_mntreamer_text(&t, "\":");
    ngx_http_mntreamer_text_string(&t, ctx->data);
    ngx_http_mntreamer_text_raw(&t, more->start, more->last - more->start);
    ngx_http_mntreamer_text(&t, "}");

    t.failed |= more->failed;

    return ngx_http_mntreamer_send_json(r, NGX_HTTP_CREATED, &t);
}


static ngx_int_t
ngx_http_mntreamer_secret_dropped(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    if (!ngx_http_mntreamer_word_is(result, "revoked")
        && !ngx_http_mntreamer_word_is(result, "dropped"))
    {
        return ngx_http_mntreamer_secret_fail(r, result);
    }

    ctx->ours = 1;

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


static ngx_uint_t
ngx_http_mntreamer_word_is(const ngx_mntreamer_result_t *result,
    const char *word)
{
    size_t     len;
    ngx_str_t  text;

    if (result->nrows == 0) {
        return 0;
    }

    len = ngx_strlen(word);
    text = ngx_mntreamer_rows_get(result->rows, 0, 0);

    return text.len == len && ngx_memcmp(text.data, word, len) == 0;
}


static ngx_int_t
ngx_http_mntreamer_secret_fail(ngx_http_request_t *r,
    const ngx_mntreamer_result_t *result)
{
    const char                  *why;
    ngx_http_mntreamer_error_t   err;

    if (result->nrows == 0 || ngx_http_mntreamer_word_is(result, "missing")) {
        return ngx_http_mntreamer_fail_code(r,
                                    NGX_HTTP_MNTREAMER_E_STREAMER_NOT_FOUND);
    }

    if (ngx_http_mntreamer_word_is(result, "foreign")) {
        why = "only a streamer of platform \"rtmp\" has a stream key";

    } else if (ngx_http_mntreamer_word_is(result, "none")) {
        why = "the streamer has no stream key";

    } else if (ngx_http_mntreamer_word_is(result, "unused")) {
        why = "a password was made that is not used yet";

    } else {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_mntreamer_error_set(&err, NGX_HTTP_MNTREAMER_E_CONFLICT, NULL,
                                 why);

    return ngx_http_mntreamer_fail(r, &err);
}
