
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <openssl/evp.h>
#include <sys/random.h>

#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_SECRET_MAX  64     /* bytes */


ngx_int_t
ngx_http_mntreamer_secret(ngx_http_request_t *r, size_t n, ngx_str_t *text)
{
    u_char  random[NGX_HTTP_MNTREAMER_SECRET_MAX];

    text->len = 2 * n;
    text->data = ngx_pnalloc(r->pool, text->len);

    if (text->data == NULL || n > sizeof(random)) {
        return NGX_ERROR;
    }

    if (getrandom(random, n, 0) != (ssize_t) n) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, ngx_errno,
                      "getrandom() failed");
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(text->data, random, n);
    ngx_explicit_memzero(random, n);

    return NGX_OK;
}


ngx_int_t
ngx_http_mntreamer_hash(ngx_http_request_t *r, const void *p, size_t len,
    ngx_str_t *hash)
{
    u_char        md[EVP_MAX_MD_SIZE];
    unsigned int  n;

    hash->data = ngx_pnalloc(r->pool, 2 * EVP_MAX_MD_SIZE);

    if (hash->data == NULL
        || EVP_Digest(p, len, md, &n, EVP_sha256(), NULL) != 1)
    {
        return NGX_ERROR;
    }

    hash->len = ngx_hex_dump(hash->data, md, n) - hash->data;

    return NGX_OK;
}
