
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "storage/mnt_journal.h"


static mnt_journal_line_t
segment(uint64_t number)
{
    mnt_journal_line_t  l;

    memset(&l, 0, sizeof(l));

    l.kind = MNT_JOURNAL_SEGMENT;
    l.number = number;
    l.part = number + 7;
    l.token = 0x0a1b2c3d;
    l.container = MNT_HLS_CONTAINER_FMP4;
    l.epoch = 2;
    l.seen.sequence = UINT64_MAX;
    l.seen.identity = 0xfedcba9876543210;
    l.seen.date_ms = -1500;
    l.duration_us = 2002000;
    l.discontinuity = 3;
    l.discontinuous = 1;
    l.map = 4;
    l.bytes = UINT64_MAX;
    l.wall_ms = 1700000000123;

    return l;
}


/* what is written is read back, field by field */

static void
round_trip(void **state)
{
    char                buf[5 * MNT_JOURNAL_LINE_MAX];
    size_t              n;
    mnt_str_t           rest, text;
    mnt_journal_line_t  in, out;

    (void) state;

    n = 0;

    in = segment(12);
    n += mnt_journal_write(&in, buf + n, sizeof(buf) - n);

    in.seen.date_ms = MNT_DATE_NONE;
    n += mnt_journal_write(&in, buf + n, sizeof(buf) - n);

    in.kind = MNT_JOURNAL_INIT;
    in.crc = 0x00c0ffee;
    n += mnt_journal_write(&in, buf + n, sizeof(buf) - n);

    in.kind = MNT_JOURNAL_GAP;
    in.count = 9;
    in.reason = mnt_str_c("window");
    n += mnt_journal_write(&in, buf + n, sizeof(buf) - n);

    in.kind = MNT_JOURNAL_LOST;
    n += mnt_journal_write(&in, buf + n, sizeof(buf) - n);

    rest.data = buf;
    rest.len = n;

    in = segment(12);

    assert_int_equal(mnt_journal_read(&rest, &out, &text), 1);
    assert_int_equal(out.kind, MNT_JOURNAL_SEGMENT);
    assert_int_equal(out.number, 12);
    assert_int_equal(out.part, 19);
    assert_int_equal(out.token, in.token);
    assert_int_equal(out.container, in.container);
    assert_int_equal(out.epoch, 2);
    assert_true(out.seen.sequence == UINT64_MAX);
    assert_true(out.seen.identity == in.seen.identity);
    assert_true(out.seen.date_ms == -1500);
    assert_int_equal(out.duration_us, 2002000);
    assert_int_equal(out.discontinuity, 3);
    assert_int_equal(out.discontinuous, 1);
    assert_int_equal(out.map, 4);
    assert_true(out.bytes == UINT64_MAX);
    assert_int_equal(out.wall_ms, in.wall_ms);
    assert_ptr_equal(text.data, buf);

    assert_int_equal(mnt_journal_read(&rest, &out, &text), 1);
    assert_true(out.seen.date_ms == MNT_DATE_NONE);

    assert_int_equal(mnt_journal_read(&rest, &out, &text), 1);
    assert_int_equal(out.kind, MNT_JOURNAL_INIT);
    assert_int_equal(out.crc, 0x00c0ffee);

    assert_int_equal(mnt_journal_read(&rest, &out, &text), 1);
    assert_int_equal(out.kind, MNT_JOURNAL_GAP);
    assert_int_equal(out.count, 9);
    mnt_test_str(out.reason, "window", "gap");

    assert_int_equal(mnt_journal_read(&rest, &out, &text), 1);
    assert_int_equal(out.kind, MNT_JOURNAL_LOST);
    assert_int_equal(out.number, 12);

    assert_int_equal(mnt_journal_read(&rest, &out, &text), 0);
}


/* any byte changed, any end cut: the line does not count, the next one does */

static void
damage(void **state)
{
    int                 rc;
    char                good[2 * MNT_JOURNAL_LINE_MAX], bad[sizeof(good)];
    size_t              i, n, len;
    unsigned            count;
    mnt_str_t           rest, text;
    mnt_journal_line_t  l;

    (void) state;

    l = segment(1);
    len = mnt_journal_write(&l, good, sizeof(good));
    assert_true(len > 0);

    l = segment(2);
    n = len + mnt_journal_write(&l, good + len, sizeof(good) - len);

    for (i = 0; i < len; i++) {
        memcpy(bad, good, n);
        bad[i] ^= (i % 2) ? 0x01 : 0x40;

        rest.data = bad;
        rest.len = n;
        count = 0;

        while ((rc = mnt_journal_read(&rest, &l, &text)) != 0) {
            if (rc > 0) {
                assert_int_equal(l.number, 2);
                count++;
            }
        }

        /* a line end that went takes both along */
        assert_int_equal(count, i == len - 1 ? 0 : 1);
    }

    for (i = 1; i < len; i++) {
        rest.data = good;
        rest.len = i;
        assert_int_equal(mnt_journal_read(&rest, &l, &text), -1);
        assert_int_equal(mnt_journal_read(&rest, &l, &text), 0);
    }

    memset(bad, 0, sizeof(bad));
    rest.data = bad;
    rest.len = sizeof(bad);
    assert_int_equal(mnt_journal_read(&rest, &l, &text), -1);
    assert_int_equal(mnt_journal_read(&rest, &l, &text), 0);
}


