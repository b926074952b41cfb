-- begin_settling_credit: the first statement of a step that settles sums of credit (ADR 31). It says whether sums may be
-- computed in this transaction, as its result and as the setting throughline.settling_credit:
--   none     the workspace keeps no sums
--   busy     another step is running
--   foreign  the database is a copy of another one, whose snapshots mean nothing here; end_settling_credit begins anew
--   new      there is no horizon yet; end_settling_credit stores one
--   waiting  a transaction that ran when the horizon was stored has not ended
--   ready    all have ended: what the horizon sees, and what they did, is visible
-- A transaction that ran then has an earlier id than the step that stored the horizon, because steps follow each other. Its
-- id may be above the xmax of the next horizon, which is only the latest id that had ended, so that does not tell.
-- Locks: an advisory lock, to the end of the transaction, so that one step of a workspace runs at a time.
create or replace function begin_settling_credit(p_workspace_id uuid) returns text
language plpgsql set plan_cache_mode = force_custom_plan set jit = off as $$
declare
  v_row record;
  v_status text;
begin
  if pg_try_advisory_xact_lock(hashtextextended('settle_credit ' || p_workspace_id::text, 0)) then
    select h.horizon, h.written_by, h.written_by::xid = h.xmin as is_own into v_row
    from credit_horizons h
    where h.workspace_id = (select p_workspace_id);
    v_status := case
      when not found then 'none'
      when not v_row.is_own then 'foreign'
      when v_row.horizon is null then 'new'
      when pg_snapshot_xmin(pg_current_snapshot()) < v_row.written_by then 'waiting'
      else 'ready'
    end;
  else
    v_status := 'busy';
  end if;
  perform set_config('throughline.settling_credit', v_status, true);
  return v_status;
end
$$;
--> statement-breakpoint
-- credit_settings: the settings of goals that sums of credit depend on, as a text to compare with.
create or replace function credit_settings(p_workspace_id uuid, p_goals text[]) returns text
language sql stable as $$
  select coalesce(string_agg(format('%s %s %s', g.key, g.counting, g.lookback_days), ', ' order by g.key), '')
  from goals g
  where g.workspace_id = (select p_workspace_id) and g.key = any(p_goals)
