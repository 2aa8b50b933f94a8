/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar_pledge_test.c: whose device is this, and is its request its own:
 * manufacturers and their anchors, serial-numbers wherever they stand, signatures, proximity;
 * and the requests and vouchers that others made.
 */
#include <apr_network_io.h>
#include <apr_strings.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <string.h>

#include "brski_bytes.h"
#include "pki.h"
#include "testregistrar.h"

static apr_pool_t *pool;

/* ---- a registrar without records ---- */

static brski_registrar_t *registrar_at(const char *now)
{
    brski_registrar_t *r = apr_pcalloc(pool, sizeof(*r));

    r->ctx = unit_ctx(unit_time(now), pool);
    r->limits = &brski_limits_default;
    r->manufacturers = apr_array_make(pool, 2, sizeof(brski_manufacturer_t *));
    r->certificates = apr_array_make(pool, 2, sizeof(brski_registrar_cert_t *));
    r->skew = apr_time_from_sec(300);
    return r;
}

static brski_manufacturer_t *add(brski_registrar_t *r, const char *name, const brski_cert_t *anchor)
{
    brski_manufacturer_t *m = apr_pcalloc(pool, sizeof(*m));
    apr_array_header_t *certs = apr_array_make(pool, 1, sizeof(const brski_cert_t *));
    brski_anchors_t *anchors;

    APR_ARRAY_PUSH(certs, const brski_cert_t *) = anchor;
    is_ok(brski_anchors_make(&anchors, certs, pool), "5.2 anchors of %s", name);
    m->name = name;
    m->idevid_anchors = anchors;
    m->serial_from = BRSKI_SERIAL_X520;
    APR_ARRAY_PUSH(r->manufacturers, brski_manufacturer_t *) = m;
    return m;
}

static brski_err_t *device_of(brski_device_id_t **device, const brski_registrar_t *r,
                              const brski_cert_t *cert, const apr_array_header_t *chain)
{
    brski_peer_tls_t peer = { .client_cert = cert, .client_chain = chain };

    return brski_registrar_device(device, r, &peer, pool, pool);
}

/* ---- devices ---- */

static void test_manufacturers(void)
{
    testmasa_t *w = testmasa_on(NULL, pool);
    brski_registrar_t *r = registrar_at(TESTMASA_NOW);
    apr_array_header_t *chain = testpki_certs(pool, w->idevid_ca, NULL);
    brski_device_id_t *d;
    brski_err_t *err;

    is_err(device_of(&d, r, NULL, NULL), PLEDGE_CERTIFICATE, "5.2 no certificate");
    err = device_of(&d, r, w->pledge->cert, chain);
    is_err(err, MANUFACTURER_UNKNOWN, "5.3 nobody is welcome by default");
    is_int(err->status, 404, "5.3 that is 404");
    add(r, "other", w->domain_root->cert);
    is_err(device_of(&d, r, w->pledge->cert, chain), MANUFACTURER_UNKNOWN, "5.3 another's device");
    add(r, "maker", w->maker_root->cert);
    is_ok(device_of(&d, r, w->pledge->cert, chain), "5.2 a manufacturer's device");
    is_str(d->manufacturer->name, "maker", "5.2 whose it is");
    is_str(d->serial_number, TESTMASA_SERIAL, "2.3.1 its serial-number");
    is_err(device_of(&d, r, w->pledge->cert, NULL), MANUFACTURER_UNKNOWN,
           "5.2 without its intermediate nobody can tell");
    add(r, "line", w->idevid_ca->cert);
    is_ok(device_of(&d, r, w->pledge->cert, chain), "5.2 a line below it");
    is_str(d->manufacturer->name, "line", "5.2 the nearest anchor decides");
    add(r, "again", w->idevid_ca->cert);
    is_err(device_of(&d, r, w->pledge->cert, chain), IDEVID, "5.2 two that are as near: nobody's");
    chain = testpki_certs(pool, w->domain_ca, NULL);
    is_err(device_of(&d, r, w->registrar->cert, chain), IDEVID,
           "2.3.1 a certificate without serial-number is no IDevID");
}

