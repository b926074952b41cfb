-- keep_account_facts: stores the membership facts and the domain claims of a batch, once its identities exist.
--   p_items    as read_items takes them
--   p_settles  true under the exclusive lock of resolve_people: facts may change the accounts of stored rows. Under the
--              shared lock every fact agrees with the stored accounts, and is only stored
create or replace function keep_account_facts(p_workspace_id uuid, p_resource text, p_items jsonb, p_settles boolean)
returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_domains text[];
  v_people uuid[];
begin
  with said as materialized (
    select item.account_domain as domain, item.account_id, min(item.occurred_at) as claimed_at
    from read_items(p_items) item
    where item.account_id is not null and item.account_domain is not null
    group by item.account_domain, item.account_id
  ), known as materialized (
    select said.*, earlier.assertions
    from said
    cross join lateral (
      select count(*)::int as assertions, min(d.claimed_at) as claimed_at
      from account_domains d
      where d.workspace_id = (select p_workspace_id) and d.domain = said.domain and d.account_id = said.account_id
        and not d.is_put
    ) earlier
    where earlier.claimed_at is null or said.claimed_at < earlier.claimed_at
  ), superseded as (
    update account_domains d set is_current = false
    from known
    where d.workspace_id = (select p_workspace_id) and d.domain = known.domain and d.account_id = known.account_id
      and not d.is_put and d.is_current
  ), claimed as (
    insert into account_domains (workspace_id, domain, account_id, is_put, assertion, claimed_at)
    select p_workspace_id, known.domain, known.account_id, false, known.assertions + 1, known.claimed_at
    from known
    order by known.domain collate "C", known.account_id collate "C"
    on conflict do nothing
    returning domain
  )
  select array_agg(distinct domain) into v_domains
  from claimed;

  if v_domains is not null then
    perform settle_domains(p_workspace_id, v_domains);
  end if;

  with said as materialized (
    select p_resource as source, item.id collate "C" as source_id, known.id as identity_id, known.person_id,
      item.account_id as named_id, item.account_domain as domain, item.account_name as name, item.occurred_at
    from read_items(p_items) item
    cross join lateral (
      select i.id, i.person_id
      from identities i
      where i.workspace_id = (select p_workspace_id)
        and i.namespace = item.namespace
        and i.value_hash = item.value_hash
      offset 0
    ) known
    where item.has_account
    union all
    select 'email', known.id::text collate "C", known.id, known.person_id, null, item.email_domain, null,
      min(item.occurred_at)
    from read_items(p_items) item
    cross join lateral read_identities(item.identities) as held
    cross join lateral (
      select i.id, i.person_id
      from identities i
      where i.workspace_id = (select p_workspace_id)
        and i.namespace = 'email'
        and i.value_hash = held.value_hash
      offset 0
    ) known
    where item.email_domain is not null and held.namespace = 'email'
    group by known.id, known.person_id, item.email_domain
  ), settled as materialized (
    select said.*, coalesce(said.named_id, owner.account_id, said.domain) as account_id,
      earlier.assertions, earlier.occurred_at as asserted_at
    from said
    left join lateral domain_owner(p_workspace_id, said.domain) owner on said.named_id is null
    cross join lateral (
      select count(*)::int as assertions, min(f.occurred_at) as occurred_at
      from account_facts f
      where f.workspace_id = (select p_workspace_id) and f.source = said.source and f.source_id = said.source_id
    ) earlier
  ), named as (
    insert into accounts (workspace_id, id, name, named_at, is_domain)
    select p_workspace_id, s.account_id,
      (array_agg(s.name order by s.occurred_at desc, s.name desc) filter (where s.name is not null))[1],
      max(s.occurred_at) filter (where s.name is not null), bool_and(s.named_id is null and s.account_id = s.domain)
    from settled s
    group by s.account_id
    order by s.account_id collate "C"
    on conflict (workspace_id, id) do update set
      is_domain = accounts.is_domain and excluded.is_domain,
      name = case
        when (accounts.named_at, accounts.name) >= (excluded.named_at, excluded.name) then accounts.name
        else coalesce(excluded.name, accounts.name)
      end,
      named_at = greatest(accounts.named_at, excluded.named_at)
    where (accounts.is_domain and not excluded.is_domain)
      or (excluded.name is not null and ((excluded.named_at, excluded.name) > (accounts.named_at, accounts.name)) is not false)
  ), superseded as (
    update account_facts f set is_current = false
    from settled s
    where f.workspace_id = (select p_workspace_id) and f.source = s.source and f.source_id = s.source_id
      and f.is_current and s.source = 'email' and s.occurred_at < s.asserted_at
  ), kept as (
    insert into account_facts
      (workspace_id, source, source_id, assertion, identity_id, person_id, account_id, domain, occurred_at)
    select distinct on (s.source, s.source_id) p_workspace_id, s.source, s.source_id, s.assertions + 1, s.identity_id,
      s.person_id, s.account_id, case when s.named_id is null then s.domain end, s.occurred_at
    from settled s
    where s.assertions = 0 or (s.source = 'email' and s.occurred_at < s.asserted_at)
    order by s.source, s.source_id
    on conflict do nothing
  )
  -- Compared with the facts before this statement. An e-mail address that gets an earlier date also changes the accounts
  -- from its former date on.
  select array_agg(distinct s.person_id) into v_people
  from settled s
  cross join lateral account_at(p_workspace_id, s.person_id, s.occurred_at) held
  where p_settles and (
    s.account_id is distinct from held.account_id or (s.source = 'email' and s.occurred_at < s.asserted_at)
  );

  if v_people is not null then
    perform recompute_accounts(p_workspace_id, v_people);
  end if;
end
$$;
