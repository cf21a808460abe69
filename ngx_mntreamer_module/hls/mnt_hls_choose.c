
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_hls.h"

#include <string.h>


#define MNT_HLS_FPS_SLACK   1000              /* milli: 59.94 is 60 */
#define MNT_HLS_HEIGHT_MAX  99999
#define MNT_HLS_FPS_MAX     999


typedef enum {
    MNT_HLS_WISH_BEST = 0,
    MNT_HLS_WISH_WORST,
    MNT_HLS_WISH_AUDIO,
    MNT_HLS_WISH_HEIGHT
} mnt_hls_wish_e;

typedef struct {
    mnt_hls_wish_e  kind;
    uint32_t        height;
    uint32_t        rate_milli;               /* 0: any */
} mnt_hls_wish_t;


static int mnt_hls_wish_read(mnt_str_t quality, mnt_hls_wish_t *wish);
static uint32_t mnt_hls_height(const mnt_hls_variant_t *v);
static int mnt_hls_audio_only(const mnt_hls_variant_t *v);
static int mnt_hls_better(const mnt_hls_variant_t *v,
    const mnt_hls_variant_t *w);
static int mnt_hls_satisfies(const mnt_hls_variant_t *v,
    const mnt_hls_wish_t *wish);
static int mnt_hls_not_above(const mnt_hls_variant_t *v,
    const mnt_hls_wish_t *wish);
static int mnt_hls_highest(const mnt_hls_playlist_t *p,
    int (*fits)(const mnt_hls_variant_t *v, const mnt_hls_wish_t *wish),
    const mnt_hls_wish_t *wish);
static int mnt_hls_lowest(const mnt_hls_playlist_t *p);
static int mnt_hls_audio(const mnt_hls_playlist_t *p);


/* "best" "worst" "audio" "1080p" "720p60" */

static int
mnt_hls_wish_read(mnt_str_t quality, mnt_hls_wish_t *wish)
{
    uint64_t     height, rate;
    mnt_str_t    number;
    const char  *p;

    memset(wish, 0, sizeof(mnt_hls_wish_t));

    if (mnt_str_eqc(quality, "best")) {
        wish->kind = MNT_HLS_WISH_BEST;
        return 0;
    }

    if (mnt_str_eqc(quality, "worst")) {
        wish->kind = MNT_HLS_WISH_WORST;
        return 0;
    }

    if (mnt_str_eqc(quality, "audio")) {
        wish->kind = MNT_HLS_WISH_AUDIO;
        return 0;
    }

    p = quality.len ? memchr(quality.data, 'p', quality.len) : NULL;

    if (p == NULL) {
        return -1;
    }

    number.data = quality.data;
    number.len = (size_t) (p - quality.data);

    if (mnt_str_u64(number, &height) != 0 || height == 0
        || height > MNT_HLS_HEIGHT_MAX)
    {
        return -1;
    }

    wish->kind = MNT_HLS_WISH_HEIGHT;
    wish->height = (uint32_t) height;

    number.data = p + 1;
    number.len = quality.len - number.len - 1;

    if (number.len == 0) {
        return 0;
    }

    if (mnt_str_u64(number, &rate) != 0 || rate == 0
        || rate > MNT_HLS_FPS_MAX)
    {
        return -1;
    }

    wish->rate_milli = (uint32_t) rate * 1000;

    return 0;
}


int
mnt_hls_quality_valid(mnt_str_t quality)
{
    mnt_hls_wish_t  wish;

    return mnt_hls_wish_read(quality, &wish) == 0;
}


/* the shorter side, so that a picture held upright is 1080p too */

static uint32_t
mnt_hls_height(const mnt_hls_variant_t *v)
{
    return v->width < v->height ? v->width : v->height;
}


/* no picture: no resolution, and codecs that are all of sound */

static int
mnt_hls_audio_only(const mnt_hls_variant_t *v)
{
    size_t      i, n;
    mnt_str_t   rest, codec;

    static const char  *const sounds[] = {
        "mp4a", "ac-3", "ec-3", "ac-4", "opus", "Opus", "flac", "fLaC",
        "alac", "mp3"
    };

    if (v->width || v->height || v->codecs.len == 0) {
        return 0;
    }

    rest = v->codecs;

    while (rest.len) {
        codec = rest;

        for (n = 0; n < rest.len && rest.data[n] != ','; n++) {
            /* void */
        }

        codec.len = n;
        codec = mnt_str_trim(codec);
        n += (n < rest.len);
        rest.data += n;
        rest.len -= n;

        for (i = 0; i < sizeof(sounds) / sizeof(sounds[0]); i++) {
            if (mnt_str_starts(codec, sounds[i])) {
                break;
            }
        }

        if (i == sizeof(sounds) / sizeof(sounds[0])) {
            return 0;
        }
    }

    return 1;
}


