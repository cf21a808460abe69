
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_CATALOG_H_INCLUDED_
#define _NGX_MNTREAMER_CATALOG_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "../base/mnt_backoff.h"
#include "../loop/ngx_mntreamer_pq.h"
#include "../metrics/ngx_mntreamer_metrics.h"


/*
 * All SQL.  A worker is an "engine" with a row; it owns streamers by leases
 * (owner, epoch, expiry by the database's clock).  Statements that carry an
 * epoch change nothing when it is no longer the row's: they are fenced.
 *
 * Two connections: one of the engine (claims, results, LISTEN), one for the
 * API.  At start: migrations under an advisory lock, the engine's row, what
 * dead engines of this node owned is set free, the streamers of nginx.conf are
 * upserted; then state(up) is called.  After a lost connection the same again.
 */


typedef struct ngx_mntreamer_catalog_s  ngx_mntreamer_catalog_t;
typedef struct ngx_mntreamer_ask_s      ngx_mntreamer_ask_t;


/* seconds: a century, which every date can be moved by */
#define NGX_MNTREAMER_KEEP_AGE_MAX  (100 * 365 * INT64_C(86400))

/* what is kept of recordings that are over; -1: any */

typedef struct {
    int64_t        age_s;                     /* of a streamer 0: any, too */
    int64_t        size;
    int64_t        count;
} ngx_mntreamer_keep_t;

/* a streamer of nginx.conf */

typedef struct {
    ngx_int_t      platform;                  /* id */
    ngx_str_t      channel_id;
    ngx_str_t      name;                      /* empty: none */
    ngx_str_t      quality;                   /* empty: platform's default */
    ngx_int_t      priority;
    ngx_str_t      keep;                      /* JSON, as in its row; or NULL:
                                                 no rules of its own */
} ngx_mntreamer_streamer_conf_t;

/* who is told about own broadcasts */

typedef struct {
    ngx_str_t      url;                       /* never logged */
    ngx_str_t      hash;                      /* of it, which rows have */
    ngx_str_t      shown;                     /* what may be logged of it */
    ngx_uint_t     required;                  /* unsigned :1 */
} ngx_mntreamer_follower_conf_t;

typedef struct {
    ngx_str_t      conninfo;
    ngx_str_t      node;                      /* name of this machine */
    ngx_msec_t     lease_ms;
    ngx_msec_t     resume_ms;                 /* resume_window */
    ngx_str_t      storage;                   /* its root, with a NUL */
    time_t         trash_s;                   /* how long what was deleted can
                                                 be brought back; 0: not */
    ngx_mntreamer_keep_t  keep;               /* of this storage */
    ngx_array_t   *streamers;                 /* of streamer_conf_t */
    ngx_array_t   *followers;                 /* of follower_conf_t, or NULL */
    ngx_str_t      follow_hashes;             /* theirs, as arrays */
    ngx_str_t      follow_required;
} ngx_mntreamer_catalog_conf_t;


/* what a claim gives; texts are valid in the callback only */

typedef struct {
    int64_t        streamer_id;
    ngx_int_t      platform;
    ngx_str_t      channel_id;
    ngx_str_t      channel_name;
    ngx_str_t      quality;
    ngx_int_t      priority;
    int64_t        epoch;
    uint64_t       misses;                    /* in a row, off the air */
    uint64_t       starts;                    /* in a row, on it, that gave
                                                 nothing to record */
    int64_t        late_ms;                   /* now() - check_at, before */
    int64_t        pause_ms;                  /* check_at - now(), since then:
                                                 the ladder's next step */
    int64_t        recording_id;              /* one to go on with; 0: none */
    ngx_str_t      path;                      /* its directory */
    ngx_str_t      broadcast_id;              /* its broadcast; without one to
                                                 go on with the one that was on
                                                 the air when last asked */
    unsigned       streaming:1;               /* it was on the air then */
    int64_t        silent_ms;                 /* since its last progress */
    ngx_uint_t     stored;                    /* unsigned :1; segments; of an
                                                 own broadcast: anything */
} ngx_mntreamer_claim_t;

/* next_ms: until the next one is due, -1 when nothing is waiting */
typedef void (*ngx_mntreamer_claim_pt)(void *data, ngx_uint_t rc,
    ngx_mntreamer_claim_t *claims, ngx_uint_t n, int64_t next_ms);


