
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * state      entered by           waits for       deadline        then
 * IDLE       start, all ends      a due job       -               CLAIMING
 * CLAIMING   run()                the database    its time-out    PREPARING,
 *                                                                 CLEANING,
 *                                                                 IDLE
 * PREPARING  it is to be made     a thread        the disk        MAKING,
 *                                                                 CLEANING
 * MAKING     it is known of what  ffmpeg          1 h and as long CHECKING,
 *                                                 as it plays     STOPPING,
 *                                                                 CLEANING
 * STOPPING   it was cancelled,    ffmpeg's end    500 ms, then it CLEANING
 *            recordings pause                     is killed
 *            for room
 * CHECKING   ffmpeg succeeded     is it ours yet  again each 1 s  STORING,
 *                                                                 CLEANING
 * STORING    it is                a thread        the disk        TELLING,
 *                                                                 CLEANING
 * CLEANING   it failed, it was    a thread        the disk        TELLING
 *            cancelled
 * TELLING    its end is known     the database    while it is     IDLE
 *                                                 away
 *
 * drain() gives back what is in CLAIMING, PREPARING, MAKING or STOPPING: it
 * goes to TELLING from there, as one does whose recording has no path.
 *
 * From PREPARING to CLEANING its lease is renewed each second, with how far it
 * is: a thread waits for a slow disk for minutes.  The answer says whether it
 * was cancelled, or another engine has it.  Whoever freezes and wakes up finds
 * that, too, before what it has made gets its name.  What a thread does is
 * awaited all the same.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "../loop/ngx_mntreamer_child.h"
#include "../storage/mnt_export.h"
#include "ngx_mntreamer_job.h"


#define NGX_MNTREAMER_JOB_LOOK_MS    5000
#define NGX_MNTREAMER_JOB_TRIES      5
#define NGX_MNTREAMER_JOB_PAUSE_MS   5000     /* doubled by each try */
#define NGX_MNTREAMER_JOB_ROOM_MS    60000
#define NGX_MNTREAMER_JOB_MS         3600000
#define NGX_MNTREAMER_JOB_GRACE_MS   500
#define NGX_MNTREAMER_JOB_NICE       15
#define NGX_MNTREAMER_JOB_MEMORY     ((size_t) 2 * 1024 * 1024 * 1024)


typedef enum {
    NGX_MNTREAMER_JOB_IDLE = 0,
    NGX_MNTREAMER_JOB_CLAIMING,
    NGX_MNTREAMER_JOB_PREPARING,
    NGX_MNTREAMER_JOB_MAKING,
    NGX_MNTREAMER_JOB_STOPPING,
    NGX_MNTREAMER_JOB_CHECKING,
    NGX_MNTREAMER_JOB_STORING,
    NGX_MNTREAMER_JOB_CLEANING,
    NGX_MNTREAMER_JOB_TELLING
} ngx_mntreamer_job_state_e;


/* in the order of the metric's words */

typedef enum {
    NGX_MNTREAMER_JOB_DONE = 0,
    NGX_MNTREAMER_JOB_AGAIN,
    NGX_MNTREAMER_JOB_FAILED,
    NGX_MNTREAMER_JOB_CANCELLED
} ngx_mntreamer_job_result_e;

#define ngx_mntreamer_job_count(j, result)                                    \
    ngx_mntreamer_metrics_add((j)->jobs->metrics, NGX_MNTREAMER_M_JOBS,       \
                              result, 1)


typedef struct {
    ngx_mntreamer_job_state_e    state;
    ngx_mntreamer_jobs_t        *jobs;        /* alias */
    ngx_mntreamer_statement_t   *st;          /* owned by the connection */
    ngx_mntreamer_export_t      *export;      /* owned by its thread's end */
    ngx_mntreamer_child_t       *child;       /* owned; MAKING, STOPPING */
    ngx_mntreamer_export_conf_t  conf;        /* its dir is "path" */
    int64_t                      attempts;
    int64_t                      recording_id;
    int64_t                      whole_us;
    int64_t                      at_us;
    int64_t                      rate;
    ngx_msec_t                   since;
    ngx_uint_t                   lost;        /* :1; it was cancelled, or is
                                                 another engine's */
    ngx_mntreamer_job_told_t     told;        /* its texts are below */
    u_char                       path[1024];
    u_char                       error[256];
    ngx_mntreamer_export_names_t names;
} ngx_mntreamer_job_t;

