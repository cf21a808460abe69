
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_INJECT_H_INCLUDED_
#define _NGX_MNTREAMER_INJECT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Places where a test ends the process as SIGKILL does; compiled in by
 * -DNGX_MNTREAMER_INJECT=1 only.  The environment says where:
 *
 * MNT_INJECT=place:n      at the n-th pass of this process
 * MNT_INJECT_FILE=path    as the file says, which all processes map: eight
 *                         bytes, how many passes are left (0: none), and the
 *                         name of the place, NUL-terminated.  It is counted
 *                         down by all of them, so one dies, once.
 */

#if (NGX_MNTREAMER_INJECT)
void ngx_mntreamer_inject(const char *place);
#else
#define ngx_mntreamer_inject(place)
#endif


#endif /* _NGX_MNTREAMER_INJECT_H_INCLUDED_ */
