/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_keys.c: a lab's manufacturer, TLS server and domains.
 */
#include <apr_strings.h>
#include <string.h>

#include "files.h"
#include "lab_make.h"

pki_spec_t lab_make_spec(const lab_plan_t *plan, pki_role_t role, const char *organization,
                         const char *name)
{
    pki_spec_t spec;

    memset(&spec, 0, sizeof(spec));
    spec.role = role;
    spec.organization = organization;
    spec.name = name;
    spec.key = plan->key;
    spec.not_before = plan->from;
    spec.not_after = plan->until;
    return spec;
}

static brski_err_t *make_one(pki_id_t **out, const lab_plan_t *plan, const pki_spec_t *spec,
                             const pki_id_t *issuer, const char *path, apr_pool_t *pool)
{
    const char *slash = strchr(path, '/');
    const char *folder = apr_pstrmemdup(pool, path, (apr_size_t)(slash - path));

    BRSKI_TRY(pki_make(out, spec, issuer, pool));
    return pki_write(*out, files_join(plan->dir, folder, pool), slash + 1, PKI_WHOLE_CHAIN, pool);
}

static brski_err_t *write_anchors(const lab_plan_t *plan, const lab_made_t *made, apr_pool_t *pool)
{
    brski_bytes_t chain;

    BRSKI_TRY(pki_pem(&chain, made->idevid_ca, PKI_WHOLE_CHAIN, pool));
    return files_write(files_join(plan->dir, LAB_MANUFACTURER "/idevid-anchors.pem", pool), chain,
                       FILES_PUBLIC, pool);
}

static pki_spec_t maker(const lab_plan_t *plan, pki_role_t role, const char *name)
{
    return lab_make_spec(plan, role, "Lab Manufacturer", name);
}

static brski_err_t *make_manufacturer(lab_made_t *made, const lab_plan_t *plan, apr_pool_t *pool)
{
    pki_spec_t root = maker(plan, PKI_ROOT, "Lab Manufacturer Root CA");
    pki_spec_t ca = maker(plan, PKI_CA, "Lab Manufacturer IDevID CA");
    pki_spec_t signer = maker(plan, PKI_SIGNER, "Lab Manufacturer MASA");
    pki_spec_t offline = maker(plan, PKI_SIGNER, "Lab Manufacturer MASA, nonceless");
    pki_id_t *unused;

    BRSKI_TRY(make_one(&made->root, plan, &root, NULL, LAB_MANUFACTURER "/root", pool));
    BRSKI_TRY(
        make_one(&made->idevid_ca, plan, &ca, made->root, LAB_MANUFACTURER "/idevid-ca", pool));
    BRSKI_TRY(
        make_one(&made->signer, plan, &signer, made->root, LAB_MANUFACTURER "/masa-signer", pool));
    BRSKI_TRY(
        make_one(&unused, plan, &offline, made->root, LAB_MANUFACTURER "/nonceless-signer", pool));
    return write_anchors(plan, made, pool);
}

static const char *server_names(const lab_plan_t *plan, apr_pool_t *pool)
{
    const char *always = "DNS:localhost,IP:127.0.0.1,IP:::1";

    return strcmp(plan->host, "localhost") == 0
               ? always : apr_pstrcat(pool, "DNS:", plan->host, ",", always, NULL);
}

static brski_err_t *make_tls(const lab_plan_t *plan, apr_pool_t *pool)
{
    pki_spec_t ca = lab_make_spec(plan, PKI_ROOT, "Lab TLS", "Lab TLS Root CA");
    pki_spec_t server = maker(plan, PKI_SERVER, plan->host);
    pki_id_t *root, *unused;

    server.alt_names = server_names(plan, pool);
    BRSKI_TRY(make_one(&root, plan, &ca, NULL, LAB_TLS "/ca", pool));
    return make_one(&unused, plan, &server, root, LAB_TLS "/server", pool);
}

/* The registrar's TLS certificate is for the host too: people look at its pages. */
static const char *registrar_names(const lab_plan_t *plan, const char *folder, apr_pool_t *pool)
{
    return apr_pstrcat(pool, "DNS:registrar.", folder, ".example,", server_names(plan, pool), NULL);
}

/* A domain: root, registrar, and beside it one that may not be a registrar, to be refused. */
static brski_err_t *make_domain(pki_id_t **root, const lab_plan_t *plan, const char *folder,
                                const char *name, apr_pool_t *pool)
{
    const char *root_name = apr_pstrcat(pool, name, " Root CA", NULL);
    pki_spec_t ca = lab_make_spec(plan, PKI_ROOT, name, root_name);
    pki_spec_t registrar = lab_make_spec(plan, PKI_REGISTRAR, name, "Registrar");
    pki_spec_t other = lab_make_spec(plan, PKI_CLIENT, name, "Not a registrar");
    pki_id_t *unused;

    registrar.alt_names = registrar_names(plan, folder, pool);
    BRSKI_TRY(make_one(root, plan, &ca, NULL, files_join(folder, "root", pool), pool));
    BRSKI_TRY(
        make_one(&unused, plan, &registrar, *root, files_join(folder, "registrar", pool), pool));
    return make_one(&unused, plan, &other, *root, files_join(folder, "not-a-registrar", pool),
                    pool);
}

/*
 * What issues the domain's certificates, below its root; and who the registrar is as a client of
 * MASAs: with a key of its own, since the processes that ask have to read it.
 */
static brski_err_t *make_registrar_side(const lab_made_t *made, const lab_plan_t *plan,
                                        apr_pool_t *pool)
{
    pki_spec_t ca = lab_make_spec(plan, PKI_CA, "Lab Domain", "Lab Domain Device CA");
    pki_spec_t client = lab_make_spec(plan, PKI_CLIENT, "Lab Domain", "Registrar, client of MASAs");
    pki_id_t *unused;

    BRSKI_TRY(make_one(&unused, plan, &ca, made->domain_root, LAB_DOMAIN "/ca", pool));
    return make_one(&unused, plan, &client, made->domain_root, LAB_DOMAIN "/masa-client", pool);
}

brski_err_t *lab_make_keys(lab_made_t *made, const lab_plan_t *plan, apr_pool_t *pool)
{
    pki_id_t *stranger_root;

    BRSKI_TRY(make_manufacturer(made, plan, pool));
    BRSKI_TRY(make_tls(plan, pool));
    BRSKI_TRY(make_domain(&made->domain_root, plan, LAB_DOMAIN, "Lab Domain", pool));
    BRSKI_TRY(make_registrar_side(made, plan, pool));
    return make_domain(&stranger_root, plan, LAB_STRANGER, "Lab Stranger", pool);
}
