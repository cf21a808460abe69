
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * From the platform's URL to open tracks: the first playlist and the choice of
 * a variant, a look at the variant's playlist (so that a channel that says it
 * is live but gives nothing leaves no row), the row with its path, the tracks.
 * A renewal comes here as well and only replaces the renditions' URLs.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"
#include "../base/mnt_url.h"


#define NGX_MNTREAMER_SOURCE_INDEX  65536     /* of a multivariant playlist */


static void ngx_mntreamer_session_loaded(void *data,
    const ngx_mntreamer_answer_t *answer);
static const char *ngx_mntreamer_session_adopt(ngx_mntreamer_session_t *s,
    const mnt_hls_playlist_t *p, mnt_str_t base);
static const char *ngx_mntreamer_session_variant(ngx_mntreamer_session_t *s,
    const mnt_hls_playlist_t *p, mnt_str_t base);
static void ngx_mntreamer_session_audio(ngx_mntreamer_session_t *s,
    ngx_uint_t i, const mnt_hls_rendition_t **audio, ngx_uint_t naudio,
    mnt_str_t base);
static ngx_int_t ngx_mntreamer_session_remember(ngx_mntreamer_session_t *s,
    const mnt_hls_variant_t *v);
static ngx_int_t ngx_mntreamer_session_renditions(ngx_mntreamer_session_t *s,
    ngx_uint_t n);
static void ngx_mntreamer_session_refused(ngx_mntreamer_session_t *s,
    const char *why, ngx_uint_t http);
static void ngx_mntreamer_session_got_media(void *data,
    const ngx_mntreamer_answer_t *answer);
static void ngx_mntreamer_session_opened(void *data,
    const ngx_mntreamer_opened_t *opened);
static void ngx_mntreamer_session_track(void *data,
    const ngx_mntreamer_track_state_t *state);
static ngx_int_t ngx_mntreamer_session_shape(ngx_mntreamer_session_t *s);
static ngx_uint_t ngx_mntreamer_session_exists(ngx_mntreamer_session_t *s,
    const char *name);
static void ngx_mntreamer_session_index(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_session_indexed(void *data,
    const ngx_mntreamer_commit_t *commit);
static void ngx_mntreamer_session_start(ngx_mntreamer_session_t *s);


void
ngx_mntreamer_session_load(ngx_mntreamer_session_t *s)
{
    ngx_mntreamer_request_t               req;
    const ngx_mntreamer_recorder_conf_t  *conf;

    conf = s->rec->conf;

    ngx_mntreamer_session_request(s, &req);

    req.url.data = s->source.data;
    req.url.len = s->source.len;
    req.max_bytes = conf->max_playlist;
    req.total_ms = conf->playlist_ms;
    req.encodings = 1;
    req.done = ngx_mntreamer_session_loaded;
    req.data = s;

    s->master = ngx_mntreamer_curl_start(s->rec->curl, &req);

    if (s->master == NULL) {
        ngx_mntreamer_session_refused(s, "no playlist", 0);
    }
}


/* an mnt_hls_rc_e; the result lives until the next parse of this worker */

ngx_uint_t
ngx_mntreamer_session_parse(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_answer_t *answer, mnt_hls_playlist_t *p)
{
    mnt_str_t  text;

    text.data = (char *) answer->body.data;
    text.len = answer->body.len;

    return mnt_hls_parse(ngx_mntreamer_recorder_arena(s->rec), text, p);
}


static void
ngx_mntreamer_session_loaded(void *data, const ngx_mntreamer_answer_t *answer)
{
    ngx_mntreamer_session_t *s = data;

    mnt_str_t            base;
    const char          *why;
    mnt_hls_playlist_t   p;

    s->master = NULL;

    if (answer->rc != NGX_MNTREAMER_TRANSFER_OK) {
        why = ngx_mntreamer_transfer_name(answer->rc);

    } else if (answer->http != 200) {
        why = "playlist refused";

    } else if (ngx_mntreamer_session_parse(s, answer, &p) != MNT_HLS_OK) {
        why = "no playlist";

    } else {
        base.data = (char *) answer->url.data;
        base.len = answer->url.len;

        why = ngx_mntreamer_session_adopt(s, &p, base);
    }

    if (why) {
        ngx_mntreamer_session_refused(s, why, answer->http);
    }

    ngx_mntreamer_session_run(s);
}


/* "why" is a static text */

static void
ngx_mntreamer_session_refused(ngx_mntreamer_session_t *s, const char *why,
    ngx_uint_t http)
{
    ngx_log_error(NGX_LOG_INFO, s->log, 0,
                  "mntreamer: no playlist of \"%s/%V\": %s, HTTP %ui",
                  s->platform_name, &s->channel_id, why, http);

    s->trouble = why;

    switch (s->state) {

    case NGX_MNTREAMER_SESSION_MASTER:
    case NGX_MNTREAMER_SESSION_MEDIA:

        if (s->recorded) {
            s->renewed_ms = ngx_current_msec;
            ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_ASKING);
            return;
        }

        s->retry_at = ngx_current_msec
                      + ((ngx_msec_t) 1000 << ngx_min(s->tries, 2));
        s->tries++;
        return;

    default:

        /* a renewal: still wanted, the pause counts from here */

        s->renewed_ms = ngx_current_msec;
        return;
    }
}


