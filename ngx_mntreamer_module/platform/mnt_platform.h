
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_PLATFORM_H_INCLUDED_
#define _MNT_PLATFORM_H_INCLUDED_


#include "../base/mnt_arena.h"
#include "../base/mnt_date.h"


/*
 * A platform is a table of pure functions: which request to make, what an
 * answer means.  It never does I/O.  A new platform is one new file and one
 * line in mnt_platform.c.
 */


/* the words of shared states; also the text in the API and the metrics */

typedef enum {
    MNT_PROBE_OFFLINE = 0,                    /* offline */
    MNT_PROBE_LIVE,                           /* live */
    MNT_PROBE_LIVE_NOT_PLAYABLE,              /* live-not-playable */
    MNT_PROBE_NOT_LIVE,                       /* not-live: unknown word */
    MNT_PROBE_UNKNOWN_CHANNEL,                /* unknown-channel */
    MNT_PROBE_TRANSIENT,                      /* transient-error */
    MNT_PROBE_RATE_LIMITED,                   /* rate-limited */
    MNT_PROBE_ERROR,                          /* error */
    MNT_PROBE_MALFORMED,                      /* malformed */
    MNT_PROBE_ACCESS_DENIED,                  /* access-denied */
    MNT_PROBE_TOKEN_EXPIRED,                  /* token-expired-or-denied */
    MNT_PROBE_MAX
} mnt_probe_outcome_e;

const char *mnt_probe_name(mnt_probe_outcome_e outcome);

/* 1 for outcomes that say whether it is on air; an error never says so */
int mnt_probe_conclusive(mnt_probe_outcome_e outcome);


typedef enum {
    MNT_REQUEST_STATUS = 0,                   /* the cheap first question */
    MNT_REQUEST_DETAIL,                       /* playback and facts */
    MNT_REQUEST_CHANNEL,                      /* by id: does it exist */
    MNT_REQUEST_SEARCH                        /* channels by nickname */
} mnt_request_e;

typedef struct {
    mnt_str_t   api;                          /* no final slash; or null */
    mnt_str_t   user_agent;
    unsigned    has_cookies:1;                /* the glue adds them itself */
} mnt_platform_conf_t;

typedef struct {
    mnt_str_t   url;
    unsigned    api:1;                        /* an API host: cookies may go */
    unsigned    playlist:1;                   /* the answer is a playlist */
    mnt_str_t   headers[4];                   /* "Name: value", besides UA */
    unsigned    nheaders;
    size_t      max_bytes;
} mnt_platform_request_t;

typedef struct {
    unsigned    http;                         /* 0: none (see transport) */
    mnt_str_t   transport;                    /* why none: "timeout" */
    mnt_str_t   content_type;
    mnt_str_t   retry_after;                  /* header text or null */
    mnt_str_t   body;
    int64_t     now_ms;                       /* wall clock */
} mnt_platform_answer_t;

typedef struct {
    mnt_probe_outcome_e  outcome;
    mnt_str_t   reason;                       /* "adult", "region",
                                                 "membership", "unknown", or
                                                 the field or HTTP status
                                                 that was wrong; also of a
                                                 live one, as a warning */
    unsigned    more:1;                       /* ask MNT_REQUEST_DETAIL next */
    int64_t     retry_after_ms;               /* 0: none given */
    int64_t     call_period_ms;               /* 0: none given */

    /* facts; null or -1 when the answer has none */
    mnt_str_t   broadcast_id;                 /* liveId */
    mnt_str_t   title;
    mnt_str_t   category;
    mnt_str_t   channel_id;
    mnt_str_t   channel_name;
    mnt_str_t   image_url;                    /* {type} replaced by 480 */
    mnt_str_t   playlist_url;
    mnt_str_t   earlier_url;                  /* pushed: of the one before it
                                                 in its series, of which
                                                 something may be left */
    int64_t     opened_ms;
    int64_t     closed_ms;
    int64_t     viewers;
    unsigned    adult:1;
    unsigned    encrypted:1;                  /* media[].aes */
} mnt_probe_t;

typedef struct {
    mnt_str_t   channel_id;
    mnt_str_t   channel_name;
    mnt_str_t   image_url;
} mnt_channel_t;

typedef struct {
    const char  *name;                        /* "chzzk": the path component */
    int          id;                          /* 1: as in table platform */
    const char  *const *aliases;              /* NULL-terminated, UTF-8 */
    const char  *api;                         /* default base URL or NULL */

    /*
     * What a user typed (id, URL as copied from the browser, nickname) as the
     * channel id.  Returns 0 with *channel_id set; 1 when it is a nickname
     * that must be searched (*channel_id is it, cleaned, for SEARCH and for
     * lookup); -1 with *why when it is none.
     */
    int   (*channel)(mnt_arena_t *a, mnt_str_t typed, mnt_str_t *channel_id,
                     const char **why);

    /*
     * Fills the request.  Returns 0, or -1 when memory is gone, "kind" is not
     * known or "channel" is no id.  A platform with one question only gives it
     * for STATUS and DETAIL.
     */
    int   (*request)(mnt_arena_t *a, const mnt_platform_conf_t *conf,
                     mnt_request_e kind, mnt_str_t channel,
                     mnt_platform_request_t *req);

    /* reads the answer to STATUS or DETAIL; always fills *probe */
    void  (*probe)(mnt_arena_t *a, const mnt_platform_conf_t *conf,
                   mnt_request_e kind, mnt_str_t channel,
                   const mnt_platform_answer_t *answer, mnt_probe_t *probe);

    /*
     * Reads the answer to CHANNEL or SEARCH.  LIVE/OFFLINE: found, *ch filled
     * (search: exact match of the nickname first, else a single hit);
     * UNKNOWN_CHANNEL; else the error.  NULL when the platform has no lookup.
     */
    mnt_probe_outcome_e  (*lookup)(mnt_arena_t *a, mnt_request_e kind,
                     mnt_str_t wanted, const mnt_platform_answer_t *answer,
                     mnt_channel_t *ch, mnt_str_t *reason);

    /* page of the channel for people, or null */
    mnt_str_t  (*page)(mnt_arena_t *a, mnt_str_t channel_id);

    /* 1: what an answer of 200 to STATUS means is in its body alone */
    int          by_body;

    /* 1: it is sent to us, nobody is asked; request() refuses all */
    int          pushed;
} mnt_platform_t;


/* all platforms, in order of id; by index below "n" */
const mnt_platform_t *mnt_platform_at(unsigned i);
unsigned mnt_platform_count(void);

/* by name, alias (case of ASCII ignored) or number; NULL */
const mnt_platform_t *mnt_platform_find(mnt_str_t name);

/*
 * The platform and channel of an address copied from the browser
 * ("https://chzzk.naver.com/live/0123...", ".../video/..." is none); NULL.
 */
const mnt_platform_t *mnt_platform_of_url(mnt_arena_t *a, mnt_str_t url,
    mnt_str_t *channel_id);


#endif /* _MNT_PLATFORM_H_INCLUDED_ */
