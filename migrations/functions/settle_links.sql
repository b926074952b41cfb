-- settle_links: applies link facts that are new, dated anew or pending, and takes back what undone facts had joined.
--   p_links   link ids of current facts that are not applied yet
--   p_undone  link ids of facts that were applied and are undone
--   p_budget  facts to look at; what is left after them stays pending
-- Result: whether anything is pending in the workspace.
--
-- Definition (src/domain/people.ts): facts are applied in the order (those of secret keys first, occurred_at, item id,
-- then resource and link id to make it total). A fact that would put two user_ids, or more than 100 identities, in one
-- person is skipped. People are always those of the facts that are not pending, whatever the order of arrival.
--
-- One more fact f, where the people are exact without it:
--   1. The people it names fit in one: they merge. Skipped facts stay skipped, because people only grew.
--   2. They do not fit, and none of their applied facts comes after f: f is skipped, and nothing else changes.
--   3. They do not fit, and applied facts come after f: their people are rolled back to the place of f, and the later
--      facts are applied again in their order. Skipped facts are looked at again only where they may fit: not those of
--      an identity whose person is full, nor those that bring a user_id to a person that has one.
-- So a link that comes in order costs a look-up, however many links its identities have, and an early one costs what it
-- changes. It all happens in arrays; only the outcome is written, so nobody moves away and back.
-- Locks: none; callers hold the exclusive lock of resolve_people.
create or replace function settle_links(p_workspace_id uuid, p_links bytea[], p_undone bytea[], p_budget int)
returns boolean
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  c_max_identities constant int := 100;
  c_max_slots constant int := 5000;
  c_chunk constant int := 50;
  -- One slot for each identity looked at. A component goes by its root slot.
  v_ids bigint[] := '{}';
  v_is_user int[] := '{}';
  v_holders uuid[] := '{}';
  v_parents int[] := '{}';
  v_sizes int[] := '{}';
  v_users int[] := '{}';
  -- Of components that were rolled back: their later facts are in the queue, skipped ones up to the horizon.
  v_rolled boolean[] := '{}';
  -- Of roots: no applied fact comes after the facts that were looked at.
  v_is_last boolean[] := '{}';
  -- In the order of facts, from `v_next` on.
  v_queue bytea[];
  v_next int := 1;
  v_more bytea[];
  v_seen bytea[];
  v_applied bytea[] := '{}';
  v_skipped bytea[] := '{}';
  -- The horizon. Without one the queue has all skipped facts of components that were rolled back.
  v_has_horizon boolean := false;
  v_precedence smallint;
  v_occurred_at timestamptz;
  v_item_id text collate "C";
  v_resource text;
  v_link_id bytea;
  v_fact record;
  v_row record;
  v_undone bytea;
  v_links bytea[];
  v_fact_slots int[];
  v_slots int[];
  v_roots int[];
  v_roll int[];
  v_members int[];
  v_slot int;
  v_root int;
  v_size int;
  v_user_count int;
  v_fits boolean;
  v_has_rolled boolean;
  v_is_spent boolean := false;
