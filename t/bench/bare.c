
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The baseline of the benches: one process, one libcurl multi handle driven by
 * epoll, nothing else.
 *
 *     bare record BASE CHANNELS SECONDS DIR   playlists and segments to files,
 *                                             256 KB gathered before a write
 *     bare poll BASE CHANNELS SECONDS PARALLEL   live-status of one channel
 *                                             after the other
 *
 * Prints one JSON line: requests, segments, bytes, cpu, wall seconds, rss_kb,
 * all but the last without the first two seconds.
 */


#define _GNU_SOURCE

#include <curl/curl.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>


#define GATHER   (256 * 1024)
#define WARM_US  2000000


typedef struct {
    long        channel;
    int         playlist;
    int         busy;
    int         fd;
    size_t      n;
    char       *buf;                          /* held while in flight */
    long long   seq;
    CURL       *easy;
    int64_t     due;
    char        text[4096];
} job_t;


static CURLM      *multi;
static int         ep, mode_poll;
static int64_t     curl_due = -1;
static const char *base, *dir;
static long        channels, cursor;
static uint64_t    requests, segments, bytes;
static job_t      *lists, *segs;
static long long  *next_seq;
static char      **pool;
static size_t      npool;


static int64_t
now_us(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static void
flush_job(job_t *j)
{
    if (j->n && write(j->fd, j->buf, j->n) != (ssize_t) j->n) {
        perror("write");
        exit(1);
    }

    j->n = 0;
}


static size_t
on_body(char *p, size_t one, size_t len, void *data)
{
    size_t  n, left;
    job_t  *j = data;

    (void) one;
    bytes += len;

    if (mode_poll) {
        return len;
    }

    if (j->playlist) {
        n = len < sizeof(j->text) - 1 - j->n ? len
                                             : sizeof(j->text) - 1 - j->n;
        memcpy(j->text + j->n, p, n);
        j->n += n;
        return len;
    }

    for (left = len; left; left -= n, p += n) {
        n = left < GATHER - j->n ? left : GATHER - j->n;
        memcpy(j->buf + j->n, p, n);
        j->n += n;

        if (j->n == GATHER) {
            flush_job(j);
        }
    }

    return len;
}


static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *sock)
{
    struct epoll_event  ev;

    (void) easy;
    (void) data;

    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
        curl_multi_assign(multi, fd, NULL);
        return 0;
    }

    ev.events = (what & CURL_POLL_IN ? EPOLLIN : 0)
                | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    ev.data.fd = fd;
    epoll_ctl(ep, sock ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev);
    curl_multi_assign(multi, fd, &ep);

    return 0;
}


static int
on_timer(CURLM *m, long ms, void *data)
{
    (void) m;
    (void) data;
    curl_due = ms < 0 ? -1 : now_us() + ms * 1000;
    return 0;
}


static void
start(job_t *j, const char *url)
{
    if (j->easy == NULL) {
        j->easy = curl_easy_init();
        curl_easy_setopt(j->easy, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(j->easy, CURLOPT_WRITEDATA, j);
        curl_easy_setopt(j->easy, CURLOPT_PRIVATE, j);
        curl_easy_setopt(j->easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(j->easy, CURLOPT_USERAGENT, "bare");
    }

    curl_easy_setopt(j->easy, CURLOPT_URL, url);
    j->busy = 1;
    j->n = 0;
    requests++;
    curl_multi_add_handle(multi, j->easy);
}


static void
start_segment(long channel, long long seq)
{
    char    url[256], path[512];
    long    k;
    job_t  *j;

    for (k = 0; k < 4; k++) {
        j = &segs[channel * 4 + k];

        if (!j->busy) {
            snprintf(path, sizeof(path), "%s/%ld-%lld.ts", dir, channel, seq);
            j->fd = open(path, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0640);
            j->buf = npool ? pool[--npool] : malloc(GATHER);
            snprintf(url, sizeof(url), "%s/s/%ld/%lld.ts", base, channel, seq);
            start(j, url);
            return;
        }
    }

    fprintf(stderr, "channel %ld is late\n", channel);
}


static void
read_playlist(job_t *j)
{
    char       *p;
    long long   seq;

    j->text[j->n] = '\0';

    for (p = strstr(j->text, "\n/s/"); p; p = strstr(p + 1, "\n/s/")) {
        seq = atoll(strchr(p + 4, '/') + 1);

        if (seq >= next_seq[j->channel]) {
            next_seq[j->channel] = seq + 1;
            start_segment(j->channel, seq);
        }
    }
}


static void
done(job_t *j)
{
    char  url[256];

    j->busy = 0;

    if (mode_poll) {
        snprintf(url, sizeof(url), "%s/polling/v3.1/channels/%032lx/"
                 "live-status", base, cursor++ % channels);
        start(j, url);
        return;
    }

    if (j->playlist) {
        read_playlist(j);
        return;
    }

    flush_job(j);
    close(j->fd);
    pool[npool++] = j->buf;
    segments++;
}


static void
finished(void)
{
    int       left;
    job_t    *j;
    CURLMsg  *m;

    while ((m = curl_multi_info_read(multi, &left)) != NULL) {
        if (m->msg == CURLMSG_DONE) {
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **) &j);

            if (m->data.result != CURLE_OK) {
                fprintf(stderr, "bare: %s\n",
                        curl_easy_strerror(m->data.result));
            }

            curl_multi_remove_handle(multi, j->easy);
            done(j);
        }
    }
}


