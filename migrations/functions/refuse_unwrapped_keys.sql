-- refuse_unwrapped_keys: trigger; refuses the adjustments, spend and rejections that release 0.1.0 writes for a workspace
-- created since: it hashes and encrypts under a key of its own. It gets 57P03, as from resolve_people, which refuses its
-- touchpoints, conversions and people (ADR 28). Later releases show by a setting of the transaction that they use the
-- stored keys.
create or replace function refuse_unwrapped_keys() returns trigger language plpgsql as $$
begin
  if current_setting('throughline.wrapped_keys', true) is distinct from 'on' and exists (
    select
    from identity_keys k
    where k.workspace_id = (select workspace_in_force()) and k.hash_version > 1
  ) then
    raise exception 'the hashes were made under another key' using errcode = '57P03';
  end if;
  return null;
end
$$;
create or replace trigger adjustments_keys before insert on adjustments
for each statement execute function refuse_unwrapped_keys();
create or replace trigger spend_keys before insert on spend
for each statement execute function refuse_unwrapped_keys();
create or replace trigger rejections_keys before insert on rejections
for each statement execute function refuse_unwrapped_keys();
