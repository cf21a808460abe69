
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "recorder/mnt_recorder.h"


static mnt_str_t
path_of(mnt_arena_t *a, mnt_str_t layout, mnt_str_t title, mnt_str_t channel,
    int marked)
{
    mnt_layout_values_t  v;

    memset(&v, 0, sizeof(v));

    v.platform = S("chzzk");
    v.channel_id = channel;
    v.channel_name = S("name");
    v.title = title;
    v.started_ms = 1790499125007;
    v.zone_s = 9 * 3600;

    return mnt_recorder_path(a, layout, &v, marked);
}


static mnt_str_t
path(mnt_arena_t *a, mnt_str_t layout, mnt_str_t title, mnt_str_t channel)
{
    return path_of(a, layout, title, channel, 0);
}


/* REC-02: what only the database knows is marked, whatever the texts hold */

#define LONG  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void
paths(void **state)
{
    mnt_str_t    p;
    mnt_arena_t  a;

    (void) state;

    mnt_arena_init(&a, 1 << 20);

    mnt_test_str(path(&a, S("{platform}/{channel_id}/{yyyy}/{mm}/{dd}/"
                            "{sequence}"), S("t"), S("abc")),
                 "chzzk/abc/2026/09/27/\x01", "default");

    mnt_test_str(path(&a, S("{recording_id}"), S("t"), S("abc")), "\x02",
                 "id alone");

    mnt_test_str(path(&a, S("{title}/{recording_id}-{sequence}"), S("t"),
                      S("abc")),
                 "t/\x02-\x01", "both");

    mnt_test_str(path(&a, S("{title}/{recording_id}"),
                      S("9223372036854775807 4294967295"), S("abc")),
                 "9223372036854775807 4294967295/\x02",
                 "a title of the same digits");

    mnt_test_str(path(&a, S("{channel_id}/{yyyy}/{mm}/{dd}/s{sequence}"),
                      S("t"), S("4294967295-4294967294")),
                 "4294967295-4294967294/2026/09/27/s\x01",
                 "a channel of the same digits");

    mnt_test_str(path(&a, S("{title}/{recording_id}"), S("a\x01\x02/.."),
                      S("abc")),
                 "a___/\x02", "marks in a title are none");

    mnt_test_str(path_of(&a, S("{channel_id}/{yyyy}/{mm}/{dd}/{sequence}"),
                         S("t"), S("http://h/a?..."), 1),
                 "http___h_a_-\x03/2026/09/27/\x01", "an address");

    mnt_test_str(path_of(&a, S("{channel_id}/{channel_id}x{recording_id}"),
                         S("88888888"), S("http://h/88888888"), 1),
                 "http___h_88888888-\x03/http___h_88888888-\x03x\x02",
                 "an address of the same digits");

    p = path_of(&a, S("{channel_id} {title} {channel_name} {title}"
                      " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/{recording_id}"),
                S("t"), S("http://h/" LONG LONG LONG LONG LONG LONG), 1);
    p.len = 14;
    mnt_test_str(p, "http___h_aa-\x03 ", "is cut, its mark is not");

    mnt_arena_free(&a);
}


static void
quality(void **state)
{
    char               buf[32];
    size_t             n;
    unsigned           i;
    mnt_hls_variant_t  v;

    static const struct {
        uint32_t     width, height, rate;
        const char  *want;
    } cases[] = {
        { 1920, 1080, 60000, "1080p60" },
        { 1920, 1080, 59940, "1080p60" },
        { 1280, 720, 0, "720p" },
        { 1080, 1920, 30000, "1080p30" },
        { 0, 0, 60000, "" }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(cases); i++) {
        memset(&v, 0, sizeof(v));
        v.width = cases[i].width;
        v.height = cases[i].height;
        v.frame_rate_milli = cases[i].rate;

        n = mnt_recorder_quality(&v, buf, sizeof(buf));

        assert_int_equal(n, strlen(cases[i].want));
        assert_memory_equal(buf, cases[i].want, n);
    }
}


