/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_records_trust.c: what waits for a human: enrolments to be approved, and anchors that a MASA
 * showed and that nobody knew (trust on first use).
 */
#include "brski_records_private.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"

/* Who may enrol may also ask for any number of certificates. */
#define APPROVALS_WAIT 10000
#define APPROVALS_OF_ONE 16
/* A MASA, or who plays one, can show any number of anchors. */
#define FIRST_USES_WAIT 32

/* ---- enrolments ---- */

static brski_err_t *read_approval(brski_approval_t **approval, const brski_row_t *row,
                                  apr_pool_t *pool)
{
    enum { REQUEST_KEY, LABEL, REQUESTER, STATE, DECIDED_BY, CREATED_AT, DECIDED_AT, CSR };
    brski_approval_t *a = apr_pcalloc(pool, sizeof(*a));

    a->request_key = brski_row_text(row, REQUEST_KEY);
    a->label = brski_row_text(row, LABEL);
    a->requester = brski_row_text(row, REQUESTER);
    a->state = brski_row_text(row, STATE);
    a->by = brski_column_text(row, DECIDED_BY);
    a->created_at = brski_row_int(row, CREATED_AT);
    a->decided_at = brski_row_int(row, DECIDED_AT);
    *approval = a;
    return brski_column_octets(&a->csr, row, CSR, pool);
}

static brski_err_t *get_approval(brski_approval_t **approval, brski_records_t *records,
                                 const char *request_key, apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, request_key };
    brski_row_t *row;

    *approval = NULL;
    BRSKI_TRY(brski_access_one(&row, records->access, STMT_EST_APPROVAL_GET, args, result_pool,
                               scratch_pool));
    return row ? read_approval(approval, row, result_pool) : BRSKI_OK;
}

static brski_err_t *put_approval(brski_records_t *records, const brski_approval_t *asked,
                                 apr_pool_t *pool)
{
    const char *args[] = { records->tenant,
                           asked->request_key,
                           brski_records_key(asked->label, pool),
                           brski_records_key(asked->requester, pool),
                           brski_arg_number(asked->created_at, pool),
                           brski_arg_octets(asked->csr, pool),
                           records->tenant,
                           brski_arg_number(APPROVALS_WAIT - 1, pool),
                           records->tenant,
                           brski_records_key(asked->requester, pool),
                           brski_arg_number(APPROVALS_OF_ONE, pool) };

    return brski_access_exec(NULL, records->access, STMT_EST_APPROVAL_PUT, args, pool);
}

brski_err_t *brski_records_approval(brski_approval_t **approval, brski_records_t *records,
                                    const brski_approval_t *asked, apr_pool_t *result_pool,
                                    apr_pool_t *scratch_pool)
{
    BRSKI_TRY(get_approval(approval, records, asked->request_key, result_pool, scratch_pool));
    if (*approval) {
        return BRSKI_OK;
    }
    BRSKI_TRY(put_approval(records, asked, scratch_pool));
    BRSKI_TRY(get_approval(approval, records, asked->request_key, result_pool, scratch_pool));
    if (*approval) {
        return BRSKI_OK;
    }
    return brski_err(BRSKI_E_STORE_BUSY, NULL, scratch_pool,
                     "%d enrolments wait for a human already, or %d of this requester",
                     APPROVALS_WAIT, APPROVALS_OF_ONE);
}

brski_err_t *brski_records_approval_decide(int *done, brski_records_t *records,
                                           const char *request_key, int approve, const char *by,
                                           apr_time_t now, apr_pool_t *scratch_pool)
{
    const char *args[] = { approve ? "approved" : "refused", brski_arg_clean(by, scratch_pool),
                           brski_arg_number(now, scratch_pool), records->tenant, request_key };

    *done = 0;
    return brski_access_exec(done, records->access, STMT_EST_APPROVAL_DECIDE, args, scratch_pool);
}

brski_err_t *brski_records_approvals(apr_array_header_t **list, brski_records_t *records,
                                     const char *state, apr_pool_t *result_pool,
                                     apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, state };
    apr_array_header_t *rows;
    int i;

    *list = NULL;
    BRSKI_TRY(brski_access_all(&rows, records->access, STMT_EST_APPROVAL_LIST, args, result_pool,
                               scratch_pool));
    *list = apr_array_make(result_pool, rows->nelts, sizeof(brski_approval_t *));
    for (i = 0; i < rows->nelts; i++) {
        BRSKI_TRY(read_approval((brski_approval_t **)apr_array_push(*list),
                                APR_ARRAY_IDX(rows, i, brski_row_t *), result_pool));
    }
    return BRSKI_OK;
}

/* ---- trust on first use ---- */

/* Certificates as one text, a blank between them; NULL for none. */
static const char *chain_text(const apr_array_header_t *chain, apr_pool_t *pool)
{
    apr_array_header_t *parts = apr_array_make(pool, 4, sizeof(char *));
    int i;

    for (i = 0; chain && i < chain->nelts; i++) {
        APR_ARRAY_PUSH(parts, char *) =
            brski_base64_encode(APR_ARRAY_IDX(chain, i, brski_bytes_t), pool);
    }
    return parts->nelts ? apr_array_pstrcat(pool, parts, ' ') : NULL;
}

