-- People are a function of the set of link facts. A fact is a set of identities that an item said are one person.
-- Facts apply in the order (from secret keys first, occurred_at, item id, then resource and link id to be total),
-- skipping any that would put two user_ids, or more than 100 identities, in one person. Skipped facts are kept and
-- tried again whenever their component changes, so the result does not depend on the order of arrival.
--
-- Where no fact of a component can conflict (one user_id and 100 identities at the most, all together), applying
-- them in any order is a union, and people are merged whole. Only components that can conflict are replayed fact by
-- fact. Advisory locks: see resolve_people.
drop function resolve_people(uuid, text, jsonb, boolean, smallint);
--> statement-breakpoint
-- A time-sortable id, as the Worker makes them (RFC 9562, version 7).
create function uuid_v7() returns uuid language sql volatile as $$
  select encode(
    set_bit(set_bit(overlay(
      uuid_send(gen_random_uuid())
      placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6
    ), 52, 1), 53, 1),
    'hex'
  )::uuid
$$;
--> statement-breakpoint
-- replay_people: one component that may conflict, from its facts alone.
--   p_people  all people of the component
-- A person stays with the group that holds its oldest identity; of several people in a group the oldest survives;
-- a group without any gets a new one (version 7, so that age goes on being the order of ids).
create function replay_people(p_workspace_id uuid, p_people uuid[]) returns void
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

  update people p set merged_into = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where p.workspace_id = (select p_workspace_id) and (p.id = moved.loser or p.merged_into = moved.loser);
end
$$;
--> statement-breakpoint
-- recompute_people: what facts that are new, or gone, do to the people of some identities.
--   p_may_split  true when a fact is gone: a component that cannot conflict is then replayed too
create function recompute_people(p_workspace_id uuid, p_identities bigint[], p_may_split boolean) returns void
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

  update people set merged_into = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where people.workspace_id = (select p_workspace_id)
    and (people.id = moved.loser or people.merged_into = moved.loser);
end
$$;
--> statement-breakpoint
-- resolve_people: make sure that every identity of a batch exists, keep what its items say of who is who, and
-- recompute the people concerned. Returns the items whose fact was skipped.
--
--   p_resource  'touchpoints', 'conversions' or 'people': items already stored there say nothing new and are passed
--               over (a stored id with other content is a conflict and must not link anyone)
--   p_items     [{id, goal?, occurred_at, person_id, link_id?, identities: [{namespace, value_hash, value?}]}]
--               hashes in hex; person_id is the one to make if none is known, the same for all items of the
--               batch that share an identity, directly or through others; link_id only with two identities or more
--
-- Most batches bring identities that are known and facts that are kept already. They hold the workspace's advisory
-- lock shared, so they run side by side. A batch that has a fact to add holds it alone, so a merge never races
-- another merge or an insert for a person that is being merged away.
-- Look-ups are `lateral … offset 0`, which the planner leaves as one index probe for each row. It plans each call
-- anew and does not see the workspace (a subquery hides it): a plan from when the tables were empty, or statistics
-- from before a large import, take any index that begins with `workspace_id` for as good as the primary key, and
-- each batch would read the whole workspace.
create function resolve_people(
  p_workspace_id uuid, p_resource text, p_items jsonb, p_from_secret_key boolean, p_hash_version smallint
) returns table (skipped_item_id text) language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_lock constant bigint := hashtextextended('resolve_people ' || p_workspace_id::text, 0);
  v_linking boolean;
  v_identities bigint[];
