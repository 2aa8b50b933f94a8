/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_check_httpd.c: what an engine needs of the rest of httpd's configuration: mod_ssl that lets
 * devices in to be judged and makes no user of an unverified certificate, handlers, a database that
 * mod_dbd keeps open.
 */
#include "est_check.h"

#include <apr_strings.h>
#include <http_core.h>
#include <stdlib.h>

#include "brski_records.h"
#include "glue_look.h"
#include "glue_tree.h"

static const char *value_of(const est_check_t *c, const char *directive)
{
    return glue_tree_value(c->main_server, c->server, directive, c->temp);
}

/* ---- mod_ssl ---- */

/* A file that mod_ssl cannot read it tells itself. */
apr_array_header_t *est_check_tls_certificates(const est_check_t *c)
{
    const apr_array_header_t *files =
        glue_tree_all(c->main_server, c->server, "SSLCertificateFile", c->temp);
    apr_array_header_t *shown = apr_array_make(c->temp, 2, sizeof(const brski_cert_t *));
    int i;

    for (i = 0; i < files->nelts; i++) {
        const char *args = APR_ARRAY_IDX(files, i, const ap_directive_t *)->args;
        const char *path = ap_server_root_relative(c->temp, ap_getword_conf(c->temp, &args));
        apr_array_header_t *certs;

        if (path && !brski_cert_load(&certs, path, c->temp) && certs->nelts) {
            APR_ARRAY_PUSH(shown, const brski_cert_t *) =
                APR_ARRAY_IDX(certs, 0, const brski_cert_t *);
        }
    }
    return shown;
}

static int tls_is_on(const est_check_t *c)
{
    const char *engine = value_of(c, "SSLEngine");
    const char *protocol = ap_get_server_protocol(c->server);

    return engine ? ap_cstr_casecmp(engine, "off") != 0 : protocol && !strcmp(protocol, "https");
}

/* Under another word than optional_no_ca mod_ssl refuses IDevIDs, whose CAs it does not know. */
static void check_verify_client(est_check_t *c)
{
    static const char *const good[] = {"optional_no_ca", NULL};
    const char *value = value_of(c, "SSLVerifyClient");
    const ap_directive_t *section;

    value = value ? value : "none";
    if (ap_cstr_casecmp(value, good[0])) {
        est_check_wrong(c, est_check_place(c, "SSLVerifyClient"),
                        "BRSKI3051: SSLVerifyClient %s: devices' certificates are judged by "
                        "<ESTManufacturer>, not by mod_ssl; write SSLVerifyClient optional_no_ca "
                        "for this server",
                        value);
    }
    section =
        glue_tree_section_differs(c->main_server, c->server, "SSLVerifyClient", good, c->temp);
    if (section) {
        est_check_wrong(c, glue_tree_where(section, c->temp),
                        "BRSKI3052: SSLVerifyClient %s in a section of a registrar's server would "
                        "ask for the certificate a second time and refuse it; leave it out",
                        section->args);
    }
}

static void check_ocsp(est_check_t *c)
{
    const char *value = value_of(c, "SSLOCSPEnable");

    if (value && ap_cstr_casecmp(value, "off")) {
        est_check_wrong(c, est_check_place(c, "SSLOCSPEnable"),
                        "BRSKI3053: SSLOCSPEnable %s: mod_ssl would refuse every device whose CA "
                        "it does not know; leave it out",
                        value);
    }
}

/* What makes a user of a certificate that nobody has verified. */
static void check_user_from_certificate(est_check_t *c)
{
    static const char *const fake[] = {"FakeBasicAuth", "+FakeBasicAuth", NULL};
    static const char *const none[] = {NULL};
    const ap_directive_t *d =
        glue_tree_says(c->main_server, c->server, "SSLOptions", fake, c->temp);

    if (d) {
        est_check_wrong(c, glue_tree_where(d, c->temp),
                        "BRSKI3054: SSLOptions FakeBasicAuth: a registrar takes certificates of "
                        "anybody, so a name in one proves nothing; leave it out and write "
                        "ESTClientAnchor for certificates that may enrol");
    }
    d = glue_tree_last(c->main_server, c->server, "SSLUserName");
    d = d ? d
          : glue_tree_section_differs(c->main_server, c->server, "SSLUserName", none, c->temp);
    if (d) {
        est_check_wrong(c, glue_tree_where(d, c->temp),
                        "BRSKI3055: SSLUserName: a registrar takes certificates of anybody, so a "
                        "name in one proves nothing; leave it out and write ESTClientAnchor for "
                        "certificates that may enrol");
    }
}

static void check_tls(est_check_t *c)
{
    if (!tls_is_on(c)) {
        est_check_wrong(c, c->where,
                        "BRSKI3050: ESTEngine On, but this server does not speak TLS (RFC 7030 "
                        "3.3 requires it); write SSLEngine On, or move ESTEngine into the "
                        "<VirtualHost> that does");
        return;
    }
    check_verify_client(c);
    check_ocsp(c);
    check_user_from_certificate(c);
}

