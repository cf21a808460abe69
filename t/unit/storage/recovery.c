
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "storage/mnt_recovery.h"


#define MAX_FILES  32
#define MAX_TEXT   16384

#define TOKEN      0x0a1b2c3d


/* a directory on a disk of ours */

typedef struct {
    char        journal[MAX_TEXT];
    size_t      journal_len;
    char        playlist[MAX_TEXT];
    size_t      playlist_len;
    mnt_file_t  files[MAX_FILES];
    size_t      nfiles;
} disk_t;


static mnt_arena_t  arena;


static void
line(disk_t *d, mnt_journal_line_t *l)
{
    l->token = TOKEN;

    if (l->container == MNT_HLS_CONTAINER_UNKNOWN) {
        l->container = MNT_HLS_CONTAINER_TS;
    }

    if (l->duration_us == 0) {
        l->duration_us = 2000000;
    }

    l->bytes = 100;
    l->wall_ms = 1000 + (int64_t) l->number;

    d->journal_len += mnt_journal_write(l, d->journal + d->journal_len,
                                        MAX_TEXT - d->journal_len);
}


/* a segment is line S with part N + 50 and sequence N + 1000 */

static void
journal(disk_t *d, uint64_t number, uint64_t map, unsigned discontinuous)
{
    mnt_journal_line_t  l;

    memset(&l, 0, sizeof(l));

    l.kind = MNT_JOURNAL_SEGMENT;
    l.number = number;
    l.part = number + 50;
    l.seen.sequence = number + 1000;
    l.seen.identity = number;
    l.seen.date_ms = MNT_DATE_NONE;
    l.map = map;
    l.discontinuous = discontinuous;

    line(d, &l);
}


static void
init(disk_t *d, uint64_t number)
{
    mnt_journal_line_t  l;

    memset(&l, 0, sizeof(l));

    l.kind = MNT_JOURNAL_INIT;
    l.number = number;
    l.part = number + 90;
    l.crc = (uint32_t) number;

    line(d, &l);
}


static void
file(disk_t *d, mnt_file_e kind, uint64_t number, uint64_t size)
{
    mnt_file_t  *f;

    f = &d->files[d->nfiles++];
    memset(f, 0, sizeof(mnt_file_t));

    f->kind = kind;
    f->number = number;
    f->size = size;

    if (kind == MNT_FILE_SEGMENT) {
        f->container = MNT_HLS_CONTAINER_TS;

    } else if (kind == MNT_FILE_PART) {
        f->token = TOKEN;
    }
}


static void
text(disk_t *d, const char *s)
{
    size_t  n;

    n = strlen(s);
    memcpy(d->playlist + d->playlist_len, s, n);
    d->playlist_len += n;
}


static void
head(disk_t *d, uint32_t target_s, unsigned has_map)
{
    d->playlist_len = mnt_hls_write_head(d->playlist, MAX_TEXT, target_s,
                                         has_map);
}


static void
entry(disk_t *d, uint64_t number)
{
    char  s[64];

    (void) snprintf(s, sizeof(s), "#EXTINF:2.000000,\n%06d.ts\n",
                    (int) number);
    text(d, s);
}


/* "n" segments that are whole in every way */

static void
whole(disk_t *d, uint64_t n)
{
    uint64_t  i;

    memset(d, 0, sizeof(disk_t));
    head(d, 2, 0);

    for (i = 1; i <= n; i++) {
        journal(d, i, 0, 0);
        file(d, MNT_FILE_SEGMENT, i, 100);
        entry(d, i);
    }
}


static void
decide(disk_t *d, unsigned reopen, mnt_recovery_t *r)
{
    mnt_recovery_found_t  found;

    memset(&found, 0, sizeof(found));

    found.journal.data = d->journal;
    found.journal.len = d->journal_len;
    found.playlist.data = d->playlist;
    found.playlist.len = d->playlist_len;
    found.prefix = mnt_str_c("");
    found.files = d->files;
    found.nfiles = d->nfiles;
    found.target_s = 2;
    found.reopen = reopen;
    found.now_ms = 5000;

    assert_int_equal(mnt_recovery_decide(&arena, &found, r), 0);
}


/* carries it out */

