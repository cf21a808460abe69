
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_MEMO_H_INCLUDED_
#define _MNT_MEMO_H_INCLUDED_


#include "mnt_str.h"


/*
 * A bounded set of texts that were seen, kept as digests of 128 bits under a
 * secret key (SipHash-2-4): who does not know the key cannot make two texts
 * that are taken for one another.  What is crowded out is forgotten: the set
 * saves work, nothing may depend on finding a text again.
 */

typedef struct {
    uint64_t     key[2];
    uint64_t     mask;                        /* of a set's index */
    uint64_t    *digests;                     /* owned; NULL: keeps nothing */
} mnt_memo_t;

typedef struct {
    uint64_t     half[2];                     /* zeroes: of nothing */
} mnt_memo_digest_t;


/* room for "n" texts, rounded up to a power of 2; -1: memory is gone */
int mnt_memo_init(mnt_memo_t *m, const unsigned char key[16], size_t n);
void mnt_memo_free(mnt_memo_t *m);

void mnt_memo_digest(const mnt_memo_t *m, mnt_str_t text,
    mnt_memo_digest_t *digest);

int mnt_memo_has(mnt_memo_t *m, const mnt_memo_digest_t *digest);
void mnt_memo_add(mnt_memo_t *m, const mnt_memo_digest_t *digest);


#endif /* _MNT_MEMO_H_INCLUDED_ */