/* facts of a live channel; empty texts are unknown, viewers -1 */

typedef struct {
    ngx_str_t      broadcast_id;
    ngx_str_t      title;
    ngx_str_t      category;
    ngx_str_t      channel_name;
    ngx_str_t      image;
    int64_t        opened_ms;                 /* MNT_DATE_NONE: unknown */
    int64_t        viewers;
} ngx_mntreamer_facts_t;

typedef struct {
    int64_t        streamer_id;
    int64_t        epoch;
    ngx_uint_t     outcome;                   /* mnt_probe_outcome_e */
    ngx_str_t      reason;
    uint64_t       misses;                    /* to be stored */
    int64_t        next_ms;                   /* check_at = now() + next_ms */
    ngx_uint_t     planned;                   /* unsigned :1; the claim said
                                                 so: check_at stays */
    ngx_uint_t     keep;                      /* the lease stays: it will be
                                                 recorded, or is being */
    ngx_mntreamer_facts_t  facts;             /* with LIVE and NOT_PLAYABLE */
} ngx_mntreamer_probe_row_t;


typedef struct {
    int64_t        streamer_id;
    int64_t        epoch;
    ngx_mntreamer_facts_t  facts;
    ngx_str_t      quality;
    ngx_str_t      path;                      /* expanded layout; \x01 stands
                                                 for the sequence, \x02 for
                                                 the id */
    ngx_str_t      day;                       /* "2026-09-27", of sequence */
    ngx_msec_t     resume_ms;                 /* resume_window */
} ngx_mntreamer_opening_t;

typedef struct {
    ngx_uint_t     rc;                        /* PQ_FAILED: fenced */
    int64_t        recording_id;
    ngx_uint_t     sequence;
    ngx_str_t      path;
    ngx_uint_t     resumed;                   /* unsigned :1; it existed */
    ngx_uint_t     stored;                    /* unsigned :1; with segments */
} ngx_mntreamer_opened_t;

typedef void (*ngx_mntreamer_opened_pt)(void *data,
    const ngx_mntreamer_opened_t *opened);

typedef struct {
    int64_t        recording_id;
    int64_t        streamer_id;
    int64_t        epoch;
    uint64_t       segments;                  /* absolute numbers; bytes of all
                                                 tracks, others of the main */
    int64_t        bytes;
    int64_t        duration_us;
    uint64_t       gaps;
    int64_t        lost_us;
    int64_t        ended_ms;                  /* wall clock; 0: now */
    ngx_uint_t     gone;                      /* unsigned :1; at the end: its
                                                 directory was taken away */
} ngx_mntreamer_progress_t;

/* what lies where a new recording was to be, as it was found there */

typedef struct {
    ngx_mntreamer_progress_t  progress;       /* under the new one's number */
    ngx_uint_t                ended;          /* unsigned :1 */
} ngx_mntreamer_taken_t;

typedef struct {
    int64_t        recording_id;
    int64_t        epoch;
    ngx_uint_t     number;                    /* of the gap, from 1: its key */
    ngx_str_t      track;                     /* "index", "audio-1" */
    ngx_uint_t     cause;                     /* ngx_mntreamer_gap_e */
    uint64_t       first_sequence;
    uint64_t       segments;                  /* 0: there is no such gap */
    int64_t        lost_us;
    int64_t        at_us;                     /* into the recording */
} ngx_mntreamer_gap_row_t;


typedef void (*ngx_mntreamer_catalog_done_pt)(void *data, ngx_uint_t rc);

typedef struct {
    /* up: ready for claims; down: the database is away */
    void  (*state)(void *data, ngx_uint_t up);
    /* somebody changed streamers or released leases: look for due ones now */
    void  (*due)(void *data);
    /* a streamer was deleted or paused: what is being recorded of it ends */
    void  (*stop)(void *data, int64_t streamer_id);
    /* a lease of ours is gone (taken over, row deleted): commit nothing */
    void  (*lost)(void *data, int64_t streamer_id);
    /* something became known of an own channel that we record */
    void  (*news)(void *data, int64_t streamer_id);
    /* followers are to be told something */
    void  (*follow)(void *data);
    /* recordings were deleted: their files are to go */
    void  (*remove)(void *data);
    /* there are jobs, or some were cancelled */
    void  (*job)(void *data);
    /* recordings were edited: their files are to say so */
    void  (*edit)(void *data);
    /* adds what was claimed and was not told about yet: streamers, epochs */
    void  (*claims)(void *data, ngx_mntreamer_pq_array_t *ids,
                    ngx_mntreamer_pq_array_t *epochs);
    void  *data;                              /* alias */
} ngx_mntreamer_catalog_handlers_t;


