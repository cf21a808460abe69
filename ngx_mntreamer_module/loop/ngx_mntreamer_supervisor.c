
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The supervisor of a worker's programs: a process that was forked from it
 * and runs what is in this file, and nothing else of the worker.  It has one
 * descriptor to it; when that ends, because the worker has ended in whatever
 * way, it kills all programs and ends, too.
 *
 * Another thread of the worker may have held any lock when it was forked: it
 * calls the kernel only, has its memory on its stack and no log.
 *
 * program    entered by      waits for           deadline      then
 * free       reported        an order            -             running
 * running    START           its end             deadline_ms   ending
 * ending     END, deadline   its end             grace_ms      killed
 * killed     KILL, grace     its end             -             ended
 * ended      SIGCHLD         room for reports    -             free
 *
 * What a program writes to stdout is read only while the worker takes it, so
 * it waits as it would for a slow reader; deadlines hold meanwhile.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "ngx_mntreamer_child_internal.h"


#define NGX_MNTREAMER_PROGRAM_READS    16     /* of one, before others */
#define NGX_MNTREAMER_SUPERVISOR_QUIT  2000   /* ms, at most */


typedef enum {
    NGX_MNTREAMER_PROGRAM_FREE = 0,
    NGX_MNTREAMER_PROGRAM_RUNNING,
    NGX_MNTREAMER_PROGRAM_ENDING,
    NGX_MNTREAMER_PROGRAM_KILLED,
    NGX_MNTREAMER_PROGRAM_ENDED
} ngx_mntreamer_program_state_e;

typedef struct {
    ngx_mntreamer_program_state_e  state;
    uint32_t                       id;
    pid_t                          pid;
    int                            out;       /* -1: none, or it ended */
    int                            err;
    int                            failed;    /* why it was not started */
    uint64_t                       began_ms;
    uint64_t                       until_ms;  /* end of what it waits for */
    uint64_t                       grace_ms;
    uint32_t                       late;      /* :1; its deadline passed */
    uint32_t                       untold;    /* :1; that it was started */
    ngx_mntreamer_report_t         end;
    size_t                         nout;
    size_t                         nerr;
    char                           output[NGX_MNTREAMER_REPORT_DATA];
    char                           errors[2 * NGX_MNTREAMER_REPORT_TAIL];
} ngx_mntreamer_program_t;

typedef struct {
    int                      fd;              /* to the worker */
    pid_t                    pid;             /* our own */
    const char              *path;
    sigset_t                 waiting;         /* the mask of ppoll() */
    int                      blocked;         /* the worker takes no more */
    ngx_mntreamer_program_t  programs[NGX_MNTREAMER_CHILDREN_MAX];
} ngx_mntreamer_supervisor_t;


static void ngx_mntreamer_supervisor_init(ngx_mntreamer_supervisor_t *sv,
    int fd);
static void ngx_mntreamer_supervisor_chld(int signo);
static uint64_t ngx_mntreamer_supervisor_now(void);
static void ngx_mntreamer_supervisor_wait(ngx_mntreamer_supervisor_t *sv);
static void ngx_mntreamer_supervisor_orders(ngx_mntreamer_supervisor_t *sv);
static ngx_mntreamer_program_t *ngx_mntreamer_supervisor_find(
    ngx_mntreamer_supervisor_t *sv, uint32_t id);
static void ngx_mntreamer_supervisor_reap(ngx_mntreamer_supervisor_t *sv);
static void ngx_mntreamer_supervisor_quit(ngx_mntreamer_supervisor_t *sv)
    __attribute__((noreturn));
static ngx_int_t ngx_mntreamer_supervisor_send(ngx_mntreamer_supervisor_t *sv,
    ngx_mntreamer_report_t *report, void *data, size_t len);

static void ngx_mntreamer_program_start(ngx_mntreamer_supervisor_t *sv,
    ngx_mntreamer_program_t *p, const ngx_mntreamer_order_t *order,
    const char *strings);
