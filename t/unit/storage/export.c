
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_test.h"

#include "storage/mnt_export.h"


static const mnt_hls_cuts_t  *shown;


/* "1.ts! 2.ts": the names of a span, "!" behind those that begin a run */

static const char *
names(const char *text, int64_t begin_us, int64_t end_us)
{
    static char          buf[1024];
    size_t               n;
    mnt_export_entry_t   e;
    mnt_export_reader_t  rd;

    n = 0;
    buf[0] = '\0';

    mnt_export_init(&rd, mnt_str_c(text), shown, begin_us, end_us);

    while (mnt_export_next(&rd, &e)) {

        if (mnt_str_eqc(e.uri, "lost.ts")) {
            mnt_export_skip(&rd);
            continue;
        }

        n += (size_t) snprintf(buf + n, sizeof(buf) - n, "%s%.*s%s%.*s%s",
                               n ? " " : "", (int) e.map.len,
                               e.map.len ? e.map.data : "",
                               e.map.len ? "+" : "", (int) e.uri.len,
                               e.uri.data, e.begins ? "!" : "");
    }

    return buf;
}


#define HEAD  "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n"
#define E(n)  "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"           \
              "#EXTINF:2.000000,\n" n "\n"


static void
runs(void **state)
{
    size_t  i;

    static const struct {
        const char  *name, *text;
        int64_t      begin, end;
        const char  *names;
    } rows[] = {
        { "all", HEAD E("1.ts") E("2.ts") "#EXT-X-ENDLIST\n", 0, -1,
          "1.ts! 2.ts" },
        { "nothing", HEAD, 0, -1, "" },
        { "carriage returns", "#EXTM3U\r\n#EXTINF:1,\r\n1.ts\r\n", 0, -1,
          "1.ts!" },
        { "a torn tail", HEAD E("1.ts") "#EXTINF:2.0,\n2.t", 0, -1, "1.ts!" },
        { "a discontinuity",
          HEAD E("1.ts") "#EXT-X-DISCONTINUITY\n" E("2.ts") E("3.ts"), 0, -1,
          "1.ts! 2.ts! 3.ts" },
        { "its sequence is none",
          HEAD "#EXT-X-DISCONTINUITY-SEQUENCE:3\n" E("1.ts") E("2.ts"), 0, -1,
          "1.ts! 2.ts" },
        { "a gap", HEAD E("1.ts") "#EXT-X-GAP\n" E("2.ts") E("3.ts") E("4.ts"),
          0, -1, "1.ts! 3.ts! 4.ts" },
        { "a lost file", HEAD E("1.ts") E("lost.ts") E("3.ts"), 0, -1,
          "1.ts! 3.ts!" },
        { "the first one is lost", HEAD E("lost.ts") E("3.ts"), 0, -1,
          "3.ts!" },
        { "init sections",
          HEAD "#EXT-X-MAP:URI=\"init-1.mp4\"\n" E("1.m4s") E("2.m4s")
          "#EXT-X-DISCONTINUITY\n#EXT-X-MAP:URI=\"init-2.mp4\"\n" E("3.m4s"),
          0, -1, "init-1.mp4+1.m4s! init-1.mp4+2.m4s init-2.mp4+3.m4s!" },
        { "up to a border", HEAD E("1.ts") E("2.ts") E("3.ts"), 0, 4000000,
          "1.ts! 2.ts" },
        { "from a border", HEAD E("1.ts") E("2.ts") E("3.ts"), 2000000, -1,
          "2.ts! 3.ts" },
        { "parts of both", HEAD E("1.ts") E("2.ts") E("3.ts"), 1999999,
          4000001, "1.ts! 2.ts 3.ts" },
        { "within one", HEAD E("1.ts") E("2.ts") E("3.ts"), 2500000, 2600000,
          "2.ts!" },
        { "behind it", HEAD E("1.ts"), 2000000, -1, "" },
        { "a gap takes its time",
          HEAD E("1.ts") "#EXT-X-GAP\n" E("2.ts") E("3.ts"), 4000000, -1,
          "3.ts!" },
        { "no length", "#EXTINF:x,\n1.ts\n#EXTINF:99999999999,\n2.ts\n"
          "#EXTINF:9223372036854,\n3.ts\n" E("4.ts"), 0, -1, "4.ts!" },
        { "elsewhere", HEAD E("../1.ts") E("/etc/passwd") E("http://a/b.ts")
          E("2.ts") E(".x.ts") E("-y.ts") E("a'b.ts") E("3.ts"), 0, -1,
          "2.ts! 3.ts!" },
        { "an init section elsewhere",
          HEAD "#EXT-X-MAP:URI=\"/x.mp4\"\n" E("1.m4s"), 0, -1, "" },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mnt_test_str(mnt_str_c(names(rows[i].text, rows[i].begin,
                                     rows[i].end)),
                     rows[i].names, rows[i].name);
    }
}


/* of entries at 0, 2, 4, 6 and 8 s */

