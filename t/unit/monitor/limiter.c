
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "monitor/mnt_limiter.h"


#define REQUESTS  20000


static int
compare(const void *a, const void *b)
{
    int64_t  x, y;

    x = *(const int64_t *) a;
    y = *(const int64_t *) b;

    return x < y ? -1 : x > y;
}


/* the most that any second of the platform's clock holds */

static size_t
worst(int64_t *t, size_t n)
{
    size_t  i, first, most;

    qsort(t, n, sizeof(int64_t), compare);

    most = 0;

    for (i = 0, first = 0; i < n; i++) {
        while (t[i] - t[first] >= 1000) {
            first++;
        }

        most = i - first + 1 > most ? i - first + 1 : most;
    }

    return most;
}


/* MON-07: whenever between permit and answer the platform counts a request */

static void
strict(void **state)
{
    size_t          i, n, open, k;
    int64_t         now, wait, latency;
    uint32_t        rnd;
    static int64_t  counted[REQUESTS];
    mnt_limiter_t   l;

    static const struct {
        const char  *name;
        uint32_t     rate;
        int64_t      latency;
    } rows[] = {
        { "14 without latency", 14, 0 },
        { "14 with 10 ms", 14, 10 },
        { "14 with 700 ms", 14, 700 },
        { "1 with 300 ms", 1, 300 },
        { "500 with 900 ms", 500, 900 }
    };

    static struct {
        int64_t  sent;
        int64_t  done;
    } under_way[REQUESTS];

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        memset(&l, 0, sizeof(mnt_limiter_t));

        rnd = 7;
        open = 0;
        n = 0;

        for (now = 123456789; now < 123456789 + 20000; now++) {
            for (k = 0; k < open; ) {
                if (under_way[k].done > now) {
                    k++;
                    continue;
                }

                mnt_limiter_done(&l, under_way[k].sent, now);
                under_way[k] = under_way[--open];
            }

            while (n < REQUESTS
                   && (wait = mnt_limiter_take(&l, rows[i].rate, now)) == 0)
            {
                rnd = rnd * 1664525 + 1013904223;
                latency = rows[i].latency
                          ? (int64_t) ((rnd >> 8) % rows[i].latency) : 0;

                under_way[open].sent = now;
                under_way[open++].done = now + latency;

                rnd = rnd * 1664525 + 1013904223;
                counted[n++] = now + (latency ? (rnd >> 8) % (latency + 1)
                                              : 0);
            }

            mnt_test_ok(n == REQUESTS || (wait > 0 && wait <= 1050),
                        rows[i].name, "the pause makes sense");
        }

        mnt_test_ok(worst(counted, n) <= rows[i].rate, rows[i].name,
                    "a second holds more than the rate");
        mnt_test_ok((int64_t) n + rows[i].rate
                    >= 20000 * (int64_t) rows[i].rate
                       / (1051 + rows[i].latency),
                    rows[i].name, "and the rate is used");
    }
}


static void
pause_exact(void **state)
{
    mnt_limiter_t  l;

    (void) state;

    memset(&l, 0, sizeof(mnt_limiter_t));

    assert_int_equal(mnt_limiter_free(&l, 2, 5000), 2);
    assert_int_equal(mnt_limiter_take(&l, 2, 5000), 0);
    assert_int_equal(mnt_limiter_take(&l, 2, 5400), 0);
    assert_int_equal(mnt_limiter_free(&l, 2, 5400), 0);
    assert_int_equal(mnt_limiter_take(&l, 2, 5400), 650);
    assert_int_equal(mnt_limiter_take(&l, 2, 6049), 1);
    assert_int_equal(mnt_limiter_take(&l, 2, 6050), 0);

    /* its answer moves a request to where it came */

    mnt_limiter_done(&l, 5400, 6100);
    assert_int_equal(mnt_limiter_take(&l, 2, 6450), 650);

    /* a clock that was read a little earlier is taken as now */

    assert_true(mnt_limiter_take(&l, 2, 6300) > 0);

    /* a rate of another nginx.conf holds at once */

    assert_int_equal(mnt_limiter_take(&l, 3, 6450), 0);
}


