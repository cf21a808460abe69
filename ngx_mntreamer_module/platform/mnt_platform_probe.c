
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_platform_probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


#define MNT_PROBE_REASON  160                 /* bytes of a reason, with NUL */


static mnt_probe_outcome_e mnt_platform_probe_refused(unsigned http);


static const char  *const mnt_probe_names[] = {
    "offline",
    "live",
    "live-not-playable",
    "not-live",
    "unknown-channel",
    "transient-error",
    "rate-limited",
    "error",
    "malformed",
    "access-denied",
    "token-expired-or-denied"
};


const char *
mnt_probe_name(mnt_probe_outcome_e outcome)
{
    if ((unsigned) outcome >= MNT_PROBE_MAX) {
        return "unknown";
    }

    return mnt_probe_names[outcome];
}


int
mnt_probe_conclusive(mnt_probe_outcome_e outcome)
{
    switch (outcome) {

    case MNT_PROBE_OFFLINE:
    case MNT_PROBE_LIVE:
    case MNT_PROBE_LIVE_NOT_PLAYABLE:
    case MNT_PROBE_NOT_LIVE:
    case MNT_PROBE_UNKNOWN_CHANNEL:
        return 1;

    default:
        return 0;
    }
}


void
mnt_platform_probe_init(mnt_probe_t *probe)
{
    memset(probe, 0, sizeof(mnt_probe_t));

    probe->outcome = MNT_PROBE_MALFORMED;
    probe->opened_ms = -1;
    probe->closed_ms = -1;
    probe->viewers = -1;
}


void
mnt_platform_probe_set(mnt_arena_t *a, mnt_probe_t *probe,
    mnt_probe_outcome_e outcome, const char *fmt, ...)
{
    int        n;
    char       text[MNT_PROBE_REASON];
    va_list    args;
    mnt_str_t  reason;

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    probe->outcome = outcome;
    reason = mnt_arena_dup(a, mnt_str_c(n < 0 ? "" : text));
    probe->reason = reason.data ? reason : mnt_str_c("no memory");
}


/* what a status says that is neither 200 nor absent */

static mnt_probe_outcome_e
mnt_platform_probe_refused(unsigned http)
{
    switch (http) {

    case 401:
    case 403:
    case 451:
        return MNT_PROBE_ACCESS_DENIED;

    case 408:
    case 425:
        return MNT_PROBE_TRANSIENT;

    case 429:
        return MNT_PROBE_RATE_LIMITED;

    default:
        break;
    }

    if (http >= 500) {
        return MNT_PROBE_TRANSIENT;
    }

    return http < 300 ? MNT_PROBE_MALFORMED : MNT_PROBE_ERROR;
}


int
mnt_platform_probe_http(mnt_arena_t *a, const mnt_platform_answer_t *answer,
    mnt_probe_t *probe)
{
    mnt_str_t            why;
    mnt_probe_outcome_e  outcome;

    if (answer->http == 200) {
        return 1;
    }

    if (answer->http == 0) {
        why = answer->transport;

        if (why.len == 0) {
            why = mnt_str_c("no answer");
        }

        mnt_platform_probe_set(a, probe, MNT_PROBE_TRANSIENT, "%.*s",
                               (int) (why.len > MNT_PROBE_REASON
                                      ? MNT_PROBE_REASON : why.len),
                               why.data);
        return 0;
    }

    outcome = mnt_platform_probe_refused(answer->http);

    /* a 503 may say when to come back as well as a 429 */

    if (outcome == MNT_PROBE_RATE_LIMITED || outcome == MNT_PROBE_TRANSIENT) {
        probe->retry_after_ms = mnt_date_retry_after(answer->retry_after,
                                                     answer->now_ms, 0);
    }

    mnt_platform_probe_set(a, probe, outcome, "http-%u", answer->http);

    return 0;
}
