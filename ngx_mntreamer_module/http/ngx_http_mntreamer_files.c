
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * What needs the disk for longer than opening a file: the list of a
 * recording's files and the reading of a playlist.  A job lives on the heap
 * until its thread is finished, also when the request is gone by then.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "../hls/mnt_hls.h"
#include "ngx_http_mntreamer_internal.h"


#define NGX_HTTP_MNTREAMER_FILES_READ  50000   /* names looked at */
#define NGX_HTTP_MNTREAMER_FILES_MEM   (16 * 1024 * 1024)
#define NGX_HTTP_MNTREAMER_HEAD        65536   /* read of a huge playlist */
#define NGX_HTTP_MNTREAMER_PARSE_MEM   (32 * 1024 * 1024)


typedef enum {
    NGX_HTTP_MNTREAMER_FILE_PLAYLIST = 0,     /* the order of the answer */
    NGX_HTTP_MNTREAMER_FILE_INIT,
    NGX_HTTP_MNTREAMER_FILE_OTHER,
    NGX_HTTP_MNTREAMER_FILE_SEGMENT
} ngx_http_mntreamer_file_kind_e;

typedef struct {
    mnt_str_t                   name;         /* arena of the job */
    ngx_uint_t                  kind;
    int64_t                     bytes;
} ngx_http_mntreamer_file_t;

typedef struct ngx_http_mntreamer_job_s  ngx_http_mntreamer_job_t;

/* answers with what the thread found */
typedef ngx_int_t (*ngx_http_mntreamer_job_pt)(ngx_http_request_t *r,
    ngx_http_mntreamer_job_t *job);

struct ngx_http_mntreamer_job_s {
    ngx_http_mntreamer_ctx_t   *ctx;          /* alias; NULL: nobody waits */
    ngx_http_request_t         *request;      /* alias */
    ngx_http_mntreamer_job_pt   send;
    ngx_fd_t                    fd;           /* owned */

    /* of a list */
    mnt_arena_t                 arena;        /* the thread's */
    ngx_http_mntreamer_file_t **files;        /* malloc() */
    size_t                      n;
    ngx_uint_t                  truncated;
    ngx_uint_t                  failed;
    ngx_str_t                   json;         /* pool of the request */
    ngx_str_t                   path;         /* pool of the request */

    /* of a playlist */
    off_t                       size;
    unsigned                    target_s;
    char                        why[128];     /* empty: it is right */
};


static ngx_http_mntreamer_job_t *ngx_http_mntreamer_job_create(
    ngx_http_request_t *r, ngx_http_mntreamer_ctx_t *ctx, ngx_fd_t fd);
static void ngx_http_mntreamer_job_destroy(ngx_http_mntreamer_job_t *job);
static void ngx_http_mntreamer_job_cancel(void *data);
static ngx_int_t ngx_http_mntreamer_job_post(ngx_http_mntreamer_job_t *job,
    ngx_mntreamer_work_pt work, ngx_http_mntreamer_job_pt send);
static void ngx_http_mntreamer_job_done(void *data);
static void ngx_http_mntreamer_files_work(void *data);
static void ngx_http_mntreamer_files_read(ngx_http_mntreamer_job_t *job,
    DIR *dir);
static int ngx_http_mntreamer_files_compare(const void *one, const void *two);
static ngx_int_t ngx_http_mntreamer_file_number(mnt_str_t name);
static ngx_int_t ngx_http_mntreamer_files_send(ngx_http_request_t *r,
    ngx_http_mntreamer_job_t *job);
static void ngx_http_mntreamer_file_text(ngx_http_mntreamer_text_t *t,
    ngx_http_mntreamer_file_t *file, ngx_str_t *url);
static void ngx_http_mntreamer_playlist_work(void *data);
static void ngx_http_mntreamer_playlist_parse(ngx_http_mntreamer_job_t *job,
    mnt_str_t text);
static ngx_int_t ngx_http_mntreamer_playlist_send(ngx_http_request_t *r,
    ngx_http_mntreamer_job_t *job);


static const char *const  ngx_http_mntreamer_file_kinds[] = {
    "playlist", "init", "other", "segment"
};


