
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_hls_cut.h"
#include "mnt_hls_live_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define MNT_HLS_CUT_HEAD  "#MNTREAMER-CUTS:"
#define MNT_HLS_CUT_END   "#END"
#define MNT_HLS_CUT_DATE  "#EXT-X-PROGRAM-DATE-TIME:"


/* what is done with the lines of one playlist */

typedef struct {
    const mnt_hls_cuts_t  *cuts;
    mnt_str_t              text;
    char                  *buf;
    size_t                 size;
    size_t                 len;
    size_t                 span;              /* the next that may hide */
    mnt_hls_mark_t         m;                 /* behind the line */
    size_t                 begin;             /* of the entry */
    int64_t                begin_us;
    int64_t                date_ms;           /* of an entry lately, */
    int64_t                date_us;           /* which begins there */
    mnt_str_t              map;               /* in force, not written yet */
    mnt_hls_cut_t         *cut;
    mnt_hls_cuts_t        *holes;             /* NULL: nobody wants them */
    unsigned               failed:1;          /* memory was gone for these */
    unsigned               has_map:1;         /* the entry says its own */
    unsigned               has_date:1;
    unsigned               hole:1;            /* the one before is hidden */
    unsigned               shown:1;           /* some entry was written */
} mnt_hls_cutting_t;


static int mnt_hls_cuts_line(mnt_hls_cuts_t *cuts, mnt_str_t line);
static int mnt_hls_cuts_push(mnt_hls_cuts_t *cuts, int64_t begin_us,
    int64_t end_us);
static void mnt_hls_cut_lines(mnt_hls_cutting_t *c);
static void mnt_hls_cut_tag(mnt_hls_cutting_t *c, mnt_str_t line);
static void mnt_hls_cut_entry(mnt_hls_cutting_t *c, size_t next);
static int mnt_hls_cut_hides(mnt_hls_cutting_t *c);
static void mnt_hls_cut_resume(mnt_hls_cutting_t *c, size_t next);
static void mnt_hls_cut_put(mnt_hls_cutting_t *c, size_t from, size_t to);
static void mnt_hls_cut_puts(mnt_hls_cutting_t *c, const char *s);


int
mnt_hls_cuts_read(mnt_hls_cuts_t *cuts, mnt_str_t text)
{
    size_t     i, next;
    mnt_str_t  line, value;

    memset(cuts, 0, sizeof(mnt_hls_cuts_t));

    next = mnt_hls_live_line(text, 0, &line);

    if (next == 0
        || !mnt_hls_live_value(line, MNT_HLS_CUT_HEAD, &value)
        || mnt_str_u64(value, &cuts->version) != 0)
    {
        return -1;
    }

    for (i = next; ; i = next) {

        next = mnt_hls_live_line(text, i, &line);

        if (next && mnt_str_eqc(line, MNT_HLS_CUT_END)) {
            return 0;
        }

        if (next == 0 || mnt_hls_cuts_line(cuts, line) != 0) {
            mnt_hls_cuts_free(cuts);
            return -1;
        }
    }
}


static int
mnt_hls_cuts_line(mnt_hls_cuts_t *cuts, mnt_str_t line)
{
    int64_t      begin, end;
    mnt_str_t    left, right;
    const char  *space;

    space = memchr(line.data, ' ', line.len);

    if (space == NULL) {
        return -1;
    }

    left.data = line.data;
    left.len = (size_t) (space - line.data);
    right.data = space + 1;
    right.len = line.len - left.len - 1;

    if (mnt_str_i64(left, &begin) != 0 || mnt_str_i64(right, &end) != 0
        || begin < 0 || end <= begin
        || (cuts->n && begin < cuts->spans[cuts->n - 1].begin_us))
    {
        return -1;
    }

    return mnt_hls_cuts_push(cuts, begin, end);
}


/* one that touches the last one becomes part of it */

static int
mnt_hls_cuts_push(mnt_hls_cuts_t *cuts, int64_t begin_us, int64_t end_us)
{
    mnt_hls_span_t  *last, *spans;

    last = cuts->n ? &cuts->spans[cuts->n - 1] : NULL;

    if (last && begin_us <= last->end_us) {
        if (end_us > last->end_us) {
            last->end_us = end_us;
        }

        return 0;
    }

    /* as many as are a power of two have no room left */

    if ((cuts->n & (cuts->n - 1)) == 0) {
        spans = realloc(cuts->spans, (cuts->n ? 2 * cuts->n : 1)
                                     * sizeof(mnt_hls_span_t));
        if (spans == NULL) {
            return -1;
        }

        cuts->spans = spans;
    }

    cuts->spans[cuts->n].begin_us = begin_us;
    cuts->spans[cuts->n].end_us = end_us;
    cuts->n++;

    return 0;
}


