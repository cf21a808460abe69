
/*
 * Copyright (C) the mntreamer authors
 *
 * Reads playlists.  Three passes over the text, each linear: the characters
 * and the limits, the number of entries (so that arrays are taken once, in the
 * right size), the tags.  Everything the result points to is in the arena.
 */


#include "mnt_hls_reader.h"

#include <string.h>


static mnt_hls_rc_e mnt_hls_check(mnt_str_t text, unsigned *line);
static mnt_hls_rc_e mnt_hls_check_char(mnt_str_t text, size_t i);
static int mnt_hls_line(mnt_str_t *rest, mnt_str_t *line);
static mnt_hls_rc_e mnt_hls_count(mnt_hls_reader_t *r, mnt_str_t text);
static mnt_hls_rc_e mnt_hls_lines(mnt_hls_reader_t *r, mnt_str_t text,
    unsigned *line);
static mnt_hls_rc_e mnt_hls_finish(mnt_hls_reader_t *r);
static mnt_hls_rc_e mnt_hls_uri(mnt_hls_reader_t *r, mnt_str_t uri);
static mnt_hls_rc_e mnt_hls_segment(mnt_hls_reader_t *r, mnt_str_t uri);
static mnt_hls_rc_e mnt_hls_segment_range(mnt_hls_reader_t *r,
    mnt_hls_segment_t *s);
static mnt_hls_rc_e mnt_hls_segment_keys(mnt_hls_reader_t *r,
    mnt_hls_segment_t *s);
static mnt_hls_rc_e mnt_hls_segment_map(mnt_hls_reader_t *r,
    mnt_hls_segment_t *s);
static mnt_hls_rc_e mnt_hls_variant(mnt_hls_reader_t *r, mnt_str_t uri);


static const char  *const mnt_hls_errors[] = {
    "no error",
    "does not start with #EXTM3U",
    "is larger than 2 MiB",
    "has a line of more than 8192 bytes",
    "has too many entries",
    "has a control character",
    "is not UTF-8",
    "has a version that is not supported",
    "has a number that is malformed or out of range",
    "has a malformed attribute list",
    "has a malformed EXT-X-KEY",
    "has a malformed byte range, or one that continues nothing",
    "has a tag twice that may come once",
    "has tags of media and of multivariant playlists",
    "has no EXT-X-TARGETDURATION",
    "has a URI without EXTINF or EXT-X-STREAM-INF before it",
    "has a tag without the URI it needs",
    "did not fit into memory"
};


const char *
mnt_hls_strerror(mnt_hls_rc_e rc)
{
    size_t  n;

    n = sizeof(mnt_hls_errors) / sizeof(mnt_hls_errors[0]);

    return (size_t) rc < n ? mnt_hls_errors[rc] : "unknown error";
}


mnt_hls_rc_e
mnt_hls_parse(mnt_arena_t *a, mnt_str_t text, mnt_hls_playlist_t *p)
{
    unsigned          line;
    mnt_hls_rc_e      rc;
    mnt_hls_reader_t  r;

    memset(p, 0, sizeof(mnt_hls_playlist_t));
    memset(&r, 0, sizeof(mnt_hls_reader_t));

    r.arena = a;
    r.playlist = p;
    r.next.date_ms = MNT_DATE_NONE;
    line = 1;

    if (mnt_str_starts(text, "\xef\xbb\xbf")) {
        text.data += 3;
        text.len -= 3;
        p->bom = 1;
    }

    rc = mnt_hls_check(text, &line);

    if (rc == MNT_HLS_OK) {
        line = 1;
        rc = mnt_hls_count(&r, text);
    }

    if (rc == MNT_HLS_OK) {
        text = mnt_arena_dup(a, text);
        rc = text.data ? mnt_hls_lines(&r, text, &line) : MNT_HLS_NO_MEMORY;
    }

    if (rc != MNT_HLS_OK) {
        memset(p, 0, sizeof(mnt_hls_playlist_t));
        p->error_line = line;
    }

    p->kind = r.multivariant ? MNT_HLS_MULTIVARIANT : MNT_HLS_MEDIA;

    return rc;
}


