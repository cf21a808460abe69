
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Segments and initialisation sections on their way: several are fetched at
 * once, oldest first; what fails is tried again while the source may still
 * have it.  The order of the queue is the order of the stream; _commit.c takes
 * from its front.  Holes (what cannot be had) stand in the queue as well.
 *
 * state     entered by      waits for         deadline        then
 * QUEUED    playlist        a free fetch      its lifetime    FETCHING, LOST
 * KEY       no key yet      the key           its lifetime    FETCHING, LOST
 * FETCHING  its turn        the transfer      total_ms        FETCHED, WAITING
 * WAITING   a failure       the next try      its lifetime    FETCHING, LOST
 * RENEWING  401, 403        a fresh playlist  its lifetime    QUEUED, LOST
 * FETCHED   all bytes       its turn          of those before STORING
 * STORING   commit          the storage       of the storage  gone, WAITING
 * LOST      given up        its turn          of those before gone
 *
 * The lifetime is what RFC 8216 6.2.2 promises at least: the length of the
 * window in which it was listed and a target duration; half an hour at most.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"
#include "../base/mnt_backoff.h"
#include "../base/mnt_url.h"


#define NGX_MNTREAMER_SEGMENT_RETRY_MS  300
#define NGX_MNTREAMER_SEGMENT_TOTAL_MS  5000
#define NGX_MNTREAMER_SEGMENT_PAUSE_MS  500


static ngx_int_t ngx_mntreamer_segment_map(ngx_mntreamer_rendition_t *r,
    const mnt_hls_segment_t *seg, mnt_str_t base, ngx_msec_t deadline);
static ngx_int_t ngx_mntreamer_segment_key(ngx_mntreamer_segment_t *sg,
    const mnt_hls_key_t *key, mnt_str_t base, uint64_t sequence);
static void ngx_mntreamer_segment_leave(ngx_mntreamer_segment_t *sg);
static ngx_uint_t ngx_mntreamer_segment_locked(
    const ngx_mntreamer_segment_t *sg);
static ngx_uint_t ngx_mntreamer_segment_due(ngx_mntreamer_segment_t *sg,
    ngx_msec_int_t *wake);
static void ngx_mntreamer_segment_start(ngx_mntreamer_segment_t *sg);
static ngx_int_t ngx_mntreamer_segment_body(void *data,
    const ngx_mntreamer_answer_t *head, u_char *p, size_t len);
static void ngx_mntreamer_segment_done(void *data,
    const ngx_mntreamer_answer_t *answer);
static void ngx_mntreamer_segment_judge(ngx_mntreamer_segment_t *sg,
    const ngx_mntreamer_answer_t *answer);
static void ngx_mntreamer_segment_renew(ngx_mntreamer_segment_t *sg);


ngx_mntreamer_segment_t *
ngx_mntreamer_segment_get(ngx_mntreamer_rendition_t *r, ngx_uint_t kind)
{
    ngx_queue_t               *q;
    ngx_mntreamer_text_t       url;
    ngx_mntreamer_segment_t   *sg;
    ngx_mntreamer_recorder_t  *rec;

    rec = r->session->rec;

    if (ngx_queue_empty(&rec->spare)) {
        sg = ngx_calloc(sizeof(ngx_mntreamer_segment_t), rec->log);

        if (sg == NULL) {
            return NULL;
        }

    } else {
        q = ngx_queue_head(&rec->spare);
        ngx_queue_remove(q);
        rec->nspare--;

        sg = ngx_queue_data(q, ngx_mntreamer_segment_t, queue);
        url = sg->url;

        ngx_memzero(sg, sizeof(ngx_mntreamer_segment_t));

        sg->url = url;
        sg->url.len = 0;
    }

    sg->rendition = r;
    sg->kind = kind;
    sg->state = NGX_MNTREAMER_SEGMENT_QUEUED;
    sg->cause = NGX_MNTREAMER_GAP_NETWORK;
    sg->epoch = r->window.epoch;
    sg->renewal = r->renewal;

    return sg;
}


