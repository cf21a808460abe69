
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Playlists of recordings in progress.  A player that reloads one asks for
 * what it does not know: "_HLS_skip" leaves out the rest (rfc8216bis 6.2.5.1),
 * "_HLS_msn" waits for a segment (6.2.5.2), "window" shows the last seconds
 * only.  What a worker knows of such a playlist is shared by all who ask it.
 *
 *     state      entered by     waits for                deadline     then
 *     LOADING    first request  thread: a long playlist  -            again
 *     BLOCKED    "_HLS_msn"     the file has it          3 targets    again
 *
 * "Again" is the handler of the location, which opens the file anew; after the
 * deadline it sends what there is.  When the client leaves its request leaves
 * the list.  A timer looks at the files that somebody waits for.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../hls/mnt_hls_live.h"
#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_VIEWS       256
#define NGX_HTTP_MNTREAMER_VIEW_HASH   64
#define NGX_HTTP_MNTREAMER_VIEW_TEXTS  2
#define NGX_HTTP_MNTREAMER_VIEW_KEEP   16384     /* bytes of a text */
#define NGX_HTTP_MNTREAMER_VIEW_INLINE 65536     /* read at once; else in a
                                                    thread */
#define NGX_HTTP_MNTREAMER_VIEW_MAX    (64 * 1024 * 1024)
#define NGX_HTTP_MNTREAMER_VIEW_SEAM   96        /* bytes compared */
#define NGX_HTTP_MNTREAMER_VIEW_MAP    1024      /* of an EXT-X-MAP line */
#define NGX_HTTP_MNTREAMER_VIEW_LOOK   100       /* ms */
#define NGX_HTTP_MNTREAMER_VIEW_WINDOW 3600      /* s */
#define NGX_HTTP_MNTREAMER_VIEW_AHEAD  2         /* segments, 6.2.5.2 */
#define NGX_HTTP_MNTREAMER_VIEW_NEVER  ((uint64_t) -1)


/* a text that was made once; freed by the last who sends it */

typedef struct {
    ngx_uint_t                    refs;
    size_t                        len;
    u_char                        data[];
} ngx_http_mntreamer_view_text_t;

typedef struct {
    mnt_hls_view_e                   view;
    int64_t                          span_us;
    uint64_t                         offset;  /* end of the playlist then */
    ngx_http_mntreamer_view_text_t  *text;    /* a reference; NULL: free */
} ngx_http_mntreamer_view_slot_t;

typedef struct {
    ngx_queue_t                      queue;   /* used last: first */
    ngx_queue_t                      bucket;
    ngx_str_t                        path;    /* behind the struct */
    ino_t                            ino;
    dev_t                            dev;
    mnt_hls_live_t                   live;
    u_char                           seam[NGX_HTTP_MNTREAMER_VIEW_SEAM];
    size_t                           seam_len;   /* in front of live.at */
    ngx_http_mntreamer_view_slot_t   slots[NGX_HTTP_MNTREAMER_VIEW_TEXTS];
    ngx_uint_t                       slot;    /* the next to be used */
    ngx_queue_t                      waiters;
    unsigned                         loading:1;
} ngx_http_mntreamer_view_t;

typedef struct {
    ngx_queue_t                      queue;
    ngx_http_request_t              *request;  /* alias */
    ngx_fd_t                         fd;       /* alias, of the request */
    uint64_t                         msn;      /* _NEVER: it is loaded */
    ngx_msec_t                       until;
    unsigned                         late:1;   /* "until" has passed */
} ngx_http_mntreamer_view_waiter_t;

/* what a request wants */

typedef struct {
    mnt_hls_view_e                   view;
    int64_t                          span_us;  /* of a window */
    uint64_t                         msn;      /* _NEVER: whatever there is */
    ngx_str_t                        window;   /* as written */
} ngx_http_mntreamer_view_wish_t;

/* the first reading of a long playlist */

typedef struct {
    ngx_http_mntreamer_view_t       *view;     /* alias */
    ngx_fd_t                         fd;       /* owned */
    off_t                            size;
    mnt_hls_live_t                   live;     /* the thread's */
    u_char                           seam[NGX_HTTP_MNTREAMER_VIEW_SEAM];
    size_t                           seam_len;
    ngx_uint_t                       failed;
} ngx_http_mntreamer_view_job_t;


static ngx_int_t ngx_http_mntreamer_view_wish(ngx_http_request_t *r,
    ngx_http_mntreamer_view_wish_t *wish);
