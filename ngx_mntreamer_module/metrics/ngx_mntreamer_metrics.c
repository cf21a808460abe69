
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_metrics_internal.h"


#define NGX_MNTREAMER_METRICS_START_BITS  40

#define NGX_MNTREAMER_METRICS_START_MASK                                      \
    (((uint64_t) 1 << NGX_MNTREAMER_METRICS_START_BITS) - 1)


static ngx_int_t ngx_mntreamer_metrics_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static uint64_t ngx_mntreamer_metrics_owner(ngx_pid_t pid);
static ngx_uint_t ngx_mntreamer_metrics_alive(uint64_t owner);
static void ngx_mntreamer_metrics_reset_gauges(
    ngx_mntreamer_metrics_slot_t *slot);
static int64_t *ngx_mntreamer_metrics_at(ngx_mntreamer_metrics_t *m,
    ngx_uint_t metric, ngx_uint_t label);


ngx_mntreamer_metrics_t *
ngx_mntreamer_metrics_conf(ngx_conf_t *cf, void *tag)
{
    size_t                    size;
    ngx_str_t                 name;
    ngx_shm_zone_t           *shm_zone;
    ngx_mntreamer_metrics_t  *m;

    m = ngx_pcalloc(cf->pool, sizeof(ngx_mntreamer_metrics_t));
    if (m == NULL) {
        return NULL;
    }

    m->fd = (ngx_socket_t) -1;
    m->log = cf->log;

    ngx_str_set(&name, "mntreamer_metrics");

    /* the slab allocator keeps some pages of a zone for itself */
    size = ngx_align(sizeof(ngx_mntreamer_metrics_zone_t), ngx_pagesize)
           + 16 * ngx_pagesize;

    shm_zone = ngx_shared_memory_add(cf, &name, size, tag);
    if (shm_zone == NULL) {
        return NULL;
    }

    shm_zone->init = ngx_mntreamer_metrics_init_zone;
    shm_zone->data = m;

    return m;
}


static ngx_int_t
ngx_mntreamer_metrics_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_mntreamer_metrics_t *om = data;

    ngx_slab_pool_t          *shpool;
    ngx_mntreamer_metrics_t  *m;

    m = shm_zone->data;

    if (om) {
        m->zone = om->zone;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        m->zone = shpool->data;
        return NGX_OK;
    }

    m->zone = ngx_slab_calloc(shpool, sizeof(ngx_mntreamer_metrics_zone_t));
    if (m->zone == NULL) {
        return NGX_ERROR;
    }

    shpool->data = m->zone;

    return NGX_OK;
}


/* pid and start time (clock ticks since boot, proc(5) stat, field 22) */

static uint64_t
ngx_mntreamer_metrics_owner(ngx_pid_t pid)
{
    u_char      *p;
    char         text[1024];
    ssize_t      n;
    ngx_fd_t     fd;
    uint64_t     start;
    ngx_uint_t   field;

    start = 0;

    (void) ngx_snprintf((u_char *) text, sizeof(text), "/proc/%P/stat%Z", pid);

    fd = ngx_open_file(text, NGX_FILE_RDONLY|O_CLOEXEC, NGX_FILE_OPEN, 0);

    if (fd != NGX_INVALID_FILE) {
        n = ngx_read_fd(fd, text, sizeof(text) - 1);
        (void) ngx_close_file(fd);

        text[n < 0 ? 0 : n] = '\0';

        /* the name, field 2, may hold spaces and parentheses */
        p = (u_char *) strrchr(text, ')');

        for (field = 2; p && field < 22; field++) {
            p = (u_char *) strchr((char *) p + 1, ' ');
        }

        if (p) {
            start = strtoull((char *) p + 1, NULL, 10);
        }
    }

    return ((uint64_t) pid << NGX_MNTREAMER_METRICS_START_BITS)
           | (start & NGX_MNTREAMER_METRICS_START_MASK);
}


