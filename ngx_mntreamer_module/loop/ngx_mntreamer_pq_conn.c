
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The connection: one libpq handle in nginx's event loop.
 *
 * state       entered by     waits for        deadline        then
 * WAIT        _lose          the back-off     100 ms .. 2 s   CONNECTING
 * CONNECTING  _start         PQconnectPoll    connect_ms      WAIT
 * SETUP       connected      each statement   connect_ms      WAIT
 * IDLE        an answer      the queue        -               -
 * TUNE        _tune          the answer       connect_ms      WAIT
 * BUSY        _run           the answer       the statement's WAIT
 *                                             and a little
 * PAUSE       _answer        the back-off     25 ms .. 5 s    IDLE
 *
 * All of them end by _close.  The server limits each statement too, so that
 * ours normally answers with an error before the deadline, and it looks every
 * second whether we are still there: an abandoned statement does not linger.
 *
 * No libpq call here may block: no PQcancel, no PQgetResult while PQisBusy,
 * no host name to resolve.  Answers are held in memory whole; it is LIMIT in
 * the statement that bounds them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_pq_internal.h"


#define NGX_MNTREAMER_PQ_BACKOFF_MIN_MS  100
#define NGX_MNTREAMER_PQ_BACKOFF_MAX_MS  2000


static void ngx_mntreamer_pq_conn_start(ngx_mntreamer_pq_t *pq);
static void ngx_mntreamer_pq_conn_poll(ngx_mntreamer_pq_t *pq);
static ngx_int_t ngx_mntreamer_pq_conn_watch(ngx_mntreamer_pq_t *pq,
    ngx_uint_t events);
static void ngx_mntreamer_pq_conn_unwatch(ngx_mntreamer_pq_t *pq);
static void ngx_mntreamer_pq_conn_made(ngx_mntreamer_pq_t *pq);
static void ngx_mntreamer_pq_conn_setup(ngx_mntreamer_pq_t *pq);
static void ngx_mntreamer_pq_conn_handler(ngx_mntreamer_watch_t *w,
    void *data, ngx_socket_t fd, ngx_uint_t events);
static void ngx_mntreamer_pq_conn_io(ngx_mntreamer_pq_t *pq,
    ngx_uint_t events);
static ngx_int_t ngx_mntreamer_pq_conn_flush(ngx_mntreamer_pq_t *pq);
static void ngx_mntreamer_pq_conn_notifies(ngx_mntreamer_pq_t *pq);
static void ngx_mntreamer_pq_conn_results(ngx_mntreamer_pq_t *pq);
static void ngx_mntreamer_pq_conn_complete(ngx_mntreamer_pq_t *pq,
    PGresult *res);
static void ngx_mntreamer_pq_conn_timer(ngx_event_t *ev);
static void ngx_mntreamer_pq_conn_notice(void *data, const char *message);


static const char  *ngx_mntreamer_pq_states[] = {
    "wait", "connecting", "setup", "idle", "tune", "busy", "pause"
};


/*
 * By a statement and not by the connection string: poolers refuse unknown
 * start-up parameters, and servers before 14 the check of the client.
 */

static const char  ngx_mntreamer_pq_settings[] =
    "SELECT set_config(s.name, v.setting, false)"
    " FROM (VALUES ('statement_timeout', $1), ('lock_timeout', $2),"
    " ('idle_in_transaction_session_timeout', $1),"
    " ('client_connection_check_interval', '1000'),"
    " ('TimeZone', 'UTC'), ('DateStyle', 'ISO, MDY'),"
    " ('standard_conforming_strings', 'on')) AS v (name, setting)"
    " JOIN pg_settings s ON s.name = v.name";

static const char  ngx_mntreamer_pq_limits[] =
    "SELECT set_config('statement_timeout', $1, false),"
    " set_config('lock_timeout', $2, false)";


void
ngx_mntreamer_pq_conn_init(ngx_mntreamer_pq_t *pq)
{
    pq->timer.handler = ngx_mntreamer_pq_conn_timer;
    pq->timer.data = &pq->ident;
    pq->timer.log = pq->log;
    pq->timer.cancelable = 1;

    /* workers that start together do not connect together */

    ngx_mntreamer_pq_conn_to(pq, NGX_MNTREAMER_PQ_ST_WAIT,
                             1 + ngx_random() % 20);
}


