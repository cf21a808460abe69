
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "recorder/mnt_ladder.h"


static const char  both[] =
    "{\"programs\": [], \"streams\": [{\"codec_name\": \"h264\", \"profile\":"
    " \"High\", \"codec_type\": \"video\", \"width\": 1280, \"height\": 720,"
    " \"sample_aspect_ratio\": \"1:1\", \"level\": 31, \"avg_frame_rate\":"
    " \"30000/1001\"}, {\"codec_name\": \"aac\", \"profile\": \"LC\","
    " \"codec_type\": \"audio\", \"avg_frame_rate\": \"0/0\"}]}";


/* LIV-02: what ffprobe says becomes what a playlist says */

static void
test_read(void **state)
{
    mnt_ladder_source_t  src;

    (void) state;

    assert_int_equal(mnt_ladder_read(mnt_str_c(both), &src), 0);
    assert_true(src.video && src.audio);
    assert_int_equal(src.width, 1280);
    assert_int_equal(src.height, 720);
    assert_int_equal(src.frame_rate_milli, 29970);
    assert_string_equal(src.codecs, "avc1.64001f,mp4a.40.2");
}


/* pixels that are not square; a codec nobody knows leaves CODECS out */

static void
test_odd(void **state)
{
    mnt_ladder_source_t  src;

    (void) state;

    assert_int_equal(mnt_ladder_read(mnt_str_c("{\"streams\": [{\"codec_type\""
        ": \"video\", \"codec_name\": \"hevc\", \"width\": 720, \"height\":"
        " 576, \"sample_aspect_ratio\": \"16:15\", \"avg_frame_rate\":"
        " \"25/1\"}]}"), &src), 0);
    assert_int_equal(src.width, 768);
    assert_string_equal(src.codecs, "");
    assert_false(src.audio);

    assert_int_equal(mnt_ladder_read(mnt_str_c("{\"streams\": [{\"codec_type\""
        ": \"audio\", \"codec_name\": \"aac\"}]}"), &src), 0);
    assert_false(src.video);
    assert_string_equal(src.codecs, "mp4a.40.2");
}


/* whatever comes */

static void
test_wrong(void **state)
{
    unsigned             i;
    mnt_ladder_source_t  src;

    static const char  *const none[] = {
        "", "x", "[]", "{}", "{\"streams\": {}}", "{\"streams\": [1, null]}",
        "{\"streams\": [{\"codec_type\": \"video\", \"width\": -1,"
        " \"height\": 9999999}]}",
        "{\"streams\": [{\"codec_type\": \"video\", \"width\": \"a\"}]}"
    };

    (void) state;

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        (void) mnt_ladder_read(mnt_str_c(none[i]), &src);
        assert_false(src.video);
        assert_string_equal(src.codecs, "");
    }

    assert_int_equal(mnt_ladder_read(mnt_str_c("{\"streams\": [{\"codec_type\""
        ": \"video\", \"codec_name\": \"h264\", \"profile\": \"High\","
        " \"level\": -99, \"width\": 640, \"height\": 360,"
        " \"avg_frame_rate\": \"1/0\"}]}"), &src), 0);
    assert_true(src.video);
    assert_string_equal(src.codecs, "");
    assert_int_equal(src.frame_rate_milli, 0);
}


static void
test_choose(void **state)
{
    unsigned             heights[MNT_LADDER_MAX];
    mnt_ladder_source_t  src;

    static const unsigned  wanted[] = { 360, 1080, 480 };

    (void) state;

    memset(&src, 0, sizeof(src));

    src.height = 720;
    assert_int_equal(mnt_ladder_choose(wanted, 3, &src, heights), 2);
    assert_int_equal(heights[0], 480);
    assert_int_equal(heights[1], 360);

    src.height = 480;
    assert_int_equal(mnt_ladder_choose(wanted, 3, &src, heights), 1);
    src.height = 0;
    assert_int_equal(mnt_ladder_choose(wanted, 3, &src, heights), 0);

    assert_int_equal(mnt_ladder_height(S("480p")), 480);
    assert_int_equal(mnt_ladder_height(S("481p")), 0);
    assert_int_equal(mnt_ladder_height(S("480")), 0);
    assert_int_equal(mnt_ladder_height(S("")), 0);
}


static void
test_variant(void **state)
{
    mnt_arena_t          a;
    mnt_hls_variant_t    v;
    mnt_ladder_source_t  src;

    (void) state;

    mnt_arena_init(&a, 4096);
    assert_int_equal(mnt_ladder_read(mnt_str_c(both), &src), 0);

    mnt_ladder_variant(&a, 480, &src, 0, 0, &v);
    assert_true(mnt_str_eqc(v.uri, "480p.m3u8"));
    assert_true(mnt_str_eqc(v.codecs, "avc1.640020,mp4a.40.2"));
    assert_int_equal(v.width, 852);
    assert_int_equal(v.height, 480);
    assert_true(v.average_bandwidth && v.average_bandwidth < v.bandwidth);

    mnt_ladder_variant(&a, 0, &src, 4000000, 3000000, &v);
    assert_true(mnt_str_eqc(v.uri, "video.m3u8"));
    assert_int_equal(v.bandwidth, 4000000);
    assert_int_equal(v.average_bandwidth, 3000000);

    src.width = 721;
    src.height = 1281;
    assert_int_equal(mnt_ladder_width(360, &src) % 2, 0);

    mnt_arena_free(&a);
}


/* of a recording of ten hours the last entries are enough */

static void
test_tail(void **state)
{
    char                *text;
    size_t               n;
    unsigned             i;
    mnt_str_t            s;
    mnt_arena_t          a;
    mnt_hls_playlist_t   p;

    (void) state;

    mnt_arena_init(&a, 8 << 20);
    text = malloc(2 << 20);
    assert_non_null(text);

    n = (size_t) snprintf(text, 2 << 20, "#EXTM3U\n#EXT-X-VERSION:6\n"
                          "#EXT-X-TARGETDURATION:2\n");
    s.data = text;
    s.len = n;
    assert_ptr_equal(mnt_ladder_tail(&a, s).data, text);

    for (i = 1; i <= 18000; i++) {
        n += (size_t) snprintf(text + n, (2 << 20) - n,
                               "#EXTINF:2.000,\n%06u.ts\n", i);
    }

    s.len = n;
    s = mnt_ladder_tail(&a, s);
    assert_non_null(s.data);
    assert_true(s.len < 65536);
    assert_int_equal(mnt_hls_parse(&a, s, &p), MNT_HLS_OK);
    assert_true(p.nsegments > 500);
    assert_true(mnt_str_eqc(p.segments[p.nsegments - 1].uri, "018000.ts"));

    free(text);
    mnt_arena_free(&a);
}


int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_odd),
        cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_choose),
        cmocka_unit_test(test_variant),
        cmocka_unit_test(test_tail)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
