
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * One multi handle in nginx's event loop.  libcurl says which descriptors and
 * which one timer it wants (_socket, _timeout); their events go back to it by
 * curl_multi_socket_action(), never from inside a callback of its own.  What
 * is finished is delivered later by one posted event (_deliver), so owners may
 * start, cancel and destroy from done().
 *
 * state       entered by        waits for       deadline            on cancel
 * RUNNING     _start            libcurl         connect_ms and      removed
 *                                               total_ms by it;
 *                                               total_ms (it keeps
 *                                               none while it waits
 *                                               for a connection) and
 *                                               stall_ms by _tick
 * DOOMED      _doom             the next turn   -                   removed
 * DELIVERING  _finish           done()          -                   nothing
 * IDLE        _handle_put       _start          -                   nothing
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <dlfcn.h>

#include "ngx_mntreamer_curl_internal.h"


static ngx_int_t ngx_mntreamer_curl_global_init(ngx_log_t *log);
static ngx_int_t ngx_mntreamer_curl_multi_init(ngx_mntreamer_curl_t *curl);
static void ngx_mntreamer_curl_event_init(ngx_mntreamer_curl_t *curl,
    ngx_event_t *ev, ngx_event_handler_pt handler);
static int ngx_mntreamer_curl_timeout(CURLM *multi, long ms, void *data);
static int ngx_mntreamer_curl_socket(CURL *easy, curl_socket_t fd, int what,
    void *data, void *unused);
static ngx_int_t ngx_mntreamer_curl_reserve(ngx_mntreamer_curl_t *curl,
    ngx_socket_t fd);
static void ngx_mntreamer_curl_watch_handler(ngx_mntreamer_watch_t *w,
    void *data, ngx_socket_t fd, ngx_uint_t events);
static void ngx_mntreamer_curl_timer_handler(ngx_event_t *ev);
static void ngx_mntreamer_curl_action(ngx_mntreamer_curl_t *curl,
    curl_socket_t fd, int bits);
static void ngx_mntreamer_curl_tick(ngx_event_t *ev);
static void ngx_mntreamer_curl_deliver(ngx_event_t *ev);
static void ngx_mntreamer_curl_finish(ngx_mntreamer_transfer_t *tr,
    CURLcode result);
static void ngx_mntreamer_curl_doom(ngx_mntreamer_transfer_t *tr);
static void ngx_mntreamer_curl_remove(ngx_mntreamer_transfer_t *tr);


static const char  *ngx_mntreamer_transfer_names[] = {
    "ok", "resolve", "connect", "tls", "timeout", "cut", "too_large",
    "forbidden", "refused", "failed"
};


const char *
ngx_mntreamer_transfer_name(ngx_uint_t rc)
{
    if (rc >= NGX_MNTREAMER_TRANSFER_MAX) {
        return "unknown";
    }

    return ngx_mntreamer_transfer_names[rc];
}


ngx_mntreamer_curl_t *
ngx_mntreamer_curl_create(const ngx_mntreamer_curl_conf_t *conf,
    ngx_log_t *log)
{
    ngx_mntreamer_curl_t  *curl;

    if (ngx_mntreamer_curl_global_init(log) != NGX_OK) {
        return NULL;
    }

    curl = ngx_calloc(sizeof(ngx_mntreamer_curl_t), log);
    if (curl == NULL) {
        return NULL;
    }

    curl->conf = conf;
    curl->log = log;
    curl->ident.data = curl;
    curl->ident.fd = (ngx_socket_t) -1;

    ngx_queue_init(&curl->running);
    ngx_queue_init(&curl->doomed);
    ngx_queue_init(&curl->ready);
    ngx_queue_init(&curl->idle[0]);
    ngx_queue_init(&curl->idle[1]);

    ngx_mntreamer_curl_event_init(curl, &curl->timer,
                                  ngx_mntreamer_curl_timer_handler);
    ngx_mntreamer_curl_event_init(curl, &curl->tick, ngx_mntreamer_curl_tick);
    ngx_mntreamer_curl_event_init(curl, &curl->done_ev,
                                  ngx_mntreamer_curl_deliver);

    if (conf->ca_file.len) {
        curl->ca_file = ngx_alloc(conf->ca_file.len + 1, log);
        if (curl->ca_file == NULL) {
            goto failed;
        }

        (void) ngx_cpystrn((u_char *) curl->ca_file, conf->ca_file.data,
                           conf->ca_file.len + 1);
    }

    if (ngx_mntreamer_curl_multi_init(curl) != NGX_OK) {
        goto failed;
    }

    return curl;

failed:

    if (curl->ca_file) {
        ngx_free(curl->ca_file);
    }

    ngx_free(curl);
    return NULL;
}


