
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test_platform.h"


#define URL      "https://media.example/live.m3u8?t=1"
#define HEAD     "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n"
#define SEGMENT  "#EXTINF:2,\n1.ts\n"
#define MASTER   "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n"


static void
probe(mnt_arena_t *a, unsigned http, const char *body, mnt_probe_t *p)
{
    mnt_platform_answer_t  answer;

    memset(&answer, 0, sizeof(answer));
    answer.http = http;
    answer.body = mnt_str_c(body);

    mnt_test_probe(a, mnt_test_platform("hls"), MNT_REQUEST_STATUS, URL,
                   &answer, p);
}


static void
states(void **state)
{
    size_t       i;
    mnt_probe_t  p;
    mnt_arena_t  a;

    static const struct {
        const char           *body;
        unsigned              http;
        mnt_probe_outcome_e   outcome;
        const char           *reason;         /* its beginning */
    } rows[] = {
        { HEAD SEGMENT, 200, MNT_PROBE_LIVE, NULL },
        { HEAD, 200, MNT_PROBE_LIVE, NULL },
        { HEAD "#EXT-X-PLAYLIST-TYPE:EVENT\n" SEGMENT, 200, MNT_PROBE_LIVE,
          NULL },
        { MASTER, 200, MNT_PROBE_LIVE, NULL },
        { HEAD SEGMENT "#EXT-X-ENDLIST\n", 200, MNT_PROBE_OFFLINE, "ended" },
        { HEAD "#EXT-X-ENDLIST\n", 200, MNT_PROBE_OFFLINE, "ended" },
        { HEAD "#EXT-X-PLAYLIST-TYPE:VOD\n" SEGMENT, 200, MNT_PROBE_OFFLINE,
          "vod" },
        { "", 404, MNT_PROBE_OFFLINE, "http-404" },
        { "<html>", 410, MNT_PROBE_OFFLINE, "http-410" },
        { HEAD SEGMENT, 404, MNT_PROBE_OFFLINE, "http-404" },
        { "", 401, MNT_PROBE_ACCESS_DENIED, "http-401" },
        { "", 403, MNT_PROBE_ACCESS_DENIED, "http-403" },
        { "", 429, MNT_PROBE_RATE_LIMITED, "http-429" },
        { "", 500, MNT_PROBE_TRANSIENT, "http-500" },
        { "", 503, MNT_PROBE_TRANSIENT, "http-503" },
        { "", 400, MNT_PROBE_ERROR, "http-400" },
        { "", 206, MNT_PROBE_MALFORMED, "http-206" },
        { "", 200, MNT_PROBE_MALFORMED, "playlist: " },
        { "<html><body>offline</body></html>", 200, MNT_PROBE_MALFORMED,
          "playlist: " },
        { "{\"code\":200,\"content\":null}", 200, MNT_PROBE_MALFORMED,
          "playlist: " },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:x,\na.ts\n", 200,
          MNT_PROBE_MALFORMED, "playlist: " },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:2\na.ts\n", 200,
          MNT_PROBE_MALFORMED, "playlist: " },
        { "#EXTM3U\n", 200, MNT_PROBE_MALFORMED, "playlist: " },
        { "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"b\"\n", 200,
          MNT_PROBE_MALFORMED, "playlist: " }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_arena_init(&a, MNT_TEST_ARENA);
        probe(&a, rows[i].http, rows[i].body, &p);

        if (p.outcome != rows[i].outcome) {
            print_error("row %zu \"%s\": %s \"%.*s\"\n", i, rows[i].body,
                        mnt_probe_name(p.outcome), (int) p.reason.len,
                        p.reason.data);
            fail();
        }

        mnt_test_ok(rows[i].reason ? mnt_str_starts(p.reason, rows[i].reason)
                                   : p.reason.data == NULL,
                    rows[i].body, "reason");
        mnt_test_str(p.playlist_url,
                     p.outcome == MNT_PROBE_LIVE ? URL : NULL, rows[i].body);
        mnt_test_str(p.broadcast_id, NULL, rows[i].body);
        mnt_test_str(p.title, NULL, rows[i].body);
        assert_true(p.more == 0 && p.opened_ms == -1 && p.viewers == -1);

        mnt_arena_free(&a);
    }
}


static void
encrypted(void **state)
{
    mnt_probe_t  p;
    mnt_arena_t  a;

    (void) state;

    mnt_arena_init(&a, MNT_TEST_ARENA);

    probe(&a, 200, HEAD "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n" SEGMENT, &p);
    assert_int_equal(p.outcome, MNT_PROBE_LIVE);
    assert_int_equal(p.encrypted, 1);

    probe(&a, 200, HEAD "#EXT-X-KEY:METHOD=NONE\n" SEGMENT, &p);
    assert_int_equal(p.outcome, MNT_PROBE_LIVE);
    assert_int_equal(p.encrypted, 0);

    mnt_arena_free(&a);
}


/* a long list is read although the arena of the probe is small */

static void
long_list(void **state)
{
    char                   *text;
    size_t                  i, n;
    mnt_probe_t             p;
    mnt_arena_t             a;
    mnt_platform_answer_t   answer;

    (void) state;

    text = malloc(512 * 1024);
    assert_non_null(text);
    n = sizeof(HEAD) - 1;
    memcpy(text, HEAD, n);

    for (i = 0; i < 9000; i++) {
        n += (size_t) snprintf(text + n, 64,
                               "#EXTINF:2.000,\nsegment-%06zu.ts\n", i);
    }

    mnt_arena_init(&a, 8 * 1024);
    memset(&answer, 0, sizeof(answer));
    answer.http = 200;
    answer.body.data = text;
    answer.body.len = n;

    mnt_test_probe(&a, mnt_test_platform("hls"), MNT_REQUEST_DETAIL, URL,
                   &answer, &p);
    assert_int_equal(p.outcome, MNT_PROBE_LIVE);
    mnt_test_str(p.playlist_url, URL, "long list");

    mnt_arena_free(&a);
    free(text);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(states),
        cmocka_unit_test(encrypted),
        cmocka_unit_test(long_list)
    };

    return cmocka_run_group_tests_name("platform/hls", tests, NULL, NULL);
}
