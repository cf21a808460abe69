
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_export.h"

#include <string.h>


#define MNT_EXPORT_LONGEST  ((int64_t) 86400 * 1000000)  /* an entry */
#define MNT_EXPORT_LACKS    ((int64_t) 10 * 1000000)


static int mnt_export_line(mnt_str_t *text, mnt_str_t *line);
static int mnt_export_value(mnt_str_t line, const char *tag,
    mnt_str_t *value);
static mnt_str_t mnt_export_attribute(mnt_str_t list, const char *name);
static int mnt_export_beside(mnt_str_t name);
static int mnt_export_cut(mnt_export_reader_t *rd, int64_t at_us);
static int mnt_export_rate(mnt_str_t text, int64_t *rate);


void
mnt_export_init(mnt_export_reader_t *rd, mnt_str_t text,
    const mnt_hls_cuts_t *cuts, int64_t begin_us, int64_t end_us)
{
    memset(rd, 0, sizeof(mnt_export_reader_t));

    rd->text = text;
    rd->cuts = cuts;
    rd->begin_us = begin_us;
    rd->end_us = end_us;
    rd->broken = 1;
}


int
mnt_export_next(mnt_export_reader_t *rd, mnt_export_entry_t *e)
{
    int        gap;
    int64_t    at;
    mnt_str_t  line, value;

    gap = 0;
    memset(e, 0, sizeof(mnt_export_entry_t));

    while (mnt_export_line(&rd->text, &line)) {

        if (mnt_str_eqc(line, "#EXT-X-DISCONTINUITY")) {
            rd->broken = 1;

        } else if (mnt_str_eqc(line, "#EXT-X-GAP")) {
            gap = 1;

        } else if (mnt_export_value(line, "#EXT-X-MAP:", &value)) {
            rd->map = mnt_export_attribute(value, "URI");

        } else if (mnt_export_value(line, "#EXTINF:", &value)) {
            value.len = strcspn(value.data, ",\r\n");

            if (mnt_str_micros(value, &e->duration_us) != 0
                || e->duration_us > MNT_EXPORT_LONGEST)
            {
                e->duration_us = 0;
            }

        } else if (line.len && line.data[0] != '#') {
            at = rd->at_us;
            rd->at_us += e->duration_us;

            if (rd->end_us >= 0 && at >= rd->end_us) {
                return 0;
            }

            if (gap || mnt_export_cut(rd, at) || !mnt_export_beside(line)
                || (rd->map.len && !mnt_export_beside(rd->map)))
            {
                rd->broken = 1;

            } else if (rd->at_us > rd->begin_us) {
                e->uri = line;
                e->map = rd->map;
                e->begins = rd->broken;
                rd->broken = 0;
                return 1;
            }

            gap = 0;
            e->duration_us = 0;
        }
    }

    return 0;
}


/* spans are in order, and so are entries */

static int
mnt_export_cut(mnt_export_reader_t *rd, int64_t at_us)
{
    const mnt_hls_cuts_t  *cuts;

    cuts = rd->cuts;

    while (cuts && rd->cut < cuts->n && cuts->spans[rd->cut].end_us <= at_us) {
        rd->cut++;
    }

    return cuts && rd->cut < cuts->n
           && cuts->spans[rd->cut].begin_us <= at_us;
}


void
mnt_export_skip(mnt_export_reader_t *rd)
{
    rd->broken = 1;
}


mnt_str_t
mnt_export_audio(mnt_str_t text)
{
    mnt_str_t  line, list, uri;

    static const mnt_str_t  none = mnt_str_null;

    while (mnt_export_line(&text, &line)) {

        if (!mnt_export_value(line, "#EXT-X-MEDIA:", &list)
            || !mnt_str_eqc(mnt_export_attribute(list, "TYPE"), "AUDIO"))
        {
            continue;
        }

        uri = mnt_export_attribute(list, "URI");

        if (mnt_str_ends(uri, ".m3u8") && mnt_export_beside(uri)) {
            return uri;
        }
    }

    return none;
}


