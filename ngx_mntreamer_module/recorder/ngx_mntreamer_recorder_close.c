
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The end of a session: what is queued is stored or given up, the tracks get
 * their ENDLIST, and only then the recording is over.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"


#define NGX_MNTREAMER_CLOSE_END    10000
#define NGX_MNTREAMER_CLOSE_HURRY  3000       /* the next broadcast waits */
#define NGX_MNTREAMER_CLOSE_LADDER 2000       /* viewers wait to be told */
#define NGX_MNTREAMER_CLOSE_TASK   30000
#define NGX_MNTREAMER_CLOSE_RETRY  2000
#define NGX_MNTREAMER_CLOSE_TELL   60000

/* a directory that cannot be written does not keep its streamer for ever */

#define NGX_MNTREAMER_CLOSE_LEAVE  300000
#define NGX_MNTREAMER_CLOSE_LEFT   3600000    /* between tries from then on */


static void ngx_mntreamer_session_close(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_session_closed(void *data, ngx_uint_t rc);
static void ngx_mntreamer_session_leave(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_session_finish(ngx_mntreamer_session_t *s);


void
ngx_mntreamer_session_ending(ngx_mntreamer_session_t *s)
{
    ngx_uint_t                  i, busy, lost;
    ngx_msec_t                  limit;
    ngx_mntreamer_rendition_t  *r;

    limit = (s->next_ms == 0) ? NGX_MNTREAMER_CLOSE_HURRY
                              : NGX_MNTREAMER_CLOSE_END;
    lost = (s->over && ngx_mntreamer_session_past(s, limit));
    busy = 0;

    if (s->over && ngx_mntreamer_session_past(s, NGX_MNTREAMER_CLOSE_LADDER)) {
        ngx_mntreamer_ladder_hurry(s);
    }

    ngx_mntreamer_ladder_run(s);

    for (i = 0; i < s->nrenditions; i++) {
        r = &s->renditions[i];

        if ((lost && !s->hurried) || s->stuck) {
            ngx_mntreamer_rendition_settle(r, s->over != NULL);
        }

        busy += !ngx_queue_empty(&r->segments);
    }

    if (!lost && !s->rec->draining) {
        busy += (s->ladder.look != NULL || s->ladder.again);
    }

    s->hurried = lost;
    s->stuck = 0;

    if (busy == 0) {
        ngx_mntreamer_session_close(s);
    }
}


static void
ngx_mntreamer_session_close(ngx_mntreamer_session_t *s)
{
    ngx_uint_t                  i;
    ngx_mntreamer_rendition_t  *r;

    ngx_mntreamer_session_told(s, 1);

    if (s->over && !s->unclosed && !s->gone) {
        ngx_mntreamer_ladder_index(s, 1);
    }

    ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_CLOSING);

    if (s->over) {
        s->rec->deps.over(s->rec->deps.data, s->recording_id, 1);
    }

    for (i = 0; i < s->nrenditions; i++) {
        r = &s->renditions[i];

        if (r->track) {
            s->closing++;
            ngx_mntreamer_rendition_trail(r);
            ngx_mntreamer_track_close(r->track, s->over != NULL,
                                      ngx_mntreamer_session_closed, r);
        }
    }

    ngx_mntreamer_session_wake(s);
}


static void
ngx_mntreamer_session_closed(void *data, ngx_uint_t rc)
{
    ngx_mntreamer_rendition_t *r = data;

    ngx_mntreamer_session_t  *s;

    s = r->session;
    s->closing--;

    if (rc == NGX_MNTREAMER_STORE_OK) {
        r->track = NULL;

    } else if (rc == NGX_MNTREAMER_STORE_GONE) {
        r->track = NULL;
        s->gone = 1;

    } else if (rc == NGX_MNTREAMER_STORE_TAKEN) {
        s->taken = 1;

    } else {
        ngx_mntreamer_session_unclosed(r, rc);
    }

    ngx_mntreamer_session_wake(s);
}


void
ngx_mntreamer_session_unclosed(ngx_mntreamer_rendition_t *r, ngx_uint_t rc)
{
    ngx_time_t               *tp;
    ngx_mntreamer_session_t  *s;

    s = r->session;

    if (!s->unclosed) {
        s->unclosed = 1;
        s->unclosed_ms = ngx_current_msec;
        s->unclosed_told_ms = ngx_current_msec - NGX_MNTREAMER_CLOSE_TELL;

        if (s->ended_ms == 0) {
            tp = ngx_timeofday();
            s->ended_ms = (int64_t) tp->sec * 1000 + (int64_t) tp->msec;
        }
    }

    if (ngx_current_msec - s->unclosed_told_ms >= NGX_MNTREAMER_CLOSE_TELL) {
        s->unclosed_told_ms = ngx_current_msec;

        ngx_log_error(NGX_LOG_WARN, s->log, 0,
                      "mntreamer: recording %L is over, but \"%V/%V.m3u8\""
                      " got no end, which is tried again: %s",
                      s->recording_id, &s->path, &r->name,
                      ngx_mntreamer_store_name(rc));
    }

    ngx_mntreamer_session_leave(s);

    s->retry_at = ngx_current_msec
                  + (s->streamer_id < 0
                     && ngx_current_msec - s->unclosed_ms
                        >= NGX_MNTREAMER_CLOSE_LEAVE
                     ? NGX_MNTREAMER_CLOSE_LEFT : NGX_MNTREAMER_CLOSE_RETRY);
}


/*
 * The disk takes what others write, and this one had its time: its streamer
 * goes back to the ladder.  The row waits for its end without it, in this
 * session, and for whoever starts next when this worker is gone.
 */

static void
ngx_mntreamer_session_leave(ngx_mntreamer_session_t *s)
{
    ngx_mntreamer_progress_t      progress;
    const ngx_mntreamer_space_t  *space;

    if (s->streamer_id < 0
        || ngx_current_msec - s->unclosed_ms < NGX_MNTREAMER_CLOSE_LEAVE)
    {
        return;
    }

    space = ngx_mntreamer_storage_space(s->rec->st);

    if (space->paused || space->free == 0) {
        return;
    }

    ngx_mntreamer_session_numbers(s, &progress);

    if (ngx_mntreamer_catalog_recording_leave(s->rec->cat, &progress,
                                              s->next_ms)
        != NGX_OK)
    {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, s->log, 0,
                  "mntreamer: recording %L gets no end, \"%s/%V\" is free for "
                  "the next one; an end is tried each hour", s->recording_id,
                  s->platform_name, &s->label);

    s->streamer_id = -s->recording_id;

    ngx_mntreamer_catalog_lease_hold(s->rec->cat, s->streamer_id, s->epoch);
}


void
ngx_mntreamer_session_closing(ngx_mntreamer_session_t *s)
{
    ngx_uint_t  i, open;

    if (s->closing) {
        if (ngx_mntreamer_session_past(s, NGX_MNTREAMER_CLOSE_TASK)) {
            ngx_log_error(NGX_LOG_ALERT, s->log, 0,
                          "mntreamer: the tracks of recording %L did not "
                          "close", s->recording_id);

            ngx_mntreamer_catalog_lease_drop(s->rec->cat, s->streamer_id);
            ngx_mntreamer_session_drop(s);
        }

        return;
    }

    open = 0;

    for (i = 0; i < s->nrenditions; i++) {
        open += (s->renditions[i].track != NULL);
    }

    if (open == 0) {
        ngx_mntreamer_session_finish(s);
        return;
    }

    if (s->rec->draining) {

        /* whoever takes it over opens the tracks and closes them */

        ngx_mntreamer_session_drop(s);
        return;
    }

    if ((ngx_msec_int_t) (ngx_current_msec - s->retry_at) >= 0) {
        ngx_mntreamer_session_close(s);
    }
}


static void
ngx_mntreamer_session_finish(ngx_mntreamer_session_t *s)
{
    ngx_mntreamer_progress_t  progress;

    if (s->over == NULL) {

        /* drained: somebody else goes on with it */

        ngx_mntreamer_session_progress(s);
        ngx_mntreamer_session_drop(s);
        return;
    }

    ngx_mntreamer_session_numbers(s, &progress);

    progress.gone = s->gone;

    ngx_log_error(NGX_LOG_NOTICE, s->log, 0,
                  "mntreamer: recording %L finished: %uL segments, %L s, "
                  "%uL gaps (%s)", s->recording_id, progress.segments,
                  progress.duration_us / 1000000, progress.gaps, s->over);

    if (ngx_mntreamer_catalog_recording_finish(s->rec->cat, &progress,
                                               &s->path, s->next_ms,
                                               NULL, NULL)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, s->log, 0,
                      "mntreamer: the end of recording %L was not stored",
                      s->recording_id);

        /* whoever claims it when the lease has expired will end it */

        ngx_mntreamer_catalog_lease_drop(s->rec->cat, s->streamer_id);
    }

    ngx_mntreamer_session_sweep(s);

    ngx_mntreamer_metrics_add(s->rec->metrics,
                              NGX_MNTREAMER_M_RECORDINGS_FINISHED, 0, 1);

    ngx_mntreamer_session_drop(s);
}
