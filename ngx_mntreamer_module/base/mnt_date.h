
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_DATE_H_INCLUDED_
#define _MNT_DATE_H_INCLUDED_


#include "mnt_str.h"


#define MNT_DATE_NONE  INT64_MIN
#define MNT_DATE_LEN   (sizeof("2026-09-27T08:52:05.007Z") - 1)


/*
 * ISO 8601 date and time ('T' or a space between), with fraction; the zone is
 * 'Z', +hh:mm, +hhmm, +hh or absent.  Without a zone "zone_s" (seconds east of
 * UTC) is used.  Returns milliseconds since the epoch or MNT_DATE_NONE.
 */
int64_t mnt_date_parse(mnt_str_t s, int zone_s, int *has_zone);

/* writes "2026-09-27T08:52:05.007Z", terminated; returns MNT_DATE_LEN */
size_t mnt_date_write(int64_t ms, char *buf, size_t size);

/* HTTP-date (RFC 9110 5.6.7, all three forms) in seconds, or -1 */
int64_t mnt_date_http(mnt_str_t s);

/*
 * Retry-After (RFC 9110 10.2.3): seconds or a date, clamped to [1 s, 15 min];
 * garbage gives "dflt_ms".  Milliseconds.
 */
int64_t mnt_date_retry_after(mnt_str_t s, int64_t now_ms, int64_t dflt_ms);

typedef struct {
    int  year, month, day, hour, minute, second;
} mnt_date_t;

/* civil date of a moment at an offset east of UTC */
void mnt_date_civil(int64_t ms, int zone_s, mnt_date_t *d);


#endif /* _MNT_DATE_H_INCLUDED_ */
