
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <dirent.h>
#include <sys/file.h>

#include "../hls/mnt_hls_cut.h"
#include "ngx_mntreamer_storage_internal.h"


/*
 * One small file says which spans of a recording are not shown, of all its
 * playlists, which stay as they are.  It is replaced by one rename: before it
 * the one is shown, behind it the other.  Two processes that write it (those
 * of a reload, or of one storage) take turns, and the higher version stays.
 */

#define NGX_MNTREAMER_CUT_TEXT  (32 * 1024 * 1024)
#define NGX_MNTREAMER_CUT_HEAD  64            /* bytes around the lines */


typedef struct {
    ngx_mntreamer_storage_t   *st;            /* alias */
    ngx_fd_t                   root;          /* alias */
    ngx_str_t                  dir;           /* behind the struct, as lines */
    ngx_str_t                  lines;
    uint64_t                   version;
    uint32_t                   token;
    ngx_uint_t                 serial;
    ngx_uint_t                 durable;
    ngx_mntreamer_cut_done_t   result;
    ngx_mntreamer_fail_t       fail;
    ngx_mntreamer_cut_pt       done;
    void                      *data;          /* alias */
} ngx_mntreamer_cutting_t;


static void ngx_mntreamer_cut_work(void *data);
static void ngx_mntreamer_cut_dir(ngx_mntreamer_cutting_t *c, ngx_fd_t dir,
    mnt_arena_t *a);
static ngx_int_t ngx_mntreamer_cut_newer(ngx_mntreamer_cutting_t *c,
    ngx_fd_t dir, mnt_arena_t *a);
static ngx_int_t ngx_mntreamer_cut_count(ngx_mntreamer_cutting_t *c,
    ngx_fd_t dir, mnt_arena_t *a, mnt_hls_cuts_t *holes);
static ngx_int_t ngx_mntreamer_cut_spans(ngx_mntreamer_cutting_t *c,
    mnt_arena_t *a, mnt_hls_cuts_t *cuts);
static void ngx_mntreamer_cut_sweep(ngx_fd_t fd);
static void ngx_mntreamer_cut_done(void *data);


