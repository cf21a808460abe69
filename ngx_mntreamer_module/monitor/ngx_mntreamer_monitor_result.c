
/*
 * Copyright (C) the mntreamer authors
 */


/* what a probe of a due streamer leads to: a row, a log line, a recording */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_monitor_internal.h"
#include "../base/mnt_url.h"


#define NGX_MNTREAMER_MONITOR_TITLE  200      /* bytes of a title in a log */
#define NGX_MNTREAMER_MONITOR_DAY    86400000
#define NGX_MNTREAMER_MONITOR_BARRED 300000  /* a wrong answer of DNS passes */
#define NGX_MNTREAMER_MONITOR_PUSHED 1000


static void ngx_mntreamer_monitor_live(ngx_mntreamer_probing_t *p,
    const mnt_probe_t *probe, ngx_mntreamer_probe_row_t *row,
    const u_char *label);
static void ngx_mntreamer_monitor_pause(ngx_mntreamer_probing_t *p,
    const mnt_probe_t *probe, ngx_mntreamer_probe_row_t *row);
static ngx_uint_t ngx_mntreamer_monitor_new(ngx_mntreamer_probing_t *p,
    const mnt_probe_t *probe);
static void ngx_mntreamer_monitor_noticed(ngx_mntreamer_probing_t *p,
    const mnt_probe_t *probe, const u_char *label);
static void ngx_mntreamer_monitor_forbidden(ngx_mntreamer_probing_t *p,
    const mnt_probe_t *probe, const u_char *label);
static void ngx_mntreamer_monitor_facts(ngx_mntreamer_facts_t *facts,
    const mnt_probe_t *probe);
static u_char *ngx_mntreamer_monitor_printable(u_char *buf, size_t size,
    mnt_str_t text);
static ngx_str_t ngx_mntreamer_monitor_text(mnt_str_t s);


void
ngx_mntreamer_monitor_result(ngx_mntreamer_probing_t *p,
    const mnt_probe_t *probe)
{
    u_char                      label[NGX_MNTREAMER_MONITOR_LABEL];
    ngx_uint_t                  on_air;
    ngx_mntreamer_claim_t      *claim;
    ngx_mntreamer_monitor_t    *mon;
    ngx_mntreamer_probe_row_t   row;

    mon = p->lane->mon;
    claim = &p->claim;

    (void) ngx_mntreamer_monitor_label(p->lane, &p->channel, label);

    on_air = (probe->outcome == MNT_PROBE_LIVE
              || probe->outcome == MNT_PROBE_LIVE_NOT_PLAYABLE);

    if (on_air) {
        if (ngx_mntreamer_monitor_new(p, probe)) {
            ngx_mntreamer_monitor_noticed(p, probe, label);
        }

    } else if (claim->streaming && mnt_probe_conclusive(probe->outcome)) {
        ngx_log_error(NGX_LOG_NOTICE, mon->log, 0,
                      "mntreamer: went off the air \"%s\"", label);
    }

    ngx_mntreamer_monitor_forbidden(p, probe, label);

    ngx_memzero(&row, sizeof(ngx_mntreamer_probe_row_t));

    row.streamer_id = claim->streamer_id;
    row.epoch = claim->epoch;
    row.outcome = probe->outcome;
    row.reason = ngx_mntreamer_monitor_text(probe->reason);

    ngx_mntreamer_monitor_pause(p, probe, &row);
    ngx_mntreamer_monitor_facts(&row.facts, probe);

    if (probe->outcome == MNT_PROBE_LIVE) {
        ngx_mntreamer_monitor_live(p, probe, &row, label);
    }

    ngx_mntreamer_catalog_probed(mon->cat, &row);

    if (!row.keep) {
        ngx_mntreamer_lane_due(p->lane, (ngx_msec_t) row.next_ms);
    }

    ngx_log_error(NGX_LOG_INFO, mon->log, 0,
                  "mntreamer: probed \"%s\": %s%s%V, next in %L ms", label,
                  mnt_probe_name(probe->outcome), row.reason.len ? " " : "",
                  &row.reason, row.next_ms);
}


