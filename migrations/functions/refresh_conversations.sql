-- refresh_conversations: recomputes the rows of some threads from all their touchpoints. Touchpoints that count have a
-- direction and are not voided; a thread without any has no row.
--   p_ids  ids of threads, in any order, each once
-- It reads whole threads: add_to_conversations and refresh_conversation use it only where less is not enough.
-- Locks: those of lock_conversations.
create or replace function refresh_conversations(p_workspace_id uuid, p_ids text[]) returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_gone text[];
begin
  perform lock_conversations(p_workspace_id, p_ids);

  -- One index probe to read each thread, and one to write it: the planner of a join would have to know their number.
  -- `openings` is the number of inbound messages up to and including each message.
  with messages as (
    select asked.id as conversation, message.id, message.occurred_at, message.direction,
      count(*) filter (where message.direction = 'inbound') over thread as openings
    from unnest(p_ids) asked (id)
    left join lateral (
      select t.id, t.occurred_at, t.direction
      from touchpoints t
      where t.workspace_id = (select p_workspace_id) and t.conversation = asked.id
        and t.direction is not null and t.voided_at is null
      offset 0
    ) message on true
    window thread as (partition by asked.id order by message.occurred_at, message.id rows unbounded preceding)
  ), computed as materialized (
    select m.conversation as id,
      min(m.occurred_at) filter (where m.direction = 'inbound') as opened_at,
      min(m.id) filter (where m.direction = 'inbound' and m.openings = 1) as opening_id,
      min(m.occurred_at) filter (where m.direction = 'outbound' and m.openings > 0) as first_response_at,
      (array_agg(m.id order by m.occurred_at, m.id) filter (where m.direction = 'outbound' and m.openings > 0))[1]
        as first_response_id,
      max(m.occurred_at) as last_at,
      (array_agg(m.id order by m.occurred_at desc, m.id desc))[1] as last_id,
      (array_agg(m.direction order by m.occurred_at desc, m.id desc))[1] as last_direction,
      count(*) filter (where m.direction = 'inbound')::int as inbound,
      count(*) filter (where m.direction = 'outbound')::int as outbound
    from messages m
    group by m.conversation
  ), written as (
    insert into conversations as v (
      workspace_id, id, opened_at, opening_id, first_response_at, first_response_id, last_at, last_id, last_direction,
      inbound, outbound
    )
    select p_workspace_id, c.id, c.opened_at, c.opening_id, c.first_response_at, c.first_response_id, c.last_at, c.last_id,
      c.last_direction, c.inbound, c.outbound
    from computed c
    where c.last_at is not null
    on conflict (workspace_id, id) do update
    set opened_at = excluded.opened_at, opening_id = excluded.opening_id, first_response_at = excluded.first_response_at,
      first_response_id = excluded.first_response_id, last_at = excluded.last_at, last_id = excluded.last_id,
      last_direction = excluded.last_direction, inbound = excluded.inbound, outbound = excluded.outbound
    where (v.opening_id, v.opened_at, v.first_response_id, v.first_response_at, v.last_id, v.last_at, v.last_direction,
        v.inbound, v.outbound)
      is distinct from (excluded.opening_id, excluded.opened_at, excluded.first_response_id, excluded.first_response_at,
        excluded.last_id, excluded.last_at, excluded.last_direction, excluded.inbound, excluded.outbound)
  )
  select array_agg(c.id) into v_gone
  from computed c
  where c.last_at is null;

  if v_gone is not null then
    delete from conversations v
    where v.workspace_id = (select p_workspace_id) and v.id = any (v_gone);
  end if;
end
$$;
