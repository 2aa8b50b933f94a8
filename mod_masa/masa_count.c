/* SPDX-License-Identifier: Apache-2.0 */
/*
 * masa_count.c: what a MASA counts beside its requests, as masa_count.h says.
 */
#include "masa_count.h"

#include <string.h>

/* Numbers of glue_count.h: vouchers by assertion first. */
enum { EVENT_REISSUED = BRSKI_ASSERTION_AGENT_PROXIMITY + 1, EVENT_SNAPSHOT };
enum { LEVEL_INSIDE, LEVEL_WAITING, LEVEL_CACHED };
enum { GROWING_TURNED_AWAY, GROWING_DROPPED, GROWING_HITS, GROWING_MISSES };

void masa_count_attach(masa_engine_t *engine, apr_pool_t *pconf)
{
    glue_count_attach(&engine->glue, masa_get_text(engine->conf, tenant), pconf);
    /* this configuration has not been published yet */
    glue_count_event_set(&engine->glue, EVENT_SNAPSHOT, 0);
}

void masa_count_snapshot(const masa_engine_t *engine, apr_time_t at)
{
    glue_count_event_set(&engine->glue, EVENT_SNAPSHOT, (unsigned long)apr_time_sec(at));
}

void masa_count_inside(const glue_engine_t *engine, int step)
{
    glue_count_step(engine, LEVEL_INSIDE, step);
}

void masa_count_served(const glue_http_t *http)
{
    const brski_masa_answer_t *answer = ((const masa_http_t *)http)->answer;

    if (answer && !strcmp(http->operation, "requestvoucher")) {
        glue_count_event(http->engine, answer->reused ? EVENT_REISSUED : (int)answer->assertion, 1);
    }
}

void masa_count_levels(const glue_engine_t *glue)
{
    const masa_engine_t *engine = glue->of;
    brski_cert_cache_numbers_t cache;
    apr_int64_t away = 0, dropped = 0;
    apr_size_t waiting = 0;
    int inside;

    if (!glue->place || !engine->masa.store || !engine->spool) {
        return;
    }
    brski_store_gate_numbers(engine->masa.store, &inside, &away);
    brski_spool_numbers(engine->spool, &waiting, &dropped);
    brski_cert_cache_numbers(&cache, engine->masa.cache);
    glue_count_level(glue, LEVEL_WAITING, (unsigned long)waiting);
    glue_count_level(glue, LEVEL_CACHED, (unsigned long)cache.certificates);
    glue_count_growing(glue, GROWING_TURNED_AWAY, (unsigned long)away);
    glue_count_growing(glue, GROWING_DROPPED, (unsigned long)dropped);
    glue_count_growing(glue, GROWING_HITS, (unsigned long)cache.hits);
    glue_count_growing(glue, GROWING_MISSES, (unsigned long)cache.misses);
}

void masa_count_read(masa_sums_t *sums, const masa_engine_t *engine, apr_pool_t *pool)
{
    glue_sums_t all;
    int i;

    glue_count_read(&all, &engine->glue, pool);
    sums->since = all.since;
    sums->snapshot_at = apr_time_from_sec((apr_time_t)all.events[EVENT_SNAPSHOT]);
    sums->requests = all.requests;
    for (i = 0; i <= BRSKI_ASSERTION_AGENT_PROXIMITY; i++) {
        sums->issued[i] = all.events[i];
    }
    sums->reissued = all.events[EVENT_REISSUED];
    sums->processes = all.processes;
    sums->inside = all.levels[LEVEL_INSIDE];
    sums->waiting = all.levels[LEVEL_WAITING];
    sums->cached = all.levels[LEVEL_CACHED];
    sums->turned_away = all.growing[GROWING_TURNED_AWAY];
    sums->dropped = all.growing[GROWING_DROPPED];
    sums->cache_hits = all.growing[GROWING_HITS];
    sums->cache_misses = all.growing[GROWING_MISSES];
}
