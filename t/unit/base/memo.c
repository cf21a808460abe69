
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "base/mnt_memo.h"

#include <string.h>


static mnt_memo_t  memo;


static mnt_memo_digest_t
of_number(uint64_t n)
{
    char               text[16];
    mnt_str_t          s;
    mnt_memo_digest_t  d;

    memset(text, 'x', sizeof(text));
    memcpy(text, &n, sizeof(n));
    s.data = text;
    s.len = sizeof(text);

    mnt_memo_digest(&memo, s, &d);

    return d;
}


static int
create(void **state)
{
    unsigned       i;
    unsigned char  key[16];

    (void) state;

    for (i = 0; i < sizeof(key); i++) {
        key[i] = (unsigned char) i;
    }

    return mnt_memo_init(&memo, key, 1000);
}


static int
destroy(void **state)
{
    (void) state;

    mnt_memo_free(&memo);

    return 0;
}


/* the authors' vectors of SipHash-2-4-128: bytes 0, 1, 2 ... of each length */

static void
vectors(void **state)
{
    char               text[64];
    size_t             i;
    mnt_str_t          s;
    mnt_memo_digest_t  d;

    static const struct {
        size_t    len;
        uint64_t  half[2];
    } expected[] = {
        { 0,  { 0xe6a825ba047f81a3ULL, 0x930255c71472f66dULL } },
        { 1,  { 0x44af996bd8c187daULL, 0x45fc229b11597634ULL } },
        { 15, { 0x11a8b03399e99354ULL, 0xd9c3cf970fec087eULL } },
        { 63, { 0x4a83502f77d15051ULL, 0x7cbd3f979a063e50ULL } }
    };

    (void) state;

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (char) i;
    }

    for (i = 0; i < mnt_test_count(expected); i++) {
        s.data = text;
        s.len = expected[i].len;

        mnt_memo_digest(&memo, s, &d);

        assert_true(d.half[0] == expected[i].half[0]);
        assert_true(d.half[1] == expected[i].half[1]);
    }
}


/* each byte and the length count */

static void
differs(void **state)
{
    char               text[40];
    size_t             i;
    mnt_str_t          s;
    mnt_memo_digest_t  d, other;

    (void) state;

    memset(text, 0, sizeof(text));
    s.data = text;
    s.len = sizeof(text) - 1;

    mnt_memo_digest(&memo, s, &d);
    mnt_memo_add(&memo, &d);
    assert_true(mnt_memo_has(&memo, &d));

    for (i = 0; i < s.len; i++) {
        text[i] = 1;
        mnt_memo_digest(&memo, s, &other);
        assert_false(mnt_memo_has(&memo, &other));
        text[i] = 0;
    }

    s.len++;
    mnt_memo_digest(&memo, s, &other);
    assert_false(mnt_memo_has(&memo, &other));
}


/* what is asked for stays, and memory does not grow */

static void
bounded(void **state)
{
    uint64_t           n, kept;
    mnt_memo_digest_t  d, first;

    (void) state;

    first = of_number(0);
    kept = 0;

    for (n = 0; n < 100000; n++) {
        d = of_number(n);
        assert_false(mnt_memo_has(&memo, &d));
        mnt_memo_add(&memo, &d);
        assert_true(mnt_memo_has(&memo, &d));
        assert_true(mnt_memo_has(&memo, &first));
    }

    for (n = 0; n < 100000; n++) {
        d = of_number(n);
        kept += mnt_memo_has(&memo, &d) ? 1 : 0;
    }

    assert_in_range(kept, 1000, 1024);
}


static void
without_memory(void **state)
{
    mnt_memo_t         none;
    mnt_memo_digest_t  d;

    (void) state;

    memset(&none, 0, sizeof(none));
    mnt_memo_digest(&none, mnt_str_c("text"), &d);
    mnt_memo_add(&none, &d);
    assert_false(mnt_memo_has(&none, &d));
    mnt_memo_free(&none);
}


static void
of_nothing(void **state)
{
    mnt_memo_digest_t  d;

    (void) state;

    memset(&d, 0, sizeof(d));
    mnt_memo_add(&memo, &d);
    assert_false(mnt_memo_has(&memo, &d));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(vectors, create, destroy),
        cmocka_unit_test_setup_teardown(differs, create, destroy),
        cmocka_unit_test_setup_teardown(bounded, create, destroy),
        cmocka_unit_test_setup_teardown(of_nothing, create, destroy),
        cmocka_unit_test(without_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
