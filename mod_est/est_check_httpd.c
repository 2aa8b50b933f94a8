/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_check_httpd.c: what an engine needs of the rest of httpd's configuration: mod_ssl that lets
 * devices in to be judged and makes no user of an unverified certificate, handlers, a database that
 * mod_dbd keeps open.
 */
#include "est_check.h"

#include <apr_strings.h>
#include <http_core.h>

#include "brski_records.h"
#include "glue_tree.h"

/* ---- mod_ssl ---- */

/* A file that mod_ssl cannot read it tells itself. */
apr_array_header_t *est_check_tls_certificates(const glue_check_t *c)
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

/* Under another word than optional_no_ca mod_ssl refuses IDevIDs, whose CAs it does not know. */
static void check_verify_client(glue_check_t *c)
{
    static const char *const good[] = {"optional_no_ca", NULL};
    const char *value = glue_check_value(c, "SSLVerifyClient");
    const ap_directive_t *section;

    value = value ? value : "none";
    if (ap_cstr_casecmp(value, good[0])) {
        glue_check_wrong(c, glue_check_place(c, "SSLVerifyClient"),
                         "BRSKI3051: SSLVerifyClient %s: devices' certificates are judged by "
                         "<ESTManufacturer>, not by mod_ssl; write SSLVerifyClient optional_no_ca "
                         "for this server",
                         value);
    }
    section =
        glue_tree_section_differs(c->main_server, c->server, "SSLVerifyClient", good, c->temp);
    if (section) {
        glue_check_wrong(c, glue_tree_where(section, c->temp),
                         "BRSKI3052: SSLVerifyClient %s in a section of a registrar's server would "
                         "ask for the certificate a second time and refuse it; leave it out",
                         section->args);
    }
}

static void check_ocsp(glue_check_t *c)
{
    const char *value = glue_check_value(c, "SSLOCSPEnable");

    if (value && ap_cstr_casecmp(value, "off")) {
        glue_check_wrong(c, glue_check_place(c, "SSLOCSPEnable"),
                         "BRSKI3053: SSLOCSPEnable %s: mod_ssl would refuse every device whose CA "
                         "it does not know; leave it out",
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
        glue_check_wrong(c, glue_tree_where(d, c->temp),
                         "BRSKI3054: SSLOptions FakeBasicAuth: a registrar takes certificates of "
                         "anybody, so a name in one proves nothing; leave it out and write "
                         "ESTClientAnchor for certificates that may enrol");
    }
    d = glue_tree_last(c->main_server, c->server, "SSLUserName");
    d = d ? d
          : glue_tree_section_differs(c->main_server, c->server, "SSLUserName", none, c->temp);
    if (d) {
        glue_check_wrong(c, glue_tree_where(d, c->temp),
                         "BRSKI3055: SSLUserName: a registrar takes certificates of anybody, so a "
                         "name in one proves nothing; leave it out and write ESTClientAnchor for "
                         "certificates that may enrol");
    }
}

static void check_tls(glue_check_t *c)
{
    if (!glue_check_tls_is_on(c)) {
        glue_check_wrong(c, c->where,
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

static void check_handlers(glue_check_t *c)
{
    static const char *const est[] = {"est", NULL};
    static const char *const later[] = {"est-admin", "est-ocsp", NULL};
    const ap_directive_t *d =
        glue_tree_says(c->main_server, c->server, "SetHandler", later, c->temp);

    if (!glue_tree_says(c->main_server, c->server, "SetHandler", est, c->temp)) {
        glue_check_doubtful(c, c->where,
                            "BRSKI3056: ESTEngine On, but nothing is handed to it; write <Location "
                            "\"/.well-known/est\"> SetHandler est </Location>, and the same for "
                            "\"/.well-known/brski\"");
    }
    if (d) {
        glue_check_wrong(c, glue_tree_where(d, c->temp),
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

static void check_dbd(glue_check_t *c)
{
    static const glue_check_numbers_t numbers = {
        .no_driver = "BRSKI3060", .driver = "BRSKI3061", .no_params = "BRSKI3062",
        .max = "BRSKI3063", .persist = "BRSKI3064", .schema = "BRSKI3065", .away = "BRSKI3066"
    };
    est_engine_t *engine = est_checked(c);
    const int workers = est_get(engine->conf, database_workers);
    glue_database_t database;

    glue_check_dbd(&database, c, &numbers, look);
    engine->dialect = database.dialect;
    engine->sqlite_file = database.sqlite_file;
    /* more threads than mod_dbd has connections would wait for one without an end */
    engine->database_workers = database.connections > 0 && database.connections < workers
                                   ? database.connections : workers;
}

void est_check_httpd(glue_check_t *c)
{
    glue_check_alone(c, "BRSKI3058", "MASAEngine");
    check_tls(c);
    check_handlers(c);
    check_dbd(c);
}
