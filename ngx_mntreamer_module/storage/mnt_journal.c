
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>


#define MNT_JOURNAL_FIELDS   16               /* at most, of a line */
#define MNT_JOURNAL_CRC_LEN  (sizeof(" *01234567") - 1)

#define MNT_FILE_WIDTH       6                /* digits of a segment's name */


static int mnt_journal_format(const mnt_journal_line_t *l, char *buf,
    size_t size);
static int mnt_journal_parse(mnt_str_t s, mnt_journal_line_t *l);
static int mnt_journal_segment(const mnt_str_t *f, mnt_journal_line_t *l);
static int mnt_journal_hex(mnt_str_t s, uint64_t max, uint64_t *out);
static int mnt_journal_u32(mnt_str_t s, uint32_t *out);
static const char *mnt_file_extension(mnt_hls_container_e container);
static size_t mnt_file_digits(mnt_str_t s);
static int mnt_file_padded(mnt_str_t number, size_t width);


size_t
mnt_journal_write(const mnt_journal_line_t *l, char *buf, size_t size)
{
    int     n;
    size_t  len;

    n = mnt_journal_format(l, buf, size);

    if (n <= 0 || (size_t) n + MNT_JOURNAL_CRC_LEN + 2 > size) {
        return 0;
    }

    len = (size_t) n;
    len += (size_t) snprintf(buf + len, size - len, " *%08" PRIx32 "\n",
                             mnt_journal_crc(0, buf, len));

    return len;
}


static int
mnt_journal_format(const mnt_journal_line_t *l, char *buf, size_t size)
{
    char  date[24];

    switch (l->kind) {

    case MNT_JOURNAL_SEGMENT:

        if (l->seen.date_ms == MNT_DATE_NONE) {
            (void) snprintf(date, sizeof(date), "-");

        } else {
            (void) snprintf(date, sizeof(date), "%" PRId64, l->seen.date_ms);
        }

        return snprintf(buf, size,
                        "S %" PRIu64 " %" PRIu64 " %08" PRIx32 " %d %" PRIu32
                        " %" PRIu64 " %016" PRIx64 " %s %" PRId64 " %" PRIu64
                        " %d %" PRIu64 " %" PRIu64 " %" PRId64,
                        l->number, l->part, l->token, (int) l->container,
                        l->epoch, l->seen.sequence, l->seen.identity, date,
                        l->duration_us, l->discontinuity,
                        (int) l->discontinuous, l->map, l->bytes, l->wall_ms);

    case MNT_JOURNAL_INIT:
        return snprintf(buf, size,
                        "I %" PRIu64 " %" PRIu64 " %08" PRIx32 " %" PRIu64
                        " %08" PRIx32 " %" PRId64,
                        l->number, l->part, l->token, l->bytes, l->crc,
                        l->wall_ms);

    case MNT_JOURNAL_GAP:

        if (l->reason.len > MNT_JOURNAL_REASON_MAX) {
            return 0;
        }

        return snprintf(buf, size, "G %" PRIu64 " %" PRId64 " %.*s %" PRId64,
                        l->count, l->duration_us,
                        l->reason.len ? (int) l->reason.len : 1,
                        l->reason.len ? l->reason.data : "-", l->wall_ms);

    case MNT_JOURNAL_LOST:
        return snprintf(buf, size, "L %" PRIu64 " %" PRId64, l->number,
                        l->wall_ms);

    case MNT_JOURNAL_REOPENED:
        return snprintf(buf, size, "R %" PRId64, l->wall_ms);
    }

    return 0;
}


