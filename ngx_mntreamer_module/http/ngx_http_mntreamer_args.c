
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "../base/mnt_date.h"
#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_ARG_MAX      2048   /* bytes of a value, encoded */
#define NGX_HTTP_MNTREAMER_LIMIT        50
#define NGX_HTTP_MNTREAMER_LIMIT_MAX    500
#define NGX_HTTP_MNTREAMER_STARTED_MAX  40     /* bytes of the cursor's time */


static const char *ngx_http_mntreamer_arg_decode(ngx_http_request_t *r,
    ngx_str_t *encoded, ngx_str_t *value);
static ngx_int_t ngx_http_mntreamer_arg_failed(ngx_http_request_t *r,
    ngx_http_mntreamer_error_t *err, ngx_uint_t code, ngx_str_t *name,
    const char *why);


ngx_int_t
ngx_http_mntreamer_args(ngx_http_request_t *r,
    const ngx_http_mntreamer_param_t *params, ngx_str_t *slots,
    ngx_http_mntreamer_error_t *err)
{
    u_char                            *p, *last, *eq, *amp;
    uint64_t                           seen;
    ngx_str_t                          name, value, encoded;
    ngx_uint_t                         i;
    const char                        *why;
    const ngx_http_mntreamer_param_t  *param;

    seen = 0;
    p = r->args.data;
    last = p + r->args.len;

    for ( /* void */ ; p < last; p = amp + 1) {

        amp = ngx_strlchr(p, last, '&');
        amp = amp ? amp : last;

        if (p == amp) {
            continue;
        }

        eq = ngx_strlchr(p, amp, '=');
        eq = eq ? eq : amp;

        name.data = p;
        name.len = eq - p;

        encoded.data = (eq < amp) ? eq + 1 : amp;
        encoded.len = amp - encoded.data;

        for (i = 0; params && params[i].name; i++) {
            if (name.len == ngx_strlen(params[i].name)
                && ngx_memcmp(name.data, params[i].name, name.len) == 0)
            {
                break;
            }
        }

        if (params == NULL || params[i].name == NULL) {
            return ngx_http_mntreamer_arg_failed(r, err,
                                 NGX_HTTP_MNTREAMER_E_UNKNOWN_PARAMETER,
                                 &name, NULL);
        }

        param = &params[i];

        why = (seen & (uint64_t) 1 << i) ? "is given twice"
              : ngx_http_mntreamer_arg_decode(r, &encoded, &value);

        seen |= (uint64_t) 1 << i;

        if (why == NULL) {
            why = param->parse(r, &value, &slots[param->slot], param->post);
        }

        if (why) {
            return ngx_http_mntreamer_arg_failed(r, err,
                                 NGX_HTTP_MNTREAMER_E_BAD_PARAMETER, &name,
                                 why);
        }
    }

    return NGX_OK;
}


/* the name is quoted by the answer's escaping, shortened here */

static ngx_int_t
ngx_http_mntreamer_arg_failed(ngx_http_request_t *r,
    ngx_http_mntreamer_error_t *err, ngx_uint_t code, ngx_str_t *name,
    const char *why)
{
    size_t  size;

    ngx_http_mntreamer_error_set(err, code, NULL, NULL);

    err->field = *name;
    err->field.len = ngx_min(name->len, 64);

    size = err->field.len + 128;

    err->description.data = ngx_pnalloc(r->pool, size);

    if (err->description.data) {
        err->description.len = (why
                      ? ngx_snprintf(err->description.data, size,
                                     "parameter \"%V\" %s", &err->field, why)
                      : ngx_snprintf(err->description.data, size,
                                     "there is no parameter \"%V\"",
                                     &err->field))
                 - err->description.data;
    }

    return NGX_DECLINED;
}


static const char *
ngx_http_mntreamer_arg_decode(ngx_http_request_t *r, ngx_str_t *encoded,
    ngx_str_t *value)
{
    u_char     *p, *to, *last;
    ngx_int_t   c;
    mnt_str_t   s;

    if (encoded->len > NGX_HTTP_MNTREAMER_ARG_MAX) {
        return "is too long";
    }

    to = ngx_pnalloc(r->pool, encoded->len + 1);
    if (to == NULL) {
        return "did not fit into memory";
    }

    value->data = to;

    p = encoded->data;
    last = p + encoded->len;

    for ( /* void */ ; p < last; p++) {

        if (*p == '+') {
            *to++ = ' ';
            continue;
        }

        if (*p != '%') {
            *to++ = *p;
            continue;
        }

        c = (last - p > 2) ? ngx_hextoi(p + 1, 2) : NGX_ERROR;

        if (c == NGX_ERROR) {
            return "is badly encoded";
        }

        *to++ = (u_char) c;
        p += 2;
    }

    *to = '\0';
    value->len = to - value->data;

    s.data = (char *) value->data;
    s.len = value->len;

    if (ngx_strlen(value->data) != value->len || !mnt_str_utf8(s)) {
        return "is not text in UTF-8";
    }

    return NULL;
}


const char *
ngx_http_mntreamer_arg_text(ngx_http_request_t *r, ngx_str_t *value,
    ngx_str_t *slot, const void *post)
{
    if (value->len == 0) {
        return "is empty";
    }

    *slot = *value;

    return NULL;
}


const char *
ngx_http_mntreamer_arg_platform(ngx_http_request_t *r, ngx_str_t *value,
    ngx_str_t *slot, const void *post)
{
    mnt_str_t              s;
    const mnt_platform_t  *p;

    s.data = (char *) value->data;
    s.len = value->len;

    p = mnt_platform_find(s);

    if (p == NULL) {
        return "names no platform";
    }

    return (ngx_http_mntreamer_number(r, p->id, slot) == NGX_OK)
           ? NULL : "did not fit into memory";
}


