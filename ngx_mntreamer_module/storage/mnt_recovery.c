
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_recovery_internal.h"

#include <stdlib.h>
#include <string.h>


/*
 * Reads the journal and the playlist of a track, holds both against the files
 * that are there, and writes the playlist anew.  Entries that stay are copied
 * as they are; only what must stand before them is put there.
 */


static size_t mnt_recovery_count(mnt_str_t text, int tags);
static int mnt_recovery_journal(mnt_recovery_ctx_t *c);
static int mnt_recovery_segment(mnt_recovery_ctx_t *c,
    const mnt_journal_line_t *l);
static int mnt_recovery_init(mnt_recovery_ctx_t *c,
    const mnt_journal_line_t *l);
static mnt_recovery_segment_t *mnt_recovery_find(mnt_recovery_ctx_t *c,
    uint64_t number);
static int mnt_recovery_file_cmp(const void *one, const void *two);
static mnt_file_t *mnt_recovery_file(mnt_recovery_ctx_t *c,
    const mnt_file_t *wanted);
static int mnt_recovery_present(mnt_recovery_ctx_t *c,
    const mnt_journal_line_t *l, mnt_file_e kind);
static void mnt_recovery_undo(mnt_recovery_ctx_t *c, uint64_t number);
static int mnt_recovery_playlist(mnt_recovery_ctx_t *c);
static void mnt_recovery_line(mnt_recovery_ctx_t *c, mnt_str_t line,
    mnt_recovery_entry_t *e);
static void mnt_recovery_entry_end(mnt_recovery_ctx_t *c, mnt_str_t uri,
    mnt_recovery_entry_t *e);


int
mnt_recovery_decide(mnt_arena_t *a, const mnt_recovery_found_t *found,
    mnt_recovery_t *r)
{
    size_t              i;
    mnt_recovery_ctx_t  c;

    memset(r, 0, sizeof(mnt_recovery_t));
    memset(&c, 0, sizeof(mnt_recovery_ctx_t));

    c.a = a;
    c.found = found;
    c.r = r;

    r->next_number = 1;
    r->next_init = 1;

    mnt_hls_window_init(&r->window);

    if (found->nfiles) {
        qsort(found->files, found->nfiles, sizeof(mnt_file_t),
              mnt_recovery_file_cmp);
    }

    for (i = 0; i < found->nfiles; i++) {

        if (found->files[i].kind == MNT_FILE_SEGMENT
            && found->files[i].number >= r->next_number)
        {
            r->next_number = found->files[i].number + 1;
        }

        if (found->files[i].kind == MNT_FILE_INIT
            && found->files[i].number >= r->next_init)
        {
            r->next_init = found->files[i].number + 1;
        }
    }

    if (mnt_recovery_journal(&c) != 0
        || mnt_recovery_playlist(&c) != 0
        || mnt_recovery_write(&c) != 0
        || mnt_recovery_lines(&c) != 0)
    {
        return -1;
    }

    for (i = 0; i < c.nsegments; i++) {
        if (c.segments[i].listed) {
            mnt_hls_window_seen(&r->window, c.segments[i].line.epoch,
                                &c.segments[i].line.seen,
                                c.segments[i].line.duration_us);
            r->last_ms = c.segments[i].line.wall_ms;
            r->last.kind = MNT_FILE_SEGMENT;
            r->last.number = c.segments[i].line.number;
            r->last.container = c.segments[i].line.container;
        }
    }

    return 0;
}


/* lines; those that begin with "#" only with "tags" */

static size_t
mnt_recovery_count(mnt_str_t text, int tags)
{
    size_t       n;
    const char  *p, *last;

    if (text.len == 0) {
        return 0;
    }

    n = 0;
    last = text.data + text.len;

    for (p = text.data; p < last; /* void */) {
        n += (tags || *p != '#');
        p = memchr(p, '\n', (size_t) (last - p));

        if (p == NULL) {
            break;
        }

        p++;
    }

    return n;
}


static int
mnt_recovery_journal(mnt_recovery_ctx_t *c)
{
    int                      rc, lost;
    size_t                   i, n, parts;
    mnt_str_t                rest, text;
    mnt_journal_line_t       l;
    mnt_recovery_segment_t  *s;

    lost = 0;
    rest = c->found->journal;
    n = mnt_recovery_count(rest, 1);
    parts = 0;

    for (i = 0; i < c->found->nfiles; i++) {
        parts += (c->found->files[i].kind == MNT_FILE_PART);
    }

    c->segments = mnt_arena_alloc(c->a, (n + 1) * sizeof(*c->segments));
    c->r->renames = mnt_arena_alloc(c->a, (parts + 1)
                                          * sizeof(mnt_recovery_rename_t));

    if (c->segments == NULL || c->r->renames == NULL) {
        return -1;
    }

    for ( ;; ) {
        rc = mnt_journal_read(&rest, &l, &text);

        if (rc == 0) {
            return 0;
        }

        if (rc < 0) {
            continue;
        }

        switch (l.kind) {

        case MNT_JOURNAL_SEGMENT:
            c->r->discontinuous = 0;

            if (mnt_recovery_segment(c, &l) != 0) {
                return -1;
            }

            break;

        case MNT_JOURNAL_INIT:
            if (mnt_recovery_init(c, &l) != 0) {
                return -1;
            }

            break;

        case MNT_JOURNAL_GAP:
            c->r->gaps++;
            c->r->lost_us += l.duration_us;

            /* behind lines L it is a hole that has its tag already */

            if (!lost) {
                c->r->discontinuous = 1;
            }

            break;

        case MNT_JOURNAL_LOST:
            s = mnt_recovery_find(c, l.number);

            if (s) {
                s->gone = 1;
            }

            break;

        case MNT_JOURNAL_REOPENED:
            c->r->discontinuous = 1;
            break;
        }

        lost = (l.kind == MNT_JOURNAL_LOST);
    }
}


