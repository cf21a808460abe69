
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


static void *ngx_http_mntreamer_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_mntreamer_create_srv_conf(ngx_conf_t *cf);
static void *ngx_http_mntreamer_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_mntreamer_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_mntreamer_location(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_mntreamer_api_location(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_mntreamer_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_mntreamer_init_process(ngx_cycle_t *cycle);


static ngx_http_handler_pt  ngx_http_mntreamer_handlers[] = {
    NULL,
    ngx_http_mntreamer_recordings_handler,
    ngx_http_mntreamer_api_handler,
    ngx_http_mntreamer_metrics_handler,
    ngx_http_mntreamer_health_handler
};

static ngx_uint_t  ngx_http_mntreamer_kind_recordings =
    NGX_HTTP_MNTREAMER_RECORDINGS;
static ngx_uint_t  ngx_http_mntreamer_kind_api = NGX_HTTP_MNTREAMER_API;
static ngx_uint_t  ngx_http_mntreamer_kind_metrics =
    NGX_HTTP_MNTREAMER_METRICS;
static ngx_uint_t  ngx_http_mntreamer_kind_health = NGX_HTTP_MNTREAMER_HEALTH;

static ngx_http_mntreamer_env_t  ngx_http_mntreamer_wired;


static ngx_command_t  ngx_http_mntreamer_commands[] = {

    { ngx_string("mntreamer_recordings"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_mntreamer_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_http_mntreamer_kind_recordings },

    { ngx_string("mntreamer_sign"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_mntreamer_sign,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("mntreamer_max_viewers"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_mntreamer_loc_conf_t, max_viewers),
      NULL },

    { ngx_string("mntreamer_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_mntreamer_api_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_http_mntreamer_kind_api },

    { ngx_string("mntreamer_metrics"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_mntreamer_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_http_mntreamer_kind_metrics },

    { ngx_string("mntreamer_health"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_mntreamer_location,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_http_mntreamer_kind_health },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_mntreamer_module_ctx = {
    ngx_http_mntreamer_variables,          /* preconfiguration */
    ngx_http_mntreamer_init,               /* postconfiguration */

    ngx_http_mntreamer_create_main_conf,   /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_http_mntreamer_create_srv_conf,    /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_mntreamer_create_loc_conf,    /* create location configuration */
    ngx_http_mntreamer_merge_loc_conf      /* merge location configuration */
};


ngx_module_t  ngx_http_mntreamer_module = {
    NGX_MODULE_V1,
    &ngx_http_mntreamer_module_ctx,    /* module context */
    ngx_http_mntreamer_commands,       /* module directives */
    NGX_HTTP_MODULE,                   /* module type */
    NULL,                              /* init master */
    NULL,                              /* init module */
    ngx_http_mntreamer_init_process,   /* init process */
    NULL,                              /* init thread */
    NULL,                              /* exit thread */
    NULL,                              /* exit process */
    NULL,                              /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_mntreamer_init(ngx_conf_t *cf)
{
    return ngx_http_mntreamer_filter_init(cf) == NGX_OK
           ? ngx_http_mntreamer_sign_init(cf) : NGX_ERROR;
}


static ngx_int_t
ngx_http_mntreamer_init_process(ngx_cycle_t *cycle)
{
    ngx_http_mntreamer_wait_start();
    ngx_http_mntreamer_view_start();
    ngx_http_mntreamer_events_start();
    ngx_http_mntreamer_cut_start();

    return NGX_OK;
}


void
ngx_http_mntreamer_wire(const ngx_http_mntreamer_env_t *env)
{
    if (env) {
        ngx_http_mntreamer_wired = *env;

    } else {
        ngx_http_mntreamer_view_stop();
        ngx_http_mntreamer_cut_stop();
        ngx_memzero(&ngx_http_mntreamer_wired,
                    sizeof(ngx_http_mntreamer_env_t));
    }
}


const ngx_http_mntreamer_env_t *
ngx_http_mntreamer_env(void)
{
    return &ngx_http_mntreamer_wired;
}


ngx_uint_t
ngx_http_mntreamer_used(ngx_cycle_t *cycle)
{
    ngx_http_mntreamer_main_conf_t  *hmcf;

    hmcf = ngx_http_cycle_get_module_main_conf(cycle,
                                               ngx_http_mntreamer_module);

    return hmcf ? hmcf->used : 0;
}


static void *
ngx_http_mntreamer_create_main_conf(ngx_conf_t *cf)
{
    return ngx_pcalloc(cf->pool, sizeof(ngx_http_mntreamer_main_conf_t));
}


static void *
ngx_http_mntreamer_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_mntreamer_srv_conf_t  *hscf;

    hscf = ngx_pcalloc(cf->pool, sizeof(ngx_http_mntreamer_srv_conf_t));
    if (hscf == NULL) {
        return NULL;
    }

    hscf->api = ngx_array_create(cf->pool, 1, sizeof(ngx_str_t));
    if (hscf->api == NULL) {
        return NULL;
    }

    return hscf;
}


static void *
ngx_http_mntreamer_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_mntreamer_loc_conf_t  *hlcf;

    hlcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_mntreamer_loc_conf_t));
    if (hlcf == NULL) {
        return NULL;
    }

    hlcf->sign = NGX_CONF_UNSET_PTR;
    hlcf->max_viewers = NGX_CONF_UNSET;

    return hlcf;
}


/* "if" and "limit_except" blocks are locations without a name of their own */

static char *
ngx_http_mntreamer_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_mntreamer_loc_conf_t  *prev = parent;
    ngx_http_mntreamer_loc_conf_t  *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname && clcf->handler == NULL && prev->kind) {
        *conf = *prev;
        clcf->handler = ngx_http_mntreamer_handlers[conf->kind];
    }

    ngx_conf_merge_ptr_value(conf->sign, prev->sign, NULL);
    ngx_conf_merge_value(conf->max_viewers, prev->max_viewers, 0);

    return ngx_http_mntreamer_sign_merge(cf, conf) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_mntreamer_location(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_mntreamer_loc_conf_t *hlcf = conf;

    ngx_str_t                       *prefix;
    ngx_uint_t                       named;
    ngx_http_core_loc_conf_t        *clcf;
    ngx_http_mntreamer_srv_conf_t   *hscf;
    ngx_http_mntreamer_main_conf_t  *hmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in location \"%V\", which already has a "
                           "handler", &cmd->name, &clcf->name);
        return NGX_CONF_ERROR;
    }

    hlcf->kind = *(ngx_uint_t *) cmd->post;

    named = clcf->named;

#if (NGX_PCRE)
    named |= (clcf->regex != NULL);
#endif

    /* their paths begin behind the prefix */

    if (named && (hlcf->kind == NGX_HTTP_MNTREAMER_RECORDINGS
                  || hlcf->kind == NGX_HTTP_MNTREAMER_API))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in location \"%V\", which is not given by "
                           "a prefix", &cmd->name, &clcf->name);
        return NGX_CONF_ERROR;
    }

    clcf->handler = ngx_http_mntreamer_handlers[hlcf->kind];

    hmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_mntreamer_module);
    hmcf->used = 1;

    if (hlcf->kind == NGX_HTTP_MNTREAMER_API) {
        hscf = ngx_http_conf_get_module_srv_conf(cf,
                                                 ngx_http_mntreamer_module);
        prefix = ngx_array_push(hscf->api);
        if (prefix == NULL) {
            return NGX_CONF_ERROR;
        }

        *prefix = clcf->name;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_mntreamer_api_location(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_mntreamer_loc_conf_t *hlcf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (cf->args->nelts == 2) {

        if (ngx_strncmp(value[1].data, "ingest=", 7) != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of \"%V\"", &value[1],
                               &cmd->name);
            return NGX_CONF_ERROR;
        }

        hlcf->ingest.data = value[1].data + 7;
        hlcf->ingest.len = value[1].len - 7;

        if (!ngx_http_mntreamer_ingest_valid(&hlcf->ingest)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"ingest\" of \"%V\" must be an address such "
                               "as rtmp://live.example/ingest, not \"%V\"",
                               &cmd->name, &hlcf->ingest);
            return NGX_CONF_ERROR;
        }
    }

    return ngx_http_mntreamer_location(cf, cmd, conf);
}


