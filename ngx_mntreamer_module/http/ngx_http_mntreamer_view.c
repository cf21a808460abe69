
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Playlists of recordings in progress.  A player that reloads one asks for
 * what it does not know: "_HLS_skip" leaves out the rest (rfc8216bis 6.2.5.1),
 * "_HLS_msn" waits for a segment (6.2.5.2), "window" shows the last seconds
 * only.  What a worker knows of such a playlist is shared by all who ask it.
 *
 *     state     entered by     waits for                  deadline    then
 *     LOADING   a long one     thread: its first reading  -           again
 *     BLOCKED   "_HLS_msn"     the file has the segment   3 targets,  again
 *                                                         8 s
 *
 * "Again" is the handler of the location, which opens the file anew; after the
 * deadline, and in a worker that exits, it sends what there is.  When the
 * client leaves its request leaves the list.  Who waits keeps no file open:
 * there is one for all who wait for the same.  A timer looks at those.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "../hls/mnt_hls_query.h"
#include "../loop/ngx_mntreamer_watch.h"
#include "ngx_http_mntreamer_view_internal.h"


#define NGX_HTTP_MNTREAMER_VIEW_LOOK     100    /* ms */
#define NGX_HTTP_MNTREAMER_VIEW_TARGETS  3000   /* ms for each second of it */
#define NGX_HTTP_MNTREAMER_VIEW_BLOCK    8000   /* ms; players give up at 10 */
#define NGX_HTTP_MNTREAMER_VIEW_WINDOW   3600   /* s */
#define NGX_HTTP_MNTREAMER_VIEW_AHEAD    2      /* segments, 6.2.5.2 */
#define NGX_HTTP_MNTREAMER_VIEW_END      64     /* bytes; hold ENDLIST */


typedef struct {
    ngx_queue_t                     queue;
    ngx_http_mntreamer_view_t      *view;     /* alias; NULL: about to go on */
    ngx_http_request_t             *request;  /* alias */
    ngx_http_mntreamer_ctx_t       *ctx;      /* alias */
    uint64_t                        msn;      /* _NEVER: it is loaded */
    ngx_msec_t                      until;
    unsigned                        blocked:1;   /* "until" is set */
    unsigned                        late:1;      /* and has passed */
} ngx_http_mntreamer_view_waiter_t;


static ngx_uint_t ngx_http_mntreamer_view_live(ngx_file_t *file,
    ngx_file_info_t *fi);
static ngx_int_t ngx_http_mntreamer_view_block(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_fd_t fd, uint64_t msn);
static ngx_int_t ngx_http_mntreamer_view_wait(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_fd_t fd, uint64_t msn);
static void ngx_http_mntreamer_view_cancel(void *data);
static void ngx_http_mntreamer_view_unwatch(ngx_http_mntreamer_view_t *v);
static void ngx_http_mntreamer_view_look(ngx_event_t *ev);
static ngx_uint_t ngx_http_mntreamer_view_looked(
    ngx_http_mntreamer_view_t *v, ngx_log_t *log);
static void ngx_http_mntreamer_view_collect(ngx_http_mntreamer_view_t *v,
    ngx_uint_t all, ngx_queue_t *ready);
static void ngx_http_mntreamer_view_wake(ngx_queue_t *ready);
static ngx_uint_t ngx_http_mntreamer_view_has(ngx_http_mntreamer_view_t *v,
    uint64_t msn);
static ngx_int_t ngx_http_mntreamer_view_send(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_file_t *file,
    ngx_http_mntreamer_view_wish_t *wish, ngx_chain_t **out);
static ngx_int_t ngx_http_mntreamer_view_part(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_file_t *file, mnt_hls_view_e view,
    int64_t span_us, ngx_chain_t **out);
static ngx_int_t ngx_http_mntreamer_view_long(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_file_t *file, mnt_hls_view_e view,
    const mnt_hls_mark_t *first, ngx_chain_t **out);
static ngx_int_t ngx_http_mntreamer_view_variants(ngx_http_request_t *r,
    ngx_file_t *file, off_t size, ngx_uint_t window_s, ngx_chain_t **out);
