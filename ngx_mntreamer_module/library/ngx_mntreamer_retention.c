
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * state     entered by        waits for           deadline     then
 * IDLE      start, the end    its time            60 s         ASKING
 * ASKING    _run()            the database        20 s         IDLE
 *
 * What fails is logged by the catalogue, and asked again in a minute.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_retention.h"


#define NGX_MNTREAMER_RETENTION_MS       60000
#define NGX_MNTREAMER_RETENTION_TIMEOUT  20000


struct ngx_mntreamer_retention_s {
    ngx_mntreamer_catalog_t  *cat;            /* alias */
    ngx_mntreamer_ask_t      *ask;            /* owned while ASKING */
    ngx_msec_t                at;             /* the next time */
};


static void ngx_mntreamer_retention_asked(void *data,
    const ngx_mntreamer_result_t *result);


ngx_mntreamer_retention_t *
ngx_mntreamer_retention_create(ngx_mntreamer_catalog_t *cat, ngx_log_t *log)
{
    ngx_mntreamer_retention_t  *rt;

    rt = ngx_calloc(sizeof(ngx_mntreamer_retention_t), log);
    if (rt == NULL) {
        return NULL;
    }

    rt->cat = cat;
    rt->at = ngx_current_msec;

    return rt;
}


void
ngx_mntreamer_retention_destroy(ngx_mntreamer_retention_t *rt)
{
    if (rt->ask) {
        ngx_mntreamer_catalog_ask_cancel(rt->ask);
    }

    ngx_free(rt);
}


void
ngx_mntreamer_retention_run(ngx_mntreamer_retention_t *rt)
{
    if (rt->ask || (ngx_msec_int_t) (ngx_current_msec - rt->at) < 0) {
        return;
    }

    rt->ask = ngx_mntreamer_catalog_ask(rt->cat, NGX_MNTREAMER_ASK_RETAIN,
                                        NULL, 0,
                                        NGX_MNTREAMER_RETENTION_TIMEOUT,
                                        ngx_mntreamer_retention_asked, rt);

    /* else the database is away */

    if (rt->ask) {
        rt->at = ngx_current_msec + NGX_MNTREAMER_RETENTION_MS;
    }
}


static void
ngx_mntreamer_retention_asked(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_retention_t *rt = data;

    rt->ask = NULL;
}
