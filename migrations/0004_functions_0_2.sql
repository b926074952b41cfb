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
  v_texts bigint[];
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

  select coalesce(array_agg(i.id), '{}'), coalesce(array_agg(i.namespace || ':' || encode(i.value_hash, 'hex')), '{}'),
    array_agg(i.text_hash) filter (where i.text_hash is not null)
  into v_identities, v_hashes, v_texts
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
  where r.workspace_id = (select p_workspace_id) and (r.identity_hashes && v_hashes or r.text_hashes && v_texts);
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
-- keep_row_version: keeps the earlier version of a replaced row in `row_versions`. An update that changes nothing but
-- `updated_at` keeps none.
--   arguments of the trigger  the columns of the primary key without the workspace
-- The version of the canonical form is left out, because release 0.1.0 would show it.
-- The row lock orders the updates of one row, so its versions are 1, 2, 3 … without a gap.
create or replace function keep_row_version() returns trigger language plpgsql as $$
declare
  v_was constant jsonb := to_jsonb(old);
  v_workspace_id constant uuid := coalesce(v_was ->> 'workspace_id', v_was ->> 'id');
  v_key text collate "C";
begin
  if v_was - 'updated_at' = to_jsonb(new) - 'updated_at' then
    return null;
  end if;
  select coalesce(string_agg(v_was ->> part.name, '/' order by part.place), '') into v_key
  from unnest(tg_argv) with ordinality part (name, place);

  insert into row_versions (workspace_id, table_name, row_key, version, replaced_at, was)
  select v_workspace_id, tg_table_name, v_key, coalesce(max(v.version), 0) + 1, now(),
    v_was - array['workspace_id', 'content_version']
  from row_versions v
  where v.workspace_id = (select v_workspace_id) and v.table_name = tg_table_name and v.row_key = v_key;
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger workspaces_versions after update on workspaces
for each row execute function keep_row_version();
--> statement-breakpoint
create or replace trigger goals_versions after update on goals
for each row execute function keep_row_version('key');
--> statement-breakpoint
create or replace trigger fx_rates_versions after update on fx_rates
for each row execute function keep_row_version('from', 'to', 'date');
--> statement-breakpoint
create or replace trigger spend_versions after update on spend
for each row execute function keep_row_version('id');
--> statement-breakpoint
-- oldest_supported_migration: the newest migration of the oldest release that works on this schema, by its time in the
-- journal. `GET /ready` and `npm run migrate` of a release refuse a schema whose number is above their own newest
-- migration. A migration that drops something (a contract) raises it, see `migrations/contracts.json`.
--   oldest_supported_migration() → 1795910819386, which is 0002_locks: release 0.1.0
create or replace function oldest_supported_migration() returns bigint language sql immutable as $$
  select 1795910819386
$$;
--> statement-breakpoint
-- read_texts: read_identities with the hash of the value alone; see `text_hash` of `identities`.
--   p_identities  [{namespace, value_hash, value?, text_hash?}]; value_hash in hex, text_hash a decimal number in quotes.
--                 Release 0.1.0 sends no text_hash
create or replace function read_texts(p_identities jsonb)
returns table (namespace text, value_hash bytea, value text, text_hash bigint)
language sql immutable as $$
  select named.namespace, decode(named.value_hash, 'hex'), named.value, named.text_hash
  from jsonb_to_recordset(p_identities) as named (namespace text, value_hash text, value text, text_hash bigint)
  offset 0
