
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * What is asked of ffprobe and ffmpeg for the rungs of an own broadcast, and
 * the multivariant playlist that tells of them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"


#define NGX_MNTREAMER_LADDER_PROBE_MS  5000
#define NGX_MNTREAMER_LADDER_MAKE_MS   15000
#define NGX_MNTREAMER_LADDER_GRACE_MS  500
#define NGX_MNTREAMER_LADDER_NICE      5
#define NGX_MNTREAMER_LADDER_PATH      2048
#define NGX_MNTREAMER_LADDER_ARGS      (24 + 42 * MNT_LADDER_MAX)
#define NGX_MNTREAMER_LADDER_INDEX     8192   /* bytes of the playlist */
#define NGX_MNTREAMER_LADDER_FIRST_MS  3000   /* rungs are waited for */
#define NGX_MNTREAMER_LADDER_ASKS      3


/* a vector of arguments that is being made */

typedef struct {
    const char   *argv[NGX_MNTREAMER_LADDER_ARGS];
    ngx_uint_t    n;
    mnt_arena_t  *arena;                      /* of the texts */
    ngx_uint_t    failed;
} ngx_mntreamer_ladder_args_t;


static ngx_int_t ngx_mntreamer_ladder_ffprobe(ngx_mntreamer_session_t *s,
    const u_char *path, ngx_mntreamer_child_pt done);
static void ngx_mntreamer_ladder_probed(void *data,
    const ngx_mntreamer_child_result_t *result);
static void ngx_mntreamer_ladder_told(void *data,
    const ngx_mntreamer_child_result_t *result);
static ngx_int_t ngx_mntreamer_ladder_read(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_child_result_t *result);
static void ngx_mntreamer_ladder_begin(ngx_mntreamer_session_t *s,
    ngx_mntreamer_ladder_args_t *args, mnt_str_t file);
static void ngx_mntreamer_ladder_output(ngx_mntreamer_ladder_args_t *args,
    unsigned height, const u_char *path);
static void ngx_mntreamer_ladder_arg(ngx_mntreamer_ladder_args_t *args,
    const char *text);
static uint64_t ngx_mntreamer_ladder_average(
    const ngx_mntreamer_rendition_t *r);
static ngx_uint_t ngx_mntreamer_ladder_tells(ngx_mntreamer_session_t *s,
    ngx_uint_t last);
static ngx_uint_t ngx_mntreamer_ladder_stale(ngx_mntreamer_session_t *s);
static unsigned ngx_mntreamer_ladder_variants(ngx_mntreamer_session_t *s,
    mnt_arena_t *a, mnt_hls_variant_t *variants, ngx_uint_t last);
static void ngx_mntreamer_ladder_indexed(void *data,
    const ngx_mntreamer_commit_t *commit);


/* what ffprobe tells of each stream */

static const char  ngx_mntreamer_ladder_entries[] =
    "stream=codec_type,codec_name,profile,level,width,height,"
    "sample_aspect_ratio,avg_frame_rate";


ngx_int_t
ngx_mntreamer_ladder_probe(ngx_mntreamer_session_t *s, mnt_str_t file)
{
    u_char  path[NGX_MNTREAMER_LADDER_PATH];

    if (s->rec->children == NULL || s->ladder.known || s->recorded) {
        return NGX_DECLINED;
    }

    (void) ngx_snprintf(path, sizeof(path), "%V/%*s/%*s%Z",
                        &s->rec->conf->hls_path, s->source.len, s->source.data,
                        file.len, file.data);

    path[sizeof(path) - 1] = '\0';

    s->ladder.known = 1;

    return ngx_mntreamer_ladder_ffprobe(s, path, ngx_mntreamer_ladder_probed);
}


/* by the segment that is next, once */

