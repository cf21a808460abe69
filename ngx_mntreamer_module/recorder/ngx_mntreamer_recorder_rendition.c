
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * A rendition: reloads its media playlist and queues what is new.  The timer
 * counts from the start of a load and waits for nothing else; downloads, keys
 * and commits go their own way (_segment.c, _commit.c).
 *
 * Loading is one of three states, told by "load", "refused" and the timer:
 *
 * state    entered by         waits for      deadline        then
 * LOADING  timer              the transfer   total_ms        PAUSED, PARKED
 * PAUSED   news, failure      reload timer   <= 60 s         LOADING
 * PARKED   401, 403           a renewal      of the session  LOADING
 *
 * 404 and 410 pause: the playlist may be back before the platform knows.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"
#include "../base/mnt_url.h"


#define NGX_MNTREAMER_RENDITION_AHEAD_S   60  /* renewed before "exp" */
#define NGX_MNTREAMER_RENDITION_STALL_MS  30000
#define NGX_MNTREAMER_RENDITION_LIFE_MS   (30 * 60 * 1000)  /* queued */
#define NGX_MNTREAMER_RENDITION_FAILURES  3
#define NGX_MNTREAMER_LOAD_FAILED         4   /* label, behind the news */


static void ngx_mntreamer_rendition_reload(ngx_event_t *ev);
static void ngx_mntreamer_rendition_work(ngx_event_t *ev);
static void ngx_mntreamer_rendition_load(ngx_mntreamer_rendition_t *r);
static void ngx_mntreamer_rendition_loaded(void *data,
    const ngx_mntreamer_answer_t *answer);
static void ngx_mntreamer_rendition_ended(ngx_mntreamer_rendition_t *r,
    const mnt_hls_plan_t *plan);
static void ngx_mntreamer_rendition_news(ngx_mntreamer_rendition_t *r,
    const mnt_hls_playlist_t *p, const mnt_hls_plan_t *plan, mnt_str_t base);
static void ngx_mntreamer_rendition_lost(ngx_mntreamer_rendition_t *r,
    const mnt_hls_playlist_t *p, const mnt_hls_plan_t *plan);


void
ngx_mntreamer_rendition_init(ngx_mntreamer_session_t *s, ngx_uint_t i)
{
    ngx_mntreamer_rendition_t  *r;

    r = &s->renditions[i];

    r->session = s;
    r->index = i;
    r->height = (s->local && i) ? s->ladder.heights[i - 1] : 0;
    r->ident.data = r;
    r->ident.fd = (ngx_socket_t) -1;
    r->renew_s = -1;

    ngx_queue_init(&r->segments);
    mnt_hls_window_init(&r->window);

    ngx_mntreamer_recorder_event(&r->reload, ngx_mntreamer_rendition_reload,
                                 &r->ident, s->log);
    ngx_mntreamer_recorder_event(&r->work, ngx_mntreamer_rendition_work,
                                 &r->ident, s->log);
}


ngx_int_t
ngx_mntreamer_rendition_name(ngx_mntreamer_rendition_t *r)
{
    u_char                   *p;
    ngx_mntreamer_session_t  *s;

    s = r->session;

    if (r->name.len) {
        return NGX_OK;
    }

    if (r->index == 0) {

        if (s->multi) {
            ngx_str_set(&r->name, "video");

        } else {
            ngx_str_set(&r->name, "index");
        }

        return NGX_OK;
    }

    p = ngx_pnalloc(s->pool, sizeof("audio-") + sizeof("a-")
                             + 2 * NGX_INT_T_LEN);

    if (p == NULL) {
        return NGX_ERROR;
    }

    r->name.data = p;
    p = r->height ? ngx_sprintf(p, "%uip", r->height)
                  : ngx_sprintf(p, "audio-%ui", r->index);
    r->name.len = p - r->name.data;

    r->prefix.data = p;
    p = r->height ? ngx_sprintf(p, "%uip-", r->height)
                  : ngx_sprintf(p, "a%ui-", r->index);
    r->prefix.len = p - r->prefix.data;

    return NGX_OK;
}