static void test_expired(void)
{
    testmasa_t *w = testmasa_on(NULL, pool);
    brski_registrar_t *r = registrar_at("2040-06-01T00:00:00Z");
    apr_array_header_t *chain = testpki_certs(pool, w->idevid_ca, NULL);
    brski_manufacturer_t *m = add(r, "maker", w->maker_root->cert);
    brski_device_id_t *d;
    brski_err_t *err = device_of(&d, r, w->pledge->cert, chain);

    is_err(err, IDEVID, "5.2 an IDevID that has expired");
    is_int(err->status, 403, "5.3 is 403: an administrator can help");
    m->ignore_idevid_expiry = 1;
    is_ok(device_of(&d, r, w->pledge->cert, chain), "5.2 where that does not matter it is welcome");
}

static void serial(brski_serial_from_t from, pki_spec_t spec, const char *want, const char *label)
{
    const pki_party_t *ca = pki_make(NULL, (pki_spec_t){ .subject = "CN=maker", .ca = 1 }, pool);
    const pki_party_t *device = pki_make(ca, spec, pool);
    brski_registrar_t *r = registrar_at(TESTMASA_NOW);
    brski_device_id_t *d;
    brski_err_t *err;

    add(r, "maker", ca->cert)->serial_from = from;
    err = device_of(&d, r, device->cert, NULL);
    if (!want) {
        is_err(err, IDEVID, "2.3.1 %s", label);
        return;
    }
    is_ok(err, "2.3.1 %s", label);
    is_str(d ? d->serial_number : NULL, want, "2.3.1 %s: the serial-number", label);
}

static void test_serials(void)
{
    serial(BRSKI_SERIAL_X520, (pki_spec_t){ .subject = "CN=x,serialNumber=PID:CHIMAY SN:FDO27" },
           "PID:CHIMAY SN:FDO27", "blanks and colons belong to a serial-number");
    serial(BRSKI_SERIAL_X520, (pki_spec_t){ .subject = "CN=1234" }, NULL,
           "a CN is no serial-number by itself");
    serial(BRSKI_SERIAL_CN, (pki_spec_t){ .subject = "CN=1234,serialNumber=5678" }, "1234",
           "a CN where it is configured");
    serial(BRSKI_SERIAL_CN, (pki_spec_t){ .subject = "serialNumber=5678" }, NULL,
           "nor the other way round");
    serial(BRSKI_SERIAL_HWMODULE, (pki_spec_t){ .subject = "CN=x,serialNumber=5678" }, NULL,
           "no hardwareModuleName");
}

static const brski_cert_t *cert_of(const char *vector)
{
    const char *path = unit_vector(vector, pool);
    apr_array_header_t *certs;

    if (!path) {
        skip(1, "%s is not here: set BRSKI_VECTORS", vector);
        return NULL;
    }
    is_ok(brski_cert_load(&certs, path, pool), "2.3.1 %s", vector);
    return APR_ARRAY_IDX(certs, 0, const brski_cert_t *);
}

static void test_idevids(void)
{
    const brski_cert_t *cisco = cert_of("idevid-parsing/cisco-sudi-2023.pem");
    const brski_cert_t *ot = cert_of("idevid-parsing/ot-testvendor-pledge.pem");
    const brski_cert_t *ca = cert_of("idevid-parsing/ot-testvendor-masa_ca.pem");
    brski_registrar_t *r = registrar_at("2026-11-21T00:00:00Z");
    brski_manufacturer_t *m;
    brski_device_id_t *d;
    const char *base;

    if (!cisco || !ot || !ca) {
        return;
    }
    m = add(r, "cisco", cisco);
    is_ok(device_of(&d, r, cisco, NULL), "2.3.1 a Cisco SUDI");
    is_str(d->serial_number, "PID:CHIMAY-U-AC SN:FDO27361XTF", "2.3.1 as it is written");
    is_err(brski_registrar_masa_base(&base, r, m, cisco, pool), MASA_URL,
           "2.3.2 it names no MASA: one must be configured");
    m = add(r, "ot", ca);
    is_ok(device_of(&d, r, ot, NULL), "2.3.1 a device of ot-registrar's vendor");
    is_str(d->serial_number, "OT-9529", "2.3.1 by its subject");
    m->serial_from = BRSKI_SERIAL_HWMODULE;
    is_ok(device_of(&d, r, ot, NULL), "2.3.1 or by its hardwareModuleName");
    note("%s", d ? d->serial_number : "none");
}

