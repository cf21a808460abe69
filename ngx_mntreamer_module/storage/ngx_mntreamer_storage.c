
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/random.h>
#include <sys/uio.h>

#include "ngx_mntreamer_storage_internal.h"


/* a small file that is written whole */

typedef struct {
    ngx_queue_t               link;           /* in st->puts */
    ngx_mntreamer_storage_t  *st;             /* alias */
    ngx_str_t                 dir;            /* behind the struct, as all */
    ngx_str_t                 name;
    ngx_str_t                 content;
    ngx_fd_t                  root;           /* alias */
    ngx_uint_t                durable;
    ngx_uint_t                there;          /* :1; "dir" is not made */
    uint32_t                  token;
    ngx_uint_t                serial;
    ngx_mntreamer_commit_pt   done;
    void                     *data;           /* alias */
    ngx_msec_t                since;
    ngx_mntreamer_fail_t      fail;
    ngx_uint_t                begun;          /* :1; else another is first */
    ngx_atomic_t              working;
} ngx_mntreamer_put_t;


static void ngx_mntreamer_storage_retry(ngx_event_t *ev);
static ngx_uint_t ngx_mntreamer_storage_working(ngx_mntreamer_track_t *tr);
static ngx_mntreamer_put_t *ngx_mntreamer_put_create(
    ngx_mntreamer_storage_t *st, const ngx_str_t *dir, const ngx_str_t *name,
    const ngx_str_t *content);
static ngx_int_t ngx_mntreamer_put_post(ngx_mntreamer_put_t *put,
    ngx_mntreamer_commit_pt done, void *data);
static ngx_int_t ngx_mntreamer_put_begin(ngx_mntreamer_put_t *put);
static ngx_mntreamer_put_t *ngx_mntreamer_put_same(ngx_mntreamer_put_t *put);
static void ngx_mntreamer_put_work(void *data);
static void ngx_mntreamer_put_file(ngx_mntreamer_put_t *put, ngx_fd_t dir);
static void ngx_mntreamer_put_done(void *data);
static void ngx_mntreamer_put_tell(ngx_mntreamer_put_t *put);
static ngx_fd_t ngx_mntreamer_storage_open_at(ngx_fd_t root, ngx_str_t *path,
    ngx_file_info_t *fi);


ngx_mntreamer_storage_t *
ngx_mntreamer_storage_create(const ngx_mntreamer_storage_conf_t *conf,
    ngx_mntreamer_offload_t *off, ngx_log_t *log)
{
    ngx_fd_t                  fd;
    ngx_err_t                 err;
    ngx_mntreamer_storage_t  *st;

    /* the root itself may be reached by links: the administrator's choice */

    fd = open((char *) conf->root.data, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "open() storage directory \"%V\" failed", &conf->root);
        return NULL;
    }

    if (faccessat(fd, ".", R_OK|W_OK|X_OK, AT_EACCESS) == -1) {
        err = ngx_errno;

        ngx_log_error(NGX_LOG_CRIT, log, err,
                      "storage directory \"%V\" is not writable", &conf->root);

        /* what is there can be served */

        if (err != EROFS) {
            goto failed;
        }
    }

    st = ngx_calloc(sizeof(ngx_mntreamer_storage_t), log);
    if (st == NULL) {
        goto failed;
    }

    st->ident.fd = (ngx_socket_t) -1;
    st->conf = *conf;
    st->off = off;
    st->log = log;
    st->fd = fd;
    st->token = ngx_mntreamer_storage_token();

    st->retry.data = st;
    st->retry.log = log;
    st->retry.handler = ngx_mntreamer_storage_retry;

    st->gather.data = st;
    st->gather.log = log;
    st->gather.handler = ngx_mntreamer_lives_post;

    ngx_queue_init(&st->tracks);
    ngx_queue_init(&st->puts);
    ngx_queue_init(&st->finds);
    ngx_queue_init(&st->lives);

    ngx_mntreamer_buffers_init(st);
    ngx_mntreamer_space_init(st);

    return st;

failed:

    (void) close(fd);

    return NULL;
}


ngx_str_t *
ngx_mntreamer_storage_root(ngx_mntreamer_storage_t *st)
{
    return &st->conf.root;
}


