with
  asked as materialized (
  select question, left(encode(sha256(convert_to((question)::text, 'UTF8')), 'hex'), 32)::uuid as id,
    case when case when (((first_day)::timestamp at time zone 'Europe/Berlin'::text - interval '1 hour') at time zone 'Europe/Berlin'::text)::date = (first_day) then ((first_day)::timestamp at time zone 'Europe/Berlin'::text - interval '1 hour') else (first_day)::timestamp at time zone 'Europe/Berlin'::text end = '2026-04-30T22:00:00.000Z'::timestamptz then first_day else 'infinity' end as first_day,
    last_day
  from (
    select '{"version":1,"goals":["purchase"],"group_by":["channel"],"timezone":"Europe/Berlin","scope":"person","lookback_days":null,"half_life_days":7,"weights":null,"milestones":null,"where":{},"where_conversion":{},"only_with_journey":false}'::jsonb as question, ('2026-04-30T22:00:00.000Z'::timestamptz at time zone 'Europe/Berlin'::text)::date as first_day,
      ('2026-05-31T22:00:00.000Z'::timestamptz at time zone 'Europe/Berlin'::text)::date as last_day
  ) range
), noted as materialized (
  select q.id, q.cells, q.usable_from, q.kept_at is not null as is_kept, q.asked >= 2::int and q.asked_on >= (now() at time zone 'UTC')::date
    and q.since <= ('2026-04-30T22:00:00.000Z'::timestamptz at time zone 'Europe/Berlin'::text)::date as is_noted,
    (
    select h.written_by::xid = h.xmin
    from credit_horizons h
    where h.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid)
  ) as is_own
  from credit_questions q
  where q.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and q.id = (select id from asked)
    and q.question = (select question from asked)
), settled as materialized (
  select d.day, d.horizon
  from credit_days d
  where d.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and d.question_id = (select id from noted where is_kept and is_own)
    and d.day >= (select first_day from asked) and d.day < (select last_day from asked)
    and d.settings = (select credit_settings('0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid, '{"purchase"}'::text[]))
    and pg_snapshot_xmin(d.horizon) >= (select usable_from from noted)
), unseen as materialized (
  select d.day, m.is_added, m.conversion_id
  from (
    select m.made_by, m.is_added, m.conversion_id, (m.from_at at time zone 'Europe/Berlin'::text)::date as first_day,
      (m.until_at at time zone 'Europe/Berlin'::text)::date as last_day
    from credit_marks m
    where m.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and m.goal = any('{"purchase"}'::text[])
      and exists (select from settled)
    offset 0
  ) m
  cross join lateral (
    select d.day, d.horizon
    from credit_days d
    where d.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and d.question_id = (select id from noted)
      and d.day >= m.first_day and d.day <= m.last_day
    offset 0
  ) d
  where not pg_visible_in_snapshot(m.made_by, d.horizon)
), right_days as materialized (
  select day
  from settled
  where day not in (select day from unseen where not is_added) and not (((case when (((day + 1)::timestamp at time zone 'Europe/Berlin'::text - interval '1 hour') at time zone 'Europe/Berlin'::text)::date = (day + 1) then ((day + 1)::timestamp at time zone 'Europe/Berlin'::text - interval '1 hour') else (day + 1)::timestamp at time zone 'Europe/Berlin'::text end + interval '59 minutes') at time zone 'Europe/Berlin'::text)::date <= day or ((case when (((day)::timestamp at time zone 'Europe/Berlin'::text - interval '1 hour') at time zone 'Europe/Berlin'::text)::date = (day) then ((day)::timestamp at time zone 'Europe/Berlin'::text - interval '1 hour') else (day)::timestamp at time zone 'Europe/Berlin'::text end + interval '59 minutes') at time zone 'Europe/Berlin'::text)::date < day)
),
  kept_amounts as materialized (
  select t.*
  from right_days d
  cross join lateral (
    select t.*
    from credit_totals t
    where t.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and t.question_id = (select id from noted) and t.day = d.day
    offset 0
  ) t
), "fx" as materialized (
  select jsonb_object_agg(known.currency || ' ' || known.day, coalesce(known.direct, known.there * known.onward)) as rates
  from (
    select pair.currency, pair.day, max(quoted.rate) filter (where leg.name = 'direct') as direct,
      max(quoted.rate) filter (where leg.name = 'there') as there,
      max(quoted.rate) filter (where leg.name = 'onward') as onward
    from (
      select distinct amounts.currency, amounts.day, amounts.day - 7::int as oldest
      from (select currency, day from kept_amounts) amounts
      where amounts.currency <> 'EUR'::text
    ) pair
    join lateral (
        values ('direct', pair.currency, 'EUR'::text), ('there', pair.currency, 'EUR'::text), ('onward', 'EUR'::text, 'EUR'::text)
    ) leg (name, base, quote) on leg.name = 'direct' or 'EUR'::text not in (pair.currency, 'EUR'::text)
    cross join lateral (
      select case way.is_inverse when 0 then latest.rate else 1 / latest.rate end as rate
      from (values (leg.base, leg.quote, 0), (leg.quote, leg.base, 1)) way (base, quote, is_inverse)
      cross join lateral (
        select r.date, r.rate
        from fx_rates r
        where r.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and r."from" = way.base and r."to" = way.quote
          and r.date between pair.oldest and pair.day
        order by r.date desc
        limit 1
      ) latest
      order by latest.date desc, way.is_inverse
      limit 1
    ) quoted
    group by pair.currency, pair.day
  ) known
),
  kept_totals as materialized (
  select t.*, case
    when t.currency = 'EUR' then 1
    else ((select rates from "fx") ->> (t.currency || ' ' || t.day))::numeric
    end as rate
  from kept_amounts t
), kept_rates as materialized (
  select date_trunc('month', day::timestamp)::date as month,
    md5(string_agg(concat_ws(' ', currency, day, rate), ',' order by currency collate "C", day)) as rates
  from kept_totals
  where currency <> 'EUR'::text
  group by date_trunc('month', day::timestamp)::date
), kept_months as materialized (
  select m.month
  from credit_months m
  where m.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and m.question_id = (select id from noted) and 'true' and m.currency = 'EUR'::text
    and m.rates = coalesce((select r.rates from kept_rates r where r.month = m.month), '')
    and m.month >= (select first_day from asked) and m.month < (select last_day from asked)
    and (m.month + interval '1 month')::date - m.month = (
    select count(*)
    from right_days d
    where d.day >= m.month and d.day < (m.month + interval '1 month')::date
  )
), kept_parts as materialized (
  select *, day - greatest((select first_day from asked), null) as days_before,
    null::text as interval
  from (
    select true as is_month, month as day, 'EUR'::text as currency, 1::float8 as rate from kept_months
    union all
    select false, day, currency, rate::float8
    from kept_totals
    where date_trunc('month', day::timestamp)::date not in (select month from kept_months)
  ) parts
), kept_size as materialized (
  select not exists (
    select
    from kept_parts p
    cross join lateral (
      select x.number
      from credit_cells x
      where x.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and x.question_id = (select id from noted) and x.is_month = p.is_month and x.day = p.day and x.currency = p.currency
        and x.number > 1000::int
      limit 1
    ) x
  ) as is_small
), kept_credit as materialized (
  select x.interval, x.dimensions collate "C" as dimensions,
    sum(x.new_touches + coalesce(x.repeat_touches[width_bucket(x.days_before::smallint, x.repeat_gaps) + 1], 0))::int as touchpoints,
    sum(x.influenced)::int as influenced, sum(x.assisted)::int as assisted,
    array[sum(x.credits[4::int])] as credits,
    array[coalesce(sum(x.credited_values[4::int] * x.rate), 0)] as credited_values
  from (
    select p.interval, p.days_before, p.rate, x.*
    from kept_parts p
    cross join lateral (
      select x.*
      from credit_cells x
      where x.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and x.question_id = (select id from noted) and x.is_month = p.is_month and x.day = p.day and x.currency = p.currency
      offset 0
    ) x
    where (select is_small from kept_size)
    offset 0
  ) x
  group by x.group_hash, x.interval, x.dimensions
),
  good_days as materialized (
  select day
  from right_days
  where (select (select is_small from kept_size) and (select count(*) from kept_credit) <= 1000::int)
), open_spans as materialized (
  select greatest(from_at - interval '2 hours', '2026-04-30T22:00:00.000Z'::timestamptz) as from_at, least(to_at + interval '2 hours', '2026-05-31T22:00:00.000Z'::timestamptz) as to_at
  from (
    select lag(ends_at, 1, '2026-04-30T22:00:00.000Z'::timestamptz) over (order by starts_at) as from_at, starts_at as to_at
    from (
      select starts_at, ends_at
      from (
        select case when (((day)::timestamp at time zone 'Europe/Berlin'::text - interval '1 hour') at time zone 'Europe/Berlin'::text)::date = (day) then ((day)::timestamp at time zone 'Europe/Berlin'::text - interval '1 hour') else (day)::timestamp at time zone 'Europe/Berlin'::text end as starts_at, case when (((day + 1)::timestamp at time zone 'Europe/Berlin'::text - interval '1 hour') at time zone 'Europe/Berlin'::text)::date = (day + 1) then ((day + 1)::timestamp at time zone 'Europe/Berlin'::text - interval '1 hour') else (day + 1)::timestamp at time zone 'Europe/Berlin'::text end as ends_at
        from good_days
      ) days
      where ends_at - starts_at > interval '12 hours'
      union all
      select '2026-05-31T22:00:00.000Z'::timestamptz, '2026-05-31T22:00:00.000Z'::timestamptz
    ) days
  ) spans
  where from_at < to_at
), added as materialized (
  select distinct conversion_id as id
  from unseen
  where is_added and day in (select day from good_days)
), kept_days as materialized (
  select day
  from good_days
  where (select first_day + 2 * (select count(*) from good_days)::int >= least(last_day, (now() at time zone 'Europe/Berlin'::text)::date) from asked)
    and (select not exists (
      select
      from (
        select c.*
        from open_spans s
        cross join lateral (
          select c.*
          from conversions c
          where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and c.goal = any('{"purchase"}'::text[]) and c.occurred_at >= s.from_at and c.occurred_at < s.to_at
          offset 0
        ) c
        where (c.occurred_at at time zone 'Europe/Berlin'::text)::date not in (select day from good_days)
        union all
        select c.*
        from added
        cross join lateral (
          select c.*
          from conversions c
          where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and c.goal = any('{"purchase"}'::text[]) and c.id = added.id
          offset 0
        ) c
        where c.occurred_at >= '2026-04-30T22:00:00.000Z'::timestamptz and c.occurred_at < '2026-05-31T22:00:00.000Z'::timestamptz
          and (c.occurred_at at time zone 'Europe/Berlin'::text)::date in (select day from good_days)) c
      group by c.person_id
      having count(*) > 32
  ))
),
  open as materialized (
  select case
    when exists (select from kept_days) then query_json('the statement below'::text, 'its parameters'::text[], jsonb_build_object(
        'days', (select coalesce(jsonb_agg(day), '[]') from kept_days),
        'spans', (select coalesce(jsonb_agg(s), '[]') from open_spans s),
        'added', (select coalesce(jsonb_agg(id), '[]') from added)
  ))
    else query_json('
    with
      goal_settings as materialized (
      select g.key, g.counting,
        make_interval(secs => coalesce(%1$L::float8, g.lookback_days) * %2$L::int::float8) as lookback
      from goals g
      where g.workspace_id = (select %3$L::uuid) and g.key = any(%4$L::text[])),
      reached as materialized (
      select c.id, c.person_id, c.account_id, c.goal, c.occurred_at, c.touchpoint_id, c.value, c.currency,
        (c.occurred_at at time zone %5$L)::date as day
      from (
        select *
        from conversions c
        where c.workspace_id = (select %6$L::uuid)
          and c.goal = any(%7$L::text[])
          and c.occurred_at >= %8$L::timestamptz - make_interval(secs => %9$L::int::float8)
          and c.occurred_at < %10$L::timestamptz
      ) c
    ), "fx" as materialized (
      select jsonb_object_agg(known.currency || '' '' || known.day, coalesce(known.direct, known.there * known.onward)) as rates
      from (
        select pair.currency, pair.day, max(quoted.rate) filter (where leg.name = ''direct'') as direct,
          max(quoted.rate) filter (where leg.name = ''there'') as there,
          max(quoted.rate) filter (where leg.name = ''onward'') as onward
        from (
          select distinct amounts.currency, amounts.day, amounts.day - %11$L::int::int as oldest
          from (select currency, day from reached where occurred_at >= %12$L::timestamptz) amounts
          where amounts.currency <> %13$L::text
        ) pair
        join lateral (
            values (''direct'', pair.currency, %14$L::text), (''there'', pair.currency, %15$L::text), (''onward'', %16$L::text, %17$L::text)
        ) leg (name, base, quote) on leg.name = ''direct'' or %18$L::text not in (pair.currency, %19$L::text)
        cross join lateral (
          select case way.is_inverse when 0 then latest.rate else 1 / latest.rate end as rate
          from (values (leg.base, leg.quote, 0), (leg.quote, leg.base, 1)) way (base, quote, is_inverse)
          cross join lateral (
            select r.date, r.rate
            from fx_rates r
            where r.workspace_id = (select %20$L::uuid) and r."from" = way.base and r."to" = way.quote
              and r.date between pair.oldest and pair.day
            order by r.date desc
            limit 1
          ) latest
          order by latest.date desc, way.is_inverse
          limit 1
        ) quoted
        group by pair.currency, pair.day
      ) known
    ),
      adjusted as materialized (
      select a.conversion_id
      from adjustments a
      where a.workspace_id = (select %21$L::uuid)
      order by a.conversion_id
      limit (select 4 * count(*) from reached)
    ),
      bounded as (
      select c.*, c.occurred_at - g.lookback as opens_at, ''-infinity''::timestamptz as used_up_to,
        (g.counting = ''every'' or not exists (select
          from (
            select held.id, held.occurred_at
            from conversions held
            where held.workspace_id = (select %22$L::uuid)
              and true
              and held.person_id = c.person_id
              and (held.person_id, held.goal, held.occurred_at) >= (c.person_id, c.goal, ''-infinity''::timestamptz)
              and (held.person_id, held.goal, held.occurred_at) <= (c.person_id, c.goal, c.occurred_at)) earlier
          where (earlier.occurred_at, earlier.id) < (c.occurred_at, c.id)
            and (not ((select count(*) >= (select 4 * count(*) from reached) from adjusted) or earlier.id in (select conversion_id from adjusted)) or not exists (
              select
              from adjustments a
              where a.workspace_id = (select %23$L::uuid) and a.conversion_id = earlier.id and a.kind = ''retraction''
              offset 0
      )))) as counts
      from (
        select c.*, coalesce(case when c.is_adjusted then (
            select a.value
            from adjustments a
            where a.workspace_id = (select %24$L::uuid) and a.conversion_id = c.id and a.kind = ''restatement''
            order by a.occurred_at desc, a.id desc
            limit 1
          ) end, c.value) as restated_value,
          not (not c.is_adjusted or not exists (
            select
            from adjustments a
            where a.workspace_id = (select %25$L::uuid) and a.conversion_id = c.id and a.kind = ''retraction''
            offset 0
        )) as retracted
        from (
          select c.*, case
            when c.currency = %26$L then 1
            else ((select rates from "fx") ->> (c.currency || '' '' || c.day))::numeric
            end as rate, ((select count(*) >= (select 4 * count(*) from reached) from adjusted) or c.id in (select conversion_id from adjusted)) as is_adjusted
          from reached c
          offset 0
        ) c
        offset 0
      ) c
      join goal_settings g on g.key = c.goal
    ),
      converted as materialized (
      select row_number() over (order by c.person_id, c.occurred_at, c.id) as number, row_number() over (order by c.person_id, c.occurred_at, c.id) - row_number() over entity as entity, c.id, c.person_id, c.account_id, c.goal,
        c.occurred_at, c.touchpoint_id, c.currency, null::text as interval, c.retracted, c.opens_at, c.used_up_to,
        c.restated_value is not null and c.rate is null as lacks_rate, c.value * c.rate as gross,
        c.restated_value * c.rate as net, count(*) filter (where not c.retracted) over entity > %27$L::int as is_crowded,
        lag(c.occurred_at) over entity as previous_at,
        lead(c.occurred_at) over entity - (select max(lookback) from goal_settings) as next_opens_at
      from bounded c
      where occurred_at >= %28$L::timestamptz and counts
      window entity as (
          partition by c.person_id order by c.occurred_at, c.id rows between unbounded preceding and unbounded following
      )
    ),
      crowded as materialized (
      select c.entity, c.person_id, null::text as account_id, min(greatest(c.opens_at, c.used_up_to)) as from_at, max(c.occurred_at) as to_at
      from converted c
      where c.is_crowded and not c.retracted
      group by c.entity, c.person_id
    ), listed_conversions as (
      select *
      from converted c
      where not c.is_crowded
    ),
      swept_conversions as materialized (
      select c.*, r.occurred_at as recorded_at, r.dimensions as recorded_dimensions
      from converted c
      left join lateral (
        select t.occurred_at, array[t.channel] collate "C" as dimensions
        from touchpoints t
        where t.workspace_id = (select %29$L::uuid) and t.id = c.touchpoint_id and ((true and t.person_id = c.person_id)) and t.voided_at is null and t.kind <> all(%30$L::text[])
        offset 0
      ) r on true
      where c.is_crowded and not c.retracted
    ), swept_marks as materialized (
      select *, max(place) filter (where not is_direct) over sorted as non_direct, max(touch_at) over sorted as last_at, false as by_group,
        max(group_number) over (partition by entity) as groups, max("opening") over (partition by entity) as "openings", max("interval_number") over (partition by entity) as "intervals"
      from (
        select *, count(touch_at) over sorted as place
        from (
          select c.entity, t.occurred_at as at, 0 as side, t.id, null as mark, t.occurred_at as touch_at,
            t.channel = ''direct'' as is_direct, array[t.channel] collate "C" as dimensions, null::bigint as group_number,
            null as conversion_id, null::timestamptz as recorded_at, null::text[] as recorded_dimensions, null::bigint as "number", null::text as "interval", null::numeric as "gross", null::numeric as "net", null::boolean as "retracted", null::bigint as "opening", null::bigint as "interval_number"
          from crowded c
          join touchpoints t on t.workspace_id = (select %31$L::uuid) and true and t.person_id = c.person_id
            and (t.person_id, t.occurred_at) >= (c.person_id, c.from_at)
            and (t.person_id, t.occurred_at) <= (c.person_id, c.to_at)
          where t.voided_at is null and t.kind <> all(%32$L::text[])
          union all
          select c.entity, bound.at, bound.side, bound.id, bound.mark, null, null, null, null, c.id, recorded_at,
            recorded_dimensions, c.number, c.interval, c.gross, c.net, c.retracted, dense_rank() over (partition by c.entity order by c.occurred_at - c.opens_at), dense_rank() over (partition by c.entity order by c.interval)
          from swept_conversions c
          cross join lateral (values
              (c.opens_at, -1, '''', ''opens''), (c.used_up_to, 1, '''', ''opens''), (c.occurred_at, 1, '''', ''closes''),
              (c.recorded_at, 0, c.touchpoint_id, ''before''), (c.recorded_at, 0, c.touchpoint_id, ''recorded'')
          ) bound (at, side, id, mark)
          where bound.at is not null
        ) listed
        window sorted as (partition by entity order by at, side, id collate "C", mark is distinct from ''before'')
      ) listed
      window sorted as (partition by entity order by at, side, id collate "C", mark is distinct from ''before'')
    ), crowd_touches as not materialized (
      select entity, id, touch_at as occurred_at, is_direct, dimensions, place, by_group, group_number, "openings", "intervals"
      from swept_marks
      where conversion_id is null
    ), swept_bounds as (
      select *, case when recorded_place > low and recorded_place <= high then recorded_place end as recorded
      from (
        select entity, conversion_id, bool_or(by_group) as by_group, max(groups) as groups, recorded_at, recorded_dimensions, "number", "interval", "gross", "net", "retracted", "opening", "interval_number",
          max(place) filter (where mark = ''opens'') as low, max(place) filter (where mark = ''closes'') as high,
          max(place) filter (where mark = ''recorded'') as recorded_place,
          max(last_at) filter (where mark = ''closes'') as last_at, max(last_at) filter (where mark = ''before'') as before_at,
          max(non_direct) filter (where mark = ''closes'') as non_direct,
          max(non_direct) filter (where mark = ''before'') as before_non_direct
        from swept_marks
        where conversion_id is not null
        group by entity, conversion_id, recorded_at, recorded_dimensions, "number", "interval", "gross", "net", "retracted", "opening", "interval_number"
      ) bounds
    ), swept_journeys as materialized (
      select entity, conversion_id, "number", "interval", "gross", "net", "retracted", "opening", "interval_number", by_group, groups, high - low - (recorded is not null)::int as touches,
        low, high, recorded, recorded_at, recorded_dimensions,
        case when high - low > (recorded is not null)::int then low + 1 + coalesce(recorded = low + 1, false)::int end as first,
        nullif(greatest(high - coalesce(recorded = high, false)::int, low), low) as last, case when recorded = high then before_at else last_at end as last_at,
        nullif(greatest(case when non_direct = recorded then before_non_direct else non_direct end, low), low) as last_non_direct
      from swept_bounds
    ),
      touched as (
      select c.id as conversion_id, t.id as touchpoint_id, t.occurred_at, c.number, c.interval, c.net::float8 as net, coalesce(t.occurred_at <= c.previous_at or t.occurred_at >= c.next_opens_at, false) as is_shared, t.channel as "channel"
      from listed_conversions c
      join touchpoints t on t.workspace_id = (select %33$L::uuid) and true and t.person_id = c.person_id
        and (t.person_id, t.occurred_at) >= (c.person_id, c.opens_at)
        and (t.person_id, t.occurred_at) <= (c.person_id, c.occurred_at)
      where not c.retracted and t.id is distinct from c.touchpoint_id and t.voided_at is null and t.kind <> all(%34$L::text[])
    ), ranked as materialized (
      select number, interval, "channel", net, touchpoint_id, is_shared, case when position = 1 then 1 when position = touches then least(touches, 3) else 2 end as place, least(touches, 3) as places, case when position in (1, touches) then 1 else 1::float8 / (touches - 2) end as part, 1::float8 / touches as "weight_0"
      from (
        select number, interval, "channel", net, touchpoint_id, is_shared, row_number() over journey as position, count(*) over journey as touches
        from touched touched
        window journey as (
            partition by number order by occurred_at, touchpoint_id rows between unbounded preceding and unbounded following
        ),
          earlier as (partition by number order by occurred_at, touchpoint_id rows unbounded preceding)
      ) positioned
    ),
      by_place as materialized (
      select interval, "channel", place, places, count(*) as journeys, count(*) filter (where not is_shared) as new_touchpoints, sum("weight_0") as "weight_0", sum("weight_0" * net) as "worth_0"
      from ranked
      group by interval, "channel", place, places
    ),
      swept_placed as materialized (
      select entity, null as interval, place, occurred_at, dimensions, openings
      from crowd_touches
    ), swept_pieces as materialized (
      select entity, interval, by_group, groups, net, gross, retracted, touches, piece.position::float8 as position,
        (last_non_direct - low - coalesce(recorded < last_non_direct, false)::int) as last_non_direct, piece.from_place, piece.to_place, piece.is_own,
        (piece.from_place = last)::int as is_last
      from swept_journeys
      cross join lateral (
        select place, lag(place, 1, low) over (order by place) as previous
        from (select distinct place from (values (first), (last), (recorded)) places (place) where place is not null) places
      ) own
      cross join lateral (values
          (own.place, own.place + 1, (own.place - low - coalesce(recorded < own.place, false)::int), true, own.place is distinct from recorded),
          (own.previous + 1, own.place, (own.place - low - coalesce(recorded < own.place, false)::int) - 0.5, false, own.place - own.previous > 1)
      ) piece (from_place, to_place, position, is_own, occurs)
      where touches > 0 and piece.occurs
    ), swept_events as (
      select *, (covering > 0)::int - (lag(covering, 1, 0) over (partition by entity, interval order by place) > 0)::int as covered
      from (
        select entity, interval, by_group, groups, bound.place, sum(sum(bound.sign)) over (partition by entity, interval order by bound.place) as covering, sum(bound.sign * case when retracted then 0 else case when is_own then 0 else (1::float8 / touches)::numeric end end) as "linear_net", sum(bound.sign * case when retracted then 0 else case when is_own then 0 else (1::float8 / touches)::numeric end * coalesce(net, 0) end) as "linear_value"
        from swept_pieces
        cross join lateral (values (from_place, 1), (to_place, -1)) bound (place, sign)
        group by entity, interval, by_group, groups, bound.place
      ) events
    ), swept_own as (
      select *
      from (
        select *, max(touch_dimensions) over (partition by entity, place) as dimensions
        from (
          select entity, place, dimensions as touch_dimensions, null as interval, null::int as is_last, null::float8 as net,
            null::float8 as gross, null::boolean as retracted, null::bigint as touches, null::float8 as position,
            null::bigint as last_non_direct
          from crowd_touches
          union all
          select entity, from_place, null, interval, is_last, net::float8, gross::float8, retracted, touches, position,
            last_non_direct
          from swept_pieces
          where is_own
        ) listed
      ) listed
      where touch_dimensions is null
    ), swept_credit as materialized (
      select interval, dimensions, sum(touchpoints)::bigint as touchpoints, sum(lasts)::bigint as lasts, coalesce(sum("net_0"), 0) as "net_0", coalesce(sum("value_0"), 0) as "value_0"
      from (
        select interval, dimensions, sum(covered) as touchpoints, 0 as lasts, %35$L::int::float8 * sum("linear_net")::float8 as "net_0", %36$L::int::float8 * sum("linear_value")::float8 as "value_0"
        from (
          select interval, dimensions, weight * covered as covered, weight * "linear_net" as "linear_net", weight * "linear_value" as "linear_value"
          from (
            select interval, dimensions, weight, sum(covered) over here as covered, sum("linear_net") over here as "linear_net", sum("linear_value") over here as "linear_value"
            from (
              select entity, interval, place, dimensions, 1 as weight, 0 as covered, 0 as "linear_net", 0 as "linear_value"
              from swept_placed
              union all
              select entity, interval, place, null, null, covered, "linear_net", "linear_value"
              from swept_events
              where not by_group
            ) listed
            window here as (partition by entity, interval order by place)
          ) places
          where dimensions is not null
        ) sums
        group by interval, dimensions
        union all
        select interval, dimensions, 0, sum(is_last), sum(case when retracted then 0 else 1::float8 / touches end), sum(case when retracted then 0 else 1::float8 / touches * coalesce(net, 0) end)
        from swept_own
        group by interval, dimensions
      ) credited
      group by interval, dimensions
      having sum(touchpoints) > 0
    ),
      attributed as (
      select number
      from ranked
      where place = 1
      union all
      select number
      from swept_journeys
      where touches > 0
    ),
      swept_influence as (
      select interval, dimensions, sum(influenced)::bigint as influenced
      from (
        select interval, dimensions, greatest(least(begun, coalesce(lead(ended) over (
                  partition by entity, interval, opening, dimensions order by place
              ), journeys)) - ended, 0) as influenced
        from (
          select *, count(*) filter (where mark = 1) over earlier as ended, count(*) filter (where mark = -1) over earlier as begun,
            count(*) filter (where mark = 1) over (partition by entity, interval, opening) as journeys
          from (
            select entity, interval, opening, place, 0 as mark, dimensions
            from swept_placed
            cross join lateral generate_series(1, openings) opening
            union all
            select entity, interval, opening, bound.place, bound.mark, null
            from swept_journeys
            cross join lateral (values (low + 1, -1), (high + 1, 1)) bound (place, mark)
            where not by_group
          ) listed
          window earlier as (partition by entity, interval, opening order by place)
        ) counted
        where dimensions is not null
        union all
        select interval, dimensions, -1
        from (
          select interval, dimensions, conversion_id, sum(sign * seen) as touches
          from (
            select *, count(touch) over (partition by entity, dimensions order by place) as seen
            from (
              select entity, place, dimensions, id as touch, null as interval, null as conversion_id, 0 as sign
              from (
                select *, (entity, dimensions) in (
                  select entity, recorded_dimensions from swept_journeys where recorded is not null and not by_group
                ) as records
                from crowd_touches
                offset 0
              ) touches
              where records
              union all
              select entity, bound.place, recorded_dimensions, null, interval, conversion_id, bound.sign
              from swept_journeys
              cross join lateral (values (low, -1), (high, 1)) bound (place, sign)
              where recorded is not null and not by_group
            ) listed
          ) counted
          where sign <> 0
          group by interval, dimensions, conversion_id
        ) held
        where touches = 1
      ) counted
      group by interval, dimensions
    ),
      by_group as (
      select interval, array["channel"] collate "C" as dimensions, sum(touchpoints)::int as touchpoints,
        sum(influenced)::int as influenced, sum(assisted)::int as assisted,
        sum("weight_0") as "weight_0", coalesce(sum("worth_0"), 0) as "worth_0"
      from (
        select interval, "channel", new_touchpoints as touchpoints,
          case when places = 1 then journeys else 0 end as influenced,
          case when places > 1 and place = places then -journeys else 0 end as assisted, "weight_0", "worth_0"
        from by_place
        union all
        select interval, "channel", count(*), 0, 0, 0, 0
        from (select distinct touchpoint_id, interval, "channel" from ranked where is_shared) distinct_touchpoints
        group by interval, "channel"
        union all
        select interval, "channel", 0, count(*), count(*), 0, 0
        from (select distinct number, interval, "channel" from ranked where places > 1) held
        group by interval, "channel"
        union all
        select interval, dimensions[%37$L::int::int], touchpoints, 0, -lasts, "net_0", "value_0"
        from swept_credit
        union all
        select interval, dimensions[%38$L::int::int], 0, influenced, influenced, 0, 0
        from swept_influence
        where influenced > 0
      ) counted
      group by interval, "channel"
    ), placed as materialized (
      select *, row_number() over (order by "weight_0" desc, interval, dimensions) > %39$L::int as folded
      from by_group
    ), folded_journeys as (
      select interval, bool_or(place = places) as is_last
      from (
        select *, (coalesce(interval, ''''), array["channel"] collate "C") in (
          select coalesce(interval, ''''), dimensions from placed where folded
        ) as is_folded
        from ranked
        offset 0
      ) ranked
      where is_folded
      group by interval, number
      union all
      select interval, is_last
      from (
        select interval, conversion_id, coalesce(bool_or(here > 0) filter (where mark = ''last''), false) as is_last,
          sum(case mark when ''low'' then -before when ''high'' then before when ''recorded'' then -here end) as held
        from (
          select *, sum(folded) over (partition by entity, interval order by place) as before,
            sum(folded) over (partition by entity, interval, place) as here
          from (
            select entity, interval, place, null as conversion_id, null as mark, ((coalesce(interval, ''''), dimensions) in (select coalesce(interval, ''''), dimensions from placed where folded))::int as folded
            from swept_placed
            union all
            select entity, interval, asked.place, conversion_id, asked.mark, 0
            from swept_journeys
            cross join lateral (values (low, ''low''), (high, ''high''), (recorded, ''recorded''), (last, ''last'')) asked (place, mark)
            where asked.place is not null and not by_group
          ) listed
        ) listed
        where conversion_id is not null
        group by interval, conversion_id
      ) held
      where held > 0
    ), folded as (
      select interval, sum(touchpoints)::int as touchpoints,
        (select count(*) from folded_journeys j where j.interval is not distinct from p.interval)::int as influenced,
        (select count(*) from folded_journeys j where j.interval is not distinct from p.interval and not j.is_last)::int as assisted,
        sum("weight_0") as "weight_0", sum("worth_0") as "worth_0"
      from placed p
      where folded
      group by interval
    ), answer as (
      select interval, dimensions, false as other, touchpoints, influenced, assisted, array["weight_0"] as credits, array["worth_0"] as values
      from placed
      where not folded
      union all
      select interval, null, true, touchpoints, influenced, assisted, array["weight_0"] as credits, array["worth_0"] as values
      from folded
    )
    select json_build_object(
        ''groups'', (select coalesce(json_agg(answer order by other, interval, credits[1] desc, dimensions), ''[]'') from answer),
        ''totals'', (select coalesce(json_agg(sums), ''[]'') from (
          select interval, currency, count(*) filter (where not retracted) as conversions,
            coalesce(sum(net) filter (where not retracted), 0) as value, count(*) as gross_conversions,
            coalesce(sum(gross), 0) as gross_value, count(*) filter (where is_attributed) as attributed_conversions,
            coalesce(sum(net) filter (where is_attributed), 0) as attributed_value,
            count(*) filter (where lacks_rate) as lacks_rate, count(net) as valued
          from (
            select c.*, c.number in (select number from attributed) as is_attributed
            from converted c
            offset 0
          ) c
          group by interval, currency) sums),
        ''conversions'', (select count(*) from converted)
    )'::text, '{null,"86400","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","{\"purchase\"}","Europe/Berlin","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","{\"purchase\"}","2026-04-30T22:00:00.000Z","0","2026-05-31T22:00:00.000Z","7","2026-04-30T22:00:00.000Z","EUR","EUR","EUR","EUR","EUR","EUR","EUR","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","EUR","32","2026-04-30T22:00:00.000Z","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","{\"event\",\"view\",\"other\"}","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","{\"event\",\"view\",\"other\"}","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","{\"event\",\"view\",\"other\"}","1","1","1","1","1000"}'::text[], null)
    end as answer
  where exists (select from open_spans) or exists (select from added)
), answer as (
  select interval, dimensions, other, sum(touchpoints)::int as touchpoints, sum(influenced)::int as influenced,
    sum(assisted)::int as assisted, array[sum("credits"[1::int])] as credits, array[sum("values"[1::int])] as values
  from (
    select interval, dimensions, false as other, touchpoints, influenced, assisted, credits, credited_values as values
    from kept_credit
    where exists (select from kept_days)
    union all
    select g.interval, g.dimensions collate "C", g.other, g.touchpoints, g.influenced, g.assisted, g.credits, g.values
    from open
    cross join lateral json_to_recordset(open.answer -> 'groups') g (
        interval text, dimensions text[], other boolean, touchpoints bigint, influenced bigint, assisted bigint,
        credits float8[], values float8[]
    )
  ) groups
  group by interval, dimensions, other
)
select (
  select json_agg(g.key order by g.key)
  from goals g
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{"purchase"}'::text[])) as goals, (select json_agg(totals)
  from (
    select null::text as interval,
      coalesce(sum(conversions), 0)::int as conversions, coalesce(sum(value), 0)::text as value,
      coalesce(sum(gross_conversions), 0)::int as gross_conversions, coalesce(sum(gross_value), 0)::text as gross_value,
      coalesce(sum(attributed_conversions), 0)::int as attributed_conversions,
      coalesce(sum(attributed_value), 0)::text as attributed_value, coalesce(sum(lacks_rate), 0)::int as lacks_rate
    from (
      select null::text as interval, currency, conversions, coalesce(net * rate, 0) as value,
        gross_conversions, coalesce(gross * rate, 0) as gross_value, attributed as attributed_conversions,
        coalesce(attributed_net * rate, 0) as attributed_value, case when rate is null then valued else 0 end as lacks_rate
      from kept_totals
      where exists (select from kept_days)
      union all
      select interval, currency, conversions, value, gross_conversions, gross_value, attributed_conversions,
        attributed_value, lacks_rate
      from open
      cross join lateral json_to_recordset(open.answer -> 'totals') t (
          interval text, currency text, conversions bigint, value numeric, gross_conversions bigint, gross_value numeric,
          attributed_conversions bigint, attributed_value numeric, lacks_rate bigint
    )) sums
  ) totals) as totals,
  (select coalesce(json_agg(answer order by other, interval, credits[1] desc, dimensions), '[]') from answer) as groups, json_build_object(
    'kept', (select count(*) from kept_days),
    'open', (select count(*) from settled) - (select count(*) from kept_days),
    'raw', coalesce((select (answer ->> 'conversions')::int from open), 0),
    'question', (
    select json_build_object('id', id, 'is_kept', is_kept, 'is_noted', is_noted)
    from noted
  )
) as sums;

-- The nested statement.
with kept_days as materialized (
  select day::date as day from jsonb_array_elements_text($1 -> 'days') kept (day)
), open_spans as materialized (
  select from_at, to_at from jsonb_to_recordset($1 -> 'spans') span (from_at timestamptz, to_at timestamptz)
), added as materialized (
  select id from jsonb_array_elements_text($1 -> 'added') conversion (id)
),
  goal_settings as materialized (
  select g.key, g.counting,
    make_interval(secs => coalesce(%1$L::float8, g.lookback_days) * %2$L::int::float8) as lookback
  from goals g
  where g.workspace_id = (select %3$L::uuid) and g.key = any(%4$L::text[])),
  reached as materialized (
  select c.id, c.person_id, c.account_id, c.goal, c.occurred_at, c.touchpoint_id, c.value, c.currency,
    (c.occurred_at at time zone %5$L)::date as day
  from (
    select c.*
    from open_spans s
    cross join lateral (
      select c.*
      from conversions c
      where c.workspace_id = (select %6$L::uuid) and c.goal = any(%7$L::text[]) and c.occurred_at >= s.from_at and c.occurred_at < s.to_at
      offset 0
    ) c
    where (c.occurred_at at time zone %8$L::text)::date not in (select day from kept_days)
    union all
    select c.*
    from added
    cross join lateral (
      select c.*
      from conversions c
      where c.workspace_id = (select %9$L::uuid) and c.goal = any(%10$L::text[]) and c.id = added.id
      offset 0
    ) c
    where c.occurred_at >= %11$L::timestamptz and c.occurred_at < %12$L::timestamptz
      and (c.occurred_at at time zone %13$L::text)::date in (select day from kept_days)
  ) c
), "fx" as materialized (
  select jsonb_object_agg(known.currency || ' ' || known.day, coalesce(known.direct, known.there * known.onward)) as rates
  from (
    select pair.currency, pair.day, max(quoted.rate) filter (where leg.name = 'direct') as direct,
      max(quoted.rate) filter (where leg.name = 'there') as there,
      max(quoted.rate) filter (where leg.name = 'onward') as onward
    from (
      select distinct amounts.currency, amounts.day, amounts.day - %14$L::int::int as oldest
      from (select currency, day from reached where occurred_at >= %15$L::timestamptz) amounts
      where amounts.currency <> %16$L::text
    ) pair
    join lateral (
        values ('direct', pair.currency, %17$L::text), ('there', pair.currency, %18$L::text), ('onward', %19$L::text, %20$L::text)
    ) leg (name, base, quote) on leg.name = 'direct' or %21$L::text not in (pair.currency, %22$L::text)
    cross join lateral (
      select case way.is_inverse when 0 then latest.rate else 1 / latest.rate end as rate
      from (values (leg.base, leg.quote, 0), (leg.quote, leg.base, 1)) way (base, quote, is_inverse)
      cross join lateral (
        select r.date, r.rate
        from fx_rates r
        where r.workspace_id = (select %23$L::uuid) and r."from" = way.base and r."to" = way.quote
          and r.date between pair.oldest and pair.day
        order by r.date desc
        limit 1
      ) latest
      order by latest.date desc, way.is_inverse
      limit 1
    ) quoted
    group by pair.currency, pair.day
  ) known
),
  adjusted as materialized (
  select a.conversion_id
  from adjustments a
  where a.workspace_id = (select %24$L::uuid)
  order by a.conversion_id
  limit 0
),
  bounded as (
  select c.*, c.occurred_at - g.lookback as opens_at, '-infinity'::timestamptz as used_up_to,
    (g.counting = 'every' or not exists (select
      from (
        select held.id, held.occurred_at
        from conversions held
        where held.workspace_id = (select %25$L::uuid)
          and true
          and held.person_id = c.person_id
          and (held.person_id, held.goal, held.occurred_at) >= (c.person_id, c.goal, '-infinity'::timestamptz)
          and (held.person_id, held.goal, held.occurred_at) <= (c.person_id, c.goal, c.occurred_at)) earlier
      where (earlier.occurred_at, earlier.id) < (c.occurred_at, c.id)
        and (not ((select count(*) >= 0 from adjusted) or earlier.id in (select conversion_id from adjusted)) or not exists (
          select
          from adjustments a
          where a.workspace_id = (select %26$L::uuid) and a.conversion_id = earlier.id and a.kind = 'retraction'
          offset 0
  )))) as counts
  from (
    select c.*, coalesce(case when c.is_adjusted then (
        select a.value
        from adjustments a
        where a.workspace_id = (select %27$L::uuid) and a.conversion_id = c.id and a.kind = 'restatement'
        order by a.occurred_at desc, a.id desc
        limit 1
      ) end, c.value) as restated_value,
      not (not c.is_adjusted or not exists (
        select
        from adjustments a
        where a.workspace_id = (select %28$L::uuid) and a.conversion_id = c.id and a.kind = 'retraction'
        offset 0
    )) as retracted
    from (
      select c.*, case
        when c.currency = %29$L then 1
        else ((select rates from "fx") ->> (c.currency || ' ' || c.day))::numeric
        end as rate, ((select count(*) >= 0 from adjusted) or c.id in (select conversion_id from adjusted)) as is_adjusted
      from reached c
      offset 0
    ) c
    offset 0
  ) c
  join goal_settings g on g.key = c.goal
),
  converted as materialized (
  select row_number() over (order by c.person_id, c.occurred_at, c.id) as number, row_number() over (order by c.person_id, c.occurred_at, c.id) - row_number() over entity as entity, c.id, c.person_id, c.account_id, c.goal,
    c.occurred_at, c.touchpoint_id, c.currency, null::text as interval, c.retracted, c.opens_at, c.used_up_to,
    c.restated_value is not null and c.rate is null as lacks_rate, c.value * c.rate as gross,
    c.restated_value * c.rate as net, count(*) filter (where not c.retracted) over entity > %30$L::int as is_crowded,
    lag(c.occurred_at) over entity as previous_at,
    lead(c.occurred_at) over entity - (select max(lookback) from goal_settings) as next_opens_at
  from bounded c
  where occurred_at >= %31$L::timestamptz and counts
  window entity as (
      partition by c.person_id order by c.occurred_at, c.id rows between unbounded preceding and unbounded following
  )
),
  crowded as materialized (
  select c.entity, c.person_id, null::text as account_id, min(greatest(c.opens_at, c.used_up_to)) as from_at, max(c.occurred_at) as to_at
  from converted c
  where c.is_crowded and not c.retracted
  group by c.entity, c.person_id
), listed_conversions as (
  select *
  from converted c
  where not c.is_crowded
),
  touched as (
  select c.id as conversion_id, t.id as touchpoint_id, t.occurred_at, c.number, c.interval, c.net::float8 as net, coalesce(t.occurred_at <= c.previous_at or t.occurred_at >= c.next_opens_at, false) as is_shared, t.channel as "channel", c.entity
  from listed_conversions c
  join touchpoints t on t.workspace_id = (select %32$L::uuid) and true and t.person_id = c.person_id
    and (t.person_id, t.occurred_at) >= (c.person_id, c.opens_at)
    and (t.person_id, t.occurred_at) <= (c.person_id, c.occurred_at)
  where not c.retracted and t.id is distinct from c.touchpoint_id and t.voided_at is null and t.kind <> all(%33$L::text[])
), ranked as materialized (
  select number, interval, "channel", net, touchpoint_id, is_shared, entity, occurred_at, case when position = 1 then 1 when position = touches then least(touches, 3) else 2 end as place, least(touches, 3) as places, case when position in (1, touches) then 1 else 1::float8 / (touches - 2) end as part, 1::float8 / touches as "weight_0"
  from (
    select number, interval, "channel", net, touchpoint_id, is_shared, entity, occurred_at, row_number() over journey as position, count(*) over journey as touches
    from touched touched
    window journey as (
        partition by number order by occurred_at, touchpoint_id rows between unbounded preceding and unbounded following
    ),
      earlier as (partition by number order by occurred_at, touchpoint_id rows unbounded preceding)
  ) positioned
),
  by_place as materialized (
  select interval, "channel", place, places, count(*) as journeys, count(*) filter (where not is_shared) as new_touchpoints, sum("weight_0") as "weight_0", sum("weight_0" * net) as "worth_0"
  from ranked
  group by interval, "channel", place, places
),
  attributed as (
  select number
  from ranked
  where place = 1
),
  near_entities as materialized (
  select c.person_id, null::text as account_id, c.entity, min(greatest(c.opens_at, %34$L::timestamptz)) as from_at,
    max(case when ((((c.occurred_at at time zone %35$L::text)::date + 1)::timestamp at time zone %36$L::text - interval '1 hour') at time zone %37$L::text)::date = ((c.occurred_at at time zone %38$L::text)::date + 1) then (((c.occurred_at at time zone %39$L::text)::date + 1)::timestamp at time zone %40$L::text - interval '1 hour') else ((c.occurred_at at time zone %41$L::text)::date + 1)::timestamp at time zone %42$L::text end) - interval '1 millisecond' as to_at
  from converted c
  where not c.retracted
  group by 1, 2, 3
), near_conversions as materialized (
  select *
  from (
    select *, bool_or(is_summed) over (partition by entity) as has_summed
    from (
      select c.entity, c.goal, c.occurred_at, coalesce(c.touchpoint_id, '') as recorded,
        (c.occurred_at at time zone %43$L::text)::date in (select day from kept_days) and c.id not in (select id from added) as is_summed
      from (
        select c.*, w.id, w.goal, w.occurred_at, w.touchpoint_id, w.currency, w.properties
        from near_entities c
        cross join goal_settings g
        cross join lateral (
          select w.*
          from conversions w
          where w.workspace_id = (select %44$L::uuid) and true and w.person_id = c.person_id
            and (w.person_id, w.goal, w.occurred_at) >= (c.person_id, g.key, c.from_at)
            and (w.person_id, w.goal, w.occurred_at) <= (c.person_id, g.key, c.to_at)
          offset 0
        ) w
        offset 0
      ) c
      join goal_settings g on g.key = c.goal
      where not exists (
        select
        from adjustments a
        where a.workspace_id = (select %45$L::uuid) and a.conversion_id = c.id and a.kind = 'retraction'
        offset 0
      ) and (g.counting = 'every' or not exists (select
          from (
            select held.id, held.occurred_at
            from conversions held
            where held.workspace_id = (select %46$L::uuid)
              and true
              and held.person_id = c.person_id
              and (held.person_id, held.goal, held.occurred_at) >= (c.person_id, c.goal, '-infinity'::timestamptz)
              and (held.person_id, held.goal, held.occurred_at) <= (c.person_id, c.goal, c.occurred_at)) earlier
          where (earlier.occurred_at, earlier.id) < (c.occurred_at, c.id)
            and not exists (
            select
            from adjustments a
            where a.workspace_id = (select %47$L::uuid) and a.conversion_id = earlier.id and a.kind = 'retraction'
            offset 0
      )))
    ) c
  ) c
  where has_summed
), near_touches as materialized (
  select entity, touchpoint_id, coalesce(interval, '') as interval, occurred_at,
    greatest(occurred_at, %48$L::timestamptz) as from_at
  from (
    select *, entity in (select entity from near_conversions) as is_near
    from ranked
    offset 0
  ) ranked
  where is_near
), near_listed as (
  select t.entity, g.key as goal, t.from_at as at, t.touchpoint_id, t.interval, t.occurred_at, g.lookback,
    null as recorded, false as is_summed
  from near_touches t
  cross join goal_settings g
  union all
  select entity, goal, occurred_at, null, null, null, null, recorded, is_summed
  from near_conversions
), summed_touches as materialized (
  select touchpoint_id, interval
  from (
    select touchpoint_id, interval, case when case when "any_least" <> touchpoint_id or "any_greatest" <> touchpoint_id then at else "any_next" end - lookback <= occurred_at then case when "any_least" <> touchpoint_id or "any_greatest" <> touchpoint_id then at else "any_next" end end as first_at, case when case when "summed_least" <> touchpoint_id or "summed_greatest" <> touchpoint_id then at else "summed_next" end - lookback <= occurred_at then case when "summed_least" <> touchpoint_id or "summed_greatest" <> touchpoint_id then at else "summed_next" end end as summed_at
    from (
      select *, min(at) filter (where recorded is not null) over later as "any_next",
        min(recorded) filter (where recorded is not null) over instant as "any_least",
        max(recorded) filter (where recorded is not null) over instant as "any_greatest", min(at) filter (where is_summed) over later as "summed_next",
        min(recorded) filter (where is_summed) over instant as "summed_least",
        max(recorded) filter (where is_summed) over instant as "summed_greatest"
      from near_listed
      window later as (partition by entity, goal order by at desc groups between unbounded preceding and 1 preceding),
        instant as (partition by entity, goal, at)
    ) placed
    where touchpoint_id is not null
  ) next
  group by touchpoint_id, interval
  having (min(first_at) at time zone %49$L::text)::date = (min(summed_at) at time zone %50$L::text)::date
), by_group as (
  select interval, array["channel"] collate "C" as dimensions, sum(touchpoints)::int as touchpoints,
    sum(influenced)::int as influenced, sum(assisted)::int as assisted,
    sum("weight_0") as "weight_0", coalesce(sum("worth_0"), 0) as "worth_0"
  from (
    select interval, "channel", 0 as touchpoints,
      case when places = 1 then journeys else 0 end as influenced,
      case when places > 1 and place = places then -journeys else 0 end as assisted, "weight_0", "worth_0"
    from by_place
    union all
    select interval, "channel", count(*), 0, 0, 0, 0
    from (select distinct touchpoint_id, interval, "channel" from ranked where (touchpoint_id, coalesce(interval, '')) not in (select touchpoint_id, interval from summed_touches)) distinct_touchpoints
    group by interval, "channel"
    union all
    select interval, "channel", 0, count(*), count(*), 0, 0
    from (select distinct number, interval, "channel" from ranked where places > 1) held
    group by interval, "channel"
  ) counted
  group by interval, "channel"
), answer as (
  select interval, dimensions, false as other, touchpoints, influenced, assisted, array["weight_0"] as credits, array["worth_0"] as values
  from by_group
)
select json_build_object(
    'groups', (select coalesce(json_agg(answer order by other, interval, credits[1] desc, dimensions), '[]') from answer),
    'totals', (select coalesce(json_agg(sums), '[]') from (
      select interval, currency, count(*) filter (where not retracted) as conversions,
        coalesce(sum(net) filter (where not retracted), 0) as value, count(*) as gross_conversions,
        coalesce(sum(gross), 0) as gross_value, count(*) filter (where is_attributed) as attributed_conversions,
        coalesce(sum(net) filter (where is_attributed), 0) as attributed_value,
        count(*) filter (where lacks_rate) as lacks_rate, count(net) as valued
      from (
        select c.*, c.number in (select number from attributed) as is_attributed
        from converted c
        offset 0
      ) c
      group by interval, currency) sums),
    'conversions', (select count(*) from converted)
);
