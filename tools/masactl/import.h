/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import.h: the command that reads a list of devices (cmd_import.c), and the words that other device commands share
 * with it.
 */
#ifndef MASACTL_IMPORT_H
#define MASACTL_IMPORT_H

#include "../common/opts.h"

/** The columns of a list, in the order that device export writes. */
#define IMPORT_HEADER "serial_number,product,customer,signer,idevid_issuer,status,made_at,sold_at,as_of"

#define IMPORT_HELP                                                                                       \
    "The first line names the columns: serial_number and product; customer, signer,\n"                   \
    "idevid_issuer, status, made_at, sold_at, as_of if there are such. Every line is\n"                  \
    "judged before anything is written. An older as_of never undoes a newer one; an\n"                   \
    "import never clears a block. masactl-device(1) tells all."

extern const opt_t import_options[];
brski_err_t *device_import(call_t *call);

/** "active", "blocked", "stolen", "end-of-life", "owner-locked"? */
int import_is_status(const char *word);

#endif
