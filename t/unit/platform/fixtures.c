
/*
 * Copyright (C) the mntreamer authors
 *
 * The captured answers: each must lead to the state its index says.  Where
 * they are not (MNT_FIXTURES, else beside the repository) this is skipped.
 */


#include "mnt_test_platform.h"

#include "base/mnt_json.h"


typedef struct {
    char       dir[512];
    json_t    *index;                         /* owned */
    unsigned   probes;
    unsigned   lookups;
    unsigned   playlists;
} fixtures_t;


static mnt_str_t
folder_index(fixtures_t *f, const char *folder)
{
    char         path[1024];
    const char  *dir;

    memset(f, 0, sizeof(fixtures_t));
    dir = getenv("MNT_FIXTURES");

    if (dir && dir[0]) {
        (void) snprintf(f->dir, sizeof(f->dir), "%s/%s", dir, folder);

    } else {
        (void) snprintf(f->dir, sizeof(f->dir), "%s../shared/fixtures/%s",
                        mnt_test_top(), folder);
    }

    (void) snprintf(path, sizeof(path), "%s/index.json", f->dir);

    return mnt_test_file(path);
}


static void
setup(fixtures_t *f, const char *folder)
{
    mnt_str_t    text;
    const char  *why;

    text = folder_index(f, folder);
    f->index = mnt_json_load(text, text.len, &why);
    free((char *) (uintptr_t) text.data);
    assert_non_null(f->index);
}


static mnt_str_t
body_of(const fixtures_t *f, const json_t *entry)
{
    char       path[1024];
    mnt_str_t  file, body;

    file = mnt_json_str(entry, "file");
    (void) snprintf(path, sizeof(path), "%s/%.*s", f->dir, (int) file.len,
                    file.data);
    body = mnt_test_file(path);
    mnt_test_ok(body.data != NULL, path, "is not there");

    return body;
}


/* a text, number or null of the index against what was found */

static void
same_text(const json_t *expect, const char *key, mnt_str_t got,
    const char *file)
{
    char     text[32];
    json_t  *v;

    v = json_object_get(expect, key);

    if (v == NULL) {
        return;
    }

    if (json_is_integer(v)) {
        (void) snprintf(text, sizeof(text), "%lld",
                        (long long) json_integer_value(v));
        mnt_test_str(got, text, file);
        return;
    }

    mnt_test_str(got, json_is_string(v) ? json_string_value(v) : NULL, file);
}


static void
same_number(const json_t *expect, const char *key, int64_t scale, int64_t got,
    const char *file)
{
    json_t  *v;

    v = json_object_get(expect, key);

    if (json_is_boolean(v)) {
        mnt_test_i64(got, json_is_true(v), file, key);

    } else if (json_is_integer(v)) {
        mnt_test_i64(got, json_integer_value(v) * scale, file, key);
    }
}


static void
compare(const json_t *expect, const mnt_probe_t *p, const char *file)
{
    size_t     i;
    json_t    *media;
    mnt_str_t  path;

    mnt_test_str(mnt_json_str(expect, "state"), mnt_probe_name(p->outcome),
                 file);

    same_text(expect, "reason", p->reason, file);
    same_text(expect, "live_id", p->broadcast_id, file);
    same_text(expect, "title", p->title, file);
    same_text(expect, "channel_id", p->channel_id, file);
    same_text(expect, "channel_name", p->channel_name, file);
    same_number(expect, "open_epoch_ms", 1, p->opened_ms, file);
    same_number(expect, "close_epoch_ms", 1, p->closed_ms, file);
    same_number(expect, "adult", 1, p->adult, file);
    same_number(expect, "call_period_ms", 1, p->call_period_ms, file);
    same_number(expect, "retry_after_s", 1000, p->retry_after_ms, file);

    media = json_object_get(expect, "media");

    for (i = 0; i < json_array_size(media); i++) {

        if (mnt_str_eqc(mnt_json_str(json_array_get(media, i), "media_id"),
                        "HLS"))
        {
            path = mnt_json_str(json_array_get(media, i), "path");
            mnt_test_ok(mnt_str_eq(p->playlist_url, path), file,
                        "playlist_url");
            same_number(json_array_get(media, i), "encrypted", 1,
                        p->encrypted, file);
        }
    }
}


static void
probe(fixtures_t *f, const json_t *entry, const char *platform,
    mnt_request_e kind, mnt_probe_t *p, mnt_arena_t *a)
{
    mnt_str_t               body;
    const char             *channel;
    mnt_platform_answer_t   answer;

    body = body_of(f, entry);
    channel = strcmp(platform, "hls") == 0 ? "https://a.example/x.m3u8"
                                           : MNT_TEST_ID;

    memset(&answer, 0, sizeof(answer));
    answer.http = (unsigned) mnt_json_i64(entry, "http_status", 200);
    answer.retry_after = mnt_json_str(entry, "headers.Retry-After");
    answer.body = body;

    mnt_test_probe(a, mnt_test_platform(platform), kind, channel, &answer, p);
    free((char *) (uintptr_t) body.data);
}


