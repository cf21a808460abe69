
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_storage_internal.h"


/*
 * What is free below the root, looked at every 5 s.  With less than the
 * reserve recordings pause: segments wait for room as long as the source has
 * them.  They go on when there is a twentieth more than the reserve, so that a
 * file that comes and goes does not switch them on and off.
 */

#define NGX_MNTREAMER_SPACE_MS         5000
#define NGX_MNTREAMER_SPACE_RECENT_MS  15000  /* trouble is told for so long */
#define NGX_MNTREAMER_SPACE_DEFAULT    (1024 * 1024 * 1024)


static ngx_uint_t ngx_mntreamer_space_recent(ngx_msec_t *at);
static void ngx_mntreamer_space_look(void *data);
static void ngx_mntreamer_space_looked(void *data);
static void ngx_mntreamer_space_judge(ngx_mntreamer_storage_t *st,
    const struct statvfs *fs);
static off_t ngx_mntreamer_space_reserve(
    const ngx_mntreamer_storage_conf_t *conf, off_t size);


const ngx_mntreamer_space_t *
ngx_mntreamer_storage_space(ngx_mntreamer_storage_t *st)
{
    ngx_uint_t  full, error;

    if (!st->looking
        && ngx_current_msec - st->looked_at >= NGX_MNTREAMER_SPACE_MS)
    {
        st->looked_at = ngx_current_msec;
        st->working = 1;

        if (ngx_mntreamer_offload_post(st->off, ngx_mntreamer_space_look,
                                       ngx_mntreamer_space_looked, st)
            == NGX_OK)
        {
            st->looking = 1;

        } else {
            st->working = 0;
        }
    }

    /* both are looked at, so that both are forgotten in time */

    full = ngx_mntreamer_space_recent(&st->full_at) || st->space.paused;
    error = ngx_mntreamer_space_recent(&st->error_at);

    if (st->space.paused) {
        error = st->space.read_only;
    }

    /* a file system that does not answer */

    if (st->looking && ngx_current_msec - st->looked_at
                       >= NGX_MNTREAMER_SPACE_RECENT_MS)
    {
        error = 1;
    }

    st->space.state = error ? NGX_MNTREAMER_SPACE_ERROR
                            : full ? NGX_MNTREAMER_SPACE_FULL
                                   : NGX_MNTREAMER_SPACE_OK;

    return &st->space;
}


/*
 * What others store meanwhile proves nothing: one recording may be what cannot
 * be written.  Missing memory is not the disk's trouble.
 */

void
ngx_mntreamer_space_trouble(ngx_mntreamer_storage_t *st,
    const ngx_mntreamer_fail_t *f)
{
    ngx_msec_t  now;

    now = ngx_current_msec ? ngx_current_msec : 1;

    if (f->rc == NGX_MNTREAMER_STORE_FULL) {
        st->full_at = now;

    } else if (f->rc == NGX_MNTREAMER_STORE_FAILED
               && f->err != 0 && f->err != NGX_ENOMEM)
    {
        st->error_at = now;
    }
}


static ngx_uint_t
ngx_mntreamer_space_recent(ngx_msec_t *at)
{
    if (*at && ngx_current_msec - *at >= NGX_MNTREAMER_SPACE_RECENT_MS) {
        *at = 0;
    }

    return *at != 0;
}


void
ngx_mntreamer_space_init(ngx_mntreamer_storage_t *st)
{
    st->looked_at = ngx_current_msec;
    st->space.free = -1;

    ngx_mntreamer_space_look(st);
    ngx_mntreamer_space_looked(st);
}


/* in a thread: a network's file system may not answer */

static void
ngx_mntreamer_space_look(void *data)
{
    ngx_mntreamer_storage_t *st = data;

    st->fs_err = (fstatvfs(st->fd, &st->fs) == -1) ? ngx_errno : 0;

    ngx_memory_barrier();
    st->working = 0;
}


static void
ngx_mntreamer_space_looked(void *data)
{
    ngx_mntreamer_storage_t *st = data;

    st->looking = 0;

    if (st->fs_err) {
        ngx_log_error(NGX_LOG_ERR, st->log, st->fs_err,
                      "fstatvfs() \"%V\" failed", &st->conf.root);

        st->space.free = -1;
        return;
    }

    ngx_mntreamer_space_judge(st, &st->fs);
}


static void
ngx_mntreamer_space_judge(ngx_mntreamer_storage_t *st,
    const struct statvfs *fs)
{
    off_t                   more;
    uint64_t                files;
    ngx_uint_t              low;
    ngx_mntreamer_space_t  *sp;

    sp = &st->space;

    sp->free = (off_t) fs->f_bavail * (off_t) fs->f_frsize;
    sp->size = (off_t) fs->f_blocks * (off_t) fs->f_frsize;
    sp->reserve = ngx_mntreamer_space_reserve(&st->conf, sp->size);
    sp->read_only = (fs->f_flag & ST_RDONLY) ? 1 : 0;

    /* some file systems do not count files */

    more = sp->paused ? sp->reserve / 20 : 0;
    files = sp->paused ? 64 : 16;

    low = sp->read_only;

    if (sp->reserve
        && (sp->free < sp->reserve + more
            || (fs->f_files && fs->f_favail < files)))
    {
        low = 1;
    }

    if (low == sp->paused) {
        return;
    }

    sp->paused = low;

    if (sp->read_only) {
        ngx_log_error(NGX_LOG_CRIT, st->log, 0,
                      "mntreamer: \"%V\" is read-only: recordings pause",
                      &st->conf.root);

    } else if (low) {
        ngx_log_error(NGX_LOG_WARN, st->log, 0,
                      "mntreamer: \"%V\" has %O bytes and %uL files free, "
                      "the reserve is %O: recordings pause",
                      &st->conf.root, sp->free, (uint64_t) fs->f_favail,
                      sp->reserve);

    } else {
        st->full_at = 0;
        st->error_at = 0;

        ngx_log_error(NGX_LOG_NOTICE, st->log, 0,
                      "mntreamer: \"%V\" has %O bytes free: recordings go on",
                      &st->conf.root, sp->free);
    }
}


static off_t
ngx_mntreamer_space_reserve(const ngx_mntreamer_storage_conf_t *conf,
    off_t size)
{
    switch (conf->reserve_unit) {

    case NGX_MNTREAMER_RESERVE_BYTES:
        return conf->reserve;

    case NGX_MNTREAMER_RESERVE_PERCENT:
        return size / 100 * conf->reserve;

    default:
        return ngx_min(size / 100, NGX_MNTREAMER_SPACE_DEFAULT);
    }
}