int
mnt_hls_cuts_add(mnt_hls_cuts_t *cuts, int64_t begin_us, int64_t end_us)
{
    size_t           i;
    unsigned         added;
    mnt_hls_cuts_t   all;
    mnt_hls_span_t   s;

    memset(&all, 0, sizeof(mnt_hls_cuts_t));
    all.version = cuts->version;

    added = 0;
    i = 0;

    while (i < cuts->n || !added) {

        if (!added && (i == cuts->n || begin_us <= cuts->spans[i].begin_us)) {
            s.begin_us = begin_us;
            s.end_us = end_us;
            added = 1;

        } else {
            s = cuts->spans[i++];
        }

        if (mnt_hls_cuts_push(&all, s.begin_us, s.end_us) != 0) {
            mnt_hls_cuts_free(&all);
            return 0;
        }
    }

    mnt_hls_cuts_free(cuts);
    *cuts = all;

    return 1;
}


size_t
mnt_hls_cuts_write(const mnt_hls_cuts_t *cuts, char *buf, size_t size)
{
    char       line[64];
    size_t     i, len;
    mnt_str_t  s;

    len = 0;

    s.data = line;
    s.len = (size_t) snprintf(line, sizeof(line),
                              MNT_HLS_CUT_HEAD "%" PRIu64 "\n",
                              cuts->version);
    mnt_hls_live_put(buf, size, &len, s);

    for (i = 0; i < cuts->n; i++) {
        s.len = (size_t) snprintf(line, sizeof(line),
                                  "%" PRId64 " %" PRId64 "\n",
                                  cuts->spans[i].begin_us,
                                  cuts->spans[i].end_us);
        mnt_hls_live_put(buf, size, &len, s);
    }

    mnt_hls_live_put(buf, size, &len, mnt_str_c(MNT_HLS_CUT_END "\n"));

    return len;
}


void
mnt_hls_cuts_free(mnt_hls_cuts_t *cuts)
{
    free(cuts->spans);
    cuts->spans = NULL;
    cuts->n = 0;
}


size_t
mnt_hls_cut(const mnt_hls_cuts_t *cuts, mnt_str_t text, char *buf, size_t size,
    mnt_hls_cut_t *cut)
{
    mnt_hls_cutting_t  c;

    memset(&c, 0, sizeof(mnt_hls_cutting_t));

    c.cuts = cuts;
    c.text = text;
    c.buf = buf;
    c.size = size;
    c.cut = cut;

    mnt_hls_cut_lines(&c);

    return c.len;
}


int
mnt_hls_cut_holes(const mnt_hls_cuts_t *cuts, mnt_str_t text,
    mnt_hls_cuts_t *holes, mnt_hls_cut_t *cut)
{
    mnt_hls_cutting_t  c;

    memset(&c, 0, sizeof(mnt_hls_cutting_t));
    memset(holes, 0, sizeof(mnt_hls_cuts_t));

    c.cuts = cuts;
    c.text = text;
    c.cut = cut;
    c.holes = holes;

    holes->version = cuts->version;

    mnt_hls_cut_lines(&c);

    if (c.failed) {
        mnt_hls_cuts_free(holes);
        return -1;
    }

    return 0;
}


static void
mnt_hls_cut_lines(mnt_hls_cutting_t *c)
{
    size_t          i, next;
    unsigned        head;
    mnt_str_t       line;
    mnt_hls_cut_t  *cut;

    cut = c->cut;
    memset(cut, 0, sizeof(mnt_hls_cut_t));

    c->date_ms = MNT_DATE_NONE;
    head = 1;

    for (i = 0; !cut->ended && !cut->foreign; i = next) {

        next = mnt_hls_live_line(c->text, i, &line);
        if (next == 0) {
            break;
        }

        switch (mnt_hls_live_take(&c->m, line, i)) {

        case MNT_HLS_LIVE_TAG:
            head = 0;
            mnt_hls_cut_tag(c, line);
            break;

        case MNT_HLS_LIVE_OTHER:

            if (head) {
                mnt_hls_cut_put(c, i, next);
                c->begin = next;

            } else if (mnt_str_starts(line, "#EXT")) {
                cut->foreign = 1;
            }

            break;

        case MNT_HLS_LIVE_URI:
            head = 0;
            mnt_hls_cut_entry(c, next);
            break;

        case MNT_HLS_LIVE_END:
            cut->ended = 1;
            mnt_hls_cut_put(c, i, next);
            break;

        case MNT_HLS_LIVE_FOREIGN:
            cut->foreign = 1;
            break;
        }
    }

    cut->duration_us = c->m.time_us;
}


