
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_RECORDER_H_INCLUDED_
#define _MNT_RECORDER_H_INCLUDED_


#include "../base/mnt_arena.h"
#include "../base/mnt_name.h"
#include "../hls/mnt_hls.h"


/*
 * What a recorder decides, without I/O and without a clock.  Times are
 * milliseconds of one monotonic clock; -1 is "never".
 */


#define MNT_RECORDER_SEQUENCE_BYTE  '\x01'
#define MNT_RECORDER_ID_BYTE        '\x02'
#define MNT_RECORDER_MARK_BYTE      '\x03'
#define MNT_RECORDER_RENDITIONS     9         /* the video and 8 of audio */


/*
 * Expands a layout whose {sequence} and {recording_id} only the database will
 * know: single bytes stand for them, and one for what tells channels apart
 * that are "marked".  data == NULL when memory is gone.
 */
mnt_str_t mnt_recorder_path(mnt_arena_t *a, mnt_str_t layout,
    const mnt_layout_values_t *v, int marked);

/*
 * The wish that chooses the same variant again ("1080p60"), or an empty text
 * when it has no RESOLUTION.  Returns the length.
 */
size_t mnt_recorder_quality(const mnt_hls_variant_t *v, char *buf,
    size_t size);

/*
 * The audio renditions to record beside a variant: those of its group with a
 * URI of their own, default ones first, then autoselected ones, at most "max".
 */
unsigned mnt_recorder_audio(const mnt_hls_playlist_t *p,
    const mnt_hls_variant_t *v, const mnt_hls_rendition_t **list,
    unsigned max);


/*
 * Pause after the "failures"-th failed load in a row: short while the window
 * of the source may still hold everything, longer when the outage lasts.
 */
int64_t mnt_recorder_reload_ms(unsigned failures, int64_t target_ms,
    int64_t outage_ms, uint32_t rnd);

/*
 * Pause before the next renewal of the URLs when "n" in a row have not cured:
 * three at once, then 1 to 15 minutes.
 */
int64_t mnt_recorder_renew_ms(unsigned n);

/*
 * Pause of a streamer that is on air but gave nothing to record after so many
 * starts that failed already: 2 seconds, then twice as long up to 4 minutes.
 */
int64_t mnt_recorder_start_ms(uint64_t starts);

/* no news for so long is worth a question to the platform */
int64_t mnt_recorder_quiet_ms(int64_t target_ms);


/* what the answer to a segment says about it */

typedef struct {
    unsigned            http;
    int64_t             content_length;       /* -1: not told */
    int64_t             range_start;          /* of the answer; -1: none */
    int64_t             range_length;
    unsigned            encoded:1;
} mnt_recorder_answer_t;

/* 1 when the body of this answer is the wanted resource or part of it */
int mnt_recorder_acceptable(const mnt_hls_range_t *range,
    const mnt_recorder_answer_t *a);

/* bytes that must come on the wire, -1 unknown */
int64_t mnt_recorder_expect(const mnt_hls_range_t *range,
    const mnt_recorder_answer_t *a);


/* is it over?  plain data, kept by a session */

typedef struct {
    int64_t             started_ms;
    int64_t             check_ms;             /* between two "off air" */
    int64_t             refresh_ms;           /* facts while it is on air */
    int64_t             grace_ms;             /* no news for so long: over */
    int64_t             target_ms;
    int64_t             news_ms;              /* last new segments */
    int64_t             ended_ms;             /* ENDLIST since */
    int64_t             failing_ms;           /* no playlist since */
    int64_t             refused_ms;           /* 403, 404, 410 since */
    int64_t             off_ms;               /* first "off air" in a row */
    int64_t             heard_ms;             /* last answer of the platform */
    unsigned            offs;                 /* so many in a row */
    unsigned            doubts;               /* also when segments came */
    unsigned            errors;               /* answers that say nothing */
    unsigned            live:1;               /* the last answer said so */
    unsigned            identified:1;         /* broadcasts have an id */
    unsigned            certain:1;            /* who says "off air" knows */
    unsigned            waiting:1;            /* there is no playlist yet */
} mnt_recorder_end_t;

typedef enum {
    MNT_RECORDER_OFF_AIR = 0,
    MNT_RECORDER_ON_AIR,
    MNT_RECORDER_UNSURE
} mnt_recorder_heard_e;

void mnt_recorder_end_init(mnt_recorder_end_t *e, int64_t now_ms);

/* new segments were listed */
void mnt_recorder_end_news(mnt_recorder_end_t *e, int64_t now_ms);

/* the platform answered */
void mnt_recorder_end_heard(mnt_recorder_end_t *e, mnt_recorder_heard_e heard,
    int64_t now_ms);

/* 1 when the playlist brings nothing: the platform should be asked */
int mnt_recorder_end_quiet(const mnt_recorder_end_t *e, int64_t now_ms);

/* when the platform should be asked again */
int64_t mnt_recorder_end_ask_at(const mnt_recorder_end_t *e, int64_t now_ms);

/* 1 when it is certain that it is over, and nothing more can come */
int mnt_recorder_end_past(const mnt_recorder_end_t *e, int64_t now_ms);

/* why the recording is over, or NULL */
const char *mnt_recorder_end_over(const mnt_recorder_end_t *e,
    int64_t now_ms);


#endif /* _MNT_RECORDER_H_INCLUDED_ */
