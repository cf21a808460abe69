
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * A session: one recording from the first playlist to ENDLIST.  It owns its
 * renditions and, through the catalogue, its streamer's lease.  Completions
 * note what happened and call _run() or wake it; a tick each half second looks
 * at deadlines.  Nothing is destroyed inside a callback of the storage: it is
 * posted.
 *
 * state    entered by      waits for         deadline       then     on cancel
 * FINDING  taken over      its directory     60 s, alert    ASKING   cancel
 *          path known      its directory     60 s, alert    TRACKS   cancel
 *          it is foreign   that one's row    none: 2 s more OPENING  GONE
 * ASKING   it was looked   platform          ladder, grace  MASTER   cancel
 * MASTER   live            first playlist    20 s           MEDIA    cancel
 *          it is local     what it holds     6 s            OPENING  cancel
 * MEDIA    variant chosen  its playlist      20 s           OPENING  cancel
 * OPENING  it has media    row and path      none: 2 s more FINDING  GONE
 * TRACKS   it was looked   tracks open       60 s, alert    RUNNING  abandon
 * RUNNING  tracks open     the end           grace          ENDING   abandon
 * ENDING   it is over      queued segments   10 s; rungs 2  CLOSING  abandon
 * CLOSING  nothing queued  tracks closed     30 s, alert    GONE     abandon
 *          no room         the next try      2 s, 1 h      CLOSING  abandon
 * GONE     dropped         row's callback    -              freed    freed
 *
 * A recording that was taken over has its row: MASTER leads to TRACKS, and
 * what fails before it runs leads back to ASKING; what gets no answer is tried
 * again for a while before.  When it is over already,
 * TRACKS opens what is on the disk and leads to CLOSING.  OPENING has no
 * deadline because the database may be away for as long as it likes.  A
 * playlist that does not get its ENDLIST keeps the lease for five minutes, or
 * as long as the disk is full; then the recording is left to itself, and its
 * session tries once an hour.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"
#include "../base/mnt_url.h"


#define NGX_MNTREAMER_SESSION_POOL      4096
#define NGX_MNTREAMER_SESSION_TICK      500
#define NGX_MNTREAMER_SESSION_OPEN      60000
#define NGX_MNTREAMER_SESSION_PROBED    6000  /* what a source is */
#define NGX_MNTREAMER_SESSION_RETRY     2000
#define NGX_MNTREAMER_SESSION_NEXT      5000  /* asked again after an end */
#define NGX_MNTREAMER_SESSION_REDIRECTS 3
#define NGX_MNTREAMER_SESSION_DETAIL    5     /* each fifth refresh */
#define NGX_MNTREAMER_SESSION_LABEL     1024


