-- What "q" is looked for in, and an index that finds any part of it: of one
-- character, or by its pairs of them, since many a word of Korean is that
-- short.

CREATE FUNCTION mntreamer_pairs(c text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(c[i] || c[i + 1]), '{}')
      FROM generate_series(1, cardinality(c) - 1) i
$$;

CREATE FUNCTION mntreamer_grams(t text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT c || mntreamer_pairs(c) FROM string_to_array(t, NULL) c
$$;


-- of what is looked for

CREATE FUNCTION mntreamer_grams_asked(t text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN length(t) = 1 THEN ARRAY[t]
           ELSE mntreamer_pairs(string_to_array(t, NULL)) END
$$;


-- only what is shown: an address is found by nothing that is hidden of it

CREATE FUNCTION mntreamer_record_search() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    NEW.search := lower(concat_ws(E'\n', NEW.title, NEW.channel_name,
                                  NEW.category,
                                  mntreamer_channel(NEW.channel_id)));
    RETURN NEW;
END
$$;

ALTER TABLE media_record ADD COLUMN search text NOT NULL DEFAULT '';

CREATE TRIGGER media_record_search
    BEFORE INSERT OR UPDATE OF title, channel_name, category, channel_id
    ON media_record FOR EACH ROW
    EXECUTE FUNCTION mntreamer_record_search();

UPDATE media_record SET title = title;

CREATE INDEX media_record_search
    ON media_record USING gin (mntreamer_grams(search));
