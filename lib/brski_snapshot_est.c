/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_snapshot_est.c: a node's configuration of a registrar and EST server as JSON. Keys, their
 * files, passwords and the node's name are not in it.
 */
#include "brski_snapshot_est.h"

#include "brski_bytes.h"
#include "brski_err.h"
#include "brski_json.h"
#include "brski_time.h"

#define SNAPSHOT_FORMAT 1

/* ---- words, in the order of the enumerations ---- */

static const char *const trust_words[] = { "none", "anchors", "webpki", "tofu" };
static const char *const pledges_words[] = { "none", "listed", "approve", "any" };
static const char *const serial_words[] = { "none", "x520", "cn", "hwmodule" };
static const char *const audit_words[] = { "none", "accept", "warn", "refuse" };
static const char *const pop_words[] = { "none", "off", "optional", "required" };
static const char *const excess_words[] = { "none", "refuse", "drop" };
static const char *const chain_words[] = { "none", "chain", "registrar" };

/* ---- parts ---- */

static void set_duration(brski_json_t *json, const char *key, apr_interval_time_t d,
                         apr_pool_t *pool)
{
    brski_json_set_string(json, key, brski_duration_text(d, pool));
}

static brski_json_t *strings(const apr_array_header_t *list, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_array(pool);
    int i;

    for (i = 0; list && i < list->nelts; i++) {
        brski_json_append_string(json, APR_ARRAY_IDX(list, i, const char *));
    }
    return json;
}

static brski_json_t *certs(const apr_array_header_t *list, int from, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_array(pool);
    int i;

    for (i = from; list && i < list->nelts; i++) {
        brski_json_append_string(
            json, brski_cert_pem(APR_ARRAY_IDX(list, i, const brski_cert_t *), pool));
    }
    return json;
}

static brski_json_t *anchors(const brski_anchors_t *a, apr_pool_t *pool)
{
    return certs(a ? brski_anchors_certs(a) : NULL, 0, pool);
}

static brski_json_t *manufacturer(const brski_manufacturer_t *m, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_string(json, "name", m->name);
    brski_json_set(json, "idevid_anchors", anchors(m->idevid_anchors, pool));
    brski_json_set_bool(json, "ignore_idevid_expiry", m->ignore_idevid_expiry);
    brski_json_set_string(json, "serial_from", serial_words[m->serial_from]);
    brski_json_set_string(json, "pledges", pledges_words[m->pledges]);
    brski_json_set_string(json, "voucher_trust", trust_words[m->voucher_trust]);
    brski_json_set(json, "voucher_anchors", anchors(m->voucher_anchors, pool));
    brski_json_set_string(json, "tls_trust", trust_words[m->tls_trust]);
    brski_json_set_string(json, "masa_url", m->masa_url);
    brski_json_set_bool(json, "client_certificate", m->client_chain_file != NULL);
    brski_json_set_bool(json, "login", m->login_user != NULL);
    return json;
}

static brski_json_t *manufacturers(const brski_registrar_t *registrar, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_array(pool);
    int i;

    for (i = 0; i < registrar->manufacturers->nelts; i++) {
        brski_json_append(json, manufacturer(APR_ARRAY_IDX(registrar->manufacturers, i,
                                                           const brski_manufacturer_t *), pool));
    }
    return json;
}

/* Nodes of a farm have an end entity each; a self-signed one stands for itself. */
static brski_json_t *issuers(const brski_registrar_t *registrar, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_array(pool);
    int i;

    for (i = 0; i < registrar->certificates->nelts; i++) {
        const brski_registrar_cert_t *c =
            APR_ARRAY_IDX(registrar->certificates, i, const brski_registrar_cert_t *);

        brski_json_append(json, certs(c->chain, c->chain->nelts > 1, pool));
    }
    return json;
}

/* This node's own: so that the tools can tell when one ends. */
static brski_json_t *own_certificates(const brski_registrar_t *registrar, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_array(pool);
    int i;

    for (i = 0; i < registrar->certificates->nelts; i++) {
        const brski_registrar_cert_t *c =
            APR_ARRAY_IDX(registrar->certificates, i, const brski_registrar_cert_t *);

        brski_json_append_string(
            json, brski_cert_pem(APR_ARRAY_IDX(c->chain, 0, const brski_cert_t *), pool));
    }
    return json;
}

static brski_json_t *policy(const brski_audit_policy_t *p, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set(json, "known", strings(p->known, pool));
    brski_json_set(json, "nonceless_known", strings(p->nonceless_known, pool));
    brski_json_set_string(json, "unknown", audit_words[p->unknown]);
    brski_json_set_string(json, "logged", audit_words[p->logged]);
    brski_json_set_string(json, "nonceless", audit_words[p->nonceless]);
    brski_json_set_string(json, "truncated", audit_words[p->truncated]);
    brski_json_set_string(json, "version", audit_words[p->version]);
    brski_json_set_string(json, "missing", audit_words[p->missing]);
    brski_json_set_string(json, "garbage", audit_words[p->garbage]);
    brski_json_set_string(json, "ignore_before",
                          p->ignore_before ? brski_time_rfc3339(p->ignore_before, pool) : NULL);
    brski_json_set_bool(json, "ignore_history", p->ignore_history);
    brski_json_set_int(json, "max_events", p->max_events);
    return json;
}