static void
too_small(void **state)
{
    char                buf[MNT_JOURNAL_LINE_MAX];
    size_t              i, n;
    mnt_journal_line_t  l;

    (void) state;

    l = segment(1);
    n = mnt_journal_write(&l, buf, sizeof(buf));

    for (i = 1; i < n; i++) {
        assert_int_equal(mnt_journal_write(&l, buf, i), 0);
    }

    assert_int_equal(mnt_journal_crc(0, "123456789", 9), 0xcbf43926);
    assert_int_equal(mnt_journal_crc(mnt_journal_crc(0, "1234", 4), "56789",
                                     5),
                     0xcbf43926);
}


static void
names(void **state)
{
    char        buf[MNT_TRACK_FILE_MAX];
    size_t      i;
    mnt_str_t   s;
    mnt_file_t  f;

    static const struct {
        const char           *name;
        const char           *prefix;
        mnt_file_e            kind;
        uint64_t              number;
        mnt_hls_container_e   container;
    } rows[] = {
        { "000001.ts", "", MNT_FILE_SEGMENT, 1, MNT_HLS_CONTAINER_TS },
        { "1234567.m4s", "", MNT_FILE_SEGMENT, 1234567,
          MNT_HLS_CONTAINER_FMP4 },
        { "a1-000002.aac", "a1-", MNT_FILE_SEGMENT, 2,
          MNT_HLS_CONTAINER_AAC },
        { "000003.vtt", "", MNT_FILE_SEGMENT, 3, MNT_HLS_CONTAINER_WEBVTT },
        { "init-12.mp4", "", MNT_FILE_INIT, 12, MNT_HLS_CONTAINER_UNKNOWN },
        { "a1-init-1.mp4", "a1-", MNT_FILE_INIT, 1,
          MNT_HLS_CONTAINER_UNKNOWN },
        { "7.0a1b2c3d.part", "", MNT_FILE_PART, 7,
          MNT_HLS_CONTAINER_UNKNOWN },
        { "a1-7.0a1b2c3d.part", "a1-", MNT_FILE_PART, 7,
          MNT_HLS_CONTAINER_UNKNOWN },
        { "a1-000002.aac", "", MNT_FILE_OTHER, 0, 0 },
        { "000002.aac", "a1-", MNT_FILE_OTHER, 0, 0 },
        { "000000.ts", "", MNT_FILE_OTHER, 0, 0 },
        { "3.ts", "", MNT_FILE_OTHER, 0, 0 },
        { "0000003.ts", "", MNT_FILE_OTHER, 0, 0 },
        { "init-01.mp4", "", MNT_FILE_OTHER, 0, 0 },
        { "07.0a1b2c3d.part", "", MNT_FILE_OTHER, 0, 0 },
        { "000001.ts~", "", MNT_FILE_OTHER, 0, 0 },
        { "000001", "", MNT_FILE_OTHER, 0, 0 },
        { ".ts", "", MNT_FILE_OTHER, 0, 0 },
        { "99999999999999999999.ts", "", MNT_FILE_OTHER, 0, 0 },
        { "7.0A1B2C3D.part", "", MNT_FILE_OTHER, 0, 0 },
        { "7.0a1b2c3.part", "", MNT_FILE_OTHER, 0, 0 },
        { "index.m3u8", "", MNT_FILE_OTHER, 0, 0 },
        { "", "", MNT_FILE_OTHER, 0, 0 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_file_parse(mnt_str_c(rows[i].name), mnt_str_c(rows[i].prefix), &f);

        mnt_test_i64(f.kind, rows[i].kind, rows[i].name, "kind");

        if (f.kind == MNT_FILE_OTHER) {
            continue;
        }

        mnt_test_i64((int64_t) f.number, (int64_t) rows[i].number,
                     rows[i].name, "number");
        mnt_test_i64(f.container, rows[i].container, rows[i].name,
                     "container");

        s = mnt_file_name(&f, mnt_str_c(rows[i].prefix), buf);
        mnt_test_str(s, rows[i].name, rows[i].name);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(damage),
        cmocka_unit_test(too_small),
        cmocka_unit_test(names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
