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
--> statement-breakpoint
-- add_to_conversations: trigger function, after a statement that added touchpoints (`changed`). It adds them to the rows of
-- their threads, so that a message costs the same in a thread of ten and of ten thousand. The result is that of
-- refresh_conversations, whatever the order of arrival:
--   opening, last   the least inbound and the greatest of all messages, in the order (occurred_at, id)
--   first response  the first outbound message after the opening. Where an earlier message becomes the opening, one that
--                   is stored already may come before the known response: one index probe finds it, because all stored
--                   messages between the new and the former opening are outbound
--   counts          those of before and the added ones: a touchpoint is inserted once
-- Locks: those of lock_conversations, before any row is read.
create or replace function add_to_conversations() returns trigger
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_threads record;
begin
  for v_threads in
    select c.workspace_id, array_agg(distinct c.conversation) as ids
    from changed c
    where c.conversation is not null and c.direction is not null and c.voided_at is null
    group by c.workspace_id
    order by c.workspace_id
  loop
    perform lock_conversations(v_threads.workspace_id, v_threads.ids);

    with added as materialized (
      select c.conversation as id,
        min(c.occurred_at) filter (where c.direction = 'inbound') as opened_at,
        (array_agg(c.id order by c.occurred_at, c.id) filter (where c.direction = 'inbound'))[1] as opening_id,
        max(c.occurred_at) as last_at,
        (array_agg(c.id order by c.occurred_at desc, c.id desc))[1] as last_id,
        (array_agg(c.direction order by c.occurred_at desc, c.id desc))[1] as last_direction,
        count(*) filter (where c.direction = 'inbound')::int as inbound,
        count(*) filter (where c.direction = 'outbound')::int as outbound,
        array_agg(c.occurred_at order by c.occurred_at, c.id) filter (where c.direction = 'outbound') as outbound_at,
        array_agg(c.id order by c.occurred_at, c.id) filter (where c.direction = 'outbound') as outbound_ids
      from changed c
      where c.workspace_id = v_threads.workspace_id and c.conversation is not null and c.direction is not null
        and c.voided_at is null
      group by c.conversation
    ), placed as materialized (
      select a.*, v.opened_at as former_at, v.opening_id as former_id, v.first_response_at, v.first_response_id,
        a.opened_at is not null and (v.opened_at is null or (a.opened_at, a.opening_id) < (v.opened_at, v.opening_id))
          as is_opening,
        (a.last_at, a.last_id) > (v.last_at, v.last_id) as is_last
      from added a
      cross join lateral (
        select v.*
        from conversations v
        where v.workspace_id = (select v_threads.workspace_id) and v.id = a.id
        offset 0
      ) v
    ), opened as materialized (
      select p.*, case when p.is_opening then p.opened_at else p.former_at end as begins_at,
        case when p.is_opening then p.opening_id else p.former_id end as begins_id
      from placed p
    ), answered as materialized (
      select o.*, response.at as response_at, response.id as response_id
      from opened o
      left join lateral (
        select candidate.at, candidate.id
        from (
          select fresh.at, fresh.id collate "C" as id
          from unnest(o.outbound_at, o.outbound_ids) fresh (at, id)
          union all
          select o.first_response_at, o.first_response_id
          union all
          (
            select t.occurred_at, t.id
            from touchpoints t
            where o.is_opening and t.workspace_id = (select v_threads.workspace_id) and t.conversation = o.id
              and t.direction = 'outbound' and t.voided_at is null
              and t.occurred_at >= o.begins_at and (t.occurred_at, t.id) > (o.begins_at, o.begins_id)
            order by t.occurred_at, t.id
            limit 1
          )
        ) candidate
        where (candidate.at, candidate.id) > (o.begins_at, o.begins_id)
        order by candidate.at, candidate.id
        limit 1
      ) response on true
    )
    update conversations v
    set opened_at = n.begins_at, opening_id = n.begins_id, first_response_at = n.response_at,
      first_response_id = n.response_id,
      last_at = case when n.is_last then n.last_at else v.last_at end,
      last_id = case when n.is_last then n.last_id else v.last_id end,
      last_direction = case when n.is_last then n.last_direction else v.last_direction end,
      inbound = v.inbound + n.inbound, outbound = v.outbound + n.outbound
    from answered n
    where v.workspace_id = (select v_threads.workspace_id) and v.id = n.id;
  end loop;
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger conversations_of_added after insert on touchpoints
referencing new table as changed for each statement execute function add_to_conversations();
--> statement-breakpoint
-- begin_report: lets a report of the workspace begin, as the first statement of its transaction.
--   p_question  a hash of the request. TL003 if the same one ran out of time less than a minute ago
--   p_slots     reports of the workspace at a time, in all isolates together. The slot is an advisory lock, which ends
--               with the transaction. Where none is free the report waits up to two seconds, then TL004
create or replace function begin_report(p_workspace_id uuid, p_question bytea, p_slots int) returns void
language plpgsql as $$
declare
  v_lock constant bigint := hashtextextended('report ' || p_workspace_id::text, 0);
  v_first constant int := floor(random() * p_slots);
begin
  if exists (
    select
    from slow_reports s
    where s.workspace_id = (select p_workspace_id) and s.question = p_question and s.until_at > now()
  ) then
    raise exception 'the report was too slow a moment ago' using errcode = 'TL003';
  end if;

  for n in 0 .. p_slots - 1 loop
    if pg_try_advisory_xact_lock(v_lock + (v_first + n) % p_slots) then
      return;
    end if;
  end loop;
  begin
    perform set_config('lock_timeout', '2000', true);
    perform pg_advisory_xact_lock(v_lock + v_first);
    perform set_config('lock_timeout', '0', true);
  exception when lock_not_available then
    raise exception 'too many reports at a time' using errcode = 'TL004';
  end;
