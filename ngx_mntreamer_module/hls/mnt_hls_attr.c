
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_hls_reader.h"

#include <string.h>


static size_t mnt_hls_attr_find(mnt_str_t s, char c);
static int mnt_hls_attr_name(mnt_str_t *s, mnt_str_t *name);


static size_t
mnt_hls_attr_find(mnt_str_t s, char c)
{
    const char  *p;

    p = s.len ? memchr(s.data, c, s.len) : NULL;

    return p ? (size_t) (p - s.data) : s.len;
}


/* "name=" is taken off the front */

static int
mnt_hls_attr_name(mnt_str_t *s, mnt_str_t *name)
{
    size_t  n;

    n = mnt_hls_attr_find(*s, '=');

    if (n == s->len) {
        return -1;
    }

    name->data = s->data;
    name->len = n;
    *name = mnt_str_trim(*name);

    s->data += n + 1;
    s->len -= n + 1;
    *s = mnt_str_trim(*s);

    return (name->len == 0
            || mnt_hls_attr_find(*name, ',') != name->len
            || mnt_hls_attr_find(*name, '"') != name->len) ? -1 : 0;
}


int
mnt_hls_attr_next(mnt_str_t *list, mnt_hls_attribute_t *attr)
{
    size_t     n;
    mnt_str_t  s;

    s = mnt_str_trim(*list);

    /* a comma too many is common */

    while (s.len && s.data[0] == ',') {
        s.data++;
        s.len--;
        s = mnt_str_trim(s);
    }

    if (s.len == 0) {
        return 0;
    }

    if (mnt_hls_attr_name(&s, &attr->name) != 0) {
        return -1;
    }

    attr->quoted = (s.len && s.data[0] == '"');

    if (attr->quoted) {
        s.data++;
        s.len--;
    }

    n = mnt_hls_attr_find(s, attr->quoted ? '"' : ',');
    attr->value.data = s.data;
    attr->value.len = n;

    if (attr->quoted) {
        if (n == s.len) {
            return -1;
        }

        n++;

    } else {
        attr->value = mnt_str_trim(attr->value);

        if (mnt_hls_attr_find(attr->value, '"') != attr->value.len) {
            return -1;
        }
    }

    s.data += n;
    s.len -= n;
    *list = mnt_str_trim(s);

    return (list->len && list->data[0] != ',') ? -1 : 1;
}


mnt_hls_rc_e
mnt_hls_attr_read(mnt_str_t list, const char *const *names, mnt_str_t *values)
{
    int                  rc;
    unsigned             i;
    mnt_hls_attribute_t  attr;

    for (i = 0; names[i]; i++) {
        values[i].data = NULL;
        values[i].len = 0;
    }

    for ( ;; ) {
        rc = mnt_hls_attr_next(&list, &attr);

        if (rc != 1) {
            return rc ? MNT_HLS_BAD_ATTRIBUTE : MNT_HLS_OK;
        }

        for (i = 0; names[i]; i++) {
            if (values[i].data == NULL && mnt_str_eqc(attr.name, names[i])) {
                values[i] = attr.value;
                break;
            }
        }
    }
}


mnt_hls_rc_e
mnt_hls_attr_keep(mnt_arena_t *a, mnt_str_t list, mnt_hls_attribute_t **attrs,
    unsigned *n)
{
    int                  rc;
    mnt_hls_attribute_t  attr;

    *n = 0;
    *attrs = mnt_arena_alloc(a, MNT_HLS_MAX_ATTRIBUTES
                                * sizeof(mnt_hls_attribute_t));

    if (*attrs == NULL) {
        return MNT_HLS_NO_MEMORY;
    }

    for ( ;; ) {
        rc = mnt_hls_attr_next(&list, &attr);

        if (rc != 1) {
            return rc ? MNT_HLS_BAD_ATTRIBUTE : MNT_HLS_OK;
        }

        if (*n < MNT_HLS_MAX_ATTRIBUTES) {
            (*attrs)[(*n)++] = attr;
        }
    }
}


int
mnt_hls_attr_enumerated(mnt_str_t s)
{
    char    c;
    size_t  i;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
              || (c >= '0' && c <= '9') || c == '-' || c == '_'))
        {
            return 0;
        }
    }

    return s.len > 0;
}


mnt_hls_rc_e
mnt_hls_range_read(mnt_str_t s, mnt_hls_range_t *range, int *has_offset)
{
    size_t     n;
    mnt_str_t  length, offset;

    n = mnt_hls_attr_find(s, '@');
    length.data = s.data;
    length.len = n;
    *has_offset = (n < s.len);
    range->offset = 0;

    if (*has_offset) {
        offset.data = s.data + n + 1;
        offset.len = s.len - n - 1;

        if (mnt_str_u64(mnt_str_trim(offset), &range->offset) != 0) {
            return MNT_HLS_BAD_BYTERANGE;
        }
    }

    if (mnt_str_u64(mnt_str_trim(length), &range->length) != 0
        || range->length == 0
        || range->length > INT64_MAX
        || range->offset > (uint64_t) INT64_MAX - range->length)
    {
        return MNT_HLS_BAD_BYTERANGE;
    }

    return MNT_HLS_OK;
}
