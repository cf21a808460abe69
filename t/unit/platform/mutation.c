
/*
 * Copyright (C) the mntreamer authors
 *
 * RELIABILITY.md A5: the platform changes its answers without notice.  Every
 * field of a real-shaped body, also of the JSON within it, is removed, renamed
 * and retyped, one at a time.  What recording needs is refused by name, what
 * it does not need changes nothing, and no change ever looks like "off air".
 */


#include "mnt_test_platform.h"

#include <jansson.h>

#include "base/mnt_url.h"


#define PLAYBACK  "content.livePlaybackJson"


typedef struct {
    const char           *file;
    mnt_request_e         kind;
    mnt_probe_outcome_e   outcome;            /* of the body as it is */
    const char *const    *needed;             /* paths; NULL-terminated */
} base_t;

typedef struct {
    const base_t         *base;               /* alias */
    json_t               *outer;              /* owned */
    json_t               *inner;              /* owned; NULL: left as it is */
    unsigned              mutants;
    unsigned              malformed;
    unsigned              playable;
} walk_t;


static int
needed(const base_t *base, const char *path)
{
    size_t  i;

    for (i = 0; base->needed[i]; i++) {
        if (strcmp(base->needed[i], path) == 0) {
            return 1;
        }
    }

    return 0;
}


static void
judge(const walk_t *w, const char *path, const char *how, int null,
    const mnt_probe_t *p)
{
    char         row[256];
    mnt_url_t    u;
    const char  *name;

    (void) snprintf(row, sizeof(row), "%s: %s %s", w->base->file, path, how);
    name = strrchr(path, '.');
    name = name ? name + 1 : path;

    mnt_test_ok((unsigned) p->outcome < MNT_PROBE_MAX, row, "no outcome");

    if (p->outcome == MNT_PROBE_LIVE && !p->more) {
        mnt_test_ok(mnt_url_parse(p->playlist_url, &u) == 0, row,
                    "live without a URL");
    }

    if (p->outcome == MNT_PROBE_MALFORMED) {
        mnt_test_ok(p->reason.data && strstr(p->reason.data, name) != NULL,
                    row, "the reason does not name the field");
    }

    if (!needed(w->base, path)) {
        mnt_test_ok(p->outcome == w->base->outcome, row,
                    "a field nobody needs changed the outcome");
        return;
    }

    /* a content of null says that there was no broadcast; a playback of null
       that there is none for us */

    if (null && strcmp(path, "content") == 0) {
        mnt_test_i64(p->outcome, MNT_PROBE_OFFLINE, row, "outcome");
        return;
    }

    if (null && strcmp(path, PLAYBACK) == 0) {
        mnt_test_i64(p->outcome, MNT_PROBE_LIVE_NOT_PLAYABLE, row, "outcome");
        return;
    }

    mnt_test_ok(p->outcome != MNT_PROBE_OFFLINE, row, "became off air");
    mnt_test_ok(p->outcome != MNT_PROBE_LIVE, row, "is live all the same");
}


static void
mutant(walk_t *w, const char *path, const char *how, int null)
{
    char                   *text, *playback;
    json_t                 *doc;
    mnt_probe_t             p;
    mnt_arena_t             a;
    mnt_platform_answer_t   answer;

    doc = json_deep_copy(w->outer);
    assert_non_null(doc);

    if (w->inner) {
        playback = json_dumps(w->inner, JSON_COMPACT);
        assert_non_null(playback);
        assert_int_equal(json_object_set_new(json_object_get(doc, "content"),
                                             "livePlaybackJson",
                                             json_string(playback)), 0);
        free(playback);
    }

    text = json_dumps(doc, JSON_COMPACT);
    assert_non_null(text);
    json_decref(doc);

    mnt_arena_init(&a, MNT_TEST_ARENA);
    memset(&answer, 0, sizeof(answer));
    answer.http = 200;
    answer.body = mnt_str_c(text);

    mnt_test_probe(&a, mnt_test_platform("chzzk"), w->base->kind, MNT_TEST_ID,
                   &answer, &p);
    judge(w, path, how, null, &p);

    w->mutants++;
    w->malformed += (p.outcome == MNT_PROBE_MALFORMED);
    w->playable += (p.outcome == MNT_PROBE_LIVE);

    mnt_arena_free(&a);
    free(text);
}


/* values of every type, the edges of numbers among them */

static json_t *
value(unsigned i)
{
    switch (i) {

    case 0:
        return json_null();

    case 1:
        return json_true();

    case 2:
        return json_integer(-1);

    case 3:
        return json_integer(INT64_MAX);

    case 4:
        return json_real(1e308);

    case 5:
        return json_string("");

    case 6:
        return json_string("x{type}\xef\xbf\xbf\x01");

    case 7:
        return json_array();

    case 8:
        return json_object();

    default:
        return NULL;
    }
}


static int
same(const json_t *v, const json_t *other)
{
    return json_typeof(v) == json_typeof(other)
           && (json_is_null(v) || json_is_boolean(v));
}