uint32_t
ngx_mntreamer_storage_token(void)
{
    uint32_t  token;

    if (getrandom(&token, sizeof(uint32_t), 0) != sizeof(uint32_t)) {
        token = (uint32_t) ngx_random() ^ ((uint32_t) ngx_pid << 16);
    }

    return token;
}


/* what the disk did not finish in the offload's time stays in memory */

void
ngx_mntreamer_storage_destroy(ngx_mntreamer_storage_t *st)
{
    ngx_uint_t              left;
    ngx_queue_t            *q, *next;
    ngx_mntreamer_put_t    *put;
    ngx_mntreamer_track_t  *tr;

    left = (st->working != 0);

    for (q = ngx_queue_head(&st->tracks);
         q != ngx_queue_sentinel(&st->tracks);
         q = next)
    {
        next = ngx_queue_next(q);
        tr = ngx_queue_data(q, ngx_mntreamer_track_t, link);

        if (ngx_mntreamer_storage_working(tr)) {
            left = 1;

        } else {
            ngx_mntreamer_track_free(tr);
        }
    }

    for (q = ngx_queue_head(&st->puts);
         q != ngx_queue_sentinel(&st->puts);
         q = next)
    {
        next = ngx_queue_next(q);
        put = ngx_queue_data(q, ngx_mntreamer_put_t, link);

        if (put->working) {
            left = 1;
            continue;
        }

        ngx_queue_remove(q);

        /* it waited for one that is written by now */

        if (!put->begun && ngx_mntreamer_put_same(put) == NULL) {
            ngx_mntreamer_put_work(put);
        }

        ngx_free(put);
    }

    left |= ngx_mntreamer_finds_free(st);
    left |= ngx_mntreamer_lives_free(st);

    if (st->retry.timer_set) {
        ngx_del_timer(&st->retry);
    }

    if (st->gather.posted) {
        ngx_delete_posted_event(&st->gather);
    }

    ngx_mntreamer_buffers_done(&st->buffers);

    if (!left) {
        (void) close(st->fd);
        ngx_free(st);
    }
}


static ngx_uint_t
ngx_mntreamer_storage_working(ngx_mntreamer_track_t *tr)
{
    ngx_uint_t             i;
    ngx_queue_t           *queues[2], *q;
    ngx_mntreamer_part_t  *part;

    if (tr->working) {
        return 1;
    }

    queues[0] = &tr->parts;
    queues[1] = &tr->commits;

    for (i = 0; i < 2; i++) {
        for (q = ngx_queue_head(queues[i]);
             q != ngx_queue_sentinel(queues[i]);
             q = ngx_queue_next(q))
        {
            part = ngx_queue_data(q, ngx_mntreamer_part_t, link);

            if (part->working) {
                return 1;
            }
        }
    }

    return 0;
}


/* tasks that found the queue of the thread pool full */

static void
ngx_mntreamer_storage_retry(ngx_event_t *ev)
{
    ngx_queue_t              *q, *next;
    ngx_mntreamer_storage_t  *st;

    st = ev->data;

    for (q = ngx_queue_head(&st->tracks);
         q != ngx_queue_sentinel(&st->tracks);
         q = next)
    {
        next = ngx_queue_next(q);

        ngx_mntreamer_track_run(ngx_queue_data(q, ngx_mntreamer_track_t,
                                               link));
    }
}


ngx_int_t
ngx_mntreamer_storage_put(ngx_mntreamer_storage_t *st, ngx_str_t *dir,
    ngx_str_t *name, ngx_str_t *content, ngx_mntreamer_commit_pt done,
    void *data)
{
    ngx_mntreamer_put_t  *put;

    put = ngx_mntreamer_put_create(st, dir, name, content);
    if (put == NULL) {
        return NGX_ERROR;
    }

    put->durable = (st->conf.durability != NGX_MNTREAMER_DURABLE_NONE);

    return ngx_mntreamer_put_post(put, done, data);
}


ngx_int_t
ngx_mntreamer_storage_thumbnail(ngx_mntreamer_storage_t *st,
    const ngx_str_t *dir, const ngx_str_t *content,
    ngx_mntreamer_commit_pt done, void *data)
{
    ngx_mntreamer_put_t  *put;

    static const ngx_str_t  name = ngx_string(NGX_MNTREAMER_THUMBNAIL);

    put = ngx_mntreamer_put_create(st, dir, &name, content);
    if (put == NULL) {
        return NGX_ERROR;
    }

    put->there = 1;

    return ngx_mntreamer_put_post(put, done, data);
}