ngx_int_t
ngx_mntreamer_ladder_ask(ngx_mntreamer_session_t *s)
{
    u_char                    path[NGX_MNTREAMER_LADDER_PATH];
    ngx_uint_t                i;
    ngx_mntreamer_ladder_t   *l;
    ngx_mntreamer_segment_t  *sg;

    l = &s->ladder;

    if (!l->missing || l->known || l->asks == NGX_MNTREAMER_LADDER_ASKS
        || l->asked == l->number)
    {
        return NGX_DECLINED;
    }

    l->asked = l->number;
    l->asks++;

    for (i = 0; i < l->n; i++) {
        sg = ngx_mntreamer_ladder_next(ngx_mntreamer_ladder_rung(s, i));

        if (sg && sg->seen.sequence == l->number) {
            (void) ngx_snprintf(path, sizeof(path), "%V/%V/%*s%Z",
                                ngx_mntreamer_storage_root(s->rec->st),
                                &s->path, sg->url.len, sg->url.data);

            path[sizeof(path) - 1] = '\0';

            return ngx_mntreamer_ladder_ffprobe(s, path,
                                                ngx_mntreamer_ladder_told);
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_mntreamer_ladder_ffprobe(ngx_mntreamer_session_t *s, const u_char *path,
    ngx_mntreamer_child_pt done)
{
    ngx_mntreamer_ladder_t      *l;
    ngx_mntreamer_child_conf_t   conf;

    const char  *argv[] = {
        "ffprobe", "-v", "error", "-protocol_whitelist", "file",
        "-show_entries", ngx_mntreamer_ladder_entries, "-of", "json",
        "-f", "mpegts", "-i", (const char *) path, NULL
    };

    l = &s->ladder;

    ngx_memzero(&conf, sizeof(ngx_mntreamer_child_conf_t));

    conf.argv = argv;
    conf.cwd = "/";
    conf.deadline_ms = NGX_MNTREAMER_LADDER_PROBE_MS;
    conf.grace_ms = NGX_MNTREAMER_LADDER_GRACE_MS;
    conf.max_output = MNT_LADDER_JSON;
    conf.done = done;
    conf.data = s;

    l->asked_ms = ngx_current_msec;
    l->child = ngx_mntreamer_child_start(s->rec->children, &conf);

    return l->child ? NGX_OK : NGX_DECLINED;
}


/* what cannot be told has no rungs */

static void
ngx_mntreamer_ladder_probed(void *data,
    const ngx_mntreamer_child_result_t *result)
{
    ngx_mntreamer_session_t *s = data;

    if (ngx_mntreamer_ladder_read(s, result) == NGX_OK) {
        s->ladder.n = mnt_ladder_choose(s->rec->conf->ladder,
                                        (unsigned) s->rec->conf->nladder,
                                        &s->ladder.source, s->ladder.heights);
    }

    ngx_mntreamer_session_known(s);
    ngx_mntreamer_session_run(s);
}


/* a segment without a picture tells nothing, the next one is asked about */

static void
ngx_mntreamer_ladder_told(void *data,
    const ngx_mntreamer_child_result_t *result)
{
    ngx_mntreamer_session_t *s = data;

    if (ngx_mntreamer_ladder_read(s, result) != NGX_OK
        || s->ladder.source.height == 0)
    {
        ngx_memzero(&s->ladder.source, sizeof(mnt_ladder_source_t));

    } else {
        s->ladder.known = 1;
    }

    ngx_mntreamer_ladder_run(s);
}


static ngx_int_t
ngx_mntreamer_ladder_read(ngx_mntreamer_session_t *s,
    const ngx_mntreamer_child_result_t *result)
{
    u_char     buf[512];
    mnt_str_t  text;
    ngx_str_t  why;

    s->ladder.child = NULL;

    text.data = (char *) result->output.data;
    text.len = result->output.len;

    if (result->rc == NGX_MNTREAMER_CHILD_OK
        && mnt_ladder_read(text, &s->ladder.source) == 0)
    {
        return NGX_OK;
    }

    why = ngx_mntreamer_child_text(result, buf, sizeof(buf));

    ngx_log_error(NGX_LOG_ERR, s->log, 0,
                  "mntreamer: nobody knows what \"%s/%V\" sends, which "
                  "its renditions need: ffprobe %V", s->platform_name,
                  &s->label, &why);

    return NGX_ERROR;
}


ngx_int_t
ngx_mntreamer_ladder_make(ngx_mntreamer_session_t *s)
{
    u_char                        path[NGX_MNTREAMER_LADDER_PATH];
    mnt_str_t                     file;
    ngx_uint_t                    i;
    mnt_arena_t                   arena;
    ngx_mntreamer_ladder_t       *l;
    ngx_mntreamer_segment_t      *sg;
    ngx_mntreamer_rendition_t    *r;
    ngx_mntreamer_child_conf_t    conf;
    ngx_mntreamer_ladder_args_t   args;

    l = &s->ladder;

    mnt_arena_init(&arena, 256 * 1024);

    args.n = 0;
    args.failed = 0;
    args.arena = &arena;

    for (i = 0; i < l->n; i++) {
        r = ngx_mntreamer_ladder_rung(s, i);
        sg = ngx_mntreamer_ladder_next(r);

        if (sg == NULL || sg->seen.sequence != l->number) {
            continue;
        }

        sg->part = ngx_mntreamer_part_make(r->track, path, sizeof(path));

        if (sg->part == NULL) {
            args.failed = 1;
            break;
        }

        sg->state = NGX_MNTREAMER_SEGMENT_MAKING;

        if (args.n == 0) {
            file.data = (char *) sg->url.data;
            file.len = sg->url.len;

            ngx_mntreamer_ladder_begin(s, &args, file);
        }

        ngx_mntreamer_ladder_output(&args, (unsigned) r->height, path);
    }

    ngx_mntreamer_ladder_arg(&args, NULL);

    ngx_memzero(&conf, sizeof(ngx_mntreamer_child_conf_t));

    conf.argv = args.argv;
    conf.cwd = "/";
    conf.deadline_ms = NGX_MNTREAMER_LADDER_MAKE_MS;
    conf.grace_ms = NGX_MNTREAMER_LADDER_GRACE_MS;
    conf.nice = NGX_MNTREAMER_LADDER_NICE;
    conf.done = ngx_mntreamer_ladder_made;
    conf.data = s;

    if (!args.failed) {
        l->child = ngx_mntreamer_child_start(s->rec->children, &conf);
    }

    mnt_arena_free(&arena);

    if (l->child == NULL) {
        ngx_mntreamer_ladder_failed(s, NULL);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_mntreamer_ladder_begin(ngx_mntreamer_session_t *s,
    ngx_mntreamer_ladder_args_t *args, mnt_str_t file)
{
    ngx_uint_t    i;
    ngx_str_t    *root;
    mnt_str_t     path;

    static const char *const  begin[] = {
        "ffmpeg", "-nostdin", "-v", "error", "-y", "-threads", "1",
        "-protocol_whitelist", "file", "-copyts", "-f", "mpegts", "-i"
    };

    for (i = 0; i < sizeof(begin) / sizeof(begin[0]); i++) {
        ngx_mntreamer_ladder_arg(args, begin[i]);
    }

    root = ngx_mntreamer_storage_root(s->rec->st);

    path = mnt_arena_printf(args->arena, "%.*s/%.*s/%.*s", (int) root->len,
                            (char *) root->data, (int) s->path.len,
                            (char *) s->path.data, (int) file.len, file.data);

    ngx_mntreamer_ladder_arg(args, path.data);
    ngx_mntreamer_ladder_arg(args, "-filter_threads");
    ngx_mntreamer_ladder_arg(args, "1");
}


/* without B-frames the times of a segment begin where the source's do */

static void
ngx_mntreamer_ladder_output(ngx_mntreamer_ladder_args_t *args, unsigned height,
    const u_char *path)
{
    uint32_t    rate;
    ngx_uint_t  i;
    mnt_str_t   scale, most, buffer, level, out;

    rate = mnt_ladder_rate(height);

    /* as mnt_ladder_width() has it, but for fractions that are none */

    scale = mnt_arena_printf(args->arena, "scale=w='trunc((dar*%u+0.01)/2)*2':"
                             "h=%u,setsar=1", height, height);
    most = mnt_arena_printf(args->arena, "%u", rate);
    buffer = mnt_arena_printf(args->arena, "%u", rate);
    level = mnt_arena_printf(args->arena, "%u.%u",
                             mnt_ladder_level(height) / 10,
                             mnt_ladder_level(height) % 10);
    out = mnt_arena_printf(args->arena, "%s", path);

    const char *const  argv[] = {
        "-map", "0:v:0", "-map", "0:a?", "-vf", scale.data, "-c:v", "libx264",
        "-preset", "veryfast", "-profile:v", "high", "-level", level.data,
        "-pix_fmt", "yuv420p", "-bf", "0", "-g", "600", "-sc_threshold", "0",
        "-crf", "23", "-maxrate", most.data, "-bufsize", buffer.data,
        "-threads", "1", "-c:a", "copy", "-muxdelay", "0", "-muxpreload", "0",
        "-mpegts_flags", "+initial_discontinuity", "-f", "mpegts", out.data
    };

    for (i = 0; i < sizeof(argv) / sizeof(argv[0]); i++) {
        ngx_mntreamer_ladder_arg(args, argv[i]);

        args->failed |= (argv[i] == NULL);
    }
}


/* NULL: the end, or memory was gone */

static void
ngx_mntreamer_ladder_arg(ngx_mntreamer_ladder_args_t *args, const char *text)
{
    if (args->n == NGX_MNTREAMER_LADDER_ARGS) {
        args->n--;
        args->failed = 1;
    }

    args->argv[args->n++] = text;
}


static uint64_t
ngx_mntreamer_ladder_average(const ngx_mntreamer_rendition_t *r)
{
    return r->duration_us ? (uint64_t) (r->bytes_total * 8 * 1000
                                        / ngx_max(r->duration_us / 1000, 1))
                          : 0;
}


/*
 * The multivariant playlist: when each rung has its first segment, or some
 * seconds after the source's, again when a segment has more bits a second than
 * it says or a rung came later, and at the end.  Who took a recording over
 * leaves the one that is there, for it does not know the peaks; when there is
 * none it tells what it can find out.
 */

void
ngx_mntreamer_ladder_index(ngx_mntreamer_session_t *s, ngx_uint_t last)
{
    char                    *buf;
    size_t                   n;
    ngx_str_t                name, content;
    mnt_arena_t             *a;
    mnt_hls_variant_t        variants[1 + MNT_LADDER_MAX];
    mnt_hls_playlist_t       p;
    ngx_mntreamer_ladder_t  *l;

    l = &s->ladder;

    if (!ngx_mntreamer_ladder_tells(s, last)
        || (!last && !ngx_mntreamer_ladder_stale(s)))
    {
        return;
    }

    a = ngx_mntreamer_recorder_arena(s->rec);

    ngx_memzero(&p, sizeof(mnt_hls_playlist_t));

    p.kind = MNT_HLS_MULTIVARIANT;
    p.version = 6;
    p.independent_segments = 1;
    p.variants = variants;
    p.nvariants = ngx_mntreamer_ladder_variants(s, a, variants, last);

    buf = mnt_arena_alloc(a, NGX_MNTREAMER_LADDER_INDEX);

    if (buf == NULL) {
        return;
    }

    n = mnt_hls_write(&p, buf, NGX_MNTREAMER_LADDER_INDEX);

    ngx_str_set(&name, "index.m3u8");
    content.data = (u_char *) buf;
    content.len = n;

    if (n >= NGX_MNTREAMER_LADDER_INDEX
        || ngx_mntreamer_storage_put(s->rec->st, &s->path, &name, &content,
                                     ngx_mntreamer_ladder_indexed, s->rec)
           != NGX_OK)
    {
        l->bandwidth[0] = 0;
    }
}


/* there is something to be told of, and it is known as well as it will be */

static ngx_uint_t
ngx_mntreamer_ladder_tells(ngx_mntreamer_session_t *s, ngx_uint_t last)
{
    ngx_mntreamer_ladder_t  *l;

    l = &s->ladder;

    if ((l->n == 0 && !l->missing) || s->renditions[0].segments_total == 0) {
        return 0;
    }

    return l->known
           || (l->missing
               && (last || l->n == 0 || l->asks == NGX_MNTREAMER_LADDER_ASKS));
}


/* it has something new to say */

static ngx_uint_t
ngx_mntreamer_ladder_stale(ngx_mntreamer_session_t *s)
{
    ngx_uint_t                  i, begun;
    ngx_mntreamer_ladder_t     *l;
    ngx_mntreamer_rendition_t  *r;

    l = &s->ladder;
    begun = 0;

    if (l->begun_ms == 0) {
        l->begun_ms = ngx_current_msec;
    }

    for (i = 0; i <= l->n; i++) {
        begun += (s->renditions[i].segments_total != 0);
    }

    /* players do not load it again */

    if (l->bandwidth[0] == 0 && begun <= l->n
        && ngx_current_msec - l->begun_ms < NGX_MNTREAMER_LADDER_FIRST_MS)
    {
        return 0;
    }

    for (i = 0; i <= l->n; i++) {
        r = &s->renditions[i];

        if (r->segments_total
            && (l->bandwidth[i] == 0 || r->peak > l->bandwidth[i]))
        {
            return 1;
        }
    }

    return 0;
}


/* those that there are; their number */

static unsigned
ngx_mntreamer_ladder_variants(ngx_mntreamer_session_t *s, mnt_arena_t *a,
    mnt_hls_variant_t *variants, ngx_uint_t last)
{
    uint64_t                    peak, average, most;
    unsigned                    i, n;
    mnt_hls_variant_t          *v;
    ngx_mntreamer_ladder_t     *l;
    ngx_mntreamer_rendition_t  *r;

    l = &s->ladder;
    most = 0;
    n = 0;
    last = last && !l->taken;

    for (i = 0; i <= l->n; i++) {
        r = &s->renditions[i];

        if (r->segments_total == 0) {
            continue;
        }

        /* what comes may have some more, until all is known */

        average = ngx_mntreamer_ladder_average(r);
        peak = ngx_max(r->peak, average);

        if (!last) {
            peak = i ? 0 : peak + peak / 8;
        }

        v = &variants[n++];

        mnt_ladder_variant(a, i ? l->heights[i - 1] : 0, &l->source, peak,
                           average, v);

        /* players take what needs fewer bits for the smaller picture */

        if (most && !last) {
            v->bandwidth = ngx_max(ngx_min(v->bandwidth, most / 5 * 4),
                                   r->peak);
        }

        v->average_bandwidth = ngx_min(v->average_bandwidth, v->bandwidth);

        most = v->bandwidth;
        l->bandwidth[i] = v->bandwidth;
    }

    return n;
}


/* one that failed is written again with the next segment */

static void
ngx_mntreamer_ladder_indexed(void *data, const ngx_mntreamer_commit_t *commit)
{
    ngx_mntreamer_recorder_t *rec = data;

    ngx_queue_t              *q;
    ngx_mntreamer_session_t  *s;

    if (commit->rc == NGX_MNTREAMER_STORE_OK) {
        return;
    }

    ngx_log_error(NGX_LOG_ERR, rec->log, 0,
                  "mntreamer: a multivariant playlist was not written: %s",
                  ngx_mntreamer_store_name(commit->rc));

    for (q = ngx_queue_head(&rec->sessions);
         q != ngx_queue_sentinel(&rec->sessions);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_mntreamer_session_t, queue);
        s->ladder.bandwidth[0] = 0;
    }
}
