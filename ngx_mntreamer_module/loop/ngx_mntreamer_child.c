
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The worker's side of programs: who waits, who runs, what they said.
 *
 * child      entered by     waits for               deadline       then
 * WAITING    start()        its turn                -              RUNNING
 * RUNNING    START is sent  the report of its end   its own + 10 s   gone
 *
 * A cancelled one that runs stays, without an owner, until its end is
 * reported: it counts as long as it may be there.  The deadlines of programs
 * are the supervisor's; when it does not keep one it is killed itself, and so
 * is what it has started.
 *
 * The supervisor is there from the creation on.  When it is gone all that ran
 * is lost, and a second later there is another one; a worker that has grown
 * takes longer to fork, so this is for accidents.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <sys/wait.h>

#include "ngx_mntreamer_child_internal.h"
#include "ngx_mntreamer_watch.h"
#include "../base/mnt_line.h"


#define NGX_MNTREAMER_CHILD_WAITING   64
#define NGX_MNTREAMER_CHILD_LATE_MS   10000
#define NGX_MNTREAMER_CHILD_TICK_MS   1000
#define NGX_MNTREAMER_CHILD_EXIT_MS   500
#define NGX_MNTREAMER_CHILD_READS     64      /* reports of one event */
#define NGX_MNTREAMER_CHILD_OUTPUT    4096    /* at first */


typedef enum {
    NGX_MNTREAMER_CHILD_WAITS = 0,
    NGX_MNTREAMER_CHILD_RUNS
} ngx_mntreamer_child_state_e;

struct ngx_mntreamer_child_s {
    ngx_queue_t                   queue;
    ngx_mntreamer_children_t     *children;   /* alias */
    ngx_mntreamer_child_state_e   state;
    uint32_t                      id;
    uint32_t                      order;      /* to be sent: order_e, or 0 */
    pid_t                         group;      /* 0: not known yet */
    ngx_msec_t                    deadline_ms;
    ngx_msec_t                    grace_ms;
    ngx_msec_t                    until;      /* the supervisor is late then */
    size_t                        max_output;
    ngx_str_t                     output;     /* owned */
    size_t                        room;       /* of it */
    mnt_line_t                   *said;       /* owned; of line() */
    ngx_mntreamer_child_line_pt   line;
    ngx_mntreamer_child_pt        done;       /* NULL: cancelled */
    void                         *data;       /* alias */
    unsigned                      flooded:1;
    size_t                        size;       /* of START, which follows */
};

struct ngx_mntreamer_children_s {
    ngx_log_t                    *log;        /* alias */
    ngx_uint_t                    max;
    ngx_queue_t                   waiting;
    ngx_queue_t                   running;
    ngx_uint_t                    nwaiting;
    ngx_uint_t                    nrunning;
    uint32_t                      last_id;
    pid_t                         pid;        /* of the supervisor */
    ngx_socket_t                  fd;         /* owned; -1: there is none */
    ngx_mntreamer_watch_t        *watch;      /* owned */
    ngx_mntreamer_ident_t         ident;
    ngx_event_t                   tick;
    char                         *path;       /* alias, the environment's */
};


static ngx_int_t ngx_mntreamer_children_fork(ngx_mntreamer_children_t *ch);
static void ngx_mntreamer_children_run(ngx_mntreamer_children_t *ch);
static ngx_int_t ngx_mntreamer_children_send(ngx_mntreamer_children_t *ch,
    void *order, size_t size);
static void ngx_mntreamer_children_tick(ngx_event_t *ev);
static void ngx_mntreamer_children_arm(ngx_mntreamer_children_t *ch,
    ngx_msec_t ms);
static void ngx_mntreamer_children_lost(ngx_mntreamer_children_t *ch,
    const char *why);
static void ngx_mntreamer_children_reap(ngx_mntreamer_children_t *ch);
static void ngx_mntreamer_children_event(ngx_mntreamer_watch_t *w, void *data,
    ngx_socket_t fd, ngx_uint_t events);
static void ngx_mntreamer_children_report(ngx_mntreamer_children_t *ch,
    u_char *buf, size_t n);

static ngx_mntreamer_child_t *ngx_mntreamer_child_create(
    ngx_mntreamer_children_t *ch, const ngx_mntreamer_child_conf_t *conf);
static size_t ngx_mntreamer_child_size(const ngx_mntreamer_child_conf_t *conf,
    ngx_uint_t *nargs);