void
ngx_mntreamer_pq_conn_to(ngx_mntreamer_pq_t *pq, ngx_uint_t state,
    ngx_msec_t deadline_ms)
{
    ngx_log_debug3(NGX_LOG_DEBUG_CORE, pq->log, 0,
                   "mntreamer pq: %s -> %s, %M ms",
                   ngx_mntreamer_pq_states[pq->state],
                   ngx_mntreamer_pq_states[state], deadline_ms);

    pq->state = state;

    if (pq->timer.timer_set) {
        ngx_del_timer(&pq->timer);
    }

    if (deadline_ms) {
        ngx_add_timer(&pq->timer, deadline_ms);
    }
}


static void
ngx_mntreamer_pq_conn_start(ngx_mntreamer_pq_t *pq)
{
    const char  *keys[9], *values[9];
    ngx_uint_t   n;

    n = 0;

    /* what stands before "dbname" can be changed by the connection string */

    keys[n] = "keepalives_idle";
    values[n++] = "30";
    keys[n] = "keepalives_interval";
    values[n++] = "10";
    keys[n] = "keepalives_count";
    values[n++] = "3";
    keys[n] = "tcp_user_timeout";
    values[n++] = "30000";
    keys[n] = "gssencmode";
    values[n++] = "disable";
    keys[n] = "application_name";
    values[n++] = (char *) pq->conf.name.data;
    keys[n] = "dbname";
    values[n++] = (char *) pq->conf.conninfo.data;
    keys[n] = "client_encoding";
    values[n++] = "UTF8";
    keys[n] = NULL;
    values[n] = NULL;

    pq->conn = PQconnectStartParams(keys, values, 1);

    if (pq->conn == NULL || PQstatus(pq->conn) == CONNECTION_BAD) {
        ngx_mntreamer_pq_conn_lose(pq, PQerrorMessage(pq->conn));
        return;
    }

    (void) PQsetNoticeProcessor(pq->conn, ngx_mntreamer_pq_conn_notice, pq);

    ngx_mntreamer_pq_conn_to(pq, NGX_MNTREAMER_PQ_ST_CONNECTING,
                             pq->conf.connect_ms);

    /* libpq: as if PQconnectPoll() had returned PGRES_POLLING_WRITING */

    if (ngx_mntreamer_pq_conn_watch(pq, NGX_MNTREAMER_WRITABLE) != NGX_OK) {
        ngx_mntreamer_pq_conn_lose(pq, "the socket could not be watched");
    }
}


/*
 * The socket is let go before each step: libpq may replace it by another one
 * with the same number, which epoll then does not know.
 */

static void
ngx_mntreamer_pq_conn_poll(ngx_mntreamer_pq_t *pq)
{
    ngx_int_t  rc;

    ngx_mntreamer_pq_conn_unwatch(pq);

    switch (PQconnectPoll(pq->conn)) {

    case PGRES_POLLING_READING:
        rc = ngx_mntreamer_pq_conn_watch(pq, NGX_MNTREAMER_READABLE);
        break;

    case PGRES_POLLING_WRITING:
        rc = ngx_mntreamer_pq_conn_watch(pq, NGX_MNTREAMER_WRITABLE);
        break;

    case PGRES_POLLING_OK:
        ngx_mntreamer_pq_conn_made(pq);
        return;

    default:
        ngx_mntreamer_pq_conn_lose(pq, PQerrorMessage(pq->conn));
        return;
    }

    if (rc != NGX_OK) {
        ngx_mntreamer_pq_conn_lose(pq, "the socket could not be watched");
    }
}


static ngx_int_t
ngx_mntreamer_pq_conn_watch(ngx_mntreamer_pq_t *pq, ngx_uint_t events)
{
    if (pq->watch == NULL) {
        pq->watch = ngx_mntreamer_watch_open(PQsocket(pq->conn),
                                             ngx_mntreamer_pq_conn_handler,
                                             pq, pq->log);
        if (pq->watch == NULL) {
            return NGX_ERROR;
        }
    }

    return ngx_mntreamer_watch_set(pq->watch, events);
}


static void
ngx_mntreamer_pq_conn_unwatch(ngx_mntreamer_pq_t *pq)
{
    if (pq->watch == NULL) {
        return;
    }

    /* libpq closes the socket itself when it sees the connection break */

    if (PQsocket(pq->conn) == -1) {
        ngx_mntreamer_watch_forget(pq->watch);

    } else {
        ngx_mntreamer_watch_close(pq->watch);
    }

    pq->watch = NULL;
}


static void
ngx_mntreamer_pq_conn_made(ngx_mntreamer_pq_t *pq)
{
    if (PQsetnonblocking(pq->conn, 1) != 0) {
        ngx_mntreamer_pq_conn_lose(pq, PQerrorMessage(pq->conn));
        return;
    }

    pq->setup = 0;

    ngx_mntreamer_pq_conn_setup(pq);
}


