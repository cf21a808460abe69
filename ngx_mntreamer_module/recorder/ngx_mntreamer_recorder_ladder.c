
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The rungs of an own broadcast: each segment that was stored becomes one of
 * each rung, made by one short ffmpeg at a time.  So a rung begins and ends
 * where the source's segment does, whatever the key frames are; it goes on
 * where it was after a restart, and a program that hangs or dies costs one try
 * (docs/adr/023).  What cannot be made in time is the source's own segment,
 * linked: a rung has no holes.
 *
 * A rung is a rendition whose queue is filled here.  Its segments are known by
 * the number of the source's file, which its journal keeps, too.
 *
 * state of a segment   entered by       then
 * QUEUED, WAITING      it was stored    MAKING
 * MAKING               ffmpeg has it    FETCHING; QUEUED when it failed
 * FETCHING             it was made, or  FETCHED, as any other
 *                      is linked
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"


#define NGX_MNTREAMER_LADDER_TRIES     3      /* of a segment */
#define NGX_MNTREAMER_LADDER_BEHIND    8      /* segments, then it is linked */
#define NGX_MNTREAMER_LADDER_RETRY_MS  500
#define NGX_MNTREAMER_LADDER_LIFE_MS   (30 * 60 * 1000)
#define NGX_MNTREAMER_LADDER_PATH      2048
#define NGX_MNTREAMER_LADDER_TOLD_MS   60000


