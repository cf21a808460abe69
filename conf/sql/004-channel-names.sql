-- When the platform is asked for the name of a channel that has none yet.

ALTER TABLE streamer
    ADD COLUMN name_at    timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN name_tries integer NOT NULL DEFAULT 0 CHECK (name_tries >= 0);

CREATE INDEX streamer_nameless ON streamer (platform, name_at)
    WHERE channel_name IS NULL AND monitored;
