-- Conversations: a row for each thread, computed from the touchpoints that it has now, never counted up. So the order
-- in which messages come, how often they are sent, and what is voided or deleted later make no difference.
-- refresh_conversations: bring the rows of some threads to what their touchpoints say. Those that count have a
-- direction and are not voided; a thread without any has no row.
--   p_ids  of threads, in any order, none twice
-- Before it reads, it locks the rows of all these threads, in the order of their ids: of two transactions that write to
-- one thread the second waits for the first, and then sees what it wrote. A thread without a row gets an empty one, as
-- something to lock. `do update … where false` locks a row and writes nothing.
create function refresh_conversations(p_workspace_id uuid, p_ids text[]) returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_gone text[];
begin
  insert into conversations (workspace_id, id, last_at, last_direction, inbound, outbound)
  select p_workspace_id, asked.id, '-infinity', 'outbound', 0, 0
  from unnest(p_ids) asked (id)
  order by asked.id collate "C"
  on conflict (workspace_id, id) do update set inbound = 0 where false;

  -- One index probe for each thread to read it, and one to write it: a join would need to know how many there are.
  -- `openings` counts the inbound messages up to each.
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
      max(m.occurred_at) as last_at,
      (array_agg(m.direction order by m.occurred_at desc, m.id desc))[1] as last_direction,
      count(*) filter (where m.direction = 'inbound')::int as inbound,
      count(*) filter (where m.direction = 'outbound')::int as outbound
    from messages m
    group by m.conversation
  ), written as (
    insert into conversations as v
      (workspace_id, id, opened_at, opening_id, first_response_at, last_at, last_direction, inbound, outbound)
    select p_workspace_id, c.id, c.opened_at, c.opening_id, c.first_response_at, c.last_at, c.last_direction, c.inbound,
      c.outbound
    from computed c
    where c.last_at is not null
    on conflict (workspace_id, id) do update
    set opened_at = excluded.opened_at, opening_id = excluded.opening_id, first_response_at = excluded.first_response_at,
      last_at = excluded.last_at, last_direction = excluded.last_direction, inbound = excluded.inbound,
      outbound = excluded.outbound
    where (v.opened_at, v.opening_id, v.first_response_at, v.last_at, v.last_direction, v.inbound, v.outbound)
      is distinct from (excluded.opened_at, excluded.opening_id, excluded.first_response_at, excluded.last_at,
        excluded.last_direction, excluded.inbound, excluded.outbound)
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
--> statement-breakpoint
-- refresh_changed_conversations: after a statement added touchpoints or deleted some, which are `changed`. A deleted one
-- that counts has a thread with a row, but where the whole workspace goes, its conversations first.
create function refresh_changed_conversations() returns trigger
language plpgsql as $$
declare
  v_thread record;
begin
  for v_thread in
    select c.workspace_id, array_agg(distinct c.conversation) as ids
    from changed c
    where c.conversation is not null and c.direction is not null and c.voided_at is null
      and (tg_op = 'INSERT' or exists (
        select
        from conversations v
        where v.workspace_id = c.workspace_id and v.id = c.conversation
        offset 0
      ))
    group by c.workspace_id
    order by c.workspace_id
  loop
    perform refresh_conversations(v_thread.workspace_id, v_thread.ids);
  end loop;
  return null;
end
$$;
--> statement-breakpoint
create trigger conversations_of_added after insert on touchpoints
referencing new table as changed for each statement execute function refresh_changed_conversations();
--> statement-breakpoint
create trigger conversations_of_deleted after delete on touchpoints
referencing old table as changed for each statement execute function refresh_changed_conversations();
--> statement-breakpoint
-- refresh_conversation: after a touchpoint was voided, or changed otherwise in what its thread depends on.
create function refresh_conversation() returns trigger
language plpgsql as $$
begin
  perform refresh_conversations(new.workspace_id, array(
    select distinct thread.id from unnest(array[old.conversation, new.conversation]) thread (id) where thread.id is not null
  ));
  return null;
end
$$;
--> statement-breakpoint
-- By its list of columns it costs nothing where many rows are updated: merges, accounts and erasure set other ones.
create trigger conversation_of_updated after update of conversation, direction, occurred_at, voided_at on touchpoints
for each row when (
  (old.conversation is not null or new.conversation is not null)
  and (old.conversation, old.direction, old.occurred_at, old.voided_at)
    is distinct from (new.conversation, new.direction, new.occurred_at, new.voided_at)
)
execute function refresh_conversation();
--> statement-breakpoint
-- Threads of before. Triggers are there by now, so nothing that comes in meanwhile is missed.
do $$
declare
  v_threads record;
begin
  for v_threads in
    select t.workspace_id, array_agg(distinct t.conversation) as ids
    from touchpoints t
    where t.conversation is not null and t.direction is not null and t.voided_at is null
    group by t.workspace_id
    order by t.workspace_id
  loop
    perform refresh_conversations(v_threads.workspace_id, v_threads.ids);
  end loop;
end
$$;
