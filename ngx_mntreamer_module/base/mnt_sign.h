
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_SIGN_H_INCLUDED_
#define _MNT_SIGN_H_INCLUDED_


#include "mnt_str.h"


/*
 * Links that hold for a time and for one directory:
 *
 *     token     VERSION "." EXPIRES "." KEY "." MAC
 *     VERSION   "1" for everybody, "1a" for one address
 *     EXPIRES   seconds since 1970: from then on it is of no use
 *     KEY       which key: 8 hex digits, of HMAC-SHA-256 of "mntreamer key"
 *     MAC       base64url, without padding, of HMAC-SHA-256 of the lines
 *               mntreamer-1, GET, directory, EXPIRES, KEY, address
 *
 * joined by LF, without one at the end; the address is empty unless VERSION is
 * "1a".  The key is the secret's text as it is.  A token has one spelling.
 */

#define MNT_SIGN_ID      8
#define MNT_SIGN_MAC     43
#define MNT_SIGN_MAX     80                   /* holds a token */
#define MNT_SIGN_SECRET  32                   /* bytes, at least */

typedef struct {
    mnt_str_t      secret;                    /* alias */
    char           id[MNT_SIGN_ID + 1];
} mnt_sign_key_t;

typedef struct {
    mnt_str_t      directory;                 /* below the storage */
    mnt_str_t      address;                   /* null: for everybody */
    int64_t        expires_s;
} mnt_sign_link_t;

typedef enum {
    MNT_SIGN_OK = 0,
    MNT_SIGN_BAD,
    MNT_SIGN_EXPIRED                          /* and was good before */
} mnt_sign_e;


/* 0; -1: the secret is too short */
int mnt_sign_key(mnt_sign_key_t *key, mnt_str_t secret);

/* the length of the token; 0: there can be none, or it does not fit */
size_t mnt_sign_make(const mnt_sign_key_t *key, const mnt_sign_link_t *link,
    char *buf, size_t size);

/*
 * Is it a token of one of the keys for this directory?  "link" has that and
 * the address of who asks; of a good one it gets the expiry, and a null
 * address when it is for everybody.
 */
mnt_sign_e mnt_sign_check(const mnt_sign_key_t *keys, size_t n,
    mnt_str_t token, mnt_sign_link_t *link, int64_t now_s);


#endif /* _MNT_SIGN_H_INCLUDED_ */
