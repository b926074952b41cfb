-- has_pending_links: whether link facts of the workspace wait to be settled; see settle_links.
create or replace function has_pending_links(p_workspace_id uuid) returns boolean language sql stable as $$
  select exists (select from identity_links l where l.workspace_id = (select p_workspace_id) and l.pending)
    or exists (select from link_cursors c where c.workspace_id = (select p_workspace_id))
$$;
