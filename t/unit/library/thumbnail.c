
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "library/mnt_thumbnail.h"


static void
due(void **state)
{
    size_t  i;
    int     got;

    static const struct {
        const char       *name;
        mnt_thumbnail_t   t;        /* limit, cost, tried, shown, failures */
        int64_t           now;
        int64_t           length;
        int               due;
    } rows[] = {
        { "the first one",
          { 10000, 0, 0, 0, 0 }, 50000, 2000, 1 },
        { "a moment ago",
          { 10000, 300, 50000, 48000, 0 }, 52000, 2000, 0 },
        { "the next one comes in time, just so",
          { 10000, 300, 50000, 48000, 0 }, 55700, 2000, 0 },
        { "it would come too late",
          { 10000, 300, 50000, 48000, 0 }, 55701, 2000, 1 },
        { "what it costs is not known yet",
          { 10000, 0, 50000, 48000, 0 }, 55501, 2000, 1 },
        { "a slow program begins sooner",
          { 10000, 3000, 50000, 48000, 0 }, 53001, 2000, 1 },
        { "long segments, each of them",
          { 10000, 300, 50000, 44000, 0 }, 56000, 6000, 1 },
        { "a failure: the next segment",
          { 10000, 300, 50000, 48000, 1 }, 50001, 2000, 1 },
        { "two of them: not yet",
          { 10000, 300, 50000, 48000, 2 }, 59999, 2000, 0 },
        { "two of them: now",
          { 10000, 300, 50000, 48000, 2 }, 60000, 2000, 1 },
        { "and nothing to be seen",
          { 10000, 300, 50000, 0, 9 }, 51000, 2000, 0 },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        got = mnt_thumbnail_due(&rows[i].t, rows[i].now, rows[i].length);
        mnt_test_i64(got, rows[i].due, rows[i].name, "due");
    }
}


/* whatever the lengths: what is shown is never older than the limit */

static void
never_too_old(void **state)
{
    int              made;
    char             row[64];
    int64_t          now, length, oldest, shown, ready;
    mnt_thumbnail_t  t;

    (void) state;

    for (length = 500; length <= 4500; length += 250) {

        memset(&t, 0, sizeof(t));
        t.limit_ms = 10000;

        oldest = 0;
        shown = 0;
        ready = 0;
        made = 0;

        /* a millisecond a step; the program takes 400 */

        for (now = 100000; now < 200000; now++) {

            if (ready == now) {
                t.shown_ms = shown;
                t.cost_ms = 400;
                ready = 0;
            }

            if (now % length == 0 && ready == 0
                && mnt_thumbnail_due(&t, now, length))
            {
                t.tried_ms = now;
                shown = now - length;
                ready = now + 400;
                made++;
            }

            if (t.shown_ms && now - t.shown_ms > oldest) {
                oldest = now - t.shown_ms;
            }
        }

        snprintf(row, sizeof(row), "segments of %d ms: %d ms, %d images",
                 (int) length, (int) oldest, made);
        mnt_test_ok(oldest <= 10000, row, "too old");
        mnt_test_ok(made <= 100000 / length + 1 && made < 35, row,
                    "too many of them");
    }
}


static void
stale(void **state)
{
    mnt_thumbnail_t  t = { 10000, 300, 50000, 48000, 0 };

    (void) state;

    assert_int_equal(mnt_thumbnail_stale(&t, 78000), 0);
    assert_int_equal(mnt_thumbnail_stale(&t, 78001), 1);

    t.shown_ms = 0;
    assert_int_equal(mnt_thumbnail_stale(&t, 78001), 0);
}


static void
whole(void **state)
{
    size_t  i;

    static const struct {
        const char  *name;
        mnt_str_t    image;
        int          whole;
    } rows[] = {
        { "nothing", mnt_str(""), 0 },
        { "a short one", mnt_str("\xff\xd8\xff\xd9"), 0 },
        { "one", mnt_str("\xff\xd8\xff\xe0 \xff\xd9"), 1 },
        { "cut", mnt_str("\xff\xd8\xff\xe0 \xff"), 0 },
        { "another kind", mnt_str("\x89PNG \xff\xd9"), 0 },
        { "more behind it", mnt_str("\xff\xd8\xff\xe0 \xff\xd9\n"), 0 },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mnt_test_i64(mnt_thumbnail_whole(rows[i].image), rows[i].whole,
                     rows[i].name, "whole");
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(due),
        cmocka_unit_test(never_too_old),
        cmocka_unit_test(stale),
        cmocka_unit_test(whole)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
