
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The hooks of nginx-rtmp.  It takes every 3xx for a yes and its Location for
 * a name, so there are 204, the one redirect that is meant, and 4xx: all made
 * here, where "error_page" does not reach.  The name of a publisher is its
 * stream key: it is hashed at once and stands in no log, metric or answer.
 *
 *     call             waits for              then
 *     publish          key, row of broadcast  302 to the public name, or 403,
 *                                             at once behind many wrong keys;
 *     (of "live")      row of broadcast       204 once, then 403
 *     play             row of broadcast       204 or 403
 *     update_publish   row of broadcast       204, also when the database is
 *                                             away; 403 closes the publisher
 *     update_play      row of broadcast       204; the relay is heard of
 *     publish_done     -                      204; written later
 *     others           -                      204
 *
 * A question takes at most 5 s, less than nginx-rtmp waits.  When it has gone
 * by then, or the answer of the database is lost, what may have begun is taken
 * back.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_rtmp.h"
#include "../base/mnt_form.h"
#include "../http/ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_RTMP_BODY    8192
#define NGX_HTTP_MNTREAMER_RTMP_ARENA   65536
#define NGX_HTTP_MNTREAMER_RTMP_KEY     256   /* bytes; nginx-rtmp's limit */
#define NGX_HTTP_MNTREAMER_RTMP_PUBLIC  16    /* random bytes of a name */


/* what became of a hook; also the labels of the metric, in this order */

typedef enum {
    NGX_HTTP_MNTREAMER_HOOK_DONE = 0,
    NGX_HTTP_MNTREAMER_HOOK_BEGUN,
    NGX_HTTP_MNTREAMER_HOOK_PEER,
    NGX_HTTP_MNTREAMER_HOOK_FORM,
    NGX_HTTP_MNTREAMER_HOOK_KEY,
    NGX_HTTP_MNTREAMER_HOOK_PASSWORD,
    NGX_HTTP_MNTREAMER_HOOK_LIVE,
    NGX_HTTP_MNTREAMER_HOOK_NAME,
    NGX_HTTP_MNTREAMER_HOOK_CLOSED,
    NGX_HTTP_MNTREAMER_HOOK_AWAY,
    NGX_HTTP_MNTREAMER_HOOK_GUESSES
} ngx_http_mntreamer_hook_e;

enum {
    NGX_HTTP_MNTREAMER_FORM_CALL = 0,
    NGX_HTTP_MNTREAMER_FORM_APP,
    NGX_HTTP_MNTREAMER_FORM_ADDR,
    NGX_HTTP_MNTREAMER_FORM_CLIENTID,
    NGX_HTTP_MNTREAMER_FORM_NAME,
    NGX_HTTP_MNTREAMER_FORM_PW,
    NGX_HTTP_MNTREAMER_FORM_N
};

typedef struct ngx_http_mntreamer_hook_s  ngx_http_mntreamer_hook_t;

typedef ngx_int_t (*ngx_http_mntreamer_hook_pt)(
    ngx_http_mntreamer_hook_t *hook);

typedef struct {
    const char                   *call;
    ngx_http_mntreamer_hook_pt    handler;
} ngx_http_mntreamer_hook_call_t;

struct ngx_http_mntreamer_hook_s {
    ngx_http_request_t           *request;    /* alias */
    mnt_form_field_t              form[NGX_HTTP_MNTREAMER_FORM_N];
    ngx_str_t                     addr;       /* pool, as all below */
    ngx_str_t                     clientid;
    ngx_str_t                     hash;       /* of the key */
    ngx_str_t                     name;       /* the public one */
    ngx_mntreamer_ask_t          *ask;        /* owned while under way */
    ngx_uint_t                    asked;      /* ngx_mntreamer_ask_e */
};


static ngx_uint_t ngx_http_mntreamer_rtmp_local(ngx_connection_t *c);
static ngx_int_t ngx_http_mntreamer_rtmp_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
static ngx_int_t ngx_http_mntreamer_hook_run(ngx_http_mntreamer_hook_t *hook);
static ngx_int_t ngx_http_mntreamer_hook_read(ngx_http_mntreamer_hook_t *hook);
static ngx_int_t ngx_http_mntreamer_hook_publish(
    ngx_http_mntreamer_hook_t *hook);
static ngx_int_t ngx_http_mntreamer_hook_play(ngx_http_mntreamer_hook_t *hook);
static ngx_int_t ngx_http_mntreamer_hook_name(ngx_http_mntreamer_hook_t *hook,
    ngx_uint_t ask);
