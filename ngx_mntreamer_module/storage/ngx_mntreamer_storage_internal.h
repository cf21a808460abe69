
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_STORAGE_INTERNAL_H_INCLUDED_
#define _NGX_MNTREAMER_STORAGE_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/statvfs.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "../loop/ngx_mntreamer_inject.h"
#include "ngx_mntreamer_storage.h"
#include "mnt_journal.h"
#include "mnt_recovery.h"


#define NGX_MNTREAMER_SMALL_BUFFER  32768
#define NGX_MNTREAMER_GATHER        65536     /* bytes before a write, */
#define NGX_MNTREAMER_GATHER_MAX    1048576   /* while buffers are plenty */
#define NGX_MNTREAMER_BATCH         16        /* entries of one commit */
#define NGX_MNTREAMER_UNSYNCED      32        /* files of one interval */
#define NGX_MNTREAMER_HEAD_BYTES    512       /* enough to know a container */
#define NGX_MNTREAMER_ENTRY_MAX     512       /* bytes of a playlist entry */

#define NGX_MNTREAMER_PATH_MAX      1024      /* below the root */

#define NGX_MNTREAMER_FILE_MODE     0640
#define NGX_MNTREAMER_DIR_MODE      0750


/*
 * Events carry a pointer to their owner; nginx's debug log reads a descriptor
 * at the place where an ngx_connection_t has it.
 */

typedef struct {
    void              *pad[3];
    ngx_socket_t       fd;                    /* -1 */
} ngx_mntreamer_anchor_t;


/* what failed in a thread, to be logged by the event loop */

typedef struct {
    ngx_uint_t         rc;                    /* ngx_mntreamer_store_rc_e */
    ngx_err_t          err;
    const char        *call;                  /* static; NULL: no log line */
    char               name[MNT_TRACK_FILE_MAX];
} ngx_mntreamer_fail_t;


typedef struct {
    ngx_queue_t        link;
    u_char            *start;                 /* owned, mapped */
    size_t             size;
    size_t             used;
    ngx_msec_t         since;                 /* free since */
} ngx_mntreamer_buffer_t;

typedef struct {
    ngx_queue_t        idle;                  /* last used first */
    ngx_queue_t        idle_small;
    ngx_uint_t         big;                   /* existing ones */
    ngx_uint_t         taken;                 /* of these */
    ngx_uint_t         max_big;
    size_t             size;                  /* of a big one */
    ngx_event_t        sweep;
    ngx_log_t         *log;                   /* alias */
} ngx_mntreamer_buffers_t;


struct ngx_mntreamer_storage_s {
    ngx_mntreamer_anchor_t        ident;
    ngx_mntreamer_storage_conf_t  conf;
    ngx_mntreamer_offload_t      *off;        /* alias */
    ngx_log_t                    *log;        /* alias */
    ngx_fd_t                      fd;         /* of the root */
    uint32_t                      token;      /* of this process */
    ngx_uint_t                    serial;     /* of whole-file writes */
    ngx_queue_t                   tracks;
    ngx_queue_t                   puts;       /* under way */
    ngx_queue_t                   finds;      /* alike */
    ngx_queue_t                   lives;      /* alike */
    ngx_mntreamer_live_t         *gathered;   /* of these, not posted yet */
    ngx_event_t                   gather;
    ngx_mntreamer_buffers_t       buffers;
    ngx_mntreamer_storage_stat_t  stat;
    ngx_event_t                   retry;      /* of refused posts */
    ngx_mntreamer_space_t         space;
    ngx_msec_t                    looked_at;
    ngx_uint_t                    looking;    /* unsigned :1 */
    ngx_atomic_t                  working;    /* the look has not returned */
    struct statvfs                fs;         /* of the look, as "fs_err" */
    ngx_err_t                     fs_err;
    ngx_msec_t                    full_at;    /* last trouble of its kind, */
    ngx_msec_t                    error_at;   /* 0: none lately */
    ngx_uint_t                    full;       /* unsigned :1; was logged */
    ngx_uint_t                    failed;     /* alike, since the last line */
    ngx_err_t                     failed_err;
    ngx_msec_t                    failed_at;
    ngx_msec_t                    live_failed_at;    /* the last line; 0 */
};


