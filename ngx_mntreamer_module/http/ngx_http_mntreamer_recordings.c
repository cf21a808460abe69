
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "../hls/mnt_hls.h"
#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_TAIL  1024         /* holds an entry */
#define NGX_HTTP_MNTREAMER_FRESH 5            /* s; may be being appended to */


typedef enum {
    NGX_HTTP_MNTREAMER_MEDIA = 0,             /* never changes */
    NGX_HTTP_MNTREAMER_PLAYLIST,
    NGX_HTTP_MNTREAMER_IMAGE                  /* changes, nobody watches it */
} ngx_http_mntreamer_file_e;


typedef struct {
    ngx_str_t                  ending;
    ngx_str_t                  type;
    ngx_http_mntreamer_file_e  kind;
} ngx_http_mntreamer_type_t;


static const ngx_http_mntreamer_type_t *ngx_http_mntreamer_type(
    ngx_str_t *path);
static ngx_int_t ngx_http_mntreamer_file(ngx_http_request_t *r,
    ngx_str_t *path, const ngx_http_mntreamer_type_t *type);
static ngx_int_t ngx_http_mntreamer_send(ngx_http_request_t *r,
    const ngx_http_mntreamer_type_t *type, ngx_chain_t *out);
static ngx_int_t ngx_http_mntreamer_open(ngx_http_request_t *r,
    ngx_str_t *path, ngx_file_t *file, ngx_file_info_t *fi);
static ngx_int_t ngx_http_mntreamer_open_failed(ngx_http_request_t *r,
    ngx_str_t *path, ngx_err_t err);
static off_t ngx_http_mntreamer_whole(ngx_file_t *file, off_t size);


/* nothing with another ending is served: no .part, no journal */

static const ngx_http_mntreamer_type_t  ngx_http_mntreamer_types[] = {
    { ngx_string("/" NGX_MNTREAMER_THUMBNAIL), ngx_string("image/jpeg"),
      NGX_HTTP_MNTREAMER_IMAGE },
    { ngx_string(".ts"), ngx_string("video/mp2t"), 0 },
    { ngx_string(".m4s"), ngx_string("video/mp4"), 0 },
    { ngx_string(".m3u8"), ngx_string("application/vnd.apple.mpegurl"),
      NGX_HTTP_MNTREAMER_PLAYLIST },
    { ngx_string(".mp4"), ngx_string("video/mp4"), 0 },
    { ngx_string(".aac"), ngx_string("audio/aac"), 0 },
    { ngx_string(".vtt"), ngx_string("text/vtt"), 0 },
    { ngx_string(".jpg"), ngx_string("image/jpeg"), 0 },
    { ngx_string(".webp"), ngx_string("image/webp"), 0 },
    { ngx_null_string, ngx_null_string, 0 }
};

static ngx_str_t  ngx_http_mntreamer_no_cache = ngx_string("no-cache");
static ngx_str_t  ngx_http_mntreamer_immutable =
    ngx_string("public, max-age=31536000, immutable");
static ngx_str_t  ngx_http_mntreamer_nosniff = ngx_string("nosniff");


static const ngx_http_mntreamer_type_t *
ngx_http_mntreamer_type(ngx_str_t *path)
{
    size_t                            n;
    const ngx_http_mntreamer_type_t  *t;

    for (t = ngx_http_mntreamer_types; t->ending.len; t++) {
        n = t->ending.len;

        if (path->len > n
            && ngx_memcmp(path->data + path->len - n, t->ending.data, n) == 0)
        {
            return t;
        }
    }

    return NULL;
}


ngx_uint_t
ngx_http_mntreamer_serves(ngx_str_t *path)
{
    return ngx_http_mntreamer_type(path) != NULL;
}


ngx_int_t
ngx_http_mntreamer_recordings_handler(ngx_http_request_t *r)
{
    ngx_int_t                         rc;
    ngx_str_t                         path;
    mnt_str_t                         name;
    const ngx_http_mntreamer_env_t   *env;
    const ngx_http_mntreamer_type_t  *type;

    rc = ngx_http_mntreamer_only_get(r);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_mntreamer_rest(r, &path) != NGX_OK) {
        return NGX_HTTP_NOT_FOUND;
    }

    name.data = (char *) path.data;
    name.len = path.len;

    type = ngx_http_mntreamer_type(&path);

    if (type == NULL || !mnt_path_servable(name)) {
        return NGX_HTTP_NOT_FOUND;
    }

    env = ngx_http_mntreamer_env();

    if (env->storage == NULL) {
        rc = ngx_http_mntreamer_wait(r, ngx_http_mntreamer_recordings_handler,
                                     NGX_HTTP_MNTREAMER_YOUNG);

        return (rc == NGX_DECLINED) ? NGX_HTTP_SERVICE_UNAVAILABLE : rc;
    }

    return ngx_http_mntreamer_file(r, &path, type);
}


/*
 * A live playlist grows while it is sent: the answer has the whole entries
 * that it had when it was opened, one added meanwhile comes with the next
 * request.
 */

