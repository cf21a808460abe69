
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "base/mnt_date.h"
#include "base/mnt_name.h"


#define HAN   "\xed\x95\x9c"
#define HAN5  HAN HAN HAN HAN HAN
#define HAN20 HAN5 HAN5 HAN5 HAN5


/* RELIABILITY M1, M2, M4 */

static void
safe(void **state)
{
    size_t       i;
    mnt_str_t    name;
    mnt_arena_t  a;

    static const struct {
        const char  *text;
        const char  *name;
    } rows[] = {
        { "plain title", "plain title" },
        { "", "_" },
        { "   ", "_" },
        { ".", "_" },
        { "..", "_" },
        { "../../etc/passwd", "_.._etc_passwd" },
        { "..\\..\\x", "_.._x" },
        { "/abs", "_abs" },
        { "-rf", "rf" },
        { "--", "_" },
        { " . -x", "x" },
        { "a/b\\c:d*e?f\"g<h>i|j", "a_b_c_d_e_f_g_h_i_j" },
        { "new\nline\ttab\x01\x7f", "new_line_tab__" },
        { "c1\xc2\x85x", "c1_x" },
        { "%2e%2e", "%2e%2e" },
        { "trailing. . ", "trailing" },
        { "CON", "_CON" },
        { "con.txt", "_con.txt" },
        { "Con .x", "_Con .x" },
        { "console", "console" },
        { "com1", "_com1" },
        { "LPT9.log", "_LPT9.log" },
        { "COM\xc2\xb2", "_COM\xc2\xb2" },
        { "COM10", "COM10" },
        { "conin$", "_conin$" },
        { HAN "\xf0\x9f\x8e\xae", HAN "\xf0\x9f\x8e\xae" },
        { "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb",
          "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb" },
        { "a\xe2\x80\xae" "4pm.exe", "a4pm.exe" },
        { "\xe2\x81\xa6x\xe2\x81\xa9", "x" },
        { "\xef\xbb\xbfx\xe2\x80\x8by", "xy" },
        { "\xe2\x80\xae..", "_" },
        { "a\xe2\x80\xa8" "b", "a_b" },
        { "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
          "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d" },
        { "bad\xff\xfeutf\xc0\xaf", "bad__utf__" },
        { "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab",
          "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab" },
        { HAN20 HAN20 HAN20 HAN20 HAN20, HAN20 HAN20 },
        { "x" HAN20 HAN20 HAN20, "x" HAN20 HAN5 HAN5 HAN5 HAN HAN HAN HAN }
    };

    (void) state;

    mnt_arena_init(&a, 1 << 20);

    for (i = 0; i < mnt_test_count(rows); i++) {
        name = mnt_name_safe(&a, mnt_str_c(rows[i].text));
        mnt_test_str(name, rows[i].name, rows[i].text);
        mnt_test_ok(mnt_path_servable(name), rows[i].text, "not servable");
        mnt_test_ok(name.len <= MNT_NAME_MAX, rows[i].text, "too long");
    }

    mnt_test_str(mnt_name_safe(&a, S("a\0b")), "a_b", "NUL");

    /* a device whose mark would be the 121st byte */

    name = mnt_name_safe(&a, S("con." HAN20 HAN5 HAN5 HAN5 HAN HAN HAN "12"));
    assert_true(name.len <= MNT_NAME_MAX);
    assert_true(mnt_str_starts(name, "_con."));
    assert_true(mnt_str_utf8(name));

    mnt_arena_free(&a);

    mnt_arena_init(&a, 8);
    assert_null(mnt_name_safe(&a, S("x")).data);
    mnt_arena_free(&a);
}


static void
layout_check(void **state)
{
    size_t  i;
    int     ok;

    static const struct {
        const char  *layout;
        int          ok;
    } rows[] = {
        { "{platform}/{channel_id}/{yyyy}/{mm}/{dd}/{sequence}", 1 },
        { "{recording_id}", 1 },
        { "{channel_name}/{yyyy}-{mm}-{dd} {hh}{mi}{ss} {title} "
          "({recording_id})", 1 },
        { "rec {recording_id}", 1 },
        { HAN "/{recording_id}", 1 },
        { "{channel_id}/{yyyy}{mm}{dd}-{sequence}", 1 },
        { "", 0 },
        { "/{recording_id}", 0 },
        { "{recording_id}/", 0 },
        { "a//{recording_id}", 0 },
        { "../{recording_id}", 0 },
        { ".hidden/{recording_id}", 0 },
        { "-x/{recording_id}", 0 },
        { "{title}", 0 },
        { "{channel_id}/{sequence}", 0 },
        { "{channel_name}/{yyyy}/{mm}/{dd}/{sequence}", 0 },
        { "{title}{recording_id}", 0 },
        { "{recording_id}{title}", 0 },
        { "1{recording_id}", 0 },
        { "{recording_id}{sequence}", 0 },
        { "{recording_id", 0 },
        { "recording_id}", 0 },
        { "{Recording_id}/{recording_id}", 0 },
        { "{}/{recording_id}", 0 },
        { "a:b/{recording_id}", 0 },
        { "a\\b/{recording_id}", 0 },
        { "a\nb/{recording_id}", 0 },
        { "\xff/{recording_id}", 0 },
        { "{title} {title} {title} {title} {title} {title}/{recording_id}",
          0 },
        { HAN20 HAN20 "/{recording_id}", 0 }
    };

    char  many[2048];

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        ok = (mnt_layout_check(mnt_str_c(rows[i].layout)) == NULL);
        mnt_test_i64(ok, rows[i].ok, rows[i].layout, "validity");
    }

    many[0] = '\0';

    for (i = 0; i < 40; i++) {
        (void) snprintf(many + strlen(many), sizeof(many) - strlen(many),
                        "{title}/");
    }

    (void) snprintf(many + strlen(many), sizeof(many) - strlen(many),
                    "{recording_id}");
    assert_non_null(mnt_layout_check(mnt_str_c(many)));
}


