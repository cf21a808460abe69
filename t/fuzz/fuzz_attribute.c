
/*
 * Copyright (C) the mntreamer authors
 *
 * An attribute list is read in order, in pieces of itself, to its end, and
 * reads the same when it is written again; the container of a segment is one
 * of those known, a mark of UTF-8 in front of a text changes nothing, and a
 * picture is found in a packet of its own, wherever that stands.
 */


#include "mnt_fuzz.h"

#include "hls/mnt_hls_reader.h"


#define PACKET  188                           /* of a transport stream */


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


/* a whole segment begins with a picture when one of its packets does */

static void
picture(const uint8_t *in, size_t len)
{
    int       found, one;
    size_t    n, at;
    uint8_t   packet[PACKET];
    uint8_t  *copy;

    found = 0;

    for (n = 0; len - n >= PACKET; n += PACKET) {

        /* exactly as large as it is, so that a byte too many is seen */

        copy = malloc(PACKET);
        mnt_fuzz_hold(copy != NULL);
        memcpy(copy, in + n, PACKET);

        one = mnt_hls_sniff_picture(copy, PACKET);
        mnt_fuzz_hold(!one || (copy[0] == 0x47 && (copy[1] & 0x40)));
        found |= one;

        free(copy);
    }

    mnt_fuzz_hold(mnt_hls_sniff_picture(in, len) == found);

    if (len == 0) {
        return;
    }

    /* one of a picture, behind as much of an adaptation field as fits */

    memset(packet, 0xff, PACKET);

    packet[0] = 0x47;
    packet[1] = 0x40;
    packet[3] = in[0] & 1 ? 0x30 : 0x10;
    packet[4] = in[0];
    at = in[0] & 1 ? 5 + (size_t) in[0] : 4;

    if (at + 4 <= PACKET) {
        packet[at] = 0;
        packet[at + 1] = 0;
        packet[at + 2] = 1;
        packet[at + 3] = 0xe0 | (in[0] >> 4);
    }

    one = mnt_hls_sniff_picture(packet, PACKET);
    mnt_fuzz_hold(one == (at + 4 <= PACKET));

    packet[1] = 0;
    mnt_fuzz_hold(!mnt_hls_sniff_picture(packet, PACKET));
}


static void
container(const uint8_t *in, size_t len)
{
    int                   broken;
    uint8_t              *marked;
    mnt_hls_container_e   kind;

    kind = mnt_hls_sniff(in, len);
    mnt_fuzz_hold(kind <= MNT_HLS_CONTAINER_TEXT);

    /* what is known to be a TS is whole; what follows three packets is not
       looked at */

    broken = mnt_hls_broken(in, len);
    mnt_fuzz_hold(!broken || kind != MNT_HLS_CONTAINER_TS || len < PACKET);
    mnt_fuzz_hold(len <= 3 * PACKET
                  || broken == mnt_hls_broken(in, 3 * PACKET));

    if (len > 1024 || (len >= 3 && memcmp(in, "\xef\xbb\xbf", 3) == 0)) {
        return;
    }

    marked = malloc(len + 3);
    mnt_fuzz_hold(marked != NULL);

    memcpy(marked, "\xef\xbb\xbf", 3);

    if (len) {
        memcpy(marked + 3, in, len);
    }

    mnt_fuzz_hold(mnt_hls_sniff(marked, len + 3) == kind);
    free(marked);
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

    container(in, len);
    picture(in, len);

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
