
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Questions of the API.  The answers are JSON made by the database; what is
 * changed is notified by the same statement.  A statement that changes takes
 * the lock of the monitor row first, as the engines do.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog_internal.h"
#include "../platform/mnt_platform.h"


#define NGX_MNTREAMER_ASK_PAGE   6            /* parameter of _STREAMER_ADD */
#define NGX_MNTREAMER_ASK_YOUNG_MS  60000     /* behind resume_window */
#define NGX_MNTREAMER_ASK_READS  128          /* waiting, with the changes */


struct ngx_mntreamer_ask_s {
    ngx_queue_t                  queue;
    ngx_mntreamer_statement_t   *st;          /* owned by the connection */
    ngx_mntreamer_result_pt      done;
    void                        *data;        /* alias */
};


static const ngx_mntreamer_sql_t *ngx_mntreamer_ask_text(ngx_uint_t ask);
static ngx_uint_t ngx_mntreamer_ask_reads(ngx_uint_t ask);
static ngx_int_t ngx_mntreamer_ask_platform(ngx_uint_t ask,
    ngx_mntreamer_exec_t *ex, u_char *buf);
static void ngx_mntreamer_ask_keep(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_exec_t *ex, u_char (*buf)[NGX_INT64_LEN]);
static void ngx_mntreamer_ask_done(void *data,
    const ngx_mntreamer_result_t *result);


/* "s" is the streamer, "m" its monitor row, "p" the platform, "r" what is
   being recorded of it; of own broadcasts viewers are who we know of */

#define NGX_MNTREAMER_SQL_VIEWERS                                             \
    "CASE WHEN p.pushed THEN mntreamer_watching(r.id)"                        \
    " ELSE s.live_viewers END"

#define NGX_MNTREAMER_SQL_STATUS                                              \
    "CASE WHEN s.status = 'idle' AND m.lease_until > now() THEN 'process'"    \
    " ELSE s.status END"

/* a follower of what is on the air could not be told */

#define NGX_MNTREAMER_SQL_DEGRADED                                            \
    "EXISTS (SELECT FROM broadcast b WHERE b.streamer_id = s.id"              \
    " AND b.ended_at IS NULL AND b.degraded)"

#define NGX_MNTREAMER_SQL_STREAMER                                            \
    "json_build_object('id', s.id, 'platform', p.name,"                       \
    " 'channel_id', mntreamer_channel(s.channel_id),"                         \
    " 'channel_name', s.channel_name,"                                        \
    " 'nickname', s.nickname, 'page', s.page, 'source', s.source,"            \
    " 'configured', s.configured IS NOT NULL,"                                \
    " 'monitored', s.monitored, 'status', " NGX_MNTREAMER_SQL_STATUS ","      \
    " 'is_streaming', s.is_streaming, 'priority', s.priority,"                \
    " 'quality', coalesce(s.quality, 'best'), 'recorded', s.recorded,"        \
    " 'last_recorded_at', mntreamer_time(s.last_recorded_at),"                \
    " 'last_stream_at', mntreamer_time(s.last_stream_at),"                    \
    " 'next_check_at', CASE WHEN s.monitored AND NOT p.pushed"                \
    " THEN mntreamer_time(m.check_at) END,"                                   \
    " 'misses', coalesce(m.miss_count, 0),"                                   \
    " 'created_at', mntreamer_time(s.created_at),"                            \
    " 'last_probe', CASE WHEN m.last_at IS NOT NULL AND NOT p.pushed"         \
    " THEN json_build_object("                                                \
    "'at', mntreamer_time(m.last_at), 'outcome', m.last_outcome,"             \
    " 'reason', m.last_reason) END,"                                          \
    " 'live', CASE WHEN s.is_streaming THEN json_build_object("               \
    "'title', s.live_title, 'category', s.live_category,"                     \
    " 'viewers', " NGX_MNTREAMER_SQL_VIEWERS ","                              \
    " 'started_at', mntreamer_time(s.live_started_at),"                       \
    " 'image', s.live_image, 'broadcast_id', s.live_broadcast_id,"            \
    " 'degraded', " NGX_MNTREAMER_SQL_DEGRADED ") END,"                       \
    " 'title', s.title, 'description', s.description,"                        \
    " 'category', s.category, 'retention', CASE WHEN s.retention IS NOT NULL" \
    " THEN json_build_object('age', s.retention->'age',"                      \
    " 'size', s.retention->'size', 'count', s.retention->'count') END,"       \
    " 'recording_id', r.id)"

#define NGX_MNTREAMER_SQL_STREAMER_JOIN                                       \
    " JOIN platform p ON p.id = s.platform"                                   \
    " LEFT JOIN media_record r ON r.streamer_id = s.id"                       \
    " AND r.status = 'recording'"

/* "r" is the recording, "p" the platform; jsonb to be added to */

#define NGX_MNTREAMER_SQL_URL                                                 \
    "CASE WHEN r.segments > 0 AND r.status <> 'deleted'"                      \
    " THEN mntreamer_url(r.path) END"

#define NGX_MNTREAMER_SQL_THUMBNAIL                                           \
    "CASE WHEN r.thumbnail AND r.status = 'recording' AND r.segments > 0"     \
    " THEN mntreamer_url(r.path, 'thumbnail.jpg') END"

#define NGX_MNTREAMER_SQL_SECONDS(us)  "round(" us " / 1000000.0, 3)"

/* in the trash: "r" can be brought back; it is on its way */

#define NGX_MNTREAMER_SQL_TRASH                                               \
    "(r.status = 'deleted' AND r.removed_at IS NULL"                          \
    " AND r.deleted_from IS NOT NULL AND (r.restoring"                        \
    " OR coalesce(r.purge_at > now(), false)))"

