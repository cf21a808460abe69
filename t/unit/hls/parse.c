
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include <time.h>

#include "hls/mnt_hls.h"


#define M     "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"
#define SEG   "#EXTINF:4,\na.ts\n"
#define X16   "xxxxxxxxxxxxxxxx"
#define X256  X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16 X16


static mnt_hls_rc_e
parse(mnt_arena_t *a, const char *text, mnt_hls_playlist_t *p)
{
    return mnt_hls_parse(a, mnt_str_c(text), p);
}


/* RELIABILITY P7, P9, P10 by table: what is refused, why, in which line */

static void
refusals(void **state)
{
    size_t              i;
    mnt_arena_t         a;
    mnt_hls_rc_e        rc;
    mnt_hls_playlist_t  p;

    static const struct {
        const char    *text;
        mnt_hls_rc_e   rc;
        unsigned       line;
    } rows[] = {
        { "", MNT_HLS_NOT_A_PLAYLIST, 1 },
        { "<!DOCTYPE html><html></html>", MNT_HLS_NOT_A_PLAYLIST, 1 },
        { "{\"code\":403}", MNT_HLS_NOT_A_PLAYLIST, 1 },
        { "#EXTM3U8\n", MNT_HLS_NOT_A_PLAYLIST, 1 },
        { "\n#EXTM3U\n", MNT_HLS_NOT_A_PLAYLIST, 1 },
        { "#EXTINF:4,\na.ts\n", MNT_HLS_NOT_A_PLAYLIST, 1 },
        { "GIF89a\x01\x02", MNT_HLS_NOT_A_PLAYLIST, 1 },
        { "#EXTM3U\n", MNT_HLS_NO_TARGETDURATION, 2 },
        { "#EXTM3U\n" SEG, MNT_HLS_NO_TARGETDURATION, 4 },
        { M "a\x01.ts\n", MNT_HLS_CONTROL_CHARACTER, 3 },
        { M "a\rb\n", MNT_HLS_CONTROL_CHARACTER, 3 },
        { M SEG "\r", MNT_HLS_CONTROL_CHARACTER, 5 },
        { M "#\x7f\n", MNT_HLS_CONTROL_CHARACTER, 3 },
        { M "#\xc2\x85\n", MNT_HLS_CONTROL_CHARACTER, 3 },
        { M "#\x1b[31m\n", MNT_HLS_CONTROL_CHARACTER, 3 },
        { M "#EXTINF:4,\xff\na.ts\n", MNT_HLS_NOT_UTF8, 0 },
        { M "#EXTINF:4,\xed\xa0\x80\na.ts\n", MNT_HLS_NOT_UTF8, 0 },
        { M "#EXTINF:-1,\na.ts\n", MNT_HLS_BAD_NUMBER, 3 },
        { M "#EXTINF:nan,\na.ts\n", MNT_HLS_BAD_NUMBER, 3 },
        { M "#EXTINF:inf,\na.ts\n", MNT_HLS_BAD_NUMBER, 3 },
        { M "#EXTINF:1e308,\na.ts\n", MNT_HLS_BAD_NUMBER, 3 },
        { M "#EXTINF:,\na.ts\n", MNT_HLS_BAD_NUMBER, 3 },
        { M "#EXTINF:3600.000001,\na.ts\n", MNT_HLS_BAD_NUMBER, 3 },
        { M "#EXTINF:99999999999999999999999,\na.ts\n", MNT_HLS_BAD_NUMBER,
          3 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:18446744073709551616\n",
          MNT_HLS_BAD_NUMBER, 2 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:-1\n", MNT_HLS_BAD_NUMBER, 2 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:\n", MNT_HLS_BAD_NUMBER, 2 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION\n", MNT_HLS_BAD_NUMBER, 2 },
        { M "#EXT-X-MEDIA-SEQUENCE:-1\n", MNT_HLS_BAD_NUMBER, 3 },
        { M "#EXT-X-MEDIA-SEQUENCE:18446744073709551615\n",
          MNT_HLS_BAD_NUMBER, 3 },
        { M "#EXT-X-DISCONTINUITY-SEQUENCE:x\n", MNT_HLS_BAD_NUMBER, 3 },
        { M "#EXT-X-SKIP:SKIPPED-SEGMENTS=99999999999\n", MNT_HLS_BAD_NUMBER,
          3 },
        { M "#EXT-X-SKIP:RECENTLY-REMOVED=\"x\"\n", MNT_HLS_BAD_NUMBER, 3 },
        { M "#EXT-X-VERSION:0\n", MNT_HLS_BAD_VERSION, 3 },
        { M "#EXT-X-VERSION:x\n", MNT_HLS_BAD_VERSION, 3 },
        { M "#EXT-X-VERSION:100\n", MNT_HLS_BAD_VERSION, 3 },
        { M "#EXT-X-VERSION:3\n#EXT-X-VERSION:3\n", MNT_HLS_DUPLICATE_TAG,
          4 },
        { M "#EXT-X-TARGETDURATION:4\n", MNT_HLS_DUPLICATE_TAG, 3 },
        { M SEG "#EXT-X-STREAM-INF:BANDWIDTH=1\nb\n", MNT_HLS_MIXED, 5 },
        { "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb\n" SEG, MNT_HLS_MIXED,
          4 },
        { "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", MNT_HLS_NO_URI, 3 },
        { "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-STREAM-INF:A=1\n",
          MNT_HLS_NO_URI, 3 },
        { M "a.ts\n", MNT_HLS_NO_EXTINF, 3 },
        { M SEG "b.ts\n", MNT_HLS_NO_EXTINF, 5 },
        { M "#EXTINF:4,\n", MNT_HLS_NO_URI, 4 },
        { M "#EXTINF:4,\n#EXTINF:4,\na.ts\n", MNT_HLS_NO_URI, 4 },
        { M "#EXT-X-MAP:BYTERANGE=\"1@0\"\n" SEG, MNT_HLS_NO_URI, 3 },
        { M "#EXT-X-MAP:URI=\"\"\n" SEG, MNT_HLS_NO_URI, 3 },
        { M "#EXT-X-MAP:URI=\"a\n" SEG, MNT_HLS_BAD_ATTRIBUTE, 3 },
        { M "#EXT-X-MAP:URI\n" SEG, MNT_HLS_BAD_ATTRIBUTE, 3 },
        { M "#EXT-X-MAP:URI=\"a\"b\n" SEG, MNT_HLS_BAD_ATTRIBUTE, 3 },
        { M "#EXT-X-MAP:=\"a\"\n" SEG, MNT_HLS_BAD_ATTRIBUTE, 3 },
        { M "#EXT-X-MAP:A,URI=\"a\"\n" SEG, MNT_HLS_BAD_ATTRIBUTE, 3 },
        { M "#EXT-X-MAP:URI=a\"b\n" SEG, MNT_HLS_BAD_ATTRIBUTE, 3 },
        { M "#EXT-X-MAP:URI=\"a\",BYTERANGE=\"x\"\n", MNT_HLS_BAD_BYTERANGE,
          3 },
        { M "#EXT-X-KEY:METHOD=AES-128\n", MNT_HLS_BAD_KEY, 3 },
        { M "#EXT-X-KEY:URI=\"k\"\n", MNT_HLS_BAD_KEY, 3 },
        { M "#EXT-X-KEY:METHOD=NEW-THING\n", MNT_HLS_BAD_KEY, 3 },
        { M "#EXT-X-KEY:METHOD=\"A,B\",URI=\"k\"\n", MNT_HLS_BAD_KEY, 3 },
        { M "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=1\n", MNT_HLS_BAD_KEY, 3 },
        { M "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x\n", MNT_HLS_BAD_KEY,
          3 },
        { M "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0xfg\n", MNT_HLS_BAD_KEY,
          3 },
        { M "#EXT-X-KEY:METHOD=AES-128,URI=\"k\","
          "IV=0x000000000000000000000000000000001\n", MNT_HLS_BAD_KEY, 3 },
        { M "#EXT-X-BYTERANGE:10\n" SEG, MNT_HLS_BAD_BYTERANGE, 5 },
        { M SEG "#EXT-X-BYTERANGE:10\n" SEG, MNT_HLS_BAD_BYTERANGE, 7 },
        { M "#EXT-X-BYTERANGE:10@0\n" SEG
          "#EXTINF:4,\n#EXT-X-BYTERANGE:10\nb.ts\n", MNT_HLS_BAD_BYTERANGE,
          8 },
        { M "#EXT-X-BYTERANGE:0@0\n" SEG, MNT_HLS_BAD_BYTERANGE, 3 },
        { M "#EXT-X-BYTERANGE:-1@0\n" SEG, MNT_HLS_BAD_BYTERANGE, 3 },
        { M "#EXT-X-BYTERANGE:9223372036854775807@1\n" SEG,
          MNT_HLS_BAD_BYTERANGE, 3 },
        { M "#EXT-X-BYTERANGE:9223372036854775807@0\n" SEG
          "#EXT-X-BYTERANGE:1\n" SEG, MNT_HLS_BAD_BYTERANGE, 8 },
        { "#EXTM3U\n#EXT-X-MEDIA:GROUP-ID=\"a\"\n", MNT_HLS_BAD_ATTRIBUTE, 2 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_arena_init(&a, 1 << 20);
        rc = parse(&a, rows[i].text, &p);

        mnt_test_str(mnt_str_c(mnt_hls_strerror(rc)),
                     mnt_hls_strerror(rows[i].rc), rows[i].text);
        mnt_test_i64(p.error_line, rows[i].line, rows[i].text, "line");
        mnt_test_ok(p.nsegments == 0 && p.segments == NULL
                    && p.nvariants == 0 && p.target_duration_s == 0,
                    rows[i].text, "left something behind");
        mnt_arena_free(&a);
    }

    mnt_arena_init(&a, 1 << 20);
    assert_int_equal(mnt_hls_parse(&a, S(M "a\0b"), &p),
                     MNT_HLS_CONTROL_CHARACTER);
    mnt_arena_free(&a);
}


/* what real services do and a reader must bear */

static void
tolerance(void **state)
{
    size_t              i;
    mnt_arena_t         a;
    mnt_hls_rc_e        rc;
    mnt_hls_playlist_t  p;

    static const struct {
        const char  *text;
        unsigned     target;
        unsigned     segments;
        int64_t      first_us;
    } rows[] = {
        { M SEG, 4, 1, 4000000 },
        { "#EXTM3U\r\n#EXT-X-TARGETDURATION:4\r\n#EXTINF:4,\r\na.ts\r\n", 4, 1,
          4000000 },
        { "\xef\xbb\xbf" M SEG, 4, 1, 4000000 },
        { "#EXTM3U \t\n #EXT-X-TARGETDURATION : 4 \n\t#EXTINF: 4 ,\t\n"
          " a.ts \n", 4, 1, 4000000 },
        { M "#EXTINF:4\na.ts", 4, 1, 4000000 },
        { M "#EXTINF:0,\na.ts\n", 4, 1, 0 },
        { M "#EXTINF:3600,\na.ts\n", 4, 1, 3600000000 },
        { M "#EXTINF:3.0000005,\na.ts\n", 4, 1, 3000001 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:0\n" SEG, 1, 1, 4000000 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:4.5\n" SEG, 5, 1, 4000000 },
        { M "#EXT-X-NEVER-SEEN:A=\"\n#EXTRA\n#EXT\n# comment\n\n" SEG, 4, 1,
          4000000 },
        { M "#EXT-X-ENDLIST\n#EXT-X-ENDLIST\n" SEG, 4, 1, 4000000 },
        { M "#EXT-X-MAP: URI = \"a\" , X=1,, \n" SEG, 4, 1, 4000000 },
        { M "#EXT-X-PLAYLIST-TYPE:LIVE\n" SEG, 4, 1, 4000000 },
        { M "#EXT-X-PROGRAM-DATE-TIME:yesterday\n" SEG, 4, 1, 4000000 },
        { M "#EXT-X-MEDIA-SEQUENCE:9223372036854775807\n" SEG SEG, 4, 2,
          4000000 },
        { M, 4, 0, 0 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_arena_init(&a, 1 << 20);
        rc = parse(&a, rows[i].text, &p);

        mnt_test_str(mnt_str_c(mnt_hls_strerror(rc)), "no error",
                     rows[i].text);
        mnt_test_i64(p.target_duration_s, rows[i].target, rows[i].text,
                     "target");
        mnt_test_i64(p.nsegments, rows[i].segments, rows[i].text, "segments");
        mnt_test_i64(p.bom, rows[i].text[0] == '\xef', rows[i].text, "bom");

        if (p.nsegments) {
            mnt_test_i64(p.segments[0].duration_us, rows[i].first_us,
                         rows[i].text, "duration");
            mnt_test_str(p.segments[0].uri, "a.ts", rows[i].text);
        }

        mnt_arena_free(&a);
    }
}


/* what does not show in the fixtures: order of tags, runs, several keys */

static void
segments(void **state)
{
    mnt_arena_t         a;
    mnt_hls_playlist_t  p;

    (void) state;

    mnt_arena_init(&a, 1 << 20);

    assert_int_equal(parse(&a,
        M "#EXT-X-SKIP:SKIPPED-SEGMENTS=5\n"
        "#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY\n" SEG
        "#EXT-X-DISCONTINUITY\n#EXTINF:4,  a title \n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-09-27T11:28:45.007\nb.ts\n"
        SEG
        "#EXT-X-DISCONTINUITY\n"
        "#EXT-X-MEDIA-SEQUENCE:100\n#EXT-X-DISCONTINUITY-SEQUENCE:7\n", &p),
        MNT_HLS_OK);

    assert_int_equal(p.nsegments, 3);
    assert_int_equal(p.segments[0].sequence, 105);
    assert_int_equal(p.segments[2].sequence, 107);
    assert_int_equal(p.segments[0].discontinuity, 9);
    assert_int_equal(p.segments[1].discontinuity, 10);
    assert_int_equal(p.segments[2].discontinuity, 10);
    assert_int_equal(p.segments[1].discontinuous, 1);
    assert_int_equal(p.segments[2].discontinuous, 0);
    assert_int_equal(p.segments[0].date_ms == MNT_DATE_NONE, 1);
    assert_int_equal(p.segments[1].date_ms, 1790508525007);
    assert_int_equal(p.segments[1].has_date_zone, 0);
    mnt_test_str(p.segments[1].title, "a title", "title");
    mnt_test_str(p.segments[1].date_text, "2026-09-27T11:28:45.007", "date");

    mnt_arena_free(&a);
}


static void
keys_and_maps(void **state)
{
    uint8_t             iv[16];
    mnt_arena_t         a;
    mnt_hls_segment_t  *s;
    mnt_hls_playlist_t  p;

    (void) state;

    mnt_arena_init(&a, 1 << 20);

    assert_int_equal(parse(&a,
        M "#EXT-X-MAP:URI=\"clear\"\n" SEG
        "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd\",KEYFORMAT=\"com.apple\"\n"
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k1\",IV=0X1A\n"
        "#EXT-X-MAP:URI=\"m1\",BYTERANGE=\"10@20\"\n" SEG
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k1\",IV=0x1a\n" SEG
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k2\"\n"
        "#EXT-X-MEDIA-SEQUENCE:256\n" SEG
        "#EXT-X-KEY:METHOD=NONE\n" SEG
        "#EXT-X-KEY:METHOD=NEW-THING,URI=\"x\"\n" SEG, &p), MNT_HLS_OK);

    s = p.segments;
    assert_int_equal(p.nsegments, 6);

    assert_null(s[0].key);
    assert_null(s[0].map->key);
    mnt_test_str(s[0].map->uri, "clear", "first map");

    assert_int_equal(s[1].nkeys, 2);
    mnt_test_str(s[1].key->uri, "k1", "identity before the first");
    mnt_test_str(s[1].key->iv_text, "0x1a", "lower case");
    mnt_test_str(s[1].map->key->uri, "k1", "key of the map");
    assert_int_equal(s[1].map->range.length, 10);
    assert_int_equal(s[1].map->range.offset, 20);
    assert_ptr_equal(s[1].key, s[2].key);

    mnt_hls_iv(s[1].key, 77, iv);
    assert_memory_equal(iv, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1a", 16);

    assert_int_equal(s[3].nkeys, 2);
    mnt_test_str(s[3].key->uri, "k2", "rotated");
    mnt_test_str(s[3].keys[0]->uri, "skd", "the other format stays");
    mnt_test_str(s[3].map->key->uri, "k1", "the map keeps its key");
    mnt_hls_iv(s[3].key, s[3].sequence, iv);
    assert_memory_equal(iv, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x03", 16);

    assert_null(s[4].key);
    assert_int_equal(s[4].nkeys, 0);
    mnt_test_str(s[4].map->key->uri, "k1", "the map stays");

    assert_int_equal(s[5].key->method, MNT_HLS_KEY_OTHER);
    mnt_test_str(s[5].key->method_name, "NEW-THING", "unknown is not clear");

    mnt_arena_free(&a);
}


static void
variants(void **state)
{
    mnt_arena_t          a;
    mnt_hls_playlist_t   p;
    mnt_hls_variant_t   *v;

    (void) state;

    mnt_arena_init(&a, 1 << 20);

    assert_int_equal(parse(&a,
        "#EXTM3U\n"
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a,=b\",NAME=\"x\",FORCED=YES,"
        "CHANNELS=\"2\"\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=18446744073709551615, "
        "RESOLUTION=1280X720,FRAME-RATE=59.94,CODECS=\"avc1,mp4a\","
        "BANDWIDTH=7,VIDEO-RANGE=PQ\n"
        "v.m3u8\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=-5,RESOLUTION=wide,FRAME-RATE=fast,"
        "AVERAGE-BANDWIDTH=1e6\nw.m3u8\n"
        "#EXT-X-STREAM-INF:RESOLUTION=0x0,FRAME-RATE=99999\nx.m3u8\n",
        &p), MNT_HLS_OK);

    assert_int_equal(p.kind, MNT_HLS_MULTIVARIANT);
    assert_int_equal(p.nvariants, 3);
    assert_int_equal(p.nrenditions, 1);

    v = &p.variants[0];
    assert_true(v->bandwidth == UINT64_MAX);
    assert_int_equal(v->width, 1280);
    assert_int_equal(v->height, 720);
    assert_int_equal(v->frame_rate_milli, 59940);
    mnt_test_str(v->codecs, "avc1,mp4a", "codecs");
    assert_true(mnt_str_ends(v->attributes, "VIDEO-RANGE=PQ"));

    v = &p.variants[1];
    assert_int_equal(v->bandwidth | v->width | v->height, 0);
    assert_int_equal(v->frame_rate_milli | v->average_bandwidth, 0);

    assert_int_equal(p.variants[2].frame_rate_milli | p.variants[2].width, 0);
    mnt_test_str(p.renditions[0].group_id, "a,=b", "commas in quotes");
    assert_int_equal(p.renditions[0].forced, 1);
    assert_int_equal(p.renditions[0].is_default, 0);

    mnt_arena_free(&a);

    mnt_arena_init(&a, 1 << 20);
    assert_int_equal(parse(&a, "#EXTM3U\n#EXT-X-STREAM-INF:X\na\n", &p),
                     MNT_HLS_BAD_ATTRIBUTE);
    assert_int_equal(p.kind, MNT_HLS_MULTIVARIANT);
    mnt_arena_free(&a);
}


static char *
repeat(const char *head, const char *part, size_t n, mnt_str_t *s)
{
    char    *text;
    size_t   i, len, head_len;

    len = strlen(part);
    head_len = strlen(head);
    text = malloc(head_len + n * len + 1);
    assert_non_null(text);

    memcpy(text, head, head_len);

    for (i = 0; i < n; i++) {
        memcpy(text + head_len + i * len, part, len);
    }

    s->data = text;
    s->len = head_len + n * len;

    return text;
}


/* RELIABILITY P9: limits, memory and linear time */

static void
limits(void **state)
{
    char                *text;
    size_t               i;
    mnt_str_t            s;
    mnt_arena_t          a;
    mnt_hls_playlist_t   p;

    static const struct {
        const char    *head;
        const char    *part;
        size_t         n;
        mnt_hls_rc_e   rc;
    } rows[] = {
        { M, SEG, 10000, MNT_HLS_OK },
        { M, SEG, 10001, MNT_HLS_TOO_MANY },
        { M, SEG, 100000, MNT_HLS_TOO_MANY },
        { "#EXTM3U\n", "#EXT-X-STREAM-INF:A=1\nx\n", 10001, MNT_HLS_TOO_MANY },
        { "#EXTM3U\n", "#EXT-X-MEDIA:TYPE=AUDIO\n", 10001, MNT_HLS_TOO_MANY },
        { M, "\n", 1000000, MNT_HLS_OK },
        { M, "#EXT-X-KEY:METHOD=A,URI=\"x\"\n#EXT-X-KEY:METHOD=NONE\n", 40000,
          MNT_HLS_OK },
        { M, "#EXT-X-MAP:URI=\"a\"\n#EXT-X-MAP:URI=\"b\"\n", 40000,
          MNT_HLS_OK },
        { M, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"a\"\n", 40000, MNT_HLS_OK },
        { M, X256, 10000, MNT_HLS_TOO_LARGE },
        { M, X256, 4096, MNT_HLS_LINE_TOO_LONG },
        { M "#", X256, 32, MNT_HLS_LINE_TOO_LONG },
        { M "#EXTINF:4,\n", X256, 32, MNT_HLS_OK }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        text = repeat(rows[i].head, rows[i].part, rows[i].n, &s);
        mnt_arena_init(&a, 4 * 1024 * 1024);

        mnt_test_str(mnt_str_c(mnt_hls_strerror(mnt_hls_parse(&a, s, &p))),
                     mnt_hls_strerror(rows[i].rc), rows[i].part);

        mnt_arena_free(&a);
        free(text);
    }

    text = repeat(M, SEG, 1000, &s);
    mnt_arena_init(&a, 100000);
    assert_int_equal(mnt_hls_parse(&a, s, &p), MNT_HLS_NO_MEMORY);
    mnt_arena_free(&a);
    free(text);
}


static clock_t
parse_time(size_t n)
{
    char                *text;
    clock_t              best, before, took;
    unsigned             i;
    mnt_str_t            s;
    mnt_arena_t          a;
    mnt_hls_playlist_t   p;

    best = 0;
    text = repeat(M, "#EXT-X-PROGRAM-DATE-TIME:2026-09-27T11:28:45.007Z\n"
                     "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n" SEG, n, &s);

    for (i = 0; i < 7; i++) {
        mnt_arena_init(&a, 8 * 1024 * 1024);
        before = clock();
        assert_int_equal(mnt_hls_parse(&a, s, &p), MNT_HLS_OK);
        took = clock() - before;
        best = (i == 0 || took < best) ? took : best;
        mnt_arena_free(&a);
    }

    free(text);

    return best;
}


static void
linear(void **state)
{
    clock_t  small, large;

    (void) state;

    small = parse_time(1000);
    large = parse_time(10000);

    /* quadratic would be 100 times; the clock of a busy machine is rough */

    assert_true(large < 30 * small + CLOCKS_PER_SEC / 50);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(refusals),
        cmocka_unit_test(tolerance),
        cmocka_unit_test(segments),
        cmocka_unit_test(keys_and_maps),
        cmocka_unit_test(variants),
        cmocka_unit_test(limits),
        cmocka_unit_test(linear)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
