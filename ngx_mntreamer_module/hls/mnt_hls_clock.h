
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_HLS_CLOCK_H_INCLUDED_
#define _MNT_HLS_CLOCK_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/*
 * What the clock of a source says at the begin of a segment, by its first
 * bytes.  Nothing is trusted: what cannot be read is unknown.
 */

#define MNT_HLS_CLOCK_NONE    (-1)
#define MNT_HLS_CLOCK_TRACKS  8

/* of an initialisation section */

typedef struct {
    unsigned    n;
    uint32_t    id[MNT_HLS_CLOCK_TRACKS];
    uint32_t    scale[MNT_HLS_CLOCK_TRACKS];  /* units a second */
} mnt_hls_clock_init_t;

/* reads "moov" in the first "n" bytes of a file; without one init->n is 0 */
void mnt_hls_clock_init(mnt_hls_clock_init_t *init, const uint8_t *p,
    size_t n);

/*
 * MPEG-TS: of the first picture, else of the first sound; fragmented MP4: of
 * the first track in the fragment that "init" knows.  In microseconds, or
 * MNT_HLS_CLOCK_NONE.
 */
int64_t mnt_hls_clock(const uint8_t *p, size_t n,
    const mnt_hls_clock_init_t *init);

/*
 * 1 when the clock began anew between two segments, the first of which lasts
 * "duration_us": it went back, or ahead by more than that and a second
 * besides.  Less is only missing, and the same for pictures and sound.  Clocks
 * of MPEG-TS begin at 0 again by themselves each 26.5 hours.
 */
int mnt_hls_clock_jumps(int64_t before_us, int64_t now_us,
    int64_t duration_us);


#endif /* _MNT_HLS_CLOCK_H_INCLUDED_ */
