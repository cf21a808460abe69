
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Own broadcasts: their keys, and what the hooks of nginx-rtmp tell about
 * their publishers.  What decides is a function of the database
 * (conf/sql/012): it holds the lock of the streamer from the question to the
 * row.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog_internal.h"


#define NGX_MNTREAMER_BROADCAST_LOST_MS  "60000"   /* another node's */

#define NGX_MNTREAMER_BROADCAST_OF                                            \
    " k.id = b.key_id AND k.hash = decode($1, 'hex') AND b.node = $2"         \
    " AND b.clientid = $3::bigint AND b.ended_at IS NULL"


static ngx_int_t ngx_mntreamer_broadcast_keep(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_exec_t *ex);
static void ngx_mntreamer_broadcast_kept(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_broadcast_swept(void *data,
    const ngx_mntreamer_result_t *result);


enum {
    NGX_MNTREAMER_SQL_END = 0,
    NGX_MNTREAMER_SQL_UNDO,
    NGX_MNTREAMER_SQL_SWEEP,
    NGX_MNTREAMER_SQL_LATEST
};


/* in the order of ngx_mntreamer_ask_e, from _KEY_MAKE on */

static const ngx_mntreamer_sql_t  ngx_mntreamer_broadcast_ask_sql[] = {

    { "key_make",
      "SELECT mntreamer_key_make($1::bigint, decode($2, 'hex'))", 2, 1 },

    { "key_revoke",
      "SELECT mntreamer_key_revoke($1::bigint)", 1, 1 },

    { "password_make",
      "SELECT mntreamer_password_make($1::bigint, decode($2, 'hex'),"
      " $3::bigint)", 3, 1 },

    { "password_drop",
      "SELECT mntreamer_password_drop($1::bigint)", 1, 1 },

    { "broadcast_begin",
      "SELECT mntreamer_broadcast_begin(decode($1, 'hex'), decode($4, 'hex'),"
      " $5, $2, $3::bigint, $6::bigint, $7::bigint, $8::bigint)", 8, 1 },

    /* nginx-rtmp does not make a relay again that was lost */

    { "broadcast_seen",
      "UPDATE broadcast b SET seen_at = now() FROM stream_key k WHERE"
      NGX_MNTREAMER_BROADCAST_OF
      " AND b.streamer_id IS NOT NULL AND NOT b.closing"
      " AND ($4::bigint < b.silence_ms OR b.relayed_at"
      " > now() - b.silence_ms * interval '1 millisecond')"
      " RETURNING b.id", 4, 1 },

    { "broadcast_relayed",
      "UPDATE broadcast SET relayed_at = now()"
      " WHERE name = $1 AND ended_at IS NULL RETURNING id", 1, 1 },

    /* name, clientid: of several one, workers do not know of each other */

    { "broadcast_relay",
      "SELECT mntreamer_broadcast_followed($1, $2::bigint, $3::text[],"
      " $4::boolean[])", 4, 1 },

    { "broadcast_on_air",
      "SELECT id FROM broadcast WHERE name = $1 AND ended_at IS NULL", 1, 1 },

    { "broadcast_over",
      "SELECT n FROM unnest($1::text[]) n"
      " LEFT JOIN broadcast b ON b.name = n"
      " WHERE b.id IS NULL OR b.node = $2 AND b.ended_at IS NOT NULL"
      " AND NOT EXISTS (SELECT FROM media_record r"
      " WHERE r.status = 'recording' AND r.streamer_id = b.streamer_id"
      " AND r.broadcast_id = b.series)", 2, 1 },

    { "key_state",
      "SELECT CASE WHEN p.pushed THEN 'own' ELSE 'foreign' END,"
      " mntreamer_time(k.created_at), coalesce(k.one_time, false)"
      " FROM streamer s JOIN platform p ON p.id = s.platform"
      " LEFT JOIN stream_key k ON k.streamer_id = s.id"
      " AND k.revoked_at IS NULL WHERE s.id = $1::bigint", 1, 3 }
};


static const ngx_mntreamer_sql_t  ngx_mntreamer_broadcast_sql[] = {

    /* key, node, clientid, when */

    { "broadcast_end",
      "SELECT mntreamer_broadcast_close(b.id, least(now(),"
      " to_timestamp($4::bigint / 1000.0)),"
      " CASE WHEN b.closing THEN 'refused' ELSE 'stopped' END)"
      " FROM broadcast b, stream_key k WHERE"
      NGX_MNTREAMER_BROADCAST_OF, 4, 1 },

    { "broadcast_undo",
      "SELECT mntreamer_broadcast_close(id, started_at, 'refused')"
      " FROM broadcast WHERE name = $1 AND ended_at IS NULL", 1, 1 },

    /*
     * Those of which nothing was heard.  Others hear those of another machine:
     * it has some time to come back.
     */

    { "broadcast_sweep",
      "SELECT b.id FROM (SELECT b.*, now() - interval '1 millisecond'"
      " * (b.silence_ms + CASE WHEN b.node = $1 THEN 0"
      " ELSE " NGX_MNTREAMER_BROADCAST_LOST_MS " END) AS before"
      " FROM broadcast b WHERE b.ended_at IS NULL"
      " AND b.silence_ms <= $2::bigint) b"
      " WHERE b.seen_at < b.before"
      " AND mntreamer_broadcast_close(b.id, b.seen_at, 'silent', b.before)",
      2, 1 },

    /* platform, channel, node; columns as ngx_mntreamer_broadcast_e */

    { "broadcast_latest",
      "SELECT b.ended_at IS NULL, b.node = $3, b.name, b.series, b.title,"
      " s.live_category, coalesce(s.channel_name, s.nickname),"
      " (extract(epoch FROM b.started_at) * 1000)::bigint,"
      " (SELECT e.name FROM broadcast e WHERE e.streamer_id = s.id"
      " AND e.series = b.series AND e.node = $3 AND e.id <> b.id"
      " AND e.started_at <= b.started_at"
      " AND e.ended_at > now() - interval '2 minutes'"
      " ORDER BY e.started_at DESC, e.id DESC LIMIT 1)"
      " FROM streamer s JOIN broadcast b ON b.streamer_id = s.id"
      " WHERE s.platform = $1::int AND s.channel_id = $2"
      " ORDER BY b.started_at DESC, b.id DESC LIMIT 1", 3,
      NGX_MNTREAMER_BROADCAST_COLUMNS }
};


const ngx_mntreamer_sql_t *
ngx_mntreamer_catalog_broadcast_sql(ngx_uint_t ask)
{
    return &ngx_mntreamer_broadcast_ask_sql[ask - NGX_MNTREAMER_ASK_KEY_MAKE];
}


/* what we know better than who asks */

void
ngx_mntreamer_catalog_broadcast_ask(ngx_mntreamer_catalog_t *cat,
    ngx_uint_t ask, ngx_mntreamer_exec_t *ex, u_char (*buf)[NGX_INT64_LEN])
{
    ngx_str_t  heard;

    heard = ngx_mntreamer_catalog_number(buf[0],
                                         ngx_current_msec - cat->up_ms);

    switch (ask) {

    case NGX_MNTREAMER_ASK_BROADCAST_BEGIN:
        ex->params[1] = cat->conf->node;
        ex->params[6] = heard;
        ex->params[7] = ngx_mntreamer_catalog_number(buf[1],
                                                     cat->conf->resume_ms);
        break;

    case NGX_MNTREAMER_ASK_BROADCAST_SEEN:
        ex->params[1] = cat->conf->node;
        ex->params[3] = heard;
        break;

    case NGX_MNTREAMER_ASK_BROADCAST_OVER:
        ex->params[1] = cat->conf->node;
        break;

    case NGX_MNTREAMER_ASK_BROADCAST_RELAY:
        ex->params[2] = cat->conf->follow_hashes;
        ex->params[3] = cat->conf->follow_required;
        break;

    default:
        break;
    }
}


ngx_int_t
ngx_mntreamer_catalog_broadcast_end(ngx_mntreamer_catalog_t *cat,
    ngx_str_t *hash, ngx_str_t *clientid)
{
    u_char                buf[NGX_INT64_LEN];
    ngx_time_t           *tp;
    ngx_mntreamer_exec_t  ex;

    tp = ngx_timeofday();

    ngx_mntreamer_catalog_exec_init(&ex,
                           &ngx_mntreamer_broadcast_sql[NGX_MNTREAMER_SQL_END],
                           ngx_mntreamer_broadcast_kept, cat);

    ex.params[0] = *hash;
    ex.params[1] = cat->conf->node;
    ex.params[2] = *clientid;
    ex.params[3] = ngx_mntreamer_catalog_number(buf,
                                    (int64_t) tp->sec * 1000 + tp->msec);

    return ngx_mntreamer_broadcast_keep(cat, &ex);
}


ngx_int_t
ngx_mntreamer_catalog_broadcast_undo(ngx_mntreamer_catalog_t *cat,
    ngx_str_t *name)
{
    ngx_mntreamer_exec_t  ex;

    ngx_mntreamer_catalog_exec_init(&ex,
                          &ngx_mntreamer_broadcast_sql[NGX_MNTREAMER_SQL_UNDO],
                          ngx_mntreamer_broadcast_kept, cat);

    ex.params[0] = *name;

    return ngx_mntreamer_broadcast_keep(cat, &ex);
}


ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_broadcast_latest(ngx_mntreamer_catalog_t *cat,
    ngx_int_t platform, const ngx_str_t *channel, ngx_mntreamer_result_pt done,
    void *data)
{
    u_char                buf[NGX_INT64_LEN];
    ngx_mntreamer_exec_t  ex;

    ngx_mntreamer_catalog_exec_init(&ex,
                        &ngx_mntreamer_broadcast_sql[NGX_MNTREAMER_SQL_LATEST],
                        done, data);

    ex.params[0] = ngx_mntreamer_catalog_number(buf, platform);
    ex.params[1] = *channel;
    ex.params[2] = cat->conf->node;

    return ngx_mntreamer_pq_exec(cat->pq, &ex);
}


void
ngx_mntreamer_catalog_broadcast_forget(ngx_mntreamer_statement_t *st)
{
    ngx_mntreamer_pq_cancel(st);
}


/* runs behind what was asked before, once more when an answer was lost */

static ngx_int_t
ngx_mntreamer_broadcast_keep(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_exec_t *ex)
{
    ex->keep = 1;

    return ngx_mntreamer_pq_exec(cat->api, ex) ? NGX_OK : NGX_ERROR;
}


static void
ngx_mntreamer_broadcast_kept(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_catalog_t *cat = data;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        ngx_log_error(NGX_LOG_ERR, cat->log, 0,
                      "mntreamer: the end of a broadcast could not be "
                      "written, it ends when nothing more is heard of it");
    }
}


void
ngx_mntreamer_catalog_broadcast_sweep(ngx_mntreamer_catalog_t *cat)
{
    u_char                buf[NGX_INT64_LEN];
    ngx_mntreamer_exec_t  ex;

    if (cat->sweep) {
        return;
    }

    ngx_mntreamer_catalog_exec_init(&ex,
                         &ngx_mntreamer_broadcast_sql[NGX_MNTREAMER_SQL_SWEEP],
                         ngx_mntreamer_broadcast_swept, cat);

    ex.params[0] = cat->conf->node;
    ex.params[1] = ngx_mntreamer_catalog_number(buf,
                                               ngx_current_msec - cat->up_ms);

    cat->sweep = ngx_mntreamer_pq_exec(cat->pq, &ex);
}


static void
ngx_mntreamer_broadcast_swept(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_catalog_t *cat = data;

    ngx_uint_t  i;

    cat->sweep = NULL;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        return;
    }

    for (i = 0; i < result->nrows; i++) {
        ngx_log_error(NGX_LOG_NOTICE, cat->log, 0,
                      "mntreamer: broadcast %L was not heard of any more, it "
                      "has ended",
                      ngx_mntreamer_rows_i64(result->rows, i, 0, 0));
    }
}
