
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_RECORDER_INTERNAL_H_INCLUDED_
#define _NGX_MNTREAMER_RECORDER_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "mnt_recorder.h"
#include "mnt_ladder.h"
#include "../loop/ngx_mntreamer_watch.h"


#define NGX_MNTREAMER_RECORDER_SLAB    (128 * 1024)
#define NGX_MNTREAMER_RECORDER_SPARE   256    /* segments kept for reuse */
#define NGX_MNTREAMER_RECORDER_SPARE_URL  1024
#define NGX_MNTREAMER_RECORDER_AHEAD   32     /* fetched, waiting their turn */
#define NGX_MNTREAMER_SESSION_LOOKS    4      /* kept until it begins */
#define NGX_MNTREAMER_SESSION_START    20000
#define NGX_MNTREAMER_RECORDER_KEYS    16     /* of a session, kept */
#define NGX_MNTREAMER_RECORDER_LONGEST 200000 /* segments, 4 days and more;
                                                 019-longest.sql knows it */
#define NGX_MNTREAMER_RECORDER_PROGRAMS  1    /* of a worker, at once */
#define NGX_MNTREAMER_RECORDER_KEYS_MAX  512  /* that segments wait for */


typedef struct ngx_mntreamer_session_s    ngx_mntreamer_session_t;
typedef struct ngx_mntreamer_rendition_s  ngx_mntreamer_rendition_t;
typedef struct ngx_mntreamer_segment_s    ngx_mntreamer_segment_t;
typedef struct ngx_mntreamer_key_s        ngx_mntreamer_key_t;


/* a text that changes: its memory is kept and grows */

typedef struct {
    size_t                       len;
    u_char                      *data;        /* owned */
    size_t                       size;
} ngx_mntreamer_text_t;


typedef enum {
    NGX_MNTREAMER_SESSION_FINDING = 0,        /* for what lies on the disk */
    NGX_MNTREAMER_SESSION_ASKING,             /* taken over: is it live? */
    NGX_MNTREAMER_SESSION_MASTER,             /* for the first playlist */
    NGX_MNTREAMER_SESSION_MEDIA,              /* for the variant's playlist */
    NGX_MNTREAMER_SESSION_OPENING,            /* for the database */
    NGX_MNTREAMER_SESSION_TRACKS,             /* for the storage's tracks */
    NGX_MNTREAMER_SESSION_RUNNING,
    NGX_MNTREAMER_SESSION_ENDING,             /* for what is queued */
    NGX_MNTREAMER_SESSION_CLOSING,            /* for the tracks to close */
    NGX_MNTREAMER_SESSION_GONE                /* for callbacks, then freed */
} ngx_mntreamer_session_state_e;

typedef enum {
    NGX_MNTREAMER_SEGMENT_QUEUED = 0,         /* waits for its turn to fetch */
    NGX_MNTREAMER_SEGMENT_KEY,                /* for its key */
    NGX_MNTREAMER_SEGMENT_MAKING,             /* for ffmpeg, of a rung */
    NGX_MNTREAMER_SEGMENT_FETCHING,           /* for the transfer */
    NGX_MNTREAMER_SEGMENT_WAITING,            /* for the next try */
    NGX_MNTREAMER_SEGMENT_RENEWING,           /* for a fresh URL */
    NGX_MNTREAMER_SEGMENT_FETCHED,            /* for its turn to commit */
    NGX_MNTREAMER_SEGMENT_STORING,            /* for the storage */
    NGX_MNTREAMER_SEGMENT_LOST                /* for its turn to be noted */
} ngx_mntreamer_segment_state_e;

typedef enum {
    NGX_MNTREAMER_SEGMENT_MEDIA = 0,
    NGX_MNTREAMER_SEGMENT_MAP,
    NGX_MNTREAMER_SEGMENT_HOLE                /* "count" that cannot be had */
} ngx_mntreamer_segment_kind_e;

typedef enum {
    NGX_MNTREAMER_KEY_EMPTY = 0,              /* waits for the next try */
    NGX_MNTREAMER_KEY_FETCHING,
    NGX_MNTREAMER_KEY_READY
} ngx_mntreamer_key_state_e;


