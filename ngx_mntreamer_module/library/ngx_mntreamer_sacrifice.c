
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
 * ASKING    run()             a marked row, or      5 s        MARKING, IDLE
 *                             the oldest one                   WORKING
 * MARKING   its files are to  its row               5 s        WORKING, IDLE
 *           go
 * WORKING   it is marked      a thread              the disk   TELLING
 * TELLING   that is done      its row               5 s        IDLE
 *
 * Whatever fails leads to IDLE and is begun anew; a row that is marked and
 * whose files are not yet where they are to be comes first then, also at the
 * start, and also when there is room enough by now.  The rows may be of
 * several machines: what does not lie below this root is passed over.  So is
 * for some seconds what cannot be removed.
 */

#define NGX_MNTREAMER_SACRIFICE_MS     5000
#define NGX_MNTREAMER_SACRIFICE_AGAIN  5000
#define NGX_MNTREAMER_SACRIFICE_LOOK   60000  /* also when nobody said so */
#define NGX_MNTREAMER_SACRIFICE_LATE   100    /* behind what is due */


typedef enum {
    NGX_MNTREAMER_SACRIFICE_IDLE = 0,
    NGX_MNTREAMER_SACRIFICE_ASKING,
    NGX_MNTREAMER_SACRIFICE_MARKING,
    NGX_MNTREAMER_SACRIFICE_WORKING,
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
    ngx_uint_t                       how;     /* ngx_mntreamer_removal_e */
    const char                      *why;     /* for the log */
    ngx_uint_t                       asked;   /* for MARKED, or OLDEST */
    ngx_uint_t                       stays;   /* it is not hidden any more */
    ngx_uint_t                       files;   /* that went */
    ngx_uint_t                       told;    /* that nothing is left */
    ngx_uint_t                       woken;   /* since it asked */
    ngx_uint_t                       begun;   /* rows may be marked, with their
                                                 files still there */
    ngx_msec_t                       due_ms;  /* then some may be again */
    ngx_uint_t                       failed;  /* some were passed over, */
    ngx_msec_t                       failed_ms;  /* last at */
    ngx_str_t                        path;    /* in "buf" */
    u_char                           buf[1024];
};


typedef struct {
    const char  *word;                        /* deleted_why */
    const char  *text;
} ngx_mntreamer_sacrifice_why_t;


static ngx_uint_t ngx_mntreamer_sacrifice_short(
    ngx_mntreamer_sacrifice_t *sf);
static void ngx_mntreamer_sacrifice_none(ngx_mntreamer_sacrifice_t *sf);
static void ngx_mntreamer_sacrifice_pass(ngx_mntreamer_sacrifice_t *sf);
static void ngx_mntreamer_sacrifice_failed(ngx_mntreamer_sacrifice_t *sf);
static void ngx_mntreamer_sacrifice_tell(ngx_mntreamer_sacrifice_t *sf);
static void ngx_mntreamer_sacrifice_ask(ngx_mntreamer_sacrifice_t *sf,
    ngx_uint_t ask, int64_t one, int64_t two,
    ngx_mntreamer_sacrifice_state_e state, ngx_mntreamer_result_pt done);
