-- The one connection that may bring a broadcast to its viewers: workers of
-- nginx-rtmp do not know of each other, and two would write the same files.

ALTER TABLE broadcast ADD COLUMN relay_clientid bigint;