static void
apply(disk_t *d, const mnt_recovery_t *r)
{
    size_t  i, k;

    for (i = 0; i < r->nrenames; i++) {
        for (k = 0; k < d->nfiles; k++) {
            if (d->files[k].kind == MNT_FILE_PART
                && d->files[k].number == r->renames[i].part.number)
            {
                d->files[k] = r->renames[i].final;
            }
        }
    }

    for (i = 0; i < d->nfiles; i++) {
        if (d->files[i].kind == MNT_FILE_PART) {
            d->files[i] = d->files[--d->nfiles];
            i--;
        }
    }

    if (r->lines.len) {
        memcpy(d->journal + d->journal_len, r->lines.data, r->lines.len);
    }

    d->journal_len += r->lines.len;

    if (r->playlist.len) {
        memcpy(d->playlist, r->playlist.data, r->playlist.len);
    }

    d->playlist_len = r->playlist.len;
}


/* decides, carries it out, and sees that a second time changes nothing */

static void
recover(disk_t *d, unsigned reopen, mnt_recovery_t *r)
{
    mnt_recovery_t  again;

    decide(d, reopen, r);
    apply(d, r);
    decide(d, reopen, &again);

    assert_int_equal(again.nrenames, 0);
    assert_int_equal(again.lines.len, 0);
    assert_int_equal(again.recovered, 0);
    assert_int_equal(again.dropped, 0);
    assert_int_equal(again.playlist.len, d->playlist_len);

    if (d->playlist_len) {
        assert_memory_equal(again.playlist.data, d->playlist,
                            d->playlist_len);
    }

    assert_int_equal(again.segments, r->segments);
    assert_int_equal(again.bytes, r->bytes);
    assert_int_equal(again.duration_us, r->duration_us);
    assert_int_equal(again.gaps, r->gaps);
    assert_int_equal(again.lost_us, r->lost_us);
    assert_int_equal(again.map, r->map);
    assert_int_equal(again.discontinuous, r->discontinuous);
    assert_int_equal(again.next_number, r->next_number);
    assert_int_equal(again.next_init, r->next_init);
    assert_int_equal(again.window.next, r->window.next);
}


static void
same_playlist(const disk_t *d, const disk_t *wanted)
{
    assert_int_equal(d->playlist_len, wanted->playlist_len);
    assert_memory_equal(d->playlist, wanted->playlist, d->playlist_len);
}


static void
whole_and_nothing(void **state)
{
    disk_t          d, ref;
    mnt_recovery_t  r;

    (void) state;

    whole(&d, 3);
    ref = d;
    recover(&d, 0, &r);

    same_playlist(&d, &ref);
    assert_int_equal(r.segments, 3);
    assert_int_equal(r.bytes, 300);
    assert_int_equal(r.duration_us, 6000000);
    assert_int_equal(r.next_number, 4);
    assert_int_equal(r.next_init, 1);
    assert_int_equal(r.recovered, 0);
    assert_int_equal(r.last_ms, 1003);
    assert_int_equal(r.window.started, 1);
    assert_int_equal(r.window.next, 1004);
    assert_int_equal(r.discontinuous, 0);

    memset(&d, 0, sizeof(d));
    recover(&d, 0, &r);

    assert_null(r.playlist.data);
    assert_int_equal(r.segments, 0);
    assert_int_equal(r.next_number, 1);
    assert_int_equal(r.target_s, 2);
    assert_int_equal(r.window.started, 0);
}


/* the process was killed behind each step of a commit of segment 3 */

static void
killed(void **state)
{
    disk_t          d, ref, cut;
    unsigned        step;
    mnt_recovery_t  r;

    (void) state;

    whole(&ref, 3);

    for (step = 0; step < 5; step++) {
        whole(&d, 2);
        cut = d;

        if (step == 0) {
            file(&d, MNT_FILE_PART, 53, 70);           /* half written */

        } else if (step == 1) {
            file(&d, MNT_FILE_PART, 53, 100);          /* complete */

        } else {
            journal(&d, 3, 0, 0);
            file(&d, step == 2 ? MNT_FILE_PART : MNT_FILE_SEGMENT,
                 step == 2 ? 53 : 3, 100);
        }

        if (step == 4) {
            entry(&d, 3);
        }

        recover(&d, 0, &r);

        same_playlist(&d, step < 2 ? &cut : &ref);
        assert_int_equal(r.nrenames, step == 2);
        assert_int_equal(r.recovered, step == 2 || step == 3);
        assert_int_equal(r.window.next, step < 2 ? 1003 : 1004);
        assert_int_equal(r.next_number, step < 2 ? 3 : 4);
        assert_int_equal(r.gaps, 0);
    }
}


/* of a number that was served twice only the second line counts */