struct ngx_mntreamer_recorder_s {
    const ngx_mntreamer_recorder_conf_t  *conf;      /* alias */
    ngx_mntreamer_recorder_deps_t         deps;
    ngx_mntreamer_curl_t                 *curl;      /* alias, as below */
    ngx_mntreamer_storage_t              *st;
    ngx_mntreamer_catalog_t              *cat;
    ngx_mntreamer_metrics_t              *metrics;
    ngx_log_t                            *log;
    ngx_mntreamer_children_t             *children;  /* owned; NULL: no
                                                        renditions are made */

    ngx_queue_t                           sessions;
    ngx_uint_t                            count;     /* without GONE ones */

    ngx_queue_t                           spare;     /* segments */
    ngx_uint_t                            nspare;

    /* memory of one playlist at a time: what was parsed is copied at once */

    mnt_arena_t                           arena;
    u_char                               *slab;      /* owned */
    u_char                               *slab_pos;
    ngx_queue_t                           pages;     /* beyond the slab */
    mnt_arena_t                           urls;      /* of one segment */

    ngx_mntreamer_ident_t                 ident;
    ngx_event_t                           guard;     /* end of the drain */
    void                                (*drained)(void *data);
    void                                 *drained_data;  /* alias */
    unsigned                              draining:1;
};


struct ngx_mntreamer_key_s {
    ngx_queue_t                  queue;
    ngx_mntreamer_session_t     *session;     /* alias */
    ngx_mntreamer_transfer_t    *transfer;    /* owned while in flight */
    ngx_mntreamer_text_t         url;
    uint64_t                     hash;        /* of the URL */
    ngx_uint_t                   state;       /* key_state_e */
    ngx_uint_t                   refs;
    ngx_uint_t                   tries;
    ngx_msec_t                   retry_at;
    u_char                       bytes[16];
};


struct ngx_mntreamer_segment_s {
    ngx_queue_t                  queue;
    ngx_mntreamer_rendition_t   *rendition;   /* alias */
    ngx_mntreamer_transfer_t    *transfer;    /* owned while in flight */
    ngx_mntreamer_part_t        *part;        /* owned until committed */
    ngx_mntreamer_key_t         *key;         /* counted, or NULL */
    ngx_mntreamer_text_t         url;

    ngx_uint_t                   kind;        /* segment_kind_e */
    ngx_uint_t                   state;       /* segment_state_e */
    mnt_hls_range_t              range;
    u_char                       iv[16];

    uint32_t                     epoch;
    mnt_hls_seen_t               seen;        /* of a map: its first user's */
    int64_t                      duration_us; /* of a hole: all of it */
    uint64_t                     discontinuity;
    uint64_t                     count;       /* of a hole */
    uint32_t                     map;         /* needed; of a map: its own */

    ngx_uint_t                   cause;       /* why it may become lost */
    ngx_uint_t                   tries;
    ngx_uint_t                   renewal;     /* its URL is as new as that */
    ngx_msec_t                   retry_at;
    ngx_msec_t                   deadline;

    unsigned                     discontinuous:1;
    unsigned                     clear:1;     /* taken as it is for now */
};


/* what is made of an own broadcast beside it */

typedef struct {
    unsigned                     heights[MNT_LADDER_MAX];   /* of the rungs */
    unsigned                     n;
    mnt_ladder_source_t          source;
    ngx_mntreamer_child_t       *child;       /* owned while it runs */
    ngx_mntreamer_live_t        *look;        /* alike, at what is stored */
    uint64_t                     number;      /* of the segment that is next */
    ngx_uint_t                   tries;       /* of it */
    ngx_msec_t                   retry_at;
    ngx_msec_t                   asked_ms;    /* of ffprobe */
    ngx_msec_t                   begun_ms;    /* the first segment is there */
    uint64_t                     bandwidth[1 + MNT_LADDER_MAX];  /* as the
                                                 playlist has it; 0: not */
    ngx_uint_t                   linked;      /* not told yet */
    ngx_msec_t                   told_ms;
    uint64_t                     asked;       /* about that segment */
    ngx_uint_t                   asks;
    unsigned                     known:1;     /* ffprobe was asked */
    unsigned                     missing:1;   /* no playlist tells of them */
    unsigned                     taken:1;     /* what was before is unknown */
    unsigned                     again:1;     /* look at what is stored */
    unsigned                     hurried:1;   /* nothing more is made */
    unsigned                     failed:1;    /* was told */
} ngx_mntreamer_ladder_t;