int
mnt_journal_read(mnt_str_t *rest, mnt_journal_line_t *l, mnt_str_t *text)
{
    uint64_t     crc;
    mnt_str_t    s, t;
    const char  *end;

    if (rest->len == 0) {
        return 0;
    }

    end = memchr(rest->data, '\n', rest->len);

    if (end == NULL) {
        rest->data += rest->len;
        rest->len = 0;
        return -1;
    }

    text->data = rest->data;
    text->len = (size_t) (end - rest->data) + 1;

    rest->data += text->len;
    rest->len -= text->len;

    if (text->len <= MNT_JOURNAL_CRC_LEN + 1
        || text->len > MNT_JOURNAL_LINE_MAX)
    {
        return -1;
    }

    s.data = text->data;
    s.len = text->len - 1 - MNT_JOURNAL_CRC_LEN;

    t.data = s.data + s.len;
    t.len = MNT_JOURNAL_CRC_LEN;

    if (t.data[0] != ' ' || t.data[1] != '*') {
        return -1;
    }

    t.data += 2;
    t.len -= 2;

    if (mnt_journal_hex(t, UINT32_MAX, &crc) != 0
        || crc != mnt_journal_crc(0, s.data, s.len)
        || mnt_journal_parse(s, l) != 0)
    {
        return -1;
    }

    return 1;
}


static int
mnt_journal_parse(mnt_str_t s, mnt_journal_line_t *l)
{
    size_t       n;
    uint64_t     token, crc;
    mnt_str_t    f[MNT_JOURNAL_FIELDS];
    const char  *p, *last, *q;

    memset(l, 0, sizeof(mnt_journal_line_t));
    l->seen.date_ms = MNT_DATE_NONE;

    last = s.data + s.len;
    n = 0;

    for (p = s.data; p < last && n < MNT_JOURNAL_FIELDS; p = q + 1) {
        q = memchr(p, ' ', (size_t) (last - p));

        if (q == NULL) {
            q = last;
        }

        f[n].data = p;
        f[n].len = (size_t) (q - p);
        n++;
    }

    if (p < last || n < 2 || f[0].len != 1
        || mnt_str_i64(f[n - 1], &l->wall_ms) != 0)
    {
        return -1;
    }

    switch (f[0].data[0]) {

    case 'S':
        l->kind = MNT_JOURNAL_SEGMENT;
        return (n == 15) ? mnt_journal_segment(f, l) : -1;

    case 'I':
        l->kind = MNT_JOURNAL_INIT;

        if (n != 7 || mnt_str_u64(f[1], &l->number) != 0
            || mnt_str_u64(f[2], &l->part) != 0
            || mnt_journal_hex(f[3], UINT32_MAX, &token) != 0
            || mnt_str_u64(f[4], &l->bytes) != 0
            || mnt_journal_hex(f[5], UINT32_MAX, &crc) != 0)
        {
            return -1;
        }

        l->token = (uint32_t) token;
        l->crc = (uint32_t) crc;
        return 0;

    case 'G':
        l->kind = MNT_JOURNAL_GAP;
        l->reason = f[3 < n ? 3 : 0];

        return (n == 5 && mnt_str_u64(f[1], &l->count) == 0
                && mnt_str_i64(f[2], &l->duration_us) == 0) ? 0 : -1;

    case 'L':
        l->kind = MNT_JOURNAL_LOST;
        return (n == 3 && mnt_str_u64(f[1], &l->number) == 0) ? 0 : -1;

    case 'R':
        l->kind = MNT_JOURNAL_REOPENED;
        return (n == 2) ? 0 : -1;

    default:
        return -1;
    }
}


