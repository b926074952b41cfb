-- require_daily_caps: counts the items of a request with a publishable key, before they are stored.
--   p_caps  {items, rejections, default_value_conversions}
-- Errors: TL003 if the items would pass their cap, TL004 if the rejections would.
-- Requests at the same moment do not see each other, and may together pass a cap by what they bring.
create or replace function require_daily_caps(
  p_workspace_id uuid, p_key_id text, p_day date, p_items int, p_rejections int, p_caps jsonb
) returns void language plpgsql as $$
declare
  v_items bigint;
  v_rejections bigint;
begin
  select coalesce(sum(u.items), 0), coalesce(sum(u.rejections), 0) into v_items, v_rejections
  from key_usage u
  where u.workspace_id = (select p_workspace_id) and u.key_id = p_key_id and u.day = p_day;

  if v_items + p_items > (p_caps ->> 'items')::bigint then
    raise exception using errcode = 'TL003';
  elsif p_rejections > 0 and v_rejections + p_rejections > (p_caps ->> 'rejections')::bigint then
    raise exception using errcode = 'TL004';
  end if;
  perform add_key_usage(p_workspace_id, p_key_id, p_day, p_items, p_rejections, 0);
end
$$;
