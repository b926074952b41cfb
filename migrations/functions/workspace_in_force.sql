-- workspace_in_force: the workspace that the transaction named; null, and so no rows, where it named none. Policies use
-- it as an uncorrelated subquery: evaluated once, and a plain value for an index.
create or replace function workspace_in_force() returns uuid language sql stable as $$
  select nullif(current_setting('throughline.workspace_id', true), '')::uuid
$$;
