-- add_to_conversations: trigger function, after a statement that added touchpoints (`changed`). It adds them to the rows of
-- their threads, so that a message costs the same in a thread of ten and of ten thousand. The result is that of
-- refresh_conversations, whatever the order of arrival:
--   opening, last   the least inbound and the greatest of all messages, in the order (occurred_at, id)
--   first response  the first outbound message after the opening. Where an earlier message becomes the opening, one that
--                   is stored already may come before the known response: one index probe finds it, because all stored
--                   messages between the new and the former opening are outbound
--   counts          those of before and the added ones: a touchpoint is inserted once
-- Locks: those of lock_conversations, before any row is read.
create or replace function add_to_conversations() returns trigger
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_threads record;
begin
  for v_threads in
    select c.workspace_id, array_agg(distinct c.conversation) as ids
    from changed c
    where c.conversation is not null and c.direction is not null and c.voided_at is null
    group by c.workspace_id
    order by c.workspace_id
  loop
    perform lock_conversations(v_threads.workspace_id, v_threads.ids);

    with added as materialized (
      select c.conversation as id,
        min(c.occurred_at) filter (where c.direction = 'inbound') as opened_at,
        (array_agg(c.id order by c.occurred_at, c.id) filter (where c.direction = 'inbound'))[1] as opening_id,
        max(c.occurred_at) as last_at,
        (array_agg(c.id order by c.occurred_at desc, c.id desc))[1] as last_id,
        (array_agg(c.direction order by c.occurred_at desc, c.id desc))[1] as last_direction,
        count(*) filter (where c.direction = 'inbound')::int as inbound,
        count(*) filter (where c.direction = 'outbound')::int as outbound,
        array_agg(c.occurred_at order by c.occurred_at, c.id) filter (where c.direction = 'outbound') as outbound_at,
        array_agg(c.id order by c.occurred_at, c.id) filter (where c.direction = 'outbound') as outbound_ids
      from changed c
      where c.workspace_id = v_threads.workspace_id and c.conversation is not null and c.direction is not null
        and c.voided_at is null
      group by c.conversation
    ), placed as materialized (
      select a.*, v.opened_at as former_at, v.opening_id as former_id, v.first_response_at, v.first_response_id,
        a.opened_at is not null and (v.opened_at is null or (a.opened_at, a.opening_id) < (v.opened_at, v.opening_id))
          as is_opening,
        (a.last_at, a.last_id) > (v.last_at, v.last_id) as is_last
      from added a
      cross join lateral (
        select v.*
        from conversations v
        where v.workspace_id = (select v_threads.workspace_id) and v.id = a.id
        offset 0
      ) v
    ), opened as materialized (
      select p.*, case when p.is_opening then p.opened_at else p.former_at end as begins_at,
        case when p.is_opening then p.opening_id else p.former_id end as begins_id
      from placed p
    ), answered as materialized (
      select o.*, response.at as response_at, response.id as response_id
      from opened o
      left join lateral (
        select candidate.at, candidate.id
        from (
          select fresh.at, fresh.id collate "C" as id
          from unnest(o.outbound_at, o.outbound_ids) fresh (at, id)
          union all
          select o.first_response_at, o.first_response_id
          union all
          (
            select t.occurred_at, t.id
            from touchpoints t
            where o.is_opening and t.workspace_id = (select v_threads.workspace_id) and t.conversation = o.id
              and t.direction = 'outbound' and t.voided_at is null
              and t.occurred_at >= o.begins_at and (t.occurred_at, t.id) > (o.begins_at, o.begins_id)
            order by t.occurred_at, t.id
            limit 1
          )
        ) candidate
        where (candidate.at, candidate.id) > (o.begins_at, o.begins_id)
        order by candidate.at, candidate.id
        limit 1
      ) response on true
    )
    update conversations v
    set opened_at = n.begins_at, opening_id = n.begins_id, first_response_at = n.response_at,
      first_response_id = n.response_id,
      last_at = case when n.is_last then n.last_at else v.last_at end,
      last_id = case when n.is_last then n.last_id else v.last_id end,
      last_direction = case when n.is_last then n.last_direction else v.last_direction end,
      inbound = v.inbound + n.inbound, outbound = v.outbound + n.outbound
    from answered n
    where v.workspace_id = (select v_threads.workspace_id) and v.id = n.id;
  end loop;
  return null;
end
$$;
create or replace trigger conversations_of_added after insert on touchpoints
referencing new table as changed for each statement execute function add_to_conversations();
