
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "metrics/mnt_viewers.h"

#include <string.h>


#define START  ((int64_t) 1000000)            /* when the clock begins here */
#define DIR    "hls/cam/2026/09/27/1"


static mnt_viewers_t  *v;
static int64_t         now;


static int
create(void **state)
{
    static const uint64_t  secret[3] = { 1, 2, 4000 };

    (void) state;

    v = calloc(1, sizeof(mnt_viewers_t));
    if (v == NULL) {
        return -1;
    }

    mnt_viewers_init(v, secret);
    now = START;

    return 0;
}


static int
destroy(void **state)
{
    (void) state;

    free(v);

    return 0;
}


static mnt_viewer_t
who(const char *directory, const char *address, const char *agent)
{
    mnt_viewer_t  w;

    mnt_viewers_who(v, mnt_str_c(directory), mnt_str_c(address),
                    mnt_str_c(address), mnt_str_c(agent), &w);

    return w;
}


static mnt_viewers_e
playlist(const char *directory, const char *address, const char *agent)
{
    mnt_viewer_t  w;

    w = who(directory, address, agent);

    return mnt_viewers_playlist(v, &w, mnt_str_c(directory), 2, now);
}


static mnt_viewers_e
segment(const char *directory, const char *address, const char *agent)
{
    mnt_viewer_t  w;

    w = who(directory, address, agent);

    return mnt_viewers_segment(v, &w, now);
}


/* the "n"-th viewer: as many addresses as there are */

static mnt_viewers_e
nth(const char *directory, unsigned n)
{
    char  address[32];

    (void) snprintf(address, sizeof(address), "10.%u.%u.%u", n >> 16,
                    n >> 8 & 255, n & 255);

    return playlist(directory, address, "player");
}


/* counts, and gives what is to be told of the recording; -1: nothing */

static int
report(const char *directory, mnt_viewers_report_t *rep)
{
    char      name[MNT_LAYOUT_MAX];
    size_t    len;
    unsigned  cursor;

    (void) mnt_viewers_turn(v, 2000, now);

    cursor = 0;

    while (mnt_viewers_due(v, &cursor, now, rep, name, &len)) {
        if (len == strlen(directory) && memcmp(name, directory, len) == 0) {
            return (int) rep->viewers;
        }
    }

    return -1;
}


static int
told(const char *directory)
{
    int                   n;
    mnt_viewers_report_t  rep;

    n = report(directory, &rep);

    if (n != -1) {
        mnt_viewers_told(v, &rep, now);
    }

    return n;
}


/* who asks once is none yet; another request of any kind makes a viewer */

static void
asks_twice(void **state)
{
    (void) state;

    assert_int_equal(mnt_viewers_used(v), 0);
    assert_int_equal(segment(DIR, "10.0.0.1", "a"), MNT_VIEWERS_NOBODY);
    assert_int_equal(playlist(DIR, "10.0.0.1", "a"), MNT_VIEWERS_NOBODY);
    assert_int_equal(playlist(DIR, "10.0.0.2", "a"), MNT_VIEWERS_NOBODY);
    assert_int_equal(playlist(DIR, "10.0.0.3", "a"), MNT_VIEWERS_NOBODY);
    assert_int_equal(mnt_viewers_used(v), 1);
    assert_int_equal(told(DIR), -1);

    now += 2000;
    assert_int_equal(playlist(DIR, "10.0.0.1", "a"), MNT_VIEWERS_COUNTED);
    assert_int_equal(segment(DIR, "10.0.0.2", "a"), MNT_VIEWERS_COUNTED);
    assert_int_equal(told(DIR), 2);
    assert_int_equal(v->viewers, 2);
}


/* what limits ask: how many there are, and whether one is among them */

