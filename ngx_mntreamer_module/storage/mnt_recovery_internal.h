
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_RECOVERY_INTERNAL_H_INCLUDED_
#define _MNT_RECOVERY_INTERNAL_H_INCLUDED_


#include "mnt_recovery.h"


#define MNT_RECOVERY_FOREIGN_MAP  UINT64_MAX


/* a segment of the journal */

typedef struct {
    mnt_journal_line_t   line;
    unsigned             present:1;           /* final and complete */
    unsigned             gone:1;              /* its line L follows */
    unsigned             listed:1;            /* in the new playlist */
} mnt_recovery_segment_t;

/* an entry of the playlist that was found */

typedef struct {
    mnt_str_t            text;                /* its lines */
    uint64_t             number;              /* 0: a name of somebody else */
    uint64_t             size;                /* of its file */
    uint64_t             map;                 /* in force for it */
    int64_t              duration_us;
    unsigned             has_map:1;           /* its lines say so */
    unsigned             discontinuous:1;
    unsigned             gone:1;              /* without a whole file */
    unsigned             told:1;              /* the journal says so */
} mnt_recovery_entry_t;

typedef struct {
    mnt_arena_t                 *a;
    const mnt_recovery_found_t  *found;
    mnt_recovery_t              *r;
    mnt_recovery_segment_t      *segments;    /* by rising number */
    size_t                       nsegments;
    mnt_recovery_entry_t        *entries;
    size_t                       nentries;
    uint32_t                     target_s;    /* of the playlist found, or 0 */
    char                        *out, *last;  /* the new playlist */
    uint64_t                     map;         /* in force there */
    unsigned                     hole:1;      /* something went before it */
} mnt_recovery_ctx_t;


/* the playlist as it is to be, and the lines that the journal is to be told */
int mnt_recovery_write(mnt_recovery_ctx_t *c);
int mnt_recovery_lines(mnt_recovery_ctx_t *c);


#endif /* _MNT_RECOVERY_INTERNAL_H_INCLUDED_ */