static void ngx_mntreamer_child_order(ngx_mntreamer_child_t *c,
    const ngx_mntreamer_child_conf_t *conf, ngx_uint_t nargs);
static void ngx_mntreamer_child_output(ngx_mntreamer_child_t *c, u_char *p,
    size_t n);
static void ngx_mntreamer_child_lines(ngx_mntreamer_child_t *c, u_char *p,
    size_t n);
static void ngx_mntreamer_child_end(ngx_mntreamer_child_t *c,
    ngx_mntreamer_child_result_t *result);
static void ngx_mntreamer_child_free(ngx_mntreamer_child_t *c);


static char  ngx_mntreamer_child_path[] =
    "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

static const char  *ngx_mntreamer_child_calls[] = {
    "", "pipe()", "clone()", "setrlimit()", "chdir()", "execve()"
};


ngx_mntreamer_children_t *
ngx_mntreamer_children_create(ngx_uint_t running, ngx_log_t *log)
{
    ngx_mntreamer_children_t  *ch;

    ch = ngx_calloc(sizeof(ngx_mntreamer_children_t), log);
    if (ch == NULL) {
        return NULL;
    }

    ch->log = log;
    ch->max = ngx_min(running, NGX_MNTREAMER_CHILDREN_MAX);
    ch->fd = (ngx_socket_t) -1;
    ch->pid = -1;

    ngx_queue_init(&ch->waiting);
    ngx_queue_init(&ch->running);

    ch->ident.data = ch;
    ch->ident.fd = (ngx_socket_t) -1;

    ch->tick.handler = ngx_mntreamer_children_tick;
    ch->tick.data = &ch->ident;
    ch->tick.log = log;
    ch->tick.cancelable = 1;

    ch->path = getenv("PATH");

    if (ch->path == NULL) {
        ch->path = ngx_mntreamer_child_path;
    }

    if (ngx_mntreamer_children_fork(ch) != NGX_OK) {
        ngx_free(ch);
        return NULL;
    }

    return ch;
}


void
ngx_mntreamer_children_destroy(ngx_mntreamer_children_t *ch)
{
    ngx_msec_t    waited;
    ngx_queue_t  *q;

    if (ch->tick.timer_set) {
        ngx_del_timer(&ch->tick);
    }

    if (ch->watch) {
        ngx_mntreamer_watch_close(ch->watch);
    }

    if (ch->fd != (ngx_socket_t) -1) {
        (void) close(ch->fd);
    }

    while (!ngx_queue_empty(&ch->waiting)) {
        q = ngx_queue_head(&ch->waiting);
        ngx_mntreamer_child_free(
            ngx_queue_data(q, ngx_mntreamer_child_t, queue));
    }

    while (!ngx_queue_empty(&ch->running)) {
        q = ngx_queue_head(&ch->running);
        ngx_mntreamer_child_free(
            ngx_queue_data(q, ngx_mntreamer_child_t, queue));
    }

    for (waited = 0; waited < NGX_MNTREAMER_CHILD_EXIT_MS; waited++) {
        ngx_mntreamer_children_reap(ch);

        if (ch->pid == -1) {
            break;
        }

        ngx_msleep(1);
    }

    ngx_free(ch);
}


/*
 * Signals are blocked across it: a handler of nginx in the new process would
 * act for this one.
 */

static ngx_int_t
ngx_mntreamer_children_fork(ngx_mntreamer_children_t *ch)
{
    int       fd[2];
    pid_t     pid;
    sigset_t  all, set;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC|SOCK_NONBLOCK, 0, fd)
        == -1)
    {
        ngx_log_error(NGX_LOG_ERR, ch->log, ngx_socket_errno,
                      "mntreamer: socketpair() for programs failed");
        return NGX_ERROR;
    }

    ch->watch = ngx_mntreamer_watch_open(fd[0], ngx_mntreamer_children_event,
                                         ch, ch->log);

    if (ch->watch == NULL
        || ngx_mntreamer_watch_set(ch->watch, NGX_MNTREAMER_READABLE)
           != NGX_OK)
    {
        goto failed;
    }

    sigfillset(&all);
    (void) sigprocmask(SIG_SETMASK, &all, &set);

    pid = ngx_mntreamer_child_clone(0);

    if (pid == 0) {
        ngx_setproctitle((char *) "mntreamer supervisor");
        ngx_mntreamer_supervisor_main(fd[1], ch->path);
    }

    (void) sigprocmask(SIG_SETMASK, &set, NULL);

    if (pid == -1) {
        ngx_log_error(NGX_LOG_ERR, ch->log, ngx_errno,
                      "mntreamer: clone() for programs failed");
        goto failed;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_CORE, ch->log, 0,
                   "mntreamer: supervisor of programs: %P", pid);

    (void) close(fd[1]);

    ch->fd = fd[0];
    ch->pid = pid;

    return NGX_OK;