void
ngx_mntreamer_segment_free(ngx_mntreamer_segment_t *sg)
{
    ngx_mntreamer_recorder_t  *rec;

    rec = sg->rendition->session->rec;

    if (sg->key) {
        ngx_mntreamer_key_put(sg->key);
        sg->key = NULL;
    }

    if (rec->nspare < NGX_MNTREAMER_RECORDER_SPARE) {

        if (sg->url.size > NGX_MNTREAMER_RECORDER_SPARE_URL) {
            ngx_mntreamer_text_free(&sg->url);
        }

        ngx_queue_insert_head(&rec->spare, &sg->queue);
        rec->nspare++;
        return;
    }

    ngx_mntreamer_text_free(&sg->url);
    ngx_free(sg);
}


/* ends what its state holds */

static void
ngx_mntreamer_segment_leave(ngx_mntreamer_segment_t *sg)
{
    ngx_mntreamer_rendition_t  *r;

    r = sg->rendition;

    if (sg->state == NGX_MNTREAMER_SEGMENT_FETCHING) {
        r->fetching--;

    } else if (sg->state == NGX_MNTREAMER_SEGMENT_FETCHED) {
        r->ahead--;
    }

    if (sg->transfer) {
        ngx_mntreamer_curl_cancel(sg->transfer);
        sg->transfer = NULL;
    }

    if (sg->part) {
        ngx_mntreamer_part_abort(sg->part);
        sg->part = NULL;
    }
}


void
ngx_mntreamer_segment_put(ngx_mntreamer_segment_t *sg)
{
    ngx_mntreamer_segment_leave(sg);
    ngx_mntreamer_bound_remove(sg);
    ngx_mntreamer_segment_free(sg);
}


void
ngx_mntreamer_segment_lose(ngx_mntreamer_segment_t *sg)
{
    ngx_mntreamer_segment_leave(sg);

    sg->state = NGX_MNTREAMER_SEGMENT_LOST;
}


void
ngx_mntreamer_rendition_queue(ngx_mntreamer_rendition_t *r,
    const mnt_hls_segment_t *seg, mnt_str_t base, ngx_msec_t deadline)
{
    mnt_str_t                 url;
    ngx_uint_t                cause;
    ngx_mntreamer_segment_t  *sg;

    sg = NULL;
    cause = NGX_MNTREAMER_GAP_SOURCE;

    if (seg->gap) {
        goto hole;
    }

    cause = NGX_MNTREAMER_GAP_KEY;

    r->locked = 1;

    if (!ngx_mntreamer_key_readable(seg->key)) {
        ngx_mntreamer_session_encrypted(r->session, seg->key);
        goto hole;
    }

    if (seg->map && !ngx_mntreamer_key_readable(seg->map->key)) {
        ngx_mntreamer_session_encrypted(r->session, seg->map->key);
        goto hole;
    }

    r->locked = 0;

    cause = NGX_MNTREAMER_GAP_SOURCE;
    url = ngx_mntreamer_segment_url(r->session, base, seg->uri);

    if (url.data == NULL
        || ngx_mntreamer_segment_map(r, seg, base, deadline) != NGX_OK)
    {
        goto hole;
    }

    sg = ngx_mntreamer_segment_get(r, NGX_MNTREAMER_SEGMENT_MEDIA);

    if (sg == NULL
        || ngx_mntreamer_text_set(&sg->url, url.data, url.len) != NGX_OK
        || ngx_mntreamer_segment_key(sg, seg->key, base, seg->sequence)
           != NGX_OK)
    {
        goto hole;
    }

    sg->range = seg->range;
    sg->seen.sequence = seg->sequence;
    sg->seen.identity = mnt_hls_window_identity(&r->window, seg);
    sg->seen.date_ms = seg->date_ms;
    sg->duration_us = seg->duration_us;
    sg->discontinuity = seg->discontinuity;
    sg->discontinuous = seg->discontinuous || r->discontinuous;
    sg->map = seg->map ? r->map_last : 0;
    sg->deadline = deadline;

    r->discontinuous = 0;

    ngx_mntreamer_bound_insert(sg);
    ngx_mntreamer_rendition_bound(r);

    return;

hole:

    if (sg) {
        ngx_mntreamer_segment_free(sg);
    }

    ngx_mntreamer_rendition_hole(r, cause, seg->sequence, 1,
                                 seg->duration_us);
}


