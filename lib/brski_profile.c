/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_profile.c: a certificate's content from a profile, a requester and a request's key.
 * Everything in it is the profile's; the request is only held against it. Names, alternative names,
 * wishes and CSR attributes have files of their own.
 */
#include "brski_profile_parts.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_cert.h"
#include "brski_csr_key.h"
#include "brski_der_values.h"
#include "brski_err.h"
#include "brski_time.h"

#define LIFETIME_MAX apr_time_from_sec((apr_int64_t)100 * 365 * 86400)
#define BACKDATE_MAX apr_time_from_sec(86400)
#define RSA_MIN_BITS 2048
#define RSA_MAX_BITS 4096

#define OID_EC "1.2.840.10045.2.1"
#define OID_RSA "1.2.840.113549.1.1.1"
#define OID_ED25519 "1.3.101.112"

static const char *default_eku[] = { "1.3.6.1.5.5.7.3.2" };
static const char *default_key_types[] = { "p256", "p384", "p521", "rsa2048", "ed25519" };
static apr_array_header_t none = { NULL, sizeof(const char *), 0, 0, NULL };
static apr_array_header_t default_eku_list = { NULL, sizeof(const char *), 1, 1,
                                               (char *)default_eku };
static apr_array_header_t default_key_type_list = { NULL, sizeof(const char *), 5, 5,
                                                    (char *)default_key_types };

const brski_profile_t brski_profile_default = {
    .subject = "serialNumber=%{serial}",
    .san = &none,
    .key_usage = BRSKI_KU_DIGITAL_SIGNATURE | BRSKI_KU_KEY_ENCIPHERMENT | BRSKI_KU_KEY_AGREEMENT,
    .eku = &default_eku_list,
    .policies = &none,
    .lifetime = (apr_interval_time_t)365 * 86400 * APR_USEC_PER_SEC,
    .backdate = (apr_interval_time_t)300 * APR_USEC_PER_SEC,
    .key_types = &default_key_type_list,
    .excess = BRSKI_EXCESS_REFUSE,
    .crl_ocsp = 1,
};

/* ---- key types ---- */

static const brski_key_type_t key_types[] = {
    { "p256", 0, OID_EC, "1.2.840.10045.3.1.7", "1.2.840.10045.4.3.2" },
    { "p384", 0, OID_EC, "1.3.132.0.34", "1.2.840.10045.4.3.3" },
    { "p521", 0, OID_EC, "1.3.132.0.35", "1.2.840.10045.4.3.4" },
    { "ed25519", 0, OID_ED25519, NULL, OID_ED25519 },
};

int brski_profile_key_type(brski_key_type_t *type, const char *word)
{
    apr_int64_t bits;
    char *end;
    size_t i;

    for (i = 0; i < sizeof(key_types) / sizeof(key_types[0]); i++) {
        if (!strcmp(word, key_types[i].name)) {
            *type = key_types[i];
            return 1;
        }
    }
    if (strncmp(word, "rsa", 3) || word[3] < '1' || word[3] > '9') {
        return 0;
    }
    bits = apr_strtoi64(word + 3, &end, 10);
    if (*end || bits < RSA_MIN_BITS || bits > RSA_MAX_BITS) {
        return 0;
    }
    memset(type, 0, sizeof(*type));
    type->name = "rsa";
    type->rsa_bits = (int)bits;
    type->oid = OID_RSA;
    type->signature = "1.2.840.113549.1.1.11";
    return 1;
}

static const char *oid_of(const EVP_PKEY *key)
{
    return EVP_PKEY_is_a(key, "EC") ? OID_EC : EVP_PKEY_is_a(key, "RSA") ? OID_RSA : OID_ED25519;
}

static int is_of_type(const EVP_PKEY *key, const brski_key_type_t *type)
{
    static const struct {
        const char *name;
        int bits;
    } curves[] = { { "p256", 256 }, { "p384", 384 }, { "p521", 521 } };
    size_t i;

    if (strcmp(oid_of(key), type->oid)) {
        return 0;
    }
    for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (!strcmp(type->name, curves[i].name)) {
            return EVP_PKEY_get_bits(key) == curves[i].bits;
        }
    }
    return EVP_PKEY_get_bits(key) >= type->rsa_bits;
}