static void
ngx_mntreamer_monitor_live(ngx_mntreamer_probing_t *p,
    const mnt_probe_t *probe, ngx_mntreamer_probe_row_t *row,
    const u_char *label)
{
    ngx_int_t                 rc;
    ngx_uint_t                level;
    ngx_mntreamer_claim_t    *claim;
    ngx_mntreamer_monitor_t  *mon;

    mon = p->lane->mon;
    claim = &p->claim;

    level = ngx_mntreamer_monitor_new(p, probe) ? NGX_LOG_ERR : NGX_LOG_INFO;

    if (claim->quality.len == 0) {
        claim->quality = p->lane->conf->quality;
    }

    /* the known broadcast was for us: the recorder reads the probe's */

    ngx_str_null(&claim->broadcast_id);

    rc = mon->stopped ? NGX_DECLINED
                      : mon->handlers.live(mon->handlers.data, claim, probe);

    if (rc == NGX_OK) {
        row->keep = 1;
        row->next_ms = (int64_t) mon->conf->refresh_ms;
        return;
    }

    if (rc == NGX_BUSY) {
        ngx_str_set(&row->reason, "no-room");

        ngx_mntreamer_metrics_add(mon->metrics, NGX_MNTREAMER_M_NO_ROOM, 0, 1);

        ngx_log_error(level, mon->log, 0,
                      "mntreamer: \"%s\" is on air but not recorded: no room",
                      label);
    }
}


/*
 * Each probe that does not find it on air is a miss, whatever kept it from
 * that, but a refusal: that was nothing about the streamer.  On air and not
 * playable is not off the air: it counts as one start that failed, however
 * often it is found so.  What may change any moment is asked again after the
 * first step, an address that is forbidden after the last one or some minutes.
 */

static void
ngx_mntreamer_monitor_pause(ngx_mntreamer_probing_t *p,
    const mnt_probe_t *probe, ngx_mntreamer_probe_row_t *row)
{
    int64_t                              pause, left;
    uint64_t                             step;
    uint32_t                             rnd;
    const ngx_mntreamer_monitor_conf_t  *conf;

    conf = p->lane->mon->conf;

    /* what is sent to us is not looked for, and its files wait for seconds */

    if (p->lane->conf->platform->pushed) {
        row->next_ms = NGX_MNTREAMER_MONITOR_PUSHED;
        return;
    }

    row->misses = p->claim.misses + 1;
    step = row->misses;

    switch (probe->outcome) {

    case MNT_PROBE_LIVE:
        row->misses = 0;
        step = 1;
        break;

    case MNT_PROBE_LIVE_NOT_PLAYABLE:
        row->misses = 1;
        step = 1;
        break;

    case MNT_PROBE_TRANSIENT:
        step = 1;
        break;

    case MNT_PROBE_RATE_LIMITED:
        row->misses = p->claim.misses;
        step = 1;
        break;

    default:
        left = p->claim.pause_ms - (int64_t) (ngx_current_msec - p->since);

        /* from question to question, unless the answer took for so long */

        if (probe->retry_after_ms <= 0 && left > 0) {
            row->planned = 1;
            row->next_ms = left;
            return;
        }

        break;
    }

    rnd = ((uint32_t) ngx_random() << 16) ^ (uint32_t) ngx_random();

    pause = mnt_backoff_next(&conf->backoff, step, rnd,
                             (unsigned) conf->spread_pct);

    if (probe->outcome == MNT_PROBE_RATE_LIMITED && probe->retry_after_ms > 0)
    {
        pause = probe->retry_after_ms;

    } else if (mnt_str_eqc(probe->reason, ngx_mntreamer_transfer_name(
                                            NGX_MNTREAMER_TRANSFER_FORBIDDEN)))
    {
        pause = mnt_backoff_next(&conf->backoff, conf->backoff.total, rnd,
                                 (unsigned) conf->spread_pct);
        pause = ngx_min(pause, NGX_MNTREAMER_MONITOR_BARRED);
    }

    row->next_ms = ngx_max(pause, probe->retry_after_ms);
}


static ngx_uint_t
ngx_mntreamer_monitor_new(ngx_mntreamer_probing_t *p, const mnt_probe_t *probe)
{
    ngx_str_t  *known;

    known = &p->claim.broadcast_id;

    if (!p->claim.streaming) {
        return 1;
    }

    return known->len && probe->broadcast_id.len
           && (known->len != probe->broadcast_id.len
               || ngx_memcmp(known->data, probe->broadcast_id.data,
                             known->len) != 0);
}