static ngx_http_mntreamer_view_t *ngx_http_mntreamer_view_get(ngx_str_t *path,
    ngx_file_info_t *fi, ngx_log_t *log);
static ngx_http_mntreamer_view_t *ngx_http_mntreamer_view_create(
    ngx_str_t *path, ngx_queue_t *bucket, ngx_log_t *log);
static void ngx_http_mntreamer_view_evict(void);
static void ngx_http_mntreamer_view_destroy(ngx_http_mntreamer_view_t *v);
static void ngx_http_mntreamer_view_reset(ngx_http_mntreamer_view_t *v);
static void ngx_http_mntreamer_view_release(
    ngx_http_mntreamer_view_text_t *text);
static ngx_int_t ngx_http_mntreamer_view_read(ngx_http_mntreamer_view_t *v,
    ngx_fd_t fd, off_t size, ngx_log_t *log);
static size_t ngx_http_mntreamer_view_seam(mnt_hls_live_t *live,
    mnt_str_t text, uint64_t base, u_char *seam, size_t len);
static ngx_int_t ngx_http_mntreamer_view_load(ngx_http_mntreamer_view_t *v,
    ngx_fd_t fd, off_t size, ngx_log_t *log);
static void ngx_http_mntreamer_view_load_work(void *data);
static void ngx_http_mntreamer_view_loaded(void *data);
static ngx_int_t ngx_http_mntreamer_view_wait(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_fd_t fd, uint64_t msn);
static void ngx_http_mntreamer_view_cancel(void *data);
static void ngx_http_mntreamer_view_look(ngx_event_t *ev);
static ngx_uint_t ngx_http_mntreamer_view_looked(
    ngx_http_mntreamer_view_t *v);
static void ngx_http_mntreamer_view_wake(ngx_http_mntreamer_view_t *v,
    ngx_uint_t all);
static ngx_uint_t ngx_http_mntreamer_view_has(ngx_http_mntreamer_view_t *v,
    uint64_t msn);
static ngx_int_t ngx_http_mntreamer_view_send(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_file_t *file,
    ngx_http_mntreamer_view_wish_t *wish, ngx_chain_t *out);
static ngx_int_t ngx_http_mntreamer_view_whole(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_file_t *file, ngx_chain_t *out);
static ngx_int_t ngx_http_mntreamer_view_part(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_file_t *file, mnt_hls_view_e view,
    int64_t span_us, ngx_chain_t *out);
static ngx_http_mntreamer_view_text_t *ngx_http_mntreamer_view_text(
    ngx_http_mntreamer_view_t *v, ngx_fd_t fd, mnt_hls_view_e view,
    int64_t span_us, ngx_log_t *log);
static ngx_http_mntreamer_view_text_t *ngx_http_mntreamer_view_write(
    ngx_http_mntreamer_view_t *v, ngx_fd_t fd, mnt_hls_view_e view,
    const mnt_hls_mark_t *first, mnt_str_t entries, ngx_log_t *log);
static void ngx_http_mntreamer_view_sent(void *data);
static ngx_int_t ngx_http_mntreamer_view_variants(ngx_http_request_t *r,
    ngx_file_t *file, off_t size, ngx_str_t *window, ngx_chain_t *out);
static ngx_int_t ngx_http_mntreamer_view_pread(ngx_fd_t fd, void *buf,
    size_t len, uint64_t offset);
static ngx_buf_t *ngx_http_mntreamer_view_buf(ngx_http_request_t *r,
    u_char *p, size_t len);


static ngx_queue_t  ngx_http_mntreamer_views;         /* all; used last: first */
static ngx_queue_t  ngx_http_mntreamer_view_buckets[
                                              NGX_HTTP_MNTREAMER_VIEW_HASH];
static ngx_uint_t   ngx_http_mntreamer_nviews;
static ngx_event_t  ngx_http_mntreamer_view_timer;
static ngx_mntreamer_ident_t  ngx_http_mntreamer_view_ident;


void
ngx_http_mntreamer_view_start(ngx_log_t *log)
{
    ngx_uint_t    i;
    ngx_event_t  *ev;

    ngx_queue_init(&ngx_http_mntreamer_views);

    for (i = 0; i < NGX_HTTP_MNTREAMER_VIEW_HASH; i++) {
        ngx_queue_init(&ngx_http_mntreamer_view_buckets[i]);
    }

    ngx_http_mntreamer_view_ident.fd = (ngx_socket_t) -1;

    ev = &ngx_http_mntreamer_view_timer;

    ev->handler = ngx_http_mntreamer_view_look;
    ev->data = &ngx_http_mntreamer_view_ident;
    ev->log = log;
}


