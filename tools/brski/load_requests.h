/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_requests.h: the requests that `brski load` sends: made for the devices of a lab, by as many threads as there are
 * processors, or read from files.
 */
#ifndef BRSKI_TOOL_LOAD_REQUESTS_H
#define BRSKI_TOOL_LOAD_REQUESTS_H

#include "../common/opts.h"
#include "brski.h"
#include "brski_err.h"
#include "lab.h"
#include "sign.h"

typedef struct load_requests_t {
    brski_bytes_t *all;
    apr_size_t count;
} load_requests_t;

/** How to make them. */
typedef struct load_recipe_t {
    const lab_t *lab;
    const identity_t *registrar;
    apr_size_t count;
    apr_size_t first_device;      /**< of the lab, from 0; after the last the first follows again */
    int ee_only;                  /**< the pledge's request carries its own certificate alone */
    brski_econtent_t econtent;
} load_recipe_t;

/** Make requests, each with its own nonce, one device after the other. They live as long as the run. */
brski_err_t *load_requests_make(load_requests_t *out, const load_recipe_t *recipe, call_t *call);

/** Write them to DIR/NUMBER.vcj. */
brski_err_t *load_requests_write(const load_requests_t *requests, const char *dir, call_t *call);

/** Read all files of a directory, in order of their names. */
brski_err_t *load_requests_read(load_requests_t *out, const char *dir, apr_pool_t *pool);

#endif