/* ---- requests ---- */

static void test_requests(void)
{
    testregistrar_t *w = testregistrar_make(pool);
    const testpki_t *other = testpki_make(
        &(testpki_spec_t){ .cn = "other", .serial_number = "another device" }, w->maker->idevid_ca,
        pool);
    brski_err_t *err;

    w->body = testpki_sign_voucher(&w->pvr, other, testpki_chain(other, 0, pool), pool);
    is_err(testregistrar_post(w), PVR_SIGNATURE, "5.2 signed by another device");
    w->body = testmasa_spoiled(testpki_sign_voucher(&w->pvr, w->maker->pledge,
                                                    testpki_chain(w->maker->pledge, 0, pool), pool),
                               pool);
    is_err(testregistrar_post(w), PVR_SIGNATURE, "5.2 a signature that does not verify");
    w->body.len = 0;
    w->pvr.serial_number = "another device";
    is_err(testregistrar_post(w), PVR_SERIAL, "5.2 a request for another device");
    w->body.len = 0;
    w->pvr.serial_number = TESTMASA_SERIAL;
    w->pvr.proximity_registrar_cert = w->maker->domain_ca->cert->der;
    err = testregistrar_post(w);
    is_err(err, PVR_PROXIMITY, "5.2 it saw another certificate: somebody stands in between");
    is_int(err->status, 401, "5.2 that is 401, and the end of the connection");
    w->body.len = 0;
    w->pvr.proximity_registrar_cert = brski_bytes_str("no certificate");
    is_err(testregistrar_post(w), PVR_PROXIMITY, "5.2 it saw no certificate at all");
    w->body.len = 0;
    w->pvr.proximity_registrar_cert.len = 0;
    is_err(testregistrar_post(w), FIELD, "5.2 proximity without a word of what it saw");
    is_int(w->asked, 0, "5.2 none of them reached the MASA");
    ok(testregistrar_pledge(w) == NULL, "5.3 nor the records");
}

static void test_proximity_forms(void)
{
    testregistrar_t *w = testregistrar_make(pool);
    testpki_t *renewed = testpki_make(
        &(testpki_spec_t){ .cn = "renewed", .same_key = w->maker->registrar->key, .cmc_ra = 1 },
        w->maker->domain_ca, pool);

    w->pvr.proximity_registrar_cert.len = 0;
    w->pvr.proximity_registrar_pubk_sha256 = brski_bytes(w->maker->registrar->cert->spki_hash, 32);
    is_ok(testregistrar_post(w), "8366-5.3 the hash of the key will do");
    w->pvr.proximity_registrar_pubk_sha256 = brski_bytes(w->maker->pledge->cert->spki_hash, 32);
    w->body.len = 0;
    is_err(testregistrar_post(w), PVR_PROXIMITY, "8366-5.3 if it is the right key's");
    w->pvr.proximity_registrar_pubk_sha256.len = 0;
    w->pvr.proximity_registrar_cert = renewed->cert->der;
    w->body.len = 0;
    is_ok(testregistrar_post(w), "5.2 a renewed certificate of the same key proves the same");
    w->pvr.proximity_registrar_cert.len = 0;
    w->pvr.assertion = BRSKI_ASSERTION_NONE;
    w->body.len = 0;
    is_ok(testregistrar_post(w), "5.2 a request that asserts nothing is the MASA's matter");
}