static ngx_int_t
ngx_mntreamer_curl_global_init(ngx_log_t *log)
{
    Dl_info                  info;
    curl_version_info_data  *v;

    /* counted by libcurl; it is left initialised until the process ends */

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "curl_global_init() failed");
        return NGX_ERROR;
    }

    v = curl_version_info(CURLVERSION_NOW);

    if (!(v->features & CURL_VERSION_ASYNCHDNS)) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "libcurl %s resolves names synchronously", v->version);
        return NGX_ERROR;
    }

    /*
     * A lookup that was given up goes on in a thread of libcurl's; nginx
     * unloads this module, and with it libcurl, before the process ends.
     */

    if (dladdr((void *) (uintptr_t) curl_easy_init, &info) == 0
        || dlopen(info.dli_fname, RTLD_NOW|RTLD_NOLOAD|RTLD_NODELETE) == NULL)
    {
        ngx_log_error(NGX_LOG_WARN, log, 0, "dlopen() failed (%s)",
                      dlerror());
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mntreamer_curl_multi_init(ngx_mntreamer_curl_t *curl)
{
    long    most, total, host;
    CURLM  *m;

    m = curl_multi_init();
    if (m == NULL) {
        ngx_log_error(NGX_LOG_ERR, curl->log, 0, "curl_multi_init() failed");
        return NGX_ERROR;
    }

    most = (long) curl->conf->max_connections;
    total = most ? most : ngx_max((long) ngx_cycle->connection_n / 2, 8);
    host = (long) curl->conf->max_host_connections;

    (void) curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION,
                             ngx_mntreamer_curl_socket);
    (void) curl_multi_setopt(m, CURLMOPT_SOCKETDATA, curl);
    (void) curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION,
                             ngx_mntreamer_curl_timeout);
    (void) curl_multi_setopt(m, CURLMOPT_TIMERDATA, curl);
    (void) curl_multi_setopt(m, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    (void) curl_multi_setopt(m, CURLMOPT_MAX_TOTAL_CONNECTIONS, total);
    (void) curl_multi_setopt(m, CURLMOPT_MAX_HOST_CONNECTIONS, host);

    if (most) {
        (void) curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, most);
    }

    curl->multi = m;

    return NGX_OK;
}


static void
ngx_mntreamer_curl_event_init(ngx_mntreamer_curl_t *curl, ngx_event_t *ev,
    ngx_event_handler_pt handler)
{
    ev->handler = handler;
    ev->data = &curl->ident;
    ev->log = curl->log;
    ev->cancelable = 1;
}


void
ngx_mntreamer_curl_destroy(ngx_mntreamer_curl_t *curl)
{
    size_t                     i;
    ngx_uint_t                 n;
    ngx_queue_t               *q, *lists[5];
    ngx_mntreamer_transfer_t  *tr;

    if (!curl->dead) {
        curl->dead = 1;

        lists[0] = &curl->running;
        lists[1] = &curl->doomed;
        lists[2] = &curl->ready;
        lists[3] = &curl->idle[0];
        lists[4] = &curl->idle[1];

        for (n = 0; n < 5; n++) {
            while (!ngx_queue_empty(lists[n])) {
                q = ngx_queue_head(lists[n]);
                ngx_queue_remove(q);

                tr = ngx_queue_data(q, ngx_mntreamer_transfer_t, link);
                ngx_mntreamer_curl_remove(tr);
                ngx_mntreamer_curl_handle_free(tr);
            }
        }

        (void) curl_multi_cleanup(curl->multi);

        for (i = 0; i < curl->nwatches; i++) {
            if (curl->watches[i]) {
                ngx_mntreamer_watch_close(curl->watches[i]);
            }
        }

        if (curl->watches) {
            ngx_free(curl->watches);
        }

        if (curl->timer.timer_set) {
            ngx_del_timer(&curl->timer);
        }

        if (curl->tick.timer_set) {
            ngx_del_timer(&curl->tick);
        }

        if (curl->done_ev.posted) {
            ngx_delete_posted_event(&curl->done_ev);
        }

        if (curl->ca_file) {
            ngx_free(curl->ca_file);
        }
    }

    if (curl->busy == 0) {
        ngx_free(curl);
    }
}