static ngx_int_t ngx_http_mntreamer_view_etag(ngx_http_request_t *r,
    ngx_file_info_t *fi, uint64_t offset,
    ngx_http_mntreamer_view_wish_t *wish);


static ngx_queue_t  ngx_http_mntreamer_waited;   /* views that have waiters */
static ngx_event_t  ngx_http_mntreamer_view_timer;
static ngx_mntreamer_ident_t  ngx_http_mntreamer_view_ident;


void
ngx_http_mntreamer_view_start(void)
{
    ngx_http_mntreamer_views_init();
    ngx_queue_init(&ngx_http_mntreamer_waited);

    ngx_http_mntreamer_view_ident.fd = (ngx_socket_t) -1;

    ngx_memzero(&ngx_http_mntreamer_view_timer, sizeof(ngx_event_t));

    ngx_http_mntreamer_view_timer.handler = ngx_http_mntreamer_view_look;
    ngx_http_mntreamer_view_timer.data = &ngx_http_mntreamer_view_ident;
}


/* who still waits is not answered any more; its request may yet be freed */

void
ngx_http_mntreamer_view_stop(void)
{
    ngx_queue_t                       *q;
    ngx_http_mntreamer_view_t         *v;
    ngx_http_mntreamer_view_waiter_t  *w;

    if (ngx_http_mntreamer_waited.next == NULL) {
        return;
    }

    if (ngx_http_mntreamer_view_timer.timer_set) {
        ngx_del_timer(&ngx_http_mntreamer_view_timer);
    }

    while (!ngx_queue_empty(&ngx_http_mntreamer_waited)) {
        q = ngx_queue_head(&ngx_http_mntreamer_waited);
        v = ngx_queue_data(q, ngx_http_mntreamer_view_t, waited);

        while (!ngx_queue_empty(&v->waiters)) {
            q = ngx_queue_head(&v->waiters);
            w = ngx_queue_data(q, ngx_http_mntreamer_view_waiter_t, queue);

            ngx_queue_remove(q);
            ngx_queue_init(q);
            w->view = NULL;
        }

        ngx_http_mntreamer_view_unwatch(v);
    }

    ngx_http_mntreamer_views_free();
}


