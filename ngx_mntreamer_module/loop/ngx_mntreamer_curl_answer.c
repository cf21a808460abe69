
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_curl_internal.h"


#define NGX_MNTREAMER_CURL_HEADER_MAX  65536
#define NGX_MNTREAMER_CURL_BODY_MIN    4096


static size_t ngx_mntreamer_curl_answer_refuse(ngx_mntreamer_transfer_t *tr,
    ngx_uint_t verdict);
static void ngx_mntreamer_curl_answer_status(ngx_mntreamer_transfer_t *tr,
    u_char *p, size_t len);
static void ngx_mntreamer_curl_answer_line(ngx_mntreamer_transfer_t *tr,
    u_char *p, size_t len);
static void ngx_mntreamer_curl_answer_range(ngx_mntreamer_answer_t *a,
    const ngx_str_t *value);
static ngx_uint_t ngx_mntreamer_curl_answer_moves(
    ngx_mntreamer_transfer_t *tr);
static void ngx_mntreamer_curl_answer_copy(ngx_str_t *dst, u_char *buf,
    size_t size, const ngx_str_t *value);
static ngx_int_t ngx_mntreamer_curl_answer_gather(
    ngx_mntreamer_transfer_t *tr, u_char *p, size_t len);
static void ngx_mntreamer_curl_answer_length(ngx_mntreamer_transfer_t *tr,
    const ngx_str_t *value);
static ngx_uint_t ngx_mntreamer_curl_answer_rc(CURLcode result);


void
ngx_mntreamer_curl_answer_init(ngx_mntreamer_transfer_t *tr)
{
    ngx_memzero(&tr->answer, sizeof(ngx_mntreamer_answer_t));

    tr->answer.content_length = -1;
    tr->answer.range_start = -1;

    tr->verdict = 0;
    tr->header_bytes = 0;
    tr->size = 0;
    tr->moving = 0;
    tr->https = 0;
    tr->location = 0;
}


/* called by libcurl with one whole line, of each hop's answer */

size_t
ngx_mntreamer_curl_answer_header(char *p, size_t size, size_t n, void *data)
{
    size_t                     len;
    u_char                    *line;
    ngx_mntreamer_answer_t    *a;
    ngx_mntreamer_transfer_t  *tr = data;

    a = &tr->answer;
    len = size * n;
    line = (u_char *) p;

    tr->progress = ngx_current_msec;
    tr->header_bytes += len;

    if (tr->header_bytes > NGX_MNTREAMER_CURL_HEADER_MAX) {
        return ngx_mntreamer_curl_answer_refuse(tr,
                                           NGX_MNTREAMER_TRANSFER_TOO_LARGE);
    }

    if (a->received) {
        return len;                           /* a trailer */
    }

    while (len && (line[len - 1] == LF || line[len - 1] == CR)) {
        len--;
    }

    if (len == 0) {
        if (a->content_length > tr->max_bytes
            && a->http >= 200 && !ngx_mntreamer_curl_answer_moves(tr))
        {
            return ngx_mntreamer_curl_answer_refuse(tr,
                                           NGX_MNTREAMER_TRANSFER_TOO_LARGE);
        }

    } else if (len >= 12 && ngx_strncmp(line, "HTTP/", 5) == 0) {
        ngx_mntreamer_curl_answer_status(tr, line, len);

    } else {
        ngx_mntreamer_curl_answer_line(tr, line, len);

        if (tr->verdict) {
            return 0;
        }
    }

    return size * n;
}


static size_t
ngx_mntreamer_curl_answer_refuse(ngx_mntreamer_transfer_t *tr,
    ngx_uint_t verdict)
{
    tr->verdict = verdict;

    return 0;
}


static void
ngx_mntreamer_curl_answer_status(ngx_mntreamer_transfer_t *tr, u_char *p,
    size_t len)
{
    u_char                  *last, *sp;
    ngx_int_t                status;
    ngx_mntreamer_answer_t  *a;

    a = &tr->answer;
    last = p + len;

    sp = ngx_strlchr(p, last, ' ');
    status = (sp && last - sp > 3) ? ngx_atoi(sp + 1, 3) : NGX_ERROR;

    a->http = (status >= 200) ? (ngx_uint_t) status : 0;
    a->content_length = -1;
    a->range_start = -1;
    a->range_length = 0;
    a->encoded = 0;
    a->content_type.len = 0;
    a->retry_after.len = 0;

    tr->location = 0;
}


