
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Where a transfer may connect to.  One that is trusted goes where it was told
 * to and nowhere else.  Of others each hop, the first and every redirect, is
 * checked by its resolved address when a socket is opened for it, and again
 * before the request is sent, because a connection may be an older one.
 *
 * With a proxy the sockets are the proxy's, which the configuration trusts,
 * and names are resolved by it; what can be checked is the URL.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_curl_internal.h"


static ngx_int_t ngx_mntreamer_curl_hop(ngx_mntreamer_transfer_t *tr,
    struct sockaddr *sa);
static ngx_uint_t ngx_mntreamer_curl_hop_port(
    const ngx_mntreamer_curl_conf_t *conf, in_port_t port, ngx_uint_t listed);
static ngx_uint_t ngx_mntreamer_curl_hop_proxied(
    const ngx_mntreamer_curl_conf_t *conf, const char *url);
static ngx_uint_t ngx_mntreamer_curl_hop_literal(char *host,
    ngx_sockaddr_t *sa);


curl_socket_t
ngx_mntreamer_curl_hop_open(void *data, curlsocktype purpose,
    struct curl_sockaddr *address)
{
    curl_socket_t              fd;
    ngx_mntreamer_transfer_t  *tr = data;

    if (ngx_mntreamer_curl_hop(tr, &address->addr) != NGX_OK) {
        return CURL_SOCKET_BAD;
    }

    /* programs that other rooms start must not inherit it */

    fd = socket(address->family, address->socktype|SOCK_CLOEXEC,
                address->protocol);

    if (fd != CURL_SOCKET_BAD) {
        ngx_mntreamer_curl_reopen(tr->curl, fd);
    }

    return fd;
}


int
ngx_mntreamer_curl_hop_check(void *data, char *ip, char *local_ip, int port,
    int local_port)
{
    ngx_sockaddr_t             sa;
    ngx_mntreamer_transfer_t  *tr = data;

    ngx_memzero(&sa, sizeof(ngx_sockaddr_t));

    if (inet_pton(AF_INET, ip, &sa.sockaddr_in.sin_addr) == 1) {
        sa.sockaddr.sa_family = AF_INET;
        sa.sockaddr_in.sin_port = htons((in_port_t) port);

    } else if (inet_pton(AF_INET6, ip, &sa.sockaddr_in6.sin6_addr) == 1) {
        sa.sockaddr.sa_family = AF_INET6;
        sa.sockaddr_in6.sin6_port = htons((in_port_t) port);
    }

    if (ngx_mntreamer_curl_hop(tr, &sa.sockaddr) != NGX_OK) {
        return CURL_PREREQFUNC_ABORT;
    }

    /* connected: from now on silence counts */

    tr->moving = 1;
    tr->progress = ngx_current_msec;

    return CURL_PREREQFUNC_OK;
}


