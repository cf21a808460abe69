
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_STR_H_INCLUDED_
#define _MNT_STR_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


/* a piece of text that somebody else owns; not terminated; may hold NUL */

typedef struct {
    size_t       len;
    const char  *data;                        /* alias */
} mnt_str_t;


#define mnt_str(literal)   { sizeof(literal) - 1, literal }
#define mnt_str_null       { 0, NULL }


/* wraps a terminated string; NULL gives the null string */
mnt_str_t mnt_str_c(const char *s);

int mnt_str_eq(mnt_str_t a, mnt_str_t b);
int mnt_str_eqc(mnt_str_t a, const char *s);
int mnt_str_caseeq(mnt_str_t a, mnt_str_t b);                /* ASCII case */
int mnt_str_caseeqc(mnt_str_t a, const char *s);
int mnt_str_starts(mnt_str_t s, const char *prefix);
int mnt_str_ends(mnt_str_t s, const char *suffix);

/* the text without ASCII white space at both ends */
mnt_str_t mnt_str_trim(mnt_str_t s);

/*
 * Read a whole decimal number; return 0, or -1 when "s" is empty, has another
 * character or does not fit.
 */
int mnt_str_u64(mnt_str_t s, uint64_t *out);
int mnt_str_i64(mnt_str_t s, int64_t *out);

/*
 * Reads "1.5", "2", ".25", "3." as micro-units (1500000, 2000000, 250000,
 * 3000000); further digits round half up.  No sign, no exponent.  Returns 0 or
 * -1.
 */
int mnt_str_micros(mnt_str_t s, int64_t *out);

/* FNV-1a, 64 bits; for identity in memory, never on disk or for security */
uint64_t mnt_str_hash(mnt_str_t s);

/* 1 when "s" is well-formed UTF-8 (RFC 3629: no surrogates, no overlong) */
int mnt_str_utf8(mnt_str_t s);

/* the longest prefix of at most "max" bytes that ends between code points */
mnt_str_t mnt_str_utf8_cut(mnt_str_t s, size_t max);


#endif /* _MNT_STR_H_INCLUDED_ */