ngx_mntreamer_catalog_t *ngx_mntreamer_catalog_create(
    const ngx_mntreamer_catalog_conf_t *conf,
    const ngx_mntreamer_catalog_handlers_t *handlers,
    ngx_mntreamer_metrics_t *metrics, ngx_log_t *log);
void ngx_mntreamer_catalog_destroy(ngx_mntreamer_catalog_t *cat);

ngx_uint_t ngx_mntreamer_catalog_up(ngx_mntreamer_catalog_t *cat);
/* it is up and answered something a moment ago: it is slow, not away */
ngx_uint_t ngx_mntreamer_catalog_heard(ngx_mntreamer_catalog_t *cat);
/* copies the numbers of both connections into the metrics */
void ngx_mntreamer_catalog_report(ngx_mntreamer_catalog_t *cat);


/*
 * Claims up to "limit" due, idle streamers of one platform for "lease_ms",
 * highest priority and oldest first.  In the same statement check_at moves to
 * where the ladder has it if they are off the air still.
 */
ngx_int_t ngx_mntreamer_catalog_claim(ngx_mntreamer_catalog_t *cat,
    ngx_int_t platform, ngx_uint_t limit, ngx_msec_t lease_ms,
    const mnt_backoff_t *ladder, ngx_uint_t spread_pct,
    ngx_mntreamer_claim_pt done, void *data);

/* the same for what is sent to us: it is on the air here, nobody records it */
ngx_int_t ngx_mntreamer_catalog_claim_broadcasts(ngx_mntreamer_catalog_t *cat,
    ngx_int_t platform, ngx_uint_t limit, ngx_msec_t lease_ms,
    ngx_mntreamer_claim_pt done, void *data);

/* channels without a name that may be asked for now: id and channel only */
ngx_int_t ngx_mntreamer_catalog_nameless(ngx_mntreamer_catalog_t *cat,
    ngx_int_t platform, ngx_uint_t limit, ngx_mntreamer_claim_pt done,
    void *data);
void ngx_mntreamer_catalog_named(ngx_mntreamer_catalog_t *cat,
    int64_t streamer_id, ngx_str_t *name);

/*
 * Claims recordings in progress whose owner is gone.  Those of deleted
 * streamers come with the negative number of the recording for the streamer's;
 * stop() is called for them behind "done".  Those of unknown platforms are
 * left alone.
 */
ngx_int_t ngx_mntreamer_catalog_claim_recordings(ngx_mntreamer_catalog_t *cat,
    ngx_uint_t limit, ngx_mntreamer_claim_pt done, void *data);

/*
 * Stores probe results (copied); gathered and written in one statement every
 * 100 ms or 2000 rows.  Kept while the database is away (newest per streamer).
 */
void ngx_mntreamer_catalog_probed(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_probe_row_t *row);

/* finds the recording to go on with, or makes one; status becomes recording */
ngx_int_t ngx_mntreamer_catalog_recording_open(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_opening_t *opening, ngx_mntreamer_opened_pt done,
    void *data);

/* gathered, newest per recording, written once a second; fenced */
void ngx_mntreamer_catalog_recording_progress(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_progress_t *progress);
/* the same; also behind the end of the recording; NGX_ERROR: no memory */
ngx_int_t ngx_mntreamer_catalog_gap(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_gap_row_t *gap);
/*
 * History: stored when title or category changed, viewers always; also behind
 * the end.  All that was seen while the database was away.
 */
void ngx_mntreamer_catalog_facts(ngx_mntreamer_catalog_t *cat,
    int64_t recording_id, int64_t epoch, const ngx_mntreamer_facts_t *facts);
/* only how many watch now; less than 0: unknown, nothing is stored */
void ngx_mntreamer_catalog_viewers(ngx_mntreamer_catalog_t *cat,
    int64_t recording_id, int64_t epoch, int64_t viewers);

/*
 * The recording is over: status recorded, or its row removed when it holds no
 * segment; the streamer's counters; the lease is released and the streamer is
 * due again in "next_ms".  A row that the database forgot is made again, for
 * the files in "path".  Kept while the database is away; done() may be
 * NULL.
 */
