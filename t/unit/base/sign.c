
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "base/mnt_sign.h"


#define NOW    ((int64_t) 1790000000)
#define DIR    "chzzk/c1/2026/09/27/1"
#define FLIPS  1000000

#define KNOWN_ID     "4d063978"
#define KNOWN_MAC    "gc_r98NmoAuqtcAtiI-PO8BiYtjcMzdptVuMpdp8mhE"
#define KNOWN_MAC_A  "Fr3DIT2geddJCxALlZ4XmO3f2x2hKyIKPQE8_oomiFo"


static mnt_sign_key_t  keys[2], third;


static mnt_str_t
token(const mnt_sign_key_t *key, const char *directory, const char *address,
    int64_t expires_s, char *buf)
{
    mnt_str_t        t;
    mnt_sign_link_t  link;

    link.directory = mnt_str_c(directory);
    link.address = mnt_str_c(address);
    link.expires_s = expires_s;

    t.data = buf;
    t.len = mnt_sign_make(key, &link, buf, MNT_SIGN_MAX);

    return t;
}


static mnt_sign_e
check(mnt_str_t t, const char *directory, const char *address, int64_t now)
{
    mnt_sign_link_t  link;

    link.directory = mnt_str_c(directory);
    link.address = mnt_str_c(address);
    link.expires_s = 0;

    return mnt_sign_check(keys, 2, t, &link, now);
}


/* the same numbers from everywhere, every time */

static uint64_t
number(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;

    return *state;
}


/* by openssl's own command line, see docs/directives.md */

static void
known(void **state)
{
    char       buf[MNT_SIGN_MAX];
    mnt_str_t  t;

    (void) state;

    assert_string_equal(keys[0].id, KNOWN_ID);

    t = token(&keys[0], DIR, NULL, NOW, buf);
    mnt_test_str(t, "1.1790000000." KNOWN_ID "." KNOWN_MAC, "for everybody");

    t = token(&keys[0], DIR, "203.0.113.7", NOW, buf);
    mnt_test_str(t, "1a.1790000000." KNOWN_ID "." KNOWN_MAC_A,
                 "for an address");
}


static void
holds_until(void **state)
{
    char             buf[MNT_SIGN_MAX];
    mnt_str_t        t;
    mnt_sign_link_t  link;

    (void) state;

    t = token(&keys[0], DIR, NULL, NOW, buf);

    assert_int_equal(check(t, DIR, "10.0.0.1", NOW - 1), MNT_SIGN_OK);
    assert_int_equal(check(t, DIR, "10.0.0.1", NOW), MNT_SIGN_EXPIRED);
    assert_int_equal(check(t, DIR, "10.0.0.1", NOW + 1), MNT_SIGN_EXPIRED);
    assert_int_equal(check(t, DIR, "10.0.0.1", 0), MNT_SIGN_OK);
    assert_int_equal(check(t, DIR, NULL, NOW - 1), MNT_SIGN_OK);

    link.directory = S(DIR);
    link.address = S("10.0.0.1");
    link.expires_s = 0;

    assert_int_equal(mnt_sign_check(keys, 2, t, &link, 0), MNT_SIGN_OK);
    assert_true(link.expires_s == NOW);
    assert_int_equal(link.address.len, 0);
}


static void
of_one_directory(void **state)
{
    char       buf[MNT_SIGN_MAX];
    unsigned   i;
    mnt_str_t  t;

    static const char *const  others[] = {
        "", "chzzk/c1/2026/09/27", DIR "/", DIR "0", DIR "/.", "/" DIR,
        "chzzk/c1/2026/09/27/2", "chzzk/c1/2026/09/27/x/../1",
        DIR "\n1790000000", "CHZZK/c1/2026/09/27/1"
    };

    (void) state;

    t = token(&keys[0], DIR, NULL, NOW, buf);

    for (i = 0; i < mnt_test_count(others); i++) {
        mnt_test_ok(check(t, others[i], NULL, 0) == MNT_SIGN_BAD, others[i],
                    "opens another directory");
    }

    assert_int_equal(token(&keys[0], "", NULL, NOW, buf).len, 0);
    assert_int_equal(token(&keys[0], "a\nb", NULL, NOW, buf).len, 0);
    assert_int_equal(token(&keys[0], DIR, NULL, 0, buf).len, 0);
    assert_int_equal(token(&keys[0], DIR, NULL, -1, buf).len, 0);
}


static void
of_one_address(void **state)
{
    char             buf[MNT_SIGN_MAX];
    mnt_str_t        t;
    mnt_sign_link_t  link;

    (void) state;

    t = token(&keys[0], DIR, "10.0.0.1", NOW, buf);

    assert_int_equal(check(t, DIR, "10.0.0.1", 0), MNT_SIGN_OK);
    assert_int_equal(check(t, DIR, "10.0.0.11", 0), MNT_SIGN_BAD);
    assert_int_equal(check(t, DIR, NULL, 0), MNT_SIGN_BAD);

    link.directory = S(DIR);
    link.address = S("10.0.0.1");
    link.expires_s = 0;

    assert_int_equal(mnt_sign_check(keys, 2, t, &link, 0), MNT_SIGN_OK);
    mnt_test_str(link.address, "10.0.0.1", "bound");

    /* it cannot be made one for everybody */

    t.data++;
    t.len--;
    buf[1] = '1';
    assert_int_equal(check(t, DIR, "10.0.0.1", 0), MNT_SIGN_BAD);
}


