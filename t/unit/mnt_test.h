
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_TEST_H_INCLUDED_
#define _MNT_TEST_H_INCLUDED_


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mnt_str.h"


#define S(literal)  ((mnt_str_t) { sizeof(literal) - 1, literal })

#define mnt_test_count(table)  (sizeof(table) / sizeof((table)[0]))


/* an assertion of a table's row: says which row it was */

static inline void
mnt_test_ok(int ok, const char *row, const char *what)
{
    if (!ok) {
        print_error("row \"%.120s\": %s\n", row, what);
        fail();
    }
}


static inline void
mnt_test_i64(int64_t got, int64_t want, const char *row, const char *what)
{
    if (got != want) {
        print_error("row \"%.120s\": %s is %lld, not %lld\n", row, what,
                    (long long) got, (long long) want);
        fail();
    }
}


/* want == NULL means the null string */

static inline void
mnt_test_str(mnt_str_t got, const char *want, const char *row)
{
    if (want == NULL ? got.data != NULL : !mnt_str_eqc(got, want)) {
        print_error("row \"%.120s\": got \"%.*s\", not \"%s\"\n", row,
                    (int) got.len, got.data ? got.data : "",
                    want ? want : "(null)");
        fail();
    }
}


#endif /* _MNT_TEST_H_INCLUDED_ */
