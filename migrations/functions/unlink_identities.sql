-- unlink_identities: ends every link fact that contains all of the named identities, applied or skipped, if one of them
-- belongs to the person. The facts are kept, marked with `unlinked_at`; an item that asserts one again adds rows to it.
--   p_identities  as read_identities takes them, two or more
-- Result: one row for each named identity with its person now; none if no fact fits.
-- Locks: the exclusive lock of resolve_people.
create or replace function unlink_identities(p_workspace_id uuid, p_person_id uuid, p_identities jsonb)
returns table (removed_links integer, namespace text, person_id uuid)
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_identities bigint[];
  v_is_theirs boolean;
  v_rarest bigint;
  v_links bytea[];
  v_undone bytea[];
begin
  perform pg_advisory_xact_lock(hashtextextended('resolve_people ' || p_workspace_id::text, 0));
  while has_pending_links(p_workspace_id) loop
    perform settle_links(p_workspace_id, '{}', '{}', 1000);
  end loop;

  select array_agg(i.id), bool_or(exists (
    select
    from people p
    where p.workspace_id = (select p_workspace_id) and p.id = p_person_id and i.person_id in (p.id, p.merged_into)
  ))
  into v_identities, v_is_theirs
  from read_identities(p_identities) as named
  join identities i
    on i.workspace_id = (select p_workspace_id)
    and i.namespace = named.namespace
    and i.value_hash = named.value_hash;

  if v_is_theirs is not true then
    return;
  end if;

  -- Through the named identity with the fewest links: another one may hold a million.
  select held.id into v_rarest
  from unnest(v_identities) held (id)
  cross join lateral (
    select count(*) as links
    from (
      select
      from identity_links l
      where l.workspace_id = (select p_workspace_id) and l.identity_id = held.id and l.is_current
      limit 1000
    ) part
  ) counted
  order by counted.links, held.id
  limit 1;

  select array_agg(l.link_id) into v_links
  from identity_links l
  where l.workspace_id = (select p_workspace_id) and l.identity_id = v_rarest and l.is_current
    and jsonb_array_length(p_identities) = (
      select count(*)
      from identity_links m
      where m.workspace_id = (select p_workspace_id) and m.link_id = l.link_id and m.identity_id = any (v_identities)
        and m.is_current
      offset 0
    );

  if v_links is null then
    return;
  end if;

  with undone as (
    update identity_links l set is_current = false, unlinked_at = now()
    where l.workspace_id = (select p_workspace_id) and l.link_id = any (v_links) and l.is_current
    returning l.link_id, l.skipped
  )
  select array_agg(distinct link_id) into v_undone
  from undone
  where not skipped;

  perform settle_links(p_workspace_id, '{}', v_undone, 1000);

  return query
  select array_length(v_links, 1), i.namespace::text, i.person_id
  from identities i
  where i.workspace_id = (select p_workspace_id) and i.id = any (v_identities)
  order by i.namespace;
end
$$;
