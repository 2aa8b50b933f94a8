/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_conf.c: writes the configurations of a lab's MASA and registrar, as lab_conf.h says. What
 * differs from lab to lab stands in Define lines at the top; the rest reads like a configuration
 * that an administrator would write.
 */
#include "lab_conf.h"

#include <apr_strings.h>

#include "lab.h"

#ifndef BRSKI_HTTPD
#define BRSKI_HTTPD "apache2"
#endif

static const char modules_part[] =
    "# Modules that httpd may have built in are loaded only where it has not.\n"
    "<IfModule !mpm_event_module>\n"
    "    LoadModule mpm_event_module \"${MODULES}/mod_mpm_event.so\"\n"
    "</IfModule>\n"
    "<IfModule !unixd_module>\n"
    "    LoadModule unixd_module \"${MODULES}/mod_unixd.so\"\n"
    "</IfModule>\n"
    "<IfModule !log_config_module>\n"
    "    LoadModule log_config_module \"${MODULES}/mod_log_config.so\"\n"
    "</IfModule>\n"
    "LoadModule authz_core_module \"${MODULES}/mod_authz_core.so\"\n"
    "LoadModule authz_host_module \"${MODULES}/mod_authz_host.so\"\n"
    "LoadModule ssl_module \"${MODULES}/mod_ssl.so\"\n"
    "LoadModule dbd_module \"${MODULES}/mod_dbd.so\"\n";

static const char load_masa[] = "LoadModule masa_module \"${MOD_MASA}\"\n\n";
static const char load_est[] = "LoadModule est_module \"${MOD_EST}\"\n\n";

static const char masa_files[] =
    "ServerRoot \"${LAB}\"\n"
    "ServerName ${HOST}:${PORT}\n"
    "DefaultRuntimeDir \"${LAB}/" LAB_RUN "\"\n"
    "PidFile \"${LAB}/" LAB_RUN "/httpd.pid\"\n"
    "ErrorLog \"${LAB}/" LAB_LOGS "/error.log\"\n"
    "# mod_ssl warns of the session cache that is off on purpose.\n"
    "LogLevel warn ssl:error masa:info\n"
    "LogFormat \"%h %t \\\"%r\\\" %>s %B %{MASA_REQUEST_ID}e %{MASA_SERIAL}e"
    " %{MASA_ASSERTION}e %{MASA_RESULT}e\" masa\n"
    "CustomLog \"${LAB}/" LAB_LOGS "/access.log\" masa\n\n";

static const char est_files[] =
    "ServerRoot \"${LAB}\"\n"
    "ServerName ${HOST}:${PORT}\n"
    "DefaultRuntimeDir \"${LAB}/" LAB_RUN "/est\"\n"
    "PidFile \"${LAB}/" LAB_RUN "/est.pid\"\n"
    "ErrorLog \"${LAB}/" LAB_LOGS "/est-error.log\"\n"
    "# mod_ssl warns of the session cache that is off on purpose.\n"
    "LogLevel warn ssl:error est:info\n"
    "LogFormat \"%h %t \\\"%r\\\" %>s %B %{EST_REQUEST_ID}e %{EST_SERIAL}e"
    " %{EST_RESULT}e\" est\n"
    "CustomLog \"${LAB}/" LAB_LOGS "/est-access.log\" est\n\n";

static const char server_part[] =
    "# Loopback only: a lab's keys protect nothing.\n"
    "Listen 127.0.0.1:${PORT}\n"
    "ServerTokens Prod\n"
    "MaxKeepAliveRequests 0\n\n"
    "# Few threads in several processes: OpenSSL 3.0 parses certificates faster that way.\n"
    "StartServers 2\n"
    "ServerLimit 2\n"
    "ThreadsPerChild 16\n"
    "MaxRequestWorkers 32\n"
    "MinSpareThreads 16\n"
    "MaxSpareThreads 32\n\n";

