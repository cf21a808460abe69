
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_hls_clock.h"

#include <string.h>


#define MNT_HLS_CLOCK_PACKET  188
#define MNT_HLS_CLOCK_SYNC    0x47
#define MNT_HLS_CLOCK_BACK    500000          /* us; less is reordering */
#define MNT_HLS_CLOCK_AHEAD   1000000         /* besides another duration */

/* 33 bits of 90 kHz, in us */

#define MNT_HLS_CLOCK_WRAP    (((int64_t) 1 << 33) * 100 / 9)


/* a box: what is in it, and what is behind it */

typedef struct {
    const uint8_t  *p;
    size_t          n;
} mnt_hls_clock_box_t;


static int64_t mnt_hls_clock_ts(const uint8_t *p, size_t n);
static int64_t mnt_hls_clock_pes(const uint8_t *p, size_t n);
static int64_t mnt_hls_clock_mp4(const uint8_t *p, size_t n,
    const mnt_hls_clock_init_t *init);
static int64_t mnt_hls_clock_traf(mnt_hls_clock_box_t traf,
    const mnt_hls_clock_init_t *init);
static int mnt_hls_clock_next(mnt_hls_clock_box_t *rest, const char *type,
    mnt_hls_clock_box_t *box);
static int mnt_hls_clock_find(mnt_hls_clock_box_t in, const char *type,
    mnt_hls_clock_box_t *box);
static uint32_t mnt_hls_clock_u32(const uint8_t *p);


int64_t
mnt_hls_clock(const uint8_t *p, size_t n, const mnt_hls_clock_init_t *init)
{
    if (n > MNT_HLS_CLOCK_PACKET && p[0] == MNT_HLS_CLOCK_SYNC
        && p[MNT_HLS_CLOCK_PACKET] == MNT_HLS_CLOCK_SYNC)
    {
        return mnt_hls_clock_ts(p, n);
    }

    return mnt_hls_clock_mp4(p, n, init);
}


int
mnt_hls_clock_jumps(int64_t before_us, int64_t now_us, int64_t duration_us)
{
    int64_t  step;

    if (before_us == MNT_HLS_CLOCK_NONE || now_us == MNT_HLS_CLOCK_NONE) {
        return 0;
    }

    step = now_us - before_us;

    if (step < -MNT_HLS_CLOCK_WRAP / 2 && now_us < MNT_HLS_CLOCK_WRAP / 2) {
        step += MNT_HLS_CLOCK_WRAP;
    }

    return step < -MNT_HLS_CLOCK_BACK
           || step > 2 * duration_us + MNT_HLS_CLOCK_AHEAD;
}


void
mnt_hls_clock_init(mnt_hls_clock_init_t *init, const uint8_t *p, size_t n)
{
    uint32_t             id;
    mnt_hls_clock_box_t  file, moov, trak, box, mdia;

    memset(init, 0, sizeof(mnt_hls_clock_init_t));

    file.p = p;
    file.n = n;

    if (!mnt_hls_clock_find(file, "moov", &moov)) {
        return;
    }

    while (init->n < MNT_HLS_CLOCK_TRACKS
           && mnt_hls_clock_next(&moov, "trak", &trak))
    {
        /* version 1 has times of 64 bits before what is wanted */

        if (!mnt_hls_clock_find(trak, "tkhd", &box) || box.n < 24) {
            continue;
        }

        id = mnt_hls_clock_u32(box.p + (box.p[0] == 1 ? 20 : 12));

        if (!mnt_hls_clock_find(trak, "mdia", &mdia)
            || !mnt_hls_clock_find(mdia, "mdhd", &box) || box.n < 24)
        {
            continue;
        }

        init->id[init->n] = id;
        init->scale[init->n] = mnt_hls_clock_u32(box.p + (box.p[0] == 1 ? 20
                                                                        : 12));
        init->n++;
    }
}


static int64_t
mnt_hls_clock_ts(const uint8_t *p, size_t n)
{
    size_t   begin;
    int64_t  clock, sound;

    sound = MNT_HLS_CLOCK_NONE;

    for ( /* void */ ; n >= MNT_HLS_CLOCK_PACKET && *p == MNT_HLS_CLOCK_SYNC;
          p += MNT_HLS_CLOCK_PACKET, n -= MNT_HLS_CLOCK_PACKET)
    {
        /* a unit begins in its payload, which an adaptation field may be
           before */

        if ((p[1] & 0x40) == 0 || (p[3] & 0x10) == 0) {
            continue;
        }

        begin = (p[3] & 0x20) ? 5 + (size_t) p[4] : 4;

        /* 14 bytes with a time and 19 with two of them */

        if (begin + 19 > MNT_HLS_CLOCK_PACKET
            || memcmp(p + begin, "\0\0\1", 3) != 0)
        {
            continue;
        }

        clock = mnt_hls_clock_pes(p + begin, MNT_HLS_CLOCK_PACKET - begin);

        if (clock == MNT_HLS_CLOCK_NONE) {
            continue;
        }

        if ((p[begin + 3] & 0xf0) == 0xe0) {
            return clock;
        }

        if (sound == MNT_HLS_CLOCK_NONE && (p[begin + 3] & 0xe0) == 0xc0) {
            sound = clock;
        }
    }

    return sound;
}


