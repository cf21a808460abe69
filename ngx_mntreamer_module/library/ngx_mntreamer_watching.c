
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "../loop/ngx_mntreamer_inject.h"
#include "ngx_mntreamer_watching.h"


/*
 * What is told is told whole and remembered in shared memory when the database
 * has it: a worker that dies in between, and a statement that fails or is
 * repeated, neither lose nor double anything.
 */

#define NGX_MNTREAMER_WATCHING_TURN   2000    /* between two counts */
#define NGX_MNTREAMER_WATCHING_OTHERS 5000    /* while our database is away */
#define NGX_MNTREAMER_WATCHING_MS     5000
#define NGX_MNTREAMER_WATCHING_BATCH  1024    /* the others the next time */
#define NGX_MNTREAMER_WATCHING_ARRAYS 4


struct ngx_mntreamer_watching_s {
    ngx_mntreamer_viewers_t  *viewers;        /* alias */
    ngx_mntreamer_catalog_t  *cat;            /* alias */
    ngx_mntreamer_metrics_t  *metrics;        /* alias */
    ngx_log_t                *log;            /* alias */
    ngx_mntreamer_ask_t      *ask;            /* owned, if under way */
    mnt_viewers_report_t     *reports;        /* owned, what it tells */
    ngx_uint_t                n;
    ngx_uint_t                missed;         /* told to the metrics */
};


static ngx_uint_t ngx_mntreamer_watching_gather(ngx_mntreamer_watching_t *wt,
    ngx_mntreamer_pq_array_t *b);
static void ngx_mntreamer_watching_tell(ngx_mntreamer_watching_t *wt,
    int64_t turn);
static void ngx_mntreamer_watching_told(void *data,
    const ngx_mntreamer_result_t *result);


ngx_mntreamer_watching_t *
ngx_mntreamer_watching_create(ngx_mntreamer_viewers_t *viewers,
    ngx_mntreamer_catalog_t *cat, ngx_mntreamer_metrics_t *metrics,
    ngx_log_t *log)
{
    ngx_mntreamer_watching_t  *wt;

    wt = ngx_calloc(sizeof(ngx_mntreamer_watching_t), log);
    if (wt == NULL) {
        return NULL;
    }

    wt->viewers = viewers;
    wt->cat = cat;
    wt->metrics = metrics;
    wt->log = log;

    return wt;
}


void
ngx_mntreamer_watching_destroy(ngx_mntreamer_watching_t *wt)
{
    if (wt->ask) {
        ngx_mntreamer_catalog_ask_cancel(wt->ask);
    }

    ngx_free(wt->reports);
    ngx_free(wt);
}


void
ngx_mntreamer_watching_run(ngx_mntreamer_watching_t *wt)
{
    int64_t     turn;
    ngx_uint_t  missed;
    ngx_msec_t  pause;

    missed = ngx_mntreamer_viewers_missed(wt->viewers);

    ngx_mntreamer_metrics_add(wt->metrics, NGX_MNTREAMER_M_VIEWERS_MISSED, 0,
                              missed - wt->missed);
    wt->missed = missed;

    /* of whom the database is away comes when nobody else does */

    pause = ngx_mntreamer_catalog_up(wt->cat) ? NGX_MNTREAMER_WATCHING_TURN
                                              : NGX_MNTREAMER_WATCHING_OTHERS;

    turn = wt->ask ? 0 : ngx_mntreamer_viewers_turn(wt->viewers, pause);

    ngx_mntreamer_metrics_set(wt->metrics, NGX_MNTREAMER_M_VIEWERS,
                              ngx_mntreamer_viewers_now(wt->viewers));

    if (turn) {
        ngx_mntreamer_watching_tell(wt, turn);
    }
}


static void
ngx_mntreamer_watching_tell(ngx_mntreamer_watching_t *wt, int64_t turn)
{
    u_char                     buf[NGX_INT64_LEN];
    ngx_str_t                  params[2 + NGX_MNTREAMER_WATCHING_ARRAYS];
    ngx_uint_t                 i, failed;
    ngx_pool_t                *pool;
    ngx_mntreamer_pq_array_t   b[NGX_MNTREAMER_WATCHING_ARRAYS];

    wt->reports = ngx_alloc(NGX_MNTREAMER_WATCHING_BATCH
                            * sizeof(mnt_viewers_report_t), wt->log);
    pool = ngx_create_pool(4096, wt->log);

    if (wt->reports == NULL || pool == NULL) {
        goto done;
    }

    ngx_memzero(b, sizeof(b));

    for (i = 0; i < NGX_MNTREAMER_WATCHING_ARRAYS; i++) {
        b[i].pool = pool;
    }

    wt->n = ngx_mntreamer_watching_gather(wt, b);

    if (wt->n == 0) {
        goto done;
    }

    ngx_str_null(&params[0]);
    params[1].data = buf;
    params[1].len = ngx_sprintf(buf, "%L", turn) - buf;

    failed = 0;

    for (i = 0; i < NGX_MNTREAMER_WATCHING_ARRAYS; i++) {
        params[2 + i] = ngx_mntreamer_pq_array_end(&b[i]);
        failed |= (params[2 + i].data == NULL);
    }

    ngx_mntreamer_inject("viewers_told");

    if (!failed) {
        wt->ask = ngx_mntreamer_catalog_ask(wt->cat, NGX_MNTREAMER_ASK_WATCHED,
                                            params, 6,
                                            NGX_MNTREAMER_WATCHING_MS,
                                            ngx_mntreamer_watching_told, wt);
    }

done:

    if (pool) {
        ngx_destroy_pool(pool);
    }

    if (wt->ask == NULL) {
        ngx_free(wt->reports);
        wt->reports = NULL;
    }
}


static ngx_uint_t
ngx_mntreamer_watching_gather(ngx_mntreamer_watching_t *wt,
    ngx_mntreamer_pq_array_t *b)
{
    u_char                 buf[MNT_LAYOUT_MAX];
    unsigned               cursor;
    ngx_str_t              path;
    ngx_uint_t             n;
    mnt_viewers_report_t  *rep;

    cursor = 0;
    path.data = buf;

    for (n = 0; n < NGX_MNTREAMER_WATCHING_BATCH; n++) {
        rep = &wt->reports[n];

        if (!ngx_mntreamer_viewers_due(wt->viewers, &cursor, rep, &path)) {
            break;
        }

        ngx_mntreamer_pq_array_text(&b[0], &path);
        ngx_mntreamer_pq_array_i64(&b[1], rep->run);
        ngx_mntreamer_pq_array_i64(&b[2], rep->viewers);
        ngx_mntreamer_pq_array_i64(&b[3], rep->watched_ms);
    }

    return n;
}


/* what failed is told anew, with what came since */

static void
ngx_mntreamer_watching_told(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_watching_t *wt = data;

    ngx_uint_t  i;

    wt->ask = NULL;

    for (i = 0; result->rc == NGX_MNTREAMER_PQ_OK && i < wt->n; i++) {
        ngx_mntreamer_viewers_told(wt->viewers, &wt->reports[i]);
    }

    ngx_free(wt->reports);
    wt->reports = NULL;
}
