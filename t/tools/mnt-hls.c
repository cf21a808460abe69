
/*
 * Copyright (C) the mntreamer authors
 *
 * mnt-hls FILE|-: what the playlist reader found, as JSON; exit status 1 and
 * the reason on standard error when it refuses.  For bug reports and tests.
 */


#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hls/mnt_hls.h"


#define TEXT_MAX     (MNT_HLS_MAX_BYTES + 1)  /* one more is refused */
#define ARENA_MAX    (16 * 1024 * 1024)
#define SAMPLES_MAX  16


static char *read_all(FILE *f, size_t *len);
static json_t *media(const mnt_hls_playlist_t *p);
static json_t *media_segment(const mnt_hls_segment_t *s);
static json_t *maps(const mnt_hls_playlist_t *p);
static json_t *keys(const mnt_hls_playlist_t *p);
static void keys_of_segment(const mnt_hls_playlist_t *p, unsigned i,
    json_t *runs);
static json_t *key_run(const mnt_hls_playlist_t *p, unsigned i,
    const mnt_hls_key_t *key);
static void ranges(const mnt_hls_playlist_t *p, json_t *j);
static void dates(const mnt_hls_playlist_t *p, json_t *j);
static json_t *low_latency(const mnt_hls_playlist_t *p);
static json_t *attributes(const mnt_hls_attribute_t *attrs, unsigned n);
static json_t *multivariant(const mnt_hls_playlist_t *p);
static json_t *variant(const mnt_hls_variant_t *v);
static json_t *rendition(const mnt_hls_rendition_t *r);


static json_t *
text(mnt_str_t s)
{
    return s.data ? json_stringn(s.data, s.len) : json_null();
}


static json_t *
number(uint64_t n)
{
    return json_integer((json_int_t) n);
}


/* 0 stands for absent */

static json_t *
number_or_null(uint64_t n)
{
    return n ? number(n) : json_null();
}


static json_t *
seconds(int64_t us)
{
    return json_real((double) us / 1e6);
}


static char *
read_all(FILE *f, size_t *len)
{
    char    *buf;
    size_t   n;

    buf = malloc(TEXT_MAX);

    if (buf == NULL) {
        return NULL;
    }

    *len = 0;

    while (*len < TEXT_MAX) {
        n = fread(buf + *len, 1, TEXT_MAX - *len, f);

        if (n == 0) {
            break;
        }

        *len += n;
    }

    if (ferror(f)) {
        free(buf);
        return NULL;
    }

    return buf;
}


static json_t *
media_segment(const mnt_hls_segment_t *s)
{
    json_t  *j;

    j = json_object();

    json_object_set_new(j, "uri", text(s->uri));
    json_object_set_new(j, "duration", seconds(s->duration_us));
    json_object_set_new(j, "sequence", number(s->sequence));

    return j;
}


static json_t *
range(const mnt_hls_range_t *r)
{
    json_t  *j;

    if (r->length == 0) {
        return json_null();
    }

    j = json_array();
    json_array_append_new(j, number(r->length));
    json_array_append_new(j, number(r->offset));

    return j;
}


static json_t *
maps(const mnt_hls_playlist_t *p)
{
    json_t               *runs, *j, *key;
    unsigned              i, n;
    const mnt_hls_map_t  *map;

    runs = json_array();

    for (i = 0; i < p->nsegments; i += n) {
        map = p->segments[i].map;

        for (n = 1; i + n < p->nsegments; n++) {
            if (p->segments[i + n].map != map) {
                break;
            }
        }

        if (map == NULL) {
            continue;
        }

        key = json_null();

        if (map->key) {
            key = json_object();
            json_object_set_new(key, "method", text(map->key->method_name));
            json_object_set_new(key, "uri", text(map->key->uri));
            json_object_set_new(key, "iv", text(map->key->iv_text));
        }

        j = json_object();
        json_object_set_new(j, "uri", text(map->uri));
        json_object_set_new(j, "byterange", range(&map->range));
        json_object_set_new(j, "key", key);
        json_object_set_new(j, "from_segment", number(i));
        json_object_set_new(j, "segments", number(n));
        json_array_append_new(runs, j);
    }

    return runs;
}