ngx_http_mntreamer_ctx_t *
ngx_http_mntreamer_ctx(ngx_http_request_t *r)
{
    ngx_http_mntreamer_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);

    if (ctx == NULL) {
        ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_mntreamer_ctx_t));

        if (ctx) {
            ctx->request = r;
            ngx_http_set_ctx(r, ctx, ngx_http_mntreamer_module);
        }
    }

    return ctx;
}


/* a rewrite may have moved the URI away; "/twin" is not below "/twi" */

ngx_int_t
ngx_http_mntreamer_rest(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_str_t                 *prefix;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    prefix = &clcf->name;

    if (r->uri.len < prefix->len
        || ngx_memcmp(r->uri.data, prefix->data, prefix->len) != 0)
    {
        return NGX_DECLINED;
    }

    rest->data = r->uri.data + prefix->len;
    rest->len = r->uri.len - prefix->len;

    if (prefix->len && prefix->data[prefix->len - 1] == '/') {
        return NGX_OK;
    }

    if (rest->len == 0 || rest->data[0] != '/') {
        return NGX_DECLINED;
    }

    rest->data++;
    rest->len--;

    return NGX_OK;
}


ngx_int_t
ngx_http_mntreamer_path(ngx_http_request_t *r, ngx_str_t *path,
    ngx_str_t *directory)
{
    size_t                          n;
    mnt_str_t                       name;
    ngx_http_mntreamer_loc_conf_t  *hlcf;

    hlcf = ngx_http_get_module_loc_conf(r, ngx_http_mntreamer_module);

    if (hlcf->kind != NGX_HTTP_MNTREAMER_RECORDINGS
        || ngx_http_mntreamer_rest(r, path) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    for (n = path->len; n && path->data[n - 1] != '/'; n--) {
        /* void */
    }

    name.data = (char *) path->data;
    name.len = path->len;

    /* what lies in the root itself is of no recording */

    if (n == 0 || !ngx_http_mntreamer_serves(path)
        || !mnt_path_servable(name))
    {
        return NGX_DECLINED;
    }

    directory->data = path->data;
    directory->len = n - 1;

    return NGX_OK;
}


ngx_int_t
ngx_http_mntreamer_only_get(ngx_http_request_t *r)
{
    static ngx_str_t  allow = ngx_string("GET, HEAD");

    if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {
        return ngx_http_discard_request_body(r);
    }

    if (ngx_http_mntreamer_header(r, "Allow", &allow) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_HTTP_NOT_ALLOWED;
}


ngx_int_t
ngx_http_mntreamer_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

#if (nginx_version >= 1023000)
    h->next = NULL;
#endif

    return NGX_OK;
}


/* put where "expires" looks for it, which so replaces it */

ngx_int_t
ngx_http_mntreamer_cache_control(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_table_elt_t  *h;
#if (nginx_version < 1023000)
    ngx_table_elt_t **ph;

    if (r->headers_out.cache_control.elts) {
        return NGX_OK;
    }

    if (ngx_array_init(&r->headers_out.cache_control, r->pool, 1,
                       sizeof(ngx_table_elt_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ph = ngx_array_push(&r->headers_out.cache_control);
    if (ph == NULL) {
        return NGX_ERROR;
    }

#else

    if (r->headers_out.cache_control) {
        return NGX_OK;
    }

#endif

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    ngx_str_set(&h->key, "Cache-Control");
    h->value = *value;

#if (nginx_version < 1023000)
    *ph = h;
#else
    h->next = NULL;
    r->headers_out.cache_control = h;
#endif

    return NGX_OK;
}
