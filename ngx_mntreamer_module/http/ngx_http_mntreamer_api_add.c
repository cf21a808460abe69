
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * POST /api/v1/streamers, one streamer or many.  Each item goes its own way, a
 * bounded number at a time; the answers keep the order of the items.
 *
 *     state      waits for             deadline         then
 *     READY      a free place          -                LOOKUP, ASK
 *     LOOKUP     answer of platform    10 s, see below  ASK, DONE
 *     ASK        answer of database    5 s              DONE
 *     DONE       -                     -                -
 *
 * A timer runs while something is waited for and starts again at each step
 * that is made; when nothing moves for 10 s, what is left fails.  When the
 * client leaves lookups and questions are cancelled.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_ITEMS        1000
#define NGX_HTTP_MNTREAMER_RUNNING      8
#define NGX_HTTP_MNTREAMER_STALL_MS     10000
#define NGX_HTTP_MNTREAMER_CHANNEL_MAX  2048   /* bytes */
#define NGX_HTTP_MNTREAMER_ADD_ARENA    (64 * 1024)


/* parameters of NGX_MNTREAMER_ASK_STREAMER_ADD */

enum {
    NGX_HTTP_MNTREAMER_ADD_PLATFORM = 0,
    NGX_HTTP_MNTREAMER_ADD_CHANNEL_ID,
    NGX_HTTP_MNTREAMER_ADD_CHANNEL_NAME,
    NGX_HTTP_MNTREAMER_ADD_NICKNAME,
    NGX_HTTP_MNTREAMER_ADD_QUALITY,
    NGX_HTTP_MNTREAMER_ADD_PRIORITY,
    NGX_HTTP_MNTREAMER_ADD_PAGE,              /* of the catalogue */
    NGX_HTTP_MNTREAMER_ADD_TITLES,            /* 7: three of them */
    NGX_HTTP_MNTREAMER_ADD_N = 7 + NGX_HTTP_MNTREAMER_TITLES
};


typedef enum {
    NGX_HTTP_MNTREAMER_ITEM_READY = 0,
    NGX_HTTP_MNTREAMER_ITEM_LOOKUP,
    NGX_HTTP_MNTREAMER_ITEM_ASK,
    NGX_HTTP_MNTREAMER_ITEM_DONE
} ngx_http_mntreamer_item_state_e;

typedef struct ngx_http_mntreamer_add_s  ngx_http_mntreamer_add_t;

typedef struct {
    ngx_http_mntreamer_add_t        *add;     /* alias */
    ngx_http_mntreamer_item_state_e  state;
    ngx_int_t                        platform;
    ngx_str_t                        typed;   /* to be looked up, or empty */
    ngx_str_t                        params[NGX_HTTP_MNTREAMER_ADD_N];
    ngx_mntreamer_probing_t         *lookup;  /* owned while under way */
    ngx_mntreamer_ask_t             *ask;     /* owned while under way */
    ngx_uint_t                       status;  /* 200, 201; 0: failed */
    ngx_str_t                        json;    /* of the streamer */
    ngx_http_mntreamer_error_t       error;
} ngx_http_mntreamer_item_t;

struct ngx_http_mntreamer_add_s {
    ngx_http_request_t              *request; /* alias */
    ngx_http_mntreamer_item_t       *items;   /* pool of the request */
    ngx_uint_t                       n;
    ngx_uint_t                       next;    /* the first one not begun */
    ngx_uint_t                       running;
    ngx_uint_t                       many;    /* "items" were given */
    ngx_event_t                      timer;
};


static ngx_int_t ngx_http_mntreamer_add_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
static ngx_int_t ngx_http_mntreamer_add_items(ngx_http_mntreamer_add_t *add,
    ngx_http_mntreamer_ctx_t *ctx, ngx_http_mntreamer_error_t *err);
static void ngx_http_mntreamer_item_read(ngx_http_request_t *r, json_t *json,
    ngx_http_mntreamer_item_t *item);
static ngx_int_t ngx_http_mntreamer_item_channel(ngx_http_request_t *r,
    json_t *json, ngx_http_mntreamer_item_t *item);
static const mnt_platform_t *ngx_http_mntreamer_item_platform(
    ngx_http_request_t *r, json_t *json, mnt_arena_t *arena,
    ngx_str_t *channel, ngx_http_mntreamer_error_t *err);
