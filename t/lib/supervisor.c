
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Drives the supervisor of programs as a worker does; t/812-programs.t builds
 * and runs it with the module's own files.  Prints TAP.
 *
 * usage: supervisor DIRECTORY
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "loop/ngx_mntreamer_child_internal.h"


typedef struct {
    ngx_mntreamer_report_t  end;
    size_t                  nout;
    char                    out[65536];
    size_t                  nerr;
    char                    err[NGX_MNTREAMER_REPORT_TAIL + 1];
    int                     ended;
} answer_t;


static int     tests, failures, sock;
static pid_t   supervisor;
static char   *directory;


static void
ok(int good, const char *name)
{
    tests++;
    failures += !good;
    printf("%sok %d - %s\n", good ? "" : "not ", tests, name);
    fflush(stdout);
}


static void
begin(const char *path)
{
    int       fd[2];
    sigset_t  all, set;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC, 0, fd) == -1) {
        _exit(2);
    }

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &set);

    supervisor = ngx_mntreamer_child_clone(0);

    if (supervisor == 0) {
        ngx_mntreamer_supervisor_main(fd[1], path);
    }

    sigprocmask(SIG_SETMASK, &set, NULL);
    close(fd[1]);
    sock = fd[0];
}


static int
gone(pid_t pid, int ms)
{
    for ( /* void */ ; ms > 0; ms -= 10) {
        if (kill(pid, 0) == -1 && errno == ESRCH) {
            return 1;
        }

        usleep(10000);
    }

    return 0;
}


static void
finish(void)
{
    close(sock);
    (void) waitpid(supervisor, NULL, __WALL);
}


static ngx_mntreamer_order_t
order(uint32_t id, uint64_t deadline_ms)
{
    ngx_mntreamer_order_t  o;

    memset(&o, 0, sizeof(o));

    o.kind = NGX_MNTREAMER_ORDER_START;
    o.id = id;
    o.captured = 1;
    o.deadline_ms = deadline_ms;
    o.grace_ms = 200;

    return o;
}


static void
start(ngx_mntreamer_order_t *o, const char *cwd, ...)
{
    char         buf[NGX_MNTREAMER_ORDER_MAX], *p;
    va_list      args;
    const char  *arg;

    p = buf + sizeof(*o);
    p = stpcpy(p, cwd) + 1;

    va_start(args, cwd);

    for (o->nargs = 0; (arg = va_arg(args, const char *)); o->nargs++) {
        p = stpcpy(p, arg) + 1;
    }

    va_end(args);

    memcpy(buf, o, sizeof(*o));
    (void) !send(sock, buf, p - buf, 0);
}


static void
tell(uint32_t kind, uint32_t id)
{
    ngx_mntreamer_order_t  o;

    memset(&o, 0, sizeof(o));
    o.kind = kind;
    o.id = id;
    (void) !send(sock, &o, sizeof(o), 0);
}


/* one report; 0: none came within "ms" */

static int
hear(answer_t *a, int ms)
{
    char                    buf[sizeof(a->end) + NGX_MNTREAMER_REPORT_DATA];
    ssize_t                 n;
    struct pollfd           pfd;
    ngx_mntreamer_report_t  r;

    pfd.fd = sock;
    pfd.events = POLLIN;

    if (poll(&pfd, 1, ms) != 1) {
        return 0;
    }

    n = recv(sock, buf, sizeof(buf), 0);

    if (n < (ssize_t) sizeof(r)) {
        return 0;
    }

    memcpy(&r, buf, sizeof(r));
    n -= sizeof(r);

    if (r.kind == NGX_MNTREAMER_REPORT_OUTPUT) {
        if (a->nout + n < sizeof(a->out)) {
            memcpy(a->out + a->nout, buf + sizeof(r), n);
            a->nout += n;
        }

    } else if (r.kind == NGX_MNTREAMER_REPORT_END) {
        a->end = r;
        a->nerr = n;
        memcpy(a->err, buf + sizeof(r), n);
        a->ended++;
    }

    a->out[a->nout] = '\0';
    a->err[a->nerr] = '\0';

    return 1;
}


static void
wait_end(answer_t *a)
{
    memset(a, 0, sizeof(*a));

    while (!a->ended && hear(a, 10000)) { /* void */ }
}


static int
number(const char *text, const char *name)
{
    const char  *p;

    p = strstr(text, name);

    return p ? atoi(p + strlen(name)) : -1;
}


