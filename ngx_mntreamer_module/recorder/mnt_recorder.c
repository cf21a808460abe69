
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_recorder.h"
#include "../base/mnt_backoff.h"

#include <stdio.h>
#include <string.h>


#define MNT_RECORDER_SECOND      ((int64_t) 1000)
#define MNT_RECORDER_MINUTE      (60 * MNT_RECORDER_SECOND)

#define MNT_RECORDER_DEAD_MS     (15 * MNT_RECORDER_SECOND)
#define MNT_RECORDER_ENDED_MS    (20 * MNT_RECORDER_SECOND)
#define MNT_RECORDER_LAST_MS     (2 * MNT_RECORDER_SECOND)
#define MNT_RECORDER_GRACE_MS    (15 * MNT_RECORDER_MINUTE)
#define MNT_RECORDER_TARGET_MS   (2 * MNT_RECORDER_SECOND)

#define MNT_RECORDER_MARK        88888888     /* not in the other numbers */


static int mnt_recorder_holds(const mnt_layout_values_t *v, mnt_str_t layout,
    mnt_str_t digits);
static int mnt_recorder_find(mnt_str_t s, mnt_str_t wanted, size_t *at);
static void mnt_recorder_put(mnt_str_t path, mnt_str_t digits, char byte,
    char *buf, size_t *len);


/* 1 and the place of the first "wanted" in "s" */

static int
mnt_recorder_find(mnt_str_t s, mnt_str_t wanted, size_t *at)
{
    size_t  i;

    for (i = 0; i + wanted.len <= s.len; i++) {
        if (memcmp(s.data + i, wanted.data, wanted.len) == 0) {
            *at = i;
            return 1;
        }
    }

    return 0;
}


static int
mnt_recorder_holds(const mnt_layout_values_t *v, mnt_str_t layout,
    mnt_str_t digits)
{
    size_t  at;

    return mnt_recorder_find(layout, digits, &at)
           || mnt_recorder_find(v->platform, digits, &at)
           || mnt_recorder_find(v->channel_id, digits, &at)
           || mnt_recorder_find(v->channel_name, digits, &at)
           || mnt_recorder_find(v->title, digits, &at);
}


/* copies "path" with "byte" in the place of each "digits" */

static void
mnt_recorder_put(mnt_str_t path, mnt_str_t digits, char byte, char *buf,
    size_t *len)
{
    size_t     n, at;
    mnt_str_t  rest;

    rest = path;
    n = 0;

    while (mnt_recorder_find(rest, digits, &at)) {
        memcpy(buf + n, rest.data, at);
        n += at;
        buf[n++] = byte;

        rest.data += at + digits.len;
        rest.len -= at + digits.len;
    }

    if (rest.len) {
        memcpy(buf + n, rest.data, rest.len);
    }

    *len = n + rest.len;
}


/*
 * The expander writes numbers and then makes each component safe, which no
 * control byte would survive.  So it gets the largest numbers whose digits are
 * nowhere in the other texts, and these digits are replaced behind it.
 */

mnt_str_t
mnt_recorder_path(mnt_arena_t *a, mnt_str_t layout,
    const mnt_layout_values_t *v, int marked)
{
    char                *buf, *again;
    size_t               len;
    unsigned             mark;
    mnt_str_t            path, sequence, id, none = mnt_str_null;
    mnt_layout_values_t  values;

    values = *v;
    values.recording_id = INT64_MAX;
    values.sequence = UINT32_MAX;

    for ( ;; ) {
        id = mnt_arena_printf(a, "%lld", (long long) values.recording_id);

        if (id.data == NULL || !mnt_recorder_holds(v, layout, id)) {
            break;
        }

        values.recording_id--;
    }

    for ( ;; ) {
        sequence = mnt_arena_printf(a, "%u", values.sequence);

        if (sequence.data == NULL
            || !mnt_recorder_holds(v, layout, sequence))
        {
            break;
        }

        values.sequence--;
    }

    for (mark = MNT_RECORDER_MARK; marked; mark--) {
        values.channel_mark = mnt_arena_printf(a, "%u", mark);

        if (values.channel_mark.data == NULL) {
            return none;
        }

        if (!mnt_recorder_holds(v, layout, values.channel_mark)) {
            break;
        }
    }

    path = mnt_layout_expand(a, layout, &values);

    if (path.data == NULL || id.data == NULL || sequence.data == NULL) {
        return none;
    }

    buf = mnt_arena_alloc(a, path.len + 1);
    again = mnt_arena_alloc(a, path.len + 1);

    if (buf == NULL || again == NULL) {
        return none;
    }

    /* the longer one first: its digits might hold those of the other */

    mnt_recorder_put(path, id, MNT_RECORDER_ID_BYTE, buf, &len);

    path.data = buf;
    path.len = len;

    mnt_recorder_put(path, sequence, MNT_RECORDER_SEQUENCE_BYTE, again, &len);

    path.data = again;
    path.len = len;

    if (marked) {
        mnt_recorder_put(path, values.channel_mark, MNT_RECORDER_MARK_BYTE,
                         buf, &len);

        path.data = buf;
        path.len = len;
    }

    return path;
}


