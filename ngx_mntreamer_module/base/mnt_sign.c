
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_sign.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>


#define MNT_SIGN_BYTES   32                   /* of a MAC */
#define MNT_SIGN_TEXT    4096                 /* that is signed */
#define MNT_SIGN_DIGITS  12                   /* of an expiry */


typedef struct {
    mnt_str_t  version;
    mnt_str_t  expires;
    mnt_str_t  id;
    mnt_str_t  mac;
} mnt_sign_token_t;


static int mnt_sign_hmac(mnt_str_t secret, const char *text, size_t len,
    unsigned char *mac);
static int mnt_sign_mac(const mnt_sign_key_t *key,
    const mnt_sign_link_t *link, char *mac);
static int mnt_sign_read(mnt_str_t token, mnt_sign_token_t *t);
static int mnt_sign_field(mnt_str_t *token, mnt_str_t *field);


int
mnt_sign_key(mnt_sign_key_t *key, mnt_str_t secret)
{
    unsigned       i;
    unsigned char  mac[MNT_SIGN_BYTES];

    static const char  text[] = "mntreamer key";

    if (secret.len < MNT_SIGN_SECRET
        || mnt_sign_hmac(secret, text, sizeof(text) - 1, mac) != 0)
    {
        return -1;
    }

    key->secret = secret;

    for (i = 0; i < MNT_SIGN_ID / 2; i++) {
        (void) snprintf(key->id + 2 * i, 3, "%02x", mac[i]);
    }

    return 0;
}


static int
mnt_sign_hmac(mnt_str_t secret, const char *text, size_t len,
    unsigned char *mac)
{
    unsigned  n;

    if (secret.len > INT32_MAX
        || HMAC(EVP_sha256(), secret.data, (int) secret.len,
                (const unsigned char *) text, len, mac, &n)
           == NULL)
    {
        return -1;
    }

    return n == MNT_SIGN_BYTES ? 0 : -1;
}


size_t
mnt_sign_make(const mnt_sign_key_t *key, const mnt_sign_link_t *link,
    char *buf, size_t size)
{
    int   n;
    char  mac[MNT_SIGN_MAC + 1];

    if (mnt_sign_mac(key, link, mac) != 0) {
        return 0;
    }

    n = snprintf(buf, size, "1%s.%" PRId64 ".%s.%s",
                 link->address.len ? "a" : "", link->expires_s, key->id, mac);

    return (n > 0 && (size_t) n < size) ? (size_t) n : 0;
}


/* of bytes in threes: 32 of them are 10 times four letters, and three */

static int
mnt_sign_mac(const mnt_sign_key_t *key, const mnt_sign_link_t *link, char *mac)
{
    int            n;
    char           text[MNT_SIGN_TEXT];
    unsigned       i, bits, word;
    unsigned char  md[MNT_SIGN_BYTES];

    static const char  letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789-_";

    if (link->directory.len == 0 || link->directory.len > MNT_SIGN_TEXT
        || link->address.len > MNT_SIGN_TEXT || link->expires_s <= 0
        || memchr(link->directory.data, '\n', link->directory.len))
    {
        return -1;
    }

    n = snprintf(text, sizeof(text),
                 "mntreamer-1\nGET\n%.*s\n%" PRId64 "\n%s\n%.*s",
                 (int) link->directory.len, link->directory.data,
                 link->expires_s, key->id, (int) link->address.len,
                 link->address.len ? link->address.data : "");

    if (n < 0 || (size_t) n >= sizeof(text)
        || mnt_sign_hmac(key->secret, text, (size_t) n, md) != 0)
    {
        return -1;
    }

    for (word = 0, bits = 0, i = 0; i < MNT_SIGN_BYTES; i++) {
        word = word << 8 | md[i];
        bits += 8;

        while (bits >= 6) {
            bits -= 6;
            *mac++ = letters[word >> bits & 63];
        }
    }

    *mac++ = letters[word << (6 - bits) & 63];
    *mac = '\0';

    return 0;
}


mnt_sign_e
mnt_sign_check(const mnt_sign_key_t *keys, size_t n, mnt_str_t token,
    mnt_sign_link_t *link, int64_t now_s)
{
    char              mac[MNT_SIGN_MAC + 1];
    size_t            i;
    mnt_sign_link_t   l;
    mnt_sign_token_t  t;

    l.directory = link->directory;
    l.address = link->address;

    if (mnt_sign_read(token, &t) != 0
        || mnt_str_i64(t.expires, &l.expires_s) != 0)
    {
        return MNT_SIGN_BAD;
    }

    if (mnt_str_eqc(t.version, "1")) {
        l.address.data = NULL;
        l.address.len = 0;

    } else if (!mnt_str_eqc(t.version, "1a") || l.address.len == 0) {
        return MNT_SIGN_BAD;
    }

    for (i = 0; i < n; i++) {
        if (mnt_str_eqc(t.id, keys[i].id)) {
            break;
        }
    }

    if (i == n || mnt_sign_mac(&keys[i], &l, mac) != 0
        || CRYPTO_memcmp(mac, t.mac.data, MNT_SIGN_MAC) != 0)
    {
        return MNT_SIGN_BAD;
    }

    *link = l;

    return now_s < l.expires_s ? MNT_SIGN_OK : MNT_SIGN_EXPIRED;
}


static int
mnt_sign_read(mnt_str_t token, mnt_sign_token_t *t)
{
    size_t  i;

    if (mnt_sign_field(&token, &t->version) != 0
        || mnt_sign_field(&token, &t->expires) != 0
        || mnt_sign_field(&token, &t->id) != 0)
    {
        return -1;
    }

    t->mac = token;

    if (t->expires.len == 0 || t->expires.len > MNT_SIGN_DIGITS
        || t->expires.data[0] == '0' || t->mac.len != MNT_SIGN_MAC)
    {
        return -1;
    }

    for (i = 0; i < t->expires.len; i++) {
        if (t->expires.data[i] < '0' || t->expires.data[i] > '9') {
            return -1;
        }
    }

    return 0;
}


static int
mnt_sign_field(mnt_str_t *token, mnt_str_t *field)
{
    const char  *dot;

    dot = token->len ? memchr(token->data, '.', token->len) : NULL;

    if (dot == NULL) {
        return -1;
    }

    field->data = token->data;
    field->len = (size_t) (dot - token->data);

    token->data += field->len + 1;
    token->len -= field->len + 1;

    return 0;
}
