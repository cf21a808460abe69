
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_HLS_QUERY_H_INCLUDED_
#define _MNT_HLS_QUERY_H_INCLUDED_


#include "mnt_hls.h"


/*
 * Puts a query behind each address of a playlist that comes in pieces: lines
 * that are no tags, and URI attributes.  Only what lies beside the playlist
 * gets it; an address with a slash in its path, or with a scheme, is left as
 * it is, for the query may be a secret.  Everything else comes out as it went
 * in.
 */

typedef enum {
    MNT_HLS_QUERY_BEGIN = 0,                  /* of a line */
    MNT_HLS_QUERY_URI,                        /* a line that is an address */
    MNT_HLS_QUERY_TAG,
    MNT_HLS_QUERY_QUOTED,                     /* a text in it */
    MNT_HLS_QUERY_ATTR                        /* an address in it */
} mnt_hls_query_e;

typedef struct {
    mnt_str_t         query;                  /* alias, without "?" */
    mnt_hls_query_e   state;
    unsigned          name;                   /* matched of URI=" */
    unsigned          marked:1;               /* the address has a "?" */
    unsigned          foreign:1;              /* it gets no query */
} mnt_hls_query_t;


void mnt_hls_query_init(mnt_hls_query_t *q, mnt_str_t query);

/*
 * Takes from the front of *in what fits into "size" bytes, which must be more
 * than the query by 2 at least; returns how many were written.  With an empty
 * *in it is the end: an address without an end of line gets its query.
 */
size_t mnt_hls_query_put(mnt_hls_query_t *q, mnt_str_t *in, char *buf,
    size_t size);


#endif /* _MNT_HLS_QUERY_H_INCLUDED_ */
