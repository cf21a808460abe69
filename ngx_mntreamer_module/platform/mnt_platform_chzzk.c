
/*
 * Copyright (C) the mntreamer authors
 *
 * Chzzk: what users type, and which requests to make.  What the answers mean
 * is in mnt_platform_chzzk_answer.c.
 */


#include "mnt_platform_chzzk.h"

#include <string.h>

#include "../base/mnt_url.h"


#define MNT_CHZZK_ID         32               /* hexadecimal digits */
#define MNT_CHZZK_NICKNAME   60               /* code points */
#define MNT_CHZZK_HITS       20               /* asked of a search */


static int mnt_chzzk_channel(mnt_arena_t *a, mnt_str_t typed,
    mnt_str_t *channel_id, const char **why);
static int mnt_chzzk_address(mnt_arena_t *a, mnt_str_t typed,
    mnt_str_t *channel_id, const char **why);
static int mnt_chzzk_nickname(mnt_arena_t *a, mnt_str_t typed,
    mnt_str_t *channel_id, const char **why);
static mnt_str_t mnt_chzzk_component(mnt_str_t *path);
static int mnt_chzzk_request(mnt_arena_t *a, const mnt_platform_conf_t *conf,
    mnt_request_e kind, mnt_str_t channel, mnt_platform_request_t *req);
static mnt_str_t mnt_chzzk_page(mnt_arena_t *a, mnt_str_t channel_id);


static const char  *const mnt_chzzk_aliases[] = { "치지직", "chzzk", NULL };


const mnt_platform_t  mnt_platform_chzzk = {
    "chzzk",
    1,
    mnt_chzzk_aliases,
    "https://api.chzzk.naver.com",
    mnt_chzzk_channel,
    mnt_chzzk_request,
    mnt_platform_chzzk_probe,
    mnt_platform_chzzk_lookup,
    mnt_chzzk_page,
    1,
    0
};


int
mnt_platform_chzzk_id(mnt_str_t s)
{
    char    c;
    size_t  i;

    if (s.len != MNT_CHZZK_ID) {
        return 0;
    }

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')
              || (c >= 'A' && c <= 'F')))
        {
            return 0;
        }
    }

    return 1;
}


static int
mnt_chzzk_channel(mnt_arena_t *a, mnt_str_t typed, mnt_str_t *channel_id,
    const char **why)
{
    typed = mnt_str_trim(typed);
    *why = "is empty";

    if (typed.len == 0) {
        return -1;
    }

    if (mnt_platform_chzzk_id(typed)) {
        *why = "no memory";
        *channel_id = mnt_platform_lower(a, typed);

        return channel_id->data ? 0 : -1;
    }

    if (memchr(typed.data, '/', typed.len)) {
        return mnt_chzzk_address(a, typed, channel_id, why);
    }

    return mnt_chzzk_nickname(a, typed, channel_id, why);
}


/* the next component of a path, which moves on behind it */

static mnt_str_t
mnt_chzzk_component(mnt_str_t *path)
{
    size_t     i;
    mnt_str_t  component;

    while (path->len && path->data[0] == '/') {
        path->data++;
        path->len--;
    }

    for (i = 0; i < path->len && path->data[i] != '/'; i++) {
        /* void */
    }

    component.data = path->data;
    component.len = i;

    path->data += i;
    path->len -= i;

    return component;
}


/* https://chzzk.naver.com/ID, .../live/ID, .../ID/community, m.chzzk... */

static int
mnt_chzzk_address(mnt_arena_t *a, mnt_str_t typed, mnt_str_t *channel_id,
    const char **why)
{
    mnt_str_t  path, id;
    mnt_url_t  u;

    if (mnt_str_starts(typed, "chzzk.naver.com/")
        || mnt_str_starts(typed, "m.chzzk.naver.com/"))
    {
        typed = mnt_arena_printf(a, "https://%.*s", (int) typed.len,
                                 typed.data);
    }

    *why = "is neither a channel id, an address nor a nickname";

    if (typed.data == NULL || mnt_url_parse(typed, &u) != 0) {
        return -1;
    }

    if (!mnt_str_caseeqc(u.host, "chzzk.naver.com")
        && !mnt_str_caseeqc(u.host, "m.chzzk.naver.com"))
    {
        *why = "is an address of another site";
        return -1;
    }

    path = u.path;
    id = mnt_chzzk_component(&path);

    if (mnt_str_eqc(id, "live")) {
        id = mnt_chzzk_component(&path);
    }

    if (!mnt_platform_chzzk_id(id)) {
        *why = "is not the address of a channel";
        return -1;
    }

    *why = "no memory";
    *channel_id = mnt_platform_lower(a, id);

    return channel_id->data ? 0 : -1;
}


