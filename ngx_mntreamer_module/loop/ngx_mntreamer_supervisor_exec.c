
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * A process becomes a program.  It is a copy of a copy of a worker, any lock
 * of which may be held by a thread that is not here: it calls the kernel only.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "ngx_mntreamer_child_internal.h"


#define NGX_MNTREAMER_EXEC_UMASK   027
#define NGX_MNTREAMER_EXEC_FAILED  127        /* as a shell does */
#define NGX_MNTREAMER_EXEC_PATH    4096

/* of Linux 5.9, which a libc may be older than */

#ifndef SYS_close_range
#define SYS_close_range            436
#endif


static void ngx_mntreamer_exec_descriptors(
    const ngx_mntreamer_exec_fds_t *fds);
static ngx_int_t ngx_mntreamer_exec_limits(const ngx_mntreamer_order_t *order);
static int ngx_mntreamer_exec_limit(int resource, uint64_t value);
static void ngx_mntreamer_exec_signals(void);
static void ngx_mntreamer_exec_search(char **argv, char **envp,
    const char *path);


void
ngx_mntreamer_supervisor_exec(const ngx_mntreamer_order_t *order,
    const char *strings, const ngx_mntreamer_exec_fds_t *fds, pid_t supervisor,
    const char *path)
{
    size_t                        n;
    uint32_t                      i;
    char                         *argv[NGX_MNTREAMER_ARGS_MAX + 1], *envp[3];
    char                          name[NGX_MNTREAMER_EXEC_PATH + 8];
    const char                   *cwd;
    ngx_mntreamer_exec_failed_t   failed;

    /* whoever starts it dies: so does it */

    (void) prctl(PR_SET_PDEATHSIG, SIGKILL);

    if (getppid() != supervisor) {
        _exit(NGX_MNTREAMER_EXEC_FAILED);
    }

    cwd = strings;

    for (i = 0; i < order->nargs; i++) {
        strings += strlen(strings) + 1;
        argv[i] = (char *) strings;
    }

    argv[i] = NULL;

    n = ngx_min(strlen(path), NGX_MNTREAMER_EXEC_PATH);
    memcpy(name, "PATH=", 5);
    memcpy(name + 5, path, n);
    name[5 + n] = '\0';

    envp[0] = name;
    envp[1] = (char *) "LC_ALL=C.UTF-8";
    envp[2] = NULL;

    (void) setsid();
    (void) umask(NGX_MNTREAMER_EXEC_UMASK);
    (void) setpriority(PRIO_PROCESS, 0, order->nice);
    (void) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

    ngx_mntreamer_exec_descriptors(fds);

    if (ngx_mntreamer_exec_limits(order) != NGX_OK) {
        failed.call = NGX_MNTREAMER_CALL_SETRLIMIT;

    } else if (chdir(cwd) == -1) {
        failed.call = NGX_MNTREAMER_CALL_CHDIR;

    } else {
        failed.call = NGX_MNTREAMER_CALL_EXECVE;

        ngx_mntreamer_exec_signals();
        ngx_mntreamer_exec_search(argv, envp, path);
    }

    failed.err = errno;

    (void) !write(3, &failed, sizeof(ngx_mntreamer_exec_failed_t));

    _exit(NGX_MNTREAMER_EXEC_FAILED);
}


/* 0 is /dev/null already, and the ends of pipes are beyond 3 */

static void
ngx_mntreamer_exec_descriptors(const ngx_mntreamer_exec_fds_t *fds)
{
    (void) dup2(fds->out, STDOUT_FILENO);
    (void) dup2(fds->err, STDERR_FILENO);
    (void) dup2(fds->failed, 3);
    (void) fcntl(3, F_SETFD, FD_CLOEXEC);

    ngx_mntreamer_supervisor_close(4);
}


static ngx_int_t
ngx_mntreamer_exec_limits(const ngx_mntreamer_order_t *order)
{
    if (ngx_mntreamer_exec_limit(RLIMIT_CORE, 0) == -1
        || (order->memory
            && ngx_mntreamer_exec_limit(RLIMIT_AS, order->memory) == -1)
        || (order->cpu_s
            && ngx_mntreamer_exec_limit(RLIMIT_CPU, order->cpu_s) == -1))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* never above what there is */

static int
ngx_mntreamer_exec_limit(int resource, uint64_t value)
{
    struct rlimit  limit;

    if (getrlimit(resource, &limit) == -1) {
        return -1;
    }

    limit.rlim_max = ngx_min(limit.rlim_max, (rlim_t) value);
    limit.rlim_cur = limit.rlim_max;

    return setrlimit(resource, &limit);
}


static void
ngx_mntreamer_exec_signals(void)
{
    int               sig;
    sigset_t          none;
    struct sigaction  sa;

    memset(&sa, 0, sizeof(struct sigaction));
    sa.sa_handler = SIG_DFL;

    for (sig = 1; sig < NSIG; sig++) {
        (void) sigaction(sig, &sa, NULL);
    }

    sigemptyset(&none);
    (void) sigprocmask(SIG_SETMASK, &none, NULL);
}


/* returns with errno of the failure that matters */

static void
ngx_mntreamer_exec_search(char **argv, char **envp, const char *path)
{
    int          err;
    char         file[NGX_MNTREAMER_EXEC_PATH];
    size_t       n, len;
    const char  *end;

    if (argv[0] == NULL) {
        errno = EINVAL;
        return;
    }

    if (strchr(argv[0], '/')) {
        (void) execve(argv[0], argv, envp);
        return;
    }

    err = ENOENT;
    len = strlen(argv[0]) + 1;

    for ( /* void */ ; ; path = end + 1) {
        end = strchr(path, ':');

        if (end == NULL) {
            end = path + strlen(path);
        }

        n = end - path;

        if (n && n + 1 + len <= sizeof(file)) {
            memcpy(file, path, n);
            file[n] = '/';
            memcpy(file + n + 1, argv[0], len);

            (void) execve(file, argv, envp);

            if (errno != ENOENT && errno != ENOTDIR) {
                err = errno;
            }
        }

        if (*end == '\0') {
            break;
        }
    }

    errno = err;
}


void
ngx_mntreamer_supervisor_close(int first)
{
    struct rlimit  limit;

    if (syscall(SYS_close_range, first, ~0U, 0) == 0) {
        return;
    }

    if (getrlimit(RLIMIT_NOFILE, &limit) == -1
        || limit.rlim_cur > NGX_MAX_INT32_VALUE)
    {
        limit.rlim_cur = 65536;
    }

    for ( /* void */ ; first < (int) limit.rlim_cur; first++) {
        (void) close(first);
    }
}
