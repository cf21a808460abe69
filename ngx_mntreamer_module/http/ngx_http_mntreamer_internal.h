
/*
 * Copyright (C) the mntreamer authors
 */


#ifndef _NGX_HTTP_MNTREAMER_INTERNAL_H_INCLUDED_
#define _NGX_HTTP_MNTREAMER_INTERNAL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "../base/mnt_json.h"
#include "../base/mnt_name.h"
#include "../base/mnt_sign.h"
#include "ngx_http_mntreamer.h"


#define NGX_HTTP_MNTREAMER_BODY_MAX    65536
#define NGX_HTTP_MNTREAMER_ITEMS_BODY  1048576   /* with "items" */
#define NGX_HTTP_MNTREAMER_TIMEOUT     5000      /* of a question */
#define NGX_HTTP_MNTREAMER_YOUNG       2000      /* age of a worker */
#define NGX_HTTP_MNTREAMER_FILES       5000      /* listed of a recording */
#define NGX_HTTP_MNTREAMER_SILENT_S    (15 * 60) /* then it is over */


typedef enum {
    NGX_HTTP_MNTREAMER_NONE = 0,
    NGX_HTTP_MNTREAMER_RECORDINGS,            /* 1 less: the metric label */
    NGX_HTTP_MNTREAMER_API,
    NGX_HTTP_MNTREAMER_METRICS,
    NGX_HTTP_MNTREAMER_HEALTH
} ngx_http_mntreamer_kind_e;

typedef struct {
    ngx_uint_t                    used;
    ngx_uint_t                    sign;       /* :1; is there any */
} ngx_http_mntreamer_main_conf_t;

typedef struct {
    ngx_array_t                  *api;        /* of ngx_str_t: prefixes */
    ngx_array_t                  *sign;       /* of its first signed location;
                                                 NULL: there is none */
    ngx_str_t                     sign_prefix;
} ngx_http_mntreamer_srv_conf_t;

typedef struct {
    ngx_uint_t                    kind;
    ngx_array_t                  *sign;       /* of mnt_sign_key_t; or NULL */
    ngx_int_t                     max_viewers;   /* 0: any number */
    ngx_str_t                     ingest;     /* empty: by the Host */
} ngx_http_mntreamer_loc_conf_t;


/* the closed list of errors; codes and statuses are in _error.c */

typedef enum {
    NGX_HTTP_MNTREAMER_E_BAD_REQUEST = 0,
    NGX_HTTP_MNTREAMER_E_BAD_JSON,
    NGX_HTTP_MNTREAMER_E_BAD_PARAMETER,
    NGX_HTTP_MNTREAMER_E_UNKNOWN_PARAMETER,
    NGX_HTTP_MNTREAMER_E_BAD_FIELD,
    NGX_HTTP_MNTREAMER_E_MISSING_FIELD,
    NGX_HTTP_MNTREAMER_E_UNKNOWN_FIELD,
    NGX_HTTP_MNTREAMER_E_UNKNOWN_PLATFORM,
    NGX_HTTP_MNTREAMER_E_BAD_CHANNEL,
    NGX_HTTP_MNTREAMER_E_BAD_PLAYLIST,
    NGX_HTTP_MNTREAMER_E_UNAUTHORIZED,
    NGX_HTTP_MNTREAMER_E_FORBIDDEN,
    NGX_HTTP_MNTREAMER_E_CROSS_ORIGIN,
    NGX_HTTP_MNTREAMER_E_NOT_FOUND,
    NGX_HTTP_MNTREAMER_E_STREAMER_NOT_FOUND,
    NGX_HTTP_MNTREAMER_E_RECORDING_NOT_FOUND,
    NGX_HTTP_MNTREAMER_E_JOB_NOT_FOUND,
    NGX_HTTP_MNTREAMER_E_CUT_NOT_FOUND,
    NGX_HTTP_MNTREAMER_E_CHANNEL_NOT_FOUND,
    NGX_HTTP_MNTREAMER_E_NOT_ON_AIR,
    NGX_HTTP_MNTREAMER_E_METHOD_NOT_ALLOWED,
    NGX_HTTP_MNTREAMER_E_TIMEOUT,
    NGX_HTTP_MNTREAMER_E_CONFLICT,
    NGX_HTTP_MNTREAMER_E_TOO_LARGE,
    NGX_HTTP_MNTREAMER_E_URI_TOO_LONG,
    NGX_HTTP_MNTREAMER_E_UNSUPPORTED_TYPE,
    NGX_HTTP_MNTREAMER_E_TOO_MANY_REQUESTS,
    NGX_HTTP_MNTREAMER_E_INTERNAL,
    NGX_HTTP_MNTREAMER_E_NOT_IMPLEMENTED,
    NGX_HTTP_MNTREAMER_E_LOOKUP_FAILED,
    NGX_HTTP_MNTREAMER_E_BAD_GATEWAY,
    NGX_HTTP_MNTREAMER_E_UNAVAILABLE,
    NGX_HTTP_MNTREAMER_E_DATABASE,
    NGX_HTTP_MNTREAMER_E_LOOKUP_LIMITED,
    NGX_HTTP_MNTREAMER_E_GATEWAY_TIMEOUT,
    NGX_HTTP_MNTREAMER_E_MAX
} ngx_http_mntreamer_error_e;

