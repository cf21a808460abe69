
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_HLS_H_INCLUDED_
#define _MNT_HLS_H_INCLUDED_


#include "../base/mnt_arena.h"
#include "../base/mnt_date.h"
#include "../base/mnt_url.h"


#define MNT_HLS_MAX_BYTES      (2 * 1024 * 1024)
#define MNT_HLS_MAX_LINE       8192
#define MNT_HLS_MAX_SEGMENTS   10000          /* also variants, renditions */
#define MNT_HLS_MAX_DURATION   (3600 * (int64_t) 1000000)
#define MNT_HLS_NO_OFFSET      ((uint64_t) -1)


typedef enum {
    MNT_HLS_OK = 0,
    MNT_HLS_NOT_A_PLAYLIST,                   /* no #EXTM3U in front */
    MNT_HLS_TOO_LARGE,
    MNT_HLS_LINE_TOO_LONG,
    MNT_HLS_TOO_MANY,
    MNT_HLS_CONTROL_CHARACTER,
    MNT_HLS_NOT_UTF8,
    MNT_HLS_BAD_VERSION,
    MNT_HLS_BAD_NUMBER,
    MNT_HLS_BAD_ATTRIBUTE,
    MNT_HLS_BAD_KEY,
    MNT_HLS_BAD_BYTERANGE,
    MNT_HLS_DUPLICATE_TAG,
    MNT_HLS_MIXED,                            /* media and multivariant tags */
    MNT_HLS_NO_TARGETDURATION,
    MNT_HLS_NO_EXTINF,
    MNT_HLS_NO_URI,
    MNT_HLS_NO_MEMORY
} mnt_hls_rc_e;

typedef enum {
    MNT_HLS_MEDIA = 0,
    MNT_HLS_MULTIVARIANT
} mnt_hls_kind_e;

typedef enum {
    MNT_HLS_TYPE_NONE = 0,
    MNT_HLS_TYPE_EVENT,
    MNT_HLS_TYPE_VOD
} mnt_hls_type_e;

typedef enum {
    MNT_HLS_KEY_NONE = 0,
    MNT_HLS_KEY_AES_128,
    MNT_HLS_KEY_SAMPLE_AES,
    MNT_HLS_KEY_OTHER                         /* never to be taken for clear */
} mnt_hls_method_e;


/* all structures live in the arena of the parse; texts are aliases of it */

typedef struct {
    mnt_hls_method_e    method;
    mnt_str_t           method_name;          /* as written */
    mnt_str_t           uri;
    mnt_str_t           iv_text;              /* lower case, or null */
    mnt_str_t           keyformat;            /* "identity" when absent */
    uint8_t             iv[16];
    unsigned            has_iv:1;
} mnt_hls_key_t;

typedef struct {
    uint64_t            length;               /* 0: the whole resource */
    uint64_t            offset;
} mnt_hls_range_t;

typedef struct {
    mnt_str_t           uri;
    mnt_hls_range_t     range;
    mnt_hls_key_t      *key;                  /* in force at the tag; NULL */
} mnt_hls_map_t;

typedef struct {
    mnt_str_t           uri;                  /* as written, not resolved */
    mnt_str_t           title;
    int64_t             duration_us;
    uint64_t            sequence;
    uint64_t            discontinuity;        /* its sequence number */
    int64_t             date_ms;              /* MNT_DATE_NONE when absent */
    mnt_str_t           date_text;            /* as written, or null */
    mnt_hls_range_t     range;                /* offset is absolute */
    mnt_hls_map_t      *map;                  /* NULL: none in force */
    mnt_hls_key_t      *key;                  /* the one a recorder must use:
                                                 identity, else first; NULL */
    mnt_hls_key_t     **keys;                 /* in force, one a KEYFORMAT */
    unsigned            nkeys;
    unsigned            discontinuous:1;      /* the tag stands before it */
    unsigned            gap:1;
    unsigned            has_date_zone:1;
} mnt_hls_segment_t;

