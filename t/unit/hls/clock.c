
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "hls/mnt_hls_clock.h"


/* a packet that begins a unit of "id" with one time, or two */

static void
packet(uint8_t *p, uint8_t id, int64_t pts, int64_t dts, unsigned adaptation)
{
    int        i, n;
    uint8_t   *u, *at;
    uint64_t   t;

    memset(p, 0xff, 188);

    p[0] = 0x47;
    p[1] = 0x41;
    p[2] = 0x00;
    p[3] = adaptation ? 0x30 : 0x10;

    u = p + 4;

    if (adaptation) {
        p[4] = (uint8_t) (adaptation - 1);
        u += adaptation;
    }

    n = dts >= 0 ? 2 : 1;

    memcpy(u, "\0\0\1", 3);
    u[3] = id;
    u[6] = 0x80;
    u[7] = n == 2 ? 0xc0 : 0x80;
    u[8] = (uint8_t) (5 * n);

    for (i = 0; i < n; i++) {
        t = (uint64_t) (i ? dts : pts);
        at = u + 9 + 5 * i;

        at[0] = (uint8_t) (0x21 | (t >> 30 & 7) << 1);
        at[1] = (uint8_t) (t >> 22);
        at[2] = (uint8_t) ((t >> 15 & 0x7f) << 1 | 1);
        at[3] = (uint8_t) (t >> 7);
        at[4] = (uint8_t) ((t & 0x7f) << 1 | 1);
    }
}


static void
transport(void **state)
{
    uint8_t               p[5 * 188];
    mnt_hls_clock_init_t  init;

    (void) state;

    memset(&init, 0, sizeof(init));

    /* tables, sound, pictures */

    packet(p, 0, 0, -1, 0);
    p[4 + 2] = 0;
    packet(p + 188, 0xc0, 90000, -1, 7);
    packet(p + 2 * 188, 0xe0, 3 * 90000, 2 * 90000, 30);
    packet(p + 3 * 188, 0xe0, 9 * 90000, -1, 0);

    mnt_test_i64(mnt_hls_clock(p, 4 * 188, &init), 2000000, "pictures", "us");
    mnt_test_i64(mnt_hls_clock(p, 2 * 188, &init), 1000000, "sound", "us");
    mnt_test_i64(mnt_hls_clock(p, 188, &init), MNT_HLS_CLOCK_NONE,
                 "one packet", "us");
    mnt_test_i64(mnt_hls_clock(p, 0, &init), MNT_HLS_CLOCK_NONE, "nothing",
                 "us");

    packet(p, 0xe0, ((int64_t) 1 << 33) - 1, -1, 0);
    packet(p + 188, 0xe0, 0, -1, 0);
    mnt_test_i64(mnt_hls_clock(p, 2 * 188, &init), 95443717677LL, "all bits",
                 "us");

    /* an adaptation field that leaves no room, or less than it says */

    p[3] = 0x30;
    p[4] = 182;
    mnt_test_i64(mnt_hls_clock(p, 2 * 188, &init), 0, "no room", "us");
    p[4] = 255;
    mnt_test_i64(mnt_hls_clock(p, 2 * 188, &init), 0, "beyond it", "us");

    /* without a time */

    packet(p, 0xe0, 5, -1, 0);
    p[4 + 7] = 0;
    mnt_test_i64(mnt_hls_clock(p, 2 * 188, &init), 0, "no time", "us");

    /* out of step */

    p[188] = 0;
    mnt_test_i64(mnt_hls_clock(p, 2 * 188, &init), MNT_HLS_CLOCK_NONE,
                 "no packets", "us");
}


static size_t
box(uint8_t *p, const char *type, const uint8_t *body, size_t n)
{
    memmove(p + 8, body, n);

    p[0] = 0;
    p[1] = 0;
    p[2] = (uint8_t) ((n + 8) >> 8);
    p[3] = (uint8_t) (n + 8);
    memcpy(p + 4, type, 4);

    return n + 8;
}


/* moov of one track, whose boxes are of this version */

static size_t
section(uint8_t *p, uint8_t version, uint8_t id, uint16_t scale)
{
    size_t   n, k;
    uint8_t  b[64], mdia[256], trak[256];

    memset(b, 0, sizeof(b));
    b[0] = version;
    b[(version ? 20 : 12) + 3] = id;
    n = box(trak, "tkhd", b, 36);

    memset(b, 0, sizeof(b));
    b[0] = version;
    b[(version ? 20 : 12) + 2] = (uint8_t) (scale >> 8);
    b[(version ? 20 : 12) + 3] = (uint8_t) scale;
    k = box(mdia, "mdhd", b, 36);
    n += box(trak + n, "mdia", mdia, k);

    k = box(mdia, "mvhd", b, 20);
    n = box(mdia + k, "trak", trak, n) + k;

    memcpy(trak, mdia, n);
    n = box(p, "moov", trak, n);

    return n;
}


