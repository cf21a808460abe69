
/*
 * Copyright (C) the mntreamer authors
 *
 * An attribute list is read in order, in pieces of itself, to its end, and
 * reads the same when it is written again; the container of a segment is one
 * of those known.
 */


#include "mnt_fuzz.h"

#include "hls/mnt_hls_reader.h"


static size_t
put(char *p, mnt_str_t s)
{
    if (s.len) {
        memcpy(p, s.data, s.len);
    }

    return s.len;
}


/* a list written again is never longer than it was */

static size_t
write_again(char *p, size_t n, const mnt_hls_attribute_t *attr)
{
    if (n) {
        p[n++] = ',';
    }

    n += put(p + n, attr->name);
    p[n++] = '=';

    if (attr->quoted) {
        p[n++] = '"';
    }

    n += put(p + n, attr->value);

    if (attr->quoted) {
        p[n++] = '"';
    }

    return n;
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    int                   rc, has_offset;
    char                 *text;
    size_t                n;
    mnt_str_t             list, again, values[3];
    mnt_hls_range_t       range;
    mnt_hls_attribute_t   attr, copy;

    static const char  *const names[] = { "URI", "METHOD", "IV", NULL };

    (void) mnt_hls_sniff(in, len);
    (void) mnt_hls_broken(in, len);

    /* NUL never comes so far: the reader refuses it before */

    if (len > 4096 || memchr(in, '\0', len)) {
        return 0;
    }

    list = mnt_fuzz_str(in, len);
    text = malloc(len);
    mnt_fuzz_hold(text != NULL);
    again = mnt_fuzz_str((uint8_t *) text, 0);

    (void) mnt_hls_attr_read(list, names, values);
    (void) mnt_hls_attr_enumerated(list);

    if (mnt_hls_range_read(list, &range, &has_offset) == MNT_HLS_OK) {
        mnt_fuzz_hold(range.length > 0);
        mnt_fuzz_hold(range.offset + range.length <= INT64_MAX);
    }

    for ( ;; ) {
        n = list.len;
        rc = mnt_hls_attr_next(&list, &attr);

        if (rc != 1) {
            break;
        }

        mnt_fuzz_hold(list.len < n);
        mnt_fuzz_hold(attr.name.len > 0);
        mnt_fuzz_hold(attr.value.len == 0
                      || !memchr(attr.value.data, '"', attr.value.len));

        again.len = write_again(text, again.len, &attr);
    }

    if (rc == 0) {
        list = mnt_fuzz_str(in, len);

        while (mnt_hls_attr_next(&list, &attr) == 1) {
            mnt_fuzz_hold(mnt_hls_attr_next(&again, &copy) == 1);
            mnt_fuzz_hold(mnt_str_eq(attr.name, copy.name));
            mnt_fuzz_hold(mnt_str_eq(attr.value, copy.value));
        }

        mnt_fuzz_hold(mnt_hls_attr_next(&again, &copy) == 0);
    }

    free(text);

    return 0;
}
