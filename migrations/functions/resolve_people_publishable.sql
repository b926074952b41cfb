-- resolve_people_publishable: resolve_people for items of a publishable key, which anyone can read in a page. Such an
-- item may add an identity to a person, and never merges two existing people.
--   p_items  as resolve_people takes them
-- Items that share an identity are evaluated together: if their identities belong to two people or more, none of them
-- links, and each is stored for its first identity alone. The order of items therefore makes no difference, and two
-- items of a batch cannot do what one item may not do. Each of these items gets a proposed person of its own, because
-- the proposed person that they share would join them after all.
-- Result: items whose link fact was skipped (see resolve_people), and items whose link was not made.
--
-- Locks: the exclusive lock of resolve_people before the evaluation, so that two batches are evaluated one after the
-- other. Items whose fact is already stored add nothing and need no evaluation.
create or replace function resolve_people_publishable(
  p_workspace_id uuid, p_resource text, p_items jsonb, p_hash_version smallint
) returns table (skipped_item_id text, unlinked_item_id text) language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_kept text[];
  v_parents int[];
  v_contested int[];
  v_pair record;
  v_a int;
  v_b int;
begin
  if exists (
    select
    from read_items(p_items) item
    where item.link_id is not null and not exists (
      select
      from identity_links l
      where l.workspace_id = (select p_workspace_id) and l.link_id = item.link_id and l.is_current
    )
  ) then
    perform pg_advisory_xact_lock(hashtextextended('resolve_people ' || p_workspace_id::text, 0));

    select coalesce(array_agg(item.value ->> 'link_id'), '{}') into v_kept
    from read_items(p_items) item
    where item.link_id is not null and exists (
      select
      from identity_links l
      where l.workspace_id = (select p_workspace_id) and l.link_id = item.link_id and l.is_current
    );
    select array_agg(n order by n) into v_parents
    from generate_series(1, jsonb_array_length(p_items)) n;

    for v_pair in
      select distinct first_position, position
      from (
        select item.position::int, min(item.position) over (partition by said.namespace, said.value_hash)::int as first_position
        from jsonb_array_elements(p_items) with ordinality item (value, position)
        cross join lateral read_identities(item.value -> 'identities') as said
        where (item.value ->> 'link_id' = any (v_kept)) is not true
      ) named
      where first_position < position
    loop
      v_a := v_pair.first_position;
      while v_parents[v_a] <> v_a loop
        v_parents[v_a] := v_parents[v_parents[v_a]];
        v_a := v_parents[v_a];
      end loop;
      v_b := v_pair.position;
      while v_parents[v_b] <> v_b loop
        v_parents[v_b] := v_parents[v_parents[v_b]];
        v_b := v_parents[v_b];
      end loop;
      v_parents[greatest(v_a, v_b)] := least(v_a, v_b);
    end loop;
    for n in 1 .. array_length(v_parents, 1) loop
      v_parents[n] := v_parents[v_parents[n]];
    end loop;

    select coalesce(array_agg(contested.root), '{}') into v_contested
    from (
      select v_parents[item.position::int] as root
      from jsonb_array_elements(p_items) with ordinality item (value, position)
      cross join lateral read_identities(item.value -> 'identities') as said
      cross join lateral (
        select i.person_id
        from identities i
        where i.workspace_id = (select p_workspace_id)
          and i.namespace = said.namespace
          and i.value_hash = said.value_hash
        offset 0
      ) known
      where (item.value ->> 'link_id' = any (v_kept)) is not true
      group by 1
      having count(distinct known.person_id) > 1
    ) contested;

    return query
    select distinct null::text, item.value ->> 'id'
    from jsonb_array_elements(p_items) with ordinality item (value, position)
    where item.value ? 'link_id'
      and not item.value ->> 'link_id' = any (v_kept)
      and v_parents[item.position::int] = any (v_contested);

    select jsonb_agg(
      case
        when (item.value ->> 'link_id' = any (v_kept)) is true or not v_parents[item.position::int] = any (v_contested)
          then item.value
        else (item.value - 'link_id') || jsonb_build_object(
          'person_id', uuid_v7(), 'identities', jsonb_build_array(item.value #> '{identities,0}')
        )
      end
      order by item.position
    ) into p_items
    from jsonb_array_elements(p_items) with ordinality item (value, position);
  end if;

  return query
  select resolved.skipped_item_id, null::text
  from resolve_people(p_workspace_id, p_resource, p_items, false, p_hash_version) resolved;
end
$$;
