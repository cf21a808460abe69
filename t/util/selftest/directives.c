static ngx_command_t  commands[] = {

    { ngx_string("storage"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_mntreamer_conf_storage,
      0,
      0,
      NULL },

    { ngx_string("lease"),
      NGX_MNTREAMER_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      0,
      offsetof(ngx_mntreamer_conf_t, catalog.lease_ms),
      NULL },

      ngx_null_command
};


static void
defaults(ngx_mntreamer_conf_t *mcf)
{
    ngx_conf_init_msec_value(mcf->catalog.lease_ms, 15 * 1000);
}