static json_t *
key_run(const mnt_hls_playlist_t *p, unsigned i, const mnt_hls_key_t *key)
{
    char      iv_text[2 + 32 + 1];
    json_t   *j;
    uint8_t   iv[16];
    unsigned  n, k;

    for (n = 1; i + n < p->nsegments; n++) {
        for (k = 0; k < p->segments[i + n].nkeys; k++) {
            if (p->segments[i + n].keys[k] == key) {
                break;
            }
        }

        if (k == p->segments[i + n].nkeys) {
            break;
        }
    }

    mnt_hls_iv(key, p->segments[i].sequence, iv);
    memcpy(iv_text, "0x", 3);

    for (k = 0; k < sizeof(iv); k++) {
        (void) snprintf(iv_text + 2 + k * 2, 3, "%02x", (unsigned) iv[k]);
    }

    j = json_object();
    json_object_set_new(j, "method", text(key->method_name));
    json_object_set_new(j, "uri", text(key->uri));
    json_object_set_new(j, "iv", text(key->iv_text));
    json_object_set_new(j, "keyformat", text(key->keyformat));
    json_object_set_new(j, "from_segment", number(i));
    json_object_set_new(j, "segments", number(n));
    json_object_set_new(j, "iv_of_first_segment", json_string(iv_text));

    return j;
}


static void
keys_of_segment(const mnt_hls_playlist_t *p, unsigned i, json_t *runs)
{
    unsigned                  k, l;
    const mnt_hls_segment_t  *s, *last;

    s = &p->segments[i];
    last = i ? s - 1 : NULL;

    for (k = 0; k < s->nkeys; k++) {
        for (l = 0; last && l < last->nkeys; l++) {
            if (last->keys[l] == s->keys[k]) {
                break;
            }
        }

        if (last == NULL || l == last->nkeys) {
            json_array_append_new(runs, key_run(p, i, s->keys[k]));
        }
    }
}


static json_t *
keys(const mnt_hls_playlist_t *p)
{
    json_t    *runs;
    unsigned   i;

    runs = json_array();

    for (i = 0; i < p->nsegments; i++) {
        keys_of_segment(p, i, runs);
    }

    return runs;
}


static void
ranges(const mnt_hls_playlist_t *p, json_t *j)
{
    json_t    *samples, *sample;
    unsigned   i, n;

    n = 0;
    samples = json_array();

    for (i = 0; i < p->nsegments; i++) {
        if (p->segments[i].range.length == 0) {
            continue;
        }

        if (n++ < SAMPLES_MAX) {
            sample = json_object();
            json_object_set_new(sample, "segment", number(i));
            json_object_set_new(sample, "length",
                                number(p->segments[i].range.length));
            json_object_set_new(sample, "offset",
                                number(p->segments[i].range.offset));
            json_array_append_new(samples, sample);
        }
    }

    json_object_set_new(j, "byteranges", number(n));

    if (n) {
        json_object_set_new(j, "byterange_samples", samples);

    } else {
        json_decref(samples);
    }
}


static void
dates(const mnt_hls_playlist_t *p, json_t *j)
{
    json_t                   *first;
    unsigned                  i, n;
    const mnt_hls_segment_t  *s;

    n = 0;

    for (i = 0; i < p->nsegments; i++) {
        s = &p->segments[i];

        if (s->date_ms == MNT_DATE_NONE || n++) {
            continue;
        }

        first = json_object();
        json_object_set_new(first, "segment", number(i));
        json_object_set_new(first, "raw", text(s->date_text));
        json_object_set_new(first, "epoch_ms",
                            s->has_date_zone ? json_integer(s->date_ms)
                                             : json_null());
        json_object_set_new(j, "first_program_date_time", first);
    }

    json_object_set_new(j, "program_date_times", number(n));
}


static json_t *
attributes(const mnt_hls_attribute_t *attrs, unsigned n)
{
    char       name[256];
    json_t    *j;
    unsigned   i;

    j = json_object();

    for (i = 0; i < n; i++) {
        (void) snprintf(name, sizeof(name), "%.*s", (int) attrs[i].name.len,
                        attrs[i].name.data);
        json_object_set_new(j, name, text(attrs[i].value));
    }

    return j;
}


