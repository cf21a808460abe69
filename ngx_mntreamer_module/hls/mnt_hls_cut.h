
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_HLS_CUT_H_INCLUDED_
#define _MNT_HLS_CUT_H_INCLUDED_


#include "mnt_hls.h"


/*
 * Media playlists of our own without some of their entries: those that begin
 * within a span.  The time line is that of the whole playlist, the sum of its
 * EXTINF from 0, so that several cuts do not depend on each other.
 */

#define MNT_HLS_CUT_SPANS  1000               /* of a recording */
#define MNT_HLS_CUT_HOLE   128                /* bytes that a hole adds */


typedef struct {
    int64_t              begin_us;
    int64_t              end_us;              /* not within it */
} mnt_hls_span_t;

typedef struct {
    uint64_t             version;             /* a later one is higher */
    size_t               n;
    mnt_hls_span_t      *spans;               /* malloc(); in order, apart */
} mnt_hls_cuts_t;

typedef struct {
    uint64_t             entries;             /* of the whole */
    uint64_t             hidden;              /* of these */
    int64_t              duration_us;         /* of the whole */
    int64_t              hidden_us;
    unsigned             foreign:1;           /* nothing can be left out */
    unsigned             ended:1;
} mnt_hls_cut_t;


/*
 * Reads what is kept beside the playlists of a recording: a head with the
 * version, lines "BEGIN END" in microseconds and by their begin, "#END".
 * Returns 0, or -1 when it is not that or memory is gone; nothing is to be
 * freed then.
 */
int mnt_hls_cuts_read(mnt_hls_cuts_t *cuts, mnt_str_t text);

/* the same, written.  Returns the length as usual */
size_t mnt_hls_cuts_write(const mnt_hls_cuts_t *cuts, char *buf, size_t size);

void mnt_hls_cuts_free(mnt_hls_cuts_t *cuts);

/* adds a span, wherever it belongs; 0: memory is gone, nothing was changed */
int mnt_hls_cuts_add(mnt_hls_cuts_t *cuts, int64_t begin_us, int64_t end_us);

/*
 * The playlist without the entries that begin within a span.  Where some are
 * left out EXT-X-DISCONTINUITY stands before the next one, unless it is the
 * first; EXT-X-MAP and the date that are in force there are repeated.
 * Returns the length, at most text.len and _HOLE for each span; not less than
 * "size": nothing useful was written, but *cut was filled.
 */
size_t mnt_hls_cut(const mnt_hls_cuts_t *cuts, mnt_str_t text, char *buf,
    size_t size, mnt_hls_cut_t *cut);

/*
 * The spans of the entries that are left out of this playlist, so that others
 * of the recording, whose entries begin a little earlier or later, have holes
 * where this one has.  "holes" has the version, and is freed by its owner;
 * returns 0, or -1: memory is gone, nothing is to be freed.
 */
int mnt_hls_cut_holes(const mnt_hls_cuts_t *cuts, mnt_str_t text,
    mnt_hls_cuts_t *holes, mnt_hls_cut_t *cut);


#endif /* _MNT_HLS_CUT_H_INCLUDED_ */
