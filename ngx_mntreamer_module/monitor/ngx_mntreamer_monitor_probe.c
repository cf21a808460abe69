
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * A question to a platform: waits for its turn and a permit, is sent, perhaps
 * asks a second one, and ends in exactly one completion.
 *
 * state    entered by        waits for          deadline         then
 * queued   _create, "more"   turn and permit    claims: 10 s     running
 * running  _send             transfer           total_ms         queued, end
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_monitor_internal.h"
#include "../base/mnt_url.h"


#define NGX_MNTREAMER_PROBING_ARENA      (256 * 1024)
#define NGX_MNTREAMER_PROBING_STALE      10000
#define NGX_MNTREAMER_PROBING_REDIRECTS  3    /* of playlists, not of APIs */
#define NGX_MNTREAMER_PROBING_BODY       (2 * 1024 * 1024)
#define NGX_MNTREAMER_PROBING_FEW        32   /* claims under way: these and */
#define NGX_MNTREAMER_PROBING_EACH_MS    4    /* so many for each ms that an
                                                 answer takes */


static void ngx_mntreamer_probing_queue(ngx_mntreamer_probing_t *p,
    ngx_uint_t turn);
static ngx_mntreamer_probing_t *ngx_mntreamer_probing_next(
    ngx_mntreamer_lane_t *lane);
static ngx_uint_t ngx_mntreamer_probing_most(ngx_mntreamer_monitor_t *mon);
static void ngx_mntreamer_probing_send(ngx_mntreamer_probing_t *p);
static ngx_int_t ngx_mntreamer_probing_request(ngx_mntreamer_probing_t *p,
    mnt_arena_t *arena, ngx_mntreamer_request_t *req, ngx_str_t *headers);
static void ngx_mntreamer_probing_done(void *data,
    const ngx_mntreamer_answer_t *answer);
static void ngx_mntreamer_probing_read(ngx_mntreamer_probing_t *p,
    mnt_arena_t *arena, const mnt_platform_answer_t *answer);
static ngx_uint_t ngx_mntreamer_probing_known(ngx_mntreamer_probing_t *p,
    const mnt_platform_answer_t *answer, mnt_memo_digest_t *digest);
static void ngx_mntreamer_probing_looked(ngx_mntreamer_probing_t *p,
    mnt_arena_t *arena, const mnt_platform_answer_t *answer);
static void ngx_mntreamer_probing_fail(ngx_mntreamer_probing_t *p,
    mnt_probe_outcome_e outcome, const char *why);
static u_char *ngx_mntreamer_probing_keep(u_char *b, ngx_str_t *s);
static mnt_str_t ngx_mntreamer_probing_str(const ngx_str_t *s);
static ngx_str_t ngx_mntreamer_probing_text(mnt_str_t s);


ngx_mntreamer_probing_t *
ngx_mntreamer_probing_create(ngx_mntreamer_lane_t *lane, ngx_uint_t kind,
    ngx_uint_t turn, const ngx_mntreamer_claim_t *claim)
{
    u_char                   *b;
    ngx_mntreamer_claim_t    *c;
    ngx_mntreamer_probing_t  *p;

    p = ngx_alloc(sizeof(ngx_mntreamer_probing_t) + claim->channel_id.len
                  + claim->channel_name.len + claim->quality.len
                  + claim->broadcast_id.len, lane->mon->log);
    if (p == NULL) {
        return NULL;
    }

    ngx_memzero(p, sizeof(ngx_mntreamer_probing_t));

    p->lane = lane;
    p->kind = kind;
    p->since = ngx_current_msec;
    p->claim = *claim;

    c = &p->claim;
    b = (u_char *) p + sizeof(ngx_mntreamer_probing_t);

    b = ngx_mntreamer_probing_keep(b, &c->channel_id);
    b = ngx_mntreamer_probing_keep(b, &c->channel_name);
    b = ngx_mntreamer_probing_keep(b, &c->quality);
    (void) ngx_mntreamer_probing_keep(b, &c->broadcast_id);

    p->channel = c->channel_id;

    if (kind == NGX_MNTREAMER_PROBING_CLAIM) {
        lane->claimed++;
    }

    ngx_mntreamer_probing_queue(p, turn);

    return p;
}


