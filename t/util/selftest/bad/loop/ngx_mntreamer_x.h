int  ngx_mntreamer_x;
