
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test_platform.h"

#include "base/mnt_url.h"


#define UPPER  "00112233445566778899AABBCCDDEEFF"
#define TEN    "가나다라마바사아자차"


typedef struct {
    const char  *typed;
    int          rc;
    const char  *channel;                     /* of a refusal: the reason */
} row_t;


static void
check(const char *platform, const row_t *rows, size_t n)
{
    int                    rc;
    size_t                 i;
    const char            *why;
    mnt_str_t              channel;
    mnt_arena_t            a;
    const mnt_platform_t  *p;

    p = mnt_test_platform(platform);

    for (i = 0; i < n; i++) {
        mnt_arena_init(&a, MNT_TEST_ARENA);
        why = NULL;

        rc = p->channel(&a, mnt_str_c(rows[i].typed), &channel, &why);
        mnt_test_i64(rc, rows[i].rc, rows[i].typed, "result");

        if (rc == -1) {
            channel = mnt_str_c(why);
        }

        mnt_test_str(channel, rows[i].channel, rows[i].typed);
        mnt_arena_free(&a);
    }
}


static void
chzzk(void **state)
{
    static const row_t  rows[] = {
        { MNT_TEST_ID, 0, MNT_TEST_ID },
        { UPPER, 0, MNT_TEST_ID },
        { " \t" MNT_TEST_ID "\r\n", 0, MNT_TEST_ID },
        { "https://chzzk.naver.com/" MNT_TEST_ID, 0, MNT_TEST_ID },
        { "https://chzzk.naver.com/" UPPER "/", 0, MNT_TEST_ID },
        { "https://chzzk.naver.com/live/" MNT_TEST_ID, 0, MNT_TEST_ID },
        { "https://chzzk.naver.com/live/" MNT_TEST_ID "/", 0, MNT_TEST_ID },
        { "https://chzzk.naver.com/live/" MNT_TEST_ID "?q=1#f", 0,
          MNT_TEST_ID },
        { "https://chzzk.naver.com/" MNT_TEST_ID "/community", 0,
          MNT_TEST_ID },
        { "https://chzzk.naver.com/" MNT_TEST_ID "/community/detail/1?x", 0,
          MNT_TEST_ID },
        { "https://m.chzzk.naver.com/" MNT_TEST_ID "#top", 0, MNT_TEST_ID },
        { "HTTPS://CHZZK.NAVER.COM:443/live/" MNT_TEST_ID, 0, MNT_TEST_ID },
        { "http://chzzk.naver.com/live/" MNT_TEST_ID, 0, MNT_TEST_ID },
        { "chzzk.naver.com/live/" MNT_TEST_ID, 0, MNT_TEST_ID },
        { "m.chzzk.naver.com/" MNT_TEST_ID, 0, MNT_TEST_ID },

        { "예시 방송인", 1, "예시 방송인" },
        { "  예시  ", 1, "예시" },
        { "https", 1, "https" },
        { "..", 1, ".." },
        { "ᄋ\xe1\x85\xa8시", 1, "예시" },
        { "0112233445566778899aabbccddeeff", 1,
          "0112233445566778899aabbccddeeff" },
        { "g0112233445566778899aabbccddeeff", 1,
          "g0112233445566778899aabbccddeeff" },
        { TEN TEN TEN TEN TEN TEN, 1, TEN TEN TEN TEN TEN TEN },

        { TEN TEN TEN TEN TEN TEN "카", -1,
          "is longer than a nickname can be" },
        { "", -1, "is empty" },
        { " \n", -1, "is empty" },
        { "a\x01" "b", -1, "holds a control character" },
        { "a\x7f", -1, "holds a control character" },
        { "\xff\xfe", -1, "is not UTF-8" },
        { "\xed\xa0\x80", -1, "is not UTF-8" },
        { "https://chzzk.naver.com/video/12345", -1,
          "is not the address of a channel" },
        { "https://chzzk.naver.com/live", -1,
          "is not the address of a channel" },
        { "https://chzzk.naver.com/", -1, "is not the address of a channel" },
        { "https://chzzk.naver.com/live/live/" MNT_TEST_ID, -1,
          "is not the address of a channel" },
        { "https://chzzk.naver.com/live/" MNT_TEST_ID "0", -1,
          "is not the address of a channel" },
        { "https://chzzk.naver.com/?c=" MNT_TEST_ID, -1,
          "is not the address of a channel" },
        { "https://chzzk.naver.com.evil.example/" MNT_TEST_ID, -1,
          "is an address of another site" },
        { "https://evil.example/chzzk.naver.com/" MNT_TEST_ID, -1,
          "is an address of another site" },
        { "https://a@chzzk.naver.com/" MNT_TEST_ID, -1,
          "is neither a channel id, an address nor a nickname" },
        { "ftp://chzzk.naver.com/" MNT_TEST_ID, -1,
          "is neither a channel id, an address nor a nickname" },
        { "../" MNT_TEST_ID, -1,
          "is neither a channel id, an address nor a nickname" }
    };

    (void) state;

    check("chzzk", rows, mnt_test_count(rows));
}


