
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * "?download=NAME": what is sent is to be saved under this name (RFC 6266).
 * Whoever made the link chose it, so it says nothing but a safe name, and its
 * ending is that of the file: what is saved is what it says it is.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


static ngx_int_t ngx_http_mntreamer_download_name(ngx_http_request_t *r,
    ngx_str_t *path, mnt_arena_t *a, mnt_str_t *name);
static ngx_int_t ngx_http_mntreamer_download_header(ngx_http_request_t *r,
    mnt_str_t name);
static u_char *ngx_http_mntreamer_download_plain(u_char *p, mnt_str_t name);
static u_char *ngx_http_mntreamer_download_coded(u_char *p, mnt_str_t name);
static ngx_uint_t ngx_http_mntreamer_download_safe(u_char c);


ngx_int_t
ngx_http_mntreamer_download(ngx_http_request_t *r, ngx_str_t *path)
{
    ngx_int_t    rc;
    mnt_str_t    name;
    mnt_arena_t  arena;

    mnt_arena_init(&arena, 16384);

    rc = ngx_http_mntreamer_download_name(r, path, &arena, &name);

    if (rc == NGX_OK) {
        rc = ngx_http_mntreamer_download_header(r, name);
    }

    mnt_arena_free(&arena);

    return (rc == NGX_DECLINED) ? NGX_OK : rc;
}


/* NGX_DECLINED: nobody asked for one */

static ngx_int_t
ngx_http_mntreamer_download_name(ngx_http_request_t *r, ngx_str_t *path,
    mnt_arena_t *a, mnt_str_t *name)
{
    u_char     *p, *dst, *src;
    mnt_str_t   file, ending, wish;
    ngx_str_t   value;

    if (ngx_http_arg(r, (u_char *) "download", 8, &value) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (p = path->data + path->len; p > path->data && p[-1] != '/'; p--) {
        /* void */
    }

    file.data = (char *) p;
    file.len = path->data + path->len - p;

    for (p = path->data + path->len - 1; *p != '.'; p--) {
        /* void: all that is served has an ending */
    }

    ending.data = (char *) p;
    ending.len = path->data + path->len - p;

    wish.data = mnt_arena_alloc(a, value.len + 1);
    if (wish.data == NULL) {
        return NGX_DECLINED;
    }

    dst = (u_char *) wish.data;
    src = value.data;
    ngx_unescape_uri(&dst, &src, value.len, 0);
    wish.len = (char *) dst - wish.data;

    if (wish.len > ending.len
        && ngx_strncasecmp((u_char *) wish.data + wish.len - ending.len,
                           (u_char *) ending.data, ending.len)
           == 0)
    {
        wish.len -= ending.len;
    }

    /* a name of many bytes is cut, its ending is not */

    wish = mnt_str_utf8_cut(wish, MNT_NAME_MAX - 8);

    *name = wish.len ? mnt_name_safe(a, wish) : file;

    if (wish.len && name->data) {
        *name = mnt_arena_printf(a, "%.*s%.*s", (int) name->len, name->data,
                                 (int) ending.len, ending.data);
    }

    return name->data ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_mntreamer_download_header(ngx_http_request_t *r, mnt_str_t name)
{
    u_char     *p;
    ngx_str_t   value;

    static const char  begin[] = "attachment; filename=\"";
    static const char  more[] = "\"; filename*=UTF-8''";

    value.data = ngx_pnalloc(r->pool, sizeof(begin) + sizeof(more)
                                      + 4 * name.len);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(value.data, begin, sizeof(begin) - 1);
    p = ngx_http_mntreamer_download_plain(p, name);
    p = ngx_cpymem(p, more, sizeof(more) - 1);
    p = ngx_http_mntreamer_download_coded(p, name);

    value.len = p - value.data;

    return ngx_http_mntreamer_header(r, "Content-Disposition", &value);
}


/* for those who know no other: one "_" for each letter that is not ASCII */

static u_char *
ngx_http_mntreamer_download_plain(u_char *p, mnt_str_t name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name.len; i++) {
        c = (u_char) name.data[i];

        if (c >= 0xc0 || c == '%' || c == '"' || c == '\\' || c < ' '
            || c == 0x7f)
        {
            *p++ = '_';

        } else if (c < 0x80) {
            *p++ = c;
        }
    }

    return p;
}


/* RFC 8187 3.2.1 */

static u_char *
ngx_http_mntreamer_download_coded(u_char *p, mnt_str_t name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name.len; i++) {
        c = (u_char) name.data[i];

        p = ngx_http_mntreamer_download_safe(c) ? ngx_sprintf(p, "%c", c)
                                                : ngx_sprintf(p, "%%%02Xi",
                                                              (ngx_int_t) c);
    }

    return p;
}


static ngx_uint_t
ngx_http_mntreamer_download_safe(u_char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_'
           || c == '~';
}
