
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "hls/mnt_hls.h"
#include "hls/mnt_hls_live.h"


#define ENTRIES  300
#define BUF      (256 * 1024)
#define ROUNDS   400

#define HEAD     "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n" \
                 "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
#define SEG      "#EXTINF:4.000000,\n000001.ts\n"


/* a playlist as a recording has it, and where its entries end */

typedef struct {
    char             text[BUF];
    size_t           len;
    size_t           ends[ENTRIES];           /* behind entry i */
    unsigned         n;
} sample_t;


/* the same on every machine */

static uint64_t  seed;


static unsigned
chance(unsigned below)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;

    return (unsigned) (seed >> 33) % below;
}


static void
append(sample_t *s, const char *text)
{
    size_t  n;

    n = strlen(text);
    assert_true(s->len + n < sizeof(s->text));
    memcpy(s->text + s->len, text, n + 1);
    s->len += n;
}


/* sometimes a head that is not as ours begin */

static void
make_head(sample_t *s, unsigned maps, unsigned target)
{
    char  line[128];

    s->len = 0;
    s->n = 0;

    if (chance(3)) {
        s->len = mnt_hls_write_head(s->text, sizeof(s->text), target, maps);
        return;
    }

    append(s, "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-INDEPENDENT-SEGMENTS\n");
    (void) snprintf(line, sizeof(line), "#EXT-X-TARGETDURATION:%u\n"
                    "#EXT-X-MEDIA-SEQUENCE:%u\n"
                    "#EXT-X-DISCONTINUITY-SEQUENCE:%u\n\n# a comment\n",
                    target, chance(100000), chance(1000));
    append(s, line);
}


static void
make(sample_t *s)
{
    char             uri[32], map[32];
    unsigned         i, maps, dates, target;
    mnt_hls_entry_t  e;

    maps = chance(2);
    dates = chance(3);
    target = 1 + chance(6);

    make_head(s, maps, target);

    s->n = chance(4) ? chance(ENTRIES) + 1 : chance(5) + 1;

    for (i = 0; i < s->n; i++) {
        memset(&e, 0, sizeof(e));

        (void) snprintf(uri, sizeof(uri), "%06u.%s", i + 1,
                        maps ? "m4s" : "ts");
        e.uri = mnt_str_c(uri);

        if (maps && (i == 0 || chance(40) == 0)) {
            (void) snprintf(map, sizeof(map), "init-%u.mp4", i + 1);
            e.map_uri = mnt_str_c(map);
        }

        e.duration_us = 200000 + chance(target * 1000000 - 200000);
        e.date_ms = dates == 2 || (dates && chance(10) == 0)
                    ? 1790508525007 + i * 2000 : MNT_DATE_NONE;
        e.discontinuous = chance(25) == 0;
        e.gap = chance(30) == 0;

        s->len += mnt_hls_write_entry(&e, s->text + s->len,
                                      sizeof(s->text) - s->len);
        s->ends[i] = s->len;
    }
}


static mnt_str_t
piece(const sample_t *s, size_t from, size_t to)
{
    mnt_str_t  text;

    text.data = s->text + from;
    text.len = to - from;

    return text;
}


static void
same(const mnt_hls_live_t *a, const mnt_hls_live_t *b)
{
    assert_memory_equal(&a->at, &b->at, sizeof(a->at));
    assert_int_equal(a->n, b->n);

    if (a->n) {
        assert_memory_equal(a->marks, b->marks, a->n * sizeof(*a->marks));
    }

    assert_int_equal(a->version, b->version);
    assert_int_equal(a->target_s, b->target_s);
    assert_int_equal(a->sequence, b->sequence);
    assert_int_equal(a->discontinuity, b->discontinuity);
    assert_int_equal(a->independent, b->independent);
    assert_int_equal(a->event, b->event);
    assert_int_equal(a->foreign, 0);
}


/* however a file grows, what is known of it is the same */

