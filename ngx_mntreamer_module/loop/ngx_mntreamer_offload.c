
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_thread_pool.h>

#include <dlfcn.h>

#if (__GLIBC__)
#include <malloc.h>
#endif

#include "ngx_mntreamer_offload.h"


#define NGX_MNTREAMER_OFFLOAD_EXIT_MS  2000
#define NGX_MNTREAMER_OFFLOAD_ARENAS   2      /* the event loop's and theirs */


typedef struct {
    ngx_thread_task_t         task;
    ngx_queue_t               link;
    ngx_mntreamer_offload_t  *off;            /* alias, NULL: destroyed */
    ngx_mntreamer_work_pt     work;
    ngx_mntreamer_worked_pt   done;
    void                     *data;           /* alias */
} ngx_mntreamer_offload_task_t;


struct ngx_mntreamer_offload_s {
    ngx_thread_pool_t        *pool;           /* alias, of nginx */
    ngx_log_t                *log;            /* alias, of the cycle */
    ngx_queue_t               tasks;
    unsigned                  ended:1;
};


/*
 * Tasks whose work() has not returned.  Threads count it down, so it must not
 * live in memory that is freed while one of them runs.
 */
static ngx_atomic_t  ngx_mntreamer_offload_working;

static ngx_str_t  ngx_mntreamer_offload_name = ngx_string("mntreamer");
static ngx_str_t  ngx_mntreamer_offload_default = ngx_string("default");


static void ngx_mntreamer_offload_work(void *data, ngx_log_t *log);
static void ngx_mntreamer_offload_done(ngx_event_t *ev);
static void ngx_mntreamer_offload_pin(ngx_log_t *log);


ngx_int_t
ngx_mntreamer_offload_conf(ngx_conf_t *cf)
{
    /*
     * Only nginx's pool "default" needs no directive; asking for another
     * name would make "thread_pool" obligatory.
     */

    if (ngx_thread_pool_add(cf, NULL) == NULL) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_mntreamer_offload_t *
ngx_mntreamer_offload_create(ngx_cycle_t *cycle)
{
    ngx_thread_pool_t        *pool;
    ngx_mntreamer_offload_t  *off;

    pool = ngx_thread_pool_get(cycle, &ngx_mntreamer_offload_name);

    if (pool == NULL) {
        pool = ngx_thread_pool_get(cycle, &ngx_mntreamer_offload_default);
    }

    if (pool == NULL) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "thread pool \"%V\" is missing",
                      &ngx_mntreamer_offload_default);
        return NULL;
    }

    off = ngx_calloc(sizeof(ngx_mntreamer_offload_t), cycle->log);
    if (off == NULL) {
        return NULL;
    }

#if (__GLIBC__)

    /*
     * The threads allocate seldom, but each would get an arena of its own for
     * it, up to eight a processor, whose pages it keeps: a worker would grow
     * for hours until all have had their turn.
     */

    (void) mallopt(M_ARENA_MAX, NGX_MNTREAMER_OFFLOAD_ARENAS);

#endif

    off->pool = pool;
    off->log = cycle->log;
    ngx_queue_init(&off->tasks);

    return off;
}


/*
 * nginx's own exit_process hook of the pool runs before ours and waits for the
 * threads; what is left for us is the case that it gave up on a full queue.
 */

void
ngx_mntreamer_offload_destroy(ngx_mntreamer_offload_t *off)
{
    ngx_msec_t                     waited;
    ngx_queue_t                   *q;
    ngx_mntreamer_offload_task_t  *t;

    while (!ngx_queue_empty(&off->tasks)) {
        q = ngx_queue_head(&off->tasks);
        ngx_queue_remove(q);

        t = ngx_queue_data(q, ngx_mntreamer_offload_task_t, link);
        t->off = NULL;
    }

    if (ngx_mntreamer_offload_working) {

        /* a thread may still return through code of ours after the wait */
        ngx_mntreamer_offload_pin(off->log);

        for (waited = 0; ngx_mntreamer_offload_working
                         && waited < NGX_MNTREAMER_OFFLOAD_EXIT_MS; waited++)
        {
            ngx_msleep(1);
        }

        if (ngx_mntreamer_offload_working) {
            ngx_log_error(NGX_LOG_ERR, off->log, 0,
                          "%uA file tasks still run at exit",
                          ngx_mntreamer_offload_working);
        }
    }

    ngx_free(off);
}


void
ngx_mntreamer_offload_end(ngx_mntreamer_offload_t *off)
{
    off->ended = 1;
}


ngx_int_t
ngx_mntreamer_offload_post(ngx_mntreamer_offload_t *off,
    ngx_mntreamer_work_pt work, ngx_mntreamer_worked_pt done, void *data)
{
    ngx_mntreamer_offload_task_t  *t;

    if (off->ended) {
        return NGX_ERROR;
    }

    /* a pool could die before the thread is done with the task */

    t = ngx_calloc(sizeof(ngx_mntreamer_offload_task_t), off->log);
    if (t == NULL) {
        return NGX_ERROR;
    }

    t->off = off;
    t->work = work;
    t->done = done;
    t->data = data;

    t->task.ctx = t;
    t->task.handler = ngx_mntreamer_offload_work;
    t->task.event.data = t;
    t->task.event.handler = ngx_mntreamer_offload_done;
    t->task.event.log = off->log;

    (void) ngx_atomic_fetch_add(&ngx_mntreamer_offload_working, 1);

    if (ngx_thread_task_post(off->pool, &t->task) != NGX_OK) {
        (void) ngx_atomic_fetch_add(&ngx_mntreamer_offload_working, -1);
        ngx_free(t);
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&off->tasks, &t->link);

    return NGX_OK;
}


static void
ngx_mntreamer_offload_work(void *data, ngx_log_t *log)
{
    ngx_mntreamer_offload_task_t  *t = data;

    t->work(t->data);

    (void) ngx_atomic_fetch_add(&ngx_mntreamer_offload_working, -1);
}


static void
ngx_mntreamer_offload_done(ngx_event_t *ev)
{
    void                          *data;
    ngx_mntreamer_worked_pt        done;
    ngx_mntreamer_offload_task_t  *t;

    t = ev->data;

    if (t->off == NULL) {
        ngx_free(t);
        return;
    }

    done = t->done;
    data = t->data;

    ngx_queue_remove(&t->link);
    ngx_free(t);

    done(data);
}


/* keeps this object in memory until the process ends */

static void
ngx_mntreamer_offload_pin(ngx_log_t *log)
{
    Dl_info  info;

    if (dladdr(&ngx_mntreamer_offload_name, &info) == 0
        || dlopen(info.dli_fname, RTLD_NOW|RTLD_NOLOAD|RTLD_NODELETE) == NULL)
    {
        ngx_log_error(NGX_LOG_WARN, log, 0, "dlopen() failed (%s)",
                      dlerror());
    }
}
