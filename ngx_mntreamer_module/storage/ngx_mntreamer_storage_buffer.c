
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/mman.h>

#include "ngx_mntreamer_storage_internal.h"


/*
 * Buffers are mapped one by one, so that what is given back leaves the
 * process; the one used last is taken first, its pages are there and still in
 * the cache.
 */

#define NGX_MNTREAMER_BUFFER_IDLE_MS  4000


static void ngx_mntreamer_buffers_sweep(ngx_event_t *ev);
static void ngx_mntreamer_buffers_trim(ngx_mntreamer_buffers_t *bs,
    ngx_queue_t *idle, ngx_msec_t keep);


void
ngx_mntreamer_buffers_init(ngx_mntreamer_storage_t *st)
{
    ngx_mntreamer_buffers_t  *bs;

    bs = &st->buffers;

    ngx_queue_init(&bs->idle);
    ngx_queue_init(&bs->idle_small);

    bs->size = ngx_align(st->conf.buffer_size, ngx_pagesize);
    bs->max_big = (bs->size > NGX_MNTREAMER_SMALL_BUFFER) ? st->conf.buffers
                                                          : 0;
    bs->log = st->log;

    bs->sweep.data = st;
    bs->sweep.log = st->log;
    bs->sweep.handler = ngx_mntreamer_buffers_sweep;
    bs->sweep.cancelable = 1;
}


void
ngx_mntreamer_buffers_done(ngx_mntreamer_buffers_t *bs)
{
    if (bs->sweep.timer_set) {
        ngx_del_timer(&bs->sweep);
    }

    ngx_mntreamer_buffers_trim(bs, &bs->idle, 0);
    ngx_mntreamer_buffers_trim(bs, &bs->idle_small, 0);
}


ngx_mntreamer_buffer_t *
ngx_mntreamer_buffer_get(ngx_mntreamer_buffers_t *bs, ngx_uint_t small)
{
    size_t                   size;
    ngx_queue_t             *q, *idle;
    ngx_mntreamer_buffer_t  *b;

    if (!small && ngx_queue_empty(&bs->idle) && bs->big >= bs->max_big) {
        small = 1;
    }

    idle = small ? &bs->idle_small : &bs->idle;

    if (!ngx_queue_empty(idle)) {
        q = ngx_queue_head(idle);
        ngx_queue_remove(q);

        b = ngx_queue_data(q, ngx_mntreamer_buffer_t, link);
        b->used = 0;

        bs->taken += !small;

        return b;
    }

    size = small ? NGX_MNTREAMER_SMALL_BUFFER : bs->size;

    b = ngx_alloc(sizeof(ngx_mntreamer_buffer_t), bs->log);
    if (b == NULL) {
        return NULL;
    }

    b->start = mmap(NULL, size, PROT_READ|PROT_WRITE,
                    MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);

    if (b->start == MAP_FAILED) {
        ngx_log_error(NGX_LOG_CRIT, bs->log, ngx_errno, "mmap(%uz) failed",
                      size);
        ngx_free(b);
        return NULL;
    }

    b->size = size;
    b->used = 0;

    if (!small) {
        bs->big++;
        bs->taken++;
    }

    return b;
}


/*
 * Bytes that are worth a task.  One costs about as much as the writing of
 * 64 KB, so a usual segment goes with its commit alone as long as the buffers
 * are not needed elsewhere.
 */

off_t
ngx_mntreamer_buffers_gather(ngx_mntreamer_buffers_t *bs)
{
    if (bs->taken < bs->max_big / 2) {
        return NGX_MNTREAMER_GATHER_MAX;
    }

    return (bs->taken < bs->max_big * 7 / 8) ? NGX_MNTREAMER_GATHER_MAX / 4
                                             : NGX_MNTREAMER_GATHER;
}


void
ngx_mntreamer_buffers_put(ngx_mntreamer_buffers_t *bs, ngx_queue_t *from)
{
    ngx_queue_t             *q;
    ngx_mntreamer_buffer_t  *b;

    while (!ngx_queue_empty(from)) {
        q = ngx_queue_last(from);
        ngx_queue_remove(q);

        b = ngx_queue_data(q, ngx_mntreamer_buffer_t, link);
        b->since = ngx_current_msec;

        if (b->size == NGX_MNTREAMER_SMALL_BUFFER) {
            ngx_queue_insert_head(&bs->idle_small, q);

        } else {
            ngx_queue_insert_head(&bs->idle, q);
            bs->taken--;
        }
    }

    if (!bs->sweep.timer_set && !ngx_exiting) {
        ngx_add_timer(&bs->sweep, NGX_MNTREAMER_BUFFER_IDLE_MS);
    }
}


static void
ngx_mntreamer_buffers_sweep(ngx_event_t *ev)
{
    ngx_mntreamer_buffers_t  *bs;
    ngx_mntreamer_storage_t  *st;

    st = ev->data;
    bs = &st->buffers;

    ngx_mntreamer_buffers_trim(bs, &bs->idle, NGX_MNTREAMER_BUFFER_IDLE_MS);
    ngx_mntreamer_buffers_trim(bs, &bs->idle_small,
                               NGX_MNTREAMER_BUFFER_IDLE_MS);

    if (!ngx_queue_empty(&bs->idle) || !ngx_queue_empty(&bs->idle_small)) {
        ngx_add_timer(ev, NGX_MNTREAMER_BUFFER_IDLE_MS / 2);
    }
}


static void
ngx_mntreamer_buffers_trim(ngx_mntreamer_buffers_t *bs, ngx_queue_t *idle,
    ngx_msec_t keep)
{
    ngx_queue_t             *q;
    ngx_mntreamer_buffer_t  *b;

    while (!ngx_queue_empty(idle)) {
        q = ngx_queue_last(idle);
        b = ngx_queue_data(q, ngx_mntreamer_buffer_t, link);

        if (keep && (ngx_msec_int_t) (ngx_current_msec - b->since)
                    < (ngx_msec_int_t) keep)
        {
            break;
        }

        ngx_queue_remove(q);

        if (b->size != NGX_MNTREAMER_SMALL_BUFFER) {
            bs->big--;
        }

        (void) munmap(b->start, b->size);
        ngx_free(b);
    }
}
