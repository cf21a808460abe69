
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <dirent.h>

#include "ngx_mntreamer_storage_internal.h"


/*
 * What lies in the directory of a recording: looked at in a thread, by names
 * and, when asked, by what the recovery would make of it; nothing is touched.
 */

typedef struct {
    ngx_mntreamer_track_t         track;      /* for the recovery */
    char                          prefix[MNT_TRACK_PREFIX_MAX];
    ngx_mntreamer_track_state_t   state;
    mnt_hls_window_t              window;
    mnt_journal_gap_t             gaps[MNT_JOURNAL_GAPS];
} ngx_mntreamer_find_track_t;

struct ngx_mntreamer_find_s {
    ngx_queue_t                   link;       /* in st->finds */
    ngx_mntreamer_storage_t      *st;         /* alias */
    ngx_fd_t                      root;       /* alias */
    ngx_str_t                     dir;        /* behind the struct */
    ngx_uint_t                    look;
    ngx_mntreamer_found_pt        done;       /* NULL: cancelled */
    void                         *data;       /* alias */
    ngx_mntreamer_found_t         found;
    char                          names[NGX_MNTREAMER_FIND_TRACKS]
                                       [MNT_TRACK_PREFIX_MAX];
    ngx_mntreamer_find_track_t   *tracks;     /* owned */
    ngx_mntreamer_fail_t          fail;
    ngx_atomic_t                  working;
};


static void ngx_mntreamer_find_work(void *data);
static ngx_int_t ngx_mntreamer_find_names(ngx_mntreamer_find_t *f,
    ngx_fd_t dir);
static void ngx_mntreamer_find_add(ngx_mntreamer_find_t *f,
    const char *name);
static ngx_int_t ngx_mntreamer_find_rungs(ngx_mntreamer_find_t *f,
    ngx_fd_t dir);
static ngx_int_t ngx_mntreamer_find_height(const char *name);
static ngx_int_t ngx_mntreamer_find_name(ngx_mntreamer_find_t *f,
    ngx_fd_t dir, const char *name);
static void ngx_mntreamer_find_look(ngx_mntreamer_find_t *f, ngx_fd_t dir);
static void ngx_mntreamer_find_track(ngx_mntreamer_find_t *f, ngx_uint_t i);
static void ngx_mntreamer_find_done(void *data);
static void ngx_mntreamer_find_free(ngx_mntreamer_find_t *f);


ngx_mntreamer_find_t *
ngx_mntreamer_storage_find(ngx_mntreamer_storage_t *st, ngx_str_t *dir,
    ngx_uint_t look, ngx_mntreamer_found_pt done, void *data)
{
    ngx_mntreamer_find_t  *f;

    if (dir->len == 0 || dir->len >= NGX_MNTREAMER_PATH_MAX) {
        return NULL;
    }

    f = ngx_calloc(sizeof(ngx_mntreamer_find_t) + dir->len + 1, st->log);
    if (f == NULL) {
        return NULL;
    }

    f->dir.data = (u_char *) (f + 1);
    f->dir.len = dir->len;
    ngx_memcpy(f->dir.data, dir->data, dir->len);

    f->st = st;
    f->root = st->fd;
    f->look = look;
    f->done = done;
    f->data = data;
    f->working = 1;

    if (ngx_mntreamer_offload_post(st->off, ngx_mntreamer_find_work,
                                   ngx_mntreamer_find_done, f)
        != NGX_OK)
    {
        ngx_free(f);
        return NULL;
    }

    ngx_queue_insert_tail(&st->finds, &f->link);

    return f;
}


void
ngx_mntreamer_storage_find_cancel(ngx_mntreamer_find_t *f)
{
    f->done = NULL;
}


static void
ngx_mntreamer_find_work(void *data)
{
    ngx_mntreamer_find_t *f = data;

    ngx_fd_t  dir;

    dir = ngx_mntreamer_open_beneath(f->root, (char *) f->dir.data,
                                     O_RDONLY|O_DIRECTORY);

    if (dir != -1) {

        if (ngx_mntreamer_find_names(f, dir) == NGX_OK && f->look) {
            ngx_mntreamer_find_look(f, dir);
        }

        (void) close(dir);

    } else if (ngx_errno != NGX_ENOENT) {
        (void) ngx_mntreamer_failed(&f->fail, ngx_errno, "open()", "");

    } else {
        f->found.missing = 1;
    }

    ngx_memory_barrier();
    f->working = 0;
}


