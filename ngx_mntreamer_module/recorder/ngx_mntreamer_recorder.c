
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The sessions of a worker, and the memory they share: one slab in which one
 * playlist at a time is parsed (parsing is synchronous, what is wanted of it
 * is copied), and a list of segments that are used again and again.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"


/* more than any playlist needs that the parser takes */

#define NGX_MNTREAMER_RECORDER_ARENA   (8 * 1024 * 1024)
#define NGX_MNTREAMER_RECORDER_URLS    (256 * 1024)
#define NGX_MNTREAMER_RECORDER_ALIGN   16


typedef struct {
    ngx_queue_t  queue;
} ngx_mntreamer_recorder_page_t;


static void *ngx_mntreamer_recorder_page(void *data, size_t size);
static void ngx_mntreamer_recorder_pages_free(ngx_mntreamer_recorder_t *rec);
static ngx_mntreamer_session_t *ngx_mntreamer_recorder_find(
    ngx_mntreamer_recorder_t *rec, int64_t streamer_id);
static void ngx_mntreamer_recorder_guard(ngx_event_t *ev);


ngx_mntreamer_recorder_t *
ngx_mntreamer_recorder_create(const ngx_mntreamer_recorder_conf_t *conf,
    const ngx_mntreamer_recorder_deps_t *deps, ngx_mntreamer_curl_t *curl,
    ngx_mntreamer_storage_t *st, ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_metrics_t *metrics, ngx_log_t *log)
{
    ngx_mntreamer_recorder_t  *rec;

    rec = ngx_calloc(sizeof(ngx_mntreamer_recorder_t), log);

    if (rec == NULL) {
        return NULL;
    }

    rec->slab = ngx_alloc(NGX_MNTREAMER_RECORDER_SLAB, log);

    if (rec->slab == NULL) {
        ngx_free(rec);
        return NULL;
    }

    rec->conf = conf;
    rec->deps = *deps;
    rec->curl = curl;
    rec->st = st;
    rec->cat = cat;
    rec->metrics = metrics;
    rec->log = log;

    ngx_queue_init(&rec->sessions);
    ngx_queue_init(&rec->spare);
    ngx_queue_init(&rec->pages);

    rec->ident.data = rec;
    rec->ident.fd = (ngx_socket_t) -1;

    if (conf->nladder && conf->hls_path.len) {
        rec->children = ngx_mntreamer_children_create(
                                       NGX_MNTREAMER_RECORDER_PROGRAMS, log);
    }

    mnt_arena_init(&rec->urls, NGX_MNTREAMER_RECORDER_URLS);

    ngx_mntreamer_recorder_event(&rec->guard, ngx_mntreamer_recorder_guard,
                                 &rec->ident, log);

    return rec;
}


void
ngx_mntreamer_recorder_destroy(ngx_mntreamer_recorder_t *rec)
{
    ngx_queue_t              *q;
    ngx_mntreamer_segment_t  *sg;

    ngx_mntreamer_recorder_disarm(&rec->guard);

    while (!ngx_queue_empty(&rec->sessions)) {
        q = ngx_queue_head(&rec->sessions);

        ngx_mntreamer_session_destroy(
            ngx_queue_data(q, ngx_mntreamer_session_t, queue));
    }

    while (!ngx_queue_empty(&rec->spare)) {
        q = ngx_queue_head(&rec->spare);
        ngx_queue_remove(q);

        sg = ngx_queue_data(q, ngx_mntreamer_segment_t, queue);

        ngx_mntreamer_text_free(&sg->url);
        ngx_free(sg);
    }

    if (rec->children) {
        ngx_mntreamer_children_destroy(rec->children);
    }

    ngx_mntreamer_recorder_pages_free(rec);
    mnt_arena_free(&rec->urls);

    ngx_free(rec->slab);
    ngx_free(rec);
}


ngx_int_t
ngx_mntreamer_recorder_start(ngx_mntreamer_recorder_t *rec,
    const ngx_mntreamer_claim_t *claim, const mnt_probe_t *probe)
{
    ngx_mntreamer_session_t  *s;

    if (rec->draining
        || ngx_mntreamer_recorder_find(rec, claim->streamer_id) != NULL)
    {
        return NGX_DECLINED;
    }

    if (probe == NULL && claim->recording_id == 0) {
        return NGX_DECLINED;
    }

    s = ngx_mntreamer_session_create(rec, claim, probe);

    if (s == NULL) {
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&rec->sessions, &s->queue);
    rec->count++;

    ngx_mntreamer_catalog_lease_hold(rec->cat, s->streamer_id, s->epoch);

    ngx_mntreamer_session_wake(s);

    return NGX_OK;
}


