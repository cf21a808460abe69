
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_name.h"

#include <string.h>


static uint32_t mnt_name_decode(mnt_str_t s, size_t *n);
static int mnt_name_dropped(uint32_t c);
static int mnt_name_replaced(uint32_t c);
static int mnt_name_device(mnt_str_t name);
static size_t mnt_name_filter(mnt_str_t text, char *out);


/* the code point at the front; malformed bytes are one U+FFFD each */

static uint32_t
mnt_name_decode(mnt_str_t s, size_t *n)
{
    uint32_t       c;
    mnt_str_t      one;
    unsigned char  first;

    first = (unsigned char) s.data[0];
    *n = 1;

    if (first < 0x80) {
        return first;
    }

    one.data = s.data;
    one.len = first >= 0xf0 ? 4 : (first >= 0xe0 ? 3 : 2);

    if (one.len > s.len || !mnt_str_utf8(one)) {
        return 0xfffd;
    }

    *n = one.len;
    c = first & (0xffu >> (one.len + 1));

    for (one.len--; one.len; one.len--) {
        one.data++;
        c = (c << 6) | ((unsigned char) *one.data & 0x3f);
    }

    return c;
}


/*
 * Characters that are seen by nobody and reorder or hide the others.  The
 * joiners U+200C and U+200D stay: emoji and several scripts need them.
 */

static int
mnt_name_dropped(uint32_t c)
{
    return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)
           || c == 0x200b || c == 0x200e || c == 0x200f || c == 0x061c
           || c == 0x2060 || c == 0xfeff;
}


static int
mnt_name_replaced(uint32_t c)
{
    if (c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029) {
        return 1;
    }

    switch (c) {

    case '<':
    case '>':
    case ':':
    case '"':
    case '/':
    case '\\':
    case '|':
    case '?':
    case '*':
    case 0xfffd:
        return 1;

    default:
        return 0;
    }
}


/* names that Windows opens as devices, whatever extension follows */

static int
mnt_name_device(mnt_str_t name)
{
    size_t     i;
    mnt_str_t  stem, digit;

    static const char  *const devices[] = {
        "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"
    };

    stem = name;

    for (stem.len = 0; stem.len < name.len; stem.len++) {
        if (name.data[stem.len] == '.') {
            break;
        }
    }

    stem = mnt_str_trim(stem);

    for (i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
        if (mnt_str_caseeqc(stem, devices[i])) {
            return 1;
        }
    }

    if (stem.len < 4) {
        return 0;
    }

    digit.data = stem.data + 3;
    digit.len = stem.len - 3;
    stem.len = 3;

    if (!mnt_str_caseeqc(stem, "COM") && !mnt_str_caseeqc(stem, "LPT")) {
        return 0;
    }

    /* superscript one, two and three count as digits there */

    return (digit.len == 1 && digit.data[0] >= '0' && digit.data[0] <= '9')
           || mnt_str_eqc(digit, "\xc2\xb9") || mnt_str_eqc(digit, "\xc2\xb2")
           || mnt_str_eqc(digit, "\xc2\xb3");
}


/* the characters that may stay, up to MNT_NAME_MAX bytes; their number */

static size_t
mnt_name_filter(mnt_str_t text, char *out)
{
    size_t     i, n, len;
    uint32_t   c;
    mnt_str_t  s;

    len = 0;

    for (i = 0; i < text.len; i += n) {
        s.data = text.data + i;
        s.len = text.len - i;
        c = mnt_name_decode(s, &n);

        if (mnt_name_dropped(c)
            || (len == 0 && (c == ' ' || c == '.' || c == '-')))
        {
            continue;
        }

        s.len = n;

        if (mnt_name_replaced(c)) {
            s.data = "_";
            s.len = 1;
        }

        if (s.len > MNT_NAME_MAX - len) {
            break;
        }

        memcpy(out + len, s.data, s.len);
        len += s.len;
    }

    return len;
}


mnt_str_t
mnt_name_safe(mnt_arena_t *a, mnt_str_t text)
{
    char       *buf;
    mnt_str_t   name = mnt_str_null;

    /* one byte for the mark before a device, one for the end */

    buf = mnt_arena_alloc(a, MNT_NAME_MAX + 2);

    if (buf == NULL) {
        return name;
    }

    name.data = buf + 1;
    name.len = mnt_name_filter(text, buf + 1);

    for ( ;; ) {
        while (name.len && (name.data[name.len - 1] == ' '
                            || name.data[name.len - 1] == '.'))
        {
            name.len--;
        }

        if (name.len < MNT_NAME_MAX || !mnt_name_device(name)) {
            break;
        }

        name = mnt_str_utf8_cut(name, MNT_NAME_MAX - 1);
    }

    if (name.len == 0 || mnt_name_device(name)) {
        buf[0] = '_';
        name.data = buf;
        name.len++;
    }

    buf[(size_t) (name.data - buf) + name.len] = '\0';

    return name;
}


int
mnt_path_servable(mnt_str_t path)
{
    size_t         i, len;
    unsigned char  c;

    len = 0;

    for (i = 0; i < path.len; i++) {
        c = (unsigned char) path.data[i];

        if (c < ' ' || c == 0x7f || c == '\\') {
            return 0;
        }

        if (c == '/') {
            if (len == 0) {
                return 0;
            }

            len = 0;
            continue;
        }

        if ((len == 0 && c == '.') || ++len > 255) {
            return 0;
        }
    }

    return len > 0;
}