int
mnt_export_progress(mnt_str_t line, int64_t *at_us, int64_t *rate)
{
    mnt_str_t  value;

    if (mnt_export_value(line, "out_time_us=", &value)) {
        return mnt_str_i64(value, at_us) == 0 && *at_us >= 0;
    }

    if (mnt_export_value(line, "speed=", &value)) {
        value = mnt_str_trim(value);

        if (!mnt_str_ends(value, "x")) {
            return 0;
        }

        value.len--;

        return mnt_export_rate(value, rate) == 0 ? 2 : 0;
    }

    return 0;
}


/* "0.98", "123", and what is large as "1.27e+03" */

static int
mnt_export_rate(mnt_str_t text, int64_t *rate)
{
    int64_t      power;
    mnt_str_t    digits;
    const char  *e;

    power = 0;
    e = memchr(text.data, 'e', text.len);

    if (e) {
        digits.data = e + 1;
        digits.len = (size_t) (text.data + text.len - digits.data);
        text.len = (size_t) (e - text.data);

        if (!mnt_str_starts(digits, "+")) {
            return -1;
        }

        digits.data++;
        digits.len--;

        if (mnt_str_i64(digits, &power) != 0 || power < 0 || power > 6) {
            return -1;
        }
    }

    if (mnt_str_micros(text, rate) != 0 || *rate > 1000 * (int64_t) 1000000) {
        return -1;
    }

    while (power--) {
        *rate *= 10;
    }

    *rate /= 1000;

    return 0;
}


int64_t
mnt_export_share(int64_t at_us, int64_t whole_us)
{
    if (whole_us <= 0 || at_us <= 0) {
        return 0;
    }

    if (at_us >= whole_us) {
        return 999;
    }

    /* no recording is so long that this overflows */

    return at_us * 1000 / whole_us;
}


int
mnt_export_short(int64_t made_us, int64_t whole_us)
{
    int64_t  lacks;

    lacks = whole_us - made_us;

    return lacks > MNT_EXPORT_LACKS && lacks > whole_us / 100;
}


/* without its end; 0: there is no whole one */

static int
mnt_export_line(mnt_str_t *text, mnt_str_t *line)
{
    const char  *end;

    end = text->len ? memchr(text->data, '\n', text->len) : NULL;

    if (end == NULL) {
        return 0;
    }

    line->data = text->data;
    line->len = (size_t) (end - text->data);

    text->len -= line->len + 1;
    text->data = end + 1;

    if (line->len && line->data[line->len - 1] == '\r') {
        line->len--;
    }

    return 1;
}


static int
mnt_export_value(mnt_str_t line, const char *tag, mnt_str_t *value)
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


/* NAME=value or NAME="value"; names within quotes are none */

static mnt_str_t
mnt_export_attribute(mnt_str_t list, const char *name)
{
    int        quoted;
    size_t     i, begin;
    mnt_str_t  one, value;

    static const mnt_str_t  none = mnt_str_null;

    quoted = 0;
    begin = 0;

    for (i = 0; i <= list.len; i++) {

        if (i < list.len && list.data[i] == '"') {
            quoted = !quoted;
        }

        if (i < list.len && (quoted || list.data[i] != ',')) {
            continue;
        }

        one.data = list.data + begin;
        one.len = i - begin;
        begin = i + 1;

        if (mnt_export_value(one, name, &value) && value.len
            && value.data[0] == '=')
        {
            value.data++;
            value.len--;

            if (value.len > 1 && value.data[0] == '"'
                && value.data[value.len - 1] == '"')
            {
                value.data++;
                value.len -= 2;
            }

            return value;
        }
    }

    return none;
}


/* what a program is told to open lies in the directory, and is no option */

static int
mnt_export_beside(mnt_str_t name)
{
    size_t  i;

    if (name.len == 0 || name.len > 255 || name.data[0] == '.'
        || name.data[0] == '-')
    {
        return 0;
    }

    for (i = 0; i < name.len; i++) {
        if (!((name.data[i] >= 'a' && name.data[i] <= 'z')
              || (name.data[i] >= 'A' && name.data[i] <= 'Z')
              || (name.data[i] >= '0' && name.data[i] <= '9')
              || name.data[i] == '-' || name.data[i] == '.'))
        {
            return 0;
        }
    }

    return 1;
}
