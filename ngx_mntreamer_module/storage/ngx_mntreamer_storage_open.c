
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <dirent.h>
#include <sys/uio.h>

#include "ngx_mntreamer_storage_internal.h"


/*
 * The opening of a track, in a thread.  First the journal gets a new inode:
 * from then on a former writer is fenced.  What it wrote meanwhile into the
 * old one is taken over: it looks whether it is fenced after it wrote there,
 * we look at what it wrote after we fenced it, so that one of us sees the
 * other.
 * Then mnt_recovery_decide() says what to do; it is done in an order that
 * leaves the same work to the next opening wherever this one is ended.
 */

#define NGX_MNTREAMER_OPEN_MAX    (512 * 1024 * 1024)   /* bytes of memory */
#define NGX_MNTREAMER_OPEN_TRIES  3    /* while a former writer gives names */
#define NGX_MNTREAMER_OPEN_TAIL   65536  /* no commit writes more lines */


typedef struct {
    ngx_mntreamer_track_t  *tr;               /* alias */
    ngx_mntreamer_fail_t   *f;                /* alias */
    ngx_uint_t              durable;
    char                    journal[MNT_TRACK_FILE_MAX];
    char                    playlist[MNT_TRACK_FILE_MAX];
    mnt_arena_t             arena;
    mnt_recovery_found_t    found;
    mnt_str_t               read;             /* the former journal, arena */
    mnt_recovery_t          r;
    mnt_str_t              *drop;             /* names in the arena */
    ngx_uint_t              ndrop;
    ngx_uint_t              alloted;          /* room in drop, and in files */
} ngx_mntreamer_open_t;


static void ngx_mntreamer_open_init(ngx_mntreamer_open_t *o,
    ngx_mntreamer_track_t *tr);
static ngx_int_t ngx_mntreamer_open_recover(ngx_mntreamer_open_t *o);
static ngx_int_t ngx_mntreamer_open_decide(ngx_mntreamer_open_t *o);
static ngx_int_t ngx_mntreamer_open_journal(ngx_mntreamer_open_t *o);
static ngx_int_t ngx_mntreamer_open_lines(ngx_mntreamer_open_t *o,
    ngx_fd_t fd, mnt_str_t *lines);
static ngx_int_t ngx_mntreamer_open_late(ngx_mntreamer_open_t *o, ngx_fd_t fd);
static ngx_uint_t ngx_mntreamer_open_unchanged(ngx_mntreamer_open_t *o,
    ngx_fd_t fd);
static ngx_int_t ngx_mntreamer_open_scan(ngx_mntreamer_open_t *o);
static ngx_int_t ngx_mntreamer_open_name(ngx_mntreamer_open_t *o, DIR *dir,
    const char *name);
static ngx_uint_t ngx_mntreamer_open_stale(ngx_mntreamer_open_t *o,
    const char *name);
static ngx_int_t ngx_mntreamer_open_room(ngx_mntreamer_open_t *o);
static ngx_int_t ngx_mntreamer_open_apply(ngx_mntreamer_open_t *o);
static ngx_int_t ngx_mntreamer_open_playlist(ngx_mntreamer_open_t *o);
static void ngx_mntreamer_open_state(ngx_mntreamer_open_t *o);
static ngx_uint_t ngx_mntreamer_open_container(ngx_mntreamer_open_t *o);


void
ngx_mntreamer_open_work(void *data)
{
    ngx_mntreamer_track_t *tr = data;

    ngx_int_t             rc;
    ngx_uint_t            tries;
    ngx_mntreamer_open_t  o;

    ngx_mntreamer_open_init(&o, tr);

    tr->dirfd = ngx_mntreamer_open_dir(tr->root, (char *) tr->dir.data,
                                       o.durable, o.f);

    if (tr->dirfd != -1 && ngx_mntreamer_open_journal(&o) == NGX_OK) {

        tries = NGX_MNTREAMER_OPEN_TRIES;

        do {
            rc = ngx_mntreamer_open_recover(&o);
        } while (rc == NGX_AGAIN && --tries);

        if (rc == NGX_AGAIN) {
            (void) ngx_mntreamer_failed(o.f, NGX_EEXIST, "recovery of",
                                        o.playlist);
        }
    }

    mnt_arena_free(&o.arena);

    ngx_memory_barrier();
    tr->working = 0;
}


/* what it would be, without touching it */

