
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <dirent.h>
#include <sys/file.h>

#include "../hls/mnt_hls_cut.h"
#include "mnt_clip.h"
#include "ngx_mntreamer_storage_internal.h"


/*
 * A clip is made in a directory that is never served, beside its recording, in
 * a thread: for each playlist the files that it names, the journal, and then
 * the playlist.  Then that gets its name, by one rename.  What a crash has
 * left of it before goes when it is begun again; behind the rename it is whole
 * and only counted.
 */

#define NGX_MNTREAMER_CLIP_NAME    240
#define NGX_MNTREAMER_CLIP_TEXT    (96 * 1024 * 1024)
#define NGX_MNTREAMER_CLIP_PIECE   131072
#define NGX_MNTREAMER_CLIP_TRACKS  32


typedef struct {
    ngx_mntreamer_storage_t    *st;           /* alias */
    ngx_fd_t                    root;         /* alias */
    ngx_str_t                   dir;          /* behind the struct, as clip */
    ngx_str_t                   clip;
    int64_t                     id;           /* of the clip */
    int64_t                     begin_us;
    int64_t                     end_us;
    uint32_t                    token;
    ngx_uint_t                  serial;
    ngx_uint_t                  durable;
    ngx_mntreamer_clip_done_t   result;
    ngx_mntreamer_fail_t        fail;
    ngx_mntreamer_clip_pt       done;
    void                       *data;         /* alias */

    /* of the thread */
    ngx_fd_t                    from;
    ngx_fd_t                    to;
    mnt_hls_cuts_t              cuts;         /* what is not of the clip */
} ngx_mntreamer_clip_t;


static void ngx_mntreamer_clip_work(void *data);
static void ngx_mntreamer_clip_beside(ngx_mntreamer_clip_t *c, ngx_fd_t parent,
    const char *leaf);
static void ngx_mntreamer_clip_make(ngx_mntreamer_clip_t *c, ngx_fd_t parent,
    const char *hidden, const char *leaf);
static ngx_int_t ngx_mntreamer_clip_spans(ngx_mntreamer_clip_t *c);
static ngx_int_t ngx_mntreamer_clip_holes(ngx_mntreamer_clip_t *c,
    mnt_arena_t *a);
static ngx_int_t ngx_mntreamer_clip_tracks(ngx_mntreamer_clip_t *c,
    ngx_fd_t fd, ngx_uint_t there);
static ngx_int_t ngx_mntreamer_clip_track(ngx_mntreamer_clip_t *c,
    const char *name, ngx_uint_t there, mnt_arena_t *a);
static ngx_int_t ngx_mntreamer_clip_text(ngx_mntreamer_clip_t *c,
    const char *name, mnt_str_t *text, mnt_hls_cut_t *cut, mnt_arena_t *a);
static ngx_int_t ngx_mntreamer_clip_files(ngx_mntreamer_clip_t *c,
    mnt_str_t text, ngx_uint_t there);
static ngx_int_t ngx_mntreamer_clip_link(ngx_mntreamer_clip_t *c,
    const char *name);
static ngx_int_t ngx_mntreamer_clip_copy(ngx_mntreamer_clip_t *c,
    const char *name);
static ngx_int_t ngx_mntreamer_clip_bytes(ngx_mntreamer_clip_t *c, ngx_fd_t fd,
    const char *name);
static ngx_int_t ngx_mntreamer_clip_journal(ngx_mntreamer_clip_t *c,
    const char *name, mnt_str_t playlist, mnt_arena_t *a);
static ngx_int_t ngx_mntreamer_clip_card(ngx_mntreamer_clip_t *c);
static ngx_int_t ngx_mntreamer_clip_write(ngx_mntreamer_clip_t *c,
    const char *name, mnt_str_t text);
static ngx_int_t ngx_mntreamer_clip_remove(ngx_mntreamer_clip_t *c,
    ngx_fd_t parent, const char *hidden);
static ngx_int_t ngx_mntreamer_clip_refused(ngx_mntreamer_clip_t *c,
    const char *why);
static void ngx_mntreamer_clip_done(void *data);


