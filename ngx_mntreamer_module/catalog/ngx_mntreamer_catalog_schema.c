
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Statements of the start: the schema, the registry of platforms, and the
 * streamers of nginx.conf.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_catalog_internal.h"
#include "../platform/mnt_platform.h"


#define NGX_MNTREAMER_SCHEMA_LOCK        "7811887214353802"
#define NGX_MNTREAMER_SCHEMA_WAIT        "2s"
#define NGX_MNTREAMER_SCHEMA_MS          600000
#define NGX_MNTREAMER_SCHEMA_CONF_MS     60000
#define NGX_MNTREAMER_SCHEMA_ARENA       16384


static ngx_int_t ngx_mntreamer_catalog_migration(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_migration_t *migration, ngx_mntreamer_sql_t *sql);


enum {
    NGX_MNTREAMER_SQL_CHECK = 0,
    NGX_MNTREAMER_SQL_VERSION,
    NGX_MNTREAMER_SQL_PLATFORMS,
    NGX_MNTREAMER_SQL_STREAMERS
};


static const ngx_mntreamer_sql_t  ngx_mntreamer_schema_sql[] = {

    /* batches are looked up by key: what is asked for often is in memory */

    { "schema_check",
      "SELECT current_setting('server_encoding'),"
      " to_regclass('schema_migration') IS NOT NULL,"
      " set_config('random_page_cost', '0.1', false),"
      " set_config('seq_page_cost', '0.1', false),"
      " set_config('jit', 'off', false)", 0, 5 },

    { "schema_version",
      "SELECT coalesce(max(number), 0) FROM schema_migration", 0, 1 },

    /* ids, names; then aliases and the ids they stand for */

    { "platform_upsert",
      "WITH p AS ("
      " INSERT INTO platform AS p (id, name)"
      " SELECT * FROM unnest($1::int[], $2::text[]) ORDER BY 1"
      " ON CONFLICT (id) DO UPDATE SET name = excluded.name"
      " WHERE p.name <> excluded.name"
      ") INSERT INTO platform_alias AS a (name, platform)"
      " SELECT * FROM unnest($3::text[], $4::int[]) ORDER BY 1"
      " ON CONFLICT (name) DO UPDATE SET platform = excluded.platform"
      " WHERE a.platform <> excluded.platform", 4, 0 },

    /*
     * Only what differs from the last time is written: a change by the API
     * lasts until nginx.conf says something new.  Streamers that another node
     * lists are left to it as long as it is there.
     */

    { "streamer_conf",
      "WITH c AS ("
      " SELECT DISTINCT ON (platform, channel_id) c.*,"
      " concat_ws('|', quality, priority, nickname, retention) AS configured"
      " FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::int[],"
      " $6::text[], $7::text[])"
      " AS c (platform, channel_id, nickname, quality, priority, page,"
      " retention)"
      " ORDER BY platform, channel_id"
      "), s AS ("
      " INSERT INTO streamer AS s (platform, channel_id, nickname, quality,"
      " priority, page, retention, source, configured, node)"
      " SELECT platform, channel_id, nickname, quality, priority, page,"
      " retention::jsonb, 'config', configured, $8 FROM c WHERE NOT EXISTS ("
      " SELECT FROM streamer t WHERE t.platform = c.platform"
      " AND t.channel_id = c.channel_id AND t.configured = c.configured)"
      " ORDER BY platform, channel_id"
      " ON CONFLICT (platform, channel_id) DO UPDATE"
      " SET source = 'config', monitored = true, page = excluded.page,"
      " nickname = coalesce(excluded.nickname, s.nickname),"
      " quality = excluded.quality, priority = excluded.priority,"
      " retention = excluded.retention,"
      " configured = excluded.configured, node = excluded.node"
      " WHERE s.configured IS DISTINCT FROM excluded.configured"
      " RETURNING s.id"
      "), m AS ("
      " INSERT INTO streamer_monitor AS m (streamer_id)"
      " SELECT id FROM s ORDER BY id"
      " ON CONFLICT (streamer_id) DO UPDATE SET check_at = now()"
      " WHERE m.owner IS NULL AND isfinite(m.check_at)"
      " RETURNING m.streamer_id"
      "), gone AS ("
      " UPDATE streamer s"
      " SET monitored = false, configured = NULL, node = NULL,"
      " is_streaming = s.is_streaming AND (s.status = 'recording'"
      " OR (SELECT p.pushed FROM platform p WHERE p.id = s.platform))"
      " WHERE s.configured IS NOT NULL"
      " AND NOT EXISTS (SELECT FROM c WHERE c.platform = s.platform"
      " AND c.channel_id = s.channel_id)"
      " AND (s.node = $8 OR NOT EXISTS (SELECT FROM engine e"
      " WHERE e.node = s.node AND e.seen_at > now() - interval '1 minute'))"
      " RETURNING s.id, s.status"
      "), told AS ("
      " SELECT 'stop ' || id AS x FROM gone WHERE status <> 'idle'"
      " UNION ALL SELECT 'due' WHERE EXISTS (SELECT FROM m)"
      ") SELECT count(pg_notify('" NGX_MNTREAMER_CATALOG_CHANNEL "', x))"
      " FROM told", 8, 1 }
};


