
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_TEST_PLATFORM_H_INCLUDED_
#define _MNT_TEST_PLATFORM_H_INCLUDED_


#include "mnt_test.h"

#include "platform/mnt_platform.h"


#define MNT_TEST_ID     "00112233445566778899aabbccddeeff"
#define MNT_TEST_ARENA  (4 * 1024 * 1024)


/* the repository's top, seen from where prove or a person started the test */

static inline const char *
mnt_test_top(void)
{
    size_t   i;
    FILE    *f;
    char     path[64];

    static const char  *const tops[] = { "./", "../", "../../", "../../../" };

    for (i = 0; i < mnt_test_count(tops); i++) {
        (void) snprintf(path, sizeof(path), "%st/data/chzzk/README.md",
                        tops[i]);
        f = fopen(path, "rb");

        if (f) {
            (void) fclose(f);
            return tops[i];
        }
    }

    fail_msg("t/data/chzzk is not above the current directory");

    return "";
}


/* a whole file in malloc'd memory; data == NULL when it is absent */

static inline mnt_str_t
mnt_test_file(const char *path)
{
    long        n;
    FILE       *f;
    char       *p;
    mnt_str_t   s = mnt_str_null;

    f = fopen(path, "rb");

    if (f == NULL) {
        return s;
    }

    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    n = ftell(f);
    assert_true(n >= 0);
    rewind(f);

    p = malloc((size_t) n + 1);
    assert_non_null(p);

    s.data = p;
    s.len = fread(p, 1, (size_t) n, f);
    assert_int_equal(s.len, n);
    (void) fclose(f);

    return s;
}


/* a body of t/data/chzzk */

static inline mnt_str_t
mnt_test_body(const char *name)
{
    char       path[256];
    mnt_str_t  s;

    (void) snprintf(path, sizeof(path), "%st/data/chzzk/%s", mnt_test_top(),
                    name);
    s = mnt_test_file(path);

    if (s.data == NULL) {
        fail_msg("%s is not there", path);
    }

    return s;
}


static inline const mnt_platform_t *
mnt_test_platform(const char *name)
{
    const mnt_platform_t  *p;

    p = mnt_platform_find(mnt_str_c(name));
    assert_non_null(p);

    return p;
}


static inline void
mnt_test_probe(mnt_arena_t *a, const mnt_platform_t *p, mnt_request_e kind,
    const char *channel, const mnt_platform_answer_t *answer,
    mnt_probe_t *probe)
{
    mnt_platform_conf_t  conf;

    memset(&conf, 0, sizeof(conf));
    memset(probe, 0xa5, sizeof(mnt_probe_t));

    p->probe(a, &conf, kind, mnt_str_c(channel), answer, probe);
}


#endif /* _MNT_TEST_PLATFORM_H_INCLUDED_ */
