/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_enroll_row.c: what a certificate that a CA has just made says, for the records. Another CA
 * may have made it: that it is by that CA and for the key that was asked about is looked at before
 * it is given to anybody.
 */
#include "brski_enroll_steps.h"

#include <string.h>

#include "brski_bytes.h"
#include "brski_der.h"
#include "brski_der_values.h"
#include "brski_err.h"
#include "brski_profile_parts.h"

/* TBSCertificate, as far as it is looked at. */
typedef struct pieces_t {
    brski_der_tlv_t serial;
    brski_der_tlv_t issuer;
    brski_der_tlv_t not_before;
    brski_der_tlv_t not_after;
    brski_der_tlv_t subject;
    brski_der_tlv_t spki;
} pieces_t;

static int cut(pieces_t *p, brski_bytes_t der)
{
    brski_der_t in = brski_der(der), certificate, tbs, validity;
    brski_der_tlv_t skipped;

    return !brski_der_enter(&certificate, &in, BRSKI_DER_SEQUENCE) && brski_der_end(&in)
           && !brski_der_enter(&tbs, &certificate, BRSKI_DER_SEQUENCE)
           && !brski_der_optional(&skipped, &tbs, BRSKI_DER_CONTEXT(0))
           && !brski_der_expect(&p->serial, &tbs, BRSKI_DER_INTEGER)
           && !brski_der_expect(&skipped, &tbs, BRSKI_DER_SEQUENCE)
           && !brski_der_expect(&p->issuer, &tbs, BRSKI_DER_SEQUENCE)
           && !brski_der_enter(&validity, &tbs, BRSKI_DER_SEQUENCE)
           && !brski_der_next(&p->not_before, &validity)
           && !brski_der_next(&p->not_after, &validity)
           && !brski_der_expect(&p->subject, &tbs, BRSKI_DER_SEQUENCE)
           && !brski_der_expect(&p->spki, &tbs, BRSKI_DER_SEQUENCE);
}

static brski_err_t *wrong(const char *why, apr_pool_t *pool)
{
    return brski_err(BRSKI_E_CA_UNAVAILABLE, NULL, pool, "the CA's certificate %s", why);
}

static int is_by(const pieces_t *p, const brski_ca_t *ca)
{
    pieces_t issuing;

    return cut(&issuing, APR_ARRAY_IDX(ca->chain, 0, const brski_cert_t *)->der)
           && brski_profile_same_subject(p->issuer.whole, issuing.subject.whole);
}

brski_err_t *brski_enroll_row(brski_issued_t **out, brski_bytes_t der, const brski_ca_t *ca,
                              const brski_csr_t *csr, apr_pool_t *result_pool,
                              apr_pool_t *scratch_pool)
{
    brski_issued_t *row = apr_pcalloc(result_pool, sizeof(*row));
    pieces_t p;

    (void)scratch_pool;
    *out = NULL;
    if (!cut(&p, der)) {
        return wrong("cannot be read", result_pool);
    }
    if (!brski_bytes_equal(p.spki.whole, csr->spki)) {
        return wrong("has another key than the request", result_pool);
    }
    if (!is_by(&p, ca)) {
        return wrong("is by another issuer", result_pool);
    }
    row->ca = ca->key_id;
    row->serial = brski_der_serial_hex(p.serial.value, result_pool);
    row->not_before = brski_der_time_read(&p.not_before);
    row->not_after = brski_der_time_read(&p.not_after);
    row->subject = brski_csr_name_text(p.subject.whole, result_pool);
    row->spki = csr->spki_hex;
    row->der = der;
    if (!row->not_before || !row->not_after || !row->subject) {
        return wrong("cannot be read", result_pool);
    }
    *out = row;
    return BRSKI_OK;
}