static void
asked_about(void **state)
{
    mnt_viewer_t          w;
    mnt_viewers_report_t  rep;

    (void) state;

    w = who(DIR, "10.0.0.1", "a");

    assert_int_equal(mnt_viewers_of(v, S(DIR)), 0);
    assert_false(mnt_viewers_is(v, &w, now));

    (void) playlist(DIR, "10.0.0.1", "a");
    (void) playlist(DIR, "10.0.0.2", "a");
    assert_false(mnt_viewers_is(v, &w, now));

    (void) segment(DIR, "10.0.0.1", "a");
    (void) segment(DIR, "10.0.0.2", "a");
    assert_true(mnt_viewers_is(v, &w, now));
    assert_int_equal(mnt_viewers_of(v, S(DIR)), 0);

    (void) report(DIR, &rep);
    assert_int_equal(mnt_viewers_of(v, S(DIR)), 2);
    assert_int_equal(mnt_viewers_of(v, S("other")), 0);

    w = who("other", "10.0.0.1", "a");
    assert_false(mnt_viewers_is(v, &w, now));
    w = who(DIR, "10.0.0.1", "b");
    assert_false(mnt_viewers_is(v, &w, now));

    now += 11000;
    w = who(DIR, "10.0.0.1", "a");
    assert_false(mnt_viewers_is(v, &w, now));

    (void) report(DIR, &rep);
    assert_int_equal(mnt_viewers_of(v, S(DIR)), 0);
}


static int
admits(const char *directory, const char *address, unsigned limit)
{
    mnt_viewer_t  w;

    w = who(directory, address, "a");

    return mnt_viewers_admits(v, &w, limit, now);
}


/* who asked once has a place, too: else a crowd would come in */

static void
so_many(void **state)
{
    (void) state;

    assert_true(admits(DIR, "10.0.0.1", 1));
    assert_false(admits(DIR, "10.0.0.1", 0));

    (void) playlist(DIR, "10.0.0.1", "a");
    assert_true(admits(DIR, "10.0.0.1", 1));
    assert_false(admits(DIR, "10.0.0.2", 1));
    assert_true(admits(DIR, "10.0.0.2", 2));
    assert_true(admits("other", "10.0.0.2", 1));

    (void) playlist(DIR, "10.0.0.2", "a");
    (void) playlist("other", "10.0.0.3", "a");
    assert_false(admits(DIR, "10.0.0.3", 2));
    assert_true(admits(DIR, "10.0.0.3", 3));

    /* one that leaves */

    now += 6000;
    (void) segment(DIR, "10.0.0.2", "a");
    assert_false(admits(DIR, "10.0.0.3", 2));

    now += 6000;
    assert_true(admits(DIR, "10.0.0.3", 2));
    assert_false(admits(DIR, "10.0.0.3", 1));
    assert_true(admits(DIR, "10.0.0.2", 1));
}


/* address, agent and recording tell sessions apart, and nothing else does */

static void
tells_apart(void **state)
{
    unsigned  i;

    (void) state;

    for (i = 0; i < 3; i++) {
        (void) playlist(DIR, "10.0.0.1", "a");
        (void) playlist(DIR, "10.0.0.1", "b");
        (void) playlist(DIR, "10.0.0.11", "a");
        (void) playlist(DIR, "10.0.0.1", "1a");
        (void) playlist(DIR, "10.0.0.1", "");
        (void) playlist("other", "10.0.0.1", "a");
    }

    assert_int_equal(told(DIR), 5);
    assert_int_equal(told("other"), 1);
    assert_int_equal(v->viewers, 6);
}


/* a player that leaves is gone when it was silent for three durations, and for
   ten seconds; segments keep it */

static void
leaves(void **state)
{
    mnt_viewer_t  slow;

    (void) state;

    slow = who(DIR, "10.0.0.9", "slow");

    (void) playlist(DIR, "10.0.0.1", "a");
    (void) playlist(DIR, "10.0.0.1", "a");
    (void) playlist(DIR, "10.0.0.2", "a");
    (void) playlist(DIR, "10.0.0.2", "a");
    (void) mnt_viewers_playlist(v, &slow, mnt_str_c(DIR), 10, now);
    (void) mnt_viewers_playlist(v, &slow, mnt_str_c(DIR), 10, now);
    assert_int_equal(told(DIR), 3);

    now += 8000;
    assert_int_equal(segment(DIR, "10.0.0.2", "a"), MNT_VIEWERS_COUNTED);

    now += 2000;
    assert_int_equal(told(DIR), 3);

    now += 2000;
    assert_int_equal(told(DIR), 2);

    now += 8000;
    assert_int_equal(segment(DIR, "10.0.0.2", "a"), MNT_VIEWERS_NOBODY);
    assert_int_equal(told(DIR), 1);

    now += 10000;
    assert_int_equal(told(DIR), 1);

    now += 2000;
    assert_int_equal(told(DIR), 0);

    /* and comes back as one who has to ask twice */

    assert_int_equal(playlist(DIR, "10.0.0.1", "a"), MNT_VIEWERS_NOBODY);
    assert_int_equal(playlist(DIR, "10.0.0.1", "a"), MNT_VIEWERS_COUNTED);
}


