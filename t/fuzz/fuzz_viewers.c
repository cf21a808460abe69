
/*
 * Copyright (C) the mntreamer authors
 *
 * The first byte says how much of the text is the head of a file, all of it is
 * the tail: what has an end is none that goes on, a target duration is one of
 * a line of the head, and cutting a file off behind it changes nothing.
 */


#include "mnt_fuzz.h"

#include "metrics/mnt_viewers.h"


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    char        line[64], *copy;
    size_t      i, n;
    unsigned    target;
    mnt_str_t   head, tail;

    static const char  end[] = "\n#EXT-X-ENDLIST\n";

    if (len == 0 || len > 4096) {
        return 0;
    }

    tail = mnt_fuzz_str(in + 1, len - 1);
    head = tail;

    if (head.len > in[0]) {
        head.len = in[0];
    }

    target = mnt_viewers_target(head, tail);
    mnt_fuzz_hold(target <= 999999);

    if (target == 0) {
        return 0;
    }

    /* the number stands in the head as it was read */

    n = (size_t) snprintf(line, sizeof(line), "%u", target);

    for (i = 0; i + n <= head.len && target > 1 && target < 100000; i++) {
        if (memcmp(head.data + i, line, n) == 0) {
            break;
        }
    }

    mnt_fuzz_hold(i + n <= head.len);
    mnt_fuzz_hold(memcmp(head.data, "#EXTM3U", 7) == 0);

    /* its end is its end, wherever it stands in the tail */

    copy = malloc(tail.len + sizeof(end));
    mnt_fuzz_hold(copy != NULL);

    memcpy(copy, end, sizeof(end) - 1);
    memcpy(copy + sizeof(end) - 1, tail.data, tail.len);
    tail.data = copy;
    tail.len += sizeof(end) - 1;
    mnt_fuzz_hold(mnt_viewers_target(head, tail) == 0);

    tail.len = 0;
    mnt_fuzz_hold(mnt_viewers_target(head, tail) == target);

    free(copy);

    return 0;
}
