
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_json.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>


#define MNT_JSON_NAME    128
#define MNT_JSON_MARK    "\\uFFFD"
#define MNT_JSON_ESCAPE  (sizeof(MNT_JSON_MARK) - 1)   /* all are as long */

#define MNT_JSON_TOKEN   16                   /* bytes of jansson's buffer */
#define MNT_JSON_CHUNK   4096                 /* it never asks for more */


/*
 * jansson does not look whether the buffer of a token could grow: without
 * memory it loses bytes of the text, or reads beyond it.  That buffer is
 * doubled from 16 bytes on.  Hash tables are powers of two, too, and nothing
 * else tells them apart; so both are served from what was put aside before a
 * text is read, and the text is over as soon as memory is: what jansson still
 * reads is the rest of a chunk, and the reserve has more than that can ask
 * for: a hash table takes 32 bytes for a name at most, of which none is below
 * four with what stands around it, and one for each object of a chunk 128.
 * Whatever else finds no memory makes jansson stop; a text that touched the
 * reserve is refused in any case.
 */

#define MNT_JSON_RESERVE(len)  (16 * (len) + 16 * MNT_JSON_CHUNK * 4)

typedef struct {
    char      *start;
    char      *next;
    char      *last;
    mnt_str_t  rest;                          /* of the text; alias */
    int        failed;
} mnt_json_reserve_t;


static mnt_json_reserve_t  mnt_json_reserve;


static json_t *mnt_json_read(mnt_str_t text, json_error_t *error);
static size_t mnt_json_more(void *buf, size_t size, void *data);
static void *mnt_json_malloc(size_t size);
static void mnt_json_free(void *p);
static int mnt_json_shallow(mnt_str_t text);
static size_t mnt_json_unfit(mnt_str_t text, size_t from);
static long mnt_json_escape(mnt_str_t text, size_t i);


/* brackets inside strings do not count; what is no JSON is left to jansson */

static int
mnt_json_shallow(mnt_str_t text)
{
    size_t    i;
    unsigned  depth, quoted;

    depth = 0;
    quoted = 0;

    for (i = 0; i < text.len; i++) {

        switch (text.data[i]) {

        case '\\':
            if (quoted) {
                i++;
            }

            break;

        case '"':
            quoted = !quoted;
            break;

        case '{':
        case '[':
            if (!quoted && ++depth > MNT_JSON_DEPTH) {
                return 0;
            }

            break;

        case '}':
        case ']':
            if (!quoted && depth) {
                depth--;
            }

            break;

        default:
            break;
        }
    }

    return 1;
}


json_t *
mnt_json_load(mnt_str_t text, size_t max_bytes, const char **why)
{
    json_t        *j;
    json_error_t   error;

    if (text.len > max_bytes) {
        *why = "is too large";
        return NULL;
    }

    if (mnt_str_trim(text).len == 0) {
        *why = "is empty";
        return NULL;
    }

    if (!mnt_json_shallow(text)) {
        *why = "is nested too deeply";
        return NULL;
    }

    j = mnt_json_read(text, &error);

    if (j) {
        return j;
    }

    if (mnt_json_reserve.failed) {
        *why = "did not fit into memory";
        return NULL;
    }

    switch (json_error_code(&error)) {

    case json_error_out_of_memory:
        *why = "did not fit into memory";
        break;

    case json_error_duplicate_key:
        *why = "has a name twice";
        break;

    case json_error_numeric_overflow:
        *why = "has a number out of range";
        break;

    case json_error_invalid_utf8:
        *why = "is not UTF-8";
        break;

    case json_error_null_character:
    case json_error_null_byte_in_key:
        *why = "has a text with U+0000 in it";
        break;

    case json_error_invalid_syntax:
        if (strncmp(error.text, "invalid Unicode", 15) == 0) {
            *why = "has a text with half of a surrogate pair in it";
            break;
        }

        /* fall through */

    default:
        *why = "is not JSON";
        break;
    }

    return NULL;
}


static json_t *
mnt_json_read(mnt_str_t text, json_error_t *error)
{
    json_t              *j;
    size_t               size;
    json_free_t          free_fn;
    json_malloc_t        malloc_fn;
    mnt_json_reserve_t  *r;

    r = &mnt_json_reserve;
    size = MNT_JSON_RESERVE(text.len);

    r->rest = text;
    r->start = malloc(size);
    r->failed = (r->start == NULL);

    if (r->failed) {
        return NULL;
    }

    r->next = r->start;
    r->last = r->start + size;

    json_get_alloc_funcs(&malloc_fn, &free_fn);
    json_set_alloc_funcs(mnt_json_malloc, mnt_json_free);

    j = json_load_callback(mnt_json_more, r, JSON_REJECT_DUPLICATES, error);

    if (r->failed) {
        json_decref(j);
        j = NULL;
    }

    json_set_alloc_funcs(malloc_fn, free_fn);
    free(r->start);

    return j;
}


static size_t
mnt_json_more(void *buf, size_t size, void *data)
{
    size_t               n;
    mnt_json_reserve_t  *r = data;

    if (r->failed) {
        return 0;
    }

    n = r->rest.len < size ? r->rest.len : size;

    if (n > MNT_JSON_CHUNK) {
        n = MNT_JSON_CHUNK;
    }

    if (n) {
        memcpy(buf, r->rest.data, n);
        r->rest.data += n;
        r->rest.len -= n;
    }

    return n;
}


