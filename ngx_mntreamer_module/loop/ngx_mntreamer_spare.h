
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_MNTREAMER_SPARE_H_INCLUDED_
#define _NGX_MNTREAMER_SPARE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_mntreamer_offload.h"


/*
 * Descriptors and connections are bounded for each worker; what does not fit
 * is to wait, so that what is being recorded does not fail.
 */

/* how many polls may be under way: a quarter */
ngx_uint_t ngx_mntreamer_spare_polls(void);

/*
 * Counts what is open, in a thread but for the first time; to be called each
 * second.  "opening": recordings that were admitted and have not opened all
 * that they need.
 */
void ngx_mntreamer_spare_look(ngx_mntreamer_offload_t *off,
    ngx_uint_t opening);

/*
 * NGX_OK: there is spare for one recording more, and it is taken; a quarter is
 * left to those that run and to visitors.
 */
ngx_int_t ngx_mntreamer_spare_take(void);


#endif /* _NGX_MNTREAMER_SPARE_H_INCLUDED_ */
