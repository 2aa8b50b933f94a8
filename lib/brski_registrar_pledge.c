/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar_pledge.c: who is this device, and is the request its own? RFC 8995 5.2: the
 * IDevID chains to one manufacturer, names the serial-number, and its key signed the request,
 * which names the certificate that this very connection presented.
 */
#include "brski_registrar_steps.h"

#include <apr_strings.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_cert.h"
#include "brski_der.h"
#include "brski_err.h"
#include "brski_log.h"

/* ---- serial-number ---- */

/* Text that can stand in a voucher-request and on a screen: UTF-8 without control characters,
 * neither empty nor endless. */
static const char *usable(const char *text, apr_size_t len, const brski_limits_t *limits,
                          apr_pool_t *pool)
{
    const char *copy;
    apr_size_t i;

    if (!text || len == 0 || len > limits->serial_number) {
        return NULL;
    }
    for (i = 0; i < len; i++) {
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
            return NULL;
        }
    }
    copy = apr_pstrmemdup(pool, text, len);
    return brski_is_utf8(copy) ? copy : NULL;
}

static const char *common_name(const brski_cert_t *cert, const brski_limits_t *limits,
                               apr_pool_t *pool)
{
    X509_NAME *name = X509_get_subject_name(cert->x509);
    int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1), len;
    unsigned char *utf8 = NULL;
    const char *text;

    if (at < 0) {
        return NULL;
    }
    len = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    text = len > 0 ? usable((const char *)utf8, (apr_size_t)len, limits, pool) : NULL;
    OPENSSL_free(utf8);
    return text;
}

/* RFC 4108 section 5: HardwareModuleName ::= SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum
 * OCTET STRING }. Octets that are no text are written in hex. */
static const char *module_serial(brski_bytes_t sequence, const brski_limits_t *limits,
                                 apr_pool_t *pool)
{
    brski_der_t in = brski_der(sequence), inside;
    brski_der_tlv_t type, serial;
    const char *text;

    if (brski_der_enter(&inside, &in, BRSKI_DER_SEQUENCE) || !brski_der_end(&in)
        || brski_der_expect(&type, &inside, BRSKI_DER_OID)
        || brski_der_expect(&serial, &inside, BRSKI_DER_OCTET_STRING)
        || !brski_der_end(&inside)) {
        return NULL;
    }
    text = usable((const char *)serial.value.data, serial.value.len, limits, pool);
    if (!text && serial.value.len) {
        text = brski_hex(serial.value, pool);
        return usable(text, strlen(text), limits, pool);
    }
    return text;
}

/* id-on-hardwareModuleName, 1.3.6.1.5.5.7.8.4 */
static const unsigned char module_name_oid[] = { 0x2B, 6, 1, 5, 5, 7, 8, 4 };

static int is_module_name(const GENERAL_NAME *name)
{
    const ASN1_OBJECT *oid;

    if (name->type != GEN_OTHERNAME || !name->d.otherName->value
        || name->d.otherName->value->type != V_ASN1_SEQUENCE) {
        return 0;
    }
    oid = name->d.otherName->type_id;
    return OBJ_length(oid) == sizeof(module_name_oid)
           && !memcmp(OBJ_get0_data(oid), module_name_oid, sizeof(module_name_oid));
}

static const char *hardware_module(const brski_cert_t *cert, const brski_limits_t *limits,
                                   apr_pool_t *pool)
{
    GENERAL_NAMES *san = X509_get_ext_d2i(cert->x509, NID_subject_alt_name, NULL, NULL);
    const char *text = NULL;
    int i;

    for (i = 0; i < sk_GENERAL_NAME_num(san) && !text; i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(san, i);

        if (is_module_name(name)) {
            const ASN1_STRING *s = name->d.otherName->value->value.sequence;

            text = module_serial(brski_bytes(ASN1_STRING_get0_data(s),
                                             (apr_size_t)ASN1_STRING_length(s)), limits, pool);
        }
    }
    GENERAL_NAMES_free(san);
    return text;
}

static brski_err_t *read_serial(const char **serial_number, const brski_manufacturer_t *m,
                                const brski_cert_t *idevid, const brski_limits_t *limits,
                                apr_pool_t *pool)
{
    switch (m->serial_from) {
    case BRSKI_SERIAL_CN:
        *serial_number = common_name(idevid, limits, pool);
        break;
    case BRSKI_SERIAL_HWMODULE:
        *serial_number = hardware_module(idevid, limits, pool);
        break;
    default:
        *serial_number = idevid->serial_number
                             ? usable(idevid->serial_number, strlen(idevid->serial_number), limits,
                                      pool)
                             : NULL;
        break;
    }
    if (!*serial_number) {
        return brski_err_say(brski_err(BRSKI_E_IDEVID, NULL, pool, "no serial-number in %s",
                                       idevid->subject), pool,
                             "The device's IDevID names no serial-number.");
    }
    return BRSKI_OK;
}

