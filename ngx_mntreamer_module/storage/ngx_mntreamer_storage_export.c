
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <dirent.h>

#include "../hls/mnt_hls_clock.h"
#include "mnt_export.h"
#include "ngx_mntreamer_storage_internal.h"


/*
 * The files of an export, in the directory of its recording.  "J" is the job,
 * "E" the epoch of who makes it, so that two of them share no file:
 *
 *     .export-J-E-N.m3u8      a run (mnt_export.h), what lies in the span
 *     .export-J-E-N-a.m3u8    its sound, where that has a playlist of its own
 *     .export-J-E-N-m.m3u8    the two together
 *     .export-J-E.part        the list of all runs, for ffmpeg
 *     .export-J-E.mp4.part    what ffmpeg makes
 *     export-J.mp4            the export
 */

#define NGX_MNTREAMER_EXPORT_MEM    (64 * 1024 * 1024)
#define NGX_MNTREAMER_EXPORT_RUNS   10000
#define NGX_MNTREAMER_EXPORT_TEXT   (64 * 1024)
#define NGX_MNTREAMER_EXPORT_HEAD   8192      /* of a segment: its clock */
#define NGX_MNTREAMER_EXPORT_INIT   (64 * 1024)


typedef enum {
    NGX_MNTREAMER_EXPORT_PREPARE = 0,
    NGX_MNTREAMER_EXPORT_STORE,
    NGX_MNTREAMER_EXPORT_REMOVE
} ngx_mntreamer_export_work_e;

typedef struct {
    char          *data;                      /* owned */
    size_t         len;
    size_t         size;
} ngx_mntreamer_export_text_t;

/* what the clock said where the last segment began */

typedef struct {
    int64_t                at_us;
    int64_t                duration_us;       /* of that */
    mnt_str_t              map;               /* which "init" is of */
    mnt_hls_clock_init_t   init;
} ngx_mntreamer_export_clock_t;

struct ngx_mntreamer_export_s {
    ngx_mntreamer_storage_t      *st;         /* alias */
    ngx_mntreamer_export_work_e   work;
    ngx_mntreamer_export_conf_t   conf;
    ngx_str_t                     dir;        /* behind the struct */
    ngx_uint_t                    durable;
    ngx_mntreamer_exported_pt     done;       /* NULL: nobody waits */
    void                         *data;       /* alias */

    /* of the task */
    ngx_fd_t                      root;       /* alias */
    ngx_fd_t                      fd;         /* owned: the directory */
    mnt_arena_t                   arena;
    mnt_hls_cuts_t                cuts;       /* what is not shown of it */
    ngx_mntreamer_export_text_t   run;        /* that is being read */
    ngx_mntreamer_export_text_t   list;
    ngx_mntreamer_exported_t      result;
    ngx_mntreamer_fail_t          fail;
};


static ngx_mntreamer_export_t *ngx_mntreamer_export_post(
    ngx_mntreamer_storage_t *st, ngx_mntreamer_export_work_e work,
    const ngx_mntreamer_export_conf_t *conf, ngx_mntreamer_exported_pt done,
    void *data);
static void ngx_mntreamer_export_task(void *data);
static void ngx_mntreamer_export_done(void *data);
static void ngx_mntreamer_export_sweep(ngx_mntreamer_export_t *x);
static ngx_uint_t ngx_mntreamer_export_stale(ngx_mntreamer_export_t *x,
    const char *name);
static void ngx_mntreamer_export_plan(ngx_mntreamer_export_t *x);
static ngx_int_t ngx_mntreamer_export_cuts(ngx_mntreamer_export_t *x);
static ngx_int_t ngx_mntreamer_export_read(ngx_mntreamer_export_t *x,
    mnt_str_t *video, mnt_str_t *audio);
static ngx_int_t ngx_mntreamer_export_sound(ngx_mntreamer_export_t *x,
    mnt_str_t audio, ngx_uint_t nruns);
static ngx_int_t ngx_mntreamer_export_runs(ngx_mntreamer_export_t *x,
    mnt_str_t text, ngx_uint_t sound, int64_t *lengths, ngx_uint_t *nruns);
static ngx_int_t ngx_mntreamer_export_entry(ngx_mntreamer_export_t *x,
    const mnt_export_entry_t *e, mnt_str_t *map);
