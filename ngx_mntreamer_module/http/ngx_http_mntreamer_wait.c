
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * A worker makes its rooms a moment after it began to accept, and connects to
 * the database then: without this each reload would answer some requests with
 * 503.  While the worker is young, a request waits for what it needs.
 *
 *     state     entered by        waits for     deadline              then
 *     WAITING   handler, timer    20 ms         age of the worker     handler
 *
 * When the client leaves the timer is deleted.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_WAIT_STEP  20


typedef struct {
    ngx_event_t           timer;
    ngx_http_request_t   *request;            /* alias */
    ngx_http_handler_pt   handler;
} ngx_http_mntreamer_wait_t;


static void ngx_http_mntreamer_wait_over(ngx_event_t *ev);
static void ngx_http_mntreamer_wait_cancel(void *data);


static ngx_msec_t  ngx_http_mntreamer_born;


void
ngx_http_mntreamer_wait_start(void)
{
    ngx_http_mntreamer_born = ngx_current_msec;
}


ngx_int_t
ngx_http_mntreamer_wait(ngx_http_request_t *r, ngx_http_handler_pt handler,
    ngx_msec_t age)
{
    ngx_http_mntreamer_ctx_t   *ctx;
    ngx_http_mntreamer_wait_t  *w;

    if (ngx_current_msec - ngx_http_mntreamer_born >= age || ngx_exiting) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_mntreamer_ctx(r);
    if (ctx == NULL) {
        return NGX_DECLINED;
    }

    w = ctx->wait;

    if (w == NULL) {
        w = ngx_pcalloc(r->pool, sizeof(ngx_http_mntreamer_wait_t));
        if (w == NULL) {
            return NGX_DECLINED;
        }

        ctx->wait = w;

        w->request = r;
        w->handler = handler;
        w->timer.handler = ngx_http_mntreamer_wait_over;
        w->timer.data = r->connection;
        w->timer.log = r->connection->log;
    }

    ctx->data = w;
    ctx->cancel = ngx_http_mntreamer_wait_cancel;

    ngx_add_timer(&w->timer, NGX_HTTP_MNTREAMER_WAIT_STEP);

    return ngx_http_mntreamer_hold(r, ctx);
}


static void
ngx_http_mntreamer_wait_over(ngx_event_t *ev)
{
    ngx_http_request_t         *r;
    ngx_http_mntreamer_ctx_t   *ctx;
    ngx_http_mntreamer_wait_t  *w;

    w = (ngx_http_mntreamer_wait_t *)
        ((char *) ev - offsetof(ngx_http_mntreamer_wait_t, timer));
    r = w->request;

    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);
    ctx->cancel = NULL;

    ngx_http_mntreamer_resume(r, w->handler(r));
}


static void
ngx_http_mntreamer_wait_cancel(void *data)
{
    ngx_http_mntreamer_wait_t *w = data;

    if (w->timer.timer_set) {
        ngx_del_timer(&w->timer);
    }
}