#define NGX_MNTREAMER_SQL_DELETED                                             \
    "CASE WHEN r.status = 'deleted' THEN json_build_object("                  \
    "'at', mntreamer_time(r.deleted_at), 'why', r.deleted_why,"               \
    " 'until', CASE WHEN " NGX_MNTREAMER_SQL_TRASH                            \
    " THEN mntreamer_time(r.purge_at) END,"                                   \
    " 'restoring', r.restoring) END"

/* when the files of what is deleted now may go; "n": seconds in the trash */

#define NGX_MNTREAMER_SQL_PURGE_AT(n)                                         \
    "CASE WHEN " n "::bigint > 0 THEN now() + " n "::bigint"                  \
    " * interval '1 second' ELSE '-infinity' END"

#define NGX_MNTREAMER_SQL_RECORDING                                           \
    "'id', r.id, 'streamer_id', r.streamer_id, 'platform', p.name,"           \
    " 'channel_id', mntreamer_channel(r.channel_id),"                         \
    " 'channel_name', r.channel_name,"                                        \
    " 'title', r.title, 'category', r.category,"                              \
    " 'broadcast_id', r.broadcast_id, 'status', r.status,"                    \
    " 'started_at', mntreamer_time(r.started_at),"                            \
    " 'ended_at', mntreamer_time(r.ended_at),"                                \
    " 'duration', "                                                           \
    NGX_MNTREAMER_SQL_SECONDS("greatest(r.duration_us - r.cut_us, 0)") ","    \
    " 'cut', " NGX_MNTREAMER_SQL_SECONDS("r.cut_us") ","                      \
    " 'segments', r.segments, 'bytes', r.bytes, 'gaps', r.gaps,"              \
    " 'lost', " NGX_MNTREAMER_SQL_SECONDS("r.lost_us") ","                    \
    " 'quality', r.quality, 'protected', r.protected,"                        \
    " 'watching', CASE WHEN r.status = 'recording'"                           \
    " THEN mntreamer_watching(r.id) END,"                                     \
    " 'watching_peak', (SELECT coalesce(max(w.peak), 0)"                      \
    " FROM media_watching w WHERE w.recording_id = r.id),"                    \
    " 'watch_time', (SELECT round(coalesce(sum(w.watched_ms), 0) / 1000, 3)"  \
    " FROM media_watching w WHERE w.recording_id = r.id),"                    \
    " 'clip_of', r.clip_of,"                                                  \
    " 'deleted', " NGX_MNTREAMER_SQL_DELETED ","                              \
    " 'url', " NGX_MNTREAMER_SQL_URL ","                                      \
    " 'thumbnail', " NGX_MNTREAMER_SQL_THUMBNAIL

/* "s" is the streamer on the air, "p" its platform, "r" its recording */

#define NGX_MNTREAMER_SQL_ON_AIR                                              \
    "'streamer_id', s.id, 'platform', p.name,"                                \
    " 'channel_id', mntreamer_channel(s.channel_id), 'channel_name',"         \
    " coalesce(s.channel_name, s.nickname), 'title', s.live_title,"           \
    " 'category', s.live_category,"                                           \
    " 'viewers', " NGX_MNTREAMER_SQL_VIEWERS ","                              \
    " 'watching', mntreamer_watching(r.id),"                                  \
    " 'image', s.live_image,"                                                 \
    " 'started_at', mntreamer_time(s.live_started_at),"                       \
    " 'recording_id', r.id, 'url', " NGX_MNTREAMER_SQL_URL ","                \
    " 'degraded', " NGX_MNTREAMER_SQL_DEGRADED ","                            \
    " 'thumbnail', " NGX_MNTREAMER_SQL_THUMBNAIL

/* parameters from $2 on: storage, age, size, count, what is too young to go
   in ms, seconds in the trash */

#define NGX_MNTREAMER_SQL_RETENTION(mark)                                     \
    "mntreamer_retention($2, $3::bigint, $4::bigint, $5::bigint,"             \
    " $6::bigint, $7::bigint, " mark ")"

/* a pattern that finds "n" itself anywhere */

#define NGX_MNTREAMER_SQL_LIKE(n)                                             \
    "'%' || regexp_replace(" n "::text, '([\\\\%_])', '\\\\\\1', 'g') || '%'"

/* a column, or the text of parameter "n": empty resets it */

#define NGX_MNTREAMER_SQL_SET(column, n)                                      \
    "CASE WHEN $" n "::text IS NULL THEN s." column                           \
    " ELSE nullif($" n "::text, '') END"

#define NGX_MNTREAMER_SQL_TITLED(a, b, c)                                     \
    "coalesce($" a "::text, $" b "::text, $" c "::text) IS NOT NULL"

#define NGX_MNTREAMER_SQL_NOTIFY                                              \
    "count(pg_notify('" NGX_MNTREAMER_CATALOG_CHANNEL "', x))"


