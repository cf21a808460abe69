
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_PQ_H_INCLUDED_
#define _NGX_MNTREAMER_PQ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_MNTREAMER_PQ_PARAMS  32


typedef struct ngx_mntreamer_pq_s         ngx_mntreamer_pq_t;
typedef struct ngx_mntreamer_statement_s  ngx_mntreamer_statement_t;
typedef struct ngx_mntreamer_rows_s       ngx_mntreamer_rows_t;


typedef enum {
    NGX_MNTREAMER_PQ_OK = 0,
    NGX_MNTREAMER_PQ_CONSTRAINT,              /* SQLSTATE class 23 */
    NGX_MNTREAMER_PQ_INPUT,                   /* class 22: a bad value */
    NGX_MNTREAMER_PQ_FAILED,                  /* refused, will fail again */
    NGX_MNTREAMER_PQ_AWAY                     /* no connection, time-out, read
                                                 only, conflict: try later */
} ngx_mntreamer_pq_rc_e;


/* an entry of a catalogue file's table: name, text, parameters, columns */

typedef struct {
    const char                 *name;         /* for logs and metrics */
    const char                 *text;
    ngx_uint_t                  nparams;
    ngx_uint_t                  ncolumns;     /* 0: no rows expected */
} ngx_mntreamer_sql_t;


typedef struct {
    ngx_uint_t                  rc;           /* ngx_mntreamer_pq_rc_e */
    char                        sqlstate[6];
    ngx_str_t                   constraint;   /* name, with CONSTRAINT */
    ngx_uint_t                  nrows;
    ngx_mntreamer_rows_t       *rows;         /* alias, valid in done() */
    ngx_msec_t                  elapsed_ms;   /* since it was sent */
} ngx_mntreamer_result_t;

/* exactly once, from the event loop; never after _cancel() */
typedef void (*ngx_mntreamer_result_pt)(void *data,
    const ngx_mntreamer_result_t *result);

/*
 * A statement to run.  Filled by the caller, copied by _exec(): parameters are
 * texts (data == NULL is SQL NULL); one that holds NUL ends with INPUT.
 */
typedef struct {
    const ngx_mntreamer_sql_t  *sql;          /* alias, static */
    ngx_str_t                   params[NGX_MNTREAMER_PQ_PARAMS];
    ngx_msec_t                  timeout_ms;   /* 0: the connection's default;
                                                 counts from _exec(), so also
                                                 while the database is away;
                                                 with keep from each sending */
    ngx_uint_t                  keep;         /* unsigned keep:1; wait in the
                                                 queue while the database is
                                                 away, repeat when the answer
                                                 was lost: idempotent writes.
                                                 AWAY comes only after two
                                                 minutes of conflicts or
                                                 time limits.  Conflicts of
                                                 others are repeated, too:
                                                 five times */
    ngx_mntreamer_result_pt     done;
    void                       *data;         /* alias */
} ngx_mntreamer_exec_t;


/* a NOTIFY arrived; texts are aliases */
typedef void (*ngx_mntreamer_notify_pt)(void *data, ngx_str_t *channel,
    ngx_str_t *payload);
/* the connection came up (after the LISTENs) or went away */
typedef void (*ngx_mntreamer_pq_state_pt)(void *data, ngx_uint_t up);

typedef struct {
    ngx_str_t                   conninfo;     /* libpq; never logged */
    ngx_str_t                   name;         /* application_name */
    const char                **listen;       /* alias; channels, then NULL */
    ngx_msec_t                  connect_ms;
    ngx_msec_t                  statement_ms; /* default deadline */
    ngx_uint_t                  max_queue;    /* statements; beyond it _exec()
                                                 refuses those without keep */
    ngx_uint_t                  max_keep;     /* bound of kept statements */
    ngx_mntreamer_notify_pt     notify;
    ngx_mntreamer_pq_state_pt   state;
    void                       *data;         /* alias, of both */
    ngx_log_t                  *log;
} ngx_mntreamer_pq_conf_t;

typedef struct {
    ngx_uint_t                  up;
    ngx_uint_t                  queued;
    ngx_uint_t                  statements;   /* ever finished */
    ngx_uint_t                  failed;
    ngx_uint_t                  reconnects;
    ngx_uint_t                  busy_ms;      /* sum of elapsed_ms */
    ngx_msec_t                  heard_ms;     /* the last answer, or when it
                                                 came up */
} ngx_mntreamer_pq_stat_t;


/*
 * One connection with a queue; statements run one after another in order.
 * Connects by itself, again with jittered back-off (100 ms .. 5 s) when it is
 * lost or silent past a deadline.  Never blocks: host names must have been
 * checked by ngx_mntreamer_pq_check().  Behind a pooler of transactions all
 * works but LISTEN.
 */
ngx_mntreamer_pq_t *ngx_mntreamer_pq_create(
    const ngx_mntreamer_pq_conf_t *conf);
void ngx_mntreamer_pq_destroy(ngx_mntreamer_pq_t *pq);

/* NULL: refused (queue full, too many parameters); done() is never called */
ngx_mntreamer_statement_t *ngx_mntreamer_pq_exec(ngx_mntreamer_pq_t *pq,
    const ngx_mntreamer_exec_t *ex);

/* forgets the owner: a statement already sent is still finished */
void ngx_mntreamer_pq_cancel(ngx_mntreamer_statement_t *st);

const ngx_mntreamer_pq_stat_t *ngx_mntreamer_pq_stat(ngx_mntreamer_pq_t *pq);


/* a value; data == NULL for SQL NULL; the text stays valid as long as rows */
ngx_str_t ngx_mntreamer_rows_get(const ngx_mntreamer_rows_t *rows,
    ngx_uint_t row, ngx_uint_t column);
int64_t ngx_mntreamer_rows_i64(const ngx_mntreamer_rows_t *rows,
    ngx_uint_t row, ngx_uint_t column, int64_t dflt);
ngx_uint_t ngx_mntreamer_rows_bool(const ngx_mntreamer_rows_t *rows,
    ngx_uint_t row, ngx_uint_t column);


/*
 * A PostgreSQL array literal, "{...}" with quoting, for batches by unnest().
 * Appends to "b" (start with zeroes); memory comes from "pool".
 */
typedef struct {
    ngx_pool_t  *pool;
    u_char      *data;
    size_t       len;
    size_t       size;
    ngx_uint_t   n;
    ngx_uint_t   failed;                      /* memory was gone */
} ngx_mntreamer_pq_array_t;

void ngx_mntreamer_pq_array_text(ngx_mntreamer_pq_array_t *b,
    const ngx_str_t *value);                  /* NULL or data NULL: NULL */
void ngx_mntreamer_pq_array_i64(ngx_mntreamer_pq_array_t *b, int64_t value);
void ngx_mntreamer_pq_array_null(ngx_mntreamer_pq_array_t *b);
/* closes it and gives the literal; data == NULL when memory was gone */
ngx_str_t ngx_mntreamer_pq_array_end(ngx_mntreamer_pq_array_t *b);


/*
 * At configuration time: NULL, or why a connection string cannot be used: it
 * does not parse, or it names a host that would have to be looked up (give
 * hostaddr, an address or a socket directory).
 */
const char *ngx_mntreamer_pq_check(ngx_pool_t *pool, ngx_str_t *conninfo);


#endif /* _NGX_MNTREAMER_PQ_H_INCLUDED_ */
