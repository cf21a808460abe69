
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "hls/mnt_hls.h"


#define TARGET  2


/* one load of a playlist, and the plan it must give */

typedef struct {
    uint64_t         first;                   /* media sequence */
    unsigned         n;
    char             series;                  /* of an encoder: its names */
    mnt_hls_news_e   news;
    unsigned         index;
    unsigned         count;
    unsigned         discontinuous;
    uint64_t         lost_first;
    uint64_t         lost_count;
} load_t;


typedef enum {
    NAMES = 0,                                /* names only */
    DATES,                                    /* and a date on each segment */
    FIRST_DATE,                               /* a date on the first listed */
    TOKENS,                                   /* token changes each load */
    QUERY,                                    /* one path, the query counts */
    RENAMED                                   /* no name is used twice */
} shape_e;


static const char  *const news_names[] = {
    "NEWS", "UNCHANGED", "STALE", "RESET"
};


/* a playlist as an encoder lists it; "load" changes what is not stable */

static void
list(mnt_arena_t *a, mnt_hls_playlist_t *p, const load_t *l, shape_e shape,
    unsigned load)
{
    char       buf[65536], date[MNT_DATE_LEN + 1];
    size_t     n;
    int64_t    ms;
    unsigned   i;
    mnt_str_t  s;

    n = (size_t) snprintf(buf, sizeof(buf),
                          "#EXTM3U\n#EXT-X-TARGETDURATION:%d\n"
                          "#EXT-X-MEDIA-SEQUENCE:%llu\n", TARGET,
                          (unsigned long long) l->first);

    for (i = 0; i < l->n; i++) {
        if (shape == DATES || (shape == FIRST_DATE && i == 0)) {

            /* each encoder's clock starts ten minutes after the one before */

            ms = 1790508525007 + (l->series - 'a') * (int64_t) 600000
                 + (int64_t) ((l->first + i) % 1000000) * TARGET * 1000;
            (void) mnt_date_write(ms, date, sizeof(date));
            n += (size_t) snprintf(buf + n, sizeof(buf) - n,
                                   "#EXT-X-PROGRAM-DATE-TIME:%s\n", date);
        }

        n += (size_t) snprintf(buf + n, sizeof(buf) - n, "#EXTINF:%d,\n",
                               TARGET);

        switch (shape) {

        case TOKENS:
            n += (size_t) snprintf(buf + n, sizeof(buf) - n,
                                   "hdntl=exp=%u~hmac=%u/%c-%llu.ts?x=%u\n",
                                   load, load, l->series,
                                   (unsigned long long) (l->first + i), load);
            break;

        case QUERY:
            n += (size_t) snprintf(buf + n, sizeof(buf) - n,
                                   "seg.ts?s=%c&n=%llu&token=%u\n", l->series,
                                   (unsigned long long) (l->first + i), load);
            break;

        case RENAMED:
            n += (size_t) snprintf(buf + n, sizeof(buf) - n,
                                   "%c-%llu-%u.ts\n", l->series,
                                   (unsigned long long) (l->first + i), load);
            break;

        default:
            n += (size_t) snprintf(buf + n, sizeof(buf) - n, "%c-%llu.ts\n",
                                   l->series,
                                   (unsigned long long) (l->first + i));
        }
    }

    assert_true(n < sizeof(buf));
    s.data = buf;
    s.len = n;
    assert_int_equal(mnt_hls_parse(a, s, p), MNT_HLS_OK);
}


static void
run(const char *name, const load_t *loads, size_t n, shape_e shape)
{
    char                row[64];
    size_t              i;
    int64_t             wait;
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    mnt_hls_window_init(&w);

    for (i = 0; i < n; i++) {
        (void) snprintf(row, sizeof(row), "%s, load %u", name, (unsigned) i);

        mnt_arena_init(&a, 1 << 20);
        list(&a, &p, &loads[i], shape, (unsigned) i + 1);
        mnt_hls_window_plan(&w, &p, (int64_t) i * 1000,
                            (int64_t) i * 1000 + 10, &plan);

        mnt_test_str(mnt_str_c(news_names[plan.news]),
                     news_names[loads[i].news], row);
        mnt_test_i64(plan.count, loads[i].count, row, "count");

        if (plan.count) {
            mnt_test_i64(plan.first, loads[i].index, row, "first");
            mnt_test_i64(plan.discontinuous, loads[i].discontinuous, row,
                         "discontinuous");
        }

        mnt_test_i64((int64_t) plan.lost_first, (int64_t) loads[i].lost_first,
                     row, "lost_first");
        mnt_test_i64((int64_t) plan.lost_count, (int64_t) loads[i].lost_count,
                     row, "lost_count");
        mnt_test_i64(plan.lost_us,
                     (int64_t) loads[i].lost_count * TARGET * 1000000, row,
                     "lost_us");

        wait = loads[i].count ? TARGET * 1000 : TARGET * 500;
        mnt_test_i64(plan.next_ms, wait, row, "next_ms");
        mnt_test_i64(plan.ended, 0, row, "ended");

        mnt_arena_free(&a);
    }
}


