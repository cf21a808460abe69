
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

    s = mnt_json_str(j, path);
    mnt_fuzz_hold(s.data == NULL || mnt_str_utf8(s));
    mnt_fuzz_hold(s.len == 0 || !memchr(s.data, '\0', s.len));

    json_decref(j);
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    char        *name;
    json_t      *j;
    mnt_str_t    text, path, s;
    const char  *why;

    text = mnt_fuzz_str(in, len);
    path = mnt_fuzz_split(&text);
    why = NULL;

    name = malloc(path.len + 1);
    mnt_fuzz_hold(name != NULL);
    memcpy(name, path.data, path.len);
    name[path.len] = '\0';

    j = mnt_json_load(text, 65536, &why);

    if (j == NULL) {
        mnt_fuzz_hold(why != NULL);

    } else {
        mnt_fuzz_hold(depth(j) <= MNT_JSON_DEPTH);
    }

    (void) mnt_json_i64(j, name, 0);
    (void) mnt_json_bool(j, name, 0);
    s = mnt_json_str(j, name);
    mnt_fuzz_hold(s.data == NULL || mnt_str_utf8(s));
    mnt_fuzz_hold(s.len == 0 || !memchr(s.data, '\0', s.len));

    foreign(text, name, j != NULL);

    json_decref(j);
    free(name);

    return 0;
}
