/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_registrar_lines.c: connections to MASAs, kept between questions. A MASA is far away: a
 * new connection costs two round trips before the first word, and more CPU time than the question.
 * A line is asked by one thread at a time, and serves the same manufacturer at the same URL alone.
 * It is not kept for long, because the next one reads renewed files and asks DNS again.
 */
#include "brski_registrar_steps.h"

#include <apr_strings.h>
#include <apr_thread_mutex.h>
#include <string.h>

#define IDLE_MAX apr_time_from_sec(30)
#define AGE_MAX apr_time_from_sec(300)

struct brski_masa_lines_t {
    apr_thread_mutex_t *mutex;
    brski_masa_line_t *idle;          /* the last one used first */
    int count;
    int most;
};

static apr_status_t end_all(void *baton)
{
    brski_masa_lines_t *lines = baton;

    while (lines->idle) {
        brski_masa_line_t *line = lines->idle;

        lines->idle = line->next;
        brski_masa_line_end(line);
    }
    return APR_SUCCESS;
}

brski_masa_lines_t *brski_masa_lines_make(int most, apr_pool_t *pool)
{
    brski_masa_lines_t *lines = apr_pcalloc(pool, sizeof(*lines));

    if (apr_thread_mutex_create(&lines->mutex, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS) {
        return NULL;
    }
    lines->most = most;
    apr_pool_cleanup_register(pool, lines, end_all, apr_pool_cleanup_null);
    return lines;
}

/* ---- with the mutex held ---- */

static brski_masa_line_t *unlink_line(brski_masa_lines_t *lines, brski_masa_line_t **at)
{
    brski_masa_line_t *line = *at;

    *at = line->next;
    line->next = NULL;
    lines->count--;
    return line;
}

static int is_old(const brski_masa_line_t *line, apr_time_t now)
{
    return now - line->used_at > IDLE_MAX || now - line->made_at > AGE_MAX
           || now < line->used_at;
}

/* Those that waited too long, to be ended when the mutex is free again. */
static brski_masa_line_t *unlink_old(brski_masa_lines_t *lines, apr_time_t now)
{
    brski_masa_line_t **at = &lines->idle, *old = NULL;

    while (*at) {
        if (is_old(*at, now)) {
            brski_masa_line_t *line = unlink_line(lines, at);

            line->next = old;
            old = line;
        }
        else {
            at = &(*at)->next;
        }
    }
    return old;
}

static brski_masa_line_t *find(brski_masa_lines_t *lines, const brski_manufacturer_t *manufacturer,
                               const char *base)
{
    brski_masa_line_t **at;

    for (at = &lines->idle; *at; at = &(*at)->next) {
        if ((*at)->manufacturer == manufacturer && !strcmp((*at)->base, base)) {
            return unlink_line(lines, at);
        }
    }
    return NULL;
}

/* ---- lines ---- */

static void end_list(brski_masa_line_t *list)
{
    while (list) {
        brski_masa_line_t *line = list;

        list = line->next;
        brski_masa_line_end(line);
    }
}

/* One that may be kept has a pool that no other thread knows. */
static brski_masa_line_t *new_line(int may_be_kept, const brski_manufacturer_t *manufacturer,
                                   const char *base, apr_time_t now, apr_pool_t *pool)
{
    apr_pool_t *own = NULL;
    brski_masa_line_t *line;

    if (may_be_kept && apr_pool_create_unmanaged_ex(&own, NULL, NULL) != APR_SUCCESS) {
        own = NULL;
    }
    line = apr_pcalloc(own ? own : pool, sizeof(*line));
    line->own = own;
    line->manufacturer = manufacturer;
    line->base = apr_pstrdup(own ? own : pool, base);
    line->made_at = now;
    return line;
}

brski_masa_line_t *brski_masa_line_take(brski_masa_lines_t *lines,
                                        const brski_manufacturer_t *manufacturer, const char *base,
                                        apr_time_t now, apr_pool_t *pool)
{
    brski_masa_line_t *line = NULL, *old = NULL;

    if (lines) {
        apr_thread_mutex_lock(lines->mutex);
        old = unlink_old(lines, now);
        line = find(lines, manufacturer, base);
        apr_thread_mutex_unlock(lines->mutex);
        end_list(old);
    }
    if (!line) {
        line = new_line(lines != NULL, manufacturer, base, now, pool);
    }
    line->allowed = 0;
    line->refused = NULL;
    line->shown = NULL;
    line->pool = pool;
    return line;
}

void brski_masa_line_keep(brski_masa_lines_t *lines, brski_masa_line_t *line, apr_time_t now)
{
    int kept = 0;

    if (!line->own) {
        return;
    }
    line->used_at = now;
    line->pool = NULL;
    apr_thread_mutex_lock(lines->mutex);
    if (lines->count < lines->most) {
        line->next = lines->idle;
        lines->idle = line;
        lines->count++;
        kept = 1;
    }
    apr_thread_mutex_unlock(lines->mutex);
    if (!kept) {
        brski_masa_line_end(line);
    }
}

void brski_masa_line_end(brski_masa_line_t *line)
{
    if (line->own) {
        apr_pool_destroy(line->own);
    }
}