/* one media playlist of a session and the track it is stored in */

struct ngx_mntreamer_rendition_s {
    ngx_mntreamer_session_t     *session;     /* alias */
    ngx_uint_t                   index;       /* 0: the main one */
    ngx_uint_t                   height;      /* of a rung, else 0 */
    uint64_t                     peak;        /* bits a second of a segment */
    ngx_mntreamer_ident_t        ident;
    ngx_event_t                  reload;
    ngx_event_t                  work;        /* retries and deadlines */

    ngx_mntreamer_track_t       *track;       /* owned */
    ngx_mntreamer_transfer_t    *load;        /* owned while in flight */
    ngx_mntreamer_live_t        *look;        /* alike, of a local source */
    ngx_mntreamer_stamp_t        stamp;       /* of the last look */
    ngx_uint_t                   looks;       /* without news, in a row */
    ngx_uint_t                   begun;       /* :1; with its first picture */
    ngx_str_t                    name;        /* pool of session, as prefix */
    ngx_str_t                    prefix;
    ngx_str_t                    audio;       /* NAME of an audio rendition */
    ngx_str_t                    language;
    unsigned                     labelled:1;
    unsigned                     is_default:1;
    unsigned                     autoselect:1;
    unsigned                     locked:1;    /* its latest segments have no
                                                 key that could be had */
    ngx_mntreamer_text_t         url;

    mnt_hls_window_t             window;
    int64_t                      target_ms;
    ngx_msec_t                   load_ms;     /* start of the last load */
    ngx_msec_t                   failing_ms;  /* first failure in a row */
    ngx_uint_t                   failures;    /* loads in a row */
    ngx_uint_t                   renewal;     /* of the session, at the load */
    int64_t                      renew_s;     /* wall time, -1: never */
    int64_t                      ahead_s;     /* of the URL's end */
    int64_t                      last_ms;     /* wall time of its last entry */
    ngx_uint_t                   open_rc;     /* the last store_rc_e, told */
    uint64_t                     hole;        /* files the recovery missed */
    int64_t                      hole_us;
    int64_t                      hole_at_us;

    ngx_queue_t                  segments;    /* in order of the stream */
    ngx_uint_t                   queued;      /* of them */
    size_t                       queued_bytes;       /* their URLs */
    ngx_uint_t                   fetching;
    ngx_uint_t                   ahead;       /* fetched, not committed */
    ngx_mntreamer_segment_t     *storing;     /* alias */

    uint64_t                     map_hash;    /* of the last one queued */
    uint32_t                     map_last;    /* number of it */
    uint32_t                     map_stored;
    uint64_t                     map_file;    /* its number on the disk */
    ngx_uint_t                   map_cause;

    /* what is lost since the last entry */

    uint64_t                     lost_first;
    uint64_t                     lost_count;
    int64_t                      lost_us;
    ngx_uint_t                   lost_cause;
    ngx_uint_t                   lost_number; /* of the gap; 0: none open */
    uint64_t                     gaps;        /* of this track */

    uint64_t                     segments_total;
    int64_t                      bytes_total;
    int64_t                      duration_us;

    unsigned                     opened:1;
    unsigned                     resumed:1;   /* until the first plan */
    unsigned                     discontinuous:1;   /* the next entry */
    unsigned                     refused:1;   /* no loads until a renewal */
    unsigned                     ended:1;
    unsigned                     unsure:1;    /* the gap may have no row */
};


struct ngx_mntreamer_session_s {
    ngx_queue_t                  queue;
    ngx_mntreamer_recorder_t    *rec;         /* alias */
    ngx_pool_t                  *pool;        /* owned, holds this too */
    ngx_log_t                   *log;         /* alias */
    ngx_mntreamer_ident_t        ident;
    ngx_event_t                  tick;
    ngx_event_t                  post;        /* runs when all has returned */

    ngx_uint_t                   state;       /* session_state_e */
    ngx_msec_t                   since;

