
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_LINE_H_INCLUDED_
#define _MNT_LINE_H_INCLUDED_


#include "mnt_str.h"


#define MNT_LINE_MAX  1024


/* a line that comes in pieces; zeroed at its beginning */

typedef struct {
    size_t      len;
    int         whole;                        /* the next one begins anew */
    char        text[MNT_LINE_MAX];
} mnt_line_t;


/*
 * Takes bytes up to the end of a line and says in *used how many these were;
 * 1: it is whole, until the next call.  CR ends a line as LF does, lines
 * without a byte are passed over, what is beyond MNT_LINE_MAX is dropped.
 */
int mnt_line_take(mnt_line_t *line, mnt_str_t bytes, size_t *used);

/*
 * What a program has said last, for one line of a log: the end of "text" that
 * fits into "buf", its lines joined by " / ", without control characters.
 */
mnt_str_t mnt_line_tail(mnt_str_t text, char *buf, size_t size);


#endif /* _MNT_LINE_H_INCLUDED_ */
