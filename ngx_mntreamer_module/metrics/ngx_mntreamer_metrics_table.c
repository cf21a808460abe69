
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "../platform/mnt_platform.h"
#include "../loop/ngx_mntreamer_curl.h"
#include "ngx_mntreamer_metrics_internal.h"


static const char *ngx_mntreamer_metrics_outcome(ngx_uint_t i);
static const char *ngx_mntreamer_metrics_result(ngx_uint_t i);
static const char *ngx_mntreamer_metrics_location(ngx_uint_t i);
static const char *ngx_mntreamer_metrics_hook(ngx_uint_t i);
static const char *ngx_mntreamer_metrics_rung(ngx_uint_t i);
static const char *ngx_mntreamer_metrics_follower(ngx_uint_t i);
static const char *ngx_mntreamer_metrics_thumbnail(ngx_uint_t i);
static const char *ngx_mntreamer_metrics_job(ngx_uint_t i);


static const char  *ngx_mntreamer_gap_names[] = {
    "source", "window", "network", "content", "disk", "key", "restart", "reset"
};

static const char  *ngx_mntreamer_metrics_results[] = {
    "news", "unchanged", "stale", "reset", "failed"
};

static const char  *ngx_mntreamer_metrics_locations[] = {
    "recordings", "api", "metrics", "health"
};

static const char  *ngx_mntreamer_metrics_rungs[] = {
    "made", "linked"
};

static const char  *ngx_mntreamer_metrics_hooks[] = {
    "done", "begun", "peer", "form", "key", "password", "live", "name",
    "closed", "away", "guesses"
};

static const char  *ngx_mntreamer_metrics_followers[] = {
    "told", "again", "degraded", "closed", "lost"
};

static const char  *ngx_mntreamer_metrics_jobs[] = {
    "done", "again", "failed", "cancelled"
};


static const ngx_uint_t  ngx_mntreamer_metrics_minutes[] = {
    1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000, 300000, 600000,
    1800000, 3600000
};

static const ngx_uint_t  ngx_mntreamer_metrics_seconds[] = {
    10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000
};

static const ngx_uint_t  ngx_mntreamer_metrics_millis[] = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000
};


#define NGX_MNTREAMER_PLAIN  NULL, 1, NULL, NULL

#define NGX_MNTREAMER_LABEL(label, n, value)  label, n, value, NULL

#define NGX_MNTREAMER_BOUNDS(bounds)  NULL, 1, NULL, bounds


/* in the order of ngx_mntreamer_metric_e */

