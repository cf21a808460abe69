
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_viewers.h"
#include "../base/mnt_sip.h"

#include <string.h>


#define MNT_VIEWERS_PROBES      16            /* places of a recording */
#define MNT_VIEWERS_AGENT       512           /* bytes that count */
#define MNT_VIEWERS_ADDRESS     64

#define MNT_VIEWERS_SECOND      10            /* tenths */
#define MNT_VIEWERS_TARGETS     3             /* target durations of silence */
#define MNT_VIEWERS_PATIENCE    10            /* seconds, at least */
#define MNT_VIEWERS_PATIENT     60            /* at most */
#define MNT_VIEWERS_KEEP        (15 * 60 * MNT_VIEWERS_SECOND)
#define MNT_VIEWERS_COMPLAIN    (60 * 60 * MNT_VIEWERS_SECOND)
#define MNT_VIEWERS_CROWD       (MNT_VIEWERS_MAX / 4 * 3)


static uint32_t mnt_viewers_tenths(int64_t ms);
static int32_t mnt_viewers_since(uint32_t then, uint32_t now);
static uint64_t mnt_viewers_digest(const mnt_viewers_t *v, char kind,
    mnt_str_t text, uint64_t other);
static mnt_str_t mnt_viewers_line(mnt_str_t text, const char *tag);
static int mnt_viewers_alive(const mnt_viewers_session_t *s, uint32_t now);
static int mnt_viewers_settled(const mnt_viewers_recording_t *r);
static mnt_viewers_recording_t *mnt_viewers_recording(mnt_viewers_t *v,
    const mnt_viewer_t *who, mnt_str_t directory, uint32_t now);
static unsigned mnt_viewers_index(const mnt_viewers_t *v, uint64_t key);
static mnt_viewers_session_t *mnt_viewers_find(mnt_viewers_t *v,
    const mnt_viewer_t *who);
static mnt_viewers_session_t *mnt_viewers_place(mnt_viewers_t *v,
    const mnt_viewer_t *who, uint32_t now);
static void mnt_viewers_touch(mnt_viewers_session_t *s,
    mnt_viewers_recording_t *r, uint32_t now);


/*
 * A process may be killed between two lines, and another one goes on with what
 * is there then: what an entry says must be behind its key in time.
 */

#define mnt_viewers_free(p)                                                   \
    __atomic_store_n(&(p)->key, 0, __ATOMIC_RELAXED);                         \
    __atomic_signal_fence(__ATOMIC_SEQ_CST)

#define mnt_viewers_take(p, k)                                                \
    __atomic_signal_fence(__ATOMIC_SEQ_CST);                                  \
    __atomic_store_n(&(p)->key, k, __ATOMIC_RELAXED)


void
mnt_viewers_init(mnt_viewers_t *v, const uint64_t random[3])
{
    v->secret[0] = random[0];
    v->secret[1] = random[1];

    /* positive, and nobody counts so far that another one's is reached */

    v->run = (int64_t) (random[2] >> 2) + 1;
}


/* it is of 32 bits, which last for 13 years; only differences count */

static uint32_t
mnt_viewers_tenths(int64_t ms)
{
    return (uint32_t) ((uint64_t) ms / 100);
}


static int32_t
mnt_viewers_since(uint32_t then, uint32_t now)
{
    return (int32_t) (now - then);
}


static uint64_t
mnt_viewers_digest(const mnt_viewers_t *v, char kind, mnt_str_t text,
    uint64_t other)
{
    char       buf[1 + sizeof(other) + MNT_LAYOUT_MAX];
    size_t     n;
    uint64_t   half[2];
    mnt_str_t  s;

    n = sizeof(buf) - 1 - sizeof(other);

    if (text.len < n) {
        n = text.len;
    }

    buf[0] = kind;
    memcpy(buf + 1, &other, sizeof(other));

    if (n) {
        memcpy(buf + 1 + sizeof(other), text.data, n);
    }

    s.data = buf;
    s.len = 1 + sizeof(other) + n;

    mnt_sip_digest(v->secret, s, half);

    return half[0] ? half[0] : 1;
}


void
mnt_viewers_who(const mnt_viewers_t *v, mnt_str_t directory, mnt_str_t net,
    mnt_str_t address, mnt_str_t agent, mnt_viewer_t *who)
{
    char       buf[1 + MNT_VIEWERS_ADDRESS + MNT_VIEWERS_AGENT], *p;
    mnt_str_t  s;

    if (address.len > MNT_VIEWERS_ADDRESS) {
        address.len = MNT_VIEWERS_ADDRESS;
    }

    if (agent.len > MNT_VIEWERS_AGENT) {
        agent.len = MNT_VIEWERS_AGENT;
    }

    p = buf;
    *p++ = (char) address.len;

    if (address.len) {
        memcpy(p, address.data, address.len);
        p += address.len;
    }

    if (agent.len) {
        memcpy(p, agent.data, agent.len);
        p += agent.len;
    }

    s.data = buf;
    s.len = (size_t) (p - buf);

    who->recording = mnt_viewers_digest(v, 'r', directory, 0);
    who->session = mnt_viewers_digest(v, 's', s, who->recording);
    who->set = (unsigned) (mnt_viewers_digest(v, 'n', net, 0)
                           & (MNT_VIEWERS_SETS - 1));
}


