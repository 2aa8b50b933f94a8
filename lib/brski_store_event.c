/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_store_event.c: events as rows: the guarded insert of a new one, and reading them back.
 */
#include "brski_store_private.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_voucher.h"

/* Arguments of STMT_EVENT_PUT. */
#define EVENT_PUT_ARGS 31

/* Columns of an event, from its first. */
enum {
    E_PRODUCT,
    E_SERIAL_NUMBER,
    E_EPOCH,
    E_SEQ,
    E_PREV_HASH,
    E_HASH,
    E_CREATED_AT,
    E_REQUEST_ID,
    E_REQUEST_HASH,
    E_NONCE,
    E_ASSERTION,
    E_PROXIMITY,
    E_VERIFIED,
    E_DOMAIN_ID,
    E_PIN_SPKI,
    E_SIGNER_SPKI,
    E_ISSUER_SPKI,
    E_TLS_SPKI,
    E_CUSTOMER,
    E_SIGNER,
    E_SIGNER_KEY,
    E_EXPIRES_ON,
    E_FORMAT,
    E_VOUCHER_HASH,
    E_PIN_CERT,
    E_VOUCHER
};

/* ---- writing ---- */

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* The event as STMT_EVENT_PUT's first arguments. @return how many */
static int event_args(const char **args, const brski_event_t *e, apr_pool_t *pool)
{
    const char *assertion = brski_assertion_text(e->assertion);
    const char *format = brski_format_text(e->format);
    int n = 0;

    args[n++] = brski_arg_number(e->epoch, pool);
    args[n++] = brski_arg_number(e->seq, pool);
    args[n++] = or_empty(e->prev_hash);
    args[n++] = e->hash;
    args[n++] = brski_arg_number(e->created_at, pool);
    args[n++] = e->request_id;
    args[n++] = e->request_hash;
    args[n++] = e->nonce;
    args[n++] = or_empty(assertion);
    args[n++] = e->proximity ? "1" : "0";
    args[n++] = e->verified ? "1" : "0";
    args[n++] = e->domain_id;
    args[n++] = or_empty(e->pin_spki);
    args[n++] = or_empty(e->signer_spki);
    args[n++] = or_empty(e->issuer_spki);
    args[n++] = or_empty(e->tls_spki);
    args[n++] = or_empty(e->customer);
    args[n++] = or_empty(e->signer);
    args[n++] = or_empty(e->signer_key);
    args[n++] = brski_arg_number(e->expires_on, pool);
    args[n++] = or_empty(format);
    args[n++] = e->voucher_hash;
    args[n++] = or_empty(e->pin_cert);
    args[n++] = brski_base64_encode(e->voucher, pool);
    return n;
}

/* What must still be so when the event is written. */
static void guard_args(const char **args, const char *tenant, const brski_device_t *d,
                       const brski_facts_t *facts, apr_pool_t *pool)
{
    int n = 0;

    args[n++] = tenant;
    args[n++] = d->product;
    args[n++] = d->serial_number;
    args[n++] = brski_arg_number(d->version, pool);
    args[n++] = brski_arg_number(d->state_version, pool);
    args[n++] = apr_psprintf(pool, "%" APR_INT64_T_FMT ":%" APR_INT64_T_FMT,
                             facts->policy_version, facts->epoch);
    args[n++] = or_empty(d->head_hash);
}

brski_err_t *brski_store_event_put(int *put, brski_store_t *store, const brski_event_t *event,
                                   const brski_device_t *device, const brski_facts_t *facts,
                                   apr_pool_t *scratch_pool)
{
    const char *args[EVENT_PUT_ARGS];
    int n, changed;

    *put = 0;
    n = event_args(args, event, scratch_pool);
    guard_args(args + n, store->tenant, device, facts, scratch_pool);
    BRSKI_TRY(brski_access_exec(&changed, store->access, STMT_EVENT_PUT, args, scratch_pool));
    *put = changed == 1;
    return BRSKI_OK;
}

/* ---- reading ---- */

