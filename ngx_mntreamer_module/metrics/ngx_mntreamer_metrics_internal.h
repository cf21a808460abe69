
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_METRICS_INTERNAL_H_INCLUDED_
#define _NGX_MNTREAMER_METRICS_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_metrics.h"


#define NGX_MNTREAMER_METRICS_SLOTS    64
#define NGX_MNTREAMER_METRICS_BUCKETS  12     /* besides +Inf */
#define NGX_MNTREAMER_METRICS_CELLS    256    /* of a slot */


typedef enum {
    NGX_MNTREAMER_COUNTER = 0,
    NGX_MNTREAMER_COUNTER_MS,                 /* shown in seconds */
    NGX_MNTREAMER_GAUGE,                      /* the sum of the workers' */
    NGX_MNTREAMER_GAUGE_MAX,                  /* their maximum; -1: unknown */
    NGX_MNTREAMER_HISTOGRAM_MS                /* shown in seconds */
} ngx_mntreamer_metric_type_e;


typedef struct {
    const char   *name;                       /* of Prometheus, behind
                                                 "mntreamer_" */
    const char   *statsd;                     /* behind "mntreamer." */
    const char   *help;
    ngx_uint_t    type;
    const char   *label;                      /* NULL: none */
    ngx_uint_t    nvalues;                    /* of the label, else 1 */
    const char *(*value)(ngx_uint_t i);       /* NULL without a label */
    const ngx_uint_t  *bounds;                /* NGX_MNTREAMER_METRICS_BUCKETS,
                                                 rising, milliseconds */
} ngx_mntreamer_metric_t;


/*
 * A slot belongs to the process that "owner" names: its pid and its start time
 * in one word, so that a pid used again is not taken for it.  Only the owner
 * writes the cells; they outlive it, and the next owner goes on counting in
 * them: so nothing needs a lock, and nothing is lost wherever a worker dies.
 */

typedef struct {
    uint64_t      owner;                      /* 0: never used */
    int64_t       cells[NGX_MNTREAMER_METRICS_CELLS];
} ngx_mntreamer_metrics_slot_t;

typedef struct {
    ngx_mntreamer_metrics_slot_t  slots[NGX_MNTREAMER_METRICS_SLOTS];
} ngx_mntreamer_metrics_zone_t;


struct ngx_mntreamer_metrics_s {
    ngx_mntreamer_metrics_zone_t  *zone;      /* shared */
    ngx_mntreamer_metrics_slot_t  *slot;      /* alias, of this process, or
                                                 NULL */
    uint64_t                       self;      /* its owner word */
    ngx_log_t                     *log;       /* alias */

    /* statsd */
    struct sockaddr               *sockaddr;  /* pool of the cycle, or NULL */
    socklen_t                      socklen;
    ngx_socket_t                   fd;        /* owned */
    int64_t                        sent[NGX_MNTREAMER_METRICS_CELLS];
};


extern const ngx_mntreamer_metric_t
    ngx_mntreamer_metric_table[NGX_MNTREAMER_M_MAX];

/* index of the first cell of a metric */
ngx_uint_t ngx_mntreamer_metrics_cell(ngx_uint_t metric);

/* a histogram's cells: buckets, +Inf, the sum */
#define NGX_MNTREAMER_METRICS_INF  NGX_MNTREAMER_METRICS_BUCKETS
#define NGX_MNTREAMER_METRICS_SUM  (NGX_MNTREAMER_METRICS_BUCKETS + 1)

ngx_uint_t ngx_mntreamer_metrics_ncells(const ngx_mntreamer_metric_t *mt);

/*
 * Sums all slots into "cells"; gauges only of processes that live.  "first" is
 * set when this process owns the first of these slots.
 */
void ngx_mntreamer_metrics_sum(ngx_mntreamer_metrics_t *m, int64_t *cells,
    ngx_uint_t *first);


#define ngx_mntreamer_metrics_load(p)                                         \
    __atomic_load_n(p, __ATOMIC_RELAXED)

#define ngx_mntreamer_metrics_store(p, n)                                     \
    __atomic_store_n(p, n, __ATOMIC_RELAXED)

#define ngx_mntreamer_metrics_gauge(mt)                                       \
    ((mt)->type == NGX_MNTREAMER_GAUGE                                        \
     || (mt)->type == NGX_MNTREAMER_GAUGE_MAX)


#endif /* _NGX_MNTREAMER_METRICS_INTERNAL_H_INCLUDED_ */
