-- refresh_cut_conversations: trigger function, after a statement that deleted touchpoints (`changed`), as retention does.
-- The thread of a deleted touchpoint that counts has a row, unless the whole workspace is being deleted, which deletes its
-- conversations first.
create or replace function refresh_cut_conversations() returns trigger
language plpgsql as $$
declare
  v_threads record;
begin
  for v_threads in
    select c.workspace_id, array_agg(distinct c.conversation) as ids
    from changed c
    where c.conversation is not null and c.direction is not null and c.voided_at is null
      and exists (
        select
        from conversations v
        where v.workspace_id = c.workspace_id and v.id = c.conversation
        offset 0
      )
    group by c.workspace_id
    order by c.workspace_id
  loop
    perform refresh_conversations(v_threads.workspace_id, v_threads.ids);
  end loop;
  return null;
end
$$;
create or replace trigger conversations_of_deleted after delete on touchpoints
referencing old table as changed for each statement execute function refresh_cut_conversations();