$$;
--> statement-breakpoint
-- credit_watch: what changes of a workspace have to be marked for its sums of credit (ADR 31).
-- Result: no row if it keeps none. Otherwise one row:
--   next_horizon  the newest snapshot that settling stored; null before the first
--   goals         the goals of the kept questions, and those of their milestones
--   has_accounts  a question has the scope `account`
--   has_kinds     a question filters kinds, so that kinds without credit count as well
create or replace function credit_watch(p_workspace_id uuid)
returns table (next_horizon pg_snapshot, goals text[], has_accounts boolean, has_kinds boolean)
language sql stable set plan_cache_mode = force_custom_plan set jit = off as $$
  select h.next_horizon, kept.goals, kept.has_accounts, kept.has_kinds
  from credit_horizons h
  cross join lateral (
    select array_agg(distinct goal.key) as goals, bool_or(q.question ->> 'scope' = 'account') as has_accounts,
      bool_or(q.question #> '{where,kind}' is not null) as has_kinds
    from credit_questions q
    cross join lateral unnest(q.goals) goal (key)
    where q.workspace_id = h.workspace_id and q.kept_at is not null
  ) kept
  where h.workspace_id = (select p_workspace_id) and kept.goals is not null
$$;
--> statement-breakpoint
-- end_settling_credit: the last statement of a step that settles sums of credit. It stores the next horizon, stops keeping
-- the sums of questions that were not asked for a month, have too many groups or the days of a former time zone, deletes
-- rows that are not needed any more, and chooses what the next step computes.
--   p_question   only this question; null: any
--   p_days       the most days of a step
--   p_age        a day that was settled less long ago is left alone, so that settling ends under constant writes
--   p_max_cells  the most rows that the sums of a question may have
-- A month whose days are settled and which has no sums of its own is computed with its last day.
-- Result: {"status": …, "is_left": more is left to do} and, if something is to be computed, "question_id",
-- "question", "currency" (that of the workspace), "first_day" and "last_day", both included. The newest days come first.
-- Days to compare with are columns of steps: under row level security an expression with a time zone reaches no index.
create or replace function end_settling_credit(
  p_workspace_id uuid, p_question uuid, p_days int, p_age interval, p_max_cells int
) returns jsonb
language plpgsql set plan_cache_mode = force_custom_plan set jit = off as $$
declare
  v_rows constant int := 2000;
  v_status text := current_setting('throughline.settling_credit', true);
  v_horizon pg_snapshot;
  v_question record;
  v_gone int;
  v_is_left boolean := false;
  v_next jsonb;
begin
  if v_status in ('none', 'busy') then
    return jsonb_build_object('status', v_status, 'is_left', false);
  end if;

  if v_status = 'foreign' then
    delete from credit_days d where d.workspace_id = (select p_workspace_id);
    delete from credit_months m where m.workspace_id = (select p_workspace_id);
    update credit_questions q
    set noticed_by = null, usable_from = null
    where q.workspace_id = (select p_workspace_id);
    -- Marks of the other database may name transactions that are still to come here, which no horizon would see.
    delete from credit_marks gone
    where gone.workspace_id = (select p_workspace_id) and gone.id = any(array(
      select m.id
      from credit_marks m
      where m.workspace_id = (select p_workspace_id)
      limit v_rows
    ));
    get diagnostics v_gone = row_count;
    if v_gone = v_rows then
      return jsonb_build_object('status', v_status, 'is_left', true);
    end if;
    update credit_horizons h
    set horizon = null, next_horizon = pg_current_snapshot(), written_by = pg_current_xact_id()
    where h.workspace_id = (select p_workspace_id);
  elsif v_status in ('new', 'ready') then
    update credit_horizons h
    set horizon = h.next_horizon, next_horizon = pg_current_snapshot(), written_by = pg_current_xact_id()
    where h.workspace_id = (select p_workspace_id);
    -- Transactions that did not know of a question began before the step that noticed it ended, so their ids are less than
    -- that of the step after it.
    update credit_questions q
    set noticed_by = coalesce(q.noticed_by, pg_current_xact_id()),
      usable_from = case when q.noticed_by is not null then pg_current_xact_id() end
    where q.workspace_id = (select p_workspace_id) and q.kept_at is not null and q.usable_from is null;
  end if;
  select h.horizon into v_horizon from credit_horizons h where h.workspace_id = (select p_workspace_id);

  for v_question in
    update credit_questions q
    set kept_at = null, noticed_by = null, usable_from = null, refused_at = case when q.cells > p_max_cells then now() end
    where q.workspace_id = (select p_workspace_id) and q.kept_at is not null
      and (
        q.cells > p_max_cells or q.asked_on < (now() at time zone 'UTC')::date - 30
        or q.timezone <> (select w.timezone from workspaces w where w.id = (select p_workspace_id))
      )
    returning q.id
  loop
    delete from credit_days d where d.workspace_id = (select p_workspace_id) and d.question_id = v_question.id;
    delete from credit_months m where m.workspace_id = (select p_workspace_id) and m.question_id = v_question.id;
    delete from credit_totals t where t.workspace_id = (select p_workspace_id) and t.question_id = v_question.id;
  end loop;

  for v_question in
    select q.id
    from credit_questions q
    where q.workspace_id = (select p_workspace_id) and q.kept_at is null and q.cells > 0
  loop
    delete from credit_cells x
    where x.ctid = any(array(
      select old.ctid
      from credit_cells old
      where old.workspace_id = (select p_workspace_id) and old.question_id = v_question.id
      limit v_rows
    ));
    get diagnostics v_gone = row_count;
    update credit_questions q
    set cells = case when v_gone < v_rows then 0 else greatest(q.cells - v_gone, 1) end
    where q.workspace_id = (select p_workspace_id) and q.id = v_question.id;
    v_is_left := v_is_left or v_gone = v_rows;
  end loop;
  delete from credit_questions q
  where q.workspace_id = (select p_workspace_id) and q.kept_at is null and q.cells = 0
    and q.asked_on < (now() at time zone 'UTC')::date - 30;

  -- A mark is needed while the sums of a day of its goal do not take it into account.
  delete from credit_marks gone
  where gone.workspace_id = (select p_workspace_id) and gone.id = any(array(
    select m.id
    from credit_marks m
    where m.workspace_id = (select p_workspace_id) and pg_visible_in_snapshot(m.made_by, v_horizon)
      and not exists (
        select
        from (
          select q.id, (m.from_at at time zone q.timezone)::date as first_day, (m.until_at at time zone q.timezone)::date as last_day
          from credit_questions q
          where q.workspace_id = (select p_workspace_id) and m.goal = any(q.goals)
          offset 0
        ) q
        cross join lateral (
          select d.horizon
          from credit_days d
          where d.workspace_id = (select p_workspace_id) and d.question_id = q.id and d.day between q.first_day and q.last_day
          offset 0
        ) d
        where not pg_visible_in_snapshot(m.made_by, d.horizon)
        offset 0
      )
    limit v_rows
  ));
  get diagnostics v_gone = row_count;
  v_is_left := v_is_left or v_gone = v_rows;

  -- Until the horizon is good for a question, its sums cannot be computed yet.
  v_is_left := v_is_left or exists (
    select
    from credit_questions q
    where q.workspace_id = (select p_workspace_id) and q.kept_at is not null
      and (q.usable_from is null or v_horizon is null or pg_snapshot_xmin(v_horizon) < q.usable_from)
  );

  select jsonb_build_object(
    'question_id', q.id, 'question', q.question, 'first_day', wanted.first_day, 'last_day', wanted.last_day,
    'currency', (select w.currency from workspaces w where w.id = (select p_workspace_id))
  ) into v_next
  from credit_questions q
  cross join lateral (select credit_settings(p_workspace_id, q.goals) as settings offset 0) goals
  cross join lateral (
    select min(w.day) filter (where w.day > w.newest - p_days) as first_day, max(w.day) as last_day
    from (
      select w.day, max(w.day) over () as newest
      from (
        select listed.day
        from (
          select g.day::date as day
          from generate_series(q.since::timestamp, (now() at time zone q.timezone)::date::timestamp, interval '1 day') g (day)
        ) listed
        where listed.day <> all(array(
          select d.day
          from credit_days d
          where d.workspace_id = (select p_workspace_id) and d.question_id = q.id and d.settings = goals.settings
            and pg_snapshot_xmin(d.horizon) >= q.usable_from
        ))
        union all
        select (kept.month + interval '1 month')::date - 1
        from (
          select date_trunc('month', d.day::timestamp)::date as month, count(*) as days
          from credit_days d
          where d.workspace_id = (select p_workspace_id) and d.question_id = q.id and d.settings = goals.settings
            and pg_snapshot_xmin(d.horizon) >= q.usable_from
          group by 1
        ) kept
        where kept.days = (kept.month + interval '1 month')::date - kept.month and not exists (
          select
          from credit_months m
          where m.workspace_id = (select p_workspace_id) and m.question_id = q.id and m.month = kept.month
          offset 0
        ) and not exists (
          select
          from credit_marks k
          where k.workspace_id = (select p_workspace_id) and not k.is_added and k.goal = any(q.goals)
            and (k.from_at at time zone q.timezone)::date < (kept.month + interval '1 month')::date
            and (k.until_at at time zone q.timezone)::date >= kept.month
          offset 0
        )
        union all
        select d.day
        from (
          select m.made_by, (m.from_at at time zone q.timezone)::date as first_day,
            (m.until_at at time zone q.timezone)::date as last_day
          from credit_marks m
          where m.workspace_id = (select p_workspace_id) and m.goal = any(q.goals)
            and pg_visible_in_snapshot(m.made_by, v_horizon)
          offset 0
        ) m
        cross join lateral (
          select d.day, d.horizon, d.settled_at
          from credit_days d
          where d.workspace_id = (select p_workspace_id) and d.question_id = q.id
            and d.day between m.first_day and m.last_day
          offset 0
        ) d
        where not pg_visible_in_snapshot(m.made_by, d.horizon) and d.settled_at not between now() - p_age and now()
      ) w
    ) w
  ) wanted
  where q.workspace_id = (select p_workspace_id) and q.kept_at is not null and (p_question is null or q.id = p_question)
    and pg_snapshot_xmin(v_horizon) >= q.usable_from
    and wanted.last_day is not null
  order by q.asked_on desc, q.id
  limit 1;
  return jsonb_build_object('status', v_status, 'is_left', v_is_left) || coalesce(v_next, '{}');
end
$$;
--> statement-breakpoint
-- mark_credit: marks the conversions whose figures may change because of what happened to some people, or at some
-- accounts, from an instant on: theirs between that instant and another one, both included.
--   p_next_horizon, p_goals, p_has_accounts  as credit_watch returns them
--   p_people, p_accounts, …    in parallel; an account may be null
--   p_recorders                new touchpoints: conversions that they recorded are new as well, and get a mark of their own
-- A conversion that already has a mark which the next horizon does not see needs no other one: it is not in any sum yet, or
-- its day is open; and settling takes that mark into account only when this transaction has ended.
-- Bound: of a person, or an account, and a goal, the first 1,000 conversions are marked one by one. If there are so many,
-- one mark spans all later ones.
-- Equalities beside the bounds: with bounds alone the planner reads all conversions in the order of time, for each person.
-- The planner overestimates the statement and would compile it, which takes seconds; so compilation is off.
create or replace function mark_credit(
  p_workspace_id uuid, p_next_horizon pg_snapshot, p_goals text[], p_has_accounts boolean,
  p_people uuid[], p_accounts text[], p_since timestamptz[], p_until timestamptz[], p_recorders text[] default '{}'
) returns void
language sql set plan_cache_mode = force_custom_plan set jit = off as $$
  with said as materialized (
    select person_id, account_id, since, until
    from unnest(p_people, p_accounts, p_since, p_until) said (person_id, account_id, since, until)
  ), found as materialized (
    select found.*, person.until
    from (select person_id, min(since) as since, max(until) as until from said group by person_id offset 0) person
    cross join unnest(p_goals) goal (key)
    cross join lateral (
      select c.goal, c.occurred_at, c.id, c.touchpoint_id, row_number() over (order by c.occurred_at) as nth
      from conversions c
      where c.workspace_id = (select p_workspace_id) and c.person_id = person.person_id and c.goal = goal.key
        and (c.person_id, c.goal, c.occurred_at) >= (person.person_id, goal.key, person.since)
        and (c.person_id, c.goal, c.occurred_at) <= (person.person_id, goal.key, person.until)
      order by c.occurred_at
      limit 1000
      offset 0
    ) found
    union all
    select found.*, account.until
    from (
      select account_id, min(since) as since, max(until) as until
      from said
      where p_has_accounts and account_id is not null
      group by account_id
      offset 0
    ) account
    cross join unnest(p_goals) goal (key)
    cross join lateral (
      select c.goal, c.occurred_at, c.id, c.touchpoint_id, row_number() over (order by c.occurred_at) as nth
      from conversions c
      where c.workspace_id = (select p_workspace_id) and c.account_id = account.account_id and c.goal = goal.key
        and c.account_id is not null
        and (c.account_id, c.goal, c.occurred_at) >= (account.account_id, goal.key, account.since)
        and (c.account_id, c.goal, c.occurred_at) <= (account.account_id, goal.key, account.until)
      order by c.occurred_at
      limit 1000
      offset 0
    ) found
  )
  insert into credit_marks (workspace_id, goal, from_at, until_at, conversion_id, is_added, made_by)
  select distinct p_workspace_id, f.goal, f.occurred_at, case when f.nth = 1000 then f.until else f.occurred_at end,
    case when f.nth < 1000 then f.id end, false, pg_current_xact_id()
  from found f
  where f.nth = 1000 or (f.touchpoint_id is null or f.touchpoint_id <> all (p_recorders)) and not exists (
    select
    from credit_marks m
    where m.workspace_id = (select p_workspace_id) and m.conversion_id = f.id and m.from_at = f.occurred_at
      and (p_next_horizon is null or not pg_visible_in_snapshot(m.made_by, p_next_horizon))
    offset 0
  )
$$;
--> statement-breakpoint
-- mark_credit_of_adjustments: trigger function, after a statement that added or deleted adjustments (`changed`). It marks
-- their conversions and, because a retracted conversion counts no more, later ones of the same person or account. The
-- conversion of an adjustment that waits for it is marked when it comes.
create or replace function mark_credit_of_adjustments() returns trigger
language plpgsql set plan_cache_mode = force_custom_plan set jit = off as $$
declare
  v_watch record;
begin
  for v_watch in
    select here.workspace_id, watch.*
    from (select distinct a.workspace_id from changed a) here
    cross join lateral credit_watch(here.workspace_id) watch
  loop
    perform mark_credit(
      v_watch.workspace_id, v_watch.next_horizon, v_watch.goals, v_watch.has_accounts, array_agg(c.person_id),
      array_agg(c.account_id), array_agg(c.occurred_at), array_agg('infinity'::timestamptz)
    )
    from (select distinct a.conversion_id from changed a where a.workspace_id = v_watch.workspace_id) adjusted
    cross join lateral (
      select c.person_id, c.account_id, c.occurred_at
      from conversions c
      where c.workspace_id = (select v_watch.workspace_id) and c.id = adjusted.conversion_id
        and c.goal = any(v_watch.goals)
      offset 0
    ) c
    having count(*) > 0;
  end loop;
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger credit_of_added after insert on adjustments
referencing new table as changed for each statement execute function mark_credit_of_adjustments();
--> statement-breakpoint
create or replace trigger credit_of_deleted after delete on adjustments
referencing old table as changed for each statement execute function mark_credit_of_adjustments();
--> statement-breakpoint
-- mark_credit_of_conversions: trigger function, after a statement that added (`changed`), updated (`was`, `is_now`) or
-- deleted (`changed`) conversions. A new conversion is marked as added. A changed or deleted one opens its day. Both may
-- change the figures of later conversions of the same person or account: which of their touchpoints were in a journey
-- before, whether they count if the goal counts once, and their milestones.
create or replace function mark_credit_of_conversions() returns trigger
language plpgsql set plan_cache_mode = force_custom_plan set jit = off as $$
declare
  v_watch record;
begin
  if tg_op = 'UPDATE' then
    for v_watch in
      select here.workspace_id, watch.*
      from (select distinct n.workspace_id from is_now n) here
      cross join lateral credit_watch(here.workspace_id) watch
    loop
      perform mark_credit(
        v_watch.workspace_id, v_watch.next_horizon, v_watch.goals, v_watch.has_accounts, array_agg(side.person_id),
        array_agg(side.account_id), array_agg(side.occurred_at), array_agg('infinity'::timestamptz)
      )
      from was o
      join is_now n on n.workspace_id = o.workspace_id and n.id = o.id
      cross join lateral (
        values (o.person_id, o.account_id, o.occurred_at), (n.person_id, n.account_id, n.occurred_at)
      ) side (person_id, account_id, occurred_at)
      where o.workspace_id = v_watch.workspace_id and o.goal = any(v_watch.goals)
        and (o.goal, o.person_id, o.account_id, o.occurred_at, o.value, o.currency, o.touchpoint_id, o.properties)
          is distinct from (n.goal, n.person_id, n.account_id, n.occurred_at, n.value, n.currency, n.touchpoint_id, n.properties)
      having count(*) > 0;
    end loop;
    return null;
  end if;

  for v_watch in
    select here.workspace_id, watch.*
    from (select distinct c.workspace_id from changed c) here
    cross join lateral credit_watch(here.workspace_id) watch
  loop
    insert into credit_marks (workspace_id, goal, from_at, until_at, conversion_id, is_added, made_by)
    select c.workspace_id, c.goal, c.occurred_at, c.occurred_at, c.id, tg_op = 'INSERT', pg_current_xact_id()
    from changed c
    where c.workspace_id = v_watch.workspace_id and c.goal = any(v_watch.goals);

    perform mark_credit(
      v_watch.workspace_id, v_watch.next_horizon, v_watch.goals, v_watch.has_accounts, array_agg(c.person_id),
      array_agg(c.account_id), array_agg(c.occurred_at), array_agg('infinity'::timestamptz)
    )
    from changed c
    where c.workspace_id = v_watch.workspace_id and c.goal = any(v_watch.goals)
    having count(*) > 0;
  end loop;
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger credit_of_added after insert on conversions
referencing new table as changed for each statement execute function mark_credit_of_conversions();
--> statement-breakpoint
create or replace trigger credit_of_updated after update on conversions
referencing old table as was new table as is_now for each statement execute function mark_credit_of_conversions();
--> statement-breakpoint
create or replace trigger credit_of_deleted after delete on conversions
referencing old table as changed for each statement execute function mark_credit_of_conversions();
--> statement-breakpoint
-- mark_credit_of_touchpoints: trigger function, after a statement that added (`changed`), updated (`was`, `is_now`) or
-- deleted (`changed`) touchpoints. It marks the conversions whose journeys they may be in: those of the same person or
-- account from the touchpoint's time on, for the longest lookback.
create or replace function mark_credit_of_touchpoints() returns trigger
language plpgsql set plan_cache_mode = force_custom_plan set jit = off as $$
declare
  v_watch record;
begin
  if tg_op = 'UPDATE' then
    for v_watch in
      select changed.workspace_id, watch.*
      from (select distinct n.workspace_id from is_now n) changed
      cross join lateral credit_watch(changed.workspace_id) watch
    loop
      perform mark_credit(
        v_watch.workspace_id, v_watch.next_horizon, v_watch.goals, v_watch.has_accounts, array_agg(side.person_id),
        array_agg(side.account_id), array_agg(o.occurred_at), array_agg(o.occurred_at + interval '366 days')
      )
      from was o
      join is_now n on n.workspace_id = o.workspace_id and n.id = o.id
      cross join lateral (values (o.person_id, o.account_id), (n.person_id, n.account_id)) side (person_id, account_id)
      where o.workspace_id = v_watch.workspace_id
        and (v_watch.has_kinds or o.kind <> all ('{event,view,other}'))
        and (o.person_id, o.account_id, o.voided_at, o.channel, o.source, o.medium, o.campaign, o.content, o.term, o.direction,
             o.stage, o.conversation, o.topic)
          is distinct from (n.person_id, n.account_id, n.voided_at, n.channel, n.source, n.medium, n.campaign, n.content,
             n.term, n.direction, n.stage, n.conversation, n.topic)
      having count(*) > 0;
    end loop;
    return null;
  end if;

  for v_watch in
    select here.workspace_id, watch.*
    from (select distinct c.workspace_id from changed c) here
    cross join lateral credit_watch(here.workspace_id) watch
  loop
    perform mark_credit(
      v_watch.workspace_id, v_watch.next_horizon, v_watch.goals, v_watch.has_accounts, array_agg(c.person_id), array_agg(c.account_id),
      array_agg(c.since), array_agg(c.until + interval '366 days'),
      case when tg_op = 'INSERT' then array(select r.id from changed r where r.workspace_id = v_watch.workspace_id) else '{}' end
    )
    from (
      select c.person_id, c.account_id, min(c.occurred_at) as since, max(c.occurred_at) as until
      from changed c
      where c.workspace_id = v_watch.workspace_id and c.voided_at is null
        and (v_watch.has_kinds or c.kind <> all ('{event,view,other}'))
      group by c.person_id, c.account_id
    ) c
    having count(*) > 0;
  end loop;
  return null;
end
$$;
--> statement-breakpoint
create or replace trigger credit_of_added after insert on touchpoints
referencing new table as changed for each statement execute function mark_credit_of_touchpoints();
--> statement-breakpoint
create or replace trigger credit_of_updated after update on touchpoints
referencing old table as was new table as is_now for each statement execute function mark_credit_of_touchpoints();
--> statement-breakpoint
create or replace trigger credit_of_deleted after delete on touchpoints
referencing old table as changed for each statement execute function mark_credit_of_touchpoints();
--> statement-breakpoint
-- query_json: runs a statement that reads, inside of the statement that calls it, and in its snapshot. It is planned only
-- when it is called. Its values are literals, which Postgres quotes: it reads a literal once, and a parameter that is cast
-- once a row.
--   p_statement  returns one row with one json value. It is a pattern of format(), with values as %n$L and the state as $1
create or replace function query_json(p_statement text, p_values text[], p_state jsonb) returns json
language plpgsql stable as $$
declare
  v_answer json;
begin
  execute format(p_statement, variadic p_values) into strict v_answer using p_state;
  return v_answer;
end
$$;
