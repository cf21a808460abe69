
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The row of this worker, and the other workers of this node.  A process that
 * was killed gives nothing back: its siblings look every second whether it is
 * still there, by the pid and the start time of its row, and set free what it
 * owned.  Processes of other machines or pid namespaces cannot be seen; their
 * leases expire.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/random.h>

#include "ngx_mntreamer_catalog_internal.h"


#define NGX_MNTREAMER_ENGINE_LOOK_MS  1000
#define NGX_MNTREAMER_ENGINE_BEATS    10      /* looks between two beats */
#define NGX_MNTREAMER_ENGINE_GRACE    10000   /* for the others to come back */
#define NGX_MNTREAMER_ENGINE_NEVER    86400000
#define NGX_MNTREAMER_ENGINE_LOCK     "7811887214353803"
#define NGX_MNTREAMER_ENGINE_NUMBER   32      /* digits of a storage's */


static int64_t ngx_mntreamer_engine_ticks(ngx_pid_t pid, u_char *state);
static void ngx_mntreamer_engine_sync(ngx_mntreamer_catalog_t *cat);
static ssize_t ngx_mntreamer_engine_read(const char *name, u_char *buf,
    size_t size);
static ngx_int_t ngx_mntreamer_engine_storage(ngx_mntreamer_catalog_t *cat);
static ngx_uint_t ngx_mntreamer_engine_dead(ngx_mntreamer_sibling_t *sibling);
static void ngx_mntreamer_engine_watch(ngx_event_t *ev);
static void ngx_mntreamer_engine_beaten(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_mntreamer_engine_bury(ngx_mntreamer_catalog_t *cat);
static void ngx_mntreamer_engine_done(void *data,
    const ngx_mntreamer_result_t *result);
static ngx_uint_t ngx_mntreamer_engine_turn(ngx_mntreamer_catalog_t *cat);
static ngx_mntreamer_statement_t *ngx_mntreamer_engine_lapse(
    ngx_mntreamer_catalog_t *cat);
static void ngx_mntreamer_engine_lapsed(void *data,
    const ngx_mntreamer_result_t *result);


enum {
    NGX_MNTREAMER_SQL_REGISTER = 0,
    NGX_MNTREAMER_SQL_BEAT,
    NGX_MNTREAMER_SQL_BURY,
    NGX_MNTREAMER_SQL_LAPSE,
    NGX_MNTREAMER_SQL_GIVEBACK
};


static const ngx_mntreamer_sql_t  ngx_mntreamer_engine_sql[] = {

    /*
     * id (NULL the first time), node, pid, start, namespace.  A database that
     * came back with older data gives numbers again that others have: no row.
     */

    { "engine_register",
      "WITH e AS ("
      " INSERT INTO engine AS e (id, node, pid, start_ticks, pid_namespace)"
      " VALUES (coalesce($1::bigint,"
      " greatest(nextval(pg_get_serial_sequence('engine', 'id')),"
      " (SELECT max(id) + 1 FROM engine))),"
      " $2, $3::int, $4::bigint, $5)"
      " ON CONFLICT (id) DO UPDATE SET seen_at = now()"
      " WHERE (e.node, e.pid, e.start_ticks, e.pid_namespace)"
      " = (excluded.node, excluded.pid, excluded.start_ticks,"
      " excluded.pid_namespace)"
      " RETURNING e.id"
      ") SELECT e.id FROM e,"
      " (SELECT pg_notify('" NGX_MNTREAMER_CATALOG_CHANNEL "', 'engine')) n",
      5, 1 },

    /*
     * A row for every engine of this node, this one included, with how many
     * streamers are live, and how many recordings in progress are of platforms
     * ($6) that this version does not know.  Streamers that wait for nothing,
     * busy or never due without a recording, are set free.
     */

    { "engine_beat",
      "WITH b AS ("
      " INSERT INTO engine AS e (id, node, pid, start_ticks, pid_namespace)"
      " VALUES ($1::bigint, $2, $3::int, $4::bigint, $5)"
      " ON CONFLICT (id) DO UPDATE SET seen_at = now()"
      "), old AS ("
      " DELETE FROM engine WHERE seen_at < now() - interval '1 day'"
      " AND id <> $1::bigint"
      "), stuck AS ("
      " SELECT m.streamer_id FROM streamer_monitor m"
      " WHERE m.streamer_id = ANY (ARRAY("
      " SELECT id FROM streamer WHERE status <> 'idle'"
      " UNION SELECT streamer_id FROM streamer_monitor"
      " WHERE check_at = 'infinity'))"
      " AND (m.owner IS NULL OR m.lease_until < now())"
      " AND NOT EXISTS (SELECT FROM media_record r"
      " WHERE r.streamer_id = m.streamer_id AND r.status = 'recording')"
      " FOR UPDATE OF m SKIP LOCKED"
      "), freed AS ("
      " UPDATE streamer_monitor m SET owner = NULL, lease_until = NULL,"
      " check_at = least(m.check_at, now()) FROM stuck"
      " WHERE m.streamer_id = stuck.streamer_id"
      "), idle AS ("
      " UPDATE streamer s SET status = 'idle' FROM stuck"
      " WHERE s.id = stuck.streamer_id"
      ") SELECT e.id, e.pid, e.start_ticks,"
      " (SELECT count(*) FROM streamer WHERE is_streaming),"
      " (SELECT count(*) FROM media_record WHERE status = 'recording'"
      " AND platform <> ALL ($6::int[]))"
      " FROM " NGX_MNTREAMER_CATALOG_LAZY
      " LEFT JOIN engine e ON e.node = $2 AND e.pid_namespace = $5"
      " AND e.seen_at > now() - interval '1 day'"
      " ORDER BY e.id LIMIT " ngx_value(NGX_MNTREAMER_CATALOG_SIBLINGS),
      6, 5 },

    /* the dead ones; a row of its own: the API shows "recording" still */

    { "engine_bury",
      "WITH d AS ("
      " DELETE FROM engine WHERE id = ANY ($1::bigint[]) RETURNING id"
      "), m AS ("
      " UPDATE streamer_monitor SET owner = NULL, lease_until = NULL,"
      " check_at = CASE WHEN isfinite(check_at)"
      " THEN least(check_at, now()) ELSE check_at END"
      " WHERE owner = ANY ($1::bigint[]) AND cardinality($1::bigint[]) > 0"
      " RETURNING streamer_id"
      "), s AS ("
      " UPDATE streamer s SET status = 'idle' FROM m"
      " WHERE s.id = m.streamer_id AND s.status = 'process'"
      ") SELECT (SELECT count(*) FROM m),"
      " (SELECT count(pg_notify('" NGX_MNTREAMER_CATALOG_CHANNEL "',"
      " 'release')) FROM (SELECT FROM d LIMIT 1) x)", 1, 2 },

    /*
     * Which leases are free: streamers that somebody claimed and never told
     * about.  Their due time was moved to the next one, so they are looked for
     * among all rows, by one engine at a time; an index over leases would be
     * written twice a probe.
     */

    { "engine_lapse",
      "WITH l AS ("
      " SELECT m.streamer_id FROM streamer_monitor m"
      " WHERE (SELECT pg_try_advisory_xact_lock("
      NGX_MNTREAMER_ENGINE_LOCK "))"
      " AND m.owner IS NOT NULL AND m.lease_until < now()"
      " AND m.check_at > now() AND isfinite(m.check_at)"
      " AND " NGX_MNTREAMER_CATALOG_FREE("$1", "$2", "$3")
      " FOR UPDATE SKIP LOCKED"
      "), m AS ("
      " UPDATE streamer_monitor m SET owner = NULL, lease_until = NULL,"
      " check_at = now() FROM l WHERE m.streamer_id = l.streamer_id"
      " RETURNING m.streamer_id"
      ") SELECT (SELECT count(*) FROM m),"
      " (SELECT count(pg_notify('" NGX_MNTREAMER_CATALOG_CHANNEL "',"
      " 'due')) FROM (SELECT FROM m LIMIT 1) x)", 3, 2 },

    { "engine_giveback",
      "WITH e AS ("
      " DELETE FROM engine WHERE id = $1::bigint"
      "), m AS ("
      " UPDATE streamer_monitor SET owner = NULL, lease_until = NULL,"
      " check_at = CASE WHEN isfinite(check_at)"
      " THEN least(check_at, now()) ELSE check_at END"
      " WHERE owner = $1::bigint"
      " RETURNING streamer_id"
      "), s AS ("
      " UPDATE streamer s SET status = 'idle' FROM m"
      " WHERE s.id = m.streamer_id AND s.status = 'process'"
      ") SELECT (SELECT count(*) FROM m),"
      " pg_notify('" NGX_MNTREAMER_CATALOG_CHANNEL "', 'release')", 1, 2 }
};


/* a machine's boot and the namespace in which its pids mean something */

ngx_int_t
ngx_mntreamer_catalog_identify(ngx_mntreamer_catalog_t *cat)
{
    u_char   state, buf[64], link[64];
    ssize_t  n, len;

    cat->siblings = ngx_pcalloc(cat->pool, NGX_MNTREAMER_CATALOG_SIBLINGS
                                           * sizeof(ngx_mntreamer_sibling_t));
    cat->space.data = ngx_pnalloc(cat->pool, sizeof(buf) + sizeof(link) + 1);

    cat->known = ngx_mntreamer_catalog_known(cat->pool);

    if (cat->siblings == NULL || cat->space.data == NULL
        || cat->known.data == NULL)
    {
        return NGX_ERROR;
    }

    n = ngx_mntreamer_engine_read("/proc/sys/kernel/random/boot_id", buf,
                                  sizeof(buf));

    while (n > 0 && buf[n - 1] <= ' ') {
        n--;
    }

    len = readlink("/proc/self/ns/pid", (char *) link, sizeof(link));

    cat->space.len = ngx_sprintf(cat->space.data, "%*s %*s",
                                 (size_t) ngx_max(n, 0), buf,
                                 (size_t) ngx_max(len, 0), link)
                     - cat->space.data;

    cat->ticks = ngx_mntreamer_engine_ticks(ngx_pid, &state);

    ngx_mntreamer_catalog_event(cat, &cat->watch, ngx_mntreamer_engine_watch);

    return ngx_mntreamer_engine_storage(cat);
}


/*
 * What tells our storage from that of another machine: a number in a file of
 * it.  Without one recordings are taken to be in one storage, as they are for
 * a single machine.
 */

static ngx_int_t
ngx_mntreamer_engine_storage(ngx_mntreamer_catalog_t *cat)
{
    u_char     name[NGX_MAX_PATH], part[NGX_MAX_PATH + 32];
    u_char     number[NGX_MNTREAMER_ENGINE_NUMBER + 1], random[16];
    size_t     i;
    ssize_t    n;
    ngx_fd_t   fd;

    cat->storage.data = ngx_pnalloc(cat->pool, NGX_MNTREAMER_ENGINE_NUMBER);

    if (cat->storage.data == NULL) {
        return NGX_ERROR;
    }

    *ngx_snprintf(name, sizeof(name) - 1, "%V/.mntreamer",
                  &cat->conf->storage) = '\0';
    *ngx_snprintf(part, sizeof(part) - 1, "%s.%P.new", name, ngx_pid) = '\0';

    n = ngx_mntreamer_engine_read((char *) name, number, sizeof(number));

    if (n == NGX_ERROR && getrandom(random, sizeof(random), 0)
                          == (ssize_t) sizeof(random))
    {
        (void) ngx_hex_dump(number, random, sizeof(random));
        number[NGX_MNTREAMER_ENGINE_NUMBER] = '\n';

        fd = ngx_open_file(part, NGX_FILE_WRONLY, NGX_FILE_TRUNCATE, 0640);

        if (fd != NGX_INVALID_FILE) {

            /* of several that make it one wins, and all read that */

            if (ngx_write_fd(fd, number, sizeof(number))
                == (ssize_t) sizeof(number)
                && fsync(fd) == 0
                && link((char *) part, (char *) name) == -1
                && ngx_errno != NGX_EEXIST)
            {
                ngx_log_error(NGX_LOG_WARN, cat->log, ngx_errno,
                              "link() \"%s\" failed", name);
            }

            (void) ngx_close_file(fd);
            (void) ngx_delete_file(part);

            ngx_mntreamer_engine_sync(cat);
        }

        n = ngx_mntreamer_engine_read((char *) name, number, sizeof(number));
    }

    for (i = 0; n == (ssize_t) sizeof(number)
                && i < NGX_MNTREAMER_ENGINE_NUMBER; i++)
    {
        if (number[i] < '0' || number[i] > 'f') {
            n = NGX_ERROR;
        }
    }

    if (n != (ssize_t) sizeof(number)) {
        ngx_log_error(NGX_LOG_WARN, cat->log, ngx_errno,
                      "mntreamer: \"%s\" tells no storage from another", name);

        ngx_str_null(&cat->storage);
        return NGX_OK;
    }

    ngx_memcpy(cat->storage.data, number, NGX_MNTREAMER_ENGINE_NUMBER);
    cat->storage.len = NGX_MNTREAMER_ENGINE_NUMBER;

    return NGX_OK;
}


/* once in the life of a storage: another number would be another storage */

static void
ngx_mntreamer_engine_sync(ngx_mntreamer_catalog_t *cat)
{
    u_char    name[NGX_MAX_PATH];
    ngx_fd_t  fd;

    *ngx_snprintf(name, sizeof(name) - 1, "%V", &cat->conf->storage) = '\0';

    fd = open((char *) name, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1 || fsync(fd) == -1) {
        ngx_log_error(NGX_LOG_WARN, cat->log, ngx_errno,
                      "fsync() \"%s\" failed", name);
    }

    if (fd != -1) {
        (void) close(fd);
    }
}


static ssize_t
ngx_mntreamer_engine_read(const char *name, u_char *buf, size_t size)
{
    ssize_t   n;
    ngx_fd_t  fd;

    fd = ngx_open_file(name, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, buf, size);

    (void) ngx_close_file(fd);

    return n;
}


/*
 * Start of a process in ticks since boot, its state beside it; -1: unknown.
 * The name before the state may hold anything, so the last ")" counts.
 */

static int64_t
ngx_mntreamer_engine_ticks(ngx_pid_t pid, u_char *state)
{
    u_char      *p, *last, name[sizeof("/proc//stat") + NGX_INT_T_LEN];
    u_char       buf[1024];
    ssize_t      n;
    int64_t      ticks;
    ngx_uint_t   field;

    *state = 0;

    ngx_sprintf(name, "/proc/%P/stat%Z", pid);

    n = ngx_mntreamer_engine_read((char *) name, buf, sizeof(buf));

    if (n <= 0) {
        return -1;
    }

    last = buf + n;

    for (p = last - 1; p > buf && *p != ')'; p--) {
        /* void */
    }

    if (last - p < 3) {
        return -1;
    }

    *state = p[2];

    /* it is field 3, the start is field 22 */

    for (field = 2; p < last && field < 22; p++) {
        field += (*p == ' ');
    }

    ticks = 0;

    for (n = 0; p < last && *p >= '0' && *p <= '9' && n < 18; p++, n++) {
        ticks = ticks * 10 + (*p - '0');
    }

    return n ? ticks : -1;
}


static ngx_uint_t
ngx_mntreamer_engine_dead(ngx_mntreamer_sibling_t *sibling)
{
    u_char   state;
    int64_t  ticks;

    if (kill(sibling->pid, 0) == -1 && ngx_errno == NGX_ESRCH) {
        return 1;
    }

    ticks = ngx_mntreamer_engine_ticks(sibling->pid, &state);

    if (ticks == -1) {
        return 0;
    }

    return ticks != sibling->ticks || state == 'Z' || state == 'X';
}


ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_register(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_result_pt done)
{
    u_char                buf[3][NGX_INT64_LEN];
    ngx_mntreamer_exec_t  ex;

    ngx_mntreamer_catalog_exec_init(&ex,
                        &ngx_mntreamer_engine_sql[NGX_MNTREAMER_SQL_REGISTER],
                        done, cat);

    if (cat->engine) {
        ex.params[0] = ngx_mntreamer_catalog_number(buf[0], cat->engine);
    }

    ex.params[1] = cat->conf->node;
    ex.params[2] = ngx_mntreamer_catalog_number(buf[1], ngx_pid);
    ex.params[3] = ngx_mntreamer_catalog_number(buf[2], cat->ticks);
    ex.params[4] = cat->space;

    return ngx_mntreamer_pq_exec(cat->pq, &ex);
}


ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_beat(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_result_pt done)
{
    u_char                buf[3][NGX_INT64_LEN];
    ngx_mntreamer_exec_t  ex;

    ngx_mntreamer_catalog_exec_init(&ex,
                            &ngx_mntreamer_engine_sql[NGX_MNTREAMER_SQL_BEAT],
                            done, cat);

    ex.params[0] = ngx_mntreamer_catalog_number(buf[0], cat->engine);
    ex.params[1] = cat->conf->node;
    ex.params[2] = ngx_mntreamer_catalog_number(buf[1], ngx_pid);
    ex.params[3] = ngx_mntreamer_catalog_number(buf[2], cat->ticks);
    ex.params[4] = cat->space;
    ex.params[5] = cat->known;

    return ngx_mntreamer_pq_exec(cat->pq, &ex);
}


void
ngx_mntreamer_catalog_siblings(ngx_mntreamer_catalog_t *cat,
    const ngx_mntreamer_result_t *result)
{
    int64_t                   id, live, first, strange;
    ngx_uint_t                i;
    ngx_mntreamer_sibling_t  *sibling;

    cat->nsiblings = 0;

    first = 0;
    live = ngx_mntreamer_rows_i64(result->rows, 0, 3, 0);
    strange = ngx_mntreamer_rows_i64(result->rows, 0, 4, 0);

    if (strange && !cat->strange) {
        ngx_log_error(NGX_LOG_WARN, cat->log, 0,
                      "mntreamer: %L recordings in progress are of platforms "
                      "that this version does not know, they are left alone",
                      strange);
    }

    cat->strange = (strange != 0);

    for (i = 0; i < result->nrows; i++) {
        id = ngx_mntreamer_rows_i64(result->rows, i, 0, 0);

        if (id == 0) {
            continue;
        }

        if (first == 0) {
            first = id;
        }

        if (id == cat->engine
            || cat->nsiblings == NGX_MNTREAMER_CATALOG_SIBLINGS)
        {
            continue;
        }

        sibling = &cat->siblings[cat->nsiblings++];

        sibling->id = id;
        sibling->pid = (ngx_pid_t) ngx_mntreamer_rows_i64(result->rows, i, 1,
                                                          0);
        sibling->ticks = ngx_mntreamer_rows_i64(result->rows, i, 2, 0);
        sibling->dead = 0;
        sibling->told = 0;
    }

    /* of all engines of a node one tells what they have in common */

    ngx_mntreamer_metrics_set(cat->metrics, NGX_MNTREAMER_M_LIVE,
                              first == cat->engine ? live : 0);
}


ngx_uint_t
ngx_mntreamer_catalog_look(ngx_mntreamer_catalog_t *cat)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < cat->nsiblings; i++) {
        if (!cat->siblings[i].dead) {
            cat->siblings[i].dead =
                         ngx_mntreamer_engine_dead(&cat->siblings[i]) & 1;
        }

        n += cat->siblings[i].dead;
    }

    return n;
}


