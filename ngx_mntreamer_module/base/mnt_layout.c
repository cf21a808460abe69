
/*
 * Copyright (C) the mntreamer authors
 *
 * Layouts: where a recording lies below the storage root.  A component of the
 * path mixes literal text with values.  Numbers are never shortened, texts
 * are: each gets an equal share of what the numbers and literals leave free,
 * so that the part that tells two recordings apart always survives.
 */


#include "mnt_name.h"
#include "mnt_date.h"

#include <string.h>


#define MNT_LAYOUT_NAME_MAX    119            /* one is left for a '_' */
#define MNT_LAYOUT_FIXED_MAX   80             /* of one component */
#define MNT_LAYOUT_TEXT_MIN    20             /* bytes left for each text */
#define MNT_LAYOUT_NUMBER_MAX  20             /* digits of a number */


typedef enum {
    MNT_LAYOUT_PLATFORM = 0,
    MNT_LAYOUT_CHANNEL_ID,
    MNT_LAYOUT_CHANNEL_NAME,
    MNT_LAYOUT_TITLE,
    MNT_LAYOUT_RECORDING_ID,
    MNT_LAYOUT_SEQUENCE,
    MNT_LAYOUT_YEAR,
    MNT_LAYOUT_MONTH,
    MNT_LAYOUT_DAY,
    MNT_LAYOUT_HOUR,
    MNT_LAYOUT_MINUTE,
    MNT_LAYOUT_SECOND,
    MNT_LAYOUT_LITERAL
} mnt_layout_id_e;

typedef struct {
    const char  *name;
    unsigned     width;                       /* at most; 0: a text */
} mnt_layout_variable_t;

typedef struct {
    mnt_layout_id_e  id;
    mnt_str_t        text;                    /* of a literal */
} mnt_layout_token_t;

typedef struct {
    size_t    fixed;                          /* bytes of all but the texts */
    unsigned  texts;
} mnt_layout_size_t;


static const char *mnt_layout_token(mnt_str_t *s, mnt_layout_token_t *t);
static mnt_layout_size_t mnt_layout_measure(mnt_str_t s);
static mnt_str_t mnt_layout_component(mnt_str_t *layout);
static const char *mnt_layout_check_component(mnt_str_t s, unsigned *seen);
static const char *mnt_layout_check_literal(mnt_str_t s);
static int mnt_layout_apart(mnt_str_t s, mnt_str_t before,
    const mnt_layout_token_t *t);
static mnt_str_t mnt_layout_value(mnt_arena_t *a, mnt_layout_id_e id,
    const mnt_layout_values_t *v, const mnt_date_t *d);
static mnt_str_t mnt_layout_text(mnt_arena_t *a, mnt_layout_id_e id,
    mnt_str_t value, size_t share, const mnt_layout_values_t *v);
static size_t mnt_layout_fill(mnt_arena_t *a, mnt_str_t component,
    size_t share, const mnt_layout_values_t *v, char *buf);


static const mnt_layout_variable_t  mnt_layout_variables[] = {
    { "platform", 0 },
    { "channel_id", 0 },
    { "channel_name", 0 },
    { "title", 0 },
    { "recording_id", MNT_LAYOUT_NUMBER_MAX },
    { "sequence", 10 },
    { "yyyy", 4 },
    { "mm", 2 },
    { "dd", 2 },
    { "hh", 2 },
    { "mi", 2 },
    { "ss", 2 },
    { NULL, 0 }
};


/* takes one literal or {variable} away from the front */

static const char *
mnt_layout_token(mnt_str_t *s, mnt_layout_token_t *t)
{
    size_t     n;
    unsigned   i;
    mnt_str_t  name;

    t->id = MNT_LAYOUT_LITERAL;
    t->text = *s;

    if (s->data[0] != '{') {
        for (n = 0; n < s->len && s->data[n] != '{'; n++) {
            if (s->data[n] == '}') {
                return "has a '}' without '{'";
            }
        }

        t->text.len = n;
        s->data += n;
        s->len -= n;

        return NULL;
    }

    for (n = 1; n < s->len && s->data[n] != '}'; n++) {
        /* void */
    }

    if (n == s->len) {
        return "has a '{' without '}'";
    }

    name.data = s->data + 1;
    name.len = n - 1;
    s->data += n + 1;
    s->len -= n + 1;

    for (i = 0; mnt_layout_variables[i].name; i++) {
        if (mnt_str_eqc(name, mnt_layout_variables[i].name)) {
            t->id = (mnt_layout_id_e) i;
            return NULL;
        }
    }

    return "has an unknown {variable}";
}


/* takes one component and the slash behind it away from the front */

static mnt_str_t
mnt_layout_component(mnt_str_t *layout)
{
    mnt_str_t  c;

    c = *layout;

    for (c.len = 0; c.len < layout->len && c.data[c.len] != '/'; c.len++) {
        /* void */
    }

    layout->data += c.len;
    layout->len -= c.len;

    if (layout->len) {
        layout->data++;
        layout->len--;
    }

    return c;
}