static ngx_int_t ngx_mntreamer_program_pipe(int *ours, int *its);
static void ngx_mntreamer_program_signal(ngx_mntreamer_program_t *p, int sig);
static void ngx_mntreamer_program_end(ngx_mntreamer_program_t *p);
static void ngx_mntreamer_program_kill(ngx_mntreamer_program_t *p);
static void ngx_mntreamer_program_deadline(ngx_mntreamer_program_t *p,
    uint64_t now);
static void ngx_mntreamer_program_started(ngx_mntreamer_supervisor_t *sv,
    ngx_mntreamer_program_t *p);
static void ngx_mntreamer_program_errors(ngx_mntreamer_program_t *p);
static void ngx_mntreamer_program_output(ngx_mntreamer_supervisor_t *sv,
    ngx_mntreamer_program_t *p);
static void ngx_mntreamer_program_ended(ngx_mntreamer_program_t *p);
static void ngx_mntreamer_program_report(ngx_mntreamer_supervisor_t *sv,
    ngx_mntreamer_program_t *p);
static void ngx_mntreamer_program_close(int *fd);


pid_t
ngx_mntreamer_child_clone(int exit_signal)
{
    /* all others are 0, so their order, which differs, does not matter */

    return (pid_t) syscall(SYS_clone, (unsigned long) exit_signal, 0UL, 0UL,
                           0UL, 0UL);
}


void
ngx_mntreamer_supervisor_main(int fd, const char *path)
{
    ngx_uint_t                  i;
    ngx_mntreamer_program_t    *p;
    ngx_mntreamer_supervisor_t  sv;

    sv.path = path;

    ngx_mntreamer_supervisor_init(&sv, fd);

    for ( ;; ) {
        ngx_mntreamer_supervisor_wait(&sv);
        ngx_mntreamer_supervisor_reap(&sv);
        ngx_mntreamer_supervisor_orders(&sv);

        for (i = 0; i < NGX_MNTREAMER_CHILDREN_MAX; i++) {
            p = &sv.programs[i];

            if (p->state == NGX_MNTREAMER_PROGRAM_FREE) {
                continue;
            }

            ngx_mntreamer_program_started(&sv, p);
            ngx_mntreamer_program_errors(p);
            ngx_mntreamer_program_output(&sv, p);
            ngx_mntreamer_program_deadline(p, ngx_mntreamer_supervisor_now());
            ngx_mntreamer_program_report(&sv, p);
        }
    }
}


/* of the worker's descriptors only the socket stays, as 3 */

static void
ngx_mntreamer_supervisor_init(ngx_mntreamer_supervisor_t *sv, int fd)
{
    int               sig, null;
    ngx_uint_t        i;
    struct sigaction  sa;

    if (fd != 3) {
        (void) dup2(fd, 3);
    }

    ngx_mntreamer_supervisor_close(4);

    null = open("/dev/null", O_RDWR);

    for (i = 0; i < 3; i++) {
        (void) dup2(null, (int) i);
    }

    if (null > 2) {
        (void) close(null);
    }

    (void) fcntl(3, F_SETFD, FD_CLOEXEC);

    sv->fd = 3;
    sv->pid = getpid();
    sv->blocked = 0;

    memset(sv->programs, 0, sizeof(sv->programs));

    for (i = 0; i < NGX_MNTREAMER_CHILDREN_MAX; i++) {
        sv->programs[i].out = -1;
        sv->programs[i].err = -1;
        sv->programs[i].failed = -1;
    }

    memset(&sa, 0, sizeof(struct sigaction));
    sa.sa_handler = SIG_DFL;

    for (sig = 1; sig < NSIG; sig++) {
        (void) sigaction(sig, &sa, NULL);
    }

    /* a default of SIGCHLD would not end ppoll() */

    sa.sa_handler = ngx_mntreamer_supervisor_chld;
    (void) sigaction(SIGCHLD, &sa, NULL);

    sigfillset(&sv->waiting);
    sigdelset(&sv->waiting, SIGCHLD);

    (void) setsid();
    (void) !chdir("/");
    (void) prctl(PR_SET_NAME, "mntreamer-child");
    (void) prctl(PR_SET_CHILD_SUBREAPER, 1);
}


