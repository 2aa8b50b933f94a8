/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_idevid_test.c: the MASA URL and DNS names of certificates, and idevid-issuer in all the
 * forms that are seen.
 */
#include "brski_x509.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "pki.h"
#include "unit.h"

static const brski_cert_t *load_one(const char *path, apr_pool_t *pool)
{
    apr_array_header_t *certs;

    if (brski_cert_load(&certs, path, pool)) {
        bail_out("%s cannot be loaded", path);
    }
    return APR_ARRAY_IDX(certs, 0, const brski_cert_t *);
}

static const brski_cert_t *with(const char *ext, apr_pool_t *pool)
{
    return pki_make(NULL, (pki_spec_t){ .subject = "CN=x", .ext = { ext } }, pool)->cert;
}

static void reads_masa_urls(apr_pool_t *pool)
{
    static const char oid[] = "1.3.6.1.5.5.7.1.32=";
    const char *file = "t/vectors/rfc8995-appC/idevid_00-D0-E5-F2-00-02.crt.pem";

    is_str(brski_cert_masa_url(load_one(unit_source(file, pool), pool), pool),
           "highway-test.example.com:9443", "2.3.2 MASA URL of the RFC's example");
    is_str(brski_cert_masa_url(with("keyUsage=digitalSignature", pool), pool), NULL,
           "2.3.2 no MASA URL");
    is_str(
        brski_cert_masa_url(
            with(apr_pstrcat(pool, oid, "ASN1:IA5STRING:https://m.example/x", NULL), pool), pool),
        "https://m.example/x", "2.3.2 a whole URI");
    is_str(brski_cert_masa_url(
               with(apr_pstrcat(pool, oid, "ASN1:UTF8String:m.example", NULL), pool), pool),
           "m.example", "2.3.2 UTF8String is tolerated");
    is_str(brski_cert_masa_url(with(apr_pstrcat(pool, oid, "ASN1:INTEGER:5", NULL), pool), pool),
           NULL, "2.3.2 a number is none");
    is_str(brski_cert_masa_url(with(apr_pstrcat(pool, oid, "DER:1603410042", NULL), pool), pool),
           NULL, "2.3.2 a NUL inside is none");
    is_str(brski_cert_masa_url(with(apr_pstrcat(pool, oid, "DER:1602410A", NULL), pool), pool),
           "A\\x0a", "2.3.2 control characters are escaped");
    is_str(brski_cert_masa_url(with(apr_pstrcat(pool, oid, "DER:160541", NULL), pool), pool), NULL,
           "2.3.2 what is no DER is none");
}

static void reads_dns_names(apr_pool_t *pool)
{
    apr_array_header_t *names =
        brski_cert_dns_names(with("subjectAltName=DNS:A.Example,IP:127.0.0.1,DNS:b.example,"
                                  "email:x@c.example",
                                  pool),
                             pool);

    is_int(names->nelts, 2, "6125-6.4 two DNS names");
    is_str(APR_ARRAY_IDX(names, 0, const char *), "a.example", "6125-6.4.1 in lower case");
    is_str(APR_ARRAY_IDX(names, 1, const char *), "b.example", "6125-6.4 the other");
    names = brski_cert_dns_names(with("keyUsage=digitalSignature", pool), pool);
    is_int(names->nelts, 0, "6125-6.4.4 a common name is no DNS name");
}

static void issuer_is(const char *hex, const char *keyid, const char *name, const char *label,
                      apr_pool_t *pool)
{
    brski_bytes_t value = { NULL, 0 };
    const char *got_keyid = "?", *got_name = "?";

    if (brski_hex_decode(&value, hex, pool)) {
        bail_out("%s is no hex", hex);
    }
    brski_idevid_issuer_parse(&got_keyid, &got_name, value, pool);
    is_str(got_keyid, keyid, "8366bis-6.3 %s: key identifier", label);
    is_str(got_name, name, "8366bis-6.3 %s: name", label);
}

#define KEYID "00112233445566778899aabbccddeeff00112233"
#define NAME "300d310b3009060355040613024445" /* C=DE */
#define AKI_BY_NAME "3018a113a411300f310d300b06035504030c044d415341820105"

static void reads_issuers(apr_pool_t *pool)
{
    issuer_is("041830168014" KEYID, KEYID, NULL, "extnValue with its OCTET STRING", pool);
    issuer_is("30168014" KEYID, KEYID, NULL, "AuthorityKeyIdentifier", pool);
    issuer_is(KEYID, KEYID, NULL, "key identifier alone", pool);
    issuer_is(NAME, NULL, "C=DE", "issuer name", pool);
    issuer_is("0414" KEYID, KEYID, NULL, "key identifier in an OCTET STRING", pool);
    issuer_is("301c8014" KEYID "820405060708", KEYID, NULL, "with issuer's serial", pool);
    issuer_is(AKI_BY_NAME, NULL, "CN=MASA", "authorityCertIssuer without keyIdentifier", pool);
    issuer_is("041a" AKI_BY_NAME, NULL, "CN=MASA", "the same in an OCTET STRING", pool);
    issuer_is("3016801400112233445566778899aabbccddeeff00112233", KEYID, NULL, "again", pool);
    /* an identifier that begins like DER */
    issuer_is("3012223344556677889900aabbccddeeff001122",
              "3012223344556677889900aabbccddeeff001122", NULL, "key identifier like DER", pool);
}

