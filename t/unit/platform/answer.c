
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test_platform.h"

#include "base/mnt_url.h"


#define HLS_URL  "https://media.example/lip/k1/stream_hls.m3u8"               \
                 "?hdnts=st=1700000000~exp=1700060000~acl=*/k1/*"             \
                 "~hmac=00ff&vp=a%2Fb"
#define LL_URL   "https://media.example/lip/k1/stream_ll.m3u8"                \
                 "?hdnts=st=1700000000~exp=1700060000~acl=*/k1/*"             \
                 "~hmac=00ff&vp=a%2Fb"

#define STATUS   MNT_REQUEST_STATUS
#define DETAIL   MNT_REQUEST_DETAIL
#define CHANNEL  MNT_REQUEST_CHANNEL
#define SEARCH   MNT_REQUEST_SEARCH


/* reads a body of t/data/chzzk as the answer to "kind" */

static mnt_str_t
probe_file(mnt_arena_t *a, mnt_request_e kind, unsigned http,
    const char *file, mnt_probe_t *probe)
{
    mnt_str_t              body;
    mnt_platform_answer_t  answer;

    body = mnt_test_body(file);

    memset(&answer, 0, sizeof(answer));
    answer.http = http;
    answer.body = body;

    mnt_test_probe(a, mnt_test_platform("chzzk"), kind, MNT_TEST_ID, &answer,
                   probe);

    return body;
}


static void
probe_text(mnt_arena_t *a, mnt_request_e kind, unsigned http,
    const char *text, mnt_probe_t *probe)
{
    mnt_platform_answer_t  answer;

    memset(&answer, 0, sizeof(answer));
    answer.http = http;
    answer.body = mnt_str_c(text);

    mnt_test_probe(a, mnt_test_platform("chzzk"), kind, MNT_TEST_ID, &answer,
                   probe);
}