static void
ngx_mntreamer_supervisor_chld(int signo)
{
    (void) signo;
}


static uint64_t
ngx_mntreamer_supervisor_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + (uint64_t) ts.tv_nsec / 1000000;
}


static void
ngx_mntreamer_supervisor_wait(ngx_mntreamer_supervisor_t *sv)
{
    int64_t                   ms, left;
    nfds_t                    n;
    uint64_t                  now;
    ngx_uint_t                i;
    struct pollfd             fds[1 + 2 * NGX_MNTREAMER_CHILDREN_MAX];
    struct timespec           ts;
    ngx_mntreamer_program_t  *p;

    fds[0].fd = sv->fd;
    fds[0].events = sv->blocked ? POLLIN|POLLOUT : POLLIN;

    n = 1;
    ms = -1;
    now = ngx_mntreamer_supervisor_now();

    for (i = 0; i < NGX_MNTREAMER_CHILDREN_MAX; i++) {
        p = &sv->programs[i];

        if (p->err != -1) {
            fds[n].fd = p->err;
            fds[n++].events = POLLIN;
        }

        if (p->out != -1 && !sv->blocked) {
            fds[n].fd = p->out;
            fds[n++].events = POLLIN;
        }

        if (p->state == NGX_MNTREAMER_PROGRAM_RUNNING
            || p->state == NGX_MNTREAMER_PROGRAM_ENDING)
        {
            left = p->until_ms > now ? (int64_t) (p->until_ms - now) : 0;
            ms = (ms == -1 || left < ms) ? left : ms;
        }
    }

    ts.tv_sec = (time_t) (ms / 1000);
    ts.tv_nsec = (long) (ms % 1000) * 1000000;

    (void) ppoll(fds, n, ms == -1 ? NULL : &ts, &sv->waiting);
}


static void
ngx_mntreamer_supervisor_orders(ngx_mntreamer_supervisor_t *sv)
{
    ssize_t                   n;
    ngx_mntreamer_order_t     order;
    ngx_mntreamer_program_t  *p;
    char                      buf[NGX_MNTREAMER_ORDER_MAX];

    for ( ;; ) {
        n = recv(sv->fd, buf, sizeof(buf), MSG_DONTWAIT);

        if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }

        if (n < (ssize_t) sizeof(ngx_mntreamer_order_t)) {
            ngx_mntreamer_supervisor_quit(sv);
        }

        memcpy(&order, buf, sizeof(ngx_mntreamer_order_t));

        p = ngx_mntreamer_supervisor_find(sv, order.id);

        switch (order.kind) {

        case NGX_MNTREAMER_ORDER_START:
            ngx_mntreamer_program_start(sv,
                                        ngx_mntreamer_supervisor_find(sv, 0),
                                        &order, buf + sizeof(order));
            break;

        case NGX_MNTREAMER_ORDER_END:

            if (p) {
                ngx_mntreamer_program_end(p);
            }

            break;

        default:                               /* NGX_MNTREAMER_ORDER_KILL */

            if (p) {
                ngx_mntreamer_program_kill(p);
            }
        }
    }
}


/* a free one has 0; the worker starts no more than there are */

static ngx_mntreamer_program_t *
ngx_mntreamer_supervisor_find(ngx_mntreamer_supervisor_t *sv, uint32_t id)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_MNTREAMER_CHILDREN_MAX; i++) {
        if (sv->programs[i].id == id) {
            return &sv->programs[i];
        }
    }

    return NULL;
}


/*
 * What a program has left behind in its session is killed while its number
 * cannot belong to anybody else yet.
 */