void
ngx_http_mntreamer_view_stop(void)
{
    ngx_queue_t                *q;
    ngx_http_mntreamer_view_t  *v;

    if (ngx_http_mntreamer_views.next == NULL) {
        return;
    }

    if (ngx_http_mntreamer_view_timer.timer_set) {
        ngx_del_timer(&ngx_http_mntreamer_view_timer);
    }

    while (!ngx_queue_empty(&ngx_http_mntreamer_views)) {
        q = ngx_queue_head(&ngx_http_mntreamer_views);
        v = ngx_queue_data(q, ngx_http_mntreamer_view_t, queue);
        ngx_http_mntreamer_view_destroy(v);
    }
}


ngx_int_t
ngx_http_mntreamer_view(ngx_http_request_t *r, ngx_str_t *path,
    ngx_file_t *file, ngx_file_info_t *fi, ngx_chain_t *out)
{
    ngx_int_t                        rc;
    ngx_http_mntreamer_view_t       *v;
    ngx_http_mntreamer_view_wish_t   wish;

    if (ngx_http_mntreamer_view_wish(r, &wish) != NGX_OK) {
        return NGX_HTTP_BAD_REQUEST;
    }

    v = ngx_http_mntreamer_view_get(path, fi, r->connection->log);
    if (v == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_http_mntreamer_view_read(v, file->fd, ngx_file_size(fi),
                                      r->connection->log);

    if (rc == NGX_AGAIN) {
        return ngx_http_mntreamer_view_wait(r, v, file->fd,
                                            NGX_HTTP_MNTREAMER_VIEW_NEVER);
    }

    if (rc != NGX_OK) {
        return NGX_DECLINED;
    }

    if (v->live.foreign && wish.window.len) {
        return ngx_http_mntreamer_view_variants(r, file, ngx_file_size(fi),
                                                &wish.window, out);
    }

    if (v->live.foreign || v->live.ended || v->live.n == 0
        || v->live.target_s == 0)
    {
        return NGX_DECLINED;
    }

    if (!ngx_http_mntreamer_view_has(v, wish.msn)) {

        if (wish.msn > v->live.sequence + v->live.at.entries - 1
                       + NGX_HTTP_MNTREAMER_VIEW_AHEAD)
        {
            return NGX_HTTP_BAD_REQUEST;
        }

        rc = ngx_http_mntreamer_view_wait(r, v, file->fd, wish.msn);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_http_mntreamer_view_send(r, v, file, &wish, out);
}


/* other parameters are of others: a signature, a player's own */

static ngx_int_t
ngx_http_mntreamer_view_wish(ngx_http_request_t *r,
    ngx_http_mntreamer_view_wish_t *wish)
{
    ngx_int_t  n;
    ngx_str_t  value;

    ngx_memzero(wish, sizeof(ngx_http_mntreamer_view_wish_t));

    wish->msn = NGX_HTTP_MNTREAMER_VIEW_NEVER;

    if (ngx_http_arg(r, (u_char *) "window", 6, &wish->window) == NGX_OK) {

        n = ngx_atoi(wish->window.data, wish->window.len);

        if (n < 1 || n > NGX_HTTP_MNTREAMER_VIEW_WINDOW) {
            return NGX_ERROR;
        }

        wish->view = MNT_HLS_VIEW_WINDOW;
        wish->span_us = (int64_t) n * 1000000;
    }

    if (ngx_http_arg(r, (u_char *) "_HLS_msn", 8, &value) == NGX_OK) {

        n = ngx_atoi(value.data, value.len);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        wish->msn = (uint64_t) n;
    }

    /* of a window there is little to leave out */

    if (wish->window.len == 0
        && ngx_http_arg(r, (u_char *) "_HLS_skip", 9, &value) == NGX_OK)
    {
        if ((value.len != 3 || ngx_memcmp(value.data, "YES", 3) != 0)
            && (value.len != 2 || ngx_memcmp(value.data, "v2", 2) != 0))
        {
            return NGX_ERROR;
        }

        wish->view = MNT_HLS_VIEW_DELTA;
    }

    return NGX_OK;
}


static ngx_http_mntreamer_view_t *
ngx_http_mntreamer_view_get(ngx_str_t *path, ngx_file_info_t *fi,
    ngx_log_t *log)
{
    ngx_queue_t                *q, *bucket;
    ngx_http_mntreamer_view_t  *v;

    bucket = &ngx_http_mntreamer_view_buckets[
                                    ngx_crc32_long(path->data, path->len)
                                    % NGX_HTTP_MNTREAMER_VIEW_HASH];

    for (q = ngx_queue_head(bucket); q != bucket; q = ngx_queue_next(q)) {

        v = ngx_queue_data(q, ngx_http_mntreamer_view_t, bucket);

        if (v->path.len == path->len
            && ngx_memcmp(v->path.data, path->data, path->len) == 0)
        {
            ngx_queue_remove(&v->queue);
            ngx_queue_insert_head(&ngx_http_mntreamer_views, &v->queue);
            goto found;
        }
    }

    v = ngx_http_mntreamer_view_create(path, bucket, log);
    if (v == NULL) {
        return NULL;
    }

found:

    /* a playlist that was written anew has other entries */

    if (!v->loading && (v->ino != fi->st_ino || v->dev != fi->st_dev
                        || v->live.at.offset > (uint64_t) fi->st_size))
    {
        ngx_http_mntreamer_view_reset(v);
        v->ino = fi->st_ino;
        v->dev = fi->st_dev;
    }

    return v;
}


static ngx_http_mntreamer_view_t *
ngx_http_mntreamer_view_create(ngx_str_t *path, ngx_queue_t *bucket,
    ngx_log_t *log)
{
    ngx_http_mntreamer_view_t  *v;

    if (ngx_http_mntreamer_nviews >= NGX_HTTP_MNTREAMER_VIEWS) {
        ngx_http_mntreamer_view_evict();
    }

    /* each of them is waited for */

    if (ngx_http_mntreamer_nviews >= NGX_HTTP_MNTREAMER_VIEWS) {
        return NULL;
    }

    v = ngx_calloc(sizeof(ngx_http_mntreamer_view_t) + path->len, log);
    if (v == NULL) {
        return NULL;
    }

    v->path.data = (u_char *) v + sizeof(ngx_http_mntreamer_view_t);
    v->path.len = path->len;
    ngx_memcpy(v->path.data, path->data, path->len);

    mnt_hls_live_init(&v->live);
    ngx_queue_init(&v->waiters);

    ngx_queue_insert_head(&ngx_http_mntreamer_views, &v->queue);
    ngx_queue_insert_head(bucket, &v->bucket);
    ngx_http_mntreamer_nviews++;

    return v;
}


static void
ngx_http_mntreamer_view_evict(void)
{
    ngx_queue_t                *q;
    ngx_http_mntreamer_view_t  *v;

    for (q = ngx_queue_last(&ngx_http_mntreamer_views);
         q != ngx_queue_sentinel(&ngx_http_mntreamer_views);
         q = ngx_queue_prev(q))
    {
        v = ngx_queue_data(q, ngx_http_mntreamer_view_t, queue);

        if (!v->loading && ngx_queue_empty(&v->waiters)) {
            ngx_http_mntreamer_view_destroy(v);
            return;
        }
    }
}


static void
ngx_http_mntreamer_view_destroy(ngx_http_mntreamer_view_t *v)
{
    ngx_http_mntreamer_view_reset(v);

    ngx_queue_remove(&v->queue);
    ngx_queue_remove(&v->bucket);
    ngx_http_mntreamer_nviews--;

    ngx_free(v);
}


static void
ngx_http_mntreamer_view_reset(ngx_http_mntreamer_view_t *v)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_MNTREAMER_VIEW_TEXTS; i++) {
        if (v->slots[i].text) {
            ngx_http_mntreamer_view_release(v->slots[i].text);
            v->slots[i].text = NULL;
        }
    }

    mnt_hls_live_free(&v->live);
    v->seam_len = 0;
}


