
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/uio.h>

#include "ngx_mntreamer_storage_internal.h"


/*
 * A part gathers what is received in buffers.  When a further buffer is begun
 * and enough is full, a task writes the full ones; the last one always waits
 * for the commit: so a file that fits in it costs no task of its own, and the
 * padding of an encrypted one can still be taken off.
 *
 * waits for     entered by            then               on abort
 * more bytes    create()              next write()       dropped in a task
 * a task        a buffer is full      next, or commit    dropped afterwards
 * its turn      commit()              the track's batch  -
 */

#define NGX_MNTREAMER_PART_IOV  16
#define NGX_MNTREAMER_PART_ALL  (512 * 1024 * 1024)   /* buffered, of a worker:
                                                         the disk stands still
                                                         for all alike */


static void ngx_mntreamer_part_post(ngx_mntreamer_part_t *part);
static void ngx_mntreamer_part_work(void *data);
static void ngx_mntreamer_part_worked(void *data);
static void ngx_mntreamer_part_drop_work(void *data);
static void ngx_mntreamer_part_dropped(void *data);
static ngx_uint_t ngx_mntreamer_part_decrypt(ngx_mntreamer_part_t *part,
    ngx_mntreamer_buffer_t *b, ngx_uint_t last);
static ngx_int_t ngx_mntreamer_part_unpad(ngx_mntreamer_buffer_t *b);
static ngx_uint_t ngx_mntreamer_part_sniff_cipher(ngx_mntreamer_part_t *part,
    const u_char *p, size_t n);


ngx_mntreamer_part_t *
ngx_mntreamer_part_create(ngx_mntreamer_track_t *tr,
    const ngx_mntreamer_part_conf_t *conf)
{
    ngx_mntreamer_part_t  *part;

    part = ngx_calloc(sizeof(ngx_mntreamer_part_t), tr->log);
    if (part == NULL) {
        return NULL;
    }

    part->tr = tr;
    part->conf = *conf;
    part->fd = -1;
    part->serial = ++tr->serial;
    part->known = conf->init ? MNT_HLS_CONTAINER_UNKNOWN : tr->container;

    if (conf->key) {
        ngx_memcpy(part->key, conf->key, 16);
        ngx_memcpy(part->iv, conf->iv, 16);

        part->conf.key = part->key;
        part->conf.iv = part->iv;
    }

    ngx_queue_init(&part->buffers);
    ngx_queue_init(&part->full);
    ngx_queue_insert_tail(&tr->parts, &part->link);

    tr->st->stat.parts++;

    return part;
}


ngx_int_t
ngx_mntreamer_part_write(ngx_mntreamer_part_t *part, u_char *p, size_t len)
{
    off_t                     rest;
    size_t                    n;
    ngx_uint_t                small;
    ngx_queue_t              *q;
    ngx_mntreamer_buffer_t   *b;
    ngx_mntreamer_storage_t  *st;

    st = part->tr->st;

    if (part->rc != NGX_MNTREAMER_STORE_OK) {
        return NGX_ERROR;
    }

    if (part->conf.expect >= 0
        && (off_t) len > part->conf.expect - part->received)
    {
        part->rc = NGX_MNTREAMER_STORE_SHORT;
        return NGX_ERROR;
    }

    while (len) {
        q = ngx_queue_empty(&part->buffers) ? NULL
                                            : ngx_queue_last(&part->buffers);
        b = q ? ngx_queue_data(q, ngx_mntreamer_buffer_t, link) : NULL;

        if (b == NULL || b->used == b->size) {

            if (part->buffered + part->taken > st->conf.max_buffered
                || st->stat.buffered > NGX_MNTREAMER_PART_ALL)
            {
                part->rc = NGX_MNTREAMER_STORE_SLOW;
                return NGX_ERROR;
            }

            rest = part->conf.expect - part->received;
            small = (part->conf.expect > 0
                     && rest <= NGX_MNTREAMER_SMALL_BUFFER);

            b = ngx_mntreamer_buffer_get(&st->buffers, small);
            if (b == NULL) {
                part->rc = NGX_MNTREAMER_STORE_FAILED;
                return NGX_ERROR;
            }

            ngx_queue_insert_tail(&part->buffers, &b->link);

            if (!part->writing
                && part->buffered
                   >= ngx_mntreamer_buffers_gather(&st->buffers))
            {
                ngx_mntreamer_part_post(part);
            }
        }

        n = ngx_min(len, b->size - b->used);

        ngx_memcpy(b->start + b->used, p, n);
        b->used += n;

        part->received += n;
        part->buffered += n;
        st->stat.buffered += n;

        p += n;
        len -= n;
    }

    return NGX_OK;
}


