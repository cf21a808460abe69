
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Own broadcasts: their playlists and fragments are files of this machine that
 * nginx-rtmp makes, so that a look replaces a transfer and a link a download.
 * All else is as for any other source.
 *
 * The source of a session is the name of a broadcast.  When its publisher
 * comes back soon there is another broadcast of the same series, and the
 * session turns to it when the one before has brought nothing new for some
 * looks.  A fragment is called NAME-FILE here: its last component tells it
 * from those of the broadcast before, which bear the same numbers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"
#include "../base/mnt_url.h"


#define NGX_MNTREAMER_LIVE_LOOK_MS  NGX_MNTREAMER_TICK_MS
#define NGX_MNTREAMER_LIVE_LOOKS    5         /* without news, before it turns
                                                 to the next broadcast */
#define NGX_MNTREAMER_LIVE_PATH     160


static ngx_mntreamer_live_t *ngx_mntreamer_live_look(
    ngx_mntreamer_session_t *s, const ngx_mntreamer_text_t *name,
    const ngx_mntreamer_stamp_t *stamp, ngx_uint_t peek,
    ngx_mntreamer_live_pt done, void *data);
static void ngx_mntreamer_session_looked_at(void *data,
    const ngx_mntreamer_live_text_t *text);
static const char *ngx_mntreamer_session_listed(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_live_text_t *text, mnt_str_t *newest);
static void ngx_mntreamer_session_looked_on(void *data,
    const ngx_mntreamer_live_text_t *text);
static void ngx_mntreamer_session_keep(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_live_text_t *text);
static void ngx_mntreamer_rendition_looked(void *data,
    const ngx_mntreamer_live_text_t *text);
static ngx_int_t ngx_mntreamer_rendition_begin(ngx_mntreamer_rendition_t *r,
    const ngx_mntreamer_live_text_t *text, mnt_hls_playlist_t *p);
static ngx_uint_t ngx_mntreamer_rendition_news_of(
    ngx_mntreamer_rendition_t *r, const ngx_mntreamer_live_text_t *text);
static void ngx_mntreamer_rendition_take(ngx_mntreamer_rendition_t *r,
    mnt_hls_playlist_t *p);
static void ngx_mntreamer_rendition_turn(ngx_mntreamer_rendition_t *r);
static void ngx_mntreamer_live_names(mnt_arena_t *a,
    const ngx_mntreamer_text_t *name, mnt_hls_playlist_t *p);
static ngx_uint_t ngx_mntreamer_live_plain(mnt_str_t file);
static void ngx_mntreamer_segment_adopted(void *data, ngx_uint_t rc);


static ngx_mntreamer_live_t *
ngx_mntreamer_live_look(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_text_t *name, const ngx_mntreamer_stamp_t *stamp,
    ngx_uint_t peek, ngx_mntreamer_live_pt done, void *data)
{
    u_char     buf[NGX_MNTREAMER_LIVE_PATH];
    ngx_str_t  path;

    path.data = buf;
    path.len = ngx_snprintf(buf, sizeof(buf), "%*s/index.m3u8", name->len,
                            name->data)
               - buf;

    return ngx_mntreamer_live_read(s->rec->st, &path, stamp, peek, done, data);
}


/* the state MASTER */

void
ngx_mntreamer_session_look(ngx_mntreamer_session_t *s)
{
    s->retry_at = ngx_current_msec + NGX_MNTREAMER_LIVE_LOOK_MS;
    s->look = ngx_mntreamer_live_look(s, &s->source, NULL, 1,
                                      ngx_mntreamer_session_looked_at, s);
}


static void
ngx_mntreamer_session_looked_at(void *data,
    const ngx_mntreamer_live_text_t *text)
{
    ngx_mntreamer_session_t *s = data;

    mnt_str_t  first;

    ngx_memzero(&first, sizeof(mnt_str_t));

    s->look = NULL;
    s->trouble = ngx_mntreamer_session_listed(s, text, &first);

    if (s->trouble) {

        /* it is over, and what was to be taken of it is gone */

        if (mnt_recorder_end_past(&s->end, (int64_t) ngx_current_msec)) {
            ngx_mntreamer_session_end(s, "off air", 1);
            return;
        }

        ngx_mntreamer_recorder_arm(&s->tick, NGX_MNTREAMER_LIVE_LOOK_MS);
        return;
    }

    s->pictures[0] = text->pictures[0];
    s->pictures[1] = text->pictures[1];

    ngx_mntreamer_session_looks_free(s);
    ngx_mntreamer_session_keep(s, text);

    if (ngx_mntreamer_ladder_probe(s, first) == NGX_OK) {
        return;
    }

    ngx_mntreamer_session_known(s);
    ngx_mntreamer_session_run(s);
}


