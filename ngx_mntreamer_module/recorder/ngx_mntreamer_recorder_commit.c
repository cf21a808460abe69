
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The front of a rendition's queue: what was fetched is stored, what is lost
 * is noted, in the order of the stream and one at a time, so that an entry
 * knows everything that is missing before it, also when its storing failed.
 *
 * All that is lost between two entries is one gap: one row, written again
 * while it grows, and one line of the journal with the entry that ends it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"


#define NGX_MNTREAMER_COMMIT_TELL_MS  10000


static ngx_uint_t ngx_mntreamer_rendition_front(ngx_mntreamer_rendition_t *r,
    ngx_mntreamer_segment_t *sg);
static void ngx_mntreamer_rendition_miss(ngx_mntreamer_rendition_t *r,
    const ngx_mntreamer_segment_t *sg, ngx_uint_t cause, uint64_t count);
static void ngx_mntreamer_rendition_row(ngx_mntreamer_rendition_t *r);
static void ngx_mntreamer_rendition_store(ngx_mntreamer_rendition_t *r,
    ngx_mntreamer_segment_t *sg);
static void ngx_mntreamer_rendition_lost(ngx_mntreamer_rendition_t *r,
    ngx_mntreamer_entry_t *entry);
static void ngx_mntreamer_rendition_stored(void *data,
    const ngx_mntreamer_commit_t *commit);
static void ngx_mntreamer_rendition_listed(ngx_mntreamer_rendition_t *r,
    const ngx_mntreamer_segment_t *sg, const ngx_mntreamer_commit_t *commit);
static void ngx_mntreamer_rendition_show(ngx_mntreamer_rendition_t *r,
    const ngx_mntreamer_segment_t *sg, const ngx_mntreamer_commit_t *commit);


void
ngx_mntreamer_rendition_hole(ngx_mntreamer_rendition_t *r, ngx_uint_t cause,
    uint64_t first, uint64_t count, int64_t us)
{
    ngx_queue_t              *q;
    ngx_mntreamer_segment_t  *sg, hole;

    q = ngx_queue_last(&r->segments);

    if (q != ngx_queue_sentinel(&r->segments)) {
        sg = ngx_queue_data(q, ngx_mntreamer_segment_t, queue);

        if (sg->kind == NGX_MNTREAMER_SEGMENT_HOLE && sg->cause == cause) {
            sg->count += count;
            sg->duration_us += us;
            return;
        }
    }

    sg = ngx_mntreamer_segment_get(r, NGX_MNTREAMER_SEGMENT_HOLE);

    if (sg == NULL) {

        /*
         * The window has moved on: it is noted now, before what is queued, and
         * the next entry tells the journal; the row is written once more then,
         * because there may be no memory for it either.
         */

        ngx_memzero(&hole, sizeof(ngx_mntreamer_segment_t));

        hole.seen.sequence = first;
        hole.duration_us = us;

        ngx_mntreamer_rendition_miss(r, &hole, cause, count);

        r->unsure = 1;
        return;
    }

    sg->state = NGX_MNTREAMER_SEGMENT_LOST;
    sg->cause = cause;
    sg->seen.sequence = first;
    sg->count = count;
    sg->duration_us = us;

    ngx_mntreamer_bound_insert(sg);
}


void
ngx_mntreamer_rendition_commit(ngx_mntreamer_rendition_t *r)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&r->segments)) {
        q = ngx_queue_head(&r->segments);

        if (!ngx_mntreamer_rendition_front(r, ngx_queue_data(q,
                                              ngx_mntreamer_segment_t, queue)))
        {
            return;
        }
    }
}


/* 1 when it left the queue */

static ngx_uint_t
ngx_mntreamer_rendition_front(ngx_mntreamer_rendition_t *r,
    ngx_mntreamer_segment_t *sg)
{
    if (sg->state == NGX_MNTREAMER_SEGMENT_LOST) {

        if (sg->kind == NGX_MNTREAMER_SEGMENT_MAP) {
            r->map_cause = sg->cause;

            /* the next segment that is listed brings it again */

            if (r->map_last == sg->map) {
                r->map_hash = 0;
            }

        } else {
            ngx_mntreamer_rendition_miss(r, sg, sg->cause,
                                         sg->kind == NGX_MNTREAMER_SEGMENT_HOLE
                                         ? sg->count : 1);
        }

        ngx_mntreamer_segment_put(sg);
        return 1;
    }

    if (sg->state != NGX_MNTREAMER_SEGMENT_FETCHED) {
        return 0;
    }

    if (sg->kind == NGX_MNTREAMER_SEGMENT_MEDIA
        && sg->map && sg->map != r->map_stored)
    {
        ngx_mntreamer_rendition_miss(r, sg, r->map_cause, 1);
        ngx_mntreamer_segment_put(sg);
        return 1;
    }

    ngx_mntreamer_rendition_store(r, sg);

    return 0;
}