static void
ngx_http_mntreamer_view_release(ngx_http_mntreamer_view_text_t *text)
{
    if (--text->refs == 0) {
        ngx_free(text);
    }
}


/*
 * Takes what came behind the part that is known; NGX_AGAIN: a thread does so.
 * The number of a file is given again when it is gone: the end of what is
 * known must still be there.
 */

static ngx_int_t
ngx_http_mntreamer_view_read(ngx_http_mntreamer_view_t *v, ngx_fd_t fd,
    off_t size, ngx_log_t *log)
{
    u_char     *buf;
    size_t      len;
    uint64_t    from;
    mnt_str_t   text;

    if (v->loading) {
        return NGX_AGAIN;
    }

    if ((uint64_t) size == v->live.at.offset || v->live.foreign) {
        return NGX_OK;
    }

    from = v->live.at.offset - v->seam_len;
    len = (size_t) ((uint64_t) size - from);

    if (len > NGX_HTTP_MNTREAMER_VIEW_INLINE) {
        return ngx_http_mntreamer_view_load(v, fd, size, log);
    }

    buf = ngx_alloc(len, log);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_mntreamer_view_pread(fd, buf, len, from) != NGX_OK) {
        ngx_free(buf);
        return NGX_ERROR;
    }

    if (ngx_memcmp(buf, v->seam, v->seam_len) != 0) {
        ngx_free(buf);
        ngx_http_mntreamer_view_reset(v);
        return ngx_http_mntreamer_view_read(v, fd, size, log);
    }

    text.data = (char *) buf + v->seam_len;
    text.len = len - v->seam_len;

    if (mnt_hls_live_read(&v->live, text) != 0) {
        ngx_free(buf);
        ngx_http_mntreamer_view_reset(v);
        return NGX_ERROR;
    }

    text.data = (char *) buf;
    text.len = len;

    v->seam_len = ngx_http_mntreamer_view_seam(&v->live, text, from, v->seam,
                                               v->seam_len);
    ngx_free(buf);

    return NGX_OK;
}


