-- What was deleted may lie in the trash for some time.  "purge_at" is when its
-- files may go: '-infinity', or NULL, is at once, and from then on nothing
-- brings it back.  "hidden": its directory has the name that is not served.

ALTER TABLE media_record
    ADD COLUMN deleted_at timestamptz,
    ADD COLUMN deleted_from text CHECK (deleted_from IN ('recorded', 'done')),
    ADD COLUMN deleted_why text CHECK (deleted_why IN ('api', 'room', 'age',
                                                       'size', 'count',
                                                       'gone')),
    ADD COLUMN purge_at timestamptz,
    ADD COLUMN hidden boolean NOT NULL DEFAULT false,
    ADD COLUMN restoring boolean NOT NULL DEFAULT false;

-- only what has a state to come back to, and its files, comes back

ALTER TABLE media_record ADD CONSTRAINT media_record_restoring
    CHECK (NOT restoring OR (status = 'deleted' AND deleted_from IS NOT NULL
                             AND removed_at IS NULL));

CREATE INDEX media_record_purge ON media_record (purge_at, id)
    WHERE status = 'deleted' AND removed_at IS NULL;

UPDATE status SET description = 'off all lists; in the trash, or its files are gone or going'
 WHERE name = 'deleted';


-- As before; but files of a recording in the trash are not looked for: its
-- directory is hidden, or will be in a moment.

CREATE OR REPLACE FUNCTION mntreamer_job_claim(
    in_engine bigint, in_storage text, in_lease_ms bigint, in_grace_ms bigint)
RETURNS SETOF job
LANGUAGE sql AS $$
    WITH c AS MATERIALIZED (
        SELECT j.id, r.segments
          FROM job j JOIN media_record r ON r.id = j.recording_id
         WHERE (r.storage = in_storage OR r.storage IS NULL
                OR in_storage IS NULL)
           AND j.run_at <= now()
           AND CASE WHEN j.state IN ('queued', 'running')
                    THEN r.status IN ('recorded', 'done') ELSE j.dirty END
           AND (j.owner IS NULL
                OR j.lease_until
                   < now() - in_grace_ms * interval '1 millisecond'
                OR NOT EXISTS (SELECT FROM engine e WHERE e.id = j.owner))
           AND NOT (r.status = 'deleted' AND r.removed_at IS NULL
                    AND coalesce(r.purge_at > now(), false))
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


-- As before; of one that goes into the trash the exports are to go by themselves,
-- so that they are not there when it comes back.

CREATE OR REPLACE FUNCTION mntreamer_job_over() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(NEW.purge_at, '-infinity') <= now() THEN
        DELETE FROM job WHERE recording_id = NEW.id AND owner IS NULL;
    END IF;

    UPDATE job SET state = 'removed', dirty = true, run_at = now(),
                   finished_at = coalesce(finished_at, now())
     WHERE recording_id = NEW.id;

    IF FOUND THEN
        PERFORM pg_notify('mntreamer', 'job');
    END IF;

    RETURN NULL;
END
$$;
