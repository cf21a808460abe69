
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The directives that name a platform: platform {} with what is in it, and
 * streamer.  Secrets are read here.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer.h"
#include "ngx_mntreamer_conf_internal.h"
#include "base/mnt_url.h"
#include "loop/ngx_mntreamer_secret.h"


#define NGX_MNTREAMER_PUSHED_RATE  1000       /* the database is asked */


static ngx_uint_t ngx_mntreamer_conf_authority(u_char *host);
static void ngx_mntreamer_conf_ladder(ngx_mntreamer_conf_t *mcf,
    ngx_array_t *renditions);


mnt_str_t
ngx_mntreamer_conf_text(ngx_str_t *s)
{
    mnt_str_t  t;

    t.data = (const char *) s->data;
    t.len = s->len;

    return t;
}


char *
ngx_mntreamer_conf_platforms(ngx_conf_t *cf, ngx_mntreamer_conf_t *mcf)
{
    unsigned                        i, n;
    const mnt_platform_t           *p;
    ngx_mntreamer_platform_conf_t  *pcf;

    n = mnt_platform_count();

    mcf->monitor.platforms = ngx_array_create(cf->pool, n,
                                        sizeof(ngx_mntreamer_platform_conf_t));
    mcf->catalog.streamers = ngx_array_create(cf->pool, 16,
                                        sizeof(ngx_mntreamer_streamer_conf_t));

    if (mcf->monitor.platforms == NULL || mcf->catalog.streamers == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 0; i < n; i++) {
        pcf = ngx_array_push(mcf->monitor.platforms);
        p = mnt_platform_at(i);

        ngx_memzero(pcf, sizeof(ngx_mntreamer_platform_conf_t));

        pcf->platform = p;
        pcf->rate = NGX_CONF_UNSET_UINT;
        pcf->thumbnail_ms = NGX_CONF_UNSET_MSEC;

        if (p->api) {
            pcf->api.data = (u_char *) p->api;
            pcf->api.len = ngx_strlen(p->api);
        }
    }

    return NGX_CONF_OK;
}


