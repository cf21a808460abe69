-- A recording that was gone on with was counted when it ended before.

CREATE OR REPLACE FUNCTION mntreamer_recording_close(in_id bigint)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    r  media_record;
BEGIN
    DELETE FROM media_record
     WHERE id = in_id AND status = 'recording' AND segments = 0;

    SELECT * INTO r FROM media_record
     WHERE id = in_id AND status = 'recording'
       FOR UPDATE;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    UPDATE media_record
       SET status = 'recorded', counted = true,
           ended_at = greatest(started_at, last_progress_at)
     WHERE id = in_id
    RETURNING ended_at INTO r.ended_at;

    UPDATE streamer s
       SET recorded = s.recorded + (NOT r.counted)::int,
           last_recorded_at = r.ended_at
     WHERE s.id = r.streamer_id;
END
$$;


-- what an engine holds, and what nobody does and is never due

CREATE INDEX streamer_monitor_held ON streamer_monitor (streamer_id)
    WHERE check_at = 'infinity';
