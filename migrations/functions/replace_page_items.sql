-- replace_page_items: removes items that came with a publishable key, because items of a secret key with the same ids are
-- about to be stored in the same transaction. With each item go the conversions that it recorded through the match of a
-- goal, and its link fact, unless another item of a page asserts the same. Adjustments stay, and wait for a conversion
-- that is not recorded again. Rows are kept in replaced_items as they were.
--   p_resource  'touchpoints', 'conversions' or 'people'
--   p_ids       ids of the items to store; most of them are not there, or came with a secret key
-- Plans: a workspace without items of pages is recognised by an index that has none of it. The planner expects as many as
-- in an average workspace, and would look for the first by reading the table, or every entry of the index for a bitmap.
-- Locks: the exclusive lock of resolve_people, if there is something to replace. Links that wait to be settled may wait on.
create or replace function replace_page_items(p_workspace_id uuid, p_resource text, p_ids text[]) returns void
language plpgsql set plan_cache_mode = force_custom_plan set enable_seqscan = off set enable_bitmapscan = off as $$
declare
  v_ids text[];
  v_links bytea[];
  v_undone bytea[];
begin
  -- Most workspaces have no items of pages; one look-up decides that.
  if not exists (
    select from touchpoints t
    where p_resource = 'touchpoints' and t.workspace_id = (select p_workspace_id) and not t.from_secret_key
    union all
    select from conversions c
    where p_resource = 'conversions' and c.workspace_id = (select p_workspace_id) and not c.from_secret_key
    union all
    select from person_updates u
    where p_resource = 'people' and u.workspace_id = (select p_workspace_id) and not u.from_secret_key
  ) then
    return;
  end if;

  select array_agg(held.id) into v_ids
  from unnest(p_ids) item (id)
  cross join lateral (
    select t.id
    from touchpoints t
    where p_resource = 'touchpoints' and t.workspace_id = (select p_workspace_id) and t.id = item.id
      and not t.from_secret_key and t.content_hash is not null
    union all
    select c.id
    from conversions c
    where p_resource = 'conversions' and c.workspace_id = (select p_workspace_id) and c.id = item.id
      and not c.from_secret_key and c.content_hash is not null
    union all
    select u.id
    from person_updates u
    where p_resource = 'people' and u.workspace_id = (select p_workspace_id) and u.id = item.id
      and not u.from_secret_key and u.content_hash is not null
    offset 0
  ) held;
  if v_ids is null then
    return;
  end if;

  perform pg_advisory_xact_lock(hashtextextended('resolve_people ' || p_workspace_id::text, 0));

  with gone_touchpoints as (
    delete from touchpoints t
    where p_resource = 'touchpoints' and t.workspace_id = (select p_workspace_id) and t.id = any (v_ids)
      and not t.from_secret_key and t.content_hash is not null
    returning t.*
  ), gone_conversions as (
    delete from conversions c
    where c.workspace_id = (select p_workspace_id) and not c.from_secret_key and c.content_hash is not null
      and case when p_resource = 'conversions' then c.id = any (v_ids)
        else p_resource = 'touchpoints' and c.touchpoint_id = any (v_ids) end
    returning c.*
  ), gone_updates as (
    delete from person_updates u
    where p_resource = 'people' and u.workspace_id = (select p_workspace_id) and u.id = any (v_ids)
      and not u.from_secret_key and u.content_hash is not null
    returning u.*
  ), gone as (
    select 'touchpoints' as resource, t.id, t.identity_id, t.occurred_at, t.page_link_id, to_jsonb(t) as was
    from gone_touchpoints t
    union all
    select 'conversions', c.id, c.identity_id, c.occurred_at, c.page_link_id, to_jsonb(c)
    from gone_conversions c
    union all
    select 'people', u.id, u.identity_id, u.occurred_at, u.page_link_id, to_jsonb(u)
    from gone_updates u
  ), waiting as (
    update adjustments a set waiting_since = now()
    from gone_conversions c
    where p_resource = 'touchpoints' and a.workspace_id = (select p_workspace_id) and a.conversion_id = c.id
      and a.waiting_since is null
  ), kept as (
    insert into replaced_items (workspace_id, resource, id, identity_id, occurred_at, was)
    select p_workspace_id, gone.resource, gone.id, gone.identity_id, gone.occurred_at,
      gone.was - array['workspace_id', 'content_hash', 'content_version', 'from_secret_key', 'page_link_id', 'identity_id',
        'person_id', 'account_id', 'referred_by_identity_id']
    from gone
    on conflict do nothing
  )
  select array_agg(distinct gone.page_link_id) filter (where gone.page_link_id is not null) into v_links
  from gone;

  with ended as (
    update identity_links l set is_current = false, pending = false, unlinked_at = now()
    where l.workspace_id = (select p_workspace_id) and l.link_id = any (v_links) and l.is_current
      and not l.from_secret_key and l.resource = p_resource and l.item_id = any (v_ids)
    returning l.link_id, l.skipped
  )
  select array_agg(distinct link_id), array_agg(distinct link_id) filter (where not skipped) into v_links, v_undone
  from ended;
  if v_links is null then
    return;
  end if;
  if v_undone is not null then
    perform settle_links(p_workspace_id, '{}', v_undone, 1000);
  end if;

  -- The fact is dated by the earliest item that still asserts it, and is settled as a new one.
  with asserted as materialized (
    select fact.link_id, item.resource, item.occurred_at, item.id
    from unnest(v_links) fact (link_id)
    cross join lateral (
      select held.*
      from (
        (
          select 'touchpoints' as resource, t.occurred_at, t.id
          from touchpoints t
          where t.workspace_id = (select p_workspace_id) and t.page_link_id = fact.link_id
          order by t.occurred_at, t.id
          limit 1
        )
        union all
        (
          select 'conversions', c.occurred_at, c.id
          from conversions c
          where c.workspace_id = (select p_workspace_id) and c.page_link_id = fact.link_id
          order by c.occurred_at, c.id
          limit 1
        )
        union all
        (
          select 'people', u.occurred_at, u.id
          from person_updates u
          where u.workspace_id = (select p_workspace_id) and u.page_link_id = fact.link_id
          order by u.occurred_at, u.id
          limit 1
        )
      ) held
      order by held.occurred_at, held.id, held.resource
      limit 1
    ) item
  ), again as (
    insert into identity_links (
      workspace_id, link_id, identity_id, assertion, from_secret_key, occurred_at, resource, item_id, skipped, holds_user_id
    )
    select p_workspace_id, l.link_id, l.identity_id, l.assertion + 1, false, asserted.occurred_at, asserted.resource,
      asserted.id, true, l.holds_user_id
    from asserted
    cross join lateral (
      select distinct on (l.identity_id) l.*
      from identity_links l
      where l.workspace_id = (select p_workspace_id) and l.link_id = asserted.link_id
      order by l.identity_id, l.assertion desc
    ) l
    returning link_id
  )
  select array_agg(distinct link_id) into v_links from again;
  if v_links is not null then
    perform settle_links(p_workspace_id, v_links, '{}', 1000);
  end if;
end
$$;