static ngx_int_t
ngx_mntreamer_segment_key(ngx_mntreamer_segment_t *sg,
    const mnt_hls_key_t *key, mnt_str_t base, uint64_t sequence)
{
    mnt_str_t  url;

    if (key == NULL || key->method == MNT_HLS_KEY_NONE) {
        return NGX_OK;
    }

    url = mnt_url_join(&sg->rendition->session->rec->urls, base, key->uri);

    if (url.data == NULL) {
        return NGX_ERROR;
    }

    sg->key = ngx_mntreamer_key_get(sg->rendition->session, url);

    if (sg->key == NULL) {
        return NGX_ERROR;
    }

    mnt_hls_iv(key, sequence, sg->iv);

    return NGX_OK;
}


/* the storage knows equal bytes again: another token only costs a fetch */

static ngx_int_t
ngx_mntreamer_segment_map(ngx_mntreamer_rendition_t *r,
    const mnt_hls_segment_t *seg, mnt_str_t base, ngx_msec_t deadline)
{
    uint64_t                  hash;
    mnt_str_t                 url;
    ngx_mntreamer_segment_t  *sg;
    const mnt_hls_map_t      *map;

    map = seg->map;

    if (map == NULL) {
        return NGX_OK;
    }

    url = mnt_url_join(&r->session->rec->urls, base, map->uri);

    if (url.data == NULL) {
        return NGX_ERROR;
    }

    hash = mnt_str_hash(url) * 31 + map->range.offset * 17
           + map->range.length;

    if (map->key && map->key->method != MNT_HLS_KEY_NONE) {
        hash = hash * 31 + mnt_str_hash(map->key->uri);
    }

    hash |= 1;

    if (hash == r->map_hash) {
        return NGX_OK;
    }

    sg = ngx_mntreamer_segment_get(r, NGX_MNTREAMER_SEGMENT_MAP);

    if (sg == NULL) {
        return NGX_ERROR;
    }

    if (ngx_mntreamer_text_set(&sg->url, url.data, url.len) != NGX_OK
        || ngx_mntreamer_segment_key(sg, map->key, base, seg->sequence)
           != NGX_OK)
    {
        ngx_mntreamer_segment_free(sg);
        return NGX_ERROR;
    }

    r->map_hash = hash;
    r->map_last++;

    /*
     * One that is encrypted needs an explicit IV (rfc8216bis 4.4.4.5).  With
     * none it may be clear though it stands behind the key; what it is shows.
     */

    sg->clear = (sg->key && !map->key->has_iv);
    sg->range = map->range;
    sg->seen.sequence = seg->sequence;
    sg->seen.date_ms = MNT_DATE_NONE;
    sg->map = r->map_last;
    sg->deadline = deadline;

    ngx_mntreamer_bound_insert(sg);

    return NGX_OK;
}


/*
 * URLs may carry a token that changes with each load; the number tells which
 * segment it is (RELIABILITY P6).
 */

