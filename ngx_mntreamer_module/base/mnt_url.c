
/*
 * Copyright (C) the mntreamer authors
 *
 * URLs of media, playlists and APIs.  They come from outside: what is not a
 * plain http or https URL is refused here, before anybody opens a connection.
 * Platforms sign URLs by tokens in a path segment or in the query; the token
 * is kept as it came for fetching, left out of logs, and ignored when two URLs
 * are compared.
 */


#include "mnt_url.h"

#include <string.h>


typedef struct {
    char    *buf;
    size_t   size;
    size_t   len;
} mnt_url_out_t;

typedef struct {
    mnt_str_t  origin;                        /* scheme and authority */
    mnt_str_t  path;
    mnt_str_t  query;                         /* with '?' */
} mnt_url_target_t;


static int mnt_url_host(mnt_str_t authority, mnt_url_t *u);
static int mnt_url_host_ipv6(mnt_str_t *authority, mnt_url_t *u);
static int mnt_url_host_valid(mnt_str_t host);
static int mnt_url_port(mnt_str_t port, mnt_url_t *u);
static mnt_str_t mnt_url_scheme(mnt_str_t s);
static mnt_str_t mnt_url_until(mnt_str_t s, const char *stops);
static mnt_str_t mnt_url_rest(mnt_str_t s, mnt_str_t head);
static mnt_str_t mnt_url_clean(mnt_arena_t *a, mnt_str_t ref);
static mnt_str_t mnt_url_merge(mnt_arena_t *a, mnt_str_t base, mnt_str_t ref);
static size_t mnt_url_dots(const char *in, size_t n, char *out);
static int mnt_url_resolve(mnt_arena_t *a, mnt_str_t base, mnt_str_t ref,
    mnt_url_target_t *t);
static int mnt_url_has_token(mnt_str_t s);
static mnt_str_t mnt_url_path(mnt_str_t url, mnt_str_t *authority);
static void mnt_url_put(mnt_url_out_t *out, mnt_str_t s);
static void mnt_url_putc(mnt_url_out_t *out, const char *s);
static void mnt_url_put_authority(mnt_url_out_t *out, mnt_str_t authority);
static void mnt_url_put_path(mnt_url_out_t *out, mnt_str_t path);
static int mnt_url_boundary(mnt_str_t url, size_t i);


#define mnt_url_digit(c)  ((c) >= '0' && (c) <= '9')

#define mnt_url_alpha(c)                                                      \
    (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z'))

#define mnt_url_hex(c)                                                        \
    (mnt_url_digit(c) || ((c) >= 'a' && (c) <= 'f')                           \
     || ((c) >= 'A' && (c) <= 'F'))


static mnt_str_t
mnt_url_until(mnt_str_t s, const char *stops)
{
    size_t  i;

    for (i = 0; i < s.len; i++) {
        if (s.data[i] && strchr(stops, s.data[i])) {
            break;
        }
    }

    s.len = i;

    return s;
}


static mnt_str_t
mnt_url_rest(mnt_str_t s, mnt_str_t head)
{
    s.data += head.len;
    s.len -= head.len;

    return s;
}


/* the scheme in front of "s" without ':'; null when there is none */

static mnt_str_t
mnt_url_scheme(mnt_str_t s)
{
    char       c;
    size_t     i;
    mnt_str_t  none = mnt_str_null;

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if (c == ':') {
            break;
        }

        if (!mnt_url_alpha(c)
            && (i == 0 || !(mnt_url_digit(c) || c == '+' || c == '-'
                            || c == '.')))
        {
            return none;
        }
    }

    if (i == 0 || i == s.len) {
        return none;
    }

    s.len = i;

    return s;
}


