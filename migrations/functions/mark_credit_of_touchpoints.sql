-- mark_credit_of_touchpoints: trigger function, after a statement that added (`changed`), updated (`was`, `is_now`) or
-- deleted (`changed`) touchpoints. It marks the conversions whose journeys they may be in: those of the same person or
-- account from the touchpoint's time on, for the longest lookback.
create or replace function mark_credit_of_touchpoints() returns trigger
language plpgsql set plan_cache_mode = force_custom_plan set jit = off as $$
declare
  v_watch record;
begin
  if tg_op = 'UPDATE' then
    for v_watch in
      select changed.workspace_id, watch.*
      from (select distinct n.workspace_id from is_now n) changed
      cross join lateral credit_watch(changed.workspace_id) watch
    loop
      perform mark_credit(
        v_watch.workspace_id, v_watch.next_horizon, v_watch.goals, v_watch.has_accounts, array_agg(side.person_id),
        array_agg(side.account_id), array_agg(o.occurred_at), array_agg(o.occurred_at + interval '366 days')
      )
      from was o
      join is_now n on n.workspace_id = o.workspace_id and n.id = o.id
      cross join lateral (values (o.person_id, o.account_id), (n.person_id, n.account_id)) side (person_id, account_id)
      where o.workspace_id = v_watch.workspace_id
        and (v_watch.has_kinds or o.kind <> all ('{event,view,other}'))
        and (o.person_id, o.account_id, o.voided_at, o.channel, o.source, o.medium, o.campaign, o.content, o.term, o.direction,
             o.stage, o.conversation, o.topic)
          is distinct from (n.person_id, n.account_id, n.voided_at, n.channel, n.source, n.medium, n.campaign, n.content,
             n.term, n.direction, n.stage, n.conversation, n.topic)
      having count(*) > 0;
    end loop;
    return null;
  end if;

  for v_watch in
    select here.workspace_id, watch.*
    from (select distinct c.workspace_id from changed c) here
    cross join lateral credit_watch(here.workspace_id) watch
  loop
    perform mark_credit(
      v_watch.workspace_id, v_watch.next_horizon, v_watch.goals, v_watch.has_accounts, array_agg(c.person_id), array_agg(c.account_id),
      array_agg(c.since), array_agg(c.until + interval '366 days'),
      case when tg_op = 'INSERT' then array(select r.id from changed r where r.workspace_id = v_watch.workspace_id) else '{}' end
    )
    from (
      select c.person_id, c.account_id, min(c.occurred_at) as since, max(c.occurred_at) as until
      from changed c
      where c.workspace_id = v_watch.workspace_id and c.voided_at is null
        and (v_watch.has_kinds or c.kind <> all ('{event,view,other}'))
      group by c.person_id, c.account_id
    ) c
    having count(*) > 0;
  end loop;
  return null;
end
$$;
create or replace trigger credit_of_added after insert on touchpoints
referencing new table as changed for each statement execute function mark_credit_of_touchpoints();
create or replace trigger credit_of_updated after update on touchpoints
referencing old table as was new table as is_now for each statement execute function mark_credit_of_touchpoints();
create or replace trigger credit_of_deleted after delete on touchpoints
referencing old table as changed for each statement execute function mark_credit_of_touchpoints();