static ngx_http_mntreamer_job_t *
ngx_http_mntreamer_job_create(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx, ngx_fd_t fd)
{
    ngx_http_mntreamer_job_t  *job;

    job = ngx_calloc(sizeof(ngx_http_mntreamer_job_t), r->connection->log);
    if (job == NULL) {
        (void) ngx_close_file(fd);
        return NULL;
    }

    job->ctx = ctx;
    job->request = r;
    job->fd = fd;

    mnt_arena_init(&job->arena, NGX_HTTP_MNTREAMER_FILES_MEM);

    return job;
}


static void
ngx_http_mntreamer_job_destroy(ngx_http_mntreamer_job_t *job)
{
    if (job->fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(job->fd);
    }

    mnt_arena_free(&job->arena);
    free(job->files);
    ngx_free(job);
}


static void
ngx_http_mntreamer_job_cancel(void *data)
{
    ngx_http_mntreamer_job_t *job = data;

    job->ctx = NULL;
    job->request = NULL;
}


static ngx_int_t
ngx_http_mntreamer_job_post(ngx_http_mntreamer_job_t *job,
    ngx_mntreamer_work_pt work, ngx_http_mntreamer_job_pt send)
{
    ngx_http_request_t              *r;
    ngx_http_mntreamer_ctx_t        *ctx;
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    r = job->request;
    ctx = job->ctx;

    job->send = send;

    if (env->offload == NULL
        || ngx_mntreamer_offload_post(env->offload, work,
                                      ngx_http_mntreamer_job_done, job)
           != NGX_OK)
    {
        ngx_http_mntreamer_job_destroy(job);
        return ngx_http_mntreamer_fail_code(r,
                                            NGX_HTTP_MNTREAMER_E_UNAVAILABLE);
    }

    ctx->data = job;
    ctx->cancel = ngx_http_mntreamer_job_cancel;

    return ngx_http_mntreamer_hold(r, ctx);
}


static void
ngx_http_mntreamer_job_done(void *data)
{
    ngx_http_mntreamer_job_t *job = data;

    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = job->request;

    if (r == NULL) {
        ngx_http_mntreamer_job_destroy(job);
        return;
    }

    job->ctx->cancel = NULL;

    rc = job->send(r, job);

    ngx_http_mntreamer_job_destroy(job);
    ngx_http_mntreamer_resume(r, rc);
}


/* "json" and "path" are the catalogue's: copied */