static void
audio(void **state)
{
    mnt_arena_t                 a;
    mnt_hls_playlist_t          p;
    const mnt_hls_rendition_t  *list[4];

    static const char  text[] =
        "#EXTM3U\n"
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"lo\",NAME=\"x\",URI=\"x.m3u8\"\n"
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"hi\",NAME=\"en\",URI=\"e.m3u8\"\n"
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"hi\",NAME=\"mux\"\n"
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"hi\",NAME=\"ja\","
            "AUTOSELECT=YES,URI=\"j.m3u8\"\n"
        "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"hi\",NAME=\"ko\",DEFAULT=YES,"
            "AUTOSELECT=YES,URI=\"k.m3u8\"\n"
        "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"hi\",NAME=\"s\","
            "URI=\"s.m3u8\"\n"
        "#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"hi\"\n"
        "v.m3u8\n";

    (void) state;

    mnt_arena_init(&a, 1 << 20);

    assert_int_equal(mnt_hls_parse(&a, mnt_str_c(text), &p), MNT_HLS_OK);

    assert_int_equal(mnt_recorder_audio(&p, &p.variants[0], list, 4), 3);
    mnt_test_str(list[0]->name, "ko", "default first");
    mnt_test_str(list[1]->name, "ja", "then autoselect");
    mnt_test_str(list[2]->name, "en", "then the rest");

    assert_int_equal(mnt_recorder_audio(&p, &p.variants[0], list, 2), 2);

    p.variants[0].audio.len = 0;
    assert_int_equal(mnt_recorder_audio(&p, &p.variants[0], list, 4), 0);

    mnt_arena_free(&a);
}


/* N3: short while the window may hold everything, at most 60 s later */

static void
pauses(void **state)
{
    int64_t   ms;
    unsigned  i;

    (void) state;

    for (i = 1; i < 1000; i++) {
        ms = mnt_recorder_reload_ms(i, 2000, 10000, i * 2654435761u);
        assert_in_range(ms, 500, 2000);

        ms = mnt_recorder_reload_ms(i, 6000, 60000, i * 2654435761u);
        assert_in_range(ms, 500, 5000);

        ms = mnt_recorder_reload_ms(i, 2000, 600000, i * 2654435761u);
        assert_in_range(ms, 500, 60000);
    }

    assert_int_equal(mnt_recorder_reload_ms(1, 1000, 0, 7), 500);
    assert_int_equal(mnt_recorder_reload_ms(1, 2000, 0, 7), 1000);

    /* G3: at most 10 in 10 minutes */

    ms = 0;

    for (i = 0; ms <= 600000; i++) {
        ms += mnt_recorder_renew_ms(i);
    }

    assert_in_range(i, 4, 10);
    assert_int_equal(mnt_recorder_renew_ms(0), 0);
    assert_int_equal(mnt_recorder_renew_ms(3), 60000);
    assert_int_equal(mnt_recorder_renew_ms(1000000), 15 * 60000);

    assert_int_equal(mnt_recorder_start_ms(0), 2000);
    assert_int_equal(mnt_recorder_start_ms(UINT64_MAX), 256000);
}


/* G10 */

