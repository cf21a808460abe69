
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Cuts and clips of a recording.  What is asked for becomes a row; the answer
 * comes when the files say so, too, which the engine of their storage sees to.
 *
 *     waits for            at most   then
 *     the row              5 s       its state
 *     the state of it      5 s       the answer, or a pause
 *     a pause of 20 ms     2 s, 8 s  the state again; then it answers anyhow
 *     the clip's row       5 s       the answer
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_CUT_STEP  20       /* ms */
#define NGX_HTTP_MNTREAMER_CUT_WAIT  2000     /* ms; */
#define NGX_HTTP_MNTREAMER_CLIP_WAIT 8000     /* many files are many links */
#define NGX_HTTP_MNTREAMER_CUT_S     1e9      /* seconds, at most */


typedef struct {
    ngx_event_t                timer;
    ngx_http_request_t        *request;       /* alias */
    ngx_http_mntreamer_ctx_t  *ctx;           /* alias */
    ngx_uint_t                 ask;           /* its state */
    ngx_str_t                  params[2];     /* recording, cut or clip */
    ngx_msec_t                 until;
    ngx_uint_t                 status;        /* of the answer */
} ngx_http_mntreamer_cut_edit_t;


static ngx_int_t ngx_http_mntreamer_cuts_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_cut_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
static ngx_int_t ngx_http_mntreamer_cut_span(ngx_http_request_t *r,
    json_t *json, ngx_str_t *params, ngx_http_mntreamer_error_t *err);
static ngx_int_t ngx_http_mntreamer_cut_time(ngx_http_request_t *r,
    json_t *json, const char *name, int64_t *us, ngx_str_t *slot,
    ngx_http_mntreamer_error_t *err);