ngx_int_t
ngx_mntreamer_rendition_label(ngx_mntreamer_rendition_t *r,
    const mnt_hls_rendition_t *audio)
{
    ngx_str_t    name, language;
    ngx_pool_t  *pool;

    if (r->labelled) {
        return NGX_OK;
    }

    pool = r->session->pool;

    name.data = (u_char *) audio->name.data;
    name.len = audio->name.len;
    language.data = (u_char *) audio->language.data;
    language.len = audio->language.len;

    r->audio.data = ngx_pstrdup(pool, &name);
    r->language.data = ngx_pstrdup(pool, &language);

    if (r->audio.data == NULL || r->language.data == NULL) {
        return NGX_ERROR;
    }

    r->audio.len = name.len;
    r->language.len = language.len;
    r->is_default = audio->is_default;
    r->autoselect = audio->autoselect;
    r->labelled = 1;

    return NGX_OK;
}


ngx_uint_t
ngx_mntreamer_rendition_is(ngx_mntreamer_rendition_t *r,
    const mnt_hls_rendition_t *audio)
{
    return r->labelled
           && r->audio.len == audio->name.len
           && r->language.len == audio->language.len
           && ngx_memcmp(r->audio.data, audio->name.data, r->audio.len) == 0
           && ngx_memcmp(r->language.data, audio->language.data,
                         r->language.len)
              == 0;
}


void
ngx_mntreamer_rendition_entry(ngx_mntreamer_rendition_t *r, mnt_arena_t *a,
    mnt_hls_rendition_t *audio)
{
    audio->type = mnt_str_c("AUDIO");
    audio->group_id = r->session->variant.audio;
    audio->language.data = (char *) r->language.data;
    audio->language.len = r->language.len;
    audio->is_default = r->is_default;
    audio->autoselect = r->autoselect || r->is_default;

    if (r->audio.len) {
        audio->name.data = (char *) r->audio.data;
        audio->name.len = r->audio.len;

    } else {
        audio->name = mnt_arena_printf(a, "audio %u", (unsigned) r->index);
    }

    audio->uri = mnt_arena_printf(a, "audio-%u.m3u8", (unsigned) r->index);
}


void
ngx_mntreamer_rendition_url(ngx_mntreamer_rendition_t *r, mnt_str_t url)
{
    int64_t  life_s;

    if (ngx_mntreamer_text_set(&r->url, url.data, url.len) != NGX_OK) {
        return;
    }

    r->renew_s = -1;
    life_s = mnt_url_expires(url) - ngx_time();

    /* one that seems dead already is tried: clocks differ */

    if (life_s > 0) {
        r->ahead_s = ngx_min(life_s / 3, NGX_MNTREAMER_RENDITION_AHEAD_S);
        r->renew_s = ngx_time() + life_s - r->ahead_s;
    }
}


void
ngx_mntreamer_rendition_start(ngx_mntreamer_rendition_t *r)
{
    if (r->url.len) {
        r->failing_ms = ngx_current_msec;
        ngx_mntreamer_rendition_load(r);
    }
}


void
ngx_mntreamer_rendition_stop(ngx_mntreamer_rendition_t *r)
{
    ngx_mntreamer_recorder_disarm(&r->reload);

    if (r->load) {
        ngx_mntreamer_curl_cancel(r->load);
        r->load = NULL;
    }

    if (r->look) {
        ngx_mntreamer_live_cancel(r->look);
        r->look = NULL;
    }
}


void
ngx_mntreamer_rendition_clear(ngx_mntreamer_rendition_t *r)
{
    ngx_queue_t  *q;

    ngx_mntreamer_recorder_disarm(&r->work);

    while (!ngx_queue_empty(&r->segments)) {
        q = ngx_queue_head(&r->segments);

        ngx_mntreamer_segment_put(
            ngx_queue_data(q, ngx_mntreamer_segment_t, queue));
    }

    r->storing = NULL;
}


void
ngx_mntreamer_rendition_drop(ngx_mntreamer_rendition_t *r)
{
    ngx_queue_t              *q, *next;
    ngx_mntreamer_segment_t  *sg;

    for (q = ngx_queue_head(&r->segments);
         q != ngx_queue_sentinel(&r->segments);
         q = next)
    {
        next = ngx_queue_next(q);
        sg = ngx_queue_data(q, ngx_mntreamer_segment_t, queue);

        if (sg->state != NGX_MNTREAMER_SEGMENT_STORING) {
            ngx_mntreamer_segment_put(sg);
        }
    }
}


