
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Which streamers are due and when to look again.  A platform is a "lane": its
 * queues of questions, its limiter, and the time of its next claim.
 * Everything that happens (an answer, a permit, something due, the tick) wakes
 * _run(), which sends what has a permit and claims as many streamers as this
 * worker's share of the free permits: so the order of check_at is the order of
 * asking, however many workers there are.
 *
 * The tick finds what nobody was told of: recordings of lost machines, ten
 * times in a lease and once a second at least, and one lane after the other
 * what is due.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/random.h>

#include "ngx_mntreamer_monitor_internal.h"


#define NGX_MNTREAMER_MONITOR_TICK      1000
#define NGX_MNTREAMER_MONITOR_PAUSE     50    /* between two claims that do not
                                                 find all they could */
#define NGX_MNTREAMER_MONITOR_FEW       10    /* between any two */
#define NGX_MNTREAMER_MONITOR_BATCH     2000
#define NGX_MNTREAMER_MONITOR_RESUME    64    /* recordings of one claim */
#define NGX_MNTREAMER_MONITOR_LEASE     15000 /* and the time of answers */
#define NGX_MNTREAMER_MONITOR_LONG      60000 /* a timer is looked at again */
#define NGX_MNTREAMER_MONITOR_BODIES    131072    /* 2 MB when all are used */


static void ngx_mntreamer_lane_init(ngx_mntreamer_lane_t *lane,
    ngx_mntreamer_monitor_t *mon,
    const ngx_mntreamer_platform_conf_t *conf);
static void ngx_mntreamer_lane_remember(ngx_mntreamer_lane_t *lane);
static void ngx_mntreamer_monitor_tick(ngx_event_t *ev);
static void ngx_mntreamer_monitor_posted(ngx_event_t *ev);
static void ngx_mntreamer_lane_timer(ngx_event_t *ev);
static void ngx_mntreamer_monitor_run(ngx_mntreamer_monitor_t *mon);
static int64_t ngx_mntreamer_lane_claim(ngx_mntreamer_lane_t *lane);
static ngx_uint_t ngx_mntreamer_lane_room(ngx_mntreamer_lane_t *lane,
    ngx_uint_t *permits);
static void ngx_mntreamer_lane_claimed(void *data, ngx_uint_t rc,
    ngx_mntreamer_claim_t *claims, ngx_uint_t n, int64_t next_ms);
static void ngx_mntreamer_monitor_resume(ngx_mntreamer_monitor_t *mon);
static void ngx_mntreamer_monitor_claimed(ngx_queue_t *list,
    ngx_mntreamer_pq_array_t *ids, ngx_mntreamer_pq_array_t *epochs);
static void ngx_mntreamer_monitor_resumed(void *data, ngx_uint_t rc,
    ngx_mntreamer_claim_t *claims, ngx_uint_t n, int64_t next_ms);


ngx_mntreamer_monitor_t *
ngx_mntreamer_monitor_create(const ngx_mntreamer_monitor_conf_t *conf,
    const ngx_mntreamer_monitor_handlers_t *handlers,
    ngx_mntreamer_curl_t *curl, ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_metrics_t *metrics, ngx_log_t *log)
{
    ngx_uint_t                      i;
    ngx_core_conf_t                *ccf;
    ngx_mntreamer_monitor_t        *mon;
    ngx_mntreamer_platform_conf_t  *pcf;

    mon = ngx_calloc(sizeof(ngx_mntreamer_monitor_t), log);
    if (mon == NULL) {
        return NULL;
    }

    mon->conf = conf;
    mon->handlers = *handlers;
    mon->curl = curl;
    mon->cat = cat;
    mon->metrics = metrics;
    mon->log = log;
    mon->zone = conf->zone ? conf->zone->data : NULL;
    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);
    mon->workers = ngx_max(ccf->worker_processes, 1);

    /* recordings need descriptors, too */

    mon->most = ngx_min(conf->max_running, ngx_mntreamer_spare_polls());

    mon->ident.data = mon;
    mon->ident.fd = (ngx_socket_t) -1;

    ngx_queue_init(&mon->running);

    mon->tick.handler = ngx_mntreamer_monitor_tick;
    mon->tick.data = &mon->ident;
    mon->tick.log = log;
    mon->tick.cancelable = 1;

    mon->post.handler = ngx_mntreamer_monitor_posted;
    mon->post.data = &mon->ident;
    mon->post.log = log;

    mon->lanes = ngx_calloc(conf->platforms->nelts
                            * sizeof(ngx_mntreamer_lane_t), log);

    if (mon->lanes == NULL) {
        ngx_free(mon);
        return NULL;
    }

    pcf = conf->platforms->elts;

    /* what is sent to us is recorded where it is known where it lies */

    for (i = 0; i < conf->platforms->nelts; i++) {
        if (!pcf[i].platform->pushed || pcf[i].hls_path.len) {
            ngx_mntreamer_lane_init(&mon->lanes[mon->nlanes++], mon, &pcf[i]);
        }
    }

    return mon;
}