static void
ngx_mntreamer_probing_queue(ngx_mntreamer_probing_t *p, ngx_uint_t turn)
{
    ngx_queue_insert_tail(&p->lane->turns[turn], &p->queue);
    p->lane->queued += (turn != NGX_MNTREAMER_TURN_NAME);
    p->counted = (turn != NGX_MNTREAMER_TURN_NAME);
    p->running = 0;
}


/* takes it out of wherever it is */

void
ngx_mntreamer_probing_free(ngx_mntreamer_probing_t *p)
{
    if (p->transfer) {
        ngx_mntreamer_curl_cancel(p->transfer);
        ngx_mntreamer_limit_done(p->lane, p->sent_ms, 0);
    }

    if (p->statement) {
        ngx_mntreamer_catalog_broadcast_forget(p->statement);
    }

    ngx_queue_remove(&p->queue);

    if (p->running) {
        p->lane->mon->nrunning--;

    } else {
        p->lane->queued -= p->counted;
    }

    if (p->kind == NGX_MNTREAMER_PROBING_CLAIM) {
        p->lane->claimed--;
    }

    ngx_free(p);
}


ngx_mntreamer_probing_t *
ngx_mntreamer_monitor_probe(ngx_mntreamer_monitor_t *mon,
    ngx_int_t platform_id, ngx_str_t *channel_id, ngx_uint_t detail,
    ngx_mntreamer_probed_pt done, void *data)
{
    ngx_mntreamer_lane_t     *lane;
    ngx_mntreamer_claim_t     claim;
    ngx_mntreamer_probing_t  *p;

    lane = ngx_mntreamer_monitor_lane(mon, platform_id);
    if (lane == NULL) {
        return NULL;
    }

    ngx_memzero(&claim, sizeof(ngx_mntreamer_claim_t));
    claim.channel_id = *channel_id;

    p = ngx_mntreamer_probing_create(lane, NGX_MNTREAMER_PROBING_ASK,
                                     NGX_MNTREAMER_TURN_ASK, &claim);

    if (p) {
        p->request = detail ? MNT_REQUEST_DETAIL : MNT_REQUEST_STATUS;
        p->done.probed = done;
        p->data = data;

        ngx_mntreamer_monitor_wake(mon);
    }

    return p;
}


ngx_mntreamer_probing_t *
ngx_mntreamer_monitor_lookup(ngx_mntreamer_monitor_t *mon,
    ngx_int_t platform_id, ngx_str_t *typed, ngx_mntreamer_lookup_pt done,
    void *data)
{
    int                       rc;
    mnt_str_t                 id;
    const char               *why;
    mnt_arena_t               arena;
    ngx_mntreamer_lane_t     *lane;
    ngx_mntreamer_claim_t     claim;
    ngx_mntreamer_probing_t  *p;

    lane = ngx_mntreamer_monitor_lane(mon, platform_id);
    if (lane == NULL) {
        return NULL;
    }

    why = NULL;
    mnt_arena_init(&arena, NGX_MNTREAMER_PROBING_ARENA);

    rc = lane->conf->platform->channel(&arena,
                                       ngx_mntreamer_probing_str(typed), &id,
                                       &why);

    ngx_memzero(&claim, sizeof(ngx_mntreamer_claim_t));

    if (rc >= 0) {
        claim.channel_id = ngx_mntreamer_probing_text(id);
    }

    p = ngx_mntreamer_probing_create(lane, NGX_MNTREAMER_PROBING_LOOKUP,
                                     NGX_MNTREAMER_TURN_LOOKUP, &claim);

    mnt_arena_free(&arena);

    if (p) {
        p->request = rc ? MNT_REQUEST_SEARCH : MNT_REQUEST_CHANNEL;
        p->failed = (rc < 0) ? why : NULL;
        p->done.found = done;
        p->data = data;

        ngx_mntreamer_monitor_wake(mon);
    }

    return p;
}