static void
ngx_mntreamer_supervisor_reap(ngx_mntreamer_supervisor_t *sv)
{
    int                       status;
    siginfo_t                 info;
    ngx_uint_t                i;
    struct rusage             ru;
    ngx_mntreamer_program_t  *p;

    for ( ;; ) {
        info.si_pid = 0;

        if (waitid(P_ALL, 0, &info, WEXITED|WNOHANG|WNOWAIT) == -1
            || info.si_pid == 0)
        {
            return;
        }

        p = NULL;

        for (i = 0; i < NGX_MNTREAMER_CHILDREN_MAX; i++) {
            if (sv->programs[i].pid == info.si_pid) {
                p = &sv->programs[i];
                ngx_mntreamer_program_signal(p, SIGKILL);
            }
        }

        if (wait4(info.si_pid, &status, 0, &ru) == -1 || p == NULL) {
            continue;
        }

        p->end.cpu_ms = (uint64_t) (ru.ru_utime.tv_sec + ru.ru_stime.tv_sec)
                        * 1000
                        + (uint64_t) (ru.ru_utime.tv_usec
                                      + ru.ru_stime.tv_usec) / 1000;

        if (WIFSIGNALED(status)) {
            p->end.rc = NGX_MNTREAMER_CHILD_SIGNAL;
            p->end.code = WTERMSIG(status);

        } else {
            p->end.code = WEXITSTATUS(status);
            p->end.rc = p->end.code ? NGX_MNTREAMER_CHILD_CODE
                                    : NGX_MNTREAMER_CHILD_OK;
        }

        ngx_mntreamer_program_ended(p);
    }
}


static void
ngx_mntreamer_supervisor_quit(ngx_mntreamer_supervisor_t *sv)
{
    pid_t                     pid;
    ngx_uint_t                i;
    struct timespec           ts;
    ngx_mntreamer_program_t  *p;

    for (i = 0; i < NGX_MNTREAMER_CHILDREN_MAX; i++) {
        p = &sv->programs[i];

        if (p->pid) {
            ngx_mntreamer_program_signal(p, SIGKILL);
        }
    }

    /* what has left its session may never end */

    ts.tv_sec = 0;
    ts.tv_nsec = NGX_MNTREAMER_SUPERVISOR_QUIT * 1000000L / 1000;

    for (i = 0; i < 1000; i++) {
        pid = waitpid(-1, NULL, WNOHANG);

        if (pid == -1) {
            break;
        }

        if (pid == 0) {
            (void) nanosleep(&ts, NULL);
        }
    }

    _exit(0);
}


static ngx_int_t
ngx_mntreamer_supervisor_send(ngx_mntreamer_supervisor_t *sv,
    ngx_mntreamer_report_t *report, void *data, size_t len)
{
    struct iovec   iov[2];
    struct msghdr  msg;

    iov[0].iov_base = report;
    iov[0].iov_len = sizeof(ngx_mntreamer_report_t);
    iov[1].iov_base = data;
    iov[1].iov_len = len;

    memset(&msg, 0, sizeof(struct msghdr));
    msg.msg_iov = iov;
    msg.msg_iovlen = 2;

    if (sendmsg(sv->fd, &msg, MSG_DONTWAIT|MSG_NOSIGNAL) != -1) {
        sv->blocked = 0;
        return NGX_OK;
    }

    /* of a worker that is gone the next recv() tells */

    sv->blocked = 1;

    return NGX_AGAIN;
}


