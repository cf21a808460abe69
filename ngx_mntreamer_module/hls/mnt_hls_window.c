
/*
 * Copyright (C) the mntreamer authors
 *
 * Which segments of a freshly loaded playlist are new, and when to ask again.
 *
 * A segment is known again by its sequence number together with its identity
 * or its date: numbers alone start again when an encoder restarts, URIs alone
 * change with each token.  The ring remembers the last MNT_HLS_RECENT planned
 * segments of all epochs, so that the view of an edge server that still serves
 * the numbering from before a reset is known too.
 *
 * The unseen end of the list (its tail) decides:
 *
 *   no tail                        UNCHANGED, or STALE when it ends earlier
 *   tail starts at the next number NEWS
 *   tail starts beyond it          NEWS with a loss, RESET beyond 100000
 *   a number of the tail was planned in this epoch with another identity
 *                                  RESET
 *   all numbers lower              RESET when later by date, or far below what
 *                                  is remembered; else an older view, STALE,
 *                                  unless it stays for MNT_HLS_PATIENCE loads
 *
 * What cannot be told: an encoder without dates that restarts within the first
 * MNT_HLS_RECENT segments and uses the same names again.  Its view is STALE
 * until it passes the last number; "stalled" makes the caller ask before.
 */


#include "mnt_hls.h"

#include <string.h>


#define MNT_HLS_JUMP_MAX     100000
#define MNT_HLS_STALL        3                /* target durations */
#define MNT_HLS_WAIT_MIN     500
#define MNT_HLS_WAIT_MAX     60000


static uint64_t mnt_hls_mix(uint64_t h, uint64_t n);
static uint64_t mnt_hls_identity_whole(mnt_str_t uri);
static int mnt_hls_token_parameter(mnt_str_t name);
static void mnt_hls_window_mode(mnt_hls_window_t *w,
    const mnt_hls_playlist_t *p);
static int mnt_hls_window_same(const mnt_hls_window_t *w,
    const mnt_hls_segment_t *s, const mnt_hls_seen_t *seen);
static const mnt_hls_seen_t *mnt_hls_window_find(const mnt_hls_window_t *w,
    const mnt_hls_segment_t *s, unsigned *in_epoch);
static int mnt_hls_window_conflict(const mnt_hls_window_t *w,
    const mnt_hls_segment_t *s);
static uint64_t mnt_hls_window_lowest(const mnt_hls_window_t *w);
static mnt_hls_news_e mnt_hls_window_judge(mnt_hls_window_t *w,
    const mnt_hls_playlist_t *p, unsigned *tail);
static int mnt_hls_window_renamed(mnt_hls_window_t *w,
    const mnt_hls_playlist_t *p);
static mnt_hls_news_e mnt_hls_window_judge_lower(const mnt_hls_window_t *w,
    const mnt_hls_playlist_t *p, unsigned tail);
static void mnt_hls_window_lost(const mnt_hls_window_t *w,
    const mnt_hls_playlist_t *p, mnt_hls_plan_t *plan);
static void mnt_hls_window_put(mnt_hls_window_t *w,
    const mnt_hls_seen_t *seen);
static void mnt_hls_window_advance(mnt_hls_window_t *w,
    const mnt_hls_playlist_t *p, const mnt_hls_plan_t *plan);
static void mnt_hls_window_news(mnt_hls_window_t *w,
    const mnt_hls_playlist_t *p, unsigned tail, mnt_hls_plan_t *plan);
static int64_t mnt_hls_window_date(const mnt_hls_playlist_t *p, unsigned i);
static int64_t mnt_hls_window_wait(const mnt_hls_playlist_t *p, int news);


void
mnt_hls_window_init(mnt_hls_window_t *w)
{
    memset(w, 0, sizeof(mnt_hls_window_t));

    w->last_date_ms = MNT_DATE_NONE;
}


static uint64_t
mnt_hls_mix(uint64_t h, uint64_t n)
{
    unsigned  i;

    for (i = 0; i < 8; i++) {
        h ^= n & 0xff;
        h *= 1099511628211u;
        n >>= 8;
    }

    return h;
}


uint64_t
mnt_hls_identity(const mnt_hls_segment_t *s)
{
    uint64_t  h;

    h = mnt_url_identity(s->uri);

    if (s->range.length) {
        h = mnt_hls_mix(h, s->range.length);
        h = mnt_hls_mix(h, s->range.offset);
    }

    return h;
}