ngx_int_t
ngx_http_mntreamer_view(ngx_http_request_t *r, ngx_str_t *path,
    ngx_file_t *file, ngx_file_info_t *fi, ngx_chain_t **out)
{
    ngx_int_t                        rc;
    ngx_http_mntreamer_view_t       *v;
    ngx_http_mntreamer_view_wish_t   wish;

    if (ngx_http_mntreamer_view_wish(r, &wish) != NGX_OK) {
        return NGX_HTTP_BAD_REQUEST;
    }

    if (wish.window_s == 0 && !ngx_http_mntreamer_view_live(file, fi)) {
        return NGX_DECLINED;
    }

    v = ngx_http_mntreamer_view_get(path, fi, r->connection->log);
    if (v == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_http_mntreamer_view_read(v, file->fd, fi, r->connection->log);

    if (rc == NGX_AGAIN) {
        return ngx_http_mntreamer_view_wait(r, v, file->fd,
                                            NGX_HTTP_MNTREAMER_VIEW_NEVER);
    }

    if (rc != NGX_OK) {
        return NGX_DECLINED;
    }

    if (v->live.multivariant && wish.window_s) {
        rc = ngx_http_mntreamer_view_variants(r, file, ngx_file_size(fi),
                                              wish.window_s, out);

        return (rc == NGX_OK)
               ? ngx_http_mntreamer_view_etag(r, fi,
                                              (uint64_t) ngx_file_size(fi),
                                              &wish)
               : rc;
    }

    if (!mnt_hls_live_shown(&v->live)
        || (v->live.ended && wish.window_s == 0))
    {
        return NGX_DECLINED;
    }

    rc = ngx_http_mntreamer_view_block(r, v, file->fd, wish.msn);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_mntreamer_view_send(r, v, file, &wish, out);

    return (rc == NGX_OK)
           ? ngx_http_mntreamer_view_etag(r, fi, v->live.at.offset, &wish)
           : rc;
}


/* other parameters are of others: a signature, a player's own */

ngx_int_t
ngx_http_mntreamer_view_wish(ngx_http_request_t *r,
    ngx_http_mntreamer_view_wish_t *wish)
{
    ngx_int_t  n;
    ngx_str_t  value;

    wish->view = MNT_HLS_VIEW_WHOLE;
    wish->window_s = 0;
    wish->msn = NGX_HTTP_MNTREAMER_VIEW_NEVER;

    if (r->args.len == 0) {
        return NGX_OK;
    }

    if (ngx_http_arg(r, (u_char *) "_HLS_msn", 8, &value) == NGX_OK) {

        n = ngx_atoi(value.data, value.len);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        wish->msn = (uint64_t) n;

    } else if (ngx_http_arg(r, (u_char *) "_HLS_part", 9, &value) == NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_arg(r, (u_char *) "_HLS_skip", 9, &value) == NGX_OK) {

        if ((value.len != 3 || ngx_memcmp(value.data, "YES", 3) != 0)
            && (value.len != 2 || ngx_memcmp(value.data, "v2", 2) != 0))
        {
            return NGX_ERROR;
        }

        wish->view = MNT_HLS_VIEW_DELTA;
    }

    /* of a window there is little to skip */

    if (ngx_http_arg(r, (u_char *) "window", 6, &value) == NGX_OK) {

        n = ngx_atoi(value.data, value.len);

        if (n < 1 || n > NGX_HTTP_MNTREAMER_VIEW_WINDOW) {
            return NGX_ERROR;
        }

        wish->view = MNT_HLS_VIEW_WINDOW;
        wish->window_s = (ngx_uint_t) n;
    }

    return NGX_OK;
}


/* as told by the file: it was written lately and has no end */

static ngx_uint_t
ngx_http_mntreamer_view_live(ngx_file_t *file, ngx_file_info_t *fi)
{
    char     end[NGX_HTTP_MNTREAMER_VIEW_END + 1];
    size_t   len;

    if (ngx_time() - ngx_file_mtime(fi) > NGX_HTTP_MNTREAMER_SILENT_S) {
        return 0;
    }

    len = (size_t) ngx_min(ngx_file_size(fi), NGX_HTTP_MNTREAMER_VIEW_END);

    if (ngx_http_mntreamer_view_pread(file->fd, end, len,
                                      (uint64_t) ngx_file_size(fi) - len)
        != NGX_OK)
    {
        return 0;
    }

    end[len] = '\0';

    return ngx_strstr(end, "#EXT-X-ENDLIST") == NULL;
}


/* NGX_DECLINED: it need not, or not any longer, wait */

static ngx_int_t
ngx_http_mntreamer_view_block(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_fd_t fd, uint64_t msn)
{
    if (v->live.ended || ngx_http_mntreamer_view_has(v, msn)) {
        return NGX_DECLINED;
    }

    if (msn - (v->live.sequence + v->live.at.entries)
        >= NGX_HTTP_MNTREAMER_VIEW_AHEAD)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    return ngx_http_mntreamer_view_wait(r, v, fd, msn);
}


/* NGX_DECLINED: it has waited for long enough, or cannot */

static ngx_int_t
ngx_http_mntreamer_view_wait(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_fd_t fd, uint64_t msn)
{
    ngx_event_t                       *ev;
    ngx_http_mntreamer_ctx_t          *ctx;
    ngx_http_mntreamer_view_waiter_t  *w;

    ctx = ngx_http_mntreamer_ctx(r);

    if (ctx == NULL || r != r->main || ngx_exiting) {
        return NGX_DECLINED;
    }

    w = ctx->view;

    if (w == NULL) {
        w = ngx_pcalloc(r->pool, sizeof(ngx_http_mntreamer_view_waiter_t));
        if (w == NULL) {
            return NGX_DECLINED;
        }

        w->request = r;
        w->ctx = ctx;
        ctx->view = w;
    }

    if (w->late) {
        return NGX_DECLINED;
    }

    if (ngx_queue_empty(&v->waiters)) {
        v->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);

        if (v->fd == NGX_INVALID_FILE) {
            return NGX_DECLINED;
        }

        ngx_queue_insert_tail(&ngx_http_mntreamer_waited, &v->waited);
    }

    if (msn != NGX_HTTP_MNTREAMER_VIEW_NEVER && !w->blocked) {
        w->blocked = 1;
        w->until = ngx_current_msec
                   + ngx_min((ngx_msec_t) v->live.target_s
                             * NGX_HTTP_MNTREAMER_VIEW_TARGETS,
                             NGX_HTTP_MNTREAMER_VIEW_BLOCK);
    }

    w->view = v;
    w->msn = msn;

    ngx_queue_insert_tail(&v->waiters, &w->queue);
    ngx_pool_run_cleanup_file(r->pool, fd);

    ev = &ngx_http_mntreamer_view_timer;

    if (!ev->timer_set) {
        ev->log = ngx_cycle->log;
        ngx_add_timer(ev, NGX_HTTP_MNTREAMER_VIEW_LOOK);
    }

    ctx->data = w;
    ctx->cancel = ngx_http_mntreamer_view_cancel;

    return ngx_http_mntreamer_hold(r, ctx);
}


