
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * One question to a platform: of the ladder, of the recorder, or of the API.
 *
 * state     entered by      waits for        deadline           then
 * WAITING   created, more   permit           none: bounded by   FETCHING
 *                                            the rate
 * FETCHING  permit          transfer         probe_timeout      WAITING, DONE
 * DONE      answer read     posted event     -                  freed
 *
 * Urgent ones (the recorder's, the API's) go before those of the ladder.  The
 * owner is told from the event loop; an owner that lets go by _cancel() is
 * never told.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_monitor_internal.h"


#define NGX_MNTREAMER_PROBE_ARENA      (1024 * 1024)
#define NGX_MNTREAMER_PROBE_REDIRECTS  2


typedef enum {
    NGX_MNTREAMER_PROBING_WAITING = 0,
    NGX_MNTREAMER_PROBING_FETCHING,
    NGX_MNTREAMER_PROBING_DONE
} ngx_mntreamer_probing_state_e;


struct ngx_mntreamer_probing_s {
    ngx_queue_t                        all;
    ngx_queue_t                        queue;       /* of waiting ones */
    ngx_mntreamer_probing_state_e      state;
    ngx_mntreamer_monitor_t           *monitor;     /* alias */
    ngx_mntreamer_monitor_platform_t  *platform;    /* alias */
    mnt_request_e                      kind;
    ngx_str_t                          channel;     /* owned, in this block */
    ngx_mntreamer_transfer_t          *transfer;    /* owned while FETCHING */

    /* whose it is: of the ladder when both are NULL */
    ngx_mntreamer_probed_pt            probed;
    ngx_mntreamer_lookup_pt            found;
    void                              *data;        /* alias */

    ngx_mntreamer_claim_t              claim;       /* of the ladder */
    ngx_msec_t                         claimed;
    ngx_uint_t                         sent;        /* unsigned sent:1 */

    mnt_probe_outcome_e                outcome;     /* known without asking */
    const char                        *reason;      /* static */
    ngx_event_t                        post;
    ngx_connection_t                   dummy;
};


static ngx_mntreamer_probing_t *ngx_mntreamer_probing_create(
    ngx_mntreamer_monitor_t *mon, ngx_mntreamer_monitor_platform_t *p,
    const ngx_str_t *channel, const ngx_str_t *name,
    const ngx_str_t *quality);
static void ngx_mntreamer_probing_wait(ngx_mntreamer_probing_t *pr);
static ngx_uint_t ngx_mntreamer_probing_routine(ngx_mntreamer_probing_t *pr);
static void ngx_mntreamer_probing_post(ngx_mntreamer_probing_t *pr,
    mnt_probe_outcome_e outcome, const char *reason);
static void ngx_mntreamer_probing_posted(ngx_event_t *ev);
static void ngx_mntreamer_probing_start(ngx_mntreamer_probing_t *pr);
static ngx_int_t ngx_mntreamer_probing_fetch(ngx_mntreamer_probing_t *pr,
    const mnt_platform_request_t *request);
static void ngx_mntreamer_probing_answered(void *data,
    const ngx_mntreamer_answer_t *answer);
static void ngx_mntreamer_probing_read(ngx_mntreamer_probing_t *pr,
    mnt_arena_t *arena, const mnt_platform_answer_t *answer);
static void ngx_mntreamer_probing_lookup(ngx_mntreamer_probing_t *pr,
    mnt_arena_t *arena, const mnt_platform_answer_t *answer);
static void ngx_mntreamer_probing_conf(ngx_mntreamer_probing_t *pr,
    mnt_platform_conf_t *conf);
static void ngx_mntreamer_probing_tell(ngx_mntreamer_probing_t *pr,
    const mnt_probe_t *probe);


static mnt_str_t
ngx_mntreamer_probing_str(ngx_str_t s)
{
    mnt_str_t  t;

    t.data = (const char *) s.data;
    t.len = s.len;

    return t;
}


ngx_mntreamer_probing_t *
ngx_mntreamer_probing_of(ngx_queue_t *q)
{
    return ngx_queue_data(q, ngx_mntreamer_probing_t, all);
}


