
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


static ngx_uint_t ngx_http_mntreamer_is_json(ngx_http_request_t *r);
static ngx_int_t ngx_http_mntreamer_body_start(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, size_t max,
    ngx_http_mntreamer_route_pt body);
static void ngx_http_mntreamer_body_read(ngx_http_request_t *r);
static ngx_int_t ngx_http_mntreamer_body_go(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
static ngx_int_t ngx_http_mntreamer_body_text(ngx_http_request_t *r,
    size_t max, ngx_str_t *text);
static void ngx_http_mntreamer_body_free(void *data);
static ngx_uint_t ngx_http_mntreamer_own_origin(ngx_http_request_t *r,
    ngx_str_t *origin);


/* "application/json", also with parameters */

static ngx_uint_t
ngx_http_mntreamer_is_json(ngx_http_request_t *r)
{
    size_t      n;
    u_char      c;
    ngx_str_t  *type;

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    type = &r->headers_in.content_type->value;
    n = sizeof("application/json") - 1;

    if (type->len < n
        || ngx_strncasecmp(type->data, (u_char *) "application/json", n) != 0)
    {
        return 0;
    }

    c = (type->len > n) ? type->data[n] : ';';

    return c == ';' || c == ' ' || c == '\t';
}


ngx_int_t
ngx_http_mntreamer_body(ngx_http_request_t *r, ngx_http_mntreamer_ctx_t *ctx,
    size_t max, ngx_http_mntreamer_route_pt body)
{
    if (!ngx_http_mntreamer_is_json(r)) {
        return ngx_http_mntreamer_fail_code(r,
                                    NGX_HTTP_MNTREAMER_E_UNSUPPORTED_TYPE);
    }

    return ngx_http_mntreamer_body_start(r, ctx, max, body);
}


ngx_int_t
ngx_http_mntreamer_body_raw(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, size_t max,
    ngx_http_mntreamer_route_pt body)
{
    ctx->raw = 1;

    return ngx_http_mntreamer_body_start(r, ctx, max, body);
}


static ngx_int_t
ngx_http_mntreamer_body_start(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, size_t max,
    ngx_http_mntreamer_route_pt body)
{
    ngx_int_t   rc;
    ngx_uint_t  held;

    if (r->headers_in.content_length_n > (off_t) max) {
        return ngx_http_mntreamer_fail_code(r,
                                            NGX_HTTP_MNTREAMER_E_TOO_LARGE);
    }

    ctx->body = body;
    ctx->body_max = max;

    r->request_body_in_single_buf = 1;

    /*
     * Reading has a count of its own, which nginx gives back when it fails
     * later; that of the waiting before it ends here, as that of a phase.
     */

    held = ctx->held;
    ctx->held = 0;

    rc = ngx_http_read_client_request_body(r, ngx_http_mntreamer_body_read);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        ctx->held = held & 1;
        return rc;
    }

    if (held) {
        ngx_http_finalize_request(r, NGX_DONE);
    }

    return NGX_DONE;
}


/* reading the body has raised the request's count for us */

static void
ngx_http_mntreamer_body_read(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_http_mntreamer_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);

    ctx->held = 1;

    rc = ngx_http_mntreamer_body_go(r, ctx);

    if (rc != NGX_DONE) {
        ngx_http_finalize_request(r, rc);
    }
}


