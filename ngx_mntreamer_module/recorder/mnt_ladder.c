
/*
 * Copyright (C) the mntreamer authors
 */


#define _GNU_SOURCE                           /* memmem() */

#include "mnt_ladder.h"
#include "../base/mnt_json.h"

#include <stdio.h>
#include <string.h>


#define MNT_LADDER_SIDE    16384              /* pixels, at most */
#define MNT_LADDER_TAIL    65536              /* bytes of a playlist */
#define MNT_LADDER_SOUND   192000             /* bits a second, copied */
#define MNT_LADDER_FRAMES  1000000            /* frame rate in 1/1000 */


/* rates as Apple's authoring specification and others have them, for H.264 */

static const struct {
    unsigned   height;
    uint32_t   rate;
    unsigned   level;
} mnt_ladder_rungs[] = {
    { 1080, 5000000, 42 },
    {  720, 2800000, 40 },
    {  480, 1400000, 32 },
    {  360,  800000, 31 },
    {  240,  400000, 30 },
    {  144,  200000, 30 }
};

#define MNT_LADDER_RUNGS                                                      \
    (sizeof(mnt_ladder_rungs) / sizeof(mnt_ladder_rungs[0]))


static void mnt_ladder_read_video(json_t *stream, mnt_ladder_source_t *src,
    char *video);
static void mnt_ladder_read_audio(json_t *stream, mnt_ladder_source_t *src);
static uint32_t mnt_ladder_ratio(mnt_str_t text, uint32_t scale);
static void mnt_ladder_avc(json_t *stream, char *codec);


mnt_str_t
mnt_ladder_tail(mnt_arena_t *a, mnt_str_t playlist)
{
    size_t       head, tail;
    const char  *p;

    static const char  entry[] = "\n#EXTINF:";

    if (playlist.len <= MNT_LADDER_TAIL) {
        return playlist;
    }

    p = memmem(playlist.data, playlist.len, entry, sizeof(entry) - 1);
    head = p ? (size_t) (p - playlist.data) : 0;

    tail = playlist.len - MNT_LADDER_TAIL / 2;
    p = memmem(playlist.data + tail, playlist.len - tail, entry,
               sizeof(entry) - 1);
    tail = p ? (size_t) (p - playlist.data) : playlist.len;

    return mnt_arena_printf(a, "%.*s%.*s", (int) head, playlist.data,
                            (int) (playlist.len - tail), playlist.data + tail);
}


unsigned
mnt_ladder_height(mnt_str_t name)
{
    char      text[16];
    unsigned  i;

    for (i = 0; i < MNT_LADDER_RUNGS; i++) {
        (void) snprintf(text, sizeof(text), "%up", mnt_ladder_rungs[i].height);

        if (mnt_str_eqc(name, text)) {
            return mnt_ladder_rungs[i].height;
        }
    }

    return 0;
}


int
mnt_ladder_read(mnt_str_t text, mnt_ladder_source_t *src)
{
    char         video[MNT_LADDER_CODECS];
    size_t       i;
    json_t      *doc, *streams, *stream;
    mnt_str_t    type;
    const char  *why;

    memset(src, 0, sizeof(mnt_ladder_source_t));
    video[0] = '\0';

    doc = mnt_json_load_foreign(text, MNT_LADDER_JSON, &why);

    if (doc == NULL) {
        return -1;
    }

    streams = mnt_json_get(doc, "streams");

    for (i = 0; i < json_array_size(streams); i++) {
        stream = json_array_get(streams, i);
        type = mnt_json_str(stream, "codec_type");

        if (mnt_str_eqc(type, "video") && !src->video) {
            mnt_ladder_read_video(stream, src, video);

        } else if (mnt_str_eqc(type, "audio") && !src->audio) {
            mnt_ladder_read_audio(stream, src);
        }
    }

    json_decref(doc);

    /* CODECS names all of them or is left out (RFC 8216 4.3.4.2) */

    if ((!src->video || video[0]) && (!src->audio || src->sound[0])) {
        (void) snprintf(src->codecs, sizeof(src->codecs), "%.31s%s%.31s",
                        video, (video[0] && src->sound[0]) ? "," : "",
                        src->sound);
    }

    return 0;
}


static void
mnt_ladder_read_video(json_t *stream, mnt_ladder_source_t *src, char *video)
{
    int64_t   width, height;
    uint32_t  shape;

    width = mnt_json_i64(stream, "width", 0);
    height = mnt_json_i64(stream, "height", 0);

    if (width < 2 || width > MNT_LADDER_SIDE || height < 2
        || height > MNT_LADDER_SIDE)
    {
        return;
    }

    /* pixels need not be square */

    shape = mnt_ladder_ratio(mnt_json_str(stream, "sample_aspect_ratio"),
                             1000);

    if (shape >= 100 && shape <= 10000) {
        width = (width * shape + 500) / 1000;
    }

    src->video = 1;
    src->width = (uint32_t) width;
    src->height = (uint32_t) height;
    src->frame_rate_milli = mnt_ladder_ratio(mnt_json_str(stream,
                                                          "avg_frame_rate"),
                                             1000);

    if (src->frame_rate_milli > MNT_LADDER_FRAMES) {
        src->frame_rate_milli = 0;
    }

    if (mnt_str_eqc(mnt_json_str(stream, "codec_name"), "h264")) {
        mnt_ladder_avc(stream, video);
    }
}


/* RFC 6381 3.3: profile, constraints and level in hexadecimal */

