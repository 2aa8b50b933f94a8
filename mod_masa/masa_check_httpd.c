/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_check_httpd.c: what an engine needs of the rest of httpd's configuration: mod_ssl that lets
 * registrars in to be judged and makes no user of an unverified certificate, a handler, a database
 * that mod_dbd keeps open.
 */
#include "masa_check.h"

#include <apr_strings.h>
#include <stdlib.h>
#include <http_core.h>

#include "glue_look.h"
#include "glue_tree.h"

static const char *value_of(const masa_check_t *c, const char *directive)
{
    return glue_tree_value(c->main_server, c->server, directive, c->temp);
}

/* ---- mod_ssl ---- */

static int tls_is_on(const masa_check_t *c)
{
    const char *engine = value_of(c, "SSLEngine");
    const char *protocol = ap_get_server_protocol(c->server);

    return engine ? ap_cstr_casecmp(engine, "off") != 0 : protocol && !strcmp(protocol, "https");
}

/* What mod_ssl must have for a mode: under another than optional_no_ca it refuses what our SSL_CTX
 * takes; where no certificate is wanted it would ask for one with the first request. */
static void check_verify_client(masa_check_t *c)
{
    static const char *const good[] = {"optional_no_ca", NULL};
    const int mode = masa_get(c->engine->conf, client);
    const char *want = mode == MASA_CLIENT_NONE ? "none" : good[0];
    const char *value = value_of(c, "SSLVerifyClient");
    const ap_directive_t *section;

    value = value ? value : "none";
    if (ap_cstr_casecmp(value, want)) {
        masa_check_wrong(c, masa_check_place(c, "SSLVerifyClient"),
                         "BRSKI2041: SSLVerifyClient %s: registrars' certificates are judged by "
                         "MASAClientCertificate, not by mod_ssl; write SSLVerifyClient %s for this "
                         "server",
                         value, want);
    }
    section =
        glue_tree_section_differs(c->main_server, c->server, "SSLVerifyClient", good, c->temp);
    if (section) {
        masa_check_wrong(
            c, glue_tree_where(section, c->temp),
            "BRSKI2042: SSLVerifyClient %s in a section of "
            "a MASA's server would ask for the certificate a second time and refuse it; leave it "
            "out, MASAClientCertificate decides",
            section->args);
    }
}

static void check_ocsp(masa_check_t *c)
{
    const char *value = value_of(c, "SSLOCSPEnable");

    if (value && ap_cstr_casecmp(value, "off")) {
        masa_check_wrong(c, masa_check_place(c, "SSLOCSPEnable"),
                         "BRSKI2047: SSLOCSPEnable %s: mod_ssl would refuse every client "
                         "certificate of an unknown CA; leave it out, MASARevocation decides for "
                         "registrars",
                         value);
    }
}

/* What makes a user of a certificate that nobody has verified. */
static void check_user_from_certificate(masa_check_t *c)
{
    static const char *const fake[] = {"FakeBasicAuth", "+FakeBasicAuth", NULL};
    static const char *const none[] = {NULL};
    const ap_directive_t *d =
        glue_tree_says(c->main_server, c->server, "SSLOptions", fake, c->temp);

    if (d) {
        masa_check_wrong(
            c, glue_tree_where(d, c->temp),
            "BRSKI2043: SSLOptions FakeBasicAuth: a MASA takes "
            "certificates of anybody, so a name in one proves nothing; leave it out and write "
            "Require masa-customer");
    }
    if (glue_tree_last(c->main_server, c->server, "SSLUserName")) {
        masa_check_wrong(c, masa_check_place(c, "SSLUserName"),
                         "BRSKI2044: SSLUserName: a MASA takes certificates of "
                         "anybody, so a name in one proves nothing; leave it out and write Require "
                         "masa-customer");
        return;
    }
    d = glue_tree_section_differs(c->main_server, c->server, "SSLUserName", none, c->temp);
    if (d) {
        masa_check_wrong(c, glue_tree_where(d, c->temp),
                         "BRSKI2045: SSLUserName in a section: a MASA takes "
                         "certificates of anybody, so a name in one proves nothing; leave it out");
    }
}

static void check_tls(masa_check_t *c)
{
    if (!tls_is_on(c)) {
        masa_check_wrong(
            c, c->where,
            "BRSKI2040: MASAEngine On, but this server does not speak TLS (RFC 8995 "
            "5.4 requires it); write SSLEngine On, or move MASAEngine into the <VirtualHost> "
            "that does");
        return;
    }
    check_verify_client(c);
    check_ocsp(c);
    check_user_from_certificate(c);
}

