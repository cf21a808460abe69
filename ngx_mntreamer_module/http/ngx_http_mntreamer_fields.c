
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "../hls/mnt_hls.h"
#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_PRIORITY_MAX  1000
#define NGX_HTTP_MNTREAMER_NICKNAME_MAX  100   /* code points */
#define NGX_HTTP_MNTREAMER_FIELD_SHOWN   64    /* bytes of a wrong name */
#define NGX_HTTP_MNTREAMER_RULES         3


typedef struct {
    const char  *name;
    size_t       max;                         /* bytes */
    ngx_uint_t   lines;                       /* may hold line feeds */
    const char  *why;
} ngx_http_mntreamer_title_t;


typedef struct {
    const char  *name;
    int64_t      min;
    int64_t      max;
} ngx_http_mntreamer_rule_t;


static ngx_uint_t ngx_http_mntreamer_is_clean(ngx_str_t *s,
    ngx_uint_t lines, ngx_uint_t *points);


/* ages are seconds */

static const ngx_http_mntreamer_rule_t
    ngx_http_mntreamer_rules[NGX_HTTP_MNTREAMER_RULES] =
{
    { "age", 0, NGX_MNTREAMER_KEEP_AGE_MAX },
    { "size", 1, INT64_MAX },
    { "count", 1, INT64_MAX }
};

/* the slots of ngx_http_mntreamer_field_titles(); conf/sql/016 has the limits
   too */

static const ngx_http_mntreamer_title_t
    ngx_http_mntreamer_titles[NGX_HTTP_MNTREAMER_TITLES] =
{
    { "title", 300, 0,
      "must be at most 300 bytes of UTF-8 (100 letters of Korean), on one"
      " line, none of them a control character" },

    { "description", 2000, 1,
      "must be at most 2000 bytes of UTF-8 (666 letters of Korean), none of"
      " them a control character but line feeds" },

    { "category", 100, 0,
      "must be at most 100 bytes of UTF-8 (33 letters of Korean), on one"
      " line, none of them a control character" }
};


ngx_int_t
ngx_http_mntreamer_fields_known(json_t *json, const char *const *names,
    ngx_pool_t *pool, ngx_http_mntreamer_error_t *err)
{
    json_t      *value;
    mnt_str_t    s;
    ngx_uint_t   i;
    const char  *key;

    json_object_foreach(json, key, value) {

        for (i = 0; names[i]; i++) {
            if (ngx_strcmp(key, names[i]) == 0) {
                break;
            }
        }

        if (names[i]) {
            continue;
        }

        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_UNKNOWN_FIELD,
                                     NULL, NULL);

        s = mnt_str_utf8_cut(mnt_str_c(key), NGX_HTTP_MNTREAMER_FIELD_SHOWN);

        err->field.data = ngx_pnalloc(pool, s.len + 1);

        if (err->field.data) {
            ngx_memcpy(err->field.data, s.data, s.len);
            err->field.len = s.len;
        }

        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_mntreamer_field_text(json_t *json, const char *name, ngx_str_t *slot,
    ngx_http_mntreamer_error_t *err)
{
    json_t  *v;

    v = json_object_get(json, name);

    if (v == NULL || json_is_null(v)) {
        return NGX_OK;
    }

    if (!json_is_string(v)) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD, name,
                                     "a text is expected");
        return NGX_DECLINED;
    }

    slot->data = (u_char *) json_string_value(v);
    slot->len = json_string_length(v);

    return NGX_OK;
}


