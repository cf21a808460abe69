
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <sys/resource.h>

#include "ngx_http_mntreamer_rtmp.h"
#include "../http/ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_RTMP_PORT      1935
#define NGX_HTTP_MNTREAMER_RTMP_SILENCE   30000
#define NGX_HTTP_MNTREAMER_RTMP_GUESSES   20
#define NGX_HTTP_MNTREAMER_RTMP_NAME      64  /* bytes of an application */
#define NGX_HTTP_MNTREAMER_RTMP_STACK     (96 * 1024 * 1024)


static void *ngx_http_mntreamer_rtmp_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_mntreamer_rtmp_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_mntreamer_rtmp(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_uint_t ngx_http_mntreamer_rtmp_plain(ngx_str_t *name);
static ngx_int_t ngx_http_mntreamer_rtmp_init_process(ngx_cycle_t *cycle);


static ngx_command_t  ngx_http_mntreamer_rtmp_commands[] = {

    { ngx_string("mntreamer_rtmp"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1234,
      ngx_http_mntreamer_rtmp,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_mntreamer_rtmp_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_mntreamer_rtmp_create_loc_conf,
                                           /* create location configuration */
    ngx_http_mntreamer_rtmp_merge_loc_conf /* merge location configuration */
};


ngx_module_t  ngx_http_mntreamer_rtmp_module = {
    NGX_MODULE_V1,
    &ngx_http_mntreamer_rtmp_module_ctx,   /* module context */
    ngx_http_mntreamer_rtmp_commands,      /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_mntreamer_rtmp_init_process,  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_mntreamer_rtmp_create_loc_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_mntreamer_rtmp_conf_t));
}


/* "if" and "limit_except" blocks are locations without a name of their own */

static char *
ngx_http_mntreamer_rtmp_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_mntreamer_rtmp_conf_t *prev = parent;
    ngx_http_mntreamer_rtmp_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname && clcf->handler == NULL && prev->on) {
        *conf = *prev;
        clcf->handler = ngx_http_mntreamer_rtmp_handler;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_mntreamer_rtmp(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_mntreamer_rtmp_conf_t *rlcf = conf;

    u_char                          *p;
    ngx_int_t                        port, guesses;
    ngx_str_t                       *value, v;
    ngx_uint_t                       i;
    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_mntreamer_main_conf_t  *hmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in location \"%V\", which already has a "
                           "handler", &cmd->name, &clcf->name);
        return NGX_CONF_ERROR;
    }

    port = NGX_HTTP_MNTREAMER_RTMP_PORT;
    ngx_str_set(&rlcf->application, "live");
    rlcf->silence_ms = NGX_HTTP_MNTREAMER_RTMP_SILENCE;
    guesses = NGX_HTTP_MNTREAMER_RTMP_GUESSES;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        v = value[i];

        if (ngx_strncmp(v.data, "port=", 5) == 0) {
            port = ngx_atoi(v.data + 5, v.len - 5);

            if (port < 1 || port > 65535) {
                goto invalid;
            }

        } else if (ngx_strncmp(v.data, "application=", 12) == 0) {
            rlcf->application.data = v.data + 12;
            rlcf->application.len = v.len - 12;

            if (!ngx_http_mntreamer_rtmp_plain(&rlcf->application)) {
                goto invalid;
            }

        } else if (ngx_strncmp(v.data, "silence=", 8) == 0) {
            v.data += 8;
            v.len -= 8;
            rlcf->silence_ms = ngx_parse_time(&v, 0);

            if (rlcf->silence_ms == (ngx_msec_t) NGX_ERROR
                || rlcf->silence_ms < 1000 || rlcf->silence_ms > 3600000)
            {
                goto invalid;
            }

        } else if (ngx_strncmp(v.data, "guesses=", 8) == 0) {
            guesses = ngx_atoi(v.data + 8, v.len - 8);

            if (guesses < 0 || guesses > 100000) {
                goto invalid;
            }

        } else {
            goto invalid;
        }
    }

    rlcf->guesses = (ngx_uint_t) guesses;
    rlcf->zone = ngx_http_mntreamer_guard_zone(cf);

    if (rlcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    rlcf->target.data = ngx_pnalloc(cf->pool, rlcf->application.len + 64);
    if (rlcf->target.data == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_sprintf(rlcf->target.data, "rtmp://127.0.0.1:%i/%V/", port,
                    &rlcf->application);
    rlcf->target.len = p - rlcf->target.data;
    rlcf->on = 1;

    clcf->handler = ngx_http_mntreamer_rtmp_handler;

    hmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_mntreamer_module);
    hmcf->used = 1;

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"%V\"", &value[i],
                       &cmd->name);

    return NGX_CONF_ERROR;
}


static ngx_uint_t
ngx_http_mntreamer_rtmp_plain(ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    if (name->len == 0 || name->len > NGX_HTTP_MNTREAMER_RTMP_NAME) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if ((c < 'a' || c > 'z') && (c < 'A' || c > 'Z')
            && (c < '0' || c > '9') && c != '-' && c != '_')
        {
            return 0;
        }
    }

    return 1;
}


/*
 * nginx-rtmp reads objects within objects by recursion, 224 bytes for 4 of a
 * message: what anybody may send, without a key, overruns 8 MB.  The 1 MB of
 * its "max_message" need 59; below a stack the kernel leaves 128 MB free.
 */

static ngx_int_t
ngx_http_mntreamer_rtmp_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t     i;
    struct rlimit  rl;

    for (i = 0; cycle->modules[i]; i++) {
        if (ngx_strcmp(cycle->modules[i]->name, "ngx_rtmp_core_module") == 0) {
            break;
        }
    }

    if (cycle->modules[i] == NULL || getrlimit(RLIMIT_STACK, &rl) == -1
        || rl.rlim_cur >= NGX_HTTP_MNTREAMER_RTMP_STACK)
    {
        return NGX_OK;
    }

    rl.rlim_cur = ngx_min(rl.rlim_max, NGX_HTTP_MNTREAMER_RTMP_STACK);

    if (setrlimit(RLIMIT_STACK, &rl) == -1
        || rl.rlim_cur < NGX_HTTP_MNTREAMER_RTMP_STACK)
    {
        ngx_log_error(NGX_LOG_WARN, cycle->log, ngx_errno,
                      "the stack is bounded to %uL bytes: who sends nested "
                      "objects by RTMP may end workers",
                      (uint64_t) rl.rlim_cur);
    }

    return NGX_OK;
}
