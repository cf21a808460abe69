
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_metrics_internal.h"


#define NGX_MNTREAMER_METRICS_LINE  256       /* no line is longer */


static u_char *ngx_mntreamer_metrics_values(u_char *p, u_char *last,
    const ngx_mntreamer_metric_t *mt, int64_t *cells);
static u_char *ngx_mntreamer_metrics_histogram(u_char *p, u_char *last,
    const ngx_mntreamer_metric_t *mt, int64_t *cells);


static const char  *ngx_mntreamer_metrics_types[] = {
    "counter", "counter", "gauge", "gauge", "histogram"
};


ngx_chain_t *
ngx_mntreamer_metrics_text(ngx_mntreamer_metrics_t *m, ngx_pool_t *pool)
{
    u_char                        *last;
    int64_t                        cells[NGX_MNTREAMER_METRICS_CELLS], *cell;
    ngx_buf_t                     *b;
    ngx_uint_t                     i, n, first;
    ngx_chain_t                   *cl;
    const ngx_mntreamer_metric_t  *mt;

    ngx_mntreamer_metrics_sum(m, cells, &first);

    n = 2 * NGX_MNTREAMER_M_MAX;

    for (i = 0; i < NGX_MNTREAMER_M_MAX; i++) {
        n += 2 + ngx_mntreamer_metrics_ncells(&ngx_mntreamer_metric_table[i]);
    }

    b = ngx_create_temp_buf(pool, n * NGX_MNTREAMER_METRICS_LINE);
    if (b == NULL) {
        return NULL;
    }

    cl = ngx_alloc_chain_link(pool);
    if (cl == NULL) {
        return NULL;
    }

    last = b->end;

    for (i = 0; i < NGX_MNTREAMER_M_MAX; i++) {
        mt = &ngx_mntreamer_metric_table[i];
        cell = &cells[ngx_mntreamer_metrics_cell(i)];

        b->last = ngx_slprintf(b->last, last,
                               "# HELP mntreamer_%s %s.\n"
                               "# TYPE mntreamer_%s %s\n",
                               mt->name, mt->help, mt->name,
                               ngx_mntreamer_metrics_types[mt->type]);

        if (mt->type == NGX_MNTREAMER_HISTOGRAM_MS) {
            b->last = ngx_mntreamer_metrics_histogram(b->last, last, mt, cell);

        } else {
            b->last = ngx_mntreamer_metrics_values(b->last, last, mt, cell);
        }
    }

    cl->buf = b;
    cl->next = NULL;

    return cl;
}


static u_char *
ngx_mntreamer_metrics_values(u_char *p, u_char *last,
    const ngx_mntreamer_metric_t *mt, int64_t *cells)
{
    ngx_uint_t  i;

    for (i = 0; i < mt->nvalues; i++) {

        if (mt->type == NGX_MNTREAMER_GAUGE_MAX && cells[i] < 0) {
            continue;
        }

        p = ngx_slprintf(p, last, "mntreamer_%s", mt->name);

        if (mt->label) {
            p = ngx_slprintf(p, last, "{%s=\"%s\"}", mt->label, mt->value(i));
        }

        if (mt->type == NGX_MNTREAMER_COUNTER_MS) {
            p = ngx_slprintf(p, last, " %L.%03L\n", cells[i] / 1000,
                             cells[i] % 1000);

        } else {
            p = ngx_slprintf(p, last, " %L\n", cells[i]);
        }
    }

    return p;
}


static u_char *
ngx_mntreamer_metrics_histogram(u_char *p, u_char *last,
    const ngx_mntreamer_metric_t *mt, int64_t *cells)
{
    int64_t     n, ms;
    ngx_uint_t  i;

    n = 0;

    for (i = 0; i < NGX_MNTREAMER_METRICS_BUCKETS; i++) {
        n += cells[i];
        ms = mt->bounds[i];

        p = ngx_slprintf(p, last, "mntreamer_%s_bucket{le=\"%L.%03L\"} %L\n",
                         mt->name, ms / 1000, ms % 1000, n);
    }

    n += cells[NGX_MNTREAMER_METRICS_INF];
    ms = cells[NGX_MNTREAMER_METRICS_SUM];

    return ngx_slprintf(p, last,
                        "mntreamer_%s_bucket{le=\"+Inf\"} %L\n"
                        "mntreamer_%s_sum %L.%03L\n"
                        "mntreamer_%s_count %L\n",
                        mt->name, n, mt->name, ms / 1000, ms % 1000,
                        mt->name, n);
}
