
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_CHILD_INTERNAL_H_INCLUDED_
#define _NGX_MNTREAMER_CHILD_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_child.h"


/*
 * What passes between a worker and its supervisor: datagrams of a pair of
 * sockets, each with a head.
 */

#define NGX_MNTREAMER_ORDER_MAX    16384      /* bytes of an order */
#define NGX_MNTREAMER_REPORT_DATA  4096       /* of stdout, in one report */
#define NGX_MNTREAMER_REPORT_TAIL  2048       /* of stderr, at the end */
#define NGX_MNTREAMER_ARGS_MAX     320


/* to the supervisor */

typedef enum {
    NGX_MNTREAMER_ORDER_START = 1,            /* the strings are behind it: cwd
                                                 and the arguments */
    NGX_MNTREAMER_ORDER_END,                  /* SIGTERM, then SIGKILL */
    NGX_MNTREAMER_ORDER_KILL
} ngx_mntreamer_order_e;

typedef struct {
    uint32_t       kind;                      /* order_e */
    uint32_t       id;

    /* of START */
    uint32_t       nargs;
    uint32_t       captured;                  /* :1; stdout is wanted */
    int32_t        nice;
    uint32_t       cpu_s;
    uint64_t       memory;
    uint64_t       deadline_ms;
    uint64_t       grace_ms;
} ngx_mntreamer_order_t;


/* to the worker */

typedef enum {
    NGX_MNTREAMER_REPORT_STARTED = 1,         /* "code" is its pid and group */
    NGX_MNTREAMER_REPORT_OUTPUT,          /* bytes of stdout behind it */
    NGX_MNTREAMER_REPORT_END                  /* the end of stderr */
} ngx_mntreamer_report_e;

typedef enum {
    NGX_MNTREAMER_CALL_NONE = 0,
    NGX_MNTREAMER_CALL_PIPE,
    NGX_MNTREAMER_CALL_CLONE,
    NGX_MNTREAMER_CALL_SETRLIMIT,
    NGX_MNTREAMER_CALL_CHDIR,
    NGX_MNTREAMER_CALL_EXECVE
} ngx_mntreamer_call_e;

typedef struct {
    uint32_t       kind;                      /* report_e */
    uint32_t       id;

    /* of END */
    uint32_t       rc;                        /* child_rc_e */
    uint32_t       call;                      /* call_e */
    int32_t        code;
    uint32_t       unused;
    uint64_t       wall_ms;
    uint64_t       cpu_ms;
} ngx_mntreamer_report_t;


/*
 * A process as fork() makes it, besides: no handler of fork() runs, whose
 * locks a thread may hold, and with a signal of 0 wait() without __WALL does
 * not see it.  What runs in it is to call nothing but the kernel.
 */
pid_t ngx_mntreamer_child_clone(int exit_signal);

/* ngx_mntreamer_supervisor.c: all of that process, after it was cloned with
   all signals blocked; "path" is a list of directories */
void ngx_mntreamer_supervisor_main(int fd, const char *path)
    __attribute__((noreturn));


/* ngx_mntreamer_supervisor_exec.c */

/* a program's end of each; "out" may be that of /dev/null */

typedef struct {
    int            out;
    int            err;
    int            failed;                    /* told of what failed */
} ngx_mntreamer_exec_fds_t;

typedef struct {
    uint32_t       call;                      /* call_e */
    int32_t        err;
} ngx_mntreamer_exec_failed_t;

/* in the process that is to become the program */
void ngx_mntreamer_supervisor_exec(const ngx_mntreamer_order_t *order,
    const char *strings, const ngx_mntreamer_exec_fds_t *fds, pid_t supervisor,
    const char *path) __attribute__((noreturn));

/* closes all descriptors from "first" on */
void ngx_mntreamer_supervisor_close(int first);


#endif /* _NGX_MNTREAMER_CHILD_INTERNAL_H_INCLUDED_ */