int
mnt_url_parse(mnt_str_t s, mnt_url_t *u)
{
    size_t     i;
    mnt_str_t  rest, authority;

    memset(u, 0, sizeof(mnt_url_t));

    if (s.len > MNT_URL_MAX) {
        return -1;
    }

    for (i = 0; i < s.len; i++) {
        if ((unsigned char) s.data[i] <= ' ' || s.data[i] == 0x7f) {
            return -1;
        }
    }

    u->scheme = mnt_url_scheme(s);

    if (mnt_str_caseeqc(u->scheme, "https")) {
        u->port = 443;

    } else if (mnt_str_caseeqc(u->scheme, "http")) {
        u->port = 80;

    } else {
        return -1;
    }

    rest = mnt_url_rest(s, u->scheme);

    if (!mnt_str_starts(rest, "://")) {
        return -1;
    }

    rest.data += 3;
    rest.len -= 3;

    authority = mnt_url_until(rest, "/?#");
    rest = mnt_url_rest(rest, authority);

    if (mnt_url_host(authority, u) != 0) {
        return -1;
    }

    u->path = mnt_url_until(rest, "?#");
    rest = mnt_url_rest(rest, u->path);

    if (rest.len && rest.data[0] == '?') {
        rest.data++;
        rest.len--;
        u->query = mnt_url_until(rest, "#");
        u->has_query = 1;
    }

    return 0;
}


/*
 * User information is refused: it is never needed, and "http://good@evil/" has
 * deceived too many readers.
 */

static int
mnt_url_host(mnt_str_t authority, mnt_url_t *u)
{
    mnt_str_t  host;

    if (authority.len && authority.data[0] == '[') {
        if (mnt_url_host_ipv6(&authority, u) != 0) {
            return -1;
        }

    } else {
        host = mnt_url_until(authority, ":");

        if (!mnt_url_host_valid(host)) {
            return -1;
        }

        u->host = host;
        authority = mnt_url_rest(authority, host);
    }

    if (authority.len == 0) {
        return 0;
    }

    if (authority.data[0] != ':') {
        return -1;
    }

    authority.data++;
    authority.len--;

    return mnt_url_port(authority, u);
}


static int
mnt_url_host_ipv6(mnt_str_t *authority, mnt_url_t *u)
{
    size_t     i, colons;
    mnt_str_t  host;

    host = mnt_url_until(*authority, "]");

    if (host.len == authority->len || host.len < 3) {
        return -1;
    }

    authority->data += host.len + 1;
    authority->len -= host.len + 1;

    host.data++;
    host.len--;
    colons = 0;

    for (i = 0; i < host.len; i++) {
        if (host.data[i] == ':') {
            colons++;

        } else if (!mnt_url_hex(host.data[i]) && host.data[i] != '.') {
            return -1;
        }
    }

    if (colons < 2 || colons > 8 || host.len > 45) {
        return -1;
    }

    u->host = host;
    u->ipv6 = 1;

    return 0;
}


/* a name of DNS or a dotted IPv4 address; percent-encoding is none of them */

static int
mnt_url_host_valid(mnt_str_t host)
{
    char    c, last;
    size_t  i;

    if (host.len == 0 || host.len > 253) {
        return 0;
    }

    last = '.';

    for (i = 0; i < host.len; i++) {
        c = host.data[i];

        if (c == '.') {
            if (last == '.') {
                return 0;
            }

        } else if (!mnt_url_alpha(c) && !mnt_url_digit(c) && c != '-'
                   && c != '_')
        {
            return 0;
        }

        last = c;
    }

    return 1;
}


static int
mnt_url_port(mnt_str_t port, mnt_url_t *u)
{
    uint64_t  n;

    if (port.len == 0) {
        return 0;
    }

    if (mnt_str_u64(port, &n) != 0 || n == 0 || n > 65535) {
        return -1;
    }

    u->port = (uint32_t) n;

    return 0;
}


/*
 * The reference without white space around it and without fragment, spaces and
 * bytes that no URI may hold (RFC 3987 3.1) percent-encoded.
 */