ngx_mntreamer_transfer_t *
ngx_mntreamer_curl_start(ngx_mntreamer_curl_t *curl,
    const ngx_mntreamer_request_t *req)
{
    ngx_int_t                  rc;
    CURLMcode                  mc;
    ngx_mntreamer_transfer_t  *tr;

    if (req->max_bytes <= 0 || req->connect_ms == 0 || req->total_ms == 0
        || req->stall_ms == 0 || req->done == NULL
        || (req->trusted && req->redirects))
    {
        ngx_log_error(NGX_LOG_ERR, req->log, 0, "transfer without a limit");
        return NULL;
    }

    tr = ngx_mntreamer_curl_handle_get(curl, req->cookie.len != 0);
    if (tr == NULL) {
        return NULL;
    }

    tr->body = req->body;
    tr->done = req->done;
    tr->data = req->data;
    tr->log = req->log;
    tr->max_bytes = req->max_bytes;
    tr->total_ms = req->total_ms;
    tr->stall_ms = req->stall_ms;
    tr->trusted = (req->trusted != 0);
    tr->started = ngx_current_msec;

    ngx_mntreamer_curl_answer_init(tr);

    rc = ngx_mntreamer_curl_handle_set(tr, req);

    if (rc == NGX_ERROR) {
        ngx_mntreamer_curl_handle_free(tr);
        return NULL;
    }

    curl->stat.started++;
    curl->stat.running++;

    tr->state = NGX_MNTREAMER_TRANSFER_ST_RUNNING;
    ngx_queue_insert_tail(&curl->running, &tr->link);

    if (rc == NGX_OK) {
        mc = curl_multi_add_handle(curl->multi, tr->easy);

        if (mc == CURLM_OK) {
            tr->added = 1;

        } else {
            ngx_log_error(NGX_LOG_ERR, tr->log, 0,
                          "curl_multi_add_handle() failed (%s)",
                          curl_multi_strerror(mc));

            tr->verdict = NGX_MNTREAMER_TRANSFER_FAILED;
        }
    }

    if (!tr->added) {
        ngx_mntreamer_curl_doom(tr);
    }

    if (!curl->tick.timer_set) {
        ngx_add_timer(&curl->tick,
                      ngx_mntreamer_tick_in(NGX_MNTREAMER_TICK_MS));
    }

    return tr;
}


void
ngx_mntreamer_curl_cancel(ngx_mntreamer_transfer_t *tr)
{
    if (tr->state != NGX_MNTREAMER_TRANSFER_ST_RUNNING
        && tr->state != NGX_MNTREAMER_TRANSFER_ST_DOOMED)
    {
        return;
    }

    ngx_log_debug0(NGX_LOG_DEBUG_CORE, tr->log, 0,
                   "mntreamer transfer: canceled");

    ngx_queue_remove(&tr->link);
    tr->curl->stat.running--;

    ngx_mntreamer_curl_remove(tr);
    ngx_mntreamer_curl_handle_put(tr);
}


const ngx_mntreamer_curl_stat_t *
ngx_mntreamer_curl_stat(ngx_mntreamer_curl_t *curl)
{
    return &curl->stat;
}


static int
ngx_mntreamer_curl_timeout(CURLM *multi, long ms, void *data)
{
    ngx_mntreamer_curl_t  *curl = data;

    /*
     * Deleted first: ngx_add_timer() ignores a change of less than
     * NGX_TIMER_LAZY_DELAY, and libcurl asks for 0 ms while 200 are set.
     */

    if (curl->timer.timer_set) {
        ngx_del_timer(&curl->timer);
    }

    if (ms >= 0) {
        ngx_add_timer(&curl->timer, (ngx_msec_t) ms);
    }

    return 0;
}


/*
 * A failure here would put the whole multi handle into an error state, so a
 * transfer without a watch is ended alone.
 */