static void
hls(void **state)
{
    char       url[2100];
    row_t      row;

    static const row_t  rows[] = {
        { "https://media.example/live.m3u8", 0,
          "https://media.example/live.m3u8" },
        { " HTTP://Media.Example:8080/A/./b/../live.m3u8?T=1#frag ", 0,
          "http://media.example:8080/A/live.m3u8?T=1" },
        { "http://127.0.0.1:1/x", 0, "http://127.0.0.1:1/x" },
        { "http://[2001:DB8::1]/x", 0, "http://[2001:db8::1]/x" },
        { "https://a.example/예", 0, "https://a.example/%EC%98%88" },
        { "https://a.example/t=~acl=*%2fx*~", 0,
          "https://a.example/t=~acl=*%2fx*~" },
        { "", -1, "is empty" },
        { "live.m3u8", -1, "is not the http or https URL of a playlist" },
        { "/live.m3u8", -1, "is not the http or https URL of a playlist" },
        { "a/b:c", -1, "is not the http or https URL of a playlist" },
        { "//a.example/x", -1, "is not the http or https URL of a playlist" },
        { "rtmp://a.example/x", -1,
          "is not the http or https URL of a playlist" },
        { "file:///etc/passwd", -1,
          "is not the http or https URL of a playlist" },
        { "http:/a.example", -1,
          "is not the http or https URL of a playlist" },
        { "http://", -1, "is not the http or https URL of a playlist" },
        { "https://user:pw@a.example/x", -1,
          "is not the http or https URL of a playlist" },
        { "https://a.example/\x01", -1,
          "is not the http or https URL of a playlist" }
    };

    (void) state;

    check("hls", rows, mnt_test_count(rows));

    memset(url, 'a', sizeof(url));
    memcpy(url, "https://a.example/", 18);
    row.typed = url;

    url[2048] = '\0';
    row.rc = 0;
    row.channel = url;
    check("hls", &row, 1);

    url[2048] = 'a';
    url[2049] = '\0';
    row.rc = -1;
    row.channel = "is longer than 2048 bytes";
    check("hls", &row, 1);
}


static void
rtmp(void **state)
{
    static const char   letters[] = "may have letters of ASCII and digits, and"
                                    " behind the first also \"-\" and \"_\"";
    static const row_t  rows[] = {
        { "camera", 0, "camera" },
        { " Camera_2-b\n", 0, "camera_2-b" },
        { "7", 0, "7" },
        { "", -1, "is empty" },
        { " \t", -1, "is empty" },
        { "-a", -1, letters },
        { "_a", -1, letters },
        { "a b", -1, letters },
        { "a/b", -1, letters },
        { "..", -1, letters },
        { "a.b", -1, letters },
        { "a%2fb", -1, letters },
        { TEN, -1, letters },
        { "rtmp://127.0.0.1/live/a", -1, letters },
        { MNT_TEST_ID MNT_TEST_ID, 0, MNT_TEST_ID MNT_TEST_ID },
        { MNT_TEST_ID MNT_TEST_ID "a", -1, "is longer than 64 bytes" }
    };

    (void) state;

    check("rtmp", rows, mnt_test_count(rows));
}


