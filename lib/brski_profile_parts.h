/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_profile_parts.h: what the files about profiles share: filling patterns with what is known
 * of a requester, names and alternative names made of them, and the object identifiers they use.
 * Everybody else: brski_profile.h.
 */
#ifndef BRSKI_PROFILE_PARTS_H
#define BRSKI_PROFILE_PARTS_H

#include "brski_der.h"
#include "brski_profile.h"

#define BRSKI_EXT_SKI "2.5.29.14"
#define BRSKI_EXT_KEY_USAGE "2.5.29.15"
#define BRSKI_EXT_SAN "2.5.29.17"
#define BRSKI_EXT_BASIC_CONSTRAINTS "2.5.29.19"
#define BRSKI_EXT_POLICIES "2.5.29.32"
#define BRSKI_EXT_EKU "2.5.29.37"

/** GeneralName, RFC 5280 4.2.1.6 */
#define BRSKI_NAME_OTHER BRSKI_DER_CONTEXT(0)
#define BRSKI_NAME_EMAIL BRSKI_DER_CONTEXT_PRIMITIVE(1)
#define BRSKI_NAME_DNS BRSKI_DER_CONTEXT_PRIMITIVE(2)
#define BRSKI_NAME_URI BRSKI_DER_CONTEXT_PRIMITIVE(6)
#define BRSKI_NAME_IP BRSKI_DER_CONTEXT_PRIMITIVE(7)

/** What patterns are filled with. */
typedef struct brski_profile_facts_t {
    const brski_requester_t *requester; /**< NULL: nobody is known */
    const brski_csr_t *csr;             /**< NULL: there is none yet */
    const char *cn;                     /**< its common name; NULL */
} brski_profile_facts_t;

/** @param csr  may be NULL */
void brski_profile_facts(brski_profile_facts_t *facts, const brski_requester_t *requester,
                         const brski_csr_t *csr, apr_pool_t *pool);

/** A value made fit for its place; NULL when it cannot stand there. */
typedef const char *(*brski_profile_fit_t)(const char *value, apr_pool_t *pool);

/**
 * Fill "%{serial}" and its like: the value of each goes through fit, the pattern's own text does
 * not.
 * @return NULL; BRSKI_E_CONFIG when the pattern is wrong; BRSKI_E_CSR_SUBJECT when a value is not
 * known or does not fit
 */
brski_err_t *brski_profile_fill(const char **out, const char *pattern,
                                const brski_profile_facts_t *facts, brski_profile_fit_t fit,
                                apr_pool_t *pool);

/** The value of the placeholder at *at ("%{serial}...", behind which it then stands); errors as
 * brski_profile_fill(). */
brski_err_t *brski_profile_value(const char **value, const char **at,
                                 const brski_profile_facts_t *facts, apr_pool_t *pool);

/**
 * Name in DER of a pattern in the form of RFC 4514 ("CN=%{serial},O=Example": the last stands first
 * in DER). Values are filled in as values: whatever stands in them stays one attribute.
 * @param as_template  1: an attribute whose value is not known yet is left without one (RFC 9908)
 */
brski_err_t *brski_profile_name(brski_bytes_t *der, const char *pattern,
                                const brski_profile_facts_t *facts, int as_template,
                                apr_pool_t *result_pool, apr_pool_t *scratch_pool);

/** GeneralNames (brski_bytes_t each) of a profile's patterns, each once. */
brski_err_t *brski_profile_san(apr_array_header_t **names, const brski_profile_t *profile,
                               const brski_profile_facts_t *facts, apr_pool_t *pool);

/** Cut a GeneralNames into brski_bytes_t each. @return NULL or BRSKI_E_CSR */
brski_err_t *brski_profile_san_cut(apr_array_header_t **names, brski_bytes_t san, apr_pool_t *pool);

/** Nonzero when two GeneralNames are the same; DNS names without regard to case. */
int brski_profile_same_name(brski_bytes_t a, brski_bytes_t b);

/** Nonzero when two Names are the same in the sense of RFC 5280 7.1. */
int brski_profile_same_subject(brski_bytes_t a, brski_bytes_t b);

/** One attribute of a Name. */
typedef struct brski_profile_attribute_t {
    const char *type; /**< dotted */
    brski_der_tlv_t value;
    const char *text; /**< UTF-8; NULL when it is no text */
} brski_profile_attribute_t;
/** Attributes of a Name (brski_profile_attribute_t each), in its order. @return NULL or BRSKI_E_CSR
 */
brski_err_t *brski_profile_attributes(apr_array_header_t **attributes, brski_bytes_t name,
                                      apr_pool_t *pool);

/** Hold a CSR's wishes against what its requester gets. @return NULL; BRSKI_E_CSR_SUBJECT,
 * BRSKI_E_CSR_EXTENSION, BRSKI_E_CSR */
brski_err_t *brski_profile_wishes(const brski_profile_t *profile, const brski_template_t *tmpl,
                                  const apr_array_header_t *san, const brski_profile_facts_t *facts,
                                  apr_pool_t *pool);

/** Words of key_types: curve or scheme, and for RSA the least bits. */
typedef struct brski_key_type_t {
    const char *name; /**< "p256", ... "rsa", "ed25519" */
    int rsa_bits;
    const char *oid;       /**< dotted: of the key type */
    const char *curve;     /**< dotted; NULL */
    const char *signature; /**< dotted: what its CSR is signed with */
} brski_key_type_t;
/** @return nonzero when the word is one */
int brski_profile_key_type(brski_key_type_t *type, const char *word);

/** Which of BRSKI_KU_... a key of this type can have: RFC 5480 3, RFC 8410 5, RFC 3279 2.3.1. */
int brski_profile_key_usage(int wanted, const char *key_type_oid);

/** Values of extensions. */
brski_bytes_t brski_profile_key_usage_der(int key_usage, apr_pool_t *pool);
brski_bytes_t brski_profile_oids_der(const apr_array_header_t *dotted, apr_pool_t *pool);
brski_bytes_t brski_profile_policies_der(const apr_array_header_t *dotted, apr_pool_t *pool);
brski_bytes_t brski_profile_san_der(const apr_array_header_t *names, apr_pool_t *pool);

#endif
