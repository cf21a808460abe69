-- Channels as they may be shown: the channel of platform "hls" is an address,
-- often a signed one.

-- makes the marks below tell nothing about what is hidden

CREATE TABLE mark_key (
    one             boolean PRIMARY KEY DEFAULT true CHECK (one),
    key             text NOT NULL
);

INSERT INTO mark_key (key)
VALUES (gen_random_uuid()::text || gen_random_uuid()::text);


-- Scheme, host and path; user information, query and tokens in the path become
-- "...", as in the log.  What was hidden is told from other things by a mark.

CREATE FUNCTION mntreamer_channel_hidden(channel_id text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
    u      text[];
    shown  text;
BEGIN
    u := regexp_match(channel_id,
                      '^([^:]*://)([^/?#]*@)?([^/?#]*)([^?#]*)([?#])?');

    IF u IS NULL THEN
        RETURN channel_id;
    END IF;

    shown := u[1] || CASE WHEN u[2] IS NULL THEN '' ELSE '...@' END || u[3]
             || regexp_replace(u[4],
                    '[^/]*(hdnts|hdntl|hmac|~acl|%7eacl)[^/]*', '...', 'gi')
             || coalesce(u[5] || '...', '');

    IF shown = channel_id THEN
        RETURN shown;
    END IF;

    RETURN shown || '#' || (
        SELECT left(encode(sha256(convert_to(k.key || channel_id, 'UTF8')),
                           'hex'), 8)
          FROM mark_key k);
END
$$;

CREATE FUNCTION mntreamer_channel(channel_id text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN channel_id LIKE 'http%'
           THEN mntreamer_channel_hidden(channel_id) ELSE channel_id END
$$;


-- one finds recordings by what is shown, too

CREATE FUNCTION mntreamer_channel_is(channel_id text, asked text)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT channel_id = asked OR (asked LIKE 'http%#________'
           AND channel_id LIKE 'http%'
           AND mntreamer_channel_hidden(channel_id) = asked)
$$;