/* ---- handlers ---- */

static void check_handlers(est_check_t *c)
{
    static const char *const est[] = {"est", NULL};
    static const char *const later[] = {"est-admin", "est-ocsp", NULL};
    const ap_directive_t *d =
        glue_tree_says(c->main_server, c->server, "SetHandler", later, c->temp);

    if (!glue_tree_says(c->main_server, c->server, "SetHandler", est, c->temp)) {
        est_check_doubtful(c, c->where,
                           "BRSKI3056: ESTEngine On, but nothing is handed to it; write <Location "
                           "\"/.well-known/est\"> SetHandler est </Location>, and the same for "
                           "\"/.well-known/brski\"");
    }
    if (d) {
        est_check_wrong(c, glue_tree_where(d, c->temp),
                        "BRSKI3057: SetHandler %s is not in this version; leave it out: estctl "
                        "administers, and SetHandler est-crl tells what was revoked",
                        d->args);
    }
}

/* ---- mod_dbd ---- */

static brski_err_t *look(const brski_store_host_t *host, brski_dialect_t dialect, apr_pool_t *pool)
{
    brski_records_t *records;

    BRSKI_TRY(brski_records_make(&records, "default", host, dialect, 1, GLUE_LOOK_PATIENCE,
                                 brski_ctx_default(), pool));
    return brski_records_schema_check(records, pool);
}

static void check_schema(est_check_t *c, const char *driver, const char *params)
{
    const char *key = apr_pstrcat(c->temp, driver, " ", params, NULL);
    const brski_err_t *err;

    if (apr_hash_get(c->databases, key, APR_HASH_KEY_STRING)) {
        return;
    }
    apr_hash_set(c->databases, key, APR_HASH_KEY_STRING, "");
    err = glue_look(driver, params, look, c->temp);
    if (err && err->code == BRSKI_E_STORE_SCHEMA) {
        est_check_wrong(c, est_check_place(c, "DBDParams"),
                        "BRSKI3065: DBDParams: the database is not as this version needs it: %s",
                        err->detail);
    }
    else if (err) {
        est_check_doubtful(c, est_check_place(c, "DBDParams"),
                           "BRSKI3066: DBDParams: the database cannot be asked now, the server "
                           "will answer 503 until it can: %s",
                           err->detail);
    }
}

/* More threads than mod_dbd has connections would wait for one without an end. */
static void limit_workers(est_check_t *c)
{
    const char *value = value_of(c, "DBDMax");
    const int max = value ? atoi(value) : 0;
    const int workers = est_get(c->engine->conf, database_workers);

    c->engine->database_workers = max > 0 && max < workers ? max : workers;
}

/* Threads of one process that wait for SQLite's lock hold the driver's one mutex, and with it the
 * thread that has the lock. */
static void check_pool(est_check_t *c)
{
    const char *max = value_of(c, "DBDMax");
    const char *persist = value_of(c, "DBDPersist");

    if (c->engine->dialect == BRSKI_SQLITE3 && (!max || strcmp(max, "1"))) {
        est_check_doubtful(c, est_check_place(c, "DBDMax"),
                           "BRSKI3063: DBDMax %s with sqlite3: connections of one process would "
                           "wait for each other; write DBDMax 1",
                           max ? max : "10 (default)");
    }
    if (persist && !ap_cstr_casecmp(persist, "off")) {
        est_check_wrong(c, est_check_place(c, "DBDPersist"),
                        "BRSKI3064: DBDPersist Off opens a connection for each question; leave it "
                        "out or write DBDPersist On");
    }
}

static void check_dbd(est_check_t *c)
{
    const char *driver = value_of(c, "DBDriver");
    const char *params = value_of(c, "DBDParams");

    if (!driver) {
        est_check_wrong(c, c->where,
                        "BRSKI3060: ESTEngine On, but no database; write DBDriver sqlite3 and "
                        "DBDParams FILE, or DBDriver pgsql and DBDParams \"host=... dbname=...\"");
        return;
    }
    c->engine->dialect = brski_dialect_parse(driver);
    if (!c->engine->dialect) {
        est_check_wrong(c, est_check_place(c, "DBDriver"),
                        "BRSKI3061: DBDriver %s: a registrar keeps its records in sqlite3 or "
                        "pgsql; write one of them",
                        driver);
        return;
    }
    if (!params) {
        est_check_wrong(c, est_check_place(c, "DBDriver"),
                        "BRSKI3062: DBDriver %s, but no DBDParams; write where the database is",
                        driver);
        return;
    }
    if (c->engine->dialect == BRSKI_SQLITE3) {
        c->engine->sqlite_file = apr_pstrdup(c->pool, glue_look_sqlite_file(params, c->temp));
    }
    check_pool(c);
    limit_workers(c);
    check_schema(c, driver, params);
}

void est_check_httpd(est_check_t *c)
{
    check_tls(c);
    check_handlers(c);
    check_dbd(c);
}
