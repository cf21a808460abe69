
/*
 * Copyright (C) the mntreamer authors
 *
 * The first two bytes say where the file is cut and how long a span is; the
 * rest is the file.  Read in two pieces it is the same as at once; a view
 * begins at an entry of it; what our reader takes for a media playlist is
 * one in all views, with the segments that it has.  Its addresses get a query
 * alike, in whatever pieces it comes.
 */


#include "mnt_fuzz.h"

#include "hls/mnt_hls.h"
#include "hls/mnt_hls_live.h"
#include "hls/mnt_hls_query.h"


#define ARENA  (8 * 1024 * 1024)


static mnt_str_t
part(mnt_str_t text, uint64_t from, uint64_t to)
{
    mnt_str_t  s;

    mnt_fuzz_hold(from <= to && to <= text.len);

    s.data = text.data + from;
    s.len = (size_t) (to - from);

    return s;
}


static void
read_in_two(const mnt_hls_live_t *once, mnt_str_t text, size_t cut)
{
    mnt_hls_live_t  live;

    mnt_hls_live_init(&live);
    mnt_fuzz_hold(mnt_hls_live_read(&live, part(text, 0, cut)) == 0);
    mnt_fuzz_hold(live.at.offset <= cut);

    if (!live.foreign) {
        mnt_fuzz_hold(mnt_hls_live_read(&live, part(text, live.at.offset,
                                                    text.len)) == 0);
    }

    mnt_fuzz_hold(live.foreign == once->foreign);
    mnt_fuzz_hold(memcmp(&live.at, &once->at, sizeof(live.at)) == 0
                  || live.foreign);
    mnt_fuzz_hold(live.n == once->n || live.foreign);

    mnt_hls_live_free(&live);
}


/* the text of a view is a playlist with the last segments of the whole */

static void
view(const mnt_hls_live_t *live, mnt_str_t text, mnt_hls_view_e kind,
    int64_t span_us)
{
    char                  *buf;
    size_t                 n, rest;
    mnt_str_t              s, map = mnt_str_null;
    mnt_arena_t            a;
    mnt_hls_rc_e           rc;
    mnt_hls_mark_t         first;
    mnt_hls_playlist_t     p, whole;

    const mnt_hls_mark_t  *mark;

    mark = mnt_hls_live_mark(live, span_us);
    mnt_fuzz_hold(mark != NULL);

    mnt_hls_live_first(live, mark, part(text, mark->offset,
                                        mnt_hls_live_until(live, mark)),
                       span_us, &first);

    mnt_fuzz_hold(first.offset >= mark->offset
                  && first.offset < live->at.offset
                  && first.entries < live->at.entries);

    if (kind == MNT_HLS_VIEW_WINDOW && first.map_len) {
        map = part(text, first.map_offset, first.map_offset + first.map_len);
        mnt_fuzz_hold(mnt_str_starts(map, "#EXT-X-MAP:"));
    }

    n = mnt_hls_live_head(live, kind, &first, map, NULL, 0);
    mnt_fuzz_hold(n < MNT_HLS_LIVE_HEAD + map.len);

    rest = (size_t) (live->at.offset - first.offset);
    buf = malloc(n + 1 + rest);
    mnt_fuzz_hold(buf != NULL);
    mnt_fuzz_hold(mnt_hls_live_head(live, kind, &first, map, buf, n + 1) == n);
    memcpy(buf + n, text.data + first.offset, rest);

    s.data = buf;
    s.len = n + rest;

    mnt_arena_init(&a, ARENA);

    if (mnt_hls_parse(&a, part(text, 0, live->at.offset), &whole)
        == MNT_HLS_OK && whole.kind == MNT_HLS_MEDIA)
    {
        rc = mnt_hls_parse(&a, s, &p);

        mnt_fuzz_hold(rc == MNT_HLS_OK || rc == MNT_HLS_NO_MEMORY
                      || rc == MNT_HLS_BAD_NUMBER || rc == MNT_HLS_TOO_LARGE);

        if (rc == MNT_HLS_OK) {
            mnt_fuzz_hold(p.nsegments == live->at.entries - first.entries);
            mnt_fuzz_hold(p.endlist == whole.endlist);
            mnt_fuzz_hold(p.skipped == (kind == MNT_HLS_VIEW_DELTA
                                        ? first.entries : 0));
            mnt_fuzz_hold(p.segments[p.nsegments - 1].sequence
                          == whole.segments[whole.nsegments - 1].sequence);
        }
    }

    mnt_arena_free(&a);
    free(buf);
}


static size_t
queried(mnt_str_t one, mnt_str_t two, char *buf, size_t size, size_t room)
{
    size_t           n;
    mnt_str_t        none = mnt_str_null, query = { 8, "window=9" };
    mnt_hls_query_t  q;

    mnt_hls_query_init(&q, query);
    n = 0;

    while (one.len) {
        n += mnt_hls_query_put(&q, &one, buf + n, room);
        mnt_fuzz_hold(n + room <= size);
    }

    while (two.len) {
        n += mnt_hls_query_put(&q, &two, buf + n, room);
        mnt_fuzz_hold(n + room <= size);
    }

    return n + mnt_hls_query_put(&q, &none, buf + n, room);
}


/* in two pieces, and into small ones, it is the same as at once */

static void
queries(mnt_str_t text, size_t cut)
{
    char    *once, *twice;
    size_t   n, size;

    size = 10 * text.len + 64;

    once = malloc(2 * size);
    twice = malloc(2 * size);
    mnt_fuzz_hold(once != NULL && twice != NULL);

    n = queried(text, part(text, text.len, text.len), once, 2 * size, size);

    mnt_fuzz_hold(n >= text.len && n < size);
    mnt_fuzz_hold(queried(part(text, 0, cut), part(text, cut, text.len),
                          twice, 2 * size, 16)
                  == n);
    mnt_fuzz_hold(memcmp(once, twice, n) == 0);

    free(once);
    free(twice);
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    size_t           cut;
    mnt_str_t        text;
    mnt_hls_live_t   live;

    if (len < 2) {
        return 0;
    }

    text = mnt_fuzz_str(in + 2, len - 2);
    cut = text.len * in[0] / 255;

    mnt_hls_live_init(&live);
    mnt_fuzz_hold(mnt_hls_live_read(&live, text) == 0);
    mnt_fuzz_hold(live.at.offset <= text.len);

    read_in_two(&live, text, cut);

    if (mnt_hls_live_shown(&live)) {
        mnt_fuzz_hold(mnt_hls_live_skip_s(&live) >= 6 * live.target_s);

        view(&live, text, MNT_HLS_VIEW_DELTA,
             (int64_t) mnt_hls_live_skip_s(&live) * 1000000);
        view(&live, text, MNT_HLS_VIEW_WINDOW, (int64_t) (in[1] + 1) * 500000);
    }

    mnt_hls_live_free(&live);
    queries(text, cut);

    return 0;
}