ngx_int_t ngx_mntreamer_catalog_recording_finish(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_progress_t *progress, const ngx_str_t *path,
    int64_t next_ms, ngx_mntreamer_catalog_done_pt done, void *data);

/*
 * There is an image of the recording, or no more.  Not kept, and its failure
 * is nobody's: to be said again from time to time.
 */
void ngx_mntreamer_catalog_thumbnail(ngx_mntreamer_catalog_t *cat,
    int64_t recording_id, ngx_uint_t there);

/*
 * The streamer is free and due in "next_ms", but its recording is not over: it
 * stays in progress on its own (claims give it as -recording_id), and whoever
 * finishes it gives it its streamer back.  Kept while the database is away.
 */
ngx_int_t ngx_mntreamer_catalog_recording_leave(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_progress_t *progress, int64_t next_ms);

/*
 * The directory of a recording that was opened a moment ago holds another one,
 * which the database has forgotten: the row becomes that one's.  One that has
 * no end is left, as above.  The streamer is kept.
 */
ngx_int_t ngx_mntreamer_catalog_recording_taken(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_taken_t *taken, ngx_mntreamer_catalog_done_pt done,
    void *data);

/* leases of recordings under way are renewed by the catalogue */
void ngx_mntreamer_catalog_lease_hold(ngx_mntreamer_catalog_t *cat,
    int64_t streamer_id, int64_t epoch);
void ngx_mntreamer_catalog_lease_drop(ngx_mntreamer_catalog_t *cat,
    int64_t streamer_id);
/* drops it and gives it back, if it is ours still: others need not wait */
void ngx_mntreamer_catalog_lease_return(ngx_mntreamer_catalog_t *cat,
    int64_t streamer_id, int64_t epoch);

/*
 * Gives back everything this engine owns, after writing what is gathered, and
 * notifies; done() also comes (with AWAY) after at most "timeout_ms".
 */
ngx_int_t ngx_mntreamer_catalog_release(ngx_mntreamer_catalog_t *cat,
    ngx_msec_t timeout_ms, ngx_mntreamer_catalog_done_pt done, void *data);


/*
 * Questions of the API, answered as JSON texts built by the database (shapes
 * in docs/api.md).  Columns of the answer: 0 json, others as said.
 */
