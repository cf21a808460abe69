
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Files that are there already become parts: a fragment of a broadcast by a
 * hard link, so that its bytes are on the disk once, across file systems by a
 * copy; what a program made by its name.  All of it in threads.
 *
 * part      entered by     then
 * adopting  _part_adopt()  done(); dropped when it was aborted meanwhile
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_storage_internal.h"


#define NGX_MNTREAMER_ADOPT_COPY   (128 * 1024)


static ngx_mntreamer_part_t *ngx_mntreamer_adopt_create(
    ngx_mntreamer_track_t *tr, const ngx_str_t *source);
static ngx_int_t ngx_mntreamer_adopt_post(ngx_mntreamer_part_t *part,
    ngx_mntreamer_adopted_pt done, void *data);
static void ngx_mntreamer_adopt_work(void *data);
static ngx_int_t ngx_mntreamer_adopt(ngx_mntreamer_part_t *part,
    const char *name);
static ngx_int_t ngx_mntreamer_adopt_link(ngx_mntreamer_part_t *part,
    ngx_fd_t dir, const char *file, const char *name);
static ngx_int_t ngx_mntreamer_adopt_copy(ngx_mntreamer_part_t *part,
    ngx_fd_t from, const char *name);
static ngx_int_t ngx_mntreamer_adopt_look(ngx_mntreamer_part_t *part,
    const char *name);
static void ngx_mntreamer_adopted(void *data);


ngx_mntreamer_part_t *
ngx_mntreamer_part_adopt(ngx_mntreamer_track_t *tr, const ngx_str_t *path,
    ngx_mntreamer_adopted_pt done, void *data)
{
    ngx_mntreamer_part_t  *part;

    part = ngx_mntreamer_adopt_create(tr, path);

    if (part && ngx_mntreamer_adopt_post(part, done, data) != NGX_OK) {
        ngx_mntreamer_part_free(part);
        return NULL;
    }

    return part;
}


ngx_mntreamer_part_t *
ngx_mntreamer_part_again(ngx_mntreamer_track_t *tr, const ngx_str_t *file,
    ngx_mntreamer_adopted_pt done, void *data)
{
    ngx_mntreamer_part_t  *part;

    part = ngx_mntreamer_adopt_create(tr, file);

    if (part == NULL) {
        return NULL;
    }

    part->ours = 1;

    if (ngx_mntreamer_adopt_post(part, done, data) != NGX_OK) {
        ngx_mntreamer_part_free(part);
        return NULL;
    }

    return part;
}


ngx_mntreamer_part_t *
ngx_mntreamer_part_make(ngx_mntreamer_track_t *tr, u_char *path, size_t size)
{
    char                   name[MNT_TRACK_FILE_MAX];
    u_char                *p;
    ngx_str_t              none;
    ngx_mntreamer_part_t  *part;

    ngx_str_null(&none);

    part = ngx_mntreamer_adopt_create(tr, &none);

    if (part == NULL) {
        return NULL;
    }

    (void) ngx_mntreamer_part_name(part, name);

    p = ngx_snprintf(path, size, "%V/%V/%s%Z", &tr->st->conf.root, &tr->dir,
                     name);

    if (p[-1] != '\0') {
        ngx_mntreamer_part_free(part);
        return NULL;
    }

    part->made = 1;

    return part;
}


ngx_int_t
ngx_mntreamer_part_made(ngx_mntreamer_part_t *part,
    ngx_mntreamer_adopted_pt done, void *data)
{
    return ngx_mntreamer_adopt_post(part, done, data);
}


static ngx_mntreamer_part_t *
ngx_mntreamer_adopt_create(ngx_mntreamer_track_t *tr, const ngx_str_t *source)
{
    ngx_mntreamer_part_t       *part;
    ngx_mntreamer_part_conf_t   conf;

    if (source->len >= MNT_TRACK_FILE_MAX) {
        return NULL;
    }

    ngx_memzero(&conf, sizeof(ngx_mntreamer_part_conf_t));
    conf.expect = -1;

    part = ngx_mntreamer_part_create(tr, &conf);

    if (part && source->len) {
        ngx_memcpy(part->source, source->data, source->len);
    }

    return part;
}


static ngx_int_t
ngx_mntreamer_adopt_post(ngx_mntreamer_part_t *part,
    ngx_mntreamer_adopted_pt done, void *data)
{
    ngx_mntreamer_track_t  *tr;

    tr = part->tr;

    part->adopted = done;
    part->adopted_data = data;
    part->working = 1;

    if (ngx_mntreamer_offload_post(tr->st->off, ngx_mntreamer_adopt_work,
                                   ngx_mntreamer_adopted, part)
        != NGX_OK)
    {
        part->working = 0;
        return NGX_ERROR;
    }

    part->writing = 1;
    tr->tasks++;

    return NGX_OK;
}


static void
ngx_mntreamer_adopt_work(void *data)
{
    ngx_mntreamer_part_t *part = data;

    char  name[MNT_TRACK_FILE_MAX];

    (void) ngx_mntreamer_part_name(part, name);

    if (ngx_mntreamer_adopt(part, name) == NGX_OK
        && ngx_mntreamer_adopt_look(part, name) == NGX_OK)
    {
        ngx_mntreamer_inject("part_written");
    }

    ngx_memory_barrier();
    part->working = 0;
}


/* makes its file, or finds it made */

