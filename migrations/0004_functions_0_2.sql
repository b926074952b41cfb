-- add_key_usage: adds what a request records to the day of its publishable key. It adds to a row that no other request
-- holds, or makes one, so that requests do not wait for each other.
create or replace function add_key_usage(
  p_workspace_id uuid, p_key_id text, p_day date, p_items int, p_rejections int, p_default_value_conversions int
) returns void language plpgsql as $$
declare
  v_slot int;
begin
  select u.slot into v_slot
  from key_usage u
  where u.workspace_id = (select p_workspace_id) and u.key_id = p_key_id and u.day = p_day
  order by u.slot
  limit 1
  for update skip locked;

  insert into key_usage as u (workspace_id, key_id, day, slot, items, rejections, default_value_conversions)
  values (p_workspace_id, p_key_id, p_day, coalesce(v_slot, (random() * 2147483647)::int), p_items, p_rejections,
    p_default_value_conversions)
  on conflict (workspace_id, key_id, day, slot) do update
  set items = u.items + excluded.items, rejections = u.rejections + excluded.rejections,
    default_value_conversions = u.default_value_conversions + excluded.default_value_conversions;
end
$$;
--> statement-breakpoint
-- count_default_values: counts the conversions that this transaction stored for a publishable key with the default value
-- of their goal.
--   p_resource  'touchpoints': conversions recorded by the touchpoints with these ids; 'conversions': those with the ids
--   p_cap       the most in a day
-- Errors: TL005 if they pass the cap.
create or replace function count_default_values(
  p_workspace_id uuid, p_key_id text, p_day date, p_resource text, p_ids text[], p_cap bigint
) returns void language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_count int;
  v_before bigint;
begin
  -- The time at which a row was received is that of the transaction which stored it.
  select count(*) into v_count
  from unnest(p_ids) item (id)
  cross join lateral (
    select c.received_at, c.value
    from conversions c
    where p_resource = 'conversions' and c.workspace_id = (select p_workspace_id) and c.id = item.id
    union all
    select c.received_at, c.value
    from conversions c
    where p_resource = 'touchpoints' and c.workspace_id = (select p_workspace_id) and c.touchpoint_id = item.id
    offset 0
  ) stored
  where stored.received_at = now()::timestamptz(3) and stored.value is not null;
  if v_count = 0 then
    return;
  end if;

  select coalesce(sum(u.default_value_conversions), 0) into v_before
  from key_usage u
  where u.workspace_id = (select p_workspace_id) and u.key_id = p_key_id and u.day = p_day;
  if v_before + v_count > p_cap then
    raise exception using errcode = 'TL005';
  end if;
  perform add_key_usage(p_workspace_id, p_key_id, p_day, 0, 0, v_count);
end
$$;
--> statement-breakpoint
-- erase_person: erases the identity of a person. Their touchpoints and conversions move to a nameless person and lose
-- every column that could identify somebody; totals stay. Their identities become tombstones, so that items that
-- occurred up to now are dropped when they are sent again. Link facts of their identities are deleted.
-- Result: the receipt; the first receipt if called again; null if there is no such person.
-- Locks: the exclusive lock of resolve_people.
create or replace function erase_person(p_workspace_id uuid, p_person_id uuid, p_now timestamptz) returns jsonb
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_receipt jsonb;
  v_person uuid;
  v_nameless constant uuid := uuid_v7();
  v_nameless_identity bigint;
  v_identities bigint[];
  v_hashes text[];
  v_accounts text[];
  v_account text;
  v_nameless_account text;
  v_touchpoints int;
  v_conversions int;
  v_rejections int;
