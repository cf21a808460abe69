
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_STORAGE_H_INCLUDED_
#define _NGX_MNTREAMER_STORAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "../hls/mnt_hls.h"
#include "../loop/ngx_mntreamer_offload.h"
#include "mnt_card.h"
#include "mnt_journal.h"


/*
 * A recording is a directory; a track is one media playlist in it with its
 * segments and its journal:
 *
 *     index.m3u8            the playlist of the only track, or the
 *                           multivariant playlist when there are more
 *     video.m3u8 audio-1.m3u8   tracks beside a multivariant index.m3u8
 *     000001.ts 000002.m4s  segments; a1-000001.m4s of track audio-1
 *     init-1.mp4            initialisation sections; a1-init-1.mp4
 *     thumbnail.jpg         the image of one in progress
 *     export-12.mp4         what job 12 has made of it
 *     .recording            what it is the recording of (mnt_card.h)
 *     .index.journal        what was stored: one line an entry, written before
 *                           the file gets its final name; never served
 *     .cuts                 what is not shown of it (hls/mnt_hls_cut.h); never
 *                           served
 *
 * Commit (DESIGN.md 5), in one function in a thread: bytes complete -> fsync
 * -> journal -> rename without replacing -> directory fsync -> one write() to
 * the playlist.  Opening a track recovers it: torn tails are cut, files that
 * are journalled and complete get their name and their entry, other .part
 * files are dropped, entries whose files are gone are taken off
 * (mnt_recovery.h).
 * Opening also gives journal and playlist a new inode, so that a frozen former
 * writer appends to nothing and notices it (RELIABILITY C1).
 */


#define NGX_MNTREAMER_THUMBNAIL  "thumbnail.jpg"
#define NGX_MNTREAMER_CUTS       ".cuts"


typedef struct ngx_mntreamer_storage_s  ngx_mntreamer_storage_t;
typedef struct ngx_mntreamer_track_s    ngx_mntreamer_track_t;
typedef struct ngx_mntreamer_part_s     ngx_mntreamer_part_t;
typedef struct ngx_mntreamer_find_s     ngx_mntreamer_find_t;
typedef struct ngx_mntreamer_live_s     ngx_mntreamer_live_t;
typedef struct ngx_mntreamer_export_s   ngx_mntreamer_export_t;


#define NGX_MNTREAMER_DURABLE_SEGMENT   0
#define NGX_MNTREAMER_DURABLE_INTERVAL  1
#define NGX_MNTREAMER_DURABLE_NONE      2

#define NGX_MNTREAMER_RESERVE_AUTO      0     /* 1 percent, at most 1g */
#define NGX_MNTREAMER_RESERVE_BYTES     1
#define NGX_MNTREAMER_RESERVE_PERCENT   2


typedef struct {
    ngx_str_t      root;                      /* absolute, terminated */
    ngx_str_t      live;                      /* of nginx-rtmp, alike; empty:
                                                 there is none */
    ngx_uint_t     durability;
    ngx_msec_t     interval_ms;               /* of DURABLE_INTERVAL */
    size_t         buffer_size;               /* of a gather buffer: 128k */
    ngx_uint_t     buffers;                   /* of that size, of this worker;
                                                 then 32k ones */
    off_t          max_buffered;              /* bytes not yet written of one
                                                 part; beyond, or beyond 512m
                                                 of all: slow, fail */
    ngx_uint_t     reserve_unit;
    off_t          reserve;                   /* to be left free; 0: nothing */
} ngx_mntreamer_storage_conf_t;


typedef enum {
    NGX_MNTREAMER_STORE_OK = 0,
    NGX_MNTREAMER_STORE_EMPTY,                /* 0 bytes */
    NGX_MNTREAMER_STORE_SHORT,                /* not the promised length */
    NGX_MNTREAMER_STORE_CONTENT,              /* not media: an error page */
    NGX_MNTREAMER_STORE_DECRYPT,              /* bad padding or length */
    NGX_MNTREAMER_STORE_FULL,                 /* ENOSPC, EDQUOT */
    NGX_MNTREAMER_STORE_SLOW,                 /* max_buffered reached */
    NGX_MNTREAMER_STORE_TAKEN,                /* there is another writer */
    NGX_MNTREAMER_STORE_MISSING,              /* what was to be adopted */
    NGX_MNTREAMER_STORE_GONE,                 /* the directory is elsewhere */
    NGX_MNTREAMER_STORE_FAILED                /* other errno, logged */
} ngx_mntreamer_store_rc_e;