#define RUN(table, shape)                                                     \
    run(#table " " #shape, table, mnt_test_count(table), shape)


static const load_t  sliding[] = {
    { 4700, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 4700, 3, 'a', MNT_HLS_UNCHANGED, 0, 0, 0, 0, 0 },
    { 4701, 3, 'a', MNT_HLS_NEWS, 2, 1, 0, 0, 0 },
    { 4703, 3, 'a', MNT_HLS_NEWS, 1, 2, 0, 0, 0 },
    { 4706, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 4706, 3, 'a', MNT_HLS_UNCHANGED, 0, 0, 0, 0, 0 },
    { 4711, 3, 'a', MNT_HLS_NEWS, 0, 3, 1, 4709, 2 },
    { 4712, 3, 'a', MNT_HLS_NEWS, 2, 1, 0, 0, 0 },
    { 104715, 3, 'a', MNT_HLS_NEWS, 0, 3, 1, 4715, 100000 }
};


static const load_t  growing[] = {
    { 0, 0, 'a', MNT_HLS_UNCHANGED, 0, 0, 0, 0, 0 },
    { 0, 1, 'a', MNT_HLS_NEWS, 0, 1, 0, 0, 0 },
    { 0, 0, 'a', MNT_HLS_UNCHANGED, 0, 0, 0, 0, 0 },
    { 0, 3, 'a', MNT_HLS_NEWS, 1, 2, 0, 0, 0 },
    { 0, 200, 'a', MNT_HLS_NEWS, 3, 197, 0, 0, 0 },
    { 0, 201, 'a', MNT_HLS_NEWS, 200, 1, 0, 0, 0 },
    { 0, 201, 'a', MNT_HLS_UNCHANGED, 0, 0, 0, 0, 0 }
};


/* RELIABILITY P4: two edges, three segments apart */

static const load_t  edges[] = {
    { 100, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 103, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 100, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 104, 3, 'a', MNT_HLS_NEWS, 2, 1, 0, 0, 0 },
    { 101, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 101, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 102, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 103, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 104, 3, 'a', MNT_HLS_UNCHANGED, 0, 0, 0, 0, 0 },
    { 107, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 }
};


/* an edge older than what was ever planned */

static const load_t  older_edge[] = {
    { 100, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 97, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 98, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 101, 3, 'a', MNT_HLS_NEWS, 2, 1, 0, 0, 0 }
};


/* RELIABILITY P3 */

static const load_t  to_zero[] = {
    { 5000, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 0, 3, 'b', MNT_HLS_RESET, 0, 3, 1, 0, 0 },
    { 1, 3, 'b', MNT_HLS_NEWS, 2, 1, 0, 0, 0 },
    { 5000, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 2, 3, 'b', MNT_HLS_NEWS, 2, 1, 0, 0, 0 }
};


static const load_t  back_a_little[] = {
    { 4988, 10, 'a', MNT_HLS_NEWS, 0, 10, 0, 0, 0 },
    { 4998, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 4990, 3, 'b', MNT_HLS_RESET, 0, 3, 1, 0, 0 },
    { 4991, 3, 'b', MNT_HLS_NEWS, 2, 1, 0, 0, 0 },
    { 4998, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 4994, 3, 'b', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 4997, 5, 'b', MNT_HLS_NEWS, 0, 5, 0, 0, 0 }
};


static const load_t  same_numbers[] = {
    { 10, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 10, 3, 'b', MNT_HLS_RESET, 0, 3, 1, 0, 0 },
    { 11, 3, 'b', MNT_HLS_NEWS, 2, 1, 0, 0, 0 }
};


static const load_t  forward[] = {
    { 10, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 1000010, 3, 'b', MNT_HLS_RESET, 0, 3, 1, 0, 0 },
    { 1000011, 3, 'b', MNT_HLS_NEWS, 2, 1, 0, 0, 0 },
    { 9223372036854775807u, 3, 'c', MNT_HLS_RESET, 0, 3, 1, 0, 0 },
    { 9223372036854775807u, 4, 'c', MNT_HLS_NEWS, 3, 1, 0, 0, 0 },
    { 0, 3, 'd', MNT_HLS_RESET, 0, 3, 1, 0, 0 }
};


/* the server goes back to the old numbering for good */

static const load_t  fail_back[] = {
    { 5000, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 0, 3, 'b', MNT_HLS_RESET, 0, 3, 1, 0, 0 },
    { 5001, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 5001, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 5002, 3, 'a', MNT_HLS_RESET, 1, 2, 1, 0, 0 },
    { 5003, 3, 'a', MNT_HLS_NEWS, 2, 1, 0, 0, 0 }
};


/* lower numbers that nobody knows, without a date to tell */

static const load_t  unknown_lower[] = {
    { 100, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 90, 3, 'b', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 90, 3, 'b', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 91, 3, 'b', MNT_HLS_RESET, 0, 3, 1, 0, 0 },
    { 92, 3, 'b', MNT_HLS_NEWS, 2, 1, 0, 0, 0 }
};


/* the same with dates: later ones tell a restart at once */

static const load_t  dated_lower[] = {
    { 100, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 90, 3, 'b', MNT_HLS_RESET, 0, 3, 1, 0, 0 },
    { 91, 3, 'b', MNT_HLS_NEWS, 2, 1, 0, 0, 0 }
};


/* an edge that still lists what was lost: too late, it is not in order */

static const load_t  late[] = {
    { 100, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 105, 3, 'a', MNT_HLS_NEWS, 0, 3, 1, 103, 2 },
    { 102, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 102, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 102, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 102, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 106, 3, 'a', MNT_HLS_NEWS, 2, 1, 0, 0, 0 }
};


static void
windows(void **state)
{
    (void) state;

    RUN(sliding, NAMES);
    RUN(sliding, DATES);
    RUN(sliding, FIRST_DATE);
    RUN(growing, NAMES);
    RUN(growing, DATES);
    RUN(growing, FIRST_DATE);
    RUN(edges, NAMES);
    RUN(edges, DATES);
    RUN(edges, FIRST_DATE);
    RUN(older_edge, NAMES);
    RUN(older_edge, DATES);
    RUN(older_edge, FIRST_DATE);
    RUN(late, NAMES);
    RUN(late, DATES);
    RUN(late, FIRST_DATE);
}


static void
resets(void **state)
{
    (void) state;

    RUN(to_zero, NAMES);
    RUN(to_zero, TOKENS);
    RUN(back_a_little, NAMES);
    RUN(back_a_little, DATES);
    RUN(back_a_little, FIRST_DATE);
    RUN(back_a_little, TOKENS);
    RUN(same_numbers, NAMES);
    RUN(same_numbers, DATES);
    RUN(forward, NAMES);
    RUN(forward, TOKENS);
    RUN(fail_back, NAMES);
    RUN(unknown_lower, NAMES);
    RUN(dated_lower, DATES);
    RUN(dated_lower, FIRST_DATE);
}


/* RELIABILITY P6: the same segment under a new URI is no new segment */

static void
tokens(void **state)
{
    (void) state;

    RUN(sliding, TOKENS);
    RUN(edges, TOKENS);
    RUN(sliding, QUERY);
    RUN(growing, QUERY);
    RUN(edges, QUERY);
    RUN(same_numbers, QUERY);
    RUN(back_a_little, QUERY);
}


/* a name of its own at each load: one mistake, then only numbers count */

static const load_t  renamed[] = {
    { 100, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 101, 3, 'a', MNT_HLS_RESET, 0, 3, 1, 0, 0 },
    { 102, 3, 'a', MNT_HLS_NEWS, 2, 1, 0, 0, 0 },
    { 102, 3, 'a', MNT_HLS_UNCHANGED, 0, 0, 0, 0, 0 },
    { 101, 3, 'a', MNT_HLS_STALE, 0, 0, 0, 0, 0 },
    { 106, 3, 'a', MNT_HLS_NEWS, 0, 3, 1, 105, 1 },
    { 0, 3, 'b', MNT_HLS_RESET, 0, 3, 1, 0, 0 }
};


/* the order of the first three stands for an encoder that restarts twice */

static const load_t  two_restarts[] = {
    { 100, 3, 'a', MNT_HLS_NEWS, 0, 3, 0, 0, 0 },
    { 100, 3, 'b', MNT_HLS_RESET, 0, 3, 1, 0, 0 },
    { 101, 3, 'b', MNT_HLS_NEWS, 2, 1, 0, 0, 0 },
    { 101, 3, 'c', MNT_HLS_RESET, 0, 3, 1, 0, 0 },
    { 102, 3, 'c', MNT_HLS_NEWS, 2, 1, 0, 0, 0 }
};


static void
unstable_names(void **state)
{
    (void) state;

    RUN(renamed, RENAMED);
    RUN(two_restarts, NAMES);
}


/* a restart with the names of before shows by its dates only */

static void
same_names(void **state)
{
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    (void) state;

    mnt_arena_init(&a, 1 << 20);
    mnt_hls_window_init(&w);

    assert_int_equal(mnt_hls_parse(&a,
        S("#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
          "#EXT-X-PROGRAM-DATE-TIME:2026-09-27T11:00:00Z\n#EXTINF:2,\n0.ts\n"
          "#EXT-X-PROGRAM-DATE-TIME:2026-09-27T11:00:02Z\n#EXTINF:2,\n1.ts\n"),
        &p), MNT_HLS_OK);
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.count, 2);

    /* dates of another edge may be off by less than half a segment */

    p.segments[1].date_ms += 900;
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.news, MNT_HLS_UNCHANGED);

    p.segments[0].date_ms += 60000;
    p.segments[1].date_ms += 60000;
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.news, MNT_HLS_RESET);
    assert_int_equal(plan.count, 2);
    assert_int_equal(w.epoch, 1);

    /* a new name with the very date is the same segment */

    p.segments[1].uri = S("other.ts");
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.news, MNT_HLS_UNCHANGED);
    assert_int_equal(w.by_number, 0);

    mnt_arena_free(&a);
}


