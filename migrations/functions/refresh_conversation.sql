-- refresh_conversation: trigger function, after an update of a touchpoint that changes its thread, such as a void. The
-- list of columns excludes merges, account changes and erasure, which update many rows and set other columns.
create or replace function refresh_conversation() returns trigger
language plpgsql as $$
begin
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