static mnt_layout_size_t
mnt_layout_measure(mnt_str_t s)
{
    unsigned            width;
    mnt_layout_size_t   size;
    mnt_layout_token_t  t;

    size.fixed = 0;
    size.texts = 0;

    while (s.len && mnt_layout_token(&s, &t) == NULL) {
        if (t.id == MNT_LAYOUT_LITERAL) {
            size.fixed += t.text.len;
            continue;
        }

        width = mnt_layout_variables[t.id].width;
        size.fixed += width;
        size.texts += (width == 0);
    }

    return size;
}


static const char *
mnt_layout_check_literal(mnt_str_t s)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < s.len; i++) {
        c = (unsigned char) s.data[i];

        if (c < ' ' || c == 0x7f || strchr("<>:\"\\|?*", c)) {
            return "has a character that no file name may hold";
        }
    }

    return mnt_str_utf8(s) ? NULL : "is not UTF-8";
}


/*
 * A number tells recordings apart only when nothing beside it can be taken for
 * its digits: "{title}{recording_id}" is "a12" for "a1" and 2, "a" and 12.
 */

static int
mnt_layout_apart(mnt_str_t s, mnt_str_t before, const mnt_layout_token_t *t)
{
    char  left, right;

    if (t->id != MNT_LAYOUT_SEQUENCE && t->id != MNT_LAYOUT_RECORDING_ID) {
        return 0;
    }

    left = before.len ? before.data[before.len - 1] : '/';
    right = s.len ? s.data[0] : '/';

    return left != '}' && !(left >= '0' && left <= '9')
           && right != '{' && !(right >= '0' && right <= '9');
}


/* sets the bits of the variables that were seen and count */

static const char *
mnt_layout_check_component(mnt_str_t s, unsigned *seen)
{
    mnt_str_t           before, whole;
    const char         *why;
    mnt_layout_size_t   size;
    mnt_layout_token_t  t;

    if (s.len == 0) {
        return "must be relative, without empty components";
    }

    if (s.data[0] == '.' || s.data[0] == '-') {
        return "must not have a component that starts with '.' or '-'";
    }

    whole = s;

    while (s.len) {
        before.data = whole.data;
        before.len = whole.len - s.len;

        why = mnt_layout_token(&s, &t);

        if (why == NULL && t.id == MNT_LAYOUT_LITERAL) {
            why = mnt_layout_check_literal(t.text);
        }

        if (why) {
            return why;
        }

        if ((t.id != MNT_LAYOUT_SEQUENCE && t.id != MNT_LAYOUT_RECORDING_ID)
            || mnt_layout_apart(s, before, &t))
        {
            *seen |= 1u << t.id;
        }
    }

    size = mnt_layout_measure(whole);

    if (size.fixed > MNT_LAYOUT_FIXED_MAX
        || size.fixed + size.texts * MNT_LAYOUT_TEXT_MIN
           > MNT_LAYOUT_NAME_MAX)
    {
        return "has a component that is too long";
    }

    return NULL;
}


const char *
mnt_layout_check(mnt_str_t layout)
{
    size_t              total;
    unsigned            seen, day;
    mnt_str_t           rest, component;
    const char         *why;
    mnt_layout_size_t   size;

    if (layout.len == 0) {
        return "is empty";
    }

    if (layout.data[layout.len - 1] == '/') {
        return "must not end with '/'";
    }

    seen = 0;
    total = 0;
    rest = layout;

    while (rest.len) {
        component = mnt_layout_component(&rest);
        why = mnt_layout_check_component(component, &seen);

        if (why) {
            return why;
        }

        size = mnt_layout_measure(component);
        total += size.fixed + size.texts * MNT_LAYOUT_TEXT_MIN + 2;
    }

    if (total > MNT_LAYOUT_MAX) {
        return "is too long";
    }

    if (seen & 1u << MNT_LAYOUT_RECORDING_ID) {
        return NULL;
    }

    if (!(seen & 1u << MNT_LAYOUT_SEQUENCE)) {
        return "must hold {sequence} or {recording_id}, parted from other"
               " digits";
    }

    /* the sequence starts again each day and for each channel */

    day = 1u << MNT_LAYOUT_YEAR | 1u << MNT_LAYOUT_MONTH
          | 1u << MNT_LAYOUT_DAY | 1u << MNT_LAYOUT_CHANNEL_ID;

    if ((seen & day) != day) {
        return "must hold {channel_id} {yyyy} {mm} {dd} with {sequence},"
               " or {recording_id}";
    }

    return NULL;
}


