
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Playlists of signed locations: each address in them gets the token of the
 * request, so that segments and further playlists pass, too.  The text goes
 * through in pieces: a playlist of ten hours takes no more memory than a short
 * one.  This is a module of its own because of its place: behind the filter
 * that reads files, before the one that compresses (ngx_module_order in
 * "config").
 *
 *     "in" is what came and has not gone on yet; while there is some and no
 *     buffer is free, r->buffered tells nginx to call again when the client
 *     has taken something.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "../hls/mnt_hls_query.h"
#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_SIGN_SIZE      32768
#define NGX_HTTP_MNTREAMER_SIGN_BUFS      2
#define NGX_HTTP_MNTREAMER_SIGN_BUFFERED  0x08   /* the image filter's */


struct ngx_http_mntreamer_passing_s {
    mnt_hls_query_t   query;
    ngx_chain_t      *in;
    ngx_chain_t      *out;
    ngx_chain_t     **last;
    ngx_chain_t      *free;
    ngx_chain_t      *busy;
    ngx_buf_t        *buf;                    /* being filled; or NULL */
    ngx_uint_t        nbufs;
};


static ngx_int_t ngx_http_mntreamer_sign_filter_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_mntreamer_sign_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_mntreamer_passing_fill(ngx_http_request_t *r,
    ngx_http_mntreamer_passing_t *p);
static ngx_int_t ngx_http_mntreamer_passing_text(ngx_http_request_t *r,
    ngx_http_mntreamer_passing_t *p, ngx_buf_t *from);
static ngx_int_t ngx_http_mntreamer_passing_buf(ngx_http_request_t *r,
    ngx_http_mntreamer_passing_t *p);
static ngx_int_t ngx_http_mntreamer_passing_mark(ngx_http_request_t *r,
    ngx_http_mntreamer_passing_t *p, ngx_buf_t *from);
static ngx_int_t ngx_http_mntreamer_passing_flush(ngx_http_request_t *r,
    ngx_http_mntreamer_passing_t *p);
static ngx_int_t ngx_http_mntreamer_passing_send(ngx_http_request_t *r,
    ngx_http_mntreamer_passing_t *p);


static ngx_http_module_t  ngx_http_mntreamer_sign_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_mntreamer_sign_filter_init,   /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_mntreamer_sign_module = {
    NGX_MODULE_V1,
    &ngx_http_mntreamer_sign_module_ctx,   /* module context */
    NULL,                                  /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_http_output_body_filter_pt  ngx_http_next_body_filter;


static ngx_int_t
ngx_http_mntreamer_sign_filter_init(ngx_conf_t *cf)
{
    ngx_http_mntreamer_main_conf_t  *hmcf;

    hmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_mntreamer_module);

    if (!hmcf->sign) {
        return NGX_OK;
    }

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_mntreamer_sign_body_filter;

    return NGX_OK;
}


ngx_int_t
ngx_http_mntreamer_sign_playlist(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    mnt_str_t                      query;
    ngx_http_mntreamer_ctx_t      *ctx;
    ngx_http_mntreamer_passing_t  *p;

    rc = ngx_http_mntreamer_sign_query(r, &query);

    if (rc != NGX_OK) {
        return rc;
    }

    p = ngx_pcalloc(r->pool, sizeof(ngx_http_mntreamer_passing_t));
    if (p == NULL) {
        return NGX_ERROR;
    }

    mnt_hls_query_init(&p->query, query);
    p->last = &p->out;

    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);
    ctx->passing = p;

    ngx_http_clear_content_length(r);

    r->allow_ranges = 0;
    r->filter_need_in_memory = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_mntreamer_sign_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_int_t                      rc;
    ngx_http_mntreamer_ctx_t      *ctx;
    ngx_http_mntreamer_passing_t  *p;

    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);

    if (ctx == NULL || ctx->passing == NULL || r->header_only) {
        return ngx_http_next_body_filter(r, in);
    }

    p = ctx->passing;

    if (in && ngx_chain_add_copy(r->pool, &p->in, in) != NGX_OK) {
        return NGX_ERROR;
    }

    do {
        rc = ngx_http_mntreamer_passing_fill(r, p);

        if (rc == NGX_ERROR
            || ngx_http_mntreamer_passing_send(r, p) == NGX_ERROR)
        {
            return NGX_ERROR;
        }

        /* what went on at once has left a buffer */

    } while (rc == NGX_AGAIN && p->free);

    if (p->in) {
        r->buffered |= NGX_HTTP_MNTREAMER_SIGN_BUFFERED;
        return NGX_AGAIN;
    }

    r->buffered &= ~NGX_HTTP_MNTREAMER_SIGN_BUFFERED;

    return (p->busy || r->connection->buffered) ? NGX_AGAIN : NGX_OK;
}


/* NGX_AGAIN: no buffer is free */