static int
ngx_mntreamer_curl_socket(CURL *easy, curl_socket_t fd, int what, void *data,
    void *unused)
{
    ngx_uint_t                 events;
    ngx_mntreamer_curl_t      *curl = data;
    ngx_mntreamer_watch_t     *w;
    ngx_mntreamer_transfer_t  *tr;

    if (what == CURL_POLL_REMOVE) {
        ngx_mntreamer_curl_forget(curl, fd);
        return 0;
    }

    w = NULL;

    if (ngx_mntreamer_curl_reserve(curl, fd) == NGX_OK) {
        w = curl->watches[fd];

        if (w == NULL) {
            w = ngx_mntreamer_watch_open(fd, ngx_mntreamer_curl_watch_handler,
                                         curl, curl->log);
            curl->watches[fd] = w;
        }
    }

    events = 0;

    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) {
        events |= NGX_MNTREAMER_READABLE;
    }

    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) {
        events |= NGX_MNTREAMER_WRITABLE;
    }

    if (w == NULL || ngx_mntreamer_watch_set(w, events) != NGX_OK) {
        (void) curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &tr);

        if (tr && tr->state == NGX_MNTREAMER_TRANSFER_ST_RUNNING) {
            tr->verdict = NGX_MNTREAMER_TRANSFER_FAILED;
            ngx_mntreamer_curl_doom(tr);
        }
    }

    return 0;
}


static ngx_int_t
ngx_mntreamer_curl_reserve(ngx_mntreamer_curl_t *curl, ngx_socket_t fd)
{
    size_t                   n;
    ngx_mntreamer_watch_t  **p;

    if ((size_t) fd < curl->nwatches) {
        return NGX_OK;
    }

    n = ngx_align((size_t) fd + 1, 64);

    p = ngx_calloc(n * sizeof(ngx_mntreamer_watch_t *), curl->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (curl->watches) {
        ngx_memcpy(p, curl->watches,
                   curl->nwatches * sizeof(ngx_mntreamer_watch_t *));
        ngx_free(curl->watches);
    }

    curl->watches = p;
    curl->nwatches = n;

    return NGX_OK;
}


void
ngx_mntreamer_curl_forget(ngx_mntreamer_curl_t *curl, ngx_socket_t fd)
{
    ngx_mntreamer_watch_t  *w;

    if ((size_t) fd >= curl->nwatches || curl->watches[fd] == NULL) {
        return;
    }

    w = curl->watches[fd];
    curl->watches[fd] = NULL;

    /*
     * libcurl 7.88 closes a socket that is not yet connected directly, and
     * says so afterwards.
     */

    if (fcntl(fd, F_GETFD) == -1) {
        ngx_mntreamer_watch_forget(w);

    } else {
        ngx_mntreamer_watch_close(w);
    }
}


/*
 * A watch here means that libcurl closed the descriptor behind it and has not
 * said so yet.  It may not ask for the new one when it sees the same number.
 */

void
ngx_mntreamer_curl_reopen(ngx_mntreamer_curl_t *curl, ngx_socket_t fd)
{
    ngx_mntreamer_watch_t  *w;

    if ((size_t) fd >= curl->nwatches || curl->watches[fd] == NULL) {
        return;
    }

    ngx_mntreamer_watch_forget(curl->watches[fd]);

    w = ngx_mntreamer_watch_open(fd, ngx_mntreamer_curl_watch_handler, curl,
                                 curl->log);
    curl->watches[fd] = w;

    if (w) {
        (void) ngx_mntreamer_watch_set(w, NGX_MNTREAMER_WRITABLE);
    }
}


static void
ngx_mntreamer_curl_watch_handler(ngx_mntreamer_watch_t *w, void *data,
    ngx_socket_t fd, ngx_uint_t events)
{
    int                    bits;
    ngx_mntreamer_curl_t  *curl = data;

    bits = 0;

    if (events & NGX_MNTREAMER_READABLE) {
        bits |= CURL_CSELECT_IN;
    }

    if (events & NGX_MNTREAMER_WRITABLE) {
        bits |= CURL_CSELECT_OUT;
    }

    if (events & NGX_MNTREAMER_BROKEN) {
        bits |= CURL_CSELECT_ERR;
    }

    ngx_mntreamer_curl_action(curl, fd, bits);
}


static void
ngx_mntreamer_curl_timer_handler(ngx_event_t *ev)
{
    ngx_mntreamer_ident_t  *ident = ev->data;

    ngx_mntreamer_curl_action(ident->data, CURL_SOCKET_TIMEOUT, 0);
}


static void
ngx_mntreamer_curl_action(ngx_mntreamer_curl_t *curl, curl_socket_t fd,
    int bits)
{
    int        running;
    CURLMcode  mc;

    mc = curl_multi_socket_action(curl->multi, fd, bits, &running);

    if (mc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ERR, curl->log, 0,
                      "curl_multi_socket_action() failed (%s)",
                      curl_multi_strerror(mc));
    }

    ngx_post_event(&curl->done_ev, &ngx_posted_events);
}


