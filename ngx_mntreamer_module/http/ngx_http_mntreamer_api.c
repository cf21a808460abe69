
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The routes below mntreamer_api, and how a request of them waits: the route
 * asks the catalogue (or looks something up, or has a thread work) and returns
 * NGX_DONE; the completion goes on and ends in ngx_http_mntreamer_resume().
 *
 *     waits for             at most        on cancel (client left)
 *     answer of catalogue   5 s            ask is cancelled
 *     lookups (_add.c)      10 s a step    lookups and asks are cancelled
 *     a thread (_files.c)   the disk       the result is dropped
 *     the rooms (_wait.c)   2 s            timer is deleted
 *     a segment (_view.c)   8 s            it leaves the list
 *     a job (_events.c)     the job        the same
 *     a text (_cut.c)       the disk       it leaves the list
 *     files (_edits.c)      2 s, 8 s       ask is cancelled, timer deleted
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


typedef enum {
    NGX_HTTP_MNTREAMER_PATH_WHOLE = 0,
    NGX_HTTP_MNTREAMER_PATH_ID,               /* the rest is an id */
    NGX_HTTP_MNTREAMER_PATH_ID_KEY,           /* an id and "/key" */
    NGX_HTTP_MNTREAMER_PATH_ID_PASSWORD,      /* an id and "/password" */
    NGX_HTTP_MNTREAMER_PATH_ID_EXPORTS,       /* an id and "/exports" */
    NGX_HTTP_MNTREAMER_PATH_ID_RETRY,         /* an id and "/retry" */
    NGX_HTTP_MNTREAMER_PATH_ID_EVENTS,        /* an id and "/events" */
    NGX_HTTP_MNTREAMER_PATH_ID_CUTS,          /* an id and "/cuts" */
    NGX_HTTP_MNTREAMER_PATH_ID_CLIPS,         /* an id and "/clips" */
    NGX_HTTP_MNTREAMER_PATH_ID_CUT,           /* an id, "/cuts/" and an id */
    NGX_HTTP_MNTREAMER_PATH_ID_RESTORE,       /* an id and "/restore" */
    NGX_HTTP_MNTREAMER_PATH_ID_LINKS,         /* an id and "/links" */
    NGX_HTTP_MNTREAMER_PATH_REST
} ngx_http_mntreamer_path_e;

typedef struct {
    ngx_str_t                     path;
    ngx_uint_t                    rest;
    ngx_http_mntreamer_route_pt   get;
    ngx_http_mntreamer_route_pt   post;
    ngx_http_mntreamer_route_pt   patch;
    ngx_http_mntreamer_route_pt   delete;
} ngx_http_mntreamer_route_t;