static mnt_str_t
mnt_url_clean(mnt_arena_t *a, mnt_str_t ref)
{
    char           *p;
    size_t          i, bad;
    mnt_str_t       clean = mnt_str_null;
    unsigned char   c;

    static const char  hex[] = "0123456789ABCDEF";

    ref = mnt_url_until(mnt_str_trim(ref), "#");

    if (ref.len > MNT_URL_MAX) {
        return clean;
    }

    bad = 0;

    for (i = 0; i < ref.len; i++) {
        c = (unsigned char) ref.data[i];

        if (c < ' ' || c == 0x7f) {
            return clean;
        }

        bad += (c == ' ' || c >= 0x80);
    }

    if (bad == 0) {
        return mnt_arena_dup(a, ref);
    }

    p = mnt_arena_alloc(a, ref.len + bad * 2 + 1);

    if (p == NULL) {
        return clean;
    }

    clean.data = p;

    for (i = 0; i < ref.len; i++) {
        c = (unsigned char) ref.data[i];

        if (c == ' ' || c >= 0x80) {
            *p++ = '%';
            *p++ = hex[c >> 4];
            *p++ = hex[c & 0xf];

        } else {
            *p++ = (char) c;
        }
    }

    clean.len = (size_t) (p - clean.data);

    return clean;
}


/* RFC 3986 5.2.4 remove_dot_segments; "out" has room for n + 1 bytes */

static size_t
mnt_url_dots(const char *in, size_t n, char *out)
{
    size_t     len, i;
    mnt_str_t  s, segment;

    len = 0;
    i = 0;

    while (i < n) {
        /* in[i] is '/', since the path of an URL with authority starts so */

        s.data = in + i + 1;
        s.len = n - i - 1;
        segment = mnt_url_until(s, "/");
        i += 1 + segment.len;

        if (mnt_str_eqc(segment, "..")) {
            while (len > 0 && out[--len] != '/') {
                /* void */
            }

        } else if (!mnt_str_eqc(segment, ".")) {
            out[len++] = '/';
            memcpy(out + len, segment.data, segment.len);
            len += segment.len;
            continue;
        }

        if (i == n) {
            out[len++] = '/';
        }
    }

    return len;
}


/* RFC 3986 5.2.3: the path of the base up to its last slash, and the rest */

static mnt_str_t
mnt_url_merge(mnt_arena_t *a, mnt_str_t base, mnt_str_t ref)
{
    while (base.len && base.data[base.len - 1] != '/') {
        base.len--;
    }

    if (base.len == 0) {
        base.data = "/";
        base.len = 1;
    }

    return mnt_arena_printf(a, "%.*s%.*s", (int) base.len, base.data,
                            (int) ref.len, ref.data);
}


/*
 * RFC 3986 5.2.2 without fragments: sets the pieces of the target, the path
 * still with dot segments.
 */

static int
mnt_url_resolve(mnt_arena_t *a, mnt_str_t base, mnt_str_t ref,
    mnt_url_target_t *t)
{
    mnt_str_t  whole;
    mnt_url_t  u;

    if (mnt_url_parse(base, &u) != 0) {
        return -1;
    }

    whole = base;

    if (mnt_url_scheme(ref).len) {
        whole = ref;

    } else if (mnt_str_starts(ref, "//")) {
        whole = mnt_arena_printf(a, "%.*s:%.*s", (int) u.scheme.len,
                                 u.scheme.data, (int) ref.len, ref.data);
    }

    if (whole.data != base.data) {
        if (whole.data == NULL || mnt_url_parse(whole, &u) != 0) {
            return -1;
        }

        ref.len = 0;
    }

    t->origin.data = whole.data;
    t->origin.len = (size_t) (u.path.data - whole.data);
    t->path = u.path;

    if (ref.len == 0) {
        t->query = mnt_url_rest(mnt_url_rest(whole, t->origin), u.path);
        return 0;
    }

    t->path = mnt_url_until(ref, "?");
    t->query = mnt_url_rest(ref, t->path);

    if (t->path.len == 0) {
        t->path = u.path;

    } else if (t->path.data[0] != '/') {
        t->path = mnt_url_merge(a, u.path, t->path);
    }

    return (t->path.len && t->path.data == NULL) ? -1 : 0;
}


