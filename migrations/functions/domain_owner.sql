-- domain_owner: the account that owns a domain. An administrator's claim comes before those of items, then the earliest
-- claim, then the bytewise smaller account id. No row if no account claims the domain.
--
--   left join lateral domain_owner(p_workspace_id, item.account_domain) owner on true
--
-- The planner inlines it as a subquery, as long as no argument contains a subquery or a volatile function.
create or replace function domain_owner(p_workspace_id uuid, p_domain text)
returns table (account_id text) language sql stable as $$
  select d.account_id
  from account_domains d
  where d.workspace_id = (select p_workspace_id) and d.domain = p_domain and d.is_current
  order by d.is_put desc, d.claimed_at, d.account_id
  limit 1
$$;
