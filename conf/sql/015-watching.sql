-- Who watches recordings in progress, by our own count: a row for each node and
-- each life of a recording in the memory that its workers share.  What is in it
-- is told whole each time, so that telling it twice changes nothing, and the
-- rows of one that is over are its history.

CREATE TABLE media_watching (
    recording_id    bigint NOT NULL REFERENCES media_record ON DELETE CASCADE,
    node            text NOT NULL,
    run             bigint NOT NULL,

    -- of what was told: what comes late changes nothing
    turn            bigint NOT NULL,
    at              timestamptz NOT NULL DEFAULT now(),

    viewers         bigint NOT NULL CHECK (viewers >= 0),

    -- of all nodes together, when this one told
    peak            bigint NOT NULL CHECK (peak >= viewers),
    watched_ms      bigint NOT NULL CHECK (watched_ms >= 0),

    PRIMARY KEY (recording_id, node, run)
) WITH (fillfactor = 50);


-- How many watch now; what a node has told that was lost counts no longer.

CREATE FUNCTION mntreamer_watching(in_recording bigint) RETURNS bigint
LANGUAGE sql STABLE STRICT AS $$
    SELECT coalesce(sum(w.viewers), 0)::bigint FROM media_watching w
     WHERE w.recording_id = in_recording
       AND w.at > now() - interval '30 seconds'
$$;