begin
  perform pg_advisory_xact_lock(hashtextextended('resolve_people ' || p_workspace_id::text, 0));
  while has_pending_links(p_workspace_id) loop
    perform settle_links(p_workspace_id, '{}', '{}', 1000);
  end loop;

  select e.receipt into v_receipt
  from erasures e
  where e.workspace_id = (select p_workspace_id) and e.person_id = p_person_id;
  if v_receipt is not null then
    return v_receipt;
  end if;

  select coalesce(p.merged_into, p.id) into v_person
  from people p
  where p.workspace_id = (select p_workspace_id) and p.id = p_person_id;
  if v_person is null then
    return null;
  end if;

  select coalesce(array_agg(i.id), '{}'), coalesce(array_agg(i.namespace || ':' || encode(i.value_hash, 'hex')), '{}')
  into v_identities, v_hashes
  from identities i
  where i.workspace_id = (select p_workspace_id) and i.person_id = v_person;

  insert into tombstones (workspace_id, namespace, value_hash, erased_at)
  select i.workspace_id, i.namespace, i.value_hash, p_now
  from identities i
  where i.workspace_id = (select p_workspace_id) and i.person_id = v_person
  on conflict (workspace_id, namespace, value_hash) do update set erased_at = excluded.erased_at;

  insert into people (workspace_id, id) values (p_workspace_id, v_nameless);

  -- Touchpoints of others that name the person as their advocate remain referrals, by the nameless person. No item can
  -- have this namespace, and the hash is not a hash of any value.
  if exists (
    select
    from touchpoints t
    where t.workspace_id = (select p_workspace_id) and t.referred_by_identity_id = any (v_identities)
  ) then
    insert into identities (workspace_id, namespace, value_hash, hash_version, person_id)
    values (p_workspace_id, '~erased', uuid_send(v_nameless), 0, v_nameless)
    returning id into v_nameless_identity;

    update touchpoints t
    set referred_by_identity_id = v_nameless_identity
    where t.workspace_id = (select p_workspace_id) and t.referred_by_identity_id = any (v_identities);
  end if;

  -- A company that is known only by e-mail addresses of this person, and of people erased earlier, may have the person's
  -- name as its domain. It becomes a nameless account, so that every total stays.
  select array_agg(distinct f.account_id) into v_accounts
  from account_facts f
  join accounts a on a.workspace_id = (select p_workspace_id) and a.id = f.account_id and a.is_domain
  where f.workspace_id = (select p_workspace_id) and f.person_id = v_person
    and not exists (
      select
      from account_facts other
      where other.workspace_id = (select p_workspace_id) and other.account_id = f.account_id
        and (other.source <> 'email' or (other.person_id <> v_person and other.identity_id is not null))
    );
  foreach v_account in array coalesce(v_accounts, '{}') loop
    v_nameless_account := 'erased:' || uuid_v7();
    update account_facts f set account_id = v_nameless_account, domain = null
    where f.workspace_id = (select p_workspace_id) and f.account_id = v_account;
    update touchpoints t set account_id = v_nameless_account
    where t.workspace_id = (select p_workspace_id) and t.account_id = v_account;
    update conversions c set account_id = v_nameless_account
    where c.workspace_id = (select p_workspace_id) and c.account_id = v_account;
    delete from accounts a
    where a.workspace_id = (select p_workspace_id) and a.id = v_account;
  end loop;

  update account_facts f
  set person_id = v_nameless, identity_id = null
  where f.workspace_id = (select p_workspace_id) and f.person_id = v_person;

  update touchpoints t
  set person_id = v_nameless, identity_id = null, content_hash = null, page_link_id = null, url = null, referrer = null,
    content = null, term = null, topic = null, properties = null
  where t.workspace_id = (select p_workspace_id) and t.person_id = v_person;
  get diagnostics v_touchpoints = row_count;

  update conversions c
  set person_id = v_nameless, identity_id = null, content_hash = null, page_link_id = null, properties = null
  where c.workspace_id = (select p_workspace_id) and c.person_id = v_person;
  get diagnostics v_conversions = row_count;

  update person_updates u
  set person_id = v_nameless, identity_id = null, content_hash = null, page_link_id = null, traits = null,
    analytics_consent = null
  where u.workspace_id = (select p_workspace_id) and u.person_id = v_person;

  update replaced_items r
  set identity_id = null, was = r.was - array['url', 'referrer', 'content', 'term', 'topic', 'properties', 'traits']
  where r.workspace_id = (select p_workspace_id) and r.identity_id = any (v_identities);

  -- A skipped fact may also contain identities of others. Without this person's it asserts nothing, so it is deleted.
  delete from identity_links l
  where l.workspace_id = (select p_workspace_id) and l.link_id in (
    select m.link_id
    from identity_links m
    where m.workspace_id = (select p_workspace_id) and m.identity_id = any (v_identities)
  );

  delete from link_cursors c
  where c.workspace_id = (select p_workspace_id) and c.identity_id = any (v_identities);

  delete from rejections r
  where r.workspace_id = (select p_workspace_id) and r.identity_hashes && v_hashes;
  get diagnostics v_rejections = row_count;

  delete from identities i
  where i.workspace_id = (select p_workspace_id) and i.person_id = v_person;

  v_receipt := jsonb_build_object(
    'person_id', v_person, 'erased_at', p_now, 'identities', cardinality(v_identities),
    'touchpoints', v_touchpoints, 'conversions', v_conversions, 'rejections', v_rejections
  );

  with gone as (
    delete from people p
    where p.workspace_id = (select p_workspace_id) and (p.id = v_person or p.merged_into = v_person)
    returning p.id
  )
  insert into erasures (workspace_id, person_id, erased_at, receipt)
  select p_workspace_id, gone.id, p_now, v_receipt
  from gone;

  return v_receipt;
