
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_FOLLOW_H_INCLUDED_
#define _MNT_FOLLOW_H_INCLUDED_


#include "../base/mnt_str.h"


/* what became of a try to tell a follower something */

typedef enum {
    MNT_FOLLOW_TOLD = 0,
    MNT_FOLLOW_REFUSED,                       /* it surely does not know */
    MNT_FOLLOW_UNKNOWN                        /* it may */
} mnt_follow_outcome_e;


/*
 * "http" is the status of its answer, 0 without one; "sent": the request may
 * have reached it.  Any 2xx is a yes, whatever became of the rest of the
 * answer; every other status is a no.
 */
mnt_follow_outcome_e mnt_follow_outcome(unsigned http, int sent);

/* "told", "refused", "unknown": as the database takes it */
const char *mnt_follow_word(mnt_follow_outcome_e outcome);

/*
 * What may be logged of a follower's address: scheme, host and port.  Its path
 * and query may be a secret: those of chats are.  Returns the length written,
 * at most size - 1; the text is terminated, and empty when "url" is no http or
 * https URL.
 */
size_t mnt_follow_shown(mnt_str_t url, char *buf, size_t size);


#endif /* _MNT_FOLLOW_H_INCLUDED_ */
