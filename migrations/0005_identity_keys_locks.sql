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