static ngx_uint_t
ngx_mntreamer_metrics_alive(uint64_t owner)
{
    uint64_t   now;
    ngx_pid_t  pid;

    pid = (ngx_pid_t) (owner >> NGX_MNTREAMER_METRICS_START_BITS);

    if (pid == 0 || (kill(pid, 0) == -1 && ngx_errno == NGX_ESRCH)) {
        return 0;
    }

    now = ngx_mntreamer_metrics_owner(pid);

    /* without /proc the pid alone decides */

    return now == owner || (now & NGX_MNTREAMER_METRICS_START_MASK) == 0
           || (owner & NGX_MNTREAMER_METRICS_START_MASK) == 0;
}


static void
ngx_mntreamer_metrics_reset_gauges(ngx_mntreamer_metrics_slot_t *slot)
{
    ngx_uint_t                     i, k;
    const ngx_mntreamer_metric_t  *mt;

    for (i = 0; i < NGX_MNTREAMER_M_MAX; i++) {
        mt = &ngx_mntreamer_metric_table[i];

        if (!ngx_mntreamer_metrics_gauge(mt)) {
            continue;
        }

        for (k = 0; k < mt->nvalues; k++) {
            ngx_mntreamer_metrics_store(
                &slot->cells[ngx_mntreamer_metrics_cell(i) + k],
                mt->type == NGX_MNTREAMER_GAUGE_MAX ? -1 : 0);
        }
    }
}