/* there is a playlist, and what it will become */

void
ngx_mntreamer_session_known(ngx_mntreamer_session_t *s)
{
    if (s->state != NGX_MNTREAMER_SESSION_MASTER) {
        return;
    }

    if (ngx_mntreamer_session_local(s) != NGX_OK) {
        s->trouble = "no memory";
        return;
    }

    ngx_mntreamer_session_to(s, s->recorded ? NGX_MNTREAMER_SESSION_TRACKS
                                            : NGX_MNTREAMER_SESSION_OPENING);
}


ngx_int_t
ngx_mntreamer_session_local(ngx_mntreamer_session_t *s)
{
    mnt_str_t  url;

    if (ngx_mntreamer_session_renditions(s, 1 + s->ladder.n) != NGX_OK) {
        return NGX_ERROR;
    }

    url.data = (char *) (s->earlier.len ? s->earlier.data : s->source.data);
    url.len = s->earlier.len ? s->earlier.len : s->source.len;

    ngx_mntreamer_rendition_url(&s->renditions[0], url);

    return NGX_OK;
}


/* NULL, or why there is nothing to begin with; the newest fragment */

static const char *
ngx_mntreamer_session_listed(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_live_text_t *text, mnt_str_t *newest)
{
    mnt_str_t            body;
    mnt_hls_playlist_t   p;

    if (text->rc != NGX_MNTREAMER_STORE_OK) {
        return text->rc == NGX_MNTREAMER_STORE_MISSING ? "no playlist yet"
                                    : ngx_mntreamer_store_name(text->rc);
    }

    body.data = (char *) text->text.data;
    body.len = text->text.len;

    if (mnt_hls_parse(ngx_mntreamer_recorder_arena(s->rec), body, &p)
        != MNT_HLS_OK
        || p.kind != MNT_HLS_MEDIA)
    {
        return "no playlist";
    }

    if (p.nsegments == 0) {
        return "playlist empty";
    }

    /* what it is shows the next one, see _rendition_begin() */

    if (p.nsegments == 1 && text->pictures[0] == 0 && s->end.live) {
        return "no picture yet";
    }

    s->target_s = p.target_duration_s;
    *newest = p.segments[p.nsegments - 1].uri;

    return ngx_mntreamer_live_plain(*newest) ? NULL : "playlist of others";
}


/*
 * Fragments leave the playlist, and a while later the disk, whether there is a
 * row or not.
 */

void
ngx_mntreamer_session_look_on(ngx_mntreamer_session_t *s)
{
    if (s->nlooks == 0 || s->look || s->nrenditions == 0
        || ngx_current_msec - s->first_ms < NGX_MNTREAMER_LIVE_LOOK_MS)
    {
        return;
    }

    s->first_ms = ngx_current_msec;
    s->look = ngx_mntreamer_live_look(s, &s->renditions[0].url, NULL, 0,
                                      ngx_mntreamer_session_looked_on, s);
}


static void
ngx_mntreamer_session_looked_on(void *data,
    const ngx_mntreamer_live_text_t *text)
{
    ngx_mntreamer_session_t *s = data;

    s->look = NULL;

    if (s->nlooks && text->rc == NGX_MNTREAMER_STORE_OK) {
        ngx_mntreamer_session_keep(s, text);
    }

    ngx_mntreamer_session_run(s);
}


/*
 * Only as many as are needed: the last one gives way to one that goes on where
 * the one before it ends.  Of too many the second goes, what only that one had
 * is a gap.
 */