/* ---- manufacturer ---- */

typedef struct search_t {
    const brski_manufacturer_t *found;
    int length;                       /* of its path */
    const brski_manufacturer_t *other;/* another one that is as near */
    brski_err_t *last;
} search_t;

/* Anchors may nest, as a line's own CA below its maker's root: the nearest one decides. */
static void match(search_t *s, const brski_manufacturer_t *m, const brski_registrar_t *registrar,
                  const brski_peer_tls_t *peer, int flags, apr_pool_t *pool)
{
    apr_time_t now = registrar->ctx->now(registrar->ctx->baton);
    brski_chain_t *path;
    brski_err_t *err = brski_anchors_verify(&path, m->idevid_anchors, peer->client_cert,
                                            peer->client_chain, now, registrar->skew, flags, pool,
                                            pool);

    if (err) {
        s->last = err;
        return;
    }
    if (!s->found || path->certs->nelts < s->length) {
        s->found = m;
        s->length = path->certs->nelts;
        s->other = NULL;
    }
    else if (path->certs->nelts == s->length) {
        s->other = m;
    }
}

static search_t search(const brski_registrar_t *registrar, const brski_peer_tls_t *peer,
                       int ignore_expiry, apr_pool_t *pool)
{
    search_t s = { NULL, 0, NULL, NULL };
    int i;

    for (i = 0; i < registrar->manufacturers->nelts; i++) {
        const brski_manufacturer_t *m = APR_ARRAY_IDX(registrar->manufacturers, i,
                                                      const brski_manufacturer_t *);
        int flags = ignore_expiry || m->ignore_idevid_expiry ? BRSKI_VERIFY_IGNORE_EXPIRY : 0;

        match(&s, m, registrar, peer, flags, pool);
    }
    return s;
}

static brski_err_t *find_manufacturer(const brski_manufacturer_t **out,
                                      const brski_registrar_t *registrar,
                                      const brski_peer_tls_t *peer, apr_pool_t *pool)
{
    search_t s = search(registrar, peer, 0, pool), expired;

    if (!s.found) {
        expired = search(registrar, peer, 1, pool);
        if (expired.found) {
            return brski_err_say(brski_err(BRSKI_E_IDEVID, s.last, pool, "of manufacturer %s",
                                           expired.found->name), pool,
                                 "The device's IDevID certificate is not valid now.");
        }
        return brski_err(BRSKI_E_MANUFACTURER_UNKNOWN, s.last, pool, "issuer %s",
                         peer->client_cert->issuer);
    }
    if (s.other) {
        return brski_err(BRSKI_E_IDEVID, NULL, pool, "%s chains to both %s and %s",
                         peer->client_cert->subject, s.found->name, s.other->name);
    }
    *out = s.found;
    return BRSKI_OK;
}

static brski_err_t *find_device(brski_device_id_t **out, const brski_registrar_t *registrar,
                                const brski_peer_tls_t *peer, apr_pool_t *result_pool,
                                apr_pool_t *scratch_pool)
{
    brski_device_id_t *device = apr_pcalloc(result_pool, sizeof(*device));
    const char *serial;

    if (!peer->client_cert) {
        return brski_err(BRSKI_E_PLEDGE_CERTIFICATE, NULL, scratch_pool, NULL);
    }
    BRSKI_TRY(find_manufacturer(&device->manufacturer, registrar, peer, scratch_pool));
    BRSKI_TRY(read_serial(&serial, device->manufacturer, peer->client_cert, registrar->limits,
                          scratch_pool));
    device->serial_number = apr_pstrdup(result_pool, serial);
    device->idevid = brski_cert_ref(peer->client_cert, result_pool);
    *out = device;
    return BRSKI_OK;
}

brski_err_t *brski_registrar_device(brski_device_id_t **device, const brski_registrar_t *registrar,
                                    const brski_peer_tls_t *peer, apr_pool_t *result_pool,
                                    apr_pool_t *scratch_pool)
{
    *device = NULL;
    return brski_registrar_err(find_device(device, registrar, peer, result_pool, scratch_pool),
                               result_pool);
}

/* ---- the pledge's request ---- */

/* Signed with the key that TLS has proven, so that no stored request of another device passes. A
 * request without certificates is read with the one of TLS. */
static brski_err_t *check_signature(brski_signed_t *pvr, const brski_device_id_t *device,
                                    apr_pool_t *pool)
{
    brski_err_t *err;

    if (!pvr->cms->signer) {
        pvr->cms->signer = device->idevid;
    }
    if (strcmp(pvr->cms->signer->spki_hex, device->idevid->spki_hex)) {
        return brski_err(BRSKI_E_PVR_SIGNATURE, NULL, pool, "signed by %s, TLS by %s",
                         pvr->cms->signer->subject, device->idevid->subject);
    }
    err = brski_cms_verify(pvr->cms, pool);
    if (err && err->code == BRSKI_E_SIGNATURE) {
        return brski_err_say(brski_err(BRSKI_E_PVR_SIGNATURE, err, pool, NULL), pool,
                             "The signature of the voucher-request does not verify.");
    }
    return err;
}

