
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_thumbnail.h"

#include <string.h>


#define MNT_THUMBNAIL_COST   500              /* ms, before one was made */
#define MNT_THUMBNAIL_STALE  3                /* times its limit */


int
mnt_thumbnail_due(const mnt_thumbnail_t *t, int64_t now_ms, int64_t length_ms)
{
    int64_t  cost;

    if (t->failures > 1) {
        return now_ms - t->tried_ms >= t->limit_ms;
    }

    if (t->failures || t->shown_ms == 0) {
        return 1;
    }

    cost = t->cost_ms ? t->cost_ms : MNT_THUMBNAIL_COST;

    return now_ms + length_ms + cost - t->shown_ms > t->limit_ms;
}


int
mnt_thumbnail_stale(const mnt_thumbnail_t *t, int64_t now_ms)
{
    return t->shown_ms
           && now_ms - t->shown_ms > MNT_THUMBNAIL_STALE * t->limit_ms;
}


/* an SOI with what begins the next marker, and an EOI */

int
mnt_thumbnail_whole(mnt_str_t image)
{
    return image.len > 4
           && memcmp(image.data, "\xff\xd8\xff", 3) == 0
           && memcmp(image.data + image.len - 2, "\xff\xd9", 2) == 0;
}
