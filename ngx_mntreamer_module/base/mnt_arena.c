
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define MNT_ARENA_PAGE      4096
#define MNT_ARENA_PAGE_BIG  65536
#define MNT_ARENA_ALIGN     _Alignof(max_align_t)


struct mnt_arena_page_s {
    mnt_arena_page_t  *next;                  /* owned */
};


static char *mnt_arena_page(mnt_arena_t *a, size_t size);
static char *mnt_arena_aligned(char *p);


void
mnt_arena_init(mnt_arena_t *a, size_t max)
{
    mnt_arena_init_ex(a, max, NULL, NULL);
}


void
mnt_arena_init_ex(mnt_arena_t *a, size_t max, mnt_arena_page_pt page,
    void *data)
{
    memset(a, 0, sizeof(mnt_arena_t));

    a->max = max;
    a->page = page;
    a->data = data;
}


void
mnt_arena_free(mnt_arena_t *a)
{
    mnt_arena_page_t  *page, *next;

    for (page = a->pages; page; page = next) {
        next = page->next;
        free(page);
    }

    a->pages = NULL;
    a->p = NULL;
    a->end = NULL;
    a->used = 0;
}


/* "size" fresh bytes counted against max; the caller aligns them */

static char *
mnt_arena_page(mnt_arena_t *a, size_t size)
{
    mnt_arena_page_t  *page;

    if (a->page) {
        if (size > a->max - a->used) {
            return NULL;
        }

        page = a->page(a->data, size);

        if (page) {
            a->used += size;
        }

        return (char *) page;
    }

    if (a->max - a->used < sizeof(mnt_arena_page_t)
        || size > a->max - a->used - sizeof(mnt_arena_page_t))
    {
        return NULL;
    }

    page = malloc(sizeof(mnt_arena_page_t) + size);

    if (page == NULL) {
        return NULL;
    }

    a->used += sizeof(mnt_arena_page_t) + size;

    page->next = a->pages;
    a->pages = page;

    return (char *) (page + 1);
}


static char *
mnt_arena_aligned(char *p)
{
    size_t  odd;

    odd = (size_t) ((uintptr_t) p % MNT_ARENA_ALIGN);

    return odd ? p + (MNT_ARENA_ALIGN - odd) : p;
}


void *
mnt_arena_alloc(mnt_arena_t *a, size_t size)
{
    char    *p;
    size_t   page;

    if (size > a->max || size > SIZE_MAX / 2) {
        return NULL;
    }

    if (size == 0) {
        size = 1;
    }

    if (a->p) {
        p = mnt_arena_aligned(a->p);

        if (p <= a->end && size <= (size_t) (a->end - p)) {
            a->p = p + size;
            return memset(p, 0, size);
        }
    }

    page = (a->used < MNT_ARENA_PAGE_BIG) ? MNT_ARENA_PAGE
                                          : MNT_ARENA_PAGE_BIG;

    /* large pieces get a page of their own, the current one stays in use */

    if (size <= page / 4) {
        p = mnt_arena_page(a, page);

        if (p) {
            a->end = p + page;
            p = mnt_arena_aligned(p);
            a->p = p + size;

            return memset(p, 0, size);
        }
    }

    p = mnt_arena_page(a, size + MNT_ARENA_ALIGN);

    if (p == NULL) {
        return NULL;
    }

    return memset(mnt_arena_aligned(p), 0, size);
}


mnt_str_t
mnt_arena_dup(mnt_arena_t *a, mnt_str_t s)
{
    char       *p;
    mnt_str_t   copy;

    copy.len = 0;
    copy.data = NULL;

    if (s.len >= a->max) {
        return copy;
    }

    p = mnt_arena_alloc(a, s.len + 1);

    if (p == NULL) {
        return copy;
    }

    if (s.len) {
        memcpy(p, s.data, s.len);
    }

    copy.len = s.len;
    copy.data = p;

    return copy;
}


mnt_str_t
mnt_arena_printf(mnt_arena_t *a, const char *fmt, ...)
{
    int         n;
    char       *p;
    va_list     args;
    mnt_str_t   s;

    s.len = 0;
    s.data = NULL;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);

    if (n < 0) {
        return s;
    }

    p = mnt_arena_alloc(a, (size_t) n + 1);

    if (p == NULL) {
        return s;
    }

    va_start(args, fmt);
    (void) vsnprintf(p, (size_t) n + 1, fmt, args);
    va_end(args);

    s.len = (size_t) n;
    s.data = p;

    return s;
}
