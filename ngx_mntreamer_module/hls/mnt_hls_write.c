
/*
 * Copyright (C) the mntreamer authors
 *
 * Writes playlists.  What is written is only what the reader understands, so
 * unknown and low-latency tags of a source never reach our own playlists.
 */


#include "mnt_hls_reader.h"

#include <string.h>


typedef struct {
    char                 *buf;                /* alias */
    size_t                size;
    size_t                len;                /* also of what did not fit */

    /* in force for the next segment of a media playlist */
    mnt_hls_key_t *const *keys;               /* alias */
    unsigned              nkeys;
    mnt_hls_key_t        *key;                /* alone, when keys == &key */
    const mnt_hls_map_t  *map;                /* alias */
    uint64_t              discontinuity;
} mnt_hls_out_t;


static void mnt_hls_out_init(mnt_hls_out_t *o, char *buf, size_t size);
static size_t mnt_hls_out_end(mnt_hls_out_t *o);
static void mnt_hls_put(mnt_hls_out_t *o, mnt_str_t s);
static void mnt_hls_puts(mnt_hls_out_t *o, const char *s);
static void mnt_hls_put_u64(mnt_hls_out_t *o, uint64_t n);
static void mnt_hls_put_fraction(mnt_hls_out_t *o, uint64_t n, uint64_t unit);
static void mnt_hls_put_number(mnt_hls_out_t *o, const char *tag, uint64_t n);
static void mnt_hls_put_range(mnt_hls_out_t *o, const mnt_hls_range_t *r);
static void mnt_hls_put_attr(mnt_hls_out_t *o, const char *name, mnt_str_t v);
static void mnt_hls_put_attrs(mnt_hls_out_t *o,
    const mnt_hls_attribute_t *attrs, unsigned n);
static void mnt_hls_put_date(mnt_hls_out_t *o, mnt_str_t text, int64_t ms);
static void mnt_hls_put_extinf(mnt_hls_out_t *o, int64_t us, mnt_str_t title,
    mnt_str_t uri);
static void mnt_hls_put_head(mnt_hls_out_t *o, const mnt_hls_playlist_t *p);
static void mnt_hls_put_media(mnt_hls_out_t *o, const mnt_hls_playlist_t *p);
static void mnt_hls_put_segment(mnt_hls_out_t *o, const mnt_hls_segment_t *s);
static void mnt_hls_put_key(mnt_hls_out_t *o, const mnt_hls_key_t *k);
static void mnt_hls_put_keys(mnt_hls_out_t *o, mnt_hls_key_t *const *keys,
    unsigned n);
static const mnt_hls_key_t *mnt_hls_choice(mnt_hls_key_t *const *keys,
    unsigned n);
static void mnt_hls_put_map(mnt_hls_out_t *o, const mnt_hls_segment_t *s);
static void mnt_hls_put_multivariant(mnt_hls_out_t *o,
    const mnt_hls_playlist_t *p);
static void mnt_hls_put_rendition(mnt_hls_out_t *o,
    const mnt_hls_rendition_t *r);
static void mnt_hls_put_variant(mnt_hls_out_t *o, const mnt_hls_variant_t *v);
static int mnt_hls_variant_field(mnt_str_t name);

static int mnt_hls_segment_equal(const mnt_hls_segment_t *s,
    const mnt_hls_segment_t *t);
static int mnt_hls_variant_equal(const mnt_hls_variant_t *v,
    const mnt_hls_variant_t *w);
static int mnt_hls_rendition_equal(const mnt_hls_rendition_t *r,
    const mnt_hls_rendition_t *s);


static void
mnt_hls_out_init(mnt_hls_out_t *o, char *buf, size_t size)
{
    memset(o, 0, sizeof(mnt_hls_out_t));

    o->buf = buf;
    o->size = size;
}


static size_t
mnt_hls_out_end(mnt_hls_out_t *o)
{
    if (o->len < o->size) {
        o->buf[o->len] = '\0';

    } else if (o->size) {
        o->buf[0] = '\0';
    }

    return o->len;
}


static void
mnt_hls_put(mnt_hls_out_t *o, mnt_str_t s)
{
    if (s.len && o->len < o->size && s.len < o->size - o->len) {
        memcpy(o->buf + o->len, s.data, s.len);
    }

    o->len += s.len;
}


