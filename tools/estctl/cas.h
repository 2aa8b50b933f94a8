/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cas.h: which CAs a tenant's certificates are of.
 */
#ifndef ESTCTL_CAS_H
#define ESTCTL_CAS_H

#include "db.h"

/** Keys (hex SHA-256 of the SPKI) of all CAs that have issued here, array of const char *. */
brski_err_t *cas_list(apr_array_header_t **cas, db_t *db);

/**
 * The CA that a command is about: hex or the beginning of it; NULL: the only one.
 * @return NULL, or BRSKI_E_INPUT when there is none or several
 */
brski_err_t *cas_find(const char **ca, db_t *db, const char *hex);

#endif