ngx_uint_t
ngx_mntreamer_part_check(ngx_mntreamer_part_t *part)
{
    ngx_uint_t               container;
    ngx_queue_t             *q;
    ngx_mntreamer_buffer_t  *b;

    if (part->rc != NGX_MNTREAMER_STORE_OK) {
        return part->rc;
    }

    if (part->received == 0) {
        return NGX_MNTREAMER_STORE_EMPTY;
    }

    if (part->conf.expect >= 0 && part->received != part->conf.expect) {
        return NGX_MNTREAMER_STORE_SHORT;
    }

    if (part->buffered != part->received) {

        /* a task had the first bytes and looked at them, or will */
        return NGX_MNTREAMER_STORE_OK;
    }

    q = ngx_queue_head(&part->buffers);
    b = ngx_queue_data(q, ngx_mntreamer_buffer_t, link);

    if (part->conf.key) {
        return ngx_mntreamer_part_sniff_cipher(part, b->start, b->used);
    }

    return ngx_mntreamer_part_sniff(part, b->start, b->used, &container);
}


void
ngx_mntreamer_part_abort(ngx_mntreamer_part_t *part)
{
    part->aborted = 1;

    if (!part->writing) {
        ngx_mntreamer_part_discard(part);
    }
}


void
ngx_mntreamer_part_take(ngx_mntreamer_part_t *part, ngx_uint_t all)
{
    ngx_queue_t             *q;
    ngx_mntreamer_buffer_t  *b;

    while (!ngx_queue_empty(&part->buffers)) {
        q = ngx_queue_head(&part->buffers);

        if (!all && q == ngx_queue_last(&part->buffers)) {
            break;
        }

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&part->full, q);

        b = ngx_queue_data(q, ngx_mntreamer_buffer_t, link);

        part->buffered -= b->used;
        part->taken += b->used;
    }
}


void
ngx_mntreamer_part_taken(ngx_mntreamer_part_t *part)
{
    part->tr->st->stat.buffered -= part->taken;
    part->taken = 0;

    ngx_mntreamer_buffers_put(&part->tr->st->buffers, &part->full);
}


static void
ngx_mntreamer_part_post(ngx_mntreamer_part_t *part)
{
    ngx_mntreamer_track_t    *tr;
    ngx_mntreamer_storage_t  *st;

    tr = part->tr;
    st = tr->st;

    if (tr->state == NGX_MNTREAMER_TRACK_OPENING) {

        /* there is no directory yet */
        return;
    }

    part->working = 1;

    ngx_mntreamer_part_take(part, 0);

    if (ngx_mntreamer_offload_post(st->off, ngx_mntreamer_part_work,
                                   ngx_mntreamer_part_worked, part)
        != NGX_OK)
    {
        /* the bytes go with the next task; max_buffered bounds them */
        part->working = 0;
        return;
    }

    part->writing = 1;
    tr->tasks++;
}


static void
ngx_mntreamer_part_work(void *data)
{
    ngx_mntreamer_part_t  *part = data;

    (void) ngx_mntreamer_part_drain(part, 0);

    ngx_memory_barrier();
    part->working = 0;
}


