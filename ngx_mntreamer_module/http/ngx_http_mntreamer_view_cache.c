
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Indexes of the playlists that this worker was asked for, and the texts made
 * of them, for all who ask.  A playlist only grows: what came is read when
 * somebody asks.  The first reading of a long one is that of a thread, which
 * works on its own copy; an index is not evicted meanwhile.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <fcntl.h>
#include <stdlib.h>

#include "ngx_http_mntreamer_view_internal.h"


#define NGX_HTTP_MNTREAMER_VIEW_HASH   256
#define NGX_HTTP_MNTREAMER_VIEW_PIECE  131072    /* read at a time */


struct ngx_http_mntreamer_view_job_s {
    ngx_http_mntreamer_view_t       *view;    /* alias; NULL: destroyed */
    ngx_fd_t                         fd;      /* owned */
    uint64_t                         size;
    time_t                           mtime;
    mnt_hls_live_t                   live;    /* the thread's */
    u_char                           seam[NGX_HTTP_MNTREAMER_VIEW_SEAM];
    size_t                           seam_len;
    ngx_uint_t                       failed;
};


static ngx_http_mntreamer_view_t *ngx_http_mntreamer_view_create(
    ngx_str_t *path, ngx_queue_t *bucket, ngx_log_t *log);
static void ngx_http_mntreamer_view_evict(void);
static void ngx_http_mntreamer_view_destroy(ngx_http_mntreamer_view_t *v);
static void ngx_http_mntreamer_view_reset(ngx_http_mntreamer_view_t *v);
static ngx_int_t ngx_http_mntreamer_view_take(ngx_http_mntreamer_view_t *v,
    ngx_fd_t fd, uint64_t size, ngx_log_t *log);
static ngx_int_t ngx_http_mntreamer_view_load(ngx_http_mntreamer_view_t *v,
    ngx_fd_t fd, ngx_file_info_t *fi, ngx_log_t *log);
static void ngx_http_mntreamer_view_load_work(void *data);
static ngx_int_t ngx_http_mntreamer_view_load_pieces(
    ngx_http_mntreamer_view_job_t *job, char *buf);
static void ngx_http_mntreamer_view_load_done(void *data);
static ngx_http_mntreamer_view_text_t *ngx_http_mntreamer_view_write(
    ngx_http_mntreamer_view_t *v, ngx_fd_t fd, mnt_hls_view_e view,
    const mnt_hls_mark_t *first, mnt_str_t entries, ngx_log_t *log);


static ngx_queue_t  ngx_http_mntreamer_views;    /* all; used last: first */
static ngx_queue_t  ngx_http_mntreamer_view_buckets[
                                              NGX_HTTP_MNTREAMER_VIEW_HASH];
static ngx_uint_t   ngx_http_mntreamer_nviews;


void
ngx_http_mntreamer_views_init(void)
{
    ngx_uint_t  i;

    ngx_queue_init(&ngx_http_mntreamer_views);

    for (i = 0; i < NGX_HTTP_MNTREAMER_VIEW_HASH; i++) {
        ngx_queue_init(&ngx_http_mntreamer_view_buckets[i]);
    }

    ngx_http_mntreamer_nviews = 0;
}


void
ngx_http_mntreamer_views_free(void)
{
    ngx_queue_t                *q;
    ngx_http_mntreamer_view_t  *v;

    while (!ngx_queue_empty(&ngx_http_mntreamer_views)) {
        q = ngx_queue_head(&ngx_http_mntreamer_views);
        v = ngx_queue_data(q, ngx_http_mntreamer_view_t, queue);
        ngx_http_mntreamer_view_destroy(v);
    }
}


ngx_http_mntreamer_view_t *
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

    if (v->job == NULL && (v->ino != fi->st_ino || v->dev != fi->st_dev
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

    v->fd = NGX_INVALID_FILE;

    mnt_hls_live_init(&v->live);
    ngx_queue_init(&v->waiters);

    ngx_queue_insert_head(&ngx_http_mntreamer_views, &v->queue);
    ngx_queue_insert_head(bucket, &v->bucket);
    ngx_http_mntreamer_nviews++;

    return v;
}


/* the one that was not asked for for longest and that nobody waits for */

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

        if (v->job == NULL && ngx_queue_empty(&v->waiters)) {
            ngx_http_mntreamer_view_destroy(v);
            return;
        }
    }
}


static void
ngx_http_mntreamer_view_destroy(ngx_http_mntreamer_view_t *v)
{
    ngx_http_mntreamer_view_reset(v);

    if (v->job) {
        v->job->view = NULL;
    }

    ngx_queue_remove(&v->queue);
    ngx_queue_remove(&v->bucket);
    ngx_http_mntreamer_nviews--;

    ngx_free(v);
}


/* what is being sent is a reference of the request's own */

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
    v->mtime = 0;
}


void
ngx_http_mntreamer_view_release(ngx_http_mntreamer_view_text_t *text)
{
    if (--text->refs == 0) {
        ngx_free(text);
    }
}


