
/*
 * Copyright (C) the mntreamer authors
 *
 * Two lines, base and reference.  What a join gives is an http(s) URL without
 * dot segments that joins to itself; a redacted URL shows neither query nor
 * token nor control character.
 */


#include "mnt_fuzz.h"

#include "base/mnt_str.h"
#include "base/mnt_url.h"


static int
holds(mnt_str_t s, const char *part)
{
    const char  *p;

    while (s.len && (p = memchr(s.data, part[0], s.len)) != NULL) {
        s.len -= (size_t) (p - s.data);
        s.data = p;

        if (mnt_str_starts(s, part)) {
            return 1;
        }

        s.data++;
        s.len--;
    }

    return 0;
}


static void
redact(mnt_str_t url)
{
    char       buf[512];
    size_t     i, n;
    mnt_str_t  s;

    n = mnt_url_redact(url, buf, sizeof(buf));
    mnt_fuzz_hold(n < sizeof(buf) && buf[n] == '\0' && strlen(buf) == n);

    for (i = 0; i < n; i++) {
        mnt_fuzz_hold(buf[i] >= ' ' && buf[i] < 0x7f);
    }

    /* a host may be called hmac, a segment of the path is not shown */

    s = mnt_str_c(strstr(buf, "//") ? strstr(buf, "//") + 2 : buf);

    while (s.data != buf && s.len && s.data[0] != '/') {
        s.data++;
        s.len--;
    }

    mnt_fuzz_hold(!holds(s, "hmac") && !holds(s, "hdntl"));
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    mnt_str_t    base, ref, url, again;
    mnt_url_t    u;
    mnt_arena_t  a;

    ref = mnt_fuzz_str(in, len);
    base = mnt_fuzz_split(&ref);

    mnt_arena_init(&a, 1 << 20);

    redact(base);
    redact(ref);
    (void) mnt_url_expires(ref);
    (void) mnt_url_identity(ref);

    url = mnt_url_join(&a, base, ref);

    if (url.data) {
        mnt_fuzz_hold(url.len <= MNT_URL_MAX);
        mnt_fuzz_hold(mnt_url_parse(url, &u) == 0);
        mnt_fuzz_hold(u.host.len > 0);
        mnt_fuzz_hold(u.port > 0 && u.port <= 65535);
        mnt_fuzz_hold(!holds(u.path, "/../") && !holds(u.path, "/./"));
        mnt_fuzz_hold(!mnt_str_ends(u.path, "/..")
                      && !mnt_str_ends(u.path, "/."));
        mnt_fuzz_hold(!holds(url, "#"));

        again = mnt_url_join(&a, url, url);
        mnt_fuzz_hold(again.data == NULL || mnt_str_eq(again, url));

        again = mnt_url_join(&a, url, mnt_str_c(""));
        mnt_fuzz_hold(again.data && mnt_str_eq(again, url));
    }

    mnt_arena_free(&a);

    mnt_arena_init(&a, mnt_str_hash(ref) % 256);
    again = mnt_url_join(&a, base, ref);
    mnt_fuzz_hold(again.data == NULL || url.data != NULL);
    mnt_arena_free(&a);

    return 0;
}