/*
 * Text of a migration and around it: one statement, one transaction.  Workers
 * that start together all send it; the first one applies it, and its notice is
 * what the log tells.  Who comes without the lock (another version, a person)
 * may make the table at the same moment: that is no failure.  A table that
 * somebody reads for long (a backup) is tried again later: who waits for it
 * makes all others wait.
 */

static const char  ngx_mntreamer_schema_head[] =
    "DO $mntreamer$ BEGIN"
    " PERFORM pg_advisory_xact_lock(" NGX_MNTREAMER_SCHEMA_LOCK ");"
    " PERFORM set_config('client_min_messages', 'warning', true);"
    " PERFORM set_config('lock_timeout', '" NGX_MNTREAMER_SCHEMA_WAIT
    "', true);"
    " IF to_regclass('schema_migration') IS NULL THEN BEGIN"
    " CREATE TABLE IF NOT EXISTS schema_migration ("
    " number integer PRIMARY KEY, name text NOT NULL,"
    " applied_at timestamptz NOT NULL DEFAULT now());"
    " EXCEPTION WHEN duplicate_table OR duplicate_object OR unique_violation"
    " THEN NULL; END; END IF;"
    " IF NOT EXISTS (SELECT FROM schema_migration WHERE number = %ui) THEN"
    " EXECUTE $mntreamer_text$\n";

static const char  ngx_mntreamer_schema_tail[] =
    "\n$mntreamer_text$;"
    " INSERT INTO schema_migration (number, name) VALUES (%ui, '%s');"
    " PERFORM set_config('client_min_messages', 'notice', true);"
    " RAISE NOTICE 'migration %ui \"%s\" was applied';"
    " END IF; END $mntreamer$%Z";


ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_check(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_result_pt done)
{
    ngx_mntreamer_exec_t  ex;

    ngx_mntreamer_catalog_exec_init(&ex,
                       &ngx_mntreamer_schema_sql[NGX_MNTREAMER_SQL_CHECK],
                       done, cat);

    return ngx_mntreamer_pq_exec(cat->pq, &ex);
}


ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_version(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_result_pt done)
{
    ngx_mntreamer_exec_t  ex;

    ngx_mntreamer_catalog_exec_init(&ex,
                       &ngx_mntreamer_schema_sql[NGX_MNTREAMER_SQL_VERSION],
                       done, cat);

    return ngx_mntreamer_pq_exec(cat->pq, &ex);
}


ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_migrate(ngx_mntreamer_catalog_t *cat, ngx_uint_t i,
    ngx_mntreamer_result_pt done)
{
    ngx_uint_t            n;
    ngx_mntreamer_exec_t  ex;

    /* texts live until the answer, which may come after we are told */

    if (cat->migrate == NULL) {
        for (n = 0; ngx_mntreamer_migrations[n].number; n++) { /* void */ }

        cat->migrate = ngx_pcalloc(cat->pool,
                                   n * sizeof(ngx_mntreamer_sql_t));
        if (cat->migrate == NULL) {
            return NULL;
        }
    }

    if (cat->migrate[i].text == NULL
        && ngx_mntreamer_catalog_migration(cat, &ngx_mntreamer_migrations[i],
                                           &cat->migrate[i])
           != NGX_OK)
    {
        return NULL;
    }

    ngx_mntreamer_catalog_exec_init(&ex, &cat->migrate[i], done, cat);
    ex.timeout_ms = NGX_MNTREAMER_SCHEMA_MS;

    return ngx_mntreamer_pq_exec(cat->pq, &ex);
}