static ngx_int_t
ngx_mntreamer_find_names(ngx_mntreamer_find_t *f, ngx_fd_t dir)
{
    char       name[MNT_TRACK_FILE_MAX];
    ngx_int_t  rc;

    rc = ngx_mntreamer_find_name(f, dir, "video.m3u8");

    if (rc == NGX_DECLINED) {
        rc = ngx_mntreamer_find_name(f, dir, "index.m3u8");

        if (rc == NGX_OK) {
            ngx_mntreamer_find_add(f, "index");
        }

        return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
    }

    if (rc == NGX_OK) {
        f->found.multi = 1;
        ngx_mntreamer_find_add(f, "video");

        rc = ngx_mntreamer_find_name(f, dir, "index.m3u8");

        if (rc == NGX_DECLINED) {
            f->found.unindexed = 1;
            rc = NGX_OK;
        }
    }

    while (rc == NGX_OK && f->found.ntracks < NGX_MNTREAMER_FIND_TRACKS) {
        (void) ngx_snprintf((u_char *) name, sizeof(name), "audio-%ui.m3u8%Z",
                            f->found.ntracks);

        rc = ngx_mntreamer_find_name(f, dir, name);

        if (rc == NGX_OK) {
            name[ngx_strlen(name) - 5] = '\0';
            ngx_mntreamer_find_add(f, name);
        }
    }

    if (rc == NGX_DECLINED && f->found.ntracks == 1) {
        rc = ngx_mntreamer_find_rungs(f, dir);
    }

    return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


static void
ngx_mntreamer_find_add(ngx_mntreamer_find_t *f, const char *name)
{
    ngx_uint_t  i;

    i = f->found.ntracks++;

    f->found.tracks[i].name.data = (u_char *) f->names[i];
    f->found.tracks[i].name.len =
        ngx_cpystrn((u_char *) f->names[i], (u_char *) name,
                    MNT_TRACK_PREFIX_MAX)
        - (u_char *) f->names[i];
}


/*
 * ".480p.journal": the renditions of an own broadcast, highest first.  Their
 * playlists come with their first segments, and stay when the journals go.
 */

static ngx_int_t
ngx_mntreamer_find_rungs(ngx_mntreamer_find_t *f, ngx_fd_t dir)
{
    DIR            *d;
    char            name[MNT_TRACK_FILE_MAX];
    ngx_fd_t        fd;
    ngx_int_t       n, heights[NGX_MNTREAMER_FIND_TRACKS];
    ngx_uint_t      i, k, count;
    struct dirent  *de;

    fd = openat(dir, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    d = (fd == -1) ? NULL : fdopendir(fd);

    if (d == NULL) {
        (void) ngx_mntreamer_failed(&f->fail, ngx_errno, "open()", ".");

        if (fd != -1) {
            (void) close(fd);
        }

        return NGX_ERROR;
    }

    count = 0;

    while ((de = readdir(d)) != NULL) {
        n = ngx_mntreamer_find_height(de->d_name);

        for (k = 0; k < count && heights[k] > n; k++) {
            /* void */
        }

        if (n == NGX_ERROR || count == NGX_MNTREAMER_FIND_TRACKS - 1
            || (k < count && heights[k] == n))
        {
            continue;
        }

        for (i = count++; i > k; i--) {
            heights[i] = heights[i - 1];
        }

        heights[k] = n;
    }

    (void) closedir(d);

    for (k = 0; k < count; k++) {
        (void) ngx_snprintf((u_char *) name, sizeof(name), "%ip%Z",
                            heights[k]);
        ngx_mntreamer_find_add(f, name);
    }

    return NGX_OK;
}


/* of "480p.m3u8" and ".480p.journal", or NGX_ERROR */

static ngx_int_t
ngx_mntreamer_find_height(const char *name)
{
    size_t       len;
    ngx_int_t    n;
    const char  *end;

    end = (name[0] == '.') ? "p.journal" : "p.m3u8";
    name += (name[0] == '.');

    for (len = 0; name[len] >= '0' && name[len] <= '9'; len++) {
        /* void */
    }

    if (len < 3 || len > 4 || ngx_strcmp(name + len, end) != 0) {
        return NGX_ERROR;
    }

    n = ngx_atoi((u_char *) name, len);

    return n < 100 ? NGX_ERROR : n;
}


/* NGX_DECLINED: there is no such file */

static ngx_int_t
ngx_mntreamer_find_name(ngx_mntreamer_find_t *f, ngx_fd_t dir,
    const char *name)
{
    struct stat  sb;

    if (fstatat(dir, name, &sb, AT_SYMLINK_NOFOLLOW) == -1) {

        if (ngx_errno == NGX_ENOENT) {
            return NGX_DECLINED;
        }

        return ngx_mntreamer_failed(&f->fail, ngx_errno, "fstatat()", name);
    }

    return S_ISREG(sb.st_mode) ? NGX_OK : NGX_DECLINED;
}


static void
ngx_mntreamer_find_look(ngx_mntreamer_find_t *f, ngx_fd_t dir)
{
    ngx_uint_t              i;
    ngx_mntreamer_track_t  *tr;

    if (f->found.ntracks == 0) {
        return;
    }

    f->tracks = calloc(f->found.ntracks, sizeof(ngx_mntreamer_find_track_t));

    if (f->tracks == NULL) {
        (void) ngx_mntreamer_failed(&f->fail, NGX_ENOMEM, "calloc()", "");
        return;
    }

    for (i = 0; i < f->found.ntracks; i++) {
        ngx_mntreamer_find_track(f, i);

        tr = &f->tracks[i].track;
        tr->dirfd = dir;

        if (ngx_mntreamer_open_look(tr) != NGX_OK) {
            f->fail = tr->fail;
            return;
        }
    }

    f->found.looked = 1;
}


static void
ngx_mntreamer_find_track(ngx_mntreamer_find_t *f, ngx_uint_t i)
{
    ngx_str_t                   *name;
    ngx_mntreamer_track_t       *tr;
    ngx_mntreamer_find_track_t  *t;

    t = &f->tracks[i];
    tr = &t->track;
    name = &f->found.tracks[i].name;

    t->state.window = &t->window;
    t->state.last_gaps = t->gaps;

    tr->st = f->st;
    tr->opened = &t->state;
    tr->name = *name;
    tr->prefix.data = t->prefix;

    if (i) {
        tr->prefix.len = (ngx_strncmp(name->data, "audio-", 6) == 0)
                         ? ngx_sprintf((u_char *) t->prefix, "a%ui-", i)
                           - (u_char *) t->prefix
                         : ngx_sprintf((u_char *) t->prefix, "%V-", name)
                           - (u_char *) t->prefix;
    }

    f->found.tracks[i].state = &t->state;
}


static void
ngx_mntreamer_find_done(void *data)
{
    ngx_mntreamer_find_t *f = data;

    ngx_queue_remove(&f->link);

    ngx_mntreamer_fail_log(f->st, f->st->log, &f->fail, &f->dir);

    f->found.rc = f->fail.rc;

    if (f->done) {
        f->done(f->data, &f->found);
    }

    ngx_mntreamer_find_free(f);
}


/* at the exit of the process; 1 when a thread is still in one */

ngx_uint_t
ngx_mntreamer_finds_free(ngx_mntreamer_storage_t *st)
{
    ngx_uint_t             left;
    ngx_queue_t           *q, *next;
    ngx_mntreamer_find_t  *f;

    left = 0;

    for (q = ngx_queue_head(&st->finds);
         q != ngx_queue_sentinel(&st->finds);
         q = next)
    {
        next = ngx_queue_next(q);
        f = ngx_queue_data(q, ngx_mntreamer_find_t, link);

        if (f->working) {
            left = 1;

        } else {
            ngx_queue_remove(q);
            ngx_mntreamer_find_free(f);
        }
    }

    return left;
}


static void
ngx_mntreamer_find_free(ngx_mntreamer_find_t *f)
{
    if (f->tracks) {
        free(f->tracks);
    }

    ngx_free(f);
}
