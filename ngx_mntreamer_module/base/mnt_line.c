
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_line.h"


static int mnt_line_ends(char c);


static int
mnt_line_ends(char c)
{
    return c == '\n' || c == '\r';
}


int
mnt_line_take(mnt_line_t *line, mnt_str_t bytes, size_t *used)
{
    char    c;
    size_t  i;

    if (line->whole) {
        line->whole = 0;
        line->len = 0;
    }

    for (i = 0; i < bytes.len; i++) {
        c = bytes.data[i];

        if (mnt_line_ends(c)) {

            if (line->len == 0) {
                continue;
            }

            line->whole = 1;
            *used = i + 1;

            return 1;
        }

        if (line->len < MNT_LINE_MAX) {
            line->text[line->len++] = c;
        }
    }

    *used = bytes.len;

    return 0;
}


mnt_str_t
mnt_line_tail(mnt_str_t text, char *buf, size_t size)
{
    char       c;
    size_t     i, n, need;
    mnt_str_t  tail;

    text = mnt_str_trim(text);

    /* backwards: how much of it fits */

    need = 0;

    for (i = text.len; i > 0; i--) {
        n = mnt_line_ends(text.data[i - 1]) ? 3 : 1;

        if (need + n > size) {
            break;
        }

        need += n;
    }

    tail.data = buf;
    tail.len = 0;

    for ( /* void */ ; i < text.len; i++) {
        c = text.data[i];

        if (!mnt_line_ends(c)) {
            buf[tail.len++] = (unsigned char) c < ' ' || c == 0x7f ? ' ' : c;
            continue;
        }

        /* of several ends in a row one is shown, and none at the front */

        if (tail.len && !mnt_line_ends(text.data[i - 1])) {
            buf[tail.len++] = ' ';
            buf[tail.len++] = '/';
            buf[tail.len++] = ' ';
        }
    }

    return tail;
}
