
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog_internal.h"
#include "../base/mnt_str.h"


#define NGX_MNTREAMER_GATHER_SOON    10
#define NGX_MNTREAMER_GATHER_MAX     60000
#define NGX_MNTREAMER_GATHER_LATEST  4102444800000LL  /* the year 2100 */


static void ngx_mntreamer_gather_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);
static ngx_int_t ngx_mntreamer_gather_compare(int64_t id, int64_t number,
    ngx_mntreamer_gathered_t *row);
static void ngx_mntreamer_gather_timer(ngx_event_t *ev);
static void ngx_mntreamer_gather_later(ngx_mntreamer_gather_t *g);
static void ngx_mntreamer_gather_dropped(ngx_mntreamer_gather_t *g);
static void ngx_mntreamer_gather_back(ngx_mntreamer_gather_t *g);
static void ngx_mntreamer_gather_failed(ngx_mntreamer_gather_t *g);
static void ngx_mntreamer_gather_forget(ngx_queue_t *list);


void
ngx_mntreamer_gather_init(ngx_mntreamer_gather_t *g,
    ngx_mntreamer_catalog_t *cat, const char *name, ngx_msec_t pause_ms,
    ngx_int_t (*write)(ngx_mntreamer_catalog_t *cat))
{
    g->cat = cat;
    g->name = name;
    g->pause_ms = pause_ms;
    g->write = write;

    ngx_rbtree_init(&g->tree, &g->sentinel, ngx_mntreamer_gather_insert);
    ngx_queue_init(&g->pending);
    ngx_queue_init(&g->sent);

    ngx_mntreamer_catalog_event(cat, &g->timer, ngx_mntreamer_gather_timer);
}


void
ngx_mntreamer_gather_free(ngx_mntreamer_gather_t *g)
{
    ngx_mntreamer_catalog_disarm(&g->timer);
    ngx_mntreamer_gather_forget(&g->pending);
    ngx_mntreamer_gather_forget(&g->sent);
}


static void
ngx_mntreamer_gather_forget(ngx_queue_t *list)
{
    ngx_queue_t               *q;
    ngx_mntreamer_gathered_t  *row;

    while (!ngx_queue_empty(list)) {
        q = ngx_queue_head(list);
        row = ngx_queue_data(q, ngx_mntreamer_gathered_t, queue);

        ngx_queue_remove(q);
        ngx_free(row);
    }
}


static ngx_int_t
ngx_mntreamer_gather_compare(int64_t id, int64_t number,
    ngx_mntreamer_gathered_t *row)
{
    if (id != row->id) {
        return id < row->id ? -1 : 1;
    }

    if (number != row->number) {
        return number < row->number ? -1 : 1;
    }

    return 0;
}


