
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Variables about what a request for a file of a recording asks for, in any
 * phase behind the choice of the location.  The path is made by a layout and
 * says nothing by itself: what a directory is the recording of is told by a
 * small file in it (mnt_card.h), and whether that goes on by its playlist.
 * They are read when a variable is asked for, as the file itself will be, and
 * once for a request.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_ABOUT_PATH  1024
#define NGX_HTTP_MNTREAMER_ABOUT_END   64     /* bytes; hold ENDLIST */


typedef enum {
    NGX_HTTP_MNTREAMER_ABOUT_RECORDING = 0,
    NGX_HTTP_MNTREAMER_ABOUT_PLATFORM,
    NGX_HTTP_MNTREAMER_ABOUT_CHANNEL,
    NGX_HTTP_MNTREAMER_ABOUT_STATUS,
    NGX_HTTP_MNTREAMER_ABOUT_KIND,
    NGX_HTTP_MNTREAMER_ABOUT_VIEWERS,
    NGX_HTTP_MNTREAMER_ABOUT_VIEWER
} ngx_http_mntreamer_about_e;

struct ngx_http_mntreamer_about_s {
    ngx_str_t      path;                      /* alias, below the storage */
    ngx_str_t      directory;                 /* alike */
    ngx_str_t      card[NGX_HTTP_MNTREAMER_ABOUT_STATUS];   /* pool */
    ngx_str_t      status;                    /* static */
    unsigned       carded:1;
    unsigned       looked:1;                  /* at the playlist */
};


