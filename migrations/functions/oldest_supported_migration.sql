-- oldest_supported_migration: the newest migration of the oldest release that works on this schema, by its time in the
-- journal. `GET /ready` and `npm run migrate` of a release refuse a schema whose number is above their own newest
-- migration. A migration that drops something (a contract) raises it, see `migrations/contracts.json`.
--   oldest_supported_migration() → 1795910819386, which is 0002_locks: release 0.1.0
create or replace function oldest_supported_migration() returns bigint language sql immutable as $$
  select 1795910819386
$$;