void
ngx_mntreamer_monitor_probe_cancel(ngx_mntreamer_probing_t *p)
{
    ngx_mntreamer_monitor_t  *mon;

    /* from its own done(): it is freed behind that */

    if (p->delivering) {
        return;
    }

    mon = p->lane->mon;

    ngx_mntreamer_probing_free(p);
    ngx_mntreamer_monitor_wake(mon);
}


int64_t
ngx_mntreamer_probing_pump(ngx_mntreamer_lane_t *lane)
{
    int64_t                   wait;
    ngx_mntreamer_probing_t  *p;

    for ( ;; ) {
        p = ngx_mntreamer_probing_next(lane);

        if (p == NULL) {
            return -1;
        }

        if (p->kind == NGX_MNTREAMER_PROBING_LOOKUP) {

            if (p->failed) {
                ngx_mntreamer_probing_fail(p, MNT_PROBE_UNKNOWN_CHANNEL,
                                           p->failed);
                continue;
            }

            /* a platform without lookups takes what looks like a channel */

            if (lane->conf->platform->lookup == NULL) {
                ngx_mntreamer_probing_fail(p,
                                           p->request == MNT_REQUEST_CHANNEL
                                           ? MNT_PROBE_OFFLINE
                                           : MNT_PROBE_UNKNOWN_CHANNEL, "");
                continue;
            }
        }

        wait = ngx_mntreamer_limit_take(lane, &p->sent_ms);

        if (wait > 0) {
            return wait;
        }

        ngx_mntreamer_probing_send(p);
    }
}


/* claims that waited for too long are found when their leases are over */

static ngx_mntreamer_probing_t *
ngx_mntreamer_probing_next(ngx_mntreamer_lane_t *lane)
{
    ngx_uint_t                turn;
    ngx_queue_t              *q;
    ngx_mntreamer_monitor_t  *mon;
    ngx_mntreamer_probing_t  *p;

    mon = lane->mon;

    for (turn = 0; turn < NGX_MNTREAMER_TURNS; turn++) {

        while (!ngx_queue_empty(&lane->turns[turn])) {

            if (turn >= NGX_MNTREAMER_TURN_CLAIM
                && mon->nrunning >= ngx_mntreamer_probing_most(mon))
            {
                return NULL;
            }

            if (turn == NGX_MNTREAMER_TURN_NAME
                && 2 * ngx_mntreamer_limit_free(lane) <= lane->conf->rate)
            {
                return NULL;
            }

            q = ngx_queue_head(&lane->turns[turn]);
            p = ngx_queue_data(q, ngx_mntreamer_probing_t, queue);

            if (turn != NGX_MNTREAMER_TURN_CLAIM
                || ngx_current_msec - p->since < NGX_MNTREAMER_PROBING_STALE)
            {
                return p;
            }

            ngx_mntreamer_probing_free(p);
        }
    }

    return NULL;
}


/*
 * More under way than needed to wait for none of them only makes each dearer:
 * libcurl walks over the busy connections of a host.
 */

static ngx_uint_t
ngx_mntreamer_probing_most(ngx_mntreamer_monitor_t *mon)
{
    return ngx_min(mon->most,
                   NGX_MNTREAMER_PROBING_FEW
                   + NGX_MNTREAMER_PROBING_EACH_MS * mon->answer_ms / 16);
}


