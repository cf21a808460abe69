
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_VIEWERS_H_INCLUDED_
#define _NGX_MNTREAMER_VIEWERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "mnt_viewers.h"


/*
 * The table of mnt_viewers.h in a zone that all workers share, the old and
 * new ones of a reload too.  Its lock is that of the slab, which nginx's
 * master opens when a worker dies while it holds it.
 */

typedef struct ngx_mntreamer_viewers_s  ngx_mntreamer_viewers_t;

/* one who asks; all texts are aliases */

typedef struct {
    ngx_str_t         directory;              /* of the recording */
    struct sockaddr  *sockaddr;
    ngx_str_t         addr_text;              /* when it has no IP address */
    ngx_str_t         user_agent;
    ngx_uint_t        limit;                  /* of a recording; 0: none */
} ngx_mntreamer_viewer_t;


/* at configuration time; NULL: logged */
ngx_mntreamer_viewers_t *ngx_mntreamer_viewers_conf(ngx_conf_t *cf, void *tag);

/*
 * "target_s": of the media playlist that was asked for; 0: a segment was.
 * NGX_BUSY: so many watch that recording that this one may not.
 */
ngx_int_t ngx_mntreamer_viewers_asked(ngx_mntreamer_viewers_t *vw,
    const ngx_mntreamer_viewer_t *viewer, ngx_uint_t target_s,
    ngx_log_t *log);
/* 0: nobody watches anything, a segment changes nothing */
ngx_uint_t ngx_mntreamer_viewers_any(ngx_mntreamer_viewers_t *vw);

/* so many watched a recording when they were counted last, on this machine */
ngx_uint_t ngx_mntreamer_viewers_of(ngx_mntreamer_viewers_t *vw,
    ngx_str_t *directory);
/* 1: who asks is one of them, or will be with the next count */
ngx_uint_t ngx_mntreamer_viewers_is(ngx_mntreamer_viewers_t *vw,
    const ngx_mntreamer_viewer_t *viewer);

/* so many watch something on this machine */
ngx_uint_t ngx_mntreamer_viewers_now(ngx_mntreamer_viewers_t *vw);
/* so many were not counted, as far as this worker knows */
ngx_uint_t ngx_mntreamer_viewers_missed(ngx_mntreamer_viewers_t *vw);

/* the number of the count, when nobody did one for so long: it is for this
   worker to report; or 0 */
int64_t ngx_mntreamer_viewers_turn(ngx_mntreamer_viewers_t *vw,
    ngx_msec_t pause_ms);
/* as mnt_viewers_due() and _told(); the directory is copied to its data */
ngx_uint_t ngx_mntreamer_viewers_due(ngx_mntreamer_viewers_t *vw,
    unsigned *cursor, mnt_viewers_report_t *report, ngx_str_t *directory);
void ngx_mntreamer_viewers_told(ngx_mntreamer_viewers_t *vw,
    const mnt_viewers_report_t *report);


#endif /* _NGX_MNTREAMER_VIEWERS_H_INCLUDED_ */
