
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Playlists of recordings of which something is not shown: a file beside them
 * says what (hls/mnt_hls_cut.h), and they are sent without it.  A text is made
 * by a thread, once for all who ask this worker while the two files stay what
 * they are.  Who asks meanwhile waits, and is answered by the handler of the
 * location, which opens the files anew; then any text will do, for a playlist
 * that grows again is another one each time.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <fcntl.h>
#include <stdlib.h>

#include "../hls/mnt_hls_cut.h"
#include "ngx_http_mntreamer_view_internal.h"


#define NGX_HTTP_MNTREAMER_CUT_FILES  256     /* known, at most */
#define NGX_HTTP_MNTREAMER_CUT_KEEP   (32 * 1024 * 1024)  /* bytes of texts */
#define NGX_HTTP_MNTREAMER_CUT_MAX    (32 * 1024 * 1024)  /* of a playlist */


/* which file it was */

typedef struct {
    ino_t                            ino;
    dev_t                            dev;
    off_t                            size;
    struct timespec                  changed;
} ngx_http_mntreamer_cut_stamp_t;

typedef struct ngx_http_mntreamer_cut_job_s  ngx_http_mntreamer_cut_job_t;

typedef struct {
    ngx_queue_t                      queue;   /* used last: first */
    ngx_str_t                        path;    /* behind the struct */
    ngx_http_mntreamer_cut_stamp_t   playlist, spans;
    ngx_http_mntreamer_view_text_t  *text;    /* a reference; NULL: nothing
                                                 can be left out */
    mnt_hls_live_t                   live;    /* of the text */
    ngx_http_mntreamer_cut_job_t    *job;     /* alias; NULL: none */
    ngx_queue_t                      waiters;
    unsigned                         known:1;
    unsigned                         failed:1;   /* not known, and why */
} ngx_http_mntreamer_cut_t;

struct ngx_http_mntreamer_cut_job_s {
    ngx_http_mntreamer_cut_t        *cut;     /* alias; NULL: destroyed */
    ngx_fd_t                         fd;      /* owned, as spans_fd */
    ngx_fd_t                         spans_fd;
    ngx_http_mntreamer_cut_stamp_t   playlist, spans;
    ngx_http_mntreamer_view_text_t  *text;    /* made by the thread */
    mnt_hls_live_t                   live;
    const char                      *failed;
};

typedef struct {
    ngx_queue_t                      queue;
    ngx_http_request_t              *request; /* alias */
    ngx_http_mntreamer_ctx_t        *ctx;     /* alias */
    unsigned                         waited:1;
} ngx_http_mntreamer_cut_waiter_t;


static ngx_fd_t ngx_http_mntreamer_cut_open(ngx_str_t *path,
    ngx_file_info_t *fi);
static ngx_http_mntreamer_cut_t *ngx_http_mntreamer_cut_get(ngx_str_t *path,
    ngx_log_t *log);
static void ngx_http_mntreamer_cut_evict(ngx_http_mntreamer_cut_t *keep);
static void ngx_http_mntreamer_cut_destroy(ngx_http_mntreamer_cut_t *cut);
static void ngx_http_mntreamer_cut_reset(ngx_http_mntreamer_cut_t *cut);
static void ngx_http_mntreamer_cut_stamp(ngx_file_info_t *fi,
    ngx_http_mntreamer_cut_stamp_t *stamp);
static ngx_uint_t ngx_http_mntreamer_cut_same(
    const ngx_http_mntreamer_cut_stamp_t *a,
    const ngx_http_mntreamer_cut_stamp_t *b);
static ngx_int_t ngx_http_mntreamer_cut_load(ngx_http_request_t *r,
    ngx_http_mntreamer_cut_t *cut, ngx_fd_t fd, ngx_fd_t spans,
    ngx_file_info_t *fi, ngx_file_info_t *sfi);
static void ngx_http_mntreamer_cut_work(void *data);
static char *ngx_http_mntreamer_cut_read(ngx_fd_t fd, off_t size,
    mnt_str_t *text);
static void ngx_http_mntreamer_cut_make(ngx_http_mntreamer_cut_job_t *job,
    const mnt_hls_cuts_t *cuts, mnt_str_t playlist);
