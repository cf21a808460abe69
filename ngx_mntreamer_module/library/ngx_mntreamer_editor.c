
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "../loop/ngx_mntreamer_inject.h"
#include "ngx_mntreamer_editor.h"


/*
 * state     entered by        waits for              deadline   then
 * IDLE      start, the end    an edited row, or 5 s  -          ASKING
 * ASKING    run()             one that is not told   5 s        WORKING, IDLE,
 *                                                               TELLING
 * WORKING   it lies here      a thread               the disk   TELLING
 * TELLING   the file is there its row                5 s        IDLE
 *
 * All cuts first, then clips.  Whatever fails leads to IDLE and is begun anew;
 * rows that were not told of come first, also at the start.  They may be of
 * several machines: what does not lie below this root is passed over, and so
 * is until the next round what cannot be written.  One begins also when nobody
 * said so: a notification may be lost.
 */

#define NGX_MNTREAMER_EDITOR_MS    5000
#define NGX_MNTREAMER_EDITOR_LOOK  5000


typedef enum {
    NGX_MNTREAMER_EDITOR_IDLE = 0,
    NGX_MNTREAMER_EDITOR_ASKING,
    NGX_MNTREAMER_EDITOR_WORKING,
    NGX_MNTREAMER_EDITOR_TELLING
} ngx_mntreamer_editor_state_e;


typedef struct {
    ngx_mntreamer_editor_t   *ed;             /* alias; NULL: nobody waits */
} ngx_mntreamer_edit_t;

struct ngx_mntreamer_editor_s {
    ngx_mntreamer_editor_state_e  state;
    ngx_mntreamer_storage_t      *st;         /* alias */
    ngx_mntreamer_catalog_t      *cat;        /* alias */
    ngx_log_t                    *log;        /* alias */
    ngx_mntreamer_ask_t          *ask;        /* owned: ASKING, TELLING */
    ngx_mntreamer_edit_t         *edit;       /* owned by its thread's end */
    ngx_uint_t                    due;        /* rows may wait */
    ngx_uint_t                    woken;      /* since this round began */
    ngx_uint_t                    clips;      /* it is their turn */
    int64_t                       passed;     /* of these rows */
    ngx_msec_t                    looked_ms;  /* a round ended */
    int64_t                       id;
    int64_t                       version;    /* of a cut */
};


static void ngx_mntreamer_editor_begin(ngx_mntreamer_editor_t *ed);
static void ngx_mntreamer_editor_ask(ngx_mntreamer_editor_t *ed,
    ngx_uint_t ask, const ngx_str_t *params, ngx_uint_t nparams,
    ngx_mntreamer_editor_state_e state, ngx_mntreamer_result_pt done);
