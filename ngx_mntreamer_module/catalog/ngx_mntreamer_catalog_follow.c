
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * What followers are told about own broadcasts.  Who is to be told what is
 * decided by the database, in the transaction in which a broadcast starts or
 * ends (conf/sql/017); an engine takes it for the time of one try.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog_internal.h"


#define NGX_MNTREAMER_FOLLOW_TRIES      3
#define NGX_MNTREAMER_FOLLOW_PAUSE_MS   500
#define NGX_MNTREAMER_FOLLOW_LEASE_MS   10000
#define NGX_MNTREAMER_FOLLOW_YOUNG_MS   10000
#define NGX_MNTREAMER_FOLLOW_NEVER_MS   3600000


enum {
    NGX_MNTREAMER_SQL_CLAIM = 0,
    NGX_MNTREAMER_SQL_TOLD
};


static const ngx_mntreamer_sql_t  ngx_mntreamer_follow_sql[] = {

    /* node, followers, limit, engine, lease, grace; ..._follow_e */

    { "follow_claim",
      "SELECT c.id, c.follower, c.event, c.tries, b.series,"
      " b.name || '-' || c.event,"
      " json_build_object('id', b.name || '-' || c.event,"
      " 'event', c.event, 'broadcast', b.series,"
      " 'resumed', b.series <> b.name,"
      " 'streamer_id', c.streamer_id,"
      " 'channel', mntreamer_channel(c.channel),"
      " 'title', coalesce(b.title, CASE WHEN b.ended_at IS NULL"
      " THEN s.live_title END),"
      " 'started_at', mntreamer_time(b.started_at),"
      " 'ended_at', CASE c.event WHEN 'end'"
      " THEN mntreamer_time(b.ended_at) END,"
      " 'playlist', (SELECT mntreamer_url(r.path) FROM media_record r"
      " WHERE r.streamer_id = c.streamer_id AND r.broadcast_id = b.series"
      " AND r.segments > 0 AND r.status <> 'deleted'"
      " ORDER BY r.id DESC LIMIT 1),"
      " 'reason', CASE c.event WHEN 'end' THEN b.reason END)"
      " FROM mntreamer_follow_claim($1, $2::text[], $3::bigint, $4::bigint,"
      " $5::bigint, $6::bigint) c"
      " CROSS JOIN LATERAL mntreamer_follow_broadcast(c.broadcast_id) b"
      " LEFT JOIN streamer s ON s.id = b.streamer_id"
      " ORDER BY c.next_at, c.id", 6, NGX_MNTREAMER_FOLLOW_COLUMNS },

    /* id, engine, tries, word, most, pause */

    { "follow_told",
      "SELECT mntreamer_follow_told($1::bigint, $2::bigint, $3::bigint, $4,"
      " $5::bigint, $6::bigint)", 6, 1 }
};


/*
 * Who was telling while the database was away could not say so: when it has
 * come back nobody else takes it from him at once.
 */

ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_follow_claim(ngx_mntreamer_catalog_t *cat,
    const ngx_str_t *followers, ngx_uint_t limit, ngx_mntreamer_result_pt done,
    void *data)
{
    u_char                buf[4][NGX_INT64_LEN];
    ngx_uint_t            young;
    ngx_mntreamer_exec_t  ex;

    if (cat->state != NGX_MNTREAMER_CATALOG_UP) {
        return NULL;
    }

    young = ngx_current_msec - cat->up_ms < NGX_MNTREAMER_FOLLOW_YOUNG_MS;

    ngx_mntreamer_catalog_exec_init(&ex,
                            &ngx_mntreamer_follow_sql[NGX_MNTREAMER_SQL_CLAIM],
                            done, data);

    ex.params[0] = cat->conf->node;
    ex.params[1] = *followers;
    ex.params[2] = ngx_mntreamer_catalog_number(buf[0], limit);
    ex.params[3] = ngx_mntreamer_catalog_number(buf[1], cat->engine);
    ex.params[4] = ngx_mntreamer_catalog_number(buf[2],
                                               NGX_MNTREAMER_FOLLOW_LEASE_MS);
    ex.params[5] = ngx_mntreamer_catalog_number(buf[3],
                                        young ? NGX_MNTREAMER_FOLLOW_NEVER_MS
                                              : 0);

    return ngx_mntreamer_pq_exec(cat->pq, &ex);
}


ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_follow_told(ngx_mntreamer_catalog_t *cat, int64_t id,
    int64_t tries, const char *word, ngx_mntreamer_result_pt done, void *data)
{
    u_char                buf[5][NGX_INT64_LEN];
    ngx_mntreamer_exec_t  ex;

    ngx_mntreamer_catalog_exec_init(&ex,
                             &ngx_mntreamer_follow_sql[NGX_MNTREAMER_SQL_TOLD],
                             done, data);

    ex.params[0] = ngx_mntreamer_catalog_number(buf[0], id);
    ex.params[1] = ngx_mntreamer_catalog_number(buf[1], cat->engine);
    ex.params[2] = ngx_mntreamer_catalog_number(buf[2], tries);
    ex.params[3].data = (u_char *) word;
    ex.params[3].len = ngx_strlen(word);
    ex.params[4] = ngx_mntreamer_catalog_number(buf[3],
                                                NGX_MNTREAMER_FOLLOW_TRIES);
    ex.params[5] = ngx_mntreamer_catalog_number(buf[4],
                                               NGX_MNTREAMER_FOLLOW_PAUSE_MS);
    ex.keep = 1;

    return ngx_mntreamer_pq_exec(cat->api, &ex);
}


void
ngx_mntreamer_catalog_follow_forget(ngx_mntreamer_statement_t *st)
{
    ngx_mntreamer_pq_cancel(st);
}
