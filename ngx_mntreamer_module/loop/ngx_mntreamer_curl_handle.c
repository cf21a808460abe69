
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Easy handles.  Setting one up takes longer than a small transfer, so they
 * are kept, and a transfer sets only what differs from the one before it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_curl_internal.h"


#define NGX_MNTREAMER_CURL_IDLE         128   /* handles kept */
#define NGX_MNTREAMER_CURL_URL_MAX      16384
#define NGX_MNTREAMER_CURL_BUFFER_SIZE  32768L


static ngx_int_t ngx_mntreamer_curl_handle_init(ngx_mntreamer_transfer_t *tr);
static int ngx_mntreamer_curl_handle_close(void *data, curl_socket_t fd);
static ngx_int_t ngx_mntreamer_curl_handle_options(
    ngx_mntreamer_transfer_t *tr, const ngx_mntreamer_request_t *req);
static ngx_int_t ngx_mntreamer_curl_handle_method(
    ngx_mntreamer_transfer_t *tr, const ngx_mntreamer_request_t *req);
static ngx_int_t ngx_mntreamer_curl_handle_url(ngx_mntreamer_transfer_t *tr,
    const ngx_str_t *url);
static ngx_int_t ngx_mntreamer_curl_handle_string(
    ngx_mntreamer_transfer_t *tr, CURLoption option, ngx_str_t *set,
    const ngx_str_t *value);
static ngx_int_t ngx_mntreamer_curl_handle_headers(
    ngx_mntreamer_transfer_t *tr, const ngx_mntreamer_request_t *req);
static ngx_uint_t ngx_mntreamer_curl_handle_same(const ngx_str_t *set,
    const ngx_mntreamer_request_t *req);
static ngx_uint_t ngx_mntreamer_curl_handle_same_line(u_char **p, u_char *last,
    const char *prefix, const ngx_str_t *value);
static ngx_uint_t ngx_mntreamer_curl_handle_plain(const ngx_str_t *value);


ngx_mntreamer_transfer_t *
ngx_mntreamer_curl_handle_get(ngx_mntreamer_curl_t *curl, ngx_uint_t cookie)
{
    ngx_queue_t               *q;
    ngx_mntreamer_transfer_t  *tr;

    /* a handle that carried cookies serves nothing else */

    if (!ngx_queue_empty(&curl->idle[cookie])) {
        q = ngx_queue_head(&curl->idle[cookie]);
        ngx_queue_remove(q);
        curl->nidle--;

        return ngx_queue_data(q, ngx_mntreamer_transfer_t, link);
    }

    tr = ngx_calloc(sizeof(ngx_mntreamer_transfer_t), curl->log);
    if (tr == NULL) {
        return NULL;
    }

    tr->curl = curl;
    tr->cookie = cookie;

    tr->easy = curl_easy_init();

    if (tr->easy == NULL || ngx_mntreamer_curl_handle_init(tr) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, curl->log, 0, "curl_easy_init() failed");
        ngx_mntreamer_curl_handle_free(tr);
        return NULL;
    }

    return tr;
}


void
ngx_mntreamer_curl_handle_put(ngx_mntreamer_transfer_t *tr)
{
    ngx_mntreamer_curl_t  *curl;

    curl = tr->curl;

    if (curl->dead || curl->nidle >= NGX_MNTREAMER_CURL_IDLE) {
        ngx_mntreamer_curl_handle_free(tr);
        return;
    }

    if (tr->buf) {
        ngx_free(tr->buf);
        tr->buf = NULL;
    }

    tr->state = NGX_MNTREAMER_TRANSFER_ST_IDLE;
    ngx_queue_insert_head(&curl->idle[tr->cookie], &tr->link);
    curl->nidle++;
}


void
ngx_mntreamer_curl_handle_free(ngx_mntreamer_transfer_t *tr)
{
    if (tr->easy) {
        curl_easy_cleanup(tr->easy);
    }

    if (tr->buf) {
        ngx_free(tr->buf);
    }

    if (tr->set.user_agent.data) {
        ngx_free(tr->set.user_agent.data);
    }

    if (tr->set.proxy.data) {
        ngx_free(tr->set.proxy.data);
    }

    if (tr->set.headers.data) {
        ngx_free(tr->set.headers.data);
    }

    if (tr->set.list) {
        ngx_free(tr->set.list);
    }

    ngx_free(tr);
}


