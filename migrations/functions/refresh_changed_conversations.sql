-- refresh_changed_conversations: trigger function, after a statement that added or deleted touchpoints (`changed`). The
-- thread of a deleted touchpoint that counts has a row, unless the whole workspace is being deleted, which deletes its
-- conversations first.
create or replace function refresh_changed_conversations() returns trigger
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
create or replace trigger conversations_of_added after insert on touchpoints
referencing new table as changed for each statement execute function refresh_changed_conversations();
create or replace trigger conversations_of_deleted after delete on touchpoints
referencing old table as changed for each statement execute function refresh_changed_conversations();