static ngx_int_t ngx_http_mntreamer_route(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
static const ngx_http_mntreamer_route_t *ngx_http_mntreamer_route_find(
    ngx_str_t *path, ngx_str_t *rest);
static ngx_uint_t ngx_http_mntreamer_route_second(ngx_str_t *rest,
    const ngx_str_t *word, ngx_str_t *second);
static ngx_http_mntreamer_route_pt ngx_http_mntreamer_route_method(
    ngx_http_request_t *r, const ngx_http_mntreamer_route_t *route);
static ngx_int_t ngx_http_mntreamer_not_allowed(ngx_http_request_t *r,
    const ngx_http_mntreamer_route_t *route);
static void ngx_http_mntreamer_answered(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_http_mntreamer_drop(void *data);


/* in the order of ngx_http_mntreamer_path_e: what follows an id */

static const ngx_str_t  ngx_http_mntreamer_path_ends[] = {
    ngx_null_string, ngx_null_string, ngx_string("/key"),
    ngx_string("/password"), ngx_string("/exports"), ngx_string("/retry"),
    ngx_string("/events"), ngx_string("/cuts"), ngx_string("/clips"),
    ngx_null_string, ngx_string("/restore"), ngx_string("/links"),
    ngx_null_string
};

/* and what stands between it and a second one */

static const ngx_str_t  ngx_http_mntreamer_path_cut = ngx_string("/cuts/");


static const ngx_http_mntreamer_route_t  ngx_http_mntreamer_routes[] = {

    { ngx_string("v1/streamers"), NGX_HTTP_MNTREAMER_PATH_WHOLE,
      ngx_http_mntreamer_streamers, ngx_http_mntreamer_streamer_add,
      NULL, NULL },

    { ngx_string("v1/streamers/"), NGX_HTTP_MNTREAMER_PATH_ID_KEY,
      ngx_http_mntreamer_key, ngx_http_mntreamer_key_make,
      NULL, ngx_http_mntreamer_key_revoke },

    { ngx_string("v1/streamers/"), NGX_HTTP_MNTREAMER_PATH_ID_PASSWORD,
      NULL, ngx_http_mntreamer_password_make,
      NULL, ngx_http_mntreamer_password_drop },

    { ngx_string("v1/streamers/"), NGX_HTTP_MNTREAMER_PATH_ID,
      ngx_http_mntreamer_streamer, NULL,
      ngx_http_mntreamer_streamer_patch, ngx_http_mntreamer_streamer_delete },

    { ngx_string("v1/recordings"), NGX_HTTP_MNTREAMER_PATH_WHOLE,
      ngx_http_mntreamer_recording_list, NULL, NULL, NULL },

    { ngx_string("v1/recordings/"), NGX_HTTP_MNTREAMER_PATH_ID_EXPORTS,
      ngx_http_mntreamer_exports, ngx_http_mntreamer_export, NULL, NULL },

    { ngx_string("v1/recordings/"), NGX_HTTP_MNTREAMER_PATH_ID_CUTS,
      ngx_http_mntreamer_cut_list, ngx_http_mntreamer_cut_add, NULL, NULL },

    { ngx_string("v1/recordings/"), NGX_HTTP_MNTREAMER_PATH_ID_CLIPS,
      NULL, ngx_http_mntreamer_clip_add, NULL, NULL },

    { ngx_string("v1/recordings/"), NGX_HTTP_MNTREAMER_PATH_ID_CUT,
      NULL, NULL, NULL, ngx_http_mntreamer_cut_undo },

    { ngx_string("v1/recordings/"), NGX_HTTP_MNTREAMER_PATH_ID_RESTORE,
      NULL, ngx_http_mntreamer_recording_restore, NULL, NULL },

    { ngx_string("v1/recordings/"), NGX_HTTP_MNTREAMER_PATH_ID_LINKS,
      NULL, ngx_http_mntreamer_link_make, NULL, NULL },

    { ngx_string("v1/recordings/"), NGX_HTTP_MNTREAMER_PATH_ID,
      ngx_http_mntreamer_recording, NULL,
      ngx_http_mntreamer_recording_patch,
      ngx_http_mntreamer_recording_delete },

    { ngx_string("v1/retention"), NGX_HTTP_MNTREAMER_PATH_WHOLE,
      ngx_http_mntreamer_retention, NULL, NULL, NULL },

    { ngx_string("v1/jobs"), NGX_HTTP_MNTREAMER_PATH_WHOLE,
      ngx_http_mntreamer_jobs, NULL, NULL, NULL },

    { ngx_string("v1/jobs/"), NGX_HTTP_MNTREAMER_PATH_ID_RETRY,
      NULL, ngx_http_mntreamer_job_retry, NULL, NULL },

    { ngx_string("v1/jobs/"), NGX_HTTP_MNTREAMER_PATH_ID_EVENTS,
      ngx_http_mntreamer_job_events, NULL, NULL, NULL },

    { ngx_string("v1/jobs/"), NGX_HTTP_MNTREAMER_PATH_ID,
      ngx_http_mntreamer_job, NULL, NULL, ngx_http_mntreamer_job_delete },

    { ngx_string("v1/live"), NGX_HTTP_MNTREAMER_PATH_WHOLE,
      ngx_http_mntreamer_live, NULL, NULL, NULL },

    { ngx_string("v1/live/"), NGX_HTTP_MNTREAMER_PATH_ID,
      ngx_http_mntreamer_live_one, NULL, NULL, NULL },

    { ngx_string("v1/target-duration/"), NGX_HTTP_MNTREAMER_PATH_REST,
      ngx_http_mntreamer_target_duration, NULL, NULL, NULL },

    { ngx_null_string, 0, NULL, NULL, NULL, NULL }
};


/* the body of a request that has none to read is dropped before the answer */

ngx_int_t
ngx_http_mntreamer_api_handler(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    ngx_http_mntreamer_ctx_t        *ctx;
    const ngx_http_mntreamer_env_t  *env;

    ctx = ngx_http_mntreamer_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->connection->log->action = (char *) "answering the API";

    if (!(r->method & (NGX_HTTP_POST|NGX_HTTP_PATCH))) {
        rc = ngx_http_discard_request_body(r);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    env = ngx_http_mntreamer_env();

    if (env->catalog == NULL || !ngx_mntreamer_catalog_up(env->catalog)) {
        rc = ngx_http_mntreamer_wait(r, ngx_http_mntreamer_api_handler,
                                     NGX_HTTP_MNTREAMER_YOUNG);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_http_mntreamer_route(r, ctx);
}


static ngx_int_t
ngx_http_mntreamer_route(ngx_http_request_t *r, ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                          path;
    ngx_http_mntreamer_error_t         err;
    ngx_http_mntreamer_route_pt        handler;
    const ngx_http_mntreamer_route_t  *route;

    route = NULL;

    if (ngx_http_mntreamer_rest(r, &path) == NGX_OK) {
        route = ngx_http_mntreamer_route_find(&path, &ctx->rest);
    }

    if (route == NULL) {
        return ngx_http_mntreamer_fail_code(r,
                                            NGX_HTTP_MNTREAMER_E_NOT_FOUND);
    }

    handler = ngx_http_mntreamer_route_method(r, route);

    if (handler == NULL) {
        return ngx_http_mntreamer_not_allowed(r, route);
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))
        && ngx_http_mntreamer_same_origin(r, &err) != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    if (route->rest != NGX_HTTP_MNTREAMER_PATH_WHOLE
        && route->rest != NGX_HTTP_MNTREAMER_PATH_REST)
    {
        ctx->second = 1;

        if (route->rest == NGX_HTTP_MNTREAMER_PATH_ID_CUT) {
            (void) ngx_http_mntreamer_route_second(&ctx->rest,
                                                 &ngx_http_mntreamer_path_cut,
                                                 &path);
            ctx->second = ngx_http_mntreamer_id(&path);
        }

        ctx->id = ngx_http_mntreamer_id(&ctx->rest);

        if (ctx->id == 0 || ctx->second == 0) {
            ngx_http_mntreamer_error_set(&err,
                                         NGX_HTTP_MNTREAMER_E_BAD_PARAMETER,
                                         "id", "the address ends with no id");
            return ngx_http_mntreamer_fail(r, &err);
        }
    }

    return handler(r, ctx);
}


static const ngx_http_mntreamer_route_t *
ngx_http_mntreamer_route_find(ngx_str_t *path, ngx_str_t *rest)
{
    size_t                             n;
    ngx_str_t                          second;
    const ngx_str_t                   *end;
    const ngx_http_mntreamer_route_t  *route;

    for (route = ngx_http_mntreamer_routes; route->path.len; route++) {

        n = route->path.len;

        if (path->len < n || ngx_memcmp(path->data, route->path.data, n) != 0)
        {
            continue;
        }

        rest->data = path->data + n;
        rest->len = path->len - n;

        end = &ngx_http_mntreamer_path_ends[route->rest];

        if (end->len) {
            if (rest->len < end->len
                || ngx_memcmp(rest->data + rest->len - end->len, end->data,
                              end->len)
                   != 0)
            {
                continue;
            }

            rest->len -= end->len;
        }

        if (route->rest == NGX_HTTP_MNTREAMER_PATH_ID_CUT) {
            second = *rest;

            if (!ngx_http_mntreamer_route_second(&second,
                                                 &ngx_http_mntreamer_path_cut,
                                                 &second))
            {
                continue;
            }
        }

        if ((rest->len == 0) == (route->rest == NGX_HTTP_MNTREAMER_PATH_WHOLE))
        {
            return route;
        }
    }

    return NULL;
}


/* 1: "rest" is cut in front of "word", and "second" is behind it */

static ngx_uint_t
ngx_http_mntreamer_route_second(ngx_str_t *rest, const ngx_str_t *word,
    ngx_str_t *second)
{
    u_char  *p;
    size_t   len;

    p = ngx_strlcasestrn(rest->data, rest->data + rest->len, word->data,
                         word->len - 1);

    if (p == NULL || ngx_memcmp(p, word->data, word->len) != 0) {
        return 0;
    }

    len = rest->len;
    rest->len = p - rest->data;

    second->len = len - rest->len - word->len;
    second->data = p + word->len;

    return 1;
}


static ngx_http_mntreamer_route_pt
ngx_http_mntreamer_route_method(ngx_http_request_t *r,
    const ngx_http_mntreamer_route_t *route)
{
    switch (r->method) {

    case NGX_HTTP_GET:
    case NGX_HTTP_HEAD:
        return route->get;

    case NGX_HTTP_POST:
        return route->post;

    case NGX_HTTP_PATCH:
        return route->patch;

    case NGX_HTTP_DELETE:
        return route->delete;

    default:
        return NULL;
    }
}


static ngx_int_t
ngx_http_mntreamer_not_allowed(ngx_http_request_t *r,
    const ngx_http_mntreamer_route_t *route)
{
    u_char     *p;
    ngx_str_t   allow;

    allow.data = ngx_pnalloc(r->pool, 64);
    if (allow.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_snprintf(allow.data, 64, "%s%s%s%s",
                     route->get ? ", GET, HEAD" : "",
                     route->post ? ", POST" : "",
                     route->patch ? ", PATCH" : "",
                     route->delete ? ", DELETE" : "");

    allow.len = p - allow.data - 2;
    allow.data += 2;

    if (ngx_http_mntreamer_header(r, "Allow", &allow) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_fail_code(r,
                                     NGX_HTTP_MNTREAMER_E_METHOD_NOT_ALLOWED);
}


ngx_int_t
ngx_http_mntreamer_number(ngx_http_request_t *r, int64_t n, ngx_str_t *text)
{
    text->data = ngx_pnalloc(r->pool, NGX_INT64_LEN + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    text->len = ngx_sprintf(text->data, "%L%Z", n) - text->data - 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_mntreamer_ask(ngx_http_request_t *r, ngx_http_mntreamer_ctx_t *ctx,
    ngx_uint_t ask, const ngx_str_t *params, ngx_uint_t nparams,
    ngx_http_mntreamer_answer_pt answer)
{
    ngx_http_mntreamer_error_t       err;
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    ctx->answer = answer;

    if (env->catalog && ngx_mntreamer_catalog_up(env->catalog)) {
        ctx->ask = ngx_mntreamer_catalog_ask(env->catalog, ask, params,
                                             nparams,
                                             NGX_HTTP_MNTREAMER_TIMEOUT,
                                             ngx_http_mntreamer_answered, ctx);
    }

    if (ctx->ask == NULL) {

        if (env->catalog && ngx_mntreamer_catalog_up(env->catalog)) {
            ngx_http_mntreamer_error_set(&err,
                                         NGX_HTTP_MNTREAMER_E_UNAVAILABLE,
                                         NULL, "too many requests wait");
            return ngx_http_mntreamer_fail(r, &err);
        }

        return ngx_http_mntreamer_fail_code(r, NGX_HTTP_MNTREAMER_E_DATABASE);
    }

    return ngx_http_mntreamer_hold(r, ctx);
}


ngx_int_t
ngx_http_mntreamer_ask_one(ngx_http_request_t *r,
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


static void
ngx_http_mntreamer_answered(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_http_mntreamer_ctx_t *ctx = data;

    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;
    ctx->ask = NULL;

    if (result->rc == NGX_MNTREAMER_PQ_OK) {
        rc = ctx->answer(r, ctx, result);

    } else {
        rc = ngx_http_mntreamer_fail_code(r,
                              ngx_http_mntreamer_error_of_result(result->rc));
    }

    ngx_http_mntreamer_resume(r, rc);
}


ngx_int_t
ngx_http_mntreamer_hold(ngx_http_request_t *r, ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_http_cleanup_t  *cln;

    if (!ctx->guarded) {
        cln = ngx_http_cleanup_add(r, 0);

        if (cln == NULL) {
            ngx_http_mntreamer_drop(ctx);
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        cln->handler = ngx_http_mntreamer_drop;
        cln->data = ctx;

        ctx->guarded = 1;
    }

    if (!ctx->held) {
        ctx->held = 1;
        r->main->count++;
    }

    /* tells that the client has gone; a body being dropped does so too */

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->write_event_handler = ngx_http_request_empty_handler;

    return NGX_DONE;
}


static void
ngx_http_mntreamer_drop(void *data)
{
    ngx_http_mntreamer_ctx_t *ctx = data;

    if (ctx->ask) {
        ngx_mntreamer_catalog_ask_cancel(ctx->ask);
        ctx->ask = NULL;
    }

    if (ctx->cancel) {
        ctx->cancel(ctx->data);
        ctx->cancel = NULL;
    }
}


void
ngx_http_mntreamer_resume(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_connection_t  *c;

    if (rc == NGX_DONE) {
        return;
    }

    c = r->connection;

    ngx_http_finalize_request(r, rc);
    ngx_http_run_posted_requests(c);
}


void
ngx_http_mntreamer_text_rows(ngx_http_mntreamer_text_t *t,
    const ngx_mntreamer_result_t *result, ngx_uint_t n)
{
    ngx_str_t   json;
    ngx_uint_t  i;

    ngx_http_mntreamer_text(t, "{\"items\":[");

    for (i = 0; i < n; i++) {
        json = ngx_mntreamer_rows_get(result->rows, i, 0);

        ngx_http_mntreamer_text(t, i ? "," : "");
        ngx_http_mntreamer_text_json(t, &json);
    }

    ngx_http_mntreamer_text(t, "],\"next\":");
}


ngx_int_t
ngx_http_mntreamer_send_row(ngx_http_request_t *r,
    const ngx_mntreamer_result_t *result, ngx_uint_t code)
{
    if (result->nrows == 0) {
        return ngx_http_mntreamer_fail_code(r, code);
    }

    return ngx_http_mntreamer_send_first(r, result, NGX_HTTP_OK);
}


ngx_int_t
ngx_http_mntreamer_send_first(ngx_http_request_t *r,
    const ngx_mntreamer_result_t *result, ngx_uint_t status)
{
    ngx_str_t                  json;
    ngx_http_mntreamer_text_t  t;

    json = ngx_mntreamer_rows_get(result->rows, 0, 0);

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_text_json(&t, &json);

    return ngx_http_mntreamer_send_json(r, status, &t);
}


ngx_int_t
ngx_http_mntreamer_send_nothing(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ctx->ours = 1;

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}
