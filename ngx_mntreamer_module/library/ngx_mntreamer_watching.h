
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_WATCHING_H_INCLUDED_
#define _NGX_MNTREAMER_WATCHING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "../catalog/ngx_mntreamer_catalog.h"
#include "../metrics/ngx_mntreamer_metrics.h"
#include "../metrics/ngx_mntreamer_viewers.h"


/*
 * Tells the database how many watch what: for all workers of the machine the
 * one does it whose turn comes, and another one when that is gone.
 */

typedef struct ngx_mntreamer_watching_s  ngx_mntreamer_watching_t;

/* NULL: logged */
ngx_mntreamer_watching_t *ngx_mntreamer_watching_create(
    ngx_mntreamer_viewers_t *viewers, ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_metrics_t *metrics, ngx_log_t *log);
/* before the catalogue */
void ngx_mntreamer_watching_destroy(ngx_mntreamer_watching_t *wt);

/* looks whether it is its turn; called about once a second */
void ngx_mntreamer_watching_run(ngx_mntreamer_watching_t *wt);


#endif /* _NGX_MNTREAMER_WATCHING_H_INCLUDED_ */
