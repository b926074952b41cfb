with
  asked as materialized (
  select question, left(encode(sha256(convert_to((question)::text, 'UTF8')), 'hex'), 32)::uuid as id,
    case when case when (((first_day)::timestamp at time zone 'Europe/Berlin'::text - interval '1 hour') at time zone 'Europe/Berlin'::text)::date = (first_day) then ((first_day)::timestamp at time zone 'Europe/Berlin'::text - interval '1 hour') else (first_day)::timestamp at time zone 'Europe/Berlin'::text end = '2026-04-30T22:00:00.000Z'::timestamptz then first_day else 'infinity' end as first_day,
    last_day
  from (
    select '{"version":1,"goals":["purchase","trial"],"group_by":["channel","campaign"],"timezone":"Europe/Berlin","scope":"person","lookback_days":null,"half_life_days":7,"weights":{"first":1,"middle":2,"last":1},"milestones":{"lead":"lead","opportunity":"opportunity"},"where":{"channel":["linkedin","x"]},"where_conversion":{"properties.plan":["pro"]},"only_with_journey":false}'::jsonb as question, ('2026-04-30T22:00:00.000Z'::timestamptz at time zone 'Europe/Berlin'::text)::date as first_day,
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
    and d.settings = (select credit_settings('0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid, '{"purchase","trial","lead","opportunity"}'::text[]))
    and pg_snapshot_xmin(d.horizon) >= (select usable_from from noted)
), unseen as materialized (
  select d.day, m.is_added, m.conversion_id
  from (
    select m.made_by, m.is_added, m.conversion_id, (m.from_at at time zone 'Europe/Berlin'::text)::date as first_day,
      (m.until_at at time zone 'Europe/Berlin'::text)::date as last_day
    from credit_marks m
    where m.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and m.goal = any('{"purchase","trial"}'::text[])
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
  where m.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and m.question_id = (select id from noted) and 'false' and m.currency = 'EUR'::text
    and m.rates = coalesce((select r.rates from kept_rates r where r.month = m.month), '')
    and m.month >= (select first_day from asked) and m.month < (select last_day from asked)
    and (m.month + interval '1 month')::date - m.month = (
    select count(*)
    from right_days d
    where d.day >= m.month and d.day < (m.month + interval '1 month')::date
  )
), kept_parts as materialized (
  select *, day - greatest((select first_day from asked), date_trunc('week'::text, day::timestamp)::date) as days_before,
    to_char(date_trunc('week'::text, day::timestamp), 'YYYY-MM-DD') as interval
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
    array[sum(x.credits[1::int]), sum(x.credits[2::int]), sum(x.credits[3::int]), sum(x.credits[4::int]), sum(x.credits[5::int]), sum(x.credits[6::int]), sum(x.credits[9::int]), sum(x.credits[10::int]), sum(x.credits[11::int])] as credits,
    array[coalesce(sum(x.credited_values[1::int] * x.rate), 0), coalesce(sum(x.credited_values[2::int] * x.rate), 0), coalesce(sum(x.credited_values[3::int] * x.rate), 0), coalesce(sum(x.credited_values[4::int] * x.rate), 0), coalesce(sum(x.credited_values[5::int] * x.rate), 0), coalesce(sum(x.credited_values[6::int] * x.rate), 0), coalesce(sum(x.credited_values[9::int] * x.rate), 0), coalesce(sum(x.credited_values[10::int] * x.rate), 0), coalesce(sum(x.credited_values[11::int] * x.rate), 0)] as credited_values
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
          where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and c.goal = any('{"purchase","trial"}'::text[]) and c.occurred_at >= s.from_at and c.occurred_at < s.to_at
          offset 0
        ) c
        where (c.occurred_at at time zone 'Europe/Berlin'::text)::date not in (select day from good_days)
        union all
        select c.*
        from added
        cross join lateral (
          select c.*
          from conversions c
          where c.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and c.goal = any('{"purchase","trial"}'::text[]) and c.id = added.id
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
        (c.occurred_at at time zone %5$L)::date as day, c.properties ->> %6$L::text = any(%7$L::text[]) as is_chosen
      from (
        select *
        from conversions c
        where c.workspace_id = (select %8$L::uuid)
          and c.goal = any(%9$L::text[])
          and c.occurred_at >= %10$L::timestamptz - make_interval(secs => %11$L::int::float8)
          and c.occurred_at < %12$L::timestamptz
      ) c
    ), "fx" as materialized (
      select jsonb_object_agg(known.currency || '' '' || known.day, coalesce(known.direct, known.there * known.onward)) as rates
      from (
        select pair.currency, pair.day, max(quoted.rate) filter (where leg.name = ''direct'') as direct,
          max(quoted.rate) filter (where leg.name = ''there'') as there,
          max(quoted.rate) filter (where leg.name = ''onward'') as onward
        from (
          select distinct amounts.currency, amounts.day, amounts.day - %13$L::int::int as oldest
          from (select currency, day from reached where occurred_at >= %14$L::timestamptz) amounts
          where amounts.currency <> %15$L::text
        ) pair
        join lateral (
            values (''direct'', pair.currency, %16$L::text), (''there'', pair.currency, %17$L::text), (''onward'', %18$L::text, %19$L::text)
        ) leg (name, base, quote) on leg.name = ''direct'' or %20$L::text not in (pair.currency, %21$L::text)
        cross join lateral (
          select case way.is_inverse when 0 then latest.rate else 1 / latest.rate end as rate
          from (values (leg.base, leg.quote, 0), (leg.quote, leg.base, 1)) way (base, quote, is_inverse)
          cross join lateral (
            select r.date, r.rate
            from fx_rates r
            where r.workspace_id = (select %22$L::uuid) and r."from" = way.base and r."to" = way.quote
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
      where a.workspace_id = (select %23$L::uuid)
      order by a.conversion_id
      limit (select 4 * count(*) from reached)
    ),
      bounded as (
      select c.*, c.occurred_at - g.lookback as opens_at, ''-infinity''::timestamptz as used_up_to,
        (g.counting = ''every'' or not exists (select
          from (
            select held.id, held.occurred_at
            from conversions held
            where held.workspace_id = (select %24$L::uuid)
              and true
              and held.person_id = c.person_id
              and (held.person_id, held.goal, held.occurred_at) >= (c.person_id, c.goal, ''-infinity''::timestamptz)
              and (held.person_id, held.goal, held.occurred_at) <= (c.person_id, c.goal, c.occurred_at)) earlier
          where (earlier.occurred_at, earlier.id) < (c.occurred_at, c.id)
            and (not ((select count(*) >= (select 4 * count(*) from reached) from adjusted) or earlier.id in (select conversion_id from adjusted)) or not exists (
              select
              from adjustments a
              where a.workspace_id = (select %25$L::uuid) and a.conversion_id = earlier.id and a.kind = ''retraction''
              offset 0
      )))) as counts
      from (
        select c.*, coalesce(case when c.is_adjusted then (
            select a.value
            from adjustments a
            where a.workspace_id = (select %26$L::uuid) and a.conversion_id = c.id and a.kind = ''restatement''
            order by a.occurred_at desc, a.id desc
            limit 1
          ) end, c.value) as restated_value,
          not (not c.is_adjusted or not exists (
            select
            from adjustments a
            where a.workspace_id = (select %27$L::uuid) and a.conversion_id = c.id and a.kind = ''retraction''
            offset 0
        )) as retracted
        from (
          select c.*, case
            when c.currency = %28$L then 1
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
        c.occurred_at, c.touchpoint_id, c.currency, to_char(date_trunc(%29$L, c.occurred_at at time zone %30$L), ''YYYY-MM-DD'') as interval, c.retracted, c.opens_at, c.used_up_to,
        c.restated_value is not null and c.rate is null as lacks_rate, c.value * c.rate as gross,
        c.restated_value * c.rate as net, count(*) filter (where not c.retracted) over entity > %31$L::int as is_crowded,
        lag(c.occurred_at) over entity as previous_at,
        lead(c.occurred_at) over entity - (select max(lookback) from goal_settings) as next_opens_at
      from bounded c
      where occurred_at >= %32$L::timestamptz and counts and is_chosen
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
      dated as materialized (
      select c.*, (
        select min(m.occurred_at)
        from (
          select held.id, held.occurred_at
          from conversions held
          where held.workspace_id = (select %33$L::uuid)
            and true
            and held.person_id = c.person_id
            and (held.person_id, held.goal, held.occurred_at) >= (c.person_id, %34$L::text, ''-infinity''::timestamptz)
            and (held.person_id, held.goal, held.occurred_at) <= (c.person_id, %35$L::text, c.occurred_at)) m
        where m.occurred_at >= c.opens_at
          and m.occurred_at > c.used_up_to
          and not exists (
          select
          from adjustments a
          where a.workspace_id = (select %36$L::uuid) and a.conversion_id = m.id and a.kind = ''retraction''
          offset 0
      )) as lead_at, (
        select min(m.occurred_at)
        from (
          select held.id, held.occurred_at
          from conversions held
          where held.workspace_id = (select %37$L::uuid)
            and true
            and held.person_id = c.person_id
            and (held.person_id, held.goal, held.occurred_at) >= (c.person_id, %38$L::text, ''-infinity''::timestamptz)
            and (held.person_id, held.goal, held.occurred_at) <= (c.person_id, %39$L::text, c.occurred_at)) m
        where m.occurred_at >= c.opens_at
          and m.occurred_at > c.used_up_to
          and not exists (
          select
          from adjustments a
          where a.workspace_id = (select %40$L::uuid) and a.conversion_id = m.id and a.kind = ''retraction''
          offset 0
      )) as opportunity_at
      from listed_conversions c
    ), crowd_dated as materialized (
      select number, entity, id, person_id, account_id, goal, occurred_at, touchpoint_id, interval,
        retracted, opens_at, used_up_to, gross, net, true as is_crowded,
        case when next_lead <= occurred_at then next_lead end as lead_at,
        case when next_opportunity <= occurred_at then next_opportunity end as opportunity_at
      from (
        select *, min(at) filter (where milestone = %41$L) over backwards as next_lead, min(at) filter (where milestone = %42$L) over backwards as next_opportunity
        from (
          select c.entity, m.occurred_at as at, 0 as side, m.goal as milestone, null::bigint as number, null as id,
            null::uuid as person_id, null as account_id, null as goal, null::timestamptz as occurred_at,
            null as touchpoint_id, null as interval, null::boolean as retracted, null::timestamptz as opens_at,
            null::timestamptz as used_up_to, null::numeric as gross, null::numeric as net
          from crowded c
          join conversions m on m.workspace_id = (select %43$L::uuid) and true and m.person_id = c.person_id
            and (m.person_id, m.goal, m.occurred_at) >= (c.person_id, %44$L::text, c.from_at)
            and (m.person_id, m.goal, m.occurred_at) <= (c.person_id, %45$L::text, c.to_at)
          where not exists (
            select
            from adjustments a
            where a.workspace_id = (select %46$L::uuid) and a.conversion_id = m.id and a.kind = ''retraction''
            offset 0
          ) union all
          select c.entity, m.occurred_at as at, 0 as side, m.goal as milestone, null::bigint as number, null as id,
            null::uuid as person_id, null as account_id, null as goal, null::timestamptz as occurred_at,
            null as touchpoint_id, null as interval, null::boolean as retracted, null::timestamptz as opens_at,
            null::timestamptz as used_up_to, null::numeric as gross, null::numeric as net
          from crowded c
          join conversions m on m.workspace_id = (select %47$L::uuid) and true and m.person_id = c.person_id
            and (m.person_id, m.goal, m.occurred_at) >= (c.person_id, %48$L::text, c.from_at)
            and (m.person_id, m.goal, m.occurred_at) <= (c.person_id, %49$L::text, c.to_at)
          where not exists (
            select
            from adjustments a
            where a.workspace_id = (select %50$L::uuid) and a.conversion_id = m.id and a.kind = ''retraction''
            offset 0
          )
          union all
          select entity, greatest(opens_at, used_up_to), case when used_up_to >= opens_at then 1 else -1 end, null, number, id,
            person_id, account_id, goal, occurred_at, touchpoint_id, interval, retracted, opens_at, used_up_to, gross, net
          from converted c
          where c.is_crowded
        ) listed
        window backwards as (partition by entity order by at desc, side desc)
      ) listed
      where id is not null
    ),
      swept_conversions as materialized (
      select c.*, r.occurred_at as recorded_at, r.dimensions as recorded_dimensions
      from crowd_dated c
      left join lateral (
        select t.occurred_at, array[t.channel, t.campaign] collate "C" as dimensions
        from touchpoints t
        where t.workspace_id = (select %51$L::uuid) and t.id = c.touchpoint_id and ((true and t.person_id = c.person_id)) and t.voided_at is null and t.kind <> all(%52$L::text[]) and t.channel = any(%53$L::text[])
        offset 0
      ) r on true
      where c.is_crowded and not c.retracted
    ), swept_marks as materialized (
      select *, max(place) filter (where not is_direct) over sorted as non_direct, max(touch_at) over sorted as last_at, coalesce(max(group_number) over (partition by entity), 0) * count(*) filter (where mark = ''closes'') over (partition by entity) * %54$L::int::int
        <= count(touch_at) over (partition by entity) * %55$L::int::int as by_group,
        max(group_number) over (partition by entity) as groups, max("opening") over (partition by entity) as "openings", max("interval_number") over (partition by entity) as "intervals"
      from (
        select *, count(touch_at) over sorted as place
        from (
          select entity, at, side, id, mark, touch_at, is_direct, dimensions,
            dense_rank() over (partition by entity order by dimensions) as group_number, conversion_id, recorded_at,
            recorded_dimensions, "number", "interval", "gross", "net", "retracted", "opening", "interval_number"
          from (
            select c.entity, t.occurred_at as at, 0 as side, t.id, null as mark, t.occurred_at as touch_at,
              t.channel = ''direct'' as is_direct, array[t.channel, t.campaign] collate "C" as dimensions, null::bigint as group_number,
              null as conversion_id, null::timestamptz as recorded_at, null::text[] as recorded_dimensions, null::bigint as "number", null::text as "interval", null::numeric as "gross", null::numeric as "net", null::boolean as "retracted", null::bigint as "opening", null::bigint as "interval_number"
            from crowded c
            join touchpoints t on t.workspace_id = (select %56$L::uuid) and true and t.person_id = c.person_id
              and (t.person_id, t.occurred_at) >= (c.person_id, c.from_at)
              and (t.person_id, t.occurred_at) <= (c.person_id, c.to_at)
            where t.voided_at is null and t.kind <> all(%57$L::text[]) and t.channel = any(%58$L::text[])) touches
          union all
          select c.entity, bound.at, bound.side, bound.id, bound.mark, null, null, null, null, c.id, recorded_at,
            recorded_dimensions, c.number, c.interval, c.gross, c.net, c.retracted, dense_rank() over (partition by c.entity order by c.occurred_at - c.opens_at), dense_rank() over (partition by c.entity order by c.interval)
          from swept_conversions c
          cross join lateral (values
              (c.opens_at, -1, '''', ''opens''), (c.used_up_to, 1, '''', ''opens''), (c.occurred_at, 1, '''', ''closes''),
              (c.recorded_at, 0, c.touchpoint_id, ''before''), (c.recorded_at, 0, c.touchpoint_id, ''recorded''), (c.lead_at, 1, '''', %59$L::text), (c.opportunity_at, 1, '''', %60$L::text)
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
          max(non_direct) filter (where mark = ''before'') as before_non_direct, max(place) filter (where mark = %61$L::text) as "lead", max(place) filter (where mark = %62$L::text) as "opportunity"
        from swept_marks
        where conversion_id is not null
        group by entity, conversion_id, recorded_at, recorded_dimensions, "number", "interval", "gross", "net", "retracted", "opening", "interval_number"
      ) bounds
    ), swept_journeys as materialized (
      select entity, conversion_id, "number", "interval", "gross", "net", "retracted", "opening", "interval_number", by_group, groups, high - low - (recorded is not null)::int as touches,
        low, high, recorded, recorded_at, recorded_dimensions,
        case when high - low > (recorded is not null)::int then low + 1 + coalesce(recorded = low + 1, false)::int end as first,
        nullif(greatest(high - coalesce(recorded = high, false)::int, low), low) as last, case when recorded = high then before_at else last_at end as last_at,
        nullif(greatest(case when non_direct = recorded then before_non_direct else non_direct end, low), low) as last_non_direct, nullif(greatest("lead" - coalesce(recorded = "lead", false)::int, low), low) as "lead", nullif(greatest("opportunity" - coalesce(recorded = "opportunity", false)::int, low), low) as "opportunity"
      from swept_bounds
    ),
      touched as (
      select c.id as conversion_id, t.id as touchpoint_id, t.occurred_at, c.number, c.interval, c.net::float8 as net, coalesce(t.occurred_at <= c.previous_at or t.occurred_at >= c.next_opens_at, false) as is_shared, t.channel as "channel", t.campaign as "campaign", t.channel = ''direct'' as is_direct, c.lead_at, c.opportunity_at, case when extract(epoch from c.occurred_at - t.occurred_at)::float8 / %63$L::int::float8 > %64$L::int then 0 else power(2::float8, -(extract(epoch from c.occurred_at - t.occurred_at)::float8 / %65$L::int::float8)) end as decay
      from dated c
      join touchpoints t on t.workspace_id = (select %66$L::uuid) and true and t.person_id = c.person_id
        and (t.person_id, t.occurred_at) >= (c.person_id, c.opens_at)
        and (t.person_id, t.occurred_at) <= (c.person_id, c.occurred_at)
      where not c.retracted and t.id is distinct from c.touchpoint_id and t.voided_at is null and t.kind <> all(%67$L::text[]) and t.channel = any(%68$L::text[])
    ), ranked as materialized (
      select number, interval, "channel", "campaign", net, touchpoint_id, is_shared, case when position = 1 then 1 when position = touches then least(touches, 3) else 2 end as place, least(touches, 3) as places, case when position in (1, touches) then 1 else 1::float8 / (touches - 2) end as part, case
        when non_direct = 0 then null
        when not is_direct and non_direct_so_far = non_direct then case when position = 1 then 1 when position = touches then least(touches, 3) else 2 end
        else 0
        end as last_non_direct, 1::float8 / touches as "weight_3", decay / decays as "weight_4", case
        when (
          case when position = 1 then %69$L::float8::float8 else 0 end
          + case when position = lead_position then %70$L::float8::float8 else 0 end
          + case when position = opportunity_position then %71$L::float8::float8 else 0 end
          + case when position = touches then %72$L::int::float8 else 0 end
      ) > 0 then (
          case when position = 1 then %73$L::float8::float8 else 0 end
          + case when position = lead_position then %74$L::float8::float8 else 0 end
          + case when position = opportunity_position then %75$L::float8::float8 else 0 end
          + case when position = touches then %76$L::int::float8 else 0 end
      )
        when position < greatest(lead_position, opportunity_position, 1) then %77$L::float8::float8 / (
          greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
          - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
      )
        else 0
        end / (
          %78$L::float8::float8 + %79$L::float8::float8 * num_nonnulls(lead_position, opportunity_position)
          + case when (
            greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
            - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
        ) > 0 then %80$L::float8::float8 else 0 end
      ) as "weight_7", case
        when (
          case when position = 1 then %81$L::float8::float8 else 0 end
          + case when position = lead_position then %82$L::float8::float8 else 0 end
          + case when position = opportunity_position then %83$L::float8::float8 else 0 end
          + case when position = touches then %84$L::float8::float8 else 0 end
      ) > 0 then (
          case when position = 1 then %85$L::float8::float8 else 0 end
          + case when position = lead_position then %86$L::float8::float8 else 0 end
          + case when position = opportunity_position then %87$L::float8::float8 else 0 end
          + case when position = touches then %88$L::float8::float8 else 0 end
      )
        when position < touches then %89$L::float8::float8 / (
          greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
          - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
      )
        else 0
        end / (
          %90$L::float8::float8 + %91$L::float8::float8 * num_nonnulls(lead_position, opportunity_position)
          + case when (
            greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
            - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
        ) > 0 then %92$L::float8::float8 else 0 end
      ) as "weight_8"
      from (
        select number, interval, "channel", "campaign", net, touchpoint_id, is_shared, row_number() over journey as position, count(*) over journey as touches, decay, sum(decay) over journey as decays, is_direct, count(*) filter (where not is_direct) over earlier as non_direct_so_far,
          count(*) filter (where not is_direct) over journey as non_direct, nullif(count(*) filter (where occurred_at <= lead_at) over journey, 0) as lead_position,
          nullif(count(*) filter (where occurred_at <= opportunity_at) over journey, 0) as opportunity_position
        from touched touched
        window journey as (
            partition by number order by occurred_at, touchpoint_id rows between unbounded preceding and unbounded following
        ),
          earlier as (partition by number order by occurred_at, touchpoint_id rows unbounded preceding)
      ) positioned
    ),
      by_place as materialized (
      select interval, "channel", "campaign", place, places, last_non_direct, count(*) as journeys, count(*) filter (where not is_shared) as new_touchpoints, sum(part) * (place = 1)::int::float8 as "weight_0", sum(part * net) * (place = 1)::int::float8 as "worth_0", sum(part) * (place = places)::int::float8 as "weight_1", sum(part * net) * (place = places)::int::float8 as "worth_1", count(*) * (place = coalesce(last_non_direct, places))::int::float8 as "weight_2", sum(net) * (place = coalesce(last_non_direct, places))::int::float8 as "worth_2", sum("weight_3") as "weight_3", sum("weight_3" * net) as "worth_3", sum("weight_4") as "weight_4", sum("weight_4" * net) as "worth_4", sum(part) * case
        when places = 1 then 1
        when places = 2 then case place when 1 then %93$L::float8::float8 else %94$L::float8::float8 end
        when place = 1 then %95$L::float8::float8
        when place = places then %96$L::float8::float8
        else %97$L::float8::float8 / (places - 2)
        end as "weight_5", sum(part * net) * case
        when places = 1 then 1
        when places = 2 then case place when 1 then %98$L::float8::float8 else %99$L::float8::float8 end
        when place = 1 then %100$L::float8::float8
        when place = places then %101$L::float8::float8
        else %102$L::float8::float8 / (places - 2)
        end as "worth_5", sum(part) * case
        when places = 1 then 1
        when places = 2 then case place when 1 then %103$L::float8::float8 else %104$L::float8::float8 end
        when place = 1 then %105$L::float8::float8
        when place = places then %106$L::float8::float8
        else %107$L::float8::float8 / (places - 2)
        end as "weight_6", sum(part * net) * case
        when places = 1 then 1
        when places = 2 then case place when 1 then %108$L::float8::float8 else %109$L::float8::float8 end
        when place = 1 then %110$L::float8::float8
        when place = places then %111$L::float8::float8
        else %112$L::float8::float8 / (places - 2)
        end as "worth_6", sum("weight_7") as "weight_7", sum("weight_7" * net) as "worth_7", sum("weight_8") as "weight_8", sum("weight_8" * net) as "worth_8"
      from ranked
      group by interval, "channel", "campaign", place, places, last_non_direct
    ),
      swept_placed as materialized (
      select *
      from (
        select entity, max(journey_interval) over (partition by entity, interval_number) as interval, place, occurred_at,
          dimensions, openings
        from (
          select entity, interval_number, null as journey_interval, place, occurred_at, dimensions, openings
          from crowd_touches
          cross join lateral generate_series(1, intervals) interval_number
          where not by_group
          union all
          select entity, interval_number, interval, null, null, null, null
          from swept_journeys
          where not by_group
        ) listed
      ) listed
      where place is not null
    ), swept_pieces as materialized (
      select entity, interval, by_group, groups, net, gross, retracted, touches, piece.position::float8 as position,
        (last_non_direct - low - coalesce(recorded < last_non_direct, false)::int) as last_non_direct, (lead - low - coalesce(recorded < lead, false)::int) as lead_position, (opportunity - low - coalesce(recorded < opportunity, false)::int) as opportunity_position, piece.from_place, piece.to_place, piece.is_own,
        (piece.from_place = last)::int as is_last
      from swept_journeys
      cross join lateral (
        select place, lag(place, 1, low) over (order by place) as previous
        from (select distinct place from (values (first), (last), (recorded), (last_non_direct), (lead), (opportunity)) places (place) where place is not null) places
      ) own
      cross join lateral (values
          (own.place, own.place + 1, (own.place - low - coalesce(recorded < own.place, false)::int), true, own.place is distinct from recorded),
          (own.previous + 1, own.place, (own.place - low - coalesce(recorded < own.place, false)::int) - 0.5, false, own.place - own.previous > 1)
      ) piece (from_place, to_place, position, is_own, occurs)
      where touches > 0 and piece.occurs
    ), swept_events as (
      select *, (covering > 0)::int - (lag(covering, 1, 0) over (partition by entity, interval order by place) > 0)::int as covered
      from (
        select entity, interval, by_group, groups, bound.place, sum(sum(bound.sign)) over (partition by entity, interval order by bound.place) as covering, sum(bound.sign * case when retracted then 0 else case when is_own then 0 else (1::float8 / touches)::numeric end end) as "linear_net", sum(bound.sign * case when retracted then 0 else case when is_own then 0 else (1::float8 / touches)::numeric end * coalesce(net, 0) end) as "linear_value", sum(bound.sign * case when retracted then 0 else case when is_own then 0 else (1::float8 / (touches - 2))::numeric end end) as "even_net", sum(bound.sign * case when retracted then 0 else case when is_own then 0 else (1::float8 / (touches - 2))::numeric end * coalesce(net, 0) end) as "even_value", sum(bound.sign * case when retracted then 0 else case when is_own then 0 else (case
              when (
                case when position = 1 then %113$L::float8::float8 else 0 end
                + case when position = lead_position then %114$L::float8::float8 else 0 end
                + case when position = opportunity_position then %115$L::float8::float8 else 0 end
                + case when position = touches then %116$L::int::float8 else 0 end
            ) > 0 then (
                case when position = 1 then %117$L::float8::float8 else 0 end
                + case when position = lead_position then %118$L::float8::float8 else 0 end
                + case when position = opportunity_position then %119$L::float8::float8 else 0 end
                + case when position = touches then %120$L::int::float8 else 0 end
            )
              when position < greatest(lead_position, opportunity_position, 1) then %121$L::float8::float8 / (
                greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
                - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
            )
              else 0
              end / (
                %122$L::float8::float8 + %123$L::float8::float8 * num_nonnulls(lead_position, opportunity_position)
                + case when (
                  greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
                  - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
              ) > 0 then %124$L::float8::float8 else 0 end
          ))::numeric end end) as "w_shaped_net", sum(bound.sign * case when retracted then 0 else case when is_own then 0 else (case
              when (
                case when position = 1 then %125$L::float8::float8 else 0 end
                + case when position = lead_position then %126$L::float8::float8 else 0 end
                + case when position = opportunity_position then %127$L::float8::float8 else 0 end
                + case when position = touches then %128$L::int::float8 else 0 end
            ) > 0 then (
                case when position = 1 then %129$L::float8::float8 else 0 end
                + case when position = lead_position then %130$L::float8::float8 else 0 end
                + case when position = opportunity_position then %131$L::float8::float8 else 0 end
                + case when position = touches then %132$L::int::float8 else 0 end
            )
              when position < greatest(lead_position, opportunity_position, 1) then %133$L::float8::float8 / (
                greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
                - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
            )
              else 0
              end / (
                %134$L::float8::float8 + %135$L::float8::float8 * num_nonnulls(lead_position, opportunity_position)
                + case when (
                  greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
                  - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
              ) > 0 then %136$L::float8::float8 else 0 end
          ))::numeric end * coalesce(net, 0) end) as "w_shaped_value", sum(bound.sign * case when retracted then 0 else case when is_own then 0 else (case
              when (
                case when position = 1 then %137$L::float8::float8 else 0 end
                + case when position = lead_position then %138$L::float8::float8 else 0 end
                + case when position = opportunity_position then %139$L::float8::float8 else 0 end
                + case when position = touches then %140$L::float8::float8 else 0 end
            ) > 0 then (
                case when position = 1 then %141$L::float8::float8 else 0 end
                + case when position = lead_position then %142$L::float8::float8 else 0 end
                + case when position = opportunity_position then %143$L::float8::float8 else 0 end
                + case when position = touches then %144$L::float8::float8 else 0 end
            )
              when position < touches then %145$L::float8::float8 / (
                greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
                - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
            )
              else 0
              end / (
                %146$L::float8::float8 + %147$L::float8::float8 * num_nonnulls(lead_position, opportunity_position)
                + case when (
                  greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
                  - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
              ) > 0 then %148$L::float8::float8 else 0 end
          ))::numeric end end) as "full_path_net", sum(bound.sign * case when retracted then 0 else case when is_own then 0 else (case
              when (
                case when position = 1 then %149$L::float8::float8 else 0 end
                + case when position = lead_position then %150$L::float8::float8 else 0 end
                + case when position = opportunity_position then %151$L::float8::float8 else 0 end
                + case when position = touches then %152$L::float8::float8 else 0 end
            ) > 0 then (
                case when position = 1 then %153$L::float8::float8 else 0 end
                + case when position = lead_position then %154$L::float8::float8 else 0 end
                + case when position = opportunity_position then %155$L::float8::float8 else 0 end
                + case when position = touches then %156$L::float8::float8 else 0 end
            )
              when position < touches then %157$L::float8::float8 / (
                greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
                - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
            )
              else 0
              end / (
                %158$L::float8::float8 + %159$L::float8::float8 * num_nonnulls(lead_position, opportunity_position)
                + case when (
                  greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
                  - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
              ) > 0 then %160$L::float8::float8 else 0 end
          ))::numeric end * coalesce(net, 0) end) as "full_path_value"
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
            null::bigint as last_non_direct, null::bigint as lead_position, null::bigint as opportunity_position
          from crowd_touches
          union all
          select entity, from_place, null, interval, is_last, net::float8, gross::float8, retracted, touches, position,
            last_non_direct, lead_position, opportunity_position
          from swept_pieces
          where is_own
        ) listed
      ) listed
      where touch_dimensions is null
    ), growing as materialized (
      select entity, place, floor(extract(epoch from occurred_at - %161$L::timestamptz)::float8 / %162$L::int::float8 / %163$L::int::int) as block, power(2::float8, extract(epoch from occurred_at - %164$L::timestamptz)::float8 / %165$L::int::float8 - %166$L::int::int * floor(extract(epoch from occurred_at - %167$L::timestamptz)::float8 / %168$L::int::float8 / %169$L::int::int))::numeric as growth
      from crowd_touches
    ), decaying as (
      select *, power(2::float8, recorded_halvings - %170$L::int::int * floor(recorded_halvings / %171$L::int::int))::numeric as recorded_growth, floor(recorded_halvings / %172$L::int::int) as recorded_block
      from (
        select *, extract(epoch from last_at - %173$L::timestamptz)::float8 / %174$L::int::float8 as newest, extract(epoch from recorded_at - %175$L::timestamptz)::float8 / %176$L::int::float8 as recorded_halvings
        from swept_journeys
        where touches > 0
      ) journeys
    ), swept_factors as (
      select *, (power(2::float8, %177$L::int::int * block - newest)
          / sum(grown::float8 * power(2::float8, %178$L::int::int * block - newest)) over (partition by conversion_id))::numeric as factor
      from (
        select entity, conversion_id, interval, by_group, groups, net, gross, retracted, low, high, recorded, recorded_growth,
          recorded_block, newest, block,
          sum(sign * coalesce(grown, 0)) - coalesce(max(case when recorded_block = block then recorded_growth end), 0) as grown
        from (
          select *, sum(growth) over (partition by entity, block order by place) as grown
          from (
            select entity, block, place, growth, null as conversion_id, null as interval, false as by_group, null::bigint as groups, null::numeric as net,
              null::numeric as gross, null::boolean as retracted, null::bigint as low, null::bigint as high,
              null::bigint as recorded, null::numeric as recorded_growth, null::float8 as recorded_block,
              null::float8 as newest, 0 as sign
            from growing
            union all
            select entity, floor(newest / %179$L::int::int) - blocks_ago, bound.place, null, conversion_id, interval, by_group, groups, net, gross,
              retracted, low, high, recorded, recorded_growth, recorded_block, newest, bound.sign
            from decaying
            cross join (values (0), (1)) blocks (blocks_ago)
            cross join lateral (values (low, -1), (high, 1)) bound (place, sign)
          ) listed
        ) summed
        where conversion_id is not null
        group by entity, conversion_id, interval, by_group, groups, net, gross, retracted, low, high, recorded, recorded_growth,
          recorded_block, newest, block
      ) blocks
      where grown > 0
    ), swept_decay_events as (
      select entity, interval, by_group, groups, block, bound.place, sum(bound.sign * case when retracted then 0 else factor end) as "net_4", sum(bound.sign * case when retracted then 0 else factor * coalesce(net, 0) end) as "value_4"
      from swept_factors
      cross join lateral (values
          (low + 1, high + 1, 1), (case when recorded_block = block then recorded end, recorded + 1, -1)
      ) piece (from_place, to_place, sign)
      cross join lateral (values (from_place, piece.sign), (to_place, -piece.sign)) bound (place, sign)
      where from_place is not null
      group by entity, interval, by_group, groups, block, bound.place
    ), swept_credit as materialized (
      select interval, dimensions, sum(touchpoints)::bigint as touchpoints, sum(lasts)::bigint as lasts, coalesce(sum("net_0"), 0) as "net_0", coalesce(sum("value_0"), 0) as "value_0", coalesce(sum("net_1"), 0) as "net_1", coalesce(sum("value_1"), 0) as "value_1", coalesce(sum("net_2"), 0) as "net_2", coalesce(sum("value_2"), 0) as "value_2", coalesce(sum("net_3"), 0) as "net_3", coalesce(sum("value_3"), 0) as "value_3", coalesce(sum("net_4"), 0) as "net_4", coalesce(sum("value_4"), 0) as "value_4", coalesce(sum("net_5"), 0) as "net_5", coalesce(sum("value_5"), 0) as "value_5", coalesce(sum("net_6"), 0) as "net_6", coalesce(sum("value_6"), 0) as "value_6", coalesce(sum("net_7"), 0) as "net_7", coalesce(sum("value_7"), 0) as "value_7", coalesce(sum("net_8"), 0) as "net_8", coalesce(sum("value_8"), 0) as "value_8"
      from (
        select interval, dimensions, sum(covered) as touchpoints, 0 as lasts, 0::float8 as "net_0", 0::float8 as "value_0", 0::float8 as "net_1", 0::float8 as "value_1", 0::float8 as "net_2", 0::float8 as "value_2", %180$L::int::float8 * sum("linear_net")::float8 as "net_3", %181$L::int::float8 * sum("linear_value")::float8 as "value_3", 0::float8 as "net_4", 0::float8 as "value_4", %182$L::float8::float8 * sum("even_net")::float8 as "net_5", %183$L::float8::float8 * sum("even_value")::float8 as "value_5", %184$L::float8::float8 * sum("even_net")::float8 as "net_6", %185$L::float8::float8 * sum("even_value")::float8 as "value_6", %186$L::int::float8 * sum("w_shaped_net")::float8 as "net_7", %187$L::int::float8 * sum("w_shaped_value")::float8 as "value_7", %188$L::int::float8 * sum("full_path_net")::float8 as "net_8", %189$L::int::float8 * sum("full_path_value")::float8 as "value_8"
        from (
          select interval, dimensions, weight * covered as covered, weight * "linear_net" as "linear_net", weight * "linear_value" as "linear_value", weight * "even_net" as "even_net", weight * "even_value" as "even_value", weight * "w_shaped_net" as "w_shaped_net", weight * "w_shaped_value" as "w_shaped_value", weight * "full_path_net" as "full_path_net", weight * "full_path_value" as "full_path_value"
          from (
            select interval, dimensions, weight, sum(covered) over here as covered, sum("linear_net") over here as "linear_net", sum("linear_value") over here as "linear_value", sum("even_net") over here as "even_net", sum("even_value") over here as "even_value", sum("w_shaped_net") over here as "w_shaped_net", sum("w_shaped_value") over here as "w_shaped_value", sum("full_path_net") over here as "full_path_net", sum("full_path_value") over here as "full_path_value"
            from (
              select entity, interval, place, dimensions, 1 as weight, 0 as covered, 0 as "linear_net", 0 as "linear_value", 0 as "even_net", 0 as "even_value", 0 as "w_shaped_net", 0 as "w_shaped_value", 0 as "full_path_net", 0 as "full_path_value"
              from swept_placed
              union all
              select entity, interval, place, null, null, covered, "linear_net", "linear_value", "even_net", "even_value", "w_shaped_net", "w_shaped_value", "full_path_net", "full_path_value"
              from swept_events
              where not by_group
            ) listed
            window here as (partition by entity, interval order by place)
          ) places
          where dimensions is not null
          union all
          select interval, dimensions, later * covered, later * "linear_net", later * "linear_value", later * "even_net", later * "even_value", later * "w_shaped_net", later * "w_shaped_value", later * "full_path_net", later * "full_path_value"
          from (
            select *, sum(weight) over (partition by entity, group_number order by place desc) as later,
              max(touch_dimensions) over (partition by entity, group_number) as dimensions
            from (
              select entity, group_number, null as interval, place, dimensions as touch_dimensions, 1 as weight,
                null::numeric as covered, null::numeric as "linear_net", null::numeric as "linear_value", null::numeric as "even_net", null::numeric as "even_value", null::numeric as "w_shaped_net", null::numeric as "w_shaped_value", null::numeric as "full_path_net", null::numeric as "full_path_value"
              from crowd_touches
              where by_group
              union all
              select entity, group_number, interval, place, null, null, covered, "linear_net", "linear_value", "even_net", "even_value", "w_shaped_net", "w_shaped_value", "full_path_net", "full_path_value"
              from swept_events
              cross join lateral generate_series(1, groups) group_number
              where by_group
            ) listed
          ) counted
          where touch_dimensions is null and later > 0
        ) sums
        group by interval, dimensions
        union all
        select interval, dimensions, 0, sum(is_last), sum(case when retracted then 0 else (position = 1)::int::float8 end), sum(case when retracted then 0 else (position = 1)::int::float8 * coalesce(net, 0) end), sum(case when retracted then 0 else (position = touches)::int::float8 end), sum(case when retracted then 0 else (position = touches)::int::float8 * coalesce(net, 0) end), sum(case when retracted then 0 else (position = coalesce(last_non_direct, touches))::int::float8 end), sum(case when retracted then 0 else (position = coalesce(last_non_direct, touches))::int::float8 * coalesce(net, 0) end), sum(case when retracted then 0 else 1::float8 / touches end), sum(case when retracted then 0 else 1::float8 / touches * coalesce(net, 0) end), 0, 0, sum(case when retracted then 0 else case
            when touches = 1 then 1
            when touches = 2 then case position when 1 then %190$L::float8::float8 else %191$L::float8::float8 end
            when position = 1 then %192$L::float8::float8
            when position = touches then %193$L::float8::float8
            else %194$L::float8::float8 / (touches - 2)
            end end), sum(case when retracted then 0 else case
            when touches = 1 then 1
            when touches = 2 then case position when 1 then %195$L::float8::float8 else %196$L::float8::float8 end
            when position = 1 then %197$L::float8::float8
            when position = touches then %198$L::float8::float8
            else %199$L::float8::float8 / (touches - 2)
            end * coalesce(net, 0) end), sum(case when retracted then 0 else case
            when touches = 1 then 1
            when touches = 2 then case position when 1 then %200$L::float8::float8 else %201$L::float8::float8 end
            when position = 1 then %202$L::float8::float8
            when position = touches then %203$L::float8::float8
            else %204$L::float8::float8 / (touches - 2)
            end end), sum(case when retracted then 0 else case
            when touches = 1 then 1
            when touches = 2 then case position when 1 then %205$L::float8::float8 else %206$L::float8::float8 end
            when position = 1 then %207$L::float8::float8
            when position = touches then %208$L::float8::float8
            else %209$L::float8::float8 / (touches - 2)
            end * coalesce(net, 0) end), sum(case when retracted then 0 else case
            when (
              case when position = 1 then %210$L::float8::float8 else 0 end
              + case when position = lead_position then %211$L::float8::float8 else 0 end
              + case when position = opportunity_position then %212$L::float8::float8 else 0 end
              + case when position = touches then %213$L::int::float8 else 0 end
          ) > 0 then (
              case when position = 1 then %214$L::float8::float8 else 0 end
              + case when position = lead_position then %215$L::float8::float8 else 0 end
              + case when position = opportunity_position then %216$L::float8::float8 else 0 end
              + case when position = touches then %217$L::int::float8 else 0 end
          )
            when position < greatest(lead_position, opportunity_position, 1) then %218$L::float8::float8 / (
              greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
              - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
          )
            else 0
            end / (
              %219$L::float8::float8 + %220$L::float8::float8 * num_nonnulls(lead_position, opportunity_position)
              + case when (
                greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
                - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
            ) > 0 then %221$L::float8::float8 else 0 end
          ) end), sum(case when retracted then 0 else case
            when (
              case when position = 1 then %222$L::float8::float8 else 0 end
              + case when position = lead_position then %223$L::float8::float8 else 0 end
              + case when position = opportunity_position then %224$L::float8::float8 else 0 end
              + case when position = touches then %225$L::int::float8 else 0 end
          ) > 0 then (
              case when position = 1 then %226$L::float8::float8 else 0 end
              + case when position = lead_position then %227$L::float8::float8 else 0 end
              + case when position = opportunity_position then %228$L::float8::float8 else 0 end
              + case when position = touches then %229$L::int::float8 else 0 end
          )
            when position < greatest(lead_position, opportunity_position, 1) then %230$L::float8::float8 / (
              greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
              - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
          )
            else 0
            end / (
              %231$L::float8::float8 + %232$L::float8::float8 * num_nonnulls(lead_position, opportunity_position)
              + case when (
                greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
                - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
            ) > 0 then %233$L::float8::float8 else 0 end
          ) * coalesce(net, 0) end), sum(case when retracted then 0 else case
            when (
              case when position = 1 then %234$L::float8::float8 else 0 end
              + case when position = lead_position then %235$L::float8::float8 else 0 end
              + case when position = opportunity_position then %236$L::float8::float8 else 0 end
              + case when position = touches then %237$L::float8::float8 else 0 end
          ) > 0 then (
              case when position = 1 then %238$L::float8::float8 else 0 end
              + case when position = lead_position then %239$L::float8::float8 else 0 end
              + case when position = opportunity_position then %240$L::float8::float8 else 0 end
              + case when position = touches then %241$L::float8::float8 else 0 end
          )
            when position < touches then %242$L::float8::float8 / (
              greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
              - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
          )
            else 0
            end / (
              %243$L::float8::float8 + %244$L::float8::float8 * num_nonnulls(lead_position, opportunity_position)
              + case when (
                greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
                - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
            ) > 0 then %245$L::float8::float8 else 0 end
          ) end), sum(case when retracted then 0 else case
            when (
              case when position = 1 then %246$L::float8::float8 else 0 end
              + case when position = lead_position then %247$L::float8::float8 else 0 end
              + case when position = opportunity_position then %248$L::float8::float8 else 0 end
              + case when position = touches then %249$L::float8::float8 else 0 end
          ) > 0 then (
              case when position = 1 then %250$L::float8::float8 else 0 end
              + case when position = lead_position then %251$L::float8::float8 else 0 end
              + case when position = opportunity_position then %252$L::float8::float8 else 0 end
              + case when position = touches then %253$L::float8::float8 else 0 end
          )
            when position < touches then %254$L::float8::float8 / (
              greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
              - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
          )
            else 0
            end / (
              %255$L::float8::float8 + %256$L::float8::float8 * num_nonnulls(lead_position, opportunity_position)
              + case when (
                greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
                - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
            ) > 0 then %257$L::float8::float8 else 0 end
          ) * coalesce(net, 0) end)
        from swept_own
        group by interval, dimensions
        union all
        select interval, dimensions, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, sum("net_4")::float8, sum("value_4")::float8, 0, 0, 0, 0, 0, 0, 0, 0
        from (
          select interval, dimensions, weight * "net_4" as "net_4", weight * "value_4" as "value_4"
          from (
            select interval, dimensions, weight, sum("net_4") over here as "net_4", sum("value_4") over here as "value_4"
            from (
              select entity, interval, place, dimensions, power(2::float8, extract(epoch from occurred_at - %258$L::timestamptz)::float8 / %259$L::int::float8 - %260$L::int::int * floor(extract(epoch from occurred_at - %261$L::timestamptz)::float8 / %262$L::int::float8 / %263$L::int::int))::numeric as weight, 0 as "net_4", 0 as "value_4", floor(extract(epoch from occurred_at - %264$L::timestamptz)::float8 / %265$L::int::float8 / %266$L::int::int) as block
              from swept_placed
              union all
              select entity, interval, place, null, null, "net_4", "value_4", block
              from swept_decay_events
              where not by_group
            ) listed
            window here as (partition by entity, interval, block order by place)
          ) places
          where dimensions is not null
          union all
          select interval, dimensions, later * "net_4", later * "value_4"
          from (
            select *, sum(weight) over (partition by entity, group_number, block order by place desc) as later,
              max(touch_dimensions) over (partition by entity, group_number) as dimensions
            from (
              select entity, group_number, null as interval, place, dimensions as touch_dimensions, power(2::float8, extract(epoch from occurred_at - %267$L::timestamptz)::float8 / %268$L::int::float8 - %269$L::int::int * floor(extract(epoch from occurred_at - %270$L::timestamptz)::float8 / %271$L::int::float8 / %272$L::int::int))::numeric as weight,
                null::numeric as "net_4", null::numeric as "value_4", floor(extract(epoch from occurred_at - %273$L::timestamptz)::float8 / %274$L::int::float8 / %275$L::int::int) as block
              from crowd_touches
              where by_group
              union all
              select entity, group_number, interval, place, null, null, "net_4", "value_4", block
              from swept_decay_events
              cross join lateral generate_series(1, groups) group_number
              where by_group
            ) listed
          ) counted
          where touch_dimensions is null and later > 0
        ) sums
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
      swept_held as materialized (
      select interval, conversion_id, dimensions, bool_or(is_last) as is_last
      from (
        select interval, conversion_id, dimensions, sign * seen as touches, mark = ''last'' and here > 0 as is_last
        from (
          select *, count(touch) over (partition by entity, group_number order by place) as seen,
            count(touch) over (partition by entity, group_number, place) as here,
            max(touch_dimensions) over (partition by entity, group_number) as dimensions
          from (
            select entity, group_number, place, id as touch, dimensions as touch_dimensions, null as interval,
              null as conversion_id, null as mark, 0 as sign
            from crowd_touches
            where by_group
            union all
            select entity, group_number, bound.place, null, null, interval, conversion_id, bound.mark, bound.sign
            from swept_journeys
            cross join lateral (values (low, ''low'', -1), (high, ''high'', 1), (last, ''last'', 0)) bound (place, mark, sign)
            cross join lateral generate_series(1, groups) group_number
            where by_group and touches > 0
          ) listed
        ) counted
        where conversion_id is not null
        union all
        select interval, conversion_id, recorded_dimensions, -1, false
        from swept_journeys
        where by_group and touches > 0 and recorded is not null
      ) counted
      group by interval, conversion_id, dimensions
      having sum(touches) > 0
    ), swept_influence as (
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
        union all
        select interval, dimensions, 1
        from swept_held
      ) counted
      group by interval, dimensions
    ),
      by_group as (
      select interval, array["channel", "campaign"] collate "C" as dimensions, sum(touchpoints)::int as touchpoints,
        sum(influenced)::int as influenced, sum(assisted)::int as assisted,
        sum("weight_0") as "weight_0", coalesce(sum("worth_0"), 0) as "worth_0", sum("weight_1") as "weight_1", coalesce(sum("worth_1"), 0) as "worth_1", sum("weight_2") as "weight_2", coalesce(sum("worth_2"), 0) as "worth_2", sum("weight_3") as "weight_3", coalesce(sum("worth_3"), 0) as "worth_3", sum("weight_4") as "weight_4", coalesce(sum("worth_4"), 0) as "worth_4", sum("weight_5") as "weight_5", coalesce(sum("worth_5"), 0) as "worth_5", sum("weight_6") as "weight_6", coalesce(sum("worth_6"), 0) as "worth_6", sum("weight_7") as "weight_7", coalesce(sum("worth_7"), 0) as "worth_7", sum("weight_8") as "weight_8", coalesce(sum("worth_8"), 0) as "worth_8"
      from (
        select interval, "channel", "campaign", new_touchpoints as touchpoints,
          case when places = 1 then journeys else 0 end as influenced,
          case when places > 1 and place = places then -journeys else 0 end as assisted, "weight_0", "worth_0", "weight_1", "worth_1", "weight_2", "worth_2", "weight_3", "worth_3", "weight_4", "worth_4", "weight_5", "worth_5", "weight_6", "worth_6", "weight_7", "worth_7", "weight_8", "worth_8"
        from by_place
        union all
        select interval, "channel", "campaign", count(*), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        from (select distinct touchpoint_id, interval, "channel", "campaign" from ranked where is_shared) distinct_touchpoints
        group by interval, "channel", "campaign"
        union all
        select interval, "channel", "campaign", 0, count(*), count(*), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        from (select distinct number, interval, "channel", "campaign" from ranked where places > 1) held
        group by interval, "channel", "campaign"
        union all
        select interval, dimensions[%276$L::int::int], dimensions[%277$L::int::int], touchpoints, 0, -lasts, "net_0", "value_0", "net_1", "value_1", "net_2", "value_2", "net_3", "value_3", "net_4", "value_4", "net_5", "value_5", "net_6", "value_6", "net_7", "value_7", "net_8", "value_8"
        from swept_credit
        union all
        select interval, dimensions[%278$L::int::int], dimensions[%279$L::int::int], 0, influenced, influenced, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
        from swept_influence
        where influenced > 0
      ) counted
      group by interval, "channel", "campaign"
    ), placed as materialized (
      select *, row_number() over (order by "weight_0" desc, interval, dimensions) > %280$L::int as folded
      from by_group
    ), folded_journeys as (
      select interval, bool_or(place = places) as is_last
      from (
        select *, (coalesce(interval, ''''), array["channel", "campaign"] collate "C") in (
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
      union all
      select interval, bool_or(is_last)
      from (select *, (coalesce(interval, ''''), dimensions) in (select coalesce(interval, ''''), dimensions from placed where folded) as folded from swept_held offset 0) held
      where folded
      group by interval, conversion_id
    ), folded as (
      select interval, sum(touchpoints)::int as touchpoints,
        (select count(*) from folded_journeys j where j.interval is not distinct from p.interval)::int as influenced,
        (select count(*) from folded_journeys j where j.interval is not distinct from p.interval and not j.is_last)::int as assisted,
        sum("weight_0") as "weight_0", sum("worth_0") as "worth_0", sum("weight_1") as "weight_1", sum("worth_1") as "worth_1", sum("weight_2") as "weight_2", sum("worth_2") as "worth_2", sum("weight_3") as "weight_3", sum("worth_3") as "worth_3", sum("weight_4") as "weight_4", sum("worth_4") as "worth_4", sum("weight_5") as "weight_5", sum("worth_5") as "worth_5", sum("weight_6") as "weight_6", sum("worth_6") as "worth_6", sum("weight_7") as "weight_7", sum("worth_7") as "worth_7", sum("weight_8") as "weight_8", sum("worth_8") as "worth_8"
      from placed p
      where folded
      group by interval
    ), answer as (
      select interval, dimensions, false as other, touchpoints, influenced, assisted, array["weight_0", "weight_1", "weight_2", "weight_3", "weight_4", "weight_5", "weight_6", "weight_7", "weight_8"] as credits, array["worth_0", "worth_1", "worth_2", "worth_3", "worth_4", "worth_5", "worth_6", "worth_7", "worth_8"] as values
      from placed
      where not folded
      union all
      select interval, null, true, touchpoints, influenced, assisted, array["weight_0", "weight_1", "weight_2", "weight_3", "weight_4", "weight_5", "weight_6", "weight_7", "weight_8"] as credits, array["worth_0", "worth_1", "worth_2", "worth_3", "worth_4", "worth_5", "worth_6", "worth_7", "worth_8"] as values
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
    )'::text, '{null,"86400","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","{\"purchase\",\"trial\"}","Europe/Berlin","plan","{\"pro\"}","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","{\"purchase\",\"trial\"}","2026-04-30T22:00:00.000Z","0","2026-05-31T22:00:00.000Z","7","2026-04-30T22:00:00.000Z","EUR","EUR","EUR","EUR","EUR","EUR","EUR","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","EUR","week","Europe/Berlin","32","2026-04-30T22:00:00.000Z","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","lead","lead","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","opportunity","opportunity","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","lead","opportunity","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","lead","lead","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","opportunity","opportunity","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","{\"event\",\"view\",\"other\"}","{\"x\",\"linkedin\"}","16","5","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","{\"event\",\"view\",\"other\"}","{\"x\",\"linkedin\"}","lead","opportunity","lead","opportunity","604800","1000","604800","0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3","{\"event\",\"view\",\"other\"}","{\"x\",\"linkedin\"}","0.3","0.3","0.3","0","0.3","0.3","0.3","0","0.1","0.3","0.3","0.1","0.225","0.225","0.225","0.225","0.225","0.225","0.225","0.225","0.1","0.45","0.225","0.1","0.5","0.5","0.4","0.4","0.2","0.5","0.5","0.4","0.4","0.2","0.5","0.5","0.25","0.25","0.5","0.5","0.5","0.25","0.25","0.5","0.3","0.3","0.3","0","0.3","0.3","0.3","0","0.1","0.3","0.3","0.1","0.3","0.3","0.3","0","0.3","0.3","0.3","0","0.1","0.3","0.3","0.1","0.225","0.225","0.225","0.225","0.225","0.225","0.225","0.225","0.1","0.45","0.225","0.1","0.225","0.225","0.225","0.225","0.225","0.225","0.225","0.225","0.1","0.45","0.225","0.1","2026-04-30T22:00:00.000Z","604800","64","2026-04-30T22:00:00.000Z","604800","64","2026-04-30T22:00:00.000Z","604800","64","64","64","64","2026-04-30T22:00:00.000Z","604800","2026-04-30T22:00:00.000Z","604800","64","64","64","1","1","0.2","0.2","0.5","0.5","1","1","1","1","0.5","0.5","0.4","0.4","0.2","0.5","0.5","0.4","0.4","0.2","0.5","0.5","0.25","0.25","0.5","0.5","0.5","0.25","0.25","0.5","0.3","0.3","0.3","0","0.3","0.3","0.3","0","0.1","0.3","0.3","0.1","0.3","0.3","0.3","0","0.3","0.3","0.3","0","0.1","0.3","0.3","0.1","0.225","0.225","0.225","0.225","0.225","0.225","0.225","0.225","0.1","0.45","0.225","0.1","0.225","0.225","0.225","0.225","0.225","0.225","0.225","0.225","0.1","0.45","0.225","0.1","2026-04-30T22:00:00.000Z","604800","64","2026-04-30T22:00:00.000Z","604800","64","2026-04-30T22:00:00.000Z","604800","64","2026-04-30T22:00:00.000Z","604800","64","2026-04-30T22:00:00.000Z","604800","64","2026-04-30T22:00:00.000Z","604800","64","1","2","1","2","1000"}'::text[], null)
    end as answer
  where exists (select from open_spans) or exists (select from added)
), answer as (
  select interval, dimensions, other, sum(touchpoints)::int as touchpoints, sum(influenced)::int as influenced,
    sum(assisted)::int as assisted, array[sum("credits"[1::int]), sum("credits"[2::int]), sum("credits"[3::int]), sum("credits"[4::int]), sum("credits"[5::int]), sum("credits"[6::int]), sum("credits"[7::int]), sum("credits"[8::int]), sum("credits"[9::int])] as credits, array[sum("values"[1::int]), sum("values"[2::int]), sum("values"[3::int]), sum("values"[4::int]), sum("values"[5::int]), sum("values"[6::int]), sum("values"[7::int]), sum("values"[8::int]), sum("values"[9::int])] as values
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
  where g.workspace_id = (select '0192f0c1-7d1e-7a3b-8c4d-5e6f708192a3'::uuid) and g.key = any('{"purchase","trial","lead","opportunity"}'::text[])) as goals, (select json_agg(totals)
  from (
    select interval,
      coalesce(sum(conversions), 0)::int as conversions, coalesce(sum(value), 0)::text as value,
      coalesce(sum(gross_conversions), 0)::int as gross_conversions, coalesce(sum(gross_value), 0)::text as gross_value,
      coalesce(sum(attributed_conversions), 0)::int as attributed_conversions,
      coalesce(sum(attributed_value), 0)::text as attributed_value, coalesce(sum(lacks_rate), 0)::int as lacks_rate
    from (
      select to_char(date_trunc('week'::text, day::timestamp), 'YYYY-MM-DD') as interval, currency, conversions, coalesce(net * rate, 0) as value,
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
    group by grouping sets ((), (interval)) order by interval nulls first
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
    (c.occurred_at at time zone %5$L)::date as day, c.properties ->> %6$L::text = any(%7$L::text[]) as is_chosen
  from (
    select c.*
    from open_spans s
    cross join lateral (
      select c.*
      from conversions c
      where c.workspace_id = (select %8$L::uuid) and c.goal = any(%9$L::text[]) and c.occurred_at >= s.from_at and c.occurred_at < s.to_at
      offset 0
    ) c
    where (c.occurred_at at time zone %10$L::text)::date not in (select day from kept_days)
    union all
    select c.*
    from added
    cross join lateral (
      select c.*
      from conversions c
      where c.workspace_id = (select %11$L::uuid) and c.goal = any(%12$L::text[]) and c.id = added.id
      offset 0
    ) c
    where c.occurred_at >= %13$L::timestamptz and c.occurred_at < %14$L::timestamptz
      and (c.occurred_at at time zone %15$L::text)::date in (select day from kept_days)
  ) c
), "fx" as materialized (
  select jsonb_object_agg(known.currency || ' ' || known.day, coalesce(known.direct, known.there * known.onward)) as rates
  from (
    select pair.currency, pair.day, max(quoted.rate) filter (where leg.name = 'direct') as direct,
      max(quoted.rate) filter (where leg.name = 'there') as there,
      max(quoted.rate) filter (where leg.name = 'onward') as onward
    from (
      select distinct amounts.currency, amounts.day, amounts.day - %16$L::int::int as oldest
      from (select currency, day from reached where occurred_at >= %17$L::timestamptz) amounts
      where amounts.currency <> %18$L::text
    ) pair
    join lateral (
        values ('direct', pair.currency, %19$L::text), ('there', pair.currency, %20$L::text), ('onward', %21$L::text, %22$L::text)
    ) leg (name, base, quote) on leg.name = 'direct' or %23$L::text not in (pair.currency, %24$L::text)
    cross join lateral (
      select case way.is_inverse when 0 then latest.rate else 1 / latest.rate end as rate
      from (values (leg.base, leg.quote, 0), (leg.quote, leg.base, 1)) way (base, quote, is_inverse)
      cross join lateral (
        select r.date, r.rate
        from fx_rates r
        where r.workspace_id = (select %25$L::uuid) and r."from" = way.base and r."to" = way.quote
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
  where a.workspace_id = (select %26$L::uuid)
  order by a.conversion_id
  limit 0
),
  bounded as (
  select c.*, c.occurred_at - g.lookback as opens_at, '-infinity'::timestamptz as used_up_to,
    (g.counting = 'every' or not exists (select
      from (
        select held.id, held.occurred_at
        from conversions held
        where held.workspace_id = (select %27$L::uuid)
          and true
          and held.person_id = c.person_id
          and (held.person_id, held.goal, held.occurred_at) >= (c.person_id, c.goal, '-infinity'::timestamptz)
          and (held.person_id, held.goal, held.occurred_at) <= (c.person_id, c.goal, c.occurred_at)) earlier
      where (earlier.occurred_at, earlier.id) < (c.occurred_at, c.id)
        and (not ((select count(*) >= 0 from adjusted) or earlier.id in (select conversion_id from adjusted)) or not exists (
          select
          from adjustments a
          where a.workspace_id = (select %28$L::uuid) and a.conversion_id = earlier.id and a.kind = 'retraction'
          offset 0
  )))) as counts
  from (
    select c.*, coalesce(case when c.is_adjusted then (
        select a.value
        from adjustments a
        where a.workspace_id = (select %29$L::uuid) and a.conversion_id = c.id and a.kind = 'restatement'
        order by a.occurred_at desc, a.id desc
        limit 1
      ) end, c.value) as restated_value,
      not (not c.is_adjusted or not exists (
        select
        from adjustments a
        where a.workspace_id = (select %30$L::uuid) and a.conversion_id = c.id and a.kind = 'retraction'
        offset 0
    )) as retracted
    from (
      select c.*, case
        when c.currency = %31$L then 1
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
    c.occurred_at, c.touchpoint_id, c.currency, to_char(date_trunc(%32$L, c.occurred_at at time zone %33$L), 'YYYY-MM-DD') as interval, c.retracted, c.opens_at, c.used_up_to,
    c.restated_value is not null and c.rate is null as lacks_rate, c.value * c.rate as gross,
    c.restated_value * c.rate as net, count(*) filter (where not c.retracted) over entity > %34$L::int as is_crowded,
    lag(c.occurred_at) over entity as previous_at,
    lead(c.occurred_at) over entity - (select max(lookback) from goal_settings) as next_opens_at
  from bounded c
  where occurred_at >= %35$L::timestamptz and counts and is_chosen
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
  dated as materialized (
  select c.*, (
    select min(m.occurred_at)
    from (
      select held.id, held.occurred_at
      from conversions held
      where held.workspace_id = (select %36$L::uuid)
        and true
        and held.person_id = c.person_id
        and (held.person_id, held.goal, held.occurred_at) >= (c.person_id, %37$L::text, '-infinity'::timestamptz)
        and (held.person_id, held.goal, held.occurred_at) <= (c.person_id, %38$L::text, c.occurred_at)) m
    where m.occurred_at >= c.opens_at
      and m.occurred_at > c.used_up_to
      and not exists (
      select
      from adjustments a
      where a.workspace_id = (select %39$L::uuid) and a.conversion_id = m.id and a.kind = 'retraction'
      offset 0
  )) as lead_at, (
    select min(m.occurred_at)
    from (
      select held.id, held.occurred_at
      from conversions held
      where held.workspace_id = (select %40$L::uuid)
        and true
        and held.person_id = c.person_id
        and (held.person_id, held.goal, held.occurred_at) >= (c.person_id, %41$L::text, '-infinity'::timestamptz)
        and (held.person_id, held.goal, held.occurred_at) <= (c.person_id, %42$L::text, c.occurred_at)) m
    where m.occurred_at >= c.opens_at
      and m.occurred_at > c.used_up_to
      and not exists (
      select
      from adjustments a
      where a.workspace_id = (select %43$L::uuid) and a.conversion_id = m.id and a.kind = 'retraction'
      offset 0
  )) as opportunity_at
  from listed_conversions c
),
  touched as (
  select c.id as conversion_id, t.id as touchpoint_id, t.occurred_at, c.number, c.interval, c.net::float8 as net, coalesce(t.occurred_at <= c.previous_at or t.occurred_at >= c.next_opens_at, false) as is_shared, t.channel as "channel", t.campaign as "campaign", c.entity, t.channel = 'direct' as is_direct, c.lead_at, c.opportunity_at, case when extract(epoch from c.occurred_at - t.occurred_at)::float8 / %44$L::int::float8 > %45$L::int then 0 else power(2::float8, -(extract(epoch from c.occurred_at - t.occurred_at)::float8 / %46$L::int::float8)) end as decay
  from dated c
  join touchpoints t on t.workspace_id = (select %47$L::uuid) and true and t.person_id = c.person_id
    and (t.person_id, t.occurred_at) >= (c.person_id, c.opens_at)
    and (t.person_id, t.occurred_at) <= (c.person_id, c.occurred_at)
  where not c.retracted and t.id is distinct from c.touchpoint_id and t.voided_at is null and t.kind <> all(%48$L::text[]) and t.channel = any(%49$L::text[])
), ranked as materialized (
  select number, interval, "channel", "campaign", net, touchpoint_id, is_shared, entity, occurred_at, case when position = 1 then 1 when position = touches then least(touches, 3) else 2 end as place, least(touches, 3) as places, case when position in (1, touches) then 1 else 1::float8 / (touches - 2) end as part, case
    when non_direct = 0 then null
    when not is_direct and non_direct_so_far = non_direct then case when position = 1 then 1 when position = touches then least(touches, 3) else 2 end
    else 0
    end as last_non_direct, 1::float8 / touches as "weight_3", decay / decays as "weight_4", case
    when (
      case when position = 1 then %50$L::float8::float8 else 0 end
      + case when position = lead_position then %51$L::float8::float8 else 0 end
      + case when position = opportunity_position then %52$L::float8::float8 else 0 end
      + case when position = touches then %53$L::int::float8 else 0 end
  ) > 0 then (
      case when position = 1 then %54$L::float8::float8 else 0 end
      + case when position = lead_position then %55$L::float8::float8 else 0 end
      + case when position = opportunity_position then %56$L::float8::float8 else 0 end
      + case when position = touches then %57$L::int::float8 else 0 end
  )
    when position < greatest(lead_position, opportunity_position, 1) then %58$L::float8::float8 / (
      greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
      - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
  )
    else 0
    end / (
      %59$L::float8::float8 + %60$L::float8::float8 * num_nonnulls(lead_position, opportunity_position)
      + case when (
        greatest(greatest(lead_position, opportunity_position, 1) - 2, 0) - ((lead_position > 1 and lead_position < greatest(lead_position, opportunity_position, 1)) is true)::int
        - ((opportunity_position > 1 and opportunity_position < greatest(lead_position, opportunity_position, 1)) is true and opportunity_position is distinct from lead_position)::int
    ) > 0 then %61$L::float8::float8 else 0 end
  ) as "weight_7", case
    when (
      case when position = 1 then %62$L::float8::float8 else 0 end
      + case when position = lead_position then %63$L::float8::float8 else 0 end
      + case when position = opportunity_position then %64$L::float8::float8 else 0 end
      + case when position = touches then %65$L::float8::float8 else 0 end
  ) > 0 then (
      case when position = 1 then %66$L::float8::float8 else 0 end
      + case when position = lead_position then %67$L::float8::float8 else 0 end
      + case when position = opportunity_position then %68$L::float8::float8 else 0 end
      + case when position = touches then %69$L::float8::float8 else 0 end
  )
    when position < touches then %70$L::float8::float8 / (
      greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
      - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
  )
    else 0
    end / (
      %71$L::float8::float8 + %72$L::float8::float8 * num_nonnulls(lead_position, opportunity_position)
      + case when (
        greatest(touches - 2, 0) - ((lead_position > 1 and lead_position < touches) is true)::int
        - ((opportunity_position > 1 and opportunity_position < touches) is true and opportunity_position is distinct from lead_position)::int
    ) > 0 then %73$L::float8::float8 else 0 end
  ) as "weight_8"
  from (
    select number, interval, "channel", "campaign", net, touchpoint_id, is_shared, entity, occurred_at, row_number() over journey as position, count(*) over journey as touches, decay, sum(decay) over journey as decays, is_direct, count(*) filter (where not is_direct) over earlier as non_direct_so_far,
      count(*) filter (where not is_direct) over journey as non_direct, nullif(count(*) filter (where occurred_at <= lead_at) over journey, 0) as lead_position,
      nullif(count(*) filter (where occurred_at <= opportunity_at) over journey, 0) as opportunity_position
    from touched touched
    window journey as (
        partition by number order by occurred_at, touchpoint_id rows between unbounded preceding and unbounded following
    ),
      earlier as (partition by number order by occurred_at, touchpoint_id rows unbounded preceding)
  ) positioned
),
  by_place as materialized (
  select interval, "channel", "campaign", place, places, last_non_direct, count(*) as journeys, count(*) filter (where not is_shared) as new_touchpoints, sum(part) * (place = 1)::int::float8 as "weight_0", sum(part * net) * (place = 1)::int::float8 as "worth_0", sum(part) * (place = places)::int::float8 as "weight_1", sum(part * net) * (place = places)::int::float8 as "worth_1", count(*) * (place = coalesce(last_non_direct, places))::int::float8 as "weight_2", sum(net) * (place = coalesce(last_non_direct, places))::int::float8 as "worth_2", sum("weight_3") as "weight_3", sum("weight_3" * net) as "worth_3", sum("weight_4") as "weight_4", sum("weight_4" * net) as "worth_4", sum(part) * case
    when places = 1 then 1
    when places = 2 then case place when 1 then %74$L::float8::float8 else %75$L::float8::float8 end
    when place = 1 then %76$L::float8::float8
    when place = places then %77$L::float8::float8
    else %78$L::float8::float8 / (places - 2)
    end as "weight_5", sum(part * net) * case
    when places = 1 then 1
    when places = 2 then case place when 1 then %79$L::float8::float8 else %80$L::float8::float8 end
    when place = 1 then %81$L::float8::float8
    when place = places then %82$L::float8::float8
    else %83$L::float8::float8 / (places - 2)
    end as "worth_5", sum(part) * case
    when places = 1 then 1
    when places = 2 then case place when 1 then %84$L::float8::float8 else %85$L::float8::float8 end
    when place = 1 then %86$L::float8::float8
    when place = places then %87$L::float8::float8
    else %88$L::float8::float8 / (places - 2)
    end as "weight_6", sum(part * net) * case
    when places = 1 then 1
    when places = 2 then case place when 1 then %89$L::float8::float8 else %90$L::float8::float8 end
    when place = 1 then %91$L::float8::float8
    when place = places then %92$L::float8::float8
    else %93$L::float8::float8 / (places - 2)
    end as "worth_6", sum("weight_7") as "weight_7", sum("weight_7" * net) as "worth_7", sum("weight_8") as "weight_8", sum("weight_8" * net) as "worth_8"
  from ranked
  group by interval, "channel", "campaign", place, places, last_non_direct
),
  attributed as (
  select number
  from ranked
  where place = 1
),
  near_entities as materialized (
  select c.person_id, null::text as account_id, c.entity, min(greatest(c.opens_at, greatest(%94$L::timestamptz, case when ((((to_char(date_trunc(%95$L, c.occurred_at at time zone %96$L), 'YYYY-MM-DD'))::date)::timestamp at time zone %97$L::text - interval '1 hour') at time zone %98$L::text)::date = ((to_char(date_trunc(%99$L, c.occurred_at at time zone %100$L), 'YYYY-MM-DD'))::date) then (((to_char(date_trunc(%101$L, c.occurred_at at time zone %102$L), 'YYYY-MM-DD'))::date)::timestamp at time zone %103$L::text - interval '1 hour') else ((to_char(date_trunc(%104$L, c.occurred_at at time zone %105$L), 'YYYY-MM-DD'))::date)::timestamp at time zone %106$L::text end))) as from_at,
    max(case when ((((c.occurred_at at time zone %107$L::text)::date + 1)::timestamp at time zone %108$L::text - interval '1 hour') at time zone %109$L::text)::date = ((c.occurred_at at time zone %110$L::text)::date + 1) then (((c.occurred_at at time zone %111$L::text)::date + 1)::timestamp at time zone %112$L::text - interval '1 hour') else ((c.occurred_at at time zone %113$L::text)::date + 1)::timestamp at time zone %114$L::text end) - interval '1 millisecond' as to_at
  from converted c
  where not c.retracted
  group by 1, 2, 3
), near_conversions as materialized (
  select *
  from (
    select *, bool_or(is_summed) over (partition by entity) as has_summed
    from (
      select c.entity, c.goal, c.occurred_at, coalesce(c.touchpoint_id, '') as recorded,
        (c.occurred_at at time zone %115$L::text)::date in (select day from kept_days) and c.id not in (select id from added) as is_summed
      from (
        select c.*, w.id, w.goal, w.occurred_at, w.touchpoint_id, w.currency, w.properties
        from near_entities c
        cross join goal_settings g
        cross join lateral (
          select w.*
          from conversions w
          where w.workspace_id = (select %116$L::uuid) and true and w.person_id = c.person_id
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
        where a.workspace_id = (select %117$L::uuid) and a.conversion_id = c.id and a.kind = 'retraction'
        offset 0
      ) and (g.counting = 'every' or not exists (select
          from (
            select held.id, held.occurred_at
            from conversions held
            where held.workspace_id = (select %118$L::uuid)
              and true
              and held.person_id = c.person_id
              and (held.person_id, held.goal, held.occurred_at) >= (c.person_id, c.goal, '-infinity'::timestamptz)
              and (held.person_id, held.goal, held.occurred_at) <= (c.person_id, c.goal, c.occurred_at)) earlier
          where (earlier.occurred_at, earlier.id) < (c.occurred_at, c.id)
            and not exists (
            select
            from adjustments a
            where a.workspace_id = (select %119$L::uuid) and a.conversion_id = earlier.id and a.kind = 'retraction'
            offset 0
      ))) and c.properties ->> %120$L::text = any(%121$L::text[])
    ) c
  ) c
  where has_summed
), near_touches as materialized (
  select entity, touchpoint_id, coalesce(interval, '') as interval, occurred_at,
    greatest(occurred_at, greatest(%122$L::timestamptz, case when ((((interval)::date)::timestamp at time zone %123$L::text - interval '1 hour') at time zone %124$L::text)::date = ((interval)::date) then (((interval)::date)::timestamp at time zone %125$L::text - interval '1 hour') else ((interval)::date)::timestamp at time zone %126$L::text end)) as from_at
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
  having (min(first_at) at time zone %127$L::text)::date = (min(summed_at) at time zone %128$L::text)::date
), by_group as (
  select interval, array["channel", "campaign"] collate "C" as dimensions, sum(touchpoints)::int as touchpoints,
    sum(influenced)::int as influenced, sum(assisted)::int as assisted,
    sum("weight_0") as "weight_0", coalesce(sum("worth_0"), 0) as "worth_0", sum("weight_1") as "weight_1", coalesce(sum("worth_1"), 0) as "worth_1", sum("weight_2") as "weight_2", coalesce(sum("worth_2"), 0) as "worth_2", sum("weight_3") as "weight_3", coalesce(sum("worth_3"), 0) as "worth_3", sum("weight_4") as "weight_4", coalesce(sum("worth_4"), 0) as "worth_4", sum("weight_5") as "weight_5", coalesce(sum("worth_5"), 0) as "worth_5", sum("weight_6") as "weight_6", coalesce(sum("worth_6"), 0) as "worth_6", sum("weight_7") as "weight_7", coalesce(sum("worth_7"), 0) as "worth_7", sum("weight_8") as "weight_8", coalesce(sum("worth_8"), 0) as "worth_8"
  from (
    select interval, "channel", "campaign", 0 as touchpoints,
      case when places = 1 then journeys else 0 end as influenced,
      case when places > 1 and place = places then -journeys else 0 end as assisted, "weight_0", "worth_0", "weight_1", "worth_1", "weight_2", "worth_2", "weight_3", "worth_3", "weight_4", "worth_4", "weight_5", "worth_5", "weight_6", "worth_6", "weight_7", "worth_7", "weight_8", "worth_8"
    from by_place
    union all
    select interval, "channel", "campaign", count(*), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    from (select distinct touchpoint_id, interval, "channel", "campaign" from ranked where (touchpoint_id, coalesce(interval, '')) not in (select touchpoint_id, interval from summed_touches)) distinct_touchpoints
    group by interval, "channel", "campaign"
    union all
    select interval, "channel", "campaign", 0, count(*), count(*), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
    from (select distinct number, interval, "channel", "campaign" from ranked where places > 1) held
    group by interval, "channel", "campaign"
  ) counted
  group by interval, "channel", "campaign"
), answer as (
  select interval, dimensions, false as other, touchpoints, influenced, assisted, array["weight_0", "weight_1", "weight_2", "weight_3", "weight_4", "weight_5", "weight_6", "weight_7", "weight_8"] as credits, array["worth_0", "worth_1", "worth_2", "worth_3", "worth_4", "worth_5", "worth_6", "worth_7", "worth_8"] as values
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