void
ngx_mntreamer_recorder_stop(ngx_mntreamer_recorder_t *rec,
    int64_t streamer_id)
{
    ngx_mntreamer_session_t  *s;

    s = ngx_mntreamer_recorder_find(rec, streamer_id);

    if (s && !rec->draining) {
        ngx_mntreamer_session_end(s, "stopped", 0);
    }
}


void
ngx_mntreamer_recorder_news(ngx_mntreamer_recorder_t *rec,
    int64_t streamer_id)
{
    ngx_mntreamer_session_t  *s;

    s = ngx_mntreamer_recorder_find(rec, streamer_id);

    if (s && s->local && s->state < NGX_MNTREAMER_SESSION_ENDING) {
        s->check = 1;
        ngx_mntreamer_session_wake(s);
    }
}


void
ngx_mntreamer_recorder_lost(ngx_mntreamer_recorder_t *rec,
    int64_t streamer_id)
{
    ngx_mntreamer_session_t  *s;

    s = ngx_mntreamer_recorder_find(rec, streamer_id);

    if (s == NULL) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, rec->log, 0,
                  "mntreamer: recording %L lost its lease and is dropped here",
                  s->recording_id);

    ngx_mntreamer_session_drop(s);
}


void
ngx_mntreamer_recorder_drain(ngx_mntreamer_recorder_t *rec,
    ngx_msec_t timeout_ms, void (*done)(void *data), void *data)
{
    ngx_queue_t              *q, *next;
    ngx_mntreamer_session_t  *s;

    rec->draining = 1;
    rec->drained = done;
    rec->drained_data = data;

    /* a worker that exits runs timers only as long as one keeps it alive */

    rec->guard.cancelable = 0;
    ngx_mntreamer_recorder_arm(&rec->guard, timeout_ms);

    for (q = ngx_queue_head(&rec->sessions);
         q != ngx_queue_sentinel(&rec->sessions);
         q = next)
    {
        next = ngx_queue_next(q);
        s = ngx_queue_data(q, ngx_mntreamer_session_t, queue);

        ngx_mntreamer_session_drain(s);
    }

    ngx_mntreamer_recorder_left(rec);
}


ngx_uint_t
ngx_mntreamer_recorder_count(ngx_mntreamer_recorder_t *rec)
{
    return rec->count;
}


ngx_uint_t
ngx_mntreamer_recorder_opening(ngx_mntreamer_recorder_t *rec)
{
    ngx_uint_t                n;
    ngx_queue_t              *q;
    ngx_mntreamer_session_t  *s;

    n = 0;

    for (q = ngx_queue_head(&rec->sessions);
         q != ngx_queue_sentinel(&rec->sessions);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_mntreamer_session_t, queue);
        n += (s->state < NGX_MNTREAMER_SESSION_RUNNING);
    }

    return n;
}


/* a session is gone: the last one ends a drain, from the guard's handler */

void
ngx_mntreamer_recorder_left(ngx_mntreamer_recorder_t *rec)
{
    if (rec->draining && rec->count == 0 && rec->drained) {
        ngx_mntreamer_recorder_arm(&rec->guard, 0);
    }
}


static void
ngx_mntreamer_recorder_guard(ngx_event_t *ev)
{
    void                     (*done)(void *data);
    ngx_mntreamer_ident_t     *ident;
    ngx_mntreamer_recorder_t  *rec;

    ident = ev->data;
    rec = ident->data;

    if (rec->count) {
        ngx_log_error(NGX_LOG_WARN, rec->log, 0,
                      "mntreamer: %ui recordings did not come to rest in "
                      "time", rec->count);
    }

    done = rec->drained;

    ngx_mntreamer_recorder_drop(rec);

    if (done) {
        done(rec->drained_data);
    }
}


void
ngx_mntreamer_recorder_drop(ngx_mntreamer_recorder_t *rec)
{
    ngx_queue_t  *q, *next;

    rec->draining = 1;
    rec->drained = NULL;

    ngx_mntreamer_recorder_disarm(&rec->guard);

    for (q = ngx_queue_head(&rec->sessions);
         q != ngx_queue_sentinel(&rec->sessions);
         q = next)
    {
        next = ngx_queue_next(q);

        ngx_mntreamer_session_drop(
            ngx_queue_data(q, ngx_mntreamer_session_t, queue));
    }
}