static void
ngx_http_mntreamer_view_cancel(void *data)
{
    ngx_http_mntreamer_view_waiter_t *w = data;

    ngx_queue_remove(&w->queue);

    if (w->view && ngx_queue_empty(&w->view->waiters)) {
        ngx_http_mntreamer_view_unwatch(w->view);
    }

    w->view = NULL;
}


static void
ngx_http_mntreamer_view_unwatch(ngx_http_mntreamer_view_t *v)
{
    ngx_queue_remove(&v->waited);

    (void) ngx_close_file(v->fd);
    v->fd = NGX_INVALID_FILE;
}


/*
 * Who goes on may use, make and evict views and wait again: nobody does until
 * all have been looked at.
 */

static void
ngx_http_mntreamer_view_look(ngx_event_t *ev)
{
    ngx_uint_t                  all;
    ngx_queue_t                *q, *next, ready;
    ngx_http_mntreamer_view_t  *v;

    ngx_queue_init(&ready);

    for (q = ngx_queue_head(&ngx_http_mntreamer_waited);
         q != ngx_queue_sentinel(&ngx_http_mntreamer_waited);
         q = next)
    {
        next = ngx_queue_next(q);
        v = ngx_queue_data(q, ngx_http_mntreamer_view_t, waited);

        all = ngx_exiting ? 1 : ngx_http_mntreamer_view_looked(v, ev->log);

        ngx_http_mntreamer_view_collect(v, all, &ready);
    }

    ngx_http_mntreamer_view_wake(&ready);

    if (!ngx_queue_empty(&ngx_http_mntreamer_waited) && !ev->timer_set) {
        ngx_add_timer(ev, NGX_HTTP_MNTREAMER_VIEW_LOOK);
    }
}


/* 1: it is another file, or cannot be read: all must see for themselves */

static ngx_uint_t
ngx_http_mntreamer_view_looked(ngx_http_mntreamer_view_t *v, ngx_log_t *log)
{
    ngx_file_info_t  fi;

    if (v->job) {
        return 0;
    }

    if (ngx_fd_info(v->fd, &fi) == NGX_FILE_ERROR || fi.st_nlink == 0
        || fi.st_ino != v->ino || fi.st_dev != v->dev
        || (uint64_t) fi.st_size < v->live.at.offset)
    {
        return 1;
    }

    return ngx_http_mntreamer_view_read(v, v->fd, &fi, log) == NGX_ERROR;
}


void
ngx_http_mntreamer_view_loaded(ngx_http_mntreamer_view_t *v)
{
    ngx_queue_t  ready;

    ngx_queue_init(&ready);

    ngx_http_mntreamer_view_collect(v, 0, &ready);
    ngx_http_mntreamer_view_wake(&ready);
}


/* takes who need not wait any more off the list of the view */