ngx_int_t
ngx_mntreamer_open_look(ngx_mntreamer_track_t *tr)
{
    ngx_int_t             rc;
    ngx_mntreamer_open_t  o;

    ngx_mntreamer_open_init(&o, tr);

    if (ngx_mntreamer_read_file(tr->dirfd, o.journal, &o.arena,
                                &o.found.journal)
        == NGX_ERROR)
    {
        rc = ngx_mntreamer_failed(o.f, ngx_errno, "read()", o.journal);

    } else {
        rc = ngx_mntreamer_open_decide(&o);
    }

    if (rc == NGX_OK) {
        ngx_mntreamer_open_state(&o);
    }

    mnt_arena_free(&o.arena);

    return rc;
}


static void
ngx_mntreamer_open_init(ngx_mntreamer_open_t *o, ngx_mntreamer_track_t *tr)
{
    ngx_memzero(o, sizeof(ngx_mntreamer_open_t));

    o->tr = tr;
    o->f = &tr->fail;
    o->durable = (tr->durability == NGX_MNTREAMER_DURABLE_SEGMENT);

    o->found.prefix = tr->prefix;
    o->found.target_s = tr->target_s;
    o->found.reopen = tr->reopen;
    o->found.now_ms = tr->now_ms;

    (void) ngx_snprintf((u_char *) o->journal, sizeof(o->journal),
                        ".%V.journal%Z", &tr->name);
    (void) ngx_snprintf((u_char *) o->playlist, sizeof(o->playlist),
                        "%V.m3u8%Z", &tr->name);

    mnt_arena_init(&o->arena, NGX_MNTREAMER_OPEN_MAX);
}


/* NGX_AGAIN: a file that was found has another name now */