/*
 * While the database was away nobody could renew: who comes back first waits
 * for the others.  A process of this node that lives is not lost with its
 * machine; it gets longer, for it may be stopped only for a moment.
 */

ngx_str_t
ngx_mntreamer_catalog_alive(ngx_mntreamer_catalog_t *cat, ngx_pool_t *pool,
    int64_t *grace_ms, int64_t *longer_ms)
{
    ngx_uint_t                i;
    ngx_mntreamer_pq_array_t  b;

    ngx_memzero(&b, sizeof(ngx_mntreamer_pq_array_t));
    b.pool = pool;

    for (i = 0; i < cat->nsiblings; i++) {
        if (!cat->siblings[i].dead) {
            ngx_mntreamer_pq_array_i64(&b, cat->siblings[i].id);
        }
    }

    *grace_ms = (ngx_current_msec - cat->up_ms < NGX_MNTREAMER_ENGINE_GRACE)
                ? NGX_MNTREAMER_ENGINE_NEVER : 0;
    *longer_ms = ngx_max(*grace_ms, (int64_t) cat->conf->lease_ms
                                    + NGX_MNTREAMER_ENGINE_GRACE);

    return ngx_mntreamer_pq_array_end(&b);
}


ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_bury(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_result_pt done)
{
    ngx_uint_t                  i;
    ngx_pool_t                 *pool;
    ngx_mntreamer_exec_t        ex;
    ngx_mntreamer_pq_array_t    b;
    ngx_mntreamer_statement_t  *st;

    pool = ngx_create_pool(1024, cat->log);
    if (pool == NULL) {
        return NULL;
    }

    ngx_memzero(&b, sizeof(ngx_mntreamer_pq_array_t));
    b.pool = pool;

    for (i = 0; i < cat->nsiblings; i++) {
        if (!cat->siblings[i].dead) {
            continue;
        }

        ngx_log_error(NGX_LOG_NOTICE, cat->log, 0,
                      "mntreamer: engine %L, process %P, is gone, its leases "
                      "are free", cat->siblings[i].id, cat->siblings[i].pid);

        cat->siblings[i].told = 1;

        ngx_mntreamer_pq_array_i64(&b, cat->siblings[i].id);
    }

    ngx_mntreamer_catalog_exec_init(&ex,
                            &ngx_mntreamer_engine_sql[NGX_MNTREAMER_SQL_BURY],
                            done, cat);

    ex.params[0] = ngx_mntreamer_pq_array_end(&b);

    st = ex.params[0].data ? ngx_mntreamer_pq_exec(cat->pq, &ex) : NULL;

    ngx_destroy_pool(pool);

    return st;
}