begin
  -- What earlier calls left: pending facts, and skipped ones beyond the cursors.
  select array_agg(l.link_id) into v_seen
  from (
    select l.link_id
    from identity_links l
    where l.workspace_id = (select p_workspace_id) and l.pending
    order by l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id
    limit p_budget
  ) l;
  for v_row in
    select *
    from link_cursors c
    where c.workspace_id = (select p_workspace_id)
    order by c.precedence, c.occurred_at, c.item_id, c.resource, c.link_id
    limit greatest(p_budget / c_chunk, 1)
  loop
    select array_agg(l.link_id order by l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id) into v_more
    from skipped_links(p_workspace_id, v_row.identity_id, null, v_row.precedence, v_row.occurred_at, v_row.item_id,
      v_row.resource, v_row.link_id, c_chunk) l;
    v_seen := v_seen || v_more;
    if cardinality(v_more) >= c_chunk then
      update link_cursors c
      set (precedence, occurred_at, item_id, resource, link_id) = (
        select l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id
        from identity_links l
        where l.workspace_id = (select p_workspace_id) and l.link_id = v_more[cardinality(v_more)] and l.is_current
        limit 1
      )
      where c.workspace_id = (select p_workspace_id) and c.identity_id = v_row.identity_id;
    else
      delete from link_cursors c
      where c.workspace_id = (select p_workspace_id) and c.identity_id = v_row.identity_id;
    end if;
  end loop;
  -- The people of all undone facts are rolled back to the place of the first.
  v_undone := (links_in_order(p_workspace_id, p_undone))[1];
  v_queue := links_in_order(p_workspace_id, v_seen || p_links || v_undone);
  v_seen := v_queue;

  loop
    v_is_spent := cardinality(v_applied) + cardinality(v_skipped) >= p_budget or cardinality(v_ids) > c_max_slots;
    exit when v_is_spent and v_undone is null;

    v_fact := null;
    select l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id, l.is_current into v_fact
    from identity_links l
    where l.workspace_id = (select p_workspace_id) and l.link_id = v_queue[v_next]
    order by l.assertion desc
    limit 1;

    -- Skipped facts of components that were rolled back, a chunk of each identity at a time.
    if v_has_horizon and (
      v_fact.link_id is null
      or (v_fact.precedence, v_fact.occurred_at, v_fact.item_id, v_fact.resource, v_fact.link_id)
        > (v_precedence, v_occurred_at, v_item_id, v_resource, v_link_id)
    ) then
      for n in 1 .. cardinality(v_ids) loop
        v_root := n;
        while v_parents[v_root] <> v_root loop
          v_root := v_parents[v_root];
        end loop;
        v_parents[n] := v_root;
      end loop;
      with found as materialized (
        select l.*
        from generate_subscripts(v_ids, 1) n
        cross join lateral skipped_links(
          p_workspace_id, v_ids[n], case when v_users[v_parents[n]] > 0 and v_is_user[n] = 0 then false end,
          v_precedence, v_occurred_at, v_item_id, v_resource, v_link_id, c_chunk
        ) l
        where v_rolled[n] and v_sizes[v_parents[n]] < c_max_identities
      ), horizon as (
        select * from found f where f.is_cut order by f.precedence, f.occurred_at, f.item_id, f.resource, f.link_id limit 1
      )
      select (
          select array_agg(distinct f.link_id)
          from found f
          where not f.link_id = any (v_seen)
            and not exists (
              select
              from horizon h
              where (f.precedence, f.occurred_at, f.item_id, f.resource, f.link_id)
                > (h.precedence, h.occurred_at, h.item_id, h.resource, h.link_id)
            )
        ) as links, h.*
      into v_row
      from (select) one
      left join horizon h on true;
      v_has_horizon := v_row.link_id is not null;
      v_precedence := v_row.precedence;
      v_occurred_at := v_row.occurred_at;
      v_item_id := v_row.item_id;
      v_resource := v_row.resource;
      v_link_id := v_row.link_id;
      if v_row.links is not null then
        v_seen := v_seen || v_row.links;
        v_queue := links_in_order(p_workspace_id, v_queue[v_next:] || v_row.links);
        v_next := 1;
      end if;
      continue;
    end if;
    exit when v_fact.link_id is null;
    v_next := v_next + 1;

    v_links := case when v_fact.is_current then array[v_fact.link_id] else p_undone end;

    -- People are loaded whole.
    v_root := null;
    for v_row in
      select i.id, i.namespace, i.person_id
      from (
        select distinct i.person_id
        from identity_links l
        join identities i on i.workspace_id = (select p_workspace_id) and i.id = l.identity_id
        where l.workspace_id = (select p_workspace_id) and l.link_id = any (v_links) and not l.identity_id = any (v_ids)
      ) missing
      join identities i on i.workspace_id = (select p_workspace_id) and i.person_id = missing.person_id
      order by i.person_id, i.id
    loop
      v_ids := v_ids || v_row.id;
      v_slot := cardinality(v_ids);
      v_is_user := v_is_user || (v_row.namespace = 'user_id')::int;
      if v_root is null or v_holders[v_root] <> v_row.person_id then
        v_root := v_slot;
      end if;
      v_holders := v_holders || v_row.person_id;
      v_parents := v_parents || v_root;
      v_sizes := v_sizes || 0;
      v_users := v_users || 0;
      v_rolled := v_rolled || false;
      v_is_last := v_is_last || false;
      v_sizes[v_root] := v_sizes[v_root] + 1;
      v_users[v_root] := v_users[v_root] + v_is_user[v_slot];
    end loop;
    select array_agg(distinct array_position(v_ids, l.identity_id)) into v_fact_slots
    from identity_links l
    where l.workspace_id = (select p_workspace_id) and l.link_id = any (v_links);

    loop
      v_roots := '{}';
      v_size := 0;
      v_user_count := 0;
      v_has_rolled := false;
      foreach v_slot in array v_fact_slots loop
        v_root := v_slot;
        while v_parents[v_root] <> v_root loop
          v_parents[v_root] := v_parents[v_parents[v_root]];
          v_root := v_parents[v_root];
        end loop;
        if not v_root = any (v_roots) then
          v_roots := v_roots || v_root;
          v_size := v_size + v_sizes[v_root];
          v_user_count := v_user_count + v_users[v_root];
          v_has_rolled := v_has_rolled or v_rolled[v_root];
        end if;
      end loop;
      v_fits := v_size <= c_max_identities and v_user_count <= 1;

      -- Components that have to be rolled back to the place of the fact.
      v_roll := null;
      if not v_fact.is_current or v_has_rolled or not v_fits then
        foreach v_root in array v_roots loop
          if v_rolled[v_root] or (v_fact.is_current and not v_fits and v_is_last[v_root]) then
            continue;
          elsif v_fact.is_current and not v_fits then
            if v_sizes[v_root] = 1 then
              v_members := array[v_root];
            else
              for n in 1 .. cardinality(v_ids) loop
                v_slot := n;
                while v_parents[v_slot] <> v_slot loop
                  v_slot := v_parents[v_slot];
                end loop;
                v_parents[n] := v_slot;
              end loop;
              v_members := array_positions(v_parents, v_root);
            end if;
            v_is_last[v_root] := not exists (
              select
              from unnest(v_members) member (n)
              join identity_links l on l.workspace_id = (select p_workspace_id) and l.identity_id = v_ids[member.n]
              where l.is_current and not l.skipped
                and (l.precedence, l.occurred_at, l.item_id) >= (v_fact.precedence, v_fact.occurred_at, v_fact.item_id)
                and (l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id)
                  > (v_fact.precedence, v_fact.occurred_at, v_fact.item_id, v_fact.resource, v_fact.link_id)
            );
            if v_is_last[v_root] then
              continue;
            end if;
          end if;
          v_roll := v_roll || v_root;
        end loop;
      end if;
      exit when v_roll is null;

      for n in 1 .. cardinality(v_ids) loop
        v_slot := n;
        while v_parents[v_slot] <> v_slot loop
          v_slot := v_parents[v_slot];
        end loop;
        v_parents[n] := v_slot;
      end loop;
      select array_agg(n) into v_slots from generate_subscripts(v_ids, 1) n where v_parents[n] = any (v_roll);
      foreach v_slot in array v_slots loop
        v_parents[v_slot] := v_slot;
        v_sizes[v_slot] := 1;
        v_users[v_slot] := v_is_user[v_slot];
        v_rolled[v_slot] := true;
      end loop;
      for v_row in
        select held.link_id, array_agg(distinct held.slot) as slots
        from (
          select l.link_id, v_slots[place.n] as slot
          from generate_subscripts(v_slots, 1) place (n)
          join identity_links l on l.workspace_id = (select p_workspace_id) and l.identity_id = v_ids[v_slots[place.n]]
          where l.is_current and not l.skipped and not l.link_id = any (v_skipped)
            and (l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id)
              < (v_fact.precedence, v_fact.occurred_at, v_fact.item_id, v_fact.resource, v_fact.link_id)
          union all
          select l.link_id, array_position(v_ids, l.identity_id)
          from identity_links l
          where l.workspace_id = (select p_workspace_id) and l.link_id = any (v_applied) and l.is_current
            and array_position(v_ids, l.identity_id) = any (v_slots)
        ) held
        group by held.link_id
      loop
        v_root := v_row.slots[1];
        while v_parents[v_root] <> v_root loop
          v_root := v_parents[v_root];
        end loop;
        foreach v_slot in array v_row.slots loop
          while v_parents[v_slot] <> v_slot loop
            v_slot := v_parents[v_slot];
          end loop;
          if v_slot <> v_root then
            v_parents[v_slot] := v_root;
            v_sizes[v_root] := v_sizes[v_root] + v_sizes[v_slot];
            v_users[v_root] := v_users[v_root] + v_users[v_slot];
          end if;
        end loop;
      end loop;
      select array_agg(distinct l.link_id) into v_more
      from generate_subscripts(v_slots, 1) place (n)
      join identity_links l on l.workspace_id = (select p_workspace_id) and l.identity_id = v_ids[v_slots[place.n]]
      where l.is_current and not l.skipped and not l.link_id = any (v_seen)
        and (l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id)
          > (v_fact.precedence, v_fact.occurred_at, v_fact.item_id, v_fact.resource, v_fact.link_id);
      if v_more is not null then
        v_seen := v_seen || v_more;
        v_queue := links_in_order(p_workspace_id, v_queue[v_next:] || v_more);
        v_next := 1;
      end if;
      v_has_horizon := true;
      v_precedence := v_fact.precedence;
      v_occurred_at := v_fact.occurred_at;
      v_item_id := v_fact.item_id;
      v_resource := v_fact.resource;
      v_link_id := v_fact.link_id;
    end loop;

    if not v_fact.is_current then
      v_undone := null;
    elsif v_fits then
      v_applied := v_applied || v_fact.link_id;
      foreach v_root in array v_roots[2:] loop
        v_parents[v_root] := v_roots[1];
        v_is_last[v_roots[1]] := v_is_last[v_roots[1]] and v_is_last[v_root];
      end loop;
      v_sizes[v_roots[1]] := v_size;
      v_users[v_roots[1]] := v_user_count;
    else
      v_skipped := v_skipped || v_fact.link_id;
    end if;
  end loop;

  update identity_links l set skipped = false, pending = false
  where l.workspace_id = (select p_workspace_id) and l.link_id = any (v_applied) and l.is_current and l.skipped;

  update identity_links l set skipped = true, pending = false
  where l.workspace_id = (select p_workspace_id) and l.link_id = any (v_skipped) and l.is_current
    and (l.pending or not l.skipped);

  for n in 1 .. cardinality(v_ids) loop
    v_root := n;
    while v_parents[v_root] <> v_root loop
      v_root := v_parents[v_root];
    end loop;
    v_parents[n] := v_root;
  end loop;
  if v_is_spent then
    update identity_links l set skipped = true, pending = true
    where l.workspace_id = (select p_workspace_id) and l.link_id = any (v_queue[v_next:]) and l.is_current
      and not l.pending;

    insert into link_cursors as c (workspace_id, identity_id, precedence, occurred_at, item_id, resource, link_id)
    select p_workspace_id, v_ids[n], v_precedence, v_occurred_at, v_item_id, v_resource, v_link_id
    from generate_subscripts(v_ids, 1) n
    where v_has_horizon and v_rolled[n] and v_sizes[v_parents[n]] < c_max_identities
    on conflict (workspace_id, identity_id) do update
    set precedence = excluded.precedence, occurred_at = excluded.occurred_at, item_id = excluded.item_id,
      resource = excluded.resource, link_id = excluded.link_id
    where (excluded.precedence, excluded.occurred_at, excluded.item_id, excluded.resource, excluded.link_id)
      < (c.precedence, c.occurred_at, c.item_id, c.resource, c.link_id);
  end if;

  perform move_identities(p_workspace_id, v_ids, v_holders, v_parents);

  return has_pending_links(p_workspace_id);
end
$$;