static void ngx_mntreamer_sacrifice_found(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_sacrifice_take(ngx_mntreamer_sacrifice_t *sf,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_sacrifice_why(ngx_mntreamer_sacrifice_t *sf,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_sacrifice_due(ngx_mntreamer_sacrifice_t *sf,
    int64_t ms);
static void ngx_mntreamer_sacrifice_marked(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_sacrifice_work(ngx_mntreamer_sacrifice_t *sf);
static void ngx_mntreamer_sacrifice_worked(void *data, ngx_uint_t rc,
    ngx_uint_t files);
static void ngx_mntreamer_sacrifice_told(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_sacrifice_log(ngx_mntreamer_sacrifice_t *sf);


static const ngx_mntreamer_sacrifice_why_t  ngx_mntreamer_sacrifice_whys[] = {
    { "room", " to make room" },
    { "age", " for its age" },
    { "size", " by a rule of size" },
    { "count", " by a rule of number" },
    { NULL, "" }
};

/* in the order of ngx_mntreamer_removal_e */

static const ngx_uint_t  ngx_mntreamer_sacrifice_ends[] = {
    NGX_MNTREAMER_ASK_REMOVED, NGX_MNTREAMER_ASK_HIDDEN,
    NGX_MNTREAMER_ASK_SHOWN, NGX_MNTREAMER_ASK_REMOVED
};


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
    sf->woken = 1;

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
        sf->woken = 1;
    }

    if (sf->woken || (ngx_msec_int_t) (ngx_current_msec - sf->due_ms) >= 0) {
        sf->woken = 0;
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

    sf->asked = sf->begun ? NGX_MNTREAMER_ASK_MARKED
                          : NGX_MNTREAMER_ASK_OLDEST;

    ngx_mntreamer_sacrifice_ask(sf, sf->asked, sf->passed, sf->age_s,
                                NGX_MNTREAMER_SACRIFICE_ASKING,
                                ngx_mntreamer_sacrifice_found);
}


void
ngx_mntreamer_sacrifice_wake(ngx_mntreamer_sacrifice_t *sf)
{
    sf->woken = 1;

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

    ngx_int_t  lies;
    ngx_str_t  path;

    sf->ask = NULL;
    sf->state = NGX_MNTREAMER_SACRIFICE_IDLE;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        return;
    }

    sf->id = result->nrows ? ngx_mntreamer_rows_i64(result->rows, 0, 0, 0) : 0;

    if (sf->id == 0) {

        if (sf->asked == NGX_MNTREAMER_ASK_MARKED) {
            ngx_mntreamer_sacrifice_due(sf, result->nrows
                ? ngx_mntreamer_rows_i64(result->rows, 0, 5,
                                         NGX_MNTREAMER_SACRIFICE_LOOK)
                : NGX_MNTREAMER_SACRIFICE_LOOK);
        }

        ngx_mntreamer_sacrifice_none(sf);
        return;
    }

    path = ngx_mntreamer_rows_get(result->rows, 0, 1);

    if (path.len == 0 || path.len >= sizeof(sf->buf)) {
        ngx_mntreamer_sacrifice_pass(sf);
        return;
    }

    sf->path.data = sf->buf;
    sf->path.len = path.len;
    ngx_memcpy(sf->buf, path.data, path.len);

    ngx_mntreamer_sacrifice_why(sf, result);

    lies = ngx_mntreamer_storage_lies(sf->st, &path);

    if (lies == NGX_OK) {
        ngx_mntreamer_sacrifice_take(sf, result);
        return;
    }

    if (lies == NGX_ERROR) {
        ngx_mntreamer_sacrifice_failed(sf);
        return;
    }

    if (sf->asked == NGX_MNTREAMER_ASK_MARKED
        && ngx_mntreamer_rows_bool(result->rows, 0, 2))
    {
        sf->how = NGX_MNTREAMER_REMOVAL_FILES;
        sf->files = 0;
        ngx_mntreamer_sacrifice_tell(sf);
        return;
    }

    ngx_mntreamer_sacrifice_pass(sf);
}


static void
ngx_mntreamer_sacrifice_take(ngx_mntreamer_sacrifice_t *sf,
    const ngx_mntreamer_result_t *result)
{
    ngx_int_t   shown;
    ngx_str_t   how;
    ngx_uint_t  ask;

    sf->stays = 0;

    if (sf->asked == NGX_MNTREAMER_ASK_MARKED) {
        how = ngx_mntreamer_rows_get(result->rows, 0, 3);
        ask = NGX_MNTREAMER_ASK_PURGE;

    } else {
        ngx_str_set(&how, "files");
        ask = NGX_MNTREAMER_ASK_SACRIFICE;

        sf->passed = 0;
        sf->begun = 1;
    }

    if (how.len == 4) {
        sf->how = (how.data[0] == 'h') ? NGX_MNTREAMER_REMOVAL_HIDE
                                       : NGX_MNTREAMER_REMOVAL_SHOW;
        ngx_mntreamer_sacrifice_work(sf);
        return;
    }

    sf->how = NGX_MNTREAMER_REMOVAL_FILES;

    /* it was brought back by what a database that was restored forgot */

    if (how.len == 6) {
        sf->how = NGX_MNTREAMER_REMOVAL_HIDDEN;

        shown = ngx_mntreamer_storage_shown(sf->st, &sf->path);

        if (shown == NGX_ERROR) {
            ngx_mntreamer_sacrifice_failed(sf);
            return;
        }

        sf->stays = (shown == NGX_OK);
    }

    ngx_mntreamer_sacrifice_ask(sf, ask, sf->id,
                                ask == NGX_MNTREAMER_ASK_PURGE
                                ? (int64_t) sf->stays : sf->age_s,
                                NGX_MNTREAMER_SACRIFICE_MARKING,
                                ngx_mntreamer_sacrifice_marked);
}


static void
ngx_mntreamer_sacrifice_why(ngx_mntreamer_sacrifice_t *sf,
    const ngx_mntreamer_result_t *result)
{
    ngx_str_t   why;
    ngx_uint_t  i;

    if (sf->asked == NGX_MNTREAMER_ASK_MARKED) {
        why = ngx_mntreamer_rows_get(result->rows, 0, 4);

    } else {
        ngx_str_set(&why, "room");
    }

    for (i = 0; ngx_mntreamer_sacrifice_whys[i].word; i++) {
        if (why.len == ngx_strlen(ngx_mntreamer_sacrifice_whys[i].word)
            && ngx_memcmp(why.data, ngx_mntreamer_sacrifice_whys[i].word,
                          why.len) == 0)
        {
            break;
        }
    }

    sf->why = ngx_mntreamer_sacrifice_whys[i].text;
}


static void
ngx_mntreamer_sacrifice_due(ngx_mntreamer_sacrifice_t *sf, int64_t ms)
{
    ms = ngx_max(ms, 0) + NGX_MNTREAMER_SACRIFICE_LATE;
    ms = ngx_min(ms, NGX_MNTREAMER_SACRIFICE_LOOK);

    sf->due_ms = ngx_current_msec + (ngx_msec_t) ms;
}


static void
ngx_mntreamer_sacrifice_none(ngx_mntreamer_sacrifice_t *sf)
{
    sf->passed = 0;

    if (sf->asked == NGX_MNTREAMER_ASK_MARKED) {
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


/* the next one, and this one again later */

static void
ngx_mntreamer_sacrifice_failed(ngx_mntreamer_sacrifice_t *sf)
{
    sf->failed = 1;
    sf->failed_ms = ngx_current_msec;

    ngx_mntreamer_sacrifice_pass(sf);
}


static void
ngx_mntreamer_sacrifice_marked(void *data,
    const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_sacrifice_t *sf = data;

    sf->ask = NULL;
    sf->state = NGX_MNTREAMER_SACRIFICE_IDLE;

    /* no row: it is protected by now, goes on, or is brought back */

    if (result->rc != NGX_MNTREAMER_PQ_OK || result->nrows == 0) {
        return;
    }

    if (sf->stays) {
        ngx_log_error(NGX_LOG_WARN, sf->log, 0,
                      "mntreamer: recording %L stays, for \"%V\" is not in "
                      "the trash as its row says", sf->id, &sf->path);

        ngx_mntreamer_sacrifice_run(sf);
        return;
    }

    ngx_mntreamer_sacrifice_work(sf);
}


static void
ngx_mntreamer_sacrifice_work(ngx_mntreamer_sacrifice_t *sf)
{
    ngx_mntreamer_removal_t  *removal;

    removal = ngx_alloc(sizeof(ngx_mntreamer_removal_t), sf->log);
    if (removal == NULL) {
        return;
    }

    removal->sf = sf;

    if (ngx_mntreamer_storage_remove(sf->st, sf->how, &sf->path,
                                     ngx_mntreamer_sacrifice_worked, removal)
        != NGX_OK)
    {
        ngx_free(removal);
        return;
    }

    sf->removal = removal;
    sf->state = NGX_MNTREAMER_SACRIFICE_WORKING;
}


static void
ngx_mntreamer_sacrifice_worked(void *data, ngx_uint_t rc, ngx_uint_t files)
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
        ngx_mntreamer_sacrifice_failed(sf);
        return;
    }

    sf->files = files;

    ngx_mntreamer_sacrifice_tell(sf);
}


static void
ngx_mntreamer_sacrifice_tell(ngx_mntreamer_sacrifice_t *sf)
{
    ngx_mntreamer_sacrifice_ask(sf, ngx_mntreamer_sacrifice_ends[sf->how],
                                sf->id, 0, NGX_MNTREAMER_SACRIFICE_TELLING,
                                ngx_mntreamer_sacrifice_told);
}


static void
ngx_mntreamer_sacrifice_told(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_sacrifice_t *sf = data;

    ngx_uint_t  deleted;

    sf->ask = NULL;
    sf->state = NGX_MNTREAMER_SACRIFICE_IDLE;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        return;
    }

    deleted = 1;

    if (result->nrows) {
        deleted = ngx_mntreamer_rows_bool(result->rows, 0, 0);

        if (ngx_mntreamer_rows_bool(result->rows, 0, 1)) {
            ngx_mntreamer_sacrifice_log(sf);
        }
    }

    /* another nginx of this storage brought it back meanwhile */

    if (!deleted && sf->how == NGX_MNTREAMER_REMOVAL_HIDE) {
        sf->how = NGX_MNTREAMER_REMOVAL_SHOW;
        ngx_mntreamer_sacrifice_work(sf);
        return;
    }

    /* how much room there is now is known in a second */

    if (sf->asked == NGX_MNTREAMER_ASK_MARKED) {
        ngx_mntreamer_sacrifice_run(sf);
    }
}


static void
ngx_mntreamer_sacrifice_log(ngx_mntreamer_sacrifice_t *sf)
{
    switch (sf->how) {

    case NGX_MNTREAMER_REMOVAL_HIDE:
        ngx_log_error(NGX_LOG_NOTICE, sf->log, 0,
                      "mntreamer: recording %L was put into the trash%s, "
                      "with \"%V\"", sf->id, sf->why, &sf->path);
        break;

    case NGX_MNTREAMER_REMOVAL_SHOW:
        ngx_log_error(NGX_LOG_NOTICE, sf->log, 0,
                      "mntreamer: recording %L was brought back, with \"%V\"",
                      sf->id, &sf->path);
        break;

    default: /* NGX_MNTREAMER_REMOVAL_FILES, _HIDDEN */
        ngx_log_error(NGX_LOG_NOTICE, sf->log, 0,
                      "mntreamer: recording %L was deleted%s, %ui files of "
                      "\"%V\"", sf->id, sf->why, sf->files, &sf->path);
    }
}