typedef enum {
    NGX_MNTREAMER_ASK_STREAMERS = 0,          /* platform, channel_id, status,
        monitored, q, after_id, limit: rows of json; 1: id */
    NGX_MNTREAMER_ASK_STREAMER,               /* id: json */
    NGX_MNTREAMER_ASK_STREAMER_ADD,           /* platform, channel_id,
        channel_name, nickname, quality, priority, (page), title, description,
        category: json; 1: created (bool); leaves exactly one streamer and one
        monitor row due now; notifies */
    NGX_MNTREAMER_ASK_STREAMER_PATCH,         /* id, monitored, priority,
        quality, nickname, title, description, category, retention (NULL leaves
        it, an empty text resets): json; 1: nothing was changed, titles of it
        are its platform's (bool); notifies */
    NGX_MNTREAMER_ASK_STREAMER_DELETE,        /* id: json null, one row when it
        was there; recordings stay; notifies */
    NGX_MNTREAMER_ASK_RECORDINGS,             /* status, platform, channel_id,
        streamer_id, since, until, q, after_started, after_id, limit: json; 1:
        started_at text; 2: id; newest first */
    NGX_MNTREAMER_ASK_RECORDING,              /* id: json with gap_list,
        title_history and viewer_history; 1: path */
    NGX_MNTREAMER_ASK_LIVE,                   /* limit: json */
    NGX_MNTREAMER_ASK_LIVE_ONE,               /* streamer: json with
        description and broadcast_id; 1: it is on the air (bool) */
    NGX_MNTREAMER_ASK_HEALTH,                 /* json: recordings, workers */
    NGX_MNTREAMER_ASK_RECORDING_PATCH,        /* id, protected, confirmed (NULL
        leaves it): json; 1: path; 2: refused, it is in progress (bool) */
    NGX_MNTREAMER_ASK_RECORDING_DELETE,       /* id, not into the trash (bool),
        (its time): json null; 1: why not, "recording", "protected" or empty;
        notifies */
    NGX_MNTREAMER_ASK_RECORDING_RESTORE,      /* id: json; 1: path; 2: refused,
        it is not in the trash; 3: it is on its way (bool); notifies */
    NGX_MNTREAMER_ASK_RECORDING_PATH,         /* id: json null; 1: path; a row
        while it has something to be served */
    NGX_MNTREAMER_ASK_MARKED,                 /* skip: 0: id; 1: path; 2: it is
        surely of this storage (bool); 3: "files" are to go, or those that
        are "hidden", to "hide", to "show"; 4: why; 5: else, in ms, when
        something is to be done */
    NGX_MNTREAMER_ASK_OLDEST,                 /* skip, seconds: 0 to 2 as
        above; the first that may be deleted */
    NGX_MNTREAMER_ASK_SACRIFICE,              /* id, seconds: marked as deleted
        when it still may be: its id */
    NGX_MNTREAMER_ASK_PURGE,                  /* id, it stays (bool): the same
        of one whose time is over; or it is to be brought back */
    NGX_MNTREAMER_ASK_REMOVED,                /* id: its files are gone; */
    NGX_MNTREAMER_ASK_HIDDEN,                 /* they are not served; */
    NGX_MNTREAMER_ASK_SHOWN,                  /* or where they were, and if
        that was wanted it is not deleted any more: 0: it is deleted; 1: this
        is news (bools) */
    NGX_MNTREAMER_ASK_RETAIN,                 /* (the rules): marks what is
        kept no longer; notifies */
    NGX_MNTREAMER_ASK_RETENTION,              /* limit, (storage), age, size,
        count, (other rules): json, what that would be; without any of the
        three those of nginx.conf */
    NGX_MNTREAMER_ASK_WATCHED,                /* (node), turn; arrays: paths,
        runs, viewers, watched ms: who watches recordings in progress */

    /* own broadcasts: one row with a word; hashes are SHA-256 in hex */
    NGX_MNTREAMER_ASK_KEY_MAKE,               /* streamer, hash: made missing
        foreign */
    NGX_MNTREAMER_ASK_KEY_REVOKE,             /* streamer: revoked missing
        foreign none */
    NGX_MNTREAMER_ASK_PASSWORD_MAKE,          /* streamer, hash, ms: made
        missing foreign none unused */
    NGX_MNTREAMER_ASK_PASSWORD_DROP,          /* streamer: dropped missing
        foreign none */
    NGX_MNTREAMER_ASK_BROADCAST_BEGIN,        /* hash of the key, (node),
        clientid, hash of a password or NULL, public name, silence_ms: begun
        unknown password live */
    NGX_MNTREAMER_ASK_BROADCAST_SEEN,         /* hash, (node), clientid: a row
        while it may go on */
    NGX_MNTREAMER_ASK_BROADCAST_RELAYED,      /* public name: a row */
    NGX_MNTREAMER_ASK_BROADCAST_RELAY,        /* public name, clientid: a row
        the first time */
    NGX_MNTREAMER_ASK_BROADCAST_ON_AIR,       /* public name: a row */
    NGX_MNTREAMER_ASK_BROADCAST_OVER,         /* names, (node): those that are
        over here, or unknown, and whose recording is not in progress */
    NGX_MNTREAMER_ASK_KEY,                    /* streamer: own foreign; 1: when
        its key was made, or NULL; 2: it wants passwords (bool) */

    /* jobs; those that were removed are none */
    NGX_MNTREAMER_ASK_EXPORT,                 /* recording, begin, end (NULL:
        to the end): json; 1: new old missing recording empty behind many */
    NGX_MNTREAMER_ASK_EXPORTS,                /* recording: a JSON array */
    NGX_MNTREAMER_ASK_JOBS,                   /* state, before_id, limit: json;
        1: id; newest first */
    NGX_MNTREAMER_ASK_JOB,                    /* id: json; 1: it is over
        (bool) */
    NGX_MNTREAMER_ASK_JOBS_SEEN,              /* array of ids: for each json or
        NULL; 1: it is over (bool); 2: id */
    NGX_MNTREAMER_ASK_JOB_DELETE,             /* id: a row when it was there;
        notifies */
    NGX_MNTREAMER_ASK_JOB_RETRY,              /* id: json; 1: it had failed or
        was cancelled (bool); notifies */

    /* edits of recordings; words are in conf/sql */
    NGX_MNTREAMER_ASK_CUT,                    /* recording, begin, end in us:
        made there missing recording end many; 1: the cut; notifies */
    NGX_MNTREAMER_ASK_CUT_UNDO,               /* recording, cut: undone missing
        none recording; notifies */
    NGX_MNTREAMER_ASK_CUTS,                   /* recording: json of a list */
    NGX_MNTREAMER_ASK_CUT_STATE,              /* recording, cut: json; 1: the
        files say what the row does (bool); 2: why it was refused, or NULL */
    NGX_MNTREAMER_ASK_CUT_PENDING,            /* skip, (storage): 0: id; 1:
        path; 2: version; 3: spans; 4: it is surely of this storage (bool);
        the first whose files do not say yet what its rows do */
    NGX_MNTREAMER_ASK_CUT_TOLD,               /* id, version, NULL or why it
        was refused, segments, us; the last two NULL: as before */
    NGX_MNTREAMER_ASK_CLIP,                   /* recording, begin, end in us,
        title or NULL, protected (bool or NULL): made missing end waiting
        long; 1: the clip; notifies */
    NGX_MNTREAMER_ASK_CLIP_STATE,             /* recording, clip: json; 1: it
        is a recording, or never will be (bool); 2: why not, or NULL */
    NGX_MNTREAMER_ASK_CLIP_PENDING,           /* skip, (storage): 0: id; 1:
        path of the recording; 2: of the clip; 3, 4: begin and end in us; 5:
        it is surely of this storage (bool) */
    NGX_MNTREAMER_ASK_CLIP_TOLD,              /* id, NULL or why not, segments,
        bytes, us */
    NGX_MNTREAMER_ASK_MAX
} ngx_mntreamer_ask_e;