static ngx_int_t ngx_http_mntreamer_cut_made(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_cut_undone(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_clip_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
static ngx_int_t ngx_http_mntreamer_clip_made(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_clip_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_cut_follow(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, ngx_uint_t ask, int64_t cut,
    ngx_uint_t status);
static ngx_int_t ngx_http_mntreamer_cut_state(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_cut_send_row(ngx_http_request_t *r,
    ngx_uint_t status, const ngx_mntreamer_result_t *result);
static void ngx_http_mntreamer_cut_again(ngx_event_t *ev);
static void ngx_http_mntreamer_cut_forget(void *data);
static ngx_int_t ngx_http_mntreamer_cut_refused(ngx_http_request_t *r,
    ngx_str_t *why);


static const char *const  ngx_http_mntreamer_cut_fields[] = {
    "begin", "end", NULL
};

static const char *const  ngx_http_mntreamer_clip_fields[] = {
    "begin", "end", "title", "protected", NULL
};


ngx_int_t
ngx_http_mntreamer_cut_list(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    return ngx_http_mntreamer_ask_one(r, ctx, NGX_MNTREAMER_ASK_CUTS,
                                      ngx_http_mntreamer_cuts_send);
}


static ngx_int_t
ngx_http_mntreamer_cuts_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    return ngx_http_mntreamer_send_row(r, result,
                                   NGX_HTTP_MNTREAMER_E_RECORDING_NOT_FOUND);
}


ngx_int_t
ngx_http_mntreamer_cut_add(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_http_mntreamer_error_t  err;

    if (ngx_http_mntreamer_args(r, NULL, NULL, &err) != NGX_OK) {
        return ngx_http_mntreamer_fail(r, &err);
    }

    return ngx_http_mntreamer_body(r, ctx, NGX_HTTP_MNTREAMER_BODY_MAX,
                                   ngx_http_mntreamer_cut_body);
}


static ngx_int_t
ngx_http_mntreamer_cut_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                   params[3];
    ngx_http_mntreamer_error_t  err;

    if (ngx_http_mntreamer_fields_known(ctx->json,
                                        ngx_http_mntreamer_cut_fields,
                                        r->pool, &err)
        != NGX_OK
        || ngx_http_mntreamer_cut_span(r, ctx->json, &params[1], &err)
           != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    if (ngx_http_mntreamer_number(r, ctx->id, &params[0]) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_CUT, params, 3,
                                  ngx_http_mntreamer_cut_made);
}


/* begin and end */

static ngx_int_t
ngx_http_mntreamer_cut_span(ngx_http_request_t *r, json_t *json,
    ngx_str_t *params, ngx_http_mntreamer_error_t *err)
{
    int64_t  begin, end;

    if (ngx_http_mntreamer_cut_time(r, json, "begin", &begin, &params[0], err)
        != NGX_OK
        || ngx_http_mntreamer_cut_time(r, json, "end", &end, &params[1], err)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (begin >= end) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD,
                                     "end", "must be behind \"begin\"");
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* seconds as they are written; from here on microseconds */

static ngx_int_t
ngx_http_mntreamer_cut_time(ngx_http_request_t *r, json_t *json,
    const char *name, int64_t *us, ngx_str_t *slot,
    ngx_http_mntreamer_error_t *err)
{
    double   s;
    json_t  *v;

    v = json_object_get(json, name);

    if (v == NULL) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_MISSING_FIELD,
                                     name, NULL);
        return NGX_DECLINED;
    }

    s = json_number_value(v);

    if (!json_is_number(v) || s < 0 || s > NGX_HTTP_MNTREAMER_CUT_S) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD, name,
                                     "must be seconds into the recording");
        return NGX_DECLINED;
    }

    *us = (int64_t) (s * 1000000 + 0.5);

    if (ngx_http_mntreamer_number(r, *us, slot) != NGX_OK) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_INTERNAL, NULL,
                                     NULL);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_mntreamer_cut_made(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    int64_t    cut;
    ngx_str_t  word;

    word = ngx_mntreamer_rows_get(result->rows, 0, 0);
    cut = ngx_mntreamer_rows_i64(result->rows, 0, 1, 0);

    if (cut == 0) {
        return ngx_http_mntreamer_cut_refused(r, &word);
    }

    return ngx_http_mntreamer_cut_follow(r, ctx, NGX_MNTREAMER_ASK_CUT_STATE,
                                         cut, word.data[0] == 'm'
                                              ? NGX_HTTP_CREATED
                                              : NGX_HTTP_OK);
}


ngx_int_t
ngx_http_mntreamer_cut_undo(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                   params[2];
    ngx_http_mntreamer_error_t  err;

    if (ngx_http_mntreamer_args(r, NULL, NULL, &err) != NGX_OK) {
        return ngx_http_mntreamer_fail(r, &err);
    }

    if (ngx_http_mntreamer_number(r, ctx->id, &params[0]) != NGX_OK
        || ngx_http_mntreamer_number(r, ctx->second, &params[1]) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_CUT_UNDO, params,
                                  2, ngx_http_mntreamer_cut_undone);
}


static ngx_int_t
ngx_http_mntreamer_cut_undone(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_str_t  word;

    word = ngx_mntreamer_rows_get(result->rows, 0, 0);

    if (word.len != 6 || ngx_memcmp(word.data, "undone", 6) != 0) {
        return ngx_http_mntreamer_cut_refused(r, &word);
    }

    return ngx_http_mntreamer_cut_follow(r, ctx, NGX_MNTREAMER_ASK_CUT_STATE,
                                         ctx->second, NGX_HTTP_NO_CONTENT);
}


ngx_int_t
ngx_http_mntreamer_clip_add(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_http_mntreamer_error_t  err;

    if (ngx_http_mntreamer_args(r, NULL, NULL, &err) != NGX_OK) {
        return ngx_http_mntreamer_fail(r, &err);
    }

    return ngx_http_mntreamer_body(r, ctx, NGX_HTTP_MNTREAMER_BODY_MAX,
                                   ngx_http_mntreamer_clip_body);
}