static void
test_supervisor(void)
{
    int   fd, others;
    char  name[64], target[64];

    usleep(200000);
    others = 0;

    for (fd = 0; fd < 100; fd++) {
        snprintf(name, sizeof(name), "/proc/%d/fd/%d", supervisor, fd);

        if (readlink(name, target, sizeof(target)) != -1 && fd > 3) {
            others++;
        }
    }

    ok(others == 0, "the supervisor has no descriptor but its socket");
}


static void
test_begin(void)
{
    int                    pid;
    char                   both[64];
    answer_t               a;
    ngx_mntreamer_order_t  o;

    o = order(1, 5000);
    o.nice = 7;
    o.cpu_s = 3;
    o.memory = 1 << 30;

    start(&o, directory, "sh", "-c",
          "ls /proc/self/fd | tr '\\n' ' '; echo fds; env; pwd; umask;"
          "grep -E 'Sig(Blk|Ign)|NoNewPrivs' /proc/self/status;"
          "ulimit -c; ulimit -v; ulimit -t; nice;"
          "readlink /proc/$$/fd/0; echo pid: $$; cut -d' ' -f5,6 /proc/$$/stat;"
          "echo trouble >&2", NULL);
    wait_end(&a);

    ok(a.end.rc == NGX_MNTREAMER_CHILD_OK, "a program ends with 0");
    ok(strcmp(a.err, "trouble\n") == 0, "its stderr is kept");

    /* 3 is the directory that is listed */
    ok(strstr(a.out, "0 1 2 3 fds\n") == a.out, "it has no descriptor besides");
    ok(strstr(a.out, "PATH=/usr/bin:/bin\n") && strstr(a.out, "LC_ALL=C.UTF-8")
       && strstr(a.out, "MNT_SECRET") == NULL, "and no environment");
    ok(strstr(a.out, directory) != NULL, "its directory");
    ok(strstr(a.out, "0027\n") != NULL, "its umask");
    ok(strstr(a.out, "SigBlk:\t0000000000000000") != NULL, "no blocked signal");
    ok(strstr(a.out, "SigIgn:\t0000000000000000") != NULL, "no ignored one");
    ok(strstr(a.out, "NoNewPrivs:\t1") != NULL, "no way to privileges");
    ok(strstr(a.out, "\n0\n1048576\n3\n7\n") != NULL,
       "no core, its memory, time and nice value");
    ok(strstr(a.out, "/dev/null\n") != NULL, "nothing at stdin");

    pid = number(a.out, "pid: ");
    snprintf(both, sizeof(both), "\n%d %d\n", pid, pid);
    ok(strstr(a.out, both) != NULL, "a session and group of its own");
}


static void
test_failures(void)
{
    answer_t               a;
    struct rlimit          limit, few;
    ngx_mntreamer_order_t  o;

    o = order(2, 5000);
    start(&o, directory, "no-such-program", NULL);
    wait_end(&a);
    ok(a.end.rc == NGX_MNTREAMER_CHILD_START && a.end.code == ENOENT
       && a.end.call == NGX_MNTREAMER_CALL_EXECVE, "one that is not there");

    o = order(3, 5000);
    start(&o, "/no/such/directory", "true", NULL);
    wait_end(&a);
    ok(a.end.rc == NGX_MNTREAMER_CHILD_START && a.end.code == ENOENT
       && a.end.call == NGX_MNTREAMER_CALL_CHDIR, "no such directory");

    o = order(4, 5000);
    start(&o, "/", "/etc/passwd", NULL);
    wait_end(&a);
    ok(a.end.rc == NGX_MNTREAMER_CHILD_START && a.end.code == EACCES,
       "what is no program");

    o = order(5, 5000);
    start(&o, "/", "sh", "-c", "exit 3", NULL);
    wait_end(&a);
    ok(a.end.rc == NGX_MNTREAMER_CHILD_CODE && a.end.code == 3, "its code");

    o = order(6, 5000);
    start(&o, "/", "sh", "-c", "kill -SEGV $$", NULL);
    wait_end(&a);
    ok(a.end.rc == NGX_MNTREAMER_CHILD_SIGNAL && a.end.code == SIGSEGV,
       "its signal");

    o = order(7, 5000);
    start(&o, "/", "sh", "-c", "printf '%s' \"$1\"", "sh", "$(id) ; `id` | *",
          NULL);
    wait_end(&a);
    ok(strcmp(a.out, "$(id) ; `id` | *") == 0, "no shell sees its arguments");

    (void) prlimit(supervisor, RLIMIT_NOFILE, NULL, &limit);
    few = limit;
    few.rlim_cur = 6;
    (void) prlimit(supervisor, RLIMIT_NOFILE, &few, NULL);

    o = order(8, 5000);
    start(&o, "/", "true", NULL);
    wait_end(&a);
    ok(a.end.rc == NGX_MNTREAMER_CHILD_START && a.end.code == EMFILE
       && a.end.call == NGX_MNTREAMER_CALL_PIPE, "too few descriptors");

    (void) prlimit(supervisor, RLIMIT_NOFILE, &limit, NULL);

    o = order(9, 5000);
    start(&o, "/", "true", NULL);
    wait_end(&a);
    ok(a.end.rc == NGX_MNTREAMER_CHILD_OK, "and enough again");
}


