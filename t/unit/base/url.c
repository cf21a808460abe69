
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "base/mnt_url.h"


#define CDN     "https://livecloud.example/chzzk/k5/2oazt6"
#define TOKEN   "hdntl=exp=1790586285~acl=*%2f2oazt6%2f*~data=hdntl~hmac=4da3"
#define MASTER  CDN "/fotd_hls_playlist.m3u8?hdnts=st=1790524949~"            \
                "exp=1790586159~acl=*/2oazt6/*~hmac=1807&vp=26GQ"


static void
parse(void **state)
{
    size_t     i;
    mnt_url_t  u;

    static const struct {
        const char  *url;
        const char  *host;                    /* NULL: refused */
        unsigned     port;
        const char  *path;
        const char  *query;                   /* NULL: none */
    } rows[] = {
        { "http://a/", "a", 80, "/", NULL },
        { "HTTPS://A.example", "A.example", 443, "", NULL },
        { "http://a:8080?x", "a", 8080, "", "x" },
        { "http://a:/p?", "a", 80, "/p", "" },
        { "http://a/p?q?r#f?g", "a", 80, "/p", "q?r" },
        { "http://a/p#f", "a", 80, "/p", NULL },
        { "http://a#f", "a", 80, "", NULL },
        { "http://127.0.0.1:1/x", "127.0.0.1", 1, "/x", NULL },
        { "http://[::1]:81/x", "::1", 81, "/x", NULL },
        { "http://[2001:db8::1.2.3.4]", "2001:db8::1.2.3.4", 80, "", NULL },
        { "http://a./", "a.", 80, "/", NULL },
        { "http://a:65536/", NULL, 0, NULL, NULL },
        { "http://a:0/", NULL, 0, NULL, NULL },
        { "http://a:8a/", NULL, 0, NULL, NULL },
        { "http://a:-1/", NULL, 0, NULL, NULL },
        { "http://user@a/", NULL, 0, NULL, NULL },
        { "http://user:pw@a/", NULL, 0, NULL, NULL },
        { "http://a\\@b/", NULL, 0, NULL, NULL },
        { "http://a%2eb/", NULL, 0, NULL, NULL },
        { "http://\xed\x95\x9c/", NULL, 0, NULL, NULL },
        { "http://a..b/", NULL, 0, NULL, NULL },
        { "http://.a/", NULL, 0, NULL, NULL },
        { "http:///p", NULL, 0, NULL, NULL },
        { "http://:80/", NULL, 0, NULL, NULL },
        { "http://[::1/", NULL, 0, NULL, NULL },
        { "http://[::1]x/", NULL, 0, NULL, NULL },
        { "http://[fe80::1%25eth0]/", NULL, 0, NULL, NULL },
        { "http://[v1.a]/", NULL, 0, NULL, NULL },
        { "http:/a/p", NULL, 0, NULL, NULL },
        { "http:a", NULL, 0, NULL, NULL },
        { "//a/p", NULL, 0, NULL, NULL },
        { "a/p", NULL, 0, NULL, NULL },
        { "", NULL, 0, NULL, NULL },
        { "ftp://a/", NULL, 0, NULL, NULL },
        { "file:///etc/passwd", NULL, 0, NULL, NULL },
        { "javascript:alert(1)", NULL, 0, NULL, NULL },
        { "data:text/plain,x", NULL, 0, NULL, NULL },
        { "httpx://a/", NULL, 0, NULL, NULL },
        { " http://a/", NULL, 0, NULL, NULL },
        { "http://a/ b", NULL, 0, NULL, NULL },
        { "http://a/\r\nHost: b", NULL, 0, NULL, NULL },
        { "http://a/\x7f", NULL, 0, NULL, NULL }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        if (mnt_url_parse(mnt_str_c(rows[i].url), &u) != 0) {
            mnt_test_ok(rows[i].host == NULL, rows[i].url, "refused");
            continue;
        }

        mnt_test_ok(rows[i].host != NULL, rows[i].url, "not refused");
        mnt_test_str(u.host, rows[i].host, rows[i].url);
        mnt_test_i64(u.port, rows[i].port, rows[i].url, "port");
        mnt_test_str(u.path, rows[i].path, rows[i].url);
        mnt_test_i64(u.has_query, rows[i].query != NULL, rows[i].url, "query");
        mnt_test_str(u.query, rows[i].query, rows[i].url);
    }
}


