-- What was deleted may lie in the trash for some time.  "purge_at" is when its
-- files may go: '-infinity', or NULL, is at once, and from then on nothing
-- brings it back; nor from 'epoch' on, which says that its time was over and
-- that only what is hidden goes.  "hidden": its directory has the name that is
-- not served.

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