static void
ngx_mntreamer_curl_tick(ngx_event_t *ev)
{
    ngx_queue_t               *q, *next;
    ngx_mntreamer_curl_t      *curl;
    ngx_mntreamer_ident_t     *ident;
    ngx_mntreamer_transfer_t  *tr;

    ident = ev->data;
    curl = ident->data;

    for (q = ngx_queue_head(&curl->running);
         q != ngx_queue_sentinel(&curl->running);
         q = next)
    {
        next = ngx_queue_next(q);
        tr = ngx_queue_data(q, ngx_mntreamer_transfer_t, link);

        if (ngx_current_msec - tr->started < tr->total_ms
            && (!tr->moving || ngx_current_msec - tr->progress < tr->stall_ms))
        {
            continue;
        }

        tr->verdict = NGX_MNTREAMER_TRANSFER_TIMEOUT;
        ngx_mntreamer_curl_doom(tr);
    }

    if (curl->stat.running) {
        ngx_add_timer(ev, ngx_mntreamer_tick_in(NGX_MNTREAMER_TICK_MS));
    }
}


static void
ngx_mntreamer_curl_deliver(ngx_event_t *ev)
{
    int                        n;
    CURL                      *easy;
    CURLMsg                   *msg;
    CURLcode                   result;
    ngx_queue_t               *q;
    ngx_mntreamer_curl_t      *curl;
    ngx_mntreamer_ident_t     *ident;
    ngx_mntreamer_transfer_t  *tr;

    ident = ev->data;
    curl = ident->data;

    curl->busy++;

    /* what done() dooms waits for the next turn, so this loop ends */

    if (!ngx_queue_empty(&curl->doomed)) {
        ngx_queue_add(&curl->ready, &curl->doomed);
        ngx_queue_init(&curl->doomed);
    }

    while (!curl->dead && !ngx_queue_empty(&curl->ready)) {
        q = ngx_queue_head(&curl->ready);
        tr = ngx_queue_data(q, ngx_mntreamer_transfer_t, link);

        ngx_mntreamer_curl_finish(tr, CURLE_ABORTED_BY_CALLBACK);
    }

    while (!curl->dead) {
        msg = curl_multi_info_read(curl->multi, &n);
        if (msg == NULL) {
            break;
        }

        if (msg->msg != CURLMSG_DONE) {
            continue;
        }

        easy = msg->easy_handle;              /* msg dies with the removal */
        result = msg->data.result;

        (void) curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **) &tr);

        ngx_mntreamer_curl_finish(tr, result);
    }

    curl->busy--;

    if (curl->dead && curl->busy == 0) {
        ngx_mntreamer_curl_destroy(curl);
    }
}


static void
ngx_mntreamer_curl_finish(ngx_mntreamer_transfer_t *tr, CURLcode result)
{
    ngx_mntreamer_curl_t  *curl;

    curl = tr->curl;

    ngx_mntreamer_curl_answer_end(tr, result);
    ngx_mntreamer_curl_remove(tr);
    ngx_queue_remove(&tr->link);

    curl->stat.running--;
    curl->stat.by_rc[tr->answer.rc]++;

    ngx_log_debug4(NGX_LOG_DEBUG_CORE, tr->log, 0,
                   "mntreamer transfer: %s (%d), http %ui, %O bytes",
                   ngx_mntreamer_transfer_name(tr->answer.rc), (int) result,
                   tr->answer.http, tr->answer.received);

    tr->state = NGX_MNTREAMER_TRANSFER_ST_DELIVERING;

    tr->done(tr->data, &tr->answer);

    ngx_mntreamer_curl_handle_put(tr);
}


/* ends a transfer with tr->verdict in the next turn of the loop */

static void
ngx_mntreamer_curl_doom(ngx_mntreamer_transfer_t *tr)
{
    ngx_mntreamer_curl_t  *curl;

    curl = tr->curl;

    ngx_queue_remove(&tr->link);
    ngx_queue_insert_tail(&curl->doomed, &tr->link);
    tr->state = NGX_MNTREAMER_TRANSFER_ST_DOOMED;

    ngx_post_event(&curl->done_ev, &ngx_posted_next_events);
}


static void
ngx_mntreamer_curl_remove(ngx_mntreamer_transfer_t *tr)
{
    if (tr->added) {
        (void) curl_multi_remove_handle(tr->curl->multi, tr->easy);
        tr->added = 0;
    }
}
