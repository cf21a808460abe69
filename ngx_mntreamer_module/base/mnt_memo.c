
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_memo.h"

#include <stdlib.h>
#include <string.h>


#define MNT_MEMO_WAYS  4                      /* digests of a set: 64 bytes */


typedef struct {
    uint64_t  v0, v1, v2, v3;
} mnt_memo_sip_t;


static uint64_t *mnt_memo_set(const mnt_memo_t *m,
    const mnt_memo_digest_t *digest);
static void mnt_memo_first(uint64_t *set, unsigned way,
    const mnt_memo_digest_t *digest);
static int mnt_memo_none(const mnt_memo_digest_t *digest);
static uint64_t mnt_memo_word(const char *p);
static void mnt_memo_rounds(mnt_memo_sip_t *s, unsigned n);


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


static uint64_t
mnt_memo_word(const char *p)
{
    unsigned  i;
    uint64_t  word;

    /* little-endian wherever it runs; compilers know this as one load */

    word = 0;

    for (i = 0; i < 8; i++) {
        word |= (uint64_t) (unsigned char) p[i] << 8 * i;
    }

    return word;
}


#define mnt_memo_rotate(x, n)  ((x) << (n) | (x) >> (64 - (n)))


static void
mnt_memo_rounds(mnt_memo_sip_t *s, unsigned n)
{
    while (n--) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = mnt_memo_rotate(s->v1, 13) ^ s->v0;
        s->v3 = mnt_memo_rotate(s->v3, 16) ^ s->v2;
        s->v0 = mnt_memo_rotate(s->v0, 32);

        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = mnt_memo_rotate(s->v1, 17) ^ s->v2;
        s->v3 = mnt_memo_rotate(s->v3, 21) ^ s->v0;
        s->v2 = mnt_memo_rotate(s->v2, 32);
    }
}


/* SipHash-2-4 with 128 bits of output, as its authors define it */

void
mnt_memo_digest(const mnt_memo_t *m, mnt_str_t text,
    mnt_memo_digest_t *digest)
{
    char            tail[8];
    size_t          i;
    uint64_t        word;
    mnt_memo_sip_t  s;

    s.v0 = m->key[0] ^ 0x736f6d6570736575ULL;
    s.v1 = m->key[1] ^ 0x646f72616e646f6dULL ^ 0xee;
    s.v2 = m->key[0] ^ 0x6c7967656e657261ULL;
    s.v3 = m->key[1] ^ 0x7465646279746573ULL;

    for (i = 0; text.len - i >= 8; i += 8) {
        word = mnt_memo_word(text.data + i);

        s.v3 ^= word;
        mnt_memo_rounds(&s, 2);
        s.v0 ^= word;
    }

    memset(tail, 0, sizeof(tail));

    if (text.len - i) {
        memcpy(tail, text.data + i, text.len - i);
    }

    word = mnt_memo_word(tail) | (uint64_t) (text.len & 0xff) << 56;

    s.v3 ^= word;
    mnt_memo_rounds(&s, 2);
    s.v0 ^= word;

    s.v2 ^= 0xee;
    mnt_memo_rounds(&s, 4);
    digest->half[0] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;

    s.v1 ^= 0xdd;
    mnt_memo_rounds(&s, 4);
    digest->half[1] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
