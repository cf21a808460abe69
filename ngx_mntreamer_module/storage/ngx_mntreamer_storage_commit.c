
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/uio.h>

#include "ngx_mntreamer_storage_internal.h"


/*
 * The commit of a batch of parts, in a thread, in one function and this order
 * (DESIGN.md 5):
 *
 *     1. all bytes of each part, checked; fsync of the file
 *     2. one write() of journal lines; fdatasync
 *     3. rename without replacing, each
 *     4. fsync of the directory
 *     5. one write() to the playlist; fdatasync
 *
 * The syncs stand there with "durability segment"; a power cut then loses no
 * segment whose commit was reported: the file is durable before any name leads
 * to it, the journal before the rename that it explains, names before the
 * playlist that lists them.  With "interval" the same syncs in the same order
 * are made once an interval: what was committed since the last one may go.
 * With "none" goes what the kernel had not written yet.  In both cases files
 * may come back empty or short; the recovery takes those off the playlist.
 * A process that is killed loses nothing in any mode.
 *
 * When a step fails, what the batch did before is taken back.
 */

#define NGX_MNTREAMER_COMMIT_LOOK_MS  1000     /* for the directory */

#define ngx_mntreamer_each_part(q, part, queue)                               \
    for (q = ngx_queue_head(queue);                                           \
         q != ngx_queue_sentinel(queue)                                       \
         && (part = ngx_queue_data(q, ngx_mntreamer_part_t, link), 1);        \
         q = ngx_queue_next(q))

#define ngx_mntreamer_part_good(part)                                         \
    ((part)->fail.rc == NGX_MNTREAMER_STORE_OK)


static void ngx_mntreamer_commit_finish(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *part);
static void ngx_mntreamer_commit_look(ngx_mntreamer_track_t *tr);
static ngx_uint_t ngx_mntreamer_commit_same(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *part, uint64_t number);
static ngx_int_t ngx_mntreamer_commit_journal(ngx_mntreamer_track_t *tr);
static void ngx_mntreamer_commit_name(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *part);
static ngx_int_t ngx_mntreamer_cut_tail(ngx_fd_t fd, off_t size);
static size_t ngx_mntreamer_commit_lines(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *part, char *buf, size_t size);
static ngx_int_t ngx_mntreamer_commit_rename(ngx_mntreamer_track_t *tr);
static ngx_int_t ngx_mntreamer_commit_list(ngx_mntreamer_track_t *tr);
static ngx_uint_t ngx_mntreamer_commit_replaced(ngx_mntreamer_track_t *tr);
static ngx_int_t ngx_mntreamer_playlist_append(ngx_mntreamer_track_t *tr,
    const char *p, size_t n);
static size_t ngx_mntreamer_commit_entries(ngx_mntreamer_track_t *tr,
    char *buf, size_t size, uint32_t *target_s, uint64_t *map);
static void ngx_mntreamer_playlist_stale(ngx_mntreamer_track_t *tr,
    const char *call);
static ngx_int_t ngx_mntreamer_commit_rewrite(ngx_mntreamer_track_t *tr,
    const char *p, size_t n, uint32_t target_s, ngx_uint_t has_map);
static void ngx_mntreamer_commit_undo(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *from);
static void ngx_mntreamer_commit_account(ngx_mntreamer_track_t *tr);
static void ngx_mntreamer_commit_settle(ngx_mntreamer_track_t *tr);


void
ngx_mntreamer_commit_work(void *data)
{
    ngx_mntreamer_track_t *tr = data;

    ngx_queue_t           *q;
    ngx_mntreamer_part_t  *part;

    ngx_mntreamer_each_part(q, part, &tr->batch) {
        ngx_mntreamer_commit_finish(tr, part);
    }

    ngx_mntreamer_inject("commit_finished");

    ngx_mntreamer_commit_look(tr);

    if (ngx_mntreamer_commit_journal(tr) == NGX_OK) {
        ngx_mntreamer_inject("commit_journalled");

        if (ngx_mntreamer_commit_rename(tr) == NGX_OK) {
            ngx_mntreamer_inject("commit_renamed");

            if (ngx_mntreamer_commit_list(tr) == NGX_OK) {
                ngx_mntreamer_inject("commit_listed");
                ngx_mntreamer_commit_account(tr);
            }
        }
    }

    ngx_mntreamer_commit_settle(tr);

    if (tr->do_sync && tr->dirty) {
        ngx_mntreamer_track_flush(tr);
    }

    ngx_memory_barrier();
    tr->working = 0;
}