/* what stands behind the first line that begins with "tag", or the null text;
   the first line of all is none */

static mnt_str_t
mnt_viewers_line(mnt_str_t text, const char *tag)
{
    const char  *p;
    mnt_str_t    none = mnt_str_null;

    while (text.len) {
        p = memchr(text.data, '\n', text.len);
        if (p == NULL) {
            break;
        }

        p++;
        text.len -= (size_t) (p - text.data);
        text.data = p;

        if (mnt_str_starts(text, tag)) {
            text.data += strlen(tag);
            text.len -= strlen(tag);
            return text;
        }
    }

    return none;
}


unsigned
mnt_viewers_target(mnt_str_t head, mnt_str_t tail)
{
    size_t     i;
    unsigned   target;
    mnt_str_t  value;

    if (!mnt_str_starts(head, "#EXTM3U")
        || mnt_viewers_line(tail, "#EXT-X-ENDLIST").data)
    {
        return 0;
    }

    value = mnt_viewers_line(head, "#EXT-X-TARGETDURATION:");
    target = 0;

    for (i = 0; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            break;
        }

        if (target < 100000) {
            target = target * 10 + (unsigned) (value.data[i] - '0');
        }
    }

    /* digits that may go on are none; 0 is one that is below a second */

    return (i && i < value.len) ? target + (target == 0) : 0;
}


static int
mnt_viewers_alive(const mnt_viewers_session_t *s, uint32_t now)
{
    int32_t  since, patience;

    since = mnt_viewers_since(s->seen, now);
    patience = s->patience * MNT_VIEWERS_SECOND;

    /* another process may have read the clock a little later */

    return s->key && since <= patience && since >= -patience;
}


/* the database knows all of it, and that nobody watches */

static int
mnt_viewers_settled(const mnt_viewers_recording_t *r)
{
    return r->viewers == 0 && r->told_viewers == 0
           && r->watched == r->told_watched;
}


/* found, or made in the place of one that nobody has watched for long */

static mnt_viewers_recording_t *
mnt_viewers_recording(mnt_viewers_t *v, const mnt_viewer_t *who,
    mnt_str_t directory, uint32_t now)
{
    unsigned                  i;
    mnt_viewers_recording_t  *r, *place;

    place = NULL;

    for (i = 0; i < MNT_VIEWERS_PROBES; i++) {
        r = &v->recordings[(who->recording + i)
                           & (MNT_VIEWERS_RECORDINGS - 1)];

        if (r->key == who->recording) {
            r->seen = now;
            return r;
        }

        /* nobody of it may be alive any more, who would watch this one then */

        if ((place == NULL || place->key)
            && (r->key == 0
                || (mnt_viewers_settled(r)
                    && mnt_viewers_since(r->seen, now)
                       > MNT_VIEWERS_PATIENT * MNT_VIEWERS_SECOND)))
        {
            place = r;
        }
    }

    if (place == NULL) {
        return NULL;
    }

    v->used += (place->key == 0);

    mnt_viewers_free(place);

    place->run = v->run++;
    place->watched = 0;
    place->told_watched = 0;
    place->told_viewers = 0;
    place->told = now;
    place->viewers = 0;
    place->seen = now;
    place->len = (uint32_t) directory.len;
    memcpy(place->directory, directory.data, directory.len);

    mnt_viewers_take(place, who->recording);

    return place;
}


static mnt_viewers_session_t *
mnt_viewers_find(mnt_viewers_t *v, const mnt_viewer_t *who)
{
    unsigned                i;
    mnt_viewers_session_t  *set;

    set = v->sessions[who->set];

    for (i = 0; i < MNT_VIEWERS_WAYS; i++) {
        if (set[i].key == who->session) {
            return &set[i];
        }
    }

    return NULL;
}


/* who asked once only gives way to who asks now, the one of longest ago */

static mnt_viewers_session_t *
mnt_viewers_place(mnt_viewers_t *v, const mnt_viewer_t *who, uint32_t now)
{
    unsigned                i;
    mnt_viewers_session_t  *s, *place;

    place = NULL;

    for (i = 0; i < MNT_VIEWERS_WAYS; i++) {
        s = &v->sessions[who->set][i];

        if (!mnt_viewers_alive(s, now)) {
            return s;
        }

        if (!s->viewer
            && (place == NULL
                || mnt_viewers_since(s->seen, place->seen) > 0))
        {
            place = s;
        }
    }

    return place;
}


