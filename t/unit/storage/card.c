
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "storage/mnt_card.h"


static void
written_and_read(void **state)
{
    char        buf[MNT_CARD_MAX];
    size_t      n;
    mnt_str_t   text;
    mnt_card_t  card, again;

    (void) state;

    card.recording = S("481");
    card.platform = S("chzzk");
    card.channel = S("http://192.168.1.20/a b/\xc3\xa9.m3u8");

    n = mnt_card_write(&card, buf, sizeof(buf));
    assert_true(n > 0);

    text.data = buf;
    text.len = n;

    mnt_card_read(text, &again);

    assert_true(mnt_str_eq(again.recording, card.recording));
    assert_true(mnt_str_eq(again.platform, card.platform));
    assert_true(mnt_str_eq(again.channel, card.channel));

    /* what does not fit is not written in part */

    assert_int_equal(mnt_card_write(&card, buf, n), 0);
    assert_int_equal(mnt_card_write(&card, buf, n + 1), n);
}


static void
no_value_adds_a_line(void **state)
{
    char                 buf[MNT_CARD_MAX], huge[2 * MNT_CARD_MAX];
    unsigned             i;
    mnt_card_t           card;

    static const char *const  values[] = {
        "", "a\nplatform b", "a\r", "\x01", "a\x7f"
    };

    (void) state;

    card.recording = S("1");
    card.platform = S("chzzk");

    for (i = 0; i < mnt_test_count(values); i++) {
        card.channel = mnt_str_c(values[i]);
        assert_int_equal(mnt_card_write(&card, buf, sizeof(buf)), 0);
    }

    memset(huge, 'x', sizeof(huge));

    card.channel.data = huge;
    card.channel.len = MNT_CARD_MAX;
    assert_int_equal(mnt_card_write(&card, buf, sizeof(buf)), 0);

    card.channel.len = sizeof(huge);
    assert_int_equal(mnt_card_write(&card, buf, sizeof(buf)), 0);
}


static void
what_is_torn_or_strange(void **state)
{
    mnt_card_t  card;

    (void) state;

    mnt_card_read(S(""), &card);
    assert_null(card.recording.data);

    mnt_card_read(S("recording 1\nplatform chz"), &card);
    assert_true(mnt_str_eqc(card.recording, "1"));
    assert_null(card.platform.data);

    mnt_card_read(S("color red\nchannel c\n\nrecordings 4\n\0x\nplatform \n"),
                  &card);
    assert_true(mnt_str_eqc(card.channel, "c"));
    assert_null(card.recording.data);
    assert_null(card.platform.data);

    mnt_card_read(S("recording 1\nrecording 2\n"), &card);
    assert_true(mnt_str_eqc(card.recording, "2"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(no_value_adds_a_line),
        cmocka_unit_test(what_is_torn_or_strange)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