/* parameters whose value is a signature or its time, as CDNs name them */

static int
mnt_hls_token_parameter(mnt_str_t name)
{
    unsigned  i;

    static const char  *const names[] = {
        "hdnts", "hdntl", "hdnea", "hmac", "__bgda__", "vp", "token", "auth",
        "sig", "signature", "sign", "exp", "expires", "policy", "key-pair-id",
        "x-amz-signature", "x-amz-date", "x-amz-credential",
        "x-amz-security-token", "wssecret", "wstime", "st", "e", "hash",
        "session", "sid"
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (mnt_str_caseeqc(name, names[i])) {
            return 1;
        }
    }

    return 0;
}


/* the last path segment, and all parameters of the query that are no token */

static uint64_t
mnt_hls_identity_whole(mnt_str_t uri)
{
    size_t       n;
    uint64_t     h;
    mnt_str_t    rest, pair, name;
    const char  *mark;

    h = mnt_url_identity(uri);
    mark = uri.len ? memchr(uri.data, '?', uri.len) : NULL;

    if (mark == NULL) {
        return h;
    }

    rest.data = mark + 1;
    rest.len = uri.len - (size_t) (rest.data - uri.data);

    while (rest.len) {
        for (n = 0; n < rest.len && rest.data[n] != '&'; n++) {
            /* void */
        }

        pair.data = rest.data;
        pair.len = n;
        name = pair;

        for (n = 0; n < name.len && name.data[n] != '='; n++) {
            /* void */
        }

        name.len = n;

        if (!mnt_hls_token_parameter(name)) {
            h = mnt_hls_mix(h, mnt_str_hash(pair));
        }

        n = pair.len + (pair.len < rest.len);
        rest.data += n;
        rest.len -= n;
    }

    return h;
}


uint64_t
mnt_hls_window_identity(const mnt_hls_window_t *w, const mnt_hls_segment_t *s)
{
    uint64_t  h;

    if (!w->by_query) {
        return mnt_hls_identity(s);
    }

    h = mnt_hls_identity_whole(s->uri);

    if (s->range.length) {
        h = mnt_hls_mix(h, s->range.length);
        h = mnt_hls_mix(h, s->range.offset);
    }

    return h;
}


/*
 * Some sources have one path for all segments and tell them apart by the
 * query ("seg.ts?n=17").  That shows when two neighbours have the same last
 * path segment but differ in their query; from then on the query counts.  A
 * URI that is listed twice (a slate) changes nothing: the query is the same.
 */

static void
mnt_hls_window_mode(mnt_hls_window_t *w, const mnt_hls_playlist_t *p)
{
    unsigned                  i;
    const mnt_hls_segment_t  *s;

    for (i = 1; i < p->nsegments && !w->by_query; i++) {
        s = &p->segments[i];

        if (mnt_hls_identity(s) == mnt_hls_identity(s - 1)
            && mnt_hls_identity_whole(s->uri)
               != mnt_hls_identity_whole(s[-1].uri))
        {
            w->by_query = 1;
        }
    }
}


/*
 * 1 when "s" is the planned segment "seen".  A date that moved by more than
 * half a target duration means another segment of the same name (RELIABILITY
 * P3), the very same date the same segment under a new name.
 */

static int
mnt_hls_window_same(const mnt_hls_window_t *w, const mnt_hls_segment_t *s,
    const mnt_hls_seen_t *seen)
{
    int      named;
    int64_t  moved;

    if (seen->sequence != s->sequence) {
        return 0;
    }

    /* what was planned before the query counted is known by its path */

    named = w->by_number
            || seen->identity == mnt_hls_window_identity(w, s)
            || seen->identity == mnt_hls_identity(s);

    if (seen->date_ms == MNT_DATE_NONE || s->date_ms == MNT_DATE_NONE) {
        return named;
    }

    moved = s->date_ms - seen->date_ms;

    if (!named) {
        return moved == 0;
    }

    return moved <= (int64_t) w->target_s * 500
           && moved >= - (int64_t) w->target_s * 500;
}


/* the planned segment that "s" is, or NULL */