/* takes the URLs over; returns why it cannot */

static const char *
ngx_mntreamer_session_adopt(ngx_mntreamer_session_t *s,
    const mnt_hls_playlist_t *p, mnt_str_t base)
{
    mnt_str_t    url;
    ngx_uint_t   i;
    const char  *why;

    if (p->kind == MNT_HLS_MULTIVARIANT) {
        why = ngx_mntreamer_session_variant(s, p, base);

        if (why) {
            return why;
        }

    } else {

        if (!s->recorded && (p->endlist || p->nsegments == 0)) {
            return p->endlist ? "playlist ended" : "playlist empty";
        }

        if (ngx_mntreamer_session_renditions(s, 1) != NGX_OK) {
            return "no memory";
        }

        s->target_s = p->target_duration_s;

        url.data = (char *) s->source.data;
        url.len = s->source.len;

        ngx_mntreamer_rendition_url(&s->renditions[0], url);
    }

    if (s->state == NGX_MNTREAMER_SESSION_RUNNING) {
        s->wanted = 0;
        s->renewed++;

        for (i = 0; i < s->nrenditions; i++) {
            ngx_mntreamer_rendition_renewed(&s->renditions[i]);
        }

        return NULL;
    }

    if (s->recorded) {
        ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_TRACKS);

    } else {
        ngx_mntreamer_session_to(s, p->kind == MNT_HLS_MULTIVARIANT
                                    ? NGX_MNTREAMER_SESSION_MEDIA
                                    : NGX_MNTREAMER_SESSION_OPENING);
    }

    return NULL;
}


static const char *
ngx_mntreamer_session_variant(ngx_mntreamer_session_t *s,
    const mnt_hls_playlist_t *p, mnt_str_t base)
{
    int                         n;
    unsigned                    i, naudio;
    mnt_str_t                   wish, url;
    mnt_arena_t                *a;
    const mnt_hls_variant_t    *v;
    const mnt_hls_rendition_t  *audio[MNT_RECORDER_RENDITIONS];

    a = &s->rec->arena;

    wish.data = (char *) s->quality.data;
    wish.len = s->quality.len;

    if (wish.len == 0 || !mnt_hls_quality_valid(wish)) {
        wish = mnt_str_c("best");
    }

    n = mnt_hls_choose(p, wish);

    if (n < 0) {
        return "no variants";
    }

    v = &p->variants[n];
    url = mnt_url_join(a, base, v->uri);

    if (url.data == NULL) {
        return "variant without a usable URI";
    }

    naudio = mnt_recorder_audio(p, v, audio, MNT_RECORDER_RENDITIONS - 1);

    if (ngx_mntreamer_session_renditions(s, 1 + naudio) != NGX_OK
        || ngx_mntreamer_session_remember(s, v) != NGX_OK)
    {
        return "no memory";
    }

    ngx_mntreamer_rendition_url(&s->renditions[0], url);

    for (i = 1; i < s->nrenditions; i++) {
        ngx_mntreamer_session_audio(s, i, audio, naudio, base);
    }

    return NULL;
}


/* the same one again by its name, else by its place */