static void
mnt_hls_puts(mnt_hls_out_t *o, const char *s)
{
    mnt_hls_put(o, mnt_str_c(s));
}


static void
mnt_hls_put_u64(mnt_hls_out_t *o, uint64_t n)
{
    char       digits[20];
    size_t     i;
    mnt_str_t  s;

    i = sizeof(digits);

    do {
        digits[--i] = (char) ('0' + n % 10);
        n /= 10;
    } while (n);

    s.data = digits + i;
    s.len = sizeof(digits) - i;
    mnt_hls_put(o, s);
}


/* n / unit with all digits of the unit: 2000000 of 1000000 is "2.000000" */

static void
mnt_hls_put_fraction(mnt_hls_out_t *o, uint64_t n, uint64_t unit)
{
    mnt_hls_put_u64(o, n / unit);
    mnt_hls_puts(o, ".");
    n %= unit;

    for (unit /= 10; unit; unit /= 10) {
        mnt_hls_put_u64(o, n / unit);
        n %= unit;
    }
}


static void
mnt_hls_put_number(mnt_hls_out_t *o, const char *tag, uint64_t n)
{
    mnt_hls_puts(o, tag);
    mnt_hls_put_u64(o, n);
    mnt_hls_puts(o, "\n");
}


static void
mnt_hls_put_range(mnt_hls_out_t *o, const mnt_hls_range_t *r)
{
    mnt_hls_put_u64(o, r->length);
    mnt_hls_puts(o, "@");
    mnt_hls_put_u64(o, r->offset);
}


static void
mnt_hls_put_attr(mnt_hls_out_t *o, const char *name, mnt_str_t v)
{
    if (v.len == 0) {
        return;
    }

    mnt_hls_puts(o, name);
    mnt_hls_puts(o, "=\"");
    mnt_hls_put(o, v);
    mnt_hls_puts(o, "\"");
}


static void
mnt_hls_put_attrs(mnt_hls_out_t *o, const mnt_hls_attribute_t *attrs,
    unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        mnt_hls_puts(o, i ? "," : "");
        mnt_hls_put(o, attrs[i].name);
        mnt_hls_puts(o, attrs[i].quoted ? "=\"" : "=");
        mnt_hls_put(o, attrs[i].value);
        mnt_hls_puts(o, attrs[i].quoted ? "\"" : "");
    }
}


static void
mnt_hls_put_date(mnt_hls_out_t *o, mnt_str_t text, int64_t ms)
{
    char  buf[MNT_DATE_LEN + 1];

    if (text.len == 0) {
        if (ms == MNT_DATE_NONE) {
            return;
        }

        text.len = mnt_date_write(ms, buf, sizeof(buf));
        text.data = buf;
    }

    mnt_hls_puts(o, "#EXT-X-PROGRAM-DATE-TIME:");
    mnt_hls_put(o, text);
    mnt_hls_puts(o, "\n");
}


static void
mnt_hls_put_extinf(mnt_hls_out_t *o, int64_t us, mnt_str_t title,
    mnt_str_t uri)
{
    mnt_hls_puts(o, "#EXTINF:");
    mnt_hls_put_fraction(o, us > 0 ? (uint64_t) us : 0, 1000000);
    mnt_hls_puts(o, ",");
    mnt_hls_put(o, title);
    mnt_hls_puts(o, "\n");
    mnt_hls_put(o, uri);
    mnt_hls_puts(o, "\n");
}


size_t
mnt_hls_write(const mnt_hls_playlist_t *p, char *buf, size_t size)
{
    mnt_hls_out_t  o;

    mnt_hls_out_init(&o, buf, size);

    mnt_hls_puts(&o, "#EXTM3U\n");

    if (p->version) {
        mnt_hls_put_number(&o, "#EXT-X-VERSION:", p->version);
    }

    if (p->independent_segments) {
        mnt_hls_puts(&o, "#EXT-X-INDEPENDENT-SEGMENTS\n");
    }

    if (p->nstart) {
        mnt_hls_puts(&o, "#EXT-X-START:");
        mnt_hls_put_attrs(&o, p->start, p->nstart);
        mnt_hls_puts(&o, "\n");
    }

    if (p->kind == MNT_HLS_MULTIVARIANT) {
        mnt_hls_put_multivariant(&o, p);

    } else {
        mnt_hls_put_media(&o, p);
    }

    return mnt_hls_out_end(&o);
}


