
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Images of recordings in progress.  ffmpeg reads a segment that is stored and
 * writes a JPEG to its stdout; the storage replaces the file.  What the
 * segments hold comes from others: ffmpeg may open nothing but files of the
 * recording's directory, and is told of what format they are.
 *
 * state     entered by        waits for       deadline     then
 * IDLE      start, all ends   a segment       -            MAKING, REMOVING
 * MAKING    a segment is due  ffmpeg          8 s          STORING, IDLE
 * STORING   it gave an image  a thread        the disk     IDLE, REMOVING
 * REMOVING  over, too old     a thread        the disk     IDLE, gone
 *
 * A recording that is over is forgotten as soon as nothing is under way.  Its
 * image went when its tracks were closed; only what was being stored at
 * that moment has to be taken away here.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "../loop/ngx_mntreamer_child.h"
#include "mnt_thumbnail.h"
#include "ngx_mntreamer_thumbnail.h"


#define NGX_MNTREAMER_THUMBNAIL_MS      8000
#define NGX_MNTREAMER_THUMBNAIL_GRACE   500
#define NGX_MNTREAMER_THUMBNAIL_TELL    60000
#define NGX_MNTREAMER_THUMBNAIL_BYTES   (1024 * 1024)
#define NGX_MNTREAMER_THUMBNAIL_MEMORY  ((size_t) 2 * 1024 * 1024 * 1024)
#define NGX_MNTREAMER_THUMBNAIL_NICE    10
#define NGX_MNTREAMER_THUMBNAIL_AT_ONCE 2


typedef enum {
    NGX_MNTREAMER_THUMBNAIL_IDLE = 0,
    NGX_MNTREAMER_THUMBNAIL_MAKING,
    NGX_MNTREAMER_THUMBNAIL_STORING,
    NGX_MNTREAMER_THUMBNAIL_REMOVING
} ngx_mntreamer_thumbnail_state_e;

typedef struct {
    ngx_queue_t                       queue;
    ngx_mntreamer_thumbnails_t       *th;     /* alias */
    ngx_mntreamer_thumbnail_state_e   state;
    int64_t                           recording_id;
    mnt_thumbnail_t                   plan;
    int64_t                           making_ms;  /* the moment it will show */
    ngx_mntreamer_child_t            *child;  /* owned while MAKING */
    ngx_msec_t                        told_ms;    /* the row, that it is there;
                                                     0: it was not */
    unsigned                          logged:1;   /* that one failed */
    unsigned                          over:1;
    unsigned                          ended:1;
    ngx_str_t                         path;   /* behind the struct */
} ngx_mntreamer_thumbnail_t;

struct ngx_mntreamer_thumbnails_s {
    ngx_str_t                  root;          /* alias, of the configuration */
    ngx_mntreamer_storage_t   *st;            /* alias, as all below */
    ngx_mntreamer_catalog_t   *cat;
    ngx_mntreamer_metrics_t   *metrics;
    ngx_log_t                 *log;
    ngx_mntreamer_children_t  *children;      /* owned; NULL: not needed yet */
    ngx_queue_t                images;
};


static ngx_mntreamer_thumbnail_t *ngx_mntreamer_thumbnail_find(
    ngx_mntreamer_thumbnails_t *th, int64_t recording_id);
static ngx_mntreamer_thumbnail_t *ngx_mntreamer_thumbnail_create(
    ngx_mntreamer_thumbnails_t *th,
    const ngx_mntreamer_thumbnail_segment_t *segment);
static const char *ngx_mntreamer_thumbnail_format(
    const ngx_mntreamer_thumbnail_segment_t *segment);
static ngx_int_t ngx_mntreamer_thumbnail_start(ngx_mntreamer_thumbnail_t *t,
    const ngx_mntreamer_thumbnail_segment_t *segment, const char *format);
static void ngx_mntreamer_thumbnail_made(void *data,
    const ngx_mntreamer_child_result_t *result);
static ngx_int_t ngx_mntreamer_thumbnail_store(ngx_mntreamer_thumbnail_t *t,
    const ngx_mntreamer_child_result_t *result);
static void ngx_mntreamer_thumbnail_stored(void *data,
    const ngx_mntreamer_commit_t *commit);
static void ngx_mntreamer_thumbnail_failed(ngx_mntreamer_thumbnail_t *t,
    const ngx_str_t *why);
static void ngx_mntreamer_thumbnail_tell(ngx_mntreamer_thumbnail_t *t);
static void ngx_mntreamer_thumbnail_remove(ngx_mntreamer_thumbnail_t *t);
static void ngx_mntreamer_thumbnail_removed(void *data,
    const ngx_mntreamer_commit_t *commit);
static void ngx_mntreamer_thumbnail_rest(ngx_mntreamer_thumbnail_t *t);
static void ngx_mntreamer_thumbnail_free(ngx_mntreamer_thumbnail_t *t);


