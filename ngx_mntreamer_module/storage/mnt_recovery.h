
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_RECOVERY_H_INCLUDED_
#define _MNT_RECOVERY_H_INCLUDED_


#include "mnt_journal.h"


#define MNT_RECOVERY_INITS  16                /* last ones remembered */

typedef struct {
    uint64_t             number;
    uint64_t             bytes;
    uint32_t             crc;
} mnt_recovery_init_t;


/* what was found in the directory of a track */

typedef struct {
    mnt_str_t            journal;             /* texts found, or null */
    mnt_str_t            playlist;
    mnt_str_t            prefix;              /* of file names */
    mnt_file_t          *files;               /* of this track; gets sorted */
    size_t               nfiles;
    uint32_t             target_s;            /* when there is no playlist */
    unsigned             reopen:1;            /* take ENDLIST off */
    int64_t              now_ms;              /* wall clock */
} mnt_recovery_found_t;

/* a .part file that is complete: it gets the name that was journalled */

typedef struct {
    mnt_file_t           part;
    mnt_file_t           final;
} mnt_recovery_rename_t;

typedef struct {
    /* what to do, in this order; every other .part file is to be dropped */
    mnt_recovery_rename_t  *renames;
    size_t               nrenames;
    mnt_str_t            lines;               /* to be put to the journal */
    mnt_str_t            playlist;            /* as it is to be; null:
                                                 there is to be none */
    /* what there is then */
    size_t               head_len;            /* of the playlist */
    uint32_t             target_s;
    unsigned             has_map:1;
    unsigned             ended:1;             /* it carried ENDLIST */
    unsigned             discontinuous:1;     /* before what follows */
    uint64_t             map;                 /* in force at the end, or 0 */
    uint64_t             next_number;
    uint64_t             next_init;
    uint64_t             segments;            /* listed */
    uint64_t             bytes;               /* of them */
    int64_t              duration_us;
    uint64_t             gaps;                /* lines of the journal */
    int64_t              lost_us;             /* of them */
    uint64_t             recovered;           /* newly listed */
    uint64_t             dropped;             /* listed, the file is gone */
    uint64_t             hole;                /* of these the ones with others
                                                 behind them: a new gap */
    int64_t              hole_us;
    int64_t              hole_at_us;          /* where the first one was */
    int64_t              last_ms;             /* of the last segment; or 0 */
    mnt_file_t           last;                /* its file */
    mnt_hls_window_t     window;
    mnt_recovery_init_t  inits[MNT_RECOVERY_INITS];
    unsigned             ninits;              /* ever; the ring is by number */
} mnt_recovery_t;


/*
 * Decides how a track is to be made whole after any end of its writer.  Texts
 * and arrays of *r live in "a".  Returns 0, or -1 when memory is gone.
 * Carried out and asked again it finds nothing to do.
 *
 *     in the journal  .part     final file  listed      then
 *     yes             complete  no          no          renamed and listed
 *     yes             -         complete    no          listed
 *     yes             other     no          no          will be fetched again
 *     any             -         gone, cut   yes         off the playlist
 *     no              -         yes         yes         stays
 *     no              -         yes         no          stays, unlisted; its
 *                                                       number is not reused
 */
int mnt_recovery_decide(mnt_arena_t *a, const mnt_recovery_found_t *found,
    mnt_recovery_t *r);


#endif /* _MNT_RECOVERY_H_INCLUDED_ */
