-- What of a streamer is kept, where that differs from what is kept of all:
-- {"age": seconds, "size": bytes, "count": recordings}, each or NULL; an age of
-- 0 is never.

ALTER TABLE streamer ADD COLUMN retention jsonb
    CHECK (jsonb_typeof(retention) = 'object');

CREATE INDEX streamer_retention ON streamer (id) WHERE retention IS NOT NULL;


-- Which recordings of a storage are kept no longer and why, the first to go
-- first; with "in_mark" they are marked as deleted.  First goes what is too old,
-- and what is too much of its streamer; then, of all that is left, what is too
-- much.  What is protected neither goes nor counts.  What is in progress, or
-- being exported, or ended lately and may go on, counts and does not go.

CREATE FUNCTION mntreamer_retention(
    in_storage text, in_age bigint, in_size bigint, in_count bigint,
    in_young_ms bigint, in_trash bigint, in_mark boolean)
RETURNS TABLE (recording bigint, reason text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    young  timestamptz := now() - in_young_ms * interval '1 millisecond';
BEGIN
    -- a limit that is kept: most of the time there is nothing more to be done

    IF coalesce(in_size, in_count) IS NOT NULL THEN
        SELECT CASE WHEN sum(r.bytes) > in_size THEN in_size END,
               CASE WHEN count(*) > in_count THEN in_count END
          INTO in_size, in_count
          FROM media_record r
         WHERE r.status IN ('recording', 'recorded', 'done')
           AND NOT r.protected
           AND (r.storage = in_storage OR r.storage IS NULL
                OR in_storage IS NULL);
    END IF;

    IF coalesce(in_age, in_size, in_count) IS NULL
       AND NOT EXISTS (SELECT FROM streamer WHERE retention IS NOT NULL)
    THEN
        RETURN;
    END IF;

    -- who cannot tell its storage from others deletes nothing of them

    IF in_mark AND in_storage IS NULL
       AND EXISTS (SELECT FROM media_record WHERE storage IS NOT NULL)
    THEN
        RETURN;
    END IF;

    -- one at a time: two would each see too much

    IF in_mark AND NOT pg_try_advisory_xact_lock(
                           hashtext('mntreamer_retention'),
                           hashtext(coalesce(in_storage, '')))
    THEN
        RETURN;
    END IF;

    RETURN QUERY
    WITH k AS MATERIALIZED (
        SELECT r.id, r.streamer_id, r.bytes, r.ended_at,
               coalesce(r.ended_at < young, false)
               AND NOT EXISTS (SELECT FROM job j WHERE j.recording_id = r.id
                                                   AND j.lease_until > now())
               AS ended
          FROM media_record r
         WHERE r.status IN ('recording', 'recorded', 'done')
           AND NOT r.protected
           AND (r.storage = in_storage OR r.storage IS NULL
                OR in_storage IS NULL)
           AND (in_size IS NOT NULL OR in_count IS NOT NULL
                OR r.ended_at < now() - in_age * interval '1 second'
                OR r.streamer_id IN (SELECT s.id FROM streamer s
                                      WHERE s.retention IS NOT NULL))
    ), t AS (
        SELECT s.id, coalesce((s.retention->>'age')::bigint, in_age) AS age,
               (s.retention->>'size')::bigint AS size,
               (s.retention->>'count')::bigint AS count,
               sum(k.bytes) AS bytes, count(*) AS n
          FROM k JOIN streamer s ON s.id = k.streamer_id
         WHERE s.retention IS NOT NULL GROUP BY s.id
    ), o AS (
        SELECT k.id, k.ended_at, k.bytes, CASE
               WHEN k.ended_at < now() - nullif(CASE WHEN t.id IS NULL
                                                     THEN in_age ELSE t.age
                                                END, 0)
                                         * interval '1 second' THEN 'age'
               WHEN t.bytes - sum(k.bytes) OVER w + k.bytes > t.size
               THEN 'size'
               WHEN t.n - row_number() OVER w + 1 > t.count THEN 'count'
               END AS why
          FROM k LEFT JOIN t ON t.id = k.streamer_id WHERE k.ended
        WINDOW w AS (PARTITION BY k.streamer_id ORDER BY k.ended_at, k.id
                     ROWS UNBOUNDED PRECEDING)
    ), g AS (
        SELECT (SELECT coalesce(sum(bytes), 0) FROM k)
               - coalesce(sum(o.bytes), 0) AS bytes,
               (SELECT count(*) FROM k) - count(*) AS n
          FROM o WHERE o.why IS NOT NULL
    ), a AS (
        SELECT o.id, o.ended_at, coalesce(o.why, CASE
               WHEN g.bytes - sum(CASE WHEN o.why IS NULL THEN o.bytes END)
                              OVER w + o.bytes > in_size THEN 'size'
               WHEN g.n - count(CASE WHEN o.why IS NULL THEN 1 END) OVER w
                    + 1 > in_count THEN 'count' END) AS why
          FROM o CROSS JOIN g
        WINDOW w AS (ORDER BY o.ended_at, o.id ROWS UNBOUNDED PRECEDING)
    ), l AS MATERIALIZED (
        SELECT r.id, a.why FROM media_record r JOIN a ON a.id = r.id
         WHERE in_mark AND a.why IS NOT NULL
           AND r.status IN ('recorded', 'done') AND NOT r.protected
           AND r.ended_at < young
           AND NOT EXISTS (SELECT FROM job j WHERE j.recording_id = r.id
                                               AND j.lease_until > now())
         ORDER BY r.id FOR NO KEY UPDATE OF r SKIP LOCKED
    ), m AS (
        UPDATE media_record r
           SET status = 'deleted', deleted_from = r.status,
               deleted_at = now(), deleted_why = l.why,
               purge_at = CASE WHEN in_trash > 0
                               THEN now() + in_trash * interval '1 second'
                               ELSE '-infinity' END
          FROM l WHERE r.id = l.id
        RETURNING r.id, r.ended_at, r.deleted_why AS why
    )
    SELECT x.id, x.why FROM (
        SELECT a.id, a.ended_at, a.why FROM a
         WHERE NOT in_mark AND a.why IS NOT NULL
        UNION ALL SELECT m.id, m.ended_at, m.why FROM m) x
     ORDER BY x.ended_at, x.id;

    IF in_mark AND FOUND THEN
        PERFORM pg_notify('mntreamer', 'remove');
    END IF;
END
$$;