void
ngx_mntreamer_rendition_refresh(ngx_mntreamer_rendition_t *r,
    const mnt_hls_playlist_t *p, mnt_str_t base)
{
    mnt_str_t                 url;
    uint64_t                  first, sequence;
    ngx_uint_t                renewed;
    ngx_queue_t              *q;
    ngx_mntreamer_segment_t  *sg;
    const mnt_hls_segment_t  *seg;

    first = p->nsegments ? p->segments[0].sequence : 0;

    for (q = ngx_queue_head(&r->segments);
         q != ngx_queue_sentinel(&r->segments);
         q = ngx_queue_next(q))
    {
        sg = ngx_queue_data(q, ngx_mntreamer_segment_t, queue);
        renewed = (sg->renewal < r->renewal);

        if (sg->kind == NGX_MNTREAMER_SEGMENT_HOLE
            || sg->epoch != r->window.epoch
            || (sg->state != NGX_MNTREAMER_SEGMENT_WAITING
                && sg->state != NGX_MNTREAMER_SEGMENT_RENEWING
                && !(sg->state == NGX_MNTREAMER_SEGMENT_QUEUED && renewed)))
        {
            continue;
        }

        sequence = sg->seen.sequence;

        if (sequence < first || sequence - first >= p->nsegments) {

            if (sg->state == NGX_MNTREAMER_SEGMENT_RENEWING && renewed) {
                sg->cause = NGX_MNTREAMER_GAP_WINDOW;
                ngx_mntreamer_segment_lose(sg);
            }

            continue;
        }

        seg = &p->segments[sequence - first];

        if (sg->kind == NGX_MNTREAMER_SEGMENT_MAP && seg->map == NULL) {
            continue;
        }

        url = ngx_mntreamer_segment_url(r->session, base,
                                        sg->kind == NGX_MNTREAMER_SEGMENT_MAP
                                        ? seg->map->uri : seg->uri);

        if (url.data) {
            ngx_mntreamer_bound_url(sg, url);
        }

        if (sg->state == NGX_MNTREAMER_SEGMENT_RENEWING && renewed) {
            sg->state = NGX_MNTREAMER_SEGMENT_QUEUED;
        }

        if (sg->state != NGX_MNTREAMER_SEGMENT_RENEWING) {
            sg->renewal = r->renewal;
        }
    }
}


void
ngx_mntreamer_rendition_run(ngx_mntreamer_rendition_t *r)
{
    ngx_queue_t              *q, *next;
    ngx_msec_int_t            wake;
    ngx_mntreamer_segment_t  *sg;
    ngx_mntreamer_session_t  *s;

    s = r->session;

    if (s->state != NGX_MNTREAMER_SESSION_RUNNING
        && s->state != NGX_MNTREAMER_SESSION_ENDING)
    {
        return;
    }

    ngx_mntreamer_recorder_disarm(&r->work);

    wake = NGX_MAX_INT32_VALUE;

    for (q = ngx_queue_head(&r->segments);
         q != ngx_queue_sentinel(&r->segments) && r->height == 0;
         q = next)
    {
        next = ngx_queue_next(q);
        sg = ngx_queue_data(q, ngx_mntreamer_segment_t, queue);

        if (!ngx_mntreamer_segment_due(sg, &wake)) {
            continue;
        }

        if (r->fetching + s->key_fetches >= s->rec->conf->max_fetches
            || r->ahead >= NGX_MNTREAMER_RECORDER_AHEAD)
        {
            break;
        }

        if (ngx_mntreamer_segment_locked(sg)) {
            ngx_mntreamer_key_start(sg->key);

        } else {
            ngx_mntreamer_segment_start(sg);
        }

        /* it could not: memory is gone, or the threads have too much to do */

        if (sg->state == NGX_MNTREAMER_SEGMENT_WAITING) {
            wake = ngx_min(wake, (ngx_msec_int_t) (sg->retry_at
                                                   - ngx_current_msec));
        }
    }

    ngx_mntreamer_rendition_commit(r);

    if (wake != NGX_MAX_INT32_VALUE && !ngx_queue_empty(&r->segments)) {
        ngx_mntreamer_recorder_arm(&r->work, wake);
    }

    if (s->state == NGX_MNTREAMER_SESSION_ENDING
        && ngx_queue_empty(&r->segments))
    {
        ngx_mntreamer_session_wake(s);
    }
}


/* its key is to be had first */

static ngx_uint_t
ngx_mntreamer_segment_locked(const ngx_mntreamer_segment_t *sg)
{
    return sg->key && !sg->clear && sg->key->state != NGX_MNTREAMER_KEY_READY;
}


/*
 * 1 when a fetch, of it or its key, should be started now; "wake" becomes the
 * next such time
 */