failed:

    if (ch->watch) {
        ngx_mntreamer_watch_close(ch->watch);
        ch->watch = NULL;
    }

    (void) close(fd[0]);
    (void) close(fd[1]);

    return NGX_ERROR;
}


/* sends what is to be sent; calls nobody back */

static void
ngx_mntreamer_children_run(ngx_mntreamer_children_t *ch)
{
    ngx_int_t               rc;
    ngx_queue_t            *q;
    ngx_mntreamer_child_t  *c;
    ngx_mntreamer_order_t   order;

    if (ch->fd == (ngx_socket_t) -1) {
        return;
    }

    rc = NGX_OK;

    for (q = ngx_queue_head(&ch->running);
         q != ngx_queue_sentinel(&ch->running) && rc == NGX_OK;
         q = ngx_queue_next(q))
    {
        c = ngx_queue_data(q, ngx_mntreamer_child_t, queue);

        if (c->order == 0) {
            continue;
        }

        ngx_memzero(&order, sizeof(ngx_mntreamer_order_t));
        order.kind = c->order;
        order.id = c->id;

        rc = ngx_mntreamer_children_send(ch, &order, sizeof(order));

        if (rc == NGX_OK) {
            c->order = 0;
        }
    }

    while (rc == NGX_OK && ch->nrunning < ch->max
           && !ngx_queue_empty(&ch->waiting))
    {
        q = ngx_queue_head(&ch->waiting);
        c = ngx_queue_data(q, ngx_mntreamer_child_t, queue);

        rc = ngx_mntreamer_children_send(ch, c + 1, c->size);

        if (rc == NGX_OK) {
            c->state = NGX_MNTREAMER_CHILD_RUNS;
            c->until = ngx_current_msec + c->deadline_ms + c->grace_ms
                       + NGX_MNTREAMER_CHILD_LATE_MS;

            ngx_queue_remove(q);
            ch->nwaiting--;
            ngx_queue_insert_tail(&ch->running, q);
            ch->nrunning++;
        }
    }

    (void) ngx_mntreamer_watch_set(ch->watch,
                                   rc == NGX_AGAIN
                                   ? NGX_MNTREAMER_READABLE
                                     |NGX_MNTREAMER_WRITABLE
                                   : NGX_MNTREAMER_READABLE);

    if (ch->nrunning) {
        ngx_mntreamer_children_arm(ch, NGX_MNTREAMER_CHILD_TICK_MS);
    }
}


/* a broken one is noticed when it is read */

static ngx_int_t
ngx_mntreamer_children_send(ngx_mntreamer_children_t *ch, void *order,
    size_t size)
{
    if (send(ch->fd, order, size, MSG_NOSIGNAL|MSG_DONTWAIT) != -1) {
        return NGX_OK;
    }

    return ngx_socket_errno == NGX_EAGAIN ? NGX_AGAIN : NGX_ERROR;
}


static void
ngx_mntreamer_children_arm(ngx_mntreamer_children_t *ch, ngx_msec_t ms)
{
    if (!ch->tick.timer_set) {
        ngx_add_timer(&ch->tick, ngx_mntreamer_tick_in(ms));
    }
}


static void
ngx_mntreamer_children_tick(ngx_event_t *ev)
{
    ngx_queue_t               *q;
    ngx_mntreamer_child_t     *c;
    ngx_mntreamer_ident_t     *ident;
    ngx_mntreamer_children_t  *ch;

    ident = ev->data;
    ch = ident->data;

    if (ch->fd == (ngx_socket_t) -1) {
        ngx_mntreamer_children_reap(ch);

        if (ngx_exiting) {
            return;
        }

        if (ch->pid != -1 || ngx_mntreamer_children_fork(ch) != NGX_OK) {
            ngx_mntreamer_children_arm(ch, NGX_MNTREAMER_CHILD_TICK_MS);
            return;
        }
    }

    for (q = ngx_queue_head(&ch->running);
         q != ngx_queue_sentinel(&ch->running);
         q = ngx_queue_next(q))
    {
        c = ngx_queue_data(q, ngx_mntreamer_child_t, queue);

        if ((ngx_msec_int_t) (ngx_current_msec - c->until) >= 0) {
            ngx_mntreamer_children_lost(ch, "does not answer");
            return;
        }
    }

    ngx_mntreamer_children_run(ch);
}


