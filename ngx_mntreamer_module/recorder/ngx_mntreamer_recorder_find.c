
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * What lies in the directory of a recording before its tracks are opened: of
 * one that is gone on with which tracks there are, of a new one nothing.  If
 * there is a recording that ended, or that nobody went on with for long, the
 * database has forgotten it: an older dump came back.  The row that was made
 * becomes the one of these files, and another one is asked for.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"


#define NGX_MNTREAMER_FIND_RETRY_MS  2000
#define NGX_MNTREAMER_FIND_LATE_MS   60000


#if (NGX_MNTREAMER_FIND_TRACKS != MNT_RECORDER_RENDITIONS)
#error "what is recorded is not what is found"
#endif


static void ngx_mntreamer_session_found(void *data,
    const ngx_mntreamer_found_t *found);
static void ngx_mntreamer_session_looked(ngx_mntreamer_session_t *s);
static ngx_uint_t ngx_mntreamer_session_foreign(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_found_t *found, ngx_mntreamer_taken_t *taken);
static void ngx_mntreamer_session_taken(void *data, ngx_uint_t rc);


void
ngx_mntreamer_session_finding(ngx_mntreamer_session_t *s)
{
    if (s->finding) {

        if ((ngx_msec_int_t) (ngx_current_msec - s->retry_at)
            >= NGX_MNTREAMER_FIND_LATE_MS)
        {
            ngx_log_error(NGX_LOG_ALERT, s->log, 0,
                          "mntreamer: the directory of recording %L was not "
                          "looked into", s->recording_id);

            ngx_mntreamer_catalog_lease_drop(s->rec->cat, s->streamer_id);
            ngx_mntreamer_session_drop(s);
        }

        return;
    }

    if (s->pending
        || (ngx_msec_int_t) (ngx_current_msec - s->retry_at) < 0)
    {
        return;
    }

    if (s->path.len == 0) {
        ngx_mntreamer_session_looked(s);
        return;
    }

    s->retry_at = ngx_current_msec + NGX_MNTREAMER_FIND_RETRY_MS;

    s->finding = ngx_mntreamer_storage_find(s->rec->st, &s->path, !s->resume,
                                            ngx_mntreamer_session_found, s);
}


void
ngx_mntreamer_session_unfind(ngx_mntreamer_session_t *s)
{
    if (s->finding) {
        ngx_mntreamer_storage_find_cancel(s->finding);
        s->finding = NULL;
    }
}


static void
ngx_mntreamer_session_found(void *data, const ngx_mntreamer_found_t *found)
{
    ngx_mntreamer_session_t *s = data;

    ngx_uint_t             i;
    ngx_mntreamer_taken_t  taken;

    s->finding = NULL;

    if (found->rc != NGX_MNTREAMER_STORE_OK) {

        /* it was logged; looked into again, unless it is over */

        if (s->over) {
            ngx_mntreamer_session_looked(s);
        }

        return;
    }

    if (found->looked && ngx_mntreamer_session_foreign(s, found, &taken)) {

        if (s->over) {
            ngx_mntreamer_session_looked(s);
            return;
        }

        if (ngx_mntreamer_catalog_recording_taken(s->rec->cat, &taken,
                                                ngx_mntreamer_session_taken, s)
            != NGX_OK)
        {
            return;
        }

        s->pending = 1;

        for (i = 0; i < found->ntracks; i++) {
            ngx_mntreamer_session_gaps(s, i, &found->tracks[i].name,
                                       found->tracks[i].state);
        }

        return;
    }

    s->found = found->ntracks;

    if (s->found) {
        s->multi = (found->multi != 0);

        if (s->local) {
            ngx_mntreamer_ladder_found(s, found);
        }
    }

    if (found->missing && s->stored) {
        s->gone = 1;

        if (s->over == NULL) {
            ngx_mntreamer_session_gone(s);
        }
    }

    ngx_mntreamer_session_looked(s);
}


/* without the address of a playlist it was taken over: is it on the air? */

static void
ngx_mntreamer_session_looked(ngx_mntreamer_session_t *s)
{
    ngx_mntreamer_catalog_viewers(s->rec->cat, s->recording_id, s->epoch,
                                  s->viewers);

    ngx_mntreamer_session_to(s, s->over || s->source.len
                                ? NGX_MNTREAMER_SESSION_TRACKS
                                : NGX_MNTREAMER_SESSION_ASKING);
    ngx_mntreamer_session_wake(s);
}


/*
 * In the directory of a new recording: what was recorded until a moment ago is
 * this broadcast, whose row was forgotten under way, and is gone on with.
 */

static ngx_uint_t
ngx_mntreamer_session_foreign(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_found_t *found, ngx_mntreamer_taken_t *taken)
{
    ngx_uint_t                          i, ended;
    ngx_time_t                         *tp;
    ngx_mntreamer_progress_t           *progress;
    const ngx_mntreamer_track_state_t  *state;

    ngx_memzero(taken, sizeof(ngx_mntreamer_taken_t));

    progress = &taken->progress;
    ended = 0;

    for (i = 0; i < found->ntracks; i++) {
        state = found->tracks[i].state;

        ended += state->ended;

        progress->bytes += state->bytes;
        progress->gaps += state->gaps;
        progress->ended_ms = ngx_max(progress->ended_ms, state->last_ms);
    }

    state = found->tracks[0].state;

    progress->recording_id = s->recording_id;
    progress->streamer_id = s->streamer_id;
    progress->epoch = s->epoch;
    progress->segments = state->segments;
    progress->duration_us = state->duration_us;
    progress->lost_us = state->lost_us;

    taken->ended = (ended == found->ntracks);

    if (state->segments == 0) {
        return 0;
    }

    tp = ngx_timeofday();

    return ended || (int64_t) tp->sec * 1000 - progress->ended_ms
                    >= s->end.grace_ms;
}


static void
ngx_mntreamer_session_taken(void *data, ngx_uint_t rc)
{
    ngx_mntreamer_session_t *s = data;

    s->pending = 0;

    if (s->state == NGX_MNTREAMER_SESSION_GONE) {
        ngx_mntreamer_session_destroy(s);
        return;
    }

    if (rc != NGX_MNTREAMER_PQ_OK) {

        /* the database is away: it is looked again */

        if (s->over) {
            ngx_mntreamer_session_looked(s);
        }

        return;
    }

    s->recorded = 0;
    s->recording_id = 0;
    s->path.len = 0;

    if (s->over) {
        ngx_mntreamer_session_unrecorded(s);
        return;
    }

    ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_OPENING);
    ngx_mntreamer_session_wake(s);
}
