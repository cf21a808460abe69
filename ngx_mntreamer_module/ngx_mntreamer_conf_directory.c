
/*
 * Copyright (C) the mntreamer authors
 */


/*
 * The directories of storage and of what nginx-rtmp makes, looked at when the
 * whole configuration is known.
 * What exists keeps its owner and its mode, whatever it is; "nginx -t" makes
 * nothing.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sys/xattr.h>

#include "ngx_mntreamer.h"
#include "ngx_mntreamer_conf_internal.h"


#define NGX_MNTREAMER_STORAGE_MODE   0750
#define NGX_MNTREAMER_STORAGE_GROUPS  256


/* whoever the workers will be */

typedef struct {
    uid_t                     uid;
    gid_t                     groups[NGX_MNTREAMER_STORAGE_GROUPS];
    int                       ngroups;
    const char               *name;
    ngx_uint_t                root;           /* we may become anybody */
    const char               *directive;      /* that names the directory */
} ngx_mntreamer_user_t;


static void ngx_mntreamer_directory_user(ngx_mntreamer_user_t *user,
    const ngx_core_conf_t *ccf);
static ngx_int_t ngx_mntreamer_directory(ngx_cycle_t *cycle,
    const ngx_mntreamer_user_t *user, const ngx_str_t *dir);
static ngx_int_t ngx_mntreamer_directory_check(ngx_cycle_t *cycle,
    const ngx_mntreamer_user_t *user, u_char *path);
static ngx_int_t ngx_mntreamer_directory_parents(ngx_cycle_t *cycle,
    const ngx_mntreamer_user_t *user, u_char *path, u_char *parent);
static ngx_int_t ngx_mntreamer_directory_make(ngx_cycle_t *cycle,
    const ngx_mntreamer_user_t *user, u_char *path, u_char *parent);
static ngx_uint_t ngx_mntreamer_directory_may(
    const ngx_mntreamer_user_t *user, const char *path,
    const struct stat *st, mode_t bits);


ngx_int_t
ngx_mntreamer_conf_directories(ngx_cycle_t *cycle, ngx_mntreamer_conf_t *mcf)
{
    ngx_core_conf_t       *ccf;
    ngx_mntreamer_user_t   user;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    ngx_mntreamer_directory_user(&user, ccf);

    user.directive = "storage";

    if (ngx_mntreamer_directory(cycle, &user, &mcf->storage.root) != NGX_OK) {
        return NGX_ERROR;
    }

    user.directive = "hls_path";

    return mcf->storage.live.len
           ? ngx_mntreamer_directory(cycle, &user, &mcf->storage.live)
           : NGX_OK;
}


static ngx_int_t
ngx_mntreamer_directory(ngx_cycle_t *cycle, const ngx_mntreamer_user_t *user,
    const ngx_str_t *dir)
{
    u_char       *path, *parent, *slash;
    struct stat   st;

    path = dir->data;

    parent = ngx_pnalloc(cycle->pool, dir->len + 1);
    if (parent == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(parent, path, dir->len + 1);

    if (ngx_mntreamer_directory_parents(cycle, user, path, parent) != NGX_OK) {
        return NGX_ERROR;
    }

    if (stat((char *) path, &st) == 0) {
        return ngx_mntreamer_directory_check(cycle, user, path);
    }

    if (ngx_errno != NGX_ENOENT) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "\"%s\" %s cannot be used", user->directive, path);
        return NGX_ERROR;
    }

    slash = (u_char *) strrchr((char *) parent, '/');
    slash[slash == parent] = '\0';

    return ngx_mntreamer_directory_make(cycle, user, path, parent);
}


/* as the workers do it: only root can become somebody else */

static void
ngx_mntreamer_directory_user(ngx_mntreamer_user_t *user,
    const ngx_core_conf_t *ccf)
{
    struct passwd  *pwd;

    ngx_memzero(user, sizeof(ngx_mntreamer_user_t));

    user->uid = geteuid();
    user->root = (user->uid == 0);

    if (!user->root) {
        pwd = getpwuid(user->uid);
        user->name = pwd ? pwd->pw_name : "of nginx";
        return;
    }

    user->uid = ccf->user;
    user->name = ccf->username;
    user->ngroups = NGX_MNTREAMER_STORAGE_GROUPS;

    if (getgrouplist(ccf->username, ccf->group, user->groups, &user->ngroups)
        == -1)
    {
        user->ngroups = NGX_MNTREAMER_STORAGE_GROUPS;
    }
}