#define CHZZK_HEAD(sequence)                                                  \
    "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"                \
    "#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:" #sequence "\n"          \
    "#EXT-X-MAP:URI=\"1080p_0_0_0.m4s?type=hls&filetype=.m4s\"\n"

#define CHZZK_SEGMENT(time, rest)                                             \
    "#EXT-X-PROGRAM-DATE-TIME:2026-09-27T11:" time ".007Z\n"                  \
    "#EXTINF:2.000000,\n1080p_" rest ".m4v?type=hls&filetype=.m4v\n"


/* the form of Chzzk: window of three, and 10 seconds missed */

static void
chzzk(void **state)
{
    size_t              i;
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    static const char  *const loads[] = {
        CHZZK_HEAD(4700)
        CHZZK_SEGMENT("28:45", "15_1790508525007_9400_0_4700")
        CHZZK_SEGMENT("28:47", "85_1790508527007_9402_0_4701")
        CHZZK_SEGMENT("28:49", "22_1790508529007_9404_0_4702"),
        CHZZK_HEAD(4701)
        CHZZK_SEGMENT("28:47", "85_1790508527007_9402_0_4701")
        CHZZK_SEGMENT("28:49", "22_1790508529007_9404_0_4702")
        CHZZK_SEGMENT("28:51", "16_1790508531007_9406_0_4703"),
        CHZZK_HEAD(4706)
        CHZZK_SEGMENT("28:57", "21_1790508537007_9412_0_4706")
        CHZZK_SEGMENT("28:59", "45_1790508539007_9414_0_4707")
        CHZZK_SEGMENT("29:01", "32_1790508541007_9416_0_4708")
    };

    (void) state;

    mnt_hls_window_init(&w);

    for (i = 0; i < 3; i++) {
        mnt_arena_init(&a, 1 << 20);
        assert_int_equal(mnt_hls_parse(&a, mnt_str_c(loads[i]), &p),
                         MNT_HLS_OK);
        mnt_hls_window_plan(&w, &p, (int64_t) i * 2000, (int64_t) i * 2000,
                            &plan);
        mnt_arena_free(&a);

        assert_int_equal(plan.news, MNT_HLS_NEWS);
        assert_int_equal(plan.first, i == 1 ? 2 : 0);
        assert_int_equal(plan.count, i == 1 ? 1 : 3);
        assert_int_equal(plan.next_ms, 2000);
        assert_int_equal(plan.discontinuous, i == 2);
    }

    assert_int_equal(plan.lost_first, 4704);
    assert_int_equal(plan.lost_count, 2);
    assert_int_equal(plan.lost_us, 4000000);
    assert_int_equal(w.epoch, 0);
}