/* no silence is longer than a minute, whatever the playlist says */

static void
patience(void **state)
{
    size_t        i;
    mnt_viewer_t  w;

    static const struct {
        unsigned  target_s;
        unsigned  patience;
    } expected[] = {
        { 1, 10 }, { 3, 10 }, { 4, 12 }, { 6, 18 }, { 20, 60 }, { 21, 60 },
        { 59, 60 }, { 60, 60 }, { 100000, 60 }, { 4294967295u, 60 }
    };

    (void) state;

    w = who(DIR, "10.0.0.1", "a");

    for (i = 0; i < mnt_test_count(expected); i++) {
        (void) mnt_viewers_playlist(v, &w, mnt_str_c(DIR),
                                    expected[i].target_s, now);
        (void) mnt_viewers_playlist(v, &w, mnt_str_c(DIR),
                                    expected[i].target_s, now);

        now += expected[i].patience * 1000;
        (void) mnt_viewers_turn(v, 2000, now);
        assert_int_equal(v->viewers, 1);

        now += 2000;
        (void) mnt_viewers_turn(v, 2000, now);
        assert_int_equal(v->viewers, 0);
    }
}


/* what was watched is the time between the first and the last request */

static void
watched(void **state)
{
    int                   i;
    mnt_viewers_report_t  rep;

    (void) state;

    for (i = 0; i <= 30; i++) {
        (void) playlist(DIR, "10.0.0.1", "a");

        if (i <= 10) {
            (void) segment(DIR, "10.0.0.2", "a");
            (void) playlist(DIR, "10.0.0.2", "a");
        }

        now += 2000;
    }

    assert_int_equal(report(DIR, &rep), 1);
    assert_int_equal(rep.watched_ms, 60000 + 20000);

    /* a clock that another process read before counts nothing twice */

    now -= 4000;
    (void) playlist(DIR, "10.0.0.1", "a");
    now += 4000;
    (void) playlist(DIR, "10.0.0.1", "a");

    now += 2000;
    assert_int_equal(report(DIR, &rep), 1);
    assert_int_equal(rep.watched_ms, 62000 + 20000);

    /* nor does a pause */

    now += 30000;
    (void) playlist(DIR, "10.0.0.1", "a");
    (void) playlist(DIR, "10.0.0.1", "a");
    assert_int_equal(report(DIR, &rep), 1);
    assert_int_equal(rep.watched_ms, 62000 + 20000);
}


/* changes at once, the rest each ten seconds, and nothing that is known */

static void
tells_changes(void **state)
{
    int                   i, n;
    mnt_viewers_report_t  rep, old;

    (void) state;

    (void) playlist(DIR, "10.0.0.1", "a");
    (void) playlist(DIR, "10.0.0.1", "a");

    /* it is told until the database has it */

    assert_int_equal(report(DIR, &old), 1);
    now += 2000;
    assert_int_equal(report(DIR, &rep), 1);
    assert_true(rep.run == old.run);
    mnt_viewers_told(v, &rep, now);

    for (i = 0, n = 0; i < 20; i++) {
        now += 2000;
        (void) playlist(DIR, "10.0.0.1", "a");
        n += (told(DIR) == 1);
    }

    assert_int_equal(n, 4);

    now += 14000;
    assert_int_equal(told(DIR), 0);

    for (i = 0; i < 20; i++) {
        now += 2000;
        assert_int_equal(told(DIR), -1);
    }

    /* after a quarter of an hour its place is free, and it is another run */

    now += 15 * 60 * 1000;
    (void) mnt_viewers_turn(v, 2000, now);
    assert_int_equal(mnt_viewers_used(v), 0);

    (void) playlist(DIR, "10.0.0.1", "a");
    (void) playlist(DIR, "10.0.0.1", "a");
    now += 2000;
    assert_int_equal(report(DIR, &rep), 1);
    assert_true(rep.run != old.run);
    assert_int_equal(rep.watched_ms, 0);

    mnt_viewers_told(v, &old, now);
    assert_int_equal(report(DIR, &rep), 1);
}


