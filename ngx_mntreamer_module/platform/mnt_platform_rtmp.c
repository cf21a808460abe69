
/*
 * Copyright (C) the mntreamer authors
 *
 * Own broadcasts: whoever has the stream key of a channel sends it to us by
 * RTMP.  The channel is a name of ours; there is nobody to ask.
 */


#include "mnt_platform_probe.h"

#include <string.h>


#define MNT_PLATFORM_RTMP_NAME  64            /* bytes of a channel id */


static int mnt_platform_rtmp_channel(mnt_arena_t *a, mnt_str_t typed,
    mnt_str_t *channel_id, const char **why);
static int mnt_platform_rtmp_request(mnt_arena_t *a,
    const mnt_platform_conf_t *conf, mnt_request_e kind, mnt_str_t channel,
    mnt_platform_request_t *req);
static void mnt_platform_rtmp_probe(mnt_arena_t *a,
    const mnt_platform_conf_t *conf, mnt_request_e kind, mnt_str_t channel,
    const mnt_platform_answer_t *answer, mnt_probe_t *probe);
static mnt_str_t mnt_platform_rtmp_page(mnt_arena_t *a, mnt_str_t channel_id);


static const char  *const mnt_platform_rtmp_aliases[] = { NULL };


const mnt_platform_t  mnt_platform_rtmp = {
    "rtmp",
    3,
    mnt_platform_rtmp_aliases,
    NULL,
    mnt_platform_rtmp_channel,
    mnt_platform_rtmp_request,
    mnt_platform_rtmp_probe,
    NULL,
    mnt_platform_rtmp_page,
    0,
    1
};


/* part of paths and addresses as it is, so it has letters that need no care */

static int
mnt_platform_rtmp_channel(mnt_arena_t *a, mnt_str_t typed,
    mnt_str_t *channel_id, const char **why)
{
    char    c;
    size_t  i;

    typed = mnt_str_trim(typed);
    *why = "is empty";

    if (typed.len == 0) {
        return -1;
    }

    *why = "is longer than 64 bytes";

    if (typed.len > MNT_PLATFORM_RTMP_NAME) {
        return -1;
    }

    *channel_id = mnt_platform_lower(a, typed);
    *why = "no memory";

    if (channel_id->data == NULL) {
        return -1;
    }

    *why = "may have letters of ASCII and digits, and behind the first also "
           "\"-\" and \"_\"";

    for (i = 0; i < channel_id->len; i++) {
        c = channel_id->data[i];

        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')
            || (i && (c == '-' || c == '_')))
        {
            continue;
        }

        return -1;
    }

    return 0;
}


static int
mnt_platform_rtmp_request(mnt_arena_t *a, const mnt_platform_conf_t *conf,
    mnt_request_e kind, mnt_str_t channel, mnt_platform_request_t *req)
{
    (void) a;
    (void) conf;
    (void) kind;
    (void) channel;

    memset(req, 0, sizeof(mnt_platform_request_t));

    return -1;
}


static void
mnt_platform_rtmp_probe(mnt_arena_t *a, const mnt_platform_conf_t *conf,
    mnt_request_e kind, mnt_str_t channel,
    const mnt_platform_answer_t *answer, mnt_probe_t *probe)
{
    (void) conf;
    (void) kind;
    (void) channel;
    (void) answer;

    mnt_platform_probe_init(probe);
    mnt_platform_probe_set(a, probe, MNT_PROBE_ERROR, "nobody is asked");
}


static mnt_str_t
mnt_platform_rtmp_page(mnt_arena_t *a, mnt_str_t channel_id)
{
    mnt_str_t  none = mnt_str_null;

    (void) a;
    (void) channel_id;

    return none;
}