static const mnt_hls_seen_t *
mnt_hls_window_find(const mnt_hls_window_t *w, const mnt_hls_segment_t *s,
    unsigned *in_epoch)
{
    unsigned               i, n;
    const mnt_hls_seen_t  *seen;

    n = w->nrecent < MNT_HLS_RECENT ? w->nrecent : MNT_HLS_RECENT;

    for (i = 1; i <= n; i++) {
        seen = &w->recent[(w->nrecent - i) % MNT_HLS_RECENT];

        if (mnt_hls_window_same(w, s, seen)) {
            *in_epoch = (i <= w->nrecent - w->epoch_start);
            return seen;
        }
    }

    return NULL;
}


/* 1 when this epoch planned another segment under the number of "s" */

static int
mnt_hls_window_conflict(const mnt_hls_window_t *w, const mnt_hls_segment_t *s)
{
    unsigned  i, n;

    n = w->nrecent - w->epoch_start;
    n = n < MNT_HLS_RECENT ? n : MNT_HLS_RECENT;

    for (i = 1; i <= n; i++) {
        if (w->recent[(w->nrecent - i) % MNT_HLS_RECENT].sequence
            == s->sequence)
        {
            return 1;
        }
    }

    return 0;
}


/* the lowest number of this epoch that is remembered */

static uint64_t
mnt_hls_window_lowest(const mnt_hls_window_t *w)
{
    uint64_t  lowest, sequence;
    unsigned  i, n;

    n = w->nrecent - w->epoch_start;
    n = n < MNT_HLS_RECENT ? n : MNT_HLS_RECENT;
    lowest = w->next;

    for (i = 1; i <= n; i++) {
        sequence = w->recent[(w->nrecent - i) % MNT_HLS_RECENT].sequence;
        lowest = sequence < lowest ? sequence : lowest;
    }

    return lowest;
}


/* sets *tail to the index of the first segment of the unseen end */

static mnt_hls_news_e
mnt_hls_window_judge(mnt_hls_window_t *w, const mnt_hls_playlist_t *p,
    unsigned *tail)
{
    unsigned                  i, n, in_epoch;
    const mnt_hls_segment_t  *s;

    n = p->nsegments;
    in_epoch = 1;

    for (i = n; i > 0; i--) {
        if (mnt_hls_window_find(w, &p->segments[i - 1], &in_epoch)) {
            break;
        }
    }

    *tail = i;

    if (i == n) {
        return (n == 0 || (in_epoch && p->segments[n - 1].sequence + 1
                                       == w->next))
               ? MNT_HLS_UNCHANGED : MNT_HLS_STALE;
    }

    /* known segments of an earlier epoch only: an edge that lags behind it */

    if (i > 0 && !in_epoch) {
        return w->unchanged < MNT_HLS_PATIENCE ? MNT_HLS_STALE
                                               : MNT_HLS_RESET;
    }

    for (s = &p->segments[i]; s < p->segments + n; s++) {
        if (s->sequence < w->next && mnt_hls_window_conflict(w, s)) {
            if (mnt_hls_window_renamed(w, p)) {
                return mnt_hls_window_judge(w, p, tail);
            }

            return MNT_HLS_RESET;
        }
    }

    if (p->segments[n - 1].sequence < w->next) {
        return mnt_hls_window_judge_lower(w, p, i);
    }

    /*
     * The number before the next is always remembered, so a tail that starts
     * below it was a conflict.
     */

    return (p->segments[i].sequence - w->next > MNT_HLS_JUMP_MAX)
           ? MNT_HLS_RESET : MNT_HLS_NEWS;
}


/*
 * Called at a conflict.  A source may hide a token in the last path segment,
 * so that each load renames everything while the numbers go on.  After two
 * conflicts of that kind in a row only numbers count; then this returns 1.
 */

static int
mnt_hls_window_renamed(mnt_hls_window_t *w, const mnt_hls_playlist_t *p)
{
    uint64_t  first, last;

    if (w->by_number) {
        return 0;
    }

    first = p->segments[0].sequence;
    last = p->segments[p->nsegments - 1].sequence;

    if (first > w->next || last + 1 < w->next) {
        w->conflicts = 0;
        return 0;
    }

    if (w->conflicts++ == 0) {
        return 0;
    }

    w->by_number = 1;

    return 1;
}