end
$$;
--> statement-breakpoint
-- count_disjoint_next: the transition function of the aggregate count_disjoint. It takes an interval that begins after
-- the end of the last one taken.
--   p_state  the number of intervals taken, and the end of the last one
create or replace function count_disjoint_next(p_state int[], p_begin int, p_end int) returns int[]
language sql immutable parallel safe as $$
  select case when p_begin > p_state[2] then array[p_state[1] + 1, p_end] else p_state end
$$;
--> statement-breakpoint
-- count_disjoint_total: the final function of the aggregate count_disjoint.
create or replace function count_disjoint_total(p_state int[]) returns int language sql immutable parallel safe as $$
  select p_state[1]
$$;
--> statement-breakpoint
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
--> statement-breakpoint
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

  select coalesce(array_agg(i.id), '{}'), coalesce(array_agg(i.namespace || ':' || encode(i.value_hash, 'hex')), '{}')
  into v_identities, v_hashes
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
  set person_id = v_nameless, identity_id = null, content_hash = null, url = null, referrer = null, content = null,
    term = null, topic = null, properties = null
  where t.workspace_id = (select p_workspace_id) and t.person_id = v_person;
  get diagnostics v_touchpoints = row_count;

  update conversions c
  set person_id = v_nameless, identity_id = null, content_hash = null, properties = null
  where c.workspace_id = (select p_workspace_id) and c.person_id = v_person;
  get diagnostics v_conversions = row_count;

  update person_updates u
  set person_id = v_nameless, identity_id = null, content_hash = null, traits = null, analytics_consent = null
  where u.workspace_id = (select p_workspace_id) and u.person_id = v_person;

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
  where r.workspace_id = (select p_workspace_id) and r.identity_hashes && v_hashes;
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
--> statement-breakpoint
-- has_pending_links: whether link facts of the workspace wait to be settled; see settle_links.
create or replace function has_pending_links(p_workspace_id uuid) returns boolean language sql stable as $$
  select exists (select from identity_links l where l.workspace_id = (select p_workspace_id) and l.pending)
    or exists (select from link_cursors c where c.workspace_id = (select p_workspace_id))
$$;
--> statement-breakpoint
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
--> statement-breakpoint
-- keep_row_version: keeps the earlier version of a replaced row in `row_versions`. An update that changes nothing but
-- `updated_at` keeps none.
--   arguments of the trigger  the columns of the primary key without the workspace
-- The row lock orders the updates of one row, so its versions are 1, 2, 3 … without a gap.
create or replace function keep_row_version() returns trigger language plpgsql as $$
declare
  v_was constant jsonb := to_jsonb(old);
  v_workspace_id constant uuid := coalesce(v_was ->> 'workspace_id', v_was ->> 'id');
  v_key text collate "C";
begin
  if v_was - 'updated_at' = to_jsonb(new) - 'updated_at' then
    return null;
  end if;
  select coalesce(string_agg(v_was ->> part.name, '/' order by part.place), '') into v_key
  from unnest(tg_argv) with ordinality part (name, place);

  insert into row_versions (workspace_id, table_name, row_key, version, replaced_at, was)
  select v_workspace_id, tg_table_name, v_key, coalesce(max(v.version), 0) + 1, now(), v_was - 'workspace_id'
  from row_versions v
  where v.workspace_id = (select v_workspace_id) and v.table_name = tg_table_name and v.row_key = v_key;
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger workspaces_versions after update on workspaces
for each row execute function keep_row_version();
--> statement-breakpoint
create or replace trigger goals_versions after update on goals
for each row execute function keep_row_version('key');
--> statement-breakpoint
create or replace trigger fx_rates_versions after update on fx_rates
for each row execute function keep_row_version('from', 'to', 'date');
--> statement-breakpoint
create or replace trigger spend_versions after update on spend
for each row execute function keep_row_version('id');
--> statement-breakpoint
-- links_in_order: link ids without repeats in the order of their facts, by their latest assertion; those that have no row
-- are left out.
create or replace function links_in_order(p_workspace_id uuid, p_links bytea[]) returns bytea[]
language sql stable as $$
  select coalesce(array_agg(fact.link_id order by fact.precedence, fact.occurred_at, fact.item_id, fact.resource, fact.link_id), '{}')
  from (select distinct link_id from unnest(p_links) given (link_id)) given
  cross join lateral (
    select l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id
    from identity_links l
    where l.workspace_id = (select p_workspace_id) and l.link_id = given.link_id
    order by l.assertion desc
    limit 1
  ) fact
$$;
--> statement-breakpoint
-- lock_conversations: locks the rows of some threads, in the order of their ids. If two transactions write to one thread,
-- the second waits for the first and then sees its touchpoints. A thread without a row gets an empty row to lock.
-- `do update … where false` locks a row and writes nothing.
create or replace function lock_conversations(p_workspace_id uuid, p_ids text[]) returns void
language sql as $$
  insert into conversations (workspace_id, id, last_at, last_id, last_direction, inbound, outbound)
  select p_workspace_id, thread.id, '-infinity', '', 'outbound', 0, 0
  from unnest(p_ids) thread (id)
  order by thread.id collate "C"
  on conflict (workspace_id, id) do update set inbound = 0 where false
