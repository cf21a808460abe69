
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_EXPORT_H_INCLUDED_
#define _MNT_EXPORT_H_INCLUDED_


#include "../hls/mnt_hls_cut.h"


/*
 * Which files of a recording become an export.  The clocks of a source begin
 * anew where its playlist says DISCONTINUITY: what lies between two of them is
 * a "run", whose files are of one clock.  Runs are put one behind the other by
 * the durations that the playlist tells, so that pictures and sound stay
 * together whatever the clocks do.
 */

typedef struct {
    mnt_str_t    uri;                         /* aliases of the text, all */
    mnt_str_t    map;                         /* in force; null: none */
    int64_t      duration_us;
    unsigned     begins:1;                    /* a run */
} mnt_export_entry_t;

typedef struct {
    mnt_str_t    text;                        /* what is not read yet */
    mnt_str_t    map;
    int64_t      begin_us;
    int64_t      end_us;                      /* less than 0: there is none */
    int64_t      at_us;                       /* where the next entry is */
    const mnt_hls_cuts_t  *cuts;              /* alias; NULL: all is shown */
    size_t       cut;                         /* the first that is not past */
    unsigned     broken:1;                    /* the next one begins a run */
} mnt_export_reader_t;


/*
 * Reads a media playlist of our own, of any length, whose text must outlive
 * the entries.  What begins within a cut is left out; times are of the whole.
 */
void mnt_export_init(mnt_export_reader_t *rd, mnt_str_t text,
    const mnt_hls_cuts_t *cuts, int64_t begin_us, int64_t end_us);

/*
 * The next entry any part of which lies in the span; 0: there is none.  Behind
 * one with GAP, or whose file is to be left out (mnt_export_skip() after it),
 * a run begins.  Names that are not those of a file beside it are passed over.
 */
int mnt_export_next(mnt_export_reader_t *rd, mnt_export_entry_t *e);
void mnt_export_skip(mnt_export_reader_t *rd);

/* of a multivariant playlist of our own: the first rendition of sound with a
   playlist of its own, or null */
mnt_str_t mnt_export_audio(mnt_str_t text);


/*
 * What ffmpeg says of its progress: 1 when "line" tells where it is, in
 * *at_us; 2 when it tells its speed, in thousandths of real time, in *rate; 0
 * when it says nothing of these.
 */
int mnt_export_progress(mnt_str_t line, int64_t *at_us, int64_t *rate);

/* of 1000, below 1000 while it is not all */
int64_t mnt_export_share(int64_t at_us, int64_t whole_us);

/* what was made lacks so much that it is none: durations that playlists tell
   are not exact */
int mnt_export_short(int64_t made_us, int64_t whole_us);


#endif /* _MNT_EXPORT_H_INCLUDED_ */