static void ngx_mntreamer_editor_found(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_editor_none(ngx_mntreamer_editor_t *ed);
static void ngx_mntreamer_editor_pass(ngx_mntreamer_editor_t *ed);
static void ngx_mntreamer_editor_work(ngx_mntreamer_editor_t *ed,
    ngx_str_t *path, const ngx_mntreamer_result_t *result);
static ngx_mntreamer_editor_t *ngx_mntreamer_editor_worked(
    ngx_mntreamer_edit_t *edit, ngx_uint_t rc);
static void ngx_mntreamer_editor_cut(void *data,
    const ngx_mntreamer_cut_done_t *cut);
static void ngx_mntreamer_editor_clipped(void *data,
    const ngx_mntreamer_clip_done_t *clip);
static void ngx_mntreamer_editor_tell(ngx_mntreamer_editor_t *ed,
    const char *refused, const int64_t *numbers, ngx_uint_t n);
static void ngx_mntreamer_editor_told(void *data,
    const ngx_mntreamer_result_t *result);


ngx_mntreamer_editor_t *
ngx_mntreamer_editor_create(ngx_mntreamer_storage_t *st,
    ngx_mntreamer_catalog_t *cat, ngx_log_t *log)
{
    ngx_mntreamer_editor_t  *ed;

    ed = ngx_calloc(sizeof(ngx_mntreamer_editor_t), log);
    if (ed == NULL) {
        return NULL;
    }

    ed->st = st;
    ed->cat = cat;
    ed->log = log;

    ngx_mntreamer_editor_begin(ed);

    return ed;
}


void
ngx_mntreamer_editor_destroy(ngx_mntreamer_editor_t *ed)
{
    if (ed->ask) {
        ngx_mntreamer_catalog_ask_cancel(ed->ask);
    }

    if (ed->edit) {
        ed->edit->ed = NULL;
    }

    ngx_free(ed);
}


/* a round; one that is under way ends, and another one follows */

static void
ngx_mntreamer_editor_begin(ngx_mntreamer_editor_t *ed)
{
    if (ed->due) {
        ed->woken = 1;
        return;
    }

    ed->due = 1;
    ed->woken = 0;
    ed->clips = 0;
    ed->passed = 0;
}


void
ngx_mntreamer_editor_wake(ngx_mntreamer_editor_t *ed)
{
    ngx_mntreamer_editor_begin(ed);
    ngx_mntreamer_editor_run(ed);
}


void
ngx_mntreamer_editor_run(ngx_mntreamer_editor_t *ed)
{
    u_char     buf[NGX_INT64_LEN];
    ngx_str_t  params[2];

    if (ed->state != NGX_MNTREAMER_EDITOR_IDLE) {
        return;
    }

    if (!ed->due
        && ngx_current_msec - ed->looked_ms >= NGX_MNTREAMER_EDITOR_LOOK)
    {
        ngx_mntreamer_editor_begin(ed);
    }

    if (!ed->due || ngx_mntreamer_storage_space(ed->st)->read_only) {
        return;
    }

    params[0].data = buf;
    params[0].len = ngx_sprintf(buf, "%L", ed->passed) - buf;
    ngx_str_null(&params[1]);

    ngx_mntreamer_editor_ask(ed, ed->clips ? NGX_MNTREAMER_ASK_CLIP_PENDING
                                           : NGX_MNTREAMER_ASK_CUT_PENDING,
                             params, 2, NGX_MNTREAMER_EDITOR_ASKING,
                             ngx_mntreamer_editor_found);
}


static void
ngx_mntreamer_editor_ask(ngx_mntreamer_editor_t *ed, ngx_uint_t ask,
    const ngx_str_t *params, ngx_uint_t nparams,
    ngx_mntreamer_editor_state_e state, ngx_mntreamer_result_pt done)
{
    ed->ask = ngx_mntreamer_catalog_ask(ed->cat, ask, params, nparams,
                                        NGX_MNTREAMER_EDITOR_MS, done, ed);

    ed->state = ed->ask ? state : NGX_MNTREAMER_EDITOR_IDLE;
}


static void
ngx_mntreamer_editor_found(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_editor_t *ed = data;

    ngx_int_t  lies;
    ngx_str_t  path;

    ed->ask = NULL;
    ed->state = NGX_MNTREAMER_EDITOR_IDLE;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        return;
    }

    if (result->nrows == 0) {
        ngx_mntreamer_editor_none(ed);
        return;
    }

    ed->id = ngx_mntreamer_rows_i64(result->rows, 0, 0, 0);
    ed->version = ngx_mntreamer_rows_i64(result->rows, 0, 2, 0);
    path = ngx_mntreamer_rows_get(result->rows, 0, 1);

    lies = ngx_mntreamer_storage_lies(ed->st, &path);

    if (lies == NGX_OK) {
        ngx_mntreamer_editor_work(ed, &path, result);
        return;
    }

    if (lies == NGX_DECLINED
        && ngx_mntreamer_rows_bool(result->rows, 0, ed->clips ? 5 : 4))
    {
        ngx_mntreamer_editor_tell(ed, "its files are gone", NULL, 0);
        return;
    }

    ngx_mntreamer_editor_pass(ed);
}


static void
ngx_mntreamer_editor_none(ngx_mntreamer_editor_t *ed)
{
    if (!ed->clips) {
        ed->clips = 1;
        ed->passed = 0;

    } else {
        ed->due = 0;
        ed->looked_ms = ngx_current_msec;

        /* the answers may be older than what was told meanwhile */

        if (ed->woken) {
            ngx_mntreamer_editor_begin(ed);
        }
    }

    ngx_mntreamer_editor_run(ed);
}


/* the next one */

static void
ngx_mntreamer_editor_pass(ngx_mntreamer_editor_t *ed)
{
    ed->passed++;

    ngx_mntreamer_editor_run(ed);
}


