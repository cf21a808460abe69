
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_PQ_INTERNAL_H_INCLUDED_
#define _NGX_MNTREAMER_PQ_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <libpq-fe.h>

#include "ngx_mntreamer_pq.h"
#include "ngx_mntreamer_watch.h"


typedef enum {
    NGX_MNTREAMER_PQ_ST_WAIT = 0,             /* for the next attempt */
    NGX_MNTREAMER_PQ_ST_CONNECTING,
    NGX_MNTREAMER_PQ_ST_SETUP,                /* settings, then LISTENs */
    NGX_MNTREAMER_PQ_ST_IDLE,
    NGX_MNTREAMER_PQ_ST_TUNE,                 /* the server's time limits */
    NGX_MNTREAMER_PQ_ST_BUSY,                 /* for a statement's answer */
    NGX_MNTREAMER_PQ_ST_PAUSE                 /* before a repetition */
} ngx_mntreamer_pq_state_e;


struct ngx_mntreamer_statement_s {
    ngx_queue_t                  link;
    ngx_mntreamer_pq_t          *pq;          /* alias */
    const ngx_mntreamer_sql_t   *sql;         /* alias, static */
    ngx_mntreamer_result_pt      done;        /* NULL: nobody is interested */
    void                        *data;        /* alias */
    ngx_event_t                  timer;       /* not with keep */
    ngx_mntreamer_ident_t        ident;
    ngx_msec_t                   timeout_ms;
    ngx_msec_t                   sent_ms;
    ngx_msec_t                   broken_off_ms;   /* when first sent of such */
    unsigned                     keep:1;
    unsigned                     sent:1;
    unsigned                     broken_off:1;    /* by the server, once */
    unsigned                     behind:1;    /* was told to wait */
    unsigned                     delivering:1;
    unsigned                     conflicts:3;
    const char                  *values[1];   /* owned, nparams of them */
};


struct ngx_mntreamer_pq_s {
    ngx_mntreamer_pq_conf_t      conf;        /* strings owned, terminated */
    ngx_log_t                   *log;         /* alias */

    PGconn                      *conn;        /* owned */
    ngx_mntreamer_watch_t       *watch;       /* owned, of conn's socket */
    PGresult                    *result;      /* owned, of what is sent */
    ngx_uint_t                   state;

    ngx_queue_t                  queue;       /* in order; the head is sent */
    ngx_queue_t                  invalid;     /* end with INPUT */
    ngx_uint_t                   nkeep;

    ngx_event_t                  timer;       /* of the state */
    ngx_event_t                  run_ev;
    ngx_mntreamer_ident_t        ident;       /* of both */

    ngx_uint_t                   failures;    /* to connect, in a row */
    ngx_uint_t                   pauses;      /* in a row */
    ngx_msec_t                   up_ms;       /* when it came up */
    ngx_uint_t                   setup;       /* next step of SETUP */
    ngx_msec_t                   limit_ms;    /* the server's, as set */

    ngx_mntreamer_pq_stat_t      stat;
    ngx_uint_t                   busy;        /* inside handlers */
    u_char                       full[2];     /* was logged; [1] kept ones */
    unsigned                     dead:1;
};


/* ngx_mntreamer_pq.c */

/* sends the queue's head when the connection is idle */
void ngx_mntreamer_pq_run(ngx_mntreamer_pq_t *pq);

/*
 * The answer to the head is complete, "res" is freed by the caller.  May call
 * the owner, and so find pq->dead set afterwards.
 */
void ngx_mntreamer_pq_answer(ngx_mntreamer_pq_t *pq, PGresult *res);

/* the connection is gone; a head that was sent has lost its answer */
void ngx_mntreamer_pq_lost(ngx_mntreamer_pq_t *pq);

/* every handler works between these two; the last leave frees a dead pq */
void ngx_mntreamer_pq_enter(ngx_mntreamer_pq_t *pq);
void ngx_mntreamer_pq_leave(ngx_mntreamer_pq_t *pq);


/* ngx_mntreamer_pq_conn.c */

void ngx_mntreamer_pq_conn_init(ngx_mntreamer_pq_t *pq);
void ngx_mntreamer_pq_conn_close(ngx_mntreamer_pq_t *pq);

/* closes and tries again later; "why" may be libpq's message */
void ngx_mntreamer_pq_conn_lose(ngx_mntreamer_pq_t *pq, const char *why);

/* NGX_ERROR: the connection was lost over it */
ngx_int_t ngx_mntreamer_pq_conn_send(ngx_mntreamer_pq_t *pq,
    ngx_uint_t state, const char *text, ngx_uint_t nparams,
    const char *const *values, ngx_msec_t deadline_ms);

void ngx_mntreamer_pq_conn_to(ngx_mntreamer_pq_t *pq, ngx_uint_t state,
    ngx_msec_t deadline_ms);

/* the server's limits for a statement; NGX_AGAIN: under way */
ngx_int_t ngx_mntreamer_pq_conn_tune(ngx_mntreamer_pq_t *pq,
    ngx_msec_t timeout_ms);

/* one printable line for the log */
u_char *ngx_mntreamer_pq_text(u_char *buf, size_t size, const char *text);


#endif /* _NGX_MNTREAMER_PQ_INTERNAL_H_INCLUDED_ */
