
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Recordings: their begin and end, and what is gathered in between.  They are
 * fenced by the epoch of the lease in their own row, so that the recording of
 * a streamer that was deleted can still be ended.  Gaps and facts may come
 * behind the end, which overtakes them while the database is away.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog_internal.h"


#define NGX_MNTREAMER_RECORDING_ARRAYS  10
#define NGX_MNTREAMER_RECORDING_TITLES  32    /* kept of one recording */


static void ngx_mntreamer_recording_opened(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_recording_finished(void *data,
    const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_mntreamer_recording_send(ngx_mntreamer_gather_t *g,
    const ngx_mntreamer_sql_t *sql, ngx_uint_t arrays, ngx_uint_t engine);
static void ngx_mntreamer_progress_done(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_progress_put(ngx_mntreamer_pq_array_t *b,
    ngx_mntreamer_gathered_t *row);
static void ngx_mntreamer_gap_put(ngx_mntreamer_pq_array_t *b,
    ngx_mntreamer_gathered_t *row);
static void ngx_mntreamer_facts_put(ngx_mntreamer_pq_array_t *b,
    ngx_mntreamer_gathered_t *row);
static void ngx_mntreamer_viewers_put(ngx_mntreamer_pq_array_t *b,
    ngx_mntreamer_gathered_t *row);


enum {
    NGX_MNTREAMER_SQL_OPEN = 0,
    NGX_MNTREAMER_SQL_PROGRESS,
    NGX_MNTREAMER_SQL_GAPS,
    NGX_MNTREAMER_SQL_FACTS,
    NGX_MNTREAMER_SQL_VIEWERS,
    NGX_MNTREAMER_SQL_FINISH,
    NGX_MNTREAMER_SQL_LEAVE
};


static const ngx_mntreamer_sql_t  ngx_mntreamer_recording_sql[] = {

    /*
     * No row: the lease is not held any more.  What tells addresses apart in
     * paths begins like what the API shows of them, and is keyed as that is:
     * nobody finds out what is hidden, or makes two that are alike.
     */

    { "recording_open",
      "SELECT recording, number, directory, again, again AND coalesce((SELECT"
      " segments > 0 FROM media_record WHERE id = recording), false)"
      " FROM mntreamer_recording_open($1::bigint, $2::bigint, $3::bigint,"
      " $4::text, $5::text, $6::text, $7::text, $8::bigint, $9::text,"
      " $10::date, replace($11::text, chr(3), coalesce((SELECT"
      " left(encode(sha256(convert_to(k.key || s.channel_id, 'UTF8')), 'hex'),"
      " 32) FROM mark_key k, streamer s WHERE s.id = $2::bigint), '')),"
      " $12::bigint, $13::text)", 13, 5 },

    /*
     * recordings, epochs, segments, bytes, durations, gaps, lost, streamers;
     * then the engine.  A database that came back with older data may have
     * forgotten the row of a streamer that is ours still: it is set free, to
     * be opened again.
     */

    { "recording_progress",
      "WITH x AS ("
      " SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[],"
      " $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])"
      " AS x (id, epoch, segments, bytes, duration_us, gaps, lost_us,"
      " streamer)"
      "), u AS ("
      " UPDATE media_record r SET segments = x.segments, bytes = x.bytes,"
      " duration_us = x.duration_us, gaps = x.gaps, lost_us = x.lost_us,"
      " last_progress_at = CASE WHEN r.bytes IS DISTINCT FROM x.bytes"
      " THEN now() ELSE r.last_progress_at END"
      " FROM x, " NGX_MNTREAMER_CATALOG_LAZY
      " WHERE r.id = x.id"
      " AND CASE WHEN r.epoch = x.epoch THEN r.status = 'recording' END"
      "), f AS ("
      " UPDATE streamer_monitor m SET owner = NULL, lease_until = NULL,"
      " check_at = now() FROM x WHERE m.streamer_id = x.streamer"
      " AND CASE WHEN m.owner = $9::bigint THEN m.epoch = x.epoch END"
      " AND NOT EXISTS (SELECT FROM media_record r"
      " WHERE r.id = x.id AND r.epoch = x.epoch)"
      " RETURNING m.streamer_id"
      ") SELECT f.streamer_id,"
      " pg_notify('" NGX_MNTREAMER_CATALOG_CHANNEL "', 'due') FROM f",
      9, 2 },

    /*
     * recordings, epochs, numbers, tracks, reasons, firsts, segments, lost,
     * places; the row is locked, so that its epoch stays what it was found to
     * be; one without segments is no gap after all
     */

    { "recording_gap",
      "WITH x AS ("
      " SELECT x.* FROM unnest($1::bigint[], $2::bigint[], $3::bigint[],"
      " $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[],"
      " $9::bigint[])"
      " AS x (id, epoch, number, track, reason, first, segments, lost, at)"
      " JOIN media_record r ON r.id = x.id AND r.epoch = x.epoch"
      " FOR SHARE OF r"
      "), d AS ("
      " DELETE FROM media_gap g USING x WHERE x.segments = 0"
      " AND g.recording_id = x.id AND g.number = x.number"
      ") INSERT INTO media_gap AS g (recording_id, number, track, reason,"
      " first_sequence, segments, lost_us, at_us)"
      " SELECT x.id, x.number, x.track, x.reason, x.first, x.segments, x.lost,"
      " x.at FROM x WHERE x.segments > 0"
      " ON CONFLICT (recording_id, number) DO UPDATE"
      " SET track = excluded.track, segments = excluded.segments,"
      " lost_us = excluded.lost_us, reason = excluded.reason,"
      " first_sequence = excluded.first_sequence,"
      " at_us = excluded.at_us", 9, 0 },

    /*
     * recordings, epochs, broadcasts, titles, categories, names, images,
     * openings, viewers, when the titles were noticed: at least a millisecond
     * behind each other, which tells them apart.  An unknown fact leaves what
     * was known.  "h": titles that are not stored yet (the statement may
     * be repeated), in the order in which they came; "g": is it the same as
     * the one before; then there is nothing to be written.
     */

    { "recording_facts",
      "WITH x AS ("
      " SELECT *, max(noticed - n * interval '1 ms')"
      " OVER (PARTITION BY id ORDER BY n) + n * interval '1 ms' AS at"
      " FROM (SELECT *, least(now(), to_timestamp(ms / 1000.0)) AS noticed"
      " FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[],"
      " $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[],"
      " $10::bigint[]) WITH ORDINALITY AS x (id, epoch, broadcast, title,"
      " category, name, image, opened, viewers, ms, n)) x"
      "), y AS ("
      " SELECT DISTINCT ON (id) * FROM x ORDER BY id, n DESC"
      "), r AS ("
      " UPDATE media_record r SET title = coalesce(y.title, r.title),"
      " category = coalesce(y.category, r.category),"
      " channel_name = coalesce(r.channel_name, y.name) FROM y"
      " WHERE r.id = y.id AND r.epoch = y.epoch AND r.status <> 'deleted'"
      " RETURNING r.streamer_id, r.status, r.title AS t, r.category AS c, y.*"
      "), s AS ("
      " UPDATE streamer s SET is_streaming = true, last_stream_at = now(),"
      " channel_name = coalesce(r.name, s.channel_name),"
      " live_broadcast_id = coalesce(r.broadcast, s.live_broadcast_id),"
      " live_title = coalesce(r.title, s.live_title),"
      " live_category = coalesce(r.category, s.live_category),"
      " live_image = coalesce(r.image, s.live_image),"
      " live_viewers = coalesce(r.viewers, s.live_viewers),"
      " live_started_at = coalesce(to_timestamp(r.opened / 1000.0),"
      " s.live_started_at, now())"
      " FROM r WHERE s.id = r.streamer_id AND r.status = 'recording'"
      "), h AS ("
      " SELECT x.id, x.n, x.at, x.viewers, coalesce(x.title, r.t) AS t,"
      " coalesce(x.category, r.c) AS c, l.at AS last, l.title AS lt,"
      " l.category AS lc"
      " FROM r JOIN x ON x.id = r.id AND x.epoch = r.epoch"
      " LEFT JOIN LATERAL (SELECT * FROM media_title t"
      " WHERE t.recording_id = r.id ORDER BY t.at DESC LIMIT 1) l ON true"
      " WHERE NOT EXISTS (SELECT FROM media_title t"
      " WHERE t.recording_id = x.id AND t.at = x.at)"
      "), g AS ("
      " SELECT h.*, row_number() OVER w AS nth,"
      " CASE WHEN row_number() OVER w > 1"
      " THEN (lag(t) OVER w, lag(c) OVER w) IS NOT DISTINCT FROM (t, c)"
      " ELSE last IS NOT NULL AND (lt, lc) IS NOT DISTINCT FROM (t, c)"
      " END AS same FROM h WINDOW w AS (PARTITION BY id ORDER BY n)"
      ") INSERT INTO media_title (recording_id, at, title, category, viewers)"
      " SELECT g.id,"
      " greatest(g.at, g.last + g.nth * interval '1 ms'), g.t, g.c,"
      " g.viewers FROM g WHERE NOT g.same AND coalesce(g.t, g.c) IS NOT NULL"
      " ON CONFLICT DO NOTHING", 10, 0 },

    /* recordings, epochs, times, viewers */

    { "recording_viewers",
      "INSERT INTO media_viewers (recording_id, at, viewers)"
      " SELECT x.id, least(now(), to_timestamp(x.ms / 1000.0)), x.viewers"
      " FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])"
      " AS x (id, epoch, ms, viewers)"
      " JOIN media_record r ON r.id = x.id AND r.epoch = x.epoch, "
      NGX_MNTREAMER_CATALOG_LAZY
      " FOR KEY SHARE OF r"
      " ON CONFLICT DO NOTHING", 4, 0 },

    /*
     * engine, streamer, epoch, recording, segments, bytes, duration, gaps,
     * lost, pause, end, path, storage, gone.  A second time it finds nothing
     * to do.  Without numbers those of the row are kept: nothing was read from
     * the disk.  It counts for its streamer whoever has the lease by now.
     * CASE: the streamer is written here before the function writes it.
     */

    { "recording_finish",
      "WITH x AS ("
      " DELETE FROM media_record WHERE id = $4::bigint AND epoch = $3::bigint"
      " AND status = 'recording' AND segments = 0 AND $5::bigint = 0"
      "), r AS ("
      " UPDATE media_record r SET counted = true,"
      " status = CASE WHEN $14::int = 1 THEN 'deleted' ELSE 'recorded' END,"
      " removed_at = CASE WHEN $14::int = 1 THEN now() END,"
      " deleted_at = CASE WHEN $14::int = 1 THEN now() END,"
      " deleted_why = CASE WHEN $14::int = 1 THEN 'gone' END,"
      " streamer_id = coalesce(r.streamer_id,"
      " (SELECT id FROM streamer WHERE id = r.left_of)),"
      " segments = CASE WHEN $5::bigint > 0 THEN $5::bigint"
      " ELSE r.segments END,"
      " bytes = CASE WHEN $5::bigint > 0 THEN $6::bigint ELSE r.bytes END,"
      " duration_us = CASE WHEN $5::bigint > 0 THEN $7::bigint"
      " ELSE r.duration_us END,"
      " gaps = CASE WHEN $5::bigint > 0 THEN $8::bigint ELSE r.gaps END,"
      " lost_us = CASE WHEN $5::bigint > 0 THEN $9::bigint"
      " ELSE r.lost_us END,"
      " last_progress_at = now(),"
      " ended_at = greatest(r.started_at,"
      " least(now(), to_timestamp($11::bigint / 1000.0)))"
      " WHERE r.id = $4::bigint AND r.epoch = $3::bigint"
      " AND r.status = 'recording'"
      " AND (r.segments > 0 OR $5::bigint > 0)"
      " RETURNING r.id, r.streamer_id, r.ended_at"
      "), c AS ("
      " SELECT r.streamer_id, r.ended_at, NOT m.counted AS first FROM r"
      " JOIN media_record m ON m.id = r.id"
      "), m AS ("
      " UPDATE streamer_monitor m SET owner = NULL, lease_until = NULL,"
      " check_at = now() + $10::bigint * interval '1 millisecond'"
      " WHERE m.streamer_id = $2::bigint AND m.owner = $1::bigint"
      " AND m.epoch = $3::bigint"
      " RETURNING m.streamer_id, m.monitored"
      "), s AS ("
      " UPDATE streamer s SET"
      " status = CASE WHEN m.streamer_id IS NULL THEN s.status"
      " ELSE 'idle' END,"
      " is_streaming = s.is_streaming AND coalesce(m.monitored, true),"
      " recorded = s.recorded + coalesce(c.first::int, 0),"
      " last_recorded_at = greatest(s.last_recorded_at, c.ended_at),"
      " last_stream_at = greatest(s.last_stream_at, c.ended_at)"
      " FROM m FULL JOIN c ON c.streamer_id = m.streamer_id"
      " WHERE s.id = coalesce(m.streamer_id, c.streamer_id) RETURNING s.id"
      ") SELECT (SELECT count(*) FROM m),"
      " CASE WHEN (SELECT count(*) FROM s) >= 0 THEN"
      " mntreamer_recording_forgotten($4,"
      " $2, $3, least(now(), to_timestamp($11::bigint / 1000.0)),"
      " $5 * (1 - $14::int), $6, $7, $8, $9, $12, $13) END", 14, 2 },

    /*
     * engine, streamer, epoch, recording, pause.  The row stays in progress
     * without a streamer, as one of a machine that was lost does.
     */

    { "recording_leave",
      "WITH r AS ("
      " UPDATE media_record r SET streamer_id = NULL, left_of = r.streamer_id,"
      " counted = true, last_progress_at = now()"
      " WHERE r.id = $4::bigint AND r.epoch = $3::bigint"
      " AND r.status = 'recording' AND r.streamer_id = $2::bigint"
      " RETURNING r.id"
      "), c AS ("
      " SELECT $2::bigint AS id, NOT m.counted AS first FROM r"
      " JOIN media_record m ON m.id = r.id"
      "), m AS ("
      " UPDATE streamer_monitor m SET owner = NULL, lease_until = NULL,"
      " check_at = now() + $5::bigint * interval '1 millisecond'"
      " WHERE m.streamer_id = $2::bigint AND m.owner = $1::bigint"
      " AND m.epoch = $3::bigint"
      " RETURNING m.streamer_id, m.monitored"
      "), s AS ("
      " UPDATE streamer s SET"
      " status = CASE WHEN m.streamer_id IS NULL THEN s.status"
      " ELSE 'idle' END,"
      " is_streaming = s.is_streaming AND coalesce(m.monitored, true),"
      " recorded = s.recorded + coalesce(c.first::int, 0)"
      " FROM m FULL JOIN c ON c.id = m.streamer_id"
      " WHERE s.id = coalesce(m.streamer_id, c.id)"
      ") SELECT (SELECT count(*) FROM m)", 5, 1 }
};


ngx_int_t
ngx_mntreamer_catalog_recording_open(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_opening_t *opening, ngx_mntreamer_opened_pt done,
    void *data)
{
    u_char                 buf[5][NGX_INT64_LEN], *p, *text;
    ngx_str_t              quality;
    ngx_mntreamer_exec_t   ex;
    ngx_mntreamer_call_t  *call;
    ngx_mntreamer_facts_t  facts;

    if (cat->state != NGX_MNTREAMER_CATALOG_UP) {
        return NGX_ERROR;
    }

    text = ngx_alloc(ngx_mntreamer_gather_facts_len(&opening->facts)
                     + opening->quality.len + 1, cat->log);
    call = text ? ngx_mntreamer_catalog_call(cat, data) : NULL;

    if (call == NULL) {
        ngx_free(text);
        return NGX_ERROR;
    }

    /* what the probe found comes first */

    ngx_mntreamer_gather_flush(&cat->probes);

    p = ngx_mntreamer_gather_facts(text, &facts, &opening->facts);
    (void) ngx_mntreamer_gather_text(p, &quality, &opening->quality);

    call->handler.opened = done;

    ngx_mntreamer_catalog_exec_init(&ex,
                         &ngx_mntreamer_recording_sql[NGX_MNTREAMER_SQL_OPEN],
                         ngx_mntreamer_recording_opened, call);

    ex.params[0] = ngx_mntreamer_catalog_number(buf[0], cat->engine);
    ex.params[1] = ngx_mntreamer_catalog_number(buf[1], opening->streamer_id);
    ex.params[2] = ngx_mntreamer_catalog_number(buf[2], opening->epoch);
    ex.params[3] = facts.broadcast_id;
    ex.params[4] = facts.title;
    ex.params[5] = facts.category;
    ex.params[6] = facts.channel_name;

    if (facts.viewers >= 0) {
        ex.params[7] = ngx_mntreamer_catalog_number(buf[3], facts.viewers);
    }

    ex.params[8] = quality;
    ex.params[9] = opening->day;
    ex.params[10] = opening->path;
    ex.params[11] = ngx_mntreamer_catalog_number(buf[4], opening->resume_ms);
    ex.params[12] = cat->storage;

    call->st = ngx_mntreamer_pq_exec(cat->pq, &ex);

    ngx_free(text);

    if (call->st == NULL) {
        ngx_mntreamer_catalog_call_free(call);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_mntreamer_recording_opened(void *data,
    const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_call_t *call = data;

    void                     *handler_data;
    ngx_mntreamer_opened_t    opened;
    ngx_mntreamer_opened_pt   handler;

    handler = call->handler.opened;
    handler_data = call->data;

    ngx_memzero(&opened, sizeof(ngx_mntreamer_opened_t));

    opened.rc = result->rc;

    if (result->rc == NGX_MNTREAMER_PQ_OK) {
        if (result->nrows) {
            opened.recording_id = ngx_mntreamer_rows_i64(result->rows, 0, 0,
                                                         0);
            opened.sequence = (ngx_uint_t)
                              ngx_mntreamer_rows_i64(result->rows, 0, 1, 0);
            opened.path = ngx_mntreamer_rows_get(result->rows, 0, 2);
            opened.resumed = ngx_mntreamer_rows_bool(result->rows, 0, 3);
            opened.stored = ngx_mntreamer_rows_bool(result->rows, 0, 4);

        } else {
            opened.rc = NGX_MNTREAMER_PQ_FAILED;
        }

    } else if (result->rc == NGX_MNTREAMER_PQ_FAILED) {

        /* FAILED means "fenced" to the recorder: a fault of ours is not */

        opened.rc = NGX_MNTREAMER_PQ_CONSTRAINT;
    }

    ngx_mntreamer_catalog_call_free(call);

    handler(handler_data, &opened);
}


void
ngx_mntreamer_catalog_recording_progress(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_progress_t *progress)
{
    ngx_mntreamer_gathered_progress_t  *g;

    g = ngx_calloc(sizeof(ngx_mntreamer_gathered_progress_t), cat->log);
    if (g == NULL) {
        return;
    }

    g->head.id = progress->recording_id;
    g->progress = *progress;

    ngx_mntreamer_gather_add(&cat->progress, &g->head);
}


ngx_int_t
ngx_mntreamer_catalog_gap(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_gap_row_t *gap)
{
    ngx_mntreamer_gathered_gap_t  *g;

    g = ngx_calloc(sizeof(ngx_mntreamer_gathered_gap_t) + gap->track.len,
                   cat->log);
    if (g == NULL) {
        return NGX_ERROR;
    }

    g->head.id = gap->recording_id;
    g->head.number = (int64_t) gap->number;
    g->gap = *gap;

    (void) ngx_mntreamer_gather_text((u_char *) g
                                     + sizeof(ngx_mntreamer_gathered_gap_t),
                                     &g->track, &gap->track);

    ngx_mntreamer_gather_add(&cat->gaps, &g->head);

    return NGX_OK;
}


void
ngx_mntreamer_catalog_facts(ngx_mntreamer_catalog_t *cat, int64_t recording_id,
    int64_t epoch, const ngx_mntreamer_facts_t *facts)
{
    int64_t                          number, first;
    ngx_mntreamer_gathered_t        *row;
    ngx_mntreamer_gathered_facts_t  *g, *last;

    g = ngx_calloc(sizeof(ngx_mntreamer_gathered_facts_t)
                   + ngx_mntreamer_gather_facts_len(facts), cat->log);
    if (g == NULL) {
        return;
    }

    g->epoch = epoch;
    g->noticed_ms = ngx_mntreamer_recording_now();

    (void) ngx_mntreamer_gather_facts((u_char *) g
                                      + sizeof(ngx_mntreamer_gathered_facts_t),
                                      &g->facts, facts);

    /* the newest replaces what waits, unless that tells of another title */

    last = NULL;

    /* after those that were sent: they may come back */

    first = cat->facts.batches * NGX_MNTREAMER_RECORDING_TITLES;

    for (number = first; number < first + NGX_MNTREAMER_RECORDING_TITLES;
         number++)
    {
        row = ngx_mntreamer_gather_find(&cat->facts, recording_id, number);

        if (row == NULL) {
            break;
        }

        last = (ngx_mntreamer_gathered_facts_t *) row;
    }

    if (last && ngx_mntreamer_gather_titled(&last->facts, &g->facts)) {
        g->noticed_ms = last->noticed_ms;
        number--;

    } else if (number == first + NGX_MNTREAMER_RECORDING_TITLES) {
        number--;
    }

    g->head.id = recording_id;
    g->head.number = number;

    ngx_mntreamer_gather_add(&cat->facts, &g->head);

    ngx_mntreamer_catalog_viewers(cat, recording_id, epoch, facts->viewers);
}


void
ngx_mntreamer_catalog_viewers(ngx_mntreamer_catalog_t *cat,
    int64_t recording_id, int64_t epoch, int64_t viewers)
{
    ngx_mntreamer_gathered_viewers_t  *g;

    if (viewers < 0) {
        return;
    }

    g = ngx_calloc(sizeof(ngx_mntreamer_gathered_viewers_t), cat->log);
    if (g == NULL) {
        return;
    }

    g->head.id = recording_id;
    g->head.number = ngx_mntreamer_recording_now();
    g->epoch = epoch;
    g->viewers = viewers;

    ngx_mntreamer_gather_add(&cat->viewers, &g->head);
}


/* the arrays of g->sent, and the engine behind them */

static ngx_int_t
ngx_mntreamer_recording_send(ngx_mntreamer_gather_t *g,
    const ngx_mntreamer_sql_t *sql, ngx_uint_t arrays, ngx_uint_t engine)
{
    u_char                     buf[NGX_INT64_LEN];
    ngx_uint_t                 i, failed;
    ngx_pool_t                *pool;
    ngx_queue_t               *q;
    ngx_mntreamer_exec_t       ex;
    ngx_mntreamer_catalog_t   *cat;
    ngx_mntreamer_gathered_t  *row;
    ngx_mntreamer_pq_array_t   b[NGX_MNTREAMER_RECORDING_ARRAYS];

    cat = g->cat;

    pool = ngx_create_pool(4096, cat->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(b, sizeof(b));

    for (i = 0; i < arrays; i++) {
        b[i].pool = pool;
    }

    for (q = ngx_queue_head(&g->sent);
         q != ngx_queue_sentinel(&g->sent);
         q = ngx_queue_next(q))
    {
        row = ngx_queue_data(q, ngx_mntreamer_gathered_t, queue);

        if (g == &cat->progress) {
            ngx_mntreamer_progress_put(b, row);

        } else if (g == &cat->gaps) {
            ngx_mntreamer_gap_put(b, row);

        } else if (g == &cat->viewers) {
            ngx_mntreamer_viewers_put(b, row);

        } else {
            ngx_mntreamer_facts_put(b, row);
        }
    }

    ngx_mntreamer_catalog_exec_init(&ex, sql,
                                    (g == &cat->progress)
                                    ? ngx_mntreamer_progress_done
                                    : ngx_mntreamer_gather_done, g);

    ex.keep = 1;
    failed = 0;

    for (i = 0; i < arrays; i++) {
        ex.params[i] = ngx_mntreamer_pq_array_end(&b[i]);
        failed |= (ex.params[i].data == NULL);
    }

    if (engine) {
        ex.params[arrays] = ngx_mntreamer_catalog_number(buf, cat->engine);
    }

    g->st = failed ? NULL : ngx_mntreamer_pq_exec(cat->pq, &ex);

    ngx_destroy_pool(pool);

    return g->st ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_mntreamer_catalog_progress_write(ngx_mntreamer_catalog_t *cat)
{
    return ngx_mntreamer_recording_send(&cat->progress,
                     &ngx_mntreamer_recording_sql[NGX_MNTREAMER_SQL_PROGRESS],
                     8, 1);
}


/* those that are told have no row any more */

static void
ngx_mntreamer_progress_done(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_gather_t *g = data;

    int64_t                   id;
    ngx_uint_t                i;
    ngx_mntreamer_catalog_t  *cat;

    cat = g->cat;

    for (i = 0; i < result->nrows; i++) {
        id = ngx_mntreamer_rows_i64(result->rows, i, 0, 0);

        if (cat->state != NGX_MNTREAMER_CATALOG_UP
            || ngx_mntreamer_gather_find(&cat->leases, id, 0) == NULL)
        {
            continue;
        }

        ngx_log_error(NGX_LOG_WARN, cat->log, 0,
                      "mntreamer: the database has forgotten what is recorded "
                      "of streamer %L, it is opened again", id);

        ngx_mntreamer_catalog_lease_drop(cat, id);
        cat->handlers.lost(cat->handlers.data, id);
    }

    ngx_mntreamer_gather_done(data, result);
}


static void
ngx_mntreamer_progress_put(ngx_mntreamer_pq_array_t *b,
    ngx_mntreamer_gathered_t *row)
{
    ngx_mntreamer_progress_t  *p;

    p = &((ngx_mntreamer_gathered_progress_t *) row)->progress;

    ngx_mntreamer_pq_array_i64(&b[0], p->recording_id);
    ngx_mntreamer_pq_array_i64(&b[1], p->epoch);
    ngx_mntreamer_pq_array_i64(&b[2],
                               ngx_mntreamer_recording_count(p->segments));
    ngx_mntreamer_pq_array_i64(&b[3], p->bytes);
    ngx_mntreamer_pq_array_i64(&b[4], p->duration_us);
    ngx_mntreamer_pq_array_i64(&b[5], ngx_mntreamer_recording_count(p->gaps));
    ngx_mntreamer_pq_array_i64(&b[6], p->lost_us);
    ngx_mntreamer_pq_array_i64(&b[7], p->streamer_id);
}


ngx_int_t
ngx_mntreamer_catalog_gaps_write(ngx_mntreamer_catalog_t *cat)
{
    return ngx_mntreamer_recording_send(&cat->gaps,
                         &ngx_mntreamer_recording_sql[NGX_MNTREAMER_SQL_GAPS],
                         9, 0);
}


static void
ngx_mntreamer_gap_put(ngx_mntreamer_pq_array_t *b,
    ngx_mntreamer_gathered_t *row)
{
    ngx_str_t                      reason;
    ngx_mntreamer_gathered_gap_t  *g;

    g = (ngx_mntreamer_gathered_gap_t *) row;

    reason.data = (u_char *) ngx_mntreamer_gap_name(g->gap.cause);
    reason.len = ngx_strlen(reason.data);

    if (g->track.data == NULL) {
        ngx_str_set(&g->track, "index");
    }

    ngx_mntreamer_pq_array_i64(&b[0], g->head.id);
    ngx_mntreamer_pq_array_i64(&b[1], g->gap.epoch);
    ngx_mntreamer_pq_array_i64(&b[2], g->head.number);
    ngx_mntreamer_pq_array_text(&b[3], &g->track);
    ngx_mntreamer_pq_array_text(&b[4], &reason);
    ngx_mntreamer_pq_array_i64(&b[5],
                       ngx_mntreamer_recording_count(g->gap.first_sequence));
    ngx_mntreamer_pq_array_i64(&b[6],
                       ngx_mntreamer_recording_count(g->gap.segments));
    ngx_mntreamer_pq_array_i64(&b[7], g->gap.lost_us);
    ngx_mntreamer_pq_array_i64(&b[8], g->gap.at_us);
}


ngx_int_t
ngx_mntreamer_catalog_facts_write(ngx_mntreamer_catalog_t *cat)
{
    return ngx_mntreamer_recording_send(&cat->facts,
                        &ngx_mntreamer_recording_sql[NGX_MNTREAMER_SQL_FACTS],
                        10, 0);
}


static void
ngx_mntreamer_facts_put(ngx_mntreamer_pq_array_t *b,
    ngx_mntreamer_gathered_t *row)
{
    ngx_mntreamer_gathered_facts_t  *g;

    g = (ngx_mntreamer_gathered_facts_t *) row;

    ngx_mntreamer_pq_array_i64(&b[0], g->head.id);
    ngx_mntreamer_pq_array_i64(&b[1], g->epoch);
    ngx_mntreamer_gather_facts_put(&b[2], &g->facts);
    ngx_mntreamer_pq_array_i64(&b[9], g->noticed_ms);
}


ngx_int_t
ngx_mntreamer_catalog_viewers_write(ngx_mntreamer_catalog_t *cat)
{
    return ngx_mntreamer_recording_send(&cat->viewers,
                      &ngx_mntreamer_recording_sql[NGX_MNTREAMER_SQL_VIEWERS],
                      4, 0);
}


static void
ngx_mntreamer_viewers_put(ngx_mntreamer_pq_array_t *b,
    ngx_mntreamer_gathered_t *row)
{
    ngx_mntreamer_gathered_viewers_t  *g;

    g = (ngx_mntreamer_gathered_viewers_t *) row;

    ngx_mntreamer_pq_array_i64(&b[0], g->head.id);
    ngx_mntreamer_pq_array_i64(&b[1], g->epoch);
    ngx_mntreamer_pq_array_i64(&b[2], g->head.number);
    ngx_mntreamer_pq_array_i64(&b[3], g->viewers);
}


ngx_int_t
ngx_mntreamer_catalog_recording_finish(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_progress_t *progress, const ngx_str_t *path,
    int64_t next_ms, ngx_mntreamer_catalog_done_pt done, void *data)
{
    int64_t                n[11];
    u_char                 buf[12][NGX_INT64_LEN];
    ngx_uint_t             i;
    ngx_mntreamer_exec_t   ex;
    ngx_mntreamer_call_t  *call;

    call = ngx_mntreamer_catalog_call(cat, data);
    if (call == NULL) {
        return NGX_ERROR;
    }

    call->handler.done = done;

    /* its gaps and facts first, so that the end is the last that changes */

    ngx_mntreamer_gather_flush(&cat->gaps);
    ngx_mntreamer_gather_flush(&cat->facts);
    ngx_mntreamer_gather_flush(&cat->viewers);

    n[0] = cat->engine;
    n[1] = progress->streamer_id;
    n[2] = progress->epoch;
    n[3] = progress->recording_id;
    n[4] = ngx_mntreamer_recording_count(progress->segments);
    n[5] = progress->bytes;
    n[6] = progress->duration_us;
    n[7] = ngx_mntreamer_recording_count(progress->gaps);
    n[8] = progress->lost_us;
    n[9] = next_ms;
    n[10] = progress->ended_ms ? progress->ended_ms
                               : ngx_mntreamer_recording_now();

    ngx_mntreamer_catalog_exec_init(&ex,
                       &ngx_mntreamer_recording_sql[NGX_MNTREAMER_SQL_FINISH],
                       ngx_mntreamer_recording_finished, call);

    for (i = 0; i < 11; i++) {
        ex.params[i] = ngx_mntreamer_catalog_number(buf[i], n[i]);
    }

    ex.params[11] = *path;
    ex.params[12] = cat->storage;
    ex.params[13] = ngx_mntreamer_catalog_number(buf[11],
                                                 (int64_t) progress->gone);

    ex.keep = 1;
    call->st = ngx_mntreamer_pq_exec(cat->pq, &ex);

    if (call->st == NULL) {
        ngx_mntreamer_catalog_call_free(call);
        return NGX_ERROR;
    }

    ngx_mntreamer_catalog_lease_drop(cat, progress->streamer_id);

    return NGX_OK;
}


ngx_int_t
ngx_mntreamer_catalog_recording_leave(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_progress_t *progress, int64_t next_ms)
{
    int64_t                n[5];
    u_char                 buf[5][NGX_INT64_LEN];
    ngx_uint_t             i;
    ngx_mntreamer_exec_t   ex;
    ngx_mntreamer_call_t  *call;

    call = ngx_mntreamer_catalog_call(cat, NULL);
    if (call == NULL) {
        return NGX_ERROR;
    }

    call->handler.done = NULL;

    n[0] = cat->engine;
    n[1] = progress->streamer_id;
    n[2] = progress->epoch;
    n[3] = progress->recording_id;
    n[4] = next_ms;

    ngx_mntreamer_catalog_exec_init(&ex,
                       &ngx_mntreamer_recording_sql[NGX_MNTREAMER_SQL_LEAVE],
                       ngx_mntreamer_recording_finished, call);

    for (i = 0; i < 5; i++) {
        ex.params[i] = ngx_mntreamer_catalog_number(buf[i], n[i]);
    }

    ex.keep = 1;
    call->st = ngx_mntreamer_pq_exec(cat->pq, &ex);

    if (call->st == NULL) {
        ngx_mntreamer_catalog_call_free(call);
        return NGX_ERROR;
    }

    ngx_mntreamer_catalog_lease_drop(cat, progress->streamer_id);

    return NGX_OK;
}


static void
ngx_mntreamer_recording_finished(void *data,
    const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_call_t *call = data;

    void                           *handler_data;
    ngx_mntreamer_catalog_t        *cat;
    ngx_mntreamer_catalog_done_pt   handler;

    cat = call->cat;
    handler = call->handler.done;
    handler_data = call->data;

    ngx_mntreamer_catalog_call_free(call);

    ngx_mntreamer_recording_told(cat, result);

    if (handler) {
        handler(handler_data, result->rc);
    }

    /* the streamer is due again */

    if (cat->state == NGX_MNTREAMER_CATALOG_UP) {
        cat->handlers.due(cat->handlers.data);
    }
}
