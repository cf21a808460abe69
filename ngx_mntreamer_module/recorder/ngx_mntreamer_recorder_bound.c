
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The bound of a rendition's queue.  A source lists up to ten thousand
 * segments, and may list as many others at the next load; whoever cannot keep
 * up loses the oldest of them, for they are the first that the source drops.
 * A whole window of a DVR fits: it is recorded from its start.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"


#define NGX_MNTREAMER_BOUND_SEGMENTS  12000
#define NGX_MNTREAMER_BOUND_BYTES     (4 * 1024 * 1024)   /* of URLs */


static ngx_uint_t ngx_mntreamer_bound_passed(ngx_mntreamer_rendition_t *r);
static ngx_uint_t ngx_mntreamer_bound_kept(ngx_mntreamer_segment_t *sg);
static void ngx_mntreamer_bound_hole(ngx_mntreamer_segment_t *sg);


void
ngx_mntreamer_bound_insert(ngx_mntreamer_segment_t *sg)
{
    ngx_mntreamer_rendition_t  *r;

    r = sg->rendition;

    ngx_queue_insert_tail(&r->segments, &sg->queue);

    r->queued++;
    r->queued_bytes += sg->url.len;
}


void
ngx_mntreamer_bound_remove(ngx_mntreamer_segment_t *sg)
{
    ngx_mntreamer_rendition_t  *r;

    r = sg->rendition;

    ngx_queue_remove(&sg->queue);

    r->queued--;
    r->queued_bytes -= sg->url.len;
}


void
ngx_mntreamer_bound_url(ngx_mntreamer_segment_t *sg, mnt_str_t url)
{
    size_t  before;

    before = sg->url.len;

    (void) ngx_mntreamer_text_set(&sg->url, url.data, url.len);

    sg->rendition->queued_bytes += sg->url.len;
    sg->rendition->queued_bytes -= before;
}


static ngx_uint_t
ngx_mntreamer_bound_passed(ngx_mntreamer_rendition_t *r)
{
    return r->queued > NGX_MNTREAMER_BOUND_SEGMENTS
           || r->queued_bytes > NGX_MNTREAMER_BOUND_BYTES;
}


/* what is under way is let end, its map is needed too */

static ngx_uint_t
ngx_mntreamer_bound_kept(ngx_mntreamer_segment_t *sg)
{
    return sg->state == NGX_MNTREAMER_SEGMENT_FETCHING
           || sg->state == NGX_MNTREAMER_SEGMENT_FETCHED
           || sg->state == NGX_MNTREAMER_SEGMENT_STORING;
}


/*
 * The oldest that nobody fetches become one hole, which takes in the holes
 * beside it.  A map goes with the last that needs it.
 */

void
ngx_mntreamer_rendition_bound(ngx_mntreamer_rendition_t *r)
{
    ngx_queue_t              *q, *next;
    ngx_mntreamer_segment_t  *sg, *hole, *map;

    hole = NULL;
    map = NULL;

    for (q = ngx_queue_head(&r->segments);
         q != ngx_queue_sentinel(&r->segments)
         && ngx_mntreamer_bound_passed(r);
         q = next)
    {
        next = ngx_queue_next(q);
        sg = ngx_queue_data(q, ngx_mntreamer_segment_t, queue);

        if (ngx_mntreamer_bound_kept(sg)) {
            hole = NULL;
            map = NULL;
            continue;
        }

        if (sg->kind == NGX_MNTREAMER_SEGMENT_MAP) {

            if (map) {
                ngx_mntreamer_segment_put(map);
            }

            map = sg;
            continue;
        }

        if (hole == NULL) {
            hole = sg;
            ngx_mntreamer_bound_hole(hole);
            continue;
        }

        hole->cause = NGX_MNTREAMER_GAP_WINDOW;
        hole->duration_us += sg->duration_us;
        hole->count += (sg->kind == NGX_MNTREAMER_SEGMENT_HOLE) ? sg->count
                                                                : 1;
        ngx_mntreamer_segment_put(sg);
    }
}


static void
ngx_mntreamer_bound_hole(ngx_mntreamer_segment_t *sg)
{
    if (sg->kind == NGX_MNTREAMER_SEGMENT_HOLE) {
        return;
    }

    ngx_mntreamer_segment_lose(sg);

    sg->rendition->queued_bytes -= sg->url.len;
    ngx_mntreamer_text_free(&sg->url);

    if (sg->key) {
        ngx_mntreamer_key_put(sg->key);
        sg->key = NULL;
    }

    sg->kind = NGX_MNTREAMER_SEGMENT_HOLE;
    sg->cause = NGX_MNTREAMER_GAP_WINDOW;
    sg->count = 1;
}
