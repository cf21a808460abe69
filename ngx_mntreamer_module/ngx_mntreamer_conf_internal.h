
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_CONF_INTERNAL_H_INCLUDED_
#define _NGX_MNTREAMER_CONF_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer.h"


#define NGX_MNTREAMER_CONF_MODULE    0x464e4d4d      /* "MMNF" */
#define NGX_MNTREAMER_MAIN_CONF      0x02000000
#define NGX_MNTREAMER_PLATFORM_CONF  0x04000000
#define NGX_MNTREAMER_PUSHED_CONF    0x08000000      /* one sent to us */


/* an alias of the same bytes */
mnt_str_t ngx_mntreamer_conf_text(ngx_str_t *s);

/*
 * The directory of storage: what is there is only looked at, the last
 * component is made when it is missing, unless the configuration is tested
 */
ngx_int_t ngx_mntreamer_conf_directories(ngx_cycle_t *cycle,
    ngx_mntreamer_conf_t *mcf);

/* "worker_connections" is too small for what is configured: one line */
void ngx_mntreamer_conf_connections(ngx_cycle_t *cycle,
    ngx_mntreamer_conf_t *mcf);

/* one entry for every platform there is, in the order of the table */
char *ngx_mntreamer_conf_platforms(ngx_conf_t *cf, ngx_mntreamer_conf_t *mcf);

/* what "platform" blocks did not say */
void ngx_mntreamer_conf_platform_defaults(ngx_mntreamer_conf_t *mcf);

/* followers as arrays of the database */
char *ngx_mntreamer_conf_followers(ngx_conf_t *cf, ngx_mntreamer_conf_t *mcf);

/* setters of mntreamer {} */
char *ngx_mntreamer_conf_platform(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mntreamer_conf_streamer(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* ... of where it is stored */
char *ngx_mntreamer_conf_storage(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mntreamer_conf_layout(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mntreamer_conf_durability(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mntreamer_conf_reserve(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mntreamer_conf_retention(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* "age=TIME", "size=SIZE", "count=NUMBER": what is wrong with it, or NULL */
char *ngx_mntreamer_conf_keep(ngx_str_t *option, ngx_mntreamer_keep_t *keep);
char *ngx_mntreamer_conf_trash(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* ... of what is made of it */
char *ngx_mntreamer_conf_jobs(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ... of what may be connected to */
char *ngx_mntreamer_conf_fetch_allow(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mntreamer_conf_fetch_ports(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* setters of platform {} */
char *ngx_mntreamer_conf_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_mntreamer_conf_renditions(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mntreamer_conf_hls_path(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mntreamer_conf_follower(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mntreamer_conf_cookies(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mntreamer_conf_user_agent(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mntreamer_conf_quality(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mntreamer_conf_thumbnail(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_mntreamer_conf_proxy(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


#endif /* _NGX_MNTREAMER_CONF_INTERNAL_H_INCLUDED_ */