static void
ngx_http_mntreamer_view_collect(ngx_http_mntreamer_view_t *v, ngx_uint_t all,
    ngx_queue_t *ready)
{
    ngx_uint_t                         known;
    ngx_queue_t                       *q, *next;
    ngx_http_mntreamer_view_waiter_t  *w;

    if (ngx_queue_empty(&v->waiters)) {
        return;
    }

    known = all || (v->job == NULL && (v->live.ended || v->live.foreign));

    for (q = ngx_queue_head(&v->waiters);
         q != ngx_queue_sentinel(&v->waiters);
         q = next)
    {
        next = ngx_queue_next(q);
        w = ngx_queue_data(q, ngx_http_mntreamer_view_waiter_t, queue);

        w->late = ngx_exiting
                  || (w->blocked
                      && (ngx_msec_int_t) (w->until - ngx_current_msec) <= 0);

        if (known || w->late
            || (v->job == NULL && ngx_http_mntreamer_view_has(v, w->msn)))
        {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(ready, q);
            w->view = NULL;
        }
    }

    if (ngx_queue_empty(&v->waiters)) {
        ngx_http_mntreamer_view_unwatch(v);
    }
}


/* one that goes on may end others, which take themselves off */

static void
ngx_http_mntreamer_view_wake(ngx_queue_t *ready)
{
    ngx_queue_t                       *q;
    ngx_http_request_t                *r;
    ngx_http_mntreamer_view_waiter_t  *w;

    while (!ngx_queue_empty(ready)) {
        q = ngx_queue_head(ready);
        w = ngx_queue_data(q, ngx_http_mntreamer_view_waiter_t, queue);

        ngx_queue_remove(q);

        r = w->request;
        w->ctx->cancel = NULL;

        ngx_http_mntreamer_resume(r, ngx_http_mntreamer_recordings_handler(r));
    }
}


static ngx_uint_t
ngx_http_mntreamer_view_has(ngx_http_mntreamer_view_t *v, uint64_t msn)
{
    return msn == NGX_HTTP_MNTREAMER_VIEW_NEVER
           || msn < v->live.sequence + v->live.at.entries;
}


static ngx_int_t
ngx_http_mntreamer_view_send(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_file_t *file,
    ngx_http_mntreamer_view_wish_t *wish, ngx_chain_t **out)
{
    int64_t  span_s;

    switch (wish->view) {

    case MNT_HLS_VIEW_DELTA:
        span_s = mnt_hls_live_skip_s(&v->live);
        break;

    case MNT_HLS_VIEW_WINDOW:

        span_s = ngx_http_mntreamer_view_window_s(wish, &v->live);
        break;

    default:
        return ngx_http_mntreamer_view_long(r, v, file, wish->view,
                                            &v->live.marks[0], out);
    }

    return ngx_http_mntreamer_view_part(r, v, file, wish->view,
                                        span_s * 1000000, out);
}


/* RFC 8216 6.2.2: three target durations at least */

int64_t
ngx_http_mntreamer_view_window_s(const ngx_http_mntreamer_view_wish_t *wish,
    const mnt_hls_live_t *live)
{
    return ngx_max((int64_t) wish->window_s, 3 * (int64_t) live->target_s);
}


