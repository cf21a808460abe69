
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_HLS_READER_H_INCLUDED_
#define _MNT_HLS_READER_H_INCLUDED_


#include "mnt_hls.h"


/* inside of the playlist reader: not for other rooms */

#define MNT_HLS_MAX_KEYS   8                  /* KEYFORMATs in force at once */
#define MNT_HLS_MAX_HINTS  16                 /* further ones are ignored */

/* the same for the attributes of SERVER-CONTROL and START */
#define MNT_HLS_MAX_ATTRIBUTES  16


typedef struct {
    mnt_arena_t         *arena;               /* alias */
    mnt_hls_playlist_t  *playlist;            /* alias */
    uint64_t             seen;                /* tags that may come once */
    unsigned             uris;                /* lines that are URIs */
    unsigned             medias;              /* EXT-X-MEDIA tags */
    unsigned             media:1;             /* tags of a media playlist */
    unsigned             multivariant:1;

    /* waits for the URI line of a segment */
    mnt_hls_segment_t    next;
    unsigned             discontinuities;
    unsigned             has_extinf:1;
    unsigned             has_range:1;
    unsigned             has_offset:1;

    /*
     * Keys and map in force.  They are copied to the arena only for a segment
     * that uses them, so that a million tags without segments cost nothing.
     */
    mnt_hls_key_t        keys[MNT_HLS_MAX_KEYS];
    mnt_hls_key_t       *kept_keys[MNT_HLS_MAX_KEYS];  /* NULL: not copied */
    unsigned             nkeys;
    mnt_hls_key_t      **key_set;             /* of the last segment */
    unsigned             keys_changed:1;
    mnt_hls_map_t        map;
    mnt_hls_map_t       *kept_map;            /* NULL: not copied */
    mnt_hls_key_t        map_key;
    unsigned             map_has_key:1;
    unsigned             has_map:1;

    /* waits for the URI line of a variant */
    mnt_hls_variant_t    variant;
    unsigned             has_variant:1;
} mnt_hls_reader_t;


/* one tag; "line" starts with "#EXT" and is trimmed */
mnt_hls_rc_e mnt_hls_tag(mnt_hls_reader_t *r, mnt_str_t line);

/* of the keys in force: identity, else the first; -1 when there is none */
int mnt_hls_key_choice(const mnt_hls_reader_t *r);

int mnt_hls_key_equal(const mnt_hls_key_t *k, const mnt_hls_key_t *l);
int mnt_hls_map_equal(const mnt_hls_map_t *m, const mnt_hls_map_t *n);


/*
 * Takes one attribute off the front of a list (RFC 8216 4.2).  Returns 1, 0 at
 * the end, -1 when the list is malformed.
 */
int mnt_hls_attr_next(mnt_str_t *list, mnt_hls_attribute_t *attr);

/*
 * Reads the values of the NULL-terminated "names"; what is absent becomes the
 * null string, of repeated ones the first counts.
 */
mnt_hls_rc_e mnt_hls_attr_read(mnt_str_t list, const char *const *names,
    mnt_str_t *values);

/* keeps up to MNT_HLS_MAX_ATTRIBUTES attributes in the arena, in order */
mnt_hls_rc_e mnt_hls_attr_keep(mnt_arena_t *a, mnt_str_t list,
    mnt_hls_attribute_t **attrs, unsigned *n);

/* 1 when "s" is a name of digits, letters, '-' and '_': needs no quotes */
int mnt_hls_attr_enumerated(mnt_str_t s);

/* "length[@offset]" */
mnt_hls_rc_e mnt_hls_range_read(mnt_str_t s, mnt_hls_range_t *range,
    int *has_offset);


#endif /* _MNT_HLS_READER_H_INCLUDED_ */