    int64_t                      streamer_id;
    int64_t                      epoch;
    ngx_int_t                    platform;
    const char                  *platform_name;
    ngx_str_t                    channel_id;  /* pool */
    ngx_str_t                    label;       /* pool; it without secrets */
    uint64_t                     starts;      /* that failed before */
    ngx_str_t                    user_agent;  /* alias, as those below */
    ngx_str_t                    proxy;
    ngx_str_t                    api;
    ngx_str_t                    cookies;     /* never logged */

    ngx_mntreamer_text_t         broadcast_id;
    ngx_mntreamer_text_t         quality;     /* the wish; then what was had */
    ngx_mntreamer_text_t         channel_name;
    ngx_mntreamer_text_t         title;
    ngx_mntreamer_text_t         category;
    ngx_mntreamer_text_t         image;
    int64_t                      opened_ms;
    int64_t                      viewers;

    int64_t                      recording_id;
    ngx_str_t                    path;        /* pool */

    /* the first playlist; a renewal loads it again */

    ngx_mntreamer_text_t         source;
    ngx_mntreamer_text_t         first;       /* the media playlist that was
                                                 seen before the row was had */
    ngx_mntreamer_text_t         first_base;  /* its URL */
    ngx_msec_t                   first_ms;
    ngx_mntreamer_text_t         looks[NGX_MNTREAMER_SESSION_LOOKS];
                                              /* of a local one: each goes on
                                                 where the one before ends */
    uint64_t                     looks_end[NGX_MNTREAMER_SESSION_LOOKS];
    ngx_uint_t                   nlooks;
    int                          pictures[2]; /* in the first two fragments */
    ngx_mntreamer_text_t         earlier;     /* of a local one: what may be
                                                 left of the one before it */
    ngx_mntreamer_transfer_t    *master;      /* owned while in flight */
    ngx_mntreamer_live_t        *look;        /* alike, of a local source */
    ngx_uint_t                   tries;
    ngx_msec_t                   retry_at;

    ngx_mntreamer_find_t        *finding;     /* alike */

    void                        *asking;      /* owned while in flight */
    mnt_recorder_end_t           end;
    ngx_uint_t                   asked;       /* questions, ever */
    ngx_uint_t                   renewed;     /* renewals, ever */
    ngx_uint_t                   renewals;    /* in a row without a segment */
    ngx_msec_t                   renewed_ms;

    ngx_mntreamer_rendition_t   *renditions;  /* pool */
    ngx_uint_t                   nrenditions;
    ngx_uint_t                   found;       /* tracks on the disk */
    ngx_uint_t                   opening;     /* tracks */
    ngx_uint_t                   closing;     /* tracks */
    uint32_t                     target_s;
    mnt_hls_variant_t            variant;     /* texts in the pool */

    ngx_mntreamer_ladder_t       ladder;

    ngx_queue_t                  keys;
    ngx_uint_t                   nkeys;
    ngx_uint_t                   key_fetches; /* under way */
    ngx_msec_t                   key_told_ms; /* the last line about them */

    uint64_t                     gaps;
    int64_t                      lost_us;
    uint64_t                     untold;      /* lost, not logged yet */
    uint64_t                     untold_first;
    ngx_uint_t                   untold_cause;
    ngx_msec_t                   told_ms;

    int64_t                      ended_ms;    /* wall clock, 0: when closed */
    ngx_msec_t                   unclosed_ms; /* first try that failed */
    ngx_msec_t                   unclosed_told_ms;
    const char                  *over;        /* why it ends */
    const char                  *trouble;     /* why it does not start */
    int64_t                      next_ms;     /* until it is asked about */

    unsigned                     local:1;     /* it is sent to us */
    unsigned                     resume:1;    /* taken over, or reopened */
    unsigned                     multi:1;     /* tracks beside index.m3u8 */
    unsigned                     recorded:1;  /* there is a row */
    unsigned                     wanted:1;    /* fresh URLs */
    unsigned                     check:1;     /* is it another broadcast? */
    unsigned                     detail:1;    /* of the question under way */
    unsigned                     pending:1;   /* a callback for the row */
    unsigned                     taken:1;     /* another writer is there */
    unsigned                     gone:1;      /* its directory is elsewhere, or
                                                 nowhere */
    unsigned                     stored:1;    /* what is gone on with has
                                                 segments, says its row */
    unsigned                     stuck:1;     /* a drain must drop some more */
    unsigned                     hurried:1;   /* an end gave up the rest */
    unsigned                     unclosed:1;  /* a try for ENDLIST failed */
    unsigned                     fresh:1;     /* the first recording of an own
                                                 broadcast */
    unsigned                     unreached:1; /* no answer to the last load */
    unsigned                     denied:1;    /* was told to the catalogue */
    unsigned                     encrypted:1; /* the same */
    unsigned                     carded:1;    /* the directory tells of it */
};