static void
states(void **state)
{
    size_t       i;
    mnt_str_t    body;
    mnt_probe_t  probe;
    mnt_arena_t  a;

    static const struct {
        const char           *file;
        mnt_request_e         kind;
        unsigned              http;
        mnt_probe_outcome_e   outcome;
        const char           *reason;
        const char           *playlist;
    } rows[] = {
        { "status-open.json", STATUS, 200, MNT_PROBE_LIVE, NULL, NULL },
        { "status-close.json", STATUS, 200, MNT_PROBE_OFFLINE, NULL, NULL },
        { "status-never.json", STATUS, 200, MNT_PROBE_OFFLINE, NULL, NULL },
        { "status-blocked.json", STATUS, 200, MNT_PROBE_NOT_LIVE,
          "status-BLOCK", NULL },

        { "detail-open.json", DETAIL, 200, MNT_PROBE_LIVE, NULL, HLS_URL },
        { "detail-open-encrypted.json", DETAIL, 200, MNT_PROBE_LIVE, NULL,
          HLS_URL },
        { "detail-open-ll-only.json", DETAIL, 200, MNT_PROBE_LIVE, NULL,
          LL_URL },
        { "detail-open-bare.json", DETAIL, 200, MNT_PROBE_LIVE, NULL,
          "http://127.0.0.1:8081/live/index.m3u8" },
        { "detail-adult.json", DETAIL, 200, MNT_PROBE_LIVE_NOT_PLAYABLE,
          "adult", NULL },
        { "detail-region.json", DETAIL, 200, MNT_PROBE_LIVE_NOT_PLAYABLE,
          "region", NULL },
        { "detail-membership.json", DETAIL, 200, MNT_PROBE_LIVE_NOT_PLAYABLE,
          "membership", NULL },
        { "detail-no-playback.json", DETAIL, 200,
          MNT_PROBE_LIVE_NOT_PLAYABLE, "unknown", NULL },
        { "detail-media-empty.json", DETAIL, 200,
          MNT_PROBE_LIVE_NOT_PLAYABLE, "unknown", NULL },
        { "detail-media-membership.json", DETAIL, 200,
          MNT_PROBE_LIVE_NOT_PLAYABLE, "membership", NULL },
        { "detail-media-dash.json", DETAIL, 200, MNT_PROBE_MALFORMED,
          "content.livePlaybackJson.media[0].protocol is not HLS", NULL },
        { "detail-close.json", DETAIL, 200, MNT_PROBE_OFFLINE, NULL, NULL },
        { "detail-close-ended.json", DETAIL, 200, MNT_PROBE_OFFLINE, NULL,
          NULL },
        { "detail-close-playable.json", DETAIL, 200, MNT_PROBE_OFFLINE, NULL,
          NULL },

        { "error-404.json", DETAIL, 404, MNT_PROBE_UNKNOWN_CHANNEL,
          "code-404", NULL },
        { "error-404.json", STATUS, 404, MNT_PROBE_UNKNOWN_CHANNEL,
          "code-404", NULL },
        { "error-404.json", DETAIL, 200, MNT_PROBE_UNKNOWN_CHANNEL,
          "code-404", NULL },
        { "error.html", DETAIL, 404, MNT_PROBE_ERROR, "http-404", NULL },
        { "error-400.json", DETAIL, 404, MNT_PROBE_ERROR, "http-404", NULL },
        { "error-400.json", DETAIL, 400, MNT_PROBE_ERROR, "http-400", NULL },
        { "error-400.json", DETAIL, 200, MNT_PROBE_ERROR, "code-400", NULL },
        { "error-403.json", DETAIL, 403, MNT_PROBE_ACCESS_DENIED, "http-403",
          NULL },
        { "error-403.json", STATUS, 200, MNT_PROBE_ACCESS_DENIED, "code-403",
          NULL },
        { "error-500.json", DETAIL, 500, MNT_PROBE_TRANSIENT, "http-500",
          NULL },
        { "error-500.json", STATUS, 200, MNT_PROBE_TRANSIENT, "code-50001",
          NULL },
        { "error-9004.json", DETAIL, 500, MNT_PROBE_LIVE_NOT_PLAYABLE,
          "region", NULL },
        { "error-9004.json", DETAIL, 200, MNT_PROBE_LIVE_NOT_PLAYABLE,
          "region", NULL },
        { "error-9004.json", STATUS, 500, MNT_PROBE_ACCESS_DENIED, "region",
          NULL },
        { "error-42601.json", DETAIL, 200, MNT_PROBE_LIVE_NOT_PLAYABLE,
          "adult", NULL },
        { "error.html", STATUS, 200, MNT_PROBE_MALFORMED, "body is not JSON",
          NULL },
        { "error.html", STATUS, 502, MNT_PROBE_TRANSIENT, "http-502", NULL },
        { "error.html", STATUS, 503, MNT_PROBE_TRANSIENT, "http-503", NULL },
        { "error.html", STATUS, 403, MNT_PROBE_ACCESS_DENIED, "http-403",
          NULL },
        { "error.html", STATUS, 401, MNT_PROBE_ACCESS_DENIED, "http-401",
          NULL },
        { "error.html", STATUS, 408, MNT_PROBE_TRANSIENT, "http-408", NULL },
        { "error.html", STATUS, 302, MNT_PROBE_ERROR, "http-302", NULL },
        { "error.html", STATUS, 418, MNT_PROBE_ERROR, "http-418", NULL },
        { "error.html", STATUS, 204, MNT_PROBE_MALFORMED, "http-204", NULL },

        /* a status of HTTP that failed is never overruled by its body */

        { "status-close.json", STATUS, 500, MNT_PROBE_TRANSIENT, "http-500",
          NULL },
        { "status-open.json", STATUS, 404, MNT_PROBE_ERROR, "http-404",
          NULL },
        { "detail-close.json", DETAIL, 403, MNT_PROBE_ACCESS_DENIED,
          "http-403", NULL },
        { "status-never.json", STATUS, 429, MNT_PROBE_RATE_LIMITED,
          "http-429", NULL }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_arena_init(&a, MNT_TEST_ARENA);
        body = probe_file(&a, rows[i].kind, rows[i].http, rows[i].file,
                          &probe);

        if (probe.outcome != rows[i].outcome) {
            print_error("row %zu \"%s\" http %u: %s \"%.*s\"\n", i,
                        rows[i].file, rows[i].http,
                        mnt_probe_name(probe.outcome),
                        (int) probe.reason.len, probe.reason.data);
            fail();
        }

        /* what was found outlives the body */

        memset((char *) (uintptr_t) body.data, '?', body.len);

        mnt_test_str(probe.reason, rows[i].reason, rows[i].file);
        mnt_test_str(probe.playlist_url, rows[i].playlist, rows[i].file);
        assert_int_equal(probe.more, rows[i].kind == STATUS
                                     && rows[i].outcome == MNT_PROBE_LIVE);

        free((char *) (uintptr_t) body.data);
        mnt_arena_free(&a);
    }
}


