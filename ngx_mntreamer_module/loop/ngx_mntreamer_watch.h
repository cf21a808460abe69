
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_WATCH_H_INCLUDED_
#define _NGX_MNTREAMER_WATCH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>


#define NGX_MNTREAMER_READABLE  0x01
#define NGX_MNTREAMER_WRITABLE  0x02
#define NGX_MNTREAMER_BROKEN    0x04          /* error, hang-up or shutdown */

/*
 * What is looked at again and again is looked at on multiples of a tick: to
 * wake a process that sleeps costs more than most of these looks.  "ms" is a
 * multiple too; the timer may come a tick sooner, never later.
 */
#define NGX_MNTREAMER_TICK_MS   250

#define ngx_mntreamer_tick_in(ms)                                             \
    ((ms) - ngx_current_msec % NGX_MNTREAMER_TICK_MS)


typedef struct ngx_mntreamer_watch_s  ngx_mntreamer_watch_t;


/*
 * What ev->data of a timer or posted event must point to: nginx's debug log
 * reads a descriptor behind three pointers, as in ngx_connection_t.  Keep it
 * in the owner, with fd = -1.
 */
typedef struct {
    void          *data;                      /* alias, the owner */
    void          *unused[2];
    ngx_socket_t   fd;
} ngx_mntreamer_ident_t;


typedef void (*ngx_mntreamer_watch_pt)(ngx_mntreamer_watch_t *w, void *data,
    ngx_socket_t fd, ngx_uint_t events);


/*
 * Watches a descriptor that somebody else owns, level-triggered, in nginx's
 * event loop; takes one of worker_connections.  NULL when there is none left
 * (logged).  Nothing is armed until _set().
 */
ngx_mntreamer_watch_t *ngx_mntreamer_watch_open(ngx_socket_t fd,
    ngx_mntreamer_watch_pt handler, void *data, ngx_log_t *log);

/* arms exactly these events; idempotent */
ngx_int_t ngx_mntreamer_watch_set(ngx_mntreamer_watch_t *w, ngx_uint_t events);

/* before the descriptor is closed; also from its own handler */
void ngx_mntreamer_watch_close(ngx_mntreamer_watch_t *w);

/* instead of _close(), right after its owner had closed the descriptor */
void ngx_mntreamer_watch_forget(ngx_mntreamer_watch_t *w);


#endif /* _NGX_MNTREAMER_WATCH_H_INCLUDED_ */
