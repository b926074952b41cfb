-- move_identities: gives some people the identities that settle_links found for them, and their rows along.
--   p_ids      identities, every one of the people concerned
--   p_holders  the person of each before
--   p_groups   the group of each from now on
-- A person stays with the group that holds its oldest identity. The oldest such person of a group keeps it, and the
-- others merge into that person. A group without any gets a new person (version 7, so that the order of ids stays the
-- order of age).
-- Locks: none; callers hold the exclusive lock of resolve_people.
create or replace function move_identities(p_workspace_id uuid, p_ids bigint[], p_holders uuid[], p_groups int[])
returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_owners uuid[];
  v_losers uuid[];
  v_survivors uuid[];
  v_moved bigint[];
  v_left uuid[];
  v_reached uuid[];
begin
  with homes as (
    select distinct on (p_holders[n]) p_holders[n] as person_id, p_groups[n] as home
    from generate_subscripts(p_ids, 1) n
    order by p_holders[n], p_ids[n]
  ), owned as (
    select home, (array_agg(person_id order by person_id))[1] as owner
    from homes
    group by home
  ), placed as materialized (
    select groups.name, coalesce(owned.owner, uuid_v7()) as owner, owned.owner is null as is_new
    from (select distinct name from unnest(p_groups) name) groups
    left join owned on owned.home = groups.name
  ), made as (
    insert into people (workspace_id, id)
    select p_workspace_id, owner
    from placed
    where is_new
  )
  select
    (select array_agg(h.person_id order by h.person_id) from homes h join placed p on p.name = h.home where p.owner <> h.person_id),
    (select array_agg(p.owner order by h.person_id) from homes h join placed p on p.name = h.home where p.owner <> h.person_id),
    array_agg(p.owner order by n),
    array_agg(p_ids[n]) filter (where p.owner <> p_holders[n]),
    array_agg(distinct p_holders[n]) filter (where p.owner <> p_holders[n]),
    array_agg(distinct p.owner) filter (where p.owner <> p_holders[n])
  into v_losers, v_survivors, v_owners, v_moved, v_left, v_reached
  from generate_subscripts(p_ids, 1) n
  join placed p on p.name = p_groups[n];

  if v_moved is null then
    return;
  end if;

  update identities i set person_id = v_owners[place.n]
  from unnest(p_ids) with ordinality place (id, n)
  where i.workspace_id = (select p_workspace_id) and i.id = place.id and i.person_id <> v_owners[place.n];

  -- Rows follow the identity that they came with.
  update touchpoints t set person_id = i.person_id
  from identities i
  where t.workspace_id = (select p_workspace_id) and t.person_id = any (v_left)
    and i.workspace_id = (select p_workspace_id) and i.id = t.identity_id and i.person_id <> t.person_id;

  update conversions c set person_id = i.person_id
  from identities i
  where c.workspace_id = (select p_workspace_id) and c.person_id = any (v_left)
    and i.workspace_id = (select p_workspace_id) and i.id = c.identity_id and i.person_id <> c.person_id;

  update person_updates u set person_id = i.person_id
  from identities i
  where u.workspace_id = (select p_workspace_id) and u.person_id = any (v_left)
    and i.workspace_id = (select p_workspace_id) and i.id = u.identity_id and i.person_id <> u.person_id;

  update account_facts f set person_id = i.person_id
  from identities i
  where f.workspace_id = (select p_workspace_id) and f.person_id = any (v_left)
    and i.workspace_id = (select p_workspace_id) and i.id = f.identity_id and i.person_id <> f.person_id;

  update people p set merged_into = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where p.workspace_id = (select p_workspace_id) and (p.id = moved.loser or p.merged_into = moved.loser);

  perform recompute_accounts(p_workspace_id, v_left || v_reached);
end
$$;
