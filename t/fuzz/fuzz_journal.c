
/*
 * Copyright (C) the mntreamer authors
 *
 * A directory of a track as a power cut may leave it.  The first byte: 1 take
 * ENDLIST off, 2 names with a prefix.  Then a line each:
 *
 *     S... I... G... L... R...     of the journal, signed here
 *     j TEXT                       of the journal, as it is
 *     p TEXT                       of the playlist
 *     c NUMBER                     so many bytes are off the playlist's end
 *     f NAME SIZE                  a file
 *
 * Whatever is there, the recovery lists nothing that is not there; and where
 * the playlist is one of ours up to where it was cut, the recovery done again
 * finds nothing to do.  Whatever the memory ends at, it says so or decides the
 * same.
 */


#include "mnt_fuzz.h"

#include "storage/mnt_recovery.h"


#define MAX_FILES  128


typedef struct {
    char        *journal;                     /* owned, as all pointers here */
    size_t       journal_len;
    char        *playlist;
    size_t       playlist_len;
    mnt_file_t   files[MAX_FILES];
    size_t       nfiles;
    mnt_str_t    prefix;
    unsigned     reopen;
} disk_t;


/* exactly as large as its contents, so that a byte too many is seen */

static void
append(char **text, size_t *len, const char *p, size_t n)
{
    char  *new;

    new = malloc(*len + n + 1);
    mnt_fuzz_hold(new != NULL);

    if (*len) {
        memcpy(new, *text, *len);
    }

    if (n) {
        memcpy(new + *len, p, n);
    }

    free(*text);
    *text = new;
    *len += n;
}


static void
put_signed(disk_t *d, mnt_str_t s)
{
    char  crc[sizeof(" *01234567\n")];

    (void) snprintf(crc, sizeof(crc), " *%08x\n",
                    (unsigned) mnt_journal_crc(0, s.data, s.len));

    append(&d->journal, &d->journal_len, s.data, s.len);
    append(&d->journal, &d->journal_len, crc, sizeof(crc) - 1);
}


static void
put_file(disk_t *d, mnt_str_t s)
{
    char         buf[MNT_TRACK_FILE_MAX];
    size_t       i;
    uint64_t     size;
    mnt_str_t    name, number;
    mnt_file_t  *f;
    const char  *end;

    end = s.len ? memchr(s.data, ' ', s.len) : NULL;

    if (end == NULL || d->nfiles == MAX_FILES) {
        return;
    }

    name.data = s.data;
    name.len = (size_t) (end - s.data);
    number.data = end + 1;
    number.len = s.len - name.len - 1;

    f = &d->files[d->nfiles];
    memset(f, 0, sizeof(mnt_file_t));
    mnt_file_parse(name, d->prefix, f);

    if (f->kind == MNT_FILE_OTHER || mnt_str_u64(number, &size) != 0) {
        return;
    }

    mnt_fuzz_hold(mnt_str_eq(mnt_file_name(f, d->prefix, buf), name));

    for (i = 0; i < d->nfiles; i++) {
        if (d->files[i].kind == f->kind && d->files[i].number == f->number
            && d->files[i].token == f->token
            && d->files[i].container == f->container)
        {
            return;
        }
    }

    f->size = size;
    d->nfiles++;
}


static void
put(disk_t *d, mnt_str_t s)
{
    uint64_t   n;
    mnt_str_t  rest;

    if (s.len == 0) {
        return;
    }

    if (memchr("SIGLR", s.data[0], 5)) {
        put_signed(d, s);
        return;
    }

    rest.data = s.data + (s.len > 1 ? 2 : 1);
    rest.len = s.len - (s.len > 1 ? 2 : 1);

    switch (s.data[0]) {

    case 'j':
        append(&d->journal, &d->journal_len, rest.data, rest.len);
        append(&d->journal, &d->journal_len, "\n", 1);
        break;

    case 'p':
        append(&d->playlist, &d->playlist_len, rest.data, rest.len);
        append(&d->playlist, &d->playlist_len, "\n", 1);
        break;

    case 'c':
        if (mnt_str_u64(rest, &n) == 0) {
            d->playlist_len -= n < d->playlist_len ? n : d->playlist_len;
            append(&d->playlist, &d->playlist_len, NULL, 0);
        }

        break;

    case 'f':
        put_file(d, rest);
        break;
    }
}