static ngx_int_t
ngx_mntreamer_curl_hop(ngx_mntreamer_transfer_t *tr, struct sockaddr *sa)
{
    char                             *url;
    ngx_uint_t                        https, allowed, listed;
    const ngx_mntreamer_curl_conf_t  *conf;

    conf = tr->curl->conf;

    tr->answer.http = 0;                      /* was the hop before */

    url = NULL;
    (void) curl_easy_getinfo(tr->easy, CURLINFO_EFFECTIVE_URL, &url);

    https = (url && ngx_strncasecmp((u_char *) url, (u_char *) "https:", 6)
                    == 0);

    if (url == NULL || (tr->https && !https)) {
        allowed = 0;

    } else if (tr->trusted) {
        allowed = 1;

    } else if (tr->set.proxy.len) {
        allowed = ngx_mntreamer_curl_hop_proxied(conf, url);

    } else {
        listed = ngx_mntreamer_address_listed(sa, conf->fetch_allow);

        allowed = ngx_mntreamer_address_allowed(sa, conf->fetch_allow)
                  && ngx_mntreamer_curl_hop_port(conf, ngx_inet_get_port(sa),
                                                 listed);
    }

    if (!allowed) {
        tr->verdict = NGX_MNTREAMER_TRANSFER_FORBIDDEN;
        return NGX_ERROR;
    }

    tr->https = https;

    if (tr->verdict == NGX_MNTREAMER_TRANSFER_FORBIDDEN) {
        tr->verdict = 0;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_mntreamer_curl_hop_port(const ngx_mntreamer_curl_conf_t *conf,
    in_port_t port, ngx_uint_t listed)
{
    in_port_t   *ports;
    ngx_uint_t   i;

    if (listed) {
        return 1;
    }

    if (conf->ports == NULL) {
        return port == 80 || port == 443;
    }

    ports = conf->ports->elts;

    for (i = 0; i < conf->ports->nelts; i++) {
        if (ports[i] == port) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_mntreamer_curl_hop_proxied(const ngx_mntreamer_curl_conf_t *conf,
    const char *url)
{
    char            *host, *port;
    CURLU           *u;
    ngx_int_t        n;
    ngx_uint_t       allowed, listed;
    ngx_sockaddr_t   sa;

    allowed = 0;
    host = NULL;
    port = NULL;

    u = curl_url();
    if (u == NULL) {
        return 0;
    }

    if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK
        || curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK
        || curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT)
           != CURLUE_OK)
    {
        goto done;
    }

    n = ngx_atoi((u_char *) port, ngx_strlen(port));
    listed = 0;

    if (n < 1 || n > 65535) {
        goto done;
    }

    if (ngx_mntreamer_curl_hop_literal(host, &sa)) {
        listed = ngx_mntreamer_address_listed(&sa.sockaddr,
                                              conf->fetch_allow);

        if (!ngx_mntreamer_address_allowed(&sa.sockaddr, conf->fetch_allow)) {
            goto done;
        }
    }

    allowed = ngx_mntreamer_curl_hop_port(conf, (in_port_t) n, listed);

done:

    if (host) {
        curl_free(host);
    }

    if (port) {
        curl_free(port);
    }

    curl_url_cleanup(u);

    return allowed;
}


/* an address in any spelling, or a name that always means this machine */

static ngx_uint_t
ngx_mntreamer_curl_hop_literal(char *host, ngx_sockaddr_t *sa)
{
    size_t  len, n;

    ngx_memzero(sa, sizeof(ngx_sockaddr_t));

    len = ngx_strlen(host);

    if (len > 2 && host[0] == '[') {
        host[len - 1] = '\0';
        sa->sockaddr.sa_family = AF_INET6;

        /* one that cannot be read stays the unspecified address: refused */

        (void) inet_pton(AF_INET6, host + 1, &sa->sockaddr_in6.sin6_addr);
        return 1;
    }

    while (len && host[len - 1] == '.') {
        host[--len] = '\0';
    }

    sa->sockaddr.sa_family = AF_INET;

    if (inet_aton(host, &sa->sockaddr_in.sin_addr) != 0) {
        return 1;
    }

    n = sizeof("localhost") - 1;

    if (len >= n
        && ngx_strcasecmp((u_char *) host + len - n, (u_char *) "localhost")
           == 0
        && (len == n || host[len - n - 1] == '.'))
    {
        sa->sockaddr_in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return 1;
    }

    return 0;
}


ngx_uint_t
ngx_mntreamer_curl_forbids(const ngx_mntreamer_curl_conf_t *conf,
    const char *url)
{
    char            *host;
    CURLU           *u;
    ngx_uint_t       forbids;
    ngx_sockaddr_t   sa;

    forbids = 0;
    host = NULL;

    u = curl_url();
    if (u == NULL) {
        return 0;
    }

    if (curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK
        && curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK
        && ngx_mntreamer_curl_hop_literal(host, &sa))
    {
        forbids = !ngx_mntreamer_address_allowed(&sa.sockaddr,
                                                 conf->fetch_allow);
    }

    curl_free(host);
    curl_url_cleanup(u);

    return forbids;
}
