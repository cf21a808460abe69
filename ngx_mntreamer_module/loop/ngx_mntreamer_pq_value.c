
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <libpq-fe.h>

#include "ngx_mntreamer_pq.h"


#define NGX_MNTREAMER_PQ_ARRAY_MIN  256


static u_char *ngx_mntreamer_pq_array_next(ngx_mntreamer_pq_array_t *b,
    size_t len);
static u_char *ngx_mntreamer_pq_array_reserve(ngx_mntreamer_pq_array_t *b,
    size_t len);
static const char *ngx_mntreamer_pq_check_hosts(const char *hosts,
    const char *addrs);
static size_t ngx_mntreamer_pq_check_item(const char **list, char *buf,
    size_t size);
static ngx_uint_t ngx_mntreamer_pq_check_literal(const char *host);


ngx_str_t
ngx_mntreamer_rows_get(const ngx_mntreamer_rows_t *rows, ngx_uint_t row,
    ngx_uint_t column)
{
    ngx_str_t        value;
    const PGresult  *res;

    res = (const PGresult *) rows;

    ngx_str_null(&value);

    if (row >= (ngx_uint_t) PQntuples(res)
        || column >= (ngx_uint_t) PQnfields(res)
        || PQgetisnull(res, (int) row, (int) column))
    {
        return value;
    }

    value.data = (u_char *) PQgetvalue(res, (int) row, (int) column);
    value.len = (size_t) PQgetlength(res, (int) row, (int) column);

    return value;
}


int64_t
ngx_mntreamer_rows_i64(const ngx_mntreamer_rows_t *rows, ngx_uint_t row,
    ngx_uint_t column, int64_t dflt)
{
    char       *end;
    ngx_str_t   value;
    long long   n;

    value = ngx_mntreamer_rows_get(rows, row, column);

    if (value.len == 0) {
        return dflt;
    }

    ngx_set_errno(0);

    n = strtoll((char *) value.data, &end, 10);

    if (ngx_errno != 0 || *end != '\0') {
        return dflt;
    }

    return (int64_t) n;
}


ngx_uint_t
ngx_mntreamer_rows_bool(const ngx_mntreamer_rows_t *rows, ngx_uint_t row,
    ngx_uint_t column)
{
    ngx_str_t  value;

    value = ngx_mntreamer_rows_get(rows, row, column);

    return value.len == 1 && value.data[0] == 't';
}


void
ngx_mntreamer_pq_array_text(ngx_mntreamer_pq_array_t *b,
    const ngx_str_t *value)
{
    size_t   i;
    u_char  *p;

    if (value == NULL || value->data == NULL) {
        ngx_mntreamer_pq_array_null(b);
        return;
    }

    p = ngx_mntreamer_pq_array_next(b, 2 * value->len + 2);
    if (p == NULL) {
        return;
    }

    *p++ = '"';

    for (i = 0; i < value->len; i++) {
        if (value->data[i] == '"' || value->data[i] == '\\') {
            *p++ = '\\';
        }

        *p++ = value->data[i];
    }

    *p++ = '"';

    b->len = p - b->data;
}


void
ngx_mntreamer_pq_array_i64(ngx_mntreamer_pq_array_t *b, int64_t value)
{
    u_char  *p;

    p = ngx_mntreamer_pq_array_next(b, NGX_INT64_LEN);

    if (p) {
        b->len = ngx_sprintf(p, "%L", value) - b->data;
    }
}


void
ngx_mntreamer_pq_array_null(ngx_mntreamer_pq_array_t *b)
{
    u_char  *p;

    p = ngx_mntreamer_pq_array_next(b, 4);

    if (p) {
        b->len = ngx_cpymem(p, "NULL", 4) - b->data;
    }
}


ngx_str_t
ngx_mntreamer_pq_array_end(ngx_mntreamer_pq_array_t *b)
{
    u_char     *p;
    ngx_str_t   literal;

    ngx_str_null(&literal);

    p = ngx_mntreamer_pq_array_reserve(b, 2);

    if (p == NULL || b->failed) {
        return literal;
    }

    if (b->n == 0) {
        *p++ = '{';
    }

    *p++ = '}';

    b->len = p - b->data;

    literal.data = b->data;
    literal.len = b->len;

    return literal;
}


/* room for a value of "len" bytes, after the brace or comma before it */

