
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * What nginx-rtmp makes of a broadcast: a directory of its name below
 * conf.live, in it a playlist that is renamed into its place and fragments
 * that are complete once they are listed.  All of it is read in threads; what
 * is asked for at once is one task, for to wake a thread and to be told by it
 * costs more than to look at a file.
 *
 * reading   entered by     waits for                    then
 * gathered  _live_read()   the end of the iteration     working
 * working   posted event   thread                       done(), unless it was
 *                                                       cancelled
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <dirent.h>

#include "ngx_mntreamer_storage_internal.h"


#define NGX_MNTREAMER_LIVE_ARENA   (4 * 1024 * 1024)
#define NGX_MNTREAMER_LIVE_SILENCE 60000
#define NGX_MNTREAMER_LIVE_NAME    32         /* hexadecimal digits */
#define NGX_MNTREAMER_LIVE_NAMES   65536      /* bytes of a list */
#define NGX_MNTREAMER_LIVE_PEEK    (188 * 512)


struct ngx_mntreamer_live_s {
    ngx_queue_t                 link;         /* in st->lives */
    ngx_mntreamer_storage_t    *st;           /* alias */
    ngx_str_t                   path;         /* behind the struct */
    ngx_fd_t                    root;         /* alias; -1: conf.live */
    ngx_uint_t                  peek;
    mnt_arena_t                 arena;
    ngx_mntreamer_stamp_t       stamp;        /* of the last time; of a list
                                                 the time before which */
    ngx_mntreamer_live_text_t   text;
    ngx_mntreamer_live_pt       done;         /* NULL: cancelled */
    void                       *data;         /* alias */
    ngx_mntreamer_fail_t        fail;
    ngx_mntreamer_work_pt       work;
    ngx_mntreamer_live_t       *more;         /* of the same task; alias */
    ngx_atomic_t                working;
};


static ngx_mntreamer_live_t *ngx_mntreamer_live_post(
    ngx_mntreamer_storage_t *st, const ngx_str_t *path,
    ngx_mntreamer_work_pt work, const ngx_mntreamer_stamp_t *stamp,
    ngx_fd_t root, ngx_uint_t peek);
static void ngx_mntreamer_live_task(void *data);
static void ngx_mntreamer_live_work(void *data);
static void ngx_mntreamer_live_text(ngx_mntreamer_live_t *live, ngx_fd_t fd);
static void ngx_mntreamer_live_peek(ngx_mntreamer_live_t *live);
static int ngx_mntreamer_live_pictures(ngx_mntreamer_live_t *live,
    const char *path);
static void ngx_mntreamer_live_remove_work(void *data);
static void ngx_mntreamer_live_list_work(void *data);
static void ngx_mntreamer_live_names_of(ngx_mntreamer_live_t *live, DIR *dir);
static ngx_uint_t ngx_mntreamer_live_old(ngx_mntreamer_live_t *live, int fd,
    const char *name);
static void ngx_mntreamer_live_done(void *data);
static void ngx_mntreamer_live_told(ngx_mntreamer_live_t *live);
static void ngx_mntreamer_live_failed(ngx_mntreamer_live_t *live);
static void ngx_mntreamer_live_free(ngx_mntreamer_live_t *live);


ngx_mntreamer_live_t *
ngx_mntreamer_live_read(ngx_mntreamer_storage_t *st, const ngx_str_t *path,
    const ngx_mntreamer_stamp_t *stamp, ngx_uint_t peek,
    ngx_mntreamer_live_pt done, void *data)
{
    ngx_mntreamer_live_t  *live;

    live = ngx_mntreamer_live_post(st, path, ngx_mntreamer_live_work, stamp,
                                   -1, peek);
    if (live) {
        live->done = done;
        live->data = data;
    }

    return live;
}


ngx_mntreamer_live_t *
ngx_mntreamer_storage_read(ngx_mntreamer_storage_t *st, const ngx_str_t *path,
    ngx_mntreamer_live_pt done, void *data)
{
    ngx_mntreamer_live_t  *live;

    live = ngx_mntreamer_live_post(st, path, ngx_mntreamer_live_work, NULL,
                                   st->fd, 0);
    if (live) {
        live->done = done;
        live->data = data;
    }

    return live;
}


