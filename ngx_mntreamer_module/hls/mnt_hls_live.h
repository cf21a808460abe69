
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_HLS_LIVE_H_INCLUDED_
#define _MNT_HLS_LIVE_H_INCLUDED_


#include "mnt_hls.h"


/*
 * A media playlist of our own while it grows: where its entries begin, kept as
 * a mark each so many of them.  Views of its end are made from the nearest
 * mark, so that they cost what they show, however long the playlist is.
 */

#define MNT_HLS_LIVE_EVERY  64                /* entries between two marks */
#define MNT_HLS_LIVE_HEAD   512               /* holds what _head() writes */


typedef struct {
    uint64_t             offset;              /* bytes in front of it */
    uint64_t             entries;
    uint64_t             discontinuities;     /* tags */
    int64_t              time_us;
    uint64_t             map_offset;          /* of the EXT-X-MAP in force */
    size_t               map_len;             /* of its line; 0: none */
} mnt_hls_mark_t;

typedef struct {
    mnt_hls_mark_t       at;                  /* behind the last whole entry */
    mnt_hls_mark_t      *marks;               /* malloc() */
    size_t               n, room;
    uint32_t             version;
    uint32_t             target_s;
    uint64_t             sequence;            /* EXT-X-MEDIA-SEQUENCE */
    uint64_t             discontinuity;       /* -DISCONTINUITY-SEQUENCE */
    unsigned             independent:1;
    unsigned             event:1;             /* -PLAYLIST-TYPE */
    unsigned             foreign:1;           /* it has no views */
    unsigned             multivariant:1;      /* and this is why */
    unsigned             ended:1;
} mnt_hls_live_t;

typedef enum {
    MNT_HLS_VIEW_WHOLE = 0,
    MNT_HLS_VIEW_DELTA,                       /* EXT-X-SKIP for the rest */
    MNT_HLS_VIEW_WINDOW                       /* as if the rest had gone */
} mnt_hls_view_e;


/* what was allocated before is not freed */
void mnt_hls_live_init(mnt_hls_live_t *live);
void mnt_hls_live_free(mnt_hls_live_t *live);

/*
 * Reads on: "text" is what the file has from live->at.offset on, whole entries
 * are taken.  A multivariant playlist, or one with keys, byte ranges or tags
 * that a view would have to repeat, becomes "foreign".  Returns 0, or -1 when
 * memory is gone: what was taken before stays.
 */
int mnt_hls_live_read(mnt_hls_live_t *live, mnt_str_t text);

/* 1: it has an entry and a head that views can have */
int mnt_hls_live_shown(const mnt_hls_live_t *live);

/*
 * CAN-SKIP-UNTIL in seconds (rfc8216bis 4.4.3.8: at least six times the target
 * duration).
 */
uint32_t mnt_hls_live_skip_s(const mnt_hls_live_t *live);

/*
 * From where a view of the last "span_us" is to be read, up to live->at; NULL:
 * there is no entry yet.
 */
const mnt_hls_mark_t *mnt_hls_live_mark(const mnt_hls_live_t *live,
    int64_t span_us);

/* the first entry of such a view begins before this offset */
uint64_t mnt_hls_live_until(const mnt_hls_live_t *live,
    const mnt_hls_mark_t *mark);

/*
 * The first entry that such a view shows: the first one of "text", which
 * begins at "mark" and reaches to _until() at least, that does not end before
 * the span.
 */
void mnt_hls_live_first(const mnt_hls_live_t *live, const mnt_hls_mark_t *mark,
    mnt_str_t text, int64_t span_us, mnt_hls_mark_t *first);

/*
 * The lines in front of the entries from "first" on; "map" is the EXT-X-MAP
 * line that a window begins with, or null.  A delta that skips nothing is
 * whole.  Returns the length, below MNT_HLS_LIVE_HEAD when "map" is null;
 * not less than "size": nothing useful was written.
 */
size_t mnt_hls_live_head(const mnt_hls_live_t *live, mnt_hls_view_e view,
    const mnt_hls_mark_t *first, mnt_str_t map, char *buf, size_t size);


#endif /* _MNT_HLS_LIVE_H_INCLUDED_ */
