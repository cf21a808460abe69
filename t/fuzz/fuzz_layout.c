
/*
 * Copyright (C) the mntreamer authors
 *
 * Lines: layout, platform, channel id, channel name, title.  Whatever they say
 * the path is below the storage root and differs for another recording.
 */


#include "mnt_fuzz.h"

#include "base/mnt_name.h"


static mnt_str_t
expand(mnt_arena_t *a, mnt_str_t layout, const mnt_layout_values_t *v)
{
    mnt_str_t  path;

    path = mnt_layout_expand(a, layout, v);

    if (path.data) {
        mnt_fuzz_hold(path.len <= MNT_LAYOUT_MAX);
        mnt_fuzz_hold(mnt_path_servable(path));
        mnt_fuzz_hold(mnt_str_utf8(path));
    }

    return path;
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    mnt_str_t            layout, rest, name, one, other;
    mnt_arena_t          a;
    mnt_layout_values_t  v;

    memset(&v, 0, sizeof(v));
    mnt_arena_init(&a, 1 << 20);

    rest = mnt_fuzz_str(in, len);
    name = mnt_name_safe(&a, rest);
    mnt_fuzz_hold(name.len > 0 && name.len <= MNT_NAME_MAX);
    mnt_fuzz_hold(mnt_path_servable(name) && mnt_str_utf8(name));
    mnt_fuzz_hold(!memchr(name.data, '/', name.len));

    one = mnt_name_safe(&a, name);
    mnt_fuzz_hold(mnt_str_eq(one, name));

    (void) mnt_path_servable(rest);

    layout = mnt_fuzz_split(&rest);
    v.platform = mnt_fuzz_split(&rest);
    v.channel_id = mnt_fuzz_split(&rest);
    v.channel_name = mnt_fuzz_split(&rest);
    v.title = rest;
    v.recording_id = (int64_t) len;
    v.sequence = (unsigned) len;
    v.started_ms = (int64_t) len * 86400000;

    one = expand(&a, layout, &v);
    mnt_fuzz_hold((one.data != NULL) == (mnt_layout_check(layout) == NULL));

    if (one.data) {
        v.recording_id += 1;
        v.sequence += 1;
        other = expand(&a, layout, &v);
        mnt_fuzz_hold(!mnt_str_eq(one, other));
    }

    mnt_arena_free(&a);

    return 0;
}
