
/*
 * Copyright (C) the mntreamer authors
 *
 * Chzzk: what the answers mean.
 *
 * live-status is the cheap question; it names no broadcast and no playlist, so
 * OPEN asks for live-detail.  There the playlist is in a JSON text within the
 * JSON (livePlaybackJson).  Only what recording needs is held to its type: the
 * body's code, the status, the playback and its media.  When one of these is
 * wrong the answer is MALFORMED and the reason names the field; the titles,
 * counts and dates beside it may come and go.  "Offline" is said only by a
 * status of CLOSE or a null content, never by an answer that failed.
 */


#include "mnt_platform_chzzk.h"

#include <stdio.h>
#include <string.h>

#include "../base/mnt_json.h"
#include "../base/mnt_url.h"


#define MNT_CHZZK_TEXT       1024             /* bytes of a title */
#define MNT_CHZZK_WORD       32               /* bytes of liveId, status */
#define MNT_CHZZK_FIELD      64               /* bytes of a field's path */
#define MNT_CHZZK_MEDIA      16               /* looked at in one playback */
#define MNT_CHZZK_ZONE       (9 * 3600)       /* dates are Korean time */
#define MNT_CHZZK_PERIOD     (15 * 60 * 1000)

/* codes in the body of a refusal */

#define MNT_CHZZK_REGION     9004
#define MNT_CHZZK_ADULT      42601

#define MNT_CHZZK_PLAYBACK   "content.livePlaybackJson"


/* one answer while it is read */

typedef struct {
    mnt_arena_t    *arena;                    /* alias */
    mnt_probe_t    *probe;                    /* alias */
    json_t         *root;                     /* owned */
    json_t         *content;                  /* alias of root */
} mnt_chzzk_answer_t;


static void mnt_chzzk_answer_init(mnt_chzzk_answer_t *c, mnt_arena_t *a,
    mnt_probe_t *probe);
static int mnt_chzzk_envelope(mnt_chzzk_answer_t *c, mnt_request_e kind,
    const mnt_platform_answer_t *answer);
static void mnt_chzzk_refused(mnt_chzzk_answer_t *c, mnt_request_e kind,
    int64_t code);
static json_t *mnt_chzzk_want(mnt_chzzk_answer_t *c, const json_t *object,
    const char *where, const char *name, json_type type);
static void mnt_chzzk_facts(mnt_chzzk_answer_t *c);
static void mnt_chzzk_live_id(mnt_chzzk_answer_t *c);
static mnt_str_t mnt_chzzk_text(mnt_chzzk_answer_t *c, const json_t *j,
    const char *path);
static mnt_str_t mnt_chzzk_image(mnt_chzzk_answer_t *c, const json_t *j,
    const char *path);
static int64_t mnt_chzzk_date(mnt_chzzk_answer_t *c, const char *path);
static int64_t mnt_chzzk_period(mnt_chzzk_answer_t *c);
static void mnt_chzzk_state(mnt_chzzk_answer_t *c, mnt_request_e kind);
static void mnt_chzzk_word(mnt_chzzk_answer_t *c, const char *status);
static void mnt_chzzk_playback(mnt_chzzk_answer_t *c);
static void mnt_chzzk_media(mnt_chzzk_answer_t *c, const json_t *playback);
static int mnt_chzzk_medium(mnt_chzzk_answer_t *c, const json_t *medium,
    size_t i);
static const char *mnt_chzzk_unplayable(mnt_chzzk_answer_t *c,
    const json_t *playback);
static void mnt_chzzk_search(mnt_chzzk_answer_t *c, mnt_str_t wanted,
    mnt_channel_t *ch);
static void mnt_chzzk_found(mnt_chzzk_answer_t *c, const json_t *channel,
    const char *where, mnt_channel_t *ch);


static void
mnt_chzzk_answer_init(mnt_chzzk_answer_t *c, mnt_arena_t *a,
    mnt_probe_t *probe)
{
    mnt_platform_probe_init(probe);

    c->arena = a;
    c->probe = probe;
    c->root = NULL;
    c->content = NULL;
}