static int
mnt_chzzk_nickname(mnt_arena_t *a, mnt_str_t typed, mnt_str_t *channel_id,
    const char **why)
{
    size_t         i, points;
    unsigned char  c;

    *why = "is not UTF-8";

    if (!mnt_str_utf8(typed)) {
        return -1;
    }

    typed = mnt_platform_hangul(a, typed);
    *why = "no memory";

    if (typed.data == NULL) {
        return -1;
    }

    points = 0;

    for (i = 0; i < typed.len; i++) {
        c = (unsigned char) typed.data[i];

        if (c < ' ' || c == 0x7f) {
            *why = "holds a control character";
            return -1;
        }

        points += ((c & 0xc0) != 0x80);
    }

    if (points > MNT_CHZZK_NICKNAME) {
        *why = "is longer than a nickname can be";
        return -1;
    }

    *channel_id = typed;

    return 1;
}


static int
mnt_chzzk_request(mnt_arena_t *a, const mnt_platform_conf_t *conf,
    mnt_request_e kind, mnt_str_t channel, mnt_platform_request_t *req)
{
    mnt_str_t  api;

    memset(req, 0, sizeof(mnt_platform_request_t));

    api = conf->api.len ? conf->api : mnt_str_c(mnt_platform_chzzk.api);

    /* an id that is none never gets into a path */

    if (kind != MNT_REQUEST_SEARCH && !mnt_platform_chzzk_id(channel)) {
        return -1;
    }

    switch (kind) {

    case MNT_REQUEST_STATUS:
        req->url = mnt_arena_printf(a,
                               "%.*s/polling/v3.1/channels/%.*s/live-status",
                               (int) api.len, api.data, (int) channel.len,
                               channel.data);
        break;

    case MNT_REQUEST_DETAIL:
        req->url = mnt_arena_printf(a,
                               "%.*s/service/v3.1/channels/%.*s/live-detail",
                               (int) api.len, api.data, (int) channel.len,
                               channel.data);
        break;

    case MNT_REQUEST_CHANNEL:
        req->url = mnt_arena_printf(a, "%.*s/service/v1/channels/%.*s",
                               (int) api.len, api.data, (int) channel.len,
                               channel.data);
        break;

    case MNT_REQUEST_SEARCH:
        channel = mnt_platform_escape(a, channel);

        if (channel.len == 0) {
            return -1;
        }

        req->url = mnt_arena_printf(a, "%.*s/service/v1/search/channels"
                               "?keyword=%.*s&offset=0&size=%d",
                               (int) api.len, api.data, (int) channel.len,
                               channel.data, MNT_CHZZK_HITS);
        break;

    default:
        return -1;
    }

    req->api = 1;
    req->headers[0] = mnt_str_c("Accept: application/json, text/plain, */*");
    req->headers[1] = mnt_str_c("Origin: https://chzzk.naver.com");
    req->headers[2] = mnt_str_c("Referer: https://chzzk.naver.com/");
    req->nheaders = 3;
    req->max_bytes = MNT_CHZZK_BODY;

    return req->url.data ? 0 : -1;
}


static mnt_str_t
mnt_chzzk_page(mnt_arena_t *a, mnt_str_t channel_id)
{
    mnt_str_t  none = mnt_str_null;

    if (!mnt_platform_chzzk_id(channel_id)) {
        return none;
    }

    return mnt_arena_printf(a, "https://chzzk.naver.com/live/%.*s",
                            (int) channel_id.len, channel_id.data);
}