static ngx_int_t
ngx_mntreamer_catalog_migration(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_migration_t *migration, ngx_mntreamer_sql_t *sql)
{
    u_char  *p, *text;
    size_t   len, size;

    len = ngx_strlen(migration->text);
    size = sizeof(ngx_mntreamer_schema_head)
           + sizeof(ngx_mntreamer_schema_tail) + 3 * NGX_INT_T_LEN
           + 2 * ngx_strlen(migration->name) + len;

    text = ngx_pnalloc(cat->pool, size);
    if (text == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(text, ngx_mntreamer_schema_head, migration->number);
    p = ngx_cpymem(p, migration->text, len);
    ngx_sprintf(p, ngx_mntreamer_schema_tail, migration->number,
                migration->name, migration->number, migration->name);

    sql->name = "schema_migrate";
    sql->text = (char *) text;

    return NGX_OK;
}


ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_platforms(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_result_pt done)
{
    unsigned                    i, n;
    ngx_str_t                   text;
    ngx_uint_t                  k;
    ngx_pool_t                 *pool;
    const mnt_platform_t       *p;
    ngx_mntreamer_exec_t        ex;
    ngx_mntreamer_pq_array_t    b[4];
    ngx_mntreamer_statement_t  *st;

    pool = ngx_create_pool(1024, cat->log);
    if (pool == NULL) {
        return NULL;
    }

    ngx_memzero(b, sizeof(b));

    for (k = 0; k < 4; k++) {
        b[k].pool = pool;
    }

    for (i = 0; i < mnt_platform_count(); i++) {
        p = mnt_platform_at(i);

        text.data = (u_char *) p->name;
        text.len = ngx_strlen(p->name);

        ngx_mntreamer_pq_array_i64(&b[0], p->id);
        ngx_mntreamer_pq_array_text(&b[1], &text);

        for (n = 0; p->aliases[n]; n++) {
            text.data = (u_char *) p->aliases[n];
            text.len = ngx_strlen(p->aliases[n]);

            ngx_mntreamer_pq_array_text(&b[2], &text);
            ngx_mntreamer_pq_array_i64(&b[3], p->id);
        }
    }

    ngx_mntreamer_catalog_exec_init(&ex,
                       &ngx_mntreamer_schema_sql[NGX_MNTREAMER_SQL_PLATFORMS],
                       done, cat);

    for (k = 0; k < 4; k++) {
        ex.params[k] = ngx_mntreamer_pq_array_end(&b[k]);
    }

    st = ex.params[3].data ? ngx_mntreamer_pq_exec(cat->pq, &ex) : NULL;

    ngx_destroy_pool(pool);

    return st;
}


ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_streamers(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_result_pt done)
{
    ngx_str_t                       page;
    ngx_uint_t                      i, k, failed;
    ngx_pool_t                     *pool;
    ngx_mntreamer_exec_t            ex;
    ngx_mntreamer_pq_array_t        b[7];
    ngx_mntreamer_statement_t      *st;
    ngx_mntreamer_streamer_conf_t  *s;

    pool = ngx_create_pool(4096, cat->log);
    if (pool == NULL) {
        return NULL;
    }

    ngx_memzero(b, sizeof(b));

    for (k = 0; k < 7; k++) {
        b[k].pool = pool;
    }

    s = cat->conf->streamers->elts;

    for (i = 0; i < cat->conf->streamers->nelts; i++) {
        page = ngx_mntreamer_catalog_page(pool, s[i].platform,
                                          &s[i].channel_id);

        ngx_mntreamer_pq_array_i64(&b[0], s[i].platform);
        ngx_mntreamer_pq_array_text(&b[1], &s[i].channel_id);
        ngx_mntreamer_pq_array_text(&b[2], s[i].name.len ? &s[i].name : NULL);
        ngx_mntreamer_pq_array_text(&b[3],
                                    s[i].quality.len ? &s[i].quality : NULL);
        ngx_mntreamer_pq_array_i64(&b[4], s[i].priority);
        ngx_mntreamer_pq_array_text(&b[5], &page);
        ngx_mntreamer_pq_array_text(&b[6], s[i].keep.len ? &s[i].keep : NULL);
    }

    ngx_mntreamer_catalog_exec_init(&ex,
                       &ngx_mntreamer_schema_sql[NGX_MNTREAMER_SQL_STREAMERS],
                       done, cat);
    ex.timeout_ms = NGX_MNTREAMER_SCHEMA_CONF_MS;
    ex.params[7] = cat->conf->node;

    failed = 0;

    for (k = 0; k < 7; k++) {
        ex.params[k] = ngx_mntreamer_pq_array_end(&b[k]);
        failed |= (ex.params[k].data == NULL);
    }

    st = failed ? NULL : ngx_mntreamer_pq_exec(cat->pq, &ex);

    ngx_destroy_pool(pool);

    return st;
}


ngx_str_t
ngx_mntreamer_catalog_known(ngx_pool_t *pool)
{
    unsigned                  i;
    ngx_mntreamer_pq_array_t  b;

    ngx_memzero(&b, sizeof(ngx_mntreamer_pq_array_t));
    b.pool = pool;

    for (i = 0; i < mnt_platform_count(); i++) {
        ngx_mntreamer_pq_array_i64(&b, mnt_platform_at(i)->id);
    }

    return ngx_mntreamer_pq_array_end(&b);
}


ngx_str_t
ngx_mntreamer_catalog_page(ngx_pool_t *pool, ngx_int_t platform,
    const ngx_str_t *channel_id)
{
    unsigned               i;
    mnt_str_t              s;
    ngx_str_t              page, text;
    mnt_arena_t            arena;
    const mnt_platform_t  *p, *found;

    ngx_str_null(&page);

    found = NULL;

    for (i = 0; i < mnt_platform_count(); i++) {
        p = mnt_platform_at(i);

        if (p->id == platform) {
            found = p;
        }
    }

    if (found == NULL || channel_id->data == NULL) {
        return page;
    }

    s.data = (const char *) channel_id->data;
    s.len = channel_id->len;

    mnt_arena_init(&arena, NGX_MNTREAMER_SCHEMA_ARENA);

    s = found->page(&arena, s);

    if (s.data) {
        text.data = (u_char *) s.data;
        text.len = s.len;

        page.data = ngx_pstrdup(pool, &text);
        page.len = page.data ? text.len : 0;
    }

    mnt_arena_free(&arena);

    return page;
}