/* those are not looked at again */

void
ngx_mntreamer_catalog_buried(ngx_mntreamer_catalog_t *cat)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < cat->nsiblings; i++) {
        if (!cat->siblings[i].told) {
            cat->siblings[n++] = cat->siblings[i];
        }
    }

    cat->nsiblings = n;
}


ngx_mntreamer_statement_t *
ngx_mntreamer_catalog_giveback(ngx_mntreamer_catalog_t *cat,
    ngx_mntreamer_result_pt done)
{
    u_char                buf[NGX_INT64_LEN];
    ngx_mntreamer_exec_t  ex;

    ngx_mntreamer_catalog_exec_init(&ex,
                        &ngx_mntreamer_engine_sql[NGX_MNTREAMER_SQL_GIVEBACK],
                        done, cat);

    ex.params[0] = ngx_mntreamer_catalog_number(buf, cat->engine);

    return ngx_mntreamer_pq_exec(cat->pq, &ex);
}


void
ngx_mntreamer_catalog_watch_start(ngx_mntreamer_catalog_t *cat)
{
    cat->watches = 0;

    ngx_mntreamer_catalog_arm(&cat->watch, NGX_MNTREAMER_ENGINE_LOOK_MS
                                           + ngx_random() % 100);
}


/* the list has changed */

