
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_HTTP_MNTREAMER_VIEW_INTERNAL_H_INCLUDED_
#define _NGX_HTTP_MNTREAMER_VIEW_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "../hls/mnt_hls_live.h"
#include "ngx_http_mntreamer_internal.h"


/*
 * What a worker knows of playlists: at most _VIEWS of them, those that were
 * asked for last.  Each has 48 bytes for 64 entries and at most _TEXTS texts
 * of _KEEP bytes.
 */

#define NGX_HTTP_MNTREAMER_VIEWS        1024
#define NGX_HTTP_MNTREAMER_VIEW_TEXTS   4
#define NGX_HTTP_MNTREAMER_VIEW_KEEP    16384   /* bytes of a text */
#define NGX_HTTP_MNTREAMER_VIEW_INLINE  65536   /* read at once; more: in a
                                                   thread */
#define NGX_HTTP_MNTREAMER_VIEW_MAX     (8 * 1024 * 1024)
#define NGX_HTTP_MNTREAMER_VIEW_SEAM    96      /* bytes compared */
#define NGX_HTTP_MNTREAMER_VIEW_MAP     1024    /* of an EXT-X-MAP line */
#define NGX_HTTP_MNTREAMER_VIEW_NEVER   ((uint64_t) -1)


/* what a request wants */

typedef struct {
    mnt_hls_view_e                   view;
    ngx_uint_t                       window_s;  /* 0: none */
    uint64_t                         msn;     /* _NEVER: whatever there is */
} ngx_http_mntreamer_view_wish_t;


/* a text that was made once; freed by the last who sends it */

typedef struct {
    ngx_uint_t                       refs;
    size_t                           len;
    u_char                           data[];
} ngx_http_mntreamer_view_text_t;

typedef struct {
    mnt_hls_view_e                   view;
    int64_t                          span_us;
    uint64_t                         offset;  /* end of the playlist then */
    ngx_http_mntreamer_view_text_t  *text;    /* a reference; NULL: free */
} ngx_http_mntreamer_view_slot_t;

typedef struct ngx_http_mntreamer_view_job_s  ngx_http_mntreamer_view_job_t;

typedef struct {
    ngx_queue_t                      queue;   /* used last: first */
    ngx_queue_t                      bucket;
    ngx_str_t                        path;    /* behind the struct */

    /* the file that is known; changed by _get() only */
    ino_t                            ino;
    dev_t                            dev;
    time_t                           mtime;   /* when it was read last */

    mnt_hls_live_t                   live;
    u_char                           seam[NGX_HTTP_MNTREAMER_VIEW_SEAM];
    size_t                           seam_len;   /* in front of live.at */
    ngx_http_mntreamer_view_slot_t   slots[NGX_HTTP_MNTREAMER_VIEW_TEXTS];
    ngx_uint_t                       slot;    /* the next to be used */
    ngx_http_mntreamer_view_job_t   *job;     /* alias; NULL: none */

    /* of _view.c */
    ngx_queue_t                      waiters;
    ngx_queue_t                      waited;  /* with others, if it has some */
    ngx_fd_t                         fd;      /* owned, while it has some */
} ngx_http_mntreamer_view_t;


/* _view_cache.c */

void ngx_http_mntreamer_views_init(void);
void ngx_http_mntreamer_views_free(void);

/* NULL: memory is gone, or each of them is waited for */
ngx_http_mntreamer_view_t *ngx_http_mntreamer_view_get(ngx_str_t *path,
    ngx_file_info_t *fi, ngx_log_t *log);

/*
 * Takes what the file has more than is known.  NGX_AGAIN: a thread does so,
 * and calls _view_loaded(); NGX_ERROR: it has no views.
 */
ngx_int_t ngx_http_mntreamer_view_read(ngx_http_mntreamer_view_t *v,
    ngx_fd_t fd, ngx_file_info_t *fi, ngx_log_t *log);

/* a reference to the text; NGX_DECLINED: it is too long to be kept */
ngx_int_t ngx_http_mntreamer_view_text(ngx_http_mntreamer_view_t *v,
    ngx_fd_t fd, mnt_hls_view_e view, int64_t span_us, ngx_log_t *log,
    ngx_http_mntreamer_view_text_t **text);
void ngx_http_mntreamer_view_release(ngx_http_mntreamer_view_text_t *text);

/* where such a view begins, and its EXT-X-MAP in "line" */
ngx_int_t ngx_http_mntreamer_view_first(ngx_http_mntreamer_view_t *v,
    ngx_fd_t fd, int64_t span_us, mnt_hls_mark_t *first, ngx_log_t *log);
ngx_int_t ngx_http_mntreamer_view_map(ngx_fd_t fd, const mnt_hls_mark_t *first,
    char *line, mnt_str_t *map);

ngx_int_t ngx_http_mntreamer_view_pread(ngx_fd_t fd, void *buf, size_t len,
    uint64_t offset);


/* _view.c */

/* NGX_ERROR: a value is none */
ngx_int_t ngx_http_mntreamer_view_wish(ngx_http_request_t *r,
    ngx_http_mntreamer_view_wish_t *wish);
int64_t ngx_http_mntreamer_view_window_s(
    const ngx_http_mntreamer_view_wish_t *wish, const mnt_hls_live_t *live);
/* a buffer of it in a chain; NULL: memory is gone */
ngx_chain_t *ngx_http_mntreamer_view_chain(ngx_http_request_t *r, u_char *p,
    size_t len);
/* a cleanup: releases a text */
void ngx_http_mntreamer_view_sent(void *data);

/* may answer requests, which may do anything */

void ngx_http_mntreamer_view_loaded(ngx_http_mntreamer_view_t *v);


#endif /* _NGX_HTTP_MNTREAMER_VIEW_INTERNAL_H_INCLUDED_ */