/* one block holds it and its texts; "name" and "quality" are of a claim */

static ngx_mntreamer_probing_t *
ngx_mntreamer_probing_create(ngx_mntreamer_monitor_t *mon,
    ngx_mntreamer_monitor_platform_t *p, const ngx_str_t *channel,
    const ngx_str_t *name, const ngx_str_t *quality)
{
    u_char                   *t;
    size_t                    size;
    ngx_mntreamer_probing_t  *pr;

    size = sizeof(ngx_mntreamer_probing_t) + channel->len
           + (name ? name->len : 0) + (quality ? quality->len : 0);

    pr = ngx_alloc(size, mon->log);
    if (pr == NULL) {
        return NULL;
    }

    ngx_memzero(pr, sizeof(ngx_mntreamer_probing_t));

    pr->monitor = mon;
    pr->platform = p;
    pr->dummy.fd = (ngx_socket_t) -1;
    pr->dummy.data = pr;
    pr->post.handler = ngx_mntreamer_probing_posted;
    pr->post.data = &pr->dummy;
    pr->post.log = mon->log;

    t = (u_char *) (pr + 1);

    pr->channel.data = t;
    pr->channel.len = channel->len;
    t = ngx_cpymem(t, channel->data, channel->len);

    if (name) {
        pr->claim.channel_name.data = t;
        pr->claim.channel_name.len = name->len;
        t = ngx_cpymem(t, name->data, name->len);
    }

    if (quality) {
        pr->claim.quality.data = t;
        pr->claim.quality.len = quality->len;
        (void) ngx_cpymem(t, quality->data, quality->len);
    }

    ngx_queue_insert_tail(&mon->all, &pr->all);

    return pr;
}


void
ngx_mntreamer_probing_destroy(ngx_mntreamer_probing_t *pr)
{
    switch (pr->state) {

    case NGX_MNTREAMER_PROBING_WAITING:
        ngx_queue_remove(&pr->queue);
        pr->platform->nwaiting--;
        break;

    case NGX_MNTREAMER_PROBING_FETCHING:

        if (pr->transfer) {
            ngx_mntreamer_curl_cancel(pr->transfer);
        }

        break;

    default:

        if (pr->post.posted) {
            ngx_delete_posted_event(&pr->post);
        }

        break;
    }

    if (ngx_mntreamer_probing_routine(pr)) {
        pr->monitor->running--;
        ngx_mntreamer_metrics_set(pr->monitor->metrics,
                                  NGX_MNTREAMER_M_PROBES_RUNNING,
                                  pr->monitor->running);
    }

    ngx_queue_remove(&pr->all);
    ngx_free(pr);
}


static ngx_uint_t
ngx_mntreamer_probing_routine(ngx_mntreamer_probing_t *pr)
{
    return pr->probed == NULL && pr->found == NULL;
}


ngx_int_t
ngx_mntreamer_probing_claim(ngx_mntreamer_monitor_t *mon,
    ngx_mntreamer_monitor_platform_t *p, const ngx_mntreamer_claim_t *claim)
{
    ngx_str_t                 name, quality;
    ngx_mntreamer_probing_t  *pr;

    pr = ngx_mntreamer_probing_create(mon, p, &claim->channel_id,
                                      &claim->channel_name, &claim->quality);
    if (pr == NULL) {
        return NGX_ERROR;
    }

    name = pr->claim.channel_name;
    quality = pr->claim.quality;

    pr->claim = *claim;
    pr->claim.channel_id = pr->channel;
    pr->claim.channel_name = name;
    pr->claim.quality = quality.len ? quality : p->conf->quality;
    ngx_str_null(&pr->claim.path);
    ngx_str_null(&pr->claim.broadcast_id);
    pr->claimed = ngx_current_msec;
    pr->kind = MNT_REQUEST_STATUS;

    mon->running++;

    ngx_mntreamer_probing_wait(pr);

    return NGX_OK;
}