/* ngx_mntreamer_recorder.c */

ngx_int_t ngx_mntreamer_text_set(ngx_mntreamer_text_t *text,
    const void *data, size_t len);
void ngx_mntreamer_text_free(ngx_mntreamer_text_t *text);
mnt_arena_t *ngx_mntreamer_recorder_arena(ngx_mntreamer_recorder_t *rec);
/* what was made of it before is gone */
mnt_arena_t *ngx_mntreamer_recorder_urls(ngx_mntreamer_recorder_t *rec);
void ngx_mntreamer_recorder_event(ngx_event_t *ev,
    ngx_event_handler_pt handler, ngx_mntreamer_ident_t *ident,
    ngx_log_t *log);
/* (re)arms a timer; "ms" is cut to what makes sense */
void ngx_mntreamer_recorder_arm(ngx_event_t *ev, int64_t ms);
void ngx_mntreamer_recorder_disarm(ngx_event_t *ev);
void ngx_mntreamer_recorder_left(ngx_mntreamer_recorder_t *rec);


/* ngx_mntreamer_recorder_card.c: a segment was listed */

void ngx_mntreamer_session_card(ngx_mntreamer_session_t *s);


/* ngx_mntreamer_recorder_session.c */

extern const char *ngx_mntreamer_session_names[];

ngx_mntreamer_session_t *ngx_mntreamer_session_create(
    ngx_mntreamer_recorder_t *rec, const ngx_mntreamer_claim_t *claim,
    const mnt_probe_t *probe);
/* frees it, or leaves it to a callback that must come */
void ngx_mntreamer_session_drop(ngx_mntreamer_session_t *s);
void ngx_mntreamer_session_destroy(ngx_mntreamer_session_t *s);
void ngx_mntreamer_session_to(ngx_mntreamer_session_t *s, ngx_uint_t next);
/* runs it soon, not from here */
void ngx_mntreamer_session_wake(ngx_mntreamer_session_t *s);
void ngx_mntreamer_session_run(ngx_mntreamer_session_t *s);
void ngx_mntreamer_session_end(ngx_mntreamer_session_t *s, const char *why,
    int64_t next_ms);
/* it is over and nothing was opened; the session is gone behind it */
void ngx_mntreamer_session_unrecorded(ngx_mntreamer_session_t *s);
void ngx_mntreamer_session_drain(ngx_mntreamer_session_t *s);
/* its directory was taken away: it ends, a new recording may begin */
void ngx_mntreamer_session_gone(ngx_mntreamer_session_t *s);
/* a request as the platform wants it, without URL and limits */
void ngx_mntreamer_session_request(ngx_mntreamer_session_t *s,
    ngx_mntreamer_request_t *req);
void ngx_mntreamer_session_tell(ngx_mntreamer_session_t *s,
    ngx_uint_t outcome, const char *reason, ngx_uint_t keep);
/* its state is as old as that */
ngx_uint_t ngx_mntreamer_session_past(ngx_mntreamer_session_t *s,
    ngx_msec_t ms);
void ngx_mntreamer_session_progress(ngx_mntreamer_session_t *s);
void ngx_mntreamer_session_numbers(ngx_mntreamer_session_t *s,
    ngx_mntreamer_progress_t *progress);


/* ngx_mntreamer_recorder_close.c: the states ENDING and CLOSING */

void ngx_mntreamer_session_ending(ngx_mntreamer_session_t *s);
void ngx_mntreamer_session_closing(ngx_mntreamer_session_t *s);
/* it is over, but got no end, because of a store_rc_e: when to try again */
void ngx_mntreamer_session_unclosed(ngx_mntreamer_rendition_t *r,
    ngx_uint_t rc);


