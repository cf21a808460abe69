
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _MNT_JSON_H_INCLUDED_
#define _MNT_JSON_H_INCLUDED_


#include <jansson.h>

#include "mnt_str.h"


#define MNT_JSON_DEPTH  32


/*
 * Reads one JSON text of at most "max_bytes" and MNT_JSON_DEPTH levels; the
 * depth is checked before jansson sees it.  Duplicate keys are refused.
 * Returns a new reference or NULL with a short reason in "why" (never quoting
 * the input).  Not for threads.
 */
json_t *mnt_json_load(mnt_str_t text, size_t max_bytes, const char **why);

/*
 * The same for what others wrote: \u0000 and halves of surrogate pairs, which
 * jansson refuses and the database could not hold, are read as U+FFFD.
 */
json_t *mnt_json_load_foreign(mnt_str_t text, size_t max_bytes,
    const char **why);

/*
 * Typed access that never fails: a missing member, null or another type gives
 * the default.  Paths have dots: "content.channel.channelName".  Strings are
 * aliases of the document.  Numbers written as strings are accepted by _i64.
 */
json_t *mnt_json_get(const json_t *j, const char *path);
mnt_str_t mnt_json_str(const json_t *j, const char *path);
int64_t mnt_json_i64(const json_t *j, const char *path, int64_t dflt);
int mnt_json_bool(const json_t *j, const char *path, int dflt);


#endif /* _MNT_JSON_H_INCLUDED_ */
