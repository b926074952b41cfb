-- resolve_people: make sure that every identity of a batch exists and points at one person, and merge the
-- people that an item says are the same.
--
--   p_resource  'touchpoints' or 'conversions': items already stored there say nothing new and are passed over
--               (a stored id with other content is a conflict and must not link anyone)
--   p_items     [{id, goal?, occurred_at, person_id, link_id?, identities: [{namespace, value_hash, value?}]}]
--               hashes in hex; person_id is the one to make if none is known, the same for all items of the
--               batch that share an identity, directly or through others; link_id only with two identities or more
--
-- Result: the same people whatever the order or the batching of the items, because a merge is a union.
-- Strategy: most batches bring identities that are known and need no link. They hold the workspace's advisory
-- lock shared, so they run side by side. A batch that has something to link holds it alone, so a merge never
-- races another merge or an insert for a person that is being merged away. The survivor of a merge is the
-- person with the smallest id (version 7, so the oldest).
create function resolve_people(
  p_workspace_id uuid, p_resource text, p_items jsonb, p_from_secret_key boolean, p_hash_version smallint
) returns void language plpgsql as $$
declare
  v_lock constant bigint := hashtextextended('resolve_people ' || p_workspace_id::text, 0);
  v_linking boolean;
  v_people uuid[];
  v_parents int[];
  v_edge record;
  v_a int;
  v_b int;
  v_losers uuid[];
  v_survivors uuid[];