static void
ranges(void **state)
{
    unsigned               i;
    mnt_hls_range_t        r;
    mnt_recorder_answer_t  a;

    static const struct {
        const char  *row;
        uint64_t     length, offset;
        unsigned     http;
        int64_t      content, start, got;
        unsigned     encoded;
        int          ok;
    } cases[] = {
        { "whole", 0, 0, 200, 10, -1, 0, 0, 1 },
        { "chunked", 0, 0, 200, -1, -1, 0, 0, 1 },
        { "part unasked", 0, 0, 206, 10, 0, 10, 0, 0 },
        { "not found", 0, 0, 404, 10, -1, 0, 0, 0 },
        { "range", 10, 20, 206, 10, 20, 10, 0, 1 },
        { "other start", 10, 20, 206, 10, 0, 10, 0, 0 },
        { "near start", 10, 20, 206, 10, 21, 10, 0, 0 },
        { "other length", 10, 20, 206, 9, 20, 9, 0, 0 },
        { "no Content-Range", 10, 20, 206, 10, -1, 0, 0, 0 },
        { "ignored at 20", 10, 20, 200, 10, -1, 0, 0, 0 },
        { "ignored at 0, just that", 10, 0, 200, 10, -1, 0, 0, 1 },
        { "ignored at 0, more", 10, 0, 200, 30, -1, 0, 0, 0 },
        { "ignored at 0, unknown", 10, 0, 200, -1, -1, 0, 0, 0 },
        { "encoded", 10, 20, 206, 10, 20, 10, 1, 0 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(cases); i++) {
        r.length = cases[i].length;
        r.offset = cases[i].offset;

        memset(&a, 0, sizeof(a));

        a.http = cases[i].http;
        a.content_length = cases[i].content;
        a.range_start = cases[i].start;
        a.range_length = cases[i].got;
        a.encoded = cases[i].encoded & 1;

        mnt_test_i64(mnt_recorder_acceptable(&r, &a), cases[i].ok,
                     cases[i].row, "acceptable");

        mnt_test_i64(mnt_recorder_expect(&r, &a),
                     cases[i].length ? (int64_t) cases[i].length
                     : cases[i].content, cases[i].row, "expect");
    }
}


static void
start(mnt_recorder_end_t *e)
{
    mnt_recorder_end_init(e, 0);

    e->check_ms = 3000;
    e->refresh_ms = 60000;
    e->identified = 1;
}


/* the platform and the playlist must agree, twice */

static void
off_air(void **state)
{
    mnt_recorder_end_t  e;

    (void) state;

    start(&e);
    mnt_recorder_end_news(&e, 1000);
    assert_null(mnt_recorder_end_over(&e, 2000));
    assert_int_equal(mnt_recorder_end_ask_at(&e, 2000), 60000);

    /* P1: nothing new for three targets */

    assert_int_equal(mnt_recorder_end_ask_at(&e, 7100), 7100);

    mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, 7200);
    assert_null(mnt_recorder_end_over(&e, 7200));
    assert_int_equal(mnt_recorder_end_ask_at(&e, 7200), 10200);

    mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, 10200);
    assert_string_equal(mnt_recorder_end_over(&e, 10200), "off air");

    /* segments came between the two: it starts again, and ends later */

    start(&e);
    mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, 10000);
    mnt_recorder_end_news(&e, 12000);
    mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, 20000);
    assert_null(mnt_recorder_end_over(&e, 20000));
    mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, 23000);
    assert_non_null(mnt_recorder_end_over(&e, 23000));

    /* asked again too soon: it does not count as twice */

    start(&e);
    e.ended_ms = 1000;
    mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, 1100);
    mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, 1200);
    assert_null(mnt_recorder_end_over(&e, 1200));
    mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, 4100);
    assert_non_null(mnt_recorder_end_over(&e, 4100));
}


/* A2, A3: errors say nothing, and while segments come it is on air */

static void
flapping(void **state)
{
    int64_t             t;
    unsigned            asked;
    mnt_recorder_end_t  e;

    (void) state;

    start(&e);
    asked = 0;

    for (t = 0; t < 600000; t += 2000) {
        mnt_recorder_end_news(&e, t);

        if (mnt_recorder_end_ask_at(&e, t) <= t) {
            mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, t);
            asked++;
        }

        assert_null(mnt_recorder_end_over(&e, t + 1000));
    }

    /* soon at first, then once a minute */

    assert_in_range(asked, 5, 16);

    start(&e);

    for (t = 0; t < 600000; t += 2000) {
        mnt_recorder_end_heard(&e, MNT_RECORDER_UNSURE, t);
        assert_null(mnt_recorder_end_over(&e, t));
    }

    /* one "off air" among errors is one */

    start(&e);
    mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, 10000);
    mnt_recorder_end_heard(&e, MNT_RECORDER_UNSURE, 14000);
    assert_null(mnt_recorder_end_over(&e, 15000));
    mnt_recorder_end_heard(&e, MNT_RECORDER_ON_AIR, 16000);
    mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, 20000);
    assert_null(mnt_recorder_end_over(&e, 20000));
}