static ngx_mntreamer_put_t *
ngx_mntreamer_put_create(ngx_mntreamer_storage_t *st, const ngx_str_t *dir,
    const ngx_str_t *name, const ngx_str_t *content)
{
    u_char               *p;
    ngx_mntreamer_put_t  *put;

    put = ngx_calloc(sizeof(ngx_mntreamer_put_t) + dir->len + name->len
                     + content->len + 2, st->log);
    if (put == NULL) {
        return NULL;
    }

    p = (u_char *) put + sizeof(ngx_mntreamer_put_t);

    put->dir.data = p;
    put->dir.len = dir->len;
    p = ngx_cpymem(p, dir->data, dir->len) + 1;

    put->name.data = p;
    put->name.len = name->len;
    p = ngx_cpymem(p, name->data, name->len) + 1;

    put->content.data = p;
    put->content.len = content->len;

    if (content->len) {
        ngx_memcpy(p, content->data, content->len);
    }

    put->st = st;
    put->root = st->fd;
    put->token = st->token;
    put->serial = ++st->serial;
    put->since = ngx_current_msec;

    return put;
}


/* of two for one file the later one waits: threads keep no order */

static ngx_int_t
ngx_mntreamer_put_post(ngx_mntreamer_put_t *put, ngx_mntreamer_commit_pt done,
    void *data)
{
    put->done = done;
    put->data = data;

    if (ngx_mntreamer_put_same(put) == NULL
        && ngx_mntreamer_put_begin(put) != NGX_OK)
    {
        ngx_free(put);
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&put->st->puts, &put->link);

    return NGX_OK;
}


