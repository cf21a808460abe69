
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_CURL_INTERNAL_H_INCLUDED_
#define _NGX_MNTREAMER_CURL_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <curl/curl.h>

#include "ngx_mntreamer_curl.h"
#include "ngx_mntreamer_watch.h"


typedef enum {
    NGX_MNTREAMER_TRANSFER_ST_IDLE = 0,       /* in a list of idle handles */
    NGX_MNTREAMER_TRANSFER_ST_RUNNING,        /* waits for libcurl */
    NGX_MNTREAMER_TRANSFER_ST_DOOMED,         /* waits for the next turn */
    NGX_MNTREAMER_TRANSFER_ST_DELIVERING      /* inside done() */
} ngx_mntreamer_transfer_state_e;


/* what an easy handle is set to; stays from one transfer to the next */

typedef struct {
    ngx_str_t                user_agent;      /* owned, terminated */
    ngx_str_t                proxy;           /* owned, terminated */
    ngx_str_t                headers;         /* owned; lines with NUL each */
    struct curl_slist       *list;            /* owned, points into headers */
    ngx_msec_t               connect_ms;
    ngx_msec_t               total_ms;
    ngx_uint_t               redirects;
    unsigned                 encodings:1;
    unsigned                 range:1;
    unsigned                 post:1;
} ngx_mntreamer_curl_set_t;


struct ngx_mntreamer_transfer_s {
    ngx_queue_t              link;            /* idle, running or doomed */
    ngx_mntreamer_curl_t    *curl;            /* alias */
    CURL                    *easy;            /* owned */
    ngx_uint_t               state;

    ngx_mntreamer_curl_set_t set;

    ngx_mntreamer_body_pt    body;
    ngx_mntreamer_done_pt    done;
    void                    *data;            /* alias, of both */
    ngx_log_t               *log;             /* alias */

    off_t                    max_bytes;
    ngx_msec_t               total_ms;
    ngx_msec_t               stall_ms;
    ngx_msec_t               started;
    ngx_msec_t               progress;        /* when a byte came last */

    ngx_uint_t               verdict;         /* ours, before libcurl's; 0 */
    size_t                   header_bytes;
    u_char                  *buf;             /* owned, the gathered body */
    size_t                   size;

    ngx_mntreamer_answer_t   answer;
    u_char                   content_type[128];
    u_char                   retry_after[64];

    unsigned                 cookie:1;
    unsigned                 added:1;         /* to the multi handle */
    unsigned                 moving:1;        /* "progress" is set */
    unsigned                 https:1;         /* a hop was */
    unsigned                 trusted:1;       /* goes anywhere */
    unsigned                 location:1;      /* the answer has one */
};


struct ngx_mntreamer_curl_s {
    CURLM                             *multi;     /* owned */
    const ngx_mntreamer_curl_conf_t   *conf;      /* alias */
    ngx_log_t                         *log;       /* alias */

    ngx_event_t                        timer;     /* libcurl's */
    ngx_event_t                        tick;      /* ours, for deadlines */
    ngx_event_t                        done_ev;
    ngx_mntreamer_ident_t              ident;     /* of all three */

    ngx_queue_t                        running;
    ngx_queue_t                        doomed;    /* for the next turn */
    ngx_queue_t                        ready;     /* doomed, for this turn */
    ngx_queue_t                        idle[2];   /* [1] carried a cookie */
    ngx_uint_t                         nidle;

    ngx_mntreamer_watch_t            **watches;   /* by descriptor */
    size_t                             nwatches;

    char                              *ca_file;   /* owned */
    ngx_mntreamer_curl_stat_t          stat;

    ngx_uint_t                         busy;      /* inside callbacks */
    unsigned                           dead:1;
};


/* ngx_mntreamer_curl.c */

/* before a descriptor of libcurl's is closed, or right after */
void ngx_mntreamer_curl_forget(ngx_mntreamer_curl_t *curl, ngx_socket_t fd);

/* a socket was opened that may have the number of a closed one */
void ngx_mntreamer_curl_reopen(ngx_mntreamer_curl_t *curl, ngx_socket_t fd);


/* ngx_mntreamer_curl_handle.c */

/* a handle without a transfer, pooled or new; NULL: logged */
ngx_mntreamer_transfer_t *ngx_mntreamer_curl_handle_get(
    ngx_mntreamer_curl_t *curl, ngx_uint_t cookie);
void ngx_mntreamer_curl_handle_put(ngx_mntreamer_transfer_t *tr);
void ngx_mntreamer_curl_handle_free(ngx_mntreamer_transfer_t *tr);

/*
 * Sets what differs from the handle's last transfer.  NGX_DECLINED: a value
 * cannot be sent, tr->verdict says why; NGX_ERROR: memory.
 */
ngx_int_t ngx_mntreamer_curl_handle_set(ngx_mntreamer_transfer_t *tr,
    const ngx_mntreamer_request_t *req);


/* ngx_mntreamer_curl_answer.c */

void ngx_mntreamer_curl_answer_init(ngx_mntreamer_transfer_t *tr);
size_t ngx_mntreamer_curl_answer_header(char *p, size_t size, size_t n,
    void *data);
size_t ngx_mntreamer_curl_answer_body(char *p, size_t size, size_t n,
    void *data);
void ngx_mntreamer_curl_answer_end(ngx_mntreamer_transfer_t *tr,
    CURLcode result);


/* ngx_mntreamer_curl_hop.c: where a transfer may connect to */

curl_socket_t ngx_mntreamer_curl_hop_open(void *data, curlsocktype purpose,
    struct curl_sockaddr *address);
int ngx_mntreamer_curl_hop_check(void *data, char *ip, char *local_ip,
    int port, int local_port);


/* ngx_mntreamer_address.c */

/* 1 when "sa", or the IPv4 address inside it, is in "allow" */
ngx_uint_t ngx_mntreamer_address_listed(struct sockaddr *sa,
    ngx_array_t *allow);


#endif /* _NGX_MNTREAMER_CURL_INTERNAL_H_INCLUDED_ */
