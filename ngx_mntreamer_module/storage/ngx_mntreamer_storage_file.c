
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "ngx_mntreamer_storage_internal.h"


#define NGX_MNTREAMER_STORAGE_SILENCE  60000


/*
 * File work that blocks, in threads, and the opening of files beneath the
 * root, also in the event loop.  Nothing here follows a symbolic link below
 * the root and nothing is named by an absolute path, so that neither a planted
 * link nor a directory moved away leads out of it.
 */

static ngx_fd_t ngx_mntreamer_open_walk(ngx_fd_t root, const char *path,
    int flags);
static ngx_int_t ngx_mntreamer_make_dirs(ngx_fd_t root, const char *path,
    ngx_uint_t durable, ngx_mntreamer_fail_t *f);


static const char  *ngx_mntreamer_store_names[] = {
    "ok", "empty", "short", "content", "decrypt", "full", "slow", "taken",
    "missing", "gone", "failed"
};


const char *
ngx_mntreamer_store_name(ngx_uint_t rc)
{
    if (rc > NGX_MNTREAMER_STORE_FAILED) {
        return "unknown";
    }

    return ngx_mntreamer_store_names[rc];
}


ngx_uint_t
ngx_mntreamer_store_rc(ngx_err_t err)
{
    switch (err) {

    case 0:
        return NGX_MNTREAMER_STORE_OK;

    case NGX_ENOSPC:
    case EDQUOT:
        return NGX_MNTREAMER_STORE_FULL;

    case NGX_EEXIST:
        return NGX_MNTREAMER_STORE_TAKEN;

    default:
        return NGX_MNTREAMER_STORE_FAILED;
    }
}


/* keeps the first failure; always NGX_ERROR */

ngx_int_t
ngx_mntreamer_failed(ngx_mntreamer_fail_t *f, ngx_err_t err, const char *call,
    const char *name)
{
    if (f->rc == NGX_MNTREAMER_STORE_OK) {
        f->rc = err ? ngx_mntreamer_store_rc(err) : NGX_MNTREAMER_STORE_FAILED;
        f->err = err;
        f->call = call;

        (void) ngx_cpystrn((u_char *) f->name, (u_char *) name,
                           sizeof(f->name));
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_mntreamer_failed_gone(ngx_mntreamer_fail_t *f)
{
    if (f->rc == NGX_MNTREAMER_STORE_OK) {
        f->rc = NGX_MNTREAMER_STORE_GONE;
        f->err = NGX_ENOENT;
        f->call = NULL;
    }

    return NGX_ERROR;
}


/*
 * A full disk is told once, until something could be stored again; any other
 * trouble once a minute: without descriptors every segment of every recording
 * fails alike.
 */

void
ngx_mntreamer_fail_log(ngx_mntreamer_storage_t *st, ngx_log_t *log,
    ngx_mntreamer_fail_t *f, ngx_str_t *dir)
{
    if (f->call == NULL) {
        return;
    }

    ngx_mntreamer_space_trouble(st, f);

    if (f->rc == NGX_MNTREAMER_STORE_TAKEN) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "%s \"%V/%V/%s\" refused, it has another writer",
                      f->call, &st->conf.root, dir, f->name);

    } else if (f->rc == NGX_MNTREAMER_STORE_FULL) {

        if (!st->full) {
            st->full = 1;

            ngx_log_error(NGX_LOG_CRIT, log, f->err,
                          "%s \"%V/%V/%s\" failed, segments are lost",
                          f->call, &st->conf.root, dir, f->name);
        }

    } else if (st->failed
               && st->failed_err == f->err
               && ngx_current_msec - st->failed_at
                  < NGX_MNTREAMER_STORAGE_SILENCE)
    {
        st->failed++;

    } else {

        if (st->failed > 1) {
            ngx_log_error(NGX_LOG_ERR, log, 0,
                          "%ui more files failed like the one told last",
                          st->failed - 1);
        }

        ngx_log_error(NGX_LOG_ERR, log, f->err, "%s \"%V/%V/%s\" failed",
                      f->call, &st->conf.root, dir, f->name);

        st->failed = 1;
        st->failed_err = f->err;
        st->failed_at = ngx_current_msec;
    }

    f->call = NULL;
}


ngx_fd_t
ngx_mntreamer_open_beneath(ngx_fd_t root, const char *path, int flags)
{
    ngx_fd_t         fd;
    struct open_how  how;

    static ngx_atomic_t  missing;             /* the kernel has no openat2() */

    if (!missing) {
        ngx_memzero(&how, sizeof(struct open_how));

        how.flags = flags|O_CLOEXEC|O_NOFOLLOW;
        how.resolve = RESOLVE_BENEATH|RESOLVE_NO_SYMLINKS
                      |RESOLVE_NO_MAGICLINKS;

        do {
            fd = (ngx_fd_t) syscall(SYS_openat2, root, path, &how,
                                    sizeof(struct open_how));

        } while (fd == -1 && (ngx_errno == NGX_EINTR
                              || ngx_errno == NGX_EAGAIN));

        /* seccomp filters that do not know it answer EPERM */

        if (fd != -1 || (ngx_errno != NGX_ENOSYS && ngx_errno != NGX_EPERM)) {
            return fd;
        }

        missing = (ngx_errno == NGX_ENOSYS);
    }

    return ngx_mntreamer_open_walk(root, path, flags);
}


