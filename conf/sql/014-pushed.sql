-- Own broadcasts are recorded like any other.  Broadcasts of a streamer that
-- follow each other soon are one to viewers and to the recording: a series,
-- which bears the name of its first one.

ALTER TABLE broadcast ADD COLUMN series text;
UPDATE broadcast SET series = name;
ALTER TABLE broadcast ALTER COLUMN series SET NOT NULL;


-- What is sent to us is on the air while it has an open broadcast, whatever
-- else says so.

CREATE FUNCTION mntreamer_streamer_pushed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT p.pushed FROM platform p WHERE p.id = NEW.platform) THEN
        NEW.is_streaming := EXISTS (
            SELECT FROM broadcast b
             WHERE b.streamer_id = NEW.id AND b.ended_at IS NULL);
    END IF;

    RETURN NEW;
END
$$;

CREATE TRIGGER streamer_pushed BEFORE UPDATE OF is_streaming ON streamer
    FOR EACH ROW WHEN (NEW.is_streaming <> OLD.is_streaming)
    EXECUTE FUNCTION mntreamer_streamer_pushed();


-- As before; who records it is told to ask.

CREATE OR REPLACE FUNCTION mntreamer_broadcast_close(
    in_id bigint, in_at timestamptz, in_reason text,
    in_seen timestamptz DEFAULT 'infinity')
RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    owner   bigint;
BEGIN
    SELECT b.streamer_id INTO owner FROM broadcast b WHERE b.id = in_id;

    PERFORM FROM streamer s WHERE s.id = owner FOR NO KEY UPDATE;

    UPDATE broadcast b
       SET ended_at = greatest(in_at, b.started_at), reason = in_reason
     WHERE b.id = in_id AND b.ended_at IS NULL AND b.seen_at <= in_seen;

    IF NOT FOUND THEN
        RETURN false;
    END IF;

    UPDATE streamer s
       SET is_streaming = false, live_broadcast_id = NULL, live_title = NULL,
           live_category = NULL, live_viewers = NULL, live_started_at = NULL,
           live_image = NULL
     WHERE s.id = owner;

    PERFORM pg_notify('mntreamer', 'ask ' || owner);

    RETURN true;
END
$$;


-- As before; one that begins within "in_resume_ms" of the last one's end goes
-- on with its series.

DROP FUNCTION mntreamer_broadcast_begin(bytea, bytea, text, text, bigint,
                                        bigint, bigint);

CREATE FUNCTION mntreamer_broadcast_begin(
    in_hash bytea, in_password bytea, in_name text, in_node text,
    in_client bigint, in_silence_ms bigint, in_heard_ms bigint,
    in_resume_ms bigint)
RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    k       stream_key;
    b       broadcast;
    line    text;
BEGIN
    PERFORM FROM streamer s
      WHERE s.id = (SELECT streamer_id FROM stream_key WHERE hash = in_hash)
        FOR NO KEY UPDATE;

    SELECT * INTO k FROM stream_key
     WHERE hash = in_hash AND revoked_at IS NULL
       FOR UPDATE;

    IF NOT FOUND THEN
        RETURN 'unknown';
    END IF;

    IF k.one_time AND (k.password IS NULL OR in_password IS NULL
                       OR k.password <> in_password
                       OR k.password_until <= now())
    THEN
        RETURN 'password';
    END IF;

    SELECT * INTO b FROM broadcast
     WHERE streamer_id = k.streamer_id AND ended_at IS NULL;

    IF FOUND THEN
        IF in_heard_ms < b.silence_ms
           OR NOT mntreamer_broadcast_close(b.id, b.seen_at, 'silent',
                      now() - b.silence_ms * interval '1 millisecond')
        THEN
            RETURN 'live';
        END IF;
    END IF;

    UPDATE stream_key SET password = NULL, password_until = NULL
     WHERE id = k.id AND password IS NOT NULL;

    SELECT l.series INTO line FROM (
        SELECT * FROM broadcast l
         WHERE l.streamer_id = k.streamer_id
         ORDER BY l.started_at DESC, l.id DESC LIMIT 1) l
     WHERE l.node = in_node
       AND l.ended_at > now() - in_resume_ms * interval '1 millisecond';

    line := coalesce(line, in_name);

    INSERT INTO broadcast (streamer_id, key_id, name, series, node, clientid,
                           silence_ms)
    VALUES (k.streamer_id, k.id, in_name, line, in_node, in_client,
            in_silence_ms);

    UPDATE streamer
       SET is_streaming = true, last_stream_at = now(),
           live_broadcast_id = line, live_started_at = now(),
           live_title = NULL, live_category = NULL, live_viewers = NULL,
           live_image = NULL
     WHERE id = k.streamer_id;

    RETURN 'begun';
END
$$;


-- The first connection that brings a broadcast to its viewers is the one; from
-- now on there is something to be recorded.

CREATE FUNCTION mntreamer_broadcast_relay(in_name text, in_client bigint)
RETURNS SETOF bigint
LANGUAGE plpgsql AS $$
DECLARE
    b       broadcast;
BEGIN
    UPDATE broadcast
       SET relay_clientid = in_client, relayed_at = now()
     WHERE name = in_name AND ended_at IS NULL AND relay_clientid IS NULL
    RETURNING * INTO b;

    IF NOT FOUND THEN
        RETURN;
    END IF;

    UPDATE streamer_monitor m SET check_at = now()
     WHERE m.streamer_id = b.streamer_id AND m.owner IS NULL;

    PERFORM pg_notify('mntreamer', 'ask ' || b.streamer_id);
    PERFORM pg_notify('mntreamer', 'due');

    RETURN NEXT b.id;
END
$$;