/* ngx_mntreamer_recorder_ask.c */

/* of a segment: asks for fresh URLs where that may help */
ngx_uint_t ngx_mntreamer_session_unserved(ngx_mntreamer_session_t *s,
    ngx_uint_t http, ngx_uint_t tries);
void ngx_mntreamer_session_ask(ngx_mntreamer_session_t *s, ngx_uint_t detail);
/* when the platform is to be asked next */
ngx_msec_t ngx_mntreamer_session_ask_at(ngx_mntreamer_session_t *s);
/* keeps what a probe tells of the broadcast */
ngx_int_t ngx_mntreamer_session_learn(ngx_mntreamer_session_t *s,
    const mnt_probe_t *probe);
void ngx_mntreamer_session_facts(ngx_mntreamer_session_t *s,
    ngx_mntreamer_facts_t *facts);


/* ngx_mntreamer_recorder_source.c */

/* loads the first playlist: to start, to go on, to renew */
void ngx_mntreamer_session_load(ngx_mntreamer_session_t *s);
/* the playlist of the variant, before anything is opened */
void ngx_mntreamer_session_media(ngx_mntreamer_session_t *s);
/* asks for fresh URLs before it can go on */
void ngx_mntreamer_session_renew(ngx_mntreamer_session_t *s);
/* begins with what was seen before there was a row */
void ngx_mntreamer_session_first(ngx_mntreamer_session_t *s);
/* an mnt_hls_rc_e; the result lives until the next parse of this worker */
ngx_uint_t ngx_mntreamer_session_parse(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_answer_t *answer, mnt_hls_playlist_t *p);
ngx_int_t ngx_mntreamer_session_renditions(ngx_mntreamer_session_t *s,
    ngx_uint_t n);


/* ngx_mntreamer_recorder_find.c: the state FINDING */

void ngx_mntreamer_session_finding(ngx_mntreamer_session_t *s);
void ngx_mntreamer_session_unfind(ngx_mntreamer_session_t *s);


/* ngx_mntreamer_recorder_open.c */

/* asks the database for a row and a path */
void ngx_mntreamer_session_open(ngx_mntreamer_session_t *s);
/* rows of the last gaps of a track, whose place among the tracks is "i" */
void ngx_mntreamer_session_gaps(ngx_mntreamer_session_t *s, ngx_uint_t i,
    const ngx_str_t *name, const ngx_mntreamer_track_state_t *state);
/* opens the tracks that are not open; runs it when all are */
void ngx_mntreamer_session_tracks(ngx_mntreamer_session_t *s);


/* ngx_mntreamer_recorder_rendition.c */

void ngx_mntreamer_rendition_init(ngx_mntreamer_session_t *s, ngx_uint_t i);
/* the names of its track, once it is known whether there are others */
ngx_int_t ngx_mntreamer_rendition_name(ngx_mntreamer_rendition_t *r);
/* what an audio rendition is called; it is found again by that */
ngx_int_t ngx_mntreamer_rendition_label(ngx_mntreamer_rendition_t *r,
    const mnt_hls_rendition_t *audio);
ngx_uint_t ngx_mntreamer_rendition_is(ngx_mntreamer_rendition_t *r,
    const mnt_hls_rendition_t *audio);
/* its line in our multivariant playlist */
void ngx_mntreamer_rendition_entry(ngx_mntreamer_rendition_t *r,
    mnt_arena_t *a, mnt_hls_rendition_t *audio);
void ngx_mntreamer_rendition_url(ngx_mntreamer_rendition_t *r, mnt_str_t url);
void ngx_mntreamer_rendition_start(ngx_mntreamer_rendition_t *r);
/* no more loads */
void ngx_mntreamer_rendition_stop(ngx_mntreamer_rendition_t *r);
/* drops what is queued; transfers and parts too */
void ngx_mntreamer_rendition_clear(ngx_mntreamer_rendition_t *r);
/* drops what is not being stored; the next recording may have it */
void ngx_mntreamer_rendition_drop(ngx_mntreamer_rendition_t *r);
/* keeps only what is under way; the rest is "lost" or dropped */
void ngx_mntreamer_rendition_settle(ngx_mntreamer_rendition_t *r,
    ngx_uint_t lost);