static void
ngx_mntreamer_probing_send(ngx_mntreamer_probing_t *p)
{
    ngx_int_t                 rc;
    ngx_str_t                 headers[4];
    mnt_arena_t               arena;
    ngx_mntreamer_lane_t     *lane;
    ngx_mntreamer_request_t   req;
    ngx_mntreamer_monitor_t  *mon;

    lane = p->lane;
    mon = lane->mon;

    ngx_queue_remove(&p->queue);
    lane->queued -= p->counted;

    ngx_queue_insert_tail(&mon->running, &p->queue);
    mon->nrunning++;
    p->running = 1;

    if (p->kind == NGX_MNTREAMER_PROBING_CLAIM
        && p->request == MNT_REQUEST_STATUS)
    {
        ngx_mntreamer_metrics_observe(mon->metrics,
                                      NGX_MNTREAMER_M_PROBE_LATE_MS,
                                      ngx_max(p->claim.late_ms, 0)
                                      + (int64_t) (ngx_current_msec
                                                   - p->since));
    }

    if (lane->conf->platform->pushed) {

        if (ngx_mntreamer_pushed_send(p) != NGX_OK) {
            ngx_mntreamer_probing_fail(p, MNT_PROBE_TRANSIENT, "not sent");
        }

        return;
    }

    mnt_arena_init(&arena, NGX_MNTREAMER_PROBING_ARENA);

    rc = ngx_mntreamer_probing_request(p, &arena, &req, headers);

    if (rc == NGX_OK) {
        p->transfer = ngx_mntreamer_curl_start(mon->curl, &req);
    }

    mnt_arena_free(&arena);

    if (p->transfer) {
        return;
    }

    ngx_mntreamer_limit_done(lane, p->sent_ms, 0);

    ngx_mntreamer_probing_fail(p, rc == NGX_OK ? MNT_PROBE_TRANSIENT
                                               : MNT_PROBE_ERROR,
                               rc == NGX_OK ? "not sent" : "no such request");
}


static ngx_int_t
ngx_mntreamer_probing_request(ngx_mntreamer_probing_t *p, mnt_arena_t *arena,
    ngx_mntreamer_request_t *req, ngx_str_t *headers)
{
    ngx_uint_t                             i;
    mnt_platform_conf_t                    conf;
    mnt_platform_request_t                 r;
    const ngx_mntreamer_monitor_conf_t    *mcf;
    const ngx_mntreamer_platform_conf_t   *pcf;

    pcf = p->lane->conf;
    mcf = p->lane->mon->conf;

    ngx_memzero(&conf, sizeof(mnt_platform_conf_t));

    conf.api.data = (const char *) pcf->api.data;
    conf.api.len = pcf->api.len;
    conf.user_agent.data = (const char *) pcf->user_agent.data;
    conf.user_agent.len = pcf->user_agent.len;
    conf.has_cookies = (pcf->cookies.len != 0);

    if (pcf->platform->request(arena, &conf, p->request,
                               ngx_mntreamer_probing_str(&p->channel), &r)
        != 0)
    {
        return NGX_ERROR;
    }

    p->api = r.api;

    ngx_memzero(req, sizeof(ngx_mntreamer_request_t));

    req->url = ngx_mntreamer_probing_text(r.url);
    req->user_agent = pcf->user_agent;
    req->proxy = pcf->proxy;

    for (i = 0; i < r.nheaders; i++) {
        headers[i] = ngx_mntreamer_probing_text(r.headers[i]);
    }

    req->headers = headers;
    req->nheaders = r.nheaders;
    req->max_bytes = r.max_bytes ? (off_t) r.max_bytes
                                 : NGX_MNTREAMER_PROBING_BODY;
    req->connect_ms = mcf->connect_ms;
    req->total_ms = mcf->total_ms;
    req->stall_ms = mcf->stall_ms;
    req->redirects = r.api ? 0 : NGX_MNTREAMER_PROBING_REDIRECTS;
    req->encodings = 1;
    req->done = ngx_mntreamer_probing_done;
    req->data = p;
    req->log = p->lane->mon->log;

    /* cookies are for the API that was configured and nobody else */

    if (r.api && pcf->cookies.len
        && mnt_url_same_origin(ngx_mntreamer_probing_str(&pcf->api), r.url))
    {
        req->cookie = pcf->cookies;
    }

    return NGX_OK;
}


