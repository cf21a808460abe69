-- What own broadcasts are called.  It is kept with their streamers: the next
-- one is called so, and the one on the air from the moment of a change on.
-- Triggers carry it along, whoever changes the row.

ALTER TABLE streamer
    ADD COLUMN title        text CHECK (octet_length(title)
                                        BETWEEN 1 AND 300),
    ADD COLUMN description  text CHECK (octet_length(description)
                                        BETWEEN 1 AND 2000),
    ADD COLUMN category     text CHECK (octet_length(category)
                                        BETWEEN 1 AND 100);

ALTER TABLE broadcast
    ADD COLUMN description  text,
    ADD COLUMN category     text;


CREATE FUNCTION mntreamer_broadcast_called() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    SELECT s.title, s.description, s.category
      INTO NEW.title, NEW.description, NEW.category
      FROM streamer s WHERE s.id = NEW.streamer_id;
    RETURN NEW;
END
$$;

CREATE TRIGGER broadcast_called BEFORE INSERT ON broadcast
    FOR EACH ROW EXECUTE FUNCTION mntreamer_broadcast_called();


-- What is on the air of an own streamer has no other title than its own.

CREATE FUNCTION mntreamer_streamer_called() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT p.pushed FROM platform p WHERE p.id = NEW.platform) THEN
        NEW.live_title := NEW.title;
        NEW.live_category := NEW.category;
    END IF;

    RETURN NEW;
END
$$;

CREATE TRIGGER streamer_called
    BEFORE UPDATE OF title, category, live_broadcast_id, live_title,
                     live_category ON streamer
    FOR EACH ROW WHEN (NEW.live_broadcast_id IS NOT NULL
                       AND (NEW.live_title, NEW.live_category)
                           IS DISTINCT FROM (NEW.title, NEW.category))
    EXECUTE FUNCTION mntreamer_streamer_called();


-- The broadcast that is on the air, its recording and the history of that; the
-- row of the streamer is locked.  A title that was taken back has its place in
-- the history, too.

CREATE FUNCTION mntreamer_streamer_titled() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    on_air  text;
    rec     bigint;
BEGIN
    PERFORM pg_notify('mntreamer', 'title ' || NEW.id);

    UPDATE broadcast b
       SET title = NEW.title, description = NEW.description,
           category = NEW.category
     WHERE b.streamer_id = NEW.id AND b.ended_at IS NULL
    RETURNING b.name INTO on_air;

    UPDATE media_record r
       SET title = NEW.title, category = NEW.category
     WHERE r.streamer_id = NEW.id AND r.status = 'recording'
       AND r.broadcast_id = on_air
       AND (r.title, r.category) IS DISTINCT FROM (NEW.title, NEW.category)
    RETURNING r.id INTO rec;

    INSERT INTO media_title (recording_id, at, title, category, viewers)
    SELECT rec, greatest(now(), max(t.at) + interval '1 ms'), NEW.title,
           NEW.category, NEW.live_viewers
      FROM media_title t WHERE t.recording_id = rec
    HAVING rec IS NOT NULL;

    RETURN NULL;
END
$$;

CREATE TRIGGER streamer_titled
    AFTER UPDATE OF title, description, category ON streamer
    FOR EACH ROW WHEN ((OLD.title, OLD.description, OLD.category)
                       IS DISTINCT FROM
                       (NEW.title, NEW.description, NEW.category))
    EXECUTE FUNCTION mntreamer_streamer_titled();


-- A recording of an own broadcast is called as that is, from its first moment.

CREATE FUNCTION mntreamer_recording_called() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    b       broadcast;
BEGIN
    SELECT * INTO b FROM broadcast o
     WHERE o.name = NEW.broadcast_id AND o.streamer_id = NEW.streamer_id;

    IF FOUND THEN
        UPDATE media_record r SET title = b.title, category = b.category
         WHERE r.id = NEW.id;

        INSERT INTO media_title (recording_id, title, category)
        SELECT NEW.id, b.title, b.category
         WHERE coalesce(b.title, b.category) IS NOT NULL;
    END IF;

    RETURN NULL;
END
$$;

CREATE TRIGGER recording_called AFTER INSERT ON media_record
    FOR EACH ROW WHEN (NEW.broadcast_id IS NOT NULL)
    EXECUTE FUNCTION mntreamer_recording_called();
