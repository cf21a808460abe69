
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Tells followers.  _run() takes what is due, as much of it as there is room
 * for: one that hangs keeps only its own room.  Each becomes a telling, which
 * is one try; what follows is decided by the database.
 *
 * state    entered by     waits for            deadline  then     on drain
 * POSTING  claimed        the follower         2 s       WRITING  finished
 * WRITING  answered       its row, kept while  the room  PAUSING  finished
 *                         the database is away           or gone
 * PAUSING  tried in vain  timer                0.5 s     due      gone
 *
 * A notification says when something is due; each worker also looks every 5 s,
 * for behind some poolers there are none, and for what a dead one left.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_follow.h"
#include "mnt_follow.h"
#include "../loop/ngx_mntreamer_watch.h"


#define NGX_MNTREAMER_FOLLOW_TOTAL_MS  2000
#define NGX_MNTREAMER_FOLLOW_PAUSE_MS  520    /* the row says 500 */
#define NGX_MNTREAMER_FOLLOW_LOOK_MS   5000
#define NGX_MNTREAMER_FOLLOW_ROOM      8      /* tellings of one follower */
#define NGX_MNTREAMER_FOLLOW_ANSWER    65536  /* bytes of one; not read */
#define NGX_MNTREAMER_FOLLOW_NAME      64


typedef enum {
    NGX_MNTREAMER_TELLING_POSTING = 0,
    NGX_MNTREAMER_TELLING_WRITING,
    NGX_MNTREAMER_TELLING_PAUSING
} ngx_mntreamer_telling_state_e;

/* the labels of the metric; words of mntreamer_follow_told() in this order */

typedef enum {
    NGX_MNTREAMER_FOLLOWED_TOLD = 0,
    NGX_MNTREAMER_FOLLOWED_AGAIN,
    NGX_MNTREAMER_FOLLOWED_DEGRADED,
    NGX_MNTREAMER_FOLLOWED_CLOSED,
    NGX_MNTREAMER_FOLLOWED_LOST,
    NGX_MNTREAMER_FOLLOWED_MAX
} ngx_mntreamer_followed_e;


typedef struct {
    ngx_queue_t                     queue;
    ngx_mntreamer_follow_t         *fl;       /* alias */
    ngx_mntreamer_telling_state_e   state;
    ngx_uint_t                      follower; /* index */
    int64_t                         id;       /* of the row */
    int64_t                         tries;
    ngx_uint_t                      ends;     /* unsigned :1 */
    ngx_mntreamer_transfer_t       *tr;       /* owned while POSTING */
    ngx_mntreamer_statement_t      *st;       /* owned while WRITING */
    ngx_event_t                     timer;    /* while PAUSING */
    ngx_mntreamer_ident_t           ident;
    ngx_uint_t                      http;
    ngx_uint_t                      rc;       /* of the transfer */
    u_char                          name[NGX_MNTREAMER_FOLLOW_NAME];
} ngx_mntreamer_telling_t;

struct ngx_mntreamer_follow_s {
    ngx_mntreamer_follower_conf_t  *followers;    /* alias */
    ngx_uint_t                      n;
    ngx_uint_t                     *running;      /* owned; of each */
    ngx_mntreamer_curl_t           *curl;         /* alias, as those below */
    ngx_mntreamer_catalog_t        *cat;
    ngx_mntreamer_metrics_t        *metrics;
    ngx_log_t                      *log;
    ngx_queue_t                     tellings;     /* owned */
    ngx_mntreamer_statement_t      *claim;        /* owned, if under way */
    ngx_event_t                     look;
    ngx_mntreamer_ident_t           ident;
    ngx_mntreamer_followed_pt       done;
    void                           *data;         /* alias */
    unsigned                        up:1;
    unsigned                        due:1;
    unsigned                        draining:1;
};


static void ngx_mntreamer_follow_run(ngx_mntreamer_follow_t *fl);
static ngx_str_t ngx_mntreamer_follow_room(ngx_mntreamer_follow_t *fl,
    ngx_pool_t *pool);