$$;
--> statement-breakpoint
-- lock_to_workspace: enables row level security for one table that belongs to a workspace. The migration that creates
-- the table calls it:
--   select lock_to_workspace('touchpoints');
create or replace function lock_to_workspace(p_table regclass) returns void language plpgsql as $$
declare
  v_column text := case when p_table = 'workspaces'::regclass then 'id' else 'workspace_id' end;
begin
  execute format('alter table %s enable row level security, force row level security', p_table);
  execute format(
    'create policy workspace_only on %s to throughline_app using (%I = (select workspace_in_force())) with check (%I = (select workspace_in_force()))',
    p_table, v_column, v_column
  );
  execute format('grant select, insert, update, delete on %s to throughline_app', p_table);
end
$$;
--> statement-breakpoint
-- move_identities: gives some people the identities that settle_links found for them, and their rows along.
--   p_ids      identities, every one of the people concerned
--   p_holders  the person of each before
--   p_groups   the group of each from now on
-- A person stays with the group that holds its oldest identity. The oldest such person of a group keeps it, and the
-- others merge into that person. A group without any gets a new person (version 7, so that the order of ids stays the
-- order of age).
-- Locks: none; callers hold the exclusive lock of resolve_people.
create or replace function move_identities(p_workspace_id uuid, p_ids bigint[], p_holders uuid[], p_groups int[])
returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_owners uuid[];
  v_losers uuid[];
  v_survivors uuid[];
  v_moved bigint[];
  v_left uuid[];
  v_reached uuid[];
begin
  with homes as (
    select distinct on (p_holders[n]) p_holders[n] as person_id, p_groups[n] as home
    from generate_subscripts(p_ids, 1) n
    order by p_holders[n], p_ids[n]
  ), owned as (
    select home, (array_agg(person_id order by person_id))[1] as owner
    from homes
    group by home
  ), placed as materialized (
    select groups.name, coalesce(owned.owner, uuid_v7()) as owner, owned.owner is null as is_new
    from (select distinct name from unnest(p_groups) name) groups
    left join owned on owned.home = groups.name
  ), made as (
    insert into people (workspace_id, id)
    select p_workspace_id, owner
    from placed
    where is_new
  )
  select
    (select array_agg(h.person_id order by h.person_id) from homes h join placed p on p.name = h.home where p.owner <> h.person_id),
    (select array_agg(p.owner order by h.person_id) from homes h join placed p on p.name = h.home where p.owner <> h.person_id),
    array_agg(p.owner order by n),
    array_agg(p_ids[n]) filter (where p.owner <> p_holders[n]),
    array_agg(distinct p_holders[n]) filter (where p.owner <> p_holders[n]),
    array_agg(distinct p.owner) filter (where p.owner <> p_holders[n])
  into v_losers, v_survivors, v_owners, v_moved, v_left, v_reached
  from generate_subscripts(p_ids, 1) n
  join placed p on p.name = p_groups[n];

  if v_moved is null then
    return;
  end if;

  update identities i set person_id = v_owners[place.n]
  from unnest(p_ids) with ordinality place (id, n)
  where i.workspace_id = (select p_workspace_id) and i.id = place.id and i.person_id <> v_owners[place.n];

  -- Rows follow the identity that they came with.
  update touchpoints t set person_id = i.person_id
  from identities i
  where t.workspace_id = (select p_workspace_id) and t.person_id = any (v_left)
    and i.workspace_id = (select p_workspace_id) and i.id = t.identity_id and i.person_id <> t.person_id;

  update conversions c set person_id = i.person_id
  from identities i
  where c.workspace_id = (select p_workspace_id) and c.person_id = any (v_left)
    and i.workspace_id = (select p_workspace_id) and i.id = c.identity_id and i.person_id <> c.person_id;

  update person_updates u set person_id = i.person_id
  from identities i
  where u.workspace_id = (select p_workspace_id) and u.person_id = any (v_left)
    and i.workspace_id = (select p_workspace_id) and i.id = u.identity_id and i.person_id <> u.person_id;

  update account_facts f set person_id = i.person_id
  from identities i
  where f.workspace_id = (select p_workspace_id) and f.person_id = any (v_left)
    and i.workspace_id = (select p_workspace_id) and i.id = f.identity_id and i.person_id <> f.person_id;

  update people p set merged_into = moved.survivor
  from unnest(v_losers, v_survivors) moved (loser, survivor)
  where p.workspace_id = (select p_workspace_id) and (p.id = moved.loser or p.merged_into = moved.loser);

  perform recompute_accounts(p_workspace_id, v_left || v_reached);
end
$$;
--> statement-breakpoint
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
--> statement-breakpoint
-- read_identities: one row for each identity of a list, in plain columns; see read_items for the reason.
--   p_identities  [{namespace, value_hash, value?}]; the hash in hex, the value only if the workspace stores it
create or replace function read_identities(p_identities jsonb)
returns table (namespace text, value_hash bytea, value text)
language sql immutable as $$
  select named.namespace, decode(named.value_hash, 'hex'), named.value
  from jsonb_to_recordset(p_identities) as named (namespace text, value_hash text, value text)
  offset 0