static void
ngx_mntreamer_curl_answer_line(ngx_mntreamer_transfer_t *tr, u_char *p,
    size_t len)
{
    u_char                  *colon, *last;
    ngx_str_t                name, value;
    ngx_mntreamer_answer_t  *a;

    a = &tr->answer;
    last = p + len;

    colon = ngx_strlchr(p, last, ':');
    if (colon == NULL) {
        return;
    }

    name.data = p;
    name.len = colon - p;

    for (p = colon + 1; p < last && (*p == ' ' || *p == '\t'); p++) {
        /* void */
    }

    while (last > p && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    value.data = p;
    value.len = last - p;

#define ngx_mntreamer_header_is(text)                                         \
    (name.len == sizeof(text) - 1                                             \
     && ngx_strncasecmp(name.data, (u_char *) text, sizeof(text) - 1) == 0)

    if (ngx_mntreamer_header_is("content-length")) {
        ngx_mntreamer_curl_answer_length(tr, &value);

    } else if (ngx_mntreamer_header_is("content-type")) {
        ngx_mntreamer_curl_answer_copy(&a->content_type, tr->content_type,
                                       sizeof(tr->content_type), &value);

    } else if (ngx_mntreamer_header_is("retry-after")) {
        ngx_mntreamer_curl_answer_copy(&a->retry_after, tr->retry_after,
                                       sizeof(tr->retry_after), &value);

    } else if (ngx_mntreamer_header_is("content-range")) {
        ngx_mntreamer_curl_answer_range(a, &value);

    } else if (ngx_mntreamer_header_is("content-encoding")) {
        a->encoded = tr->set.encodings && value.len
                     && (value.len != 8
                         || ngx_strncasecmp(value.data, (u_char *) "identity",
                                            8)
                            != 0);

    } else if (ngx_mntreamer_header_is("location")) {
        tr->location = 1;
    }
}


/* a body whose length is told in two ways, or in none, has no end to trust */

static void
ngx_mntreamer_curl_answer_length(ngx_mntreamer_transfer_t *tr,
    const ngx_str_t *value)
{
    off_t  length;

    length = ngx_atoof(value->data, value->len);

    if (length == NGX_ERROR
        || (tr->answer.content_length >= 0
            && tr->answer.content_length != length))
    {
        tr->verdict = NGX_MNTREAMER_TRANSFER_FAILED;
        return;
    }

    tr->answer.content_length = length;
}


/* "bytes 0-99/1000" */

static void
ngx_mntreamer_curl_answer_range(ngx_mntreamer_answer_t *a,
    const ngx_str_t *value)
{
    off_t    start, end;
    u_char  *p, *dash, *last;

    a->range_start = -1;
    a->range_length = 0;

    if (value->len < 6
        || ngx_strncasecmp(value->data, (u_char *) "bytes ", 6) != 0)
    {
        return;
    }

    p = value->data + 6;
    last = value->data + value->len;

    dash = ngx_strlchr(p, last, '-');
    if (dash == NULL) {
        return;
    }

    last = ngx_strlchr(dash, last, '/');
    if (last == NULL) {
        return;
    }

    start = ngx_atoof(p, dash - p);
    end = ngx_atoof(dash + 1, last - dash - 1);

    if (start == NGX_ERROR || end == NGX_ERROR || end < start
        || end == NGX_MAX_OFF_T_VALUE)
    {
        return;
    }

    a->range_start = start;
    a->range_length = end - start + 1;
}


/* libcurl will follow, the body is of no interest */

static ngx_uint_t
ngx_mntreamer_curl_answer_moves(ngx_mntreamer_transfer_t *tr)
{
    return tr->location && tr->set.redirects && tr->answer.http / 100 == 3;
}


static void
ngx_mntreamer_curl_answer_copy(ngx_str_t *dst, u_char *buf, size_t size,
    const ngx_str_t *value)
{
    dst->data = buf;
    dst->len = ngx_min(size, value->len);
    ngx_memcpy(buf, value->data, dst->len);
}


/* called by libcurl with decoded bytes, at most CURL_MAX_WRITE_SIZE */

size_t
ngx_mntreamer_curl_answer_body(char *p, size_t size, size_t n, void *data)
{
    size_t                     len;
    ngx_mntreamer_answer_t    *a;
    ngx_mntreamer_transfer_t  *tr = data;

    a = &tr->answer;
    len = size * n;

    tr->progress = ngx_current_msec;

    if ((off_t) len > tr->max_bytes - a->received) {
        return ngx_mntreamer_curl_answer_refuse(tr,
                                           NGX_MNTREAMER_TRANSFER_TOO_LARGE);
    }

    a->received += len;

    if (tr->body == NULL) {
        if (ngx_mntreamer_curl_answer_gather(tr, (u_char *) p, len)
            != NGX_OK)
        {
            return ngx_mntreamer_curl_answer_refuse(tr,
                                           NGX_MNTREAMER_TRANSFER_FAILED);
        }

        return len;
    }

    if (a->http / 100 == 2
        && tr->body(tr->data, a, (u_char *) p, len) != NGX_OK)
    {
        return ngx_mntreamer_curl_answer_refuse(tr,
                                           NGX_MNTREAMER_TRANSFER_REFUSED);
    }

    return len;
}


static ngx_int_t
ngx_mntreamer_curl_answer_gather(ngx_mntreamer_transfer_t *tr, u_char *p,
    size_t len)
{
    u_char     *buf;
    size_t      size;
    ngx_str_t  *body;

    body = &tr->answer.body;

    if (len > tr->size - body->len) {
        size = tr->size ? 2 * tr->size : NGX_MNTREAMER_CURL_BODY_MIN;

        if (tr->size == 0 && !tr->answer.encoded
            && tr->answer.content_length > 0)
        {
            size = (size_t) tr->answer.content_length;
        }

        size = ngx_max(size, body->len + len);
        size = (size_t) ngx_min((off_t) size, tr->max_bytes);

        buf = ngx_alloc(size, tr->log);
        if (buf == NULL) {
            return NGX_ERROR;
        }

        if (tr->buf) {
            ngx_memcpy(buf, tr->buf, body->len);
            ngx_free(tr->buf);
        }

        tr->buf = buf;
        tr->size = size;
        body->data = buf;
    }

    ngx_memcpy(body->data + body->len, p, len);
    body->len += len;

    return NGX_OK;
}


void
ngx_mntreamer_curl_answer_end(ngx_mntreamer_transfer_t *tr, CURLcode result)
{
    char                    *url;
    ngx_mntreamer_answer_t  *a;

    a = &tr->answer;

    a->total_ms = ngx_current_msec - tr->started;
    a->rc = ngx_mntreamer_curl_answer_rc(result);

    if (result == CURLE_UNSUPPORTED_PROTOCOL && tr->moving && a->http == 0) {
        a->rc = NGX_MNTREAMER_TRANSFER_FAILED;    /* not an HTTP answer */
    }

    /* an allowed address may have come after a forbidden one */

    if (result != CURLE_OK && tr->verdict) {
        a->rc = tr->verdict;
    }

    if (!tr->added) {
        return;                               /* the handle has an old URL */
    }

    url = NULL;
    (void) curl_easy_getinfo(tr->easy, CURLINFO_EFFECTIVE_URL, &url);

    if (url) {
        a->url.data = (u_char *) url;
        a->url.len = ngx_strlen(url);
    }
}


static ngx_uint_t
ngx_mntreamer_curl_answer_rc(CURLcode result)
{
    switch (result) {

    case CURLE_OK:
        return NGX_MNTREAMER_TRANSFER_OK;

    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return NGX_MNTREAMER_TRANSFER_RESOLVE;

    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
        return NGX_MNTREAMER_TRANSFER_CONNECT;

    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_CLIENTCERT:
        return NGX_MNTREAMER_TRANSFER_TLS;

    case CURLE_OPERATION_TIMEDOUT:
        return NGX_MNTREAMER_TRANSFER_TIMEOUT;

    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        return NGX_MNTREAMER_TRANSFER_CUT;

    /* a header line longer than libcurl's own bound */
    case CURLE_OUT_OF_MEMORY:
        return NGX_MNTREAMER_TRANSFER_TOO_LARGE;

    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
        return NGX_MNTREAMER_TRANSFER_FORBIDDEN;

    default:
        return NGX_MNTREAMER_TRANSFER_FAILED;
    }
}
