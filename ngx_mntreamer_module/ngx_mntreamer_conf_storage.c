
/*
 * Copyright (C) the mntreamer authors
 */


/* Setters of mntreamer {} that say where and how recordings are stored. */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer.h"
#include "ngx_mntreamer_conf_internal.h"
#include "base/mnt_name.h"
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
ngx_mntreamer_conf_layout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    ngx_str_t   *value;
    const char  *why;

    if (mcf->recorder.layout.len) {
        return "is duplicate";
    }

    value = cf->args->elts;
    mcf->recorder.layout = value[1];

    why = mnt_layout_check(ngx_mntreamer_conf_text(&value[1]));
    if (why) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid layout \"%V\": %s",
                           &value[1], why);
        return NGX_CONF_ERROR;
    }

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


/* how long what was deleted can be brought back */

char *
ngx_mntreamer_conf_trash(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    time_t      s;
    ngx_str_t  *value;

    if (mcf->catalog.trash_s != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        mcf->catalog.trash_s = 0;
        return NGX_CONF_OK;
    }

    s = ngx_parse_time(&value[1], 1);

    if (s == (time_t) NGX_ERROR || s == 0 || s > NGX_MNTREAMER_KEEP_AGE_MAX) {
        return "must be \"off\" or a time such as 12h or 7d";
    }

    mcf->catalog.trash_s = s;

    return NGX_CONF_OK;
}


char *
ngx_mntreamer_conf_retention(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    char                  *err;
    ngx_str_t             *value;
    ngx_uint_t             i;
    ngx_mntreamer_keep_t  *keep;

    keep = &mcf->catalog.keep;

    if (keep->age_s >= 0 || keep->size >= 0 || keep->count >= 0) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        err = ngx_mntreamer_conf_keep(&value[i], keep);

        /* "off" is of streamers, which have something to switch off */

        if (err == NULL && keep->age_s == 0) {
            err = (char *) "must be a time such as 30d";
        }

        if (err) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "parameter \"%V\" of \"retention\" %s",
                               &value[i], err);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_mntreamer_conf_keep(ngx_str_t *option, ngx_mntreamer_keep_t *keep)
{
    off_t       size;
    time_t      age;
    ngx_int_t   n;
    ngx_str_t   v;
    int64_t    *rule;

    v.data = (u_char *) ngx_strchr(option->data, '=');

    if (v.data == NULL) {
        return "is not known";
    }

    v.data++;
    v.len = option->data + option->len - v.data;

    if (ngx_strncmp(option->data, "age=", 4) == 0) {
        rule = &keep->age_s;
        age = ngx_strcmp(v.data, "off") ? ngx_parse_time(&v, 1) : 0;

        if (age == (time_t) NGX_ERROR || age > NGX_MNTREAMER_KEEP_AGE_MAX
            || (age == 0 && ngx_strcmp(v.data, "off") != 0))
        {
            return "must be a time such as 30d";
        }

        n = age;

    } else if (ngx_strncmp(option->data, "size=", 5) == 0) {
        rule = &keep->size;
        size = ngx_parse_offset(&v);

        if (size == NGX_ERROR || size == 0) {
            return "must be a size such as 500g";
        }

        n = size;

    } else if (ngx_strncmp(option->data, "count=", 6) == 0) {
        rule = &keep->count;
        n = ngx_atoi(v.data, v.len);

        if (n == NGX_ERROR || n == 0) {
            return "must be a number of recordings, at least 1";
        }

    } else {
        return "is not known";
    }

    if (*rule >= 0) {
        return "is given twice";
    }

    *rule = n;

    return NULL;
}
