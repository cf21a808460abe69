
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Statements and their queue.  They are sent one by one in the order of
 * _exec(); the one at the head may be under way.  An answer that was lost is
 * AWAY; a kept statement then stays at the head and is sent again, so that the
 * order holds.
 *
 * Owners are called from timers, descriptors and one posted event only, each
 * between _enter() and _leave(): they may start, cancel and destroy there.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_pq_internal.h"


#define NGX_MNTREAMER_PQ_GRACE_MS   500       /* for the server's own limit */
#define NGX_MNTREAMER_PQ_GIVE_UP_MS 120000    /* on a kept statement */
#define NGX_MNTREAMER_PQ_PAUSE_MS   25
#define NGX_MNTREAMER_PQ_PAUSE_MAX  5000
#define NGX_MNTREAMER_PQ_CONFLICTS  5         /* of any statement */


typedef enum {
    NGX_MNTREAMER_PQ_AGAIN_NO = 0,
    NGX_MNTREAMER_PQ_AGAIN_CONFLICT,          /* and nothing was done */
    NGX_MNTREAMER_PQ_AGAIN_SOON,              /* a time limit */
    NGX_MNTREAMER_PQ_AGAIN_LATER,             /* short of something */
    NGX_MNTREAMER_PQ_AGAIN_RECONNECT
} ngx_mntreamer_pq_again_e;


static ngx_int_t ngx_mntreamer_pq_copy(ngx_mntreamer_pq_t *pq,
    const ngx_mntreamer_pq_conf_t *conf);
static ngx_mntreamer_statement_t *ngx_mntreamer_pq_statement(
    ngx_mntreamer_pq_t *pq, const ngx_mntreamer_exec_t *ex,
    ngx_uint_t *invalid);
