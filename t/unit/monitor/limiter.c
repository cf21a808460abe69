
/*
 * Copyright (C) the mntreamer authors
 */


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../../ngx_mntreamer_module/monitor/mnt_limiter.h"


#define SENDS  20000


static int64_t  sent[SENDS];


/* several processes ask as fast as they can; what any second holds counts */

static void
test_never_more_in_any_second(void **state)
{
    int64_t        now, wait;
    unsigned       i, n, first, worst;
    mnt_limiter_t  l;

    (void) state;

    memset(&l, 0, sizeof(l));
    n = 0;

    for (now = 1000000; now < 1020000 && n < SENDS; now += 1) {
        for (i = 0; i < 4; i++) {
            wait = mnt_limiter_take(&l, 14, now - (int64_t) (i % 3));

            if (wait == 0) {
                sent[n++] = now;

            } else {
                assert_in_range(wait, 1, 1060);
            }
        }
    }

    worst = 0;
    first = 0;

    for (i = 0; i < n; i++) {
        while (sent[first] <= sent[i] - 1000) {
            first++;
        }

        if (i - first + 1 > worst) {
            worst = i - first + 1;
        }
    }

    assert_int_equal(worst, 14);
    assert_in_range(n, 14 * 18, 14 * 20);
}


static void
test_the_wait_is_enough(void **state)
{
    int64_t        now, wait;
    unsigned       i;
    mnt_limiter_t  l;

    (void) state;

    memset(&l, 0, sizeof(l));
    now = 5000;

    for (i = 0; i < 5; i++) {
        assert_int_equal(mnt_limiter_take(&l, 5, now), 0);
    }

    assert_int_equal(mnt_limiter_free(&l, 5, now), 0);

    wait = mnt_limiter_take(&l, 5, now);
    assert_in_range(wait, 1000, 1060);

    assert_int_equal(mnt_limiter_take(&l, 5, now + wait), 0);
    assert_int_equal(mnt_limiter_free(&l, 5, now + wait), 4);
}


static void
test_a_429_stops_and_halves(void **state)
{
    int64_t        now;
    unsigned       i;
    mnt_limiter_t  l;

    (void) state;

    memset(&l, 0, sizeof(l));
    now = 100000;

    assert_int_equal(mnt_limiter_take(&l, 40, now), 0);

    mnt_limiter_refused(&l, 40, 3000, now);
    mnt_limiter_refused(&l, 40, 3000, now + 5);

    assert_int_equal(l.rate, 20);
    assert_int_equal(mnt_limiter_free(&l, 40, now + 100), 0);
    assert_int_equal(mnt_limiter_take(&l, 40, now + 1000), 2005);
    assert_int_equal(mnt_limiter_take(&l, 40, now + 3005), 0);
    assert_int_equal(mnt_limiter_free(&l, 40, now + 3005), 19);

    /* it grows again by a twentieth a second */

    for (i = 1; i <= 10; i++) {
        (void) mnt_limiter_free(&l, 40, now + 3005 + 1000 * (int64_t) i);
    }

    assert_int_equal(l.rate, 40);
}


/* a clock that stood for long, or a zone that was half written */

static void
test_odd_clocks(void **state)
{
    mnt_limiter_t  l;

    (void) state;

    memset(&l, 0, sizeof(l));

    assert_int_equal(mnt_limiter_take(&l, 1, 1000), 0);
    assert_int_equal(mnt_limiter_take(&l, 1, 1000000000), 0);
    assert_int_equal(mnt_limiter_take(&l, 1, 2000), 0);
    assert_true(mnt_limiter_take(&l, 1, 2000) > 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_never_more_in_any_second),
        cmocka_unit_test(test_the_wait_is_enough),
        cmocka_unit_test(test_a_429_stops_and_halves),
        cmocka_unit_test(test_odd_clocks)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