static void
ngx_mntreamer_editor_work(ngx_mntreamer_editor_t *ed, ngx_str_t *path,
    const ngx_mntreamer_result_t *result)
{
    ngx_int_t              rc;
    ngx_str_t              text;
    ngx_mntreamer_edit_t  *edit;

    edit = ngx_alloc(sizeof(ngx_mntreamer_edit_t), ed->log);
    if (edit == NULL) {
        return;
    }

    edit->ed = ed;

    if (ed->clips) {
        text = ngx_mntreamer_rows_get(result->rows, 0, 2);

        rc = ngx_mntreamer_storage_clip(ed->st, path, &text, ed->id,
                             ngx_mntreamer_rows_i64(result->rows, 0, 3, 0),
                             ngx_mntreamer_rows_i64(result->rows, 0, 4, 0),
                             ngx_mntreamer_editor_clipped, edit);

    } else {
        text = ngx_mntreamer_rows_get(result->rows, 0, 3);

        rc = ngx_mntreamer_storage_cut(ed->st, path, (uint64_t) ed->version,
                                       &text, ngx_mntreamer_editor_cut, edit);
    }

    if (rc != NGX_OK) {
        ngx_free(edit);
        return;
    }

    ed->edit = edit;
    ed->state = NGX_MNTREAMER_EDITOR_WORKING;
}


/* NULL: there is nothing to be told */

static ngx_mntreamer_editor_t *
ngx_mntreamer_editor_worked(ngx_mntreamer_edit_t *edit, ngx_uint_t rc)
{
    ngx_mntreamer_editor_t  *ed;

    ed = edit->ed;
    ngx_free(edit);

    if (ed == NULL) {
        return NULL;
    }

    ed->edit = NULL;
    ed->state = NGX_MNTREAMER_EDITOR_IDLE;

    if (rc != NGX_MNTREAMER_STORE_OK) {
        ngx_mntreamer_editor_pass(ed);
        return NULL;
    }

    ngx_mntreamer_inject("edit_written");

    return ed;
}


static void
ngx_mntreamer_editor_cut(void *data, const ngx_mntreamer_cut_done_t *cut)
{
    int64_t                  numbers[2];
    ngx_mntreamer_editor_t  *ed;

    ed = ngx_mntreamer_editor_worked(data, cut->rc);

    if (ed == NULL) {
        return;
    }

    numbers[0] = (int64_t) cut->segments;
    numbers[1] = cut->us;

    ngx_mntreamer_editor_tell(ed, cut->refused, numbers, cut->known ? 2 : 0);
}


static void
ngx_mntreamer_editor_clipped(void *data, const ngx_mntreamer_clip_done_t *clip)
{
    int64_t                  numbers[3];
    ngx_mntreamer_editor_t  *ed;

    ed = ngx_mntreamer_editor_worked(data, clip->rc);

    if (ed == NULL) {
        return;
    }

    numbers[0] = (int64_t) clip->segments;
    numbers[1] = (int64_t) clip->bytes;
    numbers[2] = clip->us;

    ngx_mntreamer_editor_tell(ed, clip->refused, numbers, 3);
}


/* id, of a cut its version, NULL or why it was refused, numbers */

static void
ngx_mntreamer_editor_tell(ngx_mntreamer_editor_t *ed, const char *refused,
    const int64_t *numbers, ngx_uint_t n)
{
    u_char      buf[5][NGX_INT64_LEN];
    ngx_str_t   params[5], *p;
    ngx_uint_t  i;

    ngx_memzero(params, sizeof(params));

    p = params;
    p->data = buf[0];
    p->len = ngx_sprintf(buf[0], "%L", ed->id) - buf[0];
    p++;

    if (!ed->clips) {
        p->data = buf[1];
        p->len = ngx_sprintf(buf[1], "%L", ed->version) - buf[1];
        p++;
    }

    if (refused) {
        p->data = (u_char *) refused;
        p->len = ngx_strlen(refused);

        ngx_log_error(NGX_LOG_WARN, ed->log, 0, "mntreamer: %s %L: %s",
                      ed->clips ? "no clip" : "no cut of recording", ed->id,
                      refused);
    }

    p++;

    for (i = 0; i < n; i++, p++) {
        p->data = buf[2 + i];
        p->len = ngx_sprintf(buf[2 + i], "%L", numbers[i]) - buf[2 + i];
    }

    ngx_mntreamer_editor_ask(ed, ed->clips ? NGX_MNTREAMER_ASK_CLIP_TOLD
                                           : NGX_MNTREAMER_ASK_CUT_TOLD,
                             params, 5, NGX_MNTREAMER_EDITOR_TELLING,
                             ngx_mntreamer_editor_told);
}


static void
ngx_mntreamer_editor_told(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_editor_t *ed = data;

    ed->ask = NULL;
    ed->state = NGX_MNTREAMER_EDITOR_IDLE;

    if (result->rc == NGX_MNTREAMER_PQ_OK) {
        ngx_mntreamer_editor_run(ed);
    }
}
