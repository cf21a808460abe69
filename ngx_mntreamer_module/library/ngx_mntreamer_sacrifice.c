
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_sacrifice.h"


/*
 * state     entered by        waits for             deadline   then
 * IDLE      start, the end    marked rows, or       -          ASKING
 *                             too little room
 * ASKING    run()             the oldest recording  5 s        MARKING, IDLE
 * MARKING   it lies here      its row               5 s        REMOVING, IDLE
 * REMOVING  it is marked      a thread              the disk   TELLING
 * TELLING   files are gone    its row               5 s        IDLE
 *
 * Whatever fails leads to IDLE and is begun anew; a row that is marked and
 * whose files are still there comes first then, also at the start, and also
 * when there is room enough by now.  The rows may be of several
 * machines: what does not lie below this root is passed over.  So is for
 * some seconds what cannot be removed.
 */

#define NGX_MNTREAMER_SACRIFICE_MS     5000
#define NGX_MNTREAMER_SACRIFICE_AGAIN  5000


typedef enum {
    NGX_MNTREAMER_SACRIFICE_IDLE = 0,
    NGX_MNTREAMER_SACRIFICE_ASKING,
    NGX_MNTREAMER_SACRIFICE_MARKING,
    NGX_MNTREAMER_SACRIFICE_REMOVING,
    NGX_MNTREAMER_SACRIFICE_TELLING
} ngx_mntreamer_sacrifice_state_e;


typedef struct {
    ngx_mntreamer_sacrifice_t  *sf;           /* alias; NULL: nobody waits */
} ngx_mntreamer_removal_t;

struct ngx_mntreamer_sacrifice_s {
    ngx_mntreamer_sacrifice_state_e  state;
    int64_t                          age_s;
    ngx_mntreamer_storage_t         *st;      /* alias */
    ngx_mntreamer_catalog_t         *cat;     /* alias */
    ngx_log_t                       *log;     /* alias */
    ngx_mntreamer_ask_t             *ask;
    ngx_mntreamer_removal_t         *removal; /* owned by its thread's end */
    int64_t                          passed;  /* rows of other machines */
    int64_t                          id;
    ngx_uint_t                       told;    /* that nothing is left */
    ngx_uint_t                       begun;   /* rows may be marked, with their
                                                 files still there */
    ngx_uint_t                       room;    /* this one makes room */
    ngx_uint_t                       failed;  /* some were passed over, */
    ngx_msec_t                       failed_ms;  /* last at */
    ngx_str_t                        path;    /* in "buf" */
    u_char                           buf[1024];
};


static ngx_uint_t ngx_mntreamer_sacrifice_short(
    ngx_mntreamer_sacrifice_t *sf);
static void ngx_mntreamer_sacrifice_none(ngx_mntreamer_sacrifice_t *sf);
static void ngx_mntreamer_sacrifice_pass(ngx_mntreamer_sacrifice_t *sf);
static void ngx_mntreamer_sacrifice_tell(ngx_mntreamer_sacrifice_t *sf);
static void ngx_mntreamer_sacrifice_ask(ngx_mntreamer_sacrifice_t *sf,
    ngx_uint_t ask, int64_t one, int64_t two,
    ngx_mntreamer_sacrifice_state_e state, ngx_mntreamer_result_pt done);
