/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_check.h: the check_config hook: whether the configuration is right, as `apachectl configtest` and every start ask; and
 * what its parts share.
 */
#ifndef EST_CHECK_H
#define EST_CHECK_H

#include "est_runtime.h"
#include "glue_check.h"

/**
 * Make the engine of every server with ESTEngine On, saying all that is wrong: directive, value, what would be right.
 * @return OK, or an error after which httpd does not start
 */
int est_check_config(apr_pool_t *pconf, apr_pool_t *plog, apr_pool_t *ptemp, server_rec *s);

/** The engine that is being made. */
#define est_checked(c) ((est_engine_t *)(c)->of)

/** Nonzero when the user that httpd's children run as may read a file: what is read anew there must be. */
int est_check_readable(const char *path, apr_pool_t *pool);

/** The key in a file, when it is that of a certificate. @return NULL or BRSKI_E_CONFIG whose public text says what is wrong */
brski_err_t *est_check_key(EVP_PKEY **key, const char *file, const brski_cert_t *cert, apr_pool_t *pool);

/** The certificates that mod_ssl shows for the server, end entities, array of const brski_cert_t *. */
apr_array_header_t *est_check_tls_certificates(const glue_check_t *c);

/** Registrar certificates, manufacturers, what is accepted of a device's history (est_check_registrar.c). */
void est_check_registrar(glue_check_t *c);

/** CAs, profiles, labels (est_check_enroll.c). */
void est_check_enroll(glue_check_t *c);

/** What the server needs of mod_ssl, mod_dbd and its sections (est_check_httpd.c). */
void est_check_httpd(glue_check_t *c);

#endif
