
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_ARENA_H_INCLUDED_
#define _MNT_ARENA_H_INCLUDED_


#include "mnt_str.h"


typedef struct mnt_arena_page_s  mnt_arena_page_t;

/* returns "size" bytes or NULL; they are never given back one by one */
typedef void *(*mnt_arena_page_pt)(void *data, size_t size);

typedef struct {
    mnt_arena_page_t   *pages;                /* owned when page == NULL */
    char               *p;
    char               *end;
    size_t              used;                 /* bytes taken in pages */
    size_t              max;                  /* bytes it may take in pages */
    mnt_arena_page_pt   page;                 /* NULL: malloc and free */
    void               *data;                 /* alias, of page() */
} mnt_arena_t;


/* an arena on malloc that never takes more than "max" bytes */
void mnt_arena_init(mnt_arena_t *a, size_t max);

/* an arena whose pages come from "page" and are freed by their owner */
void mnt_arena_init_ex(mnt_arena_t *a, size_t max, mnt_arena_page_pt page,
    void *data);

/* gives back what malloc gave; the arena is empty and usable afterwards */
void mnt_arena_free(mnt_arena_t *a);

/* aligned, zeroed memory, or NULL when "max" is reached or memory is gone */
void *mnt_arena_alloc(mnt_arena_t *a, size_t size);

/* a copy with a NUL behind it (not counted); data == NULL on failure */
mnt_str_t mnt_arena_dup(mnt_arena_t *a, mnt_str_t s);

/* printf into the arena; data == NULL on failure */
mnt_str_t mnt_arena_printf(mnt_arena_t *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


#endif /* _MNT_ARENA_H_INCLUDED_ */