/*
 * A drain drops everything from the first segment on that is not under way:
 * whoever goes on finds it in the source's window, and later ones may not be
 * stored before it.  An end gives up what has not come by then.
 */

void
ngx_mntreamer_rendition_settle(ngx_mntreamer_rendition_t *r, ngx_uint_t lost)
{
    ngx_uint_t                drop;
    ngx_queue_t              *q, *next;
    ngx_mntreamer_segment_t  *sg;

    /* what the source has is linked, unless the disk takes nothing */

    if (r->height && lost) {
        ngx_mntreamer_ladder_hurry(r->session);

        if (!ngx_mntreamer_storage_space(r->session->rec->st)->paused) {
            return;
        }
    }

    drop = 0;

    for (q = ngx_queue_head(&r->segments);
         q != ngx_queue_sentinel(&r->segments);
         q = next)
    {
        next = ngx_queue_next(q);
        sg = ngx_queue_data(q, ngx_mntreamer_segment_t, queue);

        if (lost) {
            if (sg->state < NGX_MNTREAMER_SEGMENT_FETCHED) {
                ngx_mntreamer_segment_lose(sg);
            }

            continue;
        }

        if (sg->state != NGX_MNTREAMER_SEGMENT_FETCHING
            && sg->state < NGX_MNTREAMER_SEGMENT_FETCHED)
        {
            drop = 1;
        }

        if (drop) {
            ngx_mntreamer_segment_put(sg);
        }
    }

    ngx_mntreamer_rendition_run(r);
}


void
ngx_mntreamer_rendition_renewed(ngx_mntreamer_rendition_t *r)
{
    if (r->url.len == 0) {
        return;
    }

    ngx_mntreamer_rendition_stop(r);

    r->refused = 0;

    ngx_mntreamer_rendition_load(r);
}


static void
ngx_mntreamer_rendition_reload(ngx_event_t *ev)
{
    ngx_mntreamer_ident_t *ident = ev->data;

    ngx_mntreamer_rendition_load(ident->data);
}


static void
ngx_mntreamer_rendition_work(ngx_event_t *ev)
{
    ngx_mntreamer_ident_t *ident = ev->data;

    ngx_mntreamer_rendition_run(ident->data);
}


static void
ngx_mntreamer_rendition_load(ngx_mntreamer_rendition_t *r)
{
    ngx_msec_t                            total_ms;
    ngx_mntreamer_session_t              *s;
    ngx_mntreamer_request_t               req;
    const ngx_mntreamer_recorder_conf_t  *conf;

    s = r->session;
    conf = s->rec->conf;

    if (s->state != NGX_MNTREAMER_SESSION_RUNNING || r->load || r->look) {
        return;
    }

    if (s->local) {
        ngx_mntreamer_rendition_look(r);
        return;
    }

    /* one that hangs must not cost the window */

    total_ms = r->target_ms ? ngx_max(2 * (ngx_msec_t) r->target_ms, 2000)
                            : conf->playlist_ms;

    ngx_mntreamer_session_request(s, &req);

    req.url.data = r->url.data;
    req.url.len = r->url.len;
    req.max_bytes = conf->max_playlist;
    req.total_ms = ngx_min(total_ms, conf->playlist_ms);
    req.connect_ms = ngx_min(req.connect_ms, req.total_ms);
    req.encodings = 1;
    req.done = ngx_mntreamer_rendition_loaded;
    req.data = r;

    r->load_ms = ngx_current_msec;
    r->renewal = s->renewed;
    r->load = ngx_mntreamer_curl_start(s->rec->curl, &req);

    if (r->load == NULL) {
        ngx_mntreamer_rendition_failed(r, "not started", 0);
    }
}