end
$$;
--> statement-breakpoint
-- replace_page_items: removes items that came with a publishable key, because items of a secret key with the same ids are
-- about to be stored in the same transaction. With each item go the conversions that it recorded through the match of a
-- goal, and its link fact, unless another item of a page asserts the same. Adjustments stay. Rows are kept in
-- replaced_items as they were.
--   p_resource  'touchpoints', 'conversions' or 'people'
--   p_ids       ids of the items to store; most of them are not there, or came with a secret key
-- Plans: a workspace without items of pages is recognised by an index that has none of it. The planner expects as many as
-- in an average workspace, and would look for the first by reading the table.
-- Locks: the exclusive lock of resolve_people, if there is something to replace.
create or replace function replace_page_items(p_workspace_id uuid, p_resource text, p_ids text[]) returns void
language plpgsql set plan_cache_mode = force_custom_plan set enable_seqscan = off as $$
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
  while has_pending_links(p_workspace_id) loop
    perform settle_links(p_workspace_id, '{}', '{}', 1000);
  end loop;

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
--> statement-breakpoint
-- require_daily_caps: counts the items of a request with a publishable key, before they are stored.
--   p_caps  {items, rejections, default_value_conversions}
-- Errors: TL003 if the items would pass their cap, TL004 if the rejections would.
-- Requests at the same moment do not see each other, and may together pass a cap by what they bring.
create or replace function require_daily_caps(
  p_workspace_id uuid, p_key_id text, p_day date, p_items int, p_rejections int, p_caps jsonb
) returns void language plpgsql as $$
declare
  v_items bigint;
  v_rejections bigint;
begin
  select coalesce(sum(u.items), 0), coalesce(sum(u.rejections), 0) into v_items, v_rejections
  from key_usage u
  where u.workspace_id = (select p_workspace_id) and u.key_id = p_key_id and u.day = p_day;

  if v_items + p_items > (p_caps ->> 'items')::bigint then
    raise exception using errcode = 'TL003';
  elsif p_rejections > 0 and v_rejections + p_rejections > (p_caps ->> 'rejections')::bigint then
    raise exception using errcode = 'TL004';
  end if;
  perform add_key_usage(p_workspace_id, p_key_id, p_day, p_items, p_rejections, 0);
end
$$;
