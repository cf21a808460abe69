
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_SIP_H_INCLUDED_
#define _MNT_SIP_H_INCLUDED_


#include "mnt_str.h"


/*
 * SipHash-2-4 with 128 bits of output: who does not know the key can neither
 * find two texts of one digest nor tell what a digest is of.
 */
void mnt_sip_digest(const uint64_t key[2], mnt_str_t text, uint64_t half[2]);


#endif /* _MNT_SIP_H_INCLUDED_ */