/* RFC 3986 5.4, with the fragment left out and other schemes refused */

static void
join_rfc3986(void **state)
{
    size_t       i;
    mnt_arena_t  a;

    static const struct {
        const char  *ref;
        const char  *url;
    } rows[] = {
        { "g:h", NULL },
        { "g", "http://a/b/c/g" },
        { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" },
        { "/g", "http://a/g" },
        { "//g", "http://g" },
        { "?y", "http://a/b/c/d;p?y" },
        { "g?y", "http://a/b/c/g?y" },
        { "#s", "http://a/b/c/d;p?q" },
        { "g#s", "http://a/b/c/g" },
        { "g?y#s", "http://a/b/c/g?y" },
        { ";x", "http://a/b/c/;x" },
        { "g;x", "http://a/b/c/g;x" },
        { "g;x?y#s", "http://a/b/c/g;x?y" },
        { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" },
        { "./", "http://a/b/c/" },
        { "..", "http://a/b/" },
        { "../", "http://a/b/" },
        { "../g", "http://a/b/g" },
        { "../..", "http://a/" },
        { "../../", "http://a/" },
        { "../../g", "http://a/g" },
        { "../../../g", "http://a/g" },
        { "../../../../g", "http://a/g" },
        { "/./g", "http://a/g" },
        { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." },
        { ".g", "http://a/b/c/.g" },
        { "g..", "http://a/b/c/g.." },
        { "..g", "http://a/b/c/..g" },
        { "./../g", "http://a/b/g" },
        { "./g/.", "http://a/b/c/g/" },
        { "g/./h", "http://a/b/c/g/h" },
        { "g/../h", "http://a/b/c/h" },
        { "g;x=1/./y", "http://a/b/c/g;x=1/y" },
        { "g;x=1/../y", "http://a/b/c/y" },
        { "g?y/./x", "http://a/b/c/g?y/./x" },
        { "g?y/../x", "http://a/b/c/g?y/../x" },
        { "g#s/./x", "http://a/b/c/g" },
        { "http:g", NULL }
    };

    (void) state;

    mnt_arena_init(&a, 1 << 20);

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_test_str(mnt_url_join(&a, S("http://a/b/c/d;p?q"),
                                  mnt_str_c(rows[i].ref)),
                     rows[i].url, rows[i].ref);
    }

    mnt_arena_free(&a);
}


/* RELIABILITY M5: the forms that platforms and attackers use */

static void
join_media(void **state)
{
    char        *big;
    size_t       i;
    mnt_str_t    ref;
    mnt_arena_t  a;

    static const struct {
        const char  *base;
        const char  *ref;
        const char  *url;
    } rows[] = {
        { MASTER, "1080p/" TOKEN "/fotd_hls_chunklist.m3u8?vp=45",
          CDN "/1080p/" TOKEN "/fotd_hls_chunklist.m3u8?vp=45" },
        { CDN "/1080p/" TOKEN "/fotd_hls_chunklist.m3u8?vp=45",
          "1080p_15_0_4700.m4v?type=hls&filetype=.m4v",
          CDN "/1080p/" TOKEN "/1080p_15_0_4700.m4v?type=hls&filetype=.m4v" },
        { "https://a/b/", "//cdn.example/x.ts", "https://cdn.example/x.ts" },
        { "https://a:8443/b/c", "/x.ts", "https://a:8443/x.ts" },
        { "https://a/b", "http://c/d/../e", "http://c/e" },
        { "https://a", "x.ts", "https://a/x.ts" },
        { "https://a?q", "x.ts", "https://a/x.ts" },
        { "https://a?q", "?r", "https://a?r" },
        { "https://a/b?q", "?", "https://a/b?" },
        { "https://[::1]:9/b", "c", "https://[::1]:9/c" },
        { "https://a/b", "a b.ts", "https://a/a%20b.ts" },
        { "https://a/b", "\xed\x95\x9c.ts", "https://a/%ED%95%9C.ts" },
        { "https://a/\xed\x95\x9c/b?\xff", "", "https://a/%ED%95%9C/b?%FF" },
        { "https://a/b", "%2e%2e/x%2Fy", "https://a/%2e%2e/x%2Fy" },
        { "https://a/b", "  x.ts\t", "https://a/x.ts" },
        { "https://a/b", "10:00.ts", "https://a/10:00.ts" },
        { "https://a/b", "./n:00.ts", "https://a/n:00.ts" },
        { "https://a/b", "n:00.ts", NULL },
        { "https://a/b", "javascript:alert(1)", NULL },
        { "https://a/b", "data:video/mp4;base64,AAAA", NULL },
        { "https://a/b", "file:///etc/passwd", NULL },
        { "https://a/b", "FTP://a/b", NULL },
        { "https://a/b", "http://u:p@c/d", NULL },
        { "https://a/b", "//u@c/d", NULL },
        { "https://a/b", "http://", NULL },
        { "https://a/b", "///x", NULL },
        { "https://a/b", "x\ny", NULL },
        { "https://a/b", "x\x01", NULL },
        { "https://a /b", "x", NULL },
        { " https://a/b", "x", NULL },
        { "ftp://a/b", "x", NULL },
        { "", "x", NULL }
    };

    (void) state;

    mnt_arena_init(&a, 1 << 20);

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_test_str(mnt_url_join(&a, mnt_str_c(rows[i].base),
                                  mnt_str_c(rows[i].ref)),
                     rows[i].url, rows[i].ref);
    }

    assert_null(mnt_url_join(&a, S("https://a/b"), S("x\0y")).data);

    big = malloc(65536);
    assert_non_null(big);
    memset(big, 'x', 65536);
    ref.data = big;
    ref.len = 65536;
    assert_null(mnt_url_join(&a, S("https://a/b"), ref).data);
    ref.len = MNT_URL_MAX - (sizeof("https://a/") - 1);
    assert_int_equal(mnt_url_join(&a, S("https://a/b"), ref).len, MNT_URL_MAX);
    ref.len++;
    assert_null(mnt_url_join(&a, S("https://a/b"), ref).data);
    free(big);

    mnt_arena_free(&a);

    mnt_arena_init(&a, 0);
    assert_null(mnt_url_join(&a, S("https://a/b"), S("x")).data);
}


static void
redact(void **state)
{
    char    buf[256];
    size_t  i, n;

    static const struct {
        const char  *url;
        const char  *text;
    } rows[] = {
        { MASTER, CDN "/fotd_hls_playlist.m3u8?..." },
        { CDN "/1080p/" TOKEN "/c.m3u8?vp=45", CDN "/1080p/.../c.m3u8?..." },
        { "https://a/HDNTL=x/c", "https://a/.../c" },
        { "https://a/b~hmac=77/c#frag", "https://a/.../c#..." },
        { "https://user:secret@a/b", "https://...@a/b" },
        { "https://user:se@cret@a/b", "https://...@a/b" },
        { "//user:secret@a/b?c", "//...@a/b?..." },
        { "https://a?hdnts=1", "https://a?..." },
        { "https://a", "https://a" },
        { "x.m4v?type=hls", "x.m4v?..." },
        { "https://a/b\nc\x1b[1m\x7f", "https://a/b?c?[1m?" },
        { "", "" }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        n = mnt_url_redact(mnt_str_c(rows[i].url), buf, sizeof(buf));
        mnt_test_str(mnt_str_c(buf), rows[i].text, rows[i].url);
        mnt_test_i64((int64_t) n, (int64_t) strlen(buf), rows[i].url,
                     "length");
    }

    assert_int_equal(mnt_url_redact(S("https://a/" TOKEN), buf, 12), 11);
    assert_string_equal(buf, "https://a/.");
    assert_int_equal(mnt_url_redact(S("https://a/"), buf, 1), 0);
    assert_int_equal(mnt_url_redact(S("https://a/"), buf, 0), 0);
}


static void
expires(void **state)
{
    size_t  i;

    static const struct {
        const char  *url;
        int64_t      when;
    } rows[] = {
        { MASTER, 1790586159 },
        { CDN "/1080p/" TOKEN "/c.m3u8?vp=45", 1790586285 },
        { "https://a/?hdnts%3Dst%3D1%7Eexp%3D1790586159%7Eacl", 1790586159 },
        { "https://a/hdntl=exp=50~acl/x?hdnts=st=1~exp=40~acl", 40 },
        { "https://a/x?exp=77&y", 77 },
        { "https://a/x?nexp=77", -1 },
        { "https://a/x?exp=", -1 },
        { "https://a/x?exp=abc", -1 },
        { "https://a/x?exp=99999999999999999999999", -1 },
        { "https://a/x?export=5", -1 },
        { "https://a/x", -1 },
        { "", -1 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_test_i64(mnt_url_expires(mnt_str_c(rows[i].url)), rows[i].when,
                     rows[i].url, "expiry");
    }
}


static void
identity(void **state)
{
    size_t  i;

    static const struct {
        const char  *one;
        const char  *other;
        int          same;
    } rows[] = {
        { CDN "/1080p/" TOKEN "/s_4700.m4v?type=hls",
          "https://other.example/x/s_4700.m4v?type=hls&token=2", 1 },
        { "s_4700.m4v", CDN "/s_4700.m4v#f", 1 },
        { "s_4700.m4v", "s_4701.m4v", 0 },
        { "a/s.ts/hdntl=exp=1", "b/s.ts/hdntl=exp=2", 1 },
        { "a/7/", "b/7/", 1 },
        { "a/7/", "a/8/", 0 },
        { "https://a/?x", "https://b", 1 },
        { "", "?x", 1 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_test_i64(mnt_url_identity(mnt_str_c(rows[i].one))
                     == mnt_url_identity(mnt_str_c(rows[i].other)),
                     rows[i].same, rows[i].one, "sameness");
    }
}


static void
same_origin(void **state)
{
    unsigned  i;

    static const struct {
        const char  *one;
        const char  *other;
        int          same;
    } rows[] = {
        { "https://a.example/x", "https://a.example/y?z", 1 },
        { "https://a.example", "HTTPS://A.EXAMPLE:443/", 1 },
        { "http://a.example:80/", "http://a.example/", 1 },
        { "http://[::1]:8080/", "http://[::1]:8080/k", 1 },
        { "https://a.example/", "http://a.example/", 0 },
        { "https://a.example/", "https://a.example:444/", 0 },
        { "https://a.example/", "https://a.example.evil/", 0 },
        { "https://a.example/", "https://b.example/", 0 },
        { "https://a.example/", "https://a.example@b.example/", 0 },
        { "https://a.example/", "//a.example/", 0 },
        { "", "", 0 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_test_i64(mnt_url_same_origin(mnt_str_c(rows[i].one),
                                         mnt_str_c(rows[i].other)),
                     rows[i].same, rows[i].other, "one origin");
        mnt_test_i64(mnt_url_same_origin(mnt_str_c(rows[i].other),
                                         mnt_str_c(rows[i].one)),
                     rows[i].same, rows[i].other, "the other way");
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(parse),
        cmocka_unit_test(join_rfc3986),
        cmocka_unit_test(join_media),
        cmocka_unit_test(redact),
        cmocka_unit_test(expires),
        cmocka_unit_test(identity),
        cmocka_unit_test(same_origin)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