int
mnt_url_same_origin(mnt_str_t one, mnt_str_t other)
{
    mnt_url_t  u, v;

    return mnt_url_parse(one, &u) == 0
           && mnt_url_parse(other, &v) == 0
           && u.port == v.port
           && mnt_str_caseeq(u.scheme, v.scheme)
           && mnt_str_caseeq(u.host, v.host);
}


mnt_str_t
mnt_url_join(mnt_arena_t *a, mnt_str_t base, mnt_str_t ref)
{
    char              *p;
    mnt_str_t          result, none = mnt_str_null;
    mnt_url_t          u;
    mnt_url_target_t   t;

    /* what cleaning would mend in a base is wrong there */

    if (mnt_url_parse(base, &u) != 0) {
        return none;
    }

    base = mnt_url_clean(a, base);
    ref = mnt_url_clean(a, ref);

    if (base.data == NULL || ref.data == NULL
        || mnt_url_resolve(a, base, ref, &t) != 0)
    {
        return none;
    }

    p = mnt_arena_alloc(a, t.origin.len + t.path.len + t.query.len + 2);

    if (p == NULL) {
        return none;
    }

    result.data = p;
    result.len = t.origin.len;
    memcpy(p, t.origin.data, t.origin.len);
    result.len += mnt_url_dots(t.path.data, t.path.len, p + result.len);

    if (t.query.len) {
        memcpy(p + result.len, t.query.data, t.query.len);
        result.len += t.query.len;
    }

    return (mnt_url_parse(result, &u) == 0) ? result : none;
}


static int
mnt_url_has_token(mnt_str_t s)
{
    size_t     i, n;
    mnt_str_t  rest;

    static const mnt_str_t  words[] = {
        mnt_str("hdnts"), mnt_str("hdntl"), mnt_str("hmac"),
        mnt_str("~acl"), mnt_str("%7eacl")
    };

    for (i = 0; i < s.len; i++) {
        for (n = 0; n < sizeof(words) / sizeof(words[0]); n++) {
            rest.data = s.data + i;
            rest.len = words[n].len;

            if (rest.len <= s.len - i
                && mnt_str_caseeqc(rest, words[n].data))
            {
                return 1;
            }
        }
    }

    return 0;
}


/* the path of any text that looks like an URL, parsed or not */

static mnt_str_t
mnt_url_path(mnt_str_t url, mnt_str_t *authority)
{
    mnt_str_t  rest;

    rest = mnt_url_rest(url, mnt_url_scheme(url));

    if (rest.len != url.len && mnt_str_starts(rest, "://")) {
        rest.data += 3;
        rest.len -= 3;

    } else if (mnt_str_starts(url, "//")) {
        rest = url;
        rest.data += 2;
        rest.len -= 2;

    } else {
        rest = url;
        authority->data = url.data;
        authority->len = 0;

        return mnt_url_until(rest, "?#");
    }

    *authority = mnt_url_until(rest, "/?#");

    return mnt_url_until(mnt_url_rest(rest, *authority), "?#");
}


static void
mnt_url_put(mnt_url_out_t *out, mnt_str_t s)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < s.len && out->len + 1 < out->size; i++) {
        c = (unsigned char) s.data[i];
        out->buf[out->len++] = (c < ' ' || c >= 0x7f) ? '?' : (char) c;
    }
}


static void
mnt_url_putc(mnt_url_out_t *out, const char *s)
{
    mnt_url_put(out, mnt_str_c(s));
}


/* user information is a secret, whatever '@' ends it */