typedef struct {
    mnt_str_t           uri;
    uint64_t            bandwidth;            /* 0: absent */
    uint64_t            average_bandwidth;    /* 0: absent */
    uint32_t            width, height;        /* 0: absent */
    uint32_t            frame_rate_milli;     /* 60000 = 60 fps; 0: absent */
    mnt_str_t           codecs, audio, video, subtitles;
    mnt_str_t           attributes;           /* the whole list, as written */
} mnt_hls_variant_t;

typedef struct {
    mnt_str_t           type;                 /* AUDIO VIDEO SUBTITLES ... */
    mnt_str_t           group_id, name, language, uri, channels;
    mnt_str_t           characteristics, instream_id, assoc_language;
    unsigned            is_default:1;
    unsigned            autoselect:1;
    unsigned            forced:1;
} mnt_hls_rendition_t;

typedef struct {
    mnt_str_t           name, value;          /* value without quotes */
    unsigned            quoted:1;
} mnt_hls_attribute_t;

typedef struct {
    mnt_hls_kind_e      kind;
    uint32_t            version;              /* 0: absent */
    unsigned            independent_segments:1;
    unsigned            bom:1;                /* accepted, worth a warning */

    /* media */
    uint32_t            target_duration_s;
    uint64_t            media_sequence;
    uint64_t            discontinuity_sequence;
    mnt_hls_type_e      type;
    unsigned            endlist:1;
    unsigned            i_frames_only:1;
    mnt_hls_segment_t  *segments;
    unsigned            nsegments;
    unsigned            dateranges;           /* counts */
    unsigned            parts;
    unsigned            trailing_parts;
    int64_t             part_target_us;       /* 0: absent */
    uint64_t            skipped;              /* EXT-X-SKIP; 0: absent */
    unsigned            has_skip:1;
    unsigned            rendition_reports;
    mnt_hls_attribute_t *server_control;      /* as written; NULL: absent */
    unsigned            nserver_control;
    mnt_hls_attribute_t *start;               /* EXT-X-START */
    unsigned            nstart;
    struct { mnt_str_t type, uri; } *preload_hints;
    unsigned            npreload_hints;

    /* multivariant */
    mnt_hls_variant_t  *variants;
    unsigned            nvariants;
    mnt_hls_rendition_t *renditions;
    unsigned            nrenditions;
    unsigned            i_frame_variants;
    unsigned            session_data;
    unsigned            session_keys;

    unsigned            error_line;           /* of the refusal, from 1 */
} mnt_hls_playlist_t;


/*
 * Reads a media or multivariant playlist (RFC 8216 4, rfc8216bis 4.4).  "text"
 * must outlive the result only until the call returns: texts are copied.
 * Unknown tags and attributes are ignored, parts are counted, never kept.
 * On refusal *p holds kind and error_line only.  Never recurses; time is
 * linear in the length.
 */
mnt_hls_rc_e mnt_hls_parse(mnt_arena_t *a, mnt_str_t text,
    mnt_hls_playlist_t *p);

const char *mnt_hls_strerror(mnt_hls_rc_e rc);

/*
 * Writes a whole playlist (media or multivariant) as this program serves it;
 * for media: VERSION TARGETDURATION MEDIA-SEQUENCE DISCONTINUITY-SEQUENCE
 * PLAYLIST-TYPE ... as the fields say.  Returns the length; when it is not
 * less than "size" nothing useful was written.  write(parse(x)) parses to the
 * same, but for a multivariant playlist without variants and renditions.
 */
size_t mnt_hls_write(const mnt_hls_playlist_t *p, char *buf, size_t size);

/* 1 when both say the same of every segment, variant and rendition */
int mnt_hls_equal(const mnt_hls_playlist_t *p, const mnt_hls_playlist_t *q);


/* the pieces of the append-only playlist of a recording (DESIGN.md 5) */

/* "#EXTM3U ... " up to the first entry; EVENT; version 7 with maps, else 6 */
size_t mnt_hls_write_head(char *buf, size_t size, uint32_t target_s,
    unsigned has_map);

