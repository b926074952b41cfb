-- require_daily_caps: counts a request with a publishable key, before its items are stored.
--   p_rows   the items that may get the default value of a goal: {goal} of a conversion without a value, the fields of a
--            touchpoint. The count does not depend on stored rows, so a page cannot learn from it which ids exist; an item
--            that is sent again is counted again
--   p_goals  the goals that the key may record; null: all
--   p_caps   {items, rejections, default_value_conversions}
-- Errors: TL003 if the items would pass their cap, TL004 if the rejections would, TL005 if conversions with a default
-- value would. Requests at the same moment do not see each other, and may together pass a cap by what they bring.
create or replace function require_daily_caps(
  p_workspace_id uuid, p_key_id text, p_day date, p_items int, p_rejections int, p_rows jsonb, p_goals text[], p_caps jsonb
) returns void language plpgsql as $$
declare
  v_items bigint;
  v_rejections bigint;
  v_defaults bigint;
  v_new_defaults int;
begin
  select coalesce(sum(u.items), 0), coalesce(sum(u.rejections), 0), coalesce(sum(u.default_value_conversions), 0)
  into v_items, v_rejections, v_defaults
  from key_usage u
  where u.workspace_id = (select p_workspace_id) and u.key_id = p_key_id and u.day = p_day;

  select count(*) into v_new_defaults
  from goals g
  cross join jsonb_array_elements(p_rows) item
  where g.workspace_id = (select p_workspace_id) and g.archived_at is null and g.default_value is not null
    and (p_goals is null or g.key = any (p_goals))
    and case
      when item ? 'goal' then g.key = item ->> 'goal'
      else exists (
        select
        from jsonb_array_elements(g.match -> 'touchpoints') filter
        where not exists (
          select
          from jsonb_each(filter) field
          where not field.value @> coalesce(item -> field.key, 'null')
        )
      )
    end;

  if v_items + p_items > (p_caps ->> 'items')::bigint then
    raise exception using errcode = 'TL003';
  elsif p_rejections > 0 and v_rejections + p_rejections > (p_caps ->> 'rejections')::bigint then
    raise exception using errcode = 'TL004';
  elsif v_new_defaults > 0 and v_defaults + v_new_defaults > (p_caps ->> 'default_value_conversions')::bigint then
    raise exception using errcode = 'TL005';
  end if;
  perform add_key_usage(p_workspace_id, p_key_id, p_day, p_items, p_rejections, v_new_defaults);
end
$$;
