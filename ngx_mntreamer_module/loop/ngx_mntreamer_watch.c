
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_watch.h"


struct ngx_mntreamer_watch_s {
    ngx_connection_t        *c;               /* owned, its descriptor not */
    ngx_mntreamer_watch_pt   handler;
    void                    *data;            /* alias */
};


static void ngx_mntreamer_watch_event(ngx_event_t *ev);
static ngx_int_t ngx_mntreamer_watch_event_set(ngx_event_t *ev,
    ngx_int_t event, ngx_uint_t want);


ngx_mntreamer_watch_t *
ngx_mntreamer_watch_open(ngx_socket_t fd, ngx_mntreamer_watch_pt handler,
    void *data, ngx_log_t *log)
{
    ngx_connection_t       *c;
    ngx_mntreamer_watch_t  *w;

    w = ngx_alloc(sizeof(ngx_mntreamer_watch_t), log);
    if (w == NULL) {
        return NULL;
    }

    c = ngx_get_connection(fd, log);
    if (c == NULL) {
        ngx_free(w);
        return NULL;
    }

    w->c = c;
    w->handler = handler;
    w->data = data;

    c->data = w;
    c->log = log;

    c->read->handler = ngx_mntreamer_watch_event;
    c->read->log = log;
    c->write->handler = ngx_mntreamer_watch_event;
    c->write->log = log;

    return w;
}


ngx_int_t
ngx_mntreamer_watch_set(ngx_mntreamer_watch_t *w, ngx_uint_t events)
{
    ngx_int_t  rc;

    rc = ngx_mntreamer_watch_event_set(w->c->read, NGX_READ_EVENT,
                                       events & NGX_MNTREAMER_READABLE);

    if (ngx_mntreamer_watch_event_set(w->c->write, NGX_WRITE_EVENT,
                                      events & NGX_MNTREAMER_WRITABLE)
        != NGX_OK)
    {
        rc = NGX_ERROR;
    }

    return rc;
}


void
ngx_mntreamer_watch_close(ngx_mntreamer_watch_t *w)
{
    (void) ngx_mntreamer_watch_set(w, 0);

    ngx_mntreamer_watch_forget(w);
}


void
ngx_mntreamer_watch_forget(ngx_mntreamer_watch_t *w)
{
    ngx_connection_t  *c;

    c = w->c;

    /* without a system call: it would fail, or hit the number's next user */

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, NGX_CLOSE_EVENT);
    }

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, NGX_CLOSE_EVENT);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;

    ngx_free(w);
}


static void
ngx_mntreamer_watch_event(ngx_event_t *ev)
{
    ngx_uint_t              events;
    ngx_connection_t       *c;
    ngx_mntreamer_watch_t  *w;

    c = ev->data;
    w = c->data;

    /*
     * worker_shutdown_timeout calls the read handler of every connection once,
     * with both bits set; nothing is readable then.
     */

    if (c->close || c->error) {
        events = NGX_MNTREAMER_BROKEN;

    } else {
        events = ev->write ? NGX_MNTREAMER_WRITABLE : NGX_MNTREAMER_READABLE;

        if (ev->error) {
            events |= NGX_MNTREAMER_BROKEN;
        }
    }

    w->handler(w, w->data, c->fd, events);      /* may close w */
}


/*
 * Level-triggered: the libraries read what they like and expect to be told
 * again about the rest.
 */

static ngx_int_t
ngx_mntreamer_watch_event_set(ngx_event_t *ev, ngx_int_t event,
    ngx_uint_t want)
{
    if (want && !ev->active) {
        return ngx_add_event(ev, event, NGX_LEVEL_EVENT);
    }

    if (!want && ev->active) {
        return ngx_del_event(ev, event, 0);
    }

    return NGX_OK;
}
