-- account_at: the account of a person at an instant; `accountAt` in src/domain/accounts.ts is the definition. The
-- latest fact at or before the instant applies, else the first later one. Tie-break at one instant: facts of items
-- before those of e-mail addresses, then the bytewise greater account id. One row, null if there is no fact.
--
--   cross join lateral account_at(p_workspace_id, i.person_id, item.occurred_at) held
--
-- The planner inlines it as a subquery, as long as no argument contains a subquery or a volatile function.
create or replace function account_at(p_workspace_id uuid, p_person_id uuid, p_at timestamptz)
returns table (account_id text) language sql stable as $$
  select coalesce(
    (
      select f.account_id
      from account_facts f
      where f.workspace_id = (select p_workspace_id) and f.person_id = p_person_id and f.is_current
        and f.occurred_at <= p_at
      order by f.occurred_at desc, f.source = 'email', f.account_id desc
      limit 1
    ),
    (
      select f.account_id
      from account_facts f
      where f.workspace_id = (select p_workspace_id) and f.person_id = p_person_id and f.is_current
        and f.occurred_at > p_at
      order by f.occurred_at, f.source = 'email', f.account_id desc
      limit 1
    )
  )
$$;