static void
mnt_hls_put_head(mnt_hls_out_t *o, const mnt_hls_playlist_t *p)
{
    mnt_hls_put_number(o, "#EXT-X-TARGETDURATION:", p->target_duration_s);

    /* segments that an EXT-X-SKIP stood for are left out for good */

    mnt_hls_put_number(o, "#EXT-X-MEDIA-SEQUENCE:",
                       p->media_sequence + p->skipped);

    if (p->discontinuity_sequence) {
        mnt_hls_put_number(o, "#EXT-X-DISCONTINUITY-SEQUENCE:",
                           p->discontinuity_sequence);
    }

    if (p->type != MNT_HLS_TYPE_NONE) {
        mnt_hls_puts(o, "#EXT-X-PLAYLIST-TYPE:");
        mnt_hls_puts(o, p->type == MNT_HLS_TYPE_VOD ? "VOD\n" : "EVENT\n");
    }

    if (p->i_frames_only) {
        mnt_hls_puts(o, "#EXT-X-I-FRAMES-ONLY\n");
    }
}


static void
mnt_hls_put_media(mnt_hls_out_t *o, const mnt_hls_playlist_t *p)
{
    unsigned  i;

    mnt_hls_put_head(o, p);
    o->discontinuity = p->discontinuity_sequence;

    for (i = 0; i < p->nsegments; i++) {
        mnt_hls_put_segment(o, &p->segments[i]);
    }

    if (p->endlist) {
        mnt_hls_puts(o, "#EXT-X-ENDLIST\n");
    }
}


static void
mnt_hls_put_segment(mnt_hls_out_t *o, const mnt_hls_segment_t *s)
{
    if (s->discontinuous) {
        /* a run of tags counts as many times in the sequence */

        do {
            mnt_hls_puts(o, "#EXT-X-DISCONTINUITY\n");
        } while (++o->discontinuity < s->discontinuity);
    }

    mnt_hls_put_map(o, s);
    mnt_hls_put_keys(o, s->keys, s->nkeys);
    mnt_hls_put_date(o, s->date_text, s->date_ms);

    if (s->gap) {
        mnt_hls_puts(o, "#EXT-X-GAP\n");
    }

    if (s->range.length) {
        mnt_hls_puts(o, "#EXT-X-BYTERANGE:");
        mnt_hls_put_range(o, &s->range);
        mnt_hls_puts(o, "\n");
    }

    mnt_hls_put_extinf(o, s->duration_us, s->title, s->uri);
}


static void
mnt_hls_put_key(mnt_hls_out_t *o, const mnt_hls_key_t *k)
{
    mnt_hls_puts(o, "#EXT-X-KEY:METHOD=");
    mnt_hls_put(o, k->method_name);
    mnt_hls_put_attr(o, ",URI", k->uri);

    if (k->has_iv) {
        mnt_hls_puts(o, ",IV=");
        mnt_hls_put(o, k->iv_text);
    }

    if (!mnt_str_eqc(k->keyformat, "identity")) {
        mnt_hls_put_attr(o, ",KEYFORMAT", k->keyformat);
    }

    mnt_hls_puts(o, "\n");
}


/*
 * Goes over to another set of keys: one that rotates is written alone, any
 * other change ends the old set first.
 */

static void
mnt_hls_put_keys(mnt_hls_out_t *o, mnt_hls_key_t *const *keys, unsigned n)
{
    unsigned  i;

    if (o->nkeys == n && (n == 0 || o->keys == keys)) {
        return;
    }

    for (i = 0; i < n && i < o->nkeys; i++) {
        if (!mnt_str_eq(keys[i]->keyformat, o->keys[i]->keyformat)) {
            break;
        }
    }

    if (i < o->nkeys) {
        mnt_hls_puts(o, "#EXT-X-KEY:METHOD=NONE\n");
        o->nkeys = 0;
    }

    for (i = 0; i < n; i++) {
        if (i >= o->nkeys || !mnt_hls_key_equal(keys[i], o->keys[i])) {
            mnt_hls_put_key(o, keys[i]);
        }
    }

    o->keys = keys;
    o->nkeys = n;
}


/* of the keys in force the one that counts for a map, as the reader chooses */

static const mnt_hls_key_t *
mnt_hls_choice(mnt_hls_key_t *const *keys, unsigned n)
{
    unsigned  i;

    for (i = 0; i < n; i++) {
        if (mnt_str_eqc(keys[i]->keyformat, "identity")) {
            return keys[i];
        }
    }

    return n ? keys[0] : NULL;
}


