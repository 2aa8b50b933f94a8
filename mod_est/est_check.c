/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_check.c: makes the engines from the configuration, and says all that is wrong with it: the
 * directive, its value, what is wrong and what would be right. It runs on `apachectl configtest`
 * and before every start, so nothing that it passes may take the server down later. What it makes
 * lives in pconf and is what the children use.
 */
#include "est_check.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <apr_strings.h>
#include <http_config.h>
#include <http_log.h>
#include <unixd.h>

#include "brski_signer.h"
#include "brski_snapshot_est.h"
#include "glue.h"

extern module AP_MODULE_DECLARE_DATA est_module;

/* ---- files ---- */

/* Is one of the run user's groups the file's? */
static int run_user_in_group(gid_t gid)
{
    gid_t groups[64];
    int count = sizeof(groups) / sizeof(groups[0]);
    const char *name = ap_unixd_config.user_name;
    int i;

    if (ap_unixd_config.group_id == gid || !name || *name == '#'
        || getgrouplist(name, ap_unixd_config.group_id, groups, &count) < 0) {
        return ap_unixd_config.group_id == gid;
    }
    for (i = 0; i < count && groups[i] != gid; i++) {
        ;
    }
    return i < count;
}

int est_check_readable(const char *path, apr_pool_t *pool)
{
    struct stat info;

    (void)pool;
    if (geteuid() != 0 || ap_unixd_config.user_id == (uid_t)-1) {
        return access(path, R_OK) == 0;
    }
    if (stat(path, &info) != 0) {
        return 0;
    }
    if (info.st_uid == ap_unixd_config.user_id) {
        return (info.st_mode & S_IRUSR) != 0;
    }
    return (info.st_mode & (run_user_in_group(info.st_gid) ? S_IRGRP : S_IROTH)) != 0;
}

brski_err_t *est_check_key(EVP_PKEY **key, const char *file, const brski_cert_t *cert,
                           apr_pool_t *pool)
{
    BRSKI_TRY(brski_signer_kind_file.check(file, pool));
    BRSKI_TRY(brski_signer_kind_file.load(key, file, pool));
    if (EVP_PKEY_eq(cert->key, *key) != 1) {
        return brski_err_say(brski_err(BRSKI_E_CONFIG, NULL, pool, NULL), pool,
                             "The key in '%s' is not the key of the certificate of %s.", file,
                             cert->subject);
    }
    return BRSKI_OK;
}

/* ---- the engine ---- */

static void set_jobs(est_engine_t *engine)
{
    const est_conf_t *conf = engine->conf;
    const apr_interval_time_t timeout = est_get(conf, masa_timeout);

    engine->jobs_options.threads = est_get(conf, workers);
    engine->jobs_options.queue = 1000;
    engine->jobs_options.waiters = est_get(conf, waiters);
    engine->jobs_options.every = apr_time_from_sec(5);
    /* voucher and audit log are two questions, and names are looked up beside */
    engine->jobs_options.lease = 3 * timeout + apr_time_from_sec(30);
}

/* A virtual host that says nothing of ours shares the main server's struct: each engine gets its
 * own. */
static est_engine_t *make_engine(const glue_check_t *c)
{
    est_engine_t *engine = apr_pcalloc(c->pool, sizeof(*engine));
    est_conf_t *conf = apr_pmemdup(c->pool, est_conf(c->server), sizeof(*conf));

    engine->server = c->server;
    engine->conf = conf;
    engine->limits = brski_limits_default;
    engine->limits.body = (apr_size_t)est_get(conf, body_limit);
    engine->ctx = *brski_ctx_default();
    glue_log_server(&engine->log, c->server);
    engine->ctx.log = &engine->log;
    engine->est.ctx = engine->registrar.ctx = &engine->ctx;
    engine->est.limits = engine->registrar.limits = &engine->limits;
    engine->est.registrar = &engine->registrar;
    engine->est.skew = engine->registrar.skew = est_get(conf, skew);
    set_jobs(engine);
    conf->runtime = engine;
    ap_set_module_config(c->server->module_config, &est_module, conf);
    return engine;
}

/* What the tools shall see of it. */
static void make_snapshot(const glue_check_t *c)
{
    est_engine_t *engine = est_checked(c);
    const apr_array_header_t *networks =
        est_get(engine->conf, addresses) == EST_ADDRESSES_LISTED ? engine->conf->network_words
                                                                 : NULL;
    const brski_err_t *err = brski_snapshot_est_make(&engine->snapshot, &engine->snapshot_hash,
                                                     &engine->est, networks, c->pool);

    if (err) {
        glue_check_doubtful(c, c->where,
                            "BRSKI3101: the configuration cannot be shown to the tools: %s",
                            brski_err_text(err, c->temp));
        engine->snapshot = NULL;
    }
}

static void check_server(glue_check_t *c)
{
    const int failed = c->failed;

    c->failed = 0;
    c->of = make_engine(c);
    c->where = glue_check_server(c);
    est_check_registrar(c);
    est_check_enroll(c);
    est_check_httpd(c);
    if (!c->failed) {
        make_snapshot(c);
    }
    c->failed |= failed;
}

/* Once: they are there for all servers or for none. */
static void check_modules(glue_check_t *c)
{
    if (!ap_find_linked_module("mod_ssl.c")) {
        glue_check_wrong(c, glue_check_place(c, "ESTEngine"),
                         "BRSKI3001: ESTEngine On, but mod_ssl is not loaded; "
                         "write LoadModule ssl_module (Debian: a2enmod ssl)");
    }
    if (!ap_find_linked_module("mod_dbd.c")) {
        glue_check_wrong(c, glue_check_place(c, "ESTEngine"),
                         "BRSKI3002: ESTEngine On, but mod_dbd is not loaded; "
                         "write LoadModule dbd_module (Debian: a2enmod dbd)");
    }
}

int est_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s)
{
    glue_check_t c = { .main_server = s, .where = "main server", .pool = pconf, .temp = ptemp,
                      .databases = apr_hash_make(ptemp) };

    (void)plog;
    for (c.server = s; c.server; c.server = c.server->next) {
        if (est_get(est_conf(c.server), engine) != EST_ENGINE_ON) {
            continue;
        }
        if (!c.modules_checked++) {
            check_modules(&c);
        }
        check_server(&c);
    }
    return c.failed ? HTTP_INTERNAL_SERVER_ERROR : OK;
}