static ngx_int_t ngx_http_mntreamer_item_resolve(ngx_http_request_t *r,
    const mnt_platform_t *platform, mnt_arena_t *arena, ngx_str_t *channel,
    const char *field, ngx_http_mntreamer_item_t *item);
static void ngx_http_mntreamer_add_run(ngx_http_mntreamer_add_t *add);
static void ngx_http_mntreamer_item_start(ngx_http_mntreamer_item_t *item);
static void ngx_http_mntreamer_item_ask(ngx_http_mntreamer_item_t *item);
static void ngx_http_mntreamer_item_looked_up(void *data, ngx_uint_t outcome,
    const mnt_channel_t *channel, ngx_str_t *reason);
static ngx_int_t ngx_http_mntreamer_item_lookup_error(
    ngx_http_mntreamer_item_t *item, ngx_uint_t outcome, ngx_str_t *reason);
static void ngx_http_mntreamer_item_answered(void *data,
    const ngx_mntreamer_result_t *result);
static void ngx_http_mntreamer_item_fail(ngx_http_mntreamer_item_t *item,
    ngx_uint_t code);
static void ngx_http_mntreamer_add_step(ngx_http_mntreamer_add_t *add);
static void ngx_http_mntreamer_add_stalled(ngx_event_t *ev);
static void ngx_http_mntreamer_add_cancel(void *data);
static ngx_int_t ngx_http_mntreamer_add_send(ngx_http_mntreamer_add_t *add);
static ngx_int_t ngx_http_mntreamer_add_copy(ngx_pool_t *pool, const void *p,
    size_t len, ngx_str_t *to);


static const char *const  ngx_http_mntreamer_item_names[] = {
    "platform", "channel", "url", "name", "nickname", "quality", "priority",
    "title", "description", "category", NULL
};

static const char *const  ngx_http_mntreamer_items_names[] = {
    "items", NULL
};


ngx_int_t
ngx_http_mntreamer_streamer_add(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_http_mntreamer_error_t       err;
    const ngx_http_mntreamer_env_t  *env;

    if (ngx_http_mntreamer_args(r, NULL, NULL, &err) != NGX_OK) {
        return ngx_http_mntreamer_fail(r, &err);
    }

    env = ngx_http_mntreamer_env();

    if (env->catalog == NULL || env->monitor == NULL) {
        return ngx_http_mntreamer_fail_code(r,
                                            NGX_HTTP_MNTREAMER_E_UNAVAILABLE);
    }

    return ngx_http_mntreamer_body(r, ctx, NGX_HTTP_MNTREAMER_ITEMS_BODY,
                                   ngx_http_mntreamer_add_body);
}


static ngx_int_t
ngx_http_mntreamer_add_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_int_t                        rc;
    ngx_http_mntreamer_add_t        *add;
    ngx_http_mntreamer_error_t       err;
    const ngx_http_mntreamer_env_t  *env;

    add = ngx_pcalloc(r->pool, sizeof(ngx_http_mntreamer_add_t));
    if (add == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    add->request = r;

    if (ngx_http_mntreamer_add_items(add, ctx, &err) != NGX_OK) {
        return ngx_http_mntreamer_fail(r, &err);
    }

    /* what is wrong with a single one is told without asking anybody */

    if (!add->many && add->items[0].state == NGX_HTTP_MNTREAMER_ITEM_DONE) {
        return ngx_http_mntreamer_fail(r, &add->items[0].error);
    }

    env = ngx_http_mntreamer_env();

    if (env->catalog == NULL || !ngx_mntreamer_catalog_up(env->catalog)) {
        return ngx_http_mntreamer_fail_code(r, NGX_HTTP_MNTREAMER_E_DATABASE);
    }

    ctx->data = add;
    ctx->cancel = ngx_http_mntreamer_add_cancel;

    add->timer.handler = ngx_http_mntreamer_add_stalled;
    add->timer.data = r->connection;
    add->timer.log = r->connection->log;

    rc = ngx_http_mntreamer_hold(r, ctx);
    if (rc != NGX_DONE) {
        return rc;
    }

    ngx_http_mntreamer_add_run(add);

    /* nobody will call back when every item was wrong from the start */

    if (add->running == 0) {
        ctx->cancel = NULL;
        return ngx_http_mntreamer_add_send(add);
    }

    ngx_add_timer(&add->timer, NGX_HTTP_MNTREAMER_STALL_MS);

    return NGX_DONE;
}