static ngx_uint_t
ngx_mntreamer_segment_due(ngx_mntreamer_segment_t *sg, ngx_msec_int_t *wake)
{
    ngx_msec_int_t  left, wait;

    if (sg->state >= NGX_MNTREAMER_SEGMENT_FETCHED
        || sg->state == NGX_MNTREAMER_SEGMENT_FETCHING)
    {
        return 0;
    }

    left = (ngx_msec_int_t) (sg->deadline - ngx_current_msec);

    if (left <= 0) {

        if (sg->state == NGX_MNTREAMER_SEGMENT_QUEUED && sg->tries == 0
            && sg->rendition->ahead >= NGX_MNTREAMER_RECORDER_AHEAD / 2)
        {
            /* it never began, because those before it wait for the disk */

            sg->cause = NGX_MNTREAMER_GAP_DISK;
        }

        ngx_mntreamer_segment_lose(sg);
        return 0;
    }

    wait = left;

    switch (sg->state) {

    case NGX_MNTREAMER_SEGMENT_WAITING:
        wait = (ngx_msec_int_t) (sg->retry_at - ngx_current_msec);

        if (wait > 0) {
            break;
        }

        /* fall through */

    case NGX_MNTREAMER_SEGMENT_KEY:
    case NGX_MNTREAMER_SEGMENT_QUEUED:

        if (ngx_mntreamer_storage_space(sg->rendition->session->rec->st)
            ->paused)
        {
            sg->cause = NGX_MNTREAMER_GAP_DISK;
            wait = NGX_MNTREAMER_SEGMENT_PAUSE_MS;
            break;
        }

        if (!ngx_mntreamer_segment_locked(sg)) {
            wait = 0;
            break;
        }

        sg->state = NGX_MNTREAMER_SEGMENT_KEY;
        sg->cause = NGX_MNTREAMER_GAP_KEY;

        if (sg->key->state == NGX_MNTREAMER_KEY_EMPTY) {
            wait = (ngx_msec_int_t) (sg->key->retry_at - ngx_current_msec);
        }

        break;

    default:
        break;
    }

    if (wait <= 0) {
        return 1;
    }

    wait = ngx_min(wait, left);
    *wake = ngx_min(*wake, wait);

    return 0;
}


static void
ngx_mntreamer_segment_start(ngx_mntreamer_segment_t *sg)
{
    int64_t                               total_ms;
    ngx_mntreamer_session_t              *s;
    ngx_mntreamer_request_t               req;
    ngx_mntreamer_rendition_t            *r;
    const ngx_mntreamer_recorder_conf_t  *conf;

    r = sg->rendition;
    s = r->session;
    conf = s->rec->conf;

    if (s->local) {
        ngx_mntreamer_segment_link(sg);
        return;
    }

    if (sg->tries) {
        ngx_mntreamer_metrics_add(s->rec->metrics,
                                  NGX_MNTREAMER_M_SEGMENT_RETRIES, 0, 1);
    }

    /* one that drips must not hold a place for ever */

    total_ms = ngx_max(4 * sg->duration_us / 1000,
                       NGX_MNTREAMER_SEGMENT_TOTAL_MS);

    ngx_mntreamer_session_request(s, &req);

    req.url.data = sg->url.data;
    req.url.len = sg->url.len;
    req.range_start = (off_t) sg->range.offset;
    req.range_length = (off_t) sg->range.length;
    req.max_bytes = conf->max_segment;
    req.total_ms = ngx_min((ngx_msec_t) total_ms, conf->segment_ms);
    req.connect_ms = ngx_min(req.connect_ms, req.total_ms);
    req.body = ngx_mntreamer_segment_body;
    req.done = ngx_mntreamer_segment_done;
    req.data = sg;

    sg->transfer = ngx_mntreamer_curl_start(s->rec->curl, &req);

    if (sg->transfer == NULL) {
        ngx_mntreamer_segment_retry(sg, NGX_MNTREAMER_GAP_NETWORK, 0);
        return;
    }

    sg->state = NGX_MNTREAMER_SEGMENT_FETCHING;
    r->fetching++;
}


