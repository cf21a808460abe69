
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The catalogue of a worker: its two connections, the steps of its start, what
 * it is notified of, and its end.  Each step is one statement; its answer
 * calls _run(), which sends the next.
 *
 * state       entered by       waits for             deadline    then
 * DOWN        _create, lost    engine's connection   -           CHECK
 * CHECK       connected        encoding, schema      statement   VERSION
 * VERSION     there is one     its number            statement   MIGRATE
 * MIGRATE     older than ours  one migration         10 min      MIGRATE
 * PLATFORMS   schema is ours   registry as rows      statement   STREAMERS
 * STREAMERS   written          those of nginx.conf   1 min       ENGINE
 * ENGINE      written          the engine's row      statement   BEAT
 * BEAT        registered       who else is there     statement   DEAD
 * DEAD        a sibling died   its leases            statement   UP
 * UP          all that         -                     -           -
 * RETRY       a step failed    timer                 1 .. 60 s   CHECK
 * RELEASING   _release         what is gathered      its own     RELEASED
 * RELEASED    given back       -                     -           -
 *
 * A lost connection leads to DOWN from everywhere but the last two.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog_internal.h"


#define NGX_MNTREAMER_CATALOG_POOL        1024
#define NGX_MNTREAMER_CATALOG_STATEMENT   5000
#define NGX_MNTREAMER_CATALOG_HEARD_MS    3000
#define NGX_MNTREAMER_CATALOG_QUEUE       256
#define NGX_MNTREAMER_CATALOG_ASKS        1024  /* of the API */
#define NGX_MNTREAMER_CATALOG_RETRY_MS    1000
#define NGX_MNTREAMER_CATALOG_RETRY_MAX   60000


static ngx_mntreamer_pq_t *ngx_mntreamer_catalog_connect(
    ngx_mntreamer_catalog_t *cat, const char *name, ngx_uint_t engine);
static void ngx_mntreamer_catalog_connected(void *data, ngx_uint_t up);
static void ngx_mntreamer_catalog_notified(void *data, ngx_str_t *channel,
    ngx_str_t *payload);
static void ngx_mntreamer_catalog_told(ngx_mntreamer_catalog_t *cat,
    ngx_str_t *payload, size_t word,
    void (*handler)(void *data, int64_t streamer_id));
static void ngx_mntreamer_catalog_to(ngx_mntreamer_catalog_t *cat,
    ngx_uint_t next);
