
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "hls/mnt_hls_query.h"


#define QUERY  "token=1.2.3"


/* in pieces of "in" bytes, into pieces of "out" bytes */

static mnt_str_t
rewritten(const char *text, size_t in, size_t out)
{
    size_t           n, len;
    mnt_str_t        rest, piece, s;
    mnt_hls_query_t  q;

    static char  buf[4096];

    mnt_hls_query_init(&q, S(QUERY));

    rest = mnt_str_c(text);
    len = 0;

    while (rest.len) {
        piece.data = rest.data;
        piece.len = rest.len < in ? rest.len : in;
        n = piece.len;

        while (piece.len) {
            len += mnt_hls_query_put(&q, &piece, buf + len, out);
            assert_true(len < sizeof(buf) / 2);
        }

        rest.data += n;
        rest.len -= n;
    }

    piece.data = NULL;
    piece.len = 0;
    len += mnt_hls_query_put(&q, &piece, buf + len, out);

    s.data = buf;
    s.len = len;

    return s;
}


static void
addresses(void **state)
{
    size_t    in, out;
    unsigned  i;

    static const struct {
        const char  *text;
        const char  *want;
    } rows[] = {
        { "", "" },
        { "\n\r\n", "\n\r\n" },
        { "#EXTM3U\n#EXTINF:2.000000,\n000001.ts\n",
          "#EXTM3U\n#EXTINF:2.000000,\n000001.ts?" QUERY "\n" },
        { "a.ts\r\nb.ts", "a.ts?" QUERY "\r\nb.ts?" QUERY },
        { "a.ts?x=1\n?y\n", "a.ts?x=1&" QUERY "\n?y&" QUERY "\n" },
        { "a.ts?x=/:\n", "a.ts?x=/:&" QUERY "\n" },
        { "#EXT-X-MAP:URI=\"init-1.mp4\"\n",
          "#EXT-X-MAP:URI=\"init-1.mp4?" QUERY "\"\n" },
        { "#EXT-X-KEY:METHOD=AES-128,URI=\"k.key?a\",IV=0x1\n",
          "#EXT-X-KEY:METHOD=AES-128,URI=\"k.key?a&" QUERY "\",IV=0x1\n" },
        { "#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"a,URI=b\",URI=\"audio-1.m3u8\"\n",
          "#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"a,URI=b\",URI=\"audio-1.m3u8?"
          QUERY "\"\n" },
        { "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"a,b\"\nv.m3u8?window=3\n",
          "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"a,b\"\n"
          "v.m3u8?window=3&" QUERY "\n" },
        { "#X:XURI=\"a\",URI=b,URI=\"\",URIS=\"c\"\n",
          "#X:XURI=\"a\",URI=b,URI=\"?" QUERY "\",URIS=\"c\"\n" },

        /* elsewhere: the query is not told */

        { "http://other.example/a.ts\n//x/a.ts\n/a.ts\n../a.ts\nb/a.ts\n"
          "data:,x\n..\\a.ts\n",
          "http://other.example/a.ts\n//x/a.ts\n/a.ts\n../a.ts\nb/a.ts\n"
          "data:,x\n..\\a.ts\n" },
        { "#EXT-X-KEY:URI=\"https://k/1\"\n#EXT-X-MAP:URI=\"a\"\n",
          "#EXT-X-KEY:URI=\"https://k/1\"\n#EXT-X-MAP:URI=\"a?" QUERY "\"\n" },

        /* what is broken stays so, and harms nothing behind it */

        { "#EXT-X-MAP:URI=\"a\nb.ts\n",
          "#EXT-X-MAP:URI=\"a\nb.ts?" QUERY "\n" },
        { "#EXT-X-MAP:URI=a,\"\nb\n", "#EXT-X-MAP:URI=a,\"\nb?" QUERY "\n" },
        { "#a:URI\nb\n#:,URI=\"c\"", "#a:URI\nb?" QUERY "\n#:,URI=\"c?" QUERY
          "\"" },
        { "#,URI=\"a", "#,URI=\"a" }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        for (in = 1; in < 80; in = in * 3 + 1) {
            for (out = sizeof(QUERY) + 1; out < 200; out += 61) {
                mnt_test_str(rewritten(rows[i].text, in, out), rows[i].want,
                             rows[i].text);
            }
        }
    }
}


/* what has no room is not taken */

static void
room(void **state)
{
    char             buf[64];
    mnt_str_t        in;
    mnt_hls_query_t  q;

    (void) state;

    mnt_hls_query_init(&q, S(QUERY));

    in = S("a\n");
    assert_int_equal(mnt_hls_query_put(&q, &in, buf, sizeof(QUERY)), 0);
    assert_int_equal(in.len, 2);

    assert_int_equal(mnt_hls_query_put(&q, &in, buf, sizeof(QUERY) + 1), 1);
    assert_int_equal(in.len, 1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(room)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