static ngx_int_t
ngx_http_mntreamer_add_items(ngx_http_mntreamer_add_t *add,
    ngx_http_mntreamer_ctx_t *ctx, ngx_http_mntreamer_error_t *err)
{
    json_t              *items, *json;
    ngx_uint_t           i;
    ngx_http_request_t  *r;

    r = add->request;
    items = json_object_get(ctx->json, "items");

    if (items == NULL) {
        if (ctx->body_len > NGX_HTTP_MNTREAMER_BODY_MAX) {
            ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_TOO_LARGE,
                                         NULL, NULL);
            return NGX_DECLINED;
        }

        add->n = 1;

    } else {
        add->many = 1;
        add->n = json_array_size(items);

        if (ngx_http_mntreamer_fields_known(ctx->json,
                                            ngx_http_mntreamer_items_names,
                                            r->pool, err)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        if (add->n == 0 || add->n > NGX_HTTP_MNTREAMER_ITEMS) {
            ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD,
                                         "items",
                                         "must be a list of 1 to 1000");
            return NGX_DECLINED;
        }
    }

    add->items = ngx_pcalloc(r->pool,
                             add->n * sizeof(ngx_http_mntreamer_item_t));
    if (add->items == NULL) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_INTERNAL, NULL,
                                     NULL);
        return NGX_DECLINED;
    }

    for (i = 0; i < add->n; i++) {
        json = items ? json_array_get(items, i) : ctx->json;

        add->items[i].add = add;
        ngx_http_mntreamer_item_read(r, json, &add->items[i]);
    }

    return NGX_OK;
}


/* an item with a mistake is DONE */

static void
ngx_http_mntreamer_item_read(ngx_http_request_t *r, json_t *json,
    ngx_http_mntreamer_item_t *item)
{
    ngx_str_t                   *params;
    const char                  *name;
    ngx_http_mntreamer_error_t  *err;

    params = item->params;
    err = &item->error;

    item->state = NGX_HTTP_MNTREAMER_ITEM_DONE;

    if (!json_is_object(json)) {
        ngx_http_mntreamer_error_set(err, NGX_HTTP_MNTREAMER_E_BAD_FIELD,
                                     "items", "an object is expected");
        return;
    }

    name = json_object_get(json, "nickname") ? "nickname" : "name";

    if (ngx_http_mntreamer_fields_known(json, ngx_http_mntreamer_item_names,
                                        r->pool, err)
        != NGX_OK
        || ngx_http_mntreamer_field_nickname(json, name,
                               &params[NGX_HTTP_MNTREAMER_ADD_NICKNAME], err)
           != NGX_OK
        || ngx_http_mntreamer_field_quality(json, "quality",
                               &params[NGX_HTTP_MNTREAMER_ADD_QUALITY], err)
           != NGX_OK
        || ngx_http_mntreamer_field_priority(r, json,
                               &params[NGX_HTTP_MNTREAMER_ADD_PRIORITY], err)
           != NGX_OK
        || ngx_http_mntreamer_field_titles(json,
                               &params[NGX_HTTP_MNTREAMER_ADD_TITLES], err)
           != NGX_OK)
    {
        return;
    }

    if (params[NGX_HTTP_MNTREAMER_ADD_NICKNAME].len == 0) {
        ngx_str_null(&params[NGX_HTTP_MNTREAMER_ADD_NICKNAME]);
    }

    if (params[NGX_HTTP_MNTREAMER_ADD_QUALITY].len == 0) {
        ngx_str_null(&params[NGX_HTTP_MNTREAMER_ADD_QUALITY]);
    }

    if (ngx_http_mntreamer_item_channel(r, json, item) != NGX_OK) {
        return;
    }

    if (ngx_http_mntreamer_number(r, item->platform,
                                  &params[NGX_HTTP_MNTREAMER_ADD_PLATFORM])
        != NGX_OK)
    {
        ngx_http_mntreamer_item_fail(item, NGX_HTTP_MNTREAMER_E_INTERNAL);
        return;
    }

    item->state = NGX_HTTP_MNTREAMER_ITEM_READY;
}


