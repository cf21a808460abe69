
/*
 * Copyright (C) the mntreamer authors
 *
 * Either a document or a reason; access by path never fails.  The first line
 * is the path, the rest the document.  Without memory for one allocation, or
 * from one on, it is the same document, or there is none and that is the
 * reason.
 */


#include "mnt_fuzz.h"

#include "base/mnt_json.h"
#include "base/mnt_str.h"


/* of the linker (--wrap=malloc): all that the parsers ask for by themselves */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);


static unsigned  failing;                     /* the how manieth, 0: none */
static unsigned  failing_on;                  /* and all behind it */
static unsigned  failed;


void *
__wrap_malloc(size_t size)
{
    if (failing && --failing == 0) {
        failing = failing_on;
        failed = 1;
        return NULL;
    }

    return __real_malloc(size);
}


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


static void
scarce(mnt_str_t text, int is_foreign)
{
    json_t      *j, *full;
    uint64_t     chance;
    const char  *why, *unused;

    chance = mnt_str_hash(text) >> 8;
    why = NULL;
    unused = NULL;

    full = is_foreign ? mnt_json_load_foreign(text, 65536, &unused)
                      : mnt_json_load(text, 65536, &unused);

    failed = 0;
    failing = 1 + (unsigned) (chance % 16);
    failing_on = (chance >> 4) & 1;

    j = is_foreign ? mnt_json_load_foreign(text, 65536, &why)
                   : mnt_json_load(text, 65536, &why);

    failing = 0;
    failing_on = 0;

    if (failed) {
        mnt_fuzz_hold(j == NULL && why != NULL);

    } else {
        mnt_fuzz_hold((j == NULL) == (full == NULL));
        mnt_fuzz_hold(j == NULL || json_equal(j, full));
    }

    json_decref(j);
    json_decref(full);
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

    if (text.len) {
        mnt_fuzz_hold(mnt_json_load(text, text.len - 1, &why) == NULL);
        mnt_fuzz_hold(mnt_json_load_foreign(text, text.len - 1, &why) == NULL);
    }

    if ((mnt_str_hash(text) & 3) == 0) {
        scarce(text, (mnt_str_hash(text) & 4) != 0);
    }

    json_decref(j);
    free(name);

    return 0;
}
