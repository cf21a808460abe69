-- As before, and it counts for its streamer: who forgot the row forgot that,
-- too.

CREATE OR REPLACE FUNCTION mntreamer_recording_forgotten(
    in_id bigint, in_streamer bigint, in_epoch bigint, in_ended timestamptz,
    in_segments bigint, in_bytes bigint, in_duration bigint, in_gaps bigint,
    in_lost bigint, in_path text, in_storage text)
RETURNS text
LANGUAGE sql VOLATILE AS $$
    WITH r AS (
        INSERT INTO media_record (streamer_id, platform, channel_id,
               channel_name, title, category, status, started_at, ended_at,
               day, sequence, path, segments, bytes, duration_us, gaps,
               lost_us, epoch, counted, storage)
        SELECT s.id, s.platform, s.channel_id,
               coalesce(s.channel_name, s.nickname), s.live_title,
               s.live_category, 'recorded', t.began, in_ended, t.began::date,
               1 + coalesce((SELECT max(m.sequence) FROM media_record m
                              WHERE m.platform = s.platform
                                AND m.channel_id = s.channel_id
                                AND m.day = t.began::date), 0),
               in_path, in_segments, in_bytes, in_duration, in_gaps, in_lost,
               in_epoch, true, in_storage
          FROM streamer s,
               (SELECT in_ended - in_duration * interval '1 microsecond'
                       AS began) t
         WHERE s.id = in_streamer AND in_segments > 0 AND in_path <> ''
           AND NOT EXISTS (
                   SELECT FROM media_record m
                    WHERE m.path = in_path
                       OR m.id = in_id AND m.epoch >= in_epoch
                          AND coalesce(m.streamer_id, m.left_of, in_streamer)
                              = in_streamer)
            ON CONFLICT DO NOTHING
        RETURNING path, ended_at
    ), s AS (
        UPDATE streamer s
           SET recorded = s.recorded + 1,
               last_recorded_at = greatest(s.last_recorded_at, r.ended_at),
               last_stream_at = greatest(s.last_stream_at, r.ended_at)
          FROM r
         WHERE s.id = in_streamer
    )
    SELECT path FROM r
$$;