static void
test_deadlines(void)
{
    int                    pid, child;
    answer_t               a;
    ngx_mntreamer_order_t  o;

    o = order(10, 300);
    start(&o, "/", "sleep", "100", NULL);
    wait_end(&a);
    ok(a.end.rc == NGX_MNTREAMER_CHILD_DEADLINE, "its deadline");
    ok(a.end.wall_ms >= 300 && a.end.wall_ms < 1000, "in time");

    o = order(11, 300);
    start(&o, "/", "sh", "-c",
          "trap '' TERM; sleep 100 & echo child: $!; echo pid: $$;"
          " while :; do sleep 100; done", NULL);
    wait_end(&a);
    pid = number(a.out, "pid: ");
    child = number(a.out, "child: ");
    ok(a.end.rc == NGX_MNTREAMER_CHILD_DEADLINE, "one that ignores SIGTERM");
    ok(a.end.wall_ms >= 500 && a.end.wall_ms < 1500, "after the grace");
    ok(pid > 0 && gone(pid, 1000) && child > 0 && gone(child, 1000),
       "with what it had started");

    o = order(12, 60000);
    start(&o, "/", "sh", "-c", "sleep 100 & echo child: $!", NULL);
    wait_end(&a);
    child = number(a.out, "child: ");
    ok(a.end.rc == NGX_MNTREAMER_CHILD_OK && child > 0 && gone(child, 1000),
       "what one leaves behind that ends by itself");

    o = order(13, 60000);
    start(&o, "/", "sleep", "100", NULL);
    tell(NGX_MNTREAMER_ORDER_END, 13);
    wait_end(&a);
    ok(a.end.rc == NGX_MNTREAMER_CHILD_SIGNAL && a.end.code == SIGTERM,
       "told to end");

    o = order(14, 60000);
    start(&o, "/", "sleep", "100", NULL);
    tell(NGX_MNTREAMER_ORDER_KILL, 14);
    wait_end(&a);
    ok(a.end.rc == NGX_MNTREAMER_CHILD_SIGNAL && a.end.code == SIGKILL,
       "killed");

    o = order(15, 60000);
    start(&o, "/", "sh", "-c", "kill -STOP $$", NULL);
    tell(NGX_MNTREAMER_ORDER_END, 15);
    wait_end(&a);
    ok(a.end.rc == NGX_MNTREAMER_CHILD_SIGNAL, "a stopped one");
}


/* one that writes for ever is read as fast as we read, deadlines hold */

static void
test_floods(void)
{
    size_t                 i, n;
    answer_t               a;
    ngx_mntreamer_order_t  o;

    o = order(22, 500);
    o.captured = 0;
    start(&o, "/", "sleep", "100", NULL);

    o = order(20, 1500);
    start(&o, "/", "yes", NULL);

    o = order(21, 5000);
    o.captured = 0;
    start(&o, "/", "sh", "-c",
          "i=0; while [ $i -lt 3000 ]; do echo \"line $i\"; i=$((i+1)); done >&2",
          NULL);

    usleep(2000000);                           /* the pair of sockets is full */

    memset(&a, 0, sizeof(a));
    n = 0;

    for (i = 0; i < 100000 && a.ended < 3 && hear(&a, 5000); i++) {
        n += a.nout;
        a.nout = 0;

        if (a.ended && a.end.id == 21) {
            ok(a.end.rc == NGX_MNTREAMER_CHILD_OK, "a flood of stderr");
            ok(a.nerr == NGX_MNTREAMER_REPORT_TAIL
               && strcmp(a.err + a.nerr - 10, "line 2999\n") == 0,
               "its end is kept");

        } else if (a.ended && a.end.id == 20) {
            ok(a.end.rc == NGX_MNTREAMER_CHILD_DEADLINE
               && a.end.wall_ms < 2500, "a flood has its deadline");

        } else if (a.ended && a.end.id == 22) {
            ok(a.end.rc == NGX_MNTREAMER_CHILD_DEADLINE
               && a.end.wall_ms < 1000, "and so have others meanwhile");
        }

        if (a.end.id) {
            a.end.id = 0;
        }
    }

    ok(a.ended == 3, "all three came to their end");
    ok(n > 65536 && n < 4 * 1024 * 1024, "it waited for its reader");
}


