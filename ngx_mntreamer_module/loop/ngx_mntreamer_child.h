
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_CHILD_H_INCLUDED_
#define _NGX_MNTREAMER_CHILD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Other programs, the only place that starts one.  They are no children of
 * the worker: a supervisor, which is forked once, starts them, watches their
 * deadlines and kills all that is left when the worker is gone in whatever way
 * (docs/adr/019).
 *
 * A program gets an argument vector (no shell ever sees it), an environment of
 * PATH and LC_ALL, a session of its own, stdin from /dev/null, no descriptor
 * besides, signals as at a login, umask 027, no core file, and can gain no
 * privileges.  Its name is looked for in the worker's PATH, or in the usual
 * places when nginx's "env" gives it none.
 */


typedef struct ngx_mntreamer_children_s  ngx_mntreamer_children_t;
typedef struct ngx_mntreamer_child_s     ngx_mntreamer_child_t;


typedef enum {
    NGX_MNTREAMER_CHILD_OK = 0,               /* exited with 0 */
    NGX_MNTREAMER_CHILD_CODE,                 /* exited with "code" */
    NGX_MNTREAMER_CHILD_SIGNAL,               /* ended by signal "code" */
    NGX_MNTREAMER_CHILD_START,                /* not started: errno "code" */
    NGX_MNTREAMER_CHILD_DEADLINE,             /* killed at its deadline */
    NGX_MNTREAMER_CHILD_OUTPUT,               /* killed: beyond max_output */
    NGX_MNTREAMER_CHILD_LOST                  /* killed with its supervisor */
} ngx_mntreamer_child_rc_e;

typedef struct {
    ngx_uint_t      rc;                       /* child_rc_e */
    ngx_int_t       code;
    const char     *call;                     /* of START: which one failed */
    ngx_msec_t      wall_ms;
    ngx_msec_t      cpu_ms;
    ngx_str_t       output;                   /* alias valid in done() */
    ngx_str_t       errors;                   /* the same: the end of stderr */
} ngx_mntreamer_child_result_t;

/* exactly once, later, never after cancel; may start and cancel others */
typedef void (*ngx_mntreamer_child_pt)(void *data,
    const ngx_mntreamer_child_result_t *result);

/* a line of stdout without its end; may cancel */
typedef void (*ngx_mntreamer_child_line_pt)(void *data, ngx_str_t *line);

typedef struct {
    const char *const            *argv;       /* ends with NULL */
    const char                   *cwd;        /* absolute */
    ngx_msec_t                    deadline_ms;  /* of its run, not of its wait;
                                                   0 is refused */
    ngx_msec_t                    grace_ms;   /* from SIGTERM to SIGKILL */
    size_t                        max_output; /* kept of stdout, beyond it is
                                                 killed; 0: to /dev/null */
    ngx_mntreamer_child_line_pt   line;       /* instead of max_output */
    ngx_int_t                     nice;
    size_t                        max_memory; /* RLIMIT_AS; 0: as we have */
    ngx_uint_t                    max_cpu_s;  /* RLIMIT_CPU; 0: as we have */
    ngx_mntreamer_child_pt        done;
    void                         *data;       /* alias */
} ngx_mntreamer_child_conf_t;


/*
 * At most "running" at once (up to NGX_MNTREAMER_CHILDREN_MAX), the others
 * wait in the order of their starts.  Forks, and takes one of
 * worker_connections.  NULL: logged.
 */
#define NGX_MNTREAMER_CHILDREN_MAX  16

ngx_mntreamer_children_t *ngx_mntreamer_children_create(ngx_uint_t running,
    ngx_log_t *log);

/* kills all of them, without done(); waits up to half a second for that */
void ngx_mntreamer_children_destroy(ngx_mntreamer_children_t *children);

/* what "conf" points to is copied.  NULL: memory gone, 64 wait already, or the
   arguments are too long; done() is not called */
ngx_mntreamer_child_t *ngx_mntreamer_child_start(
    ngx_mntreamer_children_t *children,
    const ngx_mntreamer_child_conf_t *conf);

/* SIGTERM, after grace_ms SIGKILL; done() is not called any more */
void ngx_mntreamer_child_cancel(ngx_mntreamer_child_t *child);

/* the same, but done() comes when it is gone; NGX_DECLINED: it never ran, and
   is freed */
ngx_int_t ngx_mntreamer_child_stop(ngx_mntreamer_child_t *child);

/* "was killed after 8000 ms: what it said last", for a line of the log */
ngx_str_t ngx_mntreamer_child_text(const ngx_mntreamer_child_result_t *result,
    u_char *buf, size_t size);


#endif /* _NGX_MNTREAMER_CHILD_H_INCLUDED_ */