static ngx_fd_t
ngx_mntreamer_open_walk(ngx_fd_t root, const char *path, int flags)
{
    char         name[NAME_MAX + 1];
    size_t       n;
    ngx_fd_t     fd, dir;
    ngx_err_t    err;
    const char  *p;

    dir = root;

    for ( ;; ) {
        p = strchr(path, '/');
        n = p ? (size_t) (p - path) : ngx_strlen(path);

        if (n == 0 || n > NAME_MAX || path[0] == '/'
            || (n == 2 && path[0] == '.' && path[1] == '.'))
        {
            fd = -1;
            ngx_set_errno(n > NAME_MAX ? NGX_ENAMETOOLONG : NGX_ENOENT);

        } else {
            (void) ngx_cpystrn((u_char *) name, (u_char *) path, n + 1);

            fd = openat(dir, name, (p ? O_RDONLY|O_DIRECTORY : flags)
                                   |O_NOFOLLOW|O_CLOEXEC);
        }

        err = ngx_errno;

        if (dir != root) {
            (void) close(dir);
        }

        if (fd == -1 || p == NULL) {
            ngx_set_errno(err);
            return fd;
        }

        dir = fd;
        path = p + 1;
    }
}


/* opens a directory below the root, making what is missing of its path */

ngx_fd_t
ngx_mntreamer_open_dir(ngx_fd_t root, const char *path, ngx_uint_t durable,
    ngx_mntreamer_fail_t *f)
{
    ngx_fd_t    fd;
    ngx_uint_t  i;

    /* another track that is closed just now may remove an empty directory */

    for (i = 0; i < 3; i++) {
        fd = ngx_mntreamer_open_beneath(root, path, O_RDONLY|O_DIRECTORY);

        if (fd != -1) {
            return fd;
        }

        if (ngx_errno != NGX_ENOENT) {
            break;
        }

        if (ngx_mntreamer_make_dirs(root, path, durable, f) != NGX_OK) {
            return -1;
        }
    }

    (void) ngx_mntreamer_failed(f, ngx_errno, "open()", "");

    return -1;
}


static ngx_int_t
ngx_mntreamer_make_dirs(ngx_fd_t root, const char *path, ngx_uint_t durable,
    ngx_mntreamer_fail_t *f)
{
    char      *p, *name, copy[NGX_MNTREAMER_PATH_MAX];
    size_t     n;
    ngx_fd_t   dir;

    n = ngx_strlen(path);

    if (n >= sizeof(copy)) {
        return ngx_mntreamer_failed(f, NGX_ENAMETOOLONG, "mkdir()", "");
    }

    ngx_memcpy(copy, path, n + 1);

    dir = root;
    name = copy;

    for ( ;; ) {
        p = strchr(name, '/');

        if (p) {
            *p = '\0';
        }

        if (mkdirat(dir, name, NGX_MNTREAMER_DIR_MODE) == -1) {
            if (ngx_errno != NGX_EEXIST) {
                (void) ngx_mntreamer_failed(f, ngx_errno, "mkdir()", name);
                break;
            }

        } else if (durable && fsync(dir) == -1) {
            (void) ngx_mntreamer_failed(f, ngx_errno, "fsync()", name);
            break;
        }

        if (dir != root) {
            (void) close(dir);
        }

        if (p == NULL) {
            return NGX_OK;
        }

        *p = '/';
        name = p + 1;

        *p = '\0';
        dir = ngx_mntreamer_open_beneath(root, copy, O_RDONLY|O_DIRECTORY);
        *p = '/';

        if (dir == -1) {
            return ngx_mntreamer_failed(f, ngx_errno, "open()", copy);
        }
    }

    if (dir != root) {
        (void) close(dir);
    }

    return NGX_ERROR;
}


ngx_int_t
ngx_mntreamer_write_all(ngx_fd_t fd, const void *p, size_t n)
{
    struct iovec  iov;

    iov.iov_base = (void *) (uintptr_t) p;
    iov.iov_len = n;

    return ngx_mntreamer_writev_all(fd, &iov, 1);
}


/* NGX_ERROR with ngx_errno; "iov" is used up */

ngx_int_t
ngx_mntreamer_writev_all(ngx_fd_t fd, struct iovec *iov, int n)
{
    ssize_t  rc;

    while (n) {

        if (iov->iov_len == 0) {
            iov++;
            n--;
            continue;
        }

        rc = writev(fd, iov, n);

        if (rc == -1) {
            if (ngx_errno == NGX_EINTR) {
                continue;
            }

            return NGX_ERROR;
        }

        if (rc == 0) {
            ngx_set_errno(NGX_ENOSPC);
            return NGX_ERROR;
        }

        while (n && (size_t) rc >= iov->iov_len) {
            rc -= iov->iov_len;
            iov++;
            n--;
        }

        if (n) {
            iov->iov_base = (u_char *) iov->iov_base + rc;
            iov->iov_len -= rc;
        }
    }

    return NGX_OK;
}


