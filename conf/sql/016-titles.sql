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


-- Carries the titles to the broadcast on the air, to the recording in progress
-- of it and to the history of that; also when a broadcast begins, whose
-- recording may be in progress still: that bears the same live_broadcast_id.  A
-- title that was taken back has its place in the history, too.

CREATE FUNCTION mntreamer_streamer_titled() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    rec     bigint;
BEGIN
    IF (OLD.title, OLD.description, OLD.category)
       IS DISTINCT FROM (NEW.title, NEW.description, NEW.category)
    THEN
        PERFORM pg_notify('mntreamer', 'title ' || NEW.id);

        UPDATE broadcast b
           SET title = NEW.title, description = NEW.description,
               category = NEW.category
         WHERE b.streamer_id = NEW.id AND b.ended_at IS NULL;
    END IF;

    UPDATE media_record r
       SET title = NEW.title, category = NEW.category
     WHERE r.streamer_id = NEW.id AND r.status = 'recording'
       AND r.broadcast_id = NEW.live_broadcast_id
       AND (r.title, r.category) IS DISTINCT FROM (NEW.title, NEW.category)
       AND (SELECT p.pushed FROM platform p WHERE p.id = NEW.platform)
    RETURNING r.id INTO rec;

    IF FOUND THEN
        PERFORM mntreamer_recording_titled(rec, NEW.title, NEW.category);
    END IF;

    RETURN NULL;
END
$$;

CREATE TRIGGER streamer_titled
    AFTER UPDATE OF title, description, category, live_broadcast_id
    ON streamer
    FOR EACH ROW WHEN ((OLD.title, OLD.description, OLD.category,
                        OLD.live_broadcast_id)
                       IS DISTINCT FROM
                       (NEW.title, NEW.description, NEW.category,
                        NEW.live_broadcast_id))
    EXECUTE FUNCTION mntreamer_streamer_titled();


-- An entry of the history, behind the others.

CREATE FUNCTION mntreamer_recording_titled(
    in_id bigint, in_title text, in_category text)
RETURNS void
LANGUAGE sql AS $$
    INSERT INTO media_title (recording_id, at, title, category, viewers)
    SELECT in_id, greatest(now(), max(t.at) + interval '1 ms'), in_title,
           in_category, (SELECT s.live_viewers
                           FROM media_record r JOIN streamer s
                             ON s.id = r.streamer_id WHERE r.id = in_id)
      FROM media_title t WHERE t.recording_id = in_id
$$;


-- A recording of an own broadcast is called as its streamer's broadcasts are,
-- whoever makes it or goes on with it.

CREATE FUNCTION mntreamer_recording_called() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    s       streamer;
BEGIN
    SELECT o.* INTO s FROM streamer o JOIN platform p ON p.id = o.platform
     WHERE o.id = NEW.streamer_id AND p.pushed;

    IF NOT FOUND THEN
        RETURN NULL;
    END IF;

    UPDATE media_record r SET title = s.title, category = s.category
     WHERE r.id = NEW.id
       AND (r.title, r.category) IS DISTINCT FROM (s.title, s.category);

    IF coalesce(s.title, s.category) IS NOT NULL
       OR EXISTS (SELECT FROM media_title t WHERE t.recording_id = NEW.id)
    THEN
        PERFORM mntreamer_recording_titled(NEW.id, s.title, s.category)
           FROM (SELECT 1) one
          WHERE NOT EXISTS (
                    SELECT FROM (SELECT t.title, t.category FROM media_title t
                                  WHERE t.recording_id = NEW.id
                                  ORDER BY t.at DESC LIMIT 1) l
                     WHERE (l.title, l.category)
                           IS NOT DISTINCT FROM (s.title, s.category));
    END IF;

    RETURN NULL;
END
$$;

CREATE TRIGGER recording_called AFTER INSERT ON media_record
    FOR EACH ROW WHEN (NEW.status = 'recording')
    EXECUTE FUNCTION mntreamer_recording_called();

CREATE TRIGGER recording_called_again AFTER UPDATE OF status ON media_record
    FOR EACH ROW WHEN (OLD.status <> 'recording'
                       AND NEW.status = 'recording')
    EXECUTE FUNCTION mntreamer_recording_called();


-- What a worker was told a moment ago may be stale when it is written: while a
-- broadcast is on the air, its recording and the history take no other title.

CREATE FUNCTION mntreamer_recording_own(in_id bigint) RETURNS streamer
LANGUAGE sql STABLE AS $$
    SELECT s.* FROM media_record r
      JOIN streamer s ON s.id = r.streamer_id
       AND s.live_broadcast_id = r.broadcast_id
      JOIN platform p ON p.id = s.platform AND p.pushed
     WHERE r.id = in_id AND r.status = 'recording'
$$;

CREATE FUNCTION mntreamer_recording_stale() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    s       streamer;
BEGIN
    s := mntreamer_recording_own(NEW.id);

    IF s.id IS NOT NULL THEN
        NEW.title := s.title;
        NEW.category := s.category;
    END IF;

    RETURN NEW;
END
$$;

CREATE TRIGGER recording_stale BEFORE UPDATE OF title, category
    ON media_record
    FOR EACH ROW WHEN ((OLD.title, OLD.category)
                       IS DISTINCT FROM (NEW.title, NEW.category))
    EXECUTE FUNCTION mntreamer_recording_stale();

CREATE FUNCTION mntreamer_title_stale() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    s       streamer;
BEGIN
    s := mntreamer_recording_own(NEW.recording_id);

    IF s.id IS NOT NULL
       AND (NEW.title, NEW.category) IS DISTINCT FROM (s.title, s.category)
    THEN
        RETURN NULL;
    END IF;

    RETURN NEW;
END
$$;

CREATE TRIGGER title_stale BEFORE INSERT ON media_title
    FOR EACH ROW EXECUTE FUNCTION mntreamer_title_stale();