static void ngx_mntreamer_follow_look(ngx_event_t *ev);
static void ngx_mntreamer_follow_claimed(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_follow_settled(ngx_mntreamer_follow_t *fl);
static ngx_int_t ngx_mntreamer_telling_start(ngx_mntreamer_follow_t *fl,
    const ngx_mntreamer_result_t *result, ngx_uint_t row);
static ngx_int_t ngx_mntreamer_telling_post(ngx_mntreamer_telling_t *t,
    ngx_str_t *key, ngx_str_t *body);
static ngx_int_t ngx_mntreamer_telling_body(void *data,
    const ngx_mntreamer_answer_t *head, u_char *p, size_t len);
static void ngx_mntreamer_telling_posted(void *data,
    const ngx_mntreamer_answer_t *answer);
static void ngx_mntreamer_telling_written(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_telling_tell(ngx_mntreamer_telling_t *t,
    ngx_uint_t what);
static void ngx_mntreamer_telling_timer(ngx_event_t *ev);
static void ngx_mntreamer_telling_free(ngx_mntreamer_telling_t *t);


static const char  *ngx_mntreamer_followed_words[] = {
    "told", "again", "degraded", "closed", "lost"
};


ngx_mntreamer_follow_t *
ngx_mntreamer_follow_create(ngx_array_t *followers,
    ngx_mntreamer_curl_t *curl, ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_metrics_t *metrics, ngx_log_t *log)
{
    ngx_mntreamer_follow_t  *fl;

    fl = ngx_calloc(sizeof(ngx_mntreamer_follow_t), log);
    if (fl == NULL) {
        return NULL;
    }

    fl->running = ngx_calloc(followers->nelts * sizeof(ngx_uint_t), log);
    if (fl->running == NULL) {
        ngx_free(fl);
        return NULL;
    }

    fl->followers = followers->elts;
    fl->n = followers->nelts;
    fl->curl = curl;
    fl->cat = cat;
    fl->metrics = metrics;
    fl->log = log;

    ngx_queue_init(&fl->tellings);

    fl->ident.data = fl;
    fl->ident.fd = (ngx_socket_t) -1;
    fl->look.handler = ngx_mntreamer_follow_look;
    fl->look.data = &fl->ident;
    fl->look.log = log;
    fl->look.cancelable = 1;

    ngx_add_timer(&fl->look, NGX_MNTREAMER_FOLLOW_LOOK_MS
                             + ngx_random() % 1000);

    return fl;
}


void
ngx_mntreamer_follow_destroy(ngx_mntreamer_follow_t *fl)
{
    ngx_queue_t              *q;
    ngx_mntreamer_telling_t  *t;

    while (!ngx_queue_empty(&fl->tellings)) {
        q = ngx_queue_head(&fl->tellings);
        t = ngx_queue_data(q, ngx_mntreamer_telling_t, queue);
        ngx_mntreamer_telling_free(t);
    }

    if (fl->claim) {
        ngx_mntreamer_catalog_follow_forget(fl->claim);
    }

    if (fl->look.timer_set) {
        ngx_del_timer(&fl->look);
    }

    ngx_free(fl->running);
    ngx_free(fl);
}


void
ngx_mntreamer_follow_state(ngx_mntreamer_follow_t *fl, ngx_uint_t up)
{
    fl->up = (up != 0);

    if (up) {
        ngx_mntreamer_follow_due(fl);
    }
}


void
ngx_mntreamer_follow_due(ngx_mntreamer_follow_t *fl)
{
    fl->due = 1;

    ngx_mntreamer_follow_run(fl);
}


ngx_int_t
ngx_mntreamer_follow_drain(ngx_mntreamer_follow_t *fl,
    ngx_mntreamer_followed_pt done, void *data)
{
    ngx_queue_t              *q, *next;
    ngx_mntreamer_telling_t  *t;

    fl->draining = 1;

    if (fl->look.timer_set) {
        ngx_del_timer(&fl->look);
    }

    for (q = ngx_queue_head(&fl->tellings);
         q != ngx_queue_sentinel(&fl->tellings);
         q = next)
    {
        next = ngx_queue_next(q);
        t = ngx_queue_data(q, ngx_mntreamer_telling_t, queue);

        if (t->state == NGX_MNTREAMER_TELLING_PAUSING) {
            ngx_mntreamer_telling_free(t);
        }
    }

    if (fl->claim == NULL && ngx_queue_empty(&fl->tellings)) {
        return NGX_OK;
    }

    fl->done = done;
    fl->data = data;

    return NGX_AGAIN;
}


static void
ngx_mntreamer_follow_run(ngx_mntreamer_follow_t *fl)
{
    ngx_str_t    room;
    ngx_pool_t  *pool;

    if (!fl->due || !fl->up || fl->draining || fl->claim) {
        return;
    }

    pool = ngx_create_pool(1024, fl->log);
    if (pool == NULL) {
        return;
    }

    room = ngx_mntreamer_follow_room(fl, pool);

    /* without room it stays due until a telling is over */

    if (room.len > sizeof("{}") - 1) {
        fl->due = 0;
        fl->claim = ngx_mntreamer_catalog_follow_claim(fl->cat, &room,
                                                 NGX_MNTREAMER_FOLLOW_ROOM,
                                                 ngx_mntreamer_follow_claimed,
                                                 fl);
    }

    ngx_destroy_pool(pool);
}


/* an array of those that can be told more; one claim brings a room at most */

static ngx_str_t
ngx_mntreamer_follow_room(ngx_mntreamer_follow_t *fl, ngx_pool_t *pool)
{
    ngx_str_t                 none;
    ngx_uint_t                i;
    ngx_mntreamer_pq_array_t  b;

    ngx_str_null(&none);
    ngx_memzero(&b, sizeof(ngx_mntreamer_pq_array_t));
    b.pool = pool;

    for (i = 0; i < fl->n; i++) {
        if (fl->running[i] < NGX_MNTREAMER_FOLLOW_ROOM) {
            ngx_mntreamer_pq_array_text(&b, &fl->followers[i].hash);
        }
    }

    return b.n ? ngx_mntreamer_pq_array_end(&b) : none;
}


static void
ngx_mntreamer_follow_look(ngx_event_t *ev)
{
    ngx_mntreamer_ident_t   *ident = ev->data;
    ngx_mntreamer_follow_t  *fl = ident->data;

    ngx_add_timer(ev, NGX_MNTREAMER_FOLLOW_LOOK_MS);

    ngx_mntreamer_follow_due(fl);
}


static void
ngx_mntreamer_follow_claimed(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_follow_t *fl = data;

    ngx_uint_t  i;

    fl->claim = NULL;

    /* also while it drains: they are ours now */

    if (result->rc == NGX_MNTREAMER_PQ_OK) {
        for (i = 0; i < result->nrows; i++) {
            if (ngx_mntreamer_telling_start(fl, result, i) != NGX_OK) {
                ngx_log_error(NGX_LOG_ERR, fl->log, 0,
                              "mntreamer: a follower could not be told yet");
            }
        }

        if (result->nrows == NGX_MNTREAMER_FOLLOW_ROOM) {
            fl->due = 1;
        }
    }

    ngx_mntreamer_follow_settled(fl);
}


static void
ngx_mntreamer_follow_settled(ngx_mntreamer_follow_t *fl)
{
    ngx_mntreamer_followed_pt  done;

    if (!fl->draining) {
        ngx_mntreamer_follow_run(fl);
        return;
    }

    if (fl->claim || !ngx_queue_empty(&fl->tellings)) {
        return;
    }

    done = fl->done;
    fl->done = NULL;

    if (done) {
        done(fl->data);
    }
}


static ngx_int_t
ngx_mntreamer_telling_start(ngx_mntreamer_follow_t *fl,
    const ngx_mntreamer_result_t *result, ngx_uint_t row)
{
    ngx_str_t                 hash, name, key, body;
    ngx_uint_t                i;
    ngx_mntreamer_telling_t  *t;

    hash = ngx_mntreamer_rows_get(result->rows, row,
                                  NGX_MNTREAMER_FOLLOW_FOLLOWER);
    name = ngx_mntreamer_rows_get(result->rows, row,
                                  NGX_MNTREAMER_FOLLOW_BROADCAST);
    key = ngx_mntreamer_rows_get(result->rows, row, NGX_MNTREAMER_FOLLOW_KEY);
    body = ngx_mntreamer_rows_get(result->rows, row,
                                  NGX_MNTREAMER_FOLLOW_BODY);

    for (i = 0; i < fl->n; i++) {
        if (fl->followers[i].hash.len == hash.len
            && ngx_memcmp(fl->followers[i].hash.data, hash.data, hash.len)
               == 0)
        {
            break;
        }
    }

    if (i == fl->n) {
        return NGX_ERROR;
    }

    t = ngx_calloc(sizeof(ngx_mntreamer_telling_t), fl->log);
    if (t == NULL) {
        return NGX_ERROR;
    }

    t->fl = fl;
    t->follower = i;
    t->id = ngx_mntreamer_rows_i64(result->rows, row, NGX_MNTREAMER_FOLLOW_ID,
                                   0);
    t->tries = ngx_mntreamer_rows_i64(result->rows, row,
                                      NGX_MNTREAMER_FOLLOW_TRIES, 0);
    t->ends = (ngx_mntreamer_rows_get(result->rows, row,
                                      NGX_MNTREAMER_FOLLOW_EVENT).len
               == sizeof("end") - 1);

    *ngx_cpymem(t->name, name.data, ngx_min(name.len, sizeof(t->name) - 1))
        = '\0';

    t->ident.data = t;
    t->ident.fd = (ngx_socket_t) -1;
    t->timer.handler = ngx_mntreamer_telling_timer;
    t->timer.data = &t->ident;
    t->timer.log = fl->log;
    t->timer.cancelable = 1;

    ngx_queue_insert_tail(&fl->tellings, &t->queue);
    fl->running[i]++;

    if (ngx_mntreamer_telling_post(t, &key, &body) != NGX_OK) {
        ngx_mntreamer_telling_free(t);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mntreamer_telling_post(ngx_mntreamer_telling_t *t, ngx_str_t *key,
    ngx_str_t *body)
{
    u_char                    buf[128];
    ngx_str_t                 headers[2];
    ngx_mntreamer_request_t   req;
    ngx_mntreamer_follow_t   *fl;

    fl = t->fl;

    ngx_str_set(&headers[0], "Content-Type: application/json");

    headers[1].data = buf;
    headers[1].len = ngx_snprintf(buf, sizeof(buf), "Idempotency-Key: %V", key)
                     - buf;

    ngx_memzero(&req, sizeof(ngx_mntreamer_request_t));

    req.url = fl->followers[t->follower].url;
    ngx_str_set(&req.user_agent, "mntreamer");
    req.headers = headers;
    req.nheaders = 2;
    req.post = *body;
    req.max_bytes = NGX_MNTREAMER_FOLLOW_ANSWER;
    req.connect_ms = NGX_MNTREAMER_FOLLOW_TOTAL_MS;
    req.total_ms = NGX_MNTREAMER_FOLLOW_TOTAL_MS;
    req.stall_ms = NGX_MNTREAMER_FOLLOW_TOTAL_MS;
    req.trusted = 1;
    req.body = ngx_mntreamer_telling_body;
    req.done = ngx_mntreamer_telling_posted;
    req.data = t;
    req.log = fl->log;

    t->tr = ngx_mntreamer_curl_start(fl->curl, &req);

    return t->tr ? NGX_OK : NGX_ERROR;
}


/* the status is all that is wanted of an answer */

static ngx_int_t
ngx_mntreamer_telling_body(void *data, const ngx_mntreamer_answer_t *head,
    u_char *p, size_t len)
{
    return NGX_ERROR;
}


static void
ngx_mntreamer_telling_posted(void *data, const ngx_mntreamer_answer_t *answer)
{
    ngx_mntreamer_telling_t *t = data;

    ngx_uint_t               sent;
    mnt_follow_outcome_e     outcome;
    ngx_mntreamer_follow_t  *fl;

    fl = t->fl;

    sent = answer->rc != NGX_MNTREAMER_TRANSFER_RESOLVE
           && answer->rc != NGX_MNTREAMER_TRANSFER_CONNECT
           && answer->rc != NGX_MNTREAMER_TRANSFER_TLS
           && answer->rc != NGX_MNTREAMER_TRANSFER_FORBIDDEN;

    outcome = mnt_follow_outcome((unsigned) answer->http, sent != 0);

    t->tr = NULL;
    t->http = answer->http;
    t->rc = answer->rc;
    t->state = NGX_MNTREAMER_TELLING_WRITING;
    t->st = ngx_mntreamer_catalog_follow_told(fl->cat, t->id, t->tries,
                                              mnt_follow_word(outcome),
                                              ngx_mntreamer_telling_written,
                                              t);

    if (t->st == NULL) {
        ngx_log_error(NGX_LOG_ERR, fl->log, 0,
                      "mntreamer: what follower \"%V\" answered could not be "
                      "written, it will be told again",
                      &fl->followers[t->follower].shown);

        ngx_mntreamer_telling_free(t);
        ngx_mntreamer_follow_settled(fl);
    }
}


static void
ngx_mntreamer_telling_written(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_telling_t *t = data;

    ngx_str_t                word;
    ngx_uint_t               what;
    ngx_mntreamer_follow_t  *fl;

    fl = t->fl;
    t->st = NULL;
    what = NGX_MNTREAMER_FOLLOWED_MAX;

    if (result->rc == NGX_MNTREAMER_PQ_OK && result->nrows) {
        word = ngx_mntreamer_rows_get(result->rows, 0, 0);

        for (what = 0; what < NGX_MNTREAMER_FOLLOWED_MAX; what++) {
            if (ngx_strlen(ngx_mntreamer_followed_words[what]) == word.len
                && ngx_memcmp(ngx_mntreamer_followed_words[what], word.data,
                              word.len)
                   == 0)
            {
                ngx_mntreamer_telling_tell(t, what);
                break;
            }
        }
    }

    if (what == NGX_MNTREAMER_FOLLOWED_AGAIN && !fl->draining) {
        t->state = NGX_MNTREAMER_TELLING_PAUSING;
        ngx_add_timer(&t->timer, NGX_MNTREAMER_FOLLOW_PAUSE_MS);
        return;
    }

    ngx_mntreamer_telling_free(t);
    ngx_mntreamer_follow_settled(fl);
}


static void
ngx_mntreamer_telling_tell(ngx_mntreamer_telling_t *t, ngx_uint_t what)
{
    u_char                   why[32];
    ngx_uint_t               level;
    const char              *event, *then;
    ngx_mntreamer_follow_t  *fl;

    fl = t->fl;

    ngx_mntreamer_metrics_add(fl->metrics, NGX_MNTREAMER_M_FOLLOWERS, what, 1);

    event = t->ends ? "end" : "start";

    if (what == NGX_MNTREAMER_FOLLOWED_TOLD) {
        ngx_log_error(NGX_LOG_INFO, fl->log, 0,
                      "mntreamer: follower \"%V\" was told the %s of "
                      "broadcast \"%s\"", &fl->followers[t->follower].shown,
                      event, t->name);
        return;
    }

    switch (what) {

    case NGX_MNTREAMER_FOLLOWED_AGAIN:
        level = NGX_LOG_INFO;
        then = "it will be tried again";
        break;

    case NGX_MNTREAMER_FOLLOWED_DEGRADED:
        level = NGX_LOG_WARN;
        then = "it goes on without";
        break;

    case NGX_MNTREAMER_FOLLOWED_CLOSED:
        level = NGX_LOG_ERR;
        then = "it was closed";
        break;

    default:
        level = NGX_LOG_ERR;
        then = "it was given up";
        break;
    }

    *ngx_snprintf(why, sizeof(why) - 1, "HTTP %ui", t->http) = '\0';

    ngx_log_error(level, fl->log, 0,
                  "mntreamer: follower \"%V\" could not be told the %s of "
                  "broadcast \"%s\" (%s): %s",
                  &fl->followers[t->follower].shown, event, t->name,
                  t->http ? (const char *) why
                          : ngx_mntreamer_transfer_name(t->rc),
                  then);
}


static void
ngx_mntreamer_telling_timer(ngx_event_t *ev)
{
    ngx_mntreamer_ident_t    *ident = ev->data;
    ngx_mntreamer_telling_t  *t = ident->data;

    ngx_mntreamer_follow_t  *fl;

    fl = t->fl;

    ngx_mntreamer_telling_free(t);
    ngx_mntreamer_follow_due(fl);
}


static void
ngx_mntreamer_telling_free(ngx_mntreamer_telling_t *t)
{
    ngx_mntreamer_follow_t  *fl;

    fl = t->fl;

    if (t->tr) {
        ngx_mntreamer_curl_cancel(t->tr);
    }

    if (t->st) {
        ngx_mntreamer_catalog_follow_forget(t->st);
    }

    if (t->timer.timer_set) {
        ngx_del_timer(&t->timer);
    }

    /* what it may be told next has waited for this */

    if (fl->running[t->follower]-- == NGX_MNTREAMER_FOLLOW_ROOM) {
        fl->due = 1;
    }

    ngx_queue_remove(&t->queue);
    ngx_free(t);
}
