/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_alarm.h: telling a human: a line in the error log, an event among the records, and the command of ESTNotify, which gets
 * what happened in its environment (EST_KIND, EST_TEXT, EST_MANUFACTURER, EST_SERIAL, EST_REQUEST_ID, EST_ADDRESS, EST_TIME)
 * and runs by itself: nobody waits for it.
 */
#ifndef EST_ALARM_H
#define EST_ALARM_H

#include "est_runtime.h"

/** Make an engine's part of this process able to tell; ends with the pool. */
void est_alarm_child(est_engine_t *engine, apr_pool_t *pool);

/** brski_registrar_t.alarm; baton: the est_engine_t. Any thread. */
void est_alarm_raise(const brski_note_t *note, void *baton);

#endif