/*
 * Runs on the API's connection with "timeout_ms"; parameters as listed, data
 * NULL for none.  NULL: refused at once (down, or queue full): answer 503.
 */
ngx_mntreamer_ask_t *ngx_mntreamer_catalog_ask(ngx_mntreamer_catalog_t *cat,
    ngx_uint_t ask, const ngx_str_t *params, ngx_uint_t nparams,
    ngx_msec_t timeout_ms, ngx_mntreamer_result_pt done, void *data);
void ngx_mntreamer_catalog_ask_cancel(ngx_mntreamer_ask_t *ask);


/*
 * The publisher is gone, or was not told that its broadcast has begun.  Kept
 * while the database is away; NGX_ERROR: too many wait already.
 */
ngx_int_t ngx_mntreamer_catalog_broadcast_end(ngx_mntreamer_catalog_t *cat,
    ngx_str_t *hash, ngx_str_t *clientid);
ngx_int_t ngx_mntreamer_catalog_broadcast_undo(ngx_mntreamer_catalog_t *cat,
    ngx_str_t *name);

/*
 * The latest broadcast of an own channel, as a row of these columns, or none.
 * Asked on the engine's connection.  NULL: not now.
 */
typedef enum {
    NGX_MNTREAMER_BROADCAST_OPEN = 0,         /* bool: it is on the air */
    NGX_MNTREAMER_BROADCAST_HERE,             /* bool: on this node */
    NGX_MNTREAMER_BROADCAST_NAME,
    NGX_MNTREAMER_BROADCAST_SERIES,
    NGX_MNTREAMER_BROADCAST_TITLE,
    NGX_MNTREAMER_BROADCAST_CATEGORY,
    NGX_MNTREAMER_BROADCAST_CHANNEL,          /* its name for people */
    NGX_MNTREAMER_BROADCAST_STARTED,          /* wall clock, ms */
    NGX_MNTREAMER_BROADCAST_EARLIER,          /* name of the one before it in
                                                 its series, ended lately */
    NGX_MNTREAMER_BROADCAST_COLUMNS
} ngx_mntreamer_broadcast_e;

ngx_mntreamer_statement_t *ngx_mntreamer_catalog_broadcast_latest(
    ngx_mntreamer_catalog_t *cat, ngx_int_t platform, const ngx_str_t *channel,
    ngx_mntreamer_result_pt done, void *data);
/* done() is not called any more */
void ngx_mntreamer_catalog_broadcast_forget(ngx_mntreamer_statement_t *st);


/*
 * What followers are to be told, as rows of these columns: at most "limit" to
 * those whose hashes are in the array "followers".  They are ours until they
 * were told about, or for 10 s.  NULL: not now.
 */