static void
ngx_mntreamer_lane_init(ngx_mntreamer_lane_t *lane,
    ngx_mntreamer_monitor_t *mon,
    const ngx_mntreamer_platform_conf_t *conf)
{
    ngx_uint_t  turn;

    lane->mon = mon;
    lane->conf = conf;
    lane->ident.data = lane;
    lane->ident.fd = (ngx_socket_t) -1;

    /*
     * By the platform's number: the zone outlives an nginx with others.  The
     * database alone is asked about what is sent to us.
     */

    if (mon->zone && conf->platform->id >= 0 && !conf->platform->pushed
        && conf->platform->id < NGX_MNTREAMER_MONITOR_LIMITERS)
    {
        lane->limiter = &mon->zone->limiters[conf->platform->id];
    }

    for (turn = 0; turn < NGX_MNTREAMER_TURNS; turn++) {
        ngx_queue_init(&lane->turns[turn]);
    }

    lane->timer.handler = ngx_mntreamer_lane_timer;
    lane->timer.data = &lane->ident;
    lane->timer.log = mon->log;
    lane->timer.cancelable = 1;

    if (conf->platform->by_body) {
        ngx_mntreamer_lane_remember(lane);
    }
}


/* without it each answer is read anew */

static void
ngx_mntreamer_lane_remember(ngx_mntreamer_lane_t *lane)
{
    u_char  key[16];

    if (getrandom(key, sizeof(key), 0) != sizeof(key)) {
        ngx_log_error(NGX_LOG_WARN, lane->mon->log, ngx_errno,
                      "mntreamer: getrandom() failed");
        return;
    }

    (void) mnt_memo_init(&lane->offline, key, NGX_MNTREAMER_MONITOR_BODIES);
}


void
ngx_mntreamer_monitor_destroy(ngx_mntreamer_monitor_t *mon)
{
    ngx_uint_t                i, turn;
    ngx_queue_t              *q;
    ngx_mntreamer_lane_t     *lane;
    ngx_mntreamer_probing_t  *p;

    while (!ngx_queue_empty(&mon->running)) {
        q = ngx_queue_head(&mon->running);
        p = ngx_queue_data(q, ngx_mntreamer_probing_t, queue);
        ngx_mntreamer_probing_free(p);
    }

    for (i = 0; i < mon->nlanes; i++) {
        lane = &mon->lanes[i];

        for (turn = 0; turn < NGX_MNTREAMER_TURNS; turn++) {
            while (!ngx_queue_empty(&lane->turns[turn])) {
                q = ngx_queue_head(&lane->turns[turn]);
                p = ngx_queue_data(q, ngx_mntreamer_probing_t, queue);
                ngx_mntreamer_probing_free(p);
            }
        }

        if (lane->timer.timer_set) {
            ngx_del_timer(&lane->timer);
        }

        mnt_memo_free(&lane->offline);
    }

    if (mon->tick.timer_set) {
        ngx_del_timer(&mon->tick);
    }

    if (mon->post.posted) {
        ngx_delete_posted_event(&mon->post);
    }

    ngx_free(mon->lanes);
    ngx_free(mon);
}


ngx_mntreamer_lane_t *
ngx_mntreamer_monitor_lane(ngx_mntreamer_monitor_t *mon, ngx_int_t platform_id)
{
    ngx_uint_t  i;

    for (i = 0; i < mon->nlanes; i++) {
        if (mon->lanes[i].conf->platform->id == platform_id) {
            return &mon->lanes[i];
        }
    }

    return NULL;
}


const ngx_mntreamer_platform_conf_t *
ngx_mntreamer_monitor_platform(ngx_mntreamer_monitor_t *mon,
    ngx_int_t platform_id)
{
    ngx_mntreamer_lane_t  *lane;

    lane = ngx_mntreamer_monitor_lane(mon, platform_id);

    return lane ? lane->conf : NULL;
}