static ngx_int_t ngx_http_mntreamer_hook_update(
    ngx_http_mntreamer_hook_t *hook);
static ngx_int_t ngx_http_mntreamer_hook_relay(
    ngx_http_mntreamer_hook_t *hook);
static ngx_int_t ngx_http_mntreamer_hook_end(ngx_http_mntreamer_hook_t *hook);
static ngx_int_t ngx_http_mntreamer_hook_pass(ngx_http_mntreamer_hook_t *hook);
static ngx_int_t ngx_http_mntreamer_hook_ask(ngx_http_mntreamer_hook_t *hook,
    ngx_uint_t ask, const ngx_str_t *params, ngx_uint_t n);
static void ngx_http_mntreamer_hook_cancel(void *data);
static void ngx_http_mntreamer_hook_undo(ngx_http_mntreamer_hook_t *hook);
static void ngx_http_mntreamer_hook_answered(void *data,
    const ngx_mntreamer_result_t *result);
static ngx_uint_t ngx_http_mntreamer_hook_began(
    const ngx_mntreamer_result_t *result);
static ngx_int_t ngx_http_mntreamer_hook_away(ngx_http_mntreamer_hook_t *hook);
static ngx_int_t ngx_http_mntreamer_hook_answer(ngx_http_request_t *r,
    ngx_http_mntreamer_hook_t *hook, ngx_uint_t what);
static ngx_int_t ngx_http_mntreamer_hook_refuse(ngx_http_request_t *r,
    ngx_http_mntreamer_hook_t *hook, ngx_uint_t what);
static ngx_int_t ngx_http_mntreamer_hook_redirect(ngx_http_request_t *r,
    ngx_http_mntreamer_hook_t *hook);


/* why, for the log; those that are no refusals have none */

static const char  *ngx_http_mntreamer_hook_reasons[] = {
    NULL, NULL,
    "the hook does not come from this machine as a form",
    "the form is not that of a hook",
    "the stream key is not known or was revoked",
    "the one-time password is missing, wrong or too old",
    "the streamer is on the air already",
    "nothing of this name is on the air, or it is relayed already",
    "its broadcast is over or was closed, or its relay is lost",
    "the database is away",
    "too many of its stream keys were wrong"
};

static const ngx_http_mntreamer_hook_call_t  ngx_http_mntreamer_hook_calls[] =
{
    { "publish", ngx_http_mntreamer_hook_publish },
    { "publish_done", ngx_http_mntreamer_hook_end },
    { "update_publish", ngx_http_mntreamer_hook_update },
    { "play", ngx_http_mntreamer_hook_play },
    { "play_done", ngx_http_mntreamer_hook_pass },
    { "update_play", ngx_http_mntreamer_hook_relay },
    { "record_done", ngx_http_mntreamer_hook_pass },
    { NULL, NULL }
};


ngx_int_t
ngx_http_mntreamer_rtmp_handler(ngx_http_request_t *r)
{
    ngx_int_t                        rc;
    ngx_http_mntreamer_ctx_t        *ctx;
    ngx_http_mntreamer_error_t       err;
    const ngx_http_mntreamer_env_t  *env;

    ctx = ngx_http_mntreamer_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->connection->log->action = (char *) "answering a hook of RTMP";

    /* a page that was opened on this machine may ask, too */

    if (!ngx_http_mntreamer_rtmp_local(r->connection)
        || r->method != NGX_HTTP_POST
        || r->headers_in.content_length_n < 0
        || r->headers_in.content_length_n > NGX_HTTP_MNTREAMER_RTMP_BODY
        || ngx_http_mntreamer_same_origin(r, &err) != NGX_OK)
    {
        return ngx_http_mntreamer_hook_answer(r, NULL,
                                              NGX_HTTP_MNTREAMER_HOOK_PEER);
    }

    env = ngx_http_mntreamer_env();

    if (env->catalog == NULL || !ngx_mntreamer_catalog_up(env->catalog)) {
        rc = ngx_http_mntreamer_wait(r, ngx_http_mntreamer_rtmp_handler,
                                     NGX_HTTP_MNTREAMER_YOUNG);
        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return ngx_http_mntreamer_body_raw(r, ctx, NGX_HTTP_MNTREAMER_RTMP_BODY,
                                       ngx_http_mntreamer_rtmp_body);
}


static ngx_uint_t
ngx_http_mntreamer_rtmp_local(ngx_connection_t *c)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (c->sockaddr->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) c->sockaddr;
        return (ntohl(sin->sin_addr.s_addr) >> 24) == 127;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) c->sockaddr;
        return IN6_IS_ADDR_LOOPBACK(&sin6->sin6_addr)
               || (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)
                   && sin6->sin6_addr.s6_addr[12] == 127);
