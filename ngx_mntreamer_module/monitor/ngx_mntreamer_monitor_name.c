
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Names of channels that nginx.conf lists by their ids: a platform is asked
 * once for each, and again later and later when that failed.  It happens
 * beside the probing: a few at a time, behind all other questions, and only
 * while half of the permits are free.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_monitor_internal.h"


#define NGX_MNTREAMER_NAME_BATCH  8
#define NGX_MNTREAMER_NAME_PAUSE  10000       /* when there was none */


static void ngx_mntreamer_name_claimed(void *data, ngx_uint_t rc,
    ngx_mntreamer_claim_t *claims, ngx_uint_t n, int64_t next_ms);
static void ngx_mntreamer_name_found(void *data, ngx_uint_t outcome,
    const mnt_channel_t *channel, ngx_str_t *reason);


void
ngx_mntreamer_monitor_names(ngx_mntreamer_lane_t *lane)
{
    ngx_mntreamer_monitor_t  *mon;

    mon = lane->mon;

    if (!mon->up || mon->stopped || lane->naming
        || lane->conf->platform->lookup == NULL
        || !ngx_queue_empty(&lane->turns[NGX_MNTREAMER_TURN_NAME])
        || (ngx_msec_int_t) (lane->name_ms - ngx_current_msec) > 0)
    {
        return;
    }

    if (ngx_mntreamer_catalog_nameless(mon->cat, lane->conf->platform->id,
                                       NGX_MNTREAMER_NAME_BATCH,
                                       ngx_mntreamer_name_claimed, lane)
        == NGX_OK)
    {
        lane->naming = 1;
    }
}


static void
ngx_mntreamer_name_claimed(void *data, ngx_uint_t rc,
    ngx_mntreamer_claim_t *claims, ngx_uint_t n, int64_t next_ms)
{
    ngx_mntreamer_lane_t *lane = data;

    ngx_uint_t                i;
    ngx_mntreamer_probing_t  *p;

    lane->naming = 0;
    lane->name_ms = ngx_current_msec;

    if (n < NGX_MNTREAMER_NAME_BATCH) {
        lane->name_ms += NGX_MNTREAMER_NAME_PAUSE;
    }

    for (i = 0; i < n && !lane->mon->stopped; i++) {
        p = ngx_mntreamer_probing_create(lane, NGX_MNTREAMER_PROBING_LOOKUP,
                                         NGX_MNTREAMER_TURN_NAME, &claims[i]);
        if (p == NULL) {
            break;
        }

        p->request = MNT_REQUEST_CHANNEL;
        p->done.found = ngx_mntreamer_name_found;
        p->data = p;
    }

    ngx_mntreamer_monitor_wake(lane->mon);
}


static void
ngx_mntreamer_name_found(void *data, ngx_uint_t outcome,
    const mnt_channel_t *channel, ngx_str_t *reason)
{
    ngx_mntreamer_probing_t *p = data;

    ngx_str_t  name;

    if ((outcome == MNT_PROBE_LIVE || outcome == MNT_PROBE_OFFLINE)
        && channel->channel_name.len)
    {
        name.data = (u_char *) channel->channel_name.data;
        name.len = channel->channel_name.len;

        ngx_mntreamer_catalog_named(p->lane->mon->cat, p->claim.streamer_id,
                                    &name);
    }
}
