
/*
 * Copyright (C) the mntreamer authors
 *
 * The tags of playlists: one line in the table, one function each.  A tag of a
 * media segment changes what waits for the next URI line; the others change
 * the playlist itself.  What is not in the table is ignored (RFC 8216 6.3.1).
 */


#include "mnt_hls_reader.h"

#include <string.h>


#define MNT_HLS_TAG_MEDIA  1                  /* of media playlists only */
#define MNT_HLS_TAG_MULTI  2                  /* of multivariant playlists */
#define MNT_HLS_TAG_ONCE   4                  /* rfc8216bis 4.4.2, 4.4.3 */

#define MNT_HLS_MAX_VERSION  99
#define MNT_HLS_MAX_SKIPPED  (1u << 31)

/* so that what is counted on from it does not wrap */

#define MNT_HLS_MAX_SEQUENCE  (UINT64_MAX - ((uint64_t) 1 << 32))


typedef mnt_hls_rc_e (*mnt_hls_tag_pt)(mnt_hls_reader_t *r, mnt_str_t value);

typedef struct {
    const char      *name;                    /* behind "#EXT" */
    unsigned         flags;
    mnt_hls_tag_pt   handler;
} mnt_hls_tag_t;


static mnt_hls_rc_e mnt_hls_tag_version(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_independent(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_start(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_extinf(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_byterange(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_discontinuity(mnt_hls_reader_t *r,
    mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_gap(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_key(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_map(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_date(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_target(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_sequence(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_disc_sequence(mnt_hls_reader_t *r,
    mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_type(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_endlist(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_i_frames(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_daterange(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_part(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_part_inf(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_skip(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_control(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_hint(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_report(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_stream(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_media(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_i_stream(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_data(mnt_hls_reader_t *r, mnt_str_t v);
static mnt_hls_rc_e mnt_hls_tag_session_key(mnt_hls_reader_t *r, mnt_str_t v);

static mnt_hls_rc_e mnt_hls_key_read(mnt_str_t v, mnt_hls_key_t *key);
static mnt_hls_rc_e mnt_hls_key_iv(mnt_str_t s, mnt_hls_key_t *key);
static uint64_t mnt_hls_number(mnt_str_t s);
static void mnt_hls_resolution(mnt_str_t s, mnt_hls_variant_t *v);


static const mnt_hls_tag_t  mnt_hls_tags[] = {

    { "-X-VERSION", MNT_HLS_TAG_ONCE, mnt_hls_tag_version },
    { "-X-INDEPENDENT-SEGMENTS", 0, mnt_hls_tag_independent },
    { "-X-START", 0, mnt_hls_tag_start },

    { "INF", MNT_HLS_TAG_MEDIA, mnt_hls_tag_extinf },
    { "-X-BYTERANGE", MNT_HLS_TAG_MEDIA, mnt_hls_tag_byterange },
    { "-X-DISCONTINUITY", MNT_HLS_TAG_MEDIA, mnt_hls_tag_discontinuity },
    { "-X-GAP", MNT_HLS_TAG_MEDIA, mnt_hls_tag_gap },
    { "-X-KEY", MNT_HLS_TAG_MEDIA, mnt_hls_tag_key },
    { "-X-MAP", MNT_HLS_TAG_MEDIA, mnt_hls_tag_map },
    { "-X-PROGRAM-DATE-TIME", MNT_HLS_TAG_MEDIA, mnt_hls_tag_date },

    { "-X-TARGETDURATION", MNT_HLS_TAG_MEDIA | MNT_HLS_TAG_ONCE,
      mnt_hls_tag_target },
    { "-X-MEDIA-SEQUENCE", MNT_HLS_TAG_MEDIA | MNT_HLS_TAG_ONCE,
      mnt_hls_tag_sequence },
    { "-X-DISCONTINUITY-SEQUENCE", MNT_HLS_TAG_MEDIA | MNT_HLS_TAG_ONCE,
      mnt_hls_tag_disc_sequence },
    { "-X-PLAYLIST-TYPE", MNT_HLS_TAG_MEDIA | MNT_HLS_TAG_ONCE,
      mnt_hls_tag_type },
    { "-X-ENDLIST", MNT_HLS_TAG_MEDIA, mnt_hls_tag_endlist },
    { "-X-I-FRAMES-ONLY", MNT_HLS_TAG_MEDIA, mnt_hls_tag_i_frames },
    { "-X-DATERANGE", MNT_HLS_TAG_MEDIA, mnt_hls_tag_daterange },

    { "-X-PART", MNT_HLS_TAG_MEDIA, mnt_hls_tag_part },
    { "-X-PART-INF", MNT_HLS_TAG_MEDIA | MNT_HLS_TAG_ONCE,
      mnt_hls_tag_part_inf },
    { "-X-SKIP", MNT_HLS_TAG_MEDIA | MNT_HLS_TAG_ONCE, mnt_hls_tag_skip },
    { "-X-SERVER-CONTROL", MNT_HLS_TAG_MEDIA | MNT_HLS_TAG_ONCE,
      mnt_hls_tag_control },
    { "-X-PRELOAD-HINT", MNT_HLS_TAG_MEDIA, mnt_hls_tag_hint },
    { "-X-RENDITION-REPORT", MNT_HLS_TAG_MEDIA, mnt_hls_tag_report },

    { "-X-STREAM-INF", MNT_HLS_TAG_MULTI, mnt_hls_tag_stream },
    { "-X-MEDIA", MNT_HLS_TAG_MULTI, mnt_hls_tag_media },
    { "-X-I-FRAME-STREAM-INF", MNT_HLS_TAG_MULTI, mnt_hls_tag_i_stream },
    { "-X-SESSION-DATA", MNT_HLS_TAG_MULTI, mnt_hls_tag_data },
    { "-X-SESSION-KEY", MNT_HLS_TAG_MULTI, mnt_hls_tag_session_key },

    { NULL, 0, NULL }
};


mnt_hls_rc_e
mnt_hls_tag(mnt_hls_reader_t *r, mnt_str_t line)
{
    uint64_t              bit;
    mnt_str_t             name, value;
    const char           *colon;
    const mnt_hls_tag_t  *tag;

    name.data = line.data + 4;
    name.len = line.len - 4;
    value.data = name.data + name.len;
    value.len = 0;

    colon = name.len ? memchr(name.data, ':', name.len) : NULL;

    if (colon) {
        value.len = name.len - (size_t) (colon + 1 - name.data);
        value.data = colon + 1;
        name.len = (size_t) (colon - name.data);
        value = mnt_str_trim(value);
    }

    name = mnt_str_trim(name);

    for (tag = mnt_hls_tags; tag->name; tag++) {
        if (mnt_str_eqc(name, tag->name)) {
            break;
        }
    }

    if (tag->name == NULL) {
        return MNT_HLS_OK;
    }

    if (tag->flags & MNT_HLS_TAG_MEDIA) {
        r->media = 1;

    } else if (tag->flags & MNT_HLS_TAG_MULTI) {
        r->multivariant = 1;
    }

    if (r->media && r->multivariant) {
        return MNT_HLS_MIXED;
    }

    bit = (uint64_t) 1 << (tag - mnt_hls_tags);

    if ((tag->flags & MNT_HLS_TAG_ONCE) && (r->seen & bit)) {
        return MNT_HLS_DUPLICATE_TAG;
    }

    r->seen |= bit;

    return tag->handler(r, value);
}


static mnt_hls_rc_e
mnt_hls_tag_version(mnt_hls_reader_t *r, mnt_str_t v)
{
    uint64_t  n;

    if (mnt_str_u64(v, &n) != 0 || n == 0 || n > MNT_HLS_MAX_VERSION) {
        return MNT_HLS_BAD_VERSION;
    }

    r->playlist->version = (uint32_t) n;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_independent(mnt_hls_reader_t *r, mnt_str_t v)
{
    (void) v;

    r->playlist->independent_segments = 1;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_start(mnt_hls_reader_t *r, mnt_str_t v)
{
    if (r->playlist->start) {
        return MNT_HLS_OK;
    }

    return mnt_hls_attr_keep(r->arena, v, &r->playlist->start,
                             &r->playlist->nstart);
}


static mnt_hls_rc_e
mnt_hls_tag_extinf(mnt_hls_reader_t *r, mnt_str_t v)
{
    int64_t      us;
    mnt_str_t    duration;
    const char  *comma;

    if (r->has_extinf) {
        return MNT_HLS_NO_URI;
    }

    duration = v;
    r->next.title.data = v.data + v.len;
    r->next.title.len = 0;

    /* the comma is required, but left out by real services */

    comma = v.len ? memchr(v.data, ',', v.len) : NULL;

    if (comma) {
        duration.len = (size_t) (comma - v.data);
        r->next.title.data = comma + 1;
        r->next.title.len = v.len - duration.len - 1;
        r->next.title = mnt_str_trim(r->next.title);
    }

    if (mnt_str_micros(mnt_str_trim(duration), &us) != 0
        || us > MNT_HLS_MAX_DURATION)
    {
        return MNT_HLS_BAD_NUMBER;
    }

    r->next.duration_us = us;
    r->has_extinf = 1;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_byterange(mnt_hls_reader_t *r, mnt_str_t v)
{
    int           has_offset;
    mnt_hls_rc_e  rc;

    rc = mnt_hls_range_read(v, &r->next.range, &has_offset);

    r->has_range = 1;
    r->has_offset = (has_offset != 0);

    return rc;
}


static mnt_hls_rc_e
mnt_hls_tag_discontinuity(mnt_hls_reader_t *r, mnt_str_t v)
{
    (void) v;

    r->discontinuities++;
    r->next.discontinuous = 1;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_gap(mnt_hls_reader_t *r, mnt_str_t v)
{
    (void) v;

    r->next.gap = 1;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_date(mnt_hls_reader_t *r, mnt_str_t v)
{
    int      has_zone;
    int64_t  ms;

    /* rfc8216bis 4.4.4.6: without a zone it is UTC */

    ms = mnt_date_parse(v, 0, &has_zone);

    if (ms != MNT_DATE_NONE) {
        r->next.date_ms = ms;
        r->next.date_text = v;
        r->next.has_date_zone = (has_zone != 0);
    }

    return MNT_HLS_OK;
}


/* an IV of up to 128 bits; the text becomes lower case where it stands */

static mnt_hls_rc_e
mnt_hls_key_iv(mnt_str_t s, mnt_hls_key_t *key)
{
    char    *p;
    int      digit;
    size_t   i, nibble;

    if (s.len < 3 || s.len > 34 || s.data[0] != '0'
        || (s.data[1] != 'x' && s.data[1] != 'X'))
    {
        return MNT_HLS_BAD_KEY;
    }

    /* the reader's own copy of the text */

    p = (char *) (uintptr_t) s.data;
    p[1] = 'x';
    nibble = 34 - s.len;

    for (i = 2; i < s.len; i++, nibble++) {
        if (p[i] >= 'A' && p[i] <= 'F') {
            p[i] = (char) (p[i] + 'a' - 'A');
        }

        if (p[i] >= '0' && p[i] <= '9') {
            digit = p[i] - '0';

        } else if (p[i] >= 'a' && p[i] <= 'f') {
            digit = p[i] - 'a' + 10;

        } else {
            return MNT_HLS_BAD_KEY;
        }

        key->iv[nibble / 2] = (uint8_t) (key->iv[nibble / 2] << 4 | digit);
    }

    key->iv_text = s;
    key->has_iv = 1;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_key_read(mnt_str_t v, mnt_hls_key_t *key)
{
    mnt_str_t     values[4];
    mnt_hls_rc_e  rc;

    static const char  *const names[] = {
        "METHOD", "URI", "IV", "KEYFORMAT", NULL
    };

    memset(key, 0, sizeof(mnt_hls_key_t));

    rc = mnt_hls_attr_read(v, names, values);

    if (rc != MNT_HLS_OK) {
        return rc;
    }

    key->method_name = values[0];

    if (mnt_str_eqc(values[0], "NONE")) {
        return MNT_HLS_OK;
    }

    if (mnt_str_eqc(values[0], "AES-128")) {
        key->method = MNT_HLS_KEY_AES_128;

    } else if (mnt_str_eqc(values[0], "SAMPLE-AES")) {
        key->method = MNT_HLS_KEY_SAMPLE_AES;

    } else {
        key->method = MNT_HLS_KEY_OTHER;
    }

    if (!mnt_hls_attr_enumerated(values[0]) || values[1].len == 0) {
        return MNT_HLS_BAD_KEY;
    }

    key->uri = values[1];
    key->keyformat = values[3].len ? values[3] : mnt_str_c("identity");

    return values[2].data ? mnt_hls_key_iv(values[2], key) : MNT_HLS_OK;
}


/* RFC 8216 4.3.2.4: in force until the next of its KEYFORMAT, or NONE */

static mnt_hls_rc_e
mnt_hls_tag_key(mnt_hls_reader_t *r, mnt_str_t v)
{
    unsigned       i;
    mnt_hls_rc_e   rc;
    mnt_hls_key_t  key;

    rc = mnt_hls_key_read(v, &key);

    if (rc != MNT_HLS_OK) {
        return rc;
    }

    if (key.method == MNT_HLS_KEY_NONE) {
        r->nkeys = 0;
        return MNT_HLS_OK;
    }

    for (i = 0; i < r->nkeys; i++) {
        if (mnt_str_eq(r->keys[i].keyformat, key.keyformat)) {
            break;
        }
    }

    if (i < r->nkeys && mnt_hls_key_equal(&r->keys[i], &key)) {
        return MNT_HLS_OK;
    }

    if (i == MNT_HLS_MAX_KEYS) {
        return MNT_HLS_TOO_MANY;
    }

    r->keys[i] = key;
    r->kept_keys[i] = NULL;
    r->nkeys = (i == r->nkeys) ? i + 1 : r->nkeys;
    r->keys_changed = 1;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_map(mnt_hls_reader_t *r, mnt_str_t v)
{
    int            has_offset, choice;
    mnt_str_t      values[2];
    mnt_hls_rc_e   rc;
    mnt_hls_map_t  map;
    mnt_hls_key_t  key;

    static const char  *const names[] = { "URI", "BYTERANGE", NULL };

    rc = mnt_hls_attr_read(v, names, values);

    if (rc != MNT_HLS_OK) {
        return rc;
    }

    if (values[0].len == 0) {
        return MNT_HLS_NO_URI;
    }

    memset(&map, 0, sizeof(mnt_hls_map_t));
    memset(&key, 0, sizeof(mnt_hls_key_t));

    map.uri = values[0];

    if (values[1].data) {
        rc = mnt_hls_range_read(values[1], &map.range, &has_offset);

        if (rc != MNT_HLS_OK) {
            return rc;
        }
    }

    choice = mnt_hls_key_choice(r);

    if (choice != -1) {
        key = r->keys[choice];
        map.key = &r->map_key;
    }

    /* the comparison must not see the new key through the old pointer */

    if (r->has_map && r->map_has_key == (choice != -1)
        && mnt_str_eq(r->map.uri, map.uri)
        && r->map.range.length == map.range.length
        && r->map.range.offset == map.range.offset
        && (choice == -1 || mnt_hls_key_equal(&r->map_key, &key)))
    {
        return MNT_HLS_OK;
    }

    r->map = map;
    r->map_key = key;
    r->map_has_key = (choice != -1);
    r->has_map = 1;
    r->kept_map = NULL;

    return MNT_HLS_OK;
}


/* 0 would mean to poll without a pause; some servers write a fraction */

static mnt_hls_rc_e
mnt_hls_tag_target(mnt_hls_reader_t *r, mnt_str_t v)
{
    int64_t  us;

    if (mnt_str_micros(v, &us) != 0 || us > MNT_HLS_MAX_DURATION) {
        return MNT_HLS_BAD_NUMBER;
    }

    r->playlist->target_duration_s = mnt_hls_target_of(us);

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_sequence(mnt_hls_reader_t *r, mnt_str_t v)
{
    if (mnt_str_u64(v, &r->playlist->media_sequence) != 0
        || r->playlist->media_sequence > MNT_HLS_MAX_SEQUENCE)
    {
        return MNT_HLS_BAD_NUMBER;
    }

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_disc_sequence(mnt_hls_reader_t *r, mnt_str_t v)
{
    if (mnt_str_u64(v, &r->playlist->discontinuity_sequence) != 0
        || r->playlist->discontinuity_sequence > INT64_MAX)
    {
        return MNT_HLS_BAD_NUMBER;
    }

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_type(mnt_hls_reader_t *r, mnt_str_t v)
{
    if (mnt_str_eqc(v, "EVENT")) {
        r->playlist->type = MNT_HLS_TYPE_EVENT;

    } else if (mnt_str_eqc(v, "VOD")) {
        r->playlist->type = MNT_HLS_TYPE_VOD;
    }

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_endlist(mnt_hls_reader_t *r, mnt_str_t v)
{
    (void) v;

    r->playlist->endlist = 1;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_i_frames(mnt_hls_reader_t *r, mnt_str_t v)
{
    (void) v;

    r->playlist->i_frames_only = 1;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_daterange(mnt_hls_reader_t *r, mnt_str_t v)
{
    (void) v;

    r->playlist->dateranges++;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_part(mnt_hls_reader_t *r, mnt_str_t v)
{
    (void) v;

    r->playlist->parts++;
    r->playlist->trailing_parts++;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_part_inf(mnt_hls_reader_t *r, mnt_str_t v)
{
    int64_t       us;
    mnt_str_t     value;
    mnt_hls_rc_e  rc;

    static const char  *const names[] = { "PART-TARGET", NULL };

    rc = mnt_hls_attr_read(v, names, &value);

    if (rc != MNT_HLS_OK) {
        return rc;
    }

    if (mnt_str_micros(value, &us) != 0 || us > MNT_HLS_MAX_DURATION) {
        return MNT_HLS_BAD_NUMBER;
    }

    r->playlist->part_target_us = us;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_skip(mnt_hls_reader_t *r, mnt_str_t v)
{
    mnt_str_t     value;
    mnt_hls_rc_e  rc;

    static const char  *const names[] = { "SKIPPED-SEGMENTS", NULL };

    rc = mnt_hls_attr_read(v, names, &value);

    if (rc != MNT_HLS_OK) {
        return rc;
    }

    if (mnt_str_u64(value, &r->playlist->skipped) != 0
        || r->playlist->skipped > MNT_HLS_MAX_SKIPPED)
    {
        return MNT_HLS_BAD_NUMBER;
    }

    r->playlist->has_skip = 1;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_control(mnt_hls_reader_t *r, mnt_str_t v)
{
    return mnt_hls_attr_keep(r->arena, v, &r->playlist->server_control,
                             &r->playlist->nserver_control);
}


static mnt_hls_rc_e
mnt_hls_tag_hint(mnt_hls_reader_t *r, mnt_str_t v)
{
    mnt_str_t            values[2];
    mnt_hls_rc_e         rc;
    mnt_hls_playlist_t  *p;

    static const char  *const names[] = { "TYPE", "URI", NULL };

    p = r->playlist;
    rc = mnt_hls_attr_read(v, names, values);

    if (rc != MNT_HLS_OK || p->npreload_hints == MNT_HLS_MAX_HINTS) {
        return rc;
    }

    if (p->preload_hints == NULL) {
        p->preload_hints = mnt_arena_alloc(r->arena, MNT_HLS_MAX_HINTS
                                               * sizeof(p->preload_hints[0]));

        if (p->preload_hints == NULL) {
            return MNT_HLS_NO_MEMORY;
        }
    }

    p->preload_hints[p->npreload_hints].type = values[0];
    p->preload_hints[p->npreload_hints].uri = values[1];
    p->npreload_hints++;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_report(mnt_hls_reader_t *r, mnt_str_t v)
{
    (void) v;

    r->playlist->rendition_reports++;

    return MNT_HLS_OK;
}


/* a number that only helps to choose: what cannot be read is absent */

static uint64_t
mnt_hls_number(mnt_str_t s)
{
    uint64_t  n;

    return mnt_str_u64(s, &n) == 0 ? n : 0;
}


static void
mnt_hls_resolution(mnt_str_t s, mnt_hls_variant_t *v)
{
    size_t     n;
    uint64_t   w, h;
    mnt_str_t  width, height;

    for (n = 0; n < s.len && s.data[n] != 'x' && s.data[n] != 'X'; n++) {
        /* void */
    }

    if (n == s.len) {
        return;
    }

    width.data = s.data;
    width.len = n;
    height.data = s.data + n + 1;
    height.len = s.len - n - 1;

    w = mnt_hls_number(width);
    h = mnt_hls_number(height);

    if (w && h && w <= UINT32_MAX && h <= UINT32_MAX) {
        v->width = (uint32_t) w;
        v->height = (uint32_t) h;
    }
}


static mnt_hls_rc_e
mnt_hls_tag_stream(mnt_hls_reader_t *r, mnt_str_t v)
{
    int64_t             rate;
    mnt_str_t           values[8];
    mnt_hls_rc_e        rc;
    mnt_hls_variant_t  *variant;

    static const char  *const names[] = {
        "BANDWIDTH", "AVERAGE-BANDWIDTH", "RESOLUTION", "FRAME-RATE",
        "CODECS", "AUDIO", "VIDEO", "SUBTITLES", NULL
    };

    if (r->has_variant) {
        return MNT_HLS_NO_URI;
    }

    rc = mnt_hls_attr_read(v, names, values);

    if (rc != MNT_HLS_OK) {
        return rc;
    }

    variant = &r->variant;
    memset(variant, 0, sizeof(mnt_hls_variant_t));

    variant->bandwidth = mnt_hls_number(values[0]);
    variant->average_bandwidth = mnt_hls_number(values[1]);
    mnt_hls_resolution(values[2], variant);

    if (mnt_str_micros(values[3], &rate) == 0
        && rate <= 1000 * (int64_t) 1000000)
    {
        variant->frame_rate_milli = (uint32_t) ((rate + 500) / 1000);
    }

    variant->codecs = values[4];
    variant->audio = values[5];
    variant->video = values[6];
    variant->subtitles = values[7];
    variant->attributes = v;
    r->has_variant = 1;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_media(mnt_hls_reader_t *r, mnt_str_t v)
{
    mnt_str_t             values[12];
    mnt_hls_rc_e          rc;
    mnt_hls_playlist_t   *p;
    mnt_hls_rendition_t  *m;

    static const char  *const names[] = {
        "TYPE", "GROUP-ID", "NAME", "LANGUAGE", "URI", "CHANNELS",
        "CHARACTERISTICS", "INSTREAM-ID", "ASSOC-LANGUAGE", "DEFAULT",
        "AUTOSELECT", "FORCED", NULL
    };

    p = r->playlist;
    rc = mnt_hls_attr_read(v, names, values);

    if (rc != MNT_HLS_OK) {
        return rc;
    }

    if (!mnt_hls_attr_enumerated(values[0])) {
        return MNT_HLS_BAD_ATTRIBUTE;
    }

    if (p->nrenditions == r->medias) {
        return MNT_HLS_TOO_MANY;
    }

    if (p->renditions == NULL) {
        p->renditions = mnt_arena_alloc(r->arena, r->medias
                                               * sizeof(mnt_hls_rendition_t));

        if (p->renditions == NULL) {
            return MNT_HLS_NO_MEMORY;
        }
    }

    m = &p->renditions[p->nrenditions++];

    m->type = values[0];
    m->group_id = values[1];
    m->name = values[2];
    m->language = values[3];
    m->uri = values[4];
    m->channels = values[5];
    m->characteristics = values[6];
    m->instream_id = values[7];
    m->assoc_language = values[8];
    m->is_default = (mnt_str_eqc(values[9], "YES") != 0);
    m->autoselect = (mnt_str_eqc(values[10], "YES") != 0);
    m->forced = (mnt_str_eqc(values[11], "YES") != 0);

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_i_stream(mnt_hls_reader_t *r, mnt_str_t v)
{
    (void) v;

    r->playlist->i_frame_variants++;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_data(mnt_hls_reader_t *r, mnt_str_t v)
{
    (void) v;

    r->playlist->session_data++;

    return MNT_HLS_OK;
}


static mnt_hls_rc_e
mnt_hls_tag_session_key(mnt_hls_reader_t *r, mnt_str_t v)
{
    (void) v;

    r->playlist->session_keys++;

    return MNT_HLS_OK;
}
