
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <dirent.h>

#include "ngx_mntreamer_storage_internal.h"


/*
 * The files of a recording are taken away in a thread.  Its directory first
 * gets a name that is never served, so that none of it is seen any more while
 * the files go; the next removal ends what a crash has left of that.  Only
 * what a recording consists of goes: anything else that somebody put there
 * stays, and its directory with it.  With that name alone it is in the trash.
 */

#define NGX_MNTREAMER_REMOVE_NAME  240


typedef struct {
    ngx_uint_t                 how;           /* ngx_mntreamer_removal_e */
    ngx_mntreamer_storage_t   *st;            /* alias */
    ngx_fd_t                   root;          /* alias */
    ngx_str_t                  dir;           /* behind the struct */
    ngx_uint_t                 durable;
    ngx_uint_t                 files;
    ngx_uint_t                 stale;         /* of one nobody knows */
    ngx_mntreamer_fail_t       fail;
    ngx_mntreamer_removed_pt   done;
    void                      *data;          /* alias */
} ngx_mntreamer_remove_t;


static void ngx_mntreamer_remove_work(void *data);
static void ngx_mntreamer_remove_all(ngx_mntreamer_remove_t *rm, ngx_fd_t fd,
    const char *leaf, const char *name);
static ngx_int_t ngx_mntreamer_remove_stale(ngx_mntreamer_remove_t *rm,
    ngx_fd_t parent, const char *name, const char *leaf);
static void ngx_mntreamer_remove_hidden(char *name, const char *leaf);
static ngx_int_t ngx_mntreamer_remove_rename(ngx_mntreamer_remove_t *rm,
    ngx_fd_t fd, const char *from, const char *to);
static ngx_int_t ngx_mntreamer_remove_dir(ngx_mntreamer_remove_t *rm,
    ngx_fd_t parent, const char *name, const char *leaf);
static void ngx_mntreamer_remove_files(ngx_mntreamer_remove_t *rm, DIR *dir);
static ngx_uint_t ngx_mntreamer_remove_ours(const char *name);
static void ngx_mntreamer_remove_above(ngx_mntreamer_remove_t *rm);
static ngx_int_t ngx_mntreamer_remove_beside(ngx_str_t *dir,
    ngx_str_t *hidden, char *path);
static ngx_int_t ngx_mntreamer_remove_there(ngx_mntreamer_storage_t *st,
    ngx_str_t *dir);
static void ngx_mntreamer_remove_done(void *data);


static const char *const  ngx_mntreamer_remove_ends[] = {
    ".m3u8", ".ts", ".m4s", ".mp4", ".aac", ".vtt", ".jpg", ".webp", ".part",
    ".journal", NGX_MNTREAMER_CUTS, MNT_CARD_NAME, NULL
};


