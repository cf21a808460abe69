
/*
 * Copyright (C) the mntreamer authors
 *
 * Either a document or a reason; access by path never fails.  The first line
 * is the path, the rest the document.
 */


#include "mnt_fuzz.h"

#include "base/mnt_json.h"


static unsigned
depth(json_t *j)
{
    size_t       i;
    json_t      *v;
    unsigned     n, deepest;
    const char  *key;

    deepest = 0;

    if (json_is_object(j)) {
        json_object_foreach(j, key, v) {
            n = depth(v);
            deepest = n > deepest ? n : deepest;
        }

        return deepest + 1;
    }

    if (json_is_array(j)) {
        json_array_foreach(j, i, v) {
            n = depth(v);
            deepest = n > deepest ? n : deepest;
        }

        return deepest + 1;
    }

    return 0;
}


/* what others wrote: read whenever ours is, and never with a NUL */

static void
foreign(mnt_str_t text, const char *path, int known)
{
    json_t      *j;
    mnt_str_t    s;
    const char  *why;

    why = NULL;
    j = mnt_json_load_foreign(text, 65536, &why);

    mnt_fuzz_hold(j != NULL || (why != NULL && !known));

    if (path) {
        s = mnt_json_str(j, path);
        mnt_fuzz_hold(s.data == NULL || mnt_str_utf8(s));
        mnt_fuzz_hold(s.len == 0 || !memchr(s.data, '\0', s.len));
    }

    json_decref(j);
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    json_t       *j;
    mnt_str_t     text, path, s;
    const char   *why;
    mnt_arena_t   a;

    text = mnt_fuzz_str(in, len);
    path = mnt_fuzz_split(&text);
    why = NULL;

    mnt_arena_init(&a, 1 << 20);
    j = mnt_json_load(text, 65536, &why);
    path = mnt_arena_dup(&a, path);

    if (j == NULL) {
        mnt_fuzz_hold(why != NULL);

    } else {
        mnt_fuzz_hold(depth(j) <= MNT_JSON_DEPTH);
    }

    if (path.data) {
        (void) mnt_json_i64(j, path.data, 0);
        (void) mnt_json_bool(j, path.data, 0);
        s = mnt_json_str(j, path.data);
        mnt_fuzz_hold(s.data == NULL || mnt_str_utf8(s));
        mnt_fuzz_hold(s.len == 0 || !memchr(s.data, '\0', s.len));
    }

    foreign(text, path.data, j != NULL);

    json_decref(j);
    mnt_arena_free(&a);

    return 0;
}