static void
facts(void **state)
{
    mnt_str_t    body;
    mnt_probe_t  p;
    mnt_arena_t  a;

    (void) state;

    mnt_arena_init(&a, MNT_TEST_ARENA);

    body = probe_file(&a, DETAIL, 200, "detail-open.json", &p);
    free((char *) (uintptr_t) body.data);

    mnt_test_str(p.broadcast_id, "5000001", "liveId");
    mnt_test_str(p.title, "새해 첫 방송 🎍 <b>\"따옴표\"</b>",
                 "title");
    mnt_test_str(p.category, "어떤 게임", "category");
    mnt_test_str(p.channel_id, MNT_TEST_ID, "channel id");
    mnt_test_str(p.channel_name, "예시 방송인", "channel name");
    mnt_test_str(p.image_url, "https://img.example/live/5000001/image_480.jpg",
                 "image");
    mnt_test_i64(p.opened_ms, 1767195000000, "open", "opened_ms");
    mnt_test_i64(p.closed_ms, -1, "open", "closed_ms");
    mnt_test_i64(p.viewers, 1234, "open", "viewers");
    mnt_test_i64(p.call_period_ms, 12000, "open", "call_period_ms");
    assert_int_equal(p.adult, 0);
    assert_int_equal(p.encrypted, 0);

    body = probe_file(&a, DETAIL, 200, "detail-close.json", &p);
    free((char *) (uintptr_t) body.data);
    mnt_test_i64(p.closed_ms, 1767204001000, "close", "closed_ms");

    body = probe_file(&a, DETAIL, 200, "detail-open-encrypted.json", &p);
    free((char *) (uintptr_t) body.data);
    assert_int_equal(p.encrypted, 1);

    body = probe_file(&a, DETAIL, 200, "detail-adult.json", &p);
    free((char *) (uintptr_t) body.data);
    assert_int_equal(p.adult, 1);
    mnt_test_str(p.image_url, NULL, "adult");

    body = probe_file(&a, DETAIL, 200, "detail-open-bare.json", &p);
    free((char *) (uintptr_t) body.data);
    mnt_test_str(p.broadcast_id, "5000002", "liveId as a string");
    mnt_test_str(p.title, NULL, "null title");
    mnt_test_str(p.category, NULL, "no category");
    mnt_test_str(p.channel_name, NULL, "no channel");
    mnt_test_i64(p.opened_ms, -1, "bare", "opened_ms");
    mnt_test_i64(p.viewers, -1, "bare", "viewers");
    mnt_test_i64(p.call_period_ms, 0, "bare", "call_period_ms");

    body = probe_file(&a, STATUS, 200, "status-open.json", &p);
    free((char *) (uintptr_t) body.data);
    mnt_test_str(p.broadcast_id, NULL, "status");
    mnt_test_str(p.channel_id, MNT_TEST_ID, "status");
    mnt_test_i64(p.opened_ms, 1767195000000, "status", "opened_ms");

    mnt_arena_free(&a);
}


/* hostile and odd bodies: the outcome, and the reason names what was wrong */

