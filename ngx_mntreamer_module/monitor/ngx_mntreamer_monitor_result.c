
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_monitor_internal.h"


#define NGX_MNTREAMER_DETECTION_MAX  (24 * 3600 * (int64_t) 1000)


static void ngx_mntreamer_monitor_next(ngx_mntreamer_monitor_t *mon,
    const mnt_probe_t *probe, ngx_mntreamer_probe_row_t *row);
static void ngx_mntreamer_monitor_facts(ngx_mntreamer_facts_t *facts,
    const mnt_probe_t *probe);
static void ngx_mntreamer_monitor_live(ngx_mntreamer_monitor_t *mon,
    ngx_mntreamer_monitor_platform_t *p, const ngx_mntreamer_claim_t *claim,
    const mnt_probe_t *probe, ngx_mntreamer_probe_row_t *row);


static ngx_str_t
ngx_mntreamer_monitor_str(mnt_str_t s)
{
    ngx_str_t  t;

    t.data = (u_char *) s.data;
    t.len = s.len;

    return t;
}


void
ngx_mntreamer_monitor_result(ngx_mntreamer_monitor_t *mon,
    ngx_mntreamer_monitor_platform_t *p, const ngx_mntreamer_claim_t *claim,
    const mnt_probe_t *probe)
{
    ngx_mntreamer_probe_row_t  row;

    ngx_memzero(&row, sizeof(ngx_mntreamer_probe_row_t));

    row.streamer_id = claim->streamer_id;
    row.epoch = claim->epoch;
    row.outcome = probe->outcome;
    row.reason = ngx_mntreamer_monitor_str(probe->reason);
    row.misses = claim->misses;

    ngx_mntreamer_monitor_facts(&row.facts, probe);
    ngx_mntreamer_monitor_next(mon, probe, &row);

    if (probe->outcome == MNT_PROBE_LIVE) {
        ngx_mntreamer_monitor_live(mon, p, claim, probe, &row);
    }

    ngx_log_error(NGX_LOG_INFO, mon->log, 0,
                  "mntreamer: probed \"%s/%V\": %s%s%*s, next in %L ms",
                  p->conf->platform->name, &claim->channel_id,
                  mnt_probe_name(probe->outcome), row.reason.len ? " " : "",
                  (size_t) ngx_min(row.reason.len, 100), row.reason.data,
                  row.next_ms);

    ngx_mntreamer_catalog_probed(mon->cat, &row);
}


/*
 * MON-04, MON-05: everything but live counts a miss; what the ladder makes of
 * it depends on the outcome.
 */

static void
ngx_mntreamer_monitor_next(ngx_mntreamer_monitor_t *mon,
    const mnt_probe_t *probe, ngx_mntreamer_probe_row_t *row)
{
    uint64_t  step;
    uint32_t  rnd;

    rnd = (uint32_t) ngx_random();

    switch (probe->outcome) {

    case MNT_PROBE_LIVE:
        row->misses = 0;
        step = 1;
        break;

    case MNT_PROBE_RATE_LIMITED:

        /* it says nothing about the streamer */

        step = 1;
        break;

    case MNT_PROBE_TRANSIENT:
    case MNT_PROBE_LIVE_NOT_PLAYABLE:
        row->misses++;
        step = 1;
        break;

    default:
        row->misses++;
        step = row->misses;
        break;
    }

    row->next_ms = mnt_backoff_next(&mon->conf->backoff, step, rnd,
                                    (unsigned) mon->conf->spread_pct);

    if (probe->outcome == MNT_PROBE_RATE_LIMITED) {
        row->next_ms = ngx_max(probe->retry_after_ms, 1000);

    } else {
        row->next_ms = ngx_max(row->next_ms, probe->retry_after_ms);
    }
}


static void
ngx_mntreamer_monitor_facts(ngx_mntreamer_facts_t *facts,
    const mnt_probe_t *probe)
{
    facts->broadcast_id = ngx_mntreamer_monitor_str(probe->broadcast_id);
    facts->title = ngx_mntreamer_monitor_str(probe->title);
    facts->category = ngx_mntreamer_monitor_str(probe->category);
    facts->channel_name = ngx_mntreamer_monitor_str(probe->channel_name);
    facts->image = ngx_mntreamer_monitor_str(probe->image_url);
    facts->opened_ms = probe->opened_ms;
    facts->viewers = probe->viewers;
}


/* length of a title that may stand in a log line, which nginx escapes not */

static ngx_str_t
ngx_mntreamer_monitor_loggable(mnt_str_t text, u_char *buf, size_t size)
{
    size_t     i;
    ngx_str_t  s;

    text = mnt_str_utf8_cut(text, size);

    for (i = 0; i < text.len; i++) {
        buf[i] = (u_char) text.data[i];

        if (buf[i] < 0x20 || buf[i] == 0x7f || buf[i] == '"') {
            buf[i] = ' ';
        }
    }

    s.data = buf;
    s.len = text.len;

    return s;
}


static void
ngx_mntreamer_monitor_live(ngx_mntreamer_monitor_t *mon,
    ngx_mntreamer_monitor_platform_t *p, const ngx_mntreamer_claim_t *claim,
    const mnt_probe_t *probe, ngx_mntreamer_probe_row_t *row)
{
    u_char      buf[128];
    int64_t     late;
    ngx_str_t   title;
    ngx_time_t *tp;

    title = ngx_mntreamer_monitor_loggable(probe->title, buf, sizeof(buf));

    ngx_log_error(NGX_LOG_NOTICE, mon->log, 0,
                  "mntreamer: went live \"%s/%V\" title \"%V\"",
                  p->conf->platform->name, &claim->channel_id, &title);

    ngx_mntreamer_metrics_add(mon->metrics, NGX_MNTREAMER_M_WENT_LIVE, 0, 1);

    if (probe->opened_ms != MNT_DATE_NONE) {
        tp = ngx_timeofday();
        late = (int64_t) tp->sec * 1000 + (int64_t) tp->msec
               - probe->opened_ms;

        if (late < NGX_MNTREAMER_DETECTION_MAX) {
            ngx_mntreamer_metrics_observe(mon->metrics,
                                          NGX_MNTREAMER_M_DETECTION_MS,
                                          ngx_max(late, 0));
        }
    }

    if (!mon->stopped
        && mon->handlers.live(mon->handlers.data, claim, probe) == NGX_OK)
    {
        row->keep = 1;
    }
}