static void ngx_http_mntreamer_cut_done(void *data);
static ngx_int_t ngx_http_mntreamer_cut_wait(ngx_http_request_t *r,
    ngx_http_mntreamer_cut_t *cut);
static void ngx_http_mntreamer_cut_cancel(void *data);
static void ngx_http_mntreamer_cut_wake(ngx_queue_t *waiters);
static ngx_int_t ngx_http_mntreamer_cut_send(ngx_http_request_t *r,
    ngx_http_mntreamer_cut_t *cut, ngx_chain_t **out);
static ngx_int_t ngx_http_mntreamer_cut_window(ngx_http_request_t *r,
    ngx_http_mntreamer_cut_t *cut, const ngx_http_mntreamer_view_wish_t *wish,
    ngx_chain_t **out);
static ngx_int_t ngx_http_mntreamer_cut_etag(ngx_http_request_t *r,
    const ngx_http_mntreamer_cut_t *cut,
    const ngx_http_mntreamer_view_wish_t *wish);


static ngx_queue_t  ngx_http_mntreamer_cuts;  /* all; used last: first */
static ngx_uint_t   ngx_http_mntreamer_ncuts;
static size_t       ngx_http_mntreamer_cut_bytes;


void
ngx_http_mntreamer_cut_start(void)
{
    ngx_queue_init(&ngx_http_mntreamer_cuts);
    ngx_http_mntreamer_ncuts = 0;
    ngx_http_mntreamer_cut_bytes = 0;
}


/* who still waits is not answered any more; its request may yet be freed */

void
ngx_http_mntreamer_cut_stop(void)
{
    ngx_queue_t               *q, *w;
    ngx_http_mntreamer_cut_t  *cut;

    if (ngx_http_mntreamer_cuts.next == NULL) {
        return;
    }

    while (!ngx_queue_empty(&ngx_http_mntreamer_cuts)) {
        q = ngx_queue_head(&ngx_http_mntreamer_cuts);
        cut = ngx_queue_data(q, ngx_http_mntreamer_cut_t, queue);

        while (!ngx_queue_empty(&cut->waiters)) {
            w = ngx_queue_head(&cut->waiters);
            ngx_queue_remove(w);
            ngx_queue_init(w);
        }

        ngx_http_mntreamer_cut_destroy(cut);
    }
}


