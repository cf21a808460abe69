
/*
 * Copyright (C) the mntreamer authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_mntreamer_internal.h"


typedef struct {
    const char  *code;                        /* never changes its meaning */
    ngx_uint_t   status;
    ngx_uint_t   retry_s;                     /* Retry-After; 0: none */
    const char  *description;
} ngx_http_mntreamer_error_entry_t;


/* in the order of ngx_http_mntreamer_error_e; docs/api.md lists the same */

static const ngx_http_mntreamer_error_entry_t
    ngx_http_mntreamer_errors[NGX_HTTP_MNTREAMER_E_MAX] =
{
    { "bad_request", 400, 0, "the request is not understood" },
    { "bad_json", 400, 0, "the body is not usable JSON" },
    { "bad_parameter", 400, 0, "a parameter has a bad value" },
    { "unknown_parameter", 400, 0, "there is no such parameter" },
    { "bad_field", 400, 0, "a field has a bad value" },
    { "missing_field", 400, 0, "a field is missing" },
    { "unknown_field", 400, 0, "there is no such field" },
    { "unknown_platform", 400, 0, "there is no such platform" },
    { "bad_channel", 400, 0, "this is no channel of the platform" },
    { "bad_playlist", 400, 0, "the playlist is broken" },
    { "unauthorized", 401, 0, "credentials are needed" },
    { "forbidden", 403, 0, "this is not allowed" },
    { "cross_origin", 403, 0, "pages of other sites may not change anything" },
    { "not_found", 404, 0, "there is nothing here" },
    { "streamer_not_found", 404, 0, "there is no such streamer" },
    { "recording_not_found", 404, 0, "there is no such recording" },
    { "job_not_found", 404, 0, "there is no such job" },
    { "cut_not_found", 404, 0, "the recording has no such cut" },
    { "channel_not_found", 404, 0, "the platform has no such channel" },
    { "not_on_air", 404, 0, "the streamer is not on the air" },
    { "method_not_allowed", 405, 0, "the method is not for this address" },
    { "request_timeout", 408, 0, "the request did not arrive in time" },
    { "conflict", 409, 0, "this contradicts what is stored" },
    { "too_large", 413, 0, "the body is too large" },
    { "uri_too_long", 414, 0, "the address is too long" },
    { "unsupported_media_type", 415, 0,
      "the body must be sent as application/json" },
    { "too_many_requests", 429, 1, "there are too many requests" },
    { "internal_error", 500, 0, "an internal error occurred" },
    { "not_implemented", 501, 0, "this is not implemented" },
    { "lookup_failed", 502, 0, "the platform could not be asked" },
    { "bad_gateway", 502, 0, "another server failed" },
    { "unavailable", 503, 1, "the service is not available now" },
    { "database_unavailable", 503, 2, "the database is not available now" },
    { "lookup_limited", 503, 10, "the platform wants fewer questions" },
    { "gateway_timeout", 504, 0, "another server did not answer in time" }
};


void
ngx_http_mntreamer_error_set(ngx_http_mntreamer_error_t *err, ngx_uint_t code,
    const char *field, const char *description)
{
    err->code = code;

    err->field.data = (u_char *) field;
    err->field.len = field ? ngx_strlen(field) : 0;

    err->description.data = (u_char *) description;
    err->description.len = description ? ngx_strlen(description) : 0;
}


ngx_uint_t
ngx_http_mntreamer_error_status(ngx_uint_t code)
{
    return ngx_http_mntreamer_errors[code].status;
}


/* statuses of nginx that have no entry are named by their class */

ngx_uint_t
ngx_http_mntreamer_error_of_status(ngx_uint_t status)
{
    ngx_uint_t  i;

    switch (status) {

    case 502:
        return NGX_HTTP_MNTREAMER_E_BAD_GATEWAY;

    case 404:
        return NGX_HTTP_MNTREAMER_E_NOT_FOUND;

    default:
        break;
    }

    for (i = 0; i < NGX_HTTP_MNTREAMER_E_MAX; i++) {
        if (ngx_http_mntreamer_errors[i].status == status) {
            return i;
        }
    }

    return (status < 500) ? NGX_HTTP_MNTREAMER_E_BAD_REQUEST
                          : NGX_HTTP_MNTREAMER_E_INTERNAL;
}


ngx_uint_t
ngx_http_mntreamer_error_of_result(ngx_uint_t rc)
{
    switch (rc) {

    case NGX_MNTREAMER_PQ_AWAY:
        return NGX_HTTP_MNTREAMER_E_DATABASE;

    case NGX_MNTREAMER_PQ_CONSTRAINT:
        return NGX_HTTP_MNTREAMER_E_CONFLICT;

    case NGX_MNTREAMER_PQ_INPUT:
        return NGX_HTTP_MNTREAMER_E_BAD_REQUEST;

    default:
        return NGX_HTTP_MNTREAMER_E_INTERNAL;
    }
}


void
ngx_http_mntreamer_error_text(ngx_http_mntreamer_text_t *t,
    const ngx_http_mntreamer_error_t *err, ngx_uint_t status)
{
    ngx_str_t                                s;
    const ngx_http_mntreamer_error_entry_t  *e;

    e = &ngx_http_mntreamer_errors[err->code];

    ngx_http_mntreamer_text(t, "{\"status\":");
    ngx_http_mntreamer_text_i64(t, (int64_t) status);
    ngx_http_mntreamer_text(t, ",\"error\":\"");
    ngx_http_mntreamer_text(t, e->code);
    ngx_http_mntreamer_text(t, "\",\"description\":");

    s = err->description;

    if (s.len == 0) {
        s.data = (u_char *) e->description;
        s.len = ngx_strlen(e->description);
    }

    ngx_http_mntreamer_text_string(t, &s);

    if (err->field.len) {
        s = err->field;
        ngx_http_mntreamer_text(t, ",\"field\":");
        ngx_http_mntreamer_text_string(t, &s);
    }

    ngx_http_mntreamer_text(t, "}");
}


ngx_int_t
ngx_http_mntreamer_error_retry(ngx_http_request_t *r, ngx_uint_t code)
{
    ngx_str_t  value;

    if (ngx_http_mntreamer_errors[code].retry_s == 0) {
        return NGX_OK;
    }

    if (ngx_http_mntreamer_number(r, ngx_http_mntreamer_errors[code].retry_s,
                                  &value)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_mntreamer_header(r, "Retry-After", &value);
}


ngx_int_t
ngx_http_mntreamer_fail(ngx_http_request_t *r,
    const ngx_http_mntreamer_error_t *err)
{
    ngx_uint_t                 status;
    ngx_http_mntreamer_text_t  t;

    status = ngx_http_mntreamer_errors[err->code].status;

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_error_text(&t, err, status);

    if (ngx_http_mntreamer_error_retry(r, err->code) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_send_json(r, status, &t);
}


ngx_int_t
ngx_http_mntreamer_fail_code(ngx_http_request_t *r, ngx_uint_t code)
{
    ngx_http_mntreamer_error_t  err;

    ngx_http_mntreamer_error_set(&err, code, NULL, NULL);

    return ngx_http_mntreamer_fail(r, &err);
}
