/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_checkpoint.h: the commands around checkpoints (cmd_checkpoint.c), and what other commands of the log share with them.
 */
#ifndef MASACTL_CMD_CHECKPOINT_H
#define MASACTL_CMD_CHECKPOINT_H

#include "checkpoint.h"
#include "db.h"

extern const opt_t checkpoint_options[];
brski_err_t *log_checkpoint(call_t *call);

extern const opt_t prove_options[];
brski_err_t *log_prove(call_t *call);

/** The checkpoint of --checkpoint, its signature verified with the key of --key, its heads checked; its text too. */
brski_err_t *checkpoint_option(checkpoint_t **c, const char **document, call_t *call, const char *tenant);

/** What a checkpoint says, to be shown. */
brski_json_t *checkpoint_record_json(const checkpoint_t *c, apr_pool_t *pool);

/** A new file for output; it must not be there. */
brski_err_t *checkpoint_new_file(FILE **out, const char *name, apr_pool_t *pool);

/** Close it when all of it is on the disk. */
brski_err_t *checkpoint_close_file(FILE *out, const char *name, apr_pool_t *pool);

#endif
