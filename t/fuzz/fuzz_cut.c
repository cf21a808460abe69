
/*
 * Copyright (C) the mntreamer authors
 *
 * What is kept beside a playlist, a line "--", and the playlist.  What is read
 * of the first is read again when it is written; what our reader takes for a
 * media playlist is one without the entries that a span hides, and has them
 * all when none does.
 */


#include "mnt_fuzz.h"

#include "hls/mnt_hls.h"
#include "hls/mnt_hls_cut.h"


#define ARENA  (8 * 1024 * 1024)


static void
again(const mnt_hls_cuts_t *cuts)
{
    char            *file;
    size_t           i, n;
    mnt_str_t        s;
    mnt_hls_cuts_t   copy, grown;

    memset(&grown, 0, sizeof(grown));

    for (i = 0; i < cuts->n; i++) {
        mnt_fuzz_hold(i == 0 || cuts->spans[i].begin_us
                                > cuts->spans[i - 1].end_us);

        /* from behind */

        n = cuts->n - 1 - i;
        mnt_fuzz_hold(mnt_hls_cuts_add(&grown, cuts->spans[n].begin_us,
                                       cuts->spans[n].end_us));
    }

    n = mnt_hls_cuts_write(cuts, NULL, 0);
    file = malloc(n + 1);
    mnt_fuzz_hold(file != NULL);
    mnt_fuzz_hold(mnt_hls_cuts_write(cuts, file, n + 1) == n);

    s.data = file;
    s.len = n;

    mnt_fuzz_hold(mnt_hls_cuts_read(&copy, s) == 0);
    mnt_fuzz_hold(copy.version == cuts->version && copy.n == cuts->n
                  && grown.n == cuts->n);

    for (i = 0; i < cuts->n; i++) {
        mnt_fuzz_hold(memcmp(&copy.spans[i], &cuts->spans[i],
                             sizeof(mnt_hls_span_t)) == 0);
        mnt_fuzz_hold(memcmp(&grown.spans[i], &cuts->spans[i],
                             sizeof(mnt_hls_span_t)) == 0);
    }

    mnt_hls_cuts_free(&copy);
    mnt_hls_cuts_free(&grown);
    free(file);
}


/* the holes of a playlist are what it leaves out itself */

static void
holes(const mnt_hls_cuts_t *cuts, mnt_str_t text, const mnt_hls_cut_t *cut)
{
    size_t          i;
    int64_t         us;
    mnt_hls_cut_t   once;
    mnt_hls_cuts_t  of;

    mnt_fuzz_hold(mnt_hls_cut_holes(cuts, text, &of, &once) == 0);
    mnt_fuzz_hold(memcmp(&once, cut, sizeof(once)) == 0);
    mnt_fuzz_hold(of.version == cuts->version);

    for (i = 0, us = 0; i < of.n; i++) {
        us += of.spans[i].end_us - of.spans[i].begin_us;
    }

    mnt_fuzz_hold(us == cut->hidden_us);

    again(&of);
    mnt_hls_cuts_free(&of);
}


static void
parsed(mnt_str_t text, mnt_str_t shown, const mnt_hls_cut_t *cut)
{
    mnt_arena_t         a;
    mnt_hls_playlist_t  p, whole;

    mnt_arena_init(&a, ARENA);

    if (mnt_hls_parse(&a, text, &whole) == MNT_HLS_OK
        && whole.kind == MNT_HLS_MEDIA && cut->entries == whole.nsegments
        && mnt_hls_parse(&a, shown, &p) == MNT_HLS_OK)
    {
        mnt_fuzz_hold(p.nsegments == whole.nsegments - cut->hidden);
        mnt_fuzz_hold(p.endlist == whole.endlist);
        mnt_fuzz_hold(p.target_duration_s == whole.target_duration_s);
    }

    mnt_arena_free(&a);
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    char            *buf;
    size_t           i, n;
    mnt_str_t        text, file, shown;
    mnt_hls_cut_t    cut;
    mnt_hls_cuts_t   cuts;

    text = mnt_fuzz_str(in, len);
    file = text;

    for (i = 0; i + 4 <= len; i++) {
        if (memcmp(in + i, "\n--\n", 4) == 0) {
            file.len = i + 1;
            text.data += i + 4;
            text.len -= i + 4;
            break;
        }
    }

    if (mnt_hls_cuts_read(&cuts, file) != 0) {
        mnt_fuzz_hold(cuts.n == 0 && cuts.spans == NULL);
        return 0;
    }

    again(&cuts);

    n = text.len + cuts.n * MNT_HLS_CUT_HOLE + 1;
    buf = malloc(n);
    mnt_fuzz_hold(buf != NULL);

    shown.data = buf;
    shown.len = mnt_hls_cut(&cuts, text, buf, n, &cut);

    mnt_fuzz_hold(shown.len < n);
    mnt_fuzz_hold(cut.hidden <= cut.entries);
    mnt_fuzz_hold(cut.hidden_us <= cut.duration_us);

    /* without a hole its entries are what they were */

    n = shown.len - (cut.ended ? sizeof("#EXT-X-ENDLIST") : 0);

    mnt_fuzz_hold(cut.foreign || cut.hidden || memcmp(buf, text.data, n) == 0);

    /* lines that are not whole are of something that is being written */

    if (!cut.foreign) {
        holes(&cuts, text, &cut);
    }

    if (!cut.foreign && text.len && text.data[text.len - 1] == '\n') {
        parsed(text, shown, &cut);
    }

    free(buf);
    mnt_hls_cuts_free(&cuts);

    return 0;
}
