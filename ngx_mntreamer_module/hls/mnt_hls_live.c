
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_hls_live_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define MNT_HLS_LIVE_SKIP_S    18             /* at least */
#define MNT_HLS_LIVE_SKIP      6              /* target durations */
#define MNT_HLS_LIVE_VERSION   9              /* EXT-X-SKIP, rfc8216bis 8 */


static int mnt_hls_live_push(mnt_hls_live_t *live, const mnt_hls_mark_t *mark);
static void mnt_hls_live_head_tag(mnt_hls_live_t *live, mnt_str_t line);


void
mnt_hls_live_init(mnt_hls_live_t *live)
{
    memset(live, 0, sizeof(mnt_hls_live_t));
}


void
mnt_hls_live_free(mnt_hls_live_t *live)
{
    free(live->marks);
    mnt_hls_live_init(live);
}


int
mnt_hls_live_read(mnt_hls_live_t *live, mnt_str_t text)
{
    size_t               i, next;
    mnt_str_t            line;
    mnt_hls_mark_t       m, begin;
    mnt_hls_live_line_e  kind;
    const uint64_t       base = live->at.offset;

    m = live->at;
    begin = m;

    for (i = 0; !live->ended && !live->foreign; i = next) {

        next = mnt_hls_live_line(text, i, &line);
        if (next == 0) {
            break;
        }

        kind = mnt_hls_live_take(&m, line, base + i);
        m.offset = base + next;

        switch (kind) {

        case MNT_HLS_LIVE_TAG:
            break;

        case MNT_HLS_LIVE_OTHER:

            /* the first entry begins behind the head */

            if (live->n == 0 && begin.offset == base + i) {
                mnt_hls_live_head_tag(live, line);
                begin.offset = m.offset;

            } else if (mnt_str_starts(line, "#EXT")) {
                live->foreign = 1;
            }

            break;

        case MNT_HLS_LIVE_URI:

            if (begin.entries % MNT_HLS_LIVE_EVERY == 0
                && mnt_hls_live_push(live, &begin) != 0)
            {
                return -1;
            }

            m.entries++;
            live->at = m;
            begin = m;
            break;

        case MNT_HLS_LIVE_END:
            live->ended = 1;
            live->at.offset = m.offset;
            break;

        case MNT_HLS_LIVE_FOREIGN:
            live->foreign = 1;
            live->multivariant = live->n == 0
                && (mnt_str_starts(line, "#EXT-X-STREAM-INF:")
                    || mnt_str_starts(line, "#EXT-X-MEDIA:"));
            break;
        }
    }

    return 0;
}


static int
mnt_hls_live_push(mnt_hls_live_t *live, const mnt_hls_mark_t *mark)
{
    size_t           room;
    mnt_hls_mark_t  *marks;

    if (live->n == live->room) {
        room = live->room ? 2 * live->room : 16;

        marks = realloc(live->marks, room * sizeof(mnt_hls_mark_t));
        if (marks == NULL) {
            return -1;
        }

        live->marks = marks;
        live->room = room;
    }

    live->marks[live->n++] = *mark;

    return 0;
}


size_t
mnt_hls_live_line(mnt_str_t text, size_t i, mnt_str_t *line)
{
    const char  *end;

    if (i >= text.len) {
        return 0;
    }

    line->data = text.data + i;

    end = memchr(line->data, '\n', text.len - i);
    if (end == NULL) {
        return 0;
    }

    line->len = (size_t) (end - line->data);

    return i + line->len + 1;
}


