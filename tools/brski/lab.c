/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab.c: finding things in a lab, as lab.h says.
 */
#include "lab.h"

#include <apr_strings.h>
#include <string.h>

#include "../common/say.h"
#include "brski_bytes.h"
#include "brski_json.h"
#include "files.h"

static const char *inside(const lab_t *lab, const char *name, apr_pool_t *pool)
{
    return files_join(lab->dir, name, pool);
}

brski_err_t *lab_open(lab_t **out, const char *dir, apr_pool_t *pool)
{
    lab_t *lab = apr_pcalloc(pool, sizeof(*lab));
    const char *path = files_join(dir, LAB_FILE, pool);
    brski_bytes_t text;
    brski_json_t *json;

    *out = NULL;
    if (!files_exists(path, pool)) {
        return say_refuse(pool, "%s is no lab: it has no %s; 'brski lab %s' makes one.",
                          brski_printable(dir, 200, pool), LAB_FILE,
                          brski_printable(dir, 200, pool));
    }
    BRSKI_TRY(files_read(&text, path, pool));
    BRSKI_TRY(brski_json_parse(&json, text, &brski_limits_default, pool));
    lab->dir = dir;
    lab->url = brski_json_get_string(json, "url");
    lab->registrar_url = brski_json_get_string(json, "registrar_url");
    lab->product = brski_json_get_string(json, "product");
    lab->devices = brski_json_int(brski_json_get(json, "devices"));
    if (!lab->url || !lab->product) {
        return say_refuse(pool, "%s tells no url and product: it was not made by brski lab.", path);
    }
    lab->voucher_anchor = inside(lab, LAB_MANUFACTURER "/root.pem", pool);
    lab->tls_anchor = inside(lab, LAB_TLS "/ca.pem", pool);
    *out = lab;
    return BRSKI_OK;
}

/* A name that stays inside its folder. */
static int plain_name(const char *name)
{
    return *name && name[0] != '.' && !strchr(name, '/');
}

brski_err_t *lab_device(lab_identity_t *out, const lab_t *lab, const char *serial, apr_pool_t *pool)
{
    const char *dir = apr_pstrcat(pool, lab->dir, "/" LAB_DEVICES "/", serial, NULL);

    out->chain_file = files_join(dir, "idevid.pem", pool);
    out->key_file = files_join(dir, "idevid.key", pool);
    if (!plain_name(serial) || !files_exists(out->chain_file, pool)) {
        return say_refuse(pool, "The lab %s has no device %s; its serial numbers are in %s/%s.",
                          lab->dir, brski_printable(serial, 128, pool), lab->dir, LAB_DEVICES_CSV);
    }
    return BRSKI_OK;
}

brski_err_t *lab_serials(apr_array_header_t **serials, const lab_t *lab, apr_pool_t *pool)
{
    return files_list(serials, inside(lab, LAB_DEVICES, pool), pool);
}

brski_err_t *lab_registrar(lab_identity_t *out, const lab_t *lab, const char *domain,
                           apr_pool_t *pool)
{
    const char *dir = files_join(lab->dir, domain, pool);

    out->chain_file = files_join(dir, "registrar.pem", pool);
    out->key_file = files_join(dir, "registrar.key", pool);
    if (!plain_name(domain) || !files_exists(out->chain_file, pool)) {
        return say_refuse(pool, "The lab %s has no domain %s; it has %s and %s.", lab->dir,
                          brski_printable(domain, 60, pool), LAB_DOMAIN, LAB_STRANGER);
    }
    return BRSKI_OK;
}