static ngx_int_t
ngx_mntreamer_directory_check(ngx_cycle_t *cycle,
    const ngx_mntreamer_user_t *user, u_char *path)
{
    struct stat  st;

    if (stat((char *) path, &st) == -1) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "\"%s\" %s cannot be used", user->directive, path);
        return NGX_ERROR;
    }

    if (!S_ISDIR(st.st_mode)) {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"%s\" %s is not a directory",
                      user->directive, path);
        return NGX_ERROR;
    }

    if (!ngx_mntreamer_directory_may(user, (char *) path, &st,
                                     S_IROTH|S_IWOTH|S_IXOTH))
    {
        ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                      "\"%s\" %s cannot be written by the user \"%s\" "
                      "of the workers; name a directory that is for this "
                      "only, or \"chown %s %s\" if it is that",
                      user->directive, path, user->name, user->name, path);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* each of them must be there and let the workers through */

static ngx_int_t
ngx_mntreamer_directory_parents(ngx_cycle_t *cycle,
    const ngx_mntreamer_user_t *user, u_char *path, u_char *parent)
{
    u_char       *p;
    ngx_int_t     rc;
    struct stat   st;

    for (p = (u_char *) strchr((char *) parent + 1, '/');
         p;
         p = (u_char *) strchr((char *) p + 1, '/'))
    {
        *p = '\0';
        rc = NGX_ERROR;

        if (stat((char *) parent, &st) == -1) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                          "\"%s\" %s cannot be used: only its last "
                          "component is made, but %s is not there",
                          user->directive, path, parent);

        } else if (!S_ISDIR(st.st_mode)) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "\"%s\" %s cannot be used: %s is not a "
                          "directory", user->directive, path, parent);

        } else if (!ngx_mntreamer_directory_may(user, (char *) parent, &st,
                                                S_IXOTH))
        {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                          "\"%s\" %s cannot be used: the user \"%s\" "
                          "of the workers may not enter %s", user->directive,
                          path, user->name, parent);

        } else {
            rc = NGX_OK;
        }

        *p = '/';

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_mntreamer_directory_make(ngx_cycle_t *cycle,
    const ngx_mntreamer_user_t *user, u_char *path, u_char *parent)
{
    ngx_fd_t   fd;
    ngx_err_t  err;

    if (ngx_test_config) {
        if (!user->root && access((char *) parent, W_OK|X_OK) == -1) {
            ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                          "\"%s\" %s cannot be made in %s",
                          user->directive, path, parent);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (mkdir((char *) path, NGX_MNTREAMER_STORAGE_MODE) == -1) {
        if (ngx_errno == NGX_EEXIST) {
            return ngx_mntreamer_directory_check(cycle, user, path);
        }

        ngx_log_error(NGX_LOG_EMERG, cycle->log, ngx_errno,
                      "\"%s\" %s cannot be made in %s",
                      user->directive, path, parent);
        return NGX_ERROR;
    }

    if (!user->root) {
        return NGX_OK;
    }

    fd = open((char *) path, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);
    err = 0;

    if (fd == -1 || fchown(fd, user->uid, user->groups[0]) == -1) {
        err = ngx_errno;
    }

    if (fd != -1) {
        (void) close(fd);
    }

    if (err) {
        (void) rmdir((char *) path);

        ngx_log_error(NGX_LOG_EMERG, cycle->log, err,
                      "\"%s\" %s cannot be given to the user \"%s\"",
                      user->directive, path, user->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * "bits" are those of others.  Where an ACL decides, and where we are no root,
 * the system is asked; a file system that cannot be written is no reason: what
 * it has is served.
 */

static ngx_uint_t
ngx_mntreamer_directory_may(const ngx_mntreamer_user_t *user,
    const char *path, const struct stat *st, mode_t bits)
{
    int  i, how;

    if (!user->root) {
        how = ((bits & S_IROTH) ? R_OK : 0) | ((bits & S_IWOTH) ? W_OK : 0)
              | X_OK;

        return access(path, how) == 0 || ngx_errno == EROFS;
    }

    if (user->uid == 0
        || getxattr(path, "system.posix_acl_access", NULL, 0) > 0)
    {
        return 1;
    }

    if (st->st_uid == user->uid) {
        return (st->st_mode & (bits << 6)) == (bits << 6);
    }

    for (i = 0; i < user->ngroups; i++) {
        if (st->st_gid == user->groups[i]) {
            return (st->st_mode & (bits << 3)) == (bits << 3);
        }
    }

    return (st->st_mode & bits) == bits;
}
