
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Jobs: what is made of recordings that are over.  The API asks for them and
 * looks at them; an engine of the storage takes one, keeps it by telling how
 * far it is, and tells how it ended (conf/sql/020).
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog_internal.h"


#define NGX_MNTREAMER_JOB_LEASE_MS      15000
#define NGX_MNTREAMER_JOB_YOUNG_MS      10000
#define NGX_MNTREAMER_JOB_NEVER_MS      3600000


#define NGX_MNTREAMER_SQL_OVER                                                \
    "j.state IN ('done', 'failed', 'cancelled')"


enum {
    NGX_MNTREAMER_SQL_CLAIM = 0,
    NGX_MNTREAMER_SQL_RENEW,
    NGX_MNTREAMER_SQL_TOLD
};


/* from NGX_MNTREAMER_ASK_EXPORT on */

static const ngx_mntreamer_sql_t  ngx_mntreamer_job_ask_sql[] = {

    { "api_export",
      "SELECT mntreamer_job(e.made), e.word"
      " FROM mntreamer_export($1::bigint, $2::bigint, $3::bigint) e", 3, 2 },

    { "api_exports",
      "SELECT (SELECT coalesce(json_agg(mntreamer_job(j) ORDER BY j.id), '[]')"
      " FROM job j WHERE j.recording_id = r.id AND j.kind = 'export'"
      " AND j.state <> 'removed')"
      " FROM media_record r WHERE r.id = $1::bigint"
      " AND r.status <> 'deleted'", 1, 1 },

    /* state, before this id, limit */

    { "api_jobs",
      "SELECT mntreamer_job(j), j.id FROM job j"
      " WHERE j.state <> 'removed' AND ($1::text IS NULL OR j.state = $1)"
      " AND ($2::bigint IS NULL OR j.id < $2::bigint)"
      " ORDER BY j.id DESC LIMIT $3::bigint", 3, 2 },

    { "api_job",
      "SELECT mntreamer_job(j), " NGX_MNTREAMER_SQL_OVER " FROM job j"
      " WHERE j.id = $1::bigint AND j.state <> 'removed'", 1, 2 },

    { "api_jobs_seen",
      "SELECT mntreamer_job(j), " NGX_MNTREAMER_SQL_OVER ", x.id"
      " FROM unnest($1::bigint[]) x (id)"
      " LEFT JOIN job j ON j.id = x.id AND j.state <> 'removed'", 1, 3 },

    /* whoever runs it sees it at once; files are looked for behind that */

    { "api_job_delete",
      "WITH x AS ("
      " UPDATE job j SET state = CASE WHEN j.state IN ('queued', 'running')"
      " THEN 'cancelled' ELSE 'removed' END, dirty = true, run_at = now(),"
      " finished_at = coalesce(j.finished_at, now())"
      " WHERE j.id = $1::bigint AND j.state <> 'removed' RETURNING j.id"
      ") SELECT 'null'::json FROM x, (SELECT pg_notify('"
      NGX_MNTREAMER_CATALOG_CHANNEL "', 'job')) told", 1, 1 },

    { "api_job_retry",
      "WITH x AS ("
      " SELECT j.id, j.state IN ('failed', 'cancelled') AND j.owner IS NULL"
      " AS ready FROM job j WHERE j.id = $1::bigint AND j.state <> 'removed'"
      " FOR UPDATE"
      "), u AS ("
      " UPDATE job j SET state = 'queued', dirty = false, attempts = 0,"
      " run_at = now(), error = NULL, progress = 0, finished_at = NULL"
      " FROM x WHERE j.id = x.id AND x.ready RETURNING j.*"
      "), told AS MATERIALIZED ("
      " SELECT pg_notify('" NGX_MNTREAMER_CATALOG_CHANNEL "', 'job') FROM u"
      ") SELECT (SELECT mntreamer_job(u::job) FROM u), x.ready"
      " FROM x LEFT JOIN told ON true", 1, 2 }
};


static const ngx_mntreamer_sql_t  ngx_mntreamer_job_sql[] = {

    /* engine, storage, lease, grace; ..._job_e */

    { "job_claim",
      "SELECT c.id, c.epoch, c.state = 'running', c.attempts, c.recording_id,"
      " r.path, c.begin_us, coalesce(c.end_us, -1), c.file"
      " FROM mntreamer_job_claim($1::bigint, $2, $3::bigint, $4::bigint) c"
      " JOIN media_record r ON r.id = c.recording_id", 4,
      NGX_MNTREAMER_JOB_COLUMNS },

    /* id, engine, epoch, lease, progress, rate; its files are taken away
       under a lease, too */

    { "job_renew",
      "UPDATE job j SET progress = CASE j.state WHEN 'running'"
      " THEN $5::int ELSE j.progress END, rate = nullif($6::bigint, 0),"
      " lease_until = now() + $4::bigint * interval '1 millisecond'"
      " FROM " NGX_MNTREAMER_CATALOG_LAZY
      " WHERE j.id = $1::bigint AND j.owner = $2::bigint"
      " AND j.epoch = $3::bigint RETURNING j.state = 'running'",
      6, 1 },

    /* id, engine, epoch, word, pause, error, file, bytes, duration */

    { "job_told",
      "SELECT mntreamer_job_told($1::bigint, $2::bigint, $3::bigint, $4,"
      " $5::bigint, $6, $7, $8::bigint, $9::bigint)", 9, 1 }
};


