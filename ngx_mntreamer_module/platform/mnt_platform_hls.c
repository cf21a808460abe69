
/*
 * Copyright (C) the mntreamer authors
 *
 * Plain HLS: the channel is the URL of a playlist, and it is live while that
 * URL answers a playlist without an end.
 */


#include "mnt_platform_probe.h"

#include <string.h>

#include "../base/mnt_url.h"
#include "../hls/mnt_hls.h"


#define MNT_PLATFORM_HLS_URL    2048          /* bytes of a channel id */
#define MNT_PLATFORM_HLS_ARENA  (32 * 1024 * 1024)


static int mnt_platform_hls_channel(mnt_arena_t *a, mnt_str_t typed,
    mnt_str_t *channel_id, const char **why);
static int mnt_platform_hls_absolute(mnt_str_t s);
static int mnt_platform_hls_request(mnt_arena_t *a,
    const mnt_platform_conf_t *conf, mnt_request_e kind, mnt_str_t channel,
    mnt_platform_request_t *req);
static void mnt_platform_hls_probe(mnt_arena_t *a,
    const mnt_platform_conf_t *conf, mnt_request_e kind, mnt_str_t channel,
    const mnt_platform_answer_t *answer, mnt_probe_t *probe);
static void mnt_platform_hls_playlist(mnt_arena_t *a, mnt_str_t channel,
    mnt_str_t body, mnt_probe_t *probe);
static int mnt_platform_hls_encrypted(const mnt_hls_playlist_t *p);
static mnt_str_t mnt_platform_hls_page(mnt_arena_t *a, mnt_str_t channel_id);


static const char  *const mnt_platform_hls_aliases[] = { "m3u8", NULL };


const mnt_platform_t  mnt_platform_hls = {
    "hls",
    2,
    mnt_platform_hls_aliases,
    NULL,
    mnt_platform_hls_channel,
    mnt_platform_hls_request,
    mnt_platform_hls_probe,
    NULL,
    mnt_platform_hls_page,
    0,
    0
};


/*
 * One playlist is one streamer however it was typed: without fragment and dot
 * segments, scheme and host in lower case, bytes beyond ASCII as %XX.
 */

static int
mnt_platform_hls_channel(mnt_arena_t *a, mnt_str_t typed,
    mnt_str_t *channel_id, const char **why)
{
    size_t     front;
    mnt_str_t  url, origin;
    mnt_url_t  u;

    typed = mnt_str_trim(typed);
    *why = "is empty";

    if (typed.len == 0) {
        return -1;
    }

    *why = "is longer than 2048 bytes";

    if (typed.len > MNT_PLATFORM_HLS_URL) {
        return -1;
    }

    *why = "is not the http or https URL of a playlist";

    if (!mnt_platform_hls_absolute(typed)) {
        return -1;
    }

    /* an absolute reference takes nothing from its base */

    url = mnt_url_join(a, mnt_str_c("http://localhost/"), typed);

    if (url.data == NULL || mnt_url_parse(url, &u) != 0) {
        return -1;
    }

    front = (size_t) (u.path.data - url.data);
    origin.data = url.data;
    origin.len = front;
    origin = mnt_platform_lower(a, origin);
    *why = "no memory";

    if (origin.data == NULL) {
        return -1;
    }

    url = mnt_arena_printf(a, "%.*s%.*s", (int) front, origin.data,
                           (int) (url.len - front), url.data + front);

    if (url.data == NULL) {
        return -1;
    }

    *why = "is longer than 2048 bytes";

    if (url.len > MNT_PLATFORM_HLS_URL) {
        return -1;
    }

    *channel_id = url;

    return 0;
}


static int
mnt_platform_hls_absolute(mnt_str_t s)
{
    mnt_str_t  scheme;

    scheme.data = s.data;
    scheme.len = s.len < 7 ? s.len : 7;

    if (mnt_str_caseeqc(scheme, "http://")) {
        return 1;
    }

    scheme.len = s.len < 8 ? s.len : 8;

    return mnt_str_caseeqc(scheme, "https://");
}


/* there is one question only; DETAIL is the same, asked again */