static void ngx_mntreamer_catalog_run(ngx_mntreamer_catalog_t *cat);
static void ngx_mntreamer_catalog_stepped(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_catalog_next(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_mntreamer_catalog_checked(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_catalog_versioned(ngx_mntreamer_catalog_t *cat,
    int64_t number);
static void ngx_mntreamer_catalog_refuse(ngx_mntreamer_catalog_t *cat);
static void ngx_mntreamer_catalog_timer(ngx_event_t *ev);
static void ngx_mntreamer_catalog_start(ngx_mntreamer_catalog_t *cat);
static void ngx_mntreamer_catalog_flush(ngx_mntreamer_catalog_t *cat);
static void ngx_mntreamer_catalog_drained(ngx_event_t *ev);
static void ngx_mntreamer_catalog_given(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_catalog_leave(ngx_mntreamer_catalog_t *cat,
    ngx_uint_t rc);


static const char  *ngx_mntreamer_catalog_states[] = {
    "down", "check", "version", "migrate", "platforms", "streamers", "engine",
    "beat", "dead", "up", "retry", "releasing", "released"
};

static const char  *ngx_mntreamer_catalog_listen[] = {
    NGX_MNTREAMER_CATALOG_CHANNEL, NULL
};


ngx_mntreamer_catalog_t *
ngx_mntreamer_catalog_create(const ngx_mntreamer_catalog_conf_t *conf,
    const ngx_mntreamer_catalog_handlers_t *handlers,
    ngx_mntreamer_metrics_t *metrics, ngx_log_t *log)
{
    ngx_pool_t               *pool;
    ngx_mntreamer_catalog_t  *cat;

    pool = ngx_create_pool(NGX_MNTREAMER_CATALOG_POOL, log);
    if (pool == NULL) {
        return NULL;
    }

    cat = ngx_pcalloc(pool, sizeof(ngx_mntreamer_catalog_t));
    if (cat == NULL) {
        goto failed;
    }

    cat->pool = pool;
    cat->conf = conf;
    cat->handlers = *handlers;
    cat->metrics = metrics;
    cat->log = log;
    cat->ident.data = cat;
    cat->ident.fd = (ngx_socket_t) -1;

    ngx_queue_init(&cat->calls);
    ngx_queue_init(&cat->asks);

    ngx_mntreamer_catalog_event(cat, &cat->timer, ngx_mntreamer_catalog_timer);
    ngx_mntreamer_catalog_event(cat, &cat->guard,
                                ngx_mntreamer_catalog_drained);

    ngx_mntreamer_gather_init(&cat->probes, cat, "results of probes", 100,
                              ngx_mntreamer_catalog_probes_write);
    ngx_mntreamer_gather_init(&cat->progress, cat, "progress of recordings",
                              1000, ngx_mntreamer_catalog_progress_write);
    ngx_mntreamer_gather_init(&cat->gaps, cat, "gaps", 1000,
                              ngx_mntreamer_catalog_gaps_write);
    ngx_mntreamer_gather_init(&cat->facts, cat, "facts of streams", 1000,
                              ngx_mntreamer_catalog_facts_write);
    ngx_mntreamer_gather_init(&cat->viewers, cat, "counts of viewers", 1000,
                              ngx_mntreamer_catalog_viewers_write);

    ngx_mntreamer_catalog_lease_init(cat);

    if (ngx_mntreamer_catalog_identify(cat) != NGX_OK) {
        goto failed;
    }

    cat->pq = ngx_mntreamer_catalog_connect(cat, "mntreamer engine", 1);
    cat->api = ngx_mntreamer_catalog_connect(cat, "mntreamer api", 0);

    if (cat->pq == NULL || cat->api == NULL) {
        goto failed;
    }

    return cat;

failed:

    if (cat && cat->pq) {
        ngx_mntreamer_pq_destroy(cat->pq);
    }

    if (cat && cat->api) {
        ngx_mntreamer_pq_destroy(cat->api);
    }

    ngx_destroy_pool(pool);

    return NULL;
}


static ngx_mntreamer_pq_t *
ngx_mntreamer_catalog_connect(ngx_mntreamer_catalog_t *cat, const char *name,
    ngx_uint_t engine)
{
    ngx_mntreamer_pq_conf_t  conf;

    ngx_memzero(&conf, sizeof(ngx_mntreamer_pq_conf_t));

    conf.conninfo = cat->conf->conninfo;
    conf.name.data = (u_char *) name;
    conf.name.len = ngx_strlen(name);
    conf.connect_ms = NGX_MNTREAMER_CATALOG_STATEMENT;
    conf.statement_ms = NGX_MNTREAMER_CATALOG_STATEMENT;
    conf.max_queue = engine ? NGX_MNTREAMER_CATALOG_QUEUE
                            : NGX_MNTREAMER_CATALOG_ASKS;
    conf.max_keep = 4096;
    conf.log = cat->log;

    if (engine) {
        conf.listen = ngx_mntreamer_catalog_listen;
        conf.notify = ngx_mntreamer_catalog_notified;
        conf.state = ngx_mntreamer_catalog_connected;
        conf.data = cat;
    }

    return ngx_mntreamer_pq_create(&conf);
}


void
ngx_mntreamer_catalog_destroy(ngx_mntreamer_catalog_t *cat)
{
    ngx_queue_t           *q;
    ngx_mntreamer_call_t  *call;

    /* its statements go with a connection: nothing is called any more */

    ngx_mntreamer_pq_destroy(cat->pq);
    ngx_mntreamer_pq_destroy(cat->api);

    ngx_mntreamer_catalog_disarm(&cat->timer);
    ngx_mntreamer_catalog_disarm(&cat->watch);
    ngx_mntreamer_catalog_disarm(&cat->renew);
    ngx_mntreamer_catalog_disarm(&cat->guard);

    ngx_mntreamer_gather_free(&cat->probes);
    ngx_mntreamer_gather_free(&cat->progress);
    ngx_mntreamer_gather_free(&cat->gaps);
    ngx_mntreamer_gather_free(&cat->facts);
    ngx_mntreamer_gather_free(&cat->viewers);
    ngx_mntreamer_gather_free(&cat->leases);

    while (!ngx_queue_empty(&cat->calls)) {
        q = ngx_queue_head(&cat->calls);
        call = ngx_queue_data(q, ngx_mntreamer_call_t, queue);
        ngx_mntreamer_catalog_call_free(call);
    }

    ngx_mntreamer_catalog_asks_free(cat);

    ngx_destroy_pool(cat->pool);
}


void
ngx_mntreamer_catalog_event(ngx_mntreamer_catalog_t *cat, ngx_event_t *ev,
    ngx_event_handler_pt handler)
{
    ev->handler = handler;
    ev->data = &cat->ident;
    ev->log = cat->log;
    ev->cancelable = 1;
}


void
ngx_mntreamer_catalog_arm(ngx_event_t *ev, ngx_msec_t ms)
{
    ngx_mntreamer_catalog_disarm(ev);
    ngx_add_timer(ev, ms);
}


void
ngx_mntreamer_catalog_disarm(ngx_event_t *ev)
{
    if (ev->timer_set) {
        ngx_del_timer(ev);
    }
}


void
ngx_mntreamer_catalog_exec_init(ngx_mntreamer_exec_t *ex,
    const ngx_mntreamer_sql_t *sql, ngx_mntreamer_result_pt done, void *data)
{
    ngx_memzero(ex, sizeof(ngx_mntreamer_exec_t));

    ex->sql = sql;
    ex->done = done;
    ex->data = data;
}


ngx_str_t
ngx_mntreamer_catalog_number(u_char *buf, int64_t n)
{
    ngx_str_t  text;

    text.data = buf;
    text.len = ngx_sprintf(buf, "%L", n) - buf;

    return text;
}


ngx_mntreamer_call_t *
ngx_mntreamer_catalog_call(ngx_mntreamer_catalog_t *cat, void *data)
{
    ngx_mntreamer_call_t  *call;

    call = ngx_calloc(sizeof(ngx_mntreamer_call_t), cat->log);

    if (call) {
        call->cat = cat;
        call->data = data;
        ngx_queue_insert_tail(&cat->calls, &call->queue);
    }

    return call;
}


void
ngx_mntreamer_catalog_call_free(ngx_mntreamer_call_t *call)
{
    ngx_queue_remove(&call->queue);
    ngx_free(call);
}


ngx_uint_t
ngx_mntreamer_catalog_up(ngx_mntreamer_catalog_t *cat)
{
    return cat->ready
           && cat->state != NGX_MNTREAMER_CATALOG_DOWN
           && ngx_mntreamer_pq_stat(cat->api)->up;
}


ngx_uint_t
ngx_mntreamer_catalog_heard(ngx_mntreamer_catalog_t *cat)
{
    ngx_msec_t  engine, api;

    engine = ngx_current_msec - ngx_mntreamer_pq_stat(cat->pq)->heard_ms;
    api = ngx_current_msec - ngx_mntreamer_pq_stat(cat->api)->heard_ms;

    return ngx_mntreamer_catalog_up(cat)
           && ngx_min(engine, api) < NGX_MNTREAMER_CATALOG_HEARD_MS;
}


void
ngx_mntreamer_catalog_report(ngx_mntreamer_catalog_t *cat)
{
    ngx_uint_t                      i;
    ngx_mntreamer_pq_stat_t        *told;
    const ngx_mntreamer_pq_stat_t  *stat[2];

    stat[0] = ngx_mntreamer_pq_stat(cat->pq);
    stat[1] = ngx_mntreamer_pq_stat(cat->api);

    for (i = 0; i < 2; i++) {
        told = &cat->told[i];

        ngx_mntreamer_metrics_add(cat->metrics, NGX_MNTREAMER_M_DB_STATEMENTS,
                                  0, stat[i]->statements - told->statements);
        ngx_mntreamer_metrics_add(cat->metrics, NGX_MNTREAMER_M_DB_FAILED, 0,
                                  stat[i]->failed - told->failed);
        ngx_mntreamer_metrics_add(cat->metrics, NGX_MNTREAMER_M_DB_RECONNECTS,
                                  0, stat[i]->reconnects - told->reconnects);
        ngx_mntreamer_metrics_add(cat->metrics, NGX_MNTREAMER_M_DB_BUSY_MS, 0,
                                  stat[i]->busy_ms - told->busy_ms);

        *told = *stat[i];
    }

    ngx_mntreamer_metrics_set(cat->metrics, NGX_MNTREAMER_M_DB_UP,
                              ngx_mntreamer_catalog_up(cat));
    ngx_mntreamer_metrics_set(cat->metrics, NGX_MNTREAMER_M_DB_QUEUED,
                              stat[0]->queued + stat[1]->queued
                              + cat->probes.n + cat->progress.n + cat->gaps.n
                              + cat->facts.n + cat->viewers.n);
}


static void
ngx_mntreamer_catalog_connected(void *data, ngx_uint_t up)
{
    ngx_mntreamer_catalog_t *cat = data;

    if (cat->state >= NGX_MNTREAMER_CATALOG_RELEASING) {
        return;
    }

    if (up) {
        ngx_mntreamer_catalog_to(cat, NGX_MNTREAMER_CATALOG_CHECK);
        ngx_mntreamer_catalog_run(cat);
        return;
    }

    ngx_mntreamer_catalog_to(cat, NGX_MNTREAMER_CATALOG_DOWN);

    ngx_mntreamer_catalog_disarm(&cat->timer);
    ngx_mntreamer_catalog_disarm(&cat->watch);
    ngx_mntreamer_catalog_disarm(&cat->renew);

    /* the step's statement may wait for the next connection: start anew */

    if (cat->step) {
        ngx_mntreamer_pq_cancel(cat->step);
        cat->step = NULL;
    }

    if (cat->telling) {
        cat->telling = 0;
        cat->handlers.state(cat->handlers.data, 0);
    }
}


static void
ngx_mntreamer_catalog_to(ngx_mntreamer_catalog_t *cat, ngx_uint_t next)
{
    ngx_log_debug2(NGX_LOG_DEBUG_CORE, cat->log, 0,
                   "mntreamer catalog: %s -> %s",
                   ngx_mntreamer_catalog_states[cat->state],
                   ngx_mntreamer_catalog_states[next]);

    cat->state = next;
}


static void
ngx_mntreamer_catalog_run(ngx_mntreamer_catalog_t *cat)
{
    ngx_mntreamer_statement_t  *st;

    if (cat->step) {
        return;
    }

    switch (cat->state) {

    case NGX_MNTREAMER_CATALOG_CHECK:
        st = ngx_mntreamer_catalog_check(cat, ngx_mntreamer_catalog_stepped);
        break;

    case NGX_MNTREAMER_CATALOG_VERSION:
        st = ngx_mntreamer_catalog_version(cat, ngx_mntreamer_catalog_stepped);
        break;

    case NGX_MNTREAMER_CATALOG_MIGRATE:
        st = ngx_mntreamer_catalog_migrate(cat, cat->migration,
                                           ngx_mntreamer_catalog_stepped);
        break;

    case NGX_MNTREAMER_CATALOG_PLATFORMS:
        st = ngx_mntreamer_catalog_platforms(cat,
                                             ngx_mntreamer_catalog_stepped);
        break;

    case NGX_MNTREAMER_CATALOG_STREAMERS:
        st = ngx_mntreamer_catalog_streamers(cat,
                                             ngx_mntreamer_catalog_stepped);
        break;

    case NGX_MNTREAMER_CATALOG_ENGINE:
        st = ngx_mntreamer_catalog_register(cat,
                                            ngx_mntreamer_catalog_stepped);
        break;

    case NGX_MNTREAMER_CATALOG_BEAT:
        st = ngx_mntreamer_catalog_beat(cat, ngx_mntreamer_catalog_stepped);
        break;

    case NGX_MNTREAMER_CATALOG_DEAD:
        st = ngx_mntreamer_catalog_bury(cat, ngx_mntreamer_catalog_stepped);
        break;

    default:
        return;
    }

    cat->step = st;

    if (st == NULL) {
        ngx_mntreamer_catalog_refuse(cat);
    }
}


static void
ngx_mntreamer_catalog_stepped(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_catalog_t *cat = data;

    cat->step = NULL;

    if (cat->state <= NGX_MNTREAMER_CATALOG_DOWN
        || cat->state >= NGX_MNTREAMER_CATALOG_UP)
    {
        return;
    }

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        ngx_log_error(NGX_LOG_WARN, cat->log, 0,
                      "mntreamer: the database cannot be used yet, failed at "
                      "\"%s\"", ngx_mntreamer_catalog_states[cat->state]);

        ngx_mntreamer_catalog_refuse(cat);
        return;
    }

    ngx_mntreamer_catalog_next(cat, result);
    ngx_mntreamer_catalog_run(cat);
}


/* the step's answer decides on the next state */

static void
ngx_mntreamer_catalog_next(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_result_t *result)
{
    switch (cat->state) {

    case NGX_MNTREAMER_CATALOG_CHECK:

        if (ngx_mntreamer_catalog_checked(cat, result) != NGX_OK) {
            ngx_mntreamer_catalog_refuse(cat);
        }

        return;

    case NGX_MNTREAMER_CATALOG_VERSION:
        ngx_mntreamer_catalog_versioned(cat,
                          ngx_mntreamer_rows_i64(result->rows, 0, 0, 0));
        return;

    case NGX_MNTREAMER_CATALOG_MIGRATE:
        cat->migration++;

        if (ngx_mntreamer_migrations[cat->migration].number == 0) {
            ngx_mntreamer_catalog_to(cat, NGX_MNTREAMER_CATALOG_PLATFORMS);
        }

        return;

    case NGX_MNTREAMER_CATALOG_PLATFORMS:

        /* a worker that is leaving may have an older nginx.conf */

        ngx_mntreamer_catalog_to(cat, ngx_exiting
                                      ? NGX_MNTREAMER_CATALOG_ENGINE
                                      : NGX_MNTREAMER_CATALOG_STREAMERS);
        return;

    case NGX_MNTREAMER_CATALOG_STREAMERS:
        ngx_mntreamer_catalog_to(cat, NGX_MNTREAMER_CATALOG_ENGINE);
        return;

    case NGX_MNTREAMER_CATALOG_ENGINE:
        cat->engine = result->nrows
                      ? ngx_mntreamer_rows_i64(result->rows, 0, 0, 0) : 0;

        if (cat->engine == 0) {
            ngx_mntreamer_catalog_refuse(cat);
            return;
        }

        ngx_mntreamer_catalog_to(cat, NGX_MNTREAMER_CATALOG_BEAT);
        return;

    case NGX_MNTREAMER_CATALOG_BEAT:
        ngx_mntreamer_catalog_siblings(cat, result);
        (void) ngx_mntreamer_catalog_look(cat);
        ngx_mntreamer_catalog_to(cat, NGX_MNTREAMER_CATALOG_DEAD);
        return;

    case NGX_MNTREAMER_CATALOG_DEAD:
        ngx_mntreamer_catalog_buried(cat);
        ngx_mntreamer_catalog_start(cat);
        return;

    default:
        return;
    }
}


static ngx_int_t
ngx_mntreamer_catalog_checked(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_result_t *result)
{
    ngx_str_t  encoding;

    encoding = ngx_mntreamer_rows_get(result->rows, 0, 0);

    if (encoding.len != 4 || ngx_strncmp(encoding.data, "UTF8", 4) != 0) {
        cat->ready = 0;

        ngx_log_error(NGX_LOG_CRIT, cat->log, 0,
                      "mntreamer: the database has encoding \"%V\" and not "
                      "UTF8, nothing is written to it", &encoding);
        return NGX_ERROR;
    }

    if (ngx_mntreamer_rows_bool(result->rows, 0, 1)) {
        ngx_mntreamer_catalog_to(cat, NGX_MNTREAMER_CATALOG_VERSION);

    } else {
        ngx_mntreamer_catalog_versioned(cat, 0);
    }

    return NGX_OK;
}


static void
ngx_mntreamer_catalog_versioned(ngx_mntreamer_catalog_t *cat, int64_t number)
{
    ngx_uint_t  i;
    int64_t     last;

    last = 0;
    cat->migration = 0;

    for (i = 0; ngx_mntreamer_migrations[i].number; i++) {
        last = (int64_t) ngx_mntreamer_migrations[i].number;

        if (last <= number) {
            cat->migration = i + 1;
        }
    }

    if (number > last) {
        cat->ready = 0;

        ngx_log_error(NGX_LOG_CRIT, cat->log, 0,
                      "mntreamer: the database has schema %L, newer than %L "
                      "which this version knows, nothing is written to it",
                      number, last);

        ngx_mntreamer_catalog_refuse(cat);
        return;
    }

    ngx_mntreamer_catalog_to(cat, number == last
                                  ? NGX_MNTREAMER_CATALOG_PLATFORMS
                                  : NGX_MNTREAMER_CATALOG_MIGRATE);
}


static void
ngx_mntreamer_catalog_refuse(ngx_mntreamer_catalog_t *cat)
{
    ngx_msec_t  wait;

    wait = (ngx_msec_t) NGX_MNTREAMER_CATALOG_RETRY_MS
           << ngx_min(cat->refusals, 6);
    wait = ngx_min(wait, NGX_MNTREAMER_CATALOG_RETRY_MAX);

    cat->refusals++;

    ngx_mntreamer_catalog_to(cat, NGX_MNTREAMER_CATALOG_RETRY);
    ngx_mntreamer_catalog_arm(&cat->timer, wait / 2 + ngx_random() % wait);
}


static void
ngx_mntreamer_catalog_timer(ngx_event_t *ev)
{
    ngx_mntreamer_ident_t    *ident = ev->data;
    ngx_mntreamer_catalog_t  *cat = ident->data;

    if (cat->state == NGX_MNTREAMER_CATALOG_RETRY) {
        ngx_mntreamer_catalog_to(cat, NGX_MNTREAMER_CATALOG_CHECK);
        ngx_mntreamer_catalog_run(cat);
    }
}


static void
ngx_mntreamer_catalog_start(ngx_mntreamer_catalog_t *cat)
{
    ngx_mntreamer_catalog_to(cat, NGX_MNTREAMER_CATALOG_UP);

    cat->ready = 1;
    cat->up_ms = ngx_current_msec;
    cat->refusals = 0;

    ngx_log_error(NGX_LOG_INFO, cat->log, 0,
                  "mntreamer: engine %L is up", cat->engine);

    ngx_mntreamer_catalog_watch_start(cat);
    ngx_mntreamer_catalog_renew(cat);
    ngx_mntreamer_catalog_flush(cat);

    cat->looks = NGX_MNTREAMER_CATALOG_LOOKS;
    ngx_mntreamer_catalog_strays(cat);

    cat->telling = 1;
    cat->handlers.state(cat->handlers.data, 1);
}


static void
ngx_mntreamer_catalog_flush(ngx_mntreamer_catalog_t *cat)
{
    ngx_mntreamer_gather_flush(&cat->probes);
    ngx_mntreamer_gather_flush(&cat->facts);
    ngx_mntreamer_gather_flush(&cat->viewers);
    ngx_mntreamer_gather_flush(&cat->gaps);
    ngx_mntreamer_gather_flush(&cat->progress);
}


/*
 * "due": a streamer became due; "release": leases are free; "engine": there is
 * another one; "stop 12": streamer 12 was paused or deleted; "ask 12":
 * something became known of it; "follow": followers are to be told; "remove",
 * "edit": recordings were deleted, or edited.
 */

static void
ngx_mntreamer_catalog_notified(void *data, ngx_str_t *channel,
    ngx_str_t *payload)
{
    ngx_mntreamer_catalog_t *cat = data;

    if (cat->state != NGX_MNTREAMER_CATALOG_UP) {
        return;
    }

    if (payload->len > 5 && ngx_strncmp(payload->data, "stop ", 5) == 0) {
        ngx_mntreamer_catalog_told(cat, payload, 5, cat->handlers.stop);
        return;
    }

    if (payload->len > 4 && ngx_strncmp(payload->data, "ask ", 4) == 0) {
        ngx_mntreamer_catalog_told(cat, payload, 4, cat->handlers.news);
        return;
    }

    if (payload->len == 6 && ngx_strncmp(payload->data, "engine", 6) == 0) {
        ngx_mntreamer_catalog_watch_soon(cat);
        return;
    }

    if (payload->len == 6 && ngx_strncmp(payload->data, "follow", 6) == 0) {
        cat->handlers.follow(cat->handlers.data);
        return;
    }

    if (payload->len == 6 && ngx_strncmp(payload->data, "remove", 6) == 0) {
        cat->handlers.remove(cat->handlers.data);
        return;
    }

    if (payload->len == 3 && ngx_strncmp(payload->data, "job", 3) == 0) {
        cat->handlers.job(cat->handlers.data);
        return;
    }

    if (payload->len == 4 && ngx_strncmp(payload->data, "edit", 4) == 0) {
        cat->handlers.edit(cat->handlers.data);
        return;
    }

    /* for whoever shows titles: nothing is due by that */

    if (payload->len > 6 && ngx_strncmp(payload->data, "title ", 6) == 0) {
        return;
    }

    cat->handlers.due(cat->handlers.data);
}


/* the streamer behind a word; those of others are none of ours */

static void
ngx_mntreamer_catalog_told(ngx_mntreamer_catalog_t *cat, ngx_str_t *payload,
    size_t word, void (*handler)(void *data, int64_t streamer_id))
{
    ngx_int_t  streamer_id;

    streamer_id = ngx_atoi(payload->data + word, payload->len - word);

    if (streamer_id > 0
        && ngx_mntreamer_gather_find(&cat->leases, streamer_id, 0))
    {
        handler(cat->handlers.data, streamer_id);
    }
}


ngx_int_t
ngx_mntreamer_catalog_release(ngx_mntreamer_catalog_t *cat,
    ngx_msec_t timeout_ms, ngx_mntreamer_catalog_done_pt done, void *data)
{
    if (cat->state >= NGX_MNTREAMER_CATALOG_RELEASING) {
        return NGX_ERROR;
    }

    cat->released = done;
    cat->released_data = data;

    ngx_mntreamer_catalog_disarm(&cat->timer);
    ngx_mntreamer_catalog_disarm(&cat->watch);
    ngx_mntreamer_catalog_disarm(&cat->renew);

    /* a worker that exits waits for timers that are not cancelable only */

    cat->guard.cancelable = 0;

    if (cat->state != NGX_MNTREAMER_CATALOG_UP) {
        ngx_mntreamer_catalog_to(cat, NGX_MNTREAMER_CATALOG_RELEASED);
        ngx_mntreamer_catalog_arm(&cat->guard, 1);
        return NGX_OK;
    }

    ngx_mntreamer_catalog_to(cat, NGX_MNTREAMER_CATALOG_RELEASING);
    ngx_mntreamer_catalog_arm(&cat->guard, timeout_ms);
    ngx_mntreamer_catalog_flush(cat);
    ngx_mntreamer_catalog_settle(cat);

    return NGX_OK;
}


/*
 * Statements run in order: once all that was gathered is under way, what gives
 * back may follow it.
 */

void
ngx_mntreamer_catalog_settle(ngx_mntreamer_catalog_t *cat)
{
    if (cat->state != NGX_MNTREAMER_CATALOG_RELEASING || cat->step
        || cat->probes.n || cat->progress.n || cat->gaps.n || cat->facts.n
        || cat->viewers.n)
    {
        return;
    }

    cat->step = ngx_mntreamer_catalog_giveback(cat,
                                               ngx_mntreamer_catalog_given);

    if (cat->step == NULL) {
        ngx_mntreamer_catalog_arm(&cat->guard, 1);
    }
}


static void
ngx_mntreamer_catalog_drained(ngx_event_t *ev)
{
    ngx_mntreamer_ident_t    *ident = ev->data;
    ngx_mntreamer_catalog_t  *cat = ident->data;

    ngx_mntreamer_catalog_leave(cat, NGX_MNTREAMER_PQ_AWAY);
}


static void
ngx_mntreamer_catalog_given(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_catalog_t *cat = data;

    cat->step = NULL;

    ngx_mntreamer_catalog_leave(cat, result->rc);
}


static void
ngx_mntreamer_catalog_leave(ngx_mntreamer_catalog_t *cat, ngx_uint_t rc)
{
    ngx_mntreamer_catalog_done_pt  done;

    ngx_mntreamer_catalog_disarm(&cat->guard);

    if (cat->state != NGX_MNTREAMER_CATALOG_RELEASED) {
        ngx_mntreamer_catalog_to(cat, NGX_MNTREAMER_CATALOG_RELEASED);
    }

    done = cat->released;
    cat->released = NULL;

    if (done) {
        done(cat->released_data, rc);
    }
}