void
ngx_mntreamer_catalog_watch_soon(ngx_mntreamer_catalog_t *cat)
{
    cat->watches = NGX_MNTREAMER_ENGINE_BEATS;
}


static void
ngx_mntreamer_engine_watch(ngx_event_t *ev)
{
    ngx_mntreamer_ident_t    *ident = ev->data;
    ngx_mntreamer_catalog_t  *cat = ident->data;

    if (ngx_mntreamer_catalog_look(cat)) {
        ngx_mntreamer_engine_bury(cat);
    }

    if (++cat->watches >= NGX_MNTREAMER_ENGINE_BEATS && cat->beat == NULL) {
        cat->watches = 0;
        cat->beat = ngx_mntreamer_catalog_beat(cat,
                                               ngx_mntreamer_engine_beaten);

        if (cat->lapse == NULL && ngx_mntreamer_engine_turn(cat)) {
            cat->lapse = ngx_mntreamer_engine_lapse(cat);
        }

        ngx_mntreamer_catalog_broadcast_sweep(cat);
        ngx_mntreamer_catalog_strays(cat);
    }

    if (cat->looks == NGX_MNTREAMER_CATALOG_LOOKS) {
        ngx_mntreamer_catalog_strays(cat);
    }

    ngx_mntreamer_catalog_arm(ev, NGX_MNTREAMER_ENGINE_LOOK_MS);
}


