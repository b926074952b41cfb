-- A conversion without a value may get one by a restatement, and that needs a currency: the goal's. The owner does not
-- see the rows while the lock is forced on it.
alter table conversions no force row level security;
--> statement-breakpoint
alter table goals no force row level security;
--> statement-breakpoint
alter table workspaces no force row level security;
--> statement-breakpoint
update conversions c
set currency = coalesce(
  (select g.currency from goals g where g.workspace_id = c.workspace_id and g.key = c.goal),
  (select w.currency from workspaces w where w.id = c.workspace_id)
)
where c.currency is null;
--> statement-breakpoint
alter table workspaces force row level security;
--> statement-breakpoint
alter table goals force row level security;
--> statement-breakpoint
alter table conversions force row level security;
--> statement-breakpoint
alter table conversions alter column currency set not null;