struct ngx_mntreamer_jobs_s {
    ngx_mntreamer_storage_t     *st;          /* alias */
    ngx_mntreamer_catalog_t     *cat;         /* alias */
    ngx_mntreamer_metrics_t     *metrics;     /* alias */
    ngx_log_t                   *log;         /* alias */
    ngx_mntreamer_children_t    *children;    /* owned; NULL: not needed yet */
    ngx_msec_t                   looked_ms;
    unsigned                     look:1;      /* there may be one */
    unsigned                     draining:1;
    ngx_uint_t                   n;
    ngx_mntreamer_job_t          job[NGX_MNTREAMER_JOBS_MAX];
};


static void ngx_mntreamer_jobs_claim(ngx_mntreamer_jobs_t *jobs);
static void ngx_mntreamer_job_claimed(void *data,
    const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_mntreamer_job_read(ngx_mntreamer_job_t *j,
    const ngx_mntreamer_rows_t *rows);
static void ngx_mntreamer_job_prepared(void *data,
    const ngx_mntreamer_exported_t *x);
static void ngx_mntreamer_job_make(ngx_mntreamer_job_t *j);
static void ngx_mntreamer_job_line(void *data, ngx_str_t *line);
static void ngx_mntreamer_job_made(void *data,
    const ngx_mntreamer_child_result_t *result);
static void ngx_mntreamer_job_renew(ngx_mntreamer_job_t *j);
static void ngx_mntreamer_job_renewed(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_job_cancelled(ngx_mntreamer_job_t *j);
static void ngx_mntreamer_job_yield(ngx_mntreamer_job_t *j);
static void ngx_mntreamer_job_stop(ngx_mntreamer_job_t *j, const char *word);
static void ngx_mntreamer_job_store(ngx_mntreamer_job_t *j);
static void ngx_mntreamer_job_stored(void *data,
    const ngx_mntreamer_exported_t *x);
static void ngx_mntreamer_job_failed(ngx_mntreamer_job_t *j, const char *why,
    ngx_uint_t again);
static void ngx_mntreamer_job_end(ngx_mntreamer_job_t *j, const char *word);
static void ngx_mntreamer_job_clean(ngx_mntreamer_job_t *j);
static void ngx_mntreamer_job_cleaned(void *data,
    const ngx_mntreamer_exported_t *x);
static void ngx_mntreamer_job_tell(ngx_mntreamer_job_t *j);
static void ngx_mntreamer_job_over(void *data,
    const ngx_mntreamer_result_t *result);


ngx_mntreamer_jobs_t *
ngx_mntreamer_jobs_create(ngx_uint_t n, ngx_mntreamer_storage_t *st,
    ngx_mntreamer_catalog_t *cat, ngx_mntreamer_metrics_t *metrics,
    ngx_log_t *log)
{
    ngx_uint_t             i;
    ngx_mntreamer_jobs_t  *jobs;

    jobs = ngx_calloc(sizeof(ngx_mntreamer_jobs_t), log);
    if (jobs == NULL) {
        return NULL;
    }

    jobs->st = st;
    jobs->cat = cat;
    jobs->metrics = metrics;
    jobs->log = log;
    jobs->look = 1;
    jobs->n = ngx_min(n, NGX_MNTREAMER_JOBS_MAX);

    for (i = 0; i < jobs->n; i++) {
        jobs->job[i].jobs = jobs;
    }

    return jobs;
}


void
ngx_mntreamer_jobs_destroy(ngx_mntreamer_jobs_t *jobs)
{
    ngx_uint_t            i;
    ngx_mntreamer_job_t  *j;

    for (i = 0; i < jobs->n; i++) {
        j = &jobs->job[i];

        if (j->st) {
            ngx_mntreamer_catalog_job_forget(j->st);
        }

        if (j->export) {
            ngx_mntreamer_export_cancel(j->export);
        }
    }

    /* it kills what they run */

    if (jobs->children) {
        ngx_mntreamer_children_destroy(jobs->children);
    }

    ngx_free(jobs);
}


void
ngx_mntreamer_jobs_run(ngx_mntreamer_jobs_t *jobs)
{
    ngx_uint_t            i;
    ngx_mntreamer_job_t  *j;

    for (i = 0; i < jobs->n; i++) {
        j = &jobs->job[i];

        if (j->st) {
            continue;
        }

        if (j->export) {
            ngx_mntreamer_job_renew(j);
            continue;
        }

        switch (j->state) {

        case NGX_MNTREAMER_JOB_MAKING:

            if (ngx_mntreamer_storage_space(jobs->st)->paused) {
                ngx_mntreamer_job_yield(j);
                break;
            }

            /* fall through */

        case NGX_MNTREAMER_JOB_STOPPING:
        case NGX_MNTREAMER_JOB_CHECKING:
            ngx_mntreamer_job_renew(j);
            break;

        /* what could not be begun */

        case NGX_MNTREAMER_JOB_STORING:
            ngx_mntreamer_job_store(j);
            break;

        case NGX_MNTREAMER_JOB_CLEANING:
            ngx_mntreamer_job_clean(j);
            break;

        case NGX_MNTREAMER_JOB_TELLING:
            ngx_mntreamer_job_tell(j);
            break;

        default:
            break;
        }
    }

    if (jobs->look || ngx_current_msec - jobs->looked_ms
                      >= NGX_MNTREAMER_JOB_LOOK_MS)
    {
        ngx_mntreamer_jobs_claim(jobs);
    }
}


void
ngx_mntreamer_jobs_wake(ngx_mntreamer_jobs_t *jobs)
{
    jobs->look = 1;

    ngx_mntreamer_jobs_run(jobs);
}


void
ngx_mntreamer_jobs_drain(ngx_mntreamer_jobs_t *jobs)
{
    ngx_uint_t            i;
    ngx_mntreamer_job_t  *j;

    jobs->draining = 1;

    for (i = 0; i < jobs->n; i++) {
        j = &jobs->job[i];

        if (j->state != NGX_MNTREAMER_JOB_PREPARING
            && j->state != NGX_MNTREAMER_JOB_MAKING
            && j->state != NGX_MNTREAMER_JOB_STOPPING)
        {
            continue;
        }

        if (j->export) {
            ngx_mntreamer_export_cancel(j->export);
            j->export = NULL;
        }

        if (j->child) {
            ngx_mntreamer_child_cancel(j->child);
            j->child = NULL;
        }

        /* whoever takes it next removes what is left of it */

        j->told.word = "back";
        ngx_mntreamer_job_tell(j);
    }
}


/* one at a time, so that a look that finds nothing is one for all */

static void
ngx_mntreamer_jobs_claim(ngx_mntreamer_jobs_t *jobs)
{
    ngx_uint_t            i;
    ngx_mntreamer_job_t  *j, *idle;

    idle = NULL;

    for (i = 0; i < jobs->n; i++) {
        j = &jobs->job[i];

        if (j->state == NGX_MNTREAMER_JOB_CLAIMING) {
            return;
        }

        if (j->state == NGX_MNTREAMER_JOB_IDLE && idle == NULL) {
            idle = j;
        }
    }

    if (idle == NULL || jobs->draining
        || ngx_mntreamer_storage_space(jobs->st)->read_only)
    {
        return;
    }

    idle->st = ngx_mntreamer_catalog_job_claim(jobs->cat,
                                               ngx_mntreamer_job_claimed,
                                               idle);
    if (idle->st == NULL) {
        return;
    }

    idle->state = NGX_MNTREAMER_JOB_CLAIMING;

    jobs->looked_ms = ngx_current_msec;
    jobs->look = 0;
}


static void
ngx_mntreamer_job_claimed(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_job_t *j = data;

    ngx_int_t              rc;
    ngx_uint_t             runs;
    ngx_mntreamer_jobs_t  *jobs;

    jobs = j->jobs;

    j->st = NULL;
    j->state = NGX_MNTREAMER_JOB_IDLE;

    if (result->rc != NGX_MNTREAMER_PQ_OK || result->nrows == 0) {

        /* told of one meanwhile */

        if (jobs->look && result->rc == NGX_MNTREAMER_PQ_OK) {
            ngx_mntreamer_jobs_claim(jobs);
        }

        return;
    }

    runs = ngx_mntreamer_rows_bool(result->rows, 0, NGX_MNTREAMER_JOB_RUNS);

    rc = ngx_mntreamer_job_read(j, result->rows);

    if (!runs) {
        j->conf.all = 1;
        ngx_mntreamer_job_end(j, "clean");

    } else if (jobs->draining) {
        j->told.word = "back";
        ngx_mntreamer_job_tell(j);

    } else if (rc != NGX_OK) {
        ngx_mntreamer_job_failed(j, "no directory has its recording's path",
                                 0);

    } else if (j->attempts > NGX_MNTREAMER_JOB_TRIES) {
        ngx_mntreamer_job_failed(j, "whoever tried it has died of it", 0);

    } else {
        j->state = NGX_MNTREAMER_JOB_PREPARING;
        j->export = ngx_mntreamer_export_prepare(jobs->st, &j->conf,
                                                 ngx_mntreamer_job_prepared,
                                                 j);
        if (j->export == NULL) {
            ngx_mntreamer_job_failed(j, "there was no thread for it", 1);
        }
    }

    /* there may be another one */

    ngx_mntreamer_jobs_claim(jobs);
}


/* NGX_DECLINED: all but its directory */

static ngx_int_t
ngx_mntreamer_job_read(ngx_mntreamer_job_t *j,
    const ngx_mntreamer_rows_t *rows)
{
    ngx_str_t  path;

    j->lost = 0;
    ngx_memzero(&j->conf, sizeof(ngx_mntreamer_export_conf_t));
    ngx_memzero(&j->told, sizeof(ngx_mntreamer_job_told_t));

    j->conf.id = ngx_mntreamer_rows_i64(rows, 0, NGX_MNTREAMER_JOB_ID, 0);
    j->conf.epoch = ngx_mntreamer_rows_i64(rows, 0, NGX_MNTREAMER_JOB_EPOCH,
                                           0);
    j->conf.begin_us = ngx_mntreamer_rows_i64(rows, 0, NGX_MNTREAMER_JOB_BEGIN,
                                              0);
    j->conf.end_us = ngx_mntreamer_rows_i64(rows, 0, NGX_MNTREAMER_JOB_END,
                                            -1);
    j->attempts = ngx_mntreamer_rows_i64(rows, 0, NGX_MNTREAMER_JOB_ATTEMPTS,
                                         0);
    j->recording_id = ngx_mntreamer_rows_i64(rows, 0,
                                             NGX_MNTREAMER_JOB_RECORDING, 0);
    j->told.id = j->conf.id;
    j->told.epoch = j->conf.epoch;
    j->since = ngx_current_msec;
    j->whole_us = 0;
    j->at_us = 0;
    j->rate = 0;

    path = ngx_mntreamer_rows_get(rows, 0, NGX_MNTREAMER_JOB_PATH);

    if (path.len == 0 || path.len >= sizeof(j->path)) {
        return NGX_DECLINED;
    }

    ngx_memcpy(j->path, path.data, path.len);
    j->conf.dir.data = j->path;
    j->conf.dir.len = path.len;

    return NGX_OK;
}


/* an export needs as much room as its segments, which are kept */

static void
ngx_mntreamer_job_prepared(void *data, const ngx_mntreamer_exported_t *x)
{
    ngx_mntreamer_job_t *j = data;

    const ngx_mntreamer_space_t  *space;

    j->export = NULL;

    if (j->lost) {
        ngx_mntreamer_job_cancelled(j);
        return;
    }

    if (x->rc != NGX_MNTREAMER_STORE_OK) {
        ngx_mntreamer_job_failed(j, x->why,
                                 x->rc == NGX_MNTREAMER_STORE_FULL
                                 || x->rc == NGX_MNTREAMER_STORE_FAILED);
        return;
    }

    space = ngx_mntreamer_storage_space(j->jobs->st);

    if (space->paused
        || (space->free >= 0 && space->free - space->reserve < x->bytes))
    {
        ngx_log_error(NGX_LOG_WARN, j->jobs->log, 0,
                      "mntreamer: no room to export recording %L: %O bytes "
                      "are wanted, %O are free besides the reserve",
                      j->recording_id, x->bytes,
                      ngx_max(space->free - space->reserve, 0));

        ngx_mntreamer_job_yield(j);
        return;
    }

    if (x->missing) {
        ngx_log_error(NGX_LOG_WARN, j->jobs->log, 0,
                      "mntreamer: export of recording %L: the files of %ui of "
                      "its segments are not there",
                      j->recording_id, x->missing);
    }

    j->whole_us = x->duration_us;

    ngx_mntreamer_job_make(j);
}


/*
 * The format of the list is named, and nothing but files is opened; what is in
 * it are playlists of ours.  No path is told: ffmpeg takes a "#" for the begin
 * of a fragment, and a title may have one.
 */

static void
ngx_mntreamer_job_make(ngx_mntreamer_job_t *j)
{
    ngx_mntreamer_jobs_t        *jobs;
    ngx_mntreamer_child_conf_t   conf;

    const char  *argv[] = {
        "ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-v", "error", "-y",
        "-protocol_whitelist", "file", "-f", "concat", "-safe", "0", "-i",
        (char *) j->names.list, "-map", "0:v:0?", "-map", "0:a:0?", "-c",
        "copy", "-movflags", "+faststart", "-stats_period", "1", "-progress",
        "pipe:1", "-f", "mp4", (char *) j->names.part, NULL
    };

    jobs = j->jobs;

    ngx_mntreamer_export_names(jobs->st, &j->conf, &j->names);

    if (jobs->children == NULL) {
        jobs->children = ngx_mntreamer_children_create(jobs->n, jobs->log);
    }

    ngx_memzero(&conf, sizeof(ngx_mntreamer_child_conf_t));

    conf.argv = argv;
    conf.cwd = (char *) j->names.dir;
    conf.deadline_ms = NGX_MNTREAMER_JOB_MS + (ngx_msec_t) j->whole_us / 1000;
    conf.grace_ms = NGX_MNTREAMER_JOB_GRACE_MS;
    conf.line = ngx_mntreamer_job_line;
    conf.nice = NGX_MNTREAMER_JOB_NICE;
    conf.max_memory = NGX_MNTREAMER_JOB_MEMORY;
    conf.done = ngx_mntreamer_job_made;
    conf.data = j;

    j->child = jobs->children ? ngx_mntreamer_child_start(jobs->children,
                                                          &conf)
                              : NULL;

    if (j->child == NULL) {
        ngx_mntreamer_job_failed(j, "ffmpeg could not be started", 1);
        return;
    }

    j->state = NGX_MNTREAMER_JOB_MAKING;

    ngx_log_error(NGX_LOG_INFO, jobs->log, 0,
                  "mntreamer: job %L exports recording %L, attempt %L",
                  j->conf.id, j->recording_id, j->attempts);
}


static void
ngx_mntreamer_job_line(void *data, ngx_str_t *line)
{
    ngx_mntreamer_job_t *j = data;

    mnt_str_t  s;

    s.data = (char *) line->data;
    s.len = line->len;

    (void) mnt_export_progress(s, &j->at_us, &j->rate);
}


static void
ngx_mntreamer_job_made(void *data, const ngx_mntreamer_child_result_t *result)
{
    ngx_mntreamer_job_t *j = data;

    u_char                         buf[1024];
    ngx_str_t                      text;
    ngx_mntreamer_child_result_t   shown;

    j->child = NULL;

    if (j->state == NGX_MNTREAMER_JOB_STOPPING) {
        ngx_mntreamer_job_end(j, j->told.word);
        return;
    }

    if (result->rc == NGX_MNTREAMER_CHILD_OK) {

        if (result->errors.len) {
            text = ngx_mntreamer_child_text(result, buf, sizeof(buf));

            ngx_log_error(NGX_LOG_WARN, j->jobs->log, 0,
                          "mntreamer: export of recording %L: ffmpeg %V",
                          j->recording_id, &text);
        }

        /* it goes on behind what it cannot read; or a source told wrongly */

        if (j->attempts < 2 && mnt_export_short(j->at_us, j->whole_us)) {
            ngx_mntreamer_job_failed(j, "what ffmpeg made is too short", 1);
            return;
        }

        j->state = NGX_MNTREAMER_JOB_CHECKING;

        if (j->st == NULL) {
            ngx_mntreamer_job_renew(j);
        }

        return;
    }

    text = ngx_mntreamer_child_text(result, buf, sizeof(buf));

    ngx_log_error(NGX_LOG_ERR, j->jobs->log, 0,
                  "mntreamer: export of recording %L: ffmpeg %V",
                  j->recording_id, &text);

    /* what it says names files */

    shown = *result;
    shown.errors.len = 0;

    text = ngx_mntreamer_child_text(&shown, buf, sizeof(buf));
    *ngx_snprintf(j->error, sizeof(j->error) - 1, "ffmpeg %V", &text) = '\0';

    ngx_mntreamer_job_failed(j, (char *) j->error, 1);
}


static void
ngx_mntreamer_job_renew(ngx_mntreamer_job_t *j)
{
    j->st = ngx_mntreamer_catalog_job_renew(j->jobs->cat, j->conf.id,
                                            j->conf.epoch,
                                            mnt_export_share(j->at_us,
                                                             j->whole_us),
                                            j->rate,
                                            ngx_mntreamer_job_renewed, j);
}


static void
ngx_mntreamer_job_renewed(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_job_t *j = data;

    j->st = NULL;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {

        /* away, or slow: it goes on meanwhile */

        return;
    }

    if (result->nrows == 0 || !ngx_mntreamer_rows_bool(result->rows, 0, 0)) {
        j->lost = 1;
    }

    switch (j->state) {

    case NGX_MNTREAMER_JOB_MAKING:

        if (j->lost) {
            ngx_mntreamer_job_cancelled(j);
        }

        break;

    case NGX_MNTREAMER_JOB_CHECKING:

        if (j->lost) {
            ngx_mntreamer_job_cancelled(j);
            break;
        }

        j->state = NGX_MNTREAMER_JOB_STORING;
        ngx_mntreamer_job_store(j);
        break;

    default:

        /* who waits for a thread or for ffmpeg's end looks at it then */

        break;
    }
}


static void
ngx_mntreamer_job_cancelled(ngx_mntreamer_job_t *j)
{
    ngx_log_error(NGX_LOG_NOTICE, j->jobs->log, 0,
                  "mntreamer: job %L was cancelled", j->conf.id);

    ngx_mntreamer_job_count(j, NGX_MNTREAMER_JOB_CANCELLED);
    ngx_mntreamer_job_stop(j, "clean");
}


/* recordings have what room there is; that they pause is in the log */

static void
ngx_mntreamer_job_yield(ngx_mntreamer_job_t *j)
{
    ngx_str_set(&j->told.error, "there is not enough room on the disk");
    j->told.pause_ms = NGX_MNTREAMER_JOB_ROOM_MS;

    ngx_mntreamer_job_stop(j, "back");
}


/* files are looked for when nobody makes any: ffmpeg is awaited */

static void
ngx_mntreamer_job_stop(ngx_mntreamer_job_t *j, const char *word)
{
    if (j->child && ngx_mntreamer_child_stop(j->child) == NGX_OK) {
        j->told.word = word;
        j->state = NGX_MNTREAMER_JOB_STOPPING;
        return;
    }

    j->child = NULL;
    ngx_mntreamer_job_end(j, word);
}


static void
ngx_mntreamer_job_store(ngx_mntreamer_job_t *j)
{
    j->export = ngx_mntreamer_export_store(j->jobs->st, &j->conf,
                                           ngx_mntreamer_job_stored, j);
}


static void
ngx_mntreamer_job_stored(void *data, const ngx_mntreamer_exported_t *x)
{
    ngx_mntreamer_job_t *j = data;

    j->export = NULL;

    if (x->rc != NGX_MNTREAMER_STORE_OK) {
        ngx_mntreamer_job_failed(j, x->why, 1);
        return;
    }

    j->told.word = "done";
    j->told.file.data = j->names.file;
    j->told.file.len = ngx_strlen(j->names.file);
    j->told.bytes = x->bytes;
    j->told.duration_us = j->at_us ? j->at_us : j->whole_us;

    if (j->lost) {

        /*
         * It has its name now, which may be what its next owner has made: the
         * row knows, and has it taken away if it was cancelled.
         */

        ngx_mntreamer_job_count(j, NGX_MNTREAMER_JOB_CANCELLED);
        ngx_mntreamer_job_tell(j);
        return;
    }

    ngx_mntreamer_job_count(j, NGX_MNTREAMER_JOB_DONE);

    ngx_log_error(NGX_LOG_NOTICE, j->jobs->log, 0,
                  "mntreamer: recording %L was exported, %O bytes in %M ms: "
                  "\"%V/%s\"", j->recording_id, x->bytes,
                  ngx_current_msec - j->since, &j->conf.dir, j->names.file);

    ngx_mntreamer_job_tell(j);
}


/* "again": another try may succeed */

static void
ngx_mntreamer_job_failed(ngx_mntreamer_job_t *j, const char *why,
    ngx_uint_t again)
{
    ngx_uint_t  level;

    again = again && j->attempts < NGX_MNTREAMER_JOB_TRIES;

    level = again ? NGX_LOG_WARN : NGX_LOG_ERR;

    ngx_mntreamer_job_count(j, again ? NGX_MNTREAMER_JOB_AGAIN
                                     : NGX_MNTREAMER_JOB_FAILED);

    ngx_log_error(level, j->jobs->log, 0,
                  "mntreamer: job %L, export of recording %L, failed%s: %s",
                  j->conf.id, j->recording_id,
                  again ? ", it is tried again" : "", why);

    if ((char *) j->error != why) {
        (void) ngx_cpystrn(j->error, (u_char *) why, sizeof(j->error));
    }

    j->told.error.data = j->error;
    j->told.error.len = ngx_strlen(j->error);
    j->told.pause_ms = (ngx_msec_t) NGX_MNTREAMER_JOB_PAUSE_MS
                       << ngx_min(j->attempts, NGX_MNTREAMER_JOB_TRIES);

    ngx_mntreamer_job_end(j, again ? "again" : "failed");
}


/* without leaving anything */

static void
ngx_mntreamer_job_end(ngx_mntreamer_job_t *j, const char *word)
{
    j->told.word = word;

    if (j->conf.dir.len == 0) {
        ngx_mntreamer_job_tell(j);
        return;
    }

    j->state = NGX_MNTREAMER_JOB_CLEANING;
    ngx_mntreamer_job_clean(j);
}


static void
ngx_mntreamer_job_clean(ngx_mntreamer_job_t *j)
{
    j->export = ngx_mntreamer_export_remove(j->jobs->st, &j->conf,
                                            ngx_mntreamer_job_cleaned, j);
}


/* what could not be removed is looked for again, if nothing else will */

static void
ngx_mntreamer_job_cleaned(void *data, const ngx_mntreamer_exported_t *x)
{
    ngx_mntreamer_job_t *j = data;

    j->export = NULL;

    if (x->rc != NGX_MNTREAMER_STORE_OK
        && ngx_strcmp(j->told.word, "clean") == 0)
    {
        j->told.word = "again";
        j->told.pause_ms = NGX_MNTREAMER_JOB_ROOM_MS;
    }

    ngx_mntreamer_job_tell(j);
}


static void
ngx_mntreamer_job_tell(ngx_mntreamer_job_t *j)
{
    j->state = NGX_MNTREAMER_JOB_TELLING;

    /* a renewal that is under way says nothing that matters now */

    if (j->st) {
        ngx_mntreamer_catalog_job_forget(j->st);
    }

    j->st = ngx_mntreamer_catalog_job_told(j->jobs->cat, &j->told,
                                           ngx_mntreamer_job_over, j);
}


static void
ngx_mntreamer_job_over(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_job_t *j = data;

    j->st = NULL;
    j->state = NGX_MNTREAMER_JOB_IDLE;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        ngx_log_error(NGX_LOG_ERR, j->jobs->log, 0,
                      "mntreamer: what became of job %L was not stored, it "
                      "is done again when its lease has expired", j->conf.id);
        return;
    }

    ngx_mntreamer_jobs_wake(j->jobs);
}