static void
ngx_mntreamer_rendition_miss(ngx_mntreamer_rendition_t *r,
    const ngx_mntreamer_segment_t *sg, ngx_uint_t cause, uint64_t count)
{
    ngx_mntreamer_metrics_t  *m;
    ngx_mntreamer_session_t  *s;

    s = r->session;
    m = s->rec->metrics;

    if (r->lost_number == 0) {
        s->gaps++;
        r->lost_number = ngx_mntreamer_gap_number(r->index, ++r->gaps);
        r->lost_cause = cause;
        r->lost_first = sg->seen.sequence;
        r->lost_count = 0;
        r->lost_us = 0;

        ngx_mntreamer_metrics_add(m, NGX_MNTREAMER_M_GAPS, cause, 1);
    }

    r->lost_count += count;
    r->lost_us += sg->duration_us;

    if (r->index == 0) {
        s->lost_us += sg->duration_us;
    }

    ngx_mntreamer_metrics_add(m, NGX_MNTREAMER_M_LOST_SEGMENTS, cause,
                              (int64_t) count);
    ngx_mntreamer_metrics_add(m, NGX_MNTREAMER_M_LOST_MS, cause,
                              sg->duration_us / 1000);

    if (s->untold == 0) {
        s->untold_first = sg->seen.sequence;
        s->untold_cause = cause;
    }

    s->untold += count;

    ngx_mntreamer_rendition_row(r);

    /* the row tells of it even if nothing is ever stored again */

    ngx_mntreamer_session_progress(s);
}


/* what is lost since the last entry */

static void
ngx_mntreamer_rendition_row(ngx_mntreamer_rendition_t *r)
{
    ngx_mntreamer_gap_row_t   gap;
    ngx_mntreamer_session_t  *s;

    s = r->session;

    ngx_memzero(&gap, sizeof(ngx_mntreamer_gap_row_t));

    gap.recording_id = s->recording_id;
    gap.epoch = s->epoch;
    gap.number = r->lost_number;
    gap.track = r->name;
    gap.cause = r->lost_cause;
    gap.first_sequence = r->lost_first;
    gap.segments = r->lost_count;
    gap.lost_us = r->lost_us;
    gap.at_us = r->duration_us;

    /* it is tried once more when the next entry tells the journal */

    r->unsure = (ngx_mntreamer_catalog_gap(s->rec->cat, &gap) != NGX_OK);
}


void
ngx_mntreamer_session_told(ngx_mntreamer_session_t *s, ngx_uint_t now)
{
    if (s->untold == 0
        || (!now && s->told_ms
            && ngx_current_msec - s->told_ms < NGX_MNTREAMER_COMMIT_TELL_MS))
    {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, s->log, 0,
                  "mntreamer: recording %L lost %uL segments from %uL: %s",
                  s->recording_id, s->untold, s->untold_first,
                  ngx_mntreamer_gap_name(s->untold_cause));

    s->untold = 0;
    s->told_ms = ngx_current_msec;
}


static void
ngx_mntreamer_rendition_store(ngx_mntreamer_rendition_t *r,
    ngx_mntreamer_segment_t *sg)
{
    ngx_mntreamer_part_t   *part;
    ngx_mntreamer_entry_t   entry;

    ngx_memzero(&entry, sizeof(ngx_mntreamer_entry_t));

    entry.epoch = sg->epoch;
    entry.seen = sg->seen;
    entry.duration_us = sg->duration_us;
    entry.discontinuity = sg->discontinuity;

    if (sg->kind == NGX_MNTREAMER_SEGMENT_MEDIA) {
        entry.discontinuous = r->segments_total
                              && (sg->discontinuous || r->lost_number);

        ngx_mntreamer_rendition_lost(r, &entry);
    }

    part = sg->part;

    r->ahead--;
    r->storing = sg;

    sg->part = NULL;
    sg->state = NGX_MNTREAMER_SEGMENT_STORING;

    (void) ngx_mntreamer_track_commit(r->track, part, &entry,
                                      ngx_mntreamer_rendition_stored, sg);
}


static void
ngx_mntreamer_rendition_lost(ngx_mntreamer_rendition_t *r,
    ngx_mntreamer_entry_t *entry)
{
    if (r->lost_number == 0) {
        return;
    }

    entry->lost_count = (uint32_t) ngx_min(r->lost_count,
                                           NGX_MAX_UINT32_VALUE);
    entry->lost_us = r->lost_us;
    entry->lost_reason = ngx_mntreamer_gap_name(r->lost_cause);
}


/*
 * Whoever goes on with the recording numbers its gaps behind those of the
 * journal.
 */

void
ngx_mntreamer_rendition_trail(ngx_mntreamer_rendition_t *r)
{
    ngx_mntreamer_entry_t  entry;

    if (r->lost_number == 0 || r->track == NULL) {
        return;
    }

    ngx_memzero(&entry, sizeof(ngx_mntreamer_entry_t));

    ngx_mntreamer_rendition_lost(r, &entry);

    if (ngx_mntreamer_track_commit(r->track, NULL, &entry, NULL, NULL)
        == NGX_OK)
    {
        r->lost_number = 0;
    }
}