static json_t *
low_latency(const mnt_hls_playlist_t *p)
{
    json_t    *j, *hints, *hint;
    unsigned   i;

    hints = json_array();

    for (i = 0; i < p->npreload_hints; i++) {
        hint = json_object();
        json_object_set_new(hint, "type", text(p->preload_hints[i].type));
        json_object_set_new(hint, "uri", text(p->preload_hints[i].uri));
        json_array_append_new(hints, hint);
    }

    j = json_object();
    json_object_set_new(j, "parts", number(p->parts));
    json_object_set_new(j, "part_target",
                        p->part_target_us ? seconds(p->part_target_us)
                                          : json_null());
    json_object_set_new(j, "trailing_parts", number(p->trailing_parts));
    json_object_set_new(j, "preload_hints", hints);
    json_object_set_new(j, "rendition_reports", number(p->rendition_reports));
    json_object_set_new(j, "skipped_segments",
                        p->has_skip ? number(p->skipped) : json_null());
    json_object_set_new(j, "server_control",
                        p->server_control
                        ? attributes(p->server_control, p->nserver_control)
                        : json_null());

    return j;
}


static void
media_head(const mnt_hls_playlist_t *p, json_t *j)
{
    static const char  *const types[] = { NULL, "EVENT", "VOD" };

    json_object_set_new(j, "target_duration", number(p->target_duration_s));
    json_object_set_new(j, "media_sequence", number(p->media_sequence));
    json_object_set_new(j, "discontinuity_sequence",
                        number(p->discontinuity_sequence));
    json_object_set_new(j, "playlist_type",
                        p->type ? json_string(types[p->type]) : json_null());
    json_object_set_new(j, "endlist", json_boolean(p->endlist));
    json_object_set_new(j, "i_frames_only", json_boolean(p->i_frames_only));
}


static json_t *
media(const mnt_hls_playlist_t *p)
{
    json_t    *j, *runs;
    int64_t    total;
    unsigned   i, gaps;
    uint64_t   discontinuities;

    j = json_object();
    media_head(p, j);

    total = 0;
    gaps = 0;
    discontinuities = 0;

    for (i = 0; i < p->nsegments; i++) {
        total += p->segments[i].duration_us;
        gaps += p->segments[i].gap;
        discontinuities = p->segments[i].discontinuity
                          - p->discontinuity_sequence;
    }

    json_object_set_new(j, "segments", number(p->nsegments));
    json_object_set_new(j, "duration", seconds(total));
    json_object_set_new(j, "discontinuities", number(discontinuities));

    if (p->nsegments) {
        json_object_set_new(j, "first_segment",
                            media_segment(&p->segments[0]));
        json_object_set_new(j, "last_segment",
                            media_segment(&p->segments[p->nsegments - 1]));
    }

    runs = maps(p);
    json_object_set_new(j, "map", json_boolean(json_array_size(runs) > 0));
    json_object_set_new(j, "maps", runs);
    json_object_set_new(j, "keys", keys(p));
    ranges(p, j);
    json_object_set_new(j, "gaps", number(gaps));
    dates(p, j);
    json_object_set_new(j, "dateranges", number(p->dateranges));

    if (p->parts || p->part_target_us || p->has_skip || p->server_control
        || p->npreload_hints || p->rendition_reports)
    {
        json_object_set_new(j, "low_latency", low_latency(p));
    }

    return j;
}


static json_t *
variant(const mnt_hls_variant_t *v)
{
    json_t  *j, *resolution;

    resolution = json_null();

    if (v->width && v->height) {
        resolution = json_array();
        json_array_append_new(resolution, number(v->width));
        json_array_append_new(resolution, number(v->height));
    }

    j = json_object();
    json_object_set_new(j, "uri", text(v->uri));
    json_object_set_new(j, "bandwidth", number_or_null(v->bandwidth));
    json_object_set_new(j, "average_bandwidth",
                        number_or_null(v->average_bandwidth));
    json_object_set_new(j, "resolution", resolution);
    json_object_set_new(j, "frame_rate",
                        v->frame_rate_milli
                        ? json_real(v->frame_rate_milli / 1000.0)
                        : json_null());
    json_object_set_new(j, "codecs", text(v->codecs));
    json_object_set_new(j, "audio", text(v->audio));
    json_object_set_new(j, "video", text(v->video));
    json_object_set_new(j, "subtitles", text(v->subtitles));

    return j;
}