static void
ngx_mntreamer_engine_beaten(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_catalog_t *cat = data;

    cat->beat = NULL;

    if (result->rc == NGX_MNTREAMER_PQ_OK && cat->bury == NULL) {
        ngx_mntreamer_catalog_siblings(cat, result);
    }
}


static void
ngx_mntreamer_engine_bury(ngx_mntreamer_catalog_t *cat)
{
    if (cat->bury == NULL) {
        cat->bury = ngx_mntreamer_catalog_bury(cat,
                                               ngx_mntreamer_engine_done);
    }
}


static void
ngx_mntreamer_engine_done(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_catalog_t *cat = data;

    cat->bury = NULL;

    if (result->rc == NGX_MNTREAMER_PQ_OK) {
        ngx_mntreamer_catalog_buried(cat);
    }
}


/* the engines of a node look in turn: one that is stopped costs its turn */

static ngx_uint_t
ngx_mntreamer_engine_turn(ngx_mntreamer_catalog_t *cat)
{
    ngx_uint_t  i, before;

    before = 0;

    for (i = 0; i < cat->nsiblings; i++) {
        before += (cat->siblings[i].id < cat->engine);
    }

    return (ngx_uint_t) ngx_time() / NGX_MNTREAMER_ENGINE_BEATS
           % (cat->nsiblings + 1) == before;
}


