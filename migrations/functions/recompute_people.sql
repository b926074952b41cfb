-- recompute_people: recomputes people after link facts were added, dated earlier or undone.
--   p_identities  those of the facts
--   p_may_split   true after an unlink: a component that cannot conflict is replayed too
--
-- A component that cannot conflict (one user_id and 100 identities at most, in total) is the union of its facts in any
-- order, and its people merge whole. Only the other components are replayed fact by fact.
-- Locks: none; callers hold the exclusive lock of resolve_people.
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

  -- Applied facts lie within one person, so only skipped facts, including new ones, lead to other people.
  v_reached := v_people;
  loop
    select array_agg(distinct j.person_id) into v_reached
    from unnest(v_reached) reached (person_id)
    join identities i on i.workspace_id = (select p_workspace_id) and i.person_id = reached.person_id
    join identity_links l on l.workspace_id = (select p_workspace_id) and l.identity_id = i.id
      and l.skipped and l.is_current
    join identity_links m on m.workspace_id = (select p_workspace_id) and m.link_id = l.link_id and m.is_current
    join identities j on j.workspace_id = (select p_workspace_id) and j.id = m.identity_id
    where not j.person_id = any (v_people);
    exit when v_reached is null;
    v_people := v_people || v_reached;
  end loop;
  select array_agg(person_id order by person_id) into v_people from unnest(v_people) person_id;
  select array_agg(n order by n) into v_parents from generate_subscripts(v_people, 1) n;

  -- Union-find over whole people. Smaller positions are older people and become the roots.
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
        join identity_links l on l.workspace_id = (select p_workspace_id) and l.identity_id = i.id
      and l.skipped and l.is_current
      ) open_links
      join identity_links m on m.workspace_id = (select p_workspace_id) and m.link_id = open_links.link_id and m.is_current
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

  -- All other components merge whole.
  select array_agg(v_people[n]), array_agg(v_people[v_parents[n]])
  into v_losers, v_survivors
  from generate_subscripts(v_people, 1) n
  where v_parents[n] <> n and not v_parents[n] = any (v_contested);

  update identity_links l set skipped = false
  from generate_subscripts(v_people, 1) n
  join identities i on i.workspace_id = (select p_workspace_id) and i.person_id = v_people[n]
  where not v_parents[n] = any (v_contested)
    and l.workspace_id = (select p_workspace_id) and l.identity_id = i.id
    and l.skipped and l.is_current;

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
