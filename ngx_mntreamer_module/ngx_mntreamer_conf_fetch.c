
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The directives of mntreamer {} that say what may be connected to.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer.h"
#include "ngx_mntreamer_conf_internal.h"


/* a recording needs three of them, and a quarter is not for recordings */

#define NGX_MNTREAMER_CONNECTIONS_EACH  4
#define NGX_MNTREAMER_CONNECTIONS_OWN   16


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


/* what room of the loop leaves to recordings, the other way round */

void
ngx_mntreamer_conf_connections(ngx_cycle_t *cycle, ngx_mntreamer_conf_t *mcf)
{
    ngx_uint_t         n, engines, needed;
    ngx_core_conf_t   *ccf;
    ngx_event_conf_t  *ecf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);
    ecf = ngx_event_get_conf(cycle->conf_ctx, ngx_event_core_module);

    engines = ccf->master ? (ngx_uint_t) ngx_max(ccf->worker_processes, 1) : 1;

    if (mcf->workers) {
        engines = ngx_min(engines, mcf->workers);
    }

    n = ngx_max(mcf->catalog.streamers->nelts, 1);
    needed = NGX_MNTREAMER_CONNECTIONS_EACH * ((n + engines - 1) / engines)
             + NGX_MNTREAMER_CONNECTIONS_OWN;

    if (ecf->connections < needed) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "\"worker_connections\" %ui is too small: with all %ui "
                      "streamers on the air each of %ui workers needs %ui",
                      ecf->connections, n, engines, needed);

    } else if (mcf->curl.max_connections > ecf->connections) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "\"worker_connections\" %ui is too small for "
                      "\"fetch_connections\" %ui", ecf->connections,
                      mcf->curl.max_connections);
    }
}