static void
ngx_mntreamer_session_audio(ngx_mntreamer_session_t *s, ngx_uint_t i,
    const mnt_hls_rendition_t **audio, ngx_uint_t naudio, mnt_str_t base)
{
    mnt_str_t                   url;
    ngx_uint_t                  k;
    ngx_mntreamer_rendition_t  *r;

    r = &s->renditions[i];

    for (k = 0; k < naudio; k++) {
        if (ngx_mntreamer_rendition_is(r, audio[k])) {
            break;
        }
    }

    if (k == naudio) {
        k = i - 1;
    }

    if (k >= naudio) {
        return;
    }

    url = mnt_url_join(&s->rec->arena, base, audio[k]->uri);

    if (url.data
        && ngx_mntreamer_rendition_label(r, audio[k]) == NGX_OK)
    {
        ngx_mntreamer_rendition_url(r, url);
    }
}


/* the first choice is kept: what it had, a renewal asks for again */

static ngx_int_t
ngx_mntreamer_session_remember(ngx_mntreamer_session_t *s,
    const mnt_hls_variant_t *v)
{
    char       buf[32];
    size_t     n;
    ngx_str_t  codecs;

    if (s->variant.bandwidth) {
        return NGX_OK;
    }

    codecs.data = (u_char *) v->codecs.data;
    codecs.len = v->codecs.len;

    s->variant = *v;
    s->variant.bandwidth = v->bandwidth ? v->bandwidth : 1;
    s->variant.uri = mnt_str_c("video.m3u8");
    s->variant.codecs.data = (char *) ngx_pstrdup(s->pool, &codecs);
    s->variant.audio = mnt_str_c("audio");
    s->variant.video.len = 0;
    s->variant.subtitles.len = 0;
    s->variant.attributes.len = 0;

    if (s->variant.codecs.data == NULL) {
        return NGX_ERROR;
    }

    n = mnt_recorder_quality(v, buf, sizeof(buf));

    return n ? ngx_mntreamer_text_set(&s->quality, buf, n) : NGX_OK;
}


/* makes them once; a renewal finds them, however many it offers */

static ngx_int_t
ngx_mntreamer_session_renditions(ngx_mntreamer_session_t *s, ngx_uint_t n)
{
    ngx_uint_t  i;

    if (s->renditions) {
        return NGX_OK;
    }

    /* what lies on the disk already says how it goes on */

    if (s->found) {
        n = s->multi ? ngx_max(n, s->found) : 1;

    } else {
        s->multi = (n > 1);
    }

    s->renditions = ngx_pcalloc(s->pool,
                                n * sizeof(ngx_mntreamer_rendition_t));

    if (s->renditions == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        ngx_mntreamer_rendition_init(s, i);
    }

    s->nrenditions = n;

    return NGX_OK;
}


void
ngx_mntreamer_session_media(ngx_mntreamer_session_t *s)
{
    ngx_mntreamer_request_t               req;
    const ngx_mntreamer_recorder_conf_t  *conf;

    conf = s->rec->conf;

    ngx_mntreamer_session_request(s, &req);

    req.url.data = s->renditions[0].url.data;
    req.url.len = s->renditions[0].url.len;
    req.max_bytes = conf->max_playlist;
    req.total_ms = conf->playlist_ms;
    req.encodings = 1;
    req.done = ngx_mntreamer_session_got_media;
    req.data = s;

    s->master = ngx_mntreamer_curl_start(s->rec->curl, &req);

    if (s->master == NULL) {
        ngx_mntreamer_session_refused(s, "no playlist", 0);
    }
}


static void
ngx_mntreamer_session_got_media(void *data,
    const ngx_mntreamer_answer_t *answer)
{
    ngx_mntreamer_session_t *s = data;

    const char          *why;
    mnt_hls_playlist_t   p;

    s->master = NULL;
    why = NULL;

    if (answer->rc != NGX_MNTREAMER_TRANSFER_OK) {
        why = ngx_mntreamer_transfer_name(answer->rc);

    } else if (answer->http != 200) {
        why = "playlist refused";

    } else if (ngx_mntreamer_session_parse(s, answer, &p) != MNT_HLS_OK
               || p.kind != MNT_HLS_MEDIA)
    {
        why = "no playlist";

    } else if (p.endlist) {
        why = "playlist ended";

    } else if (p.nsegments == 0) {
        why = "playlist empty";
    }

    if (why) {
        ngx_mntreamer_session_refused(s, why, answer->http);

    } else {
        s->target_s = p.target_duration_s;
        ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_OPENING);
    }

    ngx_mntreamer_session_run(s);
}


