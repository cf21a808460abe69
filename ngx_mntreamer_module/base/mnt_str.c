
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_str.h"

#include <string.h>


static int mnt_str_same(const char *p, const char *q, size_t n, int fold);
static size_t mnt_str_utf8_len(const unsigned char *p, size_t n);


#define mnt_str_lower(c)  (((c) >= 'A' && (c) <= 'Z') ? ((c) | 0x20) : (c))

#define mnt_str_space(c)                                                      \
    ((c) == ' ' || (c) == '\t' || (c) == '\n' || (c) == '\r' || (c) == '\f'   \
     || (c) == '\v')


mnt_str_t
mnt_str_c(const char *s)
{
    mnt_str_t  str;

    str.data = s;
    str.len = (s == NULL) ? 0 : strlen(s);

    return str;
}


static int
mnt_str_same(const char *p, const char *q, size_t n, int fold)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (p[i] == q[i]) {
            continue;
        }

        if (!fold || mnt_str_lower(p[i]) != mnt_str_lower(q[i])) {
            return 0;
        }
    }

    return 1;
}


int
mnt_str_eq(mnt_str_t a, mnt_str_t b)
{
    return a.len == b.len && mnt_str_same(a.data, b.data, a.len, 0);
}


int
mnt_str_eqc(mnt_str_t a, const char *s)
{
    return mnt_str_eq(a, mnt_str_c(s));
}


int
mnt_str_caseeq(mnt_str_t a, mnt_str_t b)
{
    return a.len == b.len && mnt_str_same(a.data, b.data, a.len, 1);
}


int
mnt_str_caseeqc(mnt_str_t a, const char *s)
{
    return mnt_str_caseeq(a, mnt_str_c(s));
}


int
mnt_str_starts(mnt_str_t s, const char *prefix)
{
    size_t  n;

    n = strlen(prefix);

    return s.len >= n && mnt_str_same(s.data, prefix, n, 0);
}


int
mnt_str_ends(mnt_str_t s, const char *suffix)
{
    size_t  n;

    n = strlen(suffix);

    if (n == 0) {
        return 1;
    }

    return s.len >= n && mnt_str_same(s.data + s.len - n, suffix, n, 0);
}


mnt_str_t
mnt_str_trim(mnt_str_t s)
{
    while (s.len && mnt_str_space(s.data[0])) {
        s.data++;
        s.len--;
    }

    while (s.len && mnt_str_space(s.data[s.len - 1])) {
        s.len--;
    }

    return s;
}


int
mnt_str_u64(mnt_str_t s, uint64_t *out)
{
    size_t    i;
    uint64_t  n, digit;

    if (s.len == 0) {
        return -1;
    }

    n = 0;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] < '0' || s.data[i] > '9') {
            return -1;
        }

        digit = (uint64_t) (s.data[i] - '0');

        if (n > (UINT64_MAX - digit) / 10) {
            return -1;
        }

        n = n * 10 + digit;
    }

    *out = n;

    return 0;
}


int
mnt_str_i64(mnt_str_t s, int64_t *out)
{
    int       negative;
    uint64_t  n;

    negative = 0;

    if (s.len && s.data[0] == '-') {
        negative = 1;
        s.data++;
        s.len--;
    }

    if (mnt_str_u64(s, &n) != 0) {
        return -1;
    }

    if (n <= INT64_MAX) {
        *out = negative ? - (int64_t) n : (int64_t) n;
        return 0;
    }

    if (negative && n == (uint64_t) INT64_MAX + 1) {
        *out = INT64_MIN;
        return 0;
    }

    return -1;
}


int
mnt_str_micros(mnt_str_t s, int64_t *out)
{
    size_t   i, digits;
    int64_t  whole, micros, unit;

    whole = 0;
    digits = 0;

    for (i = 0; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++) {
        whole = whole * 10 + (s.data[i] - '0');
        digits++;

        /* one second is kept for the fraction and its rounding */

        if (whole >= INT64_MAX / 1000000 - 1) {
            return -1;
        }
    }

    micros = 0;

    if (i < s.len && s.data[i] == '.') {
        unit = 100000;

        for (i++; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++) {
            if (unit > 0) {
                micros += unit * (s.data[i] - '0');

            } else if (unit == 0) {
                micros += (s.data[i] >= '5');
                unit = -1;
            }

            unit = (unit > 0) ? unit / 10 : unit;
            digits++;
        }
    }

    if (i != s.len || digits == 0) {
        return -1;
    }

    *out = whole * 1000000 + micros;

    return 0;
}


uint64_t
mnt_str_hash(mnt_str_t s)
{
    size_t    i;
    uint64_t  h;

    h = 14695981039346656037u;

    for (i = 0; i < s.len; i++) {
        h ^= (unsigned char) s.data[i];
        h *= 1099511628211u;
    }

    return h;
}


/* bytes of the code point at "p", or 0 when it is malformed or cut off */

static size_t
mnt_str_utf8_len(const unsigned char *p, size_t n)
{
    size_t         len, i;
    unsigned char  low, high;

    low = 0x80;
    high = 0xbf;

    if (p[0] < 0x80) {
        return 1;

    } else if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        len = 2;

    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        len = 3;
        low = (p[0] == 0xe0) ? 0xa0 : 0x80;
        high = (p[0] == 0xed) ? 0x9f : 0xbf;

    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        len = 4;
        low = (p[0] == 0xf0) ? 0x90 : 0x80;
        high = (p[0] == 0xf4) ? 0x8f : 0xbf;

    } else {
        return 0;
    }

    if (n < len || p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return len;
}


int
mnt_str_utf8(mnt_str_t s)
{
    size_t  i, n;

    for (i = 0; i < s.len; i += n) {
        n = mnt_str_utf8_len((const unsigned char *) s.data + i, s.len - i);

        if (n == 0) {
            return 0;
        }
    }

    return 1;
}


mnt_str_t
mnt_str_utf8_cut(mnt_str_t s, size_t max)
{
    size_t  n;

    if (s.len <= max) {
        return s;
    }

    /* s.data[n] is the first byte left out: it must not continue a sequence */

    for (n = max; n > 0 && max - n < 4; n--) {
        if (((unsigned char) s.data[n] & 0xc0) != 0x80) {
            break;
        }
    }

    s.len = (max - n < 4) ? n : max;

    return s;
}