static void
field(walk_t *w, json_t *parent, const char *key, size_t index,
    const char *path)
{
    char       how[32];
    json_t    *old, *new;
    unsigned   i;

    old = key ? json_object_get(parent, key) : json_array_get(parent, index);
    json_incref(old);

    for (i = 0; (new = value(i)) != NULL; i++) {

        if (same(new, old)) {
            json_decref(new);
            continue;
        }

        if (key) {
            assert_int_equal(json_object_set_new(parent, key, new), 0);

        } else {
            assert_int_equal(json_array_set_new(parent, index, new), 0);
        }

        (void) snprintf(how, sizeof(how), "set to value %u", i);
        mutant(w, path, how, i == 0);
    }

    if (key) {
        assert_int_equal(json_object_del(parent, key), 0);
        mutant(w, path, "removed", 0);

        assert_int_equal(json_object_set(parent, "renamedField", old), 0);
        mutant(w, path, "renamed", 0);
        assert_int_equal(json_object_del(parent, "renamedField"), 0);

        assert_int_equal(json_object_set_new(parent, key, old), 0);

    } else {
        assert_int_equal(json_array_set_new(parent, index, old), 0);
    }
}


/* depth first; a field is restored before its members are changed */

static void
walk(walk_t *w, json_t *node, const char *path)
{
    char         below[256];
    size_t       i, n;
    void        *iter;
    json_t      *keys, *child;
    const char  *key;

    if (json_is_array(node)) {
        for (i = 0; i < json_array_size(node); i++) {
            (void) snprintf(below, sizeof(below), "%s[%zu]", path, i);
            field(w, node, NULL, i, below);
            walk(w, json_array_get(node, i), below);
        }

        return;
    }

    if (!json_is_object(node)) {
        return;
    }

    keys = json_array();

    for (iter = json_object_iter(node); iter;
         iter = json_object_iter_next(node, iter))
    {
        (void) json_array_append_new(keys,
                                    json_string(json_object_iter_key(iter)));
    }

    n = json_array_size(keys);

    for (i = 0; i < n; i++) {
        key = json_string_value(json_array_get(keys, i));
        (void) snprintf(below, sizeof(below), "%s%s%s", path,
                        path[0] ? "." : "", key);
        field(w, node, key, 0, below);
        child = json_object_get(node, key);
        walk(w, child, below);
    }

    json_decref(keys);
}


static unsigned
mutate(const base_t *base)
{
    walk_t        w;
    mnt_str_t     body;
    const char   *text;

    memset(&w, 0, sizeof(w));
    w.base = base;

    body = mnt_test_body(base->file);
    w.outer = json_loadb(body.data, body.len, 0, NULL);
    assert_non_null(w.outer);
    free((char *) (uintptr_t) body.data);

    walk(&w, w.outer, "");

    text = json_string_value(json_object_get(json_object_get(w.outer,
                                                             "content"),
                                             "livePlaybackJson"));

    if (text) {
        w.inner = json_loads(text, 0, NULL);
        assert_non_null(w.inner);
        walk(&w, w.inner, PLAYBACK);
    }

    print_message("# %s: %u mutants, %u malformed, %u live\n", base->file,
                  w.mutants, w.malformed, w.playable);

    json_decref(w.inner);
    json_decref(w.outer);

    return w.mutants;
}


static const char  *const open_needs[] = {
    "code", "content", "content.status", PLAYBACK, PLAYBACK ".media",
    PLAYBACK ".media[0]", PLAYBACK ".media[0].protocol",
    PLAYBACK ".media[0].path", NULL
};

static const char  *const both_need[] = {
    "code", "content", "content.status", PLAYBACK, PLAYBACK ".media", NULL
};

static const char  *const state_needs[] = {
    "code", "content", "content.status", NULL
};


static void
one_medium(void **state)
{
    static const base_t  base = {
        "detail-open-encrypted.json", MNT_REQUEST_DETAIL, MNT_PROBE_LIVE,
        open_needs
    };

    (void) state;

    assert_true(mutate(&base) >= 300);
}


/* with two media one may break: it is recorded by the other */

static void
two_media(void **state)
{
    static const base_t  base = {
        "detail-open.json", MNT_REQUEST_DETAIL, MNT_PROBE_LIVE, both_need
    };

    (void) state;

    assert_true(mutate(&base) >= 300);
}


static void
status(void **state)
{
    static const base_t  base = {
        "status-open.json", MNT_REQUEST_STATUS, MNT_PROBE_LIVE, state_needs
    };

    (void) state;

    assert_true(mutate(&base) >= 100);
}


static void
closed(void **state)
{
    static const base_t  base = {
        "detail-close-ended.json", MNT_REQUEST_DETAIL, MNT_PROBE_OFFLINE,
        state_needs
    };

    (void) state;

    assert_true(mutate(&base) >= 300);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(one_medium),
        cmocka_unit_test(two_media),
        cmocka_unit_test(status),
        cmocka_unit_test(closed)
    };

    return cmocka_run_group_tests_name("platform/mutation", tests, NULL,
                                       NULL);
}