static void
ngx_mntreamer_monitor_noticed(ngx_mntreamer_probing_t *p,
    const mnt_probe_t *probe, const u_char *label)
{
    u_char                    title[NGX_MNTREAMER_MONITOR_TITLE];
    int64_t                   delay;
    ngx_time_t               *tp;
    ngx_mntreamer_monitor_t  *mon;

    mon = p->lane->mon;

    ngx_mntreamer_metrics_add(mon->metrics, NGX_MNTREAMER_M_WENT_LIVE, 0, 1);

    ngx_log_error(NGX_LOG_NOTICE, mon->log, 0,
                  "mntreamer: went live \"%s\" title \"%s\"", label,
                  ngx_mntreamer_monitor_printable(title, sizeof(title),
                                                  probe->title));

    if (probe->opened_ms <= 0) {
        return;
    }

    tp = ngx_timeofday();
    delay = (int64_t) tp->sec * 1000 + (int64_t) tp->msec - probe->opened_ms;

    /* it was on air for long when we began to look */

    if (delay < NGX_MNTREAMER_MONITOR_DAY) {
        ngx_mntreamer_metrics_observe(mon->metrics,
                                      NGX_MNTREAMER_M_DETECTION_MS,
                                      ngx_max(delay, 0));
    }
}


/* only its own configuration mends that: told once until it changes */

static void
ngx_mntreamer_monitor_forbidden(ngx_mntreamer_probing_t *p,
    const mnt_probe_t *probe, const u_char *label)
{
    int64_t                  *told;
    ngx_mntreamer_monitor_t  *mon;

    mon = p->lane->mon;
    told = &mon->forbidden[p->claim.streamer_id
                           % NGX_MNTREAMER_MONITOR_FORBIDDEN];

    if (probe->outcome != MNT_PROBE_TRANSIENT
        || !mnt_str_eq(probe->reason, mnt_str_c("forbidden")))
    {
        if (*told == p->claim.streamer_id) {
            *told = 0;
        }

        return;
    }

    if (*told == p->claim.streamer_id) {
        return;
    }

    *told = p->claim.streamer_id;

    ngx_log_error(NGX_LOG_WARN, mon->log, 0,
                  "mntreamer: \"%s\" is refused: its address or port is not "
                  "a public one, \"fetch_allow\" must name the address",
                  label);
}


static void
ngx_mntreamer_monitor_facts(ngx_mntreamer_facts_t *facts,
    const mnt_probe_t *probe)
{
    facts->broadcast_id = ngx_mntreamer_monitor_text(probe->broadcast_id);
    facts->title = ngx_mntreamer_monitor_text(probe->title);
    facts->category = ngx_mntreamer_monitor_text(probe->category);
    facts->channel_name = ngx_mntreamer_monitor_text(probe->channel_name);
    facts->image = ngx_mntreamer_monitor_text(probe->image_url);
    facts->opened_ms = probe->opened_ms;
    facts->viewers = probe->viewers;
}


/* a channel may be the URL of a playlist, with a secret in it */

u_char *
ngx_mntreamer_monitor_label(ngx_mntreamer_lane_t *lane,
    const ngx_str_t *channel, u_char *buf)
{
    char        url[NGX_MNTREAMER_MONITOR_LABEL];
    mnt_str_t   text;
    u_char     *p, *last;

    text.data = (const char *) channel->data;
    text.len = channel->len;

    if (lane->conf->platform->api == NULL) {
        text.len = mnt_url_redact(text, url, sizeof(url));
        text.data = url;
    }

    last = buf + NGX_MNTREAMER_MONITOR_LABEL;
    p = ngx_slprintf(buf, last, "%s/", lane->conf->platform->name);

    (void) ngx_mntreamer_monitor_printable(p, last - p, text);

    return buf;
}


/* one line, terminated: control characters and quotes are replaced */

static u_char *
ngx_mntreamer_monitor_printable(u_char *buf, size_t size, mnt_str_t text)
{
    size_t  i;
    u_char  ch;

    text = mnt_str_utf8_cut(text, size - 1);

    for (i = 0; i < text.len; i++) {
        ch = (u_char) text.data[i];
        buf[i] = (ch < ' ' || ch == 0x7f) ? ' ' : (ch == '"') ? '\'' : ch;
    }

    buf[i] = '\0';

    return buf;
}


static ngx_str_t
ngx_mntreamer_monitor_text(mnt_str_t s)
{
    ngx_str_t  t;

    t.data = (u_char *) s.data;
    t.len = s.len;

    return t;
}