void ngx_mntreamer_rendition_failed(ngx_mntreamer_rendition_t *r,
    const char *why, ngx_uint_t http);
/* queues what is new; "base" is the URL that the playlist came from */
void ngx_mntreamer_rendition_plan(ngx_mntreamer_rendition_t *r,
    const mnt_hls_playlist_t *p, mnt_str_t base);
/* a fresh URL is there: loads it at once */
void ngx_mntreamer_rendition_renewed(ngx_mntreamer_rendition_t *r);


/* ngx_mntreamer_recorder_segment.c */

ngx_mntreamer_segment_t *ngx_mntreamer_segment_get(
    ngx_mntreamer_rendition_t *r, ngx_uint_t kind);
/* gives back one that is in no queue */
void ngx_mntreamer_segment_free(ngx_mntreamer_segment_t *sg);
/* unlinks it, cancels what it waits for */
void ngx_mntreamer_segment_put(ngx_mntreamer_segment_t *sg);
/* it cannot be had; "sg->cause" says why */
void ngx_mntreamer_segment_lose(ngx_mntreamer_segment_t *sg);
/* all of it is there and plausible */
void ngx_mntreamer_segment_fetched(ngx_mntreamer_segment_t *sg);
/* tries again later, or gives it up; "patient": as long as it may be there */
void ngx_mntreamer_segment_retry(ngx_mntreamer_segment_t *sg,
    ngx_uint_t cause, ngx_uint_t patient);
/* the storage did not take its bytes: "rc" is a store_rc_e */
void ngx_mntreamer_segment_unstored(ngx_mntreamer_segment_t *sg,
    ngx_uint_t rc);
/* starts what can be started, commits what can be committed */
void ngx_mntreamer_rendition_run(ngx_mntreamer_rendition_t *r);
/* queues a new segment, its map before it when that changed */
void ngx_mntreamer_rendition_queue(ngx_mntreamer_rendition_t *r,
    const mnt_hls_segment_t *seg, mnt_str_t base, ngx_msec_t deadline);
/* gives those that wait the URLs of a newer list */
void ngx_mntreamer_rendition_refresh(ngx_mntreamer_rendition_t *r,
    const mnt_hls_playlist_t *p, mnt_str_t base);
/* a hole behind what is queued; joined with the one before it */
void ngx_mntreamer_rendition_hole(ngx_mntreamer_rendition_t *r,
    ngx_uint_t cause, uint64_t first, uint64_t count, int64_t us);


/* ngx_mntreamer_recorder_live.c: sources that lie on this machine */

/* there is a first playlist: what it will become is known, too */
void ngx_mntreamer_session_known(ngx_mntreamer_session_t *s);
/* its renditions */
ngx_int_t ngx_mntreamer_session_local(ngx_mntreamer_session_t *s);
/* instead of ..._load() */
void ngx_mntreamer_session_look(ngx_mntreamer_session_t *s);
/* until it can begin: what is listed meanwhile is part of it */
void ngx_mntreamer_session_look_on(ngx_mntreamer_session_t *s);
/* begins with that */
void ngx_mntreamer_session_begin(ngx_mntreamer_session_t *s);
void ngx_mntreamer_session_looks_free(ngx_mntreamer_session_t *s);
void ngx_mntreamer_rendition_look(ngx_mntreamer_rendition_t *r);
/* instead of a transfer */
void ngx_mntreamer_segment_link(ngx_mntreamer_segment_t *sg);
/* where a segment is to be had; valid until the next one is asked for */
mnt_str_t ngx_mntreamer_segment_url(ngx_mntreamer_session_t *s, mnt_str_t base,
    mnt_str_t uri);
/* which broadcast it is now; 0: none is known here */
ngx_uint_t ngx_mntreamer_session_source(ngx_mntreamer_session_t *s,
    const mnt_probe_t *probe);
/* all of it was taken: its files go */
void ngx_mntreamer_session_sweep(ngx_mntreamer_session_t *s);


/* ngx_mntreamer_recorder_ladder.c */

void ngx_mntreamer_ladder_found(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_found_t *found);
void ngx_mntreamer_ladder_start(ngx_mntreamer_session_t *s);
void ngx_mntreamer_ladder_stop(ngx_mntreamer_session_t *s);
/* a segment of the source was stored */
void ngx_mntreamer_ladder_listed(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_segment_t *sg, const ngx_mntreamer_commit_t *commit,
    ngx_uint_t discontinuous);
