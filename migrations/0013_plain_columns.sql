-- Under row level security a condition reaches an index only if nothing in it could leak: comparisons of plain columns,
-- and of these `=` and `<` are safe, but no function over a column of another step is (`decode(item ->> 'hash', 'hex')`).
-- Otherwise each look-up reads the whole workspace, and a batch takes seconds. So what items say is read once, behind a
-- fence (`offset 0`), into plain columns. The functions are the same as before in all else.
-- read_items: what `resolve_people` is given; see the type `PersonClaim` in src/db/resolve-people.ts. Null is absent.
create function read_items(p_items jsonb)
returns table (
  value jsonb, id text, goal text, occurred_at timestamptz, link_id bytea, identities jsonb, namespace text,
  value_hash bytea, has_account boolean, account_id text, account_domain text, account_name text, email_domain text,
  referrer_namespace text, referrer_hash bytea
)
language sql immutable as $$
  select item, item ->> 'id', item ->> 'goal', (item ->> 'occurred_at')::timestamptz, decode(item ->> 'link_id', 'hex'),
    item -> 'identities', item #>> '{identities,0,namespace}', decode(item #>> '{identities,0,value_hash}', 'hex'),
    item ? 'account', item #>> '{account,id}', item #>> '{account,domain}', item #>> '{account,name}',
    item ->> 'email_domain', item #>> '{referrer,namespace}', decode(item #>> '{referrer,value_hash}', 'hex')
  from jsonb_array_elements(p_items) item
  offset 0
$$;
--> statement-breakpoint
-- read_identities: a list of identities, `namespace`, `value_hash` in hex, and the value where it is kept.
create function read_identities(p_identities jsonb)
returns table (namespace text, value_hash bytea, value text)
language sql immutable as $$
  select said.namespace, decode(said.value_hash, 'hex'), said.value
  from jsonb_to_recordset(p_identities) as said (namespace text, value_hash text, value text)
  offset 0
$$;
--> statement-breakpoint
create or replace function resolve_people(p_workspace_id uuid, p_resource text, p_items jsonb, p_from_secret_key boolean, p_hash_version smallint)
returns table (skipped_item_id text)
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_lock constant bigint := hashtextextended('resolve_people ' || p_workspace_id::text, 0);
  v_is_news boolean;
  v_has_accounts boolean;
  v_has_strangers boolean;
  v_identities bigint[];
