// Numbers and times as people read them.

import { language } from './i18n.js';


export function duration(seconds) {
    const s = Math.max(0, Math.floor(seconds || 0));
    const two = (n) => String(n).padStart(2, '0');

    return Math.floor(s / 3600) + ':' + two(Math.floor(s / 60) % 60)
           + ':' + two(s % 60);
}


export function bytes(n) {
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    let i = 0;
    let v = Math.max(0, n || 0);

    while (v >= 1000 && i < units.length - 1) {
        v /= 1000;
        i++;
    }

    return number(v, v < 10 && i > 0 ? 1 : 0) + ' ' + units[i];
}


export function number(n, digits = 0) {
    return new Intl.NumberFormat(language(), {
        maximumFractionDigits: digits,
    }).format(n);
}


export function seconds(n) {
    return new Intl.NumberFormat(language(), {
        style: 'unit', unit: 'second', unitDisplay: 'short',
        maximumFractionDigits: 1,
    }).format(n || 0);
}


// an ISO date; empty when there is none

export function time(iso) {
    const date = new Date(iso ?? NaN);

    if (Number.isNaN(date.getTime())) {
        return '';
    }

    const today = date.toDateString() === new Date().toDateString();

    return new Intl.DateTimeFormat(language(), {
        dateStyle: today ? undefined : 'medium',
        timeStyle: 'short',
    }).format(date);
}


// the same with seconds, for what happens every minute

export function clock(iso) {
    const date = new Date(iso ?? NaN);

    if (Number.isNaN(date.getTime())) {
        return '';
    }

    if (date.toDateString() !== new Date().toDateString()) {
        return time(iso);
    }

    return new Intl.DateTimeFormat(language(), {
        timeStyle: 'medium',
    }).format(date);
}


// for a clock beside a picture: minutes and seconds, hours when there are any

export function position(seconds) {
    return duration(seconds).replace(/^0:0?/, '');
}
