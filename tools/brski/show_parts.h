/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show_parts.h: the pieces of show.h that come in PEM or plain DER: certificates, certification requests, keys.
 */
#ifndef BRSKI_TOOL_SHOW_PARTS_H
#define BRSKI_TOOL_SHOW_PARTS_H

#include "brski.h"
#include "brski_json.h"

/** A certificate or certification request; NULL when it is neither. */
brski_json_t *show_part_der(brski_bytes_t der, apr_pool_t *pool);

/** What a PEM file holds. */
brski_json_t *show_part_pem(brski_bytes_t text, apr_pool_t *pool);

#endif
