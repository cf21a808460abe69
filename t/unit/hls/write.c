
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "hls/mnt_hls.h"


#define M    "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"
#define SEG  "#EXTINF:4,\na.ts\n"

#define BUF  (1024 * 1024)


/* write(parse(text)) must parse to the same and be written the same again */

static void
round_trip(mnt_str_t text, const char *row)
{
    char                *buf, *again;
    size_t               n;
    mnt_str_t            s;
    mnt_arena_t          a;
    mnt_hls_playlist_t   p, q;

    buf = malloc(2 * BUF);
    assert_non_null(buf);
    again = buf + BUF;
    mnt_arena_init(&a, 16 * 1024 * 1024);

    mnt_test_i64(mnt_hls_parse(&a, text, &p), MNT_HLS_OK, row, "parse");

    n = mnt_hls_write(&p, buf, BUF);
    mnt_test_ok(n < BUF, row, "too long");
    mnt_test_i64((int64_t) strlen(buf), (int64_t) n, row, "length");
    mnt_test_i64((int64_t) mnt_hls_write(&p, NULL, 0), (int64_t) n, row,
                 "length without a buffer");

    s.data = buf;
    s.len = n;

    mnt_test_i64(mnt_hls_parse(&a, s, &q), MNT_HLS_OK, row, "second parse");
    mnt_test_ok(mnt_hls_equal(&p, &q), row, "not equal");
    mnt_test_ok(mnt_hls_equal(&q, &p), row, "not equal the other way");

    mnt_test_i64((int64_t) mnt_hls_write(&q, again, BUF), (int64_t) n, row,
                 "second length");
    mnt_test_ok(memcmp(buf, again, n) == 0, row, "written differently");

    mnt_arena_free(&a);
    free(buf);
}


static void
round_trips(void **state)
{
    size_t  i;

    static const char  *const rows[] = {
        M,
        M SEG "#EXT-X-ENDLIST\n",
        M "#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-I-FRAMES-ONLY\n#EXT-X-START:TIME-OFFSET=4.5,X=\"a,b\"\n"
        "#EXT-X-PLAYLIST-TYPE:EVENT\n#EXT-X-MEDIA-SEQUENCE:9223372036854775807"
        "\n#EXT-X-DISCONTINUITY-SEQUENCE:12\n" SEG,
        M "#EXT-X-SKIP:SKIPPED-SEGMENTS=15\n#EXT-X-MEDIA-SEQUENCE:27\n" SEG,
        M "#EXT-X-DISCONTINUITY\n#EXT-X-DISCONTINUITY\n" SEG
        "#EXT-X-DISCONTINUITY\n#EXT-X-GAP\n" SEG,
        M "#EXT-X-BYTERANGE:10@5\n" SEG "#EXT-X-BYTERANGE:20\n" SEG,
        M "#EXT-X-PROGRAM-DATE-TIME:2016-06-22T09:20:16.1-04:00\n" SEG,
        M "#EXT-X-PROGRAM-DATE-TIME:2016-06-22T09:20:16\n" SEG,
        M "#EXTINF:0.000001,title, with comma\na.ts?x=1&y=\"2\"\n",
        M "#EXT-X-MAP:URI=\"a\",BYTERANGE=\"720@0\"\n" SEG
        "#EXT-X-MAP:URI=\"b\"\n" SEG,
        M "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0xAB\n#EXT-X-MAP:URI=\"a\"\n"
        SEG "#EXT-X-KEY:METHOD=AES-128,URI=\"l\"\n" SEG
        "#EXT-X-KEY:METHOD=NONE\n" SEG,
        M "#EXT-X-MAP:URI=\"a\"\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n" SEG,
        M "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-MAP:URI=\"a\"\n"
        "#EXT-X-KEY:METHOD=NONE\n" SEG SEG,
        M "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-MAP:URI=\"a\"\n"
        "#EXT-X-KEY:METHOD=AES-128,URI=\"l\"\n" SEG,
        M "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"f\",KEYFORMAT=\"x\"\n" SEG
        "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-MAP:URI=\"a\"\n" SEG
        "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"g\",KEYFORMAT=\"x\"\n" SEG
        "#EXT-X-KEY:METHOD=NONE\n#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n" SEG,
        "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"n\",DEFAULT="
        "YES,AUTOSELECT=YES,FORCED=YES,LANGUAGE=\"ko\",URI=\"u\","
        "CHANNELS=\"2\",ASSOC-LANGUAGE=\"en\",INSTREAM-ID=\"CC1\","
        "CHARACTERISTICS=\"c\"\n"
        "#EXT-X-STREAM-INF:PROGRAM-ID=1,BANDWIDTH=1280000,AVERAGE-BANDWIDTH=1,"
        "RESOLUTION=1920x1080,FRAME-RATE=23.976,CODECS=\"avc1,mp4a\",AUDIO="
        "\"a\",VIDEO=\"v\",SUBTITLES=\"s\",VIDEO-RANGE=PQ,NAME=\"720p, HD\"\n"
        "v.m3u8\n#EXT-X-STREAM-INF:X=\nw.m3u8\n"
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        round_trip(mnt_str_c(rows[i]), rows[i]);
    }
}