/* step 1 */

static void
ngx_mntreamer_commit_finish(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *part)
{
    char         name[MNT_TRACK_FILE_MAX];
    ngx_uint_t   i;

    if (part->gap) {
        return;
    }

    if (tr->ended) {
        (void) ngx_mntreamer_failed(&part->fail, 0, "commit after the end of",
                                    (char *) tr->name.data);
        return;
    }

    if (ngx_mntreamer_part_finish(part) != NGX_OK) {
        return;
    }

    if (tr->durability == NGX_MNTREAMER_DURABLE_SEGMENT
        && fsync(part->fd) == -1)
    {
        (void) ngx_mntreamer_part_name(part, name);
        (void) ngx_mntreamer_failed(&part->fail, ngx_errno, "fsync()", name);
        return;
    }

    ngx_mntreamer_inject("commit_synced");

    if (!part->conf.init) {
        return;
    }

    for (i = 0; i < tr->ninits && i < MNT_RECOVERY_INITS; i++) {
        if (tr->inits[i].bytes == (uint64_t) part->written
            && tr->inits[i].crc == part->crc
            && ngx_mntreamer_commit_same(tr, part, tr->inits[i].number))
        {
            part->same = 1;
            part->file.number = tr->inits[i].number;
            return;
        }
    }
}


static ngx_uint_t
ngx_mntreamer_commit_same(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *part, uint64_t number)
{
    char        name[MNT_TRACK_FILE_MAX];
    u_char      one[4096], two[4096];
    off_t       at;
    ssize_t     n;
    ngx_fd_t    fd;
    mnt_file_t  file;

    ngx_memzero(&file, sizeof(mnt_file_t));

    file.kind = MNT_FILE_INIT;
    file.number = number;

    (void) mnt_file_name(&file, tr->prefix, name);

    fd = openat(tr->dirfd, name, O_RDONLY|O_NOFOLLOW|O_CLOEXEC|O_NONBLOCK);

    if (fd == -1) {
        return 0;
    }

    for (at = 0; at < part->written; at += n) {
        n = pread(fd, one, sizeof(one), at);

        if (n <= 0 || pread(part->fd, two, n, at) != n
            || ngx_memcmp(one, two, n) != 0)
        {
            break;
        }
    }

    (void) close(fd);

    return at == part->written;
}


/*
 * Somebody may have moved the directory: all goes on in it then, by its
 * descriptor, where no viewer finds it (RELIABILITY D6).
 */

static void
ngx_mntreamer_commit_look(ngx_mntreamer_track_t *tr)
{
    int64_t                ms;
    ngx_queue_t           *q;
    ngx_mntreamer_fail_t   f;
    ngx_mntreamer_part_t  *part;

    ms = tr->now_ms - tr->looked_ms;

    if (ms >= 0 && ms < NGX_MNTREAMER_COMMIT_LOOK_MS) {
        return;
    }

    ngx_memzero(&f, sizeof(ngx_mntreamer_fail_t));

    if (!ngx_mntreamer_track_away(tr, &f)) {
        tr->looked_ms = tr->now_ms;
        return;
    }

    ngx_mntreamer_each_part(q, part, &tr->batch) {
        if (ngx_mntreamer_part_good(part)) {
            part->fail = f;
            f.call = NULL;
        }
    }
}


/* step 2: allots the names */

