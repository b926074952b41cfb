-- settle_domains: applies the ownership of some domains after claims were made or withdrawn. Facts that name an account
-- by its domain move to the owner. A domain without an owner is an account of its own, as soon as a fact names it; that
-- account is deleted, and its name passed on, when the domain gets an owner.
-- Locks: none; callers hold the exclusive lock of resolve_people.
create or replace function settle_domains(p_workspace_id uuid, p_domains text[]) returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_people uuid[];
begin
  with owned as materialized (
    select asked.domain, coalesce(owner.account_id, asked.domain) as account_id
    from unnest(p_domains) asked (domain)
    left join lateral domain_owner(p_workspace_id, asked.domain) owner on true
  ), moved as (
    update account_facts f set account_id = owned.account_id
    from owned
    where f.workspace_id = (select p_workspace_id) and f.domain = owned.domain and f.account_id <> owned.account_id
    returning f.person_id, f.domain, f.account_id
  ), gone as (
    delete from accounts a
    using owned
    where a.workspace_id = (select p_workspace_id) and a.id = owned.domain and a.is_domain
      and owned.account_id <> owned.domain
    returning a.name, a.named_at, owned.account_id
  ), named as (
    insert into accounts (workspace_id, id, name, named_at, is_domain)
    select distinct on (gone.account_id) p_workspace_id, gone.account_id, gone.name, gone.named_at, false
    from gone
    where gone.name is not null
    order by gone.account_id, gone.named_at desc, gone.name desc
    on conflict (workspace_id, id) do update set name = excluded.name, named_at = excluded.named_at
      where accounts.named_at is null or (excluded.named_at, excluded.name) > (accounts.named_at, accounts.name)
  ), made as (
    insert into accounts (workspace_id, id, is_domain)
    select distinct p_workspace_id, moved.account_id, true
    from moved
    where moved.account_id = moved.domain
    on conflict do nothing
  )
  select array_agg(distinct moved.person_id) into v_people
  from moved;

  if v_people is not null then
    perform recompute_accounts(p_workspace_id, v_people);
  end if;
end
$$;
