
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include <time.h>

#include "base/mnt_json.h"


static mnt_str_t mnt_test_copy(const char *s);


static void
loading(void **state)
{
    size_t       i;
    json_t      *j;
    const char  *why;

    static const struct {
        const char  *text;
        const char  *why;
    } rows[] = {
        { "{}", NULL },
        { "[1,2]", NULL },
        { " {\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"} ", NULL },
        { "{\"a\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}", NULL },
        { "{\"\\\\\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
          "is nested too deeply" },
        { "", "is empty" },
        { " \n", "is empty" },
        { "<html>", "is not JSON" },
        { "{\"a\":1,\"a\":2}", "has a name twice" },
        { "{\"a\":", "is not JSON" },
        { "{} x", "is not JSON" },
        { "{\"a\":\"\xff\"}", "is not UTF-8" },
        { "{\"a\":\"\\u0000\"}", "has a text with U+0000 in it" },
        { "{\"a\\u0000\":1}", "has a text with U+0000 in it" },
        { "{\"a\":\"\\ud800\"}",
          "has a text with half of a surrogate pair in it" },
        { "{\"a\":\"\\ud83cx\"}",
          "has a text with half of a surrogate pair in it" },
        { "{\"a\":\"\\udc00\"}",
          "has a text with half of a surrogate pair in it" },
        { "{\"a\":\"\\uzzzz\"}", "is not JSON" },
        { "{\"a\":99999999999999999999}", "has a number out of range" },
        { "{\"a\":1e999}", "has a number out of range" },
        { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1", "is nested too deeply" },
        { "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
          NULL }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        why = NULL;
        j = mnt_json_load(mnt_str_c(rows[i].text), 4096, &why);

        mnt_test_str(mnt_str_c(why), rows[i].why, rows[i].text);
        mnt_test_i64(j != NULL, rows[i].why == NULL, rows[i].text, "loaded");
        json_decref(j);
    }

    assert_null(mnt_json_load(S("[1,2,3]"), 6, &why));
    assert_string_equal(why, "is too large");
}


/* S16: an array of 100000 levels must cost nothing and overflow no stack */

static void
deep(void **state)
{
    char        *text;
    unsigned     i;
    clock_t      before;
    mnt_str_t    s;
    const char  *why;

    (void) state;

    text = malloc(200000);
    assert_non_null(text);
    memset(text, '[', 100000);
    memset(text + 100000, ']', 100000);
    s.data = text;
    s.len = 200000;

    before = clock();

    for (i = 0; i < 1000; i++) {
        assert_null(mnt_json_load(s, 1 << 20, &why));
        assert_string_equal(why, "is nested too deeply");
    }

    assert_true(clock() - before < CLOCKS_PER_SEC);

    free(text);
}


static void
access_by_path(void **state)
{
    json_t      *j;
    const char  *why;

    (void) state;

    j = mnt_json_load(S("{\"content\":{\"channel\":{\"channelName\":"
                        "\"\xeb\x84\x88\"},\"n\":17,\"s\":\"-42\","
                        "\"bad\":\"4x\",\"null\":null,\"yes\":true,"
                        "\"no\":false,\"real\":1.5,"
                        "\"list\":[{\"id\":\"a\"},{\"id\":\"b\"}]}}"),
                      4096, &why);
    assert_non_null(j);

    mnt_test_str(mnt_json_str(j, "content.channel.channelName"),
                 "\xeb\x84\x88", "name");
    mnt_test_str(mnt_json_str(j, "content.list.1.id"), "b", "list");
    mnt_test_str(mnt_json_str(j, "content.list.2.id"), NULL, "past the end");
    mnt_test_str(mnt_json_str(j, "content.n"), NULL, "a number");
    mnt_test_str(mnt_json_str(j, "content.null"), NULL, "null");
    mnt_test_str(mnt_json_str(j, "content.none.deeper"), NULL, "none");
    mnt_test_str(mnt_json_str(NULL, "content"), NULL, "no document");

    assert_int_equal(mnt_json_i64(j, "content.n", 5), 17);
    assert_int_equal(mnt_json_i64(j, "content.s", 5), -42);
    assert_int_equal(mnt_json_i64(j, "content.bad", 5), 5);
    assert_int_equal(mnt_json_i64(j, "content.null", 5), 5);
    assert_int_equal(mnt_json_i64(j, "content.real", 5), 5);

    assert_int_equal(mnt_json_bool(j, "content.yes", 0), 1);
    assert_int_equal(mnt_json_bool(j, "content.no", 1), 0);
    assert_int_equal(mnt_json_bool(j, "content.n", 0), 0);
    assert_int_equal(mnt_json_bool(j, "content.null", 1), 1);

    assert_null(mnt_json_get(j, ""));
    assert_null(mnt_json_get(j, "content."));
    assert_true(json_is_null(mnt_json_get(j, "content.null")));

    json_decref(j);
}


/* what is no character in a title must not make the answer malformed */

static void
foreign(void **state)
{
    size_t       i;
    json_t      *j;
    mnt_str_t    text;
    const char  *why;

    static const struct {
        const char  *text;
        const char  *value;
    } rows[] = {
        { "{\"a\":\"x\\u0000y\"}", "x\xef\xbf\xbdy" },
        { "{\"a\":\"\\u0000\\u0000\"}", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "{\"a\":\"\\\\u0000\"}", "\\u0000" },
        { "{\"a\":\"\\\\\\u0000\"}", "\\\xef\xbf\xbd" },
        { "{\"b\\u0000\":1,\"a\":\"\"}", "" },
        { "{\"a\":\"\\ud800\"}", "\xef\xbf\xbd" },
        { "{\"a\":\"\\udc00\"}", "\xef\xbf\xbd" },
        { "{\"a\":\"\\uD83D\\uDE00\"}", "\xf0\x9f\x98\x80" },
        { "{\"a\":\"\\uD83D\\uD83D\\uDE00\"}",
          "\xef\xbf\xbd\xf0\x9f\x98\x80" },
        { "{\"a\":\"\\ud800\\u0000\"}", "\xef\xbf\xbd\xef\xbf\xbd" },
        { "{\"a\":\"\\u0041\"}", "A" }
    };

    static const char *const  broken[] = {
        "{\"a\":\"\\u0000", "{\"a\":\"\\u000", "\\u0000",
        "{\"a\":\"\\u00 0\"}",
        "{\"a\":\"\\ud800\\u\"}", "{\"a\":\"\\ud800\\", "\\"
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        text = mnt_test_copy(rows[i].text);
        j = mnt_json_load_foreign(text, 4096, &why);

        mnt_test_str(mnt_json_str(j, "a"), rows[i].value, rows[i].text);
        json_decref(j);
        free((char *) text.data);
    }

    for (i = 0; i < mnt_test_count(broken); i++) {
        text = mnt_test_copy(broken[i]);
        assert_null(mnt_json_load_foreign(text, 4096, &why));
        free((char *) text.data);
    }

    assert_null(mnt_json_load_foreign(S("{\"a\":\"\\u0000\"}"), 8, &why));
    assert_string_equal(why, "is too large");
}


/* without an end: reading behind it would be noticed */

static mnt_str_t
mnt_test_copy(const char *s)
{
    char       *p;
    mnt_str_t   text;

    text.len = strlen(s);
    p = malloc(text.len);
    assert_non_null(p);
    memcpy(p, s, text.len);
    text.data = p;

    return text;
}


/* every allocation of a document fails in turn: none is read wrong */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static long  fails_at = -1;
static int   stays;                           /* and all behind it */


void *
__wrap_malloc(size_t size)
{
    if (fails_at == 0) {
        fails_at -= !stays;
        return NULL;
    }

    fails_at -= (fails_at > 0);

    return __real_malloc(size);
}


static void
without_memory(void **state)
{
    long         k;
    json_t      *j;
    mnt_str_t    text;
    const char  *why;

    (void) state;

    text = S("{\"title\":\"quoted \\\"\\u1234\\n and a text that is longer"
             " than some buffers\",\"list\":[\"\",\"\",1,2.5,{},[\"x\"]]}");
    j = NULL;

    for (k = 0; j == NULL; k++) {
        assert_true(k < 1000);

        fails_at = k;
        why = NULL;
        j = mnt_json_load(text, 4096, &why);

        if (j == NULL) {
            assert_string_equal(why, "did not fit into memory");
        }
    }

    fails_at = -1;

    assert_true(k > 20);
    assert_true(mnt_str_eqc(mnt_json_str(j, "title"), "quoted \"\xe1\x88\xb4"
                            "\n and a text that is longer than some buffers"));
    json_decref(j);
}


/* once it is gone it may not come back: nothing is read beyond a buffer */

static void
without_memory_for_long(void **state)
{
    long         k;
    char         text[8192];
    size_t       n, row;
    json_t      *j;
    mnt_str_t    s;
    const char  *why;

    static const char *const  pieces[] = {
        "1", "{}", "true",
        "\"a text that is longer than some buffers, by far\"",
        "[{},{},{\"a\":{\"b\":[]}},{\"c\":null}]"
    };

    (void) state;

    for (row = 0; row < mnt_test_count(pieces); row++) {

        n = 0;
        text[n++] = '{';

        /* the first one is short: little is put aside */

        for (k = 0; n < sizeof(text) - 100 && (row || k == 0); k++) {
            n += (size_t) snprintf(text + n, sizeof(text) - n,
                                   "%s\"%017ld\":%s", k ? "," : "", k,
                                   pieces[row]);
        }

        text[n++] = '}';
        s.data = text;
        s.len = n;
        j = NULL;

        for (k = 0; j == NULL; k++) {
            assert_true(k < 10000);

            stays = 1;
            fails_at = k;
            why = NULL;
            j = mnt_json_load(s, sizeof(text), &why);
            fails_at = -1;
            stays = 0;

            if (j == NULL) {
                assert_string_equal(why, "did not fit into memory");
            }
        }

        json_decref(j);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(loading),
        cmocka_unit_test(deep),
        cmocka_unit_test(access_by_path),
        cmocka_unit_test(foreign),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(without_memory_for_long)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
