
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Keeps those who try stream keys from the database.  Every hook comes from
 * this machine, so no limit of nginx's own can tell one publisher from
 * another: the form says where he is.  The table is in a zone of all workers,
 * whose lock is that of the slab, held for a look into eight entries.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <sys/random.h>

#include "ngx_http_mntreamer_rtmp.h"
#include "mnt_guard.h"


#define NGX_HTTP_MNTREAMER_GUARD_ZONE     (16 * 4096)
#define NGX_HTTP_MNTREAMER_GUARD_NETWORK  8   /* bytes of an IPv6 address */


static ngx_int_t ngx_http_mntreamer_guard_init(ngx_shm_zone_t *zone,
    void *data);
static mnt_str_t ngx_http_mntreamer_guard_network(ngx_str_t *addr,
    u_char *buf);


ngx_shm_zone_t *
ngx_http_mntreamer_guard_zone(ngx_conf_t *cf)
{
    ngx_str_t        name = ngx_string("mntreamer_rtmp");
    ngx_shm_zone_t  *zone;

    zone = ngx_shared_memory_add(cf, &name, NGX_HTTP_MNTREAMER_GUARD_ZONE,
                                 &ngx_http_mntreamer_rtmp_module);
    if (zone) {
        zone->init = ngx_http_mntreamer_guard_init;
    }

    return zone;
}


static ngx_int_t
ngx_http_mntreamer_guard_init(ngx_shm_zone_t *zone, void *data)
{
    mnt_guard_t      *guard;
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (data || zone->shm.exists) {
        zone->data = shpool->data;
        return NGX_OK;
    }

    guard = ngx_slab_calloc(shpool, sizeof(mnt_guard_t));

    if (guard == NULL) {
        return NGX_ERROR;
    }

    if (getrandom(guard->memo.key, sizeof(guard->memo.key), 0)
        != (ssize_t) sizeof(guard->memo.key))
    {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, ngx_errno,
                      "getrandom() failed");
        return NGX_ERROR;
    }

    shpool->data = guard;
    zone->data = guard;

    return NGX_OK;
}


/* who has an address of IPv6 has the whole network of it */

static mnt_str_t
ngx_http_mntreamer_guard_network(ngx_str_t *addr, u_char *buf)
{
    mnt_str_t  s;

    s.data = (char *) addr->data;
    s.len = addr->len;

#if (NGX_HAVE_INET6)

    if (ngx_strlchr(addr->data, addr->data + addr->len, ':')
        && ngx_inet6_addr(addr->data, addr->len, buf) == NGX_OK)
    {
        s.data = (char *) buf;
        s.len = IN6_IS_ADDR_V4MAPPED((struct in6_addr *) buf)
                ? 16 : NGX_HTTP_MNTREAMER_GUARD_NETWORK;
    }

#endif

    return s;
}


ngx_uint_t
ngx_http_mntreamer_guard_shut(ngx_http_mntreamer_rtmp_conf_t *rlcf,
    ngx_str_t *addr)
{
    u_char            buf[16];
    mnt_str_t         network;
    ngx_uint_t        shut;
    ngx_slab_pool_t  *shpool;

    if (rlcf->guesses == 0) {
        return 0;
    }

    network = ngx_http_mntreamer_guard_network(addr, buf);
    shpool = (ngx_slab_pool_t *) rlcf->zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    shut = mnt_guard_shut(rlcf->zone->data, network,
                          (int64_t) ngx_current_msec);

    ngx_shmtx_unlock(&shpool->mutex);

    return shut;
}


void
ngx_http_mntreamer_guard_failed(ngx_http_mntreamer_rtmp_conf_t *rlcf,
    ngx_str_t *addr, ngx_log_t *log)
{
    u_char            buf[16];
    mnt_str_t         network;
    ngx_uint_t        shut;
    ngx_slab_pool_t  *shpool;

    if (rlcf->guesses == 0) {
        return;
    }

    network = ngx_http_mntreamer_guard_network(addr, buf);
    shpool = (ngx_slab_pool_t *) rlcf->zone->shm.addr;

    ngx_shmtx_lock(&shpool->mutex);

    shut = mnt_guard_failed(rlcf->zone->data, network,
                            (uint32_t) rlcf->guesses,
                            (int64_t) ngx_current_msec);

    ngx_shmtx_unlock(&shpool->mutex);

    if (shut) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "RTMP of %V is refused for a minute: %ui stream keys or "
                      "passwords of it were wrong", addr, rlcf->guesses);
    }
}