static brski_err_t *check_key(const brski_profile_t *profile, const brski_csr_t *csr,
                              apr_pool_t *pool)
{
    const char *words = "";
    brski_key_type_t type;
    int i;

    for (i = 0; i < profile->key_types->nelts; i++) {
        const char *word = APR_ARRAY_IDX(profile->key_types, i, const char *);

        if (brski_profile_key_type(&type, word) && is_of_type(csr->key, &type)) {
            return BRSKI_OK;
        }
        words = apr_pstrcat(pool, words, i ? ", " : "", word, NULL);
    }
    return brski_err_say(
        brski_err(BRSKI_E_CSR_KEY, NULL, pool, "key type is not in the profile (%s)", words), pool,
        "The key of the certification request is of a type that is not certified here; there are: "
        "%s.",
        words);
}

/* ---- extensions ---- */

int brski_profile_key_usage(int wanted, const char *key_type_oid)
{
    if (!strcmp(key_type_oid, OID_EC)) {
        return wanted & ~BRSKI_KU_KEY_ENCIPHERMENT;
    }
    if (!strcmp(key_type_oid, OID_RSA)) {
        return wanted & ~BRSKI_KU_KEY_AGREEMENT;
    }
    return wanted & BRSKI_KU_DIGITAL_SIGNATURE;
}

/* RFC 5280 4.2.1.3: bits 0, 2 and 4; X.690 11.2.2: no zero bits at the end. */
brski_bytes_t brski_profile_key_usage_der(int key_usage, apr_pool_t *pool)
{
    unsigned char bits[2];

    bits[1] = (unsigned char)((key_usage & BRSKI_KU_DIGITAL_SIGNATURE ? 0x80 : 0)
                              | (key_usage & BRSKI_KU_KEY_ENCIPHERMENT ? 0x20 : 0)
                              | (key_usage & BRSKI_KU_KEY_AGREEMENT ? 0x08 : 0));
    for (bits[0] = 0; bits[0] < 7 && !(bits[1] >> bits[0] & 1); bits[0]++) {
    }
    return brski_der_wrap(BRSKI_DER_BIT_STRING, brski_bytes(bits, sizeof(bits)), pool);
}

static apr_array_header_t *oids(const apr_array_header_t *dotted, int wrapped, apr_pool_t *pool)
{
    apr_array_header_t *list = apr_array_make(pool, dotted->nelts + 1, sizeof(brski_bytes_t));
    int i;

    for (i = 0; i < dotted->nelts; i++) {
        brski_bytes_t oid = brski_der_oid(APR_ARRAY_IDX(dotted, i, const char *), pool);

        APR_ARRAY_PUSH(list, brski_bytes_t) =
            wrapped ? brski_der_wrap(BRSKI_DER_SEQUENCE, oid, pool) : oid;
    }
    return list;
}

brski_bytes_t brski_profile_oids_der(const apr_array_header_t *dotted, apr_pool_t *pool)
{
    return brski_profile_san_der(oids(dotted, 0, pool), pool);
}

brski_bytes_t brski_profile_policies_der(const apr_array_header_t *dotted, apr_pool_t *pool)
{
    return brski_profile_san_der(oids(dotted, 1, pool), pool);
}

static void add(apr_array_header_t *extensions, const char *oid, int critical, brski_bytes_t value,
                apr_pool_t *pool)
{
    brski_csr_extension_t *extension = apr_palloc(pool, sizeof(*extension));

    extension->oid = oid;
    extension->critical = critical;
    extension->value = value;
    APR_ARRAY_PUSH(extensions, brski_csr_extension_t *) = extension;
}

/* RFC 5280 4.2.1: what an end entity has; SAN is critical when it is the only name. */
static void add_extensions(brski_template_t *tmpl, const brski_profile_t *profile,
                           const brski_csr_t *csr, const apr_array_header_t *san, apr_pool_t *pool)
{
    static const unsigned char no_ca[] = { BRSKI_DER_SEQUENCE, 0 };
    int usage = brski_profile_key_usage(profile->key_usage, oid_of(csr->key));

    tmpl->extensions = apr_array_make(pool, 6, sizeof(brski_csr_extension_t *));
    add(tmpl->extensions, BRSKI_EXT_BASIC_CONSTRAINTS, 1, brski_bytes(no_ca, sizeof(no_ca)), pool);
    if (usage) {
        add(tmpl->extensions, BRSKI_EXT_KEY_USAGE, 1, brski_profile_key_usage_der(usage, pool),
            pool);
    }
    if (profile->eku->nelts) {
        add(tmpl->extensions, BRSKI_EXT_EKU, 0, brski_profile_oids_der(profile->eku, pool), pool);
    }
    if (san->nelts) {
        add(tmpl->extensions, BRSKI_EXT_SAN, tmpl->subject.len <= 2,
            brski_profile_san_der(san, pool), pool);
    }
    if (profile->policies->nelts) {
        add(tmpl->extensions, BRSKI_EXT_POLICIES, 0,
            brski_profile_policies_der(profile->policies, pool), pool);
    }
}

