
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_NAME_H_INCLUDED_
#define _MNT_NAME_H_INCLUDED_


#include "mnt_arena.h"


#define MNT_NAME_MAX    120                   /* bytes of one path component */
#define MNT_LAYOUT_MAX  768                   /* bytes of a whole path */


/*
 * Turns any text into one safe path component: valid UTF-8, at most
 * MNT_NAME_MAX bytes cut between code points, none of <>:"/\|?* or control or
 * bidirectional-override characters, no leading dot, dash or space, no
 * trailing dot or space, no device name of Windows, never empty ("_").
 */
mnt_str_t mnt_name_safe(mnt_arena_t *a, mnt_str_t text);

/* the values of a layout; all texts are untrusted */

typedef struct {
    mnt_str_t   platform;
    mnt_str_t   channel_id;
    mnt_str_t   channel_mark;                 /* behind it, however short it
                                                 becomes; or null */
    mnt_str_t   channel_name;
    mnt_str_t   title;
    int64_t     recording_id;
    unsigned    sequence;                     /* of day and channel, from 1 */
    int64_t     started_ms;
    int         zone_s;                       /* seconds east of UTC */
} mnt_layout_values_t;

/*
 * Checks a layout such as
 * "{platform}/{channel_id}/{yyyy}/{mm}/{dd}/{sequence}" (also {channel_name}
 * {title} {recording_id} {hh} {mi} {ss}).  Returns NULL or a short reason.  So
 * that two recordings never share a directory it must hold {recording_id}, or
 * {sequence} with {channel_id} and the date it counts for; other digits must
 * not stand beside that number.
 */
const char *mnt_layout_check(mnt_str_t layout);

/*
 * Expands a checked layout to a relative path: every component safe, nothing
 * absolute, at most MNT_LAYOUT_MAX bytes; texts are shortened, numbers never.
 * data == NULL when memory is gone or the layout does not pass the check.
 */
mnt_str_t mnt_layout_expand(mnt_arena_t *a, mnt_str_t layout,
    const mnt_layout_values_t *v);

/*
 * 1 when "path" may be looked up below the storage root: relative, components
 * of at most 255 bytes, none empty, none starting with a dot, no control
 * characters, no backslash.
 */
int mnt_path_servable(mnt_str_t path);


#endif /* _MNT_NAME_H_INCLUDED_ */
