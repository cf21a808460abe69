
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The directives of mntreamer {}: read, checked completely and given defaults
 * at configuration time; those of platform {} are in a file of their own.
 * What a setter returns becomes the one line of "nginx -t"; where the
 * directive's name is not enough the setter logs the line and returns
 * NGX_CONF_ERROR.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer.h"
#include "ngx_mntreamer_conf_internal.h"
#include "loop/ngx_mntreamer_secret.h"


/* nginx's own check of bounds does not name the directive */

typedef struct {
    ngx_conf_post_handler_pt  post_handler;
    ngx_int_t                 low;
    ngx_int_t                 high;
    const char               *text;
} ngx_mntreamer_bounds_t;


#define NGX_MNTREAMER_MIN_SIZE  1024          /* of what is fetched */


static char *ngx_mntreamer_conf_database(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_mntreamer_conf_backoff(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_mntreamer_conf_workers(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_mntreamer_conf_rate(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_mntreamer_conf_statsd(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

static char *ngx_mntreamer_conf_number(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_mntreamer_conf_time(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_mntreamer_conf_size(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_mntreamer_conf_expected(char *rv, char *expected);

static char *ngx_mntreamer_conf_some_time(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_mntreamer_conf_bounds(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_mntreamer_conf_min_second(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_mntreamer_conf_node(ngx_conf_t *cf, void *post, void *data);

static void ngx_mntreamer_conf_hint(ngx_conf_t *cf,
    ngx_mntreamer_conf_t *mcf);
static char *ngx_mntreamer_conf_defaults(ngx_conf_t *cf,
    ngx_mntreamer_conf_t *mcf);


static ngx_conf_post_t  ngx_mntreamer_some_time = {
    ngx_mntreamer_conf_some_time
};

static ngx_conf_post_t  ngx_mntreamer_min_second = {
    ngx_mntreamer_conf_min_second
};

static ngx_conf_post_t  ngx_mntreamer_node_post = {
    ngx_mntreamer_conf_node
};

static ngx_mntreamer_bounds_t  ngx_mntreamer_retries_bounds = {
    ngx_mntreamer_conf_bounds, 0, 20, "must be from 0 to 20"
};

static ngx_mntreamer_bounds_t  ngx_mntreamer_fetches_bounds = {
    ngx_mntreamer_conf_bounds, 1, 16, "must be from 1 to 16"
};

static ngx_mntreamer_bounds_t  ngx_mntreamer_connections_bounds = {
    ngx_mntreamer_conf_bounds, 8, 65536, "must be from 8 to 65536"
};

static ngx_mntreamer_bounds_t  ngx_mntreamer_jitter_bounds = {
    ngx_mntreamer_conf_bounds, 0, 50, "must be from 0 to 50"
};


static ngx_command_t  ngx_mntreamer_conf_commands[] = {

    { ngx_string("database"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_database,
      0,
      0,
      NULL },

    { ngx_string("storage"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_storage,
      0,
      0,
      NULL },

    { ngx_string("jobs"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_jobs,
      0,
      0,
      NULL },

    { ngx_string("layout"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_layout,
      0,
      0,
      NULL },

    { ngx_string("backoff"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_1MORE,
      ngx_mntreamer_conf_backoff,
      0,
      0,
      NULL },

    { ngx_string("backoff_jitter"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_number,
      0,
      offsetof(ngx_mntreamer_conf_t, monitor.spread_pct),
      &ngx_mntreamer_jitter_bounds },

    { ngx_string("workers"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_workers,
      0,
      0,
      NULL },

    { ngx_string("poll_rate"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_rate,
      0,
      offsetof(ngx_mntreamer_conf_t, poll_rate),
      NULL },

    { ngx_string("durability"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_durability,
      0,
      0,
      NULL },

    { ngx_string("reserve"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_mntreamer_conf_reserve,
      0,
      0,
      NULL },

    { ngx_string("retention"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE123,
      ngx_mntreamer_conf_retention,
      0,
      0,
      NULL },

    { ngx_string("trash"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_trash,
      0,
      0,
      NULL },

    { ngx_string("fetch_allow"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_1MORE,
      ngx_mntreamer_conf_fetch_allow,
      0,
      0,
      NULL },

    { ngx_string("fetch_ports"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_1MORE,
      ngx_mntreamer_conf_fetch_ports,
      0,
      0,
      NULL },

    { ngx_string("fetch_connections"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_number,
      0,
      offsetof(ngx_mntreamer_conf_t, curl.max_connections),
      &ngx_mntreamer_connections_bounds },

    { ngx_string("fetch_parallel"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_number,
      0,
      offsetof(ngx_mntreamer_conf_t, recorder.max_fetches),
      &ngx_mntreamer_fetches_bounds },

    { ngx_string("segment_retries"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_number,
      0,
      offsetof(ngx_mntreamer_conf_t, recorder.retries),
      &ngx_mntreamer_retries_bounds },

    { ngx_string("resume_window"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_time,
      0,
      offsetof(ngx_mntreamer_conf_t, recorder.resume_ms),
      NULL },

    { ngx_string("refresh"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_time,
      0,
      offsetof(ngx_mntreamer_conf_t, recorder.refresh_ms),
      &ngx_mntreamer_min_second },

    { ngx_string("lease"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_time,
      0,
      offsetof(ngx_mntreamer_conf_t, catalog.lease_ms),
      &ngx_mntreamer_min_second },

    { ngx_string("node"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_str_slot,
      0,
      offsetof(ngx_mntreamer_conf_t, catalog.node),
      &ngx_mntreamer_node_post },

    { ngx_string("connect_timeout"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_time,
      0,
      offsetof(ngx_mntreamer_conf_t, recorder.connect_ms),
      &ngx_mntreamer_some_time },

    { ngx_string("probe_timeout"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_time,
      0,
      offsetof(ngx_mntreamer_conf_t, monitor.total_ms),
      &ngx_mntreamer_some_time },

    { ngx_string("playlist_timeout"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_time,
      0,
      offsetof(ngx_mntreamer_conf_t, recorder.playlist_ms),
      &ngx_mntreamer_some_time },

    { ngx_string("transfer_timeout"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_time,
      0,
      offsetof(ngx_mntreamer_conf_t, recorder.segment_ms),
      &ngx_mntreamer_some_time },

    { ngx_string("stall_timeout"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_time,
      0,
      offsetof(ngx_mntreamer_conf_t, recorder.stall_ms),
      &ngx_mntreamer_some_time },

    { ngx_string("drain_timeout"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_time,
      0,
      offsetof(ngx_mntreamer_conf_t, drain_ms),
      NULL },

    { ngx_string("max_playlist_size"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_size,
      0,
      offsetof(ngx_mntreamer_conf_t, recorder.max_playlist),
      NULL },

    { ngx_string("max_segment_size"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_size,
      0,
      offsetof(ngx_mntreamer_conf_t, recorder.max_segment),
      NULL },

    { ngx_string("statsd"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_statsd,
      0,
      0,
      NULL },

    { ngx_string("platform"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_platform,
      0,
      0,
      NULL },

    { ngx_string("streamer"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_2MORE,
      ngx_mntreamer_conf_streamer,
      0,
      0,
      NULL },

    /* in platform {} */

    { ngx_string("api"),
      NGX_MNTREAMER_PLATFORM_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_api,
      0,
      0,
      NULL },

    { ngx_string("cookies"),
      NGX_MNTREAMER_PLATFORM_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_cookies,
      0,
      0,
      NULL },

    { ngx_string("user_agent"),
      NGX_MNTREAMER_PLATFORM_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_user_agent,
      0,
      0,
      NULL },

    { ngx_string("quality"),
      NGX_MNTREAMER_PLATFORM_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_quality,
      0,
      0,
      NULL },

    { ngx_string("proxy"),
      NGX_MNTREAMER_PLATFORM_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_proxy,
      0,
      offsetof(ngx_mntreamer_platform_conf_t, proxy),
      NULL },

    { ngx_string("media_proxy"),
      NGX_MNTREAMER_PLATFORM_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_proxy,
      0,
      offsetof(ngx_mntreamer_platform_conf_t, media_proxy),
      NULL },

    { ngx_string("poll_rate"),
      NGX_MNTREAMER_PLATFORM_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_rate,
      0,
      offsetof(ngx_mntreamer_platform_conf_t, rate),
      NULL },

    { ngx_string("renditions"),
      NGX_MNTREAMER_PUSHED_CONF|NGX_CONF_1MORE,
      ngx_mntreamer_conf_renditions,
      0,
      0,
      NULL },

    { ngx_string("hls_path"),
      NGX_MNTREAMER_PUSHED_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_hls_path,
      0,
      0,
      NULL },

    { ngx_string("follower"),
      NGX_MNTREAMER_PUSHED_CONF|NGX_CONF_TAKE12,
      ngx_mntreamer_conf_follower,
      0,
      0,
      NULL },

    { ngx_string("thumbnail"),
      NGX_MNTREAMER_PLATFORM_CONF|NGX_MNTREAMER_PUSHED_CONF
      |NGX_CONF_TAKE12,
      ngx_mntreamer_conf_thumbnail,
      0,
      0,
      NULL },

      ngx_null_command
};


/* a block of its own, as events {}: the module lends its type to the parser */

static ngx_core_module_t  ngx_mntreamer_conf_module_ctx = {
    ngx_string("mntreamer_conf"),
    NULL,
    NULL
};


ngx_module_t  ngx_mntreamer_conf_module = {
    NGX_MODULE_V1,
    &ngx_mntreamer_conf_module_ctx,    /* module context */
    ngx_mntreamer_conf_commands,       /* module directives */
    NGX_MNTREAMER_CONF_MODULE,         /* module type */
    NULL,                              /* init master */
    NULL,                              /* init module */
    NULL,                              /* init process */
    NULL,                              /* init thread */
    NULL,                              /* exit thread */
    NULL,                              /* exit process */
    NULL,                              /* exit master */
    NGX_MODULE_V1_PADDING
};


void *
ngx_mntreamer_conf_create(ngx_cycle_t *cycle)
{
    ngx_mntreamer_conf_t  *mcf;

    mcf = ngx_pcalloc(cycle->pool, sizeof(ngx_mntreamer_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    mcf->workers = NGX_CONF_UNSET_UINT;
    mcf->jobs = NGX_CONF_UNSET_UINT;
    mcf->drain_ms = NGX_CONF_UNSET_MSEC;
    mcf->poll_rate = NGX_CONF_UNSET_UINT;
    mcf->catalog.lease_ms = NGX_CONF_UNSET_MSEC;
    mcf->catalog.trash_s = NGX_CONF_UNSET;
    mcf->catalog.keep.age_s = -1;
    mcf->catalog.keep.size = -1;
    mcf->catalog.keep.count = -1;
    mcf->storage.durability = NGX_CONF_UNSET_UINT;
    mcf->storage.reserve_unit = NGX_CONF_UNSET_UINT;
    mcf->curl.max_connections = NGX_CONF_UNSET_UINT;
    mcf->monitor.spread_pct = NGX_CONF_UNSET_UINT;
    mcf->monitor.total_ms = NGX_CONF_UNSET_MSEC;
    mcf->recorder.resume_ms = NGX_CONF_UNSET_MSEC;
    mcf->recorder.refresh_ms = NGX_CONF_UNSET_MSEC;
    mcf->recorder.connect_ms = NGX_CONF_UNSET_MSEC;
    mcf->recorder.playlist_ms = NGX_CONF_UNSET_MSEC;
    mcf->recorder.segment_ms = NGX_CONF_UNSET_MSEC;
    mcf->recorder.stall_ms = NGX_CONF_UNSET_MSEC;
    mcf->recorder.max_playlist = NGX_CONF_UNSET;
    mcf->recorder.max_segment = NGX_CONF_UNSET;
    mcf->recorder.max_fetches = NGX_CONF_UNSET_UINT;
    mcf->recorder.retries = NGX_CONF_UNSET_UINT;

    return mcf;
}


char *
ngx_mntreamer_conf_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t  *mcf = *(ngx_mntreamer_conf_t **) conf;

    char        *rv;
    void        *block[1], **ctx;
    ngx_conf_t   save;

    if (mcf->configured) {
        return "is duplicate";
    }

    mcf->configured = 1;

    mcf->metrics = ngx_mntreamer_metrics_conf(cf, &ngx_mntreamer_module);
    mcf->viewers = ngx_mntreamer_viewers_conf(cf, &ngx_mntreamer_module);
    mcf->monitor.zone = ngx_mntreamer_monitor_zone(cf, &ngx_mntreamer_module);

    if (mcf->metrics == NULL || mcf->viewers == NULL
        || mcf->monitor.zone == NULL
        || ngx_mntreamer_offload_conf(cf) != NGX_OK
        || ngx_count_modules(cf->cycle, NGX_MNTREAMER_CONF_MODULE) < 0)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_mntreamer_conf_platforms(cf, mcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    block[0] = mcf;
    ctx = block;

    save = *cf;
    cf->ctx = &ctx;
    cf->module_type = NGX_MNTREAMER_CONF_MODULE;
    cf->cmd_type = NGX_MNTREAMER_MAIN_CONF;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    if (rv != NGX_CONF_OK) {
        ngx_mntreamer_conf_hint(cf, mcf);
        return rv;
    }

    return ngx_mntreamer_conf_defaults(cf, mcf);
}


/* braces that are not quoted end a directive: nginx says no more than that */

static void
ngx_mntreamer_conf_hint(ngx_conf_t *cf, ngx_mntreamer_conf_t *mcf)
{
    ngx_str_t  *value;

    value = cf->args->elts;

    if (cf->args->nelts && mcf->recorder.layout.len == 0
        && ngx_strcmp(value[0].data, "layout") == 0)
    {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "the template of \"layout\" must stand in quotes, "
                      "because of its braces");
    }
}


static char *
ngx_mntreamer_conf_defaults(ngx_conf_t *cf, ngx_mntreamer_conf_t *mcf)
{
    time_t     age_s;
    ngx_str_t  layout;

    if (mcf->database.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"mntreamer\" needs the directive \"database\"");
        return NGX_CONF_ERROR;
    }

    if (mcf->storage.root.len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"mntreamer\" needs the directive \"storage\"");
        return NGX_CONF_ERROR;
    }

    ngx_str_set(&layout,
                "{platform}/{channel_id}/{yyyy}/{mm}/{dd}/{sequence}");

    if (mcf->recorder.layout.len == 0) {
        mcf->recorder.layout = layout;
    }

    ngx_conf_init_uint_value(mcf->workers, 0);
    ngx_conf_init_uint_value(mcf->jobs, 1);
    ngx_conf_init_uint_value(mcf->poll_rate, 14);
    ngx_conf_init_msec_value(mcf->drain_ms, 5000);
    ngx_conf_init_msec_value(mcf->catalog.lease_ms, 15000);
    ngx_conf_init_value(mcf->catalog.trash_s, 0);
    ngx_conf_init_uint_value(mcf->storage.durability,
                             NGX_MNTREAMER_DURABLE_SEGMENT);
    ngx_conf_init_uint_value(mcf->storage.reserve_unit,
                             NGX_MNTREAMER_RESERVE_AUTO);
    ngx_conf_init_uint_value(mcf->curl.max_connections, 0);
    ngx_conf_init_uint_value(mcf->monitor.spread_pct, 10);
    ngx_conf_init_msec_value(mcf->monitor.total_ms, 10000);
    ngx_conf_init_msec_value(mcf->recorder.resume_ms, 300000);
    ngx_conf_init_msec_value(mcf->recorder.refresh_ms, 60000);
    ngx_conf_init_msec_value(mcf->recorder.connect_ms, 3000);
    ngx_conf_init_msec_value(mcf->recorder.playlist_ms, 4000);
    ngx_conf_init_msec_value(mcf->recorder.segment_ms, 20000);
    ngx_conf_init_msec_value(mcf->recorder.stall_ms, 4000);
    ngx_conf_init_value(mcf->recorder.max_playlist, MNT_HLS_MAX_BYTES);
    ngx_conf_init_value(mcf->recorder.max_segment, 256 * 1024 * 1024);
    ngx_conf_init_uint_value(mcf->recorder.max_fetches, 3);
    ngx_conf_init_uint_value(mcf->recorder.retries, 3);

    mcf->recorder.end_check_ms = 3000;

    /* what may still go on is not deleted */

    age_s = (time_t) (mcf->recorder.resume_ms / 1000 + 60);
    mcf->delete_age_s = ngx_max(mcf->delete_age_s, age_s);

    mcf->storage.buffer_size = 128 * 1024;
    mcf->storage.buffers = 32;
    mcf->storage.max_buffered = 16 * 1024 * 1024;

    mcf->monitor.refresh_ms = mcf->recorder.refresh_ms;
    mcf->monitor.lease_ms = mcf->catalog.lease_ms;
    mcf->catalog.storage = mcf->storage.root;
    mcf->catalog.resume_ms = mcf->recorder.resume_ms;
    mcf->monitor.connect_ms = mcf->recorder.connect_ms;
    mcf->monitor.stall_ms = mcf->recorder.stall_ms;
    mcf->monitor.max_running = 64;

    if (mcf->recorder.max_playlist > MNT_HLS_MAX_BYTES) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"max_playlist_size\" must be at most 2m");
        return NGX_CONF_ERROR;
    }

    if (mcf->recorder.max_playlist < NGX_MNTREAMER_MIN_SIZE
        || mcf->recorder.max_segment < NGX_MNTREAMER_MIN_SIZE)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"max_playlist_size\" and \"max_segment_size\" "
                           "must be at least 1k");
        return NGX_CONF_ERROR;
    }

    if (mcf->monitor.backoff.n == 0) {
        mnt_backoff_default(&mcf->monitor.backoff);
    }

    ngx_mntreamer_conf_platform_defaults(mcf);

    if (mcf->catalog.node.len == 0) {
        mcf->catalog.node = cf->cycle->hostname;
    }

    return ngx_mntreamer_conf_followers(cf, mcf);
}


static char *
ngx_mntreamer_conf_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    char        *rv;
    ngx_str_t   *value;
    const char  *why;

    if (mcf->database.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    rv = ngx_mntreamer_secret(cf, &value[1], &mcf->database);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (mcf->database.len == 0) {
        return "is empty";
    }

    why = ngx_mntreamer_pq_check(cf->pool, &mcf->database);
    if (why) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid connection string in \"database\": %s",
                           why);
        return NGX_CONF_ERROR;
    }

    mcf->catalog.conninfo = mcf->database;

    return NGX_CONF_OK;
}


static char *
ngx_mntreamer_conf_backoff(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;
    const char  *why;

    if (mcf->monitor.backoff.n) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        why = mnt_backoff_add(&mcf->monitor.backoff,
                              ngx_mntreamer_conf_text(&value[i]));
        if (why) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid step \"%V\" in \"backoff\": it %s",
                               &value[i], why);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_mntreamer_conf_workers(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    if (mcf->workers != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "auto") == 0) {
        mcf->workers = 0;
        return NGX_CONF_OK;
    }

    n = ngx_atoi(value[1].data, value[1].len);

    if (n == NGX_ERROR || n == 0 || n > 1024) {
        return "must be \"auto\" or a number from 1 to 1024";
    }

    mcf->workers = n;

    return NGX_CONF_OK;
}


/* "14r/s", at the field that cmd->offset names */

static char *
ngx_mntreamer_conf_rate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_int_t    n;
    ngx_str_t   *value;
    ngx_uint_t  *rate;

    rate = (ngx_uint_t *) (p + cmd->offset);

    if (*rate != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len < 4
        || ngx_strncmp(value[1].data + value[1].len - 3, "r/s", 3) != 0)
    {
        return "must be a number of requests a second such as 14r/s";
    }

    n = ngx_atoi(value[1].data, value[1].len - 3);

    if (n == NGX_ERROR || n == 0 || n > 1000000) {
        return "must be from 1r/s to 1000000r/s";
    }

    *rate = n;

    return NGX_CONF_OK;
}


static char *
ngx_mntreamer_conf_statsd(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (ngx_mntreamer_statsd_conf(mcf->metrics, cf->pool, &value[1])
        != NGX_OK)
    {
        return "must be an address and a port such as 127.0.0.1:8125";
    }

    return NGX_CONF_OK;
}


/* nginx's own setters say "invalid value" or "number" and nothing more */

static char *
ngx_mntreamer_conf_number(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_bounds_t  *bounds;

    bounds = cmd->post;

    return ngx_mntreamer_conf_expected(ngx_conf_set_num_slot(cf, cmd, conf),
                                       (char *) bounds->text);
}


static char *
ngx_mntreamer_conf_time(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_mntreamer_conf_expected(ngx_conf_set_msec_slot(cf, cmd, conf),
                                       "must be a time such as 500ms, 30s "
                                       "or 5m");
}


static char *
ngx_mntreamer_conf_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_mntreamer_conf_expected(ngx_conf_set_off_slot(cf, cmd, conf),
                                       "must be a size such as 512k or 2m");
}


static char *
ngx_mntreamer_conf_expected(char *rv, char *expected)
{
    if (rv == NGX_CONF_OK || rv == NGX_CONF_ERROR) {
        return rv;
    }

    return ngx_strncmp(rv, "invalid ", 8) == 0 ? expected : rv;
}


/* a transfer without a limit is never started */

static char *
ngx_mntreamer_conf_some_time(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t *ms = data;

    return (*ms == 0) ? "must not be zero" : NGX_CONF_OK;
}


static char *
ngx_mntreamer_conf_bounds(ngx_conf_t *cf, void *post, void *data)
{
    ngx_int_t *n = data;

    ngx_mntreamer_bounds_t  *bounds;

    bounds = post;

    return (*n < bounds->low || *n > bounds->high) ? (char *) bounds->text
                                                   : NGX_CONF_OK;
}


static char *
ngx_mntreamer_conf_min_second(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t *ms = data;

    return (*ms < 1000) ? "must be at least 1s" : NGX_CONF_OK;
}


static char *
ngx_mntreamer_conf_node(ngx_conf_t *cf, void *post, void *data)
{
    ngx_str_t *name = data;

    ngx_uint_t  i;

    if (name->len == 0 || name->len > 64) {
        return "must have 1 to 64 characters";
    }

    for (i = 0; i < name->len; i++) {
        if (name->data[i] <= 0x20 || name->data[i] >= 0x7f) {
            return "must be printable ASCII without spaces";
        }
    }

    return NGX_CONF_OK;
}