static void ngx_mntreamer_pq_run_handler(ngx_event_t *ev);
static void ngx_mntreamer_pq_timeout(ngx_event_t *ev);
static void ngx_mntreamer_pq_behind(ngx_mntreamer_pq_t *pq,
    ngx_mntreamer_statement_t *st, const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_pq_repeat(ngx_mntreamer_pq_t *pq,
    ngx_mntreamer_statement_t *st);
static void ngx_mntreamer_pq_tell(ngx_mntreamer_statement_t *st,
    ngx_mntreamer_result_t *result);
static void ngx_mntreamer_pq_finish(ngx_mntreamer_statement_t *st,
    ngx_mntreamer_result_t *result);
static void ngx_mntreamer_pq_free(ngx_mntreamer_statement_t *st);
static ngx_uint_t ngx_mntreamer_pq_classify(ngx_mntreamer_pq_t *pq,
    PGresult *res, const ngx_mntreamer_sql_t *sql,
    ngx_mntreamer_result_t *result);
static ngx_uint_t ngx_mntreamer_pq_sqlstate(const char *s, ngx_uint_t *rc);
static void ngx_mntreamer_pq_log(ngx_mntreamer_pq_t *pq, PGresult *res,
    const ngx_mntreamer_sql_t *sql, ngx_mntreamer_result_t *result);


ngx_mntreamer_pq_t *
ngx_mntreamer_pq_create(const ngx_mntreamer_pq_conf_t *conf)
{
    ngx_mntreamer_pq_t  *pq;

    pq = ngx_calloc(sizeof(ngx_mntreamer_pq_t), conf->log);
    if (pq == NULL) {
        return NULL;
    }

    pq->conf = *conf;
    pq->log = conf->log;
    pq->ident.data = pq;
    pq->ident.fd = (ngx_socket_t) -1;

    if (pq->conf.connect_ms == 0) {
        pq->conf.connect_ms = 5000;
    }

    if (pq->conf.statement_ms == 0) {
        pq->conf.statement_ms = 5000;
    }

    ngx_queue_init(&pq->queue);
    ngx_queue_init(&pq->invalid);

    if (ngx_mntreamer_pq_copy(pq, conf) != NGX_OK) {
        ngx_free(pq);
        return NULL;
    }

    pq->run_ev.handler = ngx_mntreamer_pq_run_handler;
    pq->run_ev.data = &pq->ident;
    pq->run_ev.log = pq->log;

    ngx_mntreamer_pq_conn_init(pq);

    return pq;
}


static ngx_int_t
ngx_mntreamer_pq_copy(ngx_mntreamer_pq_t *pq,
    const ngx_mntreamer_pq_conf_t *conf)
{
    u_char  *p;

    p = ngx_calloc(conf->conninfo.len + conf->name.len + 2, conf->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    pq->conf.conninfo.data = p;
    p = ngx_cpymem(p, conf->conninfo.data, conf->conninfo.len) + 1;

    pq->conf.name.data = p;
    ngx_memcpy(p, conf->name.data, conf->name.len);

    return NGX_OK;
}


void
ngx_mntreamer_pq_destroy(ngx_mntreamer_pq_t *pq)
{
    ngx_queue_t                *q, *list;
    ngx_mntreamer_statement_t  *st;

    if (!pq->dead) {
        pq->dead = 1;

        ngx_mntreamer_pq_conn_close(pq);

        if (pq->run_ev.posted) {
            ngx_delete_posted_event(&pq->run_ev);
        }

        for ( ;; ) {
            list = ngx_queue_empty(&pq->queue) ? &pq->invalid : &pq->queue;

            if (ngx_queue_empty(list)) {
                break;
            }

            q = ngx_queue_head(list);
            st = ngx_queue_data(q, ngx_mntreamer_statement_t, link);
            ngx_mntreamer_pq_free(st);
        }
    }

    if (pq->busy == 0) {
        ngx_free(pq->conf.conninfo.data);
        ngx_free(pq);
    }
}


void
ngx_mntreamer_pq_enter(ngx_mntreamer_pq_t *pq)
{
    pq->busy++;
}


void
ngx_mntreamer_pq_leave(ngx_mntreamer_pq_t *pq)
{
    pq->busy--;

    if (pq->dead && pq->busy == 0) {
        ngx_mntreamer_pq_destroy(pq);
    }
}


ngx_mntreamer_statement_t *
ngx_mntreamer_pq_exec(ngx_mntreamer_pq_t *pq, const ngx_mntreamer_exec_t *ex)
{
    ngx_uint_t                  invalid, full, level;
    ngx_mntreamer_statement_t  *st;

    if (ex->sql->nparams > NGX_MNTREAMER_PQ_PARAMS || ex->done == NULL) {
        ngx_log_error(NGX_LOG_ERR, pq->log, 0,
                      "statement \"%s\" cannot be sent", ex->sql->name);
        return NULL;
    }

    full = ex->keep ? pq->nkeep >= pq->conf.max_keep
                    : pq->stat.queued >= pq->conf.max_queue;

    if (full) {
        if (!pq->full[ex->keep != 0]) {
            level = ex->keep ? NGX_LOG_CRIT : NGX_LOG_WARN;

            ngx_log_error(level, pq->log, 0,
                          "%s database \"%V\" are refused, statements"
                          " waiting: %ui, statement: \"%s\"",
                          ex->keep ? "writes to" : "queries of",
                          &pq->conf.name, pq->stat.queued, ex->sql->name);
        }

        pq->full[ex->keep != 0] = 1;
        return NULL;
    }

    pq->full[ex->keep != 0] = 0;

    st = ngx_mntreamer_pq_statement(pq, ex, &invalid);
    if (st == NULL) {
        return NULL;
    }

    pq->stat.queued++;
    pq->nkeep += st->keep;

    ngx_queue_insert_tail(invalid ? &pq->invalid : &pq->queue, &st->link);

    if (!st->keep && !invalid) {
        ngx_add_timer(&st->timer, st->timeout_ms);
    }

    ngx_post_event(&pq->run_ev, &ngx_posted_events);

    return st;
}


static ngx_mntreamer_statement_t *
ngx_mntreamer_pq_statement(ngx_mntreamer_pq_t *pq,
    const ngx_mntreamer_exec_t *ex, ngx_uint_t *invalid)
{
    u_char                     *p;
    size_t                      size;
    ngx_uint_t                  i, n;
    ngx_mntreamer_statement_t  *st;

    n = ex->sql->nparams;
    size = sizeof(ngx_mntreamer_statement_t) + n * sizeof(char *);

    for (i = 0; i < n; i++) {
        size += ex->params[i].len + 1;
    }

    st = ngx_alloc(size, pq->log);
    if (st == NULL) {
        return NULL;
    }

    ngx_memzero(st, sizeof(ngx_mntreamer_statement_t));

    st->pq = pq;
    st->sql = ex->sql;
    st->done = ex->done;
    st->data = ex->data;
    st->timeout_ms = ex->timeout_ms ? ex->timeout_ms : pq->conf.statement_ms;
    st->keep = (ex->keep != 0);

    st->ident.data = st;
    st->ident.fd = (ngx_socket_t) -1;
    st->timer.handler = ngx_mntreamer_pq_timeout;
    st->timer.data = &st->ident;
    st->timer.log = pq->log;
    st->timer.cancelable = 1;

    *invalid = 0;
    p = (u_char *) &st->values[n];

    for (i = 0; i < n; i++) {
        if (ex->params[i].data == NULL) {
            st->values[i] = NULL;
            continue;
        }

        if (memchr(ex->params[i].data, '\0', ex->params[i].len)) {
            *invalid = 1;
        }

        st->values[i] = (char *) p;
        p = ngx_cpymem(p, ex->params[i].data, ex->params[i].len);
        *p++ = '\0';
    }

    return st;
}


void
ngx_mntreamer_pq_cancel(ngx_mntreamer_statement_t *st)
{
    if (st->delivering) {
        return;
    }

    if (st->sent) {
        st->done = NULL;
        return;
    }

    ngx_mntreamer_pq_free(st);
}


const ngx_mntreamer_pq_stat_t *
ngx_mntreamer_pq_stat(ngx_mntreamer_pq_t *pq)
{
    return &pq->stat;
}


static void
ngx_mntreamer_pq_run_handler(ngx_event_t *ev)
{
    ngx_queue_t                *q;
    ngx_mntreamer_pq_t         *pq;
    ngx_mntreamer_ident_t      *ident;
    ngx_mntreamer_result_t      result;
    ngx_mntreamer_statement_t  *st;

    ident = ev->data;
    pq = ident->data;

    ngx_mntreamer_pq_enter(pq);

    while (!pq->dead && !ngx_queue_empty(&pq->invalid)) {
        q = ngx_queue_head(&pq->invalid);
        st = ngx_queue_data(q, ngx_mntreamer_statement_t, link);

        ngx_memzero(&result, sizeof(ngx_mntreamer_result_t));
        result.rc = NGX_MNTREAMER_PQ_INPUT;

        ngx_mntreamer_pq_finish(st, &result);
    }

    if (!pq->dead) {
        ngx_mntreamer_pq_run(pq);
    }

    ngx_mntreamer_pq_leave(pq);
}


void
ngx_mntreamer_pq_run(ngx_mntreamer_pq_t *pq)
{
    ngx_queue_t                *q;
    ngx_mntreamer_statement_t  *st;

    if (pq->state != NGX_MNTREAMER_PQ_ST_IDLE || ngx_queue_empty(&pq->queue))
    {
        return;
    }

    q = ngx_queue_head(&pq->queue);
    st = ngx_queue_data(q, ngx_mntreamer_statement_t, link);

    if (ngx_mntreamer_pq_conn_tune(pq, st->timeout_ms) != NGX_OK) {
        return;
    }

    st->sent = 1;
    st->sent_ms = ngx_current_msec;

    (void) ngx_mntreamer_pq_conn_send(pq, NGX_MNTREAMER_PQ_ST_BUSY,
                                      st->sql->text, st->sql->nparams,
                                      st->values,
                                      st->timeout_ms
                                      + NGX_MNTREAMER_PQ_GRACE_MS);
}


/*
 * The owner is told in time; a statement that was sent goes on without one,
 * and the connection's deadline comes a little later.
 */

static void
ngx_mntreamer_pq_timeout(ngx_event_t *ev)
{
    ngx_mntreamer_pq_t         *pq;
    ngx_mntreamer_ident_t      *ident;
    ngx_mntreamer_result_t      result;
    ngx_mntreamer_statement_t  *st;

    ident = ev->data;
    st = ident->data;
    pq = st->pq;

    ngx_mntreamer_pq_enter(pq);

    ngx_memzero(&result, sizeof(ngx_mntreamer_result_t));
    result.rc = NGX_MNTREAMER_PQ_AWAY;

    if (st->sent) {
        ngx_mntreamer_pq_tell(st, &result);

    } else {
        ngx_mntreamer_pq_finish(st, &result);
    }

    ngx_mntreamer_pq_leave(pq);
}


void
ngx_mntreamer_pq_answer(ngx_mntreamer_pq_t *pq, PGresult *res)
{
    ngx_uint_t                  again;
    ngx_queue_t                *q;
    ngx_mntreamer_result_t      result;
    ngx_mntreamer_statement_t  *st;

    q = ngx_queue_head(&pq->queue);
    st = ngx_queue_data(q, ngx_mntreamer_statement_t, link);

    again = ngx_mntreamer_pq_classify(pq, res, st->sql, &result);

    if (result.rc != NGX_MNTREAMER_PQ_AWAY) {
        pq->stat.heard_ms = ngx_current_msec;
    }

    if (again == NGX_MNTREAMER_PQ_AGAIN_RECONNECT) {
        ngx_mntreamer_pq_conn_lose(pq, res ? PQresultErrorMessage(res)
                                           : PQerrorMessage(pq->conn));
        return;
    }

    ngx_mntreamer_pq_conn_to(pq, NGX_MNTREAMER_PQ_ST_IDLE, 0);

    if ((again == NGX_MNTREAMER_PQ_AGAIN_CONFLICT
         || again == NGX_MNTREAMER_PQ_AGAIN_SOON)
        && !st->broken_off)
    {
        st->broken_off = 1;
        st->broken_off_ms = st->sent_ms;
    }

    /* its transaction was undone: it need not be idempotent */

    if (again == NGX_MNTREAMER_PQ_AGAIN_CONFLICT && !st->keep && st->done
        && st->conflicts < NGX_MNTREAMER_PQ_CONFLICTS)
    {
        st->conflicts++;
        ngx_mntreamer_pq_repeat(pq, st);
        return;
    }

    /* one that can never pass must not hold up the others for ever */

    if (again && st->keep && st->done
        && (!st->broken_off
            || ngx_current_msec - st->broken_off_ms
               < NGX_MNTREAMER_PQ_GIVE_UP_MS))
    {
        if (again == NGX_MNTREAMER_PQ_AGAIN_LATER) {
            ngx_mntreamer_pq_behind(pq, st, &result);
        }

        ngx_mntreamer_pq_repeat(pq, st);
        return;
    }

    pq->pauses = 0;

    ngx_mntreamer_pq_finish(st, &result);

    if (!pq->dead) {
        ngx_mntreamer_pq_run(pq);
    }
}


/*
 * What the server has no room for, or cannot read, may be this one alone: the
 * others go first, and it waits for as long as that lasts.
 */

static void
ngx_mntreamer_pq_behind(ngx_mntreamer_pq_t *pq, ngx_mntreamer_statement_t *st,
    const ngx_mntreamer_result_t *result)
{
    ngx_queue_remove(&st->link);
    ngx_queue_insert_tail(&pq->queue, &st->link);

    if (!st->behind) {
        st->behind = 1;

        ngx_log_error(NGX_LOG_WARN, pq->log, 0,
                      "mntreamer: the database cannot take \"%s\" (%s), it is "
                      "sent again until it can", st->sql->name,
                      result->sqlstate);
    }
}


static void
ngx_mntreamer_pq_repeat(ngx_mntreamer_pq_t *pq, ngx_mntreamer_statement_t *st)
{
    ngx_msec_t  wait;

    st->sent = 0;

    wait = (ngx_msec_t) NGX_MNTREAMER_PQ_PAUSE_MS << ngx_min(pq->pauses, 8);
    wait = ngx_min(wait, NGX_MNTREAMER_PQ_PAUSE_MAX);
    wait = wait / 2 + 1 + ngx_random() % (wait / 2 + 1);

    pq->pauses++;

    ngx_mntreamer_pq_conn_to(pq, NGX_MNTREAMER_PQ_ST_PAUSE, wait);
}


void
ngx_mntreamer_pq_lost(ngx_mntreamer_pq_t *pq)
{
    ngx_queue_t                *q;
    ngx_mntreamer_result_t      result;
    ngx_mntreamer_statement_t  *st;

    if (ngx_queue_empty(&pq->queue)) {
        return;
    }

    q = ngx_queue_head(&pq->queue);
    st = ngx_queue_data(q, ngx_mntreamer_statement_t, link);

    if (!st->sent) {
        return;
    }

    if (st->keep && st->done) {
        st->sent = 0;
        return;
    }

    ngx_memzero(&result, sizeof(ngx_mntreamer_result_t));
    result.rc = NGX_MNTREAMER_PQ_AWAY;

    ngx_mntreamer_pq_finish(st, &result);
}


/* at most once for a statement; afterwards nobody is interested in it */

static void
ngx_mntreamer_pq_tell(ngx_mntreamer_statement_t *st,
    ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_pq_t       *pq;
    ngx_mntreamer_result_pt   done;

    pq = st->pq;

    if (st->sent) {
        result->elapsed_ms = ngx_current_msec - st->sent_ms;
    }

    pq->stat.statements++;
    pq->stat.failed += (result->rc != NGX_MNTREAMER_PQ_OK);
    pq->stat.busy_ms += result->elapsed_ms;

    done = st->done;
    st->done = NULL;

    if (done) {
        done(st->data, result);
    }
}


static void
ngx_mntreamer_pq_finish(ngx_mntreamer_statement_t *st,
    ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_pq_t  *pq;

    pq = st->pq;

    /* out of the queue first: done() may destroy it */

    ngx_queue_remove(&st->link);
    ngx_queue_init(&st->link);

    pq->stat.queued--;
    pq->nkeep -= st->keep;

    if (st->timer.timer_set) {
        ngx_del_timer(&st->timer);
    }

    st->delivering = 1;

    if (st->done) {
        ngx_mntreamer_pq_tell(st, result);
    }

    ngx_free(st);
}


static void
ngx_mntreamer_pq_free(ngx_mntreamer_statement_t *st)
{
    ngx_queue_remove(&st->link);

    st->pq->stat.queued--;
    st->pq->nkeep -= st->keep;

    if (st->timer.timer_set) {
        ngx_del_timer(&st->timer);
    }

    ngx_free(st);
}


static ngx_uint_t
ngx_mntreamer_pq_classify(ngx_mntreamer_pq_t *pq, PGresult *res,
    const ngx_mntreamer_sql_t *sql, ngx_mntreamer_result_t *result)
{
    char        *s;
    ngx_uint_t   again;

    ngx_memzero(result, sizeof(ngx_mntreamer_result_t));

    result->rows = (ngx_mntreamer_rows_t *) res;

    switch (PQresultStatus(res)) {

    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:

        if ((ngx_uint_t) PQnfields(res) == sql->ncolumns) {
            result->nrows = (ngx_uint_t) PQntuples(res);
            return NGX_MNTREAMER_PQ_AGAIN_NO;
        }

        ngx_log_error(NGX_LOG_ERR, pq->log, 0,
                      "statement \"%s\" gave %d columns instead of %ui",
                      sql->name, PQnfields(res), sql->ncolumns);

        result->rc = NGX_MNTREAMER_PQ_FAILED;
        return NGX_MNTREAMER_PQ_AGAIN_NO;

    default:
        break;
    }

    s = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    if (s == NULL || ngx_strlen(s) != 5) {

        /* libpq's own: the connection broke, or it could not read the rest */

        result->rc = NGX_MNTREAMER_PQ_AWAY;
        return NGX_MNTREAMER_PQ_AGAIN_RECONNECT;
    }

    ngx_memcpy(result->sqlstate, s, 6);

    again = ngx_mntreamer_pq_sqlstate(s, &result->rc);

    s = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);

    if (result->rc == NGX_MNTREAMER_PQ_CONSTRAINT && s) {
        result->constraint.data = (u_char *) s;
        result->constraint.len = ngx_strlen(s);
    }

    ngx_mntreamer_pq_log(pq, res, sql, result);

    if (again != NGX_MNTREAMER_PQ_AGAIN_NO
        && PQstatus(pq->conn) != CONNECTION_OK)
    {
        again = NGX_MNTREAMER_PQ_AGAIN_RECONNECT;
    }

    return again;
}


static ngx_uint_t
ngx_mntreamer_pq_sqlstate(const char *s, ngx_uint_t *rc)
{
    ngx_uint_t  i;

    static const struct {
        const char  *prefix;
        ngx_uint_t   rc;
        ngx_uint_t   again;
    } classes[] = {
        { "23",    NGX_MNTREAMER_PQ_CONSTRAINT, NGX_MNTREAMER_PQ_AGAIN_NO },
        { "22",    NGX_MNTREAMER_PQ_INPUT, NGX_MNTREAMER_PQ_AGAIN_NO },

        /* serialization failure, deadlock, time limits of the server */
        { "40001", NGX_MNTREAMER_PQ_AWAY, NGX_MNTREAMER_PQ_AGAIN_CONFLICT },
        { "40P01", NGX_MNTREAMER_PQ_AWAY, NGX_MNTREAMER_PQ_AGAIN_CONFLICT },
        { "55P03", NGX_MNTREAMER_PQ_AWAY, NGX_MNTREAMER_PQ_AGAIN_SOON },
        { "57014", NGX_MNTREAMER_PQ_AWAY, NGX_MNTREAMER_PQ_AGAIN_SOON },

        /* disk full, out of memory, too many connections; I/O errors */
        { "53",    NGX_MNTREAMER_PQ_AWAY, NGX_MNTREAMER_PQ_AGAIN_LATER },
        { "58",    NGX_MNTREAMER_PQ_AWAY, NGX_MNTREAMER_PQ_AGAIN_LATER },

        /* connection lost, shut down; read only: another host may not be */
        { "08",    NGX_MNTREAMER_PQ_AWAY, NGX_MNTREAMER_PQ_AGAIN_RECONNECT },
        { "57P",   NGX_MNTREAMER_PQ_AWAY, NGX_MNTREAMER_PQ_AGAIN_RECONNECT },
        { "25006", NGX_MNTREAMER_PQ_AWAY, NGX_MNTREAMER_PQ_AGAIN_RECONNECT }
    };

    for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (ngx_strncmp(s, classes[i].prefix, ngx_strlen(classes[i].prefix))
            == 0)
        {
            *rc = classes[i].rc;
            return classes[i].again;
        }
    }

    *rc = NGX_MNTREAMER_PQ_FAILED;

    return NGX_MNTREAMER_PQ_AGAIN_NO;
}


static void
ngx_mntreamer_pq_log(ngx_mntreamer_pq_t *pq, PGresult *res,
    const ngx_mntreamer_sql_t *sql, ngx_mntreamer_result_t *result)
{
    u_char      text[256];
    ngx_uint_t  level;

    /* DETAIL may hold values, the primary message mostly does not */

    level = (result->rc == NGX_MNTREAMER_PQ_FAILED) ? NGX_LOG_ERR
                                                    : NGX_LOG_INFO;

    ngx_log_error(level, pq->log, 0, "statement \"%s\" failed, %s: %s",
                  sql->name, result->sqlstate,
                  ngx_mntreamer_pq_text(text, sizeof(text),
                                        PQresultErrorField(res,
                                                 PG_DIAG_MESSAGE_PRIMARY)));
}