ngx_mntreamer_probing_t *
ngx_mntreamer_monitor_probe(ngx_mntreamer_monitor_t *mon,
    ngx_int_t platform_id, ngx_str_t *channel_id, ngx_uint_t detail,
    ngx_mntreamer_probed_pt done, void *data)
{
    ngx_mntreamer_probing_t           *pr;
    ngx_mntreamer_monitor_platform_t  *p;

    p = ngx_mntreamer_monitor_find(mon, platform_id);
    if (p == NULL) {
        return NULL;
    }

    pr = ngx_mntreamer_probing_create(mon, p, channel_id, NULL, NULL);
    if (pr == NULL) {
        return NULL;
    }

    pr->probed = done;
    pr->data = data;
    pr->kind = detail ? MNT_REQUEST_DETAIL : MNT_REQUEST_STATUS;

    ngx_mntreamer_probing_wait(pr);
    ngx_mntreamer_probing_send(mon);

    return pr;
}


void
ngx_mntreamer_monitor_probe_cancel(ngx_mntreamer_probing_t *pr)
{
    ngx_mntreamer_probing_destroy(pr);
}


ngx_mntreamer_probing_t *
ngx_mntreamer_monitor_lookup(ngx_mntreamer_monitor_t *mon,
    ngx_int_t platform_id, ngx_str_t *typed, ngx_mntreamer_lookup_pt done,
    void *data)
{
    int                                rc;
    ngx_str_t                          channel;
    mnt_str_t                          id;
    const char                        *why;
    mnt_arena_t                        arena;
    const mnt_platform_t              *platform;
    ngx_mntreamer_probing_t           *pr;
    ngx_mntreamer_monitor_platform_t  *p;

    p = ngx_mntreamer_monitor_find(mon, platform_id);
    if (p == NULL) {
        return NULL;
    }

    platform = p->conf->platform;

    mnt_arena_init(&arena, NGX_MNTREAMER_PROBE_ARENA);

    why = "is no channel";
    id.len = 0;
    id.data = NULL;

    rc = platform->channel(&arena, ngx_mntreamer_probing_str(*typed), &id,
                           &why);

    channel.data = id.data ? (u_char *) id.data : typed->data;
    channel.len = id.data ? id.len : typed->len;

    pr = ngx_mntreamer_probing_create(mon, p, &channel, NULL, NULL);

    mnt_arena_free(&arena);

    if (pr == NULL) {
        return NULL;
    }

    pr->found = done;
    pr->data = data;
    pr->kind = (rc == 1) ? MNT_REQUEST_SEARCH : MNT_REQUEST_CHANNEL;

    if (rc < 0) {
        ngx_mntreamer_probing_post(pr, MNT_PROBE_UNKNOWN_CHANNEL, why);

    } else if (platform->lookup == NULL) {
        ngx_mntreamer_probing_post(pr, MNT_PROBE_OFFLINE, "");

    } else {
        ngx_mntreamer_probing_wait(pr);
        ngx_mntreamer_probing_send(mon);
    }

    return pr;
}


static void
ngx_mntreamer_probing_wait(ngx_mntreamer_probing_t *pr)
{
    ngx_mntreamer_monitor_platform_t  *p;

    p = pr->platform;

    pr->state = NGX_MNTREAMER_PROBING_WAITING;

    /* the second question of one that was begun goes before new ones */

    if (!ngx_mntreamer_probing_routine(pr)
        || pr->kind == MNT_REQUEST_DETAIL)
    {
        ngx_queue_insert_tail(&p->urgent, &pr->queue);

    } else {
        ngx_queue_insert_tail(&p->waiting, &pr->queue);
    }

    p->nwaiting++;
}


