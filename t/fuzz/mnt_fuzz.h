
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_FUZZ_H_INCLUDED_
#define _MNT_FUZZ_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mnt_arena.h"


int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);


/* unlike assert() never compiled away */

#define mnt_fuzz_hold(promise)                                                \
    do {                                                                      \
        if (!(promise)) {                                                     \
            (void) fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, \
                           #promise);                                         \
            abort();                                                          \
        }                                                                     \
    } while (0)


static inline mnt_str_t
mnt_fuzz_str(const uint8_t *in, size_t len)
{
    mnt_str_t  s;

    s.data = (const char *) in;
    s.len = len;

    return s;
}


/* splits at the first line end; the second piece may be empty */

static inline mnt_str_t
mnt_fuzz_split(mnt_str_t *s)
{
    mnt_str_t    head;
    const char  *end;

    head = *s;
    end = s->len ? memchr(s->data, '\n', s->len) : NULL;

    if (end == NULL) {
        s->data += s->len;
        s->len = 0;
        return head;
    }

    head.len = (size_t) (end - s->data);
    s->data = end + 1;
    s->len -= head.len + 1;

    return head;
}


#endif /* _MNT_FUZZ_H_INCLUDED_ */
