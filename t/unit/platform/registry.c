
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test_platform.h"


static void
order(void **state)
{
    unsigned               i;
    const mnt_platform_t  *p, *q;

    (void) state;

    assert_true(mnt_platform_count() >= 2);
    assert_null(mnt_platform_at(mnt_platform_count()));

    for (i = 0; i < mnt_platform_count(); i++) {
        p = mnt_platform_at(i);
        assert_non_null(p);
        assert_non_null(p->name);
        assert_non_null(p->aliases);
        assert_non_null(p->channel);
        assert_non_null(p->request);
        assert_non_null(p->probe);
        assert_non_null(p->page);
        assert_ptr_equal(mnt_platform_find(mnt_str_c(p->name)), p);
        assert_int_equal(p->pushed, p->id == 3);

        if (i) {
            q = mnt_platform_at(i - 1);
            assert_true(q->id < p->id);
        }
    }
}


static void
names(void **state)
{
    size_t                 i;
    const mnt_platform_t  *p;

    static const struct {
        const char  *name;
        int          id;                      /* 0: unknown */
    } rows[] = {
        { "chzzk", 1 }, { "CHZZK", 1 }, { "ChzzK", 1 }, { "1", 1 },
        { "치지직", 1 }, { "hls", 2 }, { "HLS", 2 }, { "2", 2 },
        { "m3u8", 2 }, { "rtmp", 3 }, { "3", 3 },
        { "", 0 }, { "0", 0 }, { "-1", 0 }, { "99", 0 }, { "1 ", 0 },
        { "chzz", 0 }, { "chzzk2", 0 }, { "치지", 0 },
        { "18446744073709551617", 0 }, { "youtube", 0 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        p = mnt_platform_find(mnt_str_c(rows[i].name));
        mnt_test_i64(p ? p->id : 0, rows[i].id, rows[i].name, "id");
    }
}


static void
addresses(void **state)
{
    size_t                 i;
    mnt_str_t              channel;
    mnt_arena_t            a;
    const mnt_platform_t  *p;

    static const struct {
        const char  *url;
        int          id;                      /* 0: none */
        const char  *channel;
    } rows[] = {
        { "https://chzzk.naver.com/live/" MNT_TEST_ID, 1, MNT_TEST_ID },
        { " https://chzzk.naver.com/" MNT_TEST_ID "\n", 1, MNT_TEST_ID },
        { "https://m.chzzk.naver.com/live/" MNT_TEST_ID "?a=b#c", 1,
          MNT_TEST_ID },
        { "https://chzzk.naver.com/video/1234", 0, NULL },
        { "https://chzzk.naver.com/clips/abcd", 0, NULL },
        { "https://chzzk.naver.com/", 0, NULL },
        { "https://chzzk.naver.com.evil.example/live/" MNT_TEST_ID, 0, NULL },
        { "https://media.example/live/index.m3u8", 2,
          "https://media.example/live/index.m3u8" },
        { "http://Media.Example:8080/a/../INDEX.M3U8?k=v#x", 2,
          "http://media.example:8080/INDEX.M3U8?k=v" },
        { "https://media.example/live/page.html", 0, NULL },
        { "https://media.example/?u=x.m3u8", 0, NULL },
        { "https://user:pw@media.example/a.m3u8", 0, NULL },
        { "ftp://media.example/a.m3u8", 0, NULL },
        { "chzzk", 0, NULL },
        { MNT_TEST_ID, 0, NULL },
        { "", 0, NULL }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_arena_init(&a, MNT_TEST_ARENA);
        channel.len = 0;
        channel.data = NULL;

        p = mnt_platform_of_url(&a, mnt_str_c(rows[i].url), &channel);
        mnt_test_i64(p ? p->id : 0, rows[i].id, rows[i].url, "id");

        if (p) {
            mnt_test_str(channel, rows[i].channel, rows[i].url);
        }

        mnt_arena_free(&a);
    }
}


static void
outcomes(void **state)
{
    int     i;
    size_t  n;

    /* the words of the fixtures' index, of the API and of the metrics */

    static const struct {
        mnt_probe_outcome_e  outcome;
        const char          *name;
        int                  conclusive;
    } rows[] = {
        { MNT_PROBE_OFFLINE, "offline", 1 },
        { MNT_PROBE_LIVE, "live", 1 },
        { MNT_PROBE_LIVE_NOT_PLAYABLE, "live-not-playable", 1 },
        { MNT_PROBE_NOT_LIVE, "not-live", 1 },
        { MNT_PROBE_UNKNOWN_CHANNEL, "unknown-channel", 1 },
        { MNT_PROBE_TRANSIENT, "transient-error", 0 },
        { MNT_PROBE_RATE_LIMITED, "rate-limited", 0 },
        { MNT_PROBE_ERROR, "error", 0 },
        { MNT_PROBE_MALFORMED, "malformed", 0 },
        { MNT_PROBE_ACCESS_DENIED, "access-denied", 0 },
        { MNT_PROBE_TOKEN_EXPIRED, "token-expired-or-denied", 0 }
    };

    (void) state;

    assert_int_equal(mnt_test_count(rows), MNT_PROBE_MAX);

    for (n = 0; n < mnt_test_count(rows); n++) {
        assert_string_equal(mnt_probe_name(rows[n].outcome), rows[n].name);
        mnt_test_i64(mnt_probe_conclusive(rows[n].outcome),
                     rows[n].conclusive, rows[n].name, "conclusive");
    }

    for (i = -2; i < 40; i++) {
        assert_non_null(mnt_probe_name((mnt_probe_outcome_e) i));
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(order),
        cmocka_unit_test(names),
        cmocka_unit_test(addresses),
        cmocka_unit_test(outcomes)
    };

    return cmocka_run_group_tests_name("platform/registry", tests, NULL,
                                       NULL);
}
