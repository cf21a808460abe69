
/*
 * Copyright (C) the mntreamer authors
 *
 * To be preloaded into nginx: every connect() of a stream is a line of the file
 * that MNT_CONNECT_LOG names; those to public addresses fail instead of leaving
 * the machine.  That of a datagram socket sends nothing.  Names below ".test"
 * resolve to what the figure wants:
 *
 *     local.test    127.0.0.1         local6.test  ::1
 *     mapped.test   ::ffff:127.0.0.1  private.test 10.0.0.1
 *     both.test     a public address and 127.0.0.1
 *     turn.test     public the first time, 127.0.0.1 from then on
 */


#define _GNU_SOURCE

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>


#define PUBLIC  "8.8.4.4"


static int         out = -1;
static atomic_int  turns;


__attribute__((constructor)) static void
start(void)
{
    const char  *name;

    name = getenv("MNT_CONNECT_LOG");

    if (name) {
        out = open(name, O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC, 0666);
    }
}


static int
note(const struct sockaddr *sa)
{
    int                         n, public;
    char                        ip[INET6_ADDRSTRLEN], line[128];
    uint32_t                    a;
    const struct sockaddr_in   *sin = (const void *) sa;
    const struct sockaddr_in6  *sin6 = (const void *) sa;

    if (sa->sa_family == AF_INET) {
        inet_ntop(AF_INET, &sin->sin_addr, ip, sizeof(ip));
        a = ntohl(sin->sin_addr.s_addr);
        public = (a >> 24) == 8;
        n = ntohs(sin->sin_port);

    } else if (sa->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &sin6->sin6_addr, ip, sizeof(ip));
        public = 0;
        n = ntohs(sin6->sin6_port);

    } else {
        return 0;
    }

    n = snprintf(line, sizeof(line), "%s %d\n", ip, n);

    if (out != -1 && write(out, line, (size_t) n) == -1) {
        abort();
    }

    return public;
}


int
connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    int        type;
    socklen_t  size;

    static int  (*real)(int, const struct sockaddr *, socklen_t);

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "connect");
    }

    type = SOCK_STREAM;
    size = sizeof(type);
    (void) getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);

    if (type == SOCK_STREAM && note(sa)) {
        errno = ENETUNREACH;
        return -1;
    }

    return real(fd, sa, len);
}


int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **res)
{
    int               rc;
    size_t            n;
    const char       *to, *more;
    struct addrinfo   numeric, *first, *second;

    static int  (*real)(const char *, const char *, const struct addrinfo *,
                        struct addrinfo **);

    if (real == NULL) {
        *(void **) &real = dlsym(RTLD_NEXT, "getaddrinfo");
    }

    n = node ? strlen(node) : 0;

    if (n && node[n - 1] == '.') {
        n--;
    }

    if (n < 5 || strncasecmp(node + n - 5, ".test", 5) != 0) {
        return real(node, service, hints, res);
    }

    more = NULL;

    if (strncasecmp(node, "both.", 5) == 0) {
        to = PUBLIC;
        more = "127.0.0.1";

    } else if (strncasecmp(node, "turn.", 5) == 0) {
        to = atomic_fetch_add(&turns, 1) % 2 ? "127.0.0.1" : PUBLIC;

    } else if (strncasecmp(node, "local6.", 7) == 0) {
        to = "::1";

    } else if (strncasecmp(node, "mapped.", 7) == 0) {
        to = "::ffff:127.0.0.1";

    } else if (strncasecmp(node, "private.", 8) == 0) {
        to = "10.0.0.1";

    } else {
        to = "127.0.0.1";
    }

    numeric = *hints;
    numeric.ai_family = AF_UNSPEC;
    numeric.ai_flags |= AI_NUMERICHOST;

    rc = real(to, service, &numeric, &first);

    if (rc == 0 && more && real(more, service, &numeric, &second) == 0) {
        first->ai_next = second;
    }

    *res = first;

    return rc;
}