/*
 * One entry: DISCONTINUITY, MAP, PROGRAM-DATE-TIME, GAP, EXTINF, URI as given;
 * map_uri null writes no MAP; date_ms MNT_DATE_NONE writes no date.
 */
typedef struct {
    mnt_str_t           uri;                  /* our own file name */
    mnt_str_t           map_uri;              /* only when it changes */
    int64_t             duration_us;
    int64_t             date_ms;
    unsigned            discontinuous:1;
    unsigned            gap:1;
} mnt_hls_entry_t;

size_t mnt_hls_write_entry(const mnt_hls_entry_t *e, char *buf, size_t size);

/* the TARGETDURATION a segment needs: its duration rounded, at least 1 */
uint32_t mnt_hls_target_of(int64_t duration_us);

/*
 * Length of the prefix of a playlist of our own that ends behind its last
 * complete entry (a URI line with its end of line) or behind ENDLIST; without
 * an entry the head counts, from TARGETDURATION on; 0 when even that is not
 * whole.  The rest is a torn tail.
 */
size_t mnt_hls_complete_prefix(mnt_str_t text);

/*
 * How many bytes at the end of a playlist are of an entry that is not whole,
 * as a reader sees it while it is being appended: a write() becomes visible
 * page by page.  "tail" is its end, or all of it; without a whole line 0.
 */
size_t mnt_hls_torn(mnt_str_t tail);


/*
 * The variant for a wish: "best", "worst", "1080p", "720p60", "audio" (RFC
 * order never counts).  Height is the shorter side of RESOLUTION; a rate is
 * satisfied by +-1 fps; "1080p" prefers the higher rate.  What is not offered
 * gives the nearest below, then the lowest.  -1 only without variants.
 */
int mnt_hls_choose(const mnt_hls_playlist_t *p, mnt_str_t quality);

/* 1 when mnt_hls_choose() knows this wish */
int mnt_hls_quality_valid(mnt_str_t quality);


/*
 * The window of a live media playlist: which segments are new, which are lost,
 * when to ask again.  Plain data without pointers: may be copied and rebuilt.
 */

#define MNT_HLS_RECENT    64
#define MNT_HLS_PATIENCE  2                   /* loads of an older view */

typedef struct {
    uint64_t            sequence;             /* of the source */
    uint64_t            identity;             /* mnt_hls_window_identity */
    int64_t             date_ms;
} mnt_hls_seen_t;

typedef struct {
    unsigned            started:1;
    unsigned            ended:1;              /* ENDLIST was seen */
    unsigned            loaded:1;             /* a playlist was planned */
    unsigned            by_query:1;           /* the path names no segment */
    unsigned            by_number:1;          /* the URI names no segment */
    unsigned            from:1;               /* "next" is where it begins */
    unsigned            conflicts;            /* loads in a row */
    uint32_t            epoch;                /* +1 at each sequence reset */
    unsigned            epoch_start;          /* nrecent when it began */
    uint64_t            next;                 /* first sequence not planned */
    uint64_t            discontinuity;        /* of the last planned segment */
    int64_t             last_date_ms;
    int64_t             last_duration_us;
    mnt_hls_seen_t      recent[MNT_HLS_RECENT];  /* ring of planned segments */
    unsigned            nrecent;              /* total ever put in */
    int64_t             changed_ms;           /* when it last brought news */
    int64_t             loaded_ms;            /* start of the last load */
    uint32_t            target_s;
    unsigned            unchanged;            /* loads in a row without news */
    uint64_t            stale_end;            /* of the last STALE view; 0 */
} mnt_hls_window_t;

typedef enum {
    MNT_HLS_NEWS = 0,                         /* plan->count ones to fetch */
    MNT_HLS_UNCHANGED,
    MNT_HLS_STALE,                            /* an older view: ignored */
    MNT_HLS_RESET                             /* new numbering: new epoch, also
                                                 with segments to fetch */
} mnt_hls_news_e;

