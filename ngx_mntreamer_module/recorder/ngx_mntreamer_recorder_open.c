
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * From a playlist to a recording: the row with its path, the tracks in it, the
 * multivariant playlist when there are several.  What lies in a directory that
 * was recorded into before decides which tracks there are.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"
#include "../base/mnt_url.h"


#define NGX_MNTREAMER_OPEN_INDEX     65536    /* bytes of the playlist */
#define NGX_MNTREAMER_OPEN_SHOWN     1024     /* of an address */
#define NGX_MNTREAMER_OPEN_RETRY_MS  2000
#define NGX_MNTREAMER_OPEN_AWAY_MS   1000


static void ngx_mntreamer_session_opened(void *data,
    const ngx_mntreamer_opened_t *opened);
static void ngx_mntreamer_session_unopened(ngx_mntreamer_session_t *s,
    ngx_uint_t rc);
static void ngx_mntreamer_session_track(void *data,
    const ngx_mntreamer_track_state_t *state);
static ngx_int_t ngx_mntreamer_session_shape(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_session_untold(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_session_index(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_session_indexed(void *data,
    const ngx_mntreamer_commit_t *commit);
static void ngx_mntreamer_session_holes(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_session_start(ngx_mntreamer_session_t *s);


void
ngx_mntreamer_session_open(ngx_mntreamer_session_t *s)
{
    int                       address;
    char                      shown[NGX_MNTREAMER_OPEN_SHOWN];
    u_char                    day[sizeof("2026-09-27")];
    mnt_str_t                 path, layout;
    mnt_date_t                date;
    ngx_time_t               *tp;
    mnt_arena_t              *a;
    mnt_layout_values_t       v;
    ngx_mntreamer_opening_t   opening;

    a = ngx_mntreamer_recorder_arena(s->rec);
    tp = ngx_timeofday();

    ngx_memzero(&v, sizeof(mnt_layout_values_t));
    ngx_memzero(&opening, sizeof(ngx_mntreamer_opening_t));

    v.platform = mnt_str_c(s->platform_name);
    v.channel_id.data = (char *) s->channel_id.data;
    v.channel_id.len = s->channel_id.len;
    v.channel_name.data = (char *) s->channel_name.data;
    v.channel_name.len = s->channel_name.len;
    v.title.data = (char *) s->title.data;
    v.title.len = s->title.len;
    v.started_ms = (int64_t) tp->sec * 1000 + (int64_t) tp->msec;
    v.zone_s = (int) tp->gmtoff * 60;

    layout.data = (char *) s->rec->conf->layout.data;
    layout.len = s->rec->conf->layout.len;

    /* of an address not all may be seen, and what is seen tells few apart */

    address = mnt_str_starts(v.channel_id, "http://")
              || mnt_str_starts(v.channel_id, "https://");

    if (address) {
        v.channel_id.len = mnt_url_redact(v.channel_id, shown, sizeof(shown));
        v.channel_id.data = shown;
    }

    path = mnt_recorder_path(a, layout, &v, address);

    if (path.data == NULL) {
        ngx_log_error(NGX_LOG_ERR, s->log, 0,
                      "mntreamer: no path for \"%s/%V\"", s->platform_name,
                      &s->label);
        return;
    }

    mnt_date_civil(v.started_ms, v.zone_s, &date);

    opening.day.data = day;
    opening.day.len = ngx_snprintf(day, sizeof(day), "%04d-%02d-%02d",
                                   date.year, date.month, date.day)
                      - day;
    opening.streamer_id = s->streamer_id;
    opening.epoch = s->epoch;
    opening.path.data = (u_char *) path.data;
    opening.path.len = path.len;
    opening.quality.data = s->quality.data;
    opening.quality.len = s->quality.len;
    opening.resume_ms = s->rec->conf->resume_ms;

    ngx_mntreamer_session_facts(s, &opening.facts);

    if (ngx_mntreamer_catalog_recording_open(s->rec->cat, &opening,
                                             ngx_mntreamer_session_opened, s)
        == NGX_OK)
    {
        s->pending = 1;
    }
}


/* the database is away, which passes, or refuses it, which may not */

static void
ngx_mntreamer_session_unopened(ngx_mntreamer_session_t *s, ngx_uint_t rc)
{
    s->retry_at = ngx_current_msec + NGX_MNTREAMER_OPEN_AWAY_MS;

    if (rc == NGX_MNTREAMER_PQ_AWAY) {
        return;
    }

    if (s->tries == 0) {
        ngx_log_error(NGX_LOG_ERR, s->log, 0,
                      "mntreamer: \"%s/%V\" is on air but got no row",
                      s->platform_name, &s->label);
    }

    s->retry_at = ngx_current_msec
                  + (NGX_MNTREAMER_OPEN_AWAY_MS << ngx_min(s->tries, 5));
    s->tries++;
}


static void
ngx_mntreamer_session_opened(void *data, const ngx_mntreamer_opened_t *opened)
{
    ngx_mntreamer_session_t *s = data;

    s->pending = 0;

    if (s->state == NGX_MNTREAMER_SESSION_GONE) {
        ngx_mntreamer_session_destroy(s);
        return;
    }

    if (opened->rc == NGX_MNTREAMER_PQ_FAILED) {
        ngx_log_error(NGX_LOG_WARN, s->log, 0,
                      "mntreamer: \"%s/%V\" belongs to somebody else now",
                      s->platform_name, &s->label);

        ngx_mntreamer_catalog_lease_drop(s->rec->cat, s->streamer_id);
        ngx_mntreamer_session_drop(s);
        return;
    }

    if (opened->rc != NGX_MNTREAMER_PQ_OK && s->over) {

        /* if there is a row and only the answer was lost, it is taken over */

        ngx_mntreamer_session_unrecorded(s);
        return;
    }

    if (opened->rc != NGX_MNTREAMER_PQ_OK) {
        ngx_mntreamer_session_unopened(s, opened->rc);
        ngx_mntreamer_session_run(s);
        return;
    }

    s->path.len = opened->path.len;
    s->path.data = ngx_pstrdup(s->pool, (ngx_str_t *) &opened->path);

    if (s->path.data == NULL) {
        s->path.len = 0;
    }

    s->recorded = 1;
    s->recording_id = opened->recording_id;
    s->resume = (opened->resumed != 0);
    s->stored = (opened->stored != 0);

    ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_FINDING);
    ngx_mntreamer_session_run(s);
}


/* the renditions before their tracks are opened */

static ngx_int_t
ngx_mntreamer_session_shape(ngx_mntreamer_session_t *s)
{
    ngx_uint_t  i, n;

    if (s->renditions == NULL
        && ngx_mntreamer_session_renditions(s, 1) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* a row that was reopened: its directory was not known when they were
       made, and has the last word */

    if (s->found) {
        n = s->multi ? ngx_min(s->nrenditions, s->found) : 1;

        if (n < s->nrenditions) {
            ngx_log_error(NGX_LOG_WARN, s->log, 0,
                          "mntreamer: recording %L goes on with %ui of %ui "
                          "renditions", s->recording_id, n, s->nrenditions);

            for (i = n; i < s->nrenditions; i++) {
                ngx_mntreamer_text_free(&s->renditions[i].url);
            }

            s->nrenditions = n;
        }
    }

    for (i = 0; i < s->nrenditions; i++) {
        if (ngx_mntreamer_rendition_name(&s->renditions[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* opens those that are not open, goes on when all are */

void
ngx_mntreamer_session_tracks(ngx_mntreamer_session_t *s)
{
    ngx_uint_t                   i, closed;
    ngx_mntreamer_rendition_t   *r;
    ngx_mntreamer_track_conf_t   conf;

    if (s->path.len == 0 || (s->over && s->found == 0)) {

        /* there is nothing on the disk to be closed */

        s->over = s->over ? s->over : "no path";
        ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_CLOSING);
        ngx_mntreamer_session_wake(s);
        return;
    }

    s->retry_at = ngx_current_msec + NGX_MNTREAMER_OPEN_RETRY_MS;

    if (ngx_mntreamer_session_shape(s) != NGX_OK) {
        return;
    }

    closed = 0;

    for (i = 0; i < s->nrenditions; i++) {
        r = &s->renditions[i];

        if (r->opened) {
            continue;
        }

        closed++;

        ngx_memzero(&conf, sizeof(ngx_mntreamer_track_conf_t));

        conf.dir = s->path;
        conf.name = r->name;
        conf.prefix = r->prefix;
        conf.target_s = s->target_s ? s->target_s : 1;
        conf.reopen = 1;
        conf.log = s->log;

        r->track = ngx_mntreamer_track_open(s->rec->st, &conf,
                                            ngx_mntreamer_session_track, r);

        s->opening += (r->track != NULL);
    }

    if (closed == 0) {
        ngx_mntreamer_session_start(s);
    }
}


static void
ngx_mntreamer_session_track(void *data,
    const ngx_mntreamer_track_state_t *state)
{
    ngx_mntreamer_rendition_t *r = data;

    ngx_mntreamer_session_t  *s;

    s = r->session;
    s->opening--;

    if (state->rc != NGX_MNTREAMER_STORE_OK) {
        r->track = NULL;
        s->taken |= (state->rc == NGX_MNTREAMER_STORE_TAKEN);

        if (state->rc != r->open_rc) {
            ngx_log_error(NGX_LOG_ERR, s->log, 0,
                          "mntreamer: track \"%V/%V\" was not opened: %s",
                          &s->path, &r->name,
                          ngx_mntreamer_store_name(state->rc));
        }

        r->open_rc = state->rc;

        if (s->over && !s->taken) {
            ngx_mntreamer_session_unclosed(r, state->rc);
        }

    } else {
        r->opened = 1;
        r->window = *state->window;
        r->segments_total = state->segments;
        r->bytes_total = (int64_t) state->bytes;
        r->duration_us = state->duration_us;
        r->last_ms = state->last_ms;
        r->resumed = (state->segments != 0);

        r->hole = state->hole;
        r->hole_us = state->hole_us;
        r->hole_at_us = state->hole_at_us;

        r->gaps = state->gaps;
        s->gaps += state->gaps;

        if (r->index == 0) {
            s->lost_us += state->lost_us;
        }

        ngx_mntreamer_session_gaps(s, r->index, &r->name, state);

        s->retry_at = ngx_current_msec;
    }

    if (s->opening == 0) {
        ngx_mntreamer_session_holes(s);
        ngx_mntreamer_session_wake(s);
    }
}


/*
 * The rows of the last gaps again: who noticed them may have died before they
 * were written.  By the numbers of the journal, so that each has one row.
 */

void
ngx_mntreamer_session_gaps(ngx_mntreamer_session_t *s, ngx_uint_t i,
    const ngx_str_t *name, const ngx_mntreamer_track_state_t *state)
{
    ngx_uint_t                n;
    mnt_journal_gap_t        *g;
    ngx_mntreamer_gap_row_t   gap;

    for (n = 0; n < state->nlast_gaps; n++) {
        g = &state->last_gaps[n];

        ngx_memzero(&gap, sizeof(ngx_mntreamer_gap_row_t));

        gap.recording_id = s->recording_id;
        gap.epoch = s->epoch;
        gap.number = ngx_mntreamer_gap_number(i, g->number);
        gap.track = *name;
        gap.cause = ngx_mntreamer_gap_cause(g->reason);
        gap.first_sequence = g->first;
        gap.segments = g->count;
        gap.lost_us = g->duration_us;
        gap.at_us = g->at_us;

        (void) ngx_mntreamer_catalog_gap(s->rec->cat, &gap);
    }
}


/* files that were listed and are not there: a gap of their own */

static void
ngx_mntreamer_session_holes(ngx_mntreamer_session_t *s)
{
    ngx_uint_t                  i;
    ngx_mntreamer_metrics_t    *m;
    ngx_mntreamer_gap_row_t     gap;
    ngx_mntreamer_rendition_t  *r;

    m = s->rec->metrics;

    for (i = 0; i < s->nrenditions; i++) {
        r = &s->renditions[i];

        if (r->hole == 0) {
            continue;
        }

        ngx_memzero(&gap, sizeof(ngx_mntreamer_gap_row_t));

        gap.recording_id = s->recording_id;
        gap.epoch = s->epoch;
        gap.number = ngx_mntreamer_gap_number(r->index, r->gaps);
        gap.track = r->name;
        gap.cause = NGX_MNTREAMER_GAP_DISK;
        gap.segments = r->hole;
        gap.lost_us = r->hole_us;
        gap.at_us = r->hole_at_us;

        (void) ngx_mntreamer_catalog_gap(s->rec->cat, &gap);

        ngx_mntreamer_metrics_add(m, NGX_MNTREAMER_M_GAPS,
                                  NGX_MNTREAMER_GAP_DISK, 1);
        ngx_mntreamer_metrics_add(m, NGX_MNTREAMER_M_LOST_SEGMENTS,
                                  NGX_MNTREAMER_GAP_DISK, (int64_t) r->hole);
        ngx_mntreamer_metrics_add(m, NGX_MNTREAMER_M_LOST_MS,
                                  NGX_MNTREAMER_GAP_DISK, r->hole_us / 1000);

        r->hole = 0;
    }
}


static void
ngx_mntreamer_session_start(ngx_mntreamer_session_t *s)
{
    ngx_uint_t  i;

    if (s->over) {

        /*
         * It was over before it could go on: only the ends are missing.  Its
         * writer may have died hours ago.
         */

        s->ended_ms = s->renditions[0].last_ms;

        ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_ENDING);

        s->ladder.hurried = 1;
        ngx_mntreamer_ladder_start(s);

        ngx_mntreamer_session_wake(s);
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, s->log, 0,
                  "mntreamer: recording %L %s \"%s/%V\" path \"%V\"",
                  s->recording_id, s->resume ? "resumed" : "started",
                  s->platform_name, &s->label, &s->path);

    ngx_mntreamer_metrics_add(s->rec->metrics,
                              s->resume ? NGX_MNTREAMER_M_RECORDINGS_RESUMED
                                        : NGX_MNTREAMER_M_RECORDINGS_STARTED,
                              0, 1);

    if (s->multi && !s->local) {
        ngx_mntreamer_session_index(s);
    }

    s->wanted = 0;
    s->end.waiting = 0;
    s->end.news_ms = (int64_t) ngx_current_msec;
    s->end.heard_ms = (int64_t) ngx_current_msec;

    if (s->resume) {
        ngx_mntreamer_session_untold(s);
    }

    ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_RUNNING);
    ngx_mntreamer_session_first(s);
    ngx_mntreamer_session_begin(s);

    for (i = 0; i < s->nrenditions; i++) {
        ngx_mntreamer_rendition_start(&s->renditions[i]);
        ngx_mntreamer_rendition_run(&s->renditions[i]);
    }

    ngx_mntreamer_ladder_start(s);
}


/*
 * What was lost behind the last entry has a row, and the journal does not know
 * of it yet when its writer ends.  It is asked for once more from here: it
 * comes, or is lost anew under the same number.
 */

static void
ngx_mntreamer_session_untold(ngx_mntreamer_session_t *s)
{
    ngx_uint_t               i;
    ngx_mntreamer_gap_row_t  gap;

    for (i = 0; i < s->nrenditions; i++) {

        ngx_memzero(&gap, sizeof(ngx_mntreamer_gap_row_t));

        gap.recording_id = s->recording_id;
        gap.epoch = s->epoch;
        gap.track = s->renditions[i].name;
        gap.number = ngx_mntreamer_gap_number(i, s->renditions[i].gaps + 1);

        (void) ngx_mntreamer_catalog_gap(s->rec->cat, &gap);
    }
}


/* the multivariant playlist of what is stored */

static void
ngx_mntreamer_session_index(ngx_mntreamer_session_t *s)
{
    char                 *buf;
    size_t                n;
    ngx_str_t             name, content;
    ngx_uint_t            i;
    mnt_arena_t          *a;
    mnt_hls_playlist_t    p;
    mnt_hls_rendition_t  *audio;

    /* taken over before its variant was known: the old one stays */

    if (s->variant.bandwidth == 0) {
        return;
    }

    a = ngx_mntreamer_recorder_arena(s->rec);

    ngx_memzero(&p, sizeof(mnt_hls_playlist_t));

    p.kind = MNT_HLS_MULTIVARIANT;
    p.version = 6;
    p.independent_segments = 1;
    p.variants = &s->variant;
    p.nvariants = 1;
    p.nrenditions = (unsigned) s->nrenditions - 1;

    audio = mnt_arena_alloc(a, (p.nrenditions + 1)
                               * sizeof(mnt_hls_rendition_t));
    buf = mnt_arena_alloc(a, NGX_MNTREAMER_OPEN_INDEX);

    if (audio == NULL || buf == NULL) {
        return;
    }

    for (i = 0; i < p.nrenditions; i++) {
        ngx_mntreamer_rendition_entry(&s->renditions[i + 1], a, &audio[i]);
    }

    p.renditions = audio;

    if (p.nrenditions == 0) {
        s->variant.audio.len = 0;
    }

    n = mnt_hls_write(&p, buf, NGX_MNTREAMER_OPEN_INDEX);

    if (n >= NGX_MNTREAMER_OPEN_INDEX) {
        return;
    }

    ngx_str_set(&name, "index.m3u8");
    content.data = (u_char *) buf;
    content.len = n;

    if (ngx_mntreamer_storage_put(s->rec->st, &s->path, &name, &content,
                                  ngx_mntreamer_session_indexed, s->rec)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_ERR, s->log, 0,
                      "mntreamer: \"%V/index.m3u8\" was not written",
                      &s->path);
    }
}


static void
ngx_mntreamer_session_indexed(void *data, const ngx_mntreamer_commit_t *commit)
{
    ngx_mntreamer_recorder_t *rec = data;

    if (commit->rc != NGX_MNTREAMER_STORE_OK) {
        ngx_log_error(NGX_LOG_ERR, rec->log, 0,
                      "mntreamer: a multivariant playlist was not written: %s",
                      ngx_mntreamer_store_name(commit->rc));
    }
}
