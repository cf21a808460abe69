
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Sees every answer of our locations: counts it, and when it is an error that
 * another part of nginx made (403 of "deny", 413, 429 of limit_req, ...) in
 * the API's or the health location, gives it our body.  An "error_page" of the
 * operator leads to another location and so keeps what it says.
 *
 * A request that fails before its location is known (400, 414, TRACE) belongs
 * to the API when its raw path begins with a prefix of one in this server.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


static ngx_uint_t ngx_http_mntreamer_filter_kind(ngx_http_request_t *r);
static ngx_uint_t ngx_http_mntreamer_filter_early(ngx_http_request_t *r);
static ngx_uint_t ngx_http_mntreamer_filter_signed(ngx_http_request_t *r);
static ngx_int_t ngx_http_mntreamer_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_mntreamer_filter_replace(ngx_http_request_t *r);
static ngx_int_t ngx_http_mntreamer_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);


static ngx_str_t  ngx_http_mntreamer_no_store = ngx_string("no-store");

static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


ngx_int_t
ngx_http_mntreamer_filter_init(ngx_conf_t *cf)
{
    ngx_http_mntreamer_main_conf_t  *hmcf;

    hmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_mntreamer_module);

    if (!hmcf->used) {
        return NGX_OK;
    }

    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_mntreamer_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_mntreamer_body_filter;

    return NGX_OK;
}


static ngx_uint_t
ngx_http_mntreamer_filter_early(ngx_http_request_t *r)
{
    size_t                          len;
    u_char                         *p;
    ngx_str_t                      *prefix;
    ngx_uint_t                      i;
    ngx_http_mntreamer_srv_conf_t  *hscf;

    hscf = ngx_http_get_module_srv_conf(r, ngx_http_mntreamer_module);

    if (hscf->api->nelts == 0) {
        return NGX_HTTP_MNTREAMER_NONE;
    }

    if (r->uri.len) {
        p = r->uri.data;
        len = r->uri.len;

    } else if (r->http_version < NGX_HTTP_VERSION_20 && r->uri_start
               && r->header_in && r->uri_start >= r->header_in->start
               && r->uri_start < r->header_in->last)
    {
        p = r->uri_start;
        len = r->header_in->last - p;

    } else {
        return NGX_HTTP_MNTREAMER_NONE;
    }

    prefix = hscf->api->elts;

    for (i = 0; i < hscf->api->nelts; i++) {
        if (len >= prefix[i].len
            && ngx_memcmp(p, prefix[i].data, prefix[i].len) == 0)
        {
            return NGX_HTTP_MNTREAMER_API;
        }
    }

    return NGX_HTTP_MNTREAMER_NONE;
}


static ngx_uint_t
ngx_http_mntreamer_filter_kind(ngx_http_request_t *r)
{
    ngx_http_core_srv_conf_t       *cscf;
    ngx_http_mntreamer_loc_conf_t  *hlcf;

    hlcf = ngx_http_get_module_loc_conf(r, ngx_http_mntreamer_module);

    if (hlcf->kind || r->headers_out.status < NGX_HTTP_BAD_REQUEST) {
        return hlcf->kind;
    }

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    if (r->loc_conf != cscf->ctx->loc_conf) {
        return NGX_HTTP_MNTREAMER_NONE;
    }

    return ngx_http_mntreamer_filter_early(r);
}


static ngx_int_t
ngx_http_mntreamer_header_filter(ngx_http_request_t *r)
{
    ngx_uint_t                       kind;
    ngx_http_mntreamer_ctx_t        *ctx;
    const ngx_http_mntreamer_env_t  *env;

    if (r != r->main) {
        return ngx_http_next_header_filter(r);
    }

    kind = ngx_http_mntreamer_filter_kind(r);

    if (kind == NGX_HTTP_MNTREAMER_NONE) {
        return ngx_http_next_header_filter(r);
    }

    env = ngx_http_mntreamer_env();

    if (env->metrics) {
        ngx_mntreamer_metrics_add(env->metrics, NGX_MNTREAMER_M_REQUESTS,
                                  kind - 1, 1);
    }

    /* a link that is refused now may be good later, or another one is */

    if (r->headers_out.status == NGX_HTTP_FORBIDDEN
        && ngx_http_mntreamer_filter_signed(r)
        && ngx_http_mntreamer_cache_control(r, &ngx_http_mntreamer_no_store)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (r->headers_out.status < NGX_HTTP_BAD_REQUEST
        || (kind != NGX_HTTP_MNTREAMER_API
            && kind != NGX_HTTP_MNTREAMER_HEALTH))
    {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);

    if (ctx == NULL || !ctx->ours) {
        if (ngx_http_mntreamer_filter_replace(r) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return ngx_http_next_header_filter(r);
}


static ngx_uint_t
ngx_http_mntreamer_filter_signed(ngx_http_request_t *r)
{
    ngx_http_mntreamer_loc_conf_t  *hlcf;

    hlcf = ngx_http_get_module_loc_conf(r, ngx_http_mntreamer_module);

    return hlcf->sign && hlcf->kind == NGX_HTTP_MNTREAMER_RECORDINGS;
}


static ngx_int_t
ngx_http_mntreamer_filter_replace(ngx_http_request_t *r)
{
    ngx_uint_t                   status;
    ngx_http_mntreamer_ctx_t    *ctx;
    ngx_http_mntreamer_text_t    t;
    ngx_http_mntreamer_error_t   err;

    static ngx_str_t  nosniff = ngx_string("nosniff");

    ctx = ngx_http_mntreamer_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    status = r->headers_out.status;

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_error_set(&err,
                                 ngx_http_mntreamer_error_of_status(status),
                                 NULL, NULL);
    ngx_http_mntreamer_error_text(&t, &err, status);

    if (t.failed
        || ngx_http_mntreamer_cache_control(r, &ngx_http_mntreamer_no_store)
           != NGX_OK
        || ngx_http_mntreamer_header(r, "X-Content-Type-Options", &nosniff)
           != NGX_OK
        || ngx_http_mntreamer_error_retry(r, err.code) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ctx->replacement.data = t.start;
    ctx->replacement.len = t.last - t.start;
    ctx->replace = 1;

    ngx_http_clear_content_length(r);
    ngx_http_clear_accept_ranges(r);
    ngx_http_clear_last_modified(r);
    ngx_http_clear_etag(r);

    r->headers_out.content_length_n = ctx->replacement.len;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset.len = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_http_mntreamer_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_buf_t                 *b;
    ngx_chain_t               *cl, out;
    ngx_http_mntreamer_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);

    if (ctx == NULL || !ctx->replace || r != r->main) {
        return ngx_http_next_body_filter(r, in);
    }

    for (cl = in; cl; cl = cl->next) {
        cl->buf->pos = cl->buf->last;
        cl->buf->file_pos = cl->buf->file_last;
    }

    if (in == NULL || ctx->replaced) {
        return ngx_http_next_body_filter(r, NULL);
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = ctx->replacement.data;
    b->last = b->pos + ctx->replacement.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    ctx->replaced = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_next_body_filter(r, &out);
}
