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
-- Strategy: most batches bring identities that are known and facts that are kept already. They hold the workspace's advisory
-- lock shared, so they run side by side. A batch that has a fact to add holds it alone, so a merge never
-- races another merge or an insert for a person that is being merged away. The survivor of a merge is the
-- person with the smallest id (version 7, so the oldest).
-- Look-ups are `lateral … offset 0`, which the planner leaves as one index probe for each row. It plans each call
-- anew and does not see the workspace (a subquery hides it): a plan from when the tables were empty, or statistics
-- from before a large import, take any index that begins with `workspace_id` for as good as the primary key, and
-- each batch would read the whole workspace.
create function resolve_people(
  p_workspace_id uuid, p_resource text, p_items jsonb, p_from_secret_key boolean, p_hash_version smallint
) returns void language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_lock constant bigint := hashtextextended('resolve_people ' || p_workspace_id::text, 0);
  v_linking boolean;
  v_ones uuid[];
  v_others uuid[];
  v_people uuid[];
  v_parents int[];
  v_a int;
  v_b int;
  v_losers uuid[];
  v_survivors uuid[];
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
  if p_resource = 'touchpoints' then
    select coalesce(jsonb_agg(item), '[]') into p_items
    from jsonb_array_elements(p_items) item
    left join lateral (
      select true as is_stored
      from touchpoints t
      where t.workspace_id = (select p_workspace_id) and t.id = item ->> 'id'
      offset 0
    ) stored on true
    where is_stored is null;
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
    where is_stored is null;
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

  -- The facts, dated by the first item that said them.
  insert into identity_links
    (workspace_id, link_id, identity_id, from_secret_key, occurred_at, resource, item_id)
  select distinct on (decode(item ->> 'link_id', 'hex'), known.id)
    p_workspace_id, decode(item ->> 'link_id', 'hex'), known.id, p_from_secret_key,
    (item ->> 'occurred_at')::timestamptz, p_resource, item ->> 'id'
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

  -- Pairs of people that an item says are one: each of its people with the oldest of them.
  select array_agg(oldest_id), array_agg(person_id) into v_ones, v_others
  from (
    select distinct oldest_id, person_id
    from (
      select known.person_id,
        first_value(known.person_id) over (partition by item.position order by known.person_id) as oldest_id
      from jsonb_array_elements(p_items) with ordinality item (value, position)
      cross join lateral jsonb_to_recordset(item.value -> 'identities') as said (namespace text, value_hash text)
      cross join lateral (
        select i.person_id
        from identities i
        where i.workspace_id = (select p_workspace_id)
          and i.namespace = said.namespace
          and i.value_hash = decode(said.value_hash, 'hex')
        offset 0
      ) known
      where item.value ? 'link_id'
    ) named
    where oldest_id <> person_id
  ) pairs;

  if v_ones is null then
    return;
  end if;

  -- Union-find. People are numbered by age, and the root of a set is its smallest number, so the survivor is the
  -- oldest.
  select array_agg(person_id order by person_id), array_agg(number order by person_id)
  into v_people, v_parents
  from (
    select person_id, (row_number() over (order by person_id))::int as number
    from (select distinct unnest(v_ones || v_others) as person_id) touched
  ) numbered;

  for n in 1 .. array_length(v_ones, 1) loop
    v_a := array_position(v_people, v_ones[n]);
    while v_parents[v_a] <> v_a loop
      v_parents[v_a] := v_parents[v_parents[v_a]];
      v_a := v_parents[v_a];
    end loop;
    v_b := array_position(v_people, v_others[n]);
    while v_parents[v_b] <> v_b loop
      v_parents[v_b] := v_parents[v_parents[v_b]];
      v_b := v_parents[v_b];
    end loop;
    v_parents[greatest(v_a, v_b)] := least(v_a, v_b);
  end loop;

  -- Parents have smaller numbers than children, so one pass in order makes every entry its root.
  for n in 1 .. array_length(v_parents, 1) loop
    v_parents[n] := v_parents[v_parents[n]];
  end loop;

  select array_agg(v_people[n]), array_agg(v_people[v_parents[n]])
  into v_losers, v_survivors
  from generate_subscripts(v_people, 1) n
  where v_parents[n] <> n;

  update identities set person_id = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where identities.workspace_id = (select p_workspace_id) and identities.person_id = moved.loser;

  update touchpoints set person_id = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where touchpoints.workspace_id = (select p_workspace_id) and touchpoints.person_id = moved.loser;

  update conversions set person_id = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where conversions.workspace_id = (select p_workspace_id) and conversions.person_id = moved.loser;

  update people set merged_into = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where people.workspace_id = (select p_workspace_id) and (people.id = moved.loser or people.merged_into = moved.loser);
end
$$;