const char *ngx_mntreamer_store_name(ngx_uint_t rc);


/* one per worker; the root must be a writable directory; NULL: logged */
ngx_mntreamer_storage_t *ngx_mntreamer_storage_create(
    const ngx_mntreamer_storage_conf_t *conf, ngx_mntreamer_offload_t *off,
    ngx_log_t *log);
/* the absolute path of its root */
ngx_str_t *ngx_mntreamer_storage_root(ngx_mntreamer_storage_t *st);
/* after the offload's */
void ngx_mntreamer_storage_destroy(ngx_mntreamer_storage_t *st);


typedef enum {
    NGX_MNTREAMER_SPACE_OK = 0,
    NGX_MNTREAMER_SPACE_FULL,                 /* less than the reserve, or
                                                 nothing could be stored */
    NGX_MNTREAMER_SPACE_ERROR                 /* read-only, I/O errors, ... */
} ngx_mntreamer_space_e;

typedef struct {
    ngx_uint_t     state;
    off_t          free;                      /* bytes, -1 when unknown */
    off_t          size;
    off_t          reserve;
    ngx_uint_t     read_only;                 /* :1 */
    ngx_uint_t     paused;                    /* :1; fetch nothing new */
} ngx_mntreamer_space_t;

/* of the root's file system, looked at every 5 s */
const ngx_mntreamer_space_t *ngx_mntreamer_storage_space(
    ngx_mntreamer_storage_t *st);


/* what a track holds; given when it was opened */

typedef struct {
    ngx_uint_t         rc;
    ngx_uint_t         ended;                 /* it carried ENDLIST: taken off
                                                 when conf.reopen was set */
    uint64_t           segments;
    off_t              bytes;
    int64_t            duration_us;
    uint64_t           gaps;                  /* gap lines in the journal */
    int64_t            lost_us;               /* of these */
    mnt_journal_gap_t *last_gaps;             /* alias valid in done() */
    ngx_uint_t         nlast_gaps;
    mnt_hls_window_t  *window;                /* restored; alias valid in
                                                 done() */
    int64_t            last_ms;               /* wall clock of last commit */
    ngx_uint_t         container;             /* mnt_hls_container_e, of the
                                                 last segment */
    ngx_uint_t         recovered;             /* listed by the recovery */
    ngx_uint_t         dropped;               /* listed ones whose files are
                                                 gone or cut: taken off */
    ngx_uint_t         hole;                  /* of these: not at the end, so
                                                 that they are a new gap, by
                                                 "disk", counted above too */
    int64_t            hole_us;
    int64_t            hole_at_us;
} ngx_mntreamer_track_state_t;

typedef void (*ngx_mntreamer_track_pt)(void *data,
    const ngx_mntreamer_track_state_t *state);

typedef struct {
    ngx_str_t          dir;                   /* below the root; is made */
    ngx_str_t          name;                  /* "index", "video", "audio-1" */
    ngx_str_t          prefix;                /* "" or "a1-": of file names */
    uint32_t           target_s;              /* of the source */
    ngx_uint_t         reopen;                /* take ENDLIST off again */
    ngx_log_t         *log;
} ngx_mntreamer_track_conf_t;

/*
 * What lies in a directory: the tracks, the main one first.  With "look" also
 * what the recovery would make of each, and whether it carries ENDLIST; their
 * "window" means nothing.  Nothing is touched.  done() comes once, later,
 * unless it was cancelled.
 */

#define NGX_MNTREAMER_FIND_TRACKS  9

typedef struct {
    ngx_uint_t         rc;                    /* with another one than OK the
                                                 rest means nothing */
    ngx_uint_t         ntracks;
    ngx_uint_t         multi;                 /* :1; beside an index.m3u8 */
    ngx_uint_t         unindexed;             /* :1; which is not there */
    ngx_uint_t         missing;               /* :1; there is no directory */
    ngx_uint_t         looked;                /* :1; there is what follows */

    struct {
        ngx_str_t                           name;    /* also without "look" */
        const ngx_mntreamer_track_state_t  *state;
    } tracks[NGX_MNTREAMER_FIND_TRACKS];      /* alias valid in done() */
} ngx_mntreamer_found_t;

