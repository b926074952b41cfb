-- credit_settings: the settings of goals that sums of credit depend on, as a text to compare with.
create or replace function credit_settings(p_workspace_id uuid, p_goals text[]) returns text
language sql stable as $$
  select coalesce(string_agg(format('%s %s %s', g.key, g.counting, g.lookback_days), ', ' order by g.key), '')
  from goals g
  where g.workspace_id = (select p_workspace_id) and g.key = any(p_goals)
$$;
