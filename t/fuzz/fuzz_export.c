
/*
 * Copyright (C) the mntreamer authors
 *
 * Whatever a playlist, a segment and an initialisation section hold: names
 * that ffmpeg is given lie in the directory, and clocks are known or not.
 */


#include "mnt_fuzz.h"

#include "hls/mnt_hls_clock.h"
#include "storage/mnt_export.h"


static void
beside(mnt_str_t name)
{
    size_t  i;

    mnt_fuzz_hold(name.len > 0 && name.len <= 255);
    mnt_fuzz_hold(name.data[0] != '.' && name.data[0] != '-');

    for (i = 0; i < name.len; i++) {
        mnt_fuzz_hold(name.data[i] > ' ' && name.data[i] < 0x7f
                      && strchr("/\\:|'\"%,?*", name.data[i]) == NULL);
    }
}


static int64_t
playlist(mnt_str_t s, int64_t begin_us, int64_t end_us)
{
    int64_t              n;
    mnt_export_entry_t   e;
    mnt_export_reader_t  rd;

    n = 0;
    mnt_export_init(&rd, s, NULL, begin_us, end_us);

    while (mnt_export_next(&rd, &e)) {
        beside(e.uri);
        mnt_fuzz_hold(e.map.len == 0 || (beside(e.map), 1));
        mnt_fuzz_hold(n || e.begins);
        mnt_fuzz_hold(e.duration_us >= 0);
        mnt_fuzz_hold(rd.at_us > begin_us);
        n++;
    }

    return n;
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    int                   rc;
    int64_t               at, rate;
    uint8_t              *copy;
    mnt_str_t             s, uri;
    mnt_hls_clock_init_t  init;

    /* of its own, so that a look beyond it is seen */

    copy = malloc(len + 1);
    if (copy == NULL) {
        return 0;
    }

    if (len) {
        memcpy(copy, in, len);
    }

    s = mnt_fuzz_str(copy, len);

    mnt_fuzz_hold(playlist(s, 1500000, 9000000) <= playlist(s, 0, -1));

    uri = mnt_export_audio(s);
    mnt_fuzz_hold(uri.len == 0 || (beside(uri), 1));

    rc = mnt_export_progress(s, &at, &rate);
    mnt_fuzz_hold(rc != 1 || at >= 0);
    mnt_fuzz_hold(rc != 2 || rate >= 0);

    mnt_hls_clock_init(&init, copy, len);
    mnt_fuzz_hold(init.n <= MNT_HLS_CLOCK_TRACKS);

    init.n = 1;
    init.id[0] = 1;
    init.scale[0] = 90000;

    at = mnt_hls_clock(copy, len, &init);
    mnt_fuzz_hold(at >= MNT_HLS_CLOCK_NONE);
    (void) mnt_hls_clock_jumps(at, 1000, 2000000);

    free(copy);

    return 0;
}
