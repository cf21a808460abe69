
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer.h"
#include "ngx_mntreamer_conf_internal.h"
#include "http/ngx_http_mntreamer.h"


static char *ngx_mntreamer_init_conf(ngx_cycle_t *cycle, void *conf);
static ngx_int_t ngx_mntreamer_init_process(ngx_cycle_t *cycle);
static void ngx_mntreamer_limit_core(ngx_cycle_t *cycle);
static void ngx_mntreamer_exit_process(ngx_cycle_t *cycle);


static ngx_command_t  ngx_mntreamer_commands[] = {

    { ngx_string("mntreamer"),
      NGX_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_NOARGS,
      ngx_mntreamer_conf_block,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_core_module_t  ngx_mntreamer_module_ctx = {
    ngx_string("mntreamer"),
    ngx_mntreamer_conf_create,
    ngx_mntreamer_init_conf
};


ngx_module_t  ngx_mntreamer_module = {
    NGX_MODULE_V1,
    &ngx_mntreamer_module_ctx,         /* module context */
    ngx_mntreamer_commands,            /* module directives */
    NGX_CORE_MODULE,                   /* module type */
    NULL,                              /* init master */
    NULL,                              /* init module */
    ngx_mntreamer_init_process,        /* init process */
    NULL,                              /* init thread */
    NULL,                              /* exit thread */
    ngx_mntreamer_exit_process,        /* exit process */
    NULL,                              /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_mntreamer_init_conf(ngx_cycle_t *cycle, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    /*
     * nginx without a master process gives its new cycle no connections: it
     * would serve nothing more.  Refused, the old cycle goes on.
     */

    if (mcf->configured && ngx_process == NGX_PROCESS_SINGLE
        && !ngx_is_init_cycle(cycle->old_cycle))
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "a reload is not possible with \"master_process off\", "
                      "restart nginx");
        return NGX_CONF_ERROR;
    }

    if (!mcf->configured && ngx_http_mntreamer_used(cycle)) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "a \"mntreamer_...\" location needs a \"mntreamer\" "
                      "block at the top level");
        return NGX_CONF_ERROR;
    }

    /* "nginx -s" reads the configuration, too, and needs its pid only */

    if (!mcf->configured || ngx_process == NGX_PROCESS_SIGNALLER) {
        return NGX_CONF_OK;
    }

    ngx_mntreamer_conf_connections(cycle, mcf);

    if (ngx_mntreamer_conf_directories(cycle, mcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_mntreamer_init_process(ngx_cycle_t *cycle)
{
    ngx_mntreamer_conf_t  *mcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    mcf = (ngx_mntreamer_conf_t *) ngx_get_conf(cycle->conf_ctx,
                                                ngx_mntreamer_module);

    if (mcf == NULL || !mcf->configured) {
        return NGX_OK;
    }

    ngx_mntreamer_limit_core(cycle);

    return ngx_mntreamer_engine_init(cycle, mcf);
}


/*
 * libpq and libcurl keep the password and the cookies that they were given: a
 * dump of this process is one of them.  Who wants it says so in nginx.conf.  A
 * limit of 0 is not asked where dumps go to a program (core(5)); Linux gives
 * that nothing at a limit of 1, which is too small for a file as well.
 */

static void
ngx_mntreamer_limit_core(ngx_cycle_t *cycle)
{
    struct rlimit     rl;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (ccf->rlimit_core != NGX_CONF_UNSET) {
        return;
    }

    if (getrlimit(RLIMIT_CORE, &rl) == 0) {
        rl.rlim_cur = ngx_min(rl.rlim_max, 1);

        if (setrlimit(RLIMIT_CORE, &rl) == 0) {
            return;
        }
    }

    ngx_log_error(NGX_LOG_WARN, cycle->log, ngx_errno,
                  "mntreamer: core dumps could not be limited");
}


static void
ngx_mntreamer_exit_process(ngx_cycle_t *cycle)
{
    ngx_mntreamer_engine_exit(cycle);
}
