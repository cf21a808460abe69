
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_memo.h"
#include "mnt_sip.h"

#include <stdlib.h>
#include <string.h>


#define MNT_MEMO_WAYS  4                      /* digests of a set: 64 bytes */


static uint64_t *mnt_memo_set(const mnt_memo_t *m,
    const mnt_memo_digest_t *digest);
static void mnt_memo_first(uint64_t *set, unsigned way,
    const mnt_memo_digest_t *digest);
static int mnt_memo_none(const mnt_memo_digest_t *digest);


int
mnt_memo_init(mnt_memo_t *m, const unsigned char key[16], size_t n)
{
    size_t  sets;

    memset(m, 0, sizeof(mnt_memo_t));
    memcpy(m->key, key, sizeof(m->key));

    for (sets = 1; sets * MNT_MEMO_WAYS < n; sets *= 2) {
        if (sets > SIZE_MAX / 4 / MNT_MEMO_WAYS) {
            return -1;
        }
    }

    /* pages that are not used stay untouched */

    m->mask = sets - 1;
    m->digests = calloc(sets * MNT_MEMO_WAYS * 2, sizeof(uint64_t));

    return m->digests ? 0 : -1;
}


void
mnt_memo_free(mnt_memo_t *m)
{
    free(m->digests);
    memset(m, 0, sizeof(mnt_memo_t));
}


static uint64_t *
mnt_memo_set(const mnt_memo_t *m, const mnt_memo_digest_t *digest)
{
    return &m->digests[(digest->half[0] & m->mask) * MNT_MEMO_WAYS * 2];
}


/* the newest comes first, those before "way" move up into its place */

static void
mnt_memo_first(uint64_t *set, unsigned way, const mnt_memo_digest_t *digest)
{
    memmove(set + 2, set, way * sizeof(mnt_memo_digest_t));

    set[0] = digest->half[0];
    set[1] = digest->half[1];
}


int
mnt_memo_has(mnt_memo_t *m, const mnt_memo_digest_t *digest)
{
    uint64_t  *set;
    unsigned   i;

    if (m->digests == NULL || mnt_memo_none(digest)) {
        return 0;
    }

    set = mnt_memo_set(m, digest);

    for (i = 0; i < MNT_MEMO_WAYS; i++) {
        if (set[2 * i] == digest->half[0] && set[2 * i + 1] == digest->half[1])
        {
            mnt_memo_first(set, i, digest);
            return 1;
        }
    }

    return 0;
}


void
mnt_memo_add(mnt_memo_t *m, const mnt_memo_digest_t *digest)
{
    if (m->digests && !mnt_memo_none(digest) && !mnt_memo_has(m, digest)) {
        mnt_memo_first(mnt_memo_set(m, digest), MNT_MEMO_WAYS - 1, digest);
    }
}


/* zeroes mark a free place */

static int
mnt_memo_none(const mnt_memo_digest_t *digest)
{
    return digest->half[0] == 0 && digest->half[1] == 0;
}


void
mnt_memo_digest(const mnt_memo_t *m, mnt_str_t text,
    mnt_memo_digest_t *digest)
{
    mnt_sip_digest(m->key, text, digest->half);
}