static ngx_int_t
ngx_http_mntreamer_item_channel(ngx_http_request_t *r, json_t *json,
    ngx_http_mntreamer_item_t *item)
{
    ngx_int_t                    rc;
    ngx_str_t                    channel;
    mnt_arena_t                  arena;
    const char                  *field;
    const mnt_platform_t        *platform;
    ngx_http_mntreamer_error_t  *err;

    err = &item->error;
    field = json_object_get(json, "url") ? "url" : "channel";

    ngx_str_null(&channel);

    if (ngx_http_mntreamer_field_text(json, field, &channel, err) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (channel.len == 0 || channel.len > NGX_HTTP_MNTREAMER_CHANNEL_MAX
        || (json_object_get(json, "url") && json_object_get(json, "channel")))
    {
        ngx_http_mntreamer_error_set(err, channel.len
                                     ? NGX_HTTP_MNTREAMER_E_BAD_FIELD
                                     : NGX_HTTP_MNTREAMER_E_MISSING_FIELD,
                                     field,
                                     "one \"channel\" or \"url\" of at most"
                                     " 2048 bytes is expected");
        return NGX_DECLINED;
    }

    mnt_arena_init(&arena, NGX_HTTP_MNTREAMER_ADD_ARENA);

    platform = ngx_http_mntreamer_item_platform(r, json, &arena, &channel,
                                                err);

    rc = platform ? ngx_http_mntreamer_item_resolve(r, platform, &arena,
                                                    &channel, field, item)
                  : NGX_DECLINED;

    mnt_arena_free(&arena);

    return rc;
}


/* the named one, else the one whose address was given; NULL: *err is filled */

static const mnt_platform_t *
ngx_http_mntreamer_item_platform(ngx_http_request_t *r, json_t *json,
    mnt_arena_t *arena, ngx_str_t *channel, ngx_http_mntreamer_error_t *err)
{
    json_t                *v;
    ngx_str_t              name;
    mnt_str_t              s, id;
    const char            *field, *why;
    const mnt_platform_t  *platform;

    v = json_object_get(json, "platform");

    ngx_str_null(&name);

    if (v == NULL || json_is_null(v)) {
        field = json_object_get(json, "url") ? "url" : "channel";
        why = "this is no address of a channel on a known platform;"
              " \"platform\" must be given with an id or a nickname";

        s.data = (char *) channel->data;
        s.len = channel->len;
        platform = mnt_platform_of_url(arena, s, &id);

    } else {
        field = "platform";
        why = NULL;

        if (json_is_integer(v)) {
            (void) ngx_http_mntreamer_number(r, json_integer_value(v), &name);

        } else if (ngx_http_mntreamer_field_text(json, field, &name, err)
                   != NGX_OK)
        {
            return NULL;
        }

        s.data = (char *) name.data;
        s.len = name.len;
        platform = mnt_platform_find(s);
    }

    if (platform == NULL) {
        ngx_http_mntreamer_error_set(err,
                                     NGX_HTTP_MNTREAMER_E_UNKNOWN_PLATFORM,
                                     field, why);
    }

    return platform;
}


/* a platform without lookups takes every well-formed channel */

static ngx_int_t
ngx_http_mntreamer_item_resolve(ngx_http_request_t *r,
    const mnt_platform_t *platform, mnt_arena_t *arena, ngx_str_t *channel,
    const char *field, ngx_http_mntreamer_item_t *item)
{
    int                              rc;
    mnt_str_t                        typed, id;
    const char                      *why;
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    if (env->monitor == NULL
        || (!platform->pushed
            && ngx_mntreamer_monitor_platform(env->monitor, platform->id)
               == NULL))
    {
        ngx_http_mntreamer_error_set(&item->error,
                                     NGX_HTTP_MNTREAMER_E_UNKNOWN_PLATFORM,
                                     "platform", NULL);
        return NGX_DECLINED;
    }

    item->platform = platform->id;

    if (!platform->pushed
        && ngx_http_mntreamer_field_titles_foreign(
               &item->params[NGX_HTTP_MNTREAMER_ADD_TITLES], &item->error)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    typed.data = (char *) channel->data;
    typed.len = channel->len;
    why = "is no channel of the platform";

    rc = platform->channel(arena, typed, &id, &why);

    if (rc < 0 || (rc > 0 && platform->lookup == NULL)) {
        ngx_http_mntreamer_error_set(&item->error,
                                     NGX_HTTP_MNTREAMER_E_BAD_CHANNEL, field,
                                     NULL);
        item->error.description.data = ngx_pnalloc(r->pool, 256);

        if (item->error.description.data) {
            item->error.description.len =
                ngx_snprintf(item->error.description.data, 256,
                             "the channel %s", why)
                - item->error.description.data;
        }

        return NGX_DECLINED;
    }

    if (platform->lookup) {
        item->typed = *channel;
        return NGX_OK;
    }

    if (ngx_http_mntreamer_add_copy(r->pool, id.data, id.len,
                             &item->params[NGX_HTTP_MNTREAMER_ADD_CHANNEL_ID])
        != NGX_OK)
    {
        ngx_http_mntreamer_item_fail(item, NGX_HTTP_MNTREAMER_E_INTERNAL);
        return NGX_DECLINED;
    }

    /* a name is looked at when it is known what it stands for */

    if (platform->api == NULL && !platform->pushed
        && ngx_mntreamer_curl_forbids(env->fetch, (char *)
                     item->params[NGX_HTTP_MNTREAMER_ADD_CHANNEL_ID].data))
    {
        ngx_http_mntreamer_error_set(&item->error,
                                     NGX_HTTP_MNTREAMER_E_BAD_CHANNEL, field,
                                     "an address that is not public must be"
                                     " in \"fetch_allow\"");
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_mntreamer_add_copy(ngx_pool_t *pool, const void *p, size_t len,
    ngx_str_t *to)
{
    to->data = ngx_pnalloc(pool, len + 1);

    if (to->data == NULL) {
        return NGX_ERROR;
    }

    if (len) {
        ngx_memcpy(to->data, p, len);
    }

    to->data[len] = '\0';
    to->len = len;

    return NGX_OK;
}


static void
ngx_http_mntreamer_item_fail(ngx_http_mntreamer_item_t *item, ngx_uint_t code)
{
    ngx_http_mntreamer_error_set(&item->error, code, NULL, NULL);
    item->state = NGX_HTTP_MNTREAMER_ITEM_DONE;
}


/* completions come later, never from inside of the calls that are made here */

static void
ngx_http_mntreamer_add_run(ngx_http_mntreamer_add_t *add)
{
    ngx_http_mntreamer_item_t  *item;

    while (add->next < add->n && add->running < NGX_HTTP_MNTREAMER_RUNNING) {

        item = &add->items[add->next++];

        if (item->state == NGX_HTTP_MNTREAMER_ITEM_DONE) {
            continue;
        }

        ngx_http_mntreamer_item_start(item);

        if (item->state != NGX_HTTP_MNTREAMER_ITEM_DONE) {
            add->running++;
        }
    }
}


static void
ngx_http_mntreamer_item_start(ngx_http_mntreamer_item_t *item)
{
    const ngx_http_mntreamer_env_t  *env;

    if (item->typed.len == 0) {
        ngx_http_mntreamer_item_ask(item);
        return;
    }

    env = ngx_http_mntreamer_env();

    if (env->monitor) {
        item->lookup = ngx_mntreamer_monitor_lookup(env->monitor,
                                            item->platform, &item->typed,
                                            ngx_http_mntreamer_item_looked_up,
                                            item);
    }

    if (item->lookup == NULL) {
        ngx_http_mntreamer_item_fail(item, NGX_HTTP_MNTREAMER_E_UNAVAILABLE);
        return;
    }

    item->state = NGX_HTTP_MNTREAMER_ITEM_LOOKUP;
}


static void
ngx_http_mntreamer_item_ask(ngx_http_mntreamer_item_t *item)
{
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    if (env->catalog && ngx_mntreamer_catalog_up(env->catalog)) {
        item->ask = ngx_mntreamer_catalog_ask(env->catalog,
                                            NGX_MNTREAMER_ASK_STREAMER_ADD,
                                            item->params,
                                            NGX_HTTP_MNTREAMER_ADD_N,
                                            NGX_HTTP_MNTREAMER_TIMEOUT,
                                            ngx_http_mntreamer_item_answered,
                                            item);
    }

    if (item->ask == NULL) {
        ngx_http_mntreamer_item_fail(item, NGX_HTTP_MNTREAMER_E_DATABASE);
        return;
    }

    item->state = NGX_HTTP_MNTREAMER_ITEM_ASK;
}


static void
ngx_http_mntreamer_item_looked_up(void *data, ngx_uint_t outcome,
    const mnt_channel_t *channel, ngx_str_t *reason)
{
    ngx_http_mntreamer_item_t *item = data;

    ngx_pool_t  *pool;

    item->lookup = NULL;
    pool = item->add->request->pool;

    if (ngx_http_mntreamer_item_lookup_error(item, outcome, reason) == NGX_OK)
    {
        if (channel == NULL || channel->channel_id.len == 0) {
            ngx_http_mntreamer_item_fail(item,
                                     NGX_HTTP_MNTREAMER_E_CHANNEL_NOT_FOUND);

        } else if (ngx_http_mntreamer_add_copy(pool, channel->channel_id.data,
                          channel->channel_id.len,
                          &item->params[NGX_HTTP_MNTREAMER_ADD_CHANNEL_ID])
                   != NGX_OK
                   || (channel->channel_name.len
                       && ngx_http_mntreamer_add_copy(pool,
                          channel->channel_name.data,
                          channel->channel_name.len,
                          &item->params[NGX_HTTP_MNTREAMER_ADD_CHANNEL_NAME])
                          != NGX_OK))
        {
            ngx_http_mntreamer_item_fail(item, NGX_HTTP_MNTREAMER_E_INTERNAL);

        } else {
            ngx_http_mntreamer_item_ask(item);
        }
    }

    ngx_http_mntreamer_add_step(item->add);
}


static ngx_int_t
ngx_http_mntreamer_item_lookup_error(ngx_http_mntreamer_item_t *item,
    ngx_uint_t outcome, ngx_str_t *reason)
{
    size_t       n;
    u_char      *p;
    ngx_uint_t   code;

    switch (outcome) {

    case MNT_PROBE_OFFLINE:
    case MNT_PROBE_LIVE:
    case MNT_PROBE_LIVE_NOT_PLAYABLE:
    case MNT_PROBE_NOT_LIVE:
        return NGX_OK;

    case MNT_PROBE_UNKNOWN_CHANNEL:
        code = NGX_HTTP_MNTREAMER_E_CHANNEL_NOT_FOUND;
        break;

    case MNT_PROBE_RATE_LIMITED:
        code = NGX_HTTP_MNTREAMER_E_LOOKUP_LIMITED;
        break;

    default:
        code = NGX_HTTP_MNTREAMER_E_LOOKUP_FAILED;
        break;
    }

    ngx_http_mntreamer_item_fail(item, code);

    if (code == NGX_HTTP_MNTREAMER_E_LOOKUP_FAILED && reason && reason->len) {
        n = ngx_min(reason->len, 200);
        p = ngx_pnalloc(item->add->request->pool, n + 64);

        if (p) {
            item->error.description.data = p;
            item->error.description.len =
                ngx_snprintf(p, n + 64, "the platform could not be asked: %*s",
                             n, reason->data)
                - p;
        }
    }

    return NGX_DECLINED;
}


static void
ngx_http_mntreamer_item_answered(void *data,
    const ngx_mntreamer_result_t *result)
{
    ngx_http_mntreamer_item_t *item = data;

    ngx_str_t  json;

    item->ask = NULL;

    if (result->rc != NGX_MNTREAMER_PQ_OK) {
        ngx_http_mntreamer_item_fail(item,
                              ngx_http_mntreamer_error_of_result(result->rc));

    } else if (result->nrows == 0) {
        ngx_http_mntreamer_item_fail(item, NGX_HTTP_MNTREAMER_E_INTERNAL);

    } else {
        json = ngx_mntreamer_rows_get(result->rows, 0, 0);

        if (ngx_http_mntreamer_add_copy(item->add->request->pool, json.data,
                                        json.len, &item->json)
            != NGX_OK)
        {
            ngx_http_mntreamer_item_fail(item, NGX_HTTP_MNTREAMER_E_INTERNAL);

        } else {
            item->status = ngx_mntreamer_rows_bool(result->rows, 0, 1)
                           ? NGX_HTTP_CREATED : NGX_HTTP_OK;
            item->state = NGX_HTTP_MNTREAMER_ITEM_DONE;
        }
    }

    ngx_http_mntreamer_add_step(item->add);
}


/* an item made a step: starts others, and ends when none is left */

static void
ngx_http_mntreamer_add_step(ngx_http_mntreamer_add_t *add)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_http_request_t        *r;
    ngx_http_mntreamer_ctx_t  *ctx;

    add->running = 0;

    for (i = 0; i < add->next; i++) {
        if (add->items[i].state != NGX_HTTP_MNTREAMER_ITEM_DONE) {
            add->running++;
        }
    }

    ngx_http_mntreamer_add_run(add);

    if (add->running) {
        ngx_add_timer(&add->timer, NGX_HTTP_MNTREAMER_STALL_MS);
        return;
    }

    r = add->request;
    ctx = ngx_http_get_module_ctx(r, ngx_http_mntreamer_module);

    if (add->timer.timer_set) {
        ngx_del_timer(&add->timer);
    }

    ctx->cancel = NULL;

    rc = ngx_http_mntreamer_add_send(add);

    ngx_http_mntreamer_resume(r, rc);
}


static void
ngx_http_mntreamer_add_stalled(ngx_event_t *ev)
{
    ngx_uint_t                 i;
    ngx_connection_t          *c;
    ngx_http_request_t        *r;
    ngx_http_mntreamer_add_t  *add;

    add = (ngx_http_mntreamer_add_t *)
          ((char *) ev - offsetof(ngx_http_mntreamer_add_t, timer));
    r = add->request;
    c = r->connection;

    ngx_log_error(NGX_LOG_WARN, c->log, 0,
                  "lookups of channels made no progress for %d ms",
                  NGX_HTTP_MNTREAMER_STALL_MS);

    ngx_http_mntreamer_add_cancel(add);

    for (i = 0; i < add->n; i++) {
        if (add->items[i].state != NGX_HTTP_MNTREAMER_ITEM_DONE) {
            ngx_http_mntreamer_item_fail(&add->items[i],
                                         NGX_HTTP_MNTREAMER_E_LOOKUP_FAILED);
        }
    }

    add->next = add->n;

    ngx_http_mntreamer_add_step(add);
}


static void
ngx_http_mntreamer_add_cancel(void *data)
{
    ngx_http_mntreamer_add_t *add = data;

    ngx_uint_t                  i;
    ngx_http_mntreamer_item_t  *item;

    if (add->timer.timer_set) {
        ngx_del_timer(&add->timer);
    }

    for (i = 0; i < add->next; i++) {
        item = &add->items[i];

        if (item->lookup) {
            ngx_mntreamer_monitor_probe_cancel(item->lookup);
            item->lookup = NULL;
        }

        if (item->ask) {
            ngx_mntreamer_catalog_ask_cancel(item->ask);
            item->ask = NULL;
        }
    }
}


static ngx_int_t
ngx_http_mntreamer_add_send(ngx_http_mntreamer_add_t *add)
{
    ngx_uint_t                  i;
    ngx_http_request_t         *r;
    ngx_http_mntreamer_text_t   t;
    ngx_http_mntreamer_item_t  *item;

    r = add->request;
    item = add->items;

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    if (!add->many) {
        if (item->status == 0) {
            return ngx_http_mntreamer_fail(r, &item->error);
        }

        ngx_http_mntreamer_text_json(&t, &item->json);

        return ngx_http_mntreamer_send_json(r, item->status, &t);
    }

    ngx_http_mntreamer_text(&t, "{\"items\":[");

    for (i = 0; i < add->n; i++) {
        item = &add->items[i];

        ngx_http_mntreamer_text(&t, i ? "," : "");

        if (item->status == 0) {
            ngx_http_mntreamer_error_text(&t, &item->error,
                         ngx_http_mntreamer_error_status(item->error.code));
            continue;
        }

        ngx_http_mntreamer_text(&t, "{\"status\":");
        ngx_http_mntreamer_text_i64(&t, (int64_t) item->status);
        ngx_http_mntreamer_text(&t, ",\"streamer\":");
        ngx_http_mntreamer_text_json(&t, &item->json);
        ngx_http_mntreamer_text(&t, "}");
    }

    ngx_http_mntreamer_text(&t, "]}");

    return ngx_http_mntreamer_send_json(r, NGX_HTTP_OK, &t);
}