static void
ngx_mntreamer_rendition_loaded(void *data,
    const ngx_mntreamer_answer_t *answer)
{
    ngx_mntreamer_rendition_t *r = data;

    mnt_str_t                 base;
    const char               *why;
    mnt_hls_rc_e              rc;
    mnt_hls_playlist_t        p;
    ngx_mntreamer_session_t  *s;

    s = r->session;
    r->load = NULL;
    why = NULL;

    ngx_memzero(&p, sizeof(mnt_hls_playlist_t));

    if (answer->rc != NGX_MNTREAMER_TRANSFER_OK) {
        why = ngx_mntreamer_transfer_name(answer->rc);

    } else if (answer->http != 200) {
        why = "refused";

    } else {
        rc = ngx_mntreamer_session_parse(s, answer, &p);

        if (rc != MNT_HLS_OK) {
            why = mnt_hls_strerror(rc);

        } else if (p.kind != MNT_HLS_MEDIA) {
            why = "a multivariant playlist in a multivariant playlist";
        }
    }

    if (why) {
        ngx_mntreamer_rendition_failed(r, why, answer->http);

    } else {
        base.data = (char *) answer->url.data;
        base.len = answer->url.len;

        ngx_mntreamer_rendition_plan(r, &p, base);
    }

    ngx_mntreamer_rendition_run(r);
}


void
ngx_mntreamer_rendition_failed(ngx_mntreamer_rendition_t *r, const char *why,
    ngx_uint_t http)
{
    int64_t                   now, wait;
    ngx_uint_t                n, level;
    ngx_mntreamer_session_t  *s;

    s = r->session;
    now = (int64_t) ngx_current_msec;

    ngx_mntreamer_metrics_add(s->rec->metrics, NGX_MNTREAMER_M_PLAYLIST_LOADS,
                              NGX_MNTREAMER_LOAD_FAILED, 1);

    if (r->failures++ == 0) {
        r->failing_ms = ngx_current_msec;
    }

    /* the first, the second, the fourth, ... */

    n = r->failures;

    if ((n & (n - 1)) == 0) {
        level = (n < NGX_MNTREAMER_RENDITION_FAILURES) ? NGX_LOG_INFO
                                                       : NGX_LOG_WARN;

        ngx_log_error(level, s->log, 0,
                      "mntreamer: playlist \"%V\" of recording %L failed %ui "
                      "times in a row: %s, HTTP %ui",
                      &r->name, s->recording_id, n, why, http);
    }

    if (r->index == 0 && s->end.failing_ms < 0) {
        s->end.failing_ms = now;
    }

    if (http == 401 || http == 403 || http == 404 || http == 410) {
        s->wanted = 1;
        r->refused = (http < 404);

        if (r->index == 0 && s->end.refused_ms < 0) {
            s->end.refused_ms = now;
        }

        ngx_mntreamer_session_wake(s);

    } else if (n == NGX_MNTREAMER_RENDITION_FAILURES) {
        s->wanted = 1;
    }

    if (r->refused) {
        return;
    }

    wait = mnt_recorder_reload_ms((unsigned) n,
                                  r->target_ms ? r->target_ms : 2000,
                                  now - (int64_t) r->failing_ms,
                                  (uint32_t) ngx_random());

    ngx_mntreamer_recorder_arm(&r->reload, wait);
}


void
ngx_mntreamer_rendition_plan(ngx_mntreamer_rendition_t *r,
    const mnt_hls_playlist_t *p, mnt_str_t base)
{
    int64_t                   now;
    mnt_hls_plan_t            plan;
    ngx_mntreamer_session_t  *s;

    s = r->session;
    now = (int64_t) ngx_current_msec;

    r->failures = 0;
    r->refused = 0;
    r->target_ms = (int64_t) p->target_duration_s * 1000;

    if (r->index == 0) {
        s->end.target_ms = r->target_ms;
        s->end.failing_ms = -1;
        s->end.refused_ms = -1;
    }

    mnt_hls_window_plan(&r->window, p, (int64_t) r->load_ms, now, &plan);

    ngx_mntreamer_metrics_add(s->rec->metrics, NGX_MNTREAMER_M_PLAYLIST_LOADS,
                              plan.news, 1);

    if (!ngx_queue_empty(&r->segments)) {
        ngx_mntreamer_rendition_refresh(r, p, base);
    }

    if (plan.count) {
        mnt_recorder_end_news(&s->end, now);
        ngx_mntreamer_rendition_news(r, p, &plan, base);
        r->resumed = 0;
    }

    if (plan.news == MNT_HLS_RESET && !s->check) {
        s->check = 1;
        ngx_mntreamer_session_wake(s);
    }

    ngx_mntreamer_rendition_ended(r, &plan);

    if (r->renew_s >= 0
        && ngx_time() >= r->renew_s
        && ngx_current_msec - s->renewed_ms
           >= (ngx_msec_t) r->ahead_s * 1000 / 2)
    {
        s->wanted = 1;
        ngx_mntreamer_session_wake(s);
    }

    ngx_mntreamer_recorder_arm(&r->reload, (int64_t) r->load_ms + plan.next_ms
                                           - now);
}


