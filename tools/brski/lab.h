/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab.h: where things are in a lab that `brski lab` made, for the commands that take --lab DIR. A lab is a directory of
 * fixed names (LAB_...) and lab.json, which tells what is not fixed: where its MASA and registrar listen, what its devices are called.
 */
#ifndef BRSKI_TOOL_LAB_H
#define BRSKI_TOOL_LAB_H

#include "brski.h"
#include "brski_err.h"

#define LAB_FILE "lab.json"
#define LAB_README "README"
#define LAB_CONF "masa.conf"
#define LAB_MASACTL_CONF "masactl.conf"
#define LAB_EST_CONF "est.conf"
#define LAB_ESTCTL_CONF "estctl.conf"
#define LAB_DEVICES_CSV "devices.csv"
#define LAB_MANUFACTURER "manufacturer"
#define LAB_TLS "tls"
#define LAB_DOMAIN "domain"
#define LAB_STRANGER "stranger"
#define LAB_DEVICES "devices"
#define LAB_ODD "odd"
#define LAB_DB "db"
#define LAB_LOGS "logs"
#define LAB_RUN "run"
#define LAB_DB_FILE "db/masa.sqlite3"
#define LAB_EST_DB_FILE "db/est.sqlite3"

typedef struct lab_t {
    const char *dir;
    const char *url;              /**< of its MASA: "https://localhost:9443" */
    const char *registrar_url;    /**< of its registrar; NULL in a lab of before there was one */
    const char *product;
    apr_int64_t devices;
    const char *voucher_anchor;   /**< PEM file: what its devices trust */
    const char *tls_anchor;       /**< PEM file: who issued the MASA's TLS certificate */
} lab_t;

/** A key and its certificates, as files. */
typedef struct lab_identity_t {
    const char *chain_file;       /**< PEM, end entity first */
    const char *key_file;
} lab_identity_t;

/** Open a lab. @return BRSKI_E_INPUT when dir is none */
brski_err_t *lab_open(lab_t **out, const char *dir, apr_pool_t *pool);

/** A device of the lab. @return BRSKI_E_INPUT when it has no such serial number */
brski_err_t *lab_device(lab_identity_t *out, const lab_t *lab, const char *serial, apr_pool_t *pool);

/** Serial numbers of its devices in order; array of const char *. */
brski_err_t *lab_serials(apr_array_header_t **serials, const lab_t *lab, apr_pool_t *pool);

/** The registrar of a domain of the lab: LAB_DOMAIN or LAB_STRANGER. @return BRSKI_E_INPUT for another */
brski_err_t *lab_registrar(lab_identity_t *out, const lab_t *lab, const char *domain, apr_pool_t *pool);

#endif