static void
mnt_ladder_avc(json_t *stream, char *codec)
{
    int64_t    level;
    unsigned   i;
    mnt_str_t  profile;

    static const struct {
        const char  *name;
        const char  *text;
    } profiles[] = {
        { "Constrained Baseline", "42e0" },
        { "Baseline", "4200" },
        { "Main", "4d40" },
        { "Extended", "5800" },
        { "High", "6400" },
        { "High 10", "6e00" },
        { "High 4:2:2", "7a00" },
        { "High 4:4:4 Predictive", "f400" }
    };

    profile = mnt_json_str(stream, "profile");
    level = mnt_json_i64(stream, "level", 0);

    if (level < 1 || level > 255) {
        return;
    }

    for (i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        if (mnt_str_eqc(profile, profiles[i].name)) {
            (void) snprintf(codec, MNT_LADDER_CODECS, "avc1.%s%02x",
                            profiles[i].text, (unsigned) level);
            return;
        }
    }
}


static void
mnt_ladder_read_audio(json_t *stream, mnt_ladder_source_t *src)
{
    mnt_str_t    codec, profile;
    const char  *text;

    codec = mnt_json_str(stream, "codec_name");
    profile = mnt_json_str(stream, "profile");
    text = "";

    if (mnt_str_eqc(codec, "aac")) {
        text = mnt_str_eqc(profile, "HE-AAC") ? "mp4a.40.5"
               : mnt_str_eqc(profile, "HE-AACv2") ? "mp4a.40.29"
               : "mp4a.40.2";

    } else if (mnt_str_eqc(codec, "mp3")) {
        text = "mp4a.40.34";
    }

    src->audio = 1;
    (void) snprintf(src->sound, sizeof(src->sound), "%s", text);
}


/* "30000/1001" or "4:3" times "scale"; 0: none */

static uint32_t
mnt_ladder_ratio(mnt_str_t text, uint32_t scale)
{
    size_t     i;
    int64_t    n, d;
    mnt_str_t  a, b;

    for (i = 0; i < text.len; i++) {
        if (text.data[i] == '/' || text.data[i] == ':') {
            break;
        }
    }

    if (i == text.len) {
        return 0;
    }

    a.data = text.data;
    a.len = i;
    b.data = text.data + i + 1;
    b.len = text.len - i - 1;

    if (mnt_str_i64(a, &n) != 0 || mnt_str_i64(b, &d) != 0
        || n <= 0 || d <= 0 || n > 1000000000 || d > 1000000000)
    {
        return 0;
    }

    n = (n * scale + d / 2) / d;

    return n > UINT32_MAX ? 0 : (uint32_t) n;
}


unsigned
mnt_ladder_choose(const unsigned *wanted, unsigned n,
    const mnt_ladder_source_t *src, unsigned *heights)
{
    unsigned  i, k, count;

    count = 0;

    for (i = 0; i < MNT_LADDER_RUNGS; i++) {

        if (mnt_ladder_rungs[i].height >= src->height) {
            continue;
        }

        for (k = 0; k < n && count < MNT_LADDER_MAX; k++) {
            if (wanted[k] == mnt_ladder_rungs[i].height) {
                heights[count++] = wanted[k];
                break;
            }
        }
    }

    return count;
}


uint32_t
mnt_ladder_rate(unsigned height)
{
    unsigned  i;

    for (i = 0; i < MNT_LADDER_RUNGS - 1; i++) {
        if (height >= mnt_ladder_rungs[i].height) {
            break;
        }
    }

    return mnt_ladder_rungs[i].rate;
}


unsigned
mnt_ladder_level(unsigned height)
{
    unsigned  i;

    for (i = 0; i < MNT_LADDER_RUNGS - 1; i++) {
        if (height >= mnt_ladder_rungs[i].height) {
            break;
        }
    }

    return mnt_ladder_rungs[i].level;
}


uint32_t
mnt_ladder_width(unsigned height, const mnt_ladder_source_t *src)
{
    uint64_t  width;

    if (src->height == 0) {
        return 0;
    }

    width = (uint64_t) src->width * height / src->height;

    return (uint32_t) (width & ~(uint64_t) 1);
}


void
mnt_ladder_variant(mnt_arena_t *a, unsigned height,
    const mnt_ladder_source_t *src, uint64_t peak, uint64_t average,
    mnt_hls_variant_t *v)
{
    uint64_t  most;

    memset(v, 0, sizeof(mnt_hls_variant_t));

    v->frame_rate_milli = src->frame_rate_milli;

    if (height == 0) {
        v->uri = mnt_str_c("video.m3u8");
        v->width = src->width;
        v->height = src->height;
        v->codecs = mnt_str_c(src->codecs);
        v->bandwidth = peak ? peak : 1;
        v->average_bandwidth = average;
        return;
    }

    /* a segment may be filled from its buffer; packets of TS take some */

    most = (uint64_t) mnt_ladder_rate(height) * 3 / 2
           + (src->audio ? MNT_LADDER_SOUND : 0);

    v->uri = mnt_arena_printf(a, "%up.m3u8", height);
    v->bandwidth = peak ? peak : most;
    v->average_bandwidth = average ? average : most * 2 / 3;

    /* nothing is known of the source */

    if (src->height == 0) {
        return;
    }

    v->width = mnt_ladder_width(height, src);
    v->height = height;

    if (!src->audio || src->sound[0]) {
        v->codecs = mnt_arena_printf(a, "avc1.6400%02x%s%s",
                                     mnt_ladder_level(height),
                                     src->sound[0] ? "," : "", src->sound);
    }
}