/* the last bytes of what is taken; "text" begins at "base" of the file */

static size_t
ngx_http_mntreamer_view_seam(mnt_hls_live_t *live, mnt_str_t text,
    uint64_t base, u_char *seam, size_t len)
{
    size_t  taken;

    taken = (size_t) (live->at.offset - base);

    if (taken == 0) {
        return 0;
    }

    len = ngx_min(taken, NGX_HTTP_MNTREAMER_VIEW_SEAM);
    ngx_memcpy(seam, text.data + taken - len, len);

    return len;
}


static ngx_int_t
ngx_http_mntreamer_view_load(ngx_http_mntreamer_view_t *v, ngx_fd_t fd,
    off_t size, ngx_log_t *log)
{
    ngx_http_mntreamer_view_job_t   *job;
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    if (env->offload == NULL || size > NGX_HTTP_MNTREAMER_VIEW_MAX) {
        return NGX_ERROR;
    }

    job = ngx_calloc(sizeof(ngx_http_mntreamer_view_job_t), log);
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->view = v;
    job->size = size;
    job->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    mnt_hls_live_init(&job->live);

    if (job->fd == -1
        || ngx_mntreamer_offload_post(env->offload,
                                      ngx_http_mntreamer_view_load_work,
                                      ngx_http_mntreamer_view_loaded, job)
           != NGX_OK)
    {
        if (job->fd != -1) {
            (void) ngx_close_file(job->fd);
        }

        ngx_free(job);
        return NGX_ERROR;
    }

    v->loading = 1;

    return NGX_AGAIN;
}


/* in a thread */

static void
ngx_http_mntreamer_view_load_work(void *data)
{
    ngx_http_mntreamer_view_job_t *job = data;

    mnt_str_t  text;
    char      *buf;

    buf = malloc((size_t) job->size);

    if (buf == NULL
        || ngx_http_mntreamer_view_pread(job->fd, buf, (size_t) job->size, 0)
           != NGX_OK)
    {
        job->failed = 1;
        free(buf);
        return;
    }

    text.data = buf;
    text.len = (size_t) job->size;

    job->failed = (mnt_hls_live_read(&job->live, text) != 0);
    job->seam_len = ngx_http_mntreamer_view_seam(&job->live, text, 0,
                                                 job->seam, 0);
    free(buf);
}


static void
ngx_http_mntreamer_view_loaded(void *data)
{
    ngx_http_mntreamer_view_job_t *job = data;

    ngx_http_mntreamer_view_t  *v;

    v = job->view;
    v->loading = 0;

    ngx_http_mntreamer_view_reset(v);

    /* what could not be read has no views until its file is another one */

    v->live = job->live;
    v->live.foreign |= job->failed & 1;
    v->seam_len = job->seam_len;
    ngx_memcpy(v->seam, job->seam, job->seam_len);

    (void) ngx_close_file(job->fd);
    ngx_free(job);

    ngx_http_mntreamer_view_wake(v, 1);
}