static ngx_mntreamer_platform_conf_t *
ngx_mntreamer_conf_platform_find(ngx_conf_t *cf, ngx_mntreamer_conf_t *mcf,
    ngx_str_t *name)
{
    ngx_uint_t                      i;
    const mnt_platform_t           *p;
    ngx_mntreamer_platform_conf_t  *pcf;

    p = mnt_platform_find(ngx_mntreamer_conf_text(name));
    pcf = mcf->monitor.platforms->elts;

    for (i = 0; p && i < mcf->monitor.platforms->nelts; i++) {
        if (pcf[i].platform == p) {
            return &pcf[i];
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "unknown platform \"%V\"", name);

    return NULL;
}


char *
ngx_mntreamer_conf_platform(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    char                           *rv;
    void                           *block[1], **ctx;
    ngx_str_t                      *value;
    ngx_conf_t                      save;
    ngx_mntreamer_platform_conf_t  *pcf;

    value = cf->args->elts;

    block[0] = ngx_mntreamer_conf_platform_find(cf, mcf, &value[1]);

    if (block[0] == NULL) {
        return NGX_CONF_ERROR;
    }

    pcf = block[0];

    ctx = block;

    save = *cf;
    cf->ctx = &ctx;
    cf->cmd_type = pcf->platform->pushed ? NGX_MNTREAMER_PUSHED_CONF
                                         : NGX_MNTREAMER_PLATFORM_CONF;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


/* as it stands in the row of a streamer */

static ngx_int_t
ngx_mntreamer_conf_streamer_keep(ngx_conf_t *cf,
    const ngx_mntreamer_keep_t *keep, ngx_str_t *text)
{
    u_char      *p;
    ngx_uint_t   i;

    static const char  *names[] = { "age", "size", "count" };

    const int64_t  rules[] = { keep->age_s, keep->size, keep->count };

    text->data = ngx_pnalloc(cf->pool, 3 * (NGX_INT64_LEN + 12));
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    p = text->data;

    for (i = 0; i < 3; i++) {
        if (rules[i] >= 0) {
            p = ngx_sprintf(p, "%c\"%s\": %L", p == text->data ? '{' : ',',
                            names[i], rules[i]);
        }
    }

    if (p > text->data) {
        *p++ = '}';
    }

    text->len = p - text->data;

    return NGX_OK;
}


static char *
ngx_mntreamer_conf_streamer_option(ngx_conf_t *cf, ngx_str_t *option,
    ngx_mntreamer_streamer_conf_t *st, ngx_mntreamer_keep_t *keep)
{
    ngx_int_t   n, sign;
    ngx_str_t   v;

    if (ngx_strncmp(option->data, "retention_", 10) == 0) {
        v.data = option->data + 10;
        v.len = option->len - 10;

        return ngx_mntreamer_conf_keep(&v, keep);
    }

    if (ngx_strncmp(option->data, "name=", 5) == 0) {
        st->name.data = option->data + 5;
        st->name.len = option->len - 5;

        if (!mnt_str_utf8(ngx_mntreamer_conf_text(&st->name))) {
            return "is not UTF-8";
        }

        return NULL;
    }

    if (ngx_strncmp(option->data, "quality=", 8) == 0) {
        st->quality.data = option->data + 8;
        st->quality.len = option->len - 8;

        return mnt_hls_quality_valid(ngx_mntreamer_conf_text(&st->quality))
               ? NULL : "is no quality such as best, worst, 1080p, 720p60";
    }

    if (ngx_strncmp(option->data, "priority=", 9) == 0) {
        v.data = option->data + 9;
        v.len = option->len - 9;
        sign = 1;

        if (v.len && v.data[0] == '-') {
            v.data++;
            v.len--;
            sign = -1;
        }

        n = ngx_atoi(v.data, v.len);

        if (n == NGX_ERROR || n > 1000) {
            return "must be from -1000 to 1000";
        }

        st->priority = sign * n;
        return NULL;
    }

    return "is not known";
}


char *
ngx_mntreamer_conf_streamer(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_conf_t *mcf = conf;

    int                             rc;
    char                           *err;
    ngx_str_t                      *value;
    ngx_uint_t                      i;
    mnt_str_t                       id;
    mnt_arena_t                     arena;
    const char                     *why;
    ngx_mntreamer_keep_t            keep = { -1, -1, -1 };
    ngx_mntreamer_streamer_conf_t  *st, *all;
    ngx_mntreamer_platform_conf_t  *pcf;

    value = cf->args->elts;

    pcf = ngx_mntreamer_conf_platform_find(cf, mcf, &value[1]);
    if (pcf == NULL) {
        return NGX_CONF_ERROR;
    }

    st = ngx_array_push(mcf->catalog.streamers);
    if (st == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(st, sizeof(ngx_mntreamer_streamer_conf_t));

    st->platform = pcf->platform->id;

    mnt_arena_init(&arena, 64 * 1024);

    rc = pcf->platform->channel(&arena, ngx_mntreamer_conf_text(&value[2]),
                                &id, &why);

    if (rc == 1) {
        why = "is a nickname, give the channel's id or address";
    }

    if (rc == 0) {
        st->channel_id.len = id.len;
        st->channel_id.data = ngx_pnalloc(cf->pool, id.len + 1);

        if (st->channel_id.data) {
            ngx_memcpy(st->channel_id.data, id.data, id.len);
            st->channel_id.data[id.len] = '\0';
        }
    }

    mnt_arena_free(&arena);

    if (rc != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid channel \"%V\" in \"streamer\": it %s",
                           &value[2], why);
        return NGX_CONF_ERROR;
    }

    if (st->channel_id.data == NULL) {
        return NGX_CONF_ERROR;
    }

    all = mcf->catalog.streamers->elts;

    for (i = 0; i + 1 < mcf->catalog.streamers->nelts; i++) {
        if (all[i].platform == st->platform
            && all[i].channel_id.len == st->channel_id.len
            && ngx_memcmp(all[i].channel_id.data, st->channel_id.data,
                          st->channel_id.len) == 0)
        {
            return "names a channel for the second time";
        }
    }

    for (i = 3; i < cf->args->nelts; i++) {
        err = ngx_mntreamer_conf_streamer_option(cf, &value[i], st, &keep);
        if (err) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "parameter \"%V\" of \"streamer\" %s",
                               &value[i], err);
            return NGX_CONF_ERROR;
        }
    }

    return (ngx_mntreamer_conf_streamer_keep(cf, &keep, &st->keep) == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_mntreamer_conf_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_platform_conf_t *pcf = conf;

    ngx_str_t  *value;
    mnt_url_t   u;

    if (pcf->platform->api == NULL) {
        return "is not for this platform";
    }

    if (pcf->api.data != (u_char *) pcf->platform->api) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (mnt_url_parse(ngx_mntreamer_conf_text(&value[1]), &u) != 0
        || u.has_query)
    {
        return "must be an http or https address without a query";
    }

    while (value[1].data[value[1].len - 1] == '/') {
        value[1].data[--value[1].len] = '\0';
    }

    pcf->api = value[1];

    return NGX_CONF_OK;
}


/* "none", or heights such as 480p */

char *
ngx_mntreamer_conf_renditions(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_platform_conf_t *pcf = conf;

    unsigned    *height;
    ngx_str_t   *value;
    ngx_uint_t   i, k, none;

    if (pcf->renditions) {
        return "is duplicate";
    }

    value = cf->args->elts;
    none = (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "none") == 0);

    if (cf->args->nelts - 1 > MNT_LADDER_MAX) {
        return "names too many";
    }

    pcf->renditions = ngx_array_create(cf->pool, MNT_LADDER_MAX,
                                       sizeof(unsigned));
    if (pcf->renditions == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts && !none; i++) {
        height = ngx_array_push(pcf->renditions);
        *height = mnt_ladder_height(ngx_mntreamer_conf_text(&value[i]));

        if (*height == 0) {
            return "knows \"none\", or some of 1080p 720p 480p 360p 240p 144p";
        }

        for (k = 1; k < i; k++) {
            if (ngx_strcmp(value[k].data, value[i].data) == 0) {
                return "names one twice";
            }
        }
    }

    return NGX_CONF_OK;
}