$$;
--> statement-breakpoint
-- read_items: one row for each item of a batch, in plain columns. Absent members are null.
--   p_items  [{id, occurred_at, person_id, identities: [{namespace, value_hash, value?}], goal?, link_id?,
--            account?: {id?, domain?, name?}, email_domain?, referrer?: {namespace, value_hash}}]; hashes in hex
--   value    the whole item; `namespace` and `value_hash` are those of its first identity
--
-- Under row level security a condition reaches an index only if every part of it is leakproof. Comparisons of plain
-- columns are; a function over a column of another step (`decode(item ->> 'hash', 'hex')`) is not, and then each look-up
-- reads the whole workspace. `offset 0` keeps the planner from pulling the expressions out of this subquery.
create or replace function read_items(p_items jsonb)
returns table (
  value jsonb, id text, goal text, occurred_at timestamptz, link_id bytea, identities jsonb, namespace text,
  value_hash bytea, has_account boolean, account_id text, account_domain text, account_name text, email_domain text,
  referrer_namespace text, referrer_hash bytea
)
language sql immutable as $$
  select item, item ->> 'id', item ->> 'goal', (item ->> 'occurred_at')::timestamptz, decode(item ->> 'link_id', 'hex'),
    item -> 'identities', item #>> '{identities,0,namespace}', decode(item #>> '{identities,0,value_hash}', 'hex'),
    item ? 'account', item #>> '{account,id}', item #>> '{account,domain}', item #>> '{account,name}',
    item ->> 'email_domain', item #>> '{referrer,namespace}', decode(item #>> '{referrer,value_hash}', 'hex')
  from jsonb_array_elements(p_items) item
  offset 0
$$;
--> statement-breakpoint
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
--> statement-breakpoint
-- refresh_conversation: trigger function, after an update of a touchpoint that changes its thread, such as a void. A
-- message that is voided is taken from the counts, and the last one is found again by one index probe; only where it
-- opened the thread, or was the first response, the whole thread is read. The list of columns excludes merges, account
-- changes and erasure, which update many rows and set other columns.
create or replace function refresh_conversation() returns trigger
language plpgsql set plan_cache_mode = force_custom_plan as $$
begin
  if new.voided_at is not null and old.voided_at is null and old.direction is not null
    and (old.conversation, old.direction, old.occurred_at)
      is not distinct from (new.conversation, new.direction, new.occurred_at) then
    perform lock_conversations(new.workspace_id, array[new.conversation::text]);

    update conversations v
    set inbound = v.inbound - (new.direction = 'inbound')::int, outbound = v.outbound - (new.direction = 'outbound')::int,
      last_at = last.occurred_at, last_id = last.id, last_direction = last.direction
    from (
      select t.occurred_at, t.id, t.direction
      from touchpoints t
      where t.workspace_id = (select new.workspace_id) and t.conversation = new.conversation
        and t.direction is not null and t.voided_at is null
      order by t.occurred_at desc, t.id desc
      limit 1
    ) last
    where v.workspace_id = (select new.workspace_id) and v.id = new.conversation
      and new.id is distinct from v.opening_id and new.id is distinct from v.first_response_id;
    if found then
      return null;
    end if;
  end if;

  perform refresh_conversations(new.workspace_id, array(
    select distinct thread.id from unnest(array[old.conversation, new.conversation]) thread (id) where thread.id is not null
  ));
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger conversation_of_updated after update of conversation, direction, occurred_at, voided_at on touchpoints
for each row when (
  (old.conversation is not null or new.conversation is not null)
  and (old.conversation, old.direction, old.occurred_at, old.voided_at)
    is distinct from (new.conversation, new.direction, new.occurred_at, new.voided_at)
)
execute function refresh_conversation();
--> statement-breakpoint
-- refresh_conversations: recomputes the rows of some threads from all their touchpoints. Touchpoints that count have a
-- direction and are not voided; a thread without any has no row.
--   p_ids  ids of threads, in any order, each once
-- It reads whole threads: add_to_conversations and refresh_conversation use it only where less is not enough.
-- Locks: those of lock_conversations.
create or replace function refresh_conversations(p_workspace_id uuid, p_ids text[]) returns void
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_gone text[];
begin
  perform lock_conversations(p_workspace_id, p_ids);

  -- One index probe to read each thread, and one to write it: the planner of a join would have to know their number.
  -- `openings` is the number of inbound messages up to and including each message.
  with messages as (
    select asked.id as conversation, message.id, message.occurred_at, message.direction,
      count(*) filter (where message.direction = 'inbound') over thread as openings
    from unnest(p_ids) asked (id)
    left join lateral (
      select t.id, t.occurred_at, t.direction
      from touchpoints t
      where t.workspace_id = (select p_workspace_id) and t.conversation = asked.id
        and t.direction is not null and t.voided_at is null
      offset 0
    ) message on true
    window thread as (partition by asked.id order by message.occurred_at, message.id rows unbounded preceding)
  ), computed as materialized (
    select m.conversation as id,
      min(m.occurred_at) filter (where m.direction = 'inbound') as opened_at,
      min(m.id) filter (where m.direction = 'inbound' and m.openings = 1) as opening_id,
      min(m.occurred_at) filter (where m.direction = 'outbound' and m.openings > 0) as first_response_at,
      (array_agg(m.id order by m.occurred_at, m.id) filter (where m.direction = 'outbound' and m.openings > 0))[1]
        as first_response_id,
      max(m.occurred_at) as last_at,
      (array_agg(m.id order by m.occurred_at desc, m.id desc))[1] as last_id,
      (array_agg(m.direction order by m.occurred_at desc, m.id desc))[1] as last_direction,
      count(*) filter (where m.direction = 'inbound')::int as inbound,
      count(*) filter (where m.direction = 'outbound')::int as outbound
    from messages m
    group by m.conversation
  ), written as (
    insert into conversations as v (
      workspace_id, id, opened_at, opening_id, first_response_at, first_response_id, last_at, last_id, last_direction,
      inbound, outbound
    )
    select p_workspace_id, c.id, c.opened_at, c.opening_id, c.first_response_at, c.first_response_id, c.last_at, c.last_id,
      c.last_direction, c.inbound, c.outbound
    from computed c
    where c.last_at is not null
    on conflict (workspace_id, id) do update
    set opened_at = excluded.opened_at, opening_id = excluded.opening_id, first_response_at = excluded.first_response_at,
      first_response_id = excluded.first_response_id, last_at = excluded.last_at, last_id = excluded.last_id,
      last_direction = excluded.last_direction, inbound = excluded.inbound, outbound = excluded.outbound
    where (v.opening_id, v.opened_at, v.first_response_id, v.first_response_at, v.last_id, v.last_at, v.last_direction,
        v.inbound, v.outbound)
      is distinct from (excluded.opening_id, excluded.opened_at, excluded.first_response_id, excluded.first_response_at,
        excluded.last_id, excluded.last_at, excluded.last_direction, excluded.inbound, excluded.outbound)
  )
  select array_agg(c.id) into v_gone
  from computed c
  where c.last_at is null;

  if v_gone is not null then
    delete from conversations v
    where v.workspace_id = (select p_workspace_id) and v.id = any (v_gone);
  end if;
