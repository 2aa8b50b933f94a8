/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab_make.h: the parts of making a lab: keys of manufacturer, domains and TLS server; odd identities to be refused;
 * devices and their CSV. cmd_lab.c puts them together.
 */
#ifndef BRSKI_TOOL_LAB_MAKE_H
#define BRSKI_TOOL_LAB_MAKE_H

#include "../common/opts.h"
#include "brski.h"
#include "brski_err.h"
#include "lab.h"
#include "pki.h"

/** What was asked for. */
typedef struct lab_plan_t {
    const char *dir;              /**< absolute */
    const char *key;
    const char *prefix;
    const char *host;
    const char *product;
    const char *customer;         /**< "" for none */
    const char *user;             /**< run user of httpd; NULL when not root */
    const char *group;
    const char *modules;
    const char *module;
    const char *est_module;
    apr_int64_t devices;
    int digits;                   /**< of the running number in a serial number */
    int port;
    int est_port;                 /**< the registrar's */
    int odd;                      /**< odd identities too */
    apr_time_t from;              /**< validity of certificates */
    apr_time_t until;
} lab_plan_t;

/** The keys that are needed again while the lab is being made. */
typedef struct lab_made_t {
    pki_id_t *root;
    pki_id_t *idevid_ca;
    pki_id_t *signer;
    pki_id_t *domain_root;
} lab_made_t;

/** Serial number of the nth device, from 1. */
const char *lab_make_serial(const lab_plan_t *plan, apr_int64_t n, apr_pool_t *pool);

/** A specification with what all of a lab's certificates have in common. */
pki_spec_t lab_make_spec(const lab_plan_t *plan, pki_role_t role, const char *organization, const char *name);

/** Manufacturer, TLS server and the two domains. */
brski_err_t *lab_make_keys(lab_made_t *made, const lab_plan_t *plan, apr_pool_t *pool);

/** Registrars and devices that a MASA has to refuse, each for one reason, and some unusual ones that it must not. */
brski_err_t *lab_make_odd(const lab_made_t *made, const lab_plan_t *plan, apr_pool_t *pool);

/** What lab_make_odd() made: name and meaning of number i; NULL beyond the last. */
const char *lab_make_odd_name(int i, const char **what);

/** The devices, as fast as the processors allow. */
brski_err_t *lab_make_devices(const lab_made_t *made, const lab_plan_t *plan, call_t *call);

/** devices.csv. */
brski_err_t *lab_make_csv(const lab_made_t *made, const lab_plan_t *plan, apr_pool_t *pool);

#endif
