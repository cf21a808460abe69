
/*
 * Copyright (C) the mntreamer authors
 */


#include "mnt_date.h"

#include <stdio.h>
#include <string.h>


#define MNT_DATE_RETRY_MIN  1000
#define MNT_DATE_RETRY_MAX  (15 * 60 * (int64_t) 1000)


static int64_t mnt_date_days(int year, int month, int day);
static int mnt_date_valid(const mnt_date_t *d);
static int64_t mnt_date_seconds(const mnt_date_t *d);
static int mnt_date_number(mnt_str_t *s, size_t digits, int *out);
static int mnt_date_char(mnt_str_t *s, const char *set);
static int mnt_date_fraction(mnt_str_t *s);
static int mnt_date_zone(mnt_str_t *s, int *zone_s);
static int mnt_date_clock(mnt_str_t *s, mnt_date_t *d);
static int mnt_date_month(mnt_str_t *s, mnt_date_t *d);
static int mnt_date_asctime(mnt_str_t *s, mnt_date_t *d);
static int mnt_date_dmy(mnt_str_t *s, mnt_date_t *d);


static const char  mnt_date_months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";


/* days since 1970-01-01 of the proleptic Gregorian calendar, years from 0 */

static int64_t
mnt_date_days(int year, int month, int day)
{
    int64_t  y, leaps;

    static const int  before[] = {
        0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334
    };

    y = year;

    /* leap days of the years before this one; year 0 is a leap year */

    leaps = (y + 3) / 4 - (y + 99) / 100 + (y + 399) / 400;

    if (month > 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) {
        leaps++;
    }

    /* 719528 days lie between 0000-01-01 and 1970-01-01 */

    return y * 365 + leaps + before[month - 1] + day - 1 - 719528;
}


