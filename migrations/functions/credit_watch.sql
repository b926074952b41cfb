-- credit_watch: what changes of a workspace have to be marked for its sums of credit (ADR 31).
-- Result: no row if it keeps none. Otherwise one row:
--   next_horizon  the newest snapshot that settling stored; null before the first
--   goals         the goals of the kept questions, and those of their milestones
--   has_accounts  a question has the scope `account`
--   has_kinds     a question filters kinds, so that kinds without credit count as well
create or replace function credit_watch(p_workspace_id uuid)
returns table (next_horizon pg_snapshot, goals text[], has_accounts boolean, has_kinds boolean)
language sql stable set plan_cache_mode = force_custom_plan set jit = off as $$
  select h.next_horizon, kept.goals, kept.has_accounts, kept.has_kinds
  from credit_horizons h
  cross join lateral (
    select array_agg(distinct goal.key) as goals, bool_or(q.question ->> 'scope' = 'account') as has_accounts,
      bool_or(q.question #> '{where,kind}' is not null) as has_kinds
    from credit_questions q
    cross join lateral unnest(q.goals) goal (key)
    where q.workspace_id = h.workspace_id and q.kept_at is not null
  ) kept
  where h.workspace_id = (select p_workspace_id) and kept.goals is not null
$$;