static void
ngx_mntreamer_part_worked(void *data)
{
    ngx_mntreamer_part_t *part = data;

    ngx_mntreamer_track_t  *tr;

    tr = part->tr;

    part->writing = 0;
    tr->tasks--;

    ngx_mntreamer_part_taken(part);

    if (tr->abandoned) {
        ngx_mntreamer_track_settle(tr);
        return;
    }

    if (part->fail.rc != NGX_MNTREAMER_STORE_OK) {
        ngx_mntreamer_fail_log(tr->st, tr->log, &part->fail, &tr->dir);

        if (part->rc == NGX_MNTREAMER_STORE_OK) {
            part->rc = part->fail.rc;
        }
    }

    if (part->aborted) {
        ngx_mntreamer_part_discard(part);
        return;
    }

    if (part->committing) {
        ngx_mntreamer_track_run(tr);
        return;
    }

    if (part->rc == NGX_MNTREAMER_STORE_OK && !ngx_queue_empty(&part->buffers)
        && ngx_queue_head(&part->buffers) != ngx_queue_last(&part->buffers)
        && part->buffered
           >= ngx_mntreamer_buffers_gather(&tr->st->buffers))
    {
        ngx_mntreamer_part_post(part);
    }
}


/* the end of a part that is not committed */

void
ngx_mntreamer_part_discard(ngx_mntreamer_part_t *part)
{
    ngx_mntreamer_track_t  *tr;

    tr = part->tr;

    if (part->fd != -1 || part->made) {
        part->working = 1;

        if (ngx_mntreamer_offload_post(tr->st->off,
                                       ngx_mntreamer_part_drop_work,
                                       ngx_mntreamer_part_dropped, part)
            == NGX_OK)
        {
            part->writing = 1;
            tr->tasks++;
            return;
        }

        part->working = 0;
        ngx_mntreamer_part_drop(part);
    }

    ngx_mntreamer_part_free(part);
    ngx_mntreamer_track_settle(tr);
}


static void
ngx_mntreamer_part_drop_work(void *data)
{
    ngx_mntreamer_part_t  *part = data;

    ngx_mntreamer_part_drop(part);

    ngx_memory_barrier();
    part->working = 0;
}


static void
ngx_mntreamer_part_dropped(void *data)
{
    ngx_mntreamer_part_t *part = data;

    ngx_mntreamer_track_t  *tr;

    tr = part->tr;

    part->writing = 0;
    tr->tasks--;

    if (!tr->abandoned) {
        ngx_mntreamer_part_free(part);
    }

    ngx_mntreamer_track_settle(tr);
}


void
ngx_mntreamer_part_drop(ngx_mntreamer_part_t *part)
{
    char  name[MNT_TRACK_FILE_MAX];

    if (part->fd == -1 && !part->made) {
        return;
    }

    if (part->fd != -1) {
        (void) close(part->fd);
    }

    part->fd = -1;
    part->made = 0;

    (void) ngx_mntreamer_part_name(part, name);
    (void) unlinkat(part->tr->dirfd, name, 0);
}


void
ngx_mntreamer_part_free(ngx_mntreamer_part_t *part)
{
    ngx_mntreamer_storage_t  *st;

    st = part->tr->st;

    if (part->fd != -1) {
        (void) close(part->fd);
    }

    if (part->cipher) {
        EVP_CIPHER_CTX_free(part->cipher);
    }

    OPENSSL_cleanse(part->key, sizeof(part->key));

    ngx_mntreamer_part_take(part, 1);
    ngx_mntreamer_part_taken(part);

    if (part->committing) {
        st->stat.commits--;

    } else {
        st->stat.parts--;
    }

    ngx_queue_remove(&part->link);
    ngx_free(part);
}


mnt_str_t
ngx_mntreamer_part_name(ngx_mntreamer_part_t *part, char *buf)
{
    mnt_file_t  file;

    ngx_memzero(&file, sizeof(mnt_file_t));

    file.kind = MNT_FILE_PART;
    file.number = part->serial;
    file.token = part->tr->token;

    return mnt_file_name(&file, part->tr->prefix, buf);
}


