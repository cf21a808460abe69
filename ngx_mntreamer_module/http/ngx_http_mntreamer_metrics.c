
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


ngx_int_t
ngx_http_mntreamer_metrics_handler(ngx_http_request_t *r)
{
    off_t                            len;
    ngx_int_t                        rc;
    ngx_chain_t                     *cl, *out;
    const ngx_http_mntreamer_env_t  *env;

    static ngx_str_t  no_store = ngx_string("no-store");

    rc = ngx_http_mntreamer_only_get(r);
    if (rc != NGX_OK) {
        return rc;
    }

    env = ngx_http_mntreamer_env();

    if (env->metrics == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    out = ngx_mntreamer_metrics_text(env->metrics, r->pool);

    if (out == NULL
        || ngx_http_mntreamer_cache_control(r, &no_store) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (len = 0, cl = out; cl; cl = cl->next) {
        len += ngx_buf_size(cl->buf);
        cl->buf->last_buf = (cl->next == NULL && r == r->main) ? 1 : 0;
        cl->buf->last_in_chain = (cl->next == NULL) ? 1 : 0;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = len;
    ngx_str_set(&r->headers_out.content_type,
                "text/plain; version=0.0.4; charset=utf-8");
    r->headers_out.content_type_len = sizeof("text/plain") - 1;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, out);
}