static ngx_int_t ngx_mntreamer_export_run(ngx_mntreamer_export_t *x,
    ngx_uint_t n, ngx_uint_t sound);
static ngx_int_t ngx_mntreamer_export_together(ngx_mntreamer_export_t *x,
    ngx_uint_t n);
static ngx_int_t ngx_mntreamer_export_there(ngx_mntreamer_export_t *x,
    mnt_export_entry_t *e, ngx_mntreamer_export_clock_t *clock);
static void ngx_mntreamer_export_clock(ngx_mntreamer_export_t *x,
    mnt_export_entry_t *e, ngx_fd_t fd, ngx_mntreamer_export_clock_t *clock);
static ngx_int_t ngx_mntreamer_export_listed(ngx_mntreamer_export_t *x,
    const int64_t *lengths, ngx_uint_t nruns, ngx_uint_t sound);
static ngx_int_t ngx_mntreamer_export_write(ngx_mntreamer_export_t *x,
    const char *name, ngx_mntreamer_export_text_t *text);
static ngx_int_t ngx_mntreamer_export_text(ngx_mntreamer_export_t *x,
    ngx_mntreamer_export_text_t *text, const char *fmt, ...);
static void ngx_mntreamer_export_keep(ngx_mntreamer_export_t *x);
static ngx_int_t ngx_mntreamer_export_why(ngx_mntreamer_export_t *x,
    ngx_uint_t rc, const char *why);


ngx_mntreamer_export_t *
ngx_mntreamer_export_prepare(ngx_mntreamer_storage_t *st,
    const ngx_mntreamer_export_conf_t *conf, ngx_mntreamer_exported_pt done,
    void *data)
{
    return ngx_mntreamer_export_post(st, NGX_MNTREAMER_EXPORT_PREPARE, conf,
                                     done, data);
}


ngx_mntreamer_export_t *
ngx_mntreamer_export_store(ngx_mntreamer_storage_t *st,
    const ngx_mntreamer_export_conf_t *conf, ngx_mntreamer_exported_pt done,
    void *data)
{
    return ngx_mntreamer_export_post(st, NGX_MNTREAMER_EXPORT_STORE, conf,
                                     done, data);
}


ngx_mntreamer_export_t *
ngx_mntreamer_export_remove(ngx_mntreamer_storage_t *st,
    const ngx_mntreamer_export_conf_t *conf, ngx_mntreamer_exported_pt done,
    void *data)
{
    return ngx_mntreamer_export_post(st, NGX_MNTREAMER_EXPORT_REMOVE, conf,
                                     done, data);
}


void
ngx_mntreamer_export_cancel(ngx_mntreamer_export_t *x)
{
    x->done = NULL;
}


void
ngx_mntreamer_export_names(ngx_mntreamer_storage_t *st,
    const ngx_mntreamer_export_conf_t *conf, ngx_mntreamer_export_names_t *n)
{
    ngx_str_t  *root;

    root = &st->conf.root;

    *ngx_snprintf(n->dir, sizeof(n->dir) - 1, "%V/%V", root, &conf->dir)
        = '\0';
    *ngx_snprintf(n->list, sizeof(n->list) - 1, ".export-%L-%L.part",
                  conf->id, conf->epoch) = '\0';
    *ngx_snprintf(n->part, sizeof(n->part) - 1, ".export-%L-%L.mp4.part",
                  conf->id, conf->epoch) = '\0';
    *ngx_snprintf(n->file, sizeof(n->file) - 1, "export-%L.mp4", conf->id)
        = '\0';
}


static ngx_mntreamer_export_t *
ngx_mntreamer_export_post(ngx_mntreamer_storage_t *st,
    ngx_mntreamer_export_work_e work, const ngx_mntreamer_export_conf_t *conf,
    ngx_mntreamer_exported_pt done, void *data)
{
    ngx_mntreamer_export_t  *x;

    if (conf->dir.len == 0 || conf->dir.len >= NGX_MNTREAMER_PATH_MAX) {
        return NULL;
    }

    x = ngx_calloc(sizeof(ngx_mntreamer_export_t) + conf->dir.len + 1,
                   st->log);
    if (x == NULL) {
        return NULL;
    }

    x->st = st;
    x->work = work;
    x->conf = *conf;
    x->root = st->fd;
    x->durable = (st->conf.durability != NGX_MNTREAMER_DURABLE_NONE);
    x->done = done;
    x->data = data;

    x->dir.data = (u_char *) (x + 1);
    x->dir.len = conf->dir.len;
    ngx_memcpy(x->dir.data, conf->dir.data, conf->dir.len);

    if (ngx_mntreamer_offload_post(st->off, ngx_mntreamer_export_task,
                                   ngx_mntreamer_export_done, x)
        != NGX_OK)
    {
        ngx_free(x);
        return NULL;
    }

    return x;
}