static void *
mnt_json_malloc(size_t size)
{
    void                *p;
    mnt_json_reserve_t  *r;

    r = &mnt_json_reserve;
    p = malloc(size);

    if (p) {
        return p;
    }

    r->failed = 1;

    if (size < MNT_JSON_TOKEN || (size & (size - 1))
        || size > (size_t) (r->last - r->next))
    {
        return NULL;
    }

    p = r->next;
    r->next += size;

    return p;
}


static void
mnt_json_free(void *p)
{
    mnt_json_reserve_t  *r;

    r = &mnt_json_reserve;

    if ((uintptr_t) p < (uintptr_t) r->start
        || (uintptr_t) p >= (uintptr_t) r->last)
    {
        free(p);
    }
}


json_t *
mnt_json_load_foreign(mnt_str_t text, size_t max_bytes, const char **why)
{
    char       *copy;
    size_t      i;
    json_t     *j;
    mnt_str_t   clean;

    i = (text.len <= max_bytes) ? mnt_json_unfit(text, 0) : text.len;

    if (i == text.len) {
        return mnt_json_load(text, max_bytes, why);
    }

    copy = malloc(text.len);

    if (copy == NULL) {
        *why = "did not fit into memory";
        return NULL;
    }

    memcpy(copy, text.data, text.len);

    while (i < text.len) {
        memcpy(copy + i, MNT_JSON_MARK, MNT_JSON_ESCAPE);
        i = mnt_json_unfit(text, i + MNT_JSON_ESCAPE);
    }

    clean.data = copy;
    clean.len = text.len;

    j = mnt_json_load(clean, max_bytes, why);

    free(copy);

    return j;
}


/* where the next escape stands that is no character; text.len: none does */

static size_t
mnt_json_unfit(mnt_str_t text, size_t from)
{
    size_t       i;
    long         c;
    const char  *p;

    i = from;

    while (i < text.len) {
        p = memchr(text.data + i, '\\', text.len - i);

        if (p == NULL) {
            break;
        }

        i = (size_t) (p - text.data);
        c = mnt_json_escape(text, i);

        if (c >= 0xd800 && c < 0xdc00) {
            c = mnt_json_escape(text, i + MNT_JSON_ESCAPE);

            if (c < 0xdc00 || c > 0xdfff) {
                return i;
            }

            i += 2 * MNT_JSON_ESCAPE;
            continue;
        }

        if (c == 0 || (c >= 0xdc00 && c <= 0xdfff)) {
            return i;
        }

        i += 2;
    }

    return text.len;
}


/* the number of \uXXXX at text.data[i], or -1 */

static long
mnt_json_escape(mnt_str_t text, size_t i)
{
    char  digits[5], *end;
    long  c;

    if (text.len < MNT_JSON_ESCAPE || i > text.len - MNT_JSON_ESCAPE
        || text.data[i] != '\\' || text.data[i + 1] != 'u'
        || !isxdigit((unsigned char) text.data[i + 2]))
    {
        return -1;
    }

    memcpy(digits, text.data + i + 2, 4);
    digits[4] = '\0';

    c = strtol(digits, &end, 16);

    return *end ? -1 : c;
}


json_t *
mnt_json_get(const json_t *j, const char *path)
{
    char         name[MNT_JSON_NAME];
    size_t       n;
    json_t      *found;
    uint64_t     i;
    mnt_str_t    part;
    const char  *end;

    found = NULL;

    for ( ;; ) {
        end = strchr(path, '.');
        n = end ? (size_t) (end - path) : strlen(path);

        if (n >= sizeof(name)) {
            return NULL;
        }

        memcpy(name, path, n);
        name[n] = '\0';

        if (json_is_array(j)) {
            part = mnt_str_c(name);
            found = (mnt_str_u64(part, &i) == 0)
                    ? json_array_get(j, (size_t) i) : NULL;

        } else {
            found = json_object_get(j, name);
        }

        if (found == NULL || end == NULL) {
            return found;
        }

        j = found;
        path = end + 1;
    }
}


mnt_str_t
mnt_json_str(const json_t *j, const char *path)
{
    json_t     *v;
    mnt_str_t   s = mnt_str_null;

    v = mnt_json_get(j, path);

    if (json_is_string(v)) {
        s.data = json_string_value(v);
        s.len = json_string_length(v);
    }

    return s;
}


int64_t
mnt_json_i64(const json_t *j, const char *path, int64_t dflt)
{
    json_t     *v;
    int64_t     n;
    mnt_str_t   s;

    v = mnt_json_get(j, path);

    if (json_is_integer(v)) {
        return json_integer_value(v);
    }

    if (json_is_string(v)) {
        s.data = json_string_value(v);
        s.len = json_string_length(v);

        if (mnt_str_i64(s, &n) == 0) {
            return n;
        }
    }

    return dflt;
}


int
mnt_json_bool(const json_t *j, const char *path, int dflt)
{
    json_t  *v;

    v = mnt_json_get(j, path);

    return json_is_boolean(v) ? json_is_true(v) : dflt;
}