static void
odd(void **state)
{
    size_t       i;
    mnt_probe_t  p;
    mnt_arena_t  a;

#define BODY(content)   "{\"code\":200,\"content\":" content "}"
#define OPEN(playback)                                                        \
    BODY("{\"liveId\":7,\"status\":\"OPEN\","                               \
         "\"livePlaybackJson\":" playback "}")
#define MEDIA(media)    OPEN("\"{\\\"media\\\":[" media "]}\"")
#define PLAYABLE                                                              \
    "{\\\"mediaId\\\":\\\"HLS\\\",\\\"protocol\\\":\\\"HLS\\\","              \
    "\\\"path\\\":\\\"https://a.example/x.m3u8\\\"}"
#define MEDIUM(path)                                                          \
    MEDIA("{\\\"mediaId\\\":\\\"HLS\\\",\\\"protocol\\\":\\\"HLS\\\","        \
          "\\\"path\\\":" path "}")

    static const struct {
        const char           *body;
        mnt_probe_outcome_e   outcome;
        const char           *reason;
    } rows[] = {
        { "", MNT_PROBE_MALFORMED, "body is empty" },
        { " \n", MNT_PROBE_MALFORMED, "body is empty" },
        { "{", MNT_PROBE_MALFORMED, "body is not JSON" },
        { "null", MNT_PROBE_MALFORMED, "body is not JSON" },
        { "[]", MNT_PROBE_MALFORMED, "body is not an object" },
        { "{}", MNT_PROBE_MALFORMED, "code is missing" },
        { "{\"code\":null}", MNT_PROBE_MALFORMED, "code is null" },
        { "{\"code\":\"x\"}", MNT_PROBE_MALFORMED, "code is not an integer" },
        { "{\"code\":200.5}", MNT_PROBE_MALFORMED,
          "code is not an integer" },
        { "{\"code\":-9223372036854775808}", MNT_PROBE_ERROR,
          "code--9223372036854775808" },
        { "{\"code\":200}", MNT_PROBE_MALFORMED, "content is missing" },
        { BODY("[]"), MNT_PROBE_MALFORMED, "content is not an object" },
        { BODY("\"x\""), MNT_PROBE_MALFORMED, "content is not an object" },
        { BODY("{}"), MNT_PROBE_MALFORMED, "content.status is missing" },
        { BODY("{\"status\":null}"), MNT_PROBE_MALFORMED,
          "content.status is null" },
        { BODY("{\"status\":1}"), MNT_PROBE_MALFORMED,
          "content.status is not a string" },
        { BODY("{\"status\":\"\"}"), MNT_PROBE_NOT_LIVE, "status-unknown" },
        { BODY("{\"status\":\"close\"}"), MNT_PROBE_NOT_LIVE,
          "status-unknown" },
        { BODY("{\"status\":\"CLOSED\"}"), MNT_PROBE_NOT_LIVE,
          "status-CLOSED" },
        { BODY("{\"status\":\"<b>\\n\"}"), MNT_PROBE_NOT_LIVE,
          "status-unknown" },
        { BODY("{\"status\":\"ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG\"}"),
          MNT_PROBE_NOT_LIVE, "status-unknown" },
        { BODY("{\"status\":\"OPEN\"}"), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson is missing" },
        { OPEN("{}"), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson is not a string" },
        { OPEN("\"\""), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson is empty" },
        { OPEN("\"<html>\""), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson is not JSON" },
        { OPEN("\"[]\""), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson is not an object" },
        { OPEN("\"{}\""), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson.media is missing" },
        { OPEN("\"{\\\"media\\\":{}}\""), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson.media is not an array" },
        { OPEN("\"{\\\"media\\\":[],\\\"media\\\":[]}\""),
          MNT_PROBE_MALFORMED, "content.livePlaybackJson has a name twice" },
        { MEDIA("1"), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson.media[0] is not an object" },
        { MEDIA("{}"), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson.media[0].protocol is missing" },
        { MEDIUM("null"), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson.media[0].path is null" },
        { MEDIUM("7"), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson.media[0].path is not a string" },
        { MEDIUM("\\\"\\\""), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson.media[0].path is not an http URL" },
        { MEDIUM("\\\"file:///etc/passwd\\\""), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson.media[0].path is not an http URL" },
        { MEDIUM("\\\"//a.example/x\\\""), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson.media[0].path is not an http URL" },
        { MEDIUM("\\\"https://u:p@a.example/x\\\""), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson.media[0].path is not an http URL" },
        { MEDIA("{},1"), MNT_PROBE_MALFORMED,
          "content.livePlaybackJson.media[0].protocol is missing" },
        { MEDIA("1," PLAYABLE), MNT_PROBE_LIVE, NULL },
        { MEDIA(PLAYABLE), MNT_PROBE_LIVE, NULL },
        { BODY("{\"status\":\"OPEN\",\"livePlaybackJson\":"
               "\"{\\\"media\\\":[" PLAYABLE "]}\"}"),
          MNT_PROBE_LIVE, "content.liveId is no id" },
        { BODY("{\"status\":\"OPEN\",\"liveId\":\"../x\","
               "\"livePlaybackJson\":"
               "\"{\\\"media\\\":[" PLAYABLE "]}\"}"),
          MNT_PROBE_LIVE, "content.liveId is no id" },

        /* A8: numbers, duplicates, surrogates, NUL */

        { "{\"code\":200,\"code\":200,\"content\":null}", MNT_PROBE_MALFORMED,
          "body has a name twice" },
        { "{\"code\":99999999999999999999,\"content\":null}",
          MNT_PROBE_MALFORMED, "body has a number out of range" },
        { "{\"code\":1e400,\"content\":null}", MNT_PROBE_MALFORMED,
          "body has a number out of range" },
        { BODY("{\"status\":\"CLOSE\",\"liveTitle\":\"\\ud800\\u0000\"}"),
          MNT_PROBE_OFFLINE, NULL },
        { BODY("{\"status\":\"CLOSE\",\"liveTitle\":\"\xed\xa0\x80\"}"),
          MNT_PROBE_MALFORMED, "body is not UTF-8" },
        { BODY("{\"status\":\"CLOSE\",\"liveTitle\":\"\xff\"}"),
          MNT_PROBE_MALFORMED, "body is not UTF-8" },
        { BODY("{\"status\":\"CLOSE\",\"concurrentUserCount\":-5,"
               "\"openDate\":\"2026-13-01 00:00:00\",\"adult\":7}"),
          MNT_PROBE_OFFLINE, NULL }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_arena_init(&a, MNT_TEST_ARENA);
        probe_text(&a, DETAIL, 200, rows[i].body, &p);

        if (p.outcome != rows[i].outcome) {
            print_error("row %zu \"%s\": %s \"%.*s\"\n", i, rows[i].body,
                        mnt_probe_name(p.outcome), (int) p.reason.len,
                        p.reason.data);
            fail();
        }

        mnt_test_str(p.reason, rows[i].reason, rows[i].body);
        assert_true(p.viewers == -1 && p.opened_ms == -1);
        mnt_arena_free(&a);
    }
}


/* A8: 1 MiB, 32 levels; what is refused is refused before it costs memory */

static void
size_and_depth(void **state)
{
    char                   *text;
    size_t                  n, head;
    mnt_probe_t             p;
    mnt_arena_t             a;
    mnt_platform_answer_t   answer;

    static const char  start[] = "{\"code\":200,\"content\":{\"x\":";

    (void) state;

    n = 2 * 1024 * 1024;
    head = sizeof(start) - 1;
    text = malloc(n);
    assert_non_null(text);
    memset(&answer, 0, sizeof(answer));
    mnt_arena_init(&a, MNT_TEST_ARENA);

    memset(text, '[', n);
    memcpy(text, start, head);
    answer.http = 200;
    answer.body.data = text;
    answer.body.len = 100 * 1024;
    mnt_test_probe(&a, mnt_test_platform("chzzk"), DETAIL, MNT_TEST_ID,
                   &answer, &p);
    assert_int_equal(p.outcome, MNT_PROBE_MALFORMED);
    mnt_test_str(p.reason, "body is nested too deeply", "depth");

    memset(text, ' ', n);
    memcpy(text, "{}", 2);
    answer.body.len = n;
    mnt_test_probe(&a, mnt_test_platform("chzzk"), DETAIL, MNT_TEST_ID,
                   &answer, &p);
    assert_int_equal(p.outcome, MNT_PROBE_MALFORMED);
    mnt_test_str(p.reason, "body is too large", "size");

    mnt_arena_free(&a);
    free(text);
}


/* a title of any length and content is kept as received, within bounds */

static void
titles(void **state)
{
    char         text[8192];
    size_t       i, n;
    mnt_probe_t  p;
    mnt_arena_t  a;

    static const char  *const rows[] = {
        "", " ", "가나다", "🏳️‍🌈", "a/../b", "\xe2\x80\xae.abc",
        "e\xcc\x81"
    };

    (void) state;

    mnt_arena_init(&a, MNT_TEST_ARENA);

    for (i = 0; i < mnt_test_count(rows); i++) {
        (void) snprintf(text, sizeof(text), BODY("{\"status\":\"CLOSE\","
                        "\"liveTitle\":\"%s\"}"), rows[i]);
        probe_text(&a, STATUS, 200, text, &p);
        assert_int_equal(p.outcome, MNT_PROBE_OFFLINE);
        mnt_test_str(p.title, rows[i], rows[i]);
    }

    n = (size_t) snprintf(text, sizeof(text),
                          "{\"code\":200,\"content\":{\"status\":\"CLOSE\","
                          "\"liveTitle\":\"x");

    for (i = 0; i < 2000; i++) {
        memcpy(text + n, "한", 3);
        n += 3;
    }

    memcpy(text + n, "\"}}", 4);
    probe_text(&a, STATUS, 200, text, &p);
    assert_int_equal(p.outcome, MNT_PROBE_OFFLINE);
    assert_int_equal(p.title.len, 1024);
    assert_true(mnt_str_utf8(p.title));

    mnt_arena_free(&a);
}


static void
no_answer(void **state)
{
    size_t                  i, n;
    mnt_probe_t             p;
    mnt_arena_t             a;
    mnt_platform_answer_t   answer;

    static const struct {
        unsigned              http;
        const char           *transport;
        const char           *retry_after;
        mnt_probe_outcome_e   outcome;
        const char           *reason;
        int64_t               retry_ms;
    } rows[] = {
        { 0, "timeout", NULL, MNT_PROBE_TRANSIENT, "timeout", 0 },
        { 0, NULL, NULL, MNT_PROBE_TRANSIENT, "no answer", 0 },
        { 429, NULL, NULL, MNT_PROBE_RATE_LIMITED, "http-429", 0 },
        { 429, NULL, "30", MNT_PROBE_RATE_LIMITED, "http-429", 30000 },
        { 429, NULL, "0", MNT_PROBE_RATE_LIMITED, "http-429", 1000 },
        { 429, NULL, "1000000000", MNT_PROBE_RATE_LIMITED, "http-429",
          900000 },
        { 429, NULL, "99999999999999999999999", MNT_PROBE_RATE_LIMITED,
          "http-429", 900000 },
        { 429, NULL, "soon", MNT_PROBE_RATE_LIMITED, "http-429", 0 },
        { 429, NULL, "Thu, 01 Jan 2026 00:01:00 GMT", MNT_PROBE_RATE_LIMITED,
          "http-429", 60000 },
        { 429, NULL, "Thu, 01 Jan 2015 00:01:00 GMT", MNT_PROBE_RATE_LIMITED,
          "http-429", 1000 },
        { 503, NULL, "7", MNT_PROBE_TRANSIENT, "http-503", 7000 },
        { 403, NULL, "7", MNT_PROBE_ACCESS_DENIED, "http-403", 0 }
    };

    static const char  *const platforms[] = { "chzzk", "hls" };

    (void) state;

    for (n = 0; n < mnt_test_count(platforms); n++) {

        for (i = 0; i < mnt_test_count(rows); i++) {
            mnt_arena_init(&a, MNT_TEST_ARENA);
            memset(&answer, 0, sizeof(answer));
            answer.http = rows[i].http;
            answer.transport = mnt_str_c(rows[i].transport);
            answer.retry_after = mnt_str_c(rows[i].retry_after);
            answer.now_ms = 1767225600000;    /* 2026-01-01T00:00:00Z */

            mnt_test_probe(&a, mnt_test_platform(platforms[n]), STATUS,
                           "https://a.example/x", &answer, &p);
            mnt_test_i64(p.outcome, rows[i].outcome, rows[i].reason,
                         "outcome");
            mnt_test_str(p.reason, rows[i].reason, rows[i].reason);
            mnt_test_i64(p.retry_after_ms, rows[i].retry_ms,
                         rows[i].retry_after ? rows[i].retry_after : "none",
                         "retry_after_ms");
            mnt_arena_free(&a);
        }
    }
}


static void
lookups(void **state)
{
    size_t                  i;
    mnt_str_t               body, reason;
    mnt_arena_t             a;
    mnt_channel_t           ch;
    mnt_probe_outcome_e     outcome;
    mnt_platform_answer_t   answer;

    static const struct {
        const char           *file;
        mnt_request_e         kind;
        unsigned              http;
        const char           *wanted;
        mnt_probe_outcome_e   outcome;
        const char           *id;
        const char           *reason;
    } rows[] = {
        { "channel-live.json", CHANNEL, 200, MNT_TEST_ID, MNT_PROBE_LIVE,
          MNT_TEST_ID, NULL },
        { "channel-offline.json", CHANNEL, 200, MNT_TEST_ID,
          MNT_PROBE_OFFLINE, MNT_TEST_ID, NULL },
        { "channel-unknown.json", CHANNEL, 200, MNT_TEST_ID,
          MNT_PROBE_UNKNOWN_CHANNEL, NULL, "not found" },
        { "status-never.json", CHANNEL, 200, MNT_TEST_ID,
          MNT_PROBE_UNKNOWN_CHANNEL, NULL, "content is null" },
        { "status-open.json", SEARCH, 200, "예시", MNT_PROBE_MALFORMED, NULL,
          "content.data is missing" },
        { "search-exact.json", CHANNEL, 200, MNT_TEST_ID, MNT_PROBE_MALFORMED,
          NULL, "content.channelId is missing" },
        { "error.html", CHANNEL, 200, MNT_TEST_ID, MNT_PROBE_MALFORMED, NULL,
          "body is not JSON" },
        { "error.html", CHANNEL, 500, MNT_TEST_ID, MNT_PROBE_TRANSIENT, NULL,
          "http-500" },
        { "error-404.json", CHANNEL, 404, MNT_TEST_ID,
          MNT_PROBE_UNKNOWN_CHANNEL, NULL, "code-404" },

        { "search-exact.json", SEARCH, 200, "예시 방송인", MNT_PROBE_LIVE,
          MNT_TEST_ID, NULL },
        { "search-exact.json", SEARCH, 200,
          "\xe1\x84\x8b\xe1\x85\xa8\xe1\x84\x89\xe1\x85\xb5 "
          "\xe1\x84\x87\xe1\x85\xa1\xe1\x86\xbc\xe1\x84\x89\xe1\x85\xa9"
          "\xe1\x86\xbc\xe1\x84\x8b\xe1\x85\xb5\xe1\x86\xab",
          MNT_PROBE_LIVE, MNT_TEST_ID, NULL },
        { "search-exact.json", SEARCH, 200, "방송인",
          MNT_PROBE_UNKNOWN_CHANNEL, NULL, "ambiguous" },
        { "search-single.json", SEARCH, 200, "예시 방송인",
          MNT_PROBE_OFFLINE, "ffeeddccbbaa99887766554433221100", NULL },
        { "search-twins.json", SEARCH, 200, "예시 방송인",
          MNT_PROBE_UNKNOWN_CHANNEL, NULL, "ambiguous" },
        { "search-alike.json", SEARCH, 200, "예시 방송인",
          MNT_PROBE_UNKNOWN_CHANNEL, NULL, "ambiguous" },
        { "search-none.json", SEARCH, 200, "예시 방송인",
          MNT_PROBE_UNKNOWN_CHANNEL, NULL, "not found" }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_arena_init(&a, MNT_TEST_ARENA);
        memset(&answer, 0, sizeof(answer));
        body = mnt_test_body(rows[i].file);
        answer.http = rows[i].http;
        answer.body = body;

        outcome = mnt_test_platform("chzzk")->lookup(&a, rows[i].kind,
                             mnt_str_c(rows[i].wanted), &answer, &ch, &reason);

        mnt_test_i64(outcome, rows[i].outcome, rows[i].file, "outcome");
        mnt_test_str(ch.channel_id, rows[i].id, rows[i].file);
        mnt_test_str(reason, rows[i].reason, rows[i].file);

        if (rows[i].id && rows[i].outcome == MNT_PROBE_LIVE) {
            mnt_test_str(ch.channel_name, "예시 방송인", rows[i].file);
        }

        free((char *) (uintptr_t) body.data);
        mnt_arena_free(&a);
    }
}


/* without memory it is an error to retry: never off air, never half a URL */

static void
no_memory(void **state)
{
    size_t       max;
    mnt_str_t    body;
    mnt_url_t    u;
    mnt_probe_t  p;
    mnt_arena_t  a;

    (void) state;

    for (max = 0; max < 12000; max += 50) {
        mnt_arena_init(&a, max);
        body = probe_file(&a, DETAIL, 200, "detail-open.json", &p);
        free((char *) (uintptr_t) body.data);

        if (p.outcome == MNT_PROBE_LIVE) {
            assert_int_equal(mnt_url_parse(p.playlist_url, &u), 0);

        } else {
            assert_int_equal(p.outcome, MNT_PROBE_TRANSIENT);
            mnt_test_str(p.reason, "no memory", "reason");
        }

        mnt_arena_free(&a);
    }

    assert_int_equal(p.outcome, MNT_PROBE_LIVE);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(states),
        cmocka_unit_test(facts),
        cmocka_unit_test(odd),
        cmocka_unit_test(size_and_depth),
        cmocka_unit_test(titles),
        cmocka_unit_test(no_answer),
        cmocka_unit_test(lookups),
        cmocka_unit_test(no_memory)
    };

    return cmocka_run_group_tests_name("platform/answer", tests, NULL, NULL);
}
