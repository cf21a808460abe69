
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * How a job goes on, as server-sent events: one at once, one whenever
 * something has changed, and the end of the answer behind the last one.  All
 * streams of a worker ask with one statement, each second and when jobs are
 * notified; how far one is is written no more often, and is not notified:
 * nobody else wants to know.
 *
 *     a stream waits for       at most                on cancel
 *     news of its job          while the job lasts    it leaves the list
 *     a client that is slow    send_timeout           the same
 *
 * A worker that exits ends all of them; whoever listens comes back by itself.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_EVENTS_MS     1000
#define NGX_HTTP_MNTREAMER_EVENTS_ALIVE  15000
#define NGX_HTTP_MNTREAMER_EVENTS_MAX    256  /* streams of a worker */
#define NGX_HTTP_MNTREAMER_EVENTS_BUF    2048


typedef struct {
    ngx_queue_t                 queue;
    ngx_http_request_t         *request;      /* alias */
    ngx_http_mntreamer_ctx_t   *ctx;          /* alias */
    int64_t                     id;
    ngx_uint_t                  round;        /* that has seen it */
    uint64_t                    sent;         /* hash of what it shows */
    ngx_msec_t                  sent_ms;
    ngx_buf_t                   buf;
    size_t                      size;         /* of its memory, in the pool */
} ngx_http_mntreamer_stream_t;