/* NGX_DECLINED: it has waited for long enough */

static ngx_int_t
ngx_http_mntreamer_view_wait(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_fd_t fd, uint64_t msn)
{
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
        ctx->view = w;
    }

    if (w->late) {
        return NGX_DECLINED;
    }

    if (msn != NGX_HTTP_MNTREAMER_VIEW_NEVER && w->until == 0) {
        w->until = ngx_current_msec + 3000 * v->live.target_s;
    }

    w->fd = fd;
    w->msn = msn;

    ngx_queue_insert_tail(&v->waiters, &w->queue);

    if (!ngx_http_mntreamer_view_timer.timer_set) {
        ngx_add_timer(&ngx_http_mntreamer_view_timer,
                      NGX_HTTP_MNTREAMER_VIEW_LOOK);
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
}


static void
ngx_http_mntreamer_view_look(ngx_event_t *ev)
{
    ngx_uint_t                  waiting;
    ngx_queue_t                *q, *next;
    ngx_http_mntreamer_view_t  *v;

    waiting = 0;

    for (q = ngx_queue_head(&ngx_http_mntreamer_views);
         q != ngx_queue_sentinel(&ngx_http_mntreamer_views);
         q = next)
    {
        /* who is woken may use a view, which moves it to the front */

        next = ngx_queue_next(q);
        v = ngx_queue_data(q, ngx_http_mntreamer_view_t, queue);

        if (!ngx_queue_empty(&v->waiters) && !v->loading) {
            ngx_http_mntreamer_view_wake(v, ngx_http_mntreamer_view_looked(v));
        }

        waiting |= !ngx_queue_empty(&v->waiters);
    }

    if (waiting && !ev->timer_set) {
        ngx_add_timer(ev, NGX_HTTP_MNTREAMER_VIEW_LOOK);
    }
}


/* 1: all who wait must look themselves */

static ngx_uint_t
ngx_http_mntreamer_view_looked(ngx_http_mntreamer_view_t *v)
{
    ngx_queue_t                       *q;
    struct stat                        st;
    ngx_http_mntreamer_view_waiter_t  *w;

    q = ngx_queue_head(&v->waiters);
    w = ngx_queue_data(q, ngx_http_mntreamer_view_waiter_t, queue);

    if (ngx_exiting || fstat(w->fd, &st) == -1 || st.st_nlink == 0
        || (uint64_t) st.st_size < v->live.at.offset)
    {
        return 1;
    }

    return ngx_http_mntreamer_view_read(v, w->fd, st.st_size,
                                        w->request->connection->log)
           == NGX_ERROR;
}


static void
ngx_http_mntreamer_view_wake(ngx_http_mntreamer_view_t *v, ngx_uint_t all)
{
    ngx_queue_t                       *q, *next, ready;
    ngx_http_request_t                *r;
    ngx_http_mntreamer_ctx_t          *ctx;
    ngx_http_mntreamer_view_waiter_t  *w;

    ngx_queue_init(&ready);

    for (q = ngx_queue_head(&v->waiters);
         q != ngx_queue_sentinel(&v->waiters);
         q = next)
    {
        next = ngx_queue_next(q);
        w = ngx_queue_data(q, ngx_http_mntreamer_view_waiter_t, queue);

        w->late = ngx_exiting
                  || (w->until && (ngx_msec_int_t) (w->until - ngx_current_msec)
                                  <= 0);

        if (all || w->late || v->live.ended || v->live.foreign
            || ngx_http_mntreamer_view_has(v, w->msn))
        {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(&ready, q);
        }
    }

    /* who leaves meanwhile takes itself off */

    while (!ngx_queue_empty(&ready)) {
        q = ngx_queue_head(&ready);
        w = ngx_queue_data(q, ngx_http_mntreamer_view_waiter_t, queue);

        ngx_queue_remove(q);

        r = w->request;
        ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);
        ctx->cancel = NULL;

        ngx_http_mntreamer_resume(r, ngx_http_mntreamer_recordings_handler(r));
    }
}


static ngx_uint_t
ngx_http_mntreamer_view_has(ngx_http_mntreamer_view_t *v, uint64_t msn)
{
    return msn == NGX_HTTP_MNTREAMER_VIEW_NEVER
           || msn < v->live.sequence + v->live.at.entries;
}