static void
served_twice(void **state)
{
    disk_t              d, ref;
    mnt_recovery_t      r;
    mnt_journal_line_t  l;

    (void) state;

    memset(&l, 0, sizeof(l));

    l.kind = MNT_JOURNAL_SEGMENT;
    l.number = 3;
    l.part = 54;
    l.seen.sequence = 1004;
    l.seen.date_ms = MNT_DATE_NONE;

    whole(&d, 2);
    ref = d;
    journal(&d, 3, 0, 0);
    file(&d, MNT_FILE_PART, 53, 100);
    line(&d, &l);
    recover(&d, 0, &r);

    same_playlist(&d, &ref);
    assert_int_equal(r.nrenames, 0);
    assert_int_equal(r.recovered, 0);

    /* the same .part */

    l.part = 53;

    whole(&ref, 3);
    whole(&d, 2);
    journal(&d, 3, 0, 0);
    file(&d, MNT_FILE_PART, 53, 100);
    line(&d, &l);
    recover(&d, 0, &r);

    same_playlist(&d, &ref);
    assert_int_equal(r.nrenames, 1);
    assert_int_equal(r.recovered, 1);
}


/* any part of either text may be missing at its end */

static void
torn(void **state)
{
    disk_t          d, ref;
    size_t          i, head_len;
    mnt_recovery_t  r;

    (void) state;

    whole(&ref, 4);
    ref.playlist_len = 0;
    head(&ref, 2, 0);
    head_len = ref.playlist_len;
    whole(&ref, 4);

    for (i = 0; i < ref.playlist_len; i++) {
        d = ref;
        d.playlist_len = i;
        recover(&d, 0, &r);
        same_playlist(&d, &ref);
        assert_int_equal(r.window.next, 1005);

        /* zeros that a power cut left behind the end */
        d = ref;
        memset(d.playlist + i, 0, ref.playlist_len - i);
        recover(&d, 0, &r);
        same_playlist(&d, &ref);
    }

    for (i = 0; i < ref.journal_len; i++) {
        d = ref;
        d.journal_len = i;

        /* glue copies the whole lines only */
        while (d.journal_len && d.journal[d.journal_len - 1] != '\n') {
            d.journal_len--;
        }

        recover(&d, 0, &r);
        same_playlist(&d, &ref);
        assert_int_equal(r.segments, 4);
        assert_int_equal(r.bytes, 400);
        assert_int_equal(r.next_number, 5);
    }

    assert_int_equal(r.head_len, head_len);
}


/* RPO of "none": what is listed last came back empty, short or not at all */

static void
cut_at_the_end(void **state)
{
    disk_t          d, ref;
    size_t          i;
    mnt_recovery_t  r;

    (void) state;

    whole(&ref, 2);

    for (i = 0; i < 3; i++) {
        whole(&d, 4);
        d.files[2].size = 0;
        d.files[3].size = 99;

        if (i == 1) {
            d.nfiles = 3;

        } else if (i == 2) {
            d.nfiles = 2;
        }

        recover(&d, 0, &r);

        same_playlist(&d, &ref);
        assert_int_equal(r.dropped, 2);
        assert_int_equal(r.hole, 0);
        assert_int_equal(r.gaps, 0);

        /* they may still be had: the window does not know them */
        assert_int_equal(r.window.next, 1003);
        assert_int_equal(r.next_number, 5);
    }

    whole(&d, 2);
    d.nfiles = 0;
    recover(&d, 0, &r);

    assert_null(r.playlist.data);
    assert_int_equal(r.segments, 0);
    assert_int_equal(r.window.started, 0);
}


static void
hole(void **state)
{
    disk_t          d, ref;
    mnt_recovery_t  r;

    (void) state;

    whole(&d, 4);
    d.files[1].size = 0;
    recover(&d, 0, &r);

    memset(&ref, 0, sizeof(ref));
    head(&ref, 2, 0);
    entry(&ref, 1);
    text(&ref, "#EXT-X-DISCONTINUITY\n");
    entry(&ref, 3);
    entry(&ref, 4);

    same_playlist(&d, &ref);
    assert_int_equal(r.hole, 1);
    assert_int_equal(r.hole_us, 2000000);
    assert_int_equal(r.gaps, 1);
    assert_int_equal(r.lost_us, 2000000);
    assert_int_equal(r.discontinuous, 0);
    assert_int_equal(r.window.next, 1005);

    /* the journal was told, the playlist not yet: the same again */

    whole(&d, 4);
    d.files[1].size = 0;
    decide(&d, 0, &r);
    memcpy(d.journal + d.journal_len, r.lines.data, r.lines.len);
    d.journal_len += r.lines.len;
    decide(&d, 0, &r);
    assert_int_equal(r.lines.len, 0);
    assert_int_equal(r.gaps, 1);
    apply(&d, &r);
    same_playlist(&d, &ref);
}


