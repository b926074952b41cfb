-- erase_person: erases the identity of a person. Their touchpoints and conversions move to a nameless person and lose
-- every column that could identify somebody; totals stay. Their identities become tombstones, so that items that
-- occurred up to now are dropped when they are sent again. Link facts of their identities are deleted.
-- Result: the receipt; the first receipt if called again; null if there is no such person.
-- Locks: the exclusive lock of resolve_people.
create or replace function erase_person(p_workspace_id uuid, p_person_id uuid, p_now timestamptz) returns jsonb
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_receipt jsonb;
  v_person uuid;
  v_nameless constant uuid := uuid_v7();
  v_nameless_identity bigint;
  v_identities bigint[];
  v_hashes text[];
  v_texts bigint[];
  v_accounts text[];
  v_account text;
  v_nameless_account text;
  v_touchpoints int;
  v_conversions int;
  v_rejections int;
begin
  perform pg_advisory_xact_lock(hashtextextended('resolve_people ' || p_workspace_id::text, 0));
  while has_pending_links(p_workspace_id) loop
    perform settle_links(p_workspace_id, '{}', '{}', 1000);
  end loop;

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

  select coalesce(array_agg(i.id), '{}'), coalesce(array_agg(i.namespace || ':' || encode(i.value_hash, 'hex')), '{}'),
    array_agg(i.text_hash) filter (where i.text_hash is not null)
  into v_identities, v_hashes, v_texts
  from identities i
  where i.workspace_id = (select p_workspace_id) and i.person_id = v_person;

  insert into tombstones (workspace_id, namespace, value_hash, erased_at)
  select i.workspace_id, i.namespace, i.value_hash, p_now
  from identities i
  where i.workspace_id = (select p_workspace_id) and i.person_id = v_person
  on conflict (workspace_id, namespace, value_hash) do update set erased_at = excluded.erased_at;

  insert into people (workspace_id, id) values (p_workspace_id, v_nameless);

  -- Touchpoints of others that name the person as their advocate remain referrals, by the nameless person. No item can
  -- have this namespace, and the hash is not a hash of any value.
  if exists (
    select
    from touchpoints t
    where t.workspace_id = (select p_workspace_id) and t.referred_by_identity_id = any (v_identities)
  ) then
    insert into identities (workspace_id, namespace, value_hash, hash_version, person_id)
    values (p_workspace_id, '~erased', uuid_send(v_nameless), 0, v_nameless)
    returning id into v_nameless_identity;

    update touchpoints t
    set referred_by_identity_id = v_nameless_identity
    where t.workspace_id = (select p_workspace_id) and t.referred_by_identity_id = any (v_identities);
  end if;

  -- A company that is known only by e-mail addresses of this person, and of people erased earlier, may have the person's
  -- name as its domain. It becomes a nameless account, so that every total stays.
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
  set person_id = v_nameless, identity_id = null, content_hash = null, page_link_id = null, url = null, referrer = null,
    content = null, term = null, topic = null, properties = null
  where t.workspace_id = (select p_workspace_id) and t.person_id = v_person;
  get diagnostics v_touchpoints = row_count;

  update conversions c
  set person_id = v_nameless, identity_id = null, content_hash = null, page_link_id = null, properties = null
  where c.workspace_id = (select p_workspace_id) and c.person_id = v_person;
  get diagnostics v_conversions = row_count;

  update person_updates u
  set person_id = v_nameless, identity_id = null, content_hash = null, page_link_id = null, traits = null,
    analytics_consent = null
  where u.workspace_id = (select p_workspace_id) and u.person_id = v_person;

  update replaced_items r
  set identity_id = null, was = r.was - array['url', 'referrer', 'content', 'term', 'topic', 'properties', 'traits']
  where r.workspace_id = (select p_workspace_id) and r.identity_id = any (v_identities);

  -- A skipped fact may also contain identities of others. Without this person's it asserts nothing, so it is deleted.
  delete from identity_links l
  where l.workspace_id = (select p_workspace_id) and l.link_id in (
    select m.link_id
    from identity_links m
    where m.workspace_id = (select p_workspace_id) and m.identity_id = any (v_identities)
  );

  delete from link_cursors c
  where c.workspace_id = (select p_workspace_id) and c.identity_id = any (v_identities);

  delete from rejections r
  where r.workspace_id = (select p_workspace_id) and (r.identity_hashes && v_hashes or r.text_hashes && v_texts);
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
