
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "../base/mnt_name.h"
#include "ngx_mntreamer_storage_internal.h"


/*
 * A track in the event loop: a queue of parts to be committed and one task at
 * a time.  All progress goes through ngx_mntreamer_track_run().
 *
 * state       waits for              then         on close       on abandon
 * OPENING     the recovery           OPEN, gone   afterwards     task finishes
 * OPEN        commits                COMMITTING   CLOSING        freed
 * COMMITTING  the batch              OPEN         afterwards     task finishes
 * SYNCING     an interval's fsyncs   OPEN         afterwards     task finishes
 * CLOSING     ENDLIST                gone, OPEN   -              task finishes
 *
 * A task ends when the disk answers; nothing here can hurry it.  What may pile
 * up meanwhile is bounded by conf.max_buffered a part.  A close that could not
 * write ENDLIST leads back to OPEN; the owner closes again.
 */

#define NGX_MNTREAMER_RETRY_MS  100


static ngx_int_t ngx_mntreamer_track_valid(
    const ngx_mntreamer_track_conf_t *conf);
static void ngx_mntreamer_track_opened(void *data);
static void ngx_mntreamer_track_refuse(ngx_mntreamer_track_t *tr,
    ngx_uint_t rc);
static void ngx_mntreamer_track_batch(ngx_mntreamer_track_t *tr);
static void ngx_mntreamer_track_committed(void *data);
static void ngx_mntreamer_track_report(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *part);
static void ngx_mntreamer_track_closed(void *data);
static void ngx_mntreamer_track_sync(ngx_event_t *ev);


ngx_mntreamer_track_t *
ngx_mntreamer_track_open(ngx_mntreamer_storage_t *st,
    const ngx_mntreamer_track_conf_t *conf, ngx_mntreamer_track_pt open_done,
    void *data)
{
    u_char                 *p;
    ngx_mntreamer_track_t  *tr;

    if (ngx_mntreamer_track_valid(conf) != NGX_OK) {
        return NULL;
    }

    tr = ngx_calloc(sizeof(ngx_mntreamer_track_t) + conf->dir.len
                    + conf->name.len + conf->prefix.len + 3, conf->log);
    if (tr == NULL) {
        return NULL;
    }

    p = (u_char *) tr + sizeof(ngx_mntreamer_track_t);

    tr->dir.data = p;
    tr->dir.len = conf->dir.len;
    p = ngx_cpymem(p, conf->dir.data, conf->dir.len) + 1;

    tr->name.data = p;
    tr->name.len = conf->name.len;
    p = ngx_cpymem(p, conf->name.data, conf->name.len) + 1;

    tr->prefix.data = (char *) p;
    tr->prefix.len = conf->prefix.len;
    ngx_memcpy(p, conf->prefix.data, conf->prefix.len);

    tr->ident.fd = (ngx_socket_t) -1;
    tr->st = st;
    tr->log = conf->log;
    tr->root = st->fd;
    tr->durability = st->conf.durability;
    tr->token = ngx_mntreamer_storage_token();
    tr->target_s = conf->target_s;
    tr->reopen = conf->reopen;
    tr->open_done = open_done;
    tr->open_data = data;
    tr->dirfd = -1;
    tr->journal = -1;
    tr->playlist = -1;

    tr->sync.data = tr;
    tr->sync.log = conf->log;
    tr->sync.handler = ngx_mntreamer_track_sync;
    tr->sync.cancelable = 1;

    ngx_queue_init(&tr->parts);
    ngx_queue_init(&tr->commits);
    ngx_queue_init(&tr->batch);
    ngx_queue_insert_tail(&st->tracks, &tr->link);

    st->stat.tracks++;

    tr->opened = ngx_calloc(sizeof(ngx_mntreamer_track_state_t)
                            + sizeof(mnt_hls_window_t)
                            + MNT_JOURNAL_GAPS * sizeof(mnt_journal_gap_t),
                            conf->log);

    if (tr->opened) {
        tr->opened->window = (mnt_hls_window_t *) (tr->opened + 1);
        tr->opened->last_gaps = (mnt_journal_gap_t *)
                                    (tr->opened->window + 1);
    }

    if (tr->opened == NULL
        || ngx_mntreamer_track_post(tr, ngx_mntreamer_open_work,
                                    ngx_mntreamer_track_opened)
           != NGX_OK)
    {
        ngx_mntreamer_track_free(tr);
        return NULL;
    }

    return tr;
}


