
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Links to recordings in the signed location of the server that is asked.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_LINK_S      3600   /* unless it is said */
#define NGX_HTTP_MNTREAMER_LINK_MAX_S  31536000
#define NGX_HTTP_MNTREAMER_LINK_STEP   60     /* of expiries */


typedef struct {
    int64_t     seconds;
    ngx_str_t   address;                      /* pool; empty: everybody's */
} ngx_http_mntreamer_link_t;


static ngx_int_t ngx_http_mntreamer_link_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
static ngx_int_t ngx_http_mntreamer_link_seconds(json_t *json,
    int64_t *seconds, ngx_http_mntreamer_error_t *err);
static ngx_int_t ngx_http_mntreamer_link_address(ngx_http_request_t *r,
    json_t *json, ngx_str_t *address, ngx_http_mntreamer_error_t *err);
static ngx_int_t ngx_http_mntreamer_link_made(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_link_url(ngx_http_request_t *r,
    ngx_str_t *path, ngx_str_t *token, ngx_str_t *url);


static const char *const  ngx_http_mntreamer_link_fields[] = {
    "seconds", "address", NULL
};


ngx_int_t
ngx_http_mntreamer_link_make(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_http_mntreamer_error_t      err;
    ngx_http_mntreamer_srv_conf_t  *hscf;

    if (ngx_http_mntreamer_args(r, NULL, NULL, &err) != NGX_OK) {
        return ngx_http_mntreamer_fail(r, &err);
    }

    hscf = ngx_http_get_module_srv_conf(r, ngx_http_mntreamer_module);

    if (hscf->sign == NULL) {
        ngx_http_mntreamer_error_set(&err,
                                     NGX_HTTP_MNTREAMER_E_NOT_IMPLEMENTED,
                                     NULL, "no location is signed here");
        return ngx_http_mntreamer_fail(r, &err);
    }

    return ngx_http_mntreamer_body(r, ctx, NGX_HTTP_MNTREAMER_BODY_MAX,
                                   ngx_http_mntreamer_link_body);
}


static ngx_int_t
ngx_http_mntreamer_link_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t                   id;
    ngx_http_mntreamer_link_t  *link;
    ngx_http_mntreamer_error_t  err;

    link = ngx_pcalloc(r->pool, sizeof(ngx_http_mntreamer_link_t));
    if (link == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_mntreamer_fields_known(ctx->json,
                                        ngx_http_mntreamer_link_fields,
                                        r->pool, &err)
        != NGX_OK
        || ngx_http_mntreamer_link_seconds(ctx->json, &link->seconds, &err)
           != NGX_OK
        || ngx_http_mntreamer_link_address(r, ctx->json, &link->address, &err)
           != NGX_OK)
    {
        return ngx_http_mntreamer_fail(r, &err);
    }

    ctx->data = link;

    if (ngx_http_mntreamer_number(r, ctx->id, &id) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_ask(r, ctx, NGX_MNTREAMER_ASK_RECORDING_PATH,
                                  &id, 1, ngx_http_mntreamer_link_made);
}


static ngx_int_t
ngx_http_mntreamer_link_seconds(json_t *json, int64_t *seconds,
    ngx_http_mntreamer_error_t *err)
{
    json_t  *v;

    v = json_object_get(json, "seconds");

    *seconds = NGX_HTTP_MNTREAMER_LINK_S;

    if (v == NULL || json_is_null(v)) {
        return NGX_OK;
    }

    *seconds = json_is_integer(v) ? (int64_t) json_integer_value(v) : 0;

    if (*seconds < 1 || *seconds > NGX_HTTP_MNTREAMER_LINK_MAX_S) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD,
                                     "seconds",
                                     "must be an integer from 1 to 31536000");
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* as nginx writes it: "::0001" is "::1" */

static ngx_int_t
ngx_http_mntreamer_link_address(ngx_http_request_t *r, json_t *json,
    ngx_str_t *address, ngx_http_mntreamer_error_t *err)
{
    json_t      *v;
    u_char      *p;
    size_t       len;
    ngx_addr_t   addr;

    v = json_object_get(json, "address");

    if (v == NULL || json_is_null(v)) {
        return NGX_OK;
    }

    p = (u_char *) json_string_value(v);
    len = json_string_length(v);

    if (p && ngx_parse_addr(r->pool, &addr, p, len) == NGX_OK) {

        address->data = ngx_pnalloc(r->pool, NGX_SOCKADDR_STRLEN);

        if (address->data) {
            address->len = ngx_sock_ntop(addr.sockaddr, addr.socklen,
                                         address->data, NGX_SOCKADDR_STRLEN,
                                         0);
            return NGX_OK;
        }
    }

    ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD,
                                 "address", "must be an IP address");
    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_mntreamer_link_made(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result)
{
    char                            buf[MNT_SIGN_MAX];
    u_char                          time[sizeof("2026-09-27T08:52:05.000Z")];
    ngx_tm_t                        tm;
    ngx_str_t                       path, token, url, expires, key;
    mnt_sign_key_t                 *keys;
    mnt_sign_link_t                 l;
    ngx_http_mntreamer_text_t       t;
    ngx_http_mntreamer_link_t      *link;
    ngx_http_mntreamer_srv_conf_t  *hscf;

    if (result->nrows == 0) {
        return ngx_http_mntreamer_fail_code(r,
                                   NGX_HTTP_MNTREAMER_E_RECORDING_NOT_FOUND);
    }

    link = ctx->data;
    hscf = ngx_http_get_module_srv_conf(r, ngx_http_mntreamer_module);
    keys = hscf->sign->elts;

    path = ngx_mntreamer_rows_get(result->rows, 0, 1);

    l.directory.data = (char *) path.data;
    l.directory.len = path.len;
    l.address.data = (char *) link->address.data;
    l.address.len = link->address.len;

    /* what is asked for within a minute is one link: caches like that */

    l.expires_s = (int64_t) ngx_time() + link->seconds
                  + NGX_HTTP_MNTREAMER_LINK_STEP - 1;
    l.expires_s -= l.expires_s % NGX_HTTP_MNTREAMER_LINK_STEP;

    token.data = (u_char *) buf;
    token.len = mnt_sign_make(&keys[0], &l, buf, sizeof(buf));

    if (token.len == 0
        || ngx_http_mntreamer_link_url(r, &path, &token, &url) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_gmtime((time_t) l.expires_s, &tm);

    expires.data = time;
    expires.len = ngx_snprintf(time, sizeof(time),
                               "%4d-%02d-%02dT%02d:%02d:%02d.000Z",
                               tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                               tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec)
                  - time;

    key.data = (u_char *) keys[0].id;
    key.len = MNT_SIGN_ID;

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_text(&t, "{\"recording_id\":");
    ngx_http_mntreamer_text_i64(&t, ctx->id);
    ngx_http_mntreamer_text(&t, ",\"url\":");
    ngx_http_mntreamer_text_string(&t, &url);
    ngx_http_mntreamer_text(&t, ",\"token\":");
    ngx_http_mntreamer_text_string(&t, &token);
    ngx_http_mntreamer_text(&t, ",\"key\":");
    ngx_http_mntreamer_text_string(&t, &key);
    ngx_http_mntreamer_text(&t, ",\"expires_at\":");
    ngx_http_mntreamer_text_string(&t, &expires);
    ngx_http_mntreamer_text(&t, "}");

    return ngx_http_mntreamer_send_json(r, NGX_HTTP_OK, &t);
}


static ngx_int_t
ngx_http_mntreamer_link_url(ngx_http_request_t *r, ngx_str_t *path,
    ngx_str_t *token, ngx_str_t *url)
{
    u_char                         *p;
    size_t                          n;
    ngx_str_t                       plain, *prefix;
    ngx_http_mntreamer_srv_conf_t  *hscf;

    static const char  file[] = "/index.m3u8?token=";

    hscf = ngx_http_get_module_srv_conf(r, ngx_http_mntreamer_module);
    prefix = &hscf->sign_prefix;

    plain.data = ngx_pnalloc(r->pool, prefix->len + path->len + 1);
    if (plain.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(plain.data, prefix->data, prefix->len);

    if (prefix->len && p[-1] != '/') {
        *p++ = '/';
    }

    p = ngx_cpymem(p, path->data, path->len);
    plain.len = p - plain.data;

    n = ngx_escape_uri(NULL, plain.data, plain.len, NGX_ESCAPE_URI);

    url->data = ngx_pnalloc(r->pool, plain.len + 2 * n + sizeof(file)
                                     + token->len);
    if (url->data == NULL) {
        return NGX_ERROR;
    }

    p = (u_char *) ngx_escape_uri(url->data, plain.data, plain.len,
                                  NGX_ESCAPE_URI);
    p = ngx_cpymem(p, file, sizeof(file) - 1);
    p = ngx_cpymem(p, token->data, token->len);

    url->len = p - url->data;

    return NGX_OK;
}