/* all numbers are lower than the next, none is remembered with a conflict */

static mnt_hls_news_e
mnt_hls_window_judge_lower(const mnt_hls_window_t *w,
    const mnt_hls_playlist_t *p, unsigned tail)
{
    int       far, patient;
    int64_t   date;
    uint64_t  lowest, last;

    /* the end of an older view whose start is known is older, too */

    if (tail > 0) {
        return MNT_HLS_STALE;
    }

    lowest = mnt_hls_window_lowest(w);
    last = p->segments[p->nsegments - 1].sequence;
    far = (last < lowest && lowest - last > MNT_HLS_RECENT);
    patient = (w->unchanged >= MNT_HLS_PATIENCE);

    date = mnt_hls_window_date(p, p->nsegments - 1);

    if (date == MNT_DATE_NONE || w->last_date_ms == MNT_DATE_NONE) {
        return (far || patient) ? MNT_HLS_RESET : MNT_HLS_STALE;
    }

    if (date > w->last_date_ms) {
        return MNT_HLS_RESET;
    }

    /* an encoder whose clock went back moves on; a frozen edge does not */

    return (far && patient && w->stale_end && last >= w->stale_end)
           ? MNT_HLS_RESET : MNT_HLS_STALE;
}


/* the date of a segment, reckoned from the last one given before it */

static int64_t
mnt_hls_window_date(const mnt_hls_playlist_t *p, unsigned i)
{
    int64_t  us;

    us = 0;

    while (p->segments[i].date_ms == MNT_DATE_NONE) {
        if (i == 0 || p->segments[i].discontinuous) {
            return MNT_DATE_NONE;
        }

        us += p->segments[--i].duration_us;
    }

    return p->segments[i].date_ms + us / 1000;
}


/*
 * How long the lost segments were: by the dates where they make sense (not
 * more than two target durations a segment), else as long as the last one.
 */

static void
mnt_hls_window_lost(const mnt_hls_window_t *w, const mnt_hls_playlist_t *p,
    mnt_hls_plan_t *plan)
{
    int64_t                   date, ms, each_us;
    const mnt_hls_segment_t  *s;

    s = &p->segments[plan->first];

    if (s->sequence <= w->next) {
        return;
    }

    plan->lost_first = w->next;
    plan->lost_count = s->sequence - w->next;

    each_us = w->last_duration_us ? w->last_duration_us
                                  : (int64_t) p->target_duration_s * 1000000;
    plan->lost_us = (int64_t) plan->lost_count * each_us;

    date = mnt_hls_window_date(p, plan->first);

    if (date == MNT_DATE_NONE || w->last_date_ms == MNT_DATE_NONE) {
        return;
    }

    ms = date - (w->last_date_ms + w->last_duration_us / 1000);

    if (ms > 0
        && ms <= (int64_t) plan->lost_count * p->target_duration_s * 2000)
    {
        plan->lost_us = ms * 1000;
    }
}


static void
mnt_hls_window_put(mnt_hls_window_t *w, const mnt_hls_seen_t *seen)
{
    w->recent[w->nrecent % MNT_HLS_RECENT] = *seen;
    w->nrecent++;
    w->next = seen->sequence + 1;
}


static void
mnt_hls_window_advance(mnt_hls_window_t *w, const mnt_hls_playlist_t *p,
    const mnt_hls_plan_t *plan)
{
    unsigned                  i;
    mnt_hls_seen_t            seen;
    const mnt_hls_segment_t  *s;

    if (plan->news == MNT_HLS_RESET) {
        w->epoch++;
        w->epoch_start = w->nrecent;
    }

    for (i = plan->first; i < plan->first + plan->count; i++) {
        s = &p->segments[i];
        seen.sequence = s->sequence;
        seen.identity = mnt_hls_window_identity(w, s);
        seen.date_ms = s->date_ms;
        mnt_hls_window_put(w, &seen);
    }

    s = &p->segments[i - 1];
    w->discontinuity = s->discontinuity;
    w->last_date_ms = mnt_hls_window_date(p, i - 1);
    w->last_duration_us = s->duration_us;
    w->started = 1;
    w->unchanged = 0;
    w->stale_end = 0;
}


/*
 * RFC 8216 6.3.4: a target duration after the start of a load with news, half
 * of it after one without.  A window shorter than two target durations breaks
 * 6.2.2; there a third of it is waited, so that nothing passes by unseen.
 */