/* Without certificates in the request the one of TLS tells who signed. */
static void test_forms(void)
{
    testregistrar_t *w = testregistrar_make(pool);
    pki_party_t pledge = { w->maker->pledge->key, w->maker->pledge->cert->x509,
                           w->maker->pledge->cert };
    pki_party_t other = { w->maker->masa_ee->key, w->maker->masa_ee->cert->x509,
                          w->maker->masa_ee->cert };
    const char *json;

    is_ok(brski_voucher_json(&json, &w->pvr, pool), "5.2 a request");
    w->body = pki_cms(json, &pledge, NULL, "SHA256", CMS_NOCERTS, pool);
    is_ok(testregistrar_post(w), "5.2 without its certificate: TLS has it");
    w->body = pki_cms(json, &other, NULL, "SHA256", CMS_NOCERTS, pool);
    is_err(testregistrar_post(w), PVR_SIGNATURE, "5.2 without the certificate of another signer");
    w->body.len = 0;

    w->pvr.nonce = NULL;
    is_ok(testregistrar_post(w), "5.2 without a nonce it is taken too");
    ok(w->answer->row->nonce == NULL, "5.5 and none is made up");
}

/* ---- where the MASA is ---- */

static void test_masa_base(void)
{
    const char *path = unit_source("t/vectors/rfc8995-appC/idevid_00-D0-E5-F2-00-02.crt.pem", pool);
    brski_registrar_t *r = registrar_at(TESTMASA_NOW);
    brski_manufacturer_t m = { .name = "maker" };
    apr_array_header_t *certs;
    const brski_cert_t *idevid;
    const char *base;

    is_ok(brski_cert_load(&certs, path, pool), "8995-C.1.5 the IDevID");
    idevid = APR_ARRAY_IDX(certs, 0, const brski_cert_t *);
    is_ok(brski_registrar_masa_base(&base, r, &m, idevid, pool), "2.3.2 names its MASA");
    is_str(base, "highway-test.example.com:9443", "2.3.2 which is where");
    m.masa_url = "https://masa.example/";
    is_ok(brski_registrar_masa_base(&base, r, &m, idevid, pool), "5.4 unless we know better");
    is_str(base, "https://masa.example/", "5.4 then it is there");
    r->proxy = "http://proxy.example:3128";
    is_ok(brski_registrar_masa_base(&base, r, &m, idevid, pool), "5.4 through a proxy too");
    m.masa_url = NULL;
    is_err(brski_registrar_masa_base(&base, r, &m, idevid, pool), MASA_URL,
           "5.4 through a proxy nobody follows a stranger's URL");
    r->proxy = NULL;
    m.masa_url = "http://masa.example/";
    is_err(brski_registrar_masa_base(&base, r, &m, idevid, pool), MASA_URL, "5.4 https only");
}

static void address(const brski_registrar_t *r, int configured, const char *text, int port,
                    int want)
{
    is_int(brski_registrar_address_ok(r, configured, text, port, pool), want,
           "11.4 %s port %d is %s%s", text, port, want ? "allowed" : "not allowed",
           configured ? ", configured" : "");
}

static void test_addresses(void)
{
    brski_registrar_t *r = registrar_at(TESTMASA_NOW);
    apr_ipsubnet_t *net;

    address(r, 0, "8.8.8.8", 443, 1);
    address(r, 0, "8.8.8.8", 9443, 1);
    address(r, 0, "8.8.8.8", 25, 0);
    address(r, 1, "8.8.8.8", 25, 1);
    address(r, 1, "127.0.0.1", 443, 0);
    address(r, 0, "10.1.2.3", 443, 0);
    address(r, 0, "169.254.169.254", 443, 0);
    address(r, 0, "::ffff:10.1.2.3", 443, 0);
    address(r, 0, "fe80::1", 443, 0);
    address(r, 0, "2606:4700::1111", 443, 1);
    address(r, 0, "localhost", 443, 0);
    address(r, 0, "", 443, 0);
    r->addresses = apr_array_make(pool, 2, sizeof(apr_ipsubnet_t *));
    apr_ipsubnet_create(&net, "10.1.0.0", "16", pool);
    APR_ARRAY_PUSH(r->addresses, apr_ipsubnet_t *) = net;
    apr_ipsubnet_create(&net, "169.254.169.254", NULL, pool);
    APR_ARRAY_PUSH(r->addresses, apr_ipsubnet_t *) = net;
    address(r, 0, "10.1.2.3", 443, 1);
    address(r, 0, "::ffff:10.1.2.3", 443, 1);
    address(r, 0, "10.2.2.3", 443, 0);
    address(r, 0, "169.254.169.254", 443, 1);
    address(r, 0, "10.1.2.3", 22, 0);
    address(r, 0, "localhost", 443, 0);
    r->addresses_any = 1;
    address(r, 0, "127.0.0.1", 80, 1);
}

