
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_THUMBNAIL_H_INCLUDED_
#define _NGX_MNTREAMER_THUMBNAIL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "../catalog/ngx_mntreamer_catalog.h"
#include "../metrics/ngx_mntreamer_metrics.h"
#include "../storage/ngx_mntreamer_storage.h"


/*
 * The image of a recording in progress: thumbnail.jpg beside its playlist, of
 * the first key frame of one of its newest segments, made by ffmpeg.
 */

typedef struct ngx_mntreamer_thumbnails_s  ngx_mntreamer_thumbnails_t;


/* a segment that was listed; read, not kept */

typedef struct {
    int64_t        recording_id;
    ngx_str_t      path;                      /* below the storage's root */
    ngx_str_t      name;                      /* of the file */
    ngx_str_t      init;                      /* the one it needs, or empty */
    int64_t        duration_us;
    ngx_msec_t     limit_ms;                  /* so old the image may become */
    ngx_uint_t     width;
} ngx_mntreamer_thumbnail_segment_t;


/* "root": of the storage; nothing is started before there is a segment */
ngx_mntreamer_thumbnails_t *ngx_mntreamer_thumbnails_create(
    const ngx_str_t *root, ngx_mntreamer_storage_t *st,
    ngx_mntreamer_catalog_t *cat, ngx_mntreamer_metrics_t *metrics,
    ngx_log_t *log);
/* before the offload, the storage and the catalogue */
void ngx_mntreamer_thumbnails_destroy(ngx_mntreamer_thumbnails_t *th);

/* looks for images that are too old; to be called each second */
void ngx_mntreamer_thumbnails_run(ngx_mntreamer_thumbnails_t *th);

void ngx_mntreamer_thumbnail_listed(ngx_mntreamer_thumbnails_t *th,
    const ngx_mntreamer_thumbnail_segment_t *segment);

/* nothing more is listed here; "ended": the image goes, else the next owner of
   the recording replaces it; of what is not known nothing is done */
void ngx_mntreamer_thumbnail_over(ngx_mntreamer_thumbnails_t *th,
    int64_t recording_id, ngx_uint_t ended);


#endif /* _NGX_MNTREAMER_THUMBNAIL_H_INCLUDED_ */