size_t
mnt_journal_gaps(mnt_str_t journal, mnt_journal_gap_t *gaps)
{
    int                 rc, lost;
    size_t              n;
    int64_t             at_us;
    uint64_t            number;
    mnt_str_t           text;
    mnt_journal_gap_t  *gap, *open;
    mnt_journal_line_t  l, last;

    n = 0;
    lost = 0;
    number = 0;
    at_us = 0;
    open = NULL;

    memset(&last, 0, sizeof(mnt_journal_line_t));

    while ((rc = mnt_journal_read(&journal, &l, &text)) != 0) {

        if (rc < 0) {
            continue;
        }

        number += (l.kind == MNT_JOURNAL_GAP);

        if (l.kind == MNT_JOURNAL_GAP && !lost) {
            if (n == MNT_JOURNAL_GAPS) {
                n--;
                memmove(&gaps[0], &gaps[1], n * sizeof(mnt_journal_gap_t));
            }

            gap = &gaps[n++];
            memset(gap, 0, sizeof(mnt_journal_gap_t));

            gap->number = number;
            gap->first = last.number ? last.seen.sequence + 1 : 0;
            gap->count = l.count;
            gap->duration_us = l.duration_us;
            gap->at_us = at_us;

            memcpy(gap->reason, l.reason.data,
                   l.reason.len < MNT_JOURNAL_REASON_MAX
                   ? l.reason.len : MNT_JOURNAL_REASON_MAX - 1);

            open = gap;
        }

        if (l.kind == MNT_JOURNAL_SEGMENT && l.number >= last.number) {

            /* the source began anew: it is known from behind only */

            if (open && (last.number == 0 || last.epoch != l.epoch)) {
                open->first = l.seen.sequence > open->count
                              ? l.seen.sequence - open->count : 0;
            }

            /* a line that was taken back has its number again */

            at_us += l.duration_us
                     - (l.number == last.number ? last.duration_us : 0);
            last = l;
            open = NULL;
        }

        lost = (l.kind == MNT_JOURNAL_LOST);
    }

    return n;
}


static int
mnt_journal_segment(const mnt_str_t *f, mnt_journal_line_t *l)
{
    uint32_t  container, flag;
    uint64_t  token;

    if (mnt_str_u64(f[1], &l->number) != 0
        || mnt_str_u64(f[2], &l->part) != 0
        || mnt_journal_hex(f[3], UINT32_MAX, &token) != 0
        || mnt_journal_u32(f[4], &container) != 0
        || mnt_journal_u32(f[5], &l->epoch) != 0
        || mnt_str_u64(f[6], &l->seen.sequence) != 0
        || mnt_journal_hex(f[7], UINT64_MAX, &l->seen.identity) != 0
        || mnt_str_i64(f[9], &l->duration_us) != 0
        || mnt_str_u64(f[10], &l->discontinuity) != 0
        || mnt_journal_u32(f[11], &flag) != 0
        || mnt_str_u64(f[12], &l->map) != 0
        || mnt_str_u64(f[13], &l->bytes) != 0)
    {
        return -1;
    }

    if (!mnt_str_eqc(f[8], "-")
        && mnt_str_i64(f[8], &l->seen.date_ms) != 0)
    {
        return -1;
    }

    if (l->number == 0 || flag > 1 || l->duration_us < 0
        || l->duration_us > MNT_HLS_MAX_DURATION
        || container > MNT_HLS_CONTAINER_TEXT
        || mnt_file_extension((mnt_hls_container_e) container) == NULL)
    {
        return -1;
    }

    l->token = (uint32_t) token;
    l->container = (mnt_hls_container_e) container;
    l->discontinuous = flag;

    return 0;
}


static int
mnt_journal_hex(mnt_str_t s, uint64_t max, uint64_t *out)
{
    size_t    i;
    uint64_t  v;
    unsigned  c;

    if (s.len == 0 || s.len > 16) {
        return -1;
    }

    v = 0;

    for (i = 0; i < s.len; i++) {
        c = (unsigned char) s.data[i];

        if (c >= '0' && c <= '9') {
            c -= '0';

        } else if (c >= 'a' && c <= 'f') {
            c -= 'a' - 10;

        } else {
            return -1;
        }

        v = (v << 4) | c;
    }

    if (v > max) {
        return -1;
    }

    *out = v;

    return 0;
}


static int
mnt_journal_u32(mnt_str_t s, uint32_t *out)
{
    uint64_t  v;

    if (mnt_str_u64(s, &v) != 0 || v > UINT32_MAX) {
        return -1;
    }

    *out = (uint32_t) v;

    return 0;
}


uint32_t
mnt_journal_crc(uint32_t crc, const void *p, size_t n)
{
    const unsigned char  *s;

    static const uint32_t  table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
        0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c
    };

    crc = ~crc;

    for (s = p; n; n--, s++) {
        crc ^= *s;
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }

    return ~crc;
}


/* NULL for what no segment may be */