static int
mnt_date_valid(const mnt_date_t *d)
{
    int  days;

    static const int  length[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (d->month < 1 || d->month > 12 || d->year < 0 || d->year > 9999) {
        return 0;
    }

    days = length[d->month - 1];

    if (d->month == 2 && d->year % 4 == 0
        && (d->year % 100 != 0 || d->year % 400 == 0))
    {
        days = 29;
    }

    /* 60 is a leap second, taken for the second that follows it */

    return d->day >= 1 && d->day <= days && d->hour <= 23 && d->minute <= 59
           && d->second <= 60;
}


static int64_t
mnt_date_seconds(const mnt_date_t *d)
{
    return mnt_date_days(d->year, d->month, d->day) * 86400
           + d->hour * 3600 + d->minute * 60 + d->second;
}


/* exactly "digits" digits are taken from the front */

static int
mnt_date_number(mnt_str_t *s, size_t digits, int *out)
{
    uint64_t   n;
    mnt_str_t  number;

    if (s->len < digits) {
        return -1;
    }

    number.data = s->data;
    number.len = digits;

    if (mnt_str_u64(number, &n) != 0) {
        return -1;
    }

    *out = (int) n;
    s->data += digits;
    s->len -= digits;

    return 0;
}


static int
mnt_date_char(mnt_str_t *s, const char *set)
{
    if (s->len == 0 || s->data[0] == '\0' || !strchr(set, s->data[0])) {
        return -1;
    }

    s->data++;
    s->len--;

    return 0;
}


static int
mnt_date_clock(mnt_str_t *s, mnt_date_t *d)
{
    if (mnt_date_number(s, 2, &d->hour) != 0
        || mnt_date_char(s, ":") != 0
        || mnt_date_number(s, 2, &d->minute) != 0
        || mnt_date_char(s, ":") != 0
        || mnt_date_number(s, 2, &d->second) != 0)
    {
        return -1;
    }

    return 0;
}


/* milliseconds; what is finer is cut off; -1 when no digit follows the mark */

static int
mnt_date_fraction(mnt_str_t *s)
{
    int     ms, unit;
    size_t  n;

    if (mnt_date_char(s, ".,") != 0) {
        return 0;
    }

    ms = 0;
    unit = 100;

    for (n = 0; n < s->len && s->data[n] >= '0' && s->data[n] <= '9'; n++) {
        ms += unit * (s->data[n] - '0');
        unit /= 10;
    }

    s->data += n;
    s->len -= n;

    return n ? ms : -1;
}


/* 1 when there is a zone, 0 when there is none, -1 when it is wrong */

static int
mnt_date_zone(mnt_str_t *s, int *zone_s)
{
    int  sign, hours, minutes;

    if (s->len == 0) {
        return 0;
    }

    if (mnt_date_char(s, "Zz") == 0) {
        *zone_s = 0;
        return 1;
    }

    sign = (s->data[0] == '-') ? -1 : 1;
    minutes = 0;

    if (mnt_date_char(s, "+-") != 0 || mnt_date_number(s, 2, &hours) != 0) {
        return -1;
    }

    if (s->len) {
        (void) mnt_date_char(s, ":");

        if (mnt_date_number(s, 2, &minutes) != 0) {
            return -1;
        }
    }

    if (hours > 23 || minutes > 59) {
        return -1;
    }

    *zone_s = sign * (hours * 3600 + minutes * 60);

    return 1;
}


int64_t
mnt_date_parse(mnt_str_t s, int zone_s, int *has_zone)
{
    int         ms, zone;
    mnt_date_t  d;

    if (has_zone) {
        *has_zone = 0;
    }

    if (mnt_date_number(&s, 4, &d.year) != 0
        || mnt_date_char(&s, "-") != 0
        || mnt_date_number(&s, 2, &d.month) != 0
        || mnt_date_char(&s, "-") != 0
        || mnt_date_number(&s, 2, &d.day) != 0
        || mnt_date_char(&s, "Tt ") != 0
        || mnt_date_clock(&s, &d) != 0
        || !mnt_date_valid(&d))
    {
        return MNT_DATE_NONE;
    }

    ms = mnt_date_fraction(&s);

    if (ms < 0) {
        return MNT_DATE_NONE;
    }

    zone = mnt_date_zone(&s, &zone_s);

    if (zone < 0 || s.len) {
        return MNT_DATE_NONE;
    }

    if (has_zone) {
        *has_zone = zone;
    }

    return (mnt_date_seconds(&d) - zone_s) * 1000 + ms;
}


void
mnt_date_civil(int64_t ms, int zone_s, mnt_date_t *d)
{
    int      month;
    int64_t  days, rest, year;

    days = ms / 1000;
    rest = days % 86400;
    days /= 86400;

    if (ms % 1000 < 0) {
        rest--;
    }

    rest += zone_s;

    while (rest < 0) {
        rest += 86400;
        days--;
    }

    while (rest >= 86400) {
        rest -= 86400;
        days++;
    }

    /* years outside 0 to 9999 cannot be written; the nearest end stands */

    if (days < mnt_date_days(0, 1, 1)) {
        days = mnt_date_days(0, 1, 1);

    } else if (days > mnt_date_days(9999, 12, 31)) {
        days = mnt_date_days(9999, 12, 31);
    }

    year = (days + 719528) * 400 / 146097;

    while (mnt_date_days((int) year, 1, 1) > days) {
        year--;
    }

    while (year < 9999 && mnt_date_days((int) year + 1, 1, 1) <= days) {
        year++;
    }

    for (month = 12; mnt_date_days((int) year, month, 1) > days; month--) {
        /* void */
    }

    d->year = (int) year;
    d->month = month;
    d->day = (int) (days - mnt_date_days((int) year, month, 1)) + 1;
    d->hour = (int) (rest / 3600);
    d->minute = (int) (rest / 60 % 60);
    d->second = (int) (rest % 60);
}


size_t
mnt_date_write(int64_t ms, char *buf, size_t size)
{
    int         fraction;
    mnt_date_t  d;

    if (size <= MNT_DATE_LEN) {
        if (size) {
            buf[0] = '\0';
        }

        return 0;
    }

    mnt_date_civil(ms, 0, &d);
    fraction = (int) (ms % 1000);

    if (fraction < 0) {
        fraction += 1000;
    }

    (void) snprintf(buf, size, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
                    (unsigned) d.year % 10000, (unsigned) d.month % 100,
                    (unsigned) d.day % 100, (unsigned) d.hour % 100,
                    (unsigned) d.minute % 100, (unsigned) d.second % 100,
                    (unsigned) fraction % 1000);

    return MNT_DATE_LEN;
}


static int
mnt_date_month(mnt_str_t *s, mnt_date_t *d)
{
    for (d->month = 1; s->len >= 3 && d->month <= 12; d->month++) {
        if (memcmp(s->data, mnt_date_months + (d->month - 1) * 3, 3) == 0) {
            s->data += 3;
            s->len -= 3;
            return 0;
        }
    }

    return -1;
}


/* "Nov  6 08:49:37 1994" */

static int
mnt_date_asctime(mnt_str_t *s, mnt_date_t *d)
{
    size_t  digits;

    if (mnt_date_month(s, d) != 0 || mnt_date_char(s, " ") != 0) {
        return -1;
    }

    digits = (mnt_date_char(s, " ") == 0) ? 1 : 2;

    if (mnt_date_number(s, digits, &d->day) != 0
        || mnt_date_char(s, " ") != 0
        || mnt_date_clock(s, d) != 0
        || mnt_date_char(s, " ") != 0
        || mnt_date_number(s, 4, &d->year) != 0)
    {
        return -1;
    }

    return 0;
}


/* "06 Nov 1994 08:49:37 GMT" or "06-Nov-94 08:49:37 GMT" */

static int
mnt_date_dmy(mnt_str_t *s, mnt_date_t *d)
{
    if (mnt_date_number(s, 2, &d->day) != 0
        || mnt_date_char(s, " -") != 0
        || mnt_date_month(s, d) != 0)
    {
        return -1;
    }

    if (mnt_date_char(s, "-") == 0) {
        if (mnt_date_number(s, 2, &d->year) != 0) {
            return -1;
        }

        d->year += (d->year < 70) ? 2000 : 1900;

    } else if (mnt_date_char(s, " ") != 0
               || mnt_date_number(s, 4, &d->year) != 0)
    {
        return -1;
    }

    if (mnt_date_char(s, " ") != 0 || mnt_date_clock(s, d) != 0
        || !mnt_str_eqc(*s, " GMT"))
    {
        return -1;
    }

    s->len = 0;

    return 0;
}


int64_t
mnt_date_http(mnt_str_t s)
{
    int         rc;
    int64_t     seconds;
    mnt_date_t  d;

    s = mnt_str_trim(s);

    /* the name of the day adds nothing */

    while (s.len && s.data[0] != ' ' && s.data[0] != ',') {
        s.data++;
        s.len--;
    }

    if (mnt_date_char(&s, ",") == 0) {
        rc = mnt_date_char(&s, " ") == 0 ? mnt_date_dmy(&s, &d) : -1;

    } else {
        rc = mnt_date_char(&s, " ") == 0 ? mnt_date_asctime(&s, &d) : -1;
    }

    if (rc != 0 || s.len || !mnt_date_valid(&d)) {
        return -1;
    }

    seconds = mnt_date_seconds(&d);

    return seconds < 0 ? -1 : seconds;
}


int64_t
mnt_date_retry_after(mnt_str_t s, int64_t now_ms, int64_t dflt_ms)
{
    size_t    i;
    int64_t   ms;
    uint64_t  seconds;

    s = mnt_str_trim(s);

    if (s.len == 0) {
        return dflt_ms;
    }

    for (i = 0; i < s.len && s.data[i] >= '0' && s.data[i] <= '9'; i++) {
        /* void */
    }

    if (i == s.len) {
        if (mnt_str_u64(s, &seconds) != 0
            || seconds > (uint64_t) MNT_DATE_RETRY_MAX / 1000)
        {
            return MNT_DATE_RETRY_MAX;
        }

        ms = (int64_t) seconds * 1000;

    } else {
        ms = mnt_date_http(s);

        if (ms < 0) {
            return dflt_ms;
        }

        ms = ms * 1000 - now_ms;
    }

    if (ms < MNT_DATE_RETRY_MIN) {
        return MNT_DATE_RETRY_MIN;
    }

    return ms > MNT_DATE_RETRY_MAX ? MNT_DATE_RETRY_MAX : ms;
}
