
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_clip.h"

#include <stdlib.h>
#include <string.h>


/* a file of the playlist */

typedef struct {
    uint64_t     number;
    mnt_file_e   kind;
    unsigned     discontinuous;
} mnt_clip_entry_t;


static int mnt_clip_line(mnt_str_t *rest, mnt_str_t *line);
static mnt_clip_entry_t *mnt_clip_entries(mnt_str_t playlist, size_t *n);
static int mnt_clip_compare(const void *a, const void *b);


int
mnt_clip_file(mnt_str_t *rest, mnt_str_t *name, unsigned *segment)
{
    size_t       i;
    mnt_str_t    line;
    const char  *end;

    static const char  map[] = "#EXT-X-MAP:URI=\"";

    while (mnt_clip_line(rest, &line)) {

        *segment = (line.len && line.data[0] != '#');

        if (!*segment && !mnt_str_starts(line, map)) {
            continue;
        }

        *name = line;

        if (!*segment) {
            name->data += sizeof(map) - 1;
            name->len -= sizeof(map) - 1;

            end = memchr(name->data, '"', name->len);
            name->len = end ? (size_t) (end - name->data) : 0;
        }

        if (name->len == 0 || name->len >= MNT_TRACK_FILE_MAX
            || name->data[0] == '.')
        {
            return -1;
        }

        for (i = 0; i < name->len; i++) {
            if (name->data[i] == '/' || (unsigned char) name->data[i] <= ' ') {
                return -1;
            }
        }

        return 1;
    }

    return 0;
}


static int
mnt_clip_line(mnt_str_t *rest, mnt_str_t *line)
{
    const char  *end;

    if (rest->len == 0) {
        return 0;
    }

    end = memchr(rest->data, '\n', rest->len);

    line->data = rest->data;
    line->len = end ? (size_t) (end - rest->data) : rest->len;

    rest->data += line->len + (end != NULL);
    rest->len -= line->len + (end != NULL);

    return 1;
}


mnt_str_t
mnt_clip_prefix(mnt_str_t name)
{
    while (name.len && name.data[name.len - 1] != '.') {
        name.len--;
    }

    if (name.len) {
        name.len--;
    }

    while (name.len && name.data[name.len - 1] >= '0'
           && name.data[name.len - 1] <= '9')
    {
        name.len--;
    }

    return name;
}


long
mnt_clip_journal(mnt_str_t journal, mnt_str_t playlist, char *buf, size_t size)
{
    int                 rc;
    size_t              n, len;
    mnt_str_t           text;
    mnt_clip_entry_t   *entries, *e, key;
    mnt_journal_line_t  l;

    entries = mnt_clip_entries(playlist, &n);

    if (entries == NULL) {
        return -1;
    }

    len = 0;

    while ((rc = mnt_journal_read(&journal, &l, &text)) != 0) {

        if (rc == -1 || (l.kind != MNT_JOURNAL_SEGMENT
                         && l.kind != MNT_JOURNAL_INIT))
        {
            continue;
        }

        key.number = l.number;
        key.kind = (l.kind == MNT_JOURNAL_INIT) ? MNT_FILE_INIT
                                                : MNT_FILE_SEGMENT;

        e = bsearch(&key, entries, n, sizeof(mnt_clip_entry_t),
                    mnt_clip_compare);

        if (e == NULL) {
            continue;
        }

        if (l.kind == MNT_JOURNAL_SEGMENT) {
            l.discontinuous = e->discontinuous & 1;
        }

        len += mnt_journal_write(&l, buf + len, size - len);
    }

    free(entries);

    return (long) len;
}


/* sorted; malloc() */

static mnt_clip_entry_t *
mnt_clip_entries(mnt_str_t playlist, size_t *n)
{
    size_t             room;
    unsigned           segment, discontinuous;
    mnt_str_t          rest, line, name, prefix;
    mnt_file_t         file;
    mnt_clip_entry_t  *entries;

    room = 1;

    for (rest = playlist; mnt_clip_file(&rest, &name, &segment) > 0; ) {
        room++;
    }

    entries = malloc(room * sizeof(mnt_clip_entry_t));

    if (entries == NULL) {
        return NULL;
    }

    *n = 0;
    discontinuous = 0;
    rest = playlist;

    while (*n < room && mnt_clip_line(&rest, &line)) {

        if (mnt_str_eqc(line, "#EXT-X-DISCONTINUITY")) {
            discontinuous = 1;
        }

        if (mnt_clip_file(&line, &name, &segment) != 1) {
            continue;
        }

        prefix = mnt_clip_prefix(name);

        /* "init-" is of the name */

        if (!segment) {
            prefix.len = prefix.len < 5 ? 0 : prefix.len - 5;
        }

        mnt_file_parse(name, prefix, &file);

        entries[*n].number = file.number;
        entries[*n].kind = file.kind;
        entries[*n].discontinuous = segment ? discontinuous : 0;
        (*n)++;

        if (segment) {
            discontinuous = 0;
        }
    }

    qsort(entries, *n, sizeof(mnt_clip_entry_t), mnt_clip_compare);

    return entries;
}


static int
mnt_clip_compare(const void *a, const void *b)
{
    const mnt_clip_entry_t  *x = a, *y = b;

    if (x->kind != y->kind) {
        return x->kind < y->kind ? -1 : 1;
    }

    if (x->number != y->number) {
        return x->number < y->number ? -1 : 1;
    }

    return 0;
}