static const char database_part[] =
    "# The records: made by '${TOOL} schema apply'. One connection a process, because threads of\n"
    "# one process that wait for SQLite's lock would hold up the one that has it.\n"
    "DBDriver sqlite3\n"
    "DBDParams \"${LAB}/${DB}\"\n"
    "DBDMin 1\n"
    "DBDKeep 1\n"
    "DBDMax 1\n"
    "DBDExptime 0\n"
    "DBDInitSQL \"PRAGMA synchronous=FULL\"\n"
    "DBDInitSQL \"PRAGMA busy_timeout=250\"\n\n";

static const char tls_part[] =
    "SSLSessionCache none\n"
    "SSLSessionTickets Off\n"
    "SSLEngine On\n"
    "SSLProtocol -all +TLSv1.2 +TLSv1.3\n"
    "SSLCertificateFile \"${LAB}/${IDENTITY}.pem\"\n"
    "SSLCertificateKeyFile \"${LAB}/${IDENTITY}.key\"\n"
    "# Clients' certificates are let in to be judged by the module, whoever issued them.\n"
    "SSLVerifyClient optional_no_ca\n\n";

static const char masa_part[] =
    "MASAEngine On\n"
    "MASAClientCertificate request\n"
    "MASASigner lab \"${LAB}/" LAB_MANUFACTURER "/masa-signer.pem\""
    " \"${LAB}/" LAB_MANUFACTURER "/masa-signer.key\"\n\n"
    "<MASAProduct ${PRODUCT}>\n"
    "    MASAIDevIDAnchor \"${LAB}/" LAB_MANUFACTURER "/idevid-anchors.pem\"\n"
    "    MASASignWith lab\n"
    "    # First come, logged: anyone who has the device may have its voucher.\n"
    "    MASAOwner any\n"
    "    MASANonceless deny\n"
    "    MASAProximity required\n"
    "</MASAProduct>\n\n"
    "<Location \"/.well-known/brski\">\n"
    "    SetHandler masa\n"
    "    Require all granted\n"
    "</Location>\n\n"
    "# Is it ready (for balancers), and what does it do (for people; ?json and ?metrics).\n"
    "<Location \"/masa-health\">\n"
    "    SetHandler masa-health\n"
    "    Require all granted\n"
    "</Location>\n"
    "<Location \"/masa-status\">\n"
    "    SetHandler masa-status\n"
    "    Require local\n"
    "</Location>\n";

static const char est_part[] =
    "ESTEngine On\n"
    "# Pledges see this certificate, and its key signs the requests to their MASAs.\n"
    "ESTRegistrarCertificate \"${LAB}/" LAB_DOMAIN "/registrar.pem\""
    " \"${LAB}/" LAB_DOMAIN "/registrar.key\"\n"
    "ESTCA local \"${LAB}/" LAB_DOMAIN "/ca.pem\" \"${LAB}/" LAB_DOMAIN "/ca.key\""
    " crl=https://${HOST}:${PORT}/est-crl\n"
    "ESTProfile subject \"CN=%{serial},O=Lab Domain\"\n"
    "ESTProfile san \"DNS:%{serial}.devices.example\"\n\n"
    "<ESTManufacturer ${PRODUCT}>\n"
    "    ESTIDevIDAnchor \"${LAB}/" LAB_MANUFACTURER "/idevid-anchors.pem\"\n"
    "    ESTVoucherAnchor \"${LAB}/" LAB_MANUFACTURER "/root.pem\"\n"
    "    ESTMASATLSAnchor \"${LAB}/" LAB_TLS "/ca.pem\"\n"
    "    # By this key a MASA knows again who asks for the audit log of a voucher.\n"
    "    ESTMASAClientCertificate \"${LAB}/" LAB_DOMAIN "/masa-client.pem\""
    " \"${LAB}/" LAB_DOMAIN "/masa-client.key\"\n"
    "    # All devices of this manufacturer are welcome; elsewhere one lists what was bought.\n"
    "    ESTPledges any\n"
    "</ESTManufacturer>\n\n"
    "# The lab's MASA is on this machine, where a MASA URL may not point without being told so.\n"
    "ESTMASAAddresses public 127.0.0.0/8 ::1\n\n"
    "<Location \"/.well-known/brski\">\n"
    "    SetHandler est\n"
    "    Require all granted\n"
    "</Location>\n"
    "<Location \"/.well-known/est\">\n"
    "    SetHandler est\n"
    "    Require all granted\n"
    "</Location>\n\n"
    "# What was revoked; is it ready; what does it do (for people; ?json and ?metrics).\n"
    "<Location \"/est-crl\">\n"
    "    SetHandler est-crl\n"
    "    Require all granted\n"
    "</Location>\n"
    "<Location \"/est-health\">\n"
    "    SetHandler est-health\n"
    "    Require all granted\n"
    "</Location>\n"
    "<Location \"/est-status\">\n"
    "    SetHandler est-status\n"
    "    Require local\n"
    "</Location>\n";

