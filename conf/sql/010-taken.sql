-- Where a new recording was to be lies another one, which a database that came
-- back with older data does not know: the row that was just made becomes that
-- one's, and the next one gets the next number.  One without an end is left,
-- and so closed by whoever claims it.  Returns its path; NULL: nothing to do.

CREATE FUNCTION mntreamer_recording_taken(
    in_owner bigint, in_streamer bigint, in_epoch bigint, in_id bigint,
    in_segments bigint, in_bytes bigint, in_duration bigint, in_gaps bigint,
    in_lost bigint, in_last timestamptz, in_ended boolean)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    r  media_record;
BEGIN
    PERFORM FROM streamer_monitor m
      WHERE m.streamer_id = in_streamer AND m.owner = in_owner
        AND m.epoch = in_epoch
        FOR UPDATE;

    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    UPDATE media_record m
       SET status = CASE WHEN in_ended THEN 'recorded' ELSE m.status END,
           ended_at = CASE WHEN in_ended THEN in_last END,
           streamer_id = CASE WHEN in_ended THEN m.streamer_id END,
           left_of = CASE WHEN in_ended THEN NULL ELSE m.streamer_id END,
           started_at = in_last - in_duration * interval '1 microsecond',
           last_progress_at = in_last, counted = true, title = NULL,
           category = NULL, broadcast_id = NULL, quality = NULL,
           segments = in_segments, bytes = in_bytes,
           duration_us = in_duration, gaps = in_gaps, lost_us = in_lost
     WHERE m.id = in_id AND m.epoch = in_epoch AND m.status = 'recording'
       AND m.segments = 0 AND m.streamer_id = in_streamer
    RETURNING * INTO r;

    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    DELETE FROM media_title t WHERE t.recording_id = in_id;

    UPDATE streamer s
       SET recorded = s.recorded + 1,
           last_recorded_at = greatest(s.last_recorded_at, r.ended_at)
     WHERE s.id = in_streamer;

    RETURN r.path;
END
$$;