static brski_err_t *check_serial(const brski_voucher_t *v, const brski_device_id_t *device,
                                 apr_pool_t *pool)
{
    if (strcmp(v->serial_number, device->serial_number)) {
        return brski_err(BRSKI_E_PVR_SERIAL, NULL, pool, "request %s, IDevID %s",
                         brski_printable(v->serial_number, 128, pool),
                         brski_printable(device->serial_number, 128, pool));
    }
    return BRSKI_OK;
}

/* The key that the pledge saw, however it says so; "" for a certificate that cannot be parsed. The
 * order of several is RFC 8366bis'. */
static const char *proximity_key(const brski_voucher_t *v, const brski_registrar_t *registrar,
                                 const brski_cert_t *server, apr_pool_t *pool)
{
    const brski_cert_t *cert;

    if (v->proximity_registrar_pubk_sha256.len) {
        return brski_hex(v->proximity_registrar_pubk_sha256, pool);
    }
    if (v->proximity_registrar_pubk.len) {
        return brski_sha256_hex(v->proximity_registrar_pubk, pool);
    }
    if (!v->proximity_registrar_cert.len) {
        return NULL;
    }
    if (server && brski_bytes_equal(v->proximity_registrar_cert, server->der)) {
        return server->spki_hex;
    }
    return brski_cert_parse(&cert, v->proximity_registrar_cert, registrar->limits,
                            registrar->cache, pool) ? "" : cert->spki_hex;
}

static brski_err_t *without_proximity(const brski_voucher_t *v, const brski_registrar_t *registrar,
                                      const brski_peer_tls_t *peer, apr_pool_t *pool)
{
    const char *assertion = brski_assertion_text(v->assertion);

    if (v->assertion == BRSKI_ASSERTION_PROXIMITY) {
        return brski_err_say(brski_err(BRSKI_E_FIELD, NULL, pool, "proximity without a key"), pool,
                             "A voucher-request that asserts proximity must contain "
                             "proximity-registrar-cert.");
    }
    brski_logf(peer->log ? peer->log : registrar->ctx->log, BRSKI_LOG_INFO, 1150,
               "the voucher-request of %s says nothing of this registrar (assertion %s); what it "
               "is worth is the MASA's matter", brski_printable(v->serial_number, 128, pool),
               assertion ? assertion : "none");
    return BRSKI_OK;
}

/* Its key, not its octets: a certificate may be renewed while a pledge still asks with the same
 * request, and only who has the key can be at the other end. */
static brski_err_t *check_proximity(const brski_voucher_t *v, const brski_registrar_t *registrar,
                                    const brski_peer_tls_t *peer, apr_pool_t *pool)
{
    const char *key = proximity_key(v, registrar, peer->server_cert, pool);

    if (!key) {
        return without_proximity(v, registrar, peer, pool);
    }
    if (!peer->server_cert) {
        return brski_err(BRSKI_E_REGISTRAR_KEY, NULL, pool, "no certificate of this connection");
    }
    if (strcmp(key, peer->server_cert->spki_hex)) {
        return brski_err(BRSKI_E_PVR_PROXIMITY, NULL, pool, "the pledge saw key %s, shown was %s",
                         *key ? key : "(unreadable)", peer->server_cert->spki_hex);
    }
    return BRSKI_OK;
}

/* RFC 8366 5.3: 8 to 32 octets; others are in use, and it is the pledge that compares. */
static void look_at_nonce(const brski_voucher_t *v, const brski_registrar_t *registrar,
                          const brski_peer_tls_t *peer, apr_pool_t *pool)
{
    apr_size_t len = v->nonce ? strlen(v->nonce) : 0;

    if (len < 8) {
        brski_logf(peer->log ? peer->log : registrar->ctx->log, BRSKI_LOG_INFO, 1151,
                   "the voucher-request of %s has %s",
                   brski_printable(v->serial_number, 128, pool),
                   len ? "a short nonce" : "no nonce: its voucher can be used again");
    }
}

brski_err_t *brski_registrar_check_pvr(brski_signed_t *pvr, const brski_registrar_t *registrar,
                                       const brski_device_id_t *device,
                                       const brski_peer_tls_t *peer, apr_pool_t *scratch_pool)
{
    /* 5.2     made by the device at the other end */
    BRSKI_TRY(check_signature(pvr, device, scratch_pool));
    /* 5.2     for itself */
    BRSKI_TRY(check_serial(pvr->voucher, device, scratch_pool));
    /* 5.2     having seen this registrar, and nobody in between */
    BRSKI_TRY(check_proximity(pvr->voucher, registrar, peer, scratch_pool));
    look_at_nonce(pvr->voucher, registrar, peer, scratch_pool);
    return BRSKI_OK;
}
