
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_FORM_H_INCLUDED_
#define _MNT_FORM_H_INCLUDED_


#include "mnt_arena.h"


/*
 * A form as browsers and nginx-rtmp send it: "name=value&name=value", percent
 * encoded.  Behind the fields of nginx-rtmp stands whatever a publisher wrote
 * into its address, unchanged: the first of each name counts, and a second one
 * of a name that decides something spoils the form.
 */

typedef struct {
    const char  *name;
    int          once;                        /* a second one is refused */
    mnt_str_t    value;                       /* decoded; null: absent */
} mnt_form_field_t;


/*
 * Fills the values of "fields", decoded and terminated in the arena; fields of
 * other names are passed over.  Returns 0, or -1 with *why ("has a name
 * twice"): then the values mean nothing.
 */
int mnt_form_parse(mnt_arena_t *a, mnt_str_t text, mnt_form_field_t *fields,
    size_t n, const char **why);


#endif /* _MNT_FORM_H_INCLUDED_ */
