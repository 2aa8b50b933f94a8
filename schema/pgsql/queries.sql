-- SPDX-License-Identifier: Apache-2.0
--
-- What PostgreSQL must be asked differently.

-- STMT_DATABASE_SETTINGS: what the database says about durability and waiting, for doctor
SELECT s.name, current_setting(s.name, true)
FROM unnest(ARRAY['fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names',
                  'transaction_read_only', 'statement_timeout', 'server_version']) AS s(name)

-- STMT_EVENT_PEER_PUT: keep who asked, beside the chain
INSERT INTO event_peer (tenant, request_id, address, tls_subject)
SELECT %s, j.value ->> 0, j.value ->> 1, j.value ->> 2
FROM json_array_elements(CAST(%s AS json)) AS j(value)
ON CONFLICT DO NOTHING

-- STMT_FRESH_USE_EXPIRE: remove a number of old notes
-- An array, so that the planner cannot join it with the whole table.
DELETE FROM fresh_use WHERE tenant = %s AND request_hash = ANY (ARRAY(
    SELECT f.request_hash FROM fresh_use f
    WHERE f.tenant = %s AND f.expires_at <= %lld
    ORDER BY f.expires_at LIMIT CAST(%lld AS bigint)))

-- STMT_REFUSAL_EXPIRE: remove a number of expired refusals
DELETE FROM refusal WHERE tenant = %s AND request_id = ANY (ARRAY(
    SELECT r.request_id FROM refusal r
    WHERE r.tenant = %s AND r.expires_at <= %lld
    ORDER BY r.expires_at LIMIT CAST(%lld AS bigint)))

-- STMT_REFUSAL_TRIM: remove a number of refusals that are more, or more octets, than are kept, the
--   oldest
DELETE FROM refusal WHERE tenant = %s AND request_id = ANY (ARRAY(
    SELECT k.request_id FROM (
        SELECT r.request_id, r.at, row_number() OVER newest AS n, sum(r.octets) OVER newest AS total
        FROM refusal r
        WHERE r.tenant = %s
        WINDOW newest AS (ORDER BY r.at DESC, r.request_id DESC)) k
    WHERE k.n > CAST(%lld AS bigint) OR k.total > CAST(%lld AS bigint)
    ORDER BY k.at, k.request_id LIMIT CAST(%lld AS bigint)))