static void
ngx_mntreamer_rendition_stored(void *data,
    const ngx_mntreamer_commit_t *commit)
{
    ngx_mntreamer_segment_t *sg = data;

    ngx_mntreamer_rendition_t  *r;

    r = sg->rendition;
    r->storing = NULL;

    if (commit->rc == NGX_MNTREAMER_STORE_OK) {

        if (sg->kind == NGX_MNTREAMER_SEGMENT_MAP) {
            r->map_stored = sg->map;
            r->map_file = commit->number;
            r->bytes_total += (int64_t) commit->bytes;

        } else {
            ngx_mntreamer_rendition_listed(r, sg, commit);
        }

        ngx_mntreamer_segment_put(sg);

    } else if (commit->rc == NGX_MNTREAMER_STORE_TAKEN) {
        r->session->taken = 1;
        ngx_mntreamer_session_wake(r->session);
        return;

    } else if (commit->rc == NGX_MNTREAMER_STORE_GONE || r->session->gone) {
        r->session->gone = 1;
        ngx_mntreamer_segment_put(sg);
        ngx_mntreamer_session_wake(r->session);

    } else {
        ngx_mntreamer_segment_unstored(sg, commit->rc);
    }

    ngx_mntreamer_rendition_run(r);
}


static void
ngx_mntreamer_rendition_listed(ngx_mntreamer_rendition_t *r,
    const ngx_mntreamer_segment_t *sg, const ngx_mntreamer_commit_t *commit)
{
    uint64_t                  rate;
    ngx_uint_t                discontinuous;
    ngx_mntreamer_metrics_t  *m;
    ngx_mntreamer_session_t  *s;

    s = r->session;
    m = s->rec->metrics;
    discontinuous = (r->segments_total
                     && (sg->discontinuous || r->lost_number));

    if (r->unsure && r->lost_number) {
        ngx_mntreamer_rendition_row(r);
    }

    r->unsure = 0;
    r->segments_total++;
    r->bytes_total += (int64_t) commit->bytes;
    r->duration_us += sg->duration_us;
    r->lost_number = 0;

    rate = (uint64_t) commit->bytes * 8000
           / (uint64_t) ngx_max(sg->duration_us / 1000, 1);

    /* RFC 8216 4.1: of what lasts half a target duration or more */

    if (sg->duration_us >= s->renditions[0].target_ms * 500) {
        r->peak = ngx_max(r->peak, rate);
    }

    ngx_mntreamer_metrics_add(m, NGX_MNTREAMER_M_SEGMENTS, 0, 1);
    ngx_mntreamer_metrics_add(m, NGX_MNTREAMER_M_BYTES, 0,
                              (int64_t) commit->bytes);
    ngx_mntreamer_metrics_observe(m, NGX_MNTREAMER_M_COMMIT_MS,
                                  (int64_t) commit->commit_ms);

    ngx_mntreamer_session_progress(s);
    ngx_mntreamer_session_card(s);

    if (r->index == 0) {
        ngx_mntreamer_ladder_listed(s, sg, commit, discontinuous);
        ngx_mntreamer_rendition_show(r, sg, commit);
    }

    ngx_mntreamer_ladder_index(s, 0);
}


/* to whom makes something of it while it is recorded */

static void
ngx_mntreamer_rendition_show(ngx_mntreamer_rendition_t *r,
    const ngx_mntreamer_segment_t *sg, const ngx_mntreamer_commit_t *commit)
{
    char                            name[MNT_TRACK_FILE_MAX];
    char                            init[MNT_TRACK_FILE_MAX];
    mnt_str_t                       prefix;
    mnt_file_t                      file;
    ngx_mntreamer_listed_t          listed;
    ngx_mntreamer_recorder_deps_t  *deps;

    deps = &r->session->rec->deps;

    prefix.data = (char *) r->prefix.data;
    prefix.len = r->prefix.len;

    ngx_memzero(&file, sizeof(mnt_file_t));
    ngx_memzero(&listed, sizeof(ngx_mntreamer_listed_t));

    file.kind = MNT_FILE_SEGMENT;
    file.number = commit->number;
    file.container = (mnt_hls_container_e) commit->container;

    listed.name.len = mnt_file_name(&file, prefix, name).len;
    listed.name.data = (u_char *) name;

    if (sg->map) {
        file.kind = MNT_FILE_INIT;
        file.number = r->map_file;

        listed.init.len = mnt_file_name(&file, prefix, init).len;
        listed.init.data = (u_char *) init;
    }

    listed.recording_id = r->session->recording_id;
    listed.platform = r->session->platform;
    listed.path = r->session->path;
    listed.duration_us = sg->duration_us;

    deps->listed(deps->data, &listed);
}
