-- An export is of what was shown of its recording when it was asked for.

ALTER TABLE job ADD COLUMN cut_version bigint NOT NULL DEFAULT 0;


-- As before; but one that was asked for before other cuts begins anew, too.
-- The column of the recording is that of 024, behind which this is called.

CREATE OR REPLACE FUNCTION mntreamer_export(
    in_recording bigint, in_begin bigint, in_end bigint,
    OUT word text, OUT made job)
LANGUAGE plpgsql AS $$
DECLARE
    r   media_record;
BEGIN
    SELECT * INTO r FROM media_record m WHERE m.id = in_recording
       FOR NO KEY UPDATE;

    word := CASE WHEN r.id IS NULL OR r.status = 'deleted' THEN 'missing'
                 WHEN r.status = 'recording' THEN 'recording'
                 WHEN r.segments = 0 THEN 'empty'
                 WHEN in_begin >= r.duration_us THEN 'behind' END;

    IF word IS NOT NULL THEN
        RETURN;
    END IF;

    SELECT * INTO made FROM job j
     WHERE j.recording_id = r.id AND j.kind = 'export'
       AND j.begin_us = in_begin AND j.end_us IS NOT DISTINCT FROM in_end
       AND j.state IN ('queued', 'running', 'done', 'failed')
       FOR UPDATE;

    IF made.id IS NOT NULL AND made.segments = r.segments
       AND made.cut_version = r.cut_version AND made.state <> 'failed'
    THEN
        word := 'old';
        RETURN;
    END IF;

    UPDATE job j
       SET state = 'removed', dirty = true, finished_at = now(),
           run_at = now()
     WHERE j.id = made.id;

    IF (SELECT count(*) FROM job j
         WHERE j.recording_id = r.id
           AND j.state IN ('queued', 'running', 'done', 'failed')) >= 32
    THEN
        word := 'many';
        made := NULL;
        RETURN;
    END IF;

    INSERT INTO job (recording_id, begin_us, end_us, segments, cut_version)
    VALUES (r.id, in_begin, in_end, r.segments, r.cut_version)
    RETURNING * INTO made;

    word := 'new';
    PERFORM pg_notify('mntreamer', 'job');
END
$$;
