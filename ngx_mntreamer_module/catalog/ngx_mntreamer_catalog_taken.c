
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Recordings whose files are there and which the database has forgotten: it
 * came back with older data.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog_internal.h"


static void ngx_mntreamer_taken_done(void *data,
    const ngx_mntreamer_result_t *result);


/*
 * engine, streamer, epoch, recording, segments, bytes, duration, gaps,
 * lost, end, has it an end
 */

static const ngx_mntreamer_sql_t  ngx_mntreamer_taken_sql =
    { "recording_taken",
      "SELECT 1, mntreamer_recording_taken($1::bigint, $2::bigint, $3::bigint,"
      " $4::bigint, $5::bigint, $6::bigint, $7::bigint, $8::bigint,"
      " $9::bigint, to_timestamp($10::bigint / 1000.0), $11::bigint <> 0)",
      11, 2 };


ngx_int_t
ngx_mntreamer_catalog_recording_taken(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_taken_t *taken, ngx_mntreamer_catalog_done_pt done,
    void *data)
{
    int64_t                          n[11];
    u_char                           buf[11][NGX_INT64_LEN];
    ngx_uint_t                       i;
    ngx_mntreamer_exec_t             ex;
    ngx_mntreamer_call_t            *call;
    const ngx_mntreamer_progress_t  *progress;

    if (cat->state != NGX_MNTREAMER_CATALOG_UP) {
        return NGX_ERROR;
    }

    call = ngx_mntreamer_catalog_call(cat, data);
    if (call == NULL) {
        return NGX_ERROR;
    }

    call->handler.done = done;
    progress = &taken->progress;

    n[0] = cat->engine;
    n[1] = progress->streamer_id;
    n[2] = progress->epoch;
    n[3] = progress->recording_id;
    n[4] = ngx_mntreamer_recording_count(progress->segments);
    n[5] = progress->bytes;
    n[6] = progress->duration_us;
    n[7] = ngx_mntreamer_recording_count(progress->gaps);
    n[8] = progress->lost_us;
    n[9] = progress->ended_ms ? progress->ended_ms
                              : ngx_mntreamer_recording_now();
    n[10] = (int64_t) taken->ended;

    ngx_mntreamer_catalog_exec_init(&ex,
                                    &ngx_mntreamer_taken_sql,
                                    ngx_mntreamer_taken_done, call);

    for (i = 0; i < 11; i++) {
        ex.params[i] = ngx_mntreamer_catalog_number(buf[i], n[i]);
    }

    call->st = ngx_mntreamer_pq_exec(cat->pq, &ex);

    if (call->st == NULL) {
        ngx_mntreamer_catalog_call_free(call);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_mntreamer_taken_done(void *data,
    const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_call_t *call = data;

    void                           *handler_data;
    ngx_mntreamer_catalog_t        *cat;
    ngx_mntreamer_catalog_done_pt   handler;

    cat = call->cat;
    handler = call->handler.done;
    handler_data = call->data;

    ngx_mntreamer_catalog_call_free(call);

    ngx_mntreamer_recording_told(cat, result);

    handler(handler_data, result->rc);
}


/* the second column is the path of a recording that was unknown */

void
ngx_mntreamer_recording_told(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_result_t *result)
{
    ngx_str_t  path;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        ngx_log_error(NGX_LOG_WARN, cat->log, 0,
                      "mntreamer: what became of a recording was not stored, "
                      "who finds its lease expired looks at it again");
        return;
    }

    if (result->nrows == 0) {
        return;
    }

    path = ngx_mntreamer_rows_get(result->rows, 0, 1);

    if (path.len) {
        ngx_log_error(NGX_LOG_WARN, cat->log, 0,
                      "mntreamer: the database has forgotten the "
                      "recording in \"%V\", it has a row again", &path);
    }
}