static void
cut(void **state)
{
    mnt_hls_cuts_t  cuts;
    mnt_hls_span_t  spans[2] = { { 2000000, 4000000 }, { 6000000, 6000001 } };

    static const char  text[] =
        HEAD E("1.ts") E("2.ts") E("3.ts") E("4.ts") E("5.ts");

    (void) state;

    memset(&cuts, 0, sizeof(cuts));
    cuts.n = 2;
    cuts.spans = spans;
    shown = &cuts;

    mnt_test_str(mnt_str_c(names(text, 0, -1)), "1.ts! 3.ts! 5.ts!", "all");
    mnt_test_str(mnt_str_c(names(text, 3000000, 7000000)), "3.ts!",
                 "times are of the whole");

    spans[0].begin_us = 0;
    spans[0].end_us = INT64_MAX;
    mnt_test_str(mnt_str_c(names(text, 0, -1)), "", "nothing");

    shown = NULL;
}


static void
audio(void **state)
{
    size_t  i;

    static const struct {
        const char  *name, *text, *uri;
    } rows[] = {
        { "one", "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI=\"a.m3u8\"\nv.m3u8\n",
          "a.m3u8" },
        { "the first",
          "#EXT-X-MEDIA:TYPE=AUDIO,URI=\"a.m3u8\"\n"
          "#EXT-X-MEDIA:TYPE=AUDIO,URI=\"b.m3u8\"\n", "a.m3u8" },
        { "in a name", "#EXT-X-MEDIA:NAME=\"a,URI=x.m3u8\",TYPE=AUDIO,"
          "URI=\"b.m3u8\"\n", "b.m3u8" },
        { "of another kind", "#EXT-X-MEDIA:TYPE=SUBTITLES,URI=\"a.m3u8\"\n",
          "" },
        { "without one", "#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"x\"\n", "" },
        { "elsewhere", "#EXT-X-MEDIA:TYPE=AUDIO,URI=\"../a.m3u8\"\n", "" },
        { "no end of line", "#EXT-X-MEDIA:TYPE=AUDIO,URI=\"a.m3u8\"", "" },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mnt_test_str(mnt_export_audio(mnt_str_c(rows[i].text)), rows[i].uri,
                     rows[i].name);
    }
}


static void
progress(void **state)
{
    int      rc;
    size_t   i;
    int64_t  at, rate;

    static const struct {
        const char  *line;
        int          rc;
        int64_t      value;
    } rows[] = {
        { "out_time_us=1500000", 1, 1500000 },
        { "out_time_us=N/A", 0, 0 },
        { "out_time_us=-5", 0, 0 },
        { "out_time_ms=1500000", 0, 0 },
        { "speed=1.5x", 2, 1500 },
        { "speed= 123x", 2, 123000 },
        { "speed=1.27e+03x", 2, 1270000 },
        { "speed=0.0021x", 2, 2 },
        { "speed=N/A", 0, 0 },
        { "speed=1e-03x", 0, 0 },
        { "speed=1e+99x", 0, 0 },
        { "speed=x", 0, 0 },
        { "progress=end", 0, 0 },
        { "", 0, 0 },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        at = 0;
        rate = 0;

        rc = mnt_export_progress(mnt_str_c(rows[i].line), &at, &rate);

        mnt_test_i64(rc, rows[i].rc, rows[i].line, "rc");
        mnt_test_i64(rc == 2 ? rate : rc ? at : 0, rows[i].value,
                     rows[i].line, "value");
    }

    mnt_test_i64(mnt_export_share(2500000, 5000000), 500, "half", "share");
    mnt_test_i64(mnt_export_share(5000000, 5000000), 999, "all", "share");
    mnt_test_i64(mnt_export_share(9000000, 5000000), 999, "more", "share");
    mnt_test_i64(mnt_export_share(1, 0), 0, "of nothing", "share");
    mnt_test_i64(mnt_export_share(0, 1), 0, "nothing", "share");
    mnt_test_i64(mnt_export_share(1, 500), 2, "little", "share");
}


static void
lacks(void **state)
{
    size_t  i;

    static const struct {
        const char  *name;
        int64_t      made, whole;
        int          rc;
    } rows[] = {
        { "all", 60000000, 60000000, 0 },
        { "more", 70000000, 60000000, 0 },
        { "nothing of what is short", 0, 10000000, 0 },
        { "nothing", 0, 10000001, 1 },
        { "ten seconds", 50000000, 60000000, 0 },
        { "more than that", 49999999, 60000000, 1 },
        { "one of a hundred", 3564000000, 3600000000, 0 },
        { "more of a hundred", 3563999999, 3600000000, 1 },
    };

    (void) state;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        mnt_test_i64(mnt_export_short(rows[i].made, rows[i].whole),
                     rows[i].rc, rows[i].name, "lacks");
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(runs),
        cmocka_unit_test(cut),
        cmocka_unit_test(audio),
        cmocka_unit_test(progress),
        cmocka_unit_test(lacks)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
