
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_catalog_internal.h"


static void ngx_mntreamer_thumbnail_told(void *data,
    const ngx_mntreamer_result_t *result);


static const ngx_mntreamer_sql_t  ngx_mntreamer_thumbnail_sql = {
    "recording_thumbnail",
    "UPDATE media_record SET thumbnail = $2::boolean"
    " WHERE id = $1::bigint AND thumbnail <> $2::boolean", 2, 0
};


void
ngx_mntreamer_catalog_thumbnail(ngx_mntreamer_catalog_t *cat,
    int64_t recording_id, ngx_uint_t there)
{
    u_char                buf[NGX_INT64_LEN];
    ngx_mntreamer_exec_t  ex;

    ngx_mntreamer_catalog_exec_init(&ex, &ngx_mntreamer_thumbnail_sql,
                                    ngx_mntreamer_thumbnail_told, cat);

    ex.params[0] = ngx_mntreamer_catalog_number(buf, recording_id);
    ngx_str_set(&ex.params[1], "f");

    if (there) {
        ngx_str_set(&ex.params[1], "t");
    }

    (void) ngx_mntreamer_pq_exec(cat->pq, &ex);
}


static void
ngx_mntreamer_thumbnail_told(void *data, const ngx_mntreamer_result_t *result)
{
    /* void */
}
