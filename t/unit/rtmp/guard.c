
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "rtmp/mnt_guard.h"


#define MOST     5
#define ADDRESS  64


static mnt_guard_t  guard;


static void
empty(uint64_t key)
{
    memset(&guard, 0, sizeof(guard));
    guard.memo.key[0] = key;
    guard.memo.key[1] = ~key;
}


static mnt_str_t
address(char *buf, unsigned n)
{
    mnt_str_t  s;

    s.data = buf;
    s.len = (size_t) snprintf(buf, ADDRESS, "10.%u.%u.%u", n >> 16,
                              n >> 8 & 255, n & 255);
    return s;
}


/* so many within a minute, for a minute, once told */

static void
minutes(void **state)
{
    int  i;

    (void) state;

    empty(1);

    assert_int_equal(mnt_guard_shut(&guard, S("a"), 0), 0);

    for (i = 1; i < MOST; i++) {
        assert_int_equal(mnt_guard_failed(&guard, S("a"), MOST, i), 0);
        assert_int_equal(mnt_guard_shut(&guard, S("a"), i), 0);
    }

    assert_int_equal(mnt_guard_failed(&guard, S("a"), MOST, 100), 1);
    assert_int_equal(mnt_guard_shut(&guard, S("a"), 100), 1);
    assert_int_equal(mnt_guard_shut(&guard, S("b"), 100), 0);

    /* answers that were on their way neither tell it again nor prolong it */

    assert_int_equal(mnt_guard_failed(&guard, S("a"), MOST, 30000), 0);
    assert_int_equal(mnt_guard_shut(&guard, S("a"), 60099), 1);
    assert_int_equal(mnt_guard_shut(&guard, S("a"), 60100), 0);

    /* and it begins anew */

    for (i = 1; i < MOST; i++) {
        assert_int_equal(mnt_guard_failed(&guard, S("a"), MOST, 60100), 0);
    }

    assert_int_equal(mnt_guard_failed(&guard, S("a"), MOST, 60100), 1);
}


/* an encoder that tries again every 15 seconds is never shut out */

static void
slow(void **state)
{
    int64_t  now;

    (void) state;

    empty(2);

    for (now = 0; now < 3600000; now += 15000) {
        assert_int_equal(mnt_guard_failed(&guard, S("a"), MOST, now), 0);
    }
}


static void
first(void **state)
{
    (void) state;

    empty(3);

    assert_int_equal(mnt_guard_failed(&guard, S("a"), 1, 0), 1);
    assert_int_equal(mnt_guard_shut(&guard, S("a"), 0), 1);
    assert_int_equal(mnt_guard_failed(&guard, S(""), 1, 0), 1);
    assert_int_equal(mnt_guard_shut(&guard, S(""), 0), 1);
}


/* those that are shut out stay while others come and go */

static void
crowded(void **state)
{
    char      buf[ADDRESS];
    unsigned  i, n;

    (void) state;

    empty(4);

    for (i = 0; i < 100; i++) {
        for (n = 0; n < MOST; n++) {
            (void) mnt_guard_failed(&guard, address(buf, i), MOST, 0);
        }
    }

    for (i = 1000; i < 200000; i++) {
        (void) mnt_guard_failed(&guard, address(buf, i), MOST, 1);
    }

    for (i = 0; i < 100; i++) {
        mnt_test_ok(mnt_guard_shut(&guard, address(buf, i), 1), buf,
                    "was forgotten");
    }

    for (i = 1000; i < 2000; i++) {
        mnt_test_ok(!mnt_guard_shut(&guard, address(buf, i), 1), buf,
                    "is shut out");
    }

    /* those of a minute ago make room */

    for (n = 0; n < MOST; n++) {
        (void) mnt_guard_failed(&guard, address(buf, 300000), MOST, 60002);
    }

    assert_int_equal(mnt_guard_shut(&guard, address(buf, 300000), 60002), 1);
}


/* a full table takes the newest */

static void
full(void **state)
{
    char      buf[ADDRESS];
    unsigned  i;

    (void) state;

    empty(5);

    for (i = 0; i < 100000; i++) {
        assert_int_equal(mnt_guard_failed(&guard, address(buf, i), 1, i), 1);
        assert_int_equal(mnt_guard_shut(&guard, address(buf, i), i), 1);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(minutes),
        cmocka_unit_test(slow),
        cmocka_unit_test(first),
        cmocka_unit_test(crowded),
        cmocka_unit_test(full)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