static void
ngx_mntreamer_probing_done(void *data, const ngx_mntreamer_answer_t *answer)
{
    ngx_mntreamer_probing_t *p = data;

    ngx_time_t               *tp;
    mnt_arena_t               arena;
    mnt_platform_answer_t     a;
    ngx_mntreamer_monitor_t  *mon;

    p->transfer = NULL;

    mon = p->lane->mon;
    mon->answer_ms += answer->total_ms - mon->answer_ms / 16;

    ngx_memzero(&a, sizeof(mnt_platform_answer_t));

    /* an answer that was cut is none: its status would promise a body */

    if (answer->rc == NGX_MNTREAMER_TRANSFER_OK) {
        a.http = answer->http;
        a.content_type = ngx_mntreamer_probing_str(&answer->content_type);
        a.retry_after = ngx_mntreamer_probing_str(&answer->retry_after);
        a.body = ngx_mntreamer_probing_str(&answer->body);

    } else {
        a.transport = mnt_str_c(ngx_mntreamer_transfer_name(answer->rc));
    }

    tp = ngx_timeofday();
    a.now_ms = (int64_t) tp->sec * 1000 + (int64_t) tp->msec;

    ngx_mntreamer_limit_done(p->lane, p->sent_ms,
                             a.http >= 200 && a.http < 400);

    mnt_arena_init(&arena, NGX_MNTREAMER_PROBING_ARENA);

    if (p->kind == NGX_MNTREAMER_PROBING_LOOKUP) {
        ngx_mntreamer_probing_looked(p, &arena, &a);

    } else {
        ngx_mntreamer_probing_read(p, &arena, &a);
    }

    mnt_arena_free(&arena);
}


static void
ngx_mntreamer_probing_read(ngx_mntreamer_probing_t *p, mnt_arena_t *arena,
    const mnt_platform_answer_t *answer)
{
    mnt_probe_t                            probe;
    mnt_memo_digest_t                      digest;
    mnt_platform_conf_t                    conf;
    ngx_mntreamer_monitor_t               *mon;
    const ngx_mntreamer_platform_conf_t   *pcf;

    pcf = p->lane->conf;
    mon = p->lane->mon;

    if (ngx_mntreamer_probing_known(p, answer, &digest)) {
        ngx_mntreamer_probing_fail(p, MNT_PROBE_OFFLINE, "");
        return;
    }

    ngx_memzero(&conf, sizeof(mnt_platform_conf_t));

    conf.api = ngx_mntreamer_probing_str(&pcf->api);
    conf.user_agent = ngx_mntreamer_probing_str(&pcf->user_agent);
    conf.has_cookies = (pcf->cookies.len != 0);

    pcf->platform->probe(arena, &conf, p->request,
                         ngx_mntreamer_probing_str(&p->channel), answer,
                         &probe);

    /* playlists are on many hosts: one of them does not speak for all */

    if (probe.outcome == MNT_PROBE_RATE_LIMITED && p->api) {
        probe.retry_after_ms = ngx_mntreamer_limit_refused(p->lane,
                                                           p->sent_ms,
                                                       probe.retry_after_ms);

        ngx_log_error(NGX_LOG_WARN, mon->log, 0,
                      "mntreamer: \"%s\" refuses requests, none is sent for "
                      "%L ms", pcf->platform->name, probe.retry_after_ms);
    }

    if (probe.more && p->request == MNT_REQUEST_STATUS) {
        ngx_queue_remove(&p->queue);
        mon->nrunning--;

        p->request = MNT_REQUEST_DETAIL;

        ngx_mntreamer_probing_queue(p, NGX_MNTREAMER_TURN_ASK);
        ngx_mntreamer_monitor_wake(mon);
        return;
    }

    if (probe.outcome == MNT_PROBE_OFFLINE && probe.reason.len == 0) {
        mnt_memo_add(&p->lane->offline, &digest);
    }

    ngx_mntreamer_probing_deliver(p, &probe);
}


/*
 * A channel that is off the air gives the same answer again and again: one
 * that was read once as "offline" and nothing else, byte by byte, needs not be
 * read again.  "digest" is empty when the answer is none to be remembered.
 */

static ngx_uint_t
ngx_mntreamer_probing_known(ngx_mntreamer_probing_t *p,
    const mnt_platform_answer_t *answer, mnt_memo_digest_t *digest)
{
    mnt_memo_t  *memo;

    memo = &p->lane->offline;

    if (p->kind != NGX_MNTREAMER_PROBING_CLAIM
        || p->request != MNT_REQUEST_STATUS
        || answer->http != 200
        || !p->lane->conf->platform->by_body)
    {
        ngx_memzero(digest, sizeof(mnt_memo_digest_t));
        return 0;
    }

    mnt_memo_digest(memo, answer->body, digest);

    return mnt_memo_has(memo, digest);
}


