
/*
 * Copyright (C) the mntreamer authors
 *
 * What the recovery leaves: the playlist, and what the journal is told.
 */


#include "mnt_recovery_internal.h"

#include <string.h>


#define MNT_RECOVERY_HEAD   512               /* no head is longer */
#define MNT_RECOVERY_ENTRY  512               /* nor an entry of the journal */
#define MNT_RECOVERY_EXTRA  160               /* nor what an old one gets */


static size_t mnt_recovery_room(const mnt_recovery_ctx_t *c);
static void mnt_recovery_body(mnt_recovery_ctx_t *c);
static void mnt_recovery_kept(mnt_recovery_ctx_t *c, mnt_recovery_entry_t *e);
static void mnt_recovery_listed(mnt_recovery_ctx_t *c,
    mnt_recovery_segment_t *s);
static void mnt_recovery_put(mnt_recovery_ctx_t *c, const char *p, size_t n);
static void mnt_recovery_needs(mnt_recovery_ctx_t *c, int64_t duration_us,
    uint64_t bytes);


int
mnt_recovery_write(mnt_recovery_ctx_t *c)
{
    char             head[MNT_RECOVERY_HEAD];
    char            *body;
    size_t           size;
    mnt_recovery_t  *r;

    r = c->r;

    size = MNT_RECOVERY_HEAD + sizeof("#EXT-X-ENDLIST\n")
           + c->found->playlist.len + mnt_recovery_room(c);

    c->out = mnt_arena_alloc(c->a, size);
    if (c->out == NULL) {
        return -1;
    }

    c->last = c->out + size;

    /* the head depends on the entries */

    body = c->out + MNT_RECOVERY_HEAD;
    c->out = body;

    r->target_s = c->target_s ? c->target_s : c->found->target_s;

    mnt_recovery_body(c);

    r->map = c->map == MNT_RECOVERY_FOREIGN_MAP ? 0 : c->map;

    if (r->ended) {

        if (c->found->reopen) {
            r->discontinuous = 1;

        } else {
            mnt_recovery_put(c, "#EXT-X-ENDLIST\n",
                             sizeof("#EXT-X-ENDLIST\n") - 1);
        }
    }

    if (r->segments == 0) {
        return 0;
    }

    r->head_len = mnt_hls_write_head(head, sizeof(head), r->target_s,
                                     r->has_map);

    if (r->head_len >= sizeof(head)) {
        return -1;
    }

    memcpy(body - r->head_len, head, r->head_len);

    r->playlist.data = body - r->head_len;
    r->playlist.len = (size_t) (c->out - r->playlist.data);

    return 0;
}


/*
 * Bytes that are added to the playlist at most: entries of the journal, and
 * what an old one gets where the one before it went or has another map.
 */

static size_t
mnt_recovery_room(const mnt_recovery_ctx_t *c)
{
    size_t                         i, n, extra;
    uint64_t                       map;
    const mnt_recovery_entry_t    *e;
    const mnt_recovery_segment_t  *s;

    n = 0;
    extra = 1;
    map = 0;

    for (i = 0; i < c->nsegments; i++) {
        s = &c->segments[i];
        n += (s->present && !s->gone && !s->listed);
    }

    for (i = 0; i < c->nentries; i++) {
        e = &c->entries[i];
        extra += (e->gone || e->map != map);
        map = e->map;
    }

    return n * (MNT_RECOVERY_ENTRY + MNT_RECOVERY_EXTRA)
           + extra * MNT_RECOVERY_EXTRA;
}


/* both lists by rising number; what is somebody else's keeps its place */

static void
mnt_recovery_body(mnt_recovery_ctx_t *c)
{
    size_t                   i, k;
    mnt_recovery_entry_t    *e;
    mnt_recovery_segment_t  *s;

    k = 0;

    for (i = 0; i <= c->nentries; i++) {
        e = (i < c->nentries) ? &c->entries[i] : NULL;

        if (e && e->number == 0) {
            mnt_recovery_kept(c, e);
            continue;
        }

        for ( /* void */ ; k < c->nsegments; k++) {
            s = &c->segments[k];

            if (e && s->line.number >= e->number) {
                break;
            }

            if (s->present && !s->gone && !s->listed) {
                mnt_recovery_listed(c, s);
            }
        }

        if (e == NULL) {
            break;
        }

        if (e->gone) {
            c->r->dropped++;
            c->hole = 1;

        } else {
            mnt_recovery_kept(c, e);
        }
    }
}


