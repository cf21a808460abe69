
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_THUMBNAIL_H_INCLUDED_
#define _MNT_THUMBNAIL_H_INCLUDED_


#include "../base/mnt_str.h"


/*
 * When an image of what is recorded is to be made.  It is of the first moment
 * of a segment, which is known when the segment has ended: an image is as old
 * as the segment when it is made, and the next one can be had when the next
 * segment has ended and the program has run.
 */

typedef struct {
    int64_t     limit_ms;                     /* so old it may become */
    int64_t     cost_ms;                      /* of the last one */
    int64_t     tried_ms;                     /* when that was begun */
    int64_t     shown_ms;                     /* the moment that is shown; 0:
                                                 none is */
    unsigned    failures;                     /* in a row */
} mnt_thumbnail_t;


/*
 * A segment of "length_ms" has ended: 1 when an image of it is to be made,
 * because what is shown would be too old before one of the next segment is
 * there.  After a failure the next segment is tried, then one each limit_ms.
 */
int mnt_thumbnail_due(const mnt_thumbnail_t *t, int64_t now_ms,
    int64_t length_ms);

/* 1 when what is shown is to be taken away: nothing has replaced it for long,
   or it cannot be replaced */
int mnt_thumbnail_stale(const mnt_thumbnail_t *t, int64_t now_ms);

/* 1 for a whole JPEG file, by its ends */
int mnt_thumbnail_whole(mnt_str_t image);


#endif /* _MNT_THUMBNAIL_H_INCLUDED_ */
