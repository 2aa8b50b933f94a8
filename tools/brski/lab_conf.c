/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_conf.c: writes the configuration of a lab's MASA, as lab_conf.h says. What differs from lab
 * to lab stands in Define lines at the top; the rest reads like a configuration that an
 * administrator would write.
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
    "LoadModule dbd_module \"${MODULES}/mod_dbd.so\"\n"
    "LoadModule masa_module \"${MOD_MASA}\"\n\n";

static const char server_part[] =
    "ServerRoot \"${LAB}\"\n"
    "ServerName ${HOST}:${PORT}\n"
    "DefaultRuntimeDir \"${LAB}/" LAB_RUN "\"\n"
    "PidFile \"${LAB}/" LAB_RUN "/httpd.pid\"\n"
    "ErrorLog \"${LAB}/" LAB_LOGS "/error.log\"\n"
    "# mod_ssl warns of the session cache that is off on purpose.\n"
    "LogLevel warn ssl:error masa:info\n"
    "LogFormat \"%h %t \\\"%r\\\" %>s %B %{MASA_REQUEST_ID}e %{MASA_SERIAL}e"
    " %{MASA_ASSERTION}e %{MASA_RESULT}e\" masa\n"
    "CustomLog \"${LAB}/" LAB_LOGS "/access.log\" masa\n\n"
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
    "# The records: made by 'masactl schema apply'. One connection a process, because threads of\n"
    "# one process that wait for SQLite's lock would hold up the one that has it.\n"
    "DBDriver sqlite3\n"
    "DBDParams \"${LAB}/" LAB_DB_FILE "\"\n"
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
    "SSLCertificateFile \"${LAB}/" LAB_TLS "/server.pem\"\n"
    "SSLCertificateKeyFile \"${LAB}/" LAB_TLS "/server.key\"\n"
    "# Registrars' certificates are let in to be judged by the MASA, whoever issued them.\n"
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

/* The run user's lines; who is not root cannot change user, and httpd would warn. */
static const char *user_part(const lab_conf_t *c, apr_pool_t *pool)
{
    return c->user ? apr_psprintf(pool, "User %s\nGroup %s\n\n", c->user, c->group) : "";
}

const char *lab_conf_text(const lab_conf_t *c, apr_pool_t *pool)
{
    const char *head = apr_psprintf(pool,
        "# The MASA of this lab: made by 'brski lab', complete, on loopback, with SQLite.\n"
        "#   make its records   masactl --config %s/masactl.conf schema apply\n"
        "#   start              " BRSKI_HTTPD " -f %s/masa.conf\n"
        "#   stop               " BRSKI_HTTPD " -f %s/masa.conf -k stop\n"
        "Define LAB \"%s\"\n"
        "Define HOST \"%s\"\n"
        "Define PORT %d\n"
        "Define PRODUCT %s\n"
        "Define MODULES \"%s\"\n"
        "Define MOD_MASA \"%s\"\n\n",
        c->dir, c->dir, c->dir, c->dir, c->host, c->port, c->product, c->modules, c->module);

    return apr_pstrcat(pool, head, modules_part, user_part(c, pool), server_part, database_part,
                       tls_part, masa_part, NULL);
}

const char *lab_conf_masactl(const lab_conf_t *c, apr_pool_t *pool)
{
    return apr_psprintf(pool,
                        "# Which database masactl administers: that of this lab.\n"
                        "driver sqlite3\n"
                        "params %s/" LAB_DB_FILE "\n",
                        c->dir);
}
