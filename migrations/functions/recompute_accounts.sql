-- recompute_accounts: rewrites the accounts of the touchpoints and conversions of some people from the membership facts.
-- An item belongs to the account that it names, else to that of its person at its instant (account_at, here for all
-- instants at once: each fact applies from its instant to the next, the first one also before).
--
-- The account of a row is a function of the set of facts, whatever their order of arrival.
-- Locks: none; callers hold the exclusive lock of resolve_people.
create or replace function recompute_accounts(p_workspace_id uuid, p_people uuid[])
returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
begin
  if not exists (select from account_facts f where f.workspace_id = (select p_workspace_id)) then
    return;
  end if;

  with periods as materialized (
    select f.person_id, f.account_id,
      case when lag(f.occurred_at) over person is null then '-infinity' else f.occurred_at end as begins_at,
      coalesce(lead(f.occurred_at) over person, 'infinity') as ends_at
    from (
      select distinct on (f.person_id, f.occurred_at) f.person_id, f.occurred_at, f.account_id
      from account_facts f
      where f.workspace_id = (select p_workspace_id) and f.person_id = any (p_people) and f.is_current
      order by f.person_id, f.occurred_at, f.source = 'email', f.account_id desc
    ) f
    window person as (partition by f.person_id order by f.occurred_at)
  ), touched as (
    update touchpoints t set account_id = computed.account_id
    from (
      select t.id, coalesce(own.account_id, period.account_id) as account_id
      from touchpoints t
      left join lateral (
        select f.account_id
        from account_facts f
        where f.workspace_id = (select p_workspace_id) and f.source = 'touchpoints' and f.source_id = t.id
        offset 0
      ) own on true
      left join periods period
        on period.person_id = t.person_id and t.occurred_at >= period.begins_at and t.occurred_at < period.ends_at
      where t.workspace_id = (select p_workspace_id)
        and t.person_id = any (p_people)
        and t.account_id is distinct from coalesce(own.account_id, period.account_id)
    ) computed
    where t.workspace_id = (select p_workspace_id) and t.id = computed.id
  )
  update conversions c set account_id = computed.account_id
  from (
    select c.id, coalesce(own.account_id, period.account_id) as account_id
    from conversions c
    cross join lateral (
      select case when c.touchpoint_id is null then 'conversions' else 'touchpoints' end as source,
        coalesce(c.touchpoint_id, c.id) as source_id
      offset 0
    ) said
    left join lateral (
      select f.account_id
      from account_facts f
      where f.workspace_id = (select p_workspace_id) and f.source = said.source and f.source_id = said.source_id
      offset 0
    ) own on true
    left join periods period
      on period.person_id = c.person_id and c.occurred_at >= period.begins_at and c.occurred_at < period.ends_at
    where c.workspace_id = (select p_workspace_id)
      and c.person_id = any (p_people)
      and c.account_id is distinct from coalesce(own.account_id, period.account_id)
  ) computed
  where c.workspace_id = (select p_workspace_id) and c.id = computed.id;
end
$$;
