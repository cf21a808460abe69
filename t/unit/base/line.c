
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "base/mnt_line.h"


static void
lines(void **state)
{
    size_t      i, n, at, len, used;
    char        got[256];
    mnt_str_t   text;
    mnt_line_t  line;

    static const struct {
        const char  *text;
        const char  *lines;
    } rows[] = {
        { "", "" },
        { "one", "" },
        { "one\n", "one|" },
        { "one\ntwo\n", "one|two|" },
        { "one\r\ntwo\r\n", "one|two|" },
        { "frame=1\rframe=2\r", "frame=1|frame=2|" },
        { "\n\n\none\n\n", "one|" },
        { "one\ntw", "one|" },
    };

    (void) state;

    /* in pieces of any size it is the same */

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (n = 1; n < 12; n++) {
            memset(&line, 0, sizeof(line));
            got[0] = '\0';
            len = 0;

            for (at = 0; at < strlen(rows[i].text); at += used) {
                text.data = rows[i].text + at;
                text.len = strlen(text.data) < n ? strlen(text.data) : n;

                if (mnt_line_take(&line, text, &used)) {
                    memcpy(got + len, line.text, line.len);
                    len += line.len;
                    got[len++] = '|';
                    got[len] = '\0';
                }
            }

            mnt_test_ok(strcmp(got, rows[i].lines) == 0, rows[i].text, got);
        }
    }
}


static void
long_line(void **state)
{
    size_t       used;
    mnt_str_t    text;
    mnt_line_t   line;
    static char  buf[3 * MNT_LINE_MAX];

    (void) state;

    memset(buf, 'x', sizeof(buf));
    buf[2 * MNT_LINE_MAX] = '\n';
    buf[sizeof(buf) - 1] = '\n';

    memset(&line, 0, sizeof(line));
    text.data = buf;
    text.len = sizeof(buf);

    assert_int_equal(mnt_line_take(&line, text, &used), 1);
    assert_int_equal(line.len, MNT_LINE_MAX);
    assert_int_equal(used, 2 * MNT_LINE_MAX + 1);

    text.data += used;
    text.len -= used;

    assert_int_equal(mnt_line_take(&line, text, &used), 1);
    assert_int_equal(line.len, MNT_LINE_MAX - 2);
    assert_int_equal(used, text.len);
}


static void
tail(void **state)
{
    size_t  i;
    char    buf[64];

    static const struct {
        const char  *text;
        size_t       size;
        const char  *tail;
    } rows[] = {
        { "", 64, "" },
        { "\n \r\n", 64, "" },
        { "one\n", 64, "one" },
        { "one\ntwo\n", 64, "one / two" },
        { "one\r\n\r\ntwo", 64, "one / two" },
        { "a\tb\033[31mc\177", 64, "a b [31mc " },
        { "one\ntwo", 9, "one / two" },
        { "one\ntwo", 8, "ne / two" },
        { "one\ntwo", 6, "two" },
        { "one\ntwo", 5, "two" },
        { "one\ntwo", 3, "two" },
        { "one\ntwo", 2, "wo" },
        { "one", 0, "" },
        { "\303\251", 64, "\303\251" },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(buf, '#', sizeof(buf));

        mnt_test_str(mnt_line_tail(mnt_str_c(rows[i].text), buf,
                                   rows[i].size),
                     rows[i].tail, rows[i].text);

        if (rows[i].size < sizeof(buf)) {
            assert_int_equal(buf[rows[i].size], '#');
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(long_line),
        cmocka_unit_test(tail)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