ngx_mntreamer_live_t *
ngx_mntreamer_live_list(ngx_mntreamer_storage_t *st, time_t age_s,
    ngx_mntreamer_live_pt done, void *data)
{
    ngx_str_t               path = ngx_string(".");
    ngx_mntreamer_live_t   *live;
    ngx_mntreamer_stamp_t   stamp;

    ngx_memzero(&stamp, sizeof(ngx_mntreamer_stamp_t));

    stamp.changed_ns = (int64_t) (ngx_time() - age_s) * 1000000000;

    live = ngx_mntreamer_live_post(st, &path, ngx_mntreamer_live_list_work,
                                   &stamp, -1, 0);
    if (live) {
        live->done = done;
        live->data = data;
    }

    return live;
}


void
ngx_mntreamer_live_cancel(ngx_mntreamer_live_t *live)
{
    live->done = NULL;
}


void
ngx_mntreamer_live_remove(ngx_mntreamer_storage_t *st, const ngx_str_t *name)
{
    (void) ngx_mntreamer_live_post(st, name, ngx_mntreamer_live_remove_work,
                                   NULL, -1, 0);
}


static ngx_mntreamer_live_t *
ngx_mntreamer_live_post(ngx_mntreamer_storage_t *st, const ngx_str_t *path,
    ngx_mntreamer_work_pt work, const ngx_mntreamer_stamp_t *stamp,
    ngx_fd_t root, ngx_uint_t peek)
{
    ngx_mntreamer_live_t  *live;

    if ((st->conf.live.len == 0 && root == -1) || path->len == 0
        || path->len >= NGX_MNTREAMER_PATH_MAX)
    {
        return NULL;
    }

    live = ngx_calloc(sizeof(ngx_mntreamer_live_t) + path->len + 1, st->log);
    if (live == NULL) {
        return NULL;
    }

    live->st = st;
    live->root = root;
    live->peek = peek;
    live->work = work;
    live->text.pictures[0] = -1;
    live->text.pictures[1] = -1;
    live->path.len = path->len;
    live->path.data = (u_char *) (live + 1);
    ngx_memcpy(live->path.data, path->data, path->len);

    if (stamp) {
        live->stamp = *stamp;
    }

    mnt_arena_init(&live->arena, NGX_MNTREAMER_LIVE_ARENA);

    ngx_queue_insert_tail(&st->lives, &live->link);

    live->more = st->gathered;
    st->gathered = live;

    if (!st->gather.posted) {
        ngx_post_event(&st->gather, &ngx_posted_events);
    }

    return live;
}


void
ngx_mntreamer_lives_post(ngx_event_t *ev)
{
    ngx_mntreamer_live_t     *live, *first;
    ngx_mntreamer_storage_t  *st = ev->data;

    first = st->gathered;
    st->gathered = NULL;

    for (live = first; live; live = live->more) {
        live->working = 1;
    }

    if (ngx_mntreamer_offload_post(st->off, ngx_mntreamer_live_task,
                                   ngx_mntreamer_live_done, first)
        == NGX_OK)
    {
        return;
    }

    for (live = first; live; live = live->more) {
        live->working = 0;
        live->text.rc = NGX_MNTREAMER_STORE_FAILED;
    }

    ngx_mntreamer_live_done(first);
}


static void
ngx_mntreamer_live_task(void *data)
{
    ngx_mntreamer_live_t  *live, *next;

    /* one that is done may be gone when the process ends */

    for (live = data; live; live = next) {
        next = live->more;
        live->work(live);
    }
}


/* a path below conf.live, which may be made anew at any time; ngx_errno */