/* ---- the template ---- */

/* Whole seconds: certificates know no others. */
static apr_time_t seconds(apr_time_t t)
{
    return t - t % APR_USEC_PER_SEC;
}

static brski_template_t *make_template(const brski_profile_t *profile, const brski_csr_t *csr,
                                       apr_time_t now, apr_pool_t *pool)
{
    brski_template_t *tmpl = apr_pcalloc(pool, sizeof(*tmpl));

    tmpl->spki = csr->spki;
    tmpl->not_before = seconds(now - profile->backdate);
    tmpl->not_after = seconds(now + profile->lifetime);
    tmpl->crl_ocsp = profile->crl_ocsp;
    return tmpl;
}

static brski_err_t *other_device(apr_pool_t *pool)
{
    return brski_err_say(
        brski_err(BRSKI_E_CSR_SUBJECT, NULL, pool, "serialNumber of another device"), pool,
        "The certification request asks for the serialNumber of another device.");
}

/* A device may choose its names where the profile says so, but not be another device. */
static brski_err_t *take_subject(brski_bytes_t *subject, const brski_requester_t *requester,
                                 const brski_csr_t *csr, apr_pool_t *pool)
{
    apr_array_header_t *attributes;
    int i;

    BRSKI_TRY(brski_profile_attributes(&attributes, csr->subject, pool));
    for (i = 0; i < attributes->nelts; i++) {
        const brski_profile_attribute_t *a =
            &APR_ARRAY_IDX(attributes, i, brski_profile_attribute_t);

        if (requester && requester->serial_number && !strcmp(a->type, "2.5.4.5")
            && (!a->text || strcmp(a->text, requester->serial_number))) {
            return other_device(pool);
        }
    }
    *subject = csr->subject;
    return BRSKI_OK;
}

static brski_err_t *nameless(apr_pool_t *pool)
{
    return brski_err_say(brski_err(BRSKI_E_CSR_SUBJECT, NULL, pool, "neither subject nor SAN"),
                         pool,
                         "The certification request has no subject, and none is given to it here.");
}

brski_err_t *brski_profile_apply(brski_template_t **out, const brski_profile_t *profile,
                                 const brski_requester_t *requester, const brski_csr_t *csr,
                                 apr_time_t now, apr_pool_t *result_pool, apr_pool_t *scratch_pool)
{
    brski_template_t *tmpl = make_template(profile, csr, now, result_pool);
    brski_profile_facts_t facts;
    apr_array_header_t *san;

    *out = NULL;
    BRSKI_TRY(check_key(profile, csr, result_pool));
    brski_profile_facts(&facts, requester, csr, scratch_pool);
    if (!strcmp(profile->subject, "csr")) {
        BRSKI_TRY(take_subject(&tmpl->subject, requester, csr, result_pool));
    }
    else {
        BRSKI_TRY(brski_profile_name(&tmpl->subject, profile->subject, &facts, 0, result_pool,
                                     scratch_pool));
    }
    BRSKI_TRY(brski_profile_san(&san, profile, &facts, result_pool));
    if (tmpl->subject.len <= 2 && !san->nelts) {
        return nameless(result_pool);
    }
    add_extensions(tmpl, profile, csr, san, result_pool);
    BRSKI_TRY(brski_profile_wishes(profile, tmpl, san, &facts, result_pool));
    *out = tmpl;
    return BRSKI_OK;
}

/* ---- renewal ---- */