static ngx_int_t
ngx_mntreamer_commit_journal(ngx_mntreamer_track_t *tr)
{
    char                   buf[NGX_MNTREAMER_BATCH * 2 * MNT_JOURNAL_LINE_MAX];
    size_t                 n;
    ngx_queue_t           *q;
    ngx_mntreamer_part_t  *part, *first;

    n = 0;
    first = NULL;

    ngx_mntreamer_each_part(q, part, &tr->batch) {

        ngx_mntreamer_commit_name(tr, part);

        if (!ngx_mntreamer_part_good(part)) {
            continue;
        }

        if (first == NULL) {
            first = part;
        }

        part->journal_at = tr->journal_size + n;

        n += ngx_mntreamer_commit_lines(tr, part, buf + n, sizeof(buf) - n);
    }

    if (first == NULL) {
        return NGX_DECLINED;
    }

    /* in this order: see ngx_mntreamer_storage_open.c */

    if (ngx_mntreamer_journal_append(tr, buf, n, &first->fail) != NGX_OK
        || ngx_mntreamer_track_fenced(tr, &first->fail) != NGX_OK)
    {
        ngx_mntreamer_commit_undo(tr, first);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_mntreamer_commit_name(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *part)
{
    mnt_file_t  *file;

    if (part->gap) {
        tr->discontinuous = 1;
        return;
    }

    file = &part->file;

    if (part->conf.init) {
        tr->init_lost = !ngx_mntreamer_part_good(part);

        if (tr->init_lost) {
            return;
        }

        file->kind = MNT_FILE_INIT;

        if (!part->same) {
            file->number = tr->next_init++;
        }

        tr->map = file->number;
        return;
    }

    if (tr->init_lost && ngx_mntreamer_part_good(part)) {

        /* nobody could play it */
        part->fail.rc = NGX_MNTREAMER_STORE_FAILED;
    }

    if (!ngx_mntreamer_part_good(part)) {
        tr->broken = 1;
        return;
    }

    file->kind = MNT_FILE_SEGMENT;
    file->number = tr->next_number++;
    file->container = part->container;

    if (file->container == MNT_HLS_CONTAINER_UNKNOWN) {
        file->container = tr->map ? MNT_HLS_CONTAINER_FMP4
                                  : MNT_HLS_CONTAINER_TS;
    }

    part->map = tr->map;
    part->forced = tr->discontinuous;
    part->discontinuous = tr->discontinuous || tr->broken
                          || part->entry.discontinuous
                          || part->entry.lost_count;

    tr->discontinuous = 0;
    tr->broken = 0;
}


static size_t
ngx_mntreamer_commit_lines(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *part, char *buf, size_t size)
{
    size_t                  n;
    mnt_journal_line_t      l;
    ngx_mntreamer_entry_t  *e;

    n = 0;
    e = &part->entry;

    ngx_memzero(&l, sizeof(mnt_journal_line_t));

    l.wall_ms = tr->now_ms;

    if (e->lost_count) {
        l.kind = MNT_JOURNAL_GAP;
        l.count = e->lost_count;
        l.duration_us = e->lost_us;
        l.reason = mnt_str_c(e->lost_reason);

        n = mnt_journal_write(&l, buf, size);
    }

    if (part->gap || part->same) {
        return n;
    }

    l.kind = part->conf.init ? MNT_JOURNAL_INIT : MNT_JOURNAL_SEGMENT;
    l.number = part->file.number;
    l.part = part->serial;
    l.token = tr->token;
    l.bytes = part->written;
    l.crc = part->crc;
    l.container = part->file.container;
    l.epoch = e->epoch;
    l.seen = e->seen;
    l.discontinuity = e->discontinuity;
    l.discontinuous = part->discontinuous;
    l.map = part->map;
    l.duration_us = e->duration_us;

    return n + mnt_journal_write(&l, buf + n, size - n);
}


/* what a write that failed left behind, when it could not be cut off then */

static ngx_int_t
ngx_mntreamer_cut_tail(ngx_fd_t fd, off_t size)
{
    struct stat  sb;

    if (fstat(fd, &sb) == -1
        || (sb.st_size > size && ftruncate(fd, size) == -1))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_mntreamer_journal_append(ngx_mntreamer_track_t *tr, const char *p,
    size_t n, ngx_mntreamer_fail_t *f)
{
    if (n == 0) {
        return NGX_OK;
    }

    if (ngx_mntreamer_cut_tail(tr->journal, tr->journal_size) != NGX_OK
        || ngx_mntreamer_write_all(tr->journal, p, n) != NGX_OK)
    {
        return ngx_mntreamer_failed(f, ngx_errno, "write() of journal",
                                    (char *) tr->name.data);
    }

    if (tr->durability == NGX_MNTREAMER_DURABLE_SEGMENT
        && fdatasync(tr->journal) == -1)
    {
        return ngx_mntreamer_failed(f, ngx_errno, "fdatasync() of journal",
                                    (char *) tr->name.data);
    }

    tr->journal_size += n;

    return NGX_OK;
}


/* steps 3 and 4; what fails takes all behind it along */

static ngx_int_t
ngx_mntreamer_commit_rename(ngx_mntreamer_track_t *tr)
{
    char                   from[MNT_TRACK_FILE_MAX], to[MNT_TRACK_FILE_MAX];
    ngx_err_t              err;
    ngx_uint_t             n;
    ngx_queue_t           *q;
    ngx_mntreamer_part_t  *part;

    n = 0;

    ngx_mntreamer_each_part(q, part, &tr->batch) {

        if (!ngx_mntreamer_part_good(part)) {
            continue;
        }

        if (part->gap || part->same) {
            n++;
            continue;
        }

        (void) ngx_mntreamer_part_name(part, from);
        (void) mnt_file_name(&part->file, tr->prefix, to);

        if (ngx_mntreamer_rename_new(tr->dirfd, from, to) == -1) {

            /* another writer's recovery dropped it, or somebody all of it */
            err = (ngx_errno == NGX_ENOENT) ? NGX_EEXIST : ngx_errno;

            if (err == NGX_EEXIST && ngx_mntreamer_track_nameless(tr)) {
                (void) ngx_mntreamer_failed_gone(&part->fail);

            } else {
                (void) ngx_mntreamer_failed(&part->fail, err, "rename()", to);
            }

            ngx_mntreamer_commit_undo(tr, part);
            break;
        }

        part->renamed = 1;
        n++;

        ngx_mntreamer_inject("commit_rename");
    }

    if (n == 0) {
        return NGX_ERROR;
    }

    if (tr->durability == NGX_MNTREAMER_DURABLE_SEGMENT
        && fsync(tr->dirfd) == -1)
    {
        (void) ngx_mntreamer_failed(&tr->fail, ngx_errno, "fsync()", ".");
        ngx_mntreamer_commit_undo(tr, NULL);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* step 5 */

static ngx_int_t
ngx_mntreamer_commit_list(ngx_mntreamer_track_t *tr)
{
    char        buf[NGX_MNTREAMER_BATCH * NGX_MNTREAMER_ENTRY_MAX];
    size_t      n;
    uint32_t    target_s;
    uint64_t    map;
    ngx_uint_t  has_map;

    target_s = tr->target_s;
    map = tr->listed_map;

    n = ngx_mntreamer_commit_entries(tr, buf, sizeof(buf), &target_s, &map);

    if (n == 0) {
        return NGX_OK;
    }

    has_map = tr->has_map || map;

    if (ngx_mntreamer_playlist_add(tr, buf, n, target_s, has_map) != NGX_OK) {
        ngx_mntreamer_commit_undo(tr, NULL);
        return NGX_ERROR;
    }

    tr->listed_map = map;

    return NGX_OK;
}


ngx_int_t
ngx_mntreamer_playlist_add(ngx_mntreamer_track_t *tr, const char *p, size_t n,
    uint32_t target_s, ngx_uint_t has_map)
{
    if (tr->playlist == -1 || target_s != tr->target_s
        || has_map != tr->has_map || tr->stale
        || ngx_mntreamer_commit_replaced(tr))
    {
        return ngx_mntreamer_commit_rewrite(tr, p, n, target_s, has_map);
    }

    return ngx_mntreamer_playlist_append(tr, p, n);
}


/*
 * 1 when our playlist has no name any more while the journal has: somebody
 * took it away, or a former writer was frozen just before it renamed its own
 * over it.  It is written anew from what we hold.
 */

static ngx_uint_t
ngx_mntreamer_commit_replaced(ngx_mntreamer_track_t *tr)
{
    struct stat  sb;

    return fstat(tr->playlist, &sb) == 0 && sb.st_nlink == 0;
}


static size_t
ngx_mntreamer_commit_entries(ngx_mntreamer_track_t *tr, char *buf,
    size_t size, uint32_t *target_s, uint64_t *map)
{
    char                   name[MNT_TRACK_FILE_MAX], init[MNT_TRACK_FILE_MAX];
    size_t                 n;
    uint32_t               t;
    ngx_uint_t             listed;
    mnt_file_t             file;
    ngx_queue_t           *q;
    mnt_hls_entry_t        e;
    ngx_mntreamer_part_t  *part;

    n = 0;
    listed = (tr->segments != 0);

    ngx_mntreamer_each_part(q, part, &tr->batch) {

        if (!part->renamed || part->conf.init) {
            continue;
        }

        ngx_memzero(&e, sizeof(mnt_hls_entry_t));

        e.uri = mnt_file_name(&part->file, tr->prefix, name);
        e.duration_us = part->entry.duration_us;
        e.date_ms = part->entry.seen.date_ms;
        e.discontinuous = part->discontinuous && listed;

        if (part->map && part->map != *map) {
            ngx_memzero(&file, sizeof(mnt_file_t));

            file.kind = MNT_FILE_INIT;
            file.number = part->map;

            e.map_uri = mnt_file_name(&file, tr->prefix, init);
            *map = part->map;
        }

        t = mnt_hls_target_of(e.duration_us);
        *target_s = ngx_max(*target_s, t);

        n += mnt_hls_write_entry(&e, buf + n, size - n);
        listed = 1;
    }

    return n;
}


static ngx_int_t
ngx_mntreamer_playlist_append(ngx_mntreamer_track_t *tr, const char *p,
    size_t n)
{
    if (ngx_mntreamer_cut_tail(tr->playlist, tr->playlist_size) == NGX_OK
        && ngx_mntreamer_write_all(tr->playlist, p, n) == NGX_OK)
    {
        tr->playlist_size += n;

        if (tr->durability == NGX_MNTREAMER_DURABLE_SEGMENT
            && fdatasync(tr->playlist) == -1)
        {
            ngx_mntreamer_playlist_stale(tr, "fdatasync() of playlist");
        }

        return NGX_OK;
    }

    (void) ngx_mntreamer_failed(&tr->fail, ngx_errno, "write() of playlist",
                                (char *) tr->name.data);

    if (ftruncate(tr->playlist, tr->playlist_size) == -1) {
        (void) ngx_mntreamer_failed(&tr->fail, ngx_errno, "ftruncate()",
                                    (char *) tr->name.data);
    }

    return NGX_ERROR;
}


/*
 * It was read already, so that nothing is taken back; the journal is on the
 * disk and explains it.  The next commit writes a new file.
 */

static void
ngx_mntreamer_playlist_stale(ngx_mntreamer_track_t *tr, const char *call)
{
    (void) ngx_mntreamer_failed(&tr->fail, ngx_errno, call,
                                (char *) tr->name.data);
    tr->stale = 1;
}


/* the first entries, or a head that has to say something else */

static ngx_int_t
ngx_mntreamer_commit_rewrite(ngx_mntreamer_track_t *tr, const char *p,
    size_t n, uint32_t target_s, ngx_uint_t has_map)
{
    char           head[NGX_MNTREAMER_ENTRY_MAX], name[MNT_TRACK_FILE_MAX];
    char          *body;
    off_t          size;
    size_t         len;
    ngx_fd_t       fd;
    ngx_int_t      rc;
    struct iovec   iov[3];

    body = NULL;
    size = 0;
    rc = NGX_ERROR;

    if (ngx_mntreamer_track_fenced(tr, &tr->fail) != NGX_OK) {
        return NGX_ERROR;
    }

    (void) ngx_snprintf((u_char *) name, sizeof(name), "%V.m3u8%Z", &tr->name);

    if (tr->playlist != -1) {
        size = tr->playlist_size - (off_t) tr->head_len;

        body = malloc(size + 1);

        if (body == NULL
            || pread(tr->playlist, body, size, tr->head_len) != size)
        {
            (void) ngx_mntreamer_failed(&tr->fail, ngx_errno, "pread()", name);
            goto done;
        }
    }

    len = mnt_hls_write_head(head, sizeof(head), target_s, has_map);

    iov[0].iov_base = head;
    iov[0].iov_len = len;
    iov[1].iov_base = body;
    iov[1].iov_len = size;
    iov[2].iov_base = (void *) (uintptr_t) p;
    iov[2].iov_len = n;

    rc = ngx_mntreamer_write_whole(tr->dirfd, name, tr->token, ++tr->writes,
                                   iov, 3, tr->durability
                                           == NGX_MNTREAMER_DURABLE_SEGMENT,
                                   &fd, &tr->fail);
    if (rc == NGX_ERROR) {
        goto done;
    }

    tr->stale = (rc == NGX_DECLINED);
    rc = NGX_OK;

    if (tr->playlist != -1) {
        (void) close(tr->playlist);
        tr->rewrites++;
    }

    tr->playlist = fd;
    tr->playlist_size = len + size + n;
    tr->head_len = len;
    tr->target_s = target_s;
    tr->has_map = has_map;

done:

    free(body);

    return rc;
}


/*
 * Takes back what was done for the parts from "from" on, for all when NULL:
 * the journal forgets them first, so that a recovery in between finds files
 * that it leaves alone.
 */

static void
ngx_mntreamer_commit_undo(ngx_mntreamer_track_t *tr,
    ngx_mntreamer_part_t *from)
{
    char                   name[MNT_TRACK_FILE_MAX];
    off_t                  at;
    ngx_uint_t             rc, begun;
    ngx_queue_t           *q;
    ngx_mntreamer_part_t  *part;

    at = -1;
    begun = 0;
    rc = (from && from->fail.rc) ? from->fail.rc : tr->fail.rc;

    if (rc == NGX_MNTREAMER_STORE_OK) {
        rc = NGX_MNTREAMER_STORE_FAILED;
    }

    ngx_mntreamer_each_part(q, part, &tr->batch) {

        if (from == NULL || part == from) {
            begun = 1;
        }

        if (!begun || (part != from && !ngx_mntreamer_part_good(part))) {
            continue;
        }

        if (at == -1) {
            at = part->journal_at;

            if (ftruncate(tr->journal, at) == 0) {
                tr->journal_size = at;
            }
        }

        if (part->renamed) {
            part->renamed = 0;

            (void) mnt_file_name(&part->file, tr->prefix, name);
            (void) unlinkat(tr->dirfd, name, 0);
        }

        if (part->conf.init) {
            tr->init_lost = 1;
        }

        if (part->forced || part->gap) {
            tr->discontinuous = 1;
        }

        if (part->fail.rc == NGX_MNTREAMER_STORE_OK) {
            part->fail.rc = rc;
        }
    }

    tr->broken = 1;
}


static void
ngx_mntreamer_commit_account(ngx_mntreamer_track_t *tr)
{
    ngx_queue_t           *q;
    mnt_recovery_init_t   *init;
    ngx_mntreamer_part_t  *part;

    ngx_mntreamer_each_part(q, part, &tr->batch) {

        if (!ngx_mntreamer_part_good(part)) {
            continue;
        }

        part->commit.number = part->gap ? 0 : part->file.number;
        part->commit.bytes = part->written;
        part->commit.container = part->conf.init ? MNT_HLS_CONTAINER_FMP4
                                                 : part->file.container;
        part->commit.start_us = tr->duration_us;

        if (!part->renamed) {
            continue;
        }

        if (tr->durability == NGX_MNTREAMER_DURABLE_INTERVAL) {

            if (tr->nunsynced == NGX_MNTREAMER_UNSYNCED) {
                ngx_mntreamer_track_flush(tr);
            }

            tr->unsynced[tr->nunsynced++] = part->file;
            tr->dirty = 1;
        }

        if (part->conf.init) {
            init = &tr->inits[tr->ninits++ % MNT_RECOVERY_INITS];

            init->number = part->file.number;
            init->bytes = part->written;
            init->crc = part->crc;

        } else {
            tr->segments++;
            tr->duration_us += part->entry.duration_us;
        }
    }
}


/* closes all files and removes those without a final name */

static void
ngx_mntreamer_commit_settle(ngx_mntreamer_track_t *tr)
{
    ngx_queue_t           *q;
    ngx_mntreamer_part_t  *part;

    ngx_mntreamer_each_part(q, part, &tr->batch) {

        if (!part->renamed) {
            ngx_mntreamer_part_drop(part);

        } else {
            (void) close(part->fd);
            part->fd = -1;
        }

        OPENSSL_cleanse(part->key, sizeof(part->key));
    }
}
