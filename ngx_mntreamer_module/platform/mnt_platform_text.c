
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_platform_probe.h"

#include <string.h>

#include "../base/mnt_url.h"


/* Unicode 3.12, Conjoining Jamo Behavior */

#define MNT_HANGUL_S      0xac00
#define MNT_HANGUL_L      0x1100
#define MNT_HANGUL_V      0x1161
#define MNT_HANGUL_T      0x11a7              /* one before the first */
#define MNT_HANGUL_LN     19
#define MNT_HANGUL_VN     21
#define MNT_HANGUL_TN     28
#define MNT_HANGUL_BYTES  3                   /* of each of them in UTF-8 */


static unsigned mnt_platform_jamo(mnt_str_t s, size_t i);


mnt_str_t
mnt_platform_lower(mnt_arena_t *a, mnt_str_t s)
{
    char       *p;
    size_t      i;
    mnt_str_t   none = mnt_str_null;

    p = mnt_arena_alloc(a, s.len + 1);

    if (p == NULL) {
        return none;
    }

    for (i = 0; i < s.len; i++) {
        p[i] = s.data[i];

        if (p[i] >= 'A' && p[i] <= 'Z') {
            p[i] = (char) (p[i] | 0x20);
        }
    }

    s.data = p;

    return s;
}


mnt_str_t
mnt_platform_escape(mnt_arena_t *a, mnt_str_t s)
{
    char           *p;
    size_t          i;
    mnt_str_t       out = mnt_str_null;
    unsigned char   c;

    static const char  hex[] = "0123456789ABCDEF";

    if (s.len > MNT_URL_MAX) {
        return out;
    }

    p = mnt_arena_alloc(a, s.len * 3 + 1);

    if (p == NULL) {
        return out;
    }

    out.data = p;

    for (i = 0; i < s.len; i++) {
        c = (unsigned char) s.data[i];

        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
            || (c >= 'a' && c <= 'z') || (c && strchr("-._~", c)))
        {
            *p++ = (char) c;
            continue;
        }

        *p++ = '%';
        *p++ = hex[c >> 4];
        *p++ = hex[c & 0xf];
    }

    out.len = (size_t) (p - out.data);

    return out;
}


/* the code point of the three bytes at "i", or 0 */

static unsigned
mnt_platform_jamo(mnt_str_t s, size_t i)
{
    const unsigned char  *p;

    if (i > s.len || s.len - i < MNT_HANGUL_BYTES) {
        return 0;
    }

    p = (const unsigned char *) s.data + i;

    if ((p[0] & 0xf0) != 0xe0) {
        return 0;
    }

    return (p[0] & 0xfu) << 12 | (p[1] & 0x3fu) << 6 | (p[2] & 0x3fu);
}


mnt_str_t
mnt_platform_hangul(mnt_arena_t *a, mnt_str_t s)
{
    char       *p;
    size_t      i;
    unsigned    l, v, t, c;
    mnt_str_t   out = mnt_str_null;

    p = mnt_arena_alloc(a, s.len + 1);

    if (p == NULL) {
        return out;
    }

    out.data = p;

    for (i = 0; i < s.len; /* void */ ) {

        /* what is below a range wraps around and is out of it, too */

        l = mnt_platform_jamo(s, i) - MNT_HANGUL_L;
        v = mnt_platform_jamo(s, i + MNT_HANGUL_BYTES) - MNT_HANGUL_V;

        if (l >= MNT_HANGUL_LN || v >= MNT_HANGUL_VN) {
            *p++ = s.data[i++];
            continue;
        }

        i += 2 * MNT_HANGUL_BYTES;
        t = mnt_platform_jamo(s, i) - MNT_HANGUL_T;

        if (t > 0 && t < MNT_HANGUL_TN) {
            i += MNT_HANGUL_BYTES;

        } else {
            t = 0;
        }

        c = MNT_HANGUL_S + (l * MNT_HANGUL_VN + v) * MNT_HANGUL_TN + t;

        *p++ = (char) (0xe0 | c >> 12);
        *p++ = (char) (0x80 | (c >> 6 & 0x3f));
        *p++ = (char) (0x80 | (c & 0x3f));
    }

    out.len = (size_t) (p - out.data);

    return out;
}
