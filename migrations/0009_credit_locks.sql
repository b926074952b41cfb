-- Row level security of the sums of credit. The hourly run deletes touchpoints and conversions, whose triggers mark what
-- they change, and lists the workspaces that keep sums.
select lock_to_workspace('credit_horizons'), lock_to_workspace('credit_questions'), lock_to_workspace('credit_days'),
  lock_to_workspace('credit_months'), lock_to_workspace('credit_totals'), lock_to_workspace('credit_cells'),
  lock_to_workspace('credit_marks');
--> statement-breakpoint
grant select on credit_horizons, credit_questions, credit_days, credit_marks to throughline_upkeep;
--> statement-breakpoint
grant insert on credit_marks to throughline_upkeep;
--> statement-breakpoint
create policy upkeep on credit_horizons for select to throughline_upkeep using (true);
--> statement-breakpoint
create policy upkeep on credit_questions for select to throughline_upkeep using (true);
--> statement-breakpoint
create policy upkeep on credit_days for select to throughline_upkeep using (true);
--> statement-breakpoint
create policy upkeep on credit_marks to throughline_upkeep using (true) with check (true);