mnt_hls_live_line_e
mnt_hls_live_take(mnt_hls_mark_t *m, mnt_str_t line, uint64_t offset)
{
    size_t     i;
    int64_t    us;
    mnt_str_t  value;

    static const char *const  none[] = {
        "#EXT-X-STREAM-INF:", "#EXT-X-MEDIA:", "#EXT-X-KEY:",
        "#EXT-X-BYTERANGE:", "#EXT-X-BITRATE:", "#EXT-X-DATERANGE:",
        "#EXT-X-DEFINE:", "#EXT-X-SKIP:", "#EXT-X-PART", NULL
    };

    /* lines of others, zeros that a lost power left */

    if (line.len && ((unsigned char) line.data[0] <= ' '
                     || line.data[line.len - 1] == '\r'))
    {
        return MNT_HLS_LIVE_FOREIGN;
    }

    if (line.len && line.data[0] != '#') {
        return MNT_HLS_LIVE_URI;
    }

    if (mnt_hls_live_value(line, "#EXTINF:", &value)) {

        for (i = 0; i < value.len && value.data[i] != ','; i++) {
            /* void */
        }

        value.len = i;

        if (mnt_str_micros(value, &us) != 0 || us > MNT_HLS_MAX_DURATION) {
            return MNT_HLS_LIVE_FOREIGN;
        }

        m->time_us += us;
        return MNT_HLS_LIVE_TAG;
    }

    if (mnt_str_eqc(line, "#EXT-X-DISCONTINUITY")) {
        m->discontinuities++;
        return MNT_HLS_LIVE_TAG;
    }

    if (mnt_str_starts(line, "#EXT-X-MAP:")) {
        m->map_offset = offset;
        m->map_len = line.len + 1;
        return MNT_HLS_LIVE_TAG;
    }

    if (mnt_str_starts(line, "#EXT-X-PROGRAM-DATE-TIME:")
        || mnt_str_eqc(line, "#EXT-X-GAP"))
    {
        return MNT_HLS_LIVE_TAG;
    }

    if (mnt_str_eqc(line, "#EXT-X-ENDLIST")) {
        return MNT_HLS_LIVE_END;
    }

    for (i = 0; none[i]; i++) {
        if (mnt_str_starts(line, none[i])) {
            return MNT_HLS_LIVE_FOREIGN;
        }
    }

    return MNT_HLS_LIVE_OTHER;
}


static void
mnt_hls_live_head_tag(mnt_hls_live_t *live, mnt_str_t line)
{
    uint64_t   n;
    mnt_str_t  value;

    n = 0;

    if (mnt_hls_live_value(line, "#EXT-X-VERSION:", &value)) {
        live->foreign |= (mnt_str_u64(value, &n) != 0 || n > 99);
        live->version = (uint32_t) n;

    } else if (mnt_hls_live_value(line, "#EXT-X-TARGETDURATION:", &value)) {
        live->foreign |= (mnt_str_u64(value, &n) != 0 || n > 3600);
        live->target_s = (uint32_t) n;

    } else if (mnt_hls_live_value(line, "#EXT-X-MEDIA-SEQUENCE:", &value)) {
        live->foreign |= (mnt_str_u64(value, &n) != 0 || n > INT64_MAX);
        live->sequence = n;

    } else if (mnt_hls_live_value(line, "#EXT-X-DISCONTINUITY-SEQUENCE:",
                                  &value))
    {
        live->foreign |= (mnt_str_u64(value, &n) != 0 || n > INT64_MAX);
        live->discontinuity = n;

    } else if (mnt_str_eqc(line, "#EXT-X-PLAYLIST-TYPE:EVENT")) {
        live->event = 1;

    } else if (mnt_str_eqc(line, "#EXT-X-INDEPENDENT-SEGMENTS")) {
        live->independent = 1;

    } else if (mnt_str_starts(line, "#EXT") && !mnt_str_eqc(line, "#EXTM3U")) {
        live->foreign = 1;
    }
}


int
mnt_hls_live_value(mnt_str_t line, const char *tag, mnt_str_t *value)
{
    size_t  n;

    if (!mnt_str_starts(line, tag)) {
        return 0;
    }

    n = strlen(tag);

    value->data = line.data + n;
    value->len = line.len - n;

    return 1;
}


int
mnt_hls_live_shown(const mnt_hls_live_t *live)
{
    return live->n && live->version && live->target_s && !live->foreign;
}


uint32_t
mnt_hls_live_skip_s(const mnt_hls_live_t *live)
{
    uint32_t  s;

    s = MNT_HLS_LIVE_SKIP * live->target_s;

    return s < MNT_HLS_LIVE_SKIP_S ? MNT_HLS_LIVE_SKIP_S : s;
}


const mnt_hls_mark_t *
mnt_hls_live_mark(const mnt_hls_live_t *live, int64_t span_us)
{
    size_t  low, high, middle;

    if (live->n == 0) {
        return NULL;
    }

    /* the last one at or before the beginning of the span */

    low = 0;
    high = live->n;

    while (high - low > 1) {
        middle = low + (high - low) / 2;

        if (live->marks[middle].time_us <= live->at.time_us - span_us) {
            low = middle;

        } else {
            high = middle;
        }
    }

    return &live->marks[low];
}