begin
  select exists (
    select
    from jsonb_array_elements(p_items) item
    cross join lateral jsonb_to_recordset(item -> 'identities') as said (namespace text, value_hash text)
    left join identities known
      on known.workspace_id = p_workspace_id
      and known.namespace = said.namespace
      and known.value_hash = decode(said.value_hash, 'hex')
    where item ? 'link_id'
    group by item ->> 'id'
    having count(*) > count(known.person_id) or count(distinct known.person_id) > 1
  ) into v_linking;

  if v_linking then
    perform pg_advisory_xact_lock(v_lock);
  else
    perform pg_advisory_xact_lock_shared(v_lock);
  end if;

  -- What is already stored, or cannot be stored, says nothing. Looked at under the lock.
  select coalesce(jsonb_agg(item), '[]') into p_items
  from jsonb_array_elements(p_items) item
  where case p_resource
    when 'touchpoints' then not exists (
      select from touchpoints t where t.workspace_id = p_workspace_id and t.id = item ->> 'id'
    )
    when 'conversions' then not exists (
      select from conversions c where c.workspace_id = p_workspace_id and c.id = item ->> 'id'
    ) and exists (
      select from goals g
      where g.workspace_id = p_workspace_id and g.key = item ->> 'goal' and g.archived_at is null
    )
  end;

  -- Identities seen for the first time. An identity joins the person that another identity of its item already
  -- has (the oldest), else the person proposed. People are made from the rows that were really inserted, so a
  -- concurrent batch that was first leaves no empty person behind.
  with fresh as (
    select item.position, (item.value ->> 'person_id')::uuid as person_id, item.value -> 'identities' as identities
    from jsonb_array_elements(p_items) with ordinality item (value, position)
  ), said as materialized (
    select fresh.position, fresh.person_id as proposed_id, said.namespace,
      decode(said.value_hash, 'hex') as value_hash, said.value, known.person_id
    from fresh
    cross join lateral jsonb_to_recordset(fresh.identities) as said (namespace text, value_hash text, value text)
    left join identities known
      on known.workspace_id = p_workspace_id
      and known.namespace = said.namespace
      and known.value_hash = decode(said.value_hash, 'hex')
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

  -- The facts, dated by the first item that said them.
  insert into identity_links
    (workspace_id, link_id, identity_id, from_secret_key, occurred_at, resource, item_id)
  select distinct on (decode(item ->> 'link_id', 'hex'), known.id)
    p_workspace_id, decode(item ->> 'link_id', 'hex'), known.id, p_from_secret_key,
    (item ->> 'occurred_at')::timestamptz, p_resource, item ->> 'id'
  from jsonb_array_elements(p_items) item
  cross join lateral jsonb_to_recordset(item -> 'identities') as said (namespace text, value_hash text)
  join identities known
    on known.workspace_id = p_workspace_id
    and known.namespace = said.namespace
    and known.value_hash = decode(said.value_hash, 'hex')
  where item ? 'link_id'
  order by decode(item ->> 'link_id', 'hex'), known.id, (item ->> 'occurred_at')::timestamptz, (item ->> 'id') collate "C"
  on conflict (workspace_id, link_id, identity_id) do update
    set from_secret_key = excluded.from_secret_key, occurred_at = excluded.occurred_at,
      resource = excluded.resource, item_id = excluded.item_id
    where (not excluded.from_secret_key, excluded.occurred_at, excluded.item_id)
      < (not identity_links.from_secret_key, identity_links.occurred_at, identity_links.item_id);

  -- Union-find over the people that the facts of this batch touch. People are numbered by age, and the root of
  -- a set is its smallest number, so the survivor is the oldest.
  select array_agg(person_id order by person_id), array_agg(number order by person_id)
  into v_people, v_parents
  from (
    select person_id, row_number() over (order by person_id)::int as number
    from (
      select distinct known.person_id
      from jsonb_array_elements(p_items) item
      join identity_links link
        on link.workspace_id = p_workspace_id and link.link_id = decode(item ->> 'link_id', 'hex')
      join identities known on known.workspace_id = p_workspace_id and known.id = link.identity_id
    ) touched
  ) numbered;

  for v_edge in
    select distinct array_position(v_people, min_id) as a, array_position(v_people, known.person_id) as b
    from (
      select link.link_id, (array_agg(known.person_id order by known.person_id))[1] as min_id
      from jsonb_array_elements(p_items) item
      join identity_links link
        on link.workspace_id = p_workspace_id and link.link_id = decode(item ->> 'link_id', 'hex')
      join identities known on known.workspace_id = p_workspace_id and known.id = link.identity_id
      group by link.link_id
    ) star
    join identity_links link on link.workspace_id = p_workspace_id and link.link_id = star.link_id
    join identities known on known.workspace_id = p_workspace_id and known.id = link.identity_id
    where known.person_id <> star.min_id
  loop
    v_a := v_edge.a;
    while v_parents[v_a] <> v_a loop
      v_parents[v_a] := v_parents[v_parents[v_a]];
      v_a := v_parents[v_a];
    end loop;
    v_b := v_edge.b;
    while v_parents[v_b] <> v_b loop
      v_parents[v_b] := v_parents[v_parents[v_b]];
      v_b := v_parents[v_b];
    end loop;
    v_parents[greatest(v_a, v_b)] := least(v_a, v_b);
  end loop;

  -- Parents come before children, so one pass in order makes every entry its root.
  for v_a in 1 .. coalesce(array_length(v_parents, 1), 0) loop
    v_parents[v_a] := v_parents[v_parents[v_a]];
  end loop;

  select array_agg(v_people[n]), array_agg(v_people[v_parents[n]])
  into v_losers, v_survivors
  from generate_subscripts(v_people, 1) n
  where v_parents[n] <> n;

  if v_losers is null then
    return;
  end if;

  update identities set person_id = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where identities.workspace_id = p_workspace_id and identities.person_id = moved.loser;

  update touchpoints set person_id = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where touchpoints.workspace_id = p_workspace_id and touchpoints.person_id = moved.loser;

  update conversions set person_id = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where conversions.workspace_id = p_workspace_id and conversions.person_id = moved.loser;

  update people set merged_into = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where people.workspace_id = p_workspace_id and (people.id = moved.loser or people.merged_into = moved.loser);
end
$$;