static int64_t
mnt_hls_window_wait(const mnt_hls_playlist_t *p, int news)
{
    int64_t   target_ms, wait, window_us;
    unsigned  i;

    target_ms = (int64_t) p->target_duration_s * 1000;
    wait = news ? target_ms : target_ms / 2;

    if (news && p->type == MNT_HLS_TYPE_NONE && p->nsegments >= 3) {
        window_us = 0;

        for (i = 0; i < p->nsegments; i++) {
            window_us += p->segments[i].duration_us;
        }

        if (window_us / 1000 < 2 * target_ms) {
            wait = window_us / 3000;
            wait = wait > target_ms / 2 ? wait : target_ms / 2;
        }
    }

    if (wait < MNT_HLS_WAIT_MIN) {
        return MNT_HLS_WAIT_MIN;
    }

    return wait < MNT_HLS_WAIT_MAX ? wait : MNT_HLS_WAIT_MAX;
}


/* the tail is to be fetched */

static void
mnt_hls_window_news(mnt_hls_window_t *w, const mnt_hls_playlist_t *p,
    unsigned tail, mnt_hls_plan_t *plan)
{
    plan->first = tail;
    plan->count = p->nsegments - tail;

    if (plan->news == MNT_HLS_RESET) {
        plan->discontinuous = 1;

    } else {
        w->conflicts = 0;
        mnt_hls_window_lost(w, p, plan);
        plan->discontinuous = (w->started
                               && (plan->lost_count
                                   || p->segments[tail].discontinuous));
    }

    mnt_hls_window_advance(w, p, plan);
}


void
mnt_hls_window_plan(mnt_hls_window_t *w, const mnt_hls_playlist_t *p,
    int64_t load_ms, int64_t now_ms, mnt_hls_plan_t *plan)
{
    int       news;
    unsigned  tail;

    memset(plan, 0, sizeof(mnt_hls_plan_t));

    if (!w->loaded) {
        w->loaded = 1;
        w->changed_ms = now_ms;
    }

    w->loaded_ms = load_ms;
    w->target_s = p->target_duration_s;
    mnt_hls_window_mode(w, p);

    tail = 0;

    if (w->started) {
        plan->news = mnt_hls_window_judge(w, p, &tail);

    } else {
        plan->news = p->nsegments ? MNT_HLS_NEWS : MNT_HLS_UNCHANGED;

        /* what EXT-X-SKIP stands for is listed, but not to be had */

        if (!w->from) {
            w->next = p->media_sequence;
        }
    }

    news = (plan->news == MNT_HLS_NEWS || plan->news == MNT_HLS_RESET);

    if (news) {
        mnt_hls_window_news(w, p, tail, plan);
        w->changed_ms = now_ms;

    } else {
        w->unchanged++;
        w->stale_end = (plan->news == MNT_HLS_STALE)
                       ? p->segments[p->nsegments - 1].sequence + 1 : 0;
        plan->stalled = (now_ms - w->changed_ms
                         >= MNT_HLS_STALL * 1000 * (int64_t) w->target_s);
    }

    if (plan->news != MNT_HLS_STALE) {
        w->ended = (p->endlist || p->type == MNT_HLS_TYPE_VOD);
    }

    plan->ended = w->ended;
    plan->next_ms = mnt_hls_window_wait(p, news);
}


void
mnt_hls_window_certain(mnt_hls_window_t *w)
{
    w->unchanged = MNT_HLS_PATIENCE;
    w->conflicts = 0;
}


void
mnt_hls_window_from(mnt_hls_window_t *w, uint64_t sequence,
    int64_t duration_us)
{
    if (w->started) {
        return;
    }

    w->from = 1;
    w->next = sequence;
    w->last_duration_us = duration_us;
}


void
mnt_hls_window_seen(mnt_hls_window_t *w, uint32_t epoch,
    const mnt_hls_seen_t *seen, int64_t duration_us)
{
    if (w->started && epoch != w->epoch) {
        w->epoch_start = w->nrecent;
    }

    w->epoch = epoch;
    w->started = 1;
    w->last_date_ms = seen->date_ms;
    w->last_duration_us = duration_us;

    mnt_hls_window_put(w, seen);
}
