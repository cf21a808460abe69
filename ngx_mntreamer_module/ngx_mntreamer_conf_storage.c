
/*
 * Copyright (C) the mntreamer authors
 */


/* Setters of mntreamer {} that say where and how recordings are stored. */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer.h"
#include "ngx_mntreamer_conf_internal.h"
#include "library/ngx_mntreamer_job.h"


static char *ngx_mntreamer_conf_sacrifice(ngx_conf_t *cf,
    ngx_mntreamer_conf_t *mcf);


char *
ngx_mntreamer_conf_storage(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    ngx_str_t  *value;

    if (mcf->storage.root.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0 || value[1].data[0] != '/') {
        return "must be an absolute path";
    }

    while (value[1].len > 1 && value[1].data[value[1].len - 1] == '/') {
        value[1].data[--value[1].len] = '\0';
    }

    if (value[1].len == 1) {
        return "must not be the root directory";
    }

    mcf->storage.root = value[1];

    return NGX_CONF_OK;
}


char *
ngx_mntreamer_conf_durability(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    ngx_int_t   ms;
    ngx_str_t  *value, s;

    if (mcf->storage.durability != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "segment") == 0) {
        mcf->storage.durability = NGX_MNTREAMER_DURABLE_SEGMENT;
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[1].data, "none") == 0) {
        mcf->storage.durability = NGX_MNTREAMER_DURABLE_NONE;
        return NGX_CONF_OK;
    }

    if (ngx_strncmp(value[1].data, "interval", 8) != 0
        || (value[1].len > 8 && value[1].data[8] != '='))
    {
        return "must be \"segment\", \"interval\", \"interval=TIME\" "
               "or \"none\"";
    }

    mcf->storage.durability = NGX_MNTREAMER_DURABLE_INTERVAL;
    mcf->storage.interval_ms = 5000;

    if (value[1].len > 8) {
        s.data = value[1].data + 9;
        s.len = value[1].len - 9;

        ms = ngx_parse_time(&s, 0);

        if (ms == NGX_ERROR || ms < 100 || ms > 600000) {
            return "takes an interval from 100ms to 10m";
        }

        mcf->storage.interval_ms = ms;
    }

    return NGX_CONF_OK;
}


/* a size, or a percentage of the file system */

char *
ngx_mntreamer_conf_reserve(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    off_t       size;
    ngx_int_t   n;
    ngx_str_t  *value, s;

    if (mcf->storage.reserve_unit != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    s = value[1];

    if (s.len > 1 && s.data[s.len - 1] == '%') {
        s.len--;
        n = ngx_atoi(s.data, s.len);

        if (n == NGX_ERROR || n > 90) {
            return "must be a size or from 0% to 90%";
        }

        mcf->storage.reserve_unit = NGX_MNTREAMER_RESERVE_PERCENT;
        mcf->storage.reserve = n;

    } else {
        size = ngx_parse_offset(&s);

        if (size == NGX_ERROR) {
            return "must be a size or from 0% to 90%";
        }

        mcf->storage.reserve_unit = NGX_MNTREAMER_RESERVE_BYTES;
        mcf->storage.reserve = size;
    }

    return ngx_mntreamer_conf_sacrifice(cf, mcf);
}


/* "pause" or "delete_oldest [age=time]" behind the size */

static char *
ngx_mntreamer_conf_sacrifice(ngx_conf_t *cf, ngx_mntreamer_conf_t *mcf)
{
    time_t      age;
    ngx_str_t  *value, s;

    value = cf->args->elts;

    if (cf->args->nelts == 2
        || (cf->args->nelts == 3 && ngx_strcmp(value[2].data, "pause") == 0))
    {
        return NGX_CONF_OK;
    }

    if (ngx_strcmp(value[2].data, "delete_oldest") != 0) {
        return "knows \"pause\" and \"delete_oldest [age=TIME]\" only";
    }

    mcf->delete_oldest = 1;
    mcf->delete_age_s = 24 * 60 * 60;

    if (cf->args->nelts == 4) {
        if (ngx_strncmp(value[3].data, "age=", 4) != 0) {
            return "knows \"pause\" and \"delete_oldest [age=TIME]\" only";
        }

        s.data = value[3].data + 4;
        s.len = value[3].len - 4;

        age = ngx_parse_time(&s, 1);

        if (age == (time_t) NGX_ERROR) {
            return "has no such age";
        }

        mcf->delete_age_s = age;
    }

    return NGX_CONF_OK;
}


/* so many at once, or none */

char *
ngx_mntreamer_conf_jobs(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    if (mcf->jobs != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        mcf->jobs = 0;
        return NGX_CONF_OK;
    }

    n = ngx_atoi(value[1].data, value[1].len);

    if (n < 1 || n > NGX_MNTREAMER_JOBS_MAX) {
        return "must be \"off\" or from 1 to 8";
    }

    mcf->jobs = n;

    return NGX_CONF_OK;
}