static brski_json_t *profile(const brski_profile_t *p, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_string(json, "subject", p->subject);
    brski_json_set(json, "san", strings(p->san, pool));
    brski_json_set_int(json, "key_usage", p->key_usage);
    brski_json_set(json, "eku", strings(p->eku, pool));
    brski_json_set(json, "policies", strings(p->policies, pool));
    set_duration(json, "lifetime", p->lifetime, pool);
    set_duration(json, "backdate", p->backdate, pool);
    brski_json_set(json, "key_types", strings(p->key_types, pool));
    brski_json_set_string(json, "excess", excess_words[p->excess]);
    brski_json_set_bool(json, "revocation_urls", p->crl_ocsp);
    return json;
}

static brski_json_t *ca(const brski_ca_t *c, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_string(json, "kind", c->kind->name);
    brski_json_set_string(json, "key_id", c->key_id);
    brski_json_set(json, "chain", certs(c->chain, 0, pool));
    brski_json_set_string(json, "crl", c->crl_url);
    brski_json_set_string(json, "ocsp", c->ocsp_url);
    return json;
}

static brski_json_t *label(const brski_label_t *l, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_string(json, "name", l->name);
    brski_json_set(json, "ca", ca(l->ca, pool));
    brski_json_set(json, "profile", profile(l->profile, pool));
    brski_json_set_bool(json, "require_voucher", l->require_voucher);
    brski_json_set_bool(json, "approve", l->approve);
    brski_json_set_bool(json, "devices", l->accept_idevid);
    brski_json_set_bool(json, "users", l->accept_user);
    brski_json_set(json, "client_anchors", anchors(l->client_anchors, pool));
    brski_json_set_string(json, "pop", pop_words[l->pop]);
    brski_json_set_bool(json, "reenroll_same_key", l->reenroll_same_key);
    set_duration(json, "reenroll_grace", l->reenroll_grace, pool);
    set_duration(json, "reenroll_before", l->reenroll_before, pool);
    return json;
}

static brski_json_t *labels(const brski_est_t *est, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_array(pool);
    int i;

    for (i = 0; i < est->labels->nelts; i++) {
        brski_json_append(json,
                          label(APR_ARRAY_IDX(est->labels, i, const brski_label_t *), pool));
    }
    return json;
}

/* ---- the whole ---- */

static void set_server(brski_json_t *json, const brski_est_t *est,
                       const apr_array_header_t *networks, apr_pool_t *pool)
{
    const brski_registrar_t *registrar = est->registrar;

    brski_json_set_int(json, "format", SNAPSHOT_FORMAT);
    brski_json_set_string(json, "version", BRSKI_VERSION);
    set_duration(json, "skew", est->skew, pool);
    brski_json_set_int(json, "body", (apr_int64_t)est->limits->body);
    brski_json_set_string(json, "pin_candidates", chain_words[registrar->rvr_chain]);
    brski_json_set_bool(json, "withhold", registrar->withhold);
    brski_json_set_bool(json, "revoke_on_bad", registrar->revoke_on_bad);
    set_duration(json, "recheck", registrar->recheck, pool);
    brski_json_set_bool(json, "recheck_revokes", registrar->recheck_revokes);
    set_duration(json, "telemetry_wait", registrar->telemetry_wait, pool);
    set_duration(json, "request_retention", registrar->keep, pool);
    set_duration(json, "masa_timeout", registrar->masa_timeout, pool);
    brski_json_set_bool(json, "addresses_any", registrar->addresses_any);
    brski_json_set(json, "addresses", strings(networks, pool));
    brski_json_set_bool(json, "proxy", registrar->proxy != NULL);
}

brski_err_t *brski_snapshot_est_make(const char **json, const char **hash, const brski_est_t *est,
                                     const apr_array_header_t *networks, apr_pool_t *pool)
{
    brski_json_t *root = brski_json_object(pool);

    set_server(root, est, networks, pool);
    brski_json_set(root, "registrar_issuers", issuers(est->registrar, pool));
    brski_json_set(root, "audit_policy", policy(est->registrar->policy, pool));
    brski_json_set(root, "manufacturers", manufacturers(est->registrar, pool));
    brski_json_set(root, "labels", labels(est, pool));
    *hash = brski_sha256_hex(brski_bytes_str(brski_json_text(root, 0, pool)), pool);
    brski_json_set(root, "registrar_certificates", own_certificates(est->registrar, pool));
    *json = brski_json_text(root, 0, pool);
    return BRSKI_OK;
}