static ngx_int_t
ngx_http_mntreamer_passing_fill(ngx_http_request_t *r,
    ngx_http_mntreamer_passing_t *p)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    while (p->in) {
        cl = p->in;
        b = cl->buf;

        rc = ngx_http_mntreamer_passing_text(r, p, b);

        if (rc == NGX_OK
            && (b->last_buf || b->last_in_chain || b->flush || b->sync))
        {
            rc = ngx_http_mntreamer_passing_mark(r, p, b);
        }

        if (rc != NGX_OK) {
            return rc;
        }

        p->in = cl->next;
        ngx_free_chain(r->pool, cl);
    }

    return ngx_http_mntreamer_passing_flush(r, p);
}


static ngx_int_t
ngx_http_mntreamer_passing_text(ngx_http_request_t *r,
    ngx_http_mntreamer_passing_t *p, ngx_buf_t *from)
{
    size_t      room;
    ngx_int_t   rc;
    mnt_str_t   text;

    if (!ngx_buf_in_memory(from) && ngx_buf_size(from)) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "mntreamer: a playlist was not read into memory");
        return NGX_ERROR;
    }

    while (ngx_buf_in_memory(from) && from->pos < from->last) {

        rc = ngx_http_mntreamer_passing_buf(r, p);

        if (rc != NGX_OK) {
            return rc;
        }

        text.data = (char *) from->pos;
        text.len = (size_t) (from->last - from->pos);
        room = (size_t) (p->buf->end - p->buf->last);

        p->buf->last += mnt_hls_query_put(&p->query, &text,
                                          (char *) p->buf->last, room);
        from->pos = (u_char *) text.data;

        if (text.len
            && ngx_http_mntreamer_passing_flush(r, p) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* one with room for something */

static ngx_int_t
ngx_http_mntreamer_passing_buf(ngx_http_request_t *r,
    ngx_http_mntreamer_passing_t *p)
{
    ngx_chain_t  *cl;

    if (p->buf) {
        return NGX_OK;
    }

    if (p->free) {
        cl = p->free;
        p->free = cl->next;

        p->buf = cl->buf;
        ngx_free_chain(r->pool, cl);

        p->buf->pos = p->buf->start;
        p->buf->last = p->buf->start;
        p->buf->flush = 0;

        return NGX_OK;
    }

    if (p->nbufs == NGX_HTTP_MNTREAMER_SIGN_BUFS) {
        return NGX_AGAIN;
    }

    p->buf = ngx_create_temp_buf(r->pool, NGX_HTTP_MNTREAMER_SIGN_SIZE);
    if (p->buf == NULL) {
        return NGX_ERROR;
    }

    p->buf->tag = (ngx_buf_tag_t) &ngx_http_mntreamer_sign_module;
    p->buf->recycled = 1;
    p->nbufs++;

    return NGX_OK;
}


/* the end, or a wish to be sent at once, in a buffer that has nothing else */

static ngx_int_t
ngx_http_mntreamer_passing_mark(ngx_http_request_t *r,
    ngx_http_mntreamer_passing_t *p, ngx_buf_t *from)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    mnt_str_t     none = mnt_str_null;
    ngx_chain_t  *cl;

    if (from->last_buf || from->last_in_chain) {

        rc = ngx_http_mntreamer_passing_buf(r, p);

        if (rc != NGX_OK) {
            return rc;
        }

        if ((size_t) (p->buf->end - p->buf->last)
            < p->query.query.len + 2)
        {
            if (ngx_http_mntreamer_passing_flush(r, p) != NGX_OK) {
                return NGX_ERROR;
            }

            rc = ngx_http_mntreamer_passing_buf(r, p);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        p->buf->last += mnt_hls_query_put(&p->query, &none,
                                  (char *) p->buf->last,
                                  (size_t) (p->buf->end - p->buf->last));
    }

    if (ngx_http_mntreamer_passing_flush(r, p) != NGX_OK) {
        return NGX_ERROR;
    }

    b = ngx_calloc_buf(r->pool);
    cl = ngx_alloc_chain_link(r->pool);

    if (b == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    b->last_buf = from->last_buf;
    b->last_in_chain = from->last_in_chain;
    b->flush = from->flush;
    b->sync = from->sync;

    cl->buf = b;
    cl->next = NULL;

    *p->last = cl;
    p->last = &cl->next;

    return NGX_OK;
}


/* what was gathered becomes a part of the answer; nothing becomes free */

static ngx_int_t
ngx_http_mntreamer_passing_flush(ngx_http_request_t *r,
    ngx_http_mntreamer_passing_t *p)
{
    ngx_chain_t  *cl;

    if (p->buf == NULL) {
        return NGX_OK;
    }

    cl = ngx_alloc_chain_link(r->pool);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    cl->buf = p->buf;

    if (p->buf->last == p->buf->pos) {
        cl->next = p->free;
        p->free = cl;

    } else {
        cl->next = NULL;
        *p->last = cl;
        p->last = &cl->next;
    }

    p->buf = NULL;

    return NGX_OK;
}


static ngx_int_t
ngx_http_mntreamer_passing_send(ngx_http_request_t *r,
    ngx_http_mntreamer_passing_t *p)
{
    ngx_int_t  rc;

    rc = ngx_http_next_body_filter(r, p->out);

    ngx_chain_update_chains(r->pool, &p->free, &p->busy, &p->out,
                     (ngx_buf_tag_t) &ngx_http_mntreamer_sign_module);

    p->last = &p->out;

    return rc;
}
