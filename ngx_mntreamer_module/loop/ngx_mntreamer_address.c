
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_curl.h"
#include "ngx_mntreamer_curl_internal.h"


#define NGX_MNTREAMER_ADDRESS_PORT  9         /* any: nothing is sent */


typedef struct {
    uint32_t  addr;
    uint32_t  mask;
} ngx_mntreamer_net_t;


/* not globally reachable: RFC 6890 and the IANA registry behind it */

static const ngx_mntreamer_net_t  ngx_mntreamer_nets[] = {
    { 0x00000000, 0xff000000 },               /* this network */
    { 0x0a000000, 0xff000000 },               /* private */
    { 0x64400000, 0xffc00000 },               /* carrier-grade NAT */
    { 0x7f000000, 0xff000000 },               /* loopback */
    { 0xa9fe0000, 0xffff0000 },               /* link-local, metadata */
    { 0xac100000, 0xfff00000 },               /* private */
    { 0xc0000000, 0xffffff00 },               /* IETF protocols */
    { 0xc0000200, 0xffffff00 },               /* documentation */
    { 0xc0586300, 0xffffff00 },               /* 6to4 relays */
    { 0xc0a80000, 0xffff0000 },               /* private */
    { 0xc6120000, 0xfffe0000 },               /* benchmarks */
    { 0xc6336400, 0xffffff00 },               /* documentation */
    { 0xcb007100, 0xffffff00 },               /* documentation */
    { 0xe0000000, 0xe0000000 }                /* multicast, reserved */
};


static ngx_uint_t ngx_mntreamer_address_public4(uint32_t addr);
static ngx_uint_t ngx_mntreamer_address_embedded(struct in6_addr *a,
    struct sockaddr_in *sin);
static ngx_uint_t ngx_mntreamer_address_public6(struct in6_addr *a);
static ngx_uint_t ngx_mntreamer_address_own(struct sockaddr *sa);


ngx_uint_t
ngx_mntreamer_address_allowed(struct sockaddr *sa, ngx_array_t *allow)
{
    struct in6_addr     *a;
    struct sockaddr_in   sin;

    if (ngx_mntreamer_address_listed(sa, allow)) {
        return 1;
    }

    switch (sa->sa_family) {

    case AF_INET:
        return ngx_mntreamer_address_public4(
                   ntohl(((struct sockaddr_in *) sa)->sin_addr.s_addr))
               && !ngx_mntreamer_address_own(sa);

    case AF_INET6:
        a = &((struct sockaddr_in6 *) sa)->sin6_addr;

        if (ngx_mntreamer_address_embedded(a, &sin)) {
            return ngx_mntreamer_address_public4(ntohl(sin.sin_addr.s_addr))
                   && !ngx_mntreamer_address_own((struct sockaddr *) &sin)
                   && !ngx_mntreamer_address_own(sa);
        }

        return ngx_mntreamer_address_public6(a)
               && !ngx_mntreamer_address_own(sa);

    default:
        return 0;
    }
}


ngx_uint_t
ngx_mntreamer_address_listed(struct sockaddr *sa, ngx_array_t *allow)
{
    struct sockaddr_in  sin;

    if (allow == NULL) {
        return 0;
    }

    if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6) {
        return 0;
    }

    if (ngx_cidr_match(sa, allow) == NGX_OK) {
        return 1;
    }

    if (sa->sa_family == AF_INET6
        && ngx_mntreamer_address_embedded(
               &((struct sockaddr_in6 *) sa)->sin6_addr, &sin))
    {
        return ngx_cidr_match((struct sockaddr *) &sin, allow) == NGX_OK;
    }

    return 0;
}


static ngx_uint_t
ngx_mntreamer_address_public4(uint32_t addr)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(ngx_mntreamer_nets) / sizeof(ngx_mntreamer_nets[0]);
         i++)
    {
        if ((addr & ngx_mntreamer_nets[i].mask) == ngx_mntreamer_nets[i].addr)
        {
            return 0;
        }
    }

    return 1;
}


/* the IPv4 address that a packet to "a" would reach in the end */

static ngx_uint_t
ngx_mntreamer_address_embedded(struct in6_addr *a, struct sockaddr_in *sin)
{
    u_char  *p;

    static const u_char  mapped[12] =
        { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
    static const u_char  nat64[12] =
        { 0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0 };

    p = a->s6_addr;

    if (ngx_memcmp(p, mapped, 12) == 0 || ngx_memcmp(p, nat64, 12) == 0) {
        p += 12;

    } else if (p[0] == 0x20 && p[1] == 0x02) {
        p += 2;                               /* 6to4 */

    } else {
        return 0;
    }

    ngx_memzero(sin, sizeof(struct sockaddr_in));
    sin->sin_family = AF_INET;
    ngx_memcpy(&sin->sin_addr.s_addr, p, 4);

    return 1;
}


static ngx_uint_t
ngx_mntreamer_address_public6(struct in6_addr *a)
{
    u_char  *p;

    p = a->s6_addr;

    /* global unicast is 2000::/3; all else is local, mapped or unassigned */

    if ((p[0] & 0xe0) != 0x20) {
        return 0;
    }

    /* 2001::/23: Teredo, benchmarks, ORCHID */

    if (p[0] == 0x20 && p[1] == 0x01 && p[2] < 2) {
        return 0;
    }

    /* 2001:db8::/32 and 3fff::/20: documentation */

    if (p[0] == 0x20 && p[1] == 0x01 && p[2] == 0x0d && p[3] == 0xb8) {
        return 0;
    }

    if (p[0] == 0x3f && p[1] == 0xff && (p[2] & 0xf0) == 0) {
        return 0;
    }

    return 1;
}


/*
 * A public address of this machine, on which nginx listens, and others that
 * trust who comes from inside: the kernel would come from it to reach it.
 * Asking sends nothing, and is right also when addresses come and go.
 */

static ngx_uint_t
ngx_mntreamer_address_own(struct sockaddr *sa)
{
    socklen_t       len;
    ngx_uint_t      own;
    ngx_socket_t    s;
    ngx_sockaddr_t  to, from;

    ngx_memzero(&to, sizeof(ngx_sockaddr_t));

    len = (sa->sa_family == AF_INET6) ? sizeof(struct sockaddr_in6)
                                      : sizeof(struct sockaddr_in);

    ngx_memcpy(&to, sa, len);
    ngx_inet_set_port(&to.sockaddr, NGX_MNTREAMER_ADDRESS_PORT);

    s = socket(sa->sa_family, SOCK_DGRAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);

    if (s == (ngx_socket_t) -1) {

        /* without descriptors nothing could be connected to either */

        return ngx_socket_errno != EAFNOSUPPORT;
    }

    own = connect(s, &to.sockaddr, len) == 0
          && getsockname(s, &from.sockaddr, &len) == 0
          && ngx_cmp_sockaddr(&to.sockaddr, len, &from.sockaddr, len, 0)
             == NGX_OK;

    (void) ngx_close_socket(s);

    return own;
}