static void
lost_time(void **state)
{
    size_t              i;
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    static const struct {
        const char  *date;                    /* of number 13, after 10 */
        int64_t      lost_us;
    } rows[] = {
        { "2026-09-27T11:00:05.500Z", 4000000 },
        { "2026-09-27T11:00:09.500Z", 8000000 },
        { "2026-09-27T11:00:09.501Z", 3000000 },
        { "2026-09-27T11:00:01.500Z", 3000000 },
        { "2026-09-27T10:00:00Z", 3000000 }
    };

    (void) state;

    mnt_arena_init(&a, 1 << 20);

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_hls_window_init(&w);
        assert_int_equal(mnt_hls_parse(&a,
            S("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:10\n"
              "#EXT-X-PROGRAM-DATE-TIME:2026-09-27T11:00:00Z\n"
              "#EXTINF:1.5,\n10.ts\n"), &p), MNT_HLS_OK);
        mnt_hls_window_plan(&w, &p, 0, 0, &plan);

        p.segments[0].sequence = 13;
        p.segments[0].uri = S("13.ts");
        p.segments[0].date_ms = mnt_date_parse(mnt_str_c(rows[i].date), 0,
                                               NULL);
        mnt_hls_window_plan(&w, &p, 0, 0, &plan);

        mnt_test_i64((int64_t) plan.lost_count, 2, rows[i].date, "count");
        mnt_test_i64(plan.lost_us, rows[i].lost_us, rows[i].date, "time");
    }

    /* what EXT-X-SKIP stands for is listed, but cannot be had */

    mnt_hls_window_init(&w);
    assert_int_equal(mnt_hls_parse(&a,
        S("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:10\n"
          "#EXT-X-SKIP:SKIPPED-SEGMENTS=5\n#EXTINF:2,\n15.ts\n"), &p),
        MNT_HLS_OK);
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.lost_first, 10);
    assert_int_equal(plan.lost_count, 5);
    assert_int_equal(plan.lost_us, 10000000);
    assert_int_equal(plan.discontinuous, 0);
    assert_int_equal(plan.count, 1);

    mnt_arena_free(&a);
}