uint64_t
mnt_hls_live_until(const mnt_hls_live_t *live, const mnt_hls_mark_t *mark)
{
    size_t  i;

    i = (size_t) (mark - live->marks) + 1;

    return i < live->n ? live->marks[i].offset : live->at.offset;
}


void
mnt_hls_live_first(const mnt_hls_live_t *live, const mnt_hls_mark_t *mark,
    mnt_str_t text, int64_t span_us, mnt_hls_mark_t *first)
{
    size_t          i, next;
    mnt_str_t       line;
    mnt_hls_mark_t  m;

    m = *mark;
    *first = m;

    for (i = 0; ; i = next) {

        next = mnt_hls_live_line(text, i, &line);
        if (next == 0) {
            return;
        }

        if (mnt_hls_live_take(&m, line, mark->offset + i)
            != MNT_HLS_LIVE_URI)
        {
            continue;
        }

        if (m.time_us > live->at.time_us - span_us
            || mark->offset + next >= live->at.offset)
        {
            return;
        }

        m.entries++;
        m.offset = mark->offset + next;
        *first = m;
    }
}


size_t
mnt_hls_live_head(const mnt_hls_live_t *live, mnt_hls_view_e view,
    const mnt_hls_mark_t *first, mnt_str_t map, char *buf, size_t size)
{
    char       head[MNT_HLS_LIVE_HEAD], control[MNT_HLS_LIVE_HEAD / 4];
    size_t     len;
    uint64_t   skipped, gone, breaks;
    uint32_t   version;
    mnt_str_t  s;

    skipped = (view == MNT_HLS_VIEW_DELTA) ? first->entries : 0;
    gone = (view == MNT_HLS_VIEW_WINDOW) ? first->entries : 0;
    breaks = live->discontinuity
             + (view == MNT_HLS_VIEW_WINDOW ? first->discontinuities : 0);

    version = live->version;
    control[0] = '\0';

    if (!live->ended) {
        (void) snprintf(control, sizeof(control),
                        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,"
                        "CAN-SKIP-UNTIL=%" PRIu32 ".0\n",
                        mnt_hls_live_skip_s(live));
    }

    if (skipped && version < MNT_HLS_LIVE_VERSION) {
        version = MNT_HLS_LIVE_VERSION;
    }

    s.data = head;
    s.len = (size_t) snprintf(head, sizeof(head),
                "#EXTM3U\n#EXT-X-VERSION:%" PRIu32 "\n%s"
                "#EXT-X-TARGETDURATION:%" PRIu32 "\n%s"
                "#EXT-X-MEDIA-SEQUENCE:%" PRIu64 "\n",
                version,
                live->independent ? "#EXT-X-INDEPENDENT-SEGMENTS\n" : "",
                live->target_s, control, live->sequence + gone);

    len = 0;
    mnt_hls_live_put(buf, size, &len, s);

    if (breaks) {
        s.len = (size_t) snprintf(head, sizeof(head),
                             "#EXT-X-DISCONTINUITY-SEQUENCE:%" PRIu64 "\n",
                             breaks);
        mnt_hls_live_put(buf, size, &len, s);
    }

    /* nothing is ever taken off an event (RFC 8216 4.3.3.5) */

    if (live->event && view != MNT_HLS_VIEW_WINDOW) {
        mnt_hls_live_put(buf, size, &len,
                         mnt_str_c("#EXT-X-PLAYLIST-TYPE:EVENT\n"));
    }

    if (skipped) {
        s.len = (size_t) snprintf(head, sizeof(head),
                             "#EXT-X-SKIP:SKIPPED-SEGMENTS=%" PRIu64 "\n",
                             skipped);
        mnt_hls_live_put(buf, size, &len, s);
    }

    mnt_hls_live_put(buf, size, &len, map);

    return len;
}


void
mnt_hls_live_put(char *buf, size_t size, size_t *len, mnt_str_t s)
{
    if (s.len && *len < size && s.len < size - *len) {
        memcpy(buf + *len, s.data, s.len);
    }

    *len += s.len;
}
