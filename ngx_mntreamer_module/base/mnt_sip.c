
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_sip.h"

#include <string.h>


typedef struct {
    uint64_t  v0, v1, v2, v3;
} mnt_sip_t;


static uint64_t mnt_sip_word(const char *p);
static void mnt_sip_rounds(mnt_sip_t *s, unsigned n);


static uint64_t
mnt_sip_word(const char *p)
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


#define mnt_sip_rotate(x, n)  ((x) << (n) | (x) >> (64 - (n)))


static void
mnt_sip_rounds(mnt_sip_t *s, unsigned n)
{
    while (n--) {
        s->v0 += s->v1;
        s->v2 += s->v3;
        s->v1 = mnt_sip_rotate(s->v1, 13) ^ s->v0;
        s->v3 = mnt_sip_rotate(s->v3, 16) ^ s->v2;
        s->v0 = mnt_sip_rotate(s->v0, 32);

        s->v2 += s->v1;
        s->v0 += s->v3;
        s->v1 = mnt_sip_rotate(s->v1, 17) ^ s->v2;
        s->v3 = mnt_sip_rotate(s->v3, 21) ^ s->v0;
        s->v2 = mnt_sip_rotate(s->v2, 32);
    }
}


/* SipHash-2-4 with 128 bits of output, as its authors define it */

void
mnt_sip_digest(const uint64_t key[2], mnt_str_t text, uint64_t half[2])
{
    char       tail[8];
    size_t     i;
    uint64_t   word;
    mnt_sip_t  s;

    s.v0 = key[0] ^ 0x736f6d6570736575ULL;
    s.v1 = key[1] ^ 0x646f72616e646f6dULL ^ 0xee;
    s.v2 = key[0] ^ 0x6c7967656e657261ULL;
    s.v3 = key[1] ^ 0x7465646279746573ULL;

    for (i = 0; text.len - i >= 8; i += 8) {
        word = mnt_sip_word(text.data + i);

        s.v3 ^= word;
        mnt_sip_rounds(&s, 2);
        s.v0 ^= word;
    }

    memset(tail, 0, sizeof(tail));

    if (text.len - i) {
        memcpy(tail, text.data + i, text.len - i);
    }

    word = mnt_sip_word(tail) | (uint64_t) (text.len & 0xff) << 56;

    s.v3 ^= word;
    mnt_sip_rounds(&s, 2);
    s.v0 ^= word;

    s.v2 ^= 0xee;
    mnt_sip_rounds(&s, 4);
    half[0] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;

    s.v1 ^= 0xdd;
    mnt_sip_rounds(&s, 4);
    half[1] = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