static ngx_int_t
ngx_mntreamer_adopt(ngx_mntreamer_part_t *part, const char *name)
{
    char      *file, path[MNT_TRACK_FILE_MAX];
    ngx_fd_t   dir;
    ngx_int_t  rc;

    if (part->made) {
        part->fd = openat(part->tr->dirfd, name,
                          O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

        return (part->fd == -1) ? ngx_mntreamer_failed(&part->fail, ngx_errno,
                                                       "open()", name)
                                : NGX_OK;
    }

    if (part->ours) {
        return ngx_mntreamer_adopt_link(part, part->tr->dirfd, part->source,
                                        name);
    }

    ngx_memcpy(path, part->source, sizeof(path));

    file = strrchr(path, '/');

    if (file == NULL) {
        return ngx_mntreamer_failed(&part->fail, NGX_EINVAL, "link()", path);
    }

    *file++ = '\0';

    dir = ngx_mntreamer_live_open(part->tr->st, path, O_RDONLY|O_DIRECTORY);

    if (dir == -1) {

        if (ngx_errno == NGX_ENOENT) {
            part->fail.rc = NGX_MNTREAMER_STORE_MISSING;
            return NGX_ERROR;
        }

        return ngx_mntreamer_failed(&part->fail, ngx_errno, "open()", path);
    }

    rc = ngx_mntreamer_adopt_link(part, dir, file, name);

    (void) close(dir);

    return rc;
}


static ngx_int_t
ngx_mntreamer_adopt_link(ngx_mntreamer_part_t *part, ngx_fd_t dir,
    const char *file, const char *name)
{
    ngx_fd_t   from;
    ngx_int_t  rc;

    if (linkat(dir, file, part->tr->dirfd, name, 0) == 0) {

        /* from here on it is dropped with the part, whatever it is */

        part->fd = openat(part->tr->dirfd, name,
                          O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

        if (part->fd == -1) {
            rc = ngx_mntreamer_failed(&part->fail, ngx_errno, "open()", name);
            (void) unlinkat(part->tr->dirfd, name, 0);
            return rc;
        }

        ngx_mntreamer_inject("part_opened");

        return NGX_OK;
    }

    switch (ngx_errno) {

    case NGX_ENOENT:
        part->fail.rc = NGX_MNTREAMER_STORE_MISSING;
        return NGX_ERROR;

    case EXDEV:
    case NGX_EPERM:
    case EMLINK:
    case EOPNOTSUPP:
        break;

    default:
        return ngx_mntreamer_failed(&part->fail, ngx_errno, "link()", name);
    }

    from = openat(dir, file, O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (from == -1) {

        if (ngx_errno == NGX_ENOENT) {
            part->fail.rc = NGX_MNTREAMER_STORE_MISSING;
            return NGX_ERROR;
        }

        return ngx_mntreamer_failed(&part->fail, ngx_errno, "open()", file);
    }

    rc = ngx_mntreamer_adopt_copy(part, from, name);

    (void) close(from);

    return rc;
}


static ngx_int_t
ngx_mntreamer_adopt_copy(ngx_mntreamer_part_t *part, ngx_fd_t from,
    const char *name)
{
    char     *buf;
    ssize_t   n;

    buf = malloc(NGX_MNTREAMER_ADOPT_COPY);

    if (buf == NULL) {
        return ngx_mntreamer_failed(&part->fail, NGX_ENOMEM, "malloc()", name);
    }

    if (ngx_mntreamer_part_open(part) != NGX_OK) {
        free(buf);
        return NGX_ERROR;
    }

    do {
        n = read(from, buf, NGX_MNTREAMER_ADOPT_COPY);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            continue;
        }

        if (n == -1
            || ngx_mntreamer_write_all(part->fd, buf, (size_t) n) != NGX_OK)
        {
            (void) ngx_mntreamer_failed(&part->fail, ngx_errno, "copy to",
                                        name);
            break;
        }

    } while (n);

    free(buf);

    return (part->fail.rc == NGX_MNTREAMER_STORE_OK) ? NGX_OK : NGX_ERROR;
}


/* what it is, and how long */

static ngx_int_t
ngx_mntreamer_adopt_look(ngx_mntreamer_part_t *part, const char *name)
{
    u_char       head[NGX_MNTREAMER_HEAD_BYTES];
    ssize_t      n;
    struct stat  sb;

    if (fstat(part->fd, &sb) == -1) {
        return ngx_mntreamer_failed(&part->fail, ngx_errno, "fstat()", name);
    }

    if (!S_ISREG(sb.st_mode)) {
        return ngx_mntreamer_failed(&part->fail, 0, "no file:", name);
    }

    /* ours alone to read, as all files of a recording */

    (void) fchmod(part->fd, NGX_MNTREAMER_FILE_MODE);

    n = pread(part->fd, head, sizeof(head), 0);

    if (n == -1) {
        return ngx_mntreamer_failed(&part->fail, ngx_errno, "read()", name);
    }

    part->fail.rc = n ? ngx_mntreamer_part_sniff(part, head, (size_t) n,
                                                 &part->container)
                      : NGX_MNTREAMER_STORE_EMPTY;

    part->sniffed = 1;
    part->written = sb.st_size;

    return (part->fail.rc == NGX_MNTREAMER_STORE_OK) ? NGX_OK : NGX_ERROR;
}


static void
ngx_mntreamer_adopted(void *data)
{
    ngx_mntreamer_part_t *part = data;

    ngx_mntreamer_track_t  *tr;

    tr = part->tr;

    part->writing = 0;
    tr->tasks--;

    if (tr->abandoned) {
        ngx_mntreamer_track_settle(tr);
        return;
    }

    ngx_mntreamer_fail_log(tr->st, tr->log, &part->fail, &tr->dir);

    if (part->aborted) {
        ngx_mntreamer_part_discard(part);
        return;
    }

    part->rc = part->fail.rc;
    part->received = part->written;

    part->adopted(part->adopted_data, part->rc);
}