end
$$;
--> statement-breakpoint
-- refresh_cut_conversations: trigger function, after a statement that deleted touchpoints (`changed`), as retention does.
-- The thread of a deleted touchpoint that counts has a row, unless the whole workspace is being deleted, which deletes its
-- conversations first.
create or replace function refresh_cut_conversations() returns trigger
language plpgsql as $$
declare
  v_threads record;
begin
  for v_threads in
    select c.workspace_id, array_agg(distinct c.conversation) as ids
    from changed c
    where c.conversation is not null and c.direction is not null and c.voided_at is null
      and exists (
        select
        from conversations v
        where v.workspace_id = c.workspace_id and v.id = c.conversation
        offset 0
      )
    group by c.workspace_id
    order by c.workspace_id
  loop
    perform refresh_conversations(v_threads.workspace_id, v_threads.ids);
  end loop;
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger conversations_of_deleted after delete on touchpoints
referencing old table as changed for each statement execute function refresh_cut_conversations();
--> statement-breakpoint
-- refuse_unsafe_role: raises TL002 if the role in force would see more than its workspace: a superuser, a role that
-- bypasses row level security, or the owner of a table. Called after the first statement of a transaction, which
-- replaces the login role.
create or replace function refuse_unsafe_role() returns void language plpgsql stable as $$
begin
  if exists (
    select from pg_roles r where r.rolname = current_user and (r.rolsuper or r.rolbypassrls)
  ) or exists (
    select from pg_class c
    join pg_roles r on r.oid = c.relowner
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and r.rolname = current_user
  ) then
    raise exception 'the role in force is not safe' using errcode = 'TL002';
  end if;
end
$$;
--> statement-breakpoint
-- resolve_people: creates the identities of a batch, stores its link and membership facts, and recomputes the people and
-- accounts concerned. It is the first statement of every batch that stores items of people.
--   p_resource  'touchpoints', 'conversions' or 'people'. An item that is already stored there, or will not be stored,
--               asserts nothing
--   p_items     as read_items takes them. `person_id` is the person to create if none is known, the same for all items
--               of the batch that share an identity, directly or through others; `link_id` only with two identities or
--               more
-- Result: the items whose link fact was skipped.
--
-- People are a function of the set of link facts; settle_links has the definition. A fact is stored even if it changes
-- nothing now, because another fact may be undone later.
--
-- Locks: one advisory lock per workspace. Most batches contain known identities and stored facts; they hold the lock
-- shared and run concurrently. A batch that adds a fact holds it exclusively, so that a merge never runs beside another
-- merge or beside an insert for a person who is being merged away. Which mode a batch needs is read under the shared
-- lock. A batch that needs the exclusive lock releases the shared one first, by leaving the block through an exception,
-- because upgrading a lock deadlocks.
--
-- Plans: look-ups are `lateral … offset 0`, which the planner leaves as one index probe per row. Each call is planned
-- anew, and a subquery hides the workspace from the planner. With a plan from when the tables were empty, or statistics
-- from before a large import, any index that begins with `workspace_id` looks as good as the primary key, and each batch
-- would read the whole workspace.
create or replace function resolve_people(p_workspace_id uuid, p_resource text, p_items jsonb, p_from_secret_key boolean, p_hash_version smallint)
returns table (skipped_item_id text)
language plpgsql set plan_cache_mode = force_custom_plan as $$
declare
  v_lock constant bigint := hashtextextended('resolve_people ' || p_workspace_id::text, 0);
  v_is_news boolean;
  v_has_accounts boolean;
  v_has_strangers boolean;
  v_links bytea[];
  v_groups uuid[];
  v_parents int[];
  v_contested uuid[] := '{}';
  v_pair record;
  v_a int;
  v_b int;