void
ngx_mntreamer_probing_send(ngx_mntreamer_monitor_t *mon)
{
    int64_t                            ms, soonest;
    ngx_uint_t                         i;
    ngx_queue_t                       *q;
    ngx_mntreamer_monitor_platform_t  *p;

    soonest = 0;

    for (i = 0; i < mon->nplatforms; i++) {
        p = &mon->platforms[i];

        for ( ;; ) {

            if (!ngx_queue_empty(&p->urgent)) {
                q = ngx_queue_head(&p->urgent);

            } else if (!ngx_queue_empty(&p->waiting)) {
                q = ngx_queue_head(&p->waiting);

            } else {
                break;
            }

            ngx_shmtx_lock(&mon->shpool->mutex);
            ms = mnt_limiter_take(p->limiter, (uint32_t) p->conf->rate,
                                  (int64_t) ngx_current_msec);
            ngx_shmtx_unlock(&mon->shpool->mutex);

            if (ms > 0) {
                soonest = (soonest == 0 || ms < soonest) ? ms : soonest;
                break;
            }

            ngx_queue_remove(q);
            p->nwaiting--;

            ngx_mntreamer_probing_start(
                ngx_queue_data(q, ngx_mntreamer_probing_t, queue));
        }
    }

    if (soonest) {
        if (mon->permit.timer_set) {
            ngx_del_timer(&mon->permit);
        }

        ngx_add_timer(&mon->permit, (ngx_msec_t) soonest);
    }
}


/* a permit was taken */

static void
ngx_mntreamer_probing_start(ngx_mntreamer_probing_t *pr)
{
    int64_t                  late;
    mnt_arena_t              arena;
    mnt_platform_conf_t      conf;
    mnt_platform_request_t   request;

    pr->state = NGX_MNTREAMER_PROBING_FETCHING;

    if (ngx_mntreamer_probing_routine(pr) && !pr->sent) {
        late = pr->claim.late_ms
               + (int64_t) (ngx_current_msec - pr->claimed);
        ngx_mntreamer_metrics_observe(pr->monitor->metrics,
                                      NGX_MNTREAMER_M_PROBE_LATE_MS,
                                      ngx_max(late, 0));
        pr->sent = 1;
    }

    ngx_mntreamer_probing_conf(pr, &conf);
    mnt_arena_init(&arena, NGX_MNTREAMER_PROBE_ARENA);
    ngx_memzero(&request, sizeof(mnt_platform_request_t));

    if (pr->platform->conf->platform->request(&arena, &conf, pr->kind,
                                  ngx_mntreamer_probing_str(pr->channel),
                                  &request)
        != 0)
    {
        ngx_mntreamer_probing_post(pr, MNT_PROBE_ERROR, "no request");

    } else if (ngx_mntreamer_probing_fetch(pr, &request) != NGX_OK) {
        ngx_mntreamer_probing_post(pr, MNT_PROBE_TRANSIENT, "no memory");
    }

    mnt_arena_free(&arena);
}


static void
ngx_mntreamer_probing_conf(ngx_mntreamer_probing_t *pr,
    mnt_platform_conf_t *conf)
{
    const ngx_mntreamer_platform_conf_t  *pcf;

    pcf = pr->platform->conf;

    ngx_memzero(conf, sizeof(mnt_platform_conf_t));

    conf->api = ngx_mntreamer_probing_str(pcf->api);
    conf->user_agent = ngx_mntreamer_probing_str(pcf->user_agent);
    conf->has_cookies = (pcf->cookies.len != 0);
}


static ngx_int_t
ngx_mntreamer_probing_fetch(ngx_mntreamer_probing_t *pr,
    const mnt_platform_request_t *request)
{
    unsigned                              i;
    ngx_str_t                             headers[4];
    ngx_mntreamer_request_t               req;
    ngx_mntreamer_monitor_t              *mon;
    const ngx_mntreamer_platform_conf_t  *pcf;

    mon = pr->monitor;
    pcf = pr->platform->conf;

    ngx_memzero(&req, sizeof(ngx_mntreamer_request_t));

    for (i = 0; i < request->nheaders; i++) {
        headers[i].data = (u_char *) request->headers[i].data;
        headers[i].len = request->headers[i].len;
    }

    req.url.data = (u_char *) request->url.data;
    req.url.len = request->url.len;
    req.user_agent = pcf->user_agent;
    req.headers = headers;
    req.nheaders = request->nheaders;
    req.proxy = request->api ? pcf->proxy : pcf->media_proxy;
    req.max_bytes = (off_t) request->max_bytes;
    req.connect_ms = mon->conf->connect_ms;
    req.total_ms = mon->conf->total_ms;
    req.stall_ms = mon->conf->stall_ms;
    req.redirects = NGX_MNTREAMER_PROBE_REDIRECTS;
    req.encodings = 1;
    req.done = ngx_mntreamer_probing_answered;
    req.data = pr;
    req.log = mon->log;

    if (request->api) {
        req.cookie = pcf->cookies;
    }

    pr->transfer = ngx_mntreamer_curl_start(mon->curl, &req);

    return pr->transfer ? NGX_OK : NGX_ERROR;
}