const ngx_mntreamer_metric_t
    ngx_mntreamer_metric_table[NGX_MNTREAMER_M_MAX] =
{
    { "probes_total", "probes",
      "Questions put to platforms, by what the answer said",
      NGX_MNTREAMER_COUNTER,
      NGX_MNTREAMER_LABEL("outcome", MNT_PROBE_MAX,
                          ngx_mntreamer_metrics_outcome) },

    { "went_live_total", "went_live",
      "Channels that were found to have gone on air",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "no_room_total", "no_room",
      "Channels on air that were not recorded for lack of descriptors or "
      "connections, each time they were asked about",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "recordings_started_total", "recordings_started",
      "Recordings begun",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "recordings_resumed_total", "recordings_resumed",
      "Recordings gone on with after an interruption",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "recordings_finished_total", "recordings_finished",
      "Recordings brought to their end",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "segments_total", "segments",
      "Segments stored and listed",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "stored_bytes_total", "stored_bytes",
      "Bytes of segments stored",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "gaps_total", "gaps",
      "Holes in recordings, by cause",
      NGX_MNTREAMER_COUNTER,
      NGX_MNTREAMER_LABEL("cause", NGX_MNTREAMER_GAP_MAX,
                          ngx_mntreamer_gap_name) },

    { "lost_segments_total", "lost_segments",
      "Segments that could not be had, by cause",
      NGX_MNTREAMER_COUNTER,
      NGX_MNTREAMER_LABEL("cause", NGX_MNTREAMER_GAP_MAX,
                          ngx_mntreamer_gap_name) },

    { "lost_seconds_total", "lost_ms",
      "Length of the segments that could not be had, by cause",
      NGX_MNTREAMER_COUNTER_MS,
      NGX_MNTREAMER_LABEL("cause", NGX_MNTREAMER_GAP_MAX,
                          ngx_mntreamer_gap_name) },

    { "segment_retries_total", "segment_retries",
      "Further attempts to fetch a segment",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "playlist_loads_total", "playlist_loads",
      "Loads of live media playlists, by what they brought",
      NGX_MNTREAMER_COUNTER,
      NGX_MNTREAMER_LABEL("result", 5, ngx_mntreamer_metrics_result) },

    { "url_renewals_total", "url_renewals",
      "Playlist addresses asked for again after they had expired",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "transfers_total", "transfers",
      "HTTP transfers ended, by result",
      NGX_MNTREAMER_COUNTER,
      NGX_MNTREAMER_LABEL("result", NGX_MNTREAMER_TRANSFER_MAX,
                          ngx_mntreamer_transfer_name) },

    { "db_statements_total", "db_statements",
      "Statements sent to the database",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "db_failed_total", "db_failed",
      "Statements that failed",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "db_reconnects_total", "db_reconnects",
      "Connections to the database that had to be made again",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "db_busy_seconds_total", "db_busy_ms",
      "Time spent waiting for answers of the database",
      NGX_MNTREAMER_COUNTER_MS, NGX_MNTREAMER_PLAIN },

    { "leases_lost_total", "leases_lost",
      "Leases that another engine took over",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "requests_total", "requests",
      "HTTP requests answered, by location",
      NGX_MNTREAMER_COUNTER,
      NGX_MNTREAMER_LABEL("location", 4, ngx_mntreamer_metrics_location) },

    { "rtmp_hooks_total", "rtmp_hooks",
      "Hooks of nginx-rtmp answered: done, begun a broadcast, or why refused",
      NGX_MNTREAMER_COUNTER,
      NGX_MNTREAMER_LABEL("result", 11, ngx_mntreamer_metrics_hook) },

    { "rendition_segments_total", "rendition_segments",
      "Segments of renditions that were made, and those of the source that "
      "took the place of one",
      NGX_MNTREAMER_COUNTER,
      NGX_MNTREAMER_LABEL("result", 2, ngx_mntreamer_metrics_rung) },

    { "viewers_missed_total", "viewers_missed",
      "Requests of viewers that were not counted, for there are too many",
      NGX_MNTREAMER_COUNTER, NGX_MNTREAMER_PLAIN },

    { "followers_total", "followers",
      "Attempts to tell followers of own broadcasts: told, to be tried again, "
      "or given up, with what became of the broadcast",
      NGX_MNTREAMER_COUNTER,
      NGX_MNTREAMER_LABEL("result", 5, ngx_mntreamer_metrics_follower) },

    { "thumbnails_total", "thumbnails",
      "Images of recordings in progress, by what became of them",
      NGX_MNTREAMER_COUNTER,
      NGX_MNTREAMER_LABEL("result", 2, ngx_mntreamer_metrics_thumbnail) },

    { "jobs_total", "jobs",
      "Attempts of jobs, by what became of them",
      NGX_MNTREAMER_COUNTER,
      NGX_MNTREAMER_LABEL("result", 4, ngx_mntreamer_metrics_job) },

    { "live", "live",
      "Owned streamers that are on air",
      NGX_MNTREAMER_GAUGE, NGX_MNTREAMER_PLAIN },

    { "recording", "recording",
      "Recordings in progress",
      NGX_MNTREAMER_GAUGE, NGX_MNTREAMER_PLAIN },

    { "transfers_running", "transfers_running",
      "HTTP transfers under way",
      NGX_MNTREAMER_GAUGE, NGX_MNTREAMER_PLAIN },

    { "commits_pending", "commits_pending",
      "Segments that wait to be stored or are being stored",
      NGX_MNTREAMER_GAUGE, NGX_MNTREAMER_PLAIN },

    { "buffered_bytes", "buffered_bytes",
      "Bytes received and not yet written",
      NGX_MNTREAMER_GAUGE, NGX_MNTREAMER_PLAIN },

    { "db_up", "db_up",
      "Workers that are connected to the database",
      NGX_MNTREAMER_GAUGE, NGX_MNTREAMER_PLAIN },

    { "db_queued", "db_queued",
      "Statements that wait for the database",
      NGX_MNTREAMER_GAUGE, NGX_MNTREAMER_PLAIN },

    { "probes_running", "probes_running",
      "Questions to platforms under way",
      NGX_MNTREAMER_GAUGE, NGX_MNTREAMER_PLAIN },

    { "disk_free_bytes", "disk_free_bytes",
      "Free bytes of the file system of the storage",
      NGX_MNTREAMER_GAUGE_MAX, NGX_MNTREAMER_PLAIN },

    { "disk_reserve_bytes", "disk_reserve_bytes",
      "Free bytes below which recordings pause",
      NGX_MNTREAMER_GAUGE_MAX, NGX_MNTREAMER_PLAIN },

    { "disk_full", "disk_full",
      "Workers whose recordings pause because the disk is full",
      NGX_MNTREAMER_GAUGE, NGX_MNTREAMER_PLAIN },

    { "storage_error", "storage_error",
      "Workers that could not store for another reason",
      NGX_MNTREAMER_GAUGE, NGX_MNTREAMER_PLAIN },

    { "workers", "workers",
      "Workers that run an engine",
      NGX_MNTREAMER_GAUGE, NGX_MNTREAMER_PLAIN },

    { "viewers", "viewers",
      "Viewers of recordings in progress, of this machine",
      NGX_MNTREAMER_GAUGE_MAX, NGX_MNTREAMER_PLAIN },

    { "detection_delay_seconds", "detection",
      "From going on air, as the platform says, to being noticed",
      NGX_MNTREAMER_HISTOGRAM_MS,
      NGX_MNTREAMER_BOUNDS(ngx_mntreamer_metrics_minutes) },

    { "probe_lateness_seconds", "probe_late",
      "From the moment a check was due to its request",
      NGX_MNTREAMER_HISTOGRAM_MS,
      NGX_MNTREAMER_BOUNDS(ngx_mntreamer_metrics_seconds) },

    { "commit_latency_seconds", "commit",
      "From the last byte of a segment to its place in the playlist",
      NGX_MNTREAMER_HISTOGRAM_MS,
      NGX_MNTREAMER_BOUNDS(ngx_mntreamer_metrics_millis) },

    { "loop_lateness_seconds", "loop_late",
      "Lateness of a heartbeat in the event loop",
      NGX_MNTREAMER_HISTOGRAM_MS,
      NGX_MNTREAMER_BOUNDS(ngx_mntreamer_metrics_millis) }
};


