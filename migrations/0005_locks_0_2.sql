-- Row level security of the new tables, and what the hourly job may do in them.
select lock_to_workspace('replaced_items'), lock_to_workspace('key_usage');
--> statement-breakpoint
grant select, delete on replaced_items, key_usage to throughline_upkeep;
--> statement-breakpoint
create policy upkeep on replaced_items to throughline_upkeep using (true);
--> statement-breakpoint
create policy upkeep on key_usage to throughline_upkeep using (true);
