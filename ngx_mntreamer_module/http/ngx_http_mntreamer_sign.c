
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Locations whose files are for those who have a link: "mntreamer_sign" looks
 * at the token of a request in the access phase, where it is one condition
 * among those of other modules ("satisfy").  What the links are is decided in
 * mnt_sign.h; playlists pass the token on by _sign_filter.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "../loop/ngx_mntreamer_secret.h"
#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_SIGN_ARG  "token"


static ngx_int_t ngx_http_mntreamer_sign_handler(ngx_http_request_t *r);
static mnt_sign_e ngx_http_mntreamer_sign_check(ngx_http_request_t *r,
    ngx_array_t *keys, ngx_str_t *token, mnt_sign_link_t *link);


char *
ngx_http_mntreamer_sign(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_mntreamer_loc_conf_t *hlcf = conf;

    char                            *rv;
    mnt_str_t                        text;
    ngx_str_t                       *value, secret;
    ngx_uint_t                       i;
    mnt_sign_key_t                  *key, *first;
    ngx_http_mntreamer_main_conf_t  *hmcf;

    if (hlcf->sign != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        hlcf->sign = NULL;
        return NGX_CONF_OK;
    }

    hlcf->sign = ngx_array_create(cf->pool, 2, sizeof(mnt_sign_key_t));
    if (hlcf->sign == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        /* what stands in nginx.conf is printed by "nginx -T" */

        if (ngx_strncmp(value[i].data, "file:", 5) != 0
            && ngx_strncmp(value[i].data, "env:", 4) != 0)
        {
            return "wants keys as \"file:PATH\" or \"env:NAME\"";
        }

        rv = ngx_mntreamer_secret(cf, &value[i], &secret);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

        text.data = (char *) secret.data;
        text.len = secret.len;

        key = ngx_array_push(hlcf->sign);
        if (key == NULL) {
            return NGX_CONF_ERROR;
        }

        if (mnt_sign_key(key, text) != 0) {
            return "has a key of less than 32 bytes";
        }

        first = hlcf->sign->elts;

        if (i > 1 && ngx_strcmp(key->id, first->id) == 0) {
            return "has the same key twice";
        }
    }

    hmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_mntreamer_module);
    hmcf->sign = 1;

    return NGX_CONF_OK;
}


/* the first one of a server is where its API's links lead to */

ngx_int_t
ngx_http_mntreamer_sign_merge(ngx_conf_t *cf,
    ngx_http_mntreamer_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_mntreamer_srv_conf_t  *hscf;

    if (conf->sign == NULL || conf->kind != NGX_HTTP_MNTREAMER_RECORDINGS) {
        return NGX_OK;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    hscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_mntreamer_module);

    if (clcf->noname || hscf->sign) {
        return NGX_OK;
    }

    hscf->sign = conf->sign;
    hscf->sign_prefix = clcf->name;

    return NGX_OK;
}


ngx_int_t
ngx_http_mntreamer_sign_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt             *h;
    ngx_http_core_main_conf_t       *cmcf;
    ngx_http_mntreamer_main_conf_t  *hmcf;

    hmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_mntreamer_module);

    if (!hmcf->sign) {
        return NGX_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_ACCESS_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_mntreamer_sign_handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_mntreamer_sign_handler(ngx_http_request_t *r)
{
    ngx_str_t                       token;
    mnt_sign_e                      rc;
    mnt_sign_link_t                 link;
    ngx_http_mntreamer_ctx_t       *ctx;
    ngx_http_mntreamer_loc_conf_t  *hlcf;

    hlcf = ngx_http_get_module_loc_conf(r, ngx_http_mntreamer_module);

    if (hlcf->sign == NULL || hlcf->kind != NGX_HTTP_MNTREAMER_RECORDINGS) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_mntreamer_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_mntreamer_sign_check(r, hlcf->sign, &token, &link);

    if (rc == MNT_SIGN_OK) {
        ctx->token = token;
        ctx->expires_s = (time_t) link.expires_s;
        ctx->bound = (link.address.len != 0);

        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  rc == MNT_SIGN_EXPIRED
                  ? "mntreamer: the link has expired"
                  : "mntreamer: there is no link for this");

    return NGX_HTTP_FORBIDDEN;
}


/* by the path as nginx has made it plain, which is also what is opened */

static mnt_sign_e
ngx_http_mntreamer_sign_check(ngx_http_request_t *r, ngx_array_t *keys,
    ngx_str_t *token, mnt_sign_link_t *link)
{
    mnt_str_t  text;
    ngx_str_t  path, directory;

    if (ngx_http_arg(r, (u_char *) NGX_HTTP_MNTREAMER_SIGN_ARG,
                     sizeof(NGX_HTTP_MNTREAMER_SIGN_ARG) - 1, token)
        != NGX_OK
        || ngx_http_mntreamer_path(r, &path, &directory) != NGX_OK)
    {
        return MNT_SIGN_BAD;
    }

    text.data = (char *) token->data;
    text.len = token->len;

    link->directory.data = (char *) directory.data;
    link->directory.len = directory.len;
    link->address.data = (char *) r->connection->addr_text.data;
    link->address.len = r->connection->addr_text.len;

    return mnt_sign_check(keys->elts, keys->nelts, text, link, ngx_time());
}


ngx_int_t
ngx_http_mntreamer_sign_query(ngx_http_request_t *r, mnt_str_t *query)
{
    u_char                    *p;
    ngx_http_mntreamer_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);

    if (ctx == NULL || ctx->token.len == 0) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(r->pool, sizeof(NGX_HTTP_MNTREAMER_SIGN_ARG)
                             + ctx->token.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    query->data = (char *) p;
    query->len = ngx_sprintf(p, NGX_HTTP_MNTREAMER_SIGN_ARG "=%V", &ctx->token)
                 - p;

    return NGX_OK;
}


/*
 * What a shared cache has of a segment it gives to whoever has the same link,
 * as we do, but it does not know when that expires; what is for one address is
 * not for it.
 */

ngx_int_t
ngx_http_mntreamer_sign_cache(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_str_t  value;

    value.data = ngx_pnalloc(r->pool, sizeof("private, max-age=")
                                      + NGX_TIME_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%s, max-age=%T",
                            ctx->bound ? "private" : "public",
                            ngx_max(ctx->expires_s - ngx_time(), 0))
                - value.data;

    return ngx_http_mntreamer_cache_control(r, &value);
}