static ngx_int_t
ngx_mntreamer_track_valid(const ngx_mntreamer_track_conf_t *conf)
{
    mnt_str_t  dir;

    dir.data = (char *) conf->dir.data;
    dir.len = conf->dir.len;

    if (conf->dir.len >= NGX_MNTREAMER_PATH_MAX || !mnt_path_servable(dir)
        || conf->name.len == 0 || conf->name.len > MNT_TRACK_PREFIX_MAX
        || conf->prefix.len > MNT_TRACK_PREFIX_MAX
        || ngx_strlchr(conf->name.data, conf->name.data + conf->name.len, '/')
        || ngx_strlchr(conf->prefix.data,
                       conf->prefix.data + conf->prefix.len, '/'))
    {
        ngx_log_error(NGX_LOG_ERR, conf->log, 0,
                      "no track can be named \"%V/%V\" with prefix \"%V\"",
                      &conf->dir, &conf->name, &conf->prefix);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_mntreamer_track_post(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_work_pt work, ngx_mntreamer_worked_pt done)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    tr->now_ms = (int64_t) tp->sec * 1000 + tp->msec;
    tr->working = 1;

    if (ngx_mntreamer_offload_post(tr->st->off, work, done, tr) != NGX_OK) {
        tr->working = 0;

        if (!tr->st->retry.timer_set) {
            ngx_add_timer(&tr->st->retry, NGX_MNTREAMER_RETRY_MS);
        }

        return NGX_ERROR;
    }

    tr->tasks++;

    return NGX_OK;
}


static void
ngx_mntreamer_track_opened(void *data)
{
    ngx_mntreamer_track_t *tr = data;

    void                         *open_data, *close_data;
    ngx_mntreamer_track_pt        open_done;
    ngx_mntreamer_track_state_t  *s;
    ngx_mntreamer_track_closed_pt  close_done;

    tr->tasks--;

    if (tr->abandoned) {
        ngx_mntreamer_track_settle(tr);
        return;
    }

    s = tr->opened;
    s->rc = tr->fail.rc;

    if (s->rc == NGX_MNTREAMER_STORE_OK) {
        tr->state = NGX_MNTREAMER_TRACK_OPEN;
        tr->container = s->container;
        tr->opened = NULL;

        tr->calling++;
        tr->open_done(tr->open_data, s);
        tr->calling--;

        ngx_free(s);

        if (!tr->abandoned) {
            ngx_mntreamer_track_run(tr);
        }

        ngx_mntreamer_track_settle(tr);
        return;
    }

    ngx_mntreamer_fail_log(tr->st, tr->log, &tr->fail, &tr->dir);
    ngx_mntreamer_track_refuse(tr, s->rc);

    if (tr->abandoned) {
        ngx_mntreamer_track_settle(tr);
        return;
    }

    open_done = tr->open_done;
    open_data = tr->open_data;
    close_done = tr->close ? tr->close_done : NULL;
    close_data = tr->close_data;

    tr->opened = NULL;
    ngx_mntreamer_track_free(tr);

    open_done(open_data, s);
    ngx_free(s);

    if (close_done) {
        close_done(close_data, NGX_MNTREAMER_STORE_OK);
    }
}


/* answers what was committed before the opening failed */

static void
ngx_mntreamer_track_refuse(ngx_mntreamer_track_t *tr, ngx_uint_t rc)
{
    ngx_queue_t           *q;
    ngx_mntreamer_part_t  *part;

    tr->calling++;

    while (!tr->abandoned && !ngx_queue_empty(&tr->commits)) {
        q = ngx_queue_head(&tr->commits);
        part = ngx_queue_data(q, ngx_mntreamer_part_t, link);

        part->fail.rc = rc;
        ngx_mntreamer_track_report(tr, part);
    }

    tr->calling--;
}


void
ngx_mntreamer_track_run(ngx_mntreamer_track_t *tr)
{
    if (tr->state != NGX_MNTREAMER_TRACK_OPEN || tr->calling
        || tr->abandoned)
    {
        return;
    }

    ngx_mntreamer_track_batch(tr);

    if (!ngx_queue_empty(&tr->batch) || (tr->sync_due && tr->dirty)) {

        tr->do_sync = tr->sync_due;

        if (ngx_mntreamer_track_post(tr, ngx_mntreamer_commit_work,
                                     ngx_mntreamer_track_committed)
            != NGX_OK)
        {
            return;
        }

        tr->sync_due = 0;
        tr->state = ngx_queue_empty(&tr->batch)
                    ? NGX_MNTREAMER_TRACK_SYNCING
                    : NGX_MNTREAMER_TRACK_COMMITTING;
        return;
    }

    if (!tr->close || tr->tasks || !ngx_queue_empty(&tr->parts)
        || !ngx_queue_empty(&tr->commits))
    {
        return;
    }

    if (ngx_mntreamer_track_post(tr, ngx_mntreamer_close_work,
                                 ngx_mntreamer_track_closed)
        == NGX_OK)
    {
        tr->state = NGX_MNTREAMER_TRACK_CLOSING;
    }
}


/* the parts whose turn it is; one that is being written holds up the others */

static void
ngx_mntreamer_track_batch(ngx_mntreamer_track_t *tr)
{
    ngx_uint_t             n;
    ngx_queue_t           *q;
    ngx_mntreamer_part_t  *part;

    for (n = 0, q = ngx_queue_head(&tr->batch);
         q != ngx_queue_sentinel(&tr->batch);
         q = ngx_queue_next(q))
    {
        n++;
    }

    while (n < NGX_MNTREAMER_BATCH && !ngx_queue_empty(&tr->commits)) {
        q = ngx_queue_head(&tr->commits);
        part = ngx_queue_data(q, ngx_mntreamer_part_t, link);

        if (part->writing) {
            break;
        }

        ngx_mntreamer_part_take(part, 1);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&tr->batch, q);
        n++;
    }
}