static void
ngx_mntreamer_export_task(void *data)
{
    ngx_mntreamer_export_t *x = data;

    x->fd = ngx_mntreamer_open_beneath(x->root, (char *) x->dir.data,
                                       O_RDONLY|O_DIRECTORY);

    if (x->fd == -1) {

        if (ngx_errno != NGX_ENOENT) {
            (void) ngx_mntreamer_failed(&x->fail, ngx_errno, "open()", "");

        } else if (x->work != NGX_MNTREAMER_EXPORT_REMOVE) {
            (void) ngx_mntreamer_export_why(x, NGX_MNTREAMER_STORE_MISSING,
                                        "its recording has no files here");
        }

        return;
    }

    mnt_arena_init(&x->arena, NGX_MNTREAMER_EXPORT_MEM);

    switch (x->work) {

    case NGX_MNTREAMER_EXPORT_PREPARE:
        ngx_mntreamer_export_sweep(x);
        ngx_mntreamer_export_plan(x);
        break;

    case NGX_MNTREAMER_EXPORT_STORE:
        ngx_mntreamer_export_keep(x);
        /* fall through */

    default:
        ngx_mntreamer_export_sweep(x);
    }

    mnt_hls_cuts_free(&x->cuts);
    mnt_arena_free(&x->arena);
    free(x->run.data);
    free(x->list.data);
    (void) close(x->fd);
}


static void
ngx_mntreamer_export_done(void *data)
{
    ngx_mntreamer_export_t *x = data;

    if (x->fail.rc != NGX_MNTREAMER_STORE_OK
        && x->result.rc == NGX_MNTREAMER_STORE_OK)
    {
        x->result.rc = x->fail.rc;
        x->result.why = (x->fail.rc == NGX_MNTREAMER_STORE_FULL)
                        ? "the disk is full"
                        : "a file could not be read or written";

        ngx_log_error(NGX_LOG_ERR, x->st->log, x->fail.err,
                      "%s \"%V/%V/%s\" failed", x->fail.call,
                      &x->st->conf.root, &x->dir, x->fail.name);
    }

    x->st->looked_at = 0;                     /* is there room now */

    if (x->done) {
        x->done(x->data, &x->result);
    }

    ngx_free(x);
}