static ngx_int_t
ngx_mntreamer_curl_handle_init(ngx_mntreamer_transfer_t *tr)
{
    CURL      *e;
    CURLcode   rc;

    e = tr->easy;

    /*
     * HTTP/1.1: an HTTP/2 stream may end cleanly and be short, and all
     * recordings from one host would share one connection's flow control.
     *
     * No CURLOPT_CAPATH: with it libcurl reads all certificates again for
     * each connection, with the file alone the multi handle keeps them.
     */

    rc = curl_easy_setopt(e, CURLOPT_PRIVATE, tr);
    rc |= curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    rc |= curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
    rc |= curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    rc |= curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    rc |= curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
                           (long) CURL_HTTP_VERSION_1_1);
    rc |= curl_easy_setopt(e, CURLOPT_PROXY, "");
    rc |= curl_easy_setopt(e, CURLOPT_NOPROXY, "");
    rc |= curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    rc |= curl_easy_setopt(e, CURLOPT_DNS_CACHE_TIMEOUT, 60L);
    rc |= curl_easy_setopt(e, CURLOPT_BUFFERSIZE,
                           NGX_MNTREAMER_CURL_BUFFER_SIZE);
    rc |= curl_easy_setopt(e, CURLOPT_CAPATH, NULL);

    if (tr->curl->ca_file) {
        rc |= curl_easy_setopt(e, CURLOPT_CAINFO, tr->curl->ca_file);
    }

    rc |= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION,
                           ngx_mntreamer_curl_answer_header);
    rc |= curl_easy_setopt(e, CURLOPT_HEADERDATA, tr);
    rc |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION,
                           ngx_mntreamer_curl_answer_body);
    rc |= curl_easy_setopt(e, CURLOPT_WRITEDATA, tr);
    rc |= curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION,
                           ngx_mntreamer_curl_hop_open);
    rc |= curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, tr);
    rc |= curl_easy_setopt(e, CURLOPT_PREREQFUNCTION,
                           ngx_mntreamer_curl_hop_check);
    rc |= curl_easy_setopt(e, CURLOPT_PREREQDATA, tr);

    /* a connection outlives its handle */

    rc |= curl_easy_setopt(e, CURLOPT_CLOSESOCKETFUNCTION,
                           ngx_mntreamer_curl_handle_close);
    rc |= curl_easy_setopt(e, CURLOPT_CLOSESOCKETDATA, tr->curl);

    return rc == CURLE_OK ? NGX_OK : NGX_ERROR;
}


/* some versions of libcurl close a descriptor before they say so */

static int
ngx_mntreamer_curl_handle_close(void *data, curl_socket_t fd)
{
    ngx_mntreamer_curl_forget(data, fd);

    return close(fd);
}


