/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_log.c: formats one line and hands it to the host's sink.
 */
#include "brski_log.h"

#include <stdarg.h>
#include <stdio.h>

/* httpd cuts its lines at 8 KiB; what we say is a sentence. */
#define MAX_LINE 2048

void brski_logf(const brski_log_t *log, brski_log_level_t level, int number, const char *fmt, ...)
{
    char text[MAX_LINE], *c;
    va_list args;
    int len;

    if (!log || !log->write || level > log->level) {
        return;
    }
    va_start(args, fmt);
    len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    if (len < 0) {
        return;
    }
    for (c = text; *c; c++) {
        if (*c == '\n' || *c == '\r') {
            *c = ' ';
        }
    }
    /* A cut must not leave half a character behind. */
    if (len >= (int)sizeof(text)) {
        while (c > text && ((unsigned char)c[-1] & 0xC0) == 0x80) {
            *--c = '\0';
        }
        if (c > text && (unsigned char)c[-1] >= 0xC0) {
            *--c = '\0';
        }
    }
    log->write(log->baton, level, number, text);
}