static void
ngx_mntreamer_session_keep(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_live_text_t *text)
{
    mnt_str_t            body;
    ngx_uint_t           n;
    mnt_hls_playlist_t   p;

    body.data = (char *) text->text.data;
    body.len = text->text.len;

    if ((s->recorded && s->nlooks == 0)
        || mnt_hls_parse(ngx_mntreamer_recorder_arena(s->rec), body, &p)
           != MNT_HLS_OK
        || p.kind != MNT_HLS_MEDIA || p.nsegments == 0)
    {
        return;
    }

    n = s->nlooks;

    if (n > 1 && p.media_sequence <= s->looks_end[n - 2]) {
        n--;

    } else if (n == NGX_MNTREAMER_SESSION_LOOKS) {
        n--;

        ngx_mntreamer_text_free(&s->looks[1]);
        ngx_memmove(&s->looks[1], &s->looks[2],
                    (n - 1) * sizeof(ngx_mntreamer_text_t));
        ngx_memmove(&s->looks_end[1], &s->looks_end[2],
                    (n - 1) * sizeof(uint64_t));
        ngx_memzero(&s->looks[n], sizeof(ngx_mntreamer_text_t));
    }

    s->first_ms = ngx_current_msec;

    if (ngx_mntreamer_text_set(&s->looks[n], body.data, body.len) != NGX_OK) {
        return;
    }

    s->looks_end[n] = p.media_sequence + p.nsegments;
    s->nlooks = n + 1;
}


void
ngx_mntreamer_session_begin(ngx_mntreamer_session_t *s)
{
    mnt_str_t                   body;
    ngx_uint_t                  i;
    mnt_hls_playlist_t          p;
    ngx_mntreamer_live_text_t   text;
    ngx_mntreamer_rendition_t  *r;

    r = &s->renditions[0];

    ngx_memzero(&text, sizeof(ngx_mntreamer_live_text_t));
    text.pictures[0] = s->pictures[0];
    text.pictures[1] = s->pictures[1];

    for (i = 0; i < s->nlooks && r->segments_total == 0; i++) {

        body.data = (char *) s->looks[i].data;
        body.len = s->looks[i].len;

        if (mnt_hls_parse(ngx_mntreamer_recorder_arena(s->rec), body, &p)
            == MNT_HLS_OK
            && (r->begun
                || ngx_mntreamer_rendition_begin(r, &text, &p) == NGX_OK))
        {
            r->load_ms = ngx_current_msec;
            ngx_mntreamer_rendition_take(r, &p);
        }
    }

    ngx_mntreamer_session_looks_free(s);
}


void
ngx_mntreamer_session_looks_free(ngx_mntreamer_session_t *s)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MNTREAMER_SESSION_LOOKS; i++) {
        ngx_mntreamer_text_free(&s->looks[i]);
    }

    s->nlooks = 0;
}


void
ngx_mntreamer_rendition_look(ngx_mntreamer_rendition_t *r)
{
    r->load_ms = ngx_current_msec;
    r->look = ngx_mntreamer_live_look(r->session, &r->url, &r->stamp,
                                      !r->begun,
                                      ngx_mntreamer_rendition_looked, r);

    if (r->look == NULL) {
        ngx_mntreamer_recorder_arm(&r->reload,
                          ngx_mntreamer_tick_in(NGX_MNTREAMER_LIVE_LOOK_MS));
    }
}


static void
ngx_mntreamer_rendition_looked(void *data,
    const ngx_mntreamer_live_text_t *text)
{
    ngx_mntreamer_rendition_t *r = data;

    r->look = NULL;

    if (ngx_mntreamer_rendition_news_of(r, text)) {
        r->looks = 0;

    } else if (++r->looks >= NGX_MNTREAMER_LIVE_LOOKS) {
        ngx_mntreamer_rendition_turn(r);
    }

    if (r->failures == 0 || !r->reload.timer_set) {
        ngx_mntreamer_recorder_arm(&r->reload,
                          ngx_mntreamer_tick_in(NGX_MNTREAMER_LIVE_LOOK_MS));
    }

    ngx_mntreamer_rendition_run(r);
}


/* 1 when the playlist is another one than at the last look */

