
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "storage/mnt_clip.h"


static void
files(void **state)
{
    size_t      i;
    unsigned    segment;
    mnt_str_t   rest, name;

    static const struct {
        const char  *text;
        const char  *name;
        int          rc;
        unsigned     segment;
    } rows[] = {
        { "#EXTM3U\n#EXTINF:2,\n000001.ts\n", "000001.ts", 1, 1 },
        { "#EXT-X-MAP:URI=\"a1-init-1.mp4\"\n", "a1-init-1.mp4", 1, 0 },
        { "#EXT-X-MAP:URI=\"init-1.mp4\",BYTERANGE=\"1@0\"\n", "init-1.mp4", 1,
          0 },
        { "480p-000001.ts", "480p-000001.ts", 1, 1 },
        { "#EXTM3U\n\n#EXT-X-ENDLIST\n", NULL, 0, 0 },
        { "", NULL, 0, 0 },
        { "a/000001.ts\n", NULL, -1, 0 },
        { "../000001.ts\n", NULL, -1, 0 },
        { ".index.journal\n", NULL, -1, 0 },
        { "a b.ts\n", NULL, -1, 0 },
        { "#EXT-X-MAP:URI=\"\"\n", NULL, -1, 0 },
        { "#EXT-X-MAP:URI=\"x\n", NULL, -1, 0 },
        { "#EXT-X-MAP:URI=\"/etc/passwd\"\n", NULL, -1, 0 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        rest = mnt_str_c(rows[i].text);

        mnt_test_i64(mnt_clip_file(&rest, &name, &segment), rows[i].rc,
                     rows[i].text, "found");

        if (rows[i].rc == 1) {
            mnt_test_str(name, rows[i].name, rows[i].text);
            mnt_test_i64(segment, rows[i].segment, rows[i].text, "segment");
        }
    }
}


static void
prefixes(void **state)
{
    size_t  i;

    static const char *const  rows[][2] = {
        { "000001.ts", "" }, { "a1-000001.m4s", "a1-" },
        { "480p-000001.ts", "480p-" }, { "1234567.ts", "" }, { "x", "" },
        { ".ts", "" }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_test_ok(mnt_str_eqc(mnt_clip_prefix(mnt_str_c(rows[i][0])),
                                rows[i][1]), rows[i][0], "prefix");
    }
}


static size_t
line(char *buf, size_t size, mnt_journal_kind_e kind, uint64_t number,
    unsigned discontinuous)
{
    mnt_journal_line_t  l;

    memset(&l, 0, sizeof(l));

    l.kind = kind;
    l.number = number;
    l.container = MNT_HLS_CONTAINER_TS;
    l.discontinuous = discontinuous & 1;
    l.duration_us = 2000000;
    l.bytes = 188;
    l.count = 1;
    l.reason = S("network");
    l.seen.date_ms = MNT_DATE_NONE;

    return mnt_journal_write(&l, buf, size);
}


static void
journals(void **state)
{
    char                buf[8192], out[8192];
    long                n;
    size_t              len, i;
    mnt_str_t           rest, text;
    mnt_journal_line_t  l;

    static const struct {
        mnt_journal_kind_e  kind;
        uint64_t            number;
        unsigned            discontinuous;
    } want[] = {
        { MNT_JOURNAL_INIT, 1, 0 }, { MNT_JOURNAL_SEGMENT, 2, 0 },
        { MNT_JOURNAL_SEGMENT, 4, 1 }, { MNT_JOURNAL_SEGMENT, 5, 0 },
        { MNT_JOURNAL_SEGMENT, 6, 1 }
    };

    (void) state;

    len = line(buf, sizeof(buf), MNT_JOURNAL_INIT, 1, 0);

    for (i = 1; i <= 8; i++) {
        len += line(buf + len, sizeof(buf) - len, MNT_JOURNAL_SEGMENT, i,
                    i == 2);

        if (i == 3) {
            len += line(buf + len, sizeof(buf) - len, MNT_JOURNAL_GAP, 0, 0);
            len += line(buf + len, sizeof(buf) - len, MNT_JOURNAL_INIT, 2, 0);
            len += line(buf + len, sizeof(buf) - len, MNT_JOURNAL_LOST, 3, 0);
        }
    }

    n = mnt_clip_journal((mnt_str_t) { len, buf },
            S("#EXTM3U\n#EXT-X-MAP:URI=\"a1-init-1.mp4\"\n"
              "#EXTINF:2,\na1-000002.ts\n#EXT-X-DISCONTINUITY\n"
              "#EXTINF:2,\na1-000004.ts\n#EXTINF:2,\na1-000005.ts\n"
              "#EXT-X-DISCONTINUITY\n#EXTINF:2,\na1-000006.ts\n"
              "#EXT-X-ENDLIST\n"), out, sizeof(out));

    assert_true(n > 0 && (size_t) n < len);

    rest.data = out;
    rest.len = (size_t) n;

    for (i = 0; i < mnt_test_count(want); i++) {
        assert_int_equal(mnt_journal_read(&rest, &l, &text), 1);
        assert_int_equal(l.kind, want[i].kind);
        assert_int_equal(l.number, want[i].number);

        if (l.kind == MNT_JOURNAL_SEGMENT) {
            assert_int_equal(l.discontinuous, want[i].discontinuous);
            assert_int_equal(l.duration_us, 2000000);
        }
    }

    assert_int_equal(mnt_journal_read(&rest, &l, &text), 0);

    assert_int_equal(mnt_clip_journal((mnt_str_t) { len, buf }, S("#EXTM3U\n"),
                                      out, sizeof(out)), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(files),
        cmocka_unit_test(prefixes),
        cmocka_unit_test(journals)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
