/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heads.h: the file beside a checkpoint: one line for each device that has events (product, serial number, epoch, seq and
 * hash of its last event), in key order. The checkpoint signs the Merkle root over these lines, so the file needs no
 * signature, and a million devices no memory.
 */
#ifndef MASACTL_HEADS_H
#define MASACTL_HEADS_H

#include "brski_err.h"
#include "brski_event.h"

#include <stdio.h>

/** Name of the heads file of a checkpoint file. */
const char *heads_name(const char *checkpoint, apr_pool_t *pool);

/** The first line, and one a head. @return errors of writing show in ferror() */
void heads_write_first(FILE *out);
void heads_write(FILE *out, const brski_head_t *head);

typedef struct heads_t heads_t;

/** Open one for reading; closed with the pool. */
brski_err_t *heads_open(heads_t **out, const char *file, apr_pool_t *pool);

/** The next head, NULL at the end; holds until the call after the next. BRSKI_E_INPUT names the line that is wrong. */
brski_err_t *heads_next(const brski_head_t **head, heads_t *heads);

/** Order of heads and events: product, then serial number, octet by octet. */
int heads_compare(const char *product_a, const char *serial_a, const char *product_b, const char *serial_b);

#endif
