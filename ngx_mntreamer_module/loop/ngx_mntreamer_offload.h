
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_OFFLOAD_H_INCLUDED_
#define _NGX_MNTREAMER_OFFLOAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_mntreamer_offload_s  ngx_mntreamer_offload_t;

/*
 * work(): in a thread; may block; touches only what "data" owns, no pool, no
 * nginx log, no timer.  done(): later in the event loop, exactly once; "data"
 * must live until then, whatever its owner does.
 */
typedef void (*ngx_mntreamer_work_pt)(void *data);
typedef void (*ngx_mntreamer_worked_pt)(void *data);


/*
 * At configuration time: makes sure of a thread pool.  "mntreamer" is used
 * when a "thread_pool" directive made it, else nginx's "default".
 */
ngx_int_t ngx_mntreamer_offload_conf(ngx_conf_t *cf);

/* one per worker; NULL: logged */
ngx_mntreamer_offload_t *ngx_mntreamer_offload_create(ngx_cycle_t *cycle);

/* waits until all work under way is finished; done() is not called */
void ngx_mntreamer_offload_destroy(ngx_mntreamer_offload_t *off);

/*
 * At the exit, when nginx has taken its threads away: nothing is taken any
 * more.
 */
void ngx_mntreamer_offload_end(ngx_mntreamer_offload_t *off);

/*
 * NGX_ERROR: queue full or memory gone (logged), or it is over; done() is not
 * called.
 */
ngx_int_t ngx_mntreamer_offload_post(ngx_mntreamer_offload_t *off,
    ngx_mntreamer_work_pt work, ngx_mntreamer_worked_pt done, void *data);


#endif /* _NGX_MNTREAMER_OFFLOAD_H_INCLUDED_ */