/* Subject and SAN of a certificate, as octets; san.len 0 when there is none. */
static brski_err_t *cut_old(brski_bytes_t *subject, brski_bytes_t *san, const brski_cert_t *old,
                            apr_pool_t *pool)
{
    brski_der_t in = brski_der(old->der), certificate, tbs, list, extensions;
    brski_der_tlv_t skipped, name, last;
    apr_array_header_t *read = apr_array_make(pool, 8, sizeof(brski_csr_extension_t *));
    int i;

    *san = brski_bytes(NULL, 0);
    if (brski_der_enter(&certificate, &in, BRSKI_DER_SEQUENCE)
        || brski_der_enter(&tbs, &certificate, BRSKI_DER_SEQUENCE)
        || brski_der_optional(&skipped, &tbs, BRSKI_DER_CONTEXT(0))
        || brski_der_expect(&skipped, &tbs, BRSKI_DER_INTEGER)
        || brski_der_expect(&skipped, &tbs, BRSKI_DER_SEQUENCE)
        || brski_der_expect(&skipped, &tbs, BRSKI_DER_SEQUENCE)
        || brski_der_expect(&skipped, &tbs, BRSKI_DER_SEQUENCE)
        || brski_der_expect(&name, &tbs, BRSKI_DER_SEQUENCE)
        || brski_der_expect(&skipped, &tbs, BRSKI_DER_SEQUENCE)) {
        return brski_err(BRSKI_E_REENROLL_CERTIFICATE, NULL, pool, "old certificate is no DER");
    }
    *subject = name.whole;
    while (!brski_der_end(&tbs)) {
        if (brski_der_next(&last, &tbs)) {
            return brski_err(BRSKI_E_REENROLL_CERTIFICATE, NULL, pool, "old certificate is no DER");
        }
        if (last.tag != BRSKI_DER_CONTEXT(3)) {
            continue;
        }
        list = brski_der(last.value);
        if (!brski_der_enter(&extensions, &list, BRSKI_DER_SEQUENCE)) {
            BRSKI_TRY(brski_csr_extensions_read(read, extensions, pool));
        }
    }
    for (i = 0; i < read->nelts; i++) {
        const brski_csr_extension_t *e = APR_ARRAY_IDX(read, i, brski_csr_extension_t *);

        if (!strcmp(e->oid, BRSKI_EXT_SAN)) {
            *san = e->value;
        }
    }
    return BRSKI_OK;
}

static int contains_all(const apr_array_header_t *names, const apr_array_header_t *others)
{
    int i, j;

    for (i = 0; i < others->nelts; i++) {
        for (j = 0; j < names->nelts
                    && !brski_profile_same_name(APR_ARRAY_IDX(names, j, brski_bytes_t),
                                                APR_ARRAY_IDX(others, i, brski_bytes_t));
             j++) {
        }
        if (j == names->nelts) {
            return 0;
        }
    }
    return 1;
}

static brski_err_t *cut_names(apr_array_header_t **names, brski_bytes_t san, apr_pool_t *pool)
{
    if (!san.len) {
        *names = apr_array_make(pool, 1, sizeof(brski_bytes_t));
        return BRSKI_OK;
    }
    return brski_profile_san_cut(names, san, pool);
}

static brski_err_t *other_names(const char *what, apr_pool_t *pool)
{
    return brski_err_say(
        brski_err(BRSKI_E_REENROLL_SUBJECT, NULL, pool, "another %s", what), pool,
        "The %s of the certification request is not that of the certificate to be renewed.", what);
}

/* RFC 7030 4.2.2: identical; what is absent in one is absent in the other. */
static brski_err_t *check_names(apr_array_header_t **names, brski_bytes_t subject,
                                brski_bytes_t san, const brski_csr_t *csr, apr_pool_t *pool)
{
    apr_array_header_t *asked;

    if (csr->change_subject.len) {
        return brski_err_say(
            brski_err(BRSKI_E_REENROLL_SUBJECT, NULL, pool, "ChangeSubjectName"), pool,
            "The certification request asks for a change of names (ChangeSubjectName), which is "
            "not granted here.");
    }
    if (!brski_profile_same_subject(subject, csr->subject)) {
        return other_names("subject", pool);
    }
    BRSKI_TRY(cut_names(names, san, pool));
    BRSKI_TRY(cut_names(&asked, csr->san, pool));
    return contains_all(*names, asked) && contains_all(asked, *names)
               ? BRSKI_OK
               : other_names("subjectAltName", pool);
}