static int
due_playlists(int64_t now)
{
    long     i;
    char     url[256];
    int64_t  next;

    next = now + 100000;

    for (i = 0; i < channels; i++) {
        if (lists[i].due <= now && !lists[i].busy) {
            lists[i].due += 2000000;
            snprintf(url, sizeof(url), "%s/h/%ld/index.m3u8", base, i);
            start(&lists[i], url);
        }

        if (lists[i].due < next) {
            next = lists[i].due;
        }
    }

    return next > now ? (int) ((next - now) / 1000) : 0;
}


static void
run(int64_t end)
{
    int                  i, n, wait, running;
    int64_t              now;
    struct epoll_event   evs[256];

    while ((now = now_us()) < end) {
        wait = mode_poll ? 100 : due_playlists(now);

        if (curl_due >= 0 && (curl_due - now) / 1000 < wait) {
            wait = curl_due > now ? (int) ((curl_due - now) / 1000) : 0;
        }

        n = epoll_wait(ep, evs, 256, wait);

        for (i = 0; i < n; i++) {
            curl_multi_socket_action(multi, evs[i].data.fd,
                (evs[i].events & (EPOLLIN|EPOLLHUP|EPOLLERR)
                 ? CURL_CSELECT_IN : 0)
                | (evs[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0), &running);
        }

        if (curl_due >= 0 && curl_due <= now_us()) {
            curl_due = -1;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        }

        finished();
    }
}


static double
cpu_used(struct rusage *ru)
{
    getrusage(RUSAGE_SELF, ru);

    return (double) ru->ru_utime.tv_sec + (double) ru->ru_utime.tv_usec / 1e6
           + (double) ru->ru_stime.tv_sec
           + (double) ru->ru_stime.tv_usec / 1e6;
}


int
main(int argc, char **argv)
{
    long           i, parallel;
    double         cpu, wall, seconds;
    int64_t        t;
    struct rusage  ru;

    if (argc != 6) {
        fprintf(stderr, "usage: bare record|poll BASE CHANNELS SECONDS "
                "DIR|PARALLEL\n");
        return 2;
    }

    mode_poll = strcmp(argv[1], "poll") == 0;
    base = argv[2];
    channels = atol(argv[3]);
    seconds = atof(argv[4]);
    dir = argv[5];
    parallel = mode_poll ? atol(argv[5]) : 0;

    curl_global_init(CURL_GLOBAL_ALL);
    multi = curl_multi_init();
    ep = epoll_create1(EPOLL_CLOEXEC);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 1000L);

    lists = calloc((size_t) (mode_poll ? parallel : channels), sizeof(job_t));
    segs = calloc((size_t) channels * 4, mode_poll ? 1 : sizeof(job_t));
    next_seq = calloc((size_t) channels, sizeof(long long));
    pool = calloc((size_t) channels * 4, sizeof(char *));

    t = now_us();

    for (i = 0; i < (mode_poll ? parallel : channels); i++) {
        lists[i].channel = i;
        lists[i].playlist = 1;
        lists[i].due = t + (i * 7919) % 2000000;

        if (mode_poll) {
            done(&lists[i]);
        }
    }

    run(t + WARM_US);

    requests = segments = bytes = 0;
    cpu = cpu_used(&ru);
    t = now_us();

    run(t + (int64_t) (seconds * 1e6));

    cpu = cpu_used(&ru) - cpu;
    wall = (double) (now_us() - t) / 1e6;

    printf("{\"requests\":%llu,\"segments\":%llu,\"bytes\":%llu,"
           "\"cpu\":%.3f,\"wall\":%.3f,\"rss_kb\":%ld}\n",
           (unsigned long long) requests, (unsigned long long) segments,
           (unsigned long long) bytes, cpu, wall, ru.ru_maxrss);

    return 0;
}