/* 5000 segments with CR LF, discontinuities, dates, maps and keys */

static void
long_round_trip(void **state)
{
    char       *text;
    size_t      len;
    unsigned    i;
    mnt_str_t   s;

    (void) state;

    text = malloc(BUF);
    assert_non_null(text);

    len = (size_t) snprintf(text, BUF, "#EXTM3U\r\n#EXT-X-VERSION:7\r\n"
                            "#EXT-X-TARGETDURATION:3\r\n"
                            "#EXT-X-MEDIA-SEQUENCE:1000\r\n");

    for (i = 0; i < 5000; i++) {
        if (i % 100 == 99) {
            len += (size_t) snprintf(text + len, BUF - len,
                                     "#EXT-X-DISCONTINUITY\r\n"
                                     "#EXT-X-KEY:METHOD=AES-128,URI=\"k%u\""
                                     "\r\n#EXT-X-MAP:URI=\"i%u.mp4\"\r\n"
                                     "#EXT-X-PROGRAM-DATE-TIME:"
                                     "2026-09-27T11:%02u:45.007Z\r\n",
                                     i, i / 200, i / 100);
        }

        if (i % 500 == 250) {
            len += (size_t) snprintf(text + len, BUF - len,
                                     "#EXT-X-KEY:METHOD=NONE\r\n");
        }

        len += (size_t) snprintf(text + len, BUF - len,
                                 "#EXTINF:%u.%06u,\r\nseg-%u.m4s\r\n",
                                 i % 3, (i * 7919) % 1000000, i);
    }

    assert_true(len < BUF);
    s.data = text;
    s.len = len;
    round_trip(s, "5000 segments");

    free(text);
}