typedef enum {
    NGX_MNTREAMER_TRACK_OPENING = 0,          /* waits for the recovery */
    NGX_MNTREAMER_TRACK_OPEN,                 /* nothing under way */
    NGX_MNTREAMER_TRACK_COMMITTING,           /* waits for a batch */
    NGX_MNTREAMER_TRACK_SYNCING,              /* waits for fsyncs */
    NGX_MNTREAMER_TRACK_CLOSING               /* waits for the last task */
} ngx_mntreamer_track_state_e;


/*
 * The fields from "root" on belong to the task that is under way, otherwise
 * to the event loop; the ones before it to the event loop alone.
 */

struct ngx_mntreamer_track_s {
    ngx_mntreamer_anchor_t      ident;
    ngx_queue_t                 link;         /* in st->tracks */
    ngx_mntreamer_storage_t    *st;           /* alias */
    ngx_log_t                  *log;          /* alias */
    ngx_str_t                   dir;          /* behind the struct, as all */
    ngx_str_t                   name;
    mnt_str_t                   prefix;
    ngx_uint_t                  state;
    ngx_uint_t                  tasks;        /* under way, of parts too */
    ngx_uint_t                  calling;      /* callbacks on the stack */
    ngx_queue_t                 parts;        /* being received */
    ngx_queue_t                 commits;      /* waiting */
    ngx_queue_t                 batch;        /* under way */
    uint64_t                    serial;       /* of .part files */
    uint32_t                    token;        /* of .part files */
    ngx_uint_t                  container;    /* of the newest known one */
    ngx_event_t                 sync;
    ngx_mntreamer_track_pt      open_done;
    ngx_mntreamer_track_closed_pt  close_done;
    void                       *open_data;    /* alias */
    void                       *close_data;   /* alias */
    int64_t                     now_ms;       /* wall clock at the post */
    unsigned                    close:1;      /* wanted */
    unsigned                    endlist:1;
    unsigned                    abandoned:1;
    unsigned                    sync_due:1;
    unsigned                    reopen:1;
    ngx_atomic_t                working;      /* the task has not returned */

    ngx_fd_t                    root;         /* alias */
    ngx_uint_t                  close_rc;     /* of the close */
    ngx_uint_t                  durability;
    ngx_fd_t                    dirfd;        /* owned */
    ngx_fd_t                    journal;      /* owned */
    ngx_fd_t                    playlist;     /* owned; none before an entry */
    off_t                       journal_size;
    off_t                       playlist_size;
    size_t                      head_len;
    uint32_t                    target_s;
    uint64_t                    next_number;
    uint64_t                    next_init;
    uint64_t                    map;          /* for the next entry, or 0 */
    uint64_t                    listed_map;   /* in force in the playlist */
    uint64_t                    segments;
    int64_t                     duration_us;
    ngx_uint_t                  rewrites;     /* of the playlist */
    ngx_uint_t                  writes;       /* serial of whole files */
    int64_t                     looked_ms;    /* for its directory, last */
    mnt_recovery_init_t         inits[MNT_RECOVERY_INITS];
    ngx_uint_t                  ninits;
    mnt_file_t                  unsynced[NGX_MNTREAMER_UNSYNCED];
    ngx_uint_t                  nunsynced;
    unsigned                    has_map:1;
    unsigned                    ended:1;
    unsigned                    discontinuous:1;  /* before the next entry */
    unsigned                    broken:1;     /* an entry failed: likewise */
    unsigned                    init_lost:1;  /* the last one was not stored */
    unsigned                    dirty:1;      /* something is unsynced */
    unsigned                    do_sync:1;
    unsigned                    stale:1;      /* the playlist's fsync failed */
    ngx_mntreamer_fail_t        fail;
    ngx_mntreamer_track_state_t *opened;      /* owned while opening */
};


struct ngx_mntreamer_part_s {
    ngx_queue_t                 link;         /* in a queue of the track */
    ngx_mntreamer_track_t      *tr;           /* alias */
    ngx_mntreamer_part_conf_t   conf;         /* key and iv point below */
    u_char                      key[16];
    u_char                      iv[16];
    uint64_t                    serial;
    off_t                       received;     /* on the wire */
    off_t                       buffered;     /* not taken by a task yet */
    ngx_queue_t                 buffers;      /* filled, last one filling */
    ngx_uint_t                  rc;           /* seen by the event loop */
    unsigned                    gap:1;        /* no file: journal only */
    unsigned                    writing:1;    /* a task is under way */
    unsigned                    committing:1;
    unsigned                    aborted:1;
    ngx_mntreamer_entry_t       entry;
    ngx_mntreamer_commit_pt     done;
    void                       *data;         /* alias */
    ngx_mntreamer_adopted_pt    adopted;      /* NULL: it is received */
    void                       *adopted_data; /* alias */
    char                        source[MNT_TRACK_FILE_MAX];  /* adopted */
    unsigned                    ours:1;       /* "source" is in "dir" */
    unsigned                    made:1;       /* another program has it */
    ngx_msec_t                  since;        /* of the commit */
    ngx_atomic_t                working;