static const char *
mnt_file_extension(mnt_hls_container_e container)
{
    switch (container) {

    case MNT_HLS_CONTAINER_TS:
        return ".ts";

    case MNT_HLS_CONTAINER_FMP4:
        return ".m4s";

    case MNT_HLS_CONTAINER_AAC:
        return ".aac";

    case MNT_HLS_CONTAINER_WEBVTT:
        return ".vtt";

    default:
        return NULL;
    }
}


mnt_str_t
mnt_file_name(const mnt_file_t *f, mnt_str_t prefix, char *buf)
{
    int          n, len;
    mnt_str_t    s;
    const char  *p, *ext;

    len = prefix.len <= MNT_TRACK_PREFIX_MAX ? (int) prefix.len : 0;
    p = len ? prefix.data : "";

    switch (f->kind) {

    case MNT_FILE_SEGMENT:
        ext = mnt_file_extension(f->container);

        n = snprintf(buf, MNT_TRACK_FILE_MAX, "%.*s%06" PRIu64 "%s", len, p,
                     f->number, ext ? ext : ".ts");
        break;

    case MNT_FILE_INIT:
        n = snprintf(buf, MNT_TRACK_FILE_MAX, "%.*sinit-%" PRIu64 ".mp4", len,
                     p, f->number);
        break;

    case MNT_FILE_PART:
        n = snprintf(buf, MNT_TRACK_FILE_MAX,
                     "%.*s%" PRIu64 ".%08" PRIx32 ".part", len, p, f->number,
                     f->token);
        break;

    default:
        n = 0;
        buf[0] = '\0';
    }

    s.data = buf;
    s.len = (size_t) n;

    return s;
}


void
mnt_file_parse(mnt_str_t name, mnt_str_t prefix, mnt_file_t *f)
{
    size_t      n;
    uint64_t    token;
    mnt_str_t   s, number;
    mnt_file_e  kind;

    memset(f, 0, sizeof(mnt_file_t));

    if (name.len < prefix.len
        || (prefix.len && memcmp(name.data, prefix.data, prefix.len) != 0))
    {
        return;
    }

    s.data = name.data + prefix.len;
    s.len = name.len - prefix.len;

    kind = MNT_FILE_SEGMENT;

    if (mnt_str_starts(s, "init-")) {
        kind = MNT_FILE_INIT;
        s.data += sizeof("init-") - 1;
        s.len -= sizeof("init-") - 1;
    }

    n = mnt_file_digits(s);

    number.data = s.data;
    number.len = n;

    s.data += n;
    s.len -= n;

    if (mnt_str_u64(number, &f->number) != 0 || f->number == 0) {
        return;
    }

    if (kind == MNT_FILE_INIT) {
        if (mnt_str_eqc(s, ".mp4") && mnt_file_padded(number, 1)) {
            f->kind = kind;
        }

        return;
    }

    if (s.len == sizeof(".01234567.part") - 1 && s.data[0] == '.'
        && mnt_str_ends(s, ".part"))
    {
        s.data++;
        s.len = 8;

        if (mnt_journal_hex(s, UINT32_MAX, &token) == 0
            && mnt_file_padded(number, 1))
        {
            f->token = (uint32_t) token;
            f->kind = MNT_FILE_PART;
        }

        return;
    }

    if (!mnt_file_padded(number, MNT_FILE_WIDTH)) {
        return;
    }

    for (f->container = MNT_HLS_CONTAINER_TS;
         f->container <= MNT_HLS_CONTAINER_WEBVTT;
         f->container++)
    {
        if (mnt_str_eqc(s, mnt_file_extension(f->container))) {
            f->kind = kind;
            return;
        }
    }
}


/* a number has one name: "3.ts" is somebody else's, not 000003.ts */

static int
mnt_file_padded(mnt_str_t number, size_t width)
{
    return number.len == width
           || (number.len > width && number.data[0] != '0');
}


static size_t
mnt_file_digits(mnt_str_t s)
{
    size_t  n;

    for (n = 0; n < s.len && s.data[n] >= '0' && s.data[n] <= '9'; n++) {
        /* void */
    }

    return n;
}