static void
differences(void **state)
{
    size_t              i;
    mnt_arena_t         a;
    mnt_hls_playlist_t  p, q;

    static const struct {
        const char  *one;
        const char  *other;
    } rows[] = {
        { M SEG, M SEG SEG },
        { M SEG, M "#EXTINF:4,\nb.ts\n" },
        { M SEG, M "#EXTINF:4.000001,\na.ts\n" },
        { M SEG, M "#EXTINF:4,t\na.ts\n" },
        { M SEG, M SEG "#EXT-X-ENDLIST\n" },
        { M SEG, M "#EXT-X-MEDIA-SEQUENCE:1\n" SEG },
        { M SEG, M "#EXT-X-DISCONTINUITY\n" SEG },
        { M SEG, M "#EXT-X-DISCONTINUITY-SEQUENCE:1\n" SEG },
        { M SEG, M "#EXT-X-GAP\n" SEG },
        { M SEG, M "#EXT-X-MAP:URI=\"a\"\n" SEG },
        { M SEG, M "#EXT-X-KEY:METHOD=AES-128,URI=\"a\"\n" SEG },
        { M "#EXT-X-KEY:METHOD=AES-128,URI=\"a\"\n" SEG,
          M "#EXT-X-KEY:METHOD=AES-128,URI=\"a\",IV=0x1\n" SEG },
        { M SEG, M "#EXT-X-BYTERANGE:1@0\n" SEG },
        { M SEG, M "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z\n" SEG },
        { M SEG, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.ts\n" },
        { "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2\na.ts\n",
          "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.ts\n" },
        { "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI=\"a\"\n",
          "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI=\"b\"\n" }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_arena_init(&a, 1 << 20);

        mnt_test_i64(mnt_hls_parse(&a, mnt_str_c(rows[i].one), &p),
                     MNT_HLS_OK, rows[i].one, "parse");
        mnt_test_i64(mnt_hls_parse(&a, mnt_str_c(rows[i].other), &q),
                     MNT_HLS_OK, rows[i].other, "parse");
        mnt_test_ok(!mnt_hls_equal(&p, &q), rows[i].other, "equal");

        mnt_arena_free(&a);
    }
}


/* low-latency tags of a source never reach our playlists (RELIABILITY P12) */

static void
text(void **state)
{
    char                buf[1024];
    size_t              n;
    mnt_arena_t         a;
    mnt_hls_playlist_t  p;

    static const char  want[] =
        "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:4\n"
        "#EXT-X-MEDIA-SEQUENCE:7\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z\n"
        "#EXTINF:4.000000,\na.ts\n";

    (void) state;

    mnt_arena_init(&a, 1 << 20);
    assert_int_equal(mnt_hls_parse(&a,
        S(M "#EXT-X-VERSION:9\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n"
          "#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-FUTURE:1\n"
          "#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-PART:DURATION=1,URI=\"p\"\n"
          "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00Z\n" SEG
          "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"q\"\n"
          "#EXT-X-RENDITION-REPORT:URI=\"r\"\n"), &p), MNT_HLS_OK);

    n = mnt_hls_write(&p, buf, sizeof(buf));
    assert_string_equal(buf, want);
    assert_int_equal(n, sizeof(want) - 1);

    /* a buffer that is one byte short is not overrun */

    memset(buf, 'x', sizeof(buf));
    assert_int_equal(mnt_hls_write(&p, buf, n), n);
    assert_int_equal(buf[n], 'x');
    assert_int_equal(mnt_hls_write(&p, buf, n + 1), n);
    assert_string_equal(buf, want);

    mnt_arena_free(&a);
}


static void
recording(void **state)
{
    char                 buf[1024];
    size_t               n, head;
    mnt_str_t            s;
    mnt_arena_t          a;
    mnt_hls_entry_t      e;
    mnt_hls_playlist_t   p;

    (void) state;

    head = mnt_hls_write_head(buf, sizeof(buf), 2, 1);
    n = head;

    memset(&e, 0, sizeof(e));
    e.uri = S("000001.m4s");
    e.map_uri = S("init-1.mp4");
    e.duration_us = 1984000;
    e.date_ms = 1790508525007;
    n += mnt_hls_write_entry(&e, buf + n, sizeof(buf) - n);

    memset(&e, 0, sizeof(e));
    e.uri = S("000002.m4s");
    e.duration_us = 4000000;
    e.date_ms = MNT_DATE_NONE;
    e.discontinuous = 1;
    e.gap = 1;
    n += mnt_hls_write_entry(&e, buf + n, sizeof(buf) - n);

    assert_string_equal(buf,
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
        "#EXT-X-MAP:URI=\"init-1.mp4\"\n"
        "#EXT-X-PROGRAM-DATE-TIME:2026-09-27T11:28:45.007Z\n"
        "#EXTINF:1.984000,\n000001.m4s\n"
        "#EXT-X-DISCONTINUITY\n#EXT-X-GAP\n#EXTINF:4.000000,\n000002.m4s\n");

    s.data = buf;
    s.len = n;
    mnt_arena_init(&a, 1 << 20);
    assert_int_equal(mnt_hls_parse(&a, s, &p), MNT_HLS_OK);
    assert_int_equal(p.nsegments, 2);
    assert_int_equal(p.type, MNT_HLS_TYPE_EVENT);
    assert_int_equal(p.segments[1].gap, 1);
    mnt_arena_free(&a);

    /* wherever the file was torn, what is kept is a playlist */

    for (s.len = 0; s.len <= n; s.len++) {
        mnt_str_t  kept;

        kept.data = buf;
        kept.len = mnt_hls_complete_prefix(s);
        assert_true(kept.len <= s.len);

        if (s.len >= head) {
            assert_true(kept.len >= head);
        }

        if (kept.len == 0) {
            assert_true(s.len < head);
            continue;
        }

        mnt_arena_init(&a, 1 << 20);
        assert_int_equal(mnt_hls_parse(&a, kept, &p), MNT_HLS_OK);
        mnt_arena_free(&a);
    }

    assert_int_equal(mnt_hls_complete_prefix(s), n);

    assert_int_equal(mnt_hls_target_of(0), 1);
    assert_int_equal(mnt_hls_target_of(-5), 1);
    assert_int_equal(mnt_hls_target_of(2499999), 2);
    assert_int_equal(mnt_hls_target_of(2500000), 3);
    assert_int_equal(mnt_hls_target_of(INT64_MAX), UINT32_MAX);
}


static mnt_str_t
joined(char *buf, size_t size, const char *whole, const char *tail)
{
    mnt_str_t  s;

    s.data = buf;
    s.len = (size_t) snprintf(buf, size, "%s%s", whole, tail);

    return s;
}


static void
torn_tails(void **state)
{
    size_t  i;

    static const struct {
        const char  *whole;
        const char  *tail;
    } rows[] = {
        { M, "" },
        { M, "#EXTINF:4," },
        { M, "#EXTINF:4,\na.ts" },
        { M SEG, "#EXTINF:4,\na" },
        { M SEG, "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"b\"\n" },
        { M SEG SEG "#EXT-X-ENDLIST\n", "" },
        { M SEG "#EXT-X-ENDLIST\n", SEG },
        { M SEG, "#EXT-X-ENDLI" },
        { M "#EXT-X-MEDIA-SEQUENCE:0\n", "#EXT-X-PLAYLIST-TYPE:EV" },
        { "", "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETD" },
        { "", "not ours\n" SEG },
        { "", "" }
    };

    char       buf[256];
    mnt_str_t  s;

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        s = joined(buf, sizeof(buf), rows[i].whole, rows[i].tail);
        mnt_test_i64((int64_t) mnt_hls_complete_prefix(s),
                     (int64_t) strlen(rows[i].whole), rows[i].tail, "prefix");
    }

    assert_int_equal(mnt_hls_complete_prefix(S(M SEG "\0\0\0\0\n\0")),
                     sizeof(M SEG) - 1);
}


