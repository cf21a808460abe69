
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_SWEEP_H_INCLUDED_
#define _NGX_MNTREAMER_SWEEP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "../catalog/ngx_mntreamer_catalog.h"
#include "../storage/ngx_mntreamer_storage.h"


/*
 * Live files of own broadcasts that are over and that nobody takes any more: a
 * recording takes its own away when it ends, what ended otherwise is found
 * here, at the start and then every 20 s.
 */

typedef struct ngx_mntreamer_sweep_s  ngx_mntreamer_sweep_t;

/* NULL: logged */
ngx_mntreamer_sweep_t *ngx_mntreamer_sweep_create(ngx_mntreamer_storage_t *st,
    ngx_mntreamer_catalog_t *cat, ngx_log_t *log);
/* before the catalogue and the storage */
void ngx_mntreamer_sweep_destroy(ngx_mntreamer_sweep_t *sw);

/* looks whether it is time; called about once a second */
void ngx_mntreamer_sweep_run(ngx_mntreamer_sweep_t *sw);


#endif /* _NGX_MNTREAMER_SWEEP_H_INCLUDED_ */
