
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Tells the table of viewers who asked for what.  A recording in progress is
 * told by its file, without the database: it was written a moment ago and has
 * no end.  Reading its ends meets the cache of the kernel: they are about to
 * be sent.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


static ngx_uint_t ngx_http_mntreamer_viewer_target(ngx_file_t *file,
    ngx_file_info_t *fi);
static ngx_int_t ngx_http_mntreamer_viewer_read(ngx_fd_t fd, char *buf,
    size_t size, off_t offset, mnt_str_t *text);


/* who leaves is known to have left not before that */

static ngx_str_t  ngx_http_mntreamer_viewer_retry = ngx_string("10");


ngx_int_t
ngx_http_mntreamer_viewer(ngx_http_request_t *r, ngx_str_t *path,
    ngx_uint_t playlist, ngx_file_t *file, ngx_file_info_t *fi)
{
    size_t                           len;
    ngx_str_t                        directory;
    ngx_uint_t                       target_s;
    ngx_mntreamer_viewer_t           viewer;
    ngx_http_mntreamer_ctx_t        *ctx;
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    /* one that waited for its playlist was counted when it came */

    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);

    if (r != r->main || env->viewers == NULL
        || (ctx && (ctx->view || ctx->cut)))
    {
        return NGX_OK;
    }

    target_s = 0;

    if (playlist) {
        target_s = ngx_http_mntreamer_viewer_target(file, fi);

        if (target_s == 0) {
            return NGX_OK;
        }

    } else if (!ngx_mntreamer_viewers_any(env->viewers)) {
        return NGX_OK;
    }

    for (len = path->len; len && path->data[len - 1] != '/'; len--) {
        /* void */
    }

    /* what lies in the root itself is of no recording */

    if (len == 0) {
        return NGX_OK;
    }

    directory.data = path->data;
    directory.len = len - 1;

    ngx_http_mntreamer_viewer_of(r, &directory, &viewer);

    if (ngx_mntreamer_viewers_asked(env->viewers, &viewer, target_s,
                                    r->connection->log)
        != NGX_BUSY)
    {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                  "mntreamer: %ui watch this already", viewer.limit);

    return (ngx_http_mntreamer_header(r, "Retry-After",
                                      &ngx_http_mntreamer_viewer_retry)
            == NGX_OK)
           ? NGX_HTTP_TOO_MANY_REQUESTS : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


void
ngx_http_mntreamer_viewer_of(ngx_http_request_t *r, ngx_str_t *directory,
    ngx_mntreamer_viewer_t *viewer)
{
    ngx_http_mntreamer_loc_conf_t  *hlcf;

    hlcf = ngx_http_get_module_loc_conf(r, ngx_http_mntreamer_module);

    viewer->limit = hlcf->max_viewers;
    viewer->directory = *directory;
    viewer->sockaddr = r->connection->sockaddr;
    viewer->addr_text = r->connection->addr_text;

    if (r->headers_in.user_agent) {
        viewer->user_agent = r->headers_in.user_agent->value;

    } else {
        ngx_str_null(&viewer->user_agent);
    }
}


/* 0: it is no media playlist, or its recording is over */

static ngx_uint_t
ngx_http_mntreamer_viewer_target(ngx_file_t *file, ngx_file_info_t *fi)
{
    char       first[MNT_VIEWERS_HEAD], last[MNT_VIEWERS_TAIL];
    off_t      size;
    mnt_str_t  head, tail;

    size = ngx_file_size(fi);

    if (ngx_time() - ngx_file_mtime(fi) > NGX_HTTP_MNTREAMER_SILENT_S
        || ngx_http_mntreamer_viewer_read(file->fd, first, sizeof(first), 0,
                                          &head)
           != NGX_OK
        || ngx_http_mntreamer_viewer_read(file->fd, last, sizeof(last),
                                     ngx_max(size, MNT_VIEWERS_TAIL)
                                     - MNT_VIEWERS_TAIL, &tail)
           != NGX_OK)
    {
        return 0;
    }

    return mnt_viewers_target(head, tail);
}


static ngx_int_t
ngx_http_mntreamer_viewer_read(ngx_fd_t fd, char *buf, size_t size,
    off_t offset, mnt_str_t *text)
{
    ssize_t  n;

    n = pread(fd, buf, size, offset);

    if (n <= 0) {
        return NGX_ERROR;
    }

    text->data = buf;
    text->len = (size_t) n;

    return NGX_OK;
}
