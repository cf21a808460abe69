
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_metrics_internal.h"


#define NGX_MNTREAMER_STATSD_DATAGRAM  1400
#define NGX_MNTREAMER_STATSD_LINE      160    /* no line is longer */


typedef struct {
    ngx_mntreamer_metrics_t  *m;              /* alias */
    u_char                   *last;
    u_char                    buf[NGX_MNTREAMER_STATSD_DATAGRAM];
} ngx_mntreamer_statsd_t;


static ngx_int_t ngx_mntreamer_statsd_open(ngx_mntreamer_metrics_t *m);
static void ngx_mntreamer_statsd_counts(ngx_mntreamer_statsd_t *s,
    ngx_uint_t metric);
static void ngx_mntreamer_statsd_line(ngx_mntreamer_statsd_t *s,
    const char *name, const char *value, int64_t n, const char *type);
static void ngx_mntreamer_statsd_flush(ngx_mntreamer_statsd_t *s);


ngx_int_t
ngx_mntreamer_statsd_conf(ngx_mntreamer_metrics_t *m, ngx_pool_t *pool,
    ngx_str_t *address)
{
    ngx_int_t   rc;
    ngx_addr_t  addr;

    rc = ngx_parse_addr_port(pool, &addr, address->data, address->len);

    if (rc != NGX_OK || ngx_inet_get_port(addr.sockaddr) == 0) {
        return NGX_ERROR;
    }

    m->sockaddr = addr.sockaddr;
    m->socklen = addr.socklen;

    return NGX_OK;
}


void
ngx_mntreamer_statsd_send(ngx_mntreamer_metrics_t *m)
{
    int64_t                        cells[NGX_MNTREAMER_METRICS_CELLS];
    ngx_uint_t                     i, c, first;
    ngx_mntreamer_statsd_t         s;
    const ngx_mntreamer_metric_t  *mt;

    if (m == NULL || m->sockaddr == NULL || m->slot == NULL
        || ngx_mntreamer_statsd_open(m) != NGX_OK)
    {
        return;
    }

    s.m = m;
    s.last = s.buf;

    ngx_mntreamer_metrics_sum(m, cells, &first);

    for (i = 0; i < NGX_MNTREAMER_M_MAX; i++) {
        mt = &ngx_mntreamer_metric_table[i];

        if (!ngx_mntreamer_metrics_gauge(mt)) {
            ngx_mntreamer_statsd_counts(&s, i);
            continue;
        }

        c = ngx_mntreamer_metrics_cell(i);

        if (first && cells[c] >= 0) {
            ngx_mntreamer_statsd_line(&s, mt->statsd, NULL, cells[c], "g");
        }
    }

    ngx_mntreamer_statsd_flush(&s);
}


static ngx_int_t
ngx_mntreamer_statsd_open(ngx_mntreamer_metrics_t *m)
{
    if (m->fd != (ngx_socket_t) -1) {
        return NGX_OK;
    }

    m->fd = socket(m->sockaddr->sa_family,
                   SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);

    if (m->fd == (ngx_socket_t) -1) {
        ngx_log_error(NGX_LOG_ERR, m->log, ngx_socket_errno,
                      ngx_socket_n " of statsd failed");
        return NGX_ERROR;
    }

    if (connect(m->fd, m->sockaddr, m->socklen) == -1) {
        ngx_log_error(NGX_LOG_ERR, m->log, ngx_socket_errno,
                      "connect() of statsd failed");

        (void) ngx_close_socket(m->fd);
        m->fd = (ngx_socket_t) -1;
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * A histogram goes out as two counters, NAME.count and NAME.ms: statsd has no
 * type for samples that were gathered already.
 */

static void
ngx_mntreamer_statsd_counts(ngx_mntreamer_statsd_t *s, ngx_uint_t metric)
{
    int64_t                        n, delta, count, *sent;
    ngx_uint_t                     i;
    ngx_mntreamer_metrics_t       *m;
    const ngx_mntreamer_metric_t  *mt;

    m = s->m;
    mt = &ngx_mntreamer_metric_table[metric];
    count = 0;

    for (i = 0; i < ngx_mntreamer_metrics_ncells(mt); i++) {
        sent = &m->sent[ngx_mntreamer_metrics_cell(metric) + i];

        n = ngx_mntreamer_metrics_load(
                      &m->slot->cells[ngx_mntreamer_metrics_cell(metric) + i]);
        delta = n - *sent;
        *sent = n;

        if (mt->type != NGX_MNTREAMER_HISTOGRAM_MS) {
            ngx_mntreamer_statsd_line(s, mt->statsd,
                                      mt->label ? mt->value(i) : NULL, delta,
                                      "c");

        } else if (i == NGX_MNTREAMER_METRICS_SUM) {
            ngx_mntreamer_statsd_line(s, mt->statsd, "count", count, "c");

            if (count) {
                ngx_mntreamer_statsd_line(s, mt->statsd, "ms", delta, "c");
            }

        } else {
            count += delta;
        }
    }
}


static void
ngx_mntreamer_statsd_line(ngx_mntreamer_statsd_t *s, const char *name,
    const char *value, int64_t n, const char *type)
{
    u_char  *end;

    if (n == 0 && *type == 'c') {
        return;
    }

    end = s->buf + NGX_MNTREAMER_STATSD_DATAGRAM;

    if (end - s->last < NGX_MNTREAMER_STATSD_LINE) {
        ngx_mntreamer_statsd_flush(s);
    }

    s->last = ngx_slprintf(s->last, end, "mntreamer.%s%s%s:%L|%s\n", name,
                           value ? "." : "", value ? value : "", n, type);
}


static void
ngx_mntreamer_statsd_flush(ngx_mntreamer_statsd_t *s)
{
    size_t  len;

    len = s->last - s->buf;

    if (len == 0) {
        return;
    }

    /* the last line needs no end; ECONNREFUSED: nobody listens, or not yet */

    if (send(s->m->fd, s->buf, len - 1, MSG_NOSIGNAL) == -1) {
        ngx_log_debug0(NGX_LOG_DEBUG_CORE, s->m->log, ngx_socket_errno,
                       "mntreamer: send() to statsd failed");
    }

    s->last = s->buf;
}
