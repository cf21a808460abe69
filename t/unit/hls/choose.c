
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "hls/mnt_hls.h"


#define V(attrs, name)  "#EXT-X-STREAM-INF:" attrs "\n" name "\n"

/* not sorted, as Chzzk serves it: the best one stands last */

#define CHZZK                                                                 \
    "#EXTM3U\n"                                                               \
    V("BANDWIDTH=3192000,RESOLUTION=1280x720,FRAME-RATE=60.00", "720p60")     \
    V("BANDWIDTH=2192000,RESOLUTION=1280x720,FRAME-RATE=30.00", "720p30")     \
    V("BANDWIDTH=1692000,RESOLUTION=852x480,FRAME-RATE=30.00", "480p")        \
    V("BANDWIDTH=192000,RESOLUTION=256x144,FRAME-RATE=30.00", "144p")         \
    V("BANDWIDTH=65000,CODECS=\"mp4a.40.5\"", "audio")                        \
    V("BANDWIDTH=8384000,RESOLUTION=1920x1080,FRAME-RATE=60.00", "1080p")

#define APPLE                                                                 \
    "#EXTM3U\n"                                                               \
    V("BANDWIDTH=1280000,CODECS=\"avc1.640029,mp4a.40.2\"", "low")            \
    V("BANDWIDTH=7680000,CODECS=\"avc1.640029,mp4a.40.2\"", "hi")             \
    V("BANDWIDTH=2560000,CODECS=\"avc1.640029,mp4a.40.2\"", "mid")            \
    V("BANDWIDTH=65000,CODECS=\"mp4a.40.5, ac-3\"", "audio")

#define ODD                                                                   \
    "#EXTM3U\n"                                                               \
    V("BANDWIDTH=900,RESOLUTION=1080x1920,FRAME-RATE=29.97", "tall")          \
    V("BANDWIDTH=901,RESOLUTION=1920x818,FRAME-RATE=59.94", "wide")           \
    V("BANDWIDTH=100,RESOLUTION=1280x720", "plain")                           \
    V("BANDWIDTH=100,RESOLUTION=1280x720", "redundant")                       \
    V("BANDWIDTH=50,RESOLUTION=640x360,FRAME-RATE=60.5", "fast")              \
    V("BANDWIDTH=50,RESOLUTION=640x360,FRAME-RATE=30", "slow")

#define SOUND  "#EXTM3U\n" V("BANDWIDTH=1,CODECS=\"opus\"", "one")            \
               V("BANDWIDTH=2,CODECS=\"opus\"", "two")

#define HIGH   "#EXTM3U\n" V("BANDWIDTH=9,RESOLUTION=2560x1440", "1440p")     \
               V("BANDWIDTH=8,RESOLUTION=1920x1080", "1080p")                 \
               V("BANDWIDTH=7", "unknown")


/* FEATURES MON-06 */

static void
choose(void **state)
{
    int                 i;
    size_t              row;
    mnt_arena_t         a;
    mnt_hls_playlist_t  p;

    static const struct {
        const char  *playlist;
        const char  *wish;
        const char  *uri;
    } rows[] = {
        { CHZZK, "best", "1080p" },
        { CHZZK, "1080p", "1080p" },
        { CHZZK, "1080p60", "1080p" },
        { CHZZK, "1080p30", "720p60" },
        { CHZZK, "900p", "720p60" },
        { CHZZK, "720p", "720p60" },
        { CHZZK, "720p60", "720p60" },
        { CHZZK, "720p30", "720p30" },
        { CHZZK, "720p50", "720p30" },
        { CHZZK, "720p61", "720p60" },
        { CHZZK, "480p", "480p" },
        { CHZZK, "480p60", "480p" },
        { CHZZK, "360p", "144p" },
        { CHZZK, "144p", "144p" },
        { CHZZK, "worst", "144p" },
        { CHZZK, "audio", "audio" },
        { CHZZK, "nonsense", "1080p" },
        { APPLE, "best", "hi" },
        { APPLE, "worst", "low" },
        { APPLE, "1080p", "hi" },
        { APPLE, "audio", "audio" },
        { ODD, "1080p", "tall" },
        { ODD, "1080p30", "tall" },
        { ODD, "1080p60", "tall" },
        { ODD, "900p", "wide" },
        { ODD, "818p60", "wide" },
        { ODD, "720p60", "plain" },
        { ODD, "360p60", "fast" },
        { ODD, "360p50", "slow" },
        { ODD, "audio", "slow" },
        { SOUND, "best", "one" },
        { SOUND, "1080p", "one" },
        { SOUND, "audio", "two" },
        { HIGH, "720p", "unknown" },
        { HIGH, "worst", "1080p" },
        { HIGH, "best", "1440p" },
        { "#EXTM3U\n" V("BANDWIDTH=9,RESOLUTION=2560x1440", "1440p")
          V("BANDWIDTH=8,RESOLUTION=1920x1080", "1080p"), "720p", "1080p" }
    };

    (void) state;

    for (row = 0; row < mnt_test_count(rows); row++) {
        mnt_arena_init(&a, 1 << 20);
        assert_int_equal(mnt_hls_parse(&a, mnt_str_c(rows[row].playlist), &p),
                         MNT_HLS_OK);

        i = mnt_hls_choose(&p, mnt_str_c(rows[row].wish));
        mnt_test_ok(i >= 0 && (unsigned) i < p.nvariants, rows[row].wish,
                    "no choice");
        mnt_test_str(p.variants[i].uri, rows[row].uri, rows[row].wish);

        mnt_arena_free(&a);
    }

    memset(&p, 0, sizeof(p));
    assert_int_equal(mnt_hls_choose(&p, S("best")), -1);
    assert_int_equal(mnt_hls_choose(&p, S("1080p")), -1);
    assert_int_equal(mnt_hls_choose(&p, S("audio")), -1);
}