/* ---- what others made ---- */

/* A pledge's request as the registrar that it names meets it; TLS with what signed it. */
static void vector_pvr(const char *path, const char *anchor, const char *at,
                       brski_serial_from_t from, const char *want_serial)
{
    const char *file = unit_vector(path, pool);
    const brski_cert_t *ca = cert_of(anchor), *server;
    brski_registrar_t *r = registrar_at(at);
    brski_peer_tls_t peer = { .address = "" };
    brski_device_id_t *d;
    brski_signed_t *pvr;

    if (!file || !ca) {
        return;
    }
    is_ok(brski_signed_open(&pvr, unit_file(file, pool), BRSKI_FORMAT_CMS, BRSKI_VOUCHER_REQUEST,
                            r->limits, NULL, pool), "5.2 %s opens", path);
    is_ok(brski_cert_parse(&server, pvr->voucher->proximity_registrar_cert, r->limits, NULL, pool),
          "5.2 %s saw a registrar", path);
    peer.client_cert = pvr->cms->signer;
    peer.server_cert = server;
    add(r, "maker", ca)->serial_from = from;
    is_ok(brski_registrar_device(&d, r, &peer, pool, pool), "5.2 %s: its IDevID", path);
    if (!d) {
        return;
    }
    is_str(d->serial_number, want_serial, "2.3.1 %s: its serial-number", path);
    is_ok(brski_registrar_check_pvr(pvr, r, d, &peer, pool), "5.2 %s is accepted", path);
    peer.server_cert = ca;
    is_err(brski_registrar_check_pvr(pvr, r, d, &peer, pool), PVR_PROXIMITY,
           "5.2 %s at another registrar", path);
}

static void test_vectors(void)
{
    vector_pvr("cms-rfc8995-appC/pvr.der", "cms-rfc8995-appC/vendor.crt.pem",
               "2021-04-13T21:43:24Z", BRSKI_SERIAL_X520, "00-D0-E5-F2-00-02");
    vector_pvr("cms-minerva-2d/pvr.der", "cms-minerva-2d/highway-ca.crt.pem",
               "2019-05-15T21:25:55Z", BRSKI_SERIAL_X520, "00-d0-e5-02-00-2d");
    vector_pvr("cms-minerva-2019-pair/pvr.der",
               "cms-minerva-2019-pair/highway-test-ca-2019.crt.pem", "2019-02-14T18:10:10Z",
               BRSKI_SERIAL_X520, "00-D0-E5-F2-00-03");
    vector_pvr("cms-fountain/pvr-081196.der", "cms-fountain/highway-ca-2016.crt.pem",
               "2017-10-10T21:04:01Z", BRSKI_SERIAL_CN, "081196FFFE0181E0");
    vector_pvr("cms-fountain/florean-pvr.der", "cms-fountain/florean-ca.crt.pem",
               "2019-08-21T00:02:56Z", BRSKI_SERIAL_X520, "00-D0-E5-03-00-03");
}

/* A key that everybody may read is no key, but for a test. */
static EVP_PKEY *published_key(const char *path)
{
    BIO *bio = BIO_new_file(path, "r");
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);

    BIO_free(bio);
    if (!key) {
        bail_out("%s", path);
    }
    return key;
}

