
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_MONITOR_INTERNAL_H_INCLUDED_
#define _NGX_MNTREAMER_MONITOR_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_monitor.h"
#include "mnt_limiter.h"
#include "../base/mnt_memo.h"
#include "../loop/ngx_mntreamer_inject.h"
#include "../loop/ngx_mntreamer_spare.h"
#include "../loop/ngx_mntreamer_watch.h"


#define NGX_MNTREAMER_MONITOR_LIMITERS  32    /* platforms in the zone */
#define NGX_MNTREAMER_MONITOR_LABEL     160   /* bytes of a channel in a log */
#define NGX_MNTREAMER_MONITOR_FORBIDDEN  256


typedef struct {
    mnt_limiter_t                limiters[NGX_MNTREAMER_MONITOR_LIMITERS];
} ngx_mntreamer_monitor_zone_t;


typedef enum {
    NGX_MNTREAMER_PROBING_CLAIM = 0,          /* of a due streamer */
    NGX_MNTREAMER_PROBING_ASK,                /* for somebody else */
    NGX_MNTREAMER_PROBING_LOOKUP
} ngx_mntreamer_probing_kind_e;

/* whose turn it is when a permit is free: the lowest that waits */

typedef enum {
    NGX_MNTREAMER_TURN_ASK = 0,               /* recorder; second questions */
    NGX_MNTREAMER_TURN_LOOKUP,
    NGX_MNTREAMER_TURN_CLAIM,
    NGX_MNTREAMER_TURN_NAME,                  /* while permits are plenty */
    NGX_MNTREAMER_TURNS
} ngx_mntreamer_turn_e;


/* a platform as this worker asks it */

typedef struct {
    ngx_mntreamer_monitor_t               *mon;      /* alias */
    const ngx_mntreamer_platform_conf_t   *conf;     /* alias */
    mnt_limiter_t                         *limiter;  /* shared; NULL: none */
    ngx_queue_t                            turns[NGX_MNTREAMER_TURNS];
    ngx_uint_t                             queued;   /* but names */
    ngx_uint_t                             claimed;  /* these and running */
    mnt_memo_t                             offline;  /* bodies that said just
                                                        that; owned */

    ngx_event_t                            timer;    /* permit or claim */
    ngx_mntreamer_ident_t                  ident;
    ngx_msec_t                             due;      /* next claim */
    ngx_msec_t                             claimed_ms;
    ngx_uint_t                             waiting;  /* something is due at
                                                        "due" */
    ngx_msec_t                             name_ms;  /* names are looked for */
    unsigned                               claiming:1;
    unsigned                               naming:1;
} ngx_mntreamer_lane_t;


struct ngx_mntreamer_probing_s {
    ngx_queue_t                  queue;       /* of a turn, or running */
    ngx_mntreamer_lane_t        *lane;        /* alias */
    ngx_mntreamer_transfer_t    *transfer;    /* owned while in flight */
    ngx_mntreamer_statement_t   *statement;   /* alike, of a pushed one */
    ngx_uint_t                   kind;        /* probing_kind_e */
    mnt_request_e                request;
    int64_t                      sent_ms;     /* its permit */
    ngx_msec_t                   since;       /* claimed */
    ngx_mntreamer_claim_t        claim;       /* texts behind the struct */
    ngx_str_t                    channel;     /* or what is looked up */
    const char                  *failed;      /* why nothing is asked */

    union {
        ngx_mntreamer_probed_pt  probed;
        ngx_mntreamer_lookup_pt  found;
    } done;
    void                        *data;        /* alias */

    unsigned                     api:1;       /* sent to the API */
    unsigned                     running:1;
    unsigned                     counted:1;   /* in lane->queued */
    unsigned                     delivering:1;
};


struct ngx_mntreamer_monitor_s {
    const ngx_mntreamer_monitor_conf_t  *conf;       /* alias */
    ngx_mntreamer_monitor_handlers_t     handlers;
    ngx_mntreamer_curl_t                *curl;       /* alias, as all below */
    ngx_mntreamer_catalog_t             *cat;
    ngx_mntreamer_metrics_t             *metrics;
    ngx_log_t                           *log;
    ngx_mntreamer_monitor_zone_t        *zone;       /* shared */