static ngx_uint_t
ngx_mntreamer_rendition_news_of(ngx_mntreamer_rendition_t *r,
    const ngx_mntreamer_live_text_t *text)
{
    mnt_str_t                 body;
    mnt_arena_t              *a;
    mnt_hls_rc_e              rc;
    mnt_hls_playlist_t        p;
    ngx_mntreamer_session_t  *s;

    s = r->session;

    /* there is none before its first fragment is complete */

    if (text->rc == NGX_MNTREAMER_STORE_MISSING || text->same) {
        return 0;
    }

    if (text->rc != NGX_MNTREAMER_STORE_OK) {
        ngx_mntreamer_rendition_failed(r, ngx_mntreamer_store_name(text->rc),
                                       0);
        return 0;
    }

    body.data = (char *) text->text.data;
    body.len = text->text.len;

    a = ngx_mntreamer_recorder_arena(s->rec);
    rc = mnt_hls_parse(a, body, &p);

    if (rc != MNT_HLS_OK || p.kind != MNT_HLS_MEDIA) {
        ngx_mntreamer_rendition_failed(r, mnt_hls_strerror(rc), 0);
        return 0;
    }

    if (!r->begun && ngx_mntreamer_rendition_begin(r, text, &p) != NGX_OK) {
        return 0;
    }

    r->stamp = text->stamp;

    ngx_mntreamer_rendition_take(r, &p);

    return 1;
}


static void
ngx_mntreamer_rendition_take(ngx_mntreamer_rendition_t *r,
    mnt_hls_playlist_t *p)
{
    mnt_str_t  base = mnt_str_null;

    ngx_mntreamer_live_names(&r->session->rec->arena, &r->url, p);

    mnt_hls_window_certain(&r->window);

    ngx_mntreamer_rendition_plan(r, p, base);
}


/*
 * An encoder that sends a key frame as soon as it is admitted is faster than
 * the relay: what comes before the next one is sound, and browsers that begin
 * with a segment of sound never show a picture.  Such a fragment, at the very
 * beginning, is left out when a picture follows it.  NGX_AGAIN: not known yet.
 */

static ngx_int_t
ngx_mntreamer_rendition_begin(ngx_mntreamer_rendition_t *r,
    const ngx_mntreamer_live_text_t *text, mnt_hls_playlist_t *p)
{
    uint64_t                  first;
    ngx_mntreamer_session_t  *s;

    s = r->session;
    first = 0;

    if (p->nsegments && p->media_sequence == 0 && text->pictures[0] == 0) {

        /* while it is on the air there will be another fragment */

        if (p->nsegments == 1 && s->end.live && s->source.len == r->url.len
            && ngx_memcmp(s->source.data, r->url.data, r->url.len) == 0)
        {
            return NGX_AGAIN;
        }

        if (p->nsegments > 1 && text->pictures[1] == 1) {

            ngx_log_error(NGX_LOG_NOTICE, s->log, 0,
                          "mntreamer: recording %L of \"%s/%V\" begins with "
                          "its first picture, %L ms of sound before it are "
                          "left out", s->recording_id, s->platform_name,
                          &s->label, p->segments[0].duration_us / 1000);

            p->segments++;
            p->nsegments--;
            p->media_sequence++;
            first++;
        }
    }

    r->begun = (p->nsegments != 0);

    /* nginx-rtmp numbers the fragments of each broadcast from 0 on */

    if (s->fresh && r->begun) {
        s->fresh = 0;
        mnt_hls_window_from(&r->window, first, p->segments[0].duration_us);
    }

    return NGX_OK;
}


/* to what its publisher sends since it came back */

static void
ngx_mntreamer_rendition_turn(ngx_mntreamer_rendition_t *r)
{
    mnt_str_t                 url;
    ngx_str_t                 name;
    ngx_mntreamer_session_t  *s;

    s = r->session;

    if (s->source.len == r->url.len
        && ngx_memcmp(s->source.data, r->url.data, r->url.len) == 0)
    {
        return;
    }

    name.data = r->url.data;
    name.len = r->url.len;

    if (ngx_queue_empty(&r->segments)) {
        ngx_mntreamer_live_remove(s->rec->st, &name);
    }

    url.data = (char *) s->source.data;
    url.len = s->source.len;

    ngx_mntreamer_rendition_url(r, url);
    ngx_memzero(&r->stamp, sizeof(ngx_mntreamer_stamp_t));

    r->looks = 0;
    r->begun = 0;

    /* what was left of the one before is taken: this one goes on as it was */

    if (s->earlier.len) {
        s->earlier.len = 0;
        return;
    }

    r->discontinuous = 1;

    ngx_log_error(NGX_LOG_NOTICE, s->log, 0,
                  "mntreamer: recording %L of \"%s/%V\" goes on, its "
                  "publisher came back", s->recording_id, s->platform_name,
                  &s->label);
}