static void
ngx_mntreamer_track_committed(void *data)
{
    ngx_mntreamer_track_t *tr = data;

    ngx_queue_t              *q;
    ngx_mntreamer_storage_t  *st;

    st = tr->st;

    tr->tasks--;
    tr->state = NGX_MNTREAMER_TRACK_OPEN;

    st->stat.rewrites += tr->rewrites;
    tr->rewrites = 0;

    if (tr->abandoned) {
        ngx_mntreamer_track_settle(tr);
        return;
    }

    ngx_mntreamer_fail_log(st, tr->log, &tr->fail, &tr->dir);
    tr->fail.rc = NGX_MNTREAMER_STORE_OK;

    if (ngx_queue_empty(&tr->commits)) {

        /* whoever commits next knows what failed, and may try it again */
        tr->broken = 0;
    }

    if (tr->dirty && !tr->sync.timer_set) {
        ngx_add_timer(&tr->sync, st->conf.interval_ms);
    }

    tr->calling++;

    while (!tr->abandoned && !ngx_queue_empty(&tr->batch)) {
        q = ngx_queue_head(&tr->batch);

        ngx_mntreamer_track_report(tr, ngx_queue_data(q, ngx_mntreamer_part_t,
                                                      link));
    }

    tr->calling--;

    ngx_mntreamer_track_run(tr);
    ngx_mntreamer_track_settle(tr);
}


/* tells the outcome of a part, which is gone then */

static void
ngx_mntreamer_track_report(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *part)
{
    void                     *data;
    ngx_mntreamer_commit_t    commit;
    ngx_mntreamer_commit_pt   done;
    ngx_mntreamer_storage_t  *st;

    st = tr->st;
    done = part->done;
    data = part->data;

    ngx_mntreamer_fail_log(st, tr->log, &part->fail, &tr->dir);

    commit = part->commit;
    commit.rc = part->fail.rc;
    commit.commit_ms = ngx_current_msec - part->since;

    if (commit.rc == NGX_MNTREAMER_STORE_OK && !part->gap) {

        if (st->full) {
            st->full = 0;
            ngx_log_error(NGX_LOG_NOTICE, tr->log, 0,
                          "there is room for segments again");
        }

        if (!part->conf.init
            && part->container != MNT_HLS_CONTAINER_UNKNOWN)
        {
            tr->container = part->container;

        } else if (!part->conf.init) {
            ngx_log_error(NGX_LOG_INFO, tr->log, 0,
                          "segment %uL of \"%V/%V\" is of no known container",
                          commit.number, &tr->dir, &tr->name);
        }
    }

    ngx_mntreamer_part_free(part);

    if (done) {
        done(data, &commit);
    }
}