/* the entry begins at begin_us: EXTINF has moved the mark on */

static void
mnt_hls_cut_tag(mnt_hls_cutting_t *c, mnt_str_t line)
{
    int        zone;
    mnt_str_t  value;

    if (mnt_hls_live_value(line, MNT_HLS_CUT_DATE, &value)) {
        c->has_date = 1;
        c->date_ms = mnt_date_parse(value, 0, &zone);
        c->date_us = c->begin_us;

        if (!zone) {
            c->date_ms = MNT_DATE_NONE;
        }

    } else if (mnt_str_eqc(line, "#EXT-X-DISCONTINUITY")) {

        /* what came before does not say when this one is */

        if (!c->has_date) {
            c->date_ms = MNT_DATE_NONE;
        }

    } else if (mnt_str_starts(line, "#EXT-X-MAP:")) {
        c->has_map = 1;
        c->map.data = line.data;
        c->map.len = line.len + 1;
    }
}


static void
mnt_hls_cut_entry(mnt_hls_cutting_t *c, size_t next)
{
    c->cut->entries++;

    if (mnt_hls_cut_hides(c)) {
        c->cut->hidden++;
        c->cut->hidden_us += c->m.time_us - c->begin_us;
        c->hole = 1;

        if (c->holes && c->m.time_us > c->begin_us
            && mnt_hls_cuts_push(c->holes, c->begin_us, c->m.time_us) != 0)
        {
            c->failed = 1;
        }

    } else {

        if (c->hole) {
            mnt_hls_cut_resume(c, next);

        } else {
            mnt_hls_cut_put(c, c->begin, next);
        }

        c->map.len = 0;
        c->hole = 0;
        c->shown = 1;
    }

    c->begin = next;
    c->begin_us = c->m.time_us;
    c->has_map = 0;
    c->has_date = 0;
}


static int
mnt_hls_cut_hides(mnt_hls_cutting_t *c)
{
    while (c->span < c->cuts->n
           && c->cuts->spans[c->span].end_us <= c->begin_us)
    {
        c->span++;
    }

    return c->span < c->cuts->n
           && c->cuts->spans[c->span].begin_us <= c->begin_us;
}


/* the first one behind a hole */

static void
mnt_hls_cut_resume(mnt_hls_cutting_t *c, size_t next)
{
    char       date[MNT_DATE_LEN + 1];
    size_t     i, end;
    mnt_str_t  line;

    if (c->shown) {
        mnt_hls_cut_puts(c, "#EXT-X-DISCONTINUITY\n");
    }

    if (c->map.len && !c->has_map) {
        mnt_hls_live_put(c->buf, c->size, &c->len, c->map);
    }

    if (c->date_ms != MNT_DATE_NONE && !c->has_date) {
        (void) mnt_date_write(c->date_ms + (c->begin_us - c->date_us) / 1000,
                              date, sizeof(date));

        mnt_hls_cut_puts(c, MNT_HLS_CUT_DATE);
        mnt_hls_cut_puts(c, date);
        mnt_hls_cut_puts(c, "\n");
    }

    for (i = c->begin; i < next; i = end) {

        end = mnt_hls_live_line(c->text, i, &line);

        if (!mnt_str_eqc(line, "#EXT-X-DISCONTINUITY")) {
            mnt_hls_cut_put(c, i, end);
        }
    }
}


static void
mnt_hls_cut_put(mnt_hls_cutting_t *c, size_t from, size_t to)
{
    mnt_str_t  s;

    s.data = c->text.data + from;
    s.len = to - from;

    mnt_hls_live_put(c->buf, c->size, &c->len, s);
}


static void
mnt_hls_cut_puts(mnt_hls_cutting_t *c, const char *s)
{
    mnt_hls_live_put(c->buf, c->size, &c->len, mnt_str_c(s));
}
