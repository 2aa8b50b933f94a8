/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_odd.c: registrars and devices that are wrong in one way each, and some that are unusual and
 * right, for those who test a MASA. All stand in odd/, NAME.pem with chain and NAME.key.
 */
#include <apr_strings.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "brski_bytes.h"
#include "files.h"
#include "lab_make.h"

#define DAY apr_time_from_sec(86400)

/* Who issues an odd identity. */
typedef enum issuer_t {
    BY_ITSELF = 1,                /* self-signed end entity */
    BY_ODD_ROOT,
    BY_ODD_CA,                    /* below the odd root */
    BY_WEAK_ROOT,                 /* RSA-1024 */
    BY_COPY,                      /* root with name and key identifier of the domain's */
    BY_STRANGE_MAKER,             /* another manufacturer with this one's names */
    BY_MAKER                      /* the manufacturer's own IDevID CA */
} issuer_t;

typedef struct odd_t {
    const char *name;
    const char *what;
    issuer_t by;
    pki_role_t role;
    const char *key;              /* NULL: the lab's */
    const char *digest;
    const char *usage;
    int from_days;                /* validity from now, in days; 0, 0: the lab's */
    int until_days;
} odd_t;

#define CMC_RA_ONLY "critical,1.3.6.1.5.5.7.3.28"

static const odd_t odds[] = {
    { "self-signed", "registrar, self-signed: fine where anyone may ask", BY_ITSELF, PKI_REGISTRAR,
      NULL, NULL, NULL, 0, 0 },
    { "self-signed-no-cmcra", "self-signed and no registrar", BY_ITSELF, PKI_CLIENT,
      NULL, NULL, NULL, 0, 0 },
    { "cmcra-only", "registrar whose only extended key usage is cmcRA: fine", BY_ODD_ROOT,
      PKI_REGISTRAR, NULL, NULL, CMC_RA_ONLY, 0, 0 },
    { "any-usage", "anyExtendedKeyUsage does not make a registrar", BY_ODD_ROOT, PKI_REGISTRAR,
      NULL, NULL, "anyExtendedKeyUsage", 0, 0 },
    { "below-ca", "registrar below an issuing CA: fine", BY_ODD_CA, PKI_REGISTRAR,
      NULL, NULL, NULL, 0, 0 },
    { "expired", "registrar whose certificate has ended", BY_ODD_ROOT, PKI_REGISTRAR,
      NULL, NULL, NULL, -30, -1 },
    { "not-yet-valid", "registrar whose certificate has not begun", BY_ODD_ROOT, PKI_REGISTRAR,
      NULL, NULL, NULL, 1, 30 },
    { "rsa2048", "registrar with RSA-2048: fine", BY_ODD_ROOT, PKI_REGISTRAR,
      "rsa2048", NULL, NULL, 0, 0 },
    { "p384", "registrar with P-384: fine", BY_ODD_ROOT, PKI_REGISTRAR, "p384", NULL, NULL, 0, 0 },
    { "rsa1024", "registrar with RSA-1024", BY_ODD_ROOT, PKI_REGISTRAR,
      "rsa1024", NULL, NULL, 0, 0 },
    { "weak-root", "registrar below a root with RSA-1024", BY_WEAK_ROOT, PKI_REGISTRAR,
      NULL, NULL, NULL, 0, 0 },
    { "sha1", "registrar whose certificate is signed with SHA-1", BY_ODD_ROOT, PKI_REGISTRAR,
      NULL, "SHA1", NULL, 0, 0 },
    { "copied-root", "registrar below a root with the domain root's name and key identifier",
      BY_COPY, PKI_REGISTRAR, NULL, NULL, NULL, 0, 0 },
    { "foreign-device", "the first device's serial number, from another manufacturer's CA",
      BY_STRANGE_MAKER, PKI_IDEVID, NULL, NULL, NULL, 0, 0 },
    { "expired-device", "the first device, its certificate expired", BY_MAKER, PKI_IDEVID,
      NULL, NULL, NULL, -30, -1 },
    { NULL, NULL, 0, 0, NULL, NULL, NULL, 0, 0 }
};

const char *lab_make_odd_name(int i, const char **what)
{
    *what = odds[i].what;
    return odds[i].name;
}

/* Issuers, made when the first who needs one comes. */
typedef struct issuers_t {
    const lab_plan_t *plan;
    const lab_made_t *made;
    pki_id_t *root;
    pki_id_t *ca;
    pki_id_t *weak;
    pki_id_t *copy;
    pki_id_t *maker;
} issuers_t;

static brski_err_t *make_issuer(const pki_id_t **out, pki_id_t **kept, pki_spec_t *spec,
                                const pki_id_t *above, apr_pool_t *pool)
{
    if (!*kept) {
        BRSKI_TRY(pki_make(kept, spec, above, pool));
    }
    *out = *kept;
    return BRSKI_OK;
}