static u_char *
ngx_mntreamer_pq_array_next(ngx_mntreamer_pq_array_t *b, size_t len)
{
    u_char  *p;

    p = ngx_mntreamer_pq_array_reserve(b, len + 1);

    if (p) {
        *p++ = b->n++ ? ',' : '{';
    }

    return p;
}


static u_char *
ngx_mntreamer_pq_array_reserve(ngx_mntreamer_pq_array_t *b, size_t len)
{
    u_char  *p;
    size_t   size;

    if (b->failed) {
        return NULL;
    }

    if (b->size - b->len < len) {
        size = ngx_max(2 * b->size, b->len + len);
        size = ngx_max(size, NGX_MNTREAMER_PQ_ARRAY_MIN);

        p = ngx_pnalloc(b->pool, size);
        if (p == NULL) {
            b->failed = 1;
            return NULL;
        }

        if (b->data) {
            ngx_memcpy(p, b->data, b->len);
            (void) ngx_pfree(b->pool, b->data);
        }

        b->data = p;
        b->size = size;
    }

    return b->data + b->len;
}


/*
 * Only reads the string: a "service" is not looked into.  libpq's messages
 * are not shown because they quote the string, which may hold a password.
 */

const char *
ngx_mntreamer_pq_check(ngx_pool_t *pool, ngx_str_t *conninfo)
{
    char              *err, *text;
    const char        *why, *hosts, *addrs;
    PQconninfoOption  *options, *o;

    text = ngx_pcalloc(pool, conninfo->len + 1);
    if (text == NULL) {
        return "cannot be checked, no memory";
    }

    ngx_memcpy(text, conninfo->data, conninfo->len);

    if (ngx_strlen(text) != conninfo->len) {
        return "is not a connection string of libpq";
    }

    err = NULL;
    options = PQconninfoParse(text, &err);

    if (options == NULL) {
        why = (err == NULL || strstr(err, "out of memory"))
              ? "cannot be checked, no memory"
              : "is not a connection string of libpq";

        PQfreemem(err);

        return why;
    }

    hosts = NULL;
    addrs = NULL;

    for (o = options; o->keyword; o++) {
        if (ngx_strcmp(o->keyword, "host") == 0) {
            hosts = o->val;

        } else if (ngx_strcmp(o->keyword, "hostaddr") == 0) {
            addrs = o->val;
        }
    }

    why = ngx_mntreamer_pq_check_hosts(hosts, addrs);

    PQconninfoFree(options);

    return why;
}


/* both are lists, and the n-th address belongs to the n-th host */

static const char *
ngx_mntreamer_pq_check_hosts(const char *hosts, const char *addrs)
{
    char    host[1025], addr[1025];
    size_t  nhost, naddr;

    do {
        nhost = ngx_mntreamer_pq_check_item(&hosts, host, sizeof(host));
        naddr = ngx_mntreamer_pq_check_item(&addrs, addr, sizeof(addr));

        if (nhost >= sizeof(host) || naddr >= sizeof(addr)) {
            return "has a host that is too long";
        }

        if (naddr) {
            if (!ngx_mntreamer_pq_check_literal(addr)) {
                return "has a \"hostaddr\" that is not an address";
            }

        } else if (nhost && host[0] != '/' && host[0] != '@'
                   && !ngx_mntreamer_pq_check_literal(host))
        {
            return "names a host that would have to be looked up, give"
                   " \"hostaddr\", an address or a socket directory";
        }

    } while (hosts || addrs);

    return NULL;
}


/* takes the next item off a comma-separated list; its whole length */

static size_t
ngx_mntreamer_pq_check_item(const char **list, char *buf, size_t size)
{
    size_t       n;
    const char  *p;

    buf[0] = '\0';

    if (*list == NULL) {
        return 0;
    }

    p = *list;
    n = strcspn(p, ",");

    if (n < size) {
        ngx_memcpy(buf, p, n);
        buf[n] = '\0';
    }

    *list = p[n] ? p + n + 1 : NULL;

    return n;
}


static ngx_uint_t
ngx_mntreamer_pq_check_literal(const char *host)
{
    struct in_addr   in;
    struct in6_addr  in6;

    return inet_pton(AF_INET, host, &in) == 1
           || inet_pton(AF_INET6, host, &in6) == 1;
}
