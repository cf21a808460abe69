
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_SECRET_H_INCLUDED_
#define _NGX_MNTREAMER_SECRET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * At configuration time: "file:PATH" and "env:NAME" stand for what is kept out
 * of nginx.conf; anything else is the value itself.  A file is read by the
 * master, before it gives up its privileges, and again at each reload, without
 * white space at its end.  The secret is terminated; pool of "cf".
 */
char *ngx_mntreamer_secret(ngx_conf_t *cf, ngx_str_t *value,
    ngx_str_t *secret);


#endif /* _NGX_MNTREAMER_SECRET_H_INCLUDED_ */