begin
  begin
    perform pg_advisory_xact_lock_shared(v_lock);

    select coalesce(bool_or(item.link_id is not null and link.is_kept is null), false)
        or coalesce(bool_or(item.has_account and account.is_known is null), false)
        or coalesce(bool_or(item.email_domain is not null and address.is_known is null), false),
      coalesce(bool_or(item.has_account or item.email_domain is not null), false),
      coalesce(bool_or(strangers.are_there), false)
    into v_is_news, v_has_accounts, v_has_strangers
    from read_items(p_items) item
    left join lateral (
      select true as is_kept
      from identity_links l
      where item.link_id is not null
        and l.workspace_id = (select p_workspace_id)
        and l.link_id = item.link_id
        and l.is_current
        and (not l.from_secret_key, l.occurred_at, l.item_id)
          <= (not p_from_secret_key, item.occurred_at, item.id collate "C")
      limit 1
    ) link on true
    left join lateral (
      select true as are_there
      from read_identities(item.identities) as said
      left join lateral (
        select true as is_known
        from identities i
        where i.workspace_id = (select p_workspace_id)
          and i.namespace = said.namespace
          and i.value_hash = said.value_hash
        offset 0
      ) known on true
      where known.is_known is null
      limit 1
    ) strangers on true
    left join lateral (
      select true as is_known
      from identities i
      cross join lateral (
        select coalesce(
          item.account_id,
          (select owner.account_id from domain_owner(p_workspace_id, item.account_domain) owner),
          item.account_domain
        ) as account_id
        offset 0
      ) named
      cross join lateral account_at(p_workspace_id, i.person_id, item.occurred_at) held
      join accounts a on a.workspace_id = (select p_workspace_id) and a.id = named.account_id
      where item.has_account
        and i.workspace_id = (select p_workspace_id)
        and i.namespace = item.namespace
        and i.value_hash = item.value_hash
        and (item.account_id is null or not a.is_domain)
        and (
          item.account_id is null or item.account_domain is null or exists (
            select
            from account_domains d
            where d.workspace_id = (select p_workspace_id)
              and d.domain = item.account_domain
              and d.account_id = item.account_id
              and not d.is_put
              and d.claimed_at <= item.occurred_at
          )
        )
        and named.account_id = held.account_id
      offset 0
    ) account on true
    left join lateral (
      select true as is_known
      from read_identities(item.identities) as held
      join identities i
        on i.workspace_id = (select p_workspace_id)
        and i.namespace = held.namespace
        and i.value_hash = held.value_hash
      cross join lateral (select i.id::text as source_id offset 0) address
      join account_facts f
        on f.workspace_id = (select p_workspace_id) and f.source = 'email' and f.source_id = address.source_id
      where item.email_domain is not null
        and held.namespace = 'email'
        and f.occurred_at <= item.occurred_at
      offset 0
    ) address on true;

    if v_is_news then
      raise exception using errcode = 'TL001';
    end if;
  exception when sqlstate 'TL001' then
    perform pg_advisory_xact_lock(v_lock);
  end;

  if not v_is_news and not v_has_strangers and not v_has_accounts then
    return;
  end if;

  -- Items that are already stored, or will not be stored, assert nothing. This is checked under the lock.
  select coalesce(jsonb_agg(item.value), '[]') into p_items
  from read_items(p_items) item
  left join lateral (
    select true as is_stored
    from touchpoints t
    where p_resource = 'touchpoints' and t.workspace_id = (select p_workspace_id) and t.id = item.id
    union all
    select true
    from conversions c
    where p_resource = 'conversions' and c.workspace_id = (select p_workspace_id) and c.id = item.id
    union all
    select true
    from person_updates u
    where p_resource = 'people' and u.workspace_id = (select p_workspace_id) and u.id = item.id
    offset 0
  ) stored on true
  where stored.is_stored is null
    and (
      p_resource <> 'conversions' or exists (
        select
        from goals g
        where g.workspace_id = (select p_workspace_id) and g.key = item.goal and g.archived_at is null
      )
    )
    and not (
      (select exists (select from tombstones dead where dead.workspace_id = (select p_workspace_id)))
      and exists (
        select
        from read_identities(item.identities) as said
        join tombstones dead
          on dead.workspace_id = (select p_workspace_id)
          and dead.namespace = said.namespace
          and dead.value_hash = said.value_hash
        where dead.erased_at >= item.occurred_at
      )
    )
    -- A person cannot be their own advocate.
    and not (
      item.referrer_hash is not null and exists (
        select
        from identities own
        join identities referrer
          on referrer.workspace_id = (select p_workspace_id)
          and referrer.namespace = item.referrer_namespace
          and referrer.value_hash = item.referrer_hash
        where own.workspace_id = (select p_workspace_id)
          and own.namespace = item.namespace
          and own.value_hash = item.value_hash
          and own.person_id = referrer.person_id
      )
    )
    and not (
      p_resource = 'touchpoints'
      and (select exists (
        select from person_updates u where u.workspace_id = (select p_workspace_id) and not u.analytics_consent
      ))
      and exists (
        select
        from read_identities(item.identities) as said
        join identities i
          on i.workspace_id = (select p_workspace_id)
          and i.namespace = said.namespace
          and i.value_hash = said.value_hash
        where (
          select u.analytics_consent
          from person_updates u
          where u.workspace_id = (select p_workspace_id)
            and u.person_id = i.person_id
            and u.analytics_consent is not null
            and u.occurred_at <= item.occurred_at
          order by u.occurred_at desc, u.id desc
          limit 1
        ) is false
      )
    );

  -- Groups: items that share an identity have one proposed person, and items that share a person belong together. Where
  -- the people of a group and its new identities fit in one person, every fact of the group will be applied. Otherwise
  -- its new identities start alone, and settle_links decides.
  if v_is_news then
    select array_agg(distinct (item.value ->> 'person_id')::uuid) into v_groups from read_items(p_items) item;
    select array_agg(n order by n) into v_parents from generate_subscripts(v_groups, 1) n;
    for v_pair in
      select distinct min(known.place) over (partition by known.person_id) as one, known.place as other
      from (
        select distinct i.person_id, array_position(v_groups, (item.value ->> 'person_id')::uuid) as place
        from read_items(p_items) item
        cross join lateral read_identities(item.identities) as said
        cross join lateral (
          select i.person_id
          from identities i
          where i.workspace_id = (select p_workspace_id)
            and i.namespace = said.namespace
            and i.value_hash = said.value_hash
          offset 0
        ) i
      ) known
    loop
      v_a := v_pair.one;
      while v_parents[v_a] <> v_a loop
        v_a := v_parents[v_a];
      end loop;
      v_b := v_pair.other;
      while v_parents[v_b] <> v_b loop
        v_b := v_parents[v_b];
      end loop;
      v_parents[greatest(v_a, v_b)] := least(v_a, v_b);
    end loop;
    for n in 1 .. coalesce(cardinality(v_parents), 0) loop
      v_parents[n] := v_parents[v_parents[n]];
    end loop;

    with said as materialized (
      select distinct v_parents[array_position(v_groups, (item.value ->> 'person_id')::uuid)] as root, said.namespace,
        said.value_hash, known.person_id
      from read_items(p_items) item
      cross join lateral read_identities(item.identities) as said
      left join lateral (
        select i.person_id
        from identities i
        where i.workspace_id = (select p_workspace_id)
          and i.namespace = said.namespace
          and i.value_hash = said.value_hash
        offset 0
      ) known on true
    ), sizes as (
      select said.root, 1 as identities, (said.namespace = 'user_id')::int as users
      from said
      where said.person_id is null
      union all
      select known.root, held.identities, held.users
      from (select distinct root, person_id from said where person_id is not null) known
      cross join lateral (
        select count(*)::int as identities, (count(*) filter (where i.namespace = 'user_id'))::int as users
        from identities i
        where i.workspace_id = (select p_workspace_id) and i.person_id = known.person_id
      ) held
    ), contested as (
      select root
      from sizes
      group by root
      having sum(identities) > 100 or sum(users) > 1 or has_pending_links(p_workspace_id)
    )
    select coalesce(array_agg(v_groups[n]), '{}') into v_contested
    from generate_subscripts(v_groups, 1) n
    where v_parents[n] in (select root from contested);
  end if;

  -- New identities. An identity joins the person of another identity of its item (the oldest), else the proposed
  -- person. People are created from the rows that were actually inserted, so that no empty person is left if a
  -- concurrent batch inserted an identity first.
  with said as materialized (
    select item.position, (item.value ->> 'person_id')::uuid as proposed_id, said.namespace, said.value_hash, said.value,
      known.person_id
    from jsonb_array_elements(p_items) with ordinality item (value, position)
    cross join lateral read_identities(item.value -> 'identities') as said
    left join lateral (
      select i.person_id
      from identities i
      where i.workspace_id = (select p_workspace_id)
        and i.namespace = said.namespace
        and i.value_hash = said.value_hash
      offset 0
    ) known on true
  ), owner as (
    select position, coalesce((array_agg(person_id order by person_id) filter (where person_id is not null))[1],
      (array_agg(proposed_id))[1]) as person_id, (array_agg(proposed_id))[1] = any (v_contested) as is_contested
    from said
    group by position
  ), strangers as (
    select said.namespace, said.value_hash, bool_or(owner.is_contested) as is_contested,
      (array_agg(owner.person_id order by said.position))[1] as person_id,
      (array_agg(said.value order by said.position))[1] as value
    from said
    join owner on owner.position = said.position
    where said.person_id is null
    group by said.namespace, said.value_hash
  ), inserted as (
    insert into identities (workspace_id, namespace, value_hash, hash_version, person_id, value)
    select p_workspace_id, s.namespace, s.value_hash, p_hash_version,
      case when s.is_contested then uuid_v7() else s.person_id end, s.value
    from strangers s
    order by s.namespace, s.value_hash
    on conflict do nothing
    returning person_id
  )
  insert into people (workspace_id, id)
  select distinct p_workspace_id, person_id
  from inserted
  order by person_id
  on conflict do nothing;

  if not v_is_news then
    if v_has_accounts then
      perform keep_account_facts(p_workspace_id, p_resource, p_items, false);
    end if;
    return;
  end if;

  -- A fact is dated by the earliest item that asserts it. A new fact is not applied yet, so it starts as skipped; a fact
  -- that gets an earlier date keeps its state.
  with asserted as materialized (
    select distinct on (item.link_id, known.id) item.link_id, known.id as identity_id, item.occurred_at, item.id as item_id,
      bool_or(said.namespace = 'user_id') over (partition by item.link_id) as holds_user_id
    from read_items(p_items) item
    cross join lateral read_identities(item.identities) as said
    cross join lateral (
      select i.id
      from identities i
      where i.workspace_id = (select p_workspace_id)
        and i.namespace = said.namespace
        and i.value_hash = said.value_hash
      offset 0
    ) known
    where item.link_id is not null
    order by item.link_id, known.id, item.occurred_at, item.id collate "C"
  ), news as materialized (
    select asserted.*, earlier.assertions, coalesce(stored.skipped, true) as skipped
    from asserted
    cross join lateral (
      select coalesce(max(l.assertion), 0) as assertions
      from identity_links l
      where l.workspace_id = (select p_workspace_id) and l.link_id = asserted.link_id
        and l.identity_id = asserted.identity_id
    ) earlier
    left join lateral (
      select l.skipped, l.from_secret_key, l.occurred_at, l.item_id
      from identity_links l
      where l.workspace_id = (select p_workspace_id) and l.link_id = asserted.link_id
        and l.identity_id = asserted.identity_id and l.is_current
    ) stored on true
    where stored.item_id is null
      or (not p_from_secret_key, asserted.occurred_at, asserted.item_id collate "C")
        < (not stored.from_secret_key, stored.occurred_at, stored.item_id)
  ), superseded as (
    update identity_links l set is_current = false, pending = false
    from news
    where l.workspace_id = (select p_workspace_id) and l.link_id = news.link_id and l.identity_id = news.identity_id
      and l.is_current
  ), kept as (
    insert into identity_links (
      workspace_id, link_id, identity_id, assertion, from_secret_key, occurred_at, resource, item_id, skipped, holds_user_id
    )
    select p_workspace_id, news.link_id, news.identity_id, news.assertions + 1, p_from_secret_key, news.occurred_at,
      p_resource, news.item_id, news.skipped, news.holds_user_id
    from news
  )
  select array_agg(distinct news.link_id) into v_links
  from news
  where news.skipped;

  perform settle_links(p_workspace_id, v_links, '{}', 1000);

  if v_has_accounts then
    perform keep_account_facts(p_workspace_id, p_resource, p_items, true);
  end if;

  return query
  select distinct item.id
  from read_items(p_items) item
  cross join lateral (
    select l.skipped
    from identity_links l
    where l.workspace_id = (select p_workspace_id) and l.link_id = item.link_id and l.is_current
    limit 1
  ) link
  where item.link_id is not null and link.skipped;