static void reads_no_issuers(apr_pool_t *pool)
{
    issuer_is("", NULL, NULL, "nothing", pool);
    issuer_is("00", NULL, NULL, "one octet", pool);
    issuer_is("3000", NULL, NULL, "an empty SEQUENCE", pool);
    issuer_is("0400", NULL, NULL, "an empty OCTET STRING", pool);
    issuer_is("30028000", NULL, NULL, "an empty key identifier", pool);
    issuer_is("041930168014" KEYID, NULL, NULL, "a wrong length", pool);
    issuer_is("041830168014" KEYID "00", NULL, NULL, "an octet too many", pool);
    issuer_is("30060201050201", NULL, NULL, "another SEQUENCE", pool);
    issuer_is("300d310b300906035504061302444500", NULL, NULL, "a name and an octet", pool);
}

static void writes_issuers(apr_pool_t *pool)
{
    const pki_party_t *ca =
        pki_make(NULL, (pki_spec_t){ .subject = "CN=Vendor,O=V", .ca = 1 }, pool);
    const pki_party_t *device = pki_make(ca, (pki_spec_t){ .subject = "CN=Device" }, pool);
    const pki_party_t *bare = pki_make(ca, (pki_spec_t){ .subject = "CN=Bare", .plain = 1 }, pool);
    brski_bytes_t value = brski_idevid_issuer_make(device->cert, pool);
    const char *keyid, *name;

    is_int(value.len, 26, "8366bis-6.3 extnValue with its OCTET STRING is 26 octets");
    is_mem(value.data, 6, "\x04\x18\x30\x16\x80\x14", 6, "8366bis-6.3 as the drafts have it");
    brski_idevid_issuer_parse(&keyid, &name, value, pool);
    is_str(keyid, brski_hex(ca->cert->ski, pool), "8366bis-6.3 names the issuer's key");
    value = brski_idevid_issuer_make(bare->cert, pool);
    is_int(value.len, 26, "8366bis-6.3 without AuthorityKeyIdentifier the same form");
    brski_idevid_issuer_parse(&keyid, &name, value, pool);
    is_str(keyid,
           brski_hex(pki_make(NULL, (pki_spec_t){ .subject = "CN=y", .same_key = bare->key }, pool)
                         ->cert->ski,
                     pool),
           "8366bis-6.3 with the SHA-1 of the device's key");
}

/* The one in the index of the vectors: full form for a Cisco device. */
static void writes_a_real_issuer(apr_pool_t *pool)
{
    const char *path = unit_vector("idevid-parsing/cisco-sudi-2023.pem", pool);
    const brski_cert_t *cert;

    if (!path) {
        skip(3, "BRSKI_VECTORS names no vectors");
        return;
    }
    cert = load_one(path, pool);
    is_str(cert->serial_number, "PID:CHIMAY-U-AC SN:FDO27361XTF", "2.3.1 blanks and colons stay");
    is_str(brski_cert_masa_url(cert, pool), NULL, "2.3.2 no MASA URL");
    is_mem(brski_idevid_issuer_make(cert, pool).data, 10,
           "\x04\x18\x30\x16\x80\x14\xea\x6b\xa3\xb9", 10, "8366bis-6.3 full form");
}

/* Authority key identifier of more than 127 octets: name and serial. */
static void writes_a_long_issuer(apr_pool_t *pool)
{
    const char *o = "O=0123456789012345678901234567890123456789012345678901234567890123";
    const char *subject = apr_pstrcat(pool, "CN=Vendor,", o, ",", o, NULL);
    const pki_party_t *ca = pki_make(NULL, (pki_spec_t){ .subject = subject, .ca = 1 }, pool);
    const pki_party_t *device = pki_make(
        ca,
        (pki_spec_t){
            .subject = "CN=D", .plain = 1, .ext = { "authorityKeyIdentifier=issuer:always" } },
        pool);
    const char *keyid, *name;

    brski_idevid_issuer_parse(&keyid, &name, brski_idevid_issuer_make(device->cert, pool), pool);
    is_str(keyid, NULL, "8366bis-6.3 an AuthorityKeyIdentifier without key identifier");
    is_str(name, ca->cert->subject, "8366bis-6.3 names its issuer");
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    reads_masa_urls(pool);
    reads_dns_names(pool);
    reads_issuers(pool);
    reads_no_issuers(pool);
    writes_issuers(pool);
    writes_a_real_issuer(pool);
    writes_a_long_issuer(pool);
    return done_testing();
}
