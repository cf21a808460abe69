
/*
 * Copyright (C) the mntreamer authors
 */


/* claims of due streamers, and what their probes found */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog_internal.h"
#include "../platform/mnt_platform.h"


#define NGX_MNTREAMER_PROBED_ARRAYS  15
#define NGX_MNTREAMER_CLAIM_SOON     200


static ngx_int_t ngx_mntreamer_claim_ladder(const mnt_backoff_t *ladder,
    ngx_pool_t *pool, ngx_str_t *pauses, ngx_str_t *from);
static ngx_int_t ngx_mntreamer_claim_send(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_exec_t *ex, ngx_uint_t free, ngx_uint_t limit,
    ngx_mntreamer_claim_pt done, void *data);
static void ngx_mntreamer_claim_done(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_claim_read(const ngx_mntreamer_result_t *result,
    ngx_uint_t row, ngx_mntreamer_claim_t *claim);
static void ngx_mntreamer_claim_paused(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_result_t *result);


enum {
    NGX_MNTREAMER_SQL_CLAIM = 0,
    NGX_MNTREAMER_SQL_CLAIM_BROADCASTS,
    NGX_MNTREAMER_SQL_CLAIM_RECORDINGS,
    NGX_MNTREAMER_SQL_PROBED
};

/*
 * Misses are counted while a streamer is off the air.  The same column counts
 * the starts that failed while it is on it.
 */

#define NGX_MNTREAMER_CLAIM_STARTING                                          \
    "coalesce(m.last_outcome = 'live-not-playable', false)"


/* columns of a claim */

enum {
    NGX_MNTREAMER_CLAIM_ID = 0,
    NGX_MNTREAMER_CLAIM_PLATFORM,
    NGX_MNTREAMER_CLAIM_CHANNEL,
    NGX_MNTREAMER_CLAIM_NAME,
    NGX_MNTREAMER_CLAIM_QUALITY,
    NGX_MNTREAMER_CLAIM_PRIORITY,
    NGX_MNTREAMER_CLAIM_EPOCH,
    NGX_MNTREAMER_CLAIM_MISSES,
    NGX_MNTREAMER_CLAIM_STARTS,
    NGX_MNTREAMER_CLAIM_LATE,
    NGX_MNTREAMER_CLAIM_STREAMING,
    NGX_MNTREAMER_CLAIM_BROADCAST,
    NGX_MNTREAMER_CLAIM_RECORDING,
    NGX_MNTREAMER_CLAIM_PATH,
    NGX_MNTREAMER_CLAIM_SILENT,
    NGX_MNTREAMER_CLAIM_STORED,
    NGX_MNTREAMER_CLAIM_MONITORED,
    NGX_MNTREAMER_CLAIM_PAUSE,
    NGX_MNTREAMER_CLAIM_NEXT,
    NGX_MNTREAMER_CLAIM_COLUMNS
};


static const ngx_mntreamer_sql_t  ngx_mntreamer_streamer_sql[] = {

    /*
     * engine, platform, limit, lease; the ladder: pauses, the miss from which
     * on each counts, all misses, spread; then which leases are free.
     * "p" hops over the priorities that there are, so that each is one look
     * into the index however many streamers wait below it; the rows of "c"
     * come highest priority first and oldest first because both loops keep
     * their order.
     */

    { "streamer_claim",
      "WITH RECURSIVE p AS ("
      " SELECT max(priority) AS priority FROM streamer_monitor"
      " WHERE platform = $2::int AND monitored"
      " UNION ALL"
      " SELECT (SELECT max(m.priority) FROM streamer_monitor m"
      " WHERE m.platform = $2::int AND m.monitored"
      " AND m.priority < p.priority) FROM p WHERE p.priority IS NOT NULL"
      "), c AS MATERIALIZED ("
      " SELECT d.* FROM p CROSS JOIN LATERAL ("
      " SELECT m.streamer_id, m.priority, m.check_at,"
      " ($5::bigint[])[width_bucket(CASE WHEN " NGX_MNTREAMER_CLAIM_STARTING
      " THEN 0 ELSE m.miss_count END % $7::bigint, $6::bigint[])]"
      " * (1 + (2 * random() - 1) * $8::int / 100) AS pause"
      " FROM streamer_monitor m"
      " WHERE m.platform = $2::int AND m.monitored"
      " AND m.priority = p.priority AND m.check_at <= now()"
      " AND " NGX_MNTREAMER_CATALOG_FREE("$9", "$10", "$11")
      " ORDER BY m.check_at LIMIT $3::int FOR UPDATE SKIP LOCKED) d"
      " LIMIT $3::int"
      "), u AS ("
      " UPDATE streamer_monitor m SET owner = $1::bigint,"
      " epoch = " NGX_MNTREAMER_CATALOG_EPOCH ","
      " lease_until = now() + $4::bigint * interval '1 millisecond',"
      " check_at = now() + c.pause * interval '1 millisecond'"
      " FROM c WHERE m.streamer_id = c.streamer_id"
      " RETURNING m.streamer_id, m.epoch, m.miss_count, c.priority,"
      " c.check_at, c.pause, " NGX_MNTREAMER_CLAIM_STARTING " AS starting"
      "), n AS ("
      " SELECT ceil(extract(epoch FROM min(d.check_at) - now())"
      " * 1000)::bigint"
      " AS ms FROM p CROSS JOIN LATERAL ("
      " SELECT m.check_at FROM streamer_monitor m"
      " WHERE m.platform = $2::int AND m.monitored"
      " AND m.priority = p.priority AND m.check_at > now()"
      " AND m.check_at < 'infinity' ORDER BY m.check_at LIMIT 1) d"
      ") SELECT u.streamer_id, s.platform, s.channel_id,"
      " coalesce(s.channel_name, s.nickname), s.quality, u.priority, u.epoch,"
      " CASE WHEN u.starting THEN 0 ELSE u.miss_count END,"
      " CASE WHEN u.starting THEN u.miss_count ELSE 0 END,"
      " (date_part('epoch', now() - u.check_at) * 1000)::bigint,"
      " s.is_streaming, CASE WHEN s.is_streaming THEN s.live_broadcast_id END,"
      " NULL, NULL, NULL, false, true, u.pause::bigint, n.ms"
      " FROM " NGX_MNTREAMER_CATALOG_LAZY ", n"
      " LEFT JOIN (u JOIN streamer s ON s.id = u.streamer_id) ON true"
      " ORDER BY u.priority DESC, u.check_at", 11,
      NGX_MNTREAMER_CLAIM_COLUMNS },

    /*
     * engine, platform, limit, lease, node; which leases are free: own
     * channels whose broadcast reaches viewers of this node; is there a
     * recording of it, and be it one that was deleted, or was it not wanted
     * when it began
     */

    { "broadcast_claim",
      "WITH c AS MATERIALIZED ("
      " SELECT m.streamer_id, b.series,"
      " coalesce(m.check_at > b.relayed_at, false) AS since"
      " FROM broadcast b"
      " JOIN streamer_monitor m ON m.streamer_id = b.streamer_id"
      " WHERE b.ended_at IS NULL AND b.node = $5"
      " AND b.relay_clientid IS NOT NULL AND m.platform = $2::int"
      " AND m.monitored AND m.check_at <= now()"
      " AND " NGX_MNTREAMER_CATALOG_FREE("$6", "$7", "$8")
      " ORDER BY m.priority DESC, b.started_at"
      " LIMIT $3::int FOR UPDATE OF m SKIP LOCKED"
      "), u AS ("
      " UPDATE streamer_monitor m SET owner = $1::bigint,"
      " epoch = " NGX_MNTREAMER_CATALOG_EPOCH ","
      " lease_until = now() + $4::bigint * interval '1 millisecond',"
      " check_at = now() + interval '10 seconds'"
      " FROM c WHERE m.streamer_id = c.streamer_id"
      " RETURNING m.streamer_id, m.epoch, m.miss_count, m.priority,"
      " c.series, c.since, " NGX_MNTREAMER_CLAIM_STARTING " AS starting"
      ") SELECT s.id, s.platform, s.channel_id,"
      " coalesce(s.channel_name, s.nickname), s.quality, u.priority, u.epoch,"
      " 0, CASE WHEN u.starting THEN u.miss_count ELSE 0 END, 0, false,"
      " NULL, NULL, NULL, NULL, u.since OR EXISTS (SELECT FROM media_record r"
      " WHERE r.streamer_id = s.id AND r.broadcast_id = u.series),"
      " true, NULL, NULL"
      " FROM u JOIN streamer s ON s.id = u.streamer_id"
      " ORDER BY u.priority DESC", 8, NGX_MNTREAMER_CLAIM_COLUMNS },

    /*
     * engine, limit, lease; which leases are free; known platforms, storage,
     * node:
     * recordings in progress that nobody writes.  Both rows are locked: one
     * that ended meanwhile would hold its streamer for ever.  In "d" those
     * whose streamer was deleted and whose engine is gone, or which were left
     * to another machine: without a lease their epoch and their progress must
     * do.  "g": what a lost machine records in a storage of its own becomes
     * due; it is gone on with in a recording of ours.  What is sent to another
     * node lies there.
     */

    { "recording_claim",
      "WITH c AS MATERIALIZED ("
      " SELECT m.streamer_id, r.id FROM media_record r"
      " JOIN streamer_monitor m ON m.streamer_id = r.streamer_id"
      " WHERE r.status = 'recording' AND r.platform = ANY ($7::int[])"
      " AND (r.storage = $8 OR r.storage IS NULL OR $8 IS NULL)"
      " AND NOT EXISTS (SELECT FROM broadcast b"
      " WHERE b.streamer_id = r.streamer_id AND b.ended_at IS NULL"
      " AND b.node <> $9)"
      " AND " NGX_MNTREAMER_CATALOG_FREE("$4", "$5", "$6")
      " ORDER BY m.priority DESC, r.last_progress_at"
      " LIMIT $2::int FOR UPDATE OF m, r SKIP LOCKED"
      "), u AS ("
      " UPDATE streamer_monitor m SET owner = $1::bigint,"
      " epoch = " NGX_MNTREAMER_CATALOG_EPOCH ","
      " lease_until = now() + $3::bigint * interval '1 millisecond',"
      " check_at = 'infinity'"
      " FROM c WHERE m.streamer_id = c.streamer_id"
      " RETURNING m.streamer_id, c.id, m.epoch, m.miss_count"
      "), r AS ("
      " UPDATE media_record r SET epoch = u.epoch FROM u"
      " WHERE r.id = u.id AND r.status = 'recording'"
      " RETURNING r.*"
      "), s AS ("
      " UPDATE streamer s SET status = 'recording' FROM r"
      " WHERE s.id = r.streamer_id AND s.status <> 'recording'"
      "), o AS MATERIALIZED ("
      " SELECT id, last_progress_at AS at FROM media_record"
      " WHERE status = 'recording' AND streamer_id IS NULL"
      " AND platform = ANY ($7::int[])"
      " AND (storage = $8 OR storage IS NULL OR $8 IS NULL)"
      " AND last_progress_at < now() - CASE WHEN left_of IS NULL"
      " THEN interval '1 minute'"
      " ELSE $3::bigint * interval '2 milliseconds' END"
      " - $5::bigint * interval '1 millisecond'"
      " LIMIT $2::int FOR UPDATE SKIP LOCKED"
      "), g AS ("
      " UPDATE streamer_monitor m SET check_at = now() FROM media_record r"
      " WHERE r.status = 'recording' AND r.platform = ANY ($7::int[])"
      " AND r.storage <> $8 AND m.streamer_id = r.streamer_id"
      " AND m.monitored AND m.check_at > now()"
      " AND r.last_progress_at"
      " < now() - $3::bigint * interval '1 millisecond'"
      " AND " NGX_MNTREAMER_CATALOG_FREE("$4", "$5", "$6")
      " RETURNING pg_notify('" NGX_MNTREAMER_CATALOG_CHANNEL "', 'due')"
      "), d AS ("
      " UPDATE media_record m SET epoch = " NGX_MNTREAMER_CATALOG_EPOCH ","
      " last_progress_at = now() FROM o WHERE m.id = o.id"
      " RETURNING m.*, o.at"
      ") (SELECT s.id, s.platform, s.channel_id,"
      " coalesce(s.channel_name, s.nickname), s.quality, s.priority, u.epoch,"
      " u.miss_count, 0, 0, s.is_streaming, r.broadcast_id, r.id, r.path,"
      " (extract(epoch FROM now() - r.last_progress_at) * 1000)::bigint,"
      " r.segments > 0, s.monitored, NULL, NULL"
      " FROM r JOIN u ON u.id = r.id JOIN streamer s ON s.id = r.streamer_id"
      " ORDER BY s.priority DESC, r.last_progress_at)"
      " UNION ALL SELECT -d.id, d.platform, d.channel_id, d.channel_name,"
      " NULL, 0, d.epoch, 0, 0, 0, false, d.broadcast_id, d.id, d.path,"
      " (extract(epoch FROM now() - d.at) * 1000)::bigint, d.segments > 0,"
      " false, NULL, NULL"
      " FROM d", 9, NGX_MNTREAMER_CLAIM_COLUMNS },

    /*
     * engine; streamers, epochs, outcomes, reasons, misses, pauses (NULL: as
     * the claim planned it, which spares the indexes), keep; then for those
     * that are on the air: streamers, broadcasts, titles, categories, names,
     * images, openings, viewers.  Only what says whether it is on the air
     * changes that; a lease that is kept leaves a recording's times alone.
     */

    { "streamer_probed",
      "WITH r AS ("
      " SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::text[],"
      " $5::text[], $6::bigint[], $7::bigint[], $8::int[])"
      " AS r (id, epoch, outcome, reason, misses, next, keep)"
      "), f AS ("
      " SELECT * FROM unnest($9::bigint[], $10::text[], $11::text[],"
      " $12::text[], $13::text[], $14::text[], $15::bigint[],"
      " $16::bigint[])"
      " AS f (id, broadcast, title, category, name, image, opened, viewers)"
      "), u AS ("
      " UPDATE streamer_monitor m SET last_at = now(),"
      " last_outcome = r.outcome, last_reason = r.reason,"
      " miss_count = r.misses,"
      " check_at = CASE WHEN isfinite(m.check_at) AND r.next IS NULL"
      " OR NOT isfinite(m.check_at) AND r.keep = 1 THEN m.check_at"
      " ELSE now() + coalesce(r.next, 0) * interval '1 millisecond' END,"
      " owner = CASE WHEN r.keep = 1 THEN m.owner END,"
      " lease_until = CASE WHEN r.keep = 1 THEN m.lease_until END"
      " FROM r WHERE m.streamer_id = r.id"
      " AND CASE WHEN m.owner = $1::bigint THEN m.epoch = r.epoch END"
      " RETURNING m.streamer_id, r.outcome, r.keep"
      "), o AS ("
      " SELECT u.streamer_id, u.keep, f.*, f.id IS NOT NULL AS live,"
      " u.outcome IN ('offline', 'not-live', 'unknown-channel') AS off"
      " FROM u LEFT JOIN f ON f.id = u.streamer_id"
      "), s AS ("
      " UPDATE streamer s SET"
      " is_streaming = o.live OR (s.is_streaming AND NOT o.off),"
      " status = CASE WHEN o.keep = 0 AND s.status = 'process' THEN 'idle'"
      " WHEN o.keep = 1 AND s.status = 'idle' THEN 'process'"
      " ELSE s.status END,"
      " last_stream_at = CASE WHEN o.live THEN now()"
      " ELSE s.last_stream_at END,"
      " channel_name = coalesce(o.name, s.channel_name),"
      " live_broadcast_id = CASE WHEN o.live THEN o.broadcast"
      " WHEN NOT o.off THEN s.live_broadcast_id END,"
      " live_title = CASE WHEN o.live THEN o.title"
      " WHEN NOT o.off THEN s.live_title END,"
      " live_category = CASE WHEN o.live THEN o.category"
      " WHEN NOT o.off THEN s.live_category END,"
      " live_image = CASE WHEN o.live THEN o.image"
      " WHEN NOT o.off THEN s.live_image END,"
      " live_viewers = CASE WHEN o.live THEN o.viewers"
      " WHEN NOT o.off THEN s.live_viewers END,"
      " live_started_at = CASE WHEN o.live"
      " THEN coalesce(to_timestamp(o.opened / 1000.0),"
      " CASE WHEN s.is_streaming THEN s.live_started_at END, now())"
      " WHEN NOT o.off THEN s.live_started_at END"
      " FROM o JOIN (SELECT id FROM f"
      " UNION SELECT id FROM streamer WHERE is_streaming"
      " UNION SELECT id FROM streamer WHERE status <> 'idle') k"
      " ON k.id = o.streamer_id"
      " WHERE s.id = o.streamer_id AND (o.live"
      " OR s.is_streaming AND o.off OR s.status = 'process')"
      ") SELECT count(*) FROM u, " NGX_MNTREAMER_CATALOG_LAZY, 16, 1 }
};


ngx_int_t
ngx_mntreamer_catalog_claim(ngx_mntreamer_catalog_t *cat, ngx_int_t platform,
    ngx_uint_t limit, ngx_msec_t lease_ms, const mnt_backoff_t *ladder,
    ngx_uint_t spread_pct, ngx_mntreamer_claim_pt done, void *data)
{
    u_char                buf[6][NGX_INT64_LEN];
    ngx_int_t             rc;
    ngx_pool_t           *pool;
    ngx_mntreamer_exec_t  ex;

    pool = ngx_create_pool(1024, cat->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    ngx_mntreamer_catalog_exec_init(&ex,
                         &ngx_mntreamer_streamer_sql[NGX_MNTREAMER_SQL_CLAIM],
                         ngx_mntreamer_claim_done, NULL);

    ex.params[0] = ngx_mntreamer_catalog_number(buf[0], cat->engine);
    ex.params[1] = ngx_mntreamer_catalog_number(buf[1], platform);
    ex.params[2] = ngx_mntreamer_catalog_number(buf[2], limit);
    ex.params[3] = ngx_mntreamer_catalog_number(buf[3], lease_ms);
    ex.params[6] = ngx_mntreamer_catalog_number(buf[4], ladder->total);
    ex.params[7] = ngx_mntreamer_catalog_number(buf[5], spread_pct);

    rc = ngx_mntreamer_claim_ladder(ladder, pool, &ex.params[4],
                                    &ex.params[5]);

    if (rc == NGX_OK) {
        rc = ngx_mntreamer_claim_send(cat, &ex, 8, limit, done, data);
    }

    ngx_destroy_pool(pool);

    return rc;
}


/* the pauses, and the number of misses behind which each begins */

static ngx_int_t
ngx_mntreamer_claim_ladder(const mnt_backoff_t *ladder, ngx_pool_t *pool,
    ngx_str_t *pauses, ngx_str_t *from)
{
    unsigned                  i, n;
    ngx_mntreamer_pq_array_t  b[2];

    ngx_memzero(b, sizeof(b));
    b[0].pool = pool;
    b[1].pool = pool;

    for (i = 0, n = 0; i < ladder->n; i++) {
        ngx_mntreamer_pq_array_i64(&b[0], ladder->steps[i].wait_ms);
        ngx_mntreamer_pq_array_i64(&b[1], n);
        n += ladder->steps[i].times;
    }

    *pauses = ngx_mntreamer_pq_array_end(&b[0]);
    *from = ngx_mntreamer_pq_array_end(&b[1]);

    return (n && pauses->data && from->data) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_mntreamer_catalog_claim_recordings(ngx_mntreamer_catalog_t *cat,
    ngx_uint_t limit, ngx_mntreamer_claim_pt done, void *data)
{
    u_char                buf[3][NGX_INT64_LEN];
    ngx_mntreamer_exec_t  ex;

    ngx_mntreamer_catalog_exec_init(&ex,
              &ngx_mntreamer_streamer_sql[NGX_MNTREAMER_SQL_CLAIM_RECORDINGS],
              ngx_mntreamer_claim_done, NULL);

    ex.params[0] = ngx_mntreamer_catalog_number(buf[0], cat->engine);
    ex.params[1] = ngx_mntreamer_catalog_number(buf[1], limit);
    ex.params[2] = ngx_mntreamer_catalog_number(buf[2], cat->conf->lease_ms);
    ex.params[6] = cat->known;
    ex.params[7] = cat->storage;
    ex.params[8] = cat->conf->node;

    return ngx_mntreamer_claim_send(cat, &ex, 3, limit, done, data);
}


ngx_int_t
ngx_mntreamer_catalog_claim_broadcasts(ngx_mntreamer_catalog_t *cat,
    ngx_int_t platform, ngx_uint_t limit, ngx_msec_t lease_ms,
    ngx_mntreamer_claim_pt done, void *data)
{
    u_char                buf[4][NGX_INT64_LEN];
    ngx_mntreamer_exec_t  ex;

    ngx_mntreamer_catalog_exec_init(&ex,
              &ngx_mntreamer_streamer_sql[NGX_MNTREAMER_SQL_CLAIM_BROADCASTS],
              ngx_mntreamer_claim_done, NULL);

    ex.params[0] = ngx_mntreamer_catalog_number(buf[0], cat->engine);
    ex.params[1] = ngx_mntreamer_catalog_number(buf[1], platform);
    ex.params[2] = ngx_mntreamer_catalog_number(buf[2], limit);
    ex.params[3] = ngx_mntreamer_catalog_number(buf[3], lease_ms);
    ex.params[4] = cat->conf->node;

    return ngx_mntreamer_claim_send(cat, &ex, 5, limit, done, data);
}


/* "free": the parameter from which on it is told which leases are free */

static ngx_int_t
ngx_mntreamer_claim_send(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_exec_t *ex, ngx_uint_t free, ngx_uint_t limit,
    ngx_mntreamer_claim_pt done, void *data)
{
    u_char                 buf[2][NGX_INT64_LEN];
    int64_t                grace_ms, longer_ms;
    ngx_pool_t            *pool;
    ngx_mntreamer_call_t  *call;

    if (cat->state != NGX_MNTREAMER_CATALOG_UP || limit == 0) {
        return NGX_ERROR;
    }

    pool = ngx_create_pool(1024, cat->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    call = ngx_mntreamer_catalog_call(cat, data);
    if (call == NULL) {
        goto done;
    }

    /* the answer tells when the next is due: it must know what was found */

    ngx_mntreamer_gather_flush(&cat->probes);

    call->limit = limit;
    call->partial = (cat->probes.n != 0);
    call->handler.claim = done;

    ex->data = call;
    ex->params[free] = ngx_mntreamer_catalog_alive(cat, pool, &grace_ms,
                                                   &longer_ms);
    ex->params[free + 1] = ngx_mntreamer_catalog_number(buf[0], grace_ms);
    ex->params[free + 2] = ngx_mntreamer_catalog_number(buf[1], longer_ms);

    if (ex->params[free].data) {
        call->st = ngx_mntreamer_pq_exec(cat->pq, ex);
    }

    if (call->st == NULL) {
        ngx_mntreamer_catalog_call_free(call);
        call = NULL;

    } else {
        cat->claims++;
    }

done:

    ngx_destroy_pool(pool);

    return call ? NGX_OK : NGX_ERROR;
}


static void
ngx_mntreamer_claim_done(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_call_t *call = data;

    void                     *handler_data;
    int64_t                   next;
    ngx_uint_t                i, n;
    ngx_mntreamer_claim_t    *claims;
    ngx_mntreamer_claim_pt    handler;
    ngx_mntreamer_catalog_t  *cat;

    cat = call->cat;
    handler = call->handler.claim;
    handler_data = call->data;

    cat->claims--;

    /* it may have been carried out */

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        cat->looks = NGX_MNTREAMER_CATALOG_LOOKS;
    }

    n = 0;
    next = -1;
    claims = NULL;

    if (result->rc == NGX_MNTREAMER_PQ_OK && result->nrows) {
        next = ngx_mntreamer_rows_i64(result->rows, 0,
                                      NGX_MNTREAMER_CLAIM_NEXT, -1);

        claims = ngx_alloc(result->nrows * sizeof(ngx_mntreamer_claim_t),
                           cat->log);

        for (i = 0; claims && i < result->nrows; i++) {
            if (ngx_mntreamer_rows_i64(result->rows, i,
                                       NGX_MNTREAMER_CLAIM_ID, 0))
            {
                ngx_mntreamer_claim_read(result, i, &claims[n++]);
            }
        }

        /* there may be more that are due */

        if (n == call->limit) {
            next = 0;

        } else if (call->partial
                   && (next < 0 || next > NGX_MNTREAMER_CLAIM_SOON))
        {
            next = NGX_MNTREAMER_CLAIM_SOON;
        }
    }

    ngx_mntreamer_catalog_call_free(call);

    handler(handler_data, result->rc, claims, n, next);

    if (claims) {
        ngx_free(claims);
    }

    if (n) {
        ngx_mntreamer_claim_paused(cat, result);
    }
}


static void
ngx_mntreamer_claim_read(const ngx_mntreamer_result_t *result, ngx_uint_t row,
    ngx_mntreamer_claim_t *claim)
{
    ngx_mntreamer_rows_t  *rows;

    rows = result->rows;

#define ngx_mntreamer_claim_n(column)                                         \
    ngx_mntreamer_rows_i64(rows, row, NGX_MNTREAMER_CLAIM_##column, 0)
#define ngx_mntreamer_claim_s(column)                                         \
    ngx_mntreamer_rows_get(rows, row, NGX_MNTREAMER_CLAIM_##column)

    claim->streamer_id = ngx_mntreamer_claim_n(ID);
    claim->platform = (ngx_int_t) ngx_mntreamer_claim_n(PLATFORM);
    claim->channel_id = ngx_mntreamer_claim_s(CHANNEL);
    claim->channel_name = ngx_mntreamer_claim_s(NAME);
    claim->quality = ngx_mntreamer_claim_s(QUALITY);
    claim->priority = (ngx_int_t) ngx_mntreamer_claim_n(PRIORITY);
    claim->epoch = ngx_mntreamer_claim_n(EPOCH);
    claim->misses = (uint64_t) ngx_mntreamer_claim_n(MISSES);
    claim->starts = (uint64_t) ngx_mntreamer_claim_n(STARTS);
    claim->late_ms = ngx_mntreamer_claim_n(LATE);
    claim->pause_ms = ngx_mntreamer_claim_n(PAUSE);
    claim->streaming = ngx_mntreamer_rows_bool(rows, row,
                                           NGX_MNTREAMER_CLAIM_STREAMING) & 1;
    claim->broadcast_id = ngx_mntreamer_claim_s(BROADCAST);
    claim->recording_id = ngx_mntreamer_claim_n(RECORDING);
    claim->path = ngx_mntreamer_claim_s(PATH);
    claim->silent_ms = ngx_mntreamer_claim_n(SILENT);
    claim->stored = ngx_mntreamer_rows_bool(rows, row,
                                            NGX_MNTREAMER_CLAIM_STORED);

#undef ngx_mntreamer_claim_n
#undef ngx_mntreamer_claim_s
}


/* recordings of paused and deleted streamers: only to be ended in order */

static void
ngx_mntreamer_claim_paused(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_result_t *result)
{
    ngx_uint_t  i;

    for (i = 0; i < result->nrows; i++) {
        if (!ngx_mntreamer_rows_bool(result->rows, i,
                                     NGX_MNTREAMER_CLAIM_MONITORED))
        {
            cat->handlers.stop(cat->handlers.data,
                               ngx_mntreamer_rows_i64(result->rows, i,
                                                 NGX_MNTREAMER_CLAIM_ID, 0));
        }
    }
}


void
ngx_mntreamer_catalog_probed(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_probe_row_t *row)
{
    u_char                          *p;
    ngx_mntreamer_gathered_probe_t  *g;

    g = ngx_alloc(sizeof(ngx_mntreamer_gathered_probe_t) + row->reason.len
                  + ngx_mntreamer_gather_facts_len(&row->facts), cat->log);
    if (g == NULL) {
        return;
    }

    g->head.id = row->streamer_id;
    g->head.number = 0;
    g->row = *row;
    g->since = ngx_current_msec;

    p = (u_char *) g + sizeof(ngx_mntreamer_gathered_probe_t);
    p = ngx_mntreamer_gather_text(p, &g->row.reason, &row->reason);
    (void) ngx_mntreamer_gather_facts(p, &g->row.facts, &row->facts);

    ngx_mntreamer_gather_add(&cat->probes, &g->head);
}


ngx_int_t
ngx_mntreamer_catalog_probes_write(ngx_mntreamer_catalog_t *cat)
{
    u_char                           buf[NGX_INT64_LEN];
    int64_t                          next;
    ngx_str_t                        text;
    ngx_uint_t                       i, failed;
    ngx_pool_t                      *pool;
    ngx_queue_t                     *q;
    ngx_mntreamer_exec_t             ex;
    ngx_mntreamer_pq_array_t         b[NGX_MNTREAMER_PROBED_ARRAYS];
    ngx_mntreamer_probe_row_t       *row;
    ngx_mntreamer_gathered_probe_t  *g;

    pool = ngx_create_pool(4096, cat->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(b, sizeof(b));

    for (i = 0; i < NGX_MNTREAMER_PROBED_ARRAYS; i++) {
        b[i].pool = pool;
    }

    for (q = ngx_queue_head(&cat->probes.sent);
         q != ngx_queue_sentinel(&cat->probes.sent);
         q = ngx_queue_next(q))
    {
        g = (ngx_mntreamer_gathered_probe_t *)
                ngx_queue_data(q, ngx_mntreamer_gathered_t, queue);
        row = &g->row;
        next = row->next_ms - (int64_t) (ngx_current_msec - g->since);

        text.data = (u_char *) mnt_probe_name(row->outcome);
        text.len = ngx_strlen(text.data);

        ngx_mntreamer_pq_array_i64(&b[0], row->streamer_id);
        ngx_mntreamer_pq_array_i64(&b[1], row->epoch);
        ngx_mntreamer_pq_array_text(&b[2], &text);
        ngx_mntreamer_pq_array_text(&b[3], &row->reason);
        ngx_mntreamer_pq_array_i64(&b[4], (int64_t)
                                    ngx_min(row->misses, INT64_MAX));

        if (row->planned) {
            ngx_mntreamer_pq_array_null(&b[5]);

        } else {
            ngx_mntreamer_pq_array_i64(&b[5], ngx_max(next, 0));
        }

        ngx_mntreamer_pq_array_i64(&b[6], row->keep ? 1 : 0);

        if (row->outcome == MNT_PROBE_LIVE
            || row->outcome == MNT_PROBE_LIVE_NOT_PLAYABLE)
        {
            ngx_mntreamer_pq_array_i64(&b[7], row->streamer_id);
            ngx_mntreamer_gather_facts_put(&b[8], &row->facts);
        }
    }

    ngx_mntreamer_catalog_exec_init(&ex,
                        &ngx_mntreamer_streamer_sql[NGX_MNTREAMER_SQL_PROBED],
                        ngx_mntreamer_gather_done, &cat->probes);

    ex.keep = 1;
    ex.params[0] = ngx_mntreamer_catalog_number(buf, cat->engine);
    failed = 0;

    for (i = 0; i < NGX_MNTREAMER_PROBED_ARRAYS; i++) {
        ex.params[i + 1] = ngx_mntreamer_pq_array_end(&b[i]);
        failed |= (ex.params[i + 1].data == NULL);
    }

    cat->probes.st = failed ? NULL : ngx_mntreamer_pq_exec(cat->pq, &ex);

    ngx_destroy_pool(pool);

    return cat->probes.st ? NGX_OK : NGX_ERROR;
}