static ngx_int_t
ngx_mntreamer_segment_body(void *data, const ngx_mntreamer_answer_t *head,
    u_char *p, size_t len)
{
    ngx_mntreamer_segment_t *sg = data;

    mnt_recorder_answer_t      answer;
    ngx_mntreamer_part_conf_t  conf;

    if (sg->part) {
        return ngx_mntreamer_part_write(sg->part, p, len);
    }

    answer.http = (unsigned) head->http;
    answer.content_length = (int64_t) head->content_length;
    answer.range_start = (int64_t) head->range_start;
    answer.range_length = (int64_t) head->range_length;
    answer.encoded = (head->encoded != 0);

    if (!mnt_recorder_acceptable(&sg->range, &answer)) {
        sg->cause = NGX_MNTREAMER_GAP_CONTENT;
        return NGX_ERROR;
    }

    ngx_memzero(&conf, sizeof(ngx_mntreamer_part_conf_t));

    conf.init = (sg->kind == NGX_MNTREAMER_SEGMENT_MAP);
    conf.known = sg->clear;
    conf.expect = (off_t) mnt_recorder_expect(&sg->range, &answer);

    if (sg->key && !sg->clear) {
        conf.key = sg->key->bytes;
        conf.iv = sg->iv;
    }

    sg->part = ngx_mntreamer_part_create(sg->rendition->track, &conf);

    if (sg->part == NULL) {
        sg->cause = NGX_MNTREAMER_GAP_DISK;
        return NGX_ERROR;
    }

    return ngx_mntreamer_part_write(sg->part, p, len);
}


static void
ngx_mntreamer_segment_done(void *data, const ngx_mntreamer_answer_t *answer)
{
    ngx_mntreamer_segment_t *sg = data;

    ngx_mntreamer_rendition_t  *r;

    r = sg->rendition;

    sg->transfer = NULL;

    ngx_mntreamer_segment_judge(sg, answer);
    ngx_mntreamer_rendition_run(r);
}


static void
ngx_mntreamer_segment_judge(ngx_mntreamer_segment_t *sg,
    const ngx_mntreamer_answer_t *answer)
{
    ngx_uint_t                  rc;
    ngx_mntreamer_session_t    *s;
    ngx_mntreamer_rendition_t  *r;

    r = sg->rendition;
    s = r->session;

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, s->log, 0,
                   "mntreamer segment %uL: rc:%ui http:%ui %O bytes",
                   sg->seen.sequence, answer->rc, answer->http,
                   answer->received);

    switch (answer->rc) {

    case NGX_MNTREAMER_TRANSFER_OK:
        break;

    case NGX_MNTREAMER_TRANSFER_REFUSED:

        /* by _body(): not what was asked for, too much of it, or the disk */

        if (sg->part) {
            ngx_mntreamer_segment_unstored(sg,
                                           ngx_mntreamer_part_check(sg->part));

        } else if (sg->cause == NGX_MNTREAMER_GAP_DISK) {
            ngx_mntreamer_segment_retry(sg, NGX_MNTREAMER_GAP_DISK, 1);

        } else {
            ngx_mntreamer_segment_retry(sg, NGX_MNTREAMER_GAP_CONTENT, 0);
        }

        return;

    case NGX_MNTREAMER_TRANSFER_TOO_LARGE:
    case NGX_MNTREAMER_TRANSFER_FORBIDDEN:
        ngx_mntreamer_segment_retry(sg, NGX_MNTREAMER_GAP_CONTENT, 0);
        return;

    default:
        ngx_mntreamer_segment_retry(sg, NGX_MNTREAMER_GAP_NETWORK, 1);
        return;
    }

    if (ngx_mntreamer_session_unserved(s, answer->http, sg->tries)) {
        ngx_mntreamer_segment_renew(sg);
        return;
    }

    if (answer->http >= 500 || answer->http == 429) {
        ngx_mntreamer_segment_retry(sg, NGX_MNTREAMER_GAP_NETWORK, 1);
        return;
    }

    /* no part: another status, or nothing in it */

    rc = sg->part ? ngx_mntreamer_part_check(sg->part)
                  : NGX_MNTREAMER_STORE_EMPTY;

    if (rc != NGX_MNTREAMER_STORE_OK) {
        ngx_mntreamer_segment_unstored(sg, rc);
        return;
    }

    ngx_mntreamer_segment_fetched(sg);

    s->renewals = 0;
    ngx_mntreamer_session_playable(s);
}


