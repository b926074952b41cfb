-- The second lock between workspaces: whatever a statement forgets to say, the role that it runs under sees and writes
-- rows of one workspace only, the one that the first statement of its transaction named.
--   throughline_app     reads and writes rows of that workspace
--   throughline_lookup  finds the workspace of a key, and lists workspaces; reads two tables and nothing else
--   throughline_upkeep  deletes what is past its days in all workspaces; no request ever runs under it
-- None of them can log in, owns anything or bypasses row level security. The login role takes them on for a transaction:
-- `set_config('role', …, true)`.
--
-- Roles belong to the whole cluster, and other databases may be migrating at this moment: what exists is left alone,
-- and a concurrent change is tried again.
do $$
declare
  v_role text;
begin
  foreach v_role in array array['throughline_app', 'throughline_lookup', 'throughline_upkeep'] loop
    for attempt in 1..20 loop
      begin
        if not exists (select from pg_roles where rolname = v_role) then
          execute format('create role %I nologin noinherit nobypassrls', v_role);
        end if;
        if not pg_has_role(current_user, v_role, 'member') then
          execute format('grant %I to current_user', v_role);
        end if;
        exit;
      exception
        when duplicate_object or unique_violation then null;
        when internal_error then
          if sqlerrm not like '%tuple concurrently%' or attempt = 20 then
            raise;
          end if;
      end;
      perform pg_sleep(0.05 * attempt);
    end loop;
  end loop;
end
$$;
--> statement-breakpoint
-- The workspace of the transaction; null, and so no rows, where none was named. In policies it is an uncorrelated
-- subquery: computed once, and a plain value for an index.
create function workspace_in_force() returns uuid language sql stable as $$
  select nullif(current_setting('throughline.workspace_id', true), '')::uuid
$$;
--> statement-breakpoint
-- Locks every table that has a workspace; a table that comes later calls it in its own migration.
create function lock_to_workspace(p_table regclass) returns void language plpgsql as $$
declare
  v_column text := case when p_table = 'workspaces'::regclass then 'id' else 'workspace_id' end;
begin
  execute format('alter table %s enable row level security, force row level security', p_table);
  execute format(
    'create policy workspace_only on %s to throughline_app using (%I = (select workspace_in_force())) with check (%I = (select workspace_in_force()))',
    p_table, v_column, v_column
  );
  execute format('grant select, insert, update, delete on %s to throughline_app', p_table);
end
$$;
--> statement-breakpoint
select lock_to_workspace(c.oid::regclass)
from pg_class c
where c.relnamespace = 'public'::regnamespace and c.relkind = 'r';
--> statement-breakpoint
grant usage on schema public to throughline_app, throughline_lookup, throughline_upkeep;
--> statement-breakpoint
grant usage on all sequences in schema public to throughline_app;
--> statement-breakpoint
grant select on workspaces, keys to throughline_lookup;
--> statement-breakpoint
grant select on workspaces to throughline_upkeep;
--> statement-breakpoint
grant select, delete on touchpoints, conversions, adjustments, rejections to throughline_upkeep;
--> statement-breakpoint
grant select, insert, update, delete on conversations to throughline_upkeep;
--> statement-breakpoint
create policy lookup on workspaces for select to throughline_lookup, throughline_upkeep using (true);
--> statement-breakpoint
create policy lookup on keys for select to throughline_lookup using (true);
--> statement-breakpoint
create policy upkeep on touchpoints to throughline_upkeep using (true);
--> statement-breakpoint
create policy upkeep on conversions to throughline_upkeep using (true);
--> statement-breakpoint
create policy upkeep on adjustments to throughline_upkeep using (true);
--> statement-breakpoint
create policy upkeep on rejections to throughline_upkeep using (true);
--> statement-breakpoint
create policy upkeep on conversations to throughline_upkeep using (true);
--> statement-breakpoint
-- Whether migrations are applied is asked under the same roles.
grant usage on schema drizzle to throughline_lookup;
--> statement-breakpoint
grant select on drizzle.__drizzle_migrations to throughline_lookup;
--> statement-breakpoint
-- Raises TL002 where the role in force would see more than its workspace: a superuser, a role that bypasses row level
-- security, or the owner of a table. Asked after the first statement of a transaction, never of the login role.
create function refuse_unsafe_role() returns void language plpgsql stable as $$
begin
  if exists (
    select from pg_roles r where r.rolname = current_user and (r.rolsuper or r.rolbypassrls)
  ) or exists (
    select from pg_class c
    join pg_roles r on r.oid = c.relowner
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and r.rolname = current_user
  ) then
    raise exception 'the role in force is not safe' using errcode = 'TL002';
  end if;
end
$$;