static void
layout_expand(void **state)
{
    size_t               i;
    mnt_str_t            path;
    mnt_arena_t          a;
    mnt_layout_values_t  v;

    static const struct {
        const char  *layout;
        const char  *path;
    } rows[] = {
        { "{platform}/{channel_id}/{yyyy}/{mm}/{dd}/{sequence}",
          "chzzk/0123abcd/2026/09/28/2" },
        { "{channel_name}/{hh}{mi}{ss} {title} ({recording_id})",
          "_.._x/000203 a_b_c (77)" },
        { "rec {recording_id}", "rec 77" },
        { "{title}/con/{recording_id}", "a_b_c/_con/77" }
    };

    (void) state;

    mnt_arena_init(&a, 1 << 20);

    v.platform = S("chzzk");
    v.channel_id = S("0123abcd");
    v.channel_mark = S("");
    v.channel_name = S("../../x");
    v.title = S("a/b\nc");
    v.recording_id = 77;
    v.sequence = 2;
    v.zone_s = 9 * 3600;
    v.started_ms = mnt_date_parse(S("2026-09-27T15:02:03Z"), 0, NULL);

    for (i = 0; i < mnt_test_count(rows); i++) {
        path = mnt_layout_expand(&a, mnt_str_c(rows[i].layout), &v);
        mnt_test_str(path, rows[i].path, rows[i].layout);
    }

    assert_null(mnt_layout_expand(&a, S("{title}"), &v).data);

    /* however long the texts, the number survives and the path fits */

    v.title = S(HAN20 HAN20 HAN20 HAN20 HAN20);
    v.channel_name = v.title;
    path = mnt_layout_expand(&a, S("{title}/{title} {channel_name} "
                                   "{recording_id}"), &v);
    assert_true(mnt_str_ends(path, " 77"));
    assert_true(mnt_path_servable(path));
    assert_true(mnt_str_utf8(path));

    path = mnt_layout_expand(&a, S("{title}/{title}/{title}/{title}/{title}/"
                                   "{title}/{title}/{title}/{title}/{title}/"
                                   "{title}/{recording_id}"), &v);
    assert_true(path.len > 600 && path.len <= MNT_LAYOUT_MAX);
    assert_true(mnt_str_ends(path, "/77"));
    assert_true(mnt_path_servable(path));

    mnt_arena_free(&a);

    mnt_arena_init(&a, 64);
    assert_null(mnt_layout_expand(&a, S("{title}/{recording_id}"), &v).data);
    mnt_arena_free(&a);
}


static void
servable(void **state)
{
    char       long_name[300];
    size_t     i;
    mnt_str_t  s;

    static const struct {
        const char  *path;
        int          ok;
    } rows[] = {
        { "a", 1 },
        { "a/b/000001.ts", 1 },
        { HAN "/x y", 1 },
        { "a./b", 1 },
        { "a/.b", 0 },
        { "a/../b", 0 },
        { "..", 0 },
        { ".", 0 },
        { "/a", 0 },
        { "a/", 0 },
        { "a//b", 0 },
        { "", 0 },
        { "a\\b", 0 },
        { "a\nb", 0 },
        { "a\x7f", 0 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_test_i64(mnt_path_servable(mnt_str_c(rows[i].path)), rows[i].ok,
                     rows[i].path, "servable");
    }

    assert_false(mnt_path_servable(S("a\0b")));

    memset(long_name, 'x', sizeof(long_name));
    s.data = long_name;
    s.len = 255;
    assert_true(mnt_path_servable(s));
    s.len = 256;
    assert_false(mnt_path_servable(s));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(safe),
        cmocka_unit_test(layout_check),
        cmocka_unit_test(layout_expand),
        cmocka_unit_test(servable)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