const ngx_mntreamer_sql_t *
ngx_mntreamer_catalog_job_sql(ngx_uint_t ask)
{
    return &ngx_mntreamer_job_ask_sql[ask - NGX_MNTREAMER_ASK_EXPORT];
}


/* as with followers: who could not renew while it was away is waited for */

ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_job_claim(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_result_pt done, void *data)
{
    u_char                buf[3][NGX_INT64_LEN];
    ngx_uint_t            young;
    ngx_mntreamer_exec_t  ex;

    if (cat->state != NGX_MNTREAMER_CATALOG_UP) {
        return NULL;
    }

    young = ngx_current_msec - cat->up_ms < NGX_MNTREAMER_JOB_YOUNG_MS;

    ngx_mntreamer_catalog_exec_init(&ex,
                               &ngx_mntreamer_job_sql[NGX_MNTREAMER_SQL_CLAIM],
                               done, data);

    ex.params[0] = ngx_mntreamer_catalog_number(buf[0], cat->engine);
    ex.params[1] = cat->storage;
    ex.params[2] = ngx_mntreamer_catalog_number(buf[1],
                                                NGX_MNTREAMER_JOB_LEASE_MS);
    ex.params[3] = ngx_mntreamer_catalog_number(buf[2],
                                           young ? NGX_MNTREAMER_JOB_NEVER_MS
                                                 : 0);

    return ngx_mntreamer_pq_exec(cat->pq, &ex);
}


ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_job_renew(ngx_mntreamer_catalog_t *cat, int64_t id,
    int64_t epoch, int64_t progress, int64_t rate,
    ngx_mntreamer_result_pt done, void *data)
{
    u_char                buf[6][NGX_INT64_LEN];
    ngx_mntreamer_exec_t  ex;

    if (cat->state != NGX_MNTREAMER_CATALOG_UP) {
        return NULL;
    }

    ngx_mntreamer_catalog_exec_init(&ex,
                               &ngx_mntreamer_job_sql[NGX_MNTREAMER_SQL_RENEW],
                               done, data);

    ex.params[0] = ngx_mntreamer_catalog_number(buf[0], id);
    ex.params[1] = ngx_mntreamer_catalog_number(buf[1], cat->engine);
    ex.params[2] = ngx_mntreamer_catalog_number(buf[2], epoch);
    ex.params[3] = ngx_mntreamer_catalog_number(buf[3],
                                                NGX_MNTREAMER_JOB_LEASE_MS);
    ex.params[4] = ngx_mntreamer_catalog_number(buf[4], progress);
    ex.params[5] = ngx_mntreamer_catalog_number(buf[5], rate);

    return ngx_mntreamer_pq_exec(cat->pq, &ex);
}


ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_job_told(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_job_told_t *told, ngx_mntreamer_result_pt done,
    void *data)
{
    u_char                buf[6][NGX_INT64_LEN];
    ngx_mntreamer_exec_t  ex;

    ngx_mntreamer_catalog_exec_init(&ex,
                                &ngx_mntreamer_job_sql[NGX_MNTREAMER_SQL_TOLD],
                                done, data);

    ex.params[0] = ngx_mntreamer_catalog_number(buf[0], told->id);
    ex.params[1] = ngx_mntreamer_catalog_number(buf[1], cat->engine);
    ex.params[2] = ngx_mntreamer_catalog_number(buf[2], told->epoch);
    ex.params[3].data = (u_char *) told->word;
    ex.params[3].len = ngx_strlen(told->word);
    ex.params[4] = ngx_mntreamer_catalog_number(buf[3],
                                                (int64_t) told->pause_ms);

    if (told->error.len) {
        ex.params[5] = told->error;
    }

    if (told->file.len) {
        ex.params[6] = told->file;
        ex.params[7] = ngx_mntreamer_catalog_number(buf[4], told->bytes);
        ex.params[8] = ngx_mntreamer_catalog_number(buf[5],
                                                    told->duration_us);
    }

    ex.keep = 1;

    return ngx_mntreamer_pq_exec(cat->pq, &ex);
}


void
ngx_mntreamer_catalog_job_forget(ngx_mntreamer_statement_t *st)
{
    ngx_mntreamer_pq_cancel(st);
}