int64_t
ngx_http_mntreamer_id(ngx_str_t *text)
{
    int64_t    id;
    mnt_str_t  s;

    s.data = (char *) text->data;
    s.len = text->len;

    if (s.len == 0 || s.data[0] < '1' || s.data[0] > '9'
        || mnt_str_i64(s, &id) != 0)
    {
        return 0;
    }

    return id;
}


const char *
ngx_http_mntreamer_arg_id(ngx_http_request_t *r, ngx_str_t *value,
    ngx_str_t *slot, const void *post)
{
    if (ngx_http_mntreamer_id(value) == 0) {
        return "is no id";
    }

    *slot = *value;

    return NULL;
}


const char *
ngx_http_mntreamer_arg_number(ngx_http_request_t *r, ngx_str_t *value,
    ngx_str_t *slot, const void *post)
{
    int64_t         n;
    const int64_t  *max;

    max = post;
    n = ngx_http_mntreamer_id(value);

    if (n == 0) {
        return "must be a number, at least 1";
    }

    if (n > *max) {
        return "is too large";
    }

    *slot = *value;

    return NULL;
}


const char *
ngx_http_mntreamer_arg_limit(ngx_http_request_t *r, ngx_str_t *value,
    ngx_str_t *slot, const void *post)
{
    int64_t  n;

    n = ngx_http_mntreamer_id(value);

    if (n == 0 || n > NGX_HTTP_MNTREAMER_LIMIT_MAX) {
        return "must be from 1 to 500";
    }

    *slot = *value;

    return NULL;
}


ngx_uint_t
ngx_http_mntreamer_limit(ngx_http_request_t *r, ngx_str_t *slot)
{
    ngx_uint_t  limit;

    limit = slot->len ? (ngx_uint_t) ngx_http_mntreamer_id(slot)
                      : NGX_HTTP_MNTREAMER_LIMIT;

    return (ngx_http_mntreamer_number(r, (int64_t) limit + 1, slot) == NGX_OK)
           ? limit : 0;
}


const char *
ngx_http_mntreamer_arg_date(ngx_http_request_t *r, ngx_str_t *value,
    ngx_str_t *slot, const void *post)
{
    int        zone;
    int64_t    ms;
    mnt_str_t  s;

    s.data = (char *) value->data;
    s.len = value->len;

    ms = mnt_date_parse(s, 0, &zone);

    if (ms == MNT_DATE_NONE) {
        return "must be a time such as 2026-09-27T08:52:05Z";
    }

    slot->data = ngx_pnalloc(r->pool, MNT_DATE_LEN + 1);
    if (slot->data == NULL) {
        return "did not fit into memory";
    }

    slot->len = mnt_date_write(ms, (char *) slot->data, MNT_DATE_LEN + 1);

    return NULL;
}


const char *
ngx_http_mntreamer_arg_word(ngx_http_request_t *r, ngx_str_t *value,
    ngx_str_t *slot, const void *post)
{
    const char *const *word = post;

    for ( /* void */ ; *word; word++) {
        if (value->len == ngx_strlen(*word)
            && ngx_memcmp(value->data, *word, value->len) == 0)
        {
            *slot = *value;
            return NULL;
        }
    }

    return "is not one of its words";
}


void
ngx_http_mntreamer_cursor(ngx_http_mntreamer_text_t *t, ngx_str_t *started,
    ngx_str_t *id)
{
    u_char     plain[NGX_HTTP_MNTREAMER_STARTED_MAX + NGX_INT64_LEN + 2];
    u_char     encoded[2 * sizeof(plain)];
    ngx_str_t  from, to;

    from.data = plain;
    from.len = ngx_snprintf(plain, sizeof(plain), "%V|%V", started, id)
               - plain;
    to.data = encoded;

    ngx_encode_base64url(&to, &from);

    ngx_http_mntreamer_text(t, "\"");
    ngx_http_mntreamer_text_raw(t, to.data, to.len);
    ngx_http_mntreamer_text(t, "\"");
}


const char *
ngx_http_mntreamer_arg_cursor(ngx_http_request_t *r, ngx_str_t *value,
    ngx_str_t *slot, const void *post)
{
    u_char     *bar;
    size_t      i;
    ngx_str_t   plain;

    plain.data = ngx_pnalloc(r->pool, ngx_base64_decoded_length(value->len)
                                      + 1);

    if (plain.data == NULL || ngx_decode_base64url(&plain, value) != NGX_OK) {
        return "is no cursor of an earlier answer";
    }

    bar = ngx_strlchr(plain.data, plain.data + plain.len, '|');

    if (bar == NULL || bar == plain.data
        || bar - plain.data > NGX_HTTP_MNTREAMER_STARTED_MAX)
    {
        return "is no cursor of an earlier answer";
    }

    slot[0].data = plain.data;
    slot[0].len = bar - plain.data;

    slot[1].data = bar + 1;
    slot[1].len = plain.len - slot[0].len - 1;

    for (i = 0; i < slot[0].len; i++) {
        if (ngx_strlchr((u_char *) "0123456789-:.+TZ ",
                        (u_char *) "0123456789-:.+TZ " + 17,
                        slot[0].data[i])
            == NULL)
        {
            return "is no cursor of an earlier answer";
        }
    }

    if (ngx_http_mntreamer_id(&slot[1]) == 0) {
        return "is no cursor of an earlier answer";
    }

    return NULL;
}