begin
  begin
    perform pg_advisory_xact_lock_shared(v_lock);

    -- A fact is kept even if it changes nothing today: people are a function of all facts, and one may be undone.
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
        and (not l.from_secret_key, l.occurred_at, l.item_id)
          <= (not p_from_secret_key, item.occurred_at, item.id collate "C")
      limit 1
    ) link on true
    left join lateral (
      select true as are_there
      from read_identities(item.identities) as said
      left join lateral (
        select true as is_known
        from identities i
        where i.workspace_id = (select p_workspace_id)
          and i.namespace = said.namespace
          and i.value_hash = said.value_hash
        offset 0
      ) known on true
      where known.is_known is null
      limit 1
    ) strangers on true
    left join lateral (
      select true as is_known
      from identities i
      cross join lateral (
        select coalesce(
          item.account_id,
          (
            select d.account_id
            from account_domains d
            where d.workspace_id = (select p_workspace_id) and d.domain = item.account_domain
            order by d.is_put desc, d.claimed_at, d.account_id
            limit 1
          ),
          item.account_domain
        ) as account_id
        offset 0
      ) named
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
              and (d.is_put or d.claimed_at <= item.occurred_at)
          )
        )
        and named.account_id = coalesce(
          (
            select f.account_id
            from account_facts f
            where f.workspace_id = (select p_workspace_id) and f.person_id = i.person_id
              and f.occurred_at <= item.occurred_at
            order by f.occurred_at desc, f.source = 'email', f.account_id desc
            limit 1
          ),
          (
            select f.account_id
            from account_facts f
            where f.workspace_id = (select p_workspace_id) and f.person_id = i.person_id
              and f.occurred_at > item.occurred_at
            order by f.occurred_at, f.source = 'email', f.account_id desc
            limit 1
          )
        )
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

  -- What is already stored, or will not be, says nothing. Looked at under the lock.
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
    -- Who names themself as advocate.
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

  -- Identities seen for the first time. An identity joins the person that another identity of its item already
  -- has (the oldest), else the person proposed. People are made from the rows that were really inserted, so a
  -- concurrent batch that was first leaves no empty person behind.
  with said as materialized (
    select item.position, (item.value ->> 'person_id')::uuid as proposed_id, said.namespace,
      said.value_hash as value_hash, said.value, known.person_id
    from jsonb_array_elements(p_items) with ordinality item (value, position)
    cross join lateral read_identities(item.value -> 'identities') as said
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
      (array_agg(proposed_id))[1]) as person_id
    from said
    group by position
  ), inserted as (
    insert into identities (workspace_id, namespace, value_hash, hash_version, person_id, value)
    select p_workspace_id, said.namespace, said.value_hash, p_hash_version,
      (array_agg(owner.person_id order by said.position))[1], (array_agg(said.value order by said.position))[1]
    from said
    join owner on owner.position = said.position
    where said.person_id is null
    group by said.namespace, said.value_hash
    order by said.namespace, said.value_hash
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

  -- The facts, dated by the first item that said them. A new one is not applied yet, so it begins as skipped.
  insert into identity_links
    (workspace_id, link_id, identity_id, from_secret_key, occurred_at, resource, item_id, skipped)
  select distinct on (item.link_id, known.id)
    p_workspace_id, item.link_id, known.id, p_from_secret_key,
    item.occurred_at, p_resource, item.id, true
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
  on conflict (workspace_id, link_id, identity_id) do update
    set from_secret_key = excluded.from_secret_key, occurred_at = excluded.occurred_at,
      resource = excluded.resource, item_id = excluded.item_id
    where (not excluded.from_secret_key, excluded.occurred_at, excluded.item_id)
      < (not identity_links.from_secret_key, identity_links.occurred_at, identity_links.item_id);

  select array_agg(distinct known.id) into v_identities
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
  where item.link_id is not null;

  perform recompute_people(p_workspace_id, v_identities, false);

  if v_has_accounts then
    perform keep_account_facts(p_workspace_id, p_resource, p_items, true);
  end if;

  return query
  select distinct item.id
  from read_items(p_items) item
  cross join lateral (
    select l.skipped
    from identity_links l
    where l.workspace_id = (select p_workspace_id) and l.link_id = item.link_id
    limit 1
  ) link
  where item.link_id is not null and link.skipped;
end
$$;
--> statement-breakpoint
create or replace function keep_account_facts(p_workspace_id uuid, p_resource text, p_items jsonb, p_settles boolean)
returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_domains text[];
  v_people uuid[];
begin
  with claimed as (
    insert into account_domains (workspace_id, domain, account_id, is_put, claimed_at)
    select p_workspace_id, said.domain, said.account_id, false, min(said.occurred_at)
    from (
      select item.account_domain as domain, item.account_id as account_id,
        item.occurred_at as occurred_at
      from read_items(p_items) item
      where item.account_id is not null and item.account_domain is not null
    ) said
    group by said.domain, said.account_id
    order by said.domain collate "C", said.account_id collate "C"
    on conflict (workspace_id, domain, account_id) do update set claimed_at = excluded.claimed_at
      where not account_domains.is_put and excluded.claimed_at < account_domains.claimed_at
    returning domain
  )
  select array_agg(distinct domain) into v_domains
  from claimed;

  if v_domains is not null then
    perform settle_domains(p_workspace_id, v_domains);
  end if;

  with said as materialized (
    select p_resource as source, item.id collate "C" as source_id, known.id as identity_id, known.person_id,
      item.account_id as named_id, item.account_domain as domain, item.account_name as name,
      item.occurred_at as occurred_at
    from read_items(p_items) item
    cross join lateral (
      select i.id, i.person_id
      from identities i
      where i.workspace_id = (select p_workspace_id)
        and i.namespace = item.namespace
        and i.value_hash = item.value_hash
      offset 0
    ) known
    where item.has_account
    union all
    select 'email', known.id::text collate "C", known.id, known.person_id, null, item.email_domain, null,
      min(item.occurred_at)
    from read_items(p_items) item
    cross join lateral read_identities(item.identities) as held
    cross join lateral (
      select i.id, i.person_id
      from identities i
      where i.workspace_id = (select p_workspace_id)
        and i.namespace = 'email'
        and i.value_hash = held.value_hash
      offset 0
    ) known
    where item.email_domain is not null and held.namespace = 'email'
    group by known.id, known.person_id, item.email_domain
  ), settled as materialized (
    select said.*, coalesce(said.named_id, owner.account_id, said.domain) as account_id
    from said
    left join lateral (
      select d.account_id
      from account_domains d
      where said.named_id is null and d.workspace_id = (select p_workspace_id) and d.domain = said.domain
      order by d.is_put desc, d.claimed_at, d.account_id
      limit 1
    ) owner on true
  ), named as (
    insert into accounts (workspace_id, id, name, named_at, is_domain)
    select p_workspace_id, s.account_id,
      (array_agg(s.name order by s.occurred_at desc, s.name desc) filter (where s.name is not null))[1],
      max(s.occurred_at) filter (where s.name is not null), bool_and(s.named_id is null and s.account_id = s.domain)
    from settled s
    group by s.account_id
    order by s.account_id collate "C"
    on conflict (workspace_id, id) do update set
      is_domain = accounts.is_domain and excluded.is_domain,
      name = case
        when (accounts.named_at, accounts.name) >= (excluded.named_at, excluded.name) then accounts.name
        else coalesce(excluded.name, accounts.name)
      end,
      named_at = greatest(accounts.named_at, excluded.named_at)
    where (accounts.is_domain and not excluded.is_domain)
      or (excluded.name is not null and ((excluded.named_at, excluded.name) > (accounts.named_at, accounts.name)) is not false)
  ), kept as (
    insert into account_facts (workspace_id, source, source_id, identity_id, person_id, account_id, domain, occurred_at)
    select distinct on (s.source, s.source_id) p_workspace_id, s.source, s.source_id, s.identity_id, s.person_id,
      s.account_id, case when s.named_id is null then s.domain end, s.occurred_at
    from settled s
    order by s.source, s.source_id
    on conflict (workspace_id, source, source_id) do update set occurred_at = excluded.occurred_at
      where excluded.source = 'email' and excluded.occurred_at < account_facts.occurred_at
  )
  -- Of the facts known before this statement. One of an e-mail address that turns out to be older also leaves its place.
  select array_agg(distinct s.person_id) into v_people
  from settled s
  where p_settles and (s.account_id is distinct from coalesce(
    (
      select f.account_id
      from account_facts f
      where f.workspace_id = (select p_workspace_id) and f.person_id = s.person_id and f.occurred_at <= s.occurred_at
      order by f.occurred_at desc, f.source = 'email', f.account_id desc
      limit 1
    ),
    (
      select f.account_id
      from account_facts f
      where f.workspace_id = (select p_workspace_id) and f.person_id = s.person_id and f.occurred_at > s.occurred_at
      order by f.occurred_at, f.source = 'email', f.account_id desc
      limit 1
    )
  ) or exists (
    select
    from account_facts f
    where s.source = 'email' and f.workspace_id = (select p_workspace_id) and f.source = 'email'
      and f.source_id = s.source_id and f.occurred_at > s.occurred_at
  ));

  if v_people is not null then
    perform recompute_accounts(p_workspace_id, v_people);
  end if;
end
$$;
--> statement-breakpoint
create or replace function recompute_accounts(p_workspace_id uuid, p_people uuid[])
returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
begin
  if not exists (select from account_facts f where f.workspace_id = (select p_workspace_id)) then
    return;
  end if;

  with periods as materialized (
    select f.person_id, f.account_id,
      case when lag(f.occurred_at) over person is null then '-infinity' else f.occurred_at end as begins_at,
      coalesce(lead(f.occurred_at) over person, 'infinity') as ends_at
    from (
      select distinct on (f.person_id, f.occurred_at) f.person_id, f.occurred_at, f.account_id
      from account_facts f
      where f.workspace_id = (select p_workspace_id) and f.person_id = any (p_people)
      order by f.person_id, f.occurred_at, f.source = 'email', f.account_id desc
    ) f
    window person as (partition by f.person_id order by f.occurred_at)
  ), touched as (
    update touchpoints t set account_id = computed.account_id
    from (
      select t.id, coalesce(own.account_id, period.account_id) as account_id
      from touchpoints t
      left join lateral (
        select f.account_id
        from account_facts f
        where f.workspace_id = (select p_workspace_id) and f.source = 'touchpoints' and f.source_id = t.id
        offset 0
      ) own on true
      left join periods period
        on period.person_id = t.person_id and t.occurred_at >= period.begins_at and t.occurred_at < period.ends_at
      where t.workspace_id = (select p_workspace_id)
        and t.person_id = any (p_people)
        and t.account_id is distinct from coalesce(own.account_id, period.account_id)
    ) computed
    where t.workspace_id = (select p_workspace_id) and t.id = computed.id
  )
  update conversions c set account_id = computed.account_id
  from (
    select c.id, coalesce(own.account_id, period.account_id) as account_id
    from conversions c
    cross join lateral (
      select case when c.touchpoint_id is null then 'conversions' else 'touchpoints' end as source,
        coalesce(c.touchpoint_id, c.id) as source_id
      offset 0
    ) said
    left join lateral (
      select f.account_id
      from account_facts f
      where f.workspace_id = (select p_workspace_id) and f.source = said.source and f.source_id = said.source_id
      offset 0
    ) own on true
    left join periods period
      on period.person_id = c.person_id and c.occurred_at >= period.begins_at and c.occurred_at < period.ends_at
    where c.workspace_id = (select p_workspace_id)
      and c.person_id = any (p_people)
      and c.account_id is distinct from coalesce(own.account_id, period.account_id)
  ) computed
  where c.workspace_id = (select p_workspace_id) and c.id = computed.id;
end
$$;
--> statement-breakpoint
create or replace function unlink_identities(p_workspace_id uuid, p_person_id uuid, p_identities jsonb)
returns table (removed_links integer, namespace text, person_id uuid)
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_identities bigint[];
  v_links bytea[];
  v_touched bigint[];
begin
  perform pg_advisory_xact_lock(hashtextextended('resolve_people ' || p_workspace_id::text, 0));

  select array_agg(i.id) into v_identities
  from read_identities(p_identities) as named
  join identities i
    on i.workspace_id = (select p_workspace_id)
    and i.namespace = named.namespace
    and i.value_hash = named.value_hash
  where exists (
    select
    from people p
    where p.workspace_id = (select p_workspace_id) and p.id = p_person_id and i.person_id in (p.id, p.merged_into)
  );

  select array_agg(link_id) into v_links
  from (
    select l.link_id
    from identity_links l
    where l.workspace_id = (select p_workspace_id) and l.identity_id = any (v_identities)
    group by l.link_id
    having count(*) = jsonb_array_length(p_identities)
  ) wrong;

  if v_links is null then
    return;
  end if;

  with removed as (
    delete from identity_links l
    where l.workspace_id = (select p_workspace_id) and l.link_id = any (v_links)
    returning l.identity_id
  )
  select array_agg(distinct identity_id) into v_touched
  from removed;

  perform recompute_people(p_workspace_id, v_touched, true);

  return query
  select array_length(v_links, 1), i.namespace::text, i.person_id
  from identities i
  where i.workspace_id = (select p_workspace_id) and i.id = any (v_identities)
  order by i.namespace;
end
$$;