static void
ngx_mntreamer_probing_looked(ngx_mntreamer_probing_t *p, mnt_arena_t *arena,
    const mnt_platform_answer_t *answer)
{
    mnt_str_t                 why;
    ngx_str_t                 reason;
    mnt_channel_t             channel;
    mnt_probe_outcome_e       outcome;
    ngx_mntreamer_monitor_t  *mon;

    mon = p->lane->mon;

    ngx_memzero(&channel, sizeof(mnt_channel_t));
    ngx_memzero(&why, sizeof(mnt_str_t));

    outcome = p->lane->conf->platform->lookup(arena, p->request,
                                  ngx_mntreamer_probing_str(&p->channel),
                                  answer, &channel, &why);

    if (outcome == MNT_PROBE_RATE_LIMITED && p->api) {
        (void) ngx_mntreamer_limit_refused(p->lane, p->sent_ms,
                           mnt_date_retry_after(answer->retry_after,
                                                answer->now_ms, 0));
    }

    reason = ngx_mntreamer_probing_text(why);

    p->delivering = 1;
    p->done.found(p->data, outcome, &channel, &reason);

    ngx_mntreamer_probing_free(p);
    ngx_mntreamer_monitor_wake(mon);
}


/* ends it with an outcome that has no facts */

static void
ngx_mntreamer_probing_fail(ngx_mntreamer_probing_t *p,
    mnt_probe_outcome_e outcome, const char *why)
{
    ngx_str_t                 reason;
    mnt_probe_t               probe;
    mnt_channel_t             channel;
    ngx_mntreamer_monitor_t  *mon;

    mon = p->lane->mon;

    if (p->kind == NGX_MNTREAMER_PROBING_LOOKUP) {
        ngx_memzero(&channel, sizeof(mnt_channel_t));
        channel.channel_id = ngx_mntreamer_probing_str(&p->channel);

        reason.data = (u_char *) why;
        reason.len = ngx_strlen(why);

        p->delivering = 1;
        p->done.found(p->data, outcome, &channel, &reason);

        ngx_mntreamer_probing_free(p);
        ngx_mntreamer_monitor_wake(mon);
        return;
    }

    ngx_memzero(&probe, sizeof(mnt_probe_t));

    probe.outcome = outcome;
    probe.reason = mnt_str_c(why);
    probe.opened_ms = -1;
    probe.closed_ms = -1;
    probe.viewers = -1;

    ngx_mntreamer_probing_deliver(p, &probe);
}


void
ngx_mntreamer_probing_deliver(ngx_mntreamer_probing_t *p,
    const mnt_probe_t *probe)
{
    ngx_mntreamer_monitor_t  *mon;

    mon = p->lane->mon;

    ngx_mntreamer_metrics_add(mon->metrics, NGX_MNTREAMER_M_PROBES,
                              probe->outcome, 1);

    p->delivering = 1;

    if (p->kind == NGX_MNTREAMER_PROBING_CLAIM) {
        ngx_mntreamer_monitor_result(p, probe);

    } else {
        p->done.probed(p->data, probe);
    }

    ngx_mntreamer_probing_free(p);
    ngx_mntreamer_monitor_wake(mon);
}


/* moves what s names to b, returns the end of it; s may have no data */

static u_char *
ngx_mntreamer_probing_keep(u_char *b, ngx_str_t *s)
{
    if (s->len) {
        ngx_memcpy(b, s->data, s->len);
    }

    s->data = b;
    return b + s->len;
}


static mnt_str_t
ngx_mntreamer_probing_str(const ngx_str_t *s)
{
    mnt_str_t  t;

    t.data = (const char *) s->data;
    t.len = s->len;

    return t;
}


static ngx_str_t
ngx_mntreamer_probing_text(mnt_str_t s)
{
    ngx_str_t  t;

    t.data = (u_char *) s.data;
    t.len = s.len;

    return t;
}