$$;
--> statement-breakpoint
-- refuse_unwrapped_keys: trigger; refuses the adjustments, spend and rejections that release 0.1.0 writes for a workspace
-- created since: it hashes and encrypts under a key of its own. It gets 57P03, as from resolve_people, which refuses its
-- touchpoints, conversions and people (ADR 28). Later releases show by a setting of the transaction that they use the
-- stored keys.
create or replace function refuse_unwrapped_keys() returns trigger language plpgsql as $$
begin
  if current_setting('throughline.wrapped_keys', true) is distinct from 'on' and exists (
    select
    from identity_keys k
    where k.workspace_id = (select workspace_in_force()) and k.hash_version > 1
  ) then
    raise exception 'the hashes were made under another key' using errcode = '57P03';
  end if;
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger adjustments_keys before insert on adjustments
for each statement execute function refuse_unwrapped_keys();
--> statement-breakpoint
create or replace trigger spend_keys before insert on spend
for each statement execute function refuse_unwrapped_keys();
--> statement-breakpoint
create or replace trigger rejections_keys before insert on rejections
for each statement execute function refuse_unwrapped_keys();
--> statement-breakpoint
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
--> statement-breakpoint
-- require_daily_caps: counts a request with a publishable key, before its items are stored.
--   p_rows   the items that may get the default value of a goal: {goal} of a conversion without a value, the fields of a
--            touchpoint. The count does not depend on stored rows, so a page cannot learn from it which ids exist; an item
--            that is sent again is counted again
--   p_goals  the goals that the key may record; null: all
--   p_caps   {items, rejections, default_value_conversions}
-- Errors: TL003 if the items would pass their cap, TL004 if the rejections would, TL005 if conversions with a default
-- value would. Requests at the same moment do not see each other, and may together pass a cap by what they bring.
create or replace function require_daily_caps(
  p_workspace_id uuid, p_key_id text, p_day date, p_items int, p_rejections int, p_rows jsonb, p_goals text[], p_caps jsonb
) returns void language plpgsql as $$
declare
  v_items bigint;
  v_rejections bigint;
  v_defaults bigint;
  v_new_defaults int;
begin
  select coalesce(sum(u.items), 0), coalesce(sum(u.rejections), 0), coalesce(sum(u.default_value_conversions), 0)
  into v_items, v_rejections, v_defaults
  from key_usage u
  where u.workspace_id = (select p_workspace_id) and u.key_id = p_key_id and u.day = p_day;

  select count(*) into v_new_defaults
  from goals g
  cross join jsonb_array_elements(p_rows) item
  where g.workspace_id = (select p_workspace_id) and g.archived_at is null and g.default_value is not null
    and (p_goals is null or g.key = any (p_goals))
    and case
      when item ? 'goal' then g.key = item ->> 'goal'
      else exists (
        select
        from jsonb_array_elements(g.match -> 'touchpoints') filter
        where not exists (
          select
          from jsonb_each(filter) field
          where not field.value @> coalesce(item -> field.key, 'null')
        )
      )
    end;

  if v_items + p_items > (p_caps ->> 'items')::bigint then
    raise exception using errcode = 'TL003';
  elsif p_rejections > 0 and v_rejections + p_rejections > (p_caps ->> 'rejections')::bigint then
    raise exception using errcode = 'TL004';
  elsif v_new_defaults > 0 and v_defaults + v_new_defaults > (p_caps ->> 'default_value_conversions')::bigint then
    raise exception using errcode = 'TL005';
  end if;
  perform add_key_usage(p_workspace_id, p_key_id, p_day, p_items, p_rejections, v_new_defaults);