/* an encoder whose clock went back with its numbers; a frozen edge */

static void
clock_back(void **state)
{
    unsigned            i;
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    load_t  l = { 5000, 3, 'b', MNT_HLS_NEWS, 0, 0, 0, 0, 0 };

    (void) state;

    mnt_arena_init(&a, 1 << 22);
    mnt_hls_window_init(&w);
    list(&a, &p, &l, DATES, 0);
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);

    l.series = 'a';
    l.first = 100;
    list(&a, &p, &l, DATES, 0);

    for (i = 0; i < 20; i++) {
        mnt_hls_window_plan(&w, &p, 0, 0, &plan);
        assert_int_equal(plan.news, MNT_HLS_STALE);
    }

    l.first = 101;
    list(&a, &p, &l, DATES, 0);
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.news, MNT_HLS_RESET);
    assert_int_equal(plan.count, 3);

    mnt_arena_free(&a);
}


static void
discontinuities(void **state)
{
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    (void) state;

    mnt_arena_init(&a, 1 << 20);
    mnt_hls_window_init(&w);

    assert_int_equal(mnt_hls_parse(&a,
        S("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-DISCONTINUITY\n"
          "#EXTINF:2,\n0.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:2,\n1.ts\n"), &p),
        MNT_HLS_OK);
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.discontinuous, 0);
    assert_int_equal(w.discontinuity, 2);

    assert_int_equal(mnt_hls_parse(&a,
        S("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-DISCONTINUITY\n"
          "#EXT-X-MEDIA-SEQUENCE:1\n#EXTINF:2,\n1.ts\n#EXTINF:2,\n2.ts\n"),
        &p), MNT_HLS_OK);
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.discontinuous, 0);

    assert_int_equal(mnt_hls_parse(&a,
        S("#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
          "#EXT-X-MEDIA-SEQUENCE:2\n#EXTINF:2,\n2.ts\n#EXT-X-DISCONTINUITY\n"
          "#EXTINF:2,\n3.ts\n"), &p), MNT_HLS_OK);
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.count, 1);
    assert_int_equal(plan.discontinuous, 1);

    mnt_arena_free(&a);
}


static void
ranges(void **state)
{
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    (void) state;

    mnt_arena_init(&a, 1 << 20);
    mnt_hls_window_init(&w);

    assert_int_equal(mnt_hls_parse(&a,
        S("#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
          "#EXT-X-BYTERANGE:10@0\n#EXTINF:2,\na.ts\n"
          "#EXT-X-BYTERANGE:10\n#EXTINF:2,\na.ts\n"), &p), MNT_HLS_OK);
    assert_true(mnt_hls_identity(&p.segments[0])
                != mnt_hls_identity(&p.segments[1]));
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.news, MNT_HLS_UNCHANGED);
    assert_int_equal(w.by_query, 0);

    p.segments[1].range.offset = 11;
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.news, MNT_HLS_RESET);

    mnt_arena_free(&a);
}