static int
decided(mnt_arena_t *a, disk_t *d, mnt_recovery_t *r)
{
    mnt_recovery_found_t  found;

    memset(&found, 0, sizeof(found));

    found.journal.data = d->journal;
    found.journal.len = d->journal_len;
    found.playlist.data = d->playlist;
    found.playlist.len = d->playlist_len;
    found.prefix = d->prefix;
    found.files = d->files;
    found.nfiles = d->nfiles;
    found.target_s = 2;
    found.reopen = d->reopen;
    found.now_ms = 5000;

    return mnt_recovery_decide(a, &found, r);
}


static void
decide(mnt_arena_t *a, disk_t *d, mnt_recovery_t *r)
{
    mnt_fuzz_hold(decided(a, d, r) == 0);
}


/* "max" bytes of memory; "r" is what it is with enough of it */

static void
scarce(const disk_t *d, const mnt_recovery_t *r, size_t max)
{
    disk_t          copy;
    mnt_arena_t     a;
    mnt_recovery_t  less;

    copy = *d;                                /* with files of its own */
    mnt_arena_init(&a, max);

    if (decided(&a, &copy, &less) == 0) {
        mnt_fuzz_hold(less.playlist.len == r->playlist.len);
        mnt_fuzz_hold(r->playlist.len == 0
                      || memcmp(less.playlist.data, r->playlist.data,
                                r->playlist.len) == 0);
        mnt_fuzz_hold(less.lines.len == r->lines.len);
        mnt_fuzz_hold(less.segments == r->segments);
        mnt_fuzz_hold(less.nrenames == r->nrenames);
    }

    mnt_fuzz_hold(a.used <= max);
    mnt_arena_free(&a);
}


/* carries it out */

static void
apply(disk_t *d, const mnt_recovery_t *r)
{
    size_t             i, k;
    const mnt_file_t  *f;

    for (i = 0; i < r->nrenames; i++) {
        f = &r->renames[i].part;

        for (k = 0; k < d->nfiles; k++) {
            if (d->files[k].kind == MNT_FILE_PART
                && d->files[k].number == f->number
                && d->files[k].token == f->token)
            {
                break;
            }
        }

        mnt_fuzz_hold(k < d->nfiles);
        d->files[k] = r->renames[i].final;
    }

    for (i = 0; i < d->nfiles; i++) {
        if (d->files[i].kind == MNT_FILE_PART) {
            d->files[i--] = d->files[--d->nfiles];
        }
    }

    append(&d->journal, &d->journal_len, r->lines.data, r->lines.len);

    d->playlist_len = 0;
    append(&d->playlist, &d->playlist_len, r->playlist.data, r->playlist.len);
}


/* what stands in the playlist is there, with a byte at least */

static void
listed(const disk_t *d)
{
    size_t      i;
    mnt_str_t   line, rest;
    mnt_file_t  f;

    rest.data = d->playlist;
    rest.len = d->playlist_len;

    mnt_fuzz_hold(rest.len == 0 || rest.data[rest.len - 1] == '\n');

    while (rest.len) {
        line = mnt_fuzz_split(&rest);
        mnt_file_parse(line, d->prefix, &f);

        if (f.kind != MNT_FILE_SEGMENT) {
            continue;
        }

        for (i = 0; i < d->nfiles; i++) {
            if (d->files[i].kind == f.kind && d->files[i].number == f.number
                && d->files[i].container == f.container)
            {
                break;
            }
        }

        mnt_fuzz_hold(i < d->nfiles && d->files[i].size > 0);
    }
}


/* the playlist is as we write it, as far as its lines have an end */

