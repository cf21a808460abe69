
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The directive "follower".  Its address may be a secret, so that no line of
 * nginx -t shows it and rows know it by a hash.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/evp.h>

#include "ngx_mntreamer.h"
#include "ngx_mntreamer_conf_internal.h"
#include "base/mnt_url.h"
#include "events/mnt_follow.h"
#include "loop/ngx_mntreamer_secret.h"


#define NGX_MNTREAMER_FOLLOWERS       8
#define NGX_MNTREAMER_FOLLOWER_SHOWN  320     /* a name has 255 */
#define NGX_MNTREAMER_FOLLOWER_HASH   16      /* bytes of it */


static ngx_int_t ngx_mntreamer_conf_follower_hash(ngx_conf_t *cf,
    ngx_mntreamer_follower_conf_t *follower);


char *
ngx_mntreamer_conf_follower(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_platform_conf_t *pcf = conf;

    char                           *rv;
    u_char                         *shown;
    mnt_url_t                       u;
    ngx_str_t                      *value, url;
    ngx_uint_t                      i, n, required;
    ngx_mntreamer_follower_conf_t  *follower;

    value = cf->args->elts;
    required = 0;

    if (cf->args->nelts == 3) {
        if (ngx_strcmp(value[2].data, "required") != 0) {
            return "takes an address and \"required\"";
        }

        required = 1;
    }

    rv = ngx_mntreamer_secret(cf, &value[1], &url);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    shown = ngx_pnalloc(cf->pool, NGX_MNTREAMER_FOLLOWER_SHOWN);
    if (shown == NULL) {
        return NGX_CONF_ERROR;
    }

    n = mnt_follow_shown(ngx_mntreamer_conf_text(&url), (char *) shown,
                         NGX_MNTREAMER_FOLLOWER_SHOWN);

    if (mnt_url_parse(ngx_mntreamer_conf_text(&url), &u) != 0) {
        return "must be an http or https address without a user";
    }

    if (pcf->followers == NULL) {
        pcf->followers = ngx_array_create(cf->pool, NGX_MNTREAMER_FOLLOWERS,
                                        sizeof(ngx_mntreamer_follower_conf_t));
        if (pcf->followers == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    follower = pcf->followers->elts;

    for (i = 0; i < pcf->followers->nelts; i++) {
        if (follower[i].url.len == url.len
            && ngx_memcmp(follower[i].url.data, url.data, url.len) == 0)
        {
            return "is duplicate";
        }
    }

    if (pcf->followers->nelts == NGX_MNTREAMER_FOLLOWERS) {
        return "is given more than 8 times";
    }

    follower = ngx_array_push(pcf->followers);
    if (follower == NULL) {
        return NGX_CONF_ERROR;
    }

    follower->url = url;
    follower->shown.data = shown;
    follower->shown.len = n;
    follower->required = required;

    return ngx_mntreamer_conf_follower_hash(cf, follower) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_mntreamer_conf_follower_hash(ngx_conf_t *cf,
    ngx_mntreamer_follower_conf_t *follower)
{
    u_char  md[EVP_MAX_MD_SIZE];

    follower->hash.len = 2 * NGX_MNTREAMER_FOLLOWER_HASH;
    follower->hash.data = ngx_pnalloc(cf->pool, follower->hash.len);

    if (follower->hash.data == NULL
        || EVP_Digest(follower->url.data, follower->url.len, md, NULL,
                      EVP_sha256(), NULL) != 1)
    {
        return NGX_ERROR;
    }

    (void) ngx_hex_dump(follower->hash.data, md, NGX_MNTREAMER_FOLLOWER_HASH);

    return NGX_OK;
}


char *
ngx_mntreamer_conf_followers(ngx_conf_t *cf, ngx_mntreamer_conf_t *mcf)
{
    ngx_str_t                       word;
    ngx_uint_t                      i;
    ngx_mntreamer_pq_array_t        hashes, required;
    ngx_mntreamer_follower_conf_t  *follower;

    ngx_memzero(&hashes, sizeof(ngx_mntreamer_pq_array_t));
    ngx_memzero(&required, sizeof(ngx_mntreamer_pq_array_t));

    hashes.pool = cf->pool;
    required.pool = cf->pool;

    if (mcf->catalog.followers) {
        follower = mcf->catalog.followers->elts;

        for (i = 0; i < mcf->catalog.followers->nelts; i++) {
            ngx_str_set(&word, "f");

            if (follower[i].required) {
                ngx_str_set(&word, "t");
            }

            ngx_mntreamer_pq_array_text(&hashes, &follower[i].hash);
            ngx_mntreamer_pq_array_text(&required, &word);
        }
    }

    mcf->catalog.follow_hashes = ngx_mntreamer_pq_array_end(&hashes);
    mcf->catalog.follow_required = ngx_mntreamer_pq_array_end(&required);

    if (mcf->catalog.follow_hashes.data == NULL
        || mcf->catalog.follow_required.data == NULL)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