static const ngx_mntreamer_sql_t  ngx_mntreamer_ask_sql[] = {

    { "api_streamers",
      "SELECT " NGX_MNTREAMER_SQL_STREAMER ", s.id FROM streamer s"
      " LEFT JOIN streamer_monitor m ON m.streamer_id = s.id"
      NGX_MNTREAMER_SQL_STREAMER_JOIN
      " WHERE ($1::int IS NULL OR s.platform = $1::int)"
      " AND ($2::text IS NULL"
      " OR mntreamer_channel_is(s.channel_id, $2::text))"
      " AND ($3::text IS NULL OR " NGX_MNTREAMER_SQL_STATUS " = $3::text)"
      " AND ($3::text IS DISTINCT FROM 'recording' OR s.status <> 'idle')"
      " AND ($4::boolean IS NULL OR s.monitored = $4::boolean)"
      " AND ($5::text IS NULL"
      " OR s.channel_name ILIKE " NGX_MNTREAMER_SQL_LIKE("$5")
      " OR s.nickname ILIKE " NGX_MNTREAMER_SQL_LIKE("$5")
      " OR mntreamer_channel(s.channel_id)"
      " ILIKE " NGX_MNTREAMER_SQL_LIKE("$5") ")"
      " AND ($6::bigint IS NULL OR s.id > $6::bigint)"
      " ORDER BY s.id LIMIT $7::bigint", 7, 2 },

    { "api_streamer",
      "SELECT " NGX_MNTREAMER_SQL_STREAMER " FROM streamer s"
      " LEFT JOIN streamer_monitor m ON m.streamer_id = s.id"
      NGX_MNTREAMER_SQL_STREAMER_JOIN
      " WHERE s.id = $1::bigint", 1, 1 },

    /*
     * platform, channel, its name, nickname, quality, priority, page, title,
     * description, category.  A new title is the recording's, too: that is
     * locked first ("k"), as by whatever else writes both.
     */

    { "api_streamer_add",
      "WITH k AS MATERIALIZED ("
      " SELECT r.id FROM media_record r"
      " JOIN streamer s ON s.id = r.streamer_id"
      " WHERE s.platform = $1::int AND s.channel_id = $2::text"
      " AND r.status = 'recording' AND " NGX_MNTREAMER_SQL_TITLED("8", "9",
                                                                  "10")
      " FOR NO KEY UPDATE OF r"
      "), l AS MATERIALIZED ("
      " SELECT m.streamer_id FROM streamer_monitor m"
      " JOIN streamer s ON s.id = m.streamer_id,"
      " (SELECT count(*) FROM k) locked"
      " WHERE s.platform = $1::int"
      " AND s.channel_id = $2::text FOR UPDATE OF m"
      "), s AS ("
      " INSERT INTO streamer AS s (platform, channel_id, channel_name,"
      " nickname, quality, priority, page, title, description, category,"
      " source)"
      " SELECT $1::int, $2::text, $3::text,"
      " nullif($4::text, ''), nullif($5::text, ''), coalesce($6::int, 0),"
      " $7::text, nullif($8::text, ''), nullif($9::text, ''),"
      " nullif($10::text, ''), 'api' FROM (SELECT count(*) FROM l) locked"
      " ON CONFLICT (platform, channel_id) DO UPDATE SET monitored = true,"
      " channel_name = coalesce(excluded.channel_name, s.channel_name),"
      " nickname = coalesce(excluded.nickname, s.nickname),"
      " quality = coalesce(excluded.quality, s.quality),"
      " priority = coalesce($6::int, s.priority),"
      " page = coalesce(excluded.page, s.page),"
      " title = " NGX_MNTREAMER_SQL_SET("title", "8") ","
      " description = " NGX_MNTREAMER_SQL_SET("description", "9") ","
      " category = " NGX_MNTREAMER_SQL_SET("category", "10")
      " RETURNING s.*, s.xmax = 0 AS created"
      "), m AS ("
      " INSERT INTO streamer_monitor AS m (streamer_id)"
      " SELECT s.id FROM s ON CONFLICT (streamer_id) DO UPDATE"
      " SET check_at = CASE WHEN m.owner IS NULL AND isfinite(m.check_at)"
      " THEN now() ELSE m.check_at END"
      " RETURNING m.*"
      ") SELECT " NGX_MNTREAMER_SQL_STREAMER ", s.created"
      " FROM s JOIN m ON m.streamer_id = s.id"
      NGX_MNTREAMER_SQL_STREAMER_JOIN
      " CROSS JOIN (SELECT " NGX_MNTREAMER_SQL_NOTIFY
      " FROM (VALUES ('due')) v (x)) told", 10, 2 },

    /*
     * id, monitored, priority, quality, nickname, title, description,
     * category, retention.  A title of a platform is that platform's: nothing
     * is changed.
     */

    { "api_streamer_patch",
      "WITH f AS MATERIALIZED ("
      " SELECT s.id FROM streamer s JOIN platform p ON p.id = s.platform"
      " WHERE s.id = $1::bigint AND NOT p.pushed"
      " AND " NGX_MNTREAMER_SQL_TITLED("6", "7", "8")
      "), k AS MATERIALIZED ("
      " SELECT r.id FROM media_record r WHERE r.streamer_id = $1::bigint"
      " AND r.status = 'recording'"
      " AND " NGX_MNTREAMER_SQL_TITLED("6", "7", "8")
      " AND NOT EXISTS (SELECT FROM f) FOR NO KEY UPDATE"
      "), l AS MATERIALIZED ("
      " SELECT m.streamer_id, m.monitored FROM streamer_monitor m,"
      " (SELECT count(*) FROM k) locked"
      " WHERE m.streamer_id = $1::bigint AND NOT EXISTS (SELECT FROM f)"
      " FOR UPDATE OF m"
      "), s AS ("
      " UPDATE streamer s SET"
      " monitored = coalesce($2::boolean, s.monitored),"
      " priority = coalesce($3::int, s.priority),"
      " quality = " NGX_MNTREAMER_SQL_SET("quality", "4") ","
      " nickname = " NGX_MNTREAMER_SQL_SET("nickname", "5") ","
      " title = " NGX_MNTREAMER_SQL_SET("title", "6") ","
      " description = " NGX_MNTREAMER_SQL_SET("description", "7") ","
      " category = " NGX_MNTREAMER_SQL_SET("category", "8") ","
      " retention = CASE WHEN $9::text IS NULL THEN s.retention"
      " ELSE nullif($9::text, '')::jsonb END,"
      " is_streaming = s.is_streaming AND (s.status = 'recording'"
      " OR coalesce($2::boolean, s.monitored)"
      " OR (SELECT p.pushed FROM platform p WHERE p.id = s.platform))"
      " FROM l WHERE s.id = l.streamer_id"
      " RETURNING s.*"
      "), m AS ("
      " UPDATE streamer_monitor m SET check_at ="
      " CASE WHEN s.monitored AND NOT l.monitored AND isfinite(m.check_at)"
      " THEN now() ELSE m.check_at END"
      " FROM s, l WHERE m.streamer_id = s.id"
      " RETURNING m.*"
      "), told AS MATERIALIZED ("
      " SELECT " NGX_MNTREAMER_SQL_NOTIFY " FROM ("
      " SELECT 'due' AS x FROM s"
      " UNION ALL SELECT 'stop ' || s.id FROM s WHERE NOT s.monitored) v"
      ") SELECT " NGX_MNTREAMER_SQL_STREAMER ", false"
      " FROM s JOIN m ON m.streamer_id = s.id"
      NGX_MNTREAMER_SQL_STREAMER_JOIN " CROSS JOIN told"
      " UNION ALL SELECT 'null'::json, true FROM f", 9, 2 },

    { "api_streamer_delete",
      "WITH l AS MATERIALIZED ("
      " SELECT m.streamer_id FROM streamer_monitor m"
      " WHERE m.streamer_id = $1::bigint FOR UPDATE"
      "), d AS ("
      " DELETE FROM streamer s USING (SELECT count(*) FROM l) locked"
      " WHERE s.id = $1::bigint RETURNING s.id"
      "), told AS MATERIALIZED ("
      " SELECT " NGX_MNTREAMER_SQL_NOTIFY
      " FROM (SELECT 'stop ' || d.id AS x FROM d) v"
      ") SELECT 'null'::json FROM d CROSS JOIN told", 1, 1 },

    /* status, platform, channel, streamer, since, until, text, the last one's
       start and id, limit; deleted ones only when they are asked for */

    { "api_recordings",
      "SELECT json_build_object(" NGX_MNTREAMER_SQL_RECORDING "),"
      " to_char(r.started_at AT TIME ZONE 'UTC',"
      " 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), r.id"
      " FROM media_record r JOIN platform p ON p.id = r.platform"
      " WHERE ($1::text IS NOT NULL OR r.status <> 'deleted')"
      " AND ($1::text IS NULL"
      " OR r.status = CASE $1::text WHEN 'trash' THEN 'deleted'"
      " ELSE $1::text END)"
      " AND ($1::text IS DISTINCT FROM 'trash' OR " NGX_MNTREAMER_SQL_TRASH ")"
      " AND ($2::int IS NULL OR r.platform = $2::int)"
      " AND ($3::text IS NULL"
      " OR mntreamer_channel_is(r.channel_id, $3::text))"
      " AND ($4::bigint IS NULL OR r.streamer_id = $4::bigint)"
      " AND ($5::timestamptz IS NULL OR r.started_at >= $5::timestamptz)"
      " AND ($6::timestamptz IS NULL OR r.started_at < $6::timestamptz)"
      " AND ($7::text IS NULL OR (mntreamer_grams(r.search)"
      " @> mntreamer_grams_asked(lower($7::text))"
      " AND r.search LIKE lower(" NGX_MNTREAMER_SQL_LIKE("$7") ")))"
      " AND ($8::timestamptz IS NULL"
      " OR (r.started_at, r.id) < ($8::timestamptz, $9::bigint))"
      " ORDER BY r.started_at DESC, r.id DESC LIMIT $10::bigint", 10, 3 },

    { "api_recording",
      "SELECT json_build_object(" NGX_MNTREAMER_SQL_RECORDING ","
      " 'gap_list', (SELECT coalesce(json_agg(json_build_object("
      "'at', " NGX_MNTREAMER_SQL_SECONDS("g.at_us") ", 'track', g.track,"
      " 'segments', g.segments,"
      " 'lost', " NGX_MNTREAMER_SQL_SECONDS("g.lost_us") ","
      " 'reason', g.reason, 'first_sequence', g.first_sequence,"
      " 'noticed_at', mntreamer_time(g.noticed_at)) ORDER BY g.number), '[]')"
      " FROM (SELECT * FROM media_gap g WHERE g.recording_id = r.id"
      " ORDER BY g.number LIMIT 10000) g),"
      " 'title_history', (SELECT coalesce(json_agg(json_build_object("
      "'at', mntreamer_time(t.at), 'title', t.title,"
      " 'category', t.category, 'viewers', t.viewers) ORDER BY t.at), '[]')"
      " FROM (SELECT * FROM media_title t WHERE t.recording_id = r.id"
      " ORDER BY t.at LIMIT 10000) t),"
      " 'viewer_history', (SELECT coalesce(json_agg(json_build_object("
      "'at', mntreamer_time(v.at), 'viewers', v.viewers) ORDER BY v.at), '[]')"
      " FROM (SELECT v.*, row_number() OVER (ORDER BY v.at DESC) AS n,"
      " count(*) OVER () AS total FROM media_viewers v"
      " WHERE v.recording_id = r.id) v"
      " WHERE (v.n - 1) % ((v.total + 999) / 1000) = 0)), r.path"
      " FROM media_record r JOIN platform p ON p.id = r.platform"
      " WHERE r.id = $1::bigint", 1, 2 },

    { "api_live",
      "SELECT json_build_object(" NGX_MNTREAMER_SQL_ON_AIR ")"
      " FROM streamer s" NGX_MNTREAMER_SQL_STREAMER_JOIN
      " WHERE s.is_streaming"
      " ORDER BY " NGX_MNTREAMER_SQL_VIEWERS " DESC NULLS LAST, s.id"
      " LIMIT $1::bigint",
      1, 1 },

    { "api_live_one",
      "SELECT json_build_object(" NGX_MNTREAMER_SQL_ON_AIR ","
      " 'description', s.description,"
      " 'broadcast_id', s.live_broadcast_id), s.is_streaming"
      " FROM streamer s" NGX_MNTREAMER_SQL_STREAMER_JOIN
      " WHERE s.id = $1::bigint", 1, 2 },

    { "api_health",
      "SELECT json_build_object("
      "'recordings', (SELECT count(*) FROM media_record"
      " WHERE status = 'recording'),"
      " 'workers', (SELECT count(*) FROM engine"
      " WHERE seen_at > now() - interval '30 seconds'))", 0, 1 },

    { "api_recording_patch",
      "WITH x AS ("
      " SELECT id, $3::boolean IS NOT NULL AND status = 'recording' AS refused"
      " FROM media_record WHERE id = $1::bigint AND status <> 'deleted'"
      " FOR UPDATE"
      "), r AS ("
      " UPDATE media_record m SET protected = coalesce($2::boolean,"
      " m.protected), status = CASE"
      " WHEN $3::boolean AND m.status = 'recorded' THEN 'done'"
      " WHEN NOT $3::boolean AND m.status = 'done' THEN 'recorded'"
      " ELSE m.status END"
      " FROM x WHERE m.id = x.id AND NOT x.refused RETURNING m.*"
      ") SELECT json_build_object(" NGX_MNTREAMER_SQL_RECORDING "), r.path,"
      " x.refused FROM x LEFT JOIN (r JOIN platform p ON p.id = r.platform)"
      " ON true", 3, 3 },

    /*
     * id, at once, seconds in the trash.  What is in the trash stays there,
     * unless it was on its way back, or is to go at once.
     */

    { "api_recording_delete",
      "WITH x AS ("
      " SELECT id, status, protected FROM media_record WHERE id = $1::bigint"
      " FOR UPDATE"
      "), d AS ("
      " UPDATE media_record r SET status = 'deleted', restoring = false,"
      " purge_at = CASE WHEN $2::boolean THEN '-infinity'"
      " WHEN r.status <> 'deleted' OR r.restoring"
      " THEN " NGX_MNTREAMER_SQL_PURGE_AT("$3") " ELSE r.purge_at END,"
      " deleted_from = CASE WHEN r.status = 'deleted' THEN r.deleted_from"
      " ELSE r.status END,"
      " deleted_at = CASE WHEN r.status = 'deleted' THEN r.deleted_at"
      " ELSE now() END,"
      " deleted_why = CASE WHEN r.status = 'deleted' THEN r.deleted_why"
      " ELSE 'api' END"
      " FROM x WHERE r.id = x.id AND r.removed_at IS NULL"
      " AND (x.status = 'deleted'"
      " OR (x.status IN ('recorded', 'done') AND NOT x.protected))"
      " RETURNING r.id"
      "), told AS MATERIALIZED ("
      " SELECT pg_notify('" NGX_MNTREAMER_CATALOG_CHANNEL "', 'remove') FROM d"
      ") SELECT 'null'::json, CASE"
      " WHEN x.status = 'recording' THEN 'recording'"
      " WHEN x.protected AND x.status <> 'deleted' THEN 'protected'"
      " ELSE '' END FROM x LEFT JOIN told ON true", 3, 2 },

    /* the runner has its files back first; of one that is not deleted nothing
       changes */

    { "api_recording_restore",
      "WITH x AS ("
      " SELECT r.id, r.status = 'deleted' AND NOT " NGX_MNTREAMER_SQL_TRASH
      " AS refused FROM media_record r WHERE r.id = $1::bigint FOR UPDATE"
      "), r AS ("
      " UPDATE media_record m SET restoring = (m.status = 'deleted')"
      " FROM x WHERE m.id = x.id AND NOT x.refused RETURNING m.*"
      "), told AS MATERIALIZED ("
      " SELECT pg_notify('" NGX_MNTREAMER_CATALOG_CHANNEL "', 'remove')"
      " FROM r WHERE r.restoring"
      ") SELECT json_build_object(" NGX_MNTREAMER_SQL_RECORDING "), r.path,"
      " x.refused, r.restoring FROM x"
      " LEFT JOIN (r JOIN platform p ON p.id = r.platform) ON true"
      " LEFT JOIN told ON true", 1, 4 },

    { "api_recording_path",
      "SELECT 'null'::json, r.path FROM media_record r"
      " WHERE r.id = $1::bigint AND r.status <> 'deleted'"
      " AND r.segments > 0", 1, 2 },

    /*
     * How many to pass over, storage.  What is to be brought back comes as
     * what is to be hidden or to go.  With nothing to do the answer is how
     * many milliseconds there are until there is.
     */

    { "marked",
      "WITH x AS ("
      " SELECT r.id, r.path, r.storage = $2 AS here, CASE"
      " WHEN r.restoring THEN 'show'"
      " WHEN r.purge_at <= now() AND r.hidden AND isfinite(r.purge_at)"
      " THEN 'hidden'"
      " WHEN coalesce(r.purge_at, '-infinity') <= now() THEN 'files'"
      " ELSE 'hide' END AS how, r.deleted_why FROM media_record r"
      " WHERE r.status = 'deleted' AND r.removed_at IS NULL"
      " AND (r.restoring OR NOT r.hidden"
      " OR coalesce(r.purge_at, '-infinity') <= now())"
      " AND (r.storage = $2 OR r.storage IS NULL OR $2 IS NULL)"
      " AND NOT " NGX_MNTREAMER_SQL_BUSY
      " ORDER BY r.id LIMIT 1 OFFSET $1::bigint"
      ") SELECT *, NULL FROM x UNION ALL"
      " SELECT NULL, NULL, NULL, NULL, NULL, ceil(1000 * extract(epoch FROM"
      " min(r.purge_at) - now()))::bigint FROM media_record r"
      " WHERE r.status = 'deleted' AND r.removed_at IS NULL"
      " AND r.purge_at > now() AND isfinite(r.purge_at)"
      " AND NOT r.restoring"
      " AND (r.storage = $2 OR r.storage IS NULL OR $2 IS NULL)"
      " HAVING min(r.purge_at) IS NOT NULL AND NOT EXISTS (SELECT FROM x)",
      2, 6 },

    /* how many to pass over, storage, seconds; first what is in the trash */

    { "oldest",
      "SELECT id, path, here FROM ("
      "(SELECT r.id, r.path, r.storage = $2 AS here, 0 AS turn,"
      " r.purge_at AS at FROM media_record r"
      " WHERE (r.storage = $2 OR r.storage IS NULL OR $2 IS NULL)"
      " AND r.status = 'deleted' AND r.removed_at IS NULL"
      " AND r.purge_at > now() AND NOT r.restoring"
      " ORDER BY r.purge_at, r.id LIMIT 1 + $1::bigint)"
      " UNION ALL "
      "(SELECT r.id, r.path, r.storage = $2, 1, r.ended_at"
      " FROM media_record r"
      " WHERE (r.storage = $2 OR r.storage IS NULL OR $2 IS NULL)"
      " AND r.status IN ('recorded', 'done') AND NOT r.protected"
      " AND r.ended_at < now() - $3::bigint * interval '1 second'"
      " AND NOT " NGX_MNTREAMER_SQL_BUSY
      " ORDER BY r.ended_at, r.id LIMIT 1 + $1::bigint)"
      ") r ORDER BY turn, at, id LIMIT 1 OFFSET $1::bigint", 3, 3 },

    { "sacrifice",
      "UPDATE media_record r SET status = 'deleted', purge_at = '-infinity',"
      " deleted_at = coalesce(r.deleted_at, now()),"
      " deleted_why = CASE WHEN r.status = 'deleted' THEN r.deleted_why"
      " ELSE 'room' END,"
      " deleted_from = coalesce(r.deleted_from, nullif(r.status, 'deleted'))"
      " WHERE r.id = $1::bigint AND CASE WHEN r.status = 'deleted'"
      " THEN r.removed_at IS NULL AND NOT r.restoring"
      " ELSE r.status IN ('recorded', 'done') AND NOT r.protected"
      " AND r.ended_at < now() - $2::bigint * interval '1 second' END"
      " AND NOT " NGX_MNTREAMER_SQL_BUSY " RETURNING r.id", 2, 1 },

    /* id, it stays; else from here on it cannot be brought back */

    { "purge",
      "UPDATE media_record r SET restoring = $2::boolean,"
      " purge_at = CASE WHEN $2::boolean THEN r.purge_at"
      " WHEN isfinite(r.purge_at) THEN 'epoch' ELSE '-infinity' END"
      " WHERE r.id = $1::bigint AND r.status = 'deleted'"
      " AND r.removed_at IS NULL AND NOT r.restoring"
      " AND coalesce(r.purge_at, '-infinity') <= now() RETURNING r.id", 2, 1 },

    { "removed",
      "UPDATE media_record SET removed_at = now(), restoring = false"
      " WHERE id = $1::bigint AND status = 'deleted' AND removed_at IS NULL"
      " RETURNING true, true", 1, 2 },

    { "hidden",
      "WITH x AS MATERIALIZED ("
      " SELECT id, status = 'deleted' AS deleted, hidden FROM media_record"
      " WHERE id = $1::bigint FOR UPDATE"
      "), u AS ("
      " UPDATE media_record r SET hidden = true FROM x"
      " WHERE r.id = x.id AND x.deleted AND NOT x.hidden"
      ") SELECT deleted, deleted AND NOT hidden FROM x", 1, 2 },

    /* unless it was deleted again meanwhile, and is to be hidden anew; a rule
       would delete it again in a minute, if it were not protected */

    { "shown",
      "WITH u AS ("
      " UPDATE media_record r SET hidden = false, restoring = false,"
      " status = CASE WHEN r.restoring THEN r.deleted_from ELSE r.status END,"
      " protected = r.protected OR (r.restoring"
      " AND r.deleted_why IN ('age', 'size', 'count')),"
      " purge_at = CASE WHEN NOT r.restoring THEN r.purge_at END,"
      " deleted_at = CASE WHEN NOT r.restoring THEN r.deleted_at END,"
      " deleted_why = CASE WHEN NOT r.restoring THEN r.deleted_why END,"
      " deleted_from = CASE WHEN NOT r.restoring THEN r.deleted_from END"
      " WHERE r.id = $1::bigint AND r.status = 'deleted'"
      " AND r.removed_at IS NULL"
      " RETURNING r.status = 'deleted' AS deleted"
      "), told AS MATERIALIZED ("
      " SELECT " NGX_MNTREAMER_SQL_NOTIFY
      " FROM (SELECT x FROM u, (VALUES ('edit'), ('job')) v (x)"
      " WHERE NOT u.deleted) v"
      ") SELECT u.deleted, NOT u.deleted FROM u CROSS JOIN told", 1, 2 },

    { "retain",
      "SELECT count(*) FROM " NGX_MNTREAMER_SQL_RETENTION("true")
      " WHERE $1::bigint IS NULL", 7, 1 },

    { "api_retention",
      "WITH w AS MATERIALIZED ("
      " SELECT w.*, r.bytes FROM " NGX_MNTREAMER_SQL_RETENTION("false")
      " WITH ORDINALITY AS w (id, why, n) JOIN media_record r ON r.id = w.id"
      ") SELECT json_build_object('rules', json_build_object("
      "'age', $3::bigint, 'size', $4::bigint, 'count', $5::bigint),"
      " 'trash', $7::bigint, 'recordings', count(*),"
      " 'bytes', coalesce(sum(w.bytes), 0), 'items',"
      " (SELECT coalesce(json_agg(json_build_object('why', w.why,"
      " 'recording', json_build_object(" NGX_MNTREAMER_SQL_RECORDING "))"
      " ORDER BY w.n), '[]') FROM w JOIN media_record r ON r.id = w.id"
      " JOIN platform p ON p.id = r.platform WHERE w.n <= $1::bigint)) FROM w",
      7, 1 },

    /*
     * node, turn, paths, runs, viewers, watched.  All is told whole: what is
     * told twice, or by two who overtake each other, counts once.  What was
     * watched until the end is told behind it.
     */

    { "watched",
      "WITH x AS ("
      " SELECT r.id, x.run, x.viewers, x.watched"
      " FROM unnest($3::text[], $4::bigint[], $5::bigint[], $6::bigint[])"
      " AS x (path, run, viewers, watched)"
      " JOIN media_record r ON r.path = x.path"
      " WHERE r.ended_at IS NULL OR r.ended_at > now() - interval '1 minute'"
      ") INSERT INTO media_watching AS w (recording_id, node, run, turn,"
      " viewers, peak, watched_ms)"
      " SELECT x.id, $1, x.run, $2::bigint, x.viewers, x.viewers"
      " + coalesce((SELECT sum(o.viewers) FROM media_watching o"
      " WHERE o.recording_id = x.id AND (o.node, o.run) <> ($1, x.run)"
      " AND o.at > now() - interval '30 seconds'), 0), x.watched"
      " FROM x, " NGX_MNTREAMER_CATALOG_LAZY " ORDER BY x.id"
      " ON CONFLICT (recording_id, node, run) DO UPDATE"
      " SET turn = excluded.turn, at = now(), viewers = excluded.viewers,"
      " peak = greatest(w.peak, excluded.peak),"
      " watched_ms = greatest(w.watched_ms, excluded.watched_ms)"
      " WHERE w.turn < excluded.turn", 6, 0 }
};