brski_err_t *brski_profile_renew(brski_template_t **out, const brski_profile_t *profile,
                                 const brski_requester_t *requester, const brski_csr_t *csr,
                                 const brski_cert_t *old, apr_time_t now, apr_pool_t *result_pool,
                                 apr_pool_t *scratch_pool)
{
    brski_template_t *tmpl = make_template(profile, csr, now, result_pool);
    brski_profile_facts_t facts;
    apr_array_header_t *names;
    brski_bytes_t subject, san;

    *out = NULL;
    BRSKI_TRY(check_key(profile, csr, result_pool));
    BRSKI_TRY(cut_old(&subject, &san, old, result_pool));
    BRSKI_TRY(check_names(&names, subject, san, csr, result_pool));
    tmpl->subject = brski_bytes_dup(subject, result_pool);
    brski_profile_facts(&facts, requester, csr, scratch_pool);
    add_extensions(tmpl, profile, csr, names, result_pool);
    BRSKI_TRY(brski_profile_wishes(profile, tmpl, names, &facts, result_pool));
    *out = tmpl;
    return BRSKI_OK;
}

/* ---- the words of a profile ---- */

static const char *check_oids(const apr_array_header_t *dotted, const char *what, apr_pool_t *pool)
{
    int i;

    for (i = 0; i < dotted->nelts; i++) {
        const char *text = APR_ARRAY_IDX(dotted, i, const char *);

        if (!brski_der_oid(text, pool).len) {
            return apr_psprintf(pool,
                                "'%s' is no object identifier for %s; write it in dots, such "
                                "as 1.3.6.1.5.5.7.3.2",
                                text, what);
        }
    }
    return NULL;
}

static const char *check_key_types(const brski_profile_t *profile, apr_pool_t *pool)
{
    brski_key_type_t type;
    int i;

    for (i = 0; i < profile->key_types->nelts; i++) {
        const char *word = APR_ARRAY_IDX(profile->key_types, i, const char *);

        if (!brski_profile_key_type(&type, word)) {
            return apr_psprintf(pool,
                                "'%s' is no key type; there are p256, p384, p521, ed25519 "
                                "and rsa2048 to rsa4096",
                                word);
        }
    }
    return profile->key_types->nelts ? NULL : "a profile needs a key type, such as p256";
}

static const char *check_names_words(const brski_profile_t *profile, apr_pool_t *pool)
{
    static const brski_requester_t somebody = { "manufacturer", "1", "user", NULL };
    const brski_profile_facts_t facts = { &somebody, NULL, "cn" };
    apr_array_header_t *san;
    brski_bytes_t name;
    brski_err_t *err = NULL;

    if (strcmp(profile->subject, "csr")) {
        err = brski_profile_name(&name, profile->subject, &facts, 0, pool, pool);
    }
    if (!err) {
        err = brski_profile_san(&san, profile, &facts, pool);
    }
    return err ? err->public_text : NULL;
}

static const char *check_times(const brski_profile_t *profile, apr_pool_t *pool)
{
    if (profile->lifetime < apr_time_from_sec(60) || profile->lifetime > LIFETIME_MAX) {
        return apr_psprintf(pool, "a lifetime of %s is not between 1min and 100y",
                            brski_duration_text(profile->lifetime, pool));
    }
    if (profile->backdate < 0 || profile->backdate > BACKDATE_MAX) {
        return apr_psprintf(pool, "a certificate cannot begin %s before it is made; at most 1d",
                            brski_duration_text(profile->backdate, pool));
    }
    return NULL;
}

const char *brski_profile_check(const brski_profile_t *profile, apr_pool_t *pool)
{
    const char *why;

    if ((why = check_names_words(profile, pool)) || (why = check_key_types(profile, pool))
        || (why = check_oids(profile->eku, "extended key usage", pool))
        || (why = check_oids(profile->policies, "a certificate policy", pool))
        || (why = check_times(profile, pool))) {
        return why;
    }
    if (profile->key_usage
        & ~(BRSKI_KU_DIGITAL_SIGNATURE | BRSKI_KU_KEY_ENCIPHERMENT | BRSKI_KU_KEY_AGREEMENT)) {
        return "an end entity's key usage is digitalSignature, keyEncipherment or keyAgreement";
    }
    return NULL;
}