#endif

    case AF_UNIX:
        return 1;

    default:
        return 0;
    }
}


static ngx_int_t
ngx_http_mntreamer_rtmp_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_int_t                   rc;
    mnt_str_t                   text;
    mnt_arena_t                 arena;
    const char                 *why;
    ngx_http_mntreamer_hook_t  *hook;

    static const char  *const names[] = {
        "call", "app", "addr", "clientid", "name", "pw"
    };

    hook = ngx_pcalloc(r->pool, sizeof(ngx_http_mntreamer_hook_t));
    if (hook == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    hook->request = r;

    for (rc = 0; rc < NGX_HTTP_MNTREAMER_FORM_N; rc++) {
        hook->form[rc].name = names[rc];
        hook->form[rc].once = 1;
    }

    text.data = (char *) ctx->text.data;
    text.len = ctx->text.len;

    mnt_arena_init(&arena, NGX_HTTP_MNTREAMER_RTMP_ARENA);

    if (mnt_form_parse(&arena, text, hook->form, NGX_HTTP_MNTREAMER_FORM_N,
                       &why)
        == 0)
    {
        rc = ngx_http_mntreamer_hook_run(hook);

    } else {
        rc = ngx_http_mntreamer_hook_answer(r, NULL,
                                            NGX_HTTP_MNTREAMER_HOOK_FORM);
    }

    mnt_arena_free(&arena);

    return rc;
}


/* the form's texts are gone when it returns */

static ngx_int_t
ngx_http_mntreamer_hook_run(ngx_http_mntreamer_hook_t *hook)
{
    mnt_str_t                              *call;
    const ngx_http_mntreamer_hook_call_t   *c;

    call = &hook->form[NGX_HTTP_MNTREAMER_FORM_CALL].value;

    for (c = ngx_http_mntreamer_hook_calls; c->call; c++) {
        if (mnt_str_eqc(*call, c->call)) {
            break;
        }
    }

    if (c->call == NULL
        || ngx_http_mntreamer_hook_read(hook) == NGX_DECLINED)
    {
        return ngx_http_mntreamer_hook_answer(hook->request, NULL,
                                              NGX_HTTP_MNTREAMER_HOOK_FORM);
    }

    if (hook->hash.len == 0) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return c->handler(hook);
}