/* Appendix C as a whole: the registrar that holds the key makes a request of its own. */
static void test_appendix_c(void)
{
    brski_registrar_t *r = registrar_at("2021-04-13T21:43:24Z");
    brski_registrar_cert_t own = { .chain_file = "jrc" };
    brski_peer_tls_t peer = { .address = "" };
    brski_device_id_t *d;
    brski_signed_t *pvr, *rvr;
    brski_bytes_t made;
    apr_array_header_t *ca;

#define APPC(file) unit_source("t/vectors/rfc8995-appC/" file, pool)
    is_ok(brski_signed_open(&pvr, unit_file(APPC("pvr.der"), pool), BRSKI_FORMAT_CMS,
                            BRSKI_VOUCHER_REQUEST, r->limits, NULL, pool), "8995-C.2.1 opens");
    is_ok(brski_cert_load(&own.chain, APPC("jrc_prime256v1.crt.pem"), pool), "8995-C.1.3 the JRC");
    own.key = published_key(APPC("jrc_prime256v1.key.pem"));
    is_ok(brski_cert_load(&ca, APPC("vendor.crt.pem"), pool), "8995-C.1.1 the vendor");
    add(r, "highway", APR_ARRAY_IDX(ca, 0, const brski_cert_t *));
    APR_ARRAY_PUSH(r->certificates, brski_registrar_cert_t *) = &own;
    peer.client_cert = pvr->cms->signer;
    peer.server_cert = APR_ARRAY_IDX(own.chain, 0, const brski_cert_t *);
    is_ok(brski_registrar_device(&d, r, &peer, pool, pool), "8995-C.2.1 its device");
    is_ok(brski_registrar_check_pvr(pvr, r, d, &peer, pool), "8995-C.2.1 is accepted");
    is_ok(brski_registrar_make_rvr(&made, r, d, pvr, peer.server_cert,
                                   unit_time("2021-04-13T21:43:24Z"), pool, pool),
          "8995-C.2.2 a registrar's request");
    is_ok(brski_signed_open(&rvr, made, BRSKI_FORMAT_CMS, BRSKI_VOUCHER_REQUEST, r->limits, NULL,
                            pool), "8995-C.2.2 opens");
    is_int(rvr->cms->econtent, BRSKI_ECONTENT_DATA,
           "8366-5.4 with the content type of the pledge's");
    is_str(rvr->voucher->nonce, pvr->voucher->nonce, "8995-C.2.2 with its nonce");
    EVP_PKEY_free(own.key);
}

/* The voucher of Appendix C and its siblings, as answers to a request. */
static void vector_voucher(const char *path, const char *anchor, const char *at,
                           const char *serial_number, const char *nonce, brski_err_code_t want)
{
    const char *file = unit_vector(path, pool);
    const brski_cert_t *ca = cert_of(anchor);
    testmasa_t *w = testmasa_on(NULL, pool);
    brski_registrar_t *r = registrar_at(at);
    brski_request_t request = { .serial_number = serial_number, .nonce = nonce };
    brski_voucher_trust_t trust = { NULL, NULL };
    testmasa_ask_t ask = testmasa_ask(w);
    brski_signed_t *voucher = NULL;
    const brski_cert_t *pinned;
    brski_err_t *err;

    if (!file || !ca) {
        return;
    }
    trust.anchors = add(r, "maker", ca)->idevid_anchors;
    request.created_at = unit_time(at);
    ask.certs = testpki_certs(pool, w->registrar, NULL);
    if (!brski_signed_open(&voucher, unit_file(file, pool), BRSKI_FORMAT_CMS, BRSKI_VOUCHER,
                           r->limits, NULL, pool)
        && !brski_cert_parse(&pinned, voucher->voucher->pinned_domain_cert, r->limits, NULL,
                             pool)) {
        APR_ARRAY_PUSH(ask.certs, const brski_cert_t *) = pinned;
    }
    request.rvr = testmasa_body(w, &ask);
    err = brski_registrar_check_voucher(&voucher, r, &request, &trust, unit_file(file, pool),
                                        unit_time(at), pool);
    ok((err ? err->code : BRSKI_E_NONE) == want, "5.6 %s: %s", path,
       want == BRSKI_E_NONE ? "good" : "refused");
    note("%s", err ? brski_err_text(err, pool) : "good");
}

