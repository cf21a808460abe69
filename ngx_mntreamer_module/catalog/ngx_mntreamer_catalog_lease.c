
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Leases that are held are renewed all at once, three times in their term.
 * Nothing is lost because the database is away: only an answer that names
 * another owner says so.
 *
 * Strays are leases in our name that nobody here knows of: the answer of a
 * claim was lost, or the database came back with what it knew before.  They
 * are given back, or nobody would ask about their streamers until they expire.
 * Statements run in order, so what is known is complete when no claim waits
 * for its answer; one that a lost connection still carries, or that waits for
 * a lock there, is found by the looks that follow.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog_internal.h"


static void ngx_mntreamer_lease_timer(ngx_event_t *ev);
static ngx_msec_t ngx_mntreamer_lease_pause(ngx_mntreamer_catalog_t *cat);
static void ngx_mntreamer_lease_done(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_lease_returned(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_lease_known(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_pq_array_t *ids, ngx_mntreamer_pq_array_t *epochs);
static void ngx_mntreamer_lease_probed(ngx_queue_t *list,
    ngx_mntreamer_pq_array_t *ids, ngx_mntreamer_pq_array_t *epochs);
static void ngx_mntreamer_lease_strayed(void *data,
    const ngx_mntreamer_result_t *result);


enum {
    NGX_MNTREAMER_SQL_RENEW = 0,
    NGX_MNTREAMER_SQL_RETURN,
    NGX_MNTREAMER_SQL_STRAYS
};


static const ngx_mntreamer_sql_t  ngx_mntreamer_lease_sql[] = {

    /*
     * engine, term; streamers, epochs: is it held, is there such a streamer,
     * is it paused.  A row with an older epoch is of a database that came back
     * with what it knew before: whoever owned it then did so before us.  A
     * negative one is the recording of a streamer that was deleted: its lease
     * is its progress.
     */

    { "lease_renew",
      "WITH x AS ("
      " SELECT * FROM unnest($3::bigint[], $4::bigint[]) AS x (id, epoch)"
      "), u AS ("
      " UPDATE streamer_monitor m SET owner = $1::bigint, epoch = x.epoch,"
      " lease_until = now() + $2::bigint * interval '1 millisecond' FROM x"
      " WHERE m.streamer_id = x.id AND CASE WHEN m.epoch = x.epoch"
      " THEN m.owner = $1::bigint ELSE m.epoch < x.epoch END"
      " RETURNING m.streamer_id"
      "), r AS ("
      " UPDATE media_record r SET last_progress_at = now() FROM x"
      " WHERE x.id < 0 AND r.id = -x.id AND r.epoch = x.epoch"
      " AND r.status = 'recording'"
      " RETURNING r.id"
      ") SELECT x.id, x.epoch, coalesce(u.streamer_id, r.id) IS NOT NULL,"
      " m.streamer_id IS NOT NULL OR x.id < 0, NOT m.monitored"
      " FROM " NGX_MNTREAMER_CATALOG_LAZY ", x"
      " LEFT JOIN u ON u.streamer_id = x.id"
      " LEFT JOIN r ON r.id = -x.id"
      " LEFT JOIN streamer_monitor m ON m.streamer_id = x.id", 4, 5 },

    /* engine, streamer, epoch */

    { "lease_return",
      "WITH m AS ("
      " UPDATE streamer_monitor SET owner = NULL, lease_until = NULL,"
      " check_at = CASE WHEN isfinite(check_at)"
      " THEN least(check_at, now()) ELSE check_at END"
      " WHERE streamer_id = $2::bigint AND owner = $1::bigint"
      " AND epoch = $3::bigint"
      " RETURNING streamer_id"
      "), s AS ("
      " UPDATE streamer s SET status = 'idle' FROM m"
      " WHERE s.id = m.streamer_id AND s.status = 'process'"
      ") SELECT count(pg_notify('" NGX_MNTREAMER_CATALOG_CHANNEL "',"
      " 'release')) FROM m", 3, 1 },

    /*
     * engine; streamers, epochs that are known.  A row with an older epoch
     * than ours is one that the renewal takes back.
     */

    { "lease_strays",
      "WITH x AS MATERIALIZED ("
      " SELECT * FROM unnest($2::bigint[], $3::bigint[]) AS x (id, epoch)"
      "), m AS ("
      " UPDATE streamer_monitor m SET owner = NULL, lease_until = NULL,"
      " check_at = CASE WHEN isfinite(m.check_at)"
      " THEN least(m.check_at, now()) ELSE m.check_at END"
      " WHERE m.owner = $1::bigint AND NOT EXISTS (SELECT FROM x"
      " WHERE x.id = m.streamer_id AND x.epoch >= m.epoch)"
      " RETURNING m.streamer_id"
      "), s AS ("
      " UPDATE streamer s SET status = 'idle' FROM m"
      " WHERE s.id = m.streamer_id AND s.status = 'process'"
      ") SELECT (SELECT count(*) FROM m),"
      " (SELECT count(pg_notify('" NGX_MNTREAMER_CATALOG_CHANNEL "',"
      " 'release')) FROM (SELECT FROM m LIMIT 1) x)", 3, 2 }
};


void
ngx_mntreamer_catalog_lease_init(ngx_mntreamer_catalog_t *cat)
{
    ngx_mntreamer_gather_init(&cat->leases, cat, "leases", 0, NULL);
    ngx_mntreamer_catalog_event(cat, &cat->renew, ngx_mntreamer_lease_timer);
}


void
ngx_mntreamer_catalog_lease_hold(ngx_mntreamer_catalog_t *cat,
    int64_t streamer_id, int64_t epoch)
{
    ngx_mntreamer_lease_t  *lease;

    lease = ngx_calloc(sizeof(ngx_mntreamer_lease_t), cat->log);
    if (lease == NULL) {
        return;
    }

    lease->head.id = streamer_id;
    lease->epoch = epoch;

    ngx_mntreamer_gather_add(&cat->leases, &lease->head);

    if (cat->state == NGX_MNTREAMER_CATALOG_UP && !cat->renew.timer_set) {
        ngx_add_timer(&cat->renew, ngx_mntreamer_lease_pause(cat));
    }
}


void
ngx_mntreamer_catalog_lease_drop(ngx_mntreamer_catalog_t *cat,
    int64_t streamer_id)
{
    ngx_mntreamer_gathered_t  *row;

    row = ngx_mntreamer_gather_find(&cat->leases, streamer_id, 0);

    if (row) {
        ngx_mntreamer_gather_remove(&cat->leases, row);
        ngx_free(row);
    }
}


void
ngx_mntreamer_catalog_lease_return(ngx_mntreamer_catalog_t *cat,
    int64_t streamer_id, int64_t epoch)
{
    u_char                 buf[3][NGX_INT64_LEN];
    ngx_mntreamer_exec_t   ex;
    ngx_mntreamer_call_t  *call;

    ngx_mntreamer_catalog_lease_drop(cat, streamer_id);

    if (cat->state != NGX_MNTREAMER_CATALOG_UP) {

        /* it expires */
        return;
    }

    call = ngx_mntreamer_catalog_call(cat, NULL);
    if (call == NULL) {
        return;
    }

    ngx_mntreamer_catalog_exec_init(&ex,
                           &ngx_mntreamer_lease_sql[NGX_MNTREAMER_SQL_RETURN],
                           ngx_mntreamer_lease_returned, call);

    ex.params[0] = ngx_mntreamer_catalog_number(buf[0], cat->engine);
    ex.params[1] = ngx_mntreamer_catalog_number(buf[1], streamer_id);
    ex.params[2] = ngx_mntreamer_catalog_number(buf[2], epoch);

    call->st = ngx_mntreamer_pq_exec(cat->pq, &ex);

    if (call->st == NULL) {
        ngx_mntreamer_catalog_call_free(call);
    }
}


static void
ngx_mntreamer_lease_returned(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_catalog_call_free(data);
}


static ngx_msec_t
ngx_mntreamer_lease_pause(ngx_mntreamer_catalog_t *cat)
{
    return ngx_max(cat->conf->lease_ms / 3, 100);
}


static void
ngx_mntreamer_lease_timer(ngx_event_t *ev)
{
    ngx_mntreamer_ident_t *ident = ev->data;

    ngx_mntreamer_catalog_renew(ident->data);
}


void
ngx_mntreamer_catalog_renew(ngx_mntreamer_catalog_t *cat)
{
    u_char                     buf[2][NGX_INT64_LEN];
    ngx_pool_t                *pool;
    ngx_queue_t               *q;
    ngx_mntreamer_exec_t       ex;
    ngx_mntreamer_lease_t     *lease;
    ngx_mntreamer_pq_array_t   ids, epochs;

    if (cat->leases.n == 0 || cat->state != NGX_MNTREAMER_CATALOG_UP) {
        return;
    }

    ngx_mntreamer_catalog_arm(&cat->renew, ngx_mntreamer_lease_pause(cat));

    /* the database is slow: its answer is awaited, the next one comes */

    if (cat->renewal) {
        return;
    }

    pool = ngx_create_pool(4096, cat->log);
    if (pool == NULL) {
        return;
    }

    ngx_memzero(&ids, sizeof(ngx_mntreamer_pq_array_t));
    ngx_memzero(&epochs, sizeof(ngx_mntreamer_pq_array_t));
    ids.pool = pool;
    epochs.pool = pool;

    for (q = ngx_queue_head(&cat->leases.pending);
         q != ngx_queue_sentinel(&cat->leases.pending);
         q = ngx_queue_next(q))
    {
        lease = (ngx_mntreamer_lease_t *)
                    ngx_queue_data(q, ngx_mntreamer_gathered_t, queue);

        ngx_mntreamer_pq_array_i64(&ids, lease->head.id);
        ngx_mntreamer_pq_array_i64(&epochs, lease->epoch);
    }

    ngx_mntreamer_catalog_exec_init(&ex,
                            &ngx_mntreamer_lease_sql[NGX_MNTREAMER_SQL_RENEW],
                            ngx_mntreamer_lease_done, cat);

    ex.params[0] = ngx_mntreamer_catalog_number(buf[0], cat->engine);
    ex.params[1] = ngx_mntreamer_catalog_number(buf[1], cat->conf->lease_ms);
    ex.params[2] = ngx_mntreamer_pq_array_end(&ids);
    ex.params[3] = ngx_mntreamer_pq_array_end(&epochs);

    if (ex.params[2].data && ex.params[3].data) {
        cat->renewal = ngx_mntreamer_pq_exec(cat->pq, &ex);
    }

    ngx_destroy_pool(pool);
}


/*
 * A row that is not renewed was taken over, or its streamer was deleted; then
 * nobody else can own it, and its recording is to be ended in order.  So is
 * that of a paused one: the notification may not have reached us.
 */

static void
ngx_mntreamer_lease_done(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_catalog_t *cat = data;

    int64_t                 id;
    ngx_uint_t              i;
    ngx_mntreamer_lease_t  *lease;

    cat->renewal = NULL;

    if (result->rc != NGX_MNTREAMER_PQ_OK
        || cat->state != NGX_MNTREAMER_CATALOG_UP)
    {
        return;
    }

    for (i = 0; i < result->nrows; i++) {

        if (ngx_mntreamer_rows_bool(result->rows, i, 2)
            && !ngx_mntreamer_rows_bool(result->rows, i, 4))
        {
            continue;
        }

        id = ngx_mntreamer_rows_i64(result->rows, i, 0, 0);

        lease = (ngx_mntreamer_lease_t *)
                    ngx_mntreamer_gather_find(&cat->leases, id, 0);

        /* dropped since, or held under a new epoch */

        if (lease == NULL
            || lease->epoch != ngx_mntreamer_rows_i64(result->rows, i, 1, 0))
        {
            continue;
        }

        if (ngx_mntreamer_rows_bool(result->rows, i, 2)) {
            cat->handlers.stop(cat->handlers.data, id);
            continue;
        }

        ngx_mntreamer_catalog_lease_drop(cat, id);

        if (!ngx_mntreamer_rows_bool(result->rows, i, 3)) {
            cat->handlers.stop(cat->handlers.data, id);
            continue;
        }

        ngx_log_error(NGX_LOG_NOTICE, cat->log, 0,
                      "mntreamer: the lease of streamer %L is lost", id);

        ngx_mntreamer_metrics_add(cat->metrics, NGX_MNTREAMER_M_LEASES_LOST,
                                  0, 1);
        cat->handlers.lost(cat->handlers.data, id);
    }
}


void
ngx_mntreamer_catalog_strays(ngx_mntreamer_catalog_t *cat)
{
    u_char                     buf[NGX_INT64_LEN];
    ngx_pool_t                *pool;
    ngx_mntreamer_exec_t       ex;
    ngx_mntreamer_pq_array_t   ids, epochs;

    if (cat->looks == 0 || cat->strays || cat->claims
        || cat->state != NGX_MNTREAMER_CATALOG_UP)
    {
        return;
    }

    pool = ngx_create_pool(4096, cat->log);
    if (pool == NULL) {
        return;
    }

    ngx_memzero(&ids, sizeof(ngx_mntreamer_pq_array_t));
    ngx_memzero(&epochs, sizeof(ngx_mntreamer_pq_array_t));
    ids.pool = pool;
    epochs.pool = pool;

    ngx_mntreamer_lease_known(cat, &ids, &epochs);

    ngx_mntreamer_catalog_exec_init(&ex,
                           &ngx_mntreamer_lease_sql[NGX_MNTREAMER_SQL_STRAYS],
                           ngx_mntreamer_lease_strayed, cat);

    ex.params[0] = ngx_mntreamer_catalog_number(buf, cat->engine);
    ex.params[1] = ngx_mntreamer_pq_array_end(&ids);
    ex.params[2] = ngx_mntreamer_pq_array_end(&epochs);

    if (ex.params[1].data && ex.params[2].data) {
        cat->strays = ngx_mntreamer_pq_exec(cat->pq, &ex);
    }

    if (cat->strays) {
        cat->looks--;
    }

    ngx_destroy_pool(pool);
}


/* what is recorded, is being asked about, or was and is not written yet */

static void
ngx_mntreamer_lease_known(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_pq_array_t *ids, ngx_mntreamer_pq_array_t *epochs)
{
    ngx_queue_t            *q;
    ngx_mntreamer_lease_t  *lease;

    for (q = ngx_queue_head(&cat->leases.pending);
         q != ngx_queue_sentinel(&cat->leases.pending);
         q = ngx_queue_next(q))
    {
        lease = (ngx_mntreamer_lease_t *)
                    ngx_queue_data(q, ngx_mntreamer_gathered_t, queue);

        ngx_mntreamer_pq_array_i64(ids, lease->head.id);
        ngx_mntreamer_pq_array_i64(epochs, lease->epoch);
    }

    ngx_mntreamer_lease_probed(&cat->probes.pending, ids, epochs);
    ngx_mntreamer_lease_probed(&cat->probes.sent, ids, epochs);

    cat->handlers.claims(cat->handlers.data, ids, epochs);
}


static void
ngx_mntreamer_lease_probed(ngx_queue_t *list, ngx_mntreamer_pq_array_t *ids,
    ngx_mntreamer_pq_array_t *epochs)
{
    ngx_queue_t                     *q;
    ngx_mntreamer_gathered_probe_t  *g;

    for (q = ngx_queue_head(list);
         q != ngx_queue_sentinel(list);
         q = ngx_queue_next(q))
    {
        g = (ngx_mntreamer_gathered_probe_t *)
                ngx_queue_data(q, ngx_mntreamer_gathered_t, queue);

        ngx_mntreamer_pq_array_i64(ids, g->row.streamer_id);
        ngx_mntreamer_pq_array_i64(epochs, g->row.epoch);
    }
}


static void
ngx_mntreamer_lease_strayed(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_catalog_t *cat = data;

    int64_t  n;

    cat->strays = NULL;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        cat->looks = NGX_MNTREAMER_CATALOG_LOOKS;
        return;
    }

    n = ngx_mntreamer_rows_i64(result->rows, 0, 0, 0);

    if (n) {
        ngx_log_error(NGX_LOG_NOTICE, cat->log, 0,
                      "mntreamer: %L streamers were claimed in our name and "
                      "we never heard of it, they are given back", n);
    }
}