static void
ngx_mntreamer_children_lost(ngx_mntreamer_children_t *ch, const char *why)
{
    ngx_queue_t                   *q;
    ngx_mntreamer_child_t         *c;
    ngx_mntreamer_child_result_t   result;

    ngx_log_error(NGX_LOG_ERR, ch->log, 0,
                  "mntreamer: the supervisor of programs %P %s, "
                  "%ui of them are lost", ch->pid, why, ch->nrunning);

    ngx_mntreamer_watch_close(ch->watch);
    ch->watch = NULL;

    (void) close(ch->fd);
    ch->fd = (ngx_socket_t) -1;

    /* it is no zombie that somebody else may have taken: we wait for it */

    (void) kill(ch->pid, SIGKILL);

    if (ch->tick.timer_set) {
        ngx_del_timer(&ch->tick);
    }

    ngx_mntreamer_children_arm(ch, NGX_MNTREAMER_CHILD_TICK_MS);

    ngx_memzero(&result, sizeof(ngx_mntreamer_child_result_t));
    result.rc = NGX_MNTREAMER_CHILD_LOST;

    while (!ngx_queue_empty(&ch->running)) {
        q = ngx_queue_head(&ch->running);
        c = ngx_queue_data(q, ngx_mntreamer_child_t, queue);

        /* the kernel has killed the program, not what that has started */

        if (c->group > 0) {
            (void) kill(-c->group, SIGKILL);
        }

        ngx_mntreamer_child_end(c, &result);
    }
}


static void
ngx_mntreamer_children_reap(ngx_mntreamer_children_t *ch)
{
    if (ch->pid != -1
        && waitpid(ch->pid, NULL, WNOHANG|__WALL) != 0)
    {
        ch->pid = -1;
    }
}


static void
ngx_mntreamer_children_event(ngx_mntreamer_watch_t *w, void *data,
    ngx_socket_t fd, ngx_uint_t events)
{
    ngx_mntreamer_children_t *ch = data;

    u_char      buf[sizeof(ngx_mntreamer_report_t)
                    + NGX_MNTREAMER_REPORT_DATA];
    ssize_t     n;
    ngx_uint_t  i;

    for (i = 0; i < NGX_MNTREAMER_CHILD_READS; i++) {
        n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

        if (n == -1) {

            if (ngx_socket_errno == NGX_EAGAIN
                || ngx_socket_errno == NGX_EINTR)
            {
                break;
            }

            n = 0;
        }

        if (n < (ssize_t) sizeof(ngx_mntreamer_report_t)) {
            ngx_mntreamer_children_lost(ch, "is gone");
            return;
        }

        ngx_mntreamer_children_report(ch, buf, (size_t) n);
    }

    ngx_mntreamer_children_run(ch);
}


static void
ngx_mntreamer_children_report(ngx_mntreamer_children_t *ch, u_char *buf,
    size_t n)
{
    ngx_queue_t                   *q;
    ngx_mntreamer_child_t         *c;
    ngx_mntreamer_report_t         report;
    ngx_mntreamer_child_result_t   result;

    ngx_memcpy(&report, buf, sizeof(ngx_mntreamer_report_t));

    buf += sizeof(ngx_mntreamer_report_t);
    n -= sizeof(ngx_mntreamer_report_t);

    for (q = ngx_queue_head(&ch->running);
         q != ngx_queue_sentinel(&ch->running);
         q = ngx_queue_next(q))
    {
        c = ngx_queue_data(q, ngx_mntreamer_child_t, queue);

        if (c->id != report.id) {
            continue;
        }

        if (report.kind == NGX_MNTREAMER_REPORT_STARTED) {
            c->group = report.code;
            return;
        }

        if (report.kind == NGX_MNTREAMER_REPORT_OUTPUT) {
            ngx_mntreamer_child_output(c, buf, n);
            return;
        }

        result.rc = c->flooded ? NGX_MNTREAMER_CHILD_OUTPUT : report.rc;
        result.code = report.code;
        result.call = ngx_mntreamer_child_calls[report.call];
        result.wall_ms = report.wall_ms;
        result.cpu_ms = report.cpu_ms;
        result.output = c->output;
        result.errors.data = buf;
        result.errors.len = n;

        ngx_mntreamer_child_end(c, &result);
        return;
    }
}