/* what is cut off, also when only the end is known */

static void
torn(void **state)
{
    size_t     i, from;
    mnt_str_t  s;

    static const struct {
        const char  *whole;
        const char  *tail;
    } rows[] = {
        { M, "" },
        { M, "#EXTINF:4," },
        { M "#EXTINF:4,\n", "a.ts" },
        { M SEG, "" },
        { M SEG, "#" },
        { M SEG, "#EXTINF:4,\n" },
        { M SEG, "#EXTINF:4,\na.t" },
        { M SEG SEG, "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"b\"\n#EXTI" },
        { M SEG "#EXT-X-ENDLIST\n", "" },
        { M SEG, "#EXT-X-ENDLIST" }
    };

    char  buf[256];

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        s = joined(buf, sizeof(buf), rows[i].whole, rows[i].tail);

        mnt_test_i64((int64_t) mnt_hls_torn(s), (int64_t) strlen(rows[i].tail),
                     rows[i].tail, "torn");

        /* the last entry is enough */

        if (i < 3) {
            continue;
        }

        from = sizeof(M) - 1;
        s.data += from;
        s.len -= from;

        mnt_test_i64((int64_t) mnt_hls_torn(s), (int64_t) strlen(rows[i].tail),
                     rows[i].tail, "the end");
    }

    assert_int_equal(mnt_hls_torn(S("")), 0);
    assert_int_equal(mnt_hls_torn(S("half of a line")), 0);
    assert_int_equal(mnt_hls_torn(S("\n")), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(long_round_trip),
        cmocka_unit_test(differences),
        cmocka_unit_test(text),
        cmocka_unit_test(recording),
        cmocka_unit_test(torn_tails),
        cmocka_unit_test(torn)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