static void
ngx_mntreamer_pq_conn_setup(ngx_mntreamer_pq_t *pq)
{
    char         *name;
    u_char        limit[2][NGX_INT_T_LEN + 1], text[128];
    const char   *values[2];

    if (pq->setup == 0) {
        pq->limit_ms = pq->conf.statement_ms;

        ngx_sprintf(limit[0], "%M%Z", pq->limit_ms);
        ngx_sprintf(limit[1], "%M%Z", ngx_max(pq->limit_ms / 4 * 3, 1));

        values[0] = (char *) limit[0];
        values[1] = (char *) limit[1];

        (void) ngx_mntreamer_pq_conn_send(pq, NGX_MNTREAMER_PQ_ST_SETUP,
                                          ngx_mntreamer_pq_settings, 2, values,
                                          pq->conf.connect_ms);
        return;
    }

    if (pq->conf.listen && pq->conf.listen[pq->setup - 1]) {
        name = PQescapeIdentifier(pq->conn, pq->conf.listen[pq->setup - 1],
                                  ngx_strlen(pq->conf.listen[pq->setup - 1]));
        if (name == NULL) {
            ngx_mntreamer_pq_conn_lose(pq, PQerrorMessage(pq->conn));
            return;
        }

        *ngx_snprintf(text, sizeof(text) - 1, "LISTEN %s", name) = '\0';
        PQfreemem(name);

        (void) ngx_mntreamer_pq_conn_send(pq, NGX_MNTREAMER_PQ_ST_SETUP,
                                          (char *) text, 0, NULL,
                                          pq->conf.connect_ms);
        return;
    }

    ngx_mntreamer_pq_conn_to(pq, NGX_MNTREAMER_PQ_ST_IDLE, 0);

    ngx_log_error(NGX_LOG_INFO, pq->log, 0, "database \"%V\" is connected",
                  &pq->conf.name);

    pq->stat.up = 1;
    pq->up_ms = ngx_current_msec;
    pq->stat.heard_ms = ngx_current_msec;

    if (pq->conf.state) {
        pq->conf.state(pq->conf.data, 1);
    }

    if (!pq->dead) {
        ngx_mntreamer_pq_run(pq);
    }
}