static ngx_int_t
ngx_http_mntreamer_body_go(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_int_t                    rc;
    ngx_str_t                    text;
    mnt_str_t                    s;
    const char                  *why;
    ngx_pool_cleanup_t          *cln;
    ngx_http_mntreamer_error_t   err;

    rc = ngx_http_mntreamer_body_text(r, ctx->body_max, &text);

    if (rc == NGX_DECLINED) {
        return ngx_http_mntreamer_fail_code(r,
                                            NGX_HTTP_MNTREAMER_E_TOO_LARGE);
    }

    if (rc == NGX_OK && ctx->raw) {
        ctx->text = text;
        return ctx->body(r, ctx);
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (rc != NGX_OK || cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_mntreamer_body_free;
    cln->data = ctx;

    s.data = (char *) text.data;
    s.len = text.len;

    ctx->json = mnt_json_load(s, ctx->body_max, &why);
    ctx->body_len = text.len;

    if (ctx->json == NULL) {
        ngx_http_mntreamer_error_set(&err, NGX_HTTP_MNTREAMER_E_BAD_JSON,
                                     NULL, NULL);
        err.description.data = ngx_pnalloc(r->pool, 128);

        if (err.description.data) {
            err.description.len = ngx_snprintf(err.description.data, 128,
                                               "the body %s", why)
                                  - err.description.data;
        }

        return ngx_http_mntreamer_fail(r, &err);
    }

    if (!json_is_object(ctx->json)) {
        ngx_http_mntreamer_error_set(&err, NGX_HTTP_MNTREAMER_E_BAD_JSON,
                                     NULL, "the body is not an object");
        return ngx_http_mntreamer_fail(r, &err);
    }

    return ctx->body(r, ctx);
}


/* a body that did not fit into nginx's buffer is in a temporary file */

static ngx_int_t
ngx_http_mntreamer_body_text(ngx_http_request_t *r, size_t max,
    ngx_str_t *text)
{
    off_t         size;
    u_char       *p;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    text->len = 0;
    text->data = (u_char *) "";

    if (r->request_body == NULL) {
        return NGX_OK;
    }

    size = 0;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size > (off_t) max) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(r->pool, (size_t) size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;
    text->len = (size_t) size;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);
            continue;
        }

        /* an empty body is a buffer that is nowhere */

        if (!b->in_file) {
            continue;
        }

        n = ngx_read_file(b->file, p, (size_t) (b->file_last - b->file_pos),
                          b->file_pos);

        if (n != (ssize_t) (b->file_last - b->file_pos)) {
            return NGX_ERROR;
        }

        p += n;
    }

    return NGX_OK;
}


static void
ngx_http_mntreamer_body_free(void *data)
{
    ngx_http_mntreamer_ctx_t *ctx = data;

    json_decref(ctx->json);
    ctx->json = NULL;
}


/*
 * What a browser tells about the page that asks.  Programs send neither
 * header; a page cannot leave them out.
 */

ngx_int_t
ngx_http_mntreamer_same_origin(ngx_http_request_t *r,
    ngx_http_mntreamer_error_t *err)
{
    ngx_uint_t        i;
    ngx_str_t        *key, *value;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static ngx_str_t  origin = ngx_string("origin");
    static ngx_str_t  site = ngx_string("sec-fetch-site");

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return NGX_OK;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        key = &h[i].key;
        value = &h[i].value;

        if (key->len == origin.len
            && ngx_strncasecmp(key->data, origin.data, origin.len) == 0)
        {
            if (!ngx_http_mntreamer_own_origin(r, value)) {
                break;
            }

        } else if (key->len == site.len
                   && ngx_strncasecmp(key->data, site.data, site.len) == 0)
        {
            if (ngx_strcasecmp(value->data, (u_char *) "same-origin") != 0
                && ngx_strcasecmp(value->data, (u_char *) "none") != 0)
            {
                break;
            }
        }
    }

    ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_CROSS_ORIGIN, NULL,
                                 NULL);
    return NGX_DECLINED;
}


/*
 * "https://" is also right for a plain connection: a balancer in front of us
 * may have ended TLS, and no other site can have this name with it.
 */

static ngx_uint_t
ngx_http_mntreamer_own_origin(ngx_http_request_t *r, ngx_str_t *origin)
{
    size_t      n;
    ngx_str_t  *host;
    ngx_uint_t  plain;

#if (NGX_HTTP_SSL)
    plain = (r->connection->ssl == NULL);
#else
    plain = 1;
#endif

    if (r->headers_in.host == NULL) {
        return 0;
    }

    host = &r->headers_in.host->value;

    if (origin->len > 8
        && ngx_strncasecmp(origin->data, (u_char *) "https://", 8) == 0)
    {
        n = 8;

    } else if (plain && origin->len > 7
               && ngx_strncasecmp(origin->data, (u_char *) "http://", 7) == 0)
    {
        n = 7;

    } else {
        return 0;
    }

    return host->len == origin->len - n
           && ngx_strncasecmp(host->data, origin->data + n, host->len) == 0;
}
