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