/* The run user's lines; who is not root cannot change user, and httpd would warn. */
static const char *user_part(const lab_conf_t *c, apr_pool_t *pool)
{
    return c->user ? apr_psprintf(pool, "User %s\nGroup %s\n\n", c->user, c->group) : "";
}

/* What differs from lab to lab, and between the two servers of one. */
typedef struct head_t {
    const char *what;
    const char *tool;
    const char *conf;
    int port;
    const char *db;
    const char *identity;
    const char *module_name;
    const char *module;
} head_t;

static const char *head_part(const lab_conf_t *c, const head_t *h, apr_pool_t *pool)
{
    return apr_psprintf(pool,
        "# The %s of this lab: made by 'brski lab', complete, on loopback, with SQLite.\n"
        "#   make its records   %s --config %s/%s.conf schema apply\n"
        "#   start              " BRSKI_HTTPD " -f %s/%s\n"
        "#   stop               " BRSKI_HTTPD " -f %s/%s -k stop\n"
        "Define LAB \"%s\"\n"
        "Define HOST \"%s\"\n"
        "Define PORT %d\n"
        "Define PRODUCT %s\n"
        "Define TOOL %s\n"
        "Define DB %s\n"
        "Define IDENTITY %s\n"
        "Define MODULES \"%s\"\n"
        "Define %s \"%s\"\n\n",
        h->what, h->tool, c->dir, h->tool, c->dir, h->conf, c->dir, h->conf, c->dir, c->host,
        h->port, c->product, h->tool, h->db, h->identity, c->modules, h->module_name, h->module);
}

const char *lab_conf_text(const lab_conf_t *c, apr_pool_t *pool)
{
    const head_t head = { "MASA", "masactl", LAB_CONF, c->port, LAB_DB_FILE, LAB_TLS "/server",
                          "MOD_MASA", c->module };

    return apr_pstrcat(pool, head_part(c, &head, pool), modules_part, load_masa,
                       user_part(c, pool), masa_files, server_part, database_part, tls_part,
                       masa_part, NULL);
}

const char *lab_conf_est(const lab_conf_t *c, apr_pool_t *pool)
{
    const head_t head = { "registrar", "estctl", LAB_EST_CONF, c->est_port, LAB_EST_DB_FILE,
                          LAB_DOMAIN "/registrar", "MOD_EST", c->est_module };

    return apr_pstrcat(pool, head_part(c, &head, pool), modules_part, load_est,
                       user_part(c, pool), est_files, server_part, database_part, tls_part,
                       est_part, NULL);
}

const char *lab_conf_tool(const lab_conf_t *c, const char *tool, const char *db, apr_pool_t *pool)
{
    return apr_psprintf(pool,
                        "# Which database %s administers: that of this lab.\n"
                        "driver sqlite3\n"
                        "params %s/%s\n",
                        tool, c->dir, db);
}
