-- Accounts: who was of which company when, from facts. An item's account is the one it names; else its person's latest
-- fact at or before its time; else that person's first later one; else none. The account of every touchpoint and
-- conversion is kept on its row, and rewritten when facts, people or the owners of domains change; all of it is a
-- function of the set of facts, whatever order they come in.
--
-- Of several facts at one instant those of items go before those of e-mail addresses, then the greater account id
-- bytewise. Every function here runs under the lock of resolve_people.
-- recompute_accounts: bring the rows of some people to the accounts that follow from their facts.
create function recompute_accounts(p_workspace_id uuid, p_people uuid[]) returns void
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
    left join lateral (
      select f.account_id
      from account_facts f
      where f.workspace_id = (select p_workspace_id)
        and f.source = case when c.touchpoint_id is null then 'conversions' else 'touchpoints' end
        and f.source_id = coalesce(c.touchpoint_id, c.id)
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
-- settle_domains: whose some domains are, after claims came or went. A domain that nobody claims is an account of
-- its own, as soon as a fact names it.
create function settle_domains(p_workspace_id uuid, p_domains text[]) returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_people uuid[];
begin
  with owned as materialized (
    select asked.domain, coalesce(owner.account_id, asked.domain) as account_id
    from unnest(p_domains) asked (domain)
    left join lateral (
      select d.account_id
      from account_domains d
      where d.workspace_id = (select p_workspace_id) and d.domain = asked.domain
      order by d.is_put desc, d.claimed_at, d.account_id
      limit 1
    ) owner on true
  ), moved as (
    update account_facts f set account_id = owned.account_id
    from owned
    where f.workspace_id = (select p_workspace_id) and f.domain = owned.domain and f.account_id <> owned.account_id
    returning f.person_id, f.domain, f.account_id
  ), gone as (
    delete from accounts a
    using owned
    where a.workspace_id = (select p_workspace_id) and a.id = owned.domain and a.is_domain
      and owned.account_id <> owned.domain
    returning a.name, a.named_at, owned.account_id
  ), named as (
    insert into accounts (workspace_id, id, name, named_at, is_domain)
    select distinct on (gone.account_id) p_workspace_id, gone.account_id, gone.name, gone.named_at, false
    from gone
    where gone.name is not null
    order by gone.account_id, gone.named_at desc, gone.name desc
    on conflict (workspace_id, id) do update set name = excluded.name, named_at = excluded.named_at
      where accounts.named_at is null or (excluded.named_at, excluded.name) > (accounts.named_at, accounts.name)
  ), made as (
    insert into accounts (workspace_id, id, is_domain)
    select distinct p_workspace_id, moved.account_id, true
    from moved
    where moved.account_id = moved.domain
    on conflict do nothing
  )
  select array_agg(distinct moved.person_id) into v_people
  from moved;

  if v_people is not null then
    perform recompute_accounts(p_workspace_id, v_people);
  end if;
end
$$;
--> statement-breakpoint
-- keep_account_facts: what the items of a batch say of who is where. Their identities exist by now.
--   p_items    as resolve_people takes them; of each [{id, occurred_at, identities, account?: {id?, domain?, name?},
--              email_domain?}], the account of the item, and the company domain of its e-mail address
--   p_settles  true under the exclusive lock: facts may change accounts that rows have by now. Without it every fact
--              agrees with what is known, and is kept
create function keep_account_facts(p_workspace_id uuid, p_resource text, p_items jsonb, p_settles boolean) returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_domains text[];
  v_people uuid[];
begin
  with claimed as (
    insert into account_domains (workspace_id, domain, account_id, is_put, claimed_at)
    select p_workspace_id, said.domain, said.account_id, false, min(said.occurred_at)
    from (
      select item #>> '{account,domain}' as domain, item #>> '{account,id}' as account_id,
        (item ->> 'occurred_at')::timestamptz as occurred_at
      from jsonb_array_elements(p_items) item
      where item #>> '{account,id}' is not null and item #>> '{account,domain}' is not null
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
    select p_resource as source, (item ->> 'id') collate "C" as source_id, known.id as identity_id, known.person_id,
      item #>> '{account,id}' as named_id, item #>> '{account,domain}' as domain, item #>> '{account,name}' as name,
      (item ->> 'occurred_at')::timestamptz as occurred_at
    from jsonb_array_elements(p_items) item
    cross join lateral (
      select i.id, i.person_id
      from identities i
      where i.workspace_id = (select p_workspace_id)
        and i.namespace = item #>> '{identities,0,namespace}'
        and i.value_hash = decode(item #>> '{identities,0,value_hash}', 'hex')
      offset 0
    ) known
    where item ? 'account'
    union all
    select 'email', known.id::text collate "C", known.id, known.person_id, null, item ->> 'email_domain', null,
      min((item ->> 'occurred_at')::timestamptz)
    from jsonb_array_elements(p_items) item
    cross join lateral jsonb_to_recordset(item -> 'identities') as held (namespace text, value_hash text)
    cross join lateral (
      select i.id, i.person_id
      from identities i
      where i.workspace_id = (select p_workspace_id)
        and i.namespace = 'email'
        and i.value_hash = decode(held.value_hash, 'hex')
      offset 0
    ) known
    where item ? 'email_domain' and held.namespace = 'email'
    group by known.id, known.person_id, item ->> 'email_domain'
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
-- put_account: what an admin says of an account. Domains that are named are its own from then on; those that an admin
-- named before, and no longer, are not said to be (items may still say so).
--   p_domains  normalised
-- Result: the domains that an admin gave to other accounts; if there is any, nothing was done.
create function put_account(p_workspace_id uuid, p_id text, p_name text, p_domains text[], p_now timestamptz)
returns table (taken_domain text, taken_by text) language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_domains text[];
begin
  perform pg_advisory_xact_lock(hashtextextended('resolve_people ' || p_workspace_id::text, 0));

  return query
  select d.domain::text, d.account_id::text
  from account_domains d
  where d.workspace_id = (select p_workspace_id) and d.domain = any (p_domains) and d.is_put and d.account_id <> p_id
  order by d.domain;
  if found then
    return;
  end if;

  insert into accounts (workspace_id, id, name, named_at, is_domain)
  values (p_workspace_id, p_id, p_name, p_now, false)
  on conflict (workspace_id, id) do update set name = excluded.name, named_at = excluded.named_at, is_domain = false;

  with withdrawn as (
    delete from account_domains d
    where d.workspace_id = (select p_workspace_id) and d.account_id = p_id and d.is_put and not d.domain = any (p_domains)
    returning d.domain
  ), claimed as (
    insert into account_domains (workspace_id, domain, account_id, is_put, claimed_at)
    select p_workspace_id, domain, p_id, true, p_now
    from unnest(p_domains) domain
    on conflict (workspace_id, domain, account_id) do update set is_put = true
      where not account_domains.is_put
    returning domain
  )
  select array_agg(domain) into v_domains
  from (select domain from withdrawn union select domain from claimed) changed;

  if v_domains is not null then
    perform settle_domains(p_workspace_id, v_domains);
  end if;
end
$$;
--> statement-breakpoint
-- replay_people: one component that may conflict, from its facts alone.
--   p_people  all people of the component
-- A person stays with the group that holds its oldest identity; of several people in a group the oldest survives;
-- a group without any gets a new one (version 7, so that age goes on being the order of ids).
create or replace function replay_people(p_workspace_id uuid, p_people uuid[]) returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  c_max_identities constant int := 100;
  v_ids bigint[];
  v_holders uuid[];
  v_users int[];
  v_parents int[];
  v_sizes int[];
  v_fact record;
  v_root int;
  v_roots int[];
  v_node int;
  v_size int;
  v_user_count int;
  v_skipped bytea[] := '{}';
  v_owners uuid[];
  v_losers uuid[] := '{}';
  v_survivors uuid[] := '{}';
begin
  select array_agg(i.id order by i.id), array_agg(i.person_id order by i.id),
    array_agg((i.namespace = 'user_id')::int order by i.id), array_agg(1 order by i.id)
  into v_ids, v_holders, v_users, v_sizes
  from identities i
  where i.workspace_id = (select p_workspace_id) and i.person_id = any (p_people);

  if v_ids is null then
    return;
  end if;
  select array_agg(n order by n) into v_parents from generate_subscripts(v_ids, 1) n;

  for v_fact in
    select l.link_id, array_agg(place.n order by place.n) as members
    from unnest(v_ids) with ordinality place (id, n)
    join identity_links l on l.workspace_id = (select p_workspace_id) and l.identity_id = place.id
    group by l.link_id
    order by bool_or(not l.from_secret_key), min(l.occurred_at), min(l.item_id), min(l.resource), l.link_id
  loop
    v_roots := '{}';
    v_size := 0;
    v_user_count := 0;
    foreach v_node in array v_fact.members loop
      v_root := v_node;
      while v_parents[v_root] <> v_root loop
        v_parents[v_root] := v_parents[v_parents[v_root]];
        v_root := v_parents[v_root];
      end loop;
      if not v_root = any (v_roots) then
        v_roots := v_roots || v_root;
        v_size := v_size + v_sizes[v_root];
        v_user_count := v_user_count + v_users[v_root];
      end if;
    end loop;
    if v_user_count > 1 or v_size > c_max_identities then
      v_skipped := v_skipped || v_fact.link_id;
    else
      foreach v_node in array v_roots loop
        v_parents[v_node] := v_roots[1];
      end loop;
      v_sizes[v_roots[1]] := v_size;
      v_users[v_roots[1]] := v_user_count;
    end if;
  end loop;

  for n in 1 .. array_length(v_ids, 1) loop
    v_root := n;
    while v_parents[v_root] <> v_root loop
      v_root := v_parents[v_root];
    end loop;
    v_parents[n] := v_root;
  end loop;

  update identity_links l set skipped = l.link_id = any (v_skipped)
  where l.workspace_id = (select p_workspace_id)
    and l.identity_id = any (v_ids)
    and l.skipped <> (l.link_id = any (v_skipped));

  -- Every person, oldest first, takes the group of its oldest identity, or merges into the one who has it.
  v_owners := array_fill(null::uuid, array [array_length(v_ids, 1)]);
  for v_fact in
    select v_holders[n] as person_id, (array_agg(v_parents[n] order by n))[1] as root
    from generate_subscripts(v_ids, 1) n
    group by v_holders[n]
    order by v_holders[n]
  loop
    if v_owners[v_fact.root] is null then
      v_owners[v_fact.root] := v_fact.person_id;
    else
      v_losers := v_losers || v_fact.person_id;
      v_survivors := v_survivors || v_owners[v_fact.root];
    end if;
  end loop;

  for n in 1 .. array_length(v_ids, 1) loop
    if v_owners[v_parents[n]] is null then
      v_owners[v_parents[n]] := uuid_v7();
      insert into people (workspace_id, id) values (p_workspace_id, v_owners[v_parents[n]]);
    end if;
  end loop;

  update identities i set person_id = v_owners[v_parents[place.n]]
  from unnest(v_ids) with ordinality place (id, n)
  where i.workspace_id = (select p_workspace_id) and i.id = place.id
    and i.person_id <> v_owners[v_parents[place.n]];

  -- Rows follow the identity they came with.
  update touchpoints t set person_id = i.person_id
  from identities i
  where t.workspace_id = (select p_workspace_id) and t.person_id = any (p_people)
    and i.workspace_id = (select p_workspace_id) and i.id = t.identity_id and i.person_id <> t.person_id;

  update conversions c set person_id = i.person_id
  from identities i
  where c.workspace_id = (select p_workspace_id) and c.person_id = any (p_people)
    and i.workspace_id = (select p_workspace_id) and i.id = c.identity_id and i.person_id <> c.person_id;

  update person_updates u set person_id = i.person_id
  from identities i
  where u.workspace_id = (select p_workspace_id) and u.person_id = any (p_people)
    and i.workspace_id = (select p_workspace_id) and i.id = u.identity_id and i.person_id <> u.person_id;

  update account_facts f set person_id = i.person_id
  from identities i
  where f.workspace_id = (select p_workspace_id) and f.person_id = any (p_people)
    and i.workspace_id = (select p_workspace_id) and i.id = f.identity_id and i.person_id <> f.person_id;

  perform recompute_accounts(p_workspace_id, (
    select array_agg(distinct i.person_id)
    from identities i
    where i.workspace_id = (select p_workspace_id) and i.id = any (v_ids)
  ));

  update people p set merged_into = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where p.workspace_id = (select p_workspace_id) and (p.id = moved.loser or p.merged_into = moved.loser);
end
$$;
--> statement-breakpoint
-- recompute_people: what facts that are new, or gone, do to the people of some identities.
--   p_may_split  true when a fact is gone: a component that cannot conflict is then replayed too
create or replace function recompute_people(p_workspace_id uuid, p_identities bigint[], p_may_split boolean) returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_people uuid[];
  v_reached uuid[];
  v_ones int[];
  v_others int[];
  v_parents int[];
  v_contested int[];
  v_root int;
  v_a int;
  v_b int;
  v_losers uuid[];
  v_survivors uuid[];
begin
  select array_agg(distinct i.person_id) into v_people
  from unnest(p_identities) given (id)
  join identities i on i.workspace_id = (select p_workspace_id) and i.id = given.id;

  if v_people is null then
    return;
  end if;

  -- Facts that are applied lie within one person, so only skipped ones (new ones among them) lead to others.
  v_reached := v_people;
  loop
    select array_agg(distinct j.person_id) into v_reached
    from unnest(v_reached) reached (person_id)
    join identities i on i.workspace_id = (select p_workspace_id) and i.person_id = reached.person_id
    join identity_links l on l.workspace_id = (select p_workspace_id) and l.identity_id = i.id and l.skipped
    join identity_links m on m.workspace_id = (select p_workspace_id) and m.link_id = l.link_id
    join identities j on j.workspace_id = (select p_workspace_id) and j.id = m.identity_id
    where not j.person_id = any (v_people);
    exit when v_reached is null;
    v_people := v_people || v_reached;
  end loop;
  select array_agg(person_id order by person_id) into v_people from unnest(v_people) person_id;
  select array_agg(n order by n) into v_parents from generate_subscripts(v_people, 1) n;

  -- Union-find over whole people. Smaller numbers are older people and become the roots.
  select array_agg(array_position(v_people, oldest_id)), array_agg(array_position(v_people, person_id))
  into v_ones, v_others
  from (
    select distinct person_id, oldest_id
    from (
      select m.link_id, j.person_id, first_value(j.person_id) over (partition by m.link_id order by j.person_id) as oldest_id
      from (
        select distinct l.link_id
        from unnest(v_people) reached (person_id)
        join identities i on i.workspace_id = (select p_workspace_id) and i.person_id = reached.person_id
        join identity_links l on l.workspace_id = (select p_workspace_id) and l.identity_id = i.id and l.skipped
      ) open_links
      join identity_links m on m.workspace_id = (select p_workspace_id) and m.link_id = open_links.link_id
      join identities j on j.workspace_id = (select p_workspace_id) and j.id = m.identity_id
    ) named
    where person_id <> oldest_id
  ) pairs;

  for n in 1 .. coalesce(array_length(v_ones, 1), 0) loop
    v_a := v_ones[n];
    while v_parents[v_a] <> v_a loop
      v_parents[v_a] := v_parents[v_parents[v_a]];
      v_a := v_parents[v_a];
    end loop;
    v_b := v_others[n];
    while v_parents[v_b] <> v_b loop
      v_parents[v_b] := v_parents[v_parents[v_b]];
      v_b := v_parents[v_b];
    end loop;
    v_parents[greatest(v_a, v_b)] := least(v_a, v_b);
  end loop;
  for n in 1 .. array_length(v_parents, 1) loop
    v_parents[n] := v_parents[v_parents[n]];
  end loop;

  select coalesce(array_agg(root), '{}') into v_contested
  from (
    select v_parents[place.n] as root
    from unnest(v_people) with ordinality place (person_id, n)
    join identities i on i.workspace_id = (select p_workspace_id) and i.person_id = place.person_id
    group by v_parents[place.n]
    having p_may_split or count(*) filter (where i.namespace = 'user_id') > 1 or count(*) > 100
  ) contested;

  foreach v_root in array v_contested loop
    perform replay_people(p_workspace_id, (
      select array_agg(v_people[n]) from generate_subscripts(v_people, 1) n where v_parents[n] = v_root
    ));
  end loop;

  -- The others merge whole.
  select array_agg(v_people[n]), array_agg(v_people[v_parents[n]])
  into v_losers, v_survivors
  from generate_subscripts(v_people, 1) n
  where v_parents[n] <> n and not v_parents[n] = any (v_contested);

  update identity_links l set skipped = false
  from generate_subscripts(v_people, 1) n
  join identities i on i.workspace_id = (select p_workspace_id) and i.person_id = v_people[n]
  where not v_parents[n] = any (v_contested)
    and l.workspace_id = (select p_workspace_id) and l.identity_id = i.id and l.skipped;

  if v_losers is null then
    return;
  end if;

  update identities set person_id = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where identities.workspace_id = (select p_workspace_id) and identities.person_id = moved.loser;

  update touchpoints set person_id = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where touchpoints.workspace_id = (select p_workspace_id) and touchpoints.person_id = moved.loser;

  update conversions set person_id = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where conversions.workspace_id = (select p_workspace_id) and conversions.person_id = moved.loser;

  update person_updates set person_id = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where person_updates.workspace_id = (select p_workspace_id) and person_updates.person_id = moved.loser;

  update account_facts set person_id = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where account_facts.workspace_id = (select p_workspace_id) and account_facts.person_id = moved.loser;

  perform recompute_accounts(p_workspace_id, (select array_agg(distinct survivor) from unnest(v_survivors) survivor));

  update people set merged_into = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where people.workspace_id = (select p_workspace_id)
    and (people.id = moved.loser or people.merged_into = moved.loser);
end
$$;
--> statement-breakpoint
-- resolve_people: make sure that every identity of a batch exists, keep what its items say of who is who and who is
-- where, and recompute the people and accounts concerned. Returns the items whose link was skipped.
--
--   p_resource  'touchpoints', 'conversions' or 'people'
--   p_items     [{id, goal?, occurred_at, person_id, link_id?, identities: [{namespace, value_hash, value?}],
--               account?: {id?, domain?, name?}, email_domain?, referrer?: {namespace, value_hash}}]
--               hashes in hex; person_id is the one to make if none is known, the same for all items of the
--               batch that share an identity, directly or through others; link_id only with two identities or more
--
-- An item that is stored already, or that will not be stored (its person was erased since, or does not want it; its
-- goal does not exist), says nothing and is passed over.
--
-- Most batches bring identities that are known and facts that are kept already. They hold the workspace's advisory
-- lock shared, so they run side by side. A batch that has a fact to add holds it alone, so a merge never races
-- another merge or an insert for a person that is being merged away. Which of the two is only known under the lock:
-- a batch that finds that it needs it alone goes back to a savepoint, which gives the shared one up. (Two batches
-- that hold it shared and both wait to have it alone would wait for ever.)
--
-- Look-ups are `lateral … offset 0`, which the planner leaves as one index probe for each row. It plans each call
-- anew and does not see the workspace (a subquery hides it): a plan from when the tables were empty, or statistics
-- from before a large import, take any index that begins with `workspace_id` for as good as the primary key, and
-- each batch would read the whole workspace.
create or replace function resolve_people(
  p_workspace_id uuid, p_resource text, p_items jsonb, p_from_secret_key boolean, p_hash_version smallint
) returns table (skipped_item_id text) language plpgsql set plan_cache_mode = force_custom_plan as $$
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
    select coalesce(bool_or(item ? 'link_id' and link.is_kept is null), false)
        or coalesce(bool_or(item ? 'account' and account.is_known is null), false)
        or coalesce(bool_or(item ? 'email_domain' and address.is_known is null), false),
      coalesce(bool_or(item ? 'account' or item ? 'email_domain'), false),
      coalesce(bool_or(strangers.are_there), false)
    into v_is_news, v_has_accounts, v_has_strangers
    from jsonb_array_elements(p_items) item
    left join lateral (
      select true as is_kept
      from identity_links l
      where item ? 'link_id'
        and l.workspace_id = (select p_workspace_id)
        and l.link_id = decode(item ->> 'link_id', 'hex')
        and (not l.from_secret_key, l.occurred_at, l.item_id)
          <= (not p_from_secret_key, (item ->> 'occurred_at')::timestamptz, (item ->> 'id') collate "C")
      limit 1
    ) link on true
    left join lateral (
      select true as are_there
      from jsonb_to_recordset(item -> 'identities') as said (namespace text, value_hash text)
      left join lateral (
        select true as is_known
        from identities i
        where i.workspace_id = (select p_workspace_id)
          and i.namespace = said.namespace
          and i.value_hash = decode(said.value_hash, 'hex')
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
          item #>> '{account,id}',
          (
            select d.account_id
            from account_domains d
            where d.workspace_id = (select p_workspace_id) and d.domain = item #>> '{account,domain}'
            order by d.is_put desc, d.claimed_at, d.account_id
            limit 1
          ),
          item #>> '{account,domain}'
        ) as account_id
      ) named
      join accounts a on a.workspace_id = (select p_workspace_id) and a.id = named.account_id
      where item ? 'account'
        and i.workspace_id = (select p_workspace_id)
        and i.namespace = item #>> '{identities,0,namespace}'
        and i.value_hash = decode(item #>> '{identities,0,value_hash}', 'hex')
        and (item #>> '{account,id}' is null or not a.is_domain)
        and (
          item #>> '{account,id}' is null or item #>> '{account,domain}' is null or exists (
            select
            from account_domains d
            where d.workspace_id = (select p_workspace_id)
              and d.domain = item #>> '{account,domain}'
              and d.account_id = item #>> '{account,id}'
              and (d.is_put or d.claimed_at <= (item ->> 'occurred_at')::timestamptz)
          )
        )
        and named.account_id = coalesce(
          (
            select f.account_id
            from account_facts f
            where f.workspace_id = (select p_workspace_id) and f.person_id = i.person_id
              and f.occurred_at <= (item ->> 'occurred_at')::timestamptz
            order by f.occurred_at desc, f.source = 'email', f.account_id desc
            limit 1
          ),
          (
            select f.account_id
            from account_facts f
            where f.workspace_id = (select p_workspace_id) and f.person_id = i.person_id
              and f.occurred_at > (item ->> 'occurred_at')::timestamptz
            order by f.occurred_at, f.source = 'email', f.account_id desc
            limit 1
          )
        )
      offset 0
    ) account on true
    left join lateral (
      select true as is_known
      from jsonb_to_recordset(item -> 'identities') as held (namespace text, value_hash text)
      join identities i
        on i.workspace_id = (select p_workspace_id)
        and i.namespace = held.namespace
        and i.value_hash = decode(held.value_hash, 'hex')
      join account_facts f
        on f.workspace_id = (select p_workspace_id) and f.source = 'email' and f.source_id = i.id::text
      where item ? 'email_domain'
        and held.namespace = 'email'
        and f.occurred_at <= (item ->> 'occurred_at')::timestamptz
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
  select coalesce(jsonb_agg(item), '[]') into p_items
  from jsonb_array_elements(p_items) item
  left join lateral (
    select true as is_stored
    from touchpoints t
    where p_resource = 'touchpoints' and t.workspace_id = (select p_workspace_id) and t.id = item ->> 'id'
    union all
    select true
    from conversions c
    where p_resource = 'conversions' and c.workspace_id = (select p_workspace_id) and c.id = item ->> 'id'
    union all
    select true
    from person_updates u
    where p_resource = 'people' and u.workspace_id = (select p_workspace_id) and u.id = item ->> 'id'
    offset 0
  ) stored on true
  where stored.is_stored is null
    and (
      p_resource <> 'conversions' or exists (
        select
        from goals g
        where g.workspace_id = (select p_workspace_id) and g.key = item ->> 'goal' and g.archived_at is null
      )
    )
    and not (
      (select exists (select from tombstones dead where dead.workspace_id = (select p_workspace_id)))
      and exists (
        select
        from jsonb_to_recordset(item -> 'identities') as said (namespace text, value_hash text)
        join tombstones dead
          on dead.workspace_id = (select p_workspace_id)
          and dead.namespace = said.namespace
          and dead.value_hash = decode(said.value_hash, 'hex')
        where dead.erased_at >= (item ->> 'occurred_at')::timestamptz
      )
    )
    -- Who names themself as advocate.
    and not (
      item ? 'referrer' and exists (
        select
        from identities own
        join identities referrer
          on referrer.workspace_id = (select p_workspace_id)
          and referrer.namespace = item #>> '{referrer,namespace}'
          and referrer.value_hash = decode(item #>> '{referrer,value_hash}', 'hex')
        where own.workspace_id = (select p_workspace_id)
          and own.namespace = item #>> '{identities,0,namespace}'
          and own.value_hash = decode(item #>> '{identities,0,value_hash}', 'hex')
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
        from jsonb_to_recordset(item -> 'identities') as said (namespace text, value_hash text)
        join identities i
          on i.workspace_id = (select p_workspace_id)
          and i.namespace = said.namespace
          and i.value_hash = decode(said.value_hash, 'hex')
        where (
          select u.analytics_consent
          from person_updates u
          where u.workspace_id = (select p_workspace_id)
            and u.person_id = i.person_id
            and u.analytics_consent is not null
            and u.occurred_at <= (item ->> 'occurred_at')::timestamptz
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
      decode(said.value_hash, 'hex') as value_hash, said.value, known.person_id
    from jsonb_array_elements(p_items) with ordinality item (value, position)
    cross join lateral jsonb_to_recordset(item.value -> 'identities') as said (namespace text, value_hash text, value text)
    left join lateral (
      select i.person_id
      from identities i
      where i.workspace_id = (select p_workspace_id)
        and i.namespace = said.namespace
        and i.value_hash = decode(said.value_hash, 'hex')
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
  select distinct on (decode(item ->> 'link_id', 'hex'), known.id)
    p_workspace_id, decode(item ->> 'link_id', 'hex'), known.id, p_from_secret_key,
    (item ->> 'occurred_at')::timestamptz, p_resource, item ->> 'id', true
  from jsonb_array_elements(p_items) item
  cross join lateral jsonb_to_recordset(item -> 'identities') as said (namespace text, value_hash text)
  cross join lateral (
    select i.id
    from identities i
    where i.workspace_id = (select p_workspace_id)
      and i.namespace = said.namespace
      and i.value_hash = decode(said.value_hash, 'hex')
    offset 0
  ) known
  where item ? 'link_id'
  order by decode(item ->> 'link_id', 'hex'), known.id, (item ->> 'occurred_at')::timestamptz, (item ->> 'id') collate "C"
  on conflict (workspace_id, link_id, identity_id) do update
    set from_secret_key = excluded.from_secret_key, occurred_at = excluded.occurred_at,
      resource = excluded.resource, item_id = excluded.item_id
    where (not excluded.from_secret_key, excluded.occurred_at, excluded.item_id)
      < (not identity_links.from_secret_key, identity_links.occurred_at, identity_links.item_id);

  select array_agg(distinct known.id) into v_identities
  from jsonb_array_elements(p_items) item
  cross join lateral jsonb_to_recordset(item -> 'identities') as said (namespace text, value_hash text)
  cross join lateral (
    select i.id
    from identities i
    where i.workspace_id = (select p_workspace_id)
      and i.namespace = said.namespace
      and i.value_hash = decode(said.value_hash, 'hex')
    offset 0
  ) known
  where item ? 'link_id';

  perform recompute_people(p_workspace_id, v_identities, false);

  if v_has_accounts then
    perform keep_account_facts(p_workspace_id, p_resource, p_items, true);
  end if;

  return query
  select distinct item ->> 'id'
  from jsonb_array_elements(p_items) item
  cross join lateral (
    select l.skipped
    from identity_links l
    where l.workspace_id = (select p_workspace_id) and l.link_id = decode(item ->> 'link_id', 'hex')
    limit 1
  ) link
  where item ? 'link_id' and link.skipped;
end
$$;
--> statement-breakpoint
-- erase_person: forget who somebody is. Their rows move to a nameless person and lose what could name them; totals
-- stay. Their identities become tombstones, so that nothing from before comes in again.
-- Result: the receipt; the same one when asked again; null if there is no such person.
create or replace function erase_person(p_workspace_id uuid, p_person_id uuid, p_now timestamptz) returns jsonb
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_receipt jsonb;
  v_person uuid;
  v_nameless constant uuid := uuid_v7();
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

  -- Others' touchpoints that name the person as their advocate go on being referrals, by somebody (0).
  update touchpoints t
  set referred_by_identity_id = 0
  where t.workspace_id = (select p_workspace_id) and t.referred_by_identity_id = any (v_identities);

  -- A company that is known only by this person's e-mail address, and by those of people who were erased before, may
  -- be the person's own name. It becomes a nameless one, so that every total stays.
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
  set person_id = v_nameless, identity_id = null, content_hash = null, url = null, referrer = null, content = null,
    term = null, topic = null, properties = null
  where t.workspace_id = (select p_workspace_id) and t.person_id = v_person;
  get diagnostics v_touchpoints = row_count;

  update conversions c
  set person_id = v_nameless, identity_id = null, content_hash = null, properties = null
  where c.workspace_id = (select p_workspace_id) and c.person_id = v_person;
  get diagnostics v_conversions = row_count;

  update person_updates u
  set person_id = v_nameless, identity_id = null, content_hash = null, traits = null, analytics_consent = null
  where u.workspace_id = (select p_workspace_id) and u.person_id = v_person;

  -- A fact that was skipped may name somebody else too; without this person it says nothing.
  delete from identity_links l
  where l.workspace_id = (select p_workspace_id) and l.link_id in (
    select m.link_id
    from identity_links m
    where m.workspace_id = (select p_workspace_id) and m.identity_id = any (v_identities)
  );

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