/* what cannot be linked is a gap of the source */

static void
ngx_mntreamer_live_names(mnt_arena_t *a, const ngx_mntreamer_text_t *name,
    mnt_hls_playlist_t *p)
{
    unsigned            i;
    mnt_hls_segment_t  *seg;

    for (i = 0; i < p->nsegments; i++) {
        seg = &p->segments[i];

        if (!ngx_mntreamer_live_plain(seg->uri) || seg->map || seg->key
            || seg->range.length)
        {
            seg->gap = 1;
            continue;
        }

        seg->uri = mnt_arena_printf(a, "%.*s-%.*s", (int) name->len,
                                    (char *) name->data, (int) seg->uri.len,
                                    seg->uri.data);

        seg->gap |= (seg->uri.data == NULL);
    }
}


static ngx_uint_t
ngx_mntreamer_live_plain(mnt_str_t file)
{
    char    c;
    size_t  i;

    if (file.len == 0 || file.len > 48 || file.data[0] == '.') {
        return 0;
    }

    for (i = 0; i < file.len; i++) {
        c = file.data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
            && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_')
        {
            return 0;
        }
    }

    return 1;
}


mnt_str_t
ngx_mntreamer_segment_url(ngx_mntreamer_session_t *s, mnt_str_t base,
    mnt_str_t uri)
{
    return s->local ? uri
                    : mnt_url_join(ngx_mntreamer_recorder_urls(s->rec), base,
                                   uri);
}


void
ngx_mntreamer_segment_link(ngx_mntreamer_segment_t *sg)
{
    u_char                     *p, buf[NGX_MNTREAMER_LIVE_PATH];
    ngx_str_t                   path;
    ngx_mntreamer_rendition_t  *r;

    r = sg->rendition;

    path.data = buf;
    path.len = ngx_min(sg->url.len, sizeof(buf));
    ngx_memcpy(buf, sg->url.data, path.len);

    /* names of broadcasts have none */

    p = ngx_strlchr(buf, buf + path.len, '-');

    if (p) {
        *p = '/';
    }

    sg->part = ngx_mntreamer_part_adopt(r->track, &path,
                                        ngx_mntreamer_segment_adopted, sg);

    if (sg->part == NULL) {
        ngx_mntreamer_segment_retry(sg, NGX_MNTREAMER_GAP_DISK, 1);
        return;
    }

    sg->state = NGX_MNTREAMER_SEGMENT_FETCHING;
    r->fetching++;
}


static void
ngx_mntreamer_segment_adopted(void *data, ngx_uint_t rc)
{
    ngx_mntreamer_segment_t *sg = data;

    ngx_mntreamer_rendition_t  *r;

    r = sg->rendition;

    if (rc == NGX_MNTREAMER_STORE_OK) {
        ngx_mntreamer_segment_fetched(sg);

    } else if (rc == NGX_MNTREAMER_STORE_MISSING) {
        sg->cause = NGX_MNTREAMER_GAP_WINDOW;
        ngx_mntreamer_segment_lose(sg);

    } else {
        ngx_mntreamer_segment_unstored(sg, rc);
    }

    ngx_mntreamer_rendition_run(r);
}


ngx_uint_t
ngx_mntreamer_session_source(ngx_mntreamer_session_t *s,
    const mnt_probe_t *probe)
{
    if (probe->playlist_url.len == 0
        || ngx_mntreamer_text_set(&s->source, probe->playlist_url.data,
                                  probe->playlist_url.len)
           != NGX_OK)
    {
        return 0;
    }

    /* whoever recorded it may have died before the one before was taken */

    if (s->state == NGX_MNTREAMER_SESSION_ASKING) {
        (void) ngx_mntreamer_text_set(&s->earlier, probe->earlier_url.data,
                                      probe->earlier_url.len);
    }

    return 1;
}


/* what is stored or lost of it needs no other copy */

void
ngx_mntreamer_session_sweep(ngx_mntreamer_session_t *s)
{
    ngx_str_t  name;

    if (!s->local || s->end.live || s->source.len == 0) {
        return;
    }

    name.data = s->source.data;
    name.len = s->source.len;

    ngx_mntreamer_live_remove(s->rec->st, &name);
}