ngx_int_t
ngx_mntreamer_storage_remove(ngx_mntreamer_storage_t *st, ngx_uint_t how,
    ngx_str_t *dir, ngx_mntreamer_removed_pt done, void *data)
{
    ngx_mntreamer_remove_t  *rm;

    rm = ngx_calloc(sizeof(ngx_mntreamer_remove_t) + dir->len + 1, st->log);
    if (rm == NULL) {
        return NGX_ERROR;
    }

    rm->how = how;
    rm->st = st;
    rm->root = st->fd;
    rm->durable = (st->conf.durability != NGX_MNTREAMER_DURABLE_NONE);
    rm->dir.data = (u_char *) (rm + 1);
    rm->dir.len = dir->len;
    rm->done = done;
    rm->data = data;

    ngx_memcpy(rm->dir.data, dir->data, dir->len);

    if (dir->len == 0 || dir->len >= NGX_MNTREAMER_PATH_MAX
        || ngx_mntreamer_offload_post(st->off, ngx_mntreamer_remove_work,
                                      ngx_mntreamer_remove_done, rm)
           != NGX_OK)
    {
        ngx_free(rm);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_mntreamer_remove_work(void *data)
{
    ngx_mntreamer_remove_t *rm = data;

    char      *leaf, path[NGX_MNTREAMER_PATH_MAX], name[NAME_MAX + 1];
    ngx_fd_t   fd;

    (void) ngx_cpystrn((u_char *) path, rm->dir.data, sizeof(path));

    leaf = strrchr(path, '/');
    fd = rm->root;

    if (leaf) {
        *leaf++ = '\0';
        fd = ngx_mntreamer_open_beneath(rm->root, path, O_RDONLY|O_DIRECTORY);

    } else {
        leaf = path;
    }

    if (fd == -1) {
        if (ngx_errno != NGX_ENOENT) {
            (void) ngx_mntreamer_failed(&rm->fail, ngx_errno, "open()", "");
        }

        return;
    }

    ngx_mntreamer_remove_hidden(name, leaf);

    switch (rm->how) {

    case NGX_MNTREAMER_REMOVAL_HIDE:
        if (ngx_mntreamer_remove_stale(rm, fd, name, leaf) == NGX_OK) {
            (void) ngx_mntreamer_remove_rename(rm, fd, leaf, name);
        }

        break;

    case NGX_MNTREAMER_REMOVAL_SHOW:
        (void) ngx_mntreamer_remove_rename(rm, fd, name, leaf);
        break;

    case NGX_MNTREAMER_REMOVAL_HIDDEN:
        if (ngx_mntreamer_remove_dir(rm, fd, name, leaf) == NGX_OK) {
            ngx_mntreamer_remove_above(rm);
        }

        break;

    default: /* NGX_MNTREAMER_REMOVAL_FILES */
        ngx_mntreamer_remove_all(rm, fd, leaf, name);
    }

    if (fd != rm->root) {
        (void) close(fd);
    }
}


/* what was begun and not ended comes first */

static void
ngx_mntreamer_remove_all(ngx_mntreamer_remove_t *rm, ngx_fd_t fd,
    const char *leaf, const char *name)
{
    if (ngx_mntreamer_remove_dir(rm, fd, name, leaf) != NGX_OK
        || ngx_mntreamer_remove_rename(rm, fd, leaf, name) != NGX_OK)
    {
        return;
    }

    ngx_mntreamer_inject("remove_hidden");

    if (ngx_mntreamer_remove_dir(rm, fd, name, leaf) == NGX_OK) {
        ngx_mntreamer_remove_above(rm);
    }
}


/*
 * There are both names when a restored database forgot one that was deleted
 * before under this name: nobody can bring that back.  By its descriptor, for
 * another nginx may just be hiding the one that is to stay.
 */

static ngx_int_t
ngx_mntreamer_remove_stale(ngx_mntreamer_remove_t *rm, ngx_fd_t parent,
    const char *name, const char *leaf)
{
    DIR          *dir;
    ngx_fd_t      fd;
    struct stat   sb, own;

    fd = openat(parent, name, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == -1) {
        return NGX_OK;
    }

    if (fstatat(parent, leaf, &own, AT_SYMLINK_NOFOLLOW) == -1
        || fstat(fd, &sb) == -1
        || (sb.st_ino == own.st_ino && sb.st_dev == own.st_dev))
    {
        (void) close(fd);
        return NGX_OK;
    }

    dir = fdopendir(fd);

    if (dir == NULL) {
        (void) ngx_mntreamer_failed(&rm->fail, ngx_errno, "fdopendir()", name);
        (void) close(fd);
        return NGX_ERROR;
    }

    ngx_mntreamer_remove_files(rm, dir);
    (void) closedir(dir);

    rm->stale = rm->files;
    rm->files = 0;

    return rm->fail.rc == NGX_MNTREAMER_STORE_OK ? NGX_OK : NGX_ERROR;
}


/* a directory with this name is never served */

static void
ngx_mntreamer_remove_hidden(char *name, const char *leaf)
{
    (void) ngx_snprintf((u_char *) name, NAME_MAX + 1, ".%*s.removed%Z",
                        ngx_min(ngx_strlen(leaf), NGX_MNTREAMER_REMOVE_NAME),
                        leaf);
}


/*
 * All of it disappears, or is back, at once, and stays so after a power cut.
 * What is not there was renamed before.
 */

static ngx_int_t
ngx_mntreamer_remove_rename(ngx_mntreamer_remove_t *rm, ngx_fd_t fd,
    const char *from, const char *to)
{
    struct stat  sb;

    if (fstatat(fd, from, &sb, AT_SYMLINK_NOFOLLOW) == -1) {

        if (ngx_errno == NGX_ENOENT) {
            return NGX_OK;
        }

        return ngx_mntreamer_failed(&rm->fail, ngx_errno, "fstatat()", from);
    }

    if (!S_ISDIR(sb.st_mode)) {
        return ngx_mntreamer_failed(&rm->fail, NGX_ENOTDIR, "rename()", from);
    }

    /* over a directory only when that is empty; another nginx may be faster */

    if (renameat(fd, from, fd, to) == -1 && ngx_errno != NGX_ENOENT) {
        return ngx_mntreamer_failed(&rm->fail, ngx_errno, "rename()", from);
    }

    if (rm->durable && fsync(fd) == -1) {
        return ngx_mntreamer_failed(&rm->fail, ngx_errno, "fsync()", to);
    }

    return NGX_OK;
}


/* the hidden directory; with what is not ours it gets its name again */

static ngx_int_t
ngx_mntreamer_remove_dir(ngx_mntreamer_remove_t *rm, ngx_fd_t parent,
    const char *name, const char *leaf)
{
    DIR       *dir;
    ngx_fd_t   fd;

    fd = openat(parent, name, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == -1) {
        if (ngx_errno == NGX_ENOENT) {
            return NGX_OK;
        }

        return ngx_mntreamer_failed(&rm->fail, ngx_errno, "open()", name);
    }

    dir = fdopendir(fd);

    if (dir == NULL) {
        (void) ngx_mntreamer_failed(&rm->fail, ngx_errno, "fdopendir()", name);
        (void) close(fd);
        return NGX_ERROR;
    }

    ngx_mntreamer_remove_files(rm, dir);
    (void) closedir(dir);

    if (rm->fail.rc != NGX_MNTREAMER_STORE_OK) {
        return NGX_ERROR;
    }

    if (unlinkat(parent, name, AT_REMOVEDIR) == 0
        || ngx_errno == NGX_ENOENT)
    {
        return NGX_OK;
    }

    if (renameat(parent, name, parent, leaf) == -1) {
        return ngx_mntreamer_failed(&rm->fail, ngx_errno, "rename()", name);
    }

    return NGX_DECLINED;
}


static void
ngx_mntreamer_remove_files(ngx_mntreamer_remove_t *rm, DIR *dir)
{
    struct stat     sb;
    struct dirent  *de;

    for ( ;; ) {
        ngx_set_errno(0);
        de = readdir(dir);

        if (de == NULL) {
            if (ngx_errno) {
                (void) ngx_mntreamer_failed(&rm->fail, ngx_errno, "readdir()",
                                            "");
            }

            return;
        }

        if (!ngx_mntreamer_remove_ours(de->d_name)
            || fstatat(dirfd(dir), de->d_name, &sb, AT_SYMLINK_NOFOLLOW) == -1
            || !S_ISREG(sb.st_mode))
        {
            continue;
        }

        if (unlinkat(dirfd(dir), de->d_name, 0) == 0) {
            rm->files++;

        } else if (ngx_errno != NGX_ENOENT) {
            (void) ngx_mntreamer_failed(&rm->fail, ngx_errno, "unlink()",
                                        de->d_name);
            return;
        }
    }
}


static ngx_uint_t
ngx_mntreamer_remove_ours(const char *name)
{
    mnt_str_t    s;
    ngx_uint_t   i;

    s = mnt_str_c(name);

    for (i = 0; ngx_mntreamer_remove_ends[i]; i++) {
        if (mnt_str_ends(s, ngx_mntreamer_remove_ends[i])) {
            return 1;
        }
    }

    return 0;
}


/* the directories above it while they are empty */

static void
ngx_mntreamer_remove_above(ngx_mntreamer_remove_t *rm)
{
    int        rc;
    char      *leaf, path[NGX_MNTREAMER_PATH_MAX];
    ngx_fd_t   fd;

    (void) ngx_cpystrn((u_char *) path, rm->dir.data, sizeof(path));

    leaf = strrchr(path, '/');

    while (leaf) {
        *leaf = '\0';

        leaf = strrchr(path, '/');
        fd = rm->root;

        if (leaf) {
            *leaf = '\0';
            fd = ngx_mntreamer_open_beneath(rm->root, path,
                                            O_RDONLY|O_DIRECTORY);
            if (fd == -1) {
                return;
            }
        }

        rc = unlinkat(fd, leaf ? leaf + 1 : path, AT_REMOVEDIR);

        if (fd != rm->root) {
            (void) close(fd);
        }

        if (rc == -1) {
            return;
        }
    }
}


/*
 * By both names, and twice: between two looks another nginx may give it the
 * name that was looked for before.
 */

ngx_int_t
ngx_mntreamer_storage_lies(ngx_mntreamer_storage_t *st, ngx_str_t *dir)
{
    char        path[NGX_MNTREAMER_PATH_MAX];
    ngx_int_t   rc;
    ngx_str_t   hidden;
    ngx_uint_t  i;

    if (ngx_mntreamer_remove_beside(dir, &hidden, path) != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    for (i = 0; rc == NGX_DECLINED && i < 4; i++) {
        rc = ngx_mntreamer_remove_there(st, i % 2 ? &hidden : dir);
    }

    return rc;
}


ngx_int_t
ngx_mntreamer_storage_shown(ngx_mntreamer_storage_t *st, ngx_str_t *dir)
{
    char       path[NGX_MNTREAMER_PATH_MAX];
    ngx_int_t  rc;
    ngx_str_t  hidden;

    if (ngx_mntreamer_remove_beside(dir, &hidden, path) != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = ngx_mntreamer_remove_there(st, &hidden);

    if (rc != NGX_DECLINED) {
        return (rc == NGX_OK) ? NGX_DECLINED : NGX_ERROR;
    }

    return ngx_mntreamer_remove_there(st, dir);
}


/* the hidden name of "dir", in "path" */

static ngx_int_t
ngx_mntreamer_remove_beside(ngx_str_t *dir, ngx_str_t *hidden, char *path)
{
    char    *leaf, name[NAME_MAX + 1];
    size_t   n;

    if (dir->len == 0
        || dir->len + sizeof(".removed.") > NGX_MNTREAMER_PATH_MAX)
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(path, dir->data, dir->len);
    path[dir->len] = '\0';

    leaf = strrchr(path, '/');
    leaf = leaf ? leaf + 1 : path;

    ngx_mntreamer_remove_hidden(name, leaf);

    n = leaf - path;
    hidden->data = (u_char *) path;
    hidden->len = ngx_cpystrn((u_char *) leaf, (u_char *) name,
                              NGX_MNTREAMER_PATH_MAX - n)
                  - hidden->data;

    return NGX_OK;
}


static ngx_int_t
ngx_mntreamer_remove_there(ngx_mntreamer_storage_t *st, ngx_str_t *dir)
{
    ngx_fd_t  fd;

    fd = ngx_mntreamer_storage_open_dir(st, dir);

    if (fd != NGX_INVALID_FILE) {
        (void) close(fd);
        return NGX_OK;
    }

    return (ngx_errno == NGX_ENOENT || ngx_errno == NGX_ENOTDIR
            || ngx_errno == NGX_ELOOP) ? NGX_DECLINED : NGX_ERROR;
}


static void
ngx_mntreamer_remove_done(void *data)
{
    ngx_mntreamer_remove_t *rm = data;

    ngx_uint_t                rc;
    ngx_mntreamer_storage_t  *st;

    st = rm->st;
    rc = rm->fail.rc;

    ngx_mntreamer_fail_log(st, st->log, &rm->fail, &rm->dir);

    if (rm->stale) {
        ngx_log_error(NGX_LOG_WARN, st->log, 0,
                      "mntreamer: %ui files in the trash were deleted, of an "
                      "older \"%V\" that the database does not know",
                      rm->stale, &rm->dir);
    }

    /* is there room now */
    st->looked_at = 0;

    rm->done(rm->data, rc, rm->files);

    ngx_free(rm);
}
