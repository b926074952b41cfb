-- mark_credit_of_adjustments: trigger function, after a statement that added or deleted adjustments (`changed`). It marks
-- their conversions and, because a retracted conversion counts no more, later ones of the same person or account. The
-- conversion of an adjustment that waits for it is marked when it comes.
create or replace function mark_credit_of_adjustments() returns trigger
language plpgsql set plan_cache_mode = force_custom_plan set jit = off as $$
declare
  v_watch record;
begin
  for v_watch in
    select here.workspace_id, watch.*
    from (select distinct a.workspace_id from changed a) here
    cross join lateral credit_watch(here.workspace_id) watch
  loop
    perform mark_credit(
      v_watch.workspace_id, v_watch.next_horizon, v_watch.goals, v_watch.has_accounts, array_agg(c.person_id),
      array_agg(c.account_id), array_agg(c.occurred_at), array_agg('infinity'::timestamptz)
    )
    from (select distinct a.conversion_id from changed a where a.workspace_id = v_watch.workspace_id) adjusted
    cross join lateral (
      select c.person_id, c.account_id, c.occurred_at
      from conversions c
      where c.workspace_id = (select v_watch.workspace_id) and c.id = adjusted.conversion_id
        and c.goal = any(v_watch.goals)
      offset 0
    ) c
    having count(*) > 0;
  end loop;
  return null;
end
$$;
create or replace trigger credit_of_added after insert on adjustments
referencing new table as changed for each statement execute function mark_credit_of_adjustments();
create or replace trigger credit_of_deleted after delete on adjustments
referencing old table as changed for each statement execute function mark_credit_of_adjustments();