static void ngx_mntreamer_ladder_look(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_ladder_looked(void *data,
    const ngx_mntreamer_live_text_t *text);
static void ngx_mntreamer_ladder_queue(ngx_mntreamer_session_t *s,
    uint64_t number, mnt_str_t file, int64_t duration_us,
    ngx_uint_t discontinuous);
static ngx_mntreamer_segment_t *ngx_mntreamer_ladder_at_work(
    ngx_mntreamer_rendition_t *r);
static ngx_uint_t ngx_mntreamer_ladder_waiting(ngx_mntreamer_rendition_t *r);
static uint64_t ngx_mntreamer_ladder_lowest(ngx_mntreamer_session_t *s,
    ngx_uint_t *behind);
static void ngx_mntreamer_ladder_link(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_ladder_back(ngx_mntreamer_segment_t *sg);
static void ngx_mntreamer_ladder_adopted(void *data, ngx_uint_t rc);


/* what lies on the disk already says which rungs there are */

void
ngx_mntreamer_ladder_found(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_found_t *found)
{
    mnt_str_t   name;
    ngx_uint_t  i;
    unsigned    height;

    s->ladder.n = 0;

    for (i = 1; i < found->ntracks && s->ladder.n < MNT_LADDER_MAX; i++) {
        name.data = (char *) found->tracks[i].name.data;
        name.len = found->tracks[i].name.len;

        height = mnt_ladder_height(name);

        if (height) {
            s->ladder.heights[s->ladder.n++] = height;
        }
    }

    s->found = 1 + s->ladder.n;

    /* those that were made before it was known are none yet */

    if (s->renditions) {
        ngx_mntreamer_text_free(&s->renditions[0].url);
        s->renditions = NULL;
        s->nrenditions = 0;
    }

    /*
     * Neither are its peaks, so that its playlist stays as it is.  Who died
     * before there was one left it to us.
     */

    s->ladder.known = 0;
    s->ladder.taken = 1;
    s->ladder.missing = (found->unindexed != 0);

    if (ngx_mntreamer_session_local(s) != NGX_OK) {
        s->ladder.n = 0;
        s->found = 1;
    }
}


ngx_mntreamer_rendition_t *
ngx_mntreamer_ladder_rung(ngx_mntreamer_session_t *s, ngx_uint_t i)
{
    return &s->renditions[1 + i];
}


void
ngx_mntreamer_ladder_start(ngx_mntreamer_session_t *s)
{
    if (s->ladder.n == 0) {
        return;
    }

    if (s->rec->children == NULL) {
        s->ladder.hurried = 1;
    }

    if (s->renditions[0].segments_total) {
        ngx_mntreamer_ladder_look(s);
    }
}


/* what it was at is to be made anew */

void
ngx_mntreamer_ladder_stop(ngx_mntreamer_session_t *s)
{
    ngx_uint_t                i;
    ngx_mntreamer_ladder_t   *l;
    ngx_mntreamer_segment_t  *sg;

    l = &s->ladder;

    if (l->child) {
        ngx_mntreamer_child_cancel(l->child);
        l->child = NULL;
    }

    if (l->look) {
        ngx_mntreamer_live_cancel(l->look);
        l->look = NULL;
        l->again = 1;
    }

    for (i = 0; i + 1 < s->nrenditions && i < l->n; i++) {
        sg = ngx_mntreamer_ladder_at_work(ngx_mntreamer_ladder_rung(s, i));

        if (sg) {
            ngx_mntreamer_ladder_back(sg);
        }
    }
}


/* what was stored before somebody else went on with it */

static void
ngx_mntreamer_ladder_look(ngx_mntreamer_session_t *s)
{
    u_char      buf[NGX_MNTREAMER_LADDER_PATH];
    ngx_str_t   path;

    path.data = buf;
    path.len = ngx_snprintf(buf, sizeof(buf), "%V/video.m3u8", &s->path) - buf;

    s->ladder.again = 0;
    s->ladder.look = ngx_mntreamer_storage_read(s->rec->st, &path,
                                              ngx_mntreamer_ladder_looked, s);

    if (s->ladder.look == NULL) {
        s->ladder.again = 1;
    }
}


static void
ngx_mntreamer_ladder_looked(void *data, const ngx_mntreamer_live_text_t *text)
{
    ngx_mntreamer_session_t *s = data;

    unsigned             i;
    uint64_t             number;
    mnt_str_t            body, digits;
    mnt_arena_t         *a;
    mnt_hls_segment_t   *seg;
    mnt_hls_playlist_t   p;

    s->ladder.look = NULL;

    a = ngx_mntreamer_recorder_arena(s->rec);

    body.data = (char *) text->text.data;
    body.len = text->text.len;
    body.len -= mnt_hls_torn(body);

    if (text->rc != NGX_MNTREAMER_STORE_OK
        || mnt_hls_parse(a, mnt_ladder_tail(a, body), &p) != MNT_HLS_OK
        || p.kind != MNT_HLS_MEDIA)
    {
        ngx_log_error(NGX_LOG_ERR, s->log, 0,
                      "mntreamer: what is stored of recording %L could not be "
                      "read, its renditions go on with what comes",
                      s->recording_id);
        return;
    }

    for (i = 0; i < p.nsegments; i++) {
        seg = &p.segments[i];

        digits = seg->uri;
        digits.len = ngx_min(digits.len, 6);

        while (digits.len < seg->uri.len && seg->uri.data[digits.len] != '.') {
            digits.len++;
        }

        if (mnt_str_u64(digits, &number) == 0) {
            ngx_mntreamer_ladder_queue(s, number, seg->uri, seg->duration_us,
                                       seg->discontinuous);
        }
    }

    ngx_mntreamer_ladder_run(s);
}


/* a segment of the source was stored */

void
ngx_mntreamer_ladder_listed(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_segment_t *sg, const ngx_mntreamer_commit_t *commit,
    ngx_uint_t discontinuous)
{
    char        name[MNT_TRACK_FILE_MAX];
    mnt_str_t   prefix;
    mnt_file_t  file;

    /* who goes on with it looks what there is */

    if (s->ladder.n == 0 || (s->rec->draining && s->over == NULL)) {
        return;
    }

    if (s->ladder.look || s->ladder.again) {
        s->ladder.again = 1;
        return;
    }

    ngx_memzero(&file, sizeof(mnt_file_t));

    file.kind = MNT_FILE_SEGMENT;
    file.number = commit->number;
    file.container = (mnt_hls_container_e) commit->container;

    prefix.len = 0;
    prefix.data = "";

    ngx_mntreamer_ladder_queue(s, commit->number,
                               mnt_file_name(&file, prefix, name),
                               sg->duration_us, discontinuous);
    ngx_mntreamer_ladder_run(s);
}


static void
ngx_mntreamer_ladder_queue(ngx_mntreamer_session_t *s, uint64_t number,
    mnt_str_t file, int64_t duration_us, ngx_uint_t discontinuous)
{
    ngx_uint_t                  i;
    ngx_mntreamer_segment_t    *sg;
    ngx_mntreamer_rendition_t  *r;

    for (i = 0; i < s->ladder.n; i++) {
        r = ngx_mntreamer_ladder_rung(s, i);

        if (number < r->window.next) {
            continue;
        }

        sg = ngx_mntreamer_segment_get(r, NGX_MNTREAMER_SEGMENT_MEDIA);

        if (sg == NULL
            || ngx_mntreamer_text_set(&sg->url, file.data, file.len) != NGX_OK)
        {
            /* it is found in the playlist again */

            if (sg) {
                ngx_mntreamer_segment_free(sg);
            }

            s->ladder.again = 1;
            return;
        }

        sg->seen.sequence = number;
        sg->seen.date_ms = MNT_DATE_NONE;
        sg->duration_us = duration_us;
        sg->discontinuous = (discontinuous != 0);
        sg->deadline = ngx_current_msec + NGX_MNTREAMER_LADDER_LIFE_MS;

        r->window.next = number + 1;

        ngx_mntreamer_bound_insert(sg);
    }
}


ngx_mntreamer_segment_t *
ngx_mntreamer_ladder_next(ngx_mntreamer_rendition_t *r)
{
    ngx_queue_t              *q;
    ngx_mntreamer_segment_t  *sg;

    for (q = ngx_queue_head(&r->segments);
         q != ngx_queue_sentinel(&r->segments);
         q = ngx_queue_next(q))
    {
        sg = ngx_queue_data(q, ngx_mntreamer_segment_t, queue);

        if (sg->state == NGX_MNTREAMER_SEGMENT_QUEUED
            || (sg->state == NGX_MNTREAMER_SEGMENT_WAITING
                && (ngx_msec_int_t) (ngx_current_msec - sg->retry_at) >= 0))
        {
            return sg;
        }
    }

    return NULL;
}


static ngx_mntreamer_segment_t *
ngx_mntreamer_ladder_at_work(ngx_mntreamer_rendition_t *r)
{
    ngx_queue_t              *q;
    ngx_mntreamer_segment_t  *sg;

    for (q = ngx_queue_head(&r->segments);
         q != ngx_queue_sentinel(&r->segments);
         q = ngx_queue_next(q))
    {
        sg = ngx_queue_data(q, ngx_mntreamer_segment_t, queue);

        if (sg->state == NGX_MNTREAMER_SEGMENT_MAKING) {
            return sg;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_mntreamer_ladder_waiting(ngx_mntreamer_rendition_t *r)
{
    ngx_uint_t                n;
    ngx_queue_t              *q;
    ngx_mntreamer_segment_t  *sg;

    n = 0;

    for (q = ngx_queue_head(&r->segments);
         q != ngx_queue_sentinel(&r->segments);
         q = ngx_queue_next(q))
    {
        sg = ngx_queue_data(q, ngx_mntreamer_segment_t, queue);

        n += (sg->state == NGX_MNTREAMER_SEGMENT_QUEUED
              || sg->state == NGX_MNTREAMER_SEGMENT_WAITING);
    }

    return n;
}


/* the number that is to be made next, 0: none; how many wait */

static uint64_t
ngx_mntreamer_ladder_lowest(ngx_mntreamer_session_t *s, ngx_uint_t *behind)
{
    uint64_t                    lowest;
    ngx_uint_t                  i;
    ngx_mntreamer_segment_t    *sg;
    ngx_mntreamer_rendition_t  *r;

    lowest = 0;
    *behind = 0;

    for (i = 0; i < s->ladder.n; i++) {
        r = ngx_mntreamer_ladder_rung(s, i);
        sg = ngx_mntreamer_ladder_next(r);

        if (sg && (lowest == 0 || sg->seen.sequence < lowest)) {
            lowest = sg->seen.sequence;
        }

        *behind = ngx_max(*behind, ngx_mntreamer_ladder_waiting(r));
    }

    return lowest;
}


void
ngx_mntreamer_ladder_run(ngx_mntreamer_session_t *s)
{
    uint64_t                 number;
    ngx_uint_t               behind;
    ngx_mntreamer_ladder_t  *l;

    l = &s->ladder;

    if (l->n == 0 || l->look
        || (s->state != NGX_MNTREAMER_SESSION_RUNNING
            && s->state != NGX_MNTREAMER_SESSION_ENDING))
    {
        return;
    }

    if (l->again && !s->rec->draining) {
        ngx_mntreamer_ladder_look(s);
        return;
    }

    if (l->child) {

        /* one that waits for others, or hangs, does not make viewers wait */

        (void) ngx_mntreamer_ladder_lowest(s, &behind);

        if (behind > NGX_MNTREAMER_LADDER_BEHIND) {
            ngx_mntreamer_ladder_stop(s);
        }
    }

    while (l->child == NULL || l->hurried) {
        number = ngx_mntreamer_ladder_lowest(s, &behind);

        if (number == 0 || (s->rec->draining && s->over == NULL)
            || ngx_mntreamer_storage_space(s->rec->st)->paused)
        {
            return;
        }

        if (number != l->number) {
            l->number = number;
            l->tries = 0;
            l->retry_at = ngx_current_msec;
        }

        if (l->hurried || l->tries >= NGX_MNTREAMER_LADDER_TRIES
            || behind > NGX_MNTREAMER_LADDER_BEHIND)
        {
            ngx_mntreamer_ladder_link(s);
            continue;
        }

        if ((ngx_msec_int_t) (ngx_current_msec - l->retry_at) < 0
            || ngx_mntreamer_ladder_ask(s) == NGX_OK
            || ngx_mntreamer_ladder_make(s) != NGX_OK)
        {
            return;
        }
    }
}


void
ngx_mntreamer_ladder_hurry(ngx_mntreamer_session_t *s)
{
    if (s->ladder.n == 0 || s->ladder.hurried) {
        return;
    }

    s->ladder.hurried = 1;

    if (s->ladder.child) {
        ngx_mntreamer_ladder_stop(s);
    }
}


/* the source's own segment takes the place of what was not made */

static void
ngx_mntreamer_ladder_link(ngx_mntreamer_session_t *s)
{
    ngx_str_t                   file;
    ngx_uint_t                  i;
    ngx_mntreamer_ladder_t     *l;
    ngx_mntreamer_segment_t    *sg;
    ngx_mntreamer_rendition_t  *r;

    l = &s->ladder;

    for (i = 0; i < l->n; i++) {
        r = ngx_mntreamer_ladder_rung(s, i);
        sg = ngx_mntreamer_ladder_next(r);

        if (sg == NULL || sg->seen.sequence != l->number) {
            continue;
        }

        file.data = sg->url.data;
        file.len = sg->url.len;

        sg->part = ngx_mntreamer_part_again(r->track, &file,
                                            ngx_mntreamer_ladder_adopted, sg);

        if (sg->part == NULL) {
            ngx_mntreamer_segment_retry(sg, NGX_MNTREAMER_GAP_DISK, 1);
            continue;
        }

        sg->state = NGX_MNTREAMER_SEGMENT_FETCHING;
        r->fetching++;
        l->linked++;

        ngx_mntreamer_metrics_add(s->rec->metrics,
                                  NGX_MNTREAMER_M_RENDITIONS, 1, 1);
    }

    if (l->linked && (l->told_ms == 0
                      || ngx_current_msec - l->told_ms
                         >= NGX_MNTREAMER_LADDER_TOLD_MS))
    {
        ngx_log_error(NGX_LOG_WARN, s->log, 0,
                      "mntreamer: %ui segments of renditions of recording %L "
                      "were not made in time, viewers get those of the source",
                      l->linked, s->recording_id);

        l->told_ms = ngx_current_msec;
        l->linked = 0;
    }
}


void
ngx_mntreamer_ladder_made(void *data,
    const ngx_mntreamer_child_result_t *result)
{
    ngx_mntreamer_session_t *s = data;

    ngx_uint_t                  i;
    ngx_mntreamer_segment_t    *sg;
    ngx_mntreamer_rendition_t  *r;

    s->ladder.child = NULL;

    if (result->rc != NGX_MNTREAMER_CHILD_OK) {
        ngx_mntreamer_ladder_failed(s, result);
        return;
    }

    for (i = 0; i < s->ladder.n; i++) {
        r = ngx_mntreamer_ladder_rung(s, i);
        sg = ngx_mntreamer_ladder_at_work(r);

        if (sg == NULL) {
            continue;
        }

        if (ngx_mntreamer_part_made(sg->part, ngx_mntreamer_ladder_adopted, sg)
            != NGX_OK)
        {
            ngx_mntreamer_ladder_back(sg);
            continue;
        }

        sg->state = NGX_MNTREAMER_SEGMENT_FETCHING;
        r->fetching++;

        ngx_mntreamer_metrics_add(s->rec->metrics,
                                  NGX_MNTREAMER_M_RENDITIONS, 0, 1);
    }

    ngx_mntreamer_ladder_run(s);
}


void
ngx_mntreamer_ladder_failed(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_child_result_t *result)
{
    u_char                    buf[512];
    ngx_str_t                 why;
    ngx_uint_t                i;
    ngx_mntreamer_ladder_t   *l;
    ngx_mntreamer_segment_t  *sg;

    l = &s->ladder;

    for (i = 0; i < l->n; i++) {
        sg = ngx_mntreamer_ladder_at_work(ngx_mntreamer_ladder_rung(s, i));

        if (sg) {
            ngx_mntreamer_ladder_back(sg);
        }
    }

    l->retry_at = ngx_current_msec
                  + (NGX_MNTREAMER_LADDER_RETRY_MS << ngx_min(l->tries, 3));
    l->tries++;

    if (result && !l->failed) {
        l->failed = 1;

        why = ngx_mntreamer_child_text(result, buf, sizeof(buf));

        ngx_log_error(NGX_LOG_ERR, s->log, 0,
                      "mntreamer: a segment of renditions of recording %L was "
                      "not made: ffmpeg %V", s->recording_id, &why);
    }
}


static void
ngx_mntreamer_ladder_back(ngx_mntreamer_segment_t *sg)
{
    if (sg->part) {
        ngx_mntreamer_part_abort(sg->part);
        sg->part = NULL;
    }

    sg->state = NGX_MNTREAMER_SEGMENT_QUEUED;
}


static void
ngx_mntreamer_ladder_adopted(void *data, ngx_uint_t rc)
{
    ngx_mntreamer_segment_t *sg = data;

    ngx_mntreamer_rendition_t  *r;

    r = sg->rendition;

    if (rc == NGX_MNTREAMER_STORE_OK) {
        ngx_mntreamer_segment_fetched(sg);

    } else if (rc == NGX_MNTREAMER_STORE_MISSING) {
        sg->cause = NGX_MNTREAMER_GAP_DISK;
        ngx_mntreamer_segment_lose(sg);

    } else {
        r->session->ladder.tries++;
        ngx_mntreamer_segment_retry(sg, NGX_MNTREAMER_GAP_DISK, 1);
    }

    ngx_mntreamer_rendition_run(r);
}