typedef void (*ngx_mntreamer_found_pt)(void *data,
    const ngx_mntreamer_found_t *found);

/* NULL: not now */
ngx_mntreamer_find_t *ngx_mntreamer_storage_find(ngx_mntreamer_storage_t *st,
    ngx_str_t *dir, ngx_uint_t look, ngx_mntreamer_found_pt done, void *data);
void ngx_mntreamer_storage_find_cancel(ngx_mntreamer_find_t *f);


/*
 * Opens or makes a track; "conf" is copied.  open_done() comes once, later;
 * with rc != OK the track is already gone then.  NULL: logged.
 */
ngx_mntreamer_track_t *ngx_mntreamer_track_open(ngx_mntreamer_storage_t *st,
    const ngx_mntreamer_track_conf_t *conf, ngx_mntreamer_track_pt open_done,
    void *data);

/*
 * Closes after the commits under way (their done() still come), optionally
 * with ENDLIST behind them; close_done() comes once, later.  Parts that are
 * still open are aborted.  With rc OK, and with GONE, the track is freed; with
 * another one ENDLIST is not in the playlist, and the track waits to be closed
 * again, or abandoned, not from inside close_done().
 */
typedef void (*ngx_mntreamer_track_closed_pt)(void *data, ngx_uint_t rc);

void ngx_mntreamer_track_close(ngx_mntreamer_track_t *tr, ngx_uint_t endlist,
    ngx_mntreamer_track_closed_pt close_done, void *data);

/*
 * Drops everything at once, without any callback: exit of the process.  What a
 * thread still uses lives until the offload is destroyed and after it the
 * storage.
 */
void ngx_mntreamer_track_abandon(ngx_mntreamer_track_t *tr);


/*
 * A file that is being received.  Bytes are gathered and written in a thread
 * in order; nothing blocks.  With "key" they are decrypted (AES-128-CBC with
 * PKCS#7 padding).
 */

typedef struct {
    ngx_uint_t         init;                  /* an initialisation section */
    ngx_uint_t         known;                 /* nothing of unknown kind: it
                                                 may be encrypted */
    off_t              expect;                /* bytes on the wire, or -1 */
    const u_char      *key;                   /* 16 bytes, copied; or NULL */
    const u_char      *iv;
} ngx_mntreamer_part_conf_t;

ngx_mntreamer_part_t *ngx_mntreamer_part_create(ngx_mntreamer_track_t *tr,
    const ngx_mntreamer_part_conf_t *conf);

/* NGX_ERROR: it failed already (disk full, slow, ...): abort it */
ngx_int_t ngx_mntreamer_part_write(ngx_mntreamer_part_t *part, u_char *p,
    size_t len);

/* drops it and its file; also while writes are under way */
void ngx_mntreamer_part_abort(ngx_mntreamer_part_t *part);


typedef struct {
    ngx_uint_t         rc;
    off_t              bytes;                 /* stored */
    uint64_t           number;                /* of the file, 0 for a gap */
    ngx_uint_t         container;             /* mnt_hls_container_e */
    int64_t            start_us;              /* its place in the recording */
    ngx_msec_t         commit_ms;             /* from commit() to listed */
} ngx_mntreamer_commit_t;

typedef void (*ngx_mntreamer_commit_pt)(void *data,
    const ngx_mntreamer_commit_t *commit);

typedef struct {
    uint32_t           epoch;                 /* of the source's numbering */
    mnt_hls_seen_t     seen;
    int64_t            duration_us;
    uint64_t           discontinuity;
    ngx_uint_t         discontinuous;
    uint32_t           lost_count;            /* before it: a journal line */
    int64_t            lost_us;
    const char        *lost_reason;           /* static */
} ngx_mntreamer_entry_t;