static void
ngx_mntreamer_export_sweep(ngx_mntreamer_export_t *x)
{
    DIR            *dir;
    ngx_fd_t        fd;
    struct dirent  *de;

    fd = openat(x->fd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    dir = (fd == -1) ? NULL : fdopendir(fd);

    if (dir == NULL) {
        (void) ngx_mntreamer_failed(&x->fail, ngx_errno, "open()", "");

        if (fd != -1) {
            (void) close(fd);
        }

        return;
    }

    while ((de = readdir(dir)) != NULL) {
        if (ngx_mntreamer_export_stale(x, de->d_name)
            && unlinkat(x->fd, de->d_name, 0) == -1
            && ngx_errno != NGX_ENOENT)
        {
            (void) ngx_mntreamer_failed(&x->fail, ngx_errno, "unlink()",
                                        de->d_name);
        }
    }

    (void) closedir(dir);
}


/*
 * What this epoch of the job or one before it has left, not what its next
 * owner makes; with "all" the export itself, too.
 */

static ngx_uint_t
ngx_mntreamer_export_stale(ngx_mntreamer_export_t *x, const char *name)
{
    char        prefix[64];
    size_t      n;
    int64_t     epoch;
    mnt_str_t   s;

    *ngx_snprintf((u_char *) prefix, sizeof(prefix) - 1, "export-%L.mp4",
                  x->conf.id) = '\0';

    if (ngx_strcmp(name, prefix) == 0) {
        return x->conf.all;
    }

    *ngx_snprintf((u_char *) prefix, sizeof(prefix) - 1, ".export-%L-",
                  x->conf.id) = '\0';

    if (!mnt_str_starts(mnt_str_c(name), prefix)) {
        return 0;
    }

    n = ngx_strlen(prefix);
    s.data = name + n;
    s.len = strspn(s.data, "0123456789");

    return mnt_str_i64(s, &epoch) == 0 && epoch <= x->conf.epoch;
}


static void
ngx_mntreamer_export_plan(ngx_mntreamer_export_t *x)
{
    int64_t    *lengths;
    mnt_str_t   video, audio;
    ngx_uint_t  nruns;

    if (ngx_mntreamer_export_cuts(x) != NGX_OK
        || ngx_mntreamer_export_read(x, &video, &audio) != NGX_OK)
    {
        return;
    }

    lengths = mnt_arena_alloc(&x->arena, NGX_MNTREAMER_EXPORT_RUNS
                                         * sizeof(int64_t));
    if (lengths == NULL) {
        (void) ngx_mntreamer_failed(&x->fail, NGX_ENOMEM, "malloc()", "");
        return;
    }

    if (ngx_mntreamer_export_runs(x, video, 0, lengths, &nruns) != NGX_OK) {
        return;
    }

    if (nruns == 0) {
        (void) ngx_mntreamer_export_why(x, NGX_MNTREAMER_STORE_EMPTY,
                                        "nothing is stored in this span");
        return;
    }

    if (audio.len && ngx_mntreamer_export_sound(x, audio, nruns) != NGX_OK) {
        return;
    }

    (void) ngx_mntreamer_export_listed(x, lengths, nruns, audio.len != 0);
}


static ngx_int_t
ngx_mntreamer_export_cuts(ngx_mntreamer_export_t *x)
{
    ngx_int_t  rc;
    mnt_str_t  text;

    rc = ngx_mntreamer_read_file(x->fd, NGX_MNTREAMER_CUTS, &x->arena, &text);

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    /* rather nothing than what is not to be shown */

    if (rc != NGX_OK || mnt_hls_cuts_read(&x->cuts, text) != 0) {
        return ngx_mntreamer_failed(&x->fail, rc == NGX_OK ? 0 : ngx_errno,
                                    "read()", NGX_MNTREAMER_CUTS);
    }

    return NGX_OK;
}


/* index.m3u8 is the playlist of the only track, or names that of the sound */

static ngx_int_t
ngx_mntreamer_export_read(ngx_mntreamer_export_t *x, mnt_str_t *video,
    mnt_str_t *audio)
{
    mnt_str_t  index, name;

    ngx_memzero(audio, sizeof(mnt_str_t));

    if (ngx_mntreamer_read_file(x->fd, "index.m3u8", &x->arena, &index)
        != NGX_OK)
    {
        return ngx_mntreamer_export_why(x, NGX_MNTREAMER_STORE_MISSING,
                                        "its recording has no playlist here");
    }

    switch (ngx_mntreamer_read_file(x->fd, "video.m3u8", &x->arena, video)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        *video = index;
        return NGX_OK;

    default:
        return ngx_mntreamer_failed(&x->fail, ngx_errno, "read()",
                                    "video.m3u8");
    }

    name = mnt_export_audio(index);

    if (name.len == 0) {
        return NGX_OK;
    }

    name = mnt_arena_dup(&x->arena, name);

    if (name.data == NULL
        || ngx_mntreamer_read_file(x->fd, name.data, &x->arena, audio)
           != NGX_OK)
    {
        return ngx_mntreamer_export_why(x, NGX_MNTREAMER_STORE_MISSING,
                                        "its sound cannot be read");
    }

    return NGX_OK;
}


/* gaps of only one of them move it against the other */

static ngx_int_t
ngx_mntreamer_export_sound(ngx_mntreamer_export_t *x, mnt_str_t audio,
    ngx_uint_t nruns)
{
    int64_t     *lengths;
    ngx_uint_t   i, n;

    lengths = mnt_arena_alloc(&x->arena, NGX_MNTREAMER_EXPORT_RUNS
                                         * sizeof(int64_t));
    if (lengths == NULL) {
        return ngx_mntreamer_failed(&x->fail, NGX_ENOMEM, "malloc()", "");
    }

    if (ngx_mntreamer_export_runs(x, audio, 1, lengths, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (n != nruns) {
        return ngx_mntreamer_export_why(x, NGX_MNTREAMER_STORE_CONTENT,
                                        "pictures and sound have not the "
                                        "same gaps");
    }

    for (i = 0; i < nruns; i++) {
        if (ngx_mntreamer_export_together(x, i) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* writes a playlist of each run, and says how long each is */

static ngx_int_t
ngx_mntreamer_export_runs(ngx_mntreamer_export_t *x, mnt_str_t text,
    ngx_uint_t sound, int64_t *lengths, ngx_uint_t *nruns)
{
    ngx_int_t                     rc;
    mnt_str_t                     map;
    ngx_uint_t                    n;
    mnt_export_entry_t            e;
    mnt_export_reader_t           rd;
    ngx_mntreamer_export_clock_t  clock;

    n = 0;
    ngx_memzero(&map, sizeof(mnt_str_t));
    ngx_memzero(&clock, sizeof(ngx_mntreamer_export_clock_t));
    clock.at_us = MNT_HLS_CLOCK_NONE;
    mnt_export_init(&rd, text, &x->cuts, x->conf.begin_us, x->conf.end_us);

    while (mnt_export_next(&rd, &e)) {

        rc = ngx_mntreamer_export_there(x, &e, &clock);

        if (rc == NGX_DECLINED) {
            x->result.missing++;
            mnt_export_skip(&rd);
            continue;

        } else if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        if (e.begins) {

            if (n && ngx_mntreamer_export_run(x, n - 1, sound) != NGX_OK) {
                return NGX_ERROR;
            }

            if (n == NGX_MNTREAMER_EXPORT_RUNS) {
                return ngx_mntreamer_export_why(x, NGX_MNTREAMER_STORE_CONTENT,
                                                "it has too many gaps");
            }

            lengths[n++] = 0;
            ngx_memzero(&map, sizeof(mnt_str_t));

            /* no entry is longer than that, as far as readers mind */

            if (ngx_mntreamer_export_text(x, &x->run,
                                          "#EXTM3U\n#EXT-X-VERSION:7\n"
                                          "#EXT-X-TARGETDURATION:3600\n"
                                          "#EXT-X-PLAYLIST-TYPE:VOD\n")
                != NGX_OK)
            {
                return NGX_ERROR;
            }
        }

        lengths[n - 1] += e.duration_us;

        if (ngx_mntreamer_export_entry(x, &e, &map) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    *nruns = n;

    return n ? ngx_mntreamer_export_run(x, n - 1, sound) : NGX_OK;
}


static ngx_int_t
ngx_mntreamer_export_entry(ngx_mntreamer_export_t *x,
    const mnt_export_entry_t *e, mnt_str_t *map)
{
    if (e->map.len && !mnt_str_eq(e->map, *map)) {
        *map = e->map;

        if (ngx_mntreamer_export_text(x, &x->run,
                                      "#EXT-X-MAP:URI=\"%*s\"\n", map->len,
                                      map->data)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_mntreamer_export_text(x, &x->run, "#EXTINF:%L.%06L,\n%*s\n",
                                     e->duration_us / 1000000,
                                     e->duration_us % 1000000, e->uri.len,
                                     e->uri.data);
}


/* the run that was read, whole */

static ngx_int_t
ngx_mntreamer_export_run(ngx_mntreamer_export_t *x, ngx_uint_t n,
    ngx_uint_t sound)
{
    char  name[96];

    *ngx_snprintf((u_char *) name, sizeof(name) - 1,
                  ".export-%L-%L-%ui%s.m3u8", x->conf.id, x->conf.epoch, n,
                  sound ? "-a" : "") = '\0';

    if (ngx_mntreamer_export_text(x, &x->run, "#EXT-X-ENDLIST\n") != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_mntreamer_export_write(x, name, &x->run);
}


static ngx_int_t
ngx_mntreamer_export_together(ngx_mntreamer_export_t *x, ngx_uint_t n)
{
    char  name[96];

    *ngx_snprintf((u_char *) name, sizeof(name) - 1,
                  ".export-%L-%L-%ui-m.m3u8", x->conf.id, x->conf.epoch, n)
        = '\0';

    if (ngx_mntreamer_export_text(x, &x->run,
                                  "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,"
                                  "GROUP-ID=\"a\",NAME=\"a\",DEFAULT=YES,"
                                  "URI=\".export-%L-%L-%ui-a.m3u8\"\n"
                                  "#EXT-X-STREAM-INF:BANDWIDTH=1,"
                                  "AUDIO=\"a\"\n.export-%L-%L-%ui.m3u8\n",
                                  x->conf.id, x->conf.epoch, n, x->conf.id,
                                  x->conf.epoch, n)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mntreamer_export_write(x, name, &x->run);
}


/*
 * NGX_DECLINED: its file is not there, which is no reason to have nothing; one
 * that cannot be opened just now is.  A socket is ENXIO.
 */

static ngx_int_t
ngx_mntreamer_export_there(ngx_mntreamer_export_t *x, mnt_export_entry_t *e,
    ngx_mntreamer_export_clock_t *clock)
{
    char         name[256];
    ngx_fd_t     fd;
    ngx_int_t    rc;
    struct stat  sb;

    ngx_memcpy(name, e->uri.data, e->uri.len);
    name[e->uri.len] = '\0';

    fd = openat(x->fd, name, O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_NONBLOCK);

    if (fd == -1) {
        return (ngx_errno == NGX_ENOENT || ngx_errno == NGX_ELOOP
                || ngx_errno == ENXIO)
               ? NGX_DECLINED
               : ngx_mntreamer_failed(&x->fail, ngx_errno, "open()", name);
    }

    if (fstat(fd, &sb) == -1) {
        rc = ngx_mntreamer_failed(&x->fail, ngx_errno, "fstat()", name);

    } else if (!S_ISREG(sb.st_mode) || sb.st_size == 0) {
        rc = NGX_DECLINED;

    } else {
        rc = NGX_OK;
        x->result.bytes += sb.st_size;
        ngx_mntreamer_export_clock(x, e, fd, clock);
    }

    (void) close(fd);

    return rc;
}


/* a clock that began anew without being told is the begin of a run, too */

static void
ngx_mntreamer_export_clock(ngx_mntreamer_export_t *x, mnt_export_entry_t *e,
    ngx_fd_t fd, ngx_mntreamer_export_clock_t *clock)
{
    char       name[256];
    u_char    *buf;
    int64_t    at;
    ssize_t    n;
    ngx_fd_t   init;

    buf = malloc(NGX_MNTREAMER_EXPORT_INIT);

    if (buf == NULL) {
        return;
    }

    if (!mnt_str_eq(e->map, clock->map)) {
        clock->map = e->map;
        clock->init.n = 0;

        ngx_memcpy(name, e->map.data, e->map.len);
        name[e->map.len] = '\0';

        init = openat(x->fd, name, O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_NONBLOCK);

        if (init != -1) {
            n = pread(init, buf, NGX_MNTREAMER_EXPORT_INIT, 0);
            mnt_hls_clock_init(&clock->init, buf, n > 0 ? (size_t) n : 0);
            (void) close(init);
        }
    }

    n = pread(fd, buf, NGX_MNTREAMER_EXPORT_HEAD, 0);

    at = mnt_hls_clock(buf, n > 0 ? (size_t) n : 0, &clock->init);
    free(buf);

    if (mnt_hls_clock_jumps(clock->at_us, at, clock->duration_us)) {
        e->begins = 1;
    }

    clock->at_us = at;
    clock->duration_us = e->duration_us;
}


/* the durations say where the next run begins, whatever a run's clocks say */

static ngx_int_t
ngx_mntreamer_export_listed(ngx_mntreamer_export_t *x, const int64_t *lengths,
    ngx_uint_t nruns, ngx_uint_t sound)
{
    char        name[96];
    ngx_uint_t  i;

    if (ngx_mntreamer_export_text(x, &x->list, "ffconcat version 1.0\n")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < nruns; i++) {
        x->result.duration_us += lengths[i];

        if (ngx_mntreamer_export_text(x, &x->list,
                                      "file '.export-%L-%L-%ui%s.m3u8'\n"
                                      "duration %L.%06L\n",
                                      x->conf.id, x->conf.epoch, i,
                                      sound ? "-m" : "", lengths[i] / 1000000,
                                      lengths[i] % 1000000)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    *ngx_snprintf((u_char *) name, sizeof(name) - 1, ".export-%L-%L.part",
                  x->conf.id, x->conf.epoch) = '\0';

    return ngx_mntreamer_export_write(x, name, &x->list);
}


/* nothing of it is needed behind a crash; "text" is empty then */

static ngx_int_t
ngx_mntreamer_export_write(ngx_mntreamer_export_t *x, const char *name,
    ngx_mntreamer_export_text_t *text)
{
    ngx_fd_t   fd;
    ngx_int_t  rc;

    fd = openat(x->fd, name, O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
                NGX_MNTREAMER_FILE_MODE);

    if (fd == -1) {
        return ngx_mntreamer_failed(&x->fail, ngx_errno, "open()", name);
    }

    rc = ngx_mntreamer_write_all(fd, text->data, text->len);

    if (rc != NGX_OK) {
        (void) ngx_mntreamer_failed(&x->fail, ngx_errno, "write()", name);
    }

    text->len = 0;
    (void) close(fd);

    return rc;
}


/* as ngx_snprintf() */

static ngx_int_t
ngx_mntreamer_export_text(ngx_mntreamer_export_t *x,
    ngx_mntreamer_export_text_t *text, const char *fmt, ...)
{
    char     *data;
    u_char    buf[1024], *p;
    size_t    n;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, buf + sizeof(buf), fmt, args);
    va_end(args);

    n = p - buf;

    if (text->size - text->len < n) {
        data = realloc(text->data, 2 * text->size + NGX_MNTREAMER_EXPORT_TEXT);

        if (data == NULL || text->size > NGX_MNTREAMER_EXPORT_MEM) {
            text->data = data ? data : text->data;
            return ngx_mntreamer_failed(&x->fail, NGX_ENOMEM, "malloc()", "");
        }

        text->data = data;
        text->size = 2 * text->size + NGX_MNTREAMER_EXPORT_TEXT;
    }

    ngx_memcpy(text->data + text->len, buf, n);
    text->len += n;
    return NGX_OK;
}


/* what ffmpeg made, on the disk before it has its name */

static void
ngx_mntreamer_export_keep(ngx_mntreamer_export_t *x)
{
    char                          *part, *name;
    ngx_fd_t                       fd;
    struct stat                    sb;
    ngx_mntreamer_export_names_t   names;

    ngx_mntreamer_export_names(x->st, &x->conf, &names);
    part = (char *) names.part;
    name = (char *) names.file;

    fd = openat(x->fd, part, O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_NONBLOCK);

    if (fd == -1 || fstat(fd, &sb) == -1) {
        (void) ngx_mntreamer_failed(&x->fail, ngx_errno, "open()", part);
        goto done;
    }

    if (!S_ISREG(sb.st_mode) || sb.st_size == 0) {
        (void) ngx_mntreamer_export_why(x, NGX_MNTREAMER_STORE_EMPTY,
                                        "ffmpeg made nothing of it");
        goto done;
    }

    (void) fchmod(fd, NGX_MNTREAMER_FILE_MODE);

    if (x->durable && fsync(fd) == -1) {
        (void) ngx_mntreamer_failed(&x->fail, ngx_errno, "fsync()", part);
        goto done;
    }

    ngx_mntreamer_inject("export_synced");

    if (renameat(x->fd, part, x->fd, name) == -1) {
        (void) ngx_mntreamer_failed(&x->fail, ngx_errno, "rename()", part);
        goto done;
    }

    if (x->durable && fsync(x->fd) == -1) {
        (void) ngx_mntreamer_failed(&x->fail, ngx_errno, "fsync()", name);
    }

    x->result.bytes = sb.st_size;

done:

    if (fd != -1) {
        (void) close(fd);
    }
}


static ngx_int_t
ngx_mntreamer_export_why(ngx_mntreamer_export_t *x, ngx_uint_t rc,
    const char *why)
{
    x->result.rc = rc;
    x->result.why = why;
    return NGX_ERROR;
}
