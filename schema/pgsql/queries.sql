-- SPDX-License-Identifier: Apache-2.0
--
-- What PostgreSQL must be asked differently.

-- STMT_DATABASE_SETTINGS: what the database says about durability and waiting, for doctor
SELECT s.name, current_setting(s.name, true)
FROM unnest(ARRAY['fsync', 'full_page_writes', 'synchronous_commit', 'synchronous_standby_names',
                  'transaction_read_only', 'statement_timeout', 'server_version']) AS s(name)
