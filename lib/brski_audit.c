/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_audit.c: the audit log's answer, RFC 8995 section 5.8.1, version 1: the events of a device,
 * newest first, abridged as that section allows and no further.
 */
#include "brski_audit.h"

#include <apr_hash.h>
#include <apr_strings.h>

#include "brski_err.h"
#include "brski_json.h"
#include "brski_time.h"
#include "brski_voucher.h"

#define AUDIT_VERSION 1

/* 5.8.1: "If the truncation count exceeds 1024, then the MASA MAY use this value". */
#define COUNT_MAX 1024

/* The event kept for one domainID and kind, and how many older ones it stands for. */
typedef struct kept_t {
    const brski_event_t *event;
    apr_int64_t truncated;
} kept_t;

static apr_int64_t capped(apr_int64_t n)
{
    return n < COUNT_MAX ? n : COUNT_MAX;
}

static const char *group_of(const brski_event_t *e, apr_pool_t *pool)
{
    return apr_pstrcat(pool, e->nonce ? "+" : "-", e->domain_id, NULL);
}

/* Per domainID the most recent nonced and the most recent nonceless event, newest first. */
static apr_array_header_t *abridge(const apr_array_header_t *events, apr_pool_t *pool)
{
    apr_array_header_t *kept = apr_array_make(pool, 16, sizeof(kept_t *));
    apr_hash_t *groups = apr_hash_make(pool);
    int i;

    for (i = events->nelts - 1; i >= 0; i--) {
        const brski_event_t *e = APR_ARRAY_IDX(events, i, const brski_event_t *);
        const char *group = group_of(e, pool);
        kept_t *newer = apr_hash_get(groups, group, APR_HASH_KEY_STRING);

        if (newer) {
            newer->truncated++;
            continue;
        }
        newer = apr_pcalloc(pool, sizeof(*newer));
        newer->event = e;
        apr_hash_set(groups, group, APR_HASH_KEY_STRING, newer);
        APR_ARRAY_PUSH(kept, kept_t *) = newer;
    }
    return kept;
}

static brski_json_t *event_json(const kept_t *kept, apr_pool_t *pool)
{
    const brski_event_t *e = kept->event;
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_string(json, "date", brski_time_rfc3339(e->created_at, pool));
    brski_json_set_string(json, "domainID", e->domain_id);
    /* 5.5.6: null, not absent, when there was none */
    brski_json_set_string(json, "nonce", e->nonce);
    brski_json_set_string(json, "assertion", brski_assertion_text(e->assertion));
    if (kept->truncated > 0) {
        brski_json_set_int(json, "truncated", capped(kept->truncated));
    }
    return json;
}

static brski_json_t *truncation_json(const apr_array_header_t *kept, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);
    apr_int64_t nonced = 0, nonceless = 0;
    int i;

    for (i = 0; i < kept->nelts; i++) {
        const kept_t *k = APR_ARRAY_IDX(kept, i, const kept_t *);

        *(k->event->nonce ? &nonced : &nonceless) += k->truncated;
    }
    brski_json_set_int(json, "nonced duplicates", capped(nonced));
    brski_json_set_int(json, "nonceless duplicates", capped(nonceless));
    brski_json_set_int(json, "arbitrary", 0);
    return json;
}

brski_err_t *brski_audit_make(const char **json, const apr_array_header_t *events,
                              apr_pool_t *pool)
{
    brski_json_t *log = brski_json_object(pool), *list = brski_json_array(pool);
    apr_array_header_t *kept = abridge(events, pool);
    int i;

    *json = NULL;
    if (kept->nelts == 0) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "an audit log has at least one event");
    }
    for (i = 0; i < kept->nelts; i++) {
        brski_json_append(list, event_json(APR_ARRAY_IDX(kept, i, const kept_t *), pool));
    }
    brski_json_set_int(log, "version", AUDIT_VERSION);
    brski_json_set(log, "events", list);
    brski_json_set(log, "truncation", truncation_json(kept, pool));
    *json = brski_json_text(log, 0, pool);
    return BRSKI_OK;
}
