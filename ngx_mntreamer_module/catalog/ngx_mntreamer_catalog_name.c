
/*
 * Copyright (C) the mntreamer authors
 */


/* streamers whose channel has no name yet, and what was found */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog_internal.h"


static void ngx_mntreamer_nameless_done(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_named_done(void *data,
    const ngx_mntreamer_result_t *result);


enum {
    NGX_MNTREAMER_SQL_NAMELESS = 0,
    NGX_MNTREAMER_SQL_NAMED
};


static const ngx_mntreamer_sql_t  ngx_mntreamer_name_sql[] = {

    /* taking one moves its next time: whoever dies with it asks no sooner */

    { "streamer_nameless",
      "WITH c AS ("
      " SELECT s.id FROM streamer s WHERE s.platform = $1::int"
      " AND s.channel_name IS NULL AND s.monitored AND s.name_at <= now()"
      " ORDER BY s.name_at LIMIT $2::int FOR UPDATE SKIP LOCKED"
      ") UPDATE streamer s SET name_at = now() + least(interval '1 day',"
      " interval '1 minute' * power(4, least(s.name_tries, 8))),"
      " name_tries = s.name_tries + 1"
      " FROM c WHERE s.id = c.id RETURNING s.id, s.channel_id", 2, 2 },

    { "streamer_named",
      "UPDATE streamer SET channel_name = $2::text"
      " WHERE id = $1::bigint AND channel_name IS NULL", 2, 0 }
};


ngx_int_t
ngx_mntreamer_catalog_nameless(ngx_mntreamer_catalog_t *cat,
    ngx_int_t platform, ngx_uint_t limit, ngx_mntreamer_claim_pt done,
    void *data)
{
    u_char                 buf[2][NGX_INT64_LEN];
    ngx_mntreamer_call_t  *call;
    ngx_mntreamer_exec_t   ex;

    if (cat->state != NGX_MNTREAMER_CATALOG_UP) {
        return NGX_ERROR;
    }

    call = ngx_mntreamer_catalog_call(cat, data);
    if (call == NULL) {
        return NGX_ERROR;
    }

    call->handler.claim = done;

    ngx_mntreamer_catalog_exec_init(&ex,
                          &ngx_mntreamer_name_sql[NGX_MNTREAMER_SQL_NAMELESS],
                          ngx_mntreamer_nameless_done, call);

    ex.params[0] = ngx_mntreamer_catalog_number(buf[0], platform);
    ex.params[1] = ngx_mntreamer_catalog_number(buf[1], limit);

    call->st = ngx_mntreamer_pq_exec(cat->pq, &ex);

    if (call->st == NULL) {
        ngx_mntreamer_catalog_call_free(call);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_mntreamer_nameless_done(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_call_t *call = data;

    void                    *handler_data;
    ngx_uint_t               i, n;
    ngx_mntreamer_claim_t   *claims;
    ngx_mntreamer_claim_pt   handler;

    handler = call->handler.claim;
    handler_data = call->data;

    n = 0;
    claims = NULL;

    if (result->rc == NGX_MNTREAMER_PQ_OK && result->nrows) {
        claims = ngx_calloc(result->nrows * sizeof(ngx_mntreamer_claim_t),
                            call->cat->log);

        for (i = 0; claims && i < result->nrows; i++, n++) {
            claims[i].streamer_id = ngx_mntreamer_rows_i64(result->rows, i, 0,
                                                           0);
            claims[i].channel_id = ngx_mntreamer_rows_get(result->rows, i, 1);
        }
    }

    ngx_mntreamer_catalog_call_free(call);

    handler(handler_data, result->rc, claims, n, -1);

    if (claims) {
        ngx_free(claims);
    }
}


/* one that is lost is asked for again */

void
ngx_mntreamer_catalog_named(ngx_mntreamer_catalog_t *cat, int64_t streamer_id,
    ngx_str_t *name)
{
    u_char                buf[NGX_INT64_LEN];
    ngx_mntreamer_exec_t  ex;

    ngx_mntreamer_catalog_exec_init(&ex,
                             &ngx_mntreamer_name_sql[NGX_MNTREAMER_SQL_NAMED],
                             ngx_mntreamer_named_done, cat);

    ex.params[0] = ngx_mntreamer_catalog_number(buf, streamer_id);
    ex.params[1] = *name;

    (void) ngx_mntreamer_pq_exec(cat->pq, &ex);
}


static void
ngx_mntreamer_named_done(void *data, const ngx_mntreamer_result_t *result)
{
    /* void */
}
