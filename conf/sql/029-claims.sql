-- Takes what is to be done in one storage: files to be taken away first.  A
-- claim of an engine that is gone is free at once; one that could not be
-- renewed while the database was away gets "in_grace_ms".
--
-- Nothing is made of a recording in the trash, and its files are not looked for:
-- whether its directory is hidden already is not surely known.
-- An export waits until what was cut is cut on the disk, too.  Who cannot tell
-- its storage from others makes none.

CREATE FUNCTION mntreamer_job_claim(
    in_engine bigint, in_storage text, in_lease_ms bigint, in_grace_ms bigint)
RETURNS SETOF job
LANGUAGE sql AS $$
    WITH c AS MATERIALIZED (
        SELECT j.id, r.segments
          FROM job j JOIN media_record r ON r.id = j.recording_id
         WHERE (r.storage = in_storage OR r.storage IS NULL
                OR in_storage IS NULL)
           AND j.run_at <= now()
           AND (in_storage IS NOT NULL OR NOT EXISTS (
                   SELECT FROM media_record o WHERE o.storage IS NOT NULL))
           AND CASE WHEN j.state IN ('queued', 'running')
                    THEN r.status IN ('recorded', 'done')
                         AND r.cut_applied >= r.cut_version
                    ELSE j.dirty END
           AND (j.owner IS NULL
                OR j.lease_until
                   < now() - in_grace_ms * interval '1 millisecond'
                OR NOT EXISTS (SELECT FROM engine e WHERE e.id = j.owner))
           AND (r.status <> 'deleted' OR r.removed_at IS NOT NULL)
         ORDER BY j.dirty DESC, j.run_at, j.id
         LIMIT 1
           FOR UPDATE OF j SKIP LOCKED
    )
    UPDATE job j
       SET owner = in_engine,
           lease_until = now() + in_lease_ms * interval '1 millisecond',
           epoch = greatest(j.epoch + 1,
               (extract(epoch FROM clock_timestamp()) * 1000000)::bigint),
           state = CASE j.state WHEN 'queued' THEN 'running' ELSE j.state END,
           attempts = j.attempts
                      + (j.state IN ('queued', 'running'))::integer,
           started_at = CASE WHEN j.state IN ('queued', 'running')
                             THEN now() ELSE j.started_at END,
           segments = CASE WHEN j.state IN ('queued', 'running')
                           THEN c.segments ELSE j.segments END,
           progress = CASE WHEN j.state IN ('queued', 'running')
                           THEN 0 ELSE j.progress END,
           rate = NULL
      FROM c WHERE j.id = c.id
    RETURNING j.*;
$$;
