/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_profile_wishes.c: what a certification request asks for beyond what its requester gets (RFC
 * 7030 4.2.1, RFC 8995 5.9.2). Nothing of it ever reaches a certificate; here is only decided
 * whether asking is refused.
 */
#include "brski_profile_parts.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_der_values.h"
#include "brski_err.h"

#define OID_COMMON_NAME "2.5.4.3"
#define OID_SERIAL_NUMBER "2.5.4.5"
/* Extensions that stand as attributes of their own, as some old clients write them. */
#define OID_EXTENSIONS "2.5.29."

/* A request held against what is given. */
typedef struct held_t {
    const brski_profile_t *profile;
    const brski_template_t *tmpl;
    const apr_array_header_t *san;
    const brski_profile_facts_t *facts;
    apr_pool_t *pool;
} held_t;

static brski_err_t *name_excess(const held_t *h, const char *what)
{
    return brski_err_say(
        brski_err(BRSKI_E_CSR_SUBJECT, NULL, h->pool, "CSR asks for another %s", what), h->pool,
        "The certification request asks for %s that this requester cannot have.", what);
}

static brski_err_t *extension_excess(const held_t *h, const char *what)
{
    return brski_err_say(brski_err(BRSKI_E_CSR_EXTENSION, NULL, h->pool, "CSR asks for %s", what),
                         h->pool,
                         "The certification request asks for %s, which is not granted "
                         "here.",
                         what);
}

/* ---- names ---- */

static int has_attribute(const apr_array_header_t *attributes, const brski_profile_attribute_t *a)
{
    int i;

    for (i = 0; i < attributes->nelts; i++) {
        const brski_profile_attribute_t *other =
            &APR_ARRAY_IDX(attributes, i, brski_profile_attribute_t);

        if (!strcmp(a->type, other->type)
            && (a->text && other->text ? !strcmp(a->text, other->text)
                                       : brski_bytes_equal(a->value.whole, other->value.whole))) {
            return 1;
        }
    }
    return 0;
}

/* A device that calls itself by its serial number asks for nothing foreign. */
static int is_own_serial(const held_t *h, const brski_profile_attribute_t *a)
{
    const brski_requester_t *r = h->facts->requester;

    return r && r->serial_number && a->text && !strcmp(a->text, r->serial_number)
           && (!strcmp(a->type, OID_SERIAL_NUMBER) || !strcmp(a->type, OID_COMMON_NAME));
}

static brski_err_t *check_subject(const held_t *h)
{
    apr_array_header_t *asked, *given;
    int i;

    if (brski_profile_same_subject(h->tmpl->subject, h->facts->csr->subject)) {
        return BRSKI_OK;
    }
    BRSKI_TRY(brski_profile_attributes(&asked, h->facts->csr->subject, h->pool));
    BRSKI_TRY(brski_profile_attributes(&given, h->tmpl->subject, h->pool));
    for (i = 0; i < asked->nelts; i++) {
        const brski_profile_attribute_t *a = &APR_ARRAY_IDX(asked, i, brski_profile_attribute_t);

        if (!has_attribute(given, a) && !is_own_serial(h, a)) {
            return name_excess(h, "a subject");
        }
    }
    return BRSKI_OK;
}

static brski_err_t *check_san(const held_t *h, brski_bytes_t san)
{
    apr_array_header_t *asked;
    int i, j;

    BRSKI_TRY(brski_profile_san_cut(&asked, san, h->pool));
    for (i = 0; i < asked->nelts; i++) {
        for (j = 0; j < h->san->nelts
                    && !brski_profile_same_name(APR_ARRAY_IDX(asked, i, brski_bytes_t),
                                                APR_ARRAY_IDX(h->san, j, brski_bytes_t));
             j++) {
        }
        if (j == h->san->nelts) {
            return name_excess(h, "an alternative name");
        }
    }
    return BRSKI_OK;
}

/* ---- extensions ---- */

static brski_err_t *unreadable(const held_t *h, const char *what)
{
    return brski_err_say(brski_err(BRSKI_E_CSR_EXTENSION, NULL, h->pool, "%s cannot be read", what),
                         h->pool, "The %s that the certification request asks for cannot be read.",
                         what);
}

/* RFC 5280 4.2.1.9: CA:FALSE is what everybody gets. */
static brski_err_t *check_basic_constraints(const held_t *h, brski_bytes_t value)
{
    brski_der_t in = brski_der(value), inside;
    brski_der_tlv_t ca;

    if (brski_der_enter(&inside, &in, BRSKI_DER_SEQUENCE) || !brski_der_end(&in)
        || brski_der_optional(&ca, &inside, BRSKI_DER_BOOLEAN)) {
        return unreadable(h, "basicConstraints");
    }
    if ((ca.value.len && *ca.value.data) || !brski_der_end(&inside)) {
        return extension_excess(h, "a CA certificate");
    }
    return BRSKI_OK;
}