typedef struct {
    ngx_uint_t                    code;
    ngx_str_t                     description;  /* empty: that of the list */
    ngx_str_t                     field;        /* empty: none */
} ngx_http_mntreamer_error_t;


/* a growing text in the request's pool; start with zeroes and the pool */

typedef struct {
    ngx_pool_t                   *pool;       /* alias */
    u_char                       *start;      /* pool */
    u_char                       *last;
    u_char                       *end;
    ngx_uint_t                    failed;     /* memory was gone */
} ngx_http_mntreamer_text_t;


/*
 * One request of ours.  What it waits for is in "ask" or known to "cancel";
 * both are dropped when the client leaves.
 */

typedef struct ngx_http_mntreamer_ctx_s      ngx_http_mntreamer_ctx_t;
typedef struct ngx_http_mntreamer_about_s    ngx_http_mntreamer_about_t;
typedef struct ngx_http_mntreamer_passing_s  ngx_http_mntreamer_passing_t;

/* an answer in full, or NGX_DONE: it goes on later */
typedef ngx_int_t (*ngx_http_mntreamer_route_pt)(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
typedef ngx_int_t (*ngx_http_mntreamer_answer_pt)(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, const ngx_mntreamer_result_t *result);

struct ngx_http_mntreamer_ctx_s {
    ngx_http_request_t           *request;    /* alias */
    int64_t                       id;         /* of the path, */
    int64_t                       second;     /* a second one; 0: none */
    ngx_str_t                     rest;       /* of the path */
    json_t                       *json;       /* owned: the body */
    ngx_str_t                     text;       /* or as it came; pool */
    size_t                        body_len;
    size_t                        body_max;
    ngx_http_mntreamer_route_pt   body;       /* goes on with the body */

    ngx_mntreamer_ask_t          *ask;        /* owned while under way */
    ngx_http_mntreamer_answer_pt  answer;
    void                        (*cancel)(void *data);
    void                         *data;       /* of the route, of cancel() */
    ngx_uint_t                    limit;      /* of a list */
    void                         *wait;       /* pool; of _wait.c */
    void                         *view;       /* pool; of _view.c */
    void                         *cut;        /* pool; of _cut.c */
    ngx_http_mntreamer_about_t   *about;      /* pool; of _variables.c */
    ngx_http_mntreamer_passing_t *passing;    /* pool; of _sign_filter.c */

    ngx_str_t                     token;      /* good for the request; alias */
    time_t                        expires_s;  /* of it */

    ngx_str_t                     replacement;  /* body of nginx's error */

    unsigned                      bound:1;    /* the token is for an address */
    unsigned                      raw:1;      /* the body is no JSON */
    unsigned                      ours:1;     /* the answer is made by us */
    unsigned                      replace:1;
    unsigned                      replaced:1;
    unsigned                      held:1;     /* the request waits for us */
    unsigned                      guarded:1;  /* has the cleanup */
};


/* a parameter of the query; parse() fills slots[slot] or says what is wrong */

typedef const char *(*ngx_http_mntreamer_param_pt)(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *slot, const void *post);

typedef struct {
    const char                   *name;
    ngx_uint_t                    slot;
    ngx_http_mntreamer_param_pt   parse;
    const void                   *post;
} ngx_http_mntreamer_param_t;


/* _module.c */

const ngx_http_mntreamer_env_t *ngx_http_mntreamer_env(void);

/* the request's, made when there is none; NULL: memory is gone */
ngx_http_mntreamer_ctx_t *ngx_http_mntreamer_ctx(ngx_http_request_t *r);

/* the path behind the location's prefix; NGX_DECLINED: it is not below it */
ngx_int_t ngx_http_mntreamer_rest(ngx_http_request_t *r, ngx_str_t *rest);

/*
 * The path of a file that a recording may have, behind the prefix of a
 * location of recordings, and its directory; both are aliases.  NGX_DECLINED:
 * it is none.
 */
ngx_int_t ngx_http_mntreamer_path(ngx_http_request_t *r, ngx_str_t *path,
    ngx_str_t *directory);

/* NGX_OK for GET and HEAD, their body is dropped; else what to return */
ngx_int_t ngx_http_mntreamer_only_get(ngx_http_request_t *r);

/* a header of the answer; the texts must outlive the request */
ngx_int_t ngx_http_mntreamer_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);
ngx_int_t ngx_http_mntreamer_cache_control(ngx_http_request_t *r,
    ngx_str_t *value);