ngx_mntreamer_thumbnails_t *
ngx_mntreamer_thumbnails_create(const ngx_str_t *root,
    ngx_mntreamer_storage_t *st, ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_metrics_t *metrics, ngx_log_t *log)
{
    ngx_mntreamer_thumbnails_t  *th;

    th = ngx_calloc(sizeof(ngx_mntreamer_thumbnails_t), log);
    if (th == NULL) {
        return NULL;
    }

    th->root = *root;
    th->st = st;
    th->cat = cat;
    th->metrics = metrics;
    th->log = log;

    ngx_queue_init(&th->images);

    return th;
}


void
ngx_mntreamer_thumbnails_destroy(ngx_mntreamer_thumbnails_t *th)
{
    ngx_queue_t  *q;

    /* it kills them all at once */

    if (th->children) {
        ngx_mntreamer_children_destroy(th->children);
    }

    while (!ngx_queue_empty(&th->images)) {
        q = ngx_queue_head(&th->images);
        ngx_mntreamer_thumbnail_free(
            ngx_queue_data(q, ngx_mntreamer_thumbnail_t, queue));
    }

    ngx_free(th);
}


void
ngx_mntreamer_thumbnails_run(ngx_mntreamer_thumbnails_t *th)
{
    ngx_queue_t                *q;
    ngx_mntreamer_thumbnail_t  *t;

    for (q = ngx_queue_head(&th->images);
         q != ngx_queue_sentinel(&th->images);
         q = ngx_queue_next(q))
    {
        t = ngx_queue_data(q, ngx_mntreamer_thumbnail_t, queue);

        if (t->state == NGX_MNTREAMER_THUMBNAIL_IDLE
            && mnt_thumbnail_stale(&t->plan, (int64_t) ngx_current_msec))
        {
            ngx_mntreamer_thumbnail_remove(t);
        }
    }
}


void
ngx_mntreamer_thumbnail_listed(ngx_mntreamer_thumbnails_t *th,
    const ngx_mntreamer_thumbnail_segment_t *segment)
{
    int64_t                     now, length_ms;
    const char                 *format;
    ngx_mntreamer_thumbnail_t  *t;

    now = (int64_t) ngx_current_msec;
    length_ms = segment->duration_us / 1000;

    format = ngx_mntreamer_thumbnail_format(segment);

    if (format == NULL || ngx_exiting
        || ngx_mntreamer_storage_space(th->st)->paused)
    {
        return;
    }

    t = ngx_mntreamer_thumbnail_find(th, segment->recording_id);

    if (t == NULL) {
        t = ngx_mntreamer_thumbnail_create(th, segment);
    }

    if (t == NULL || t->over || t->state != NGX_MNTREAMER_THUMBNAIL_IDLE
        || !mnt_thumbnail_due(&t->plan, now, length_ms))
    {
        return;
    }

    t->plan.tried_ms = now;
    t->making_ms = now - length_ms;

    if (ngx_mntreamer_thumbnail_start(t, segment, format) != NGX_OK) {
        ngx_mntreamer_thumbnail_failed(t, NULL);
    }
}


void
ngx_mntreamer_thumbnail_over(ngx_mntreamer_thumbnails_t *th,
    int64_t recording_id, ngx_uint_t ended)
{
    ngx_mntreamer_thumbnail_t  *t;

    t = ngx_mntreamer_thumbnail_find(th, recording_id);

    if (t == NULL) {
        return;
    }

    t->over = 1;
    t->ended |= (ended != 0);

    if (t->ended && t->told_ms) {
        t->told_ms = 0;
        ngx_mntreamer_catalog_thumbnail(th->cat, recording_id, 0);
    }

    if (t->state == NGX_MNTREAMER_THUMBNAIL_MAKING) {
        ngx_mntreamer_child_cancel(t->child);
        t->child = NULL;
        t->state = NGX_MNTREAMER_THUMBNAIL_IDLE;
    }

    if (t->state == NGX_MNTREAMER_THUMBNAIL_IDLE) {
        ngx_mntreamer_thumbnail_free(t);
    }
}


/* a worker has some dozens */

static ngx_mntreamer_thumbnail_t *
ngx_mntreamer_thumbnail_find(ngx_mntreamer_thumbnails_t *th,
    int64_t recording_id)
{
    ngx_queue_t                *q;
    ngx_mntreamer_thumbnail_t  *t;

    for (q = ngx_queue_head(&th->images);
         q != ngx_queue_sentinel(&th->images);
         q = ngx_queue_next(q))
    {
        t = ngx_queue_data(q, ngx_mntreamer_thumbnail_t, queue);

        if (t->recording_id == recording_id) {
            return t;
        }
    }

    return NULL;
}