static void
pieces(void **state)
{
    size_t           at;
    sample_t        *s;
    unsigned         i, whole;
    mnt_hls_live_t   once, grown;

    (void) state;
    seed = 1;
    s = malloc(sizeof(sample_t));
    assert_non_null(s);

    for (i = 0; i < ROUNDS; i++) {
        make(s);
        mnt_hls_live_init(&grown);

        for (at = 0; at < s->len; ) {
            at += 1 + chance(chance(4) ? 200 : 9000);

            if (at > s->len) {
                at = s->len;
            }

            assert_int_equal(mnt_hls_live_read(&grown,
                                     piece(s, grown.at.offset, at)), 0);

            /* the torn tail is not taken */

            for (whole = 0; whole < s->n && s->ends[whole] <= at; whole++) {
                /* void */
            }

            assert_int_equal(grown.at.entries, whole);
            assert_int_equal(grown.at.offset, whole ? s->ends[whole - 1] : 0);
        }

        mnt_hls_live_init(&once);
        assert_int_equal(mnt_hls_live_read(&once, piece(s, 0, s->len)), 0);
        same(&grown, &once);
        assert_true(mnt_hls_live_shown(&once));
        assert_int_equal(once.ended, 0);

        append(s, "#EXT-X-ENDLIST\n");
        assert_int_equal(mnt_hls_live_read(&once,
                                 piece(s, once.at.offset, s->len)), 0);
        assert_int_equal(once.ended, 1);
        assert_int_equal(once.at.offset, s->len);
        assert_int_equal(once.at.entries, s->n);

        mnt_hls_live_free(&once);
        mnt_hls_live_free(&grown);
    }

    free(s);
}


/* the text of a view, as it is served */

static mnt_str_t
show(const sample_t *s, const mnt_hls_live_t *live, mnt_hls_view_e view,
    int64_t span_us, char *buf, mnt_hls_mark_t *first)
{
    size_t                 n;
    mnt_str_t              text, map = mnt_str_null;
    const mnt_hls_mark_t  *mark;

    mark = mnt_hls_live_mark(live, span_us);
    assert_non_null(mark);

    /* the entries up to the next mark are enough to find it */

    mnt_hls_live_first(live, mark,
                       piece(s, mark->offset, mnt_hls_live_until(live, mark)),
                       span_us, first);

    assert_true(first->offset < mnt_hls_live_until(live, mark));

    if (view == MNT_HLS_VIEW_WINDOW && first->map_len) {
        map = piece(s, first->map_offset, first->map_offset + first->map_len);
    }

    n = mnt_hls_live_head(live, view, first, map, buf, BUF);
    assert_true(n < MNT_HLS_LIVE_HEAD + map.len);

    memcpy(buf + n, s->text + first->offset, live->at.offset - first->offset);

    text.data = buf;
    text.len = n + live->at.offset - first->offset;

    return text;
}


static void
segment_equal(const mnt_hls_segment_t *a, const mnt_hls_segment_t *b)
{
    assert_true(mnt_str_eq(a->uri, b->uri));
    assert_true(mnt_str_eq(a->date_text, b->date_text));
    assert_true(a->duration_us == b->duration_us);
    assert_true(a->sequence == b->sequence);
    assert_true(a->discontinuity == b->discontinuity);
    assert_int_equal(a->discontinuous, b->discontinuous);
    assert_int_equal(a->gap, b->gap);
}


static void
map_equal(const mnt_hls_map_t *a, const mnt_hls_map_t *b)
{
    assert_int_equal(a == NULL, b == NULL);

    if (a) {
        assert_true(mnt_str_eq(a->uri, b->uri));
    }
}


/* the first one is the last that reaches into the span */

static void
spans(const mnt_hls_playlist_t *whole, unsigned first, int64_t span_us)
{
    int64_t   us;
    unsigned  i;

    us = 0;

    for (i = first + 1; i < whole->nsegments; i++) {
        us += whole->segments[i].duration_us;
    }

    assert_true(us < span_us);
    assert_true(first == 0 || us + whole->segments[first].duration_us
                              >= span_us);
}


