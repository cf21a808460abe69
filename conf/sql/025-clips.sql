-- Clips: a part of a recording that is a recording of its own.  Its row comes
-- when its files are there, which the engine of the storage makes.

ALTER TABLE media_record
    ADD COLUMN clip_of bigint REFERENCES media_record ON DELETE SET NULL;

CREATE INDEX media_record_clip ON media_record (clip_of)
    WHERE clip_of IS NOT NULL;

CREATE TABLE media_clip (
    id              bigint PRIMARY KEY,      -- of the recording it becomes
    recording_id    bigint NOT NULL REFERENCES media_record ON DELETE CASCADE,
    begin_us        bigint NOT NULL CHECK (begin_us >= 0),
    end_us          bigint NOT NULL,
    title           text,
    protected       boolean NOT NULL DEFAULT false,
    path            text NOT NULL UNIQUE,
    created_at      timestamptz NOT NULL DEFAULT now(),
    made_at         timestamptz,
    refused         text,

    CHECK (begin_us < end_us),
    CHECK (made_at IS NULL OR refused IS NULL)
);

CREATE INDEX media_clip_recording ON media_clip (recording_id);
CREATE INDEX media_clip_wanted ON media_clip (id)
    WHERE made_at IS NULL AND refused IS NULL;


-- made, missing, end (it is past that of the recording), waiting: too many of
-- it are, or long: its directory would have no name.  The clock is of that name:
-- an id comes again when a database is restored that forgot the last ones.

CREATE FUNCTION mntreamer_clip(in_recording bigint, in_begin bigint,
                               in_end bigint, in_title text,
                               in_protected boolean DEFAULT false,
                               OUT word text, OUT clip bigint)
LANGUAGE plpgsql AS $$
DECLARE
    r   media_record;
    at  text;
BEGIN
    SELECT * INTO r FROM media_record m
     WHERE m.id = in_recording AND m.status <> 'deleted'
       FOR UPDATE;

    word := CASE WHEN r.id IS NULL THEN 'missing'
                 WHEN in_end > r.duration_us + 1000 THEN 'end'
                 WHEN (SELECT count(*) FROM media_clip c
                        WHERE c.recording_id = r.id AND c.made_at IS NULL
                          AND c.refused IS NULL) >= 100 THEN 'waiting' END;

    IF word IS NOT NULL THEN
        RETURN;
    END IF;

    clip := nextval(pg_get_serial_sequence('media_record', 'id'));
    at := r.path || '-clip-' || clip || '-' || to_hex(
              (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);

    IF octet_length(substring(at FROM '[^/]*$')) > 230 THEN
        word := 'long';
        clip := NULL;
        RETURN;
    END IF;

    word := 'made';

    INSERT INTO media_clip (id, recording_id, begin_us, end_us, title,
                            protected, path)
    VALUES (clip, r.id, in_begin, in_end, in_title,
            coalesce(in_protected, false), at);

    PERFORM pg_notify('mntreamer', 'edit');
END
$$;


-- Its files are there, or why they never will be.  "left_of" says that nobody
-- goes on with it.

CREATE FUNCTION mntreamer_clip_told(in_clip bigint, in_refused text,
                                    in_segments bigint, in_bytes bigint,
                                    in_us bigint)
RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    c      media_clip;
    r      media_record;
    began  timestamptz;
    tries  integer := 0;
BEGIN
    SELECT * INTO c FROM media_clip m
     WHERE m.id = in_clip AND m.made_at IS NULL AND m.refused IS NULL
       FOR UPDATE;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    SELECT * INTO r FROM media_record m WHERE m.id = c.recording_id;

    -- its files may be hidden, and come back

    IF in_refused IS NOT NULL THEN
        UPDATE media_clip SET refused = in_refused
         WHERE id = c.id
           AND NOT (r.status = 'deleted' AND r.removed_at IS NULL);
        RETURN;
    END IF;

    began := r.started_at + c.begin_us * interval '1 microsecond';

    LOOP
        BEGIN
            INSERT INTO media_record (id, streamer_id, platform, channel_id,
                   channel_name, title, category, broadcast_id, status,
                   started_at, ended_at, day, sequence, path, segments, bytes,
                   duration_us, quality, epoch, counted, storage, left_of,
                   clip_of, protected)
            SELECT c.id, r.streamer_id, r.platform, r.channel_id,
                   r.channel_name, coalesce(c.title, r.title), r.category,
                   r.broadcast_id, 'recorded', began,
                   began + in_us * interval '1 microsecond', r.day,
                   1 + (SELECT max(m.sequence) FROM media_record m
                         WHERE m.platform = r.platform
                           AND m.channel_id = r.channel_id
                           AND m.day = r.day),
                   c.path, in_segments, in_bytes, in_us, r.quality, r.epoch,
                   true, r.storage, coalesce(r.streamer_id, r.left_of, 0),
                   r.id, c.protected;
            EXIT;
        EXCEPTION WHEN unique_violation THEN
            tries := tries + 1;
            IF tries = 100 THEN
                RAISE;
            END IF;
        END;
    END LOOP;

    INSERT INTO media_title (recording_id, title, category)
    SELECT c.id, coalesce(c.title, r.title), r.category
     WHERE coalesce(c.title, r.title, r.category) IS NOT NULL;

    UPDATE media_clip SET made_at = now() WHERE id = c.id;
END
$$;