/*
 * Ends a part and commits it as the next entry; calls must come in the order
 * of the stream, the track keeps it.  Takes the part over; NULL: nothing is to
 * be listed, the journal is told of lost_count; this alone needs memory, and
 * is answered by NGX_ERROR, without done(), when there is none.  An
 * initialisation section is committed the same way and is in force for the
 * entries after it (the same bytes again are not stored twice); of "entry"
 * nothing is used.  done(), unless NULL, comes once; with another rc than OK
 * nothing was listed and the part is gone; what was committed behind it before
 * done() is listed after a DISCONTINUITY.
 */
ngx_int_t ngx_mntreamer_track_commit(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *part, const ngx_mntreamer_entry_t *entry,
    ngx_mntreamer_commit_pt done, void *data);

/*
 * Bytes were received completely and are plausible: what commit() will find
 * (EMPTY, SHORT, CONTENT); to decide about a retry before the turn comes.
 */
ngx_uint_t ngx_mntreamer_part_check(ngx_mntreamer_part_t *part);


/*
 * What nginx-rtmp makes of broadcasts: below conf.live a directory of each
 * one's name, in it "index.m3u8" and fragments.  Paths are relative to
 * conf.live and follow no link.
 */

/* which file it was when it was read last; zeroes: none */

typedef struct {
    uint64_t           inode;
    off_t              size;
    int64_t            changed_ns;
} ngx_mntreamer_stamp_t;

typedef struct {
    ngx_uint_t              rc;               /* OK, MISSING, or logged */
    ngx_uint_t              same;             /* :1; as the stamp: no text */
    ngx_mntreamer_stamp_t   stamp;
    ngx_str_t               text;             /* alias valid in done() */
    int                     pictures[2];      /* in the first two fragments:
                                                 1, 0, or -1, not known */
} ngx_mntreamer_live_text_t;

typedef void (*ngx_mntreamer_live_pt)(void *data,
    const ngx_mntreamer_live_text_t *text);

/* reads a playlist, and "peeks" into what it lists; done() comes once, later,
   unless cancelled; NULL: not now, or there is no conf.live */
ngx_mntreamer_live_t *ngx_mntreamer_live_read(ngx_mntreamer_storage_t *st,
    const ngx_str_t *path, const ngx_mntreamer_stamp_t *stamp,
    ngx_uint_t peek, ngx_mntreamer_live_pt done, void *data);
void ngx_mntreamer_live_cancel(ngx_mntreamer_live_t *live);

/* the same of a file of a recording: its path is relative to the root */
ngx_mntreamer_live_t *ngx_mntreamer_storage_read(ngx_mntreamer_storage_t *st,
    const ngx_str_t *path, ngx_mntreamer_live_pt done, void *data);

/*
 * The names of broadcasts whose directories did not change for "age_s", as an
 * array literal of PostgreSQL: "{0123...,4567...}".
 */
ngx_mntreamer_live_t *ngx_mntreamer_live_list(ngx_mntreamer_storage_t *st,
    time_t age_s, ngx_mntreamer_live_pt done, void *data);

/* takes the directory of a broadcast away, later; what fails is left */
void ngx_mntreamer_live_remove(ngx_mntreamer_storage_t *st,
    const ngx_str_t *name);

/*
 * A part that is a complete file "NAME/FILE": linked, or copied across file
 * systems.  done() comes once, later, unless the part was aborted; with OK it
 * is to be committed, with another rc to be aborted.  NULL: not now.  The
 * track must be open.
 */
typedef void (*ngx_mntreamer_adopted_pt)(void *data, ngx_uint_t rc);

ngx_mntreamer_part_t *ngx_mntreamer_part_adopt(ngx_mntreamer_track_t *tr,
    const ngx_str_t *path, ngx_mntreamer_adopted_pt done, void *data);

/* the same of a segment of this recording, by the name of its file */
ngx_mntreamer_part_t *ngx_mntreamer_part_again(ngx_mntreamer_track_t *tr,
    const ngx_str_t *file, ngx_mntreamer_adopted_pt done, void *data);

/*
 * A part whose file another program makes: "path" gets its absolute name and
 * a NUL.  When the program is done, _part_made() is as _part_adopt(), but for
 * NGX_ERROR: not now; or the part is aborted.  NULL: memory gone, or "size"
 * too small.
 */