/* a map is encrypted with the key that is in force where its tag stands */

static void
mnt_hls_put_map(mnt_hls_out_t *o, const mnt_hls_segment_t *s)
{
    const mnt_hls_map_t  *map;

    map = s->map;

    if (map == NULL || (o->map && mnt_hls_map_equal(map, o->map))) {
        return;
    }

    if (mnt_hls_key_equal(map->key, mnt_hls_choice(s->keys, s->nkeys))) {
        mnt_hls_put_keys(o, s->keys, s->nkeys);

    } else if (!mnt_hls_key_equal(map->key, mnt_hls_choice(o->keys, o->nkeys)))
    {
        mnt_hls_put_keys(o, NULL, 0);
        o->key = map->key;
        mnt_hls_put_keys(o, &o->key, map->key != NULL);
    }

    mnt_hls_puts(o, "#EXT-X-MAP:");
    mnt_hls_put_attr(o, "URI", map->uri);

    if (map->range.length) {
        mnt_hls_puts(o, ",BYTERANGE=\"");
        mnt_hls_put_range(o, &map->range);
        mnt_hls_puts(o, "\"");
    }

    mnt_hls_puts(o, "\n");
    o->map = map;
}


static void
mnt_hls_put_multivariant(mnt_hls_out_t *o, const mnt_hls_playlist_t *p)
{
    unsigned  i;

    for (i = 0; i < p->nrenditions; i++) {
        mnt_hls_put_rendition(o, &p->renditions[i]);
    }

    for (i = 0; i < p->nvariants; i++) {
        mnt_hls_put_variant(o, &p->variants[i]);
    }
}


static void
mnt_hls_put_rendition(mnt_hls_out_t *o, const mnt_hls_rendition_t *r)
{
    mnt_hls_puts(o, "#EXT-X-MEDIA:TYPE=");
    mnt_hls_put(o, r->type);
    mnt_hls_put_attr(o, ",GROUP-ID", r->group_id);
    mnt_hls_put_attr(o, ",NAME", r->name);
    mnt_hls_put_attr(o, ",LANGUAGE", r->language);
    mnt_hls_put_attr(o, ",ASSOC-LANGUAGE", r->assoc_language);
    mnt_hls_puts(o, r->is_default ? ",DEFAULT=YES" : "");
    mnt_hls_puts(o, r->autoselect ? ",AUTOSELECT=YES" : "");
    mnt_hls_puts(o, r->forced ? ",FORCED=YES" : "");
    mnt_hls_put_attr(o, ",INSTREAM-ID", r->instream_id);
    mnt_hls_put_attr(o, ",CHARACTERISTICS", r->characteristics);
    mnt_hls_put_attr(o, ",CHANNELS", r->channels);
    mnt_hls_put_attr(o, ",URI", r->uri);
    mnt_hls_puts(o, "\n");
}


static int
mnt_hls_variant_field(mnt_str_t name)
{
    unsigned  i;

    static const char  *const names[] = {
        "BANDWIDTH", "AVERAGE-BANDWIDTH", "RESOLUTION", "FRAME-RATE",
        "CODECS", "AUDIO", "VIDEO", "SUBTITLES"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (mnt_str_eqc(name, names[i])) {
            return 1;
        }
    }

    return 0;
}


static void
mnt_hls_put_variant(mnt_hls_out_t *o, const mnt_hls_variant_t *v)
{
    mnt_str_t            rest;
    mnt_hls_attribute_t  attr;

    mnt_hls_puts(o, "#EXT-X-STREAM-INF:BANDWIDTH=");
    mnt_hls_put_u64(o, v->bandwidth);

    if (v->average_bandwidth) {
        mnt_hls_puts(o, ",AVERAGE-BANDWIDTH=");
        mnt_hls_put_u64(o, v->average_bandwidth);
    }

    mnt_hls_put_attr(o, ",CODECS", v->codecs);

    if (v->width && v->height) {
        mnt_hls_puts(o, ",RESOLUTION=");
        mnt_hls_put_u64(o, v->width);
        mnt_hls_puts(o, "x");
        mnt_hls_put_u64(o, v->height);
    }

    if (v->frame_rate_milli) {
        mnt_hls_puts(o, ",FRAME-RATE=");
        mnt_hls_put_fraction(o, v->frame_rate_milli, 1000);
    }

    mnt_hls_put_attr(o, ",AUDIO", v->audio);
    mnt_hls_put_attr(o, ",VIDEO", v->video);
    mnt_hls_put_attr(o, ",SUBTITLES", v->subtitles);

    /* what has no field of its own, as it came: VIDEO-RANGE and so on */

    rest = v->attributes;

    while (mnt_hls_attr_next(&rest, &attr) == 1) {
        if (!mnt_hls_variant_field(attr.name)) {
            mnt_hls_puts(o, ",");
            mnt_hls_put_attrs(o, &attr, 1);
        }
    }

    mnt_hls_puts(o, "\n");
    mnt_hls_put(o, v->uri);
    mnt_hls_puts(o, "\n");
}