static void
ngx_mntreamer_probing_answered(void *data,
    const ngx_mntreamer_answer_t *answer)
{
    ngx_mntreamer_probing_t *pr = data;

    ngx_time_t                        *tp;
    mnt_arena_t                        arena;
    ngx_mntreamer_monitor_t           *mon;
    mnt_platform_answer_t              a;
    ngx_mntreamer_monitor_platform_t  *p;

    pr->transfer = NULL;
    mon = pr->monitor;
    p = pr->platform;

    ngx_memzero(&a, sizeof(mnt_platform_answer_t));

    tp = ngx_timeofday();

    a.content_type = ngx_mntreamer_probing_str(answer->content_type);
    a.retry_after = ngx_mntreamer_probing_str(answer->retry_after);
    a.body = ngx_mntreamer_probing_str(answer->body);
    a.now_ms = (int64_t) tp->sec * 1000 + (int64_t) tp->msec;

    if (answer->rc == NGX_MNTREAMER_TRANSFER_OK) {
        a.http = (unsigned) answer->http;

    } else {
        a.transport = mnt_str_c(ngx_mntreamer_transfer_name(answer->rc));
    }

    if (answer->http == 429) {
        ngx_shmtx_lock(&mon->shpool->mutex);
        mnt_limiter_refused(p->limiter, (uint32_t) p->conf->rate,
                            mnt_date_retry_after(a.retry_after, a.now_ms,
                                                 1000),
                            (int64_t) ngx_current_msec);
        ngx_shmtx_unlock(&mon->shpool->mutex);

        ngx_log_error(NGX_LOG_WARN, mon->log, 0,
                      "mntreamer: platform \"%s\" answered 429, nobody asks "
                      "for a while", p->conf->platform->name);
    }

    mnt_arena_init(&arena, NGX_MNTREAMER_PROBE_ARENA);

    if (pr->found) {
        ngx_mntreamer_probing_lookup(pr, &arena, &a);

    } else {
        ngx_mntreamer_probing_read(pr, &arena, &a);
    }

    mnt_arena_free(&arena);
}


/* STATUS may lead to DETAIL; everything else ends it */

static void
ngx_mntreamer_probing_read(ngx_mntreamer_probing_t *pr, mnt_arena_t *arena,
    const mnt_platform_answer_t *answer)
{
    mnt_probe_t           probe;
    mnt_platform_conf_t   conf;

    ngx_mntreamer_probing_conf(pr, &conf);

    ngx_memzero(&probe, sizeof(mnt_probe_t));

    pr->platform->conf->platform->probe(arena, &conf, pr->kind,
                                  ngx_mntreamer_probing_str(pr->channel),
                                  answer, &probe);

    /* who refreshes facts of a recording needs no address */

    if (probe.more && pr->kind == MNT_REQUEST_STATUS && pr->probed == NULL) {
        pr->kind = MNT_REQUEST_DETAIL;
        ngx_mntreamer_probing_wait(pr);
        ngx_mntreamer_probing_send(pr->monitor);
        return;
    }

    ngx_mntreamer_probing_tell(pr, &probe);
}


