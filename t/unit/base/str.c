
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "base/mnt_arena.h"


static void
numbers(void **state)
{
    size_t    i;
    int64_t   n;
    uint64_t  u;

    static const struct {
        const char  *text;
        int          rc;
        int64_t      n;
    } rows[] = {
        { "0", 0, 0 },
        { "007", 0, 7 },
        { "9223372036854775807", 0, INT64_MAX },
        { "-9223372036854775808", 0, INT64_MIN },
        { "9223372036854775808", -1, 0 },
        { "-9223372036854775809", -1, 0 },
        { "99999999999999999999999", -1, 0 },
        { "", -1, 0 },
        { "-", -1, 0 },
        { "+1", -1, 0 },
        { " 1", -1, 0 },
        { "1x", -1, 0 },
        { "0x10", -1, 0 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        n = 0;
        mnt_test_i64(mnt_str_i64(mnt_str_c(rows[i].text), &n), rows[i].rc,
                     rows[i].text, "rc");
        mnt_test_i64(n, rows[i].n, rows[i].text, "number");
    }

    assert_int_equal(mnt_str_u64(S("18446744073709551615"), &u), 0);
    assert_true(u == UINT64_MAX);
    assert_int_equal(mnt_str_u64(S("18446744073709551616"), &u), -1);
    assert_int_equal(mnt_str_u64(S("-1"), &u), -1);
}


static void
micros(void **state)
{
    size_t   i;
    int64_t  n;

    static const struct {
        const char  *text;
        int64_t      n;                       /* -1: refused */
    } rows[] = {
        { "1.5", 1500000 },
        { "2", 2000000 },
        { ".25", 250000 },
        { "10.", 10000000 },
        { "0", 0 },
        { "9.009", 9009000 },
        { "1.0000004", 1000000 },
        { "1.0000005", 1000001 },
        { "1.00000049999999999999", 1000000 },
        { "0.9999999", 1000000 },
        { "4.00008", 4000080 },
        { "9223372036852", 9223372036852000000 },
        { "9223372036853", -1 },
        { "99999999999999999999999999", -1 },
        { ".", -1 },
        { "", -1 },
        { "-1", -1 },
        { "+1", -1 },
        { "1e3", -1 },
        { "nan", -1 },
        { "inf", -1 },
        { "1,5", -1 },
        { "1.5.1", -1 },
        { "1 ", -1 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        n = -1;
        (void) mnt_str_micros(mnt_str_c(rows[i].text), &n);
        mnt_test_i64(n, rows[i].n, rows[i].text, "micro-units");
    }
}


static void
comparing(void **state)
{
    mnt_str_t  null = mnt_str_null;

    (void) state;

    assert_true(mnt_str_eq(null, S("")));
    assert_false(mnt_str_eq(S("a"), S("b")));
    assert_false(mnt_str_eqc(S("ab"), "a"));
    assert_true(mnt_str_eqc(S("a\0b"), "a") == 0);
    assert_true(mnt_str_caseeqc(S("AbC-[1]"), "aBc-[1]"));
    assert_false(mnt_str_caseeqc(S("["), "{"));
    assert_true(mnt_str_starts(S("abc"), "ab"));
    assert_false(mnt_str_starts(S("a"), "ab"));
    assert_true(mnt_str_ends(S("abc"), "bc"));
    assert_true(mnt_str_ends(null, ""));
    assert_false(mnt_str_ends(S("c"), "bc"));
    mnt_test_str(mnt_str_trim(S(" \t a b\r\n")), "a b", "trim");
    assert_int_equal(mnt_str_trim(S(" \r\n")).len, 0);
    assert_true(mnt_str_hash(S("")) == 0xcbf29ce484222325u);
    assert_true(mnt_str_hash(S("foobar")) == 0x85944171f73967e8u);
}


static void
utf8(void **state)
{
    size_t  i;

    static const struct {
        const char  *text;
        int          ok;
    } rows[] = {
        { "", 1 },
        { "plain", 1 },
        { "\xed\x95\x9c\xea\xb8\x80", 1 },
        { "\xf0\x9f\x8e\xae", 1 },
        { "\xf4\x8f\xbf\xbf", 1 },
        { "\xf4\x90\x80\x80", 0 },
        { "\xc0\xaf", 0 },
        { "\xc1\xbf", 0 },
        { "\xe0\x80\xaf", 0 },
        { "\xf0\x80\x80\xaf", 0 },
        { "\xed\xa0\x80", 0 },
        { "\xed\xbf\xbf", 0 },
        { "\xff", 0 },
        { "\x80", 0 },
        { "\xe2\x82", 0 },
        { "a\xf0\x9f\x8e", 0 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_test_i64(mnt_str_utf8(mnt_str_c(rows[i].text)), rows[i].ok,
                     rows[i].text, "validity");
    }

    assert_int_equal(mnt_str_utf8_cut(S("\xed\x95\x9c\xea\xb8\x80"), 5).len,
                     3);
    assert_int_equal(mnt_str_utf8_cut(S("\xed\x95\x9c\xea\xb8\x80"), 6).len,
                     6);
    assert_int_equal(mnt_str_utf8_cut(S("\xf0\x9f\x8e\xae"), 3).len, 0);
    assert_int_equal(mnt_str_utf8_cut(S("abc"), 2).len, 2);
    assert_int_equal(mnt_str_utf8_cut(S("abc"), 0).len, 0);
    assert_int_equal(mnt_str_utf8_cut(S("\x80\x80\x80\x80\x80\x80"), 5).len,
                     5);
}


typedef struct {
    char    pages[3][4096 + 64];
    size_t  n;
} pages_t;


static void *
page(void *data, size_t size)
{
    pages_t  *p;

    p = data;

    if (p->n == 3 || size > 4096 + 63) {
        return NULL;
    }

    memset(p->pages[p->n], 0xaa, sizeof(p->pages[0]));

    /* an owner that aligns to nothing */

    return p->pages[p->n++] + 1;
}


static void
arena(void **state)
{
    char         *p, *q;
    size_t        i;
    pages_t       pages;
    mnt_str_t     s;
    mnt_arena_t   a;

    (void) state;

    mnt_arena_init(&a, 100000);

    for (i = 0; i < 2000; i++) {
        p = mnt_arena_alloc(&a, 17);
        assert_non_null(p);
        assert_int_equal((uintptr_t) p % _Alignof(max_align_t), 0);
        assert_int_equal(p[0] | p[16], 0);
        memset(p, 0xff, 17);
    }

    assert_true(a.used <= 100000);
    assert_null(mnt_arena_alloc(&a, 50000));
    assert_null(mnt_arena_alloc(&a, SIZE_MAX));
    assert_null(mnt_arena_alloc(&a, SIZE_MAX - 8));

    mnt_arena_free(&a);
    assert_int_equal(a.used, 0);

    p = mnt_arena_alloc(&a, 90000);
    assert_non_null(p);
    p[89999] = 1;
    assert_null(mnt_arena_alloc(&a, 90000));

    s = mnt_arena_dup(&a, S("a\0b"));
    assert_int_equal(s.len, 3);
    assert_memory_equal(s.data, "a\0b", 4);

    s = mnt_arena_printf(&a, "%s-%d", "x", 7);
    mnt_test_str(s, "x-7", "printf");
    mnt_arena_free(&a);

    mnt_arena_init(&a, 0);
    assert_null(mnt_arena_alloc(&a, 1));
    assert_null(mnt_arena_dup(&a, S("")).data);
    mnt_arena_free(&a);

    pages.n = 0;
    mnt_arena_init_ex(&a, 1 << 20, page, &pages);
    p = mnt_arena_alloc(&a, 100);
    q = mnt_arena_alloc(&a, 100);
    assert_non_null(p);
    assert_non_null(q);
    assert_int_equal(pages.n, 1);
    assert_int_equal((uintptr_t) q % _Alignof(max_align_t), 0);
    assert_int_equal(p[0] | q[99], 0);
    assert_null(mnt_arena_alloc(&a, 8192));
    mnt_arena_free(&a);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(micros),
        cmocka_unit_test(comparing),
        cmocka_unit_test(utf8),
        cmocka_unit_test(arena)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