static json_t *
rendition(const mnt_hls_rendition_t *r)
{
    json_t  *j;

    j = json_object();
    json_object_set_new(j, "type", text(r->type));
    json_object_set_new(j, "group_id", text(r->group_id));
    json_object_set_new(j, "name", text(r->name));
    json_object_set_new(j, "language", text(r->language));
    json_object_set_new(j, "uri", text(r->uri));
    json_object_set_new(j, "default", json_boolean(r->is_default));
    json_object_set_new(j, "autoselect", json_boolean(r->autoselect));
    json_object_set_new(j, "forced", json_boolean(r->forced));
    json_object_set_new(j, "channels", text(r->channels));

    return j;
}


static json_t *
multivariant(const mnt_hls_playlist_t *p)
{
    json_t    *j, *list;
    unsigned   i;

    j = json_object();
    list = json_array();

    for (i = 0; i < p->nvariants; i++) {
        json_array_append_new(list, variant(&p->variants[i]));
    }

    json_object_set_new(j, "variants", list);
    list = json_array();

    for (i = 0; i < p->nrenditions; i++) {
        json_array_append_new(list, rendition(&p->renditions[i]));
    }

    json_object_set_new(j, "renditions", list);
    json_object_set_new(j, "i_frame_variants", number(p->i_frame_variants));
    json_object_set_new(j, "session_data", number(p->session_data));
    json_object_set_new(j, "session_keys", number(p->session_keys));

    return j;
}


static void
print(const mnt_hls_playlist_t *p)
{
    json_t  *j;

    j = (p->kind == MNT_HLS_MULTIVARIANT) ? multivariant(p) : media(p);

    json_object_set_new(j, "kind",
                        json_string(p->kind == MNT_HLS_MULTIVARIANT
                                    ? "multivariant" : "media"));
    json_object_set_new(j, "version", number_or_null(p->version));
    json_object_set_new(j, "independent_segments",
                        json_boolean(p->independent_segments));

    if (p->start) {
        json_object_set_new(j, "start", attributes(p->start, p->nstart));
    }

    if (p->bom) {
        json_object_set_new(j, "bom", json_true());
    }

    (void) json_dumpf(j, stdout, JSON_INDENT(1) | JSON_SORT_KEYS
                                 | JSON_REAL_PRECISION(15));
    (void) printf("\n");

    json_decref(j);
}


int
main(int argc, char **argv)
{
    int                  rc;
    FILE                *f;
    char                *buf;
    mnt_str_t            s;
    mnt_arena_t          a;
    mnt_hls_rc_e         parsed;
    mnt_hls_playlist_t   p;

    if (argc != 2) {
        (void) fprintf(stderr, "usage: mnt-hls FILE|-\n");
        return 2;
    }

    f = strcmp(argv[1], "-") == 0 ? stdin : fopen(argv[1], "rb");
    buf = f ? read_all(f, &s.len) : NULL;

    if (buf == NULL) {
        (void) fprintf(stderr, "mnt-hls: \"%s\" cannot be read\n", argv[1]);
        rc = 2;
        goto done;
    }

    s.data = buf;
    rc = 0;

    mnt_arena_init(&a, ARENA_MAX);
    parsed = mnt_hls_parse(&a, s, &p);

    if (parsed == MNT_HLS_OK) {
        print(&p);

    } else {
        (void) fprintf(stderr, "mnt-hls: \"%s\" %s (line %u)\n", argv[1],
                       mnt_hls_strerror(parsed), p.error_line);
        rc = 1;
    }

    mnt_arena_free(&a);
    free(buf);

done:

    if (f && f != stdin) {
        (void) fclose(f);
    }

    return rc;
}