/* P11: ENDLIST while the platform says live waits, then it is the end */

static void
ended(void **state)
{
    mnt_recorder_end_t  e;

    (void) state;

    start(&e);
    mnt_recorder_end_news(&e, 99000);
    e.ended_ms = 100000;

    assert_int_equal(mnt_recorder_end_ask_at(&e, 100000), 100000);
    mnt_recorder_end_heard(&e, MNT_RECORDER_ON_AIR, 100100);
    assert_int_equal(mnt_recorder_end_ask_at(&e, 100100), 105100);
    assert_null(mnt_recorder_end_over(&e, 110000));
    mnt_recorder_end_heard(&e, MNT_RECORDER_ON_AIR, 115000);
    assert_string_equal(mnt_recorder_end_over(&e, 120000), "playlist ended");

    /* without an answer that says live it is not known */

    start(&e);
    mnt_recorder_end_news(&e, 99000);
    e.ended_ms = 100000;
    mnt_recorder_end_heard(&e, MNT_RECORDER_UNSURE, 100100);
    e.live = 0;
    assert_null(mnt_recorder_end_over(&e, 125000));

    /* nothing at all for the grace period */

    start(&e);
    assert_null(mnt_recorder_end_over(&e, 899999));
    assert_string_equal(mnt_recorder_end_over(&e, 900000), "nothing new");
}


/* where the playlist is the platform a dead one must be dead for 15 s */

static void
dead(void **state)
{
    mnt_recorder_end_t  e;

    (void) state;

    start(&e);
    e.identified = 0;
    mnt_recorder_end_news(&e, 1000);
    e.failing_ms = 2000;
    e.refused_ms = 2000;

    assert_false(mnt_recorder_end_quiet(&e, 16999));
    assert_true(mnt_recorder_end_quiet(&e, 17000));

    mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, 2100);
    mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, 5100);
    assert_null(mnt_recorder_end_over(&e, 16000));
    assert_non_null(mnt_recorder_end_over(&e, 17000));

    /* one that has an id is over when both say so */

    start(&e);
    mnt_recorder_end_news(&e, 1000);
    e.failing_ms = 2000;
    e.refused_ms = 2000;
    assert_true(mnt_recorder_end_quiet(&e, 2000));
}


/* LIV-10: what the database says of own broadcasts is certain */

static void
certain(void **state)
{
    mnt_recorder_end_t  e;

    (void) state;

    start(&e);
    e.certain = 1;
    e.target_ms = 2000;
    mnt_recorder_end_news(&e, 1000);
    assert_null(mnt_recorder_end_over(&e, 5000));

    mnt_recorder_end_heard(&e, MNT_RECORDER_OFF_AIR, 5000);
    assert_null(mnt_recorder_end_over(&e, 6999));
    assert_non_null(mnt_recorder_end_over(&e, 7000));

    /* the last fragment came behind it */

    mnt_recorder_end_news(&e, 5300);
    assert_null(mnt_recorder_end_over(&e, 7000));
    assert_non_null(mnt_recorder_end_over(&e, 7300));

    /* its publisher came back in time */

    mnt_recorder_end_heard(&e, MNT_RECORDER_ON_AIR, 6000);
    assert_null(mnt_recorder_end_over(&e, 60000));

    /* without an answer nothing is certain */

    mnt_recorder_end_heard(&e, MNT_RECORDER_UNSURE, 6000);
    assert_false(mnt_recorder_end_past(&e, 60000));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(paths),
        cmocka_unit_test(quality),
        cmocka_unit_test(audio),
        cmocka_unit_test(pauses),
        cmocka_unit_test(ranges),
        cmocka_unit_test(off_air),
        cmocka_unit_test(flapping),
        cmocka_unit_test(ended),
        cmocka_unit_test(dead),
        cmocka_unit_test(certain)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
