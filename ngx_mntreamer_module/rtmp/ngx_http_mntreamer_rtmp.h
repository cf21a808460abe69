
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_HTTP_MNTREAMER_RTMP_H_INCLUDED_
#define _NGX_HTTP_MNTREAMER_RTMP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


typedef struct {
    ngx_uint_t       on;
    ngx_str_t        application;             /* where it is relayed to */
    ngx_str_t        target;                  /* rtmp://127.0.0.1:1935/live/ */
    ngx_msec_t       silence_ms;
    ngx_uint_t       guesses;                 /* a minute; 0: any number */
    ngx_shm_zone_t  *zone;                    /* alias; of the guesses */
} ngx_http_mntreamer_rtmp_conf_t;


extern ngx_module_t  ngx_http_mntreamer_rtmp_module;


ngx_int_t ngx_http_mntreamer_rtmp_handler(ngx_http_request_t *r);

/* _guard.c: who fails too often is refused without asking anybody */

ngx_shm_zone_t *ngx_http_mntreamer_guard_zone(ngx_conf_t *cf);
ngx_uint_t ngx_http_mntreamer_guard_shut(
    ngx_http_mntreamer_rtmp_conf_t *rlcf, ngx_str_t *addr);
/* logs when that shuts it out */
void ngx_http_mntreamer_guard_failed(ngx_http_mntreamer_rtmp_conf_t *rlcf,
    ngx_str_t *addr, ngx_log_t *log);


#endif /* _NGX_HTTP_MNTREAMER_RTMP_H_INCLUDED_ */
