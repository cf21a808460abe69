
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * What a session asks its platform: is it still on air, what are its URLs now,
 * what is it called.  One question at a time serves all of these, so that many
 * renditions with a dead token cause one renewal.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"


#define NGX_MNTREAMER_ASK_ERRORS  4
#define NGX_MNTREAMER_ASK_MISSED  10000


static void ngx_mntreamer_session_asked(void *data, const mnt_probe_t *probe);
static void ngx_mntreamer_session_on_air(ngx_mntreamer_session_t *s,
    const mnt_probe_t *probe);
static mnt_recorder_heard_e ngx_mntreamer_session_heard(
    const ngx_mntreamer_session_t *s, const mnt_probe_t *probe);
static ngx_uint_t ngx_mntreamer_session_other(const ngx_mntreamer_session_t *s,
    const mnt_probe_t *probe);


ngx_msec_t
ngx_mntreamer_session_ask_at(ngx_mntreamer_session_t *s)
{
    int64_t                    at, renew;
    unsigned                   n;
    const mnt_recorder_end_t  *e;

    e = &s->end;

    if (s->check) {
        return ngx_current_msec;
    }

    at = mnt_recorder_end_ask_at(e, (int64_t) ngx_current_msec);

    if (!s->wanted && s->state != NGX_MNTREAMER_SESSION_ASKING) {
        return (ngx_msec_t) at;
    }

    renew = (int64_t) s->renewed_ms + mnt_recorder_renew_ms(s->renewals);

    if (e->errors) {
        n = ngx_min(e->errors, NGX_MNTREAMER_ASK_ERRORS);
        renew = ngx_max(renew, e->heard_ms + ((int64_t) 1000 << n));
    }

    if (!e->live) {
        renew = ngx_max(renew, e->heard_ms + e->check_ms);
    }

    /* who has no playlist yet is always quiet: only the renewal counts */

    if (s->state == NGX_MNTREAMER_SESSION_ASKING) {
        return (ngx_msec_t) renew;
    }

    return (ngx_msec_t) ngx_min(at, renew);
}


/*
 * 1 when a segment waits for fresh URLs.  A CDN may also say "not found" to a
 * dead token: when it says so again they are asked for, while the segment is
 * tried as before.
 */

ngx_uint_t
ngx_mntreamer_session_unserved(ngx_mntreamer_session_t *s, ngx_uint_t http,
    ngx_uint_t tries)
{
    if ((http == 404 || http == 410) && tries && !s->wanted
        && s->state == NGX_MNTREAMER_SESSION_RUNNING
        && ngx_current_msec - s->renewed_ms >= NGX_MNTREAMER_ASK_MISSED)
    {
        s->wanted = 1;
        ngx_mntreamer_session_wake(s);
    }

    return http == 401 || http == 403;
}


void
ngx_mntreamer_session_ask(ngx_mntreamer_session_t *s, ngx_uint_t detail)
{
    ngx_mntreamer_recorder_t  *rec;

    rec = s->rec;

    s->asked++;
    s->detail = (detail != 0);
    s->asking = rec->deps.probe(rec->deps.data, s->platform, &s->channel_id,
                                detail, ngx_mntreamer_session_asked, s);

    if (s->asking == NULL) {
        mnt_recorder_end_heard(&s->end, MNT_RECORDER_UNSURE,
                               (int64_t) ngx_current_msec);
    }
}


static mnt_recorder_heard_e
ngx_mntreamer_session_heard(const ngx_mntreamer_session_t *s,
    const mnt_probe_t *probe)
{
    /* the last of it may still have to be taken */

    if (s->local && ngx_mntreamer_session_other(s, probe)) {
        return MNT_RECORDER_OFF_AIR;
    }

    if (probe->outcome == MNT_PROBE_LIVE
        || probe->outcome == MNT_PROBE_LIVE_NOT_PLAYABLE)
    {
        return MNT_RECORDER_ON_AIR;
    }

    return mnt_probe_conclusive(probe->outcome) ? MNT_RECORDER_OFF_AIR
                                                : MNT_RECORDER_UNSURE;
}


/* it is about another broadcast than ours */

static ngx_uint_t
ngx_mntreamer_session_other(const ngx_mntreamer_session_t *s,
    const mnt_probe_t *probe)
{
    return s->broadcast_id.len
           && probe->broadcast_id.len
           && (s->broadcast_id.len != probe->broadcast_id.len
               || ngx_memcmp(s->broadcast_id.data, probe->broadcast_id.data,
                             s->broadcast_id.len) != 0);
}


