
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_hls_query.h"

#include <string.h>


static size_t mnt_hls_query_lines(const mnt_hls_query_t *q, mnt_str_t *in,
    char *buf, size_t size);
static int mnt_hls_query_ends(const mnt_hls_query_t *q, char c);
static void mnt_hls_query_next(mnt_hls_query_t *q, char c);
static void mnt_hls_query_tag(mnt_hls_query_t *q, char c);
static void mnt_hls_query_address(mnt_hls_query_t *q, char c);


static const char  mnt_hls_query_attr[] = "URI=\"";


void
mnt_hls_query_init(mnt_hls_query_t *q, mnt_str_t query)
{
    memset(q, 0, sizeof(mnt_hls_query_t));

    q->query = query;
}


size_t
mnt_hls_query_put(mnt_hls_query_t *q, mnt_str_t *in, char *buf, size_t size)
{
    int     end;
    size_t  n;

    n = 0;
    end = (in->len == 0);

    while (end || in->len) {

        if (size - n < q->query.len + 2) {
            return n;
        }

        n += mnt_hls_query_lines(q, in, buf + n, size - n);

        if (size - n < q->query.len + 2 || (in->len == 0 && !end)) {
            return n;
        }

        if (end ? q->state == MNT_HLS_QUERY_URI && !q->foreign
                : mnt_hls_query_ends(q, in->data[0]))
        {
            buf[n++] = q->marked ? '&' : '?';
            memcpy(buf + n, q->query.data, q->query.len);
            n += q->query.len;
        }

        if (end) {
            q->state = MNT_HLS_QUERY_BEGIN;
            return n;
        }

        mnt_hls_query_next(q, in->data[0]);

        buf[n++] = in->data[0];
        in->data++;
        in->len--;
    }

    return n;
}


/* tags without a quoted text are most of a playlist: copied line by line */

static size_t
mnt_hls_query_lines(const mnt_hls_query_t *q, mnt_str_t *in, char *buf,
    size_t size)
{
    size_t       n, len;
    const char  *eol;

    n = 0;

    while (q->state == MNT_HLS_QUERY_BEGIN && in->len && in->data[0] == '#') {

        eol = memchr(in->data, '\n', in->len);
        if (eol == NULL) {
            break;
        }

        len = (size_t) (eol - in->data) + 1;

        if (len > size - n || memchr(in->data, '"', len)
            || memchr(in->data, '\r', len))
        {
            break;
        }

        memcpy(buf + n, in->data, len);

        n += len;
        in->data += len;
        in->len -= len;
    }

    return n;
}


/* 1: an address ends before "c", and gets the query */

static int
mnt_hls_query_ends(const mnt_hls_query_t *q, char c)
{
    if (q->foreign) {
        return 0;
    }

    return (q->state == MNT_HLS_QUERY_URI && (c == '\r' || c == '\n'))
           || (q->state == MNT_HLS_QUERY_ATTR && c == '"');
}


static void
mnt_hls_query_next(mnt_hls_query_t *q, char c)
{
    if (c == '\n' || c == '\r') {
        q->state = MNT_HLS_QUERY_BEGIN;
        return;
    }

    switch (q->state) {

    case MNT_HLS_QUERY_BEGIN:

        q->name = 0;
        q->marked = 0;
        q->foreign = 0;

        if (c == '#') {
            q->state = MNT_HLS_QUERY_TAG;
            return;
        }

        q->state = MNT_HLS_QUERY_URI;
        mnt_hls_query_address(q, c);
        return;

    case MNT_HLS_QUERY_URI:
        mnt_hls_query_address(q, c);
        return;

    case MNT_HLS_QUERY_TAG:
        mnt_hls_query_tag(q, c);
        return;

    case MNT_HLS_QUERY_QUOTED:

        if (c == '"') {
            q->state = MNT_HLS_QUERY_TAG;
        }

        return;

    case MNT_HLS_QUERY_ATTR:

        if (c == '"') {
            q->state = MNT_HLS_QUERY_TAG;
            return;
        }

        mnt_hls_query_address(q, c);
        return;
    }
}


/* an attribute begins behind a colon or a comma; "name" counts that, too */

static void
mnt_hls_query_tag(mnt_hls_query_t *q, char c)
{
    if (c == ':' || c == ',') {
        q->name = 1;
        return;
    }

    if (q->name && c == mnt_hls_query_attr[q->name - 1]) {

        if (mnt_hls_query_attr[q->name++] == '\0') {
            q->state = MNT_HLS_QUERY_ATTR;
            q->name = 0;
            q->marked = 0;
            q->foreign = 0;
        }

        return;
    }

    q->name = 0;

    if (c == '"') {
        q->state = MNT_HLS_QUERY_QUOTED;
    }
}


static void
mnt_hls_query_address(mnt_hls_query_t *q, char c)
{
    if (q->marked) {
        return;
    }

    q->marked = (c == '?');
    q->foreign |= (c == '/' || c == ':' || c == '\\');
}
