
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "base/mnt_backoff.h"


/* MON-04: 63 checks in 838 minutes, then the ladder starts again */

static void
ladder(void **state)
{
    int64_t        total;
    unsigned       i, n, round;
    mnt_backoff_t  b;

    static const struct {
        unsigned  times;
        int64_t   minutes;
    } steps[] = {
        { 12, 1 }, { 12, 3 }, { 12, 10 }, { 12, 15 }, { 12, 30 }, { 2, 40 },
        { 1, 50 }
    };

    uint64_t  miss;

    (void) state;

    mnt_backoff_default(&b);
    assert_int_equal(b.total, 63);

    miss = 0;

    for (round = 0; round < 2; round++) {
        total = 0;

        for (i = 0; i < mnt_test_count(steps); i++) {
            for (n = 0; n < steps[i].times; n++) {
                miss++;
                assert_int_equal(mnt_backoff_next(&b, miss, 0, 0),
                                 steps[i].minutes * 60000);
                total += mnt_backoff_next(&b, miss, 0xffffffff, 0);
            }
        }

        assert_int_equal(total, 838 * 60000);
    }

    assert_int_equal(mnt_backoff_next(&b, 64, 0, 0), 60000);
    assert_int_equal(mnt_backoff_next(&b, 63, 0, 0), 50 * 60000);
    assert_int_equal(mnt_backoff_next(&b, 0, 0, 0), 60000);
    assert_true(mnt_backoff_next(&b, UINT64_MAX, 0, 0) >= 60000);
}


static void
spread(void **state)
{
    int64_t        ms;
    uint32_t       rnd;
    unsigned       i;
    mnt_backoff_t  b;

    (void) state;

    mnt_backoff_default(&b);

    assert_int_equal(mnt_backoff_next(&b, 1, 0, 10), 54000);
    assert_int_equal(mnt_backoff_next(&b, 1, 0x80000000, 10), 60000);

    for (i = 0, rnd = 1; i < 1000; i++) {
        rnd = rnd * 1664525 + 1013904223;
        ms = mnt_backoff_next(&b, 1, rnd, 10);
        assert_true(ms >= 54000 && ms <= 66000);
        assert_true(mnt_backoff_next(&b, 1, rnd, 4000) > 0);
    }

    memset(&b, 0, sizeof(b));
    assert_int_equal(mnt_backoff_next(&b, 5, 0, 0), 60000);
}


static void
steps(void **state)
{
    size_t         i;
    const char    *why;
    mnt_backoff_t  b;

    static const struct {
        const char  *text;
        int64_t      wait_ms;                 /* 0: refused */
        unsigned     times;
        const char  *why;
    } rows[] = {
        { "1m*12", 60000, 12, NULL },
        { "50m", 3000000, 1, NULL },
        { "100ms", 100, 1, NULL },
        { "100ms*1", 100, 1, NULL },
        { "1h30m*3", 5400000, 3, NULL },
        { "1m30s500ms", 90500, 1, NULL },
        { "7d", 604800000, 1, NULL },
        { "2d*1000", 172800000, 1000, NULL },
        { "99ms", 0, 0, "must be at least 100ms" },
        { "0s", 0, 0, "must be at least 100ms" },
        { "8d", 0, 0, "must be at most 7d" },
        { "7d1ms", 0, 0, "must be at most 7d" },
        { "99999999999999999999s", 0, 0, "must be at most 7d" },
        { "5", 0, 0, "has no unit" },
        { "5w", 0, 0, "has an unknown unit" },
        { "5S", 0, 0, "has an unknown unit" },
        { "", 0, 0, "is empty" },
        { "*3", 0, 0, "is empty" },
        { "m", 0, 0, "is not a time" },
        { "-1m", 0, 0, "is not a time" },
        { "1m 2s", 0, 0, "is not a time" },
        { "1s1m", 0, 0, "has its units in the wrong order" },
        { "1m1m", 0, 0, "has its units in the wrong order" },
        { "1m*0", 0, 0, "must be repeated 1 to 1000 times" },
        { "1m*1001", 0, 0, "must be repeated 1 to 1000 times" },
        { "1m*", 0, 0, "must be repeated 1 to 1000 times" },
        { "1m*2*3", 0, 0, "must be repeated 1 to 1000 times" }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        memset(&b, 0, sizeof(b));
        why = mnt_backoff_add(&b, mnt_str_c(rows[i].text));

        mnt_test_str(mnt_str_c(why), rows[i].why, rows[i].text);
        mnt_test_i64(b.n, why == NULL, rows[i].text, "n");
        mnt_test_i64(b.steps[0].wait_ms, rows[i].wait_ms, rows[i].text,
                     "wait_ms");
        mnt_test_i64(b.total, rows[i].times, rows[i].text, "times");
    }

    memset(&b, 0, sizeof(b));

    for (i = 0; i < MNT_BACKOFF_STEPS; i++) {
        assert_null(mnt_backoff_add(&b, S("1s")));
    }

    assert_non_null(mnt_backoff_add(&b, S("1s")));
    assert_int_equal(b.n, MNT_BACKOFF_STEPS);
}


static void
retry(void **state)
{
    int64_t   ms, top;
    unsigned  attempt, i;
    uint32_t  rnd;

    (void) state;

    rnd = 7;
    top = 500;

    for (attempt = 0; attempt < 100; attempt++) {
        for (i = 0; i < 50; i++) {
            rnd = rnd * 1664525 + 1013904223;
            ms = mnt_backoff_retry(attempt, 500, 30000, rnd);
            assert_true(ms >= 500 && ms <= top);
        }

        top = top * 2 > 30000 ? 30000 : top * 2;
    }

    assert_int_equal(mnt_backoff_retry(0, 500, 30000, 12345), 500);
    assert_int_equal(mnt_backoff_retry(1000, 1, INT64_MAX, 0), 1);
    assert_int_equal(mnt_backoff_retry(3, 1000, 200, 9), 200);
    assert_true(mnt_backoff_retry(3, 0, 0, 9) >= 1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(ladder),
        cmocka_unit_test(spread),
        cmocka_unit_test(steps),
        cmocka_unit_test(retry)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