ngx_int_t
ngx_http_mntreamer_view_read(ngx_http_mntreamer_view_t *v, ngx_fd_t fd,
    ngx_file_info_t *fi, ngx_log_t *log)
{
    uint64_t   size;
    ngx_int_t  rc;

    size = (uint64_t) ngx_file_size(fi);

    if (v->job) {
        return NGX_AGAIN;
    }

    if (size > NGX_HTTP_MNTREAMER_VIEW_MAX) {
        return NGX_ERROR;
    }

    if (v->live.foreign
        || (size == v->live.at.offset && v->mtime == ngx_file_mtime(fi)))
    {
        return NGX_OK;
    }

    rc = NGX_DECLINED;

    if (size - (v->live.at.offset - v->seam_len)
        <= NGX_HTTP_MNTREAMER_VIEW_INLINE)
    {
        rc = ngx_http_mntreamer_view_take(v, fd, size, log);
    }

    if (rc == NGX_DECLINED) {
        ngx_http_mntreamer_view_reset(v);

        if (size > NGX_HTTP_MNTREAMER_VIEW_INLINE) {
            return ngx_http_mntreamer_view_load(v, fd, fi, log);
        }

        rc = ngx_http_mntreamer_view_take(v, fd, size, log);
    }

    if (rc != NGX_OK) {
        ngx_http_mntreamer_view_reset(v);
        return NGX_ERROR;
    }

    v->mtime = ngx_file_mtime(fi);

    return NGX_OK;
}


/*
 * The number of a file is given again when it is gone, and a file may be cut
 * and written again: the end of what is known must still be there.
 * NGX_DECLINED: it is not.
 */

static ngx_int_t
ngx_http_mntreamer_view_take(ngx_http_mntreamer_view_t *v, ngx_fd_t fd,
    uint64_t size, ngx_log_t *log)
{
    u_char     *buf;
    size_t      len, taken;
    uint64_t    from;
    ngx_int_t   rc;
    mnt_str_t   text;

    from = v->live.at.offset - v->seam_len;
    len = (size_t) (size - from);

    if (len == 0) {
        return NGX_OK;
    }

    buf = ngx_alloc(len, log);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_mntreamer_view_pread(fd, buf, len, from);

    if (rc == NGX_OK && ngx_memcmp(buf, v->seam, v->seam_len) != 0) {
        rc = NGX_DECLINED;
    }

    if (rc == NGX_OK) {
        text.data = (char *) buf + v->seam_len;
        text.len = len - v->seam_len;

        rc = mnt_hls_live_read(&v->live, text) == 0 ? NGX_OK : NGX_ERROR;
    }

    if (rc == NGX_OK) {
        taken = (size_t) (v->live.at.offset - from);

        v->seam_len = ngx_min(taken, NGX_HTTP_MNTREAMER_VIEW_SEAM);
        ngx_memcpy(v->seam, buf + taken - v->seam_len, v->seam_len);
    }

    ngx_free(buf);

    return rc;
}


static ngx_int_t
ngx_http_mntreamer_view_load(ngx_http_mntreamer_view_t *v, ngx_fd_t fd,
    ngx_file_info_t *fi, ngx_log_t *log)
{
    ngx_http_mntreamer_view_job_t   *job;
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    if (env->offload == NULL) {
        return NGX_ERROR;
    }

    job = ngx_calloc(sizeof(ngx_http_mntreamer_view_job_t), log);
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->view = v;
    job->size = (uint64_t) ngx_file_size(fi);
    job->mtime = ngx_file_mtime(fi);
    job->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);

    mnt_hls_live_init(&job->live);

    if (job->fd == NGX_INVALID_FILE
        || ngx_mntreamer_offload_post(env->offload,
                                      ngx_http_mntreamer_view_load_work,
                                      ngx_http_mntreamer_view_load_done, job)
           != NGX_OK)
    {
        if (job->fd != NGX_INVALID_FILE) {
            (void) ngx_close_file(job->fd);
        }

        ngx_free(job);
        return NGX_ERROR;
    }

    v->job = job;

    return NGX_AGAIN;
}


/* in a thread */

static void
ngx_http_mntreamer_view_load_work(void *data)
{
    ngx_http_mntreamer_view_job_t *job = data;

    char  *buf;

    buf = malloc(NGX_HTTP_MNTREAMER_VIEW_PIECE);

    if (buf == NULL
        || ngx_http_mntreamer_view_load_pieces(job, buf) != NGX_OK)
    {
        job->failed = 1;
    }

    free(buf);
}


static ngx_int_t
ngx_http_mntreamer_view_load_pieces(ngx_http_mntreamer_view_job_t *job,
    char *buf)
{
    uint64_t         from;
    mnt_str_t        text;
    mnt_hls_live_t  *live;

    live = &job->live;
    text.data = buf;

    do {
        from = live->at.offset;
        text.len = (size_t) ngx_min(job->size - from,
                                    NGX_HTTP_MNTREAMER_VIEW_PIECE);

        if (ngx_http_mntreamer_view_pread(job->fd, buf, text.len, from)
            != NGX_OK
            || mnt_hls_live_read(live, text) != 0)
        {
            return NGX_ERROR;
        }

    } while (live->at.offset > from && live->at.offset < job->size
             && !live->ended && !live->foreign);

    /* what is left is taken with what comes next, which is read at once */

    if (job->size - live->at.offset > NGX_HTTP_MNTREAMER_VIEW_INLINE / 2) {
        live->foreign = 1;
    }

    job->seam_len = (size_t) ngx_min(live->at.offset,
                                     NGX_HTTP_MNTREAMER_VIEW_SEAM);

    return ngx_http_mntreamer_view_pread(job->fd, job->seam, job->seam_len,
                                         live->at.offset - job->seam_len);
}


