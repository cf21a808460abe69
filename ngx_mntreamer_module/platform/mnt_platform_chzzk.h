
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_PLATFORM_CHZZK_H_INCLUDED_
#define _MNT_PLATFORM_CHZZK_H_INCLUDED_


#include "mnt_platform_probe.h"


#define MNT_CHZZK_BODY  (1024 * 1024)         /* bytes of an answer */


/* 1 for 32 hexadecimal digits */
int mnt_platform_chzzk_id(mnt_str_t s);

/* the members probe and lookup of mnt_platform_t */
void mnt_platform_chzzk_probe(mnt_arena_t *a, const mnt_platform_conf_t *conf,
    mnt_request_e kind, mnt_str_t channel,
    const mnt_platform_answer_t *answer, mnt_probe_t *probe);
mnt_probe_outcome_e mnt_platform_chzzk_lookup(mnt_arena_t *a,
    mnt_request_e kind, mnt_str_t wanted, const mnt_platform_answer_t *answer,
    mnt_channel_t *ch, mnt_str_t *reason);


#endif /* _MNT_PLATFORM_CHZZK_H_INCLUDED_ */
