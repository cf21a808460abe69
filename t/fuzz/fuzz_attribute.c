
/*
 * Copyright (C) the mntreamer authors
 *
 * An attribute list is read in order, in pieces of itself, to its end, and
 * reads the same when it is written again; the container of a segment is one
 * of those known.
 */


#include "mnt_fuzz.h"

#include "hls/mnt_hls_reader.h"


static void
write_again(mnt_arena_t *a, mnt_str_t *text, const mnt_hls_attribute_t *attr)
{
    const char  *quote;

    quote = attr->quoted ? "\"" : "";

    *text = mnt_arena_printf(a, "%.*s%s%.*s=%s%.*s%s", (int) text->len,
                             text->len ? text->data : "",
                             text->len ? "," : "",
                             (int) attr->name.len, attr->name.data, quote,
                             (int) attr->value.len, attr->value.data, quote);
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    int                   rc, has_offset;
    size_t                n;
    mnt_str_t             list, again, values[3];
    mnt_arena_t           a;
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
    again.data = NULL;
    again.len = 0;
    mnt_arena_init(&a, 256 * 1024 * 1024);

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

        write_again(&a, &again, &attr);

        if (again.data == NULL) {
            rc = -1;
            break;
        }
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

    mnt_arena_free(&a);

    return 0;
}
