
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_CURL_H_INCLUDED_
#define _NGX_MNTREAMER_CURL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct ngx_mntreamer_curl_s      ngx_mntreamer_curl_t;
typedef struct ngx_mntreamer_transfer_s  ngx_mntreamer_transfer_t;


typedef enum {
    NGX_MNTREAMER_TRANSFER_OK = 0,            /* an HTTP answer came, whole */
    NGX_MNTREAMER_TRANSFER_RESOLVE,
    NGX_MNTREAMER_TRANSFER_CONNECT,
    NGX_MNTREAMER_TRANSFER_TLS,
    NGX_MNTREAMER_TRANSFER_TIMEOUT,           /* connect, total or stall */
    NGX_MNTREAMER_TRANSFER_CUT,               /* fewer bytes than promised */
    NGX_MNTREAMER_TRANSFER_TOO_LARGE,         /* decoded bytes or headers */
    NGX_MNTREAMER_TRANSFER_FORBIDDEN,         /* address, scheme, port, or
                                                 redirect */
    NGX_MNTREAMER_TRANSFER_REFUSED,           /* the sink said no */
    NGX_MNTREAMER_TRANSFER_FAILED,            /* anything else */
    NGX_MNTREAMER_TRANSFER_MAX
} ngx_mntreamer_transfer_rc_e;

/* "timeout", "tls", ... : for logs, metrics and reasons */
const char *ngx_mntreamer_transfer_name(ngx_uint_t rc);


typedef struct {
    ngx_uint_t     rc;                        /* ngx_mntreamer_transfer_rc_e */
    ngx_uint_t     http;                      /* status, 0 without an answer */
    off_t          content_length;            /* on the wire; -1: not told */
    off_t          received;                  /* decoded bytes */
    off_t          range_start;               /* of Content-Range; -1: none */
    off_t          range_length;
    ngx_str_t      content_type;              /* aliases, valid in done() */
    ngx_str_t      retry_after;
    ngx_str_t      url;                       /* effective, after redirects */
    ngx_str_t      body;                      /* without a sink */
    ngx_msec_t     total_ms;
    ngx_uint_t     encoded;                   /* unsigned encoded:1; a
                                                 Content-Encoding was undone */
} ngx_mntreamer_answer_t;


/*
 * body(): a piece of a 2xx answer's body, in order; return NGX_OK, or
 * NGX_ERROR to end the transfer with REFUSED.  Must not start or cancel
 * transfers.  With a sink the bodies of other answers are dropped.
 * done(): exactly once, from the event loop, never from _start() or after
 * _cancel(); the transfer is gone when it returns.
 */
typedef ngx_int_t (*ngx_mntreamer_body_pt)(void *data,
    const ngx_mntreamer_answer_t *head, u_char *p, size_t len);
typedef void (*ngx_mntreamer_done_pt)(void *data,
    const ngx_mntreamer_answer_t *answer);

typedef struct {
    ngx_str_t              url;               /* absolute http(s) */
    ngx_str_t              user_agent;
    ngx_str_t              cookie;            /* for the URL's own host only */
    ngx_str_t             *headers;           /* "Name: value" */
    ngx_uint_t             nheaders;
    ngx_str_t              proxy;             /* URL; empty: none at all, also
                                                 not from the environment */
    ngx_str_t              post;              /* a body to POST, with a
                                                 connection of its own; empty:
                                                 GET */
    off_t                  range_start;
    off_t                  range_length;      /* 0: no range */
    off_t                  max_bytes;         /* decoded; no 0 in these */
    ngx_msec_t             connect_ms;
    ngx_msec_t             total_ms;
    ngx_msec_t             stall_ms;          /* no byte for so long */
    ngx_uint_t             redirects;         /* 0 .. 3 */
    ngx_uint_t             encodings;         /* unsigned :1; ask for gzip */
    ngx_uint_t             trusted;           /* unsigned :1; the configuration
                                                 names the host: any address
                                                 and port; no redirects */
    ngx_mntreamer_body_pt  body;              /* NULL: into answer->body */
    ngx_mntreamer_done_pt  done;
    void                  *data;              /* alias, of both */
    ngx_log_t             *log;
} ngx_mntreamer_request_t;


typedef struct {
    ngx_array_t           *fetch_allow;       /* of ngx_cidr_t, or NULL; beside
                                                 these only public addresses */
    ngx_uint_t             max_connections;   /* of this worker;
                                                 0: by nginx's own */
    ngx_uint_t             max_host_connections;
    ngx_array_t           *ports;             /* in_port_t, host order; NULL:
                                                 80, 443; for addresses of
                                                 fetch_allow any is allowed */
    ngx_str_t              ca_file;           /* empty: the system's */
} ngx_mntreamer_curl_conf_t;

typedef struct {
    ngx_uint_t             running;           /* transfers under way */
    ngx_uint_t             started;           /* ever */
    ngx_uint_t             by_rc[NGX_MNTREAMER_TRANSFER_MAX];
} ngx_mntreamer_curl_stat_t;


/* one per worker; "conf" must outlive it; NULL: logged */
ngx_mntreamer_curl_t *ngx_mntreamer_curl_create(
    const ngx_mntreamer_curl_conf_t *conf, ngx_log_t *log);

/* ends all transfers without calling done(); leaves no descriptor behind */
void ngx_mntreamer_curl_destroy(ngx_mntreamer_curl_t *curl);

/*
 * Starts a transfer; "req" is copied.  NULL (logged) when a limit is missing
 * or memory is gone; done() is then never called.
 */
ngx_mntreamer_transfer_t *ngx_mntreamer_curl_start(ngx_mntreamer_curl_t *curl,
    const ngx_mntreamer_request_t *req);
void ngx_mntreamer_curl_cancel(ngx_mntreamer_transfer_t *tr);

const ngx_mntreamer_curl_stat_t *ngx_mntreamer_curl_stat(
    ngx_mntreamer_curl_t *curl);


/*
 * 1 when an address may be connected to: public unicast that is not one of
 * this machine, or in "allow".
 * Looks through IPv4-mapped, NAT64 (64:ff9b::/96) and 6to4 forms.
 */
ngx_uint_t ngx_mntreamer_address_allowed(struct sockaddr *sa,
    ngx_array_t *allow);

/* 1 when the host of "url" is an address that may not be connected to */
ngx_uint_t ngx_mntreamer_curl_forbids(const ngx_mntreamer_curl_conf_t *conf,
    const char *url);


#endif /* _NGX_MNTREAMER_CURL_H_INCLUDED_ */
