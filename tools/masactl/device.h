/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.h: naming one device on the command line. A serial number may stand in several product lines; then --product
 * must say which.
 */
#ifndef MASACTL_DEVICE_H
#define MASACTL_DEVICE_H

#include "db.h"

/**
 * The one device that a serial number (and --product, when given) names: its row as of STMT_DEVICE_GET.
 * @return NULL; BRSKI_E_INPUT when there is none, or when there are several and --product was not given
 */
brski_err_t *device_find(brski_row_t **row, db_t *db, const char *serial);

/** Columns of STMT_DEVICE_GET as they are shown. */
extern const db_column_t device_columns[];

#endif