/* only one of those who ask within two seconds has to report */

static void
one_turn(void **state)
{
    int  i, n;

    (void) state;

    (void) playlist(DIR, "10.0.0.1", "a");
    assert_int_equal(mnt_viewers_turn(v, 2000, now), 1);

    for (i = 0, n = 0; i < 400; i++) {
        now += 100;
        n += mnt_viewers_turn(v, 2000, now);
    }

    assert_int_equal(n, 20);
}


/* 100,000 agents of one address are no more than 64 viewers, and nobody else
   loses the place for them */

static void
one_address(void **state)
{
    int       i, n[4];
    char      agent[32];
    unsigned  round;

    (void) state;

    (void) playlist(DIR, "10.0.0.2", "real");
    (void) playlist(DIR, "10.0.0.2", "real");
    (void) playlist(DIR, "10.0.0.1", "real");
    (void) playlist(DIR, "10.0.0.1", "real");

    memset(n, 0, sizeof(n));

    for (i = 0; i < 100000; i++) {
        (void) snprintf(agent, sizeof(agent), "agent %d", i);

        for (round = 0; round < 2; round++) {
            n[playlist(DIR, "10.0.0.1", agent)]++;
        }
    }

    assert_int_equal(told(DIR), MNT_VIEWERS_WAYS + 1);
    assert_int_equal(n[MNT_VIEWERS_COUNTED], MNT_VIEWERS_WAYS - 1);
    assert_int_equal(n[MNT_VIEWERS_FULL], 0);
    assert_true(n[MNT_VIEWERS_CROWDED] > 100000);

    assert_int_equal(playlist(DIR, "10.0.0.1", "real"), MNT_VIEWERS_COUNTED);
    assert_int_equal(playlist(DIR, "10.0.0.2", "real"), MNT_VIEWERS_COUNTED);
}


/* who asks once only takes no place from anybody */

static void
asks_once(void **state)
{
    int   i;
    char  agent[32];

    (void) state;

    for (i = 0; i < 1000; i++) {
        (void) snprintf(agent, sizeof(agent), "agent %d", i);
        assert_int_equal(playlist(DIR, "10.0.0.1", agent),
                         MNT_VIEWERS_NOBODY);
    }

    assert_int_equal(playlist(DIR, "10.0.0.1", "real"), MNT_VIEWERS_NOBODY);
    assert_int_equal(playlist(DIR, "10.0.0.1", "real"), MNT_VIEWERS_COUNTED);
    assert_int_equal(told(DIR), 1);
}


/* a full table counts less, never more, and those that it has */

static void
full(void **state)
{
    int       known;
    unsigned  i, refused;

    (void) state;

    /* half of what there is room for finds it */

    for (i = 0, refused = 0; i < MNT_VIEWERS_MAX / 2; i++) {
        (void) nth(DIR, i);
        refused += (nth(DIR, i) != MNT_VIEWERS_COUNTED);
    }

    assert_int_equal(refused, 0);
    known = told(DIR);
    assert_int_equal(known, MNT_VIEWERS_MAX / 2);

    now += 2000;

    for (i = 0; i < MNT_VIEWERS_MAX * 2; i++) {
        (void) nth(DIR, i);
        (void) nth(DIR, i);
    }

    now += 2000;
    known = told(DIR);
    assert_in_range(known, MNT_VIEWERS_MAX * 99 / 100, MNT_VIEWERS_MAX);

    for (i = 0, refused = 0; i < 10000; i++) {
        refused += (nth(DIR, 900000 + i) == MNT_VIEWERS_FULL);
    }

    assert_in_range(refused, 9900, 10000);
    assert_int_equal(mnt_viewers_complain(v, now), 1);
    assert_int_equal(mnt_viewers_complain(v, now + 3599000), 0);
    assert_int_equal(mnt_viewers_complain(v, now + 3601000), 1);

    for (i = 0; i < 1000; i++) {
        assert_int_equal(nth(DIR, i), MNT_VIEWERS_COUNTED);
    }

    now += 10000;
    assert_int_equal(told(DIR), 1000);
    now += 2000;
    assert_int_equal(told(DIR), 0);
}


