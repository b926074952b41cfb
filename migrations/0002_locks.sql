-- Row level security, the second lock between workspaces: even if a statement names no workspace, the role that it runs
-- under sees and writes rows of one workspace only, the one that the first statement of its transaction named.
--   throughline_app     reads and writes rows of that workspace
--   throughline_lookup  finds the workspace of a key, and lists workspaces; reads two tables and nothing else
--   throughline_upkeep  deletes expired rows in all workspaces; no request ever runs under it
-- None of them can log in, owns anything or bypasses row level security. The login role assumes one of them for a
-- transaction: `set_config('role', …, true)`.
--
-- Roles belong to the whole cluster, and other databases may be migrated at the same time: existing roles are left
-- alone, and a concurrent change is retried.
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
-- GET /ready reads the list of applied migrations under this role.
grant usage on schema drizzle to throughline_lookup;
--> statement-breakpoint
grant select on drizzle.__drizzle_migrations to throughline_lookup;
