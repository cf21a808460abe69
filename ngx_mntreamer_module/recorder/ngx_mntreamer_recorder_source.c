
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The platform's URL: the first playlist, the choice of a variant and of what
 * is recorded beside it; a look at the variant's playlist, so that a channel
 * that says it is live but gives nothing leaves no row.  A renewal comes here
 * as well and only replaces the renditions' URLs.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"
#include "../base/mnt_url.h"


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
static void ngx_mntreamer_session_refused(ngx_mntreamer_session_t *s,
    const char *why, const ngx_mntreamer_answer_t *answer);
static ngx_uint_t ngx_mntreamer_session_unreached(
    const ngx_mntreamer_answer_t *answer);
static void ngx_mntreamer_session_got_media(void *data,
    const ngx_mntreamer_answer_t *answer);
static void ngx_mntreamer_session_saw(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_answer_t *answer);


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
        ngx_mntreamer_session_refused(s, "no playlist", NULL);
    }
}


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
        s->unreached = 0;

        base.data = (char *) answer->url.data;
        base.len = answer->url.len;

        why = ngx_mntreamer_session_adopt(s, &p, base);

        if (why == NULL && p.kind == MNT_HLS_MEDIA) {
            ngx_mntreamer_session_saw(s, answer);
        }
    }

    if (why) {
        ngx_mntreamer_session_refused(s, why, answer);
    }

    ngx_mntreamer_session_run(s);
}


/* "why" is a static text */

static void
ngx_mntreamer_session_refused(ngx_mntreamer_session_t *s, const char *why,
    const ngx_mntreamer_answer_t *answer)
{
    ngx_log_error(NGX_LOG_INFO, s->log, 0,
                  "mntreamer: no playlist of \"%s/%V\": %s, HTTP %ui",
                  s->platform_name, &s->label, why,
                  answer ? answer->http : 0);

    if (ngx_strcmp(why, "forbidden") == 0
        && (s->trouble == NULL || ngx_strcmp(s->trouble, why) != 0))
    {
        ngx_log_error(NGX_LOG_WARN, s->log, 0,
                      "mntreamer: the playlist of \"%s/%V\" is refused: its "
                      "address or port is not a public one, \"fetch_allow\" "
                      "must name the address", s->platform_name, &s->label);
    }

    s->trouble = why;

    switch (s->state) {

    case NGX_MNTREAMER_SESSION_MASTER:
    case NGX_MNTREAMER_SESSION_MEDIA:

        s->unreached = ngx_mntreamer_session_unreached(answer) & 1;

        /* another URL would not help, and what passes by is lost */

        if (s->recorded
            && (!s->unreached
                || ngx_mntreamer_session_past(s,
                                              NGX_MNTREAMER_SESSION_START)))
        {
            ngx_mntreamer_session_renew(s);
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


static ngx_uint_t
ngx_mntreamer_session_unreached(const ngx_mntreamer_answer_t *answer)
{
    if (answer == NULL) {
        return 1;
    }

    if (answer->rc == NGX_MNTREAMER_TRANSFER_OK) {
        return answer->http >= 500;
    }

    return answer->rc != NGX_MNTREAMER_TRANSFER_FORBIDDEN
           && answer->rc != NGX_MNTREAMER_TRANSFER_TOO_LARGE;
}


void
ngx_mntreamer_session_renew(ngx_mntreamer_session_t *s)
{
    s->tries = 0;
    s->renewed_ms = ngx_current_msec;

    ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_ASKING);
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

ngx_int_t
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
        ngx_mntreamer_session_refused(s, "no playlist", NULL);
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

    ngx_memzero(&p, sizeof(mnt_hls_playlist_t));

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
        ngx_mntreamer_session_refused(s, why, answer);

    } else {
        s->target_s = p.target_duration_s;

        ngx_mntreamer_session_saw(s, answer);
        ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_OPENING);
    }

    ngx_mntreamer_session_run(s);
}


/*
 * Until there is a row segments leave the window.  What is listed now is part
 * of the recording: it is fetched when that begins, or is a gap of it.
 */

static void
ngx_mntreamer_session_saw(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_answer_t *answer)
{
    if (s->recorded) {
        return;
    }

    s->first_ms = ngx_current_msec;

    if (ngx_mntreamer_text_set(&s->first_base, answer->url.data,
                               answer->url.len)
        != NGX_OK
        || ngx_mntreamer_text_set(&s->first, answer->body.data,
                                  answer->body.len)
           != NGX_OK)
    {
        ngx_mntreamer_text_free(&s->first);
    }
}


void
ngx_mntreamer_session_first(ngx_mntreamer_session_t *s)
{
    mnt_str_t                   text, base;
    mnt_hls_playlist_t          p;
    ngx_mntreamer_rendition_t  *r;

    text.data = (char *) s->first.data;
    text.len = s->first.len;
    base.data = (char *) s->first_base.data;
    base.len = s->first_base.len;

    r = &s->renditions[0];

    if (text.len && r->segments_total == 0
        && mnt_hls_parse(ngx_mntreamer_recorder_arena(s->rec), text, &p)
           == MNT_HLS_OK
        && p.kind == MNT_HLS_MEDIA)
    {
        r->load_ms = s->first_ms;

        ngx_mntreamer_rendition_plan(r, &p, base);
    }

    ngx_mntreamer_text_free(&s->first);
    ngx_mntreamer_text_free(&s->first_base);
}