/* a worker records hundreds, and looks for one when something rare happens */

static ngx_mntreamer_session_t *
ngx_mntreamer_recorder_find(ngx_mntreamer_recorder_t *rec,
    int64_t streamer_id)
{
    ngx_queue_t              *q;
    ngx_mntreamer_session_t  *s;

    for (q = ngx_queue_head(&rec->sessions);
         q != ngx_queue_sentinel(&rec->sessions);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_mntreamer_session_t, queue);

        if (s->streamer_id == streamer_id
            && s->state != NGX_MNTREAMER_SESSION_GONE)
        {
            return s;
        }
    }

    return NULL;
}


mnt_arena_t *
ngx_mntreamer_recorder_arena(ngx_mntreamer_recorder_t *rec)
{
    ngx_mntreamer_recorder_pages_free(rec);

    rec->slab_pos = rec->slab;

    mnt_arena_init_ex(&rec->arena, NGX_MNTREAMER_RECORDER_ARENA,
                      ngx_mntreamer_recorder_page, rec);

    return &rec->arena;
}


/*
 * For the addresses of one segment: those of a whole window are longer than
 * the window, when the address of the playlist is long.
 */

mnt_arena_t *
ngx_mntreamer_recorder_urls(ngx_mntreamer_recorder_t *rec)
{
    mnt_arena_free(&rec->urls);

    return &rec->urls;
}


static void *
ngx_mntreamer_recorder_page(void *data, size_t size)
{
    ngx_mntreamer_recorder_t *rec = data;

    u_char                         *p;
    ngx_mntreamer_recorder_page_t  *page;

    size = ngx_align(size, NGX_MNTREAMER_RECORDER_ALIGN);

    if (size <= (size_t) (rec->slab + NGX_MNTREAMER_RECORDER_SLAB
                          - rec->slab_pos))
    {
        p = rec->slab_pos;
        rec->slab_pos += size;

        return p;
    }

    page = ngx_alloc(sizeof(ngx_mntreamer_recorder_page_t) + size, rec->log);

    if (page == NULL) {
        return NULL;
    }

    ngx_queue_insert_tail(&rec->pages, &page->queue);

    return page + 1;
}


static void
ngx_mntreamer_recorder_pages_free(ngx_mntreamer_recorder_t *rec)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&rec->pages)) {
        q = ngx_queue_head(&rec->pages);
        ngx_queue_remove(q);

        ngx_free(ngx_queue_data(q, ngx_mntreamer_recorder_page_t, queue));
    }
}


ngx_int_t
ngx_mntreamer_text_set(ngx_mntreamer_text_t *text, const void *data,
    size_t len)
{
    size_t   size;
    u_char  *p;

    if (len > text->size) {
        size = ngx_align(len, 64);
        p = ngx_alloc(size, ngx_cycle->log);

        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(p, data, len);

        if (text->data) {
            ngx_free(text->data);
        }

        text->data = p;
        text->size = size;
        text->len = len;

        return NGX_OK;
    }

    if (len) {
        ngx_memmove(text->data, data, len);
    }

    text->len = len;

    return NGX_OK;
}


void
ngx_mntreamer_text_free(ngx_mntreamer_text_t *text)
{
    if (text->data) {
        ngx_free(text->data);
    }

    ngx_memzero(text, sizeof(ngx_mntreamer_text_t));
}


void
ngx_mntreamer_recorder_event(ngx_event_t *ev, ngx_event_handler_pt handler,
    ngx_mntreamer_ident_t *ident, ngx_log_t *log)
{
    ngx_memzero(ev, sizeof(ngx_event_t));

    ev->handler = handler;
    ev->data = ident;
    ev->log = log;
    ev->cancelable = 1;
}


void
ngx_mntreamer_recorder_arm(ngx_event_t *ev, int64_t ms)
{
    /* one that is set already would keep its time (NGX_TIMER_LAZY_DELAY) */

    ngx_mntreamer_recorder_disarm(ev);

    if (ms < 1) {
        ms = 1;
    }

    if (ms > 3600 * 1000) {
        ms = 3600 * 1000;
    }

    ngx_add_timer(ev, (ngx_msec_t) ms);
}


void
ngx_mntreamer_recorder_disarm(ngx_event_t *ev)
{
    if (ev->timer_set) {
        ngx_del_timer(ev);
    }
}