ngx_mntreamer_ask_t *
ngx_mntreamer_catalog_ask(ngx_mntreamer_catalog_t *cat, ngx_uint_t ask,
    const ngx_str_t *params, ngx_uint_t nparams, ngx_msec_t timeout_ms,
    ngx_mntreamer_result_pt done, void *data)
{
    u_char                      buf[5][NGX_INT64_LEN];
    ngx_int_t                   platform;
    ngx_uint_t                  i;
    ngx_pool_t                 *pool;
    ngx_mntreamer_ask_t        *a;
    ngx_mntreamer_exec_t        ex;
    const ngx_mntreamer_sql_t  *sql;

    if (ask >= NGX_MNTREAMER_ASK_MAX || !ngx_mntreamer_catalog_up(cat)) {
        return NULL;
    }

    if (ngx_mntreamer_ask_reads(ask)
        && ngx_mntreamer_pq_stat(cat->api)->queued
           >= NGX_MNTREAMER_ASK_READS)
    {
        return NULL;
    }

    sql = ngx_mntreamer_ask_text(ask);

    a = ngx_calloc(sizeof(ngx_mntreamer_ask_t), cat->log);
    pool = ngx_create_pool(1024, cat->log);

    if (a == NULL || pool == NULL) {
        goto failed;
    }

    a->done = done;
    a->data = data;

    ngx_mntreamer_catalog_exec_init(&ex, sql, ngx_mntreamer_ask_done, a);
    ex.timeout_ms = timeout_ms;

    for (i = 0; i < nparams && i < sql->nparams; i++) {
        ex.params[i] = params[i];
    }

    platform = ngx_mntreamer_ask_platform(ask, &ex, buf[0]);

    if (ask == NGX_MNTREAMER_ASK_STREAMER_ADD) {
        ex.params[NGX_MNTREAMER_ASK_PAGE] =
            ngx_mntreamer_catalog_page(pool, platform, &ex.params[1]);
    }

    if (ask == NGX_MNTREAMER_ASK_MARKED || ask == NGX_MNTREAMER_ASK_OLDEST
        || ask == NGX_MNTREAMER_ASK_CUT_PENDING
        || ask == NGX_MNTREAMER_ASK_CLIP_PENDING)
    {
        ex.params[1] = cat->storage;
    }

    if (ask == NGX_MNTREAMER_ASK_RETAIN
        || ask == NGX_MNTREAMER_ASK_RETENTION)
    {
        ngx_mntreamer_ask_keep(cat, &ex, buf);
    }

    if (ask == NGX_MNTREAMER_ASK_RECORDING_DELETE) {
        ex.params[2] = ngx_mntreamer_catalog_number(buf[0],
                                                    cat->conf->trash_s);
    }

    if (ask == NGX_MNTREAMER_ASK_WATCHED) {
        ex.params[0] = cat->conf->node;
    }

    if (ask >= NGX_MNTREAMER_ASK_KEY_MAKE && ask < NGX_MNTREAMER_ASK_EXPORT) {
        ngx_mntreamer_catalog_broadcast_ask(cat, ask, &ex, buf);
    }

    a->st = ngx_mntreamer_pq_exec(cat->api, &ex);

    if (a->st == NULL) {
        goto failed;
    }

    ngx_destroy_pool(pool);
    ngx_queue_insert_tail(&cat->asks, &a->queue);

    return a;

failed:

    if (pool) {
        ngx_destroy_pool(pool);
    }

    if (a) {
        ngx_free(a);
    }

    return NULL;
}


