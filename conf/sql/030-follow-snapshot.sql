-- A claim sees what was committed since its statement began, and tells of it;
-- so must what is said of the broadcast: an end was told without its reason.
-- Volatile: as of now, not as of the statement.

CREATE FUNCTION mntreamer_follow_broadcast(in_id bigint) RETURNS SETOF broadcast
LANGUAGE sql VOLATILE STRICT AS $$
    SELECT * FROM broadcast WHERE id = in_id
$$;
