
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_storage_internal.h"


/*
 * Whether a track is still ours, in a thread: another writer may have it, or
 * its directory may be somewhere else, where no viewer finds it.
 */


/*
 * A writer that was frozen while another one took its track over finds that
 * its journal has no name any more.
 */

ngx_int_t
ngx_mntreamer_track_fenced(ngx_mntreamer_track_t *tr, ngx_mntreamer_fail_t *f)
{
    struct stat  sb;

    if (fstat(tr->journal, &sb) == -1) {
        return ngx_mntreamer_failed(f, ngx_errno, "fstat()",
                                    (char *) tr->name.data);
    }

    if (sb.st_nlink == 0) {

        if (ngx_mntreamer_track_nameless(tr)) {
            return ngx_mntreamer_failed_gone(f);
        }

        return ngx_mntreamer_failed(f, NGX_EEXIST, "journal of",
                                    (char *) tr->name.data);
    }

    return NGX_OK;
}


/* who takes over puts a journal in the place of ours: there is none at all */

ngx_uint_t
ngx_mntreamer_track_nameless(ngx_mntreamer_track_t *tr)
{
    char         name[MNT_TRACK_FILE_MAX];
    struct stat  sb;

    (void) ngx_snprintf((u_char *) name, sizeof(name), ".%V.journal%Z",
                        &tr->name);

    return fstatat(tr->dirfd, name, &sb, AT_SYMLINK_NOFOLLOW) == -1
           && ngx_errno == NGX_ENOENT;
}


/*
 * 1 when another directory is where ours was, or none; TAKEN when that has a
 * journal of the same track: somebody copied it, and goes on there.
 */

ngx_uint_t
ngx_mntreamer_track_away(ngx_mntreamer_track_t *tr, ngx_mntreamer_fail_t *f)
{
    char         name[MNT_TRACK_FILE_MAX];
    ngx_fd_t     fd;
    ngx_err_t    err;
    ngx_uint_t   away;
    struct stat  ours, found;

    if (fstat(tr->dirfd, &ours) == -1) {
        return 0;
    }

    fd = ngx_mntreamer_open_beneath(tr->root, (char *) tr->dir.data,
                                    O_RDONLY|O_DIRECTORY);

    if (fd == -1) {
        err = ngx_errno;

        if (err != NGX_ENOENT && err != NGX_ENOTDIR && err != NGX_ELOOP) {
            return 0;
        }

        (void) ngx_mntreamer_failed_gone(f);
        return 1;
    }

    away = 0;

    if (fstat(fd, &found) == 0
        && (found.st_dev != ours.st_dev || found.st_ino != ours.st_ino))
    {
        (void) ngx_snprintf((u_char *) name, sizeof(name), ".%V.journal%Z",
                            &tr->name);
        away = 1;

        if (fstatat(fd, name, &found, AT_SYMLINK_NOFOLLOW) == -1) {
            (void) ngx_mntreamer_failed_gone(f);

        } else if (fstat(tr->journal, &ours) == 0
                   && found.st_dev == ours.st_dev
                   && found.st_ino == ours.st_ino)
        {
            /* a file system that gives its directories numbers at will */
            away = 0;

        } else {
            (void) ngx_mntreamer_failed(f, NGX_EEXIST, "journal of",
                                        (char *) tr->name.data);
        }
    }

    (void) close(fd);

    return away;
}
