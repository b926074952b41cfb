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