void
ngx_mntreamer_monitor_state(ngx_mntreamer_monitor_t *mon, ngx_uint_t up)
{
    mon->up = up & 1;

    if (!up || mon->stopped) {
        return;
    }

    if (!mon->tick.timer_set) {
        ngx_add_timer(&mon->tick, NGX_MNTREAMER_MONITOR_TICK / 2
                                  + ngx_random() % NGX_MNTREAMER_MONITOR_TICK);
    }

    ngx_mntreamer_monitor_due(mon);
}


void
ngx_mntreamer_monitor_due(ngx_mntreamer_monitor_t *mon)
{
    ngx_uint_t  i;

    mon->resume = 1;

    for (i = 0; i < mon->nlanes; i++) {
        ngx_mntreamer_lane_due(&mon->lanes[i], 0);
    }

    ngx_mntreamer_monitor_wake(mon);
}


void
ngx_mntreamer_monitor_stop(ngx_mntreamer_monitor_t *mon)
{
    ngx_uint_t                i, turn;
    ngx_queue_t              *q;
    ngx_mntreamer_lane_t     *lane;
    ngx_mntreamer_probing_t  *p;

    mon->stopped = 1;

    if (mon->tick.timer_set) {
        ngx_del_timer(&mon->tick);
    }

    for (i = 0; i < mon->nlanes; i++) {
        lane = &mon->lanes[i];

        for (turn = NGX_MNTREAMER_TURN_CLAIM; turn < NGX_MNTREAMER_TURNS;
             turn++)
        {
            while (!ngx_queue_empty(&lane->turns[turn])) {
                q = ngx_queue_head(&lane->turns[turn]);
                p = ngx_queue_data(q, ngx_mntreamer_probing_t, queue);
                ngx_mntreamer_probing_free(p);
            }
        }
    }
}


void
ngx_mntreamer_monitor_claims(ngx_mntreamer_monitor_t *mon,
    ngx_mntreamer_pq_array_t *ids, ngx_mntreamer_pq_array_t *epochs)
{
    ngx_uint_t  i, turn;

    ngx_mntreamer_monitor_claimed(&mon->running, ids, epochs);

    for (i = 0; i < mon->nlanes; i++) {
        for (turn = 0; turn < NGX_MNTREAMER_TURNS; turn++) {
            ngx_mntreamer_monitor_claimed(&mon->lanes[i].turns[turn], ids,
                                          epochs);
        }
    }
}


static void
ngx_mntreamer_monitor_claimed(ngx_queue_t *list,
    ngx_mntreamer_pq_array_t *ids, ngx_mntreamer_pq_array_t *epochs)
{
    ngx_queue_t              *q;
    ngx_mntreamer_probing_t  *p;

    for (q = ngx_queue_head(list);
         q != ngx_queue_sentinel(list);
         q = ngx_queue_next(q))
    {
        p = ngx_queue_data(q, ngx_mntreamer_probing_t, queue);

        if (p->kind == NGX_MNTREAMER_PROBING_CLAIM) {
            ngx_mntreamer_pq_array_i64(ids, p->claim.streamer_id);
            ngx_mntreamer_pq_array_i64(epochs, p->claim.epoch);
        }
    }
}


void
ngx_mntreamer_monitor_wake(ngx_mntreamer_monitor_t *mon)
{
    if (!mon->post.posted) {
        ngx_post_event(&mon->post, &ngx_posted_events);
    }
}


static void
ngx_mntreamer_monitor_posted(ngx_event_t *ev)
{
    ngx_mntreamer_ident_t *ident = ev->data;

    ngx_mntreamer_monitor_run(ident->data);
}


static void
ngx_mntreamer_lane_timer(ngx_event_t *ev)
{
    ngx_mntreamer_ident_t  *ident = ev->data;
    ngx_mntreamer_lane_t   *lane = ident->data;

    ngx_mntreamer_monitor_run(lane->mon);
}


