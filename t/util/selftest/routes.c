static const ngx_http_mntreamer_route_t  routes[] = {

    { ngx_string("v1/streamers/"), NGX_HTTP_MNTREAMER_PATH_ID,
      streamer, NULL, patch, NULL },

    { ngx_string("v1/live"), NGX_HTTP_MNTREAMER_PATH_WHOLE,
      live, NULL, NULL, NULL },

    { ngx_null_string, 0, NULL, NULL, NULL, NULL }
};