ngx_int_t
ngx_http_mntreamer_field_quality(json_t *json, const char *name,
    ngx_str_t *slot, ngx_http_mntreamer_error_t *err)
{
    mnt_str_t  s;

    if (ngx_http_mntreamer_field_text(json, name, slot, err) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (slot->len == 0) {
        return NGX_OK;
    }

    s.data = (char *) slot->data;
    s.len = slot->len;

    if (!mnt_hls_quality_valid(s)) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD, name,
                                     "must be best, worst, audio, or a height"
                                     " such as 1080p or 720p60");
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * No controls of ASCII, nor U+0080 to U+009F, nor the separators U+2028 and
 * U+2029; the text is UTF-8.
 */

static ngx_uint_t
ngx_http_mntreamer_is_clean(ngx_str_t *s, ngx_uint_t lines, ngx_uint_t *points)
{
    size_t  i;
    u_char  c;

    *points = 0;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if ((c < 0x20 && !(c == '\n' && lines)) || c == 0x7f
            || (c == 0xc2 && i + 1 < s->len && s->data[i + 1] < 0xa0)
            || (c == 0xe2 && i + 2 < s->len && s->data[i + 1] == 0x80
                && (s->data[i + 2] & 0xfe) == 0xa8))
        {
            return 0;
        }

        if ((c & 0xc0) != 0x80) {
            (*points)++;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_mntreamer_field_nickname(json_t *json, const char *name,
    ngx_str_t *slot, ngx_http_mntreamer_error_t *err)
{
    ngx_uint_t  points;

    if (ngx_http_mntreamer_field_text(json, name, slot, err) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (slot->data
        && (!ngx_http_mntreamer_is_clean(slot, 0, &points)
            || points > NGX_HTTP_MNTREAMER_NICKNAME_MAX))
    {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD, name,
                                     "must have at most 100 characters, none"
                                     " of them a control character");
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_mntreamer_field_priority(ngx_http_request_t *r, json_t *json,
    ngx_str_t *slot, ngx_http_mntreamer_error_t *err)
{
    json_t   *v;
    int64_t   n;

    v = json_object_get(json, "priority");

    if (v == NULL) {
        return NGX_OK;
    }

    n = json_is_integer(v) ? (int64_t) json_integer_value(v)
                           : NGX_HTTP_MNTREAMER_PRIORITY_MAX + 1;

    if (n > NGX_HTTP_MNTREAMER_PRIORITY_MAX
        || n < -NGX_HTTP_MNTREAMER_PRIORITY_MAX)
    {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD,
                                     "priority",
                                     "must be an integer from -1000 to 1000");
        return NGX_DECLINED;
    }

    if (ngx_http_mntreamer_number(r, n, slot) != NGX_OK) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_INTERNAL, NULL,
                                     NULL);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/*
 * The text of an object for the row; null: an empty text, which resets.  It is
 * written anew, of what is known, so that nothing else gets there.
 */

ngx_int_t
ngx_http_mntreamer_field_retention(ngx_http_request_t *r, json_t *json,
    ngx_str_t *slot, ngx_http_mntreamer_error_t *err)
{
    u_char      *p;
    json_t      *v, *rule;
    size_t       known;
    ngx_uint_t   i;

    v = json_object_get(json, "retention");

    if (v == NULL) {
        return NGX_OK;
    }

    if (json_is_null(v)) {
        ngx_str_set(slot, "");
        return NGX_OK;
    }

    slot->data = ngx_pnalloc(r->pool, NGX_HTTP_MNTREAMER_RULES
                                      * (NGX_INT64_LEN + 12) + 2);
    if (slot->data == NULL) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_INTERNAL, NULL,
                                     NULL);
        return NGX_DECLINED;
    }

    known = 0;
    p = slot->data;
    *p++ = '{';

    for (i = 0; i < NGX_HTTP_MNTREAMER_RULES; i++) {
        rule = json_object_get(v, ngx_http_mntreamer_rules[i].name);

        if (rule == NULL) {
            continue;
        }

        known++;

        if (json_is_null(rule)) {
            continue;
        }

        if (!json_is_integer(rule)
            || json_integer_value(rule) < ngx_http_mntreamer_rules[i].min
            || json_integer_value(rule) > ngx_http_mntreamer_rules[i].max)
        {
            break;
        }

        p = ngx_sprintf(p, "%s\"%s\": %L", p == slot->data + 1 ? "" : ", ",
                        ngx_http_mntreamer_rules[i].name,
                        (int64_t) json_integer_value(rule));
    }

    if (i < NGX_HTTP_MNTREAMER_RULES || known != json_object_size(v)
        || known == 0)
    {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD,
                                     "retention",
                                     "must be null or an object with \"age\""
                                     " (seconds, 0: never), \"size\" (bytes)"
                                     " and \"count\", each at least 1 or"
                                     " null");
        return NGX_DECLINED;
    }

    *p++ = '}';
    slot->len = p - slot->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_mntreamer_field_flag(json_t *json, const char *name,
    ngx_str_t *slot, ngx_http_mntreamer_error_t *err)
{
    json_t  *v;

    v = json_object_get(json, name);

    if (v == NULL) {
        return NGX_OK;
    }

    if (!json_is_boolean(v)) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD, name,
                                     "must be true or false");
        return NGX_DECLINED;
    }

    if (json_is_true(v)) {
        ngx_str_set(slot, "true");

    } else {
        ngx_str_set(slot, "false");
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_mntreamer_field_titles(json_t *json, ngx_str_t *slots,
    ngx_http_mntreamer_error_t *err)
{
    ngx_uint_t                         i, points;
    const ngx_http_mntreamer_title_t  *t;

    for (i = 0; i < NGX_HTTP_MNTREAMER_TITLES; i++) {
        t = &ngx_http_mntreamer_titles[i];

        if (json_is_null(json_object_get(json, t->name))) {
            ngx_str_set(&slots[i], "");
            continue;
        }

        if (ngx_http_mntreamer_field_text(json, t->name, &slots[i], err)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        if (slots[i].len > t->max
            || !ngx_http_mntreamer_is_clean(&slots[i], t->lines, &points))
        {
            ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD,
                                         t->name, t->why);
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_mntreamer_field_titles_foreign(const ngx_str_t *slots,
    ngx_http_mntreamer_error_t *err)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_MNTREAMER_TITLES; i++) {

        if (slots[i].data) {
            ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_CONFLICT,
                                         ngx_http_mntreamer_titles[i].name,
                                         "of this streamer it comes from its"
                                         " platform");
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}