ngx_int_t
ngx_mntreamer_track_commit(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *part, const ngx_mntreamer_entry_t *entry,
    ngx_mntreamer_commit_pt done, void *data)
{
    ngx_mntreamer_part_conf_t  conf;

    if (part == NULL) {
        ngx_memzero(&conf, sizeof(ngx_mntreamer_part_conf_t));
        conf.expect = -1;

        part = ngx_mntreamer_part_create(tr, &conf);
        if (part == NULL) {
            return NGX_ERROR;
        }

        part->gap = 1;
    }

    part->entry.seen.date_ms = MNT_DATE_NONE;

    if (entry && !part->conf.init) {
        part->entry = *entry;
    }

    part->done = done;
    part->data = data;
    part->since = ngx_current_msec;
    part->committing = 1;

    tr->st->stat.parts--;
    tr->st->stat.commits++;

    ngx_queue_remove(&part->link);
    ngx_queue_insert_tail(&tr->commits, &part->link);

    ngx_mntreamer_track_run(tr);

    return NGX_OK;
}


void
ngx_mntreamer_track_close(ngx_mntreamer_track_t *tr, ngx_uint_t endlist,
    ngx_mntreamer_track_closed_pt close_done, void *data)
{
    ngx_queue_t           *q, *next;
    ngx_mntreamer_part_t  *part;

    tr->close = 1;
    tr->endlist = endlist ? 1 : 0;
    tr->close_done = close_done;
    tr->close_data = data;

    if (tr->sync.timer_set) {
        ngx_del_timer(&tr->sync);
    }

    tr->calling++;

    for (q = ngx_queue_head(&tr->parts);
         q != ngx_queue_sentinel(&tr->parts);
         q = next)
    {
        next = ngx_queue_next(q);
        part = ngx_queue_data(q, ngx_mntreamer_part_t, link);

        if (!part->aborted) {
            ngx_mntreamer_part_abort(part);
        }
    }

    tr->calling--;

    ngx_mntreamer_track_run(tr);
}


static void
ngx_mntreamer_track_closed(void *data)
{
    ngx_mntreamer_track_t *tr = data;

    void                           *close_data;
    ngx_uint_t                      rc;
    ngx_mntreamer_track_closed_pt   close_done;

    tr->tasks--;

    if (tr->abandoned) {
        ngx_mntreamer_track_settle(tr);
        return;
    }

    ngx_mntreamer_fail_log(tr->st, tr->log, &tr->fail, &tr->dir);

    rc = tr->close_rc;
    close_done = tr->close_done;
    close_data = tr->close_data;

    if (rc == NGX_MNTREAMER_STORE_OK || rc == NGX_MNTREAMER_STORE_GONE) {
        ngx_mntreamer_track_free(tr);

    } else {
        tr->fail.rc = NGX_MNTREAMER_STORE_OK;
        tr->state = NGX_MNTREAMER_TRACK_OPEN;
        tr->close = 0;
    }

    if (close_done) {
        close_done(close_data, rc);
    }
}


void
ngx_mntreamer_track_abandon(ngx_mntreamer_track_t *tr)
{
    tr->abandoned = 1;

    ngx_mntreamer_track_settle(tr);
}


/* after anything that a closed or abandoned track may have waited for */

void
ngx_mntreamer_track_settle(ngx_mntreamer_track_t *tr)
{
    if (!tr->abandoned) {
        if (tr->close) {
            ngx_mntreamer_track_run(tr);
        }

        return;
    }

    if (tr->tasks == 0 && tr->calling == 0) {
        ngx_mntreamer_track_free(tr);
    }
}


void
ngx_mntreamer_track_free(ngx_mntreamer_track_t *tr)
{
    ngx_uint_t             i;
    ngx_queue_t           *queues[3], *q;
    ngx_mntreamer_part_t  *part;

    queues[0] = &tr->parts;
    queues[1] = &tr->commits;
    queues[2] = &tr->batch;

    for (i = 0; i < 3; i++) {
        while (!ngx_queue_empty(queues[i])) {
            q = ngx_queue_head(queues[i]);
            part = ngx_queue_data(q, ngx_mntreamer_part_t, link);

            ngx_mntreamer_part_drop(part);
            ngx_mntreamer_part_free(part);
        }
    }

    if (tr->sync.timer_set) {
        ngx_del_timer(&tr->sync);
    }

    if (tr->playlist != -1) {
        (void) close(tr->playlist);
    }

    if (tr->journal != -1) {
        (void) close(tr->journal);
    }

    if (tr->dirfd != -1) {
        (void) close(tr->dirfd);
    }

    if (tr->opened) {
        ngx_free(tr->opened);
    }

    tr->st->stat.tracks--;

    ngx_queue_remove(&tr->link);
    ngx_free(tr);
}


static void
ngx_mntreamer_track_sync(ngx_event_t *ev)
{
    ngx_mntreamer_track_t  *tr;

    tr = ev->data;

    tr->sync_due = 1;

    ngx_mntreamer_track_run(tr);
}
