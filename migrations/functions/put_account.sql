-- put_account: sets the name and the domains of an account on behalf of an administrator. From then on the named domains
-- belong to the account. Claims of an earlier call on domains that are no longer named are withdrawn; claims of items
-- stay.
--   p_domains  normalised
-- Result: the named domains that an administrator gave to other accounts. If there are any, nothing is changed.
-- Locks: the exclusive lock of resolve_people.
create or replace function put_account(p_workspace_id uuid, p_id text, p_name text, p_domains text[], p_now timestamptz)
returns table (taken_domain text, taken_by text) language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_domains text[];
begin
  perform pg_advisory_xact_lock(hashtextextended('resolve_people ' || p_workspace_id::text, 0));

  return query
  select d.domain::text, d.account_id::text
  from account_domains d
  where d.workspace_id = (select p_workspace_id) and d.domain = any (p_domains) and d.is_put and d.is_current
    and d.account_id <> p_id
  order by d.domain;
  if found then
    return;
  end if;

  insert into accounts (workspace_id, id, name, named_at, is_domain)
  values (p_workspace_id, p_id, p_name, p_now, false)
  on conflict (workspace_id, id) do update set name = excluded.name, named_at = excluded.named_at, is_domain = false;

  with withdrawn as (
    update account_domains d set is_current = false, withdrawn_at = p_now
    where d.workspace_id = (select p_workspace_id) and d.account_id = p_id and d.is_put and d.is_current
      and not d.domain = any (p_domains)
    returning d.domain
  ), claimed as (
    insert into account_domains (workspace_id, domain, account_id, is_put, assertion, claimed_at)
    select p_workspace_id, named.domain, p_id, true, earlier.assertions + 1, p_now
    from unnest(p_domains) named (domain)
    cross join lateral (
      select count(*)::int as assertions, coalesce(bool_or(d.is_current), false) as is_claimed
      from account_domains d
      where d.workspace_id = (select p_workspace_id) and d.domain = named.domain and d.account_id = p_id and d.is_put
    ) earlier
    where not earlier.is_claimed
    returning domain
  )
  select array_agg(domain) into v_domains
  from (select domain from withdrawn union select domain from claimed) changed;

  if v_domains is not null then
    perform settle_domains(p_workspace_id, v_domains);
  end if;
end
$$;