static ngx_mntreamer_statement_t *
ngx_mntreamer_engine_lapse(ngx_mntreamer_catalog_t *cat)
{
    u_char                      buf[2][NGX_INT64_LEN];
    int64_t                     grace_ms, longer_ms;
    ngx_pool_t                 *pool;
    ngx_mntreamer_exec_t        ex;
    ngx_mntreamer_statement_t  *st;

    pool = ngx_create_pool(1024, cat->log);
    if (pool == NULL) {
        return NULL;
    }

    /* what was found out about our own is on its way first */

    ngx_mntreamer_gather_flush(&cat->probes);

    ngx_mntreamer_catalog_exec_init(&ex,
                           &ngx_mntreamer_engine_sql[NGX_MNTREAMER_SQL_LAPSE],
                           ngx_mntreamer_engine_lapsed, cat);

    ex.params[0] = ngx_mntreamer_catalog_alive(cat, pool, &grace_ms,
                                               &longer_ms);
    ex.params[1] = ngx_mntreamer_catalog_number(buf[0], grace_ms);
    ex.params[2] = ngx_mntreamer_catalog_number(buf[1], longer_ms);

    st = ex.params[0].data ? ngx_mntreamer_pq_exec(cat->pq, &ex) : NULL;

    ngx_destroy_pool(pool);

    return st;
}


static void
ngx_mntreamer_engine_lapsed(void *data, const ngx_mntreamer_result_t *result)
{
    ngx_mntreamer_catalog_t *cat = data;

    int64_t  n;

    cat->lapse = NULL;

    if (result->rc != NGX_MNTREAMER_PQ_OK || result->nrows == 0) {
        return;
    }

    n = ngx_mntreamer_rows_i64(result->rows, 0, 0, 0);

    if (n) {
        ngx_log_error(NGX_LOG_NOTICE, cat->log, 0,
                      "mntreamer: %L streamers were claimed and not told "
                      "about, they are due again", n);
    }
}
