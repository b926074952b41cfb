-- keep_row_version: keeps the earlier version of a replaced row in `row_versions`. An update that changes nothing but
-- `updated_at` keeps none.
--   arguments of the trigger  the columns of the primary key without the workspace
-- The version of the canonical form is left out, because release 0.1.0 would show it.
-- The row lock orders the updates of one row, so its versions are 1, 2, 3 … without a gap.
create or replace function keep_row_version() returns trigger language plpgsql as $$
declare
  v_was constant jsonb := to_jsonb(old);
  v_workspace_id constant uuid := coalesce(v_was ->> 'workspace_id', v_was ->> 'id');
  v_key text collate "C";
begin
  if v_was - 'updated_at' = to_jsonb(new) - 'updated_at' then
    return null;
  end if;
  select coalesce(string_agg(v_was ->> part.name, '/' order by part.place), '') into v_key
  from unnest(tg_argv) with ordinality part (name, place);

  insert into row_versions (workspace_id, table_name, row_key, version, replaced_at, was)
  select v_workspace_id, tg_table_name, v_key, coalesce(max(v.version), 0) + 1, now(),
    v_was - array['workspace_id', 'content_version']
  from row_versions v
  where v.workspace_id = (select v_workspace_id) and v.table_name = tg_table_name and v.row_key = v_key;
  return null;
end
$$;
create or replace trigger workspaces_versions after update on workspaces
for each row execute function keep_row_version();
create or replace trigger goals_versions after update on goals
for each row execute function keep_row_version('key');
create or replace trigger fx_rates_versions after update on fx_rates
for each row execute function keep_row_version('from', 'to', 'date');
create or replace trigger spend_versions after update on spend
for each row execute function keep_row_version('id');
