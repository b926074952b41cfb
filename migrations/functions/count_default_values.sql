-- count_default_values: counts the conversions that this transaction stored for a publishable key with the default value
-- of their goal.
--   p_resource  'touchpoints': conversions recorded by the touchpoints with these ids; 'conversions': those with the ids
--   p_cap       the most in a day
-- Errors: TL005 if they pass the cap.
create or replace function count_default_values(
  p_workspace_id uuid, p_key_id text, p_day date, p_resource text, p_ids text[], p_cap bigint
) returns void language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_count int;
  v_before bigint;
begin
  -- The time at which a row was received is that of the transaction which stored it.
  select count(*) into v_count
  from unnest(p_ids) item (id)
  cross join lateral (
    select c.received_at, c.value
    from conversions c
    where p_resource = 'conversions' and c.workspace_id = (select p_workspace_id) and c.id = item.id
    union all
    select c.received_at, c.value
    from conversions c
    where p_resource = 'touchpoints' and c.workspace_id = (select p_workspace_id) and c.touchpoint_id = item.id
    offset 0
  ) stored
  where stored.received_at = now()::timestamptz(3) and stored.value is not null;
  if v_count = 0 then
    return;
  end if;

  select coalesce(sum(u.default_value_conversions), 0) into v_before
  from key_usage u
  where u.workspace_id = (select p_workspace_id) and u.key_id = p_key_id and u.day = p_day;
  if v_before + v_count > p_cap then
    raise exception using errcode = 'TL005';
  end if;
  perform add_key_usage(p_workspace_id, p_key_id, p_day, 0, 0, v_count);
end
$$;