/* as nginx-rtmp has it */

char *
ngx_mntreamer_conf_hls_path(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_platform_conf_t *pcf = conf;

    ngx_str_t  *value;

    if (pcf->hls_path.len) {
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

    pcf->hls_path = value[1];

    return NGX_CONF_OK;
}


/* one line "name=value; name=value", lines of that, or a cookies.txt */

char *
ngx_mntreamer_conf_cookies(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_platform_conf_t *pcf = conf;

    char        *rv;
    u_char      *p, *last, *eol, *out, *tab, *name;
    ngx_str_t   *value, text, file;
    ngx_uint_t   tabs;

    if (pcf->cookies.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    file.len = value[1].len + 5;
    file.data = ngx_pnalloc(cf->pool, file.len + 1);
    if (file.data == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) ngx_sprintf(file.data, "file:%V%Z", &value[1]);

    rv = ngx_mntreamer_secret(cf, &file, &text);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    out = ngx_pnalloc(cf->pool, 2 * text.len + 1);
    if (out == NULL) {
        return NGX_CONF_ERROR;
    }

    pcf->cookies.data = out;
    p = text.data;
    last = text.data + text.len;

    for ( /* void */ ; p < last; p = eol + 1) {

        eol = ngx_strlchr(p, last, '\n');
        eol = eol ? eol : last;

        for (tab = p, name = p, tabs = 0; tab < eol; tab++) {
            if (*tab == '\t' && ++tabs == 5) {
                name = tab + 1;
            }
        }

        if (p == eol || *p == '\r'
            || (*p == '#' && ngx_strncmp(p, "#HttpOnly_", 10) != 0))
        {
            continue;
        }

        if (out != pcf->cookies.data) {
            out = ngx_cpymem(out, "; ", 2);
        }

        for ( /* void */ ; name < eol && *name != '\r'; name++) {
            if (*name != '\t' && (*name < 0x20 || *name == 0x7f)) {
                return "names a file with control characters";
            }

            *out++ = (*name == '\t') ? '=' : *name;
        }
    }

    pcf->cookies.len = out - pcf->cookies.data;

    if (pcf->cookies.len == 0) {
        return "names a file without cookies";
    }

    return NGX_CONF_OK;
}


char *
ngx_mntreamer_conf_user_agent(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_platform_conf_t *pcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    if (pcf->user_agent.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 0; i < value[1].len; i++) {
        if (value[1].data[i] < 0x20 || value[1].data[i] == 0x7f) {
            return "must not hold control characters";
        }
    }

    if (value[1].len == 0) {
        return "is empty";
    }

    pcf->user_agent = value[1];

    return NGX_CONF_OK;
}


char *
ngx_mntreamer_conf_quality(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_platform_conf_t *pcf = conf;

    ngx_str_t  *value;

    if (pcf->quality.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (!mnt_hls_quality_valid(ngx_mntreamer_conf_text(&value[1]))) {
        return "must be best, worst, audio, or a height such as 1080p or "
               "720p60";
    }

    pcf->quality = value[1];

    return NGX_CONF_OK;
}


/* off | time [width=number] */

char *
ngx_mntreamer_conf_thumbnail(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_mntreamer_platform_conf_t *pcf = conf;

    ngx_int_t   ms, width;
    ngx_str_t  *value;

    if (pcf->thumbnail_ms != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;
    width = 0;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        pcf->thumbnail_ms = 0;

        return cf->args->nelts == 2 ? NGX_CONF_OK
                                    : "has no parameter beside off";
    }

    ms = ngx_parse_time(&value[1], 0);

    if (ms == NGX_ERROR || ms < 1000 || ms > 3600 * 1000) {
        return "must be off or a time from 1s to 1h";
    }

    if (cf->args->nelts == 3) {

        if (ngx_strncmp(value[2].data, "width=", 6) == 0) {
            width = ngx_atoi(value[2].data + 6, value[2].len - 6);
        }

        if (width < 64 || width > 3840 || width % 2) {
            return "must have an even width from width=64 to width=3840";
        }
    }

    pcf->thumbnail_ms = (ngx_msec_t) ms;
    pcf->thumbnail_width = (ngx_uint_t) width;

    return NGX_CONF_OK;
}


char *
ngx_mntreamer_conf_proxy(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    size_t                     i, n;
    ngx_str_t                 *value, *proxy;

    static const char *const   schemes[] = {
        "http://", "https://", "socks5://", "socks5h://"
    };

    proxy = (ngx_str_t *) (p + cmd->offset);

    if (proxy->len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        n = ngx_strlen(schemes[i]);

        if (value[1].len > n && ngx_strncmp(value[1].data, schemes[i], n) == 0)
        {
            if (!ngx_mntreamer_conf_authority(value[1].data + n)) {
                return "must have a host and a port from 1 to 65535 such as "
                       "http://192.0.2.7:3128";
            }

            *proxy = value[1];
            return NGX_CONF_OK;
        }
    }

    return "must be an http, https, socks5 or socks5h address";
}


static void
ngx_mntreamer_conf_ladder(ngx_mntreamer_conf_t *mcf, ngx_array_t *renditions)
{
    ngx_uint_t   i;
    unsigned    *heights;

    if (renditions == NULL) {
        mcf->recorder.ladder[0] = 480;
        mcf->recorder.ladder[1] = 360;
        mcf->recorder.nladder = 2;
        return;
    }

    heights = renditions->elts;

    for (i = 0; i < renditions->nelts; i++) {
        mcf->recorder.ladder[i] = heights[i];
    }

    mcf->recorder.nladder = renditions->nelts;
}


void
ngx_mntreamer_conf_platform_defaults(ngx_mntreamer_conf_t *mcf)
{
    ngx_uint_t                      i;
    ngx_mntreamer_platform_conf_t  *pcf;

    pcf = mcf->monitor.platforms->elts;

    for (i = 0; i < mcf->monitor.platforms->nelts; i++) {
        ngx_conf_init_uint_value(pcf[i].rate, mcf->poll_rate);
        ngx_conf_init_msec_value(pcf[i].thumbnail_ms,
                                 pcf[i].platform->pushed ? 10000 : 0);

        if (pcf[i].thumbnail_width == 0) {
            pcf[i].thumbnail_width = 480;
        }

        if (pcf[i].quality.len == 0) {
            ngx_str_set(&pcf[i].quality, "best");
        }

        if (pcf[i].user_agent.len == 0) {
            ngx_str_set(&pcf[i].user_agent,
                        "Mozilla/5.0 (X11; Linux x86_64) mntreamer/"
                        NGX_MNTREAMER_VERSION);
        }

        if (pcf[i].platform->pushed) {
            pcf[i].rate = NGX_MNTREAMER_PUSHED_RATE;
            mcf->storage.live = pcf[i].hls_path;
            mcf->recorder.hls_path = pcf[i].hls_path;
            ngx_mntreamer_conf_ladder(mcf, pcf[i].renditions);
            mcf->catalog.followers = pcf[i].followers;
            continue;
        }

        /* polls of many streamers must not wait for each other */

        mcf->monitor.max_running = ngx_max(mcf->monitor.max_running,
                                           ngx_min(pcf[i].rate, 256));
    }
}


/* [user:password@]host[:port][/], of which the value is a terminated string */

static ngx_uint_t
ngx_mntreamer_conf_authority(u_char *host)
{
    u_char     *p, *end, *port;
    ngx_int_t   n;

    end = host + strcspn((char *) host, "/?#");

    for (p = host; p < end; p++) {
        if (*p == '@') {
            host = p + 1;
        }
    }

    p = host;

    if (*p == '[') {
        p = ngx_strlchr(p, end, ']');
        if (p == NULL) {
            return 0;
        }
    }

    port = ngx_strlchr(p, end, ':');

    if (port == NULL) {
        return end > host;
    }

    n = ngx_atoi(port + 1, end - port - 1);

    return port > host && n >= 1 && n <= 65535;
}