static ngx_int_t ngx_http_mntreamer_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_http_mntreamer_about_t *ngx_http_mntreamer_about(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_mntreamer_about_card(ngx_http_request_t *r,
    ngx_http_mntreamer_about_t *about);
static void ngx_http_mntreamer_about_status(
    ngx_http_mntreamer_about_t *about);
static void ngx_http_mntreamer_about_kind(ngx_str_t *path, ngx_str_t *kind);
static ngx_fd_t ngx_http_mntreamer_about_open(ngx_str_t *directory,
    const char *name, ngx_file_info_t *fi);
static ngx_int_t ngx_http_mntreamer_about_viewers(ngx_http_request_t *r,
    ngx_http_mntreamer_about_t *about, ngx_uint_t which, ngx_str_t *value);


static ngx_http_variable_t  ngx_http_mntreamer_vars[] = {

    { ngx_string("mntreamer_recording_id"), NULL, ngx_http_mntreamer_variable,
      NGX_HTTP_MNTREAMER_ABOUT_RECORDING, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("mntreamer_platform"), NULL, ngx_http_mntreamer_variable,
      NGX_HTTP_MNTREAMER_ABOUT_PLATFORM, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("mntreamer_channel"), NULL, ngx_http_mntreamer_variable,
      NGX_HTTP_MNTREAMER_ABOUT_CHANNEL, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("mntreamer_status"), NULL, ngx_http_mntreamer_variable,
      NGX_HTTP_MNTREAMER_ABOUT_STATUS, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("mntreamer_kind"), NULL, ngx_http_mntreamer_variable,
      NGX_HTTP_MNTREAMER_ABOUT_KIND, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("mntreamer_viewers"), NULL, ngx_http_mntreamer_variable,
      NGX_HTTP_MNTREAMER_ABOUT_VIEWERS, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("mntreamer_viewer"), NULL, ngx_http_mntreamer_variable,
      NGX_HTTP_MNTREAMER_ABOUT_VIEWER, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_mntreamer_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_mntreamer_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_mntreamer_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                    value;
    ngx_http_mntreamer_about_t  *about;

    v->not_found = 1;

    about = ngx_http_mntreamer_about(r);

    if (about == NULL) {
        return NGX_OK;
    }

    ngx_str_null(&value);

    switch (data) {

    case NGX_HTTP_MNTREAMER_ABOUT_KIND:
        ngx_http_mntreamer_about_kind(&about->path, &value);
        break;

    case NGX_HTTP_MNTREAMER_ABOUT_STATUS:
        ngx_http_mntreamer_about_status(about);
        value = about->status;
        break;

    case NGX_HTTP_MNTREAMER_ABOUT_VIEWERS:
    case NGX_HTTP_MNTREAMER_ABOUT_VIEWER:

        if (ngx_http_mntreamer_about_viewers(r, about, data, &value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        break;

    default:

        if (ngx_http_mntreamer_about_card(r, about) != NGX_OK) {
            return NGX_ERROR;
        }

        value = about->card[data];
    }

    if (value.len == 0) {
        return NGX_OK;
    }

    v->data = value.data;
    v->len = (unsigned) value.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


/* NULL: it is no file of a recording, or memory is gone */

static ngx_http_mntreamer_about_t *
ngx_http_mntreamer_about(ngx_http_request_t *r)
{
    ngx_str_t                    path, directory;
    ngx_http_mntreamer_ctx_t    *ctx;
    ngx_http_mntreamer_about_t  *about;

    if (ngx_http_mntreamer_path(r, &path, &directory) != NGX_OK) {
        return NULL;
    }

    ctx = ngx_http_mntreamer_ctx(r);

    if (ctx == NULL) {
        return NULL;
    }

    /* a rewrite gives the request another URI, in another place */

    about = ctx->about;

    if (about && about->path.data == path.data
        && about->path.len == path.len)
    {
        return about;
    }

    about = ngx_pcalloc(r->pool, sizeof(ngx_http_mntreamer_about_t));
    if (about == NULL) {
        return NULL;
    }

    about->path = path;
    about->directory = directory;

    ctx->about = about;

    return about;
}


static ngx_int_t
ngx_http_mntreamer_about_card(ngx_http_request_t *r,
    ngx_http_mntreamer_about_t *about)
{
    char             *buf;
    ssize_t           n;
    ngx_fd_t          fd;
    mnt_str_t         text;
    mnt_card_t        card;
    ngx_file_info_t   fi;

    if (about->carded) {
        return NGX_OK;
    }

    about->carded = 1;

    fd = ngx_http_mntreamer_about_open(&about->directory, MNT_CARD_NAME, &fi);

    if (fd == NGX_INVALID_FILE) {
        return NGX_OK;
    }

    text.len = (size_t) ngx_min(ngx_file_size(&fi), MNT_CARD_MAX);

    buf = ngx_pnalloc(r->pool, text.len + 1);
    n = buf ? pread(fd, buf, text.len, 0) : -1;

    (void) ngx_close_file(fd);

    if (buf == NULL) {
        return NGX_ERROR;
    }

    text.data = buf;
    text.len = n > 0 ? (size_t) n : 0;

    mnt_card_read(text, &card);

    about->card[NGX_HTTP_MNTREAMER_ABOUT_RECORDING].data =
                                              (u_char *) card.recording.data;
    about->card[NGX_HTTP_MNTREAMER_ABOUT_RECORDING].len = card.recording.len;
    about->card[NGX_HTTP_MNTREAMER_ABOUT_PLATFORM].data =
                                               (u_char *) card.platform.data;
    about->card[NGX_HTTP_MNTREAMER_ABOUT_PLATFORM].len = card.platform.len;
    about->card[NGX_HTTP_MNTREAMER_ABOUT_CHANNEL].data =
                                                (u_char *) card.channel.data;
    about->card[NGX_HTTP_MNTREAMER_ABOUT_CHANNEL].len = card.channel.len;

    return NGX_OK;
}


/* of several tracks the main one; without any playlist it stays empty */

static void
ngx_http_mntreamer_about_status(ngx_http_mntreamer_about_t *about)
{
    char              end[NGX_HTTP_MNTREAMER_ABOUT_END + 1];
    off_t             size;
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_file_info_t   fi;

    if (about->looked) {
        return;
    }

    about->looked = 1;

    fd = ngx_http_mntreamer_about_open(&about->directory, "video.m3u8", &fi);

    if (fd == NGX_INVALID_FILE) {
        fd = ngx_http_mntreamer_about_open(&about->directory, "index.m3u8",
                                           &fi);
    }

    if (fd == NGX_INVALID_FILE) {
        return;
    }

    size = ngx_file_size(&fi);

    n = pread(fd, end, sizeof(end) - 1,
              ngx_max(size, NGX_HTTP_MNTREAMER_ABOUT_END)
              - NGX_HTTP_MNTREAMER_ABOUT_END);

    (void) ngx_close_file(fd);

    if (n < 0) {
        return;
    }

    end[n] = '\0';

    if (ngx_strstr(end, "#EXT-X-ENDLIST")) {
        ngx_str_set(&about->status, "recorded");

    } else {
        ngx_str_set(&about->status, "recording");
    }
}


static void
ngx_http_mntreamer_about_kind(ngx_str_t *path, ngx_str_t *kind)
{
    mnt_str_t  name;

    name.data = (char *) path->data;
    name.len = path->len;

    if (mnt_str_ends(name, "/" NGX_MNTREAMER_THUMBNAIL)) {
        ngx_str_set(kind, "thumbnail");
        return;
    }

    while (memchr(name.data, '/', name.len)) {
        name.data++;
        name.len--;
    }

    if (mnt_str_starts(name, "export-") && mnt_str_ends(name, ".mp4")) {
        ngx_str_set(kind, "export");
        return;
    }

    ngx_http_mntreamer_file_kind(name, kind);
}


static ngx_fd_t
ngx_http_mntreamer_about_open(ngx_str_t *directory, const char *name,
    ngx_file_info_t *fi)
{
    u_char                           buf[NGX_HTTP_MNTREAMER_ABOUT_PATH];
    ngx_str_t                        path;
    const ngx_http_mntreamer_env_t  *env;

    path.data = buf;
    path.len = ngx_snprintf(buf, sizeof(buf), "%V/%s", directory, name) - buf;

    if (path.len == sizeof(buf)) {
        return NGX_INVALID_FILE;
    }

    env = ngx_http_mntreamer_env();

    if (env->storage) {
        return ngx_mntreamer_storage_open_file(env->storage, &path, fi);
    }

    /* access is decided before a young worker has its rooms */

    return env->root ? ngx_mntreamer_storage_open_below(env->root, &path, fi)
                     : NGX_INVALID_FILE;
}


static ngx_int_t
ngx_http_mntreamer_about_viewers(ngx_http_request_t *r,
    ngx_http_mntreamer_about_t *about, ngx_uint_t which, ngx_str_t *value)
{
    ngx_uint_t                       n;
    ngx_mntreamer_viewer_t           viewer;
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    if (env->viewers == NULL) {
        return NGX_OK;
    }

    if (which == NGX_HTTP_MNTREAMER_ABOUT_VIEWER) {
        ngx_http_mntreamer_viewer_of(r, &about->directory, &viewer);

        if (ngx_mntreamer_viewers_is(env->viewers, &viewer)) {
            ngx_str_set(value, "1");
        }

        return NGX_OK;
    }

    n = ngx_mntreamer_viewers_of(env->viewers, &about->directory);

    value->data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = ngx_sprintf(value->data, "%ui", n) - value->data;

    return NGX_OK;
}
