-- skipped_links: the skipped facts of an identity beyond a place in the order, in that order, and `place`, 1, 2, 3 …
--   p_holds_user_id  false: only facts without a user_id; null: all
--   p_limit          at most so many
create or replace function skipped_links(
  p_workspace_id uuid, p_identity_id bigint, p_holds_user_id boolean, p_precedence smallint, p_occurred_at timestamptz,
  p_item_id text, p_resource text, p_link_id bytea, p_limit int
) returns table (
  precedence smallint, occurred_at timestamptz, item_id text, resource text, link_id bytea, place int
) language sql stable as $$
  select l.*, row_number() over (order by l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id)::int
  from (
    select l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id
    from (values (false), (true)) kind (holds_user_id)
    cross join lateral (
      select l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id
      from identity_links l
      where l.workspace_id = (select p_workspace_id) and l.identity_id = p_identity_id
        and l.holds_user_id = kind.holds_user_id and l.is_current and l.skipped
        and (l.precedence, l.occurred_at, l.item_id) >= (p_precedence, p_occurred_at, p_item_id collate "C")
        and (l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id) > (p_precedence, p_occurred_at, p_item_id collate "C", p_resource, p_link_id)
      order by l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id
      limit p_limit
    ) l
    where p_holds_user_id is null or kind.holds_user_id = p_holds_user_id
    order by l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id
    limit p_limit
  ) l
$$;