static void
timing(void **state)
{
    size_t              i;
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    static const struct {
        const char  *playlist;
        int64_t      news_ms;
        int64_t      unchanged_ms;
        int          ended;
    } rows[] = {
        { "#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na\n", 2000, 1000, 0 },
        { "#EXT-X-TARGETDURATION:0\n#EXTINF:0,\na\n", 1000, 500, 0 },
        { "#EXT-X-TARGETDURATION:1\n#EXTINF:0.1,\na\n", 1000, 500, 0 },
        { "#EXT-X-TARGETDURATION:3600\n#EXTINF:2,\na\n", 60000, 60000, 0 },
        { "#EXT-X-TARGETDURATION:2\n#EXTINF:2,\na\n#EXT-X-ENDLIST\n", 2000,
          1000, 1 },
        { "#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:2,\na\n",
          2000, 1000, 1 },
        { "#EXT-X-TARGETDURATION:10\n#EXTINF:2,\na\n#EXTINF:2,\nb\n"
          "#EXTINF:2,\nc\n", 5000, 5000, 0 },
        { "#EXT-X-TARGETDURATION:10\n#EXTINF:6,\na\n#EXTINF:6,\nb\n"
          "#EXTINF:6,\nc\n", 6000, 5000, 0 },
        { "#EXT-X-TARGETDURATION:10\n#EXT-X-PLAYLIST-TYPE:EVENT\n#EXTINF:2,\n"
          "a\n#EXTINF:2,\nb\n#EXTINF:2,\nc\n", 10000, 5000, 0 }
    };

    char  text[512];

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_arena_init(&a, 1 << 20);
        (void) snprintf(text, sizeof(text), "#EXTM3U\n%s", rows[i].playlist);
        assert_int_equal(mnt_hls_parse(&a, mnt_str_c(text), &p), MNT_HLS_OK);

        mnt_hls_window_init(&w);
        mnt_hls_window_plan(&w, &p, 5, 6, &plan);
        mnt_test_i64(plan.next_ms, rows[i].news_ms, text, "after news");
        mnt_test_i64(plan.ended, rows[i].ended, text, "ended");

        mnt_hls_window_plan(&w, &p, 7, 8, &plan);
        mnt_test_i64(plan.news, MNT_HLS_UNCHANGED, text, "news");
        mnt_test_i64(plan.next_ms, rows[i].unchanged_ms, text, "after none");
        mnt_test_i64(plan.ended, rows[i].ended, text, "still ended");

        mnt_arena_free(&a);
    }
}


/* RELIABILITY P1 and P11 */

static void
stall_and_end(void **state)
{
    size_t              i;
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    load_t  l = { 100, 3, 'a', MNT_HLS_NEWS, 0, 0, 0, 0, 0 };

    static const struct {
        int64_t   now_ms;
        unsigned  stalled;
    } rows[] = {
        { 1001000, 0 }, { 1003000, 0 }, { 1005999, 0 }, { 1006000, 1 },
        { 1007000, 1 }
    };

    (void) state;

    mnt_arena_init(&a, 1 << 22);
    mnt_hls_window_init(&w);
    list(&a, &p, &l, NAMES, 0);
    mnt_hls_window_plan(&w, &p, 999000, 1000000, &plan);
    assert_int_equal(plan.stalled, 0);

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_hls_window_plan(&w, &p, rows[i].now_ms, rows[i].now_ms, &plan);
        assert_int_equal(plan.stalled, rows[i].stalled);
        assert_int_equal(w.unchanged, i + 1);
    }

    l.first = 101;
    list(&a, &p, &l, NAMES, 0);
    mnt_hls_window_plan(&w, &p, 1010000, 1010000, &plan);
    assert_int_equal(plan.news, MNT_HLS_NEWS);
    assert_int_equal(plan.stalled, 0);
    assert_int_equal(w.unchanged, 0);

    /* the end is told by a playlist without news, and may be taken back */

    p.endlist = 1;
    mnt_hls_window_plan(&w, &p, 1011000, 1011000, &plan);
    assert_int_equal(plan.news, MNT_HLS_UNCHANGED);
    assert_int_equal(plan.ended, 1);
    assert_int_equal(w.ended, 1);

    l.first = 102;
    list(&a, &p, &l, NAMES, 0);
    mnt_hls_window_plan(&w, &p, 1012000, 1012000, &plan);
    assert_int_equal(plan.news, MNT_HLS_NEWS);
    assert_int_equal(plan.ended, 0);

    /* an older view cannot end what goes on */

    l.first = 100;
    list(&a, &p, &l, NAMES, 0);
    p.endlist = 1;
    mnt_hls_window_plan(&w, &p, 1013000, 1013000, &plan);
    assert_int_equal(plan.news, MNT_HLS_STALE);
    assert_int_equal(plan.ended, 0);

    mnt_arena_free(&a);

    /* nothing listed from the start is a stall as well */

    mnt_arena_init(&a, 1 << 20);
    mnt_hls_window_init(&w);
    l.n = 0;
    list(&a, &p, &l, NAMES, 0);
    mnt_hls_window_plan(&w, &p, 1000, 5000, &plan);
    assert_int_equal(plan.stalled, 0);
    mnt_hls_window_plan(&w, &p, 6000, 11000, &plan);
    assert_int_equal(plan.stalled, 1);
    mnt_arena_free(&a);
}