static void
ngx_mntreamer_gather_insert(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t         **p;
    ngx_mntreamer_gathered_t   *row, *other;

    row = (ngx_mntreamer_gathered_t *) node;

    for ( ;; ) {
        other = (ngx_mntreamer_gathered_t *) temp;

        p = (ngx_mntreamer_gather_compare(row->id, row->number, other) < 0)
            ? &temp->left : &temp->right;

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


ngx_mntreamer_gathered_t *
ngx_mntreamer_gather_find(ngx_mntreamer_gather_t *g, int64_t id,
    int64_t number)
{
    ngx_int_t                  rc;
    ngx_rbtree_node_t         *node;
    ngx_mntreamer_gathered_t  *row;

    node = g->tree.root;

    while (node != &g->sentinel) {
        row = (ngx_mntreamer_gathered_t *) node;

        rc = ngx_mntreamer_gather_compare(id, number, row);

        if (rc == 0) {
            return row;
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}


void
ngx_mntreamer_gather_remove(ngx_mntreamer_gather_t *g,
    ngx_mntreamer_gathered_t *row)
{
    ngx_rbtree_delete(&g->tree, &row->node);
    ngx_queue_remove(&row->queue);
    g->n--;
}


void
ngx_mntreamer_gather_add(ngx_mntreamer_gather_t *g,
    ngx_mntreamer_gathered_t *row)
{
    ngx_queue_t               *q;
    ngx_mntreamer_gathered_t  *old;

    old = ngx_mntreamer_gather_find(g, row->id, row->number);

    if (old == NULL && g->n >= NGX_MNTREAMER_CATALOG_PENDING) {
        ngx_mntreamer_gather_dropped(g);

        q = ngx_queue_head(&g->pending);
        old = ngx_queue_data(q, ngx_mntreamer_gathered_t, queue);
    }

    if (old) {
        ngx_mntreamer_gather_remove(g, old);
        ngx_free(old);
    }

    ngx_rbtree_insert(&g->tree, &row->node);
    ngx_queue_insert_tail(&g->pending, &row->queue);
    g->n++;

    if (g->write == NULL) {
        return;
    }

    if (g->n >= NGX_MNTREAMER_CATALOG_BATCH && g->failures == 0) {
        ngx_mntreamer_gather_flush(g);
    }

    ngx_mntreamer_gather_later(g);
}


/* what comes after a quiet time is written at once, with what comes with it */

static void
ngx_mntreamer_gather_later(ngx_mntreamer_gather_t *g)
{
    ngx_msec_t  past;

    if (g->n == 0 || g->timer.timer_set) {
        return;
    }

    past = ngx_current_msec - g->written_ms;

    ngx_add_timer(&g->timer,
                  ngx_max(g->pause_ms - ngx_min(past, g->pause_ms),
                          NGX_MNTREAMER_GATHER_SOON));
}


static void
ngx_mntreamer_gather_timer(ngx_event_t *ev)
{
    ngx_mntreamer_gather_t  *g;

    g = (ngx_mntreamer_gather_t *)
            ((u_char *) ev - offsetof(ngx_mntreamer_gather_t, timer));

    ngx_mntreamer_gather_flush(g);
}


void
ngx_mntreamer_gather_flush(ngx_mntreamer_gather_t *g)
{
    ngx_uint_t                 i;
    ngx_queue_t               *q;
    ngx_mntreamer_gathered_t  *row;

    /* the answer, or the connection that comes up, calls again */

    if (g->st || g->n == 0
        || (g->cat->state != NGX_MNTREAMER_CATALOG_UP
            && g->cat->state != NGX_MNTREAMER_CATALOG_RELEASING))
    {
        return;
    }

    ngx_mntreamer_catalog_disarm(&g->timer);
    g->written_ms = ngx_current_msec;
    g->batches++;

    for (i = 0; i < NGX_MNTREAMER_CATALOG_BATCH && g->n; i++) {
        q = ngx_queue_head(&g->pending);
        row = ngx_queue_data(q, ngx_mntreamer_gathered_t, queue);

        ngx_mntreamer_gather_remove(g, row);
        ngx_queue_insert_tail(&g->sent, &row->queue);
    }

    if (g->write(g->cat) != NGX_OK) {
        ngx_mntreamer_gather_back(g);
        ngx_mntreamer_catalog_arm(&g->timer, 1000);
    }
}


/* told once for each time that the database is away */

static void
ngx_mntreamer_gather_dropped(ngx_mntreamer_gather_t *g)
{
    if (g->dropped++ == 0) {
        ngx_log_error(NGX_LOG_CRIT, g->cat->log, 0,
                      "mntreamer: the database is away for too long, the "
                      "oldest %s are dropped", g->name);
    }
}


/* rows that were not written wait again, but for those that are outdated */

static void
ngx_mntreamer_gather_back(ngx_mntreamer_gather_t *g)
{
    ngx_queue_t               *q;
    ngx_mntreamer_gathered_t  *row;

    while (!ngx_queue_empty(&g->sent)) {
        q = ngx_queue_last(&g->sent);
        row = ngx_queue_data(q, ngx_mntreamer_gathered_t, queue);

        ngx_queue_remove(q);

        if (ngx_mntreamer_gather_find(g, row->id, row->number)) {
            ngx_free(row);
            continue;
        }

        if (g->n >= NGX_MNTREAMER_CATALOG_PENDING) {
            ngx_mntreamer_gather_dropped(g);
            ngx_free(row);
            continue;
        }

        ngx_rbtree_insert(&g->tree, &row->node);
        ngx_queue_insert_head(&g->pending, &row->queue);
        g->n++;
    }
}


void
ngx_mntreamer_gather_done(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_gather_t *g = data;

    g->st = NULL;

    if (result->rc == NGX_MNTREAMER_PQ_FAILED
        && g->cat->state != NGX_MNTREAMER_CATALOG_RELEASING)
    {
        ngx_mntreamer_gather_failed(g);
        return;
    }

    if (result->rc == NGX_MNTREAMER_PQ_AWAY) {
        ngx_mntreamer_gather_back(g);

    } else {
        if (result->rc != NGX_MNTREAMER_PQ_OK) {
            ngx_log_error(NGX_LOG_ERR, g->cat->log, 0,
                          "mntreamer: %s were not stored", g->name);
        }

        g->dropped = 0;
        g->failures = 0;
        ngx_mntreamer_gather_forget(&g->sent);
    }

    if (g->n >= NGX_MNTREAMER_CATALOG_BATCH
        || g->cat->state == NGX_MNTREAMER_CATALOG_RELEASING)
    {
        ngx_mntreamer_gather_flush(g);
        ngx_mntreamer_catalog_settle(g->cat);
        return;
    }

    ngx_mntreamer_gather_later(g);
}


/* a table, a column or a right is not there: somebody may mend it */

static void
ngx_mntreamer_gather_failed(ngx_mntreamer_gather_t *g)
{
    ngx_msec_t  wait;

    wait = ngx_min((ngx_msec_t) 1000 << ngx_min(g->failures, 6),
                   NGX_MNTREAMER_GATHER_MAX);

    g->failures++;

    ngx_log_error(NGX_LOG_ERR, g->cat->log, 0,
                  "mntreamer: %s cannot be stored, they are kept and tried "
                  "again in %M ms", g->name, wait);

    ngx_mntreamer_gather_back(g);
    ngx_mntreamer_catalog_arm(&g->timer, wait);
}


/*
 * Other sites' texts in a batch of rows: one that the database refuses would
 * refuse them all.
 */

u_char *
ngx_mntreamer_gather_text(u_char *p, ngx_str_t *dst, const ngx_str_t *src)
{
    size_t     i;
    mnt_str_t  s;

    if (src->len == 0) {
        ngx_str_null(dst);
        return p;
    }

    s.data = (const char *) src->data;
    s.len = src->len;

    dst->data = p;

    if (mnt_str_utf8(s)) {
        s = mnt_str_utf8_cut(s, NGX_MNTREAMER_CATALOG_TEXT);

        for (i = 0; i < s.len; i++) {
            *p++ = s.data[i] ? (u_char) s.data[i] : ' ';
        }

    } else {
        for (i = 0; i < s.len && i < NGX_MNTREAMER_CATALOG_TEXT; i++) {
            *p = (u_char) s.data[i];
            *p = (*p && *p < 0x80) ? *p : '?';
            p++;
        }
    }

    dst->len = p - dst->data;

    return p;
}


size_t
ngx_mntreamer_gather_facts_len(const ngx_mntreamer_facts_t *facts)
{
    return facts->broadcast_id.len + facts->title.len + facts->category.len
           + facts->channel_name.len + facts->image.len;
}


u_char *
ngx_mntreamer_gather_facts(u_char *p, ngx_mntreamer_facts_t *dst,
    const ngx_mntreamer_facts_t *src)
{
    dst->opened_ms = src->opened_ms;
    dst->viewers = src->viewers;

    p = ngx_mntreamer_gather_text(p, &dst->broadcast_id, &src->broadcast_id);
    p = ngx_mntreamer_gather_text(p, &dst->title, &src->title);
    p = ngx_mntreamer_gather_text(p, &dst->category, &src->category);
    p = ngx_mntreamer_gather_text(p, &dst->channel_name, &src->channel_name);

    return ngx_mntreamer_gather_text(p, &dst->image, &src->image);
}


/* a date that makes no sense is none, so is a count */

void
ngx_mntreamer_gather_facts_put(ngx_mntreamer_pq_array_t *b,
    const ngx_mntreamer_facts_t *facts)
{
    ngx_mntreamer_pq_array_text(&b[0], &facts->broadcast_id);
    ngx_mntreamer_pq_array_text(&b[1], &facts->title);
    ngx_mntreamer_pq_array_text(&b[2], &facts->category);
    ngx_mntreamer_pq_array_text(&b[3], &facts->channel_name);
    ngx_mntreamer_pq_array_text(&b[4], &facts->image);

    if (facts->opened_ms > 0
        && facts->opened_ms < NGX_MNTREAMER_GATHER_LATEST)
    {
        ngx_mntreamer_pq_array_i64(&b[5], facts->opened_ms);

    } else {
        ngx_mntreamer_pq_array_null(&b[5]);
    }

    if (facts->viewers >= 0) {
        ngx_mntreamer_pq_array_i64(&b[6], facts->viewers);

    } else {
        ngx_mntreamer_pq_array_null(&b[6]);
    }
}


ngx_uint_t
ngx_mntreamer_gather_titled(const ngx_mntreamer_facts_t *a,
    const ngx_mntreamer_facts_t *b)
{
    return a->title.len == b->title.len
           && ngx_memcmp(a->title.data, b->title.data, a->title.len) == 0
           && a->category.len == b->category.len
           && ngx_memcmp(a->category.data, b->category.data,
                         a->category.len) == 0;
}


int64_t
ngx_mntreamer_recording_count(uint64_t n)
{
    return (int64_t) ngx_min(n, (uint64_t) INT64_MAX);
}


int64_t
ngx_mntreamer_recording_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (int64_t) tp->sec * 1000 + (int64_t) tp->msec;
}
