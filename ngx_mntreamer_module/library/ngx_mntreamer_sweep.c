
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * state     entered by        waits for           deadline     then
 * IDLE      start, the end    its time            20 s         LISTING
 * LISTING   _run()            names of old ones   -            ASKING, IDLE
 * ASKING    there are some    which are over      statement    IDLE
 *
 * Only directories that nothing was written into for a while are asked about,
 * so that a database that forgot the last minutes costs no broadcast.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_sweep.h"


#define NGX_MNTREAMER_SWEEP_MS    20000
#define NGX_MNTREAMER_SWEEP_AGE   20          /* seconds without a change */


typedef enum {
    NGX_MNTREAMER_SWEEP_IDLE = 0,
    NGX_MNTREAMER_SWEEP_LISTING,
    NGX_MNTREAMER_SWEEP_ASKING
} ngx_mntreamer_sweep_state_e;


struct ngx_mntreamer_sweep_s {
    ngx_mntreamer_storage_t       *st;        /* alias, as all below */
    ngx_mntreamer_catalog_t       *cat;
    ngx_log_t                     *log;
    ngx_mntreamer_sweep_state_e    state;
    ngx_mntreamer_live_t          *list;      /* owned while under way */
    ngx_mntreamer_ask_t           *ask;       /* the same */
    ngx_msec_t                     at;        /* the next time */
};


static void ngx_mntreamer_sweep_listed(void *data,
    const ngx_mntreamer_live_text_t *text);
static void ngx_mntreamer_sweep_asked(void *data,
    const ngx_mntreamer_result_t *result);


ngx_mntreamer_sweep_t *
ngx_mntreamer_sweep_create(ngx_mntreamer_storage_t *st,
    ngx_mntreamer_catalog_t *cat, ngx_log_t *log)
{
    ngx_mntreamer_sweep_t  *sw;

    sw = ngx_calloc(sizeof(ngx_mntreamer_sweep_t), log);
    if (sw == NULL) {
        return NULL;
    }

    sw->st = st;
    sw->cat = cat;
    sw->log = log;
    sw->at = ngx_current_msec;

    return sw;
}


void
ngx_mntreamer_sweep_destroy(ngx_mntreamer_sweep_t *sw)
{
    if (sw->list) {
        ngx_mntreamer_live_cancel(sw->list);
    }

    if (sw->ask) {
        ngx_mntreamer_catalog_ask_cancel(sw->ask);
    }

    ngx_free(sw);
}


void
ngx_mntreamer_sweep_run(ngx_mntreamer_sweep_t *sw)
{
    if (sw->state != NGX_MNTREAMER_SWEEP_IDLE
        || (ngx_msec_int_t) (ngx_current_msec - sw->at) < 0
        || !ngx_mntreamer_catalog_up(sw->cat))
    {
        return;
    }

    sw->at = ngx_current_msec + NGX_MNTREAMER_SWEEP_MS;
    sw->list = ngx_mntreamer_live_list(sw->st, NGX_MNTREAMER_SWEEP_AGE,
                                       ngx_mntreamer_sweep_listed, sw);

    if (sw->list) {
        sw->state = NGX_MNTREAMER_SWEEP_LISTING;
    }
}


static void
ngx_mntreamer_sweep_listed(void *data, const ngx_mntreamer_live_text_t *text)
{
    ngx_mntreamer_sweep_t *sw = data;

    sw->list = NULL;
    sw->state = NGX_MNTREAMER_SWEEP_IDLE;

    /* "{}" is none */

    if (text->rc != NGX_MNTREAMER_STORE_OK || text->text.len <= 2) {
        return;
    }

    sw->ask = ngx_mntreamer_catalog_ask(sw->cat,
                                        NGX_MNTREAMER_ASK_BROADCAST_OVER,
                                        &text->text, 1, 5000,
                                        ngx_mntreamer_sweep_asked, sw);
    if (sw->ask) {
        sw->state = NGX_MNTREAMER_SWEEP_ASKING;
    }
}


static void
ngx_mntreamer_sweep_asked(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_sweep_t *sw = data;

    ngx_str_t   name;
    ngx_uint_t  i;

    sw->ask = NULL;
    sw->state = NGX_MNTREAMER_SWEEP_IDLE;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        return;
    }

    for (i = 0; i < result->nrows; i++) {
        name = ngx_mntreamer_rows_get(result->rows, i, 0);

        ngx_log_error(NGX_LOG_NOTICE, sw->log, 0,
                      "mntreamer: removed the live files of broadcast %V, "
                      "which is over", &name);

        ngx_mntreamer_live_remove(sw->st, &name);
    }
}
