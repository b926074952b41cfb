-- add_key_usage: adds what a request records to the day of its publishable key. It adds to a row that no other request
-- holds, or makes one, so that requests do not wait for each other.
create or replace function add_key_usage(
  p_workspace_id uuid, p_key_id text, p_day date, p_items int, p_rejections int, p_default_value_conversions int
) returns void language plpgsql as $$
declare
  v_slot int;
begin
  select u.slot into v_slot
  from key_usage u
  where u.workspace_id = (select p_workspace_id) and u.key_id = p_key_id and u.day = p_day
  order by u.slot
  limit 1
  for update skip locked;

  insert into key_usage as u (workspace_id, key_id, day, slot, items, rejections, default_value_conversions)
  values (p_workspace_id, p_key_id, p_day, coalesce(v_slot, (random() * 2147483647)::int), p_items, p_rejections,
    p_default_value_conversions)
  on conflict (workspace_id, key_id, day, slot) do update
  set items = u.items + excluded.items, rejections = u.rejections + excluded.rejections,
    default_value_conversions = u.default_value_conversions + excluded.default_value_conversions;
end
$$;