ngx_int_t
ngx_mntreamer_curl_handle_set(ngx_mntreamer_transfer_t *tr,
    const ngx_mntreamer_request_t *req)
{
    ngx_uint_t  i;

    tr->verdict = NGX_MNTREAMER_TRANSFER_FAILED;

    if (!ngx_mntreamer_curl_handle_plain(&req->user_agent)
        || !ngx_mntreamer_curl_handle_plain(&req->cookie)
        || !ngx_mntreamer_curl_handle_plain(&req->proxy)
        || req->range_start < 0 || req->range_length < 0
        || req->range_start > NGX_MAX_OFF_T_VALUE - req->range_length)
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < req->nheaders; i++) {
        if (req->headers[i].len == 0
            || !ngx_mntreamer_curl_handle_plain(&req->headers[i]))
        {
            return NGX_DECLINED;
        }
    }

    tr->verdict = NGX_MNTREAMER_TRANSFER_FORBIDDEN;

    if (!ngx_mntreamer_curl_handle_plain(&req->url)
        || (ngx_strncasecmp(req->url.data, (u_char *) "http://",
                            ngx_min(req->url.len, 7)) != 0
            && ngx_strncasecmp(req->url.data, (u_char *) "https://",
                               ngx_min(req->url.len, 8)) != 0)
        || req->url.len < 8
        || req->url.len > NGX_MNTREAMER_CURL_URL_MAX)
    {
        return NGX_DECLINED;
    }

    tr->verdict = 0;

    if (ngx_mntreamer_curl_handle_url(tr, &req->url) != NGX_OK
        || ngx_mntreamer_curl_handle_string(tr, CURLOPT_USERAGENT,
                                            &tr->set.user_agent,
                                            &req->user_agent)
           != NGX_OK
        || ngx_mntreamer_curl_handle_string(tr, CURLOPT_PROXY, &tr->set.proxy,
                                            &req->proxy)
           != NGX_OK
        || ngx_mntreamer_curl_handle_headers(tr, req) != NGX_OK
        || ngx_mntreamer_curl_handle_method(tr, req) != NGX_OK
        || ngx_mntreamer_curl_handle_options(tr, req) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mntreamer_curl_handle_options(ngx_mntreamer_transfer_t *tr,
    const ngx_mntreamer_request_t *req)
{
    long                       redirects;
    CURL                      *e;
    u_char                     range[2 * NGX_OFF_T_LEN + 2];
    CURLcode                   rc;
    ngx_mntreamer_curl_set_t  *set;

    e = tr->easy;
    set = &tr->set;
    rc = CURLE_OK;

    if (set->connect_ms != req->connect_ms) {
        set->connect_ms = req->connect_ms;
        rc |= curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                               (long) req->connect_ms);
    }

    if (set->total_ms != req->total_ms) {
        set->total_ms = req->total_ms;
        rc |= curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long) req->total_ms);
    }

    if (set->redirects != req->redirects) {
        set->redirects = req->redirects;
        redirects = (long) ngx_min(req->redirects, 3);

        rc |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION,
                               redirects ? 1L : 0L);
        rc |= curl_easy_setopt(e, CURLOPT_MAXREDIRS, redirects);
    }

    if (set->encodings != (req->encodings != 0)) {
        set->encodings = (req->encodings != 0);
        rc |= curl_easy_setopt(e, CURLOPT_ACCEPT_ENCODING,
                               set->encodings ? "gzip" : NULL);
    }

    if (req->range_length) {
        set->range = 1;
        *ngx_snprintf(range, sizeof(range) - 1, "%O-%O", req->range_start,
                      req->range_start + req->range_length - 1) = '\0';
        rc |= curl_easy_setopt(e, CURLOPT_RANGE, (char *) range);

    } else if (set->range) {
        set->range = 0;
        rc |= curl_easy_setopt(e, CURLOPT_RANGE, NULL);
    }

    if (rc != CURLE_OK) {
        ngx_log_error(NGX_LOG_ERR, tr->log, 0, "curl_easy_setopt() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * libcurl sends a request again whose connection was an old one that had been
 * closed meanwhile; what changes something is sent once.
 */

static ngx_int_t
ngx_mntreamer_curl_handle_method(ngx_mntreamer_transfer_t *tr,
    const ngx_mntreamer_request_t *req)
{
    CURL      *e;
    CURLcode   rc;

    if (req->post.len == 0 && !tr->set.post) {
        return NGX_OK;
    }

    e = tr->easy;
    tr->set.post = (req->post.len != 0);

    rc = curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, (long) tr->set.post);
    rc |= curl_easy_setopt(e, CURLOPT_FORBID_REUSE, (long) tr->set.post);
    rc |= curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE,
                           (curl_off_t) req->post.len);

    if (tr->set.post) {
        rc |= curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, req->post.data);

    } else {
        rc |= curl_easy_setopt(e, CURLOPT_COPYPOSTFIELDS, NULL);
        rc |= curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
    }

    return rc == CURLE_OK ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_mntreamer_curl_handle_url(ngx_mntreamer_transfer_t *tr,
    const ngx_str_t *url)
{
    u_char    *p, buf[2048];
    CURLcode   rc;

    p = buf;

    if (url->len >= sizeof(buf)) {
        p = ngx_alloc(url->len + 1, tr->log);
        if (p == NULL) {
            return NGX_ERROR;
        }
    }

    *ngx_cpymem(p, url->data, url->len) = '\0';

    rc = curl_easy_setopt(tr->easy, CURLOPT_URL, (char *) p);

    if (p != buf) {
        ngx_free(p);
    }

    return rc == CURLE_OK ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_mntreamer_curl_handle_string(ngx_mntreamer_transfer_t *tr,
    CURLoption option, ngx_str_t *set, const ngx_str_t *value)
{
    u_char  *p;

    if (set->len == value->len
        && (value->len == 0
            || ngx_memcmp(set->data, value->data, value->len) == 0))
    {
        return NGX_OK;
    }

    p = ngx_alloc(value->len + 1, tr->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (value->len) {
        ngx_memcpy(p, value->data, value->len);
    }

    p[value->len] = '\0';

    if (set->data) {
        ngx_free(set->data);
    }

    set->data = p;
    set->len = value->len;

    /* "" is no header for a user agent and no proxy at all for a proxy */

    if (curl_easy_setopt(tr->easy, option, (char *) p) != CURLE_OK) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Cookies are sent as a header line of our own: libcurl sends such a line to
 * the first host, port and scheme only, but CURLOPT_COOKIE along redirects.
 */

static ngx_int_t
ngx_mntreamer_curl_handle_headers(ngx_mntreamer_transfer_t *tr,
    const ngx_mntreamer_request_t *req)
{
    u_char             *p;
    size_t              len;
    CURLcode            rc;
    ngx_uint_t          i, n;
    ngx_str_t          *set;
    struct curl_slist  *list;

    set = &tr->set.headers;

    if (ngx_mntreamer_curl_handle_same(set, req)) {
        return NGX_OK;
    }

    rc = curl_easy_setopt(tr->easy, CURLOPT_HTTPHEADER, NULL);

    if (set->data) {
        ngx_free(set->data);
        ngx_str_null(set);
    }

    if (tr->set.list) {
        ngx_free(tr->set.list);
        tr->set.list = NULL;
    }

    n = req->nheaders + (req->cookie.len ? 1 : 0);

    if (n == 0) {
        return rc == CURLE_OK ? NGX_OK : NGX_ERROR;
    }

    len = sizeof("Cookie: ") + req->cookie.len;

    for (i = 0; i < req->nheaders; i++) {
        len += req->headers[i].len + 1;
    }

    list = ngx_calloc(n * sizeof(struct curl_slist), tr->log);
    if (list == NULL) {
        return NGX_ERROR;
    }

    tr->set.list = list;

    p = ngx_alloc(len, tr->log);
    if (p == NULL) {
        return NGX_ERROR;
    }

    set->data = p;
    n = 0;

    if (req->cookie.len) {
        list[n++].data = (char *) p;
        p = ngx_cpymem(p, "Cookie: ", sizeof("Cookie: ") - 1);
        p = ngx_cpymem(p, req->cookie.data, req->cookie.len);
        *p++ = '\0';
    }

    for (i = 0; i < req->nheaders; i++) {
        list[n++].data = (char *) p;
        p = ngx_cpymem(p, req->headers[i].data, req->headers[i].len);
        *p++ = '\0';
    }

    set->len = p - set->data;

    for (i = 1; i < n; i++) {
        list[i - 1].next = &list[i];
    }

    if (curl_easy_setopt(tr->easy, CURLOPT_HTTPHEADER, list) != CURLE_OK) {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_mntreamer_curl_handle_same(const ngx_str_t *set,
    const ngx_mntreamer_request_t *req)
{
    u_char      *p, *last;
    ngx_uint_t   i;

    if (set->len == 0) {
        return req->cookie.len == 0 && req->nheaders == 0;
    }

    p = set->data;
    last = p + set->len;

    if (req->cookie.len
        && !ngx_mntreamer_curl_handle_same_line(&p, last, "Cookie: ",
                                                &req->cookie))
    {
        return 0;
    }

    for (i = 0; i < req->nheaders; i++) {
        if (!ngx_mntreamer_curl_handle_same_line(&p, last, "",
                                                 &req->headers[i]))
        {
            return 0;
        }
    }

    return p == last;
}


static ngx_uint_t
ngx_mntreamer_curl_handle_same_line(u_char **p, u_char *last,
    const char *prefix, const ngx_str_t *value)
{
    size_t  n;

    n = ngx_strlen(prefix);

    if ((size_t) (last - *p) < n + value->len + 1
        || ngx_memcmp(*p, prefix, n) != 0
        || ngx_memcmp(*p + n, value->data, value->len) != 0
        || (*p)[n + value->len] != '\0')
    {
        return 0;
    }

    *p += n + value->len + 1;

    return 1;
}


/* without bytes that would end a line of the request, or libcurl's string */

static ngx_uint_t
ngx_mntreamer_curl_handle_plain(const ngx_str_t *value)
{
    size_t  i;

    for (i = 0; i < value->len; i++) {
        if (value->data[i] < 0x20 || value->data[i] == 0x7f) {
            return 0;
        }
    }

    return 1;
}