/* MON-09: a window rebuilt from what was stored goes on where it was */

static void
restored(void **state)
{
    unsigned            i, by_window;
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_seen_t      seen;
    mnt_hls_window_t    w, copy;
    mnt_hls_playlist_t  p;

    load_t  l = { 100, 3, 'a', MNT_HLS_NEWS, 0, 0, 0, 0, 0 };

    static const shape_e  shapes[] = { NAMES, DATES, TOKENS, QUERY };

    (void) state;

    mnt_arena_init(&a, 1 << 24);

    for (i = 0; i < 2 * mnt_test_count(shapes); i++) {
        by_window = i % 2;
        mnt_hls_window_init(&w);
        l.first = 100;
        list(&a, &p, &l, shapes[i / 2], 1);
        mnt_hls_window_plan(&w, &p, 0, 0, &plan);

        /* the third was on its way when the process died */

        mnt_hls_window_init(&copy);

        for (l.n = 0; l.n < 2; l.n++) {
            seen.sequence = p.segments[l.n].sequence;
            seen.identity = by_window
                            ? mnt_hls_window_identity(&w, &p.segments[l.n])
                            : mnt_hls_identity(&p.segments[l.n]);
            seen.date_ms = p.segments[l.n].date_ms;
            mnt_hls_window_seen(&copy, 3, &seen, 2000000);
        }

        l.n = 3;
        l.first = 101;
        list(&a, &p, &l, shapes[i / 2], 2);
        mnt_hls_window_plan(&copy, &p, 900000, 900000, &plan);

        assert_int_equal(plan.news, MNT_HLS_NEWS);
        assert_int_equal(plan.first, 1);
        assert_int_equal(plan.count, 2);
        assert_int_equal(plan.discontinuous, 0);
        assert_int_equal(copy.epoch, 3);

        /* gone for too long: what passed by is told */

        l.first = 110;
        list(&a, &p, &l, shapes[i / 2], 3);
        mnt_hls_window_plan(&copy, &p, 910000, 910000, &plan);
        assert_int_equal(plan.lost_first, 104);
        assert_int_equal(plan.lost_count, 6);
        assert_int_equal(plan.lost_us, 12000000);
    }

    mnt_arena_free(&a);
}


/* two epochs stored, then the first numbering comes back from an edge */

static void
restored_epochs(void **state)
{
    unsigned            i;
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_seen_t      seen;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    load_t  l = { 5000, 3, 'a', MNT_HLS_NEWS, 0, 0, 0, 0, 0 };

    (void) state;

    mnt_arena_init(&a, 1 << 22);
    mnt_hls_window_init(&w);

    for (i = 0; i < 6; i++) {
        l.first = i < 3 ? 5000 : 0;
        l.series = i < 3 ? 'a' : 'b';
        list(&a, &p, &l, NAMES, 0);
        seen.sequence = p.segments[i % 3].sequence;
        seen.identity = mnt_hls_identity(&p.segments[i % 3]);
        seen.date_ms = MNT_DATE_NONE;
        mnt_hls_window_seen(&w, i / 3, &seen, 2000000);
    }

    assert_int_equal(w.next, 3);

    l.first = 5000;
    l.series = 'a';
    list(&a, &p, &l, NAMES, 0);
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.news, MNT_HLS_STALE);

    l.first = 1;
    l.series = 'b';
    list(&a, &p, &l, NAMES, 0);
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.news, MNT_HLS_NEWS);
    assert_int_equal(plan.count, 1);

    mnt_arena_free(&a);
}


/*
 * RELIABILITY P4 for long: 1000 loads, every second one from an edge 0 to 3
 * segments behind; every segment is planned once, in order, without a reset.
 */