ngx_int_t
ngx_http_mntreamer_files(ngx_http_request_t *r, ngx_http_mntreamer_ctx_t *ctx,
    ngx_str_t *json, ngx_str_t *path)
{
    ngx_fd_t                         fd;
    mnt_str_t                        s;
    ngx_http_mntreamer_job_t        *job;
    const ngx_http_mntreamer_env_t  *env;

    env = ngx_http_mntreamer_env();

    s.data = (char *) path->data;
    s.len = path->len;

    fd = NGX_INVALID_FILE;

    if (env->storage && mnt_path_servable(s)) {
        fd = ngx_mntreamer_storage_open_dir(env->storage, path);
    }

    job = ngx_http_mntreamer_job_create(r, ctx, fd);
    if (job == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    job->json.len = json->len;
    job->json.data = ngx_pstrdup(r->pool, json);

    job->path.len = path->len;
    job->path.data = ngx_pstrdup(r->pool, path);

    if (job->json.data == NULL || job->path.data == NULL) {
        ngx_http_mntreamer_job_destroy(job);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_mntreamer_job_post(job, ngx_http_mntreamer_files_work,
                                       ngx_http_mntreamer_files_send);
}


/* in a thread; without a directory the list is empty */

static void
ngx_http_mntreamer_files_work(void *data)
{
    ngx_http_mntreamer_job_t *job = data;

    int           fd;
    DIR          *dir;
    size_t        i;
    struct stat   st;

    if (job->fd == NGX_INVALID_FILE) {
        return;
    }

    job->files = calloc(NGX_HTTP_MNTREAMER_FILES_READ,
                        sizeof(ngx_http_mntreamer_file_t *));
    dir = job->files ? fdopendir(job->fd) : NULL;

    if (dir == NULL) {
        job->failed = 1;
        return;
    }

    job->fd = NGX_INVALID_FILE;
    fd = dirfd(dir);

    ngx_http_mntreamer_files_read(job, dir);

    if (job->n) {
        qsort(job->files, job->n, sizeof(ngx_http_mntreamer_file_t *),
              ngx_http_mntreamer_files_compare);
    }

    if (job->n > NGX_HTTP_MNTREAMER_FILES) {
        job->n = NGX_HTTP_MNTREAMER_FILES;
        job->truncated = 1;
    }

    for (i = 0; i < job->n; i++) {
        job->files[i]->bytes = -1;

        if (fstatat(fd, job->files[i]->name.data, &st, AT_SYMLINK_NOFOLLOW)
            == 0 && S_ISREG(st.st_mode))
        {
            job->files[i]->bytes = st.st_size;
        }
    }

    (void) closedir(dir);
}


static void
ngx_http_mntreamer_files_read(ngx_http_mntreamer_job_t *job, DIR *dir)
{
    mnt_str_t                   name;
    ngx_int_t                   kind;
    struct dirent              *de;
    ngx_http_mntreamer_file_t  *file;

    for ( ;; ) {
        de = readdir(dir);
        if (de == NULL) {
            return;
        }

        name = mnt_str_c(de->d_name);
        kind = ngx_http_mntreamer_file_number(name);

        if (kind == NGX_DECLINED || !mnt_path_servable(name)) {
            continue;
        }

        if (job->n == NGX_HTTP_MNTREAMER_FILES_READ) {
            job->truncated = 1;
            return;
        }

        file = mnt_arena_alloc(&job->arena, sizeof(ngx_http_mntreamer_file_t));
        if (file == NULL) {
            job->truncated = 1;
            return;
        }

        file->name = mnt_arena_dup(&job->arena, name);
        file->kind = kind;

        if (file->name.data == NULL) {
            job->truncated = 1;
            return;
        }

        job->files[job->n++] = file;
    }
}


static int
ngx_http_mntreamer_files_compare(const void *one, const void *two)
{
    const ngx_http_mntreamer_file_t *a, *b;

    a = *(ngx_http_mntreamer_file_t *const *) one;
    b = *(ngx_http_mntreamer_file_t *const *) two;

    if (a->kind != b->kind) {
        return (a->kind < b->kind) ? -1 : 1;
    }

    return strcmp(a->name.data, b->name.data);
}


/* of what mntreamer_recordings serves, else NGX_DECLINED */

static ngx_int_t
ngx_http_mntreamer_file_number(mnt_str_t name)
{
    ngx_str_t  s;

    s.data = (u_char *) name.data;
    s.len = name.len;

    if (!ngx_http_mntreamer_serves(&s)) {
        return NGX_DECLINED;
    }

    if (mnt_str_ends(name, ".m3u8")) {
        return NGX_HTTP_MNTREAMER_FILE_PLAYLIST;
    }

    if (mnt_str_ends(name, ".mp4")) {
        return ngx_strnstr(s.data, (char *) "init-", s.len)
               ? NGX_HTTP_MNTREAMER_FILE_INIT : NGX_HTTP_MNTREAMER_FILE_OTHER;
    }

    if (mnt_str_ends(name, ".jpg") || mnt_str_ends(name, ".webp")) {
        return NGX_HTTP_MNTREAMER_FILE_OTHER;
    }

    return NGX_HTTP_MNTREAMER_FILE_SEGMENT;
}


void
ngx_http_mntreamer_file_kind(mnt_str_t name, ngx_str_t *kind)
{
    ngx_int_t  n;

    n = ngx_http_mntreamer_file_number(name);

    ngx_str_null(kind);

    if (n != NGX_DECLINED) {
        kind->data = (u_char *) ngx_http_mntreamer_file_kinds[n];
        kind->len = ngx_strlen(ngx_http_mntreamer_file_kinds[n]);
    }
}


/* the database's object, opened again behind its last member */

static ngx_int_t
ngx_http_mntreamer_files_send(ngx_http_request_t *r,
    ngx_http_mntreamer_job_t *job)
{
    size_t                      i, n;
    u_char                     *p;
    ngx_str_t                   url, json;
    ngx_http_mntreamer_text_t   t;

    static const char  prefix[] = "/recordings/";

    json = job->json;

    while (json.len && json.data[json.len - 1] != '}') {
        json.len--;
    }

    if (job->failed || json.len == 0) {
        return ngx_http_mntreamer_fail_code(r,
                                            NGX_HTTP_MNTREAMER_E_INTERNAL);
    }

    json.len--;

    n = ngx_escape_uri(NULL, job->path.data, job->path.len, NGX_ESCAPE_URI);

    /* with room for a name: thousands of addresses are made in this place */

    url.data = ngx_pnalloc(r->pool, sizeof(prefix) + job->path.len + 2 * n
                                    + 3 * NAME_MAX);
    if (url.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = ngx_cpymem(url.data, prefix, sizeof(prefix) - 1);
    p = (u_char *) (n ? ngx_escape_uri(p, job->path.data, job->path.len,
                                       NGX_ESCAPE_URI)
                      : (uintptr_t) ngx_cpymem(p, job->path.data,
                                               job->path.len));
    *p++ = '/';
    url.len = p - url.data;

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_text_json(&t, &json);
    ngx_http_mntreamer_text(&t, ",\"files\":[");

    for (n = 0, i = 0; i < job->n; i++) {
        if (job->files[i]->bytes >= 0) {
            ngx_http_mntreamer_text(&t, n++ ? "," : "");
            ngx_http_mntreamer_file_text(&t, job->files[i], &url);
        }
    }

    ngx_http_mntreamer_text(&t, "],\"files_truncated\":");
    ngx_http_mntreamer_text(&t, job->truncated ? "true}" : "false}");

    return ngx_http_mntreamer_send_json(r, NGX_HTTP_OK, &t);
}


static void
ngx_http_mntreamer_file_text(ngx_http_mntreamer_text_t *t,
    ngx_http_mntreamer_file_t *file, ngx_str_t *url)
{
    u_char     *p;
    ngx_str_t   name, whole;

    name.data = (u_char *) file->name.data;
    name.len = file->name.len;

    p = (u_char *) ngx_escape_uri(url->data + url->len, name.data, name.len,
                                  NGX_ESCAPE_URI);

    whole.data = url->data;
    whole.len = p - url->data;

    ngx_http_mntreamer_text(t, "{\"name\":");
    ngx_http_mntreamer_text_string(t, &name);
    ngx_http_mntreamer_text(t, ",\"kind\":\"");
    ngx_http_mntreamer_text(t, ngx_http_mntreamer_file_kinds[file->kind]);
    ngx_http_mntreamer_text(t, "\",\"bytes\":");
    ngx_http_mntreamer_text_i64(t, file->bytes);
    ngx_http_mntreamer_text(t, ",\"url\":");
    ngx_http_mntreamer_text_string(t, &whole);
    ngx_http_mntreamer_text(t, "}");
}


ngx_int_t
ngx_http_mntreamer_target_duration(ngx_http_request_t *r,
    ngx_http_mntreamer_ctx_t *ctx)
{
    ngx_fd_t                         fd;
    mnt_str_t                        s;
    ngx_file_info_t                  fi;
    ngx_http_mntreamer_job_t        *job;
    ngx_http_mntreamer_error_t       err;
    const ngx_http_mntreamer_env_t  *env;

    if (ngx_http_mntreamer_args(r, NULL, NULL, &err) != NGX_OK) {
        return ngx_http_mntreamer_fail(r, &err);
    }

    env = ngx_http_mntreamer_env();

    if (env->storage == NULL) {
        return ngx_http_mntreamer_fail_code(r,
                                            NGX_HTTP_MNTREAMER_E_UNAVAILABLE);
    }

    s.data = (char *) ctx->rest.data;
    s.len = ctx->rest.len;

    if (!mnt_str_ends(s, ".m3u8") || !mnt_path_servable(s)) {
        return ngx_http_mntreamer_fail_code(r,
                                            NGX_HTTP_MNTREAMER_E_NOT_FOUND);
    }

    fd = ngx_mntreamer_storage_open_file(env->storage, &ctx->rest, &fi);

    if (fd == NGX_INVALID_FILE) {
        return ngx_http_mntreamer_fail_code(r,
                                            NGX_HTTP_MNTREAMER_E_NOT_FOUND);
    }

    job = ngx_http_mntreamer_job_create(r, ctx, fd);
    if (job == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    job->size = ngx_file_size(&fi);

    return ngx_http_mntreamer_job_post(job, ngx_http_mntreamer_playlist_work,
                                       ngx_http_mntreamer_playlist_send);
}


/* in a thread; of a playlist beyond the reader's limits the head must do */

static void
ngx_http_mntreamer_playlist_work(void *data)
{
    ngx_http_mntreamer_job_t *job = data;

    char       *buf;
    size_t      size;
    ssize_t     n;
    mnt_str_t   text;

    size = (job->size > MNT_HLS_MAX_BYTES) ? NGX_HTTP_MNTREAMER_HEAD
                                           : (size_t) job->size;
    buf = malloc(size + 1);
    if (buf == NULL) {
        job->failed = 1;
        return;
    }

    n = pread(job->fd, buf, size, 0);

    if (n < 0) {
        job->failed = 1;

    } else {
        text.data = buf;
        text.len = (size_t) n;
        text.len -= mnt_hls_torn(text);

        if (job->size > MNT_HLS_MAX_BYTES) {
            text.len = mnt_hls_complete_prefix(text);
        }

        ngx_http_mntreamer_playlist_parse(job, text);
    }

    free(buf);
}


static void
ngx_http_mntreamer_playlist_parse(ngx_http_mntreamer_job_t *job,
    mnt_str_t text)
{
    mnt_arena_t         arena;
    mnt_hls_rc_e        rc;
    mnt_hls_playlist_t  p;

    mnt_arena_init(&arena, NGX_HTTP_MNTREAMER_PARSE_MEM);

    rc = mnt_hls_parse(&arena, text, &p);

    if (rc == MNT_HLS_TOO_MANY && text.len > NGX_HTTP_MNTREAMER_HEAD) {
        mnt_arena_free(&arena);

        text.len = NGX_HTTP_MNTREAMER_HEAD;
        text.len = mnt_hls_complete_prefix(text);

        rc = mnt_hls_parse(&arena, text, &p);
    }

    if (rc == MNT_HLS_NO_MEMORY) {
        job->failed = 1;

    } else if (rc != MNT_HLS_OK) {
        (void) ngx_snprintf((u_char *) job->why, sizeof(job->why),
                            "%s in line %ui%Z", mnt_hls_strerror(rc),
                            (ngx_uint_t) p.error_line);

    } else if (p.kind == MNT_HLS_MULTIVARIANT) {
        (void) ngx_snprintf((u_char *) job->why, sizeof(job->why),
                            "a multivariant playlist has no target "
                            "duration%Z");

    } else {
        job->target_s = p.target_duration_s;
    }

    job->why[sizeof(job->why) - 1] = '\0';

    mnt_arena_free(&arena);
}


static ngx_int_t
ngx_http_mntreamer_playlist_send(ngx_http_request_t *r,
    ngx_http_mntreamer_job_t *job)
{
    ngx_http_mntreamer_text_t   t;
    ngx_http_mntreamer_error_t  err;

    if (job->failed) {
        return ngx_http_mntreamer_fail_code(r,
                                            NGX_HTTP_MNTREAMER_E_INTERNAL);
    }

    if (job->why[0]) {
        ngx_http_mntreamer_error_set(&err, NGX_HTTP_MNTREAMER_E_BAD_PLAYLIST,
                                     NULL, job->why);
        return ngx_http_mntreamer_fail(r, &err);
    }

    ngx_memzero(&t, sizeof(ngx_http_mntreamer_text_t));
    t.pool = r->pool;

    ngx_http_mntreamer_text(&t, "{\"target_duration\":");
    ngx_http_mntreamer_text_i64(&t, job->target_s);
    ngx_http_mntreamer_text(&t, "}");

    return ngx_http_mntreamer_send_json(r, NGX_HTTP_OK, &t);
}
