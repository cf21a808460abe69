
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_JOB_H_INCLUDED_
#define _NGX_MNTREAMER_JOB_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "../catalog/ngx_mntreamer_catalog.h"
#include "../metrics/ngx_mntreamer_metrics.h"
#include "../storage/ngx_mntreamer_storage.h"


/*
 * The runner of jobs, whose rows the database holds: it takes those of
 * recordings in our storage, so many at once, and has ffmpeg make them.  One
 * that fails is tried again, later and later, five times in all; one whose
 * worker is gone is begun anew by the next.
 */

#define NGX_MNTREAMER_JOBS_MAX  8             /* at once; the directive's text
                                                 says it, too */

typedef struct ngx_mntreamer_jobs_s  ngx_mntreamer_jobs_t;


/* NULL: logged */
ngx_mntreamer_jobs_t *ngx_mntreamer_jobs_create(ngx_uint_t n,
    ngx_mntreamer_storage_t *st, ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_metrics_t *metrics, ngx_log_t *log);
/* before the catalogue; what a thread does is finished */
void ngx_mntreamer_jobs_destroy(ngx_mntreamer_jobs_t *jobs);

/* tells how far they are, and looks for more; to be called each second */
void ngx_mntreamer_jobs_run(ngx_mntreamer_jobs_t *jobs);
/* there are new ones, or some were cancelled */
void ngx_mntreamer_jobs_wake(ngx_mntreamer_jobs_t *jobs);
/* the worker exits: nothing is begun, what ffmpeg makes is given back; what a
   thread stores is either told, or made anew by who took it meanwhile, whose
   sweep has left nothing that could get the name */
void ngx_mntreamer_jobs_drain(ngx_mntreamer_jobs_t *jobs);


#endif /* _NGX_MNTREAMER_JOB_H_INCLUDED_ */