static ngx_int_t
ngx_mntreamer_open_recover(ngx_mntreamer_open_t *o)
{
    ngx_int_t  rc;

    o->ndrop = 0;
    o->found.nfiles = 0;

    if (ngx_mntreamer_open_decide(o) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_mntreamer_open_apply(o);

    if (rc == NGX_OK) {
        ngx_mntreamer_open_state(o);
    }

    return rc;
}


static ngx_int_t
ngx_mntreamer_open_decide(ngx_mntreamer_open_t *o)
{
    if (ngx_mntreamer_open_scan(o) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_mntreamer_read_file(o->tr->dirfd, o->playlist, &o->arena,
                                &o->found.playlist)
        == NGX_ERROR)
    {
        return ngx_mntreamer_failed(o->f, ngx_errno, "read()", o->playlist);
    }

    if (mnt_recovery_decide(&o->arena, &o->found, &o->r) != 0) {
        return ngx_mntreamer_failed(o->f, NGX_ENOMEM, "recovery of",
                                    o->playlist);
    }

    return NGX_OK;
}


/* gives the journal a new inode with the lines that are whole */

static ngx_int_t
ngx_mntreamer_open_journal(ngx_mntreamer_open_t *o)
{
    ngx_fd_t                fd;
    ngx_int_t               rc;
    struct iovec            iov;
    ngx_mntreamer_track_t  *tr;

    tr = o->tr;

    fd = openat(tr->dirfd, o->journal,
                O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_NONBLOCK);

    if (fd == -1 && ngx_errno != NGX_ENOENT) {
        return ngx_mntreamer_failed(o->f, ngx_errno, "open()", o->journal);
    }

    rc = ngx_mntreamer_open_lines(o, fd, &o->found.journal);

    if (rc == NGX_OK) {
        iov.iov_base = (void *) (uintptr_t) o->found.journal.data;
        iov.iov_len = o->found.journal.len;

        tr->journal_size = o->found.journal.len;

        rc = ngx_mntreamer_write_whole(tr->dirfd, o->journal, tr->token,
                                       ++tr->writes, &iov, 1, o->durable,
                                       &tr->journal, o->f);
    }

    if (rc == NGX_OK && fd != -1) {
        rc = ngx_mntreamer_open_late(o, fd);
    }

    if (fd != -1) {
        (void) close(fd);
    }

    return rc;
}


/* "lines": those that are whole */

static ngx_int_t
ngx_mntreamer_open_lines(ngx_mntreamer_open_t *o, ngx_fd_t fd,
    mnt_str_t *lines)
{
    int                  n;
    char                *p;
    mnt_str_t            rest, text;
    mnt_journal_line_t   l;

    p = NULL;
    rest.len = 0;
    rest.data = NULL;

    if (fd != -1
        && ngx_mntreamer_read_whole(fd, &o->arena, &rest) != NGX_OK)
    {
        return ngx_mntreamer_failed(o->f, ngx_errno, "read()", o->journal);
    }

    o->read = rest;

    /* as they were read, unless something stands between them */

    lines->data = rest.data;
    lines->len = 0;

    while ((n = mnt_journal_read(&rest, &l, &text)) != 0) {

        if (n < 0) {
            continue;
        }

        if (p == NULL && text.data != lines->data + lines->len) {

            p = mnt_arena_alloc(&o->arena, o->read.len + 1);
            if (p == NULL) {
                return ngx_mntreamer_failed(o->f, NGX_ENOMEM, "read()",
                                            o->journal);
            }

            ngx_memcpy(p, lines->data, lines->len);
            lines->data = p;
        }

        if (p) {
            ngx_memcpy(p + lines->len, text.data, text.len);
        }

        lines->len += text.len;
    }

    return NGX_OK;
}


/* what came into the old journal before its writer could know */

static ngx_int_t
ngx_mntreamer_open_late(ngx_mntreamer_open_t *o, ngx_fd_t fd)
{
    mnt_str_t   late, *known;

    known = &o->found.journal;

    ngx_mntreamer_inject("open_fenced");

    if (ngx_mntreamer_open_unchanged(o, fd)) {
        return NGX_OK;
    }

    late.len = 0;
    late.data = NULL;

    if (ngx_mntreamer_open_lines(o, fd, &late) != NGX_OK) {
        return NGX_ERROR;
    }

    /* fewer: a commit was taken back, its line explains no file */

    if (late.len <= known->len
        || ngx_memcmp(late.data, known->data, known->len) != 0)
    {
        return NGX_OK;
    }

    if (ngx_mntreamer_journal_append(o->tr, late.data + known->len,
                                     late.len - known->len, o->f)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    *known = late;

    return NGX_OK;
}


/*
 * The journal of a long recording is large; its end shows whether something
 * was put there, or taken back and put there.
 */

static ngx_uint_t
ngx_mntreamer_open_unchanged(ngx_mntreamer_open_t *o, ngx_fd_t fd)
{
    char         *buf;
    size_t        n;
    struct stat   sb;

    if (fstat(fd, &sb) == -1 || (size_t) sb.st_size != o->read.len) {
        return 0;
    }

    n = ngx_min(o->read.len, NGX_MNTREAMER_OPEN_TAIL);

    buf = mnt_arena_alloc(&o->arena, n);

    return buf
           && pread(fd, buf, n, (off_t) (o->read.len - n)) == (ssize_t) n
           && ngx_memcmp(buf, o->read.data + o->read.len - n, n) == 0;
}


static ngx_int_t
ngx_mntreamer_open_scan(ngx_mntreamer_open_t *o)
{
    DIR            *dir;
    ngx_fd_t        fd;
    ngx_err_t       err;
    ngx_int_t       rc;
    struct dirent  *de;

    fd = openat(o->tr->dirfd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        return ngx_mntreamer_failed(o->f, ngx_errno, "open()", ".");
    }

    dir = fdopendir(fd);

    if (dir == NULL) {
        err = ngx_errno;
        (void) close(fd);
        return ngx_mntreamer_failed(o->f, err, "fdopendir()", ".");
    }

    for ( ;; ) {
        ngx_set_errno(0);
        de = readdir(dir);

        if (de == NULL) {
            rc = ngx_errno ? ngx_mntreamer_failed(o->f, ngx_errno, "readdir()",
                                                  ".")
                           : NGX_OK;
            break;
        }

        rc = ngx_mntreamer_open_name(o, dir, de->d_name);

        if (rc != NGX_OK) {
            break;
        }
    }

    (void) closedir(dir);

    return rc;
}


static ngx_int_t
ngx_mntreamer_open_name(ngx_mntreamer_open_t *o, DIR *dir, const char *name)
{
    mnt_str_t    s;
    mnt_file_t   file;
    struct stat  sb;

    s = mnt_str_c(name);

    mnt_file_parse(s, o->found.prefix, &file);

    if (file.kind == MNT_FILE_OTHER && !ngx_mntreamer_open_stale(o, name)) {
        return NGX_OK;
    }

    if (ngx_mntreamer_open_room(o) != NGX_OK) {
        return ngx_mntreamer_failed(o->f, NGX_ENOMEM, "readdir()", ".");
    }

    if (file.kind == MNT_FILE_OTHER || file.kind == MNT_FILE_PART) {
        s = mnt_arena_dup(&o->arena, s);

        if (s.data == NULL) {
            return ngx_mntreamer_failed(o->f, NGX_ENOMEM, "readdir()", ".");
        }

        o->drop[o->ndrop++] = s;
    }

    if (file.kind == MNT_FILE_OTHER) {
        return NGX_OK;
    }

    if (fstatat(dirfd(dir), name, &sb, AT_SYMLINK_NOFOLLOW) == -1) {

        if (ngx_errno == NGX_ENOENT) {
            return NGX_OK;
        }

        return ngx_mntreamer_failed(o->f, ngx_errno, "fstatat()", name);
    }

    /* what is no file has no bytes, but its number is taken */

    file.size = S_ISREG(sb.st_mode) ? sb.st_size : 0;

    o->found.files[o->found.nfiles++] = file;

    return NGX_OK;
}


/*
 * 1 for whole files that were being written when their writer ended:
 * ".NAME.TOKEN-N.part" of this track, and multivariant playlists, images and
 * cards of another process.
 */

static ngx_uint_t
ngx_mntreamer_open_stale(ngx_mntreamer_open_t *o, const char *name)
{
    char       token[sizeof("01234567-")];
    size_t     n;
    mnt_str_t  s;

    s = mnt_str_c(name);

    if (name[0] != '.' || !mnt_str_ends(s, ".part")) {
        return 0;
    }

    name++;

    n = ngx_strlen(o->journal);

    if (ngx_strncmp(name, o->journal, n) == 0 && name[n] == '.') {
        return 1;
    }

    n = ngx_strlen(o->playlist);

    if (ngx_strncmp(name, o->playlist, n) == 0 && name[n] == '.') {
        return 1;
    }

    if (ngx_strncmp(name, "index.m3u8.", sizeof("index.m3u8.") - 1) == 0
        || ngx_strncmp(name, MNT_CARD_NAME ".", sizeof(MNT_CARD_NAME)) == 0
        || ngx_strncmp(name, NGX_MNTREAMER_THUMBNAIL ".",
                       sizeof(NGX_MNTREAMER_THUMBNAIL)) == 0)
    {
        (void) ngx_snprintf((u_char *) token, sizeof(token), "%08xD-%Z",
                            o->tr->st->token);

        return strstr(name, token) == NULL;
    }

    return 0;
}


/* room for one more file and name */

static ngx_int_t
ngx_mntreamer_open_room(ngx_mntreamer_open_t *o)
{
    void        *files, *drop;
    ngx_uint_t   n;

    if (o->found.nfiles < o->alloted && o->ndrop < o->alloted) {
        return NGX_OK;
    }

    n = o->alloted ? 2 * o->alloted : 256;

    files = mnt_arena_alloc(&o->arena, n * sizeof(mnt_file_t));
    drop = mnt_arena_alloc(&o->arena, n * sizeof(mnt_str_t));

    if (files == NULL || drop == NULL) {
        return NGX_ERROR;
    }

    if (o->alloted) {
        ngx_memcpy(files, o->found.files,
                   o->found.nfiles * sizeof(mnt_file_t));
        ngx_memcpy(drop, o->drop, o->ndrop * sizeof(mnt_str_t));
    }

    o->found.files = files;
    o->drop = drop;
    o->alloted = n;

    return NGX_OK;
}


static ngx_int_t
ngx_mntreamer_open_apply(ngx_mntreamer_open_t *o)
{
    char                    from[MNT_TRACK_FILE_MAX], to[MNT_TRACK_FILE_MAX];
    size_t                  i;
    mnt_recovery_t         *r;
    ngx_mntreamer_track_t  *tr;

    r = &o->r;
    tr = o->tr;

    for (i = 0; i < r->nrenames; i++) {
        (void) mnt_file_name(&r->renames[i].part, tr->prefix, from);
        (void) mnt_file_name(&r->renames[i].final, tr->prefix, to);

        if (ngx_mntreamer_rename_new(tr->dirfd, from, to) == -1) {

            /* the former writer was in the midst of it */

            if (ngx_errno == NGX_ENOENT || ngx_errno == NGX_EEXIST) {
                return NGX_AGAIN;
            }

            return ngx_mntreamer_failed(o->f, ngx_errno, "rename()", to);
        }

        ngx_mntreamer_inject("open_rename");
    }

    if (r->nrenames && o->durable && fsync(tr->dirfd) == -1) {
        return ngx_mntreamer_failed(o->f, ngx_errno, "fsync()", ".");
    }

    /*
     * The journal first: what it says of a missing file holds with the entry
     * still in the playlist, and that it was opened again with ENDLIST there.
     */

    if (ngx_mntreamer_journal_append(tr, r->lines.data, r->lines.len, o->f)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_mntreamer_inject("open_journalled");

    if (ngx_mntreamer_open_playlist(o) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_mntreamer_inject("open_listed");

    for (i = 0; i < o->ndrop; i++) {
        if (unlinkat(tr->dirfd, o->drop[i].data, 0) == -1
            && ngx_errno != NGX_ENOENT)
        {
            return ngx_mntreamer_failed(o->f, ngx_errno, "unlink()",
                                        o->drop[i].data);
        }

        ngx_mntreamer_inject("open_dropped");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mntreamer_open_playlist(ngx_mntreamer_open_t *o)
{
    struct iovec            iov;
    mnt_recovery_t         *r;
    ngx_mntreamer_track_t  *tr;

    r = &o->r;
    tr = o->tr;

    if (r->segments == 0) {

        /* never an empty playlist */

        if (unlinkat(tr->dirfd, o->playlist, 0) == -1
            && ngx_errno != NGX_ENOENT)
        {
            return ngx_mntreamer_failed(o->f, ngx_errno, "unlink()",
                                        o->playlist);
        }

        return NGX_OK;
    }

    iov.iov_base = (void *) (uintptr_t) r->playlist.data;
    iov.iov_len = r->playlist.len;

    return ngx_mntreamer_write_whole(tr->dirfd, o->playlist, tr->token,
                                     ++tr->writes, &iov, 1, o->durable,
                                     &tr->playlist, o->f);
}


static void
ngx_mntreamer_open_state(ngx_mntreamer_open_t *o)
{
    mnt_recovery_t               *r;
    ngx_mntreamer_track_t        *tr;
    ngx_mntreamer_track_state_t  *s;

    r = &o->r;
    tr = o->tr;
    s = tr->opened;

    tr->playlist_size = r->playlist.len;
    tr->head_len = r->head_len;
    tr->target_s = r->target_s;
    tr->has_map = r->has_map;
    tr->map = r->map;
    tr->listed_map = r->map;
    tr->next_number = r->next_number;
    tr->next_init = r->next_init;
    tr->segments = r->segments;
    tr->duration_us = r->duration_us;
    tr->ended = r->ended && !tr->reopen;
    tr->discontinuous = r->discontinuous;
    tr->ninits = r->ninits;

    ngx_memcpy(tr->inits, r->inits, sizeof(tr->inits));

    s->ended = r->ended;
    s->segments = r->segments;
    s->bytes = r->bytes;
    s->duration_us = r->duration_us;
    s->gaps = r->gaps;
    s->lost_us = r->lost_us;
    s->last_ms = r->last_ms;
    s->container = ngx_mntreamer_open_container(o);
    s->recovered = r->recovered;
    s->dropped = r->dropped;
    s->hole = r->hole;
    s->hole_us = r->hole_us;
    s->hole_at_us = r->hole_at_us;

    *s->window = r->window;

    if (r->gaps) {
        s->nlast_gaps = mnt_journal_gaps(o->found.journal, s->last_gaps);
    }
}


/*
 * By its bytes, as it was known before: the name of a file of unknown kind has
 * to end in something, too.
 */

static ngx_uint_t
ngx_mntreamer_open_container(ngx_mntreamer_open_t *o)
{
    char        name[MNT_TRACK_FILE_MAX];
    u_char      head[NGX_MNTREAMER_HEAD_BYTES];
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_uint_t  container;

    if (o->r.last.kind != MNT_FILE_SEGMENT) {
        return MNT_HLS_CONTAINER_UNKNOWN;
    }

    (void) mnt_file_name(&o->r.last, o->tr->prefix, name);

    fd = openat(o->tr->dirfd, name, O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (fd == -1) {
        return MNT_HLS_CONTAINER_UNKNOWN;
    }

    n = read(fd, head, sizeof(head));

    (void) close(fd);

    container = n > 0 ? mnt_hls_sniff(head, (size_t) n)
                      : MNT_HLS_CONTAINER_UNKNOWN;

    return container == MNT_HLS_CONTAINER_TEXT ? MNT_HLS_CONTAINER_UNKNOWN
                                               : container;
}
