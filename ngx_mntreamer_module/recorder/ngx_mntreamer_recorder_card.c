
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The file that tells what a directory is the recording of (mnt_card.h), for
 * the variables of http { }.  It is written when a session lists its first
 * segment: before that there is nothing to be served, and a recording that was
 * taken over may be that of another row now.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "../storage/mnt_card.h"
#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"


static void ngx_mntreamer_session_carded(void *data,
    const ngx_mntreamer_commit_t *commit);


void
ngx_mntreamer_session_card(ngx_mntreamer_session_t *s)
{
    char        buf[MNT_CARD_MAX], id[NGX_INT64_LEN + 1];
    ngx_str_t   name, content;
    mnt_card_t  card;

    if (s->carded) {
        return;
    }

    s->carded = 1;

    card.recording.data = id;
    card.recording.len = ngx_sprintf((u_char *) id, "%L", s->recording_id)
                         - (u_char *) id;
    card.platform = mnt_str_c(s->platform_name);
    card.channel.data = (char *) s->label.data;
    card.channel.len = s->label.len;

    content.data = (u_char *) buf;
    content.len = mnt_card_write(&card, buf, sizeof(buf));

    ngx_str_set(&name, MNT_CARD_NAME);

    if (content.len == 0) {
        ngx_log_error(NGX_LOG_WARN, s->log, 0,
                      "mntreamer: recording %L of \"%s/%V\" has no variables",
                      s->recording_id, s->platform_name, &s->label);
        return;
    }

    /* the next segment tries again */

    if (ngx_mntreamer_storage_put(s->rec->st, &s->path, &name, &content,
                                  ngx_mntreamer_session_carded, s->rec)
        != NGX_OK)
    {
        s->carded = 0;
    }
}


/* why not was logged by the storage; the next session tries again */

static void
ngx_mntreamer_session_carded(void *data, const ngx_mntreamer_commit_t *commit)
{
    ngx_mntreamer_recorder_t *rec = data;

    ngx_log_debug1(NGX_LOG_DEBUG_CORE, rec->log, 0, "mntreamer: card: %s",
                   ngx_mntreamer_store_name(commit->rc));
}
