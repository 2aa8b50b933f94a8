/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_check_httpd.c: what an engine needs of the rest of httpd's configuration: mod_ssl that lets
 * registrars in to be judged and makes no user of an unverified certificate, a handler, a database
 * that mod_dbd keeps open.
 */
#include "masa_check.h"

#include <apr_strings.h>

#include "glue_tree.h"

/* ---- mod_ssl ---- */

/* What mod_ssl must have for a mode: under another than optional_no_ca it refuses what our SSL_CTX
 * takes; where no certificate is wanted it would ask for one with the first request. */
static void check_verify_client(glue_check_t *c)
{
    static const char *const good[] = {"optional_no_ca", NULL};
    const int mode = masa_get(masa_checked(c)->conf, client);
    const char *want = mode == MASA_CLIENT_NONE ? "none" : good[0];
    const char *value = glue_check_value(c, "SSLVerifyClient");
    const ap_directive_t *section;

    value = value ? value : "none";
    if (ap_cstr_casecmp(value, want)) {
        glue_check_wrong(c, glue_check_place(c, "SSLVerifyClient"),
                         "BRSKI2041: SSLVerifyClient %s: registrars' certificates are judged by "
                         "MASAClientCertificate, not by mod_ssl; write SSLVerifyClient %s for this "
                         "server",
                         value, want);
    }
    section =
        glue_tree_section_differs(c->main_server, c->server, "SSLVerifyClient", good, c->temp);
    if (section) {
        glue_check_wrong(
            c, glue_tree_where(section, c->temp),
            "BRSKI2042: SSLVerifyClient %s in a section of "
            "a MASA's server would ask for the certificate a second time and refuse it; leave it "
            "out, MASAClientCertificate decides",
            section->args);
    }
}

static void check_ocsp(glue_check_t *c)
{
    const char *value = glue_check_value(c, "SSLOCSPEnable");

    if (value && ap_cstr_casecmp(value, "off")) {
        glue_check_wrong(c, glue_check_place(c, "SSLOCSPEnable"),
                         "BRSKI2047: SSLOCSPEnable %s: mod_ssl would refuse every client "
                         "certificate of an unknown CA; leave it out, MASARevocation decides for "
                         "registrars",
                         value);
    }
}

/* What makes a user of a certificate that nobody has verified. */
static void check_user_from_certificate(glue_check_t *c)
{
    static const char *const fake[] = {"FakeBasicAuth", "+FakeBasicAuth", NULL};
    static const char *const none[] = {NULL};
    const ap_directive_t *d =
        glue_tree_says(c->main_server, c->server, "SSLOptions", fake, c->temp);

    if (d) {
        glue_check_wrong(
            c, glue_tree_where(d, c->temp),
            "BRSKI2043: SSLOptions FakeBasicAuth: a MASA takes "
            "certificates of anybody, so a name in one proves nothing; leave it out and write "
            "Require masa-customer");
    }
    if (glue_tree_last(c->main_server, c->server, "SSLUserName")) {
        glue_check_wrong(c, glue_check_place(c, "SSLUserName"),
                         "BRSKI2044: SSLUserName: a MASA takes certificates of "
                         "anybody, so a name in one proves nothing; leave it out and write Require "
                         "masa-customer");
        return;
    }
    d = glue_tree_section_differs(c->main_server, c->server, "SSLUserName", none, c->temp);
    if (d) {
        glue_check_wrong(c, glue_tree_where(d, c->temp),
                         "BRSKI2045: SSLUserName in a section: a MASA takes "
                         "certificates of anybody, so a name in one proves nothing; leave it out");
    }
}

static void check_tls(glue_check_t *c)
{
    if (!glue_check_tls_is_on(c)) {
        glue_check_wrong(
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

static void check_handler(glue_check_t *c)
{
    static const char *const masa[] = {"masa", NULL};

    if (!glue_tree_says(c->main_server, c->server, "SetHandler", masa, c->temp)) {
        glue_check_doubtful(c, c->where,
                            "BRSKI2046: MASAEngine On, but nothing is handed to it; write "
                            "<Location \"%s\"> SetHandler masa </Location>",
                            masa_get_text(masa_checked(c)->conf, base));
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

static void check_dbd(glue_check_t *c)
{
    static const glue_check_numbers_t numbers = {
        .no_driver = "BRSKI2050", .driver = "BRSKI2051", .no_params = "BRSKI2052",
        .max = "BRSKI2053", .persist = "BRSKI2054", .schema = "BRSKI2055", .away = "BRSKI2056"
    };
    masa_engine_t *engine = masa_checked(c);
    const int workers = masa_get(engine->conf, database_workers);
    glue_database_t database;

    glue_check_dbd(&database, c, &numbers, look);
    engine->dialect = database.dialect;
    engine->sqlite_file = database.sqlite_file;
    /* more threads than mod_dbd has connections would wait for one without an end */
    engine->database_workers = database.connections > 0 && database.connections < workers
                                   ? database.connections : workers;
}

void masa_check_httpd(glue_check_t *c)
{
    glue_check_alone(c, "BRSKI2048", "ESTEngine");
    check_tls(c);
    check_handler(c);
    check_dbd(c);
}
