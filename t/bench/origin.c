
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The platform and origin of the benches: fast enough never to be what is
 * measured.  One process, epoll, keep-alive, bodies by sendfile.
 *
 *     origin PORT LIVE SEGMENT SEGMENT_MS
 *
 * SEGMENT is a number of bytes, or a file that every segment is a copy of.
 * Channels are 32 hexadecimal digits; the first LIVE numbers are on air.
 *
 *     /polling/v3.1/channels/ID/live-status      /service/v3.1/channels/ID/...
 *     /h/N/index.m3u8    three segments, the clock says which; phase by N
 *     /s/N/SEQ.ts        the segment
 *     /stat              requests so far, segments sent to their last byte,
 *                        and the clock of the playlists in ms, as JSON
 *     /hold  /go         the same, and stop or start that clock: what was
 *                        published can then be compared with what was stored
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define IN_SIZE   8192
#define OUT_SIZE  8192


typedef struct {
    int      fd;
    size_t   nin;
    size_t   nout, sent;
    off_t    body, body_end;                  /* of the segment file */
    char     in[IN_SIZE];
    char     out[OUT_SIZE];
} conn_t;


static int       ep, seg_fd, port;
static long      live, seg_ms;
static off_t     seg_bytes;
static uint64_t  n_api, n_playlist, n_segment, n_delivered;
static int64_t   t0, held;