size_t
mnt_hls_write_head(char *buf, size_t size, uint32_t target_s, unsigned has_map)
{
    mnt_hls_out_t  o;

    mnt_hls_out_init(&o, buf, size);

    /* EXT-X-MAP without EXT-X-I-FRAMES-ONLY needs 6; fMP4 is told by 7 */

    mnt_hls_puts(&o, "#EXTM3U\n");
    mnt_hls_put_number(&o, "#EXT-X-VERSION:", has_map ? 7 : 6);
    mnt_hls_put_number(&o, "#EXT-X-TARGETDURATION:", target_s);
    mnt_hls_puts(&o, "#EXT-X-MEDIA-SEQUENCE:0\n"
                     "#EXT-X-PLAYLIST-TYPE:EVENT\n");

    return mnt_hls_out_end(&o);
}


size_t
mnt_hls_write_entry(const mnt_hls_entry_t *e, char *buf, size_t size)
{
    mnt_str_t      none = mnt_str_null;
    mnt_hls_out_t  o;

    mnt_hls_out_init(&o, buf, size);

    if (e->discontinuous) {
        mnt_hls_puts(&o, "#EXT-X-DISCONTINUITY\n");
    }

    if (e->map_uri.len) {
        mnt_hls_puts(&o, "#EXT-X-MAP:");
        mnt_hls_put_attr(&o, "URI", e->map_uri);
        mnt_hls_puts(&o, "\n");
    }

    mnt_hls_put_date(&o, none, e->date_ms);

    if (e->gap) {
        mnt_hls_puts(&o, "#EXT-X-GAP\n");
    }

    mnt_hls_put_extinf(&o, e->duration_us, none, e->uri);

    return mnt_hls_out_end(&o);
}


uint32_t
mnt_hls_target_of(int64_t duration_us)
{
    int64_t  s;

    if (duration_us < 1000000) {
        return 1;
    }

    s = duration_us / 1000000 + (duration_us % 1000000 >= 500000);

    return s > UINT32_MAX ? UINT32_MAX : (uint32_t) s;
}


size_t
mnt_hls_complete_prefix(mnt_str_t text)
{
    size_t        i, start, complete;
    mnt_str_t     line;
    unsigned      target, entries;

    complete = 0;
    start = 0;
    target = 0;
    entries = 0;

    for (i = 0; i < text.len; i++) {

        /* a file system that lost power may leave zeros behind the end */

        if ((unsigned char) text.data[i] < ' ' && text.data[i] != '\n') {
            break;
        }

        if (text.data[i] != '\n') {
            continue;
        }

        line.data = text.data + start;
        line.len = i - start;

        if (start == 0 && !mnt_str_eqc(line, "#EXTM3U")) {
            return 0;
        }

        start = i + 1;

        if (line.len && line.data[0] != '#') {
            entries = 1;
            complete = target ? start : 0;

        } else if (mnt_str_eqc(line, "#EXT-X-ENDLIST")) {
            return target ? start : 0;

        } else if (mnt_str_starts(line, "#EXT-X-TARGETDURATION:")) {
            target = 1;
            complete = start;

        } else if (!entries && target
                   && (mnt_str_starts(line, "#EXT-X-MEDIA-SEQUENCE:")
                       || mnt_str_starts(line, "#EXT-X-PLAYLIST-TYPE:")))
        {
            complete = start;
        }
    }

    return complete;
}


