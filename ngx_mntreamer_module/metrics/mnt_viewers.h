
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_VIEWERS_H_INCLUDED_
#define _MNT_VIEWERS_H_INCLUDED_


#include "../base/mnt_name.h"


/*
 * Who watches recordings in progress.  HLS has no connection: a viewer is who
 * asks for a media playlist and then for anything more of the same directory,
 * until nothing was asked for so long that a player would have.
 *
 * One table is shared by all workers: of a fixed size, without a pointer, and
 * such that a process may be killed in the middle of any of these functions.
 * Whoever calls them holds a lock, but for _who() and _target(), and for
 * _used().  Of a viewer the table holds a digest under a key that nobody
 * knows.  Times are milliseconds of one monotonic clock of all processes.
 */


#define MNT_VIEWERS_SETS        1024          /* a power of 2 */
#define MNT_VIEWERS_WAYS        64            /* viewers of one address */
#define MNT_VIEWERS_MAX         (MNT_VIEWERS_SETS * MNT_VIEWERS_WAYS)
#define MNT_VIEWERS_RECORDINGS  2048          /* a power of 2 */

#define MNT_VIEWERS_TELL_MS     10000         /* at least so often */

#define MNT_VIEWERS_HEAD        256           /* bytes that _target() wants */
#define MNT_VIEWERS_TAIL        64


typedef struct {
    uint64_t     key;                         /* 0: free; written last */
    uint32_t     seen;                        /* tenths of a second */
    uint16_t     recording;                   /* index */
    uint8_t      patience;                    /* seconds */
    uint8_t      viewer;                      /* asked more than once */
} mnt_viewers_session_t;

typedef struct {
    uint64_t     key;                         /* 0: free; written last */
    int64_t      run;                         /* names this life of it */
    uint64_t     watched;                     /* tenths of a second, of all */
    uint64_t     told_watched;                /* the database knows */
    uint32_t     told_viewers;
    uint32_t     told;                        /* when */
    uint32_t     viewers;                     /* when counted last */
    uint32_t     seen;
    uint32_t     len;
    char         directory[MNT_LAYOUT_MAX];
} mnt_viewers_recording_t;

typedef struct {
    uint64_t                 secret[2];
    int64_t                  run;             /* the next one */
    int64_t                  turn;            /* number of the last count */
    uint32_t                 counted;         /* when */
    uint32_t                 viewers;         /* of all recordings */
    uint32_t                 used;            /* recordings */
    uint32_t                 complained;      /* when, 0: never */
    mnt_viewers_recording_t  recordings[MNT_VIEWERS_RECORDINGS];
    mnt_viewers_session_t    sessions[MNT_VIEWERS_SETS][MNT_VIEWERS_WAYS];
} mnt_viewers_t;

/* digests of one who asks */

typedef struct {
    uint64_t     session;
    uint64_t     recording;
    unsigned     set;
} mnt_viewer_t;

typedef enum {
    MNT_VIEWERS_NOBODY = 0,                   /* asks for the first time */
    MNT_VIEWERS_COUNTED,
    MNT_VIEWERS_CROWDED,                      /* too many of one address */
    MNT_VIEWERS_FULL                          /* too many at all */
} mnt_viewers_e;

/* what the database is to be told of a recording */

typedef struct {
    unsigned     index;
    int64_t      run;
    uint32_t     viewers;
    int64_t      watched_ms;                  /* since the run began */
} mnt_viewers_report_t;


/* "v" is all zeroes, "random" nobody knows */
void mnt_viewers_init(mnt_viewers_t *v, const uint64_t random[3]);

/*
 * "address" and "agent" tell players apart; no more than MNT_VIEWERS_WAYS of
 * one "net" are counted: the address, or the part of it that its owner cannot
 * choose.
 */
void mnt_viewers_who(const mnt_viewers_t *v, mnt_str_t directory,
    mnt_str_t net, mnt_str_t address, mnt_str_t agent, mnt_viewer_t *who);

/*
 * The target duration in seconds of a media playlist that has no end yet, by
 * the first and the last bytes of its file, which may overlap; 0: it is
 * anything else.
 */
unsigned mnt_viewers_target(mnt_str_t head, mnt_str_t tail);

/*
 * 1: who asks has a place of the recording, or fewer than "limit" have one,
 * who asked once included.  Looks at all sessions when it has none.
 */
int mnt_viewers_admits(mnt_viewers_t *v, const mnt_viewer_t *who,
    unsigned limit, int64_t now_ms);

/* a media playlist of a recording in progress was asked for */
mnt_viewers_e mnt_viewers_playlist(mnt_viewers_t *v, const mnt_viewer_t *who,
    mnt_str_t directory, unsigned target_s, int64_t now_ms);
/* something else was */
mnt_viewers_e mnt_viewers_segment(mnt_viewers_t *v, const mnt_viewer_t *who,
    int64_t now_ms);

/* so many watched it when they were counted last */
unsigned mnt_viewers_of(const mnt_viewers_t *v, mnt_str_t directory);
/* 1: who asks has a place among them */
int mnt_viewers_is(mnt_viewers_t *v, const mnt_viewer_t *who, int64_t now_ms);

/* 0: nobody watches anything, _segment() would find nobody */
unsigned mnt_viewers_used(const mnt_viewers_t *v);
/* 1 once an hour: somebody who is not counted is to be told of */
int mnt_viewers_complain(mnt_viewers_t *v, int64_t now_ms);

/* counts, when nobody did it for so long; 1: who called has to report */
int mnt_viewers_turn(mnt_viewers_t *v, unsigned pause_ms, int64_t now_ms);
/*
 * The next one to be told of from "*cursor" on, and its directory, UTF-8, of
 * "*len" bytes; 0: there is no more.
 */
int mnt_viewers_due(const mnt_viewers_t *v, unsigned *cursor, int64_t now_ms,
    mnt_viewers_report_t *report, char directory[MNT_LAYOUT_MAX],
    size_t *len);
/* the database has it */
void mnt_viewers_told(mnt_viewers_t *v, const mnt_viewers_report_t *report,
    int64_t now_ms);


#endif /* _MNT_VIEWERS_H_INCLUDED_ */
