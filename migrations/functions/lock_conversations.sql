-- lock_conversations: locks the rows of some threads, in the order of their ids. If two transactions write to one thread,
-- the second waits for the first and then sees its touchpoints. A thread without a row gets an empty row to lock.
-- `do update … where false` locks a row and writes nothing.
create or replace function lock_conversations(p_workspace_id uuid, p_ids text[]) returns void
language sql as $$
  insert into conversations (workspace_id, id, last_at, last_id, last_direction, inbound, outbound)
  select p_workspace_id, thread.id, '-infinity', '', 'outbound', 0, 0
  from unnest(p_ids) thread (id)
  order by thread.id collate "C"
  on conflict (workspace_id, id) do update set inbound = 0 where false
$$;