static ngx_mntreamer_thumbnail_t *
ngx_mntreamer_thumbnail_create(ngx_mntreamer_thumbnails_t *th,
    const ngx_mntreamer_thumbnail_segment_t *segment)
{
    ngx_mntreamer_thumbnail_t  *t;

    t = ngx_calloc(sizeof(ngx_mntreamer_thumbnail_t) + segment->path.len + 1,
                   th->log);
    if (t == NULL) {
        return NULL;
    }

    t->th = th;
    t->recording_id = segment->recording_id;
    t->plan.limit_ms = (int64_t) segment->limit_ms;

    /* a former owner of the recording may have left one: it is old enough */

    t->plan.shown_ms = (int64_t) ngx_current_msec - t->plan.limit_ms;

    t->path.data = (u_char *) (t + 1);
    t->path.len = segment->path.len;
    ngx_memcpy(t->path.data, segment->path.data, segment->path.len);

    ngx_queue_insert_tail(&th->images, &t->queue);

    return t;
}


/* that of ffmpeg, which is not to guess; NULL: it holds no picture */

static const char *
ngx_mntreamer_thumbnail_format(
    const ngx_mntreamer_thumbnail_segment_t *segment)
{
    mnt_str_t  name;

    name.data = (char *) segment->name.data;
    name.len = segment->name.len;

    if (mnt_str_ends(name, ".ts")) {
        return "mpegts";
    }

    return mnt_str_ends(name, ".m4s") ? "mov" : NULL;
}


static ngx_int_t
ngx_mntreamer_thumbnail_start(ngx_mntreamer_thumbnail_t *t,
    const ngx_mntreamer_thumbnail_segment_t *segment, const char *format)
{
    u_char                       input[256], filter[256];
    u_char                       cwd[NGX_MAX_PATH];
    ngx_mntreamer_child_conf_t   conf;
    ngx_mntreamer_thumbnails_t  *th;

    const char  *argv[] = {
        "ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-threads", "1",
        "-protocol_whitelist", "file,concat", "-skip_frame", "nokey",
        "-f", format, "-i", (char *) input, "-map", "0:v:0", "-frames:v", "1",
        "-filter_threads", "1", "-vf", (char *) filter, "-threads", "1",
        "-q:v", "4", "-f", "mjpeg", "pipe:1", NULL
    };

    th = t->th;

    if (th->children == NULL) {
        th->children = ngx_mntreamer_children_create(
                                       NGX_MNTREAMER_THUMBNAIL_AT_ONCE,
                                       th->log);
        if (th->children == NULL) {
            return NGX_ERROR;
        }
    }

    (void) ngx_snprintf(cwd, sizeof(cwd), "%V/%V%Z", &th->root, &t->path);

    if (segment->init.len) {
        (void) ngx_snprintf(input, sizeof(input), "concat:%V|%V%Z",
                            &segment->init, &segment->name);

    } else {
        (void) ngx_snprintf(input, sizeof(input), "file:%V%Z",
                            &segment->name);
    }

    /* pixels that are not square become square ones */

    (void) ngx_snprintf(filter, sizeof(filter),
                        "scale=w=%ui:h=max(2\\,2*round(ow/dar/2)),setsar=1,"
                        "format=yuvj420p%Z", segment->width);

    ngx_memzero(&conf, sizeof(ngx_mntreamer_child_conf_t));

    conf.argv = argv;
    conf.cwd = (char *) cwd;
    conf.deadline_ms = NGX_MNTREAMER_THUMBNAIL_MS;
    conf.grace_ms = NGX_MNTREAMER_THUMBNAIL_GRACE;
    conf.max_output = NGX_MNTREAMER_THUMBNAIL_BYTES;
    conf.nice = NGX_MNTREAMER_THUMBNAIL_NICE;
    conf.max_memory = NGX_MNTREAMER_THUMBNAIL_MEMORY;
    conf.max_cpu_s = NGX_MNTREAMER_THUMBNAIL_MS / 1000;
    conf.done = ngx_mntreamer_thumbnail_made;
    conf.data = t;

    t->child = ngx_mntreamer_child_start(th->children, &conf);

    if (t->child == NULL) {
        return NGX_ERROR;
    }

    t->state = NGX_MNTREAMER_THUMBNAIL_MAKING;

    return NGX_OK;
}


static void
ngx_mntreamer_thumbnail_made(void *data,
    const ngx_mntreamer_child_result_t *result)
{
    ngx_mntreamer_thumbnail_t *t = data;

    u_char     buf[1024];
    ngx_str_t  why;

    t->child = NULL;
    t->state = NGX_MNTREAMER_THUMBNAIL_IDLE;
    t->plan.cost_ms = (int64_t) ngx_current_msec - t->plan.tried_ms;

    if (result->rc != NGX_MNTREAMER_CHILD_OK) {
        why = ngx_mntreamer_child_text(result, buf, sizeof(buf));
        ngx_mntreamer_thumbnail_failed(t, &why);
        return;
    }

    if (ngx_mntreamer_thumbnail_store(t, result) != NGX_OK) {
        ngx_str_set(&why, "gave no image");
        ngx_mntreamer_thumbnail_failed(t, &why);
    }
}