typedef struct {
    mnt_hls_news_e      news;
    unsigned            first;                /* index into p->segments */
    unsigned            count;                /* new ones, through the end */
    unsigned            discontinuous:1;      /* before the first new one */
    uint64_t            lost_first;           /* sequence numbers never seen */
    uint64_t            lost_count;
    int64_t             lost_us;              /* estimate of their length */
    int64_t             next_ms;              /* wait from start of the load,
                                                 within [500, 60000] */
    unsigned            stalled:1;            /* no news for 3 targets */
    unsigned            ended:1;
} mnt_hls_plan_t;

void mnt_hls_window_init(mnt_hls_window_t *w);

/*
 * Plans the next step for a freshly loaded playlist and moves the window on.
 * RFC 8216 6.3.4/6.3.5 for timing and choice.  A first load takes every listed
 * segment.  A lower view whose segments were seen is MNT_HLS_STALE
 * (RELIABILITY P4); lower or equal numbers with other identities are
 * MNT_HLS_RESET (P3); a jump forward of more than 100000 too.  A skip
 * (EXT-X-SKIP) counts as listed but lost when not seen.  "load_ms" is when the
 * request was started, "now_ms" when the answer came; both monotonic.
 */
void mnt_hls_window_plan(mnt_hls_window_t *w, const mnt_hls_playlist_t *p,
    int64_t load_ms, int64_t now_ms, mnt_hls_plan_t *plan);

/*
 * What is planned next comes from the source itself and not from an edge: it
 * has no older views and renames nothing, so that other numbers or names are a
 * new numbering at once.
 */
void mnt_hls_window_certain(mnt_hls_window_t *w);

/*
 * Before the first plan: the source began with this number, what the first
 * playlist does not list of it is lost.  Each was about that long.
 */
void mnt_hls_window_from(mnt_hls_window_t *w, uint64_t sequence,
    int64_t duration_us);

/* restores one planned segment after a restart, in order of storage */
void mnt_hls_window_seen(mnt_hls_window_t *w, uint32_t epoch,
    const mnt_hls_seen_t *seen, int64_t duration_us);

/* identity of a segment: last path segment of its URI and its range */
uint64_t mnt_hls_identity(const mnt_hls_segment_t *s);

/*
 * The same as this window sees it: with the query, less its tokens, where the
 * source tells segments apart only by the query.  This is the one to keep for
 * mnt_hls_window_seen(); mnt_hls_identity() is accepted there as well.
 */
uint64_t mnt_hls_window_identity(const mnt_hls_window_t *w,
    const mnt_hls_segment_t *s);


/* IV of a segment: the attribute, else its sequence (RFC 8216 5.2) */
void mnt_hls_iv(const mnt_hls_key_t *k, uint64_t sequence, uint8_t iv[16]);


typedef enum {
    MNT_HLS_CONTAINER_UNKNOWN = 0,            /* too short, or nothing known */
    MNT_HLS_CONTAINER_TS,
    MNT_HLS_CONTAINER_FMP4,
    MNT_HLS_CONTAINER_AAC,                    /* packed audio: ID3, ADTS */
    MNT_HLS_CONTAINER_WEBVTT,
    MNT_HLS_CONTAINER_TEXT                    /* HTML, JSON: an error page */
} mnt_hls_container_e;

/* what the first bytes say (at least 16 wanted, 377 for a sure TS) */
mnt_hls_container_e mnt_hls_sniff(const uint8_t *p, size_t n);

/* 1: a picture begins in these packets of MPEG-TS */

int mnt_hls_sniff_picture(const uint8_t *p, size_t n);

/*
 * 1 when a body (all of it, or its first 512 bytes) cannot be played whatever
 * it is: a TS that is shorter than a packet or out of step, less than a packet
 * of nothing known, which includes the header of a box.
 */
int mnt_hls_broken(const uint8_t *p, size_t n);


#endif /* _MNT_HLS_H_INCLUDED_ */