end
$$;
--> statement-breakpoint
-- resolve_people: creates the identities of a batch, stores its link and membership facts, and recomputes the people and
-- accounts concerned. It is the first statement of every batch that stores items of people.
--   p_resource  'touchpoints', 'conversions' or 'people'. An item that is already stored there, or will not be stored,
--               asserts nothing
--   p_items     as read_items takes them. `person_id` is the person to create if none is known, the same for all items
--               of the batch that share an identity, directly or through others; `link_id` only with two identities or
--               more
--   p_hash_version  that of the workspace's key material, under which the hashes were made
-- Result: the items whose link fact was skipped.
--
-- Release 0.1.0 hashes under a key of its own, which is not that of a workspace created since; it passes version 1. It
-- gets 57P03, which it answers as 503 with Retry-After, until the deploy has replaced it (ADR 28).
--
-- People are a function of the set of link facts; settle_links has the definition. A fact is stored even if it changes
-- nothing now, because another fact may be undone later.
--
-- Locks: one advisory lock per workspace. Most batches contain known identities and stored facts; they hold the lock
-- shared and run concurrently. A batch that adds a fact holds it exclusively, so that a merge never runs beside another
-- merge or beside an insert for a person who is being merged away. Which mode a batch needs is read under the shared
-- lock. A batch that needs the exclusive lock releases the shared one first, by leaving the block through an exception,
-- because upgrading a lock deadlocks.
--
-- Plans: look-ups are `lateral … offset 0`, which the planner leaves as one index probe per row. Each call is planned
-- anew, and a subquery hides the workspace from the planner. With a plan from when the tables were empty, or statistics
-- from before a large import, any index that begins with `workspace_id` looks as good as the primary key, and each batch
-- would read the whole workspace.
create or replace function resolve_people(p_workspace_id uuid, p_resource text, p_items jsonb, p_from_secret_key boolean, p_hash_version smallint)
returns table (skipped_item_id text)
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_lock constant bigint := hashtextextended('resolve_people ' || p_workspace_id::text, 0);
  v_is_news boolean;
  v_has_accounts boolean;
  v_has_strangers boolean;
  v_links bytea[];
  v_groups uuid[];
  v_parents int[];
  v_contested uuid[] := '{}';
  v_pair record;
  v_a int;
  v_b int;
  v_hash_version smallint;