static void
of_live_keys(void **state)
{
    char             buf[MNT_SIGN_MAX];
    mnt_str_t        t;
    mnt_sign_link_t  link;

    (void) state;

    t = token(&keys[1], DIR, NULL, NOW, buf);
    assert_int_equal(check(t, DIR, NULL, 0), MNT_SIGN_OK);

    link.directory = S(DIR);
    link.address = S("");
    link.expires_s = 0;

    assert_int_equal(mnt_sign_check(keys, 1, t, &link, 0), MNT_SIGN_BAD);
    assert_int_equal(mnt_sign_check(NULL, 0, t, &link, 0), MNT_SIGN_BAD);

    t = token(&third, DIR, NULL, NOW, buf);
    assert_int_equal(check(t, DIR, NULL, 0), MNT_SIGN_BAD);

    /* under the name of a live one */

    memcpy(strstr(buf, third.id), keys[0].id, MNT_SIGN_ID);
    assert_int_equal(check(t, DIR, NULL, 0), MNT_SIGN_BAD);
}


static void
short_keys(void **state)
{
    mnt_sign_key_t  key;

    (void) state;

    assert_int_equal(mnt_sign_key(&key, S("")), -1);
    assert_int_equal(mnt_sign_key(&key, S("0123456789abcdef0123456789abcde")),
                     -1);
    assert_int_equal(mnt_sign_key(&key, S("0123456789abcdef0123456789abcdef")),
                     0);
}


static void
other_spellings(void **state)
{
    char       buf[MNT_SIGN_MAX], text[2 * MNT_SIGN_MAX];
    unsigned   i;
    mnt_str_t  t, s;
    const char *mac;

    static const char *const  formats[] = {
        "", ".", "...", "1", "1..%s.%s", "1.1790000000.%s.",
        ".1790000000.%s.%s",
        "1.01790000000.%s.%s", "1.+1790000000.%s.%s", "1. 1790000000.%s.%s",
        "1.1790000000 .%s.%s", "1.-1790000000.%s.%s", "1.1790000000.%s.%s=",
        "1.1790000000.%s.%s.", "1.1790000000.%s..%s", "2.1790000000.%s.%s",
        "1A.1790000000.%s.%s", "01.1790000000.%s.%s", "1.1790000000.%s.%sA",
        "1.99999999999999999999.%s.%s", "1.0.%s.%s", "1.1790000000.0%s.%s",
        "1a.1790000000.%s.%s", "1.1.%s.%s", "1.1790000001.%s.%s"
    };

    (void) state;

    t = token(&keys[0], DIR, NULL, NOW, buf);
    assert_int_equal(check(t, DIR, "10.0.0.1", 0), MNT_SIGN_OK);

    mac = buf + t.len - MNT_SIGN_MAC;

    for (i = 0; i < mnt_test_count(formats); i++) {
        s.data = text;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        s.len = (size_t) snprintf(text, sizeof(text), formats[i], keys[0].id,
                                  mac);
#pragma GCC diagnostic pop

        mnt_test_ok(check(s, DIR, "10.0.0.1", 0) == MNT_SIGN_BAD, formats[i],
                    "is taken");
    }

    for (i = 0; i < t.len; i++) {
        s = t;
        s.len = i;
        assert_int_equal(check(s, DIR, "10.0.0.1", 0), MNT_SIGN_BAD);
    }

    s.data = NULL;
    s.len = 0;
    assert_int_equal(check(s, DIR, NULL, 0), MNT_SIGN_BAD);
}


/* every single bit, and then up to four at once, of tokens of all kinds */

static void
flipped_bits(void **state)
{
    char             buf[MNT_SIGN_MAX], bent[MNT_SIGN_MAX];
    unsigned         i, k, n, bit, bound;
    uint64_t         seed;
    mnt_str_t        t, s;
    mnt_sign_link_t  link;

    (void) state;

    seed = 88172645463325252u;
    t.len = 0;
    bound = 0;

    for (i = 0, bit = 0; i < FLIPS; i++) {

        if (i % 1000 == 0) {
            bound = i / 1000 % 2;
            bit = 0;
            t = token(&keys[i / 2000 % 2], DIR, bound ? "10.0.0.1" : NULL,
                      NOW + (int64_t) (number(&seed) % 100000), buf);
            assert_true(t.len > 0);
            assert_int_equal(check(t, DIR, "10.0.0.1", 0), MNT_SIGN_OK);
        }

        memcpy(bent, buf, t.len);

        s.data = bent;
        s.len = t.len;

        if (bit < 8 * t.len) {
            bent[bit / 8] = (char) (bent[bit / 8] ^ (1 << bit % 8));
            bit++;

        } else {
            n = 1 + (unsigned) (number(&seed) % 4);

            for (k = 0; k < n; k++) {
                uint64_t  at = number(&seed) % (8 * t.len);

                bent[at / 8] = (char) (bent[at / 8] ^ (1 << at % 8));
            }
        }

        if (memcmp(bent, buf, t.len) == 0) {
            continue;
        }

        link.directory = S(DIR);
        link.address = S("10.0.0.1");
        link.expires_s = 0;

        if (mnt_sign_check(keys, 2, s, &link, 0) != MNT_SIGN_BAD) {
            print_error("%.*s is taken\n", (int) s.len, s.data);
            fail();
        }
    }
}


static int
create(void **state)
{
    (void) state;

    return mnt_sign_key(&keys[0], S("0123456789abcdef0123456789abcdef"))
           | mnt_sign_key(&keys[1], S("fedcba9876543210fedcba9876543210xyz"))
           | mnt_sign_key(&third, S("a third one, of a former rotation, too"));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(known),
        cmocka_unit_test(holds_until),
        cmocka_unit_test(of_one_directory),
        cmocka_unit_test(of_one_address),
        cmocka_unit_test(of_live_keys),
        cmocka_unit_test(short_keys),
        cmocka_unit_test(other_spellings),
        cmocka_unit_test(flipped_bits)
    };

    return cmocka_run_group_tests(tests, create, NULL);
}
