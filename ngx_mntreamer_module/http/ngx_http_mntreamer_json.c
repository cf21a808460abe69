
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_TEXT_FIRST  1024


static u_char *ngx_http_mntreamer_text_room(ngx_http_mntreamer_text_t *t,
    size_t len);
static size_t ngx_http_mntreamer_utf8(const u_char *p, size_t len);


static u_char *
ngx_http_mntreamer_text_room(ngx_http_mntreamer_text_t *t, size_t len)
{
    size_t   used, size;
    u_char  *p;

    if (t->failed) {
        return NULL;
    }

    if ((size_t) (t->end - t->last) >= len) {
        return t->last;
    }

    used = t->last - t->start;
    size = t->end - t->start;
    size = size ? 2 * size : NGX_HTTP_MNTREAMER_TEXT_FIRST;

    if (size < used + len) {
        size = used + len;
    }

    p = ngx_pnalloc(t->pool, size);
    if (p == NULL) {
        t->failed = 1;
        return NULL;
    }

    if (t->start) {
        ngx_memcpy(p, t->start, used);
        (void) ngx_pfree(t->pool, t->start);
    }

    t->start = p;
    t->last = p + used;
    t->end = p + size;

    return t->last;
}


void
ngx_http_mntreamer_text_raw(ngx_http_mntreamer_text_t *t, const u_char *p,
    size_t len)
{
    u_char  *to;

    to = ngx_http_mntreamer_text_room(t, len);

    if (to && len) {
        t->last = ngx_cpymem(to, p, len);
    }
}


void
ngx_http_mntreamer_text(ngx_http_mntreamer_text_t *t, const char *s)
{
    ngx_http_mntreamer_text_raw(t, (const u_char *) s, ngx_strlen(s));
}


void
ngx_http_mntreamer_text_i64(ngx_http_mntreamer_text_t *t, int64_t n)
{
    u_char  buf[NGX_INT64_LEN + 1], *last;

    last = ngx_sprintf(buf, "%L", n);

    ngx_http_mntreamer_text_raw(t, buf, last - buf);
}


/* these bytes stand in JSON only inside of strings */

void
ngx_http_mntreamer_text_json(ngx_http_mntreamer_text_t *t, ngx_str_t *json)
{
    size_t        n;
    u_char       *p, *last, *from;
    const char   *escaped;

    p = json->data;
    last = p + json->len;
    from = p;

    for ( /* void */ ; p < last; p += n) {

        n = 1;
        escaped = NULL;

        switch (*p) {

        case '<':
            escaped = "\\u003c";
            break;

        case '>':
            escaped = "\\u003e";
            break;

        case '&':
            escaped = "\\u0026";
            break;

        case 0xe2:
            if (last - p >= 3 && p[1] == 0x80
                && (p[2] == 0xa8 || p[2] == 0xa9))
            {
                n = 3;
                escaped = (p[2] == 0xa8) ? "\\u2028" : "\\u2029";
            }

            break;

        default:
            break;
        }

        if (escaped) {
            ngx_http_mntreamer_text_raw(t, from, p - from);
            ngx_http_mntreamer_text(t, escaped);
            from = p + n;
        }
    }

    ngx_http_mntreamer_text_raw(t, from, last - from);
}


/* bytes of the well-formed code point in front, 0: it is none */

static size_t
ngx_http_mntreamer_utf8(const u_char *p, size_t len)
{
    size_t     n;
    mnt_str_t  s;

    n = (*p < 0xe0) ? 2 : (*p < 0xf0) ? 3 : 4;

    if (*p < 0xc2 || n > len) {
        return 0;
    }

    s.data = (const char *) p;
    s.len = n;

    return mnt_str_utf8(s) ? n : 0;
}


void
ngx_http_mntreamer_text_string(ngx_http_mntreamer_text_t *t, ngx_str_t *s)
{
    size_t     n;
    u_char    *p, *last, buf[sizeof("\\u0000")];
    ngx_str_t  piece;

    ngx_http_mntreamer_text(t, "\"");

    p = s->data;
    last = p + s->len;

    for ( /* void */ ; p < last; p += n) {

        n = 1;

        if (*p >= 0x80) {
            n = ngx_http_mntreamer_utf8(p, last - p);

            if (n == 0) {
                ngx_http_mntreamer_text(t, "\xef\xbf\xbd");
                n = 1;
                continue;
            }

        } else if (*p < 0x20 || *p == 0x7f) {
            (void) ngx_snprintf(buf, sizeof(buf), "\\u%04xd%Z",
                                (ngx_int_t) *p);
            ngx_http_mntreamer_text(t, (char *) buf);
            continue;

        } else if (*p == '"' || *p == '\\') {
            ngx_http_mntreamer_text(t, "\\");
            ngx_http_mntreamer_text_raw(t, p, 1);
            continue;
        }

        piece.data = p;
        piece.len = n;

        ngx_http_mntreamer_text_json(t, &piece);
    }

    ngx_http_mntreamer_text(t, "\"");
}


ngx_int_t
ngx_http_mntreamer_send_json(ngx_http_request_t *r, ngx_uint_t status,
    ngx_http_mntreamer_text_t *t)
{
    ngx_int_t                  rc;
    ngx_buf_t                 *b;
    ngx_chain_t                out;
    ngx_http_mntreamer_ctx_t  *ctx;

    static ngx_str_t  no_store = ngx_string("no-store");
    static ngx_str_t  nosniff = ngx_string("nosniff");

    ctx = ngx_http_mntreamer_ctx(r);

    if (t->failed || ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_mntreamer_cache_control(r, &no_store) != NGX_OK
        || ngx_http_mntreamer_header(r, "X-Content-Type-Options", &nosniff)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->ours = 1;

    /* an answer without having read the body, as nginx's own errors do it */

    r->expect_tested = 1;

    if (ngx_http_discard_request_body(r) != NGX_OK) {
        r->keepalive = 0;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = t->last - t->start;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->pos = t->start;
    b->last = t->last;
    b->memory = 1;
    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}