static int
mnt_recovery_segment(mnt_recovery_ctx_t *c, const mnt_journal_line_t *l)
{
    mnt_recovery_segment_t  *s;

    if (l->number >= c->r->next_number) {
        c->r->next_number = l->number + 1;
    }

    s = &c->segments[c->nsegments];

    if (c->nsegments && l->number <= s[-1].line.number) {

        if (l->number < s[-1].line.number) {
            return 0;
        }

        /* the line of a commit that was taken back; the number served again */
        s--;
        c->nsegments--;
        mnt_recovery_undo(c, l->number);
    }

    memset(s, 0, sizeof(mnt_recovery_segment_t));

    s->line = *l;
    s->present = mnt_recovery_present(c, l, MNT_FILE_SEGMENT);

    c->nsegments++;

    return 0;
}


static int
mnt_recovery_init(mnt_recovery_ctx_t *c, const mnt_journal_line_t *l)
{
    mnt_recovery_init_t  *init;

    if (l->number >= c->r->next_init) {
        c->r->next_init = l->number + 1;
    }

    if (mnt_recovery_present(c, l, MNT_FILE_INIT)) {
        init = &c->r->inits[c->r->ninits++ % MNT_RECOVERY_INITS];

        init->number = l->number;
        init->bytes = l->bytes;
        init->crc = l->crc;
    }

    return 0;
}


static mnt_recovery_segment_t *
mnt_recovery_find(mnt_recovery_ctx_t *c, uint64_t number)
{
    size_t  low, high, mid;

    low = 0;
    high = c->nsegments;

    while (low < high) {
        mid = low + (high - low) / 2;

        if (c->segments[mid].line.number < number) {
            low = mid + 1;

        } else {
            high = mid;
        }
    }

    if (low == c->nsegments || c->segments[low].line.number != number) {
        return NULL;
    }

    return &c->segments[low];
}


static int
mnt_recovery_file_cmp(const void *one, const void *two)
{
    const mnt_file_t  *f = one, *g = two;

    if (f->kind != g->kind) {
        return f->kind < g->kind ? -1 : 1;
    }

    if (f->number != g->number) {
        return f->number < g->number ? -1 : 1;
    }

    if (f->token != g->token) {
        return f->token < g->token ? -1 : 1;
    }

    if (f->container != g->container) {
        return f->container < g->container ? -1 : 1;
    }

    return 0;
}


static mnt_file_t *
mnt_recovery_file(mnt_recovery_ctx_t *c, const mnt_file_t *wanted)
{
    if (c->found->nfiles == 0) {
        return NULL;
    }

    return bsearch(wanted, c->found->files, c->found->nfiles,
                   sizeof(mnt_file_t), mnt_recovery_file_cmp);
}


/* 1 when what the line tells of is there, or will be after a rename */

static int
mnt_recovery_present(mnt_recovery_ctx_t *c, const mnt_journal_line_t *l,
    mnt_file_e kind)
{
    mnt_file_t              wanted, *file;
    mnt_recovery_rename_t  *rename;

    memset(&wanted, 0, sizeof(mnt_file_t));

    wanted.kind = kind;
    wanted.number = l->number;
    wanted.container = l->container;

    file = mnt_recovery_file(c, &wanted);

    if (file) {
        return file->size == l->bytes && l->bytes;
    }

    rename = &c->r->renames[c->r->nrenames];
    rename->final = wanted;
    rename->final.size = l->bytes;

    memset(&wanted, 0, sizeof(mnt_file_t));

    wanted.kind = MNT_FILE_PART;
    wanted.number = l->part;
    wanted.token = l->token;

    file = mnt_recovery_file(c, &wanted);

    if (file == NULL || file->size != l->bytes || l->bytes == 0) {
        return 0;
    }

    rename->part = *file;
    c->r->nrenames++;

    /* no second line may ask for it */
    file->size = 0;

    return 1;
}


/* the .part of a line that does not count any more keeps its name */

static void
mnt_recovery_undo(mnt_recovery_ctx_t *c, uint64_t number)
{
    size_t                  i;
    mnt_file_t             *part;
    mnt_recovery_rename_t  *rename;

    for (i = 0; i < c->r->nrenames; i++) {
        rename = &c->r->renames[i];

        if (rename->final.kind != MNT_FILE_SEGMENT
            || rename->final.number != number)
        {
            continue;
        }

        part = mnt_recovery_file(c, &rename->part);

        if (part) {
            part->size = rename->part.size;
        }

        c->r->nrenames--;
        memmove(rename, rename + 1,
                (c->r->nrenames - i) * sizeof(mnt_recovery_rename_t));
        return;
    }
}