static void
ngx_mntreamer_rendition_ended(ngx_mntreamer_rendition_t *r,
    const mnt_hls_plan_t *plan)
{
    ngx_mntreamer_session_t  *s;

    s = r->session;

    if (!plan->ended) {
        r->ended = 0;

        if (r->index == 0) {
            s->end.ended_ms = -1;
        }

        /* still live, as the platform says: maybe at another URL */

        if (plan->stalled
            && ngx_current_msec - s->renewed_ms
               > NGX_MNTREAMER_RENDITION_STALL_MS)
        {
            s->wanted = 1;
        }

        return;
    }

    if (r->ended) {

        if (plan->count && r->index == 0) {
            s->end.ended_ms = (int64_t) ngx_current_msec;
        }

        return;
    }

    r->ended = 1;

    if (r->index == 0) {
        s->end.ended_ms = (int64_t) ngx_current_msec;
        ngx_mntreamer_session_wake(s);
    }
}


static void
ngx_mntreamer_rendition_news(ngx_mntreamer_rendition_t *r,
    const mnt_hls_playlist_t *p, const mnt_hls_plan_t *plan, mnt_str_t base)
{
    int64_t     window_us, life_ms;
    unsigned    i;
    ngx_msec_t  deadline;

    window_us = 0;

    for (i = 0; i < p->nsegments; i++) {
        window_us += p->segments[i].duration_us;
    }

    life_ms = window_us / 1000 + r->target_ms;
    life_ms = ngx_min(life_ms, NGX_MNTREAMER_RENDITION_LIFE_MS);

    deadline = ngx_current_msec + (ngx_msec_t) life_ms;

    ngx_mntreamer_rendition_lost(r, p, plan);

    if (plan->discontinuous || plan->news == MNT_HLS_RESET) {
        r->discontinuous = 1;
    }

    for (i = plan->first; i < plan->first + plan->count; i++) {
        ngx_mntreamer_rendition_queue(r, &p->segments[i], base, deadline);
    }

    ngx_mntreamer_rendition_bound(r);
}


/* what left the window unseen, before the news */

static void
ngx_mntreamer_rendition_lost(ngx_mntreamer_rendition_t *r,
    const mnt_hls_playlist_t *p, const mnt_hls_plan_t *plan)
{
    int64_t      us, target_us;
    ngx_time_t  *tp;

    if (plan->lost_count) {
        ngx_mntreamer_rendition_hole(r, r->resumed ? NGX_MNTREAMER_GAP_RESTART
                                                   : NGX_MNTREAMER_GAP_WINDOW,
                                     plan->lost_first, plan->lost_count,
                                     plan->lost_us);
        return;
    }

    /* what is sent to us begins anew when its publisher comes back */

    if (!r->resumed || plan->news != MNT_HLS_RESET || r->last_ms <= 0
        || r->session->local)
    {
        return;
    }

    /* the numbers do not say how much; the clock does, up to what is listed */

    tp = ngx_timeofday();
    us = ((int64_t) tp->sec * 1000 + (int64_t) tp->msec - r->last_ms) * 1000;

    if (p->nsegments) {
        us -= p->segments[p->nsegments - 1].duration_us * p->nsegments;
    }

    target_us = ngx_max(r->target_ms, 1) * 1000;

    if (us >= target_us) {
        ngx_mntreamer_rendition_hole(r, NGX_MNTREAMER_GAP_RESTART,
                                     p->media_sequence, us / target_us, us);
    }
}
