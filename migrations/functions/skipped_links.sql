-- skipped_links: the skipped facts of an identity beyond a place in the order, in that order.
--   p_holds_user_id  false: only facts without a user_id; null: all
--   p_limit          about so many: those that tie with the last one in the columns of the index come too
-- `is_cut` marks the last row if there may be more.
create or replace function skipped_links(
  p_workspace_id uuid, p_identity_id bigint, p_holds_user_id boolean, p_precedence smallint, p_occurred_at timestamptz,
  p_item_id text, p_resource text, p_link_id bytea, p_limit int
) returns table (
  precedence smallint, occurred_at timestamptz, item_id text, resource text, link_id bytea, is_cut boolean
) language sql stable as $$
  select l.*, count(*) over () >= p_limit
    and row_number() over (order by l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id) = count(*) over ()
  from (
    select l.*
    from (values (false), (true)) kind (holds_user_id)
    cross join lateral (
      select l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id
      from identity_links l
      where l.workspace_id = (select p_workspace_id) and l.identity_id = p_identity_id
        and l.holds_user_id = kind.holds_user_id and l.is_current and l.skipped
        and (l.precedence, l.occurred_at, l.item_id) >= (p_precedence, p_occurred_at, p_item_id collate "C")
        and (l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id)
          > (p_precedence, p_occurred_at, p_item_id collate "C", p_resource, p_link_id)
      order by l.precedence, l.occurred_at, l.item_id
      fetch first (p_limit) rows with ties
    ) l
    where p_holds_user_id is null or kind.holds_user_id = p_holds_user_id
    order by l.precedence, l.occurred_at, l.item_id
    fetch first (p_limit) rows with ties
  ) l
$$;