ngx_int_t
ngx_mntreamer_part_open(ngx_mntreamer_part_t *part)
{
    char  name[MNT_TRACK_FILE_MAX];

    (void) ngx_mntreamer_part_name(part, name);

    part->fd = openat(part->tr->dirfd, name,
                      O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC,
                      NGX_MNTREAMER_FILE_MODE);

    if (part->fd == -1 && ngx_errno == NGX_ENOENT) {

        /* nothing is made any more in a directory that was removed */
        return ngx_mntreamer_failed_gone(&part->fail);
    }

    if (part->fd == -1) {
        return ngx_mntreamer_failed(&part->fail, ngx_errno, "open()", name);
    }

    ngx_mntreamer_inject("part_opened");

    return NGX_OK;
}


ngx_int_t
ngx_mntreamer_part_drain(ngx_mntreamer_part_t *part, ngx_uint_t last)
{
    int                      n;
    char                     name[MNT_TRACK_FILE_MAX];
    off_t                    bytes;
    ngx_uint_t               rc;
    ngx_queue_t             *q;
    struct iovec             iov[NGX_MNTREAMER_PART_IOV];
    ngx_mntreamer_buffer_t  *b;

    if (part->fail.rc != NGX_MNTREAMER_STORE_OK) {
        return NGX_ERROR;
    }

    n = 0;
    bytes = 0;

    for (q = ngx_queue_head(&part->full);
         q != ngx_queue_sentinel(&part->full);
         q = ngx_queue_next(q))
    {
        b = ngx_queue_data(q, ngx_mntreamer_buffer_t, link);

        rc = ngx_mntreamer_part_decrypt(part, b,
                          last && q == ngx_queue_last(&part->full));

        if (rc == NGX_MNTREAMER_STORE_OK && !part->sniffed) {
            part->sniffed = 1;
            rc = ngx_mntreamer_part_sniff(part, b->start, b->used,
                                          &part->container);
        }

        if (rc != NGX_MNTREAMER_STORE_OK) {
            part->fail.rc = rc;
            return NGX_ERROR;
        }

        if (part->conf.init) {
            part->crc = mnt_journal_crc(part->crc, b->start, b->used);
        }

        iov[n].iov_base = b->start;
        iov[n].iov_len = b->used;
        bytes += b->used;
        n++;

        if (n < NGX_MNTREAMER_PART_IOV && q != ngx_queue_last(&part->full)) {
            continue;
        }

        if (part->fd == -1 && bytes
            && ngx_mntreamer_part_open(part) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (bytes && ngx_mntreamer_writev_all(part->fd, iov, n) != NGX_OK) {
            (void) ngx_mntreamer_part_name(part, name);
            return ngx_mntreamer_failed(&part->fail, ngx_errno, "writev()",
                                        name);
        }

        part->written += bytes;
        bytes = 0;
        n = 0;
    }

    ngx_mntreamer_inject("part_written");

    return NGX_OK;
}


static ngx_uint_t
ngx_mntreamer_part_decrypt(ngx_mntreamer_part_t *part,
    ngx_mntreamer_buffer_t *b, ngx_uint_t last)
{
    int  n;

    if (part->conf.key == NULL) {
        return NGX_MNTREAMER_STORE_OK;
    }

    if (part->cipher == NULL) {
        part->cipher = EVP_CIPHER_CTX_new();

        if (part->cipher == NULL
            || EVP_DecryptInit_ex(part->cipher, EVP_aes_128_cbc(), NULL,
                                  part->key, part->iv) != 1
            || EVP_CIPHER_CTX_set_padding(part->cipher, 0) != 1)
        {
            return NGX_MNTREAMER_STORE_FAILED;
        }
    }

    /*
     * Without padding whole blocks are decrypted in place; only the last
     * buffer can end within one.
     */

    if (b->used % 16
        || EVP_DecryptUpdate(part->cipher, b->start, &n, b->start,
                             (int) b->used) != 1
        || (size_t) n != b->used
        || (last && ngx_mntreamer_part_unpad(b) != NGX_OK))
    {
        return NGX_MNTREAMER_STORE_DECRYPT;
    }

    return NGX_MNTREAMER_STORE_OK;
}


/* RFC 5652 6.3 (PKCS #7) */

static ngx_int_t
ngx_mntreamer_part_unpad(ngx_mntreamer_buffer_t *b)
{
    size_t  i, pad;

    pad = b->used ? b->start[b->used - 1] : 0;

    if (pad == 0 || pad > 16 || pad > b->used) {
        return NGX_ERROR;
    }

    for (i = 1; i <= pad; i++) {
        if (b->start[b->used - i] != pad) {
            return NGX_ERROR;
        }
    }

    b->used -= pad;

    return NGX_OK;
}


/*
 * An error page is refused, and so are zeros, what was compressed unasked, and
 * what is too short to be anything.  What is only unknown is kept while
 * nothing of this track was known: odd media is better than none, but nothing
 * belongs between segments of a known kind.
 */

ngx_uint_t
ngx_mntreamer_part_sniff(const ngx_mntreamer_part_t *part, const u_char *p,
    size_t n, ngx_uint_t *container)
{
    size_t  i;

    n = ngx_min(n, NGX_MNTREAMER_HEAD_BYTES);

    if (n == 0) {

        /* padding alone, to be found empty */
        *container = MNT_HLS_CONTAINER_UNKNOWN;
        return NGX_MNTREAMER_STORE_OK;
    }

    *container = mnt_hls_sniff(p, n);

    if (*container == MNT_HLS_CONTAINER_TEXT
        || (*container == MNT_HLS_CONTAINER_UNKNOWN
            && (part->known != MNT_HLS_CONTAINER_UNKNOWN || part->conf.known))
        || (n > 2 && ngx_memcmp(p, "\x1f\x8b\x08", 3) == 0)
        || mnt_hls_broken(p, n))
    {
        return NGX_MNTREAMER_STORE_CONTENT;
    }

    for (i = 0; i < n; i++) {
        if (p[i]) {
            return NGX_MNTREAMER_STORE_OK;
        }
    }

    return NGX_MNTREAMER_STORE_CONTENT;
}


static ngx_uint_t
ngx_mntreamer_part_sniff_cipher(ngx_mntreamer_part_t *part, const u_char *p,
    size_t n)
{
    int              len;
    u_char           head[NGX_MNTREAMER_HEAD_BYTES];
    ngx_uint_t       rc, container;
    EVP_CIPHER_CTX  *cipher;

    if (part->received % 16) {
        return NGX_MNTREAMER_STORE_DECRYPT;
    }

    n = ngx_min(n, sizeof(head)) & ~(size_t) 15;

    if (n <= 16) {

        /* it may be padding alone */
        return NGX_MNTREAMER_STORE_OK;
    }

    rc = NGX_MNTREAMER_STORE_OK;
    cipher = EVP_CIPHER_CTX_new();

    if (cipher
        && EVP_DecryptInit_ex(cipher, EVP_aes_128_cbc(), NULL, part->key,
                              part->iv) == 1
        && EVP_CIPHER_CTX_set_padding(cipher, 0) == 1
        && EVP_DecryptUpdate(cipher, head, &len, p, (int) n) == 1)
    {
        rc = ngx_mntreamer_part_sniff(part, head, (size_t) len, &container);
    }

    EVP_CIPHER_CTX_free(cipher);

    return rc;
}


/* the end of a part: NGX_OK when all bytes are written and are what they were
   to be */

ngx_int_t
ngx_mntreamer_part_finish(ngx_mntreamer_part_t *part)
{
    ngx_mntreamer_fail_t  *f;

    f = &part->fail;

    if (f->rc != NGX_MNTREAMER_STORE_OK) {
        return NGX_ERROR;
    }

    if (part->rc != NGX_MNTREAMER_STORE_OK) {
        f->rc = part->rc;

    } else if (part->received == 0) {
        f->rc = NGX_MNTREAMER_STORE_EMPTY;

    } else if (part->conf.expect >= 0
               && part->received != part->conf.expect)
    {
        f->rc = NGX_MNTREAMER_STORE_SHORT;

    } else if (ngx_mntreamer_part_drain(part, 1) == NGX_OK
               && part->written == 0)
    {
        f->rc = NGX_MNTREAMER_STORE_EMPTY;
    }

    return (f->rc == NGX_MNTREAMER_STORE_OK) ? NGX_OK : NGX_ERROR;
}