void
mnt_platform_chzzk_probe(mnt_arena_t *a, const mnt_platform_conf_t *conf,
    mnt_request_e kind, mnt_str_t channel,
    const mnt_platform_answer_t *answer, mnt_probe_t *probe)
{
    mnt_chzzk_answer_t  c;

    (void) conf;
    (void) channel;

    mnt_chzzk_answer_init(&c, a, probe);

    if (mnt_chzzk_envelope(&c, kind, answer)) {

        if (json_is_null(c.content)) {

            /* a channel that was never on the air, or not for a long time */

            probe->outcome = MNT_PROBE_OFFLINE;

        } else {
            mnt_chzzk_facts(&c);
            mnt_chzzk_state(&c, kind);
        }
    }

    json_decref(c.root);
}


/*
 * {"code":200,"message":null,"content":{...}}: success is the code in the
 * body.  Returns 1 with c->content set to an object or null, else the probe is
 * filled.  Bodies of 404 and 5xx may say more than their status.
 */

static int
mnt_chzzk_envelope(mnt_chzzk_answer_t *c, mnt_request_e kind,
    const mnt_platform_answer_t *answer)
{
    int          ok;
    int64_t      code;
    const char  *why;

    ok = mnt_platform_probe_http(c->arena, answer, c->probe);

    if (!ok && answer->http != 404 && answer->http < 500) {
        return 0;
    }

    c->root = mnt_json_load_foreign(answer->body, MNT_CHZZK_BODY, &why);

    if (!ok) {
        code = mnt_json_i64(c->root, "code", 0);

        if (code == MNT_CHZZK_REGION || code == MNT_CHZZK_ADULT
            || (code == 404 && answer->http == 404))
        {
            mnt_chzzk_refused(c, kind, code);
        }

        return 0;
    }

    if (c->root == NULL) {
        mnt_platform_probe_set(c->arena, c->probe, MNT_PROBE_MALFORMED,
                               "body %s", why);
        return 0;
    }

    if (!json_is_object(c->root)) {
        mnt_platform_probe_set(c->arena, c->probe, MNT_PROBE_MALFORMED,
                               "body is not an object");
        return 0;
    }

    code = mnt_json_i64(c->root, "code", INT64_MIN);

    if (code == INT64_MIN
        && mnt_chzzk_want(c, c->root, "", "code", JSON_INTEGER) == NULL)
    {
        return 0;
    }

    if (code != 200) {
        mnt_chzzk_refused(c, kind, code);
        return 0;
    }

    c->content = json_object_get(c->root, "content");

    return json_is_null(c->content)
           || mnt_chzzk_want(c, c->root, "", "content", JSON_OBJECT) != NULL;
}


/*
 * A code that is no success.  A broadcast for Korea or for adults is refused
 * with a code of its own: live-detail is asked of a channel that is on the
 * air, so it is on the air and not for us; elsewhere nothing is known of it.
 */

static void
mnt_chzzk_refused(mnt_chzzk_answer_t *c, mnt_request_e kind, int64_t code)
{
    mnt_probe_outcome_e  outcome;

    if (code == MNT_CHZZK_REGION || code == MNT_CHZZK_ADULT) {
        outcome = (kind == MNT_REQUEST_DETAIL) ? MNT_PROBE_LIVE_NOT_PLAYABLE
                                               : MNT_PROBE_ACCESS_DENIED;

        mnt_platform_probe_set(c->arena, c->probe, outcome, "%s",
                               code == MNT_CHZZK_REGION ? "region" : "adult");
        return;
    }

    if (code == 404) {
        outcome = MNT_PROBE_UNKNOWN_CHANNEL;

    } else if (code == 401 || code == 403) {
        outcome = MNT_PROBE_ACCESS_DENIED;

    } else if (code == 429) {
        outcome = MNT_PROBE_RATE_LIMITED;

    } else if ((code >= 500 && code < 600) || (code >= 50000 && code < 60000))
    {
        outcome = MNT_PROBE_TRANSIENT;

    } else {
        outcome = MNT_PROBE_ERROR;
    }

    mnt_platform_probe_set(c->arena, c->probe, outcome, "code-%lld",
                           (long long) code);
}


/* a member that must be there and be of a type; else the reason names it */