static void
many_recordings(void **state)
{
    char      name[MNT_LAYOUT_MAX + 2];
    unsigned  i, n, known;

    (void) state;

    for (i = 0, n = 0; i < 1000; i++) {
        (void) snprintf(name, sizeof(name), "hls/%u", i);
        (void) playlist(name, "10.0.0.1", "a");
        (void) snprintf(name, sizeof(name), "hls/%u", i);
        n += (playlist(name, "10.0.0.1", name) != MNT_VIEWERS_FULL);
    }

    assert_int_equal(n, 1000);
    assert_int_equal(mnt_viewers_used(v), 1000);

    for (i = 1000; i < 10000; i++) {
        (void) snprintf(name, sizeof(name), "hls/%u", i);
        (void) playlist(name, "10.0.0.2", "a");
    }

    known = mnt_viewers_used(v);
    assert_in_range(known, 2000, MNT_VIEWERS_RECORDINGS);

    /* those that nobody has watched for a minute give way */

    now += 62000;
    (void) mnt_viewers_turn(v, 2000, now);

    for (i = 0; i < 1000; i++) {
        (void) snprintf(name, sizeof(name), "new/%u", i);
        assert_int_equal(playlist(name, "10.0.0.3", "a"), MNT_VIEWERS_NOBODY);
    }

    /* names that no layout makes are none */

    memset(name, 'x', sizeof(name));
    name[MNT_LAYOUT_MAX + 1] = '\0';
    assert_int_equal(playlist(name, "10.0.0.4", "a"), MNT_VIEWERS_NOBODY);
    assert_int_equal(playlist(name, "10.0.0.4", "a"), MNT_VIEWERS_NOBODY);
    name[MNT_LAYOUT_MAX] = '\0';
    assert_int_equal(playlist(name, "10.0.0.4", "a"), MNT_VIEWERS_NOBODY);
    assert_int_equal(playlist(name, "10.0.0.4", "a"), MNT_VIEWERS_COUNTED);

    now += 2000;
    assert_int_equal(told(name), 1);

    for (i = 0; i < 2; i++) {
        assert_int_equal(playlist("", "10.0.0.4", "a"), MNT_VIEWERS_NOBODY);
        assert_int_equal(playlist("hls/\xff", "10.0.0.4", "a"),
                         MNT_VIEWERS_NOBODY);
    }
}


/* what the database does not know yet is kept, however long it is away */

static void
untold(void **state)
{
    char      name[32];
    unsigned  i, round, refused;

    (void) state;

    for (round = 0; round < 2; round++) {
        for (i = 0; i < 10000; i++) {
            (void) snprintf(name, sizeof(name), "hls/%u", i);
            (void) playlist(name, name, "a");
        }

        now += 1000;
    }

    now += 20 * 60 * 1000;
    (void) mnt_viewers_turn(v, 2000, now);
    refused = 0;

    for (i = 0; i < 1000; i++) {
        (void) snprintf(name, sizeof(name), "new/%u", i);
        refused += (playlist(name, "10.0.0.1", "a") == MNT_VIEWERS_FULL);
    }

    assert_in_range(refused, 900, 1000);
    assert_int_equal(told("hls/0"), 0);
}


/* it is whatever a process left that was killed: nothing but counts may be
   wrong, and they are right again in a minute */