static void ngx_mntreamer_sacrifice_found(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_sacrifice_marked(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_sacrifice_remove(ngx_mntreamer_sacrifice_t *sf);
static void ngx_mntreamer_sacrifice_removed(void *data, ngx_uint_t rc,
    ngx_uint_t files);
static void ngx_mntreamer_sacrifice_told(void *data,
    const ngx_mntreamer_result_t *result);


ngx_mntreamer_sacrifice_t *
ngx_mntreamer_sacrifice_create(time_t age_s, ngx_mntreamer_storage_t *st,
    ngx_mntreamer_catalog_t *cat, ngx_log_t *log)
{
    ngx_mntreamer_sacrifice_t  *sf;

    sf = ngx_calloc(sizeof(ngx_mntreamer_sacrifice_t), log);
    if (sf == NULL) {
        return NULL;
    }

    sf->age_s = age_s;
    sf->st = st;
    sf->cat = cat;
    sf->log = log;
    sf->begun = 1;

    return sf;
}


void
ngx_mntreamer_sacrifice_destroy(ngx_mntreamer_sacrifice_t *sf)
{
    if (sf->ask) {
        ngx_mntreamer_catalog_ask_cancel(sf->ask);
    }

    if (sf->removal) {
        sf->removal->sf = NULL;
    }

    ngx_free(sf);
}


void
ngx_mntreamer_sacrifice_run(ngx_mntreamer_sacrifice_t *sf)
{
    const ngx_mntreamer_space_t  *space;

    if (sf->state != NGX_MNTREAMER_SACRIFICE_IDLE) {
        return;
    }

    space = ngx_mntreamer_storage_space(sf->st);

    if (sf->failed && ngx_current_msec - sf->failed_ms
                      >= NGX_MNTREAMER_SACRIFICE_AGAIN)
    {
        sf->failed = 0;
        sf->begun = 1;
        sf->passed = 0;
    }

    if (space->read_only
        || (!sf->begun && !ngx_mntreamer_sacrifice_short(sf)))
    {
        sf->passed = 0;
        sf->told = 0;
        return;
    }

    ngx_mntreamer_sacrifice_ask(sf, sf->begun ? NGX_MNTREAMER_ASK_MARKED
                                              : NGX_MNTREAMER_ASK_OLDEST,
                                sf->passed, sf->age_s,
                                NGX_MNTREAMER_SACRIFICE_ASKING,
                                ngx_mntreamer_sacrifice_found);
}


void
ngx_mntreamer_sacrifice_wake(ngx_mntreamer_sacrifice_t *sf)
{
    sf->begun = 1;

    ngx_mntreamer_sacrifice_run(sf);
}


/* there is too little room, and something may be deleted for that */

static ngx_uint_t
ngx_mntreamer_sacrifice_short(ngx_mntreamer_sacrifice_t *sf)
{
    return sf->age_s != NGX_MNTREAMER_SACRIFICE_NONE
           && ngx_mntreamer_storage_space(sf->st)->paused;
}


static void
ngx_mntreamer_sacrifice_ask(ngx_mntreamer_sacrifice_t *sf, ngx_uint_t ask,
    int64_t one, int64_t two, ngx_mntreamer_sacrifice_state_e state,
    ngx_mntreamer_result_pt done)
{
    u_char     buf[2][NGX_INT64_LEN];
    ngx_str_t  params[3];

    params[0].data = buf[0];
    params[0].len = ngx_sprintf(buf[0], "%L", one) - buf[0];
    params[1].data = buf[1];
    params[1].len = ngx_sprintf(buf[1], "%L", two) - buf[1];

    /* some have our storage between them */

    params[2] = params[1];

    sf->ask = ngx_mntreamer_catalog_ask(sf->cat, ask, params, 3,
                                        NGX_MNTREAMER_SACRIFICE_MS, done, sf);

    sf->state = sf->ask ? state : NGX_MNTREAMER_SACRIFICE_IDLE;
}


static void
ngx_mntreamer_sacrifice_found(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_sacrifice_t *sf = data;

    ngx_str_t  path;

    sf->ask = NULL;
    sf->state = NGX_MNTREAMER_SACRIFICE_IDLE;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        return;
    }

    if (result->nrows == 0) {
        ngx_mntreamer_sacrifice_none(sf);
        return;
    }

    path = ngx_mntreamer_rows_get(result->rows, 0, 1);

    if (path.len == 0 || path.len >= sizeof(sf->buf)) {
        ngx_mntreamer_sacrifice_pass(sf);
        return;
    }

    sf->id = ngx_mntreamer_rows_i64(result->rows, 0, 0, 0);

    if (ngx_mntreamer_storage_lies(sf->st, &path) != NGX_OK) {

        if (sf->begun && ngx_mntreamer_rows_bool(result->rows, 0, 2)) {
            ngx_mntreamer_sacrifice_tell(sf);
            return;
        }

        ngx_mntreamer_sacrifice_pass(sf);
        return;
    }

    sf->path.data = sf->buf;
    sf->path.len = path.len;
    ngx_memcpy(sf->buf, path.data, path.len);

    sf->room = !sf->begun;

    if (sf->begun) {
        ngx_mntreamer_sacrifice_remove(sf);
        return;
    }

    sf->begun = 1;

    ngx_mntreamer_sacrifice_ask(sf, NGX_MNTREAMER_ASK_SACRIFICE, sf->id,
                                sf->age_s, NGX_MNTREAMER_SACRIFICE_MARKING,
                                ngx_mntreamer_sacrifice_marked);
}


static void
ngx_mntreamer_sacrifice_none(ngx_mntreamer_sacrifice_t *sf)
{
    sf->passed = 0;

    if (sf->begun) {
        sf->begun = 0;
        ngx_mntreamer_sacrifice_run(sf);
        return;
    }

    if (!sf->told) {
        sf->told = 1;
        ngx_log_error(NGX_LOG_WARN, sf->log, 0,
                      "mntreamer: nothing is left that may be deleted");
    }
}


/* the next one */

static void
ngx_mntreamer_sacrifice_pass(ngx_mntreamer_sacrifice_t *sf)
{
    sf->passed++;

    ngx_mntreamer_sacrifice_run(sf);
}


static void
ngx_mntreamer_sacrifice_marked(void *data,
    const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_sacrifice_t *sf = data;

    sf->ask = NULL;
    sf->state = NGX_MNTREAMER_SACRIFICE_IDLE;

    /* no row: it is protected by now, or goes on */

    if (result->rc != NGX_MNTREAMER_PQ_OK || result->nrows == 0) {
        return;
    }

    ngx_mntreamer_sacrifice_remove(sf);
}


static void
ngx_mntreamer_sacrifice_remove(ngx_mntreamer_sacrifice_t *sf)
{
    ngx_mntreamer_removal_t  *removal;

    removal = ngx_alloc(sizeof(ngx_mntreamer_removal_t), sf->log);
    if (removal == NULL) {
        return;
    }

    removal->sf = sf;

    if (ngx_mntreamer_storage_remove(sf->st, &sf->path,
                                     ngx_mntreamer_sacrifice_removed, removal)
        != NGX_OK)
    {
        ngx_free(removal);
        return;
    }

    sf->removal = removal;
    sf->state = NGX_MNTREAMER_SACRIFICE_REMOVING;
}


static void
ngx_mntreamer_sacrifice_removed(void *data, ngx_uint_t rc, ngx_uint_t files)
{
    ngx_mntreamer_removal_t *removal = data;

    ngx_mntreamer_sacrifice_t  *sf;

    sf = removal->sf;
    ngx_free(removal);

    if (sf == NULL) {
        return;
    }

    sf->removal = NULL;
    sf->state = NGX_MNTREAMER_SACRIFICE_IDLE;

    if (rc != NGX_MNTREAMER_STORE_OK) {
        sf->failed = 1;
        sf->failed_ms = ngx_current_msec;
        ngx_mntreamer_sacrifice_pass(sf);
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, sf->log, 0,
                  "mntreamer: recording %L was deleted%s, %ui files of \"%V\"",
                  sf->id, sf->room ? " to make room" : "", files, &sf->path);

    ngx_mntreamer_sacrifice_tell(sf);
}


static void
ngx_mntreamer_sacrifice_tell(ngx_mntreamer_sacrifice_t *sf)
{
    ngx_mntreamer_sacrifice_ask(sf, NGX_MNTREAMER_ASK_REMOVED, sf->id, 0,
                                NGX_MNTREAMER_SACRIFICE_TELLING,
                                ngx_mntreamer_sacrifice_told);
}


static void
ngx_mntreamer_sacrifice_told(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_sacrifice_t *sf = data;

    sf->ask = NULL;
    sf->state = NGX_MNTREAMER_SACRIFICE_IDLE;

    /* how much room there is now is known in a second */

    if (result->rc == NGX_MNTREAMER_PQ_OK && !sf->room) {
        ngx_mntreamer_sacrifice_run(sf);
    }
}
