
/*
 * Copyright (C) the mntreamer authors
 *
 * Answers of platforms.  The first byte chooses the platform (bit 0), the
 * question (bits 1 and 2) and the status of HTTP (bits 3 to 5); the rest is
 * the body.  The same bytes are also read as what a user typed.
 */


#undef NDEBUG

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/mnt_str.h"
#include "base/mnt_url.h"
#include "platform/mnt_platform.h"


#define CHANNEL_CHZZK  "00112233445566778899aabbccddeeff"
#define CHANNEL_HLS    "https://media.example/live.m3u8"
#define REASON_MAX     160
#define TYPED_MAX      4096


int LLVMFuzzerTestOneInput(const uint8_t *in, size_t len);


static const unsigned  statuses[] = { 200, 0, 403, 404, 429, 500, 204, 302 };


/* reasons go into logs, metrics and rows */

static void
check_reason(mnt_str_t reason)
{
    size_t  i;

    assert(reason.len < REASON_MAX);

    for (i = 0; i < reason.len; i++) {
        assert(reason.data[i] >= ' ' && reason.data[i] <= '~');
    }
}


static void
check_url(mnt_str_t url)
{
    mnt_url_t  u;

    if (url.data) {
        assert(mnt_url_parse(url, &u) == 0);
    }
}


static void
check_probe(const mnt_platform_t *p, unsigned http, mnt_request_e kind,
    const mnt_probe_t *probe)
{
    assert((unsigned) probe->outcome < MNT_PROBE_MAX);
    check_reason(probe->reason);
    check_url(probe->playlist_url);
    check_url(probe->image_url);

    assert(mnt_str_utf8(probe->title));
    assert(mnt_str_utf8(probe->category));
    assert(mnt_str_utf8(probe->channel_name));
    assert(probe->title.len <= 1024);
    assert(probe->viewers >= -1);
    assert(probe->opened_ms >= -1 && probe->closed_ms >= -1);
    assert(probe->call_period_ms >= 0 && probe->retry_after_ms >= 0);
    assert(probe->more == 0 || (probe->outcome == MNT_PROBE_LIVE
                                && kind == MNT_REQUEST_STATUS));

    if (probe->outcome == MNT_PROBE_LIVE && !probe->more) {
        assert(probe->playlist_url.len > 0);
    }

    if (!mnt_probe_conclusive(probe->outcome)) {
        assert(probe->reason.len > 0);
    }

    /* off air is never concluded from an answer that failed */

    if (http != 200) {
        assert(probe->outcome != MNT_PROBE_LIVE);
        assert(probe->outcome != MNT_PROBE_OFFLINE
               || (p->api == NULL && http == 404));
    }
}


static void
check_typed(const mnt_platform_t *p, mnt_str_t typed)
{
    int                      rc;
    const char              *why;
    mnt_str_t                channel, again;
    mnt_arena_t              a;
    mnt_platform_conf_t      conf;
    mnt_platform_request_t   req;

    memset(&conf, 0, sizeof(conf));
    mnt_arena_init(&a, 1 << 20);
    why = NULL;

    rc = p->channel(&a, typed, &channel, &why);

    if (rc == -1) {
        assert(why && why[0]);

    } else {
        assert(rc == 0 || p->lookup);
        assert(p->request(&a, &conf, rc ? MNT_REQUEST_SEARCH
                                        : MNT_REQUEST_STATUS, channel, &req)
               == 0);
        check_url(req.url);

        /* an id typed again is the same id */

        if (rc == 0) {
            assert(p->channel(&a, channel, &again, &why) == 0);
            assert(mnt_str_eq(channel, again));
        }
    }

    mnt_arena_free(&a);
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    mnt_str_t               channel, reason;
    mnt_probe_t             probe;
    mnt_arena_t             a;
    mnt_channel_t           ch;
    mnt_request_e           kind;
    mnt_probe_outcome_e     outcome;
    mnt_platform_conf_t     conf;
    const mnt_platform_t   *p;
    mnt_platform_answer_t   answer;

    if (len == 0) {
        return 0;
    }

    p = mnt_platform_at(in[0] & 1);
    kind = (mnt_request_e) (in[0] >> 1 & 3);
    channel = mnt_str_c(p->api ? CHANNEL_CHZZK : CHANNEL_HLS);

    memset(&conf, 0, sizeof(conf));
    memset(&answer, 0, sizeof(answer));
    answer.http = statuses[in[0] >> 3 & 7];
    answer.body.data = (const char *) in + 1;
    answer.body.len = len - 1;
    answer.retry_after = answer.body;
    mnt_arena_init(&a, 1 << 20);

    if (kind == MNT_REQUEST_STATUS || kind == MNT_REQUEST_DETAIL) {
        p->probe(&a, &conf, kind, channel, &answer, &probe);
        check_probe(p, answer.http, kind, &probe);

    } else if (p->lookup) {
        outcome = p->lookup(&a, kind, channel, &answer, &ch, &reason);
        assert((unsigned) outcome < MNT_PROBE_MAX);
        check_reason(reason);
        check_url(ch.image_url);

        if (outcome == MNT_PROBE_LIVE || outcome == MNT_PROBE_OFFLINE) {
            assert(ch.channel_id.len == sizeof(CHANNEL_CHZZK) - 1);
        }
    }

    /* without memory it is never another state, only less is known of it */

    if (kind == MNT_REQUEST_STATUS || kind == MNT_REQUEST_DETAIL) {
        mnt_arena_free(&a);
        mnt_arena_init(&a, mnt_str_hash(answer.body) % 512);
        p->probe(&a, &conf, kind, channel, &answer, &probe);
        assert((unsigned) probe.outcome < MNT_PROBE_MAX);
    }

    if (answer.body.len <= TYPED_MAX) {
        check_typed(p, answer.body);
    }

    mnt_arena_free(&a);

    return 0;
}