void ngx_mntreamer_ladder_run(ngx_mntreamer_session_t *s);
/* there is no time to make more */
void ngx_mntreamer_ladder_hurry(ngx_mntreamer_session_t *s);
ngx_mntreamer_rendition_t *ngx_mntreamer_ladder_rung(
    ngx_mntreamer_session_t *s, ngx_uint_t i);
/* the first segment that nobody has begun with */
ngx_mntreamer_segment_t *ngx_mntreamer_ladder_next(
    ngx_mntreamer_rendition_t *r);
/* ffmpeg ended */
void ngx_mntreamer_ladder_made(void *data,
    const ngx_mntreamer_child_result_t *result);
/* "result" is NULL when it was not started */
void ngx_mntreamer_ladder_failed(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_child_result_t *result);


/* ngx_mntreamer_recorder_ladder_make.c */

/* asks what a fragment holds, then ..._known(); NGX_DECLINED: there is no
   ladder, or it is known */
ngx_int_t ngx_mntreamer_ladder_probe(ngx_mntreamer_session_t *s,
    mnt_str_t file);
/* the same of what was taken over without a playlist that tells of its rungs;
   NGX_DECLINED: there is one */
ngx_int_t ngx_mntreamer_ladder_ask(ngx_mntreamer_session_t *s);
/* one program for all rungs of the next segment; NGX_ERROR: not now */
ngx_int_t ngx_mntreamer_ladder_make(ngx_mntreamer_session_t *s);
/* writes the multivariant playlist where it has something new to say */
void ngx_mntreamer_ladder_index(ngx_mntreamer_session_t *s, ngx_uint_t last);


/* ngx_mntreamer_recorder_bound.c */

/* into the rendition's queue, at its end, and out of it */
void ngx_mntreamer_bound_insert(ngx_mntreamer_segment_t *sg);
void ngx_mntreamer_bound_remove(ngx_mntreamer_segment_t *sg);
/* another URL for one in the queue */
void ngx_mntreamer_bound_url(ngx_mntreamer_segment_t *sg, mnt_str_t url);
/* gives up the oldest beyond what may be queued */
void ngx_mntreamer_rendition_bound(ngx_mntreamer_rendition_t *r);


/* ngx_mntreamer_recorder_commit.c */

/* the key of a gap's row; tracks count apart, as their journals do */
#define ngx_mntreamer_gap_number(i, n)                                        \
    ((ngx_uint_t) (((uint64_t) (i) << 32) | (n)))

/* notes what is lost and stores what is next; both in order */
void ngx_mntreamer_rendition_commit(ngx_mntreamer_rendition_t *r);
/* tells the journal of a gap that nothing follows */
void ngx_mntreamer_rendition_trail(ngx_mntreamer_rendition_t *r);
/* logs what is lost; "now": without waiting for more */
void ngx_mntreamer_session_told(ngx_mntreamer_session_t *s, ngx_uint_t now);


/* ngx_mntreamer_recorder_key.c */

/* the key of a URI, counted; NULL: memory is gone, or there are too many */
ngx_mntreamer_key_t *ngx_mntreamer_key_get(ngx_mntreamer_session_t *s,
    mnt_str_t url);
void ngx_mntreamer_key_put(ngx_mntreamer_key_t *k);
/* fetches an EMPTY one; the renditions run when that has ended */
void ngx_mntreamer_key_start(ngx_mntreamer_key_t *k);
void ngx_mntreamer_keys_free(ngx_mntreamer_session_t *s);
/* 1 when what it encrypts can be read; NULL is no key */
ngx_uint_t ngx_mntreamer_key_readable(const mnt_hls_key_t *key);
/* tells once that a recording cannot be read */
void ngx_mntreamer_session_encrypted(ngx_mntreamer_session_t *s,
    const mnt_hls_key_t *key);
/* a segment was had: if something else was told to the catalogue, that */
void ngx_mntreamer_session_playable(ngx_mntreamer_session_t *s);


#endif /* _NGX_MNTREAMER_RECORDER_INTERNAL_H_INCLUDED_ */