typedef enum {
    NGX_MNTREAMER_FOLLOW_ID = 0,
    NGX_MNTREAMER_FOLLOW_FOLLOWER,            /* its hash */
    NGX_MNTREAMER_FOLLOW_EVENT,               /* "start", "end" */
    NGX_MNTREAMER_FOLLOW_TRIES,               /* before this one */
    NGX_MNTREAMER_FOLLOW_BROADCAST,           /* the name of its series */
    NGX_MNTREAMER_FOLLOW_KEY,                 /* tells it from all others */
    NGX_MNTREAMER_FOLLOW_BODY,                /* JSON */
    NGX_MNTREAMER_FOLLOW_COLUMNS
} ngx_mntreamer_follow_e;

ngx_mntreamer_statement_t *ngx_mntreamer_catalog_follow_claim(
    ngx_mntreamer_catalog_t *cat, const ngx_str_t *followers, ngx_uint_t limit,
    ngx_mntreamer_result_pt done, void *data);
/*
 * What became of it: "told", "refused" or "unknown".  The answer is a word of
 * mntreamer_follow_told() in conf/sql.  Kept while the database is away; NULL:
 * too many wait already.
 */
ngx_mntreamer_statement_t *ngx_mntreamer_catalog_follow_told(
    ngx_mntreamer_catalog_t *cat, int64_t id, int64_t tries, const char *word,
    ngx_mntreamer_result_pt done, void *data);
/* done() of either is not called any more */
void ngx_mntreamer_catalog_follow_forget(ngx_mntreamer_statement_t *st);


/*
 * A job of our storage, as a row of these columns, or none.  It is ours for
 * 15 s, and again from each renewal that finds it.  NULL: not now.
 */
typedef enum {
    NGX_MNTREAMER_JOB_ID = 0,
    NGX_MNTREAMER_JOB_EPOCH,
    NGX_MNTREAMER_JOB_RUNS,                   /* bool: else its files are to
                                                 be taken away */
    NGX_MNTREAMER_JOB_ATTEMPTS,               /* this one included */
    NGX_MNTREAMER_JOB_RECORDING,
    NGX_MNTREAMER_JOB_PATH,
    NGX_MNTREAMER_JOB_BEGIN,                  /* us */
    NGX_MNTREAMER_JOB_END,                    /* us; -1: the recording's */
    NGX_MNTREAMER_JOB_FILE,                   /* its result, or NULL */
    NGX_MNTREAMER_JOB_COLUMNS
} ngx_mntreamer_job_e;

ngx_mntreamer_statement_t *ngx_mntreamer_catalog_job_claim(
    ngx_mntreamer_catalog_t *cat, ngx_mntreamer_result_pt done, void *data);
/* of 1000; rate in thousandths of real time, 0: unknown.  A row of one bool:
   false, it was cancelled or deleted.  No row: it is not ours any more.  NULL:
   not now */
ngx_mntreamer_statement_t *ngx_mntreamer_catalog_job_renew(
    ngx_mntreamer_catalog_t *cat, int64_t id, int64_t epoch, int64_t progress,
    int64_t rate, ngx_mntreamer_result_pt done, void *data);

typedef struct {
    int64_t        id;
    int64_t        epoch;
    const char    *word;                      /* of mntreamer_job_told() */
    ngx_msec_t     pause_ms;                  /* before it is tried again */
    ngx_str_t      error;                     /* for people; empty: none */
    ngx_str_t      file;                      /* with the two below, of "done";
                                                 empty: none */
    off_t          bytes;
    int64_t        duration_us;
} ngx_mntreamer_job_told_t;

/* read, not kept.  Waits while the database is away; NULL: too many do */
ngx_mntreamer_statement_t *ngx_mntreamer_catalog_job_told(
    ngx_mntreamer_catalog_t *cat, const ngx_mntreamer_job_told_t *told,
    ngx_mntreamer_result_pt done, void *data);
/* done() of all three is not called any more */
void ngx_mntreamer_catalog_job_forget(ngx_mntreamer_statement_t *st);


/* generated from conf/sql/ by the build; ends with number 0 */

typedef struct {
    ngx_uint_t     number;
    const char    *name;
    const char    *text;
} ngx_mntreamer_migration_t;

extern const ngx_mntreamer_migration_t  ngx_mntreamer_migrations[];


#endif /* _NGX_MNTREAMER_CATALOG_H_INCLUDED_ */