/* a delta behind the entries of before is the whole */

static void
deltas_of(mnt_arena_t *a, const sample_t *s, const mnt_hls_live_t *live,
    const mnt_hls_playlist_t *whole, char *buf)
{
    int64_t              span_us;
    unsigned             i, k;
    mnt_str_t            text;
    mnt_hls_map_t       *map;
    mnt_hls_mark_t       first;
    mnt_hls_playlist_t   p;

    span_us = (int64_t) mnt_hls_live_skip_s(live) * 1000000;
    assert_true(mnt_hls_live_skip_s(live) >= 6 * whole->target_duration_s);

    text = show(s, live, MNT_HLS_VIEW_DELTA, span_us, buf, &first);
    assert_int_equal(mnt_hls_parse(a, text, &p), MNT_HLS_OK);

    k = (unsigned) first.entries;

    assert_int_equal(p.has_skip, k > 0);
    assert_int_equal(p.skipped, k);
    assert_int_equal(p.version, k ? 9 : whole->version);
    assert_int_equal(p.nsegments, whole->nsegments - k);
    assert_int_equal(p.media_sequence, whole->media_sequence);
    assert_int_equal(p.discontinuity_sequence, whole->discontinuity_sequence);
    assert_int_equal(p.target_duration_s, whole->target_duration_s);
    assert_int_equal(p.type, whole->type);
    assert_int_equal(p.independent_segments, whole->independent_segments);

    map = k ? whole->segments[k - 1].map : NULL;

    for (i = 0; i < p.nsegments; i++) {

        /* numbers of discontinuities are counted on from what was skipped */

        if (k) {
            p.segments[i].discontinuity += whole->segments[k - 1].discontinuity
                                           - whole->discontinuity_sequence;
        }

        segment_equal(&p.segments[i], &whole->segments[k + i]);

        if (p.segments[i].map) {
            map = p.segments[i].map;
        }

        map_equal(map, whole->segments[k + i].map);
    }

    spans(whole, k, span_us);
}


/* a window is the last segments as they are */

static void
windows_of(mnt_arena_t *a, const sample_t *s, const mnt_hls_live_t *live,
    const mnt_hls_playlist_t *whole, char *buf)
{
    int64_t              span_us;
    unsigned             i, k;
    mnt_str_t            text;
    mnt_hls_mark_t       first;
    mnt_hls_playlist_t   p;

    span_us = (1 + (int64_t) chance(chance(2) ? 60 : 900)) * 1000000;

    text = show(s, live, MNT_HLS_VIEW_WINDOW, span_us, buf, &first);
    assert_int_equal(mnt_hls_parse(a, text, &p), MNT_HLS_OK);

    k = (unsigned) first.entries;

    assert_int_equal(p.has_skip, 0);
    assert_int_equal(p.nsegments, whole->nsegments - k);
    assert_int_equal(p.media_sequence, whole->media_sequence + k);
    assert_int_equal(p.type, MNT_HLS_TYPE_NONE);
    assert_int_equal(p.endlist, whole->endlist);
    assert_int_equal(p.version, whole->version);

    for (i = 0; i < p.nsegments; i++) {
        segment_equal(&p.segments[i], &whole->segments[k + i]);
        map_equal(p.segments[i].map, whole->segments[k + i].map);
    }

    spans(whole, k, span_us);
}