static json_t *
mnt_chzzk_want(mnt_chzzk_answer_t *c, const json_t *object,
    const char *where, const char *name, json_type type)
{
    json_t      *v;
    const char  *what;

    v = json_object_get(object, name);

    if (v && json_typeof(v) == type) {
        return v;
    }

    if (v == NULL) {
        what = "is missing";

    } else if (json_is_null(v)) {
        what = "is null";

    } else if (type == JSON_STRING) {
        what = "is not a string";

    } else if (type == JSON_INTEGER) {
        what = "is not an integer";

    } else if (type == JSON_ARRAY) {
        what = "is not an array";

    } else {
        what = "is not an object";
    }

    mnt_platform_probe_set(c->arena, c->probe, MNT_PROBE_MALFORMED,
                           "%s%s %s", where, name, what);

    return NULL;
}


/* status and detail name most things alike; what is not there stays null */

static void
mnt_chzzk_facts(mnt_chzzk_answer_t *c)
{
    mnt_probe_t  *probe;

    probe = c->probe;

    mnt_chzzk_live_id(c);

    probe->title = mnt_chzzk_text(c, c->content, "liveTitle");
    probe->category = mnt_chzzk_text(c, c->content, "liveCategoryValue");

    if (probe->category.len == 0) {
        probe->category = mnt_chzzk_text(c, c->content, "liveCategory");
    }

    probe->channel_id = mnt_chzzk_text(c, c->content, "channel.channelId");

    if (probe->channel_id.len == 0) {
        probe->channel_id = mnt_chzzk_text(c, c->content, "channelId");
    }

    probe->channel_name = mnt_chzzk_text(c, c->content,
                                         "channel.channelName");
    probe->image_url = mnt_chzzk_image(c, c->content, "liveImageUrl");

    if (probe->image_url.len == 0) {
        probe->image_url = mnt_chzzk_image(c, c->content,
                                           "defaultThumbnailImageUrl");
    }

    probe->opened_ms = mnt_chzzk_date(c, "openDate");
    probe->closed_ms = mnt_chzzk_date(c, "closeDate");
    probe->call_period_ms = mnt_chzzk_period(c);
    probe->adult = mnt_json_bool(c->content, "adult", 0) & 1;

    /* a count that is not shown to viewers means nothing */

    if (mnt_json_bool(c->content, "cvExposure", 1)) {
        probe->viewers = mnt_json_i64(c->content, "concurrentUserCount", -1);
    }

    if (probe->viewers < 0) {
        probe->viewers = -1;
    }
}