begin
  select coalesce(max(k.hash_version), 1) into v_hash_version
  from identity_keys k
  where k.workspace_id = (select p_workspace_id);
  if v_hash_version > p_hash_version then
    raise exception 'the hashes were made under another key' using errcode = '57P03';
  end if;

  begin
    perform pg_advisory_xact_lock_shared(v_lock);

    select coalesce(bool_or(item.link_id is not null and link.is_kept is null), false)
        or coalesce(bool_or(item.has_account and account.is_known is null), false)
        or coalesce(bool_or(item.email_domain is not null and address.is_known is null), false),
      coalesce(bool_or(item.has_account or item.email_domain is not null), false),
      coalesce(bool_or(strangers.are_there), false)
    into v_is_news, v_has_accounts, v_has_strangers
    from read_items(p_items) item
    left join lateral (
      select true as is_kept
      from identity_links l
      where item.link_id is not null
        and l.workspace_id = (select p_workspace_id)
        and l.link_id = item.link_id
        and l.is_current
        and (not l.from_secret_key, l.occurred_at, l.item_id)
          <= (not p_from_secret_key, item.occurred_at, item.id collate "C")
      limit 1
    ) link on true
    left join lateral (
      select true as are_there
      from read_texts(item.identities) as said
      left join lateral (
        select true as is_known, i.text_hash
        from identities i
        where i.workspace_id = (select p_workspace_id)
          and i.namespace = said.namespace
          and i.value_hash = said.value_hash
        offset 0
      ) known on true
      where known.is_known is null or (known.text_hash is null and said.text_hash is not null)
      limit 1
    ) strangers on true
    left join lateral (
      select true as is_known
      from identities i
      cross join lateral (
        select coalesce(
          item.account_id,
          (select owner.account_id from domain_owner(p_workspace_id, item.account_domain) owner),
          item.account_domain
        ) as account_id
        offset 0
      ) named
      cross join lateral account_at(p_workspace_id, i.person_id, item.occurred_at) held
      join accounts a on a.workspace_id = (select p_workspace_id) and a.id = named.account_id
      where item.has_account
        and i.workspace_id = (select p_workspace_id)
        and i.namespace = item.namespace
        and i.value_hash = item.value_hash
        and (item.account_id is null or not a.is_domain)
        and (
          item.account_id is null or item.account_domain is null or exists (
            select
            from account_domains d
            where d.workspace_id = (select p_workspace_id)
              and d.domain = item.account_domain
              and d.account_id = item.account_id
              and not d.is_put
              and d.claimed_at <= item.occurred_at
          )
        )
        and named.account_id = held.account_id
      offset 0
    ) account on true
    left join lateral (
      select true as is_known
      from read_identities(item.identities) as held
      join identities i
        on i.workspace_id = (select p_workspace_id)
        and i.namespace = held.namespace
        and i.value_hash = held.value_hash
      cross join lateral (select i.id::text as source_id offset 0) address
      join account_facts f
        on f.workspace_id = (select p_workspace_id) and f.source = 'email' and f.source_id = address.source_id
      where item.email_domain is not null
        and held.namespace = 'email'
        and f.occurred_at <= item.occurred_at
      offset 0
    ) address on true;

    if v_is_news then
      raise exception using errcode = 'TL001';
    end if;
  exception when sqlstate 'TL001' then
    perform pg_advisory_xact_lock(v_lock);
  end;

  if not v_is_news and not v_has_strangers and not v_has_accounts then
    return;
  end if;

  -- Identities that 0.1.0 stored get their text_hash. A row that another batch holds is left to it, so nobody waits.
  if v_has_strangers and v_hash_version = 1 then
    with bare as materialized (
      select known.id, known.text_hash
      from read_items(p_items) item
      cross join lateral read_texts(item.identities) as said
      cross join lateral (
        select i.id, said.text_hash
        from identities i
        where i.workspace_id = (select p_workspace_id)
          and i.namespace = said.namespace
          and i.value_hash = said.value_hash
          and i.text_hash is null
          and said.text_hash is not null
        offset 0
        for no key update skip locked
      ) known
    )
    update identities i
    set text_hash = bare.text_hash
    from bare
    where i.workspace_id = (select p_workspace_id) and i.id = bare.id;
  end if;

  -- Items that are already stored, or will not be stored, assert nothing. This is checked under the lock.
  select coalesce(jsonb_agg(item.value), '[]') into p_items
  from read_items(p_items) item
  left join lateral (
    select true as is_stored
    from touchpoints t
    where p_resource = 'touchpoints' and t.workspace_id = (select p_workspace_id) and t.id = item.id
    union all
    select true
    from conversions c
    where p_resource = 'conversions' and c.workspace_id = (select p_workspace_id) and c.id = item.id
    union all
    select true
    from person_updates u
    where p_resource = 'people' and u.workspace_id = (select p_workspace_id) and u.id = item.id
    offset 0
  ) stored on true
  where stored.is_stored is null
    and (
      p_resource <> 'conversions' or exists (
        select
        from goals g
        where g.workspace_id = (select p_workspace_id) and g.key = item.goal and g.archived_at is null
      )
    )
    and not (
      (select exists (select from tombstones dead where dead.workspace_id = (select p_workspace_id)))
      and exists (
        select
        from read_identities(item.identities) as said
        join tombstones dead
          on dead.workspace_id = (select p_workspace_id)
          and dead.namespace = said.namespace
          and dead.value_hash = said.value_hash
        where dead.erased_at >= item.occurred_at
      )
    )
    -- A person cannot be their own advocate.
    and not (
      item.referrer_hash is not null and exists (
        select
        from identities own
        join identities referrer
          on referrer.workspace_id = (select p_workspace_id)
          and referrer.namespace = item.referrer_namespace
          and referrer.value_hash = item.referrer_hash
        where own.workspace_id = (select p_workspace_id)
          and own.namespace = item.namespace
          and own.value_hash = item.value_hash
          and own.person_id = referrer.person_id
      )
    )
    and not (
      p_resource = 'touchpoints'
      and (select exists (
        select from person_updates u where u.workspace_id = (select p_workspace_id) and not u.analytics_consent
      ))
      and exists (
        select
        from read_identities(item.identities) as said
        join identities i
          on i.workspace_id = (select p_workspace_id)
          and i.namespace = said.namespace
          and i.value_hash = said.value_hash
        where (
          select u.analytics_consent
          from person_updates u
          where u.workspace_id = (select p_workspace_id)
            and u.person_id = i.person_id
            and u.analytics_consent is not null
            and u.occurred_at <= item.occurred_at
          order by u.occurred_at desc, u.id desc
          limit 1
        ) is false
      )
    );

  -- Groups: items that share an identity have one proposed person, and items that share a person belong together. Where
  -- the people of a group and its new identities fit in one person, every fact of the group will be applied. Otherwise
  -- its new identities start alone, and settle_links decides.
  if v_is_news then
    select array_agg(distinct (item.value ->> 'person_id')::uuid) into v_groups from read_items(p_items) item;
    select array_agg(n order by n) into v_parents from generate_subscripts(v_groups, 1) n;
    for v_pair in
      select distinct min(known.place) over (partition by known.person_id) as one, known.place as other
      from (
        select distinct i.person_id, array_position(v_groups, (item.value ->> 'person_id')::uuid) as place
        from read_items(p_items) item
        cross join lateral read_identities(item.identities) as said
        cross join lateral (
          select i.person_id
          from identities i
          where i.workspace_id = (select p_workspace_id)
            and i.namespace = said.namespace
            and i.value_hash = said.value_hash
          offset 0
        ) i
      ) known
    loop
      v_a := v_pair.one;
      while v_parents[v_a] <> v_a loop
        v_a := v_parents[v_a];
      end loop;
      v_b := v_pair.other;
      while v_parents[v_b] <> v_b loop
        v_b := v_parents[v_b];
      end loop;
      v_parents[greatest(v_a, v_b)] := least(v_a, v_b);
    end loop;
    for n in 1 .. coalesce(cardinality(v_parents), 0) loop
      v_parents[n] := v_parents[v_parents[n]];
    end loop;

    with said as materialized (
      select distinct v_parents[array_position(v_groups, (item.value ->> 'person_id')::uuid)] as root, said.namespace,
        said.value_hash, known.person_id
      from read_items(p_items) item
      cross join lateral read_identities(item.identities) as said
      left join lateral (
        select i.person_id
        from identities i
        where i.workspace_id = (select p_workspace_id)
          and i.namespace = said.namespace
          and i.value_hash = said.value_hash
        offset 0
      ) known on true
    ), sizes as (
      select said.root, 1 as identities, (said.namespace = 'user_id')::int as users
      from said
      where said.person_id is null
      union all
      select known.root, held.identities, held.users
      from (select distinct root, person_id from said where person_id is not null) known
      cross join lateral (
        select count(*)::int as identities, (count(*) filter (where i.namespace = 'user_id'))::int as users
        from identities i
        where i.workspace_id = (select p_workspace_id) and i.person_id = known.person_id
      ) held
    ), contested as (
      select root
      from sizes
      group by root
      having sum(identities) > 100 or sum(users) > 1 or has_pending_links(p_workspace_id)
    )
    select coalesce(array_agg(v_groups[n]), '{}') into v_contested
    from generate_subscripts(v_groups, 1) n
    where v_parents[n] in (select root from contested);
  end if;

  -- New identities. An identity joins the person of another identity of its item (the oldest), else the proposed
  -- person. People are created from the rows that were actually inserted, so that no empty person is left if a
  -- concurrent batch inserted an identity first.
  with said as materialized (
    select item.position, (item.value ->> 'person_id')::uuid as proposed_id, said.namespace, said.value_hash, said.value,
      said.text_hash, known.person_id
    from jsonb_array_elements(p_items) with ordinality item (value, position)
    cross join lateral read_texts(item.value -> 'identities') as said
    left join lateral (
      select i.person_id
      from identities i
      where i.workspace_id = (select p_workspace_id)
        and i.namespace = said.namespace
        and i.value_hash = said.value_hash
      offset 0
    ) known on true
  ), owner as (
    select position, coalesce((array_agg(person_id order by person_id) filter (where person_id is not null))[1],
      (array_agg(proposed_id))[1]) as person_id, (array_agg(proposed_id))[1] = any (v_contested) as is_contested
    from said
    group by position
  ), strangers as (
    select said.namespace, said.value_hash, bool_or(owner.is_contested) as is_contested,
      (array_agg(owner.person_id order by said.position))[1] as person_id,
      (array_agg(said.value order by said.position))[1] as value, min(said.text_hash) as text_hash
    from said
    join owner on owner.position = said.position
    where said.person_id is null
    group by said.namespace, said.value_hash
  ), inserted as (
    insert into identities (workspace_id, namespace, value_hash, hash_version, person_id, value, text_hash)
    select p_workspace_id, s.namespace, s.value_hash, p_hash_version,
      case when s.is_contested then uuid_v7() else s.person_id end, s.value, s.text_hash
    from strangers s
    order by s.namespace, s.value_hash
    on conflict do nothing
    returning person_id
  )
  insert into people (workspace_id, id)
  select distinct p_workspace_id, person_id
  from inserted
  order by person_id
  on conflict do nothing;

  if not v_is_news then
    if v_has_accounts then
      perform keep_account_facts(p_workspace_id, p_resource, p_items, false);
    end if;
    return;
  end if;

  -- A fact is dated by the earliest item that asserts it. A new fact is not applied yet, so it starts as skipped; a fact
  -- that gets an earlier date keeps its state.
  with asserted as materialized (
    select distinct on (item.link_id, known.id) item.link_id, known.id as identity_id, item.occurred_at, item.id as item_id,
      bool_or(said.namespace = 'user_id') over (partition by item.link_id) as holds_user_id
    from read_items(p_items) item
    cross join lateral read_identities(item.identities) as said
    cross join lateral (
      select i.id
      from identities i
      where i.workspace_id = (select p_workspace_id)
        and i.namespace = said.namespace
        and i.value_hash = said.value_hash
      offset 0
    ) known
    where item.link_id is not null
    order by item.link_id, known.id, item.occurred_at, item.id collate "C"
  ), news as materialized (
    select asserted.*, earlier.assertions, coalesce(stored.skipped, true) as skipped
    from asserted
    cross join lateral (
      select coalesce(max(l.assertion), 0) as assertions
      from identity_links l
      where l.workspace_id = (select p_workspace_id) and l.link_id = asserted.link_id
        and l.identity_id = asserted.identity_id
    ) earlier
    left join lateral (
      select l.skipped, l.from_secret_key, l.occurred_at, l.item_id
      from identity_links l
      where l.workspace_id = (select p_workspace_id) and l.link_id = asserted.link_id
        and l.identity_id = asserted.identity_id and l.is_current
    ) stored on true
    where stored.item_id is null
      or (not p_from_secret_key, asserted.occurred_at, asserted.item_id collate "C")
        < (not stored.from_secret_key, stored.occurred_at, stored.item_id)
  ), superseded as (
    update identity_links l set is_current = false, pending = false
    from news
    where l.workspace_id = (select p_workspace_id) and l.link_id = news.link_id and l.identity_id = news.identity_id
      and l.is_current
  ), kept as (
    insert into identity_links (
      workspace_id, link_id, identity_id, assertion, from_secret_key, occurred_at, resource, item_id, skipped, holds_user_id
    )
    select p_workspace_id, news.link_id, news.identity_id, news.assertions + 1, p_from_secret_key, news.occurred_at,
      p_resource, news.item_id, news.skipped, news.holds_user_id
    from news
  )
  select array_agg(distinct news.link_id) into v_links
  from news
  where news.skipped;

  perform settle_links(p_workspace_id, v_links, '{}', 1000);

  if v_has_accounts then
    perform keep_account_facts(p_workspace_id, p_resource, p_items, true);
  end if;

  return query
  select distinct item.id
  from read_items(p_items) item
  cross join lateral (
    select l.skipped
    from identity_links l
    where l.workspace_id = (select p_workspace_id) and l.link_id = item.link_id and l.is_current
    limit 1
  ) link
  where item.link_id is not null and link.skipped;
end
$$;