size_t
mnt_recorder_quality(const mnt_hls_variant_t *v, char *buf, size_t size)
{
    int       n;
    unsigned  height, fps;

    height = (v->width && v->width < v->height) ? v->width : v->height;
    fps = (v->frame_rate_milli + 500) / 1000;

    if (height == 0 || size == 0) {
        return 0;
    }

    n = fps ? snprintf(buf, size, "%up%u", height, fps)
            : snprintf(buf, size, "%up", height);

    return (n > 0 && (size_t) n < size) ? (size_t) n : 0;
}


unsigned
mnt_recorder_audio(const mnt_hls_playlist_t *p, const mnt_hls_variant_t *v,
    const mnt_hls_rendition_t **list, unsigned max)
{
    unsigned                    i, n, pass, rank;
    const mnt_hls_rendition_t  *r;

    n = 0;

    if (v->audio.len == 0) {
        return 0;
    }

    for (pass = 0; pass < 3; pass++) {

        for (i = 0; i < p->nrenditions && n < max; i++) {
            r = &p->renditions[i];
            rank = r->is_default ? 0 : (r->autoselect ? 1 : 2);

            if (rank != pass
                || r->uri.len == 0
                || !mnt_str_eqc(r->type, "AUDIO")
                || !mnt_str_eq(r->group_id, v->audio)
                || mnt_str_eq(r->uri, v->uri))
            {
                continue;
            }

            list[n++] = r;
        }
    }

    return n;
}


int64_t
mnt_recorder_reload_ms(unsigned failures, int64_t target_ms,
    int64_t outage_ms, uint32_t rnd)
{
    int64_t  base, cap;

    base = target_ms / 2;

    if (base > MNT_RECORDER_SECOND) {
        base = MNT_RECORDER_SECOND;
    }

    if (base < 500) {
        base = 500;
    }

    if (outage_ms < 30 * MNT_RECORDER_SECOND) {
        cap = (target_ms > 2 * base) ? 2 * base : base;

    } else if (outage_ms < 2 * MNT_RECORDER_MINUTE) {
        cap = 5 * MNT_RECORDER_SECOND;

    } else {
        cap = MNT_RECORDER_MINUTE;
    }

    return mnt_backoff_retry(failures ? failures - 1 : 0, base, cap, rnd);
}


int64_t
mnt_recorder_renew_ms(unsigned n)
{
    static const unsigned  minutes[] = { 1, 2, 4, 8, 15 };

    if (n < 3) {
        return n * MNT_RECORDER_SECOND;
    }

    n -= 3;

    if (n >= sizeof(minutes) / sizeof(minutes[0])) {
        n = sizeof(minutes) / sizeof(minutes[0]) - 1;
    }

    return minutes[n] * MNT_RECORDER_MINUTE;
}


int64_t
mnt_recorder_start_ms(uint64_t starts)
{
    return (2 * MNT_RECORDER_SECOND) << (starts < 7 ? starts : 7);
}


int64_t
mnt_recorder_quiet_ms(int64_t target_ms)
{
    int64_t  ms;

    if (target_ms <= 0) {
        target_ms = MNT_RECORDER_TARGET_MS;
    }

    ms = target_ms + target_ms / 2;

    if (ms < 10 * MNT_RECORDER_SECOND) {
        ms = 10 * MNT_RECORDER_SECOND;
    }

    if (ms > 3 * target_ms) {
        ms = 3 * target_ms;
    }

    return (ms < 3 * MNT_RECORDER_SECOND) ? 3 * MNT_RECORDER_SECOND : ms;
}


int
mnt_recorder_acceptable(const mnt_hls_range_t *range,
    const mnt_recorder_answer_t *a)
{
    if (range->length == 0) {
        return a->http == 200;
    }

    if (a->encoded) {
        return 0;
    }

    if (a->http == 206) {
        return a->range_start >= 0
               && (uint64_t) a->range_start == range->offset
               && (uint64_t) a->range_length == range->length;
    }

    /* a server without ranges: only when the whole is what was asked for */

    return a->http == 200
           && range->offset == 0
           && a->content_length >= 0
           && (uint64_t) a->content_length == range->length;
}


int64_t
mnt_recorder_expect(const mnt_hls_range_t *range,
    const mnt_recorder_answer_t *a)
{
    if (range->length) {
        return (int64_t) range->length;
    }

    return a->encoded ? -1 : a->content_length;
}


