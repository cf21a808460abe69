-- Recordings that are kept when space is made, and files that are gone.

ALTER TABLE media_record
    ADD COLUMN protected boolean NOT NULL DEFAULT false,
    ADD COLUMN removed_at timestamptz;

CREATE INDEX media_record_oldest ON media_record (ended_at, id)
    WHERE status IN ('recorded', 'done') AND NOT protected;

CREATE INDEX media_record_unremoved ON media_record (id)
    WHERE status = 'deleted' AND removed_at IS NULL;
