
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_EDITOR_H_INCLUDED_
#define _NGX_MNTREAMER_EDITOR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "../catalog/ngx_mntreamer_catalog.h"
#include "../storage/ngx_mntreamer_storage.h"


/*
 * Edits of recordings: rows say what is wanted, this makes the files of its
 * storage say so, and the rows that they do.  One of them per storage and node
 * is enough; more do no harm.
 */

typedef struct ngx_mntreamer_editor_s  ngx_mntreamer_editor_t;


ngx_mntreamer_editor_t *ngx_mntreamer_editor_create(
    ngx_mntreamer_storage_t *st, ngx_mntreamer_catalog_t *cat, ngx_log_t *log);
void ngx_mntreamer_editor_destroy(ngx_mntreamer_editor_t *ed);

/* to be called once a second */
void ngx_mntreamer_editor_run(ngx_mntreamer_editor_t *ed);
/* something was edited */
void ngx_mntreamer_editor_wake(ngx_mntreamer_editor_t *ed);


#endif /* _NGX_MNTREAMER_EDITOR_H_INCLUDED_ */