/* only time that has passed between two requests was watched */

static void
mnt_viewers_touch(mnt_viewers_session_t *s, mnt_viewers_recording_t *r,
    uint32_t now)
{
    int32_t  since;

    since = mnt_viewers_since(s->seen, now);

    if (since > 0) {
        s->seen = now;
        r->watched += (uint32_t) since;
        r->seen = now;
    }

    s->viewer = 1;
}


int
mnt_viewers_admits(mnt_viewers_t *v, const mnt_viewer_t *who, unsigned limit,
    int64_t now_ms)
{
    uint32_t                now;
    unsigned                i, k, n, index;
    mnt_viewers_session_t  *s;

    now = mnt_viewers_tenths(now_ms);
    s = mnt_viewers_find(v, who);

    if (s && mnt_viewers_alive(s, now)) {
        return 1;
    }

    index = mnt_viewers_index(v, who->recording);
    n = 0;

    if (index == MNT_VIEWERS_RECORDINGS) {
        return n < limit;
    }

    for (i = 0; i < MNT_VIEWERS_SETS && n < limit; i++) {
        for (k = 0; k < MNT_VIEWERS_WAYS; k++) {
            s = &v->sessions[i][k];
            n += (s->recording == index && mnt_viewers_alive(s, now));
        }
    }

    return n < limit;
}


mnt_viewers_e
mnt_viewers_playlist(mnt_viewers_t *v, const mnt_viewer_t *who,
    mnt_str_t directory, unsigned target_s, int64_t now_ms)
{
    uint32_t                  now;
    unsigned                  patience;
    mnt_viewers_session_t    *s;
    mnt_viewers_recording_t  *r;

    now = mnt_viewers_tenths(now_ms);

    /* no layout makes such a one, and the database would not take it */

    if (directory.len == 0 || directory.len > MNT_LAYOUT_MAX
        || !mnt_str_utf8(directory))
    {
        return MNT_VIEWERS_NOBODY;
    }

    r = mnt_viewers_recording(v, who, directory, now);
    if (r == NULL) {
        return MNT_VIEWERS_FULL;
    }

    patience = (target_s < MNT_VIEWERS_PATIENT)
               ? target_s * MNT_VIEWERS_TARGETS : MNT_VIEWERS_PATIENT;

    if (patience > MNT_VIEWERS_PATIENT) {
        patience = MNT_VIEWERS_PATIENT;

    } else if (patience < MNT_VIEWERS_PATIENCE) {
        patience = MNT_VIEWERS_PATIENCE;
    }

    s = mnt_viewers_find(v, who);

    if (s && mnt_viewers_alive(s, now)
        && s->recording == r - v->recordings)
    {
        mnt_viewers_touch(s, r, now);
        s->patience = (uint8_t) patience;
        return MNT_VIEWERS_COUNTED;
    }

    if (s == NULL) {
        s = mnt_viewers_place(v, who, now);
    }

    if (s == NULL) {
        return (v->viewers > MNT_VIEWERS_CROWD) ? MNT_VIEWERS_FULL
                                                : MNT_VIEWERS_CROWDED;
    }

    mnt_viewers_free(s);

    s->seen = now;
    s->recording = (uint16_t) (r - v->recordings);
    s->patience = (uint8_t) patience;
    s->viewer = 0;

    mnt_viewers_take(s, who->session);

    return MNT_VIEWERS_NOBODY;
}


mnt_viewers_e
mnt_viewers_segment(mnt_viewers_t *v, const mnt_viewer_t *who, int64_t now_ms)
{
    uint32_t                  now;
    mnt_viewers_session_t    *s;
    mnt_viewers_recording_t  *r;

    now = mnt_viewers_tenths(now_ms);
    s = mnt_viewers_find(v, who);

    if (s == NULL || !mnt_viewers_alive(s, now)
        || s->recording >= MNT_VIEWERS_RECORDINGS)
    {
        return MNT_VIEWERS_NOBODY;
    }

    r = &v->recordings[s->recording];

    if (r->key != who->recording) {
        return MNT_VIEWERS_NOBODY;
    }

    mnt_viewers_touch(s, r, now);

    return MNT_VIEWERS_COUNTED;
}


unsigned
mnt_viewers_of(const mnt_viewers_t *v, mnt_str_t directory)
{
    unsigned  index;

    if (v->used == 0) {
        return 0;
    }

    index = mnt_viewers_index(v, mnt_viewers_digest(v, 'r', directory, 0));

    return index < MNT_VIEWERS_RECORDINGS ? v->recordings[index].viewers : 0;
}


/* MNT_VIEWERS_RECORDINGS: nobody watches it */

