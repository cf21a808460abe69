
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <dirent.h>

#include "ngx_mntreamer_storage_internal.h"


#define NGX_MNTREAMER_ENDLIST  "#EXT-X-ENDLIST\n"


static ngx_int_t ngx_mntreamer_close_end(ngx_mntreamer_track_t *tr);
static void ngx_mntreamer_close_sweep(ngx_mntreamer_track_t *tr);
static ngx_uint_t ngx_mntreamer_close_left(ngx_mntreamer_track_t *tr,
    const char *name);
static void ngx_mntreamer_close_empty(ngx_mntreamer_track_t *tr);


/* the syncs of an interval, in the order of a commit */

void
ngx_mntreamer_track_flush(ngx_mntreamer_track_t *tr)
{
    char        name[MNT_TRACK_FILE_MAX];
    ngx_fd_t    fd;
    ngx_uint_t  i;

    for (i = 0; i < tr->nunsynced; i++) {
        (void) mnt_file_name(&tr->unsynced[i], tr->prefix, name);

        fd = openat(tr->dirfd, name, O_RDONLY|O_NOFOLLOW|O_CLOEXEC);

        if (fd == -1) {

            /* the retention or somebody else took it away */
            continue;
        }

        if (fsync(fd) == -1) {
            (void) ngx_mntreamer_failed(&tr->fail, ngx_errno, "fsync()", name);
        }

        (void) close(fd);
    }

    if (fdatasync(tr->journal) == -1 || fsync(tr->dirfd) == -1
        || (tr->playlist != -1 && fdatasync(tr->playlist) == -1))
    {
        (void) ngx_mntreamer_failed(&tr->fail, ngx_errno, "fdatasync()",
                                    (char *) tr->name.data);
    }

    /* a failed fsync() is not made good by another one */

    tr->nunsynced = 0;
    tr->dirty = 0;
}


void
ngx_mntreamer_close_work(void *data)
{
    ngx_mntreamer_track_t *tr = data;

    tr->close_rc = NGX_MNTREAMER_STORE_OK;

    /* before the row can say that it is over: a crash would leave it there */

    if (tr->endlist) {
        (void) unlinkat(tr->dirfd, NGX_MNTREAMER_THUMBNAIL, 0);
    }

    if (tr->endlist && !tr->ended && tr->playlist != -1
        && ngx_mntreamer_close_end(tr) != NGX_OK)
    {
        tr->close_rc = tr->fail.rc;
    }

    if (tr->endlist && tr->close_rc == NGX_MNTREAMER_STORE_OK
        && ngx_mntreamer_track_away(tr, &tr->fail))
    {
        tr->close_rc = tr->fail.rc;
    }

    if (tr->close_rc == NGX_MNTREAMER_STORE_GONE) {
        tr->dirty = 0;
    }

    /* the names that it lists, and with an interval the end itself */

    if (tr->dirty) {
        ngx_mntreamer_track_flush(tr);
    }

    if (tr->endlist && tr->close_rc == NGX_MNTREAMER_STORE_OK) {
        ngx_mntreamer_close_sweep(tr);
    }

    if (tr->playlist == -1 && tr->journal_size == 0) {
        ngx_mntreamer_close_empty(tr);
    }

    ngx_memory_barrier();
    tr->working = 0;
}


/*
 * What an earlier try left behind the last entry goes first.  With an interval
 * the flush that follows makes the end durable, too.
 */

