
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "base/mnt_date.h"


static void
parse(void **state)
{
    int      zone;
    size_t   i;
    int64_t  ms;

    static const struct {
        const char  *text;
        int64_t      ms;
        int          zone;
    } rows[] = {
        { "1970-01-01T00:00:00Z", 0, 1 },
        { "2026-09-27T08:52:05.007Z", 1790499125007, 1 },
        { "2026-09-27t08:52:05.007z", 1790499125007, 1 },
        { "2016-06-22T09:20:16.166-04:00", 1466601616166, 1 },
        { "2016-06-22T09:20:16.166-0400", 1466601616166, 1 },
        { "2016-06-22T09:20:16.166-04", 1466601616166, 1 },
        { "2026-04-25 19:49:02", 1777114142000, 0 },
        { "2000-02-29T00:00:00Z", 951782400000, 1 },
        { "1969-12-31T23:59:59.999Z", -1, 1 },
        { "2016-12-31T23:59:60Z", 1483228800000, 1 },
        { "2024-05-07T06:56:54.0079999Z", 1715065014007, 1 },
        { "0000-01-01T00:00:00Z", -62167219200000, 1 },
        { "9999-12-31T23:59:59.999Z", 253402300799999, 1 },
        { "2024-05-07T06:56:54,5Z", 1715065014500, 1 },
        { "1900-02-29T00:00:00Z", MNT_DATE_NONE, 0 },
        { "2023-02-29T00:00:00Z", MNT_DATE_NONE, 0 },
        { "2023-13-01T00:00:00Z", MNT_DATE_NONE, 0 },
        { "2023-00-01T00:00:00Z", MNT_DATE_NONE, 0 },
        { "2023-01-32T00:00:00Z", MNT_DATE_NONE, 0 },
        { "2023-01-01T24:00:00Z", MNT_DATE_NONE, 0 },
        { "2023-01-01T00:60:00Z", MNT_DATE_NONE, 0 },
        { "2023-01-01T00:00:61Z", MNT_DATE_NONE, 0 },
        { "2023-01-01T00:00:00.Z", MNT_DATE_NONE, 0 },
        { "2023-01-01T00:00:00Zx", MNT_DATE_NONE, 0 },
        { "2023-01-01T00:00:00+24:00", MNT_DATE_NONE, 0 },
        { "2023-01-01T00:00:00+1", MNT_DATE_NONE, 0 },
        { "2023-01-01T00:00:00+01:", MNT_DATE_NONE, 0 },
        { "2023-01-01", MNT_DATE_NONE, 0 },
        { "invalid", MNT_DATE_NONE, 0 },
        { "", MNT_DATE_NONE, 0 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        ms = mnt_date_parse(mnt_str_c(rows[i].text), 9 * 3600, &zone);

        mnt_test_i64(ms, rows[i].ms, rows[i].text, "milliseconds");
        mnt_test_i64(zone, rows[i].zone, rows[i].text, "zone");
    }

    assert_int_equal(mnt_date_parse(S("1970-01-01 00:00:00"), 0, NULL), 0);
}


static void
write_and_civil(void **state)
{
    char        buf[MNT_DATE_LEN + 1];
    int64_t     day, ms;
    mnt_date_t  d, last;

    (void) state;

    assert_int_equal(mnt_date_write(1790499125007, buf, sizeof(buf)),
                     MNT_DATE_LEN);
    assert_string_equal(buf, "2026-09-27T08:52:05.007Z");

    (void) mnt_date_write(-1, buf, sizeof(buf));
    assert_string_equal(buf, "1969-12-31T23:59:59.999Z");

    assert_int_equal(mnt_date_write(0, buf, MNT_DATE_LEN), 0);
    assert_int_equal(mnt_date_write(INT64_MIN, buf, sizeof(buf)),
                     MNT_DATE_LEN);
    assert_int_equal(mnt_date_write(INT64_MAX, buf, sizeof(buf)),
                     MNT_DATE_LEN);

    mnt_date_civil(1790499125007, 9 * 3600, &d);
    assert_int_equal(d.day * 100 + d.hour, 27 * 100 + 17);

    mnt_date_civil(1790499125007, -9 * 3600, &d);
    assert_int_equal(d.day * 100 + d.hour, 26 * 100 + 23);

    /* each day of ten thousand years follows the one before, reads back */

    mnt_date_civil(-62167219200000, 0, &last);
    assert_int_equal(last.year * 10000 + last.month * 100 + last.day, 101);

    for (day = 1; day < 3652425; day++) {
        ms = -62167219200000 + day * 86400000;
        mnt_date_civil(ms, 0, &d);

        if (d.month == last.month) {
            assert_int_equal(d.day, last.day + 1);

        } else {
            assert_int_equal(d.day, 1);
            assert_int_equal(d.month, last.month % 12 + 1);
            assert_int_equal(d.year, last.year + (last.month == 12));
        }

        last = d;

        if (day % 97 == 0) {
            (void) mnt_date_write(ms, buf, sizeof(buf));
            assert_int_equal(mnt_date_parse(mnt_str_c(buf), 0, NULL), ms);
        }
    }

    assert_int_equal(last.year * 10000 + last.month * 100 + last.day,
                     99991231);
}


static void
http(void **state)
{
    size_t  i;

    static const struct {
        const char  *text;
        int64_t      seconds;
    } rows[] = {
        { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
        { "Sun Nov  6 08:49:37 1994", 784111777 },
        { "Sun Nov 16 08:49:37 1994", 784975777 },
        { "Fri, 01-Jan-27 00:00:00 GMT", 1798761600 },
        { "Sun, 06 Nov 1994 08:49:37 UTC", -1 },
        { "Sun, 06 Nov 1994 08:49:37", -1 },
        { "Sun, 31 Feb 1994 08:49:37 GMT", -1 },
        { "Sun, 06 Xxx 1994 08:49:37 GMT", -1 },
        { "06 Nov 1994 08:49:37 GMT", -1 },
        { "Sun, ", -1 },
        { "", -1 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_test_i64(mnt_date_http(mnt_str_c(rows[i].text)), rows[i].seconds,
                     rows[i].text, "seconds");
    }
}


static void
retry_after(void **state)
{
    size_t   i;
    int64_t  now;

    static const struct {
        const char  *text;
        int64_t      ms;
    } rows[] = {
        { "30", 30000 },
        { " 30 ", 30000 },
        { "0", 1000 },
        { "901", 900000 },
        { "99999999999999999999999999", 900000 },
        { "-5", 7000 },
        { "soon", 7000 },
        { "1.5", 7000 },
        { "", 7000 },
        { "Sun, 06 Nov 1994 08:50:37 GMT", 60000 },
        { "Sun, 06 Nov 1994 08:00:00 GMT", 1000 },
        { "Mon, 07 Nov 1994 08:00:00 GMT", 900000 }
    };

    (void) state;

    now = 784111777000;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_test_i64(mnt_date_retry_after(mnt_str_c(rows[i].text), now, 7000),
                     rows[i].ms, rows[i].text, "wait");
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(parse),
        cmocka_unit_test(write_and_civil),
        cmocka_unit_test(http),
        cmocka_unit_test(retry_after)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
