/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue.c: logs and names of servers, as glue.h says.
 */
#include "glue.h"

#include <apr_strings.h>

brski_log_level_t glue_log_level(int httpd_level)
{
    return httpd_level >= APLOG_DEBUG ? BRSKI_LOG_DEBUG
         : httpd_level >= APLOG_INFO ? BRSKI_LOG_INFO : BRSKI_LOG_WARNING;
}

static void log_server_line(void *baton, brski_log_level_t level, int number, const char *text)
{
    server_rec *s = baton;

    if (number) {
        ap_log_error(APLOG_MARK, (int)level, 0, s, "BRSKI%04d: %s", number, text);
    }
    else {
        ap_log_error(APLOG_MARK, (int)level, 0, s, "%s", text);
    }
}

void glue_log_server(brski_log_t *log, server_rec *s)
{
    log->write = log_server_line;
    log->baton = s;
    log->level = glue_log_level(ap_get_server_module_loglevel(s, APLOG_MODULE_INDEX));
}

const char *glue_node_name(const server_rec *s, apr_pool_t *pool)
{
    char host[APRMAXHOSTLEN + 1];

    if (apr_gethostname(host, sizeof(host), pool) != APR_SUCCESS) {
        apr_cpystrn(host, "localhost", sizeof(host));
    }
    return apr_psprintf(pool, "%s/%s:%u", host, s->server_hostname ? s->server_hostname : "",
                        (unsigned)(s->port || !s->addrs ? s->port : s->addrs->host_port));
}
