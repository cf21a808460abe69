-- The image of a recording in progress, which is a file beside its playlist.

ALTER TABLE media_record ADD COLUMN thumbnail boolean NOT NULL DEFAULT false;


-- The address of another file of a recording; "name" needs no encoding.

CREATE FUNCTION mntreamer_url(path text, name text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT left(mntreamer_url(path), -length('index.m3u8')) || name
$$;