    /* of the task while one is under way */
    ngx_queue_t                 full;         /* buffers to be written */
    off_t                       taken;        /* bytes in them */
    EVP_CIPHER_CTX             *cipher;       /* owned */
    ngx_fd_t                    fd;           /* owned */
    off_t                       written;
    uint32_t                    crc;          /* of an init section */
    ngx_uint_t                  container;
    ngx_uint_t                  known;        /* of the track, at its start */
    unsigned                    sniffed:1;
    ngx_mntreamer_fail_t        fail;
    ngx_mntreamer_commit_t      commit;
    mnt_file_t                  file;         /* the final name */
    off_t                       journal_at;   /* where its lines begin */
    uint64_t                    map;
    unsigned                    discontinuous:1;
    unsigned                    forced:1;     /* because of the track */
    unsigned                    same:1;       /* init stored before */
    unsigned                    renamed:1;    /* it has its final name */
};


/* ngx_mntreamer_storage.c */

uint32_t ngx_mntreamer_storage_token(void);


/* ngx_mntreamer_storage_space.c */

/* waits for the first answer */
void ngx_mntreamer_space_init(ngx_mntreamer_storage_t *st);
/* something could not be stored: the disk's own trouble is told for a while */
void ngx_mntreamer_space_trouble(ngx_mntreamer_storage_t *st,
    const ngx_mntreamer_fail_t *f);


/* ngx_mntreamer_storage_file.c: in threads and in the event loop */

ngx_fd_t ngx_mntreamer_open_beneath(ngx_fd_t root, const char *path,
    int flags);
ngx_fd_t ngx_mntreamer_open_dir(ngx_fd_t root, const char *path,
    ngx_uint_t durable, ngx_mntreamer_fail_t *f);
ngx_int_t ngx_mntreamer_write_all(ngx_fd_t fd, const void *p, size_t n);
ngx_int_t ngx_mntreamer_writev_all(ngx_fd_t fd, struct iovec *iov, int n);
ngx_int_t ngx_mntreamer_read_file(ngx_fd_t dir, const char *name,
    mnt_arena_t *a, mnt_str_t *text);
/* the first media playlist of a recording */
ngx_int_t ngx_mntreamer_read_first(ngx_fd_t dir, mnt_arena_t *a,
    mnt_str_t *text);
ngx_int_t ngx_mntreamer_read_whole(ngx_fd_t fd, mnt_arena_t *a,
    mnt_str_t *text);
int ngx_mntreamer_rename_new(ngx_fd_t dir, const char *from, const char *to);
ngx_uint_t ngx_mntreamer_store_rc(ngx_err_t err);
ngx_int_t ngx_mntreamer_failed(ngx_mntreamer_fail_t *f, ngx_err_t err,
    const char *call, const char *name);
/* as above, with STORE_GONE, which nobody logs but the owner of the track */
ngx_int_t ngx_mntreamer_failed_gone(ngx_mntreamer_fail_t *f);
void ngx_mntreamer_fail_log(ngx_mntreamer_storage_t *st, ngx_log_t *log,
    ngx_mntreamer_fail_t *f, ngx_str_t *dir);

/*
 * Writes a whole file below "dir" under a hidden name of its own and renames
 * it over "name"; *fd, when given, gets it opened for appending.
 * NGX_DECLINED: it has its name, which may not be on the disk.
 */
ngx_int_t ngx_mntreamer_write_whole(ngx_fd_t dir, const char *name,
    uint32_t token, ngx_uint_t serial, struct iovec *iov, int niov,
    ngx_uint_t durable, ngx_fd_t *fd, ngx_mntreamer_fail_t *f);


/* ngx_mntreamer_storage_buffer.c */

void ngx_mntreamer_buffers_init(ngx_mntreamer_storage_t *st);
void ngx_mntreamer_buffers_done(ngx_mntreamer_buffers_t *bs);
ngx_mntreamer_buffer_t *ngx_mntreamer_buffer_get(ngx_mntreamer_buffers_t *bs,
    ngx_uint_t small);
