
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * Keys of AES-128: each is fetched once per URI and kept as long as segments
 * want it, and a little longer.  They are wiped when they go.  The platform's
 * cookies are sent to its API host only.
 *
 * state     entered by    waits for      deadline      then
 * EMPTY     asked for     the next try   60 s          FETCHING
 * FETCHING  a try         the transfer   playlist_ms   READY, EMPTY
 * READY     16 bytes      -              -             freed
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_mntreamer_recorder.h"
#include "ngx_mntreamer_recorder_internal.h"
#include "../base/mnt_backoff.h"
#include "../base/mnt_url.h"


#define NGX_MNTREAMER_KEY_MAX       4096      /* an error may come instead */
#define NGX_MNTREAMER_KEY_RETRY_MS  500
#define NGX_MNTREAMER_KEY_CAP_MS    60000
#define NGX_MNTREAMER_KEY_TELL_MS   60000     /* between two lines */


static void ngx_mntreamer_key_free(ngx_mntreamer_key_t *k);
static ngx_uint_t ngx_mntreamer_key_told(ngx_mntreamer_session_t *s);
static void ngx_mntreamer_key_done(void *data,
    const ngx_mntreamer_answer_t *answer);
static void ngx_mntreamer_key_failed(ngx_mntreamer_key_t *k,
    const ngx_mntreamer_answer_t *answer);


ngx_mntreamer_key_t *
ngx_mntreamer_key_get(ngx_mntreamer_session_t *s, mnt_str_t url)
{
    uint64_t              hash;
    ngx_queue_t          *q, *prev;
    ngx_mntreamer_key_t  *k;

    hash = mnt_str_hash(url);

    for (q = ngx_queue_head(&s->keys);
         q != ngx_queue_sentinel(&s->keys);
         q = ngx_queue_next(q))
    {
        k = ngx_queue_data(q, ngx_mntreamer_key_t, queue);

        if (k->hash == hash
            && k->url.len == url.len
            && ngx_memcmp(k->url.data, url.data, url.len) == 0)
        {
            k->refs++;
            ngx_queue_remove(q);
            ngx_queue_insert_head(&s->keys, q);

            return k;
        }
    }

    for (q = ngx_queue_last(&s->keys);
         q != ngx_queue_sentinel(&s->keys)
         && s->nkeys >= NGX_MNTREAMER_RECORDER_KEYS;
         q = prev)
    {
        prev = ngx_queue_prev(q);
        k = ngx_queue_data(q, ngx_mntreamer_key_t, queue);

        if (k->refs == 0) {
            ngx_mntreamer_key_free(k);
        }
    }

    if (s->nkeys >= NGX_MNTREAMER_RECORDER_KEYS_MAX) {

        if (!ngx_mntreamer_key_told(s)) {
            ngx_log_error(NGX_LOG_WARN, s->log, 0,
                          "mntreamer: recording %L wants more than %d keys at "
                          "once", s->recording_id,
                          NGX_MNTREAMER_RECORDER_KEYS_MAX);
        }

        return NULL;
    }

    k = ngx_calloc(sizeof(ngx_mntreamer_key_t), s->log);

    if (k == NULL) {
        return NULL;
    }

    if (ngx_mntreamer_text_set(&k->url, url.data, url.len) != NGX_OK) {
        ngx_free(k);
        return NULL;
    }

    k->session = s;
    k->hash = hash;
    k->refs = 1;
    k->retry_at = ngx_current_msec;

    ngx_queue_insert_head(&s->keys, &k->queue);
    s->nkeys++;

    return k;
}


void
ngx_mntreamer_key_put(ngx_mntreamer_key_t *k)
{
    k->refs--;
}


static void
ngx_mntreamer_key_free(ngx_mntreamer_key_t *k)
{
    if (k->transfer) {
        ngx_mntreamer_curl_cancel(k->transfer);
        k->session->key_fetches--;
    }

    k->session->nkeys--;
    ngx_queue_remove(&k->queue);
    ngx_mntreamer_text_free(&k->url);
    ngx_explicit_memzero(k->bytes, sizeof(k->bytes));
    ngx_free(k);
}


void
ngx_mntreamer_keys_free(ngx_mntreamer_session_t *s)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&s->keys)) {
        q = ngx_queue_head(&s->keys);

        ngx_mntreamer_key_free(ngx_queue_data(q, ngx_mntreamer_key_t, queue));
    }
}


void
ngx_mntreamer_key_start(ngx_mntreamer_key_t *k)
{
    mnt_str_t                 url, api;
    ngx_mntreamer_session_t  *s;
    ngx_mntreamer_request_t   req;

    s = k->session;

    ngx_mntreamer_session_request(s, &req);

    req.url.data = k->url.data;
    req.url.len = k->url.len;
    req.max_bytes = NGX_MNTREAMER_KEY_MAX;
    req.total_ms = s->rec->conf->playlist_ms;
    req.done = ngx_mntreamer_key_done;
    req.data = k;

    url.data = (char *) k->url.data;
    url.len = k->url.len;
    api.data = (char *) s->api.data;
    api.len = s->api.len;

    if (mnt_url_same_origin(api, url)) {
        req.cookie = s->cookies;
    }

    k->transfer = ngx_mntreamer_curl_start(s->rec->curl, &req);

    if (k->transfer == NULL) {
        k->retry_at = ngx_current_msec + NGX_MNTREAMER_KEY_CAP_MS;
        return;
    }

    k->state = NGX_MNTREAMER_KEY_FETCHING;
    s->key_fetches++;
}