static void
ngx_mntreamer_session_asked(void *data, const mnt_probe_t *probe)
{
    ngx_mntreamer_session_t *s = data;

    mnt_recorder_heard_e  heard;

    s->asking = NULL;

    heard = ngx_mntreamer_session_heard(s, probe);

    ngx_log_debug3(NGX_LOG_DEBUG_CORE, s->log, 0,
                   "mntreamer session %L: heard \"%s\", %ui renewals in a row",
                   s->streamer_id, mnt_probe_name(probe->outcome),
                   s->renewals);

    mnt_recorder_end_heard(&s->end, heard, (int64_t) ngx_current_msec);

    if (heard == MNT_RECORDER_ON_AIR) {
        ngx_mntreamer_session_on_air(s, probe);

    } else if (heard == MNT_RECORDER_OFF_AIR
               && s->state == NGX_MNTREAMER_SESSION_ASKING
               && s->local
               && !ngx_mntreamer_session_other(s, probe)
               && ngx_mntreamer_session_source(s, probe))
    {
        /* its last fragments may still be there */

        ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_MASTER);
    }

    ngx_mntreamer_session_run(s);
}


static void
ngx_mntreamer_session_on_air(ngx_mntreamer_session_t *s,
    const mnt_probe_t *probe)
{
    ngx_mntreamer_facts_t  facts;

    if (ngx_mntreamer_session_other(s, probe)) {
        ngx_mntreamer_session_end(s, "new broadcast", 0);
        return;
    }

    if (ngx_mntreamer_session_learn(s, probe) != NGX_OK) {
        return;
    }

    if (s->recorded) {
        ngx_mntreamer_session_facts(s, &facts);
        ngx_mntreamer_catalog_facts(s->rec->cat, s->recording_id, s->epoch,
                                    &facts);
    }

    if (s->local) {

        if (ngx_mntreamer_session_source(s, probe)
            && s->state == NGX_MNTREAMER_SESSION_ASKING)
        {
            ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_MASTER);
        }

        s->wanted = 0;
        return;
    }

    /* the cheap answer has no URL: the next question will */

    if (!s->detail
        || (!s->wanted && s->state != NGX_MNTREAMER_SESSION_ASKING))
    {
        return;
    }

    s->renewed_ms = ngx_current_msec;
    s->renewals += !s->unreached;

    if (s->renewals > 3 && !s->denied) {
        s->denied = 1;

        ngx_log_error(NGX_LOG_WARN, s->log, 0,
                      "mntreamer: fresh URLs did not help recording %L, it "
                      "will be tried again less often", s->recording_id);

        ngx_mntreamer_session_tell(s, MNT_PROBE_TOKEN_EXPIRED, "playlist", 1);
    }

    /* without a URL it is on air but not playable: tried again later */

    if (probe->playlist_url.len == 0
        || ngx_mntreamer_text_set(&s->source, probe->playlist_url.data,
                                  probe->playlist_url.len)
           != NGX_OK)
    {
        return;
    }

    if (s->state == NGX_MNTREAMER_SESSION_ASKING) {
        ngx_mntreamer_session_to(s, NGX_MNTREAMER_SESSION_MASTER);
        return;
    }

    ngx_mntreamer_metrics_add(s->rec->metrics, NGX_MNTREAMER_M_URL_RENEWALS,
                              0, 1);

    ngx_mntreamer_session_load(s);
}


ngx_int_t
ngx_mntreamer_session_learn(ngx_mntreamer_session_t *s,
    const mnt_probe_t *probe)
{
    ngx_uint_t  i;

    const struct {
        ngx_mntreamer_text_t  *text;
        const mnt_str_t       *fact;
    } facts[] = {
        { &s->broadcast_id, &probe->broadcast_id },
        { &s->channel_name, &probe->channel_name },
        { &s->title, &probe->title },
        { &s->category, &probe->category },
        { &s->image, &probe->image_url }
    };

    for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {

        if (facts[i].fact->len
            && ngx_mntreamer_text_set(facts[i].text, facts[i].fact->data,
                                      facts[i].fact->len)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (probe->opened_ms != MNT_DATE_NONE && probe->opened_ms > 0) {
        s->opened_ms = probe->opened_ms;
    }

    s->viewers = probe->viewers;
    s->end.identified = (s->broadcast_id.len != 0);

    return NGX_OK;
}


void
ngx_mntreamer_session_facts(ngx_mntreamer_session_t *s,
    ngx_mntreamer_facts_t *facts)
{
    ngx_memzero(facts, sizeof(ngx_mntreamer_facts_t));

    facts->broadcast_id.data = s->broadcast_id.data;
    facts->broadcast_id.len = s->broadcast_id.len;
    facts->title.data = s->title.data;
    facts->title.len = s->title.len;
    facts->category.data = s->category.data;
    facts->category.len = s->category.len;
    facts->channel_name.data = s->channel_name.data;
    facts->channel_name.len = s->channel_name.len;
    facts->image.data = s->image.data;
    facts->image.len = s->image.len;
    facts->opened_ms = s->opened_ms;
    facts->viewers = s->viewers;
}
