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
