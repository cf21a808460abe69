
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_INGEST_MAX   255   /* bytes */
#define NGX_HTTP_MNTREAMER_INGEST_PATH  ":1935/ingest"


/* "rtmp://" or "rtmps://", a host, an application; plain letters only */

ngx_uint_t
ngx_http_mntreamer_ingest_valid(ngx_str_t *address)
{
    u_char  *p, *last, *slash;

    p = address->data;
    last = p + address->len;

    if (address->len > NGX_HTTP_MNTREAMER_INGEST_MAX) {
        return 0;
    }

    if (ngx_strncmp(p, "rtmp://", 7) == 0) {
        p += 7;

    } else if (ngx_strncmp(p, "rtmps://", 8) == 0) {
        p += 8;

    } else {
        return 0;
    }

    slash = ngx_strlchr(p, last, '/');

    if (slash == NULL || slash == p || last[-1] == '/') {
        return 0;
    }

    for ( /* void */ ; p < last; p++) {

        if (*p <= ' ' || *p > '~' || *p == '"' || *p == '\\' || *p == '@'
            || *p == '?' || *p == '#' || *p == '<' || *p == '>')
        {
            return 0;
        }
    }

    return 1;
}


/* what a browser says as Host has passed nginx's own check */

ngx_int_t
ngx_http_mntreamer_ingest(ngx_http_request_t *r, ngx_str_t *address)
{
    u_char                         *p;
    ngx_str_t                       host;
    u_char                          addr[NGX_SOCKADDR_STRLEN];
    ngx_http_mntreamer_loc_conf_t  *hlcf;

    hlcf = ngx_http_get_module_loc_conf(r, ngx_http_mntreamer_module);

    if (hlcf->ingest.len) {
        *address = hlcf->ingest;
        return NGX_OK;
    }

    host = r->headers_in.server;

    if (host.len == 0) {
        host.data = addr;
        host.len = NGX_SOCKADDR_STRLEN;

        if (ngx_connection_local_sockaddr(r->connection, &host, 0)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    address->data = ngx_pnalloc(r->pool, sizeof("rtmp://") + host.len
                                + sizeof(NGX_HTTP_MNTREAMER_INGEST_PATH));
    if (address->data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(address->data,
                    "rtmp://%V" NGX_HTTP_MNTREAMER_INGEST_PATH, &host);
    address->len = p - address->data;

    return NGX_OK;
}