static void
maps(void **state)
{
    disk_t          d, ref;
    mnt_recovery_t  r;

    (void) state;

    /* entries 2 to 4 are unlisted; 3 has another init, 4 a discontinuity */

    memset(&d, 0, sizeof(d));
    head(&d, 2, 1);
    init(&d, 1);
    file(&d, MNT_FILE_INIT, 1, 100);
    journal(&d, 1, 1, 0);
    file(&d, MNT_FILE_SEGMENT, 1, 100);
    text(&d, "#EXT-X-MAP:URI=\"init-1.mp4\"\n");
    entry(&d, 1);
    journal(&d, 2, 1, 0);
    file(&d, MNT_FILE_SEGMENT, 2, 100);
    init(&d, 2);
    file(&d, MNT_FILE_PART, 92, 100);
    journal(&d, 3, 2, 0);
    file(&d, MNT_FILE_PART, 53, 100);
    journal(&d, 4, 2, 1);
    file(&d, MNT_FILE_SEGMENT, 4, 100);

    recover(&d, 0, &r);

    memset(&ref, 0, sizeof(ref));
    head(&ref, 2, 1);
    text(&ref, "#EXT-X-MAP:URI=\"init-1.mp4\"\n");
    entry(&ref, 1);
    entry(&ref, 2);
    text(&ref, "#EXT-X-MAP:URI=\"init-2.mp4\"\n");
    entry(&ref, 3);
    text(&ref, "#EXT-X-DISCONTINUITY\n");
    entry(&ref, 4);

    same_playlist(&d, &ref);
    assert_int_equal(r.map, 2);
    assert_int_equal(r.has_map, 1);
    assert_int_equal(r.nrenames, 2);
    assert_int_equal(r.next_init, 3);
    assert_int_equal(r.ninits, 2);
    assert_int_equal(r.inits[1].number, 2);

    /* the entry that carried the second map goes: the next one carries it */

    d.files[0].size = 100;

    for (size_t i = 0; i < d.nfiles; i++) {
        if (d.files[i].kind == MNT_FILE_SEGMENT && d.files[i].number == 3) {
            d.files[i].size = 0;
        }
    }

    recover(&d, 0, &r);

    memset(&ref, 0, sizeof(ref));
    head(&ref, 2, 1);
    text(&ref, "#EXT-X-MAP:URI=\"init-1.mp4\"\n");
    entry(&ref, 1);
    entry(&ref, 2);
    text(&ref, "#EXT-X-MAP:URI=\"init-2.mp4\"\n");
    text(&ref, "#EXT-X-DISCONTINUITY\n");
    entry(&ref, 4);

    same_playlist(&d, &ref);
    assert_int_equal(r.map, 2);
}


static void
ended(void **state)
{
    disk_t          d, ref;
    mnt_recovery_t  r;

    (void) state;

    whole(&d, 2);
    ref = d;
    text(&d, "#EXT-X-ENDLIST\n");

    decide(&d, 0, &r);
    assert_int_equal(r.ended, 1);
    assert_int_equal(r.playlist.len, d.playlist_len);
    assert_memory_equal(r.playlist.data, d.playlist, d.playlist_len);

    decide(&d, 1, &r);
    assert_int_equal(r.ended, 1);
    assert_int_equal(r.discontinuous, 1);
    apply(&d, &r);
    same_playlist(&d, &ref);

    /* opened again without an entry in between: it is still to come */

    recover(&d, 1, &r);
    assert_int_equal(r.ended, 0);
    assert_int_equal(r.discontinuous, 1);

    journal(&d, 3, 0, 1);
    file(&d, MNT_FILE_SEGMENT, 3, 100);
    recover(&d, 1, &r);
    assert_int_equal(r.discontinuous, 0);
    text(&ref, "#EXT-X-DISCONTINUITY\n");
    entry(&ref, 3);
    same_playlist(&d, &ref);
}


static void
one_text_gone(void **state)
{
    disk_t              d, ref;
    mnt_recovery_t      r;
    mnt_journal_line_t  l;

    (void) state;

    whole(&ref, 3);

    d = ref;
    d.journal_len = 0;
    recover(&d, 0, &r);
    same_playlist(&d, &ref);
    assert_int_equal(r.segments, 3);
    assert_int_equal(r.bytes, 300);
    assert_int_equal(r.duration_us, 6000000);
    assert_int_equal(r.next_number, 4);
    assert_int_equal(r.window.started, 0);

    d = ref;
    d.playlist_len = 0;
    recover(&d, 0, &r);
    same_playlist(&d, &ref);
    assert_int_equal(r.recovered, 3);

    /* a longer segment that was not listed needs another head */

    d = ref;
    memset(&l, 0, sizeof(l));
    l.kind = MNT_JOURNAL_SEGMENT;
    l.number = 4;
    l.seen.date_ms = MNT_DATE_NONE;
    l.duration_us = 5600000;
    line(&d, &l);
    file(&d, MNT_FILE_SEGMENT, 4, 100);
    recover(&d, 0, &r);
    assert_int_equal(r.target_s, 6);
    assert_non_null(strstr(d.playlist, "#EXT-X-TARGETDURATION:6\n"));

    /* a file that nobody wrote down stays where it is */

    d = ref;
    file(&d, MNT_FILE_SEGMENT, 9, 100);
    recover(&d, 0, &r);
    same_playlist(&d, &ref);
    assert_int_equal(r.next_number, 10);
}