static ngx_int_t ngx_http_mntreamer_events_full(ngx_http_request_t *r);
static ngx_int_t ngx_http_mntreamer_events_begin(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_events_header(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
static void ngx_http_mntreamer_events_timer(ngx_event_t *ev);
static void ngx_http_mntreamer_events_ask(void);
static void ngx_http_mntreamer_events_told(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_http_mntreamer_events_news(ngx_http_mntreamer_stream_t *s,
    const ngx_mntreamer_result_t *result, ngx_uint_t i);
static ngx_int_t ngx_http_mntreamer_events_send(
    ngx_http_mntreamer_stream_t *s, const char *before, ngx_str_t *text);
static ngx_int_t ngx_http_mntreamer_events_busy(
    ngx_http_mntreamer_stream_t *s);
static void ngx_http_mntreamer_events_write(ngx_http_request_t *r);
static void ngx_http_mntreamer_events_close(ngx_http_mntreamer_stream_t *s,
    ngx_int_t rc);
static void ngx_http_mntreamer_events_cancel(void *data);
static ngx_http_mntreamer_stream_t *ngx_http_mntreamer_events_next(void);


static ngx_queue_t           ngx_http_mntreamer_streams;
static ngx_uint_t            ngx_http_mntreamer_nstreams;
static ngx_uint_t            ngx_http_mntreamer_events_round;
static ngx_event_t           ngx_http_mntreamer_events_tick;
static ngx_connection_t      ngx_http_mntreamer_events_dummy;
static ngx_mntreamer_ask_t  *ngx_http_mntreamer_events_asked;


void
ngx_http_mntreamer_events_start(void)
{
    ngx_queue_init(&ngx_http_mntreamer_streams);

    ngx_http_mntreamer_nstreams = 0;
    ngx_http_mntreamer_events_asked = NULL;
    ngx_http_mntreamer_events_dummy.fd = (ngx_socket_t) -1;

    ngx_memzero(&ngx_http_mntreamer_events_tick, sizeof(ngx_event_t));

    ngx_http_mntreamer_events_tick.handler = ngx_http_mntreamer_events_timer;
    ngx_http_mntreamer_events_tick.data = &ngx_http_mntreamer_events_dummy;
    ngx_http_mntreamer_events_tick.log = ngx_cycle->log;
    ngx_http_mntreamer_events_tick.cancelable = 1;
}


void
ngx_http_mntreamer_events_wake(void)
{
    if (ngx_http_mntreamer_nstreams) {
        ngx_http_mntreamer_events_ask();
    }
}


void
ngx_http_mntreamer_events_end(void)
{
    ngx_queue_t  *q;

    while (ngx_http_mntreamer_nstreams) {
        q = ngx_queue_head(&ngx_http_mntreamer_streams);

        ngx_http_mntreamer_events_close(
            ngx_queue_data(q, ngx_http_mntreamer_stream_t, queue), NGX_OK);
    }

    if (ngx_http_mntreamer_events_asked) {
        ngx_mntreamer_catalog_ask_cancel(ngx_http_mntreamer_events_asked);
        ngx_http_mntreamer_events_asked = NULL;
    }

    if (ngx_http_mntreamer_events_tick.timer_set) {
        ngx_del_timer(&ngx_http_mntreamer_events_tick);
    }
}


ngx_int_t
ngx_http_mntreamer_job_events(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    if (ngx_exiting
        || ngx_http_mntreamer_nstreams >= NGX_HTTP_MNTREAMER_EVENTS_MAX)
    {
        return ngx_http_mntreamer_events_full(r);
    }

    return ngx_http_mntreamer_ask_one(r, ctx, NGX_MNTREAMER_ASK_JOB,
                                      ngx_http_mntreamer_events_begin);
}


static ngx_int_t
ngx_http_mntreamer_events_full(ngx_http_request_t *r)
{
    ngx_http_mntreamer_error_t  err;

    ngx_http_mntreamer_error_set(&err, NGX_HTTP_MNTREAMER_E_UNAVAILABLE, NULL,
                                 "too many listen");

    return ngx_http_mntreamer_fail(r, &err);
}


static ngx_int_t
ngx_http_mntreamer_events_begin(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    ngx_int_t                     rc;
    ngx_str_t                     json;
    ngx_http_mntreamer_stream_t  *s;

    if (result->nrows == 0) {
        return ngx_http_mntreamer_fail_code(r,
                                         NGX_HTTP_MNTREAMER_E_JOB_NOT_FOUND);
    }

    /* others may have begun while the database was asked */

    if (ngx_http_mntreamer_nstreams >= NGX_HTTP_MNTREAMER_EVENTS_MAX) {
        return ngx_http_mntreamer_events_full(r);
    }

    s = ngx_pcalloc(r->pool, sizeof(ngx_http_mntreamer_stream_t));
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s->request = r;
    s->ctx = ctx;
    s->id = ctx->id;

    rc = ngx_http_mntreamer_events_header(r, ctx);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    json = ngx_mntreamer_rows_get(result->rows, 0, 0);

    if (ngx_http_mntreamer_events_send(s, "retry: 2000\nevent: job\ndata: ",
                                       &json)
        == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    if (ngx_exiting || ngx_mntreamer_rows_bool(result->rows, 0, 1)) {
        return ngx_http_send_special(r, NGX_HTTP_LAST);
    }

    ngx_queue_insert_tail(&ngx_http_mntreamer_streams, &s->queue);
    ngx_http_mntreamer_nstreams++;

    ctx->data = s;
    ctx->cancel = ngx_http_mntreamer_events_cancel;

    if (!ngx_http_mntreamer_events_tick.timer_set) {
        ngx_add_timer(&ngx_http_mntreamer_events_tick,
                      NGX_HTTP_MNTREAMER_EVENTS_MS);
    }

    return NGX_DONE;
}


static ngx_int_t
ngx_http_mntreamer_events_header(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    static ngx_str_t  no_store = ngx_string("no-store");
    static ngx_str_t  nosniff = ngx_string("nosniff");
    static ngx_str_t  no = ngx_string("no");

    ctx->ours = 1;

    /* an nginx in front of this one is not to gather them */

    if (ngx_http_mntreamer_cache_control(r, &no_store) != NGX_OK
        || ngx_http_mntreamer_header(r, "X-Content-Type-Options", &nosniff)
           != NGX_OK
        || ngx_http_mntreamer_header(r, "X-Accel-Buffering", &no) != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;
    ngx_str_set(&r->headers_out.content_type, "text/event-stream");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    return ngx_http_send_header(r);
}


static void
ngx_http_mntreamer_events_timer(ngx_event_t *ev)
{
    ngx_int_t                     rc;
    ngx_str_t                     none;
    ngx_http_mntreamer_stream_t  *s;

    ngx_str_null(&none);

    /* what is dead in between is found out by this only */

    ngx_http_mntreamer_events_round++;

    while ((s = ngx_http_mntreamer_events_next()) != NULL) {

        if (ngx_current_msec - s->sent_ms < NGX_HTTP_MNTREAMER_EVENTS_ALIVE) {
            continue;
        }

        rc = ngx_http_mntreamer_events_send(s, ":", &none);

        if (rc == NGX_ERROR) {
            ngx_http_mntreamer_events_close(s, NGX_ERROR);
        }
    }

    if (ngx_http_mntreamer_nstreams) {
        ngx_add_timer(ev, NGX_HTTP_MNTREAMER_EVENTS_MS);
        ngx_http_mntreamer_events_ask();
    }
}


static void
ngx_http_mntreamer_events_ask(void)
{
    u_char                          *p, *last;
    u_char                           buf[NGX_HTTP_MNTREAMER_EVENTS_MAX
                                         * (NGX_INT64_LEN + 1) + 2];
    ngx_str_t                        ids;
    ngx_queue_t                     *q;
    ngx_http_mntreamer_stream_t     *s;
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    if (env->catalog == NULL || ngx_http_mntreamer_events_asked) {
        return;
    }

    p = buf;
    last = buf + sizeof(buf) - (NGX_INT64_LEN + 1) - 1;
    *p++ = '{';

    for (q = ngx_queue_head(&ngx_http_mntreamer_streams);
         q != ngx_queue_sentinel(&ngx_http_mntreamer_streams) && p <= last;
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_http_mntreamer_stream_t, queue);

        p = ngx_sprintf(p, (p == buf + 1) ? "%L" : ",%L", s->id);
    }

    *p++ = '}';

    ids.data = buf;
    ids.len = p - buf;

    ngx_http_mntreamer_events_asked =
        ngx_mntreamer_catalog_ask(env->catalog, NGX_MNTREAMER_ASK_JOBS_SEEN,
                                  &ids, 1, NGX_HTTP_MNTREAMER_TIMEOUT,
                                  ngx_http_mntreamer_events_told, NULL);
}


/* while the database is away they wait, as their jobs do */

static void
ngx_http_mntreamer_events_told(void *data,
    const ngx_mntreamer_result_t *result)
{
    int64_t                       asked;
    ngx_uint_t                    i;
    ngx_http_mntreamer_stream_t  *s;

    ngx_http_mntreamer_events_asked = NULL;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        return;
    }

    ngx_http_mntreamer_events_round++;

    while ((s = ngx_http_mntreamer_events_next()) != NULL) {

        for (i = 0; i < result->nrows; i++) {
            asked = ngx_mntreamer_rows_i64(result->rows, i, 2, 0);

            if (asked == s->id) {
                ngx_http_mntreamer_events_news(s, result, i);
                break;
            }
        }
    }
}


/* of one that began to listen behind the question there is no row */

static void
ngx_http_mntreamer_events_news(ngx_http_mntreamer_stream_t *s,
    const ngx_mntreamer_result_t *result, ngx_uint_t i)
{
    ngx_str_t  json;
    mnt_str_t  text;

    json = ngx_mntreamer_rows_get(result->rows, i, 0);

    if (json.data == NULL) {

        /* it was deleted */

        ngx_http_mntreamer_events_close(s, NGX_OK);
        return;
    }

    text.data = (char *) json.data;
    text.len = json.len;

    if (mnt_str_hash(text) != s->sent
        && ngx_http_mntreamer_events_send(s, "event: job\ndata: ", &json)
           == NGX_ERROR)
    {
        ngx_http_mntreamer_events_close(s, NGX_ERROR);
        return;
    }

    if (ngx_mntreamer_rows_bool(result->rows, i, 1)
        && mnt_str_hash(text) == s->sent)
    {
        ngx_http_mntreamer_events_close(s, NGX_OK);
    }
}


/*
 * NGX_AGAIN: the client has not taken the last one yet, which is no failure:
 * it gets the next one.  The text has no line feed: it is JSON of the
 * database.
 */

static ngx_int_t
ngx_http_mntreamer_events_send(ngx_http_mntreamer_stream_t *s,
    const char *before, ngx_str_t *text)
{
    size_t               n;
    ngx_buf_t           *b;
    mnt_str_t            shown;
    ngx_chain_t          out;
    ngx_http_request_t  *r;

    r = s->request;
    b = &s->buf;

    if (r->buffered || r->connection->buffered) {
        return NGX_AGAIN;
    }

    n = ngx_strlen(before) + text->len + 2;

    if (n > s->size) {
        n = ngx_max(2 * n, NGX_HTTP_MNTREAMER_EVENTS_BUF);

        b->start = ngx_pnalloc(r->pool, n);
        if (b->start == NULL) {
            s->size = 0;
            return NGX_ERROR;
        }

        s->size = n;
    }

    b->pos = b->start;
    b->last = ngx_cpymem(b->start, before, ngx_strlen(before));
    b->last = ngx_cpymem(b->last, text->data, text->len);
    b->last = ngx_cpymem(b->last, "\n\n", 2);
    b->end = b->start + s->size;
    b->temporary = 1;
    b->flush = 1;

    out.buf = b;
    out.next = NULL;

    s->sent_ms = ngx_current_msec;

    if (text->len) {
        shown.data = (char *) text->data;
        shown.len = text->len;
        s->sent = mnt_str_hash(shown);
    }

    if (ngx_http_output_filter(r, &out) == NGX_ERROR) {
        return NGX_ERROR;
    }

    return ngx_http_mntreamer_events_busy(s);
}


/* as nginx waits for a client behind the end of an answer */

static ngx_int_t
ngx_http_mntreamer_events_busy(ngx_http_mntreamer_stream_t *s)
{
    ngx_event_t               *wev;
    ngx_http_request_t        *r;
    ngx_http_core_loc_conf_t  *clcf;

    r = s->request;
    wev = r->connection->write;

    if (!r->buffered && !r->connection->buffered) {

        if (wev->timer_set && !wev->delayed) {
            ngx_del_timer(wev);
        }

        r->write_event_handler = ngx_http_request_empty_handler;
        return NGX_OK;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (!wev->timer_set) {
        ngx_add_timer(wev, clcf->send_timeout);
    }

    r->write_event_handler = ngx_http_mntreamer_events_write;

    return ngx_handle_write_event(wev, clcf->send_lowat);
}


static void
ngx_http_mntreamer_events_write(ngx_http_request_t *r)
{
    ngx_http_mntreamer_ctx_t     *ctx;
    ngx_http_mntreamer_stream_t  *s;

    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);
    s = ctx->data;

    if (r->connection->write->timedout) {
        ngx_http_mntreamer_events_close(s, NGX_ERROR);
        return;
    }

    if (ngx_http_output_filter(r, NULL) == NGX_ERROR
        || ngx_http_mntreamer_events_busy(s) != NGX_OK)
    {
        ngx_http_mntreamer_events_close(s, NGX_ERROR);
    }
}


/* the request may be gone behind it, and others of its connection */

static void
ngx_http_mntreamer_events_close(ngx_http_mntreamer_stream_t *s, ngx_int_t rc)
{
    ngx_http_request_t  *r;

    r = s->request;

    s->ctx->cancel = NULL;
    ngx_http_mntreamer_events_cancel(s);

    if (rc == NGX_OK) {
        rc = ngx_http_send_special(r, NGX_HTTP_LAST);
    }

    ngx_http_mntreamer_resume(r, rc);
}


static void
ngx_http_mntreamer_events_cancel(void *data)
{
    ngx_http_mntreamer_stream_t *s = data;

    ngx_queue_remove(&s->queue);
    ngx_http_mntreamer_nstreams--;
}


/* one that this round has not seen yet, whatever became of the others */

static ngx_http_mntreamer_stream_t *
ngx_http_mntreamer_events_next(void)
{
    ngx_queue_t                  *q;
    ngx_http_mntreamer_stream_t  *s;

    for (q = ngx_queue_head(&ngx_http_mntreamer_streams);
         q != ngx_queue_sentinel(&ngx_http_mntreamer_streams);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_http_mntreamer_stream_t, queue);

        if (s->round != ngx_http_mntreamer_events_round) {
            s->round = ngx_http_mntreamer_events_round;
            return s;
        }
    }

    return NULL;
}