static void
ngx_http_mntreamer_view_load_done(void *data)
{
    ngx_http_mntreamer_view_job_t *job = data;

    ngx_http_mntreamer_view_t  *v;

    (void) ngx_close_file(job->fd);

    v = job->view;

    if (v == NULL) {
        mnt_hls_live_free(&job->live);
        ngx_free(job);
        return;
    }

    v->job = NULL;

    ngx_http_mntreamer_view_reset(v);

    /* what could not be read has no views until its file is another one */

    v->live = job->live;
    v->live.foreign |= job->failed & 1;
    v->mtime = job->mtime;
    v->seam_len = job->seam_len;
    ngx_memcpy(v->seam, job->seam, job->seam_len);

    ngx_free(job);

    ngx_http_mntreamer_view_loaded(v);
}


ngx_int_t
ngx_http_mntreamer_view_text(ngx_http_mntreamer_view_t *v, ngx_fd_t fd,
    mnt_hls_view_e view, int64_t span_us, ngx_log_t *log,
    ngx_http_mntreamer_view_text_t **text)
{
    char                             buf[NGX_HTTP_MNTREAMER_VIEW_KEEP];
    mnt_str_t                        entries;
    ngx_uint_t                       i;
    mnt_hls_mark_t                   first;
    const mnt_hls_mark_t            *mark;
    ngx_http_mntreamer_view_slot_t  *slot;

    for (i = 0; i < NGX_HTTP_MNTREAMER_VIEW_TEXTS; i++) {
        slot = &v->slots[i];

        if (slot->text && slot->view == view && slot->span_us == span_us
            && slot->offset == v->live.at.offset)
        {
            slot->text->refs++;
            *text = slot->text;

            return NGX_OK;
        }
    }

    mark = mnt_hls_live_mark(&v->live, span_us);

    if (v->live.at.offset - mark->offset > sizeof(buf)) {
        return NGX_DECLINED;
    }

    entries.data = buf;
    entries.len = (size_t) (v->live.at.offset - mark->offset);

    if (ngx_http_mntreamer_view_pread(fd, buf, entries.len, mark->offset)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    mnt_hls_live_first(&v->live, mark, entries, span_us, &first);

    entries.data += first.offset - mark->offset;
    entries.len -= (size_t) (first.offset - mark->offset);

    *text = ngx_http_mntreamer_view_write(v, fd, view, &first, entries, log);

    if (*text == NULL) {
        return NGX_ERROR;
    }

    slot = &v->slots[v->slot++ % NGX_HTTP_MNTREAMER_VIEW_TEXTS];

    if (slot->text) {
        ngx_http_mntreamer_view_release(slot->text);
    }

    slot->view = view;
    slot->span_us = span_us;
    slot->offset = v->live.at.offset;
    slot->text = *text;

    (*text)->refs++;

    return NGX_OK;
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

    if (view == MNT_HLS_VIEW_WINDOW
        && ngx_http_mntreamer_view_map(fd, first, line, &map) != NGX_OK)
    {
        return NULL;
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


ngx_int_t
ngx_http_mntreamer_view_first(ngx_http_mntreamer_view_t *v, ngx_fd_t fd,
    int64_t span_us, mnt_hls_mark_t *first, ngx_log_t *log)
{
    char                  *buf;
    mnt_str_t              entries;
    const mnt_hls_mark_t  *mark;

    mark = mnt_hls_live_mark(&v->live, span_us);

    entries.len = (size_t) (mnt_hls_live_until(&v->live, mark) - mark->offset);

    if (entries.len > NGX_HTTP_MNTREAMER_VIEW_INLINE) {
        return NGX_ERROR;
    }

    buf = ngx_alloc(entries.len, log);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_mntreamer_view_pread(fd, buf, entries.len, mark->offset)
        != NGX_OK)
    {
        ngx_free(buf);
        return NGX_ERROR;
    }

    entries.data = buf;

    mnt_hls_live_first(&v->live, mark, entries, span_us, first);

    ngx_free(buf);

    return NGX_OK;
}


/* what is in force where a window begins */

ngx_int_t
ngx_http_mntreamer_view_map(ngx_fd_t fd, const mnt_hls_mark_t *first,
    char *line, mnt_str_t *map)
{
    if (first->map_len > NGX_HTTP_MNTREAMER_VIEW_MAP) {
        return NGX_ERROR;
    }

    map->data = line;
    map->len = first->map_len;

    return ngx_http_mntreamer_view_pread(fd, line, map->len,
                                         first->map_offset);
}


/* of these files the kernel has what was written a moment ago */

ngx_int_t
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