/* its title is bounded as those of own broadcasts are */

static ngx_int_t
ngx_http_mntreamer_clip_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                   params[5], titles[NGX_HTTP_MNTREAMER_TITLES];
    ngx_http_mntreamer_error_t  err;

    ngx_memzero(params, sizeof(params));
    ngx_memzero(titles, sizeof(titles));

    if (ngx_http_mntreamer_fields_known(ctx->json,
                                        ngx_http_mntreamer_clip_fields,
                                        r->pool, &err)
        != NGX_OK
        || ngx_http_mntreamer_cut_span(r, ctx->json, &params[1], &err)
           != NGX_OK
        || ngx_http_mntreamer_field_titles(ctx->json, titles, &err) != NGX_OK
        || ngx_http_mntreamer_field_flag(ctx->json, "protected", &params[4],
                                         &err)
           != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    if (ngx_http_mntreamer_number(r, ctx->id, &params[0]) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    params[3] = titles[0];

    if (params[3].len == 0) {
        params[3].data = NULL;
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_CLIP, params, 5,
                                  ngx_http_mntreamer_clip_made);
}


static ngx_int_t
ngx_http_mntreamer_clip_made(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    int64_t    clip;
    ngx_str_t  word;

    word = ngx_mntreamer_rows_get(result->rows, 0, 0);
    clip = ngx_mntreamer_rows_i64(result->rows, 0, 1, 0);

    if (clip == 0) {
        return ngx_http_mntreamer_cut_refused(r, &word);
    }

    return ngx_http_mntreamer_cut_follow(r, ctx, NGX_MNTREAMER_ASK_CLIP_STATE,
                                         clip, NGX_HTTP_CREATED);
}


static ngx_int_t
ngx_http_mntreamer_clip_send(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    return ngx_http_mntreamer_cut_send_row(r, NGX_HTTP_CREATED, result);
}


static ngx_int_t
ngx_http_mntreamer_cut_follow(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, ngx_uint_t ask, int64_t cut,
    ngx_uint_t status)
{
    ngx_http_mntreamer_cut_edit_t  *edit;

    edit = ngx_pcalloc(r->pool, sizeof(ngx_http_mntreamer_cut_edit_t));

    if (edit == NULL
        || ngx_http_mntreamer_number(r, ctx->id, &edit->params[0]) != NGX_OK
        || ngx_http_mntreamer_number(r, cut, &edit->params[1]) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    edit->request = r;
    edit->ctx = ctx;
    edit->ask = ask;
    edit->status = status;
    edit->until = ngx_current_msec
                  + (ask == NGX_MNTREAMER_ASK_CLIP_STATE
                     ? NGX_HTTP_MNTREAMER_CLIP_WAIT
                     : NGX_HTTP_MNTREAMER_CUT_WAIT);
    edit->timer.handler = ngx_http_mntreamer_cut_again;
    edit->timer.data = r->connection;
    edit->timer.log = r->connection->log;

    ctx->data = edit;

    return ngx_http_mntreamer_ask(r, ctx, ask, edit->params, 2,
                                  ngx_http_mntreamer_cut_state);
}


static ngx_int_t
ngx_http_mntreamer_cut_state(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_str_t                       why;
    ngx_uint_t                      done;
    ngx_http_mntreamer_cut_edit_t  *edit;

    edit = ctx->data;

    done = result->nrows && ngx_mntreamer_rows_bool(result->rows, 0, 1);

    if (result->nrows && !done && !ngx_exiting
        && (ngx_msec_int_t) (edit->until - ngx_current_msec) > 0)
    {
        ctx->cancel = ngx_http_mntreamer_cut_forget;
        ngx_add_timer(&edit->timer, NGX_HTTP_MNTREAMER_CUT_STEP);

        return ngx_http_mntreamer_hold(r, ctx);
    }

    if (result->nrows && edit->status == NGX_HTTP_NO_CONTENT) {
        return ngx_http_mntreamer_send_nothing(r, ctx);
    }

    if (result->nrows) {
        why = ngx_mntreamer_rows_get(result->rows, 0, 2);

        if (why.len) {
            return ngx_http_mntreamer_cut_refused(r, &why);
        }
    }

    if (edit->ask == NGX_MNTREAMER_ASK_CUT_STATE) {
        return ngx_http_mntreamer_cut_send_row(r, edit->status, result);
    }

    if (!done) {
        return ngx_http_mntreamer_cut_send_row(r, NGX_HTTP_ACCEPTED, result);
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_RECORDING,
                                  &edit->params[1], 1,
                                  ngx_http_mntreamer_clip_send);
}


/* the JSON of a row; there is none of what was taken away meanwhile */

static ngx_int_t
ngx_http_mntreamer_cut_send_row(ngx_http_request_t *r, ngx_uint_t status,
    const ngx_mntreamer_result_t *result)
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

    ngx_http_mntreamer_text_json(&t, &json);

    return ngx_http_mntreamer_send_json(r, status, &t);
}


static void
ngx_http_mntreamer_cut_again(ngx_event_t *ev)
{
    ngx_http_request_t             *r;
    ngx_http_mntreamer_cut_edit_t  *edit;

    edit = (ngx_http_mntreamer_cut_edit_t *)
           ((char *) ev - offsetof(ngx_http_mntreamer_cut_edit_t, timer));
    r = edit->request;

    edit->ctx->cancel = NULL;

    ngx_http_mntreamer_resume(r,
        ngx_http_mntreamer_ask(r, edit->ctx, edit->ask, edit->params, 2,
                               ngx_http_mntreamer_cut_state));
}


static void
ngx_http_mntreamer_cut_forget(void *data)
{
    ngx_http_mntreamer_cut_edit_t *edit = data;

    if (edit->timer.timer_set) {
        ngx_del_timer(&edit->timer);
    }
}


/* a word of the database, or why the engine could not */

static ngx_int_t
ngx_http_mntreamer_cut_refused(ngx_http_request_t *r, ngx_str_t *why)
{
    ngx_uint_t                  i;
    ngx_http_mntreamer_error_t  err;

    static const struct {
        ngx_str_t    word;
        ngx_uint_t   code;
        const char  *field;
        const char  *description;
    } words[] = {
        { ngx_string("missing"), NGX_HTTP_MNTREAMER_E_RECORDING_NOT_FOUND,
          NULL, NULL },
        { ngx_string("none"), NGX_HTTP_MNTREAMER_E_CUT_NOT_FOUND, NULL,
          NULL },
        { ngx_string("recording"), NGX_HTTP_MNTREAMER_E_CONFLICT, NULL,
          "it is in progress" },
        { ngx_string("end"), NGX_HTTP_MNTREAMER_E_BAD_FIELD, "end",
          "is past the end of the recording" },
        { ngx_string("many"), NGX_HTTP_MNTREAMER_E_CONFLICT, NULL,
          "it has 1000 cuts" },
        { ngx_string("waiting"), NGX_HTTP_MNTREAMER_E_UNAVAILABLE, NULL,
          "100 clips of it wait to be made" },
        { ngx_string("long"), NGX_HTTP_MNTREAMER_E_CONFLICT, NULL,
          "the name of a clip of it would be too long" }
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {

        if (why->len == words[i].word.len
            && ngx_memcmp(why->data, words[i].word.data, why->len) == 0)
        {
            ngx_http_mntreamer_error_set(&err, words[i].code, words[i].field,
                                         words[i].description);

            return ngx_http_mntreamer_fail(r, &err);
        }
    }

    ngx_http_mntreamer_error_set(&err, NGX_HTTP_MNTREAMER_E_CONFLICT, NULL,
                                 NULL);
    err.description = *why;

    return ngx_http_mntreamer_fail(r, &err);
}