static void
views(void **state)
{
    char                *buf;
    size_t               cut;
    sample_t            *s;
    unsigned             i;
    mnt_arena_t          a;
    mnt_hls_live_t       live;
    mnt_hls_playlist_t   whole;

    (void) state;
    seed = 2;
    s = malloc(sizeof(sample_t));
    buf = malloc(BUF);
    assert_non_null(s);
    assert_non_null(buf);

    for (i = 0; i < ROUNDS; i++) {
        make(s);

        if (chance(10) == 0) {
            append(s, "#EXT-X-ENDLIST\n");
        }

        /* cut within an entry, too */

        cut = chance(3) ? s->len
              : s->ends[0] + chance((unsigned) (s->len - s->ends[0]) + 1);

        mnt_hls_live_init(&live);
        assert_int_equal(mnt_hls_live_read(&live, piece(s, 0, cut)), 0);
        assert_true(mnt_hls_live_shown(&live));

        mnt_arena_init(&a, 64 * 1024 * 1024);
        assert_int_equal(mnt_hls_parse(&a, piece(s, 0, live.at.offset),
                                       &whole), MNT_HLS_OK);
        assert_int_equal(whole.nsegments, live.at.entries);

        if (!live.ended) {
            deltas_of(&a, s, &live, &whole, buf);
        }

        windows_of(&a, s, &live, &whole, buf);

        mnt_arena_free(&a);
        mnt_hls_live_free(&live);
    }

    free(buf);
    free(s);
}


/* ten hours: what a reload takes, and what is kept in memory */

static void
ten_hours(void **state)
{
    char             *text, buf[BUF / 64];
    size_t            len, n;
    unsigned          i;
    mnt_str_t         s, none = mnt_str_null;
    mnt_hls_live_t    live;
    mnt_hls_mark_t    first;
    mnt_hls_entry_t   e;

    const mnt_hls_mark_t  *mark;

    (void) state;
    text = malloc(4 * 1024 * 1024);
    assert_non_null(text);

    len = mnt_hls_write_head(text, 1024, 2, 0);
    memset(&e, 0, sizeof(e));
    e.duration_us = 2000000;

    for (i = 0; i < 18000; i++) {
        (void) snprintf(buf, sizeof(buf), "%06u.ts", i + 1);
        e.uri = mnt_str_c(buf);
        e.date_ms = 1790508525007 + i * (int64_t) 2000;
        len += mnt_hls_write_entry(&e, text + len, 1024);
    }

    s.data = text;
    s.len = len;

    mnt_hls_live_init(&live);
    assert_int_equal(mnt_hls_live_read(&live, s), 0);
    assert_int_equal(live.at.entries, 18000);
    assert_true(live.room * sizeof(mnt_hls_mark_t) <= 24576);

    mark = mnt_hls_live_mark(&live, 18000000);
    s.data = text + mark->offset;
    s.len = (size_t) (live.at.offset - mark->offset);
    mnt_hls_live_first(&live, mark, s, 18000000, &first);

    assert_int_equal(first.entries, 18000 - 9);

    n = mnt_hls_live_head(&live, MNT_HLS_VIEW_DELTA, &first, none, buf,
                          sizeof(buf));
    n += (size_t) (live.at.offset - first.offset);

    assert_in_range(n, 500, 1500);

    mnt_hls_live_free(&live);
    free(text);
}