ngx_int_t
ngx_mntreamer_storage_cut(ngx_mntreamer_storage_t *st, ngx_str_t *dir,
    uint64_t version, ngx_str_t *lines, ngx_mntreamer_cut_pt done, void *data)
{
    u_char                   *p;
    ngx_mntreamer_cutting_t  *c;

    if (dir->len == 0 || dir->len >= NGX_MNTREAMER_PATH_MAX) {
        return NGX_ERROR;
    }

    c = ngx_calloc(sizeof(ngx_mntreamer_cutting_t) + dir->len + 1 + lines->len,
                   st->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    p = (u_char *) (c + 1);

    c->dir.data = p;
    c->dir.len = dir->len;
    p = ngx_cpymem(p, dir->data, dir->len) + 1;

    c->lines.data = p;
    c->lines.len = lines->len;

    if (lines->len) {
        ngx_memcpy(p, lines->data, lines->len);
    }

    c->st = st;
    c->root = st->fd;
    c->version = version;
    c->token = st->token;
    c->serial = ++st->serial;
    c->durable = (st->conf.durability != NGX_MNTREAMER_DURABLE_NONE);
    c->done = done;
    c->data = data;

    if (ngx_mntreamer_offload_post(st->off, ngx_mntreamer_cut_work,
                                   ngx_mntreamer_cut_done, c)
        != NGX_OK)
    {
        ngx_free(c);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_mntreamer_cut_work(void *data)
{
    ngx_mntreamer_cutting_t *c = data;

    ngx_fd_t     dir;
    mnt_arena_t  a;

    dir = ngx_mntreamer_open_beneath(c->root, (char *) c->dir.data,
                                     O_RDONLY|O_DIRECTORY);

    if (dir == -1) {

        if (ngx_errno == NGX_ENOENT) {
            c->result.refused = "its files are gone";
            return;
        }

        (void) ngx_mntreamer_failed(&c->fail, ngx_errno, "open()", "");
        return;
    }

    if (flock(dir, LOCK_EX) == -1) {
        (void) ngx_mntreamer_failed(&c->fail, ngx_errno, "flock()", "");
        (void) close(dir);
        return;
    }

    mnt_arena_init(&a, NGX_MNTREAMER_CUT_TEXT);

    ngx_mntreamer_cut_dir(c, dir, &a);

    mnt_arena_free(&a);
    (void) close(dir);
}


static void
ngx_mntreamer_cut_dir(ngx_mntreamer_cutting_t *c, ngx_fd_t dir,
    mnt_arena_t *a)
{
    char            *p;
    size_t           size;
    struct iovec     iov;
    mnt_hls_cuts_t   holes;

    if (ngx_mntreamer_cut_newer(c, dir, a) != NGX_OK
        || ngx_mntreamer_cut_count(c, dir, a, &holes) != NGX_OK)
    {
        return;
    }

    size = mnt_hls_cuts_write(&holes, NULL, 0) + 1;
    p = mnt_arena_alloc(a, size);

    if (p) {
        iov.iov_base = p;
        iov.iov_len = mnt_hls_cuts_write(&holes, p, size);
    }

    mnt_hls_cuts_free(&holes);

    if (p == NULL) {
        (void) ngx_mntreamer_failed(&c->fail, NGX_ENOMEM, "malloc()", "");
        return;
    }

    ngx_mntreamer_cut_sweep(dir);
    ngx_mntreamer_inject("cut_counted");

    (void) ngx_mntreamer_write_whole(dir, NGX_MNTREAMER_CUTS, c->token,
                                     c->serial, &iov, 1, c->durable, NULL,
                                     &c->fail);
}


/* NGX_DECLINED: a higher version is there; one that is broken is replaced */

static ngx_int_t
ngx_mntreamer_cut_newer(ngx_mntreamer_cutting_t *c, ngx_fd_t dir,
    mnt_arena_t *a)
{
    uint64_t        version;
    ngx_int_t       rc;
    mnt_str_t       text;
    mnt_hls_cuts_t  cuts;

    rc = ngx_mntreamer_read_file(dir, NGX_MNTREAMER_CUTS, a, &text);

    if (rc == NGX_ERROR) {
        return ngx_mntreamer_failed(&c->fail, ngx_errno, "read()",
                                    NGX_MNTREAMER_CUTS);
    }

    if (rc == NGX_DECLINED || mnt_hls_cuts_read(&cuts, text) != 0) {
        return NGX_OK;
    }

    version = cuts.version;
    mnt_hls_cuts_free(&cuts);

    return version > c->version ? NGX_DECLINED : NGX_OK;
}


/*
 * What the first playlist leaves out, others do.  Something must be left: one
 * without a segment cannot be played.
 */

static ngx_int_t
ngx_mntreamer_cut_count(ngx_mntreamer_cutting_t *c, ngx_fd_t dir,
    mnt_arena_t *a, mnt_hls_cuts_t *holes)
{
    int             rc;
    mnt_str_t       playlist;
    mnt_hls_cut_t   cut;
    mnt_hls_cuts_t  cuts;

    switch (ngx_mntreamer_read_first(dir, a, &playlist)) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        c->result.refused = "it has no playlist";
        return NGX_DECLINED;

    default:
        return ngx_mntreamer_failed(&c->fail, ngx_errno, "read()",
                                    "index.m3u8");
    }

    if (ngx_mntreamer_cut_spans(c, a, &cuts) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = mnt_hls_cut_holes(&cuts, playlist, holes, &cut);
    mnt_hls_cuts_free(&cuts);

    if (rc != 0) {
        return ngx_mntreamer_failed(&c->fail, NGX_ENOMEM, "malloc()", "");
    }

    if (cut.foreign || cut.hidden == cut.entries) {
        c->result.refused = cut.foreign ? "its playlist was not written by us"
                                        : "nothing would be left";
        mnt_hls_cuts_free(holes);
        return NGX_DECLINED;
    }

    c->result.known = 1;
    c->result.segments = cut.hidden;
    c->result.us = cut.hidden_us;

    return NGX_OK;
}


/* those of the row, as the file has them */

static ngx_int_t
ngx_mntreamer_cut_spans(ngx_mntreamer_cutting_t *c, mnt_arena_t *a,
    mnt_hls_cuts_t *cuts)
{
    u_char     *p;
    mnt_str_t   text;

    p = mnt_arena_alloc(a, c->lines.len + NGX_MNTREAMER_CUT_HEAD);

    if (p == NULL) {
        return ngx_mntreamer_failed(&c->fail, NGX_ENOMEM, "malloc()", "");
    }

    text.data = (char *) p;
    text.len = ngx_snprintf(p, c->lines.len + NGX_MNTREAMER_CUT_HEAD,
                            "#MNTREAMER-CUTS:%uL\n%V%s#END\n", c->version,
                            &c->lines, c->lines.len ? "\n" : "")
               - p;

    if (mnt_hls_cuts_read(cuts, text) != 0) {
        return ngx_mntreamer_failed(&c->fail, NGX_ENOMEM, "malloc()", "");
    }

    return NGX_OK;
}


/* what a crash has left; nobody else writes one now */

static void
ngx_mntreamer_cut_sweep(ngx_fd_t fd)
{
    DIR            *dir;
    mnt_str_t       name;
    ngx_fd_t        again;
    struct dirent  *de;

    again = openat(fd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    if (again == -1) {
        return;
    }

    dir = fdopendir(again);

    if (dir == NULL) {
        (void) close(again);
        return;
    }

    while ((de = readdir(dir)) != NULL) {
        name = mnt_str_c(de->d_name);

        if (mnt_str_starts(name, "." NGX_MNTREAMER_CUTS ".")
            && mnt_str_ends(name, ".part"))
        {
            (void) unlinkat(fd, de->d_name, 0);
        }
    }

    (void) closedir(dir);
}


static void
ngx_mntreamer_cut_done(void *data)
{
    ngx_mntreamer_cutting_t *c = data;

    c->result.rc = c->fail.rc;

    ngx_mntreamer_fail_log(c->st, c->st->log, &c->fail, &c->dir);

    c->done(c->data, &c->result);

    ngx_free(c);
}
