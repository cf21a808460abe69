
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_FOLLOW_H_INCLUDED_
#define _NGX_MNTREAMER_FOLLOW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "../catalog/ngx_mntreamer_catalog.h"
#include "../loop/ngx_mntreamer_curl.h"
#include "../metrics/ngx_mntreamer_metrics.h"


/*
 * Followers: addresses that are told by a POST when an own broadcast starts
 * and ends.  What is to be told lies in the database; any worker of the node
 * takes it for one try.
 */

typedef struct ngx_mntreamer_follow_s  ngx_mntreamer_follow_t;

typedef void (*ngx_mntreamer_followed_pt)(void *data);


/* "followers" of ngx_mntreamer_follower_conf_t outlives it; NULL: logged */
ngx_mntreamer_follow_t *ngx_mntreamer_follow_create(ngx_array_t *followers,
    ngx_mntreamer_curl_t *curl, ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_metrics_t *metrics, ngx_log_t *log);
/* before the catalogue and libcurl; what is being told is told again */
void ngx_mntreamer_follow_destroy(ngx_mntreamer_follow_t *fl);

/* the database is there, or away */
void ngx_mntreamer_follow_state(ngx_mntreamer_follow_t *fl, ngx_uint_t up);
/* there may be something to tell */
void ngx_mntreamer_follow_due(ngx_mntreamer_follow_t *fl);

/*
 * Nothing more is begun; NGX_OK: nothing is under way, NGX_AGAIN: done() is
 * called when that is so.
 */
ngx_int_t ngx_mntreamer_follow_drain(ngx_mntreamer_follow_t *fl,
    ngx_mntreamer_followed_pt done, void *data);


#endif /* _NGX_MNTREAMER_FOLLOW_H_INCLUDED_ */