/* ---- handlers ---- */

static void check_handler(masa_check_t *c)
{
    static const char *const masa[] = {"masa", NULL};

    if (!glue_tree_says(c->main_server, c->server, "SetHandler", masa, c->temp)) {
        masa_check_doubtful(c, c->where,
                            "BRSKI2046: MASAEngine On, but nothing is handed to it; write "
                            "<Location \"%s\"> SetHandler masa </Location>",
                            masa_get_text(c->engine->conf, base));
    }
}

/* ---- mod_dbd ---- */

static brski_err_t *look(const brski_store_host_t *host, brski_dialect_t dialect, apr_pool_t *pool)
{
    brski_store_t *store;

    BRSKI_TRY(brski_store_make(&store, "default", host, dialect, 1, GLUE_LOOK_PATIENCE,
                               brski_ctx_default(), pool));
    return brski_store_schema_check(store, pool);
}

static void check_schema(masa_check_t *c, const char *driver, const char *params)
{
    const char *key = apr_pstrcat(c->temp, driver, " ", params, NULL);
    const brski_err_t *err;

    if (apr_hash_get(c->databases, key, APR_HASH_KEY_STRING)) {
        return;
    }
    apr_hash_set(c->databases, key, APR_HASH_KEY_STRING, "");
    err = glue_look(driver, params, look, c->temp);
    if (err && err->code == BRSKI_E_STORE_SCHEMA) {
        masa_check_wrong(c, masa_check_place(c, "DBDParams"),
                         "BRSKI2055: DBDParams: the database is not as this version needs it: %s",
                         err->detail);
    }
    else if (err) {
        masa_check_doubtful(c, masa_check_place(c, "DBDParams"),
                            "BRSKI2056: DBDParams: the database cannot be asked now, the server "
                            "will answer 503 until it can: %s",
                            err->detail);
    }
}

/* More threads than mod_dbd has connections would wait for one without an end. */
static void limit_workers(masa_check_t *c)
{
    const char *value = value_of(c, "DBDMax");
    int max = value ? atoi(value) : 0;
    int workers = masa_get(c->engine->conf, database_workers);

    c->engine->database_workers = max > 0 && max < workers ? max : workers;
}

/* Threads of one process that wait for SQLite's lock hold the driver's one mutex, and with it the
 * thread that has the lock. */
static void check_pool(masa_check_t *c)
{
    const char *max = value_of(c, "DBDMax");
    const char *persist = value_of(c, "DBDPersist");

    if (c->engine->dialect == BRSKI_SQLITE3 && (!max || strcmp(max, "1"))) {
        masa_check_doubtful(c, masa_check_place(c, "DBDMax"),
                            "BRSKI2053: DBDMax %s with sqlite3: connections of one "
                            "process would wait for each other; write DBDMax 1",
                            max ? max : "10 (default)");
    }
    if (persist && !ap_cstr_casecmp(persist, "off")) {
        masa_check_wrong(c, masa_check_place(c, "DBDPersist"),
                         "BRSKI2054: DBDPersist Off opens a connection for each "
                         "question; leave it out or write DBDPersist On");
    }
}

static void check_dbd(masa_check_t *c)
{
    const char *driver = value_of(c, "DBDriver");
    const char *params = value_of(c, "DBDParams");

    if (!driver) {
        masa_check_wrong(c, c->where,
                         "BRSKI2050: MASAEngine On, but no database; write DBDriver sqlite3 and "
                         "DBDParams FILE, or DBDriver pgsql and DBDParams \"host=... dbname=...\"");
        return;
    }
    c->engine->dialect = brski_dialect_parse(driver);
    if (!c->engine->dialect) {
        masa_check_wrong(c, masa_check_place(c, "DBDriver"),
                         "BRSKI2051: DBDriver %s: a MASA keeps its records in "
                         "sqlite3 or pgsql; write one of them",
                         driver);
        return;
    }
    if (!params) {
        masa_check_wrong(c, masa_check_place(c, "DBDriver"),
                         "BRSKI2052: DBDriver %s, but no DBDParams; write where "
                         "the database is",
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

void masa_check_httpd(masa_check_t *c)
{
    check_tls(c);
    check_handler(c);
    check_dbd(c);
}
