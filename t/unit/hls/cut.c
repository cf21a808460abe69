
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "hls/mnt_hls_cut.h"
#include "hls/mnt_hls_live.h"


#define HEAD  "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n"          \
              "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
#define DISC  "#EXT-X-DISCONTINUITY\n"
#define GAP   "#EXT-X-GAP\n"
#define MAP1  "#EXT-X-MAP:URI=\"init-1.mp4\"\n"
#define MAP2  "#EXT-X-MAP:URI=\"init-2.mp4\"\n"
#define DATE(t)  "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:" t "Z\n"
#define SEG(n)   "#EXTINF:2.000000,\n00000" n ".ts\n"
#define END   "#EXT-X-ENDLIST\n"

#define LONG     18000
#define ROUNDS   300


typedef struct {
    const char  *name;
    const char  *cuts;                        /* lines */
    const char  *text;
    const char  *want;
    uint64_t     hidden;
} row_t;


static const row_t  rows[] = {

    { "in the middle", "2000000 4000000",
      HEAD SEG("1") SEG("2") SEG("3") END,
      HEAD SEG("1") DISC SEG("3") END, 1 },

    { "a segment belongs to the span that it begins in", "1 2000001",
      HEAD SEG("1") SEG("2") SEG("3") END,
      HEAD SEG("1") DISC SEG("3") END, 1 },

    { "the end is not within", "0 2000000",
      HEAD SEG("1") SEG("2") END, HEAD SEG("2") END, 1 },

    { "nothing begins in it", "500000 1999999",
      HEAD SEG("1") SEG("2") END, HEAD SEG("1") SEG("2") END, 0 },

    { "the end of it", "2000000 9000000",
      HEAD SEG("1") SEG("2") SEG("3") END, HEAD SEG("1") END, 2 },

    { "all of it", "0 9000000", HEAD SEG("1") SEG("2") END, HEAD END, 2 },

    { "not in order",
      "0 2000000\n4000000 5000000\n5000000 6500000\n3500000 3600000",
      HEAD SEG("1") SEG("2") SEG("3") SEG("4") SEG("5") END, NULL, 0 },

    { "two, those that touch are one",
      "0 2000000\n4000000 5000000\n5000000 6500000",
      HEAD SEG("1") SEG("2") SEG("3") SEG("4") SEG("5") END,
      HEAD SEG("2") DISC SEG("5") END, 3 },

    { "it has one already", "2000000 4000000",
      HEAD SEG("1") SEG("2") DISC SEG("3") END,
      HEAD SEG("1") DISC SEG("3") END, 1 },

    { "the first one has none", "0 4000000",
      HEAD SEG("1") SEG("2") DISC SEG("3") SEG("4") END,
      HEAD SEG("3") SEG("4") END, 2 },

    { "one that is hidden", "2000000 4000000",
      HEAD SEG("1") DISC SEG("2") SEG("3") END,
      HEAD SEG("1") DISC SEG("3") END, 1 },

    { "a map in front", "0 2000000",
      HEAD MAP1 SEG("1") SEG("2") SEG("3") END,
      HEAD MAP1 SEG("2") SEG("3") END, 1 },

    { "the map that is in force, once", "2000000 6000000\n8000000 10000000",
      HEAD MAP1 SEG("1") MAP2 SEG("2") SEG("3") SEG("4") SEG("5") SEG("6")
      END,
      HEAD MAP1 SEG("1") DISC MAP2 SEG("4") DISC SEG("6") END, 3 },

    { "its own map", "2000000 4000000",
      HEAD MAP1 SEG("1") MAP2 SEG("2") DISC MAP1 SEG("3") SEG("4") END,
      HEAD MAP1 SEG("1") DISC MAP1 SEG("3") SEG("4") END, 1 },

    { "when it was", "2000000 6000000",
      HEAD DATE("58.500") SEG("1") SEG("2") SEG("3") SEG("4") END,
      HEAD DATE("58.500") SEG("1") DISC
      "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:01:04.500Z\n" SEG("4") END, 2 },

    { "its own date", "0 2000000",
      HEAD DATE("01.000") SEG("1") DATE("05.000") SEG("2") END,
      HEAD DATE("05.000") SEG("2") END, 1 },

    { "what came before does not tell", "2000000 4000000",
      HEAD DATE("01.000") SEG("1") DISC SEG("2") SEG("3") END,
      HEAD DATE("01.000") SEG("1") DISC SEG("3") END, 1 },

    { "gaps stay gaps", "2000000 4000000",
      HEAD SEG("1") GAP SEG("2") GAP SEG("3") SEG("4") END,
      HEAD SEG("1") DISC GAP SEG("3") SEG("4") END, 1 },

    { "in progress again", "0 2000000",
      HEAD SEG("1") SEG("2") "#EXTINF:2.000000,\n0000",
      HEAD SEG("2"), 1 },

    { "keys", "0 2000000",
      HEAD "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n" SEG("1") SEG("2") END,
      "", 0 },

    { "not a media playlist", "0 2000000",
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo.m3u8\n", "", 0 }
};


static void
cut_rows(void **state)
{
    char            file[256], buf[4096];
    size_t          i, n;
    mnt_str_t       s;
    mnt_hls_cut_t   cut;
    mnt_hls_cuts_t  cuts, holes;

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {

        s.data = file;
        s.len = (size_t) snprintf(file, sizeof(file),
                                  "#MNTREAMER-CUTS:7\n%s\n#END\n",
                                  rows[i].cuts);

        if (rows[i].want == NULL) {
            mnt_test_ok(mnt_hls_cuts_read(&cuts, s) == -1, rows[i].name,
                        "refused");
            continue;
        }

        mnt_test_ok(mnt_hls_cuts_read(&cuts, s) == 0, rows[i].name, "read");
        mnt_test_i64((int64_t) cuts.version, 7, rows[i].name, "version");

        n = mnt_hls_cut(&cuts, mnt_str_c(rows[i].text), buf, sizeof(buf) - 1,
                        &cut);
        buf[n] = '\0';

        if (cut.foreign) {
            mnt_test_ok(rows[i].want[0] == '\0', rows[i].name, "foreign");

        } else {
            s.data = buf;
            s.len = n;
            mnt_test_str(s, rows[i].want, rows[i].name);
            mnt_test_i64((int64_t) cut.hidden, (int64_t) rows[i].hidden,
                         rows[i].name, "hidden");
            mnt_test_i64(cut.hidden_us, (int64_t) cut.hidden * 2000000,
                         rows[i].name, "hidden_us");

            /* where it has holes others have them, too */

            assert_int_equal(mnt_hls_cut_holes(&cuts,
                                 mnt_str_c(rows[i].text), &holes, &cut), 0);
            s.len = mnt_hls_cut(&holes, mnt_str_c(rows[i].text), buf,
                                sizeof(buf) - 1, &cut);
            mnt_test_str(s, rows[i].want, rows[i].name);
            mnt_hls_cuts_free(&holes);
        }

        mnt_hls_cuts_free(&cuts);
    }
}


static void
cuts_bad(void **state)
{
    size_t          i;
    mnt_hls_cuts_t  cuts;

    static const char *const  bad[] = {
        "", "#END\n", "#MNTREAMER-CUTS:1\n", "#MNTREAMER-CUTS:1\n#END",
        "#MNTREAMER-CUTS:\n#END\n", "#MNTREAMER-CUTS:x\n#END\n",
        "#MNTREAMER-CUTS:1\n1\n#END\n", "#MNTREAMER-CUTS:1\n1 1\n#END\n",
        "#MNTREAMER-CUTS:1\n2 1\n#END\n", "#MNTREAMER-CUTS:1\n-1 1\n#END\n",
        "#MNTREAMER-CUTS:1\n1 x\n#END\n", "#MNTREAMER-CUTS:1\n1 2 3\n#END\n",
        "#MNTREAMER-CUTS:1\n5 6\n1 2\n#END\n", "#MNTREAMER-CUTS:1\n1 2\n"
    };

    (void) state;

    for (i = 0; i < mnt_test_count(bad); i++) {
        mnt_test_ok(mnt_hls_cuts_read(&cuts, mnt_str_c(bad[i])) == -1, bad[i],
                    "refused");
    }

    assert_int_equal(mnt_hls_cuts_read(&cuts, S("#MNTREAMER-CUTS:9\n#END\n")),
                     0);
    assert_int_equal(cuts.n, 0);
}


/* of a video, for its sound: what begins a little beside it */

static void
cut_holes(void **state)
{
    size_t          i;
    mnt_str_t       s;
    char            buf[256];
    mnt_hls_cut_t   cut;
    mnt_hls_cuts_t  cuts, holes;

    static const char *const  spans[][2] = {
        { "2500000 4100000", "4000000 6000000\n" },
        { "100000 1900000", "" },
        { "0 1\n3000000 5000000\n7000000 9000000",
          "0 2000000\n4000000 6000000\n" }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(spans); i++) {
        s.data = buf;
        s.len = (size_t) snprintf(buf, sizeof(buf),
                                  "#MNTREAMER-CUTS:3\n%s\n#END\n",
                                  spans[i][0]);
        assert_int_equal(mnt_hls_cuts_read(&cuts, s), 0);
        assert_int_equal(mnt_hls_cut_holes(&cuts,
                             S(HEAD SEG("1") SEG("2") SEG("3") SEG("4") END),
                             &holes, &cut), 0);

        s.len = mnt_hls_cuts_write(&holes, buf, sizeof(buf));
        assert_true(s.len < sizeof(buf));
        s.data += sizeof("#MNTREAMER-CUTS:3\n") - 1;
        s.len -= sizeof("#MNTREAMER-CUTS:3\n") - 1 + sizeof("#END\n") - 1;

        mnt_test_str(s, spans[i][1], spans[i][0]);

        mnt_hls_cuts_free(&cuts);
        mnt_hls_cuts_free(&holes);
    }
}


static void
cuts_added(void **state)
{
    mnt_hls_cuts_t  cuts;

    (void) state;

    assert_int_equal(mnt_hls_cuts_read(&cuts,
                         S("#MNTREAMER-CUTS:9\n10 20\n40 50\n#END\n")), 0);

    assert_true(mnt_hls_cuts_add(&cuts, 0, 5));
    assert_true(mnt_hls_cuts_add(&cuts, 60, 70));
    assert_true(mnt_hls_cuts_add(&cuts, 15, 30));
    assert_int_equal(cuts.n, 4);
    assert_int_equal(cuts.spans[0].end_us, 5);
    assert_int_equal(cuts.spans[1].end_us, 30);
    assert_int_equal(cuts.spans[3].begin_us, 60);
    assert_int_equal(cuts.version, 9);

    assert_true(mnt_hls_cuts_add(&cuts, 0, 100));
    assert_int_equal(cuts.n, 1);
    assert_int_equal(cuts.spans[0].end_us, 100);

    mnt_hls_cuts_free(&cuts);
    assert_true(mnt_hls_cuts_add(&cuts, 1, 2));
    assert_int_equal(cuts.n, 1);
    mnt_hls_cuts_free(&cuts);
}


/* the same on every machine */

static uint64_t  seed;


static unsigned
chance(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;

    return (unsigned) (seed >> 33) % below;
}


/* any cuts, undone in any order: what is shown depends on those in force */

static void
cuts_any(void **state)
{
    char             text[8192], buf[16384];
    size_t           len, n, kept, i;
    int64_t          at, begin[4], end[4];
    unsigned         round, entries, k, hides, was;
    mnt_hls_cut_t    cut;
    mnt_hls_cuts_t   cuts;
    mnt_arena_t      a;
    mnt_hls_entry_t  e;

    mnt_hls_playlist_t  p, q;

    (void) state;

    seed = 5;

    for (round = 0; round < ROUNDS; round++) {

        memset(&e, 0, sizeof(e));
        memset(&cuts, 0, sizeof(cuts));

        len = mnt_hls_write_head(text, sizeof(text), 4, 1);
        entries = 1 + chance(60);

        for (i = 0; i < entries; i++) {
            e.uri = S("000001.ts");
            e.map_uri = (i == 0 || chance(10) == 0)
                        ? (chance(2) ? S("init-1.mp4") : S("init-2.mp4"))
                        : (mnt_str_t) mnt_str_null;
            e.date_ms = (i == 0 || chance(8) == 0)
                        ? 1767225600000 + (int64_t) i * 2000 : MNT_DATE_NONE;
            e.discontinuous = (i && chance(9) == 0);
            e.duration_us = 1000000 + chance(2000000);
            len += mnt_hls_write_entry(&e, text + len, sizeof(text) - len);
        }

        for (k = 0; k < 4; k++) {
            begin[k] = chance(60) * 1000000;
            end[k] = begin[k] + 1 + chance(20000000);
            assert_true(mnt_hls_cuts_add(&cuts, begin[k], end[k]));
        }

        n = mnt_hls_cut(&cuts, (mnt_str_t) { len, text }, buf, sizeof(buf),
                        &cut);

        assert_true(n <= len + cuts.n * MNT_HLS_CUT_HOLE);
        assert_int_equal(cut.entries, entries);

        mnt_arena_init(&a, 1 << 20);
        assert_int_equal(mnt_hls_parse(&a, (mnt_str_t) { len, text }, &p),
                         MNT_HLS_OK);
        assert_int_equal(mnt_hls_parse(&a, (mnt_str_t) { n, buf }, &q),
                         MNT_HLS_OK);
        assert_int_equal(q.nsegments, entries - cut.hidden);

        at = 0;
        kept = 0;
        was = 0;

        for (i = 0; i < entries; i++) {

            hides = 0;

            for (k = 0; k < 4; k++) {
                hides |= (begin[k] <= at && at < end[k]);
            }

            if (!hides) {
                assert_int_equal(q.segments[kept].duration_us,
                                 p.segments[i].duration_us);
                assert_true(mnt_str_eq(q.segments[kept].map->uri,
                                       p.segments[i].map->uri));
                assert_int_equal(q.segments[kept].discontinuous,
                                 was ? (kept > 0)
                                     : p.segments[i].discontinuous);

                if (p.segments[i].date_ms != MNT_DATE_NONE) {
                    assert_int_equal(q.segments[kept].date_ms,
                                     p.segments[i].date_ms);
                }

                kept++;
            }

            was = hides;
            at += p.segments[i].duration_us;
        }

        assert_int_equal(cut.duration_us, at);

        mnt_arena_free(&a);
        mnt_hls_cuts_free(&cuts);
    }
}


/* ten hours: a text of its own is made in one pass, at a glance */

static void
cut_long(void **state)
{
    char            *text, *buf;
    size_t           len, n, size;
    unsigned         i;
    mnt_hls_cut_t    cut;
    mnt_hls_cuts_t   cuts;
    mnt_hls_live_t   live;
    mnt_hls_entry_t  e;

    (void) state;

    size = (size_t) LONG * 128;
    text = malloc(size);
    buf = malloc(size);
    assert_true(text && buf);

    memset(&e, 0, sizeof(e));
    memset(&cuts, 0, sizeof(cuts));

    e.uri = S("000001.ts");
    e.duration_us = 2000000;

    len = mnt_hls_write_head(text, size, 2, 0);

    for (i = 0; i < LONG; i++) {
        e.date_ms = 1767225600000 + (int64_t) i * 2000;
        len += mnt_hls_write_entry(&e, text + len, size - len);
    }

    for (i = 0; i < MNT_HLS_CUT_SPANS; i++) {
        assert_true(mnt_hls_cuts_add(&cuts, i * (int64_t) 30000000,
                                     i * (int64_t) 30000000 + 10000000));
    }

    n = mnt_hls_cut(&cuts, (mnt_str_t) { len, text }, buf, size, &cut);
    assert_int_equal(cut.hidden, 5 * MNT_HLS_CUT_SPANS);

    /* windows are made of it as of any other */

    mnt_hls_live_init(&live);
    assert_int_equal(mnt_hls_live_read(&live, (mnt_str_t) { n, buf }), 0);
    assert_true(mnt_hls_live_shown(&live));
    assert_int_equal(live.at.entries, LONG - 5 * MNT_HLS_CUT_SPANS);
    assert_int_equal(live.at.discontinuities, MNT_HLS_CUT_SPANS - 1);

    mnt_hls_live_free(&live);
    mnt_hls_cuts_free(&cuts);
    free(text);
    free(buf);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(cut_rows),
        cmocka_unit_test(cuts_bad),
        cmocka_unit_test(cut_holes),
        cmocka_unit_test(cuts_added),
        cmocka_unit_test(cuts_any),
        cmocka_unit_test(cut_long)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
