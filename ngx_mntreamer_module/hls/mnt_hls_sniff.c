
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_hls.h"

#include <string.h>


#define MNT_HLS_SNIFF_MIN   16
#define MNT_HLS_TS_PACKET   188
#define MNT_HLS_TS_SYNC     0x47
#define MNT_HLS_TEXT_BYTES  64


static int mnt_hls_sniff_ts(const uint8_t *p, size_t n);
static int mnt_hls_sniff_sync(const uint8_t *p, size_t n);
static int mnt_hls_sniff_fmp4(const uint8_t *p);
static int mnt_hls_sniff_audio(const uint8_t *p);
static int mnt_hls_sniff_text(const uint8_t *p, size_t n);


/* the sync byte at each packet that is there, a sane header in the first */

static int
mnt_hls_sniff_ts(const uint8_t *p, size_t n)
{
    if (p[0] != MNT_HLS_TS_SYNC || (p[1] & 0x80) || (p[3] & 0x30) == 0) {
        return 0;
    }

    return mnt_hls_sniff_sync(p, n);
}


static int
mnt_hls_sniff_sync(const uint8_t *p, size_t n)
{
    size_t  i;

    for (i = MNT_HLS_TS_PACKET; i < n && i <= 2 * MNT_HLS_TS_PACKET;
         i += MNT_HLS_TS_PACKET)
    {
        if (p[i] != MNT_HLS_TS_SYNC) {
            return 0;
        }
    }

    return 1;
}


static int
mnt_hls_sniff_fmp4(const uint8_t *p)
{
    size_t    i;
    uint32_t  size;

    static const char  types[] =
        "ftypstypmoofmoovsidxemsgprftfreeskipmdatuuid";

    size = (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];

    /* 0: to the end of the file, 1: the size follows in 64 bits */

    if (size > 1 && size < 8) {
        return 0;
    }

    for (i = 0; i + 4 < sizeof(types); i += 4) {
        if (memcmp(p + 4, types + i, 4) == 0) {
            return 1;
        }
    }

    return 0;
}


/* ID3 with the time stamp of packed audio, ADTS or MPEG audio, AC-3 */

static int
mnt_hls_sniff_audio(const uint8_t *p)
{
    if (memcmp(p, "ID3", 3) == 0 || (p[0] == 0x0b && p[1] == 0x77)) {
        return 1;
    }

    /* ADTS has layer 0; MPEG audio a layer, a bit rate and a sample rate */

    if (p[0] != 0xff || (p[1] & 0xf0) != 0xf0) {
        return 0;
    }

    return (p[1] & 0x06) == 0
           || ((p[2] & 0xf0) != 0xf0 && (p[2] & 0x0c) != 0x0c);
}


static int
mnt_hls_sniff_text(const uint8_t *p, size_t n)
{
    size_t  i;

    for (i = 0; i < n && i < MNT_HLS_TEXT_BYTES; i++) {
        if (p[i] == 0x7f || (p[i] < ' ' && !(p[i] >= '\t' && p[i] <= '\r'))) {
            return 0;
        }
    }

    return 1;
}


mnt_hls_container_e
mnt_hls_sniff(const uint8_t *p, size_t n)
{
    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
        n -= 3;
    }

    if (n >= 6 && memcmp(p, "WEBVTT", 6) == 0) {
        return MNT_HLS_CONTAINER_WEBVTT;
    }

    if (n && mnt_hls_sniff_text(p, n)
        && (n >= MNT_HLS_SNIFF_MIN || p[0] == '<' || p[0] == '{'
            || p[0] == '['))
    {
        return MNT_HLS_CONTAINER_TEXT;
    }

    if (n < MNT_HLS_SNIFF_MIN) {
        return MNT_HLS_CONTAINER_UNKNOWN;
    }

    if (mnt_hls_sniff_ts(p, n)) {
        return MNT_HLS_CONTAINER_TS;
    }

    if (mnt_hls_sniff_fmp4(p)) {
        return MNT_HLS_CONTAINER_FMP4;
    }

    if (mnt_hls_sniff_audio(p)) {
        return MNT_HLS_CONTAINER_AAC;
    }

    return MNT_HLS_CONTAINER_UNKNOWN;
}


/* what is of no known container and long enough is not judged */

int
mnt_hls_broken(const uint8_t *p, size_t n)
{
    if (n && p[0] == MNT_HLS_TS_SYNC) {
        return n < MNT_HLS_TS_PACKET || !mnt_hls_sniff_sync(p, n);
    }

    return n < MNT_HLS_TS_PACKET
           && mnt_hls_sniff(p, n) == MNT_HLS_CONTAINER_UNKNOWN;
}


int
mnt_hls_sniff_picture(const uint8_t *p, size_t n)
{
    size_t  at;

    for ( /* void */ ; n >= MNT_HLS_TS_PACKET;
         p += MNT_HLS_TS_PACKET, n -= MNT_HLS_TS_PACKET)
    {
        /* with the beginning of something, behind an adaptation field */

        if (p[0] != MNT_HLS_TS_SYNC || (p[1] & 0x40) == 0
            || (p[3] & 0x10) == 0)
        {
            continue;
        }

        at = (p[3] & 0x20) ? 5 + (size_t) p[4] : 4;

        if (at + 4 <= MNT_HLS_TS_PACKET
            && p[at] == 0 && p[at + 1] == 0 && p[at + 2] == 1
            && (p[at + 3] & 0xf0) == 0xe0)
        {
            return 1;
        }
    }

    return 0;
}