static mnt_str_t
mnt_layout_value(mnt_arena_t *a, mnt_layout_id_e id,
    const mnt_layout_values_t *v, const mnt_date_t *d)
{
    switch (id) {

    case MNT_LAYOUT_PLATFORM:
        return mnt_name_safe(a, v->platform);

    case MNT_LAYOUT_CHANNEL_ID:
        return mnt_name_safe(a, v->channel_id);

    case MNT_LAYOUT_CHANNEL_NAME:
        return mnt_name_safe(a, v->channel_name);

    case MNT_LAYOUT_TITLE:
        return mnt_name_safe(a, v->title);

    case MNT_LAYOUT_RECORDING_ID:
        return mnt_arena_printf(a, "%llu",
                                (unsigned long long) v->recording_id);

    case MNT_LAYOUT_SEQUENCE:
        return mnt_arena_printf(a, "%u", v->sequence);

    case MNT_LAYOUT_YEAR:
        return mnt_arena_printf(a, "%04d", d->year);

    case MNT_LAYOUT_MONTH:
        return mnt_arena_printf(a, "%02d", d->month);

    case MNT_LAYOUT_DAY:
        return mnt_arena_printf(a, "%02d", d->day);

    case MNT_LAYOUT_HOUR:
        return mnt_arena_printf(a, "%02d", d->hour);

    case MNT_LAYOUT_MINUTE:
        return mnt_arena_printf(a, "%02d", d->minute);

    default:
        return mnt_arena_printf(a, "%02d", d->second);
    }
}


/* a text of at most "share" bytes; data == NULL when memory is gone */

static mnt_str_t
mnt_layout_text(mnt_arena_t *a, mnt_layout_id_e id, mnt_str_t value,
    size_t share, const mnt_layout_values_t *v)
{
    size_t  len;

    if (id != MNT_LAYOUT_CHANNEL_ID || v->channel_mark.len == 0) {
        return mnt_str_utf8_cut(value, share);
    }

    len = v->channel_mark.len + 1;
    value = mnt_str_utf8_cut(value, share > len ? share - len : 0);

    return mnt_arena_printf(a, "%.*s-%.*s", (int) value.len, value.data,
                            (int) v->channel_mark.len, v->channel_mark.data);
}


/* one component, at most MNT_LAYOUT_NAME_MAX bytes; 0 when memory is gone */

static size_t
mnt_layout_fill(mnt_arena_t *a, mnt_str_t component, size_t share,
    const mnt_layout_values_t *v, char *buf)
{
    size_t              len;
    mnt_str_t           value;
    mnt_date_t          d;
    mnt_layout_token_t  t;

    mnt_date_civil(v->started_ms, v->zone_s, &d);
    len = 0;

    while (component.len && mnt_layout_token(&component, &t) == NULL) {

        if (t.id == MNT_LAYOUT_LITERAL) {
            value = t.text;

        } else {
            value = mnt_layout_value(a, t.id, v, &d);

            if (value.data == NULL) {
                return 0;
            }

            if (mnt_layout_variables[t.id].width == 0) {
                value = mnt_layout_text(a, t.id, value, share, v);

                if (value.data == NULL) {
                    return 0;
                }
            }
        }

        if (value.len > MNT_LAYOUT_NAME_MAX - len) {
            return 0;
        }

        memcpy(buf + len, value.data, value.len);
        len += value.len;
    }

    return len;
}


mnt_str_t
mnt_layout_expand(mnt_arena_t *a, mnt_str_t layout,
    const mnt_layout_values_t *v)
{
    char                buf[MNT_LAYOUT_NAME_MAX];
    size_t              share, left, total;
    unsigned            texts;
    mnt_str_t           rest, component, name, path, none = mnt_str_null;
    mnt_layout_size_t   size;

    if (mnt_layout_check(layout) != NULL) {
        return none;
    }

    total = 0;
    texts = 0;

    for (rest = layout; rest.len; /* void */) {
        size = mnt_layout_measure(mnt_layout_component(&rest));
        total += size.fixed + 2;
        texts += size.texts;
    }

    share = texts ? (MNT_LAYOUT_MAX - total) / texts : 0;
    path = none;

    for (rest = layout; rest.len; /* void */) {
        component = mnt_layout_component(&rest);
        size = mnt_layout_measure(component);

        if (size.texts) {
            left = (MNT_LAYOUT_NAME_MAX - size.fixed) / size.texts;
            left = (left < share) ? left : share;

        } else {
            left = 0;
        }

        name.data = buf;
        name.len = mnt_layout_fill(a, component, left, v, buf);

        if (name.len == 0) {
            return none;
        }

        name = mnt_name_safe(a, name);

        if (name.data == NULL) {
            return none;
        }

        path = mnt_arena_printf(a, "%.*s%s%.*s", (int) path.len,
                                path.len ? path.data : "",
                                path.len ? "/" : "", (int) name.len,
                                name.data);

        if (path.data == NULL) {
            return none;
        }
    }

    return path;
}
