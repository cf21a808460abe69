
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_CATALOG_INTERNAL_H_INCLUDED_
#define _NGX_MNTREAMER_CATALOG_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog.h"
#include "../loop/ngx_mntreamer_watch.h"


#define NGX_MNTREAMER_CATALOG_BATCH     2000  /* rows of one statement */
#define NGX_MNTREAMER_CATALOG_PENDING   8192  /* kept while it is away */
#define NGX_MNTREAMER_CATALOG_SIBLINGS  256   /* engines of this node */
#define NGX_MNTREAMER_CATALOG_TEXT      1024  /* bytes of a fact */
#define NGX_MNTREAMER_CATALOG_LOOKS     3     /* for strays */

#define NGX_MNTREAMER_CATALOG_CHANNEL   "mntreamer"

/*
 * A lease ("m") that may be taken: nobody's, or expired for so many
 * milliseconds ("grace"), or longer when its owner is one of those that are
 * alive on this node.
 */
#define NGX_MNTREAMER_CATALOG_FREE(alive, grace, longer)                      \
    "(m.owner IS NULL OR m.lease_until < now() - CASE WHEN m.owner = ANY ("   \
    alive "::bigint[]) THEN " longer "::bigint ELSE " grace "::bigint END"    \
    " * interval '1 millisecond')"

/*
 * The next epoch of "m": microseconds, for one that was counted would come
 * again when a database is restored that forgot the last ones.
 */
#define NGX_MNTREAMER_CATALOG_EPOCH                                           \
    "greatest(m.epoch + 1,"                                                   \
    " (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)"

/*
 * In a FROM: the transaction does not wait for the disk of the database.  For
 * what is done again after a crash that loses the last moments.
 */
#define NGX_MNTREAMER_CATALOG_LAZY                                            \
    "(SELECT set_config('synchronous_commit', 'off', true)) lazy"


typedef enum {
    NGX_MNTREAMER_CATALOG_DOWN = 0,           /* waits for the connection */
    NGX_MNTREAMER_CATALOG_CHECK,              /* encoding, is there a schema */
    NGX_MNTREAMER_CATALOG_VERSION,            /* which one */
    NGX_MNTREAMER_CATALOG_MIGRATE,            /* one of the migrations */
    NGX_MNTREAMER_CATALOG_PLATFORMS,          /* the registry as rows */
    NGX_MNTREAMER_CATALOG_STREAMERS,          /* those of nginx.conf */
    NGX_MNTREAMER_CATALOG_ENGINE,             /* the row of this worker */
    NGX_MNTREAMER_CATALOG_BEAT,               /* who else is there */
    NGX_MNTREAMER_CATALOG_DEAD,               /* what dead ones owned */
    NGX_MNTREAMER_CATALOG_UP,
    NGX_MNTREAMER_CATALOG_RETRY,              /* waits to start again */
    NGX_MNTREAMER_CATALOG_RELEASING,
    NGX_MNTREAMER_CATALOG_RELEASED
} ngx_mntreamer_catalog_state_e;


/*
 * Rows that wait to be written, the newest of each key.  Rows under way are
 * kept in "sent" until the answer: when it is AWAY they wait again, unless a
 * newer one has come.
 */

/* a job has files of "r" in its hands: behind it "remove" is notified */

#define NGX_MNTREAMER_SQL_BUSY                                                \
    "EXISTS (SELECT FROM job j WHERE j.recording_id = r.id"                   \
    " AND j.lease_until > now())"


typedef struct {
    ngx_rbtree_node_t            node;        /* key: low bits of "id" */
    ngx_queue_t                  queue;
    int64_t                      id;
    int64_t                      number;      /* of a gap, else 0 */
} ngx_mntreamer_gathered_t;

typedef struct {
    ngx_mntreamer_catalog_t     *cat;         /* alias */
    ngx_rbtree_t                 tree;        /* of "pending" */
    ngx_rbtree_node_t            sentinel;
    ngx_queue_t                  pending;     /* owned */
    ngx_queue_t                  sent;        /* owned */
    ngx_uint_t                   n;           /* pending */
    ngx_msec_t                   pause_ms;    /* gathers for so long */
    ngx_msec_t                   written_ms;  /* when it wrote last */
    int64_t                      batches;     /* sent so far */
    ngx_event_t                  timer;
    ngx_uint_t                   dropped;
    ngx_uint_t                   failures;    /* in a row */
    const char                  *name;        /* for the log */
    ngx_mntreamer_statement_t   *st;          /* owned, if under way */

    /* writes up to a batch of "sent" rows; NGX_ERROR: nothing was sent */
    ngx_int_t                  (*write)(ngx_mntreamer_catalog_t *cat);
} ngx_mntreamer_gather_t;