static void
ngx_mntreamer_monitor_tick(ngx_event_t *ev)
{
    ngx_msec_t                pause;
    ngx_uint_t                i;
    ngx_mntreamer_ident_t    *ident = ev->data;
    ngx_mntreamer_monitor_t  *mon = ident->data;

    mon->resume = 1;

    if (mon->nlanes) {
        i = mon->ticks++ % mon->nlanes;
        ngx_mntreamer_lane_due(&mon->lanes[i], 0);
        ngx_mntreamer_monitor_names(&mon->lanes[i]);
    }

    pause = ngx_min(ngx_max(mon->conf->lease_ms / 10, 100),
                    NGX_MNTREAMER_MONITOR_TICK);

    ngx_add_timer(&mon->tick,
                  pause - pause / 20 + ngx_random() % (pause / 10));

    ngx_mntreamer_monitor_run(mon);
}


static void
ngx_mntreamer_monitor_run(ngx_mntreamer_monitor_t *mon)
{
    int64_t                permit, claim;
    ngx_uint_t             i;
    ngx_mntreamer_lane_t  *lane;

    /* first those that are being recorded: their windows pass */

    ngx_mntreamer_monitor_resume(mon);

    for (i = 0; i < mon->nlanes; i++) {
        lane = &mon->lanes[i];

        permit = ngx_mntreamer_probing_pump(lane);
        claim = ngx_mntreamer_lane_claim(lane);

        if (permit == -1 || (claim != -1 && claim < permit)) {
            permit = claim;
        }

        if (lane->timer.timer_set) {
            ngx_del_timer(&lane->timer);
        }

        if (permit >= 0) {
            permit = ngx_min(permit, NGX_MNTREAMER_MONITOR_LONG);
            ngx_add_timer(&lane->timer, (ngx_msec_t) ngx_max(permit, 1));
        }
    }

    ngx_mntreamer_metrics_set(mon->metrics, NGX_MNTREAMER_M_PROBES_RUNNING,
                              (int64_t) mon->nrunning);
}


void
ngx_mntreamer_lane_due(ngx_mntreamer_lane_t *lane, ngx_msec_t ms)
{
    ngx_msec_t  due;

    due = ngx_current_msec + ms;

    if (!lane->waiting || (ngx_msec_int_t) (lane->due - due) > 0) {
        lane->due = due;
    }

    lane->waiting = 1;
}


/* claims if something is due and can be sent; the pause until then, or -1 */

static int64_t
ngx_mntreamer_lane_claim(ngx_mntreamer_lane_t *lane)
{
    ngx_int_t                 rc;
    ngx_msec_t                lease;
    ngx_uint_t                room, permits;
    ngx_msec_int_t            wait;
    ngx_mntreamer_monitor_t  *mon;

    mon = lane->mon;

    if (!mon->up || mon->stopped || lane->claiming || !lane->waiting) {
        return -1;
    }

    wait = (ngx_msec_int_t) (lane->due - ngx_current_msec);

    if (wait > 0) {
        return wait;
    }

    /* an answer wakes the lane when there is no room, a timer for permits */

    room = ngx_mntreamer_lane_room(lane, &permits);

    if (room == 0) {
        return -1;
    }

    if (permits == 0) {
        return ngx_max(ngx_mntreamer_limit_wait(lane),
                       NGX_MNTREAMER_MONITOR_PAUSE);
    }

    if (ngx_current_msec - lane->claimed_ms < NGX_MNTREAMER_MONITOR_FEW) {
        return NGX_MNTREAMER_MONITOR_FEW;
    }

    room = ngx_min(room, permits);
    lease = NGX_MNTREAMER_MONITOR_LEASE + 2 * mon->conf->total_ms;

    if (lane->conf->platform->pushed) {
        rc = ngx_mntreamer_catalog_claim_broadcasts(mon->cat,
                                                    lane->conf->platform->id,
                                                    room, lease,
                                                    ngx_mntreamer_lane_claimed,
                                                    lane);

    } else {
        rc = ngx_mntreamer_catalog_claim(mon->cat, lane->conf->platform->id,
                                         room, lease, &mon->conf->backoff,
                                         mon->conf->spread_pct,
                                         ngx_mntreamer_lane_claimed, lane);
    }

    if (rc != NGX_OK) {
        return NGX_MNTREAMER_MONITOR_TICK;
    }

    lane->claiming = 1;
    lane->waiting = 0;
    lane->claimed_ms = ngx_current_msec;

    return -1;
}


/*
 * Streamers that may wait here: enough to keep the transfers busy during the
 * next claim, refilled when half of them are gone.  Permits: our share of
 * those that are free; if each worker claimed for all of them, what it claimed
 * would wait behind what the others claimed later.
 */