ngx_fd_t
ngx_mntreamer_live_open(ngx_mntreamer_storage_t *st, const char *path,
    int flags)
{
    ngx_fd_t   fd, root;
    ngx_err_t  err;

    root = open((char *) st->conf.live.data, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (root == -1) {
        return -1;
    }

    fd = ngx_mntreamer_open_beneath(root, path, flags);

    err = ngx_errno;
    (void) close(root);
    ngx_set_errno(err);

    return fd;
}


static void
ngx_mntreamer_live_work(void *data)
{
    ngx_mntreamer_live_t *live = data;

    ngx_fd_t  fd;

    fd = (live->root == -1)
         ? ngx_mntreamer_live_open(live->st, (char *) live->path.data,
                                   O_RDONLY)
         : ngx_mntreamer_open_beneath(live->root, (char *) live->path.data,
                                      O_RDONLY);

    if (fd != -1) {
        ngx_mntreamer_live_text(live, fd);
        (void) close(fd);

    } else if (ngx_errno == NGX_ENOENT || ngx_errno == NGX_ENOTDIR) {
        live->text.rc = NGX_MNTREAMER_STORE_MISSING;

    } else {
        (void) ngx_mntreamer_failed(&live->fail, ngx_errno, "open()",
                                    (char *) live->path.data);
    }

    ngx_memory_barrier();
    live->working = 0;
}


static void
ngx_mntreamer_live_text(ngx_mntreamer_live_t *live, ngx_fd_t fd)
{
    mnt_str_t               text;
    struct stat             sb;
    ngx_mntreamer_stamp_t  *stamp;

    stamp = &live->text.stamp;

    if (fstat(fd, &sb) == -1) {
        (void) ngx_mntreamer_failed(&live->fail, ngx_errno, "fstat()",
                                    (char *) live->path.data);
        return;
    }

    stamp->inode = (uint64_t) sb.st_ino;
    stamp->size = sb.st_size;
    stamp->changed_ns = (int64_t) sb.st_ctim.tv_sec * 1000000000
                        + sb.st_ctim.tv_nsec;

    if (stamp->inode == live->stamp.inode
        && stamp->size == live->stamp.size
        && stamp->changed_ns == live->stamp.changed_ns)
    {
        live->text.same = 1;
        return;
    }

    if (ngx_mntreamer_read_whole(fd, &live->arena, &text) != NGX_OK) {
        (void) ngx_mntreamer_failed(&live->fail, ngx_errno, "read()",
                                    (char *) live->path.data);
        return;
    }

    live->text.text.data = (u_char *) text.data;
    live->text.text.len = text.len;

    if (live->peek) {
        ngx_mntreamer_live_peek(live);
    }
}


static void
ngx_mntreamer_live_peek(ngx_mntreamer_live_t *live)
{
    char     path[NGX_MNTREAMER_PATH_MAX];
    u_char  *p, *end, *line;
    size_t   dir, len, n;

    p = live->text.text.data;
    end = p + live->text.text.len;

    ngx_memcpy(path, live->path.data, live->path.len + 1);

    line = (u_char *) strrchr(path, '/');
    dir = line ? (size_t) ((char *) line - path) + 1 : 0;

    for (n = 0; n < 2 && p < end; /* void */ ) {

        line = p;
        p = ngx_strlchr(p, end, '\n');
        p = p ? p : end;
        len = (size_t) (p++ - line);

        if (len == 0 || line[0] == '#' || dir + len >= sizeof(path)) {
            continue;
        }

        ngx_memcpy(path + dir, line, len);
        path[dir + len] = '\0';

        live->text.pictures[n++] = ngx_mntreamer_live_pictures(live, path);
    }
}


static int
ngx_mntreamer_live_pictures(ngx_mntreamer_live_t *live, const char *path)
{
    int        pictures;
    u_char    *buf;
    ssize_t    n;
    ngx_fd_t   fd;

    fd = ngx_mntreamer_live_open(live->st, path, O_RDONLY|O_NONBLOCK);

    if (fd == -1) {
        return -1;
    }

    buf = malloc(NGX_MNTREAMER_LIVE_PEEK);
    pictures = buf ? 0 : -1;

    while (pictures == 0) {
        n = read(fd, buf, NGX_MNTREAMER_LIVE_PEEK);

        if (n < 188) {
            pictures = (n == -1) ? -1 : 0;
            break;
        }

        pictures = mnt_hls_sniff_picture(buf, (size_t) n);
    }

    free(buf);
    (void) close(fd);

    return pictures;
}


/* what nginx-rtmp puts there are files; anything else stays, and it, too */

static void
ngx_mntreamer_live_remove_work(void *data)
{
    ngx_mntreamer_live_t *live = data;

    DIR            *dir;
    ngx_fd_t        fd, root;
    struct dirent  *de;

    root = open((char *) live->st->conf.live.data,
                O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    fd = (root == -1) ? -1 : openat(root, (char *) live->path.data,
                                    O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);
    dir = (fd == -1) ? NULL : fdopendir(fd);

    if (dir) {
        while ((de = readdir(dir)) != NULL) {
            (void) unlinkat(fd, de->d_name, 0);
        }

        (void) closedir(dir);
        (void) unlinkat(root, (char *) live->path.data, AT_REMOVEDIR);

    } else if (fd != -1) {
        (void) close(fd);
    }

    if (root != -1) {
        (void) close(root);
    }

    ngx_memory_barrier();
    live->working = 0;
}


static void
ngx_mntreamer_live_list_work(void *data)
{
    ngx_mntreamer_live_t *live = data;

    DIR       *dir;
    ngx_fd_t   fd;

    fd = ngx_mntreamer_live_open(live->st, ".", O_RDONLY|O_DIRECTORY);
    dir = (fd == -1) ? NULL : fdopendir(fd);

    if (dir) {
        ngx_mntreamer_live_names_of(live, dir);
        (void) closedir(dir);

    } else {
        live->text.rc = NGX_MNTREAMER_STORE_MISSING;

        if (fd != -1) {
            (void) close(fd);
        }
    }

    ngx_memory_barrier();
    live->working = 0;
}


static void
ngx_mntreamer_live_names_of(ngx_mntreamer_live_t *live, DIR *dir)
{
    u_char         *p, *last;
    struct dirent  *de;

    p = mnt_arena_alloc(&live->arena, NGX_MNTREAMER_LIVE_NAMES);

    if (p == NULL) {
        live->text.rc = NGX_MNTREAMER_STORE_FAILED;
        return;
    }

    live->text.text.data = p;
    last = p + NGX_MNTREAMER_LIVE_NAMES - 2;

    *p++ = '{';

    while ((de = readdir(dir)) != NULL && last - p > NAME_MAX) {

        if (ngx_mntreamer_live_old(live, dirfd(dir), de->d_name)) {
            if (p[-1] != '{') {
                *p++ = ',';
            }

            p = ngx_cpymem(p, de->d_name, ngx_strlen(de->d_name));
        }
    }

    *p++ = '}';

    live->text.text.len = p - live->text.text.data;
}


/* a broadcast's directory, as the hooks name them */

static ngx_uint_t
ngx_mntreamer_live_old(ngx_mntreamer_live_t *live, int fd, const char *name)
{
    struct stat  sb;

    return ngx_strlen(name) == NGX_MNTREAMER_LIVE_NAME
           && strspn(name, "0123456789abcdef") == NGX_MNTREAMER_LIVE_NAME
           && fstatat(fd, name, &sb, AT_SYMLINK_NOFOLLOW) == 0
           && S_ISDIR(sb.st_mode)
           && (int64_t) sb.st_mtime * 1000000000 < live->stamp.changed_ns;
}


static void
ngx_mntreamer_live_done(void *data)
{
    ngx_mntreamer_live_t  *live, *next;

    for (live = data; live; live = next) {
        next = live->more;
        ngx_mntreamer_live_told(live);
    }
}


static void
ngx_mntreamer_live_told(ngx_mntreamer_live_t *live)
{
    ngx_queue_remove(&live->link);

    if (live->fail.rc != NGX_MNTREAMER_STORE_OK) {
        live->text.rc = live->fail.rc;

        ngx_mntreamer_live_failed(live);
    }

    if (live->done) {
        live->done(live->data, &live->text);
    }

    ngx_mntreamer_live_free(live);
}


/* each session looks four times a second */

static void
ngx_mntreamer_live_failed(ngx_mntreamer_live_t *live)
{
    ngx_mntreamer_storage_t  *st;

    st = live->st;

    if (st->live_failed_at == 0
        || ngx_current_msec - st->live_failed_at >= NGX_MNTREAMER_LIVE_SILENCE)
    {
        st->live_failed_at = ngx_current_msec;

        ngx_log_error(NGX_LOG_ERR, st->log, live->fail.err,
                      "%s \"%V/%s\" failed", live->fail.call,
                      (live->root == -1) ? &st->conf.live : &st->conf.root,
                      live->fail.name);
    }
}


static void
ngx_mntreamer_live_free(ngx_mntreamer_live_t *live)
{
    mnt_arena_free(&live->arena);
    ngx_free(live);
}


ngx_uint_t
ngx_mntreamer_lives_free(ngx_mntreamer_storage_t *st)
{
    ngx_uint_t             left;
    ngx_queue_t           *q, *next;
    ngx_mntreamer_live_t  *live;

    left = 0;

    for (q = ngx_queue_head(&st->lives);
         q != ngx_queue_sentinel(&st->lives);
         q = next)
    {
        next = ngx_queue_next(q);
        live = ngx_queue_data(q, ngx_mntreamer_live_t, link);

        if (live->working) {
            left = 1;

        } else {
            ngx_queue_remove(q);
            ngx_mntreamer_live_free(live);
        }
    }

    return left;
}