static int
ours(const disk_t *d)
{
    int         head, inf;
    uint64_t    last;
    mnt_str_t   s, rest;
    mnt_file_t  f;

    head = 1;
    inf = 0;
    last = 0;

    rest.data = d->playlist;
    rest.len = d->playlist_len;

    while (rest.len && rest.data[rest.len - 1] != '\n') {
        rest.len--;
    }

    while (rest.len) {
        s = mnt_fuzz_split(&rest);

        if (mnt_str_starts(s, "#EXTM3U") != (s.data == d->playlist)) {
            return 0;
        }

        if (head && (s.data == d->playlist
                     || mnt_str_starts(s, "#EXT-X-VERSION:")
                     || mnt_str_eqc(s, "#EXT-X-TARGETDURATION:2")
                     || mnt_str_eqc(s, "#EXT-X-MEDIA-SEQUENCE:0")
                     || mnt_str_eqc(s, "#EXT-X-PLAYLIST-TYPE:EVENT")))
        {
            continue;
        }

        head = 0;

        if (mnt_str_eqc(s, "#EXT-X-ENDLIST")) {
            return !inf && rest.len == 0;
        }

        if (!inf && mnt_str_eqc(s, "#EXT-X-DISCONTINUITY")) {
            continue;
        }

        if (!inf && mnt_str_eqc(s, "#EXTINF:2.000000,")) {
            inf = 1;
            continue;
        }

        if (!inf && mnt_str_starts(s, "#EXT-X-MAP:URI=\"")
            && mnt_str_ends(s, "\""))
        {
            s.data += sizeof("#EXT-X-MAP:URI=\"") - 1;
            s.len -= sizeof("#EXT-X-MAP:URI=\"");
            mnt_file_parse(s, d->prefix, &f);

            if (f.kind == MNT_FILE_INIT) {
                continue;
            }

            return 0;
        }

        mnt_file_parse(s, d->prefix, &f);

        if (!inf || f.kind != MNT_FILE_SEGMENT || f.number <= last) {
            return 0;
        }

        last = f.number;
        inf = 0;
    }

    return 1;
}


static void
recover(disk_t *d)
{
    int             whole;
    disk_t          before;
    uint64_t        chance;
    mnt_arena_t     a;
    mnt_recovery_t  r, again;

    mnt_arena_init(&a, 16 << 20);

    whole = ours(d);
    before = *d;
    decide(&a, d, &r);

    chance = d->journal_len * 31 + d->playlist_len * 7 + d->nfiles;
    scarce(&before, &r, a.used / 8 * (chance % 9));
    apply(d, &r);
    listed(d);
    decide(&a, d, &again);

    if (!whole) {
        mnt_arena_free(&a);
        return;
    }

    mnt_fuzz_hold(again.nrenames == 0);
    mnt_fuzz_hold(again.lines.len == 0);
    mnt_fuzz_hold(again.recovered == 0);
    mnt_fuzz_hold(again.dropped == 0);
    mnt_fuzz_hold(again.playlist.len == d->playlist_len);
    mnt_fuzz_hold(d->playlist_len == 0
                  || memcmp(again.playlist.data, d->playlist,
                            d->playlist_len) == 0);
    mnt_fuzz_hold(again.segments == r.segments && again.bytes == r.bytes);
    mnt_fuzz_hold(again.duration_us == r.duration_us);
    mnt_fuzz_hold(again.next_number <= r.next_number);

    mnt_arena_free(&a);
}


/* each line that counts is written as it was read */

static void
lines(const disk_t *d)
{
    int                 rc;
    char                buf[2 * MNT_JOURNAL_LINE_MAX];
    size_t              i, n;
    mnt_str_t           rest, line, copy, text;
    mnt_journal_gap_t   gaps[MNT_JOURNAL_GAPS];
    mnt_journal_line_t  l, m;

    rest.data = d->journal;
    rest.len = d->journal_len;

    n = mnt_journal_gaps(rest, gaps);
    mnt_fuzz_hold(n <= MNT_JOURNAL_GAPS);

    for (i = 1; i < n; i++) {
        mnt_fuzz_hold(gaps[i].number > gaps[i - 1].number);
    }

    while ((rc = mnt_journal_read(&rest, &l, &line)) != 0) {

        copy.data = buf;
        copy.len = rc > 0 ? mnt_journal_write(&l, buf, sizeof(buf)) : 0;

        if (copy.len) {
            mnt_fuzz_hold(mnt_journal_read(&copy, &m, &text) == 1);
            mnt_fuzz_hold(m.kind == l.kind && m.number == l.number
                          && m.part == l.part && m.token == l.token
                          && m.bytes == l.bytes && m.count == l.count
                          && m.duration_us == l.duration_us
                          && m.wall_ms == l.wall_ms);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    disk_t     d;
    mnt_str_t  rest;

    if (len == 0) {
        return 0;
    }

    memset(&d, 0, sizeof(d));

    d.reopen = in[0] & 1;
    d.prefix = mnt_str_c(in[0] & 2 ? "video-" : "");

    rest = mnt_fuzz_str(in + 1, len - 1);

    while (rest.len) {
        put(&d, mnt_fuzz_split(&rest));
    }

    lines(&d);
    recover(&d);

    free(d.journal);
    free(d.playlist);

    return 0;
}
