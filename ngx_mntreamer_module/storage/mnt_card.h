
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_CARD_H_INCLUDED_
#define _MNT_CARD_H_INCLUDED_


#include "../base/mnt_str.h"


/*
 * What a directory is the recording of, told by a small file in it, so that
 * who serves its files need not ask the database.  Lines of a word, a space
 * and a value, in any order; unknown words are passed over.
 *
 *     recording 481
 *     platform chzzk
 *     channel 0123456789abcdef0123456789abcdef
 */

#define MNT_CARD_NAME  ".recording"
#define MNT_CARD_MAX   2048                   /* bytes that are read */

typedef struct {
    mnt_str_t  recording;                     /* decimal; all of them null
                                                 when there is no such line */
    mnt_str_t  platform;
    mnt_str_t  channel;
} mnt_card_t;


/*
 * Returns the length; 0: it does not fit into "size" (nor MNT_CARD_MAX), or a
 * value has a control character.
 */
size_t mnt_card_write(const mnt_card_t *card, char *buf, size_t size);

/* aliases of "text"; a line without an end does not count */
void mnt_card_read(mnt_str_t text, mnt_card_t *card);


#endif /* _MNT_CARD_H_INCLUDED_ */