static void
ngx_mntreamer_key_done(void *data, const ngx_mntreamer_answer_t *answer)
{
    ngx_mntreamer_key_t *k = data;

    ngx_uint_t                i;
    ngx_mntreamer_session_t  *s;

    s = k->session;
    k->transfer = NULL;
    s->key_fetches--;

    if (answer->rc == NGX_MNTREAMER_TRANSFER_OK
        && answer->http == 200
        && answer->body.len == sizeof(k->bytes))
    {
        ngx_memcpy(k->bytes, answer->body.data, sizeof(k->bytes));
        k->state = NGX_MNTREAMER_KEY_READY;
        k->tries = 0;

    } else {
        ngx_mntreamer_key_failed(k, answer);
    }

    for (i = 0; i < s->nrenditions; i++) {
        ngx_mntreamer_rendition_run(&s->renditions[i]);
    }
}


static void
ngx_mntreamer_key_failed(ngx_mntreamer_key_t *k,
    const ngx_mntreamer_answer_t *answer)
{
    u_char                    url[256];
    size_t                    n;
    mnt_str_t                 text;
    ngx_mntreamer_session_t  *s;

    s = k->session;

    k->state = NGX_MNTREAMER_KEY_EMPTY;
    k->retry_at = ngx_current_msec
                  + (ngx_msec_t) mnt_backoff_retry((unsigned) k->tries,
                                                   NGX_MNTREAMER_KEY_RETRY_MS,
                                                   NGX_MNTREAMER_KEY_CAP_MS,
                                                   (uint32_t) ngx_random());

    if (k->tries++ != 0) {
        return;
    }

    if (!ngx_mntreamer_key_told(s)) {
        text.data = (char *) k->url.data;
        text.len = k->url.len;

        n = mnt_url_redact(text, (char *) url, sizeof(url));

        ngx_log_error(NGX_LOG_WARN, s->log, 0,
                      "mntreamer: key \"%*s\" of recording %L was not had: "
                      "%s, HTTP %ui, %uz bytes",
                      n, url, s->recording_id,
                      ngx_mntreamer_transfer_name(answer->rc), answer->http,
                      answer->body.len);
    }

    if (!s->encrypted) {
        s->encrypted = 1;
        ngx_mntreamer_session_tell(s, MNT_PROBE_LIVE_NOT_PLAYABLE,
                                   "encrypted", 1);
    }
}


/* 1 when a line about the keys of a recording was written a moment ago */

static ngx_uint_t
ngx_mntreamer_key_told(ngx_mntreamer_session_t *s)
{
    if (s->key_told_ms
        && ngx_current_msec - s->key_told_ms < NGX_MNTREAMER_KEY_TELL_MS)
    {
        return 1;
    }

    s->key_told_ms = ngx_current_msec;

    return 0;
}


/* nothing whose method is not known is ever taken for clear */

ngx_uint_t
ngx_mntreamer_key_readable(const mnt_hls_key_t *key)
{
    if (key == NULL || key->method == MNT_HLS_KEY_NONE) {
        return 1;
    }

    return key->method == MNT_HLS_KEY_AES_128
           && key->uri.len
           && mnt_str_eqc(key->keyformat, "identity");
}


void
ngx_mntreamer_session_encrypted(ngx_mntreamer_session_t *s,
    const mnt_hls_key_t *key)
{
    if (s->encrypted) {
        return;
    }

    s->encrypted = 1;

    if (!ngx_mntreamer_key_told(s)) {
        ngx_log_error(NGX_LOG_WARN, s->log, 0,
                      "mntreamer: recording %L is encrypted in a way that "
                      "cannot be read (%*s)", s->recording_id,
                      (size_t) ngx_min(key->method_name.len, 32),
                      key->method_name.data);
    }

    ngx_mntreamer_session_tell(s, MNT_PROBE_LIVE_NOT_PLAYABLE, "encrypted", 1);
}


/* one rendition may be readable, and the others not yet */

void
ngx_mntreamer_session_playable(ngx_mntreamer_session_t *s)
{
    ngx_uint_t            i;
    ngx_queue_t          *q;
    ngx_mntreamer_key_t  *k;

    if (!s->denied && !s->encrypted) {
        return;
    }

    for (i = 0; i < s->nrenditions; i++) {
        if (s->renditions[i].locked) {
            return;
        }
    }

    for (q = ngx_queue_head(&s->keys);
         q != ngx_queue_sentinel(&s->keys);
         q = ngx_queue_next(q))
    {
        k = ngx_queue_data(q, ngx_mntreamer_key_t, queue);

        if (k->refs && k->tries) {
            return;
        }
    }

    s->denied = 0;
    s->encrypted = 0;

    ngx_mntreamer_session_tell(s, MNT_PROBE_LIVE, "", 1);
}
