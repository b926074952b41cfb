-- lock_to_workspace: enables row level security for one table that belongs to a workspace. The migration that creates
-- the table calls it:
--   select lock_to_workspace('touchpoints');
create or replace function lock_to_workspace(p_table regclass) returns void language plpgsql as $$
declare
  v_column text := case when p_table = 'workspaces'::regclass then 'id' else 'workspace_id' end;
begin
  execute format('alter table %s enable row level security, force row level security', p_table);
  execute format(
    'create policy workspace_only on %s to throughline_app using (%I = (select workspace_in_force())) with check (%I = (select workspace_in_force()))',
    p_table, v_column, v_column
  );
  execute format('grant select, insert, update, delete on %s to throughline_app', p_table);
end
$$;