static void
garbage(void **state)
{
    char                  name[MNT_LAYOUT_MAX];
    size_t                i, len;
    unsigned              cursor, round, x;
    unsigned char        *p;
    mnt_viewers_report_t  rep;

    (void) state;

    x = 1;

    for (round = 0; round < 20; round++) {
        p = (unsigned char *) v;

        for (i = 0; i < sizeof(mnt_viewers_t); i++) {
            x = x * 1103515245u + 12345u;

            if (round < 2 || (x >> 16) % 64 == 0) {
                p[i] = (unsigned char) (x >> 24);
            }
        }

        (void) playlist(DIR, "10.0.0.1", "a");
        (void) segment(DIR, "10.0.0.1", "a");
        (void) mnt_viewers_turn(v, 2000, now);
        now += 2000;
        (void) mnt_viewers_turn(v, 2000, now);

        cursor = 0;

        while (mnt_viewers_due(v, &cursor, now, &rep, name, &len)) {
            assert_true(len <= MNT_LAYOUT_MAX);
            mnt_viewers_told(v, &rep, now);
        }

        rep.index = x;
        mnt_viewers_told(v, &rep, now);
    }

    now += 62000;
    (void) mnt_viewers_turn(v, 2000, now);
    assert_in_range(v->viewers, 0, MNT_VIEWERS_MAX / 1000);
}


static void
targets(void **state)
{
    size_t  i;

    static const struct {
        const char  *head;
        const char  *tail;
        unsigned     target;
    } expected[] = {
        { "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n"
          "#EXT-X-MEDIA-SEQUENCE:0\n", "#EXTINF:2,\n000001.ts\n", 2 },
        { "#EXTM3U\r\n#EXT-X-TARGETDURATION:10\r\n", "x.ts\r\n", 10 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:0\n", "", 1 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:99999999999999999999\n", "",
          999999 },

        /* it is over */

        { "#EXTM3U\n#EXT-X-TARGETDURATION:2\n",
          "000001.ts\n#EXT-X-ENDLIST\n", 0 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:2\n", "\n#EXT-X-ENDLIST", 0 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:2\n", "a#EXT-X-ENDLIST\n", 2 },

        /* something else */

        { "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo.m3u8\n",
          "video.m3u8\n", 0 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:2", "", 0 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:\n", "", 0 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:-2\n", "", 0 },
        { "#EXTM3U\n #EXT-X-TARGETDURATION:2\n", "", 0 },
        { "#EXT-X-TARGETDURATION:2\n", "", 0 },
        { "", "", 0 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(expected); i++) {
        mnt_test_i64(mnt_viewers_target(mnt_str_c(expected[i].head),
                                        mnt_str_c(expected[i].tail)),
                     expected[i].target, expected[i].head, "target");
    }
}


/* nothing of who watches is in the table */

static void
hidden(void **state)
{
    size_t          i;
    unsigned char  *p;

    (void) state;

    (void) playlist(DIR, "203.0.113.77", "Agent of somebody");
    (void) playlist(DIR, "203.0.113.77", "Agent of somebody");

    p = (unsigned char *) v;

    for (i = 0; i + 12 < sizeof(mnt_viewers_t); i++) {
        assert_false(memcmp(p + i, "203.0.113.77", 12) == 0);
        assert_false(memcmp(p + i, "Agent of som", 12) == 0);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(asks_twice, create, destroy),
        cmocka_unit_test_setup_teardown(asked_about, create, destroy),
        cmocka_unit_test_setup_teardown(so_many, create, destroy),
        cmocka_unit_test_setup_teardown(tells_apart, create, destroy),
        cmocka_unit_test_setup_teardown(leaves, create, destroy),
        cmocka_unit_test_setup_teardown(patience, create, destroy),
        cmocka_unit_test_setup_teardown(watched, create, destroy),
        cmocka_unit_test_setup_teardown(tells_changes, create, destroy),
        cmocka_unit_test_setup_teardown(one_turn, create, destroy),
        cmocka_unit_test_setup_teardown(one_address, create, destroy),
        cmocka_unit_test_setup_teardown(asks_once, create, destroy),
        cmocka_unit_test_setup_teardown(full, create, destroy),
        cmocka_unit_test_setup_teardown(many_recordings, create, destroy),
        cmocka_unit_test_setup_teardown(untold, create, destroy),
        cmocka_unit_test_setup_teardown(garbage, create, destroy),
        cmocka_unit_test_setup_teardown(hidden, create, destroy),
        cmocka_unit_test(targets)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