static void
ngx_mntreamer_probing_lookup(ngx_mntreamer_probing_t *pr, mnt_arena_t *arena,
    const mnt_platform_answer_t *answer)
{
    void                     *data;
    ngx_str_t                 reason;
    mnt_str_t                 text;
    mnt_channel_t             channel;
    mnt_probe_outcome_e       outcome;
    ngx_mntreamer_lookup_pt   found;

    ngx_memzero(&channel, sizeof(mnt_channel_t));
    ngx_memzero(&text, sizeof(mnt_str_t));

    outcome = pr->platform->conf->platform->lookup(arena, pr->kind,
                                  ngx_mntreamer_probing_str(pr->channel),
                                  answer, &channel, &text);

    reason.data = (u_char *) text.data;
    reason.len = text.len;

    found = pr->found;
    data = pr->data;

    pr->state = NGX_MNTREAMER_PROBING_DONE;
    ngx_mntreamer_probing_destroy(pr);

    found(data, outcome, &channel, &reason);
}


/* frees the probing first: its owner may start the next one at once */

static void
ngx_mntreamer_probing_tell(ngx_mntreamer_probing_t *pr,
    const mnt_probe_t *probe)
{
    void                              *data;
    ngx_mntreamer_claim_t              claim;
    ngx_mntreamer_monitor_t           *mon;
    ngx_mntreamer_probed_pt            probed;
    ngx_mntreamer_monitor_platform_t  *p;

    mon = pr->monitor;
    p = pr->platform;

    pr->state = NGX_MNTREAMER_PROBING_DONE;

    ngx_mntreamer_metrics_add(mon->metrics, NGX_MNTREAMER_M_PROBES,
                              probe->outcome, 1);

    if (pr->probed) {
        probed = pr->probed;
        data = pr->data;

        ngx_mntreamer_probing_destroy(pr);

        probed(data, probe);
        return;
    }

    claim = pr->claim;

    ngx_mntreamer_monitor_result(mon, p, &claim, probe);
    ngx_mntreamer_probing_destroy(pr);
    ngx_mntreamer_monitor_room(mon);
}


/* what is known without asking is told from the event loop like any answer */

static void
ngx_mntreamer_probing_post(ngx_mntreamer_probing_t *pr,
    mnt_probe_outcome_e outcome, const char *reason)
{
    pr->state = NGX_MNTREAMER_PROBING_DONE;
    pr->outcome = outcome;
    pr->reason = reason;

    ngx_post_event(&pr->post, &ngx_posted_events);
}


static void
ngx_mntreamer_probing_posted(ngx_event_t *ev)
{
    ngx_connection_t *dummy = ev->data;

    void                     *data;
    u_char                   *text;
    ngx_str_t                 reason;
    mnt_probe_t               probe;
    mnt_channel_t             channel;
    mnt_probe_outcome_e       outcome;
    ngx_mntreamer_lookup_pt   found;
    ngx_mntreamer_probing_t  *pr;

    pr = dummy->data;

    if (pr->found == NULL) {
        ngx_memzero(&probe, sizeof(mnt_probe_t));

        probe.outcome = pr->outcome;
        probe.reason = mnt_str_c(pr->reason);
        probe.opened_ms = MNT_DATE_NONE;
        probe.closed_ms = MNT_DATE_NONE;
        probe.viewers = -1;

        ngx_mntreamer_probing_tell(pr, &probe);
        return;
    }

    ngx_memzero(&channel, sizeof(mnt_channel_t));

    /* the text is part of the block that is freed */

    text = ngx_alloc(pr->channel.len + 1, pr->monitor->log);

    if (text) {
        ngx_memcpy(text, pr->channel.data, pr->channel.len);
        channel.channel_id.data = (const char *) text;
        channel.channel_id.len = pr->channel.len;
    }

    reason.data = (u_char *) pr->reason;
    reason.len = ngx_strlen(pr->reason);
    outcome = pr->outcome;
    found = pr->found;
    data = pr->data;

    ngx_mntreamer_probing_destroy(pr);

    found(data, outcome, &channel, &reason);

    if (text) {
        ngx_free(text);
    }
}
