
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_URL_H_INCLUDED_
#define _MNT_URL_H_INCLUDED_


#include "mnt_arena.h"


#define MNT_URL_MAX  8192                     /* bytes of a whole URL */


typedef struct {
    mnt_str_t   scheme;
    mnt_str_t   userinfo;
    mnt_str_t   host;                         /* IPv6 without brackets */
    uint32_t    port;                         /* given, or the scheme's */
    mnt_str_t   path;
    mnt_str_t   query;                        /* without '?' */
    unsigned    has_query:1;
    unsigned    ipv6:1;
} mnt_url_t;


/*
 * Reads an absolute http or https URL (RFC 3986); everything else, control
 * characters, spaces, user information and an empty host are refused with -1.
 * The pieces are aliases of "s".
 */
int mnt_url_parse(mnt_str_t s, mnt_url_t *u);

/*
 * RFC 3986 5.2 reference resolution.  "base" is absolute; the result is an
 * absolute http(s) URL in the arena without fragment, percent-encoding kept as
 * it came, or data == NULL when it would be none (other scheme, too long,
 * control characters).  Spaces and bytes beyond ASCII in "ref" are encoded.
 */
mnt_str_t mnt_url_join(mnt_arena_t *a, mnt_str_t base, mnt_str_t ref);

/*
 * 1 when both are absolute and have the same scheme, host and port: what is a
 * secret of the one may be told to the other (RFC 6454 4, 5).
 */
int mnt_url_same_origin(mnt_str_t one, mnt_str_t other);

/*
 * What may be logged of a URL: scheme, host and path; the query, the fragment
 * and every path segment that holds a token (hdnts, hdntl, hmac=, ~acl=) are
 * replaced by "...".  Returns the length written, at most size - 1; the text
 * is terminated and holds no control characters.
 */
size_t mnt_url_redact(mnt_str_t url, char *buf, size_t size);

/*
 * The time at which a signed URL dies: the number behind "exp=" in a token of
 * the path or the query (CHZZK.md 2.5); -1 when there is none.  Seconds.
 */
int64_t mnt_url_expires(mnt_str_t url);

/* identity of a resource without its token: hash of the last path segment */
uint64_t mnt_url_identity(mnt_str_t url);


#endif /* _MNT_URL_H_INCLUDED_ */