static int64_t
now_ms(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


/* of the playlists */

static int64_t
clock_ms(void)
{
    return (held ? held : now_ms()) - t0;
}


static void
hold(int on)
{
    int64_t  now;

    now = now_ms();

    if (!on && held) {
        t0 += now - held;
    }

    held = on ? (held ? held : now) : 0;
}


static void
answer(conn_t *c, const char *type, const char *body, size_t len)
{
    c->nout = (size_t) snprintf(c->out, OUT_SIZE,
                                "HTTP/1.1 200 OK\r\nContent-Type: %s\r\n"
                                "Content-Length: %zu\r\n\r\n", type, len);

    if (c->nout + len <= OUT_SIZE) {
        memcpy(c->out + c->nout, body, len);
        c->nout += len;
    }
}


static void
not_found(conn_t *c)
{
    static const char  text[] = "HTTP/1.1 404 Not Found\r\n"
                                "Content-Length: 0\r\n\r\n";

    memcpy(c->out, text, sizeof(text) - 1);
    c->nout = sizeof(text) - 1;
}


static void
api(conn_t *c, const char *id, int detail)
{
    char  body[4096], playback[1024];
    int   n, on;
    long  i;

    n_api++;

    i = strtol(id, NULL, 16);
    on = i < live;
    playback[0] = '\0';

    if (on && detail) {
        snprintf(playback, sizeof(playback),
                 "{\\\"meta\\\":{\\\"liveId\\\":\\\"7\\\"},\\\"live\\\":"
                 "{\\\"status\\\":\\\"STARTED\\\"},\\\"media\\\":[{"
                 "\\\"mediaId\\\":\\\"HLS\\\",\\\"protocol\\\":\\\"HLS\\\","
                 "\\\"path\\\":\\\"http://127.0.0.1:%d/h/%ld/index.m3u8\\\","
                 "\\\"encodingTrack\\\":[]}]}", port, i);
    }

    n = snprintf(body, sizeof(body),
        "{\"code\":200,\"message\":null,\"content\":{%s\"liveTitle\":"
        "\"bench %ld\",\"status\":\"%s\",\"concurrentUserCount\":1,"
        "\"accumulateCount\":0,\"paidPromotion\":false,\"adult\":false,"
        "\"krOnlyViewing\":false,\"openDate\":\"2026-09-27 17:52:04\","
        "\"closeDate\":null,\"clipActive\":true,\"tags\":[],"
        "\"chatChannelId\":\"N2lpu9\",\"categoryType\":\"GAME\","
        "\"liveCategory\":\"talk\",\"liveCategoryValue\":\"talk\","
        "\"channelId\":\"%.32s\",\"livePollingStatusJson\":"
        "\"{\\\"status\\\":\\\"STARTED\\\",\\\"isPublishing\\\":true,"
        "\\\"playableStatus\\\":\\\"PLAYABLE\\\","
        "\\\"callPeriodMilliSecond\\\":10000}\",\"userAdultStatus\":null,"
        "\"blindType\":null,\"livePlaybackJson\":%s%s%s,\"channel\":{"
        "\"channelId\":\"%.32s\",\"channelName\":\"bench\","
        "\"channelImageUrl\":null}}}",
        detail ? "\"liveId\":7," : "", i, on ? "OPEN" : "CLOSE", id,
        playback[0] ? "\"" : "", playback[0] ? playback : "null",
        playback[0] ? "\"" : "", id);

    answer(c, "application/json", body, (size_t) n);
}


static void
playlist(conn_t *c, long i)
{
    int      n, k;
    char     body[2048];
    int64_t  seq;

    n_playlist++;

    seq = (clock_ms() + (i * 37) % seg_ms) / seg_ms + 100;

    n = snprintf(body, sizeof(body),
                 "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:%ld\n"
                 "#EXT-X-MEDIA-SEQUENCE:%lld\n", (seg_ms + 999) / 1000,
                 (long long) (seq - 3));

    for (k = 3; k > 0; k--) {
        n += snprintf(body + n, sizeof(body) - (size_t) n,
                      "#EXTINF:%ld.%03ld,\n/s/%ld/%lld.ts\n", seg_ms / 1000,
                      seg_ms % 1000, i, (long long) (seq - k));
    }

    answer(c, "application/vnd.apple.mpegurl", body, (size_t) n);
}


static void
stat_answer(conn_t *c)
{
    int   n;
    char  body[256];

    n = snprintf(body, sizeof(body), "{\"api\":%llu,\"playlists\":%llu,"
                 "\"segments\":%llu,\"delivered\":%llu,\"clock\":%lld}",
                 (unsigned long long) n_api, (unsigned long long) n_playlist,
                 (unsigned long long) n_segment,
                 (unsigned long long) n_delivered, (long long) clock_ms());

    answer(c, "application/json", body, (size_t) n);
}


static void
request(conn_t *c)
{
    char  *p;

    p = c->in + 4;

    if (strncmp(p, "/s/", 3) == 0) {
        n_segment++;
        c->nout = (size_t) snprintf(c->out, OUT_SIZE,
                                    "HTTP/1.1 200 OK\r\nContent-Type: "
                                    "video/mp2t\r\nContent-Length: %lld\r\n"
                                    "\r\n", (long long) seg_bytes);
        c->body = 0;
        c->body_end = seg_bytes;
        return;
    }

    if (strncmp(p, "/h/", 3) == 0) {
        playlist(c, atol(p + 3));
        return;
    }

    if (strncmp(p, "/polling/v3.1/channels/", 23) == 0) {
        api(c, p + 23, 0);
        return;
    }

    if (strncmp(p, "/service/v3.1/channels/", 23) == 0) {
        api(c, p + 23, 1);
        return;
    }

    if (strncmp(p, "/hold", 5) == 0) {
        hold(1);
        stat_answer(c);
        return;
    }

    if (strncmp(p, "/go", 3) == 0) {
        hold(0);
        stat_answer(c);
        return;
    }

    if (strncmp(p, "/stat", 5) == 0) {
        stat_answer(c);
        return;
    }

    not_found(c);
}


/* 0: go on when the socket is ready; -1: the peer is gone */

static int
flush_out(conn_t *c)
{
    ssize_t  n;

    while (c->sent < c->nout) {
        n = send(c->fd, c->out + c->sent, c->nout - c->sent,
                 MSG_NOSIGNAL | (c->body < c->body_end ? MSG_MORE : 0));
        if (n < 0) {
            return errno == EAGAIN ? 0 : -1;
        }

        c->sent += (size_t) n;
    }

    while (c->body < c->body_end) {
        n = sendfile(c->fd, seg_fd, &c->body,
                     (size_t) (c->body_end - c->body));
        if (n < 0) {
            return errno == EAGAIN ? 0 : -1;
        }

        if (n == 0) {
            return -1;
        }

        n_delivered += (c->body == c->body_end);
    }

    c->nout = c->sent = 0;
    return 0;
}


static int
serve(conn_t *c)
{
    char     *end;
    size_t    used;
    ssize_t   n;

    if (c->nout || c->body < c->body_end) {
        return flush_out(c);
    }

    n = recv(c->fd, c->in + c->nin, IN_SIZE - 1 - c->nin, 0);

    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        return -1;
    }

    if (n > 0) {
        c->nin += (size_t) n;
    }

    c->in[c->nin] = '\0';

    while (c->nout == 0 && (end = strstr(c->in, "\r\n\r\n")) != NULL) {
        request(c);

        used = (size_t) (end + 4 - c->in);
        c->nin -= used;
        memmove(c->in, c->in + used, c->nin + 1);

        if (flush_out(c) != 0) {
            return -1;
        }
    }

    return c->nin >= IN_SIZE - 1 ? -1 : 0;
}