static void
lookup(fixtures_t *f, const json_t *entry, const char *file)
{
    json_t                 *expect;
    mnt_str_t               body, reason;
    mnt_arena_t             a;
    mnt_channel_t           ch;
    mnt_probe_outcome_e     outcome;
    mnt_platform_answer_t   answer;

    mnt_arena_init(&a, MNT_TEST_ARENA);
    expect = json_object_get(entry, "expect");
    body = body_of(f, entry);

    memset(&answer, 0, sizeof(answer));
    answer.http = (unsigned) mnt_json_i64(entry, "http_status", 200);
    answer.body = body;

    outcome = mnt_test_platform("chzzk")->lookup(&a, MNT_REQUEST_CHANNEL,
                                S(MNT_TEST_ID), &answer, &ch, &reason);

    mnt_test_str(mnt_json_str(expect, "state"), mnt_probe_name(outcome), file);
    same_text(expect, "channel_id", ch.channel_id, file);
    same_text(expect, "channel_name", ch.channel_name, file);
    f->lookups++;

    free((char *) (uintptr_t) body.data);
    mnt_arena_free(&a);
}


static void
chzzk(void **state)
{
    size_t        i, n;
    json_t       *entry, *entries;
    const char   *file, *endpoint;
    mnt_probe_t   p;
    mnt_arena_t   a;
    fixtures_t    f;
    unsigned      kinds[2];

    (void) state;

    setup(&f, "chzzk");
    entries = json_object_get(f.index, "entries");

    for (i = 0; i < json_array_size(entries); i++) {
        entry = json_array_get(entries, i);
        file = json_string_value(json_object_get(entry, "file"));
        endpoint = json_string_value(json_object_get(entry, "endpoint"));

        if (endpoint == NULL) {
            endpoint = "";
        }

        kinds[0] = strstr(endpoint, "/live-status") != NULL
                   || strcmp(endpoint, "any") == 0;
        kinds[1] = strstr(endpoint, "/live-detail") != NULL
                   || strcmp(endpoint, "any") == 0;

        for (n = 0; n < 2; n++) {
            if (!kinds[n]) {
                continue;
            }

            mnt_arena_init(&a, MNT_TEST_ARENA);
            probe(&f, entry, "chzzk",
                  n ? MNT_REQUEST_DETAIL : MNT_REQUEST_STATUS, &p, &a);
            compare(json_object_get(entry, "expect"), &p, file);
            f.probes++;
            mnt_arena_free(&a);
        }

        if (mnt_str_ends(mnt_str_c(endpoint),
                         "/service/v1/channels/{channelId}"))
        {
            lookup(&f, entry, file);
        }
    }

    json_decref(f.index);
    print_message("# %u answers, %u lookups\n", f.probes, f.lookups);
    assert_true(f.probes >= 11 && f.lookups >= 2);
}


/* what the index says of a playlist decides whether its URL is live */

static void
playlists(fixtures_t *f, const char *at)
{
    int           ended, refused;
    size_t        i;
    json_t       *entry, *entries, *expect;
    const char   *file;
    mnt_str_t     verdict;
    mnt_probe_t   p;
    mnt_arena_t   a;

    entries = json_object_get(f->index, "entries");

    for (i = 0; i < json_array_size(entries); i++) {
        entry = json_array_get(entries, i);
        expect = json_object_get(entry, at);
        file = json_string_value(json_object_get(entry, "file"));
        verdict = mnt_json_str(entry, "verdict");

        if (!mnt_str_ends(mnt_str_c(file), ".m3u8")) {
            continue;
        }

        mnt_arena_init(&a, MNT_TEST_ARENA);
        probe(f, entry, "hls", MNT_REQUEST_STATUS, &p, &a);
        f->playlists++;

        ended = mnt_json_bool(expect, "endlist", 0)
                || mnt_str_eqc(mnt_json_str(expect, "playlist_type"), "VOD");
        refused = (p.outcome == MNT_PROBE_MALFORMED);

        if (mnt_str_eqc(verdict, "reject")) {
            mnt_test_ok(refused, file, "is not refused");

        } else if (!refused || !mnt_str_eqc(verdict, "either")) {
            mnt_test_i64(p.outcome,
                         ended ? MNT_PROBE_OFFLINE : MNT_PROBE_LIVE, file,
                         "outcome");
        }

        mnt_arena_free(&a);
    }
}


static void
hls(void **state)
{
    size_t       i;
    fixtures_t   f;

    static const struct {
        const char  *folder;
        const char  *expect;
        unsigned     least;
    } rows[] = {
        { "chzzk", "playlist", 5 },
        { "hls", "expect", 20 }
    };

    (void) state;

    for (i = 0; i < mnt_test_count(rows); i++) {
        setup(&f, rows[i].folder);
        playlists(&f, rows[i].expect);
        json_decref(f.index);
        print_message("# %s: %u playlists\n", rows[i].folder, f.playlists);
        assert_true(f.playlists >= rows[i].least);
    }
}


int
main(void)
{
    size_t       i;
    mnt_str_t    text;
    fixtures_t   f;

    static const char  *const folders[] = { "chzzk", "hls" };

    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(chzzk),
        cmocka_unit_test(hls)
    };

    /* a skip() of cmocka is a failure to prove: the plan says it */

    for (i = 0; i < mnt_test_count(folders); i++) {
        text = folder_index(&f, folders[i]);

        if (text.data == NULL) {
            printf("1..0 # SKIP no fixtures (set MNT_FIXTURES)\n");
            return 0;
        }

        free((char *) (uintptr_t) text.data);
    }

    return cmocka_run_group_tests_name("platform/fixtures", tests, NULL,
                                       NULL);
}