/* a gap and the reopening are told of by the journal alone */

static void
gaps(void **state)
{
    disk_t              d;
    mnt_recovery_t      r;
    mnt_journal_line_t  l;

    (void) state;

    whole(&d, 1);

    memset(&l, 0, sizeof(l));
    l.kind = MNT_JOURNAL_GAP;
    l.count = 3;
    l.duration_us = 6000000;
    l.reason = mnt_str_c("network");
    line(&d, &l);

    recover(&d, 0, &r);
    assert_int_equal(r.gaps, 1);
    assert_int_equal(r.lost_us, 6000000);
    assert_int_equal(r.discontinuous, 1);

    journal(&d, 2, 0, 1);
    file(&d, MNT_FILE_SEGMENT, 2, 100);
    recover(&d, 0, &r);
    assert_int_equal(r.discontinuous, 0);
    assert_int_equal(r.gaps, 1);
}


static size_t
last(const disk_t *d, mnt_journal_gap_t *gaps)
{
    mnt_str_t  s;

    s.data = d->journal;
    s.len = d->journal_len;

    return mnt_journal_gaps(s, gaps);
}


/* what a row says of a gap stands in the journal, too */

static void
last_gaps(void **state)
{
    disk_t              d;
    size_t              i;
    mnt_journal_gap_t   gaps[MNT_JOURNAL_GAPS];
    mnt_journal_line_t  l;

    (void) state;

    whole(&d, 2);

    assert_int_equal(last(&d, gaps), 0);

    memset(&l, 0, sizeof(l));
    l.kind = MNT_JOURNAL_GAP;
    l.count = 3;
    l.duration_us = 6000000;
    l.reason = mnt_str_c("network");
    line(&d, &l);
    journal(&d, 3, 0, 1);

    assert_int_equal(last(&d, gaps), 1);
    assert_int_equal(gaps[0].number, 1);
    assert_int_equal(gaps[0].count, 3);
    assert_int_equal(gaps[0].duration_us, 6000000);
    assert_int_equal(gaps[0].first, 1003);
    assert_int_equal(gaps[0].at_us, 4000000);
    assert_string_equal(gaps[0].reason, "network");

    /* a file that went away is no gap of the source, but has a number */

    l.kind = MNT_JOURNAL_LOST;
    l.number = 1;
    line(&d, &l);
    l.kind = MNT_JOURNAL_GAP;
    l.count = 1;
    l.reason = mnt_str_c("disk");
    line(&d, &l);

    for (i = 0; i < MNT_JOURNAL_GAPS; i++) {
        l.count = i + 1;
        l.reason = mnt_str_c("window");
        line(&d, &l);
        journal(&d, 4 + (unsigned) i, 0, 1);
    }

    assert_int_equal(last(&d, gaps), MNT_JOURNAL_GAPS);
    assert_int_equal(gaps[0].number, 3);
    assert_int_equal(gaps[0].count, 1);
    assert_int_equal(gaps[MNT_JOURNAL_GAPS - 1].number,
                     MNT_JOURNAL_GAPS + 2);
    assert_true(gaps[1].first > gaps[0].first);
    assert_true(gaps[1].at_us > gaps[0].at_us);
}


static int
setup(void **state)
{
    (void) state;
    mnt_arena_init(&arena, 64 * 1024 * 1024);
    return 0;
}


static int
teardown(void **state)
{
    (void) state;
    mnt_arena_free(&arena);
    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(whole_and_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(killed, setup, teardown),
        cmocka_unit_test_setup_teardown(served_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(torn, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_at_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(hole, setup, teardown),
        cmocka_unit_test_setup_teardown(maps, setup, teardown),
        cmocka_unit_test_setup_teardown(ended, setup, teardown),
        cmocka_unit_test_setup_teardown(one_text_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(gaps, setup, teardown),
        cmocka_unit_test_setup_teardown(last_gaps, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