end
$$;
--> statement-breakpoint
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
--> statement-breakpoint
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
--> statement-breakpoint
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
--> statement-breakpoint
-- settle_pending_links: one step of settling the link facts that wait; see settle_links.
--   p_budget  facts to look at
-- Result: whether anything is left.
-- Locks: the exclusive lock of resolve_people, for this step alone.
create or replace function settle_pending_links(p_workspace_id uuid, p_budget int) returns boolean
language plpgsql set plan_cache_mode = force_custom_plan as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('resolve_people ' || p_workspace_id::text, 0));
  return settle_links(p_workspace_id, '{}', '{}', p_budget);
end
$$;
--> statement-breakpoint
-- skipped_links: the skipped facts of an identity beyond a place in the order, in that order.
--   p_holds_user_id  false: only facts without a user_id; null: all
--   p_limit          about so many: those that tie with the last one in the columns of the index come too
-- `is_cut` marks the last row if there may be more.
create or replace function skipped_links(
  p_workspace_id uuid, p_identity_id bigint, p_holds_user_id boolean, p_precedence smallint, p_occurred_at timestamptz,
  p_item_id text, p_resource text, p_link_id bytea, p_limit int
) returns table (
  precedence smallint, occurred_at timestamptz, item_id text, resource text, link_id bytea, is_cut boolean
) language sql stable as $$
  select l.*, count(*) over () >= p_limit
    and row_number() over (order by l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id) = count(*) over ()
  from (
    select l.*
    from (values (false), (true)) kind (holds_user_id)
    cross join lateral (
      select l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id
      from identity_links l
      where l.workspace_id = (select p_workspace_id) and l.identity_id = p_identity_id
        and l.holds_user_id = kind.holds_user_id and l.is_current and l.skipped
        and (l.precedence, l.occurred_at, l.item_id) >= (p_precedence, p_occurred_at, p_item_id collate "C")
        and (l.precedence, l.occurred_at, l.item_id, l.resource, l.link_id)
          > (p_precedence, p_occurred_at, p_item_id collate "C", p_resource, p_link_id)
      order by l.precedence, l.occurred_at, l.item_id
      fetch first (p_limit) rows with ties
    ) l
    where p_holds_user_id is null or kind.holds_user_id = p_holds_user_id
    order by l.precedence, l.occurred_at, l.item_id
    fetch first (p_limit) rows with ties
  ) l