static brski_format_t parse_format(const char *text)
{
    static const brski_format_t formats[] = { BRSKI_FORMAT_CMS, BRSKI_FORMAT_JWS,
                                              BRSKI_FORMAT_COSE };
    apr_size_t i;

    for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (strcmp(text, or_empty(brski_format_text(formats[i]))) == 0) {
            return formats[i];
        }
    }
    return BRSKI_FORMAT_NONE;
}

static void read_numbers(brski_event_t *e, const brski_row_t *row, int first)
{
    e->epoch = brski_row_int(row, first + E_EPOCH);
    e->seq = brski_row_int(row, first + E_SEQ);
    e->created_at = brski_row_int(row, first + E_CREATED_AT);
    e->proximity = (int)brski_row_int(row, first + E_PROXIMITY);
    e->verified = (int)brski_row_int(row, first + E_VERIFIED);
    e->expires_on = brski_row_int(row, first + E_EXPIRES_ON);
    e->assertion = brski_assertion_parse(brski_row_text(row, first + E_ASSERTION));
    e->format = parse_format(brski_row_text(row, first + E_FORMAT));
}

static void read_texts(brski_event_t *e, const brski_row_t *row, int first)
{
    e->product = brski_row_text(row, first + E_PRODUCT);
    e->serial_number = brski_row_text(row, first + E_SERIAL_NUMBER);
    e->prev_hash = brski_row_text(row, first + E_PREV_HASH);
    e->hash = brski_row_text(row, first + E_HASH);
    e->request_id = brski_row_text(row, first + E_REQUEST_ID);
    e->request_hash = brski_row_text(row, first + E_REQUEST_HASH);
    e->nonce = brski_row_null(row, first + E_NONCE) ? NULL : brski_row_text(row, first + E_NONCE);
    e->domain_id = brski_row_text(row, first + E_DOMAIN_ID);
    e->pin_spki = brski_row_text(row, first + E_PIN_SPKI);
    e->signer_spki = brski_row_text(row, first + E_SIGNER_SPKI);
    e->issuer_spki = brski_row_text(row, first + E_ISSUER_SPKI);
    e->tls_spki = brski_row_text(row, first + E_TLS_SPKI);
    e->customer = brski_row_text(row, first + E_CUSTOMER);
    e->signer = brski_row_text(row, first + E_SIGNER);
    e->signer_key = brski_row_text(row, first + E_SIGNER_KEY);
    e->voucher_hash = brski_row_text(row, first + E_VOUCHER_HASH);
    e->pin_cert = brski_row_text(row, first + E_PIN_CERT);
}

brski_err_t *brski_store_event_row(brski_event_t **event, const brski_row_t *row, int first,
                                   const char *tenant, apr_pool_t *pool)
{
    brski_event_t *e = apr_pcalloc(pool, sizeof(*e));
    brski_err_t *err = BRSKI_OK;

    *event = NULL;
    e->tenant = tenant;
    read_numbers(e, row, first);
    read_texts(e, row, first);
    if (!brski_row_null(row, first + E_VOUCHER)) {
        err = brski_base64_decode(&e->voucher, brski_row_text(row, first + E_VOUCHER), pool);
    }
    if (err) {
        return brski_err(BRSKI_E_CHAIN_BROKEN, err, pool,
                         "the voucher of event %" APR_INT64_T_FMT " of %s is no base64", e->seq,
                         brski_printable(e->serial_number, 128, pool));
    }
    *event = e;
    return BRSKI_OK;
}

brski_err_t *brski_store_events(apr_array_header_t **events, brski_store_t *store,
                                const char *product, const char *serial_number,
                                apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    const char *args[] = { store->tenant, product, serial_number };
    apr_array_header_t *rows;
    int i;

    *events = NULL;
    BRSKI_TRY(brski_access_all(&rows, store->access, STMT_EVENT_LIST, args, result_pool,
                               scratch_pool));
    *events = apr_array_make(result_pool, rows->nelts, sizeof(brski_event_t *));
    for (i = 0; i < rows->nelts; i++) {
        brski_event_t **event = (brski_event_t **)apr_array_push(*events);

        BRSKI_TRY(brski_store_event_row(event, APR_ARRAY_IDX(rows, i, brski_row_t *), 0,
                                        store->tenant, result_pool));
    }
    return BRSKI_OK;
}