/* fills two buffers at most */

static ngx_int_t
ngx_http_mntreamer_view_send(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_file_t *file,
    ngx_http_mntreamer_view_wish_t *wish, ngx_chain_t *out)
{
    switch (wish->view) {

    case MNT_HLS_VIEW_DELTA:
        return ngx_http_mntreamer_view_part(r, v, file, wish->view,
                         (int64_t) mnt_hls_live_skip_s(&v->live) * 1000000,
                         out);

    case MNT_HLS_VIEW_WINDOW:

        /* RFC 8216 6.2.2: three target durations at least */

        return ngx_http_mntreamer_view_part(r, v, file, wish->view,
                         ngx_max(wish->span_us,
                                 (int64_t) v->live.target_s * 3000000),
                         out);

    default:
        return ngx_http_mntreamer_view_whole(r, v, file, out);
    }
}


/* the entries are sent from the file */

static ngx_int_t
ngx_http_mntreamer_view_whole(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_file_t *file, ngx_chain_t *out)
{
    size_t           len;
    u_char          *p;
    ngx_buf_t       *b;
    ngx_chain_t     *cl;
    mnt_str_t        none = mnt_str_null;

    p = ngx_pnalloc(r->pool, MNT_HLS_LIVE_HEAD);
    cl = ngx_alloc_chain_link(r->pool);
    b = ngx_calloc_buf(r->pool);

    if (p == NULL || cl == NULL || b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    len = mnt_hls_live_head(&v->live, MNT_HLS_VIEW_WHOLE, &v->live.marks[0],
                            none, (char *) p, MNT_HLS_LIVE_HEAD);

    out->buf = ngx_http_mntreamer_view_buf(r, p, len);

    if (out->buf == NULL || len >= MNT_HLS_LIVE_HEAD) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->file = file;
    b->file_pos = (off_t) v->live.marks[0].offset;
    b->file_last = (off_t) v->live.at.offset;
    b->in_file = 1;

    cl->buf = b;
    cl->next = NULL;
    out->next = cl;

    return NGX_OK;
}


static ngx_int_t
ngx_http_mntreamer_view_part(ngx_http_request_t *r,
    ngx_http_mntreamer_view_t *v, ngx_file_t *file, mnt_hls_view_e view,
    int64_t span_us, ngx_chain_t *out)
{
    ngx_pool_cleanup_t              *cln;
    ngx_http_mntreamer_view_text_t  *text;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    text = ngx_http_mntreamer_view_text(v, file->fd, view, span_us,
                                        r->connection->log);
    if (text == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_mntreamer_view_sent;
    cln->data = text;

    out->buf = ngx_http_mntreamer_view_buf(r, text->data, text->len);
    out->next = NULL;

    return out->buf ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static void
ngx_http_mntreamer_view_sent(void *data)
{
    ngx_http_mntreamer_view_release(data);
}


/* a reference to the text, made now or by who asked before */

static ngx_http_mntreamer_view_text_t *
ngx_http_mntreamer_view_text(ngx_http_mntreamer_view_t *v, ngx_fd_t fd,
    mnt_hls_view_e view, int64_t span_us, ngx_log_t *log)
{
    u_char                          *buf;
    mnt_str_t                        entries;
    ngx_uint_t                       i;
    mnt_hls_mark_t                   first;
    const mnt_hls_mark_t            *mark;
    ngx_http_mntreamer_view_slot_t  *slot;
    ngx_http_mntreamer_view_text_t  *text;

    for (i = 0; i < NGX_HTTP_MNTREAMER_VIEW_TEXTS; i++) {
        slot = &v->slots[i];

        if (slot->text && slot->view == view && slot->span_us == span_us
            && slot->offset == v->live.at.offset)
        {
            slot->text->refs++;
            return slot->text;
        }
    }

    mark = mnt_hls_live_mark(&v->live, span_us);

    entries.len = (size_t) (v->live.at.offset - mark->offset);

    buf = ngx_alloc(entries.len, log);
    if (buf == NULL) {
        return NULL;
    }

    text = NULL;
    entries.data = (char *) buf;

    if (ngx_http_mntreamer_view_pread(fd, buf, entries.len, mark->offset)
        == NGX_OK)
    {
        mnt_hls_live_first(&v->live, mark, entries, span_us, &first);

        entries.data += first.offset - mark->offset;
        entries.len -= (size_t) (first.offset - mark->offset);

        text = ngx_http_mntreamer_view_write(v, fd, view, &first, entries,
                                             log);
    }

    ngx_free(buf);

    if (text == NULL || text->len > NGX_HTTP_MNTREAMER_VIEW_KEEP) {
        return text;
    }

    slot = &v->slots[v->slot++ % NGX_HTTP_MNTREAMER_VIEW_TEXTS];

    if (slot->text) {
        ngx_http_mntreamer_view_release(slot->text);
    }

    slot->view = view;
    slot->span_us = span_us;
    slot->offset = v->live.at.offset;
    slot->text = text;

    text->refs++;

    return text;
}


static ngx_http_mntreamer_view_text_t *
ngx_http_mntreamer_view_write(ngx_http_mntreamer_view_t *v, ngx_fd_t fd,
    mnt_hls_view_e view, const mnt_hls_mark_t *first, mnt_str_t entries,
    ngx_log_t *log)
{
    char                             line[NGX_HTTP_MNTREAMER_VIEW_MAP];
    size_t                           len, size;
    mnt_str_t                        map = mnt_str_null;
    ngx_http_mntreamer_view_text_t  *text;

    /* what is in force where a window begins */

    if (view == MNT_HLS_VIEW_WINDOW && first->map_len) {

        if (first->map_len > sizeof(line)
            || ngx_http_mntreamer_view_pread(fd, line, first->map_len,
                                             first->map_offset)
               != NGX_OK)
        {
            return NULL;
        }

        map.data = line;
        map.len = first->map_len;
    }

    size = MNT_HLS_LIVE_HEAD + map.len + entries.len;

    text = ngx_alloc(sizeof(ngx_http_mntreamer_view_text_t) + size, log);
    if (text == NULL) {
        return NULL;
    }

    len = mnt_hls_live_head(&v->live, view, first, map, (char *) text->data,
                            size);

    ngx_memcpy(text->data + len, entries.data, entries.len);

    text->len = len + entries.len;
    text->refs = 1;

    return text;
}


/* the window of a broadcast with renditions is that of each of them */

static ngx_int_t
ngx_http_mntreamer_view_variants(ngx_http_request_t *r, ngx_file_t *file,
    off_t size, ngx_str_t *window, ngx_chain_t *out)
{
    size_t      len, most;
    u_char     *buf, *p;
    mnt_str_t   text, query;

    static const char  name[] = "window=";

    if (size > NGX_HTTP_MNTREAMER_VIEW_INLINE) {
        return NGX_DECLINED;
    }

    most = (size_t) size * 2 + NGX_HTTP_MNTREAMER_VIEW_INLINE;

    buf = ngx_pnalloc(r->pool, (size_t) size + 1);
    p = ngx_pnalloc(r->pool, most);
    query.len = sizeof(name) - 1 + window->len;
    query.data = ngx_pnalloc(r->pool, query.len);

    if (buf == NULL || p == NULL || query.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_cpymem(ngx_cpymem((u_char *) query.data, name,
                                 sizeof(name) - 1),
                      window->data, window->len);

    if (ngx_http_mntreamer_view_pread(file->fd, buf, (size_t) size, 0)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    text.data = (char *) buf;
    text.len = (size_t) size;

    len = mnt_hls_live_variants(text, query, (char *) p, most);

    if (len == 0 || len >= most) {
        return NGX_DECLINED;
    }

    out->buf = ngx_http_mntreamer_view_buf(r, p, len);
    out->next = NULL;

    return out->buf ? NGX_OK : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


static ngx_buf_t *
ngx_http_mntreamer_view_buf(ngx_http_request_t *r, u_char *p, size_t len)
{
    ngx_buf_t  *b;

    b = ngx_calloc_buf(r->pool);

    if (b) {
        b->pos = p;
        b->last = p + len;
        b->memory = 1;
    }

    return b;
}


/* of these files the kernel has what was written a moment ago */

static ngx_int_t
ngx_http_mntreamer_view_pread(ngx_fd_t fd, void *buf, size_t len,
    uint64_t offset)
{
    size_t   done;
    ssize_t  n;

    for (done = 0; done < len; done += (size_t) n) {

        n = pread(fd, (char *) buf + done, len - done,
                  (off_t) (offset + done));

        if (n == -1 && ngx_errno == NGX_EINTR) {
            n = 0;
            continue;
        }

        if (n <= 0) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
