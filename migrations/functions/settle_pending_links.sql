-- settle_pending_links: one step of settling the link facts that wait; see settle_links.
--   p_budget  facts to look at
-- Result: whether anything is left.
-- Locks: the exclusive lock of resolve_people, for this step alone.
create or replace function settle_pending_links(p_workspace_id uuid, p_budget int) returns boolean
language plpgsql set plan_cache_mode = force_custom_plan as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('resolve_people ' || p_workspace_id::text, 0));
  return settle_links(p_workspace_id, '{}', '{}', p_budget);
end
$$;