static void
unsynchronised_edges(void **state)
{
    int                 i;
    uint32_t            rnd;
    uint64_t            next;
    unsigned            k;
    shape_e             shape;
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    load_t  l = { 0, 3, 'a', MNT_HLS_NEWS, 0, 0, 0, 0, 0 };

    (void) state;

    for (shape = NAMES; shape <= QUERY; shape++) {
        mnt_hls_window_init(&w);
        rnd = 1;
        next = 1003;

        for (i = 0; i < 1000; i++) {
            rnd = rnd * 1664525 + 1013904223;
            l.first = 1003 + (uint64_t) i / 2 - (i % 2 ? rnd >> 30 : 0);

            mnt_arena_init(&a, 1 << 20);
            list(&a, &p, &l, shape, (unsigned) i);
            mnt_hls_window_plan(&w, &p, i, i, &plan);

            assert_int_not_equal(plan.news, MNT_HLS_RESET);
            assert_int_equal(plan.lost_count, 0);

            for (k = 0; k < plan.count; k++) {
                assert_int_equal(p.segments[plan.first + k].sequence, next);
                next++;
            }

            mnt_arena_free(&a);
        }

        assert_true(next >= 1500);
    }
}


/*
 * ING-08: publishers that come back again and again, each begins at 0 with
 * names of its own; after a long one before as after short ones nothing is
 * passed over
 */

static void
certain(void **state)
{
    unsigned            i, first;
    load_t              l;
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    static const unsigned  before[] = { 1, 5, 65, 100, 128, 500 };

    (void) state;

    mnt_arena_init(&a, 16 << 20);

    for (i = 0; i < mnt_test_count(before); i++) {
        mnt_hls_window_init(&w);
        memset(&l, 0, sizeof(l));
        l.series = 'a';

        for (first = 0; first < before[i]; first++) {
            l.first = first > 14 ? first - 14 : 0;
            l.n = first - (unsigned) l.first + 1;
            list(&a, &p, &l, NAMES, 0);
            mnt_hls_window_certain(&w);
            mnt_hls_window_plan(&w, &p, 0, 0, &plan);
            assert_int_equal(plan.count, 1);
        }

        for (l.series = 'b'; l.series < 'f'; l.series++) {
            l.first = 0;
            l.n = 1;
            list(&a, &p, &l, NAMES, 0);
            mnt_hls_window_certain(&w);
            mnt_hls_window_plan(&w, &p, 0, 0, &plan);
            assert_int_equal(plan.news, MNT_HLS_RESET);
            assert_int_equal(plan.count, 1);

            l.n = 2;
            list(&a, &p, &l, NAMES, 0);
            mnt_hls_window_certain(&w);
            mnt_hls_window_plan(&w, &p, 0, 0, &plan);
            assert_int_equal(plan.news, MNT_HLS_NEWS);
            assert_int_equal(plan.count, 1);
            assert_int_equal(plan.lost_count, 0);
        }
    }

    mnt_arena_free(&a);
}


/* a source whose beginning is known, and was not seen */

static void
from_start(void **state)
{
    load_t              l;
    mnt_arena_t         a;
    mnt_hls_plan_t      plan;
    mnt_hls_window_t    w;
    mnt_hls_playlist_t  p;

    (void) state;

    mnt_arena_init(&a, 1 << 20);
    memset(&l, 0, sizeof(l));
    l.series = 'a';

    mnt_hls_window_init(&w);
    mnt_hls_window_from(&w, 1, 1500000);

    l.first = 4;
    l.n = 3;
    list(&a, &p, &l, NAMES, 0);
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.news, MNT_HLS_NEWS);
    assert_int_equal(plan.count, 3);
    assert_int_equal(plan.discontinuous, 0);
    assert_int_equal(plan.lost_first, 1);
    assert_int_equal(plan.lost_count, 3);
    assert_int_equal(plan.lost_us, 4500000);

    /* that is told once, and nothing changes behind the first plan */

    mnt_hls_window_from(&w, 0, 1);
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.news, MNT_HLS_UNCHANGED);
    assert_int_equal(plan.lost_count, 0);

    /* all of it is there */

    mnt_hls_window_init(&w);
    mnt_hls_window_from(&w, 0, 1500000);
    l.first = 0;
    list(&a, &p, &l, NAMES, 0);
    mnt_hls_window_plan(&w, &p, 0, 0, &plan);
    assert_int_equal(plan.count, 3);
    assert_int_equal(plan.lost_count, 0);

    mnt_arena_free(&a);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(windows),
        cmocka_unit_test(resets),
        cmocka_unit_test(tokens),
        cmocka_unit_test(unstable_names),
        cmocka_unit_test(same_names),
        cmocka_unit_test(chzzk),
        cmocka_unit_test(lost_time),
        cmocka_unit_test(clock_back),
        cmocka_unit_test(discontinuities),
        cmocka_unit_test(ranges),
        cmocka_unit_test(timing),
        cmocka_unit_test(stall_and_end),
        cmocka_unit_test(restored),
        cmocka_unit_test(restored_epochs),
        cmocka_unit_test(unsynchronised_edges),
        cmocka_unit_test(certain),
        cmocka_unit_test(from_start)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
