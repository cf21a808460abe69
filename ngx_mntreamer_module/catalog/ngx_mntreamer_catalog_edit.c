
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Edits of recordings.  What decides is a function of the database
 * (conf/sql/024, 025): it holds the lock of the recording.  What is to be done
 * with files is told to the engine of their storage, which tells what became
 * of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog_internal.h"


/* "c" is the cut, "r" its recording */

#define NGX_MNTREAMER_SQL_APPLIED  "r.cut_applied >= r.cut_version"

#define NGX_MNTREAMER_SQL_CUT                                                 \
    "json_build_object('id', c.id, 'recording_id', c.recording_id,"           \
    " 'begin', round(c.begin_us / 1000000.0, 3),"                             \
    " 'end', round(c.end_us / 1000000.0, 3),"                                 \
    " 'created_at', mntreamer_time(c.created_at),"                            \
    " 'applied', " NGX_MNTREAMER_SQL_APPLIED ")"


/* in the order of ngx_mntreamer_ask_e, from _CUT on */

static const ngx_mntreamer_sql_t  ngx_mntreamer_edit_sql[] = {

    { "cut",
      "SELECT word, cut FROM mntreamer_cut($1::bigint, $2::bigint,"
      " $3::bigint)", 3, 2 },

    { "cut_undo",
      "SELECT mntreamer_cut_undo($1::bigint, $2::bigint)", 2, 1 },

    { "cuts",
      "SELECT json_build_object('items', (SELECT coalesce(json_agg("
      NGX_MNTREAMER_SQL_CUT " ORDER BY c.begin_us, c.end_us), '[]')"
      " FROM media_cut c WHERE c.recording_id = r.id"
      " AND c.undone_at IS NULL), 'next', NULL)"
      " FROM media_record r WHERE r.id = $1::bigint"
      " AND r.status <> 'deleted'", 1, 1 },

    { "cut_state",
      "SELECT " NGX_MNTREAMER_SQL_CUT ", " NGX_MNTREAMER_SQL_APPLIED
      " OR c.refused IS NOT NULL, c.refused"
      " FROM media_cut c JOIN media_record r ON r.id = c.recording_id"
      " WHERE r.id = $1::bigint AND c.id = $2::bigint", 2, 3 },

    { "cut_pending",
      "SELECT r.id, r.path, r.cut_version, (SELECT string_agg(c.begin_us"
      " || ' ' || c.end_us, E'\\n' ORDER BY c.begin_us, c.end_us)"
      " FROM media_cut c WHERE c.recording_id = r.id"
      " AND c.undone_at IS NULL), r.storage = $2"
      " FROM media_record r WHERE r.cut_version <> r.cut_applied"
      " AND r.status <> 'deleted'"
      " AND (r.storage = $2 OR r.storage IS NULL OR $2 IS NULL)"
      " ORDER BY r.id LIMIT 1 OFFSET $1::bigint", 2, 5 },

    { "cut_told",
      "SELECT mntreamer_cut_told($1::bigint, $2::bigint, $3::text,"
      " $4::bigint, $5::bigint)", 5, 1 },

    { "clip",
      "SELECT word, clip FROM mntreamer_clip($1::bigint, $2::bigint,"
      " $3::bigint, $4::text, $5::boolean)", 5, 2 },

    { "clip_state",
      "SELECT json_build_object('id', c.id, 'clip_of', c.recording_id),"
      " c.made_at IS NOT NULL OR c.refused IS NOT NULL, c.refused"
      " FROM media_clip c"
      " WHERE c.recording_id = $1::bigint AND c.id = $2::bigint", 2, 3 },

    { "clip_pending",
      "SELECT c.id, r.path, c.path, c.begin_us, c.end_us, r.storage = $2"
      " FROM media_clip c JOIN media_record r ON r.id = c.recording_id"
      " WHERE c.made_at IS NULL AND c.refused IS NULL"
      " AND NOT (r.status = 'deleted' AND r.removed_at IS NULL)"
      " AND (r.storage = $2 OR r.storage IS NULL OR $2 IS NULL)"
      " ORDER BY c.id LIMIT 1 OFFSET $1::bigint", 2, 6 },

    { "clip_told",
      "SELECT mntreamer_clip_told($1::bigint, $2::text, $3::bigint,"
      " $4::bigint, $5::bigint)", 5, 1 }
};


const ngx_mntreamer_sql_t *
ngx_mntreamer_catalog_edit_sql(ngx_uint_t ask)
{
    return &ngx_mntreamer_edit_sql[ask - NGX_MNTREAMER_ASK_CUT];
}