static brski_err_t *read_chain(apr_array_header_t **chain, const char *text, apr_pool_t *pool)
{
    *chain = apr_array_make(pool, 4, sizeof(brski_bytes_t));
    while (*text) {
        const char *one = apr_pstrmemdup(pool, text, strcspn(text, " "));

        BRSKI_TRY(brski_base64_decode((brski_bytes_t *)apr_array_push(*chain), one, pool));
        text += strlen(one);
        text += *text == ' ';
    }
    return BRSKI_OK;
}

static brski_err_t *read_first_use(brski_first_use_t **use, const brski_row_t *row,
                                   apr_pool_t *pool)
{
    enum { MANUFACTURER, PURPOSE, SPKI, HOST, STATE, DECIDED_BY, FIRST_SEEN_AT, DECIDED_AT, CHAIN };
    brski_first_use_t *u = apr_pcalloc(pool, sizeof(*u));

    u->manufacturer = brski_row_text(row, MANUFACTURER);
    u->purpose = brski_row_text(row, PURPOSE);
    u->spki = brski_row_text(row, SPKI);
    u->host = brski_column_text(row, HOST);
    u->state = brski_row_text(row, STATE);
    u->by = brski_column_text(row, DECIDED_BY);
    u->first_seen_at = brski_row_int(row, FIRST_SEEN_AT);
    u->decided_at = brski_row_int(row, DECIDED_AT);
    *use = u;
    return read_chain(&u->chain, brski_row_text(row, CHAIN), pool);
}

static brski_err_t *get_first_use(brski_first_use_t **use, brski_records_t *records,
                                  const brski_first_use_t *shown, apr_pool_t *result_pool,
                                  apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, shown->manufacturer, shown->purpose, shown->spki };
    brski_row_t *row;

    *use = NULL;
    BRSKI_TRY(brski_access_one(&row, records->access, STMT_EST_FIRST_USE_GET, args, result_pool,
                               scratch_pool));
    return row ? read_first_use(use, row, result_pool) : BRSKI_OK;
}

static brski_err_t *put_first_use(brski_records_t *records, const brski_first_use_t *shown,
                                  apr_pool_t *pool)
{
    const char *args[] = { records->tenant,
                           shown->manufacturer,
                           shown->purpose,
                           shown->spki,
                           brski_arg_clean(shown->host, pool),
                           brski_arg_number(shown->first_seen_at, pool),
                           chain_text(shown->chain, pool),
                           records->tenant,
                           shown->manufacturer,
                           brski_arg_number(FIRST_USES_WAIT, pool) };

    return brski_access_exec(NULL, records->access, STMT_EST_FIRST_USE_PUT, args, pool);
}

brski_err_t *brski_records_first_use(brski_first_use_t **known, brski_records_t *records,
                                     const brski_first_use_t *shown, apr_pool_t *result_pool,
                                     apr_pool_t *scratch_pool)
{
    BRSKI_TRY(get_first_use(known, records, shown, result_pool, scratch_pool));
    if (*known) {
        return BRSKI_OK;
    }
    BRSKI_TRY(put_first_use(records, shown, scratch_pool));
    BRSKI_TRY(get_first_use(known, records, shown, result_pool, scratch_pool));
    if (*known) {
        return BRSKI_OK;
    }
    return brski_err(BRSKI_E_LIMIT, NULL, scratch_pool,
                     "%d anchors of %s wait for a human already", FIRST_USES_WAIT,
                     brski_printable(shown->manufacturer, 64, scratch_pool));
}

/* They are few, so a purpose is picked here. */
brski_err_t *brski_records_first_uses(apr_array_header_t **list, brski_records_t *records,
                                      const char *manufacturer, const char *purpose,
                                      apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *args[] = { records->tenant, manufacturer };
    int stmt = manufacturer ? STMT_EST_FIRST_USE_LIST_OF : STMT_EST_FIRST_USE_LIST;
    apr_array_header_t *rows;
    brski_first_use_t *use;
    int i;

    *list = NULL;
    BRSKI_TRY(brski_access_all(&rows, records->access, stmt, args, result_pool, scratch_pool));
    *list = apr_array_make(result_pool, rows->nelts, sizeof(brski_first_use_t *));
    for (i = 0; i < rows->nelts; i++) {
        BRSKI_TRY(read_first_use(&use, APR_ARRAY_IDX(rows, i, brski_row_t *), result_pool));
        if (!purpose || strcmp(use->purpose, purpose) == 0) {
            APR_ARRAY_PUSH(*list, brski_first_use_t *) = use;
        }
    }
    return BRSKI_OK;
}

brski_err_t *brski_records_first_use_decide(int *done, brski_records_t *records,
                                            const char *manufacturer, const char *purpose,
                                            const char *spki, const char *state, const char *by,
                                            apr_time_t now, apr_pool_t *scratch_pool)
{
    const char *args[] = { state,
                           brski_arg_clean(by, scratch_pool),
                           brski_arg_number(now, scratch_pool),
                           records->tenant,
                           manufacturer,
                           purpose,
                           spki };

    *done = 0;
    return brski_access_exec(done, records->access, STMT_EST_FIRST_USE_DECIDE, args, scratch_pool);
}