static unsigned
mnt_viewers_index(const mnt_viewers_t *v, uint64_t key)
{
    unsigned  i, index;

    for (i = 0; i < MNT_VIEWERS_PROBES; i++) {
        index = (unsigned) ((key + i) & (MNT_VIEWERS_RECORDINGS - 1));

        if (v->recordings[index].key == key) {
            return index;
        }
    }

    return MNT_VIEWERS_RECORDINGS;
}


int
mnt_viewers_is(mnt_viewers_t *v, const mnt_viewer_t *who, int64_t now_ms)
{
    mnt_viewers_session_t  *s;

    s = mnt_viewers_find(v, who);

    return s && s->viewer
           && mnt_viewers_alive(s, mnt_viewers_tenths(now_ms));
}


unsigned
mnt_viewers_used(const mnt_viewers_t *v)
{
    return __atomic_load_n(&v->used, __ATOMIC_RELAXED);
}


int
mnt_viewers_complain(mnt_viewers_t *v, int64_t now_ms)
{
    uint32_t  now;

    now = mnt_viewers_tenths(now_ms);

    if (v->complained
        && mnt_viewers_since(v->complained, now) < MNT_VIEWERS_COMPLAIN)
    {
        return 0;
    }

    v->complained = now + (now == 0);

    return 1;
}


int
mnt_viewers_turn(mnt_viewers_t *v, unsigned pause_ms, int64_t now_ms)
{
    int32_t                   since;
    uint32_t                  now, used, total;
    uint32_t                  n[MNT_VIEWERS_RECORDINGS];
    unsigned                  i, k;
    mnt_viewers_session_t    *s;
    mnt_viewers_recording_t  *r;

    now = mnt_viewers_tenths(now_ms);
    since = mnt_viewers_since(v->counted, now);

    if (v->counted && since >= 0
        && since < (int32_t) mnt_viewers_tenths(pause_ms))
    {
        return 0;
    }

    v->counted = now + (now == 0);
    v->turn++;
    total = 0;

    if (v->used == 0) {
        v->viewers = 0;
        return 0;
    }

    memset(n, 0, sizeof(n));

    for (i = 0; i < MNT_VIEWERS_SETS; i++) {
        for (k = 0; k < MNT_VIEWERS_WAYS; k++) {
            s = &v->sessions[i][k];

            if (s->key && s->viewer && mnt_viewers_alive(s, now)
                && s->recording < MNT_VIEWERS_RECORDINGS)
            {
                n[s->recording]++;
            }
        }
    }

    used = 0;

    for (i = 0; i < MNT_VIEWERS_RECORDINGS; i++) {
        r = &v->recordings[i];

        if (r->key == 0) {
            continue;
        }

        r->viewers = n[i];
        total += n[i];

        if (mnt_viewers_settled(r)
            && mnt_viewers_since(r->seen, now) > MNT_VIEWERS_KEEP)
        {
            mnt_viewers_free(r);
            continue;
        }

        used++;
    }

    v->used = used;
    v->viewers = total;

    return 1;
}


/* what changed; what did not is told again now and then: it is true still */

int
mnt_viewers_due(const mnt_viewers_t *v, unsigned *cursor, int64_t now_ms,
    mnt_viewers_report_t *report, char directory[MNT_LAYOUT_MAX], size_t *len)
{
    uint32_t                        now;
    const mnt_viewers_recording_t  *r;

    now = mnt_viewers_tenths(now_ms);

    for ( /* void */ ; *cursor < MNT_VIEWERS_RECORDINGS; (*cursor)++) {
        r = &v->recordings[*cursor];

        if (r->key == 0 || r->len > MNT_LAYOUT_MAX) {
            continue;
        }

        if (r->viewers == r->told_viewers
            && ((r->viewers == 0 && r->watched == r->told_watched)
                || mnt_viewers_since(r->told, now)
                   < MNT_VIEWERS_TELL_MS / 1000 * MNT_VIEWERS_SECOND))
        {
            continue;
        }

        report->index = *cursor;
        report->run = r->run;
        report->viewers = r->viewers;
        report->watched_ms = (int64_t) (r->watched * 100);

        *len = r->len;
        memcpy(directory, r->directory, r->len);

        (*cursor)++;
        return 1;
    }

    return 0;
}


/* what was told of the one that had the place before changes nothing */

void
mnt_viewers_told(mnt_viewers_t *v, const mnt_viewers_report_t *report,
    int64_t now_ms)
{
    mnt_viewers_recording_t  *r;

    if (report->index >= MNT_VIEWERS_RECORDINGS) {
        return;
    }

    r = &v->recordings[report->index];

    if (r->key == 0 || r->run != report->run) {
        return;
    }

    r->told_viewers = report->viewers;
    r->told_watched = (uint64_t) report->watched_ms / 100;
    r->told = mnt_viewers_tenths(now_ms);
}
