-- workspace_in_force: the workspace that the transaction named; null, and so no rows, if it named none. Policies use it
-- as an uncorrelated subquery, which is evaluated once and is a plain value for an index.
create or replace function workspace_in_force() returns uuid language sql stable as $$
  select nullif(current_setting('throughline.workspace_id', true), '')::uuid
$$;