void
ngx_mntreamer_session_open(ngx_mntreamer_session_t *s)
{
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

    path = mnt_recorder_path(a, layout, &v);

    if (path.data == NULL) {
        ngx_log_error(NGX_LOG_ERR, s->log, 0,
                      "mntreamer: no path for \"%s/%V\"", s->platform_name,
                      &s->channel_id);
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
                      s->platform_name, &s->channel_id);

        ngx_mntreamer_catalog_lease_drop(s->rec->cat, s->streamer_id);
        ngx_mntreamer_session_drop(s);
        return;
    }

    if (opened->rc != NGX_MNTREAMER_PQ_OK) {
        s->retry_at = ngx_current_msec + 1000;
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

    if (s->resume) {
        ngx_mntreamer_session_find(s);
    }

    ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_TRACKS);
    ngx_mntreamer_session_run(s);
}


static ngx_uint_t
ngx_mntreamer_session_exists(ngx_mntreamer_session_t *s, const char *name)
{
    u_char           buf[NGX_MAX_PATH];
    ngx_fd_t         fd;
    ngx_str_t        path;
    ngx_file_info_t  fi;

    path.data = buf;
    path.len = ngx_snprintf(buf, sizeof(buf) - 1, "%V/%s", &s->path, name)
               - buf;
    buf[path.len] = '\0';

    fd = ngx_mntreamer_storage_open_file(s->rec->st, &path, &fi);

    if (fd == NGX_INVALID_FILE) {
        return 0;
    }

    (void) ngx_close_file(fd);

    return 1;
}


void
ngx_mntreamer_session_find(ngx_mntreamer_session_t *s)
{
    u_char  name[sizeof("audio-.m3u8") + NGX_INT_T_LEN];

    s->found = 0;

    if (s->path.len == 0) {
        return;
    }

    if (!ngx_mntreamer_session_exists(s, "video.m3u8")) {
        s->multi = 0;
        s->found = ngx_mntreamer_session_exists(s, "index.m3u8");
        return;
    }

    s->multi = 1;

    do {
        s->found++;
        *ngx_sprintf(name, "audio-%ui.m3u8", s->found) = '\0';

    } while (s->found < MNT_RECORDER_RENDITIONS
             && ngx_mntreamer_session_exists(s, (char *) name));
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

    s->retry_at = ngx_current_msec + 2000;

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

        ngx_log_error(NGX_LOG_ERR, s->log, 0,
                      "mntreamer: track \"%V/%V\" was not opened: %s",
                      &s->path, &r->name, ngx_mntreamer_store_name(state->rc));

    } else {
        r->opened = 1;
        r->window = *state->window;
        r->segments_total = state->segments;
        r->bytes_total = (int64_t) state->bytes;
        r->duration_us = state->duration_us;
        r->last_ms = state->last_ms;
        r->resumed = (state->segments != 0);

        s->gaps += state->gaps;

        if (r->index == 0) {
            s->lost_us += state->lost_us;
        }

        s->retry_at = ngx_current_msec;
    }

    if (s->opening == 0) {
        ngx_mntreamer_session_wake(s);
    }
}


static void
ngx_mntreamer_session_start(ngx_mntreamer_session_t *s)
{
    ngx_uint_t  i;

    if (s->over) {

        /* it was over before it could go on: only the ends are missing */

        ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_ENDING);
        ngx_mntreamer_session_wake(s);
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, s->log, 0,
                  "mntreamer: recording %L %s \"%s/%V\" path \"%V\"",
                  s->recording_id, s->resume ? "resumed" : "started",
                  s->platform_name, &s->channel_id, &s->path);

    ngx_mntreamer_metrics_add(s->rec->metrics,
                              s->resume ? NGX_MNTREAMER_M_RECORDINGS_RESUMED
                                        : NGX_MNTREAMER_M_RECORDINGS_STARTED,
                              0, 1);

    if (s->multi) {
        ngx_mntreamer_session_index(s);
    }

    s->wanted = 0;
    s->end.waiting = 0;
    s->end.news_ms = (int64_t) ngx_current_msec;
    s->end.heard_ms = (int64_t) ngx_current_msec;

    ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_RUNNING);

    for (i = 0; i < s->nrenditions; i++) {
        ngx_mntreamer_rendition_start(&s->renditions[i]);
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
    buf = mnt_arena_alloc(a, NGX_MNTREAMER_SOURCE_INDEX);

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

    n = mnt_hls_write(&p, buf, NGX_MNTREAMER_SOURCE_INDEX);

    if (n >= NGX_MNTREAMER_SOURCE_INDEX) {
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
