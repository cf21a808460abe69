-- How many watched: a sample of each refresh, while media_title keeps the count
-- of the moment at which a title was noticed.

CREATE TABLE media_viewers (
    recording_id    bigint NOT NULL REFERENCES media_record ON DELETE CASCADE,
    at              timestamptz NOT NULL DEFAULT now(),
    viewers         bigint NOT NULL CHECK (viewers >= 0),

    PRIMARY KEY (recording_id, at)
);