static void
ngx_mntreamer_program_start(ngx_mntreamer_supervisor_t *sv,
    ngx_mntreamer_program_t *p, const ngx_mntreamer_order_t *order,
    const char *strings)
{
    ngx_mntreamer_exec_fds_t  fds;

    if (p == NULL) {
        return;
    }

    memset(&p->end, 0, sizeof(ngx_mntreamer_report_t));

    p->id = order->id;
    p->began_ms = ngx_mntreamer_supervisor_now();
    p->until_ms = p->began_ms + order->deadline_ms;
    p->grace_ms = order->grace_ms;
    p->late = 0;
    p->untold = 0;
    p->nout = 0;
    p->nerr = 0;

    p->end.kind = NGX_MNTREAMER_REPORT_END;
    p->end.id = order->id;
    p->end.rc = NGX_MNTREAMER_CHILD_START;

    fds.out = 1;                               /* is /dev/null */
    fds.err = -1;
    fds.failed = -1;

    if ((order->captured
         && ngx_mntreamer_program_pipe(&p->out, &fds.out) != NGX_OK)
        || ngx_mntreamer_program_pipe(&p->err, &fds.err) != NGX_OK
        || ngx_mntreamer_program_pipe(&p->failed, &fds.failed) != NGX_OK)
    {
        p->end.call = NGX_MNTREAMER_CALL_PIPE;
        p->end.code = errno;

    } else {
        p->pid = ngx_mntreamer_child_clone(SIGCHLD);

        if (p->pid == 0) {
            ngx_mntreamer_supervisor_exec(order, strings, &fds, sv->pid,
                                          sv->path);
        }

        p->end.call = NGX_MNTREAMER_CALL_CLONE;
        p->end.code = errno;
    }

    if (fds.out != 1) {
        ngx_mntreamer_program_close(&fds.out);
    }

    ngx_mntreamer_program_close(&fds.err);
    ngx_mntreamer_program_close(&fds.failed);

    if (p->pid > 0) {
        p->state = NGX_MNTREAMER_PROGRAM_RUNNING;
        p->untold = 1;
        return;
    }

    p->pid = 0;
    ngx_mntreamer_program_close(&p->failed);
    ngx_mntreamer_program_ended(p);
}


static ngx_int_t
ngx_mntreamer_program_pipe(int *ours, int *its)
{
    int  fd[2];

    if (pipe2(fd, O_CLOEXEC) == -1) {
        return NGX_ERROR;
    }

    (void) fcntl(fd[0], F_SETFL, O_NONBLOCK);

    *ours = fd[0];
    *its = fd[1];

    return NGX_OK;
}


/* it may not have come to its session yet */

static void
ngx_mntreamer_program_signal(ngx_mntreamer_program_t *p, int sig)
{
    (void) kill(-p->pid, sig);
    (void) kill(p->pid, sig);
}


static void
ngx_mntreamer_program_end(ngx_mntreamer_program_t *p)
{
    if (p->state != NGX_MNTREAMER_PROGRAM_RUNNING) {
        return;
    }

    p->state = NGX_MNTREAMER_PROGRAM_ENDING;
    p->until_ms = ngx_mntreamer_supervisor_now() + p->grace_ms;

    ngx_mntreamer_program_signal(p, SIGTERM);
}


static void
ngx_mntreamer_program_kill(ngx_mntreamer_program_t *p)
{
    if (p->state != NGX_MNTREAMER_PROGRAM_RUNNING
        && p->state != NGX_MNTREAMER_PROGRAM_ENDING)
    {
        return;
    }

    p->state = NGX_MNTREAMER_PROGRAM_KILLED;

    ngx_mntreamer_program_signal(p, SIGKILL);
}


static void
ngx_mntreamer_program_deadline(ngx_mntreamer_program_t *p, uint64_t now)
{
    if (now < p->until_ms) {
        return;
    }

    if (p->state == NGX_MNTREAMER_PROGRAM_RUNNING) {
        p->late = 1;
        ngx_mntreamer_program_end(p);

    } else if (p->state == NGX_MNTREAMER_PROGRAM_ENDING) {
        ngx_mntreamer_program_kill(p);
    }
}


/* if we are killed the worker kills what the program has started, too */

static void
ngx_mntreamer_program_started(ngx_mntreamer_supervisor_t *sv,
    ngx_mntreamer_program_t *p)
{
    ngx_mntreamer_report_t  report;

    if (!p->untold || p->state == NGX_MNTREAMER_PROGRAM_ENDED) {
        return;
    }

    memset(&report, 0, sizeof(ngx_mntreamer_report_t));
    report.kind = NGX_MNTREAMER_REPORT_STARTED;
    report.id = p->id;
    report.code = p->pid;

    if (ngx_mntreamer_supervisor_send(sv, &report, NULL, 0) == NGX_OK) {
        p->untold = 0;
    }
}