static void
mnt_chzzk_live_id(mnt_chzzk_answer_t *c)
{
    char        ch;
    size_t      i;
    json_t     *v;
    mnt_str_t   s;

    v = json_object_get(c->content, "liveId");

    if (json_is_integer(v)) {
        if (json_integer_value(v) > 0) {
            c->probe->broadcast_id = mnt_arena_printf(c->arena, "%lld",
                                         (long long) json_integer_value(v));
        }

        return;
    }

    s = mnt_json_str(c->content, "liveId");

    if (s.len == 0 || s.len > MNT_CHZZK_WORD) {
        return;
    }

    for (i = 0; i < s.len; i++) {
        ch = s.data[i];

        if (!((ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z')
              || (ch >= 'A' && ch <= 'Z') || ch == '-' || ch == '_'))
        {
            return;
        }
    }

    c->probe->broadcast_id = mnt_arena_dup(c->arena, s);
}


static mnt_str_t
mnt_chzzk_text(mnt_chzzk_answer_t *c, const json_t *j, const char *path)
{
    mnt_str_t  s;

    s = mnt_json_str(j, path);

    if (s.data == NULL) {
        return s;
    }

    return mnt_arena_dup(c->arena, mnt_str_utf8_cut(s, MNT_CHZZK_TEXT));
}


/* live pictures are templates for several widths: ".../image_{type}.jpg" */

static mnt_str_t
mnt_chzzk_image(mnt_chzzk_answer_t *c, const json_t *j, const char *path)
{
    size_t       head;
    mnt_str_t    url, none = mnt_str_null;
    mnt_url_t    u;
    const char  *s, *type;

    static const char  word[] = "{type}";

    url = mnt_json_str(j, path);

    if (url.len == 0 || url.len > MNT_URL_MAX) {
        return none;
    }

    /* texts of jansson are terminated and hold no NUL */

    s = url.data;
    type = strstr(s, word);
    head = type ? (size_t) (type - s) : url.len;

    url = mnt_arena_printf(c->arena, "%.*s%s%s", (int) head, s,
                           type ? "480" : "",
                           type ? type + sizeof(word) - 1 : "");

    return (url.data && mnt_url_parse(url, &u) == 0) ? url : none;
}


static int64_t
mnt_chzzk_date(mnt_chzzk_answer_t *c, const char *path)
{
    int64_t    ms;
    mnt_str_t  s;

    s = mnt_json_str(c->content, path);

    ms = s.len ? mnt_date_parse(s, MNT_CHZZK_ZONE, NULL) : -1;

    return ms < 0 ? -1 : ms;
}


/*
 * livePollingStatusJson says STARTED also of a broadcast that is over: only
 * the period is read from it.
 */

static int64_t
mnt_chzzk_period(mnt_chzzk_answer_t *c)
{
    json_t      *polling;
    int64_t      ms;
    mnt_str_t    s;
    const char  *why;

    s = mnt_json_str(c->content, "livePollingStatusJson");

    if (s.len == 0) {
        return 0;
    }

    polling = mnt_json_load_foreign(s, MNT_CHZZK_BODY, &why);
    ms = mnt_json_i64(polling, "callPeriodMilliSecond", 0);
    json_decref(polling);

    if (ms <= 0) {
        return 0;
    }

    return ms > MNT_CHZZK_PERIOD ? MNT_CHZZK_PERIOD : ms;
}


static void
mnt_chzzk_state(mnt_chzzk_answer_t *c, mnt_request_e kind)
{
    json_t      *status;
    const char  *s;

    status = mnt_chzzk_want(c, c->content, "content.", "status", JSON_STRING);

    if (status == NULL) {
        return;
    }

    s = json_string_value(status);

    if (strcmp(s, "CLOSE") == 0) {
        c->probe->outcome = MNT_PROBE_OFFLINE;

    } else if (strcmp(s, "OPEN") != 0) {
        mnt_chzzk_word(c, s);

    } else if (kind == MNT_REQUEST_STATUS) {
        c->probe->outcome = MNT_PROBE_LIVE;
        c->probe->more = 1;

    } else {
        mnt_chzzk_playback(c);
    }
}


/* a status nobody knew; only what looks like a word is repeated */

static void
mnt_chzzk_word(mnt_chzzk_answer_t *c, const char *status)
{
    size_t  i;

    for (i = 0; i <= MNT_CHZZK_WORD && status[i]; i++) {
        if (!((status[i] >= 'A' && status[i] <= 'Z') || status[i] == '_')) {
            break;
        }
    }

    if (i == 0 || i > MNT_CHZZK_WORD || status[i]) {
        status = "unknown";
    }

    mnt_platform_probe_set(c->arena, c->probe, MNT_PROBE_NOT_LIVE,
                           "status-%s", status);
}


static void
mnt_chzzk_playback(mnt_chzzk_answer_t *c)
{
    json_t      *text, *playback;
    mnt_str_t    s;
    const char  *why;

    text = json_object_get(c->content, "livePlaybackJson");

    if (json_is_null(text)) {
        mnt_platform_probe_set(c->arena, c->probe,
                               MNT_PROBE_LIVE_NOT_PLAYABLE, "%s",
                               mnt_chzzk_unplayable(c, NULL));
        return;
    }

    if (mnt_chzzk_want(c, c->content, "content.", "livePlaybackJson",
                       JSON_STRING)
        == NULL)
    {
        return;
    }

    s.data = json_string_value(text);
    s.len = json_string_length(text);

    playback = mnt_json_load_foreign(s, MNT_CHZZK_BODY, &why);

    if (playback == NULL || !json_is_object(playback)) {
        mnt_platform_probe_set(c->arena, c->probe, MNT_PROBE_MALFORMED,
                               MNT_CHZZK_PLAYBACK " %s",
                               playback ? "is not an object" : why);

    } else {
        mnt_chzzk_media(c, playback);
    }

    json_decref(playback);
}


/*
 * The medium HLS, else another one of that protocol, LLHLS at last: a recorder
 * of whole segments gains nothing from low latency.  Without any the first
 * medium that was wrong is the reason.
 */

static void
mnt_chzzk_media(mnt_chzzk_answer_t *c, const json_t *playback)
{
    int                  rank, best;
    size_t               i;
    json_t              *media, *medium;
    mnt_str_t            why = mnt_str_null;
    mnt_probe_t          wrong;
    mnt_chzzk_answer_t   m;

    media = mnt_chzzk_want(c, playback, MNT_CHZZK_PLAYBACK ".", "media",
                           JSON_ARRAY);

    if (media == NULL) {
        return;
    }

    if (json_array_size(media) == 0) {
        mnt_platform_probe_set(c->arena, c->probe,
                               MNT_PROBE_LIVE_NOT_PLAYABLE, "%s",
                               mnt_chzzk_unplayable(c, playback));
        return;
    }

    m = *c;
    m.probe = &wrong;
    best = 0;

    for (i = 0; i < json_array_size(media) && i < MNT_CHZZK_MEDIA; i++) {
        medium = json_array_get(media, i);
        rank = mnt_chzzk_medium(&m, medium, i);

        if (rank == 0 && why.data == NULL) {
            why = wrong.reason;
        }

        if (rank > best) {
            best = rank;
            c->probe->playlist_url = mnt_json_str(medium, "path");
            c->probe->encrypted = (mnt_json_str(medium, "aes").len > 0);
        }
    }

    if (best == 0) {
        c->probe->reason = why;
        return;
    }

    c->probe->playlist_url = mnt_arena_dup(c->arena, c->probe->playlist_url);

    if (c->probe->playlist_url.data == NULL) {
        mnt_platform_probe_set(c->arena, c->probe, MNT_PROBE_TRANSIENT,
                               "no memory");
        return;
    }

    c->probe->outcome = MNT_PROBE_LIVE;

    if (c->probe->broadcast_id.len == 0) {

        /* recorded nevertheless: what is missed on the air is missed */

        c->probe->reason = mnt_str_c("content.liveId is no id");
    }
}


/* how much a medium is wanted; 0: not at all, c->probe->reason says why */

static int
mnt_chzzk_medium(mnt_chzzk_answer_t *c, const json_t *medium, size_t i)
{
    char        where[MNT_CHZZK_FIELD];
    mnt_str_t   id;
    mnt_url_t   u;

    (void) snprintf(where, sizeof(where), MNT_CHZZK_PLAYBACK ".media[%zu]", i);

    if (!json_is_object(medium)) {
        mnt_platform_probe_set(c->arena, c->probe, MNT_PROBE_MALFORMED,
                               "%s is not an object", where);
        return 0;
    }

    (void) snprintf(where, sizeof(where), MNT_CHZZK_PLAYBACK ".media[%zu].",
                    i);

    if (mnt_chzzk_want(c, medium, where, "protocol", JSON_STRING) == NULL) {
        return 0;
    }

    if (!mnt_str_eqc(mnt_json_str(medium, "protocol"), "HLS")) {
        mnt_platform_probe_set(c->arena, c->probe, MNT_PROBE_MALFORMED,
                               "%sprotocol is not HLS", where);
        return 0;
    }

    if (mnt_chzzk_want(c, medium, where, "path", JSON_STRING) == NULL) {
        return 0;
    }

    if (mnt_url_parse(mnt_json_str(medium, "path"), &u) != 0) {
        mnt_platform_probe_set(c->arena, c->probe, MNT_PROBE_MALFORMED,
                               "%spath is not an http URL", where);
        return 0;
    }

    id = mnt_json_str(medium, "mediaId");

    if (mnt_str_eqc(id, "HLS")) {
        return 3;
    }

    return mnt_str_eqc(id, "LLHLS") ? 1 : 2;
}


/*
 * Why a broadcast on the air has nothing to play.  The surest sign first: one
 * of a blocked country or of an age not shown is about this viewer, the flags
 * behind are about the broadcast.
 */

static const char *
mnt_chzzk_unplayable(mnt_chzzk_answer_t *c, const json_t *playback)
{
    mnt_str_t  benefit, auth;

    if (mnt_str_eqc(mnt_json_str(c->content, "blindType"), "ABROAD")) {
        return "region";
    }

    if (c->probe->adult
        && !mnt_str_eqc(mnt_json_str(c->content, "userAdultStatus"), "ADULT"))
    {
        return "adult";
    }

    benefit = mnt_json_str(c->content, "membershipBenefitType");
    auth = mnt_json_str(playback, "meta.playbackAuthType");

    if ((benefit.len && !mnt_str_eqc(benefit, "NONE"))
        || mnt_str_eqc(auth, "MEMBERSHIP"))
    {
        return "membership";
    }

    if (mnt_json_bool(c->content, "krOnlyViewing", 0)) {
        return "region";
    }

    return "unknown";
}


mnt_probe_outcome_e
mnt_platform_chzzk_lookup(mnt_arena_t *a, mnt_request_e kind,
    mnt_str_t wanted, const mnt_platform_answer_t *answer, mnt_channel_t *ch,
    mnt_str_t *reason)
{
    mnt_probe_t         probe;
    mnt_chzzk_answer_t  c;

    memset(ch, 0, sizeof(mnt_channel_t));
    mnt_chzzk_answer_init(&c, a, &probe);

    if (mnt_chzzk_envelope(&c, kind, answer)) {

        if (json_is_null(c.content)) {
            mnt_platform_probe_set(a, &probe, MNT_PROBE_UNKNOWN_CHANNEL,
                                   "content is null");

        } else if (kind == MNT_REQUEST_SEARCH) {
            mnt_chzzk_search(&c, wanted, ch);

        } else {
            mnt_chzzk_found(&c, c.content, "content.", ch);
        }
    }

    json_decref(c.root);

    *reason = probe.reason;

    return probe.outcome;
}


/*
 * Nicknames are not unique, and a search finds what is alike: the one hit that
 * is called exactly so, else the only hit.  Who is to be recorded is not
 * guessed.
 */

static void
mnt_chzzk_search(mnt_chzzk_answer_t *c, mnt_str_t wanted, mnt_channel_t *ch)
{
    char           where[MNT_CHZZK_FIELD];
    size_t         i, n, at, exact;
    json_t        *hits;
    mnt_str_t      name;

    hits = mnt_chzzk_want(c, c->content, "content.", "data", JSON_ARRAY);

    if (hits == NULL) {
        return;
    }

    wanted = mnt_platform_hangul(c->arena, mnt_str_trim(wanted));
    n = json_array_size(hits);
    exact = 0;
    at = 0;

    for (i = 0; i < n; i++) {
        name = mnt_json_str(json_array_get(hits, i), "channel.channelName");
        name = mnt_platform_hangul(c->arena, mnt_str_trim(name));

        if (name.len && mnt_str_eq(name, wanted)) {
            exact++;
            at = i;
        }
    }

    if (exact > 1 || (exact == 0 && n != 1)) {
        mnt_platform_probe_set(c->arena, c->probe, MNT_PROBE_UNKNOWN_CHANNEL,
                               "%s", n ? "ambiguous" : "not found");
        return;
    }

    (void) snprintf(where, sizeof(where), "content.data[%zu].", at);

    if (mnt_chzzk_want(c, json_array_get(hits, at), where, "channel",
                       JSON_OBJECT)
        == NULL)
    {
        return;
    }

    (void) snprintf(where, sizeof(where), "content.data[%zu].channel.", at);

    mnt_chzzk_found(c, json_object_get(json_array_get(hits, at), "channel"),
                    where, ch);
}


/* an unknown id is answered with 200 and a channel whose id is null */

static void
mnt_chzzk_found(mnt_chzzk_answer_t *c, const json_t *channel,
    const char *where, mnt_channel_t *ch)
{
    mnt_str_t  id;

    if (json_is_null(json_object_get(channel, "channelId"))) {
        mnt_platform_probe_set(c->arena, c->probe, MNT_PROBE_UNKNOWN_CHANNEL,
                               "not found");
        return;
    }

    if (mnt_chzzk_want(c, channel, where, "channelId", JSON_STRING) == NULL) {
        return;
    }

    id = mnt_json_str(channel, "channelId");

    if (!mnt_platform_chzzk_id(id)) {
        mnt_platform_probe_set(c->arena, c->probe, MNT_PROBE_MALFORMED,
                               "%schannelId is no id", where);
        return;
    }

    ch->channel_id = mnt_platform_lower(c->arena, id);
    ch->channel_name = mnt_chzzk_text(c, channel, "channelName");
    ch->image_url = mnt_chzzk_image(c, channel, "channelImageUrl");

    if (ch->channel_id.data == NULL) {
        mnt_platform_probe_set(c->arena, c->probe, MNT_PROBE_TRANSIENT,
                               "no memory");
        return;
    }

    c->probe->outcome = mnt_json_bool(channel, "openLive", 0)
                        ? MNT_PROBE_LIVE : MNT_PROBE_OFFLINE;
}
