-- links_in_order: link ids without repeats in the order of their facts, by their latest assertion; those that have no row
-- are left out.
create or replace function links_in_order(p_workspace_id uuid, p_links bytea[]) returns bytea[]
language sql stable as $$
  select coalesce(array_agg(fact.link_id order by fact.precedence, fact.occurred_at, fact.item_id, fact.resource, fact.link_id), '{}')
  from (select distinct link_id from unnest(p_links) given (link_id)) given
  cross join lateral (
    select l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id
    from identity_links l
    where l.workspace_id = (select p_workspace_id) and l.link_id = given.link_id
    order by l.assertion desc
    limit 1
  ) fact
$$;