static ngx_int_t ngx_mntreamer_session_identify(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_claim_t *claim);
static ngx_int_t ngx_mntreamer_session_label(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_session_tick(ngx_event_t *ev);
static void ngx_mntreamer_session_posted(ngx_event_t *ev);
static void ngx_mntreamer_session_starting(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_session_running(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_session_cancel(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_session_abandon(ngx_mntreamer_session_t *s);


const char  *ngx_mntreamer_session_names[] = {
    "finding", "asking", "master", "media", "opening", "tracks", "running",
    "ending", "closing", "gone"
};


ngx_mntreamer_session_t *
ngx_mntreamer_session_create(ngx_mntreamer_recorder_t *rec,
    const ngx_mntreamer_claim_t *claim, const mnt_probe_t *probe)
{
    ngx_pool_t               *pool;
    ngx_mntreamer_session_t  *s;

    pool = ngx_create_pool(NGX_MNTREAMER_SESSION_POOL, rec->log);

    if (pool == NULL) {
        return NULL;
    }

    s = ngx_pcalloc(pool, sizeof(ngx_mntreamer_session_t));

    if (s == NULL) {
        ngx_destroy_pool(pool);
        return NULL;
    }

    s->rec = rec;
    s->pool = pool;
    s->log = rec->log;
    s->since = ngx_current_msec;
    s->ident.data = s;
    s->ident.fd = (ngx_socket_t) -1;
    s->opened_ms = MNT_DATE_NONE;
    s->viewers = -1;

    ngx_queue_init(&s->keys);
    ngx_queue_init(&s->queue);

    ngx_mntreamer_recorder_event(&s->tick, ngx_mntreamer_session_tick,
                                 &s->ident, s->log);
    ngx_mntreamer_recorder_event(&s->post, ngx_mntreamer_session_posted,
                                 &s->ident, s->log);

    mnt_recorder_end_init(&s->end, (int64_t) ngx_current_msec);

    s->end.check_ms = (int64_t) rec->conf->end_check_ms;
    s->end.refresh_ms = (int64_t) rec->conf->refresh_ms;
    s->end.grace_ms = ngx_max((int64_t) rec->conf->resume_ms,
                              s->end.grace_ms);

    if (ngx_mntreamer_session_identify(s, claim) != NGX_OK) {
        goto failed;
    }

    if (probe) {
        s->state = NGX_MNTREAMER_SESSION_MASTER;

        if (ngx_mntreamer_session_learn(s, probe) != NGX_OK
            || ngx_mntreamer_text_set(&s->source, probe->playlist_url.data,
                                      probe->playlist_url.len)
               != NGX_OK)
        {
            goto failed;
        }

    } else {
        s->state = NGX_MNTREAMER_SESSION_FINDING;
        s->retry_at = ngx_current_msec;
        s->resume = 1;
        s->recorded = 1;
        s->end.waiting = 1;
    }

    return s;

failed:

    ngx_mntreamer_session_destroy(s);

    return NULL;
}


static ngx_int_t
ngx_mntreamer_session_identify(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_claim_t *claim)
{
    unsigned                   i;
    ngx_str_t                  text;
    const mnt_platform_t      *p;
    ngx_mntreamer_recorder_t  *rec;

    rec = s->rec;

    s->streamer_id = claim->streamer_id;
    s->epoch = claim->epoch;
    s->platform = claim->platform;
    s->starts = claim->starts;
    s->recording_id = claim->recording_id;
    s->stored = (claim->stored != 0);
    s->fresh = (claim->recording_id == 0 && !s->stored);
    s->platform_name = "";

    for (i = 0; i < mnt_platform_count(); i++) {
        p = mnt_platform_at(i);

        if (p->id == claim->platform) {
            s->platform_name = p->name;
            s->local = (p->pushed != 0);
            s->end.certain = s->local;
        }
    }

    text = claim->channel_id;
    s->channel_id.len = text.len;
    s->channel_id.data = ngx_pstrdup(s->pool, &text);

    text = claim->path;
    s->path.len = text.len;
    s->path.data = ngx_pstrdup(s->pool, &text);

    if (s->channel_id.data == NULL
        || s->path.data == NULL
        || ngx_mntreamer_session_label(s) != NGX_OK
        || ngx_mntreamer_text_set(&s->quality, claim->quality.data,
                                  claim->quality.len) != NGX_OK
        || ngx_mntreamer_text_set(&s->channel_name, claim->channel_name.data,
                                  claim->channel_name.len) != NGX_OK
        || ngx_mntreamer_text_set(&s->broadcast_id, claim->broadcast_id.data,
                                  claim->broadcast_id.len) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* without a recording to go on with it belongs to some older one */

    if (s->recording_id == 0) {
        s->broadcast_id.len = 0;
    }

    s->end.identified = (s->broadcast_id.len != 0);

    if (rec->deps.platform(rec->deps.data, s->platform, &s->user_agent,
                           &s->proxy, &s->api, &s->cookies)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, s->log, 0,
                      "mntreamer: platform %i is not known", s->platform);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * A channel may be the URL of a playlist with a secret in it, which does not
 * belong into a log; a hash tells it from others there.
 */

static ngx_int_t
ngx_mntreamer_session_label(ngx_mntreamer_session_t *s)
{
    char        buf[NGX_MNTREAMER_SESSION_LABEL];
    size_t      len;
    mnt_str_t   channel;

    s->label = s->channel_id;

    channel.data = (char *) s->channel_id.data;
    channel.len = s->channel_id.len;

    if (!mnt_str_starts(channel, "http://")
        && !mnt_str_starts(channel, "https://"))
    {
        return NGX_OK;
    }

    len = mnt_url_redact(channel, buf, sizeof(buf));

    if (len == channel.len && ngx_memcmp(buf, channel.data, len) == 0) {
        return NGX_OK;
    }

    s->label.data = ngx_pnalloc(s->pool, len + sizeof("-01234567"));

    if (s->label.data == NULL) {
        return NGX_ERROR;
    }

    s->label.len = ngx_sprintf(s->label.data, "%*s-%08xD", len, buf,
                               (uint32_t) mnt_str_hash(channel))
                   - s->label.data;

    return NGX_OK;
}


/* cancels all, frees all; nothing of it is called any more */

void
ngx_mntreamer_session_destroy(ngx_mntreamer_session_t *s)
{
    ngx_mntreamer_session_cancel(s);
    ngx_mntreamer_session_abandon(s);

    if (s->state != NGX_MNTREAMER_SESSION_GONE && !ngx_queue_empty(&s->queue))
    {
        s->rec->count--;
    }

    ngx_queue_remove(&s->queue);

    ngx_mntreamer_text_free(&s->broadcast_id);
    ngx_mntreamer_text_free(&s->quality);
    ngx_mntreamer_text_free(&s->channel_name);
    ngx_mntreamer_text_free(&s->title);
    ngx_mntreamer_text_free(&s->category);
    ngx_mntreamer_text_free(&s->image);
    ngx_mntreamer_text_free(&s->source);
    ngx_mntreamer_text_free(&s->first);
    ngx_mntreamer_text_free(&s->first_base);
    ngx_mntreamer_session_looks_free(s);
    ngx_mntreamer_text_free(&s->earlier);

    ngx_destroy_pool(s->pool);
}


void
ngx_mntreamer_session_drop(ngx_mntreamer_session_t *s)
{
    ngx_mntreamer_recorder_t  *rec;

    rec = s->rec;

    if (s->state == NGX_MNTREAMER_SESSION_GONE) {
        return;
    }

    if (!s->pending) {
        ngx_mntreamer_session_destroy(s);
        ngx_mntreamer_recorder_left(rec);
        return;
    }

    ngx_mntreamer_session_cancel(s);
    ngx_mntreamer_session_abandon(s);
    ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_GONE);

    rec->count--;

    ngx_mntreamer_recorder_left(rec);
}


static void
ngx_mntreamer_session_cancel(ngx_mntreamer_session_t *s)
{
    ngx_mntreamer_recorder_t  *rec;

    rec = s->rec;

    if (s->asking) {
        rec->deps.probe_cancel(rec->deps.data, s->asking);
        s->asking = NULL;
    }

    if (s->master) {
        ngx_mntreamer_curl_cancel(s->master);
        s->master = NULL;
    }

    if (s->look) {
        ngx_mntreamer_live_cancel(s->look);
        s->look = NULL;
    }

    ngx_mntreamer_ladder_stop(s);
}


static void
ngx_mntreamer_session_abandon(ngx_mntreamer_session_t *s)
{
    ngx_uint_t                  i;
    ngx_mntreamer_rendition_t  *r;

    s->rec->deps.over(s->rec->deps.data, s->recording_id, 0);

    for (i = 0; i < s->nrenditions; i++) {
        r = &s->renditions[i];

        ngx_mntreamer_rendition_stop(r);
        ngx_mntreamer_rendition_clear(r);
        ngx_mntreamer_text_free(&r->url);

        if (r->track) {
            ngx_mntreamer_track_abandon(r->track);
            r->track = NULL;
        }
    }

    s->nrenditions = 0;

    ngx_mntreamer_session_unfind(s);
    ngx_mntreamer_keys_free(s);
    ngx_mntreamer_recorder_disarm(&s->tick);

    if (s->post.posted) {
        ngx_delete_posted_event(&s->post);
    }
}


void
ngx_mntreamer_session_to(ngx_mntreamer_session_t *s, ngx_uint_t next)
{
    ngx_log_debug3(NGX_LOG_DEBUG_CORE, s->log, 0,
                   "mntreamer session %L: %s -> %s", s->streamer_id,
                   ngx_mntreamer_session_names[s->state],
                   ngx_mntreamer_session_names[next]);

    s->state = next;
    s->since = ngx_current_msec;
    s->retry_at = ngx_current_msec;
    s->tries = 0;
}


void
ngx_mntreamer_session_wake(ngx_mntreamer_session_t *s)
{
    if (s->state == NGX_MNTREAMER_SESSION_GONE || s->post.posted) {
        return;
    }

    ngx_post_event(&s->post, &ngx_posted_events);
}


static void
ngx_mntreamer_session_posted(ngx_event_t *ev)
{
    ngx_mntreamer_ident_t *ident = ev->data;

    ngx_mntreamer_session_run(ident->data);
}


static void
ngx_mntreamer_session_tick(ngx_event_t *ev)
{
    ngx_mntreamer_ident_t *ident = ev->data;

    ngx_mntreamer_session_run(ident->data);
}


ngx_uint_t
ngx_mntreamer_session_past(ngx_mntreamer_session_t *s, ngx_msec_t ms)
{
    return ngx_current_msec - s->since >= ms;
}


/* must be the last call of a handler: the session may be gone behind it */

void
ngx_mntreamer_session_run(ngx_mntreamer_session_t *s)
{
    if (s->taken && s->state < NGX_MNTREAMER_SESSION_GONE) {
        ngx_log_error(NGX_LOG_WARN, s->log, 0,
                      "mntreamer: recording %L is written by somebody else "
                      "and is dropped here", s->recording_id);

        ngx_mntreamer_catalog_lease_return(s->rec->cat, s->streamer_id,
                                           s->epoch);
        ngx_mntreamer_session_drop(s);
        return;
    }

    if (s->gone && s->over == NULL) {
        ngx_mntreamer_session_gone(s);
    }

    ngx_mntreamer_recorder_arm(&s->tick,
                         ngx_mntreamer_tick_in(NGX_MNTREAMER_SESSION_TICK));

    switch (s->state) {

    case NGX_MNTREAMER_SESSION_FINDING:
        ngx_mntreamer_session_finding(s);
        break;

    case NGX_MNTREAMER_SESSION_ASKING:
    case NGX_MNTREAMER_SESSION_RUNNING:
        ngx_mntreamer_session_running(s);
        break;

    case NGX_MNTREAMER_SESSION_MASTER:
    case NGX_MNTREAMER_SESSION_MEDIA:
    case NGX_MNTREAMER_SESSION_OPENING:
    case NGX_MNTREAMER_SESSION_TRACKS:
        ngx_mntreamer_session_starting(s);
        break;

    case NGX_MNTREAMER_SESSION_ENDING:
        ngx_mntreamer_session_ending(s);
        break;

    case NGX_MNTREAMER_SESSION_CLOSING:
        ngx_mntreamer_session_closing(s);
        break;

    default:
        break;
    }
}


static void
ngx_mntreamer_session_starting(ngx_mntreamer_session_t *s)
{
    ngx_mntreamer_session_look_on(s);

    if (s->state == NGX_MNTREAMER_SESSION_TRACKS) {

        if (s->opening) {
            if (ngx_mntreamer_session_past(s, NGX_MNTREAMER_SESSION_OPEN)) {
                ngx_log_error(NGX_LOG_ALERT, s->log, 0,
                              "mntreamer: the tracks of recording %L did not "
                              "open", s->recording_id);

                ngx_mntreamer_catalog_lease_drop(s->rec->cat, s->streamer_id);
                ngx_mntreamer_session_drop(s);
            }

            return;
        }

        if ((ngx_msec_int_t) (ngx_current_msec - s->retry_at) >= 0) {
            ngx_mntreamer_session_tracks(s);
        }

        return;
    }

    if (s->local && s->check && !s->asking) {

        /* it may be over before its first fragment was complete */

        s->check = 0;
        ngx_mntreamer_session_ask(s, 1);
    }

    if (s->state == NGX_MNTREAMER_SESSION_MASTER && s->ladder.child
        && ngx_current_msec - s->ladder.asked_ms
           >= NGX_MNTREAMER_SESSION_PROBED)
    {
        /* its fragments do not wait: it is recorded as it is sent */

        ngx_mntreamer_ladder_stop(s);
        ngx_mntreamer_session_known(s);
        ngx_mntreamer_session_wake(s);
        return;
    }

    if (s->master || s->look || s->ladder.child || s->pending
        || (ngx_msec_int_t) (ngx_current_msec - s->retry_at) < 0)
    {
        return;
    }

    if (s->state == NGX_MNTREAMER_SESSION_OPENING) {
        s->retry_at = ngx_current_msec + NGX_MNTREAMER_SESSION_RETRY;
        ngx_mntreamer_session_open(s);
        return;
    }

    if (ngx_mntreamer_session_past(s, NGX_MNTREAMER_SESSION_START)) {

        if (s->recorded && !s->local) {
            ngx_mntreamer_session_renew(s);
            ngx_mntreamer_session_wake(s);
            return;
        }

        ngx_mntreamer_session_end(s, s->trouble ? s->trouble : "no playlist",
                                  0);
        return;
    }

    if (s->local) {
        ngx_mntreamer_session_look(s);

    } else if (s->state == NGX_MNTREAMER_SESSION_MASTER) {
        ngx_mntreamer_session_load(s);

    } else {
        ngx_mntreamer_session_media(s);
    }
}


static void
ngx_mntreamer_session_running(ngx_mntreamer_session_t *s)
{
    int64_t      now;
    ngx_uint_t   detail;
    const char  *why;

    now = (int64_t) ngx_current_msec;

    why = mnt_recorder_end_over(&s->end, now);

    if (why) {
        ngx_mntreamer_session_end(s, why, s->local ? 1
                                             : NGX_MNTREAMER_SESSION_NEXT);
        return;
    }

    if (s->nrenditions
        && s->renditions[0].segments_total >= NGX_MNTREAMER_RECORDER_LONGEST)
    {
        /* what the source has is stored in both, nothing in none */

        ngx_mntreamer_session_end(s, "very long, another one follows", 0);
        return;
    }

    ngx_mntreamer_session_told(s, 0);
    ngx_mntreamer_ladder_run(s);

    if (s->asking || s->master) {
        return;
    }

    if ((ngx_msec_int_t) (ngx_current_msec - ngx_mntreamer_session_ask_at(s))
        < 0)
    {
        return;
    }

    /* for facts the cheap question will do, but it does not tell everything */

    detail = s->wanted || s->check || !s->end.live
             || s->state == NGX_MNTREAMER_SESSION_ASKING
             || s->asked % NGX_MNTREAMER_SESSION_DETAIL == 0
             || mnt_recorder_end_quiet(&s->end, now);

    s->check = 0;

    ngx_mntreamer_session_ask(s, detail);
}


/* "why" is a static text */

void
ngx_mntreamer_session_end(ngx_mntreamer_session_t *s, const char *why,
    int64_t next_ms)
{
    ngx_uint_t  i;

    if (s->over || s->state == NGX_MNTREAMER_SESSION_GONE) {
        return;
    }

    s->over = why;
    s->next_ms = next_ms;

    ngx_mntreamer_session_cancel(s);

    switch (s->state) {

    case NGX_MNTREAMER_SESSION_RUNNING:

        for (i = 0; i < s->nrenditions; i++) {
            ngx_mntreamer_rendition_stop(&s->renditions[i]);
        }

        ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_ENDING);
        ngx_mntreamer_session_wake(s);
        return;

    case NGX_MNTREAMER_SESSION_TRACKS:

        if (s->opening) {
            return;
        }

        break;

    case NGX_MNTREAMER_SESSION_FINDING:
    case NGX_MNTREAMER_SESSION_ENDING:
    case NGX_MNTREAMER_SESSION_CLOSING:
        return;

    default:
        break;
    }

    if (s->pending) {
        return;
    }

    if (s->recorded) {
        ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_TRACKS);
        ngx_mntreamer_session_wake(s);
        return;
    }

    ngx_mntreamer_session_unrecorded(s);
}


/*
 * What was moved gets its end where it is now.  The streamer is asked about at
 * once: a new recording begins with what the source still has, which is more
 * than what was on its way here.
 */

void
ngx_mntreamer_session_gone(ngx_mntreamer_session_t *s)
{
    ngx_uint_t  i;

    ngx_log_error(NGX_LOG_ERR, s->log, 0,
                  "mntreamer: the directory of recording %L was taken away, "
                  "it ends: \"%V\"", s->recording_id, &s->path);

    ngx_mntreamer_session_end(s, "its directory was taken away", 0);

    for (i = 0; i < s->nrenditions; i++) {
        ngx_mntreamer_rendition_drop(&s->renditions[i]);
    }
}


/* the streamer goes back to the ladder */

void
ngx_mntreamer_session_unrecorded(ngx_mntreamer_session_t *s)
{
    ngx_log_error(NGX_LOG_INFO, s->log, 0,
                  "mntreamer: \"%s/%V\" is on air but not recorded: %s",
                  s->platform_name, &s->label, s->over);

    ngx_mntreamer_session_tell(s, MNT_PROBE_LIVE_NOT_PLAYABLE, s->over, 0);
    ngx_mntreamer_catalog_lease_drop(s->rec->cat, s->streamer_id);
    ngx_mntreamer_session_drop(s);
}


/* graceful exit; the session may be gone behind it */

void
ngx_mntreamer_session_drain(ngx_mntreamer_session_t *s)
{
    ngx_uint_t  i;

    if (s->state >= NGX_MNTREAMER_SESSION_ENDING) {
        return;
    }

    if (s->state != NGX_MNTREAMER_SESSION_RUNNING) {
        ngx_mntreamer_session_drop(s);
        return;
    }

    ngx_mntreamer_session_cancel(s);

    for (i = 0; i < s->nrenditions; i++) {
        ngx_mntreamer_rendition_stop(&s->renditions[i]);
        ngx_mntreamer_rendition_settle(&s->renditions[i], 0);
    }

    ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_ENDING);
    ngx_mntreamer_session_wake(s);
}


void
ngx_mntreamer_session_request(ngx_mntreamer_session_t *s,
    ngx_mntreamer_request_t *req)
{
    const ngx_mntreamer_recorder_conf_t  *conf;

    conf = s->rec->conf;

    ngx_memzero(req, sizeof(ngx_mntreamer_request_t));

    req->user_agent = s->user_agent;
    req->proxy = s->proxy;
    req->connect_ms = conf->connect_ms;
    req->stall_ms = conf->stall_ms;
    req->redirects = NGX_MNTREAMER_SESSION_REDIRECTS;
    req->log = s->log;
}


/* "keep": the lease; without it the streamer is asked about later */

void
ngx_mntreamer_session_tell(ngx_mntreamer_session_t *s, ngx_uint_t outcome,
    const char *reason, ngx_uint_t keep)
{
    ngx_mntreamer_probe_row_t  row;

    ngx_memzero(&row, sizeof(ngx_mntreamer_probe_row_t));

    row.streamer_id = s->streamer_id;
    row.epoch = s->epoch;
    row.outcome = outcome;
    row.reason.data = (u_char *) reason;
    row.reason.len = ngx_strlen(reason);
    row.keep = keep;

    if (keep) {
        row.next_ms = (int64_t) s->rec->conf->refresh_ms;

    } else {
        row.misses = s->starts + 1;
        row.next_ms = mnt_recorder_start_ms(s->starts);
    }

    ngx_mntreamer_session_facts(s, &row.facts);

    ngx_mntreamer_catalog_probed(s->rec->cat, &row);
}


void
ngx_mntreamer_session_numbers(ngx_mntreamer_session_t *s,
    ngx_mntreamer_progress_t *progress)
{
    ngx_uint_t  i;

    ngx_memzero(progress, sizeof(ngx_mntreamer_progress_t));

    progress->recording_id = s->recording_id;
    progress->streamer_id = s->streamer_id;
    progress->epoch = s->epoch;
    progress->gaps = s->gaps;
    progress->lost_us = s->lost_us;
    progress->ended_ms = s->ended_ms;

    for (i = 0; i < s->nrenditions; i++) {
        progress->bytes += s->renditions[i].bytes_total;
    }

    if (s->nrenditions) {
        progress->segments = s->renditions[0].segments_total;
        progress->duration_us = s->renditions[0].duration_us;
    }
}


void
ngx_mntreamer_session_progress(ngx_mntreamer_session_t *s)
{
    ngx_mntreamer_progress_t  progress;

    ngx_mntreamer_session_numbers(s, &progress);
    ngx_mntreamer_catalog_recording_progress(s->rec->cat, &progress);
}
