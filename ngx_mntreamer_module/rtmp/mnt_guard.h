
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_GUARD_H_INCLUDED_
#define _MNT_GUARD_H_INCLUDED_


#include "../base/mnt_memo.h"


/*
 * Who fails to publish again and again: so many failures of an address within
 * a minute shut it out for a minute.  A table of fixed size, which processes
 * may share under a lock of theirs; all zeroes but for the secret key of the
 * digests is an empty one.  When it is full those that are shut out longest
 * ago are forgotten first; nobody who does not know the key can choose whom
 * he crowds out.
 */

#define MNT_GUARD_SETS  128
#define MNT_GUARD_WAYS  8
#define MNT_GUARD_MS    60000

typedef struct {
    uint64_t            who;                  /* 0: none */
    int64_t             until_ms;             /* it counts, or is shut out */
    uint32_t            failed;
    uint32_t            shut;
} mnt_guard_entry_t;

typedef struct {
    mnt_memo_t          memo;                 /* the key only */
    mnt_guard_entry_t   sets[MNT_GUARD_SETS][MNT_GUARD_WAYS];
} mnt_guard_t;


/* 1: nobody of this address is to be asked about now */
int mnt_guard_shut(const mnt_guard_t *g, mnt_str_t address, int64_t now_ms);

/* it failed; 1: it is shut out from now on ("most" from 1) */
int mnt_guard_failed(mnt_guard_t *g, mnt_str_t address, uint32_t most,
    int64_t now_ms);


#endif /* _MNT_GUARD_H_INCLUDED_ */
