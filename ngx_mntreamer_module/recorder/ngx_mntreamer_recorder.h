
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_RECORDER_H_INCLUDED_
#define _NGX_MNTREAMER_RECORDER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "../hls/mnt_hls.h"
#include "../platform/mnt_platform.h"
#include "../loop/ngx_mntreamer_curl.h"
#include "../loop/ngx_mntreamer_child.h"
#include "../storage/ngx_mntreamer_storage.h"
#include "../metrics/ngx_mntreamer_metrics.h"
#include "../catalog/ngx_mntreamer_catalog.h"
#include "mnt_ladder.h"


/*
 * One session per recording: master playlist, a track per rendition, each with
 * its own reload timer, segment fetches in parallel and commits in order; the
 * end.  A session owns its streamer's lease (held by the catalogue) until it
 * finishes or is released.
 */


typedef struct ngx_mntreamer_recorder_s  ngx_mntreamer_recorder_t;


typedef struct {
    ngx_str_t      layout;
    ngx_msec_t     resume_ms;                 /* resume_window */
    ngx_msec_t     connect_ms;
    ngx_msec_t     playlist_ms;               /* total for a playlist */
    ngx_msec_t     segment_ms;                /* total for a segment */
    ngx_msec_t     stall_ms;
    off_t          max_playlist;              /* bytes */
    off_t          max_segment;
    ngx_uint_t     max_fetches;               /* at once, of a track */
    ngx_uint_t     retries;                   /* of a segment: 3 */
    ngx_msec_t     refresh_ms;                /* facts while on air: 60 s */
    ngx_msec_t     end_check_ms;              /* between the two "off air" that
                                                 end a recording: 3 s */
    ngx_str_t      hls_path;                  /* of own broadcasts */
    unsigned       ladder[MNT_LADDER_MAX];    /* heights of their renditions */
    ngx_uint_t     nladder;
} ngx_mntreamer_recorder_conf_t;


/* a segment of the main track that was stored and listed; all alias */

typedef struct {
    int64_t        recording_id;
    ngx_int_t      platform;
    ngx_str_t      path;                      /* of the recording, below the
                                                 storage's root */
    ngx_str_t      name;                      /* of the file, terminated */
    ngx_str_t      init;                      /* the one it needs, or empty */
    int64_t        duration_us;
} ngx_mntreamer_listed_t;


/* what the recorder needs of rooms it does not know */

typedef struct {
    /* asks the platform; as ngx_mntreamer_monitor_probe() */
    void       *(*probe)(void *data, ngx_int_t platform, ngx_str_t *channel_id,
                         ngx_uint_t detail,
                         void (*done)(void *data, const mnt_probe_t *probe),
                         void *done_data);
    void        (*probe_cancel)(void *data, void *probing);
    /* of a platform; the cookies go to the host of "api" only */
    ngx_int_t   (*platform)(void *data, ngx_int_t platform,
                            ngx_str_t *user_agent, ngx_str_t *media_proxy,
                            ngx_str_t *api, ngx_str_t *cookies);
    void        (*listed)(void *data, const ngx_mntreamer_listed_t *listed);
    /* nothing more is listed here; "ended": nor elsewhere.  Perhaps twice */
    void        (*over)(void *data, int64_t recording_id, ngx_uint_t ended);
    void         *data;                       /* alias */
} ngx_mntreamer_recorder_deps_t;


ngx_mntreamer_recorder_t *ngx_mntreamer_recorder_create(
    const ngx_mntreamer_recorder_conf_t *conf,
    const ngx_mntreamer_recorder_deps_t *deps, ngx_mntreamer_curl_t *curl,
    ngx_mntreamer_storage_t *st, ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_metrics_t *metrics, ngx_log_t *log);

/*
 * Drops every session where it stands, for good: there is no time left.  One
 * that waits for the database is freed with its answer, or by _destroy().
 */
void ngx_mntreamer_recorder_drop(ngx_mntreamer_recorder_t *rec);

/* abandons every session: nothing is called any more */
void ngx_mntreamer_recorder_destroy(ngx_mntreamer_recorder_t *rec);

/*
 * Starts recording a claimed streamer that is live ("probe" is read, not kept;
 * NULL with claim->recording_id set: go on with that one, asking the platform
 * first).  NGX_DECLINED: it is being recorded already, or shutting down.
 */
ngx_int_t ngx_mntreamer_recorder_start(ngx_mntreamer_recorder_t *rec,
    const ngx_mntreamer_claim_t *claim, const mnt_probe_t *probe);

/* paused or deleted: finishes the recording with ENDLIST */
void ngx_mntreamer_recorder_stop(ngx_mntreamer_recorder_t *rec,
    int64_t streamer_id);

/* the database knows something new of what is sent to us: asks it at once */
void ngx_mntreamer_recorder_news(ngx_mntreamer_recorder_t *rec,
    int64_t streamer_id);

/* the lease is gone: drops the session, commits nothing, writes nothing */
void ngx_mntreamer_recorder_lost(ngx_mntreamer_recorder_t *rec,
    int64_t streamer_id);

/*
 * Graceful exit: no new loads; commits and transfers under way finish or are
 * dropped within "timeout_ms"; playlists stay open (no ENDLIST); then done().
 * The caller releases the leases.
 */
void ngx_mntreamer_recorder_drain(ngx_mntreamer_recorder_t *rec,
    ngx_msec_t timeout_ms, void (*done)(void *data), void *data);

/* sessions under way */
ngx_uint_t ngx_mntreamer_recorder_count(ngx_mntreamer_recorder_t *rec);
/* of these: they have not opened all that they need while they run */
ngx_uint_t ngx_mntreamer_recorder_opening(ngx_mntreamer_recorder_t *rec);


#endif /* _NGX_MNTREAMER_RECORDER_H_INCLUDED_ */