void
ngx_mntreamer_metrics_start(ngx_mntreamer_metrics_t *m, ngx_log_t *log)
{
    uint64_t                       owner;
    ngx_uint_t                     i;
    ngx_mntreamer_metrics_slot_t  *slot;

    m->log = log;

    if (m->zone == NULL || m->slot) {
        return;
    }

    m->self = ngx_mntreamer_metrics_owner(ngx_pid);

    for (i = 0; i < NGX_MNTREAMER_METRICS_SLOTS; i++) {
        slot = &m->zone->slots[i];

        owner = __atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE);

        if (owner != m->self && ngx_mntreamer_metrics_alive(owner)) {
            continue;
        }

        if (__atomic_compare_exchange_n(&slot->owner, &owner, m->self, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        {
            ngx_mntreamer_metrics_reset_gauges(slot);
            m->slot = slot;

            /* what the former owner counted was sent by it, or is lost */
            ngx_memcpy(m->sent, slot->cells, sizeof(m->sent));
            return;
        }
    }

    ngx_log_error(NGX_LOG_WARN, log, 0,
                  "no free slot for metrics, this worker will not count");
}


void
ngx_mntreamer_metrics_stop(ngx_mntreamer_metrics_t *m)
{
    if (m->fd != (ngx_socket_t) -1) {
        if (ngx_close_socket(m->fd) == -1) {
            ngx_log_error(NGX_LOG_WARN, m->log, ngx_socket_errno,
                          ngx_close_socket_n " of statsd failed");
        }

        m->fd = (ngx_socket_t) -1;
    }

    if (m->slot) {
        ngx_mntreamer_metrics_reset_gauges(m->slot);
        __atomic_store_n(&m->slot->owner, 0, __ATOMIC_RELEASE);
        m->slot = NULL;
    }
}


ngx_uint_t
ngx_mntreamer_metrics_ncells(const ngx_mntreamer_metric_t *mt)
{
    return (mt->type == NGX_MNTREAMER_HISTOGRAM_MS)
           ? NGX_MNTREAMER_METRICS_SUM + 1 : mt->nvalues;
}


ngx_uint_t
ngx_mntreamer_metrics_cell(ngx_uint_t metric)
{
    ngx_uint_t         i, n;
    static ngx_uint_t  cells[NGX_MNTREAMER_M_MAX];

    if (metric && cells[metric] == 0) {
        n = 0;

        for (i = 0; i < NGX_MNTREAMER_M_MAX; i++) {
            cells[i] = n;
            n += ngx_mntreamer_metrics_ncells(&ngx_mntreamer_metric_table[i]);
        }
    }

    return cells[metric];
}


static int64_t *
ngx_mntreamer_metrics_at(ngx_mntreamer_metrics_t *m, ngx_uint_t metric,
    ngx_uint_t label)
{
    ngx_uint_t  n;

    if (m == NULL || m->slot == NULL || metric >= NGX_MNTREAMER_M_MAX
        || label >= ngx_mntreamer_metrics_ncells(
                                        &ngx_mntreamer_metric_table[metric]))
    {
        return NULL;
    }

    n = ngx_mntreamer_metrics_cell(metric) + label;

    return (n < NGX_MNTREAMER_METRICS_CELLS) ? &m->slot->cells[n] : NULL;
}


void
ngx_mntreamer_metrics_add(ngx_mntreamer_metrics_t *m, ngx_uint_t metric,
    ngx_uint_t label, int64_t n)
{
    int64_t  *cell;

    cell = ngx_mntreamer_metrics_at(m, metric, label);

    if (cell) {
        ngx_mntreamer_metrics_store(cell,
                                    ngx_mntreamer_metrics_load(cell) + n);
    }
}


void
ngx_mntreamer_metrics_set(ngx_mntreamer_metrics_t *m, ngx_uint_t metric,
    int64_t value)
{
    int64_t  *cell;

    cell = ngx_mntreamer_metrics_at(m, metric, 0);

    if (cell) {
        ngx_mntreamer_metrics_store(cell, value);
    }
}


void
ngx_mntreamer_metrics_observe(ngx_mntreamer_metrics_t *m, ngx_uint_t metric,
    int64_t ms)
{
    ngx_uint_t         i;
    const ngx_uint_t  *bounds;

    if (metric >= NGX_MNTREAMER_M_MAX) {
        return;
    }

    bounds = ngx_mntreamer_metric_table[metric].bounds;

    if (bounds == NULL) {
        return;
    }

    if (ms < 0) {
        ms = 0;
    }

    for (i = 0; i < NGX_MNTREAMER_METRICS_BUCKETS; i++) {
        if (ms <= (int64_t) bounds[i]) {
            break;
        }
    }

    /* i is the bucket, or NGX_MNTREAMER_METRICS_INF */

    ngx_mntreamer_metrics_add(m, metric, i, 1);
    ngx_mntreamer_metrics_add(m, metric, NGX_MNTREAMER_METRICS_SUM, ms);
}


void
ngx_mntreamer_metrics_sum(ngx_mntreamer_metrics_t *m, int64_t *cells,
    ngx_uint_t *first)
{
    int64_t                        n;
    uint64_t                       owner;
    ngx_uint_t                     i, k, c, j, alive, found;
    ngx_mntreamer_metrics_slot_t  *slot;
    const ngx_mntreamer_metric_t  *mt;

    ngx_memzero(cells, NGX_MNTREAMER_METRICS_CELLS * sizeof(int64_t));
    cells[ngx_mntreamer_metrics_cell(NGX_MNTREAMER_M_DISK_FREE)] = -1;

    found = 0;
    *first = 0;

    for (i = 0; m->zone && i < NGX_MNTREAMER_METRICS_SLOTS; i++) {
        slot = &m->zone->slots[i];
        owner = __atomic_load_n(&slot->owner, __ATOMIC_ACQUIRE);

        alive = (m->slot == slot) || ngx_mntreamer_metrics_alive(owner);

        if (alive && !found) {
            found = 1;
            *first = (m->slot == slot);
        }

        for (j = 0; j < NGX_MNTREAMER_M_MAX; j++) {
            mt = &ngx_mntreamer_metric_table[j];

            if (!alive && ngx_mntreamer_metrics_gauge(mt)) {
                continue;
            }

            c = ngx_mntreamer_metrics_cell(j);

            for (k = 0; k < ngx_mntreamer_metrics_ncells(mt); k++) {
                n = ngx_mntreamer_metrics_load(&slot->cells[c + k]);

                if (mt->type == NGX_MNTREAMER_GAUGE_MAX) {
                    cells[c + k] = ngx_max(cells[c + k], n);

                } else {
                    cells[c + k] += n;
                }
            }
        }
    }
}


int64_t
ngx_mntreamer_metrics_get(ngx_mntreamer_metrics_t *m, ngx_uint_t metric,
    ngx_uint_t label)
{
    int64_t     cells[NGX_MNTREAMER_METRICS_CELLS];
    ngx_uint_t  first;

    if (m == NULL || metric >= NGX_MNTREAMER_M_MAX
        || label >= ngx_mntreamer_metric_table[metric].nvalues)
    {
        return 0;
    }

    ngx_mntreamer_metrics_sum(m, cells, &first);

    return cells[ngx_mntreamer_metrics_cell(metric) + label];
}