const char *
ngx_mntreamer_gap_name(ngx_uint_t cause)
{
    if (cause >= NGX_MNTREAMER_GAP_MAX) {
        return "unknown";
    }

    return ngx_mntreamer_gap_names[cause];
}


ngx_uint_t
ngx_mntreamer_gap_cause(const char *name)
{
    ngx_uint_t  cause;

    for (cause = 0; cause < NGX_MNTREAMER_GAP_MAX; cause++) {
        if (ngx_strcmp(ngx_mntreamer_gap_names[cause], name) == 0) {
            return cause;
        }
    }

    return NGX_MNTREAMER_GAP_RESTART;
}


static const char *
ngx_mntreamer_metrics_outcome(ngx_uint_t i)
{
    return mnt_probe_name((mnt_probe_outcome_e) i);
}


static const char *
ngx_mntreamer_metrics_result(ngx_uint_t i)
{
    return ngx_mntreamer_metrics_results[i];
}


static const char *
ngx_mntreamer_metrics_location(ngx_uint_t i)
{
    return ngx_mntreamer_metrics_locations[i];
}


static const char *
ngx_mntreamer_metrics_hook(ngx_uint_t i)
{
    return ngx_mntreamer_metrics_hooks[i];
}


static const char *
ngx_mntreamer_metrics_rung(ngx_uint_t i)
{
    return ngx_mntreamer_metrics_rungs[i];
}


static const char *
ngx_mntreamer_metrics_follower(ngx_uint_t i)
{
    return ngx_mntreamer_metrics_followers[i];
}


static const char *
ngx_mntreamer_metrics_thumbnail(ngx_uint_t i)
{
    return i ? "failed" : "made";
}


static const char *
ngx_mntreamer_metrics_job(ngx_uint_t i)
{
    return ngx_mntreamer_metrics_jobs[i];
}