typedef struct {
    ngx_mntreamer_gathered_t     head;
    ngx_mntreamer_probe_row_t    row;         /* texts behind the struct */
    ngx_msec_t                   since;       /* its pause began */
} ngx_mntreamer_gathered_probe_t;

typedef struct {
    ngx_mntreamer_gathered_t     head;
    ngx_mntreamer_progress_t     progress;
} ngx_mntreamer_gathered_progress_t;

typedef struct {
    ngx_mntreamer_gathered_t     head;
    ngx_mntreamer_gap_row_t      gap;
    ngx_str_t                    track;
} ngx_mntreamer_gathered_gap_t;

typedef struct {
    ngx_mntreamer_gathered_t     head;        /* number: a running one */
    int64_t                      epoch;
    int64_t                      noticed_ms;  /* wall clock, of the title */
    ngx_mntreamer_facts_t        facts;
} ngx_mntreamer_gathered_facts_t;


/* the number is when it was told, in ms */

typedef struct {
    ngx_mntreamer_gathered_t     head;
    int64_t                      epoch;
    int64_t                      viewers;
} ngx_mntreamer_gathered_viewers_t;


typedef struct {
    ngx_mntreamer_gathered_t     head;        /* id: of the streamer */
    int64_t                      epoch;
} ngx_mntreamer_lease_t;


/* an engine of this node */

typedef struct {
    int64_t                      id;
    ngx_pid_t                    pid;
    int64_t                      ticks;
    unsigned                     dead:1;
    unsigned                     told:1;      /* the database was told */
} ngx_mntreamer_sibling_t;


/* a call whose answer is awaited */

typedef struct {
    ngx_queue_t                  queue;
    ngx_mntreamer_catalog_t     *cat;         /* alias */
    ngx_mntreamer_statement_t   *st;          /* owned by the connection */
    ngx_uint_t                   limit;
    ngx_uint_t                   partial;     /* results were not written */
    union {
        ngx_mntreamer_claim_pt         claim;
        ngx_mntreamer_opened_pt        opened;
        ngx_mntreamer_catalog_done_pt  done;
    } handler;
    void                        *data;        /* alias */
} ngx_mntreamer_call_t;


struct ngx_mntreamer_catalog_s {
    const ngx_mntreamer_catalog_conf_t  *conf;       /* alias */
    ngx_mntreamer_catalog_handlers_t     handlers;
    ngx_mntreamer_metrics_t             *metrics;    /* alias */
    ngx_log_t                           *log;        /* alias */

    ngx_mntreamer_pq_t                  *pq;         /* owned, the engine's */
    ngx_mntreamer_pq_t                  *api;        /* owned */
    ngx_mntreamer_pq_stat_t              told[2];    /* to the metrics */

    ngx_uint_t                           state;
    ngx_uint_t                           migration;  /* index of the next */
    ngx_mntreamer_sql_t                 *migrate;    /* pool; their texts */
    ngx_mntreamer_statement_t           *step;       /* owned, of the state */
    ngx_event_t                          timer;      /* of the state */
    ngx_mntreamer_ident_t                ident;      /* of all timers */
    ngx_uint_t                           refusals;   /* in a row */

    int64_t                              engine;     /* 0: no row yet */
    int64_t                              ticks;      /* this process's start */
    ngx_str_t                            space;      /* pool, boot and pids */
    ngx_str_t                            known;      /* pool, platforms */
    ngx_str_t                            storage;    /* pool, its number */
    ngx_mntreamer_sibling_t             *siblings;   /* pool */
    ngx_uint_t                           nsiblings;
    ngx_event_t                          watch;      /* over them */
    ngx_uint_t                           watches;
    ngx_mntreamer_statement_t           *beat;       /* owned, if under way */
    ngx_mntreamer_statement_t           *bury;       /* owned, if under way */
    ngx_mntreamer_statement_t           *lapse;      /* owned, if under way */
    ngx_mntreamer_statement_t           *sweep;      /* owned, if under way */

    ngx_mntreamer_gather_t               probes;
    ngx_mntreamer_gather_t               progress;
    ngx_mntreamer_gather_t               gaps;
    ngx_mntreamer_gather_t               facts;
    ngx_mntreamer_gather_t               viewers;

    ngx_mntreamer_gather_t               leases;     /* held ones */
    ngx_event_t                          renew;
    ngx_mntreamer_statement_t           *renewal;    /* owned, if under way */
    ngx_mntreamer_statement_t           *strays;     /* owned, if under way */
    ngx_uint_t                           looks;      /* for them, to be done */
    ngx_uint_t                           claims;     /* not answered yet */

    ngx_queue_t                          calls;      /* owned */
    ngx_queue_t                          asks;       /* owned */

    ngx_mntreamer_catalog_done_pt        released;
    void                                *released_data;  /* alias */
    ngx_event_t                          guard;      /* of the release */

