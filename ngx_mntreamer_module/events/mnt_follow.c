
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_follow.h"

#include <stdio.h>

#include "../base/mnt_url.h"


static const char  *mnt_follow_words[] = { "told", "refused", "unknown" };


mnt_follow_outcome_e
mnt_follow_outcome(unsigned http, int sent)
{
    if (http / 100 == 2) {
        return MNT_FOLLOW_TOLD;
    }

    return (http || !sent) ? MNT_FOLLOW_REFUSED : MNT_FOLLOW_UNKNOWN;
}


const char *
mnt_follow_word(mnt_follow_outcome_e outcome)
{
    return mnt_follow_words[outcome <= MNT_FOLLOW_UNKNOWN
                            ? outcome : MNT_FOLLOW_UNKNOWN];
}


size_t
mnt_follow_shown(mnt_str_t url, char *buf, size_t size)
{
    int        n;
    mnt_url_t  u;

    if (size == 0) {
        return 0;
    }

    buf[0] = '\0';

    if (mnt_url_parse(url, &u) != 0) {
        return 0;
    }

    n = snprintf(buf, size, u.ipv6 ? "%.*s://[%.*s]:%u" : "%.*s://%.*s:%u",
                 (int) u.scheme.len, u.scheme.data, (int) u.host.len,
                 u.host.data, (unsigned) u.port);

    if (n < 0) {
        buf[0] = '\0';
        return 0;
    }

    return (size_t) n < size ? (size_t) n : size - 1;
}
