
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Preloaded into nginx by the figure "faults".  FAULTS_NAMES names a file with
 * a line for each host name, read anew at each look-up:
 *
 *     NAME ADDRESS       that address
 *     NAME nx            no such name
 *     NAME again         a failure that may pass
 *     NAME slow          30 s of silence, then a failure that may pass
 *
 * FAULTS_CA names a file of certificates that is read in the place of the
 * system's.  Both are read when the process begins: nginx clears its
 * environment.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


#define FAULTS_BUNDLE  "/etc/ssl/certs/ca-certificates.crt"


static char  faults_names[512];
static char  faults_ca[512];


__attribute__((constructor)) static void
faults_start(void)
{
    const char  *s;

    s = getenv("FAULTS_NAMES");
    snprintf(faults_names, sizeof(faults_names), "%s", s ? s : "");

    s = getenv("FAULTS_CA");
    snprintf(faults_ca, sizeof(faults_ca), "%s", s ? s : "");
}


static FILE *
faults_open(const char *symbol, const char *path, const char *mode)
{
    FILE *(*real)(const char *, const char *);

    *(void **) &real = dlsym(RTLD_NEXT, symbol);

    if (faults_ca[0] && path && strcmp(path, FAULTS_BUNDLE) == 0) {
        path = faults_ca;
    }

    return real(path, mode);
}


FILE *
fopen(const char *path, const char *mode)
{
    return faults_open("fopen", path, mode);
}


FILE *
fopen64(const char *path, const char *mode)
{
    return faults_open("fopen64", path, mode);
}


/* 1 and what the file says about "name" */

static int
faults_look(const char *name, char *value, size_t size)
{
    int    found;
    char   line[256], host[128], answer[64];
    FILE  *f;

    f = faults_names[0] && name ? faults_open("fopen", faults_names, "r")
                                : NULL;
    if (f == NULL) {
        return 0;
    }

    found = 0;

    while (!found && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%127s %63s", host, answer) == 2
            && strcasecmp(host, name) == 0)
        {
            snprintf(value, size, "%s", answer);
            found = 1;
        }
    }

    fclose(f);

    return found;
}


int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **res)
{
    char             value[64];
    struct timespec  slow = { 30, 0 };
    int            (*real)(const char *, const char *,
                           const struct addrinfo *, struct addrinfo **);

    *(void **) &real = dlsym(RTLD_NEXT, "getaddrinfo");

    if (!faults_look(node, value, sizeof(value))) {
        return real(node, service, hints, res);
    }

    if (strcmp(value, "nx") == 0) {
        return EAI_NONAME;
    }

    if (strcmp(value, "again") == 0) {
        return EAI_AGAIN;
    }

    if (strcmp(value, "slow") == 0) {
        nanosleep(&slow, NULL);
        return EAI_AGAIN;
    }

    return real(value, service, hints, res);
}