$$;
--> statement-breakpoint
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
--> statement-breakpoint
-- uuid_v7: a new id that sorts by creation time, like the ids that the Worker creates (RFC 9562, version 7).
--   uuid_v7() → 0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3
create or replace function uuid_v7() returns uuid language sql volatile as $$
  select encode(
    set_bit(set_bit(overlay(
      uuid_send(gen_random_uuid())
      placing substring(int8send(floor(extract(epoch from clock_timestamp()) * 1000)::bigint) from 3) from 1 for 6
    ), 52, 1), 53, 1),
    'hex'
  )::uuid
$$;
--> statement-breakpoint
-- workspace_in_force: the workspace that the transaction named; null, and so no rows, if it named none. Policies use it
-- as an uncorrelated subquery, which is evaluated once and is a plain value for an index.
create or replace function workspace_in_force() returns uuid language sql stable as $$
  select nullif(current_setting('throughline.workspace_id', true), '')::uuid
$$;
--> statement-breakpoint
-- count_disjoint: the greatest number of intervals on a line of which no two overlap.
--   p_begin, p_end  positions, both inside the interval, in the order of p_end: it is optimal to take the interval that
--                   ends first, then the first to end of those that begin after it, and so on
--
--   count_disjoint(begin_place, end_place order by end_place)
create or replace aggregate count_disjoint (int, int) (
  sfunc = count_disjoint_next, stype = int[], initcond = '{0,-1}', finalfunc = count_disjoint_total, parallel = safe
);
