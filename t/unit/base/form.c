
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "base/mnt_form.h"


#define HOOK                                                                  \
    "app=ingest&flashver=FMLE/3.0%20(compatible%3B%20Lavf59.27&swfurl=&tcurl="\
    "rtmp://127.0.0.1:1935/ingest&pageurl=&addr=127.0.0.1&clientid=17"        \
    "&call=publish"


/* what a publisher wrote into its address follows the fields of nginx-rtmp */

static void
hooks(void **state)
{
    int          rc;
    size_t       i;
    const char  *why;
    mnt_arena_t  a;

    static const struct {
        const char  *text;
        int          rc;
        const char  *call;
        const char  *clientid;
        const char  *name;
        const char  *pw;
    } rows[] = {
        { HOOK "&name=K&type=live", 0, "publish", "17", "K", NULL },
        { HOOK "&name=K&type=live&pw=P", 0, "publish", "17", "K", "P" },
        { HOOK "&name=&type=live", 0, "publish", "17", "", NULL },
        { HOOK "&name=a%26name%3DV", 0, "publish", "17", "a&name=V", NULL },
        { HOOK "&name=K&pw=P&name=VICTIM", -1, NULL, NULL, NULL, NULL },
        { HOOK "&name=K&pw=P&call=publish_done", -1, NULL, NULL, NULL, NULL },
        { HOOK "&name=K&clientid=18", -1, NULL, NULL, NULL, NULL },
        { HOOK "&name=K&addr=10.0.0.1", -1, NULL, NULL, NULL, NULL },
        { HOOK "&name=K&n%61me=VICTIM", -1, NULL, NULL, NULL, NULL },
        { HOOK "&name=K&name", -1, NULL, NULL, NULL, NULL },
        { HOOK "&name=K&name=K", -1, NULL, NULL, NULL, NULL },
        { HOOK "&name=K&pw=P&pw=Q", 0, "publish", "17", "K", "P" },
        { HOOK "&name=K&pageurl=x&=&&=y&z", 0, "publish", "17", "K", NULL },
        { HOOK "&name=K&NAME=V&Name=V& name=V", 0, "publish", "17", "K",
          NULL },
        { HOOK "&name=K&pw=a=b", 0, "publish", "17", "K", "a=b" },
        { HOOK "&name=K&pw=a+b%2Bc%2b", 0, "publish", "17", "K", "a b+c+" },
        { HOOK "&name=K&pw=%", -1, NULL, NULL, NULL, NULL },
        { HOOK "&name=K&pw=%4", -1, NULL, NULL, NULL, NULL },
        { HOOK "&name=K&pw=%g0", -1, NULL, NULL, NULL, NULL },
        { HOOK "&name=K&pw=%00", -1, NULL, NULL, NULL, NULL },
        { HOOK "&name=K&%00=1", -1, NULL, NULL, NULL, NULL },
        { HOOK "&name=K%00x", -1, NULL, NULL, NULL, NULL },
        { "name=K", 0, NULL, NULL, "K", NULL },
        { "name", 0, NULL, NULL, "", NULL },
        { "name=K&", 0, NULL, NULL, "K", NULL },
        { "", 0, NULL, NULL, NULL, NULL },
        { "&&&", 0, NULL, NULL, NULL, NULL }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_form_field_t  f[] = {
            { "call", 1, mnt_str_null }, { "clientid", 1, mnt_str_null },
            { "name", 1, mnt_str_null }, { "addr", 1, mnt_str_null },
            { "pw", 0, mnt_str_null }
        };

        mnt_arena_init(&a, 65536);
        why = NULL;

        rc = mnt_form_parse(&a, mnt_str_c(rows[i].text), f,
                            mnt_test_count(f), &why);

        mnt_test_i64(rc, rows[i].rc, rows[i].text, "result");
        mnt_test_ok((rc == 0) == (why == NULL), rows[i].text, "reason");

        if (rc == 0) {
            mnt_test_str(f[0].value, rows[i].call, rows[i].text);
            mnt_test_str(f[1].value, rows[i].clientid, rows[i].text);
            mnt_test_str(f[2].value, rows[i].name, rows[i].text);
            mnt_test_str(f[4].value, rows[i].pw, rows[i].text);
        }

        mnt_arena_free(&a);
    }
}


static void
bytes(void **state)
{
    mnt_str_t          nul = S("name=a\0b"), high = S("name=\xff%FF");
    const char        *why;
    mnt_arena_t        a;
    mnt_form_field_t   f = { "name", 1, mnt_str_null };

    (void) state;

    mnt_arena_init(&a, 65536);

    assert_int_equal(mnt_form_parse(&a, nul, &f, 1, &why), -1);
    assert_string_equal(why, "holds a NUL");

    assert_int_equal(mnt_form_parse(&a, high, &f, 1, &why), 0);
    assert_int_equal(f.value.len, 2);
    assert_memory_equal(f.value.data, "\xff\xff", 3);

    mnt_arena_free(&a);
}


static void
memory(void **state)
{
    const char        *why;
    mnt_arena_t        a;
    mnt_form_field_t   f = { "name", 1, mnt_str_null };

    (void) state;

    mnt_arena_init(&a, 0);

    assert_int_equal(mnt_form_parse(&a, S("name=K"), &f, 1, &why), -1);
    assert_string_equal(why, "takes too much memory");

    mnt_arena_free(&a);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(hooks),
        cmocka_unit_test(bytes),
        cmocka_unit_test(memory)
    };

    return cmocka_run_group_tests_name("base/form", tests, NULL, NULL);
}