static int
mnt_platform_hls_request(mnt_arena_t *a, const mnt_platform_conf_t *conf,
    mnt_request_e kind, mnt_str_t channel, mnt_platform_request_t *req)
{
    mnt_url_t  u;

    (void) conf;

    memset(req, 0, sizeof(mnt_platform_request_t));

    if ((kind != MNT_REQUEST_STATUS && kind != MNT_REQUEST_DETAIL)
        || channel.len > MNT_PLATFORM_HLS_URL
        || mnt_url_parse(channel, &u) != 0)
    {
        return -1;
    }

    req->url = mnt_arena_dup(a, channel);
    req->playlist = 1;
    req->max_bytes = MNT_HLS_MAX_BYTES;

    return req->url.data ? 0 : -1;
}


static void
mnt_platform_hls_probe(mnt_arena_t *a, const mnt_platform_conf_t *conf,
    mnt_request_e kind, mnt_str_t channel,
    const mnt_platform_answer_t *answer, mnt_probe_t *probe)
{
    (void) conf;
    (void) kind;

    mnt_platform_probe_init(probe);

    if (mnt_platform_probe_http(a, answer, probe)) {
        mnt_platform_hls_playlist(a, channel, answer->body, probe);
        return;
    }

    /* packagers take the playlist away when nothing is sent to them */

    if (answer->http == 404 || answer->http == 410) {
        probe->outcome = MNT_PROBE_OFFLINE;
    }
}


/*
 * A multivariant playlist does not say whether its variants have ended, so it
 * is live until the recorder finds out.  The list may be far larger than what
 * is kept of it: it is read in an arena of its own.
 */

static void
mnt_platform_hls_playlist(mnt_arena_t *a, mnt_str_t channel, mnt_str_t body,
    mnt_probe_t *probe)
{
    mnt_arena_t         arena;
    mnt_hls_rc_e        rc;
    mnt_hls_playlist_t  p;

    mnt_arena_init(&arena, MNT_PLATFORM_HLS_ARENA);

    rc = mnt_hls_parse(&arena, body, &p);

    if (rc == MNT_HLS_NO_MEMORY) {
        mnt_platform_probe_set(a, probe, MNT_PROBE_TRANSIENT, "no memory");

    } else if (rc == MNT_HLS_NOT_A_PLAYLIST) {
        mnt_platform_probe_set(a, probe, MNT_PROBE_MALFORMED, "playlist: %s",
                               mnt_hls_strerror(rc));

    } else if (rc != MNT_HLS_OK) {
        mnt_platform_probe_set(a, probe, MNT_PROBE_MALFORMED,
                               "playlist: %s in line %u",
                               mnt_hls_strerror(rc), p.error_line);

    } else if (p.kind == MNT_HLS_MULTIVARIANT && p.nvariants == 0) {
        mnt_platform_probe_set(a, probe, MNT_PROBE_MALFORMED,
                               "playlist: no variants");

    } else if (p.kind == MNT_HLS_MEDIA && p.endlist) {
        mnt_platform_probe_set(a, probe, MNT_PROBE_OFFLINE, "ended");

    } else if (p.kind == MNT_HLS_MEDIA && p.type == MNT_HLS_TYPE_VOD) {
        mnt_platform_probe_set(a, probe, MNT_PROBE_OFFLINE, "vod");

    } else {
        probe->playlist_url = mnt_arena_dup(a, channel);
        probe->encrypted = mnt_platform_hls_encrypted(&p) & 1;
        probe->outcome = MNT_PROBE_LIVE;

        if (probe->playlist_url.data == NULL) {
            mnt_platform_probe_set(a, probe, MNT_PROBE_TRANSIENT,
                                   "no memory");
        }
    }

    mnt_arena_free(&arena);
}


static int
mnt_platform_hls_encrypted(const mnt_hls_playlist_t *p)
{
    unsigned              i;
    const mnt_hls_key_t  *key;

    for (i = 0; i < p->nsegments; i++) {
        key = p->segments[i].key;

        if (key && key->method != MNT_HLS_KEY_NONE) {
            return 1;
        }
    }

    return 0;
}


/* a playlist is no page for people, and its query may be a secret */

static mnt_str_t
mnt_platform_hls_page(mnt_arena_t *a, mnt_str_t channel_id)
{
    mnt_str_t  none = mnt_str_null;

    (void) a;
    (void) channel_id;

    return none;
}