static void
mnt_url_put_authority(mnt_url_out_t *out, mnt_str_t authority)
{
    size_t     n;
    mnt_str_t  host;

    for (n = authority.len; n > 0; n--) {
        if (authority.data[n - 1] == '@') {
            mnt_url_putc(out, "...@");
            break;
        }
    }

    host.data = authority.data + n;
    host.len = authority.len - n;
    mnt_url_put(out, host);
}


static void
mnt_url_put_path(mnt_url_out_t *out, mnt_str_t path)
{
    mnt_str_t  s;

    while (path.len) {
        s = mnt_url_until(path, "/");

        if (mnt_url_has_token(s)) {
            mnt_url_putc(out, "...");

        } else {
            mnt_url_put(out, s);
        }

        path = mnt_url_rest(path, s);

        if (path.len) {
            mnt_url_putc(out, "/");
            path.data++;
            path.len--;
        }
    }
}


size_t
mnt_url_redact(mnt_str_t url, char *buf, size_t size)
{
    mnt_str_t      authority, path, s;
    mnt_url_out_t  out;

    if (size == 0) {
        return 0;
    }

    out.buf = buf;
    out.size = size;
    out.len = 0;

    if (url.len) {
        path = mnt_url_path(url, &authority);

        s.data = url.data;
        s.len = (size_t) (authority.data - url.data);

        mnt_url_put(&out, s);
        mnt_url_put_authority(&out, authority);
        mnt_url_put_path(&out, path);

        s.len = (size_t) (path.data + path.len - url.data);
        s = mnt_url_rest(url, s);

        if (s.len) {
            mnt_url_putc(&out, s.data[0] == '?' ? "?..." : "#...");
        }
    }

    buf[out.len] = '\0';

    return out.len;
}


/* 1 when a name may start at url.data[i]: what stands before parts fields */

static int
mnt_url_boundary(mnt_str_t url, size_t i)
{
    mnt_str_t  code;

    if (i == 0 || (url.data[i - 1] && strchr("~=/?&;", url.data[i - 1]))) {
        return 1;
    }

    if (i < 3) {
        return 0;
    }

    code.data = url.data + i - 3;
    code.len = 3;

    return mnt_str_caseeqc(code, "%7e") || mnt_str_caseeqc(code, "%3d")
           || mnt_str_caseeqc(code, "%26") || mnt_str_caseeqc(code, "%3f");
}


int64_t
mnt_url_expires(mnt_str_t url)
{
    size_t     i, n;
    int64_t    when, first;
    mnt_str_t  s, code;

    first = -1;

    for (i = 0; i + 4 < url.len; i++) {
        s.data = url.data + i;
        s.len = url.len - i;
        code = s;

        if (!mnt_str_starts(s, "exp") || !mnt_url_boundary(url, i)) {
            continue;
        }

        code.data += 3;
        code.len = (s.len - 3 < 3) ? s.len - 3 : 3;

        if (s.data[3] == '=') {
            n = 4;

        } else if (mnt_str_caseeqc(code, "%3d")) {
            n = 6;

        } else {
            continue;
        }

        s.data += n;
        s.len -= n;

        for (n = 0; n < s.len && mnt_url_digit(s.data[n]); n++) {
            /* void */
        }

        s.len = n;

        if (mnt_str_i64(s, &when) == 0 && (first == -1 || when < first)) {
            first = when;
        }
    }

    return first;
}


uint64_t
mnt_url_identity(mnt_str_t url)
{
    mnt_str_t  authority, path, last;

    if (url.len == 0) {
        return mnt_str_hash(url);
    }

    path = mnt_url_path(url, &authority);
    last = path;

    /* from the back, the first segment that has a name of its own */

    while (path.len) {
        last.data = path.data + path.len;
        last.len = 0;

        while (last.data > path.data && last.data[-1] != '/') {
            last.data--;
            last.len++;
        }

        if (last.len && !mnt_url_has_token(last)) {
            break;
        }

        path.len -= last.len;

        if (path.len) {
            path.len--;
        }

        last.len = 0;
    }

    return mnt_str_hash(last);
}