static const ngx_mntreamer_sql_t *
ngx_mntreamer_ask_text(ngx_uint_t ask)
{
    if (ask >= NGX_MNTREAMER_ASK_CUT) {
        return ngx_mntreamer_catalog_edit_sql(ask);
    }

    if (ask >= NGX_MNTREAMER_ASK_EXPORT) {
        return ngx_mntreamer_catalog_job_sql(ask);
    }

    return (ask >= NGX_MNTREAMER_ASK_KEY_MAKE)
           ? ngx_mntreamer_catalog_broadcast_sql(ask)
           : &ngx_mntreamer_ask_sql[ask];
}


/* whoever only looks leaves room in the queue to those who change something */

static ngx_uint_t
ngx_mntreamer_ask_reads(ngx_uint_t ask)
{
    switch (ask) {

    case NGX_MNTREAMER_ASK_STREAMERS:
    case NGX_MNTREAMER_ASK_STREAMER:
    case NGX_MNTREAMER_ASK_RECORDINGS:
    case NGX_MNTREAMER_ASK_RECORDING:
    case NGX_MNTREAMER_ASK_RECORDING_PATH:
    case NGX_MNTREAMER_ASK_LIVE:
    case NGX_MNTREAMER_ASK_LIVE_ONE:
    case NGX_MNTREAMER_ASK_HEALTH:
    case NGX_MNTREAMER_ASK_RETENTION:
    case NGX_MNTREAMER_ASK_KEY:
    case NGX_MNTREAMER_ASK_EXPORTS:
    case NGX_MNTREAMER_ASK_JOBS:
    case NGX_MNTREAMER_ASK_JOB:
    case NGX_MNTREAMER_ASK_JOBS_SEEN:
    case NGX_MNTREAMER_ASK_CUTS:
        return 1;

    default:
        return 0;
    }
}