static void
accept_all(int ls)
{
    int                  fd, one;
    conn_t              *c;
    struct epoll_event   ev;

    while ((fd = accept4(ls, NULL, NULL, SOCK_NONBLOCK|SOCK_CLOEXEC)) >= 0) {
        one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));

        c = calloc(1, sizeof(conn_t));
        if (c == NULL) {
            close(fd);
            return;
        }

        c->fd = fd;
        ev.events = EPOLLIN|EPOLLOUT|EPOLLRDHUP|EPOLLET;
        ev.data.ptr = c;
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
    }
}


static int
segment_file(const char *arg)
{
    int            fd;
    off_t          i;
    unsigned char  packet[188];

    if (strspn(arg, "0123456789") != strlen(arg)) {
        fd = open(arg, O_RDONLY|O_CLOEXEC);
        seg_bytes = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
        return fd;
    }

    seg_bytes = atoll(arg) / 188 * 188;
    fd = memfd_create("segment", 0);

    memset(packet, 0x5a, sizeof(packet));
    memcpy(packet, "\x47\x1f\xff\x10", 4);

    for (i = 0; i < seg_bytes; i += 188) {
        if (write(fd, packet, sizeof(packet)) != sizeof(packet)) {
            return -1;
        }
    }

    return fd;
}


int
main(int argc, char **argv)
{
    int                  ls, one, n, i;
    struct epoll_event   ev, evs[256];
    struct sockaddr_in   sin;

    if (argc != 5) {
        fprintf(stderr, "usage: origin PORT LIVE SEGMENT SEGMENT_MS\n");
        return 2;
    }

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    signal(SIGPIPE, SIG_IGN);                 /* sendfile() has no flag */

    port = atoi(argv[1]);
    live = atol(argv[2]);
    seg_ms = atol(argv[4]);
    t0 = now_ms();

    seg_fd = segment_file(argv[3]);
    ls = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    one = 1;
    setsockopt(ls, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons((uint16_t) port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    if (seg_fd < 0 || bind(ls, (struct sockaddr *) &sin, sizeof(sin)) != 0
        || listen(ls, 1024) != 0)
    {
        perror("origin");
        return 1;
    }

    ep = epoll_create1(EPOLL_CLOEXEC);
    ev.events = EPOLLIN;
    ev.data.ptr = NULL;
    epoll_ctl(ep, EPOLL_CTL_ADD, ls, &ev);

    puts("ready");
    fflush(stdout);

    for ( ;; ) {
        n = epoll_wait(ep, evs, 256, -1);

        for (i = 0; i < n; i++) {
            if (evs[i].data.ptr == NULL) {
                accept_all(ls);
                continue;
            }

            if (serve(evs[i].data.ptr) != 0) {
                close(((conn_t *) evs[i].data.ptr)->fd);
                free(evs[i].data.ptr);
            }
        }
    }
}