/* the end of it is kept: what was too much goes before each read() */

static void
ngx_mntreamer_program_errors(ngx_mntreamer_program_t *p)
{
    ssize_t     n;
    ngx_uint_t  i;

    for (i = 0; p->err != -1 && i < NGX_MNTREAMER_PROGRAM_READS; i++) {

        if (p->nerr > NGX_MNTREAMER_REPORT_TAIL) {
            memmove(p->errors,
                    p->errors + p->nerr - NGX_MNTREAMER_REPORT_TAIL,
                    NGX_MNTREAMER_REPORT_TAIL);
            p->nerr = NGX_MNTREAMER_REPORT_TAIL;
        }

        n = read(p->err, p->errors + p->nerr, sizeof(p->errors) - p->nerr);

        if (n > 0) {
            p->nerr += (size_t) n;
            continue;
        }

        /* somebody beyond its session may keep it open */

        if (n == 0 || errno != EAGAIN
            || p->state == NGX_MNTREAMER_PROGRAM_ENDED)
        {
            ngx_mntreamer_program_close(&p->err);
        }

        return;
    }
}


static void
ngx_mntreamer_program_output(ngx_mntreamer_supervisor_t *sv,
    ngx_mntreamer_program_t *p)
{
    ssize_t                 n;
    ngx_uint_t              i;
    ngx_mntreamer_report_t  report;

    for (i = 0; p->out != -1 && i < NGX_MNTREAMER_PROGRAM_READS; i++) {

        if (p->nout == 0) {
            n = read(p->out, p->output, sizeof(p->output));

            if (n <= 0) {

                if (n == 0 || errno != EAGAIN
                    || p->state == NGX_MNTREAMER_PROGRAM_ENDED)
                {
                    ngx_mntreamer_program_close(&p->out);
                }

                return;
            }

            p->nout = (size_t) n;
        }

        memset(&report, 0, sizeof(ngx_mntreamer_report_t));
        report.kind = NGX_MNTREAMER_REPORT_OUTPUT;
        report.id = p->id;

        if (ngx_mntreamer_supervisor_send(sv, &report, p->output, p->nout)
            != NGX_OK)
        {
            return;
        }

        p->nout = 0;
    }
}


static void
ngx_mntreamer_program_ended(ngx_mntreamer_program_t *p)
{
    ngx_mntreamer_exec_failed_t  failed;

    if (p->failed != -1) {

        if (read(p->failed, &failed, sizeof(failed)) == sizeof(failed)) {
            p->end.rc = NGX_MNTREAMER_CHILD_START;
            p->end.call = failed.call;
            p->end.code = failed.err;

        } else if (p->late) {
            p->end.rc = NGX_MNTREAMER_CHILD_DEADLINE;
        }

        ngx_mntreamer_program_close(&p->failed);
    }

    p->end.wall_ms = ngx_mntreamer_supervisor_now() - p->began_ms;
    p->pid = 0;
    p->state = NGX_MNTREAMER_PROGRAM_ENDED;
}


/* when all that it wrote has gone before */

static void
ngx_mntreamer_program_report(ngx_mntreamer_supervisor_t *sv,
    ngx_mntreamer_program_t *p)
{
    if (p->state != NGX_MNTREAMER_PROGRAM_ENDED
        || p->out != -1 || p->err != -1)
    {
        return;
    }

    if (ngx_mntreamer_supervisor_send(sv, &p->end, p->errors, p->nerr)
        == NGX_OK)
    {
        p->id = 0;
        p->state = NGX_MNTREAMER_PROGRAM_FREE;
    }
}


static void
ngx_mntreamer_program_close(int *fd)
{
    if (*fd != -1) {
        (void) close(*fd);
        *fd = -1;
    }
}
