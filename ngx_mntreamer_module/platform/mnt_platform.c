
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_platform.h"

#include "../base/mnt_url.h"


/* the platforms in order of id: a new one is a new file and a line here */

#define MNT_PLATFORMS(platform)                                               \
    platform(chzzk)                                                           \
    platform(hls)                                                             \
    platform(rtmp)


#define mnt_platform_declare(name)  extern const mnt_platform_t               \
                                        mnt_platform_##name;
#define mnt_platform_entry(name)    &mnt_platform_##name,


MNT_PLATFORMS(mnt_platform_declare)


static const mnt_platform_t  *const mnt_platforms[] = {
    MNT_PLATFORMS(mnt_platform_entry)
};


unsigned
mnt_platform_count(void)
{
    return sizeof(mnt_platforms) / sizeof(mnt_platforms[0]);
}


const mnt_platform_t *
mnt_platform_at(unsigned i)
{
    return i < mnt_platform_count() ? mnt_platforms[i] : NULL;
}


const mnt_platform_t *
mnt_platform_find(mnt_str_t name)
{
    int64_t                id;
    unsigned               i, n;
    const mnt_platform_t  *p;

    if (mnt_str_i64(name, &id) != 0) {
        id = 0;
    }

    for (i = 0; i < mnt_platform_count(); i++) {
        p = mnt_platforms[i];

        if (p->id == id || mnt_str_caseeqc(name, p->name)) {
            return p;
        }

        for (n = 0; p->aliases[n]; n++) {
            if (mnt_str_caseeqc(name, p->aliases[n])) {
                return p;
            }
        }
    }

    return NULL;
}


const mnt_platform_t *
mnt_platform_of_url(mnt_arena_t *a, mnt_str_t url, mnt_str_t *channel_id)
{
    int                    playlist;
    unsigned               i;
    mnt_url_t              u;
    mnt_str_t              end;
    const char            *why;
    const mnt_platform_t  *p;

    url = mnt_str_trim(url);

    if (mnt_url_parse(url, &u) != 0) {
        return NULL;
    }

    end.len = u.path.len < 5 ? u.path.len : 5;
    end.data = u.path.data + u.path.len - end.len;
    playlist = mnt_str_caseeqc(end, ".m3u8");

    for (i = 0; i < mnt_platform_count(); i++) {
        p = mnt_platforms[i];

        /* without an API any URL would do, also that of a page */

        if (p->api == NULL && !playlist) {
            continue;
        }

        if (p->channel(a, url, channel_id, &why) == 0) {
            return p;
        }
    }

    return NULL;
}