ngx_int_t
ngx_http_mntreamer_cut(ngx_http_request_t *r, ngx_str_t *path,
    ngx_file_t *file, ngx_file_info_t *fi, ngx_chain_t **out)
{
    ngx_fd_t                          spans;
    ngx_int_t                         rc;
    ngx_file_info_t                   sfi;
    ngx_http_mntreamer_ctx_t         *ctx;
    ngx_http_mntreamer_cut_t         *cut;
    ngx_http_mntreamer_cut_stamp_t    a, b;
    ngx_http_mntreamer_cut_waiter_t  *w;

    spans = ngx_http_mntreamer_cut_open(path, &sfi);

    if (spans == NGX_INVALID_FILE) {

        if (ngx_errno == NGX_ENOENT || ngx_errno == NGX_ENOTDIR) {
            return NGX_DECLINED;
        }

        ngx_log_error(NGX_LOG_CRIT, r->connection->log, ngx_errno,
                      "open \"" NGX_MNTREAMER_CUTS "\" beside \"%V\" failed",
                      path);

        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ctx = ngx_http_mntreamer_ctx(r);
    cut = ngx_http_mntreamer_cut_get(path, r->connection->log);

    if (ctx == NULL || cut == NULL) {
        (void) ngx_close_file(spans);
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ngx_http_mntreamer_cut_stamp(fi, &a);
    ngx_http_mntreamer_cut_stamp(&sfi, &b);

    w = ctx->cut;

    if (cut->known && ((w && w->waited)
                       || (ngx_http_mntreamer_cut_same(&a, &cut->playlist)
                           && ngx_http_mntreamer_cut_same(&b, &cut->spans))))
    {
        (void) ngx_close_file(spans);
        return ngx_http_mntreamer_cut_send(r, cut, out);
    }

    if (cut->failed && w && w->waited) {
        (void) ngx_close_file(spans);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (cut->job == NULL) {
        rc = ngx_http_mntreamer_cut_load(r, cut, file->fd, spans, fi, &sfi);

        if (rc != NGX_OK) {
            return rc;
        }

    } else {
        (void) ngx_close_file(spans);
    }

    ngx_pool_run_cleanup_file(r->pool, file->fd);

    return ngx_http_mntreamer_cut_wait(r, cut);
}


static ngx_fd_t
ngx_http_mntreamer_cut_open(ngx_str_t *path, ngx_file_info_t *fi)
{
    u_char     buf[MNT_LAYOUT_MAX + sizeof(NGX_MNTREAMER_CUTS) + 1];
    size_t     len;
    ngx_str_t  name;

    for (len = path->len; len && path->data[len - 1] != '/'; len--) {
        /* void */
    }

    if (len + sizeof(NGX_MNTREAMER_CUTS) > sizeof(buf)) {
        ngx_set_errno(NGX_ENOENT);
        return NGX_INVALID_FILE;
    }

    name.data = buf;
    name.len = ngx_cpymem(ngx_cpymem(buf, path->data, len), NGX_MNTREAMER_CUTS,
                          sizeof(NGX_MNTREAMER_CUTS) - 1)
               - buf;

    return ngx_mntreamer_storage_open_file(ngx_http_mntreamer_env()->storage,
                                           &name, fi);
}


static ngx_http_mntreamer_cut_t *
ngx_http_mntreamer_cut_get(ngx_str_t *path, ngx_log_t *log)
{
    ngx_queue_t               *q;
    ngx_http_mntreamer_cut_t  *cut;

    for (q = ngx_queue_head(&ngx_http_mntreamer_cuts);
         q != ngx_queue_sentinel(&ngx_http_mntreamer_cuts);
         q = ngx_queue_next(q))
    {
        cut = ngx_queue_data(q, ngx_http_mntreamer_cut_t, queue);

        if (cut->path.len == path->len
            && ngx_memcmp(cut->path.data, path->data, path->len) == 0)
        {
            ngx_queue_remove(q);
            ngx_queue_insert_head(&ngx_http_mntreamer_cuts, q);

            return cut;
        }
    }

    ngx_http_mntreamer_cut_evict(NULL);

    if (ngx_http_mntreamer_ncuts >= NGX_HTTP_MNTREAMER_CUT_FILES) {
        return NULL;
    }

    cut = ngx_calloc(sizeof(ngx_http_mntreamer_cut_t) + path->len, log);
    if (cut == NULL) {
        return NULL;
    }

    cut->path.data = (u_char *) (cut + 1);
    cut->path.len = path->len;
    ngx_memcpy(cut->path.data, path->data, path->len);

    mnt_hls_live_init(&cut->live);
    ngx_queue_init(&cut->waiters);

    ngx_queue_insert_head(&ngx_http_mntreamer_cuts, &cut->queue);
    ngx_http_mntreamer_ncuts++;

    return cut;
}


/* those that were not asked for for longest and that nobody waits for */

static void
ngx_http_mntreamer_cut_evict(ngx_http_mntreamer_cut_t *keep)
{
    ngx_queue_t               *q, *prev;
    ngx_http_mntreamer_cut_t  *cut;

    for (q = ngx_queue_last(&ngx_http_mntreamer_cuts);
         q != ngx_queue_sentinel(&ngx_http_mntreamer_cuts);
         q = prev)
    {
        prev = ngx_queue_prev(q);
        cut = ngx_queue_data(q, ngx_http_mntreamer_cut_t, queue);

        if (ngx_http_mntreamer_ncuts < NGX_HTTP_MNTREAMER_CUT_FILES
            && ngx_http_mntreamer_cut_bytes <= NGX_HTTP_MNTREAMER_CUT_KEEP)
        {
            return;
        }

        if (cut != keep && cut->job == NULL && ngx_queue_empty(&cut->waiters))
        {
            ngx_http_mntreamer_cut_destroy(cut);
        }
    }
}


static void
ngx_http_mntreamer_cut_destroy(ngx_http_mntreamer_cut_t *cut)
{
    ngx_http_mntreamer_cut_reset(cut);

    if (cut->job) {
        cut->job->cut = NULL;
    }

    ngx_queue_remove(&cut->queue);
    ngx_http_mntreamer_ncuts--;

    ngx_free(cut);
}


/* what is being sent is a reference of the request's own */

static void
ngx_http_mntreamer_cut_reset(ngx_http_mntreamer_cut_t *cut)
{
    if (cut->text) {
        ngx_http_mntreamer_cut_bytes -= cut->text->len;
        ngx_http_mntreamer_view_release(cut->text);
        cut->text = NULL;
    }

    mnt_hls_live_free(&cut->live);

    cut->known = 0;
    cut->failed = 0;
}


static void
ngx_http_mntreamer_cut_stamp(ngx_file_info_t *fi,
    ngx_http_mntreamer_cut_stamp_t *stamp)
{
    stamp->ino = fi->st_ino;
    stamp->dev = fi->st_dev;
    stamp->size = fi->st_size;
    stamp->changed = fi->st_ctim;
}


static ngx_uint_t
ngx_http_mntreamer_cut_same(const ngx_http_mntreamer_cut_stamp_t *a,
    const ngx_http_mntreamer_cut_stamp_t *b)
{
    return a->ino == b->ino && a->dev == b->dev && a->size == b->size
           && a->changed.tv_sec == b->changed.tv_sec
           && a->changed.tv_nsec == b->changed.tv_nsec;
}


/* takes "spans" over; NGX_OK: it will be known */

static ngx_int_t
ngx_http_mntreamer_cut_load(ngx_http_request_t *r,
    ngx_http_mntreamer_cut_t *cut, ngx_fd_t fd, ngx_fd_t spans,
    ngx_file_info_t *fi, ngx_file_info_t *sfi)
{
    ngx_http_mntreamer_cut_job_t    *job;
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    job = ngx_calloc(sizeof(ngx_http_mntreamer_cut_job_t), r->connection->log);

    if (job == NULL) {
        (void) ngx_close_file(spans);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    job->cut = cut;
    job->spans_fd = spans;
    job->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    ngx_http_mntreamer_cut_stamp(fi, &job->playlist);
    ngx_http_mntreamer_cut_stamp(sfi, &job->spans);

    mnt_hls_live_init(&job->live);

    if (job->fd == NGX_INVALID_FILE || env->offload == NULL
        || ngx_mntreamer_offload_post(env->offload,
                                      ngx_http_mntreamer_cut_work,
                                      ngx_http_mntreamer_cut_done, job)
           != NGX_OK)
    {
        if (job->fd != NGX_INVALID_FILE) {
            (void) ngx_close_file(job->fd);
        }

        (void) ngx_close_file(spans);
        ngx_free(job);

        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    cut->job = job;

    return NGX_OK;
}


/* in a thread */

static void
ngx_http_mntreamer_cut_work(void *data)
{
    ngx_http_mntreamer_cut_job_t *job = data;

    char            *spans, *playlist;
    mnt_str_t        text;
    mnt_hls_cuts_t   cuts;

    if (job->playlist.size > NGX_HTTP_MNTREAMER_CUT_MAX
        || job->spans.size > NGX_HTTP_MNTREAMER_CUT_MAX)
    {
        job->failed = "too large";
        return;
    }

    spans = ngx_http_mntreamer_cut_read(job->spans_fd, job->spans.size, &text);

    if (spans == NULL || mnt_hls_cuts_read(&cuts, text) != 0) {
        job->failed = spans ? "broken" : "not readable";
        free(spans);
        return;
    }

    free(spans);

    playlist = ngx_http_mntreamer_cut_read(job->fd, job->playlist.size, &text);

    if (playlist == NULL) {
        job->failed = "not readable";

    } else if (cuts.n) {
        ngx_http_mntreamer_cut_make(job, &cuts, text);
    }

    free(playlist);
    mnt_hls_cuts_free(&cuts);
}


static char *
ngx_http_mntreamer_cut_read(ngx_fd_t fd, off_t size, mnt_str_t *text)
{
    char  *p;

    p = malloc((size_t) size + 1);

    if (p == NULL) {
        return NULL;
    }

    if (ngx_http_mntreamer_view_pread(fd, p, (size_t) size, 0) != NGX_OK) {
        free(p);
        return NULL;
    }

    text->data = p;
    text->len = (size_t) size;

    return p;
}


static void
ngx_http_mntreamer_cut_make(ngx_http_mntreamer_cut_job_t *job,
    const mnt_hls_cuts_t *cuts, mnt_str_t playlist)
{
    size_t                           len, size;
    mnt_str_t                        shown;
    mnt_hls_cut_t                    cut;
    ngx_http_mntreamer_view_text_t  *text;

    size = playlist.len + cuts->n * MNT_HLS_CUT_HOLE + 1;

    text = malloc(sizeof(ngx_http_mntreamer_view_text_t) + size);

    if (text == NULL) {
        job->failed = "too large";
        return;
    }

    len = mnt_hls_cut(cuts, playlist, (char *) text->data, size, &cut);

    if (cut.foreign || len >= size) {
        free(text);

        /* a multivariant one has nothing that could be left out */

        if (memmem(playlist.data, playlist.len, "\n#EXT-X-STREAM-INF:", 19)
            == NULL)
        {
            job->failed = "not one of ours";
        }

        return;
    }

    shown.data = (char *) text->data;
    shown.len = len;

    if (mnt_hls_live_read(&job->live, shown) != 0) {
        mnt_hls_live_free(&job->live);
        job->failed = "too large";
        free(text);
        return;
    }

    /* nobody can wait for what comes: no promise in a window (_live_head()) */

    job->live.ended = 1;

    text->refs = 1;
    text->len = len;

    job->text = text;
}


static void
ngx_http_mntreamer_cut_done(void *data)
{
    ngx_http_mntreamer_cut_job_t *job = data;

    ngx_queue_t                waiters;
    ngx_http_mntreamer_cut_t  *cut;

    (void) ngx_close_file(job->fd);
    (void) ngx_close_file(job->spans_fd);

    cut = job->cut;

    if (cut == NULL) {
        if (job->text) {
            ngx_http_mntreamer_view_release(job->text);
        }

        mnt_hls_live_free(&job->live);
        ngx_free(job);
        return;
    }

    cut->job = NULL;

    ngx_http_mntreamer_cut_reset(cut);

    if (job->failed) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "\"%V\" and \"" NGX_MNTREAMER_CUTS "\" beside it: %s",
                      &cut->path, job->failed);
        cut->failed = 1;

    } else {
        cut->playlist = job->playlist;
        cut->spans = job->spans;
        cut->text = job->text;
        cut->live = job->live;
        cut->known = 1;

        ngx_http_mntreamer_cut_bytes += cut->text ? cut->text->len : 0;
    }

    ngx_free(job);

    ngx_queue_init(&waiters);

    if (!ngx_queue_empty(&cut->waiters)) {
        ngx_queue_add(&waiters, &cut->waiters);
        ngx_queue_init(&cut->waiters);
    }

    ngx_http_mntreamer_cut_evict(cut);
    ngx_http_mntreamer_cut_wake(&waiters);
}


static ngx_int_t
ngx_http_mntreamer_cut_wait(ngx_http_request_t *r,
    ngx_http_mntreamer_cut_t *cut)
{
    ngx_http_mntreamer_ctx_t         *ctx;
    ngx_http_mntreamer_cut_waiter_t  *w;

    ctx = ngx_http_mntreamer_ctx(r);

    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    w = ctx->cut;

    if (w == NULL) {
        w = ngx_pcalloc(r->pool, sizeof(ngx_http_mntreamer_cut_waiter_t));
        if (w == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        w->request = r;
        w->ctx = ctx;
        ctx->cut = w;
    }

    ngx_queue_insert_tail(&cut->waiters, &w->queue);

    ctx->data = w;
    ctx->cancel = ngx_http_mntreamer_cut_cancel;

    return ngx_http_mntreamer_hold(r, ctx);
}


static void
ngx_http_mntreamer_cut_cancel(void *data)
{
    ngx_http_mntreamer_cut_waiter_t *w = data;

    ngx_queue_remove(&w->queue);
    ngx_queue_init(&w->queue);
}


/* one that goes on may end others, which take themselves off */

static void
ngx_http_mntreamer_cut_wake(ngx_queue_t *waiters)
{
    ngx_queue_t                      *q;
    ngx_http_request_t               *r;
    ngx_http_mntreamer_cut_waiter_t  *w;

    while (!ngx_queue_empty(waiters)) {
        q = ngx_queue_head(waiters);
        w = ngx_queue_data(q, ngx_http_mntreamer_cut_waiter_t, queue);

        ngx_queue_remove(q);

        w->waited = 1;
        w->ctx->cancel = NULL;
        r = w->request;

        ngx_http_mntreamer_resume(r, ngx_http_mntreamer_recordings_handler(r));
    }
}


static ngx_int_t
ngx_http_mntreamer_cut_send(ngx_http_request_t *r,
    ngx_http_mntreamer_cut_t *cut, ngx_chain_t **out)
{
    ngx_int_t                        rc;
    ngx_pool_cleanup_t              *cln;
    ngx_http_mntreamer_view_wish_t   wish;

    if (cut->text == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_http_mntreamer_view_wish(r, &wish) != NGX_OK) {
        return NGX_HTTP_BAD_REQUEST;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cut->text->refs++;

    cln->handler = ngx_http_mntreamer_view_sent;
    cln->data = cut->text;

    rc = NGX_DECLINED;

    if (wish.window_s && mnt_hls_live_shown(&cut->live)) {
        rc = ngx_http_mntreamer_cut_window(r, cut, &wish, out);

    } else {
        wish.window_s = 0;
    }

    if (rc == NGX_DECLINED) {
        *out = ngx_http_mntreamer_view_chain(r, cut->text->data,
                                             cut->text->len);
        rc = *out ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return (rc == NGX_OK) ? ngx_http_mntreamer_cut_etag(r, cut, &wish) : rc;
}


static ngx_int_t
ngx_http_mntreamer_cut_window(ngx_http_request_t *r,
    ngx_http_mntreamer_cut_t *cut, const ngx_http_mntreamer_view_wish_t *wish,
    ngx_chain_t **out)
{
    size_t                 len, size;
    u_char                *p;
    int64_t                span_us;
    mnt_str_t              text, map;
    mnt_hls_mark_t         first;
    const mnt_hls_mark_t  *mark;

    span_us = ngx_http_mntreamer_view_window_s(wish, &cut->live) * 1000000;

    mark = mnt_hls_live_mark(&cut->live, span_us);

    text.data = (char *) cut->text->data + mark->offset;
    text.len = cut->text->len - (size_t) mark->offset;

    mnt_hls_live_first(&cut->live, mark, text, span_us, &first);

    map.data = (char *) cut->text->data + first.map_offset;
    map.len = first.map_len;

    size = MNT_HLS_LIVE_HEAD + map.len;
    p = ngx_pnalloc(r->pool, size);

    if (p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    len = mnt_hls_live_head(&cut->live, MNT_HLS_VIEW_WINDOW, &first, map,
                            (char *) p, size);

    *out = ngx_http_mntreamer_view_chain(r, p, len);

    if (*out == NULL || len >= size) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (*out)->next = ngx_http_mntreamer_view_chain(r,
                                          cut->text->data + first.offset,
                                          cut->text->len - first.offset);

    return (*out)->next ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/* there is no Last-Modified: two files make it, and a second is long */

static ngx_int_t
ngx_http_mntreamer_cut_etag(ngx_http_request_t *r,
    const ngx_http_mntreamer_cut_t *cut,
    const ngx_http_mntreamer_view_wish_t *wish)
{
    u_char           *p;
    ngx_table_elt_t  *etag;

    p = ngx_pnalloc(r->pool, 6 * NGX_INT64_LEN);
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
    etag->value.len = (size_t) (ngx_sprintf(p, "\"%xL-%xO-%xL-%xL-%xL-%ui\"",
                                   (int64_t) cut->playlist.ino,
                                   cut->playlist.size,
                                   (int64_t) cut->playlist.changed.tv_sec,
                                   (int64_t) cut->spans.changed.tv_sec,
                                   (int64_t) cut->spans.changed.tv_nsec,
                                   wish->window_s)
                                - p);

#if (nginx_version >= 1023000)
    etag->next = NULL;
#endif

    r->headers_out.etag = etag;
    r->headers_out.last_modified_time = -1;

    return NGX_OK;
}