ngx_mntreamer_child_t *
ngx_mntreamer_child_start(ngx_mntreamer_children_t *ch,
    const ngx_mntreamer_child_conf_t *conf)
{
    ngx_mntreamer_child_t  *c;

    if (ch->nwaiting >= NGX_MNTREAMER_CHILD_WAITING) {
        return NULL;
    }

    c = ngx_mntreamer_child_create(ch, conf);

    if (c == NULL) {
        return NULL;
    }

    ngx_queue_insert_tail(&ch->waiting, &c->queue);
    ch->nwaiting++;

    ngx_mntreamer_children_run(ch);

    return c;
}


void
ngx_mntreamer_child_cancel(ngx_mntreamer_child_t *c)
{
    c->done = NULL;
    c->line = NULL;

    (void) ngx_mntreamer_child_stop(c);
}


ngx_int_t
ngx_mntreamer_child_stop(ngx_mntreamer_child_t *c)
{
    ngx_mntreamer_children_t  *ch;

    ch = c->children;

    if (c->state == NGX_MNTREAMER_CHILD_WAITS
        || ch->fd == (ngx_socket_t) -1)
    {
        ngx_mntreamer_child_free(c);
        return NGX_DECLINED;
    }

    if (!c->flooded) {
        c->order = NGX_MNTREAMER_ORDER_END;
    }

    ngx_mntreamer_children_run(ch);

    return NGX_OK;
}


static ngx_mntreamer_child_t *
ngx_mntreamer_child_create(ngx_mntreamer_children_t *ch,
    const ngx_mntreamer_child_conf_t *conf)
{
    size_t                  size;
    ngx_uint_t              nargs;
    ngx_mntreamer_child_t  *c;

    size = ngx_mntreamer_child_size(conf, &nargs);

    if (size > NGX_MNTREAMER_ORDER_MAX
        || nargs == 0 || nargs > NGX_MNTREAMER_ARGS_MAX
        || conf->deadline_ms == 0)
    {
        ngx_log_error(NGX_LOG_ERR, ch->log, 0,
                      "mntreamer: a program has too many arguments, or no "
                      "deadline");
        return NULL;
    }

    c = ngx_calloc(sizeof(ngx_mntreamer_child_t) + size, ch->log);
    if (c == NULL) {
        return NULL;
    }

    if (conf->line) {
        c->said = ngx_calloc(sizeof(mnt_line_t), ch->log);

        if (c->said == NULL) {
            ngx_free(c);
            return NULL;
        }
    }

    if (++ch->last_id == 0) {
        ch->last_id = 1;
    }

    c->children = ch;
    c->id = ch->last_id;
    c->size = size;
    c->deadline_ms = conf->deadline_ms;
    c->grace_ms = conf->grace_ms;
    c->max_output = conf->max_output;
    c->line = conf->line;
    c->done = conf->done;
    c->data = conf->data;

    ngx_mntreamer_child_order(c, conf, nargs);

    return c;
}


static size_t
ngx_mntreamer_child_size(const ngx_mntreamer_child_conf_t *conf,
    ngx_uint_t *nargs)
{
    size_t  size;

    size = sizeof(ngx_mntreamer_order_t) + ngx_strlen(conf->cwd) + 1;

    for (*nargs = 0; conf->argv[*nargs]; (*nargs)++) {
        size += ngx_strlen(conf->argv[*nargs]) + 1;
    }

    return size;
}


static void
ngx_mntreamer_child_order(ngx_mntreamer_child_t *c,
    const ngx_mntreamer_child_conf_t *conf, ngx_uint_t nargs)
{
    u_char                 *p;
    ngx_uint_t              i;
    ngx_mntreamer_order_t   order;

    ngx_memzero(&order, sizeof(ngx_mntreamer_order_t));

    order.kind = NGX_MNTREAMER_ORDER_START;
    order.id = c->id;
    order.nargs = (uint32_t) nargs;
    order.captured = (conf->max_output || conf->line);
    order.nice = (int32_t) conf->nice;
    order.cpu_s = (uint32_t) conf->max_cpu_s;
    order.memory = conf->max_memory;
    order.deadline_ms = conf->deadline_ms;
    order.grace_ms = conf->grace_ms;

    p = ngx_cpymem((u_char *) (c + 1), &order, sizeof(order));
    p = ngx_cpymem(p, conf->cwd, ngx_strlen(conf->cwd) + 1);

    for (i = 0; i < nargs; i++) {
        p = ngx_cpymem(p, conf->argv[i], ngx_strlen(conf->argv[i]) + 1);
    }
}


