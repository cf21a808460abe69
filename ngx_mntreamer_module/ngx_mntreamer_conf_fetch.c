
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The directives of mntreamer {} that say what may be connected to.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer.h"
#include "ngx_mntreamer_conf_internal.h"


char *
ngx_mntreamer_conf_fetch_allow(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    ngx_int_t    rc;
    ngx_str_t   *value;
    ngx_uint_t   i;
    ngx_cidr_t  *cidr;

    if (mcf->curl.fetch_allow == NULL) {
        mcf->curl.fetch_allow = ngx_array_create(cf->pool, 4,
                                                 sizeof(ngx_cidr_t));
        if (mcf->curl.fetch_allow == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        cidr = ngx_array_push(mcf->curl.fetch_allow);
        if (cidr == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(cidr, sizeof(ngx_cidr_t));

        rc = ngx_ptocidr(&value[i], cidr);

        if (rc == NGX_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid address \"%V\" in \"fetch_allow\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        if (rc == NGX_DONE) {
            ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                               "low address bits of \"%V\" are meaningless",
                               &value[i]);
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_mntreamer_conf_fetch_ports(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    ngx_int_t    n;
    in_port_t   *port;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (mcf->curl.ports) {
        return "is duplicate";
    }

    mcf->curl.ports = ngx_array_create(cf->pool, 4, sizeof(in_port_t));
    if (mcf->curl.ports == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        n = ngx_atoi(value[i].data, value[i].len);

        if (n == NGX_ERROR || n < 1 || n > 65535) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid port \"%V\" in \"fetch_ports\"",
                               &value[i]);
            return NGX_CONF_ERROR;
        }

        port = ngx_array_push(mcf->curl.ports);
        if (port == NULL) {
            return NGX_CONF_ERROR;
        }

        *port = (in_port_t) n;
    }

    return NGX_CONF_OK;
}