/* the next line, trimmed; 0 behind the last one */

static int
mnt_hls_line(mnt_str_t *rest, mnt_str_t *line)
{
    const char  *end;

    if (rest->len == 0) {
        return 0;
    }

    *line = *rest;
    end = memchr(rest->data, '\n', rest->len);

    if (end) {
        line->len = (size_t) (end - rest->data);
        rest->data = end + 1;
        rest->len -= line->len + 1;

    } else {
        rest->data += rest->len;
        rest->len = 0;
    }

    *line = mnt_str_trim(*line);

    return 1;
}


/* RFC 8216 4.1, but tabs count as white space: real playlists have them */

static mnt_hls_rc_e
mnt_hls_check_char(mnt_str_t text, size_t i)
{
    unsigned char  c;

    c = (unsigned char) text.data[i];

    if (c == '\r') {
        if (i + 1 == text.len || text.data[i + 1] != '\n') {
            return MNT_HLS_CONTROL_CHARACTER;
        }

    } else if ((c < ' ' && c != '\t' && c != '\n') || c == 0x7f) {
        return MNT_HLS_CONTROL_CHARACTER;

    } else if (c == 0xc2 && i + 1 < text.len
               && (unsigned char) text.data[i + 1] >= 0x80
               && (unsigned char) text.data[i + 1] <= 0x9f)
    {
        return MNT_HLS_CONTROL_CHARACTER;
    }

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_check(mnt_str_t text, unsigned *line)
{
    size_t        i, start;
    mnt_str_t     rest, first;
    mnt_hls_rc_e  rc;

    if (text.len > MNT_HLS_MAX_BYTES) {
        return MNT_HLS_TOO_LARGE;
    }

    /* told first, whatever else is wrong with a page of HTML or a picture */

    rest = text;

    if (!mnt_str_starts(text, "#EXTM3U") || !mnt_hls_line(&rest, &first)
        || !mnt_str_eqc(first, "#EXTM3U"))
    {
        return MNT_HLS_NOT_A_PLAYLIST;
    }

    start = 0;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] == '\n') {
            start = i + 1;
            (*line)++;
            continue;
        }

        if (i - start >= MNT_HLS_MAX_LINE) {
            return MNT_HLS_LINE_TOO_LONG;
        }

        rc = mnt_hls_check_char(text, i);

        if (rc != MNT_HLS_OK) {
            return rc;
        }
    }

    if (!mnt_str_utf8(text)) {
        *line = 0;
        return MNT_HLS_NOT_UTF8;
    }

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_count(mnt_hls_reader_t *r, mnt_str_t text)
{
    mnt_str_t  line;

    while (mnt_hls_line(&text, &line)) {
        if (line.len == 0) {
            continue;
        }

        if (line.data[0] != '#') {
            r->uris++;

        } else if (mnt_str_starts(line, "#EXT-X-MEDIA")) {
            r->medias++;
        }
    }

    if (r->uris > MNT_HLS_MAX_SEGMENTS || r->medias > MNT_HLS_MAX_SEGMENTS) {
        return MNT_HLS_TOO_MANY;
    }

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_lines(mnt_hls_reader_t *r, mnt_str_t text, unsigned *line)
{
    mnt_str_t     s;
    mnt_hls_rc_e  rc;

    for (*line = 1; mnt_hls_line(&text, &s); (*line)++) {
        if (s.len == 0) {
            continue;
        }

        rc = MNT_HLS_OK;

        if (s.data[0] != '#') {
            rc = mnt_hls_uri(r, s);

        } else if (mnt_str_starts(s, "#EXT")) {
            rc = mnt_hls_tag(r, s);
        }

        if (rc != MNT_HLS_OK) {
            return rc;
        }
    }

    return mnt_hls_finish(r);
}


static mnt_hls_rc_e
mnt_hls_finish(mnt_hls_reader_t *r)
{
    unsigned             i;
    mnt_hls_playlist_t  *p;

    p = r->playlist;

    if (r->has_extinf || r->has_variant) {
        return MNT_HLS_NO_URI;
    }

    if (r->multivariant) {
        return MNT_HLS_OK;
    }

    if (p->target_duration_s == 0) {
        return MNT_HLS_NO_TARGETDURATION;
    }

    /* the tags of the first numbers may stand anywhere (hls.js 7905) */

    for (i = 0; i < p->nsegments; i++) {
        p->segments[i].sequence = p->media_sequence + p->skipped + i;
        p->segments[i].discontinuity += p->discontinuity_sequence;
    }

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_uri(mnt_hls_reader_t *r, mnt_str_t uri)
{
    if (r->has_extinf) {
        return mnt_hls_segment(r, uri);
    }

    if (r->has_variant) {
        return mnt_hls_variant(r, uri);
    }

    return MNT_HLS_NO_EXTINF;
}


static mnt_hls_rc_e
mnt_hls_segment(mnt_hls_reader_t *r, mnt_str_t uri)
{
    mnt_hls_rc_e         rc;
    mnt_hls_segment_t   *s;
    mnt_hls_playlist_t  *p;

    p = r->playlist;

    if (p->segments == NULL) {
        p->segments = mnt_arena_alloc(r->arena, r->uris
                                                * sizeof(mnt_hls_segment_t));

        if (p->segments == NULL) {
            return MNT_HLS_NO_MEMORY;
        }
    }

    s = &p->segments[p->nsegments];
    *s = r->next;
    s->uri = uri;

    /* counted from 0 here, the first number is added at the end */

    s->discontinuity = r->discontinuities;

    rc = mnt_hls_segment_range(r, s);

    if (rc == MNT_HLS_OK) {
        rc = mnt_hls_segment_keys(r, s);
    }

    if (rc == MNT_HLS_OK) {
        rc = mnt_hls_segment_map(r, s);
    }

    if (rc != MNT_HLS_OK) {
        return rc;
    }

    p->nsegments++;
    p->trailing_parts = 0;

    memset(&r->next, 0, sizeof(mnt_hls_segment_t));
    r->next.date_ms = MNT_DATE_NONE;
    r->has_extinf = 0;
    r->has_range = 0;
    r->has_offset = 0;

    return MNT_HLS_OK;
}


/* RFC 8216 4.3.2.2: without offset it continues the segment before */

static mnt_hls_rc_e
mnt_hls_segment_range(mnt_hls_reader_t *r, mnt_hls_segment_t *s)
{
    mnt_hls_segment_t  *last;

    if (!r->has_range || r->has_offset) {
        return MNT_HLS_OK;
    }

    last = r->playlist->nsegments ? s - 1 : NULL;

    if (last == NULL || last->range.length == 0
        || !mnt_str_eq(last->uri, s->uri))
    {
        return MNT_HLS_BAD_BYTERANGE;
    }

    s->range.offset = last->range.offset + last->range.length;

    if (s->range.offset > (uint64_t) INT64_MAX - s->range.length) {
        return MNT_HLS_BAD_BYTERANGE;
    }

    return MNT_HLS_OK;
}


int
mnt_hls_key_choice(const mnt_hls_reader_t *r)
{
    unsigned  i;

    for (i = 0; i < r->nkeys; i++) {
        if (mnt_str_eqc(r->keys[i].keyformat, "identity")) {
            return (int) i;
        }
    }

    return r->nkeys ? 0 : -1;
}


static mnt_hls_rc_e
mnt_hls_segment_keys(mnt_hls_reader_t *r, mnt_hls_segment_t *s)
{
    int             choice;
    unsigned        i;
    mnt_hls_key_t  *key;

    if (r->nkeys == 0) {
        return MNT_HLS_OK;
    }

    if (r->keys_changed) {
        r->key_set = mnt_arena_alloc(r->arena,
                                     r->nkeys * sizeof(mnt_hls_key_t *));

        if (r->key_set == NULL) {
            return MNT_HLS_NO_MEMORY;
        }

        for (i = 0; i < r->nkeys; i++) {
            key = r->kept_keys[i];

            if (key == NULL) {
                key = mnt_arena_alloc(r->arena, sizeof(mnt_hls_key_t));

                if (key == NULL) {
                    return MNT_HLS_NO_MEMORY;
                }

                *key = r->keys[i];
                r->kept_keys[i] = key;
            }

            r->key_set[i] = key;
        }

        r->keys_changed = 0;
    }

    choice = mnt_hls_key_choice(r);

    s->keys = r->key_set;
    s->nkeys = r->nkeys;
    s->key = r->key_set[choice];

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_segment_map(mnt_hls_reader_t *r, mnt_hls_segment_t *s)
{
    mnt_hls_key_t  *key;
    mnt_hls_map_t  *map;

    if (!r->has_map) {
        return MNT_HLS_OK;
    }

    if (r->kept_map) {
        s->map = r->kept_map;
        return MNT_HLS_OK;
    }

    map = mnt_arena_alloc(r->arena, sizeof(mnt_hls_map_t));

    if (map == NULL) {
        return MNT_HLS_NO_MEMORY;
    }

    *map = r->map;
    map->key = NULL;

    if (r->map_has_key) {
        key = s->key;

        if (key == NULL || !mnt_hls_key_equal(key, &r->map_key)) {
            key = mnt_arena_alloc(r->arena, sizeof(mnt_hls_key_t));

            if (key == NULL) {
                return MNT_HLS_NO_MEMORY;
            }

            *key = r->map_key;
        }

        map->key = key;
    }

    r->kept_map = map;
    s->map = map;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_variant(mnt_hls_reader_t *r, mnt_str_t uri)
{
    mnt_hls_variant_t   *v;
    mnt_hls_playlist_t  *p;

    p = r->playlist;

    if (p->variants == NULL) {
        p->variants = mnt_arena_alloc(r->arena, r->uris
                                                * sizeof(mnt_hls_variant_t));

        if (p->variants == NULL) {
            return MNT_HLS_NO_MEMORY;
        }
    }

    v = &p->variants[p->nvariants++];
    *v = r->variant;
    v->uri = uri;
    r->has_variant = 0;

    return MNT_HLS_OK;
}


int
mnt_hls_key_equal(const mnt_hls_key_t *k, const mnt_hls_key_t *l)
{
    if (k == l) {
        return 1;
    }

    if (k == NULL || l == NULL) {
        return 0;
    }

    return k->method == l->method && k->has_iv == l->has_iv
           && mnt_str_eq(k->method_name, l->method_name)
           && mnt_str_eq(k->uri, l->uri)
           && mnt_str_eq(k->keyformat, l->keyformat)
           && memcmp(k->iv, l->iv, sizeof(k->iv)) == 0;
}


int
mnt_hls_map_equal(const mnt_hls_map_t *m, const mnt_hls_map_t *n)
{
    if (m == n) {
        return 1;
    }

    if (m == NULL || n == NULL) {
        return 0;
    }

    return mnt_str_eq(m->uri, n->uri)
           && m->range.length == n->range.length
           && m->range.offset == n->range.offset
           && mnt_hls_key_equal(m->key, n->key);
}


void
mnt_hls_iv(const mnt_hls_key_t *k, uint64_t sequence, uint8_t iv[16])
{
    unsigned  i;

    if (k->has_iv) {
        memcpy(iv, k->iv, 16);
        return;
    }

    memset(iv, 0, 16);

    for (i = 16; i > 8; i--) {
        iv[i - 1] = (uint8_t) (sequence & 0xff);
        sequence >>= 8;
    }
}
