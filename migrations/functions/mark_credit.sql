-- mark_credit: marks the conversions whose figures may change because of what happened to some people, or at some
-- accounts, from an instant on: theirs between that instant and another one, both included.
--   p_next_horizon, p_goals, p_has_accounts  as credit_watch returns them
--   p_people, p_accounts, …    in parallel; an account may be null
--   p_recorders                new touchpoints: conversions that they recorded are new as well, and get a mark of their own
-- A conversion that already has a mark which the next horizon does not see needs no other one: it is not in any sum yet, or
-- its day is open; and settling takes that mark into account only when this transaction has ended.
-- Bound: of a person, or an account, and a goal, the first 1,000 conversions are marked one by one. If there are so many,
-- one mark spans all later ones.
-- Equalities beside the bounds: with bounds alone the planner reads all conversions in the order of time, for each person.
-- The planner overestimates the statement and would compile it, which takes seconds; so compilation is off.
create or replace function mark_credit(
  p_workspace_id uuid, p_next_horizon pg_snapshot, p_goals text[], p_has_accounts boolean,
  p_people uuid[], p_accounts text[], p_since timestamptz[], p_until timestamptz[], p_recorders text[] default '{}'
) returns void
language sql set plan_cache_mode = force_custom_plan set jit = off as $$
  with said as materialized (
    select person_id, account_id, since, until
    from unnest(p_people, p_accounts, p_since, p_until) said (person_id, account_id, since, until)
  ), found as materialized (
    select found.*, person.until
    from (select person_id, min(since) as since, max(until) as until from said group by person_id offset 0) person
    cross join unnest(p_goals) goal (key)
    cross join lateral (
      select c.goal, c.occurred_at, c.id, c.touchpoint_id, row_number() over (order by c.occurred_at) as nth
      from conversions c
      where c.workspace_id = (select p_workspace_id) and c.person_id = person.person_id and c.goal = goal.key
        and (c.person_id, c.goal, c.occurred_at) >= (person.person_id, goal.key, person.since)
        and (c.person_id, c.goal, c.occurred_at) <= (person.person_id, goal.key, person.until)
      order by c.occurred_at
      limit 1000
      offset 0
    ) found
    union all
    select found.*, account.until
    from (
      select account_id, min(since) as since, max(until) as until
      from said
      where p_has_accounts and account_id is not null
      group by account_id
      offset 0
    ) account
    cross join unnest(p_goals) goal (key)
    cross join lateral (
      select c.goal, c.occurred_at, c.id, c.touchpoint_id, row_number() over (order by c.occurred_at) as nth
      from conversions c
      where c.workspace_id = (select p_workspace_id) and c.account_id = account.account_id and c.goal = goal.key
        and c.account_id is not null
        and (c.account_id, c.goal, c.occurred_at) >= (account.account_id, goal.key, account.since)
        and (c.account_id, c.goal, c.occurred_at) <= (account.account_id, goal.key, account.until)
      order by c.occurred_at
      limit 1000
      offset 0
    ) found
  )
  insert into credit_marks (workspace_id, goal, from_at, until_at, conversion_id, is_added, made_by)
  select distinct p_workspace_id, f.goal, f.occurred_at, case when f.nth = 1000 then f.until else f.occurred_at end,
    case when f.nth < 1000 then f.id end, false, pg_current_xact_id()
  from found f
  where f.nth = 1000 or (f.touchpoint_id is null or f.touchpoint_id <> all (p_recorders)) and not exists (
    select
    from credit_marks m
    where m.workspace_id = (select p_workspace_id) and m.conversion_id = f.id and m.from_at = f.occurred_at
      and (p_next_horizon is null or not pg_visible_in_snapshot(m.made_by, p_next_horizon))
    offset 0
  )
$$;
