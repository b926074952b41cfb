-- mark_credit_of_conversions: trigger function, after a statement that added (`changed`), updated (`was`, `is_now`) or
-- deleted (`changed`) conversions. A new conversion is marked as added. A changed or deleted one opens its day. Both may
-- change the figures of later conversions of the same person or account: which of their touchpoints were in a journey
-- before, whether they count if the goal counts once, and their milestones.
create or replace function mark_credit_of_conversions() returns trigger
language plpgsql set plan_cache_mode = force_custom_plan set jit = off as $$
declare
  v_watch record;
begin
  if tg_op = 'UPDATE' then
    for v_watch in
      select here.workspace_id, watch.*
      from (select distinct n.workspace_id from is_now n) here
      cross join lateral credit_watch(here.workspace_id) watch
    loop
      perform mark_credit(
        v_watch.workspace_id, v_watch.next_horizon, v_watch.goals, v_watch.has_accounts, array_agg(side.person_id),
        array_agg(side.account_id), array_agg(side.occurred_at), array_agg('infinity'::timestamptz)
      )
      from was o
      join is_now n on n.workspace_id = o.workspace_id and n.id = o.id
      cross join lateral (
        values (o.person_id, o.account_id, o.occurred_at), (n.person_id, n.account_id, n.occurred_at)
      ) side (person_id, account_id, occurred_at)
      where o.workspace_id = v_watch.workspace_id and o.goal = any(v_watch.goals)
        and (o.goal, o.person_id, o.account_id, o.occurred_at, o.value, o.currency, o.touchpoint_id, o.properties)
          is distinct from (n.goal, n.person_id, n.account_id, n.occurred_at, n.value, n.currency, n.touchpoint_id, n.properties)
      having count(*) > 0;
    end loop;
    return null;
  end if;

  for v_watch in
    select here.workspace_id, watch.*
    from (select distinct c.workspace_id from changed c) here
    cross join lateral credit_watch(here.workspace_id) watch
  loop
    insert into credit_marks (workspace_id, goal, from_at, until_at, conversion_id, is_added, made_by)
    select c.workspace_id, c.goal, c.occurred_at, c.occurred_at, c.id, tg_op = 'INSERT', pg_current_xact_id()
    from changed c
    where c.workspace_id = v_watch.workspace_id and c.goal = any(v_watch.goals);

    perform mark_credit(
      v_watch.workspace_id, v_watch.next_horizon, v_watch.goals, v_watch.has_accounts, array_agg(c.person_id),
      array_agg(c.account_id), array_agg(c.occurred_at), array_agg('infinity'::timestamptz)
    )
    from changed c
    where c.workspace_id = v_watch.workspace_id and c.goal = any(v_watch.goals)
    having count(*) > 0;
  end loop;
  return null;
end
$$;
create or replace trigger credit_of_added after insert on conversions
referencing new table as changed for each statement execute function mark_credit_of_conversions();
create or replace trigger credit_of_updated after update on conversions
referencing old table as was new table as is_now for each statement execute function mark_credit_of_conversions();
create or replace trigger credit_of_deleted after delete on conversions
referencing old table as changed for each statement execute function mark_credit_of_conversions();