static brski_err_t *check_key_usage(const held_t *h, brski_bytes_t value)
{
    brski_bytes_t may = brski_profile_key_usage_der(h->profile->key_usage, h->pool);
    brski_der_t in = brski_der(value);
    brski_der_tlv_t bits;
    apr_size_t i;

    if (brski_der_expect(&bits, &in, BRSKI_DER_BIT_STRING) || !brski_der_end(&in)
        || bits.value.len < 2 || *bits.value.data > 7) {
        return unreadable(h, "keyUsage");
    }
    for (i = 1; i < bits.value.len; i++) {
        if (bits.value.data[i] & ~(i == 1 ? may.data[3] : 0)) {
            return extension_excess(h, "a key usage");
        }
    }
    return BRSKI_OK;
}

static int is_there(const apr_array_header_t *texts, const char *text)
{
    int i;

    for (i = 0; i < texts->nelts; i++) {
        if (!strcmp(APR_ARRAY_IDX(texts, i, const char *), text)) {
            return 1;
        }
    }
    return 0;
}

static brski_err_t *check_eku(const held_t *h, brski_bytes_t value)
{
    brski_der_t in = brski_der(value), inside;
    brski_der_tlv_t oid;
    const char *text;

    if (brski_der_enter(&inside, &in, BRSKI_DER_SEQUENCE) || !brski_der_end(&in)) {
        return unreadable(h, "extendedKeyUsage");
    }
    while (!brski_der_end(&inside)) {
        if (brski_der_expect(&oid, &inside, BRSKI_DER_OID)
            || !(text = brski_der_oid_text(oid.value, h->pool))) {
            return unreadable(h, "extendedKeyUsage");
        }
        if (!is_there(h->profile->eku, text)) {
            return extension_excess(h, apr_psprintf(h->pool, "the extended key usage %s", text));
        }
    }
    return BRSKI_OK;
}

/* Without qualifiers: those would be text of the requester's. */
static brski_err_t *check_policies(const held_t *h, brski_bytes_t value)
{
    brski_der_t in = brski_der(value), inside, policy;
    brski_der_tlv_t oid;
    const char *text;

    if (brski_der_enter(&inside, &in, BRSKI_DER_SEQUENCE) || !brski_der_end(&in)) {
        return unreadable(h, "certificatePolicies");
    }
    while (!brski_der_end(&inside)) {
        if (brski_der_enter(&policy, &inside, BRSKI_DER_SEQUENCE)
            || brski_der_expect(&oid, &policy, BRSKI_DER_OID)
            || !(text = brski_der_oid_text(oid.value, h->pool))) {
            return unreadable(h, "certificatePolicies");
        }
        if (!is_there(h->profile->policies, text) || !brski_der_end(&policy)) {
            return extension_excess(h, apr_psprintf(h->pool, "the certificate policy %s", text));
        }
    }
    return BRSKI_OK;
}

static brski_err_t *check_extension(const held_t *h, const brski_csr_extension_t *extension)
{
    static const struct {
        const char *oid;
        brski_err_t *(*check)(const held_t *h, brski_bytes_t value);
    } known[] = {
        { BRSKI_EXT_SAN, check_san },
        { BRSKI_EXT_BASIC_CONSTRAINTS, check_basic_constraints },
        { BRSKI_EXT_KEY_USAGE, check_key_usage },
        { BRSKI_EXT_EKU, check_eku },
        { BRSKI_EXT_POLICIES, check_policies },
    };
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (!strcmp(extension->oid, known[i].oid)) {
            return known[i].check(h, extension->value);
        }
    }
    /* the CA works it out from the key, whatever is asked */
    if (!strcmp(extension->oid, BRSKI_EXT_SKI)) {
        return BRSKI_OK;
    }
    return extension_excess(h, apr_psprintf(h->pool, "the extension %s", extension->oid));
}

static brski_err_t *check_all(const held_t *h)
{
    const brski_csr_t *csr = h->facts->csr;
    int i;

    BRSKI_TRY(check_subject(h));
    for (i = 0; i < csr->extensions->nelts; i++) {
        BRSKI_TRY(check_extension(h, APR_ARRAY_IDX(csr->extensions, i, brski_csr_extension_t *)));
    }
    for (i = 0; i < csr->other->nelts; i++) {
        const char *oid = APR_ARRAY_IDX(csr->other, i, const char *);

        if (!strncmp(oid, OID_EXTENSIONS, strlen(OID_EXTENSIONS))) {
            return extension_excess(h, apr_psprintf(h->pool,
                                                    "the extension %s as an attribute of "
                                                    "its own",
                                                    oid));
        }
    }
    return csr->change_subject.len ? name_excess(h, "another name by ChangeSubjectName") : BRSKI_OK;
}

brski_err_t *brski_profile_wishes(const brski_profile_t *profile, const brski_template_t *tmpl,
                                  const apr_array_header_t *san, const brski_profile_facts_t *facts,
                                  apr_pool_t *pool)
{
    const held_t h = { profile, tmpl, san, facts, pool };

    return profile->excess == BRSKI_EXCESS_DROP ? BRSKI_OK : check_all(&h);
}
