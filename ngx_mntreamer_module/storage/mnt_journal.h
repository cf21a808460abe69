
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_JOURNAL_H_INCLUDED_
#define _MNT_JOURNAL_H_INCLUDED_


#include "../hls/mnt_hls.h"


/*
 * The journal of a track: one line of text an event, in order.  Each line ends
 * with a CRC-32 of itself, so that a torn or zeroed one is recognised; such
 * lines are skipped.
 *
 *     S number part token container epoch sequence identity date duration
 *       discontinuity discontinuous map bytes wall     a segment
 *     I number part token bytes crc wall               an init section
 *     G count duration reason wall                     segments never had
 *     L number wall                                    a file that is gone
 *     R wall                                           opened after its end
 *
 * S and I are written when the bytes are complete in a .part file and before
 * that gets its final name.
 */

#define MNT_JOURNAL_LINE_MAX    320           /* bytes of a line, all kinds */
#define MNT_JOURNAL_REASON_MAX  32
#define MNT_TRACK_PREFIX_MAX    32            /* of a prefix or a name */
#define MNT_TRACK_FILE_MAX      96            /* of a file name of a track */

typedef enum {
    MNT_JOURNAL_SEGMENT = 'S',
    MNT_JOURNAL_INIT = 'I',
    MNT_JOURNAL_GAP = 'G',
    MNT_JOURNAL_LOST = 'L',
    MNT_JOURNAL_REOPENED = 'R'
} mnt_journal_kind_e;

typedef struct {
    mnt_journal_kind_e   kind;
    uint64_t             number;              /* in the file's final name */
    uint64_t             part;                /* in the .part file's name */
    uint32_t             token;               /* of its writer, likewise */
    mnt_hls_container_e  container;           /* decides the extension */
    uint32_t             epoch;
    mnt_hls_seen_t       seen;
    uint64_t             discontinuity;       /* of the source */
    unsigned             discontinuous:1;     /* as it is listed */
    uint64_t             map;                 /* its init section, or 0 */
    int64_t              duration_us;
    uint64_t             bytes;
    uint32_t             crc;                 /* of an init section */
    uint64_t             count;               /* of a gap */
    mnt_str_t            reason;              /* alias; no white space */
    int64_t              wall_ms;
} mnt_journal_line_t;

/* returns the length with the end of line, 0 when it does not fit */
size_t mnt_journal_write(const mnt_journal_line_t *l, char *buf, size_t size);

/*
 * Takes the next line off *rest.  1: *l is set and *text is the line as it
 * stands; 0: the end; -1: a line that does not count was skipped.
 */
int mnt_journal_read(mnt_str_t *rest, mnt_journal_line_t *l, mnt_str_t *text);

/* what was lost, as the journal tells it: line G and what stands around it */

#define MNT_JOURNAL_GAPS        64

typedef struct {
    uint64_t             number;              /* of the track's gaps, from 1 */
    uint64_t             first;               /* number at the source */
    uint64_t             count;
    int64_t              duration_us;
    int64_t              at_us;               /* into what is stored */
    char                 reason[MNT_JOURNAL_REASON_MAX];
} mnt_journal_gap_t;

/*
 * Fills gaps[MNT_JOURNAL_GAPS] with the last ones, in order; returns how many.
 * Those of files that went away are left out: they have no number there.
 */
size_t mnt_journal_gaps(mnt_str_t journal, mnt_journal_gap_t *gaps);

/* CRC-32 (IEEE 802.3), to be started with 0 and gone on with */
uint32_t mnt_journal_crc(uint32_t crc, const void *p, size_t n);


/* the names of a track's files */

typedef enum {
    MNT_FILE_OTHER = 0,
    MNT_FILE_SEGMENT,                         /* PREFIX000001.ts */
    MNT_FILE_INIT,                            /* PREFIXinit-1.mp4 */
    MNT_FILE_PART                             /* PREFIX1.0a1b2c3d.part */
} mnt_file_e;

typedef struct {
    mnt_file_e           kind;
    uint64_t             number;
    uint32_t             token;               /* of a part */
    mnt_hls_container_e  container;           /* of a segment */
    uint64_t             size;                /* not of the name */
} mnt_file_t;

/* "buf" of MNT_TRACK_FILE_MAX; terminated */
mnt_str_t mnt_file_name(const mnt_file_t *f, mnt_str_t prefix, char *buf);

/* fills all but size; kind OTHER when the name is none of this prefix */
void mnt_file_parse(mnt_str_t name, mnt_str_t prefix, mnt_file_t *f);


#endif /* _MNT_JOURNAL_H_INCLUDED_ */
