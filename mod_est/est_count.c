/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_count.c: what a registrar counts beside its requests, as est_count.h says.
 */
#include "est_count.h"

#include <string.h>

/* Numbers of glue_count.h. */
enum { EVENT_VOUCHER, EVENT_ISSUED, EVENT_AGAIN, EVENT_ALARM };
enum { LEVEL_INSIDE, LEVEL_WORKING, LEVEL_QUEUED, LEVEL_WAITING, LEVEL_CACHED };
enum { GROWING_TURNED_AWAY, GROWING_HITS, GROWING_MISSES };

void est_count_alarm(const est_engine_t *engine)
{
    glue_count_event(&engine->glue, EVENT_ALARM, 1);
}

void est_count_inside(const glue_engine_t *engine, int step)
{
    glue_count_step(engine, LEVEL_INSIDE, step);
}

void est_count_served(const glue_http_t *http)
{
    if (!strcmp(http->result, EST_RESULT_VOUCHER)) {
        glue_count_event(http->engine, EVENT_VOUCHER, 1);
    }
    else if (!strcmp(http->result, EST_RESULT_ISSUED)) {
        glue_count_event(http->engine, EVENT_ISSUED, 1);
    }
    else if (!strcmp(http->result, EST_RESULT_AGAIN)) {
        glue_count_event(http->engine, EVENT_AGAIN, 1);
    }
}

void est_count_levels(const glue_engine_t *glue)
{
    const est_engine_t *engine = glue->of;
    brski_cert_cache_numbers_t cache;
    apr_int64_t away = 0;
    int inside, working = 0, queued = 0, waiting = 0;

    if (!glue->place || !engine->registrar.records || !engine->jobs) {
        return;
    }
    brski_records_gate_numbers(engine->registrar.records, &inside, &away);
    brski_jobs_numbers(engine->jobs, &working, &queued, &waiting);
    brski_cert_cache_numbers(&cache, engine->registrar.cache);
    glue_count_level(glue, LEVEL_WORKING, (unsigned long)working);
    glue_count_level(glue, LEVEL_QUEUED, (unsigned long)queued);
    glue_count_level(glue, LEVEL_WAITING, (unsigned long)waiting);
    glue_count_level(glue, LEVEL_CACHED, (unsigned long)cache.certificates);
    glue_count_growing(glue, GROWING_TURNED_AWAY, (unsigned long)away);
    glue_count_growing(glue, GROWING_HITS, (unsigned long)cache.hits);
    glue_count_growing(glue, GROWING_MISSES, (unsigned long)cache.misses);
}

void est_count_read(est_sums_t *sums, const est_engine_t *engine, apr_pool_t *pool)
{
    glue_sums_t all;

    glue_count_read(&all, &engine->glue, pool);
    sums->since = all.since;
    sums->requests = all.requests;
    sums->vouchers = all.events[EVENT_VOUCHER];
    sums->issued = all.events[EVENT_ISSUED];
    sums->again = all.events[EVENT_AGAIN];
    sums->alarms = all.events[EVENT_ALARM];
    sums->processes = all.processes;
    sums->inside = all.levels[LEVEL_INSIDE];
    sums->working = all.levels[LEVEL_WORKING];
    sums->queued = all.levels[LEVEL_QUEUED];
    sums->waiting = all.levels[LEVEL_WAITING];
    sums->cached = all.levels[LEVEL_CACHED];
    sums->turned_away = all.growing[GROWING_TURNED_AWAY];
    sums->cache_hits = all.growing[GROWING_HITS];
    sums->cache_misses = all.growing[GROWING_MISSES];
}