    ngx_pool_t                          *pool;       /* owned, holds this */
    ngx_msec_t                           up_ms;      /* when it came up */
    unsigned                             ready:1;    /* the schema is ours */
    unsigned                             telling:1;  /* state(up) was called */
    unsigned                             strange:1;  /* was told: recordings
                                                        of unknown platforms */
};


/* ngx_mntreamer_catalog.c */

/* starts a statement of the engine's connection with nothing set */
void ngx_mntreamer_catalog_exec_init(ngx_mntreamer_exec_t *ex,
    const ngx_mntreamer_sql_t *sql, ngx_mntreamer_result_pt done, void *data);
/* numbers as parameters; "buf" holds NGX_INT64_LEN bytes */
ngx_str_t ngx_mntreamer_catalog_number(u_char *buf, int64_t n);
void ngx_mntreamer_catalog_event(ngx_mntreamer_catalog_t *cat,
    ngx_event_t *ev, ngx_event_handler_pt handler);
void ngx_mntreamer_catalog_arm(ngx_event_t *ev, ngx_msec_t ms);
void ngx_mntreamer_catalog_disarm(ngx_event_t *ev);
/* a call that is answered later; NULL: memory is gone */
ngx_mntreamer_call_t *ngx_mntreamer_catalog_call(ngx_mntreamer_catalog_t *cat,
    void *data);
void ngx_mntreamer_catalog_call_free(ngx_mntreamer_call_t *call);
/* while it is released: gives back when all is on its way */
void ngx_mntreamer_catalog_settle(ngx_mntreamer_catalog_t *cat);


/* ngx_mntreamer_catalog_gather.c */

void ngx_mntreamer_gather_init(ngx_mntreamer_gather_t *g,
    ngx_mntreamer_catalog_t *cat, const char *name, ngx_msec_t pause_ms,
    ngx_int_t (*write)(ngx_mntreamer_catalog_t *cat));
void ngx_mntreamer_gather_free(ngx_mntreamer_gather_t *g);
/* takes "row" (from ngx_alloc), drops an older one of its key */
void ngx_mntreamer_gather_add(ngx_mntreamer_gather_t *g,
    ngx_mntreamer_gathered_t *row);
ngx_mntreamer_gathered_t *ngx_mntreamer_gather_find(ngx_mntreamer_gather_t *g,
    int64_t id, int64_t number);
void ngx_mntreamer_gather_remove(ngx_mntreamer_gather_t *g,
    ngx_mntreamer_gathered_t *row);
/* writes what waits, if nothing of it is under way */
void ngx_mntreamer_gather_flush(ngx_mntreamer_gather_t *g);
/* done() of the statement that wrote g->sent */
void ngx_mntreamer_gather_done(void *data,
    const ngx_mntreamer_result_t *result);
/* bytes of the texts of facts, and their copy behind "p" */
size_t ngx_mntreamer_gather_facts_len(const ngx_mntreamer_facts_t *facts);
u_char *ngx_mntreamer_gather_facts(u_char *p, ngx_mntreamer_facts_t *dst,
    const ngx_mntreamer_facts_t *src);
/* broadcast, title, category, name, image, opening, viewers to 7 arrays */
void ngx_mntreamer_gather_facts_put(ngx_mntreamer_pq_array_t *b,
    const ngx_mntreamer_facts_t *facts);

/* 1 when the titles are the same */
ngx_uint_t ngx_mntreamer_gather_titled(const ngx_mntreamer_facts_t *a,
    const ngx_mntreamer_facts_t *b);
/* a copy that the database takes: UTF-8 without NUL, shortened */
u_char *ngx_mntreamer_gather_text(u_char *p, ngx_str_t *dst,
    const ngx_str_t *src);
/* as the database takes a number; the wall clock in ms */
int64_t ngx_mntreamer_recording_count(uint64_t n);
int64_t ngx_mntreamer_recording_now(void);


/* ngx_mntreamer_catalog_schema.c: statements of the start; NULL: not sent */

ngx_mntreamer_statement_t *ngx_mntreamer_catalog_check(
    ngx_mntreamer_catalog_t *cat, ngx_mntreamer_result_pt done);
ngx_mntreamer_statement_t *ngx_mntreamer_catalog_version(
    ngx_mntreamer_catalog_t *cat, ngx_mntreamer_result_pt done);
ngx_mntreamer_statement_t *ngx_mntreamer_catalog_migrate(
    ngx_mntreamer_catalog_t *cat, ngx_uint_t i, ngx_mntreamer_result_pt done);
ngx_mntreamer_statement_t *ngx_mntreamer_catalog_platforms(
    ngx_mntreamer_catalog_t *cat, ngx_mntreamer_result_pt done);