/*
 * _wait.c: while the worker is younger than "age" lets the request wait and
 * calls "handler" again; NGX_DECLINED: it is too late for that.
 */

void ngx_http_mntreamer_wait_start(void);
ngx_int_t ngx_http_mntreamer_wait(ngx_http_request_t *r,
    ngx_http_handler_pt handler, ngx_msec_t age);

/* _variables.c */

ngx_int_t ngx_http_mntreamer_variables(ngx_conf_t *cf);

/* _sign.c: the directive, and requests with a token */

char *ngx_http_mntreamer_sign(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t ngx_http_mntreamer_sign_merge(ngx_conf_t *cf,
    ngx_http_mntreamer_loc_conf_t *conf);
ngx_int_t ngx_http_mntreamer_sign_init(ngx_conf_t *cf);
/* "token=..." of a request that has a good one; NGX_DECLINED: it has none */
ngx_int_t ngx_http_mntreamer_sign_query(ngx_http_request_t *r,
    mnt_str_t *query);
/* how long caches may keep what never changes */
ngx_int_t ngx_http_mntreamer_sign_cache(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);

/* _sign_filter.c: the answer is a playlist, whose addresses get the token of
   the request; NGX_DECLINED: it has none.  Before the headers are sent */

ngx_int_t ngx_http_mntreamer_sign_playlist(ngx_http_request_t *r);

/* _filter.c: errors of nginx's own in locations of ours; counts answers */

ngx_int_t ngx_http_mntreamer_filter_init(ngx_conf_t *cf);

/* handlers of the locations, and of one file */

ngx_int_t ngx_http_mntreamer_recordings_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_mntreamer_api_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_mntreamer_metrics_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_mntreamer_health_handler(ngx_http_request_t *r);

/* _error.c */

void ngx_http_mntreamer_error_text(ngx_http_mntreamer_text_t *t,
    const ngx_http_mntreamer_error_t *err, ngx_uint_t status);
ngx_uint_t ngx_http_mntreamer_error_of_status(ngx_uint_t status);
ngx_uint_t ngx_http_mntreamer_error_status(ngx_uint_t code);
/* Retry-After when the error has one */
ngx_int_t ngx_http_mntreamer_error_retry(ngx_http_request_t *r,
    ngx_uint_t code);
/* sends it; the value is for ngx_http_finalize_request() */
ngx_int_t ngx_http_mntreamer_fail(ngx_http_request_t *r,
    const ngx_http_mntreamer_error_t *err);
ngx_int_t ngx_http_mntreamer_fail_code(ngx_http_request_t *r,
    ngx_uint_t code);
/* "field" and "description" are static or live in the pool */
void ngx_http_mntreamer_error_set(ngx_http_mntreamer_error_t *err,
    ngx_uint_t code, const char *field, const char *description);
/* a result that is not OK */
ngx_uint_t ngx_http_mntreamer_error_of_result(ngx_uint_t rc);

/* _json.c */

void ngx_http_mntreamer_text(ngx_http_mntreamer_text_t *t, const char *s);
void ngx_http_mntreamer_text_raw(ngx_http_mntreamer_text_t *t,
    const u_char *p, size_t len);
void ngx_http_mntreamer_text_i64(ngx_http_mntreamer_text_t *t, int64_t n);
/* JSON of the database, safe inside a page: < > & U+2028 U+2029 as \u.... */
void ngx_http_mntreamer_text_json(ngx_http_mntreamer_text_t *t,
    ngx_str_t *json);
/* a string with its quotes; what is not UTF-8 becomes U+FFFD */
void ngx_http_mntreamer_text_string(ngx_http_mntreamer_text_t *t,
    ngx_str_t *s);
ngx_int_t ngx_http_mntreamer_send_json(ngx_http_request_t *r,
    ngx_uint_t status, ngx_http_mntreamer_text_t *t);

/* _body.c: reads and parses a JSON body, then goes on with "body" */

ngx_int_t ngx_http_mntreamer_body(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, size_t max,
    ngx_http_mntreamer_route_pt body);
/* the same with a body of any kind, which it finds in ctx->text */
ngx_int_t ngx_http_mntreamer_body_raw(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, size_t max,
    ngx_http_mntreamer_route_pt body);
/* NGX_OK, or NGX_DECLINED with *err filled */
ngx_int_t ngx_http_mntreamer_same_origin(ngx_http_request_t *r,
    ngx_http_mntreamer_error_t *err);

/* _args.c: the query; NGX_DECLINED: *err is filled */

ngx_int_t ngx_http_mntreamer_args(ngx_http_request_t *r,
    const ngx_http_mntreamer_param_t *params, ngx_str_t *slots,
    ngx_http_mntreamer_error_t *err);

const char *ngx_http_mntreamer_arg_text(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *slot, const void *post);
const char *ngx_http_mntreamer_arg_platform(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *slot, const void *post);
const char *ngx_http_mntreamer_arg_id(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *slot, const void *post);
/* "post": an int64_t, the most */
const char *ngx_http_mntreamer_arg_number(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *slot, const void *post);
const char *ngx_http_mntreamer_arg_limit(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *slot, const void *post);
const char *ngx_http_mntreamer_arg_date(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *slot, const void *post);
/* "post": NULL-terminated words */
const char *ngx_http_mntreamer_arg_word(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *slot, const void *post);
/* two slots: a time of the database, an id */
const char *ngx_http_mntreamer_arg_cursor(ngx_http_request_t *r,
    ngx_str_t *value, ngx_str_t *slot, const void *post);
void ngx_http_mntreamer_cursor(ngx_http_mntreamer_text_t *t,
    ngx_str_t *started, ngx_str_t *id);

/* decimal, from 1, of 63 bits; 0: it is none */
int64_t ngx_http_mntreamer_id(ngx_str_t *text);
/* the limit in "slot" (50 when empty); asks for one row more */
ngx_uint_t ngx_http_mntreamer_limit(ngx_http_request_t *r, ngx_str_t *slot);

/* _api.c */

/* asks the catalogue; answer() comes with an OK result only */
ngx_int_t ngx_http_mntreamer_ask(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, ngx_uint_t ask, const ngx_str_t *params,
    ngx_uint_t nparams, ngx_http_mntreamer_answer_pt answer);
/* the same of the id in the path; there are no parameters in the query */
ngx_int_t ngx_http_mntreamer_ask_one(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, ngx_uint_t ask,
    ngx_http_mntreamer_answer_pt answer);
/* the request waits: holds it and drops the work when the client leaves */
ngx_int_t ngx_http_mntreamer_hold(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
/* goes on after waiting with what a route returned */
void ngx_http_mntreamer_resume(ngx_http_request_t *r, ngx_int_t rc);
/* the first "n" rows of a list, up to the value of "next" */
void ngx_http_mntreamer_text_rows(ngx_http_mntreamer_text_t *t,
    const ngx_mntreamer_result_t *result, ngx_uint_t n);
/* answer() of questions with one row: 200, or "code" without a row */
ngx_int_t ngx_http_mntreamer_send_row(ngx_http_request_t *r,
    const ngx_mntreamer_result_t *result, ngx_uint_t code);
/* the first row, which is there */
ngx_int_t ngx_http_mntreamer_send_first(ngx_http_request_t *r,
    const ngx_mntreamer_result_t *result, ngx_uint_t status);
/* 204 */
ngx_int_t ngx_http_mntreamer_send_nothing(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_number(ngx_http_request_t *r, int64_t n,
    ngx_str_t *text);

/* _secret.c: "n" random bytes in hex; the SHA-256 of a text in hex */

ngx_int_t ngx_http_mntreamer_secret(ngx_http_request_t *r, size_t n,
    ngx_str_t *text);
ngx_int_t ngx_http_mntreamer_hash(ngx_http_request_t *r, const void *p,
    size_t len, ngx_str_t *hash);

/* _ingest.c: where encoders send to: as configured, else by the Host */

ngx_uint_t ngx_http_mntreamer_ingest_valid(ngx_str_t *address);
ngx_int_t ngx_http_mntreamer_ingest(ngx_http_request_t *r,
    ngx_str_t *address);

/* _files.c: sends "json" with the files of "path" (both copied) */

ngx_int_t ngx_http_mntreamer_files(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, ngx_str_t *json, ngx_str_t *path);

/* what a file of a recording is by its name: "playlist", "init", "segment",
   "other"; empty: it is not served */
void ngx_http_mntreamer_file_kind(mnt_str_t name, ngx_str_t *kind);

/* _recordings.c: 1 when files of this ending are served */

ngx_uint_t ngx_http_mntreamer_serves(ngx_str_t *path);

/* _download.c: as the query's "download" says, the name under which what is
   sent is to be saved; without one it is none */

ngx_int_t ngx_http_mntreamer_download(ngx_http_request_t *r,
    ngx_str_t *path);

/* _viewer.c: counts who asked for "path", which "file" is opened of; another
   status than NGX_OK: there are too many already */

ngx_int_t ngx_http_mntreamer_viewer(ngx_http_request_t *r, ngx_str_t *path,
    ngx_uint_t playlist, ngx_file_t *file, ngx_file_info_t *fi);
/* who asks, for something in "directory"; aliases */
void ngx_http_mntreamer_viewer_of(ngx_http_request_t *r, ngx_str_t *directory,
    ngx_mntreamer_viewer_t *viewer);

/*
 * _view.c: the playlist "path", which "file" is opened of, as the request
 * wants it, with its ETag.  NGX_DECLINED: as it is; NGX_DONE: the handler of
 * recordings is called again, "file" is closed; else a status.
 */

void ngx_http_mntreamer_view_start(void);
void ngx_http_mntreamer_view_stop(void);
ngx_int_t ngx_http_mntreamer_view(ngx_http_request_t *r, ngx_str_t *path,
    ngx_file_t *file, ngx_file_info_t *fi, ngx_chain_t **out);

/* _events.c: streams of what becomes of jobs */

void ngx_http_mntreamer_events_start(void);

/* _cut.c: the same of a recording of which something is not shown */

void ngx_http_mntreamer_cut_start(void);
void ngx_http_mntreamer_cut_stop(void);
ngx_int_t ngx_http_mntreamer_cut(ngx_http_request_t *r, ngx_str_t *path,
    ngx_file_t *file, ngx_file_info_t *fi, ngx_chain_t **out);

/* _fields.c: members of a JSON body; NGX_DECLINED: *err is filled */

ngx_int_t ngx_http_mntreamer_fields_known(json_t *json,
    const char *const *names, ngx_pool_t *pool,
    ngx_http_mntreamer_error_t *err);
/* absent or null: slot stays as it is (null) and NGX_OK */
ngx_int_t ngx_http_mntreamer_field_text(json_t *json, const char *name,
    ngx_str_t *slot, ngx_http_mntreamer_error_t *err);
ngx_int_t ngx_http_mntreamer_field_quality(json_t *json, const char *name,
    ngx_str_t *slot, ngx_http_mntreamer_error_t *err);
ngx_int_t ngx_http_mntreamer_field_nickname(json_t *json, const char *name,
    ngx_str_t *slot, ngx_http_mntreamer_error_t *err);
ngx_int_t ngx_http_mntreamer_field_priority(ngx_http_request_t *r,
    json_t *json, ngx_str_t *slot, ngx_http_mntreamer_error_t *err);

/* a text of JSON for the row; null resets */
ngx_int_t ngx_http_mntreamer_field_retention(ngx_http_request_t *r,
    json_t *json, ngx_str_t *slot, ngx_http_mntreamer_error_t *err);
/* true or false; the slot stays as it is when it is not given */
ngx_int_t ngx_http_mntreamer_field_flag(json_t *json, const char *name,
    ngx_str_t *slot, ngx_http_mntreamer_error_t *err);

/* title, description, category: three slots; null resets, as "" does */

#define NGX_HTTP_MNTREAMER_TITLES  3

ngx_int_t ngx_http_mntreamer_field_titles(json_t *json, ngx_str_t *slots,
    ngx_http_mntreamer_error_t *err);
/* the first that was given of a streamer whose platform says them, if any */
ngx_int_t ngx_http_mntreamer_field_titles_foreign(const ngx_str_t *slots,
    ngx_http_mntreamer_error_t *err);

/* the routes */

ngx_int_t ngx_http_mntreamer_streamers(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_streamer(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_streamer_add(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_streamer_patch(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_streamer_delete(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_key(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_key_make(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_key_revoke(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_password_make(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_password_drop(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_recording_list(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_recording_patch(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_recording_delete(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_recording_restore(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_retention(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_link_make(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_recording(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_exports(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_export(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_jobs(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_job(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_job_events(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_job_delete(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_job_retry(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_cut_list(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_cut_add(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_cut_undo(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_clip_add(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_live(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_live_one(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);
ngx_int_t ngx_http_mntreamer_target_duration(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx);


#endif /* _NGX_HTTP_MNTREAMER_INTERNAL_H_INCLUDED_ */