ngx_mntreamer_part_t *ngx_mntreamer_part_make(ngx_mntreamer_track_t *tr,
    u_char *path, size_t size);
ngx_int_t ngx_mntreamer_part_made(ngx_mntreamer_part_t *part,
    ngx_mntreamer_adopted_pt done, void *data);


/*
 * Writes a small file whole and durably (.part, rename), e.g. a multivariant
 * playlist; "content" is copied; done() as for commits.  What is put into one
 * file is written in order.
 */
ngx_int_t ngx_mntreamer_storage_put(ngx_mntreamer_storage_t *st,
    ngx_str_t *dir, ngx_str_t *name, ngx_str_t *content,
    ngx_mntreamer_commit_pt done, void *data);


/*
 * Replaces the image of a recording in progress, or takes it away with an
 * empty "content"; "dir" is not made.  Nothing of it is durable, and closing
 * a track with ENDLIST takes it away, too.  done() as for commits.
 */
ngx_int_t ngx_mntreamer_storage_thumbnail(ngx_mntreamer_storage_t *st,
    const ngx_str_t *dir, const ngx_str_t *content,
    ngx_mntreamer_commit_pt done, void *data);


/*
 * FILES takes the files of a recording away, hidden or not, and the
 * directories that are empty then; what no recording consists of stays.
 * HIDE keeps them all, under a name that is not served; SHOW undoes that.
 * HIDDEN is FILES of what is hidden alone.
 * Each may be repeated.  No track of the recording may be open.  done() comes
 * once, later, not when NGX_ERROR was returned.
 */
typedef enum {
    NGX_MNTREAMER_REMOVAL_FILES = 0,
    NGX_MNTREAMER_REMOVAL_HIDE,
    NGX_MNTREAMER_REMOVAL_SHOW,
    NGX_MNTREAMER_REMOVAL_HIDDEN
} ngx_mntreamer_removal_e;

typedef void (*ngx_mntreamer_removed_pt)(void *data, ngx_uint_t rc,
    ngx_uint_t files);

ngx_int_t ngx_mntreamer_storage_remove(ngx_mntreamer_storage_t *st,
    ngx_uint_t how, ngx_str_t *dir, ngx_mntreamer_removed_pt done,
    void *data);
/* NGX_OK: it lies below the root, hidden or not, or what is left of it;
   NGX_DECLINED: it does not; NGX_ERROR: that cannot be told now */
ngx_int_t ngx_mntreamer_storage_lies(ngx_mntreamer_storage_t *st,
    ngx_str_t *dir);
/* the same of one that is not hidden */
ngx_int_t ngx_mntreamer_storage_shown(ngx_mntreamer_storage_t *st,
    ngx_str_t *dir);


/*
 * Exports: _prepare() writes down for ffmpeg what is to be read, _store()
 * gives what that has made its name, durably; _remove() takes away what this
 * epoch and earlier ones have left.  done() comes once, later, unless
 * cancelled.  NULL: not now.
 */
typedef struct {
    ngx_str_t      dir;                       /* of the recording */
    int64_t        id;                        /* of the job */
    int64_t        epoch;
    ngx_uint_t     all;                       /* of _remove(): the export,
                                                 too */
    int64_t        begin_us;                  /* whole segments that have a */
    int64_t        end_us;                    /* part in it; -1: all to come */
} ngx_mntreamer_export_conf_t;

typedef struct {
    ngx_uint_t     rc;                        /* store_rc_e */
    const char    *why;                       /* not OK: for people */
    off_t          bytes;                     /* to be read, or stored */
    int64_t        duration_us;               /* to be read */
    ngx_uint_t     missing;                   /* segments without a file */
} ngx_mntreamer_exported_t;

typedef void (*ngx_mntreamer_exported_pt)(void *data,
    const ngx_mntreamer_exported_t *exported);

/* with a NUL */

typedef struct {
    u_char         dir[NGX_MAX_PATH];         /* absolute; all else is there */
    u_char         list[96];                  /* what ffmpeg reads */
    u_char         part[96];                  /* what it makes */
    u_char         file[64];                  /* the name of the export */
} ngx_mntreamer_export_names_t;