void
mnt_recorder_end_init(mnt_recorder_end_t *e, int64_t now_ms)
{
    memset(e, 0, sizeof(mnt_recorder_end_t));

    e->started_ms = now_ms;
    e->news_ms = now_ms;
    e->heard_ms = now_ms;
    e->ended_ms = -1;
    e->failing_ms = -1;
    e->refused_ms = -1;
    e->off_ms = -1;
    e->target_ms = MNT_RECORDER_TARGET_MS;
    e->grace_ms = MNT_RECORDER_GRACE_MS;
    e->live = 1;
}


void
mnt_recorder_end_news(mnt_recorder_end_t *e, int64_t now_ms)
{
    e->news_ms = now_ms;
    e->waiting = 0;
}


void
mnt_recorder_end_heard(mnt_recorder_end_t *e, mnt_recorder_heard_e heard,
    int64_t now_ms)
{
    e->heard_ms = now_ms;

    switch (heard) {

    case MNT_RECORDER_ON_AIR:
        e->live = 1;
        e->errors = 0;
        e->offs = 0;
        e->doubts = 0;
        e->off_ms = -1;
        return;

    case MNT_RECORDER_OFF_AIR:
        e->live = 0;
        e->errors = 0;
        e->doubts++;

        /* segments came meanwhile: it was not the end */

        if (e->offs == 0 || e->news_ms > e->off_ms) {
            e->offs = 1;
            e->off_ms = now_ms;
            return;
        }

        e->offs++;
        return;

    default:
        e->errors++;
        return;
    }
}


int
mnt_recorder_end_quiet(const mnt_recorder_end_t *e, int64_t now_ms)
{
    if (e->waiting || e->ended_ms >= 0) {
        return 1;
    }

    if (!e->identified && e->failing_ms >= 0) {

        /* the same playlist is all the platform can ask */

        return now_ms - e->failing_ms >= MNT_RECORDER_DEAD_MS;
    }

    if (e->refused_ms >= 0) {
        return 1;
    }

    return now_ms - e->news_ms >= mnt_recorder_quiet_ms(e->target_ms);
}


int64_t
mnt_recorder_end_ask_at(const mnt_recorder_end_t *e, int64_t now_ms)
{
    int64_t   pause;
    unsigned  n;

    if (e->errors) {
        n = (e->errors < 5) ? e->errors - 1 : 4;
        pause = (2 * MNT_RECORDER_SECOND) << n;

        /* while segments come its answers are only facts */

        if (!mnt_recorder_end_quiet(e, now_ms) && e->offs == 0
            && pause < e->refresh_ms)
        {
            pause = e->refresh_ms;
        }

        return e->heard_ms + pause;
    }

    if (mnt_recorder_end_quiet(e, now_ms)) {

        if (!e->live) {
            return e->heard_ms + e->check_ms;
        }

        /* asked before it fell silent: the answer is too old to count */

        if (e->ended_ms > e->heard_ms || e->refused_ms > e->heard_ms
            || (e->ended_ms < 0 && e->refused_ms < 0
                && e->heard_ms
                   < e->news_ms + mnt_recorder_quiet_ms(e->target_ms)))
        {
            return now_ms;
        }

        pause = (e->ended_ms >= 0) ? 5 * MNT_RECORDER_SECOND
                                   : 10 * MNT_RECORDER_SECOND;

        if (now_ms - e->news_ms > 2 * MNT_RECORDER_MINUTE) {
            pause = MNT_RECORDER_MINUTE;
        }

        return e->heard_ms + pause;
    }

    /* "off air" while segments come: asked again soon, then less often */

    if (e->doubts) {
        n = (e->doubts < 6) ? e->doubts - 1 : 5;
        pause = e->check_ms << n;

        if (pause < e->refresh_ms) {
            return e->heard_ms + pause;
        }
    }

    return e->heard_ms + e->refresh_ms;
}


int
mnt_recorder_end_past(const mnt_recorder_end_t *e, int64_t now_ms)
{
    return e->certain && e->offs
           && now_ms - e->off_ms >= MNT_RECORDER_LAST_MS
           && now_ms - e->news_ms >= MNT_RECORDER_LAST_MS;
}


const char *
mnt_recorder_end_over(const mnt_recorder_end_t *e, int64_t now_ms)
{
    if (mnt_recorder_end_past(e, now_ms)) {
        return "off air";
    }

    if (e->offs >= 2
        && e->news_ms <= e->off_ms
        && e->heard_ms - e->off_ms >= e->check_ms
        && mnt_recorder_end_quiet(e, now_ms))
    {
        return "off air";
    }

    if (e->ended_ms >= 0
        && e->live
        && e->heard_ms >= e->ended_ms
        && now_ms - e->ended_ms >= MNT_RECORDER_ENDED_MS)
    {
        return "playlist ended";
    }

    if (now_ms - e->news_ms >= e->grace_ms) {
        return "nothing new";
    }

    return NULL;
}