/* NGX_DECLINED: there is none; NGX_ERROR with ngx_errno */

ngx_int_t
ngx_mntreamer_read_file(ngx_fd_t dir, const char *name, mnt_arena_t *a,
    mnt_str_t *text)
{
    ngx_fd_t   fd;
    ngx_err_t  err;
    ngx_int_t  rc;

    text->len = 0;
    text->data = NULL;

    fd = openat(dir, name, O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_NONBLOCK);

    if (fd == -1) {
        return ngx_errno == NGX_ENOENT ? NGX_DECLINED : NGX_ERROR;
    }

    rc = ngx_mntreamer_read_whole(fd, a, text);

    err = ngx_errno;
    (void) close(fd);
    ngx_set_errno(err);

    return rc;
}


/* that of its pictures, where there are several; as above */

ngx_int_t
ngx_mntreamer_read_first(ngx_fd_t dir, mnt_arena_t *a, mnt_str_t *text)
{
    ngx_int_t  rc;

    rc = ngx_mntreamer_read_file(dir, "video.m3u8", a, text);

    return (rc == NGX_DECLINED)
           ? ngx_mntreamer_read_file(dir, "index.m3u8", a, text) : rc;
}


/* from the beginning; NGX_ERROR with ngx_errno */

ngx_int_t
ngx_mntreamer_read_whole(ngx_fd_t fd, mnt_arena_t *a, mnt_str_t *text)
{
    char        *p;
    size_t       n;
    ssize_t      rc;
    struct stat  sb;

    if (fstat(fd, &sb) == -1) {
        return NGX_ERROR;
    }

    if (!S_ISREG(sb.st_mode)) {
        ngx_set_errno(NGX_EEXIST);
        return NGX_ERROR;
    }

    p = mnt_arena_alloc(a, (size_t) sb.st_size + 1);

    if (p == NULL) {
        ngx_set_errno(NGX_ENOMEM);
        return NGX_ERROR;
    }

    for (n = 0; n < (size_t) sb.st_size; n += rc) {
        rc = pread(fd, p + n, (size_t) sb.st_size - n, (off_t) n);

        if (rc == -1) {
            if (ngx_errno == NGX_EINTR) {
                rc = 0;
                continue;
            }

            return NGX_ERROR;
        }

        if (rc == 0) {
            break;
        }
    }

    text->data = p;
    text->len = n;

    return NGX_OK;
}


/* EEXIST when the new name is taken */

int
ngx_mntreamer_rename_new(ngx_fd_t dir, const char *from, const char *to)
{
    if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0) {
        return 0;
    }

    if (ngx_errno != NGX_EINVAL && ngx_errno != NGX_ENOSYS) {
        return -1;
    }

    /* a file system without RENAME_NOREPLACE */

    if (linkat(dir, from, dir, to, 0) == -1) {
        return -1;
    }

    return unlinkat(dir, from, 0);
}


ngx_int_t
ngx_mntreamer_write_whole(ngx_fd_t dir, const char *name, uint32_t token,
    ngx_uint_t serial, struct iovec *iov, int niov, ngx_uint_t durable,
    ngx_fd_t *opened, ngx_mntreamer_fail_t *f)
{
    char         part[NAME_MAX + 1];
    ngx_fd_t     fd;
    ngx_int_t    rc;
    const char  *call;

    (void) ngx_snprintf((u_char *) part, sizeof(part), ".%s.%08xD-%ui.part%Z",
                        name, token, serial);

    fd = openat(dir, part, O_RDWR|O_APPEND|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
                NGX_MNTREAMER_FILE_MODE);

    if (fd == -1) {
        return ngx_mntreamer_failed(f, ngx_errno, "open()", part);
    }

    if (ngx_mntreamer_writev_all(fd, iov, niov) != NGX_OK) {
        call = "write()";
        goto failed;
    }

    if (durable && fsync(fd) == -1) {
        call = "fsync()";
        goto failed;
    }

    ngx_mntreamer_inject("whole_written");

    if (renameat(dir, part, dir, name) == -1) {
        call = "rename()";
        goto failed;
    }

    ngx_mntreamer_inject("whole_renamed");

    rc = NGX_OK;

    if (durable && fsync(dir) == -1) {
        (void) ngx_mntreamer_failed(f, ngx_errno, "fsync()", name);
        rc = NGX_DECLINED;
    }

    if (opened) {
        *opened = fd;

    } else {
        (void) close(fd);
    }

    return rc;

failed:

    (void) ngx_mntreamer_failed(f, ngx_errno, call, part);
    (void) close(fd);
    (void) unlinkat(dir, part, 0);

    return NGX_ERROR;
}