static ngx_uint_t
ngx_mntreamer_lane_room(ngx_mntreamer_lane_t *lane, ngx_uint_t *permits)
{
    ngx_uint_t  most, n;

    most = 2 * NGX_MNTREAMER_MONITOR_BATCH;

    n = ngx_mntreamer_limit_free(lane);

    *permits = n > lane->queued
               ? (n - lane->queued + lane->mon->workers - 1)
                 / lane->mon->workers
               : 0;

    if (lane->claimed > most / 2) {
        return 0;
    }

    return ngx_min(most - lane->claimed, NGX_MNTREAMER_MONITOR_BATCH);
}


static void
ngx_mntreamer_lane_claimed(void *data, ngx_uint_t rc,
    ngx_mntreamer_claim_t *claims, ngx_uint_t n, int64_t next_ms)
{
    ngx_mntreamer_lane_t *lane = data;

    ngx_uint_t                i;
    ngx_mntreamer_monitor_t  *mon;
    ngx_mntreamer_probing_t  *p;

    mon = lane->mon;
    lane->claiming = 0;

    /* what is not queued is given back, or found when its lease is over */

    for (i = 0; i < n && !mon->stopped; i++) {
        p = ngx_mntreamer_probing_create(lane, NGX_MNTREAMER_PROBING_CLAIM,
                                         NGX_MNTREAMER_TURN_CLAIM, &claims[i]);
        if (p == NULL) {
            break;
        }
    }

    if (rc != NGX_MNTREAMER_PQ_OK) {
        ngx_mntreamer_lane_due(lane, NGX_MNTREAMER_MONITOR_TICK);

    } else if (next_ms == 0) {
        ngx_mntreamer_lane_due(lane, 0);

    } else if (next_ms >= 0) {
        next_ms = ngx_min(next_ms, NGX_MNTREAMER_MONITOR_LONG);

        ngx_mntreamer_lane_due(lane, (ngx_msec_t)
                               ngx_max(next_ms, NGX_MNTREAMER_MONITOR_PAUSE)
                               + ngx_random() % NGX_MNTREAMER_MONITOR_FEW);
    }

    ngx_mntreamer_monitor_wake(mon);
}


/* recordings in progress that nobody writes any more */

static void
ngx_mntreamer_monitor_resume(ngx_mntreamer_monitor_t *mon)
{
    if (!mon->resume || mon->resuming || !mon->up || mon->stopped) {
        return;
    }

    if (ngx_mntreamer_catalog_claim_recordings(mon->cat,
                                               NGX_MNTREAMER_MONITOR_RESUME,
                                               ngx_mntreamer_monitor_resumed,
                                               mon)
        == NGX_OK)
    {
        mon->resume = 0;
        mon->resuming = 1;
    }
}


static void
ngx_mntreamer_monitor_resumed(void *data, ngx_uint_t rc,
    ngx_mntreamer_claim_t *claims, ngx_uint_t n, int64_t next_ms)
{
    ngx_mntreamer_monitor_t *mon = data;

    u_char                 label[NGX_MNTREAMER_MONITOR_LABEL];
    ngx_uint_t             i;
    ngx_mntreamer_lane_t  *lane;

    mon->resuming = 0;

    for (i = 0; i < n && !mon->stopped; i++) {
        lane = ngx_mntreamer_monitor_lane(mon, claims[i].platform);

        if (lane == NULL) {
            continue;
        }

        if (claims[i].quality.len == 0) {
            claims[i].quality = lane->conf->quality;
        }

        ngx_log_error(NGX_LOG_NOTICE, mon->log, 0,
                      "mntreamer: took over recording %L of \"%s\", nothing "
                      "was stored for %L ms", claims[i].recording_id,
                      ngx_mntreamer_monitor_label(lane, &claims[i].channel_id,
                                                  label),
                      claims[i].silent_ms);

        /* what is declined is being recorded here, or given back soon */

        if (mon->handlers.resume(mon->handlers.data, &claims[i])
            == NGX_ERROR)
        {
            ngx_mntreamer_catalog_lease_return(mon->cat,
                                               claims[i].streamer_id,
                                               claims[i].epoch);
        }
    }

    if (n == NGX_MNTREAMER_MONITOR_RESUME) {
        mon->resume = 1;
        ngx_mntreamer_monitor_wake(mon);
    }
}