/* by height, then rate, then bandwidth; of equals the first stays */

static int
mnt_hls_better(const mnt_hls_variant_t *v, const mnt_hls_variant_t *w)
{
    if (mnt_hls_height(v) != mnt_hls_height(w)) {
        return mnt_hls_height(v) > mnt_hls_height(w);
    }

    if (v->frame_rate_milli != w->frame_rate_milli) {
        return v->frame_rate_milli > w->frame_rate_milli;
    }

    return v->bandwidth > w->bandwidth;
}


static int
mnt_hls_satisfies(const mnt_hls_variant_t *v, const mnt_hls_wish_t *wish)
{
    if (wish->kind != MNT_HLS_WISH_HEIGHT) {
        return 1;
    }

    if (mnt_hls_height(v) != wish->height) {
        return 0;
    }

    return wish->rate_milli == 0
           || (v->frame_rate_milli + MNT_HLS_FPS_SLACK >= wish->rate_milli
               && v->frame_rate_milli <= wish->rate_milli
                                         + MNT_HLS_FPS_SLACK);
}


static int
mnt_hls_not_above(const mnt_hls_variant_t *v, const mnt_hls_wish_t *wish)
{
    if (mnt_hls_height(v) != wish->height) {
        return mnt_hls_height(v) < wish->height;
    }

    return wish->rate_milli == 0
           || v->frame_rate_milli <= wish->rate_milli + MNT_HLS_FPS_SLACK;
}


static int
mnt_hls_highest(const mnt_hls_playlist_t *p,
    int (*fits)(const mnt_hls_variant_t *v, const mnt_hls_wish_t *wish),
    const mnt_hls_wish_t *wish)
{
    int       best;
    unsigned  i;

    best = -1;

    for (i = 0; i < p->nvariants; i++) {
        if (mnt_hls_audio_only(&p->variants[i])
            || !fits(&p->variants[i], wish))
        {
            continue;
        }

        if (best == -1
            || mnt_hls_better(&p->variants[i], &p->variants[best]))
        {
            best = (int) i;
        }
    }

    return best;
}


/* a picture of known size before one of unknown size before sound alone */

static int
mnt_hls_lowest(const mnt_hls_playlist_t *p)
{
    int       known, unknown, sound, *lowest;
    unsigned  i;

    known = -1;
    unknown = -1;
    sound = -1;

    for (i = 0; i < p->nvariants; i++) {
        if (mnt_hls_audio_only(&p->variants[i])) {
            lowest = &sound;

        } else if (mnt_hls_height(&p->variants[i])) {
            lowest = &known;

        } else {
            lowest = &unknown;
        }

        if (*lowest == -1
            || mnt_hls_better(&p->variants[*lowest], &p->variants[i]))
        {
            *lowest = (int) i;
        }
    }

    if (known != -1) {
        return known;
    }

    return unknown != -1 ? unknown : sound;
}


static int
mnt_hls_audio(const mnt_hls_playlist_t *p)
{
    int       best;
    unsigned  i;

    best = -1;

    for (i = 0; i < p->nvariants; i++) {
        if (mnt_hls_audio_only(&p->variants[i])
            && (best == -1
                || mnt_hls_better(&p->variants[i], &p->variants[best])))
        {
            best = (int) i;
        }
    }

    return best;
}


int
mnt_hls_choose(const mnt_hls_playlist_t *p, mnt_str_t quality)
{
    int             i;
    mnt_hls_wish_t  wish;

    if (mnt_hls_wish_read(quality, &wish) != 0) {
        wish.kind = MNT_HLS_WISH_BEST;
    }

    i = -1;

    switch (wish.kind) {

    case MNT_HLS_WISH_BEST:
        i = mnt_hls_highest(p, mnt_hls_satisfies, &wish);
        break;

    case MNT_HLS_WISH_AUDIO:
        i = mnt_hls_audio(p);
        break;

    case MNT_HLS_WISH_HEIGHT:
        i = mnt_hls_highest(p, mnt_hls_satisfies, &wish);

        if (i == -1) {
            i = mnt_hls_highest(p, mnt_hls_not_above, &wish);
        }

        break;

    case MNT_HLS_WISH_WORST:
        break;
    }

    return i != -1 ? i : mnt_hls_lowest(p);
}