static void
heads(void **state)
{
    char             buf[MNT_HLS_LIVE_HEAD];
    size_t           i, n;
    mnt_str_t        none = mnt_str_null;
    mnt_hls_live_t   live;
    mnt_hls_mark_t   first;

    static const struct {
        const char      *name;
        mnt_hls_view_e   view;
        unsigned         skip;                /* of three entries */
        const char      *map;
        const char      *want;
    } rows[] = {
        { "whole", MNT_HLS_VIEW_WHOLE, 0, NULL,
          "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n"
          "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24.0\n"
          "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n" },
        { "delta", MNT_HLS_VIEW_DELTA, 2, NULL,
          "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:4\n"
          "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24.0\n"
          "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n"
          "#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n" },
        { "delta of a short one", MNT_HLS_VIEW_DELTA, 0, NULL,
          "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n"
          "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24.0\n"
          "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n" },
        { "window", MNT_HLS_VIEW_WINDOW, 2, "#EXT-X-MAP:URI=\"i.mp4\"\n",
          "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:4\n"
          "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24.0\n"
          "#EXT-X-MEDIA-SEQUENCE:2\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n"
          "#EXT-X-MAP:URI=\"i.mp4\"\n" }
    };

    (void) state;
    mnt_hls_live_init(&live);
    assert_int_equal(mnt_hls_live_read(&live,
                         S(HEAD SEG "#EXT-X-DISCONTINUITY\n" SEG SEG)), 0);

    for (i = 0; i < mnt_test_count(rows); i++) {
        first = live.marks[0];
        first.entries = rows[i].skip;
        first.discontinuities = rows[i].skip ? 1 : 0;

        n = mnt_hls_live_head(&live, rows[i].view, &first,
                              rows[i].map ? mnt_str_c(rows[i].map) : none,
                              buf, sizeof(buf));

        mnt_test_i64((int64_t) n, (int64_t) strlen(rows[i].want),
                     rows[i].name, "length");
        mnt_test_ok(memcmp(buf, rows[i].want, n) == 0, rows[i].name,
                    "other text");

        /* without the room the length is told, and nothing is written there */

        mnt_test_i64((int64_t) mnt_hls_live_head(&live, rows[i].view, &first,
                          rows[i].map ? mnt_str_c(rows[i].map) : none, NULL,
                          0), (int64_t) n, rows[i].name, "length alone");
    }

    mnt_hls_live_free(&live);
}


/* these have no views */

static void
foreign(void **state)
{
    size_t          i;
    mnt_hls_live_t  live;

    static const struct {
        const char  *text;
        int          shown;                   /* 2: multivariant */
    } rows[] = {
        { HEAD SEG, 1 },
        { HEAD, 0 },
        { "", 0 },
        { "#EXTM3U\n" SEG, 0 },
        { "#EXTM3U\n#EXT-X-TARGETDURATION:4\n" SEG, 0 },
        { "#EXTM3U\n#EXT-X-VERSION:6\n" SEG, 0 },
        { "#EXTM3U\n#EXT-X-VERSION:x\n#EXT-X-TARGETDURATION:4\n" SEG, 0 },
        { "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo.m3u8\n", 2 },
        { "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI=\"a.m3u8\"\n", 2 },
        { HEAD SEG "#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo.m3u8\n", 0 },
        { HEAD "#EXT-X-KEY:METHOD=NONE\n" SEG, 0 },
        { HEAD "#EXT-X-BYTERANGE:1@0\n" SEG, 0 },
        { HEAD "#EXT-X-PART:DURATION=1,URI=\"p\"\n" SEG, 0 },
        { HEAD "#EXT-X-SKIP:SKIPPED-SEGMENTS=3\n" SEG, 0 },
        { HEAD "#EXT-X-SOMETHING-NEW\n" SEG, 0 },
        { HEAD "#EXTINF:nan,\na.ts\n", 0 },
        { HEAD "#EXTINF:3601,\na.ts\n", 0 },
        { HEAD "#EXTINF:4,\r\na.ts\r\n", 0 },
        { HEAD "\001\n" SEG, 0 },
        { HEAD " #EXT-X-DISCONTINUITY-SEQUENCE:1\n" SEG, 0 },
        { HEAD "#EXT-X-GAP\n#EXT-X-DISCONTINUITY-SEQUENCE:1\n" SEG, 0 },
        { HEAD SEG "#EXT-X-SOMETHING-NEW\n" SEG, 0 },
        { HEAD SEG "#a comment\n\n" SEG, 1 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        mnt_hls_live_init(&live);
        mnt_test_i64(mnt_hls_live_read(&live, mnt_str_c(rows[i].text)), 0,
                     rows[i].text, "read");
        mnt_test_i64(mnt_hls_live_shown(&live), rows[i].shown == 1,
                     rows[i].text, "shown");
        mnt_test_i64(live.multivariant, rows[i].shown == 2, rows[i].text,
                     "multivariant");
        mnt_hls_live_free(&live);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(pieces),
        cmocka_unit_test(views),
        cmocka_unit_test(ten_hours),
        cmocka_unit_test(heads),
        cmocka_unit_test(foreign)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
