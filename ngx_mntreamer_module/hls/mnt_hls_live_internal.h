
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_HLS_LIVE_INTERNAL_H_INCLUDED_
#define _MNT_HLS_LIVE_INTERNAL_H_INCLUDED_


#include "mnt_hls_live.h"


/* what a line is to the entry that is being read */

typedef enum {
    MNT_HLS_LIVE_TAG = 0,                     /* of the entry */
    MNT_HLS_LIVE_OTHER,                       /* of the head, or a comment */
    MNT_HLS_LIVE_URI,
    MNT_HLS_LIVE_END,
    MNT_HLS_LIVE_FOREIGN
} mnt_hls_live_line_e;


/* the whole line at "i" without its end; where the next begins, 0: torn */
size_t mnt_hls_live_line(mnt_str_t text, size_t i, mnt_str_t *line);

/* "m" is what is in force behind the line */
mnt_hls_live_line_e mnt_hls_live_take(mnt_hls_mark_t *m, mnt_str_t line,
    uint64_t offset);

/* 1: the line begins with "tag", and this is behind it */
int mnt_hls_live_value(mnt_str_t line, const char *tag, mnt_str_t *value);

/* appends while there is room; counts always */
void mnt_hls_live_put(char *buf, size_t size, size_t *len, mnt_str_t s);


#endif /* _MNT_HLS_LIVE_INTERNAL_H_INCLUDED_ */