static void
wishes(void **state)
{
    size_t  i;

    static const struct {
        const char  *wish;
        int          valid;
    } rows[] = {
        { "best", 1 }, { "worst", 1 }, { "audio", 1 }, { "1080p", 1 },
        { "720p60", 1 }, { "144p", 1 }, { "4320p120", 1 },
        { "", 0 }, { "p", 0 }, { "p60", 0 }, { "1080", 0 }, { "0p", 0 },
        { "1080p0", 0 }, { "1080P", 0 }, { "1080px", 0 }, { "-1p", 0 },
        { "99999999999999999999p", 0 }, { "100000p", 0 }, { "1080p1000", 0 },
        { "Best", 0 }, { "best ", 0 }, { "1080p60.0", 0 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_test_i64(mnt_hls_quality_valid(mnt_str_c(rows[i].wish)),
                     rows[i].valid, rows[i].wish, "validity");
    }
}


static void
sniff(void **state)
{
    size_t   i;
    uint8_t  ts[377];

    static const struct {
        const char           *bytes;
        size_t                n;
        mnt_hls_container_e   is;
    } rows[] = {
        { "\0\0\0\x18" "ftypmp42\0\0\0\0", 16, MNT_HLS_CONTAINER_FMP4 },
        { "\0\0\0\x18" "stypmsdh\0\0\0\0", 16, MNT_HLS_CONTAINER_FMP4 },
        { "\0\0\x02\x88" "moof\0\0\0\x10mfhd", 16, MNT_HLS_CONTAINER_FMP4 },
        { "\0\0\0\x01" "mdat\0\0\0\0\0\0\xff\xff", 16,
          MNT_HLS_CONTAINER_FMP4 },
        { "\0\0\0\x02" "mdat\0\0\0\0\0\0\xff\xff", 16,
          MNT_HLS_CONTAINER_UNKNOWN },
        { "\0\0\0\x18" "junk\0\0\0\0\0\0\0\0", 16, MNT_HLS_CONTAINER_UNKNOWN },
        { "ID3\4\0\0\0\0\0?PRIV\0\0", 16, MNT_HLS_CONTAINER_AAC },
        { "\xff\xf1\x50\x80\x2e\x7f\xfc\0\0\0\0\0\0\0\0\0", 16,
          MNT_HLS_CONTAINER_AAC },
        { "\x0b\x77\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, MNT_HLS_CONTAINER_AAC },
        { "\x47\x40\x11\x10\0\x42\xf0\x25\0\1\xc1\0\0\xff\1\xff", 16,
          MNT_HLS_CONTAINER_TS },
        { "WEBVTT\n", 7, MNT_HLS_CONTAINER_WEBVTT },
        { "\xef\xbb\xbfWEBVTT - x\n\n00:00", 18, MNT_HLS_CONTAINER_WEBVTT },
        { "<!DOCTYPE html>\n<html>", 22, MNT_HLS_CONTAINER_TEXT },
        { "{\"code\":403}", 12, MNT_HLS_CONTAINER_TEXT },
        { "Get out of here, please", 23, MNT_HLS_CONTAINER_TEXT },
        { "<", 1, MNT_HLS_CONTAINER_TEXT },
        { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, MNT_HLS_CONTAINER_UNKNOWN },
        { "\x47\x40\x11\x10", 4, MNT_HLS_CONTAINER_UNKNOWN },
        { "", 0, MNT_HLS_CONTAINER_UNKNOWN }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_test_i64(mnt_hls_sniff((const uint8_t *) rows[i].bytes, rows[i].n),
                     rows[i].is, rows[i].bytes, "container");
    }

    memset(ts, 0, sizeof(ts));
    ts[0] = ts[188] = ts[376] = 0x47;
    ts[3] = 0x10;
    assert_int_equal(mnt_hls_sniff(ts, sizeof(ts)), MNT_HLS_CONTAINER_TS);
    ts[376] = 0;
    assert_int_equal(mnt_hls_sniff(ts, sizeof(ts)), MNT_HLS_CONTAINER_UNKNOWN);
    assert_int_equal(mnt_hls_sniff(ts, 376), MNT_HLS_CONTAINER_TS);
    ts[188] = 0;
    assert_int_equal(mnt_hls_sniff(ts, 376), MNT_HLS_CONTAINER_UNKNOWN);
}


static void
picture(void **state)
{
    size_t   i, n;
    uint8_t  ts[3 * 188];

    static const struct {
        const char  *bytes;                   /* of the second packet */
        size_t       n;
        int          is;
    } rows[] = {
        { "\x47\x41\0\x10\0\0\1\xe0", 8, 1 },
        { "\x47\x41\0\x30\7\x50\0\0\0\0\0\0\0\0\1\xe0", 16, 1 },
        { "\x47\x41\0\x30\0\0\0\1\xef", 9, 1 },
        { "\x47\x41\1\x10\0\0\1\xc0", 8, 0 },      /* sound */
        { "\x47\1\0\x10\0\0\1\xe0", 8, 0 },        /* the middle of it */
        { "\x47\x41\0\x20\0\0\1\xe0", 8, 0 },      /* no payload */
        { "\x47\x41\0\x30\xff\0\0\1\xe0", 9, 0 }, /* too long a field */
        { "\x46\x41\0\x10\0\0\1\xe0", 8, 0 },
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        memset(ts, 0, sizeof(ts));
        ts[0] = ts[376] = 0x47;
        memcpy(ts + 188, rows[i].bytes, rows[i].n);

        for (n = 0; n <= sizeof(ts); n++) {
            mnt_test_i64(mnt_hls_sniff_picture(ts, n),
                         n >= 376 ? rows[i].is : 0, rows[i].bytes, "picture");
        }
    }
}


static void
broken(void **state)
{
    size_t   n;
    uint8_t  body[512];

    (void) state;

    memset(body, 0, sizeof(body));

    assert_int_equal(mnt_hls_broken(body, 0), 1);

    for (n = 0; n < sizeof(body); n += 188) {
        body[n] = 0x47;
        body[n + 3] = 0x10;
    }

    for (n = 1; n <= sizeof(body); n++) {
        mnt_test_i64(mnt_hls_broken(body, n), n < 188, "a TS", "broken");
    }

    body[376] = 0;
    assert_int_equal(mnt_hls_broken(body, 376), 0);
    assert_int_equal(mnt_hls_broken(body, 377), 1);

    body[188] = 'F';
    assert_int_equal(mnt_hls_broken(body, 188), 0);
    assert_int_equal(mnt_hls_broken(body, sizeof(body)), 1);

    memset(body, 1, sizeof(body));

    for (n = 1; n <= sizeof(body); n++) {
        mnt_test_i64(mnt_hls_broken(body, n), n < 188, "unknown", "broken");
    }

    memcpy(body, "\0\0\0\x18" "ftypmp42\0\0\0\0", 16);

    for (n = 1; n <= sizeof(body); n++) {
        mnt_test_i64(mnt_hls_broken(body, n), n < 16, "an fMP4", "broken");
    }

    assert_int_equal(mnt_hls_broken((const uint8_t *) "WEBVTT\n", 7), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(choose),
        cmocka_unit_test(wishes),
        cmocka_unit_test(sniff),
        cmocka_unit_test(picture),
        cmocka_unit_test(broken)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