ngx_mntreamer_export_t *ngx_mntreamer_export_prepare(
    ngx_mntreamer_storage_t *st, const ngx_mntreamer_export_conf_t *conf,
    ngx_mntreamer_exported_pt done, void *data);
ngx_mntreamer_export_t *ngx_mntreamer_export_store(
    ngx_mntreamer_storage_t *st, const ngx_mntreamer_export_conf_t *conf,
    ngx_mntreamer_exported_pt done, void *data);
ngx_mntreamer_export_t *ngx_mntreamer_export_remove(
    ngx_mntreamer_storage_t *st, const ngx_mntreamer_export_conf_t *conf,
    ngx_mntreamer_exported_pt done, void *data);
void ngx_mntreamer_export_cancel(ngx_mntreamer_export_t *x);
void ngx_mntreamer_export_names(ngx_mntreamer_storage_t *st,
    const ngx_mntreamer_export_conf_t *conf, ngx_mntreamer_export_names_t *n);


/*
 * Writes which spans of a recording are not shown: all that are in force, as
 * lines of hls/mnt_hls_cut.h, empty for none.  What a higher version says
 * stays.  "refused" says why nothing was written that would not be better the
 * next time.  done() comes once, later, not when NGX_ERROR was returned.
 */
typedef struct {
    ngx_uint_t         rc;
    const char        *refused;               /* static; NULL: it was not */
    ngx_uint_t         known;                 /* :1; what follows is filled */
    uint64_t           segments;              /* of its first track, hidden */
    int64_t            us;
} ngx_mntreamer_cut_done_t;

typedef void (*ngx_mntreamer_cut_pt)(void *data,
    const ngx_mntreamer_cut_done_t *cut);

ngx_int_t ngx_mntreamer_storage_cut(ngx_mntreamer_storage_t *st,
    ngx_str_t *dir, uint64_t version, ngx_str_t *lines,
    ngx_mntreamer_cut_pt done, void *data);


/*
 * Makes a part of a recording one of its own, "clip", beside it: what begins
 * within the span and is shown, by hard links, or copies where there are none.
 * Its directory gets its name when it is whole; one that is there is counted.
 * done() as above.
 */
typedef struct {
    ngx_uint_t         rc;
    const char        *refused;               /* static; NULL: it is there */
    uint64_t           segments;              /* of its first track */
    int64_t            us;                    /* likewise */
    uint64_t           bytes;                 /* of all its segments */
} ngx_mntreamer_clip_done_t;

typedef void (*ngx_mntreamer_clip_pt)(void *data,
    const ngx_mntreamer_clip_done_t *clip);

ngx_int_t ngx_mntreamer_storage_clip(ngx_mntreamer_storage_t *st,
    ngx_str_t *dir, ngx_str_t *clip, int64_t id, int64_t begin_us,
    int64_t end_us, ngx_mntreamer_clip_pt done, void *data);


/*
 * For serving: opens a regular file beneath the root, following no symbolic
 * link; the path must satisfy mnt_path_servable().  Returns the descriptor or
 * NGX_INVALID_FILE with ngx_errno; *fi is filled.
 */
ngx_fd_t ngx_mntreamer_storage_open_file(ngx_mntreamer_storage_t *st,
    ngx_str_t *path, ngx_file_info_t *fi);

/* the same without one, which a worker has a moment after it was started; of
   the absolute path of its root */
ngx_fd_t ngx_mntreamer_storage_open_below(ngx_str_t *root, ngx_str_t *path,
    ngx_file_info_t *fi);

/* the same for a directory, to be listed */
ngx_fd_t ngx_mntreamer_storage_open_dir(ngx_mntreamer_storage_t *st,
    ngx_str_t *path);


typedef struct {
    ngx_uint_t         tracks;                /* open */
    ngx_uint_t         parts;                 /* being received */
    ngx_uint_t         commits;               /* waiting or under way */
    size_t             buffered;              /* bytes in buffers */
    ngx_uint_t         rewrites;              /* of playlists, ever */
} ngx_mntreamer_storage_stat_t;

const ngx_mntreamer_storage_stat_t *ngx_mntreamer_storage_stat(
    ngx_mntreamer_storage_t *st);


#endif /* _NGX_MNTREAMER_STORAGE_H_INCLUDED_ */