ngx_int_t
ngx_mntreamer_storage_clip(ngx_mntreamer_storage_t *st, ngx_str_t *dir,
    ngx_str_t *clip, int64_t id, int64_t begin_us, int64_t end_us,
    ngx_mntreamer_clip_pt done, void *data)
{
    u_char                *p;
    ngx_mntreamer_clip_t  *c;

    if (dir->len == 0 || dir->len >= NGX_MNTREAMER_PATH_MAX
        || clip->len == 0 || clip->len >= NGX_MNTREAMER_PATH_MAX)
    {
        return NGX_ERROR;
    }

    c = ngx_calloc(sizeof(ngx_mntreamer_clip_t) + dir->len + clip->len + 2,
                   st->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    p = (u_char *) (c + 1);

    c->dir.data = p;
    c->dir.len = dir->len;
    p = ngx_cpymem(p, dir->data, dir->len) + 1;

    c->clip.data = p;
    c->clip.len = clip->len;
    ngx_memcpy(p, clip->data, clip->len);

    c->st = st;
    c->root = st->fd;
    c->id = id;
    c->begin_us = begin_us;
    c->end_us = end_us;
    c->token = st->token;
    c->serial = ++st->serial;
    c->durable = (st->conf.durability != NGX_MNTREAMER_DURABLE_NONE);
    c->done = done;
    c->data = data;

    if (ngx_mntreamer_offload_post(st->off, ngx_mntreamer_clip_work,
                                   ngx_mntreamer_clip_done, c)
        != NGX_OK)
    {
        ngx_free(c);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* of two that make it one waits, and finds it */

static void
ngx_mntreamer_clip_work(void *data)
{
    ngx_mntreamer_clip_t *c = data;

    char      *leaf, path[NGX_MNTREAMER_PATH_MAX];
    ngx_fd_t   parent;

    c->from = ngx_mntreamer_open_beneath(c->root, (char *) c->dir.data,
                                         O_RDONLY|O_DIRECTORY);

    if (c->from == -1) {

        if (ngx_errno == NGX_ENOENT) {
            (void) ngx_mntreamer_clip_refused(c, "its files are gone");
            return;
        }

        (void) ngx_mntreamer_failed(&c->fail, ngx_errno, "open()", "");
        return;
    }

    (void) ngx_cpystrn((u_char *) path, c->clip.data, sizeof(path));

    leaf = strrchr(path, '/');
    parent = c->root;

    if (leaf) {
        *leaf++ = '\0';
        parent = ngx_mntreamer_open_beneath(c->root, path,
                                            O_RDONLY|O_DIRECTORY);
    } else {
        leaf = path;
    }

    if (parent == -1 || flock(c->from, LOCK_EX) == -1) {
        (void) ngx_mntreamer_failed(&c->fail, ngx_errno, "open()", path);

    } else {
        ngx_mntreamer_clip_beside(c, parent, leaf);
    }

    mnt_hls_cuts_free(&c->cuts);

    if (parent != -1 && parent != c->root) {
        (void) close(parent);
    }

    (void) close(c->from);
}


static void
ngx_mntreamer_clip_beside(ngx_mntreamer_clip_t *c, ngx_fd_t parent,
    const char *leaf)
{
    char      hidden[NAME_MAX + 1];
    ngx_fd_t  fd;

    (void) ngx_snprintf((u_char *) hidden, sizeof(hidden), ".%*s.clip%Z",
                        ngx_min(ngx_strlen(leaf), NGX_MNTREAMER_CLIP_NAME),
                        leaf);

    fd = openat(parent, leaf, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd != -1) {
        (void) ngx_mntreamer_clip_tracks(c, fd, 1);
        (void) close(fd);
        return;
    }

    if (ngx_errno != NGX_ENOENT) {
        (void) ngx_mntreamer_failed(&c->fail, ngx_errno, "open()", leaf);
        return;
    }

    if (ngx_mntreamer_clip_remove(c, parent, hidden) != NGX_OK) {
        return;
    }

    if (mkdirat(parent, hidden, NGX_MNTREAMER_DIR_MODE) == -1) {
        (void) ngx_mntreamer_failed(&c->fail, ngx_errno, "mkdir()", hidden);
        return;
    }

    c->to = openat(parent, hidden, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (c->to == -1) {
        (void) ngx_mntreamer_failed(&c->fail, ngx_errno, "open()", hidden);
        return;
    }

    ngx_mntreamer_clip_make(c, parent, hidden, leaf);

    (void) close(c->to);

    if (c->result.refused || c->fail.rc) {
        (void) ngx_mntreamer_clip_remove(c, parent, hidden);
    }
}


static void
ngx_mntreamer_clip_make(ngx_mntreamer_clip_t *c, ngx_fd_t parent,
    const char *hidden, const char *leaf)
{
    if (ngx_mntreamer_clip_spans(c) != NGX_OK
        || ngx_mntreamer_clip_tracks(c, c->from, 0) != NGX_OK
        || ngx_mntreamer_clip_card(c) != NGX_OK)
    {
        return;
    }

    if (c->durable && fsync(c->to) == -1) {
        (void) ngx_mntreamer_failed(&c->fail, ngx_errno, "fsync()", hidden);
        return;
    }

    ngx_mntreamer_inject("clip_made");

    /* over a directory only when that is empty */

    if (renameat(parent, hidden, parent, leaf) == -1) {
        (void) ngx_mntreamer_failed(&c->fail, ngx_errno, "rename()", leaf);
        return;
    }

    ngx_mntreamer_inject("clip_renamed");

    /* what fails here is looked at again, and then counted */

    if (c->durable && fsync(parent) == -1) {
        (void) ngx_mntreamer_failed(&c->fail, ngx_errno, "fsync()", leaf);
    }
}


/* all but the span, and what is not shown of that */

static ngx_int_t
ngx_mntreamer_clip_spans(ngx_mntreamer_clip_t *c)
{
    ngx_int_t    rc;
    mnt_str_t    text;
    mnt_arena_t  a;

    mnt_arena_init(&a, NGX_MNTREAMER_CLIP_TEXT);

    rc = ngx_mntreamer_read_file(c->from, NGX_MNTREAMER_CUTS, &a, &text);

    if (rc == NGX_ERROR
        || (rc == NGX_OK && mnt_hls_cuts_read(&c->cuts, text) != 0))
    {
        rc = ngx_mntreamer_failed(&c->fail, rc == NGX_ERROR ? ngx_errno : 0,
                                  "read()", NGX_MNTREAMER_CUTS);

    } else if ((c->begin_us && !mnt_hls_cuts_add(&c->cuts, 0, c->begin_us))
               || !mnt_hls_cuts_add(&c->cuts, c->end_us, INT64_MAX))
    {
        rc = ngx_mntreamer_failed(&c->fail, NGX_ENOMEM, "malloc()", "");

    } else {
        rc = ngx_mntreamer_clip_holes(c, &a);
    }

    mnt_arena_free(&a);

    return rc;
}


/* what the first playlist leaves out, others do, up to their ends */

static ngx_int_t
ngx_mntreamer_clip_holes(ngx_mntreamer_clip_t *c, mnt_arena_t *a)
{
    mnt_str_t        text;
    mnt_hls_cut_t    cut;
    mnt_hls_span_t  *last;
    mnt_hls_cuts_t   holes;

    if (ngx_mntreamer_read_first(c->from, a, &text) != NGX_OK) {
        return ngx_mntreamer_clip_refused(c, "it has no playlist");
    }

    if (mnt_hls_cut_holes(&c->cuts, text, &holes, &cut) != 0) {
        return ngx_mntreamer_failed(&c->fail, NGX_ENOMEM, "malloc()", "");
    }

    last = holes.n ? &holes.spans[holes.n - 1] : NULL;

    if (last && last->end_us == cut.duration_us) {
        last->end_us = INT64_MAX;
    }

    mnt_hls_cuts_free(&c->cuts);
    c->cuts = holes;

    return NGX_OK;
}


/* each playlist; "there": those of the clip, which is whole */

static ngx_int_t
ngx_mntreamer_clip_tracks(ngx_mntreamer_clip_t *c, ngx_fd_t fd,
    ngx_uint_t there)
{
    DIR            *dir;
    ngx_fd_t        again;
    ngx_int_t       rc;
    mnt_str_t       name;
    ngx_uint_t      n;
    mnt_arena_t     a;
    struct dirent  *de;

    again = openat(fd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    dir = (again == -1) ? NULL : fdopendir(again);

    if (dir == NULL) {
        rc = ngx_mntreamer_failed(&c->fail, ngx_errno, "opendir()", "");

        if (again != -1) {
            (void) close(again);
        }

        return rc;
    }

    if (there) {
        c->to = fd;
    }

    rc = NGX_OK;
    n = 0;

    while (rc == NGX_OK && (de = readdir(dir)) != NULL) {
        name = mnt_str_c(de->d_name);

        if (name.data[0] == '.' || !mnt_str_ends(name, ".m3u8")
            || name.len >= MNT_TRACK_FILE_MAX)
        {
            continue;
        }

        if (++n > NGX_MNTREAMER_CLIP_TRACKS) {
            rc = ngx_mntreamer_clip_refused(c, "it has too many playlists");
            break;
        }

        mnt_arena_init(&a, NGX_MNTREAMER_CLIP_TEXT);
        rc = ngx_mntreamer_clip_track(c, de->d_name, there, &a);
        mnt_arena_free(&a);
    }

    (void) closedir(dir);

    if (rc == NGX_OK && c->result.segments == 0) {
        rc = ngx_mntreamer_clip_refused(c, "it has no playlist");
    }

    return rc;
}


static ngx_int_t
ngx_mntreamer_clip_track(ngx_mntreamer_clip_t *c, const char *name,
    ngx_uint_t there, mnt_arena_t *a)
{
    ngx_int_t       rc;
    mnt_str_t       text;
    mnt_hls_cut_t   cut;

    rc = ngx_mntreamer_read_file(there ? c->to : c->from, name, a, &text);

    if (rc != NGX_OK) {
        return ngx_mntreamer_failed(&c->fail, ngx_errno, "read()", name);
    }

    ngx_memzero(&cut, sizeof(mnt_hls_cut_t));

    rc = ngx_mntreamer_clip_text(c, name, &text, &cut, a);

    if (rc != NGX_OK) {
        return rc;
    }

    if (!cut.foreign && ngx_mntreamer_clip_files(c, text, there) != NGX_OK) {
        return NGX_ERROR;
    }

    /* it is counted by the one that a cut is counted by */

    if (!cut.foreign && (ngx_strcmp(name, "video.m3u8") == 0
                         || ngx_strcmp(name, "index.m3u8") == 0))
    {
        c->result.segments = cut.entries - cut.hidden;
        c->result.us = cut.duration_us - cut.hidden_us;
    }

    if (there) {
        return NGX_OK;
    }

    if (!cut.foreign
        && ngx_mntreamer_clip_journal(c, name, text, a) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_mntreamer_clip_write(c, name, text);
}


/* "text" becomes that of the clip; foreign: it has no segments, as it is */

static ngx_int_t
ngx_mntreamer_clip_text(ngx_mntreamer_clip_t *c, const char *name,
    mnt_str_t *text, mnt_hls_cut_t *cut, mnt_arena_t *a)
{
    char    *p;
    size_t   len, size;

    static const char  end[] = "#EXT-X-ENDLIST\n";

    size = text->len + c->cuts.n * MNT_HLS_CUT_HOLE + sizeof(end);
    p = mnt_arena_alloc(a, size);

    if (p == NULL) {
        return ngx_mntreamer_failed(&c->fail, NGX_ENOMEM, "malloc()", name);
    }

    len = mnt_hls_cut(&c->cuts, *text, p, size - (sizeof(end) - 1), cut);

    if (cut->foreign) {

        if (cut->entries == 0 && ngx_strcmp(name, "index.m3u8") == 0) {
            return NGX_OK;
        }

        return ngx_mntreamer_clip_refused(c, "its playlist was not written "
                                             "by us");
    }

    if (cut->entries == cut->hidden) {
        return ngx_mntreamer_clip_refused(c, "nothing of it begins there");
    }

    if (!cut->ended) {
        ngx_memcpy(p + len, end, sizeof(end) - 1);
        len += sizeof(end) - 1;
    }

    text->data = p;
    text->len = len;

    return NGX_OK;
}


static ngx_int_t
ngx_mntreamer_clip_files(ngx_mntreamer_clip_t *c, mnt_str_t text,
    ngx_uint_t there)
{
    int        rc;
    char       name[MNT_TRACK_FILE_MAX];
    unsigned   segment;
    mnt_str_t  file;

    while ((rc = mnt_clip_file(&text, &file, &segment)) == 1) {

        ngx_memcpy(name, file.data, file.len);
        name[file.len] = '\0';

        if ((!there && ngx_mntreamer_clip_link(c, name) != NGX_OK)
            || (segment && ngx_mntreamer_clip_bytes(c, c->to, name) != NGX_OK))
        {
            return NGX_ERROR;
        }
    }

    return (rc == 0) ? NGX_OK
                     : ngx_mntreamer_clip_refused(c, "its playlist was not "
                                                     "written by us");
}


static ngx_int_t
ngx_mntreamer_clip_link(ngx_mntreamer_clip_t *c, const char *name)
{
    if (linkat(c->from, name, c->to, name, 0) == 0) {
        return NGX_OK;
    }

    switch (ngx_errno) {

    case NGX_EEXIST:
        return NGX_OK;

    case NGX_ENOENT:
        return ngx_mntreamer_clip_refused(c, "a file of it is gone");

    case EXDEV:
    case NGX_EPERM:
    case EMLINK:
    case EOPNOTSUPP:
        return ngx_mntreamer_clip_copy(c, name);

    default:
        return ngx_mntreamer_failed(&c->fail, ngx_errno, "link()", name);
    }
}


static ngx_int_t
ngx_mntreamer_clip_copy(ngx_mntreamer_clip_t *c, const char *name)
{
    char        *buf;
    ssize_t      n;
    ngx_fd_t     in, out;
    const char  *call;

    in = openat(c->from, name, O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (in == -1) {
        return ngx_mntreamer_failed(&c->fail, ngx_errno, "open()", name);
    }

    out = openat(c->to, name, O_WRONLY|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
                 NGX_MNTREAMER_FILE_MODE);

    buf = malloc(NGX_MNTREAMER_CLIP_PIECE);
    call = (out == -1) ? "open()" : (buf == NULL) ? "malloc()" : NULL;

    while (call == NULL) {
        n = read(in, buf, NGX_MNTREAMER_CLIP_PIECE);

        if (n == -1 && ngx_errno == NGX_EINTR) {
            continue;
        }

        if (n == 0) {
            break;
        }

        if (n == -1 || ngx_mntreamer_write_all(out, buf, (size_t) n) != NGX_OK)
        {
            call = "copy to";
        }
    }

    if (call == NULL && c->durable && fsync(out) == -1) {
        call = "fsync()";
    }

    if (call) {
        (void) ngx_mntreamer_failed(&c->fail, ngx_errno, call, name);
    }

    if (out != -1) {
        (void) close(out);
    }

    (void) close(in);
    free(buf);

    return call ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_mntreamer_clip_bytes(ngx_mntreamer_clip_t *c, ngx_fd_t fd,
    const char *name)
{
    struct stat  sb;

    if (fstatat(fd, name, &sb, AT_SYMLINK_NOFOLLOW) == -1) {
        return ngx_mntreamer_failed(&c->fail, ngx_errno, "fstatat()", name);
    }

    if (!S_ISREG(sb.st_mode)) {
        return ngx_mntreamer_clip_refused(c, "a file of it is none");
    }

    c->result.bytes += (uint64_t) sb.st_size;

    return NGX_OK;
}


static ngx_int_t
ngx_mntreamer_clip_journal(ngx_mntreamer_clip_t *c, const char *name,
    mnt_str_t playlist, mnt_arena_t *a)
{
    char       *p, file[2 * MNT_TRACK_FILE_MAX];
    long        len;
    ngx_int_t   rc;
    mnt_str_t   journal;

    (void) ngx_snprintf((u_char *) file, sizeof(file), ".%*s.journal%Z",
                        ngx_strlen(name) - (sizeof(".m3u8") - 1), name);

    rc = ngx_mntreamer_read_file(c->from, file, a, &journal);

    /* it only tells a recorder how to go on, which nobody does */

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc != NGX_OK) {
        return ngx_mntreamer_failed(&c->fail, ngx_errno, "read()", file);
    }

    p = mnt_arena_alloc(a, journal.len + MNT_JOURNAL_LINE_MAX);
    len = p ? mnt_clip_journal(journal, playlist, p,
                               journal.len + MNT_JOURNAL_LINE_MAX)
            : -1;

    if (len < 0) {
        return ngx_mntreamer_failed(&c->fail, NGX_ENOMEM, "malloc()", file);
    }

    journal.data = p;
    journal.len = (size_t) len;

    return ngx_mntreamer_clip_write(c, file, journal);
}


/* it is of the same channel, which rules of access go by */

static ngx_int_t
ngx_mntreamer_clip_card(ngx_mntreamer_clip_t *c)
{
    char         buf[MNT_CARD_MAX], id[NGX_INT64_LEN + 1];
    ngx_int_t    rc;
    mnt_str_t    text;
    mnt_card_t   card;
    mnt_arena_t  a;

    mnt_arena_init(&a, 4 * MNT_CARD_MAX);

    rc = ngx_mntreamer_read_file(c->from, MNT_CARD_NAME, &a, &text);

    if (rc == NGX_OK) {
        mnt_card_read(text, &card);

        card.recording.data = id;
        card.recording.len = ngx_sprintf((u_char *) id, "%L", c->id)
                             - (u_char *) id;

        text.data = buf;
        text.len = mnt_card_write(&card, buf, sizeof(buf));

        rc = text.len ? ngx_mntreamer_clip_write(c, MNT_CARD_NAME, text)
                      : NGX_DECLINED;

    } else if (rc == NGX_ERROR) {
        (void) ngx_mntreamer_failed(&c->fail, ngx_errno, "read()",
                                    MNT_CARD_NAME);
    }

    mnt_arena_free(&a);

    return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_mntreamer_clip_write(ngx_mntreamer_clip_t *c, const char *name,
    mnt_str_t text)
{
    struct iovec  iov;

    iov.iov_base = (void *) (uintptr_t) text.data;
    iov.iov_len = text.len;

    return ngx_mntreamer_write_whole(c->to, name, c->token, c->serial, &iov, 1,
                                     c->durable, NULL, &c->fail);
}


/* what was begun before; nobody else knows of it */

static ngx_int_t
ngx_mntreamer_clip_remove(ngx_mntreamer_clip_t *c, ngx_fd_t parent,
    const char *hidden)
{
    DIR            *dir;
    ngx_fd_t        fd;
    struct dirent  *de;

    fd = openat(parent, hidden, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == -1) {
        return ngx_errno == NGX_ENOENT ? NGX_OK
               : ngx_mntreamer_failed(&c->fail, ngx_errno, "open()", hidden);
    }

    dir = fdopendir(fd);

    if (dir == NULL) {
        (void) ngx_mntreamer_failed(&c->fail, ngx_errno, "fdopendir()",
                                    hidden);
        (void) close(fd);
        return NGX_ERROR;
    }

    while ((de = readdir(dir)) != NULL) {
        (void) unlinkat(dirfd(dir), de->d_name, 0);
    }

    (void) closedir(dir);

    if (unlinkat(parent, hidden, AT_REMOVEDIR) == -1) {
        return ngx_mntreamer_failed(&c->fail, ngx_errno, "rmdir()", hidden);
    }

    return NGX_OK;
}


/* for good: there is nothing to try again */

static ngx_int_t
ngx_mntreamer_clip_refused(ngx_mntreamer_clip_t *c, const char *why)
{
    c->result.refused = why;

    return NGX_DECLINED;
}


static void
ngx_mntreamer_clip_done(void *data)
{
    ngx_mntreamer_clip_t *c = data;

    c->result.rc = c->fail.rc;

    ngx_mntreamer_fail_log(c->st, c->st->log, &c->fail, &c->clip);

    c->done(c->data, &c->result);

    ngx_free(c);
}
