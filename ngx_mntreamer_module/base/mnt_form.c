
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_form.h"

#include <string.h>


static mnt_str_t mnt_form_cut(mnt_str_t *text, char separator);
static int mnt_form_decode(mnt_arena_t *a, mnt_str_t text, mnt_str_t *out,
    const char **why);
static int mnt_form_hex(char c);


int
mnt_form_parse(mnt_arena_t *a, mnt_str_t text, mnt_form_field_t *fields,
    size_t n, const char **why)
{
    size_t             i;
    mnt_str_t          pair, key;
    mnt_form_field_t  *f;

    for (i = 0; i < n; i++) {
        fields[i].value.data = NULL;
        fields[i].value.len = 0;
    }

    while (text.len) {
        pair = mnt_form_cut(&text, '&');
        key = mnt_form_cut(&pair, '=');

        /* a name that is written in another way is the same name */

        if (mnt_form_decode(a, key, &key, why) != 0) {
            return -1;
        }

        for (i = 0; i < n && !mnt_str_eqc(key, fields[i].name); i++) {
            /* void */
        }

        if (i == n) {
            continue;
        }

        f = &fields[i];

        if (f->value.data == NULL) {
            if (mnt_form_decode(a, pair, &f->value, why) != 0) {
                return -1;
            }

        } else if (f->once) {
            *why = "has a name twice";
            return -1;
        }
    }

    return 0;
}


/* what is before the separator; *text is left with what is behind it */

static mnt_str_t
mnt_form_cut(mnt_str_t *text, char separator)
{
    mnt_str_t    part;
    const char  *p;

    part = *text;
    p = memchr(text->data, separator, text->len);

    if (p == NULL) {
        text->data += text->len;
        text->len = 0;
        return part;
    }

    part.len = (size_t) (p - part.data);
    text->data = p + 1;
    text->len -= part.len + 1;

    return part;
}


static int
mnt_form_decode(mnt_arena_t *a, mnt_str_t text, mnt_str_t *out,
    const char **why)
{
    int     hi, lo;
    char   *p, *start, c;
    size_t  i;

    start = mnt_arena_alloc(a, text.len + 1);

    if (start == NULL) {
        *why = "takes too much memory";
        return -1;
    }

    p = start;

    for (i = 0; i < text.len; i++) {
        c = text.data[i];

        if (c == '+') {
            c = ' ';

        } else if (c == '%') {
            hi = i + 1 < text.len ? mnt_form_hex(text.data[i + 1]) : -1;
            lo = i + 2 < text.len ? mnt_form_hex(text.data[i + 2]) : -1;

            if (hi < 0 || lo < 0) {
                *why = "has a broken escape";
                return -1;
            }

            c = (char) (hi * 16 + lo);
            i += 2;
        }

        if (c == '\0') {
            *why = "holds a NUL";
            return -1;
        }

        *p++ = c;
    }

    *p = '\0';

    out->data = start;
    out->len = (size_t) (p - start);

    return 0;
}


static int
mnt_form_hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c = (char) (c | 0x20);

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}