static void
requests(void **state)
{
    int                     rc;
    size_t                  i, n;
    mnt_url_t               u;
    mnt_arena_t             a;
    mnt_platform_conf_t     conf;
    mnt_platform_request_t  req;
    const mnt_platform_t   *p;

    static const struct {
        const char     *platform;
        const char     *api;                  /* NULL: the default */
        mnt_request_e   kind;
        const char     *channel;
        const char     *url;                  /* NULL: refused */
    } rows[] = {
        { "chzzk", NULL, MNT_REQUEST_STATUS, MNT_TEST_ID,
          "https://api.chzzk.naver.com/polling/v3.1/channels/" MNT_TEST_ID
          "/live-status" },
        { "chzzk", "http://127.0.0.1:8081/mock", MNT_REQUEST_STATUS,
          MNT_TEST_ID, "http://127.0.0.1:8081/mock/polling/v3.1/channels/"
          MNT_TEST_ID "/live-status" },
        { "chzzk", NULL, MNT_REQUEST_DETAIL, MNT_TEST_ID,
          "https://api.chzzk.naver.com/service/v3.1/channels/" MNT_TEST_ID
          "/live-detail" },
        { "chzzk", NULL, MNT_REQUEST_CHANNEL, MNT_TEST_ID,
          "https://api.chzzk.naver.com/service/v1/channels/" MNT_TEST_ID },
        { "chzzk", NULL, MNT_REQUEST_SEARCH, "예 a&b=c/?#%+",
          "https://api.chzzk.naver.com/service/v1/search/channels?keyword="
          "%EC%98%88%20a%26b%3Dc%2F%3F%23%25%2B&offset=0&size=20" },
        { "chzzk", NULL, MNT_REQUEST_STATUS, "../../x", NULL },
        { "chzzk", NULL, MNT_REQUEST_DETAIL, "nickname", NULL },
        { "chzzk", NULL, MNT_REQUEST_CHANNEL, "", NULL },
        { "chzzk", NULL, MNT_REQUEST_SEARCH, "", NULL },
        { "chzzk", NULL, (mnt_request_e) 17, MNT_TEST_ID, NULL },
        { "hls", NULL, MNT_REQUEST_STATUS, "https://a.example/x.m3u8?t=1",
          "https://a.example/x.m3u8?t=1" },
        { "hls", NULL, MNT_REQUEST_DETAIL, "https://a.example/x.m3u8?t=1",
          "https://a.example/x.m3u8?t=1" },
        { "hls", NULL, MNT_REQUEST_STATUS, "file:///etc/passwd", NULL },
        { "hls", NULL, MNT_REQUEST_CHANNEL, "https://a.example/x", NULL },
        { "hls", NULL, MNT_REQUEST_SEARCH, "https://a.example/x", NULL },
        { "rtmp", NULL, MNT_REQUEST_STATUS, "camera", NULL },
        { "rtmp", NULL, MNT_REQUEST_DETAIL, "camera", NULL }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        p = mnt_test_platform(rows[i].platform);
        mnt_arena_init(&a, MNT_TEST_ARENA);
        memset(&conf, 0, sizeof(conf));
        memset(&req, 0xa5, sizeof(req));
        conf.api = mnt_str_c(rows[i].api);

        rc = p->request(&a, &conf, rows[i].kind, mnt_str_c(rows[i].channel),
                        &req);
        mnt_test_i64(rc, rows[i].url ? 0 : -1, rows[i].channel, "result");

        if (rc == 0) {
            mnt_test_str(req.url, rows[i].url, rows[i].channel);
            assert_int_equal(mnt_url_parse(req.url, &u), 0);
            assert_int_equal(req.api, p->id == 1);
            assert_int_equal(req.playlist, p->id == 2);
            assert_true(req.max_bytes >= 256 * 1024);
            assert_true(req.max_bytes <= 2 * 1024 * 1024);
            assert_true(req.nheaders <= mnt_test_count(req.headers));

            for (n = 0; n < req.nheaders; n++) {
                assert_non_null(strstr(req.headers[n].data, ": "));
            }
        }

        mnt_arena_free(&a);
    }
}


/* an arena that is too small gives a refusal, never half a URL */

static void
no_memory(void **state)
{
    int                     rc;
    size_t                  max;
    mnt_str_t               s;
    const char             *why;
    mnt_arena_t             a;
    mnt_platform_conf_t     conf;
    mnt_platform_request_t  req;
    const mnt_platform_t   *p;

    (void) state;

    memset(&conf, 0, sizeof(conf));
    p = mnt_test_platform("chzzk");

    for (max = 0; max < 256; max += 16) {
        mnt_arena_init(&a, max);
        rc = p->channel(&a, mnt_str_c(UPPER), &s, &why);

        if (rc == 0) {
            assert_true(mnt_str_eqc(s, MNT_TEST_ID));

        } else {
            assert_int_equal(rc, -1);
            assert_string_equal(why, "no memory");
        }

        rc = p->request(&a, &conf, MNT_REQUEST_DETAIL, mnt_str_c(MNT_TEST_ID),
                        &req);
        assert_true(rc == 0 || rc == -1);
        assert_true(rc == -1 || mnt_str_ends(req.url, "/live-detail"));

        mnt_arena_free(&a);
    }
}


static void
pages(void **state)
{
    mnt_arena_t            a;
    const mnt_platform_t  *p;

    (void) state;

    mnt_arena_init(&a, MNT_TEST_ARENA);
    p = mnt_test_platform("chzzk");
    mnt_test_str(p->page(&a, S(MNT_TEST_ID)),
                 "https://chzzk.naver.com/live/" MNT_TEST_ID, "page");
    mnt_test_str(p->page(&a, S("\"><script>")), NULL, "no id");

    p = mnt_test_platform("hls");
    mnt_test_str(p->page(&a, S("https://a.example/x.m3u8")), NULL, "hls");

    p = mnt_test_platform("rtmp");
    mnt_test_str(p->page(&a, S("camera")), NULL, "rtmp");
    mnt_arena_free(&a);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(chzzk),
        cmocka_unit_test(hls),
        cmocka_unit_test(rtmp),
        cmocka_unit_test(requests),
        cmocka_unit_test(no_memory),
        cmocka_unit_test(pages)
    };

    return cmocka_run_group_tests_name("platform/channel", tests, NULL, NULL);
}
