
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_RETENTION_H_INCLUDED_
#define _NGX_MNTREAMER_RETENTION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "../catalog/ngx_mntreamer_catalog.h"


/*
 * Has the database mark what is kept no longer, at the start and then once a
 * minute; what the marks lead to is _sacrifice.c's.
 */

typedef struct ngx_mntreamer_retention_s  ngx_mntreamer_retention_t;

/* NULL: logged */
ngx_mntreamer_retention_t *ngx_mntreamer_retention_create(
    ngx_mntreamer_catalog_t *cat, ngx_log_t *log);
/* before the catalogue */
void ngx_mntreamer_retention_destroy(ngx_mntreamer_retention_t *rt);

/* looks whether it is time; called about once a second */
void ngx_mntreamer_retention_run(ngx_mntreamer_retention_t *rt);


#endif /* _NGX_MNTREAMER_RETENTION_H_INCLUDED_ */