ngx_int_t
ngx_mntreamer_pq_conn_tune(ngx_mntreamer_pq_t *pq, ngx_msec_t timeout_ms)
{
    u_char       limit[2][NGX_INT_T_LEN + 1];
    const char  *values[2];

    timeout_ms = ngx_max(timeout_ms, pq->conf.statement_ms);

    if (timeout_ms == pq->limit_ms) {
        return NGX_OK;
    }

    pq->limit_ms = timeout_ms;

    ngx_sprintf(limit[0], "%M%Z", pq->limit_ms);
    ngx_sprintf(limit[1], "%M%Z", ngx_max(pq->limit_ms / 4 * 3, 1));

    values[0] = (char *) limit[0];
    values[1] = (char *) limit[1];

    if (ngx_mntreamer_pq_conn_send(pq, NGX_MNTREAMER_PQ_ST_TUNE,
                                   ngx_mntreamer_pq_limits, 2, values,
                                   pq->conf.connect_ms)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


ngx_int_t
ngx_mntreamer_pq_conn_send(ngx_mntreamer_pq_t *pq, ngx_uint_t state,
    const char *text, ngx_uint_t nparams, const char *const *values,
    ngx_msec_t deadline_ms)
{
    ngx_mntreamer_pq_conn_to(pq, state, deadline_ms);

    /* not prepared: a pooler may give each statement another connection */

    if (PQsendQueryParams(pq->conn, text, (int) nparams, NULL, values, NULL,
                          NULL, 0)
        != 1)
    {
        ngx_mntreamer_pq_conn_lose(pq, PQerrorMessage(pq->conn));
        return NGX_ERROR;
    }

    return ngx_mntreamer_pq_conn_flush(pq);
}


static ngx_int_t
ngx_mntreamer_pq_conn_flush(ngx_mntreamer_pq_t *pq)
{
    int         rc;
    ngx_uint_t  events;

    rc = PQflush(pq->conn);

    if (rc == -1 || PQsocket(pq->conn) == -1) {
        ngx_mntreamer_pq_conn_lose(pq, PQerrorMessage(pq->conn));
        return NGX_ERROR;
    }

    events = NGX_MNTREAMER_READABLE;

    if (rc == 1) {
        events |= NGX_MNTREAMER_WRITABLE;
    }

    if (ngx_mntreamer_pq_conn_watch(pq, events) != NGX_OK) {
        ngx_mntreamer_pq_conn_lose(pq, "the socket could not be watched");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_mntreamer_pq_conn_handler(ngx_mntreamer_watch_t *w, void *data,
    ngx_socket_t fd, ngx_uint_t events)
{
    ngx_mntreamer_pq_t  *pq = data;

    ngx_mntreamer_pq_enter(pq);

    if (events & NGX_MNTREAMER_BROKEN) {
        ngx_mntreamer_pq_conn_lose(pq, "the socket was shut down");

    } else if (pq->state == NGX_MNTREAMER_PQ_ST_CONNECTING) {
        ngx_mntreamer_pq_conn_poll(pq);

    } else {
        ngx_mntreamer_pq_conn_io(pq, events);
    }

    ngx_mntreamer_pq_leave(pq);
}


static void
ngx_mntreamer_pq_conn_io(ngx_mntreamer_pq_t *pq, ngx_uint_t events)
{
    if (events & NGX_MNTREAMER_READABLE) {
        if (PQconsumeInput(pq->conn) != 1) {
            ngx_mntreamer_pq_conn_lose(pq, PQerrorMessage(pq->conn));
            return;
        }
    }

    if (ngx_mntreamer_pq_conn_flush(pq) != NGX_OK) {
        return;
    }

    ngx_mntreamer_pq_conn_notifies(pq);

    if (pq->dead) {
        return;
    }

    switch (pq->state) {

    case NGX_MNTREAMER_PQ_ST_SETUP:
    case NGX_MNTREAMER_PQ_ST_TUNE:
    case NGX_MNTREAMER_PQ_ST_BUSY:
        ngx_mntreamer_pq_conn_results(pq);
        break;

    default:
        break;
    }

    /* those that stood behind the answer */

    if (pq->conn) {
        ngx_mntreamer_pq_conn_notifies(pq);
    }

    if (pq->conn && PQsocket(pq->conn) == -1) {
        ngx_mntreamer_pq_conn_lose(pq, PQerrorMessage(pq->conn));
    }
}


static void
ngx_mntreamer_pq_conn_notifies(ngx_mntreamer_pq_t *pq)
{
    PGnotify   *n;
    ngx_str_t   channel, payload;

    while (pq->conn && (n = PQnotifies(pq->conn)) != NULL) {
        channel.data = (u_char *) n->relname;
        channel.len = ngx_strlen(n->relname);
        payload.data = (u_char *) n->extra;
        payload.len = ngx_strlen(n->extra);

        if (pq->conf.notify) {
            pq->conf.notify(pq->conf.data, &channel, &payload);
        }

        PQfreemem(n);
    }
}


static void
ngx_mntreamer_pq_conn_results(ngx_mntreamer_pq_t *pq)
{
    PGresult  *res;

    while (!PQisBusy(pq->conn)) {
        res = PQgetResult(pq->conn);

        if (res == NULL) {
            res = pq->result;
            pq->result = NULL;

            ngx_mntreamer_pq_conn_complete(pq, res);

            PQclear(res);
            return;
        }

        switch (PQresultStatus(res)) {

        case PGRES_COPY_IN:
        case PGRES_COPY_OUT:
        case PGRES_COPY_BOTH:
            PQclear(res);
            ngx_mntreamer_pq_conn_lose(pq, "COPY is not supported");
            return;

        default:
            break;
        }

        /* after the first error only its consequences come */

        if (pq->result
            && PQresultStatus(pq->result) == PGRES_FATAL_ERROR)
        {
            PQclear(res);
            continue;
        }

        PQclear(pq->result);
        pq->result = res;
    }
}


static void
ngx_mntreamer_pq_conn_complete(ngx_mntreamer_pq_t *pq, PGresult *res)
{
    ngx_uint_t  state;

    state = pq->state;

    if (state == NGX_MNTREAMER_PQ_ST_BUSY) {
        ngx_mntreamer_pq_answer(pq, res);
        return;
    }

    switch (PQresultStatus(res)) {

    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
        break;

    default:
        ngx_mntreamer_pq_conn_lose(pq, PQresultErrorMessage(res));
        return;
    }

    if (state == NGX_MNTREAMER_PQ_ST_SETUP) {
        pq->setup++;
        ngx_mntreamer_pq_conn_setup(pq);
        return;
    }

    ngx_mntreamer_pq_conn_to(pq, NGX_MNTREAMER_PQ_ST_IDLE, 0);
    ngx_mntreamer_pq_run(pq);
}


static void
ngx_mntreamer_pq_conn_timer(ngx_event_t *ev)
{
    ngx_mntreamer_pq_t     *pq;
    ngx_mntreamer_ident_t  *ident;

    ident = ev->data;
    pq = ident->data;

    ngx_mntreamer_pq_enter(pq);

    switch (pq->state) {

    case NGX_MNTREAMER_PQ_ST_WAIT:
        ngx_mntreamer_pq_conn_start(pq);
        break;

    case NGX_MNTREAMER_PQ_ST_PAUSE:
        ngx_mntreamer_pq_conn_to(pq, NGX_MNTREAMER_PQ_ST_IDLE, 0);
        ngx_mntreamer_pq_run(pq);
        break;

    case NGX_MNTREAMER_PQ_ST_CONNECTING:
    case NGX_MNTREAMER_PQ_ST_SETUP:
        ngx_mntreamer_pq_conn_lose(pq, "timed out while connecting");
        break;

    default:
        ngx_mntreamer_pq_conn_lose(pq, "timed out while waiting for an"
                                       " answer");
        break;
    }

    ngx_mntreamer_pq_leave(pq);
}


void
ngx_mntreamer_pq_conn_close(ngx_mntreamer_pq_t *pq)
{
    /* PQfinish() closes the socket */

    ngx_mntreamer_pq_conn_unwatch(pq);

    PQclear(pq->result);
    pq->result = NULL;

    if (pq->conn) {
        PQfinish(pq->conn);
        pq->conn = NULL;
    }

    if (pq->timer.timer_set) {
        ngx_del_timer(&pq->timer);
    }
}


void
ngx_mntreamer_pq_conn_lose(ngx_mntreamer_pq_t *pq, const char *why)
{
    u_char      text[256];
    ngx_uint_t  was_up, level;
    ngx_msec_t  wait, span;

    was_up = pq->stat.up;

    /* not by an answer: one that is read only answers a few, each time */

    if (was_up && ngx_current_msec - pq->up_ms
                  > NGX_MNTREAMER_PQ_BACKOFF_MAX_MS)
    {
        pq->failures = 0;
    }

    /* the first, then every power of two */

    level = (pq->failures & (pq->failures - 1)) ? NGX_LOG_INFO : NGX_LOG_WARN;

    ngx_log_error(level, pq->log, 0,
                  "database \"%V\" is away, failures: %ui: %s",
                  &pq->conf.name, pq->failures + 1,
                  ngx_mntreamer_pq_text(text, sizeof(text), why));

    ngx_mntreamer_pq_conn_close(pq);

    span = (ngx_msec_t) NGX_MNTREAMER_PQ_BACKOFF_MIN_MS
           << ngx_min(pq->failures + 1, 8);
    span = ngx_min(span, NGX_MNTREAMER_PQ_BACKOFF_MAX_MS)
           - NGX_MNTREAMER_PQ_BACKOFF_MIN_MS;

    wait = NGX_MNTREAMER_PQ_BACKOFF_MIN_MS + ngx_random() % (span + 1);

    ngx_mntreamer_pq_conn_to(pq, NGX_MNTREAMER_PQ_ST_WAIT, wait);

    pq->failures++;
    pq->stat.up = 0;
    pq->stat.reconnects++;

    ngx_mntreamer_pq_lost(pq);

    if (was_up && !pq->dead && pq->conf.state) {
        pq->conf.state(pq->conf.data, 0);
    }
}


static void
ngx_mntreamer_pq_conn_notice(void *data, const char *message)
{
    u_char               text[256];
    ngx_mntreamer_pq_t  *pq = data;

    ngx_log_error(NGX_LOG_INFO, pq->log, 0, "database \"%V\": %s",
                  &pq->conf.name,
                  ngx_mntreamer_pq_text(text, sizeof(text), message));
}


u_char *
ngx_mntreamer_pq_text(u_char *buf, size_t size, const char *text)
{
    u_char  *p, *last;

    p = buf;
    last = buf + size - 1;

    while (text && *text && p < last) {
        *p++ = ((u_char) *text < 0x20 || *text == 0x7f) ? ' '
                                                        : (u_char) *text;
        text++;
    }

    /* cppcheck takes the array for what is in it */

    /* cppcheck-suppress uninitvar */
    while (p > buf && p[-1] == ' ') {
        p--;
    }

    *p = '\0';

    /* cppcheck-suppress uninitvar */
    return buf;
}
