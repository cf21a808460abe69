
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * What is sent to us needs no platform to be asked: the hooks have told the
 * database.  Its answer is a probe like any other; the address of the playlist
 * is the name of the broadcast.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_monitor_internal.h"


static void ngx_mntreamer_pushed_done(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_pushed_read(const ngx_mntreamer_result_t *result,
    mnt_probe_t *probe);
static mnt_str_t ngx_mntreamer_pushed_text(
    const ngx_mntreamer_result_t *result, ngx_uint_t column);


ngx_int_t
ngx_mntreamer_pushed_send(ngx_mntreamer_probing_t *p)
{
    p->statement = ngx_mntreamer_catalog_broadcast_latest(p->lane->mon->cat,
                                               p->lane->conf->platform->id,
                                               &p->channel,
                                               ngx_mntreamer_pushed_done, p);

    return p->statement ? NGX_OK : NGX_ERROR;
}


static void
ngx_mntreamer_pushed_done(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_probing_t *p = data;

    mnt_probe_t  probe;

    p->statement = NULL;

    ngx_memzero(&probe, sizeof(mnt_probe_t));

    probe.outcome = MNT_PROBE_OFFLINE;
    probe.opened_ms = MNT_DATE_NONE;
    probe.closed_ms = MNT_DATE_NONE;
    probe.viewers = -1;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        probe.outcome = MNT_PROBE_TRANSIENT;
        probe.reason = mnt_str_c("database");

    } else if (result->nrows) {
        ngx_mntreamer_pushed_read(result, &probe);
    }

    /* it ended before it was claimed: only its broadcasts say so */

    if (p->kind == NGX_MNTREAMER_PROBING_CLAIM
        && probe.outcome == MNT_PROBE_OFFLINE)
    {
        probe.outcome = MNT_PROBE_TRANSIENT;
        probe.reason = mnt_str_c("ended");
    }

    ngx_mntreamer_probing_deliver(p, &probe);
}


/* of one that is over, too: what is left of it may still be taken */

static void
ngx_mntreamer_pushed_read(const ngx_mntreamer_result_t *result,
    mnt_probe_t *probe)
{
    ngx_uint_t  open, here;

    open = ngx_mntreamer_rows_bool(result->rows, 0,
                                   NGX_MNTREAMER_BROADCAST_OPEN);
    here = ngx_mntreamer_rows_bool(result->rows, 0,
                                   NGX_MNTREAMER_BROADCAST_HERE);

    if (open) {
        probe->outcome = here ? MNT_PROBE_LIVE : MNT_PROBE_TRANSIENT;
        probe->reason = mnt_str_c(here ? "" : "elsewhere");
    }

    if (here) {
        probe->playlist_url = ngx_mntreamer_pushed_text(result,
                                               NGX_MNTREAMER_BROADCAST_NAME);
        probe->earlier_url = ngx_mntreamer_pushed_text(result,
                                             NGX_MNTREAMER_BROADCAST_EARLIER);
    }

    probe->broadcast_id = ngx_mntreamer_pushed_text(result,
                                             NGX_MNTREAMER_BROADCAST_SERIES);
    probe->title = ngx_mntreamer_pushed_text(result,
                                             NGX_MNTREAMER_BROADCAST_TITLE);
    probe->category = ngx_mntreamer_pushed_text(result,
                                            NGX_MNTREAMER_BROADCAST_CATEGORY);
    probe->channel_name = ngx_mntreamer_pushed_text(result,
                                            NGX_MNTREAMER_BROADCAST_CHANNEL);
    probe->opened_ms = ngx_mntreamer_rows_i64(result->rows, 0,
                                              NGX_MNTREAMER_BROADCAST_STARTED,
                                              MNT_DATE_NONE);
}


static mnt_str_t
ngx_mntreamer_pushed_text(const ngx_mntreamer_result_t *result,
    ngx_uint_t column)
{
    ngx_str_t  value;
    mnt_str_t  text;

    value = ngx_mntreamer_rows_get(result->rows, 0, column);

    text.data = (const char *) value.data;
    text.len = value.len;

    return text;
}