static ngx_int_t
ngx_http_mntreamer_file(ngx_http_request_t *r, ngx_str_t *path,
    const ngx_http_mntreamer_type_t *type)
{
    off_t             size;
    ngx_int_t         rc;
    ngx_file_t       *file;
    ngx_chain_t      *out;
    ngx_file_info_t   fi;

    file = ngx_pcalloc(r->pool, sizeof(ngx_file_t));
    if (file == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_mntreamer_open(r, path, file, &fi);
    if (rc != NGX_OK) {
        return rc;
    }

    if (type->kind != NGX_HTTP_MNTREAMER_IMAGE) {
        rc = ngx_http_mntreamer_viewer(r, path,
                                  type->kind == NGX_HTTP_MNTREAMER_PLAYLIST,
                                  file, &fi);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    r->headers_out.last_modified_time = ngx_file_mtime(&fi);

    if (type->kind == NGX_HTTP_MNTREAMER_PLAYLIST) {
        rc = ngx_http_mntreamer_cut(r, path, file, &fi, &out);

        if (rc == NGX_DECLINED) {
            rc = ngx_http_mntreamer_view(r, path, file, &fi, &out);
        }

        if (rc != NGX_DECLINED) {
            return (rc == NGX_OK) ? ngx_http_mntreamer_send(r, type, out) : rc;
        }
    }

    size = ngx_file_size(&fi);

    if (type->kind == NGX_HTTP_MNTREAMER_PLAYLIST
        && ngx_file_mtime(&fi) > ngx_time() - NGX_HTTP_MNTREAMER_FRESH)
    {
        size = ngx_http_mntreamer_whole(file, size);
    }

    out = ngx_alloc_chain_link(r->pool);
    if (out == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    out->buf = ngx_calloc_buf(r->pool);
    if (out->buf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    out->buf->file = file;
    out->buf->file_last = size;
    out->buf->in_file = size ? 1 : 0;
    out->next = NULL;

    r->allow_ranges = 1;

    if (ngx_http_mntreamer_download(r, path) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_send(r, type, out);
}


static ngx_int_t
ngx_http_mntreamer_send(ngx_http_request_t *r,
    const ngx_http_mntreamer_type_t *type, ngx_chain_t *out)
{
    off_t                      size;
    ngx_int_t                  rc;
    ngx_chain_t               *cl;
    ngx_http_mntreamer_ctx_t  *ctx;

    size = 0;

    for (cl = out; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);

        if (cl->next == NULL) {
            cl->buf->last_buf = (r == r->main) ? 1 : 0;
            cl->buf->last_in_chain = 1;
        }
    }

    r->connection->log->action = (char *) "sending response to client";

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = size;
    r->headers_out.content_type = type->type;
    r->headers_out.content_type_len = type->type.len;

    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);

    if ((r->headers_out.etag == NULL && ngx_http_set_etag(r) != NGX_OK)
        || (type->kind == NGX_HTTP_MNTREAMER_PLAYLIST
            && ngx_http_mntreamer_sign_playlist(r) == NGX_ERROR)
        || (type->kind == NGX_HTTP_MNTREAMER_MEDIA && ctx && ctx->token.len
            && ngx_http_mntreamer_sign_cache(r, ctx) != NGX_OK)
        || ngx_http_mntreamer_cache_control(r, type->kind
                                            ? &ngx_http_mntreamer_no_cache
                                            : &ngx_http_mntreamer_immutable)
           != NGX_OK
        || ngx_http_mntreamer_header(r, "X-Content-Type-Options",
                                     &ngx_http_mntreamer_nosniff)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, out);
}


static ngx_int_t
ngx_http_mntreamer_open(ngx_http_request_t *r, ngx_str_t *path,
    ngx_file_t *file, ngx_file_info_t *fi)
{
    u_char                          *p;
    ngx_pool_cleanup_t              *cln;
    ngx_pool_cleanup_file_t         *clnf;
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_pool_cleanup_file_t));
    p = ngx_pnalloc(r->pool, path->len + 1);

    if (cln == NULL || p == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) ngx_cpystrn(p, path->data, path->len + 1);

    file->name.data = p;
    file->name.len = path->len;
    file->log = r->connection->log;
    file->fd = ngx_mntreamer_storage_open_file(env->storage, &file->name, fi);

    if (file->fd == NGX_INVALID_FILE) {
        return ngx_http_mntreamer_open_failed(r, &file->name, ngx_errno);
    }

    clnf = cln->data;
    clnf->fd = file->fd;
    clnf->name = p;
    clnf->log = r->pool->log;

    cln->handler = ngx_pool_cleanup_file;

    return NGX_OK;
}


/* what is a link, no regular file or not readable looks like nothing */

static ngx_int_t
ngx_http_mntreamer_open_failed(ngx_http_request_t *r, ngx_str_t *path,
    ngx_err_t err)
{
    switch (err) {

    case NGX_EMFILE:
    case NGX_ENFILE:
    case NGX_ENOMEM:
    case EIO:

        ngx_log_error(NGX_LOG_CRIT, r->connection->log, err,
                      "open \"%V\" of the storage failed", path);

        return (err == EIO) ? NGX_HTTP_INTERNAL_SERVER_ERROR
                            : NGX_HTTP_SERVICE_UNAVAILABLE;

    default:

        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, err,
                       "mntreamer: open \"%V\" failed", path);

        return NGX_HTTP_NOT_FOUND;
    }
}


/* without an entry that is being appended */

static off_t
ngx_http_mntreamer_whole(ngx_file_t *file, off_t size)
{
    char       buf[NGX_HTTP_MNTREAMER_TAIL];
    ssize_t    n;
    mnt_str_t  tail;

    tail.len = (size_t) ngx_min(size, NGX_HTTP_MNTREAMER_TAIL);
    tail.data = buf;

    n = pread(file->fd, buf, tail.len, size - (off_t) tail.len);

    if (n != (ssize_t) tail.len) {
        return size;
    }

    return size - (off_t) mnt_hls_torn(tail);
}