/* its name, alias or number becomes the number, which is returned; 0: none */

static ngx_int_t
ngx_mntreamer_ask_platform(ngx_uint_t ask, ngx_mntreamer_exec_t *ex,
    u_char *buf)
{
    mnt_str_t              name;
    ngx_int_t              id;
    ngx_str_t             *param;
    const mnt_platform_t  *p;

    switch (ask) {

    case NGX_MNTREAMER_ASK_STREAMERS:
    case NGX_MNTREAMER_ASK_STREAMER_ADD:
        param = &ex->params[0];
        break;

    case NGX_MNTREAMER_ASK_RECORDINGS:
        param = &ex->params[1];
        break;

    default:
        return 0;
    }

    if (param->data == NULL) {
        return 0;
    }

    name.data = (const char *) param->data;
    name.len = param->len;

    p = mnt_platform_find(name);
    id = p ? p->id : 0;

    *param = ngx_mntreamer_catalog_number(buf, id);

    return id;
}


/* the rules; what may still go on is left alone */

static void
ngx_mntreamer_ask_keep(ngx_mntreamer_catalog_t *cat, ngx_mntreamer_exec_t *ex,
    u_char (*buf)[NGX_INT64_LEN])
{
    int64_t     rules[3];
    ngx_uint_t  i, given;

    rules[0] = cat->conf->keep.age_s;
    rules[1] = cat->conf->keep.size;
    rules[2] = cat->conf->keep.count;

    ex->params[1] = cat->storage;

    given = (ex->params[2].data || ex->params[3].data || ex->params[4].data);

    for (i = 0; i < 3; i++) {
        if (rules[i] >= 0 && !given) {
            ex->params[2 + i] = ngx_mntreamer_catalog_number(buf[i], rules[i]);
        }
    }

    ex->params[5] = ngx_mntreamer_catalog_number(buf[3],
                                         (int64_t) cat->conf->resume_ms
                                         + NGX_MNTREAMER_ASK_YOUNG_MS);
    ex->params[6] = ngx_mntreamer_catalog_number(buf[4], cat->conf->trash_s);
}


void
ngx_mntreamer_catalog_ask_cancel(ngx_mntreamer_ask_t *ask)
{
    /* from its own done(): it is freed behind that */

    if (ask->done == NULL) {
        return;
    }

    ngx_mntreamer_pq_cancel(ask->st);
    ngx_queue_remove(&ask->queue);
    ngx_free(ask);
}


static void
ngx_mntreamer_ask_done(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_ask_t *ask = data;

    ngx_mntreamer_result_pt  done;

    done = ask->done;
    ask->done = NULL;

    ngx_queue_remove(&ask->queue);

    done(ask->data, result);

    ngx_free(ask);
}


void
ngx_mntreamer_catalog_asks_free(ngx_mntreamer_catalog_t *cat)
{
    ngx_queue_t          *q;
    ngx_mntreamer_ask_t  *ask;

    while (!ngx_queue_empty(&cat->asks)) {
        q = ngx_queue_head(&cat->asks);
        ask = ngx_queue_data(q, ngx_mntreamer_ask_t, queue);

        ngx_queue_remove(q);
        ngx_free(ask);
    }
}