static void test_voucher_vectors(void)
{
    static const char appc[] = "cms-rfc8995-appC/vendor.crt.pem";
    static const char pair[] = "cms-minerva-2019-pair/highway-test-ca-2019.crt.pem";

    vector_voucher("cms-rfc8995-appC/voucher.der", appc, "2021-04-13T21:43:24Z",
                   "00-D0-E5-F2-00-02", "-_XE9zK9q8Ll1qylMtLKeg", BRSKI_E_NONE);
    vector_voucher("cms-rfc8995-appC/voucher.der", pair, "2021-04-13T21:43:24Z",
                   "00-D0-E5-F2-00-02", "-_XE9zK9q8Ll1qylMtLKeg", BRSKI_E_VOUCHER_SIGNER);
    vector_voucher("cms-rfc8995-appC/voucher.der", appc, "2023-05-01T00:00:00Z",
                   "00-D0-E5-F2-00-02", "-_XE9zK9q8Ll1qylMtLKeg", BRSKI_E_VOUCHER_WRONG);
    vector_voucher("cms-minerva-2019-pair/voucher.der", pair, "2019-02-14T18:10:11Z",
                   "00-D0-E5-F2-00-03", "syRX4JIQiMeFGi1jKxzZFA", BRSKI_E_NONE);
    vector_voucher("cms-minerva-2019-pair/voucher-f2-00-02.der", pair, "2019-02-14T18:10:11Z",
                   "00-D0-E5-F2-00-03", "syRX4JIQiMeFGi1jKxzZFA", BRSKI_E_VOUCHER_WRONG);
    vector_voucher("cms-minerva-2d/voucher-other-run.der", "cms-minerva-2d/highway-ca.crt.pem",
                   "2019-05-15T21:25:55Z", "00-d0-e5-02-00-2d", "VOUFT-WwrEv0NuAQEHoV7Q",
                   BRSKI_E_VOUCHER_WRONG);
    vector_voucher("cms-fountain/voucher-081196.der", "cms-fountain/highway-ca-2016.crt.pem",
                   "2017-10-10T21:04:04Z", "081196FFFE0181E0", "Dss99sBr3pNMOACe-LYY7w",
                   BRSKI_E_NONE);
    vector_voucher("cms-fountain/florean-voucher-other-run.der", "cms-fountain/florean-ca.crt.pem",
                   "2019-08-21T00:02:56Z", "00-D0-E5-03-00-03", "yboPJe2kXxFepAakCvz9Vg",
                   BRSKI_E_VOUCHER_WRONG);
    vector_voucher("cms-fountain/voucher-empty.der", "cms-fountain/florean-ca.crt.pem",
                   "2019-08-21T00:02:56Z", "00-D0-E5-03-00-03", "yboPJe2kXxFepAakCvz9Vg",
                   BRSKI_E_VOUCHER_WRONG);
    vector_voucher("cose-draft31/voucher.cose", appc, "2021-04-13T21:43:24Z", "00-D0-E5-F2-00-02",
                   "-_XE9zK9q8Ll1qylMtLKeg", BRSKI_E_VOUCHER_WRONG);
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_manufacturers, test_expired, test_serials, test_idevids, test_requests,
        test_proximity_forms, test_forms, test_masa_base, test_addresses, test_vectors,
        test_appendix_c, test_voucher_vectors,
    };
    apr_pool_t *parent = unit_start();
    apr_size_t i;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        apr_pool_create(&pool, parent);
        tests[i]();
        apr_pool_destroy(pool);
    }
    return done_testing();
}
