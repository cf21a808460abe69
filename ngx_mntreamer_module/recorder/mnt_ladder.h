
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_LADDER_H_INCLUDED_
#define _MNT_LADDER_H_INCLUDED_


#include "../base/mnt_arena.h"
#include "../hls/mnt_hls.h"


/*
 * The renditions that are made of an own broadcast, the rungs: which there
 * are, what the source is, what a rung costs, how it is told in a playlist.
 */


#define MNT_LADDER_MAX     6                  /* rungs */
#define MNT_LADDER_CODECS  64
#define MNT_LADDER_JSON    65536              /* bytes of ffprobe's answer */


/* what ffprobe said; zeroes where it said nothing */

typedef struct {
    uint32_t            width;                /* as it is shown */
    uint32_t            height;
    uint32_t            frame_rate_milli;
    unsigned            video:1;
    unsigned            audio:1;
    char                codecs[MNT_LADDER_CODECS];   /* RFC 6381; may be "" */
    char                sound[MNT_LADDER_CODECS];    /* of it, that of audio */
} mnt_ladder_source_t;


/*
 * The head of a media playlist and its last entries, some hundreds: enough for
 * who knows all but the last ones, whose names tell their numbers.  All of it
 * when it is short; data == NULL when memory is gone.
 */
mnt_str_t mnt_ladder_tail(mnt_arena_t *a, mnt_str_t playlist);

/* "480p" is 480; 0: no such rung */
unsigned mnt_ladder_height(mnt_str_t name);

/*
 * Reads "ffprobe -show_entries stream -of json".  Returns 0; -1: it is none,
 * *src is zeroes.
 */
int mnt_ladder_read(mnt_str_t json, mnt_ladder_source_t *src);

/*
 * Which of "n" heights make sense of that source: those below its own,
 * highest first.  Returns how many; "heights" of MNT_LADDER_MAX.
 */
unsigned mnt_ladder_choose(const unsigned *wanted, unsigned n,
    const mnt_ladder_source_t *src, unsigned *heights);

/* bits a second of the video of a rung, at most */
uint32_t mnt_ladder_rate(unsigned height);

/* the level of H.264 that its pictures need, times ten (ITU-T H.264 A.3) */
unsigned mnt_ladder_level(unsigned height);

/* even, in the shape of the source */
uint32_t mnt_ladder_width(unsigned height, const mnt_ladder_source_t *src);

/*
 * Its line in a multivariant playlist; "peak" and "average" are bits a second
 * as measured, 0: what it may have at most.  Texts are made in "a".
 */
void mnt_ladder_variant(mnt_arena_t *a, unsigned height,
    const mnt_ladder_source_t *src, uint64_t peak, uint64_t average,
    mnt_hls_variant_t *v);


#endif /* _MNT_LADDER_H_INCLUDED_ */