size_t
mnt_hls_torn(mnt_str_t tail)
{
    size_t     end, whole;
    mnt_str_t  line;

    whole = 0;

    for (end = tail.len; end > 0; end -= line.len + 1) {

        if (tail.data[end - 1] != '\n') {
            line.len = 0;
            continue;
        }

        if (whole == 0) {
            whole = end;
        }

        for (line.len = 0; line.len + 1 < end
                           && tail.data[end - line.len - 2] != '\n'; )
        {
            line.len++;
        }

        line.data = tail.data + end - line.len - 1;

        /* an entry ends with its URI */

        if ((line.len && line.data[0] != '#')
            || mnt_str_eqc(line, "#EXT-X-ENDLIST"))
        {
            return tail.len - end;
        }
    }

    /* no entry yet, or it begins before the tail */

    return whole ? tail.len - whole : 0;
}


static int
mnt_hls_segment_equal(const mnt_hls_segment_t *s, const mnt_hls_segment_t *t)
{
    unsigned  i;

    if (!mnt_str_eq(s->uri, t->uri)
        || !mnt_str_eq(s->title, t->title)
        || !mnt_str_eq(s->date_text, t->date_text)
        || s->duration_us != t->duration_us
        || s->sequence != t->sequence
        || s->discontinuity != t->discontinuity
        || s->date_ms != t->date_ms
        || s->range.length != t->range.length
        || s->range.offset != t->range.offset
        || s->nkeys != t->nkeys
        || s->discontinuous != t->discontinuous
        || s->gap != t->gap
        || s->has_date_zone != t->has_date_zone)
    {
        return 0;
    }

    for (i = 0; i < s->nkeys; i++) {
        if (!mnt_hls_key_equal(s->keys[i], t->keys[i])) {
            return 0;
        }
    }

    return mnt_hls_key_equal(s->key, t->key)
           && mnt_hls_map_equal(s->map, t->map);
}


static int
mnt_hls_variant_equal(const mnt_hls_variant_t *v, const mnt_hls_variant_t *w)
{
    return mnt_str_eq(v->uri, w->uri)
           && v->bandwidth == w->bandwidth
           && v->average_bandwidth == w->average_bandwidth
           && v->width == w->width
           && v->height == w->height
           && v->frame_rate_milli == w->frame_rate_milli
           && mnt_str_eq(v->codecs, w->codecs)
           && mnt_str_eq(v->audio, w->audio)
           && mnt_str_eq(v->video, w->video)
           && mnt_str_eq(v->subtitles, w->subtitles);
}


static int
mnt_hls_rendition_equal(const mnt_hls_rendition_t *r,
    const mnt_hls_rendition_t *s)
{
    return mnt_str_eq(r->type, s->type)
           && mnt_str_eq(r->group_id, s->group_id)
           && mnt_str_eq(r->name, s->name)
           && mnt_str_eq(r->language, s->language)
           && mnt_str_eq(r->uri, s->uri)
           && mnt_str_eq(r->channels, s->channels)
           && mnt_str_eq(r->characteristics, s->characteristics)
           && mnt_str_eq(r->instream_id, s->instream_id)
           && mnt_str_eq(r->assoc_language, s->assoc_language)
           && r->is_default == s->is_default
           && r->autoselect == s->autoselect
           && r->forced == s->forced;
}


int
mnt_hls_equal(const mnt_hls_playlist_t *p, const mnt_hls_playlist_t *q)
{
    unsigned  i;

    if (p->kind != q->kind
        || p->version != q->version
        || p->independent_segments != q->independent_segments
        || p->target_duration_s != q->target_duration_s
        || p->media_sequence + p->skipped != q->media_sequence + q->skipped
        || p->discontinuity_sequence != q->discontinuity_sequence
        || p->type != q->type
        || p->endlist != q->endlist
        || p->i_frames_only != q->i_frames_only
        || p->nsegments != q->nsegments
        || p->nvariants != q->nvariants
        || p->nrenditions != q->nrenditions)
    {
        return 0;
    }

    for (i = 0; i < p->nsegments; i++) {
        if (!mnt_hls_segment_equal(&p->segments[i], &q->segments[i])) {
            return 0;
        }
    }

    for (i = 0; i < p->nvariants; i++) {
        if (!mnt_hls_variant_equal(&p->variants[i], &q->variants[i])) {
            return 0;
        }
    }

    for (i = 0; i < p->nrenditions; i++) {
        if (!mnt_hls_rendition_equal(&p->renditions[i], &q->renditions[i])) {
            return 0;
        }
    }

    return 1;
}