/* how many bytes a part is to gather before it writes them */
off_t ngx_mntreamer_buffers_gather(ngx_mntreamer_buffers_t *bs);
void ngx_mntreamer_buffers_put(ngx_mntreamer_buffers_t *bs, ngx_queue_t *q);


/* ngx_mntreamer_storage_part.c */

/* the bytes that wait, as the next ones to be written by a task */
void ngx_mntreamer_part_take(ngx_mntreamer_part_t *part, ngx_uint_t all);
/* gives back what a task wrote */
void ngx_mntreamer_part_taken(ngx_mntreamer_part_t *part);
/* in a thread: writes what was taken; "last" when no more will come */
ngx_int_t ngx_mntreamer_part_drain(ngx_mntreamer_part_t *part,
    ngx_uint_t last);
/* in a thread: writes the rest and checks it */
ngx_int_t ngx_mntreamer_part_finish(ngx_mntreamer_part_t *part);
mnt_str_t ngx_mntreamer_part_name(ngx_mntreamer_part_t *part, char *buf);
/* in a thread: makes its file */
ngx_int_t ngx_mntreamer_part_open(ngx_mntreamer_part_t *part);
/* in a thread: may it be media, and of which kind; a store_rc_e */
ngx_uint_t ngx_mntreamer_part_sniff(const ngx_mntreamer_part_t *part,
    const u_char *p, size_t n, ngx_uint_t *container);
/* closes and removes its file */
void ngx_mntreamer_part_drop(ngx_mntreamer_part_t *part);
/* the end of one that is not committed; no task may be under way */
void ngx_mntreamer_part_discard(ngx_mntreamer_part_t *part);
/* frees it; no task may be under way */
void ngx_mntreamer_part_free(ngx_mntreamer_part_t *part);


/* ngx_mntreamer_storage_track.c */

void ngx_mntreamer_track_run(ngx_mntreamer_track_t *tr);
ngx_int_t ngx_mntreamer_track_post(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_work_pt work, ngx_mntreamer_worked_pt done);
void ngx_mntreamer_track_settle(ngx_mntreamer_track_t *tr);
void ngx_mntreamer_track_free(ngx_mntreamer_track_t *tr);


/* ngx_mntreamer_storage_commit.c: in a thread */

void ngx_mntreamer_commit_work(void *data);
/* lines behind the playlist, which is written anew where it must be */
ngx_int_t ngx_mntreamer_playlist_add(ngx_mntreamer_track_t *tr, const char *p,
    size_t n, uint32_t target_s, ngx_uint_t has_map);
ngx_int_t ngx_mntreamer_journal_append(ngx_mntreamer_track_t *tr,
    const char *p, size_t n, ngx_mntreamer_fail_t *f);


/* ngx_mntreamer_storage_fence.c: in a thread */

ngx_int_t ngx_mntreamer_track_fenced(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_fail_t *f);
/* 1: no journal of this track has a name in its directory */
ngx_uint_t ngx_mntreamer_track_nameless(ngx_mntreamer_track_t *tr);
/* 1: its directory is not where it was; "f" says what is there */
ngx_uint_t ngx_mntreamer_track_away(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_fail_t *f);


/* ngx_mntreamer_storage_close.c: in a thread */

void ngx_mntreamer_track_flush(ngx_mntreamer_track_t *tr);
void ngx_mntreamer_close_work(void *data);


/* ngx_mntreamer_storage_open.c: in a thread */

void ngx_mntreamer_open_work(void *data);
/* what it would be, without touching it; of "tr" only names, dirfd, opened */
ngx_int_t ngx_mntreamer_open_look(ngx_mntreamer_track_t *tr);


/* ngx_mntreamer_storage_find.c */

/* at exit; 1: a thread is still in one */
ngx_uint_t ngx_mntreamer_finds_free(ngx_mntreamer_storage_t *st);


/* ngx_mntreamer_storage_live.c */

/* likewise */
ngx_uint_t ngx_mntreamer_lives_free(ngx_mntreamer_storage_t *st);
/* handler: what was gathered becomes one task */
void ngx_mntreamer_lives_post(ngx_event_t *ev);

/* in a thread; "path" below conf.live, never beside it; -1 and errno */
ngx_fd_t ngx_mntreamer_live_open(ngx_mntreamer_storage_t *st,
    const char *path, int flags);


#endif /* _NGX_MNTREAMER_STORAGE_INTERNAL_H_INCLUDED_ */