/* a worker that stood still may have a new owner of the recording beside it */

static ngx_int_t
ngx_mntreamer_thumbnail_store(ngx_mntreamer_thumbnail_t *t,
    const ngx_mntreamer_child_result_t *result)
{
    mnt_str_t  image;

    image.data = (char *) result->output.data;
    image.len = result->output.len;

    if (!mnt_thumbnail_whole(image)
        || t->plan.cost_ms > 4 * NGX_MNTREAMER_THUMBNAIL_MS
        || ngx_mntreamer_storage_thumbnail(t->th->st, &t->path,
                                           &result->output,
                                           ngx_mntreamer_thumbnail_stored, t)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    t->state = NGX_MNTREAMER_THUMBNAIL_STORING;

    return NGX_OK;
}


static void
ngx_mntreamer_thumbnail_stored(void *data,
    const ngx_mntreamer_commit_t *commit)
{
    ngx_mntreamer_thumbnail_t *t = data;

    ngx_str_t  why;

    t->state = NGX_MNTREAMER_THUMBNAIL_IDLE;

    if (commit->rc != NGX_MNTREAMER_STORE_OK) {
        ngx_str_set(&why, "gave an image that could not be stored");
        ngx_mntreamer_thumbnail_failed(t, &why);

    } else {
        t->plan.shown_ms = t->making_ms;
        t->plan.failures = 0;

        ngx_mntreamer_metrics_add(t->th->metrics, NGX_MNTREAMER_M_THUMBNAILS,
                                  0, 1);
        ngx_mntreamer_thumbnail_tell(t);
    }

    ngx_mntreamer_thumbnail_rest(t);
}


/* "why" NULL: it was logged, or there were too many at once */

static void
ngx_mntreamer_thumbnail_failed(ngx_mntreamer_thumbnail_t *t,
    const ngx_str_t *why)
{
    t->plan.failures++;

    ngx_mntreamer_metrics_add(t->th->metrics, NGX_MNTREAMER_M_THUMBNAILS, 1,
                              1);

    if (why == NULL || t->logged) {
        return;
    }

    t->logged = 1;

    ngx_log_error(NGX_LOG_WARN, t->th->log, 0,
                  "mntreamer: no thumbnail of recording %L: ffmpeg %V",
                  t->recording_id, why);
}


/* again and again: the database may have been away, or may have forgotten */

static void
ngx_mntreamer_thumbnail_tell(ngx_mntreamer_thumbnail_t *t)
{
    if (t->over
        || (t->told_ms && ngx_current_msec - t->told_ms
                          < NGX_MNTREAMER_THUMBNAIL_TELL))
    {
        return;
    }

    t->told_ms = ngx_current_msec;

    ngx_mntreamer_catalog_thumbnail(t->th->cat, t->recording_id, 1);
}


static void
ngx_mntreamer_thumbnail_remove(ngx_mntreamer_thumbnail_t *t)
{
    static const ngx_str_t  nothing = ngx_null_string;

    if (ngx_mntreamer_storage_thumbnail(t->th->st, &t->path, &nothing,
                                        ngx_mntreamer_thumbnail_removed, t)
        != NGX_OK)
    {
        return;
    }

    t->state = NGX_MNTREAMER_THUMBNAIL_REMOVING;
    t->plan.shown_ms = 0;

    t->told_ms = 0;

    ngx_mntreamer_catalog_thumbnail(t->th->cat, t->recording_id, 0);
}


static void
ngx_mntreamer_thumbnail_removed(void *data,
    const ngx_mntreamer_commit_t *commit)
{
    ngx_mntreamer_thumbnail_t *t = data;

    t->state = NGX_MNTREAMER_THUMBNAIL_IDLE;

    ngx_mntreamer_thumbnail_rest(t);
}


/* what was stored while it ended must go again; must be the last call */

static void
ngx_mntreamer_thumbnail_rest(ngx_mntreamer_thumbnail_t *t)
{
    if (!t->over) {
        return;
    }

    if (t->ended && t->plan.shown_ms) {
        ngx_mntreamer_thumbnail_remove(t);
    }

    if (t->state == NGX_MNTREAMER_THUMBNAIL_IDLE) {
        ngx_mntreamer_thumbnail_free(t);
    }
}


static void
ngx_mntreamer_thumbnail_free(ngx_mntreamer_thumbnail_t *t)
{
    ngx_queue_remove(&t->queue);
    ngx_free(t);
}