begin
  -- A fact is kept even if it changes nothing today: people are a function of all facts, and one may be undone.
  select exists (
    select
    from jsonb_array_elements(p_items) item
    left join lateral (
      select true as is_kept
      from identity_links l
      where l.workspace_id = (select p_workspace_id)
        and l.link_id = decode(item ->> 'link_id', 'hex')
        and (not l.from_secret_key, l.occurred_at, l.item_id)
          <= (not p_from_secret_key, (item ->> 'occurred_at')::timestamptz, (item ->> 'id') collate "C")
      limit 1
    ) kept on true
    where item ? 'link_id' and is_kept is null
  ) into v_linking;

  if v_linking then
    perform pg_advisory_xact_lock(v_lock);
  else
    perform pg_advisory_xact_lock_shared(v_lock);
  end if;

  -- What is already stored, or cannot be stored, says nothing. Looked at under the lock.
  if p_resource = 'people' then
    select coalesce(jsonb_agg(item), '[]') into p_items
    from jsonb_array_elements(p_items) item
    left join lateral (
      select true as is_stored
      from person_updates u
      where u.workspace_id = (select p_workspace_id) and u.id = item ->> 'id'
      offset 0
    ) stored on true
    where is_stored is null and not exists (
      select
      from jsonb_to_recordset(item -> 'identities') as said (namespace text, value_hash text)
      join tombstones dead
        on dead.workspace_id = (select p_workspace_id)
        and dead.namespace = said.namespace
        and dead.value_hash = decode(said.value_hash, 'hex')
      where dead.erased_at >= (item ->> 'occurred_at')::timestamptz
    );
  elsif p_resource = 'touchpoints' then
    select coalesce(jsonb_agg(item), '[]') into p_items
    from jsonb_array_elements(p_items) item
    left join lateral (
      select true as is_stored
      from touchpoints t
      where t.workspace_id = (select p_workspace_id) and t.id = item ->> 'id'
      offset 0
    ) stored on true
    where is_stored is null and not exists (
      select
      from jsonb_to_recordset(item -> 'identities') as said (namespace text, value_hash text)
      join tombstones dead
        on dead.workspace_id = (select p_workspace_id)
        and dead.namespace = said.namespace
        and dead.value_hash = decode(said.value_hash, 'hex')
      where dead.erased_at >= (item ->> 'occurred_at')::timestamptz
    );
  else
    select coalesce(jsonb_agg(item), '[]') into p_items
    from jsonb_array_elements(p_items) item
    left join lateral (
      select true as is_stored
      from conversions c
      where c.workspace_id = (select p_workspace_id) and c.id = item ->> 'id'
      offset 0
    ) stored on true
    join goals g on g.workspace_id = (select p_workspace_id) and g.key = item ->> 'goal' and g.archived_at is null
    where is_stored is null and not exists (
      select
      from jsonb_to_recordset(item -> 'identities') as said (namespace text, value_hash text)
      join tombstones dead
        on dead.workspace_id = (select p_workspace_id)
        and dead.namespace = said.namespace
        and dead.value_hash = decode(said.value_hash, 'hex')
      where dead.erased_at >= (item ->> 'occurred_at')::timestamptz
    );
  end if;

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

  if not v_linking then
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
-- unlink_identities: undo the facts that say that all of some identities are one person.
--   p_person_id   whose they are now, or an id that was merged into that person
--   p_identities  [{namespace, value_hash}], two or more, hashes in hex
-- Result: how many facts are gone, and whose each identity is now; no row if a fact was never there.
create function unlink_identities(p_workspace_id uuid, p_person_id uuid, p_identities jsonb)
returns table (removed_links int, namespace text, person_id uuid)
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_identities bigint[];
  v_links bytea[];
  v_touched bigint[];
begin
  perform pg_advisory_xact_lock(hashtextextended('resolve_people ' || p_workspace_id::text, 0));

  select array_agg(i.id) into v_identities
  from jsonb_to_recordset(p_identities) as named (namespace text, value_hash text)
  join identities i
    on i.workspace_id = (select p_workspace_id)
    and i.namespace = named.namespace
    and i.value_hash = decode(named.value_hash, 'hex')
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
--> statement-breakpoint
-- erase_person: forget who somebody is. Their rows move to a nameless person and lose what could name them; totals
-- stay. Their identities become tombstones, so that nothing from before comes in again.
-- Result: the receipt; the same one when asked again; null if there is no such person.
create function erase_person(p_workspace_id uuid, p_person_id uuid, p_now timestamptz) returns jsonb
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_receipt jsonb;
  v_person uuid;
  v_nameless constant uuid := uuid_v7();
  v_identities bigint[];
  v_hashes text[];
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
