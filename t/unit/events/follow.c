
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "events/mnt_follow.h"


/* ING-07: what an answer means, and whether its giver may have heard */

static void
outcomes(void **state)
{
    size_t  i;

    static const struct {
        unsigned     http;
        int          sent;
        const char  *word;
    } rows[] = {
        { 200, 1, "told" },
        { 204, 1, "told" },
        { 299, 1, "told" },
        { 201, 0, "told" },
        { 301, 1, "refused" },
        { 302, 1, "refused" },
        { 304, 1, "refused" },
        { 400, 1, "refused" },
        { 404, 1, "refused" },
        { 500, 1, "refused" },
        { 503, 1, "refused" },
        { 999, 1, "refused" },
        { 0, 1, "unknown" },
        { 0, 0, "refused" },
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        assert_string_equal(mnt_follow_word(mnt_follow_outcome(rows[i].http,
                                                               rows[i].sent)),
                            rows[i].word);
    }

    assert_string_equal(mnt_follow_word((mnt_follow_outcome_e) 7), "unknown");
}


/* nothing of the path: addresses of chats have their secret there */

static void
shown(void **state)
{
    char    buf[64], small[8];
    size_t  i, n;

    static const struct {
        const char  *url;
        const char  *shown;
    } rows[] = {
        { "http://127.0.0.1:9000/a/SECRET?b=SECRET#c",
          "http://127.0.0.1:9000" },
        { "https://chat.example/api/webhooks/1/SECRET",
          "https://chat.example:443" },
        { "http://host.example", "http://host.example:80" },
        { "http://host.example?SECRET", "http://host.example:80" },
        { "http://[::1]:81/SECRET", "http://[::1]:81" },
        { "http://user:SECRET@host.example/", "" },
        { "ftp://host.example/SECRET", "" },
        { "SECRET", "" },
        { "", "" },
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        n = mnt_follow_shown(mnt_str_c(rows[i].url), buf, sizeof(buf));

        assert_string_equal(buf, rows[i].shown);
        assert_int_equal(n, strlen(rows[i].shown));
    }

    n = mnt_follow_shown(S("http://host.example/"), small, sizeof(small));

    assert_string_equal(small, "http://");
    assert_int_equal(n, 7);
    assert_int_equal(mnt_follow_shown(S("http://a/"), small, 0), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(outcomes),
        cmocka_unit_test(shown)
    };

    return cmocka_run_group_tests_name("events/follow", tests, NULL, NULL);
}