static brski_err_t *odd_root(const pki_id_t **out, issuers_t *all, apr_pool_t *pool)
{
    pki_spec_t spec = lab_make_spec(all->plan, PKI_ROOT, "Lab Oddities", "Odd Root CA");

    return make_issuer(out, &all->root, &spec, NULL, pool);
}

static brski_err_t *odd_ca(const pki_id_t **out, issuers_t *all, apr_pool_t *pool)
{
    pki_spec_t spec = lab_make_spec(all->plan, PKI_CA, "Lab Oddities", "Odd Issuing CA");
    const pki_id_t *root;

    BRSKI_TRY(odd_root(&root, all, pool));
    return make_issuer(out, &all->ca, &spec, root, pool);
}

static brski_err_t *weak_root(const pki_id_t **out, issuers_t *all, apr_pool_t *pool)
{
    pki_spec_t spec = lab_make_spec(all->plan, PKI_ROOT, "Lab Oddities", "Weak Root CA");

    spec.key = "rsa1024";
    return make_issuer(out, &all->weak, &spec, NULL, pool);
}

/* RFC 8995 11.2: a key identifier is a label that anyone can copy. */
static brski_err_t *copied_root(const pki_id_t **out, issuers_t *all, apr_pool_t *pool)
{
    pki_spec_t spec = lab_make_spec(all->plan, PKI_ROOT, "Lab Domain", "Lab Domain Root CA");
    const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(all->made->domain_root->cert);

    spec.key_id = brski_hex(brski_bytes(ASN1_STRING_get0_data(ski),
                                        (apr_size_t)ASN1_STRING_length(ski)), pool);
    return make_issuer(out, &all->copy, &spec, NULL, pool);
}

static brski_err_t *strange_maker(const pki_id_t **out, issuers_t *all, apr_pool_t *pool)
{
    pki_spec_t spec =
        lab_make_spec(all->plan, PKI_ROOT, "Lab Manufacturer", "Lab Manufacturer IDevID CA");

    return make_issuer(out, &all->maker, &spec, NULL, pool);
}

static brski_err_t *issuer_of(const pki_id_t **out, issuers_t *all, issuer_t by, apr_pool_t *pool)
{
    *out = NULL;
    switch (by) {
    case BY_ODD_ROOT:
        return odd_root(out, all, pool);
    case BY_ODD_CA:
        return odd_ca(out, all, pool);
    case BY_WEAK_ROOT:
        return weak_root(out, all, pool);
    case BY_COPY:
        return copied_root(out, all, pool);
    case BY_STRANGE_MAKER:
        return strange_maker(out, all, pool);
    case BY_MAKER:
        *out = all->made->idevid_ca;
        return BRSKI_OK;
    default:
        return BRSKI_OK;
    }
}

static pki_spec_t spec_of(const odd_t *odd, const lab_plan_t *plan, apr_pool_t *pool)
{
    pki_spec_t spec = lab_make_spec(plan, odd->role, "Lab Oddities", odd->name);
    apr_time_t now = plan->from + DAY;

    spec.key = odd->key ? odd->key : plan->key;
    spec.digest = odd->digest;
    spec.usage = odd->usage;
    if (odd->from_days || odd->until_days) {
        spec.not_before = now + odd->from_days * DAY;
        spec.not_after = now + odd->until_days * DAY;
    }
    if (odd->role == PKI_IDEVID) {
        spec.organization = "Lab Manufacturer";
        spec.name = "Lab Device";
        spec.serial_number = lab_make_serial(plan, 1, pool);
        spec.masa_url = apr_psprintf(pool, "%s:%d", plan->host, plan->port);
    }
    return spec;
}

brski_err_t *lab_make_odd(const lab_made_t *made, const lab_plan_t *plan, apr_pool_t *pool)
{
    const char *dir = files_join(plan->dir, LAB_ODD, pool);
    issuers_t issuers;
    const odd_t *odd;

    memset(&issuers, 0, sizeof(issuers));
    issuers.plan = plan;
    issuers.made = made;
    BRSKI_TRY(files_mkdir(dir, 0755, pool));
    for (odd = odds; odd->name; odd++) {
        pki_spec_t spec = spec_of(odd, plan, pool);
        const pki_id_t *issuer;
        pki_id_t *id;

        BRSKI_TRY(issuer_of(&issuer, &issuers, odd->by, pool));
        BRSKI_TRY(pki_make(&id, &spec, issuer, pool));
        BRSKI_TRY(pki_write(id, dir, odd->name, PKI_WHOLE_CHAIN, pool));
    }
    return BRSKI_OK;
}