static ngx_int_t
ngx_http_mntreamer_view_part(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_file_t *file, mnt_hls_view_e view,
    int64_t span_us, ngx_chain_t **out)
{
    ngx_int_t                        rc;
    mnt_hls_mark_t                   first;
    ngx_pool_cleanup_t              *cln;
    ngx_http_mntreamer_view_text_t  *text;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_mntreamer_view_text(v, file->fd, view, span_us,
                                      r->connection->log, &text);

    if (rc == NGX_DECLINED) {

        if (ngx_http_mntreamer_view_first(v, file->fd, span_us, &first,
                                          r->connection->log)
            != NGX_OK)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_mntreamer_view_long(r, v, file, view, &first, out);
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_mntreamer_view_sent;
    cln->data = text;

    *out = ngx_http_mntreamer_view_chain(r, text->data, text->len);

    return *out ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


void
ngx_http_mntreamer_view_sent(void *data)
{
    ngx_http_mntreamer_view_release(data);
}


/* the entries are sent from the file */

static ngx_int_t
ngx_http_mntreamer_view_long(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_file_t *file, mnt_hls_view_e view,
    const mnt_hls_mark_t *first, ngx_chain_t **out)
{
    char          line[NGX_HTTP_MNTREAMER_VIEW_MAP];
    size_t        len, size;
    u_char       *p;
    ngx_buf_t    *b;
    mnt_str_t     map = mnt_str_null;
    ngx_chain_t  *entries;

    size = MNT_HLS_LIVE_HEAD + NGX_HTTP_MNTREAMER_VIEW_MAP;

    if (view == MNT_HLS_VIEW_WINDOW
        && ngx_http_mntreamer_view_map(file->fd, first, line, &map) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_pnalloc(r->pool, size);
    entries = ngx_http_mntreamer_view_chain(r, NULL, 0);

    if (p == NULL || entries == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    len = mnt_hls_live_head(&v->live, view, first, map, (char *) p, size);

    *out = ngx_http_mntreamer_view_chain(r, p, len);

    if (*out == NULL || len >= size) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = entries->buf;

    b->memory = 0;
    b->file = file;
    b->file_pos = (off_t) first->offset;
    b->file_last = (off_t) v->live.at.offset;
    b->in_file = 1;

    (*out)->next = entries;

    return NGX_OK;
}


/* the window of a broadcast with renditions is that of each of them */

static ngx_int_t
ngx_http_mntreamer_view_variants(ngx_http_request_t *r, ngx_file_t *file,
    off_t size, ngx_uint_t window_s, ngx_chain_t **out)
{
    size_t            len, most;
    u_char           *buf, *p;
    u_char            name[sizeof("window=") - 1 + NGX_INT_T_LEN];
    mnt_str_t         text, query;
    mnt_hls_query_t   q;

    if (size > NGX_HTTP_MNTREAMER_VIEW_INLINE) {
        return NGX_DECLINED;
    }

    query.data = (char *) name;
    query.len = (size_t) (ngx_sprintf(name, "window=%ui", window_s) - name);

    most = 2 * (size_t) size + NGX_HTTP_MNTREAMER_VIEW_INLINE;

    buf = ngx_pnalloc(r->pool, (size_t) size + 1);
    p = ngx_pnalloc(r->pool, most);

    if (buf == NULL || p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_mntreamer_view_pread(file->fd, buf, (size_t) size, 0)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    text.data = (char *) buf;
    text.len = (size_t) size;

    mnt_hls_query_init(&q, query);

    len = mnt_hls_query_put(&q, &text, (char *) p, most);

    if (len == 0 || text.len) {
        return NGX_DECLINED;
    }

    *out = ngx_http_mntreamer_view_chain(r, p, len);

    return *out ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/*
 * nginx's own is the time in seconds and the length: two deltas may have both
 * and differ.  For the same reason there is no Last-Modified.
 */

static ngx_int_t
ngx_http_mntreamer_view_etag(ngx_http_request_t *r, ngx_file_info_t *fi,
    uint64_t offset, ngx_http_mntreamer_view_wish_t *wish)
{
    u_char           *p;
    ngx_table_elt_t  *etag;

    p = ngx_pnalloc(r->pool, 5 * NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    etag = ngx_list_push(&r->headers_out.headers);
    if (etag == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    etag->hash = 1;
    ngx_str_set(&etag->key, "ETag");
    etag->value.data = p;
    etag->value.len = (size_t) (ngx_sprintf(p, "\"%xL-%xT-%xL-%ui-%ui\"",
                                            (int64_t) fi->st_ino,
                                            ngx_file_mtime(fi),
                                            (int64_t) offset,
                                            (ngx_uint_t) wish->view,
                                            wish->window_s)
                                - p);

#if (nginx_version >= 1023000)
    etag->next = NULL;
#endif

    r->headers_out.etag = etag;
    r->headers_out.last_modified_time = -1;

    return NGX_OK;
}


ngx_chain_t *
ngx_http_mntreamer_view_chain(ngx_http_request_t *r, u_char *p, size_t len)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NULL;
    }

    b->pos = p;
    b->last = p + len;
    b->memory = 1;

    cl->buf = b;
    cl->next = NULL;

    return cl;
}
