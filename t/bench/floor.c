
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * What the kernel takes for the bytes alone: segments by recv() from one
 * connection a channel, each into a file of its own by write(), 256 KB at a
 * time (SO_RCVLOWAT), one thread.  No playlist, no library, no rename.
 *
 *     floor PORT CHANNELS SECONDS DIR
 *
 * Prints one JSON line as bare does: bytes and cpu, without the first two
 * seconds.
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define PIECE    (256 * 1024)
#define WARM_US  2000000
#define EACH_US  2000000


typedef struct {
    int        fd, out;
    int        busy, head;                    /* the answer's head is due */
    long       seq;
    long long  left;
    int64_t    due;
} channel_t;


static long         channels;
static const char  *dir;
static channel_t   *list;
static uint64_t     bytes;
static char         buf[PIECE + 1];


static int64_t
now_us(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static double
cpu_used(void)
{
    struct rusage  ru;

    getrusage(RUSAGE_SELF, &ru);

    return (double) ru.ru_utime.tv_sec + (double) ru.ru_utime.tv_usec / 1e6
           + (double) ru.ru_stime.tv_sec
           + (double) ru.ru_stime.tv_usec / 1e6;
}


static void
failed(const char *what)
{
    perror(what);
    exit(1);
}


/* wakes when that much is there, and no sooner */

static void
expect(channel_t *c, long long n)
{
    int  low;

    low = n < PIECE ? (int) n : PIECE;
    (void) setsockopt(c->fd, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof(low));
}


static void
ask(channel_t *c, long i)
{
    int   n;
    char  text[512];

    n = snprintf(text, sizeof(text), "GET /s/%ld/%ld.ts HTTP/1.1\r\n"
                 "Host: floor\r\n\r\n", i, c->seq);

    if (send(c->fd, text, (size_t) n, 0) != n) {
        failed("send");
    }

    snprintf(text, sizeof(text), "%s/%ld-%ld.ts", dir, i, c->seq++);

    c->out = open(text, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0640);
    if (c->out < 0) {
        failed("open");
    }

    c->busy = c->head = 1;
    c->due += EACH_US;
}


static void
receive(channel_t *c)
{
    char     *p, *length;
    ssize_t   n;

    n = recv(c->fd, buf, PIECE, MSG_DONTWAIT);
    if (n <= 0) {
        failed("recv");
    }

    p = buf;

    if (c->head) {
        buf[n] = '\0';
        p = strstr(buf, "\r\n\r\n");
        length = strstr(buf, "Content-Length: ");

        if (p == NULL || length == NULL || length > p) {
            failed("head");
        }

        p += 4;
        n -= p - buf;
        c->head = 0;
        c->left = atoll(length + 16);
    }

    if (n && write(c->out, p, (size_t) n) != n) {
        failed("write");
    }

    bytes += (uint64_t) n;
    c->left -= n;

    if (c->left == 0) {
        close(c->out);
        c->busy = 0;
        expect(c, 1);
        return;
    }

    expect(c, c->left);
}


static void
run(int ep, int64_t end)
{
    int                  i, n;
    long                 k;
    int64_t              now, next;
    struct epoll_event   evs[64];

    while ((now = now_us()) < end) {
        next = end;

        for (k = 0; k < channels; k++) {
            if (list[k].due <= now && !list[k].busy) {
                ask(&list[k], k);
            }

            if (list[k].due > now && list[k].due < next) {
                next = list[k].due;
            }
        }

        n = epoll_wait(ep, evs, 64, (int) ((next - now + 999) / 1000));

        for (i = 0; i < n; i++) {
            receive(evs[i].data.ptr);
        }
    }
}


int
main(int argc, char **argv)
{
    int                  ep;
    long                 i;
    double               cpu, seconds;
    int64_t              t;
    channel_t           *c;
    struct epoll_event   ev;
    struct sockaddr_in   sin;

    if (argc != 5) {
        fprintf(stderr, "usage: floor PORT CHANNELS SECONDS DIR\n");
        return 2;
    }

    channels = atol(argv[2]);
    seconds = atof(argv[3]);
    dir = argv[4];

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons((uint16_t) atoi(argv[1]));
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    list = calloc((size_t) channels, sizeof(channel_t));
    ep = epoll_create1(EPOLL_CLOEXEC);

    if (list == NULL || ep < 0) {
        failed("floor");
    }

    t = now_us();

    for (i = 0; i < channels; i++) {
        c = &list[i];
        c->seq = 100;
        c->due = t + i * EACH_US / channels;
        c->fd = socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0);

        if (c->fd < 0
            || connect(c->fd, (struct sockaddr *) &sin, sizeof(sin)) != 0)
        {
            failed("connect");
        }

        ev.events = EPOLLIN;
        ev.data.ptr = c;
        epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
    }

    run(ep, t + WARM_US);

    bytes = 0;
    cpu = cpu_used();

    run(ep, t + WARM_US + (int64_t) (seconds * 1e6));

    printf("{\"bytes\":%llu,\"cpu\":%.4f}\n", (unsigned long long) bytes,
           cpu_used() - cpu);

    return 0;
}
