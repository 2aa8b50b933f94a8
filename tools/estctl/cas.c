/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cas.c: finding the CAs that have issued, by leaps over the key of their certificates.
 */
#include "cas.h"
#include "brski_bytes.h"

#include <apr_strings.h>
#include <string.h>

#define LAST_SERIAL "\x7f" /* behind every hex number */
#define CAS_MAX 1000       /* more is not an operator's registrar any more */

brski_err_t *cas_list(apr_array_header_t **cas, db_t *db)
{
    const char *after = "";
    apr_array_header_t *one;

    *cas = apr_array_make(db->pool, 4, sizeof(const char *));
    while ((*cas)->nelts < CAS_MAX) {
        BRSKI_TRY(brski_records_certificates(&one, db_records(db), after, *after ? LAST_SERIAL : "",
                                             NULL, NULL, 1, db->pool, db->pool));
        if (!one->nelts) {
            break;
        }
        after = APR_ARRAY_IDX(one, 0, const brski_issued_t *)->ca;
        APR_ARRAY_PUSH(*cas, const char *) = after;
    }
    return BRSKI_OK;
}

static const char *all_names(const apr_array_header_t *cas, apr_pool_t *pool)
{
    return apr_array_pstrcat(pool, cas, ' ');
}

brski_err_t *cas_find(const char **ca, db_t *db, const char *hex)
{
    apr_array_header_t *cas;
    int found = 0;

    *ca = NULL;
    BRSKI_TRY(cas_list(&cas, db));
    for (int i = 0; i < cas->nelts; i++) {
        const char *one = APR_ARRAY_IDX(cas, i, const char *);
        if (!hex || !strncmp(one, hex, strlen(hex))) {
            *ca = one;
            found++;
        }
    }
    if (found == 1) {
        return BRSKI_OK;
    }
    if (!cas->nelts) {
        return say_refuse(db->pool, "no CA has issued a certificate for tenant %s yet", db->tenant);
    }
    return found ? say_refuse(db->pool, "several CAs have issued: name one with --ca, of: %s",
                              all_names(cas, db->pool))
                 : say_refuse(db->pool, "no CA %s has issued here; these have: %s",
                              brski_printable(hex, 128, db->pool), all_names(cas, db->pool));
}
