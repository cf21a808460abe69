
/*
 * Copyright (C) the mntreamer authors
 *
 * What was read is written and read again as the same moment; waits stay
 * within their limits; ladders are as they were typed.
 */


#include "mnt_fuzz.h"

#include "base/mnt_backoff.h"
#include "base/mnt_date.h"


static void
backoff(mnt_str_t s)
{
    int64_t        ms;
    mnt_backoff_t  b;

    b.n = 0;
    b.total = 0;

    if (mnt_backoff_add(&b, s) == NULL) {
        mnt_fuzz_hold(b.n == 1 && b.total >= 1 && b.total <= 1000);

        ms = mnt_backoff_next(&b, s.len, 7, 0);
        mnt_fuzz_hold(ms >= 100 && ms <= 7 * 24 * 3600 * (int64_t) 1000);

    } else {
        mnt_fuzz_hold(b.n == 0 && b.total == 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    char        buf[MNT_DATE_LEN + 1];
    int         zone;
    int64_t     ms, wait;
    mnt_str_t   s;
    mnt_date_t  d;

    s = mnt_fuzz_str(in, len);

    ms = mnt_date_parse(s, 9 * 3600, &zone);

    if (ms != MNT_DATE_NONE) {
        mnt_date_civil(ms, 0, &d);
        mnt_fuzz_hold(d.month >= 1 && d.month <= 12);
        mnt_fuzz_hold(d.day >= 1 && d.day <= 31);

        /* a zone may push the first and last day out of the four digits */

        if (d.year > 0 && d.year < 9999) {
            mnt_fuzz_hold(mnt_date_write(ms, buf, sizeof(buf))
                          == MNT_DATE_LEN);
            mnt_fuzz_hold(mnt_date_parse(mnt_str_c(buf), 0, &zone) == ms);
            mnt_fuzz_hold(zone == 1);
        }
    }

    mnt_fuzz_hold(mnt_date_http(s) >= -1);

    wait = mnt_date_retry_after(s, 1790508525007, 1234);
    mnt_fuzz_hold(wait == 1234 || (wait >= 1000 && wait <= 900000));

    if (len == sizeof(ms)) {
        memcpy(&ms, in, sizeof(ms));
        mnt_fuzz_hold(mnt_date_write(ms, buf, sizeof(buf)) == MNT_DATE_LEN);
        mnt_fuzz_hold(mnt_date_parse(mnt_str_c(buf), 0, &zone)
                      != MNT_DATE_NONE);
    }

    backoff(s);

    return 0;
}
