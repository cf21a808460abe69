
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_SACRIFICE_H_INCLUDED_
#define _NGX_MNTREAMER_SACRIFICE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "../catalog/ngx_mntreamer_catalog.h"
#include "../storage/ngx_mntreamer_storage.h"


/*
 * Recordings that are deleted: their row is marked first, by the API or here,
 * then the files go, one recording at a time, and then the row says so.  What
 * was marked before a restart goes on behind it; what has no files any more is
 * done.  One that cannot be removed is passed over and tried again later.
 *
 * With "trash" the files are hidden first, and go when the time of the row is
 * over; until then they come back when the row asks for them.
 *
 * "reserve SIZE delete_oldest": while less than the reserve is free, what is
 * in the trash goes, and then the oldest recording that is finished, not
 * protected and old enough.
 */

typedef struct ngx_mntreamer_sacrifice_s  ngx_mntreamer_sacrifice_t;

/*
 * "age_s": younger ones are left alone; NGX_MNTREAMER_SACRIFICE_NONE: all.
 * NULL: logged.
 */
#define NGX_MNTREAMER_SACRIFICE_NONE  ((time_t) -1)

ngx_mntreamer_sacrifice_t *ngx_mntreamer_sacrifice_create(time_t age_s,
    ngx_mntreamer_storage_t *st, ngx_mntreamer_catalog_t *cat,
    ngx_log_t *log);
/* before the catalogue; what a thread does is finished */
void ngx_mntreamer_sacrifice_destroy(ngx_mntreamer_sacrifice_t *sf);

/* looks whether something is to be done; called about once a second */
void ngx_mntreamer_sacrifice_run(ngx_mntreamer_sacrifice_t *sf);
/* recordings were marked */
void ngx_mntreamer_sacrifice_wake(ngx_mntreamer_sacrifice_t *sf);


#endif /* _NGX_MNTREAMER_SACRIFICE_H_INCLUDED_ */
