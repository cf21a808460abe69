-- A recording that was ended because it is very long is not gone on with: its
-- broadcast goes on in another one.  The number is NGX_MNTREAMER_RECORDER_LONGEST.

CREATE OR REPLACE FUNCTION mntreamer_recording_open(
    in_owner bigint, in_streamer bigint, in_epoch bigint, in_broadcast text,
    in_title text, in_category text, in_name text, in_viewers bigint,
    in_quality text, in_day date, in_path text, in_resume_ms bigint,
    in_storage text)
RETURNS TABLE (recording bigint, number integer, directory text, again boolean)
LANGUAGE plpgsql AS $$
DECLARE
    s      streamer;
    r      media_record;
    tries  integer := 0;
BEGIN
    PERFORM FROM streamer_monitor m
      WHERE m.streamer_id = in_streamer AND m.owner = in_owner
        AND m.epoch = in_epoch
        FOR UPDATE;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    SELECT * INTO s FROM streamer WHERE id = in_streamer;

    SELECT * INTO r FROM media_record m
     WHERE m.streamer_id = in_streamer AND m.status = 'recording'
       FOR UPDATE;

    IF FOUND AND r.storage <> in_storage THEN

        -- its files are on another machine, whose engines close it

        UPDATE media_record m
           SET streamer_id = NULL, left_of = in_streamer, counted = true
         WHERE m.id = r.id;

        UPDATE streamer t SET recorded = t.recorded + 1
         WHERE t.id = in_streamer;

        SELECT * INTO r FROM media_record m WHERE false;
    END IF;

    IF r.id IS NOT NULL AND r.broadcast_id IS NOT DISTINCT FROM in_broadcast
    THEN

        -- its own one, when the answer was lost before anything was stored

        again := r.epoch <> in_epoch OR r.segments > 0;

    ELSE
        IF r.id IS NOT NULL THEN
            PERFORM mntreamer_recording_close(r.id);
        END IF;

        SELECT * INTO r FROM media_record m
         WHERE m.streamer_id = in_streamer AND m.status = 'recorded'
           AND m.broadcast_id IS NOT DISTINCT FROM in_broadcast
           AND (m.storage = in_storage OR m.storage IS NULL
                OR in_storage IS NULL)
           AND m.left_of IS NULL
           AND m.segments < 200000
           AND m.ended_at > now() - in_resume_ms * interval '1 millisecond'
         ORDER BY m.started_at DESC, m.id DESC LIMIT 1
           FOR UPDATE;

        again := FOUND;
    END IF;

    IF r.id IS NOT NULL THEN
        UPDATE media_record m
           SET status = 'recording', ended_at = NULL, epoch = in_epoch,
               storage = coalesce(in_storage, m.storage),
               title = coalesce(in_title, m.title),
               category = coalesce(in_category, m.category)
         WHERE m.id = r.id;

    ELSE
        SELECT coalesce(max(m.sequence), 0) INTO r.sequence
          FROM media_record m
         WHERE m.platform = s.platform AND m.channel_id = s.channel_id
           AND m.day = in_day;

        -- a streamer that was deleted may be recorded still: it took the number

        LOOP
            r.sequence := r.sequence + 1;
            r.id := nextval(pg_get_serial_sequence('media_record', 'id'));
            r.path := replace(replace(in_path, chr(1), r.sequence::text),
                              chr(2), r.id::text);
            BEGIN
                INSERT INTO media_record (id, streamer_id, platform, channel_id,
                        channel_name, title, category, broadcast_id, day,
                        sequence, path, quality, epoch,
                        storage)
                VALUES (r.id, s.id, s.platform, s.channel_id,
                        coalesce(in_name, s.channel_name, s.nickname),
                        in_title, in_category, in_broadcast, in_day,
                        r.sequence, r.path, in_quality, in_epoch,
                        in_storage);
                EXIT;
            EXCEPTION WHEN unique_violation THEN
                tries := tries + 1;
                IF tries = 100 THEN
                    RAISE;
                END IF;
            END;
        END LOOP;
    END IF;

    UPDATE streamer t
       SET status = 'recording', is_streaming = true, last_stream_at = now()
     WHERE t.id = in_streamer;

    UPDATE streamer_monitor m SET check_at = 'infinity'
     WHERE m.streamer_id = in_streamer;

    INSERT INTO media_title (recording_id, title, category, viewers)
    SELECT r.id, in_title, in_category, in_viewers
     WHERE coalesce(in_title, in_category) IS NOT NULL
       AND NOT EXISTS (
               SELECT FROM (SELECT t.title, t.category FROM media_title t
                             WHERE t.recording_id = r.id
                             ORDER BY t.at DESC LIMIT 1) l
                WHERE (l.title, l.category)
                      IS NOT DISTINCT FROM (in_title, in_category))
        ON CONFLICT DO NOTHING;

    recording := r.id;
    number := r.sequence;
    directory := r.path;
    RETURN NEXT;
END
$$;