/* when it is decoded, where that is told, for pictures are shown in another
   order; ISO 13818-1 2.4.3.7 */

static int64_t
mnt_hls_clock_pes(const uint8_t *p, size_t n)
{
    int64_t  ticks;

    if (n < 19 || (p[6] & 0xc0) != 0x80 || (p[7] & 0x80) == 0) {
        return MNT_HLS_CLOCK_NONE;
    }

    p += (p[7] & 0x40) ? 14 : 9;

    ticks = (int64_t) (p[0] >> 1 & 7) << 30 | (int64_t) p[1] << 22
            | (int64_t) (p[2] >> 1) << 15 | (int64_t) p[3] << 7
            | (int64_t) (p[4] >> 1);

    return ticks * 100 / 9;
}


static int64_t
mnt_hls_clock_mp4(const uint8_t *p, size_t n, const mnt_hls_clock_init_t *init)
{
    int64_t              clock;
    mnt_hls_clock_box_t  file, moof, traf;

    file.p = p;
    file.n = n;

    if (!mnt_hls_clock_find(file, "moof", &moof)) {
        return MNT_HLS_CLOCK_NONE;
    }

    while (mnt_hls_clock_next(&moof, "traf", &traf)) {
        clock = mnt_hls_clock_traf(traf, init);

        if (clock != MNT_HLS_CLOCK_NONE) {
            return clock;
        }
    }

    return MNT_HLS_CLOCK_NONE;
}


static int64_t
mnt_hls_clock_traf(mnt_hls_clock_box_t traf, const mnt_hls_clock_init_t *init)
{
    unsigned             i;
    uint32_t             id;
    uint64_t             at;
    mnt_hls_clock_box_t  box;

    if (!mnt_hls_clock_find(traf, "tfhd", &box) || box.n < 8) {
        return MNT_HLS_CLOCK_NONE;
    }

    id = mnt_hls_clock_u32(box.p + 4);

    if (!mnt_hls_clock_find(traf, "tfdt", &box) || box.n < 8
        || (box.p[0] == 1 && box.n < 12))
    {
        return MNT_HLS_CLOCK_NONE;
    }

    at = mnt_hls_clock_u32(box.p + 4);

    if (box.p[0] == 1) {
        at = at << 32 | mnt_hls_clock_u32(box.p + 8);
    }

    for (i = 0; i < init->n; i++) {
        if (init->id[i] != id || init->scale[i] == 0) {
            continue;
        }

        /* a clock that counts from 1970 is no longer than that */

        if (at / init->scale[i] > INT64_MAX / 4000000) {
            return MNT_HLS_CLOCK_NONE;
        }

        return (int64_t) (at / init->scale[i] * 1000000
                          + at % init->scale[i] * 1000000 / init->scale[i]);
    }

    return MNT_HLS_CLOCK_NONE;
}


/* the next box of this type; one that is longer than what is there is cut */

static int
mnt_hls_clock_next(mnt_hls_clock_box_t *rest, const char *type,
    mnt_hls_clock_box_t *box)
{
    int       found;
    uint64_t  size, head;

    while (rest->n >= 8) {
        size = mnt_hls_clock_u32(rest->p);
        found = (memcmp(rest->p + 4, type, 4) == 0);
        head = 8;

        if (size == 1 && rest->n >= 16) {
            size = (uint64_t) mnt_hls_clock_u32(rest->p + 8) << 32
                   | mnt_hls_clock_u32(rest->p + 12);
            head = 16;

        } else if (size == 0) {
            size = rest->n;
        }

        if (size < head) {
            break;
        }

        if (size > rest->n) {
            size = rest->n;
        }

        box->p = rest->p + head;
        box->n = (size_t) (size - head);

        rest->p += size;
        rest->n -= (size_t) size;

        if (found) {
            return 1;
        }
    }

    rest->n = 0;

    return 0;
}


static int
mnt_hls_clock_find(mnt_hls_clock_box_t in, const char *type,
    mnt_hls_clock_box_t *box)
{
    return mnt_hls_clock_next(&in, type, box);
}


static uint32_t
mnt_hls_clock_u32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}