static ngx_int_t
ngx_mntreamer_close_end(ngx_mntreamer_track_t *tr)
{
    struct stat  sb;

    if (ngx_mntreamer_track_fenced(tr, &tr->fail) != NGX_OK) {
        return NGX_ERROR;
    }

    if (fstat(tr->playlist, &sb) == 0 && sb.st_size > tr->playlist_size
        && ftruncate(tr->playlist, tr->playlist_size) == -1)
    {
        return ngx_mntreamer_failed(&tr->fail, ngx_errno, "ftruncate()",
                                    (char *) tr->name.data);
    }

    if (ngx_mntreamer_playlist_add(tr, NGX_MNTREAMER_ENDLIST,
                                   sizeof(NGX_MNTREAMER_ENDLIST) - 1,
                                   tr->target_s, tr->has_map)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (tr->stale) {

        /* no commit follows that would write it anew */

        (void) ngx_mntreamer_playlist_add(tr, "", 0, tr->target_s,
                                          tr->has_map);
    }

    tr->ended = 1;

    if (tr->durability == NGX_MNTREAMER_DURABLE_INTERVAL) {
        tr->dirty = 1;
    }

    ngx_mntreamer_inject("close_ended");

    return NGX_OK;
}


/*
 * What could not be removed when it failed: a recording that is over is not
 * opened again, which would do it.  No part is under way any more.
 */

static void
ngx_mntreamer_close_sweep(ngx_mntreamer_track_t *tr)
{
    DIR            *dir;
    ngx_fd_t        fd;
    struct dirent  *de;

    fd = openat(tr->dirfd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        return;
    }

    dir = fdopendir(fd);

    if (dir == NULL) {
        (void) close(fd);
        return;
    }

    while ((de = readdir(dir)) != NULL) {

        if (ngx_mntreamer_close_left(tr, de->d_name)
            && unlinkat(tr->dirfd, de->d_name, 0) == -1
            && ngx_errno != NGX_ENOENT)
        {
            (void) ngx_mntreamer_failed(&tr->fail, ngx_errno, "unlink()",
                                        de->d_name);
        }
    }

    (void) closedir(dir);
}


/* parts of this track, and its playlist and journal as they were written */

static ngx_uint_t
ngx_mntreamer_close_left(ngx_mntreamer_track_t *tr, const char *name)
{
    size_t       n;
    mnt_str_t    s;
    mnt_file_t   file;
    const char  *tail;

    s = mnt_str_c(name);

    if (!mnt_str_ends(s, ".part")) {
        return 0;
    }

    mnt_file_parse(s, tr->prefix, &file);

    if (file.kind == MNT_FILE_PART) {
        return 1;
    }

    /* ".NAME.m3u8.TOKEN-N.part", "..NAME.journal.TOKEN-N.part" */

    if (*name++ != '.') {
        return 0;
    }

    n = tr->name.len;
    tail = (name[0] == '.') ? ".journal." : ".m3u8.";
    name += (name[0] == '.');

    return ngx_strncmp(name, tr->name.data, n) == 0
           && ngx_strncmp(name + n, tail, ngx_strlen(tail)) == 0;
}


/* a track that never got an entry leaves nothing behind */

static void
ngx_mntreamer_close_empty(ngx_mntreamer_track_t *tr)
{
    char         name[MNT_TRACK_FILE_MAX];
    char         path[NGX_MNTREAMER_PATH_MAX];
    char        *leaf;
    ngx_fd_t     fd;
    struct stat  sb;

    if (fstat(tr->journal, &sb) == -1 || sb.st_nlink == 0) {
        return;
    }

    (void) ngx_snprintf((u_char *) name, sizeof(name), ".%V.journal%Z",
                        &tr->name);
    (void) unlinkat(tr->dirfd, name, 0);

    (void) ngx_cpystrn((u_char *) path, tr->dir.data, sizeof(path));

    leaf = strrchr(path, '/');
    fd = tr->root;

    if (leaf) {
        *leaf++ = '\0';

        fd = ngx_mntreamer_open_beneath(tr->root, path, O_RDONLY|O_DIRECTORY);

        if (fd == -1) {
            return;
        }
    }

    /* fails, as it should, when it holds anything */
    (void) unlinkat(fd, leaf ? leaf : path, AT_REMOVEDIR);

    if (fd != tr->root) {
        (void) close(fd);
    }
}
