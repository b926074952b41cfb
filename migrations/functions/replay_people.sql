-- replay_people: computes the people of one component that may conflict, from all its link facts.
--   p_people  every person of the component
-- Facts apply in order: those of secret keys first, then by occurred_at and item id, with resource and link id as
-- tie-breaks. A fact that would put two user_ids, or more than 100 identities, in one person is skipped: kept, not
-- applied, and tried again whenever its component changes. People therefore do not depend on the order of arrival.
--
-- A person stays with the group that contains its oldest identity. If several people share a group, the oldest survives.
-- A group without a person gets a new one, whose id is version 7, so that ids stay in the order of age.
-- Locks: none; callers hold the exclusive lock of resolve_people.
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
    join identity_links l on l.workspace_id = (select p_workspace_id) and l.identity_id = place.id and l.is_current
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
    and l.identity_id = any (v_ids) and l.is_current
    and l.skipped <> (l.link_id = any (v_skipped));

  -- Every person, oldest first, takes the group of its oldest identity, or merges into the person that took it earlier.
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

  -- Rows follow the identity that they came with.
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