static int
mnt_recovery_playlist(mnt_recovery_ctx_t *c)
{
    mnt_str_t             text, line;
    const char           *p, *last;
    mnt_recovery_entry_t  e;

    text = c->found->playlist;

    if (!mnt_str_starts(text, "#EXTM3U")) {
        text.len = 0;
    }

    text.len = mnt_hls_complete_prefix(text);

    c->entries = mnt_arena_alloc(c->a, (mnt_recovery_count(text, 0) + 1)
                                       * sizeof(mnt_recovery_entry_t));
    if (c->entries == NULL) {
        return -1;
    }

    if (text.len == 0) {
        return 0;
    }

    memset(&e, 0, sizeof(mnt_recovery_entry_t));

    last = text.data + text.len;

    for (line.data = text.data; line.data < last; line.data = p + 1) {
        p = memchr(line.data, '\n', (size_t) (last - line.data));

        if (p == NULL) {
            break;
        }

        line.len = (size_t) (p - line.data);
        mnt_recovery_line(c, line, &e);
    }

    return 0;
}


static void
mnt_recovery_line(mnt_recovery_ctx_t *c, mnt_str_t line,
    mnt_recovery_entry_t *e)
{
    uint64_t     n;
    mnt_str_t    s;
    const char  *p;
    mnt_file_t   file;

    s = line;

    if (mnt_str_starts(line, "#EXT-X-TARGETDURATION:")) {
        s.data += sizeof("#EXT-X-TARGETDURATION:") - 1;
        s.len -= sizeof("#EXT-X-TARGETDURATION:") - 1;

        if (mnt_str_u64(s, &n) == 0 && n <= UINT32_MAX) {
            c->target_s = (uint32_t) n;
        }

        return;
    }

    if (mnt_str_eqc(line, "#EXT-X-ENDLIST")) {
        c->r->ended = 1;
        return;
    }

    if (mnt_str_eqc(line, "#EXT-X-DISCONTINUITY")) {
        e->discontinuous = 1;

    } else if (mnt_str_starts(line, "#EXT-X-MAP:URI=\"")) {
        s.data += sizeof("#EXT-X-MAP:URI=\"") - 1;
        s.len -= sizeof("#EXT-X-MAP:URI=\"") - 1;

        p = memchr(s.data, '"', s.len);
        s.len = p ? (size_t) (p - s.data) : 0;

        mnt_file_parse(s, c->found->prefix, &file);

        e->has_map = 1;
        e->map = (file.kind == MNT_FILE_INIT) ? file.number
                                              : MNT_RECOVERY_FOREIGN_MAP;

    } else if (mnt_str_starts(line, "#EXTINF:")) {
        s.data += sizeof("#EXTINF:") - 1;
        s.len -= sizeof("#EXTINF:") - 1;

        p = memchr(s.data, ',', s.len);
        s.len = p ? (size_t) (p - s.data) : s.len;

        if (mnt_str_micros(s, &e->duration_us) != 0) {
            e->duration_us = 0;
        }

    } else if (line.len && line.data[0] != '#') {
        mnt_recovery_entry_end(c, line, e);
        return;

    } else if (!mnt_str_starts(line, "#EXT-X-PROGRAM-DATE-TIME:")
               && !mnt_str_eqc(line, "#EXT-X-GAP"))
    {
        /* of the head, which is written anew */
        return;
    }

    if (e->text.data == NULL) {
        e->text.data = line.data;
    }
}


static void
mnt_recovery_entry_end(mnt_recovery_ctx_t *c, mnt_str_t uri,
    mnt_recovery_entry_t *e)
{
    uint64_t                 map;
    mnt_file_t               file, *there;
    mnt_recovery_segment_t  *s;

    if (e->text.data == NULL) {
        e->text.data = uri.data;
    }

    e->text.len = (size_t) (uri.data + uri.len + 1 - e->text.data);

    mnt_file_parse(uri, c->found->prefix, &file);

    if (file.kind == MNT_FILE_SEGMENT) {
        e->number = file.number;

        if (e->number >= c->r->next_number) {
            c->r->next_number = e->number + 1;
        }

        there = mnt_recovery_file(c, &file);
        s = mnt_recovery_find(c, e->number);

        e->size = there ? there->size : 0;
        e->gone = (e->size == 0 || (s && e->size < s->line.bytes));

        if (e->gone && s && s->present && s->line.container == file.container)
        {
            /* its rename is about to be repeated: a directory lost it */
            e->gone = 0;
            e->size = s->line.bytes;
        }

        if (s) {
            e->duration_us = s->line.duration_us;
            e->told = s->gone;
            s->listed = !e->gone;
        }
    }

    map = e->map;
    c->entries[c->nentries++] = *e;

    memset(e, 0, sizeof(mnt_recovery_entry_t));
    e->map = map;
}