static ngx_int_t
ngx_http_mntreamer_hook_read(ngx_http_mntreamer_hook_t *hook)
{
    size_t             n;
    int64_t            id;
    mnt_str_t         *addr;
    ngx_uint_t         i;
    mnt_form_field_t  *f;

    f = hook->form;
    addr = &f[NGX_HTTP_MNTREAMER_FORM_ADDR].value;

    for (i = 0; i < NGX_HTTP_MNTREAMER_FORM_PW; i++) {
        if (f[i].value.data == NULL) {
            return NGX_DECLINED;
        }
    }

    if (mnt_str_i64(f[NGX_HTTP_MNTREAMER_FORM_CLIENTID].value, &id) != 0
        || id < 0
        || f[NGX_HTTP_MNTREAMER_FORM_NAME].value.len
           > NGX_HTTP_MNTREAMER_RTMP_KEY)
    {
        return NGX_DECLINED;
    }

    for (n = 0; n < addr->len; n++) {
        if (addr->data[n] <= ' ' || addr->data[n] > '~') {
            return NGX_DECLINED;
        }
    }

    hook->addr.len = addr->len;
    hook->addr.data = ngx_pnalloc(hook->request->pool, addr->len + 1);

    if (hook->addr.data == NULL
        || ngx_http_mntreamer_number(hook->request, id, &hook->clientid)
           != NGX_OK
        || ngx_http_mntreamer_hash(hook->request,
                                   f[NGX_HTTP_MNTREAMER_FORM_NAME].value.data,
                                   f[NGX_HTTP_MNTREAMER_FORM_NAME].value.len,
                                   &hook->hash)
           != NGX_OK)
    {
        hook->hash.len = 0;
        return NGX_ERROR;
    }

    ngx_memcpy(hook->addr.data, addr->data, addr->len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_mntreamer_hook_publish(ngx_http_mntreamer_hook_t *hook)
{
    mnt_str_t                       *pw, *app;
    ngx_str_t                        params[6];
    ngx_http_request_t              *r;
    ngx_http_mntreamer_rtmp_conf_t  *rlcf;

    r = hook->request;
    pw = &hook->form[NGX_HTTP_MNTREAMER_FORM_PW].value;
    app = &hook->form[NGX_HTTP_MNTREAMER_FORM_APP].value;
    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_mntreamer_rtmp_module);

    /* the relay of what was admitted before */

    if (app->len == rlcf->application.len
        && ngx_memcmp(app->data, rlcf->application.data, app->len) == 0)
    {
        return ngx_http_mntreamer_hook_name(hook,
                                           NGX_MNTREAMER_ASK_BROADCAST_RELAY);
    }

    if (ngx_http_mntreamer_guard_shut(rlcf, &hook->addr)) {
        return ngx_http_mntreamer_hook_answer(r, hook,
                                              NGX_HTTP_MNTREAMER_HOOK_GUESSES);
    }

    ngx_memzero(params, sizeof(params));

    if (ngx_http_mntreamer_secret(r, NGX_HTTP_MNTREAMER_RTMP_PUBLIC,
                                  &hook->name)
        != NGX_OK
        || (pw->data && ngx_http_mntreamer_hash(r, pw->data, pw->len,
                                                &params[3])
                        != NGX_OK)
        || ngx_http_mntreamer_number(r, rlcf->silence_ms, &params[5])
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    params[0] = hook->hash;
    params[2] = hook->clientid;
    params[4] = hook->name;

    return ngx_http_mntreamer_hook_ask(hook, NGX_MNTREAMER_ASK_BROADCAST_BEGIN,
                                       params, 6);
}


static ngx_int_t
ngx_http_mntreamer_hook_play(ngx_http_mntreamer_hook_t *hook)
{
    return ngx_http_mntreamer_hook_name(hook,
                                        NGX_MNTREAMER_ASK_BROADCAST_ON_AIR);
}


/* by the public name */

static ngx_int_t
ngx_http_mntreamer_hook_name(ngx_http_mntreamer_hook_t *hook, ngx_uint_t ask)
{
    mnt_str_t  *name;
    ngx_str_t   params[2];

    name = &hook->form[NGX_HTTP_MNTREAMER_FORM_NAME].value;

    params[0].data = (u_char *) name->data;
    params[0].len = name->len;
    params[1] = hook->clientid;

    return ngx_http_mntreamer_hook_ask(hook, ask, params, 2);
}


static ngx_int_t
ngx_http_mntreamer_hook_update(ngx_http_mntreamer_hook_t *hook)
{
    ngx_str_t  params[3];

    params[0] = hook->hash;
    ngx_str_null(&params[1]);
    params[2] = hook->clientid;

    return ngx_http_mntreamer_hook_ask(hook, NGX_MNTREAMER_ASK_BROADCAST_SEEN,
                                       params, 3);
}


/* its address is where it relays to: "127.0.0.1:1935/live/NAME" */

static ngx_int_t
ngx_http_mntreamer_hook_relay(ngx_http_mntreamer_hook_t *hook)
{
    size_t                           n;
    ngx_str_t                        name, target;
    ngx_http_mntreamer_rtmp_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(hook->request,
                                        ngx_http_mntreamer_rtmp_module);

    target = rlcf->target;
    n = sizeof("rtmp://") - 1;
    target.data += n;
    target.len -= n;

    if (hook->addr.len <= target.len
        || ngx_memcmp(hook->addr.data, target.data, target.len) != 0)
    {
        return ngx_http_mntreamer_hook_pass(hook);
    }

    name.data = hook->addr.data + target.len;
    name.len = hook->addr.len - target.len;

    return ngx_http_mntreamer_hook_ask(hook,
                                       NGX_MNTREAMER_ASK_BROADCAST_RELAYED,
                                       &name, 1);
}


static ngx_int_t
ngx_http_mntreamer_hook_end(ngx_http_mntreamer_hook_t *hook)
{
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    if (env->catalog == NULL
        || ngx_mntreamer_catalog_broadcast_end(env->catalog, &hook->hash,
                                               &hook->clientid)
           != NGX_OK)
    {
        return ngx_http_mntreamer_hook_away(hook);
    }

    return ngx_http_mntreamer_hook_pass(hook);
}


static ngx_int_t
ngx_http_mntreamer_hook_pass(ngx_http_mntreamer_hook_t *hook)
{
    return ngx_http_mntreamer_hook_answer(hook->request, hook,
                                          NGX_HTTP_MNTREAMER_HOOK_DONE);
}


static ngx_int_t
ngx_http_mntreamer_hook_ask(ngx_http_mntreamer_hook_t *hook, ngx_uint_t ask,
    const ngx_str_t *params, ngx_uint_t n)
{
    ngx_http_request_t              *r;
    ngx_http_mntreamer_ctx_t        *ctx;
    const ngx_http_mntreamer_env_t  *env;

    r = hook->request;
    env = ngx_http_mntreamer_env();

    hook->asked = ask;

    if (env->catalog) {
        hook->ask = ngx_mntreamer_catalog_ask(env->catalog, ask, params, n,
                                             NGX_HTTP_MNTREAMER_TIMEOUT,
                                             ngx_http_mntreamer_hook_answered,
                                             hook);
    }

    if (hook->ask == NULL) {
        return ngx_http_mntreamer_hook_away(hook);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);

    ctx->data = hook;
    ctx->cancel = ngx_http_mntreamer_hook_cancel;

    return ngx_http_mntreamer_hold(r, ctx);
}


/* nginx-rtmp does not wait any more */

static void
ngx_http_mntreamer_hook_cancel(void *data)
{
    ngx_http_mntreamer_hook_t *hook = data;

    ngx_mntreamer_catalog_ask_cancel(hook->ask);
    hook->ask = NULL;

    ngx_http_mntreamer_hook_undo(hook);
}


static void
ngx_http_mntreamer_hook_undo(ngx_http_mntreamer_hook_t *hook)
{
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    if (env->catalog && hook->name.len) {
        (void) ngx_mntreamer_catalog_broadcast_undo(env->catalog, &hook->name);
    }
}


static void
ngx_http_mntreamer_hook_answered(void *data,
    const ngx_mntreamer_result_t *result)
{
    ngx_http_mntreamer_hook_t *hook = data;

    ngx_int_t                  rc;
    ngx_uint_t                 what;
    ngx_http_request_t        *r;
    ngx_http_mntreamer_ctx_t  *ctx;

    r = hook->request;
    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);

    hook->ask = NULL;
    ctx->cancel = NULL;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {

        /* nobody knows whether it was done */

        ngx_http_mntreamer_hook_undo(hook);

        rc = ngx_http_mntreamer_hook_away(hook);
        ngx_http_mntreamer_resume(r, rc);
        return;
    }

    switch (hook->asked) {

    case NGX_MNTREAMER_ASK_BROADCAST_BEGIN:
        what = ngx_http_mntreamer_hook_began(result);

        if (what == NGX_HTTP_MNTREAMER_HOOK_KEY
            || what == NGX_HTTP_MNTREAMER_HOOK_PASSWORD)
        {
            ngx_http_mntreamer_guard_failed(
                ngx_http_get_module_loc_conf(r,
                                             ngx_http_mntreamer_rtmp_module),
                &hook->addr, r->connection->log);
        }

        break;

    case NGX_MNTREAMER_ASK_BROADCAST_SEEN:
    case NGX_MNTREAMER_ASK_BROADCAST_RELAYED:
        what = result->nrows ? NGX_HTTP_MNTREAMER_HOOK_DONE
                             : NGX_HTTP_MNTREAMER_HOOK_CLOSED;
        break;

    default:
        what = result->nrows ? NGX_HTTP_MNTREAMER_HOOK_DONE
                             : NGX_HTTP_MNTREAMER_HOOK_NAME;
        break;
    }

    rc = ngx_http_mntreamer_hook_answer(r, hook, what);

    if (rc == NGX_ERROR) {
        ngx_http_mntreamer_hook_undo(hook);
    }

    ngx_http_mntreamer_resume(r, rc);
}


static ngx_uint_t
ngx_http_mntreamer_hook_began(const ngx_mntreamer_result_t *result)
{
    ngx_str_t  word;

    if (result->nrows == 0) {
        return NGX_HTTP_MNTREAMER_HOOK_KEY;
    }

    word = ngx_mntreamer_rows_get(result->rows, 0, 0);

    if (word.len == 5 && ngx_memcmp(word.data, "begun", 5) == 0) {
        return NGX_HTTP_MNTREAMER_HOOK_BEGUN;
    }

    if (word.len == 4 && ngx_memcmp(word.data, "live", 4) == 0) {
        return NGX_HTTP_MNTREAMER_HOOK_LIVE;
    }

    if (word.len == 8 && ngx_memcmp(word.data, "password", 8) == 0) {
        return NGX_HTTP_MNTREAMER_HOOK_PASSWORD;
    }

    return NGX_HTTP_MNTREAMER_HOOK_KEY;
}


/* who was admitted goes on, nobody else is */

static ngx_int_t
ngx_http_mntreamer_hook_away(ngx_http_mntreamer_hook_t *hook)
{
    const ngx_http_mntreamer_env_t  *env;

    if (hook->asked != NGX_MNTREAMER_ASK_BROADCAST_SEEN
        && hook->asked != NGX_MNTREAMER_ASK_BROADCAST_RELAYED)
    {
        return ngx_http_mntreamer_hook_answer(hook->request, hook,
                                              NGX_HTTP_MNTREAMER_HOOK_AWAY);
    }

    env = ngx_http_mntreamer_env();

    if (env->metrics) {
        ngx_mntreamer_metrics_add(env->metrics, NGX_MNTREAMER_M_HOOKS,
                                  NGX_HTTP_MNTREAMER_HOOK_AWAY, 1);
    }

    return ngx_http_mntreamer_hook_pass(hook);
}


static ngx_int_t
ngx_http_mntreamer_hook_answer(ngx_http_request_t *r,
    ngx_http_mntreamer_hook_t *hook, ngx_uint_t what)
{
    ngx_http_mntreamer_ctx_t        *ctx;
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    if (env->metrics) {
        ngx_mntreamer_metrics_add(env->metrics, NGX_MNTREAMER_M_HOOKS, what,
                                  1);
    }

    if (ngx_http_mntreamer_hook_reasons[what]) {
        return ngx_http_mntreamer_hook_refuse(r, hook, what);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);
    ctx->ours = 1;

    if (what == NGX_HTTP_MNTREAMER_HOOK_BEGUN) {
        return ngx_http_mntreamer_hook_redirect(r, hook);
    }

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


/* a GET would have the key in the line of the request, which a log shows */

static ngx_int_t
ngx_http_mntreamer_hook_refuse(ngx_http_request_t *r,
    ngx_http_mntreamer_hook_t *hook, ngx_uint_t what)
{
    ngx_str_t   *addr;
    ngx_uint_t   level;

    if (r->method != NGX_HTTP_POST) {
        return ngx_http_mntreamer_fail_code(r,
                                     NGX_HTTP_MNTREAMER_E_METHOD_NOT_ALLOWED);
    }

    /* what goes on by the thousand was told once */

    switch (what) {

    case NGX_HTTP_MNTREAMER_HOOK_AWAY:
        level = NGX_LOG_ERR;
        break;

    case NGX_HTTP_MNTREAMER_HOOK_GUESSES:
        level = NGX_LOG_INFO;
        break;

    default:
        level = NGX_LOG_WARN;
        break;
    }

    addr = hook ? &hook->addr : &r->connection->addr_text;

    ngx_log_error(level, r->connection->log, 0, "RTMP of %V refused: %s",
                  addr, ngx_http_mntreamer_hook_reasons[what]);

    return ngx_http_mntreamer_fail_code(r, NGX_HTTP_MNTREAMER_E_FORBIDDEN);
}


static ngx_int_t
ngx_http_mntreamer_hook_redirect(ngx_http_request_t *r,
    ngx_http_mntreamer_hook_t *hook)
{
    u_char                          *p;
    ngx_str_t                        location;
    ngx_http_mntreamer_rtmp_conf_t  *rlcf;

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_mntreamer_rtmp_module);

    location.len = rlcf->target.len + hook->name.len;
    location.data = ngx_pnalloc(r->pool, location.len);

    if (location.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(location.data, rlcf->target.data, rlcf->target.len);
    ngx_memcpy(p, hook->name.data, hook->name.len);

    if (ngx_http_mntreamer_header(r, "Location", &location) != NGX_OK) {
        return NGX_ERROR;
    }

    r->headers_out.status = NGX_HTTP_MOVED_TEMPORARILY;
    r->headers_out.content_length_n = 0;
    r->header_only = 1;

    return ngx_http_send_header(r);
}
