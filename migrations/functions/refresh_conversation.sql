-- refresh_conversation: trigger function, after an update of a touchpoint that changes its thread, such as a void. A
-- message that is voided is taken from the counts, and the last one is found again by one index probe; only where it
-- opened the thread, or was the first response, the whole thread is read. The list of columns excludes merges, account
-- changes and erasure, which update many rows and set other columns.
create or replace function refresh_conversation() returns trigger
language plpgsql set plan_cache_mode = force_custom_plan as $$
begin
  if new.voided_at is not null and old.voided_at is null and old.direction is not null
    and (old.conversation, old.direction, old.occurred_at)
      is not distinct from (new.conversation, new.direction, new.occurred_at) then
    perform lock_conversations(new.workspace_id, array[new.conversation::text]);

    update conversations v
    set inbound = v.inbound - (new.direction = 'inbound')::int, outbound = v.outbound - (new.direction = 'outbound')::int,
      last_at = last.occurred_at, last_id = last.id, last_direction = last.direction
    from (
      select t.occurred_at, t.id, t.direction
      from touchpoints t
      where t.workspace_id = (select new.workspace_id) and t.conversation = new.conversation
        and t.direction is not null and t.voided_at is null
      order by t.occurred_at desc, t.id desc
      limit 1
    ) last
    where v.workspace_id = (select new.workspace_id) and v.id = new.conversation
      and new.id is distinct from v.opening_id and new.id is distinct from v.first_response_id;
    if found then
      return null;
    end if;
  end if;

  perform refresh_conversations(new.workspace_id, array(
    select distinct thread.id from unnest(array[old.conversation, new.conversation]) thread (id) where thread.id is not null
  ));
  return null;
end
$$;
create or replace trigger conversation_of_updated after update of conversation, direction, occurred_at, voided_at on touchpoints
for each row when (
  (old.conversation is not null or new.conversation is not null)
  and (old.conversation, old.direction, old.occurred_at, old.voided_at)
    is distinct from (new.conversation, new.direction, new.occurred_at, new.voided_at)
)
execute function refresh_conversation();
