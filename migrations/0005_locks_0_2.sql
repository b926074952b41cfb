-- Row level security of the new tables, and what the hourly job may do in them.
select lock_to_workspace('replaced_items'), lock_to_workspace('key_usage');
--> statement-breakpoint
grant select, delete on replaced_items, key_usage to throughline_upkeep;
--> statement-breakpoint
create policy upkeep on replaced_items to throughline_upkeep using (true);
--> statement-breakpoint
create policy upkeep on key_usage to throughline_upkeep using (true);
--> statement-breakpoint
-- Entries of the audit log are inserted and read, and never changed or deleted. The deletion of a workspace removes them
-- by the cascade of their foreign key, which runs as the owner of the table.
revoke update, delete on audit_log from throughline_app;
--> statement-breakpoint
drop policy workspace_only on audit_log;
--> statement-breakpoint
create policy workspace_read on audit_log for select to throughline_app
using (workspace_id = (select workspace_in_force()));
--> statement-breakpoint
create policy workspace_append on audit_log for insert to throughline_app
with check (workspace_id = (select workspace_in_force()));
--> statement-breakpoint
-- The hourly run removes values of identities where plain storage was turned off. It sees no others, and no other column
-- that could tell who somebody is.
grant select (workspace_id, id, value), update (value) on identities to throughline_upkeep;
--> statement-breakpoint
create policy upkeep_read on identities for select to throughline_upkeep
using (exists (select from workspaces w where w.id = workspace_id and w.identity_storage = 'hashed'));
--> statement-breakpoint
create policy upkeep_clear on identities for update to throughline_upkeep using (true) with check (value is null);
--> statement-breakpoint
-- The hourly run ends the waiting of adjustments whose conversion has come.
grant update (waiting_since) on adjustments to throughline_upkeep;
--> statement-breakpoint
-- The wrapped key material of workspaces. Requests read the rows of their workspace and add to them; only
-- `npm run rotate-identities` removes some, under a role of its own:
--   throughline_rotation  lists workspaces; reads, adds and removes their wrapped key material; sees nothing else
do $$
begin
  for attempt in 1..20 loop
    begin
      if not exists (select from pg_roles where rolname = 'throughline_rotation') then
        create role throughline_rotation nologin noinherit nobypassrls;
      end if;
      if not pg_has_role(current_user, 'throughline_rotation', 'member') then
        grant throughline_rotation to current_user;
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
end
$$;
--> statement-breakpoint
select lock_to_workspace('identity_keys');
--> statement-breakpoint
revoke update, delete on identity_keys from throughline_app;
--> statement-breakpoint
grant select on identity_keys to throughline_lookup;
--> statement-breakpoint
create policy lookup on identity_keys for select to throughline_lookup using (true);
--> statement-breakpoint
grant usage on schema public to throughline_rotation;
--> statement-breakpoint
grant select on workspaces to throughline_rotation;
--> statement-breakpoint
create policy rotation on workspaces for select to throughline_rotation using (true);
--> statement-breakpoint
grant select, insert, delete on identity_keys to throughline_rotation;
--> statement-breakpoint
create policy rotation on identity_keys to throughline_rotation using (true) with check (true);