void
ngx_mntreamer_segment_fetched(ngx_mntreamer_segment_t *sg)
{
    sg->rendition->fetching--;
    sg->rendition->ahead++;
    sg->state = NGX_MNTREAMER_SEGMENT_FETCHED;
}


/* what the storage said about its bytes */

void
ngx_mntreamer_segment_unstored(ngx_mntreamer_segment_t *sg, ngx_uint_t rc)
{
    switch (rc) {

    case NGX_MNTREAMER_STORE_EMPTY:
    case NGX_MNTREAMER_STORE_SHORT:
        ngx_mntreamer_segment_retry(sg, NGX_MNTREAMER_GAP_NETWORK, 0);
        return;

    case NGX_MNTREAMER_STORE_CONTENT:
        sg->clear = 0;
        ngx_mntreamer_segment_retry(sg, NGX_MNTREAMER_GAP_CONTENT, 0);
        return;

    case NGX_MNTREAMER_STORE_DECRYPT:

        /* another key may be behind the same URI by now */

        if (sg->key && sg->key->state == NGX_MNTREAMER_KEY_READY) {
            sg->key->state = NGX_MNTREAMER_KEY_EMPTY;
        }

        ngx_mntreamer_segment_retry(sg, NGX_MNTREAMER_GAP_KEY, 0);
        return;

    default:
        sg->rendition->session->gone |= (rc == NGX_MNTREAMER_STORE_GONE);
        ngx_mntreamer_segment_retry(sg, NGX_MNTREAMER_GAP_DISK, 1);
        return;
    }
}


void
ngx_mntreamer_segment_retry(ngx_mntreamer_segment_t *sg, ngx_uint_t cause,
    ngx_uint_t patient)
{
    int64_t                     cap_ms;
    ngx_mntreamer_recorder_t   *rec;
    ngx_mntreamer_rendition_t  *r;

    r = sg->rendition;
    rec = r->session->rec;

    sg->cause = cause;

    /* the end of a recording gives up once what is not there, and this now */

    if ((!patient && sg->tries >= rec->conf->retries)
        || (ngx_msec_int_t) (sg->deadline - ngx_current_msec) <= 0
        || r->session->hurried)
    {
        ngx_mntreamer_segment_lose(sg);
        return;
    }

    ngx_mntreamer_segment_leave(sg);

    cap_ms = ngx_max(r->target_ms, 1000);

    sg->state = NGX_MNTREAMER_SEGMENT_WAITING;
    sg->retry_at = ngx_current_msec
                   + (ngx_msec_t) mnt_backoff_retry((unsigned) sg->tries,
                                       NGX_MNTREAMER_SEGMENT_RETRY_MS, cap_ms,
                                       (uint32_t) ngx_random());
    sg->tries++;

    if (rec->draining) {
        r->session->stuck = 1;
        ngx_mntreamer_session_wake(r->session);
    }
}


static void
ngx_mntreamer_segment_renew(ngx_mntreamer_segment_t *sg)
{
    ngx_mntreamer_session_t  *s;

    s = sg->rendition->session;

    sg->cause = NGX_MNTREAMER_GAP_NETWORK;

    if (sg->tries >= s->rec->conf->retries
        || s->state != NGX_MNTREAMER_SESSION_RUNNING)
    {
        ngx_mntreamer_segment_lose(sg);
        return;
    }

    ngx_mntreamer_segment_leave(sg);

    sg->tries++;
    sg->state = NGX_MNTREAMER_SEGMENT_RENEWING;
    sg->renewal = s->renewed;

    s->wanted = 1;

    ngx_mntreamer_session_wake(s);
}
