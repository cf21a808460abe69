
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_CLIP_H_INCLUDED_
#define _MNT_CLIP_H_INCLUDED_


#include "mnt_journal.h"


/* what a part of a recording consists of, by its playlist */

/*
 * The next file that a playlist of our own names: a segment, or an
 * initialisation section.  1: *name is set; 0: the end; -1: it is no name of a
 * file beside the playlist.
 */
int mnt_clip_file(mnt_str_t *rest, mnt_str_t *name, unsigned *segment);

/* what stands before the number in the name of a segment */
mnt_str_t mnt_clip_prefix(mnt_str_t name);

/*
 * The journal of the part: the lines of "journal" of files that "playlist"
 * names, with a discontinuity where it has one.  Returns the length, which is
 * at most that of all, or -1: memory is gone.
 */
long mnt_clip_journal(mnt_str_t journal, mnt_str_t playlist, char *buf,
    size_t size);


#endif /* _MNT_CLIP_H_INCLUDED_ */