static void
test_many(void)
{
    int                    i, good, ended;
    size_t                 n;
    answer_t               a;
    ngx_mntreamer_order_t  o;

    for (i = 0; i < NGX_MNTREAMER_CHILDREN_MAX; i++) {
        o = order(100 + i, 5000);
        start(&o, "/", "sh", "-c", "head -c 5000 /dev/zero; exit 1", NULL);
    }

    memset(&a, 0, sizeof(a));
    good = 0;
    n = 0;

    while (a.ended < NGX_MNTREAMER_CHILDREN_MAX) {
        ended = a.ended;

        if (!hear(&a, 5000)) {
            break;
        }

        n += a.nout;
        a.nout = 0;
        good += (a.ended > ended && a.end.rc == NGX_MNTREAMER_CHILD_CODE);
    }

    ok(good == NGX_MNTREAMER_CHILDREN_MAX, "as many as there may be");
    ok(n == NGX_MNTREAMER_CHILDREN_MAX * 5000, "all that they wrote");
}


/* whoever dies takes the rest along, and leaves no zombie to this process */

static void
test_deaths(void)
{
    int                    pid, child, status;
    answer_t               a;
    ngx_mntreamer_order_t  o;

    o = order(30, 60000);
    start(&o, "/", "sh", "-c", "trap '' TERM; sleep 100 & echo child: $!;"
          " echo pid: $$; wait", NULL);
    memset(&a, 0, sizeof(a));
    while (number(a.out, "pid: ") <= 0 && hear(&a, 5000)) { /* void */ }
    pid = number(a.out, "pid: ");
    child = number(a.out, "child: ");

    ok(kill(pid, 0) == 0 && kill(child, 0) == 0, "they run");
    ok(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD,
       "wait() knows of no child");

    close(sock);
    ok(gone(pid, 2000) && gone(child, 2000),
       "when the worker is gone, so are programs");

    ok(waitpid(supervisor, &status, __WALL) == supervisor
       && WIFEXITED(status) && WEXITSTATUS(status) == 0,
       "and the supervisor, with 0");

    begin("/usr/bin:/bin");

    o = order(31, 60000);
    start(&o, "/", "sh", "-c", "echo pid: $$; exec sleep 100", NULL);
    memset(&a, 0, sizeof(a));
    while (number(a.out, "pid: ") <= 0 && hear(&a, 5000)) { /* void */ }
    pid = number(a.out, "pid: ");

    kill(supervisor, SIGKILL);
    ok(gone(pid, 2000), "when the supervisor is killed, so are programs");
    (void) waitpid(supervisor, NULL, __WALL);
    close(sock);
}


/* signals that a service manager sends to all end neither */

static void
test_signals(void)
{
    answer_t               a;
    ngx_mntreamer_order_t  o;

    kill(supervisor, SIGTERM);
    kill(supervisor, SIGINT);
    kill(supervisor, SIGHUP);
    kill(supervisor, SIGQUIT);

    o = order(40, 5000);
    start(&o, "/", "true", NULL);
    wait_end(&a);
    ok(a.end.rc == NGX_MNTREAMER_CHILD_OK, "the supervisor ignores signals");
}


int
main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }

    directory = argv[1];

    setenv("MNT_SECRET", "x", 1);
    signal(SIGPIPE, SIG_IGN);

    /* as a listening socket of nginx */
    (void) open("/dev/null", O_RDONLY);

    begin("/usr/bin:/bin");
    test_supervisor();
    test_begin();
    test_failures();
    test_deadlines();
    test_floods();
    test_many();
    test_signals();
    test_deaths();

    begin("/usr/bin:/bin");
    finish();

    printf("1..%d\n", tests);

    return failures != 0;
}