ngx_mntreamer_statement_t *ngx_mntreamer_catalog_streamers(
    ngx_mntreamer_catalog_t *cat, ngx_mntreamer_result_pt done);
/* the array of platforms that there are, in "pool" */
ngx_str_t ngx_mntreamer_catalog_known(ngx_pool_t *pool);
/* page of a channel for people, in "pool", or a null text */
ngx_str_t ngx_mntreamer_catalog_page(ngx_pool_t *pool, ngx_int_t platform,
    const ngx_str_t *channel_id);


/* ngx_mntreamer_catalog_engine.c */

ngx_int_t ngx_mntreamer_catalog_identify(ngx_mntreamer_catalog_t *cat);
ngx_mntreamer_statement_t *ngx_mntreamer_catalog_register(
    ngx_mntreamer_catalog_t *cat, ngx_mntreamer_result_pt done);
ngx_mntreamer_statement_t *ngx_mntreamer_catalog_beat(
    ngx_mntreamer_catalog_t *cat, ngx_mntreamer_result_pt done);
/* reads the answer of _beat() */
void ngx_mntreamer_catalog_siblings(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_result_t *result);
/* the array of siblings that live, in "pool"; how long a lease must have
   expired before it is taken, and one of theirs */
ngx_str_t ngx_mntreamer_catalog_alive(ngx_mntreamer_catalog_t *cat,
    ngx_pool_t *pool, int64_t *grace_ms, int64_t *longer_ms);
/* looks which siblings are dead; their number */
ngx_uint_t ngx_mntreamer_catalog_look(ngx_mntreamer_catalog_t *cat);
ngx_mntreamer_statement_t *ngx_mntreamer_catalog_bury(
    ngx_mntreamer_catalog_t *cat, ngx_mntreamer_result_pt done);
void ngx_mntreamer_catalog_buried(ngx_mntreamer_catalog_t *cat);
ngx_mntreamer_statement_t *ngx_mntreamer_catalog_giveback(
    ngx_mntreamer_catalog_t *cat, ngx_mntreamer_result_pt done);
void ngx_mntreamer_catalog_watch_start(ngx_mntreamer_catalog_t *cat);
void ngx_mntreamer_catalog_watch_soon(ngx_mntreamer_catalog_t *cat);


/* ngx_mntreamer_catalog_lease.c */

void ngx_mntreamer_catalog_lease_init(ngx_mntreamer_catalog_t *cat);
/* renews all now */
void ngx_mntreamer_catalog_renew(ngx_mntreamer_catalog_t *cat);
/* gives back what is ours and unknown, if there may be such */
void ngx_mntreamer_catalog_strays(ngx_mntreamer_catalog_t *cat);


/* ngx_mntreamer_catalog_streamer.c */

ngx_int_t ngx_mntreamer_catalog_probes_write(ngx_mntreamer_catalog_t *cat);


/* ngx_mntreamer_catalog_recording.c */

ngx_int_t ngx_mntreamer_catalog_progress_write(ngx_mntreamer_catalog_t *cat);
ngx_int_t ngx_mntreamer_catalog_gaps_write(ngx_mntreamer_catalog_t *cat);
ngx_int_t ngx_mntreamer_catalog_facts_write(ngx_mntreamer_catalog_t *cat);
ngx_int_t ngx_mntreamer_catalog_viewers_write(ngx_mntreamer_catalog_t *cat);


/* ngx_mntreamer_catalog_taken.c */

/* logs what has a row again, the path in the second column; or a failure */
void ngx_mntreamer_recording_told(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_result_t *result);


/* ngx_mntreamer_catalog_broadcast.c */

/* the statement of a question from _KEY_MAKE on, */
const ngx_mntreamer_sql_t *ngx_mntreamer_catalog_broadcast_sql(ngx_uint_t ask);
void ngx_mntreamer_catalog_broadcast_ask(ngx_mntreamer_catalog_t *cat,
    ngx_uint_t ask, ngx_mntreamer_exec_t *ex, u_char (*buf)[NGX_INT64_LEN]);
/* ends broadcasts that were not heard of for their time */
void ngx_mntreamer_catalog_broadcast_sweep(ngx_mntreamer_catalog_t *cat);


/* ngx_mntreamer_catalog_job.c: the statement of a question from _EXPORT on */

const ngx_mntreamer_sql_t *ngx_mntreamer_catalog_job_sql(ngx_uint_t ask);


/* ngx_mntreamer_catalog_edit.c: and from _CUT on */

const ngx_mntreamer_sql_t *ngx_mntreamer_catalog_edit_sql(ngx_uint_t ask);


/* ngx_mntreamer_catalog_api.c */

void ngx_mntreamer_catalog_asks_free(ngx_mntreamer_catalog_t *cat);


#endif /* _NGX_MNTREAMER_CATALOG_INTERNAL_H_INCLUDED_ */
