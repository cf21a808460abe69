
/*
 * Copyright (C) the mntreamer authors
 *
 * A value is never longer than what was sent and holds no NUL; a second field
 * of a name that counts once is never passed over; what was decoded and is
 * escaped again is read as the same.
 */


#include "mnt_fuzz.h"

#include "base/mnt_form.h"


#define FIELDS  4


static void
init(mnt_form_field_t *f)
{
    size_t              i;
    static const char  *const names[] = { "name", "call", "clientid", "pw" };

    memset(f, 0, FIELDS * sizeof(mnt_form_field_t));

    for (i = 0; i < FIELDS; i++) {
        f[i].name = names[i];
        f[i].once = (i < 3);
    }
}


static size_t
escape(char *p, const char *name, mnt_str_t value)
{
    size_t              i, n;
    static const char   hex[] = "0123456789ABCDEF";

    n = strlen(name);
    memcpy(p, name, n);
    p[n++] = '=';

    for (i = 0; i < value.len; i++) {
        p[n++] = '%';
        p[n++] = hex[(unsigned char) value.data[i] >> 4];
        p[n++] = hex[(unsigned char) value.data[i] & 15];
    }

    p[n++] = '&';

    return n;
}


int
LLVMFuzzerTestOneInput(const uint8_t *in, size_t len)
{
    char              *again;
    size_t             i, n;
    mnt_str_t          s;
    const char        *why;
    mnt_arena_t        a;
    mnt_form_field_t   f[FIELDS], g[FIELDS];

    if (len > 8192) {
        return 0;
    }

    s = mnt_fuzz_str(in, len);
    mnt_arena_init(&a, 1 << 20);
    init(f);
    init(g);

    if (mnt_form_parse(&a, s, f, FIELDS, &why) != 0) {
        mnt_fuzz_hold(why != NULL);
        mnt_arena_free(&a);
        return 0;
    }

    again = malloc(6 * len + 1024);
    mnt_fuzz_hold(again != NULL);
    n = 0;

    for (i = 0; i < FIELDS; i++) {
        mnt_fuzz_hold(f[i].value.len < len || f[i].value.len == 0);

        if (f[i].value.data) {
            mnt_fuzz_hold(strlen(f[i].value.data) == f[i].value.len);
            n += escape(again + n, f[i].name, f[i].value);
        }
    }

    s.data = again;
    s.len = n;
    mnt_fuzz_hold(mnt_form_parse(&a, s, g, FIELDS, &why) == 0);

    for (i = 0; i < FIELDS; i++) {
        mnt_fuzz_hold(mnt_str_eq(f[i].value, g[i].value));
        mnt_fuzz_hold((f[i].value.data == NULL) == (g[i].value.data == NULL));
    }

    if (f[0].value.data) {
        n += escape(again + n, "n%61me", f[0].value);
        s.len = n;
        mnt_fuzz_hold(mnt_form_parse(&a, s, g, FIELDS, &why) == -1);
    }

    free(again);
    mnt_arena_free(&a);

    return 0;
}