static void
ngx_mntreamer_child_output(ngx_mntreamer_child_t *c, u_char *p, size_t n)
{
    u_char  *data;
    size_t   room;

    if (c->done == NULL || c->flooded) {
        return;
    }

    if (c->line) {
        ngx_mntreamer_child_lines(c, p, n);
        return;
    }

    room = c->room;

    while (room < c->output.len + n) {
        room = room ? 2 * room : NGX_MNTREAMER_CHILD_OUTPUT;
    }

    data = c->output.data;

    if (c->output.len + n > c->max_output) {
        data = NULL;

    } else if (room != c->room) {
        data = ngx_alloc(room, c->children->log);

        if (data && c->output.data) {
            ngx_memcpy(data, c->output.data, c->output.len);
            ngx_free(c->output.data);
        }
    }

    if (data == NULL) {
        c->flooded = 1;
        c->order = NGX_MNTREAMER_ORDER_KILL;
        return;
    }

    ngx_memcpy(data + c->output.len, p, n);

    c->output.data = data;
    c->output.len += n;
    c->room = room;
}


static void
ngx_mntreamer_child_lines(ngx_mntreamer_child_t *c, u_char *p, size_t n)
{
    size_t     used;
    mnt_str_t  bytes;
    ngx_str_t  line;

    bytes.data = (char *) p;
    bytes.len = n;

    while (c->line && mnt_line_take(c->said, bytes, &used)) {
        bytes.data += used;
        bytes.len -= used;

        line.data = (u_char *) c->said->text;
        line.len = c->said->len;

        c->line(c->data, &line);               /* may cancel c */
    }
}


static void
ngx_mntreamer_child_end(ngx_mntreamer_child_t *c,
    ngx_mntreamer_child_result_t *result)
{
    void                    *data;
    ngx_mntreamer_child_pt   done;

    done = c->done;
    data = c->data;

    /* "output" is to live as long as done() lasts */

    result->output = c->output;
    c->output.data = NULL;

    ngx_mntreamer_child_free(c);

    if (done) {
        done(data, result);
    }

    if (result->output.data) {
        ngx_free(result->output.data);
    }
}


static void
ngx_mntreamer_child_free(ngx_mntreamer_child_t *c)
{
    if (c->state == NGX_MNTREAMER_CHILD_RUNS) {
        c->children->nrunning--;

    } else {
        c->children->nwaiting--;
    }

    ngx_queue_remove(&c->queue);

    if (c->output.data) {
        ngx_free(c->output.data);
    }

    if (c->said) {
        ngx_free(c->said);
    }

    ngx_free(c);
}


ngx_str_t
ngx_mntreamer_child_text(const ngx_mntreamer_child_result_t *result,
    u_char *buf, size_t size)
{
    u_char     *p, *last;
    ngx_str_t   text;
    mnt_str_t   errors, tail;

    p = buf;
    last = buf + size;

    switch (result->rc) {

    case NGX_MNTREAMER_CHILD_OK:
        p = ngx_slprintf(p, last, "succeeded");
        break;

    case NGX_MNTREAMER_CHILD_CODE:
        p = ngx_slprintf(p, last, "exited with code %i", result->code);
        break;

    case NGX_MNTREAMER_CHILD_SIGNAL:
        p = ngx_slprintf(p, last, "was ended by signal %i", result->code);
        break;

    case NGX_MNTREAMER_CHILD_START:
        p = ngx_slprintf(p, last, "could not be started: %s failed (%i: ",
                         result->call, result->code);
        p = ngx_strerror((ngx_err_t) result->code, p, last - p);
        p = ngx_slprintf(p, last, ")");
        break;

    case NGX_MNTREAMER_CHILD_DEADLINE:
        p = ngx_slprintf(p, last, "was killed after %M ms", result->wall_ms);
        break;

    case NGX_MNTREAMER_CHILD_OUTPUT:
        p = ngx_slprintf(p, last, "was killed: it wrote too much");
        break;

    default:
        p = ngx_slprintf(p, last, "was killed with its supervisor");
        break;
    }

    if (result->errors.len && last - p > 2) {
        p = ngx_cpymem(p, ": ", 2);

        errors.data = (char *) result->errors.data;
        errors.len = result->errors.len;

        tail = mnt_line_tail(errors, (char *) p, last - p);
        p += tail.len;
    }

    text.data = buf;
    text.len = p - buf;

    return text;
}