static void
refusals(void **state)
{
    int64_t        now, n;
    unsigned       i;
    mnt_limiter_t  l;

    (void) state;

    memset(&l, 0, sizeof(mnt_limiter_t));
    now = 100000;

    /* Retry-After stops everybody, and those that were under way do not add */

    for (i = 0; i < 10; i++) {
        assert_int_equal(mnt_limiter_take(&l, 100, now), 0);
    }

    assert_int_equal(mnt_limiter_refused(&l, 100, now, now + 10, 3000), 3000);
    assert_int_equal(mnt_limiter_refused(&l, 100, now, now + 20, 1000), 2990);
    assert_int_equal(mnt_limiter_take(&l, 100, now + 20), 2990);
    assert_int_equal(mnt_limiter_free(&l, 100, now + 3009), 0);
    assert_int_equal(mnt_limiter_free(&l, 100, now + 3010), 50);

    /* the rate comes back by a twentieth of it a second */

    assert_int_equal(mnt_limiter_free(&l, 100, now + 5010), 60);
    assert_int_equal(mnt_limiter_free(&l, 100, now + 14010), 100);

    /* a rate of 1 stays one */

    mnt_limiter_refused(&l, 1, now + 20000, now + 20000, 1000);
    assert_int_equal(mnt_limiter_free(&l, 1, now + 21000), 1);

    /* without Retry-After the pauses double, up to 10 minutes */

    memset(&l, 0, sizeof(mnt_limiter_t));
    n = 1000;

    for (i = 0; i < 20; i++) {
        assert_int_equal(mnt_limiter_refused(&l, 10, now, now, 0), n);
        now += n;
        n = n * 2 > 600000 ? 600000 : n * 2;
    }

    /* until one is accepted that was sent later */

    mnt_limiter_accepted(&l, now - 600000);
    assert_int_equal(mnt_limiter_refused(&l, 10, now, now, 0), 600000);
    now += 600000;
    mnt_limiter_accepted(&l, now);
    assert_int_equal(mnt_limiter_refused(&l, 10, now, now, 0), 1000);
}


/* a process that died in the middle leaves wrong sums: they heal */

static void
garbage(void **state)
{
    mnt_limiter_t  l;

    (void) state;

    memset(&l, 0, sizeof(mnt_limiter_t));

    assert_int_equal(mnt_limiter_take(&l, 5, 10000), 0);
    l.sum = 5;
    assert_true(mnt_limiter_take(&l, 5, 10001) > 0);
    assert_true(mnt_limiter_take(&l, 5, 10499) > 0);
    assert_int_equal(mnt_limiter_take(&l, 5, 10500), 0);

    l.sum = 0;
    assert_int_equal(mnt_limiter_take(&l, 5, 12200), 0);
    assert_int_equal(mnt_limiter_take(&l, 5, 14000), 0);

    /* from a clock that does not go on */

    l.at_ms = INT64_MAX / 2;
    l.not_before_ms = INT64_MAX / 2;
    assert_int_equal(mnt_limiter_take(&l, 5, 15000), 0);
}


/* asking how long takes nothing, and says what taking would */

static void
waiting(void **state)
{
    int64_t        now;
    unsigned       i;
    mnt_limiter_t  l;

    (void) state;

    memset(&l, 0, sizeof(l));

    for (i = 0; i < 100; i++) {
        assert_int_equal(mnt_limiter_wait(&l, 3, 5000), 0);
    }

    assert_int_equal(mnt_limiter_free(&l, 3, 5000), 3);

    for (i = 0; i < 3; i++) {
        assert_int_equal(mnt_limiter_take(&l, 3, 5000), 0);
    }

    for (now = 5000; now < 7000; now += 7) {
        if (mnt_limiter_wait(&l, 3, now) == 0) {
            break;
        }

        assert_int_equal(mnt_limiter_wait(&l, 3, now),
                         mnt_limiter_take(&l, 3, now));
    }

    assert_true(now < 7000);

    (void) mnt_limiter_refused(&l, 3, now, now, 30000);
    assert_int_equal(mnt_limiter_wait(&l, 3, now + 1000), 29000);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(strict),
        cmocka_unit_test(pause_exact),
        cmocka_unit_test(refusals),
        cmocka_unit_test(garbage),
        cmocka_unit_test(waiting)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
