
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_secret.h"


#define NGX_MNTREAMER_SECRET_MAX  (64 * 1024)


char *
ngx_mntreamer_secret(ngx_conf_t *cf, ngx_str_t *value, ngx_str_t *secret)
{
    char             *env;
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_str_t         path, *name;
    ngx_file_info_t   fi;

    name = cf->args->elts;

    if (value->len > 4 && ngx_strncmp(value->data, "env:", 4) == 0) {
        env = getenv((char *) value->data + 4);

        if (env == NULL || *env == '\0') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\": the environment has no \"%s\" (a "
                               "binary upgrade keeps what nginx's \"env\" "
                               "names)", name, value->data + 4);
            return NGX_CONF_ERROR;
        }

        secret->len = ngx_strlen(env);
        secret->data = ngx_pnalloc(cf->pool, secret->len + 1);
        if (secret->data == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memcpy(secret->data, env, secret->len + 1);
        return NGX_CONF_OK;
    }

    if (value->len < 6 || ngx_strncmp(value->data, "file:", 5) != 0) {
        *secret = *value;
        return NGX_CONF_OK;
    }

    path.data = value->data + 5;
    path.len = value->len - 5;

    if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(path.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "\"%V\": " ngx_open_file_n " \"%V\" failed", name,
                           &path);
        return NGX_CONF_ERROR;
    }

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)
        || ngx_file_size(&fi) > NGX_MNTREAMER_SECRET_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\": \"%V\" is not a file of at most 64k", name,
                           &path);
        goto failed;
    }

    secret->data = ngx_pnalloc(cf->pool, NGX_MNTREAMER_SECRET_MAX + 1);
    if (secret->data == NULL) {
        goto failed;
    }

    n = ngx_read_fd(fd, secret->data, NGX_MNTREAMER_SECRET_MAX);

    if (n < 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "\"%V\": " ngx_read_fd_n " \"%V\" failed", name,
                           &path);
        goto failed;
    }

    while (n > 0 && secret->data[n - 1] <= ' ') {
        n--;
    }

    secret->data[n] = '\0';
    secret->len = n;

    (void) ngx_close_file(fd);
    return NGX_CONF_OK;

failed:

    (void) ngx_close_file(fd);
    return NGX_CONF_ERROR;
}