static ngx_int_t
ngx_mntreamer_put_begin(ngx_mntreamer_put_t *put)
{
    put->begun = 1;
    put->working = 1;

    if (ngx_mntreamer_offload_post(put->st->off, ngx_mntreamer_put_work,
                                   ngx_mntreamer_put_done, put)
        != NGX_OK)
    {
        put->begun = 0;
        put->working = 0;
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* the first of those in the queue that are for the file of "put" */

static ngx_mntreamer_put_t *
ngx_mntreamer_put_same(ngx_mntreamer_put_t *put)
{
    ngx_queue_t          *q;
    ngx_mntreamer_put_t  *other;

    for (q = ngx_queue_head(&put->st->puts);
         q != ngx_queue_sentinel(&put->st->puts);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_mntreamer_put_t, link);

        if (other->dir.len == put->dir.len
            && other->name.len == put->name.len
            && ngx_memcmp(other->dir.data, put->dir.data, put->dir.len) == 0
            && ngx_memcmp(other->name.data, put->name.data, put->name.len)
               == 0)
        {
            return other;
        }
    }

    return NULL;
}


static void
ngx_mntreamer_put_work(void *data)
{
    ngx_mntreamer_put_t *put = data;

    ngx_fd_t  dir;

    if (put->there) {
        dir = ngx_mntreamer_open_beneath(put->root, (char *) put->dir.data,
                                         O_RDONLY|O_DIRECTORY);

        /* of a recording that was taken away there is nothing to do */

        if (dir == -1 && ngx_errno != NGX_ENOENT) {
            (void) ngx_mntreamer_failed(&put->fail, ngx_errno, "open()", "");
        }

    } else {
        dir = ngx_mntreamer_open_dir(put->root, (char *) put->dir.data,
                                     put->durable, &put->fail);
    }

    if (dir != -1) {
        ngx_mntreamer_put_file(put, dir);
        (void) close(dir);
    }

    ngx_memory_barrier();
    put->working = 0;
}


static void
ngx_mntreamer_put_file(ngx_mntreamer_put_t *put, ngx_fd_t dir)
{
    char          *name;
    struct iovec   iov;

    name = (char *) put->name.data;

    if (put->content.len == 0) {

        if (unlinkat(dir, name, 0) == -1 && ngx_errno != NGX_ENOENT) {
            (void) ngx_mntreamer_failed(&put->fail, ngx_errno, "unlink()",
                                        name);
        }

        return;
    }

    iov.iov_base = put->content.data;
    iov.iov_len = put->content.len;

    (void) ngx_mntreamer_write_whole(dir, name, put->token, put->serial, &iov,
                                     1, put->durable, NULL, &put->fail);
}


static void
ngx_mntreamer_put_done(void *data)
{
    ngx_mntreamer_put_t *put = data;

    ngx_mntreamer_put_t  *next;

    ngx_queue_remove(&put->link);

    ngx_mntreamer_fail_log(put->st, put->st->log, &put->fail, &put->dir);

    ngx_mntreamer_put_tell(put);

    while ((next = ngx_mntreamer_put_same(put)) != NULL
           && !next->begun && ngx_mntreamer_put_begin(next) != NGX_OK)
    {
        ngx_queue_remove(&next->link);

        next->fail.rc = NGX_MNTREAMER_STORE_FAILED;
        ngx_mntreamer_put_tell(next);
        ngx_free(next);
    }

    ngx_free(put);
}


static void
ngx_mntreamer_put_tell(ngx_mntreamer_put_t *put)
{
    ngx_mntreamer_commit_t  commit;

    ngx_memzero(&commit, sizeof(ngx_mntreamer_commit_t));

    commit.rc = put->fail.rc;
    commit.bytes = commit.rc ? 0 : (off_t) put->content.len;
    commit.commit_ms = ngx_current_msec - put->since;

    if (put->done) {
        put->done(put->data, &commit);
    }
}


ngx_fd_t
ngx_mntreamer_storage_open_file(ngx_mntreamer_storage_t *st, ngx_str_t *path,
    ngx_file_info_t *fi)
{
    return ngx_mntreamer_storage_open_at(st->fd, path, fi);
}


ngx_fd_t
ngx_mntreamer_storage_open_below(ngx_str_t *root, ngx_str_t *path,
    ngx_file_info_t *fi)
{
    ngx_fd_t   fd, dir;
    ngx_err_t  err;

    dir = open((char *) root->data, O_PATH|O_DIRECTORY|O_CLOEXEC);

    if (dir == -1) {
        return NGX_INVALID_FILE;
    }

    fd = ngx_mntreamer_storage_open_at(dir, path, fi);

    err = ngx_errno;
    (void) close(dir);
    ngx_set_errno(err);

    return fd;
}


static ngx_fd_t
ngx_mntreamer_storage_open_at(ngx_fd_t root, ngx_str_t *path,
    ngx_file_info_t *fi)
{
    char       copy[NGX_MNTREAMER_PATH_MAX];
    ngx_fd_t   fd;
    ngx_err_t  err;

    if (path->len == 0 || path->len >= sizeof(copy)) {
        ngx_set_errno(NGX_ENOENT);
        return NGX_INVALID_FILE;
    }

    ngx_memcpy(copy, path->data, path->len);
    copy[path->len] = '\0';

    /* a named pipe must not hold the event loop */

    fd = ngx_mntreamer_open_beneath(root, copy, O_RDONLY|O_NONBLOCK);

    if (fd == -1) {
        return NGX_INVALID_FILE;
    }

    if (ngx_fd_info(fd, fi) == NGX_FILE_ERROR) {
        err = ngx_errno;

    } else if (!ngx_is_file(fi)) {
        err = NGX_ENOENT;

    } else {
        return fd;
    }

    (void) close(fd);
    ngx_set_errno(err);

    return NGX_INVALID_FILE;
}


ngx_fd_t
ngx_mntreamer_storage_open_dir(ngx_mntreamer_storage_t *st, ngx_str_t *path)
{
    char  copy[NGX_MNTREAMER_PATH_MAX];

    if (path->len == 0 || path->len >= sizeof(copy)) {
        ngx_set_errno(NGX_ENOENT);
        return NGX_INVALID_FILE;
    }

    ngx_memcpy(copy, path->data, path->len);
    copy[path->len] = '\0';

    return ngx_mntreamer_open_beneath(st->fd, copy, O_RDONLY|O_DIRECTORY);
}


const ngx_mntreamer_storage_stat_t *
ngx_mntreamer_storage_stat(ngx_mntreamer_storage_t *st)
{
    return &st->stat;
}