    ngx_mntreamer_lane_t                *lanes;      /* owned */
    ngx_uint_t                           nlanes;

    ngx_uint_t                           workers;    /* they share permits */
    ngx_uint_t                           most;       /* probes under way */

    ngx_queue_t                          running;    /* probings in flight */
    ngx_uint_t                           nrunning;
    ngx_uint_t                           answer_ms;  /* mean, in 1/16 ms */

    /* ids of streamers told to be forbidden, by their remainder */
    int64_t                       forbidden[NGX_MNTREAMER_MONITOR_FORBIDDEN];

    ngx_event_t                          tick;
    ngx_event_t                          post;
    ngx_mntreamer_ident_t                ident;
    ngx_uint_t                           ticks;

    unsigned                             up:1;       /* the catalogue */
    unsigned                             stopped:1;
    unsigned                             resuming:1; /* recordings are asked
                                                        for */
    unsigned                             resume:1;   /* ask for them */
};


/* ngx_mntreamer_monitor.c */

/* runs the queues soon, not from here */
void ngx_mntreamer_monitor_wake(ngx_mntreamer_monitor_t *mon);
ngx_mntreamer_lane_t *ngx_mntreamer_monitor_lane(ngx_mntreamer_monitor_t *mon,
    ngx_int_t platform_id);
/* something is due in "ms"; an earlier time stays */
void ngx_mntreamer_lane_due(ngx_mntreamer_lane_t *lane, ngx_msec_t ms);


/* ngx_mntreamer_monitor_limit.c: the limiter, locked */

int64_t ngx_mntreamer_monitor_clock(void);
int64_t ngx_mntreamer_limit_take(ngx_mntreamer_lane_t *lane, int64_t *sent_ms);
/* the pause until a permit may be free */
int64_t ngx_mntreamer_limit_wait(ngx_mntreamer_lane_t *lane);
ngx_uint_t ngx_mntreamer_limit_free(ngx_mntreamer_lane_t *lane);
void ngx_mntreamer_limit_done(ngx_mntreamer_lane_t *lane, int64_t sent_ms,
    ngx_uint_t accepted);
int64_t ngx_mntreamer_limit_refused(ngx_mntreamer_lane_t *lane,
    int64_t sent_ms, int64_t retry_after_ms);


/* ngx_mntreamer_monitor_probe.c */

/* a probing that waits for its turn; NULL: memory is gone */
ngx_mntreamer_probing_t *ngx_mntreamer_probing_create(
    ngx_mntreamer_lane_t *lane, ngx_uint_t kind, ngx_uint_t turn,
    const ngx_mntreamer_claim_t *claim);
void ngx_mntreamer_probing_free(ngx_mntreamer_probing_t *p);
/* sends what has a permit; the pause until the next, -1: nothing waits */
int64_t ngx_mntreamer_probing_pump(ngx_mntreamer_lane_t *lane);
/* its end; it is gone behind that */
void ngx_mntreamer_probing_deliver(ngx_mntreamer_probing_t *p,
    const mnt_probe_t *probe);


/* ngx_mntreamer_monitor_pushed.c: what is sent to us */

/* asks the database; NGX_ERROR: not now */
ngx_int_t ngx_mntreamer_pushed_send(ngx_mntreamer_probing_t *p);


/* ngx_mntreamer_monitor_name.c: asks for the names of a few channels */

void ngx_mntreamer_monitor_names(ngx_mntreamer_lane_t *lane);


/* ngx_mntreamer_monitor_result.c */

/* the claimed streamer was asked about */
void ngx_mntreamer_monitor_result(ngx_mntreamer_probing_t *p,
    const mnt_probe_t *probe);
/* "chzzk/0123...": a channel as the log may show it; terminated */
u_char *ngx_mntreamer_monitor_label(ngx_mntreamer_lane_t *lane,
    const ngx_str_t *channel, u_char *buf);


#endif /* _NGX_MNTREAMER_MONITOR_INTERNAL_H_INCLUDED_ */