static void
mnt_recovery_kept(mnt_recovery_ctx_t *c, mnt_recovery_entry_t *e)
{
    char        name[MNT_TRACK_FILE_MAX];
    mnt_str_t   uri;
    mnt_file_t  init;

    if (c->hole && !e->discontinuous && c->r->segments) {
        mnt_recovery_put(c, "#EXT-X-DISCONTINUITY\n",
                         sizeof("#EXT-X-DISCONTINUITY\n") - 1);
    }

    if (!e->has_map && e->map != c->map && e->map
        && e->map != MNT_RECOVERY_FOREIGN_MAP)
    {
        memset(&init, 0, sizeof(mnt_file_t));

        init.kind = MNT_FILE_INIT;
        init.number = e->map;

        uri = mnt_file_name(&init, c->found->prefix, name);

        mnt_recovery_put(c, "#EXT-X-MAP:URI=\"",
                         sizeof("#EXT-X-MAP:URI=\"") - 1);
        mnt_recovery_put(c, uri.data, uri.len);
        mnt_recovery_put(c, "\"\n", 2);
    }

    mnt_recovery_put(c, e->text.data, e->text.len);

    c->hole = 0;
    c->map = e->map;

    mnt_recovery_needs(c, e->duration_us, e->size);
}


static void
mnt_recovery_listed(mnt_recovery_ctx_t *c, mnt_recovery_segment_t *s)
{
    char             buf[MNT_RECOVERY_ENTRY];
    char             name[MNT_TRACK_FILE_MAX], map[MNT_TRACK_FILE_MAX];
    size_t           n;
    mnt_file_t       file;
    mnt_hls_entry_t  entry;

    memset(&entry, 0, sizeof(mnt_hls_entry_t));
    memset(&file, 0, sizeof(mnt_file_t));

    file.kind = MNT_FILE_SEGMENT;
    file.number = s->line.number;
    file.container = s->line.container;

    entry.uri = mnt_file_name(&file, c->found->prefix, name);
    entry.duration_us = s->line.duration_us;
    entry.date_ms = s->line.seen.date_ms;
    entry.discontinuous = (s->line.discontinuous || c->hole)
                          && c->r->segments;

    if (s->line.map && s->line.map != c->map) {
        file.kind = MNT_FILE_INIT;
        file.number = s->line.map;

        entry.map_uri = mnt_file_name(&file, c->found->prefix, map);
        c->map = s->line.map;
    }

    n = mnt_hls_write_entry(&entry, buf, sizeof(buf));

    if (n >= sizeof(buf)) {
        return;
    }

    mnt_recovery_put(c, buf, n);

    s->listed = 1;
    c->hole = 0;
    c->r->recovered++;

    mnt_recovery_needs(c, s->line.duration_us, s->line.bytes);
}


static void
mnt_recovery_put(mnt_recovery_ctx_t *c, const char *p, size_t n)
{
    /* mnt_recovery_write() made room for all */

    if (n <= (size_t) (c->last - c->out)) {
        memcpy(c->out, p, n);
        c->out += n;
    }
}


/* accounts for an entry that was written */

static void
mnt_recovery_needs(mnt_recovery_ctx_t *c, int64_t duration_us, uint64_t bytes)
{
    uint32_t         target_s;
    mnt_recovery_t  *r;

    r = c->r;

    target_s = mnt_hls_target_of(duration_us);

    if (target_s > r->target_s) {
        r->target_s = target_s;
    }

    if (c->map) {
        r->has_map = 1;
    }

    r->segments++;
    r->bytes += bytes;
    r->duration_us += duration_us;
}


/*
 * What the journal is to be told.  Entries that went from the end may still be
 * fetched again; entries before others leave a gap.
 */

int
mnt_recovery_lines(mnt_recovery_ctx_t *c)
{
    char                *p;
    size_t               i, n, size, kept;
    mnt_recovery_t      *r;
    mnt_journal_line_t   l, gap;

    r = c->r;

    if (r->dropped == 0 && !(r->ended && c->found->reopen)) {
        return 0;
    }

    kept = c->nentries;

    if (c->hole) {
        for ( /* void */ ; kept && c->entries[kept - 1].gone; kept--) {
            /* void */
        }
    }

    size = (r->dropped + 2) * MNT_JOURNAL_LINE_MAX;

    p = mnt_arena_alloc(c->a, size);
    if (p == NULL) {
        return -1;
    }

    r->lines.data = p;
    n = 0;

    memset(&l, 0, sizeof(mnt_journal_line_t));
    l.wall_ms = c->found->now_ms;

    gap = l;
    gap.kind = MNT_JOURNAL_GAP;
    gap.reason = mnt_str_c("disk");

    for (i = 0; i < c->nentries; i++) {

        if (!c->entries[i].gone) {
            r->hole_at_us += r->hole ? 0 : c->entries[i].duration_us;
            continue;
        }

        if (i < kept) {
            r->hole++;
            r->hole_us += c->entries[i].duration_us;
        }

        if (c->entries[i].told) {
            continue;
        }

        l.kind = MNT_JOURNAL_LOST;
        l.number = c->entries[i].number;
        n += mnt_journal_write(&l, p + n, size - n);

        if (i < kept) {
            gap.count++;
            gap.duration_us += c->entries[i].duration_us;
        }
    }

    if (gap.count) {
        n += mnt_journal_write(&gap, p + n, size - n);
        r->gaps++;
        r->lost_us += gap.duration_us;
    }

    if (r->ended && c->found->reopen) {
        l.kind = MNT_JOURNAL_REOPENED;
        n += mnt_journal_write(&l, p + n, size - n);
    }

    r->lines.len = n;

    return 0;
}