static size_t
fragment(uint8_t *p, uint8_t version, uint8_t id, uint64_t at)
{
    int      i, n;
    size_t   len, styp;
    uint8_t  b[16], traf[128];

    memset(b, 0, sizeof(b));
    b[7] = id;
    len = box(traf, "tfhd", b, 8);

    memset(b, 0, sizeof(b));
    b[0] = version;
    n = version ? 8 : 4;

    for (i = 0; i < n; i++) {
        b[4 + i] = (uint8_t) (at >> 8 * (n - 1 - i));
    }

    len += box(traf + len, "tfdt", b, 4 + (size_t) n);
    len = box(p, "traf", traf, len);
    memcpy(traf, p, len);

    styp = box(p, "styp", (const uint8_t *) "msdh", 4);

    return styp + box(p + styp, "moof", traf, len);
}


static void
fragmented(void **state)
{
    size_t                n, k;
    uint8_t               p[512];
    mnt_hls_clock_init_t  init;

    (void) state;

    n = section(p, 0, 2, 1000);
    mnt_hls_clock_init(&init, p, n);
    mnt_test_i64(init.n, 1, "a section", "tracks");
    mnt_test_i64(init.id[0], 2, "a section", "id");
    mnt_test_i64(init.scale[0], 1000, "a section", "scale");

    k = fragment(p, 0, 2, 1500);
    mnt_test_i64(mnt_hls_clock(p, k, &init), 1500000, "a fragment", "us");
    k = fragment(p, 1, 2, (uint64_t) 1 << 33);
    mnt_test_i64(mnt_hls_clock(p, k, &init), 8589934592000, "of 64 bits",
                 "us");
    k = fragment(p, 1, 2, UINT64_MAX);
    mnt_test_i64(mnt_hls_clock(p, k, &init), MNT_HLS_CLOCK_NONE, "too many",
                 "us");
    k = fragment(p, 0, 3, 1500);
    mnt_test_i64(mnt_hls_clock(p, k, &init), MNT_HLS_CLOCK_NONE,
                 "of another track", "us");

    /* whatever is cut off */

    k = fragment(p, 1, 2, 1500);

    for (n = 0; n < k; n++) {
        (void) mnt_hls_clock(p, n, &init);
    }

    k = section(p, 1, 7, 48000);

    for (n = 0; n < k; n++) {
        mnt_hls_clock_init(&init, p, n);
    }

    mnt_hls_clock_init(&init, p, k);
    mnt_test_i64(init.id[0], 7, "version 1", "id");
    mnt_test_i64(init.scale[0], 48000, "version 1", "scale");

    section(p, 0, 2, 0);
    mnt_hls_clock_init(&init, p, 512);
    k = fragment(p, 0, 2, 1500);
    mnt_test_i64(mnt_hls_clock(p, k, &init), MNT_HLS_CLOCK_NONE, "no scale",
                 "us");

    memset(p, 0, sizeof(p));
    mnt_hls_clock_init(&init, p, sizeof(p));
    mnt_test_i64(init.n, 0, "zeros", "tracks");
}


static void
jumps(void **state)
{
    size_t  i;

    static const struct {
        const char  *name;
        int64_t      before, now, duration;
        int          jumps;
    } rows[] = {
        { "on", 10000000, 12000000, 2000000, 0 },
        { "a little back", 10000000, 9600000, 2000000, 0 },
        { "back", 10000000, 9000000, 2000000, 1 },
        { "to the begin", 100000000, 0, 2000000, 1 },
        { "one is missing", 10000000, 14000000, 2000000, 0 },
        { "ahead", 10000000, 15500000, 2000000, 1 },
        { "by itself", 95443000000, 1280000, 2000000, 0 },
        { "by itself, and ahead", 95443000000, 9000000, 2000000, 1 },
        { "unknown", MNT_HLS_CLOCK_NONE, 9000000, 2000000, 0 },
        { "not known any more", 9000000, MNT_HLS_CLOCK_NONE, 2000000, 0 },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mnt_test_i64(mnt_hls_clock_jumps(rows[i].before, rows[i].now,
                                         rows[i].duration),
                     rows[i].jumps, rows[i].name, "jumps");
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(transport),
        cmocka_unit_test(fragmented),
        cmocka_unit_test(jumps)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
